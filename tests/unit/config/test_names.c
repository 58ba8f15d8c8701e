/* SPDX-License-Identifier: Apache-2.0 */
/* Words for algorithms: one is written, several are read, and nothing else is. */
#include "config/names.h"

#include <string.h>

#include "harness.h"
#include "s2svpn/crypto.h"

static const struct {
    const char *word;
    uint16_t encr, bits; /* 0: refused */
} ciphers[] = {
    {"aes-128-cbc", 12, 128},
    {"aes-256-cbc", 12, 256},
    {"aes-128-gcm-16", 20, 128},
    {"aes-256-gcm-16", 20, 256},
    {"AES128", 12, 128},
    {"AES256-GCM-16", 20, 256},
    {"aes_128_cbc", 12, 128},
    {"aes 256", 12, 256},
    {"aes-gcm-256", 20, 256},
    {"aes-192-cbc", 0, 0},
    {"3des", 0, 0},
    {"aes-128-gcm-8", 0, 0},
    {"null", 0, 0},
    {"", 0, 0},
    {"-", 0, 0},
    {"aes-128-cbc-and-more-than-fits-into-a-word", 0, 0},
};
static const struct {
    const char *word;
    int integ; /* -1: refused */
} integrities[] = {
    {"sha1", 2},
    {"sha2-256", 12},
    {"sha2-384", 13},
    {"sha2-512", 14},
    {"SHA1", 2},
    {"sha256", 12},
    {"sha-512", 14},
    {"none", 0},
    {"hmac-sha1", 2},
    {"hmac-sha1-96", 2},
    {"hmac-sha2-256-128", 12},
    {"hmac-sha2-384-192", 13},
    {"md5", -1},
    {"hmac-sha2-512-256", 14},
    {"HMAC_SHA2_256_128", 12},
    {"sha3-256", -1},
    {"sha", -1},
    {"", -1},
};
static const struct {
    const char *word;
    uint16_t ke; /* 0: refused */
} dh[] = {
    {"group2", 2},    {"group5", 5},       {"group14", 14}, {"group24", 24},   {"group31", 31},
    {"Group 19", 19}, {"dh-group-20", 20}, {"21", 21},      {"dhgroup14", 14}, {"group02", 2},
    {"group1", 0},    {"group13", 0},      {"group25", 0},  {"group0", 0},     {"group", 0},
    {"group2x", 0},   {"group65538", 0},   {"modp1024", 0}, {"", 0},
};

static void words_of_ciphers_are_read(void)
{
    for (size_t i = 0; i < sizeof(ciphers) / sizeof(ciphers[0]); i++) {
        uint16_t encr = 0, bits = 0;
        const bool good = s2_config_read_encr(ciphers[i].word, &encr, &bits);

        CHECK_ROW(ciphers[i].word, good == (ciphers[i].encr != 0));
        CHECK_ROW(ciphers[i].word, encr == ciphers[i].encr && bits == ciphers[i].bits);
    }
}

static void words_of_hashes_and_macs_are_read(void)
{
    for (size_t i = 0; i < sizeof(integrities) / sizeof(integrities[0]); i++) {
        uint16_t integ = 99;
        const bool good = s2_config_read_integ(integrities[i].word, &integ);

        CHECK_ROW(integrities[i].word, good == (integrities[i].integ >= 0));
        CHECK_ROW(integrities[i].word, integ == (good ? integrities[i].integ : 99));
    }
}

static void words_of_groups_are_read(void)
{
    for (size_t i = 0; i < sizeof(dh) / sizeof(dh[0]); i++) {
        uint16_t ke = 0;
        const bool good = s2_config_read_group(dh[i].word, &ke);

        CHECK_ROW(dh[i].word, good == (dh[i].ke != 0));
        CHECK_ROW(dh[i].word, ke == dh[i].ke);
    }
}

static void the_written_words_are_awss(void)
{
    CU_ASSERT_STRING_EQUAL(s2_config_encr_word(S2SVPN_ENCR_AES_CBC, 128), "aes-128-cbc");
    CU_ASSERT_STRING_EQUAL(s2_config_encr_word(S2SVPN_ENCR_AES_CBC, 256), "aes-256-cbc");
    CU_ASSERT_STRING_EQUAL(s2_config_encr_word(S2SVPN_ENCR_AES_GCM_16, 128), "aes-128-gcm-16");
    CU_ASSERT_STRING_EQUAL(s2_config_encr_word(S2SVPN_ENCR_AES_GCM_16, 256), "aes-256-gcm-16");
    CU_ASSERT_STRING_EQUAL(s2_config_hash_word(S2SVPN_INTEG_HMAC_SHA1_96), "sha1");
    CU_ASSERT_STRING_EQUAL(s2_config_hash_word(S2SVPN_INTEG_HMAC_SHA2_384_192), "sha2-384");
    CU_ASSERT_STRING_EQUAL(s2_config_mac_word(S2SVPN_INTEG_HMAC_SHA1_96), "hmac-sha1-96");
    CU_ASSERT_STRING_EQUAL(s2_config_mac_word(S2SVPN_INTEG_HMAC_SHA2_512_256), "hmac-sha2-512-256");
    CU_ASSERT_STRING_EQUAL(s2_config_mac_word(S2SVPN_INTEG_NONE), "none");
    CU_ASSERT_STRING_EQUAL(s2_config_encr_word(S2SVPN_ENCR_AES_CBC, 192), "");
    CU_ASSERT_STRING_EQUAL(s2_config_mac_word(99), "");
}

extern const CU_TestInfo s2_test_names[];
const CU_TestInfo s2_test_names[] = {
    {"words of ciphers are read", words_of_ciphers_are_read},
    {"words of hashes and MACs are read", words_of_hashes_and_macs_are_read},
    {"words of groups are read", words_of_groups_are_read},
    {"the written words are AWS's", the_written_words_are_awss},
    CU_TEST_INFO_NULL,
};
