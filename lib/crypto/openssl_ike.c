/* SPDX-License-Identifier: Apache-2.0 */
/* Ciphers for IKE's own messages, in place: CBC (RFC 3602) and AEADs (RFC 5282 for
 * GCM, RFC 7634 for ChaCha20-Poly1305). Messages are few, so each call makes and
 * frees its context. Knows no payloads. */
#include "crypto/openssl.h"

#include <limits.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>

#define NONCE_LEN 12

struct one_call {
    EVP_CIPHER *cipher;
    EVP_CIPHER_CTX *ctx;
};

static bool begin(struct one_call *o, const struct s2_openssl_cipher *c, bool encrypt,
                  const uint8_t *key, const uint8_t *iv)
{
    ERR_set_mark();
    o->ctx = EVP_CIPHER_CTX_new();
    o->cipher = EVP_CIPHER_fetch(NULL, c->name, NULL);
    return o->ctx != NULL && o->cipher != NULL &&
           EVP_CipherInit_ex2(o->ctx, o->cipher, key, iv, encrypt, NULL) == 1;
}

static void end(struct one_call *o)
{
    EVP_CIPHER_CTX_free(o->ctx);
    EVP_CIPHER_free(o->cipher);
    ERR_pop_to_mark();
}

s2svpn_status s2_openssl_ike_cbc(void *user, uint16_t encr, bool encrypt, s2svpn_span key,
                                 const uint8_t *iv, uint8_t *data, size_t len)
{
    const struct s2_openssl_cipher *c = s2_openssl_find_cipher(encr, key.len);
    struct one_call o;
    int written = 0;

    (void)user;
    if (c == NULL || c->name == NULL || c->icv_len != 0)
        return S2SVPN_E_UNSUPPORTED;
    if (len > INT_MAX || len % c->block_len != 0)
        return S2SVPN_E_ARGUMENT;
    const bool good = begin(&o, c, encrypt, key.p, iv) &&
                      EVP_CIPHER_CTX_set_padding(o.ctx, 0) == 1 &&
                      (len == 0 || EVP_CipherUpdate(o.ctx, data, &written, data, (int)len) == 1) &&
                      (size_t)written == len;
    end(&o);
    return good ? S2SVPN_OK : S2SVPN_E_CRYPTO;
}

/* AAD and text through the context; the ICV is still to be made or checked. */
static bool feed(EVP_CIPHER_CTX *ctx, s2svpn_span aad, uint8_t *data, size_t len)
{
    int written = 0;

    if (aad.len > 0 && EVP_CipherUpdate(ctx, NULL, &written, aad.p, (int)aad.len) != 1)
        return false;
    written = 0;
    return len == 0 ||
           (EVP_CipherUpdate(ctx, data, &written, data, (int)len) == 1 && (size_t)written == len);
}

s2svpn_status s2_openssl_ike_aead(void *user, uint16_t encr, bool seal, s2svpn_span key,
                                  const uint8_t *iv, s2svpn_span aad, uint8_t *data, size_t len,
                                  uint8_t *icv)
{
    const struct s2_openssl_cipher *c = s2_openssl_find_cipher(encr, key.len);
    s2svpn_status rc = S2SVPN_E_CRYPTO;
    uint8_t nonce[NONCE_LEN];
    struct one_call o;
    int written = 0;

    (void)user;
    if (c == NULL || c->icv_len == 0)
        return S2SVPN_E_UNSUPPORTED;
    if (len > INT_MAX || aad.len > INT_MAX)
        return S2SVPN_E_ARGUMENT;

    OSSL_PARAM tag[] = {
        OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, icv, c->icv_len),
        OSSL_PARAM_END,
    };
    memcpy(nonce, key.p + c->key_len, c->salt_len);
    memcpy(nonce + c->salt_len, iv, c->iv_len);
    if (!begin(&o, c, seal, key.p, nonce) ||
        (!seal && EVP_CIPHER_CTX_set_params(o.ctx, tag) != 1) || !feed(o.ctx, aad, data, len))
        goto out;
    if (EVP_CipherFinal_ex(o.ctx, data + len, &written) != 1)
        rc = seal ? S2SVPN_E_CRYPTO : S2SVPN_E_AUTHENTICATION;
    else if (!seal || EVP_CIPHER_CTX_get_params(o.ctx, tag) == 1)
        rc = S2SVPN_OK;
out:
    end(&o);
    return rc;
}
