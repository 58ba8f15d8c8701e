/* SPDX-License-Identifier: Apache-2.0 */
/* The OpenSSL backend's table, its algorithm rows, and random bytes. Computes
 * nothing itself. */
#include "crypto/openssl.h"
#include "crypto/openssl_certificate.h"

#include <limits.h>

#include <openssl/err.h>
#include <openssl/rand.h>

#define IKE_ESP (S2SVPN_USE_IKE | S2SVPN_USE_ESP)
#define ESP_ONLY S2SVPN_USE_ESP

const struct s2_openssl_cipher s2_openssl_ciphers[S2_OPENSSL_CIPHERS] = {
#define CIPHER(tag, transform, uses, bits, key, salt, iv, block, icv, fetch)                       \
    [S2_OPENSSL_CIPHER_##tag] = {.name = (fetch),                                                  \
                                 .id = (transform),                                                \
                                 .key_bits = (bits),                                               \
                                 .key_len = (key),                                                 \
                                 .salt_len = (salt),                                               \
                                 .iv_len = (iv),                                                   \
                                 .block_len = (block),                                             \
                                 .icv_len = (icv)},
    S2_OPENSSL_CIPHER_LIST(CIPHER)
#undef CIPHER
};

const struct s2_openssl_hash s2_openssl_hashes[S2_OPENSSL_HASHES] = {
#define HASH(tag, hash_id, prf_id, integ_id, block, out, icv)                                      \
    [S2_OPENSSL_HASH_##tag] = {.hash = (hash_id),                                                  \
                               .prf = (prf_id),                                                    \
                               .integ = (integ_id),                                                \
                               .block_len = (block),                                               \
                               .out_len = (out),                                                   \
                               .icv_len = (icv)},
    S2_OPENSSL_HASH_LIST(HASH)
#undef HASH
};

#define ENCR(tag, transform, uses, bits, key, salt, iv, block, icv, fetch)                         \
    {.type = S2SVPN_TRANSFORM_ENCR,                                                                \
     .use = (uses),                                                                                \
     .id = (transform),                                                                            \
     .key_bits = (bits),                                                                           \
     .key_len = (key) + (salt),                                                                    \
     .iv_len = (iv),                                                                               \
     .block_len = (block),                                                                         \
     .out_len = (icv)},
#define PRF(tag, hash_id, prf_id, integ_id, block, out, icv)                                       \
    {.type = S2SVPN_TRANSFORM_PRF,                                                                 \
     .use = S2SVPN_USE_IKE,                                                                        \
     .id = (prf_id),                                                                               \
     .key_len = (out),                                                                             \
     .out_len = (out)},
#define INTEG(tag, hash_id, prf_id, integ_id, block, out, icv)                                     \
    {.type = S2SVPN_TRANSFORM_INTEG,                                                               \
     .use = IKE_ESP,                                                                               \
     .id = (integ_id),                                                                             \
     .key_len = (out),                                                                             \
     .out_len = (icv)},
#define KE(transform, public, private, secret, family)                                             \
    {.type = S2SVPN_TRANSFORM_KE,                                                                  \
     .use = S2SVPN_USE_IKE,                                                                        \
     .id = (transform),                                                                            \
     .out_len = (public),                                                                          \
     .private_len = (private),                                                                     \
     .secret_len = (secret)},

static const s2svpn_algorithm algorithms[] = {
    S2_OPENSSL_CIPHER_LIST(ENCR) S2_OPENSSL_HASH_LIST(PRF) S2_OPENSSL_HASH_LIST(INTEG)
        S2_OPENSSL_KE_LIST(KE){.type = 0},
};

const struct s2_openssl_cipher *s2_openssl_find_cipher(uint16_t encr, size_t key_len)
{
    for (size_t i = 0; i < S2_OPENSSL_CIPHERS; i++) {
        const struct s2_openssl_cipher *c = &s2_openssl_ciphers[i];

        if (c->id == encr && (size_t)c->key_len + c->salt_len == key_len)
            return c;
    }
    return NULL;
}

s2svpn_status s2_openssl_random(void *user, uint8_t *out, size_t len)
{
    s2svpn_status rc = S2SVPN_OK;

    (void)user;
    ERR_set_mark();
    while (len > 0 && rc == S2SVPN_OK) {
        const int part = len < INT_MAX ? (int)len : INT_MAX;

        if (RAND_bytes(out, part) != 1)
            rc = S2SVPN_E_RANDOM;
        out += part;
        len -= (size_t)part;
    }
    ERR_pop_to_mark();
    return rc;
}

static const s2svpn_crypto_ops ops = {
    .size = sizeof(ops),
    .name = "openssl",
    .algorithms = algorithms,
    .random = s2_openssl_random,
    .hash = s2_openssl_hash,
    .prf = s2_openssl_prf,
    .integ = s2_openssl_integ,
    .ike_cbc = s2_openssl_ike_cbc,
    .ike_aead = s2_openssl_ike_aead,
    .start_job = s2_openssl_start_job,
    .cancel_job = NULL, /* nothing ever pends */
    .esp_gather = true,
    .esp_worker_new = s2_openssl_esp_worker_new,
    .esp_worker_free = s2_openssl_esp_worker_free,
    .esp_session_new = s2_openssl_esp_session_new,
    .esp_session_free = s2_openssl_esp_session_free,
    .esp_seal = s2_openssl_esp_seal,
    .esp_open = s2_openssl_esp_open,
    .identity_new = s2_openssl_identity_new,
    .identity_free = s2_openssl_identity_free,
    .identity_chain = s2_openssl_identity_chain,
    .trust_new = s2_openssl_trust_new,
    .trust_free = s2_openssl_trust_free,
    .trust_hashes = s2_openssl_trust_hashes,
    .certificate_read = s2_openssl_certificate_read,
};

const s2svpn_crypto_ops *s2svpn_crypto_openssl(void)
{
    return &ops;
}
