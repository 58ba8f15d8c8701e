/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The cloud side's tunnels changed while they are there, one at a time.
 *
 *   modify, replace ──> filled in anew, checked
 *                            │ the other tunnel is up, and BGP tells the device
 *                            ├── no ──────────────────────────> becomes it at once
 *                            ▼ yes
 *                       draining: the other one has the lower MED, and our own packets take
 *                       it; this one still takes what comes
 *                            │ DRAIN_NS
 *                            ▼
 *                       becomes it; up again: MEDs as usual
 */
#include "s2svpn/connection.h"
#include "vpn/vpn.h"

/* The device hears of the MED within a round trip, and moves when it has chosen anew: at
 * once in BIRD and FRR, within a few seconds where routes are scanned. */
#define DRAIN_NS (10 * S2_SECOND)

struct s2_tunnel_change {
    s2svpn_tunnel fresh; /* what t becomes */
    s2svpn_tunnel *t;
    const char *words;
    struct s2_timer due;
};

static s2svpn_context *ctx_of(const s2svpn_tunnel *t)
{
    return t->connection->object.ctx;
}

static s2svpn_tunnel *other(const s2svpn_tunnel *t)
{
    s2svpn_connection *c = t->connection;

    return c->tunnel_count > 1 ? &c->tunnel[1 - t->index] : NULL;
}

const s2svpn_tunnel_options *s2_tunnel_waiting(const s2svpn_tunnel *t)
{
    return t->change ? &t->change->fresh.options : NULL;
}

/* ---- preference */

static void set_med(s2svpn_tunnel *t, uint32_t med)
{
    if (t->med == med)
        return;
    t->med = med;
    s2_router_advertise_all(t->connection->router, t);
}

/* Packets go by the other tunnel, from both ends. */
static void drain(s2svpn_tunnel *t, uint64_t now_ns)
{
    const s2svpn_event event = {
        .kind = S2SVPN_EVENT_NOTE, .tunnel = t->index, .reason = "draining"};

    t->draining = true;
    s2_rib_set_usable(t->connection->router->rib, t, false, now_ns);
    if (other(t)->med >= t->med)
        set_med(other(t), t->med / 2);
    s2_emit(ctx_of(t), &event, &t->connection->object,
            "tunnel %u: about to be closed: its traffic moves to tunnel %u", t->index + 1,
            other(t)->index + 1);
}

void s2_tunnel_change_done(s2svpn_tunnel *t)
{
    if (!t->connection->device && other(t) && t->change == NULL)
        set_med(other(t), s2_tunnel_usual_med(other(t)));
}

/* ---- the change */

static void free_change(struct s2_tunnel_change *change, s2svpn_context *ctx)
{
    if (change == NULL)
        return;
    s2_wipe(change, sizeof(*change));
    s2_free(&ctx->env, change);
}

static void forget_change(s2svpn_tunnel *t)
{
    struct s2_tunnel_change *change = t->change;

    t->change = NULL;
    s2_timer_cancel(&ctx_of(t)->timers, &change->due);
    free_change(change, ctx_of(t));
}

void s2_tunnel_change_clear(s2svpn_tunnel *t)
{
    if (t->change)
        forget_change(t);
}

static void come_into_force(s2svpn_tunnel *t, uint64_t now_ns)
{
    const struct s2_tunnel_change *change = t->change;
    const bool starts = change->fresh.options.startup_action != t->options.startup_action
                            ? change->fresh.keep_up
                            : t->keep_up;

    t->draining = false;
    t->keep_up = starts;
    s2_tunnel_become(t, &change->fresh, change->words, now_ns);
    forget_change(t);
}

static void on_due(void *arg, uint64_t now_ns)
{
    struct s2_tunnel_change *change = arg;

    if (!ctx_of(change->t)->stopping)
        come_into_force(change->t, now_ns);
}

/* An inside address that was made a source for a change that doesn't come isn't one. */
static void withdraw_source(s2svpn_tunnel *t)
{
    const s2svpn_prefix inside = s2_host_prefix(&t->change->fresh.inside_remote);

    if (!s2_address_equal(&t->inside_remote, &t->change->fresh.inside_remote))
        s2_fib_unset(t->connection->sources, &inside);
}

static s2svpn_status check(const s2svpn_tunnel *t)
{
    const s2svpn_connection *c = t->connection;
    s2svpn_context *ctx = c->object.ctx;
    const s2svpn_status rc = s2_object_check(&c->object, "connection");

    if (rc != S2SVPN_OK)
        return rc;
    if (c->device)
        return s2_fail(&ctx->env, S2SVPN_E_STATE, "connection", "a device's follows its document");
    if (ctx->stopping)
        return s2_fail(&ctx->env, S2SVPN_E_STATE, "", "the context is being stopped");
    if (other(t) && other(t)->change)
        return s2_fail(&ctx->env, S2SVPN_E_STATE, "connection", "tunnel %u is about to be changed",
                       other(t)->index + 1);
    return S2SVPN_OK;
}

static bool may_drain(const s2svpn_tunnel *t)
{
    return s2_speaks_bgp(t->connection) && t->up && other(t) && other(t)->up;
}

/* Filled in and checked. */
static s2svpn_status make(s2svpn_tunnel *t, const s2svpn_tunnel_options *options, const char *words,
                          struct s2_tunnel_change **out)
{
    s2svpn_context *ctx = ctx_of(t);
    struct s2_tunnel_change *change = s2_alloc(&ctx->env, sizeof(*change));
    s2svpn_status rc;

    *out = NULL;
    if (change == NULL)
        return s2_fail(&ctx->env, S2SVPN_E_MEMORY, "", "no memory for the change");
    change->t = t;
    change->words = words;
    s2_timer_init(&change->due, on_due, change);
    rc = s2_connection_fill_anew(&change->fresh, t, options);
    if (rc == S2SVPN_OK)
        rc = s2_tunnel_prepare(t, &change->fresh);
    if (rc == S2SVPN_OK)
        *out = change;
    else
        free_change(change, ctx);
    return rc;
}

/* Takes the change over. */
static void begin(s2svpn_tunnel *t, struct s2_tunnel_change *change)
{
    s2svpn_context *ctx = ctx_of(t);

    if (t->change) {
        if (!s2_address_equal(&t->change->fresh.inside_remote, &change->fresh.inside_remote))
            withdraw_source(t);
        forget_change(t);
    }
    t->change = change;
    if (!t->draining && !may_drain(t)) {
        come_into_force(t, ctx->now_ns);
        return;
    }
    if (!t->draining)
        drain(t, ctx->now_ns);
    s2_timer_set(&ctx->timers, &change->due, s2_after(ctx->now_ns, DRAIN_NS));
}

s2svpn_status s2svpn_tunnel_modify(s2svpn_tunnel *t, const s2svpn_tunnel_options *options)
{
    struct s2_tunnel_change *change = NULL;
    s2svpn_status rc;

    s2_enter(ctx_of(t), 0);
    rc = check(t);
    if (rc == S2SVPN_OK)
        rc = make(t, options, "its options have changed", &change);
    if (change) { /* at once, whatever waits */
        t->options.log = change->fresh.options.log;
        t->options.bgp_log = change->fresh.options.bgp_log;
    }
    if (change && t->change == NULL && s2_tunnel_same(t, &change->fresh))
        free_change(change, ctx_of(t));
    else if (change)
        begin(t, change);
    s2_leave(ctx_of(t));
    return rc;
}

s2svpn_status s2svpn_tunnel_replace(s2svpn_tunnel *t)
{
    struct s2_tunnel_change *change = NULL;
    s2svpn_status rc;

    s2_enter(ctx_of(t), 0);
    rc = check(t);
    if (rc == S2SVPN_OK && t->change == NULL) /* one that waits does it as well */
        rc = make(t, &t->options, "its endpoint is replaced", &change);
    if (change)
        begin(t, change);
    s2_leave(ctx_of(t));
    return rc;
}

/* ---- both tunnels at once */

static s2svpn_status change_networks(s2svpn_connection *c)
{
    struct s2_tunnel_change *change[2] = {NULL, NULL};
    s2svpn_context *ctx = c->object.ctx;
    s2svpn_status rc = S2SVPN_OK;

    for (size_t i = 0; rc == S2SVPN_OK && i < c->tunnel_count; i++)
        rc = make(&c->tunnel[i], &c->tunnel[i].options, "its selectors have changed", &change[i]);
    for (size_t i = 0; i < c->tunnel_count; i++) {
        if (rc != S2SVPN_OK) {
            free_change(change[i], ctx);
            continue;
        }
        c->tunnel[i].change = change[i];
        come_into_force(&c->tunnel[i], ctx->now_ns);
    }
    return rc;
}

static s2svpn_status modify(s2svpn_connection *c, const s2svpn_prefix *local,
                            const s2svpn_prefix *remote)
{
    const s2svpn_prefix old_local = c->customer_network, old_remote = c->cloud_network;
    s2svpn_status rc = check(&c->tunnel[0]);

    if (rc == S2SVPN_OK && c->tunnel[0].change)
        rc = s2_fail(&c->object.ctx->env, S2SVPN_E_STATE, "connection",
                     "tunnel 1 is about to be changed");
    if (rc == S2SVPN_OK)
        rc = s2_connection_set_networks(c, local, remote);
    if (rc != S2SVPN_OK || (s2_prefix_equal(&c->customer_network, &old_local) &&
                            s2_prefix_equal(&c->cloud_network, &old_remote)))
        return rc;
    rc = change_networks(c);
    if (rc != S2SVPN_OK) {
        c->customer_network = old_local;
        c->cloud_network = old_remote;
    }
    return rc;
}

s2svpn_status s2svpn_connection_modify(s2svpn_connection *c, const s2svpn_prefix *local_network,
                                       const s2svpn_prefix *remote_network)
{
    s2svpn_status rc;

    s2_enter(c->object.ctx, 0);
    rc = modify(c, local_network, remote_network);
    s2_leave(c->object.ctx);
    return rc;
}
