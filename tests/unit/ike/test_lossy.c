/* SPDX-License-Identifier: Apache-2.0 */
/* v2/exchange.c and all above it over a bad network: nearly every third datagram is
 * lost, some come twice, none in order. Hundreds of seeds, each of which can be run
 * again alone. */
#include <CUnit/CUnit.h>

#include "base/text.h"
#include "harness.h"
#include "ike/pair.h"

#define SEEDS 400

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

    if (what < 3) {
        for (size_t i = 0; i < e->children; i++) {
            if (e->child[i].up)
                (void)!s2_ike_rekey_child(e->ike, e, e->child[i].spi_in, p->now_ns);
        }
    } else if (what == 3) {
        (void)!s2_ike_rekey_sa(e->ike, e, p->now_ns);
    } else {
        (void)!s2_ike_check(e->ike, e, p->now_ns);
    }
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

static void report(uint64_t seed, const char *wrong)
{
    char row[96];

    s2_print(row, sizeof(row), "seed %u: %s", (unsigned)seed, wrong != NULL ? wrong : "well");
    CHECK_ROW(row, wrong == NULL);
}

/* Both start, both rekey whenever they like, each child stays usable. */
static void rekeys_lose_no_packet_whatever_the_network_loses(void)
{
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        struct s2_pair p;
        uint64_t state = seed;

        s2_pair_init(&p, seed);
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
    for (uint64_t seed = 0; seed < SEEDS / 4; seed++) {
        struct s2_pair p;
        uint64_t state = seed;

        s2_pair_init(&p, seed);
        spoil(&p);
        CU_ASSERT_TRUE_FATAL(s2_pair_open(&p));
        for (size_t i = 0; i < 100; i++) {
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

const CU_TestInfo s2_test_lossy[] = {
    {"rekeys lose no packet whatever the network loses",
     rekeys_lose_no_packet_whatever_the_network_loses},
    {"what dies comes back and settles", what_dies_comes_back_and_settles},
    CU_TEST_INFO_NULL,
};
