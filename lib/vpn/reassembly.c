/* SPDX-License-Identifier: Apache-2.0 */
/* Inner fragments that are for the in-tunnel host: put together before it sees them, in a
 * table that a tunnel has only while it needs one. */
#include "inet/reassembly.h"

#include <string.h>

#include "vpn/vpn.h"

static s2svpn_context *ctx_of(const s2svpn_tunnel *t)
{
    return t->connection->object.ctx;
}

/* The table goes with its last packet. */
static void tidy(s2svpn_tunnel *t, uint64_t now_ns)
{
    const uint64_t next = s2_reassembly_expire(t->fragments, now_ns);

    s2_timer_set(&ctx_of(t)->timers, &t->fragments_expire, next);
    if (next != S2SVPN_NEVER)
        return;
    s2_reassembly_free(t->fragments);
    t->fragments = NULL;
}

static void on_expire(void *arg, uint64_t now_ns)
{
    tidy(arg, now_ns);
}

void s2_fragments_init(s2svpn_tunnel *t)
{
    s2_timer_init(&t->fragments_expire, on_expire, t);
}

void s2_fragments_clear(s2svpn_tunnel *t)
{
    s2_timer_cancel(&ctx_of(t)->timers, &t->fragments_expire);
    s2_reassembly_free(t->fragments);
    t->fragments = NULL;
}

/* In memory of its own: what the packet brings about may end the tunnel and its table. */
static bool give(s2svpn_tunnel *t, s2svpn_span whole, uint64_t now_ns)
{
    const struct s2_env *env = &ctx_of(t)->env;
    uint8_t *copy = s2_alloc(env, whole.len);

    if (copy == NULL)
        return false;
    memcpy(copy, whole.p, whole.len);
    s2_inside_packet(t, copy, whole.len, now_ns);
    s2_free(env, copy);
    return true;
}

void s2_fragments_input(s2svpn_tunnel *t, const uint8_t *p, const struct s2_inet_view *view,
                        uint64_t now_ns)
{
    s2svpn_context *ctx = ctx_of(t);
    enum s2svpn_drop drop = S2SVPN_DROP_NO_ROOM;
    s2svpn_span whole = {NULL, 0};

    if (t->fragments || s2_reassembly_new(&ctx->env, &t->fragments) == S2SVPN_OK)
        drop = s2_reassembly_input(t->fragments, p, view, now_ns, &whole);
    if (whole.len > 0 && !give(t, whole, now_ns))
        drop = S2SVPN_DROP_NO_ROOM;
    if (drop != S2SVPN_DROP_NONE)
        s2_drop(ctx->worker[0], drop);
    if (t->fragments)
        tidy(t, now_ns);
}
