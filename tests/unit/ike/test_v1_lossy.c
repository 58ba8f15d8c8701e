/* SPDX-License-Identifier: Apache-2.0 */
/* IKEv1 over networks that lose, double and reorder: each message once, and then nearly
 * every third, hundreds of seeds, each of which can be run again alone. */
#include <stdlib.h>

#include <CUnit/CUnit.h>

#include "base/text.h"
#include "harness.h"
#include "ike/v1_pair.h"

#define SEEDS 200
#define MESSAGES 60 /* a short life has fewer */

/* S2_SIM_SEEDS: as many as that, for a longer campaign; S2_SIM_SEED: this one alone. */
struct seeds {
    uint64_t first, end;
};
static struct seeds seeds(uint64_t usual)
{
    const char *wish = getenv("S2_SIM_SEEDS"), *one = getenv("S2_SIM_SEED");
    struct seeds s = {0, wish != NULL ? strtoull(wish, NULL, 0) : usual};

    if (one != NULL) {
        s.first = strtoull(one, NULL, 0);
        s.end = s.first + 1;
    }
    return s;
}

static const char *judge(struct s2_pair *p)
{
    if (!s2_pair_is_settled(p))
        return "one IKE SA and one child remain";
    for (size_t e = 0; e < 2; e++) {
        if (!s2_pair_balances(&p->end[e]))
            return "SPIs balance";
        if (p->end[e].job_count != 0)
            return "no job is left";
    }
    return NULL;
}

static void rekey_children(struct s2_pair_end *e)
{
    for (size_t i = 0; i < e->children; i++) {
        if (e->child[i].up)
            (void)!s2_ike_rekey_child(e->ike, e, e->child[i].spi_in, e->pair->now_ns);
    }
}

/* ---- each message once */

enum fate { LOST, TWICE, LATE, FATES };
static const char *const fate_names[] = {"lost", "twice", "late"};

struct plan {
    enum fate fate;
    unsigned victim, seen;
    bool done;
};

static bool strike(struct s2_pair *p, struct s2_pair_datagram *d)
{
    struct plan *plan = p->filter_arg;

    if (plan->done || ++plan->seen != plan->victim)
        return true;
    plan->done = true;
    if (plan->fate == LOST)
        return false;
    if (plan->fate == LATE) {
        d->at_ns += 300 * S2_MS;
        return true;
    }
    s2_pair_inject(p, d->to, &d->local, &d->remote, d->p, d->len);
    return true;
}

static const char *live(struct s2_pair *p)
{
    if (!s2_pair_open(p) || !s2_pair_initiate(p, 0))
        return "it starts";
    s2_pair_run_for(p, 10 * S2_SECOND);
    if (s2_pair_only_child(&p->end[0]) == NULL || s2_pair_only_child(&p->end[1]) == NULL)
        return "a child comes up";
    p->traffic = true;
    rekey_children(&p->end[0]);
    s2_pair_run_for(p, 20 * S2_SECOND);
    rekey_children(&p->end[1]);
    (void)!s2_ike_rekey_sa(p->end[1].ike, &p->end[1], p->now_ns);
    s2_pair_run_for(p, 160 * S2_SECOND);
    return p->lost_packets == 0 ? judge(p) : "no packet is lost";
}

static void each_message_is_lost_doubled_or_late_once(void)
{
    for (unsigned fate = 0; fate < FATES; fate++) {
        bool struck = true;

        for (unsigned victim = 1; struck && victim < MESSAGES; victim++) {
            struct plan plan = {.fate = (enum fate)fate, .victim = victim};
            struct s2_pair p;
            char row[96];

            s2_pair_init_v1(&p, victim);
            for (size_t e = 0; e < 2; e++) { /* without questions there is an end to it */
                p.end[e].config.dpd_delay_s = 0;
                p.end[e].defer_jobs = victim % 2 == 1;
            }
            p.filter = strike;
            p.filter_arg = &plan;
            const char *wrong = live(&p);
            struck = plan.done;
            s2_print(row, sizeof(row), "message %u %s: %s", victim, fate_names[fate],
                     wrong != NULL ? wrong : "well");
            CHECK_ROW(row, wrong == NULL);
            s2_pair_close(&p);
            CHECK_ROW(row, p.end[0].fake.live + p.end[1].fake.live == 0);
            if (!struck)
                CU_ASSERT_TRUE(victim > 20); /* it was a whole life */
        }
        CU_ASSERT_FALSE(struck);
    }
}

/* ---- every third */

static void spoil(struct s2_pair *p)
{
    p->loss = 30;
    p->twice = 10;
    p->jitter_ms = 200;
}

/* A peer that only seems dead isn't given up: what remains is the protocol's. */
static void be_patient(struct s2_pair *p)
{
    for (size_t e = 0; e < 2; e++) {
        p->end[e].config.dpd_timeout_s = 0;
        p->end[e].options.retransmit_tries = 60;
        p->end[e].options.retransmit_base_percent = 110;
        p->end[e].options.retransmit_timeout_ms = 500;
    }
}

static uint64_t draw(uint64_t *state, uint64_t below)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (*state >> 33) % below;
}

static void do_something(struct s2_pair *p, uint64_t *state)
{
    struct s2_pair_end *e = &p->end[draw(state, 2)];
    const uint64_t what = draw(state, 5);

    if (what < 3)
        rekey_children(e);
    else if (what == 3)
        (void)!s2_ike_rekey_sa(e->ike, e, p->now_ns);
    else
        (void)!s2_ike_check(e->ike, e, p->now_ns);
}

static void report(uint64_t seed, const char *wrong)
{
    char row[96];

    s2_print(row, sizeof(row), "seed %u: %s", (unsigned)seed, wrong != NULL ? wrong : "well");
    CHECK_ROW(row, wrong == NULL);
}

/* Both start, both rekey whenever they like, each child stays usable. */
static void rekeys_lose_no_packet_whatever_the_network_loses(void)
{
    const struct seeds s = seeds(SEEDS);

    for (uint64_t seed = s.first; seed < s.end; seed++) {
        struct s2_pair p;
        uint64_t state = seed;

        s2_pair_init_v1(&p, seed);
        spoil(&p);
        be_patient(&p);
        p.end[0].defer_jobs = seed % 2 == 1;
        p.end[1].defer_jobs = seed % 3 == 1;
        CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
        CU_ASSERT_TRUE(s2_pair_initiate(&p, 0));
        if (seed % 4 == 0)
            CU_ASSERT_TRUE(s2_pair_initiate(&p, 1));
        s2_pair_run_for(&p, 100 * S2_SECOND);
        p.traffic = true;
        for (size_t i = 0; i < 12; i++) {
            do_something(&p, &state);
            s2_pair_run_for(&p, draw(&state, 3000) * S2_MS);
        }
        s2_pair_run_for(&p, 120 * S2_SECOND);
        p.loss = 0;
        s2_pair_run_for(&p, 200 * S2_SECOND);
        const char *wrong = judge(&p);
        if (wrong == NULL && p.lost_packets > 0)
            wrong = "no packet is lost";
        report(seed, wrong);
        s2_pair_close(&p);
        CU_ASSERT_EQUAL(p.end[0].fake.live + p.end[1].fake.live, 0);
    }
}

/* As vpn does: what is down is started again. */
static void restart(struct s2_pair *p)
{
    for (unsigned e = 0; e < 2; e++) {
        if (s2_pair_children_up(&p->end[e]) == 0)
            (void)s2_pair_initiate(p, e);
    }
}

/* With the usual time-outs peers do die in such a network; they come back. */
static void what_dies_comes_back_and_settles(void)
{
    const struct seeds s = seeds(SEEDS / 4);

    for (uint64_t seed = s.first; seed < s.end; seed++) {
        struct s2_pair p;
        uint64_t state = seed;

        s2_pair_init_v1(&p, seed);
        spoil(&p);
        CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
        for (size_t i = 0; i < 60; i++) {
            restart(&p);
            if (i % 3 == 0)
                do_something(&p, &state);
            s2_pair_run_for(&p, 5 * S2_SECOND);
        }
        p.loss = 0;
        for (size_t i = 0; i < 40; i++) {
            restart(&p);
            s2_pair_run_for(&p, 5 * S2_SECOND);
        }
        report(seed, judge(&p));
        s2_pair_close(&p);
        CU_ASSERT_EQUAL(p.end[0].fake.live + p.end[1].fake.live, 0);
    }
}

const CU_TestInfo s2_test_v1_lossy[] = {
    {"each message is lost, doubled or late once", each_message_is_lost_doubled_or_late_once},
    {"rekeys lose no packet whatever the network loses",
     rekeys_lose_no_packet_whatever_the_network_loses},
    {"what dies comes back and settles", what_dies_comes_back_and_settles},
    CU_TEST_INFO_NULL,
};
