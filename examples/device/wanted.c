/* SPDX-License-Identifier: Apache-2.0 */
/* What the host's table should hold, out of what was learned, what is configured, and how
 * the host gets to the tunnels' other ends without us. */
#include "device/wanted.h"

#include <event2/event.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "device/device.h"

#define LAST_METRIC UINT32_MAX

static uint8_t full_length(uint8_t family)
{
    return family == S2SVPN_FAMILY_IPV6 ? 128 : 32;
}

static bool covers(const s2svpn_prefix *p, const s2svpn_address *a)
{
    const size_t whole = p->length / 8;
    const unsigned bits = p->length % 8;

    if (p->address.family != a->family || memcmp(p->address.bytes, a->bytes, whole) != 0)
        return false;
    return bits == 0 || ((p->address.bytes[whole] ^ a->bytes[whole]) >> (8 - bits)) == 0;
}

/* ---- learned prefixes */

static struct learned *find_learned(struct routes *r, const s2svpn_prefix *prefix)
{
    for (size_t i = 0; i < r->learned_count; i++) {
        if (memcmp(&r->learned[i].prefix, prefix, sizeof(*prefix)) == 0)
            return &r->learned[i];
    }
    return NULL;
}

static struct learned *add_learned(struct device *d, const s2svpn_prefix *prefix)
{
    struct routes *r = &d->routes;

    if (r->learned_count == r->learned_room && r->learned_room < LEARNED_MAX) {
        const size_t room = r->learned_room ? r->learned_room * 2 : 64;
        struct learned *p = realloc(r->learned, room * sizeof(*p));

        if (p) {
            r->learned = p;
            r->learned_room = room;
        }
    }
    if (r->learned_count == r->learned_room) {
        if (!r->full)
            log_line(&d->log, S2SVPN_LOG_ERROR, NULL, "more than %zu prefixes: some are left out",
                     r->learned_count);
        r->full = true;
        return NULL;
    }
    memset(&r->learned[r->learned_count], 0, sizeof(*r->learned));
    r->learned[r->learned_count].prefix = *prefix;
    return &r->learned[r->learned_count++];
}

/* Prefixes are compared byte by byte. */
static s2svpn_prefix clean(const s2svpn_prefix *p)
{
    s2svpn_prefix out;

    memset(&out, 0, sizeof(out));
    out.address.family = p->address.family;
    memcpy(out.address.bytes, p->address.bytes, sizeof(out.address.bytes));
    out.length = p->length;
    return out;
}

void routes_on_event(struct device *d, const s2svpn_event *event)
{
    struct routes *r = &d->routes;
    const s2svpn_prefix prefix = clean(&event->prefix);
    struct learned *l = find_learned(r, &prefix);
    const struct timeval now = {0, 0};

    if (event->up && l == NULL)
        l = add_learned(d, &prefix);
    if (l == NULL)
        return;
    if (!event->up)
        *l = r->learned[--r->learned_count];
    if (r->open)
        event_add(r->due, &now);
}

/* ---- endpoints */

static void add_endpoint(struct wanted *u, const s2svpn_address *a)
{
    struct endpoint *e = &u->endpoint[u->endpoints];

    for (size_t i = 0; i < u->endpoints; i++) {
        if (memcmp(&u->endpoint[i].host.address, a, sizeof(*a)) == 0)
            return;
    }
    if (u->endpoints == ENDPOINTS_MAX)
        return; /* there are no more tunnels than that */
    e->host.address = *a;
    e->host.length = full_length(a->family);
    u->endpoints++;
}

static void find_endpoints(struct wanted *u)
{
    const struct connections *all = &u->d->connections;

    for (size_t i = 0; i < all->count; i++) {
        const s2svpn_device_config *config = all->item[i].document.config;

        for (size_t k = 0; k < config->tunnel_count; k++)
            add_endpoint(u, &config->tunnel[k].gateway.outside);
    }
}

bool wanted_is_endpoint(const struct wanted *u, const s2svpn_prefix *p)
{
    for (size_t i = 0; i < u->endpoints; i++) {
        if (memcmp(&u->endpoint[i].host, p, sizeof(*p)) == 0)
            return true;
    }
    return false;
}

static bool is_better(const struct endpoint *e, const struct host_route *way)
{
    if (!e->found || way->prefix.length != e->way.prefix.length)
        return !e->found || way->prefix.length > e->way.prefix.length;
    return way->metric < e->way.metric;
}

void wanted_way(struct wanted *u, const struct host_route *way)
{
    for (size_t i = 0; i < u->endpoints; i++) {
        struct endpoint *e = &u->endpoint[i];

        if (covers(&way->prefix, &e->host.address) && is_better(e, way)) {
            e->found = true;
            e->way = *way;
        }
    }
}

/* ---- what is wanted */

static void want(struct wanted *u, const struct kept_route *k)
{
    if (u->count == u->room) {
        const size_t room = u->room ? u->room * 2 : 64;
        struct kept_route *p = realloc(u->list, room * sizeof(*p));

        if (p == NULL) {
            log_line(&u->d->log, S2SVPN_LOG_ERROR, NULL, "no memory for a route");
            return;
        }
        u->list = p;
        u->room = room;
    }
    u->list[u->count++] = *k;
}

static uint32_t metric_of(const struct device *d, uint8_t family)
{
    /* what the kernel makes of 0 in IPv6 */
    return family == S2SVPN_FAMILY_IPV6 && d->options.metric == 0 ? 1024 : d->options.metric;
}

static void want_prefix(struct wanted *u, const s2svpn_prefix *prefix)
{
    const struct options *o = &u->d->options;
    struct kept_route k;

    memset(&k, 0, sizeof(k));
    k.rank = RANK_TUNNEL;
    k.route.type = RTN_UNICAST;
    k.route.table = o->table;
    k.route.metric = metric_of(u->d, prefix->address.family);
    k.route.interface = u->d->routes.interface;
    k.route.prefix = *prefix;
    for (size_t i = 0; i < o->address_count; i++) {
        if (o->address[i].family == prefix->address.family) {
            k.route.source = o->address[i];
            break;
        }
    }
    for (size_t i = 0; i < u->endpoints; i++)
        u->endpoint[i].covered |= covers(prefix, &u->endpoint[i].host.address);
    want(u, &k);
}

static bool has_static(const struct device *d)
{
    for (size_t i = 0; i < d->connections.count; i++) {
        if (d->connections.item[i].document.config->static_routes)
            return true;
    }
    return false;
}

static bool is_static(const struct device *d, const s2svpn_prefix *prefix)
{
    for (size_t i = 0; i < d->program.route_count; i++) {
        if (memcmp(&d->program.route[i], prefix, sizeof(*prefix)) == 0)
            return true;
    }
    return false;
}

/* Static prefixes stay while their connection is open: with its tunnels down, packets to
 * the cloud are refused and don't leave by another way in the clear. */
static void want_prefixes(struct wanted *u)
{
    struct device *d = u->d;
    const bool statics = has_static(d);

    if (!d->options.install_routes)
        return;
    for (size_t i = 0; statics && i < d->program.route_count; i++)
        want_prefix(u, &d->program.route[i]);
    for (size_t i = 0; i < d->routes.learned_count; i++) {
        if (!statics || !is_static(d, &d->routes.learned[i].prefix))
            want_prefix(u, &d->routes.learned[i].prefix);
    }
}

static void want_exemption(struct wanted *u, const struct endpoint *e)
{
    const struct options *o = &u->d->options;
    struct kept_route k;

    memset(&k, 0, sizeof(k));
    k.rank = RANK_BACKSTOP;
    k.route.table = o->table;
    k.route.prefix = e->host;
    if (o->table != RT_TABLE_MAIN) {
        k.route.type = RTN_THROW;
        k.route.metric = 1;
        want(u, &k);
        return;
    }
    k.route.type = RTN_UNREACHABLE;
    k.route.metric = LAST_METRIC;
    want(u, &k);
    /* a host route of the host's own does what ours would */
    if (!e->found || e->way.prefix.length == e->host.length)
        return;
    k.rank = RANK_BYPASS;
    k.route = e->way;
    k.route.prefix = e->host;
    k.route.metric = e->host.address.family == S2SVPN_FAMILY_IPV6 ? 1 : 0;
    want(u, &k);
}

/* ---- the whole */

int wanted_order(const void *a, const void *b)
{
    const struct kept_route *x = a, *y = b;

    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return memcmp(&x->route, &y->route, sizeof(x->route));
}

void wanted_begin(struct wanted *u, struct device *d)
{
    memset(u, 0, sizeof(*u));
    u->d = d;
    find_endpoints(u);
    want_prefixes(u);
}

void wanted_finish(struct wanted *u)
{
    for (size_t i = 0; i < u->endpoints; i++) {
        if (u->endpoint[i].covered)
            want_exemption(u, &u->endpoint[i]);
    }
    if (u->count > 0)
        qsort(u->list, u->count, sizeof(*u->list), wanted_order);
}

struct kept_route *wanted_find(struct kept_route *list, size_t n, const struct kept_route *k)
{
    return n ? bsearch(k, list, n, sizeof(*list), wanted_order) : NULL;
}

/* Every endpoint that the prefix covers has something in front of it. */
bool wanted_is_safe(const struct wanted *u, const s2svpn_prefix *prefix)
{
    for (size_t i = 0; i < u->endpoints; i++) {
        const s2svpn_prefix *host = &u->endpoint[i].host;
        bool exempt = false;

        if (!covers(prefix, &host->address))
            continue;
        for (size_t k = 0; k < u->count && u->list[k].rank != RANK_TUNNEL; k++)
            exempt |=
                u->list[k].installed && memcmp(&u->list[k].route.prefix, host, sizeof(*host)) == 0;
        if (!exempt)
            return false;
    }
    return true;
}
