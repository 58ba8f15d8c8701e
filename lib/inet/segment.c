/* SPDX-License-Identifier: Apache-2.0 */
/* Cuts superpackets into segments (software TSO and USO). Makes headers only: the
 * payload stays where it is. The fields are those of virtio_net_hdr (virtio 1.2
 * section 5.1.6); RFC 9293, 768, 791, 8200. */
#include "inet/inet.h"

#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"

#define TCP_HEADER_LEN 20
#define UDP_HEADER_LEN 8
#define TCP_CHECKSUM 16 /* offsets of the fields */
#define UDP_CHECKSUM 6

enum tcp_flag {
    TCP_FIN = 0x01,
    TCP_SYN = 0x02,
    TCP_RST = 0x04,
    TCP_PSH = 0x08,
    TCP_URG = 0x20,
    TCP_CWR = 0x80,
};

/* Length of the TCP or UDP header at the end of the IP headers; 0 if there is none,
 * or none that is whole. */
static size_t transport_header_len(const uint8_t *p, const struct s2_inet_view *v)
{
    const size_t len = (size_t)v->total_len - v->header_len;

    if (v->fragment && !v->first_fragment)
        return 0;
    if (v->protocol == S2_IP_UDP)
        return len >= UDP_HEADER_LEN ? UDP_HEADER_LEN : 0;
    if (v->protocol != S2_IP_TCP || len < TCP_HEADER_LEN)
        return 0;
    const size_t header_len = (size_t)(p[v->header_len + 12] >> 4) * 4;
    return header_len >= TCP_HEADER_LEN && header_len <= len ? header_len : 0;
}

/* A packet that is its own only segment. */
static bool begin_single(struct s2_inet_cut *c)
{
    const struct s2_inet_super *s = c->s;
    size_t len = c->view.header_len + transport_header_len(s->p, &c->view);

    c->step = UINT16_MAX;
    if (s->needs_checksum) {
        const size_t behind_field = (size_t)s->csum_start + s->csum_offset + 2;

        if (s->csum_start < c->view.header_len || behind_field > c->view.total_len)
            return false;
        if (len < behind_field)
            len = behind_field;
        if (len > S2_INET_HEADER_MAX)
            return false;
    }
    c->header_len = len <= S2_INET_HEADER_MAX ? (uint16_t)len : 0;
    c->next = c->header_len;
    return true;
}

/* The checks that TCP and UDP superpackets have in common, and the pseudo-header's
 * sum: what the field of a partial checksum holds, without the length that it has
 * in it. */
static bool begin_super(struct s2_inet_cut *c, size_t transport_len, uint16_t csum_offset)
{
    const struct s2_inet_super *s = c->s;
    const struct s2_inet_view *v = &c->view;
    const size_t len = v->header_len + transport_len;

    if (transport_len == 0 || v->fragment || len > S2_INET_HEADER_MAX)
        return false;
    if (s->hdr_len < len || s->hdr_len > s->len || s->gso_size == 0)
        return false;
    if (s->needs_checksum) {
        if (s->csum_start != v->header_len || s->csum_offset != csum_offset)
            return false;
        c->pseudo = s2_checksum_add_u16(0, s2_get_u16(s->p + v->header_len + csum_offset));
        c->pseudo = s2_checksum_add_u16(c->pseudo, (uint16_t) ~(v->total_len - v->header_len));
    } else {
        c->pseudo = s2_inet_pseudo_sum(&v->source, &v->destination, v->protocol, 0);
    }
    c->header_len = (uint16_t)len;
    c->step = s->gso_size;
    c->next = c->header_len;
    return true;
}

bool s2_inet_cut_begin(struct s2_inet_cut *c, const struct s2_inet_super *s)
{
    *c = (struct s2_inet_cut){.s = s};
    if (!s2_inet_view(s->p, s->len, &c->view))
        return false;

    const struct s2_inet_view *v = &c->view;
    const size_t transport_len = transport_header_len(s->p, v);
    const uint8_t *transport = s->p + v->header_len;
    switch (s->gso_type) {
    case S2_GSO_NONE:
        return begin_single(c);
    case S2_GSO_TCPV4:
    case S2_GSO_TCPV6:
        /* Neither a SYN nor an RST has a meaning in several copies. */
        return v->protocol == S2_IP_TCP && v->version == (s->gso_type == S2_GSO_TCPV4 ? 4 : 6) &&
               begin_super(c, transport_len, TCP_CHECKSUM) &&
               (transport[13] & (TCP_SYN | TCP_RST)) == 0;
    case S2_GSO_UDP_L4:
        return v->protocol == S2_IP_UDP && begin_super(c, transport_len, UDP_CHECKSUM) &&
               s2_get_u16(transport + 4) == v->total_len - v->header_len;
    default:
        return false;
    }
}

/* Complete a partial checksum: it is the sum from csum_start on, with what stands
 * in the field counted in. */
static void complete_checksum(const struct s2_inet_cut *c, uint8_t *header)
{
    const struct s2_inet_super *s = c->s;
    uint16_t checksum = s2_checksum_finish(
        s2_checksum_add(0, s->p + s->csum_start, (size_t)c->view.total_len - s->csum_start));

    if (checksum == 0 && c->view.protocol == S2_IP_UDP && s->csum_offset == UDP_CHECKSUM)
        checksum = 0xffff;
    s2_put_u16(header + s->csum_start + s->csum_offset, checksum);
}

static void write_ip(const struct s2_inet_cut *c, uint8_t *header, size_t total_len)
{
    if (c->view.version == 6) {
        s2_put_u16(header + 4, (uint16_t)(total_len - 40));
        return;
    }
    s2_put_u16(header + 2, (uint16_t)total_len);
    s2_put_u16(header + 4, (uint16_t)(s2_get_u16(header + 4) + c->index));
    s2_put_u16(header + 10, 0);
    s2_put_u16(header + 10, s2_checksum_finish(s2_checksum_add(0, header, c->view.header_len)));
}

/* FIN and PSH belong to the last byte, CWR (RFC 3168 section 6.1.2) to the first;
 * the urgent pointer counts from the segment's own sequence number. */
static void write_tcp(const struct s2_inet_cut *c, uint8_t *tcp, bool last)
{
    const uint32_t offset = c->next - c->header_len;

    s2_put_u32(tcp + 4, s2_get_u32(tcp + 4) + offset);
    if (!last)
        tcp[13] &= (uint8_t) ~(TCP_FIN | TCP_PSH);
    if (offset > 0)
        tcp[13] &= (uint8_t)~TCP_CWR;
    if ((tcp[13] & TCP_URG) != 0) {
        const uint16_t urgent = s2_get_u16(tcp + 18);

        if (urgent <= offset && offset > 0)
            tcp[13] &= (uint8_t)~TCP_URG;
        s2_put_u16(tcp + 18, urgent > offset ? (uint16_t)(urgent - offset) : 0);
    }
}

/* Header of the segment whose payload begins at c->next. */
static void write_segment(const struct s2_inet_cut *c, uint8_t *header, s2svpn_span payload)
{
    const size_t ip_len = c->view.header_len;
    const size_t transport_len = c->header_len - ip_len;
    const bool udp = c->view.protocol == S2_IP_UDP;
    uint8_t *transport = header + ip_len;
    uint8_t *field = transport + (udp ? UDP_CHECKSUM : TCP_CHECKSUM);

    write_ip(c, header, c->header_len + payload.len);
    if (udp)
        s2_put_u16(transport + 4, (uint16_t)(transport_len + payload.len));
    else
        write_tcp(c, transport, c->next + payload.len == c->view.total_len);
    s2_put_u16(field, 0);
    uint64_t sum = s2_checksum_add_u16(c->pseudo, (uint16_t)(transport_len + payload.len));
    sum = s2_checksum_add(sum, transport, transport_len);
    sum = s2_checksum_add(sum, payload.p, payload.len);
    const uint16_t checksum = s2_checksum_finish(sum);
    s2_put_u16(field, udp && checksum == 0 ? 0xffff : checksum);
}

bool s2_inet_cut_next(struct s2_inet_cut *c, uint8_t *header, size_t *header_len,
                      s2svpn_span *payload)
{
    const size_t left = c->view.total_len - c->next;

    if (c->done)
        return false;
    *header_len = c->header_len;
    *payload = s2_span(c->s->p + c->next, left < c->step ? left : c->step);
    if (c->header_len > 0)
        memcpy(header, c->s->p, c->header_len);
    if (c->s->gso_type != S2_GSO_NONE)
        write_segment(c, header, *payload);
    else if (c->s->needs_checksum)
        complete_checksum(c, header);
    c->next += (uint32_t)payload->len;
    c->index++;
    c->done = c->next == c->view.total_len;
    return true;
}
