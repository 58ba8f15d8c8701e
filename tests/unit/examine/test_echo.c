/* SPDX-License-Identifier: Apache-2.0 */
/* examples/echo.c: pings, written and read. */
#include "echo.h"

#include <stdlib.h>
#include <string.h>

#include "harness.h"

static s2svpn_address address(const char *text)
{
    s2svpn_address a = {0};

    if (!s2svpn_address_read(text, &a))
        abort();
    return a;
}

static const struct {
    const char *name, *from, *to;
    bool reply;
    uint16_t len;
    bool fits;
} rows[] = {
    {"a request", "10.0.1.10", "192.168.7.1", false, 84, true},
    {"a reply", "192.168.7.1", "10.0.1.10", true, 84, true},
    {"an odd length", "10.0.1.10", "192.168.7.1", false, 85, true},
    {"the least", "10.0.1.10", "192.168.7.1", false, 28, true},
    {"too short", "10.0.1.10", "192.168.7.1", false, 27, false},
    {"the most", "10.0.1.10", "192.168.7.1", false, ECHO_MAX, true},
    {"no room", "10.0.1.10", "192.168.7.1", false, ECHO_MAX + 1, false},
    {"IPv6", "2001:db8::1", "2001:db8::2", false, 104, true},
    {"IPv6, too short", "2001:db8::1", "2001:db8::2", false, 47, false},
    {"two families", "10.0.1.10", "2001:db8::2", false, 104, false},
};

static void what_is_written_is_read(void)
{
    static uint8_t p[ECHO_MAX];

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        const struct echo e = {.from = address(rows[i].from),
                               .to = address(rows[i].to),
                               .reply = rows[i].reply,
                               .id = 1,
                               .sequence = 513,
                               .len = rows[i].len};
        const size_t len = echo_write(&e, p, sizeof(p));
        struct echo got = {0};

        CHECK_ROW(rows[i].name, len == (rows[i].fits ? rows[i].len : 0));
        if (len == 0)
            continue;
        CHECK_ROW(rows[i].name, echo_read(p, len, &got));
        CHECK_ROW(rows[i].name, memcmp(&got.from, &e.from, sizeof(e.from)) == 0);
        CHECK_ROW(rows[i].name, memcmp(&got.to, &e.to, sizeof(e.to)) == 0);
        CHECK_ROW(rows[i].name, got.reply == e.reply && got.id == 1 && got.sequence == 513);
        CHECK_ROW(rows[i].name, got.len == len);
    }
}

/* In memory of exactly its size, for a sanitizer. */
static bool reads(const uint8_t *p, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    struct echo e;
    bool good;

    if (copy == NULL)
        abort();
    memcpy(copy, p, len);
    good = echo_read(copy, len, &e);
    free(copy);
    return good;
}

static void what_is_cut_or_changed_is_no_ping(void)
{
    static const char *const pairs[][2] = {{"10.0.1.10", "192.168.7.1"},
                                           {"2001:db8::1", "2001:db8::2"}};
    uint8_t p[104];

    for (size_t i = 0; i < 2; i++) {
        const struct echo e = {
            .from = address(pairs[i][0]), .to = address(pairs[i][1]), .id = 7, .len = 100};
        const size_t len = echo_write(&e, p, sizeof(p)), header = i == 0 ? 20 : 40;

        CU_ASSERT_TRUE(reads(p, len));
        for (size_t n = 0; n < len; n++)
            CU_ASSERT_FALSE(reads(p, n));
        for (size_t at = header; at < len; at++) {
            p[at] ^= 0x11;
            CU_ASSERT_FALSE(reads(p, len));
            p[at] ^= 0x11;
        }
    }
}

static void fragments_are_counted_and_no_pings(void)
{
    const s2svpn_address from = address("192.168.7.1"), to = address("10.0.1.10");
    const struct echo e = {.from = from, .to = to, .reply = true, .len = 84};
    uint8_t p[84];

    CU_ASSERT_EQUAL(echo_write(&e, p, sizeof(p)), 84);
    CU_ASSERT_EQUAL(echo_fragment(p, 84, &from, &to), 0);
    p[6] = 0x20; /* more fragments */
    CU_ASSERT_EQUAL(echo_fragment(p, 84, &from, &to), 64);
    CU_ASSERT_EQUAL(echo_fragment(p, 84, &to, &from), 0);
    CU_ASSERT_EQUAL(echo_fragment(p, 83, &from, &to), 0);
    CU_ASSERT_FALSE(reads(p, 84));
}

const CU_TestInfo s2_test_echo[] = {
    {"what is written is read", what_is_written_is_read},
    {"what is cut or changed is no ping", what_is_cut_or_changed_is_no_ping},
    {"fragments are counted and no pings", fragments_are_counted_and_no_pings},
    CU_TEST_INFO_NULL,
};
