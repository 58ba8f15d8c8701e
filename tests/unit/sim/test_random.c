/* SPDX-License-Identifier: Apache-2.0 */
/* The simulation's dice. */
#include "io/sim/sim.h"

#include "harness.h"

/* First outputs of SplitMix64 from state 1234567, from the Rosetta Code task
 * "Pseudo-random numbers/Splitmix64". */
static void splitmix64_gives_the_published_numbers(void)
{
    static const uint64_t published[] = {6457827717110365317u, 3203168211198807973u,
                                         9817491932198370423u, 4593380528125082431u,
                                         16408922859458223821u};
    struct s2_sim_random r = {1234567};

    for (size_t i = 0; i < 5; i++)
        CU_ASSERT_EQUAL(s2_sim_next(&r), published[i]);
}

static void streams_of_one_seed_differ(void)
{
    struct s2_sim_random a, b, again;

    s2_sim_seed(&a, 7, 0);
    s2_sim_seed(&b, 7, 1);
    s2_sim_seed(&again, 7, 1);
    CU_ASSERT_NOT_EQUAL(a.state, b.state);
    CU_ASSERT_EQUAL(b.state, again.state);
}

static void rolls_stay_in_bounds_and_reach_both(void)
{
    static const uint64_t most[] = {0, 1, 5, 6, 999999, UINT64_MAX - 1, UINT64_MAX};
    struct s2_sim_random r = {1};

    for (size_t i = 0; i < sizeof(most) / sizeof(most[0]); i++) {
        bool low = false, high = false;

        for (int n = 0; n < 1000; n++) {
            const uint64_t x = s2_sim_roll(&r, most[i]);

            CU_ASSERT(x <= most[i]);
            low = low || x == 0;
            high = high || x == most[i];
        }
        if (most[i] < 7)
            CU_ASSERT(low && high);
    }
}

static void chances_are_what_they_say(void)
{
    static const uint32_t ppm[] = {0, 1000, 300000, 500000, 999000, 1000000};
    struct s2_sim_random r = {2};

    for (size_t i = 0; i < sizeof(ppm) / sizeof(ppm[0]); i++) {
        const double expected = ppm[i] / 10.0; /* of 100,000 */
        double happened = 0;

        for (int n = 0; n < 100000; n++)
            happened += s2_sim_happens(&r, ppm[i]);
        CU_ASSERT(happened >= expected - 800 && happened <= expected + 800);
        if (ppm[i] == 0 || ppm[i] == 1000000)
            CU_ASSERT(happened == expected);
    }
}

static void bytes_fill_any_length_and_no_more(void)
{
    struct s2_sim_random r = {3};

    for (size_t len = 0; len <= 17; len++) {
        uint8_t out[18] = {0};
        size_t set = 0;

        s2_sim_fill(&r, out, len);
        for (size_t i = 0; i < len; i++)
            set += out[i] != 0;
        CU_ASSERT(set + 2 >= len); /* a byte may well be 0 */
        for (size_t i = len; i < sizeof(out); i++)
            CU_ASSERT(out[i] == 0);
    }
}

const CU_TestInfo s2_test_random[] = {
    {"splitmix64 gives the published numbers", splitmix64_gives_the_published_numbers},
    {"streams of one seed differ", streams_of_one_seed_differ},
    {"rolls stay in bounds and reach both", rolls_stay_in_bounds_and_reach_both},
    {"chances are what they say", chances_are_what_they_say},
    {"bytes fill any length and no more", bytes_fill_any_length_and_no_more},
    CU_TEST_INFO_NULL,
};
