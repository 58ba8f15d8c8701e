/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates read from PEM and DER, kinds of keys, and a certificate described. Judges
 * no path (openssl_verify.c). RFC 5280 section 4, RFC 7468; names of attributes as RFC
 * 4514 section 3 has them. */
#include "crypto/openssl_certificate.h"

#include <limits.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/pem.h>

/* Cut where it is too long; the rest of out is zero already. */
static void copy_text(char *out, size_t room, const char *text)
{
    const size_t len = strlen(text);

    memcpy(out, text, len < room ? len : room - 1);
}

s2svpn_status s2_openssl_fail(s2svpn_error *why, s2svpn_status code, const char *field,
                              const char *message)
{
    if (why != NULL) {
        *why = (s2svpn_error){.code = code};
        copy_text(why->field, sizeof(why->field), field);
        copy_text(why->message, sizeof(why->message), message);
    }
    return code;
}

s2svpn_status s2_openssl_failure(s2svpn_status otherwise)
{
    const unsigned long last = ERR_peek_last_error();

    return ERR_GET_REASON(last) == ERR_R_MALLOC_FAILURE ? S2SVPN_E_MEMORY : otherwise;
}

/* ---- keys ---- */

/* A public exponent of 1 makes every text its own signature. */
static enum s2_openssl_key rsa_kind(const EVP_PKEY *key)
{
    const int bits = EVP_PKEY_get_bits(key);
    BIGNUM *e = NULL;
    bool sound;

    if (bits < S2_OPENSSL_RSA_MIN)
        return S2_OPENSSL_KEY_WEAK;
    sound = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) == 1 && BN_is_odd(e) &&
            BN_num_bits(e) > 1;
    BN_free(e);
    if (!sound)
        return S2_OPENSSL_KEY_WEAK;
    return bits <= S2_OPENSSL_RSA_MAX ? S2_OPENSSL_KEY_RSA : S2_OPENSSL_KEY_OTHER;
}

/* A curve by its name only: one that is spelled out may have a generator of its maker's
 * choice (CVE-2020-0601). */
static enum s2_openssl_key ec_kind(const EVP_PKEY *key)
{
    static const struct {
        const char *name;
        enum s2_openssl_key kind;
    } curves[] = {
        {SN_X9_62_prime256v1, S2_OPENSSL_KEY_P256},
        {SN_secp384r1, S2_OPENSSL_KEY_P384},
        {SN_secp521r1, S2_OPENSSL_KEY_P521},
    };
    char name[64];
    size_t len;
    int spelled_out = 1;

    if (EVP_PKEY_get_int_param(key, OSSL_PKEY_PARAM_EC_DECODED_FROM_EXPLICIT_PARAMS,
                               &spelled_out) != 1 ||
        spelled_out != 0)
        return S2_OPENSSL_KEY_WEAK;
    if (EVP_PKEY_get_group_name(key, name, sizeof(name), &len) != 1)
        return S2_OPENSSL_KEY_WEAK;
    for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++) {
        if (strcmp(name, curves[i].name) == 0)
            return curves[i].kind;
    }
    return EVP_PKEY_get_bits(key) < 256 ? S2_OPENSSL_KEY_WEAK : S2_OPENSSL_KEY_OTHER;
}

enum s2_openssl_key s2_openssl_key_kind(const EVP_PKEY *key)
{
    if (key == NULL)
        return S2_OPENSSL_KEY_OTHER;
    if (EVP_PKEY_is_a(key, "RSA"))
        return rsa_kind(key);
    return EVP_PKEY_is_a(key, "EC") ? ec_kind(key) : S2_OPENSSL_KEY_OTHER;
}

bool s2_openssl_key_strong(const EVP_PKEY *key)
{
    if (key == NULL)
        return false;
    if (EVP_PKEY_is_a(key, "RSA-PSS"))
        return rsa_kind(key) != S2_OPENSSL_KEY_WEAK;
    return EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448") ||
           (EVP_PKEY_is_a(key, "RSA") && rsa_kind(key) != S2_OPENSSL_KEY_WEAK) ||
           s2_openssl_key_kind(key) >= S2_OPENSSL_KEY_RSA;
}

/* ---- reading ---- */

X509 *s2_openssl_read_der(s2svpn_span der)
{
    const uint8_t *p = der.p;

    if (der.len == 0 || der.len > S2_OPENSSL_CERTIFICATE_MAX)
        return NULL;
    X509 *x = d2i_X509(NULL, &p, (long)der.len);
    if (x != NULL && p == der.p + der.len && i2d_X509(x, NULL) == (int)der.len)
        return x;
    X509_free(x);
    return NULL;
}

int s2_openssl_no_password(char *out, int room, int writing, void *user)
{
    (void)out;
    (void)room;
    (void)writing;
    (void)user;
    return -1;
}

/* PEM's end is an error of OpenSSL's like the others. */
static s2svpn_status read_blocks(BIO *bio, size_t max, STACK_OF(X509) * all)
{
    for (;;) {
        X509 *x = PEM_read_bio_X509(bio, NULL, s2_openssl_no_password, NULL);

        if (x == NULL) {
            const unsigned long last = ERR_peek_last_error();
            const bool end = ERR_GET_LIB(last) == ERR_LIB_PEM &&
                             ERR_GET_REASON(last) == PEM_R_NO_START_LINE && sk_X509_num(all) > 0;

            return end ? S2SVPN_OK : s2_openssl_failure(S2SVPN_E_MALFORMED);
        }
        if ((size_t)sk_X509_num(all) == max || i2d_X509(x, NULL) > S2_OPENSSL_CERTIFICATE_MAX) {
            X509_free(x);
            return S2SVPN_E_LIMIT;
        }
        if (sk_X509_push(all, x) <= 0) {
            X509_free(x);
            return S2SVPN_E_MEMORY;
        }
    }
}

s2svpn_status s2_openssl_read_pem(s2svpn_span text, size_t max, STACK_OF(X509) * *out)
{
    s2svpn_status rc = S2SVPN_E_MALFORMED;
    STACK_OF(X509) *all = NULL;
    BIO *bio = NULL;

    if (text.len == 0 || text.len > INT_MAX)
        return rc;
    rc = S2SVPN_E_MEMORY;
    bio = BIO_new_mem_buf(text.p, (int)text.len);
    all = sk_X509_new_null();
    if (bio == NULL || all == NULL)
        goto fail;
    rc = read_blocks(bio, max, all);
    if (rc != S2SVPN_OK)
        goto fail;
    BIO_free(bio);
    *out = all;
    return S2SVPN_OK;
fail:
    sk_X509_pop_free(all, X509_free);
    BIO_free(bio);
    return rc;
}

/* ---- describing ---- */

/* Cut where it is too long, between two characters of UTF-8. */
static bool name_text(const X509_NAME *name, char *out, size_t room)
{
    const unsigned long form =
        (ASN1_STRFLGS_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) | XN_FLAG_SEP_CPLUS_SPC;
    BIO *bio = BIO_new(BIO_s_mem());
    const char *text = NULL;
    bool good = false;

    if (bio != NULL && X509_NAME_print_ex(bio, name, 0, form) >= 0) {
        long len = BIO_get_mem_data(bio, &text);
        size_t n = len > 0 ? (size_t)len : 0;

        if (n >= room) {
            n = room - 1;
            while (n > 0 && ((uint8_t)text[n] & 0xc0) == 0x80)
                n--;
        }
        if (n > 0)
            memcpy(out, text, n);
        out[n] = 0;
        good = true;
    }
    BIO_free(bio);
    return good;
}

static bool serial_text(const ASN1_INTEGER *serial, char *out, size_t room)
{
    BIGNUM *n = ASN1_INTEGER_to_BN(serial, NULL);
    char *text = n != NULL ? BN_bn2hex(n) : NULL;
    const size_t len = text != NULL ? strlen(text) : room;
    const bool good = len < room;

    if (good)
        memcpy(out, text, len + 1);
    OPENSSL_free(text);
    BN_free(n);
    return good;
}

/* Seconds since 1970; what was before is 0. */
static bool time_number(const ASN1_TIME *t, uint64_t *out)
{
    ASN1_TIME *begin = ASN1_TIME_set(NULL, 0);
    int days, seconds;
    const bool good = begin != NULL && ASN1_TIME_diff(&days, &seconds, begin, t) == 1;

    if (good) {
        const int64_t sum = (int64_t)days * 86400 + seconds;
        *out = sum > 0 ? (uint64_t)sum : 0;
    }
    ASN1_TIME_free(begin);
    return good;
}

static s2svpn_status describe(const X509 *x, s2svpn_certificate_info *info)
{
    const X509_NAME *subject = X509_get_subject_name(x);
    const uint8_t *der;
    size_t len;

    if (X509_NAME_get0_der(subject, &der, &len) != 1)
        return s2_openssl_failure(S2SVPN_E_MALFORMED);
    if (len > sizeof(info->subject_der))
        return S2SVPN_E_LIMIT;
    memcpy(info->subject_der, der, len);
    info->subject_der_len = (uint32_t)len;
    if (!name_text(subject, info->subject, sizeof(info->subject)) ||
        !name_text(X509_get_issuer_name(x), info->issuer, sizeof(info->issuer)) ||
        !serial_text(X509_get0_serialNumber(x), info->serial, sizeof(info->serial)) ||
        !time_number(X509_get0_notBefore(x), &info->not_before_s) ||
        !time_number(X509_get0_notAfter(x), &info->not_after_s))
        return s2_openssl_failure(S2SVPN_E_MALFORMED);
    return S2SVPN_OK;
}

static X509 *read_either(s2svpn_span bytes)
{
    STACK_OF(X509) *one = NULL;

    if (bytes.len > 0 && bytes.p[0] == (V_ASN1_SEQUENCE | V_ASN1_CONSTRUCTED))
        return s2_openssl_read_der(bytes);
    if (s2_openssl_read_pem(bytes, S2SVPN_CHAIN_MAX, &one) != S2SVPN_OK)
        return NULL;
    X509 *x = sk_X509_shift(one);
    sk_X509_pop_free(one, X509_free);
    return x;
}

s2svpn_status s2_openssl_certificate_read(void *user, s2svpn_span certificate,
                                          s2svpn_certificate_info *out)
{
    s2svpn_certificate_info info = {.size = out->size};
    s2svpn_status rc = S2SVPN_E_MALFORMED;

    (void)user;
    ERR_set_mark();
    X509 *x = read_either(certificate);
    rc = x != NULL ? describe(x, &info) : s2_openssl_failure(rc);
    X509_free(x);
    ERR_pop_to_mark();
    if (rc == S2SVPN_OK)
        memcpy(out, &info, out->size < sizeof(info) ? out->size : sizeof(info));
    return rc;
}
