/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hashes, and HMAC (RFC 2104) for what IKE and ESP make of it: PRFs and integrity
 * transforms (RFC 2404, 4868). Keys of any length, the empty one too. Nothing here
 * allocates or fails.
 *
 * OpenSSL's own hash functions are used, not EVP: in OpenSSL 3.0 EVP allocates anew at
 * every start of a hash, so an HMAC per packet would allocate twice per packet, and a
 * prepared key could not be kept without allocating either. They are declared
 * deprecated and part of every release; this is the one file that asks for that.
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto/openssl.h"

#include <string.h>

#include <openssl/crypto.h>

#define BLOCK_MAX 128

struct functions {
    void (*init)(union s2_openssl_sha *c);
    void (*update)(union s2_openssl_sha *c, const void *p, size_t len);
    void (*final)(union s2_openssl_sha *c, uint8_t *out);
};

/* OpenSSL's return 1 always. */
#define FUNCTIONS(tag, member, name)                                                               \
    static void tag##_init(union s2_openssl_sha *c)                                                \
    {                                                                                              \
        (void)name##_Init(&c->member);                                                             \
    }                                                                                              \
    static void tag##_update(union s2_openssl_sha *c, const void *p, size_t len)                   \
    {                                                                                              \
        (void)name##_Update(&c->member, p, len);                                                   \
    }                                                                                              \
    static void tag##_final(union s2_openssl_sha *c, uint8_t *out)                                 \
    {                                                                                              \
        (void)name##_Final(out, &c->member);                                                       \
    }

FUNCTIONS(sha1, sha1, SHA1)
FUNCTIONS(sha256, sha256, SHA256)
FUNCTIONS(sha384, sha512, SHA384)
FUNCTIONS(sha512, sha512, SHA512)

static const struct functions functions[S2_OPENSSL_HASHES] = {
    [S2_OPENSSL_HASH_SHA1] = {sha1_init, sha1_update, sha1_final},
    [S2_OPENSSL_HASH_SHA2_256] = {sha256_init, sha256_update, sha256_final},
    [S2_OPENSSL_HASH_SHA2_384] = {sha384_init, sha384_update, sha384_final},
    [S2_OPENSSL_HASH_SHA2_512] = {sha512_init, sha512_update, sha512_final},
};

static const struct functions *functions_of(const struct s2_openssl_hash *h)
{
    return &functions[h - s2_openssl_hashes];
}

static const struct s2_openssl_hash *find_hash(uint16_t hash)
{
    for (size_t i = 0; i < S2_OPENSSL_HASHES; i++) {
        if (s2_openssl_hashes[i].hash == hash)
            return &s2_openssl_hashes[i];
    }
    return NULL;
}

static const struct s2_openssl_hash *find_prf(uint16_t prf)
{
    for (size_t i = 0; i < S2_OPENSSL_HASHES; i++) {
        if (s2_openssl_hashes[i].prf == prf)
            return &s2_openssl_hashes[i];
    }
    return NULL;
}

const struct s2_openssl_hash *s2_openssl_find_integ(uint16_t integ)
{
    for (size_t i = 0; i < S2_OPENSSL_HASHES; i++) {
        if (s2_openssl_hashes[i].integ == integ)
            return &s2_openssl_hashes[i];
    }
    return NULL;
}

static void update(const struct functions *f, union s2_openssl_sha *c, const s2svpn_span *in,
                   size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (in[i].len > 0)
            f->update(c, in[i].p, in[i].len);
    }
}

void s2_openssl_hmac_key_set(struct s2_openssl_hmac_key *k, const struct s2_openssl_hash *h,
                             s2svpn_span key)
{
    const struct functions *f = functions_of(h);
    uint8_t block[BLOCK_MAX] = {0};

    if (key.len > h->block_len) {
        f->init(&k->inner);
        f->update(&k->inner, key.p, key.len);
        f->final(&k->inner, block);
    } else if (key.len > 0) {
        memcpy(block, key.p, key.len);
    }
    for (size_t i = 0; i < h->block_len; i++)
        block[i] ^= 0x36;
    f->init(&k->inner);
    f->update(&k->inner, block, h->block_len);
    for (size_t i = 0; i < h->block_len; i++)
        block[i] ^= 0x36 ^ 0x5c;
    f->init(&k->outer);
    f->update(&k->outer, block, h->block_len);
    OPENSSL_cleanse(block, sizeof(block));
}

void s2_openssl_hmac(const struct s2_openssl_hmac_key *k, const struct s2_openssl_hash *h,
                     const s2svpn_span *in, size_t n, uint8_t *out)
{
    const struct functions *f = functions_of(h);
    union s2_openssl_sha c = k->inner;
    uint8_t inner[EVP_MAX_MD_SIZE];

    update(f, &c, in, n);
    f->final(&c, inner);
    c = k->outer;
    f->update(&c, inner, h->out_len);
    f->final(&c, out);
    OPENSSL_cleanse(&c, sizeof(c)); /* what a PRF makes is a key */
}

s2svpn_status s2_openssl_hash(void *user, uint16_t hash, const s2svpn_span *in, size_t n,
                              uint8_t *out)
{
    const struct s2_openssl_hash *h = find_hash(hash);
    union s2_openssl_sha c;

    (void)user;
    if (h == NULL)
        return S2SVPN_E_UNSUPPORTED;
    const struct functions *f = functions_of(h);
    f->init(&c);
    update(f, &c, in, n);
    f->final(&c, out);
    return S2SVPN_OK;
}

/* HMAC of one call, its first len bytes. */
static s2svpn_status mac(const struct s2_openssl_hash *h, s2svpn_span key, const s2svpn_span *in,
                         size_t n, uint8_t *out, size_t len)
{
    struct s2_openssl_hmac_key k;
    uint8_t full[EVP_MAX_MD_SIZE];

    s2_openssl_hmac_key_set(&k, h, key);
    s2_openssl_hmac(&k, h, in, n, full);
    memcpy(out, full, len);
    OPENSSL_cleanse(&k, sizeof(k));
    OPENSSL_cleanse(full, sizeof(full));
    return S2SVPN_OK;
}

s2svpn_status s2_openssl_prf(void *user, uint16_t prf, s2svpn_span key, const s2svpn_span *in,
                             size_t n, uint8_t *out)
{
    const struct s2_openssl_hash *h = find_prf(prf);

    (void)user;
    return h != NULL ? mac(h, key, in, n, out, h->out_len) : S2SVPN_E_UNSUPPORTED;
}

s2svpn_status s2_openssl_integ(void *user, uint16_t integ, s2svpn_span key, const s2svpn_span *in,
                               size_t n, uint8_t *icv)
{
    const struct s2_openssl_hash *h = s2_openssl_find_integ(integ);

    (void)user;
    return h != NULL ? mac(h, key, in, n, icv, h->icv_len) : S2SVPN_E_UNSUPPORTED;
}
