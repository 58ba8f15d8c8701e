/* SPDX-License-Identifier: Apache-2.0 */
/* What engines are lent: zeroed memory, failures with details, filtered logs. */
#include "base/env.h"

#include <string.h>

#include "fake_env.h"
#include "harness.h"

static void allocated_memory_is_zeroed_whatever_the_host_does(void)
{
    struct s2_fake_env f;
    static const uint8_t zeros[100];

    s2_fake_env_init(&f, 1); /* its allocator fills with 0xa5 */
    void *p = s2_alloc(&f.env, 100);
    CU_ASSERT_FATAL(p != NULL);
    CU_ASSERT(memcmp(p, zeros, 100) == 0);
    s2_free(&f.env, p);

    f.env.memory = s2_memory_default();
    p = s2_alloc(&f.env, 100);
    CU_ASSERT_FATAL(p != NULL);
    CU_ASSERT(memcmp(p, zeros, 100) == 0);
    s2_free(&f.env, p);
    s2_free(&f.env, NULL);
}

static void nothing_to_allocate_is_no_failure(void)
{
    struct s2_fake_env f;

    s2_fake_env_init(&f, 1);
    void *p = s2_alloc(&f.env, 0);
    CU_ASSERT(p != NULL);
    s2_free(&f.env, p);
    s2_free(&f.env, NULL);
    CU_ASSERT(f.live == 0);
}

static void an_array_whose_size_overflows_is_refused(void)
{
    struct s2_fake_env f;

    s2_fake_env_init(&f, 1);
    CU_ASSERT(s2_alloc_array(&f.env, SIZE_MAX / 8 + 1, 8) == NULL);
    CU_ASSERT(s2_alloc_array(&f.env, 8, SIZE_MAX / 8 + 1) == NULL);
    CU_ASSERT(f.allocations == 0);
    void *p = s2_alloc_array(&f.env, 3, 5);
    CU_ASSERT(p != NULL);
    s2_free(&f.env, p);
}

static void failing_randomness_is_named_and_leaves_no_bytes(void)
{
    struct s2_fake_env f;
    uint8_t out[16];
    static const uint8_t zeros[16];

    s2_fake_env_init(&f, 1);
    CU_ASSERT(s2_random(&f.env, out, sizeof(out)) == S2SVPN_OK);
    CU_ASSERT(memcmp(out, zeros, sizeof(out)) != 0);
    f.random_fails = true;
    CU_ASSERT(s2_random(&f.env, out, sizeof(out)) == S2SVPN_E_RANDOM);
    CU_ASSERT(memcmp(out, zeros, sizeof(out)) == 0);
    CU_ASSERT(f.error.code == S2SVPN_E_RANDOM);
    f.env.random = NULL;
    CU_ASSERT(s2_random(&f.env, out, sizeof(out)) == S2SVPN_E_RANDOM);
    CU_ASSERT(s2_random(&f.env, NULL, 0) == S2SVPN_OK);
}

static void a_failure_keeps_code_field_and_sentence(void)
{
    struct s2_fake_env f;

    s2_fake_env_init(&f, 1);
    CU_ASSERT(s2_fail(&f.env, S2SVPN_E_ARGUMENT, "tunnel[1].psk", "%d is below %d", 3, 8) ==
              S2SVPN_E_ARGUMENT);
    CU_ASSERT(f.error.code == S2SVPN_E_ARGUMENT);
    CU_ASSERT_STRING_EQUAL(f.error.field, "tunnel[1].psk");
    CU_ASSERT_STRING_EQUAL(f.error.message, "3 is below 8");

    f.error.offset = 7;
    CU_ASSERT(s2_fail(&f.env, S2SVPN_E_STATE, NULL, "later") == S2SVPN_E_STATE);
    CU_ASSERT_STRING_EQUAL(f.error.field, "");
    CU_ASSERT(f.error.offset == 0);
}

static void a_failure_may_quote_the_one_before(void)
{
    s2svpn_error e = {.code = S2SVPN_OK};

    s2_error_set(&e, S2SVPN_E_MALFORMED, "nlri", "too short");
    s2_error_set(&e, S2SVPN_E_STORE, e.field, "record 3: %s", e.message);
    CU_ASSERT_STRING_EQUAL(e.field, "nlri");
    CU_ASSERT_STRING_EQUAL(e.message, "record 3: too short");
}

static void details_too_long_are_cut_and_absent_errors_are_borne(void)
{
    char longer[400];
    s2svpn_error e;
    struct s2_fake_env f;

    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    s2_error_set(&e, S2SVPN_E_LIMIT, longer, "%s", longer);
    CU_ASSERT(strlen(e.field) == S2SVPN_FIELD_SIZE - 1);
    CU_ASSERT(strlen(e.message) == S2SVPN_MESSAGE_SIZE - 1);

    s2_fake_env_init(&f, 1);
    f.env.error = NULL;
    CU_ASSERT(s2_fail(&f.env, S2SVPN_E_LIMIT, "f", "m") == S2SVPN_E_LIMIT);
    CU_ASSERT(s2_error_set(NULL, S2SVPN_E_LIMIT, "f", "m") == S2SVPN_E_LIMIT);
}

static void messages_above_the_level_are_not_logged(void)
{
    struct s2_fake_env f;

    s2_fake_env_init(&f, 1);
    f.env.log_level = S2_LOG_INFO;
    s2_log(&f.env, S2_LOG_INFO, "tunnel %d is up", 1);
    CU_ASSERT_STRING_EQUAL(f.last_log, "tunnel 1 is up");
    s2_log(&f.env, S2_LOG_DEBUG, "noise");
    CU_ASSERT_STRING_EQUAL(f.last_log, "tunnel 1 is up");
    f.env.log = NULL;
    s2_log(&f.env, S2_LOG_ERROR, "nobody listens");
    CU_ASSERT_STRING_EQUAL(f.last_log, "tunnel 1 is up");
}

const CU_TestInfo s2_test_env[] = {
    {"allocated memory is zeroed whatever the host does",
     allocated_memory_is_zeroed_whatever_the_host_does},
    {"nothing to allocate is no failure", nothing_to_allocate_is_no_failure},
    {"an array whose size overflows is refused", an_array_whose_size_overflows_is_refused},
    {"failing randomness is named and leaves no bytes",
     failing_randomness_is_named_and_leaves_no_bytes},
    {"a failure keeps code, field and sentence", a_failure_keeps_code_field_and_sentence},
    {"a failure may quote the one before", a_failure_may_quote_the_one_before},
    {"details too long are cut and absent errors are borne",
     details_too_long_are_cut_and_absent_errors_are_borne},
    {"messages above the level are not logged", messages_above_the_level_are_not_logged},
    CU_TEST_INFO_NULL,
};
