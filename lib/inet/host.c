/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The in-tunnel host: what is for us, ping both ways, which stream a segment
 * belongs to, and the one place where callbacks are called (s2_host_leave; see
 * tcp.h for why). Joins no fragments and heeds no ICMP errors. RFC 792, RFC 4443
 * section 4, RFC 4861 (what neighbour.c answers), RFC 9293 section 3.10.7.1 and 3.10.7.2.
 */
#include "inet/host.h"

#include "inet/tcp.h"

#include "base/address.h"
#include "base/checksum.h"
#include "base/reader.h"

enum {
    ICMP_ECHO_REPLY = 0,
    ICMP_ECHO = 8,
    ICMPV6_ECHO = 128,
    ICMPV6_ECHO_REPLY = 129,
    ICMPV6_SOLICITATION = 135,
};

static const uint8_t ping_text[] = {'s', '2', 's', 'v', 'p', 'n', 0, 0};

/* ---- serving what the work has left behind */

void s2_host_enter(struct s2_host *host)
{
    host->depth++;
}

static void tell_end(struct s2_tcp *tcp, uint64_t now_ns)
{
    struct s2_host *host = tcp->host;

    tcp->ends = false;
    tcp->told = true;
    if (tcp->visible)
        host->ops.closed(host->user, tcp, tcp->end, now_ns);
    if (!tcp->gone && tcp->state == S2_TCP_STATE_CLOSE_WAIT) {
        tcp->shut = true;
        s2_tcp_step(tcp, S2_TCP_EVENT_CLOSE, now_ns);
    }
}

/* One callback or one segment. False if the stream has nothing left to do. The
 * order is the user's: opened, received, sendable, closed. */
static bool serve(struct s2_tcp *tcp, uint64_t now_ns)
{
    struct s2_host *host = tcp->host;

    if (tcp->opens) {
        tcp->opens = false;
        tcp->visible = true;
        host->ops.opened(host->user, tcp, tcp->passive, now_ns);
        return true;
    }
    if (s2_tcp_deliver(tcp, now_ns))
        return true;
    if (tcp->starved && tcp->queued < tcp->wake_at && tcp->visible && !tcp->ends && !tcp->told) {
        tcp->starved = false;
        host->ops.sendable(host->user, tcp, now_ns);
        return true;
    }
    if (tcp->ends) {
        tell_end(tcp, now_ns);
        return true;
    }
    if (tcp->state == S2_TCP_STATE_CLOSED) {
        s2_tcp_retire(tcp);
        return true;
    }
    return s2_tcp_output(tcp, now_ns);
}

static void reap(struct s2_host *host)
{
    while (host->gone) {
        struct s2_tcp *tcp = host->gone;
        host->gone = tcp->next_gone;
        s2_tcp_free(tcp);
    }
}

void s2_host_leave(struct s2_host *host, uint64_t now_ns)
{
    bool again = host->depth == 1;

    while (again) {
        again = false;
        for (unsigned i = 0; i < S2_HOST_STREAMS_MAX; i++) {
            while (host->stream[i] && serve(host->stream[i], now_ns))
                again = true;
        }
    }
    if (host->depth == 1) {
        for (unsigned i = 0; i < S2_HOST_STREAMS_MAX; i++) {
            if (host->stream[i])
                s2_tcp_trim(host->stream[i]);
        }
        reap(host);
    }
    host->depth--;
}

/* ---- life */

static uint16_t mtu_min(const struct s2_host_spec *spec)
{
    return (spec->address.family == S2SVPN_FAMILY_IPV6 ? 60 : 40) + S2_TCP_MSS_MIN;
}

static s2svpn_status check_spec(const struct s2_env *env, const struct s2_host_spec *spec,
                                const struct s2_host_ops *ops)
{
    if (s2_address_len(&spec->address) == 0)
        return s2_fail(env, S2SVPN_E_ARGUMENT, "address", "the host has no address");
    if (spec->peer.family != spec->address.family)
        return s2_fail(env, S2SVPN_E_ARGUMENT, "peer", "of another family than our address");
    if (s2_address_equal(&spec->peer, &spec->address))
        return s2_fail(env, S2SVPN_E_ARGUMENT, "peer", "the same as our address");
    if (spec->mtu < mtu_min(spec))
        return s2_fail(env, S2SVPN_E_ARGUMENT, "mtu", "%u is less than %u", spec->mtu,
                       mtu_min(spec));
    if (!ops->send || !ops->opened || !ops->received || !ops->sendable || !ops->closed)
        return s2_fail(env, S2SVPN_E_ARGUMENT, "ops", "a callback is missing");
    return S2SVPN_OK;
}

s2svpn_status s2_host_new(const struct s2_env *env, const struct s2_host_spec *spec,
                          const struct s2_host_ops *ops, void *user, struct s2_host **out)
{
    const s2svpn_status rc = check_spec(env, spec, ops);
    struct s2_host *host;

    *out = NULL;
    if (rc != S2SVPN_OK)
        return rc;
    host = s2_alloc(env, sizeof(*host));
    if (!host)
        return s2_fail(env, S2SVPN_E_MEMORY, NULL, "no memory for an in-tunnel host");
    host->env = env;
    host->spec = *spec;
    host->spec.ttl = spec->ttl ? spec->ttl : 64;
    host->ops = *ops;
    host->user = user;
    host->listening = spec->listen_port != 0;
    *out = host;
    return S2SVPN_OK;
}

void s2_host_free(struct s2_host *host)
{
    if (!host)
        return;
    for (unsigned i = 0; i < S2_HOST_STREAMS_MAX; i++) {
        if (host->stream[i])
            s2_tcp_free(host->stream[i]);
    }
    s2_free(host->env, host);
}

void s2_host_set_mtu(struct s2_host *host, uint16_t mtu)
{
    host->spec.mtu = mtu < mtu_min(&host->spec) ? mtu_min(&host->spec) : mtu;
    for (unsigned i = 0; i < S2_HOST_STREAMS_MAX; i++) {
        if (host->stream[i])
            s2_tcp_set_mss(host->stream[i]);
    }
}

void s2_host_listen(struct s2_host *host, bool on)
{
    host->listening = on && host->spec.listen_port != 0;
}

void s2_host_get_counters(const struct s2_host *host, struct s2_host_counters *out)
{
    *out = host->counters;
}

/* ---- ping */

/* What goes to the peer leaves with the TTL that this host was told. */
static void set_ttl(uint8_t *p, uint8_t ttl)
{
    if (p[0] >> 4 == 6) {
        p[7] = ttl;
        return;
    }
    const uint16_t old = s2_get_u16(p + 8);
    p[8] = ttl;
    s2_put_u16(p + 10, s2_checksum_update(s2_get_u16(p + 10), old, s2_get_u16(p + 8)));
}

static bool is_unicast(const s2svpn_address *a)
{
    static const uint8_t none[16];

    if (a->family == S2SVPN_FAMILY_IPV6)
        return a->bytes[0] != 0xff && !s2_span_equal(s2_span(a->bytes, 16), s2_span(none, 16));
    return a->bytes[0] != 0 && a->bytes[0] < 224;
}

static bool icmp_checksum_is_right(const struct s2_inet_view *v, s2svpn_span icmp)
{
    uint64_t sum = 0;

    if (v->version == 6)
        sum = s2_tcp_pseudo_sum(&v->source, &v->destination, S2_IP_ICMPV6, icmp.len);
    return s2_checksum_finish(s2_checksum_add(sum, icmp.p, icmp.len)) == 0;
}

static enum s2svpn_drop answer_echo(struct s2_host *host, const uint8_t *p,
                                    const struct s2_inet_view *v, uint64_t now_ns)
{
    uint8_t *out;
    size_t len;

    host->counters.echo_requests++;
    if (!is_unicast(&v->source) || s2_address_equal(&v->source, &host->spec.address))
        return S2SVPN_DROP_HOST;
    out = s2_alloc(host->env, v->total_len);
    if (!out)
        return S2SVPN_DROP_NO_ROOM;
    /* With inet's own TTL: who asks may be further away than the peer, whom spec.ttl is for. */
    len = s2_inet_answer_echo(out, v->total_len, p, v);
    if (len)
        host->ops.send(host->user, out, len, now_ns);
    s2_free(host->env, out);
    return len ? S2SVPN_DROP_NONE : S2SVPN_DROP_HOST;
}

static enum s2svpn_drop answer_solicitation(struct s2_host *host, const uint8_t *p,
                                            const struct s2_inet_view *v, uint64_t now_ns)
{
    uint8_t out[64];
    const size_t len = s2_inet_answer_solicitation(out, sizeof(out), p, v, &host->spec.address);

    if (len == 0)
        return S2SVPN_DROP_HOST;
    host->ops.send(host->user, out, len, now_ns);
    return S2SVPN_DROP_NONE;
}

static enum s2svpn_drop icmp_input(struct s2_host *host, const uint8_t *p,
                                   const struct s2_inet_view *v, uint64_t now_ns)
{
    const bool ipv6 = v->version == 6;
    struct s2_reader r;

    s2_reader_init(&r, p, v->total_len);
    s2_read_skip(&r, v->header_len, "ip.header");
    const s2svpn_span icmp = s2_read_rest(&r);
    s2_reader_init(&r, icmp.p, icmp.len);
    const uint8_t type = s2_read_u8(&r, "icmp.type");
    s2_read_skip(&r, 3, "icmp.header");
    const uint16_t id = s2_read_u16(&r, "icmp.id");
    const uint16_t seq = s2_read_u16(&r, "icmp.sequence");
    if (r.rc != S2SVPN_OK || !icmp_checksum_is_right(v, icmp))
        return S2SVPN_DROP_INNER_MALFORMED;
    if (ipv6 && type == ICMPV6_SOLICITATION)
        return answer_solicitation(host, p, v, now_ns);
    if (type == (ipv6 ? ICMPV6_ECHO : ICMP_ECHO))
        return answer_echo(host, p, v, now_ns);
    if (type != (ipv6 ? ICMPV6_ECHO_REPLY : ICMP_ECHO_REPLY))
        return S2SVPN_DROP_HOST;
    host->counters.echo_replies++;
    host->counters.reply_id = id;
    host->counters.reply_seq = seq;
    host->counters.reply_len = (uint16_t)v->total_len;
    return S2SVPN_DROP_NONE;
}

void s2_host_ping(struct s2_host *host, uint16_t id, uint16_t seq, uint64_t now_ns)
{
    s2_host_ping_sized(host, id, seq, S2_HOST_PING_LEN(host->spec.address.family), now_ns);
}

void s2_host_ping_sized(struct s2_host *host, uint16_t id, uint16_t seq, uint16_t len,
                        uint64_t now_ns)
{
    const size_t header = S2_HOST_PING_LEN(host->spec.address.family) - sizeof(ping_text);
    uint8_t *packet, *data;
    size_t written;

    if (len < header + sizeof(ping_text))
        return;
    packet = s2_alloc(host->env, 2 * (size_t)len - header); /* and what it carries, behind it */
    if (!packet)
        return;
    data = packet + len;
    for (size_t i = 0; i < len - header; i++)
        data[i] = ping_text[i % sizeof(ping_text)];
    written = s2_inet_write_icmp_echo(packet, len, &host->spec.address, &host->spec.peer, false, id,
                                      seq, s2_span(data, len - header));
    if (written != 0) {
        set_ttl(packet, host->spec.ttl);
        s2_host_enter(host);
        host->ops.send(host->user, packet, written, now_ns);
        s2_host_leave(host, now_ns);
    }
    s2_free(host->env, packet);
}

/* ---- TCP: which stream? */

static struct s2_tcp *find_stream(const struct s2_host *host, const struct s2_tcp_segment *s)
{
    for (unsigned i = 0; i < S2_HOST_STREAMS_MAX; i++) {
        struct s2_tcp *tcp = host->stream[i];
        if (tcp && tcp->state != S2_TCP_STATE_CLOSED && tcp->local_port == s->destination_port &&
            tcp->remote_port == s->source_port)
            return tcp;
    }
    return NULL;
}

/* A segment for no stream: RFC 9293 section 3.10.7.1 (CLOSED) and 3.10.7.2
 * (LISTEN). past: see s2_tcp_accept. */
static enum s2svpn_drop no_stream(struct s2_host *host, const struct s2_tcp_segment *s,
                                  const uint32_t *past, uint64_t now_ns)
{
    const uint8_t kind = s->flags & (S2_TCP_SYN | S2_TCP_ACK | S2_TCP_RST | S2_TCP_FIN);
    const bool listens = host->listening && s->destination_port == host->spec.listen_port;

    if (listens && kind == S2_TCP_SYN && s2_tcp_accept(host, s, past, now_ns))
        return S2SVPN_DROP_NONE;
    if (!listens || kind == S2_TCP_SYN || (kind & S2_TCP_ACK))
        s2_tcp_emit_rst(host, s, now_ns);
    return S2SVPN_DROP_HOST;
}

/* A new SYN ends TIME-WAIT if it can't be an old one: RFC 9293 section 3.6.1. */
static bool reopens(const struct s2_host *host, const struct s2_tcp *tcp,
                    const struct s2_tcp_segment *s)
{
    const uint8_t kind = s->flags & (S2_TCP_SYN | S2_TCP_ACK | S2_TCP_RST | S2_TCP_FIN);

    return tcp->state == S2_TCP_STATE_TIME_WAIT && tcp->told && kind == S2_TCP_SYN &&
           s2_seq_lt(tcp->rcv_nxt, s->seq) && host->listening &&
           s->destination_port == host->spec.listen_port;
}

static enum s2svpn_drop tcp_input(struct s2_host *host, const uint8_t *p,
                                  const struct s2_inet_view *v, uint64_t now_ns)
{
    struct s2_tcp_segment s;
    struct s2_tcp *tcp;

    if (!s2_address_equal(&v->source, &host->spec.peer))
        return S2SVPN_DROP_HOST;
    if (!s2_tcp_parse(p, v, &s))
        return S2SVPN_DROP_INNER_MALFORMED;
    host->counters.segments_in++;
    tcp = find_stream(host, &s);
    if (tcp && reopens(host, tcp, &s)) {
        const uint32_t past = tcp->snd_max;
        s2_tcp_step(tcp, S2_TCP_EVENT_ABORT, now_ns);
        s2_tcp_retire(tcp);
        return no_stream(host, &s, &past, now_ns);
    }
    if (!tcp)
        return no_stream(host, &s, NULL, now_ns);
    s2_tcp_input(tcp, &s, now_ns);
    return S2SVPN_DROP_NONE;
}

enum s2svpn_drop s2_host_input(struct s2_host *host, const uint8_t *p, size_t len, uint64_t now_ns)
{
    enum s2svpn_drop drop = S2SVPN_DROP_HOST;
    struct s2_inet_view v;

    if (!s2_inet_view(p, len, &v))
        return S2SVPN_DROP_INNER_MALFORMED;
    const bool to_group = s2_inet_is_solicited_node(&v.destination, &host->spec.address);
    if ((!s2_address_equal(&v.destination, &host->spec.address) && !to_group) || v.fragment)
        return S2SVPN_DROP_HOST;
    s2_host_enter(host);
    if (to_group && v.protocol == S2_IP_ICMPV6)
        drop = answer_solicitation(host, p, &v, now_ns);
    else if (to_group)
        drop = S2SVPN_DROP_HOST;
    else if (v.protocol == S2_IP_TCP)
        drop = tcp_input(host, p, &v, now_ns);
    else if (v.protocol == (v.version == 6 ? S2_IP_ICMPV6 : S2_IP_ICMP))
        drop = icmp_input(host, p, &v, now_ns);
    s2_host_leave(host, now_ns);
    return drop;
}
