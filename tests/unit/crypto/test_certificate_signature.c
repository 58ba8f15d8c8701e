/* SPDX-License-Identifier: Apache-2.0 */
/* The AUTH payload's data: every method made and checked, and what is refused. */
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <string.h>

#include "certificate_job.h"

#define SHA1 (1u << S2SVPN_HASH_SHA1)
#define SHA2_256 (1u << S2SVPN_HASH_SHA2_256)
#define SHA2_384 (1u << S2SVPN_HASH_SHA2_384)
#define SHA2_512 (1u << S2SVPN_HASH_SHA2_512)
#define IDENTITY_HASH (1u << 5) /* RFC 8420 */

/* RFC 7427 appendix A. */
#define SHA256_RSA "300d06092a864886f70d01010b0500"
#define SHA384_RSA "300d06092a864886f70d01010c0500"
#define SHA512_RSA "300d06092a864886f70d01010d0500"
#define SHA256_ECDSA "300a06082a8648ce3d040302"
#define SHA384_ECDSA "300a06082a8648ce3d040303"
#define SHA512_ECDSA "300a06082a8648ce3d040304"
#define SHA1_RSA "300d06092a864886f70d0101050500"
#define SHA1_ECDSA "300906072a8648ce3d0401"
#define PSS_DEFAULT "300d06092a864886f70d01010a3000"
#define PSS_SHA256                                                                                 \
    "304106092a864886f70d01010a3034a00f300d06096086480165030402010500a11c301a06092a864886f70d0101" \
    "08300d06096086480165030402010500a203020120"
#define PSS_SHA384                                                                                 \
    "304106092a864886f70d01010a3034a00f300d06096086480165030402020500a11c301a06092a864886f70d0101" \
    "08300d06096086480165030402020500a203020130"
#define PSS_SHA512                                                                                 \
    "304106092a864886f70d01010a3034a00f300d06096086480165030402030500a11c301a06092a864886f70d0101" \
    "08300d06096086480165030402030500a203020140"
#define PSS_SHA256_BARE                                                                            \
    "303d06092a864886f70d01010a3030a00d300b0609608648016503040201a11a301806092a864886f70d010108"   \
    "300b0609608648016503040201a203020120"
#define PSS_SHA256_SALT_20                                                                         \
    "304106092a864886f70d01010a3034a00f300d06096086480165030402010500a11c301a06092a864886f70d0101" \
    "08300d06096086480165030402010500a203020114"

static const struct {
    const char *name;
    enum s2_pki_key key;
    uint32_t hashes;
    uint8_t method;
    const char *identifier; /* of method 14 */
    size_t len;             /* of the others */
} methods[] = {
    {"RSA", S2_PKI_RSA_2048, 0, S2SVPN_AUTH_RSA, NULL, 256},
    {"RSA, all", S2_PKI_RSA_2048, ALL_HASHES, S2SVPN_AUTH_SIGNATURE, SHA256_RSA, 0},
    {"RSA, two", S2_PKI_RSA_2048, SHA2_384 | SHA2_512, S2SVPN_AUTH_SIGNATURE, SHA384_RSA, 0},
    {"RSA, one", S2_PKI_RSA_2048, SHA2_512 | SHA1, S2SVPN_AUTH_SIGNATURE, SHA512_RSA, 0},
    {"P-256", S2_PKI_P256, 0, S2SVPN_AUTH_ECDSA_256, NULL, 64},
    {"P-384", S2_PKI_P384, 0, S2SVPN_AUTH_ECDSA_384, NULL, 96},
    {"P-521", S2_PKI_P521, 0, S2SVPN_AUTH_ECDSA_521, NULL, 132},
    {"P-256, all", S2_PKI_P256, ALL_HASHES, S2SVPN_AUTH_SIGNATURE, SHA256_ECDSA, 0},
    {"P-384, all", S2_PKI_P384, ALL_HASHES, S2SVPN_AUTH_SIGNATURE, SHA384_ECDSA, 0},
    {"P-521, all", S2_PKI_P521, ALL_HASHES, S2SVPN_AUTH_SIGNATURE, SHA512_ECDSA, 0},
    {"P-521, one", S2_PKI_P521, SHA2_256, S2SVPN_AUTH_SIGNATURE, SHA256_ECDSA, 0},
    {"P-256, another", S2_PKI_P256, SHA2_512, S2SVPN_AUTH_SIGNATURE, SHA512_ECDSA, 0},
    {"P-256, none in common", S2_PKI_P256, SHA1 | IDENTITY_HASH, S2SVPN_AUTH_ECDSA_256, NULL, 64},
};

static s2svpn_status check_by(const struct s2_pki *pki, const struct auth *auth, uint8_t *why)
{
    static void *trust; /* one authority after the other */
    static const struct s2_pki *trusted;

    if (trusted != pki) {
        free_trust(trust);
        trust = new_trust(s2_pki_pem(pki->authority), NULL);
        trusted = pki;
    }
    return verify_attempt(&(struct attempt){.trust = trust,
                                            .unix_s = S2_PKI_NOW,
                                            .chain = {pki->device},
                                            .id_type = ID_DN,
                                            .id = s2_pki_subject(pki->device),
                                            .auth = auth},
                          why);
}

static void expect(const char *name, const struct s2_pki *pki, const struct auth *auth,
                   enum s2svpn_certificate_result want)
{
    uint8_t why = 255;
    const s2svpn_status rc = check_by(pki, auth, &why);

    CHECK_ROW(name, why == want);
    CHECK_ROW(name, rc == (want == S2SVPN_CERTIFICATE_OK ? S2SVPN_OK : S2SVPN_E_AUTHENTICATION));
}

static struct auth made_with(enum s2_pki_key key, uint32_t hashes)
{
    struct auth auth = {.len = 0};
    void *identity = new_identity(scene(key)->device);

    CU_ASSERT_EQUAL(sign_with(identity, hashes, &auth), S2SVPN_OK);
    free_identity(identity);
    return auth;
}

static void every_method_is_made_and_accepted(void)
{
    for (size_t i = 0; i < COUNT(methods); i++) {
        const struct auth auth = made_with(methods[i].key, methods[i].hashes);

        CHECK_ROW(methods[i].name, auth.method == methods[i].method);
        if (methods[i].identifier != NULL) {
            const size_t len = strlen(methods[i].identifier) / 2;

            CHECK_ROW(methods[i].name, auth.len > 1 + len && auth.bytes[0] == len);
            CHECK_ROW(methods[i].name, is_hex(auth.bytes + 1, len, methods[i].identifier));
        } else {
            CHECK_ROW(methods[i].name, auth.len == methods[i].len);
        }
        expect(methods[i].name, scene(methods[i].key), &auth, S2SVPN_CERTIFICATE_OK);
    }
}

static void rsa_does_not_fall_back_to_sha1_before_a_peer_that_knows_better(void)
{
    struct auth auth = {.len = 0};
    void *identity = new_identity(scene(S2_PKI_RSA_2048)->device);

    CU_ASSERT_EQUAL(sign_with(identity, SHA1, &auth), S2SVPN_E_UNSUPPORTED);
    CU_ASSERT_EQUAL(sign_with(identity, IDENTITY_HASH, &auth), S2SVPN_E_UNSUPPORTED);
    free_identity(identity);
}

/* Another key of the same kind, or the right key for other bytes, proves nothing. */
static void another_s_signature_is_refused(void)
{
    for (size_t i = 0; i < COUNT(methods); i++) {
        struct auth auth = {.len = 0};
        void *identity = new_identity(scene(methods[i].key)->gateway);

        CU_ASSERT_EQUAL(sign_with(identity, methods[i].hashes, &auth), S2SVPN_OK);
        free_identity(identity);
        expect(methods[i].name, scene(methods[i].key), &auth, S2SVPN_CERTIFICATE_SIGNATURE);
    }
}

static void a_signature_by_another_kind_of_key_is_refused(void)
{
    for (size_t i = 0; i < COUNT(methods); i++) {
        const struct auth auth = made_with(methods[i].key, methods[i].hashes);

        for (int key = 0; key <= S2_PKI_RSA_2048; key++) {
            if ((enum s2_pki_key)key != methods[i].key)
                expect(methods[i].name, scene((enum s2_pki_key)key), &auth,
                       S2SVPN_CERTIFICATE_SIGNATURE);
        }
    }
}

static void one_bit_changed_or_one_byte_less_is_refused(void)
{
    for (size_t i = 0; i < COUNT(methods); i++) {
        struct auth auth = made_with(methods[i].key, methods[i].hashes);
        const size_t whole = auth.len, step = methods[i].key >= S2_PKI_RSA_2048 ? 37 : 5;
        uint8_t why;

        for (size_t bit = 0; bit < 8 * whole; bit += step) {
            auth.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            CHECK_ROW(methods[i].name,
                      check_by(scene(methods[i].key), &auth, &why) == S2SVPN_E_AUTHENTICATION);
            auth.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
        for (auth.len = 0; auth.len < whole; auth.len += step / 4)
            CHECK_ROW(methods[i].name,
                      check_by(scene(methods[i].key), &auth, &why) == S2SVPN_E_AUTHENTICATION);
        auth.len = whole + 1;
        CHECK_ROW(methods[i].name,
                  check_by(scene(methods[i].key), &auth, &why) == S2SVPN_E_AUTHENTICATION);
    }
}

/* r and s that no signature has: 0, and the order and above it. */
static void numbers_out_of_range_are_refused(void)
{
    static const uint8_t fillers[] = {0x00, 0xff};
    struct auth auth = {.method = S2SVPN_AUTH_ECDSA_256, .len = 64};

    for (size_t i = 0; i < COUNT(fillers); i++) {
        memset(auth.bytes, fillers[i], auth.len);
        expect("filled", scene(S2_PKI_P256), &auth, S2SVPN_CERTIFICATE_SIGNATURE);
    }
}

static struct auth with_identifier(const char *identifier, const uint8_t *signature, size_t len)
{
    struct auth auth = {.method = S2SVPN_AUTH_SIGNATURE};
    const size_t head = unhex(identifier, auth.bytes + 1, sizeof(auth.bytes) - 1);

    auth.bytes[0] = (uint8_t)head;
    memcpy(auth.bytes + 1 + head, signature, len);
    auth.len = 1 + head + len;
    return auth;
}

/* RSA-PSS as a peer makes it. */
static struct auth pss(const char *identifier, const char *hash, int salt_len)
{
    const struct s2_pki_holder *device = scene(S2_PKI_RSA_2048)->device;
    BIO *bio = BIO_new_mem_buf(s2_pki_key_pem(device), -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *parameters;
    uint8_t signature[512];
    size_t len = sizeof(signature);

    CU_ASSERT_FATAL(EVP_DigestSignInit_ex(ctx, &parameters, hash, NULL, NULL, key, NULL) == 1);
    CU_ASSERT(EVP_PKEY_CTX_set_rsa_padding(parameters, RSA_PKCS1_PSS_PADDING) > 0);
    CU_ASSERT(EVP_PKEY_CTX_set_rsa_pss_saltlen(parameters, salt_len) > 0);
    for (size_t i = 0; i < COUNT(signed_text); i++)
        CU_ASSERT(EVP_DigestSignUpdate(ctx, signed_text[i].p, signed_text[i].len) == 1);
    CU_ASSERT(EVP_DigestSignFinal(ctx, signature, &len) == 1);
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    BIO_free(bio);
    return with_identifier(identifier, signature, len);
}

static void pss_is_accepted_with_the_parameters_that_it_names(void)
{
    static const struct {
        const char *name, *identifier, *hash;
        int salt_len;
        enum s2svpn_certificate_result want;
    } rows[] = {
        {"SHA2-256", PSS_SHA256, "SHA256", 32, S2SVPN_CERTIFICATE_OK},
        {"SHA2-384", PSS_SHA384, "SHA384", 48, S2SVPN_CERTIFICATE_OK},
        {"SHA2-512", PSS_SHA512, "SHA512", 64, S2SVPN_CERTIFICATE_OK},
        {"without NULL", PSS_SHA256_BARE, "SHA256", 32, S2SVPN_CERTIFICATE_OK},
        {"another hash", PSS_SHA256, "SHA384", 48, S2SVPN_CERTIFICATE_SIGNATURE},
        {"a shorter salt", PSS_SHA256, "SHA256", 20, S2SVPN_CERTIFICATE_SIGNATURE},
        {"a shorter salt, named", PSS_SHA256_SALT_20, "SHA256", 20, S2SVPN_CERTIFICATE_METHOD},
        {"SHA-1", PSS_DEFAULT, "SHA1", 20, S2SVPN_CERTIFICATE_WEAK},
        {"called PKCS1", SHA256_RSA, "SHA256", 32, S2SVPN_CERTIFICATE_SIGNATURE},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct auth auth = pss(rows[i].identifier, rows[i].hash, rows[i].salt_len);

        expect(rows[i].name, scene(S2_PKI_RSA_2048), &auth, rows[i].want);
    }
}

static void what_is_not_known_or_too_weak_is_named(void)
{
    static const struct {
        const char *name, *identifier;
        enum s2svpn_certificate_result want;
    } rows[] = {
        {"SHA-1 with RSA", SHA1_RSA, S2SVPN_CERTIFICATE_WEAK},
        {"SHA-1 with ECDSA", SHA1_ECDSA, S2SVPN_CERTIFICATE_WEAK},
        {"RSA for a key on P-256", SHA256_RSA, S2SVPN_CERTIFICATE_SIGNATURE},
        {"Ed25519", "300506032b6570", S2SVPN_CERTIFICATE_METHOD},
        {"ECDSA with NULL", "300c06082a8648ce3d0403020500", S2SVPN_CERTIFICATE_METHOD},
        {"a long length", "30810a06082a8648ce3d040302", S2SVPN_CERTIFICATE_METHOD},
        {"no identifier", "", S2SVPN_CERTIFICATE_MALFORMED},
    };
    static const uint8_t known[] = {1, 9, 10, 11, 14};
    const struct auth good = made_with(S2_PKI_P256, ALL_HASHES);
    const size_t head = 1 + good.bytes[0];

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct auth auth =
            with_identifier(rows[i].identifier, good.bytes + head, good.len - head);

        expect(rows[i].name, scene(S2_PKI_P256), &auth, rows[i].want);
    }
    for (unsigned method = 0; method < 256; method++) {
        struct auth auth = good;

        auth.method = (uint8_t)method;
        if (memchr(known, (int)method, sizeof(known)) == NULL)
            expect("an unknown method", scene(S2_PKI_P256), &auth, S2SVPN_CERTIFICATE_METHOD);
    }
}

static void no_room_is_a_refusal_and_nothing_is_written(void)
{
    for (size_t i = 0; i < COUNT(methods); i++) {
        void *identity = new_identity(scene(methods[i].key)->device);
        uint8_t out[16] = {0};
        s2svpn_sign sign = {.size = sizeof(sign),
                            .identity = identity,
                            .peer_hashes = methods[i].hashes,
                            .in = signed_text,
                            .in_count = 1};
        s2svpn_job job = {.size = sizeof(job),
                          .kind = S2SVPN_JOB_SIGN,
                          .out = out,
                          .out_len = sizeof(out),
                          .sign = &sign};
        s2svpn_status result = S2SVPN_OK;

        s2svpn_crypto_openssl()->start_job(NULL, &job, &result);
        CHECK_ROW(methods[i].name, result == S2SVPN_E_NO_ROOM);
        CHECK_ROW(methods[i].name, out[0] == 0 && out[15] == 0);
        free_identity(identity);
    }
}

const CU_TestInfo s2_test_certificate_signature[] = {
    {"every method is made and accepted", every_method_is_made_and_accepted},
    {"RSA does not fall back to SHA-1 before a peer that knows better",
     rsa_does_not_fall_back_to_sha1_before_a_peer_that_knows_better},
    {"another's signature is refused", another_s_signature_is_refused},
    {"a signature by another kind of key is refused",
     a_signature_by_another_kind_of_key_is_refused},
    {"one bit changed or one byte less is refused", one_bit_changed_or_one_byte_less_is_refused},
    {"numbers out of range are refused", numbers_out_of_range_are_refused},
    {"PSS is accepted with the parameters that it names",
     pss_is_accepted_with_the_parameters_that_it_names},
    {"what is not known or too weak is named", what_is_not_known_or_too_weak_is_named},
    {"no room is a refusal and nothing is written", no_room_is_a_refusal_and_nothing_is_written},
    CU_TEST_INFO_NULL,
};
