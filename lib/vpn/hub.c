/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CloudHub: what BGP says of one site is told to the other sites of the same virtual
 * gateway, so that they reach each other through it. It tells and takes back; packets
 * follow the router's FIB.
 *
 *   best path of a prefix, from BGP ──> each connection but its own ──> both tunnels,
 *                                       AS path: ours, then as the site said it
 *
 * A static route and the VPC's own prefix are better than a site's and are told by
 * others or by nobody. A site with an AS number of the path refuses the route itself
 * (RFC 4271 section 9.1.2), so sites need AS numbers of their own, as AWS says. A device
 * takes 1,000 prefixes at most; what is more waits until others go, here and in the
 * VPC's route tables.
 */
#include <string.h>

#include "vpn/vpn.h"

#define CATCH_UP_NS S2_SECOND /* one walk for many that went */
#define PATHS_MAX 64          /* of a prefix: the RIB's limit */

struct attributes {
    uint8_t origin;
    uint16_t as_count;
    uint32_t as_path[];
};

static bool say_the_same(const struct attributes *h, const struct s2_bgp_attributes *a)
{
    return h && h->origin == a->origin && h->as_count == a->as_count &&
           memcmp(h->as_path, a->as_path, a->as_count * sizeof(a->as_path[0])) == 0;
}

s2svpn_status s2_hub_attributes(struct s2_router *r, const s2svpn_prefix *prefix,
                                const s2svpn_tunnel *t, const struct s2_bgp_attributes *a,
                                void **out, bool *fresh)
{
    struct s2_rib_path path[PATHS_MAX];
    struct attributes *h;
    size_t n;

    *out = NULL;
    *fresh = false;
    /* With ours the path would be longer than anybody takes. */
    if (r->vgw == NULL || a->as_count == 0 || a->as_count >= S2_BGP_AS_PATH_MAX)
        return S2SVPN_OK;
    n = s2_rib_get(r->rib, prefix, path, PATHS_MAX);
    for (size_t i = 0; i < n && i < PATHS_MAX; i++) {
        if (path[i].source == t && say_the_same(path[i].attributes, a)) {
            *out = path[i].attributes;
            return S2SVPN_OK;
        }
    }
    h = s2_alloc(&r->ctx->env, sizeof(*h) + a->as_count * sizeof(h->as_path[0]));
    if (h == NULL)
        return S2SVPN_E_MEMORY;
    h->origin = a->origin;
    h->as_count = a->as_count;
    memcpy(h->as_path, a->as_path, a->as_count * sizeof(h->as_path[0]));
    *out = h;
    *fresh = true;
    return S2SVPN_OK;
}

/* Is it one to tell this connection's device? */
static bool is_for(const s2svpn_connection *c, const s2svpn_prefix *prefix,
                   const struct s2_rib_path *best)
{
    const uint8_t family = c->inside_version == 6 ? S2SVPN_FAMILY_IPV6 : S2SVPN_FAMILY_IPV4;

    return best && best->kind == S2_ROUTE_BGP && best->attributes && !c->device &&
           !c->static_routes_only && prefix->address.family == family &&
           ((const s2svpn_tunnel *)best->source)->connection != c;
}

void s2_hub_catch_up(struct s2_router *r)
{
    if (!r->hub.armed)
        s2_timer_set(&r->ctx->timers, &r->hub, s2_after(r->ctx->now_ns, CATCH_UP_NS));
}

static void take_back(s2svpn_connection *c, const s2svpn_prefix *prefix)
{
    s2_fib_unset(c->told, prefix);
    for (size_t i = 0; i < c->tunnel_count; i++)
        s2_bgp_advertise_to(&c->tunnel[i], prefix, true);
    if (c->untold)
        s2_hub_catch_up(c->router);
}

/* Note that it is told; false: it can't be. */
static bool note(s2svpn_connection *c, const s2svpn_prefix *prefix)
{
    s2svpn_context *ctx = c->object.ctx;
    s2svpn_status rc = S2SVPN_OK;

    if (c->told && s2_fib_get(c->told, prefix) != 0)
        return true;
    if (c->told && s2_fib_count(c->told) >= S2_HUB_PREFIXES_MAX) {
        if (!c->untold)
            s2_log(&ctx->env, S2_LOG_ERROR, "%s: its device is told %d of other sites' prefixes",
                   c->object.id.text, S2_HUB_PREFIXES_MAX);
        c->untold = true;
        return false;
    }
    if (c->told == NULL)
        rc = s2_fib_new(&ctx->env, &ctx->epochs, &c->told);
    if (rc == S2SVPN_OK)
        rc = s2_fib_set(c->told, prefix, 1);
    if (rc != S2SVPN_OK)
        s2_router_repair(c->router);
    return rc == S2SVPN_OK;
}

void s2_hub_tell(s2svpn_connection *c, const s2svpn_prefix *prefix, const struct s2_rib_path *best)
{
    const struct attributes *h;

    if (!is_for(c, prefix, best)) {
        if (c->told && s2_fib_get(c->told, prefix) != 0)
            take_back(c, prefix);
        return;
    }
    if (!note(c, prefix))
        return;
    h = best->attributes;
    for (size_t i = 0; i < c->tunnel_count; i++)
        s2_bgp_tell(&c->tunnel[i], prefix, h->origin, h->as_path, h->as_count);
}

void s2_hub_route(struct s2_router *r, const s2svpn_prefix *prefix, const struct s2_rib_path *best)
{
    if (r->vgw == NULL)
        return;
    S2_LIST_EACH(&r->connections, l)
        s2_hub_tell(S2_CONTAINER(l, s2svpn_connection, in_router), prefix, best);
}

/* Tables that lack routes; they are marked again if these find no room, either. */
static bool tables_want(struct s2_router *r)
{
    bool any = false;

    S2_LIST_EACH(&r->tables, l) {
        s2svpn_route_table *t = S2_CONTAINER(l, struct s2_propagation, in_router)->table;

        any = any || t->wanting;
        t->wanting = false;
    }
    return any;
}

static bool propagate_again(void *arg, const s2svpn_prefix *prefix, const struct s2_rib_path *path,
                            size_t count, bool best_usable)
{
    (void)count;
    if (best_usable && path[0].kind != S2_ROUTE_LOCAL)
        s2_tables_route(arg, prefix, true, true);
    return true;
}

static bool tell_those_that_lack(void *arg, const s2svpn_prefix *prefix,
                                 const struct s2_rib_path *path, size_t count, bool best_usable)
{
    struct s2_router *r = arg;

    (void)count;
    S2_LIST_EACH(&r->connections, l) {
        s2svpn_connection *c = S2_CONTAINER(l, s2svpn_connection, in_router);

        if (c->untold)
            s2_hub_tell(c, prefix, best_usable ? &path[0] : NULL);
    }
    return true;
}

static void on_catch_up(void *arg, uint64_t now_ns)
{
    struct s2_router *r = arg;

    (void)now_ns;
    s2_rib_each(r->rib, tell_those_that_lack, r);
    if (tables_want(r))
        s2_rib_each(r->rib, propagate_again, r);
    S2_LIST_EACH(&r->connections, l) {
        s2svpn_connection *c = S2_CONTAINER(l, s2svpn_connection, in_router);

        c->untold = c->untold && s2_fib_count(c->told) >= S2_HUB_PREFIXES_MAX;
    }
}

void s2_hub_init(struct s2_router *r)
{
    s2_timer_init(&r->hub, on_catch_up, r);
}
