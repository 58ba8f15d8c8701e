/* SPDX-License-Identifier: Apache-2.0 */
/* From a datagram that is sent to the events of its arrival: translators say who it
 * is from and for, the filter what becomes of it, and the link decides for each
 * datagram of a train; what is left alone stays together. */
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
    const s2svpn_datagram *d; /* as the outside sees it */
    struct s2_sim_ends ends;
    const s2svpn_sim_link *link;
    const struct s2_sim_endpoint *to; /* NULL: nobody */
    uint64_t extra_ns;                /* of delay, that the filter wants */
    uint32_t count;                   /* datagrams in d */
    uint32_t arriving;                /* of them */
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
    /* one for all: a train is one burst */
    const uint64_t delay_ns = s2_sim_later(delay(sim, f->link), f->extra_ns);
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
            queue(f, i, 1, s2_sim_later(delay(sim, f->link), f->extra_ns));
        } else {
            sim->counters.reordered++;
            queue(f, i, 1, s2_sim_later(delay_ns, held_back(sim, f->link)));
        }
    }
    queue(f, first, f->count - first, delay_ns);
}

/* Where it goes; false: nowhere, and counted. */
static bool find_way(struct flight *f, const s2svpn_datagram *sent, s2svpn_datagram *seen)
{
    s2svpn_sim *sim = f->sim;
    const bool passes = s2_sim_translate(sim, sent, &f->ends);
    const bool raw = sent->local.role == S2SVPN_ROLE_RAW;

    *seen = *sent;
    seen->local = f->ends.seen_sender;
    f->d = seen;
    f->count = datagrams(sent);
    sim->counters.sent += f->count;
    if (!passes) {
        sim->counters.untranslated += f->count;
        sim->counters.lost += f->count;
        return false;
    }
    f->link = s2_sim_find_link(sim, &seen->local.address, &seen->remote.address);
    f->to = s2_sim_find_endpoint(sim, &f->ends.receiver, raw);
    if (!f->to)
        sim->counters.unroutable += f->count;
    return f->to != NULL;
}

/* Over the link, if there is one just now. */
static void go(struct flight *f)
{
    if (s2_sim_is_parted(f->sim, &f->ends)) {
        f->sim->counters.parted += f->count;
        f->sim->counters.lost += f->count;
    } else {
        fly(f);
    }
}

static void show(const struct flight *f)
{
    if (f->sim->wire)
        f->sim->wire(f->sim->wire_user, f->d, f->arriving == 0, f->sim->now_ns);
}

s2svpn_status s2_sim_transmit(s2svpn_sim *sim, const s2svpn_datagram *d)
{
    struct flight f = {.sim = sim, .rc = S2SVPN_OK};
    s2svpn_datagram seen;

    if (find_way(&f, d, &seen))
        go(&f);
    show(&f);
    return f.rc;
}

/* ---- the filter */

/* As the filter has left it: the datagram itself, then its copies. */
static void go_as_told(struct flight *f, const s2svpn_datagram *mangled,
                       const s2svpn_sim_fate *fate)
{
    const s2svpn_datagram *seen = f->d;
    uint64_t after_ns = fate->copy_after_ns;

    f->d = mangled;
    f->extra_ns = fate->delay_ns;
    if (fate->drop)
        f->sim->counters.lost++;
    else
        go(f);
    for (uint32_t i = 0; i < fate->copies && f->rc == S2SVPN_OK; i++) {
        f->sim->counters.duplicated++;
        f->extra_ns = s2_sim_later(fate->delay_ns, after_ns);
        go(f);
        after_ns = s2_sim_later(after_ns, fate->copy_after_ns);
    }
    f->d = seen;
}

/* One datagram of its own, with a copy of its bytes. */
static s2svpn_status filter_one(s2svpn_sim *sim, const s2svpn_datagram *one)
{
    struct flight f = {.sim = sim, .rc = S2SVPN_OK};
    s2svpn_sim_fate fate = {.size = sizeof(fate)};
    s2svpn_datagram seen, mangled;
    uint8_t *bytes = NULL;

    if (!find_way(&f, one, &seen)) {
        show(&f);
        return S2SVPN_OK;
    }
    bytes = malloc(one->len ? one->len : 1);
    if (!bytes) {
        sim->counters.lost++;
        return S2SVPN_E_MEMORY;
    }
    if (one->len > 0)
        memcpy(bytes, one->data, one->len);
    mangled = seen;
    mangled.data = bytes;
    sim->filter(sim->filter_user, sim, &mangled, &fate, sim->now_ns);

    const uint32_t len = mangled.len < one->len ? mangled.len : one->len;
    const bool touched = fate.drop || fate.copies || fate.delay_ns || len != one->len ||
                         (len > 0 && memcmp(bytes, one->data, len) != 0);
    sim->counters.impaired += touched;
    mangled = seen;
    mangled.data = bytes;
    mangled.len = len;
    /* The filter may have made settings or endpoints come and go. */
    f.link = s2_sim_find_link(sim, &seen.local.address, &seen.remote.address);
    f.to = s2_sim_find_endpoint(sim, &f.ends.receiver, one->local.role == S2SVPN_ROLE_RAW);
    if (f.to)
        go_as_told(&f, &mangled, &fate);
    else
        sim->counters.unroutable++;
    show(&f);
    free(bytes);
    return f.rc;
}

s2svpn_status s2_sim_transmit_filtered(s2svpn_sim *sim, const s2svpn_datagram *d)
{
    const uint32_t count = datagrams(d);
    s2svpn_status rc = S2SVPN_OK;

    if (!sim->filter)
        return s2_sim_transmit(sim, d);
    for (uint32_t i = 0; i < count; i++) {
        const uint32_t start = i * d->segment;
        s2svpn_datagram one = *d;

        one.segment = 0;
        one.data = d->data ? d->data + start : NULL;
        one.len = i + 1 == count ? d->len - start : d->segment;
        const s2svpn_status did = filter_one(sim, &one);
        rc = rc == S2SVPN_OK ? did : rc;
    }
    return rc;
}

void s2svpn_sim_set_filter(s2svpn_sim *sim, s2svpn_sim_filter_fn *fn, void *user)
{
    sim->filter = fn;
    sim->filter_user = user;
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
