/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One tunnel of a device's connection made as a newer document says. The new tunnel is
 * filled in beside the old one and compared; only if it differs is the old one closed and
 * changed, in place: who holds it, its counters and its place in the routing table stay.
 */
#include <string.h>

#include "s2svpn/config.h"
#include "vpn/vpn.h"

static const char changed_words[] = "its document has changed";

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

/* ---- what has changed */

/* The sets are compared as offers: those in force may be the second one's. */
static bool same_options(const s2svpn_tunnel *a, const s2svpn_tunnel *b)
{
    s2svpn_tunnel_options x = a->options, y = b->options;

    x.pre_shared_key = y.pre_shared_key = NULL;
    x.phase1_encryption = y.phase1_encryption;
    x.phase2_encryption = y.phase2_encryption;
    x.phase1_integrity = y.phase1_integrity;
    x.phase2_integrity = y.phase2_integrity;
    x.phase1_dh_groups = y.phase1_dh_groups;
    x.phase2_dh_groups = y.phase2_dh_groups;
    return memcmp(&x, &y, sizeof(x)) == 0 &&
           memcmp(a->attempt.offer, b->attempt.offer, sizeof(a->attempt.offer)) == 0;
}

static bool same_id(const struct s2_ike_id *a, const struct s2_ike_id *b)
{
    return a->type == b->type && a->len == b->len && memcmp(a->data, b->data, a->len) == 0;
}

static bool same_pair(const s2svpn_tunnel *a, const s2svpn_tunnel *b)
{
    return s2_address_equal(&a->attempt.ike.address, &b->attempt.ike.address) &&
           s2_address_equal(&a->ike.remote, &b->ike.remote);
}

static bool same(const s2svpn_tunnel *a, const s2svpn_tunnel *b)
{
    return same_options(a, b) && same_pair(a, b) && s2_secret_equal(&a->ike.psk, &b->ike.psk) &&
           s2_address_equal(&a->inside_local, &b->inside_local) &&
           s2_address_equal(&a->inside_remote, &b->inside_remote) &&
           same_id(&a->ike.local_id, &b->ike.local_id) &&
           same_id(&a->ike.remote_id, &b->ike.remote_id) && a->dpd_delay_s == b->dpd_delay_s &&
           a->dpd_timeout_s == b->dpd_timeout_s;
}

/* ---- the change */

/* All that can fail; last the new peer's inside address becomes a source. */
static s2svpn_status prepare(const s2svpn_tunnel *t, const s2svpn_tunnel *fresh)
{
    const s2svpn_connection *c = t->connection;
    s2svpn_context *ctx = c->object.ctx;
    const s2svpn_prefix inside = s2_host_prefix(&fresh->inside_remote);
    s2svpn_status rc = S2SVPN_OK;

    if (!same_pair(t, fresh) &&
        s2_tunnel_by_outside(ctx, &fresh->attempt.ike.address, &fresh->ike.remote))
        return s2_fail(&ctx->env, S2SVPN_E_EXISTS, "outside_address",
                       "another tunnel uses this pair of outside addresses");
    for (size_t i = 0; i < c->tunnel_count; i++) {
        if (i != t->index &&
            s2_prefix_overlaps(s2_tunnel_inside(&c->tunnel[i]), s2_tunnel_inside(fresh)))
            return s2_fail(&ctx->env, S2SVPN_E_EXISTS, "inside_cidr", "the other tunnel uses it");
    }
    if (!s2_address_equal(&t->inside_remote, &fresh->inside_remote))
        rc = s2_fib_set(c->sources, &inside, 1);
    return rc == S2SVPN_OK ? rc : s2_fail(&ctx->env, rc, "", "no memory for the change");
}

/* The peer is told once. Whether it hears it or not, the next IKE SA says that it is the
 * first one; so the engine needn't wait for an answer, with what is about to change. */
static void shut(s2svpn_tunnel *t, uint64_t now_ns)
{
    s2svpn_context *ctx = t->connection->object.ctx;

    s2_inside_close(t, now_ns);
    s2_ike_terminate(ctx->ike, t, true, now_ns);
    s2_ike_forget(ctx->ike, &t->ike);
    t->sa_up = false;
    t->ike_algorithms[0] = 0;
    s2_tunnel_ipsec_down(t, changed_words, now_ns);
}

static void adopt_ike(s2svpn_tunnel *t, const s2svpn_tunnel *fresh)
{
    const bool mute = t->ike.mute;

    s2_secret_clear(&t->ike.psk);
    t->ike = fresh->ike;
    t->ike.owner = t;
    t->ike.name = t->name;
    t->ike.mute = mute;
}

static void adopt(s2svpn_tunnel *t, const s2svpn_tunnel *fresh)
{
    s2svpn_context *ctx = t->connection->object.ctx;
    const s2svpn_prefix old_inside = s2_host_prefix(&t->inside_remote);
    const bool moves = !same_pair(t, fresh);

    if (!s2_address_equal(&t->inside_remote, &fresh->inside_remote))
        s2_fib_unset(t->connection->sources, &old_inside);
    if (moves)
        s2_table_remove(&ctx->by_outside, &t->by_outside);
    if (moves)
        t->outside_mtu = S2_OUTSIDE_MTU;
    s2_wipe(t->psk, sizeof(t->psk));
    memcpy(t->psk, fresh->psk, sizeof(t->psk));
    t->options = fresh->options;
    t->dpd_delay_s = fresh->dpd_delay_s;
    t->dpd_timeout_s = fresh->dpd_timeout_s;
    if (!s2_address_equal(&t->inside_local, &fresh->inside_local))
        t->inside_local = fresh->inside_local; /* workers look at it */
    t->inside_remote = fresh->inside_remote;
    adopt_ike(t, fresh);
    s2_attempt_adopt(t, &fresh->attempt);
    /* One went, so there is room for one. */
    t->listed = !moves || s2_tunnel_list(t) == S2SVPN_OK;
}

static void start_anew(s2svpn_tunnel *t, uint64_t now_ns)
{
    t->tries = 0;
    if (t->keep_up)
        s2_tunnel_retry_now(t, changed_words, now_ns);
    else
        s2_tunnel_rest(t, t->ike.mute ? t->reason : changed_words);
}

static s2svpn_status change(s2svpn_connection *c, size_t index, const s2svpn_device_config *config,
                            s2svpn_tunnel *fresh, bool *changed)
{
    s2svpn_tunnel *t = &c->tunnel[index];
    const uint64_t now_ns = c->object.ctx->now_ns;
    s2svpn_status rc = s2_device_fill(fresh, &config->tunnel[index], &c->device_options);

    if (rc != S2SVPN_OK || same(t, fresh))
        return rc;
    rc = prepare(t, fresh);
    if (rc != S2SVPN_OK)
        return rc;
    shut(t, now_ns);
    adopt(t, fresh);
    c->customer_gateway = config->customer_gateway;
    c->virtual_gateway = config->virtual_gateway;
    if (index == 0)
        c->customer_address = config->tunnel[0].customer.outside;
    start_anew(t, now_ns);
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
