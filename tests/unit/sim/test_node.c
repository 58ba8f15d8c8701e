/* SPDX-License-Identifier: Apache-2.0 */
/* A context's host: deadlines, plain packets, coming and going. */
#include "io/sim/sim.h"

#include "fake_context.h"
#include "harness.h"

#include <string.h>

#define SECOND 1000000000u

static void ask(s2svpn_context *ctx, uint64_t at_ns)
{
    ctx->options.io_ops->deadline(ctx->options.io, at_ns);
}

static void prepare_sets_what_it_says_and_no_more(void)
{
    s2svpn_options o = S2SVPN_OPTIONS_INIT;
    uint8_t a[16] = {0}, b[16] = {0};
    struct lab lab;

    lab_open(&lab, 1, 1);
    o.role = S2SVPN_ROLE_DEVICE;
    o.peer_ike_port = 4711;
    s2svpn_sim_run(lab.sim, 3 * (uint64_t)SECOND);
    s2svpn_sim_prepare(lab.node[0], &o);
    CU_ASSERT(o.io_ops && o.io_ops->size == sizeof(s2svpn_io_ops));
    CU_ASSERT(o.io_ops->send_outside && o.io_ops->send_inside && o.io_ops->deadline);
    CU_ASSERT_PTR_EQUAL(o.io, lab.node[0]);
    CU_ASSERT_EQUAL(o.now_ns, 3 * (uint64_t)SECOND);
    CU_ASSERT(o.role == S2SVPN_ROLE_DEVICE && o.peer_ike_port == 4711);
    CU_ASSERT_EQUAL(o.random(o.random_user, a, 16), S2SVPN_OK);
    CU_ASSERT_EQUAL(o.random(o.random_user, b, 16), S2SVPN_OK);
    CU_ASSERT_NOT_EQUAL(memcmp(a, b, 16), 0);
    CU_ASSERT_PTR_NULL(o.crypto); /* this program has no OpenSSL, and none was given */
    lab_close(&lab);
}

static void nodes_have_different_randomness(void)
{
    uint8_t a[16] = {0}, b[16] = {0};
    struct lab lab;

    lab_open(&lab, 1, 2);
    lab.ctx[0]->options.random(lab.ctx[0]->options.random_user, a, 16);
    lab.ctx[1]->options.random(lab.ctx[1]->options.random_user, b, 16);
    CU_ASSERT_NOT_EQUAL(memcmp(a, b, 16), 0);
    lab_close(&lab);
}

static void a_deadline_is_kept_once(void)
{
    struct lab lab;

    lab_open(&lab, 1, 1);
    ask(lab.ctx[0], SECOND + 500);
    s2svpn_sim_run(lab.sim, 10 * (uint64_t)SECOND);
    CU_ASSERT_EQUAL(lab.ctx[0]->advances, 1);
    CU_ASSERT_EQUAL(lab.ctx[0]->advanced_ns[0], SECOND + 500);
    lab_close(&lab);
}

static void a_deadline_replaces_the_one_before(void)
{
    struct lab lab;

    lab_open(&lab, 1, 1);
    ask(lab.ctx[0], SECOND + 500);
    ask(lab.ctx[0], SECOND + 700);
    s2svpn_sim_run(lab.sim, 2 * (uint64_t)SECOND);
    CU_ASSERT(lab.ctx[0]->advances == 1 && lab.ctx[0]->advanced_ns[0] == SECOND + 700);
    ask(lab.ctx[0], 3 * (uint64_t)SECOND);
    ask(lab.ctx[0], S2SVPN_NEVER);
    s2svpn_sim_run(lab.sim, 4 * (uint64_t)SECOND);
    CU_ASSERT_EQUAL(lab.ctx[0]->advances, 1);
    lab_close(&lab);
}

static void at_once_is_later_than_now(void)
{
    struct lab lab;

    lab_open(&lab, 1, 1);
    ask(lab.ctx[0], 0);
    CU_ASSERT_EQUAL(lab.ctx[0]->advances, 0);
    s2svpn_sim_run(lab.sim, SECOND);
    CU_ASSERT_EQUAL(lab.ctx[0]->advances, 0);
    s2svpn_sim_run(lab.sim, SECOND + 1);
    CU_ASSERT(lab.ctx[0]->advances == 1 && lab.ctx[0]->advanced_ns[0] == SECOND + 1);
    lab_close(&lab);
}

static void every_second(s2svpn_context *ctx, uint64_t now_ns)
{
    ask(ctx, now_ns + SECOND);
}

static void a_deadline_may_be_set_while_one_is_kept(void)
{
    struct lab lab;

    lab_open(&lab, 1, 1);
    lab.ctx[0]->on_advance = every_second;
    ask(lab.ctx[0], 0);
    s2svpn_sim_run(lab.sim, 61 * (uint64_t)SECOND);
    CU_ASSERT_EQUAL(lab.ctx[0]->advances, 60);
    lab_close(&lab);
}

static void a_deadline_from_before_the_attach_is_kept(void)
{
    struct lab lab;

    lab_open(&lab, 1, 1);
    s2svpn_sim_detach(lab.node[0]);
    lab_options(&lab, 0);
    s2svpn_sim_prepare(lab.node[0], &lab.ctx[0]->options);
    ask(lab.ctx[0], 0); /* as from inside s2svpn_context_new */
    s2svpn_sim_run(lab.sim, 2 * (uint64_t)SECOND);
    CU_ASSERT_EQUAL(lab.ctx[0]->advances, 0);
    CU_ASSERT_EQUAL(s2svpn_sim_attach(lab.node[0], lab.ctx[0], &lab.ctx[0]->options), S2SVPN_OK);
    s2svpn_sim_run(lab.sim, 3 * (uint64_t)SECOND);
    CU_ASSERT_EQUAL(lab.ctx[0]->advances, 1);
    lab_close(&lab);
}

static void packets_enter_a_microsecond_later_and_copied(void)
{
    uint8_t one[3] = {1, 1, 1}, two[2] = {2, 2};
    s2svpn_packet p[2] = {{.data = one, .len = 3},
                          {.data = two, .len = 2, .gso_type = S2SVPN_GSO_TCPV4}};
    struct lab lab;

    lab_open(&lab, 1, 1);
    CU_ASSERT_EQUAL(s2svpn_sim_inject(lab.node[0], 7, p, 2), S2SVPN_OK);
    memset(one, 0, sizeof(one));
    p[1].len = 0;
    s2svpn_sim_run(lab.sim, SECOND + 999);
    CU_ASSERT_EQUAL(lab.ctx[0]->count, 0);
    s2svpn_sim_run(lab.sim, SECOND + 1000);
    CU_ASSERT_EQUAL_FATAL(lab.ctx[0]->count, 2);
    CU_ASSERT(lab.ctx[0]->arrivals[0].port == 7 && lab.ctx[0]->arrivals[0].batch == 2);
    CU_ASSERT(lab.ctx[0]->arrivals[0].head[0] == 1 && lab.ctx[0]->arrivals[0].len == 3);
    CU_ASSERT(lab.ctx[0]->arrivals[1].head[0] == 2 && lab.ctx[0]->arrivals[1].len == 2);
    CU_ASSERT_EQUAL(lab.ctx[0]->arrivals[1].gso_type, S2SVPN_GSO_TCPV4);
    CU_ASSERT_EQUAL(s2svpn_sim_inject(lab.node[0], 7, NULL, 1), S2SVPN_E_ARGUMENT);
    CU_ASSERT_EQUAL(s2svpn_sim_inject(lab.node[0], 7, p, 0), S2SVPN_E_ARGUMENT);
    lab.sim->queue.count_max = 0;
    CU_ASSERT_EQUAL(s2svpn_sim_inject(lab.node[0], 7, p, 1), S2SVPN_E_LIMIT);
    s2svpn_sim_detach(lab.node[0]);
    CU_ASSERT_EQUAL(s2svpn_sim_inject(lab.node[0], 7, p, 1), S2SVPN_E_STATE);
    lab_close(&lab);
}

struct delivery {
    s2svpn_sim_node *node;
    s2svpn_port_id port;
    size_t n;
    uint32_t len;
    uint64_t now_ns;
};

static void on_inside(void *user, s2svpn_sim_node *node, s2svpn_port_id port,
                      const s2svpn_packet *p, size_t n, uint64_t now_ns)
{
    *(struct delivery *)user = (struct delivery){node, port, n, p->len, now_ns};
}

static void packets_that_leave_are_shown_or_dropped(void)
{
    struct delivery got = {0};
    uint8_t data[2] = {0};
    const s2svpn_packet p = {.data = data, .len = 2};
    struct lab lab;

    lab_open(&lab, 1, 1);
    const s2svpn_options *o = &lab.ctx[0]->options;
    CU_ASSERT_EQUAL(o->io_ops->send_inside(o->io, NULL, 3, &p, 1), 1);
    s2svpn_sim_on_inside(lab.node[0], on_inside, &got);
    CU_ASSERT_EQUAL(o->io_ops->send_inside(o->io, NULL, 3, &p, 1), 1);
    CU_ASSERT(got.node == lab.node[0] && got.port == 3 && got.n == 1 && got.len == 2 &&
              got.now_ns == SECOND);
    lab_close(&lab);
}

static void a_node_holds_one_context(void)
{
    struct lab lab;

    lab_open(&lab, 1, 2);
    CU_ASSERT_EQUAL(s2svpn_sim_attach(lab.node[0], lab.ctx[1], &lab.ctx[1]->options),
                    S2SVPN_E_STATE);
    CU_ASSERT_EQUAL(s2svpn_sim_attach(lab.node[0], NULL, &lab.ctx[1]->options), S2SVPN_E_ARGUMENT);
    lab_close(&lab);
}

static void a_restart_loses_what_is_under_way_and_nothing_else(void)
{
    uint8_t data[4] = {1};
    const s2svpn_packet p = {.data = data, .len = 4};
    struct lab lab;

    lab_open(&lab, 1, 2);
    const s2svpn_datagram to = lab_datagram(0, 1, S2SVPN_ROLE_IKE, data, 4),
                          back = lab_datagram(1, 0, S2SVPN_ROLE_IKE, data, 4);
    lab_send(&lab, 0, &to);
    lab_send(&lab, 1, &back);
    CU_ASSERT_EQUAL(s2svpn_sim_inject(lab.node[1], 7, &p, 1), S2SVPN_OK);
    ask(lab.ctx[1], SECOND + 100);
    s2svpn_sim_detach(lab.node[1]);
    s2svpn_sim_detach(lab.node[1]); /* again: nothing */
    s2svpn_sim_run(lab.sim, 2 * (uint64_t)SECOND);
    CU_ASSERT(lab.ctx[1]->count == 0 && lab.ctx[1]->advances == 0);
    CU_ASSERT_EQUAL(lab.ctx[0]->count, 1);
    CU_ASSERT_EQUAL(lab_counters(&lab).lost, 1);

    lab_send(&lab, 0, &to); /* nobody is there */
    CU_ASSERT_EQUAL(lab_counters(&lab).unroutable, 1);
    lab_options(&lab, 1);
    s2svpn_sim_prepare(lab.node[1], &lab.ctx[1]->options);
    CU_ASSERT_EQUAL(s2svpn_sim_attach(lab.node[1], lab.ctx[1], &lab.ctx[1]->options), S2SVPN_OK);
    lab_send(&lab, 0, &to);
    s2svpn_sim_run(lab.sim, 3 * (uint64_t)SECOND);
    CU_ASSERT_EQUAL(lab.ctx[1]->count, 1);
    CU_ASSERT_EQUAL(lab.ctx[1]->advances, 0); /* the deadline was the old one's */
    lab_close(&lab);
}

static void a_restarted_context_draws_new_randomness(void)
{
    uint8_t before[16] = {0}, after[16] = {0};
    struct lab lab;

    lab_open(&lab, 1, 1);
    lab.ctx[0]->options.random(lab.ctx[0]->options.random_user, before, 16);
    s2svpn_sim_detach(lab.node[0]);
    s2svpn_sim_prepare(lab.node[0], &lab.ctx[0]->options);
    lab.ctx[0]->options.random(lab.ctx[0]->options.random_user, after, 16);
    CU_ASSERT_NOT_EQUAL(memcmp(before, after, 16), 0);
    lab_close(&lab);
}

const CU_TestInfo s2_test_node[] = {
    {"prepare sets what it says and no more", prepare_sets_what_it_says_and_no_more},
    {"nodes have different randomness", nodes_have_different_randomness},
    {"a deadline is kept once", a_deadline_is_kept_once},
    {"a deadline replaces the one before", a_deadline_replaces_the_one_before},
    {"at once is later than now", at_once_is_later_than_now},
    {"a deadline may be set while one is kept", a_deadline_may_be_set_while_one_is_kept},
    {"a deadline from before the attach is kept", a_deadline_from_before_the_attach_is_kept},
    {"packets enter a microsecond later, and copied", packets_enter_a_microsecond_later_and_copied},
    {"packets that leave are shown or dropped", packets_that_leave_are_shown_or_dropped},
    {"a node holds one context", a_node_holds_one_context},
    {"a restart loses what is under way and nothing else",
     a_restart_loses_what_is_under_way_and_nothing_else},
    {"a restarted context draws new randomness", a_restarted_context_draws_new_randomness},
    CU_TEST_INFO_NULL,
};
