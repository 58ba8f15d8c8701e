/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates for tests. */
#include "pki.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct s2_pki_holder {
    const struct s2_pki_holder *issuer; /* NULL: itself */
    X509 *x;
    EVP_PKEY *key;
    uint8_t *der;
    size_t der_len;
    char *pem, *key_pem, *chain_pem;
};

#define NEED(cond) need((cond), __LINE__)
static void need(bool good, int line)
{
    if (good)
        return;
    fprintf(stderr, "pki.c:%d: OpenSSL failed\n", line);
    abort();
}

static char *text_of(BIO *bio)
{
    char *data;
    const long len = BIO_get_mem_data(bio, &data);
    char *text = malloc((size_t)len + 1);

    NEED(text != NULL);
    memcpy(text, data, (size_t)len);
    text[len] = 0;
    BIO_free(bio);
    return text;
}

char *s2_pki_join(const char *a, const char *b)
{
    const size_t len = strlen(a) + strlen(b) + 1;
    char *text = malloc(len);

    NEED(text != NULL);
    snprintf(text, len, "%s%s", a, b);
    return text;
}

static EVP_PKEY *make_key(enum s2_pki_key key)
{
    switch (key) {
    case S2_PKI_P256:
        return EVP_EC_gen("P-256");
    case S2_PKI_P384:
        return EVP_EC_gen("P-384");
    case S2_PKI_P521:
        return EVP_EC_gen("P-521");
    case S2_PKI_P224:
        return EVP_EC_gen("P-224");
    case S2_PKI_RSA_1024:
        return EVP_RSA_gen(1024);
    case S2_PKI_RSA_2048:
        return EVP_RSA_gen(2048);
    case S2_PKI_RSA_3072:
        return EVP_RSA_gen(3072);
    case S2_PKI_ED25519:
        return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    case S2_PKI_KEYS:
        break;
    }
    return NULL;
}

static void set_subject(X509 *x, const char *subject)
{
    X509_NAME *name = X509_NAME_new();

    NEED(name != NULL);
    while (*subject != 0) {
        const char *equals = strchr(subject, '=');
        char type[16] = "";

        NEED(equals != NULL && (size_t)(equals - subject) < sizeof(type));
        memcpy(type, subject, (size_t)(equals - subject));
        const size_t len = strcspn(equals + 1, "/");
        NEED(X509_NAME_add_entry_by_txt(name, type, MBSTRING_UTF8, (const uint8_t *)equals + 1,
                                        (int)len, -1, 0) == 1);
        subject = equals + 1 + len;
        subject += *subject == '/';
    }
    NEED(X509_set_subject_name(x, name) == 1);
    X509_NAME_free(name);
}

static void add_extension(X509 *x, X509 *issuer, int nid, const char *value)
{
    X509V3_CTX ctx;

    if (value == NULL)
        return;
    X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
    X509_EXTENSION *ext = X509V3_EXT_nconf_nid(NULL, &ctx, nid, value);
    NEED(ext != NULL && X509_add_ext(x, ext, -1) == 1);
    X509_EXTENSION_free(ext);
}

static void add_extensions(X509 *x, X509 *issuer, const struct s2_pki_spec *spec)
{
    char constraints[64] = "critical,CA:TRUE";
    const char *key_usage = spec->key_usage;

    if (spec->authority && spec->path_length > 0)
        snprintf(constraints, sizeof(constraints), "critical,CA:TRUE,pathlen:%d",
                 spec->path_length - 1);
    if (spec->authority && key_usage == NULL)
        key_usage = "critical,keyCertSign,cRLSign";
    add_extension(x, issuer, NID_basic_constraints, spec->authority ? constraints : NULL);
    add_extension(x, issuer, NID_key_usage, key_usage);
    add_extension(x, issuer, NID_ext_key_usage, spec->purposes);
    add_extension(x, issuer, NID_subject_alt_name, spec->names);
    add_extension(x, issuer, NID_subject_key_identifier, "hash");
    add_extension(x, issuer, NID_authority_key_identifier, issuer != x ? "keyid" : NULL);
}

static void set_serial(X509 *x)
{
    BIGNUM *n = BN_new();

    NEED(n != NULL && BN_rand(n, 64, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1);
    NEED(BN_to_ASN1_INTEGER(n, X509_get_serialNumber(x)) != NULL);
    BN_free(n);
}

static const EVP_MD *digest_of(const EVP_PKEY *signer, const char *hash)
{
    return EVP_PKEY_is_a(signer, "ED25519") ? NULL
                                            : EVP_get_digestbyname(hash != NULL ? hash : "SHA256");
}

static void write_texts(struct s2_pki_holder *h)
{
    BIO *bio = BIO_new(BIO_s_mem());

    NEED(bio != NULL && PEM_write_bio_X509(bio, h->x) == 1);
    h->pem = text_of(bio);
    bio = BIO_new(BIO_s_mem());
    NEED(bio != NULL && PEM_write_bio_PrivateKey(bio, h->key, NULL, NULL, 0, NULL, NULL) == 1);
    h->key_pem = text_of(bio);
    h->chain_pem = s2_pki_join(h->pem, "");
    for (const struct s2_pki_holder *up = h->issuer; up != NULL && up->issuer != NULL;
         up = up->issuer) {
        char *longer = s2_pki_join(h->chain_pem, up->pem);

        free(h->chain_pem);
        h->chain_pem = longer;
    }
    const int len = i2d_X509(h->x, NULL);
    h->der = len > 0 ? malloc((size_t)len) : NULL;
    NEED(h->der != NULL);
    uint8_t *end = h->der;
    h->der_len = (size_t)i2d_X509(h->x, &end);
}

struct s2_pki_holder *s2_pki_new(const struct s2_pki_spec *spec, const struct s2_pki_holder *issuer)
{
    struct s2_pki_holder *h = calloc(1, sizeof(*h));

    NEED(h != NULL);
    h->issuer = issuer;
    h->key = make_key(spec->key);
    h->x = X509_new();
    NEED(h->key != NULL && h->x != NULL);
    const struct s2_pki_holder *signer = issuer != NULL ? issuer : h;
    NEED(X509_set_version(h->x, 2) == 1 && X509_set_pubkey(h->x, h->key) == 1);
    set_serial(h->x);
    set_subject(h->x, spec->subject);
    NEED(X509_set_issuer_name(h->x, X509_get_subject_name(signer->x)) == 1);
    const int64_t from = spec->from_s != 0 ? spec->from_s : S2_PKI_NOW - S2_PKI_DAY;
    const int64_t to = spec->to_s != 0 ? spec->to_s : S2_PKI_NOW + 365 * S2_PKI_DAY;
    NEED(ASN1_TIME_set(X509_getm_notBefore(h->x), (time_t)from) != NULL);
    NEED(ASN1_TIME_set(X509_getm_notAfter(h->x), (time_t)to) != NULL);
    add_extensions(h->x, signer->x, spec);
    NEED(X509_sign(h->x, signer->key, digest_of(signer->key, spec->hash)) > 0);
    write_texts(h);
    return h;
}

void s2_pki_free(struct s2_pki_holder *h)
{
    if (h == NULL)
        return;
    X509_free(h->x);
    EVP_PKEY_free(h->key);
    free(h->der);
    free(h->pem);
    free(h->key_pem);
    free(h->chain_pem);
    free(h);
}

s2svpn_span s2_pki_der(const struct s2_pki_holder *h)
{
    return (s2svpn_span){h->der, h->der_len};
}

s2svpn_span s2_pki_subject(const struct s2_pki_holder *h)
{
    s2svpn_span name = {NULL, 0};

    NEED(X509_NAME_get0_der(X509_get_subject_name(h->x), &name.p, &name.len) == 1);
    return name;
}

const char *s2_pki_pem(const struct s2_pki_holder *h)
{
    return h->pem;
}

const char *s2_pki_key_pem(const struct s2_pki_holder *h)
{
    return h->key_pem;
}

const char *s2_pki_chain_pem(const struct s2_pki_holder *h)
{
    return h->chain_pem;
}

static void add_revoked(X509_CRL *crl, const struct s2_pki_holder *h, const ASN1_TIME *when)
{
    X509_REVOKED *entry = X509_REVOKED_new();

    NEED(entry != NULL);
    NEED(X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(h->x)) == 1);
    NEED(X509_REVOKED_set_revocationDate(entry, (ASN1_TIME *)when) == 1);
    NEED(X509_CRL_add0_revoked(crl, entry) == 1);
}

char *s2_pki_crl(const struct s2_pki_holder *issuer, const struct s2_pki_holder *revoked,
                 int64_t from_s, int64_t to_s)
{
    const int64_t from = from_s != 0 ? from_s : S2_PKI_NOW - S2_PKI_DAY;
    const int64_t to = to_s != 0 ? to_s : S2_PKI_NOW + 365 * S2_PKI_DAY;
    ASN1_TIME *begin = ASN1_TIME_set(NULL, (time_t)from), *end = ASN1_TIME_set(NULL, (time_t)to);
    X509_CRL *crl = X509_CRL_new();

    NEED(begin != NULL && end != NULL && crl != NULL);
    NEED(X509_CRL_set_version(crl, 1) == 1);
    NEED(X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer->x)) == 1);
    NEED(X509_CRL_set1_lastUpdate(crl, begin) == 1 && X509_CRL_set1_nextUpdate(crl, end) == 1);
    if (revoked != NULL)
        add_revoked(crl, revoked, begin);
    NEED(X509_CRL_sign(crl, issuer->key, digest_of(issuer->key, NULL)) > 0);
    BIO *bio = BIO_new(BIO_s_mem());
    NEED(bio != NULL && PEM_write_bio_X509_CRL(bio, crl) == 1);
    X509_CRL_free(crl);
    ASN1_TIME_free(begin);
    ASN1_TIME_free(end);
    return text_of(bio);
}

void s2_pki_make(struct s2_pki *pki, enum s2_pki_key key)
{
    *pki = (struct s2_pki){
        .root = s2_pki_new(&(struct s2_pki_spec){.subject = "CN=Root", .authority = true}, NULL),
        .stranger =
            s2_pki_new(&(struct s2_pki_spec){.subject = "CN=Stranger", .authority = true}, NULL),
    };
    pki->authority =
        s2_pki_new(&(struct s2_pki_spec){.subject = "CN=Authority", .authority = true}, pki->root);
    pki->gateway = s2_pki_new(&(struct s2_pki_spec){.subject = "CN=gateway.example/O=Example",
                                                    .key = key,
                                                    .names = "DNS:gateway.example,IP:192.0.2.1"},
                              pki->authority);
    struct s2_pki_spec device = {.subject = "CN=device.example/O=Example",
                                 .key = key,
                                 .names = "DNS:device.example,IP:192.0.2.2"};
    pki->device = s2_pki_new(&device, pki->authority);
    pki->impostor = s2_pki_new(&device, pki->stranger);

    char *root = s2_pki_crl(pki->root, NULL, 0, 0);
    char *all_good = s2_pki_crl(pki->authority, NULL, 0, 0);
    char *revoked = s2_pki_crl(pki->authority, pki->device, 0, 0);
    pki->crls = s2_pki_join(root, all_good);
    pki->crls_device_revoked = s2_pki_join(root, revoked);
    free(root);
    free(all_good);
    free(revoked);
}

void s2_pki_clear(struct s2_pki *pki)
{
    s2_pki_free(pki->gateway);
    s2_pki_free(pki->device);
    s2_pki_free(pki->impostor);
    s2_pki_free(pki->authority);
    s2_pki_free(pki->stranger);
    s2_pki_free(pki->root);
    free(pki->crls);
    free(pki->crls_device_revoked);
    *pki = (struct s2_pki){.root = NULL};
}
