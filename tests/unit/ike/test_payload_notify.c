/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of lib/ike/payload_notify.c: N and D. */
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
} bad_notifies[] = {
    {"empty", WIRE(""), "notify.protocol"},
    {"no SPI size", WIRE("\3"), "notify.spi_size"},
    {"half a type", WIRE("\3\4\x40"), "notify.type"},
    {"SPI longer than the payload", WIRE("\3\4\x40\x09spi"), "notify.spi"},
    {"absurd SPI size", WIRE("\3\xff\x40\x09spi."), "notify.spi_size"},
    {"absurd SPI size that is there", WIRE("\3\x09\x40\x09spi.spi.s"), "notify.spi_size"},
};

static void malformed_notify_is_refused_and_named(void)
{
    for (size_t i = 0; i < COUNT(bad_notifies); i++) {
        struct s2_ike_notify_payload n = {.type = 77};
        struct s2_reader r;

        s2_reader_init(&r, bad_notifies[i].wire, bad_notifies[i].len);
        CHECK_ROW(bad_notifies[i].row, s2_ike_parse_notify(&r, &n) == S2SVPN_E_MALFORMED);
        CHECK_ROW(bad_notifies[i].row,
                  r.field != NULL && strcmp(r.field, bad_notifies[i].field) == 0);
        CHECK_ROW(bad_notifies[i].row, n.type == 77);
    }
}

/* CVE-2023-38710: any protocol number is read, for none is echoed. */
static void notifies_go_around(void)
{
    static const struct {
        const char *row;
        uint8_t protocol;
        uint16_t type;
        const char *spi, *data;
    } rows[] = {
        {"nothing but a type", 0, S2_IKE_N_INITIAL_CONTACT, "", ""},
        {"an SPI", 3, S2_IKE_N_REKEY_SA, "spi.", ""},
        {"data", 0, S2_IKE_N_COOKIE, "", "0123456789"},
        {"both", 255, 65535, "spi.spi.", "d"},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct s2_ike_notify_payload n = {rows[i].protocol, rows[i].type,
                                                s2_span(rows[i].spi, strlen(rows[i].spi)),
                                                s2_span(rows[i].data, strlen(rows[i].data))};
        struct s2_ike_notify_payload got;
        uint8_t wire[64];
        struct s2_reader r;
        struct s2_writer w;

        s2_writer_init(&w, wire, sizeof(wire));
        s2_ike_write_notify(&w, &n);
        CHECK_ROW(rows[i].row, w.len == 4 + n.spi.len + n.data.len);
        s2_reader_init(&r, wire, w.len);
        CHECK_ROW(rows[i].row, s2_ike_parse_notify(&r, &got) == S2SVPN_OK);
        CHECK_ROW(rows[i].row, got.protocol == n.protocol && got.type == n.type);
        CHECK_ROW(rows[i].row, s2_span_equal(got.spi, n.spi) && s2_span_equal(got.data, n.data));
    }
}

static const struct {
    const char *row;
    const uint8_t *wire;
    size_t len;
    s2svpn_status rc;
    const char *field;
} bad_deletes[] = {
    {"empty", WIRE(""), S2SVPN_E_MALFORMED, "delete.protocol"},
    {"protocol none", WIRE("\0\0\0\0"), S2SVPN_E_MALFORMED, "delete.protocol"},
    {"unknown protocol", WIRE("\4\4\0\1spi."), S2SVPN_E_MALFORMED, "delete.protocol"},
    {"no size", WIRE("\3"), S2SVPN_E_MALFORMED, "delete.spi_size"},
    {"half a count", WIRE("\3\4\0"), S2SVPN_E_MALFORMED, "delete.count"},
    {"IKE with an SPI", WIRE("\1\x08\0\1spi.spi."), S2SVPN_E_MALFORMED, "delete.spi_size"},
    {"IKE with a count", WIRE("\1\0\0\1"), S2SVPN_E_MALFORMED, "delete.count"},
    {"IKE with bytes", WIRE("\1\0\0\0x"), S2SVPN_E_MALFORMED, "trailing bytes"},
    {"ESP of size 0", WIRE("\3\0\xff\xff"), S2SVPN_E_MALFORMED, "delete.spi_size"},
    {"ESP of size 8", WIRE("\3\x08\0\1spi.spi."), S2SVPN_E_MALFORMED, "delete.spi_size"},
    {"more counted than there", WIRE("\3\4\0\2spi."), S2SVPN_E_MALFORMED, "delete.spi"},
    {"half an SPI", WIRE("\3\4\0\1spi"), S2SVPN_E_MALFORMED, "delete.spi"},
    {"fewer counted than there", WIRE("\3\4\0\1spi.spi."), S2SVPN_E_MALFORMED, "trailing bytes"},
    {"more than we hold", WIRE("\3\4\0\x21"), S2SVPN_E_LIMIT, "delete.count"},
};

static void malformed_delete_is_refused_and_named(void)
{
    for (size_t i = 0; i < COUNT(bad_deletes); i++) {
        struct s2_ike_delete_payload d = {.count = 77};
        struct s2_reader r;

        s2_reader_init(&r, bad_deletes[i].wire, bad_deletes[i].len);
        CHECK_ROW(bad_deletes[i].row, s2_ike_parse_delete(&r, &d) == bad_deletes[i].rc);
        CHECK_ROW(bad_deletes[i].row,
                  r.field != NULL && strcmp(r.field, bad_deletes[i].field) == 0);
        CHECK_ROW(bad_deletes[i].row, d.count == 77);
    }
}

static void deletes_go_around(void)
{
    static const struct {
        const char *row;
        uint8_t protocol;
        uint16_t count;
    } rows[] = {{"IKE", 1, 0},
                {"AH", 2, 1},
                {"ESP", 3, 2},
                {"no SPIs", 3, 0},
                {"as many as we hold", 3, S2_IKE_DELETE_MAX}};

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct s2_ike_delete_payload d = {.protocol = rows[i].protocol, .count = rows[i].count},
                                     got;
        uint8_t wire[4 + 4 * S2_IKE_DELETE_MAX];
        struct s2_reader r;
        struct s2_writer w;

        for (uint32_t k = 0; k < d.count; k++)
            d.spi[k] = 0xc0000000 + k;
        s2_writer_init(&w, wire, sizeof(wire));
        s2_ike_write_delete(&w, &d);
        CHECK_ROW(rows[i].row, w.len == 4 + 4 * (size_t)d.count);
        s2_reader_init(&r, wire, w.len);
        CHECK_ROW(rows[i].row, s2_ike_parse_delete(&r, &got) == S2SVPN_OK);
        CHECK_ROW(rows[i].row, got.protocol == d.protocol && got.count == d.count);
        CHECK_ROW(rows[i].row, memcmp(got.spi, d.spi, sizeof(d.spi)) == 0);
    }
}

static void hashes_are_bits_and_odd_lists_say_nothing(void)
{
    static const struct {
        const char *row, *data;
        size_t len;
        uint32_t hashes;
    } rows[] = {
        {"none", "", 0, 0},
        {"SHA-1 alone", "\0\1", 2, 1u << 1},
        {"three", "\0\2\0\3\0\4", 6, 1u << 2 | 1u << 3 | 1u << 4},
        {"twice", "\0\4\0\4", 4, 1u << 4},
        {"reserved and unknown ones", "\0\0\0\40\1\2\377\377\0\5", 10, 1u << 5},
        {"half a number", "\0\2\0", 3, 0},
    };

    for (size_t i = 0; i < COUNT(rows); i++)
        CHECK_ROW(rows[i].row,
                  s2_ike_read_hashes(s2_span(rows[i].data, rows[i].len)) == rows[i].hashes);
}

const CU_TestInfo s2_test_payload_notify[] = {
    {"hashes are bits, and odd lists say nothing", hashes_are_bits_and_odd_lists_say_nothing},
    {"malformed notify is refused and named", malformed_notify_is_refused_and_named},
    {"notifies go around", notifies_go_around},
    {"malformed delete is refused and named", malformed_delete_is_refused_and_named},
    {"deletes go around", deletes_go_around},
    CU_TEST_INFO_NULL,
};
