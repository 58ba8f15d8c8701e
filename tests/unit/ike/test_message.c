/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of lib/ike/message.c. */
#include "ike/message.h"

#include <string.h>

#include "harness.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define WIRE(text) (const uint8_t *)(text), sizeof(text) - 1

static const uint8_t header_wire[S2_IKE_HEADER_LEN] = {1,  2,  3,  4,  5,  6,  7,  8,    9,  10,
                                                       11, 12, 13, 14, 15, 16, 46, 0x20, 35, 0x28,
                                                       0,  0,  1,  2,  0,  0,  0,  28};

static void a_header_is_read_field_by_field(void)
{
    struct s2_ike_header h = {0};
    struct s2_reader r;

    s2_reader_init(&r, header_wire, sizeof(header_wire));
    CU_ASSERT_EQUAL(s2_ike_parse_header(&r, &h), S2SVPN_OK);
    CU_ASSERT_EQUAL(h.spi_i, UINT64_C(0x0102030405060708));
    CU_ASSERT_EQUAL(h.spi_r, UINT64_C(0x090a0b0c0d0e0f10));
    CU_ASSERT_EQUAL(h.next_payload, S2_IKE_PAYLOAD_SK);
    CU_ASSERT_EQUAL(h.version, S2_IKE_VERSION_2);
    CU_ASSERT_EQUAL(h.exchange, S2_IKE_AUTH);
    CU_ASSERT_EQUAL(h.flags, S2_IKE_FLAG_INITIATOR | S2_IKE_FLAG_RESPONSE);
    CU_ASSERT_EQUAL(h.message_id, 0x102);
    CU_ASSERT_EQUAL(h.length, 28);
    CU_ASSERT_EQUAL(r.left, 0);
}

static void a_header_goes_around(void)
{
    uint8_t wire[S2_IKE_HEADER_LEN];
    struct s2_ike_header h;
    struct s2_reader r;
    struct s2_writer w;

    s2_reader_init(&r, header_wire, sizeof(header_wire));
    CU_ASSERT_EQUAL_FATAL(s2_ike_parse_header(&r, &h), S2SVPN_OK);
    s2_writer_init(&w, wire, sizeof(wire));
    s2_ike_write_header(&w, &h);
    CU_ASSERT_EQUAL(s2_writer_finish(&w), S2SVPN_OK);
    CU_ASSERT_EQUAL(memcmp(wire, header_wire, sizeof(wire)), 0);
}

static void a_short_header_is_refused_at_every_length(void)
{
    for (size_t len = 0; len < sizeof(header_wire); len++) {
        struct s2_ike_header h = {.message_id = 77};
        struct s2_reader r;

        s2_reader_init(&r, header_wire, len);
        CU_ASSERT_EQUAL(s2_ike_parse_header(&r, &h), S2SVPN_E_MALFORMED);
        CU_ASSERT_EQUAL(h.message_id, 77);
    }
}

static void a_header_s_length_must_be_the_datagram_s(void)
{
    static const uint32_t bad[] = {0, 27, 29, 32, 0x1c000000, UINT32_MAX};

    for (size_t i = 0; i < COUNT(bad); i++) {
        uint8_t wire[S2_IKE_HEADER_LEN];
        struct s2_ike_header h;
        struct s2_reader r;

        memcpy(wire, header_wire, sizeof(wire));
        s2_put_u32(wire + 24, bad[i]);
        s2_reader_init(&r, wire, sizeof(wire));
        CU_ASSERT_EQUAL(s2_ike_parse_header(&r, &h), S2SVPN_E_MALFORMED);
        CU_ASSERT_STRING_EQUAL(r.field, "header.length");
    }
}

static const struct {
    const char *row;
    uint8_t first;
    const uint8_t *wire;
    size_t len;
    s2svpn_status rc;
    const char *field;
} bad_chains[] = {
    {"announced, but nothing there", 33, WIRE(""), S2SVPN_E_MALFORMED, "payload.next"},
    {"no flags", 33, WIRE("\0"), S2SVPN_E_MALFORMED, "payload.flags"},
    {"half a length", 33, WIRE("\0\0\0"), S2SVPN_E_MALFORMED, "payload.length"},
    {"length 0", 40, WIRE("\0\0\0\0"), S2SVPN_E_MALFORMED, "payload.length"},
    {"length 0 that would loop", 40, WIRE("\x28\0\0\0\x28\0\0\0"), S2SVPN_E_MALFORMED,
     "payload.length"},
    {"length 3", 40, WIRE("\0\0\0\x03"), S2SVPN_E_MALFORMED, "payload.length"},
    {"length 3 of an unknown type", 99, WIRE("\0\0\0\x03"), S2SVPN_E_MALFORMED, "payload.length"},
    {"one byte too long", 40, WIRE("\0\0\0\x06x"), S2SVPN_E_MALFORMED, "payload.length"},
    {"longest length", 40, WIRE("\0\0\xff\xffx"), S2SVPN_E_MALFORMED, "payload.length"},
    {"second one is missing", 40, WIRE("\x28\0\0\x05x"), S2SVPN_E_MALFORMED, "payload.next"},
    {"bytes behind the last", 40, WIRE("\0\0\0\x05xy"), S2SVPN_E_MALFORMED, "trailing bytes"},
    {"bytes without any payload", 0, WIRE("x"), S2SVPN_E_MALFORMED, "trailing bytes"},
    {"bytes behind SK", 46, WIRE("\x21\0\0\x04\0\0\0\x04"), S2SVPN_E_MALFORMED, "trailing bytes"},
    {"bytes behind SKF", 53, WIRE("\x21\0\0\x04\0\0\0\x04"), S2SVPN_E_MALFORMED, "trailing bytes"},
    {"unknown and critical", 99, WIRE("\0\x80\0\x04"), S2SVPN_E_UNSUPPORTED, "critical"},
    {"IKEv1's SA, critical", 1, WIRE("\0\x80\0\x04"), S2SVPN_E_UNSUPPORTED, "critical"},
    {"critical behind a known one", 40, WIRE("\x63\0\0\x04\0\xff\0\x04"), S2SVPN_E_UNSUPPORTED,
     "critical"},
};

static void malformed_chains_are_refused_and_named(void)
{
    for (size_t i = 0; i < COUNT(bad_chains); i++) {
        struct s2_ike_payloads list;
        struct s2_reader r;

        s2_reader_init(&r, bad_chains[i].wire, bad_chains[i].len);
        CHECK_ROW(bad_chains[i].row,
                  s2_ike_parse_payloads(&r, bad_chains[i].first, &list) == bad_chains[i].rc);
        CHECK_ROW(bad_chains[i].row, r.field != NULL && strcmp(r.field, bad_chains[i].field) == 0);
        CHECK_ROW(bad_chains[i].row, list.count == 0);
        CHECK_ROW(bad_chains[i].row,
                  (list.unsupported != 0) == (bad_chains[i].rc == S2SVPN_E_UNSUPPORTED));
    }
}

static s2svpn_status parse(const char *wire, size_t len, uint8_t first,
                           struct s2_ike_payloads *list)
{
    struct s2_reader r;

    s2_reader_init(&r, (const uint8_t *)wire, len);
    return s2_ike_parse_payloads(&r, first, list);
}

static void an_unknown_critical_payload_is_told_by_type(void)
{
    struct s2_ike_payloads list;

    CU_ASSERT_EQUAL(parse("\0\x80\0\4", 4, 200, &list), S2SVPN_E_UNSUPPORTED);
    CU_ASSERT_EQUAL(list.unsupported, 200);
}

static void unknown_payloads_are_left_out(void)
{
    struct s2_ike_payloads list;

    CU_ASSERT_EQUAL(parse("\x28\x7f\0\5x\0\0\0\5n", 10, 200, &list), S2SVPN_OK);
    CU_ASSERT_EQUAL(list.count, 1);
    CU_ASSERT_EQUAL(list.item[0].type, S2_IKE_PAYLOAD_NONCE);
    CU_ASSERT_EQUAL(list.item[0].body.len, 1);
    CU_ASSERT_EQUAL(list.item[0].body.p[0], 'n');
}

static void the_critical_bit_of_a_known_payload_is_ignored(void)
{
    struct s2_ike_payloads list;

    CU_ASSERT_EQUAL(parse("\0\x80\0\5n", 5, S2_IKE_PAYLOAD_NONCE, &list), S2SVPN_OK);
    CU_ASSERT_EQUAL(list.count, 1);
}

static void an_empty_chain_is_none(void)
{
    struct s2_ike_payloads list;

    CU_ASSERT_EQUAL(parse("", 0, S2_IKE_PAYLOAD_NONE, &list), S2SVPN_OK);
    CU_ASSERT_EQUAL(list.count, 0);
}

static void sk_ends_the_chain_and_names_its_first(void)
{
    struct s2_ike_payloads list;

    CU_ASSERT_EQUAL(parse("\x2e\0\0\4\x23\0\0\6ab", 10, S2_IKE_PAYLOAD_NOTIFY, &list), S2SVPN_OK);
    CU_ASSERT_EQUAL(list.count, 2);
    CU_ASSERT_EQUAL(list.item[1].type, S2_IKE_PAYLOAD_SK);
    CU_ASSERT_EQUAL(list.item[1].next, S2_IKE_PAYLOAD_IDI);
    CU_ASSERT_EQUAL(list.item[1].body.len, 2);
}

/* CVE-2026-12413: the table of payloads must bear its last, unknown ones too. */
static void as_many_payloads_as_fit_and_no_more(void)
{
    static const uint8_t types[] = {S2_IKE_PAYLOAD_VENDOR, 200};

    for (size_t t = 0; t < COUNT(types); t++) {
        uint8_t wire[4 * (S2_IKE_PAYLOADS_MAX + 1)] = {0};
        struct s2_ike_payloads list;
        const size_t most = 4 * S2_IKE_PAYLOADS_MAX;

        for (size_t i = 0; i < sizeof(wire); i += 4) {
            wire[i] = types[t];
            wire[i + 3] = 4;
        }
        wire[most - 4] = 0;
        CU_ASSERT_EQUAL(parse((char *)wire, most, types[t], &list), S2SVPN_OK);
        CU_ASSERT_EQUAL(list.count, t == 0 ? S2_IKE_PAYLOADS_MAX : 0);
        wire[most - 4] = types[t];
        wire[most] = 0;
        CU_ASSERT_EQUAL(parse((char *)wire, sizeof(wire), types[t], &list), S2SVPN_E_LIMIT);
        CU_ASSERT_EQUAL(list.count, 0);
    }
}

static void the_only_payload_of_a_type_is_found(void)
{
    struct s2_ike_payloads list;

    /* Nonce, Notify, Notify */
    CU_ASSERT_EQUAL_FATAL(parse("\x29\0\0\5n\x29\0\0\4\0\0\0\4", 13, 40, &list), S2SVPN_OK);
    const struct s2_ike_payload *nonce = s2_ike_find(&list, S2_IKE_PAYLOAD_NONCE);
    CU_ASSERT_PTR_EQUAL(nonce, &list.item[0]);
    CU_ASSERT_PTR_NULL(s2_ike_find(&list, S2_IKE_PAYLOAD_NOTIFY));
    CU_ASSERT_PTR_NULL(s2_ike_find(&list, S2_IKE_PAYLOAD_SA));
    CU_ASSERT_EQUAL(s2_ike_count(&list, S2_IKE_PAYLOAD_NONCE), 1);
    CU_ASSERT_EQUAL(s2_ike_count(&list, S2_IKE_PAYLOAD_NOTIFY), 2);
    CU_ASSERT_EQUAL(s2_ike_count(&list, S2_IKE_PAYLOAD_SA), 0);
}

static void a_written_message_parses_to_the_same(void)
{
    const struct s2_ike_header h = {
        .spi_i = 1, .version = S2_IKE_VERSION_2, .exchange = S2_IKE_SA_INIT};
    uint8_t wire[128];
    struct s2_ike_payloads list;
    struct s2_ike_header got;
    struct s2_ike_chain c;
    struct s2_reader r;
    struct s2_writer w;

    s2_writer_init(&w, wire, sizeof(wire));
    s2_ike_write_header(&w, &h);
    s2_ike_chain_begin(&c, &w, 16);
    s2_ike_payload_begin(&c, S2_IKE_PAYLOAD_NONCE);
    s2_write_bytes(&w, "0123456789abcdef", 16);
    s2_ike_payload_end(&c);
    s2_ike_payload_begin(&c, S2_IKE_PAYLOAD_VENDOR);
    s2_ike_payload_end(&c);
    CU_ASSERT_EQUAL_FATAL(s2_ike_write_end(&w), S2SVPN_OK);

    s2_reader_init(&r, wire, w.len);
    CU_ASSERT_EQUAL_FATAL(s2_ike_parse_header(&r, &got), S2SVPN_OK);
    CU_ASSERT_EQUAL(got.length, 28 + 20 + 4);
    CU_ASSERT_EQUAL_FATAL(s2_ike_parse_payloads(&r, got.next_payload, &list), S2SVPN_OK);
    CU_ASSERT_EQUAL(list.count, 2);
    CU_ASSERT_EQUAL(list.item[0].type, S2_IKE_PAYLOAD_NONCE);
    CU_ASSERT_EQUAL(list.item[0].body.len, 16);
    CU_ASSERT_EQUAL(memcmp(list.item[0].body.p, "0123456789abcdef", 16), 0);
    CU_ASSERT_EQUAL(list.item[1].type, S2_IKE_PAYLOAD_VENDOR);
    CU_ASSERT_EQUAL(list.item[1].body.len, 0);
}

static void what_does_not_fit_is_no_message(void)
{
    static uint8_t wire[70000];
    struct s2_ike_chain c;
    struct s2_writer w;

    s2_writer_init(&w, wire, 20); /* not even a header */
    s2_write_zero(&w, S2_IKE_HEADER_LEN);
    CU_ASSERT_EQUAL(s2_ike_write_end(&w), S2SVPN_E_NO_ROOM);

    s2_writer_init(&w, wire, sizeof(wire)); /* a payload longer than its length field */
    s2_write_zero(&w, S2_IKE_HEADER_LEN);
    s2_ike_chain_begin(&c, &w, 16);
    s2_ike_payload_begin(&c, S2_IKE_PAYLOAD_VENDOR);
    s2_write_zero(&w, 65532);
    s2_ike_payload_end(&c);
    CU_ASSERT_EQUAL(s2_writer_finish(&w), S2SVPN_E_NO_ROOM);

    s2_writer_init(&w, wire, sizeof(wire)); /* a message longer than a datagram */
    s2_write_zero(&w, S2_IKE_MESSAGE_MAX + 1);
    CU_ASSERT_EQUAL(s2_ike_write_end(&w), S2SVPN_E_NO_ROOM);
}

static void numbers_have_names(void)
{
    CU_ASSERT_STRING_EQUAL(s2_ike_payload_name(S2_IKE_PAYLOAD_TSR), "TSr");
    CU_ASSERT_STRING_EQUAL(s2_ike_payload_name(0), "none");
    CU_ASSERT_STRING_EQUAL(s2_ike_payload_name(255), "?");
    CU_ASSERT_STRING_EQUAL(s2_ike_notify_name(24), "AUTHENTICATION_FAILED");
    CU_ASSERT_STRING_EQUAL(s2_ike_notify_name(16393), "REKEY_SA");
    CU_ASSERT_STRING_EQUAL(s2_ike_notify_name(0), "?");
}

static void every_reason_has_words(void)
{
    for (int i = 0; i < S2_IKE_REASON_COUNT; i++)
        CU_ASSERT(strlen(s2_ike_reason_text((enum s2_ike_reason)i)) > 1);
    CU_ASSERT_STRING_EQUAL(s2_ike_reason_text(S2_IKE_REASON_LOCAL), "closed by this side");
    CU_ASSERT_STRING_EQUAL(s2_ike_reason_text(S2_IKE_REASON_COUNT), "?");
    CU_ASSERT_STRING_EQUAL(s2_ike_reason_text((enum s2_ike_reason) - 1), "?");
}

const CU_TestInfo s2_test_message[] = {
    {"a header is read field by field", a_header_is_read_field_by_field},
    {"a header goes around", a_header_goes_around},
    {"a short header is refused at every length", a_short_header_is_refused_at_every_length},
    {"a header's length must be the datagram's", a_header_s_length_must_be_the_datagram_s},
    {"malformed chains are refused and named", malformed_chains_are_refused_and_named},
    {"an unknown critical payload is told by type", an_unknown_critical_payload_is_told_by_type},
    {"unknown payloads are left out", unknown_payloads_are_left_out},
    {"the critical bit of a known payload is ignored",
     the_critical_bit_of_a_known_payload_is_ignored},
    {"an empty chain is none", an_empty_chain_is_none},
    {"sk ends the chain and names its first", sk_ends_the_chain_and_names_its_first},
    {"as many payloads as fit and no more", as_many_payloads_as_fit_and_no_more},
    {"the only payload of a type is found", the_only_payload_of_a_type_is_found},
    {"a written message parses to the same", a_written_message_parses_to_the_same},
    {"what does not fit is no message", what_does_not_fit_is_no_message},
    {"numbers have names", numbers_have_names},
    {"every reason has words", every_reason_has_words},
    CU_TEST_INFO_NULL,
};
