/* SPDX-License-Identifier: Apache-2.0 */
/* Cutting superpackets: every segment is a right packet, together they are the
 * whole, and what foreign code gets wrong is refused. */
#include "inet/inet.h"

#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "harness.h"
#include "packet.h"

static uint8_t in[PACKET_ROOM], data[PACKET_ROOM], segment[PACKET_ROOM];

static void fill(void)
{
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 13 + i / 256);
}

/* Make the packet in in[] a superpacket as a TUN device would give it: the checksum
 * field holds the pseudo-header's sum, hdr_len is at least the header's length. */
static struct s2_inet_super make_super(size_t len, uint8_t gso_type, uint16_t gso_size)
{
    const struct s2_inet_view v = s2_must_view(in, len);
    const bool tcp = v.protocol == S2_IP_TCP;
    const size_t transport = tcp ? (size_t)(in[v.header_len + 12] >> 4) * 4 : 8;
    const struct s2_inet_super s = {
        .p = in,
        .len = (uint32_t)len,
        .gso_type = gso_type,
        .needs_checksum = true,
        .hdr_len = (uint16_t)(v.header_len + transport),
        .gso_size = gso_size,
        .csum_start = v.header_len,
        .csum_offset = tcp ? 16 : 6,
    };
    const uint64_t sum =
        s2_inet_pseudo_sum(&v.source, &v.destination, v.protocol, len - v.header_len);

    s2_put_u16(in + s.csum_start + s.csum_offset, (uint16_t)~s2_checksum_finish(sum));
    return s;
}

/* The next segment as one packet in segment[]; 0 behind the last. */
static size_t next_segment(struct s2_inet_cut *c, size_t *header_len)
{
    uint8_t header[S2_INET_HEADER_MAX];
    s2svpn_span payload;

    if (!s2_inet_cut_next(c, header, header_len, &payload))
        return 0;
    memcpy(segment, header, *header_len);
    if (payload.len > 0)
        memcpy(segment + *header_len, payload.p, payload.len);
    return *header_len + payload.len;
}

static const uint8_t timestamps[12] = {1, 1, 8, 10, 1, 2, 3, 4, 5, 6, 7, 8};
static const uint8_t router_alert[4] = {148, 4, 0, 0};
static const uint8_t destination_options[8] = {S2_IP_TCP, 0, 1, 4, 0, 0, 0, 0};

static const struct {
    const char *row;
    uint8_t gso_type;
    struct s2_packet k; /* without payload */
    size_t payload;
    uint16_t gso_size;
} supers[] = {
    {"TCPv4", S2_GSO_TCPV4, {.id = 65534, .seq = 4294960000u, .window = 500}, 65000, 1460},
    {"TCPv4, options in both headers",
     S2_GSO_TCPV4,
     {.ip_options = {router_alert, 4}, .tcp_options = {timestamps, 12}, .dont_fragment = true},
     9999,
     1000},
    {"TCPv4, segments of one byte", S2_GSO_TCPV4, {.flags = ACK | PSH}, 50, 1},
    {"TCPv4, odd sizes", S2_GSO_TCPV4, {.flags = ACK | FIN | PSH}, 10001, 333},
    {"TCPv4, exact multiple", S2_GSO_TCPV4, {.flags = ACK | CWR | ECE}, 4000, 1000},
    {"TCPv4, payload below one segment", S2_GSO_TCPV4, {.flags = ACK | CWR | FIN}, 100, 1000},
    {"TCPv4, no payload", S2_GSO_TCPV4, {0}, 0, 1000},
    {"TCPv4, the largest", S2_GSO_TCPV4, {0}, 65495, 1448},
    {"TCPv6", S2_GSO_TCPV6, {.version = 6, .tcp_options = {timestamps, 12}}, 65000, 1428},
    {"TCPv6, the largest", S2_GSO_TCPV6, {.version = 6}, 65475, 1440},
    {"UDPv4", S2_GSO_UDP_L4, {.protocol = S2_IP_UDP, .id = 9}, 60000, 1200},
    {"UDPv6", S2_GSO_UDP_L4, {.version = 6, .protocol = S2_IP_UDP}, 60001, 1201},
};

static void check_tcp(const char *row, const struct s2_packet *k, size_t offset, bool last)
{
    const uint8_t *tcp = segment + s2_ip_len(segment);
    uint8_t flags = k->flags != 0 ? k->flags : ACK;

    if (!last)
        flags &= (uint8_t) ~(FIN | PSH);
    if (offset > 0)
        flags &= (uint8_t)~CWR;
    CHECK_ROW(row, s2_get_u32(tcp + 4) == (uint32_t)(k->seq + offset));
    CHECK_ROW(row, tcp[13] == flags);
    CHECK_ROW(row, s2_get_u16(tcp + 14) == k->window);
}

static void every_segment_is_a_right_packet_and_together_they_are_the_whole(void)
{
    fill();
    for (size_t i = 0; i < sizeof(supers) / sizeof(supers[0]); i++) {
        for (int needs_checksum = 0; needs_checksum < 2; needs_checksum++) {
            struct s2_packet k = supers[i].k;
            struct s2_inet_cut c;
            size_t at = 0, n, header_len = 0;
            uint16_t index = 0;

            k.payload = s2_span(data, supers[i].payload);
            const size_t len = s2_write_packet(in, &k);
            struct s2_inet_super s = make_super(len, supers[i].gso_type, supers[i].gso_size);
            s.needs_checksum = needs_checksum != 0;
            const size_t expected = len - supers[i].payload;
            CHECK_ROW(supers[i].row, s2_inet_cut_begin(&c, &s));
            while ((n = next_segment(&c, &header_len)) > 0) {
                const size_t carried = n - header_len;
                const bool last = at + carried == supers[i].payload;

                CHECK_ROW(supers[i].row, header_len == expected);
                CHECK_ROW(supers[i].row, carried == supers[i].gso_size || last);
                CHECK_ROW(supers[i].row, s2_check_packet(segment, n));
                CHECK_ROW(supers[i].row, memcmp(segment + header_len, data + at, carried) == 0);
                if (k.version != 6)
                    CHECK_ROW(supers[i].row, s2_get_u16(segment + 4) == (uint16_t)(k.id + index));
                if (k.protocol != S2_IP_UDP)
                    check_tcp(supers[i].row, &k, at, last);
                at += carried;
                index++;
            }
            CHECK_ROW(supers[i].row, at == supers[i].payload);
            CHECK_ROW(supers[i].row, index == (supers[i].payload == 0
                                                   ? 1
                                                   : (supers[i].payload + supers[i].gso_size - 1) /
                                                         supers[i].gso_size));
            CHECK_ROW(supers[i].row, next_segment(&c, &header_len) == 0);
        }
    }
}

/* The pseudo-header of a partial checksum is taken as it is, so extension headers
 * that change it (routing) don't matter. */
static void extension_headers_go_into_every_segment(void)
{
    struct s2_inet_cut c;
    size_t n, header_len = 0, segments = 0;

    fill();
    const struct s2_packet k = {.version = 6,
                                .ip_options = {destination_options, 8},
                                .next_header = 60,
                                .payload = {data, 3000}};
    const size_t len = s2_write_packet(in, &k);
    const struct s2_inet_super s = make_super(len, S2_GSO_TCPV6, 1000);
    CU_ASSERT_TRUE(s2_inet_cut_begin(&c, &s));
    while ((n = next_segment(&c, &header_len)) > 0) {
        const struct s2_inet_view v = s2_must_view(segment, n);

        CU_ASSERT_EQUAL(v.header_len, 48);
        CU_ASSERT_EQUAL(v.total_len, n);
        CU_ASSERT_EQUAL(memcmp(segment + 40, destination_options, 8), 0);
        CU_ASSERT_TRUE(s2_inet_checksum_right(segment, &v));
        segments++;
    }
    CU_ASSERT_EQUAL(segments, 3);
}

static void the_urgent_pointer_counts_from_its_own_segment(void)
{
    static const uint16_t expected[] = {1500, 500, 0};
    struct s2_inet_cut c;
    size_t n, header_len = 0, i = 0;

    fill();
    const size_t len = s2_write_packet(
        in, &(struct s2_packet){.flags = ACK | URG, .urgent = 1500, .payload = {data, 3000}});
    const struct s2_inet_super s = make_super(len, S2_GSO_TCPV4, 1000);
    CU_ASSERT_TRUE(s2_inet_cut_begin(&c, &s));
    while ((n = next_segment(&c, &header_len)) > 0 && i < 3) {
        CU_ASSERT_EQUAL(s2_get_u16(segment + 20 + 18), expected[i]);
        CU_ASSERT_EQUAL((segment[20 + 13] & URG) != 0, expected[i] > 0);
        CU_ASSERT_TRUE(s2_check_packet(segment, n));
        i++;
    }
    CU_ASSERT_EQUAL(i, 3);
}

static void spoil_type(struct s2_inet_super *s)
{
    s->gso_type = 3; /* UFO */
}
static void spoil_ecn(struct s2_inet_super *s)
{
    s->gso_type |= 0x80;
}
static void spoil_family(struct s2_inet_super *s)
{
    s->gso_type = S2_GSO_TCPV6;
}
static void spoil_transport(struct s2_inet_super *s)
{
    s->gso_type = S2_GSO_UDP_L4;
}
static void spoil_size(struct s2_inet_super *s)
{
    s->gso_size = 0;
}
static void spoil_short_header(struct s2_inet_super *s)
{
    s->hdr_len--;
}
static void spoil_long_header(struct s2_inet_super *s)
{
    s->hdr_len = (uint16_t)(s->len + 1);
}
static void spoil_start(struct s2_inet_super *s)
{
    s->csum_start += 2;
}
static void spoil_offset(struct s2_inet_super *s)
{
    s->csum_offset = 6;
}
static void spoil_syn(struct s2_inet_super *s)
{
    s->p[20 + 13] |= SYN;
}
static void spoil_rst(struct s2_inet_super *s)
{
    s->p[20 + 13] |= RST;
}
static void spoil_data_offset(struct s2_inet_super *s)
{
    s->p[20 + 12] = 0x40;
}
static void spoil_fragment(struct s2_inet_super *s)
{
    s->p[6] |= 0x20;
    s2_fix_ip(s->p);
}
static void spoil_ip(struct s2_inet_super *s)
{
    s->p[10] ^= 1;
}
static void spoil_len(struct s2_inet_super *s)
{
    s->len--;
}
static void spoil_nothing(struct s2_inet_super *s)
{
    s->hdr_len = (uint16_t)s->len; /* the hint may be too long, as Linux's is */
}

static const struct {
    const char *row;
    void (*spoil)(struct s2_inet_super *s);
    bool good;
} wrong[] = {
    {"unknown type", spoil_type, false},
    {"the ECN bit is the caller's to clear", spoil_ecn, false},
    {"type of the other family", spoil_family, false},
    {"type of the other transport", spoil_transport, false},
    {"segments of no size", spoil_size, false},
    {"hdr_len shorter than the headers", spoil_short_header, false},
    {"hdr_len longer than the packet", spoil_long_header, false},
    {"csum_start elsewhere", spoil_start, false},
    {"csum_offset of another transport", spoil_offset, false},
    {"SYN", spoil_syn, false},
    {"RST", spoil_rst, false},
    {"data offset below 5", spoil_data_offset, false},
    {"a fragment", spoil_fragment, false},
    {"a malformed IP header", spoil_ip, false},
    {"shorter than its length says", spoil_len, false},
    {"hdr_len of the whole packet", spoil_nothing, true},
};

static void what_foreign_code_gets_wrong_is_refused(void)
{
    fill();
    for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
        struct s2_inet_cut c;
        const size_t len =
            s2_write_packet(in, &(struct s2_packet){.payload = {data, 4004}}); /* 8 * 503 */
        struct s2_inet_super s = make_super(len, S2_GSO_TCPV4, 1000);

        wrong[i].spoil(&s);
        CHECK_ROW(wrong[i].row, s2_inet_cut_begin(&c, &s) == wrong[i].good);
    }
}

static void a_udp_superpacket_with_another_length_is_refused(void)
{
    struct s2_inet_cut c;

    fill();
    const size_t len =
        s2_write_packet(in, &(struct s2_packet){.protocol = S2_IP_UDP, .payload = {data, 4000}});
    const struct s2_inet_super s = make_super(len, S2_GSO_UDP_L4, 1000);
    CU_ASSERT_TRUE(s2_inet_cut_begin(&c, &s));
    s2_put_u16(in + 24, 1008);
    CU_ASSERT_FALSE(s2_inet_cut_begin(&c, &s));
}

/* Headers of more than S2_INET_HEADER_MAX bytes. */
static void long_headers_are_refused_for_cutting_and_passed_whole(void)
{
    static uint8_t chain[72];
    struct s2_inet_cut c;
    size_t header_len = 1;

    fill();
    chain[0] = S2_IP_TCP;
    chain[1] = 8; /* one header of 72 bytes */
    const struct s2_packet k = {.version = 6,
                                .ip_options = {chain, sizeof(chain)},
                                .next_header = 60,
                                .payload = {data, 3000}};
    const size_t len = s2_write_packet(in, &k);
    struct s2_inet_super s = make_super(len, S2_GSO_TCPV6, 1000);
    CU_ASSERT_FALSE(s2_inet_cut_begin(&c, &s));
    s.gso_type = S2_GSO_NONE;
    CU_ASSERT_FALSE(s2_inet_cut_begin(&c, &s)); /* the checksum would have no place */
    s.needs_checksum = false;
    CU_ASSERT_TRUE(s2_inet_cut_begin(&c, &s));
    CU_ASSERT_EQUAL(next_segment(&c, &header_len), len);
    CU_ASSERT_EQUAL(header_len, 0);
    CU_ASSERT_EQUAL(memcmp(segment, in, len), 0);
    CU_ASSERT_EQUAL(next_segment(&c, &header_len), 0);
}

static const struct {
    const char *row;
    struct s2_packet k;
    size_t payload, header_len;
} singles[] = {
    {"TCPv4", {.tcp_options = {timestamps, 12}}, 1001, 52},
    {"TCPv4, no payload", {.flags = SYN}, 0, 40},
    {"TCPv6", {.version = 6, .flags = RST}, 77, 60},
    {"UDPv4", {.protocol = S2_IP_UDP}, 1200, 28},
    {"UDPv6", {.version = 6, .protocol = S2_IP_UDP}, 1, 48},
};

static void a_single_packet_gets_its_checksum_completed(void)
{
    static uint8_t right[PACKET_ROOM];

    fill();
    for (size_t i = 0; i < sizeof(singles) / sizeof(singles[0]); i++) {
        struct s2_packet k = singles[i].k;
        struct s2_inet_cut c;
        size_t header_len = 0;

        k.payload = s2_span(data, singles[i].payload);
        const size_t len = s2_write_packet(in, &k);
        memcpy(right, in, len);
        struct s2_inet_super s = make_super(len, S2_GSO_NONE, 0);
        s.hdr_len = 0;
        CHECK_ROW(singles[i].row, s2_inet_cut_begin(&c, &s));
        CHECK_ROW(singles[i].row, next_segment(&c, &header_len) == len);
        CHECK_ROW(singles[i].row, header_len == singles[i].header_len);
        CHECK_ROW(singles[i].row, memcmp(segment, right, len) == 0);
        CHECK_ROW(singles[i].row, next_segment(&c, &header_len) == 0);
        /* and without anything to complete it passes as it is, padding cut off */
        memcpy(in, right, len);
        s.needs_checksum = false;
        s.len += 30;
        CHECK_ROW(singles[i].row, s2_inet_cut_begin(&c, &s));
        CHECK_ROW(singles[i].row, next_segment(&c, &header_len) == len);
        CHECK_ROW(singles[i].row, memcmp(segment, right, len) == 0);
    }
}

static void a_udp_checksum_that_comes_out_as_zero_is_ones(void)
{
    size_t found = 0;

    for (unsigned value = 0; value < 65536; value++) {
        struct s2_inet_cut c;
        size_t header_len = 0;
        uint8_t payload[2];

        s2_put_u16(payload, (uint16_t)value);
        const size_t len = s2_write_packet(
            in, &(struct s2_packet){.protocol = S2_IP_UDP, .payload = {payload, 2}});
        const struct s2_inet_super s = make_super(len, value % 2 ? S2_GSO_UDP_L4 : S2_GSO_NONE, 2);
        CU_ASSERT_TRUE(s2_inet_cut_begin(&c, &s));
        next_segment(&c, &header_len);
        CU_ASSERT_NOT_EQUAL(s2_get_u16(segment + 26), 0);
        found += s2_get_u16(segment + 26) == 0xffff;
    }
    CU_ASSERT_TRUE(found > 0);
}

static void a_checksum_outside_of_the_packet_is_refused(void)
{
    static const struct {
        const char *row;
        uint16_t start, offset;
        bool good;
    } rows[] = {
        {"in place", 20, 6, true},
        {"in the IP header", 10, 0, false},
        {"at the packet's last bytes", 20, 36, true},
        {"over the packet's end", 20, 37, false},
        {"start behind the packet", 60, 0, false},
        {"far away", 65535, 65535, false},
        {"behind what a header holds", 20, 99, false},
    };

    fill();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct s2_inet_cut c;
        const size_t payload = i == 6 ? 200 : 30;
        const size_t len = s2_write_packet(
            in, &(struct s2_packet){.protocol = S2_IP_UDP, .payload = {data, payload}});
        struct s2_inet_super s = make_super(len, S2_GSO_NONE, 0);

        s.csum_start = rows[i].start;
        s.csum_offset = rows[i].offset;
        CHECK_ROW(rows[i].row, s2_inet_cut_begin(&c, &s) == rows[i].good);
    }
}

static void the_mss_is_clamped_in_the_header_that_comes_out(void)
{
    static const uint8_t mss[4] = {2, 4, 0x05, 0xb4};
    struct s2_inet_cut c;
    uint8_t header[S2_INET_HEADER_MAX];
    s2svpn_span payload;
    size_t header_len = 0;
    const size_t len =
        s2_write_packet(in, &(struct s2_packet){.flags = SYN, .tcp_options = {mss, 4}});
    const struct s2_inet_super s = make_super(len, S2_GSO_NONE, 0);

    CU_ASSERT_TRUE(s2_inet_cut_begin(&c, &s));
    CU_ASSERT_TRUE(s2_inet_cut_next(&c, header, &header_len, &payload));
    s2_inet_clamp_mss(header, &c.view, 1379);
    CU_ASSERT_EQUAL(header_len, len);
    CU_ASSERT_EQUAL(s2_get_u16(header + 42), 1379);
    CU_ASSERT_TRUE(s2_check_packet(header, len));
}

const CU_TestInfo s2_test_segment[] = {
    {"every segment is a right packet and together they are the whole",
     every_segment_is_a_right_packet_and_together_they_are_the_whole},
    {"extension headers go into every segment", extension_headers_go_into_every_segment},
    {"the urgent pointer counts from its own segment",
     the_urgent_pointer_counts_from_its_own_segment},
    {"what foreign code gets wrong is refused", what_foreign_code_gets_wrong_is_refused},
    {"a UDP superpacket with another length is refused",
     a_udp_superpacket_with_another_length_is_refused},
    {"long headers are refused for cutting and passed whole",
     long_headers_are_refused_for_cutting_and_passed_whole},
    {"a single packet gets its checksum completed", a_single_packet_gets_its_checksum_completed},
    {"a UDP checksum that comes out as zero is ones",
     a_udp_checksum_that_comes_out_as_zero_is_ones},
    {"a checksum outside of the packet is refused", a_checksum_outside_of_the_packet_is_refused},
    {"the MSS is clamped in the header that comes out",
     the_mss_is_clamped_in_the_header_that_comes_out},
    CU_TEST_INFO_NULL,
};
