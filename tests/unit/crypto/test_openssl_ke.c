/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs for Curve25519 and the ECP groups: published exchanges, and peers' values that
 * RFC 6989 wants refused. */
#include <openssl/err.h>
#include <string.h>

#include "harness.h"
#include "ke_job.h"

/* An exchange of RFC 5903 has private numbers; the inputs here are those numbers minus
 * one behind eight zero bytes, from which the backend makes them (FIPS 186-4 B.4.1). */
static const struct {
    const char *row;
    uint16_t ke;
    const char *private_i, *public_i, *private_r, *public_r, *shared;
} exchanges[] = {
    {"RFC 5903 section 8.1, ECP 256", S2SVPN_KE_ECP_256,
     "0000000000000000c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1432",
     "dad0b65394221cf9b051e1feca5787d098dfe637fc90b9ef945d0c37725811805271a0461cdb8252"
     "d61f1c456fa3e59ab1f45b33accf5f58389e0577b8990bb3",
     "0000000000000000c6ef9c5d78ae012a011164acb397ce2088685d8f06bf9be0b283ab46476bee52",
     "d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf6356fbf3ca366cc23e"
     "8157854c13c58d6aac23f046ada30f8353e74f33039872ab",
     "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de"},
    {"RFC 5903 section 8.2, ECP 384", S2SVPN_KE_ECP_384,
     "0000000000000000099f3c7034d4a2c699884d73a375a67f7624ef7c6b3c0f160647b67414dce655"
     "e35b538041e649ee3faef896783ab193",
     "667842d7d180ac2cde6f74f37551f55755c7645c20ef73e31634fe72b4c55ee6de3ac808acb4bdb4"
     "c88732aee95f41aa9482ed1fc0eeb9cafc4984625ccfc23f65032149e0e144ada024181535a0f38e"
     "eb9fcff3c2c947dae69b4c634573a81c",
     "000000000000000041cb0779b4bdb85d47846725fbec3c9430fab46cc8dc5060855cc9bda0aa2942"
     "e0308312916b8ed2960e4bd55a7448fb",
     "e558dbef53eecde3d3fccfc1aea08a89a987475d12fd950d83cfa41732bc509d0d1ac43a0336def9"
     "6fda41d0774a3571dcfbec7aacf3196472169e838430367f66eebe3c6e70c416dd5f0c68759dd1ff"
     "f83fa40142209dff5eaad96db9e6386c",
     "11187331c279962d93d604243fd592cb9d0a926f422e47187521287e7156c5c4d603135569b9e9d0"
     "9cf5d4a270f59746"},
    {"RFC 5903 section 8.3, ECP 521", S2SVPN_KE_ECP_521,
     "00000000000000000037ade9319a89f4dabdb3ef411aaccca5123c61acab57b5393dce47608172a0"
     "95aa85a30fe1c2952c6771d937ba9777f5957b2639bab072462f68c27a57382d4a51",
     "0015417e84dbf28c0ad3c278713349dc7df153c897a1891bd98bab4357c9ecbee1e3bf42e00b8e38"
     "0aeae57c2d107564941885942af5a7f4601723c4195d176ced3e017cae20b6641d2eeb695786d8c9"
     "46146239d099e18e1d5a514c739d7cb4a10ad8a788015ac405d7799dc75e7b7d5b6cf2261a6a7f15"
     "07438bf01beb6ca3926f9582",
     "00000000000000000145ba99a847af43793fdd0e872e7cdfa16be30fdc780f97bccc3f078380201e"
     "9c677d600b343757a3bdbf2a3163e4c2f869cca7458aa4a4effc311f5cb151685eb8",
     "00d0b3975ac4b799f5bea16d5e13e9af971d5e9b984c9f39728b5e5739735a219b97c356436adc6e"
     "95bb0352f6be64a6c2912d4ef2d0433ced2b6171640012d9460f015c68226383956e3bd066e797b6"
     "23c27ce0eac2f551a10c2c724d9852077b87220b6536c5c408a1d2aebb8e86d678ae49cb57091f47"
     "32296579ab44fcd17f0fc56a",
     "01144c7d79ae6956bc8edb8e7c787c4521cb086fa64407f97894e5e6b2d79b04d1427e73ca4baa24"
     "0a34786859810c06b3c715a3a8cc3151f2bee417996d19f3ddea"},
    {"RFC 7748 section 6.1", S2SVPN_KE_CURVE25519,
     "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a",
     "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a",
     "5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb",
     "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f",
     "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"},
};

static void published_exchanges_come_out(void)
{
    for (size_t i = 0; i < COUNT(exchanges); i++) {
        uint8_t secret[2][80], value[2][132], shared[66];
        const size_t len = unhex(exchanges[i].private_i, secret[0], 80);
        const size_t public_len = strlen(exchanges[i].public_i) / 2;
        const size_t shared_len = strlen(exchanges[i].shared) / 2;

        unhex(exchanges[i].private_r, secret[1], 80);
        CHECK_ROW(exchanges[i].row,
                  ke_public(exchanges[i].ke, secret[0], len, value[0], public_len) == S2SVPN_OK);
        CHECK_ROW(exchanges[i].row, is_hex(value[0], public_len, exchanges[i].public_i));
        CHECK_ROW(exchanges[i].row,
                  ke_public(exchanges[i].ke, secret[1], len, value[1], public_len) == S2SVPN_OK);
        CHECK_ROW(exchanges[i].row, is_hex(value[1], public_len, exchanges[i].public_r));
        for (int side = 0; side < 2; side++) {
            memset(shared, 0, sizeof(shared));
            CHECK_ROW(exchanges[i].row,
                      ke_shared(exchanges[i].ke, secret[side], len, value[1 - side], public_len,
                                shared, shared_len) == S2SVPN_OK);
            CHECK_ROW(exchanges[i].row, is_hex(shared, shared_len, exchanges[i].shared));
        }
    }
}

/* RFC 7748 section 5.2; the second point has its highest bit set, which is ignored. */
static void x25519_matches_rfc_7748(void)
{
    static const char *const v[][3] = {
        {"a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4",
         "e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c",
         "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"},
        {"4b66e9d4d1b4673c5ad22691957d6af5c11b6421e0ea01d42ca4169e7918ba0d",
         "e5210f12786811d3f4b7959d0538ae2c31dbe7106fc03c3efc4cd549c715a493",
         "95cbde9476e8907d7aade45cb4b873f88b595a68799fa152e6f8f7647aac7957"},
    };

    for (size_t i = 0; i < COUNT(v); i++) {
        uint8_t secret[32], point[32], shared[32];

        unhex(v[i][0], secret, 32);
        unhex(v[i][1], point, 32);
        CU_ASSERT_EQUAL(ke_shared(S2SVPN_KE_CURVE25519, secret, 32, point, 32, shared, 32),
                        S2SVPN_OK);
        CU_ASSERT(is_hex(shared, 32, v[i][2]));
    }
}

/* Values of small order make an all-zero secret, RFC 7748 section 6.1. The list is all
 * points of order 1, 2, 4 and 8, and their unreduced forms. */
static void x25519_values_of_small_order_are_refused(void)
{
    static const char *const values[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    };

    for (size_t i = 0; i < COUNT(values); i++) {
        uint8_t secret[32], value[32], shared[32];

        fill(secret, sizeof(secret), (unsigned)i);
        memset(shared, 0xee, sizeof(shared));
        unhex(values[i], value, sizeof(value));
        CHECK_ROW(values[i], ke_shared(S2SVPN_KE_CURVE25519, secret, 32, value, 32, shared, 32) ==
                                 S2SVPN_E_ARGUMENT);
        for (size_t k = 0; k < sizeof(shared); k++)
            CHECK_ROW(values[i], shared[k] == 0xee);
    }
    CU_ASSERT_EQUAL(ERR_peek_error(), 0);
}

/* Field primes, SP 800-186. */
static const struct {
    uint16_t ke;
    size_t len, private_len;
    const char *p;
} curves[] = {
    {S2SVPN_KE_ECP_256, 32, 40, "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff"},
    {S2SVPN_KE_ECP_384, 48, 56,
     "fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffeffffffff00000000"
     "00000000ffffffff"},
    {S2SVPN_KE_ECP_521, 66, 74,
     "01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
     "ffffffffffffffffffffffffffffffffffffffffffffffffffff"},
};

/* The base point's neighbours, made wrong in one way each. */
static void ecp_values_that_are_no_point_are_refused(void)
{
    static const char *const how[] = {"zeros", "x changed", "y changed",      "x = p",
                                      "y = p", "all ones",  "x and y swapped"};

    for (size_t i = 0; i < COUNT(curves); i++) {
        const size_t len = curves[i].len;
        uint8_t secret[80], good[132], value[132], shared[66];

        fill(secret, sizeof(secret), 1);
        CU_ASSERT_EQUAL(ke_public(curves[i].ke, secret, curves[i].private_len, good, 2 * len),
                        S2SVPN_OK);
        for (size_t k = 0; k < COUNT(how); k++) {
            memcpy(value, good, sizeof(value));
            switch (k) {
            case 0:
                memset(value, 0, sizeof(value));
                break;
            case 1:
            case 2:
                value[k * len - 1] ^= 1;
                break;
            case 3:
            case 4:
                unhex(curves[i].p, value + (k - 3) * len, len);
                break;
            case 5:
                memset(value, 0xff, sizeof(value));
                break;
            default:
                memcpy(value, good + len, len);
                memcpy(value + len, good, len);
            }
            CHECK_ROW(how[k], ke_shared(curves[i].ke, secret, curves[i].private_len, value, 2 * len,
                                        shared, len) == S2SVPN_E_ARGUMENT);
        }
        CU_ASSERT_EQUAL(
            ke_shared(curves[i].ke, secret, curves[i].private_len, good, 2 * len, shared, len),
            S2SVPN_OK);
    }
    CU_ASSERT_EQUAL(ERR_peek_error(), 0);
}

/* x + p names the same field element and is not a second form of the same value. On
 * P-521 x + p still fits into 66 bytes for every x. */
static void ecp_coordinates_are_below_p(void)
{
    uint8_t secret[74], value[132], p[66], shared[66];
    unsigned carry = 0;

    fill(secret, sizeof(secret), 1);
    CU_ASSERT_EQUAL(ke_public(S2SVPN_KE_ECP_521, secret, 74, value, 132), S2SVPN_OK);
    unhex(curves[2].p, p, sizeof(p));
    for (size_t i = 66; i-- > 0;) {
        carry += (unsigned)value[i] + p[i];
        value[i] = (uint8_t)carry;
        carry >>= 8;
    }
    CU_ASSERT_EQUAL(ke_shared(S2SVPN_KE_ECP_521, secret, 74, value, 132, shared, 66),
                    S2SVPN_E_ARGUMENT);
}

/* n - 1 is what the reduction is by: 0, n - 1 and 2(n - 1) all make the private number
 * 1, whose public value is the base point; n - 2 makes n - 1, the base point's
 * negative. So no input makes 0 or n. P-256's numbers, SP 800-186 section 3.2.1.3. */
static void private_numbers_stay_within_the_group(void)
{
    static const struct {
        const char *row, *secret;
        bool negative;
    } v[] = {
        {"0", "00000000000000000000000000000000000000000000000000000000000000000000000000000000",
         false},
        {"n - 1",
         "0000000000000000ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632550", false},
        {"2(n - 1)",
         "0000000000000001fffffffe00000001ffffffffffffffff79cdf55b4e2f3d09e7739585f8c64aa0", false},
        {"n - 2",
         "0000000000000000ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc63254f", true},
    };
    const char *x = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296";
    const char *y = "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";

    for (size_t i = 0; i < COUNT(v); i++) {
        uint8_t secret[40], value[64];

        unhex(v[i].secret, secret, sizeof(secret));
        CHECK_ROW(v[i].row,
                  ke_public(S2SVPN_KE_ECP_256, secret, sizeof(secret), value, 64) == S2SVPN_OK);
        CHECK_ROW(v[i].row, is_hex(value, 32, x));
        CHECK_ROW(v[i].row, is_hex(value + 32, 32, y) == !v[i].negative);
    }
}

/* Our own mistakes must not look like the peer's. */
static void wrong_sizes_and_numbers_are_refused(void)
{
    uint8_t secret[80] = {1}, value[256] = {9}, out[256];
    s2svpn_job job = {.size = 8,
                      .kind = S2SVPN_JOB_KE_PUBLIC,
                      .ke = S2SVPN_KE_CURVE25519,
                      .secret = {secret, 32},
                      .out = out,
                      .out_len = 32};
    s2svpn_status result;

    for (size_t i = 0; i < COUNT(exchanges); i++) {
        const s2svpn_algorithm *a = find_row(S2SVPN_TRANSFORM_KE, exchanges[i].ke, 0);
        const size_t len = a->private_len;

        CHECK_ROW(exchanges[i].row, ke_shared(a->id, secret, len, value, a->out_len - 1u, out,
                                              a->secret_len) == S2SVPN_E_ARGUMENT);
        CHECK_ROW(exchanges[i].row, ke_shared(a->id, secret, len, value, a->out_len + 1u, out,
                                              a->secret_len) == S2SVPN_E_ARGUMENT);
        CHECK_ROW(exchanges[i].row,
                  ke_shared(a->id, secret, len, value, 0, out, a->secret_len) == S2SVPN_E_ARGUMENT);
        CHECK_ROW(exchanges[i].row, ke_shared(a->id, secret, len - 1, value, a->out_len, out,
                                              a->secret_len) == S2SVPN_E_CRYPTO);
        CHECK_ROW(exchanges[i].row,
                  ke_public(a->id, secret, len, out, a->out_len - 1u) == S2SVPN_E_CRYPTO);
    }
    CU_ASSERT_EQUAL(s2svpn_crypto_openssl()->start_job(NULL, &job, &result), S2SVPN_JOB_DONE);
    CU_ASSERT_EQUAL(result, S2SVPN_E_CRYPTO);
    job.size = sizeof(job);
    job.kind = 5;
    CU_ASSERT_EQUAL(s2svpn_crypto_openssl()->start_job(NULL, &job, &result), S2SVPN_JOB_DONE);
    CU_ASSERT_EQUAL(result, S2SVPN_E_UNSUPPORTED);
    CU_ASSERT_EQUAL(ke_public(S2SVPN_KE_NONE, secret, 32, out, 32), S2SVPN_E_UNSUPPORTED);
    CU_ASSERT_EQUAL(ke_public(25, secret, 32, out, 48), S2SVPN_E_UNSUPPORTED);
}

/* A simulation with seeded randomness must replay. */
static void the_same_bytes_make_the_same_key(void)
{
    for (const s2svpn_algorithm *a = s2svpn_crypto_openssl()->algorithms; a->type != 0; a++) {
        uint8_t secret[S2SVPN_KE_PRIVATE_MAX], one[1024], two[1024];

        if (a->type != S2SVPN_TRANSFORM_KE || a->out_len > 256)
            continue;
        fill(secret, sizeof(secret), a->id);
        CU_ASSERT_EQUAL(ke_public(a->id, secret, a->private_len, one, a->out_len), S2SVPN_OK);
        CU_ASSERT_EQUAL(ke_public(a->id, secret, a->private_len, two, a->out_len), S2SVPN_OK);
        CU_ASSERT(memcmp(one, two, a->out_len) == 0);
        secret[a->private_len - 1u] ^= 8; /* the lowest three bits of Curve25519 don't count */
        secret[0] ^= 8;
        CU_ASSERT_EQUAL(ke_public(a->id, secret, a->private_len, two, a->out_len), S2SVPN_OK);
        CU_ASSERT(memcmp(one, two, a->out_len) != 0);
    }
}

static bool exchange(void *arg)
{
    const s2svpn_algorithm *a = arg;
    uint8_t secret[S2SVPN_KE_PRIVATE_MAX], value[256], shared[256];

    fill(secret, sizeof(secret), 3);
    return ke_public(a->id, secret, a->private_len, value, a->out_len) == S2SVPN_OK &&
           ke_shared(a->id, secret, a->private_len, value, a->out_len, shared, a->secret_len) ==
               S2SVPN_OK;
}

static void running_out_of_memory_is_reported(void)
{
    static const uint16_t kes[] = {S2SVPN_KE_CURVE25519, S2SVPN_KE_ECP_256, S2SVPN_KE_MODP_1024,
                                   S2SVPN_KE_MODP_1024_160};

    for (size_t i = 0; i < COUNT(kes); i++)
        memory_fail_each(exchange, (void *)find_row(S2SVPN_TRANSFORM_KE, kes[i], 0));
}

const CU_TestInfo s2_test_openssl_ke[] = {
    {"published exchanges come out", published_exchanges_come_out},
    {"X25519 matches RFC 7748", x25519_matches_rfc_7748},
    {"X25519 values of small order are refused", x25519_values_of_small_order_are_refused},
    {"ECP values that are no point are refused", ecp_values_that_are_no_point_are_refused},
    {"ECP coordinates are below p", ecp_coordinates_are_below_p},
    {"private numbers stay within the group", private_numbers_stay_within_the_group},
    {"wrong sizes and numbers are refused", wrong_sizes_and_numbers_are_refused},
    {"the same bytes make the same key", the_same_bytes_make_the_same_key},
    {"running out of memory is reported", running_out_of_memory_is_reported},
    CU_TEST_INFO_NULL,
};
