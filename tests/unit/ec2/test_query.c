/* SPDX-License-Identifier: Apache-2.0 */
/* Form data: what is read, what is refused, and how lists are walked. */
#include "ec2/query.h"

#include <string.h>

#include "fake_env.h"
#include "harness.h"
#include "support.h"

static const struct {
    const char *row, *text, *first_name, *first_value;
    size_t count;
} good[] = {
    {"empty", "", NULL, NULL, 0},
    {"one", "Action=DescribeVpcs", "Action", "DescribeVpcs", 1},
    {"a value that is empty", "a=", "a", "", 1},
    {"a name alone", "a", "a", "", 1},
    {"empty pieces", "&&a=1&&", "a", "1", 1},
    {"an equals sign in a value", "a=b=c", "a", "b=c", 1},
    {"a plus is a space", "a=b+c%2B", "a", "b c+", 1},
    {"digits in any case", "a=%c3%A4", "a", "\xc3\xa4", 1},
    {"an escaped name", "%41ction=x", "Action", "x", 1},
    {"four bytes of UTF-8", "a=%F0%9F%98%80", "a", "\xf0\x9f\x98\x80", 1},
    {"UTF-8 as it is", "a=\xe2\x82\xac", "a", "\xe2\x82\xac", 1},
    {"sorted", "b=2&a=1", "a", "1", 2},
    {"indexes as numbers", "a.10=x&a.9=y&a.1=z", "a.1", "z", 3},
    {"a name before those below it", "a.1=x&a=y", "a", "y", 2},
    {"an index before a word", "a.b=x&a.7=y", "a.7", "y", 2},
};

static void forms_are_decoded_and_sorted(void)
{
    for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
        struct s2_fake_env fake;
        struct s2_ec2_fault fault = {.id = S2_EC2_NONE};
        struct s2_ec2_query q;

        s2_fake_env_init(&fake, 1);
        CHECK_ROW(good[i].row,
                  s2_ec2_query_parse(&q, &fake.env, span_of(good[i].text), &fault) == S2SVPN_OK);
        CHECK_ROW(good[i].row, q.count == good[i].count);
        if (q.count > 0 && q.count == good[i].count) {
            CHECK_ROW(good[i].row, strcmp(q.param[0].name, good[i].first_name) == 0);
            CHECK_ROW(good[i].row, strcmp(q.param[0].value, good[i].first_value) == 0);
            CHECK_ROW(good[i].row, q.param[0].value_len == strlen(good[i].first_value));
        }
        s2_ec2_query_clear(&q);
        CHECK_ROW(good[i].row, fake.live == 0);
    }
}

static const struct {
    const char *row, *text;
    enum s2_ec2_fault_id id;
} bad[] = {
    {"no name", "=x", S2_EC2_MALFORMED_QUERY},
    {"a dot first", ".1=x", S2_EC2_MALFORMED_QUERY},
    {"one digit", "a=%4", S2_EC2_MALFORMED_QUERY},
    {"no digit", "a=%", S2_EC2_MALFORMED_QUERY},
    {"digits that are none", "a=%4g", S2_EC2_MALFORMED_QUERY},
    {"half an escape in a name", "a%=1", S2_EC2_MALFORMED_QUERY},
    {"an escape cut by the next piece", "a=%4&b=1", S2_EC2_MALFORMED_QUERY},
    {"a zero byte", "a=%00", S2_EC2_MALFORMED_QUERY},
    {"a zero byte in a name", "a%00b=1", S2_EC2_MALFORMED_QUERY},
    {"UTF-8 begun in its middle", "a=%80", S2_EC2_MALFORMED_QUERY},
    {"UTF-8 cut off", "a=%E2%82", S2_EC2_MALFORMED_QUERY},
    {"UTF-8 cut off by another", "a=%E2%82a", S2_EC2_MALFORMED_QUERY},
    {"too long a form of two bytes", "a=%C0%AF", S2_EC2_MALFORMED_QUERY},
    {"too long a form of three bytes", "a=%E0%80%AF", S2_EC2_MALFORMED_QUERY},
    {"too long a form of four bytes", "a=%F0%80%80%AF", S2_EC2_MALFORMED_QUERY},
    {"a surrogate", "a=%ED%A0%80", S2_EC2_MALFORMED_QUERY},
    {"above the last character", "a=%F4%90%80%80", S2_EC2_MALFORMED_QUERY},
    {"a byte that UTF-8 hasn't", "a=%FF", S2_EC2_MALFORMED_QUERY},
    {"twice", "a=1&a=1", S2_EC2_INVALID_QUERY_PARAMETER},
    {"twice, once escaped", "a=1&b=2&%61=3", S2_EC2_INVALID_QUERY_PARAMETER},
};

static void malformed_forms_are_refused(void)
{
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct s2_fake_env fake;
        struct s2_ec2_fault fault = {.id = S2_EC2_NONE};
        struct s2_ec2_query q;

        s2_fake_env_init(&fake, 1);
        CHECK_ROW(bad[i].row, s2_ec2_query_parse(&q, &fake.env, span_of(bad[i].text), &fault) ==
                                  S2SVPN_E_ARGUMENT);
        CHECK_ROW(bad[i].row, fault.id == bad[i].id);
        CHECK_ROW(bad[i].row, q.count == 0 && fake.live == 0);
        s2_ec2_query_clear(&q);
    }
}

static s2svpn_status parse_many(size_t params, size_t name_len, size_t value_len)
{
    struct s2_fake_env fake;
    struct s2_ec2_fault fault = {.id = S2_EC2_NONE};
    struct s2_ec2_query q;
    struct s2_buffer b;

    s2_fake_env_init(&fake, 1);
    s2_buffer_init(&b, fake.env.memory, S2SVPN_EC2_BODY_MAX);
    for (size_t i = 0; i < params; i++) {
        s2_buffer_print(&b, "a%zu", i);
        for (size_t k = 0; k < name_len; k++)
            s2_buffer_add(&b, "b", 1);
        s2_buffer_add(&b, "=", 1);
        for (size_t k = 0; k < value_len; k++)
            s2_buffer_add(&b, "c", 1);
        s2_buffer_add(&b, "&", 1);
    }
    s2svpn_status rc =
        s2_ec2_query_parse(&q, &fake.env, (s2svpn_span){(uint8_t *)b.data, b.len}, &fault);
    s2_ec2_query_clear(&q);
    s2_buffer_clear(&b);
    CU_ASSERT_EQUAL(fake.live, 0);
    return rc;
}

static void limits_hold(void)
{
    CU_ASSERT_EQUAL(parse_many(S2_EC2_PARAMS_MAX, 0, 1), S2SVPN_OK);
    CU_ASSERT_EQUAL(parse_many(S2_EC2_PARAMS_MAX + 1, 0, 1), S2SVPN_E_ARGUMENT);
    CU_ASSERT_EQUAL(parse_many(1, S2_EC2_NAME_MAX - 2, 1), S2SVPN_OK);
    CU_ASSERT_EQUAL(parse_many(1, S2_EC2_NAME_MAX - 1, 1), S2SVPN_E_ARGUMENT);
    CU_ASSERT_EQUAL(parse_many(1, 0, S2_EC2_VALUE_MAX), S2SVPN_OK);
    CU_ASSERT_EQUAL(parse_many(1, 0, S2_EC2_VALUE_MAX + 1), S2SVPN_E_ARGUMENT);
}

static void lists_are_walked_in_order_over_gaps(void)
{
    static const char text[] =
        "F.30.V.1=e&F.2.V.10=d&F.2.V.9=c&F.2.N=b&G.1=x&F=a&F.x=y&F.01=z&FF.1=w";
    static const struct {
        uint32_t index;
        const char *name;
    } wanted[] = {{2, "F.2"}, {30, "F.30"}};
    struct s2_fake_env fake;
    struct s2_ec2_fault fault = {.id = S2_EC2_NONE};
    struct s2_ec2_query q;
    struct s2_ec2_list l;
    size_t n = 0;

    s2_fake_env_init(&fake, 1);
    CU_ASSERT_EQUAL(s2_ec2_query_parse(&q, &fake.env, span_of(text), &fault), S2SVPN_OK);
    for (s2_ec2_list_init(&l, &q, "F"); s2_ec2_list_next(&l); n++) {
        CU_ASSERT_FATAL(n < 2);
        CU_ASSERT_EQUAL(l.index, wanted[n].index);
        CU_ASSERT_STRING_EQUAL(l.name, wanted[n].name);
    }
    CU_ASSERT_EQUAL(n, 2);
    s2_ec2_list_init(&l, &q, "F.2.V");
    CU_ASSERT(s2_ec2_list_next(&l) && strcmp(s2_ec2_query_text(&q, l.name), "c") == 0);
    CU_ASSERT(s2_ec2_list_next(&l) && strcmp(s2_ec2_query_text(&q, l.name), "d") == 0);
    CU_ASSERT_FALSE(s2_ec2_list_next(&l));
    CU_ASSERT(s2_ec2_query_has(&q, "F.2.V"));
    CU_ASSERT(s2_ec2_query_has(&q, "G"));
    CU_ASSERT_FALSE(s2_ec2_query_has(&q, "F.3"));
    CU_ASSERT_FALSE(s2_ec2_query_has(&q, "H"));
    s2_ec2_query_clear(&q);
}

static void what_nobody_reads_is_named(void)
{
    struct s2_fake_env fake;
    struct s2_ec2_fault fault = {.id = S2_EC2_NONE};
    struct s2_ec2_query q;

    s2_fake_env_init(&fake, 1);
    CU_ASSERT_EQUAL(s2_ec2_query_parse(&q, &fake.env, span_of("a=1&b=2&X-c=3&X-d=4"), &fault),
                    S2SVPN_OK);
    CU_ASSERT_PTR_NULL(s2_ec2_query_text(&q, "c"));
    CU_ASSERT_STRING_EQUAL(s2_ec2_query_text(&q, "b"), "2");
    s2_ec2_query_use_all(&q, "X-");
    CU_ASSERT_STRING_EQUAL(s2_ec2_query_unused(&q)->name, "a");
    CU_ASSERT_STRING_EQUAL(s2_ec2_query_text(&q, "a"), "1");
    CU_ASSERT_PTR_NULL(s2_ec2_query_unused(&q));
    s2_ec2_query_clear(&q);
}

static void values_are_read_strictly(void)
{
    static const struct {
        const char *text;
        int bool_, number; /* -1: none */
    } rows[] = {
        {"true", 1, -1},    {"True", 1, -1}, {"FALSE", 0, -1}, {"false", 0, -1},
        {"truely", -1, -1}, {"tru", -1, -1}, {"1", -1, 1},     {"", -1, -1},
        {"-1", -1, -1},     {"+1", -1, -1},  {"05", -1, 5},    {"1000", -1, 1000},
        {"1001", -1, -1},   {"0x1", -1, -1}, {" 1", -1, -1},   {"99999999999999999999", -1, -1},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        bool b = false;
        int64_t n = 0;
        CHECK_ROW(rows[i].text, s2_ec2_read_bool(rows[i].text, &b) == (rows[i].bool_ >= 0));
        CHECK_ROW(rows[i].text, rows[i].bool_ < 0 || b == (rows[i].bool_ == 1));
        CHECK_ROW(rows[i].text,
                  s2_ec2_read_int(rows[i].text, 0, 1000, &n) == (rows[i].number >= 0));
        CHECK_ROW(rows[i].text, rows[i].number < 0 || n == rows[i].number);
    }
    int64_t n;
    CU_ASSERT(s2_ec2_read_int("-1", -1, 65535, &n) && n == -1);
    CU_ASSERT_FALSE(s2_ec2_read_int("-2", -1, 65535, &n));
    CU_ASSERT_FALSE(s2_ec2_read_int("--1", -1, 65535, &n));
}

static bool parse_step(struct s2_fake_env *f, void *arg)
{
    struct s2_ec2_fault fault = {.id = S2_EC2_NONE};
    struct s2_ec2_query q;
    const s2svpn_status rc = s2_ec2_query_parse(&q, &f->env, span_of("a=1&b=2"), &fault);

    (void)arg;
    CU_ASSERT(rc == S2SVPN_OK || (rc == S2SVPN_E_MEMORY && fault.id == S2_EC2_INTERNAL));
    s2_ec2_query_clear(&q);
    return rc == S2SVPN_OK;
}

static void every_allocation_may_fail(void)
{
    s2_fail_every_allocation(parse_step, NULL);
}

const CU_TestInfo s2_test_query[] = {
    {"forms are decoded and sorted", forms_are_decoded_and_sorted},
    {"malformed forms are refused", malformed_forms_are_refused},
    {"limits hold", limits_hold},
    {"lists are walked in order, over gaps", lists_are_walked_in_order_over_gaps},
    {"what nobody reads is named", what_nobody_reads_is_named},
    {"values are read strictly", values_are_read_strictly},
    {"every allocation may fail", every_allocation_may_fail},
    CU_TEST_INFO_NULL,
};
