/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of lib/ike/payload_auth.c. */
#include "ike/message.h"

#include <string.h>

#include "harness.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define WIRE(text) (const uint8_t *)(text), sizeof(text) - 1

static const struct {
    const char *row;
    const uint8_t *wire;
    size_t len;
    const char *field;
} bad[] = {
    {"empty", WIRE(""), "auth.method"},
    {"no reserved bytes", WIRE("\2\0\0"), "auth.reserved"},
    {"no data", WIRE("\2\0\0\0"), "auth.data"},
};

static void malformed_auth_is_refused_and_named(void)
{
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct s2_ike_auth_payload auth = {.method = 77};
        struct s2_reader r;

        s2_reader_init(&r, bad[i].wire, bad[i].len);
        CHECK_ROW(bad[i].row, s2_ike_parse_auth(&r, &auth) == S2SVPN_E_MALFORMED);
        CHECK_ROW(bad[i].row, r.field != NULL && strcmp(r.field, bad[i].field) == 0);
        CHECK_ROW(bad[i].row, auth.method == 77);
    }
}

static void auth_goes_around(void)
{
    struct s2_ike_auth_payload auth;
    uint8_t wire[24];
    struct s2_reader r;
    struct s2_writer w;

    s2_writer_init(&w, wire, sizeof(wire));
    s2_ike_write_auth(&w, S2_IKE_AUTH_PSK, s2_span("0123456789abcdefghij", 20));
    CU_ASSERT_EQUAL_FATAL(s2_writer_finish(&w), S2SVPN_OK);
    CU_ASSERT_EQUAL(memcmp(wire,
                           "\2\0\0\0"
                           "0123",
                           8),
                    0);
    s2_reader_init(&r, wire, w.len);
    CU_ASSERT_EQUAL_FATAL(s2_ike_parse_auth(&r, &auth), S2SVPN_OK);
    CU_ASSERT_EQUAL(auth.method, S2_IKE_AUTH_PSK);
    CU_ASSERT_TRUE(s2_span_equal(auth.data, s2_span("0123456789abcdefghij", 20)));
}

const CU_TestInfo s2_test_payload_auth[] = {
    {"malformed auth is refused and named", malformed_auth_is_refused_and_named},
    {"auth goes around", auth_goes_around},
    CU_TEST_INFO_NULL,
};
