/* SPDX-License-Identifier: Apache-2.0 */
/* Starts take turns: a context with thousands of tunnels to start, after a restart say,
 * begins so many handshakes at once and no more; the others wait in line. One that has come
 * up or failed makes room at once, one whose peer is silent after a while, so that dead peers
 * hold up the living for a bounded time. Between tries, tunnel.c's back-off says when. */
#include "vpn/vpn.h"

#define PLACES 128              /* handshakes that begin at once */
#define HOLD_NS (2 * S2_SECOND) /* until the first retransmission, RFC 7296 section 2.1 */

static s2svpn_context *ctx_of(const s2svpn_tunnel *t)
{
    return t->connection->object.ctx;
}

static s2svpn_tunnel *tunnel_of(struct s2_link *l)
{
    return S2_CONTAINER(l, s2svpn_tunnel, pace_link);
}

static void enter(struct s2_pace *pace, s2svpn_tunnel *t, uint64_t now_ns)
{
    t->pace_held_ns = now_ns > 0 ? now_ns : 1;
    s2_list_append(&pace->under_way, &t->pace_link);
    pace->count++;
}

static void expire(struct s2_pace *pace, uint64_t now_ns)
{
    while (!s2_list_empty(&pace->under_way) &&
           s2_after(tunnel_of(pace->under_way.next)->pace_held_ns, HOLD_NS) <= now_ns)
        s2_pace_leave(tunnel_of(pace->under_way.next));
}

static void on_turn(void *arg, uint64_t now_ns)
{
    s2svpn_context *ctx = arg;
    struct s2_pace *pace = &ctx->pace;
    struct s2_link *l;

    expire(pace, now_ns);
    while (pace->count < PLACES && (l = s2_list_take_first(&pace->waiting)) != NULL) {
        enter(pace, tunnel_of(l), now_ns);
        s2_timer_set(&ctx->timers, &tunnel_of(l)->retry, now_ns); /* it asks again */
    }
    if (!s2_list_empty(&pace->waiting))
        s2_timer_set(&ctx->timers, &pace->turn,
                     s2_after(tunnel_of(pace->under_way.next)->pace_held_ns, HOLD_NS));
}

void s2_pace_init(s2svpn_context *ctx)
{
    s2_list_init(&ctx->pace.under_way);
    s2_list_init(&ctx->pace.waiting);
    s2_timer_init(&ctx->pace.turn, on_turn, ctx);
}

bool s2_pace_ask(s2svpn_tunnel *t, uint64_t now_ns)
{
    s2svpn_context *ctx = ctx_of(t);
    struct s2_pace *pace = &ctx->pace;

    if (t->pace_held_ns != 0)
        return true;
    if (!s2_list_empty(&t->pace_link)) /* it waits already */
        return false;
    expire(pace, now_ns);
    if (pace->count < PLACES && s2_list_empty(&pace->waiting)) {
        enter(pace, t, now_ns);
        return true;
    }
    s2_list_append(&pace->waiting, &t->pace_link);
    if (!pace->turn.armed)
        s2_timer_set(&ctx->timers, &pace->turn, now_ns);
    return false;
}

void s2_pace_leave(s2svpn_tunnel *t)
{
    s2svpn_context *ctx = ctx_of(t);
    struct s2_pace *pace = &ctx->pace;

    s2_list_remove(&t->pace_link);
    if (t->pace_held_ns == 0)
        return;
    t->pace_held_ns = 0;
    pace->count--;
    if (!s2_list_empty(&pace->waiting))
        s2_timer_set(&ctx->timers, &pace->turn, ctx->now_ns);
}
