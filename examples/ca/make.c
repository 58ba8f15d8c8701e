/* SPDX-License-Identifier: Apache-2.0 */
/* Keys, certificates (RFC 5280, as RFC 4945 section 5.1 profiles them for IKE) and
 * revocation lists (RFC 5280 section 5). */
#include "ca/ca.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/pem.h>

#define RSA_BITS 3072
#define SERIAL_BITS 127 /* unpredictable, and positive in 16 bytes */
#define EARLIER 3600    /* seconds that a peer's clock may be late */
#define DAY 86400

EVP_PKEY *ca_make_key(enum ca_kind kind)
{
    EVP_PKEY *key = kind == CA_RSA ? EVP_RSA_gen(RSA_BITS) : EVP_EC_gen("P-256");

    if (key == NULL)
        ca_crypto_fail("making a key");
    return key;
}

void ca_check_key(const EVP_PKEY *key, const char *whose)
{
    static const char *const curves[] = {SN_X9_62_prime256v1, SN_secp384r1, SN_secp521r1};
    char curve[64] = "";
    bool good = false;

    if (key != NULL && EVP_PKEY_is_a(key, "RSA")) {
        good = EVP_PKEY_get_bits(key) >= 2048 && EVP_PKEY_get_bits(key) <= 8192;
    } else if (key != NULL && EVP_PKEY_is_a(key, "EC")) {
        EVP_PKEY_get_group_name(key, curve, sizeof(curve), NULL);
        for (size_t i = 0; i < sizeof(curves) / sizeof(curves[0]); i++)
            good = good || strcmp(curve, curves[i]) == 0;
    }
    if (!good)
        ca_fail("%s: its key is neither RSA of 2048 to 8192 bits nor EC on P-256, P-384, P-521",
                whose);
}

static void add_extension(X509 *x, X509V3_CTX *ctx, int nid, const char *value)
{
    X509_EXTENSION *ext = X509V3_EXT_nconf_nid(NULL, ctx, nid, value);

    if (ext == NULL || X509_add_ext(x, ext, -1) != 1)
        ca_crypto_fail("a certificate's extension");
    X509_EXTENSION_free(ext);
}

/* digitalSignature is what IKE uses a key for; EKU: what other makers' gateways ask for. */
static void add_extensions(X509 *x, enum ca_role role, X509 *issuer, const GENERAL_NAMES *names)
{
    static const struct {
        const char *constraints, *use;
    } of[] = {
        [CA_IS_ROOT] = {"critical,CA:TRUE,pathlen:0", "critical,keyCertSign,cRLSign"},
        [CA_IS_ROOT_OF_OTHERS] = {"critical,CA:TRUE,pathlen:1", "critical,keyCertSign,cRLSign"},
        [CA_IS_INTERMEDIATE] = {"critical,CA:TRUE,pathlen:0", "critical,keyCertSign,cRLSign"},
        [CA_IS_LEAF] = {"critical,CA:FALSE", "critical,digitalSignature"},
    };
    X509V3_CTX ctx;

    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    add_extension(x, &ctx, NID_basic_constraints, of[role].constraints);
    add_extension(x, &ctx, NID_key_usage, of[role].use);
    if (role == CA_IS_LEAF)
        add_extension(x, &ctx, NID_ext_key_usage, "serverAuth,clientAuth,1.3.6.1.5.5.7.3.17");
    add_extension(x, &ctx, NID_subject_key_identifier, "hash");
    if (issuer != x)
        add_extension(x, &ctx, NID_authority_key_identifier, "keyid:always");
    if (names != NULL &&
        X509_add1_ext_i2d(x, NID_subject_alt_name, (void *)names, 0, X509V3_ADD_APPEND) != 1)
        ca_crypto_fail("the alternative names");
}

static void set_serial(X509 *x)
{
    BIGNUM *n = BN_new();

    if (n == NULL || BN_rand(n, SERIAL_BITS, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) != 1 ||
        BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)) == NULL)
        ca_crypto_fail("a serial number");
    BN_free(n);
}

static void set_times(X509 *x, const X509 *issuer, unsigned days)
{
    const time_t now = time(NULL);
    time_t end = now + (time_t)days * DAY;

    if (issuer != NULL) {
        const time_t last = ca_time_of(X509_get0_notAfter(issuer));

        if (last <= now)
            ca_fail("the authority's own certificate has expired");
        end = end < last ? end : last;
    }
    if (ASN1_TIME_set(X509_getm_notBefore(x), now - EARLIER) == NULL ||
        ASN1_TIME_set(X509_getm_notAfter(x), end) == NULL)
        ca_crypto_fail("a certificate's times");
}

X509 *ca_make_certificate(enum ca_role role, const X509_NAME *subject, const GENERAL_NAMES *names,
                          EVP_PKEY *own, const struct ca_signer *by, unsigned days)
{
    X509 *x = X509_new();

    if (x == NULL)
        ca_fail("out of memory");
    X509 *issuer = by != NULL ? by->x : x;
    if (X509_set_version(x, X509_VERSION_3) != 1 || X509_set_subject_name(x, subject) != 1 ||
        X509_set_issuer_name(x, by != NULL ? X509_get_subject_name(issuer) : subject) != 1 ||
        X509_set_pubkey(x, own) != 1)
        ca_crypto_fail("a certificate");
    set_serial(x);
    set_times(x, by != NULL ? issuer : NULL, days);
    add_extensions(x, role, issuer, names);
    if (X509_sign(x, by != NULL ? by->key : own, EVP_sha256()) <= 0)
        ca_crypto_fail("signing a certificate");
    return x;
}

static void add_revoked(X509_CRL *crl, const struct ca_entry *e)
{
    X509_REVOKED *revoked = X509_REVOKED_new();
    ASN1_TIME *when = ca_time_read(e->revoked_at);
    ASN1_INTEGER *serial = NULL;
    BIGNUM *n = NULL;

    if (revoked == NULL || BN_hex2bn(&n, e->serial) == 0 ||
        (serial = BN_to_ASN1_INTEGER(n, NULL)) == NULL ||
        X509_REVOKED_set_serialNumber(revoked, serial) != 1 ||
        X509_REVOKED_set_revocationDate(revoked, when) != 1 ||
        X509_CRL_add0_revoked(crl, revoked) != 1)
        ca_crypto_fail("an entry of the revocation list");
    ASN1_INTEGER_free(serial);
    ASN1_TIME_free(when);
    BN_free(n);
}

static void add_list_extensions(X509_CRL *crl, X509 *issuer, uint64_t number)
{
    ASN1_INTEGER *n = ASN1_INTEGER_new();
    X509V3_CTX ctx;

    if (n == NULL || ASN1_INTEGER_set_uint64(n, number) != 1 ||
        X509_CRL_add1_ext_i2d(crl, NID_crl_number, n, 0, X509V3_ADD_APPEND) != 1)
        ca_crypto_fail("the revocation list's number");
    ASN1_INTEGER_free(n);
    X509V3_set_ctx(&ctx, issuer, NULL, NULL, crl, 0);
    X509_EXTENSION *ext =
        X509V3_EXT_nconf_nid(NULL, &ctx, NID_authority_key_identifier, "keyid:always");
    if (ext == NULL || X509_CRL_add_ext(crl, ext, -1) != 1)
        ca_crypto_fail("the revocation list's issuer");
    X509_EXTENSION_free(ext);
}

X509_CRL *ca_make_list(const struct ca_signer *by, const char *issuer, const struct ca_index *index,
                       unsigned days, uint64_t number)
{
    const time_t now = time(NULL);
    ASN1_TIME *begin = ASN1_TIME_set(NULL, now - EARLIER);
    ASN1_TIME *end = ASN1_TIME_set(NULL, now + (time_t)days * DAY);
    X509_CRL *crl = X509_CRL_new();

    if (begin == NULL || end == NULL || crl == NULL ||
        X509_CRL_set_version(crl, X509_CRL_VERSION_2) != 1 ||
        X509_CRL_set_issuer_name(crl, X509_get_subject_name(by->x)) != 1 ||
        X509_CRL_set1_lastUpdate(crl, begin) != 1 || X509_CRL_set1_nextUpdate(crl, end) != 1)
        ca_crypto_fail("a revocation list");
    for (size_t i = 0; i < index->count; i++) {
        if (index->entry[i].revoked && strcmp(index->entry[i].issuer, issuer) == 0)
            add_revoked(crl, &index->entry[i]);
    }
    X509_CRL_sort(crl);
    add_list_extensions(crl, by->x, number);
    if (X509_CRL_sign(crl, by->key, EVP_sha256()) <= 0)
        ca_crypto_fail("signing a revocation list");
    ASN1_TIME_free(begin);
    ASN1_TIME_free(end);
    return crl;
}

/* ---- in files ---- */

static void write_bio(const struct ca *ca, const char *file, BIO *bio, bool secret)
{
    char *text;
    const long len = BIO_get_mem_data(bio, &text);

    ca_write(ca, file, text, (size_t)len, secret);
    BIO_free(bio);
}

void ca_write_certificates(const struct ca *ca, const char *name, X509 *first, X509 *second)
{
    BIO *bio = BIO_new(BIO_s_mem());

    if (bio == NULL || PEM_write_bio_X509(bio, first) != 1 ||
        (second != NULL && PEM_write_bio_X509(bio, second) != 1))
        ca_crypto_fail(name);
    write_bio(ca, ca_file(name, ".pem"), bio, false);
}

void ca_write_key(const struct ca *ca, const char *name, EVP_PKEY *key)
{
    BIO *bio = BIO_new(BIO_s_secmem());

    if (bio == NULL || PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1)
        ca_crypto_fail(name);
    write_bio(ca, ca_file(name, ".key"), bio, true);
}

static int no_password(char *out, int room, int writing, void *user)
{
    (void)out;
    (void)room;
    (void)writing;
    (void)user;
    return -1;
}

struct ca_signer ca_signer_of(const struct ca *ca, const char *name, bool with_key)
{
    struct ca_signer signer = {.x = NULL};
    char *text = ca_read(ca, ca_file(name, ".pem"), false, NULL);
    BIO *bio = BIO_new_mem_buf(text, -1);
    size_t len;

    signer.x = bio != NULL ? PEM_read_bio_X509(bio, NULL, no_password, NULL) : NULL;
    if (signer.x == NULL)
        ca_crypto_fail(ca_file(name, ".pem"));
    BIO_free(bio);
    free(text);
    if (!with_key)
        return signer;
    text = ca_read(ca, ca_file(name, ".key"), true, &len);
    bio = BIO_new_mem_buf(text, -1);
    signer.key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, no_password, NULL) : NULL;
    if (signer.key == NULL)
        ca_crypto_fail(ca_file(name, ".key"));
    BIO_free(bio);
    OPENSSL_cleanse(text, len);
    free(text);
    if (X509_check_private_key(signer.x, signer.key) != 1)
        ca_fail("%s/%s.key: not the key of %s.pem", ca->folder, name, name);
    return signer;
}
