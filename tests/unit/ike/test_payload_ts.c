/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of lib/ike/payload_ts.c. */
#include "ike/message.h"

#include <string.h>

#include "harness.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))
#define WIRE(text) (const uint8_t *)(text), sizeof(text) - 1

/* 10.0.0.0 to 10.0.0.255, all ports */
#define NET "\x07\0\0\x10\0\0\xff\xff\x0a\0\0\0\x0a\0\0\xff"

static s2svpn_status parse(const uint8_t *wire, size_t len, struct s2_reader *r,
                           struct s2_ike_ts_list *list)
{
    s2_reader_init(r, wire, len);
    return s2_ike_parse_ts(r, list);
}

static const struct {
    const char *row;
    const uint8_t *wire;
    size_t len;
    s2svpn_status rc;
    const char *field;
} bad[] = {
    {"empty", WIRE(""), S2SVPN_E_MALFORMED, "ts.count"},
    {"no reserved bytes", WIRE("\1\0\0"), S2SVPN_E_MALFORMED, "ts.reserved"},
    {"absurd count", WIRE("\xff\0\0\0" NET), S2SVPN_E_MALFORMED, "ts.type"},
    {"the tenth malformed", WIRE("\x0a\0\0\0" NET NET NET NET NET NET NET NET NET "\7\0\0\3"),
     S2SVPN_E_MALFORMED, "ts.length"},
    {"counted, but not there", WIRE("\1\0\0\0"), S2SVPN_E_MALFORMED, "ts.type"},
    {"length 0", WIRE("\1\0\0\0\7\0\0\0"), S2SVPN_E_MALFORMED, "ts.length"},
    {"shorter than its header", WIRE("\1\0\0\0\7\0\0\3"), S2SVPN_E_MALFORMED, "ts.length"},
    {"shorter than its header, unknown type", WIRE("\1\0\0\0\x0a\0\0\3"), S2SVPN_E_MALFORMED,
     "ts.length"},
    {"longer than the payload", WIRE("\1\0\0\0\7\0\0\x10"), S2SVPN_E_MALFORMED, "ts.length"},
    {"no room for addresses", WIRE("\1\0\0\0\7\0\0\x08\0\0\xff\xff"), S2SVPN_E_MALFORMED,
     "ts.first"},
    {"IPv6 of IPv4's length", WIRE("\1\0\0\0\x08\0\0\x10\0\0\xff\xff\x0a\0\0\0\x0a\0\0\xff"),
     S2SVPN_E_MALFORMED, "ts.first"},
    {"addresses longer than the type's",
     WIRE("\1\0\0\0\7\0\0\x11\0\0\xff\xff\x0a\0\0\0\x0a\0\0\xffx"), S2SVPN_E_MALFORMED,
     "trailing bytes"},
    {"addresses run backwards", WIRE("\1\0\0\0\7\0\0\x10\0\0\xff\xff\x0a\0\0\xff\x0a\0\0\0"),
     S2SVPN_E_MALFORMED, "ts.last"},
    {"ports run backwards", WIRE("\1\0\0\0\7\0\0\x10\0\2\0\1\x0a\0\0\0\x0a\0\0\xff"),
     S2SVPN_E_MALFORMED, "ts.last_port"},
    {"bytes left over", WIRE("\0\0\0\0\7"), S2SVPN_E_MALFORMED, "trailing bytes"},
    {"one more than counted", WIRE("\1\0\0\0" NET NET), S2SVPN_E_MALFORMED, "trailing bytes"},
    {"second one malformed", WIRE("\2\0\0\0" NET "\7\0\0\3"), S2SVPN_E_MALFORMED, "ts.length"},
};

static void malformed_ts_is_refused_and_named(void)
{
    for (size_t i = 0; i < COUNT(bad); i++) {
        struct s2_ike_ts_list list;
        struct s2_reader r;

        CHECK_ROW(bad[i].row, parse(bad[i].wire, bad[i].len, &r, &list) == bad[i].rc);
        CHECK_ROW(bad[i].row, r.field != NULL && strcmp(r.field, bad[i].field) == 0);
        CHECK_ROW(bad[i].row, list.count == 0);
    }
}

static void selectors_are_read_field_by_field(void)
{
    struct s2_ike_ts_list list;
    struct s2_reader r;

    CU_ASSERT_EQUAL_FATAL(
        parse(WIRE("\1\0\0\0\x07\x06\0\x10\0\xb3\1\0\x0a\0\0\0\x0a\0\0\xff"), &r, &list),
        S2SVPN_OK);
    CU_ASSERT_EQUAL(list.count, 1);
    CU_ASSERT_EQUAL(list.item[0].family, S2SVPN_FAMILY_IPV4);
    CU_ASSERT_EQUAL(list.item[0].protocol, 6);
    CU_ASSERT_EQUAL(list.item[0].first_port, 179);
    CU_ASSERT_EQUAL(list.item[0].last_port, 256);
    CU_ASSERT_EQUAL(memcmp(list.item[0].first, "\x0a\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16), 0);
    CU_ASSERT_EQUAL(memcmp(list.item[0].last, "\x0a\0\0\xff\0\0\0\0\0\0\0\0\0\0\0", 16), 0);
}

static void unknown_selectors_are_left_out(void)
{
    struct s2_ike_ts_list list;
    struct s2_reader r;

    /* TS_FC_ADDR_RANGE (RFC 4595), then one that we know */
    CU_ASSERT_EQUAL(parse(WIRE("\2\0\0\0\x09\0\0\x05x" NET), &r, &list), S2SVPN_OK);
    CU_ASSERT_EQUAL(list.count, 1);
    CU_ASSERT_EQUAL(parse(WIRE("\1\0\0\0\x09\0\0\4"), &r, &list), S2SVPN_OK);
    CU_ASSERT_EQUAL(list.count, 0);
}

static struct s2_ike_ts net(const char *text)
{
    s2svpn_prefix prefix = {0};

    CU_ASSERT_TRUE(s2svpn_prefix_read(text, &prefix));
    return s2_ike_ts_of(&prefix);
}

static void selectors_go_around(void)
{
    struct s2_ike_ts_list list = {.count = S2_IKE_TS_MAX}, got;
    uint8_t wire[4 + 40 * S2_IKE_TS_MAX];
    struct s2_reader r;
    struct s2_writer w;

    for (size_t i = 0; i < S2_IKE_TS_MAX; i++) {
        list.item[i] = net(i % 2 == 0 ? "10.1.0.0/16" : "2001:db8::/32");
        list.item[i].protocol = (uint8_t)i;
        list.item[i].first_port = (uint16_t)i;
    }
    list.item[0].first_port = 65535; /* OPAQUE */
    list.item[0].last_port = 0;
    s2_writer_init(&w, wire, sizeof(wire));
    s2_ike_write_ts(&w, &list);
    CU_ASSERT_EQUAL_FATAL(s2_writer_finish(&w), S2SVPN_OK);
    CU_ASSERT_EQUAL_FATAL(parse(wire, w.len, &r, &got), S2SVPN_OK);
    CU_ASSERT_EQUAL(got.count, list.count);
    CU_ASSERT_EQUAL(memcmp(got.item, list.item, sizeof(list.item)), 0);
}

/* Section 2.9: the peer may ask for more than we hold, which is no reason to refuse. */
static void the_first_of_many_selectors_are_kept(void)
{
    uint8_t wire[4 + 255 * 16] = {255};
    struct s2_ike_ts_list got;
    struct s2_reader r;

    for (size_t i = 0; i < 255; i++)
        memcpy(wire + 4 + 16 * i, NET, 16);
    for (size_t i = 0; i < 255; i++)
        wire[4 + 16 * i + 1] = (uint8_t)i; /* the protocol */
    CU_ASSERT_EQUAL_FATAL(parse(wire, sizeof(wire), &r, &got), S2SVPN_OK);
    CU_ASSERT_EQUAL(got.count, S2_IKE_TS_MAX);
    for (size_t i = 0; i < got.count; i++)
        CU_ASSERT_EQUAL(got.item[i].protocol, i);
}

static void a_network_is_a_selector(void)
{
    static const struct {
        const char *net;
        uint8_t family, first[16], last[16];
    } rows[] = {
        {"0.0.0.0/0", 4, {0}, {255, 255, 255, 255}},
        {"10.1.0.0/16", 4, {10, 1}, {10, 1, 255, 255}},
        {"10.1.2.0/23", 4, {10, 1, 2}, {10, 1, 3, 255}},
        {"192.0.2.1/32", 4, {192, 0, 2, 1}, {192, 0, 2, 1}},
        {"2001:db8::/33",
         6,
         {0x20, 1, 0x0d, 0xb8},
         {0x20, 1, 0x0d, 0xb8, 0x7f, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct s2_ike_ts ts = net(rows[i].net);

        CHECK_ROW(rows[i].net, ts.family == rows[i].family && ts.protocol == 0);
        CHECK_ROW(rows[i].net, ts.first_port == 0 && ts.last_port == 65535);
        CHECK_ROW(rows[i].net, memcmp(ts.first, rows[i].first, 16) == 0);
        CHECK_ROW(rows[i].net, memcmp(ts.last, rows[i].last, 16) == 0);
    }
}

static void a_selector_is_inside_another_or_not(void)
{
    static const struct {
        const char *outer, *inner;
        bool inside;
    } rows[] = {
        {"0.0.0.0/0", "10.0.0.0/8", true},     {"10.0.0.0/8", "10.0.0.0/8", true},
        {"10.0.0.0/8", "10.255.0.0/16", true}, {"10.0.0.0/8", "11.0.0.0/16", false},
        {"10.1.0.0/16", "10.0.0.0/8", false},  {"0.0.0.0/0", "::/0", false},
        {"::/0", "2001:db8::/32", true},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        const struct s2_ike_ts outer = net(rows[i].outer), inner = net(rows[i].inner);

        CHECK_ROW(rows[i].inner, s2_ike_ts_inside(&outer, &inner) == rows[i].inside);
    }
}

static void protocol_and_ports_count_inside(void)
{
    const struct s2_ike_ts all = net("0.0.0.0/0");
    struct s2_ike_ts tcp = all, udp = all, bgp = all;

    tcp.protocol = bgp.protocol = 6;
    udp.protocol = 17;
    bgp.first_port = bgp.last_port = 179;
    CU_ASSERT_TRUE(s2_ike_ts_inside(&all, &tcp));
    CU_ASSERT_FALSE(s2_ike_ts_inside(&tcp, &all));
    CU_ASSERT_FALSE(s2_ike_ts_inside(&tcp, &udp));
    CU_ASSERT_TRUE(s2_ike_ts_inside(&tcp, &bgp));
    CU_ASSERT_FALSE(s2_ike_ts_inside(&bgp, &tcp));
}

static void narrowing_keeps_what_both_allow(void)
{
    static const struct {
        const char *row, *theirs[3], *ours, *both[3];
    } rows[] = {
        {"all and all", {"0.0.0.0/0"}, "0.0.0.0/0", {"0.0.0.0/0"}},
        {"all and ours", {"0.0.0.0/0"}, "10.1.0.0/16", {"10.1.0.0/16"}},
        {"theirs inside ours", {"10.1.2.0/24"}, "10.1.0.0/16", {"10.1.2.0/24"}},
        {"two nets", {"10.1.0.0/24", "10.1.1.0/24"}, "10.1.0.0/16", {"10.1.0.0/24", "10.1.1.0/24"}},
        {"one of two", {"10.2.0.0/24", "10.1.1.0/24"}, "10.1.0.0/16", {"10.1.1.0/24"}},
        {"the packet's addresses first",
         {"10.1.2.3/32", "0.0.0.0/0"},
         "10.1.0.0/16",
         {"10.1.0.0/16"}},
        {"the same twice", {"10.1.0.0/24", "10.1.0.0/24"}, "0.0.0.0/0", {"10.1.0.0/24"}},
        {"other family beside", {"::/0", "0.0.0.0/0"}, "0.0.0.0/0", {"0.0.0.0/0"}},
        {"nothing", {"10.2.0.0/16"}, "10.1.0.0/16", {NULL}},
        {"other family", {"::/0"}, "0.0.0.0/0", {NULL}},
        {"an empty list", {NULL}, "0.0.0.0/0", {NULL}},
    };

    for (size_t i = 0; i < COUNT(rows); i++) {
        struct s2_ike_ts_list theirs = {0}, both = {0}, got = {.count = 77};
        const struct s2_ike_ts ours = net(rows[i].ours);

        for (size_t k = 0; k < 3 && rows[i].theirs[k] != NULL; k++)
            theirs.item[theirs.count++] = net(rows[i].theirs[k]);
        for (size_t k = 0; k < 3 && rows[i].both[k] != NULL; k++)
            both.item[both.count++] = net(rows[i].both[k]);
        CHECK_ROW(rows[i].row, s2_ike_ts_narrow(&theirs, &ours, &got) == (both.count > 0));
        CHECK_ROW(rows[i].row, got.count == (both.count > 0 ? both.count : 77));
        CHECK_ROW(rows[i].row,
                  both.count == 0 || memcmp(got.item, both.item, sizeof(both.item)) == 0);
    }
}

static void narrowing_heeds_protocol_and_ports(void)
{
    struct s2_ike_ts_list theirs = {.count = 1, .item = {net("0.0.0.0/0")}}, got;
    struct s2_ike_ts ours = net("10.0.0.0/8");

    theirs.item[0].protocol = 6;
    theirs.item[0].first_port = 100;
    theirs.item[0].last_port = 200;
    ours.first_port = 150;
    CU_ASSERT_TRUE(s2_ike_ts_narrow(&theirs, &ours, &got));
    CU_ASSERT_EQUAL(got.item[0].protocol, 6);
    CU_ASSERT_EQUAL(got.item[0].first_port, 150);
    CU_ASSERT_EQUAL(got.item[0].last_port, 200);
    ours.last_port = 180;
    CU_ASSERT_TRUE(s2_ike_ts_narrow(&theirs, &ours, &got));
    CU_ASSERT_EQUAL(got.item[0].last_port, 180);
    ours.last_port = 65535;
    ours.protocol = 17;
    CU_ASSERT_FALSE(s2_ike_ts_narrow(&theirs, &ours, &got));
    ours.protocol = 6;
    ours.first_port = 201;
    CU_ASSERT_FALSE(s2_ike_ts_narrow(&theirs, &ours, &got));
    theirs.item[0].first_port = 65535; /* OPAQUE is no range of ports */
    theirs.item[0].last_port = 0;
    ours.first_port = 0;
    CU_ASSERT_FALSE(s2_ike_ts_narrow(&theirs, &ours, &got));
}

const CU_TestInfo s2_test_payload_ts[] = {
    {"malformed ts is refused and named", malformed_ts_is_refused_and_named},
    {"selectors are read field by field", selectors_are_read_field_by_field},
    {"unknown selectors are left out", unknown_selectors_are_left_out},
    {"selectors go around", selectors_go_around},
    {"the first of many selectors are kept", the_first_of_many_selectors_are_kept},
    {"a network is a selector", a_network_is_a_selector},
    {"a selector is inside another or not", a_selector_is_inside_another_or_not},
    {"protocol and ports count inside", protocol_and_ports_count_inside},
    {"narrowing keeps what both allow", narrowing_keeps_what_both_allow},
    {"narrowing heeds protocol and ports", narrowing_heeds_protocol_and_ports},
    CU_TEST_INFO_NULL,
};
