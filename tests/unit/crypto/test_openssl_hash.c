/* SPDX-License-Identifier: Apache-2.0 */
/* Hashes, PRFs and integrity transforms against published vectors. */
#include <openssl/err.h>
#include <string.h>

#include "harness.h"
#include "support.h"

/* FIPS 180-2 appendices A to D (and NIST's "SHA_All.pdf" for the empty message). */
static const struct {
    const char *row, *text;
    const char *digest[4]; /* SHA-1, 256, 384, 512 */
} hashes[] = {
    {"empty",
     "",
     {"da39a3ee5e6b4b0d3255bfef95601890afd80709",
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "38b060a751ac96384cd9327eb1b1e36a21fdb71114be07434c0cc7bf63f6e1da274edebfe76f65fb"
      "d51ad2f14898b95b",
      "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0"
      "ff8318d2877eec2f63b931bd47417a81a538327af927da3e"}},
    {"abc",
     "abc",
     {"a9993e364706816aba3e25717850c26c9cd0d89d",
      "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
      "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc23"
      "58baeca134c825a7",
      "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a8"
      "36ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"}},
    {"two blocks of 64",
     "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
     {"84983e441c3bd26ebaae4aa1f95129e5e54670f1",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
      "3391fdddfc8dc7393707a65b1b4709397cf8b1d162af05abfe8f450de5f36bc6b0455a8520bc4e6f"
      "5fe95b1fe3c8452b",
      "204a8fc6dda82f0a0ced7beb8e08a41657c16ef468b228a8279be331a703c33596fd15c13b1b07f9"
      "aa1d3bea57789ca031ad85c7a71dd70354ec631238ca3445"}},
};

struct mac {
    const char *row, *key, *text;
    const char *mac[3];
};

/* RFC 2202 section 3. */
static const struct mac sha1[] = {
    {"case 1",
     "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
     "4869205468657265",
     {"b617318655057264e28bc0b6fb378c8ef146be00"}},
    {"case 2",
     "4a656665",
     "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
     {"effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"}},
    {"case 3",
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
     "dddddddddddddddddddd",
     {"125d7342b9ac11cd91a39af48aa17b4f63f175d3"}},
    {"case 4",
     "0102030405060708090a0b0c0d0e0f10111213141516171819",
     "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
     "cdcdcdcdcdcdcdcdcdcd",
     {"4c9007f4026250c6bc8414f9bf50c86c2d7235da"}},
    {"case 5",
     "0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c0c",
     "546573742057697468205472756e636174696f6e",
     {"4c1a03424b55e07fe7f27be1d58bb9324a9a5a04"}},
    {"case 6",
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d20"
     "48617368204b6579204669727374",
     {"aa4ae5e15272d00e95705637ce8a3b55ed402112"}},
    {"case 7",
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b657920616e"
     "64204c6172676572205468616e204f6e6520426c6f636b2d53697a652044617461",
     {"e8e99d0f45237d786d6bbaa7965c7808bbff1a91"}},
};

/* RFC 4231 section 4, HMAC-SHA-256, 384, 512; case 5 is a truncation that IKE has not. */
static const struct mac sha2[] = {
    {"case 1",
     "0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b",
     "4869205468657265",
     {"b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
      "afd03944d84895626b0825f4ab46907f15f9dadbe4101ec682aa034c7cebc59cfaea9ea9076ede7f"
      "4af152e8b2fa9cb6",
      "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702"
      "038b274eaea3f4e4be9d914eeb61f1702e696c203a126854"}},
    {"case 2",
     "4a656665",
     "7768617420646f2079612077616e7420666f72206e6f7468696e673f",
     {"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
      "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c7"
      "8b3239ecfab21649",
      "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a"
      "6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"}},
    {"case 3",
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
     "dddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddddd"
     "dddddddddddddddddddd",
     {"773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe",
      "88062608d3e6ad8a0aa2ace014c8a86f0aa635d947ac9febe83ef4e55966144b2a5ab39dc13814b9"
      "4e3ab6e101a34f27",
      "fa73b0089d56a284efb0f0756c890be9b1b5dbdd8ee81a3655f83e33b2279d39bf3e848279a722c8"
      "06b485a47e67c807b946a337bee8942674278859e13292fb"}},
    {"case 4",
     "0102030405060708090a0b0c0d0e0f10111213141516171819",
     "cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd"
     "cdcdcdcdcdcdcdcdcdcd",
     {"82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
      "3e8a69b7783c25851933ab6290af6ca77a9981480850009cc5577c6e1f573b4e6801dd23c4a7d679"
      "ccf8a386c674cffb",
      "b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3dba91ca5c11aa25eb4"
      "d679275cc5788063a5f19741120c4f2de2adebeb10a298dd"}},
    {"case 6",
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaa",
     "54657374205573696e67204c6172676572205468616e20426c6f636b2d53697a65204b6579202d20"
     "48617368204b6579204669727374",
     {"60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
      "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe82"
      "96248df163f44952",
      "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598"
      "bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598"}},
    {"case 7",
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
     "aaaaaaaaaaaaaaaaaaaaaa",
     "5468697320697320612074657374207573696e672061206c6172676572207468616e20626c6f636b"
     "2d73697a65206b657920616e642061206c6172676572207468616e20626c6f636b2d73697a652064"
     "6174612e20546865206b6579206e6565647320746f20626520686173686564206265666f72652062"
     "65696e6720757365642062792074686520484d414320616c676f726974686d2e",
     {"9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2",
      "6617178e941f020d351e2f254e8fd32c602420feb0b8fb9adccebb82461e99c5a678cc31e799176d"
      "3860e6110c46523e",
      "e37b6a775dc87dbaa4dfa9f96e5e3ffddebd71f8867289865df5a32d20cdc944b6022cac3c4982b1"
      "0d5eeb55c3e4de15134676fb6de0446065c97440fa8c6a58"}},
};

static const uint16_t sha2_prfs[] = {S2SVPN_PRF_HMAC_SHA2_256, S2SVPN_PRF_HMAC_SHA2_384,
                                     S2SVPN_PRF_HMAC_SHA2_512};
static const uint16_t sha2_integs[] = {
    S2SVPN_INTEG_HMAC_SHA2_256_128, S2SVPN_INTEG_HMAC_SHA2_384_192, S2SVPN_INTEG_HMAC_SHA2_512_256};

/* The text as three pieces, of which the middle one is empty. */
static void split(const uint8_t *text, size_t len, s2svpn_span in[3])
{
    const size_t first = len / 3;

    in[0] = (s2svpn_span){text, first};
    in[1] = (s2svpn_span){NULL, 0};
    in[2] = (s2svpn_span){text + first, len - first};
}

static void hashes_match_the_published_vectors(void)
{
    static const uint16_t ids[] = {S2SVPN_HASH_SHA1, S2SVPN_HASH_SHA2_256, S2SVPN_HASH_SHA2_384,
                                   S2SVPN_HASH_SHA2_512};

    for (size_t i = 0; i < COUNT(hashes); i++) {
        for (size_t k = 0; k < COUNT(ids); k++) {
            uint8_t out[64];
            s2svpn_span in[3];

            split((const uint8_t *)hashes[i].text, strlen(hashes[i].text), in);
            CHECK_ROW(hashes[i].row,
                      s2svpn_crypto_openssl()->hash(NULL, ids[k], in, 3, out) == S2SVPN_OK);
            CHECK_ROW(hashes[i].row,
                      is_hex(out, strlen(hashes[i].digest[k]) / 2, hashes[i].digest[k]));
        }
    }
}

/* The PRF writes all, the integrity transform the row's first bytes, and neither
 * writes behind that. */
static void check_mac(const struct mac *v, const char *want, uint16_t prf, uint16_t integ)
{
    const s2svpn_crypto_ops *o = s2svpn_crypto_openssl();
    const size_t icv_len = find_row(S2SVPN_TRANSFORM_INTEG, integ, 0)->out_len;
    uint8_t key[256], text[256], out[65], full[64];
    s2svpn_span in[3];
    const s2svpn_span k = {key, unhex(v->key, key, sizeof(key))};

    split(text, unhex(v->text, text, sizeof(text)), in);
    memset(out, 0xee, sizeof(out));
    CHECK_ROW(v->row, o->prf(NULL, prf, k, in, 3, out) == S2SVPN_OK);
    CHECK_ROW(v->row, is_hex(out, strlen(want) / 2, want));
    CHECK_ROW(v->row, out[strlen(want) / 2] == 0xee);

    unhex(want, full, sizeof(full));
    memset(out, 0xee, sizeof(out));
    CHECK_ROW(v->row, o->integ(NULL, integ, k, in, 3, out) == S2SVPN_OK);
    CHECK_ROW(v->row, memcmp(out, full, icv_len) == 0 && out[icv_len] == 0xee);
}

static void hmac_sha1_matches_rfc_2202(void)
{
    for (size_t i = 0; i < COUNT(sha1); i++)
        check_mac(&sha1[i], sha1[i].mac[0], S2SVPN_PRF_HMAC_SHA1, S2SVPN_INTEG_HMAC_SHA1_96);
}

static void hmac_sha2_matches_rfc_4231(void)
{
    for (size_t i = 0; i < COUNT(sha2); i++) {
        for (size_t k = 0; k < COUNT(sha2_prfs); k++)
            check_mac(&sha2[i], sha2[i].mac[k], sha2_prfs[k], sha2_integs[k]);
    }
}

/* The value is HMAC-SHA-256's of nothing under no key. */
static void an_empty_key_is_a_key(void)
{
    uint8_t out[32];

    CU_ASSERT_EQUAL(s2svpn_crypto_openssl()->prf(NULL, S2SVPN_PRF_HMAC_SHA2_256,
                                                 (s2svpn_span){NULL, 0}, NULL, 0, out),
                    S2SVPN_OK);
    CU_ASSERT(is_hex(out, 32, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad"));
}

static void unknown_numbers_are_refused(void)
{
    const s2svpn_crypto_ops *o = s2svpn_crypto_openssl();
    const s2svpn_span none = {NULL, 0};
    uint8_t out[64] = {0x55};

    CU_ASSERT_EQUAL(o->hash(NULL, 0, &none, 1, out), S2SVPN_E_UNSUPPORTED);
    CU_ASSERT_EQUAL(o->hash(NULL, 5, &none, 1, out), S2SVPN_E_UNSUPPORTED);
    CU_ASSERT_EQUAL(o->prf(NULL, 1, none, &none, 1, out), S2SVPN_E_UNSUPPORTED);
    CU_ASSERT_EQUAL(o->integ(NULL, S2SVPN_INTEG_NONE, none, &none, 1, out), S2SVPN_E_UNSUPPORTED);
    CU_ASSERT_EQUAL(out[0], 0x55);
}

static bool hash_and_mac(void)
{
    const s2svpn_crypto_ops *o = s2svpn_crypto_openssl();
    const s2svpn_span in = {(const uint8_t *)"text", 4};
    uint8_t out[64];

    return o->hash(NULL, S2SVPN_HASH_SHA1, &in, 1, out) == S2SVPN_OK &&
           o->prf(NULL, S2SVPN_PRF_HMAC_SHA2_384, in, &in, 1, out) == S2SVPN_OK &&
           o->integ(NULL, S2SVPN_INTEG_HMAC_SHA2_256_128, in, &in, 1, out) == S2SVPN_OK;
}

static void nothing_here_allocates(void)
{
    const size_t before = memory_count();

    CU_ASSERT(hash_and_mac());
    CU_ASSERT_EQUAL(memory_count(), before);
}

const CU_TestInfo s2_test_openssl_hash[] = {
    {"hashes match the published vectors", hashes_match_the_published_vectors},
    {"HMAC-SHA1 matches RFC 2202", hmac_sha1_matches_rfc_2202},
    {"HMAC-SHA2 matches RFC 4231", hmac_sha2_matches_rfc_4231},
    {"an empty key is a key", an_empty_key_is_a_key},
    {"unknown numbers are refused", unknown_numbers_are_refused},
    {"nothing here allocates", nothing_here_allocates},
    CU_TEST_INFO_NULL,
};
