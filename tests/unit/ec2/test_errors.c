/* SPDX-License-Identifier: Apache-2.0 */
/* The table of refusals. */
#include "ec2/errors.h"

#include <string.h>

#include "harness.h"

static void every_sentence_is_filled_and_fits(void)
{
    char longest[1000];

    memset(longest, 'x', sizeof(longest) - 1);
    longest[sizeof(longest) - 1] = '\0';
    for (int i = S2_EC2_NONE + 1; i < S2_EC2_FAULTS; i++) {
        struct s2_ec2_fault f = {.id = S2_EC2_NONE};
        const char *code = s2_ec2_fault_code((enum s2_ec2_fault_id)i);
        const unsigned http = s2_ec2_fault_http((enum s2_ec2_fault_id)i);
        (void)s2_ec2_fail(&f, (enum s2_ec2_fault_id)i, longest, longest, longest);
        CHECK_ROW(code, f.message[0] != '\0' && strchr(f.message, '{') == NULL);
        CHECK_ROW(code, strlen(f.message) < S2_EC2_MESSAGE_SIZE - 1);
        CHECK_ROW(code, http >= 400 && http < 600);
        CHECK_ROW(code, code[0] >= 'A' && code[0] <= 'Z');
    }
}

static void arguments_stand_where_they_belong(void)
{
    struct s2_ec2_fault f = {.id = S2_EC2_NONE};

    CU_ASSERT_EQUAL(s2_ec2_fail(&f, S2_EC2_INVALID_VALUE, "10.0.0.0/33", "cidrBlock",
                                "This is not a valid CIDR block."),
                    S2SVPN_E_ARGUMENT);
    CU_ASSERT_STRING_EQUAL(f.message, "Value (10.0.0.0/33) for parameter cidrBlock is invalid. "
                                      "This is not a valid CIDR block.");
    /* the first one stays */
    CU_ASSERT_EQUAL(s2_ec2_fail(&f, S2_EC2_AUTH_FAILURE, NULL, NULL, NULL), S2SVPN_E_ARGUMENT);
    CU_ASSERT_EQUAL(f.id, S2_EC2_INVALID_VALUE);

    f = (struct s2_ec2_fault){.id = S2_EC2_NONE};
    (void)s2_ec2_fail(&f, S2_EC2_INVALID_VALUE, "x", "y", NULL);
    CU_ASSERT_STRING_EQUAL(f.message, "Value (x) for parameter y is invalid.");
}

static void arguments_are_cut_at_a_character_s_end(void)
{
    struct s2_ec2_fault f = {.id = S2_EC2_NONE};
    char text[200] = "";

    for (size_t i = 0; i < 150; i += 3)
        memcpy(text + i, "\xe2\x82\xac", 3);
    text[150] = '\0';
    (void)s2_ec2_fail(&f, S2_EC2_INVALID_FILTER, text, NULL, NULL);
    CU_ASSERT_EQUAL(strlen(f.message), strlen("The filter '' is invalid") + 126);
}

const CU_TestInfo s2_test_errors[] = {
    {"every sentence is filled and fits", every_sentence_is_filled_and_fits},
    {"arguments stand where they belong", arguments_stand_where_they_belong},
    {"arguments are cut at a character's end", arguments_are_cut_at_a_character_s_end},
    CU_TEST_INFO_NULL,
};
