/* SPDX-License-Identifier: Apache-2.0 */
/* PEM and DER: what identity_new, trust_new and certificate_read take and refuse, bytes
 * that are cut or changed, and no memory. */
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certificate_job.h"

static const s2svpn_crypto_ops *ops(void)
{
    return s2svpn_crypto_openssl();
}

static void expect_identity(const char *name, const char *chain, const char *key,
                            s2svpn_status want, const char *field)
{
    s2svpn_error why = {.code = S2SVPN_OK};
    void *identity = NULL;
    const s2svpn_status rc =
        ops()->identity_new(NULL, text_span(chain), text_span(key), &identity, &why);

    CHECK_ROW(name, rc == want);
    CHECK_ROW(name, (identity != NULL) == (want == S2SVPN_OK));
    CHECK_ROW(name, strcmp(why.field, field) == 0 && why.code == want);
    CHECK_ROW(name, (why.message[0] != 0) == (want != S2SVPN_OK));
    CHECK_ROW(name, ERR_peek_error() == 0);
    free_identity(identity);
}

static char *encrypted_key(const struct s2_pki_holder *h)
{
    BIO *in = BIO_new_mem_buf(s2_pki_key_pem(h), -1), *out = BIO_new(BIO_s_mem());
    EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
    char *text, *copy;

    CU_ASSERT_FATAL(
        PEM_write_bio_PKCS8PrivateKey(out, key, EVP_aes_128_cbc(), "words", 5, NULL, NULL) == 1);
    const long len = BIO_get_mem_data(out, &text);
    copy = calloc(1, (size_t)len + 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    memcpy(copy, text, (size_t)len);
    EVP_PKEY_free(key);
    BIO_free(in);
    BIO_free(out);
    return copy;
}

static char *repeated(const char *text, size_t n)
{
    char *all = calloc(n, strlen(text) + 1);

    CU_ASSERT_PTR_NOT_NULL_FATAL(all);
    for (size_t i = 0; i < n; i++)
        memcpy(all + i * strlen(text), text, strlen(text));
    return all;
}

static void an_identity_is_a_chain_and_its_key(void)
{
    const struct s2_pki *pki = scene(S2_PKI_P256);
    struct s2_pki_holder *odd =
        s2_pki_new(&(struct s2_pki_spec){.subject = "CN=odd", .key = S2_PKI_ED25519}, pki->root);
    struct s2_pki_holder *weak =
        s2_pki_new(&(struct s2_pki_spec){.subject = "CN=weak", .key = S2_PKI_RSA_1024}, pki->root);
    const char *chain = s2_pki_chain_pem(pki->device), *key = s2_pki_key_pem(pki->device);
    char *locked = encrypted_key(pki->device), *many = repeated(s2_pki_pem(pki->device), 9);
    char *both = s2_pki_join(key, chain), *cut = s2_pki_join(chain, "");
    char *half = s2_pki_join(key, "");

    cut[strlen(cut) / 2] = 0;
    half[strlen(half) / 2] = 0;
    expect_identity("good", chain, key, S2SVPN_OK, "");
    expect_identity("a key before the chain", both, both, S2SVPN_OK, "");
    expect_identity("no chain", "", key, S2SVPN_E_MALFORMED, "chain");
    expect_identity("words", "no PEM", key, S2SVPN_E_MALFORMED, "chain");
    expect_identity("a key alone", key, key, S2SVPN_E_MALFORMED, "chain");
    expect_identity("cut", cut, key, S2SVPN_E_MALFORMED, "chain");
    expect_identity("too many", many, key, S2SVPN_E_LIMIT, "chain");
    expect_identity("no key", chain, "", S2SVPN_E_MALFORMED, "key");
    expect_identity("a certificate for a key", chain, chain, S2SVPN_E_MALFORMED, "key");
    expect_identity("half a key", chain, half, S2SVPN_E_MALFORMED, "key");
    expect_identity("encrypted", chain, locked, S2SVPN_E_MALFORMED, "key");
    expect_identity("another's key", chain, s2_pki_key_pem(pki->gateway), S2SVPN_E_ARGUMENT, "key");
    expect_identity("another kind of key", chain, s2_pki_key_pem(scene(S2_PKI_RSA_2048)->device),
                    S2SVPN_E_ARGUMENT, "key");
    expect_identity("Ed25519", s2_pki_pem(odd), s2_pki_key_pem(odd), S2SVPN_E_UNSUPPORTED, "key");
    expect_identity("weak", s2_pki_pem(weak), s2_pki_key_pem(weak), S2SVPN_E_UNSUPPORTED, "key");
    free(locked), free(many), free(both), free(cut), free(half);
    s2_pki_free(odd);
    s2_pki_free(weak);
}

static void the_chain_is_given_in_its_order(void)
{
    const struct s2_pki *pki = scene(S2_PKI_P256);
    void *identity = new_identity(pki->device);
    s2svpn_span chain[S2SVPN_CHAIN_MAX];
    const s2svpn_span own = s2_pki_der(pki->device), up = s2_pki_der(pki->authority);

    CU_ASSERT_EQUAL(ops()->identity_chain(NULL, identity, chain), 2);
    CU_ASSERT(chain[0].len == own.len && memcmp(chain[0].p, own.p, own.len) == 0);
    CU_ASSERT(chain[1].len == up.len && memcmp(chain[1].p, up.p, up.len) == 0);
    free_identity(identity);
    free_identity(NULL);
}

static void expect_trust(const char *name, const char *authorities, const char *crls,
                         s2svpn_status want, const char *field)
{
    s2svpn_error why = {.code = S2SVPN_OK};
    void *trust = NULL;
    const s2svpn_status rc =
        ops()->trust_new(NULL, text_span(authorities), text_span(crls), &trust, &why);

    CHECK_ROW(name, rc == want);
    CHECK_ROW(name, (trust != NULL) == (want == S2SVPN_OK));
    CHECK_ROW(name, strcmp(why.field, field) == 0 && why.code == want);
    CHECK_ROW(name, ERR_peek_error() == 0);
    free_trust(trust);
}

static void a_trust_is_authorities_and_lists(void)
{
    const struct s2_pki *pki = scene(S2_PKI_P256);
    const char *root = s2_pki_pem(pki->root);
    struct s2_pki_holder *weak = s2_pki_new(
        &(struct s2_pki_spec){.subject = "CN=weak", .key = S2_PKI_RSA_1024, .authority = true},
        NULL);
    struct s2_pki_holder *old = s2_pki_new(
        &(struct s2_pki_spec){.subject = "CN=old", .hash = "SHA1", .authority = true}, NULL);
    char *mixed = s2_pki_join(root, s2_pki_pem(pki->device)), *cut = s2_pki_join(pki->crls, "");
    char *many = repeated(root, 257), *lists = repeated(pki->crls, 129);

    cut[strlen(cut) / 3] = 0;
    expect_trust("good", root, NULL, S2SVPN_OK, "");
    expect_trust("with lists", root, pki->crls, S2SVPN_OK, "");
    expect_trust("signed by SHA-1, by itself", s2_pki_pem(old), NULL, S2SVPN_OK, "");
    expect_trust("none", "", NULL, S2SVPN_E_MALFORMED, "trust");
    expect_trust("words", "words", NULL, S2SVPN_E_MALFORMED, "trust");
    expect_trust("a leaf among them", mixed, NULL, S2SVPN_E_ARGUMENT, "trust");
    expect_trust("weak", s2_pki_pem(weak), NULL, S2SVPN_E_UNSUPPORTED, "trust");
    expect_trust("too many", many, NULL, S2SVPN_E_LIMIT, "trust");
    expect_trust("no lists", root, "words", S2SVPN_E_MALFORMED, "crls");
    expect_trust("a certificate for a list", root, root, S2SVPN_E_MALFORMED, "crls");
    expect_trust("half a list", root, cut, S2SVPN_E_MALFORMED, "crls");
    expect_trust("too many lists", root, lists, S2SVPN_E_LIMIT, "crls");
    free(mixed), free(cut), free(many), free(lists);
    s2_pki_free(weak);
    s2_pki_free(old);
    free_trust(NULL);
}

/* RFC 7296 section 3.7: over the SubjectPublicKeyInfo. */
static void authorities_are_hashed_for_certreq(void)
{
    const struct s2_pki *pki = scene(S2_PKI_P256);
    char *two = s2_pki_join(s2_pki_pem(pki->root), s2_pki_pem(pki->authority));
    void *trust = new_trust(two, NULL);
    const s2svpn_span hashes = ops()->trust_hashes(NULL, trust);
    const struct s2_pki_holder *const holders[] = {pki->root, pki->authority};

    CU_ASSERT_EQUAL_FATAL(hashes.len, 40);
    for (size_t i = 0; i < COUNT(holders); i++) {
        BIO *bio = BIO_new_mem_buf(s2_pki_key_pem(holders[i]), -1);
        EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
        uint8_t *der = NULL, want[20];
        const int len = i2d_PUBKEY(key, &der);

        CU_ASSERT(EVP_Digest(der, (size_t)len, want, NULL, EVP_sha1(), NULL) == 1);
        CU_ASSERT(memcmp(want, hashes.p + 20 * i, 20) == 0);
        OPENSSL_free(der);
        EVP_PKEY_free(key);
        BIO_free(bio);
    }
    free_trust(trust);
    free(two);
}

static void a_certificate_is_described(void)
{
    const struct s2_pki *pki = scene(S2_PKI_P256);
    s2svpn_certificate_info info = {.size = sizeof(info)}, again = {.size = sizeof(again)};
    const s2svpn_span subject = s2_pki_subject(pki->device);

    CU_ASSERT_EQUAL(ops()->certificate_read(NULL, s2_pki_der(pki->device), &info), S2SVPN_OK);
    CU_ASSERT_STRING_EQUAL(info.subject, "CN=device.example, O=Example");
    CU_ASSERT_STRING_EQUAL(info.issuer, "CN=Authority");
    CU_ASSERT_EQUAL(strlen(info.serial), 16);
    CU_ASSERT_EQUAL(info.not_before_s, (uint64_t)(S2_PKI_NOW - S2_PKI_DAY));
    CU_ASSERT_EQUAL(info.not_after_s, (uint64_t)(S2_PKI_NOW + 365 * S2_PKI_DAY));
    CU_ASSERT(info.subject_der_len == subject.len &&
              memcmp(info.subject_der, subject.p, subject.len) == 0);
    CU_ASSERT_EQUAL(ops()->certificate_read(NULL, text_span(s2_pki_chain_pem(pki->device)), &again),
                    S2SVPN_OK);
    CU_ASSERT(memcmp(&info, &again, sizeof(info)) == 0);
}

static void a_long_name_is_cut_between_characters(void)
{
    char name[520] = "";
    size_t n = 0;
    const struct s2_pki *pki = scene(S2_PKI_P256);
    s2svpn_certificate_info info = {.size = sizeof(info)};

    /* Five attributes of 63 bytes: a letter of one byte, then letters of two. */
    for (size_t i = 0; i < 5; i++) {
        n += (size_t)snprintf(name + n, sizeof(name) - n, "%s", i == 0 ? "CN=a" : "/OU=a");
        for (size_t k = 0; k < 31; k++)
            n += (size_t)snprintf(name + n, sizeof(name) - n, "\xc3\xa4");
    }
    struct s2_pki_holder *h = s2_pki_new(&(struct s2_pki_spec){.subject = name}, pki->root);
    CU_ASSERT_EQUAL(ops()->certificate_read(NULL, s2_pki_der(h), &info), S2SVPN_OK);
    const size_t len = strlen(info.subject);
    CU_ASSERT(len >= sizeof(info.subject) - 2 && len < sizeof(info.subject));
    CU_ASSERT_EQUAL((uint8_t)info.subject[len - 1], 0xa4);
    s2_pki_free(h);
}

static void what_is_no_certificate_is_refused(void)
{
    const struct s2_pki *pki = scene(S2_PKI_P256);
    const s2svpn_span der = s2_pki_der(pki->device);
    s2svpn_certificate_info info = {.size = sizeof(info)}, before = info;
    uint8_t more[2048];

    CU_ASSERT_FATAL(der.len < sizeof(more));
    for (size_t len = 0; len < der.len; len++)
        CU_ASSERT_EQUAL(ops()->certificate_read(NULL, (s2svpn_span){der.p, len}, &info),
                        S2SVPN_E_MALFORMED);
    memcpy(more, der.p, der.len);
    more[der.len] = 0;
    CU_ASSERT_EQUAL(ops()->certificate_read(NULL, (s2svpn_span){more, der.len + 1}, &info),
                    S2SVPN_E_MALFORMED);
    CU_ASSERT_EQUAL(ops()->certificate_read(NULL, text_span("words"), &info), S2SVPN_E_MALFORMED);
    CU_ASSERT_EQUAL(ops()->certificate_read(NULL, text_span(pki->crls), &info), S2SVPN_E_MALFORMED);
    CU_ASSERT(memcmp(&info, &before, sizeof(info)) == 0);
    CU_ASSERT(ERR_peek_error() == 0);
}

/* What is changed isn't what the authority has signed, wherever the bit is. */
static void a_certificate_that_is_cut_or_changed_lets_nobody_in(void)
{
    const struct s2_pki *pki = scene(S2_PKI_P256);
    void *trust = new_trust(s2_pki_pem(pki->authority), NULL);
    void *identity = new_identity(pki->device);
    const s2svpn_span der = s2_pki_der(pki->device);
    struct auth auth = {.len = 0};
    uint8_t bytes[2048], why;

    CU_ASSERT_FATAL(der.len < sizeof(bytes));
    CU_ASSERT_EQUAL(sign_with(identity, ALL_HASHES, &auth), S2SVPN_OK);
    const struct attempt a = {.trust = trust,
                              .unix_s = S2_PKI_NOW,
                              .id_type = ID_FQDN,
                              .id = text_span("device.example"),
                              .auth = &auth};
    memcpy(bytes, der.p, der.len);
    for (size_t bit = 0; bit < 8 * der.len; bit++) {
        const s2svpn_span changed = {bytes, der.len};

        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        CU_ASSERT_EQUAL(verify_bytes(&a, &changed, 1, &why), S2SVPN_E_AUTHENTICATION);
        bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
    }
    for (size_t len = 0; len <= der.len; len++) {
        const s2svpn_span cut = {bytes, len};

        CU_ASSERT_EQUAL(verify_bytes(&a, &cut, 1, &why),
                        len < der.len ? S2SVPN_E_AUTHENTICATION : S2SVPN_OK);
    }
    free_identity(identity);
    free_trust(trust);
}

/* ---- no memory ---- */

#define STRIDE 11 /* a path takes thousands of allocations */

struct life {
    const struct s2_pki *pki;
    void *identity, *trust;
    struct auth auth;
};

static bool make_identity(void *arg)
{
    struct life *l = arg;
    void *identity = NULL;
    s2svpn_error why;
    const s2svpn_status rc =
        ops()->identity_new(NULL, text_span(s2_pki_chain_pem(l->pki->device)),
                            text_span(s2_pki_key_pem(l->pki->device)), &identity, &why);

    free_identity(identity);
    return rc == S2SVPN_OK;
}

static bool make_trust(void *arg)
{
    struct life *l = arg;
    void *trust = NULL;
    s2svpn_error why;
    const s2svpn_status rc = ops()->trust_new(NULL, text_span(s2_pki_pem(l->pki->root)),
                                              text_span(l->pki->crls), &trust, &why);

    free_trust(trust);
    return rc == S2SVPN_OK;
}

static bool describe(void *arg)
{
    struct life *l = arg;
    s2svpn_certificate_info info = {.size = sizeof(info)};

    return ops()->certificate_read(NULL, s2_pki_der(l->pki->device), &info) == S2SVPN_OK;
}

static bool sign(void *arg)
{
    struct life *l = arg;
    struct auth auth = {.len = 0};

    return sign_with(l->identity, ALL_HASHES, &auth) == S2SVPN_OK;
}

static bool sign_raw(void *arg)
{
    struct life *l = arg;
    struct auth auth = {.len = 0};

    return sign_with(l->identity, 0, &auth) == S2SVPN_OK;
}

static bool verify(void *arg)
{
    struct life *l = arg;
    uint8_t why;
    const struct attempt a = {.trust = l->trust,
                              .unix_s = S2_PKI_NOW,
                              .chain = {l->pki->device, l->pki->authority},
                              .id_type = ID_FQDN,
                              .id = text_span("device.example"),
                              .subject = s2_pki_subject(l->pki->device),
                              .auth = &l->auth};

    return verify_attempt(&a, &why) == S2SVPN_OK;
}

static void no_memory_lets_nobody_in_and_leaves_nothing_behind(void)
{
    struct life l = {.pki = scene(S2_PKI_P256)};

    l.identity = new_identity(l.pki->device);
    l.trust = new_trust(s2_pki_pem(l.pki->root), l.pki->crls);
    memory_fail_some(make_identity, &l, STRIDE);
    memory_fail_some(make_trust, &l, STRIDE);
    memory_fail_each(describe, &l);
    memory_fail_each(sign, &l);
    memory_fail_each(sign_raw, &l);
    CU_ASSERT_EQUAL(sign_with(l.identity, 0, &l.auth), S2SVPN_OK);
    memory_fail_some(verify, &l, STRIDE);
    CU_ASSERT_EQUAL(sign_with(l.identity, ALL_HASHES, &l.auth), S2SVPN_OK);
    memory_fail_some(verify, &l, STRIDE);
    free_identity(l.identity);
    free_trust(l.trust);
}

const CU_TestInfo s2_test_certificate_input[] = {
    {"an identity is a chain and its key", an_identity_is_a_chain_and_its_key},
    {"the chain is given in its order", the_chain_is_given_in_its_order},
    {"a trust is authorities and lists", a_trust_is_authorities_and_lists},
    {"authorities are hashed for CERTREQ", authorities_are_hashed_for_certreq},
    {"a certificate is described", a_certificate_is_described},
    {"a long name is cut between characters", a_long_name_is_cut_between_characters},
    {"what is no certificate is refused", what_is_no_certificate_is_refused},
    {"a certificate that is cut or changed lets nobody in",
     a_certificate_that_is_cut_or_changed_lets_nobody_in},
    {"no memory lets nobody in and leaves nothing behind",
     no_memory_lets_nobody_in_and_leaves_nothing_behind},
    CU_TEST_INFO_NULL,
};
