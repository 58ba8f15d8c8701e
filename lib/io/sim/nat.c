/* SPDX-License-Identifier: Apache-2.0 */
/* Translators of addresses and ports, as RFC 4787 describes them: mapping independent
 * of the remote endpoint or not, filtering by address and port. They decide when a
 * datagram is sent; they move none. */
#include "io/sim/sim.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_PORT 1024u
#define LAST_PORT 65535u

static bool same_endpoint(const s2svpn_endpoint *a, const s2svpn_endpoint *b)
{
    return a->port == b->port && s2_sim_same_address(&a->address, &b->address);
}

static bool contains(const s2svpn_prefix *p, const s2svpn_address *a)
{
    const size_t whole = p->length / 8u;
    const unsigned rest = p->length % 8u;

    if (p->address.family != a->family || memcmp(p->address.bytes, a->bytes, whole) != 0)
        return false;
    return rest == 0 || (p->address.bytes[whole] ^ a->bytes[whole]) >> (8 - rest) == 0;
}

static s2svpn_sim_nat *nat_before(const s2svpn_sim *sim, const s2svpn_address *a)
{
    s2svpn_sim_nat *n = sim->nats;

    while (n && !contains(&n->options.inside, a))
        n = n->next;
    return n;
}

static s2svpn_sim_nat *nat_at(const s2svpn_sim *sim, const s2svpn_address *a)
{
    s2svpn_sim_nat *n = sim->nats;

    while (n && !s2_sim_same_address(&n->options.outside, a))
        n = n->next;
    return n;
}

bool s2_sim_is_nat(const s2svpn_sim *sim, const s2svpn_address *a)
{
    return nat_at(sim, a) != NULL;
}

/* ---- mappings */

static void expire(s2svpn_sim_nat *n)
{
    const uint64_t now_ns = n->sim->now_ns;
    size_t kept = 0;

    if (n->options.expiry_ns == 0)
        return;
    for (size_t i = 0; i < n->count; i++)
        if (now_ns < s2_sim_later(n->flows[i].last_ns, n->options.expiry_ns))
            n->flows[kept++] = n->flows[i];
    n->count = kept;
}

static bool in_use(const s2svpn_sim_nat *n, uint16_t port)
{
    for (size_t i = 0; i < n->count; i++)
        if (n->flows[i].port == port)
            return true;
    return false;
}

/* One behind the other, so that a mapping that is made anew has another port. There
 * are more ports than flows. */
static uint16_t free_port(s2svpn_sim_nat *n)
{
    uint16_t port;

    do {
        port = n->next_port;
        n->next_port = (uint16_t)(port == LAST_PORT ? FIRST_PORT : port + 1u);
    } while (in_use(n, port));
    return port;
}

/* The port of an inside endpoint towards all remote ones, 0 if it has none yet. */
static uint16_t port_of(const s2svpn_sim_nat *n, const s2svpn_endpoint *inside)
{
    for (size_t i = 0; i < n->count && !n->options.symmetric; i++)
        if (same_endpoint(&n->flows[i].inside, inside))
            return n->flows[i].port;
    return 0;
}

static struct s2_sim_flow *add_flow(s2svpn_sim_nat *n, const s2svpn_endpoint *inside,
                                    const s2svpn_endpoint *remote)
{
    if (n->count == S2_SIM_FLOWS_MAX)
        return NULL;
    if (n->count == n->capacity) {
        const size_t want = n->capacity ? n->capacity * 2 : 16;
        struct s2_sim_flow *bigger = realloc(n->flows, want * sizeof(*bigger));

        if (!bigger)
            return NULL;
        n->flows = bigger;
        n->capacity = want;
    }

    const uint16_t port = port_of(n, inside);
    n->flows[n->count] = (struct s2_sim_flow){
        .inside = *inside, .remote = *remote, .port = port ? port : free_port(n)};
    return &n->flows[n->count++];
}

/* Out: makes its mapping if there is none. */
static bool leave(s2svpn_sim_nat *n, struct s2_sim_ends *e)
{
    struct s2_sim_flow *flow = NULL;

    expire(n);
    for (size_t i = 0; i < n->count && !flow; i++)
        if (same_endpoint(&n->flows[i].inside, &e->sender) &&
            same_endpoint(&n->flows[i].remote, &e->seen_receiver))
            flow = &n->flows[i];
    if (!flow)
        flow = add_flow(n, &e->sender, &e->seen_receiver);
    if (!flow)
        return false;
    flow->last_ns = n->sim->now_ns;
    e->seen_sender.address = n->options.outside;
    e->seen_sender.port = flow->port;
    return true;
}

/* In: only whom somebody behind it has sent to. */
static bool enter(s2svpn_sim_nat *n, struct s2_sim_ends *e)
{
    expire(n);
    for (size_t i = 0; i < n->count; i++) {
        struct s2_sim_flow *flow = &n->flows[i];

        if (flow->port == e->seen_receiver.port && same_endpoint(&flow->remote, &e->seen_sender)) {
            flow->last_ns = n->sim->now_ns;
            e->receiver = flow->inside;
            return true;
        }
    }
    return false;
}

bool s2_sim_translate(s2svpn_sim *sim, const s2svpn_datagram *d, struct s2_sim_ends *e)
{
    const bool has_port = d->local.role != S2SVPN_ROLE_RAW;

    *e = (struct s2_sim_ends){d->local, d->local, d->remote, d->remote};
    if (!sim->nats)
        return true;

    s2svpn_sim_nat *out = nat_before(sim, &d->local.address);
    s2svpn_sim_nat *behind = nat_before(sim, &d->remote.address);
    if (behind)
        return behind == out; /* neighbours; nobody else reaches such an address */
    if (out && (!has_port || !leave(out, e)))
        return false;
    s2svpn_sim_nat *in = nat_at(sim, &d->remote.address);
    return !in || (has_port && enter(in, e));
}

/* ---- life */

static bool valid_address(const s2svpn_address *a)
{
    return a && (a->family == S2SVPN_FAMILY_IPV4 || a->family == S2SVPN_FAMILY_IPV6);
}

static bool valid_options(const s2svpn_sim_nat_options *o)
{
    return o && o->size >= sizeof(*o) && valid_address(&o->outside) &&
           o->inside.address.family == o->outside.family &&
           o->inside.length <= (o->outside.family == S2SVPN_FAMILY_IPV4 ? 32 : 128) &&
           !contains(&o->inside, &o->outside);
}

static bool is_taken(const s2svpn_sim *sim, const s2svpn_address *outside)
{
    return s2_sim_has_address(sim, outside) || s2_sim_is_nat(sim, outside) ||
           nat_before(sim, outside);
}

static bool overlaps(const s2svpn_sim *sim, const s2svpn_prefix *inside)
{
    for (const s2svpn_sim_nat *n = sim->nats; n; n = n->next)
        if (contains(&n->options.inside, &inside->address) ||
            contains(inside, &n->options.inside.address) || contains(inside, &n->options.outside))
            return true;
    return false;
}

s2svpn_status s2svpn_sim_nat_new(s2svpn_sim *sim, const s2svpn_sim_nat_options *options,
                                 s2svpn_sim_nat **nat)
{
    *nat = NULL;
    if (!valid_options(options))
        return S2SVPN_E_ARGUMENT;
    if (is_taken(sim, &options->outside) || overlaps(sim, &options->inside))
        return S2SVPN_E_EXISTS;
    if (sim->nat_count == S2_SIM_NATS_MAX)
        return S2SVPN_E_LIMIT;

    s2svpn_sim_nat *n = calloc(1, sizeof(*n));
    if (!n)
        return S2SVPN_E_MEMORY;
    n->sim = sim;
    n->options = *options;
    n->next_port = (uint16_t)(FIRST_PORT + s2_sim_roll(&sim->random, LAST_PORT - FIRST_PORT));
    n->next = sim->nats;
    sim->nats = n;
    sim->nat_count++;
    *nat = n;
    return S2SVPN_OK;
}

void s2svpn_sim_nat_flush(s2svpn_sim_nat *nat)
{
    nat->count = 0;
}

s2svpn_status s2svpn_sim_nat_set_outside(s2svpn_sim_nat *nat, const s2svpn_address *outside)
{
    if (!valid_address(outside) || outside->family != nat->options.outside.family)
        return S2SVPN_E_ARGUMENT;
    if (!s2_sim_same_address(outside, &nat->options.outside) && is_taken(nat->sim, outside))
        return S2SVPN_E_EXISTS;
    nat->options.outside = *outside;
    nat->count = 0;
    return S2SVPN_OK;
}

void s2_sim_nats_free(s2svpn_sim *sim)
{
    while (sim->nats) {
        s2svpn_sim_nat *n = sim->nats;

        sim->nats = n->next;
        free(n->flows);
        free(n);
    }
}
