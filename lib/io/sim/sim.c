/* SPDX-License-Identifier: Apache-2.0 */
/* A simulation's life, its time, and what is done when an event is due. */
#include "io/sim/sim.h"

#include <stdlib.h>
#include <string.h>

#define BEGINNING_NS 1000000000u

s2svpn_status s2svpn_sim_new(uint64_t seed, s2svpn_sim **sim)
{
    s2svpn_sim *s = calloc(1, sizeof(*s));

    *sim = NULL;
    if (!s)
        return S2SVPN_E_MEMORY;
    s->seed = seed;
    s->now_ns = BEGINNING_NS;
    s->queue.count_max = S2_SIM_EVENTS_MAX;
    s->queue.bytes_max = S2_SIM_BYTES_MAX;
    s2_sim_seed(&s->random, seed, 0);
    *sim = s;
    return S2SVPN_OK;
}

void s2svpn_sim_free(s2svpn_sim *sim)
{
    if (!sim)
        return;
    (void)s2_sim_unqueue_node(&sim->queue, NULL);
    while (sim->nodes) {
        s2svpn_sim_node *node = sim->nodes;

        sim->nodes = node->next;
        s2_sim_node_free(node);
    }
    s2_sim_nats_free(sim);
    s2_sim_partitions_free(sim);
    free(sim->queue.heap);
    free(sim->links);
    free(sim->endpoints);
    free(sim);
}

uint64_t s2svpn_sim_now(const s2svpn_sim *sim)
{
    return sim->now_ns;
}

uint64_t s2svpn_sim_random(s2svpn_sim *sim)
{
    return s2_sim_next(&sim->random);
}

void s2svpn_sim_get_counters(const s2svpn_sim *sim, s2svpn_sim_counters *out)
{
    const size_t size = out->size < sizeof(*out) ? out->size : sizeof(*out);
    s2svpn_sim_counters c = sim->counters;

    c.size = out->size;
    memcpy(out, &c, size);
}

void s2svpn_sim_set_job_delay(s2svpn_sim *sim, uint64_t min_ns, uint64_t max_ns)
{
    sim->job_min_ns = min_ns;
    sim->job_max_ns = max_ns > min_ns ? max_ns : min_ns;
}

s2svpn_status s2svpn_sim_at(s2svpn_sim *sim, uint64_t at_ns, s2svpn_sim_fn *fn, void *user)
{
    if (!fn)
        return S2SVPN_E_ARGUMENT;

    struct s2_sim_call *call = malloc(sizeof(*call));
    if (!call)
        return S2SVPN_E_MEMORY;
    *call = (struct s2_sim_call){.fn = fn, .user = user};
    call->event = (struct s2_sim_event){.kind = S2_SIM_CALL, .place = S2_SIM_NOT_QUEUED};
    s2svpn_status rc =
        s2_sim_push(&sim->queue, &call->event, at_ns > sim->now_ns ? at_ns : sim->now_ns);
    if (rc != S2SVPN_OK)
        free(call);
    return rc;
}

/* ---- what is due */

/* Datagrams that arrive at a node at the same moment, nothing else between them,
 * come in one call. */
static void arrive(s2svpn_sim *sim, struct s2_sim_event *e)
{
    struct s2_sim_event *batch[S2_SIM_BATCH];
    s2svpn_datagram d[S2_SIM_BATCH];
    s2svpn_sim_node *node = e->node;
    size_t n = 0;

    do {
        batch[n] = e;
        d[n++] = ((struct s2_sim_outside *)e)->d;
        sim->counters.delivered += ((struct s2_sim_outside *)e)->count;
        e = s2_sim_peek(&sim->queue);
        if (!e || e->at_ns != sim->now_ns || e->kind != S2_SIM_OUTSIDE || e->node != node)
            break;
        if (n < S2_SIM_BATCH)
            s2_sim_unqueue(&sim->queue, e);
    } while (n < S2_SIM_BATCH);

    s2svpn_receive_outside(node->worker, d, n, sim->now_ns);
    for (size_t i = 0; i < n; i++)
        free(batch[i]);
}

static void enter(s2svpn_sim *sim, struct s2_sim_inside *in)
{
    s2svpn_receive_inside(in->event.node->worker, in->port, in->p, in->n, sim->now_ns);
    free(in);
}

static void call(s2svpn_sim *sim, struct s2_sim_call *c)
{
    s2svpn_sim_fn *fn = c->fn;
    void *user = c->user;

    free(c);
    fn(user, sim, sim->now_ns);
}

bool s2svpn_sim_step(s2svpn_sim *sim)
{
    struct s2_sim_event *e = s2_sim_peek(&sim->queue);

    if (!e)
        return false;
    s2_sim_unqueue(&sim->queue, e);
    sim->counters.steps++;
    if (e->at_ns > sim->now_ns)
        sim->now_ns = e->at_ns;
    switch (e->kind) {
    case S2_SIM_OUTSIDE:
        arrive(sim, e);
        break;
    case S2_SIM_INSIDE:
        enter(sim, (struct s2_sim_inside *)e);
        break;
    case S2_SIM_CALL:
        call(sim, (struct s2_sim_call *)e);
        break;
    case S2_SIM_ADVANCE:
        s2svpn_advance(e->node->ctx, sim->now_ns);
        break;
    case S2_SIM_JOB:
        s2_sim_do_job(e->node, (struct s2_sim_job *)e);
        break;
    }
    return true;
}

static bool due(const s2svpn_sim *sim, uint64_t until_ns)
{
    const struct s2_sim_event *e = s2_sim_peek(&sim->queue);

    return e && e->at_ns <= until_ns;
}

void s2svpn_sim_run(s2svpn_sim *sim, uint64_t until_ns)
{
    while (due(sim, until_ns))
        s2svpn_sim_step(sim);
    if (sim->now_ns < until_ns)
        sim->now_ns = until_ns;
}

bool s2svpn_sim_run_until(s2svpn_sim *sim, bool (*done)(void *arg), void *arg, uint64_t until_ns)
{
    bool said = done(arg);

    while (!said && due(sim, until_ns)) {
        s2svpn_sim_step(sim);
        said = done(arg);
    }
    if (!said && sim->now_ns < until_ns) {
        sim->now_ns = until_ns;
        said = done(arg);
    }
    return said;
}
