/* SPDX-License-Identifier: Apache-2.0 */
/* From a datagram that is sent to the events of its arrival: the link decides for
 * each datagram of a train, and what it leaves alone stays together. A translator
 * of addresses would stand between the two look-ups of s2_sim_transmit(). */
#include "io/sim/sim.h"

#include <stdlib.h>
#include <string.h>

#define DEFAULT_HOP_LIMIT 64
#define HELD_BACK 10 /* times the link's delay, at most */

enum fate {
    PASSES,
    LOST,
    DOUBLED,
    HELD,
};

/* A datagram on its way, and where it will arrive. */
struct flight {
    s2svpn_sim *sim;
    const s2svpn_datagram *d;
    const s2svpn_sim_link *link;
    const struct s2_sim_endpoint *to;
    uint32_t count;    /* datagrams in d */
    uint32_t arriving; /* of them */
    s2svpn_status rc;
};

static uint32_t datagrams(const s2svpn_datagram *d)
{
    return d->segment == 0 || d->len <= d->segment ? 1 : (d->len - 1) / d->segment + 1;
}

static enum fate decide(s2svpn_sim *sim, const s2svpn_sim_link *link)
{
    if (link->down || s2_sim_happens(&sim->random, link->loss_ppm))
        return LOST;
    if (s2_sim_happens(&sim->random, link->duplicate_ppm))
        return DOUBLED;
    return s2_sim_happens(&sim->random, link->reorder_ppm) ? HELD : PASSES;
}

static uint64_t delay(s2svpn_sim *sim, const s2svpn_sim_link *link)
{
    const uint64_t least =
        link->delay_ns > S2_SIM_LEAST_DELAY_NS ? link->delay_ns : S2_SIM_LEAST_DELAY_NS;

    return s2_sim_later(least, link->jitter_ns ? s2_sim_roll(&sim->random, link->jitter_ns) : 0);
}

static uint64_t held_back(s2svpn_sim *sim, const s2svpn_sim_link *link)
{
    uint64_t most = s2_sim_later(link->delay_ns, link->jitter_ns);

    if (most < S2_SIM_LEAST_DELAY_NS)
        most = S2_SIM_LEAST_DELAY_NS;
    most = most > S2SVPN_NEVER / HELD_BACK ? S2SVPN_NEVER : most * HELD_BACK;
    return s2_sim_roll(&sim->random, most);
}

/* What the receiver will see: its own endpoint with its role, and the sender. */
static void address(const struct flight *f, s2svpn_datagram *d)
{
    d->local = f->to->endpoint;
    d->remote = f->d->local;
    d->remote.role = 0;
    d->tos = f->d->tos;
    d->hop_limit = f->d->hop_limit ? f->d->hop_limit : DEFAULT_HOP_LIMIT;
    if (f->d->local.role == S2SVPN_ROLE_RAW)
        d->remote.port = 0;
}

/* Let the datagrams from first on arrive together. */
static void queue(struct flight *f, uint32_t first, uint32_t count, uint64_t delay_ns)
{
    if (count == 0)
        return;

    const uint32_t start = first * f->d->segment;
    const uint32_t rest = f->d->len - start;
    const uint32_t len = first + count == f->count ? rest : count * f->d->segment;
    struct s2_sim_outside *o = malloc(sizeof(*o) + len);
    s2svpn_status rc = S2SVPN_E_MEMORY;

    if (!o)
        goto fail;
    *o = (struct s2_sim_outside){.count = count};
    o->event = (struct s2_sim_event){.kind = S2_SIM_OUTSIDE,
                                     .node = f->to->node,
                                     .bytes = sizeof(*o) + len,
                                     .place = S2_SIM_NOT_QUEUED};
    address(f, &o->d);
    o->d.data = (uint8_t *)(o + 1);
    o->d.len = len;
    o->d.segment = count > 1 ? f->d->segment : 0;
    if (len > 0)
        memcpy(o->d.data, f->d->data + start, len);
    rc = s2_sim_push(&f->sim->queue, &o->event, s2_sim_later(f->sim->now_ns, delay_ns));
    if (rc != S2SVPN_OK)
        goto fail;
    f->arriving += count;
    return;

fail:
    free(o);
    f->rc = rc;
    f->sim->counters.lost += count;
}

static void fly(struct flight *f)
{
    s2svpn_sim *sim = f->sim;
    const uint64_t delay_ns = delay(sim, f->link); /* one for all: a train is one burst */
    uint32_t first = 0;

    for (uint32_t i = 0; i < f->count; i++) {
        const enum fate fate = decide(sim, f->link);

        if (fate == PASSES)
            continue;
        queue(f, first, i - first, delay_ns);
        first = i + 1;
        if (fate == LOST) {
            sim->counters.lost++;
        } else if (fate == DOUBLED) {
            sim->counters.duplicated++;
            queue(f, i, 1, delay_ns);
            queue(f, i, 1, delay(sim, f->link));
        } else {
            sim->counters.reordered++;
            queue(f, i, 1, s2_sim_later(delay_ns, held_back(sim, f->link)));
        }
    }
    queue(f, first, f->count - first, delay_ns);
}

s2svpn_status s2_sim_transmit(s2svpn_sim *sim, const s2svpn_datagram *d)
{
    struct flight f = {.sim = sim, .d = d, .count = datagrams(d), .rc = S2SVPN_OK};

    f.link = s2_sim_find_link(sim, &d->local.address, &d->remote.address);
    f.to = s2_sim_find_endpoint(sim, &d->remote, d->local.role == S2SVPN_ROLE_RAW);
    sim->counters.sent += f.count;
    if (f.to)
        fly(&f);
    else
        sim->counters.unroutable += f.count;
    if (sim->wire)
        sim->wire(sim->wire_user, d, f.arriving == 0, sim->now_ns);
    return f.rc;
}

s2svpn_status s2svpn_sim_send(s2svpn_sim *sim, const s2svpn_datagram *d)
{
    if (!d || (d->len > 0 && !d->data))
        return S2SVPN_E_ARGUMENT;
    return s2_sim_transmit(sim, d);
}

void s2svpn_sim_on_wire(s2svpn_sim *sim, s2svpn_sim_wire_fn *fn, void *user)
{
    sim->wire = fn;
    sim->wire_user = user;
}
