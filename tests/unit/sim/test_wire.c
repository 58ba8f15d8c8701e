/* SPDX-License-Identifier: Apache-2.0 */
/* What a link does to datagrams and trains. */
#include "io/sim/sim.h"

#include "fake_context.h"
#include "harness.h"

#include <string.h>

#define SECOND 1000000000u

static void run_dry(struct lab *lab)
{
    s2svpn_sim_run(lab->sim, s2svpn_sim_now(lab->sim) + 1000 * (uint64_t)SECOND);
}

/* Everything that was sent is somewhere. */
static bool balanced(const struct lab *lab)
{
    const s2svpn_sim_counters c = lab_counters(lab);

    return c.sent + c.duplicated == c.lost + c.unroutable + c.delivered;
}

static bool same_endpoint(const s2svpn_endpoint *a, const s2svpn_endpoint *b)
{
    return a->port == b->port && memcmp(&a->address, &b->address, sizeof(a->address)) == 0;
}

static void a_datagram_arrives_with_the_receivers_role_and_the_sender_as_remote(void)
{
    for (uint8_t role = S2SVPN_ROLE_IKE; role <= S2SVPN_ROLE_RAW; role++) {
        uint8_t data[] = {1, 2, 3};
        struct lab lab;

        lab_open(&lab, 1, 2);
        s2svpn_datagram d = lab_datagram(0, 1, role, data, 3);
        d.tos = 0xb9;
        d.dont_fragment = true;
        lab_send(&lab, 0, &d);
        CU_ASSERT_EQUAL(lab.ctx[1]->count, 0);
        run_dry(&lab);
        CU_ASSERT_EQUAL_FATAL(lab.ctx[1]->count, 1);

        const struct arrival *a = &lab.ctx[1]->arrivals[0];
        CU_ASSERT(same_endpoint(&a->d.local, &d.remote));
        CU_ASSERT(same_endpoint(&a->d.remote, &d.local));
        CU_ASSERT_EQUAL(a->d.local.role, role);
        CU_ASSERT_EQUAL(a->d.remote.role, 0);
        CU_ASSERT_EQUAL(a->d.tos, 0xb9);
        CU_ASSERT_EQUAL(a->d.hop_limit, 64);
        CU_ASSERT(!a->d.dont_fragment);
        CU_ASSERT_EQUAL(a->len, 3);
        CU_ASSERT_EQUAL(memcmp(a->head, data, 3), 0);
        CU_ASSERT_EQUAL(data[0], 1); /* what the receiver does to it is its own copy */
        lab_close(&lab);
    }
}

static void a_perfect_link_takes_a_microsecond(void)
{
    uint8_t data[1] = {9};
    struct lab lab;

    lab_open(&lab, 1, 2);
    const s2svpn_datagram d = lab_datagram(0, 1, S2SVPN_ROLE_IKE, data, 1);
    lab_send(&lab, 0, &d);
    s2svpn_sim_run(lab.sim, SECOND + 999);
    CU_ASSERT_EQUAL(lab.ctx[1]->count, 0);
    s2svpn_sim_run(lab.sim, SECOND + 1000);
    CU_ASSERT_EQUAL(lab.ctx[1]->count, 1);
    CU_ASSERT_EQUAL(lab.ctx[1]->arrivals[0].now_ns, SECOND + 1000);
    lab_close(&lab);
}

static void delay_and_jitter_stay_in_their_bounds(void)
{
    s2svpn_sim_link link = S2SVPN_SIM_LINK_INIT;
    uint64_t earliest = S2SVPN_NEVER, latest = 0;
    uint8_t data[1] = {9};
    struct lab lab;

    lab_open(&lab, 1, 2);
    link.delay_ns = 5000000;
    link.jitter_ns = 1000000;
    lab_link(&lab, &link);
    for (int i = 0; i < 1000; i++) {
        const s2svpn_datagram d = lab_datagram(0, 1, S2SVPN_ROLE_IKE, data, 1);

        lab_send(&lab, 0, &d);
    }
    run_dry(&lab);
    CU_ASSERT_EQUAL_FATAL(lab.ctx[1]->count, 1000);
    for (int i = 0; i < 1000; i++) {
        const uint64_t took = lab.ctx[1]->arrivals[i].now_ns - SECOND;

        earliest = took < earliest ? took : earliest;
        latest = took > latest ? took : latest;
    }
    CU_ASSERT(earliest >= 5000000 && earliest < 5050000);
    CU_ASSERT(latest <= 6000000 && latest > 5950000);
    lab_close(&lab);
}

static void what_the_link_does_is_within_the_odds(void)
{
    s2svpn_sim_link link = S2SVPN_SIM_LINK_INIT;
    uint8_t data[4] = {0};
    struct lab lab;

    lab_open(&lab, 3, 2);
    link.delay_ns = 1000000;
    link.loss_ppm = 200000;
    link.duplicate_ppm = 100000;
    link.reorder_ppm = 50000;
    lab_link(&lab, &link);
    for (int i = 0; i < 20000; i++) {
        const s2svpn_datagram d = lab_datagram(0, 1, S2SVPN_ROLE_NATT, data, 4);

        lab_send(&lab, 0, &d);
    }
    run_dry(&lab);

    const s2svpn_sim_counters c = lab_counters(&lab);
    CU_ASSERT_EQUAL(c.sent, 20000);
    CU_ASSERT(c.lost > 3700 && c.lost < 4300);             /* 4,000 */
    CU_ASSERT(c.duplicated > 1400 && c.duplicated < 1800); /* 1,600: of what isn't lost */
    CU_ASSERT(c.reordered > 600 && c.reordered < 850);     /* 720: of the rest */
    CU_ASSERT(balanced(&lab));
    lab_close(&lab);
}

static void a_link_that_is_down_swallows_everything(void)
{
    s2svpn_sim_link link = S2SVPN_SIM_LINK_INIT;
    uint8_t data[4] = {0};
    struct lab lab;

    lab_open(&lab, 3, 2);
    link.down = true;
    const s2svpn_address to = lab_address(1);
    CU_ASSERT_EQUAL(s2svpn_sim_set_link(lab.sim, NULL, &to, &link), S2SVPN_OK);
    const s2svpn_datagram d = lab_datagram(0, 1, S2SVPN_ROLE_IKE, data, 4),
                          back = lab_datagram(1, 0, S2SVPN_ROLE_IKE, data, 4);
    lab_send(&lab, 0, &d);
    lab_send(&lab, 1, &back);
    run_dry(&lab);
    CU_ASSERT_EQUAL(lab.ctx[1]->count, 0);
    CU_ASSERT_EQUAL(lab.ctx[0]->count, 1);
    CU_ASSERT_EQUAL(lab_counters(&lab).lost, 1);
    lab_close(&lab);
}

static void what_nobody_has_is_unroutable(void)
{
    uint8_t data[4] = {0};
    struct lab lab;

    lab_open(&lab, 3, 1);
    s2svpn_datagram d = lab_datagram(0, 1, S2SVPN_ROLE_IKE, data, 4);
    lab_send(&lab, 0, &d);
    d = lab_datagram(1, 0, S2SVPN_ROLE_IKE, data, 4);
    d.remote.port = 501;
    CU_ASSERT_EQUAL(s2svpn_sim_send(lab.sim, &d), S2SVPN_OK);
    run_dry(&lab);
    CU_ASSERT_EQUAL(lab_counters(&lab).unroutable, 2);
    CU_ASSERT(balanced(&lab));
    lab_close(&lab);
}

static void held_back_datagrams_are_overtaken(void)
{
    s2svpn_sim_link link = S2SVPN_SIM_LINK_INIT;
    unsigned overtaken = 0;
    uint8_t highest = 0;
    struct lab lab;

    lab_open(&lab, 3, 2);
    link.reorder_ppm = 100000;
    lab_link(&lab, &link);
    for (uint8_t i = 0; i < 200; i++) {
        const s2svpn_datagram d = lab_datagram(0, 1, S2SVPN_ROLE_NATT, &i, 1);

        lab_send(&lab, 0, &d);
    }
    run_dry(&lab);
    CU_ASSERT_EQUAL(lab.ctx[1]->count, 200);
    for (size_t i = 0; i < lab.ctx[1]->count; i++) {
        const struct arrival *a = &lab.ctx[1]->arrivals[i];

        overtaken += a->head[0] < highest;
        highest = a->head[0] > highest ? a->head[0] : highest;
        CU_ASSERT(a->now_ns <= SECOND + 11000); /* ten times the delay, at most */
    }
    CU_ASSERT(overtaken > 0 && overtaken <= lab_counters(&lab).reordered);
    lab_close(&lab);
}

static void a_train_that_nothing_touches_stays_whole(void)
{
    uint8_t data[2500] = {7};
    struct lab lab;

    lab_open(&lab, 3, 2);
    s2svpn_datagram d = lab_datagram(0, 1, S2SVPN_ROLE_NATT, data, sizeof(data));
    d.segment = 1000;
    lab_send(&lab, 0, &d);
    run_dry(&lab);
    CU_ASSERT_EQUAL_FATAL(lab.ctx[1]->count, 1);
    CU_ASSERT_EQUAL(lab.ctx[1]->arrivals[0].d.segment, 1000);
    CU_ASSERT_EQUAL(lab.ctx[1]->arrivals[0].len, 2500);
    CU_ASSERT_EQUAL(lab_counters(&lab).sent, 3);
    CU_ASSERT_EQUAL(lab_counters(&lab).delivered, 3);
    lab_close(&lab);
}

/* Every datagram carries its number; whatever the link does, each one that isn't
 * lost arrives as it was, in runs that are trains again. */
static void a_train_that_is_touched_arrives_in_runs(void)
{
    s2svpn_sim_link link = S2SVPN_SIM_LINK_INIT;
    unsigned longest = 0, singles = 0;

    link.loss_ppm = 60000;
    link.duplicate_ppm = 60000;
    link.reorder_ppm = 60000;
    for (uint64_t seed = 0; seed < 200; seed++) {
        uint8_t data[4 * 19 + 2]; /* 20 datagrams, the last one shorter */
        uint64_t arrived = 0;
        struct lab lab;

        for (size_t i = 0; i < sizeof(data); i++)
            data[i] = i % 4 == 0 ? (uint8_t)(i / 4) : 0xaa;
        lab_open(&lab, seed, 2);
        lab_link(&lab, &link);
        s2svpn_datagram d = lab_datagram(0, 1, S2SVPN_ROLE_NATT, data, sizeof(data));
        d.segment = 4;
        lab_send(&lab, 0, &d);
        run_dry(&lab);
        for (size_t i = 0; i < lab.ctx[1]->count; i++) {
            const struct arrival *a = &lab.ctx[1]->arrivals[i];
            const unsigned count = a->d.segment ? (a->len + 3) / 4 : 1;
            const bool last = a->head[0] + count == 20;

            CU_ASSERT(a->d.segment == 0 || a->d.segment == 4);
            CU_ASSERT_EQUAL(a->len, 4 * count - (last ? 2u : 0u));
            CU_ASSERT_EQUAL(a->head[1], 0xaa);
            arrived += count;
            longest = count > longest ? count : longest;
            singles += count == 1;
        }
        CU_ASSERT_EQUAL(arrived, lab_counters(&lab).delivered);
        CU_ASSERT(balanced(&lab));
        lab_close(&lab);
    }
    CU_ASSERT(longest >= 15); /* some went nearly whole, others in pieces */
    CU_ASSERT(singles > 200);
}

static void datagrams_of_one_moment_come_in_one_call(void)
{
    uint8_t data[1] = {1};
    struct lab lab;

    lab_open(&lab, 3, 2);
    for (int i = 0; i < S2_SIM_BATCH + 6; i++) {
        const s2svpn_datagram d = lab_datagram(0, 1, S2SVPN_ROLE_NATT, data, 1);

        lab_send(&lab, 0, &d);
    }
    CU_ASSERT(s2svpn_sim_step(lab.sim));
    CU_ASSERT_EQUAL(lab.ctx[1]->count, S2_SIM_BATCH);
    CU_ASSERT_EQUAL(lab.ctx[1]->arrivals[0].batch, S2_SIM_BATCH);
    CU_ASSERT(s2svpn_sim_step(lab.sim));
    CU_ASSERT_EQUAL(lab.ctx[1]->count, S2_SIM_BATCH + 6);
    CU_ASSERT(!s2svpn_sim_step(lab.sim));
    lab_close(&lab);
}

static void a_full_network_loses_and_says_so(void)
{
    uint8_t data[100] = {1};
    struct lab lab;

    lab_open(&lab, 3, 2);
    lab.sim->queue.count_max = 10;
    const s2svpn_datagram d = lab_datagram(0, 1, S2SVPN_ROLE_NATT, data, sizeof(data));
    for (int i = 0; i < 10; i++)
        CU_ASSERT_EQUAL(s2svpn_sim_send(lab.sim, &d), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_sim_send(lab.sim, &d), S2SVPN_E_LIMIT);
    run_dry(&lab);
    CU_ASSERT_EQUAL(lab.ctx[1]->count, 10);
    CU_ASSERT_EQUAL(lab_counters(&lab).lost, 1);
    CU_ASSERT(balanced(&lab));
    lab_close(&lab);
}

struct seen {
    unsigned calls, lost;
    uint32_t len;
    uint64_t now_ns;
};

static void on_wire(void *user, const s2svpn_datagram *d, bool lost, uint64_t now_ns)
{
    struct seen *s = user;

    s->calls++;
    s->lost += lost;
    s->len = d->len;
    s->now_ns = now_ns;
}

static void a_tap_sees_whole_trains_as_they_are_sent(void)
{
    s2svpn_sim_link link = S2SVPN_SIM_LINK_INIT;
    uint8_t data[2500] = {7};
    struct seen seen = {0};
    struct lab lab;

    lab_open(&lab, 3, 2);
    s2svpn_sim_on_wire(lab.sim, on_wire, &seen);
    s2svpn_datagram d = lab_datagram(0, 1, S2SVPN_ROLE_NATT, data, sizeof(data));
    d.segment = 1000;
    lab_send(&lab, 0, &d);
    CU_ASSERT(seen.calls == 1 && seen.lost == 0 && seen.len == 2500 && seen.now_ns == SECOND);
    link.down = true;
    lab_link(&lab, &link);
    lab_send(&lab, 0, &d);
    CU_ASSERT(seen.calls == 2 && seen.lost == 1);
    d.remote.port = 1;
    lab_send(&lab, 0, &d);
    CU_ASSERT(seen.calls == 3 && seen.lost == 2);
    s2svpn_sim_on_wire(lab.sim, NULL, NULL);
    lab_send(&lab, 0, &d);
    CU_ASSERT_EQUAL(seen.calls, 3);
    lab_close(&lab);
}

static void a_datagram_without_bytes_is_refused_or_empty(void)
{
    struct lab lab;

    lab_open(&lab, 3, 2);
    s2svpn_datagram d = lab_datagram(0, 1, S2SVPN_ROLE_NATT, NULL, 1);
    CU_ASSERT_EQUAL(s2svpn_sim_send(lab.sim, &d), S2SVPN_E_ARGUMENT);
    CU_ASSERT_EQUAL(s2svpn_sim_send(lab.sim, NULL), S2SVPN_E_ARGUMENT);
    d.len = 0;
    CU_ASSERT_EQUAL(s2svpn_sim_send(lab.sim, &d), S2SVPN_OK);
    run_dry(&lab);
    CU_ASSERT(lab.ctx[1]->count == 1 && lab.ctx[1]->arrivals[0].len == 0);
    lab_close(&lab);
}

static void time_beyond_the_end_is_never(void)
{
    s2svpn_sim_link link = S2SVPN_SIM_LINK_INIT;
    uint8_t data[1] = {7};
    struct lab lab;

    lab_open(&lab, 3, 2);
    link.delay_ns = S2SVPN_NEVER;
    link.jitter_ns = S2SVPN_NEVER;
    link.reorder_ppm = 1000000;
    lab_link(&lab, &link);
    const s2svpn_datagram d = lab_datagram(0, 1, S2SVPN_ROLE_NATT, data, 1);
    lab_send(&lab, 0, &d);
    run_dry(&lab);
    CU_ASSERT_EQUAL(lab.ctx[1]->count, 0);
    lab_close(&lab);
}

const CU_TestInfo s2_test_wire[] = {
    {"a datagram arrives with the receiver's role and the sender as remote",
     a_datagram_arrives_with_the_receivers_role_and_the_sender_as_remote},
    {"a perfect link takes a microsecond", a_perfect_link_takes_a_microsecond},
    {"delay and jitter stay in their bounds", delay_and_jitter_stay_in_their_bounds},
    {"what the link does is within the odds", what_the_link_does_is_within_the_odds},
    {"a link that is down swallows everything", a_link_that_is_down_swallows_everything},
    {"what nobody has is unroutable", what_nobody_has_is_unroutable},
    {"held back datagrams are overtaken", held_back_datagrams_are_overtaken},
    {"a train that nothing touches stays whole", a_train_that_nothing_touches_stays_whole},
    {"a train that is touched arrives in runs", a_train_that_is_touched_arrives_in_runs},
    {"datagrams of one moment come in one call", datagrams_of_one_moment_come_in_one_call},
    {"a full network loses and says so", a_full_network_loses_and_says_so},
    {"a tap sees whole trains as they are sent", a_tap_sees_whole_trains_as_they_are_sent},
    {"a datagram without bytes is refused or empty", a_datagram_without_bytes_is_refused_or_empty},
    {"time beyond the end is never", time_beyond_the_end_is_never},
    CU_TEST_INFO_NULL,
};
