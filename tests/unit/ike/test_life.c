/* SPDX-License-Identifier: Apache-2.0 */
/* v2/: commands, and what becomes of a tunnel in time: restarts, lifetimes, rekeys. How
 * it comes up and goes down: test_exchange.c. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "base/address.h"
#include "base/text.h"
#include "harness.h"
#include "ike/message.h"
#include "ike/pair.h"
#include "ike/sa.h"
#include "ike/v2/v2.h"

/* Open, initiate by 0, run so long. */
static void attempt(struct s2_pair *p, uint64_t ns)
{
    CU_ASSERT_TRUE_FATAL(s2_pair_open(p));
    CU_ASSERT_TRUE(s2_pair_initiate(p, 0));
    s2_pair_run_for(p, ns);
}

/* ---- commands */

static void a_second_start_is_refused(void)
{
    struct s2_pair p;

    s2_pair_init(&p, 19);
    CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
    CU_ASSERT_TRUE(s2_pair_initiate(&p, 0));
    CU_ASSERT_EQUAL(s2_ike_initiate(p.end[0].ike, p.end[0].live, p.now_ns), S2SVPN_E_EXISTS);
    s2_pair_run_for(&p, S2_SECOND);
    CU_ASSERT_EQUAL(s2_ike_initiate(p.end[0].ike, p.end[0].live, p.now_ns), S2SVPN_E_EXISTS);
    CU_ASSERT_TRUE(s2_pair_is_settled(&p));
    s2_ike_terminate(p.end[0].ike, &p.end[0], true, p.now_ns);
    CU_ASSERT_TRUE(s2_pair_initiate(&p, 0)); /* while the old one closes */
    s2_pair_run_for(&p, S2_SECOND);
    CU_ASSERT_TRUE(s2_pair_is_settled(&p));
    s2_pair_close(&p);
}

static void commands_without_their_object_say_so(void)
{
    struct s2_pair p;

    s2_pair_init(&p, 20);
    CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
    struct s2_pair_end *e = &p.end[0];
    struct s2_ike_sa_info info;
    CU_ASSERT_EQUAL(s2_ike_rekey_sa(e->ike, e, p.now_ns), S2SVPN_E_NOT_FOUND);
    CU_ASSERT_EQUAL(s2_ike_rekey_child(e->ike, e, 7, p.now_ns), S2SVPN_E_NOT_FOUND);
    CU_ASSERT_EQUAL(s2_ike_check(e->ike, e, p.now_ns), S2SVPN_E_NOT_FOUND);
    CU_ASSERT_FALSE(s2_ike_get_info(e->ike, e, &info));
    s2_ike_terminate(e->ike, e, true, p.now_ns);
    s2_pair_forget(e->pair, e->number);
    e->live->mute = true;
    CU_ASSERT_EQUAL(s2_ike_initiate(e->ike, e->live, p.now_ns), S2SVPN_E_STATE);
    CU_ASSERT_TRUE(s2_pair_initiate(&p, 1));
    s2_pair_run_for(&p, S2_SECOND);
    CU_ASSERT_EQUAL(e->drop, S2SVPN_DROP_IKE_NO_TUNNEL);
    CU_ASSERT_EQUAL(e->sent, 0);
    s2_pair_close(&p);
}

static void a_child_that_cannot_be_installed_is_undone(void)
{
    for (size_t who = 0; who < 2; who++) {
        struct s2_pair p;

        s2_pair_init(&p, 21);
        p.end[who].refuse_child = true;
        attempt(&p, 2 * S2_SECOND);
        for (size_t e = 0; e < 2; e++) {
            CU_ASSERT_EQUAL(s2_pair_sas(&p.end[e]), 0);
            CU_ASSERT_EQUAL(s2_pair_children_up(&p.end[e]), 0);
            CU_ASSERT_TRUE(s2_pair_balances(&p.end[e]));
        }
        s2_pair_close(&p);
    }
}

static void without_an_spi_there_is_no_child(void)
{
    for (size_t who = 0; who < 2; who++) {
        struct s2_pair p;

        s2_pair_init(&p, 28);
        p.end[who].no_spi = true;
        attempt(&p, S2_SECOND);
        CU_ASSERT_EQUAL(p.end[0].reason, who == 0 ? S2_IKE_REASON_LIMIT : S2_IKE_REASON_PEER_ERROR);
        CU_ASSERT_EQUAL(s2_pair_children_up(&p.end[1]), 0);
        s2_pair_close(&p);
        /* In a rekey the old child stays. */
        s2_pair_init(&p, 29);
        CU_ASSERT_TRUE(s2_pair_connect(&p));
        p.end[who].no_spi = true;
        CU_ASSERT_EQUAL(
            s2_ike_rekey_child(p.end[0].ike, &p.end[0], p.end[0].child[0].spi_in, p.now_ns),
            S2SVPN_OK);
        s2_pair_run_for(&p, S2_SECOND);
        CU_ASSERT_TRUE(s2_pair_is_settled(&p));
        p.end[who].no_spi = false;
        s2_pair_run_for(&p, 30 * S2_SECOND); /* and it is tried again */
        CU_ASSERT_TRUE(s2_pair_is_settled(&p));
        CU_ASSERT_EQUAL(p.end[0].children_up, 2);
        s2_pair_close(&p);
    }
}

static void drop_child(struct s2_pair *p, unsigned number, bool tell)
{
    struct s2_pair_end *e = &p->end[number];
    struct s2_ike_sa *sa = s2_ike_find_up(e->ike, e);

    s2_ike_enter(e->ike, p->now_ns);
    if (tell)
        s2_ike_child_delete(sa, s2_ike_child_current(sa), S2_IKE_REASON_LOCAL);
    else
        s2_ike_child_remove(sa, s2_ike_child_current(sa), S2_IKE_REASON_LOCAL);
    s2_ike_leave(e->ike);
    s2_pair_run_for(p, S2_SECOND);
}

static void an_sa_without_a_child_gets_one_when_started(void)
{
    for (unsigned who = 0; who < 2; who++) {
        struct s2_pair p;

        s2_pair_init(&p, 30);
        CU_ASSERT_TRUE(s2_pair_connect(&p));
        drop_child(&p, 0, true);
        CU_ASSERT_EQUAL(s2_pair_children_up(&p.end[0]) + s2_pair_children_up(&p.end[1]), 0);
        CU_ASSERT_EQUAL(p.end[1].child_reason, S2_IKE_REASON_PEER_DELETE);
        CU_ASSERT_TRUE(s2_pair_initiate(&p, who));
        s2_pair_run_for(&p, S2_SECOND);
        CU_ASSERT_TRUE(s2_pair_is_settled(&p));
        CU_ASSERT_EQUAL(p.end[0].sa_ups, 1);
        s2_pair_close(&p);
    }
}

/* CHILD_SA_NOT_FOUND: the old one is dropped, a new one made, on the same IKE SA. */
static void a_child_that_the_peer_lost_is_made_anew(void)
{
    struct s2_pair p;

    s2_pair_init(&p, 31);
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    drop_child(&p, 1, false);
    CU_ASSERT_EQUAL(s2_pair_children_up(&p.end[0]), 1);
    CU_ASSERT_EQUAL(s2_ike_rekey_child(p.end[0].ike, &p.end[0], p.end[0].child[0].spi_in, p.now_ns),
                    S2SVPN_OK);
    s2_pair_run_for(&p, S2_SECOND);
    CU_ASSERT_TRUE(s2_pair_is_settled(&p));
    CU_ASSERT_EQUAL(p.end[0].sa_ups, 1);
    CU_ASSERT_EQUAL(s2_pair_only_child(&p.end[0])->replaces, 0);
    s2_pair_close(&p);
}

static void a_new_child_that_is_refused_closes_the_empty_sa(void)
{
    struct s2_pair p;

    s2_pair_init(&p, 32);
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    drop_child(&p, 0, true);
    p.end[1].live->esp.encr_count = 0;
    CU_ASSERT_TRUE(s2_pair_initiate(&p, 0));
    s2_pair_run_for(&p, S2_SECOND);
    CU_ASSERT_EQUAL(p.end[0].reason, S2_IKE_REASON_NO_PROPOSAL);
    CU_ASSERT_EQUAL(s2_pair_sas(&p.end[0]) + s2_pair_sas(&p.end[1]), 0);
    CU_ASSERT_TRUE(s2_pair_balances(&p.end[0]));
    s2_pair_close(&p);
}

/* ---- restart and both at once */

static void a_restarted_peer_replaces_its_old_sa(void)
{
    struct s2_pair p;

    s2_pair_init(&p, 22);
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    s2_pair_forget(&p, 0); /* as a crash does */
    for (size_t i = 0; i < p.end[0].children; i++)
        p.end[0].child[i].up = false;
    s2_pair_run_for(&p, S2_SECOND);
    CU_ASSERT_TRUE(s2_pair_initiate(&p, 0));
    s2_pair_run_for(&p, S2_SECOND);
    CU_ASSERT_TRUE(s2_pair_is_settled(&p));
    CU_ASSERT_EQUAL(p.end[1].sa_downs, 1);
    CU_ASSERT_EQUAL(p.end[1].reason, S2_IKE_REASON_INITIAL_CONTACT);
    CU_ASSERT_FALSE(p.end[1].last);
    s2_pair_close(&p);
}

static void a_forgotten_sa_is_found_out_by_its_unknown_spi(void)
{
    struct s2_pair p;

    s2_pair_init(&p, 23);
    p.end[1].config.dpd_delay_s = 1000;
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    s2_pair_forget(&p, 0);
    CU_ASSERT_EQUAL(s2_ike_check(p.end[1].ike, &p.end[1], p.now_ns), S2SVPN_OK);
    s2_pair_run_for(&p, 20 * S2_MS);
    CU_ASSERT_EQUAL(p.end[0].drop, S2SVPN_DROP_IKE_UNKNOWN_SPI);
    CU_ASSERT_EQUAL(p.end[0].sent, 3); /* INVALID_IKE_SPI, of which nothing follows by itself */
    CU_ASSERT_EQUAL(p.end[1].sa_downs, 0);
    s2_pair_run_for(&p, 31 * S2_SECOND);
    CU_ASSERT_EQUAL(p.end[1].reason, S2_IKE_REASON_DPD);
    s2_pair_close(&p);
}

static void a_child_that_runs_out_takes_the_sa_along(void)
{
    struct s2_pair p;

    s2_pair_init(&p, 24);
    p.end[1].config.child_lifetime_s = 0;
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    /* An hour, and every rekey is refused: the child ends, and the IKE SA with it. */
    p.end[1].refuse_child = true;
    s2_pair_run_for(&p, 3601 * S2_SECOND);
    CU_ASSERT_EQUAL(s2_pair_sas(&p.end[0]), 0);
    CU_ASSERT_EQUAL(s2_pair_sas(&p.end[1]), 0);
    CU_ASSERT_EQUAL(p.end[0].child_reason, S2_IKE_REASON_LIFETIME);
    CU_ASSERT_EQUAL(p.end[0].reason, S2_IKE_REASON_LIFETIME);
    CU_ASSERT_PTR_NOT_NULL(strstr(p.end[0].note, "NO_ADDITIONAL_SAS"));
    p.end[1].refuse_child = false;
    CU_ASSERT_TRUE(s2_pair_initiate(&p, 0));
    s2_pair_run_for(&p, S2_SECOND);
    CU_ASSERT_TRUE(s2_pair_agrees(&p));
    s2_pair_close(&p);
}

/* Ten hours with traffic all the time: rekeys of both kinds, no packet lost. */
static void lifetimes_pass_without_losing_a_packet(void)
{
    for (uint64_t seed = 0; seed < 4; seed++) {
        struct s2_pair p;

        s2_pair_init(&p, seed);
        p.jitter_ms = 40;
        CU_ASSERT_TRUE(s2_pair_connect(&p));
        p.traffic = true;
        s2_pair_run_for(&p, 36000 * S2_SECOND);
        CU_ASSERT_TRUE(s2_pair_is_settled(&p));
        CU_ASSERT_EQUAL(p.lost_packets, 0);
        CU_ASSERT_TRUE(p.end[0].children_up >= 10 && p.end[0].children_up <= 26);
        CU_ASSERT_TRUE(p.end[0].sa_ups >= 2);
        CU_ASSERT_TRUE(s2_pair_balances(&p.end[0]));
        CU_ASSERT_TRUE(s2_pair_balances(&p.end[1]));
        s2_pair_close(&p);
    }
}

static void a_rekey_has_forward_secrecy_if_configured(void)
{
    for (size_t pfs = 0; pfs < 2; pfs++) {
        struct s2_pair p;

        s2_pair_init(&p, 25);
        for (size_t e = 0; e < 2 && !pfs; e++)
            p.end[e].config.esp.ke_count = 0;
        CU_ASSERT_TRUE(s2_pair_connect(&p));
        const unsigned jobs = p.end[0].jobs;
        const uint32_t old = p.end[0].child[0].spi_in;
        CU_ASSERT_EQUAL(s2_ike_rekey_child(p.end[0].ike, &p.end[0], old, p.now_ns), S2SVPN_OK);
        s2_pair_run_for(&p, S2_SECOND);
        CU_ASSERT_TRUE(s2_pair_is_settled(&p));
        CU_ASSERT_EQUAL(s2_pair_only_child(&p.end[0])->ke, pfs ? S2SVPN_KE_MODP_2048 : 0);
        CU_ASSERT_EQUAL(s2_pair_only_child(&p.end[0])->replaces, old);
        CU_ASSERT_EQUAL(p.end[0].jobs, jobs + (pfs ? 2 : 0));
        s2_pair_close(&p);
    }
}

static void groups_of_a_rekey_are_agreed_as_in_the_beginning(void)
{
    struct s2_pair p;

    s2_pair_init(&p, 26);
    p.end[1].config.esp.ke[0] = S2SVPN_KE_CURVE25519;
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    CU_ASSERT_EQUAL(s2_ike_rekey_child(p.end[0].ike, &p.end[0], p.end[0].child[0].spi_in, p.now_ns),
                    S2SVPN_OK);
    s2_pair_run_for(&p, S2_SECOND);
    CU_ASSERT_TRUE(s2_pair_is_settled(&p));
    CU_ASSERT_EQUAL(s2_pair_only_child(&p.end[0])->ke, S2SVPN_KE_CURVE25519);
    s2_pair_close(&p);
}

static void memory_returns_to_its_level_after_each_rekey(void)
{
    struct s2_pair p;

    s2_pair_init(&p, 27);
    CU_ASSERT_TRUE(s2_pair_connect(&p));
    size_t level[2] = {0};
    for (size_t i = 0; i < 20; i++) {
        struct s2_pair_end *e = &p.end[i % 2];

        if (i == 2) { /* now each has answered something */
            level[0] = p.end[0].fake.live;
            level[1] = p.end[1].fake.live;
        }

        CU_ASSERT_EQUAL(s2_ike_rekey_sa(e->ike, e, p.now_ns), S2SVPN_OK);
        s2_pair_run_for(&p, S2_SECOND);
        CU_ASSERT_EQUAL(s2_ike_rekey_child(e->ike, e, s2_pair_only_child(e)->spi_in, p.now_ns),
                        S2SVPN_OK);
        s2_pair_run_for(&p, 40 * S2_SECOND);
        CU_ASSERT_TRUE(s2_pair_is_settled(&p));
        CU_ASSERT_TRUE(i < 2 || p.end[0].fake.live == level[0]);
        CU_ASSERT_TRUE(i < 2 || p.end[1].fake.live == level[1]);
    }
    s2_pair_close(&p);
}

const CU_TestInfo s2_test_life[] = {
    {"a second start is refused", a_second_start_is_refused},
    {"commands without their object say so", commands_without_their_object_say_so},
    {"a child that cannot be installed is undone", a_child_that_cannot_be_installed_is_undone},
    {"without an SPI there is no child", without_an_spi_there_is_no_child},
    {"an SA without a child gets one when started", an_sa_without_a_child_gets_one_when_started},
    {"a child that the peer lost is made anew", a_child_that_the_peer_lost_is_made_anew},
    {"a new child that is refused closes the empty SA",
     a_new_child_that_is_refused_closes_the_empty_sa},
    {"a restarted peer replaces its old SA", a_restarted_peer_replaces_its_old_sa},
    {"a forgotten SA is found out by its unknown SPI",
     a_forgotten_sa_is_found_out_by_its_unknown_spi},
    {"a child that runs out takes the SA along", a_child_that_runs_out_takes_the_sa_along},
    {"lifetimes pass without losing a packet", lifetimes_pass_without_losing_a_packet},
    {"a rekey has forward secrecy if configured", a_rekey_has_forward_secrecy_if_configured},
    {"groups of a rekey are agreed as in the beginning",
     groups_of_a_rekey_are_agreed_as_in_the_beginning},
    {"memory returns to its level after each rekey", memory_returns_to_its_level_after_each_rekey},
    CU_TEST_INFO_NULL,
};
