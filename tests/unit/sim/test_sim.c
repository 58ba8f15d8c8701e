/* SPDX-License-Identifier: Apache-2.0 */
/* Virtual time, steps, and the promise that a run repeats itself. */
#include "io/sim/sim.h"

#include "fake_context.h"
#include "harness.h"

#include <string.h>

#define SECOND 1000000000u

struct diary {
    char text[32];
    size_t len;
};

struct entry {
    struct diary *diary;
    char name;
    uint64_t now_ns;
};

static void write_entry(void *user, s2svpn_sim *sim, uint64_t now_ns)
{
    struct entry *e = user;

    (void)sim;
    e->diary->text[e->diary->len++] = e->name;
    e->now_ns = now_ns;
}

static void time_begins_at_one_second(void)
{
    struct lab lab;

    lab_open(&lab, 1, 0);
    CU_ASSERT_EQUAL(s2svpn_sim_now(lab.sim), SECOND);
    CU_ASSERT(!s2svpn_sim_step(lab.sim));
    CU_ASSERT_EQUAL(s2svpn_sim_now(lab.sim), SECOND);
    lab_close(&lab);
}

static void calls_come_in_order_and_at_their_time(void)
{
    struct diary diary = {0};
    struct entry e[4] = {{&diary, 'a', 0}, {&diary, 'b', 0}, {&diary, 'c', 0}, {&diary, 'd', 0}};
    struct lab lab;

    lab_open(&lab, 1, 0);
    CU_ASSERT_EQUAL(s2svpn_sim_at(lab.sim, SECOND + 30, write_entry, &e[3]), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_sim_at(lab.sim, SECOND + 10, write_entry, &e[1]), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_sim_at(lab.sim, SECOND + 10, write_entry, &e[2]), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_sim_at(lab.sim, 5, write_entry, &e[0]), S2SVPN_OK); /* gone by: now */
    CU_ASSERT_EQUAL(s2svpn_sim_at(lab.sim, 5, NULL, NULL), S2SVPN_E_ARGUMENT);
    s2svpn_sim_run(lab.sim, SECOND + 29);
    CU_ASSERT_STRING_EQUAL(diary.text, "abc");
    CU_ASSERT_EQUAL(s2svpn_sim_now(lab.sim), SECOND + 29); /* exactly */
    s2svpn_sim_run(lab.sim, SECOND + 30);
    CU_ASSERT_STRING_EQUAL(diary.text, "abcd");
    CU_ASSERT_EQUAL(e[0].now_ns, SECOND);
    CU_ASSERT_EQUAL(e[1].now_ns, SECOND + 10);
    CU_ASSERT_EQUAL(e[3].now_ns, SECOND + 30);
    CU_ASSERT_EQUAL(lab_counters(&lab).steps, 4);
    s2svpn_sim_run(lab.sim, 7); /* never back */
    CU_ASSERT_EQUAL(s2svpn_sim_now(lab.sim), SECOND + 30);
    lab_close(&lab);
}

static void run_again(void *user, s2svpn_sim *sim, uint64_t now_ns)
{
    unsigned *left = user;

    if (--*left > 0)
        CU_ASSERT_EQUAL(s2svpn_sim_at(sim, now_ns + 10, run_again, left), S2SVPN_OK);
}

static bool two_are_left(void *arg)
{
    return *(unsigned *)arg <= 2;
}

static void run_until_stops_where_it_is_true(void)
{
    unsigned left = 5;
    struct lab lab;

    lab_open(&lab, 1, 0);
    CU_ASSERT_EQUAL(s2svpn_sim_at(lab.sim, SECOND + 10, run_again, &left), S2SVPN_OK);
    CU_ASSERT(!s2svpn_sim_run_until(lab.sim, two_are_left, &left, SECOND + 25));
    CU_ASSERT_EQUAL(s2svpn_sim_now(lab.sim), SECOND + 25);
    CU_ASSERT(s2svpn_sim_run_until(lab.sim, two_are_left, &left, SECOND + 1000));
    CU_ASSERT_EQUAL(s2svpn_sim_now(lab.sim), SECOND + 30);
    CU_ASSERT(s2svpn_sim_run_until(lab.sim, two_are_left, &left, SECOND + 1000));
    CU_ASSERT_EQUAL(s2svpn_sim_now(lab.sim), SECOND + 30);
    left = 9;
    CU_ASSERT(!s2svpn_sim_run_until(lab.sim, two_are_left, &left, SECOND + 40));
    lab_close(&lab);
}

/* Two contexts that answer each other for ever, one more datagram now and then. */
static void answer(s2svpn_context *ctx, const s2svpn_datagram *d, uint64_t now_ns)
{
    s2svpn_datagram reply = *d;
    uint8_t data[16];

    memset(data, (int)(now_ns % 251), sizeof(data));
    ctx->options.random(ctx->options.random_user, data, 4);
    reply.data = data;
    reply.len = 4 + d->len % 12;
    ctx->options.io_ops->send_outside(ctx->options.io, &ctx->worker, &reply, 1);
}

static uint64_t trace_of(uint64_t seed)
{
    s2svpn_sim_link link = S2SVPN_SIM_LINK_INIT;
    uint8_t data[4] = {1, 2, 3, 4};
    struct lab lab;
    uint64_t trace;

    lab_open(&lab, seed, 2);
    link.delay_ns = 10000;
    link.jitter_ns = 5000;
    link.loss_ppm = 1000;
    link.duplicate_ppm = 1000;
    link.reorder_ppm = 50000;
    lab_link(&lab, &link);
    lab.ctx[0]->mind = lab.ctx[1]->mind = answer;
    for (int i = 0; i < 5; i++) {
        const s2svpn_datagram d = lab_datagram(0, 1, S2SVPN_ROLE_NATT, data, 4);

        lab_send(&lab, 0, &d);
    }
    s2svpn_sim_run(lab.sim, SECOND + 10000000);
    CU_ASSERT(lab.ctx[0]->count > 100);
    trace = lab.ctx[0]->trace * 31 + lab.ctx[1]->trace;
    lab_close(&lab);
    return trace;
}

static void the_same_seed_gives_the_same_run(void)
{
    for (uint64_t seed = 0; seed < 20; seed++)
        CU_ASSERT_EQUAL(trace_of(seed), trace_of(seed));
}

static void another_seed_gives_another_run(void)
{
    for (uint64_t seed = 0; seed < 20; seed++)
        CU_ASSERT_NOT_EQUAL(trace_of(seed), trace_of(seed + 1));
}

static void dice_repeat_with_the_seed(void)
{
    struct lab a, b, c;

    lab_open(&a, 5, 0);
    lab_open(&b, 5, 0);
    lab_open(&c, 6, 0);
    for (int i = 0; i < 10; i++) {
        const uint64_t x = s2svpn_sim_random(a.sim);

        CU_ASSERT_EQUAL(x, s2svpn_sim_random(b.sim));
        CU_ASSERT_NOT_EQUAL(x, s2svpn_sim_random(c.sim));
    }
    lab_close(&a);
    lab_close(&b);
    lab_close(&c);
}

static void counters_respect_the_callers_size(void)
{
    s2svpn_sim_counters c = {.size = 2 * sizeof(uint64_t), .lost = 77};
    uint8_t data[1] = {0};
    struct lab lab;

    lab_open(&lab, 5, 1);
    const s2svpn_datagram d = lab_datagram(0, 1, S2SVPN_ROLE_NATT, data, 1);
    lab_send(&lab, 0, &d);
    s2svpn_sim_get_counters(lab.sim, &c);
    CU_ASSERT(c.size == 16 && c.sent == 1 && c.lost == 77);
    lab_close(&lab);
}

static void freeing_with_things_under_way_leaves_nothing(void)
{
    uint8_t data[1] = {0};
    s2svpn_packet p = {.data = data, .len = 1};
    unsigned left = 2;
    struct lab lab;

    lab_open(&lab, 5, 2);
    const s2svpn_datagram d = lab_datagram(0, 1, S2SVPN_ROLE_NATT, data, 1);
    lab_send(&lab, 0, &d);
    CU_ASSERT_EQUAL(s2svpn_sim_inject(lab.node[0], 1, &p, 1), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_sim_at(lab.sim, SECOND + 10, run_again, &left), S2SVPN_OK);
    s2svpn_sim_detach(lab.node[0]);
    s2svpn_sim_free(lab.sim); /* without a detach of the other: a leak would be seen */
    lab.sim = NULL;
    lab.node[0] = lab.node[1] = NULL;
    lab_close(&lab);
    s2svpn_sim_free(NULL);
    CU_ASSERT_EQUAL(left, 2);
}

const CU_TestInfo s2_test_sim[] = {
    {"time begins at one second", time_begins_at_one_second},
    {"calls come in order and at their time", calls_come_in_order_and_at_their_time},
    {"run_until stops where it is true", run_until_stops_where_it_is_true},
    {"the same seed gives the same run", the_same_seed_gives_the_same_run},
    {"another seed gives another run", another_seed_gives_another_run},
    {"dice repeat with the seed", dice_repeat_with_the_seed},
    {"counters respect the caller's size", counters_respect_the_callers_size},
    {"freeing with things under way leaves nothing", freeing_with_things_under_way_leaves_nothing},
    CU_TEST_INFO_NULL,
};
