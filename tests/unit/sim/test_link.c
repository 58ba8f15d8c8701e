/* SPDX-License-Identifier: Apache-2.0 */
/* Which setting counts, and who has an address. */
#include "io/sim/sim.h"

#include "fake_context.h"
#include "harness.h"

static s2svpn_sim_link delayed(uint64_t ns)
{
    s2svpn_sim_link l = S2SVPN_SIM_LINK_INIT;

    l.delay_ns = ns;
    return l;
}

static void set(struct lab *lab, const s2svpn_address *from, const s2svpn_address *to, uint64_t ns)
{
    const s2svpn_sim_link l = delayed(ns);

    CU_ASSERT_EQUAL(s2svpn_sim_set_link(lab->sim, from, to, &l), S2SVPN_OK);
}

static uint64_t got(struct lab *lab, size_t from, size_t to)
{
    const s2svpn_address a = lab_address(from), b = lab_address(to);

    return s2_sim_find_link(lab->sim, &a, &b)->delay_ns;
}

static void the_most_exact_setting_counts(void)
{
    const s2svpn_address a = lab_address(0), b = lab_address(1), none = {0};
    struct lab lab;

    lab_open(&lab, 1, 0);
    CU_ASSERT_EQUAL(got(&lab, 0, 1), 0);
    set(&lab, NULL, NULL, 1);
    set(&lab, NULL, &b, 2);
    CU_ASSERT_EQUAL(got(&lab, 0, 1), 2);
    CU_ASSERT_EQUAL(got(&lab, 0, 2), 1);
    set(&lab, &a, NULL, 3);
    CU_ASSERT_EQUAL(got(&lab, 0, 1), 3);
    CU_ASSERT_EQUAL(got(&lab, 2, 1), 2);
    set(&lab, &a, &b, 4);
    CU_ASSERT_EQUAL(got(&lab, 0, 1), 4);
    CU_ASSERT_EQUAL(got(&lab, 0, 2), 3);
    CU_ASSERT_EQUAL(got(&lab, 1, 0), 1); /* the other direction */
    set(&lab, &none, &none, 5);          /* family 0 is any, too */
    CU_ASSERT_EQUAL(got(&lab, 1, 0), 5);
    CU_ASSERT_EQUAL(lab.sim->link_count, 4);
    lab_close(&lab);
}

static void a_setting_is_found_among_many(void)
{
    struct lab lab;

    lab_open(&lab, 1, 0);
    for (size_t i = 0; i < 200; i++) {
        const s2svpn_address a = lab_address(i * 37 % 200), b = lab_address(i);

        set(&lab, &a, &b, 1000 + i);
    }
    for (size_t i = 0; i < 200; i++)
        CU_ASSERT_EQUAL(got(&lab, i * 37 % 200, i), 1000 + i);
    lab_close(&lab);
}

static void settings_that_cannot_be_are_refused(void)
{
    const s2svpn_address odd = {.family = 5};
    const s2svpn_sim_link good = delayed(1);
    s2svpn_sim_link bad[4] = {good, good, good, good};
    struct lab lab;

    bad[0].loss_ppm = 1000001;
    bad[1].duplicate_ppm = 1000001;
    bad[2].reorder_ppm = 1000001;
    bad[3].size = 0;
    lab_open(&lab, 1, 0);
    for (size_t i = 0; i < 4; i++)
        CU_ASSERT_EQUAL(s2svpn_sim_set_link(lab.sim, NULL, NULL, &bad[i]), S2SVPN_E_ARGUMENT);
    CU_ASSERT_EQUAL(s2svpn_sim_set_link(lab.sim, NULL, NULL, NULL), S2SVPN_E_ARGUMENT);
    CU_ASSERT_EQUAL(s2svpn_sim_set_link(lab.sim, &odd, NULL, &good), S2SVPN_E_ARGUMENT);
    CU_ASSERT_EQUAL(s2svpn_sim_set_link(lab.sim, NULL, &odd, &good), S2SVPN_E_ARGUMENT);
    CU_ASSERT_EQUAL(lab.sim->link_count, 0);
    lab_close(&lab);
}

static void an_endpoint_is_found_by_address_and_port_or_by_protocol(void)
{
    struct lab lab;

    lab_open(&lab, 1, 3);
    for (size_t i = 0; i < 3; i++) {
        for (uint8_t role = S2SVPN_ROLE_IKE; role <= S2SVPN_ROLE_RAW; role++) {
            const s2svpn_endpoint e = lab_endpoint(i, role);
            const struct s2_sim_endpoint *found =
                s2_sim_find_endpoint(lab.sim, &e, role == S2SVPN_ROLE_RAW);

            CU_ASSERT_PTR_NOT_NULL_FATAL(found);
            CU_ASSERT_PTR_EQUAL(found->node, lab.node[i]);
            CU_ASSERT_EQUAL(found->endpoint.role, role);
        }
    }

    s2svpn_endpoint e = lab_endpoint(0, S2SVPN_ROLE_IKE);
    e.port = 501;
    CU_ASSERT_PTR_NULL(s2_sim_find_endpoint(lab.sim, &e, false));
    e.port = 0; /* the RAW endpoint is no UDP port 0 */
    CU_ASSERT_PTR_NULL(s2_sim_find_endpoint(lab.sim, &e, false));
    e = lab_endpoint(3, S2SVPN_ROLE_IKE);
    CU_ASSERT_PTR_NULL(s2_sim_find_endpoint(lab.sim, &e, false));
    lab_close(&lab);
}

static void an_address_has_one_owner_until_it_leaves(void)
{
    struct lab lab;

    lab_open(&lab, 1, 2);
    s2svpn_sim_detach(lab.node[1]);
    lab.ctx[1]->local[1].address = lab_address(0);
    CU_ASSERT_EQUAL(s2svpn_sim_attach(lab.node[1], lab.ctx[1], &lab.ctx[1]->options),
                    S2SVPN_E_EXISTS);
    CU_ASSERT_EQUAL(lab.sim->endpoint_count, 3); /* and its own are gone, too */
    s2svpn_sim_detach(lab.node[0]);
    CU_ASSERT_EQUAL(s2svpn_sim_attach(lab.node[1], lab.ctx[1], &lab.ctx[1]->options), S2SVPN_OK);

    const s2svpn_endpoint e = lab_endpoint(0, S2SVPN_ROLE_NATT);
    const struct s2_sim_endpoint *found = s2_sim_find_endpoint(lab.sim, &e, false);
    CU_ASSERT(found != NULL && found->node == lab.node[1]);
    lab_close(&lab);
}

static void an_address_of_no_family_is_refused(void)
{
    struct lab lab;

    lab_open(&lab, 1, 1);
    s2svpn_sim_detach(lab.node[0]);
    lab.ctx[0]->local[1].address.family = S2SVPN_FAMILY_NONE;
    CU_ASSERT_EQUAL(s2svpn_sim_attach(lab.node[0], lab.ctx[0], &lab.ctx[0]->options),
                    S2SVPN_E_ARGUMENT);
    CU_ASSERT_EQUAL(lab.sim->endpoint_count, 0);
    lab_close(&lab);
}

const CU_TestInfo s2_test_link[] = {
    {"the most exact setting counts", the_most_exact_setting_counts},
    {"a setting is found among many", a_setting_is_found_among_many},
    {"settings that cannot be are refused", settings_that_cannot_be_are_refused},
    {"an endpoint is found by address and port, or by protocol",
     an_endpoint_is_found_by_address_and_port_or_by_protocol},
    {"an address has one owner until it leaves", an_address_has_one_owner_until_it_leaves},
    {"an address of no family is refused", an_address_of_no_family_is_refused},
    CU_TEST_INFO_NULL,
};
