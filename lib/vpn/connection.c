/* SPDX-License-Identifier: Apache-2.0 */
/* Connections: two tunnels between a virtual gateway and a customer gateway, of either
 * side. How their tunnels are filled in: connection_new.c, device.c. */
#include "s2svpn/connection.h"

#include <string.h>

#include "vpn/vpn.h"

static s2svpn_connection *self(struct s2_object *o)
{
    return (s2svpn_connection *)(void *)o;
}

static void print(struct s2_buffer *b, const struct s2_object *o)
{
    const s2svpn_connection *c = (const s2svpn_connection *)(const void *)o;
    char text[S2SVPN_ADDRESS_TEXT];

    s2_record_text(b, "customer_gateway", c->customer_gateway.text);
    s2_record_text(b, "virtual_gateway", c->virtual_gateway.text);
    s2_record_number(b, "static_routes_only", c->static_routes_only);
    if (c->inside_version == 6)
        s2_record_number(b, "inside_ip_version", 6);
    S2_LIST_EACH(&c->static_routes, l)
        s2_record_prefix(b, "static_route",
                         &S2_CONTAINER(l, struct s2_static_route, in_connection)->prefix);
    for (size_t i = 0; i < c->tunnel_count; i++) {
        const s2svpn_tunnel *t = &c->tunnel[i];

        s2_record_number(b, "tunnel", i);
        s2_record_text(b, "outside_address", s2svpn_address_print(&t->ike.local.address, text));
        s2_record_prefix(b, "inside_cidr", &t->options.inside_cidr);
        if (c->inside_version == 6)
            s2_record_prefix(b, "inside_ipv6_cidr", &t->options.inside_ipv6_cidr);
        if (!s2_by_certificate(t))
            s2_record_text(b, "pre_shared_key", t->psk);
        s2_record_number(b, "phase1_lifetime_s", t->options.phase1_lifetime_s);
        s2_record_number(b, "phase2_lifetime_s", t->options.phase2_lifetime_s);
    }
}

void s2_connection_end(s2svpn_connection *c, uint64_t now_ns)
{
    for (size_t i = 0; i < c->tunnel_count; i++) {
        s2svpn_tunnel *t = &c->tunnel[i];

        if (t->phase != S2SVPN_TUNNEL_STOPPED)
            s2_tunnel_stop(t, now_ns);
        s2_rib_drop(c->router->rib, t, now_ns);
        s2_tunnel_clear(t);
    }
    if (!s2_list_empty(&c->in_router)) {
        s2_list_remove(&c->in_router);
        if (c->router->vgw)
            c->router->vgw->object.children--;
        if (c->cgw)
            c->cgw->object.children--;
    }
}

/* Tunnels that this side starts are started. */
static s2svpn_status ready(struct s2_object *o)
{
    s2svpn_connection *c = self(o);

    for (size_t i = 0; i < c->tunnel_count; i++) {
        if (c->tunnel[i].keep_up)
            s2_timer_set(&o->ctx->timers, &c->tunnel[i].retry, o->ctx->now_ns);
    }
    return S2SVPN_OK;
}

static void end(struct s2_object *o)
{
    s2_connection_end(self(o), o->ctx->now_ns);
}

static void destroy(struct s2_object *o)
{
    s2svpn_connection *c = self(o);
    struct s2_link *l;

    if (o->state != S2SVPN_STATE_DELETED) { /* the context ends, or it never began */
        for (size_t i = 0; i < c->tunnel_count; i++)
            s2_tunnel_clear(&c->tunnel[i]);
        s2_list_remove(&c->in_router);
    }
    while ((l = s2_list_take_first(&c->static_routes)) != NULL)
        s2_free(&o->ctx->env, S2_CONTAINER(l, struct s2_static_route, in_connection));
    s2_fib_free(c->sources);
    s2_fib_free(c->told);
    s2_free(&o->ctx->env, c);
}

static const struct s2_class class = {
    .kind = S2SVPN_KIND_CONNECTION,
    .prefix = "vpn",
    .size = sizeof(s2svpn_connection),
    .print = print,
    .ready = ready,
    .end = end,
    .destroy = destroy,
};

/* ---- local endpoints and pairs of outside addresses */

const s2svpn_endpoint *s2_local_find(const s2svpn_context *ctx, const s2svpn_address *a,
                                     uint8_t role)
{
    for (size_t i = 0; i < ctx->local_count; i++) {
        const s2svpn_endpoint *e = &ctx->local[i];

        if ((role == 0 || e->role == role) && s2_address_equal(&e->address, a))
            return e;
    }
    return NULL;
}

struct outside_pair {
    s2svpn_address local, remote;
};

static uint64_t hash_pair(const s2svpn_context *ctx, const struct outside_pair *pair)
{
    uint8_t bytes[34];

    bytes[0] = pair->local.family;
    bytes[1] = pair->remote.family;
    memcpy(bytes + 2, pair->local.bytes, 16);
    memcpy(bytes + 18, pair->remote.bytes, 16);
    return s2_siphash(ctx->env.hash_key, bytes, sizeof(bytes));
}

static bool has_pair(const struct s2_table_node *n, const void *key)
{
    const s2svpn_tunnel *t = S2_CONTAINER(n, s2svpn_tunnel, by_outside);
    const struct outside_pair *pair = key;

    return s2_address_equal(&t->ike.local.address, &pair->local) &&
           s2_address_equal(&t->ike.remote, &pair->remote);
}

s2svpn_tunnel *s2_tunnel_by_outside(const s2svpn_context *ctx, const s2svpn_address *local,
                                    const s2svpn_address *remote)
{
    const struct outside_pair pair = {*local, *remote};
    struct s2_table_node *n =
        s2_table_find(&ctx->by_outside, hash_pair(ctx, &pair), has_pair, &pair);

    return n ? S2_CONTAINER(n, s2svpn_tunnel, by_outside) : NULL;
}

/* One whose peer may come from anywhere is in no pair. */
static s2svpn_status list_pair(s2svpn_tunnel *t)
{
    s2svpn_context *ctx = t->connection->object.ctx;
    const struct outside_pair pair = {t->ike.local.address, t->ike.remote};
    s2svpn_status rc;

    if (!s2_can_start(t))
        return S2SVPN_OK;
    if (s2_tunnel_by_outside(ctx, &pair.local, &pair.remote))
        return s2_fail(&ctx->env, S2SVPN_E_EXISTS, "outside_address",
                       "another tunnel uses this pair of outside addresses");
    rc = s2_table_insert(&ctx->by_outside, &t->by_outside, hash_pair(ctx, &pair));
    if (rc != S2SVPN_OK)
        return s2_fail(&ctx->env, rc, "", "no room for another tunnel");
    t->listed = true;
    return S2SVPN_OK;
}

s2svpn_status s2_tunnel_list(s2svpn_tunnel *t)
{
    s2svpn_status rc = list_pair(t);

    if (rc == S2SVPN_OK && s2_by_certificate(t) && !t->connection->device)
        rc = s2_roaming_list(t);
    if (rc != S2SVPN_OK)
        s2_tunnel_unlist(t);
    return rc;
}

void s2_tunnel_unlist(s2svpn_tunnel *t)
{
    s2_roaming_unlist(t);
    if (t->listed)
        s2_table_remove(&t->connection->object.ctx->by_outside, &t->by_outside);
    t->listed = false;
}

/* ---- making, shared with devices */

s2svpn_status s2_connection_make(s2svpn_context *ctx, struct s2_router *router, const s2svpn_id *id,
                                 size_t tunnels, s2svpn_connection **out)
{
    s2svpn_connection *c;
    void *o;
    s2svpn_status rc = s2_object_new(ctx, &class, id, &o);

    if (rc != S2SVPN_OK)
        return rc;
    c = o;
    c->router = router;
    c->order = 2 * router->connections_made++;
    c->tunnel_count = tunnels;
    s2_list_init(&c->in_router);
    s2_list_init(&c->static_routes);
    for (size_t i = 0; i < 2; i++) {
        s2svpn_tunnel *t = &c->tunnel[i];

        t->connection = c;
        t->index = (unsigned)i;
        t->owner = ctx->next_owner++ % ctx->worker_count;
        s2_print(t->name, sizeof(t->name), "%s.%zu", c->object.id.text, i + 1);
        s2_tunnel_init(t);
    }
    rc = s2_fib_new(&ctx->env, &ctx->epochs, &c->sources);
    if (rc != S2SVPN_OK) {
        s2_object_discard(&c->object);
        return s2_fail(&ctx->env, rc, "", "no memory for a connection");
    }
    *out = c;
    return S2SVPN_OK;
}

s2svpn_status s2_connection_complete(s2svpn_connection *c)
{
    s2svpn_status rc = S2SVPN_OK;

    for (size_t i = 0; rc == S2SVPN_OK && i < c->tunnel_count; i++) {
        s2svpn_tunnel *t = &c->tunnel[i];
        const s2svpn_prefix peer = s2_host_prefix(&t->inside_remote);

        t->ike.owner = t;
        t->ike.name = t->name;
        rc = s2_tunnel_list(t);
        /* The peer's own inside address is a source too: its pings. */
        if (rc == S2SVPN_OK)
            rc = s2_fib_set(c->sources, &peer, 1);
    }
    if (rc != S2SVPN_OK) {
        s2_object_discard(&c->object);
        return rc;
    }
    rc = s2_object_create(&c->object);
    if (rc != S2SVPN_OK)
        return rc;
    s2_list_append(&c->router->connections, &c->in_router);
    if (c->router->vgw)
        c->router->vgw->object.children++;
    if (c->cgw)
        c->cgw->object.children++;
    return S2SVPN_OK;
}

/* ---- its life */

s2svpn_status s2svpn_connection_delete(s2svpn_connection *conn)
{
    return s2_object_delete_public(&conn->object);
}

s2svpn_status s2svpn_connection_hold(s2svpn_context *ctx, const char *id, s2svpn_connection **conn)
{
    void *o = NULL;
    s2svpn_status rc = s2_object_hold(ctx, S2SVPN_KIND_CONNECTION, id, &o);

    *conn = o;
    return rc;
}

void s2svpn_connection_release(s2svpn_connection *conn)
{
    if (conn)
        s2_object_release(&conn->object);
}

s2svpn_status s2svpn_connection_start(s2svpn_connection *c)
{
    s2svpn_context *ctx = c->object.ctx;
    s2svpn_status rc;

    s2_enter(ctx, 0);
    rc = s2_object_check(&c->object, "connection");
    if (rc == S2SVPN_OK && ctx->stopping)
        rc = s2_fail(&ctx->env, S2SVPN_E_STATE, "", "the context is being stopped");
    for (size_t i = 0; rc == S2SVPN_OK && i < c->tunnel_count; i++) {
        s2svpn_tunnel *t = &c->tunnel[i];

        t->ike.mute = false;
        t->attempt.tried = 0;
        t->faults.rests = false;
        t->keep_up =
            c->device ? t->options.startup_action == S2SVPN_STARTUP_START : s2_can_start(t);
        if (!t->keep_up && t->phase == S2SVPN_TUNNEL_STOPPED)
            s2_tunnel_set_phase(t, S2SVPN_TUNNEL_IDLE,
                                c->device ? "waits for the gateway to start it"
                                          : "waits for the device to start it");
        else if (t->keep_up && s2_list_empty(&t->children))
            s2_timer_set(&ctx->timers, &t->retry, ctx->now_ns);
    }
    s2_leave(ctx);
    return rc;
}

s2svpn_status s2svpn_connection_stop(s2svpn_connection *c)
{
    s2svpn_context *ctx = c->object.ctx;
    s2svpn_status rc;

    s2_enter(ctx, 0);
    rc = s2_object_check(&c->object, "connection");
    for (size_t i = 0; rc == S2SVPN_OK && i < c->tunnel_count; i++)
        s2_tunnel_stop(&c->tunnel[i], ctx->now_ns);
    s2_leave(ctx);
    return rc;
}

/* ---- static routes */

static struct s2_static_route *find_static(const s2svpn_connection *c, const s2svpn_prefix *prefix)
{
    S2_LIST_EACH(&c->static_routes, l) {
        struct s2_static_route *r = S2_CONTAINER(l, struct s2_static_route, in_connection);

        if (s2_prefix_equal(&r->prefix, prefix))
            return r;
    }
    return NULL;
}

static void unset_static(s2svpn_connection *c, const s2svpn_prefix *prefix)
{
    for (size_t i = 0; i < c->tunnel_count; i++)
        s2_rib_unset(c->router->rib, prefix, &c->tunnel[i], c->object.ctx->now_ns);
    s2_fib_unset(c->sources, prefix);
}

static s2svpn_status set_static(s2svpn_connection *c, const s2svpn_prefix *prefix)
{
    s2svpn_context *ctx = c->object.ctx;
    s2svpn_status rc = s2_fib_set(c->sources, prefix, 1);

    for (size_t i = 0; rc == S2SVPN_OK && i < c->tunnel_count; i++) {
        s2svpn_tunnel *t = &c->tunnel[i];
        const struct s2_rib_path path = {.source = t,
                                         .kind = S2_ROUTE_STATIC,
                                         .usable = t->up && !t->draining,
                                         .together = s2_paths_together(c),
                                         .order = c->order + t->index};

        rc = s2_rib_set(c->router->rib, prefix, &path, ctx->now_ns);
    }
    if (rc != S2SVPN_OK) {
        unset_static(c, prefix);
        return s2_fail(&ctx->env, rc, "", "no room for a route");
    }
    return S2SVPN_OK;
}

static s2svpn_status add_static(s2svpn_connection *c, const s2svpn_prefix *prefix)
{
    s2svpn_context *ctx = c->object.ctx;
    const s2svpn_prefix masked = s2_prefix_make(&prefix->address, prefix->length);
    struct s2_static_route *r;
    s2svpn_status rc = s2_object_check(&c->object, "connection");

    if (rc != S2SVPN_OK)
        return rc;
    if (!c->static_routes_only)
        return s2_fail(&ctx->env, S2SVPN_E_STATE, "", "the connection's routes come by BGP");
    if (c->device_options.external_bgp)
        return s2_fail(&ctx->env, S2SVPN_E_STATE, "", "the connection's routes are the host's");
    if (prefix->address.family != c->tunnel[0].inside_local.family ||
        !s2_prefix_equal(&masked, prefix))
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "prefix", "an IPv%u prefix without host bits",
                       c->inside_version);
    if (find_static(c, prefix))
        return s2_fail(&ctx->env, S2SVPN_E_EXISTS, "prefix", "the connection has it already");
    if (c->static_count >= ctx->limits.static_routes)
        return s2_fail(&ctx->env, S2SVPN_E_LIMIT, "prefix", "a connection has at most %u",
                       ctx->limits.static_routes);
    r = s2_alloc(&ctx->env, sizeof(*r));
    if (r == NULL)
        return s2_fail(&ctx->env, S2SVPN_E_MEMORY, "", "no memory for a route");
    rc = set_static(c, prefix);
    if (rc != S2SVPN_OK) {
        s2_free(&ctx->env, r);
        return rc;
    }
    r->prefix = *prefix;
    s2_list_append(&c->static_routes, &r->in_connection);
    c->static_count++;
    return S2SVPN_OK;
}

s2svpn_status s2svpn_connection_add_static_route(s2svpn_connection *c, const s2svpn_prefix *prefix)
{
    s2svpn_status rc;

    s2_enter(c->object.ctx, 0);
    rc = add_static(c, prefix);
    s2_leave(c->object.ctx);
    return rc;
}

s2svpn_status s2svpn_connection_remove_static_route(s2svpn_connection *c,
                                                    const s2svpn_prefix *prefix)
{
    s2svpn_context *ctx = c->object.ctx;
    struct s2_static_route *r;
    s2svpn_status rc;

    s2_enter(ctx, 0);
    rc = s2_object_check(&c->object, "connection");
    r = rc == S2SVPN_OK ? find_static(c, prefix) : NULL;
    if (r) {
        unset_static(c, prefix);
        s2_list_remove(&r->in_connection);
        c->static_count--;
        s2_free(&ctx->env, r);
    } else if (rc == S2SVPN_OK) {
        rc = s2_fail(&ctx->env, S2SVPN_E_NOT_FOUND, "prefix", "the connection hasn't got it");
    }
    s2_leave(ctx);
    return rc;
}

/* ---- what the host sees */

void s2svpn_connection_get_info(const s2svpn_connection *c, s2svpn_connection_info *out)
{
    s2svpn_connection_info info = {
        .size = out->size,
        .id = c->object.id,
        .state = c->object.state,
        .static_routes_only = c->static_routes_only,
        .device = c->device,
        .inside_ip_version = c->inside_version,
        .external_bgp = c->device_options.external_bgp,
        .customer_gateway = c->customer_gateway,
        .virtual_gateway = c->virtual_gateway,
        .customer_asn = c->device ? c->local_asn : c->peer_asn,
        .amazon_asn = c->device ? c->peer_asn : c->local_asn,
        .customer_address = c->customer_address,
    };

    for (size_t i = 0; i < c->tunnel_count; i++)
        info.up += c->tunnel[i].up;
    s2_info_copy(out, out->size, &info, sizeof(info));
}

s2svpn_tunnel *s2svpn_connection_tunnel(const s2svpn_connection *c, size_t index)
{
    return index < c->tunnel_count ? (s2svpn_tunnel *)(uintptr_t)&c->tunnel[index] : NULL;
}
