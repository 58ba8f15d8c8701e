/* SPDX-License-Identifier: Apache-2.0 */
/* The simulation's events: a binary heap by time, then by order of arrival, so that
 * the same calls give the same run. Bounded in events and in bytes. It knows nothing
 * of what an event does. */
#include "io/sim/sim.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 64

static bool before(const struct s2_sim_event *a, const struct s2_sim_event *b)
{
    return a->at_ns != b->at_ns ? a->at_ns < b->at_ns : a->order < b->order;
}

static void put(struct s2_sim_queue *q, size_t place, struct s2_sim_event *e)
{
    q->heap[place] = e;
    e->place = place;
}

static void sift_up(struct s2_sim_queue *q, size_t place)
{
    struct s2_sim_event *e = q->heap[place];

    while (place > 0 && before(e, q->heap[(place - 1) / 2])) {
        put(q, place, q->heap[(place - 1) / 2]);
        place = (place - 1) / 2;
    }
    put(q, place, e);
}

static void sift_down(struct s2_sim_queue *q, size_t place)
{
    struct s2_sim_event *e = q->heap[place];

    for (;;) {
        size_t child = 2 * place + 1;

        if (child >= q->count)
            break;
        if (child + 1 < q->count && before(q->heap[child + 1], q->heap[child]))
            child++;
        if (!before(q->heap[child], e))
            break;
        put(q, place, q->heap[child]);
        place = child;
    }
    put(q, place, e);
}

static s2svpn_status make_room(struct s2_sim_queue *q, size_t need)
{
    if (need <= q->capacity)
        return S2SVPN_OK;

    size_t capacity = q->capacity ? q->capacity : FIRST_CAPACITY;
    while (capacity < need)
        capacity *= 2;
    struct s2_sim_event **heap = realloc(q->heap, capacity * sizeof(struct s2_sim_event *));
    if (!heap)
        return S2SVPN_E_MEMORY;
    q->heap = heap;
    q->capacity = capacity;
    return S2SVPN_OK;
}

s2svpn_status s2_sim_reserve(struct s2_sim_queue *q)
{
    s2svpn_status rc = make_room(q, q->count + q->spare + 1);

    if (rc == S2SVPN_OK)
        q->spare++;
    return rc;
}

void s2_sim_push_reserved(struct s2_sim_queue *q, struct s2_sim_event *e, uint64_t at_ns)
{
    e->at_ns = at_ns;
    e->order = q->order++;
    q->bytes += e->bytes;
    q->heap[q->count] = e;
    sift_up(q, q->count++);
}

s2svpn_status s2_sim_push(struct s2_sim_queue *q, struct s2_sim_event *e, uint64_t at_ns)
{
    if (q->count >= q->count_max || e->bytes > q->bytes_max - q->bytes)
        return S2SVPN_E_LIMIT;

    s2svpn_status rc = make_room(q, q->count + 1 + q->spare);
    if (rc == S2SVPN_OK)
        s2_sim_push_reserved(q, e, at_ns);
    return rc;
}

struct s2_sim_event *s2_sim_peek(const struct s2_sim_queue *q)
{
    return q->count ? q->heap[0] : NULL;
}

void s2_sim_unqueue(struct s2_sim_queue *q, struct s2_sim_event *e)
{
    const size_t place = e->place;

    if (place == S2_SIM_NOT_QUEUED)
        return;
    e->place = S2_SIM_NOT_QUEUED;
    q->bytes -= e->bytes;
    q->count--;
    if (place == q->count)
        return;

    struct s2_sim_event *last = q->heap[q->count];
    put(q, place, last);
    sift_down(q, place);
    sift_up(q, last->place);
}

/* An event that has left the heap; returns the outside datagrams that it was. */
static uint64_t drop(struct s2_sim_queue *q, struct s2_sim_event *e)
{
    uint64_t datagrams = 0;

    e->place = S2_SIM_NOT_QUEUED;
    q->bytes -= e->bytes;
    if (e->kind == S2_SIM_OUTSIDE)
        datagrams = ((struct s2_sim_outside *)e)->count;
    if (e->kind != S2_SIM_ADVANCE && e->kind != S2_SIM_JOB)
        free(e);
    return datagrams;
}

uint64_t s2_sim_unqueue_node(struct s2_sim_queue *q, const s2svpn_sim_node *node)
{
    uint64_t datagrams = 0;
    size_t kept = 0;

    for (size_t i = 0; i < q->count; i++) {
        if (!node || q->heap[i]->node == node)
            datagrams += drop(q, q->heap[i]);
        else
            put(q, kept++, q->heap[i]);
    }
    q->count = kept;
    for (size_t i = kept / 2; i-- > 0;)
        sift_down(q, i);
    return datagrams;
}
