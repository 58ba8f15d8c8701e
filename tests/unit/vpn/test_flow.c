/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn/flow.c: what is one flow, and that many flows spread. */
#include "harness.h"
#include "routing/group.h"
#include "vpn/packet.h"
#include "vpn/rig.h"
#include "vpn/vpn.h"

#define FLOWS 10000

static const uint8_t key[16] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16};

static struct s2_inet_view view_of(const struct packet_spec *spec)
{
    static uint8_t p[PACKET_ROOM];
    const size_t len = packet_write(p, spec);
    struct s2_inet_view v = {0};

    CU_ASSERT_TRUE_FATAL(s2_inet_view(p, len, &v));
    return v;
}

/* ---- pairs of packets: one flow, or two? */

#define V6 .from = "2001:db8:b::2", .to = "2001:db8:a:1::10"
static const struct {
    const char *row;
    bool same;
    struct packet_spec a, b;
} pairs[] = {
    {"UDP, another payload", true, {.protocol = 17, .payload = 9}, {.protocol = 17, .payload = 99}},
    {"TCP, SYN and data",
     true,
     {.protocol = 6, .flags = TCP_SYN, .mss = 1460},
     {.protocol = 6, .seq = 77, .payload = 100, .tos = 8}},
    {"another source port",
     false,
     {.protocol = 17, .from_port = 1},
     {.protocol = 17, .from_port = 2}},
    {"another destination port",
     false,
     {.protocol = 6, .to_port = 1},
     {.protocol = 6, .to_port = 2}},
    {"ports the other way round",
     false,
     {.protocol = 17, .from_port = 1, .to_port = 2},
     {.protocol = 17, .from_port = 2, .to_port = 1}},
    {"another protocol",
     false,
     {.protocol = 17, .from_port = 1, .to_port = 2},
     {.protocol = 6, .from_port = 1, .to_port = 2}},
    {"another source", false, {.protocol = 17}, {.protocol = 17, .from = "192.168.10.21"}},
    {"another destination", false, {.protocol = 17}, {.protocol = 17, .to = "10.0.1.11"}},
    {"the way back",
     false,
     {.protocol = 17, .from_port = 9, .to_port = 9},
     {.protocol = 17, .from = "10.0.1.10", .to = "192.168.10.20", .from_port = 9, .to_port = 9}},
    {"ICMP echo, another sequence number",
     true,
     {.protocol = 1, .seq = 1},
     {.protocol = 1, .seq = 2, .payload = 8}},
    {"no ports: ESP", true, {.protocol = 50, .payload = 40}, {.protocol = 50, .payload = 80}},
    {"IPv6", true, {V6, .protocol = 17}, {V6, .protocol = 17, .payload = 4}},
    {"IPv6, another source port",
     false,
     {V6, .protocol = 17, .from_port = 1},
     {V6, .protocol = 17, .from_port = 2}},
    {"IPv6, another source",
     false,
     {V6, .protocol = 17},
     {.from = "2001:db8:b::3", .to = "2001:db8:a:1::10", .protocol = 17}},
    {"IPv6, another destination",
     false,
     {V6, .protocol = 17},
     {.from = "2001:db8:b::2", .to = "2001:db8:a:1::11", .protocol = 17}},
    {"IPv6, another network",
     false,
     {V6, .protocol = 17},
     {.from = "2001:db8:c::2", .to = "2001:db8:a:1::10", .protocol = 17}},
    {"ICMPv6 echo, another sequence number",
     true,
     {V6, .protocol = 58, .seq = 1},
     {V6, .protocol = 58, .seq = 2}},
};
#undef V6

static void what_is_one_flow_and_what_two(void)
{
    for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
        const struct s2_inet_view a = view_of(&pairs[i].a), b = view_of(&pairs[i].b);

        CHECK_ROW(pairs[i].row, (s2_flow_hash(key, &a) == s2_flow_hash(key, &b)) == pairs[i].same);
    }
}

/* By identifier, and whatever the type. */
static void echo_goes_by_its_identifier_and_other_icmp_by_addresses(void)
{
    struct s2_inet_view request = view_of(&(struct packet_spec){.protocol = 1});
    struct s2_inet_view reply = request, other = request;

    request.source_port = 8 << 8;
    request.destination_port = 7;
    reply.source_port = 0;
    reply.destination_port = 7;
    other.source_port = 8 << 8;
    other.destination_port = 8;
    CU_ASSERT_EQUAL(s2_flow_hash(key, &request), s2_flow_hash(key, &reply));
    CU_ASSERT_NOT_EQUAL(s2_flow_hash(key, &request), s2_flow_hash(key, &other));
    request.source_port = 3 << 8 | 4; /* too big, and time exceeded */
    reply.source_port = 11 << 8;
    request.destination_port = reply.destination_port = 0;
    CU_ASSERT_EQUAL(s2_flow_hash(key, &request), s2_flow_hash(key, &reply));
}

/* The first has ports, the others none; in IPv6 even the protocol may differ. */
static void all_fragments_of_a_packet_stay_together(void)
{
    const struct packet_spec specs[] = {
        {.protocol = 17, .from_port = 5, .payload = 3000},
        {.from = "2001:db8:b::2", .to = "2001:db8:a:1::10", .protocol = 17, .from_port = 5},
    };

    for (size_t i = 0; i < 2; i++) {
        struct s2_inet_view first = view_of(&specs[i]), later = first, other = first;

        first.fragment = first.first_fragment = later.fragment = other.fragment = true;
        later.source_port = later.destination_port = 0;
        later.protocol = i ? 60 : later.protocol;
        other.destination.bytes[3]++;
        CU_ASSERT_EQUAL(s2_flow_hash(key, &first), s2_flow_hash(key, &later));
        CU_ASSERT_NOT_EQUAL(s2_flow_hash(key, &later), s2_flow_hash(key, &other));
    }
}

static bool all_fit(uint64_t value)
{
    (void)value;
    return true;
}

static bool spreads(unsigned members, unsigned what)
{
    struct s2_group g = {.count = members};
    struct s2_inet_view v = view_of(what == 2 ? &(struct packet_spec){.from = "2001:db8:b::2",
                                                                      .to = "2001:db8:a:1::10",
                                                                      .protocol = 6}
                                              : &(struct packet_spec){.protocol = 6});
    unsigned count[S2_GROUP_MAX] = {0};
    bool even = true;

    for (unsigned i = 0; i < members; i++)
        g.member[i] = (struct s2_group_member){.value = i, .salt = s2_group_mix(2 * i)};
    for (unsigned i = 0; i < FLOWS; i++) {
        if (what == 0) { /* a client's connections, one after the other */
            v.source_port = (uint16_t)(32768 + i);
        } else { /* many clients, each from the same port */
            s2_put_u16(v.source.bytes + (what == 2 ? 6 : 2), (uint16_t)i);
        }
        count[s2_group_pick(&g, s2_flow_hash(key, &v), all_fit)]++;
    }
    for (unsigned i = 0; i < members; i++)
        even =
            even && count[i] * members >= FLOWS * 9 / 10 && count[i] * members <= FLOWS * 11 / 10;
    return even;
}

static void ten_thousand_flows_spread_within_a_tenth_of_even(void)
{
    static const char *const rows[] = {"ports", "IPv4 addresses", "IPv6 addresses"};

    for (unsigned members = 2; members <= S2_GROUP_MAX; members++) {
        for (unsigned what = 0; what < 3; what++)
            CHECK_ROW(rows[what], spreads(members, what));
    }
}

/* Two routers in a row don't choose alike. */
static void another_key_is_another_spread(void)
{
    static const uint8_t other[16] = {1};
    const struct s2_group g = {.count = 2, .member = {{1, s2_group_mix(0)}, {2, s2_group_mix(1)}}};
    struct s2_inet_view v = view_of(&(struct packet_spec){.protocol = 17});
    unsigned alike = 0;

    for (unsigned i = 0; i < FLOWS; i++) {
        v.source_port = (uint16_t)i;
        alike += s2_group_pick(&g, s2_flow_hash(key, &v), all_fit) ==
                 s2_group_pick(&g, s2_flow_hash(other, &v), all_fit);
    }
    CU_ASSERT(alike > FLOWS * 45 / 100 && alike < FLOWS * 55 / 100);
}

const CU_TestInfo s2_test_flow[] = {
    {"what is one flow, and what two", what_is_one_flow_and_what_two},
    {"echo goes by its identifier, and other ICMP by addresses",
     echo_goes_by_its_identifier_and_other_icmp_by_addresses},
    {"all fragments of a packet stay together", all_fragments_of_a_packet_stay_together},
    {"ten thousand flows spread within a tenth of even",
     ten_thousand_flows_spread_within_a_tenth_of_even},
    {"another key is another spread", another_key_is_another_spread},
    CU_TEST_INFO_NULL,
};
