/* SPDX-License-Identifier: Apache-2.0 */
/* ESP packets: seal and open. RFC 4303 section 2.2.1 (ESN), RFC 4106 (GCM), RFC 7634
 * (ChaCha20-Poly1305), RFC 3602 and 4868 (CBC with HMAC), RFC 2410 (NULL). Knows no
 * padding, no windows, no SPIs of its own. */
#include "crypto/openssl_esp.h"

#include <limits.h>
#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/params.h>

#define NONCE_LEN 12
#define HEADER_LEN 8 /* SPI, low half of the sequence number */

/* ---- AEAD ---- */

/* RFC 4106 section 5: SPI and the 32-bit or 64-bit sequence number. */
static int write_aad(const struct s2_openssl_session *s, const s2svpn_esp_op *op, uint8_t aad[12])
{
    s2_openssl_put_u32(aad, op->spi);
    if (!s->esn) {
        s2_openssl_put_u32(aad + 4, (uint32_t)op->seq);
        return 8;
    }
    s2_openssl_put_u64(aad + 4, op->seq);
    return 12;
}

static void copy_pieces(const s2svpn_esp_op *op)
{
    uint8_t *out = op->out;

    for (size_t i = 0; i < 3; i++) {
        if (op->in[i].len > 0)
            memmove(out, op->in[i].p, op->in[i].len);
        out += op->in[i].len;
    }
}

/* The pieces, encrypted, one behind the other into out. Several are put together there
 * first: by measure that is faster at every size than a call of OpenSSL's for each, as
 * a block that two pieces share is worked on byte by byte, and out is in the cache. */
static bool encrypt(EVP_CIPHER_CTX *ctx, const s2svpn_esp_op *op, uint32_t total)
{
    const uint8_t *in = op->in[0].p;
    int written = 0;

    if (op->in[0].len != total) {
        copy_pieces(op);
        in = op->out;
    }
    return total == 0 || (EVP_EncryptUpdate(ctx, op->out, &written, in, (int)total) == 1 &&
                          (uint32_t)written == total);
}

static uint8_t aead_seal(struct s2_openssl_worker *w, const struct s2_openssl_session *s,
                         s2svpn_esp_op *op, uint32_t total)
{
    EVP_CIPHER_CTX *ctx = s2_openssl_context_of(w, s);
    uint8_t nonce[NONCE_LEN], aad[12];
    int written = 0;
    OSSL_PARAM tag[] = {
        OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, op->icv, s->cipher->icv_len),
        OSSL_PARAM_END,
    };

    s2_openssl_put_u64(op->iv, op->seq);
    memcpy(nonce, s->salt, sizeof(s->salt));
    s2_openssl_put_u64(nonce + sizeof(s->salt), op->seq);
    const int aad_len = write_aad(s, op, aad);
    if (ctx == NULL || EVP_EncryptInit_ex2(ctx, NULL, NULL, nonce, NULL) != 1 ||
        EVP_EncryptUpdate(ctx, NULL, &written, aad, aad_len) != 1 || !encrypt(ctx, op, total) ||
        EVP_EncryptFinal_ex(ctx, op->out + total, &written) != 1 ||
        EVP_CIPHER_CTX_get_params(ctx, tag) != 1)
        return S2SVPN_ESP_REFUSED;
    return S2SVPN_ESP_OK;
}

static uint8_t aead_open(struct s2_openssl_worker *w, const struct s2_openssl_session *s,
                         s2svpn_esp_op *op)
{
    EVP_CIPHER_CTX *ctx = s2_openssl_context_of(w, s);
    uint8_t nonce[NONCE_LEN], aad[12];
    const int len = (int)op->in[0].len;
    int written = 0;
    const OSSL_PARAM tag[] = {
        OSSL_PARAM_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG, op->icv, s->cipher->icv_len),
        OSSL_PARAM_END,
    };

    memcpy(nonce, s->salt, sizeof(s->salt));
    memcpy(nonce + sizeof(s->salt), op->iv, s->cipher->iv_len);
    const int aad_len = write_aad(s, op, aad);
    if (ctx == NULL || EVP_DecryptInit_ex2(ctx, NULL, NULL, nonce, tag) != 1 ||
        EVP_DecryptUpdate(ctx, NULL, &written, aad, aad_len) != 1 ||
        (len > 0 && EVP_DecryptUpdate(ctx, op->out, &written, op->in[0].p, len) != 1))
        return S2SVPN_ESP_REFUSED;
    if (EVP_DecryptFinal_ex(ctx, op->out + len, &written) == 1)
        return S2SVPN_ESP_OK;
    if (len > 0)
        memset(op->out, 0, (size_t)len); /* nobody may see what wasn't authentic */
    return S2SVPN_ESP_AUTH;
}

/* ---- CBC or NULL, with HMAC ---- */

/* The ICV over header, IV, ciphertext and, with ESN, the high half of the sequence
 * number (RFC 4303 section 2.2.1). The header is made from spi and seq: nothing is
 * asked of what stands in front of iv. */
static void authenticate(const struct s2_openssl_session *s, const s2svpn_esp_op *op,
                         const uint8_t *text, uint32_t len, uint8_t *out)
{
    uint8_t head[HEADER_LEN + S2_OPENSSL_AES_BLOCK], high[4];
    const s2svpn_span in[] = {
        {head, (size_t)HEADER_LEN + s->cipher->iv_len},
        {text, len},
        {high, s->esn ? sizeof(high) : 0},
    };

    s2_openssl_put_u32(head, op->spi);
    s2_openssl_put_u32(head + 4, (uint32_t)op->seq);
    if (s->cipher->iv_len > 0)
        memcpy(head + HEADER_LEN, op->iv, s->cipher->iv_len);
    s2_openssl_put_u32(high, (uint32_t)(op->seq >> 32));
    s2_openssl_hmac(&s->hmac, s->hash, in, 3, out);
}

static uint8_t hmac_seal(struct s2_openssl_worker *w, const struct s2_openssl_session *s,
                         s2svpn_esp_op *op, uint32_t total)
{
    uint8_t icv[EVP_MAX_MD_SIZE];

    if (s->cipher->name == NULL) {
        copy_pieces(op);
    } else {
        EVP_CIPHER_CTX *ctx = s2_openssl_context_of(w, s);

        if (ctx == NULL || !s2_openssl_next_iv(w, op->iv) ||
            EVP_EncryptInit_ex2(ctx, NULL, NULL, op->iv, NULL) != 1 || !encrypt(ctx, op, total))
            return S2SVPN_ESP_REFUSED;
    }
    authenticate(s, op, op->out, total, icv);
    memcpy(op->icv, icv, s->hash->icv_len);
    return S2SVPN_ESP_OK;
}

/* The ICV first: nothing unauthentic is ever decrypted. */
static uint8_t hmac_open(struct s2_openssl_worker *w, const struct s2_openssl_session *s,
                         s2svpn_esp_op *op)
{
    const uint32_t len = op->in[0].len;
    uint8_t icv[EVP_MAX_MD_SIZE];
    int written = 0;

    authenticate(s, op, op->in[0].p, len, icv);
    if (CRYPTO_memcmp(icv, op->icv, s->hash->icv_len) != 0)
        return S2SVPN_ESP_AUTH;
    if (len == 0)
        return S2SVPN_ESP_OK;
    if (s->cipher->name == NULL) {
        memmove(op->out, op->in[0].p, len);
        return S2SVPN_ESP_OK;
    }
    EVP_CIPHER_CTX *ctx = s2_openssl_context_of(w, s);
    if (ctx == NULL || EVP_DecryptInit_ex2(ctx, NULL, NULL, op->iv, NULL) != 1 ||
        EVP_DecryptUpdate(ctx, op->out, &written, op->in[0].p, (int)len) != 1 ||
        (uint32_t)written != len)
        return S2SVPN_ESP_REFUSED;
    return S2SVPN_ESP_OK;
}

/* ---- batches ---- */

/* A length that OpenSSL's int holds and the cipher can take. */
static bool fits(const struct s2_openssl_session *s, uint64_t len)
{
    return len <= INT_MAX && len % s->cipher->block_len == 0;
}

void s2_openssl_esp_seal(void *user, void *worker, s2svpn_esp_op *ops, size_t n)
{
    (void)user;
    ERR_set_mark();
    for (size_t i = 0; i < n; i++) {
        s2svpn_esp_op *op = &ops[i];
        const struct s2_openssl_session *s = op->session;
        const uint64_t total = (uint64_t)op->in[0].len + op->in[1].len + op->in[2].len;

        if (!s->outbound || !fits(s, total))
            op->result = S2SVPN_ESP_REFUSED;
        else if (s->hash == NULL)
            op->result = aead_seal(worker, s, op, (uint32_t)total);
        else
            op->result = hmac_seal(worker, s, op, (uint32_t)total);
    }
    ERR_pop_to_mark();
}

void s2_openssl_esp_open(void *user, void *worker, s2svpn_esp_op *ops, size_t n)
{
    (void)user;
    ERR_set_mark();
    for (size_t i = 0; i < n; i++) {
        s2svpn_esp_op *op = &ops[i];
        const struct s2_openssl_session *s = op->session;

        if (s->outbound || !fits(s, op->in[0].len))
            op->result = S2SVPN_ESP_REFUSED;
        else if (s->hash == NULL)
            op->result = aead_open(worker, s, op);
        else
            op->result = hmac_open(worker, s, op);
    }
    ERR_pop_to_mark();
}
