/* SPDX-License-Identifier: Apache-2.0 */
/* examples/examine/search.c: the longest packet that passes. */
#include "examine/examine.h"

#include "harness.h"

#define TICK (SECOND_NS / 20)

/* A path that lets packets of this length pass, and loses every so many-th. */
static uint16_t search(uint16_t mtu, uint16_t passes, unsigned loses, unsigned *ticks)
{
    uint64_t now = SECOND_NS;
    uint16_t came = 0;
    unsigned sent = 0;
    struct search s;

    search_begin(&s, mtu);
    for (*ticks = 0; s.now != 0 && *ticks < 100000; ++*ticks) {
        const uint16_t len = search_step(&s, came, now);

        CU_ASSERT_TRUE(len <= mtu);
        came = 0;
        if (len != 0 && len <= passes && (loses == 0 || ++sent % loses != 0))
            came = len;
        now += TICK;
    }
    return s.good;
}

static void the_longest_is_found_to_within_eight_bytes(void)
{
    unsigned ticks;

    for (uint16_t passes = 68; passes <= 1500; passes++) {
        const uint16_t found = search(1422, passes, 0, &ticks);
        const uint16_t most = passes < 1422 ? passes : 1422;

        CU_ASSERT_TRUE(found <= most && most - found <= 8);
        CU_ASSERT_TRUE(ticks < 20 * 35); /* within the step's time */
    }
    CU_ASSERT_EQUAL(search(1422, 1422, 0, &ticks), 1422);
    CU_ASSERT_TRUE(ticks < 4);
}

static void a_ping_that_got_lost_is_sent_again(void)
{
    unsigned ticks;

    CU_ASSERT_EQUAL(search(1422, 1500, 2, &ticks), 1422);
}

static void where_nothing_comes_back_it_ends(void)
{
    unsigned ticks;

    CU_ASSERT_EQUAL(search(1422, 0, 0, &ticks), 0);
    CU_ASSERT_TRUE(ticks < 20 * 35);
}

const CU_TestInfo s2_test_search[] = {
    {"the longest is found to within eight bytes", the_longest_is_found_to_within_eight_bytes},
    {"a ping that got lost is sent again", a_ping_that_got_lost_is_sent_again},
    {"where nothing comes back it ends", where_nothing_comes_back_it_ends},
    CU_TEST_INFO_NULL,
};
