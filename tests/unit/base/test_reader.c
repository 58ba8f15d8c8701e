/* SPDX-License-Identifier: Apache-2.0 */
/* The cursor over foreign bytes: values, limits, the first failure that sticks. */
#include "base/reader.h"

#include <string.h>

#include "base/bytes.h"
#include "harness.h"

static const uint8_t wire[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19};

static void values_are_read_in_network_order(void)
{
    struct s2_reader r;
    uint8_t copy[1];

    s2_reader_init(&r, wire, sizeof(wire));
    CU_ASSERT(s2_read_u8(&r, "a") == 0x01);
    CU_ASSERT(s2_read_u16(&r, "b") == 0x0203);
    CU_ASSERT(s2_read_u24(&r, "c") == 0x040506);
    CU_ASSERT(s2_read_u32(&r, "d") == 0x0708090a);
    CU_ASSERT(s2_read_u64(&r, "e") == UINT64_C(0x0b0c0d0e0f101112));
    s2_read_copy(&r, copy, 1, "f");
    CU_ASSERT(copy[0] == 0x13);
    CU_ASSERT(r.left == 0);
    CU_ASSERT(r.offset == sizeof(wire));
    CU_ASSERT(s2_reader_finish(&r) == S2SVPN_OK);
}

static void read_u8(struct s2_reader *r)
{
    CU_ASSERT(s2_read_u8(r, "u8") == 0);
}
static void read_u16(struct s2_reader *r)
{
    CU_ASSERT(s2_read_u16(r, "u16") == 0);
}
static void read_u24(struct s2_reader *r)
{
    CU_ASSERT(s2_read_u24(r, "u24") == 0);
}
static void read_u32(struct s2_reader *r)
{
    CU_ASSERT(s2_read_u32(r, "u32") == 0);
}
static void read_u64(struct s2_reader *r)
{
    CU_ASSERT(s2_read_u64(r, "u64") == 0);
}
static void read_copy(struct s2_reader *r)
{
    uint8_t out[3] = {9, 9, 9};

    s2_read_copy(r, out, 3, "copy");
    CU_ASSERT(out[0] == 0 && out[1] == 0 && out[2] == 0);
}
static void read_span(struct s2_reader *r)
{
    const s2svpn_span s = s2_read_span(r, 3, "span");

    CU_ASSERT(s.p == NULL && s.len == 0);
}
static void read_skip(struct s2_reader *r)
{
    s2_read_skip(r, SIZE_MAX, "skip");
}
static void read_sub(struct s2_reader *r)
{
    struct s2_reader sub = s2_read_sub(r, 3, "sub");

    CU_ASSERT(sub.rc == S2SVPN_E_MALFORMED && sub.left == 0);
    CU_ASSERT(s2_read_u8(&sub, "inner") == 0);
    CU_ASSERT_STRING_EQUAL(sub.field, "sub");
}

static const struct {
    const char *field;
    size_t len; /* of the input: too short by one or more */
    void (*read)(struct s2_reader *r);
} reads[] = {
    {"u8", 0, read_u8},     {"u16", 1, read_u16},   {"u24", 2, read_u24},
    {"u32", 3, read_u32},   {"u64", 7, read_u64},   {"copy", 2, read_copy},
    {"span", 2, read_span}, {"skip", 5, read_skip}, {"sub", 2, read_sub},
};

static void a_read_beyond_the_end_fails_with_field_and_offset(void)
{
    for (size_t i = 0; i < sizeof(reads) / sizeof(reads[0]); i++) {
        struct s2_reader r;

        s2_reader_init(&r, wire, 4 + reads[i].len);
        s2_read_skip(&r, 4, "start");
        reads[i].read(&r);
        CHECK_ROW(reads[i].field, r.rc == S2SVPN_E_MALFORMED);
        CHECK_ROW(reads[i].field, strcmp(r.field, reads[i].field) == 0);
        CHECK_ROW(reads[i].field, r.fail_offset == 4);
    }
}

static void the_first_failure_sticks(void)
{
    struct s2_reader r;

    s2_reader_init(&r, wire, 3);
    s2_read_skip(&r, 1, "start");
    CU_ASSERT(s2_read_u32(&r, "first") == 0);
    CU_ASSERT(s2_read_u8(&r, "second") == 0); /* although there is a byte left */
    CU_ASSERT(s2_read_rest(&r).len == 0);
    CU_ASSERT(s2_reader_fail(&r, S2SVPN_E_LIMIT, "third") == S2SVPN_E_MALFORMED);
    CU_ASSERT(s2_reader_finish(&r) == S2SVPN_E_MALFORMED);
    CU_ASSERT_STRING_EQUAL(r.field, "first");
    CU_ASSERT(r.fail_offset == 1);
}

static void bytes_left_over_are_refused(void)
{
    struct s2_reader r;

    s2_reader_init(&r, wire, 3);
    s2_read_skip(&r, 2, "start");
    CU_ASSERT(s2_reader_finish(&r) == S2SVPN_E_MALFORMED);
    CU_ASSERT_STRING_EQUAL(r.field, "trailing bytes");
    CU_ASSERT(r.fail_offset == 2);
}

static void a_sub_reader_ends_before_its_neighbour(void)
{
    struct s2_reader r;

    s2_reader_init(&r, wire, sizeof(wire));
    s2_read_skip(&r, 2, "start");
    struct s2_reader sub = s2_read_sub(&r, 3, "sub");
    CU_ASSERT(s2_read_u16(&sub, "in") == 0x0304);
    CU_ASSERT(s2_read_u16(&sub, "beyond") == 0);
    CU_ASSERT(sub.fail_offset == 4); /* counted in the whole message */
    CU_ASSERT(s2_read_u8(&r, "next") == 6);
    CU_ASSERT(s2_reader_join(&r, &sub) == S2SVPN_E_MALFORMED);
    CU_ASSERT_STRING_EQUAL(r.field, "beyond");
    CU_ASSERT(r.fail_offset == 4);
}

static void joining_keeps_an_older_failure(void)
{
    struct s2_reader r, sub;

    s2_reader_init(&r, wire, 4);
    sub = s2_read_sub(&r, 2, "sub");
    CU_ASSERT(s2_reader_join(&r, &sub) == S2SVPN_OK);
    s2_reader_fail(&r, S2SVPN_E_LIMIT, "ours");
    s2_reader_fail(&sub, S2SVPN_E_MALFORMED, "theirs");
    CU_ASSERT(s2_reader_join(&r, &sub) == S2SVPN_E_LIMIT);
    CU_ASSERT_STRING_EQUAL(r.field, "ours");
}

static void spans_lie_in_the_input(void)
{
    struct s2_reader r;

    s2_reader_init(&r, wire, 6);
    const s2svpn_span s = s2_read_span(&r, 2, "s");
    CU_ASSERT(s.p == wire && s.len == 2);
    const s2svpn_span rest = s2_read_rest(&r);
    CU_ASSERT(rest.p == wire + 2 && rest.len == 4);
    CU_ASSERT(s2_read_rest(&r).len == 0);
    CU_ASSERT(s2_reader_finish(&r) == S2SVPN_OK);
}

static void no_input_at_all_is_read_as_empty(void)
{
    struct s2_reader r;

    s2_reader_init(&r, NULL, 0);
    CU_ASSERT(s2_read_rest(&r).len == 0);
    s2_read_copy(&r, NULL, 0, "nothing");
    struct s2_reader sub = s2_read_sub(&r, 0, "nothing");
    CU_ASSERT(s2_reader_finish(&sub) == S2SVPN_OK);
    CU_ASSERT(s2_reader_finish(&r) == S2SVPN_OK);
}

const CU_TestInfo s2_test_reader[] = {
    {"values are read in network order", values_are_read_in_network_order},
    {"a read beyond the end fails with field and offset",
     a_read_beyond_the_end_fails_with_field_and_offset},
    {"the first failure sticks", the_first_failure_sticks},
    {"bytes left over are refused", bytes_left_over_are_refused},
    {"a sub-reader ends before its neighbour", a_sub_reader_ends_before_its_neighbour},
    {"joining keeps an older failure", joining_keeps_an_older_failure},
    {"spans lie in the input", spans_lie_in_the_input},
    {"no input at all is read as empty", no_input_at_all_is_read_as_empty},
    CU_TEST_INFO_NULL,
};
