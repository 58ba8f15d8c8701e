/* SPDX-License-Identifier: Apache-2.0 */
/* Between whom nothing passes, and when. */
#include "fake_context.h"
#include "harness.h"

#define SECOND 1000000000ull

static bool passes(struct lab *lab, size_t from, size_t to)
{
    const size_t before = lab->ctx[to]->count;
    uint8_t data[1] = {9};
    const s2svpn_datagram d = lab_datagram(from, to, S2SVPN_ROLE_NATT, data, 1);

    lab_send(lab, from, &d);
    s2svpn_sim_run(lab->sim, s2svpn_sim_now(lab->sim) + 2000);
    return lab->ctx[to]->count == before + 1;
}

static void nothing_passes_between_the_sets_and_all_else_does(void)
{
    const s2svpn_address a = lab_address(0), b = lab_address(1);
    struct lab lab;

    lab_open(&lab, 1, 3);
    CU_ASSERT_EQUAL(s2svpn_sim_partition(lab.sim, &a, 1, &b, 1, 0, 10 * SECOND), S2SVPN_OK);
    CU_ASSERT(!passes(&lab, 0, 1) && !passes(&lab, 1, 0));
    CU_ASSERT(passes(&lab, 0, 2) && passes(&lab, 2, 0) && passes(&lab, 1, 2));
    CU_ASSERT_EQUAL(lab_counters(&lab).parted, 2);
    CU_ASSERT_EQUAL(lab_counters(&lab).lost, 2);
    lab_close(&lab);
}

static void against_everybody_else(void)
{
    const s2svpn_address set[] = {lab_address(0), lab_address(1)};
    struct lab lab;

    lab_open(&lab, 1, 3);
    CU_ASSERT_EQUAL(s2svpn_sim_partition(lab.sim, set, 2, NULL, 0, 0, 10 * SECOND), S2SVPN_OK);
    CU_ASSERT(passes(&lab, 0, 1) && passes(&lab, 1, 0));
    CU_ASSERT(!passes(&lab, 0, 2) && !passes(&lab, 2, 1));
    lab_close(&lab);
}

static void from_then_until_then(void)
{
    const s2svpn_address a = lab_address(0);
    struct lab lab;

    lab_open(&lab, 1, 2);
    CU_ASSERT_EQUAL(s2svpn_sim_partition(lab.sim, &a, 1, NULL, 0, 3 * SECOND, 5 * SECOND),
                    S2SVPN_OK);
    CU_ASSERT(passes(&lab, 0, 1));
    s2svpn_sim_run(lab.sim, 3 * SECOND);
    CU_ASSERT(!passes(&lab, 0, 1));
    s2svpn_sim_run(lab.sim, 5 * SECOND - 1);
    CU_ASSERT(!passes(&lab, 0, 1));
    s2svpn_sim_run(lab.sim, 5 * SECOND);
    CU_ASSERT(passes(&lab, 0, 1));
    lab_close(&lab);
}

static void behind_a_translator_both_addresses_count(void)
{
    for (int by_outside = 0; by_outside < 2; by_outside++) {
        s2svpn_sim_nat_options o = S2SVPN_SIM_NAT_OPTIONS_INIT;
        s2svpn_sim_nat *nat;
        struct lab lab;

        o.inside = (s2svpn_prefix){.address = lab_address(0), .length = 32};
        o.outside = lab_address(100);
        lab_open(&lab, 1, 2);
        CU_ASSERT_EQUAL(s2svpn_sim_nat_new(lab.sim, &o, &nat), S2SVPN_OK);
        CU_ASSERT(passes(&lab, 0, 1));
        const s2svpn_address a = by_outside ? o.outside : lab_address(0);
        CU_ASSERT_EQUAL(s2svpn_sim_partition(lab.sim, &a, 1, NULL, 0, 0, 9 * SECOND), S2SVPN_OK);
        CU_ASSERT(!passes(&lab, 0, 1));
        lab_close(&lab);
    }
}

static void what_is_past_is_forgotten_and_what_cannot_be_is_refused(void)
{
    const s2svpn_address a = lab_address(0);
    struct lab lab;

    lab_open(&lab, 1, 2);
    for (unsigned i = 0; i < 5000; i++) /* all of them are over */
        CU_ASSERT_EQUAL(s2svpn_sim_partition(lab.sim, &a, 1, NULL, 0, 0, SECOND / 2), S2SVPN_OK);
    for (unsigned i = 0; i < 4096; i++)
        CU_ASSERT_EQUAL(s2svpn_sim_partition(lab.sim, &a, 1, &a, 1, 0, 9 * SECOND), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_sim_partition(lab.sim, &a, 1, &a, 1, 0, 9 * SECOND), S2SVPN_E_LIMIT);
    CU_ASSERT_EQUAL(s2svpn_sim_partition(lab.sim, NULL, 0, &a, 1, 0, 1), S2SVPN_E_ARGUMENT);
    CU_ASSERT_EQUAL(s2svpn_sim_partition(lab.sim, &a, 0, &a, 1, 0, 1), S2SVPN_E_ARGUMENT);
    CU_ASSERT_EQUAL(s2svpn_sim_partition(lab.sim, &a, 1, &a, 0, 0, 1), S2SVPN_E_ARGUMENT);
    CU_ASSERT_EQUAL(s2svpn_sim_partition(lab.sim, &a, 1, NULL, 0, 2, 1), S2SVPN_E_ARGUMENT);
    lab_close(&lab);
}

const CU_TestInfo s2_test_part[] = {
    {"nothing passes between the sets, and all else does",
     nothing_passes_between_the_sets_and_all_else_does},
    {"against everybody else", against_everybody_else},
    {"from then until then", from_then_until_then},
    {"behind a translator both addresses count", behind_a_translator_both_addresses_count},
    {"what is past is forgotten, and what cannot be is refused",
     what_is_past_is_forgotten_and_what_cannot_be_is_refused},
    CU_TEST_INFO_NULL,
};
