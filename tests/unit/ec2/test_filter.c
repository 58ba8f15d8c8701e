/* SPDX-License-Identifier: Apache-2.0 */
/* Filters: wildcards, alternatives, limits. */
#include "ec2/filter.h"

#include <string.h>

#include "base/text.h"
#include "fake_env.h"
#include "harness.h"
#include "support.h"

static void wildcards_match(void)
{
    static const struct {
        const char *pattern, *text;
        bool match;
    } rows[] = {
        {"", "", true},
        {"", "a", false},
        {"a", "a", true},
        {"a", "A", false},
        {"a", "ab", false},
        {"*", "", true},
        {"*", "abc", true},
        {"a*", "abc", true},
        {"*c", "abc", true},
        {"a*c", "abbc", true},
        {"a*c", "abcd", false},
        {"a**c", "ac", true},
        {"?", "a", true},
        {"?", "", false},
        {"a?c", "abc", true},
        {"??", "a", false},
        {"\\*", "*", true},
        {"\\*", "a", false},
        {"a\\?c", "a?c", true},
        {"a\\?c", "abc", false},
        {"\\\\", "\\", true},
        {"a\\", "a\\", true},
        {"*b*d*", "abcd", true},
        {"*b*d*", "acbd!", true},
        {"*d*b*", "abcd", false},
        {"?", "\xe2\x82\xac", true},
        {"*ab", "aab", true},
        {"*a?b", "aaxb", true},
        {"vpc-*0", "vpc-100", true},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        CHECK_ROW(rows[i].pattern, s2_ec2_wildcard(rows[i].pattern, rows[i].text) == rows[i].match);
}

struct object {
    const char *state;
    const char *tag[3]; /* keys, ended by NULL; the value is the key in capitals */
};

static void values_of(const void *p, const char *name, struct s2_ec2_match *m)
{
    const struct object *o = p;

    if (strcmp(name, "state") == 0)
        s2_ec2_match_value(m, o->state);
    for (size_t i = 0; o->tag[i] != NULL; i++) {
        if (strcmp(name, "tag-key") == 0)
            s2_ec2_match_value(m, o->tag[i]);
        else if (strncmp(name, "tag:", 4) == 0 && strcmp(name + 4, o->tag[i]) == 0)
            s2_ec2_match_value(m, "value");
    }
}

static const char *const names[] = {"state", "tag-key", "tag:", NULL};
static const struct object object = {"available", {"Name", "Owner", NULL}};

static const struct {
    const char *query;
    enum s2_ec2_fault_id id;
    bool match;
} rows[] = {
    {"", S2_EC2_NONE, true},
    {"Filter.1.Name=state&Filter.1.Value.1=available", S2_EC2_NONE, true},
    {"Filter.1.Name=state&Filter.1.Value.1=pending", S2_EC2_NONE, false},
    {"Filter.1.Name=state&Filter.1.Value.1=pending&Filter.1.Value.7=av*", S2_EC2_NONE, true},
    {"Filter.9.Name=state&Filter.9.Value.1=available&Filter.3.Name=tag-key&Filter.3.Value.1=No",
     S2_EC2_NONE, false},
    {"Filter.9.Name=state&Filter.9.Value.1=available&Filter.3.Name=tag-key&Filter.3.Value.1=Na?e",
     S2_EC2_NONE, true},
    {"Filter.1.Name=tag:Owner&Filter.1.Value.1=value", S2_EC2_NONE, true},
    {"Filter.1.Name=tag:owner&Filter.1.Value.1=value", S2_EC2_NONE, false},
    {"Filter.1.Name=tag:&Filter.1.Value.1=value", S2_EC2_INVALID_FILTER, false},
    {"Filter.1.Name=State&Filter.1.Value.1=value", S2_EC2_INVALID_FILTER, false},
    {"Filter.1.Name=&Filter.1.Value.1=value", S2_EC2_INVALID_FILTER, false},
    {"Filter.1.Name=state", S2_EC2_MISSING_PARAMETER, false},
    {"Filter.1.Value.1=x", S2_EC2_MISSING_PARAMETER, false},
    {"Filter.1=x", S2_EC2_MISSING_PARAMETER, false},
};

static void filters_are_read_and_matched(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct s2_fake_env fake;
        struct s2_ec2_fault fault = {.id = S2_EC2_NONE};
        struct s2_ec2_filters f;
        struct s2_ec2_query q;

        s2_fake_env_init(&fake, 1);
        CHECK_ROW(rows[i].query,
                  s2_ec2_query_parse(&q, &fake.env, span_of(rows[i].query), &fault) == S2SVPN_OK);
        const s2svpn_status rc = s2_ec2_filters_parse(&f, &q, names, &fault);
        CHECK_ROW(rows[i].query, fault.id == rows[i].id);
        CHECK_ROW(rows[i].query, (rc == S2SVPN_OK) == (rows[i].id == S2_EC2_NONE));
        if (rc == S2SVPN_OK)
            CHECK_ROW(rows[i].query, s2_ec2_filters_match(&f, &object, values_of) == rows[i].match);
        s2_ec2_query_clear(&q);
    }
}

static enum s2_ec2_fault_id parse_many(size_t filters, size_t values)
{
    struct s2_fake_env fake;
    struct s2_ec2_fault fault = {.id = S2_EC2_NONE};
    struct s2_ec2_filters f;
    struct s2_ec2_query q;
    struct s2_buffer b;

    s2_fake_env_init(&fake, 1);
    s2_buffer_init(&b, fake.env.memory, 100000);
    for (size_t i = 1; i <= filters; i++) {
        s2_buffer_print(&b, "Filter.%zu.Name=state&", i);
        for (size_t k = 1; k <= values; k++)
            s2_buffer_print(&b, "Filter.%zu.Value.%zu=x&", i, k);
    }
    CU_ASSERT_EQUAL(
        s2_ec2_query_parse(&q, &fake.env, (s2svpn_span){(uint8_t *)b.data, b.len}, &fault),
        S2SVPN_OK);
    (void)!s2_ec2_filters_parse(&f, &q, names, &fault);
    s2_ec2_query_clear(&q);
    s2_buffer_clear(&b);
    return fault.id;
}

static void limits_hold(void)
{
    CU_ASSERT_EQUAL(parse_many(1, 200), S2_EC2_NONE);
    CU_ASSERT_EQUAL(parse_many(1, 201), S2_EC2_FILTER_LIMIT);
    CU_ASSERT_EQUAL(parse_many(50, 4), S2_EC2_NONE);
    CU_ASSERT_EQUAL(parse_many(51, 1), S2_EC2_FILTER_LIMIT);
}

const CU_TestInfo s2_test_filter[] = {
    {"wildcards match", wildcards_match},
    {"filters are read and matched", filters_are_read_and_matched},
    {"limits hold", limits_hold},
    CU_TEST_INFO_NULL,
};
