/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn/classify.c: RFC 3948 section 2, RFC 7296 section 3.1. */
#include <string.h>

#include "harness.h"
#include "s2svpn/io.h"

enum found { NOTHING, IKE, ESP, KEEPALIVE };

static const struct {
    const char *name;
    uint8_t role;
    uint8_t data[40];
    size_t len;
    enum found found;
    uint64_t spi_i, spi_r;
    uint32_t spi;
} rows[] = {
    {"a first IKE message",
     S2SVPN_ROLE_IKE,
     {1, 2, 3, 4, 5, 6, 7, 8},
     28,
     IKE,
     UINT64_C(0x0102030405060708),
     0,
     0},
    {"a later one",
     S2SVPN_ROLE_IKE,
     {0, 0, 0, 0, 0, 0, 0, 9, 0xff, 0, 0, 0, 0, 0, 0, 1},
     40,
     IKE,
     9,
     UINT64_C(0xff00000000000001),
     0},
    {"IKE that is too short", S2SVPN_ROLE_IKE, {1}, 27, NOTHING, 0, 0, 0},
    {"a keepalive where there are none", S2SVPN_ROLE_IKE, {0xff}, 1, NOTHING, 0, 0, 0},
    {"ESP in UDP", S2SVPN_ROLE_NATT, {0xab, 0xcd, 0xef, 1, 0, 0, 0, 1}, 8, ESP, 0, 0, 0xabcdef01},
    {"ESP in UDP that is too short", S2SVPN_ROLE_NATT, {1, 2, 3, 4, 5, 6, 7}, 7, NOTHING, 0, 0, 0},
    {"IKE behind the marker",
     S2SVPN_ROLE_NATT,
     {0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 2},
     32,
     IKE,
     UINT64_C(0x0100000000000002),
     0,
     0},
    {"IKE behind the marker, too short", S2SVPN_ROLE_NATT, {0, 0, 0, 0, 1}, 31, NOTHING, 0, 0, 0},
    {"a keepalive", S2SVPN_ROLE_NATT, {0xff}, 1, KEEPALIVE, 0, 0, 0},
    {"another single byte", S2SVPN_ROLE_NATT, {0xfe}, 1, NOTHING, 0, 0, 0},
    {"two bytes like keepalives", S2SVPN_ROLE_NATT, {0xff, 0xff}, 2, NOTHING, 0, 0, 0},
    {"ESP as protocol 50", S2SVPN_ROLE_RAW, {0, 0, 1, 0, 0, 0, 0, 1}, 8, ESP, 0, 0, 256},
    {"SPI 0 as protocol 50", S2SVPN_ROLE_RAW, {0}, 40, ESP, 0, 0, 0}, /* no marker there */
    {"protocol 50, too short", S2SVPN_ROLE_RAW, {1}, 4, NOTHING, 0, 0, 0},
    {"nothing at all", S2SVPN_ROLE_NATT, {0}, 0, NOTHING, 0, 0, 0},
    {"no role", 0, {1}, 40, NOTHING, 0, 0, 0},
    {"a role that there isn't", 4, {1}, 40, NOTHING, 0, 0, 0},
};

static void packets_are_told_apart_by_role_and_first_bytes(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        s2svpn_classification c;
        bool good;

        memset(&c, 0x5a, sizeof(c));
        good = s2svpn_classify(rows[i].role, rows[i].data, rows[i].len, &c);
        CHECK_ROW(rows[i].name, good == (rows[i].found != NOTHING));
        if (!good) {
            CHECK_ROW(rows[i].name, c.spi == 0x5a5a5a5a); /* untouched */
            continue;
        }
        CHECK_ROW(rows[i].name, c.ike == (rows[i].found == IKE));
        CHECK_ROW(rows[i].name, c.keepalive == (rows[i].found == KEEPALIVE));
        CHECK_ROW(rows[i].name, c.spi_i == rows[i].spi_i && c.spi_r == rows[i].spi_r);
        CHECK_ROW(rows[i].name, c.spi == rows[i].spi);
    }
}

const CU_TestInfo s2_test_classify[] = {
    {"packets are told apart by role and first bytes",
     packets_are_told_apart_by_role_and_first_bytes},
    CU_TEST_INFO_NULL,
};
