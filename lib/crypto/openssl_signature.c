/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The AUTH payload's data: made by our key, checked by a peer's. Knows no certificates.
 *
 *     1          RSASSA-PKCS1-v1_5 with SHA-1, RFC 7296 section 3.8
 *     9, 10, 11  ECDSA, r and s of fixed length one behind the other, RFC 4754 section 7
 *     14         length, AlgorithmIdentifier, signature, RFC 7427 section 3
 *
 * AlgorithmIdentifiers are compared by their bytes, RFC 7427 appendix A: none is parsed.
 * What RFC 8247 section 3.2 forbids (SHA-1 with method 14) is known as weak.
 */
#include "crypto/openssl_certificate.h"

#include <string.h>

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>

#define COMPONENT_MAX 66 /* of r and s, for P-521 */

enum scheme { PKCS1, PSS, ECDSA };

/* DER, without the outer header where a list makes it. */
#define RSA_OID 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01
#define SHA2_OID 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02
#define PKCS1_DER(n) 0x30, 0x0d, RSA_OID, n, 0x05, 0x00
#define ECDSA_DER(n) 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, n
/* hashAlgorithm, maskGenAlgorithm MGF1 with the same hash, saltLength; the hash's NULL may
 * be there or not, RFC 4055 section 2.1. */
#define PSS_DER(hash, salt)                                                                        \
    0x30, 0x41, RSA_OID, 0x0a, 0x30, 0x34, 0xa0, 0x0f, 0x30, 0x0d, SHA2_OID, hash, 0x05, 0x00,     \
        0xa1, 0x1c, 0x30, 0x1a, RSA_OID, 0x08, 0x30, 0x0d, SHA2_OID, hash, 0x05, 0x00, 0xa2, 0x03, \
        0x02, 0x01, salt
#define PSS_BARE_DER(hash, salt)                                                                   \
    0x30, 0x3d, RSA_OID, 0x0a, 0x30, 0x30, 0xa0, 0x0d, 0x30, 0x0b, SHA2_OID, hash, 0xa1, 0x1a,     \
        0x30, 0x18, RSA_OID, 0x08, 0x30, 0x0b, SHA2_OID, hash, 0xa2, 0x03, 0x02, 0x01, salt

/* X(scheme, hash, DER…); hash 0: weak. The first of a scheme and hash is what we send. */
#define ALGORITHM_LIST(X)                                                                          \
    X(PKCS1, S2SVPN_HASH_SHA2_256, PKCS1_DER(0x0b))                                                \
    X(PKCS1, S2SVPN_HASH_SHA2_384, PKCS1_DER(0x0c))                                                \
    X(PKCS1, S2SVPN_HASH_SHA2_512, PKCS1_DER(0x0d))                                                \
    X(ECDSA, S2SVPN_HASH_SHA2_256, ECDSA_DER(0x02))                                                \
    X(ECDSA, S2SVPN_HASH_SHA2_384, ECDSA_DER(0x03))                                                \
    X(ECDSA, S2SVPN_HASH_SHA2_512, ECDSA_DER(0x04))                                                \
    X(PSS, S2SVPN_HASH_SHA2_256, PSS_DER(0x01, 32))                                                \
    X(PSS, S2SVPN_HASH_SHA2_384, PSS_DER(0x02, 48))                                                \
    X(PSS, S2SVPN_HASH_SHA2_512, PSS_DER(0x03, 64))                                                \
    X(PSS, S2SVPN_HASH_SHA2_256, PSS_BARE_DER(0x01, 32))                                           \
    X(PSS, S2SVPN_HASH_SHA2_384, PSS_BARE_DER(0x02, 48))                                           \
    X(PSS, S2SVPN_HASH_SHA2_512, PSS_BARE_DER(0x03, 64))                                           \
    X(PKCS1, 0, PKCS1_DER(0x04))                                                                   \
    X(PKCS1, 0, PKCS1_DER(0x05))                                                                   \
    X(PSS, 0, 0x30, 0x0d, RSA_OID, 0x0a, 0x30, 0x00)                                               \
    X(ECDSA, 0, 0x30, 0x09, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x01)

static const struct algorithm {
    enum scheme scheme;
    uint16_t hash;
    s2svpn_span der;
} algorithms[] = {
#define ALGORITHM(scheme_, hash_, ...)                                                             \
    {scheme_, hash_, {(const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})}},
    ALGORITHM_LIST(ALGORITHM)
#undef ALGORITHM
};
#define ALGORITHMS (sizeof(algorithms) / sizeof(algorithms[0]))

/* ECDSA without an AlgorithmIdentifier, RFC 4754 section 3. */
static const struct {
    enum s2svpn_auth_method method;
    uint16_t hash;
    uint8_t component_len;
} ecdsa[S2_OPENSSL_KEYS] = {
    [S2_OPENSSL_KEY_P256] = {S2SVPN_AUTH_ECDSA_256, S2SVPN_HASH_SHA2_256, 32},
    [S2_OPENSSL_KEY_P384] = {S2SVPN_AUTH_ECDSA_384, S2SVPN_HASH_SHA2_384, 48},
    [S2_OPENSSL_KEY_P521] = {S2SVPN_AUTH_ECDSA_521, S2SVPN_HASH_SHA2_512, 66},
};

static const char *hash_name(uint16_t hash)
{
    switch (hash) {
    case S2SVPN_HASH_SHA1:
        return "SHA1";
    case S2SVPN_HASH_SHA2_256:
        return "SHA2-256";
    case S2SVPN_HASH_SHA2_384:
        return "SHA2-384";
    case S2SVPN_HASH_SHA2_512:
        return "SHA2-512";
    default:
        return "";
    }
}

/* PSS: MGF1 with the same hash follows from the digest, the salt is as long as it. */
static bool set_padding(EVP_PKEY_CTX *ctx, enum scheme scheme)
{
    switch (scheme) {
    case PKCS1:
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0;
    case PSS:
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
               EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0;
    case ECDSA:
        return true;
    }
    return false;
}

/* ---- making ---- */

static s2svpn_status sign(EVP_PKEY *key, enum scheme scheme, uint16_t hash, const s2svpn_span *in,
                          size_t n, uint8_t *out, size_t *len)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *parameters = NULL;
    bool good = ctx != NULL && EVP_DigestSignInit_ex(ctx, &parameters, hash_name(hash), NULL, NULL,
                                                     key, NULL) == 1;

    good = good && set_padding(parameters, scheme);
    for (size_t i = 0; good && i < n; i++)
        good = EVP_DigestSignUpdate(ctx, in[i].p, in[i].len) == 1;
    good = good && EVP_DigestSignFinal(ctx, out, len) == 1;
    EVP_MD_CTX_free(ctx);
    return good ? S2SVPN_OK : s2_openssl_failure(S2SVPN_E_CRYPTO);
}

static s2svpn_status sign_raw(EVP_PKEY *key, enum s2_openssl_key kind, const s2svpn_span *in,
                              size_t n, uint8_t *out, size_t *len)
{
    const int component = ecdsa[kind].component_len;
    uint8_t der[2 * COMPONENT_MAX + 16];
    size_t der_len = sizeof(der);
    const uint8_t *p = der;

    if (*len < 2u * (size_t)component)
        return S2SVPN_E_NO_ROOM;
    s2svpn_status rc = sign(key, ECDSA, ecdsa[kind].hash, in, n, der, &der_len);
    if (rc != S2SVPN_OK)
        return rc;
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)der_len);
    if (sig != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(sig), out, component) == component &&
        BN_bn2binpad(ECDSA_SIG_get0_s(sig), out + component, component) == component)
        *len = 2u * (size_t)component;
    else
        rc = s2_openssl_failure(S2SVPN_E_CRYPTO);
    ECDSA_SIG_free(sig);
    return rc;
}

/* The hash that is as strong as the key comes first, then stronger ones, then the others. */
static uint16_t common_hash(const EVP_PKEY *key, enum s2_openssl_key kind, uint32_t peer_hashes)
{
    static const uint16_t order[][3] = {
        {S2SVPN_HASH_SHA2_256, S2SVPN_HASH_SHA2_384, S2SVPN_HASH_SHA2_512},
        {S2SVPN_HASH_SHA2_384, S2SVPN_HASH_SHA2_512, S2SVPN_HASH_SHA2_256},
        {S2SVPN_HASH_SHA2_512, S2SVPN_HASH_SHA2_384, S2SVPN_HASH_SHA2_256},
    };
    const int bits = EVP_PKEY_get_bits(key);
    size_t strength = (size_t)(bits > 3072) + (size_t)(bits > 7680);

    if (kind != S2_OPENSSL_KEY_RSA)
        strength = (size_t)(kind - S2_OPENSSL_KEY_P256);
    for (size_t i = 0; i < 3; i++) {
        if ((peer_hashes & UINT32_C(1) << order[strength][i]) != 0)
            return order[strength][i];
    }
    return 0;
}

static s2svpn_status sign_named(EVP_PKEY *key, enum s2_openssl_key kind, uint16_t hash,
                                const s2svpn_span *in, size_t n, uint8_t *out, size_t *len)
{
    const enum scheme scheme = kind == S2_OPENSSL_KEY_RSA ? PKCS1 : ECDSA;
    const struct algorithm *a = algorithms;

    while (a->scheme != scheme || a->hash != hash)
        a++;
    const size_t head = 1 + a->der.len;
    if (*len < head + (size_t)EVP_PKEY_get_size(key))
        return S2SVPN_E_NO_ROOM;
    size_t part = *len - head;
    const s2svpn_status rc = sign(key, scheme, hash, in, n, out + head, &part);
    if (rc != S2SVPN_OK)
        return rc;
    out[0] = (uint8_t)a->der.len;
    memcpy(out + 1, a->der.p, a->der.len);
    *len = head + part;
    return S2SVPN_OK;
}

s2svpn_status s2_openssl_signature_make(EVP_PKEY *key, enum s2_openssl_key kind,
                                        uint32_t peer_hashes, const s2svpn_span *in, size_t n,
                                        uint8_t *out, size_t *len, uint8_t *method)
{
    const uint16_t hash = common_hash(key, kind, peer_hashes);

    if (hash != 0) {
        *method = S2SVPN_AUTH_SIGNATURE;
        return sign_named(key, kind, hash, in, n, out, len);
    }
    if (kind != S2_OPENSSL_KEY_RSA) {
        *method = (uint8_t)ecdsa[kind].method;
        return sign_raw(key, kind, in, n, out, len);
    }
    if (peer_hashes != 0) /* it knows better than SHA-1, but nothing that we do */
        return S2SVPN_E_UNSUPPORTED;
    *method = S2SVPN_AUTH_RSA;
    if (*len < (size_t)EVP_PKEY_get_size(key))
        return S2SVPN_E_NO_ROOM;
    return sign(key, PKCS1, S2SVPN_HASH_SHA1, in, n, out, len);
}

/* ---- checking ---- */

static s2svpn_status refuse(uint8_t *why, enum s2svpn_certificate_result result)
{
    *why = (uint8_t)result;
    return S2SVPN_E_AUTHENTICATION;
}

static s2svpn_status check(EVP_PKEY *key, enum scheme scheme, uint16_t hash, s2svpn_span signature,
                           const s2svpn_span *in, size_t n, uint8_t *why)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *parameters = NULL;
    bool good = ctx != NULL && EVP_DigestVerifyInit_ex(ctx, &parameters, hash_name(hash), NULL,
                                                       NULL, key, NULL) == 1;

    good = good && set_padding(parameters, scheme);
    for (size_t i = 0; good && i < n; i++)
        good = EVP_DigestVerifyUpdate(ctx, in[i].p, in[i].len) == 1;
    s2svpn_status rc = good ? S2SVPN_OK : s2_openssl_failure(S2SVPN_E_CRYPTO);
    if (good && EVP_DigestVerifyFinal(ctx, signature.p, signature.len) != 1) {
        rc = s2_openssl_failure(S2SVPN_E_AUTHENTICATION);
        if (rc == S2SVPN_E_AUTHENTICATION)
            rc = refuse(why, S2SVPN_CERTIFICATE_SIGNATURE);
    }
    EVP_MD_CTX_free(ctx);
    return rc;
}

static s2svpn_status check_raw(EVP_PKEY *key, enum s2_openssl_key kind, s2svpn_span auth,
                               const s2svpn_span *in, size_t n, uint8_t *why)
{
    const int component = ecdsa[kind].component_len;
    s2svpn_status rc = S2SVPN_E_MEMORY;
    uint8_t *der = NULL;

    if (auth.len != 2u * (size_t)component)
        return refuse(why, S2SVPN_CERTIFICATE_MALFORMED);
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(auth.p, component, NULL);
    BIGNUM *s = BN_bin2bn(auth.p + component, component, NULL);
    if (sig == NULL || r == NULL || s == NULL || ECDSA_SIG_set0(sig, r, s) != 1)
        goto out;
    r = s = NULL; /* given to sig */
    const int len = i2d_ECDSA_SIG(sig, &der);
    if (len > 0)
        rc = check(key, ECDSA, ecdsa[kind].hash, (s2svpn_span){der, (size_t)len}, in, n, why);
out:
    OPENSSL_free(der);
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(sig);
    return rc;
}

static s2svpn_status check_named(EVP_PKEY *key, enum s2_openssl_key kind, s2svpn_span auth,
                                 const s2svpn_span *in, size_t n, uint8_t *why)
{
    const size_t len = auth.len > 0 ? auth.p[0] : 0;
    const struct algorithm *a = NULL;

    if (len == 0 || len + 1 >= auth.len)
        return refuse(why, S2SVPN_CERTIFICATE_MALFORMED);
    for (size_t i = 0; a == NULL && i < ALGORITHMS; i++) {
        if (algorithms[i].der.len == len && memcmp(algorithms[i].der.p, auth.p + 1, len) == 0)
            a = &algorithms[i];
    }
    if (a == NULL)
        return refuse(why, S2SVPN_CERTIFICATE_METHOD);
    if (a->hash == 0)
        return refuse(why, S2SVPN_CERTIFICATE_WEAK);
    if ((a->scheme == ECDSA) != (kind != S2_OPENSSL_KEY_RSA))
        return refuse(why, S2SVPN_CERTIFICATE_SIGNATURE);
    return check(key, a->scheme, a->hash, (s2svpn_span){auth.p + 1 + len, auth.len - 1 - len}, in,
                 n, why);
}

s2svpn_status s2_openssl_signature_check(EVP_PKEY *key, uint8_t method, s2svpn_span auth,
                                         const s2svpn_span *in, size_t n, uint8_t *why)
{
    const enum s2_openssl_key kind = s2_openssl_key_kind(key);

    switch (method) {
    case S2SVPN_AUTH_RSA:
        if (kind != S2_OPENSSL_KEY_RSA)
            return refuse(why, S2SVPN_CERTIFICATE_SIGNATURE);
        return check(key, PKCS1, S2SVPN_HASH_SHA1, auth, in, n, why);
    case S2SVPN_AUTH_ECDSA_256:
    case S2SVPN_AUTH_ECDSA_384:
    case S2SVPN_AUTH_ECDSA_521:
        if (method != ecdsa[kind].method)
            return refuse(why, S2SVPN_CERTIFICATE_SIGNATURE);
        return check_raw(key, kind, auth, in, n, why);
    case S2SVPN_AUTH_SIGNATURE:
        return check_named(key, kind, auth, in, n, why);
    default:
        return refuse(why, S2SVPN_CERTIFICATE_METHOD);
    }
}
