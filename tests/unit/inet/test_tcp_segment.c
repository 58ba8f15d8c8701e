/* SPDX-License-Identifier: Apache-2.0 */
/* The wire form of segments: what is refused, what is read. */
#include "inet/tcp.h"

#include <string.h>

#include "base/address.h"
#include "base/checksum.h"

#include "harness.h"
#include "tcp_script.h"

/* A TCP segment's bytes as IPv4 packet; the segment's checksum is made right. */
static bool parse(const uint8_t *tcp, size_t len, bool right, struct s2_tcp_segment *s)
{
    static uint8_t packet[20 + 100]; /* text is borrowed from it */
    struct s2_inet_view v = {
        .version = 4,
        .protocol = S2_IP_TCP,
        .header_len = 20,
        .total_len = (uint16_t)(20 + len),
        .source = s2_address_ipv4(0xc0000201),
        .destination = s2_address_ipv4(0xc0000202),
    };

    memcpy(packet + 20, tcp, len);
    if (len >= 18) {
        s2_put_u16(packet + 36, 0);
        uint64_t sum = s2_tcp_pseudo_sum(&v.source, &v.destination, S2_IP_TCP, len);
        sum = s2_checksum_add(sum, packet + 20, len);
        s2_put_u16(packet + 36, (uint16_t)(s2_checksum_finish(sum) + !right));
    }
    return s2_tcp_parse(packet, &v, s);
}

static const struct {
    const char *row;
    uint8_t tcp[40];
    size_t len;
    bool wrong_checksum, good;
    uint16_t mss;
    size_t text;
} rows[] = {
    {.row = "empty", .len = 0},
    {.row = "no room for a header", .tcp = {1, 0, 0, 179, [12] = 0x50}, .len = 19},
    {.row = "bare", .tcp = {1, 0, 0, 179, [12] = 0x50}, .len = 20, .good = true},
    {.row = "wrong checksum",
     .tcp = {1, 0, 0, 179, [12] = 0x50},
     .len = 20,
     .wrong_checksum = true},
    {.row = "text", .tcp = {1, 0, 0, 179, [12] = 0x50}, .len = 25, .good = true, .text = 5},
    {.row = "header too short", .tcp = {1, 0, 0, 179, [12] = 0x40}, .len = 20},
    {.row = "header longer than the segment", .tcp = {1, 0, 0, 179, [12] = 0x60}, .len = 20},
    {.row = "source port 0", .tcp = {0, 0, 0, 179, [12] = 0x50}, .len = 20},
    {.row = "destination port 0", .tcp = {1, 0, 0, 0, [12] = 0x50}, .len = 20},
    {.row = "MSS on SYN",
     .tcp = {1, 0, 0, 179, [12] = 0x60, 2, [20] = 2, 4, 5, 0xb4},
     .len = 24,
     .good = true,
     .mss = 1460},
    {.row = "MSS without SYN is ignored",
     .tcp = {1, 0, 0, 179, [12] = 0x60, 16, [20] = 2, 4, 5, 0xb4},
     .len = 24,
     .good = true},
    {.row = "MSS behind others, then end, then rubbish",
     .tcp = {1, 0, 0, 179, [12] = 0x80, 2, [20] = 1, 3, 3, 7, 2, 4, 0, 100, 0, 9, 0, 9},
     .len = 32,
     .good = true,
     .mss = 100},
    {.row = "MSS of a wrong length",
     .tcp = {1, 0, 0, 179, [12] = 0x60, 2, [20] = 2, 3, 5, 0xb4},
     .len = 24},
    {.row = "option of length 0",
     .tcp = {1, 0, 0, 179, [12] = 0x60, 2, [20] = 8, 0, 0, 0},
     .len = 24},
    {.row = "option of length 1",
     .tcp = {1, 0, 0, 179, [12] = 0x60, 2, [20] = 8, 1, 0, 0},
     .len = 24},
    {.row = "option beyond the header",
     .tcp = {1, 0, 0, 179, [12] = 0x60, 2, [20] = 8, 5, 0, 0},
     .len = 28},
    {.row = "option without length",
     .tcp = {1, 0, 0, 179, [12] = 0x60, 2, [20] = 1, 1, 1, 8},
     .len = 24},
};

static void malformed_segments_are_refused(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct s2_tcp_segment s;
        const bool good = parse(rows[i].tcp, rows[i].len, !rows[i].wrong_checksum, &s);

        CHECK_ROW(rows[i].row, good == rows[i].good);
        CHECK_ROW(rows[i].row, !good || s.mss == rows[i].mss);
        CHECK_ROW(rows[i].row, !good || s.text.len == rows[i].text);
    }
}

static void every_field_is_read(void)
{
    static const uint8_t tcp[] = {0x01, 0x02, 0x03, 0x04, 0x11, 0x12, 0x13, 0x14, 0x21, 0x22, 0x23,
                                  0x24, 0x50, 0xff, 0x31, 0x32, 0,    0,    0x41, 0x42, 'x'};
    struct s2_tcp_segment s;

    CU_ASSERT(parse(tcp, sizeof(tcp), true, &s));
    CU_ASSERT_EQUAL(s.source_port, 0x0102);
    CU_ASSERT_EQUAL(s.destination_port, 0x0304);
    CU_ASSERT_EQUAL(s.seq, 0x11121314);
    CU_ASSERT_EQUAL(s.ack, 0x21222324);
    CU_ASSERT_EQUAL(s.flags, 0xff);
    CU_ASSERT_EQUAL(s.window, 0x3132);
    CU_ASSERT(s2_span_equal(s.text, s2_span("x", 1)));
    CU_ASSERT_EQUAL(s2_tcp_segment_len(&s), 3);
}

static void sequence_numbers_compare_around_the_wrap(void)
{
    CU_ASSERT(s2_seq_lt(1, 2) && !s2_seq_lt(2, 1) && !s2_seq_lt(2, 2));
    CU_ASSERT(s2_seq_le(1, 2) && !s2_seq_le(2, 1) && s2_seq_le(2, 2));
    CU_ASSERT(s2_seq_lt(0xfffffff0u, 5) && !s2_seq_lt(5, 0xfffffff0u));
    CU_ASSERT(s2_seq_le(0xfffffff0u, 5) && !s2_seq_le(5, 0xfffffff0u));
}

const CU_TestInfo s2_test_tcp_segment[] = {
    {"malformed segments are refused", malformed_segments_are_refused},
    {"every field is read", every_field_is_read},
    {"sequence numbers compare around the wrap", sequence_numbers_compare_around_the_wrap},
    CU_TEST_INFO_NULL,
};
