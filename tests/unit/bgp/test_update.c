/* SPDX-License-Identifier: Apache-2.0 */
/* UPDATEs into routes: what is accepted, what an error costs the route or the
 * session, limits, and that it doesn't matter how the bytes were cut. */
#include <string.h>

#include "base/address.h"
#include "hand.h"

#define PATH "40020602010000fc00 " /* 64512 */
#define NEXT_HOP "400304c0000201 "
#define GOOD "40010100 " PATH NEXT_HOP
#define MED(hex) "800404" hex " "
#define TEN "100a00 " /* 10.0.0.0/16 */
#define REACH6(next_hop, prefixes, len) "800e" len " 000201 10 " next_hop " 00 " prefixes " "
#define MAPPED "00000000000000000000ffffc0000201"
#define DOC6 "2020010db8" /* 2001:db8::/32 */

static struct hand h;

static void establish(void)
{
    const struct s2_bgp_spec spec = hand_spec();
    const struct s2_bgp_open open = hand_open_message();

    hand_open(&h, &spec);
    hand_establish(&h, &open);
    CU_ASSERT_EQUAL_FATAL(hand_state(&h), S2_BGP_ESTABLISHED);
}

static struct s2_bgp_info info(void)
{
    struct s2_bgp_info out;

    s2_bgp_get_info(h.peer, &out);
    return out;
}

static void routes_come_with_their_attributes(void)
{
    const s2svpn_address next_hop = s2_address_ipv4(0xc0000201);

    establish();
    hand_send_update(
        &h, "", "40010102 40021002020000fc0000030d400101000000ff" NEXT_HOP MED("00000064"), TEN);
    CU_ASSERT_EQUAL(h.announced, 1);
    CU_ASSERT_EQUAL(h.attributes.origin, S2_BGP_INCOMPLETE);
    CU_ASSERT(h.attributes.has_med && h.attributes.med == 100);
    CU_ASSERT(!h.attributes.has_local_pref);
    CU_ASSERT(s2_address_equal(&h.attributes.next_hop, &next_hop));
    CU_ASSERT_EQUAL(h.attributes.as_path_len, 3);
    CU_ASSERT_EQUAL(h.attributes.as_count, 3);
    CU_ASSERT_EQUAL(h.attributes.first_as, 64512);
    CU_ASSERT(h.as_path[1] == 200000 && h.as_path[2] == 255);
    hand_send_update(
        &h, "", "40010102 40021002020000fc0000030d400101000000ff" NEXT_HOP MED("00000064"), TEN);
    CU_ASSERT_EQUAL(h.announced, 1); /* nothing new */
    hand_send_update(&h, "", GOOD, TEN "00 200a000001");
    CU_ASSERT_EQUAL(h.announced, 4);
    CU_ASSERT(hand_has(&h, "0.0.0.0/0") && hand_has(&h, "10.0.0.1/32"));
    hand_send_update(&h, TEN "180b0000", "", "");
    CU_ASSERT_EQUAL(h.withdrawn, 1);
    CU_ASSERT(!hand_has(&h, "10.0.0.0/16"));
    CU_ASSERT_EQUAL(info().prefixes_in, 2);
    hand_close(&h);
}

static void host_bits_of_a_prefix_mean_nothing(void)
{
    establish();
    hand_send_update(&h, "", GOOD, "0cacff 0cac10"); /* 172.16.0.0/12, twice the same */
    CU_ASSERT_EQUAL(info().prefixes_in, 2);
    CU_ASSERT(hand_has(&h, "172.240.0.0/12") && hand_has(&h, "172.16.0.0/12"));
    hand_send_update(&h, "0cac1f", "", "");
    CU_ASSERT(!hand_has(&h, "172.16.0.0/12"));
    hand_close(&h);
}

static void multicast_prefixes_are_passed_over(void)
{
    establish();
    hand_send_update(&h, "", GOOD REACH6(MAPPED, "08ff", "17"), "04e0 08ef 20e0000001 02c0");
    CU_ASSERT_EQUAL(info().prefixes_in, 1);
    CU_ASSERT(hand_has(&h, "192.0.0.0/2")); /* covers more than that */
    hand_close(&h);
}

static void ipv6_routes_come_and_go(void)
{
    struct s2_bgp_spec spec = hand_spec();
    const struct s2_bgp_open open = hand_open_message();

    CU_ASSERT(s2svpn_address_read("2001:db8::2", &spec.local_address));
    CU_ASSERT(s2svpn_address_read("2001:db8::1", &spec.peer_address));
    hand_open(&h, &spec);
    hand_establish(&h, &open);
    hand_send_update(&h, "", REACH6("20010db8000000000000000000000001", DOC6, "1a") "40010100" PATH,
                     "");
    CU_ASSERT(hand_has(&h, "2001:db8::/32"));
    /* the global address may stand before a link-local one */
    hand_send_update(&h, "",
                     "800e26 000201 20 20010db8000000000000000000000001"
                     "fe800000000000000000000000000001 00 00 40010100" PATH,
                     "");
    CU_ASSERT(hand_has(&h, "::/0"));
    hand_send_update(&h, "", "800f08 000201" DOC6, "");
    CU_ASSERT(!hand_has(&h, "2001:db8::/32"));
    CU_ASSERT_EQUAL(info().prefixes_in, 1);
    hand_close(&h);
}

/* ---- what an UPDATE costs. 10.0.0.0/16 and 2001:db8::/32 are there before. */

enum fate { KEPT, GONE, RESET };
static const struct {
    const char *row, *withdrawn, *attributes, *prefixes;
    enum fate v4, v6;
    uint64_t withdraws, discards; /* counted */
    uint8_t subcode;              /* of a reset */
} costs[] = {
    {"good", "", GOOD, TEN, KEPT, KEPT, 0, 0, 0},
    {"nothing at all: End-of-RIB", "", "", "", KEPT, KEPT, 0, 0, 0},
    {"LOCAL_PREF is discarded", "", GOOD "40050400000064", TEN, KEPT, KEPT, 0, 1, 0},
    {"own AS in the path", "", "40010100 40020a02020000fc000000fde9" NEXT_HOP, TEN, GONE, KEPT, 0,
     0, 0},
    {"another's next hop", "", "40010100" PATH "400304c0000203", TEN, GONE, KEPT, 0, 0, 0},
    {"our own next hop", "", "40010100" PATH "400304c0000202", TEN, GONE, KEPT, 0, 0, 0},
    {"path of another neighbour", "", "40010100 40020602010000fc01" NEXT_HOP, TEN, GONE, KEPT, 1, 0,
     0},
    {"path that begins with a set", "", "40010100 40020601010000fc00" NEXT_HOP, TEN, GONE, KEPT, 1,
     0, 0},
    {"empty path (GHSA-frrj-87jh-2772)", "", "40010100 400200" NEXT_HOP, TEN, GONE, KEPT, 1, 0, 0},
    {"no attributes (CVE-2023-41358)", "", "", TEN, GONE, KEPT, 1, 0, 0},
    {"no ORIGIN (CVE-2023-46753)", "", PATH NEXT_HOP, TEN, GONE, KEPT, 1, 0, 0},
    {"no AS_PATH", "", "40010100" NEXT_HOP, TEN, GONE, KEPT, 1, 0, 0},
    {"no NEXT_HOP", "", "40010100" PATH, TEN, GONE, KEPT, 1, 0, 0},
    {"NEXT_HOP too short (CVE-2026-30405)", "", "40010100" PATH "400303c00002", TEN, GONE, KEPT, 1,
     0, 0},
    {"list cut off: what follows is still read", "", GOOD "80040500", TEN, GONE, KEPT, 1, 0, 0},
    {"unknown transitive (VU#347067)", "", GOOD "c01c0401020304", TEN, KEPT, KEPT, 0, 0, 0},
    {"unknown well-known (CVE-2026-41642)", "", GOOD "401c00", TEN, GONE, KEPT, 1, 0, 0},
    {"AGGREGATOR malformed", "", GOOD "c00700", TEN, KEPT, KEPT, 0, 1, 0},
    {"both families, one cost", "", GOOD REACH6(MAPPED, DOC6, "1a") "c00800", TEN, GONE, GONE, 1, 0,
     0},
    {"IPv6 from another next hop", "",
     "40010100" PATH REACH6("20010db8000000000000000000000009", DOC6, "1a"), "", KEPT, GONE, 0, 0,
     0},
    {"MP_REACH_NLRI without ORIGIN (CVE-2023-46752)", "", PATH REACH6(MAPPED, DOC6, "1a"), "", KEPT,
     GONE, 1, 0, 0},
    {"MP_REACH_NLRI of nothing", "", "40010100" PATH REACH6(MAPPED, "", "15"), "", KEPT, KEPT, 0, 0,
     0},
    {"MP_REACH_NLRI of an unknown family (CVE-2018-5381)", "",
     "40010100" PATH "800e06 4004 47 00 00 ff", "", KEPT, KEPT, 0, 0, 0},
    {"MP_UNREACH_NLRI of FlowSpec (CVE-2023-38406)", "", "800f04 0001 85 00", "", KEPT, KEPT, 0, 0,
     0},
    {"End-of-RIB of IPv6", "", "800f03 000201", "", KEPT, KEPT, 0, 0, 0},
    {"End-of-RIB lookalike: attributes and no prefix (CVE-2023-47235)", "", GOOD, "", KEPT, KEPT, 0,
     0, 0},
    {"withdrawn", TEN, "", "", GONE, KEPT, 0, 0, 0},
    {"withdrawn and announced: announced", TEN, GOOD, TEN, KEPT, KEPT, 0, 0, 0},
    {"a multicast prefix is passed over", "", GOOD, "08e0", KEPT, KEPT, 0, 0, 0},
    /* RFC 7606 section 5.2: no prefix that could be withdrawn instead */
    {"malformed and no prefix", "", "c00800", "", RESET, RESET, 0, 0, 1},
    {"malformed and withdrawn ones alone", TEN, "c00800", "", RESET, RESET, 0, 0, 1},
    {"discarded and no prefix", "", GOOD "c00700", "", KEPT, KEPT, 0, 1, 0},
    /* section 5.3 */
    {"prefix of 33 bits", "", GOOD, "210a00000000", RESET, RESET, 0, 0, 10},
    {"prefix beyond the message", "", GOOD, "180a00", RESET, RESET, 0, 0, 10},
    {"withdrawn prefix of 33 bits", "210a00000000", "", "", RESET, RESET, 0, 0, 10},
    {"withdrawn prefix beyond its field", "180a00", "", "", RESET, RESET, 0, 0, 10},
    {"IPv6 prefix of 129 bits (CVE-2023-46752)", "",
     "40010100" PATH "800e16 000201 10" MAPPED "00 81", "", RESET, RESET, 0, 0, 9},
    {"MP_REACH_NLRI twice", "",
     "40010100" PATH REACH6(MAPPED, DOC6, "1a") REACH6(MAPPED, DOC6, "1a"), "", RESET, RESET, 0, 0,
     1},
};

static void check_fate(const char *row, const char *prefix, enum fate fate)
{
    CHECK_ROW(row, hand_has(&h, prefix) == (fate == KEPT));
}

static void each_fault_costs_the_attribute_the_route_or_the_session(void)
{
    for (size_t i = 0; i < sizeof(costs) / sizeof(costs[0]); i++) {
        const char *row = costs[i].row;

        establish();
        hand_send_update(&h, "", GOOD REACH6(MAPPED, DOC6, "1a"), TEN);
        CHECK_ROW(row, info().prefixes_in == 2);
        hand_send_update(&h, costs[i].withdrawn, costs[i].attributes, costs[i].prefixes);
        check_fate(row, "10.0.0.0/16", costs[i].v4);
        check_fate(row, "2001:db8::/32", costs[i].v6);
        CHECK_ROW(row, info().treated_as_withdraw == costs[i].withdraws);
        CHECK_ROW(row, info().attributes_discarded == costs[i].discards);
        if (costs[i].v4 == RESET)
            CHECK_ROW(row, hand_was_told(&h, HAND_OURS, 3, costs[i].subcode));
        else
            CHECK_ROW(row, hand_state(&h) == S2_BGP_ESTABLISHED);
        CHECK_ROW(row, h.ended == (costs[i].v4 == RESET ? 2 : 0));
        hand_close(&h);
    }
}

/* Lengths that don't add up, by the whole body: 16-bit arithmetic that wraps is CVE-
 * 2026-37462. */
static const struct {
    const char *row, *hex;
} bodies[] = {
    {"withdrawn length beyond the message", "0005 0000"},
    {"withdrawn length 65535", "ffff 0000"},
    {"attribute length beyond the message", "0000 0001"},
    {"attribute length 65535", "0000 ffff 00"},
    {"withdrawn takes the attribute length", "0002 0000"},
    {"withdrawn takes half of it", "0001 0000"},
    {"both too long by one", "0003 100a00 0001"},
    {"sum wraps in 16 bits", "8000 8000"},
};

static void lengths_that_do_not_add_up_end_the_session(void)
{
    for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
        establish();
        hand_send_hex(&h, HAND_OURS, S2_BGP_TYPE_UPDATE, bodies[i].hex);
        CHECK_ROW(bodies[i].row, hand_was_told(&h, HAND_OURS, 3, 1));
        CHECK_ROW(bodies[i].row, hand_state(&h) == S2_BGP_IDLE);
        hand_close(&h);
    }
}

static void a_family_that_was_not_agreed_on_is_ignored(void)
{
    const struct s2_bgp_spec spec = hand_spec();
    struct s2_bgp_open open = hand_open_message();

    open.families = S2_BGP_IPV4;
    hand_open(&h, &spec);
    hand_establish(&h, &open);
    hand_send_update(&h, "", GOOD REACH6(MAPPED, DOC6, "1a"), TEN);
    CU_ASSERT(hand_has(&h, "10.0.0.0/16") && !hand_has(&h, "2001:db8::/32"));
    hand_send_update(&h, "", "800f08 000201" DOC6, "");
    CU_ASSERT_EQUAL(hand_state(&h), S2_BGP_ESTABLISHED);
    hand_close(&h);
}

static void a_two_octet_speaker_is_understood(void)
{
    const struct s2_bgp_spec spec = hand_spec();
    struct s2_bgp_open open = hand_open_message();

    open.four_octet_as = false;
    hand_open(&h, &spec);
    hand_establish(&h, &open);
    hand_send_update(&h, "", "40010100 4002060202fc005ba0" NEXT_HOP "c0110602010000030d40", TEN);
    CU_ASSERT_EQUAL(h.announced, 0); /* AS4_PATH is malformed: six octets for eight */
    hand_close(&h);
    hand_open(&h, &spec);
    hand_establish(&h, &open);
    hand_send_update(&h, "", "40010100 4002060202fc005ba0" NEXT_HOP "c01106020100030d40", TEN);
    CU_ASSERT_EQUAL(h.announced, 1);
    CU_ASSERT(h.as_path[0] == 64512 && h.as_path[1] == 200000);
    hand_close(&h);
}

/* ---- limits */

static void send_prefixes(unsigned from, unsigned to)
{
    char hex[16];

    for (unsigned i = from; i < to; i++) {
        static const char digit[] = "0123456789abcdef";

        memcpy(hex, "180a0000", 9);
        hex[4] = digit[i >> 12 & 15];
        hex[5] = digit[i >> 8 & 15];
        hex[6] = digit[i >> 4 & 15];
        hex[7] = digit[i & 15];
        hand_send_update(&h, "", GOOD, hex);
    }
}

/* The NOTIFICATION's data, RFC 4486 section 4: AFI, SAFI, 100. */
static bool ends_with_the_limit(void)
{
    static const uint8_t wanted[] = {6, 1, 0, 1, 1, 0, 0, 0, 100};
    const struct hand_stream *s = &h.stream[HAND_OURS];

    return s->len >= sizeof(wanted) &&
           memcmp(s->sent + s->len - sizeof(wanted), wanted, sizeof(wanted)) == 0;
}

static void one_prefix_too_many_ends_the_session_with_cease_1(void)
{
    struct s2_bgp_spec spec = hand_spec();
    const struct s2_bgp_open open = hand_open_message();

    spec.max_prefixes = 0; /* AWS's 100 */
    hand_open(&h, &spec);
    hand_establish(&h, &open);
    send_prefixes(0, 100);
    CU_ASSERT_EQUAL(hand_state(&h), S2_BGP_ESTABLISHED);
    send_prefixes(0, 100); /* the same again are no more */
    CU_ASSERT_EQUAL(info().prefixes_in, 100);
    send_prefixes(100, 101);
    CU_ASSERT(ends_with_the_limit());
    CU_ASSERT(hand_was_told(&h, HAND_OURS, 6, 1));
    CU_ASSERT(h.sent && h.code == 6 && h.subcode == 1);
    CU_ASSERT_EQUAL(h.ended, 100);
    CU_ASSERT_STRING_EQUAL(h.why, "sent Cease/Maximum Number of Prefixes Reached");
    /* and rests for half a minute, jittered, before it tries again */
    hand_wait(&h, 20 * S2_SECOND);
    CU_ASSERT_EQUAL(h.connects, 1);
    hand_wait(&h, 13 * S2_SECOND);
    CU_ASSERT_EQUAL(h.connects, 2);
    hand_close(&h);
}

/* ---- End-of-RIB */

static void the_end_of_the_table_is_told_once(void)
{
    establish();
    hand_send_update(&h, "", GOOD, TEN);
    hand_send_update(&h, "", "", "");
    CU_ASSERT_EQUAL(h.end_of_ribs, 0); /* IPv6's is missing */
    hand_send_update(&h, "", "800f03 000201", "");
    CU_ASSERT_EQUAL(h.end_of_ribs, 1);
    hand_send_update(&h, "", "", "");
    hand_send_message(&h, HAND_OURS, S2_BGP_TYPE_KEEPALIVE, NULL, 0);
    hand_send_message(&h, HAND_OURS, S2_BGP_TYPE_KEEPALIVE, NULL, 0);
    CU_ASSERT_EQUAL(h.end_of_ribs, 1);
    hand_close(&h);
}

static void a_peer_without_end_of_rib_is_complete_at_its_second_keepalive(void)
{
    establish();
    hand_send_message(&h, HAND_OURS, S2_BGP_TYPE_KEEPALIVE, NULL, 0);
    CU_ASSERT_EQUAL(h.end_of_ribs, 0);
    hand_send_message(&h, HAND_OURS, S2_BGP_TYPE_KEEPALIVE, NULL, 0);
    CU_ASSERT_EQUAL(h.end_of_ribs, 1);
    hand_close(&h);
}

/* ---- callbacks, cuts, memory */

static void a_stop_from_inside_a_report_waits_for_its_end(void)
{
    establish();
    h.stop_in_route = true;
    hand_send_update(&h, "", GOOD, TEN "180b0000");
    CU_ASSERT_EQUAL(h.announced, 2); /* the UPDATE was done first */
    CU_ASSERT_EQUAL(h.ended, 2);
    CU_ASSERT(hand_was_told(&h, HAND_OURS, 6, 2));
    CU_ASSERT_STRING_EQUAL(h.text, "enough");
    CU_ASSERT_EQUAL(hand_state(&h), S2_BGP_IDLE);
    hand_close(&h);
}

/* All that the hand says in a session, in one row. */
static size_t conversation(uint8_t *out, size_t size)
{
    static const char *const updates[] = {
        "0000 0014 40010100 40020602010000fc00 400304c0000201 100a00 180b0000",
        "0004 180b0000 0000",
    };
    const struct s2_bgp_open open = hand_open_message();
    uint8_t part[128];
    struct s2_writer w, m;
    uint8_t message[256];

    s2_writer_init(&w, out, size);
    s2_writer_init(&m, message, sizeof(message));
    s2_bgp_write_open(&m, &open);
    s2_write_bytes(&w, message, m.len);
    s2_writer_init(&m, message, sizeof(message));
    s2_bgp_write_begin(&m, S2_BGP_TYPE_KEEPALIVE);
    s2_bgp_write_end(&m);
    s2_write_bytes(&w, message, m.len);
    for (size_t i = 0; i < 2; i++) {
        s2_writer_init(&m, message, sizeof(message));
        s2_bgp_write_begin(&m, S2_BGP_TYPE_UPDATE);
        s2_write_bytes(&m, part, hand_hex(part, updates[i]));
        s2_bgp_write_end(&m);
        s2_write_bytes(&w, message, m.len);
    }
    CU_ASSERT_EQUAL_FATAL(s2_writer_finish(&w), S2SVPN_OK);
    return w.len;
}

static void begin_conversation(void)
{
    const struct s2_bgp_spec spec = hand_spec();

    hand_open(&h, &spec);
    s2_bgp_start(h.peer, h.now_ns);
    h.stream[HAND_OURS].up = true;
    CU_ASSERT(s2_bgp_stream_up(h.peer, &h.stream[HAND_OURS], true, h.now_ns));
}

static bool conversation_was_understood(void)
{
    return hand_state(&h) == S2_BGP_ESTABLISHED && h.announced == 2 && h.withdrawn == 1 &&
           hand_has(&h, "10.0.0.0/16") && h.peer->conn[0].in == NULL;
}

static void it_does_not_matter_where_the_bytes_are_cut(void)
{
    uint8_t bytes[512];
    const size_t len = conversation(bytes, sizeof(bytes));

    for (size_t cut = 0; cut <= len; cut++) {
        begin_conversation();
        hand_send(&h, HAND_OURS, bytes, cut);
        hand_send(&h, HAND_OURS, bytes + cut, len - cut);
        CU_ASSERT(conversation_was_understood());
        hand_close(&h);
    }
    for (size_t piece = 1; piece < 40; piece++) {
        begin_conversation();
        for (size_t at = 0; at < len; at += piece)
            hand_send(&h, HAND_OURS, bytes + at, at + piece <= len ? piece : len - at);
        CU_ASSERT(conversation_was_understood());
        hand_close(&h);
    }
}

/* A message of the greatest length, in two pieces: the buffer holds it. */
static void the_greatest_message_is_taken_in_pieces(void)
{
    static uint8_t bytes[S2_BGP_MESSAGE_MAX];
    struct s2_writer w;
    const uint8_t *nothing = bytes;

    establish();
    s2_writer_init(&w, bytes, sizeof(bytes));
    s2_bgp_write_begin(&w, S2_BGP_TYPE_UPDATE);
    s2_write_u16(&w, (uint16_t)(sizeof(bytes) - S2_BGP_HEADER_LEN - 4));
    s2_write_zero(&w, sizeof(bytes) - S2_BGP_HEADER_LEN - 4); /* 0.0.0.0/0, often */
    s2_write_u16(&w, 0);
    s2_bgp_write_end(&w);
    CU_ASSERT_EQUAL(w.len, S2_BGP_MESSAGE_MAX);
    hand_send(&h, HAND_OURS, nothing, 0);
    hand_send(&h, HAND_OURS, bytes, sizeof(bytes) - 1);
    CU_ASSERT_EQUAL(info().updates_in, 0);
    hand_send(&h, HAND_OURS, bytes + sizeof(bytes) - 1, 1);
    CU_ASSERT_EQUAL(info().updates_in, 1);
    CU_ASSERT_EQUAL(hand_state(&h), S2_BGP_ESTABLISHED);
    hand_close(&h);
}

static bool whole_session(struct s2_fake_env *f, void *arg)
{
    const struct s2_bgp_spec spec = hand_spec();
    uint8_t bytes[512];
    const size_t len = conversation(bytes, sizeof(bytes));
    bool good;

    (void)arg;
    memset(&h, 0, sizeof(h));
    if (!hand_try(&h, &f->env, &spec))
        return false;
    s2_bgp_start(h.peer, h.now_ns);
    h.stream[HAND_OURS].up = true;
    if (s2_bgp_stream_up(h.peer, &h.stream[HAND_OURS], true, h.now_ns)) {
        for (size_t at = 0; at < len; at += 50)
            hand_send(&h, HAND_OURS, bytes + at, at + 50 <= len ? 50 : len - at);
    }
    good = conversation_was_understood();
    if (!good) /* the stream was given up */
        CU_ASSERT(hand_state(&h) <= S2_BGP_ACTIVE && h.stream[HAND_OURS].closed);
    s2_bgp_peer_free(h.peer);
    CU_ASSERT_EQUAL(h.bgp->sets.count, 0);
    s2_bgp_free(h.bgp);
    return good;
}

static void every_allocation_may_fail(void)
{
    s2_fail_every_allocation(whole_session, NULL);
}

const CU_TestInfo s2_test_update[] = {
    {"routes come with their attributes", routes_come_with_their_attributes},
    {"host bits of a prefix mean nothing", host_bits_of_a_prefix_mean_nothing},
    {"multicast prefixes are passed over", multicast_prefixes_are_passed_over},
    {"IPv6 routes come and go", ipv6_routes_come_and_go},
    {"each fault costs the attribute, the route or the session",
     each_fault_costs_the_attribute_the_route_or_the_session},
    {"lengths that do not add up end the session", lengths_that_do_not_add_up_end_the_session},
    {"a family that was not agreed on is ignored", a_family_that_was_not_agreed_on_is_ignored},
    {"a two-octet speaker is understood", a_two_octet_speaker_is_understood},
    {"one prefix too many ends the session with Cease/1",
     one_prefix_too_many_ends_the_session_with_cease_1},
    {"the end of the table is told once", the_end_of_the_table_is_told_once},
    {"a peer without End-of-RIB is complete at its second KEEPALIVE",
     a_peer_without_end_of_rib_is_complete_at_its_second_keepalive},
    {"a stop from inside a report waits for its end",
     a_stop_from_inside_a_report_waits_for_its_end},
    {"it does not matter where the bytes are cut", it_does_not_matter_where_the_bytes_are_cut},
    {"the greatest message is taken in pieces", the_greatest_message_is_taken_in_pieces},
    {"every allocation may fail", every_allocation_may_fail},
    CU_TEST_INFO_NULL,
};
