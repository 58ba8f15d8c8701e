/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Faults provoked on a gateway's tunnel: who does each of them, and how those that last
 * end. What each means to the device is said in s2svpn/fault.h.
 *
 *   BLACKHOLE    tunnel.blackhole, which workers and ike_link.c look at
 *   NO_DPD       ike.no_liveness: the IKE engine doesn't answer
 *   WITHDRAW     an export policy that lets nothing out; what is offered is kept behind it
 *   OVER_LIMIT   the session is stopped as by the prefix limit, and not started
 *
 * They belong to the tunnel and not to its SAs: they outlast its downs and changes, until
 * they are cleared or the tunnel goes. None is in the store.
 */
#include "s2svpn/fault.h"

#include <string.h>

#include "base/text.h"
#include "s2svpn/connection.h"
#include "vpn/vpn.h"

#define CEASE_RESET 4 /* RFC 4486 */
#define BIT(fault) (UINT32_C(1) << S2SVPN_FAULT_##fault)

static const s2svpn_bgp_policy nothing_leaves = {.size = sizeof(nothing_leaves),
                                                 .deny_others = true};

const char *s2svpn_fault_text(enum s2svpn_fault fault)
{
    static const char *const text[] = {
#define S2SVPN_FAULT_TEXT(name, word) word,
        S2SVPN_FAULT_LIST(S2SVPN_FAULT_TEXT)
#undef S2SVPN_FAULT_TEXT
    };

    return (unsigned)fault < S2SVPN_FAULTS ? text[fault] : "unknown";
}

static s2svpn_context *ctx_of(const s2svpn_tunnel *t)
{
    return t->connection->object.ctx;
}

static s2svpn_status nothing_there(const s2svpn_tunnel *t, const char *what)
{
    return s2_fail(&ctx_of(t)->env, S2SVPN_E_STATE, "", "tunnel %u has no %s", t->index + 1, what);
}

/* ---- IKE */

static s2svpn_status blackhole(s2svpn_tunnel *t)
{
    s2svpn_tunnel_set_blackhole(t, true);
    return S2SVPN_OK;
}

/* No Cease before: the device learns of it by IKE. */
static s2svpn_status delete (s2svpn_tunnel *t)
{
    static const char words[] = "deleted by this side, a fault";
    s2svpn_context *ctx = ctx_of(t);

    if (!t->sa_up)
        return nothing_there(t, "IKE SA");
    t->faults.rests = true;
    t->attempt.restart = false;
    s2_ike_terminate(ctx->ike, t, true, ctx->now_ns);
    s2_tunnel_ipsec_down(t, words, ctx->now_ns);
    s2_tunnel_rest(t, words);
    return S2SVPN_OK;
}

static s2svpn_status no_dpd(s2svpn_tunnel *t)
{
    t->ike.no_liveness = true;
    return S2SVPN_OK;
}

static s2svpn_status rekey_now(s2svpn_tunnel *t)
{
    const s2svpn_status rc = s2svpn_tunnel_rekey(t);

    if (rc == S2SVPN_OK)
        t->faults.rekey_ike = true;
    return rc;
}

void s2_fault_child_up(s2svpn_tunnel *t, uint64_t now_ns)
{
    s2svpn_context *ctx = ctx_of(t);

    if (!t->faults.rekey_ike)
        return;
    t->faults.rekey_ike = false;
    if (s2_ike_rekey_sa(ctx->ike, t, now_ns) != S2SVPN_OK)
        s2_log(&ctx->env, S2_LOG_INFO, "%s: its IKE SA is not rekeyed: %s", t->name,
               ctx->error.message);
}

/* ---- BGP */

static bool has_session(const s2svpn_tunnel *t)
{
    struct s2_bgp_info info;

    if (t->bgp == NULL)
        return false;
    s2_bgp_get_info(t->bgp, &info);
    return info.state == S2_BGP_ESTABLISHED;
}

const s2svpn_bgp_policy *s2_fault_export(const s2svpn_tunnel *t)
{
    return t->faults.withdraw ? &nothing_leaves : t->bgp_export;
}

static s2svpn_status bgp_reset(s2svpn_tunnel *t)
{
    if (!has_session(t))
        return nothing_there(t, "BGP session");
    s2_bgp_stop(t->bgp, CEASE_RESET, "", ctx_of(t)->now_ns);
    s2_bgp_start(t->bgp, ctx_of(t)->now_ns);
    return S2SVPN_OK;
}

static s2svpn_status set_withdraw(s2svpn_tunnel *t, bool on)
{
    s2svpn_status rc = S2SVPN_OK;

    t->faults.withdraw = on;
    if (t->bgp)
        rc = s2_bgp_set_policies(t->bgp, t->bgp_import, s2_fault_export(t), ctx_of(t)->now_ns);
    if (rc != S2SVPN_OK)
        t->faults.withdraw = !on;
    return rc;
}

static s2svpn_status withdraw(s2svpn_tunnel *t)
{
    return has_session(t) ? set_withdraw(t, true) : nothing_there(t, "BGP session");
}

static s2svpn_status over_limit(s2svpn_tunnel *t)
{
    if (!has_session(t))
        return nothing_there(t, "BGP session");
    t->faults.over_limit = true;
    s2_bgp_stop_over_limit(t->bgp, ctx_of(t)->now_ns);
    return S2SVPN_OK;
}

/* ---- all of them */

static s2svpn_status (*const provoke[S2SVPN_FAULTS])(s2svpn_tunnel *t) = {
    [S2SVPN_FAULT_BLACKHOLE] = blackhole,   [S2SVPN_FAULT_DELETE] = delete,
    [S2SVPN_FAULT_NO_DPD] = no_dpd,         [S2SVPN_FAULT_REKEY_NOW] = rekey_now,
    [S2SVPN_FAULT_BGP_RESET] = bgp_reset,   [S2SVPN_FAULT_WITHDRAW] = withdraw,
    [S2SVPN_FAULT_OVER_LIMIT] = over_limit, [S2SVPN_FAULT_MAINTENANCE] = s2svpn_tunnel_replace,
};

static s2svpn_status check(const s2svpn_tunnel *t, enum s2svpn_fault fault)
{
    const s2svpn_connection *c = t->connection;
    s2svpn_context *ctx = c->object.ctx;
    const s2svpn_status rc = s2_object_check(&c->object, "connection");

    if (rc != S2SVPN_OK)
        return rc;
    if ((unsigned)fault >= S2SVPN_FAULTS)
        return s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "fault", "there is no such fault");
    if (c->device)
        return s2_fail(&ctx->env, S2SVPN_E_STATE, "connection", "it is a device's");
    return S2SVPN_OK;
}

static void tell(s2svpn_tunnel *t, const char *what, const char *which)
{
    const s2svpn_event event = {.kind = S2SVPN_EVENT_NOTE, .tunnel = t->index, .reason = "fault"};

    s2_emit(ctx_of(t), &event, &t->connection->object, "tunnel %u: %s: %s", t->index + 1, what,
            which);
}

s2svpn_status s2svpn_tunnel_provoke(s2svpn_tunnel *t, enum s2svpn_fault fault)
{
    s2svpn_status rc;

    s2_enter(ctx_of(t), 0);
    rc = check(t, fault);
    if (rc == S2SVPN_OK && !(s2svpn_tunnel_faults(t) & UINT32_C(1) << fault)) {
        rc = provoke[fault](t);
        if (rc == S2SVPN_OK)
            tell(t, "fault provoked", s2svpn_fault_text(fault));
    }
    s2_leave(ctx_of(t));
    return rc;
}

uint32_t s2svpn_tunnel_faults(const s2svpn_tunnel *t)
{
    uint32_t bits = 0;

    if (atomic_load_explicit(&t->blackhole, memory_order_relaxed))
        bits |= BIT(BLACKHOLE);
    if (t->ike.no_liveness)
        bits |= BIT(NO_DPD);
    if (t->faults.withdraw)
        bits |= BIT(WITHDRAW);
    if (t->faults.over_limit)
        bits |= BIT(OVER_LIMIT);
    return bits;
}

static void end_bgp_faults(s2svpn_tunnel *t, uint64_t now_ns)
{
    const bool refused = t->faults.over_limit;

    t->faults.over_limit = false;
    if (t->faults.withdraw && set_withdraw(t, false) != S2SVPN_OK) {
        t->faults.withdraw = false; /* a new session needs no memory of the old one */
        s2_inside_restart(t, "no memory to announce again what was withdrawn", now_ns);
    } else if (refused && t->bgp) {
        s2_bgp_start(t->bgp, now_ns);
    }
}

static void tell_ended(s2svpn_tunnel *t, uint32_t ended)
{
    char words[96] = "";
    size_t len = 0;

    for (unsigned i = 0; i < S2SVPN_FAULTS; i++) {
        if (ended >> i & 1) {
            s2_print(words + len, sizeof(words) - len, "%s%s", len ? ", " : "",
                     s2svpn_fault_text((enum s2svpn_fault)i));
            len = strlen(words);
        }
    }
    if (ended)
        tell(t, "faults cleared", words);
}

void s2svpn_tunnel_clear_faults(s2svpn_tunnel *t)
{
    s2svpn_context *ctx = ctx_of(t);
    const uint32_t had = s2svpn_tunnel_faults(t);

    s2_enter(ctx, 0);
    s2svpn_tunnel_set_blackhole(t, false);
    t->ike.no_liveness = false;
    end_bgp_faults(t, ctx->now_ns);
    if (t->faults.rests) {
        t->faults.rests = false;
        s2_tunnel_retry_now(t, t->reason, ctx->now_ns);
    }
    if (t->connection->object.state == S2SVPN_STATE_AVAILABLE)
        tell_ended(t, had);
    s2_leave(ctx);
}
