/* SPDX-License-Identifier: Apache-2.0 */
/* Pings between the inside addresses of a tunnel, and what is said when somebody speaks BGP
 * at the wrong ones. RFC 792, RFC 4443 section 4. */
#include "s2svpn/ping.h"

#include "inet/host.h"
#include "vpn/vpn.h"

s2svpn_status s2svpn_tunnel_ping(s2svpn_tunnel *t, uint16_t sequence, uint16_t len)
{
    s2svpn_context *ctx = t->connection->object.ctx;
    const uint16_t least = S2_HOST_PING_LEN(t->inside_local.family);
    const uint32_t mtu = atomic_load_explicit(&t->mtu, memory_order_relaxed);
    s2svpn_status rc = S2SVPN_OK;

    s2_enter(ctx, 0);
    if (len == 0)
        len = least;
    if (t->host == NULL)
        rc = s2_fail(&ctx->env, S2SVPN_E_STATE, NULL, "tunnel %u has no SA and no host inside",
                     t->index + 1);
    else if (len < least || len > mtu)
        rc = s2_fail(&ctx->env, S2SVPN_E_ARGUMENT, "len", "%u is less than %u or more than %u", len,
                     least, (unsigned)mtu);
    else
        s2_host_ping_sized(t->host, (uint16_t)(t->index + 1), sequence, len, ctx->now_ns);
    s2_leave(ctx);
    return rc;
}

void s2svpn_tunnel_get_pings(const s2svpn_tunnel *t, s2svpn_tunnel_pings *out)
{
    s2svpn_tunnel_pings pings = {.size = out->size};
    struct s2_host_counters counters;

    if (t->host) {
        s2_host_get_counters(t->host, &counters);
        pings.answered = counters.echo_replies;
        pings.asked = counters.echo_requests;
        pings.sequence = counters.reply_seq;
        pings.len = counters.reply_len;
    }
    s2_info_copy(out, out->size, &pings, sizeof(pings));
}

s2svpn_status s2svpn_tunnel_check(s2svpn_tunnel *t)
{
    s2svpn_context *ctx = t->connection->object.ctx;
    struct s2_ike_sa_info sa;
    s2svpn_status rc;

    s2_enter(ctx, 0);
    if (!s2_ike_get_info(ctx->ike, t, &sa))
        rc = s2_fail(&ctx->env, S2SVPN_E_STATE, "", "tunnel %u has no IKE SA", t->index + 1);
    else if (!sa.checks)
        rc = s2_fail(&ctx->env, S2SVPN_E_UNSUPPORTED, "",
                     "tunnel %u: the peer has no dead peer detection (RFC 3706)", t->index + 1);
    else
        rc = s2_ike_check(ctx->ike, t, ctx->now_ns);
    s2_leave(ctx);
    return rc;
}

/* A packet that the in-tunnel host didn't want: BGP between other addresses than the
 * document's is the usual mistake on a device, and silence wouldn't tell which. */
void s2_inside_unwanted(s2svpn_tunnel *t, const uint8_t *p, size_t len)
{
    const s2svpn_event event = {
        .kind = S2SVPN_EVENT_NOTE, .tunnel = t->index, .reason = "bgp addresses"};
    char from[S2SVPN_ADDRESS_TEXT], to[S2SVPN_ADDRESS_TEXT];
    char peer[S2SVPN_ADDRESS_TEXT], ours[S2SVPN_ADDRESS_TEXT];
    struct s2_inet_view v;
    uint16_t port;

    if (t->bgp == NULL || t->stranger_told || !s2_inet_view(p, len, &v) || v.fragment ||
        v.protocol != S2_IP_TCP || v.total_len < v.header_len + 4u)
        return;
    port = s2_get_u16(p + v.header_len + 2);
    if (port != S2_BGP_PORT || (s2_address_equal(&v.source, &t->inside_remote) &&
                                s2_address_equal(&v.destination, &t->inside_local)))
        return;
    t->stranger_told = true;
    s2svpn_address_print(&v.source, from);
    s2svpn_address_print(&v.destination, to);
    s2svpn_address_print(&t->inside_remote, peer);
    s2svpn_address_print(&t->inside_local, ours);
    s2_warn(t->connection->object.ctx, &event, &t->connection->object,
            "tunnel %u: BGP came from %s to %s, where %s should speak to %s", t->index + 1, from,
            to, peer, ours);
}
