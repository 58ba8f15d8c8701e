/* SPDX-License-Identifier: Apache-2.0 */
/* The life of a tunnel: tried, up, down, tried again.
 *
 *   IDLE ── start ──> NEGOTIATING ── child up ──> IPSEC_UP ── BGP or none ────> UP
 *                        │    ▲                       │                          │
 *                  fails │    │ back-off, jitter      └────── IPsec down ────────┘
 *                        ▼    │                                   │
 *                       WAITING <─────────────────────────────────┘ (if we start it)
 *
 * A tunnel that this side starts is tried for ever, and says why it isn't up; of many that
 * start at once some are WAITING for their turn (pace.c). One that
 * the other side starts goes back to IDLE. STOPPED answers nobody.
 */
#include "s2svpn/tunnel.h"

#include <string.h>

#include "vpn/vpn.h"

#define FIRST_RETRY_NS (1 * S2_SECOND)
#define LAST_RETRY_NS (60 * S2_SECOND)
#define SETTLE_NS (3 * S2_SECOND) /* the peer asks again after two if our answer was lost */

const char *s2svpn_tunnel_phase_text(enum s2svpn_tunnel_phase phase)
{
    static const char *const text[] = {
#define S2SVPN_TUNNEL_PHASE_TEXT(name, words) words,
        S2SVPN_TUNNEL_PHASE_LIST(S2SVPN_TUNNEL_PHASE_TEXT)
#undef S2SVPN_TUNNEL_PHASE_TEXT
    };

    if ((unsigned)phase >= sizeof(text) / sizeof(text[0]))
        return "unknown";
    return text[phase];
}

static s2svpn_context *ctx_of(const s2svpn_tunnel *t)
{
    return t->connection->object.ctx;
}

void s2_tunnel_set_phase(s2svpn_tunnel *t, enum s2svpn_tunnel_phase phase, const char *reason)
{
    const s2svpn_event event = {.kind = S2SVPN_EVENT_TUNNEL,
                                .tunnel = t->index,
                                .up = phase == S2SVPN_TUNNEL_UP,
                                .reason = s2svpn_tunnel_phase_text(phase)};

    if (phase == S2SVPN_TUNNEL_UP)
        reason = "";
    if (reason != t->reason)
        s2_copy_text(t->reason, sizeof(t->reason), reason);
    if (t->phase == phase)
        return;
    t->phase = (uint8_t)phase;
    if (phase != S2SVPN_TUNNEL_NEGOTIATING && phase != S2SVPN_TUNNEL_WAITING)
        s2_pace_leave(t);
    s2_attempt_on_phase(t);
    s2_emit(ctx_of(t), &event, &t->connection->object, "tunnel %u: %s%s%s", t->index + 1,
            s2svpn_tunnel_phase_text(phase), reason[0] ? ": " : "", reason);
}

/* Does this side start it? */
static bool is_ours(const s2svpn_tunnel *t)
{
    return !t->faults.rests && (t->keep_up || t->attempt.restart) && s2_can_start(t);
}

static void on_retry(void *arg, uint64_t now_ns)
{
    s2svpn_tunnel *t = arg;

    if (!is_ours(t) || ctx_of(t)->stopping || !s2_list_empty(&t->children))
        return;
    if (s2_pace_ask(t, now_ns))
        s2_tunnel_start(t, now_ns);
    else
        s2_tunnel_set_phase(t, S2SVPN_TUNNEL_WAITING,
                            t->reason[0] ? t->reason : "waits for its turn to start");
}

static void on_settle(void *arg, uint64_t now_ns)
{
    const s2svpn_tunnel *t = arg;

    s2_rib_set_usable(t->connection->router->rib, t, t->up && !t->draining, now_ns);
}

void s2_tunnel_init(s2svpn_tunnel *t)
{
    s2_list_init(&t->children);
    s2_timer_init(&t->retry, on_retry, t);
    s2_timer_init(&t->settle, on_settle, t);
    s2_list_init(&t->pace_link);
    s2_attempt_init(t);
    atomic_init(&t->out, NULL);
    atomic_init(&t->port, NULL);
    atomic_init(&t->mtu, 1400);
    s2_path_init(t);
    s2_fragments_init(t);
}

void s2_tunnel_clear(s2svpn_tunnel *t)
{
    s2svpn_context *ctx = ctx_of(t);

    s2_timer_cancel(&ctx->timers, &t->retry);
    s2_timer_cancel(&ctx->timers, &t->settle);
    s2_timer_cancel(&ctx->timers, &t->attempt.watch);
    s2_pace_leave(t);
    s2_tunnel_change_clear(t);
    if (ctx->ike)
        s2_ike_forget(ctx->ike, &t->ike);
    s2_path_clear(t);
    s2_fragments_clear(t);
    s2_children_clear(t);
    s2_inside_free(t);
    s2_bgp_policies_clear(t);
    s2_tunnel_log_clear(t);
    s2_tunnel_unlist(t);
    s2_peer_certificate_clear(t);
    s2_secret_clear(&t->ike.psk);
    s2_wipe(t->psk, sizeof(t->psk));
}

void s2_tunnel_start(s2svpn_tunnel *t, uint64_t now_ns)
{
    s2svpn_context *ctx = ctx_of(t);
    s2svpn_status rc;

    t->ike.mute = false;
    if (!s2_list_empty(&t->children))
        return; /* up, or the peer was faster */
    s2_attempt_begin(t);
    s2_tunnel_set_phase(t, S2SVPN_TUNNEL_NEGOTIATING, t->reason); /* still why it is down */
    rc = s2_ike_initiate(ctx->ike, &t->ike, now_ns);
    if (rc != S2SVPN_OK && rc != S2SVPN_E_EXISTS)
        s2_tunnel_retry(t, ctx->error.message, now_ns);
}

void s2_tunnel_retry(s2svpn_tunnel *t, const char *reason, uint64_t now_ns)
{
    s2svpn_context *ctx = ctx_of(t);
    uint64_t wait = FIRST_RETRY_NS << (t->tries < 6 ? t->tries : 6);
    uint32_t jitter = 0;

    if (t->phase == S2SVPN_TUNNEL_STOPPED && t->ike.mute)
        return; /* the reason is known */
    if (!is_ours(t) || ctx->stopping) {
        s2_tunnel_set_phase(t, t->ike.mute ? S2SVPN_TUNNEL_STOPPED : S2SVPN_TUNNEL_IDLE, reason);
        return;
    }
    t->tries++;
    s2_pace_leave(t); /* others may try meanwhile */
    if (wait > LAST_RETRY_NS)
        wait = LAST_RETRY_NS;
    if (s2_random(&ctx->env, &jitter, sizeof(jitter)) == S2SVPN_OK)
        wait += wait / 4 * (jitter & 0xffff) / 0x10000;
    s2_timer_set(&ctx->timers, &t->retry, s2_after(now_ns, wait));
    s2_tunnel_set_phase(t, S2SVPN_TUNNEL_WAITING, reason);
}

void s2_tunnel_retry_now(s2svpn_tunnel *t, const char *reason, uint64_t now_ns)
{
    const uint32_t tries = t->tries;

    s2_tunnel_retry(t, reason, now_ns);
    if (t->phase != S2SVPN_TUNNEL_WAITING)
        return;
    t->tries = tries;
    s2_timer_set(&ctx_of(t)->timers, &t->retry, now_ns);
}

void s2_tunnel_rest(s2svpn_tunnel *t, const char *reason)
{
    s2_timer_cancel(&ctx_of(t)->timers, &t->retry);
    s2_tunnel_set_phase(t, t->ike.mute ? S2SVPN_TUNNEL_STOPPED : S2SVPN_TUNNEL_IDLE, reason);
}

void s2_tunnel_stop(s2svpn_tunnel *t, uint64_t now_ns)
{
    s2svpn_context *ctx = ctx_of(t);

    s2_timer_cancel(&ctx->timers, &t->retry);
    t->keep_up = t->attempt.restart = t->faults.rests = false;
    t->ike.mute = true;
    s2_inside_close(t, now_ns); /* BGP's Cease leaves through the tunnel */
    s2_ike_terminate(ctx->ike, t, true, now_ns);
    s2_tunnel_ipsec_down(t, "stopped by this side", now_ns);
    s2_tunnel_set_phase(t, S2SVPN_TUNNEL_STOPPED, "stopped by this side");
}

void s2_tunnel_ipsec_up(s2svpn_tunnel *t, bool answered, uint64_t now_ns)
{
    t->tries = 0;
    t->faults.rests = false;
    s2_timer_cancel(&ctx_of(t)->timers, &t->retry);
    if (t->phase == S2SVPN_TUNNEL_UP || t->phase == S2SVPN_TUNNEL_IPSEC_UP)
        return;
    s2_path_begin(t, now_ns);
    t->answered = answered;
    if (!s2_speaks_bgp(t->connection)) {
        s2_tunnel_set_up(t, true, "IPsec is up", now_ns);
        return;
    }
    s2_tunnel_set_phase(t, S2SVPN_TUNNEL_IPSEC_UP, "");
}

void s2_tunnel_ipsec_down(s2svpn_tunnel *t, const char *reason, uint64_t now_ns)
{
    s2_path_clear(t); /* the next one may go another way */
    s2_fragments_clear(t);
    s2_children_clear(t);
    s2_inside_free(t);
    t->esp_algorithms[0] = 0;
    t->rekeys = 0;
    t->faults.rekey_ike = false;
    s2_tunnel_set_up(t, false, reason, now_ns);
}

void s2_tunnel_settle(s2svpn_tunnel *t, uint64_t now_ns)
{
    if (!t->settle.armed)
        return;
    s2_timer_cancel(&ctx_of(t)->timers, &t->settle);
    on_settle(t, now_ns);
}

/* Static routes follow. What we answered may be still under way, or lost: the peer may have
 * no SA yet, and what comes by this tunnel is lost. So where another tunnel carries the
 * traffic, it goes on by that one until the peer has sent something, or soon. With BGP the
 * session itself shows that packets pass. */
static void move_static_routes(s2svpn_tunnel *t, bool up, uint64_t now_ns)
{
    s2svpn_connection *c = t->connection;
    s2svpn_context *ctx = ctx_of(t);
    bool other_up = false;

    for (size_t i = 0; i < c->tunnel_count; i++) {
        if (&c->tunnel[i] == t)
            continue;
        other_up |= c->tunnel[i].up;
        if (!up)
            s2_tunnel_settle(&c->tunnel[i], now_ns);
    }
    s2_timer_cancel(&ctx->timers, &t->settle);
    if (up && other_up && t->answered)
        s2_timer_set(&ctx->timers, &t->settle, s2_after(now_ns, SETTLE_NS));
    else
        s2_rib_set_usable(c->router->rib, t, up && !t->draining, now_ns);
}

void s2_tunnel_set_up(s2svpn_tunnel *t, bool up, const char *reason, uint64_t now_ns)
{
    s2svpn_connection *c = t->connection;

    if (t->up != up)
        t->changed_ns = now_ns;
    t->up = up;
    if (up)
        s2_tunnel_set_phase(t, S2SVPN_TUNNEL_UP, reason);
    if (c->static_routes_only)
        move_static_routes(t, up, now_ns);
    else if (!up)
        s2_rib_set_usable(c->router->rib, t, false, now_ns);
    if (up)
        s2_tunnel_change_done(t);
}

uint32_t s2_tunnel_inner_mtu(const s2svpn_tunnel *t, uint32_t outside)
{
    const struct s2_child *child = s2_child_current(t);
    const struct s2_way *way;
    size_t header;

    if (child == NULL)
        return 0;
    way = atomic_load_explicit(&child->out->way, memory_order_relaxed);
    header = way->remote.address.family == S2SVPN_FAMILY_IPV6 ? 40 : 20;
    return (uint32_t)s2_esp_inner_mtu(&child->out->esp->form, outside, header,
                                      way->local.role == S2SVPN_ROLE_NATT);
}

void s2_tunnel_update_mtu(s2svpn_tunnel *t)
{
    const uint32_t mtu = s2_tunnel_inner_mtu(t, t->outside_mtu);

    if (mtu == 0)
        return;
    atomic_store_explicit(&t->mtu, mtu, memory_order_relaxed);
    if (t->host)
        s2_host_set_mtu(t->host, (uint16_t)mtu);
}

/* ---- what the host sees */

static void fill_bgp(const s2svpn_tunnel *t, s2svpn_tunnel_info *info)
{
    struct s2_bgp_info bgp;

    if (!s2_speaks_bgp(t->connection))
        return;
    info->bgp_state = S2_BGP_IDLE;
    if (t->bgp == NULL)
        return;
    s2_bgp_get_info(t->bgp, &bgp);
    info->bgp_state = bgp.state;
    info->accepted_routes = bgp.prefixes_in;
}

void s2svpn_tunnel_get_info(const s2svpn_tunnel *t, s2svpn_tunnel_info *out)
{
    const struct s2_child *child = s2_child_current(t);
    struct s2_ike_sa_info sa;
    s2svpn_tunnel_info info = {
        .size = out->size,
        .phase = (enum s2svpn_tunnel_phase)t->phase,
        .up = t->up,
        .initiator = t->initiator,
        .ike_version = t->sa_up ? t->ike_version : 0,
        .nat_local = t->nat_local,
        .nat_remote = t->nat_remote,
        .certificate = s2_by_certificate(t),
        .changed_ns = t->changed_ns,
        .local = t->ike.local,
        .remote = {.address = t->ike.remote, .port = t->ike.remote_port},
        .inside_cidr = *s2_tunnel_inside(t),
        .inside_local = t->inside_local,
        .inside_remote = t->inside_remote,
        .rekeys = t->rekeys,
        .ike_sas = t->ike_sas,
        .packets_in = atomic_load_explicit(&t->packets_in, memory_order_relaxed),
        .packets_out = atomic_load_explicit(&t->packets_out, memory_order_relaxed),
        .bytes_in = atomic_load_explicit(&t->bytes_in, memory_order_relaxed),
        .bytes_out = atomic_load_explicit(&t->bytes_out, memory_order_relaxed),
        .last_in_ns = atomic_load_explicit(&t->last_in_ns, memory_order_relaxed),
        .mtu = (uint16_t)atomic_load_explicit(&t->mtu, memory_order_relaxed),
    };

    info.mss = (uint16_t)(info.mtu - (t->connection->inside_version == 6 ? 60 : 40));
    s2_copy_text(info.reason, sizeof(info.reason), t->reason);
    s2_copy_text(info.ike_algorithms, sizeof(info.ike_algorithms), t->ike_algorithms);
    s2_copy_text(info.esp_algorithms, sizeof(info.esp_algorithms), t->esp_algorithms);
    if (t->peer_certificate && t->sa_up) {
        s2_copy_text(info.peer_subject, sizeof(info.peer_subject), t->peer_certificate->subject);
        info.peer_not_after_s = t->peer_certificate->not_after_s;
    }
    if (child) {
        const struct s2_way *way = atomic_load_explicit(&child->out->way, memory_order_relaxed);

        info.spi_in = child->spi_in;
        info.spi_out = child->spi_out;
        info.local = way->local;
        info.remote = way->remote;
        info.udp = way->local.role == S2SVPN_ROLE_NATT;
    }
    info.ike_asks = s2_ike_get_info(ctx_of(t)->ike, t, &sa) && sa.asking;
    fill_bgp(t, &info);
    s2_info_copy(out, out->size, &info, sizeof(info));
}

void s2svpn_tunnel_get_options(const s2svpn_tunnel *t, s2svpn_tunnel_options *out)
{
    *out = t->options;
    out->pre_shared_key = s2_by_certificate(t) ? NULL : t->psk;
}

s2svpn_status s2svpn_tunnel_reset(s2svpn_tunnel *t)
{
    s2svpn_context *ctx = ctx_of(t);
    s2svpn_status rc;

    s2_enter(ctx, 0);
    rc = s2_object_check(&t->connection->object, "connection");
    if (rc == S2SVPN_OK) {
        t->faults.rests = false;
        s2_inside_close(t, ctx->now_ns);
        s2_ike_terminate(ctx->ike, t, true, ctx->now_ns);
        s2_tunnel_ipsec_down(t, "reset by this side", ctx->now_ns);
        s2_tunnel_retry(t, "reset by this side", ctx->now_ns);
    }
    s2_leave(ctx);
    return rc;
}

s2svpn_status s2svpn_tunnel_rekey(s2svpn_tunnel *t)
{
    s2svpn_context *ctx = ctx_of(t);
    const struct s2_child *child = s2_child_current(t);
    s2svpn_status rc;

    s2_enter(ctx, 0);
    if (child)
        rc = s2_ike_rekey_child(ctx->ike, t, child->spi_in, ctx->now_ns);
    else
        rc = s2_fail(&ctx->env, S2SVPN_E_STATE, "", "tunnel %u has no child SA", t->index + 1);
    if (rc == S2SVPN_E_NOT_FOUND)
        rc = s2_fail(&ctx->env, S2SVPN_E_STATE, "", "tunnel %u is being rekeyed", t->index + 1);
    s2_leave(ctx);
    return rc;
}

s2svpn_status s2svpn_tunnel_rekey_ike(s2svpn_tunnel *t)
{
    s2svpn_context *ctx = ctx_of(t);
    s2svpn_status rc;

    s2_enter(ctx, 0);
    rc = s2_ike_rekey_sa(ctx->ike, t, ctx->now_ns);
    if (rc == S2SVPN_E_NOT_FOUND)
        rc = s2_fail(&ctx->env, S2SVPN_E_STATE, "", "tunnel %u has no IKE SA that can be rekeyed",
                     t->index + 1);
    s2_leave(ctx);
    return rc;
}

void s2svpn_tunnel_set_blackhole(s2svpn_tunnel *t, bool on)
{
    atomic_store_explicit(&t->blackhole, on, memory_order_relaxed);
}
