/* SPDX-License-Identifier: Apache-2.0 */
/* ESP sessions and workers: keys, contexts, CBC's IVs. Touches no packet; how the two
 * belong together is told in openssl_esp.h. */
#include "crypto/openssl_esp.h"

#include <string.h>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/rand.h>

#define IV_KEY_LEN 32

/* ---- sessions ---- */

static bool available(const struct s2_openssl_cipher *c)
{
    EVP_CIPHER *fetched = c->name != NULL ? EVP_CIPHER_fetch(NULL, c->name, NULL) : NULL;

    EVP_CIPHER_free(fetched);
    return c->name == NULL || fetched != NULL;
}

/* AEADs authenticate themselves; everything else must have an integrity transform
 * (RFC 8221 section 4). */
static s2svpn_status check_spec(const s2svpn_esp_session_spec *spec,
                                const struct s2_openssl_cipher *c, const struct s2_openssl_hash *h)
{
    if (c == NULL || c->key_bits != spec->key_bits || (h == NULL && spec->integ != 0))
        return S2SVPN_E_UNSUPPORTED;
    if ((c->icv_len != 0) != (h == NULL))
        return S2SVPN_E_UNSUPPORTED;
    if (spec->integ_key.len != (h != NULL ? h->out_len : 0u))
        return S2SVPN_E_ARGUMENT;
    return S2SVPN_OK;
}

static s2svpn_status fill_session(struct s2_openssl_session *s, const s2svpn_esp_session_spec *spec)
{
    const struct s2_openssl_cipher *c = s->cipher;

    if (!available(c))
        return S2SVPN_E_UNSUPPORTED;
    if (RAND_bytes((uint8_t *)s->serial, sizeof(s->serial)) != 1)
        return S2SVPN_E_RANDOM;
    if (s->hash != NULL)
        s2_openssl_hmac_key_set(&s->hmac, s->hash, spec->integ_key);
    s->esn = spec->esn;
    s->outbound = spec->outbound;
    if (c->key_len > 0)
        memcpy(s->key, spec->encr_key.p, c->key_len);
    if (c->salt_len > 0)
        memcpy(s->salt, spec->encr_key.p + c->key_len, c->salt_len);
    return S2SVPN_OK;
}

s2svpn_status s2_openssl_esp_session_new(void *user, const s2svpn_esp_session_spec *spec,
                                         void **session)
{
    if (spec->size < sizeof(*spec))
        return S2SVPN_E_ARGUMENT;
    const struct s2_openssl_cipher *c = s2_openssl_find_cipher(spec->encr, spec->encr_key.len);
    const struct s2_openssl_hash *h = s2_openssl_find_integ(spec->integ);
    s2svpn_status rc = check_spec(spec, c, h);
    if (rc != S2SVPN_OK)
        return rc;

    ERR_set_mark();
    struct s2_openssl_session *s = OPENSSL_zalloc(sizeof(*s));
    rc = S2SVPN_E_MEMORY;
    if (s != NULL) {
        s->cipher = c;
        s->hash = h;
        rc = fill_session(s, spec);
    }
    ERR_pop_to_mark();
    if (rc == S2SVPN_OK)
        *session = s;
    else
        s2_openssl_esp_session_free(user, s);
    return rc;
}

void s2_openssl_esp_session_free(void *user, void *session)
{
    (void)user;
    OPENSSL_clear_free(session, sizeof(struct s2_openssl_session));
}

/* ---- workers ---- */

s2svpn_status s2_openssl_esp_worker_new(void *user, void **worker)
{
    (void)user;
    ERR_set_mark();
    struct s2_openssl_worker *w = OPENSSL_zalloc(sizeof(*w));
    ERR_pop_to_mark();
    if (w == NULL)
        return S2SVPN_E_MEMORY;
    *worker = w;
    return S2SVPN_OK;
}

void s2_openssl_esp_worker_free(void *user, void *worker)
{
    struct s2_openssl_worker *w = worker;

    (void)user;
    if (w == NULL)
        return;
    for (size_t i = 0; i < S2_OPENSSL_SETS; i++) {
        for (size_t k = 0; k < S2_OPENSSL_WAYS; k++)
            EVP_CIPHER_CTX_free(w->sets[i][k].ctx); /* wipes */
    }
    for (size_t i = 0; i < S2_OPENSSL_CIPHERS; i++)
        EVP_CIPHER_free(w->ciphers[i]);
    EVP_CIPHER_CTX_free(w->iv_ctx);
    OPENSSL_clear_free(w, sizeof(*w));
}

/* The session's key, expanded into the slot. */
static bool prepare(struct s2_openssl_worker *w, struct s2_openssl_slot *slot,
                    const struct s2_openssl_session *s)
{
    EVP_CIPHER **cipher = &w->ciphers[s->cipher - s2_openssl_ciphers];

    if (*cipher == NULL)
        *cipher = EVP_CIPHER_fetch(NULL, s->cipher->name, NULL);
    if (slot->ctx == NULL)
        slot->ctx = EVP_CIPHER_CTX_new();
    else
        (void)EVP_CIPHER_CTX_reset(slot->ctx); /* wipes the last session's key */
    if (*cipher != NULL && slot->ctx != NULL &&
        EVP_CipherInit_ex2(slot->ctx, *cipher, s->key, NULL, s->outbound, NULL) == 1 &&
        (s->cipher->icv_len > 0 || /* an AEAD pads nothing; once set, it is set anew at each IV */
         EVP_CIPHER_CTX_set_padding(slot->ctx, 0) == 1)) {
        memcpy(slot->serial, s->serial, sizeof(slot->serial));
        return true;
    }
    EVP_CIPHER_CTX_free(slot->ctx);
    memset(slot, 0, sizeof(*slot));
    return false;
}

static bool holds(const struct s2_openssl_slot *slot, const struct s2_openssl_session *s)
{
    return slot->ctx != NULL && slot->serial[0] == s->serial[0] && slot->serial[1] == s->serial[1];
}

EVP_CIPHER_CTX *s2_openssl_context_of(struct s2_openssl_worker *w,
                                      const struct s2_openssl_session *s)
{
    struct s2_openssl_slot *set = w->sets[s->serial[0] % S2_OPENSSL_SETS];

    if (holds(&set[0], s))
        return set[0].ctx;
    const struct s2_openssl_slot older = set[1];
    set[1] = set[0];
    set[0] = older;
    return holds(&set[0], s) || prepare(w, &set[0], s) ? set[0].ctx : NULL;
}

/* ---- CBC's IVs ---- */

static bool start_ivs(struct s2_openssl_worker *w)
{
    uint8_t key[IV_KEY_LEN];
    EVP_CIPHER *ecb = EVP_CIPHER_fetch(NULL, "AES-256-ECB", NULL);
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();

    if (ecb != NULL && ctx != NULL && RAND_bytes(key, sizeof(key)) == 1 &&
        EVP_EncryptInit_ex2(ctx, ecb, key, NULL, NULL) == 1 &&
        EVP_CIPHER_CTX_set_padding(ctx, 0) == 1) {
        w->iv_ctx = ctx;
        ctx = NULL;
    }
    OPENSSL_cleanse(key, sizeof(key));
    EVP_CIPHER_CTX_free(ctx);
    EVP_CIPHER_free(ecb);
    return w->iv_ctx != NULL;
}

/* IVs are a counter under a random AES key that each worker has for itself: who
 * doesn't know the key can't tell the next one (RFC 3602 section 3; SP 800-38A
 * appendix C), and one is never used twice. Made in batches, as drawing 16 random
 * bytes costs more than sealing a small packet. */
bool s2_openssl_next_iv(struct s2_openssl_worker *w, uint8_t *iv)
{
    int written = 0;

    if (w->ivs_left == 0) {
        if (w->iv_ctx == NULL && !start_ivs(w))
            return false;
        memset(w->ivs, 0, sizeof(w->ivs));
        for (size_t i = 0; i < S2_OPENSSL_IV_BATCH; i++)
            s2_openssl_put_u64(w->ivs[i], w->iv_counter++);
        if (EVP_EncryptUpdate(w->iv_ctx, w->ivs[0], &written, w->ivs[0], sizeof(w->ivs)) != 1)
            return false;
        w->ivs_left = S2_OPENSSL_IV_BATCH;
    }
    memcpy(iv, w->ivs[--w->ivs_left], S2_OPENSSL_AES_BLOCK);
    return true;
}
