/* SPDX-License-Identifier: Apache-2.0 */
/* Views: what is read, what is refused, TTLs, transport checksums. */
#include "inet/inet.h"

#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "harness.h"
#include "packet.h"

static const uint8_t data[64] = {8, 0, 0, 0, 0x12, 0x34, 0, 1, 'd', 'a', 't', 'a'};

static void both_families_are_read(void)
{
    static uint8_t p[PACKET_ROOM];
    struct s2_packet k = {.tos = 0xb9,
                          .ttl = 7,
                          .dont_fragment = true,
                          .from_port = 179,
                          .to_port = 40000,
                          .payload = {data, 10}};
    size_t len = s2_write_packet(p, &k);
    struct s2_inet_view v = s2_must_view(p, len);
    char text[S2SVPN_ADDRESS_TEXT];

    CU_ASSERT_EQUAL(v.version, 4);
    CU_ASSERT_EQUAL(v.protocol, S2_IP_TCP);
    CU_ASSERT_EQUAL(v.tos, 0xb9);
    CU_ASSERT_EQUAL(v.ttl, 7);
    CU_ASSERT_TRUE(v.dont_fragment && !v.fragment && !v.first_fragment);
    CU_ASSERT_EQUAL(v.header_len, 20);
    CU_ASSERT_EQUAL(v.total_len, 50);
    CU_ASSERT_EQUAL(v.source_port, 179);
    CU_ASSERT_EQUAL(v.destination_port, 40000);
    CU_ASSERT_STRING_EQUAL(s2svpn_address_print(&v.source, text), "10.0.0.1");
    CU_ASSERT_STRING_EQUAL(s2svpn_address_print(&v.destination, text), "192.0.2.200");

    k.version = 6;
    k.protocol = S2_IP_UDP;
    len = s2_write_packet(p, &k);
    v = s2_must_view(p, len);
    CU_ASSERT_EQUAL(v.version, 6);
    CU_ASSERT_EQUAL(v.protocol, S2_IP_UDP);
    CU_ASSERT_EQUAL(v.tos, 0xb9);
    CU_ASSERT_EQUAL(v.ttl, 7);
    CU_ASSERT_TRUE(v.dont_fragment && !v.fragment && !v.first_fragment);
    CU_ASSERT_EQUAL(v.header_len, 40);
    CU_ASSERT_EQUAL(v.total_len, 58);
    CU_ASSERT_EQUAL(v.destination_port, 40000);
    CU_ASSERT_STRING_EQUAL(s2svpn_address_print(&v.destination, text), "2001:db8:ffff::fedc:ba98");
}

static void what_is_behind_the_packet_is_padding(void)
{
    static uint8_t p[PACKET_ROOM];

    for (int version = 4; version <= 6; version += 2) {
        const size_t len = s2_write_packet(
            p, &(struct s2_packet){.version = (uint8_t)version, .payload = {data, 10}});
        const struct s2_inet_view v = s2_must_view(p, len + 700);

        CU_ASSERT_EQUAL(v.total_len, len);
    }
}

static void every_cut_off_packet_is_refused(void)
{
    static uint8_t p[PACKET_ROOM];
    static const uint8_t extension[8] = {S2_IP_TCP};

    for (int i = 0; i < 3; i++) {
        const struct s2_packet k = {.version = i == 0 ? 4 : 6,
                                    .ip_options = {extension, i == 2 ? 8 : 0},
                                    .next_header = 60,
                                    .payload = {data, 10}};
        const size_t len = s2_write_packet(p, &k);

        for (size_t n = 0; n < len; n++) {
            uint8_t *exact = malloc(n > 0 ? n : 1); /* an address sanitizer sees its end */
            struct s2_inet_view v;

            if (exact == NULL)
                CU_FAIL_FATAL("no memory");
            memcpy(exact, p, n);
            CU_ASSERT_FALSE(s2_inet_view(exact, n, &v));
            free(exact);
        }
    }
}

static const struct {
    const char *row;
    size_t at;
    uint16_t value;
    bool keep_checksum;
    size_t payload;
} bad_ipv4[] = {
    {"version 5", 0, 0x5500, false, 10},
    {"header shorter than 20", 0, 0x4400, false, 10},
    {"header longer than the packet", 0, 0x4f00, false, 10},
    {"total length below the header", 2, 19, false, 10},
    {"total length above what is there", 2, 51, false, 10},
    {"wrong checksum", 10, 0x1234, true, 10},
    {"ends behind 65535", 6, 0x1fff, false, 10},
    {"a middle fragment of odd length", 6, 0x2001, false, 10},
    {"a middle fragment without bytes", 6, 0x2001, false, 0},
};

static void malformed_ipv4_is_refused(void)
{
    static uint8_t p[PACKET_ROOM];

    for (size_t i = 0; i < sizeof(bad_ipv4) / sizeof(bad_ipv4[0]); i++) {
        struct s2_inet_view v;
        const size_t payload = bad_ipv4[i].payload;
        size_t len =
            s2_write_packet(p, &(struct s2_packet){.protocol = payload > 0 ? S2_IP_TCP : S2_IP_NONE,
                                                   .payload = {data, payload}});

        s2_put_u16(p + bad_ipv4[i].at, bad_ipv4[i].value);
        if (!bad_ipv4[i].keep_checksum)
            s2_fix_ip(p);
        CHECK_ROW(bad_ipv4[i].row, !s2_inet_view(p, len, &v));
    }
}

static const struct {
    const char *row;
    uint16_t place; /* offset, DF and MF of a packet with 16 bytes of payload */
    bool fragment, first, ports;
} fragments[] = {
    {"whole", 0, false, false, true},    {"whole with DF", 0x4000, false, false, true},
    {"first", 0x2000, true, true, true}, {"middle", 0x2003, true, false, false},
    {"last", 3, true, false, false},     {"the last that there can be", 0x1ffd, true, false, false},
};

static void ipv4_fragments_are_told_apart(void)
{
    static uint8_t p[PACKET_ROOM];

    for (size_t i = 0; i < sizeof(fragments) / sizeof(fragments[0]); i++) {
        const size_t len = s2_write_packet(p, &(struct s2_packet){.protocol = S2_IP_UDP,
                                                                  .from_port = 53,
                                                                  .to_port = 53,
                                                                  .place = fragments[i].place,
                                                                  .payload = {data, 8}});
        const struct s2_inet_view v = s2_must_view(p, len);

        CHECK_ROW(fragments[i].row, v.fragment == fragments[i].fragment);
        CHECK_ROW(fragments[i].row, v.first_fragment == fragments[i].first);
        CHECK_ROW(fragments[i].row, (v.source_port == 53) == fragments[i].ports);
    }
}

static const struct {
    const char *row;
    uint8_t first;
    uint8_t wire[96];
    size_t len;
    bool good;
    uint8_t protocol;
    bool fragment, first_fragment;
    size_t header_len;
} chains[] = {
    {"hop by hop", 0, {6, 0}, 8, true, 6, false, false, 48},
    {"destination options of 24 bytes", 60, {6, 2}, 24, true, 6, false, false, 64},
    {"routing, then mobility", 43, {135, 0, 0, 0, 0, 0, 0, 0, 6, 0}, 16, true, 6, false, false, 56},
    {"authentication counts in fours", 51, {6, 4}, 24, true, 6, false, false, 64},
    {"authentication longer than the packet", 51, {6, 255}, 8, false, 0, false, false, 0},
    {"the shortest authentication", 51, {6, 0}, 8, true, 6, false, false, 48},
    {"atomic fragment", 44, {6, 0, 0, 0, 1, 2, 3, 4}, 8, true, 6, false, false, 48},
    {"first fragment", 44, {6, 0, 0, 1, 1, 2, 3, 4}, 8, true, 6, true, true, 48},
    {"middle fragment", 44, {6, 0, 0, 9, 1, 2, 3, 4}, 8, true, 6, true, false, 48},
    {"behind a later fragment nothing is walked",
     44,
     {60, 0, 0, 8, 1, 2, 3, 4},
     8,
     true,
     60,
     true,
     false,
     48},
    {"fragment that ends behind 65535",
     44,
     {6, 0, 0xff, 0xf8, 1, 2, 3, 4},
     8,
     false,
     0,
     false,
     false,
     0},
    {"two fragment headers", 44, {44, 0, 0, 1, 1, 2, 3, 4, 6}, 16, false, 0, false, false, 0},
    {"hop by hop in second place",
     60,
     {0, 0, 0, 0, 0, 0, 0, 0, 6, 0},
     16,
     false,
     0,
     false,
     false,
     0},
    {"options longer than the packet", 60, {6, 200}, 8, false, 0, false, false, 0},
    {"eight headers",
     60,
     {60, 0, 0, 0,  0, 0, 0, 0, 60, 0, 0, 0,  0, 0, 0, 0, 60, 0, 0, 0,  0, 0, 0, 0, 60, 0, 0, 0, 0,
      0,  0, 0, 60, 0, 0, 0, 0, 0,  0, 0, 60, 0, 0, 0, 0, 0,  0, 0, 60, 0, 0, 0, 0, 0,  0, 0, 6, 0},
     64,
     true,
     6,
     false,
     false,
     104},
    {"nine headers",
     60,
     {60, 0, 0,  0, 0,  0, 0, 0, 60, 0, 0,  0, 0,  0, 0, 0, 60, 0, 0,  0, 0, 0,
      0,  0, 60, 0, 0,  0, 0, 0, 0,  0, 60, 0, 0,  0, 0, 0, 0,  0, 60, 0, 0, 0,
      0,  0, 0,  0, 60, 0, 0, 0, 0,  0, 0,  0, 60, 0, 0, 0, 0,  0, 0,  0, 6, 0},
     72,
     false,
     0,
     false,
     false,
     0},
};

static void extension_headers_are_walked_but_not_for_ever(void)
{
    static uint8_t p[PACKET_ROOM];

    for (size_t i = 0; i < sizeof(chains) / sizeof(chains[0]); i++) {
        struct s2_inet_view v;
        const struct s2_packet k = {.version = 6,
                                    .ip_options = {chains[i].wire, chains[i].len},
                                    .next_header = chains[i].first,
                                    .from_port = 1000,
                                    .payload = {data, 12}};
        const size_t len = s2_write_packet(p, &k);
        const bool good = s2_inet_view(p, len, &v);

        CHECK_ROW(chains[i].row, good == chains[i].good);
        if (!good || !chains[i].good)
            continue;
        CHECK_ROW(chains[i].row, v.protocol == chains[i].protocol);
        CHECK_ROW(chains[i].row, v.fragment == chains[i].fragment);
        CHECK_ROW(chains[i].row, v.first_fragment == chains[i].first_fragment);
        CHECK_ROW(chains[i].row, v.header_len == chains[i].header_len);
        CHECK_ROW(chains[i].row, v.total_len == len);
        CHECK_ROW(chains[i].row, (v.source_port == 1000) == (!v.fragment || v.first_fragment));
    }
}

static void an_ipv6_packet_longer_than_we_count_is_refused(void)
{
    static uint8_t p[PACKET_ROOM];
    struct s2_inet_view v;

    memset(p, 0, sizeof(p));
    p[0] = 0x60;
    p[6] = S2_IP_NONE;
    s2_put_u16(p + 4, 65495);
    CU_ASSERT_TRUE(s2_inet_view(p, 65535, &v));
    CU_ASSERT_EQUAL(v.total_len, 65535);
    s2_put_u16(p + 4, 65496);
    CU_ASSERT_FALSE(s2_inet_view(p, 65536, &v));
}

static const struct {
    const char *row;
    uint8_t version, protocol;
    uint8_t payload[8];
    size_t len;
    uint16_t source, destination;
} ports[] = {
    {"echo request", 4, S2_IP_ICMP, {8, 0, 0, 0, 0x12, 0x34, 0, 1}, 8, 0x800, 0x1234},
    {"echo reply", 4, S2_IP_ICMP, {0, 0, 0, 0, 0x12, 0x34, 0, 1}, 8, 0, 0x1234},
    {"timestamp", 4, S2_IP_ICMP, {13, 0, 0, 0, 0x12, 0x34, 0, 1}, 8, 0xd00, 0x1234},
    {"unreachable has no identifier", 4, S2_IP_ICMP, {3, 4, 0, 0, 0x12, 0x34, 5, 6}, 8, 0x304, 0},
    {"ICMPv6 echo", 6, S2_IP_ICMPV6, {128, 0, 0, 0, 0x12, 0x34, 0, 1}, 8, 0x8000, 0x1234},
    {"ICMPv6 too big", 6, S2_IP_ICMPV6, {2, 0, 0, 0, 0x12, 0x34, 0, 1}, 8, 0x200, 0},
    {"a packet too short for ports", 4, S2_IP_ESP, {1, 2, 3}, 3, 0, 0},
    {"ESP has no ports", 4, S2_IP_ESP, {1, 2, 3, 4, 5, 6, 7, 8}, 8, 0, 0},
    {"ICMP of four bytes", 4, S2_IP_ICMP, {8, 0, 0, 0}, 4, 0x800, 0},
};

static void ports_or_what_stands_for_them_are_read_where_they_are(void)
{
    static uint8_t p[PACKET_ROOM];

    for (size_t i = 0; i < sizeof(ports) / sizeof(ports[0]); i++) {
        const size_t len =
            s2_write_packet(p, &(struct s2_packet){.version = ports[i].version,
                                                   .protocol = ports[i].protocol,
                                                   .payload = {ports[i].payload, ports[i].len}});
        const struct s2_inet_view v = s2_must_view(p, len);

        CHECK_ROW(ports[i].row, v.source_port == ports[i].source);
        CHECK_ROW(ports[i].row, v.destination_port == ports[i].destination);
    }
}

static void lowering_the_ttl_keeps_the_checksum_right(void)
{
    static uint8_t p[PACKET_ROOM];

    for (int version = 4; version <= 6; version += 2) {
        for (unsigned id = 0; id < 65536; id += 977) {
            const size_t len = s2_write_packet(p, &(struct s2_packet){.version = (uint8_t)version,
                                                                      .ttl = 255,
                                                                      .id = (uint16_t)id,
                                                                      .payload = {data, 10}});

            for (unsigned ttl = 254; ttl >= 1; ttl--) {
                const struct s2_inet_view v = s2_must_view(p, len);

                s2_inet_lower_ttl(p, &v);
                CU_ASSERT_EQUAL(p[version == 4 ? 8 : 7], ttl);
            }
            CU_ASSERT_TRUE(s2_check_packet(p, len));
        }
    }
}

static void transport_checksums_are_verified(void)
{
    static uint8_t p[PACKET_ROOM];
    static const uint8_t protocols[] = {S2_IP_TCP, S2_IP_UDP, S2_IP_ICMP, S2_IP_ICMPV6};

    for (size_t i = 0; i < 8; i++) {
        const struct s2_packet k = {
            .version = i < 4 ? 4 : 6, .protocol = protocols[i % 4], .payload = {data, 33}};
        const size_t len = s2_write_packet(p, &k);
        struct s2_inet_view v = s2_must_view(p, len);
        const bool belongs = i % 4 < 2 || (i % 4 == 2) == (i < 4);

        CU_ASSERT_EQUAL(s2_inet_checksum_right(p, &v), belongs);
        for (size_t at = v.header_len; at < len; at++) {
            p[at] ^= 0x10;
            CU_ASSERT_FALSE(s2_inet_checksum_right(p, &v));
            p[at] ^= 0x10;
        }
        v.fragment = true;
        CU_ASSERT_FALSE(s2_inet_checksum_right(p, &v));
    }
}

static void udp_without_a_checksum_is_right_over_ipv4_only(void)
{
    static uint8_t p[PACKET_ROOM];

    for (int version = 4; version <= 6; version += 2) {
        const size_t len = s2_write_packet(p, &(struct s2_packet){.version = (uint8_t)version,
                                                                  .protocol = S2_IP_UDP,
                                                                  .payload = {data, 33}});
        const struct s2_inet_view v = s2_must_view(p, len);

        s2_put_u16(p + v.header_len + 6, 0);
        CU_ASSERT_EQUAL(s2_inet_checksum_right(p, &v), version == 4);
    }
}

const CU_TestInfo s2_test_view[] = {
    {"both families are read", both_families_are_read},
    {"what is behind the packet is padding", what_is_behind_the_packet_is_padding},
    {"every cut-off packet is refused", every_cut_off_packet_is_refused},
    {"malformed IPv4 is refused", malformed_ipv4_is_refused},
    {"IPv4 fragments are told apart", ipv4_fragments_are_told_apart},
    {"extension headers are walked, but not for ever",
     extension_headers_are_walked_but_not_for_ever},
    {"an IPv6 packet longer than we count is refused",
     an_ipv6_packet_longer_than_we_count_is_refused},
    {"ports, or what stands for them, are read where they are",
     ports_or_what_stands_for_them_are_read_where_they_are},
    {"lowering the TTL keeps the checksum right", lowering_the_ttl_keeps_the_checksum_right},
    {"transport checksums are verified", transport_checksums_are_verified},
    {"UDP without a checksum is right over IPv4 only",
     udp_without_a_checksum_is_right_over_ipv4_only},
    CU_TEST_INFO_NULL,
};
