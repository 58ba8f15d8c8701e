/* SPDX-License-Identifier: Apache-2.0 */
/* IKEv1's messages encrypted and decrypted, with the chain of IVs, and with the HASH
 * payload in front that makes them authentic. RFC 2409 sections 5.5, 5.7, appendix B. */
#include "ike/v1/keys.h"

#include <string.h>

#define FLAGS_AT 19 /* in the header */
#define LENGTH_AT 24
#define HASH_AT (S2_IKE1_HEADER_LEN + 4) /* body of the first payload */

/* ---- IVs */

static s2svpn_status hash_to_iv(const struct s2_ike_crypto *c, const struct s2_ike1_keys *k,
                                const s2svpn_span in[2], struct s2_ike1_iv *out)
{
    uint8_t digest[S2_IKE1_HASH_MAX];
    const s2svpn_status rc = c->ops->hash(c->user, k->suite.hash, in, 2, digest);

    if (rc == S2SVPN_OK)
        memcpy(out->bytes, digest, k->encr->block_len);
    return rc;
}

s2svpn_status s2_ike1_iv_first(const struct s2_ike_crypto *c, const struct s2_ike1_keys *k,
                               s2svpn_span gxi, s2svpn_span gxr, struct s2_ike1_iv *out)
{
    const s2svpn_span in[2] = {gxi, gxr};

    return hash_to_iv(c, k, in, out);
}

s2svpn_status s2_ike1_iv_message(const struct s2_ike_crypto *c, const struct s2_ike1_keys *k,
                                 const struct s2_ike1_iv *last, uint32_t message_id,
                                 struct s2_ike1_iv *out)
{
    uint8_t id[4] = {0};
    const s2svpn_span in[2] = {s2_span(last->bytes, k->encr->block_len), s2_span(id, sizeof(id))};

    s2_put_u32(id, message_id);
    return hash_to_iv(c, k, in, out);
}

/* ---- encryption */

static s2svpn_span key_of(const struct s2_ike1_keys *k)
{
    return s2_span(k->key, k->encr->key_len);
}

static s2svpn_status fail_writing(struct s2_writer *w, s2svpn_status rc)
{
    s2_wipe(w->p, w->len);
    w->overflow = true;
    return rc;
}

/* Padding is zeros and says nothing of its length, appendix B. */
static s2svpn_status close_message(struct s2_writer *w, size_t block)
{
    const size_t body = w->len > S2_IKE1_HEADER_LEN ? w->len - S2_IKE1_HEADER_LEN : 0;

    if (body == 0)
        return S2SVPN_E_ARGUMENT;
    s2_write_zero(w, (block - body % block) % block);
    if (w->overflow || w->len > S2_IKE1_MESSAGE_MAX)
        return S2SVPN_E_NO_ROOM;
    s2_write_patch_u8(w, FLAGS_AT, w->p[FLAGS_AT] | S2_IKE1_FLAG_ENCRYPTED);
    s2_write_patch_u32(w, LENGTH_AT, (uint32_t)w->len);
    return s2_writer_finish(w);
}

s2svpn_status s2_ike1_seal(struct s2_writer *w, const struct s2_ike_crypto *c,
                           const struct s2_ike1_keys *k, struct s2_ike1_iv *iv)
{
    const size_t block = k->encr->block_len;
    s2svpn_status rc = close_message(w, block);

    if (rc == S2SVPN_OK)
        rc = c->ops->ike_cbc(c->user, k->suite.encr, true, key_of(k), iv->bytes,
                             w->p + S2_IKE1_HEADER_LEN, w->len - S2_IKE1_HEADER_LEN);
    if (rc != S2SVPN_OK)
        return fail_writing(w, rc);
    memcpy(iv->bytes, w->p + w->len - block, block);
    return S2SVPN_OK;
}

s2svpn_status s2_ike1_open(const struct s2_ike_crypto *c, const struct s2_ike1_keys *k,
                           const struct s2_ike1_iv *iv, uint8_t *message, size_t len,
                           s2svpn_span *plain, struct s2_ike1_iv *next)
{
    const size_t block = k->encr->block_len;
    struct s2_ike1_iv last = {0};

    if (len <= S2_IKE1_HEADER_LEN || (len - S2_IKE1_HEADER_LEN) % block != 0)
        return S2SVPN_E_MALFORMED;
    memcpy(last.bytes, message + len - block, block);
    const s2svpn_status rc =
        c->ops->ike_cbc(c->user, k->suite.encr, false, key_of(k), iv->bytes,
                        message + S2_IKE1_HEADER_LEN, len - S2_IKE1_HEADER_LEN);
    if (rc != S2SVPN_OK)
        return rc;
    *plain = s2_span(message + S2_IKE1_HEADER_LEN, len - S2_IKE1_HEADER_LEN);
    *next = last;
    return S2SVPN_OK;
}

/* ---- with a HASH payload in front */

void s2_ike1_hashed_begin(struct s2_ike1_chain *chain, struct s2_writer *w,
                          const struct s2_ike1_keys *k)
{
    s2_ike1_chain_begin(chain, w);
    s2_ike1_payload_begin(chain, S2_IKE1_PAYLOAD_HASH);
    s2_write_zero(w, s2_ike1_hash_len(k));
    s2_ike1_payload_end(chain);
}

s2svpn_status s2_ike1_hashed_end(struct s2_writer *w, const struct s2_ike_crypto *c,
                                 const struct s2_ike1_keys *k, uint32_t message_id, s2svpn_span ni,
                                 struct s2_ike1_iv *iv)
{
    const size_t rest_at = HASH_AT + s2_ike1_hash_len(k);
    uint8_t hash[S2_IKE1_HASH_MAX];

    if (w->overflow || w->len < rest_at)
        return fail_writing(w, S2SVPN_E_NO_ROOM);
    const s2svpn_status rc =
        s2_ike1_hash_2(c, k, message_id, ni, s2_span(w->p + rest_at, w->len - rest_at), hash);
    if (rc != S2SVPN_OK)
        return fail_writing(w, rc);
    memcpy(w->p + HASH_AT, hash, s2_ike1_hash_len(k));
    return s2_ike1_seal(w, c, k, iv);
}

s2svpn_status s2_ike1_hashed_check(const struct s2_ike_crypto *c, const struct s2_ike1_keys *k,
                                   uint32_t message_id, s2svpn_span ni,
                                   const struct s2_ike1_payloads *list)
{
    const struct s2_ike1_payload *hash = s2_ike1_find(list, S2_IKE1_PAYLOAD_HASH);
    uint8_t ours[S2_IKE1_HASH_MAX];

    /* First in the chain, not only in the list: private payloads are left out of that. */
    if (hash == NULL || hash->whole.p != list->chain.p)
        return S2SVPN_E_AUTHENTICATION;
    const s2svpn_span rest =
        s2_span(list->chain.p + hash->whole.len, list->chain.len - hash->whole.len);
    const s2svpn_status rc = s2_ike1_hash_2(c, k, message_id, ni, rest, ours);
    if (rc != S2SVPN_OK)
        return rc;
    return s2_ike1_hash_equal(k, ours, hash->body) ? S2SVPN_OK : S2SVPN_E_AUTHENTICATION;
}
