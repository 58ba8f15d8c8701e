/* SPDX-License-Identifier: Apache-2.0 */
/* What this side shows: its chain, its key, and the job that signs with it. */
#include "crypto/openssl_certificate.h"

#include <limits.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>

static s2svpn_status fill_chain(struct s2_openssl_identity *id, STACK_OF(X509) * chain,
                                s2svpn_error *why)
{
    const size_t n = (size_t)sk_X509_num(chain);
    const uint8_t *subject;
    size_t len = 0, subject_len;

    if (X509_NAME_get0_der(X509_get_subject_name(sk_X509_value(chain, 0)), &subject,
                           &subject_len) != 1)
        return s2_openssl_fail(why, S2SVPN_E_MALFORMED, "chain", "its subject is malformed");
    if (subject_len > S2_OPENSSL_SUBJECT_MAX)
        return s2_openssl_fail(why, S2SVPN_E_LIMIT, "chain", "its subject is too long");
    for (size_t i = 0; i < n; i++)
        len += (size_t)i2d_X509(sk_X509_value(chain, (int)i), NULL);
    id->der = OPENSSL_malloc(len);
    if (id->der == NULL)
        return s2_openssl_fail(why, S2SVPN_E_MEMORY, "chain", "out of memory");
    uint8_t *end = id->der;
    for (size_t i = 0; i < n; i++) {
        uint8_t *const begin = end;

        if (i2d_X509(sk_X509_value(chain, (int)i), &end) <= 0)
            return s2_openssl_fail(why, S2SVPN_E_MEMORY, "chain", "out of memory");
        id->chain[id->count++] = (s2svpn_span){begin, (size_t)(end - begin)};
    }
    return S2SVPN_OK;
}

static s2svpn_status read_chain(struct s2_openssl_identity *id, s2svpn_span text,
                                STACK_OF(X509) * *chain, s2svpn_error *why)
{
    const s2svpn_status rc = s2_openssl_read_pem(text, S2SVPN_CHAIN_MAX, chain);

    switch (rc) {
    case S2SVPN_OK:
        return fill_chain(id, *chain, why);
    case S2SVPN_E_LIMIT:
        return s2_openssl_fail(why, rc, "chain", "too many certificates, or one is too long");
    case S2SVPN_E_MEMORY:
        return s2_openssl_fail(why, rc, "chain", "out of memory");
    default:
        return s2_openssl_fail(why, rc, "chain", "no certificates in PEM, or a malformed one");
    }
}

static s2svpn_status read_key(struct s2_openssl_identity *id, s2svpn_span text, X509 *own,
                              s2svpn_error *why)
{
    BIO *bio = text.len <= INT_MAX ? BIO_new_mem_buf(text.p, (int)text.len) : NULL;

    if (bio == NULL)
        return s2_openssl_fail(why, S2SVPN_E_MEMORY, "key", "out of memory");
    id->key = PEM_read_bio_PrivateKey(bio, NULL, s2_openssl_no_password, NULL);
    BIO_free(bio);
    if (id->key == NULL)
        return s2_openssl_fail(why, s2_openssl_failure(S2SVPN_E_MALFORMED), "key",
                               "no private key in PEM, or it is malformed or encrypted");
    id->kind = s2_openssl_key_kind(id->key);
    if (id->kind == S2_OPENSSL_KEY_WEAK || id->kind == S2_OPENSSL_KEY_OTHER)
        return s2_openssl_fail(why, S2SVPN_E_UNSUPPORTED, "key",
                               "neither RSA of 2048 to 8192 bits nor ECDSA on P-256, P-384, P-521");
    if (X509_check_private_key(own, id->key) != 1)
        return s2_openssl_fail(why, S2SVPN_E_ARGUMENT, "key",
                               "it is not the key of the chain's first certificate");
    return S2SVPN_OK;
}

s2svpn_status s2_openssl_identity_new(void *user, s2svpn_span chain, s2svpn_span key,
                                      void **identity, s2svpn_error *why)
{
    STACK_OF(X509) *certificates = NULL;
    s2svpn_status rc;

    ERR_set_mark();
    struct s2_openssl_identity *id = OPENSSL_zalloc(sizeof(*id));
    if (id == NULL) {
        rc = s2_openssl_fail(why, S2SVPN_E_MEMORY, "", "out of memory");
        goto fail;
    }
    rc = read_chain(id, chain, &certificates, why);
    if (rc == S2SVPN_OK)
        rc = read_key(id, key, sk_X509_value(certificates, 0), why);
    if (rc != S2SVPN_OK)
        goto fail;
    sk_X509_pop_free(certificates, X509_free);
    ERR_pop_to_mark();
    *identity = id;
    return S2SVPN_OK;
fail:
    sk_X509_pop_free(certificates, X509_free);
    s2_openssl_identity_free(user, id);
    ERR_pop_to_mark();
    return rc;
}

/* EVP_PKEY_free wipes the private numbers. */
void s2_openssl_identity_free(void *user, void *identity)
{
    struct s2_openssl_identity *id = identity;

    (void)user;
    if (id == NULL)
        return;
    EVP_PKEY_free(id->key);
    OPENSSL_free(id->der);
    OPENSSL_clear_free(id, sizeof(*id));
}

size_t s2_openssl_identity_chain(void *user, const void *identity,
                                 s2svpn_span chain[S2SVPN_CHAIN_MAX])
{
    const struct s2_openssl_identity *id = identity;

    (void)user;
    memcpy(chain, id->chain, id->count * sizeof(id->chain[0]));
    return id->count;
}

s2svpn_status s2_openssl_job_sign(s2svpn_job *job)
{
    s2svpn_sign *sign = job->sign;

    if (sign == NULL || sign->size < sizeof(*sign) || sign->identity == NULL || job->out == NULL)
        return S2SVPN_E_CRYPTO;
    const struct s2_openssl_identity *id = sign->identity;
    return s2_openssl_signature_make(id->key, id->kind, sign->peer_hashes, sign->in, sign->in_count,
                                     job->out, &job->out_len, &sign->method);
}
