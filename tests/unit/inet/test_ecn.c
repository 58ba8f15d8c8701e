/* SPDX-License-Identifier: Apache-2.0 */
/* Congestion marks out of a tunnel: RFC 6040 figure 4, cell by cell, both families. */
#include "inet/inet.h"

#include <string.h>

#include "harness.h"
#include "packet.h"

enum { NOT_ECT = 0, ECT_1 = 1, ECT_0 = 2, CE = 3, LOST = -1 };

static const struct {
    const char *name;
    uint8_t inner, outer;
    int wanted;
} rows[] = {
    {"Not-ECT in Not-ECT", NOT_ECT, NOT_ECT, NOT_ECT},
    {"Not-ECT in ECT(0)", NOT_ECT, ECT_0, NOT_ECT},
    {"Not-ECT in ECT(1)", NOT_ECT, ECT_1, NOT_ECT},
    {"Not-ECT in CE", NOT_ECT, CE, LOST},
    {"ECT(0) in Not-ECT", ECT_0, NOT_ECT, ECT_0},
    {"ECT(0) in ECT(0)", ECT_0, ECT_0, ECT_0},
    {"ECT(0) in ECT(1)", ECT_0, ECT_1, ECT_1},
    {"ECT(0) in CE", ECT_0, CE, CE},
    {"ECT(1) in Not-ECT", ECT_1, NOT_ECT, ECT_1},
    {"ECT(1) in ECT(0)", ECT_1, ECT_0, ECT_1},
    {"ECT(1) in ECT(1)", ECT_1, ECT_1, ECT_1},
    {"ECT(1) in CE", ECT_1, CE, CE},
    {"CE in Not-ECT", CE, NOT_ECT, CE},
    {"CE in ECT(0)", CE, ECT_0, CE},
    {"CE in ECT(1)", CE, ECT_1, CE},
    {"CE in CE", CE, CE, CE},
};

static void every_pair_of_marks_is_as_rfc_6040_says(void)
{
    static uint8_t p[PACKET_ROOM], before[PACKET_ROOM];
    static const uint8_t data[100] = {1, 2, 3};

    for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
        const char *name = rows[i / 2].name;
        const uint8_t dscp = (uint8_t)(i * 4);
        const struct s2_packet k = {.version = i % 2 ? 6 : 4,
                                    .tos = (uint8_t)(dscp | rows[i / 2].inner),
                                    .payload = {data, sizeof(data)}};
        const size_t len = s2_write_packet(p, &k);
        struct s2_inet_view v = s2_must_view(p, len);

        memcpy(before, p, len);
        /* the outer DSCP plays no part */
        const bool passes = s2_inet_leave_tunnel(p, &v, (uint8_t)(0xb8 ^ dscp) | rows[i / 2].outer);
        CHECK_ROW(name, passes == (rows[i / 2].wanted != LOST));
        if (!passes) {
            CHECK_ROW(name, memcmp(p, before, len) == 0);
            continue;
        }
        CHECK_ROW(name, v.tos == (dscp | rows[i / 2].wanted));
        CHECK_ROW(name, s2_must_view(p, len).tos == v.tos);
        CHECK_ROW(name, s2_check_packet(p, len));
        /* nothing else has changed */
        const size_t head = k.version == 6 ? 2 : 12;
        CHECK_ROW(name, p[0] >> 4 == k.version && memcmp(p + head, before + head, len - head) == 0);
    }
}

/* Every value of TOS and every checksum that comes of it. */
static void the_checksum_stays_right(void)
{
    static uint8_t p[PACKET_ROOM];

    for (uint32_t i = 0; i < 256 * 256; i += 7) {
        const struct s2_packet k = {.tos = (uint8_t)(i | ECT_0), .id = (uint16_t)i};
        const size_t len = s2_write_packet(p, &k);
        struct s2_inet_view v = s2_must_view(p, len);

        if (!s2_inet_leave_tunnel(p, &v, CE) || !s2_check_packet(p, len))
            CU_FAIL_FATAL("a wrong checksum");
    }
    CU_PASS("all right");
}

const CU_TestInfo s2_test_ecn[] = {
    {"every pair of marks is as RFC 6040 says", every_pair_of_marks_is_as_rfc_6040_says},
    {"the checksum stays right", the_checksum_stays_right},
    CU_TEST_INFO_NULL,
};
