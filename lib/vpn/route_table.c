/* SPDX-License-Identifier: Apache-2.0 */
/* Route tables as objects: made and ended, which subnets use them, which is the main one,
 * and manual routes. */
#include "s2svpn/route_table.h"

#include "vpn/route_list.h"

static s2svpn_route_table *self(struct s2_object *o)
{
    return (s2svpn_route_table *)(void *)o;
}

static void print(struct s2_buffer *b, const struct s2_object *o)
{
    const s2svpn_route_table *t = (const s2svpn_route_table *)(const void *)o;

    s2_record_text(b, "vpc", t->vpc->object.id.text);
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

static void end(struct s2_object *o)
{
    s2svpn_route_table *t = self(o);

    while (!s2_list_empty(&t->propagations))
        s2_propagation_end(S2_CONTAINER(t->propagations.next, struct s2_propagation, in_table));
    s2_routes_clear(t);
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
    s2_routes_clear(t); /* it never began */
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
    S2_LIST_EACH(&vpc->blocks, l) {
        const struct s2_vpc_block *block = S2_CONTAINER(l, struct s2_vpc_block, in_vpc);

        if (rc == S2SVPN_OK && s2_vpc_block_counts(block))
            rc = s2_routes_add_local(t, &block->prefix);
    }
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

/* ---- which subnets use it */

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
        if (t)
            t->object.children++;
        if (subnet->table)
            subnet->table->object.children--;
        subnet->table = t;
        s2_subnet_publish(subnet);
    }
    s2_leave(ctx);
    return rc;
}

/* The VPC's record says which table is main, so that one transaction changes it. The VPC
 * has a handle on its main table, and counts the others as children. */
static void swap_main(s2svpn_vpc *vpc, s2svpn_route_table *t)
{
    s2svpn_route_table *old = vpc->main;

    old->is_main = false;
    t->is_main = true;
    t->object.handles++;
    vpc->main = t;
    S2_LIST_EACH(&vpc->subnets, l)
        s2_subnet_publish(S2_CONTAINER(l, s2svpn_subnet, in_vpc));
    s2_object_release(&old->object);
}

static void print_main(struct s2_buffer *b, struct s2_object *vpc, void *arg)
{
    (void)arg;
    s2_vpc_print(b, vpc);
}

static void apply_main(struct s2_object *o, void *arg, s2svpn_status result)
{
    s2svpn_vpc *vpc = (s2svpn_vpc *)(void *)o;
    s2svpn_route_table *t = vpc->next_main;

    (void)arg;
    vpc->next_main = NULL;
    t->object.children--;
    if (result == S2SVPN_OK)
        swap_main(vpc, t);
}

/* While the store hasn't answered, the table may not go. */
static s2svpn_status set_main(s2svpn_route_table *t)
{
    struct s2_change change = {.print = print_main, .apply = apply_main};
    s2svpn_vpc *vpc;
    s2svpn_status rc = s2_object_check(&t->object, "route_table");

    if (rc != S2SVPN_OK) /* its VPC may have gone */
        return rc;
    vpc = t->vpc;
    change.object = &vpc->object;
    rc = s2_object_check(&vpc->object, "vpc");
    if (rc != S2SVPN_OK || t->is_main)
        return rc;
    if (vpc->next_main)
        return s2_fail(&vpc->object.ctx->env, S2SVPN_E_STATE, "route_table",
                       "%s is becoming the main table", vpc->next_main->object.id.text);
    vpc->next_main = t;
    t->object.children++;
    rc = s2_object_change(&change);
    if (rc != S2SVPN_OK) {
        vpc->next_main = NULL;
        t->object.children--;
    }
    return rc;
}

s2svpn_status s2svpn_route_table_set_main(s2svpn_route_table *t)
{
    s2svpn_status rc;

    s2_enter(t->object.ctx, 0);
    rc = set_main(t);
    s2_leave(t->object.ctx);
    return rc;
}

void s2svpn_route_table_get_info(const s2svpn_route_table *t, s2svpn_route_table_info *out)
{
    s2svpn_route_table_info info = {
        .size = out->size,
        .id = t->object.id,
        .state = t->object.state,
        .routes = (uint32_t)t->route_count,
    };

    if (t->object.state != S2SVPN_STATE_DELETED) {
        info.vpc = t->vpc->object.id;
        info.main = t->is_main;
        S2_LIST_EACH(&t->vpc->subnets, l)
            info.associations += S2_CONTAINER(l, s2svpn_subnet, in_vpc)->table == t;
    }
    S2_LIST_EACH(&t->propagations, l)
        info.propagating = S2_CONTAINER(l, struct s2_propagation, in_table)->router->vgw->object.id;
    s2_info_copy(out, out->size, &info, sizeof(info));
}

/* ---- manual routes */

static s2svpn_status check_manual(const s2svpn_route_table *t, const s2svpn_prefix *prefix,
                                  const s2svpn_virtual_gateway *vgw, const s2svpn_port *port)
{
    const struct s2_env *env = &t->object.ctx->env;
    s2svpn_status rc = s2_object_check(&t->object, "route_table");

    if (rc != S2SVPN_OK)
        return rc;
    if (prefix->address.family == S2SVPN_FAMILY_NONE || s2_prefix_has_host_bits(prefix))
        return s2_fail(env, S2SVPN_E_ARGUMENT, "prefix", "bits behind its length are not zero");
    if ((vgw == NULL) == (port == NULL))
        return s2_fail(env, S2SVPN_E_ARGUMENT, "target", "a gateway or a port, and not both");
    if (vgw && vgw->router.vpc != t->vpc)
        return s2_fail(env, S2SVPN_E_STATE, "virtual_gateway", "not attached to this VPC");
    if (port && (port->subnet == NULL || port->subnet->vpc != t->vpc))
        return s2_fail(env, S2SVPN_E_ARGUMENT, "port", "not in this VPC");
    return port ? s2_object_check(&port->object, "port") : S2SVPN_OK;
}

static s2svpn_status add(s2svpn_route_table *t, const struct s2_table_route *route)
{
    const struct s2_env *env = &t->object.ctx->env;
    s2svpn_status rc = check_manual(t, &route->prefix, route->vgw, route->port);

    if (rc != S2SVPN_OK)
        return rc;
    if (s2_routes_find(t, &route->prefix, false))
        return s2_fail(env, S2SVPN_E_EXISTS, "prefix", "there is a route for it");
    if (s2_vpc_block_of(t->vpc, &route->prefix))
        return s2_fail(env, S2SVPN_E_ARGUMENT, "prefix", "the local route stands for it");
    return s2_routes_insert(t, route);
}

/* The FIB has an entry, whose value is stored over: no memory is needed. */
static s2svpn_status replace(s2svpn_route_table *t, const struct s2_table_route *route)
{
    struct s2_table_route *r = s2_routes_find(t, &route->prefix, false);
    s2svpn_status rc = check_manual(t, &route->prefix, route->vgw, route->port);

    if (rc != S2SVPN_OK)
        return rc;
    if (r == NULL || r->origin != S2SVPN_ORIGIN_CREATE_ROUTE)
        return s2_fail(&t->object.ctx->env, S2SVPN_E_NOT_FOUND, "prefix",
                       "there is no manual route for it");
    r->vgw = route->vgw;
    r->port = route->port;
    r->blackhole = false;
    r->target_id = route->target_id;
    s2_routes_show(t, &r->prefix);
    return S2SVPN_OK;
}

/* A route to be, checked by what takes it. */
static struct s2_table_route manual(const s2svpn_prefix *prefix, s2svpn_virtual_gateway *vgw,
                                    s2svpn_port *port)
{
    struct s2_table_route route = {
        .prefix = *prefix, .origin = S2SVPN_ORIGIN_CREATE_ROUTE, .vgw = vgw, .port = port};

    if (vgw)
        route.target_id = vgw->object.id;
    else if (port)
        route.target_id = port->object.id;
    return route;
}

s2svpn_status s2svpn_route_table_add(s2svpn_route_table *t, const s2svpn_prefix *prefix,
                                     s2svpn_virtual_gateway *vgw, s2svpn_port *port)
{
    const struct s2_table_route route = manual(prefix, vgw, port);
    s2svpn_status rc;

    s2_enter(t->object.ctx, 0);
    rc = add(t, &route);
    s2_leave(t->object.ctx);
    return rc;
}

s2svpn_status s2svpn_route_table_replace(s2svpn_route_table *t, const s2svpn_prefix *prefix,
                                         s2svpn_virtual_gateway *vgw, s2svpn_port *port)
{
    const struct s2_table_route route = manual(prefix, vgw, port);
    s2svpn_status rc;

    s2_enter(t->object.ctx, 0);
    rc = replace(t, &route);
    s2_leave(t->object.ctx);
    return rc;
}

s2svpn_status s2svpn_route_table_remove(s2svpn_route_table *t, const s2svpn_prefix *prefix)
{
    s2svpn_context *ctx = t->object.ctx;
    struct s2_table_route *r;
    s2svpn_status rc = S2SVPN_OK;

    s2_enter(ctx, 0);
    r = s2_routes_find(t, prefix, false);
    if (r && r->origin == S2SVPN_ORIGIN_CREATE_ROUTE)
        s2_routes_take_away(t, r);
    else
        rc = s2_fail(&ctx->env, S2SVPN_E_NOT_FOUND, "prefix", "there is no manual route for it");
    s2_leave(ctx);
    return rc;
}
