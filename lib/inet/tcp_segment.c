/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TCP segments on the wire, RFC 9293 section 3.1: read and check what came,
 * write and send what goes. Of the options only MSS is read and written; urgent
 * data is ordinary text to us (RFC 6093 section 5 leaves that to an application).
 */
#include "inet/tcp.h"

#include "base/address.h"
#include "base/checksum.h"
#include "base/reader.h"
#include "base/writer.h"

#define HEADER_LEN 20
#define MSS_OPTION_LEN 4
enum { OPTION_END = 0, OPTION_NOP = 1, OPTION_MSS = 2 };

/* The network's own traffic, RFC 4594 section 3.1: CS6, what routers mark BGP with. */
#define TRAFFIC_CLASS 0xc0

uint64_t s2_tcp_pseudo_sum(const s2svpn_address *from, const s2svpn_address *to, uint8_t protocol,
                           size_t len)
{
    uint64_t sum = s2_checksum_add(0, from->bytes, s2_address_len(from));

    sum = s2_checksum_add(sum, to->bytes, s2_address_len(to));
    sum = s2_checksum_add_u16(sum, protocol);
    return s2_checksum_add_u16(sum, (uint16_t)len);
}

uint32_t s2_tcp_segment_len(const struct s2_tcp_segment *s)
{
    return (uint32_t)s->text.len + !!(s->flags & S2_TCP_SYN) + !!(s->flags & S2_TCP_FIN);
}

/* RFC 9293 section 3.2. An option of a wrong length makes the segment malformed. */
static void parse_options(struct s2_reader *r, struct s2_tcp_segment *s)
{
    while (r->left && r->rc == S2SVPN_OK) {
        const uint8_t kind = s2_read_u8(r, "tcp.option");

        if (kind == OPTION_END)
            return;
        if (kind == OPTION_NOP)
            continue;
        const uint8_t len = s2_read_u8(r, "tcp.option.length");
        if (len < 2) {
            s2_reader_fail(r, S2SVPN_E_MALFORMED, "tcp.option.length");
            return;
        }
        struct s2_reader body = s2_read_sub(r, len - 2u, "tcp.option.length");
        if (kind == OPTION_MSS && (s->flags & S2_TCP_SYN)) {
            s->mss = s2_read_u16(&body, "tcp.mss");
            s2_reader_finish(&body);
            s2_reader_join(r, &body);
        }
    }
}

bool s2_tcp_parse(const uint8_t *p, const struct s2_inet_view *v, struct s2_tcp_segment *s)
{
    struct s2_reader r;

    *s = (struct s2_tcp_segment){0};
    s2_reader_init(&r, p, v->total_len);
    s2_read_skip(&r, v->header_len, "ip.header");
    const s2svpn_span whole = s2_read_rest(&r);
    uint64_t sum = s2_tcp_pseudo_sum(&v->source, &v->destination, S2_IP_TCP, whole.len);
    if (s2_checksum_finish(s2_checksum_add(sum, whole.p, whole.len)) != 0)
        return false;

    s2_reader_init(&r, whole.p, whole.len);
    s->source_port = s2_read_u16(&r, "tcp.source");
    s->destination_port = s2_read_u16(&r, "tcp.destination");
    s->seq = s2_read_u32(&r, "tcp.seq");
    s->ack = s2_read_u32(&r, "tcp.ack");
    const unsigned header_len = (s2_read_u8(&r, "tcp.offset") >> 4) * 4u;
    s->flags = s2_read_u8(&r, "tcp.flags");
    s->window = s2_read_u16(&r, "tcp.window");
    s2_read_skip(&r, 4, "tcp.checksum");
    if (header_len < HEADER_LEN)
        return false;
    struct s2_reader options = s2_read_sub(&r, header_len - HEADER_LEN, "tcp.offset");
    parse_options(&options, s);
    s2_reader_join(&r, &options);
    s->text = s2_read_rest(&r);
    return r.rc == S2SVPN_OK && s->source_port && s->destination_port;
}

/* IPv4 with DF and so without an identification (RFC 6864 section 4.1), or IPv6. */
static void write_ip(struct s2_writer *w, const struct s2_host_spec *spec, size_t payload)
{
    const uint8_t ttl = spec->ttl;

    if (spec->address.family == S2SVPN_FAMILY_IPV6) {
        s2_write_u32(w, 0x60000000u | TRAFFIC_CLASS << 20);
        s2_write_u16(w, (uint16_t)payload);
        s2_write_u8(w, S2_IP_TCP);
        s2_write_u8(w, ttl);
        s2_write_bytes(w, spec->address.bytes, 16);
        s2_write_bytes(w, spec->peer.bytes, 16);
        return;
    }
    s2_write_u16(w, 0x4500u | TRAFFIC_CLASS);
    s2_write_u16(w, (uint16_t)(20 + payload));
    s2_write_u32(w, 0x00004000); /* identification 0, DF */
    s2_write_u8(w, ttl);
    s2_write_u8(w, S2_IP_TCP);
    s2_write_u16(w, 0);
    s2_write_bytes(w, spec->address.bytes, 4);
    s2_write_bytes(w, spec->peer.bytes, 4);
    s2_write_patch_u16(w, 10, s2_checksum_finish(s2_checksum_add(0, w->p, 20)));
}

/* What goes into a segment; mss 0 leaves the option out. */
struct plan {
    uint16_t from, to;
    uint32_t seq, ack;
    uint8_t flags;
    uint16_t mss;
    const struct s2_tcp_ring *ring;
    uint32_t offset, len;
};

static void send(struct s2_host *host, const struct plan *plan, uint64_t now_ns)
{
    uint8_t packet[S2_TCP_PACKET_MAX];
    const size_t header = HEADER_LEN + (plan->mss ? MSS_OPTION_LEN : 0);
    struct s2_writer w;

    s2_writer_init(&w, packet, sizeof(packet));
    write_ip(&w, &host->spec, header + plan->len);
    const size_t at = w.len;
    s2_write_u16(&w, plan->from);
    s2_write_u16(&w, plan->to);
    s2_write_u32(&w, plan->seq);
    s2_write_u32(&w, plan->ack);
    s2_write_u8(&w, (uint8_t)(header / 4 << 4));
    s2_write_u8(&w, plan->flags);
    s2_write_u16(&w, plan->flags & S2_TCP_RST ? 0 : S2_TCP_WINDOW);
    s2_write_u32(&w, 0); /* checksum, urgent pointer */
    if (plan->mss) {
        s2_write_u8(&w, OPTION_MSS);
        s2_write_u8(&w, MSS_OPTION_LEN);
        s2_write_u16(&w, plan->mss);
    }
    uint8_t *text = s2_write_room(&w, plan->len);
    if (s2_writer_finish(&w) != S2SVPN_OK)
        return;
    if (plan->len)
        s2_tcp_ring_get(plan->ring, plan->offset, text, plan->len);
    uint64_t sum = s2_tcp_pseudo_sum(&host->spec.address, &host->spec.peer, S2_IP_TCP, w.len - at);
    sum = s2_checksum_add(sum, packet + at, w.len - at);
    s2_write_patch_u16(&w, at + 16, s2_checksum_finish(sum));
    host->counters.segments_out++;
    host->ops.send(host->user, packet, w.len, now_ns);
}

void s2_tcp_emit(struct s2_tcp *tcp, uint32_t seq, uint8_t flags, uint32_t offset, uint32_t len,
                 uint64_t now_ns)
{
    struct s2_host *host = tcp->host;
    const bool ipv6 = host->spec.address.family == S2SVPN_FAMILY_IPV6;
    const struct plan plan = {
        .from = tcp->local_port,
        .to = tcp->remote_port,
        .seq = seq,
        .ack = flags & S2_TCP_ACK ? tcp->rcv_nxt : 0,
        .flags = flags,
        .mss = flags & S2_TCP_SYN ? (uint16_t)(host->spec.mtu - (ipv6 ? 60 : 40)) : 0,
        .ring = &tcp->out,
        .offset = offset,
        .len = len,
    };

    send(host, &plan, now_ns);
}

void s2_tcp_emit_rst(struct s2_host *host, const struct s2_tcp_segment *s, uint64_t now_ns)
{
    struct plan plan = {.from = s->destination_port, .to = s->source_port, .flags = S2_TCP_RST};

    if (s->flags & S2_TCP_RST)
        return;
    if (s->flags & S2_TCP_ACK) {
        plan.seq = s->ack;
    } else {
        plan.flags |= S2_TCP_ACK;
        plan.ack = s->seq + s2_tcp_segment_len(s);
    }
    send(host, &plan, now_ns);
}
