/* SPDX-License-Identifier: Apache-2.0 */
/* The MSS clamp: where the option stands, what it does to the checksum, and what it
 * leaves alone. */
#include "inet/inet.h"

#include <string.h>

#include "base/bytes.h"
#include "harness.h"
#include "packet.h"

static const struct {
    const char *row;
    uint8_t options[24];
    size_t len;
    uint8_t flags;
    uint16_t place;
    size_t at; /* of the value, in the options; 0: nothing to change */
    uint16_t expected;
} rows[] = {
    {"first option", {2, 4, 0x05, 0xb4}, 4, SYN, 0, 2, 1379},
    {"SYN and ACK", {2, 4, 0x05, 0xb4}, 4, SYN | ACK, 0, 2, 1379},
    {"behind one NOP", {1, 2, 4, 0x05, 0xb4, 0, 0, 0}, 8, SYN, 0, 3, 1379},
    {"behind three NOPs", {1, 1, 1, 2, 4, 0x05, 0xb4, 0}, 8, SYN, 0, 5, 1379},
    {"behind window scale and SACK",
     {3, 3, 7, 4, 2, 2, 4, 0xff, 0xff, 0, 0, 0},
     12,
     SYN,
     0,
     7,
     1379},
    {"equal", {2, 4, 0x05, 0x63}, 4, SYN, 0, 2, 1379},
    {"already lower", {2, 4, 0x02, 0x18}, 4, SYN, 0, 2, 536},
    {"first fragment", {2, 4, 0x05, 0xb4}, 4, SYN, 0x2000, 2, 1379},
    {"no SYN", {2, 4, 0x05, 0xb4}, 4, ACK, 0, 2, 1460},
    {"behind the end of options", {0, 2, 4, 0x05, 0xb4, 0, 0, 0}, 8, SYN, 0, 3, 1460},
    {"of a wrong length", {2, 3, 0x05, 0xb4}, 4, SYN, 0, 2, 1460},
    {"behind an option of length 0", {8, 0, 2, 4, 0x05, 0xb4, 0, 0}, 8, SYN, 0, 4, 1460},
    {"behind an option of length 1", {8, 1, 2, 4, 0x05, 0xb4, 0, 0}, 8, SYN, 0, 4, 1460},
    {"cut off by the header's end", {1, 1, 2, 4}, 4, SYN, 0, 0, 0},
    {"an option that runs over the end", {8, 40, 2, 4, 0x05, 0xb4, 0, 0}, 8, SYN, 0, 4, 1460},
    {"a later fragment", {2, 4, 0x05, 0xb4}, 4, SYN, 0x2001, 2, 1460},
};

static void the_mss_is_lowered_and_the_checksum_stays_right(void)
{
    static uint8_t p[PACKET_ROOM], before[PACKET_ROOM];
    static const uint8_t data[48] = {1, 2, 3};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        for (int version = 4; version <= 6; version += 2) {
            const struct s2_packet k = {.version = (uint8_t)version,
                                        .place = rows[i].place,
                                        .flags = rows[i].flags,
                                        .tcp_options = {rows[i].options, rows[i].len},
                                        .payload = {data, 48 - (20 + rows[i].len) % 8}};
            const size_t len = s2_write_packet(p, &k);

            if (version == 6 && rows[i].place != 0)
                continue; /* the row's flags are IPv4's */
            const struct s2_inet_view v = s2_must_view(p, len);
            memcpy(before, p, len);
            s2_inet_clamp_mss(p, &v, 1379);
            CHECK_ROW(rows[i].row, s2_check_packet(p, len));
            if (rows[i].at == 0)
                CHECK_ROW(rows[i].row, memcmp(p, before, len) == 0);
            else
                CHECK_ROW(rows[i].row,
                          s2_get_u16(p + v.header_len + 20 + rows[i].at) == rows[i].expected);
        }
    }
}

static void other_packets_are_left_alone(void)
{
    static uint8_t p[PACKET_ROOM], before[PACKET_ROOM];
    static const uint8_t options[4] = {2, 4, 0x05, 0xb4};

    for (unsigned i = 0; i < 4; i++) {
        struct s2_packet k = {.flags = SYN, .tcp_options = {options, 4}};
        if (i == 3) { /* a UDP datagram that looks like a SYN behind its header */
            k.protocol = S2_IP_UDP;
            k.payload = s2_span(options, 4);
        }
        size_t len = s2_write_packet(p, &k);

        if (i == 0)
            p[20 + 12] = 0x40; /* data offset below 5 */
        if (i == 1)
            p[20 + 12] = 0xf0; /* and behind the packet */
        if (i == 2) {
            s2_put_u16(p + 2, 39); /* not even a TCP header */
            s2_fix_ip(p);
            len = 39;
        }
        const struct s2_inet_view v = s2_must_view(p, len);
        memcpy(before, p, sizeof(p));
        s2_inet_clamp_mss(p, &v, 500);
        CU_ASSERT_EQUAL(memcmp(p, before, sizeof(p)), 0);
    }
}

const CU_TestInfo s2_test_clamp[] = {
    {"the MSS is lowered and the checksum stays right",
     the_mss_is_lowered_and_the_checksum_stays_right},
    {"other packets are left alone", other_packets_are_left_alone},
    CU_TEST_INFO_NULL,
};
