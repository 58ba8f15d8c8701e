/* SPDX-License-Identifier: Apache-2.0 */
/* Exchanges that overtake one another: an answer that is lost and comes by a
 * retransmission when the peer has long gone on. Each was found by a campaign of the
 * simulator. RFC 7296 sections 2.1, 2.8.1, 2.8.2, 2.25. */
#include <CUnit/CUnit.h>

#include "base/text.h"
#include "harness.h"
#include "ike/pair.h"
#include "ike/sa.h"
#include "ike/v2/v2.h"

/* Either side's nonces are the lowest in some of these. */
#define FIRST_SEED 6
#define LAST_SEED 17

#define RETRIED_NS (60 * S2_SECOND)  /* retransmissions have done their work ... */
#define CLEARED_NS (300 * S2_SECOND) /* ... and what the peer didn't delete is deleted */

static bool begin(struct s2_pair *p, uint64_t seed)
{
    s2_pair_init(p, seed);
    for (size_t e = 0; e < 2; e++)
        p->end[e].config.dpd_delay_s = 60;
    if (!s2_pair_connect(p))
        return false;
    p->traffic = true;
    p->manual = true;
    return true;
}

static void deliver(struct s2_pair *p, unsigned to)
{
    CU_ASSERT_TRUE(s2_pair_deliver(p, to));
    s2_pair_run_for(p, 2 * S2_MS);
}

/* The oldest datagram for that end comes to nobody. */
static void lose(struct s2_pair *p, unsigned to)
{
    struct s2_ike *ike = p->end[to].ike;
    const unsigned received = p->end[to].received;

    p->end[to].ike = NULL;
    CU_ASSERT_TRUE(s2_pair_deliver(p, to));
    p->end[to].ike = ike;
    p->end[to].received = received;
}

static void drain(struct s2_pair *p)
{
    for (bool any = true; any;) {
        any = s2_pair_deliver(p, 0);
        any = s2_pair_deliver(p, 1) || any;
        s2_pair_run_for(p, 2 * S2_MS);
    }
}

static void rekey_current(struct s2_pair *p, unsigned number)
{
    struct s2_pair_end *e = &p->end[number];
    const struct s2_ike_child_sa *child = s2_ike_child_current(s2_ike_find_up(e->ike, e));

    CU_ASSERT_PTR_NOT_NULL_FATAL(child);
    (void)!s2_ike_rekey_child(e->ike, e, child->spi_in, p->now_ns);
}

/* Let time pass, and all is well again. */
static void settle(struct s2_pair *p, uint64_t seed, uint64_t after_ns)
{
    char row[64];

    p->manual = false;
    s2_pair_run_for(p, after_ns);
    s2_print(row, sizeof(row), "seed %u", (unsigned)seed);
    CHECK_ROW(row, s2_pair_is_settled(p));
    CHECK_ROW(row, p->lost_packets == 0);
    CHECK_ROW(row, s2_pair_balances(&p->end[0]) && s2_pair_balances(&p->end[1]));
    s2_pair_close(p);
    CU_ASSERT_EQUAL(p->end[0].fake.live + p->end[1].fake.live, 0);
}

/* Both rekey the child; 0 doesn't get its answer, and 1, done, rekeys the successor. */
static void the_successors_rekey_is_no_collision_with_ours(void)
{
    for (uint64_t seed = FIRST_SEED; seed <= LAST_SEED; seed++) {
        static struct s2_pair p;

        CU_ASSERT_TRUE_FATAL(begin(&p, seed));
        rekey_current(&p, 0);
        rekey_current(&p, 1);
        deliver(&p, 1);
        deliver(&p, 0);
        lose(&p, 0);
        drain(&p);
        rekey_current(&p, 1);
        drain(&p);
        /* What 1 made for 0 is 0's to keep or to delete, when it knows of it. */
        CU_ASSERT_TRUE(p.end[1].child[1].up);
        settle(&p, seed, RETRIED_NS);
    }
}

/* Both rekey the IKE SA; 0 doesn't get its answer, and 1, decided, rekeys the child over
 * the new one, where 0 has no children yet. */
static void an_heir_that_is_not_decided_on_misses_no_child(void)
{
    for (uint64_t seed = FIRST_SEED; seed <= LAST_SEED; seed++) {
        static struct s2_pair p;

        CU_ASSERT_TRUE_FATAL(begin(&p, seed));
        for (unsigned e = 0; e < 2; e++)
            CU_ASSERT_EQUAL(s2_ike_rekey_sa(p.end[e].ike, &p.end[e], p.now_ns), S2SVPN_OK);
        deliver(&p, 1);
        deliver(&p, 0);
        lose(&p, 0);
        deliver(&p, 1);
        lose(&p, 0); /* the delete of the old one, or of the one that lost */
        rekey_current(&p, 1);
        drain(&p);
        settle(&p, seed, CLEARED_NS);
    }
}

/* 1 has made a child for 0, and deletes it before 0 has the answer. */
static void a_delete_that_overtakes_the_answer_counts(void)
{
    for (uint64_t seed = FIRST_SEED; seed <= LAST_SEED; seed++) {
        static struct s2_pair p;

        CU_ASSERT_TRUE_FATAL(begin(&p, seed));
        rekey_current(&p, 0);
        deliver(&p, 1);

        struct s2_ike_sa *sa = s2_ike_find_up(p.end[1].ike, &p.end[1]);
        s2_ike_enter(p.end[1].ike, p.now_ns);
        s2_ike_child_delete(sa, s2_ike_child_current(sa), S2_IKE_REASON_LOCAL);
        s2_ike_leave(p.end[1].ike);
        lose(&p, 0);
        drain(&p);
        settle(&p, seed, RETRIED_NS);
        CU_ASSERT_EQUAL(p.end[0].children_up, p.end[0].children_down + 1);
    }
}

static bool hold_the_first_auth(struct s2_pair *p, struct s2_pair_datagram *d)
{
    bool *held = p->filter_arg;

    if (d->len > 18 && d->p[18] == 35 && d->to == 1 && !*held) {
        *held = true;
        d->at_ns = p->now_ns + 10 * S2_SECOND;
    }
    return true;
}

/* 0 begins, dies, begins anew and is up; then its first IKE_AUTH arrives after all, and
 * 1 has an IKE SA that nobody else has. Traffic over the other one must not hide that,
 * not even where liveness isn't checked. */
static void a_twin_that_the_peer_forgot_ends_under_traffic(void)
{
    static const uint32_t dpd_delay_s[] = {10, 0};

    for (size_t i = 0; i < 2; i++) {
        static struct s2_pair p;
        bool held = false;

        s2_pair_init(&p, 1);
        p.end[1].config.dpd_delay_s = dpd_delay_s[i];
        p.filter = hold_the_first_auth;
        p.filter_arg = &held;
        CU_ASSERT_TRUE_FATAL(s2_pair_open(&p) && s2_pair_initiate(&p, 0));
        s2_pair_run_for(&p, S2_SECOND);
        CU_ASSERT_TRUE_FATAL(held);
        s2_pair_forget(&p, 0);
        CU_ASSERT_TRUE_FATAL(s2_pair_initiate(&p, 0));
        s2_pair_run_for(&p, S2_SECOND);
        p.end[1].esp_inbound_ns = p.now_ns + 3600 * S2_SECOND;
        s2_pair_run_for(&p, 10 * S2_SECOND);
        CU_ASSERT_EQUAL(s2_pair_sas(&p.end[1]), 2);
        s2_pair_run_for(&p, 120 * S2_SECOND);
        CU_ASSERT_EQUAL(s2_pair_sas(&p.end[1]), 1);
        CU_ASSERT_TRUE(s2_pair_is_settled(&p));
        s2_pair_close(&p);
    }
}

/* INFORMATIONAL requests of 0 in the IKE SA with this SPI. */
static bool lose_its_deletes(struct s2_pair *p, struct s2_pair_datagram *d)
{
    const uint64_t *spi_i = p->filter_arg;

    return d->to != 1 || d->len <= 18 || d->p[18] != 37 || s2_get_u64(d->p) != *spi_i;
}

/* 0 closes the IKE SA that 1 began, and starts another; 1 never hears of the first one's end, and has
 * two. Liveness isn't checked: while there was one, nothing was due. */
static void a_twin_whose_delete_was_lost_ends_too(void)
{
    static struct s2_pair p;

    s2_pair_init(&p, 1);
    p.end[1].config.dpd_delay_s = 0;
    CU_ASSERT_TRUE_FATAL(s2_pair_open(&p) && s2_pair_initiate(&p, 1));
    s2_pair_run_for(&p, S2_SECOND);
    uint64_t spi_i = p.end[0].info.spi_i;
    p.filter = lose_its_deletes;
    p.filter_arg = &spi_i;
    /* With a request out the delete waits, and INITIAL_CONTACT would not be true. */
    CU_ASSERT_EQUAL(s2_ike_check(p.end[0].ike, &p.end[0], p.now_ns), S2SVPN_OK);
    s2_ike_terminate(p.end[0].ike, &p.end[0], true, p.now_ns);
    s2_pair_run_for(&p, S2_SECOND);
    CU_ASSERT_TRUE_FATAL(s2_pair_initiate(&p, 0));
    s2_pair_run_for(&p, S2_SECOND);
    CU_ASSERT_EQUAL(s2_pair_sas(&p.end[1]), 2);
    s2_pair_run_for(&p, 150 * S2_SECOND);
    CU_ASSERT_EQUAL(s2_pair_sas(&p.end[1]), 1);
    CU_ASSERT_TRUE(s2_pair_is_settled(&p));
    s2_pair_close(&p);
}

const CU_TestInfo s2_test_overtaken[] = {
    {"the successor's rekey is no collision with ours",
     the_successors_rekey_is_no_collision_with_ours},
    {"an heir that is not decided on misses no child",
     an_heir_that_is_not_decided_on_misses_no_child},
    {"a delete that overtakes the answer counts", a_delete_that_overtakes_the_answer_counts},
    {"a twin that the peer forgot ends under traffic",
     a_twin_that_the_peer_forgot_ends_under_traffic},
    {"a twin whose delete was lost ends too", a_twin_whose_delete_was_lost_ends_too},
    CU_TEST_INFO_NULL,
};
