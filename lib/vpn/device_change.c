/* SPDX-License-Identifier: Apache-2.0 */
/* One tunnel of a device's connection made as a newer document says: what may change, and
 * what does. */
#include <string.h>

#include "s2svpn/config.h"
#include "vpn/vpn.h"

/* ---- what may change */

static s2svpn_status refuse(const s2svpn_context *ctx, size_t index, const char *name)
{
    char field[S2SVPN_FIELD_SIZE];

    s2_print(field, sizeof(field), "tunnel[%zu].%s", index, name);
    return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, field, "can't change on a tunnel that is there");
}

static s2svpn_status check_bgp(const s2svpn_connection *c, size_t index,
                               const s2svpn_config_tunnel *fresh)
{
    const s2svpn_context *ctx = c->object.ctx;

    if (fresh->customer.asn != c->local_asn)
        return refuse(ctx, index, "customer.asn");
    if (fresh->gateway.asn != c->peer_asn)
        return refuse(ctx, index, "gateway.asn");
    if (fresh->customer.hold_time_s != c->hold_time_s)
        return refuse(ctx, index, "customer.hold_time_s");
    return S2SVPN_OK;
}

static s2svpn_status check(const s2svpn_connection *c, size_t index,
                           const s2svpn_device_config *config)
{
    s2svpn_context *ctx = c->object.ctx;
    s2svpn_status rc = s2_object_check(&c->object, "connection");

    if (rc != S2SVPN_OK)
        return rc;
    if (!c->device)
        return s2_fail(&ctx->env, S2SVPN_E_STATE, "connection", "it is not a device's");
    if (index >= c->tunnel_count)
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "index", "the connection has %zu tunnels",
                       c->tunnel_count);
    rc = s2_device_check(ctx, config);
    if (rc != S2SVPN_OK)
        return rc;
    if (strcmp(config->connection.text, c->object.id.text) != 0)
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "connection", "the document is another's");
    if (config->tunnel_count != c->tunnel_count)
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "tunnel_count", "the connection has %zu",
                       c->tunnel_count);
    if (config->static_routes != c->static_routes_only)
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "static_routes",
                       "the connection has %s routes", c->static_routes_only ? "static" : "BGP");
    if (config->tunnel[index].customer.inside.family != c->tunnel[index].inside_local.family)
        return refuse(ctx, index, "customer.inside");
    return c->static_routes_only ? S2SVPN_OK : check_bgp(c, index, &config->tunnel[index]);
}

/* ---- the change */

static s2svpn_status change(s2svpn_connection *c, size_t index, const s2svpn_device_config *config,
                            s2svpn_tunnel *fresh, bool *changed)
{
    s2svpn_tunnel *t = &c->tunnel[index];
    const uint64_t now_ns = c->object.ctx->now_ns;
    s2svpn_status rc = s2_device_fill(fresh, &config->tunnel[index], &c->device_options);

    if (rc != S2SVPN_OK || s2_tunnel_same(t, fresh))
        return rc;
    rc = s2_tunnel_prepare(t, fresh);
    if (rc != S2SVPN_OK)
        return rc;
    s2_tunnel_become(t, fresh, "its document has changed", now_ns);
    c->customer_gateway = config->customer_gateway;
    c->virtual_gateway = config->virtual_gateway;
    if (index == 0)
        c->customer_address = config->tunnel[0].customer.outside;
    *changed = true;
    return S2SVPN_OK;
}

s2svpn_status s2svpn_device_change_tunnel(s2svpn_connection *conn, size_t index,
                                          const s2svpn_device_config *config, bool *changed)
{
    s2svpn_context *ctx = conn->object.ctx;
    s2svpn_tunnel *fresh = NULL;
    bool done = false;
    s2svpn_status rc;

    s2_enter(ctx, 0);
    rc = check(conn, index, config);
    if (rc == S2SVPN_OK)
        fresh = s2_alloc(&ctx->env, sizeof(*fresh));
    if (fresh) {
        fresh->connection = conn;
        fresh->index = (unsigned)index;
        rc = change(conn, index, config, fresh, &done);
        s2_wipe(fresh, sizeof(*fresh));
        s2_free(&ctx->env, fresh);
    } else if (rc == S2SVPN_OK) {
        rc = s2_fail(&ctx->env, S2SVPN_E_MEMORY, "", "no memory for the change");
    }
    if (changed && rc == S2SVPN_OK)
        *changed = done;
    s2_leave(ctx);
    return rc;
}
