/* SPDX-License-Identifier: Apache-2.0 */
/* Texts: always ended, never beyond their room, numbers strict. */
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

#include "fake_env.h"
#include "harness.h"

static void printing_is_cut_and_ended(void)
{
    char out[8];

    memset(out, 'z', sizeof(out));
    CU_ASSERT(s2_print(out, 5, "%d", 1234567) == 4);
    CU_ASSERT(memcmp(out, "1234\0zzz", 8) == 0);
    CU_ASSERT(s2_print(out, sizeof(out), "%s", "ab") == 2);
    CU_ASSERT_STRING_EQUAL(out, "ab");
    CU_ASSERT(s2_print(out, 0, "x") == 0);
    CU_ASSERT_STRING_EQUAL(out, "ab");
    CU_ASSERT(s2_print(out, 1, "x") == 0);
    CU_ASSERT_STRING_EQUAL(out, "");
}

static void copying_is_cut_and_ended(void)
{
    char out[8];

    memset(out, 'z', sizeof(out));
    s2_copy_text(out, 4, "abcdef");
    CU_ASSERT(memcmp(out, "abc\0zzzz", 8) == 0);
    s2_copy_text(out, 0, "q");
    CU_ASSERT(out[0] == 'a');
    s2_copy_text(out, sizeof(out), NULL);
    CU_ASSERT_STRING_EQUAL(out, "");
}

static void hexadecimal_is_lower_case(void)
{
    const uint8_t bytes[] = {0x00, 0x9a, 0xff};
    char out[7];

    CU_ASSERT_STRING_EQUAL(s2_print_hex(out, bytes, 3), "009aff");
    CU_ASSERT_STRING_EQUAL(s2_print_hex(out, NULL, 0), "");
}

static const struct {
    const char *text;
    uint64_t max;
    bool good;
    uint64_t value;
} numbers[] = {
    {"0", 0, true, 0},
    {"7", 7, true, 7},
    {"007", 7, true, 7},
    {"8", 7, false, 0},
    {"9", 5, false, 0},
    {"65535", 65535, true, 65535},
    {"65536", 65535, false, 0},
    {"4294967296", UINT32_MAX, false, 0},
    {"18446744073709551615", UINT64_MAX, true, UINT64_MAX},
    {"18446744073709551616", UINT64_MAX, false, 0},
    {"99999999999999999999", UINT64_MAX, false, 0},
    {"", 10, false, 0},
    {"-1", 10, false, 0},
    {"+1", 10, false, 0},
    {" 1", 10, false, 0},
    {"1 ", 10, false, 0},
    {"0x1", 10, false, 0},
    {"1.0", 10, false, 0},
};

static void numbers_are_decimal_and_bounded(void)
{
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        uint64_t v = 42;
        const bool good =
            s2_read_number(numbers[i].text, strlen(numbers[i].text), numbers[i].max, &v);

        CHECK_ROW(numbers[i].text, good == numbers[i].good);
        CHECK_ROW(numbers[i].text, v == (good ? numbers[i].value : 42));
    }
}

static void a_number_ends_at_its_length(void)
{
    uint64_t v;

    CU_ASSERT(s2_read_number("12345", 2, 99, &v));
    CU_ASSERT(v == 12);
}

static void a_buffer_grows_and_is_always_ended(void)
{
    struct s2_fake_env f;
    struct s2_buffer b;
    s2svpn_text text;

    s2_fake_env_init(&f, 1);
    s2_buffer_init(&b, &f.memory, 100000);
    for (int i = 0; i < 2000; i++) {
        s2_buffer_print(&b, "<%d>", i % 10);
        s2_buffer_add(&b, "ab", 1);
        CU_ASSERT(b.data[b.len] == '\0');
    }
    CU_ASSERT(s2_buffer_take(&b, &text) == S2SVPN_OK);
    CU_ASSERT(f.live == 0);
    CU_ASSERT(text.len == 8000);
    CU_ASSERT_FATAL(text.data != NULL);
    CU_ASSERT(memcmp(text.data, "<0>a<1>a", 8) == 0);
    CU_ASSERT(strcmp(text.data + 7996, "<9>a") == 0);
    CU_ASSERT(b.len == 0 && b.data == NULL);
    s2svpn_text_free(&text);
    CU_ASSERT(text.data == NULL && text.len == 0);
    s2svpn_text_free(&text);
    s2svpn_text_free(NULL);
}

static void a_buffer_stops_at_its_limit_and_says_so(void)
{
    struct s2_fake_env f;
    struct s2_buffer b;
    s2svpn_text text = {NULL, 1};

    s2_fake_env_init(&f, 1);
    s2_buffer_init(&b, &f.memory, 10);
    s2_buffer_add(&b, "0123456789", 10);
    CU_ASSERT(b.rc == S2SVPN_OK);
    s2_buffer_add(&b, "", 0);
    CU_ASSERT(b.rc == S2SVPN_OK);
    s2_buffer_print(&b, "%c", 'x');
    CU_ASSERT(b.rc == S2SVPN_E_LIMIT);
    CU_ASSERT_STRING_EQUAL(b.data, "0123456789");
    s2_buffer_add(&b, "y", 1);
    CU_ASSERT(b.len == 10);
    CU_ASSERT(s2_buffer_take(&b, &text) == S2SVPN_E_LIMIT);
    CU_ASSERT(text.data == NULL && text.len == 0);
    CU_ASSERT(f.live == 0);

    s2_buffer_add(&b, "again", 5);
    CU_ASSERT(b.rc == S2SVPN_OK);
    CU_ASSERT_STRING_EQUAL(b.data, "again");
    s2_buffer_clear(&b);
    CU_ASSERT(f.live == 0);
}

static void an_empty_text_is_null(void)
{
    struct s2_buffer b;
    s2svpn_text text = {NULL, 1};

    s2_buffer_init(&b, s2_memory_default(), SIZE_MAX);
    CU_ASSERT(s2_buffer_take(&b, &text) == S2SVPN_OK);
    CU_ASSERT(text.data == NULL && text.len == 0);
    s2_buffer_print(&b, "%s", "");
    CU_ASSERT(s2_buffer_take(&b, &text) == S2SVPN_OK);
    CU_ASSERT(text.data == NULL && text.len == 0);
}

static bool write_much(struct s2_fake_env *f, void *arg)
{
    struct s2_buffer b;
    s2svpn_text text;

    (void)arg;
    s2_buffer_init(&b, &f->memory, SIZE_MAX);
    for (int i = 0; i < 1000; i++)
        s2_buffer_print(&b, "line %d\n", i);
    const s2svpn_status rc = s2_buffer_take(&b, &text);
    CU_ASSERT((rc == S2SVPN_E_MEMORY) == f->failed);
    s2svpn_text_free(&text);
    return rc == S2SVPN_OK;
}

static void a_buffer_survives_every_failed_allocation(void)
{
    s2_fail_every_allocation(write_much, NULL);
}

/* An allocator that looks at what is given back. */
struct watched {
    size_t releases;
    bool secret_seen;
};

static void *watched_allocate(void *user, size_t len)
{
    (void)user;
    return calloc(1, len);
}

static void watched_release(void *user, void *p)
{
    struct watched *w = user;

    if (p == NULL)
        return;
    w->releases++;
    w->secret_seen |= memcmp(p, "secret", 6) == 0;
    free(p);
}

static void outgrown_and_cleared_memory_is_wiped(void)
{
    struct watched w = {0, false};
    const s2svpn_memory memory = {sizeof(memory), &w, watched_allocate, watched_release};
    struct s2_buffer b;

    s2_buffer_init(&b, &memory, SIZE_MAX);
    s2_buffer_add(&b, "secret", 6);
    for (int i = 0; i < 1000; i++)
        s2_buffer_add(&b, "0123456789", 10);
    s2_buffer_clear(&b);
    CU_ASSERT(w.releases > 3);
    CU_ASSERT(!w.secret_seen);
}

const CU_TestInfo s2_test_text[] = {
    {"printing is cut and ended", printing_is_cut_and_ended},
    {"copying is cut and ended", copying_is_cut_and_ended},
    {"hexadecimal is lower case", hexadecimal_is_lower_case},
    {"numbers are decimal and bounded", numbers_are_decimal_and_bounded},
    {"a number ends at its length", a_number_ends_at_its_length},
    {"a buffer grows and is always ended", a_buffer_grows_and_is_always_ended},
    {"a buffer stops at its limit and says so", a_buffer_stops_at_its_limit_and_says_so},
    {"an empty text is NULL", an_empty_text_is_null},
    {"a buffer survives every failed allocation", a_buffer_survives_every_failed_allocation},
    {"outgrown and cleared memory is wiped", outgrown_and_cleared_memory_is_wiped},
    CU_TEST_INFO_NULL,
};
