/* SPDX-License-Identifier: Apache-2.0 */
/* The SK payload: a message's inner payloads encrypted and authenticated, and back.
 * SKF differs by two numbers in its header; which pieces make a message is not its
 * business. RFC 7296 section 3.14; AEADs: RFC 5282; SKF: RFC 7383 section 2.5. */
#include "ike/keys.h"

#include <string.h>

#define NEXT_PAYLOAD_AT 16 /* in the header */
#define LENGTH_AT 24
#define GENERIC_HEADER_LEN 4
#define FRAGMENT_NUMBERS_LEN 4 /* SKF: number and total, before the IV */
#define AEAD_IV_LEN 8

static size_t icv_len(const struct s2_ike_keys *k)
{
    return k->integ != NULL ? k->integ->out_len : k->encr->out_len;
}

static s2svpn_span encr_key(const struct s2_ike_keys *k, bool of_initiator)
{
    return s2_span(of_initiator ? k->sk_ei : k->sk_er, k->encr->key_len);
}

static s2svpn_span integ_key(const struct s2_ike_keys *k, bool of_initiator)
{
    return s2_span(of_initiator ? k->sk_ai : k->sk_ar, k->integ->key_len);
}

/* Sizes that this file can serve; a backend's row may say anything. */
static bool rows_fit(const struct s2_ike_keys *k)
{
    if (k->encr == NULL || k->encr->block_len == 0 || k->encr->block_len > 256 || icv_len(k) == 0 ||
        icv_len(k) > S2SVPN_ICV_MAX)
        return false;
    return k->integ != NULL || k->encr->iv_len == AEAD_IV_LEN;
}

/* ---- writing */

/* The generic header is there. */
static s2svpn_status begin_iv(struct s2_ike_sk_writer *s, struct s2_writer *w,
                              const struct s2_env *env, const struct s2_ike_keys *k)
{
    s->iv_at = w->len;
    uint8_t *iv = s2_write_room(w, k->encr->iv_len);
    s2_ike_chain_begin(&s->chain, w, s->sk_at);
    if (iv == NULL)
        return S2SVPN_E_NO_ROOM;
    /* CBC needs one that nobody foresees. An AEAD's is its counter, see the end. */
    if (k->integ != NULL)
        return s2_random(env, iv, k->encr->iv_len);
    memset(iv, 0, k->encr->iv_len);
    return S2SVPN_OK;
}

s2svpn_status s2_ike_sk_begin(struct s2_ike_sk_writer *s, struct s2_writer *w,
                              const struct s2_env *env, const struct s2_ike_keys *k)
{
    if (!rows_fit(k))
        return S2SVPN_E_UNSUPPORTED;
    *s = (struct s2_ike_sk_writer){.w = w, .sk_at = w->len};
    s2_write_patch_u8(w, NEXT_PAYLOAD_AT, S2_IKE_PAYLOAD_SK);
    s2_write_zero(w, GENERIC_HEADER_LEN);
    return begin_iv(s, w, env, k);
}

s2svpn_status s2_ike_skf_begin(struct s2_ike_sk_writer *s, struct s2_writer *w,
                               const struct s2_env *env, const struct s2_ike_keys *k,
                               uint16_t number, uint16_t total, uint8_t first)
{
    if (!rows_fit(k))
        return S2SVPN_E_UNSUPPORTED;
    *s = (struct s2_ike_sk_writer){.w = w, .sk_at = w->len};
    s2_write_patch_u8(w, NEXT_PAYLOAD_AT, S2_IKE_PAYLOAD_SKF);
    s2_write_u8(w, number == 1 ? first : S2_IKE_PAYLOAD_NONE);
    s2_write_zero(w, GENERIC_HEADER_LEN - 1);
    s2_write_u16(w, number);
    s2_write_u16(w, total);
    return begin_iv(s, w, env, k);
}

size_t s2_ike_sk_sealed_len(const struct s2_ike_keys *k, size_t len)
{
    return (len / k->encr->block_len + 1) * k->encr->block_len + icv_len(k);
}

size_t s2_ike_sk_plain_room(const struct s2_ike_keys *k, size_t sealed)
{
    const size_t block = k->encr->block_len, icv = icv_len(k);

    return sealed < icv + block ? 0 : (sealed - icv) / block * block - 1;
}

/* Padding, the pad's length, room for the ICV, and both lengths. Any content of
 * the padding is right; ours is zero. */
static s2svpn_status close_message(const struct s2_ike_sk_writer *s, const struct s2_ike_keys *k,
                                   size_t *plain_len)
{
    struct s2_writer *w = s->w;
    const size_t plain_at = s->iv_at + k->encr->iv_len;
    const size_t block = k->encr->block_len;
    const size_t pad = block - 1 - (w->len - plain_at) % block;

    s2_write_zero(w, pad);
    s2_write_u8(w, (uint8_t)pad);
    *plain_len = w->len - plain_at;
    s2_write_zero(w, icv_len(k));
    if (w->len > S2_IKE_MESSAGE_MAX)
        return S2SVPN_E_NO_ROOM;
    s2_write_patch_u16(w, s->sk_at + 2, (uint16_t)(w->len - s->sk_at));
    s2_write_patch_u32(w, LENGTH_AT, (uint32_t)w->len);
    return s2_writer_finish(w);
}

static s2svpn_status seal_cbc(const struct s2_ike_sk_writer *s, const struct s2_ike_crypto *c,
                              const struct s2_ike_keys *k, bool initiator, size_t plain_len)
{
    uint8_t *iv = s->w->p + s->iv_at, *plain = iv + k->encr->iv_len, *icv = plain + plain_len;
    const s2svpn_span covered = s2_span(s->w->p, (size_t)(icv - s->w->p));

    const s2svpn_status rc =
        c->ops->ike_cbc(c->user, k->suite.encr, true, encr_key(k, initiator), iv, plain, plain_len);
    if (rc != S2SVPN_OK)
        return rc;
    return c->ops->integ(c->user, k->suite.integ, integ_key(k, initiator), &covered, 1, icv);
}

static s2svpn_status seal_aead(const struct s2_ike_sk_writer *s, const struct s2_ike_crypto *c,
                               const struct s2_ike_keys *k, bool initiator, size_t plain_len,
                               uint64_t counter)
{
    uint8_t *iv = s->w->p + s->iv_at, *plain = iv + AEAD_IV_LEN;
    const s2svpn_span aad = s2_span(s->w->p, s->iv_at);

    s2_put_u64(iv, counter);
    return c->ops->ike_aead(c->user, k->suite.encr, true, encr_key(k, initiator), iv, aad, plain,
                            plain_len, plain + plain_len);
}

s2svpn_status s2_ike_sk_end(struct s2_ike_sk_writer *s, const struct s2_ike_crypto *c,
                            const struct s2_ike_keys *k, bool initiator, uint64_t aead_counter)
{
    size_t plain_len = 0;
    s2svpn_status rc = close_message(s, k, &plain_len);

    if (rc == S2SVPN_OK)
        rc = k->integ != NULL ? seal_cbc(s, c, k, initiator, plain_len)
                              : seal_aead(s, c, k, initiator, plain_len, aead_counter);
    if (rc != S2SVPN_OK) { /* a plain message must not get out */
        s2_wipe(s->w->p, s->w->len);
        s->w->overflow = true;
    }
    return rc;
}

/* ---- reading */

/* Where things stand in a message, once it is known that they fit. */
struct layout {
    uint8_t *iv, *cipher, *icv;
    size_t cipher_len;
    s2svpn_span aad;     /* AEAD: up to SK's generic header, or SKF's numbers */
    s2svpn_span covered; /* INTEG: up to the ICV */
};

/* SK must be the message's end, and have room for IV, a pad length and ICV: what
 * hasn't cannot be authentic. */
static bool lay_out(const struct s2_ike_keys *k, uint8_t *message, size_t len,
                    const struct s2_ike_payload *sk, struct layout *out)
{
    const size_t iv = k->encr->iv_len, icv = icv_len(k), body = sk->body.len;
    const size_t numbers = sk->type == S2_IKE_PAYLOAD_SKF ? FRAGMENT_NUMBERS_LEN : 0;

    if (body < numbers + iv + 1 + icv || len < S2_IKE_HEADER_LEN + GENERIC_HEADER_LEN + body ||
        sk->body.p != message + (len - body))
        return false;
    out->iv = message + (len - body) + numbers;
    out->cipher = out->iv + iv;
    out->cipher_len = body - numbers - iv - icv;
    out->icv = out->cipher + out->cipher_len;
    out->aad = s2_span(message, len - body + numbers);
    out->covered = s2_span(message, len - icv);
    return true;
}

/* The ICV first: a cipher text of unknown origin is not decrypted, nor even looked
 * at (padding oracles). */
static s2svpn_status open_cbc(const struct s2_ike_crypto *c, const struct s2_ike_keys *k,
                              bool of_initiator, const struct layout *at)
{
    uint8_t icv[S2SVPN_ICV_MAX];

    s2svpn_status rc =
        c->ops->integ(c->user, k->suite.integ, integ_key(k, of_initiator), &at->covered, 1, icv);
    if (rc != S2SVPN_OK)
        return rc;
    const bool good = s2_equal_ct(icv, at->icv, icv_len(k));
    s2_wipe(icv, sizeof(icv)); /* of a forged message it is the key's oracle */
    if (!good)
        return S2SVPN_E_AUTHENTICATION;
    if (at->cipher_len % k->encr->block_len != 0)
        return S2SVPN_E_MALFORMED;
    return c->ops->ike_cbc(c->user, k->suite.encr, false, encr_key(k, of_initiator), at->iv,
                           at->cipher, at->cipher_len);
}

s2svpn_status s2_ike_sk_open(const struct s2_ike_crypto *c, const struct s2_ike_keys *k,
                             bool initiator, uint8_t *message, size_t len,
                             const struct s2_ike_payload *sk, s2svpn_span *inner)
{
    const bool peer_is_initiator = !initiator;
    struct layout at;
    s2svpn_status rc;

    if (!rows_fit(k))
        return S2SVPN_E_UNSUPPORTED;
    if (!lay_out(k, message, len, sk, &at))
        return S2SVPN_E_AUTHENTICATION;
    if (k->integ != NULL)
        rc = open_cbc(c, k, peer_is_initiator, &at);
    else
        rc = c->ops->ike_aead(c->user, k->suite.encr, false, encr_key(k, peer_is_initiator), at.iv,
                              at.aad, at.cipher, at.cipher_len, at.icv);
    if (rc != S2SVPN_OK)
        return rc;
    const size_t pad = at.cipher[at.cipher_len - 1];
    if (pad + 1 > at.cipher_len)
        return S2SVPN_E_MALFORMED;
    *inner = s2_span(at.cipher, at.cipher_len - pad - 1);
    return S2SVPN_OK;
}
