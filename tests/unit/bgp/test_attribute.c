/* SPDX-License-Identifier: Apache-2.0 */
/* What each malformed attribute costs, row by row (RFC 7606), AS4_PATH merged, sets
 * stored once, and the same bytes again when they are written. */
#include "bgp/attribute.h"

#include <string.h>

#include "base/address.h"
#include "hand.h"

#define GOOD "40010100 40020602010000fc00 400304c0000201 "
#define NONE S2_BGP_COST_NONE
#define DISCARD S2_BGP_COST_DISCARD
#define WITHDRAW S2_BGP_COST_WITHDRAW
#define RESET S2_BGP_COST_RESET

static const struct {
    const char *row, *hex;
    enum s2_bgp_cost cost;
    uint8_t culprit;
    unsigned discarded;
    uint8_t subcode; /* of a reset */
} rows[] = {
    {"the mandatory ones", GOOD, NONE, 0, 0, 0},
    {"MULTI_EXIT_DISC", GOOD "80040400000064", NONE, 0, 0, 0},
    {"no attribute at all (CVE-2023-41358)", "", NONE, 0, 0, 0},

    {"ORIGIN of no octet", "400100", WITHDRAW, 1, 0, 0},
    {"ORIGIN of two octets", "4001020000", WITHDRAW, 1, 0, 0},
    {"ORIGIN 3", "40010103", WITHDRAW, 1, 0, 0},
    {"ORIGIN optional", "c0010100", WITHDRAW, 1, 0, 0},
    {"ORIGIN not transitive", "00010100", WITHDRAW, 1, 0, 0},
    {"ORIGIN with a long length", "5001000100", NONE, 0, 0, 0},

    {"empty AS_PATH (GHSA-frrj-87jh-2772)", "400200", NONE, 0, 0, 0},
    {"AS_PATH of one octet", "40020102", WITHDRAW, 2, 0, 0},
    {"AS_PATH segment of no ASN", "4002020200", WITHDRAW, 2, 0, 0},
    {"AS_PATH segment beyond the attribute", "40020602020000fc00", WITHDRAW, 2, 0, 0},
    {"AS_PATH with a half ASN", "4002040201fc00", WITHDRAW, 2, 0, 0},
    {"AS_PATH segment type 0", "40020600010000fc00", WITHDRAW, 2, 0, 0},
    {"AS_PATH segment type 5", "40020605010000fc00", WITHDRAW, 2, 0, 0},
    {"AS_PATH of a confederation", "40020603010000fc00", WITHDRAW, 2, 0, 0},
    {"AS 0 in AS_PATH (RFC 7607)", "40020a02020000fc0000000000", WITHDRAW, 2, 0, 0},
    {"an AS_SET", "40020c02010000fc0001010000fc01", NONE, 0, 0, 0},

    {"NEXT_HOP of three octets (CVE-2026-30405)", "400303c00002", WITHDRAW, 3, 0, 0},
    {"NEXT_HOP of no octet", "400300", WITHDRAW, 3, 0, 0},
    {"NEXT_HOP of sixteen octets", "40031020010db8000000000000000000000001", WITHDRAW, 3, 0, 0},
    {"MULTI_EXIT_DISC of three octets", "800403000064", WITHDRAW, 4, 0, 0},
    {"MULTI_EXIT_DISC of five octets", "8004050000006400", WITHDRAW, 4, 0, 0},
    {"MULTI_EXIT_DISC transitive", "c0040400000064", WITHDRAW, 4, 0, 0},
    {"LOCAL_PREF from outside", GOOD "40050400000064", DISCARD, 5, 1, 0},
    {"LOCAL_PREF from outside, malformed", GOOD "40050100", DISCARD, 5, 1, 0},
    {"ATOMIC_AGGREGATE", GOOD "400600", NONE, 0, 0, 0},
    {"ATOMIC_AGGREGATE with a value", GOOD "40060100", DISCARD, 6, 1, 0},
    {"AGGREGATOR", GOOD "c007080000fc00c0000201", NONE, 0, 0, 0},
    {"AGGREGATOR of six octets", GOOD "c00706fc00c0000201", DISCARD, 7, 1, 0},
    {"AGGREGATOR of AS 0 (RFC 7607)", GOOD "c0070800000000c0000201", DISCARD, 7, 1, 0},
    {"ORIGINATOR_ID from outside", GOOD "800904c0000201", DISCARD, 9, 1, 0},
    {"CLUSTER_LIST from outside", GOOD "800a04c0000201", DISCARD, 10, 1, 0},
    {"AS4_PATH from a four-octet speaker", GOOD "c0110602010000fc00", DISCARD, 17, 1, 0},
    {"AS4_AGGREGATOR from a four-octet speaker", GOOD "c012080000fc00c0000201", DISCARD, 18, 1, 0},

    {"COMMUNITIES", GOOD "c00808fc000001fc000002", NONE, 0, 0, 0},
    {"COMMUNITIES, none", "c00800", WITHDRAW, 8, 0, 0},
    {"COMMUNITIES of three octets", "c00803fc0000", WITHDRAW, 8, 0, 0},
    {"COMMUNITIES not transitive", "80080400000001", WITHDRAW, 8, 0, 0},
    {"EXTENDED COMMUNITIES", GOOD "c010080002fc0000000001", NONE, 0, 0, 0},
    {"EXTENDED COMMUNITIES of four octets", "c010040002fc00", WITHDRAW, 16, 0, 0},
    {"EXTENDED COMMUNITIES, none", "c01000", WITHDRAW, 16, 0, 0},
    {"IPv6 EXTENDED COMMUNITIES too short (CVE-2026-37461)", "c01908 0002fc0000000001", WITHDRAW,
     25, 0, 0},
    {"LARGE_COMMUNITY", GOOD "c0200c 0000fc000000000100000002", NONE, 0, 0, 0},
    {"LARGE_COMMUNITY of eight octets", "c02008 0000fc0000000001", WITHDRAW, 32, 0, 0},

    {"unknown, optional, transitive", GOOD "c0ff03010203", NONE, 0, 0, 0},
    {"unknown, optional, transitive, empty", GOOD "c0ff00", NONE, 0, 0, 0},
    {"unknown, optional", GOOD "80ff03010203", NONE, 0, 0, 0},
    {"attribute 28 (VU#347067)", GOOD "c01c00", NONE, 0, 0, 0},
    {"attribute 28, not transitive (VU#347067)", GOOD "801c0100", NONE, 0, 0, 0},
    {"tunnel encapsulation, malformed (CVE-2023-38802)", GOOD "c01703ffffff", NONE, 0, 0, 0},
    {"unknown and well known (CVE-2026-41642)", GOOD "40ff00", WITHDRAW, 255, 0, 0},
    {"type 0", GOOD "c00000", NONE, 0, 0, 0},

    {"ORIGIN twice", GOOD "40010102", DISCARD, 1, 1, 0},
    {"unknown twice (CVE-2018-5379)", GOOD "c0ff0101 c0ff0102", DISCARD, 255, 1, 0},
    {"the stronger of two counts", "4003 03c00002 40060100 40050400000064", WITHDRAW, 3, 2, 0},

    {"the list ends in a header", GOOD "80", WITHDRAW, 0, 0, 0},
    {"the list ends before a length", GOOD "8004", WITHDRAW, 0, 0, 0},
    {"the list ends in a long length", GOOD "90ff01", WITHDRAW, 0, 0, 0},
    {"length beyond the list (CVE-2026-42285)", GOOD "80040500000064", WITHDRAW, 0, 0, 0},
    {"length 65535", GOOD "d0ffffff00", WITHDRAW, 0, 0, 0},

    {"MP_REACH_NLRI of IPv6",
     GOOD "800e1a 000201 10 20010db8000000000000000000000001 00 20 20010db8", NONE, 0, 0, 0},
    {"MP_REACH_NLRI with a link-local next hop",
     GOOD "800e2a 000201 20 20010db8000000000000000000000001 fe800000000000000000000000000001"
          "00 20 20010db8",
     NONE, 0, 0, 0},
    {"MP_REACH_NLRI of IPv4", GOOD "800e0d 000101 04 c0000201 00 18 0a0000", NONE, 0, 0, 0},
    {"MP_REACH_NLRI of a family that nobody knows", GOOD "800e06 4004 47 00 00 ff", NONE, 0, 0, 0},
    {"MP_REACH_NLRI of FlowSpec, prefix length 0 (CVE-2023-38406)", GOOD "800e06 0001 85 00 00 00",
     NONE, 0, 0, 0},
    {"MP_REACH_NLRI of no octet", GOOD "800e00", RESET, 14, 0, 9},
    {"MP_REACH_NLRI of two octets", GOOD "800e020002", RESET, 14, 0, 9},
    {"MP_REACH_NLRI, next hop beyond it", GOOD "800e05 000201 10 20", RESET, 14, 0, 9},
    {"MP_REACH_NLRI, next hop of four octets", GOOD "800e09 000201 04 c0000201 00", RESET, 14, 0,
     9},
    {"MP_REACH_NLRI, no next hop", GOOD "800e05 000201 00 00", RESET, 14, 0, 9},
    {"MP_REACH_NLRI, prefix of 129 bits",
     GOOD "800e16 000201 10 20010db8000000000000000000000001 00 81", RESET, 14, 0, 9},
    {"MP_REACH_NLRI, prefix beyond it",
     GOOD "800e18 000201 10 20010db8000000000000000000000001 00 40 2001", RESET, 14, 0, 9},
    {"MP_REACH_NLRI twice",
     GOOD "800e0d 000101 04 c0000201 00 18 0a0000 800e0d 000101 04 c0000201 00 18 0a0000", RESET,
     14, 0, 1},
    {"MP_REACH_NLRI with the flags of another", GOOD "c00e0d 000101 04 c0000201 00 18 0a0000",
     RESET, 14, 0, 9},
    {"MP_UNREACH_NLRI", "800f08 000201 20 20010db8", NONE, 0, 0, 0},
    {"MP_UNREACH_NLRI of nothing (End-of-RIB)", "800f03 000201", NONE, 0, 0, 0},
    {"MP_UNREACH_NLRI of two octets (CVE-2023-47234)", "800f02 0002", RESET, 15, 0, 9},
    {"MP_UNREACH_NLRI, prefix of 33 bits", "800f09 000101 21 0a00000000", RESET, 15, 0, 9},
    {"MP_UNREACH_NLRI twice", "800f03000201 800f03000201", RESET, 15, 0, 1},
};

static void each_malformed_attribute_costs_what_its_row_says(void)
{
    static struct s2_bgp_parsed p;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct s2_bgp_error why = {.code = 0};
        uint8_t bytes[512];
        const size_t len = hand_hex(bytes, rows[i].hex);
        const s2svpn_status rc = s2_bgp_parse_attributes((s2svpn_span){bytes, len}, 4, &p, &why);

        CHECK_ROW(rows[i].row, p.cost == rows[i].cost);
        CHECK_ROW(rows[i].row, p.cost == NONE || p.culprit == rows[i].culprit);
        CHECK_ROW(rows[i].row, p.discarded == rows[i].discarded);
        CHECK_ROW(rows[i].row, (rc == S2SVPN_OK) == (rows[i].cost < RESET));
        CHECK_ROW(rows[i].row, why.code == (rows[i].cost < RESET ? 0 : S2_BGP_ERROR_UPDATE));
        CHECK_ROW(rows[i].row, why.subcode == rows[i].subcode);
    }
}

static void no_beginning_of_a_list_is_read_past_its_end(void)
{
    static struct s2_bgp_parsed p;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct s2_bgp_error why;
        uint8_t bytes[512];
        const size_t len = hand_hex(bytes, rows[i].hex);

        for (size_t n = 0; n <= len; n++) {
            (void)!s2_bgp_parse_attributes((s2svpn_span){bytes, n}, i % 2 ? 2 : 4, &p, &why);
            CU_ASSERT(p.values.path.as_count <= S2_BGP_AS_PATH_MAX);
        }
    }
}

/* ---- AS paths */

/* A path of n ASNs, in segments of at most 255. */
static size_t long_path(uint8_t *out, size_t n)
{
    struct s2_writer w;
    size_t left = n;

    s2_writer_init(&w, out, 8192);
    const size_t len = 4 * n + 2 * ((n + 254) / 255);
    s2_bgp_write_attribute_header(&w, S2_BGP_FLAG_TRANSITIVE, S2_BGP_AS_PATH, len);
    while (left > 0) {
        const size_t count = left < 255 ? left : 255;

        s2_write_u8(&w, S2_BGP_AS_SEQUENCE);
        s2_write_u8(&w, (uint8_t)count);
        for (size_t i = 0; i < count; i++)
            s2_write_u32(&w, (uint32_t)(64512 + i));
        left -= count;
    }
    CU_ASSERT_EQUAL_FATAL(s2_writer_finish(&w), S2SVPN_OK);
    return w.len;
}

static void a_path_longer_than_we_hold_costs_the_route(void)
{
    static const struct {
        const char *row;
        size_t n;
        enum s2_bgp_cost cost;
    } lengths[] = {
        {"254", 254, NONE},
        {"255", 255, NONE},
        {"256", 256, WITHDRAW},
        {"600", 600, WITHDRAW},
        {"as many as fit in a message (CVE-2026-49943)", 1010, WITHDRAW},
    };
    static struct s2_bgp_parsed p;
    static uint8_t bytes[8192];

    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        struct s2_bgp_error why;
        const size_t len = long_path(bytes, lengths[i].n);

        CU_ASSERT_EQUAL(s2_bgp_parse_attributes((s2svpn_span){bytes, len}, 4, &p, &why), S2SVPN_OK);
        CHECK_ROW(lengths[i].row, p.cost == lengths[i].cost);
    }
}

/* AS_PATH and AS4_PATH as segments: "s1 2 3" a sequence, "{4 5}" a set. RFC 6793
 * section 4.2.3. */
static const struct {
    const char *row, *as_path, *as4_path;
    uint32_t as[8];
    size_t count, length;
    unsigned discarded;
} merges[] = {
    {"no AS4_PATH", "02 02 fc00 5ba0", NULL, {64512, 23456}, 2, 2, 0},
    {"as long as AS_PATH", "02 02 fc00 5ba0", "02 02 0000fc00 00030d40", {64512, 200000}, 2, 2, 0},
    {"the tail of AS_PATH",
     "02 03 fc00 5ba0 5ba0",
     "02 02 00030d40 00030d41",
     {64512, 200000, 200001},
     3,
     3,
     0},
    {"longer than AS_PATH: ignored", "02 01 fc00", "02 02 00030d40 00030d41", {64512}, 1, 1, 0},
    {"a set counts as one",
     "02 02 fc00 5ba0 01 02 5ba0 fc01",
     "02 01 00030d40 01 02 00030d41 0000fc01",
     {64512, 200000, 200001, 64513},
     4,
     3,
     0},
    {"cut behind a set",
     "01 02 fc00 fc01 02 02 fc02 5ba0",
     "02 01 00030d40",
     {64512, 64513, 64514, 200000},
     4,
     3,
     0},
    {"malformed: discarded", "02 01 fc00", "02 02 00030d40", {64512}, 1, 1, 1},
    {"of AS 0: discarded", "02 01 fc00", "02 01 00000000", {64512}, 1, 1, 1},
    {"empty: discarded", "02 01 fc00", "", {64512}, 1, 1, 1},
    {"empty AS_PATH", "", "02 01 00030d40", {0}, 0, 0, 0},
};

/* AS4_PATH before AS_PATH is CVE-2026-41643. */
static void as4_path_is_merged_whichever_came_first(void)
{
    static struct s2_bgp_parsed p;

    for (size_t i = 0; i < 2 * sizeof(merges) / sizeof(merges[0]); i++) {
        const char *row = merges[i / 2].row,
                   *hex[2] = {merges[i / 2].as_path, merges[i / 2].as4_path};
        struct s2_bgp_error why;
        uint8_t bytes[256], part[128];
        struct s2_writer w;

        s2_writer_init(&w, bytes, sizeof(bytes));
        for (size_t k = 0; k < 2; k++) {
            const size_t which = k ^ i % 2;

            if (hex[which] == NULL)
                continue;
            const size_t n = hand_hex(part, hex[which]);
            s2_bgp_write_attribute_header(&w, which ? 0xc0 : 0x40, which ? 17 : 2, n);
            s2_write_bytes(&w, part, n);
        }
        CU_ASSERT_EQUAL(s2_bgp_parse_attributes((s2svpn_span){bytes, w.len}, 2, &p, &why),
                        S2SVPN_OK);
        CHECK_ROW(row, p.values.head.as_count == merges[i / 2].count);
        CHECK_ROW(row, p.values.head.as_path_len == merges[i / 2].length);
        CHECK_ROW(row, p.discarded == merges[i / 2].discarded);
        CHECK_ROW(row, memcmp(p.values.path.as, merges[i / 2].as,
                              merges[i / 2].count * sizeof(uint32_t)) == 0);
    }
}

static const struct {
    const char *row, *hex;
    uint32_t as;
} aggregators[] = {
    {"two octets", "c00706fc00c0000201", 64512},
    {"AS_TRANS and the true one", "c007065ba0c0000201 c0120800030d40c0000201", 200000},
    {"the true one first", "c0120800030d40c0000201 c007065ba0c0000201", 200000},
    {"AS_TRANS alone", "c007065ba0c0000201", 23456},
    {"changed by a two-octet speaker: the other is stale",
     "c00706fc00c0000201"
     "c0120800030d40c0000201",
     64512},
};

static void as4_aggregator_replaces_as_trans_alone(void)
{
    static struct s2_bgp_parsed p;

    for (size_t i = 0; i < sizeof(aggregators) / sizeof(aggregators[0]); i++) {
        struct s2_bgp_error why;
        uint8_t bytes[128];
        const size_t len = hand_hex(bytes, aggregators[i].hex);

        CU_ASSERT_EQUAL(s2_bgp_parse_attributes((s2svpn_span){bytes, len}, 2, &p, &why), S2SVPN_OK);
        CHECK_ROW(aggregators[i].row, p.values.head.aggregator_as == aggregators[i].as);
    }
}

/* ---- sets */

struct store {
    struct s2_fake_env f;
    struct s2_bgp *bgp;
};

static void open_store(struct store *s)
{
    static const struct s2_bgp_ops ops = {.connect = NULL};

    s2_fake_env_init(&s->f, 1);
    CU_ASSERT_EQUAL_FATAL(s2_bgp_new(&s->f.env, &ops, &s->bgp), S2SVPN_OK);
}

static void close_store(struct store *s)
{
    CU_ASSERT_EQUAL(s->bgp->sets.count, 0);
    s2_bgp_free(s->bgp);
    CU_ASSERT_EQUAL(s->f.live, 0);
}

static struct s2_bgp_set *set_of(struct store *s, const uint8_t *p, size_t len, size_t as_size)
{
    static struct s2_bgp_parsed parsed;
    struct s2_bgp_error why;

    CU_ASSERT_EQUAL_FATAL(s2_bgp_parse_attributes((s2svpn_span){p, len}, as_size, &parsed, &why),
                          S2SVPN_OK);
    CU_ASSERT_EQUAL(parsed.cost, NONE);
    struct s2_bgp_set *set = s2_bgp_intern(s->bgp, &parsed.values);
    CU_ASSERT_FATAL(set != NULL);
    return set;
}

/* Attributes in the order of types, with the shortest lengths: what a set is
 * written as. %: the length of what fills the message. */
static const struct {
    const char *row, *hex;
    size_t as_size;
} trips[] = {
    {"mandatory", GOOD, 4},
    {"with MED and aggregation", GOOD "80040400000064 400600 c007080000fc00c0000201 c00804fc000001",
     4},
    {"a set in the path", "40010102 40021002020000fc0000030d4001010000fc01 400304c0000201", 4},
    {"two-octet", "40010100 4002040201fc00 400304c0000201", 2},
    {"two-octet, AS_TRANS",
     "40010100 4002060202fc005ba0 400304c0000201 c007065ba0c0000201"
     "c0110a02020000fc0000030d40 c0120800030d40c0000201",
     2},
    {"unknown ones, partial", GOOD "e0fe0101 e0ff00", 4},
    {"communities of all kinds",
     GOOD "c00804fc000001 c010080002fc0000000001 c0200c0000fc000000000100000002", 4},
};

static void what_is_read_is_written_the_same(void)
{
    struct store s;

    open_store(&s);
    for (size_t i = 0; i < sizeof(trips) / sizeof(trips[0]); i++) {
        const struct s2_bgp_write_options options = {.as_size = trips[i].as_size,
                                                     .next_hop = s2_address_ipv4(0xc0000201)};
        uint8_t in[512], out[512];
        const size_t len = hand_hex(in, trips[i].hex);
        struct s2_bgp_set *set = set_of(&s, in, len, trips[i].as_size);
        struct s2_writer w;

        s2_writer_init(&w, out, sizeof(out));
        s2_bgp_write_set(&w, set, &options);
        CHECK_ROW(trips[i].row, w.len == len && memcmp(in, out, len) == 0);
        s2_bgp_set_release(s.bgp, set);
    }
    close_store(&s);
}

/* An attribute of 255, 256, 1024 and most octets comes out with a length field that
 * fits: OTC with length 1024 was re-emitted wrongly and closed sessions everywhere
 * (CVE class 59). A short one that came with a long field gets a short field. */
static void lengths_are_exact_when_written_again(void)
{
    static const size_t lengths[] = {0, 1, 254, 255, 256, 257, 1024, 4000};
    static uint8_t in[8192], out[8192];
    struct store s;

    open_store(&s);
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        const struct s2_bgp_write_options options = {.as_size = 4};
        struct s2_writer w;

        s2_writer_init(&w, in, sizeof(in));
        s2_write_u8(&w, 0xd0);
        s2_write_u8(&w, 35);
        s2_write_u16(&w, (uint16_t)lengths[i]);
        s2_write_zero(&w, lengths[i]);
        struct s2_bgp_set *set = set_of(&s, in, w.len, 4);
        s2_writer_init(&w, out, sizeof(out));
        s2_bgp_write_set(&w, set, &options);
        s2_bgp_set_release(s.bgp, set);
        struct s2_bgp_set *again = set_of(&s, out, w.len, 4);
        const s2svpn_span opaque = s2_bgp_set_opaque(again);
        const size_t header = lengths[i] > 255 ? 4 : 3;
        CU_ASSERT_EQUAL(opaque.len, header + lengths[i]);
        CU_ASSERT_EQUAL(opaque.p[0], lengths[i] > 255 ? 0xf0 : 0xe0);
        s2_bgp_set_release(s.bgp, again);
    }
    close_store(&s);
}

/* 250 unknown attributes in the worst order are kept in the order of types. */
static void kept_attributes_are_in_the_order_of_types(void)
{
    uint8_t in[1024];
    struct s2_writer w;
    struct store s;
    unsigned last = 0, count = 0;
    struct s2_reader r;

    open_store(&s);
    s2_writer_init(&w, in, sizeof(in));
    for (unsigned type = 255; type >= 40; type--) {
        s2_bgp_write_attribute_header(&w, 0xc0, (uint8_t)type, 1);
        s2_write_u8(&w, (uint8_t)type);
    }
    struct s2_bgp_set *set = set_of(&s, in, w.len, 4);
    const s2svpn_span opaque = s2_bgp_set_opaque(set);
    s2_reader_init(&r, opaque.p, opaque.len);
    for (; r.left > 0; count++) {
        s2_read_skip(&r, 1, "flags");
        const uint8_t type = s2_read_u8(&r, "type");
        s2_read_skip(&r, 1, "length");
        CU_ASSERT(type > last && s2_read_u8(&r, "value") == type);
        last = type;
    }
    CU_ASSERT_EQUAL(count, 216);
    s2_bgp_set_release(s.bgp, set);
    close_store(&s);
}

static void equal_sets_are_stored_once(void)
{
    uint8_t a[128], b[128];
    struct store s;

    open_store(&s);
    const size_t len = hand_hex(a, GOOD "c00804fc000001");
    /* the same in another order, another next hop, a long length */
    const size_t other = hand_hex(b, "d0080004fc000001 400304c0000299 40020602010000fc00 40010100");
    struct s2_bgp_set *x = set_of(&s, a, len, 4), *y = set_of(&s, b, other, 4);
    CU_ASSERT_PTR_EQUAL(x, y);
    CU_ASSERT_EQUAL(s.bgp->sets.count, 1);
    a[len - 1] = 2;
    struct s2_bgp_set *z = set_of(&s, a, len, 4);
    CU_ASSERT_PTR_NOT_EQUAL(x, z);
    s2_bgp_set_release(s.bgp, x);
    CU_ASSERT_EQUAL(s.bgp->sets.count, 2);
    s2_bgp_set_release(s.bgp, y);
    s2_bgp_set_release(s.bgp, z);
    close_store(&s);
}

const CU_TestInfo s2_test_attribute[] = {
    {"each malformed attribute costs what its row says",
     each_malformed_attribute_costs_what_its_row_says},
    {"no beginning of a list is read past its end", no_beginning_of_a_list_is_read_past_its_end},
    {"a path longer than we hold costs the route", a_path_longer_than_we_hold_costs_the_route},
    {"AS4_PATH is merged whichever came first", as4_path_is_merged_whichever_came_first},
    {"AS4_AGGREGATOR replaces AS_TRANS alone", as4_aggregator_replaces_as_trans_alone},
    {"what is read is written the same", what_is_read_is_written_the_same},
    {"lengths are exact when written again", lengths_are_exact_when_written_again},
    {"kept attributes are in the order of types", kept_attributes_are_in_the_order_of_types},
    {"equal sets are stored once", equal_sets_are_stored_once},
    CU_TEST_INFO_NULL,
};
