/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ESP through OpenSSL: what sessions and workers are made of. A session is immutable,
 * so any worker may use it. What OpenSSL needs besides, a context with the expanded
 * key, is mutable and kept by each worker:
 *
 *     session ── serial ──> worker.sets[serial % SETS] ──> EVP_CIPHER_CTX
 *       key, salt, HMAC key         two slots, the last used first
 *
 * A hit sets the IV and nothing else; a miss expands the key into the slot used
 * longer ago. The serial is 128 random bits drawn with the session: neither a freed
 * session's address nor a key used again can hit what another session left. Freeing
 * a session wipes the session; a copy of its key stays in at most one slot of each
 * worker that used it, until the slot is taken or the worker is freed, both of which
 * wipe it. A worker holds at most SETS * WAYS of them.
 *
 * After its first packets a worker allocates nothing as long as its sessions hit.
 */
#ifndef S2_CRYPTO_OPENSSL_ESP_H
#define S2_CRYPTO_OPENSSL_ESP_H

#include "crypto/openssl.h"

#define S2_OPENSSL_SETS 128
#define S2_OPENSSL_WAYS 2
#define S2_OPENSSL_AES_BLOCK 16
#define S2_OPENSSL_IV_BATCH 32 /* CBC IVs made at once */

struct s2_openssl_session {
    uint64_t serial[2];
    const struct s2_openssl_cipher *cipher;
    const struct s2_openssl_hash *hash; /* NULL with an AEAD */
    bool esn, outbound;
    uint8_t salt[4];
    uint8_t key[32];
    struct s2_openssl_hmac_key hmac;
};

struct s2_openssl_slot {
    uint64_t serial[2];
    EVP_CIPHER_CTX *ctx; /* NULL: empty */
};

struct s2_openssl_worker {
    /* fetched when first needed */
    EVP_CIPHER *ciphers[S2_OPENSSL_CIPHERS];
    EVP_CIPHER_CTX *iv_ctx;
    uint64_t iv_counter;
    size_t ivs_left;
    uint8_t ivs[S2_OPENSSL_IV_BATCH][S2_OPENSSL_AES_BLOCK];
    struct s2_openssl_slot sets[S2_OPENSSL_SETS][S2_OPENSSL_WAYS];
};

/* The session's context in this worker, keyed and in need of an IV; NULL if there is
 * no memory. Sessions with a cipher to fetch only. */
EVP_CIPHER_CTX *s2_openssl_context_of(struct s2_openssl_worker *w,
                                      const struct s2_openssl_session *s);
/* Sixteen bytes that nobody can predict, for CBC. */
bool s2_openssl_next_iv(struct s2_openssl_worker *w, uint8_t *iv);

static inline void s2_openssl_put_u32(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 24);
    p[1] = (uint8_t)(v >> 16);
    p[2] = (uint8_t)(v >> 8);
    p[3] = (uint8_t)v;
}

static inline void s2_openssl_put_u64(uint8_t *p, uint64_t v)
{
    s2_openssl_put_u32(p, (uint32_t)(v >> 32));
    s2_openssl_put_u32(p + 4, (uint32_t)v);
}

#endif
