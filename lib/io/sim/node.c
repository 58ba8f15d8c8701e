/* SPDX-License-Identifier: Apache-2.0 */
/* A node: the host of one context. What the context asks of its host through the io
 * table, and how it comes and goes. */
#include "io/sim/sim.h"

#include <stdlib.h>
#include <string.h>

/* ---- the io table */

static size_t send_outside(void *io, s2svpn_worker *worker, const s2svpn_datagram *d, size_t n)
{
    s2svpn_sim_node *node = io;

    (void)worker;
    for (size_t i = 0; i < n; i++)
        (void)!s2_sim_transmit_filtered(node->sim, &d[i]); /* a full network loses packets */
    return n;
}

static size_t send_inside(void *io, s2svpn_worker *worker, s2svpn_port_id port,
                          const s2svpn_packet *p, size_t n)
{
    s2svpn_sim_node *node = io;

    (void)worker;
    if (node->inside)
        node->inside(node->inside_user, node, port, p, n, node->sim->now_ns);
    return n;
}

static void queue_advance(s2svpn_sim_node *node)
{
    s2svpn_sim *sim = node->sim;

    s2_sim_unqueue(&sim->queue, &node->advance);
    if (node->deadline_ns == S2SVPN_NEVER)
        return;
    s2_sim_push_reserved(&sim->queue, &node->advance,
                         node->deadline_ns > sim->now_ns ? node->deadline_ns
                                                         : s2_sim_later(sim->now_ns, 1));
}

static void deadline(void *io, uint64_t at_ns)
{
    s2svpn_sim_node *node = io;

    node->deadline_ns = at_ns;
    if (node->ctx)
        queue_advance(node);
}

static const s2svpn_io_ops io_ops = {
    .size = sizeof(io_ops),
    .send_outside = send_outside,
    .send_inside = send_inside,
    .deadline = deadline,
    .superpackets = true,
};

/* ---- coming and going */

s2svpn_status s2svpn_sim_node_new(s2svpn_sim *sim, const char *name, s2svpn_sim_node **node)
{
    *node = NULL;
    if (sim->node_count == S2_SIM_NODES_MAX)
        return S2SVPN_E_LIMIT;

    s2svpn_sim_node *n = calloc(1, sizeof(*n));
    if (!n)
        return S2SVPN_E_MEMORY;
    s2svpn_status rc = s2_sim_reserve(&sim->queue);
    if (rc != S2SVPN_OK)
        goto fail;
    n->sim = sim;
    n->name = name;
    n->deadline_ns = S2SVPN_NEVER;
    n->advance =
        (struct s2_sim_event){.kind = S2_SIM_ADVANCE, .node = n, .place = S2_SIM_NOT_QUEUED};
    n->next = sim->nodes;
    sim->nodes = n;
    s2_sim_seed(&n->random, sim->seed, ++sim->node_count);
    *node = n;
    return S2SVPN_OK;

fail:
    free(n);
    return rc;
}

void s2_sim_node_free(s2svpn_sim_node *node)
{
    s2_sim_clear_jobs(node);
    free(node);
}

void s2svpn_sim_prepare(s2svpn_sim_node *node, s2svpn_options *options)
{
    if (!node->ctx) { /* whatever lived here before is gone */
        s2_sim_clear_jobs(node);
        node->deadline_ns = S2SVPN_NEVER;
    }
    options->io_ops = &io_ops;
    options->io = node;
    options->now_ns = node->sim->now_ns;
    s2_sim_wrap_crypto(node, options);
}

s2svpn_status s2svpn_sim_attach(s2svpn_sim_node *node, s2svpn_context *ctx,
                                const s2svpn_options *options)
{
    if (!ctx || !options)
        return S2SVPN_E_ARGUMENT;
    if (node->ctx)
        return S2SVPN_E_STATE;

    s2svpn_status rc = s2_sim_add_endpoints(node, options->local, options->local_count);
    if (rc != S2SVPN_OK)
        return rc;
    rc = s2_sim_attach_jobs(node);
    if (rc != S2SVPN_OK)
        goto fail;
    node->ctx = ctx;
    node->worker = s2svpn_context_worker(ctx, 0);
    queue_advance(node);
    return S2SVPN_OK;

fail:
    (void)s2_sim_unqueue_node(&node->sim->queue, node);
    s2_sim_remove_endpoints(node);
    return rc;
}

void s2svpn_sim_detach(s2svpn_sim_node *node)
{
    if (!node->ctx)
        return;
    node->ctx = NULL;
    node->worker = NULL;
    node->sim->counters.lost += s2_sim_unqueue_node(&node->sim->queue, node);
    s2_sim_forget_jobs(node);
    s2_sim_remove_endpoints(node);
}

/* ---- plain packets */

void s2svpn_sim_on_inside(s2svpn_sim_node *node, s2svpn_sim_inside_fn *fn, void *user)
{
    node->inside = fn;
    node->inside_user = user;
}

/* One block: the event, the packets, their bytes. */
static struct s2_sim_inside *copy_packets(const s2svpn_packet *p, size_t n)
{
    size_t bytes = 0;

    for (size_t i = 0; i < n; i++)
        bytes += p[i].len;
    const size_t size = sizeof(struct s2_sim_inside) + n * sizeof(*p) + bytes;
    struct s2_sim_inside *in = malloc(size);
    if (!in)
        return NULL;
    *in = (struct s2_sim_inside){.n = n, .p = (s2svpn_packet *)(in + 1)};
    in->event =
        (struct s2_sim_event){.kind = S2_SIM_INSIDE, .bytes = size, .place = S2_SIM_NOT_QUEUED};

    uint8_t *to = (uint8_t *)(in->p + n);
    for (size_t i = 0; i < n; i++) {
        in->p[i] = p[i];
        in->p[i].data = to;
        if (p[i].len > 0)
            memcpy(to, p[i].data, p[i].len);
        to += p[i].len;
    }
    return in;
}

s2svpn_status s2svpn_sim_inject(s2svpn_sim_node *node, s2svpn_port_id port, const s2svpn_packet *p,
                                size_t n)
{
    if (!p || n == 0)
        return S2SVPN_E_ARGUMENT;
    if (!node->ctx)
        return S2SVPN_E_STATE;

    struct s2_sim_inside *in = copy_packets(p, n);
    if (!in)
        return S2SVPN_E_MEMORY;
    in->event.node = node;
    in->port = port;
    s2svpn_status rc = s2_sim_push(&node->sim->queue, &in->event,
                                   s2_sim_later(node->sim->now_ns, S2_SIM_LEAST_DELAY_NS));
    if (rc != S2SVPN_OK)
        free(in);
    return rc;
}
