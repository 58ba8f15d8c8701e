/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes of captures, field by field. */
#include "s2svpn/pcap.h"

#include "harness.h"

#include <string.h>

#define UNIX_NS 1700000000123456789u
#define CANARY 0xa5

static uint32_t little(const uint8_t *p, size_t n)
{
    uint32_t v = 0;

    while (n-- > 0)
        v = v << 8 | p[n];
    return v;
}

static uint32_t big(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

/* The sum over all 16-bit words; 0xffff is right, RFC 1071. */
static uint32_t sum(const uint8_t *p, size_t len, uint32_t start)
{
    for (size_t i = 0; i < len; i++)
        start += i % 2 ? p[i] : (uint32_t)p[i] << 8;
    while (start >> 16)
        start = (start & 0xffff) + (start >> 16);
    return start;
}

static s2svpn_datagram datagram(uint8_t family, uint8_t role, uint8_t *data, uint32_t len)
{
    s2svpn_datagram d = {
        .local = {.address = {.family = family}, .port = 4500, .role = role},
        .remote = {.address = {.family = family}, .port = 61234},
        .data = data,
        .len = len,
        .tos = 0xb8,
        .dont_fragment = true,
    };

    for (uint8_t i = 0; i < (family == S2SVPN_FAMILY_IPV4 ? 4 : 16); i++) {
        d.local.address.bytes[i] = (uint8_t)(0x20 + i);
        d.remote.address.bytes[i] = (uint8_t)(0xc0 + i);
    }
    if (role == S2SVPN_ROLE_RAW)
        d.local.port = d.remote.port = 0;
    return d;
}

static void the_header_is_of_nanoseconds_and_link_type_raw(void)
{
    uint8_t out[S2SVPN_PCAP_HEADER_LEN + 1];

    memset(out, CANARY, sizeof(out));
    s2svpn_pcap_header(out);
    CU_ASSERT_EQUAL(little(out, 4), 0xa1b23c4d);
    CU_ASSERT_EQUAL(little(out + 4, 2), 2);
    CU_ASSERT_EQUAL(little(out + 6, 2), 4);
    CU_ASSERT_EQUAL(little(out + 8, 4), 0);
    CU_ASSERT_EQUAL(little(out + 12, 4), 0);
    CU_ASSERT_EQUAL(little(out + 16, 4), 262144);
    CU_ASSERT_EQUAL(little(out + 20, 4), 101);
    CU_ASSERT_EQUAL(out[24], CANARY);
}

static void check_record(const uint8_t *out, size_t len)
{
    CU_ASSERT_EQUAL(little(out, 4), 1700000000);
    CU_ASSERT_EQUAL(little(out + 4, 4), 123456789);
    CU_ASSERT_EQUAL(little(out + 8, 4), len);
    CU_ASSERT_EQUAL(little(out + 12, 4), len);
}

static void udp_in_ipv4_has_right_headers_and_checksums(void)
{
    uint8_t data[5] = {1, 2, 3, 4, 5}, out[128];
    const s2svpn_datagram d = datagram(S2SVPN_FAMILY_IPV4, S2SVPN_ROLE_NATT, data, 5);
    const uint8_t *ip = out + 16, *udp = ip + 20;

    CU_ASSERT_EQUAL(s2svpn_pcap_datagram(out, sizeof(out), &d, 0, true, UNIX_NS), 16 + 33);
    check_record(out, 33);
    CU_ASSERT_EQUAL(ip[0], 0x45);
    CU_ASSERT_EQUAL(ip[1], 0xb8);
    CU_ASSERT_EQUAL(big(ip + 2), 33);
    CU_ASSERT_EQUAL(big(ip + 4), 0);
    CU_ASSERT_EQUAL(big(ip + 6), 0x4000);
    CU_ASSERT_EQUAL(ip[8], 64);
    CU_ASSERT_EQUAL(ip[9], 17);
    CU_ASSERT_EQUAL(sum(ip, 20, 0), 0xffff);
    CU_ASSERT_EQUAL(memcmp(ip + 12, d.local.address.bytes, 4), 0);
    CU_ASSERT_EQUAL(memcmp(ip + 16, d.remote.address.bytes, 4), 0);
    CU_ASSERT_EQUAL(big(udp), 4500);
    CU_ASSERT_EQUAL(big(udp + 2), 61234);
    CU_ASSERT_EQUAL(big(udp + 4), 13);
    CU_ASSERT_EQUAL(sum(udp, 13, sum(ip + 12, 8, 17 + 13)), 0xffff);
    CU_ASSERT_EQUAL(memcmp(udp + 8, data, 5), 0);
}

static void udp_in_ipv6_has_right_headers_and_checksum(void)
{
    uint8_t data[4] = {1, 2, 3, 4}, out[128];
    s2svpn_datagram d = datagram(S2SVPN_FAMILY_IPV6, S2SVPN_ROLE_IKE, data, 4);
    const uint8_t *ip = out + 16, *udp = ip + 40;

    d.hop_limit = 7;
    CU_ASSERT_EQUAL(s2svpn_pcap_datagram(out, sizeof(out), &d, 0, true, UNIX_NS), 16 + 52);
    check_record(out, 52);
    CU_ASSERT_EQUAL(big(ip), 0x6b80);
    CU_ASSERT_EQUAL(big(ip + 2), 0);
    CU_ASSERT_EQUAL(big(ip + 4), 12);
    CU_ASSERT_EQUAL(ip[6], 17);
    CU_ASSERT_EQUAL(ip[7], 7);
    CU_ASSERT_EQUAL(memcmp(ip + 8, d.local.address.bytes, 16), 0);
    CU_ASSERT_EQUAL(memcmp(ip + 24, d.remote.address.bytes, 16), 0);
    CU_ASSERT_EQUAL(big(udp + 4), 12);
    CU_ASSERT_EQUAL(sum(udp, 12, sum(ip + 8, 32, 17 + 12)), 0xffff);
}

static void a_checksum_of_zero_is_sent_as_all_ones(void)
{
    uint8_t data[2] = {0}, out[128];
    const s2svpn_datagram d = datagram(S2SVPN_FAMILY_IPV6, S2SVPN_ROLE_IKE, data, 2);

    CU_ASSERT_EQUAL(s2svpn_pcap_datagram(out, sizeof(out), &d, 0, true, 0), 16 + 50);
    const uint32_t checksum = big(out + 16 + 40 + 6);
    data[0] = (uint8_t)(checksum >> 8); /* what is added makes the sum all ones */
    data[1] = (uint8_t)checksum;
    CU_ASSERT_EQUAL(s2svpn_pcap_datagram(out, sizeof(out), &d, 0, true, 0), 16 + 50);
    CU_ASSERT_EQUAL(big(out + 16 + 40 + 6), 0xffff);
}

static void protocol_50_has_no_udp_header(void)
{
    static const uint8_t families[] = {S2SVPN_FAMILY_IPV4, S2SVPN_FAMILY_IPV6};

    for (size_t i = 0; i < 2; i++) {
        uint8_t data[5] = {1, 2, 3, 4, 5}, out[128];
        const s2svpn_datagram d = datagram(families[i], S2SVPN_ROLE_RAW, data, 5);
        const size_t header = families[i] == S2SVPN_FAMILY_IPV4 ? 20 : 40;

        CU_ASSERT_EQUAL(s2svpn_pcap_datagram(out, sizeof(out), &d, 0, true, UNIX_NS),
                        16 + header + 5);
        CU_ASSERT_EQUAL(out[16 + (header == 20 ? 9 : 6)], 50);
        CU_ASSERT_EQUAL(memcmp(out + 16 + header, data, 5), 0);
    }
}

static void what_was_received_goes_the_other_way(void)
{
    uint8_t data[1] = {1}, out[128];
    const s2svpn_datagram d = datagram(S2SVPN_FAMILY_IPV4, S2SVPN_ROLE_NATT, data, 1);

    CU_ASSERT_EQUAL(s2svpn_pcap_datagram(out, sizeof(out), &d, 0, false, UNIX_NS), 16 + 29);
    CU_ASSERT_EQUAL(memcmp(out + 28, d.remote.address.bytes, 4), 0);
    CU_ASSERT_EQUAL(memcmp(out + 32, d.local.address.bytes, 4), 0);
    CU_ASSERT_EQUAL(big(out + 36), 61234);
    CU_ASSERT_EQUAL(big(out + 38), 4500);
}

static void a_trains_datagrams_are_named_by_their_index(void)
{
    uint8_t data[10] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9}, out[128];
    s2svpn_datagram d = datagram(S2SVPN_FAMILY_IPV4, S2SVPN_ROLE_NATT, data, 10);
    static const size_t lens[] = {4, 4, 2};

    d.segment = 4;
    for (size_t i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(s2svpn_pcap_datagram(out, sizeof(out), &d, i, true, 0), 16 + 28 + lens[i]);
        CU_ASSERT_EQUAL(memcmp(out + 16 + 28, data + 4 * i, lens[i]), 0);
    }
    CU_ASSERT_EQUAL(s2svpn_pcap_datagram(out, sizeof(out), &d, 3, true, 0), 0);
    d.len = 8;
    CU_ASSERT_EQUAL(s2svpn_pcap_datagram(out, sizeof(out), &d, 2, true, 0), 0);
    d.segment = 0;
    CU_ASSERT_EQUAL(s2svpn_pcap_datagram(out, sizeof(out), &d, 0, true, 0), 16 + 28 + 8);
    CU_ASSERT_EQUAL(s2svpn_pcap_datagram(out, sizeof(out), &d, 1, true, 0), 0);
}

static void too_little_room_writes_nothing(void)
{
    uint8_t data[5] = {1, 2, 3, 4, 5};
    const s2svpn_datagram d = datagram(S2SVPN_FAMILY_IPV6, S2SVPN_ROLE_NATT, data, 5);
    const size_t need = 5 + S2SVPN_PCAP_OVERHEAD;

    for (size_t room = 0; room <= need; room++) {
        uint8_t out[5 + S2SVPN_PCAP_OVERHEAD];

        memset(out, CANARY, sizeof(out));
        CU_ASSERT_EQUAL(s2svpn_pcap_datagram(out, room, &d, 0, true, 0), room < need ? 0 : need);
        CU_ASSERT_EQUAL(s2svpn_pcap_packet(out, room < 20 ? room : 20, data, 5, 0), 0);
        CU_ASSERT(room == need || out[0] == CANARY);
    }
}

static void what_is_no_datagram_is_refused(void)
{
    static uint8_t data[70000], out[80000];
    s2svpn_datagram d = datagram(S2SVPN_FAMILY_IPV4, S2SVPN_ROLE_NATT, data, 65507);

    CU_ASSERT_EQUAL(s2svpn_pcap_datagram(out, sizeof(out), &d, 0, true, 0), 16 + 65535);
    d.len = 65508;
    CU_ASSERT_EQUAL(s2svpn_pcap_datagram(out, sizeof(out), &d, 0, true, 0), 0);
    d = datagram(S2SVPN_FAMILY_IPV6, S2SVPN_ROLE_NATT, data, 65527);
    CU_ASSERT_EQUAL(s2svpn_pcap_datagram(out, sizeof(out), &d, 0, true, 0), 16 + 40 + 65535);
    d.len = 65528;
    CU_ASSERT_EQUAL(s2svpn_pcap_datagram(out, sizeof(out), &d, 0, true, 0), 0);
    d.len = 1;
    d.remote.address.family = S2SVPN_FAMILY_IPV4;
    CU_ASSERT_EQUAL(s2svpn_pcap_datagram(out, sizeof(out), &d, 0, true, 0), 0);
    d.local.address.family = d.remote.address.family = S2SVPN_FAMILY_NONE;
    CU_ASSERT_EQUAL(s2svpn_pcap_datagram(out, sizeof(out), &d, 0, true, 0), 0);
}

static void a_plain_packet_is_written_as_it_is(void)
{
    uint8_t data[3] = {0x45, 2, 3}, out[32];

    CU_ASSERT_EQUAL(s2svpn_pcap_packet(out, sizeof(out), data, 3, UNIX_NS), 19);
    check_record(out, 3);
    CU_ASSERT_EQUAL(memcmp(out + 16, data, 3), 0);
    CU_ASSERT_EQUAL(s2svpn_pcap_packet(out, sizeof(out), data, 262145, UNIX_NS), 0);
}

const CU_TestInfo s2_test_pcap[] = {
    {"the header is of nanoseconds and link type RAW",
     the_header_is_of_nanoseconds_and_link_type_raw},
    {"UDP in IPv4 has right headers and checksums", udp_in_ipv4_has_right_headers_and_checksums},
    {"UDP in IPv6 has right headers and checksum", udp_in_ipv6_has_right_headers_and_checksum},
    {"a checksum of zero is sent as all ones", a_checksum_of_zero_is_sent_as_all_ones},
    {"protocol 50 has no UDP header", protocol_50_has_no_udp_header},
    {"what was received goes the other way", what_was_received_goes_the_other_way},
    {"a train's datagrams are named by their index", a_trains_datagrams_are_named_by_their_index},
    {"too little room writes nothing", too_little_room_writes_nothing},
    {"what is no datagram is refused", what_is_no_datagram_is_refused},
    {"a plain packet is written as it is", a_plain_packet_is_written_as_it_is},
    CU_TEST_INFO_NULL,
};
