/* SPDX-License-Identifier: Apache-2.0 */
/* Enter and leave: the bracket around every public call, and what leaves last. */
#include <string.h>

#include "vpn/vpn.h"

#define MESSAGES_MAX 256     /* IKE messages that wait for the host */
#define TIMERS_A_CALL 100000 /* a guard against timers that set each other */
#define TIMERS_AT_ONCE 16    /* between two looks at how much output waits */
#define NON_ESP_MARKER_LEN 4 /* RFC 3948 section 2.2 */

struct message {
    struct s2_link in_context;
    s2svpn_endpoint local, remote;
    size_t len;
    uint8_t bytes[];
};

uint64_t s2_unix_ns(const s2svpn_context *ctx)
{
    return ctx->wall_offset_ns ? ctx->now_ns + ctx->wall_offset_ns : 0;
}

void s2_enter(s2svpn_context *ctx, uint64_t now_ns)
{
    if (now_ns > ctx->now_ns)
        ctx->now_ns = now_ns;
    else if (now_ns != 0 && now_ns < ctx->now_ns)
        ctx->clock_went_back++;
    if (ctx->depth++ == 0)
        memset(&ctx->error, 0, sizeof(ctx->error));
    if (!ctx->worker[0]->on_thread)
        s2_worker_enter(ctx->worker[0], ctx->now_ns);
}

static void queue_message(s2svpn_context *ctx, const s2svpn_endpoint *local,
                          const s2svpn_endpoint *remote, size_t marker, const uint8_t *p,
                          size_t len)
{
    struct message *m = NULL;

    if (ctx->message_count < MESSAGES_MAX)
        m = s2_alloc(&ctx->env, sizeof(*m) + marker + len);
    if (m == NULL) {
        s2_drop(ctx->worker[0], S2SVPN_DROP_NO_ROOM); /* a retransmission will follow */
        return;
    }
    m->local = *local;
    m->remote = *remote;
    m->remote.role = local->role;
    m->len = marker + len;
    memcpy(m->bytes + marker, p, len);
    s2_list_append(&ctx->messages, &m->in_context);
    ctx->message_count++;
}

void s2_send_message(s2svpn_context *ctx, const s2svpn_endpoint *local,
                     const s2svpn_endpoint *remote, const uint8_t *p, size_t len)
{
    queue_message(ctx, local, remote, local->role == S2SVPN_ROLE_NATT ? NON_ESP_MARKER_LEN : 0, p,
                  len);
}

void s2_send_keepalive(s2svpn_context *ctx, const s2svpn_endpoint *local,
                       const s2svpn_endpoint *remote)
{
    static const uint8_t keepalive = 0xff; /* RFC 3948 section 2.3 */

    queue_message(ctx, local, remote, 0, &keepalive, 1);
}

/* Give waiting IKE messages to the host; those that it doesn't take stay for
 * s2svpn_writable. */
static bool flush_messages(s2svpn_context *ctx)
{
    bool any = false;

    while (!s2_list_empty(&ctx->messages)) {
        struct message *m = S2_CONTAINER(ctx->messages.next, struct message, in_context);
        s2svpn_datagram d = {
            .local = m->local, .remote = m->remote, .data = m->bytes, .len = (uint32_t)m->len};

        /* Out of the list first: a callback may queue and flush more. */
        s2_list_remove(&m->in_context);
        ctx->message_count--;
        if (ctx->options.io_ops->send_outside(ctx->options.io, NULL, &d, 1) == 0) {
            struct s2_link *first = ctx->messages.next;

            s2_list_append(first, &m->in_context); /* before the first: back in its place */
            ctx->message_count++;
            break;
        }
        s2_free(&ctx->env, m);
        any = true;
    }
    return any;
}

void s2_messages_clear(s2svpn_context *ctx)
{
    struct s2_link *l;

    while ((l = s2_list_take_first(&ctx->messages)) != NULL)
        s2_free(&ctx->env, S2_CONTAINER(l, struct message, in_context));
    ctx->message_count = 0;
}

/* s2svpn_context_stop is done when no IKE SA is left and nothing waits. */
static void notice_quiet(s2svpn_context *ctx)
{
    struct s2_ike_counters ike;

    if (!ctx->stopping || ctx->stopped || !s2_list_empty(&ctx->messages))
        return;
    s2_ike_get_counters(ctx->ike, &ike);
    if (ike.sas == 0)
        s2_timer_set(&ctx->timers, &ctx->stop_timer, ctx->now_ns);
}

/* Returns true if the host was told, and so may have called us. */
static bool tell_deadline(s2svpn_context *ctx)
{
    uint64_t at = s2_timers_next(&ctx->timers);

    if (at <= ctx->now_ns)
        at = 0;
    if (at == ctx->told_deadline_ns)
        return false;
    ctx->told_deadline_ns = at;
    ctx->options.io_ops->deadline(ctx->options.io, at);
    return true;
}

static void give_data(s2svpn_context *ctx, s2svpn_worker *inline_worker)
{
    s2_worker_leave(inline_worker);
    s2_worker_enter(inline_worker, ctx->now_ns);
}

void s2_leave(s2svpn_context *ctx)
{
    s2svpn_worker *inline_worker = ctx->worker[0]->on_thread ? NULL : ctx->worker[0];
    bool more;

    if (inline_worker && ctx->depth > 1)
        s2_worker_leave(inline_worker);
    if (ctx->depth > 1) {
        ctx->depth--;
        return;
    }
    /* depth stays 1 while the host is told: what it calls now is a nested call, whose
     * output the loop picks up. */
    do {
        /* IKE before data: its answer must reach the peer before the new SA's first
         * packet; but a delete comes behind the old SA's last. */
        if (inline_worker && ctx->farewell)
            give_data(ctx, inline_worker);
        else if (inline_worker)
            s2_worker_finish(inline_worker);
        ctx->farewell = false;
        more = flush_messages(ctx);
        if (inline_worker)
            give_data(ctx, inline_worker);
        more |= s2_events_deliver(ctx);
        more |= s2_logs_deliver(ctx);
        if (!more) {
            notice_quiet(ctx);
            more = tell_deadline(ctx);
        }
    } while (more);
    if (inline_worker)
        s2_worker_leave(inline_worker);
    s2_epoch_reclaim(&ctx->epochs);
    s2_credentials_sweep(ctx);
    ctx->depth--;
}

/* Fire what is due. Between timers state is whole, so the output of many tunnels at
 * once may leave before there is no room for more. */
static void fire_timers(s2svpn_context *ctx)
{
    size_t fired, n = 0;

    do {
        fired = s2_timers_advance(&ctx->timers, ctx->now_ns, TIMERS_AT_ONCE);
        n += fired;
        if (!ctx->worker[0]->on_thread && ctx->worker[0]->lane)
            s2_output_relieve(ctx->worker[0]);
        if (ctx->message_count > MESSAGES_MAX / 2 && ctx->depth == 1)
            flush_messages(ctx);
    } while (fired > 0 && n < TIMERS_A_CALL);
}

void s2svpn_advance(s2svpn_context *ctx, uint64_t now_ns)
{
    s2_enter(ctx, now_ns);
    ctx->told_deadline_ns = S2SVPN_NEVER - 1; /* the host has used it up: say it anew */
    s2_control_drain(ctx);
    fire_timers(ctx);
    s2_leave(ctx);
}

void s2svpn_writable(s2svpn_context *ctx, uint64_t now_ns)
{
    s2_enter(ctx, now_ns);
    s2_leave(ctx);
}

void s2svpn_job_done(s2svpn_context *ctx, s2svpn_job *job, s2svpn_status result, uint64_t now_ns)
{
    s2_enter(ctx, now_ns);
    if (job == &ctx->certificates.recheck.job)
        s2_recheck_done(ctx, result);
    else
        s2_ike_link_job_done(ctx, job, result);
    s2_leave(ctx);
}

void s2svpn_context_set_wall_clock(s2svpn_context *ctx, uint64_t unix_ns, uint64_t now_ns)
{
    s2_enter(ctx, now_ns);
    ctx->wall_offset_ns = unix_ns - ctx->now_ns;
    s2_leave(ctx);
}

struct outside_error {
    const s2svpn_endpoint *local, *remote;
    enum s2svpn_io_error kind;
    uint32_t mtu;
};

static void take_error(s2svpn_tunnel *t, void *arg)
{
    s2svpn_context *ctx = t->connection->object.ctx;
    const struct outside_error *e = arg;

    if (e->kind == S2SVPN_IO_TOO_BIG)
        s2_path_too_big(t, e->local, e->remote, e->mtu, ctx->now_ns);
    else if (e->kind == S2SVPN_IO_UNREACHABLE &&
             s2_ike_check(ctx->ike, t, ctx->now_ns) != S2SVPN_OK)
        s2_log(&ctx->env, S2_LOG_DEBUG, "%s: unreachable, and no IKE SA to ask", t->name);
}

/* A hint about the way to a peer: anyone can forge one. */
void s2svpn_receive_outside_error(s2svpn_context *ctx, const s2svpn_endpoint *local,
                                  const s2svpn_endpoint *remote, enum s2svpn_io_error kind,
                                  uint32_t mtu, uint64_t now_ns)
{
    struct outside_error error = {local, remote, kind, mtu};
    s2svpn_tunnel *t;

    s2_enter(ctx, now_ns);
    t = s2_tunnel_by_outside(ctx, &local->address, &remote->address);
    if (t)
        take_error(t, &error);
    s2_roaming_each_at(ctx, local, remote, take_error, &error);
    s2_leave(ctx);
}
