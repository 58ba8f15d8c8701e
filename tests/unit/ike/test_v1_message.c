/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of lib/ike/v1/message.c, payload_ke.c, payload_notify.c and vendor.c. */
#include "ike/v1/message.h"

#include <string.h>

#include "base/bytes.h"
#include "harness.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define WIRE(text) (const uint8_t *)(text), sizeof(text) - 1
#define SPAN(text) s2_span((text), sizeof(text) - 1)

/* ---- header */

static void headers_go_around(void)
{
    const struct s2_ike1_header h = {UINT64_C(0x0102030405060708),
                                     UINT64_C(0x1112131415161718),
                                     S2_IKE1_PAYLOAD_SA,
                                     S2_IKE1_VERSION,
                                     S2_IKE1_QUICK,
                                     S2_IKE1_FLAG_ENCRYPTED | S2_IKE1_FLAG_COMMIT,
                                     0xfffefdfc,
                                     0};
    struct s2_ike1_header got;
    uint8_t wire[S2_IKE1_HEADER_LEN + 5];
    struct s2_reader r;
    struct s2_writer w;

    s2_writer_init(&w, wire, sizeof(wire));
    s2_ike1_write_header(&w, &h);
    s2_write_zero(&w, 5);
    CU_ASSERT_EQUAL_FATAL(s2_ike1_write_end(&w), S2SVPN_OK);
    s2_reader_init(&r, wire, w.len);
    CU_ASSERT_EQUAL_FATAL(s2_ike1_parse_header(&r, &got), S2SVPN_OK);
    CU_ASSERT_EQUAL(got.cookie_i, h.cookie_i);
    CU_ASSERT_EQUAL(got.cookie_r, h.cookie_r);
    CU_ASSERT_EQUAL(got.next_payload, h.next_payload);
    CU_ASSERT_EQUAL(got.version, h.version);
    CU_ASSERT_EQUAL(got.exchange, h.exchange);
    CU_ASSERT_EQUAL(got.flags, h.flags);
    CU_ASSERT_EQUAL(got.message_id, h.message_id);
    CU_ASSERT_EQUAL(got.length, sizeof(wire));
    CU_ASSERT_EQUAL(r.left, 5);
}

/* CVE-2016-6415's class: what the header says of its length is never believed. */
static void a_header_of_another_length_is_refused(void)
{
    uint8_t wire[S2_IKE1_HEADER_LEN + 1] = {0};

    for (size_t len = 0; len <= sizeof(wire); len++) {
        for (uint32_t said = 0; said < 40; said++) {
            struct s2_ike1_header h = {.length = 77};
            struct s2_reader r;

            s2_put_u32(wire + 24, said);
            s2_reader_init(&r, wire, len);
            const bool good = s2_ike1_parse_header(&r, &h) == S2SVPN_OK;
            CU_ASSERT_EQUAL(good, len >= S2_IKE1_HEADER_LEN && said == len);
            CU_ASSERT_EQUAL(h.length, good ? len : 77);
        }
    }
}

/* ---- chain */

static const struct {
    const char *row;
    uint8_t first;
    bool encrypted;
    const uint8_t *wire;
    size_t len;
    s2svpn_status rc;
    const char *field;
} bad_chains[] = {
    {"announced, not there", 10, false, WIRE(""), S2SVPN_E_MALFORMED, "payload.next"},
    {"half a header", 10, false, WIRE("\0\0\0"), S2SVPN_E_MALFORMED, "payload.length"},
    {"length 0", 10, false, WIRE("\0\0\0\0"), S2SVPN_E_MALFORMED, "payload.length"},
    {"length 3", 10, false, WIRE("\0\0\0\3"), S2SVPN_E_MALFORMED, "payload.length"},
    {"longer than the message", 10, false, WIRE("\0\0\0\6x"), S2SVPN_E_MALFORMED, "payload.length"},
    {"absurd length", 10, true, WIRE("\0\0\xff\xff-"), S2SVPN_E_MALFORMED, "payload.length"},
    {"reserved byte set", 10, true, WIRE("\0\1\0\4"), S2SVPN_E_MALFORMED, "payload.reserved"},
    {"next one missing", 10, false, WIRE("\x0d\0\0\4"), S2SVPN_E_MALFORMED, "payload.next"},
    {"a proposal as payload", 2, false, WIRE("\0\0\0\4"), S2SVPN_E_UNSUPPORTED, "payload.type"},
    {"a transform as payload", 3, false, WIRE("\0\0\0\4"), S2SVPN_E_UNSUPPORTED, "payload.type"},
    {"nobody's type", 22, false, WIRE("\0\0\0\4"), S2SVPN_E_UNSUPPORTED, "payload.type"},
    {"nobody's type behind", 10, true, WIRE("\x7f\0\0\4\0\0\0\4"), S2SVPN_E_UNSUPPORTED,
     "payload.type"},
    {"IKEv2's SA", 33, false, WIRE("\0\0\0\4"), S2SVPN_E_UNSUPPORTED, "payload.type"},
    {"IKEv2's SK", 46, true, WIRE("\0\0\0\4"), S2SVPN_E_UNSUPPORTED, "payload.type"},
    {"four zeros behind", 10, false, WIRE("\0\0\0\4\0\0\0\0"), S2SVPN_E_MALFORMED,
     "trailing bytes"},
    {"another byte behind", 10, false, WIRE("\0\0\0\4\1"), S2SVPN_E_MALFORMED, "trailing bytes"},
};

static void malformed_chains_are_refused_and_named(void)
{
    for (size_t i = 0; i < COUNT(bad_chains); i++) {
        struct s2_ike1_payloads list = {.count = 7};
        struct s2_reader r;

        s2_reader_init(&r, bad_chains[i].wire, bad_chains[i].len);
        CHECK_ROW(bad_chains[i].row,
                  s2_ike1_parse_payloads(&r, bad_chains[i].first, bad_chains[i].encrypted, &list) ==
                      bad_chains[i].rc);
        CHECK_ROW(bad_chains[i].row, r.field != NULL && strcmp(r.field, bad_chains[i].field) == 0);
        CHECK_ROW(bad_chains[i].row, list.count == 0 && list.chain.len == 0);
        CHECK_ROW(bad_chains[i].row,
                  (list.unsupported != 0) == (bad_chains[i].rc == S2SVPN_E_UNSUPPORTED));
    }
}

static void chains_go_around(void)
{
    const struct s2_ike1_header h = {1, 2, 0, S2_IKE1_VERSION, S2_IKE1_MAIN, 0, 0, 0};
    const struct s2_ike1_payload *p;
    struct s2_ike1_payloads list;
    struct s2_ike1_header got;
    struct s2_ike1_chain chain;
    uint8_t wire[128];
    struct s2_reader r;
    struct s2_writer w;

    s2_writer_init(&w, wire, sizeof(wire));
    s2_ike1_write_header(&w, &h);
    s2_ike1_chain_begin(&chain, &w);
    s2_ike1_write_payload(&chain, S2_IKE1_PAYLOAD_KE, SPAN("value"));
    s2_ike1_write_payload(&chain, S2_IKE1_PAYLOAD_NONCE, SPAN(""));
    s2_ike1_write_payload(&chain, S2_IKE1_PAYLOAD_NAT_D_DRAFT, SPAN("one"));
    s2_ike1_write_payload(&chain, 128, SPAN("private"));
    s2_ike1_write_payload(&chain, S2_IKE1_PAYLOAD_NAT_D_DRAFT, SPAN("two"));
    CU_ASSERT_EQUAL_FATAL(s2_ike1_write_end(&w), S2SVPN_OK);

    s2_reader_init(&r, wire, w.len);
    CU_ASSERT_EQUAL_FATAL(s2_ike1_parse_header(&r, &got), S2SVPN_OK);
    CU_ASSERT_EQUAL_FATAL(s2_ike1_parse_payloads(&r, got.next_payload, false, &list), S2SVPN_OK);
    CU_ASSERT_EQUAL(list.count, 4);
    CU_ASSERT_PTR_EQUAL(list.chain.p, wire + S2_IKE1_HEADER_LEN);
    CU_ASSERT_EQUAL(list.chain.len, w.len - S2_IKE1_HEADER_LEN);
    p = s2_ike1_find(&list, S2_IKE1_PAYLOAD_KE);
    CU_ASSERT_PTR_NOT_NULL_FATAL(p);
    CU_ASSERT_TRUE(s2_span_equal(p->body, SPAN("value")));
    CU_ASSERT_PTR_EQUAL(p->whole.p, wire + S2_IKE1_HEADER_LEN);
    CU_ASSERT_EQUAL(p->whole.len, 9);
    CU_ASSERT_PTR_NULL(s2_ike1_find(&list, S2_IKE1_PAYLOAD_NAT_D_DRAFT)); /* two */
    CU_ASSERT_PTR_NULL(s2_ike1_find(&list, S2_IKE1_PAYLOAD_HASH));
    CU_ASSERT_EQUAL(s2_ike1_count(&list, S2_IKE1_PAYLOAD_NAT_D_DRAFT), 2);
    p = s2_ike1_find_nth(&list, S2_IKE1_PAYLOAD_NAT_D_DRAFT, 1);
    CU_ASSERT_TRUE(p != NULL && s2_span_equal(p->body, SPAN("two")));
    CU_ASSERT_PTR_NULL(s2_ike1_find_nth(&list, S2_IKE1_PAYLOAD_NAT_D_DRAFT, 2));
}

/* Old peers align plain messages; padding of encrypted ones is anything, and no part of
 * what the hashes cover. */
static void padding_is_borne_and_left_out(void)
{
    uint8_t wire[4 + 256] = {0, 0, 0, 4};

    for (size_t pad = 0; pad <= 256; pad++) {
        struct s2_ike1_payloads list;
        struct s2_reader r;

        memset(wire + 4, 0xa5, 256);
        s2_reader_init(&r, wire, 4 + pad);
        CU_ASSERT_EQUAL(s2_ike1_parse_payloads(&r, 10, true, &list) == S2SVPN_OK, pad < 256);
        CU_ASSERT_EQUAL(list.chain.len, pad < 256 ? 4 : 0);
        memset(wire + 4, 0, 256);
        s2_reader_init(&r, wire, 4 + pad);
        CU_ASSERT_EQUAL(s2_ike1_parse_payloads(&r, 10, false, &list) == S2SVPN_OK, pad < 4);
    }
}

static void a_chain_has_at_most_so_many_payloads(void)
{
    uint8_t wire[4 * (S2_IKE1_PAYLOADS_MAX + 1)] = {0};

    for (size_t n = S2_IKE1_PAYLOADS_MAX; n <= S2_IKE1_PAYLOADS_MAX + 1; n++) {
        for (int known = 0; known < 2; known++) {
            const uint8_t type = known ? S2_IKE1_PAYLOAD_VENDOR : 250;
            struct s2_ike1_payloads list;
            struct s2_reader r;

            for (size_t i = 0; i < n; i++) {
                wire[4 * i] = i + 1 < n ? type : 0;
                wire[4 * i + 3] = 4;
            }
            s2_reader_init(&r, wire, 4 * n);
            CU_ASSERT_EQUAL(s2_ike1_parse_payloads(&r, type, false, &list),
                            n == S2_IKE1_PAYLOADS_MAX ? S2SVPN_OK : S2SVPN_E_LIMIT);
            CU_ASSERT_EQUAL(list.count, n == S2_IKE1_PAYLOADS_MAX && known ? n : 0);
        }
    }
}

/* ---- values */

static void values_have_a_length_that_can_be(void)
{
    static const uint8_t bytes[1100] = {0};
    static const struct {
        const char *row;
        s2svpn_status (*parse)(struct s2_reader *r, s2svpn_span *out);
        size_t least, most;
    } rows[] = {
        {"KE", s2_ike1_parse_ke, 1, 1024},
        {"nonce", s2_ike1_parse_nonce, 8, 256},
        {"HASH", s2_ike1_parse_hash, 1, 64},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        for (size_t len = 0; len <= sizeof(bytes); len++) {
            s2svpn_span out = {NULL, 7777};
            struct s2_reader r;

            s2_reader_init(&r, bytes, len);
            const bool good = rows[i].parse(&r, &out) == S2SVPN_OK;
            CHECK_ROW(rows[i].row, good == (len >= rows[i].least && len <= rows[i].most));
            CHECK_ROW(rows[i].row, out.len == (good ? len : 7777));
        }
    }
}

/* ---- N and D */

static const struct {
    const char *row;
    bool is_delete;
    const uint8_t *wire;
    size_t len;
    s2svpn_status rc;
    const char *field;
} bad_bodies[] = {
    {"N: empty", false, WIRE(""), S2SVPN_E_MALFORMED, "notify.doi"},
    {"N: another DOI", false, WIRE("\0\0\0\2\1\0\0\1"), S2SVPN_E_UNSUPPORTED, "notify.doi"},
    {"N: half a type", false, WIRE("\0\0\0\1\1\0\0"), S2SVPN_E_MALFORMED, "notify.type"},
    {"N: SPI of 17", false, WIRE("\0\0\0\1\1\x11\0\1spi.spi.spi.spi.s"), S2SVPN_E_MALFORMED,
     "notify.spi_size"},
    {"N: SPI not there", false, WIRE("\0\0\0\1\3\4\0\1spi"), S2SVPN_E_MALFORMED, "notify.spi"},
    {"D: empty", true, WIRE(""), S2SVPN_E_MALFORMED, "delete.doi"},
    {"D: another DOI", true, WIRE("\0\0\1\1\3\4\0\0"), S2SVPN_E_UNSUPPORTED, "delete.doi"},
    {"D: no count", true, WIRE("\0\0\0\1\3\4\0"), S2SVPN_E_MALFORMED, "delete.count"},
    {"D: ESP with cookies", true, WIRE("\0\0\0\1\3\x10\0\1spi.spi.spi.spi."), S2SVPN_E_MALFORMED,
     "delete.spi_size"},
    {"D: ISAKMP without cookies", true, WIRE("\0\0\0\1\1\4\0\1spi."), S2SVPN_E_MALFORMED,
     "delete.spi_size"},
    {"D: SPIs of 0 bytes", true, WIRE("\0\0\0\1\4\0\xff\xff"), S2SVPN_E_MALFORMED,
     "delete.spi_size"},
    {"D: fewer than counted", true, WIRE("\0\0\0\1\3\4\0\2spi."), S2SVPN_E_MALFORMED,
     "delete.count"},
    {"D: more than counted", true, WIRE("\0\0\0\1\3\4\0\1spi.s"), S2SVPN_E_MALFORMED,
     "delete.count"},
    {"D: absurd count", true, WIRE("\0\0\0\1\3\4\xff\xff"), S2SVPN_E_MALFORMED, "delete.count"},
};

static void malformed_notifies_and_deletes_are_refused_and_named(void)
{
    for (size_t i = 0; i < COUNT(bad_bodies); i++) {
        struct s2_ike1_delete_payload d = {.protocol = 77};
        struct s2_ike1_notify_payload n = {.type = 77};
        struct s2_reader r;

        s2_reader_init(&r, bad_bodies[i].wire, bad_bodies[i].len);
        CHECK_ROW(bad_bodies[i].row,
                  (bad_bodies[i].is_delete ? s2_ike1_parse_delete(&r, &d)
                                           : s2_ike1_parse_notify(&r, &n)) == bad_bodies[i].rc);
        CHECK_ROW(bad_bodies[i].row, r.field != NULL && strcmp(r.field, bad_bodies[i].field) == 0);
        CHECK_ROW(bad_bodies[i].row, d.protocol == 77 && n.type == 77);
    }
}

static void notifies_go_around(void)
{
    static const struct s2_ike1_notify_payload rows[] = {
        {1, 1, S2_IKE1_N_INITIAL_CONTACT, {(const uint8_t *)"cookies.cookies.", 16}, {NULL, 0}},
        {0, 0, S2_IKE1_N_PAYLOAD_MALFORMED, {NULL, 0}, {NULL, 0}},
        {1,
         3,
         S2_IKE1_N_RESPONDER_LIFETIME,
         {(const uint8_t *)"spi.", 4},
         {(const uint8_t *)"d", 1}},
        {1, 255, 65535, {NULL, 0}, {(const uint8_t *)"data", 4}},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct s2_ike1_notify_payload got;
        uint8_t wire[64];
        struct s2_reader r;
        struct s2_writer w;

        s2_writer_init(&w, wire, sizeof(wire));
        s2_ike1_write_notify(&w, &rows[i]);
        s2_reader_init(&r, wire, w.len);
        CU_ASSERT_EQUAL_FATAL(s2_ike1_parse_notify(&r, &got), S2SVPN_OK);
        CU_ASSERT_EQUAL(got.doi, rows[i].doi);
        CU_ASSERT_EQUAL(got.protocol, rows[i].protocol);
        CU_ASSERT_EQUAL(got.type, rows[i].type);
        CU_ASSERT_TRUE(s2_span_equal(got.spi, rows[i].spi));
        CU_ASSERT_TRUE(s2_span_equal(got.data, rows[i].data));
    }
    CU_ASSERT_STRING_EQUAL(s2_ike1_notify_name(36136), "R_U_THERE");
    CU_ASSERT_STRING_EQUAL(s2_ike1_notify_name(31), "?");
    CU_ASSERT_STRING_EQUAL(s2_ike1_payload_name(130), "NAT-D (draft)");
    CU_ASSERT_STRING_EQUAL(s2_ike1_payload_name(33), "?");
}

/* Its length would not fit into the SPI size's meaning, and no peer would take it. */
static void an_spi_too_long_is_not_written(void)
{
    const struct s2_ike1_notify_payload n = {
        1, 1, S2_IKE1_N_INVALID_SPI, {WIRE("spi.spi.spi.spi.s")}, {NULL, 0}};
    uint8_t wire[64];
    struct s2_writer w;

    s2_writer_init(&w, wire, sizeof(wire));
    s2_ike1_write_notify(&w, &n);
    CU_ASSERT_EQUAL(s2_writer_finish(&w), S2SVPN_E_NO_ROOM);
}

static void dpd_has_both_cookies_and_one_number(void)
{
    static const struct {
        const char *row;
        s2svpn_span spi, data;
        bool good;
    } rows[] = {
        {"right", {WIRE("\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\2")}, {WIRE("\1\2\3\4")}, true},
        {"cookies exchanged",
         {WIRE("\0\0\0\0\0\0\0\2\0\0\0\0\0\0\0\1")},
         {WIRE("\1\2\3\4")},
         false},
        {"another cookie of the initiator",
         {WIRE("\0\0\0\0\0\0\0\3\0\0\0\0\0\0\0\2")},
         {WIRE("\1\2\3\4")},
         false},
        {"another cookie of the responder",
         {WIRE("\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\3")},
         {WIRE("\1\2\3\4")},
         false},
        {"one cookie", {WIRE("\0\0\0\0\0\0\0\1")}, {WIRE("\1\2\3\4")}, false},
        {"no SPI", {WIRE("")}, {WIRE("\1\2\3\4")}, false},
        {"no number", {WIRE("\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\2")}, {WIRE("")}, false},
        {"short number", {WIRE("\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\2")}, {WIRE("\1\2\3")}, false},
        {"long number", {WIRE("\0\0\0\0\0\0\0\1\0\0\0\0\0\0\0\2")}, {WIRE("\1\2\3\4\5")}, false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct s2_ike1_notify_payload n = {1, 1, S2_IKE1_N_R_U_THERE, rows[i].spi,
                                                 rows[i].data};
        uint32_t sequence = 7;

        CHECK_ROW(rows[i].row, s2_ike1_notify_dpd(&n, 1, 2, &sequence) == rows[i].good);
        CHECK_ROW(rows[i].row, sequence == (rows[i].good ? 0x01020304 : 7));
    }
}

static void deletes_go_around(void)
{
    struct s2_ike1_delete_payload esp = {.protocol = S2_IKE1_PROTO_ESP, .count = 3},
                                  sa = {.protocol = S2_IKE1_PROTO_ISAKMP, .count = 2}, got;
    uint8_t wire[600];
    struct s2_reader r;
    struct s2_writer w;

    for (uint32_t i = 0; i < 3; i++)
        esp.spi[i] = 0x10203040 + i;
    s2_writer_init(&w, wire, sizeof(wire));
    s2_ike1_write_delete(&w, &esp);
    s2_reader_init(&r, wire, w.len);
    CU_ASSERT_EQUAL_FATAL(s2_ike1_parse_delete(&r, &got), S2SVPN_OK);
    CU_ASSERT_EQUAL(got.protocol, S2_IKE1_PROTO_ESP);
    CU_ASSERT_EQUAL(got.count, 3);
    CU_ASSERT_EQUAL(memcmp(got.spi, esp.spi, 3 * sizeof(esp.spi[0])), 0);

    for (uint64_t i = 0; i < 2; i++) {
        sa.cookies[i].i = UINT64_C(0x0102030405060708) + i;
        sa.cookies[i].r = UINT64_C(0xf1f2f3f4f5f6f7f8) + i;
    }
    s2_writer_init(&w, wire, sizeof(wire));
    s2_ike1_write_delete(&w, &sa);
    s2_reader_init(&r, wire, w.len);
    CU_ASSERT_EQUAL_FATAL(s2_ike1_parse_delete(&r, &got), S2SVPN_OK);
    CU_ASSERT_EQUAL(got.count, 2);
    CU_ASSERT_EQUAL(memcmp(got.cookies, sa.cookies, 2 * sizeof(sa.cookies[0])), 0);
}

static void deletes_are_bounded(void)
{
    static const uint8_t per_protocol[] = {0, 16, 4, 4, 2};
    uint8_t wire[8 + 33 * 16];

    for (uint8_t protocol = 1; protocol <= 4; protocol++) {
        for (uint8_t n = 31; n <= 33; n++) {
            const uint8_t head[8] = {0, 0, 0, 1, protocol, per_protocol[protocol], 0, n};
            struct s2_ike1_delete_payload d = {.count = 77};
            struct s2_reader r;

            memset(wire, 1, sizeof(wire));
            memcpy(wire, head, sizeof(head));
            s2_reader_init(&r, wire, 8u + n * per_protocol[protocol]);
            CU_ASSERT_EQUAL(s2_ike1_parse_delete(&r, &d),
                            n <= S2_IKE1_DELETE_MAX ? S2SVPN_OK : S2SVPN_E_LIMIT);
            const uint16_t count = protocol == 1 || protocol == 3 ? n : 0;
            CU_ASSERT_EQUAL(d.count, n <= S2_IKE1_DELETE_MAX ? count : 77);
        }
    }
}

/* ---- VID */

static void vendors_are_known_by_their_bytes(void)
{
    for (int v = 0; v < S2_IKE1_VENDOR_COUNT; v++) {
        const enum s2_ike1_vendor vendor = (enum s2_ike1_vendor)v;
        struct s2_ike1_payloads list;
        struct s2_ike1_chain chain;
        uint8_t wire[128] = {0};
        struct s2_reader r;
        struct s2_writer w;

        s2_writer_init(&w, wire, sizeof(wire));
        s2_write_zero(&w, S2_IKE1_HEADER_LEN);
        s2_ike1_chain_begin(&chain, &w);
        s2_ike1_write_vendor(&chain, vendor);
        s2_ike1_write_payload(&chain, S2_IKE1_PAYLOAD_VENDOR, SPAN("somebody else's"));
        s2_ike1_write_vendor(&chain, S2_IKE1_VENDOR_STRONGSWAN);
        s2_reader_init(&r, wire + S2_IKE1_HEADER_LEN, w.len - S2_IKE1_HEADER_LEN);
        CU_ASSERT_EQUAL_FATAL(s2_ike1_parse_payloads(&r, wire[16], false, &list), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2_ike1_vendors(&list),
                        UINT32_C(1) << v | UINT32_C(1) << S2_IKE1_VENDOR_STRONGSWAN);
        const s2svpn_span body = list.item[0].body;
        CU_ASSERT_EQUAL(s2_ike1_vendor_of(body), vendor);
        CU_ASSERT_STRING_NOT_EQUAL(s2_ike1_vendor_name(vendor), "?");
        CU_ASSERT_EQUAL(s2_ike1_vendor_of(s2_span(body.p, body.len < 16 ? 7 : 12)),
                        S2_IKE1_VENDOR_COUNT);
        wire[S2_IKE1_HEADER_LEN + 4] ^= 1;
        CU_ASSERT_EQUAL(s2_ike1_vendor_of(body), S2_IKE1_VENDOR_COUNT);
    }
    CU_ASSERT_EQUAL(s2_ike1_vendor_of(SPAN("")), S2_IKE1_VENDOR_COUNT);
    CU_ASSERT_STRING_EQUAL(s2_ike1_vendor_name(S2_IKE1_VENDOR_COUNT), "?");
}

/* As they stand in RFC 3947 section 3.1 and RFC 3706 section 5.1. */
static void published_vendors_are_known(void)
{
    CU_ASSERT_EQUAL(s2_ike1_vendor_of(SPAN("\x4a\x13\x1c\x81\x07\x03\x58\x45\x5c\x57\x28\xf2\x0e"
                                           "\x95\x45\x2f")),
                    S2_IKE1_VENDOR_NATT_RFC);
    CU_ASSERT_EQUAL(s2_ike1_vendor_of(SPAN("\xaf\xca\xd7\x13\x68\xa1\xf1\xc9\x6b\x86\x96\xfc\x77"
                                           "\x57\x01\x00")),
                    S2_IKE1_VENDOR_DPD);
}

static void the_newest_nat_traversal_of_both_is_taken(void)
{
    static const struct {
        const char *row;
        uint32_t theirs;
        enum s2_ike1_vendor best;
        bool draft;
    } rows[] = {
        {"none", 0, S2_IKE1_VENDOR_COUNT, false},
        {"others", 1u << S2_IKE1_VENDOR_DPD, S2_IKE1_VENDOR_COUNT, false},
        {"all", UINT32_MAX, S2_IKE1_VENDOR_NATT_RFC, false},
        {"drafts", UINT32_MAX - 1, S2_IKE1_VENDOR_NATT_03, true},
        {"02", 1u << S2_IKE1_VENDOR_NATT_02, S2_IKE1_VENDOR_NATT_02, true},
        {"02 bare", 1u << S2_IKE1_VENDOR_NATT_02_BARE, S2_IKE1_VENDOR_NATT_02_BARE, true},
        {"00", 1u << S2_IKE1_VENDOR_NATT_00, S2_IKE1_VENDOR_COUNT, false},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        bool draft = false;

        CHECK_ROW(rows[i].row, s2_ike1_natt_best(rows[i].theirs, &draft) == rows[i].best);
        CHECK_ROW(rows[i].row, draft == rows[i].draft);
    }
}

const CU_TestInfo s2_test_v1_message[] = {
    {"headers go around", headers_go_around},
    {"a header of another length is refused", a_header_of_another_length_is_refused},
    {"malformed chains are refused and named", malformed_chains_are_refused_and_named},
    {"chains go around", chains_go_around},
    {"padding is borne and left out", padding_is_borne_and_left_out},
    {"a chain has at most so many payloads", a_chain_has_at_most_so_many_payloads},
    {"values have a length that can be", values_have_a_length_that_can_be},
    {"malformed notifies and deletes are refused and named",
     malformed_notifies_and_deletes_are_refused_and_named},
    {"notifies go around", notifies_go_around},
    {"an spi too long is not written", an_spi_too_long_is_not_written},
    {"dpd has both cookies and one number", dpd_has_both_cookies_and_one_number},
    {"deletes go around", deletes_go_around},
    {"deletes are bounded", deletes_are_bounded},
    {"vendors are known by their bytes", vendors_are_known_by_their_bytes},
    {"published vendors are known", published_vendors_are_known},
    {"the newest nat traversal of both is taken", the_newest_nat_traversal_of_both_is_taken},
    CU_TEST_INFO_NULL,
};
