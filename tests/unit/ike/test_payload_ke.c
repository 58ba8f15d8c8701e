/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of lib/ike/payload_ke.c: KE and Nonce. */
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
    {"empty", WIRE(""), "ke.group"},
    {"half a group", WIRE("\0"), "ke.group"},
    {"no reserved bytes", WIRE("\0\x0e\0"), "ke.reserved"},
    {"no value", WIRE("\0\x0e\0\0"), "ke.value"},
};

static void malformed_ke_is_refused_and_named(void)
{
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct s2_ike_ke_payload ke = {.group = 77};
        struct s2_reader r;

        s2_reader_init(&r, bad[i].wire, bad[i].len);
        CHECK_ROW(bad[i].row, s2_ike_parse_ke(&r, &ke) == S2SVPN_E_MALFORMED);
        CHECK_ROW(bad[i].row, r.field != NULL && strcmp(r.field, bad[i].field) == 0);
        CHECK_ROW(bad[i].row, ke.group == 77);
    }
}

/* CVE-2023-41913: longer than any group's value; it is borrowed, not copied. */
static void a_ke_of_any_length_goes_around(void)
{
    static const size_t len[] = {1, 32, 256, S2SVPN_KE_VALUE_MAX + 1, 4000};

    for (size_t i = 0; i < COUNT(len); i++) {
        uint8_t value[4000], wire[4004];
        struct s2_ike_ke_payload ke;
        struct s2_reader r;
        struct s2_writer w;

        memset(value, 0x5a, sizeof(value));
        s2_writer_init(&w, wire, sizeof(wire));
        s2_ike_write_ke(&w, S2SVPN_KE_ECP_256, s2_span(value, len[i]));
        CU_ASSERT_EQUAL_FATAL(s2_writer_finish(&w), S2SVPN_OK);
        CU_ASSERT_EQUAL(w.len, 4 + len[i]);
        s2_reader_init(&r, wire, w.len);
        CU_ASSERT_EQUAL_FATAL(s2_ike_parse_ke(&r, &ke), S2SVPN_OK);
        CU_ASSERT_EQUAL(ke.group, S2SVPN_KE_ECP_256);
        CU_ASSERT_TRUE(s2_span_equal(ke.value, s2_span(value, len[i])));
    }
}

static void a_nonce_has_16_to_256_bytes(void)
{
    static const struct {
        size_t len;
        bool good;
    } rows[] = {{0, false}, {15, false}, {16, true}, {256, true}, {257, false}};
    const uint8_t wire[257] = {1};

    for (size_t i = 0; i < COUNT(rows); i++) {
        s2svpn_span nonce = {0};
        struct s2_reader r;

        s2_reader_init(&r, wire, rows[i].len);
        CU_ASSERT_EQUAL(s2_ike_parse_nonce(&r, &nonce),
                        rows[i].good ? S2SVPN_OK : S2SVPN_E_MALFORMED);
        CU_ASSERT_EQUAL(nonce.len, rows[i].good ? rows[i].len : 0);
        if (!rows[i].good)
            CU_ASSERT_STRING_EQUAL(r.field, "nonce.length");
    }
}

const CU_TestInfo s2_test_payload_ke[] = {
    {"malformed ke is refused and named", malformed_ke_is_refused_and_named},
    {"a ke of any length goes around", a_ke_of_any_length_goes_around},
    {"a nonce has 16 to 256 bytes", a_nonce_has_16_to_256_bytes},
    CU_TEST_INFO_NULL,
};
