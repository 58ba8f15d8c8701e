/* SPDX-License-Identifier: Apache-2.0 */
/* IKEv1's keys and hashes: SKEYID and what comes of it, HASH_I, HASH_R, HASH(1) to (3), a
 * child's KEYMAT, NAT-D. Encryption is crypt.c's. RFC 2409 sections 5 to 5.7, appendix B;
 * RFC 3947 section 3.2. */
#include "ike/v1/keys.h"

#include <string.h>

#define SEED_MAX 6 /* pieces */

void s2_ike1_keys_clear(struct s2_ike1_keys *k)
{
    s2_wipe(k, sizeof(*k));
}

/* ---- drawing out */

/* K1 | K2 | …: K1 = prf(key, seed), Kn = prf(key, Kn-1 | seed). A failure wipes out. */
static s2svpn_status draw_out(const struct s2_ike_crypto *c, const s2svpn_algorithm *prf,
                              s2svpn_span key, const s2svpn_span *seed, size_t n, uint8_t *out,
                              size_t len)
{
    s2svpn_span in[SEED_MAX + 1];
    uint8_t k[S2SVPN_PRF_MAX];
    s2svpn_status rc = S2SVPN_OK;

    in[0] = s2_span(k, 0);
    memcpy(in + 1, seed, n * sizeof(seed[0]));
    for (size_t done = 0; done < len && rc == S2SVPN_OK;) {
        const size_t part = len - done < prf->out_len ? len - done : prf->out_len;

        rc = c->ops->prf(c->user, prf->id, key, in, n + 1, k);
        if (rc == S2SVPN_OK)
            memcpy(out + done, k, part);
        in[0].len = prf->out_len;
        done += part;
    }
    if (rc != S2SVPN_OK)
        s2_wipe(out, len);
    s2_wipe(k, sizeof(k));
    return rc;
}

/* Appendix B: SKEYID_e itself where it is long enough, else K1 = prf(SKEYID_e, 0), Kn =
 * prf(SKEYID_e, Kn-1): the zero is the first one's alone. */
s2svpn_status s2_ike1_encryption_key(const struct s2_ike_crypto *c, const s2svpn_algorithm *prf,
                                     const uint8_t *skeyid_e, uint8_t *out, size_t len)
{
    static const uint8_t zero[1] = {0};
    const s2svpn_span key = s2_span(skeyid_e, prf->out_len);
    uint8_t k[S2SVPN_PRF_MAX];
    s2svpn_span in = s2_span(zero, sizeof(zero));
    s2svpn_status rc = S2SVPN_OK;

    if (len <= prf->out_len) {
        memcpy(out, skeyid_e, len);
        return S2SVPN_OK;
    }
    for (size_t done = 0; done < len && rc == S2SVPN_OK;) {
        const size_t part = len - done < prf->out_len ? len - done : prf->out_len;

        rc = c->ops->prf(c->user, prf->id, key, &in, 1, k);
        if (rc == S2SVPN_OK)
            memcpy(out + done, k, part);
        in = s2_span(k, prf->out_len);
        done += part;
    }
    if (rc != S2SVPN_OK)
        s2_wipe(out, len);
    s2_wipe(k, sizeof(k));
    return rc;
}

/* ---- SKEYID and its children */

static void put_cookies(uint8_t out[S2_IKE1_COOKIES_LEN], uint64_t i, uint64_t r)
{
    s2_put_u64(out, i);
    s2_put_u64(out + 8, r);
}

/* Rows that this room can serve; a backend's may say anything. */
static bool find_rows(const struct s2_ike_crypto *c, const struct s2_ike1_suite *s,
                      struct s2_ike1_keys *k)
{
    k->encr = s2_ike_algorithm(c, S2SVPN_TRANSFORM_ENCR, s->encr, s->key_bits);
    k->prf = s2_ike_algorithm(c, S2SVPN_TRANSFORM_PRF, s->prf, 0);
    return k->encr != NULL && k->prf != NULL && k->encr->out_len == 0 && k->encr->key_len > 0 &&
           k->encr->key_len <= S2SVPN_KEY_MAX && k->encr->block_len > 0 &&
           k->encr->block_len <= S2_IKE1_IV_MAX && k->encr->iv_len == k->encr->block_len &&
           k->prf->out_len >= k->encr->block_len && k->prf->out_len <= S2SVPN_PRF_MAX;
}

/* One of SKEYID_d, _a, _e: prf(SKEYID, before | g^xy | CKY-I | CKY-R | number). */
static s2svpn_status derive_one(const struct s2_ike_crypto *c, const struct s2_ike1_keys *k,
                                const uint8_t *before, s2svpn_span shared, uint8_t number,
                                uint8_t *out)
{
    uint8_t cookies[S2_IKE1_COOKIES_LEN] = {0};
    const s2svpn_span in[] = {
        s2_span(before, before != NULL ? k->prf->out_len : 0),
        shared,
        s2_span(cookies, sizeof(cookies)),
        s2_span(&number, 1),
    };

    put_cookies(cookies, k->cookie_i, k->cookie_r);
    return c->ops->prf(c->user, k->prf->id, s2_span(k->skeyid, k->prf->out_len), in, 4, out);
}

s2svpn_status s2_ike1_derive_keys(const struct s2_ike_crypto *c, const struct s2_ike1_suite *suite,
                                  s2svpn_span psk, s2svpn_span shared, s2svpn_span ni,
                                  s2svpn_span nr, uint64_t cookie_i, uint64_t cookie_r,
                                  struct s2_ike1_keys *out)
{
    const s2svpn_span nonces[] = {ni, nr};
    struct s2_ike1_keys k = {.suite = *suite, .cookie_i = cookie_i, .cookie_r = cookie_r};

    if (psk.len == 0 || shared.len == 0 || ni.len == 0 || nr.len == 0)
        return S2SVPN_E_ARGUMENT;
    if (!find_rows(c, suite, &k))
        return S2SVPN_E_UNSUPPORTED;
    s2svpn_status rc = c->ops->prf(c->user, k.prf->id, psk, nonces, 2, k.skeyid);
    if (rc == S2SVPN_OK)
        rc = derive_one(c, &k, NULL, shared, 0, k.skeyid_d);
    if (rc == S2SVPN_OK)
        rc = derive_one(c, &k, k.skeyid_d, shared, 1, k.skeyid_a);
    if (rc == S2SVPN_OK)
        rc = derive_one(c, &k, k.skeyid_a, shared, 2, k.skeyid_e);
    if (rc == S2SVPN_OK)
        rc = s2_ike1_encryption_key(c, k.prf, k.skeyid_e, k.key, k.encr->key_len);
    if (rc == S2SVPN_OK)
        *out = k;
    s2_ike1_keys_clear(&k);
    return rc;
}

/* ---- hashes */

s2svpn_status s2_ike1_hash_phase1(const struct s2_ike_crypto *c, const struct s2_ike1_keys *k,
                                  bool initiator, const struct s2_ike1_phase1 *p, uint8_t *out)
{
    uint8_t cookies[S2_IKE1_COOKIES_LEN] = {0};
    const s2svpn_span in[] = {
        initiator ? p->gxi : p->gxr,
        initiator ? p->gxr : p->gxi,
        s2_span(cookies, sizeof(cookies)),
        p->sa,
        p->id,
    };

    if (initiator)
        put_cookies(cookies, k->cookie_i, k->cookie_r);
    else
        put_cookies(cookies, k->cookie_r, k->cookie_i);
    return c->ops->prf(c->user, k->prf->id, s2_span(k->skeyid, k->prf->out_len), in, 5, out);
}

static s2svpn_status hash_with_a(const struct s2_ike_crypto *c, const struct s2_ike1_keys *k,
                                 const s2svpn_span *in, size_t n, uint8_t *out)
{
    return c->ops->prf(c->user, k->prf->id, s2_span(k->skeyid_a, k->prf->out_len), in, n, out);
}

s2svpn_status s2_ike1_hash_1(const struct s2_ike_crypto *c, const struct s2_ike1_keys *k,
                             uint32_t message_id, s2svpn_span rest, uint8_t *out)
{
    return s2_ike1_hash_2(c, k, message_id, s2_span(NULL, 0), rest, out);
}

s2svpn_status s2_ike1_hash_2(const struct s2_ike_crypto *c, const struct s2_ike1_keys *k,
                             uint32_t message_id, s2svpn_span ni, s2svpn_span rest, uint8_t *out)
{
    uint8_t id[4] = {0};
    const s2svpn_span in[] = {s2_span(id, sizeof(id)), ni, rest};

    s2_put_u32(id, message_id);
    return hash_with_a(c, k, in, 3, out);
}

s2svpn_status s2_ike1_hash_3(const struct s2_ike_crypto *c, const struct s2_ike1_keys *k,
                             uint32_t message_id, s2svpn_span ni, s2svpn_span nr, uint8_t *out)
{
    uint8_t zero_and_id[5] = {0};
    const s2svpn_span in[] = {s2_span(zero_and_id, sizeof(zero_and_id)), ni, nr};

    s2_put_u32(zero_and_id + 1, message_id);
    return hash_with_a(c, k, in, 3, out);
}

bool s2_ike1_hash_equal(const struct s2_ike1_keys *k, const uint8_t *ours, s2svpn_span theirs)
{
    return theirs.len == s2_ike1_hash_len(k) && s2_equal_ct(ours, theirs.p, theirs.len);
}

s2svpn_status s2_ike1_nat_hash(const struct s2_ike_crypto *c, const struct s2_ike1_suite *suite,
                               uint64_t cookie_i, uint64_t cookie_r, const s2svpn_endpoint *e,
                               uint8_t out[S2_IKE1_HASH_MAX], size_t *len)
{
    const s2svpn_algorithm *prf = s2_ike_algorithm(c, S2SVPN_TRANSFORM_PRF, suite->prf, 0);
    const size_t address_len = e->address.family == S2SVPN_FAMILY_IPV6 ? 16 : 4;
    uint8_t cookies[S2_IKE1_COOKIES_LEN] = {0}, port[2] = {0};
    const s2svpn_span in[] = {s2_span(cookies, sizeof(cookies)),
                              s2_span(e->address.bytes, address_len), s2_span(port, 2)};

    if (prf == NULL || prf->out_len > S2_IKE1_HASH_MAX)
        return S2SVPN_E_UNSUPPORTED;
    put_cookies(cookies, cookie_i, cookie_r);
    s2_put_u16(port, e->port);
    const s2svpn_status rc = c->ops->hash(c->user, suite->hash, in, 3, out);
    if (rc == S2SVPN_OK)
        *len = prf->out_len; /* HMAC is as long as its hash */
    return rc;
}

/* ---- a child's keys */

s2svpn_status s2_ike1_derive_child(const struct s2_ike_crypto *c, const struct s2_ike1_keys *k,
                                   const struct s2_ike1_suite *child, uint32_t spi,
                                   s2svpn_span shared, s2svpn_span ni, s2svpn_span nr,
                                   struct s2_ike1_child_keys *out)
{
    static const uint8_t protocol[1] = {S2_IKE1_PROTO_ESP};
    uint8_t spi_bytes[4] = {0};
    const s2svpn_span seed[] = {shared, s2_span(protocol, 1), s2_span(spi_bytes, 4), ni, nr};
    const s2svpn_algorithm *encr =
        s2_ike_algorithm(c, S2SVPN_TRANSFORM_ENCR, child->encr, child->key_bits);
    const s2svpn_algorithm *integ = s2_ike_algorithm(c, S2SVPN_TRANSFORM_INTEG, child->integ, 0);

    if (encr == NULL || encr->key_len > S2SVPN_KEY_MAX)
        return S2SVPN_E_UNSUPPORTED;
    if (encr->out_len > 0 && child->integ != S2SVPN_INTEG_NONE)
        return S2SVPN_E_ARGUMENT;
    if (encr->out_len == 0 && (integ == NULL || integ->key_len > S2SVPN_KEY_MAX))
        return S2SVPN_E_UNSUPPORTED;
    const size_t integ_len = encr->out_len == 0 ? integ->key_len : 0;
    s2_put_u32(spi_bytes, spi);
    const s2svpn_status rc = draw_out(c, k->prf, s2_span(k->skeyid_d, k->prf->out_len), seed, 5,
                                      out->bytes, encr->key_len + integ_len);
    if (rc != S2SVPN_OK)
        return rc;
    out->encr = s2_span(out->bytes, encr->key_len);
    out->integ = s2_span(out->bytes + encr->key_len, integ_len);
    return S2SVPN_OK;
}
