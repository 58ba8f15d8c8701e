/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes: the service's own MTU table, and that they agree with one another. */
#include "esp/esp.h"

#include "fake_crypto.h"
#include "harness.h"

#define CRYPTO (&s2_fake_crypto_gather)

/* AWS Site-to-Site VPN User Guide, "Maximum transmission unit (MTU) and maximum
 * segment size (MSS)": MTUs for an outside MTU of 1500 over IPv4. */
static const struct {
    const char *row;
    struct s2_esp_suite suite;
    bool udp;
    size_t mtu;
} service[] = {
    {"GCM", {S2SVPN_ENCR_AES_GCM_16, 128, 0}, false, 1446},
    {"GCM, NAT-T", {S2SVPN_ENCR_AES_GCM_16, 128, 0}, true, 1438},
    {"CBC, SHA1", {S2SVPN_ENCR_AES_CBC, 128, S2SVPN_INTEG_HMAC_SHA1_96}, false, 1438},
    {"CBC, SHA1, NAT-T", {S2SVPN_ENCR_AES_CBC, 128, S2SVPN_INTEG_HMAC_SHA1_96}, true, 1422},
    {"CBC, SHA2-256", {S2SVPN_ENCR_AES_CBC, 128, S2SVPN_INTEG_HMAC_SHA2_256_128}, false, 1438},
    {"CBC, SHA2-256, NAT-T",
     {S2SVPN_ENCR_AES_CBC, 128, S2SVPN_INTEG_HMAC_SHA2_256_128},
     true,
     1422},
    {"CBC, SHA2-384", {S2SVPN_ENCR_AES_CBC, 128, S2SVPN_INTEG_HMAC_SHA2_384_192}, false, 1422},
    {"CBC, SHA2-384, NAT-T",
     {S2SVPN_ENCR_AES_CBC, 128, S2SVPN_INTEG_HMAC_SHA2_384_192},
     true,
     1422},
    {"CBC, SHA2-512", {S2SVPN_ENCR_AES_CBC, 128, S2SVPN_INTEG_HMAC_SHA2_512_256}, false, 1422},
    {"CBC, SHA2-512, NAT-T",
     {S2SVPN_ENCR_AES_CBC, 128, S2SVPN_INTEG_HMAC_SHA2_512_256},
     true,
     1406},
};

static void the_inner_mtu_is_the_service_s_table(void)
{
    for (size_t i = 0; i < sizeof(service) / sizeof(service[0]); i++) {
        struct s2_esp_form form;

        CHECK_ROW(service[i].row, s2_esp_form_of(CRYPTO, &service[i].suite, &form) == S2SVPN_OK);
        CHECK_ROW(service[i].row,
                  s2_esp_inner_mtu(&form, 1500, 20, service[i].udp) == service[i].mtu);
    }
}

static void a_packet_of_the_inner_mtu_fits_and_one_more_byte_does_not(void)
{
    for (size_t i = 0; i < sizeof(service) / sizeof(service[0]); i++) {
        struct s2_esp_form form;

        if (s2_esp_form_of(CRYPTO, &service[i].suite, &form) != S2SVPN_OK)
            CU_FAIL_FATAL("no form");
        for (size_t mtu = 0; mtu < 1600; mtu++) {
            const size_t inner = s2_esp_inner_mtu(&form, mtu, 40, true);

            CHECK_ROW(service[i].row, inner == 0 || 48 + s2_esp_sealed_len(&form, inner) <= mtu);
            CHECK_ROW(service[i].row, 48 + s2_esp_sealed_len(&form, inner + 1) > mtu);
        }
    }
}

static const struct {
    const char *row;
    struct s2_esp_suite suite;
} unusable[] = {
    {"no such cipher", {3, 0, S2SVPN_INTEG_HMAC_SHA1_96}},
    {"no such key length", {S2SVPN_ENCR_AES_GCM_16, 192, 0}},
    {"a cipher that is only for IKE", {S2SVPN_ENCR_AES_GCM_16, 256, 0}},
    {"an AEAD with INTEG", {S2SVPN_ENCR_AES_GCM_16, 128, S2SVPN_INTEG_HMAC_SHA1_96}},
    {"CBC without INTEG", {S2SVPN_ENCR_AES_CBC, 128, 0}},
    {"no such INTEG", {S2SVPN_ENCR_AES_CBC, 128, 99}},
    {"neither encryption nor integrity", {S2SVPN_ENCR_NULL, 0, 0}},
};

static void a_suite_that_the_backend_lacks_or_that_is_unsafe_has_no_form(void)
{
    for (size_t i = 0; i < sizeof(unusable) / sizeof(unusable[0]); i++) {
        struct s2_esp_form form;

        CHECK_ROW(unusable[i].row,
                  s2_esp_form_of(CRYPTO, &unusable[i].suite, &form) == S2SVPN_E_UNSUPPORTED);
    }
}

static void lengths_are_header_iv_text_in_blocks_and_icv(void)
{
    const struct s2_esp_form gcm = {8, 16, 4}, cbc = {16, 12, 16};

    CU_ASSERT_EQUAL(s2_esp_sealed_len(&gcm, 0), 8 + 8 + 4 + 16);
    CU_ASSERT_EQUAL(s2_esp_sealed_len(&gcm, 2), 8 + 8 + 4 + 16);
    CU_ASSERT_EQUAL(s2_esp_sealed_len(&gcm, 3), 8 + 8 + 8 + 16);
    CU_ASSERT_EQUAL(s2_esp_sealed_len(&cbc, 14), 8 + 16 + 16 + 12);
    CU_ASSERT_EQUAL(s2_esp_sealed_len(&cbc, 15), 8 + 16 + 32 + 12);
}

const CU_TestInfo s2_test_form[] = {
    {"the inner MTU is the service's table", the_inner_mtu_is_the_service_s_table},
    {"a packet of the inner MTU fits and one more byte does not",
     a_packet_of_the_inner_mtu_fits_and_one_more_byte_does_not},
    {"a suite that the backend lacks or that is unsafe has no form",
     a_suite_that_the_backend_lacks_or_that_is_unsafe_has_no_form},
    {"lengths are header, IV, text in blocks, and ICV",
     lengths_are_header_iv_text_in_blocks_and_icv},
    CU_TEST_INFO_NULL,
};
