/* SPDX-License-Identifier: Apache-2.0 */
/* Propagation of a gateway's routes into the route tables that asked for it, and what
 * becomes of routes whose gateway or port goes:
 *
 *   the entry appears at the prefix's first usable path, and goes with the prefix;
 *   that there is no usable path for a while doesn't touch it;
 *   manual routes stay, as blackholes, until their gateway is attached again.
 */
#include <string.h>

#include "vpn/route_list.h"

static void propagate(s2svpn_route_table *t, struct s2_router *r, const s2svpn_prefix *prefix)
{
    struct s2_table_route route = {
        .prefix = *prefix, .origin = S2SVPN_ORIGIN_PROPAGATED, .vgw = r->vgw};
    s2svpn_status rc;

    if (s2_routes_find(t, prefix, true))
        return;
    route.target_id = r->vgw->object.id;
    rc = s2_routes_insert(t, &route);
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
        struct s2_table_route *old = s2_routes_find(t, prefix, true);

        if (usable)
            propagate(t, r, prefix);
        else if (!present && old && old->vgw == r->vgw)
            s2_routes_take_away(t, old);
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
            s2_routes_take_away(t, r);
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

/* The entry is there already, so that another value for it needs no memory. */
static void blacken(s2svpn_route_table *t, struct s2_table_route *r)
{
    r->blackhole = true;
    r->vgw = NULL;
    r->port = NULL;
    s2_routes_show(t, &r->prefix);
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

/* Attached again: what was told by hand to go there goes there. Propagation is enabled
 * anew, or not, as people like. */
void s2_table_gateway_back(s2svpn_route_table *t, s2svpn_virtual_gateway *vgw)
{
    S2_LIST_EACH(&t->routes, l) {
        struct s2_table_route *r = S2_CONTAINER(l, struct s2_table_route, in_table);

        if (!r->blackhole || strcmp(r->target_id.text, vgw->object.id.text) != 0)
            continue;
        r->blackhole = false;
        r->vgw = vgw;
        s2_routes_show(t, &r->prefix);
    }
}

void s2_tables_repair(struct s2_router *r)
{
    if (r->vpc == NULL)
        return;
    S2_LIST_EACH(&r->vpc->tables, l) {
        s2svpn_route_table *t = S2_CONTAINER(l, s2svpn_route_table, in_vpc);

        S2_LIST_EACH(&t->routes, k)
            s2_routes_show(t, &S2_CONTAINER(k, struct s2_table_route, in_table)->prefix);
    }
}
