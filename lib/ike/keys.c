/* SPDX-License-Identifier: Apache-2.0 */
/* What is derived from shared secrets: the SK_ keys, a child's keys, AUTH; and the
 * NAT detection hash. The SK payload is sk.c's. RFC 7296 sections 2.13 to 2.18, 2.23. */
#include "ike/keys.h"

#include <string.h>

#define PRF_PLUS_SEED_MAX 6 /* pieces */
#define KEYMAT_MAX (3 * S2SVPN_PRF_MAX + 4 * S2SVPN_KEY_MAX)

void s2_ike_keys_clear(struct s2_ike_keys *k)
{
    s2_wipe(k, sizeof(*k));
}

const s2svpn_algorithm *s2_ike_algorithm(const struct s2_ike_crypto *c, uint8_t type, uint16_t id,
                                         uint16_t key_bits)
{
    for (const s2svpn_algorithm *a = c->ops->algorithms; a->type != 0; a++) {
        if (a->type == type && a->id == id && a->key_bits == key_bits)
            return a;
    }
    return NULL;
}

/* A PRF's row, if its output fits into what is kept here. */
static const s2svpn_algorithm *find_prf(const struct s2_ike_crypto *c, uint16_t prf)
{
    const s2svpn_algorithm *row = s2_ike_algorithm(c, S2SVPN_TRANSFORM_PRF, prf, 0);

    if (row == NULL || row->out_len == 0 || row->out_len > S2SVPN_PRF_MAX ||
        row->key_len > S2SVPN_PRF_MAX)
        return NULL;
    return row;
}

s2svpn_status s2_ike_prf_plus(const struct s2_ike_crypto *c, uint16_t prf, s2svpn_span key,
                              const s2svpn_span *seed, size_t n, uint8_t *out, size_t len)
{
    const s2svpn_algorithm *row = find_prf(c, prf);
    s2svpn_span in[PRF_PLUS_SEED_MAX + 2]; /* T(i-1) | seed | i */
    uint8_t t[S2SVPN_PRF_MAX], i = 0;
    s2svpn_status rc = S2SVPN_OK;

    if (row == NULL)
        return S2SVPN_E_UNSUPPORTED;
    if (n > PRF_PLUS_SEED_MAX || len > 255 * (size_t)row->out_len)
        return S2SVPN_E_ARGUMENT;
    in[0] = s2_span(t, 0);
    for (size_t s = 0; s < n; s++)
        in[1 + s] = seed[s];
    in[1 + n] = s2_span(&i, 1);
    for (size_t done = 0; done < len && rc == S2SVPN_OK;) {
        const size_t part = len - done < row->out_len ? len - done : row->out_len;

        i++;
        rc = c->ops->prf(c->user, prf, key, in, n + 2, t);
        if (rc == S2SVPN_OK)
            memcpy(out + done, t, part);
        in[0].len = row->out_len;
        done += part;
    }
    if (rc != S2SVPN_OK)
        s2_wipe(out, len);
    s2_wipe(t, sizeof(t));
    return rc;
}

/* ---- rows of a suite, and cutting key material to their sizes */

struct rows {
    const s2svpn_algorithm *encr, *integ;
};

static s2svpn_status find_rows(const struct s2_ike_crypto *c, const struct s2_ike_suite *s,
                               struct rows *out)
{
    struct rows rows = {s2_ike_algorithm(c, S2SVPN_TRANSFORM_ENCR, s->encr, s->key_bits), NULL};

    if (rows.encr == NULL || rows.encr->key_len > S2SVPN_KEY_MAX)
        return S2SVPN_E_UNSUPPORTED;
    if (rows.encr->out_len == 0) {
        rows.integ = s2_ike_algorithm(c, S2SVPN_TRANSFORM_INTEG, s->integ, 0);
        if (rows.integ == NULL || rows.integ->key_len > S2SVPN_KEY_MAX)
            return S2SVPN_E_UNSUPPORTED;
    } else if (s->integ != S2SVPN_INTEG_NONE) {
        return S2SVPN_E_ARGUMENT;
    }
    *out = rows;
    return S2SVPN_OK;
}

/* The next len bytes of key material, copied. */
static const uint8_t *cut(const uint8_t *keymat, uint8_t *key, size_t len)
{
    memcpy(key, keymat, len);
    return keymat + len;
}

static s2svpn_span cut_span(const uint8_t **keymat, size_t len)
{
    const s2svpn_span s = s2_span(*keymat, len);

    *keymat += len;
    return s;
}

/* ---- the IKE SA's keys */

/* SKEYSEED = prf(Ni | Nr, g^ir), or after a rekey prf(SK_d (old), g^ir | Ni | Nr). */
static s2svpn_status derive_seed(const struct s2_ike_crypto *c, uint16_t prf, s2svpn_span shared,
                                 s2svpn_span ni, s2svpn_span nr, const struct s2_ike_keys *old,
                                 uint8_t *seed)
{
    uint8_t nonces[2 * S2_IKE_NONCE_MAX];

    if (old != NULL) {
        const s2svpn_span in[] = {shared, ni, nr};

        return c->ops->prf(c->user, old->suite.prf, s2_span(old->sk_d, old->prf->key_len), in, 3,
                           seed);
    }
    memcpy(nonces, ni.p, ni.len);
    memcpy(nonces + ni.len, nr.p, nr.len);
    return c->ops->prf(c->user, prf, s2_span(nonces, ni.len + nr.len), &shared, 1, seed);
}

static void cut_keys(const uint8_t *keymat, struct s2_ike_keys *k)
{
    const size_t prf = k->prf->key_len, encr = k->encr->key_len;
    const size_t integ = k->integ != NULL ? k->integ->key_len : 0;

    keymat = cut(keymat, k->sk_d, prf);
    keymat = cut(keymat, k->sk_ai, integ);
    keymat = cut(keymat, k->sk_ar, integ);
    keymat = cut(keymat, k->sk_ei, encr);
    keymat = cut(keymat, k->sk_er, encr);
    keymat = cut(keymat, k->sk_pi, prf);
    cut(keymat, k->sk_pr, prf);
}

static bool nonce_len_fits(s2svpn_span nonce)
{
    return nonce.len > 0 && nonce.len <= S2_IKE_NONCE_MAX;
}

s2svpn_status s2_ike_derive_keys(const struct s2_ike_crypto *c, const struct s2_ike_suite *suite,
                                 s2svpn_span shared, s2svpn_span ni, s2svpn_span nr, uint64_t spi_i,
                                 uint64_t spi_r, const struct s2_ike_keys *old,
                                 struct s2_ike_keys *out)
{
    uint8_t seed[S2SVPN_PRF_MAX], keymat[KEYMAT_MAX], spis[16] = {0};
    const s2svpn_span in[] = {ni, nr, s2_span(spis, sizeof(spis))};
    const s2svpn_algorithm *prf = find_prf(c, suite->prf);
    struct rows rows;

    if (!nonce_len_fits(ni) || !nonce_len_fits(nr))
        return S2SVPN_E_ARGUMENT;
    s2svpn_status rc = find_rows(c, suite, &rows);
    if (rc != S2SVPN_OK)
        return rc;
    if (prf == NULL)
        return S2SVPN_E_UNSUPPORTED;

    /* A rekey's SKEYSEED is of the old PRF's length, section 2.18. */
    const size_t seed_len = old != NULL ? old->prf->out_len : prf->out_len;
    const size_t len = 3 * (size_t)prf->key_len + 2 * (size_t)rows.encr->key_len +
                       (rows.integ != NULL ? 2 * (size_t)rows.integ->key_len : 0);
    s2_put_u64(spis, spi_i);
    s2_put_u64(spis + 8, spi_r);
    rc = derive_seed(c, suite->prf, shared, ni, nr, old, seed);
    if (rc == S2SVPN_OK)
        rc = s2_ike_prf_plus(c, suite->prf, s2_span(seed, seed_len), in, 3, keymat, len);
    if (rc == S2SVPN_OK) {
        *out = (struct s2_ike_keys){
            .suite = *suite, .encr = rows.encr, .integ = rows.integ, .prf = prf};
        cut_keys(keymat, out);
    }
    s2_wipe(seed, sizeof(seed));
    s2_wipe(keymat, sizeof(keymat));
    return rc;
}

/* ---- a child's keys */

s2svpn_status s2_ike_derive_child(const struct s2_ike_crypto *c, const struct s2_ike_keys *sa,
                                  const struct s2_ike_suite *child, s2svpn_span shared,
                                  s2svpn_span ni, s2svpn_span nr, struct s2_ike_child_keys *out)
{
    const s2svpn_span in[] = {shared, ni, nr};
    struct rows rows;
    s2svpn_status rc = find_rows(c, child, &rows);

    if (rc != S2SVPN_OK)
        return rc;
    const size_t encr = rows.encr->key_len, integ = rows.integ != NULL ? rows.integ->key_len : 0;
    rc = s2_ike_prf_plus(c, sa->suite.prf, s2_span(sa->sk_d, sa->prf->key_len), in, 3, out->bytes,
                         2 * (encr + integ));
    if (rc != S2SVPN_OK)
        return rc;
    const uint8_t *keymat = out->bytes;
    out->encr_i = cut_span(&keymat, encr);
    out->integ_i = cut_span(&keymat, integ);
    out->encr_r = cut_span(&keymat, encr);
    out->integ_r = cut_span(&keymat, integ);
    return S2SVPN_OK;
}

/* ---- AUTH */

s2svpn_status s2_ike_auth_id(const struct s2_ike_crypto *c, const struct s2_ike_keys *k,
                             bool initiator, const struct s2_ike_id *id, uint8_t *out)
{
    const s2svpn_span key = s2_span(initiator ? k->sk_pi : k->sk_pr, k->prf->key_len);
    const uint8_t head[4] = {id->type};
    const s2svpn_span body[] = {s2_span(head, 4), s2_span(id->data, id->len)};

    return c->ops->prf(c->user, k->suite.prf, key, body, 2, out);
}

s2svpn_status s2_ike_auth_psk(const struct s2_ike_crypto *c, const struct s2_ike_keys *k,
                              bool initiator, s2svpn_span psk, s2svpn_span message,
                              s2svpn_span nonce, const struct s2_ike_id *id, uint8_t *out)
{
    static const char pad_text[] = "Key Pad for IKEv2"; /* without its zero byte */
    const s2svpn_span pad = s2_span(pad_text, sizeof(pad_text) - 1);
    uint8_t id_mac[S2SVPN_PRF_MAX], psk_mac[S2SVPN_PRF_MAX];
    const s2svpn_span octets[] = {message, nonce, s2_span(id_mac, k->prf->out_len)};

    s2svpn_status rc = s2_ike_auth_id(c, k, initiator, id, id_mac);
    if (rc == S2SVPN_OK)
        rc = c->ops->prf(c->user, k->suite.prf, psk, &pad, 1, psk_mac);
    if (rc == S2SVPN_OK)
        rc = c->ops->prf(c->user, k->suite.prf, s2_span(psk_mac, k->prf->out_len), octets, 3, out);
    s2_wipe(id_mac, sizeof(id_mac));
    s2_wipe(psk_mac, sizeof(psk_mac));
    return rc;
}

/* ---- NAT detection */

s2svpn_status s2_ike_nat_hash(const struct s2_ike_crypto *c, uint64_t spi_i, uint64_t spi_r,
                              const s2svpn_endpoint *e, uint8_t out[20])
{
    uint8_t spis[16] = {0}, port[2] = {0}, digest[64];
    const size_t len = e->address.family == S2SVPN_FAMILY_IPV6 ? 16 : 4;
    const s2svpn_span in[] = {s2_span(spis, 16), s2_span(e->address.bytes, len), s2_span(port, 2)};

    s2_put_u64(spis, spi_i);
    s2_put_u64(spis + 8, spi_r);
    s2_put_u16(port, e->port);
    const s2svpn_status rc = c->ops->hash(c->user, S2SVPN_HASH_SHA1, in, 3, digest);
    if (rc == S2SVPN_OK)
        memcpy(out, digest, 20);
    return rc;
}
