/* SPDX-License-Identifier: Apache-2.0 */
/* The path's MTU: lowered by what routers and the kernel say of datagrams that we sent,
 * tried anew after ten minutes. Anyone can forge such a message, so it must name endpoints
 * that the tunnel really sends to, and counts only between what every path carries and what
 * we send at most. RFC 1191 sections 3 and 6.3, 8201 section 4, 4301 section 8.2.
 *
 * Traffic leaves without the DF bit, so that an IPv4 router that needs to cuts it, and no
 * one meets a black hole where ICMP is filtered. To learn of a narrow path all the same, a
 * probe goes when the tunnel comes up and after the ten minutes: a dummy packet (RFC 4303
 * section 2.6) of full length with the DF bit. Who never answers it changes nothing.
 *
 *             up, 1 s                    too big: lower it, 10 min
 *   (begun) ──────────> probe ──> PROBED ───────────────────────> NARROW
 *                         ^          │ 2 s: the path carries it      │
 *                         │          v                               │ 10 min
 *                         │       (wide)                             │
 *                         └──────────────────────────────────────────┘
 *
 * A message counts at any time; the states only say when the next probe goes. */
#include "vpn/vpn.h"

#define LEAST_IPV4 576
#define LEAST_IPV6 1280
#define FIRST_NS (1 * S2_SECOND) /* the peer has both SAs by then */
#define ANSWER_NS (2 * S2_SECOND)
#define AGAIN_NS (600 * S2_SECOND) /* RFC 1191 section 6.3: ten minutes */

static s2svpn_context *ctx_of(const s2svpn_tunnel *t)
{
    return t->connection->object.ctx;
}

static void set(s2svpn_tunnel *t, uint32_t mtu)
{
    const s2svpn_event event = {
        .kind = S2SVPN_EVENT_NOTE, .tunnel = t->index, .reason = "path MTU"};

    if (t->outside_mtu == mtu)
        return;
    t->outside_mtu = mtu;
    s2_tunnel_update_mtu(t);
    s2_emit(ctx_of(t), &event, &t->connection->object,
            "tunnel %u: the path carries %u bytes, inner packets have up to %u", t->index + 1, mtu,
            (unsigned)atomic_load_explicit(&t->mtu, memory_order_relaxed));
}

static void on_timer(void *arg, uint64_t now_ns)
{
    s2svpn_tunnel *t = arg;

    if (t->path_probed) { /* nobody minded */
        t->path_probed = false;
        set(t, S2_OUTSIDE_MTU);
        return;
    }
    t->path_probed = true;
    s2_timer_set(&ctx_of(t)->timers, &t->path_timer, s2_after(now_ns, ANSWER_NS));
    s2_control_probe(t, s2_tunnel_inner_mtu(t, S2_OUTSIDE_MTU));
}

void s2_path_init(s2svpn_tunnel *t)
{
    t->outside_mtu = S2_OUTSIDE_MTU;
    s2_timer_init(&t->path_timer, on_timer, t);
}

void s2_path_clear(s2svpn_tunnel *t)
{
    s2_timer_cancel(&ctx_of(t)->timers, &t->path_timer);
    t->outside_mtu = S2_OUTSIDE_MTU;
    t->path_probed = false;
}

void s2_path_begin(s2svpn_tunnel *t, uint64_t now_ns)
{
    s2_path_clear(t);
    s2_timer_set(&ctx_of(t)->timers, &t->path_timer, s2_after(now_ns, FIRST_NS));
}

/* Does the tunnel's traffic go from local to remote? Port 0: the kernel's own refusal of a
 * datagram names none, nor does an error about protocol 50. */
static bool goes_there(const s2svpn_tunnel *t, const s2svpn_endpoint *local,
                       const s2svpn_endpoint *remote)
{
    const struct s2_child *child = s2_child_current(t);
    const struct s2_way *way;

    if (child == NULL)
        return false;
    way = atomic_load_explicit(&child->out->way, memory_order_relaxed);
    return s2_endpoint_equal(&way->local, local) &&
           s2_address_equal(&way->remote.address, &remote->address) &&
           (remote->port == 0 || way->remote.port == remote->port);
}

void s2_path_too_big(s2svpn_tunnel *t, const s2svpn_endpoint *local, const s2svpn_endpoint *remote,
                     uint32_t mtu, uint64_t now_ns)
{
    const uint32_t least = remote->address.family == S2SVPN_FAMILY_IPV6 ? LEAST_IPV6 : LEAST_IPV4;
    /* An answer to a probe may say that the path is wider than it was. */
    const uint32_t most = t->path_probed ? S2_OUTSIDE_MTU : t->outside_mtu;

    if (mtu < least || mtu >= most || !goes_there(t, local, remote))
        return;
    t->path_probed = false;
    s2_timer_set(&ctx_of(t)->timers, &t->path_timer, s2_after(now_ns, AGAIN_NS));
    set(t, mtu);
}
