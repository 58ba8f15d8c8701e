/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn/slots.c: numbers, and what stands behind them. */
#include "vpn/slots.h"

#include <stdlib.h>

#include "fake_env.h"
#include "harness.h"

static void numbers_begin_at_the_first_and_count_up(void)
{
    struct s2_fake_env f;
    struct s2_slots s;
    uint32_t n;

    s2_fake_env_init(&f, 1);
    s2_slots_init(&s, &f.env, 1);
    for (uint32_t i = 1; i < 1000; i++) {
        CU_ASSERT_EQUAL(s2_slots_take(&s, &n), S2SVPN_OK);
        CU_ASSERT_EQUAL(n, i);
        CU_ASSERT_PTR_NULL(s2_slots_get(&s, n));
    }
    s2_slots_clear(&s);
    CU_ASSERT_EQUAL(f.live, 0);
}

static void what_was_set_is_found_until_it_is_given_back(void)
{
    struct s2_fake_env f;
    struct s2_slots s;
    uint32_t n;
    int item;

    s2_fake_env_init(&f, 1);
    s2_slots_init(&s, &f.env, 0);
    CU_ASSERT_EQUAL(s2_slots_take(&s, &n), S2SVPN_OK);
    s2_slots_set(&s, n, &item);
    CU_ASSERT_PTR_EQUAL(s2_slots_get(&s, n), &item);
    s2_slots_set(&s, n, NULL);
    CU_ASSERT_PTR_NULL(s2_slots_get(&s, n));
    s2_slots_set(&s, n, &item);
    s2_slots_give_back(&s, n);
    CU_ASSERT_PTR_NULL(s2_slots_get(&s, n));
    s2_slots_clear(&s);
    CU_ASSERT_EQUAL(f.live, 0);
}

static void numbers_out_of_range_hold_nothing(void)
{
    static const uint32_t numbers[] = {5, 255, 256, S2_SLOTS_MAX - 1, S2_SLOTS_MAX, UINT32_MAX};
    struct s2_fake_env f;
    struct s2_slots s;
    uint32_t n;

    s2_fake_env_init(&f, 1);
    s2_slots_init(&s, &f.env, 0);
    CU_ASSERT_EQUAL(s2_slots_take(&s, &n), S2SVPN_OK);
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        CU_ASSERT_PTR_NULL(s2_slots_get(&s, numbers[i]));
        s2_slots_give_back(&s, numbers[i]); /* not taken: nothing happens */
    }
    CU_ASSERT_EQUAL(s.free_count, 0);
    s2_slots_clear(&s);
}

/* A late packet for a number meets an empty slot for a while. */
static void a_number_rests_before_it_is_given_out_again(void)
{
    struct s2_fake_env f;
    struct s2_slots s;
    uint32_t n, first;
    size_t others = 0;

    s2_fake_env_init(&f, 1);
    s2_slots_init(&s, &f.env, 0);
    CU_ASSERT_EQUAL(s2_slots_take(&s, &first), S2SVPN_OK);
    s2_slots_give_back(&s, first);
    for (; others < 1000; others++) {
        CU_ASSERT_EQUAL(s2_slots_take(&s, &n), S2SVPN_OK);
        if (n == first)
            break;
        s2_slots_give_back(&s, n);
    }
    CU_ASSERT_TRUE(others >= 64 && others < 1000);
    CU_ASSERT_TRUE(s.used < 100); /* and it isn't paid with ever more slots */
    s2_slots_clear(&s);
}

static void giving_back_twice_is_harmless(void)
{
    struct s2_fake_env f;
    struct s2_slots s;
    uint32_t n, seen[200] = {0};

    s2_fake_env_init(&f, 1);
    s2_slots_init(&s, &f.env, 0);
    CU_ASSERT_EQUAL(s2_slots_take(&s, &n), S2SVPN_OK);
    s2_slots_give_back(&s, n);
    s2_slots_give_back(&s, n);
    CU_ASSERT_EQUAL(s.free_count, 1);
    for (size_t i = 0; i < 150; i++) {
        CU_ASSERT_EQUAL(s2_slots_take(&s, &n), S2SVPN_OK);
        CU_ASSERT_TRUE(n < 200 && seen[n]++ == 0); /* nobody gets another's number */
    }
    s2_slots_clear(&s);
}

static void all_numbers_can_be_taken_and_then_no_more(void)
{
    struct s2_fake_env f;
    struct s2_slots s;
    uint8_t *seen = calloc(S2_SLOTS_MAX, 1);
    uint32_t n, twice = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(seen);
    s2_fake_env_init(&f, 1);
    s2_slots_init(&s, &f.env, 0);
    for (uint32_t i = 0; i < S2_SLOTS_MAX; i++) {
        if (s2_slots_take(&s, &n) != S2SVPN_OK)
            break;
        twice += seen[n]++;
    }
    CU_ASSERT_EQUAL(twice, 0);
    CU_ASSERT_EQUAL(s2_slots_take(&s, &n), S2SVPN_E_LIMIT);
    s2_slots_give_back(&s, 4711); /* with none left there is no time to rest */
    CU_ASSERT_EQUAL(s2_slots_take(&s, &n), S2SVPN_OK);
    CU_ASSERT_EQUAL(n, 4711);
    CU_ASSERT_EQUAL(s2_slots_take(&s, &n), S2SVPN_E_LIMIT);
    s2_slots_clear(&s);
    CU_ASSERT_EQUAL(f.live, 0);
    free(seen);
}

static void without_memory_no_number_is_lost(void)
{
    struct s2_fake_env f;
    struct s2_slots s;
    uint32_t n;

    s2_fake_env_init(&f, 1);
    s2_slots_init(&s, &f.env, 0);
    f.fail_at = 1;
    CU_ASSERT_EQUAL(s2_slots_take(&s, &n), S2SVPN_E_MEMORY);
    CU_ASSERT_EQUAL(s2_slots_take(&s, &n), S2SVPN_OK);
    CU_ASSERT_EQUAL(n, 0);
    s2_slots_clear(&s);
    CU_ASSERT_EQUAL(f.live, 0);
}

const CU_TestInfo s2_test_slots[] = {
    {"numbers begin at the first and count up", numbers_begin_at_the_first_and_count_up},
    {"what was set is found until it is given back", what_was_set_is_found_until_it_is_given_back},
    {"numbers out of range hold nothing", numbers_out_of_range_hold_nothing},
    {"a number rests before it is given out again", a_number_rests_before_it_is_given_out_again},
    {"giving back twice is harmless", giving_back_twice_is_harmless},
    {"all numbers can be taken, and then no more", all_numbers_can_be_taken_and_then_no_more},
    {"without memory no number is lost", without_memory_no_number_is_lost},
    CU_TEST_INFO_NULL,
};
