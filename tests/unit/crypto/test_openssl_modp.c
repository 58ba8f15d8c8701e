/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs for the MODP groups: published exchanges, values computed apart from OpenSSL, and
 * peers' values that RFC 6989 wants refused. */
#include <openssl/err.h>
#include <string.h>

#include "harness.h"
#include "ke_job.h"

/* RFC 5114 appendix A.1 to A.3. The inputs are the RFC's private numbers minus one behind
 * eight zero bytes, from which the backend makes them (FIPS 186-4 B.4.1). Z is
 * g^(xA*xB), so if it comes out both public values were right too. */
static const struct {
    const char *row;
    uint16_t ke;
    const char *private_a, *private_b, *shared;
} exchanges[] = {
    {"RFC 5114 appendix A.1", S2SVPN_KE_MODP_1024_160,
     "0000000000000000b9a3b3ae8fefc1a2930496507086f8455d48943d",
     "00000000000000009392c9f9eb6a7a6a9022f7d83e7223c6835bbdd9",
     "5c804f454d30d9c4df85271f93528c91df6b48ab5f80b3b59caac1b28f8acba9cd3e39f3cb614525"
     "d9521d2e644c53b807b810f340062f257d7d6fbfe8d5e8f072e9b6e9afda9413eafb2e8b0699b1fb"
     "5a0caceddeaead7e9cfbb36ae2b420835bd83a19fb0b5e96bf8fa4d09e345525167ecd9155416f46"
     "f408ed31b63c6e6d"},
    {"RFC 5114 appendix A.2", S2SVPN_KE_MODP_2048_224,
     "000000000000000022e62601dbffd06708a680f747f361f76d8f4f721a0548e483294b0b",
     "00000000000000004ff3bc96c7fc6a6d71d3b363800a7cdfef6fc41b4417ea15353b758f",
     "34d9bddc1b42176c313fea034c21034d074a6313bb4ecdb3703fff424567a46bdf75530ede0a9da5"
     "229de7d76732286cbc0f91da4c3c852fc099c679531d94c78ab03d9decb0a4e4ca8b2bb4591c4021"
     "cf8ce3a20a541d33994017d0200ae2c9516e2ff5145779269e862b0fb474a2d56dc31ed569a7700b"
     "4c4ab16b22a45513531ef523d71212077b5a169bdeffad7ad9608284c7795b6d5a5183b87066de17"
     "d8d671c9ebd8ec89544d45ec061593d442c62ab9ce3b1cb9943a1d23a5ea3bcf21a01471e67e003e"
     "7f8a69c728be490b2fc88cfeb92db6a215e5d03c17c464c9ac1a46e203e13f952995fb03c69d3cc4"
     "7fcb510b6998ffd3aa6de73cf9f63869"},
    {"RFC 5114 appendix A.3", S2SVPN_KE_MODP_2048_256,
     "00000000000000000881382cdb87660c6dc13e614938d5b9c8b2f248581cc5e31b35454397fce50d",
     "00000000000000007d62a7e3ef36de617b13d1afb82c780d83a23bd4ee6705645121f371f546a53c",
     "86c70bf8d0bb81bb01078a17219cb7d27203db2a19c877f1d1f19fd7d77ef22546a68f005ad52dc8"
     "4553b78fc60330be51ea7c0672cac1515e4b35c047b9a551b88f39dc26da14a09ef74774d47c762d"
     "d177f9ed5bc2f11e52c879bd95098504cd9eecd8a8f9b3efbd1f008ac5853097d9d1837f2b18f77c"
     "d7be01af80a7c7b5ea3ca54cc02d0c116fee3f95bb87399385875d7e86747e676e728938acbff709"
     "8e05be4dcfb24052b83aeffb14783f029adbde7f53fae92084224090e007cee94d4bf2bace9ffd4b"
     "57d2af7c724d0caa19bf0501f6f17b4aa10f425e3ea76080b4b9d6b3cefea115b2ceb8789bb8a3b0"
     "ea87febe63b6c8f846ec6db0c26c5d7c"},
};

/* Groups 2, 5, 14 to 18: made with integer arithmetic from the formulas of RFC 2409
 * section 6.2 and RFC 3526 (2^n - 2^(n-64) - 1 + 2^64 * ([2^(n-130) pi] + c)). The inputs
 * are the bytes of fill() with seeds 1 and 2; both public values and the secret, at their
 * full lengths, as their SHA-256. */
static const struct {
    const char *row;
    uint16_t ke;
    const char *public_a, *public_b, *shared;
} computed[] = {
    {"MODP 1024", 2, "97f122f84a4c03ffb4aa3571c033d6627ff292ee066873ee5d021d23eb781a87",
     "7a414e602aca9c8367caaf3a233acee1c2a7c9c9de1fec3e4824665cec5f4ecd",
     "7ce32280d28397a88b0c26649511dd23fa2eb07afceab5ab46ea5da2c18baefa"},
    {"MODP 1536", 5, "d47bd6a6eacae83d0e713896ae4b9a5864f48f7e4b1218b770c733efee24f5b7",
     "d4e4bf71e5c4245e702973767ea70f3d2432b6be530d8998431f1234bf84921d",
     "f6a4a1d33dc57b0604b0d3357c63f2557857b1321106e9cd837bb65c39eabbba"},
    {"MODP 2048", 14, "2cda3bc8ef405e8eb35f7a28661cce8f3f8c7485074cecf118c1d1bdfeca20e4",
     "cd46a2a28e8e0edc3ec11af0f9b45ac5315e693eab4cd525f973a81e2fa25e4d",
     "0437170d1dc1416c1068821b71427f85ca3f29d0a30e252a9a5938378e99dff4"},
    {"MODP 3072", 15, "dcda732d8943217d802bb2803ad26516fefcf795752a1cbf65f23b0244fcde9b",
     "9d35d549d935dbb794433ce0d49db60d64d8ef9e882515ed1ad0fad59c60425d",
     "a1b7f9b4c878b1139b531aa419f7176932c252433f2d889428d385ebcc817623"},
    {"MODP 4096", 16, "e1e03c8fc107440055a17467a50d63d22213b5e04c08b571f2db18ac2ebdcba6",
     "9419eab28c6af2a8b9228ede616326072e36eb5b8db54edbece8a10384bb1be6",
     "5b7d78207af603c04eb8dbb6803e7b2aee59d5f96578ace767e3a8ffab8d3fdb"},
    {"MODP 6144", 17, "430da9d1a8fddf2241ebcde40e1a7c285f92f42d179869ce7461eb2727b61902",
     "500d3243e24b2e1e7b5434e94f2e68bcf2d066af0b6b1216aa2fbaea736e81a0",
     "0babb952b65f58e86f45625d5d160861913da092c2d4cfbd1ad7a176cfc38b7e"},
    {"MODP 8192", 18, "32cce7cf211bf822caac9b59faedc0dbe8e3bcf22f2bb64b9d5064e5e9465bbe",
     "076fcee8091829bf47e05cfb1c7227d3a03588cc697c921d2bcfc5e6d23ecec5",
     "b310697a2bb90a13e6b8aafc1bff47802699107204cd36c54e394c6a207adc4c"},
};

static void published_exchanges_come_out(void)
{
    for (size_t i = 0; i < COUNT(exchanges); i++) {
        uint8_t secret[2][80], value[2][256], shared[256];
        const size_t len = unhex(exchanges[i].private_a, secret[0], 80);
        const size_t n = strlen(exchanges[i].shared) / 2;

        unhex(exchanges[i].private_b, secret[1], 80);
        for (int side = 0; side < 2; side++)
            CHECK_ROW(exchanges[i].row,
                      ke_public(exchanges[i].ke, secret[side], len, value[side], n) == S2SVPN_OK);
        for (int side = 0; side < 2; side++) {
            CHECK_ROW(exchanges[i].row, ke_shared(exchanges[i].ke, secret[side], len,
                                                  value[1 - side], n, shared, n) == S2SVPN_OK);
            CHECK_ROW(exchanges[i].row, is_hex(shared, n, exchanges[i].shared));
        }
    }
}

static bool hashes_to(const uint8_t *bytes, size_t len, const char *want)
{
    const s2svpn_span in = {bytes, len};
    uint8_t digest[64];

    return s2svpn_crypto_openssl()->hash(NULL, S2SVPN_HASH_SHA2_256, &in, 1, digest) == S2SVPN_OK &&
           is_hex(digest, 32, want);
}

static void safe_prime_groups_agree_with_integer_arithmetic(void)
{
    for (size_t i = 0; i < COUNT(computed); i++) {
        const s2svpn_algorithm *a = find_row(S2SVPN_TRANSFORM_KE, computed[i].ke, 0);
        uint8_t secret[2][80], value[2][1024], shared[1024];

        for (unsigned side = 0; side < 2; side++) {
            fill(secret[side], a->private_len, side + 1);
            CHECK_ROW(computed[i].row, ke_public(a->id, secret[side], a->private_len, value[side],
                                                 a->out_len) == S2SVPN_OK);
        }
        CHECK_ROW(computed[i].row, hashes_to(value[0], a->out_len, computed[i].public_a));
        CHECK_ROW(computed[i].row, hashes_to(value[1], a->out_len, computed[i].public_b));
        for (int side = 0; side < 2; side++) {
            CHECK_ROW(computed[i].row,
                      ke_shared(a->id, secret[side], a->private_len, value[1 - side], a->out_len,
                                shared, a->secret_len) == S2SVPN_OK);
            CHECK_ROW(computed[i].row, hashes_to(shared, a->secret_len, computed[i].shared));
        }
    }
}

/* RFC 7296 section 2.14: padded to the modulus' length. One secret in 256 has a zero byte
 * in front; seeds are tried until one has. */
static void a_short_secret_is_padded_in_front(void)
{
    uint8_t a[32], b[32], value[2][128], shared[2][128];
    unsigned seed = 1;

    fill(a, sizeof(a), 1);
    CU_ASSERT_EQUAL(ke_public(S2SVPN_KE_MODP_1024, a, 32, value[0], 128), S2SVPN_OK);
    for (shared[0][0] = 1; shared[0][0] != 0 && seed < 4000; seed++) {
        fill(b, sizeof(b), seed);
        CU_ASSERT_EQUAL(ke_shared(S2SVPN_KE_MODP_1024, b, 32, value[0], 128, shared[0], 128),
                        S2SVPN_OK);
    }
    CU_ASSERT_EQUAL_FATAL(shared[0][0], 0);
    CU_ASSERT_EQUAL(ke_public(S2SVPN_KE_MODP_1024, b, 32, value[1], 128), S2SVPN_OK);
    CU_ASSERT_EQUAL(ke_shared(S2SVPN_KE_MODP_1024, a, 32, value[1], 128, shared[1], 128),
                    S2SVPN_OK);
    CU_ASSERT(memcmp(shared[0], shared[1], 128) == 0);
}

/* Moduli of the smallest groups of each kind. */
static const struct {
    const char *row;
    uint16_t ke;
    bool subgroup;
    const char *p;
} moduli[] = {
    {"MODP 1024", 2, false,
     "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22"
     "514a08798e3404ddef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6"
     "f44c42e9a637ed6b0bff5cb6f406b7edee386bfb5a899fa5ae9f24117c4b1fe649286651ece65381"
     "ffffffffffffffff"},
    {"MODP 1536", 5, false,
     "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22"
     "514a08798e3404ddef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6"
     "f44c42e9a637ed6b0bff5cb6f406b7edee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3d"
     "c2007cb8a163bf0598da48361c55d39a69163fa8fd24cf5f83655d23dca3ad961c62f356208552bb"
     "9ed529077096966d670c354e4abc9804f1746c08ca237327ffffffffffffffff"},
    {"MODP 2048", 14, false,
     "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74020bbea63b139b22"
     "514a08798e3404ddef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245e485b576625e7ec6"
     "f44c42e9a637ed6b0bff5cb6f406b7edee386bfb5a899fa5ae9f24117c4b1fe649286651ece45b3d"
     "c2007cb8a163bf0598da48361c55d39a69163fa8fd24cf5f83655d23dca3ad961c62f356208552bb"
     "9ed529077096966d670c354e4abc9804f1746c08ca18217c32905e462e36ce3be39e772c180e8603"
     "9b2783a2ec07a28fb5c55df06f4c52c9de2bcbf6955817183995497cea956ae515d2261898fa0510"
     "15728e5a8aacaa68ffffffffffffffff"},
    {"MODP 1024, order of 160 bits", 22, true,
     "b10b8f96a080e01dde92de5eae5d54ec52c99fbcfb06a3c69a6a9dca52d23b616073e28675a23d18"
     "9838ef1e2ee652c013ecb4aea906112324975c3cd49b83bfaccbdd7d90c4bd7098488e9c219a7372"
     "4effd6fae5644738faa31a4ff55bccc0a151af5f0dc8b4bd45bf37df365c1a65e68cfda76d4da708"
     "df1fb2bc2e4a4371"},
    {"MODP 2048, order of 224 bits", 23, true,
     "ad107e1e9123a9d0d660faa79559c51fa20d64e5683b9fd1b54b1597b61d0a75e6fa141df95a56db"
     "af9a3c407ba1df15eb3d688a309c180e1de6b85a1274a0a66d3f8152ad6ac2129037c9edefda4df8"
     "d91e8fef55b7394b7ad5b7d0b6c12207c9f98d11ed34dbf6c6ba0b2c8bbc27be6a00e0a0b9c49708"
     "b3bf8a317091883681286130bc8985db1602e714415d9330278273c7de31efdc7310f7121fd5a074"
     "15987d9adc0a486dcdf93acc44328387315d75e198c641a480cd86a1b9e587e8be60e69cc928b2b9"
     "c52172e413042e9b23f10b0e16e79763c9b53dcf4ba80a29e3fb73c16b8e75b97ef363e2ffa31f71"
     "cf9de5384e71b81c0ac4dffe0c10e64f"},
    {"MODP 2048, order of 256 bits", 24, true,
     "87a8e61db4b6663cffbbd19c651959998ceef608660dd0f25d2ceed4435e3b00e00df8f1d61957d4"
     "faf7df4561b2aa3016c3d91134096faa3bf4296d830e9a7c209e0c6497517abd5a8a9d306bcf67ed"
     "91f9e6725b4758c022e0b1ef4275bf7b6c5bfc11d45f9088b941f54eb1e59bb8bc39a0bf12307f5c"
     "4fdb70c581b23f76b63acae1caa6b7902d52526735488a0ef13c6d9a51bfa4ab3ad8347796524d8e"
     "f6a167b5a41825d967e144e5140564251ccacb83e6b486f6b3ca3f7971506026c0b857f689962856"
     "ded4010abd0be621c3a3960a54e710c375f26375d7014103a4b54330c198af126116d2276e11715f"
     "693877fad7ef09cadb094ae91e1a1597"},
};

/* p + add, add being small or negative. */
static void near_p(const char *p, int add, uint8_t *out, size_t len)
{
    int carry = add;

    unhex(p, out, len);
    for (size_t i = len; i-- > 0 && carry != 0;) {
        carry += out[i];
        out[i] = (uint8_t)carry;
        carry = carry < 0 ? -1 : carry >> 8;
    }
}

static s2svpn_status offer(const s2svpn_algorithm *a, const uint8_t *value)
{
    uint8_t secret[80], shared[256];

    fill(secret, sizeof(secret), 1);
    return ke_shared(a->id, secret, a->private_len, value, a->out_len, shared, a->secret_len);
}

/* RFC 6989 section 2.1. */
static void values_outside_1_to_p_minus_1_are_refused(void)
{
    for (size_t i = 0; i < COUNT(moduli); i++) {
        const s2svpn_algorithm *a = find_row(S2SVPN_TRANSFORM_KE, moduli[i].ke, 0);
        uint8_t value[256] = {0};

        CHECK_ROW(moduli[i].row, offer(a, value) == S2SVPN_E_ARGUMENT);
        value[a->out_len - 1u] = 1;
        CHECK_ROW(moduli[i].row, offer(a, value) == S2SVPN_E_ARGUMENT);
        for (int add = -1; add <= 2; add++) {
            near_p(moduli[i].p, add, value, a->out_len);
            CHECK_ROW(moduli[i].row, offer(a, value) == S2SVPN_E_ARGUMENT);
        }
        memset(value, 0xff, sizeof(value));
        CHECK_ROW(moduli[i].row, offer(a, value) == S2SVPN_E_ARGUMENT);
    }
    CU_ASSERT_EQUAL(ERR_peek_error(), 0);
}

/* 2 and p - 2 are members where every number is; in the prime-order groups they are not
 * (RFC 6989 section 2.2). */
static void membership_is_checked_where_it_is_not_given(void)
{
    for (size_t i = 0; i < COUNT(moduli); i++) {
        const s2svpn_algorithm *a = find_row(S2SVPN_TRANSFORM_KE, moduli[i].ke, 0);
        const s2svpn_status want = moduli[i].subgroup ? S2SVPN_E_ARGUMENT : S2SVPN_OK;
        uint8_t value[256] = {0};

        value[a->out_len - 1u] = 2;
        CHECK_ROW(moduli[i].row, offer(a, value) == want);
        near_p(moduli[i].p, -2, value, a->out_len);
        CHECK_ROW(moduli[i].row, offer(a, value) == want);
    }
}

/* A member's negative has order 2q: the attack on one bit of a private number. */
static void a_member_s_negative_is_no_member(void)
{
    for (size_t i = 0; i < COUNT(moduli); i++) {
        const s2svpn_algorithm *a = find_row(S2SVPN_TRANSFORM_KE, moduli[i].ke, 0);
        uint8_t secret[80], member[256], p[256];
        int borrow = 0;

        if (!moduli[i].subgroup)
            continue;
        fill(secret, sizeof(secret), 7);
        CHECK_ROW(moduli[i].row,
                  ke_public(a->id, secret, a->private_len, member, a->out_len) == S2SVPN_OK);
        CHECK_ROW(moduli[i].row, offer(a, member) == S2SVPN_OK);
        unhex(moduli[i].p, p, sizeof(p));
        for (size_t k = a->out_len; k-- > 0;) {
            const int d = p[k] - member[k] - borrow;

            member[k] = (uint8_t)d;
            borrow = d < 0;
        }
        CHECK_ROW(moduli[i].row, offer(a, member) == S2SVPN_E_ARGUMENT);
    }
}

/* Zero bytes as input would make the exponent 0, if they were it: 1 has to be no
 * public value. */
static void no_input_makes_a_trivial_key(void)
{
    static const uint8_t zero[80];

    for (size_t i = 0; i < COUNT(moduli); i++) {
        const s2svpn_algorithm *a = find_row(S2SVPN_TRANSFORM_KE, moduli[i].ke, 0);
        uint8_t value[256];

        CHECK_ROW(moduli[i].row,
                  ke_public(a->id, zero, a->private_len, value, a->out_len) == S2SVPN_OK);
        CHECK_ROW(moduli[i].row, offer(a, value) == S2SVPN_OK);
    }
}

const CU_TestInfo s2_test_openssl_modp[] = {
    {"published exchanges come out", published_exchanges_come_out},
    {"safe-prime groups agree with integer arithmetic",
     safe_prime_groups_agree_with_integer_arithmetic},
    {"a short secret is padded in front", a_short_secret_is_padded_in_front},
    {"values outside 1 to p - 1 are refused", values_outside_1_to_p_minus_1_are_refused},
    {"membership is checked where it is not given", membership_is_checked_where_it_is_not_given},
    {"a member's negative is no member", a_member_s_negative_is_no_member},
    {"no input makes a trivial key", no_input_makes_a_trivial_key},
    CU_TEST_INFO_NULL,
};
