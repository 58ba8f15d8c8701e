/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The job VERIFY: is there a path from the peer's certificate to an authority (RFC 5280
 * section 6), may its key be used for IKE, and is it the certificate of the identity that
 * the peer claims (RFC 4945 sections 3.1 and 5.1.3)? The signature is checked last, by
 * openssl_signature.c.
 *
 * The first thing that is wrong is what is reported; nothing is accepted because something
 * couldn't be looked at.
 */
#include "crypto/openssl_certificate.h"

#include <string.h>
#include <time.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#define AUTH_LEVEL 2 /* 112 bits: no SHA-1 or MD5 below the authority, no RSA below 2048 */

/* ID payloads, RFC 7296 section 3.5. */
enum id_type {
    ID_IPV4_ADDR = 1,
    ID_FQDN = 2,
    ID_RFC822_ADDR = 3,
    ID_IPV6_ADDR = 5,
    ID_DER_ASN1_DN = 9,
};

static s2svpn_status refuse(s2svpn_verify *v, enum s2svpn_certificate_result result)
{
    v->why = (uint8_t)result;
    return S2SVPN_E_AUTHENTICATION;
}

/* ---- the path ---- */

static enum s2svpn_certificate_result result_of(int error)
{
    switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return S2SVPN_CERTIFICATE_EXPIRED;
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return S2SVPN_CERTIFICATE_NOT_YET_VALID;
    case X509_V_ERR_CERT_REVOKED:
        return S2SVPN_CERTIFICATE_REVOKED;
    case X509_V_ERR_UNABLE_TO_GET_CRL:
    case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
    case X509_V_ERR_UNABLE_TO_DECRYPT_CRL_SIGNATURE:
    case X509_V_ERR_CRL_SIGNATURE_FAILURE:
    case X509_V_ERR_CRL_NOT_YET_VALID:
    case X509_V_ERR_CRL_HAS_EXPIRED:
    case X509_V_ERR_ERROR_IN_CRL_LAST_UPDATE_FIELD:
    case X509_V_ERR_ERROR_IN_CRL_NEXT_UPDATE_FIELD:
    case X509_V_ERR_KEYUSAGE_NO_CRL_SIGN:
    case X509_V_ERR_UNHANDLED_CRITICAL_CRL_EXTENSION:
    case X509_V_ERR_DIFFERENT_CRL_SCOPE:
    case X509_V_ERR_CRL_PATH_VALIDATION_ERROR:
        return S2SVPN_CERTIFICATE_NO_CRL;
    case X509_V_ERR_EE_KEY_TOO_SMALL:
    case X509_V_ERR_CA_KEY_TOO_SMALL:
    case X509_V_ERR_CA_MD_TOO_WEAK:
        return S2SVPN_CERTIFICATE_WEAK;
    case X509_V_ERR_INVALID_CA:
    case X509_V_ERR_INVALID_NON_CA:
    case X509_V_ERR_PATH_LENGTH_EXCEEDED:
    case X509_V_ERR_INVALID_PURPOSE:
    case X509_V_ERR_KEYUSAGE_NO_CERTSIGN:
    case X509_V_ERR_KEYUSAGE_NO_DIGITAL_SIGNATURE:
    case X509_V_ERR_UNHANDLED_CRITICAL_EXTENSION:
    case X509_V_ERR_PROXY_CERTIFICATES_NOT_ALLOWED:
    case X509_V_ERR_PERMITTED_VIOLATION:
    case X509_V_ERR_EXCLUDED_VIOLATION:
    case X509_V_ERR_SUBTREE_MINMAX:
    case X509_V_ERR_UNSUPPORTED_CONSTRAINT_TYPE:
    case X509_V_ERR_UNSUPPORTED_CONSTRAINT_SYNTAX:
    case X509_V_ERR_UNSUPPORTED_NAME_SYNTAX:
        return S2SVPN_CERTIFICATE_PURPOSE;
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_UNABLE_TO_DECRYPT_CERT_SIGNATURE:
    case X509_V_ERR_UNABLE_TO_DECODE_ISSUER_PUBLIC_KEY:
    case X509_V_ERR_CERT_SIGNATURE_FAILURE:
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_CERT_CHAIN_TOO_LONG:
    case X509_V_ERR_CERT_UNTRUSTED:
    case X509_V_ERR_CERT_REJECTED:
    case X509_V_ERR_SUBJECT_ISSUER_MISMATCH:
    case X509_V_ERR_AKID_SKID_MISMATCH:
    case X509_V_ERR_AKID_ISSUER_SERIAL_MISMATCH:
        return S2SVPN_CERTIFICATE_UNKNOWN_ISSUER;
    default:
        return S2SVPN_CERTIFICATE_MALFORMED;
    }
}

/* An intermediate authority that is trusted by itself ends the path, and whether the one
 * above it has revoked it isn't asked: RFC 5280 section 6.1 has the trust anchor outside the
 * path, and the list's signature couldn't be checked. */
static int on_problem(int good, X509_STORE_CTX *ctx)
{
    const enum s2svpn_certificate_result result = result_of(X509_STORE_CTX_get_error(ctx));
    const STACK_OF(X509) *path = X509_STORE_CTX_get0_chain(ctx);
    const int depth = X509_STORE_CTX_get_error_depth(ctx);

    if (good != 0 || depth == 0 || depth != sk_X509_num(path) - 1 ||
        (result != S2SVPN_CERTIFICATE_NO_CRL && result != S2SVPN_CERTIFICATE_REVOKED) ||
        X509_self_signed(sk_X509_value(path, depth), 0) != 0)
        return good;
    X509_STORE_CTX_set_error(ctx, X509_V_OK);
    return 1;
}

static bool set_up(X509_STORE_CTX *ctx, const struct s2_openssl_trust *trust, uint64_t unix_s,
                   bool partial)
{
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
    unsigned long flags = partial ? X509_V_FLAG_PARTIAL_CHAIN : 0;

    if (trust->crls)
        flags |= X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL;
    if (unix_s == 0)
        flags |= X509_V_FLAG_NO_CHECK_TIME;
    else
        X509_VERIFY_PARAM_set_time(param, (time_t)unix_s);
    X509_VERIFY_PARAM_set_depth(param, S2SVPN_CHAIN_MAX - 1);
    X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
    X509_STORE_CTX_set_verify_cb(ctx, on_problem);
    return X509_VERIFY_PARAM_set_flags(param, flags) == 1;
}

static bool path_is_strong(const STACK_OF(X509) * path)
{
    for (int i = 1; i < sk_X509_num(path); i++) {
        if (!s2_openssl_key_strong(X509_get0_pubkey(sk_X509_value(path, i))))
            return false;
    }
    return true;
}

/* OpenSSL's word on a path to a root, or to any authority. */
static s2svpn_status find_path(s2svpn_verify *v, X509 *own, STACK_OF(X509) * others, bool partial,
                               int *error)
{
    const struct s2_openssl_trust *trust = v->trust;
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    s2svpn_status rc = S2SVPN_E_MEMORY;

    *error = X509_V_ERR_OUT_OF_MEM;
    if (ctx == NULL || X509_STORE_CTX_init(ctx, trust->store, own, others) != 1 ||
        !set_up(ctx, trust, v->unix_s, partial))
        goto out;
    if (X509_verify_cert(ctx) != 1) {
        *error = X509_STORE_CTX_get_error(ctx);
        if (*error != X509_V_ERR_OUT_OF_MEM)
            rc = s2_openssl_failure(S2SVPN_E_AUTHENTICATION);
        if (rc == S2SVPN_E_AUTHENTICATION)
            rc = refuse(v, result_of(*error));
        goto out;
    }
    rc = path_is_strong(X509_STORE_CTX_get0_chain(ctx)) ? S2SVPN_OK
                                                        : refuse(v, S2SVPN_CERTIFICATE_WEAK);
out:
    X509_STORE_CTX_free(ctx);
    return rc;
}

/* To a root first, so that an authority that is trusted beside its root can still be
 * revoked by it. */
static s2svpn_status check_path(s2svpn_verify *v, X509 *own, STACK_OF(X509) * others)
{
    int error;
    const s2svpn_status rc = find_path(v, own, others, false, &error);

    if (rc != S2SVPN_E_AUTHENTICATION)
        return rc;
    switch (error) {
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
        return find_path(v, own, others, true, &error);
    default:
        return rc;
    }
}

/* ---- its use ---- */

static s2svpn_status check_key(s2svpn_verify *v, X509 *own)
{
    switch (s2_openssl_key_kind(X509_get0_pubkey(own))) {
    case S2_OPENSSL_KEY_WEAK:
        return refuse(v, S2SVPN_CERTIFICATE_WEAK);
    case S2_OPENSSL_KEY_OTHER:
        return refuse(v, S2SVPN_CERTIFICATE_METHOD);
    default:
        return S2SVPN_OK;
    }
}

/* RFC 4945 section 5.1.3.12: what is there must allow it, and these all do. */
static bool use_is_allowed(X509 *own)
{
    static const int allowed[] = {NID_anyExtendedKeyUsage, NID_server_auth, NID_client_auth,
                                  NID_ipsec_IKE};
    int critical = -1;
    bool found = false;
    EXTENDED_KEY_USAGE *uses = X509_get_ext_d2i(own, NID_ext_key_usage, &critical, NULL);

    if (uses == NULL)
        return critical == -1; /* not there; else malformed, or there twice */
    for (int i = 0; i < sk_ASN1_OBJECT_num(uses); i++) {
        const int nid = OBJ_obj2nid(sk_ASN1_OBJECT_value(uses, i));

        for (size_t k = 0; k < sizeof(allowed) / sizeof(allowed[0]); k++)
            found = found || nid == allowed[k];
    }
    EXTENDED_KEY_USAGE_free(uses);
    return found;
}

/* An authority's certificate is none to identify a gateway with: RFC 4945 section 5.1.3.9.
 * X509_get_key_usage answers with all bits where the extension isn't there. */
static s2svpn_status check_use(s2svpn_verify *v, X509 *own)
{
    if (X509_check_ca(own) != 0)
        return refuse(v, S2SVPN_CERTIFICATE_PURPOSE);
    if ((X509_get_key_usage(own) & (KU_DIGITAL_SIGNATURE | KU_NON_REPUDIATION)) == 0)
        return refuse(v, S2SVPN_CERTIFICATE_PURPOSE);
    return use_is_allowed(own) ? S2SVPN_OK : refuse(v, S2SVPN_CERTIFICATE_PURPOSE);
}

/* ---- whose it is ---- */

/* By the bytes, or as RFC 5280 section 7.1 compares (case and blanks don't count). */
static bool is_subject(X509 *own, s2svpn_span der)
{
    const X509_NAME *subject = X509_get_subject_name(own);
    const uint8_t *p = der.p, *ours;
    size_t len;

    if (der.len == 0 || der.len > S2_OPENSSL_SUBJECT_MAX || X509_NAME_entry_count(subject) <= 0)
        return false;
    if (X509_NAME_get0_der(subject, &ours, &len) == 1 && len == der.len &&
        memcmp(ours, der.p, len) == 0)
        return true;
    X509_NAME *name = d2i_X509_NAME(NULL, &p, (long)der.len);
    const bool same = name != NULL && p == der.p + der.len && X509_NAME_cmp(name, subject) == 0;
    X509_NAME_free(name);
    return same;
}

static uint8_t lower(uint8_t c)
{
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

/* Case counts in the first exact bytes alone. */
static bool same_text(const uint8_t *a, size_t len, s2svpn_span b, size_t exact)
{
    if (len != b.len)
        return false;
    for (size_t i = 0; i < len; i++) {
        if (i < exact ? a[i] != b.p[i] : lower(a[i]) != lower(b.p[i]))
            return false;
    }
    return true;
}

/* A mail address: its host's letters have no case, RFC 5280 section 7.5. */
static size_t local_part_len(s2svpn_span address)
{
    const uint8_t *at = address.len > 0 ? memchr(address.p, '@', address.len) : NULL;

    return at != NULL ? (size_t)(at - address.p) : address.len;
}

static bool is_name(const GENERAL_NAME *name, uint8_t id_type, s2svpn_span id)
{
    int type;
    const ASN1_STRING *value = GENERAL_NAME_get0_value(name, &type);
    static const struct {
        int type;
        size_t len; /* 0: a text */
    } wanted[] = {
        [ID_IPV4_ADDR] = {GEN_IPADD, 4},
        [ID_FQDN] = {GEN_DNS, 0},
        [ID_RFC822_ADDR] = {GEN_EMAIL, 0},
        [ID_IPV6_ADDR] = {GEN_IPADD, 16},
    };

    if (id_type >= sizeof(wanted) / sizeof(wanted[0]) || type != wanted[id_type].type ||
        id.len == 0)
        return false;
    const uint8_t *p = ASN1_STRING_get0_data(value);
    const size_t len = (size_t)ASN1_STRING_length(value);
    if (wanted[id_type].len != 0)
        return len == wanted[id_type].len && len == id.len && memcmp(p, id.p, len) == 0;
    return same_text(p, len, id, id_type == ID_RFC822_ADDR ? local_part_len(id) : 0);
}

/* No wildcards, and the subject's CN is no alternative name. */
static bool is_alternative_name(X509 *own, uint8_t id_type, s2svpn_span id)
{
    GENERAL_NAMES *names = X509_get_ext_d2i(own, NID_subject_alt_name, NULL, NULL);
    bool found = false;

    for (int i = 0; !found && i < sk_GENERAL_NAME_num(names); i++)
        found = is_name(sk_GENERAL_NAME_value(names, i), id_type, id);
    GENERAL_NAMES_free(names);
    return found;
}

static s2svpn_status check_identity(s2svpn_verify *v, X509 *own)
{
    const bool his = v->id_type == ID_DER_ASN1_DN ? is_subject(own, v->id)
                                                  : is_alternative_name(own, v->id_type, v->id);

    if (!his)
        return refuse(v, S2SVPN_CERTIFICATE_IDENTITY);
    if (v->subject.len > 0 && !is_subject(own, v->subject))
        return refuse(v, S2SVPN_CERTIFICATE_SUBJECT);
    return S2SVPN_OK;
}

/* ---- the job ---- */

static s2svpn_status read_chain(s2svpn_verify *v, X509 **own, STACK_OF(X509) * others)
{
    if (v->chain_count == 0 || v->chain_count > S2SVPN_CHAIN_MAX)
        return refuse(v, S2SVPN_CERTIFICATE_MALFORMED);
    for (uint32_t i = 0; i < v->chain_count; i++) {
        X509 *x = s2_openssl_read_der(v->chain[i]);

        if (x == NULL) {
            const s2svpn_status rc = s2_openssl_failure(S2SVPN_E_AUTHENTICATION);
            return rc == S2SVPN_E_AUTHENTICATION ? refuse(v, S2SVPN_CERTIFICATE_MALFORMED) : rc;
        }
        if (i == 0) {
            *own = x;
        } else if (sk_X509_push(others, x) <= 0) {
            X509_free(x);
            return S2SVPN_E_MEMORY;
        }
    }
    return S2SVPN_OK;
}

s2svpn_status s2_openssl_job_verify(s2svpn_job *job)
{
    s2svpn_verify *v = job->verify;
    X509 *own = NULL;

    if (v == NULL || v->size < sizeof(*v) || v->trust == NULL)
        return S2SVPN_E_CRYPTO;
    v->why = S2SVPN_CERTIFICATE_MALFORMED;
    STACK_OF(X509) *others = sk_X509_new_null();
    s2svpn_status rc = others != NULL ? read_chain(v, &own, others) : S2SVPN_E_MEMORY;
    if (rc == S2SVPN_OK)
        rc = check_path(v, own, others);
    if (rc == S2SVPN_OK)
        rc = check_key(v, own);
    if (rc == S2SVPN_OK)
        rc = check_use(v, own);
    if (rc == S2SVPN_OK)
        rc = check_identity(v, own);
    if (rc == S2SVPN_OK)
        rc = s2_openssl_signature_check(X509_get0_pubkey(own), v->method, v->auth, v->in,
                                        v->in_count, &v->why);
    if (rc == S2SVPN_OK)
        v->why = S2SVPN_CERTIFICATE_OK;
    X509_free(own);
    sk_X509_pop_free(others, X509_free);
    return rc;
}
