/* SPDX-License-Identifier: Apache-2.0 */
/* Packets of our own: their bytes, and when an answer is not allowed. */
#include "inet/inet.h"

#include <string.h>

#include "base/address.h"
#include "base/bytes.h"
#include "harness.h"
#include "packet.h"

static uint8_t in[PACKET_ROOM], out[PACKET_ROOM];

static s2svpn_address address(const char *text)
{
    s2svpn_address a = {0};

    if (!s2svpn_address_read(text, &a))
        CU_FAIL_FATAL("no address");
    return a;
}

/* The IP packet inside RFC 7634 appendix A's ESP packet: an echo request from
 * 198.51.100.5 to 192.0.2.5. */
static const uint8_t echo[84] = {
    0x45, 0x00, 0x00, 0x54, 0xa6, 0xf2, 0x00, 0x00, 0x40, 0x01, 0xe7, 0x78, 0xc6, 0x33,
    0x64, 0x05, 0xc0, 0x00, 0x02, 0x05, 0x08, 0x00, 0x5b, 0x7a, 0x3a, 0x08, 0x00, 0x00,
    0x55, 0x3b, 0xec, 0x10, 0x00, 0x07, 0x36, 0x27, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d,
    0x0e, 0x0f, 0x10, 0x11, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b,
    0x1c, 0x1d, 0x1e, 0x1f, 0x20, 0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29,
    0x2a, 0x2b, 0x2c, 0x2d, 0x2e, 0x2f, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x36, 0x37,
};

static void an_echo_request_is_the_published_one(void)
{
    const s2svpn_address from = address("198.51.100.5"), to = address("192.0.2.5");
    uint8_t expected[sizeof(echo)];
    const size_t len = s2_inet_write_icmp_echo(out, sizeof(out), &from, &to, false, 0x3a08, 0,
                                               s2_span(echo + 28, sizeof(echo) - 28));

    memcpy(expected, echo, sizeof(expected));
    s2_put_u16(expected + 4, 0); /* an atomic datagram: no identification, but DF */
    s2_put_u16(expected + 6, 0x4000);
    s2_fix_ip(expected);
    CU_ASSERT_EQUAL(len, sizeof(echo));
    CU_ASSERT_EQUAL(memcmp(out, expected, len), 0);
}

static void an_echo_request_is_answered(void)
{
    const struct s2_inet_view v = s2_must_view(echo, sizeof(echo));
    const size_t len = s2_inet_answer_echo(out, sizeof(out), echo, &v);

    CU_ASSERT_EQUAL(len, sizeof(echo));
    CU_ASSERT_TRUE(s2_check_packet(out, len));
    CU_ASSERT_EQUAL(memcmp(out + 12, echo + 16, 4), 0);
    CU_ASSERT_EQUAL(memcmp(out + 16, echo + 12, 4), 0);
    CU_ASSERT_EQUAL(memcmp(out + 4, echo + 4, 4), 0); /* identification, and no DF */
    CU_ASSERT_EQUAL(out[20], 0);
    CU_ASSERT_EQUAL(memcmp(out + 24, echo + 24, sizeof(echo) - 24), 0);
    for (size_t room = 0; room < len; room++)
        CU_ASSERT_EQUAL(s2_inet_answer_echo(out, room, echo, &v), 0);
}

static void an_ipv6_echo_request_is_answered(void)
{
    static const uint8_t icmp[16] = {128, 0, 0, 0, 0xbe, 0xef, 0, 7, 1, 2, 3, 4, 5, 6, 7, 8};
    const size_t len = s2_write_packet(
        in, &(struct s2_packet){
                .version = 6, .protocol = S2_IP_ICMPV6, .tos = 0x28, .payload = {icmp, 16}});
    const struct s2_inet_view v = s2_must_view(in, len);

    CU_ASSERT_EQUAL(s2_inet_answer_echo(out, sizeof(out), in, &v), len);
    CU_ASSERT_TRUE(s2_check_packet(out, len));
    const struct s2_inet_view answer = s2_must_view(out, len);
    CU_ASSERT_TRUE(s2_address_equal(&answer.source, &v.destination));
    CU_ASSERT_TRUE(s2_address_equal(&answer.destination, &v.source));
    CU_ASSERT_EQUAL(answer.tos, 0x28);
    CU_ASSERT_EQUAL(out[40], 129);
    CU_ASSERT_EQUAL(memcmp(out + 44, icmp + 4, 12), 0);
}

static const struct {
    const char *row;
    uint8_t version, protocol;
    uint8_t icmp[12];
    size_t len;
    uint16_t place;
    size_t spoil; /* this byte of ICMP is changed after the checksum was made */
} no_echo[] = {
    {"a reply", 4, S2_IP_ICMP, {0, 0}, 12, 0, 0},
    {"another code", 4, S2_IP_ICMP, {8, 1}, 12, 0, 0},
    {"a wrong checksum", 4, S2_IP_ICMP, {8, 0}, 12, 0, 9},
    {"too short", 4, S2_IP_ICMP, {8, 0}, 7, 0, 0},
    {"a first fragment", 4, S2_IP_ICMP, {8, 0}, 8, 0x2000, 0},
    {"a last fragment", 4, S2_IP_ICMP, {8, 0}, 12, 1, 0},
    {"not ICMP", 4, S2_IP_UDP, {8, 0}, 12, 0, 0},
    {"ICMP of the other family", 6, S2_IP_ICMP, {8, 0}, 12, 0, 0},
    {"ICMPv6 over IPv4", 4, S2_IP_ICMPV6, {128, 0}, 12, 0, 0},
    {"an ICMPv6 reply", 6, S2_IP_ICMPV6, {129, 0}, 12, 0, 0},
};

static void what_is_no_echo_request_gets_no_answer(void)
{
    for (size_t i = 0; i < sizeof(no_echo) / sizeof(no_echo[0]); i++) {
        const struct s2_packet k = {.version = no_echo[i].version,
                                    .protocol = no_echo[i].protocol,
                                    .place = no_echo[i].place,
                                    .payload = {no_echo[i].icmp, no_echo[i].len}};
        const size_t len = s2_write_packet(in, &k);
        const struct s2_inet_view v = s2_must_view(in, len);

        if (no_echo[i].spoil > 0)
            in[v.header_len + no_echo[i].spoil] ^= 1;
        CHECK_ROW(no_echo[i].row, s2_inet_answer_echo(out, sizeof(out), in, &v) == 0);
    }
}

static const struct {
    const char *row;
    enum s2_inet_error error;
    uint16_t mtu;
    uint8_t type4, code4, type6, code6;
} errors[] = {
    {"TTL exceeded", S2_INET_TTL_EXCEEDED, 0, 11, 0, 3, 0},
    {"no route", S2_INET_NO_ROUTE, 0, 3, 0, 1, 0},
    {"too big", S2_INET_TOO_BIG, 1438, 3, 4, 2, 0},
};

static void errors_carry_type_mtu_and_the_packet_s_beginning(void)
{
    static uint8_t data[3000];

    for (size_t i = 0; i < 6; i++) {
        const bool ipv6 = i >= 3;
        const s2svpn_address from = address(ipv6 ? "2001:db8:ffff::1" : "169.254.10.1");

        for (size_t n = 0; n < sizeof(data); n += 13) {
            const struct s2_packet k = {
                .version = ipv6 ? 6 : 4, .from_port = 80, .payload = {data, n}};
            const size_t len = s2_write_packet(in, &k);
            const struct s2_inet_view v = s2_must_view(in, len);
            const size_t size = s2_inet_write_error(out, sizeof(out), &from, errors[i % 3].error,
                                                    errors[i % 3].mtu, in, &v);
            const size_t ip_len = ipv6 ? 40 : 20, most = ipv6 ? 1280 : 576;
            const uint8_t *icmp = out + ip_len;

            CHECK_ROW(errors[i % 3].row, s2_check_packet(out, size));
            CHECK_ROW(errors[i % 3].row,
                      size == (len + ip_len + 8 < most ? len + ip_len + 8 : most));
            CHECK_ROW(errors[i % 3].row,
                      icmp[0] == (ipv6 ? errors[i % 3].type6 : errors[i % 3].type4));
            CHECK_ROW(errors[i % 3].row,
                      icmp[1] == (ipv6 ? errors[i % 3].code6 : errors[i % 3].code4));
            CHECK_ROW(errors[i % 3].row, s2_get_u32(icmp + 4) == errors[i % 3].mtu);
            CHECK_ROW(errors[i % 3].row, memcmp(icmp + 8, in, size - ip_len - 8) == 0);
            const struct s2_inet_view e = s2_must_view(out, size);
            CHECK_ROW(errors[i % 3].row, s2_address_equal(&e.source, &from));
            CHECK_ROW(errors[i % 3].row, s2_address_equal(&e.destination, &v.source));
        }
    }
}

static const struct {
    const char *row;
    uint8_t version, protocol;
    uint8_t first;                    /* byte of the payload: the ICMP type */
    uint16_t place;                   /* IPv4 */
    const char *source, *destination; /* NULL: the usual */
    bool allowed;
} questions[] = {
    {"UDP", 4, S2_IP_UDP, 0, 0, NULL, NULL, true},
    {"an unknown protocol", 4, 200, 3, 0, NULL, NULL, true},
    {"a first fragment", 4, 200, 3, 0x2000, NULL, NULL, true},
    {"a later fragment", 4, 200, 3, 0x2001, NULL, NULL, false},
    {"echo request", 4, S2_IP_ICMP, 8, 0, NULL, NULL, true},
    {"echo reply", 4, S2_IP_ICMP, 0, 0, NULL, NULL, true},
    {"timestamp", 4, S2_IP_ICMP, 13, 0, NULL, NULL, true},
    {"unreachable", 4, S2_IP_ICMP, 3, 0, NULL, NULL, false},
    {"source quench", 4, S2_IP_ICMP, 4, 0, NULL, NULL, false},
    {"redirect", 4, S2_IP_ICMP, 5, 0, NULL, NULL, false},
    {"time exceeded", 4, S2_IP_ICMP, 11, 0, NULL, NULL, false},
    {"parameter problem", 4, S2_IP_ICMP, 12, 0, NULL, NULL, false},
    {"an unknown ICMP type", 4, S2_IP_ICMP, 99, 0, NULL, NULL, false},
    {"to a multicast group", 4, S2_IP_UDP, 0, 0, NULL, "224.0.0.5", false},
    {"to all", 4, S2_IP_UDP, 0, 0, NULL, "255.255.255.255", false},
    {"from a multicast group", 4, S2_IP_UDP, 0, 0, "239.1.2.3", NULL, false},
    {"from nobody", 4, S2_IP_UDP, 0, 0, "0.0.0.0", NULL, false},
    {"from loopback", 4, S2_IP_UDP, 0, 0, "127.0.0.1", NULL, false},
    {"from all", 4, S2_IP_UDP, 0, 0, "255.255.255.255", NULL, false},
    {"IPv6 UDP", 6, S2_IP_UDP, 0, 0, NULL, NULL, true},
    {"IPv6 echo request", 6, S2_IP_ICMPV6, 128, 0, NULL, NULL, true},
    {"IPv6 neighbour solicitation", 6, S2_IP_ICMPV6, 135, 0, NULL, NULL, true},
    {"IPv6 unreachable", 6, S2_IP_ICMPV6, 1, 0, NULL, NULL, false},
    {"IPv6 unknown error", 6, S2_IP_ICMPV6, 127, 0, NULL, NULL, false},
    {"IPv6 redirect", 6, S2_IP_ICMPV6, 137, 0, NULL, NULL, false},
    {"IPv6 to a multicast group", 6, S2_IP_UDP, 0, 0, NULL, "ff02::1", false},
    {"IPv6 from a multicast group", 6, S2_IP_UDP, 0, 0, "ff02::1", NULL, false},
    {"IPv6 from nobody", 6, S2_IP_UDP, 0, 0, "::", NULL, false},
    {"IPv6 from loopback", 6, S2_IP_UDP, 0, 0, "::1", NULL, false},
    {"IPv6 from nearly nobody", 6, S2_IP_UDP, 0, 0, "::2", NULL, true},
};

static void no_error_goes_where_none_may_go(void)
{
    for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
        const uint8_t payload[16] = {questions[i].first};
        const bool ipv6 = questions[i].version == 6;
        const s2svpn_address from = address(ipv6 ? "2001:db8:ffff::1" : "169.254.10.1");
        const size_t len =
            s2_write_packet(in, &(struct s2_packet){.version = questions[i].version,
                                                    .protocol = questions[i].protocol,
                                                    .place = questions[i].place,
                                                    .payload = {payload, sizeof(payload)}});
        struct s2_inet_view v = s2_must_view(in, len);

        if (questions[i].source != NULL)
            v.source = address(questions[i].source);
        if (questions[i].destination != NULL)
            v.destination = address(questions[i].destination);
        CHECK_ROW(questions[i].row,
                  (s2_inet_write_error(out, sizeof(out), &from, S2_INET_TTL_EXCEEDED, 0, in, &v) >
                   0) == questions[i].allowed);
        /* RFC 4443 section 2.4 (e.3): path MTU discovery has an exception */
        if (ipv6 && questions[i].destination != NULL)
            CHECK_ROW(questions[i].row, s2_inet_write_error(out, sizeof(out), &from,
                                                            S2_INET_TOO_BIG, 1400, in, &v) > 0);
    }
}

static void an_error_of_the_other_family_is_not_written(void)
{
    const s2svpn_address from = address("169.254.10.1");
    const size_t len = s2_write_packet(in, &(struct s2_packet){.version = 6});
    const struct s2_inet_view v = s2_must_view(in, len);

    CU_ASSERT_EQUAL(s2_inet_write_error(out, sizeof(out), &from, S2_INET_NO_ROUTE, 0, in, &v), 0);
}

static void udp_datagrams_are_whole_packets(void)
{
    static const uint8_t data[300] = {1, 2, 3};

    for (size_t i = 0; i < 2; i++) {
        const s2svpn_address from = address(i == 0 ? "10.1.2.3" : "2001:db8::1");
        const s2svpn_address to = address(i == 0 ? "10.3.2.1" : "2001:db8::2");

        for (size_t n = 0; n < sizeof(data); n++) {
            const size_t len =
                s2_inet_write_udp(out, sizeof(out), &from, 4500, &to, 500, s2_span(data, n));

            CU_ASSERT_EQUAL(len, (i == 0 ? 28 : 48) + n);
            CU_ASSERT_TRUE(s2_check_packet(out, len));
            const struct s2_inet_view v = s2_must_view(out, len);
            CU_ASSERT_EQUAL(v.source_port, 4500);
            CU_ASSERT_EQUAL(v.destination_port, 500);
            CU_ASSERT_EQUAL(
                s2_inet_write_udp(out, len - 1, &from, 4500, &to, 500, s2_span(data, n)), 0);
        }
        CU_ASSERT_EQUAL(
            s2_inet_write_udp(out, sizeof(out), &from, 1, &to, 1, s2_span(in, 65535 - 27)), 0);
    }
}

/* A payload whose checksum comes out as zero must not be sent as "no checksum". */
static void a_udp_checksum_of_zero_is_sent_as_ones(void)
{
    const s2svpn_address from = address("10.1.2.3"), to = address("10.3.2.1");
    size_t found = 0;

    for (unsigned v = 0; v < 65536; v++) {
        uint8_t data[2];

        s2_put_u16(data, (uint16_t)v);
        s2_inet_write_udp(out, sizeof(out), &from, 1, &to, 2, s2_span(data, 2));
        CU_ASSERT_NOT_EQUAL(s2_get_u16(out + 26), 0);
        found += s2_get_u16(out + 26) == 0xffff;
    }
    CU_ASSERT_TRUE(found > 0);
}

static void a_bare_header_leaves_room_for_what_follows(void)
{
    const s2svpn_address from4 = address("10.1.2.3"), to4 = address("10.3.2.1");
    const s2svpn_address from6 = address("2001:db8::1"), to6 = address("2001:db8::2");
    const s2svpn_address none = {0};

    CU_ASSERT_EQUAL(s2_inet_write_ip(out, 40, &from4, &to4, S2_IP_TCP, 0xc0, 1, 20), 20);
    CU_ASSERT_EQUAL(s2_inet_write_ip(out, 39, &from4, &to4, S2_IP_TCP, 0xc0, 1, 20), 0);
    CU_ASSERT_EQUAL(s2_inet_write_ip(out, 40, &from4, &to4, S2_IP_TCP, 0xc0, 1, 20), 20);
    struct s2_inet_view v = s2_must_view(out, 40);
    CU_ASSERT_EQUAL(v.tos, 0xc0);
    CU_ASSERT_EQUAL(v.ttl, 1);
    CU_ASSERT_EQUAL(v.total_len, 40);
    CU_ASSERT_EQUAL(s2_inet_write_ip(out, 60, &from6, &to6, S2_IP_TCP, 0xc0, 0, 20), 40);
    v = s2_must_view(out, 60);
    CU_ASSERT_EQUAL(v.tos, 0xc0);
    CU_ASSERT_EQUAL(v.ttl, 64);
    CU_ASSERT_EQUAL(s2_inet_write_ip(out, sizeof(out), &from6, &to6, S2_IP_TCP, 0, 0, 65495), 40);
    CU_ASSERT_EQUAL(s2_inet_write_ip(out, sizeof(out), &from6, &to6, S2_IP_TCP, 0, 0, 65496), 0);
    CU_ASSERT_EQUAL(s2_inet_write_ip(out, sizeof(out), &from4, &to4, S2_IP_TCP, 0, 0, 65516), 0);
    CU_ASSERT_EQUAL(s2_inet_write_ip(out, 60, &from4, &to6, S2_IP_TCP, 0, 0, 20), 0);
    CU_ASSERT_EQUAL(s2_inet_write_ip(out, 60, &none, &none, S2_IP_TCP, 0, 0, 20), 0);
}

const CU_TestInfo s2_test_build[] = {
    {"an echo request is the published one", an_echo_request_is_the_published_one},
    {"an echo request is answered", an_echo_request_is_answered},
    {"an IPv6 echo request is answered", an_ipv6_echo_request_is_answered},
    {"what is no echo request gets no answer", what_is_no_echo_request_gets_no_answer},
    {"errors carry type, MTU and the packet's beginning",
     errors_carry_type_mtu_and_the_packet_s_beginning},
    {"no error goes where none may go", no_error_goes_where_none_may_go},
    {"an error of the other family is not written", an_error_of_the_other_family_is_not_written},
    {"UDP datagrams are whole packets", udp_datagrams_are_whole_packets},
    {"a UDP checksum of zero is sent as ones", a_udp_checksum_of_zero_is_sent_as_ones},
    {"a bare header leaves room for what follows", a_bare_header_leaves_room_for_what_follows},
    CU_TEST_INFO_NULL,
};
