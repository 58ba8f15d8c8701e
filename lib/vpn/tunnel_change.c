/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tunnel becomes as another one that was filled in beside it, from a newer document or
 * newer options. It is closed and changed in place: who holds it, its counters and its
 * place in the routing table stay.
 */
#include <string.h>

#include "vpn/vpn.h"

/* ---- what has changed */

/* The sets are compared as offers: those in force may be the second one's. */
static bool same_options(const s2svpn_tunnel *a, const s2svpn_tunnel *b)
{
    s2svpn_tunnel_options x = a->options, y = b->options;

    x.pre_shared_key = y.pre_shared_key = NULL;
    x.log = y.log; /* nothing is closed for them */
    x.bgp_log = y.bgp_log;
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

bool s2_tunnel_same(const s2svpn_tunnel *a, const s2svpn_tunnel *b)
{
    return same_options(a, b) && same_pair(a, b) && a->ike.auth_by == b->ike.auth_by &&
           s2_secret_equal(&a->ike.psk, &b->ike.psk) &&
           s2_address_equal(&a->inside_local, &b->inside_local) &&
           s2_address_equal(&a->inside_remote, &b->inside_remote) &&
           same_id(&a->ike.local_id, &b->ike.local_id) &&
           same_id(&a->ike.remote_id, &b->ike.remote_id) && a->dpd_delay_s == b->dpd_delay_s &&
           a->dpd_timeout_s == b->dpd_timeout_s;
}

/* ---- the change */

/* All that can fail; last the new peer's inside address becomes a source. */
s2svpn_status s2_tunnel_prepare(const s2svpn_tunnel *t, const s2svpn_tunnel *fresh)
{
    const s2svpn_connection *c = t->connection;
    s2svpn_context *ctx = c->object.ctx;
    const s2svpn_prefix inside = s2_host_prefix(&fresh->inside_remote);
    s2svpn_status rc = S2SVPN_OK;

    if (!same_pair(t, fresh) &&
        s2_tunnel_by_outside(ctx, &fresh->attempt.ike.address, &fresh->ike.remote))
        return s2_fail(&ctx->env, S2SVPN_E_EXISTS, "outside_address",
                       "another tunnel uses this pair of outside addresses");
    if (t->roaming.joined && s2_roaming_crowded(fresh))
        return s2_fail(&ctx->env, S2SVPN_E_LIMIT, "options",
                       "too many sets of algorithms of tunnels without an address");
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
void s2_tunnel_shut(s2svpn_tunnel *t, const char *words, uint64_t now_ns)
{
    s2svpn_context *ctx = t->connection->object.ctx;

    s2_log_ike_closed(t, words);
    s2_inside_close(t, now_ns);
    s2_ike_terminate(ctx->ike, t, true, now_ns);
    s2_ike_forget(ctx->ike, &t->ike);
    t->sa_up = false;
    t->ike_algorithms[0] = 0;
    s2_peer_certificate_clear(t);
    s2_roaming_place(t, NULL, NULL);
    s2_tunnel_ipsec_down(t, words, now_ns);
}

static void adopt_ike(s2svpn_tunnel *t, const s2svpn_tunnel *fresh)
{
    const bool mute = t->ike.mute, no_liveness = t->ike.no_liveness;

    s2_secret_clear(&t->ike.psk);
    t->ike = fresh->ike;
    t->ike.owner = t;
    t->ike.name = t->name;
    t->ike.mute = mute;
    t->ike.no_liveness = no_liveness;
}

static void adopt(s2svpn_tunnel *t, const s2svpn_tunnel *fresh)
{
    s2svpn_context *ctx = t->connection->object.ctx;
    const s2svpn_prefix old_inside = s2_host_prefix(&t->inside_remote);
    const bool moves = !same_pair(t, fresh);

    if (!s2_address_equal(&t->inside_remote, &fresh->inside_remote))
        s2_fib_unset(t->connection->sources, &old_inside);
    if (moves)
        s2_tunnel_unlist(t);
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
    if (moves && s2_tunnel_list(t) != S2SVPN_OK)
        s2_log(&ctx->env, S2_LOG_ERROR, "%s: %s", t->name, ctx->error.message);
    s2_roaming_regroup(t);
}

static void start_anew(s2svpn_tunnel *t, const char *words, uint64_t now_ns)
{
    t->tries = 0;
    if (t->keep_up)
        s2_tunnel_retry_now(t, words, now_ns);
    else
        s2_tunnel_rest(t, t->ike.mute ? t->reason : words);
}

void s2_tunnel_become(s2svpn_tunnel *t, const s2svpn_tunnel *fresh, const char *words,
                      uint64_t now_ns)
{
    s2_tunnel_shut(t, words, now_ns);
    adopt(t, fresh);
    start_anew(t, words, now_ns);
}
