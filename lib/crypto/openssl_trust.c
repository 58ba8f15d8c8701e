/* SPDX-License-Identifier: Apache-2.0 */
/* Whom this side trusts: authorities, their revocation lists, and the hashes of their keys
 * for CERTREQ. Judges no peer (openssl_verify.c). RFC 5280, RFC 7296 section 3.7. */
#include "crypto/openssl_certificate.h"

#include <limits.h>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#define KEY_HASH_LEN 20 /* SHA-1 */

static s2svpn_status hash_key(X509 *x, uint8_t *out)
{
    uint8_t *der = NULL;
    const int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &der);

    if (len <= 0)
        return S2SVPN_E_MEMORY;
    const s2svpn_span in = {der, (size_t)len};
    const s2svpn_status rc = s2_openssl_hash(NULL, S2SVPN_HASH_SHA1, &in, 1, out);
    OPENSSL_free(der);
    return rc;
}

/* An end entity's certificate would make its holder's word the only thing that counts:
 * nobody could revoke it. X509_check_ca: 1 is basicConstraints with cA, 3 a self-signed
 * certificate of version 1. */
static s2svpn_status add_authority(struct s2_openssl_trust *t, X509 *x, s2svpn_error *why)
{
    const int ca = X509_check_ca(x);

    if (ca != 1 && ca != 3)
        return s2_openssl_fail(why, S2SVPN_E_ARGUMENT, "trust",
                               "a certificate in it is not an authority's");
    if (!s2_openssl_key_strong(X509_get0_pubkey(x)))
        return s2_openssl_fail(why, S2SVPN_E_UNSUPPORTED, "trust",
                               "an authority's key is too weak or of an unknown kind");
    if (X509_STORE_add_cert(t->store, x) != 1 ||
        hash_key(x, t->hashes + t->hashes_len) != S2SVPN_OK)
        return s2_openssl_fail(why, S2SVPN_E_MEMORY, "trust", "out of memory");
    t->hashes_len += KEY_HASH_LEN;
    return S2SVPN_OK;
}

static s2svpn_status add_authorities(struct s2_openssl_trust *t, s2svpn_span text,
                                     s2svpn_error *why)
{
    STACK_OF(X509) *all = NULL;
    s2svpn_status rc = s2_openssl_read_pem(text, S2_OPENSSL_AUTHORITIES_MAX, &all);

    if (rc == S2SVPN_E_LIMIT)
        return s2_openssl_fail(why, rc, "trust", "too many certificates, or one is too long");
    if (rc == S2SVPN_E_MEMORY)
        return s2_openssl_fail(why, rc, "trust", "out of memory");
    if (rc != S2SVPN_OK)
        return s2_openssl_fail(why, rc, "trust", "no certificates in PEM, or a malformed one");
    t->hashes = OPENSSL_malloc((size_t)sk_X509_num(all) * KEY_HASH_LEN);
    if (t->hashes == NULL)
        rc = s2_openssl_fail(why, S2SVPN_E_MEMORY, "trust", "out of memory");
    for (int i = 0; rc == S2SVPN_OK && i < sk_X509_num(all); i++)
        rc = add_authority(t, sk_X509_value(all, i), why);
    sk_X509_pop_free(all, X509_free);
    return rc;
}

static s2svpn_status read_lists(struct s2_openssl_trust *t, BIO *bio, s2svpn_error *why)
{
    for (size_t n = 0;; n++) {
        X509_CRL *crl = PEM_read_bio_X509_CRL(bio, NULL, s2_openssl_no_password, NULL);

        if (crl == NULL) {
            const unsigned long last = ERR_peek_last_error();

            if (n > 0 && ERR_GET_LIB(last) == ERR_LIB_PEM &&
                ERR_GET_REASON(last) == PEM_R_NO_START_LINE)
                return S2SVPN_OK;
            return s2_openssl_fail(why, s2_openssl_failure(S2SVPN_E_MALFORMED), "crls",
                                   "no revocation lists in PEM, or a malformed one");
        }
        const bool room = n < S2_OPENSSL_CRLS_MAX;
        const bool added = room && X509_STORE_add_crl(t->store, crl) == 1;
        X509_CRL_free(crl);
        if (!room)
            return s2_openssl_fail(why, S2SVPN_E_LIMIT, "crls", "too many revocation lists");
        if (!added)
            return s2_openssl_fail(why, S2SVPN_E_MEMORY, "crls", "out of memory");
    }
}

static s2svpn_status add_lists(struct s2_openssl_trust *t, s2svpn_span text, s2svpn_error *why)
{
    if (text.len == 0)
        return S2SVPN_OK;
    if (text.len > INT_MAX)
        return s2_openssl_fail(why, S2SVPN_E_LIMIT, "crls", "too many revocation lists");
    BIO *bio = BIO_new_mem_buf(text.p, (int)text.len);
    if (bio == NULL)
        return s2_openssl_fail(why, S2SVPN_E_MEMORY, "crls", "out of memory");
    const s2svpn_status rc = read_lists(t, bio, why);
    BIO_free(bio);
    t->crls = true;
    return rc;
}

s2svpn_status s2_openssl_trust_new(void *user, s2svpn_span authorities, s2svpn_span crls,
                                   void **trust, s2svpn_error *why)
{
    s2svpn_status rc;

    ERR_set_mark();
    struct s2_openssl_trust *t = OPENSSL_zalloc(sizeof(*t));
    if (t != NULL)
        t->store = X509_STORE_new();
    if (t == NULL || t->store == NULL)
        rc = s2_openssl_fail(why, S2SVPN_E_MEMORY, "", "out of memory");
    else
        rc = add_authorities(t, authorities, why);
    if (rc == S2SVPN_OK)
        rc = add_lists(t, crls, why);
    ERR_pop_to_mark();
    if (rc == S2SVPN_OK)
        *trust = t;
    else
        s2_openssl_trust_free(user, t);
    return rc;
}

void s2_openssl_trust_free(void *user, void *trust)
{
    struct s2_openssl_trust *t = trust;

    (void)user;
    if (t == NULL)
        return;
    X509_STORE_free(t->store);
    OPENSSL_free(t->hashes);
    OPENSSL_free(t);
}

s2svpn_span s2_openssl_trust_hashes(void *user, const void *trust)
{
    const struct s2_openssl_trust *t = trust;

    (void)user;
    return (s2svpn_span){t->hashes, t->hashes_len};
}
