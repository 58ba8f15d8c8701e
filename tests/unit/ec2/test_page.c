/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens: ours comes back, another's doesn't. */
#include "ec2/page.h"

#include <string.h>

#include "harness.h"
#include "support.h"

#define LAST "vpc-0123456789abcdef0"

static const uint8_t secret[32] = {1, 2, 3};

static enum s2_ec2_fault_id parse(const char *text, const char *action, const char *account,
                                  struct s2_ec2_page *page)
{
    struct s2_fake_env fake;
    struct s2_ec2_fault fault = {.id = S2_EC2_NONE};
    struct s2_ec2_query q;

    s2_fake_env_init(&fake, 1);
    const struct s2_ec2_crypto crypto = {&fake.env, s2svpn_crypto_openssl(), NULL};
    CU_ASSERT_EQUAL(s2_ec2_query_parse(&q, &fake.env, span_of(text), &fault), S2SVPN_OK);
    (void)!s2_ec2_page_parse(page, &crypto, secret, &q, action, account, "VpcId", &fault);
    s2_ec2_query_clear(&q);
    return fault.id;
}

static void make_token(char out[S2_EC2_TOKEN_SIZE])
{
    const struct s2_ec2_crypto crypto = {NULL, s2svpn_crypto_openssl(), NULL};

    CU_ASSERT_EQUAL(s2_ec2_page_token(&crypto, secret, "DescribeVpcs", ACCOUNT, LAST, out),
                    S2SVPN_OK);
}

static void a_token_comes_back_and_no_other_does(void)
{
    char token[S2_EC2_TOKEN_SIZE], text[2 * S2_EC2_TOKEN_SIZE];
    struct s2_ec2_page page;

    make_token(token);
    s2_print(text, sizeof(text), "MaxResults=5&NextToken=%s", token);
    CU_ASSERT_EQUAL(parse(text, "DescribeVpcs", ACCOUNT, &page), S2_EC2_NONE);
    CU_ASSERT_EQUAL(page.max, 5);
    CU_ASSERT_STRING_EQUAL(page.after, LAST);
    CU_ASSERT_EQUAL(parse(text, "DescribeSubnets", ACCOUNT, &page), S2_EC2_INVALID_TOKEN);
    CU_ASSERT_EQUAL(parse(text, "DescribeVpcs", "123456789013", &page), S2_EC2_INVALID_TOKEN);
    for (size_t i = 0; i < strlen(token); i++) {
        s2_print(text, sizeof(text), "NextToken=%s", token);
        char *c = text + strlen("NextToken=") + i;
        *c = *c == '0' ? '1' : '0';
        CHECK_ROW(text, parse(text, "DescribeVpcs", ACCOUNT, &page) == S2_EC2_INVALID_TOKEN);
    }
    s2_print(text, sizeof(text), "NextToken=%.*s", (int)strlen(token) - 2, token);
    CU_ASSERT_EQUAL(parse(text, "DescribeVpcs", ACCOUNT, &page), S2_EC2_INVALID_TOKEN);
}

static void sizes_are_checked(void)
{
    static const struct {
        const char *text;
        enum s2_ec2_fault_id id;
        size_t max;
    } rows[] = {
        {"", S2_EC2_NONE, 0},
        {"NextToken=", S2_EC2_NONE, 0},
        {"MaxResults=5", S2_EC2_NONE, 5},
        {"MaxResults=1000", S2_EC2_NONE, 1000},
        {"MaxResults=4", S2_EC2_INVALID_VALUE, 0},
        {"MaxResults=1001", S2_EC2_INVALID_VALUE, 0},
        {"MaxResults=", S2_EC2_INVALID_VALUE, 0},
        {"MaxResults=5x", S2_EC2_INVALID_VALUE, 0},
        {"MaxResults=5&VpcId.1=vpc-1", S2_EC2_COMBINATION, 0},
        {"NextToken=ab&VpcId.1=vpc-1", S2_EC2_COMBINATION, 0},
        {"VpcId.1=vpc-1", S2_EC2_NONE, 0},
        {"NextToken=zz", S2_EC2_INVALID_TOKEN, 0},
        {"NextToken=0123456789abcdef0123456789abcdef", S2_EC2_INVALID_TOKEN, 0},
        {"NextToken=0123456789abcdef0123456789abcdef00", S2_EC2_INVALID_TOKEN, 0},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct s2_ec2_page page;
        CHECK_ROW(rows[i].text, parse(rows[i].text, "DescribeVpcs", ACCOUNT, &page) == rows[i].id);
        CHECK_ROW(rows[i].text, page.max == rows[i].max);
    }
}

const CU_TestInfo s2_test_page[] = {
    {"a token comes back, and no other does", a_token_comes_back_and_no_other_does},
    {"sizes are checked", sizes_are_checked},
    CU_TEST_INFO_NULL,
};
