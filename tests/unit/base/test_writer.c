/* SPDX-License-Identifier: Apache-2.0 */
/* The cursor that writes: it mirrors the reader and never passes its end. */
#include "base/writer.h"

#include <string.h>

#include "base/bytes.h"
#include "base/reader.h"
#include "harness.h"

static void what_is_written_reads_back(void)
{
    uint8_t buf[64];
    struct s2_writer w;
    struct s2_reader r;
    uint8_t copy[3];

    s2_writer_init(&w, buf, sizeof(buf));
    s2_write_u8(&w, 0xf1);
    s2_write_u16(&w, 0xf1f2);
    s2_write_u24(&w, 0xf1f2f3);
    s2_write_u32(&w, 0xf1f2f3f4);
    s2_write_u64(&w, UINT64_C(0xf1f2f3f4f5f6f7f8));
    s2_write_bytes(&w, "abc", 3);
    s2_write_span(&w, s2_span("de", 2));
    s2_write_zero(&w, 2);
    CU_ASSERT(s2_writer_finish(&w) == S2SVPN_OK);
    CU_ASSERT(w.len == 25);

    s2_reader_init(&r, buf, w.len);
    CU_ASSERT(s2_read_u8(&r, "") == 0xf1);
    CU_ASSERT(s2_read_u16(&r, "") == 0xf1f2);
    CU_ASSERT(s2_read_u24(&r, "") == 0xf1f2f3);
    CU_ASSERT(s2_read_u32(&r, "") == 0xf1f2f3f4);
    CU_ASSERT(s2_read_u64(&r, "") == UINT64_C(0xf1f2f3f4f5f6f7f8));
    s2_read_copy(&r, copy, 3, "");
    CU_ASSERT(memcmp(copy, "abc", 3) == 0);
    CU_ASSERT(s2_span_equal(s2_read_rest(&r), s2_span("de\0\0", 4)));
    CU_ASSERT(s2_reader_finish(&r) == S2SVPN_OK);
}

/* Every buffer that is too small: nothing behind it is touched, and what comes
 * after the first thing that doesn't fit isn't written although it would fit. */
static void overflow_sticks_and_touches_nothing(void)
{
    for (size_t size = 0; size < 21; size++) {
        uint8_t buf[32];
        struct s2_writer w;

        memset(buf, 0xcc, sizeof(buf));
        s2_writer_init(&w, buf, size);
        s2_write_u64(&w, 1);
        s2_write_u32(&w, 1);
        s2_write_bytes(&w, "abcd", 4);
        s2_write_u24(&w, 1);
        s2_write_u16(&w, 1);
        const size_t len = w.len;
        if (w.overflow) {
            s2_write_u8(&w, 1);
            s2_write_zero(&w, 0);
        } else {
            s2_write_zero(&w, 1);
        }
        CU_ASSERT(s2_writer_finish(&w) == S2SVPN_E_NO_ROOM || size >= 21);
        CU_ASSERT(w.len == len);
        CU_ASSERT(w.len <= size);
        for (size_t i = w.len; i < sizeof(buf); i++)
            CU_ASSERT(buf[i] == 0xcc);
    }
}

static void room_is_given_once_and_counted(void)
{
    uint8_t buf[8] = {0};
    struct s2_writer w;

    s2_writer_init(&w, buf, sizeof(buf));
    CU_ASSERT(s2_write_room(&w, 3) == buf);
    CU_ASSERT(s2_write_room(&w, 5) == buf + 3);
    CU_ASSERT(w.len == 8);
    CU_ASSERT(s2_write_room(&w, 0) == buf + 8);
    CU_ASSERT(s2_writer_finish(&w) == S2SVPN_OK);
    CU_ASSERT(s2_write_room(&w, SIZE_MAX) == NULL);
    CU_ASSERT(s2_writer_finish(&w) == S2SVPN_E_NO_ROOM);
}

static void lengths_are_patched_in_place(void)
{
    uint8_t buf[8];
    struct s2_writer w;

    s2_writer_init(&w, buf, sizeof(buf));
    s2_write_zero(&w, 8);
    s2_write_patch_u8(&w, 0, 1);
    s2_write_patch_u16(&w, 1, 0x0203);
    s2_write_patch_u32(&w, 4, 0x05060708);
    CU_ASSERT(s2_writer_finish(&w) == S2SVPN_OK);
    CU_ASSERT(memcmp(buf, "\1\2\3\0\5\6\7\10", 8) == 0);
}

static void a_patch_behind_the_written_part_fails(void)
{
    static const struct {
        const char *row;
        size_t at, n;
    } bad[] = {
        {"u8 at the end", 4, 1},  {"u16 over the end", 3, 2}, {"u32 over the end", 1, 4},
        {"u8 far away", 1000, 1}, {"wraps", SIZE_MAX, 2},
    };

    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        uint8_t buf[8];
        struct s2_writer w;

        memset(buf, 0xcc, sizeof(buf));
        s2_writer_init(&w, buf, sizeof(buf));
        s2_write_u32(&w, 0xcccccccc);
        if (bad[i].n == 1)
            s2_write_patch_u8(&w, bad[i].at, 1);
        else if (bad[i].n == 2)
            s2_write_patch_u16(&w, bad[i].at, 1);
        else
            s2_write_patch_u32(&w, bad[i].at, 1);
        CHECK_ROW(bad[i].row, s2_writer_finish(&w) == S2SVPN_E_NO_ROOM);
        CHECK_ROW(bad[i].row, memcmp(buf, "\xcc\xcc\xcc\xcc\xcc\xcc\xcc\xcc", 8) == 0);
    }
}

static void a_writer_without_a_buffer_only_overflows(void)
{
    struct s2_writer w;

    s2_writer_init(&w, NULL, 0);
    s2_write_bytes(&w, NULL, 0);
    s2_write_zero(&w, 0);
    CU_ASSERT(s2_writer_finish(&w) == S2SVPN_OK);
    s2_write_u8(&w, 1);
    CU_ASSERT(s2_writer_finish(&w) == S2SVPN_E_NO_ROOM);
}

const CU_TestInfo s2_test_writer[] = {
    {"what is written reads back", what_is_written_reads_back},
    {"overflow sticks and touches nothing", overflow_sticks_and_touches_nothing},
    {"room is given once and counted", room_is_given_once_and_counted},
    {"lengths are patched in place", lengths_are_patched_in_place},
    {"a patch behind the written part fails", a_patch_behind_the_written_part_fails},
    {"a writer without a buffer only overflows", a_writer_without_a_buffer_only_overflows},
    CU_TEST_INFO_NULL,
};
