/* SPDX-License-Identifier: Apache-2.0 */
/* Statuses and drop reasons have names and words, and the linked version is the
 * headers'. */
#include <string.h>

#include "harness.h"
#include "s2svpn/drop.h"
#include "s2svpn/error.h"
#include "s2svpn/version.h"

static const struct {
    const char *name;
    s2svpn_status status;
    const char *words;
} statuses[] = {
#define ROW(name, number, words) {#name, S2SVPN_##name, words},
    S2SVPN_STATUS_LIST(ROW)
#undef ROW
};

#define STATUSES (sizeof(statuses) / sizeof(statuses[0]))

static void every_status_has_its_name_and_words(void)
{
    for (size_t i = 0; i < STATUSES; i++) {
        CHECK_ROW(statuses[i].name,
                  strcmp(s2svpn_status_name(statuses[i].status), statuses[i].name) == 0);
        CHECK_ROW(statuses[i].name,
                  strcmp(s2svpn_status_text(statuses[i].status), statuses[i].words) == 0);
        CHECK_ROW(statuses[i].name, statuses[i].words[0] != '\0');
    }
    CU_ASSERT_STRING_EQUAL(s2svpn_status_name(S2SVPN_E_STATE), "E_STATE");
}

static void every_failure_is_negative_and_no_number_is_used_twice(void)
{
    CU_ASSERT(S2SVPN_OK == 0);
    for (size_t i = 0; i < STATUSES; i++) {
        CHECK_ROW(statuses[i].name, statuses[i].status < 0 || statuses[i].status == S2SVPN_OK);
        for (size_t j = 0; j < i; j++)
            CHECK_ROW(statuses[i].name, statuses[i].status != statuses[j].status);
    }
}

static void a_number_that_is_no_status_is_borne(void)
{
    CU_ASSERT_STRING_EQUAL(s2svpn_status_text((s2svpn_status)-999), "unknown status");
    CU_ASSERT_STRING_EQUAL(s2svpn_status_name((s2svpn_status)-999), "unknown status");
}

static const struct {
    const char *name;
    enum s2svpn_drop drop;
    const char *words;
} drops[] = {
#define ROW(name, words) {#name, S2SVPN_DROP_##name, words},
    S2SVPN_DROP_LIST(ROW)
#undef ROW
};

static void every_drop_reason_has_its_name_and_words(void)
{
    CU_ASSERT(sizeof(drops) / sizeof(drops[0]) == S2SVPN_DROP_COUNT);
    for (size_t i = 0; i < S2SVPN_DROP_COUNT; i++) {
        CHECK_ROW(drops[i].name, drops[i].drop == (enum s2svpn_drop)i);
        CHECK_ROW(drops[i].name, strcmp(s2svpn_drop_name(drops[i].drop), drops[i].name) == 0);
        CHECK_ROW(drops[i].name, strcmp(s2svpn_drop_text(drops[i].drop), drops[i].words) == 0);
    }
    CU_ASSERT_STRING_EQUAL(s2svpn_drop_name(S2SVPN_DROP_COUNT), "?");
    CU_ASSERT_STRING_EQUAL(s2svpn_drop_text(S2SVPN_DROP_COUNT), "?");
}

#define WORD(x) WORD_OF(x)
#define WORD_OF(x) #x

static void the_linked_version_is_the_headers_version(void)
{
    CU_ASSERT_STRING_EQUAL(s2svpn_version(), S2SVPN_VERSION);
    CU_ASSERT_STRING_EQUAL(
        S2SVPN_VERSION,
        WORD(S2SVPN_VERSION_MAJOR) "." WORD(S2SVPN_VERSION_MINOR) "." WORD(S2SVPN_VERSION_PATCH));
}

const CU_TestInfo s2_test_status[] = {
    {"every status has its name and words", every_status_has_its_name_and_words},
    {"every failure is negative and no number is used twice",
     every_failure_is_negative_and_no_number_is_used_twice},
    {"a number that is no status is borne", a_number_that_is_no_status_is_borne},
    {"every drop reason has its name and words", every_drop_reason_has_its_name_and_words},
    {"the linked version is the headers' version", the_linked_version_is_the_headers_version},
    CU_TEST_INFO_NULL,
};
