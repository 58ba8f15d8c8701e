/* SPDX-License-Identifier: Apache-2.0 */
/* The routes of a table: the list that people see and the FIB that packets use. A prefix
 * has at most one local or manual entry and at most one propagated one; the FIB holds the
 * former if there is one. Who may add what is route_table.c's and propagation.c's. */
#include "vpn/route_list.h"

#include <string.h>

#define ROUTES_MAX 1100 /* local, 50 manual by AWS's quota and more, 1,000 propagated */

struct s2_table_route *s2_routes_find(const s2svpn_route_table *t, const s2svpn_prefix *prefix,
                                      bool propagated)
{
    S2_LIST_EACH(&t->routes, l) {
        struct s2_table_route *r = S2_CONTAINER(l, struct s2_table_route, in_table);

        if ((r->origin == S2SVPN_ORIGIN_PROPAGATED) == propagated &&
            s2_prefix_equal(&r->prefix, prefix))
            return r;
    }
    return NULL;
}

static uint64_t target_of(const s2svpn_route_table *t, const struct s2_table_route *r)
{
    if (r->blackhole)
        return s2_target_make(NULL, S2_TARGET_BLACKHOLE);
    if (r->origin == S2SVPN_ORIGIN_CREATE_ROUTE_TABLE)
        return s2_target_make(t->vpc, S2_TARGET_VPC);
    if (r->port)
        return s2_target_make(r->port, S2_TARGET_PORT);
    return s2_target_make(&r->vgw->router, S2_TARGET_ROUTER);
}

/* Local wins over what it covers, even if that is more specific (AWS's rule), so such
 * routes stay out of the FIB. */
bool s2_routes_hides(const s2svpn_route_table *t, const struct s2_table_route *r)
{
    const struct s2_vpc_block *b =
        r->origin == S2SVPN_ORIGIN_PROPAGATED ? s2_vpc_block_of(t->vpc, &r->prefix) : NULL;

    return b && s2_vpc_block_counts(b);
}

s2svpn_status s2_routes_publish(s2svpn_route_table *t, const s2svpn_prefix *prefix)
{
    const struct s2_table_route *r = s2_routes_find(t, prefix, false);

    if (r == NULL)
        r = s2_routes_find(t, prefix, true);
    if (r == NULL || s2_routes_hides(t, r)) {
        s2_fib_unset(t->fib, prefix);
        return S2SVPN_OK;
    }
    return s2_fib_set(t->fib, prefix, target_of(t, r));
}

void s2_routes_show(s2svpn_route_table *t, const s2svpn_prefix *prefix)
{
    if (s2_routes_publish(t, prefix) == S2SVPN_OK)
        return;
    s2_fib_unset(t->fib, prefix);
    if (t->vpc->vgw)
        s2_router_repair(&t->vpc->vgw->router);
}

s2svpn_status s2_routes_insert(s2svpn_route_table *t, const struct s2_table_route *route)
{
    struct s2_env *env = &t->object.ctx->env;
    struct s2_table_route *r;
    s2svpn_status rc;

    if (t->route_count >= ROUTES_MAX)
        return s2_fail(env, S2SVPN_E_LIMIT, "prefix", "%s has %d routes", t->object.id.text,
                       ROUTES_MAX);
    r = s2_alloc(env, sizeof(*r));
    if (r == NULL)
        return s2_fail(env, S2SVPN_E_MEMORY, "", "no memory for a route");
    *r = *route;
    s2_list_append(&t->routes, &r->in_table);
    t->route_count++;
    rc = s2_routes_publish(t, &r->prefix);
    if (rc != S2SVPN_OK) {
        s2_list_remove(&r->in_table);
        t->route_count--;
        s2_free(env, r);
        return s2_fail(env, rc, "", "no memory for a route");
    }
    return S2SVPN_OK;
}

void s2_routes_take_away(s2svpn_route_table *t, struct s2_table_route *r)
{
    const s2svpn_prefix prefix = r->prefix;

    s2_list_remove(&r->in_table);
    t->route_count--;
    s2_free(&t->object.ctx->env, r);
    s2_routes_show(t, &prefix);
    S2_LIST_EACH(&t->propagations, l) {
        if (t->wanting)
            s2_hub_catch_up(S2_CONTAINER(l, struct s2_propagation, in_table)->router);
    }
}

void s2_routes_clear(s2svpn_route_table *t)
{
    struct s2_link *l;

    while ((l = s2_list_take_first(&t->routes)) != NULL)
        s2_free(&t->object.ctx->env, S2_CONTAINER(l, struct s2_table_route, in_table));
    t->route_count = 0;
}

/* ---- local routes */

/* A block has come or gone: propagated routes inside it are hidden, or no more. */
static void show_inside(s2svpn_route_table *t, const s2svpn_prefix *block)
{
    S2_LIST_EACH(&t->routes, l) {
        const struct s2_table_route *r = S2_CONTAINER(l, struct s2_table_route, in_table);

        if (r->origin == S2SVPN_ORIGIN_PROPAGATED && s2_prefix_covers(block, &r->prefix))
            s2_routes_show(t, &r->prefix);
    }
}

s2svpn_status s2_routes_add_local(s2svpn_route_table *t, const s2svpn_prefix *prefix)
{
    const struct s2_table_route local = {.prefix = *prefix,
                                         .origin = S2SVPN_ORIGIN_CREATE_ROUTE_TABLE};
    s2svpn_status rc = s2_routes_insert(t, &local);

    if (rc == S2SVPN_OK)
        show_inside(t, prefix);
    return rc;
}

void s2_routes_remove_local(s2svpn_route_table *t, const s2svpn_prefix *prefix)
{
    struct s2_table_route *r = s2_routes_find(t, prefix, false);

    if (r && r->origin == S2SVPN_ORIGIN_CREATE_ROUTE_TABLE)
        s2_routes_take_away(t, r);
    show_inside(t, prefix);
}

/* ---- what is to be seen */

struct search {
    const s2svpn_prefix *prefix;
    bool found;
};

static bool overlaps(void *arg, const s2svpn_prefix *prefix, const struct s2_rib_path *path,
                     size_t count, bool best_usable)
{
    struct search *s = arg;

    s->found = count > 0 && best_usable && path[0].kind != S2_ROUTE_LOCAL &&
               s2_prefix_overlaps(prefix, s->prefix);
    return !s->found;
}

/* Has the gateway a path for it; for a part of it at least, since what is routed by
 * hand need not be a prefix that the gateway knows. */
static bool has_path(const struct s2_table_route *r)
{
    struct search s = {.prefix = &r->prefix};
    struct s2_rib_path best;

    if (r->vgw == NULL)
        return !r->blackhole;
    if (r->origin == S2SVPN_ORIGIN_PROPAGATED)
        return s2_rib_get(r->vgw->router.rib, &r->prefix, &best, 1) > 0 && best.usable;
    s2_rib_each(r->vgw->router.rib, overlaps, &s);
    return s.found;
}

/* Tunnels that carry what is propagated. */
static uint8_t count_paths(const struct s2_table_route *r)
{
    struct s2_rib_choice choice;

    if (r->vgw == NULL || r->origin != S2SVPN_ORIGIN_PROPAGATED)
        return 0;
    s2_rib_get_choice(r->vgw->router.rib, &r->prefix, &choice);
    return (uint8_t)choice.count;
}

static s2svpn_route show(const struct s2_table_route *r)
{
    s2svpn_route out = {
        .prefix = r->prefix,
        .origin = r->origin,
        .blackhole = r->blackhole,
        .usable = has_path(r),
        .paths = count_paths(r),
        .target_id = r->target_id,
    };

    if (r->origin == S2SVPN_ORIGIN_CREATE_ROUTE_TABLE)
        out.target = S2SVPN_TARGET_LOCAL;
    else if (r->vgw || strncmp(r->target_id.text, "vgw-", 4) == 0)
        out.target = S2SVPN_TARGET_GATEWAY;
    else
        out.target = S2SVPN_TARGET_PORT;
    return out;
}

static bool before(const s2svpn_route *a, const s2svpn_route *b)
{
    int order = s2_address_compare(&a->prefix.address, &b->prefix.address);

    if (order != 0)
        return order < 0;
    if (a->prefix.length != b->prefix.length)
        return a->prefix.length < b->prefix.length;
    return a->origin < b->origin;
}

/* Insertion into the caller's array, which stays sorted: tables are short. */
size_t s2svpn_route_table_list(const s2svpn_route_table *t, s2svpn_route *out, size_t max)
{
    size_t n = 0;

    S2_LIST_EACH(&t->routes, l) {
        const s2svpn_route r = show(S2_CONTAINER(l, struct s2_table_route, in_table));
        size_t i = n < max ? n : max;

        while (i > 0 && before(&r, &out[i - 1])) {
            if (i < max)
                out[i] = out[i - 1];
            i--;
        }
        if (i < max)
            out[i] = r;
        n++;
    }
    return n;
}

s2svpn_status s2svpn_route_table_lookup(const s2svpn_route_table *t, const s2svpn_address *a,
                                        s2svpn_route *out)
{
    const struct s2_table_route *best = NULL;

    S2_LIST_EACH(&t->routes, l) {
        const struct s2_table_route *r = S2_CONTAINER(l, struct s2_table_route, in_table);

        if (!s2_prefix_contains(&r->prefix, a) || s2_routes_hides(t, r))
            continue;
        if (best == NULL || r->prefix.length > best->prefix.length ||
            (r->prefix.length == best->prefix.length && r->origin < best->origin))
            best = r;
    }
    if (best == NULL)
        return s2_fail(&t->object.ctx->env, S2SVPN_E_NOT_FOUND, "address", "no route");
    *out = show(best);
    return S2SVPN_OK;
}
