/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OpenSSL 3 behind the seam of s2svpn/crypto.h: what this backend's files share.
 * The host's OpenSSL configuration is used as it is found and never changed, and
 * no call leaves anything behind in the thread's error queue.
 *
 *     openssl.c          the table, the algorithm rows, random
 *     openssl_hash.c     hash, HMAC and what is made of it: PRF, INTEG
 *     openssl_ike.c      ciphers for IKE's own messages: keys come with each call
 *     openssl_ke.c       jobs: dispatch, ECP groups, Curve25519
 *     openssl_modp.c     jobs: MODP groups
 *     openssl_certificate.h  certificates: five files of their own
 *     openssl_session.c  ESP: sessions and workers
 *     openssl_esp.c      ESP: packets
 *
 * Every algorithm is one row of one list below; sizes, the seam's rows and the
 * fetches are made from it.
 *
 * There is no state between calls but a worker's (no mutable globals, and the
 * table's user pointer is NULL), so IKE's ciphers and the jobs fetch their OpenSSL
 * methods anew. That costs 0.4 µs a call, against 50 µs and more that the public-key
 * operations of the same handshake take.
 */
#ifndef S2_CRYPTO_OPENSSL_H
#define S2_CRYPTO_OPENSSL_H

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "s2svpn/crypto.h"

/* X(tag, transform, use, key bits, key, salt, IV in the packet, block, ICV, OpenSSL's name);
 * the sizes are bytes. RFC 3602 (CBC), 4106 and 5282 (GCM), 7634 (ChaCha20), 2410 (NULL). */
#define S2_OPENSSL_CIPHER_LIST(X)                                                                  \
    X(AES_128_GCM, S2SVPN_ENCR_AES_GCM_16, IKE_ESP, 128, 16, 4, 8, 1, 16, "AES-128-GCM")           \
    X(AES_192_GCM, S2SVPN_ENCR_AES_GCM_16, IKE_ESP, 192, 24, 4, 8, 1, 16, "AES-192-GCM")           \
    X(AES_256_GCM, S2SVPN_ENCR_AES_GCM_16, IKE_ESP, 256, 32, 4, 8, 1, 16, "AES-256-GCM")           \
    X(CHACHA20_POLY1305, S2SVPN_ENCR_CHACHA20_POLY1305, IKE_ESP, 0, 32, 4, 8, 1, 16,               \
      "ChaCha20-Poly1305")                                                                         \
    X(AES_128_CBC, S2SVPN_ENCR_AES_CBC, IKE_ESP, 128, 16, 0, 16, 16, 0, "AES-128-CBC")             \
    X(AES_192_CBC, S2SVPN_ENCR_AES_CBC, IKE_ESP, 192, 24, 0, 16, 16, 0, "AES-192-CBC")             \
    X(AES_256_CBC, S2SVPN_ENCR_AES_CBC, IKE_ESP, 256, 32, 0, 16, 16, 0, "AES-256-CBC")             \
    X(NULL, S2SVPN_ENCR_NULL, ESP_ONLY, 0, 0, 0, 0, 1, 0, NULL)

/* X(tag, hash, PRF, INTEG, block, output, ICV); bytes. RFC 2404, 4868. */
#define S2_OPENSSL_HASH_LIST(X)                                                                    \
    X(SHA1, S2SVPN_HASH_SHA1, S2SVPN_PRF_HMAC_SHA1, S2SVPN_INTEG_HMAC_SHA1_96, 64, 20, 12)         \
    X(SHA2_256, S2SVPN_HASH_SHA2_256, S2SVPN_PRF_HMAC_SHA2_256, S2SVPN_INTEG_HMAC_SHA2_256_128,    \
      64, 32, 16)                                                                                  \
    X(SHA2_384, S2SVPN_HASH_SHA2_384, S2SVPN_PRF_HMAC_SHA2_384, S2SVPN_INTEG_HMAC_SHA2_384_192,    \
      128, 48, 24)                                                                                 \
    X(SHA2_512, S2SVPN_HASH_SHA2_512, S2SVPN_PRF_HMAC_SHA2_512, S2SVPN_INTEG_HMAC_SHA2_512_256,    \
      128, 64, 32)

/* X(transform, public value, private input, shared secret, family).
 * Private input: MODP 2 and 5, 14 to 18: an exponent of at least twice the group's
 * strength (SP 800-56A revision 3, appendix D); prime-order groups (22 to 24, ECP):
 * eight bytes more than the order, so that the reduction has no bias that matters
 * (FIPS 186-4 appendix B.4.1); Curve25519: the key itself. */
#define S2_OPENSSL_KE_LIST(X)                                                                      \
    X(S2SVPN_KE_CURVE25519, 32, 32, 32, X25519)                                                    \
    X(S2SVPN_KE_ECP_256, 64, 40, 32, ECP)                                                          \
    X(S2SVPN_KE_ECP_384, 96, 56, 48, ECP)                                                          \
    X(S2SVPN_KE_ECP_521, 132, 74, 66, ECP)                                                         \
    X(S2SVPN_KE_MODP_2048, 256, 32, 256, MODP)                                                     \
    X(S2SVPN_KE_MODP_3072, 384, 40, 384, MODP)                                                     \
    X(S2SVPN_KE_MODP_4096, 512, 48, 512, MODP)                                                     \
    X(S2SVPN_KE_MODP_6144, 768, 48, 768, MODP)                                                     \
    X(S2SVPN_KE_MODP_8192, 1024, 56, 1024, MODP)                                                   \
    X(S2SVPN_KE_MODP_1536, 192, 32, 192, MODP)                                                     \
    X(S2SVPN_KE_MODP_1024, 128, 32, 128, MODP)                                                     \
    X(S2SVPN_KE_MODP_2048_256, 256, 40, 256, MODP)                                                 \
    X(S2SVPN_KE_MODP_2048_224, 256, 36, 256, MODP)                                                 \
    X(S2SVPN_KE_MODP_1024_160, 128, 28, 128, MODP)

enum s2_openssl_cipher_number {
#define S2_OPENSSL_ENUM(tag, ...) S2_OPENSSL_CIPHER_##tag,
    S2_OPENSSL_CIPHER_LIST(S2_OPENSSL_ENUM)
#undef S2_OPENSSL_ENUM
        S2_OPENSSL_CIPHERS
};

enum s2_openssl_hash_number {
#define S2_OPENSSL_ENUM(tag, ...) S2_OPENSSL_HASH_##tag,
    S2_OPENSSL_HASH_LIST(S2_OPENSSL_ENUM)
#undef S2_OPENSSL_ENUM
        S2_OPENSSL_HASHES
};

struct s2_openssl_cipher {
    const char *name; /* NULL: nothing to fetch */
    uint16_t id, key_bits;
    uint8_t key_len, salt_len, iv_len, block_len;
    uint8_t icv_len; /* 0: no AEAD */
};

struct s2_openssl_hash {
    uint16_t hash, prf, integ;
    uint8_t block_len, out_len, icv_len;
};

extern const struct s2_openssl_cipher s2_openssl_ciphers[S2_OPENSSL_CIPHERS];
extern const struct s2_openssl_hash s2_openssl_hashes[S2_OPENSSL_HASHES];

/* The row of a transform with a key of key_len bytes, salt included; NULL if none. */
const struct s2_openssl_cipher *s2_openssl_find_cipher(uint16_t encr, size_t key_len);
/* NULL if none; INTEG_NONE has none. */
const struct s2_openssl_hash *s2_openssl_find_integ(uint16_t integ);

/* A hash under way. */
union s2_openssl_sha {
    SHA_CTX sha1;
    SHA256_CTX sha256;
    SHA512_CTX sha512; /* SHA-384 too */
};

/* An HMAC key (RFC 2104) as the two states of the hash behind the key's blocks, from
 * which each message starts. Wiped by its owner. */
struct s2_openssl_hmac_key {
    union s2_openssl_sha inner, outer;
};

void s2_openssl_hmac_key_set(struct s2_openssl_hmac_key *k, const struct s2_openssl_hash *h,
                             s2svpn_span key);
/* Writes h->out_len bytes. */
void s2_openssl_hmac(const struct s2_openssl_hmac_key *k, const struct s2_openssl_hash *h,
                     const s2svpn_span *in, size_t n, uint8_t *out);

s2svpn_status s2_openssl_random(void *user, uint8_t *out, size_t len);
s2svpn_status s2_openssl_hash(void *user, uint16_t hash, const s2svpn_span *in, size_t n,
                              uint8_t *out);
s2svpn_status s2_openssl_prf(void *user, uint16_t prf, s2svpn_span key, const s2svpn_span *in,
                             size_t n, uint8_t *out);
s2svpn_status s2_openssl_integ(void *user, uint16_t integ, s2svpn_span key, const s2svpn_span *in,
                               size_t n, uint8_t *icv);

s2svpn_status s2_openssl_ike_cbc(void *user, uint16_t encr, bool encrypt, s2svpn_span key,
                                 const uint8_t *iv, uint8_t *data, size_t len);
s2svpn_status s2_openssl_ike_aead(void *user, uint16_t encr, bool seal, s2svpn_span key,
                                  const uint8_t *iv, s2svpn_span aad, uint8_t *data, size_t len,
                                  uint8_t *icv);

s2svpn_job_state s2_openssl_start_job(void *user, s2svpn_job *job, s2svpn_status *result);
/* A private number in [1, order - 1], from random bytes (FIPS 186-4 appendix B.4.1);
 * free with BN_clear_free. NULL if there is no memory. */
BIGNUM *s2_openssl_private_number(s2svpn_span random, const BIGNUM *order, BN_CTX *ctx);
/* Jobs of the MODP family; sizes were checked. */
s2svpn_status s2_openssl_modp_public(s2svpn_job *job);
s2svpn_status s2_openssl_modp_shared(s2svpn_job *job);

/* Jobs with certificates. */
s2svpn_status s2_openssl_job_sign(s2svpn_job *job);
s2svpn_status s2_openssl_job_verify(s2svpn_job *job);

s2svpn_status s2_openssl_esp_worker_new(void *user, void **worker);
void s2_openssl_esp_worker_free(void *user, void *worker);
s2svpn_status s2_openssl_esp_session_new(void *user, const s2svpn_esp_session_spec *spec,
                                         void **session);
void s2_openssl_esp_session_free(void *user, void *session);
void s2_openssl_esp_seal(void *user, void *worker, s2svpn_esp_op *ops, size_t n);
void s2_openssl_esp_open(void *user, void *worker, s2svpn_esp_op *ops, size_t n);

#endif
