/* SPDX-License-Identifier: Apache-2.0 */
/* Route tables: the list that people see and the FIB that packets use. A prefix has at
 * most one local or manual entry and at most one propagated one; the FIB holds the
 * former if there is one. */
#include "s2svpn/route_table.h"

#include <string.h>

#include "vpn/vpn.h"

#define ROUTES_MAX 1100 /* local, 50 manual by AWS's quota and more, 1,000 propagated */

static s2svpn_route_table *self(struct s2_object *o)
{
    return (s2svpn_route_table *)(void *)o;
}

static void print(struct s2_buffer *b, const struct s2_object *o)
{
    const s2svpn_route_table *t = (const s2svpn_route_table *)(const void *)o;

    s2_record_text(b, "vpc", t->vpc->object.id.text);
    s2_record_number(b, "main", t->is_main);
    S2_LIST_EACH(&t->routes, l) {
        const struct s2_table_route *r = S2_CONTAINER(l, struct s2_table_route, in_table);

        if (r->origin != S2SVPN_ORIGIN_CREATE_ROUTE)
            continue;
        s2_record_prefix(b, "route", &r->prefix);
        s2_record_text(b, "target", r->target_id.text);
    }
    S2_LIST_EACH(&t->propagations, l) {
        const struct s2_propagation *p = S2_CONTAINER(l, struct s2_propagation, in_table);

        s2_record_text(b, "propagate", p->router->vgw->object.id.text);
    }
}

static struct s2_table_route *find(const s2svpn_route_table *t, const s2svpn_prefix *prefix,
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
static bool hidden_by_local(const s2svpn_route_table *t, const struct s2_table_route *r)
{
    return r->origin == S2SVPN_ORIGIN_PROPAGATED && s2_vpc_covers(t->vpc, &r->prefix);
}

/* Bring the FIB's entry of one prefix in line with the list. */
static s2svpn_status publish(s2svpn_route_table *t, const s2svpn_prefix *prefix)
{
    const struct s2_table_route *r = find(t, prefix, false);

    if (r == NULL)
        r = find(t, prefix, true);
    if (r == NULL || hidden_by_local(t, r)) {
        s2_fib_unset(t->fib, prefix);
        return S2SVPN_OK;
    }
    return s2_fib_set(t->fib, prefix, target_of(t, r));
}

static s2svpn_status add(s2svpn_route_table *t, const struct s2_table_route *route)
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
    rc = publish(t, &r->prefix);
    if (rc != S2SVPN_OK) {
        s2_list_remove(&r->in_table);
        t->route_count--;
        s2_free(env, r);
        return s2_fail(env, rc, "", "no memory for a route");
    }
    return S2SVPN_OK;
}

static void take_away(s2svpn_route_table *t, struct s2_table_route *r)
{
    const s2svpn_prefix prefix = r->prefix;

    s2_list_remove(&r->in_table);
    t->route_count--;
    s2_free(&t->object.ctx->env, r);
    if (publish(t, &prefix) != S2SVPN_OK)
        s2_fib_unset(t->fib, &prefix);
    S2_LIST_EACH(&t->propagations, l) {
        if (t->wanting)
            s2_hub_catch_up(S2_CONTAINER(l, struct s2_propagation, in_table)->router);
    }
}

static void free_routes(s2svpn_route_table *t)
{
    struct s2_link *l;

    while ((l = s2_list_take_first(&t->routes)) != NULL)
        s2_free(&t->object.ctx->env, S2_CONTAINER(l, struct s2_table_route, in_table));
    t->route_count = 0;
}

static void end(struct s2_object *o)
{
    s2svpn_route_table *t = self(o);

    while (!s2_list_empty(&t->propagations))
        s2_propagation_end(S2_CONTAINER(t->propagations.next, struct s2_propagation, in_table));
    free_routes(t);
    s2_list_remove(&t->in_vpc);
    if (t->is_main)
        t->vpc->main = NULL;
    else
        t->vpc->object.children--;
}

static void destroy(struct s2_object *o)
{
    s2svpn_route_table *t = self(o);

    if (!s2_list_empty(&t->in_vpc)) /* the context ends: nobody has called end */
        end(o);
    free_routes(t); /* it never began */
    s2_fib_free(t->fib);
    s2_free(&o->ctx->env, o);
}

static const struct s2_class class = {
    .kind = S2SVPN_KIND_ROUTE_TABLE,
    .prefix = "rtb",
    .size = sizeof(s2svpn_route_table),
    .print = print,
    .end = end,
    .destroy = destroy,
};

s2svpn_status s2_route_table_make(s2svpn_vpc *vpc, bool is_main, s2svpn_route_table **out)
{
    s2svpn_context *ctx = vpc->object.ctx;
    struct s2_table_route local = {.prefix = vpc->cidr, .origin = S2SVPN_ORIGIN_CREATE_ROUTE_TABLE};
    s2svpn_route_table *t;
    void *o;
    s2svpn_status rc = s2_object_new(ctx, &class, NULL, &o);

    if (rc != S2SVPN_OK)
        return rc;
    t = o;
    t->vpc = vpc;
    t->is_main = is_main;
    s2_list_init(&t->routes);
    s2_list_init(&t->propagations);
    s2_list_init(&t->in_vpc);
    rc = s2_fib_new(&ctx->env, &ctx->epochs, &t->fib);
    if (rc == S2SVPN_OK)
        rc = add(t, &local);
    local.prefix = vpc->ipv6_cidr;
    if (rc == S2SVPN_OK && local.prefix.address.family != S2SVPN_FAMILY_NONE)
        rc = add(t, &local);
    if (rc != S2SVPN_OK) {
        s2_object_discard(&t->object);
        return s2_fail(&ctx->env, rc, "", "no memory for a route table");
    }
    s2_list_append(&vpc->tables, &t->in_vpc);
    if (!is_main)
        vpc->object.children++;
    rc = s2_object_create(&t->object);
    if (rc == S2SVPN_OK)
        *out = t;
    return rc;
}

static void on_removed(struct s2_object *o, void *arg, s2svpn_status result)
{
    (void)arg;
    if (result != S2SVPN_OK)
        s2_log(&o->ctx->env, S2_LOG_ERROR, "%s stays in the store", o->id.text);
}

/* A main table goes when its VPC has gone; the store is told, and not asked. */
void s2_route_table_end(s2svpn_route_table *table)
{
    const struct s2_change change = {.object = &table->object, .remove = true, .apply = on_removed};

    if (s2_object_change(&change) != S2SVPN_OK)
        on_removed(&table->object, NULL, S2SVPN_E_STORE);
    s2_object_end(&table->object);
}

s2svpn_status s2svpn_route_table_new(s2svpn_vpc *vpc, s2svpn_route_table **out)
{
    s2svpn_status rc;

    s2_enter(vpc->object.ctx, 0);
    *out = NULL;
    rc = s2_object_check(&vpc->object, "vpc");
    if (rc == S2SVPN_OK)
        rc = s2_route_table_make(vpc, false, out);
    s2_leave(vpc->object.ctx);
    return rc;
}

s2svpn_status s2svpn_route_table_delete(s2svpn_route_table *t)
{
    if (t->is_main)
        return s2_fail(&t->object.ctx->env, S2SVPN_E_IN_USE, "", "%s is its VPC's main table",
                       t->object.id.text);
    return s2_object_delete_public(&t->object);
}

s2svpn_status s2svpn_route_table_hold(s2svpn_context *ctx, const char *id,
                                      s2svpn_route_table **table)
{
    void *o = NULL;
    s2svpn_status rc = s2_object_hold(ctx, S2SVPN_KIND_ROUTE_TABLE, id, &o);

    *table = o;
    return rc;
}

void s2svpn_route_table_release(s2svpn_route_table *table)
{
    if (table)
        s2_object_release(&table->object);
}

const char *s2svpn_route_table_id(const s2svpn_route_table *table)
{
    return table->object.id.text;
}

/* ---- association */

s2svpn_status s2svpn_route_table_associate(s2svpn_route_table *t, s2svpn_subnet *subnet)
{
    s2svpn_context *ctx = subnet->object.ctx;
    s2svpn_status rc;

    s2_enter(ctx, 0);
    rc = s2_object_check(&subnet->object, "subnet");
    if (rc == S2SVPN_OK && t)
        rc = s2_object_check(&t->object, "route_table");
    if (rc == S2SVPN_OK && t && t->vpc != subnet->vpc)
        rc = s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "subnet", "in another VPC than the table");
    if (rc == S2SVPN_OK) {
        s2svpn_route_table *old = subnet->table;

        subnet->table = t && !t->is_main ? t : NULL;
        if (subnet->table)
            subnet->table->object.children++;
        if (old)
            old->object.children--;
        S2_LIST_EACH(&subnet->ports, l)
            atomic_store_explicit(&S2_CONTAINER(l, s2svpn_port, in_subnet)->fib,
                                  s2_subnet_fib(subnet), memory_order_release);
    }
    s2_leave(ctx);
    return rc;
}

/* ---- propagation */

static void propagate(s2svpn_route_table *t, struct s2_router *r, const s2svpn_prefix *prefix)
{
    struct s2_table_route route = {
        .prefix = *prefix, .origin = S2SVPN_ORIGIN_PROPAGATED, .vgw = r->vgw};
    s2svpn_status rc;

    if (find(t, prefix, true))
        return;
    route.target_id = r->vgw->object.id;
    rc = add(t, &route);
    if (rc == S2SVPN_E_MEMORY)
        s2_router_repair(r);
    if (rc != S2SVPN_E_LIMIT)
        return;
    if (!t->wanting)
        s2_log(&r->ctx->env, S2_LOG_ERROR, "%s has no room for more propagated routes",
               t->object.id.text);
    t->wanting = true;
}

/* The entry appears at the prefix's first usable path, and goes with the prefix; that
 * there is no usable path for a while doesn't touch it. */
void s2_tables_route(struct s2_router *r, const s2svpn_prefix *prefix, bool present, bool usable)
{
    S2_LIST_EACH(&r->tables, l) {
        s2svpn_route_table *t = S2_CONTAINER(l, struct s2_propagation, in_router)->table;
        struct s2_table_route *old = find(t, prefix, true);

        if (usable)
            propagate(t, r, prefix);
        else if (!present && old && old->vgw == r->vgw)
            take_away(t, old);
    }
}

static bool propagate_existing(void *arg, const s2svpn_prefix *prefix,
                               const struct s2_rib_path *path, size_t count, bool best_usable)
{
    const struct s2_propagation *p = arg;

    /* Enabled while DOWN: nothing until UP. */
    if (best_usable && count > 0 && path[0].kind != S2_ROUTE_LOCAL)
        propagate(p->table, p->router, prefix);
    return true;
}

static struct s2_propagation *find_propagation(const s2svpn_route_table *t,
                                               const s2svpn_virtual_gateway *vgw)
{
    S2_LIST_EACH(&t->propagations, l) {
        struct s2_propagation *p = S2_CONTAINER(l, struct s2_propagation, in_table);

        if (p->router == &vgw->router)
            return p;
    }
    return NULL;
}

static s2svpn_status enable(s2svpn_route_table *t, s2svpn_virtual_gateway *vgw)
{
    struct s2_env *env = &t->object.ctx->env;
    struct s2_propagation *p;
    s2svpn_status rc = s2_object_check(&t->object, "route_table");

    if (rc != S2SVPN_OK)
        return rc;
    if (vgw->router.vpc != t->vpc)
        return s2_fail(env, S2SVPN_E_STATE, "virtual_gateway", "%s is not attached to %s",
                       vgw->object.id.text, t->vpc->object.id.text);
    if (find_propagation(t, vgw))
        return s2_fail(env, S2SVPN_E_EXISTS, "virtual_gateway", "%s propagates already",
                       vgw->object.id.text);
    p = s2_alloc(env, sizeof(*p));
    if (p == NULL)
        return s2_fail(env, S2SVPN_E_MEMORY, "", "no memory");
    p->table = t;
    p->router = &vgw->router;
    s2_list_append(&vgw->router.tables, &p->in_router);
    s2_list_append(&t->propagations, &p->in_table);
    s2_rib_each(vgw->router.rib, propagate_existing, p);
    return S2SVPN_OK;
}

s2svpn_status s2svpn_route_table_enable_propagation(s2svpn_route_table *t,
                                                    s2svpn_virtual_gateway *vgw)
{
    s2svpn_status rc;

    s2_enter(t->object.ctx, 0);
    rc = enable(t, vgw);
    s2_leave(t->object.ctx);
    return rc;
}

void s2_propagation_end(struct s2_propagation *p)
{
    s2svpn_route_table *t = p->table;

    s2_list_remove(&p->in_router);
    s2_list_remove(&p->in_table);
    S2_LIST_EACH(&t->routes, l) {
        struct s2_table_route *r = S2_CONTAINER(l, struct s2_table_route, in_table);

        if (r->origin == S2SVPN_ORIGIN_PROPAGATED && r->vgw == p->router->vgw)
            take_away(t, r);
    }
    s2_free(&t->object.ctx->env, p);
}

s2svpn_status s2svpn_route_table_disable_propagation(s2svpn_route_table *t,
                                                     s2svpn_virtual_gateway *vgw)
{
    s2svpn_context *ctx = t->object.ctx;
    struct s2_propagation *p;
    s2svpn_status rc = S2SVPN_OK;

    s2_enter(ctx, 0);
    p = find_propagation(t, vgw);
    if (p)
        s2_propagation_end(p);
    else
        rc = s2_fail(&ctx->env, S2SVPN_E_NOT_FOUND, "virtual_gateway", "%s doesn't propagate here",
                     vgw->object.id.text);
    s2_leave(ctx);
    return rc;
}

/* ---- targets that go */

static void blacken(s2svpn_route_table *t, struct s2_table_route *r)
{
    r->blackhole = true;
    r->vgw = NULL;
    r->port = NULL;
    if (publish(t, &r->prefix) != S2SVPN_OK)
        s2_fib_unset(t->fib, &r->prefix);
}

void s2_table_gateway_gone(s2svpn_route_table *t, const s2svpn_virtual_gateway *vgw)
{
    struct s2_propagation *p = find_propagation(t, vgw);

    if (p)
        s2_propagation_end(p);
    S2_LIST_EACH(&t->routes, l) {
        struct s2_table_route *r = S2_CONTAINER(l, struct s2_table_route, in_table);

        if (r->vgw == vgw)
            blacken(t, r);
    }
}

void s2_table_port_gone(s2svpn_route_table *t, const s2svpn_port *port)
{
    S2_LIST_EACH(&t->routes, l) {
        struct s2_table_route *r = S2_CONTAINER(l, struct s2_table_route, in_table);

        if (r->port == port)
            blacken(t, r);
    }
}

/* ---- manual routes */

static s2svpn_status check_manual(const s2svpn_route_table *t, const s2svpn_prefix *prefix,
                                  const s2svpn_virtual_gateway *vgw, const s2svpn_port *port)
{
    const struct s2_env *env = &t->object.ctx->env;
    const s2svpn_prefix masked = s2_prefix_make(&prefix->address, prefix->length);
    s2svpn_status rc = s2_object_check(&t->object, "route_table");

    if (rc != S2SVPN_OK)
        return rc;
    if (prefix->address.family == S2SVPN_FAMILY_NONE || !s2_prefix_equal(&masked, prefix))
        return s2_fail(env, S2SVPN_E_ARGUMENT, "prefix", "bits behind its length are not zero");
    if ((vgw == NULL) == (port == NULL))
        return s2_fail(env, S2SVPN_E_ARGUMENT, "target", "a gateway or a port, and not both");
    if (vgw && vgw->router.vpc != t->vpc)
        return s2_fail(env, S2SVPN_E_STATE, "virtual_gateway", "not attached to this VPC");
    if (port && (port->subnet == NULL || port->subnet->vpc != t->vpc))
        return s2_fail(env, S2SVPN_E_ARGUMENT, "port", "not in this VPC");
    if (find(t, prefix, false))
        return s2_fail(env, S2SVPN_E_EXISTS, "prefix", "there is a route for it");
    if (s2_vpc_covers(t->vpc, prefix))
        return s2_fail(env, S2SVPN_E_ARGUMENT, "prefix", "the local route stands for it");
    return S2SVPN_OK;
}

s2svpn_status s2svpn_route_table_add(s2svpn_route_table *t, const s2svpn_prefix *prefix,
                                     s2svpn_virtual_gateway *vgw, s2svpn_port *port)
{
    struct s2_table_route route = {
        .prefix = *prefix, .origin = S2SVPN_ORIGIN_CREATE_ROUTE, .vgw = vgw, .port = port};
    s2svpn_status rc;

    s2_enter(t->object.ctx, 0);
    rc = check_manual(t, prefix, vgw, port);
    if (rc == S2SVPN_OK) {
        route.target_id = vgw ? vgw->object.id : port->object.id;
        rc = add(t, &route);
    }
    s2_leave(t->object.ctx);
    return rc;
}

s2svpn_status s2svpn_route_table_remove(s2svpn_route_table *t, const s2svpn_prefix *prefix)
{
    s2svpn_context *ctx = t->object.ctx;
    struct s2_table_route *r;
    s2svpn_status rc = S2SVPN_OK;

    s2_enter(ctx, 0);
    r = find(t, prefix, false);
    if (r && r->origin == S2SVPN_ORIGIN_CREATE_ROUTE)
        take_away(t, r);
    else
        rc = s2_fail(&ctx->env, S2SVPN_E_NOT_FOUND, "prefix", "there is no manual route for it");
    s2_leave(ctx);
    return rc;
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

static s2svpn_route show(const struct s2_table_route *r)
{
    s2svpn_route out = {
        .prefix = r->prefix,
        .origin = r->origin,
        .blackhole = r->blackhole,
        .usable = has_path(r),
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

        if (!s2_prefix_contains(&r->prefix, a) || hidden_by_local(t, r))
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
