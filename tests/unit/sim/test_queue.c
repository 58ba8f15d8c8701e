/* SPDX-License-Identifier: Apache-2.0 */
/* The queue of events against a naive one. */
#include "io/sim/sim.h"

#include "harness.h"

#include <stdlib.h>

#define MANY 500

static struct s2_sim_queue new_queue(void)
{
    return (struct s2_sim_queue){.count_max = 1000, .bytes_max = 1000000};
}

static void reset(struct s2_sim_event *e, size_t n)
{
    for (size_t i = 0; i < n; i++)
        e[i] = (struct s2_sim_event){.kind = S2_SIM_JOB, .place = S2_SIM_NOT_QUEUED};
}

/* The queue doesn't free jobs, so they may stand in an array. */
static void events_leave_by_time_then_by_order_of_arrival(void)
{
    struct s2_sim_queue q = new_queue();
    struct s2_sim_event e[MANY];
    struct s2_sim_random r = {4};
    uint64_t at = 0, order = 0;

    reset(e, MANY);
    for (size_t i = 0; i < MANY; i++)
        CU_ASSERT_EQUAL(s2_sim_push(&q, &e[i], s2_sim_roll(&r, 20)), S2SVPN_OK);
    for (size_t i = 0; i < MANY; i++) {
        struct s2_sim_event *next = s2_sim_peek(&q);

        CU_ASSERT_PTR_NOT_NULL_FATAL(next);
        CU_ASSERT(next->at_ns > at || (next->at_ns == at && (i == 0 || next->order > order)));
        at = next->at_ns;
        order = next->order;
        s2_sim_unqueue(&q, next);
        CU_ASSERT_EQUAL(next->place, S2_SIM_NOT_QUEUED);
    }
    CU_ASSERT_PTR_NULL(s2_sim_peek(&q));
    free(q.heap);
}

/* Push and remove at random; what is left must come out as a scan would find it. */
static void removal_from_the_middle_keeps_the_order(void)
{
    struct s2_sim_queue q = new_queue();
    struct s2_sim_event e[MANY];
    struct s2_sim_random r = {5};

    reset(e, MANY);
    for (int n = 0; n < 20000; n++) {
        struct s2_sim_event *one = &e[s2_sim_roll(&r, MANY - 1)];

        if (one->place != S2_SIM_NOT_QUEUED)
            s2_sim_unqueue(&q, one);
        else if (s2_sim_push(&q, one, s2_sim_roll(&r, 100)) != S2SVPN_OK)
            CU_FAIL("a push was refused");
        if (n % 100 != 0)
            continue;

        const struct s2_sim_event *first = NULL;
        size_t queued = 0;
        for (size_t i = 0; i < MANY; i++) {
            if (e[i].place == S2_SIM_NOT_QUEUED)
                continue;
            queued++;
            if (!first || e[i].at_ns < first->at_ns ||
                (e[i].at_ns == first->at_ns && e[i].order < first->order))
                first = &e[i];
        }
        CU_ASSERT_PTR_EQUAL(s2_sim_peek(&q), first);
        CU_ASSERT_EQUAL(q.count, queued);
    }
    free(q.heap);
}

static void unqueueing_what_is_not_queued_does_nothing(void)
{
    struct s2_sim_queue q = new_queue();
    struct s2_sim_event e[1];

    reset(e, 1);
    s2_sim_unqueue(&q, &e[0]);
    CU_ASSERT_EQUAL(q.count, 0);
}

static void limits_of_events_and_bytes_are_kept(void)
{
    struct s2_sim_queue q = {.count_max = 3, .bytes_max = 100};
    struct s2_sim_event e[4];

    reset(e, 4);
    e[0].bytes = 60;
    e[1].bytes = 41;
    CU_ASSERT_EQUAL(s2_sim_push(&q, &e[0], 1), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_sim_push(&q, &e[1], 1), S2SVPN_E_LIMIT);
    CU_ASSERT_EQUAL(e[1].place, S2_SIM_NOT_QUEUED);
    e[1].bytes = 40;
    CU_ASSERT_EQUAL(s2_sim_push(&q, &e[1], 1), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_sim_push(&q, &e[2], 1), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_sim_push(&q, &e[3], 1), S2SVPN_E_LIMIT);
    s2_sim_unqueue(&q, &e[0]);
    CU_ASSERT_EQUAL(q.bytes, 40);
    CU_ASSERT_EQUAL(s2_sim_push(&q, &e[3], 1), S2SVPN_OK);
    free(q.heap);
}

static void a_reserved_place_is_free_even_when_full(void)
{
    struct s2_sim_queue q = {.count_max = 200, .bytes_max = 100};
    struct s2_sim_event e[220];

    reset(e, 220);
    for (size_t i = 0; i < 20; i++)
        CU_ASSERT_EQUAL(s2_sim_reserve(&q), S2SVPN_OK);
    for (size_t i = 0; i < 200; i++)
        CU_ASSERT_EQUAL(s2_sim_push(&q, &e[i], i), S2SVPN_OK);
    CU_ASSERT(q.capacity >= 220);
    for (size_t i = 200; i < 220; i++)
        s2_sim_push_reserved(&q, &e[i], 1000 - i);
    CU_ASSERT_EQUAL(q.count, 220);
    CU_ASSERT_PTR_EQUAL(s2_sim_peek(&q), &e[0]);
    free(q.heap);
}

static void a_nodes_events_leave_together(void)
{
    struct s2_sim_queue q = new_queue();
    struct s2svpn_sim_node a, b;
    uint64_t last = 0;

    for (size_t i = 0; i < 100; i++) {
        struct s2_sim_outside *o = calloc(1, sizeof(*o));

        CU_ASSERT_PTR_NOT_NULL_FATAL(o);
        o->event = (struct s2_sim_event){.kind = S2_SIM_OUTSIDE,
                                         .bytes = 10,
                                         .place = S2_SIM_NOT_QUEUED,
                                         .node = i % 3 ? &a : &b};
        o->count = 2;
        CU_ASSERT_EQUAL(s2_sim_push(&q, &o->event, i * 7919 % 100), S2SVPN_OK);
    }
    CU_ASSERT_EQUAL(s2_sim_unqueue_node(&q, &b), 68);
    CU_ASSERT_EQUAL(q.count, 66);
    CU_ASSERT_EQUAL(q.bytes, 660);
    for (struct s2_sim_event *e; (e = s2_sim_peek(&q)) != NULL; free(e)) {
        CU_ASSERT_PTR_EQUAL(e->node, &a);
        CU_ASSERT(e->at_ns >= last);
        last = e->at_ns;
        s2_sim_unqueue(&q, e);
    }
    CU_ASSERT_EQUAL(s2_sim_unqueue_node(&q, NULL), 0);
    free(q.heap);
}

const CU_TestInfo s2_test_queue[] = {
    {"events leave by time, then by order of arrival",
     events_leave_by_time_then_by_order_of_arrival},
    {"removal from the middle keeps the order", removal_from_the_middle_keeps_the_order},
    {"unqueueing what is not queued does nothing", unqueueing_what_is_not_queued_does_nothing},
    {"limits of events and bytes are kept", limits_of_events_and_bytes_are_kept},
    {"a reserved place is free even when full", a_reserved_place_is_free_even_when_full},
    {"a node's events leave together", a_nodes_events_leave_together},
    CU_TEST_INFO_NULL,
};
