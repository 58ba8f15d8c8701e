/* SPDX-License-Identifier: Apache-2.0 */
/* Loads, stores, wiping and comparing. */
#include "base/bytes.h"

#include <string.h>

#include "harness.h"

static void stores_are_big_endian_and_loads_mirror_them(void)
{
    uint8_t b[9] = {0};

    s2_put_u64(b + 1, UINT64_C(0x0123456789abcdef)); /* at an odd address */
    CU_ASSERT(memcmp(b + 1, "\x01\x23\x45\x67\x89\xab\xcd\xef", 8) == 0);
    CU_ASSERT(s2_get_u16(b + 1) == 0x0123);
    CU_ASSERT(s2_get_u32(b + 5) == 0x89abcdef);
    CU_ASSERT(s2_get_u64(b + 1) == UINT64_C(0x0123456789abcdef));
    s2_put_u16(b, 0xfedc);
    s2_put_u32(b + 2, 0xffffffff);
    CU_ASSERT(memcmp(b, "\xfe\xdc\xff\xff\xff\xff\xab\xcd\xef", 9) == 0);
}

static void wiping_reaches_every_byte_and_no_other(void)
{
    uint8_t b[6];

    memset(b, 0xee, sizeof(b));
    s2_wipe(b + 1, 4);
    CU_ASSERT(memcmp(b, "\xee\0\0\0\0\xee", 6) == 0);
    s2_wipe(NULL, 0);
}

static void a_difference_in_any_bit_is_seen(void)
{
    uint8_t a[33], b[33];

    memset(a, 0x5a, sizeof(a));
    for (size_t bit = 0; bit < sizeof(a) * 8; bit++) {
        memcpy(b, a, sizeof(a));
        b[bit / 8] ^= (uint8_t)(1 << bit % 8);
        CU_ASSERT(!s2_equal_ct(a, b, sizeof(a)));
        CU_ASSERT(s2_equal_ct(a, b, bit / 8));
    }
    CU_ASSERT(s2_equal_ct(a, a, sizeof(a)));
    CU_ASSERT(s2_equal_ct(NULL, NULL, 0));
}

static void spans_are_equal_by_length_and_bytes(void)
{
    CU_ASSERT(s2_span_equal(s2_span("ab", 2), s2_span("abc", 2)));
    CU_ASSERT(!s2_span_equal(s2_span("ab", 2), s2_span("abc", 3)));
    CU_ASSERT(!s2_span_equal(s2_span("ab", 2), s2_span("ax", 2)));
    CU_ASSERT(s2_span_equal(s2_span(NULL, 0), s2_span("x", 0)));
}

static void a_secret_holds_up_to_its_size_and_forgets_the_last(void)
{
    struct s2_secret s, other;
    uint8_t big[S2_SECRET_MAX + 1];
    static const struct s2_secret empty;

    memset(big, 7, sizeof(big));
    CU_ASSERT(s2_secret_set(&s, big, S2_SECRET_MAX));
    CU_ASSERT(s2_secret_span(&s).len == S2_SECRET_MAX);
    CU_ASSERT(s2_secret_set(&s, "key", 3));
    CU_ASSERT(s2_span_equal(s2_secret_span(&s), s2_span("key", 3)));
    CU_ASSERT(s.bytes[3] == 0 && s.bytes[S2_SECRET_MAX - 1] == 0);

    CU_ASSERT(s2_secret_set(&other, "key", 3));
    CU_ASSERT(s2_secret_equal(&s, &other));
    CU_ASSERT(s2_secret_set(&other, "kex", 3));
    CU_ASSERT(!s2_secret_equal(&s, &other));
    CU_ASSERT(s2_secret_set(&other, "key\0", 4));
    CU_ASSERT(!s2_secret_equal(&s, &other));

    CU_ASSERT(!s2_secret_set(&s, big, sizeof(big)));
    CU_ASSERT(memcmp(&s, &empty, sizeof(s)) == 0);
    s2_secret_clear(&other);
    CU_ASSERT(memcmp(&other, &empty, sizeof(other)) == 0);
}

const CU_TestInfo s2_test_bytes[] = {
    {"stores are big-endian and loads mirror them", stores_are_big_endian_and_loads_mirror_them},
    {"wiping reaches every byte and no other", wiping_reaches_every_byte_and_no_other},
    {"a difference in any bit is seen", a_difference_in_any_bit_is_seen},
    {"spans are equal by length and bytes", spans_are_equal_by_length_and_bytes},
    {"a secret holds up to its size and forgets the last",
     a_secret_holds_up_to_its_size_and_forgets_the_last},
    CU_TEST_INFO_NULL,
};
