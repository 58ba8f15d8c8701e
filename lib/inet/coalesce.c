/* SPDX-License-Identifier: Apache-2.0 */
/* Joins TCP segments that lie one behind the other in memory into a superpacket
 * (software GRO), such that segment.c cuts it into the same packets again. Keeps
 * no table of flows: one superpacket is open at a time. */
#include "inet/inet.h"

#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"

#define JOINED_MAX 65535
#define TCP_HEADER_LEN 20
#define TCP_CHECKSUM 16
#define TCP_PSH 0x08
#define TCP_ACK 0x10

/* Length of IP and TCP header of a packet that may be a part; 0 if it may not. A
 * checksum of 0xffff can be right but isn't the one that the cutter would write. */
static size_t part_header_len(const uint8_t *p, const struct s2_inet_view *v)
{
    const size_t len = (size_t)v->total_len - v->header_len;
    const uint8_t *tcp = p + v->header_len;

    if (v->protocol != S2_IP_TCP || v->fragment || len <= TCP_HEADER_LEN)
        return 0;
    if (v->version == 6 ? v->header_len != 40 : s2_get_u16(p + 10) == 0xffff)
        return 0;
    const size_t tcp_len = (size_t)(tcp[12] >> 4) * 4;
    if (tcp_len < TCP_HEADER_LEN || tcp_len >= len)
        return 0;
    if ((tcp[13] & ~TCP_PSH) != TCP_ACK || s2_get_u16(tcp + TCP_CHECKSUM) == 0xffff)
        return 0;
    return v->header_len + tcp_len;
}

void s2_inet_join_begin(struct s2_inet_super *s, uint8_t *p, const struct s2_inet_view *v)
{
    *s = (struct s2_inet_super){.p = p, .len = v->total_len, .segments = 1};
    s->hdr_len = (uint16_t)part_header_len(p, v); /* 0: nothing will be appended */
    if (s->hdr_len == 0)
        return;
    s->gso_type = v->version == 6 ? S2_GSO_TCPV6 : S2_GSO_TCPV4;
    s->gso_size = (uint16_t)(v->total_len - s->hdr_len);
    s->csum_start = v->header_len;
    s->csum_offset = TCP_CHECKSUM;
}

/* Do the IP headers differ only where the cutter makes them differ? */
static bool same_ip(const struct s2_inet_super *s, const uint8_t *p, const struct s2_inet_view *v)
{
    const uint8_t *first = s->p;

    if (first[0] != p[0] || s->csum_start != v->header_len)
        return false;
    if (v->version == 6)
        return memcmp(first, p, 4) == 0 && memcmp(first + 6, p + 6, 34) == 0;
    return first[1] == p[1] && memcmp(first + 6, p + 6, 4) == 0 &&
           memcmp(first + 12, p + 12, v->header_len - 12U) == 0 &&
           s2_get_u16(p + 4) == (uint16_t)(s2_get_u16(first + 4) + s->segments);
}

/* The same for TCP headers of equal length: all but sequence number, flags and
 * checksum is equal, and the number is the next. */
static bool same_tcp(const struct s2_inet_super *s, const uint8_t *tcp, size_t tcp_len)
{
    const uint8_t *first = s->p + s->csum_start;

    return memcmp(first, tcp, 4) == 0 &&
           s2_get_u32(tcp + 4) == s2_get_u32(first + 4) + (s->len - s->hdr_len) &&
           memcmp(first + 8, tcp + 8, 5) == 0 && memcmp(first + 14, tcp + 14, 2) == 0 &&
           memcmp(first + 18, tcp + 18, tcp_len - 18) == 0;
}

static bool checksum_right(const uint8_t *tcp, size_t len, const struct s2_inet_view *v)
{
    const uint64_t pseudo = s2_inet_pseudo_sum(&v->source, &v->destination, S2_IP_TCP, len);

    return s2_checksum_finish(s2_checksum_add(pseudo, tcp, len)) == 0;
}

bool s2_inet_join_append(struct s2_inet_super *s, const uint8_t *p, const struct s2_inet_view *v)
{
    if (s->hdr_len == 0 || part_header_len(p, v) != s->hdr_len)
        return false;
    uint8_t *first = s->p + s->csum_start;
    const uint8_t *tcp = p + v->header_len;
    const size_t len = (size_t)v->total_len - s->hdr_len;

    /* A PSH or a shorter part was the last. */
    if ((first[13] & TCP_PSH) != 0 || s->len - s->hdr_len != (uint32_t)s->segments * s->gso_size)
        return false;
    if (len > s->gso_size || s->len + len > JOINED_MAX)
        return false;
    if (!same_ip(s, p, v) || !same_tcp(s, tcp, (size_t)s->hdr_len - s->csum_start))
        return false;
    /* A wrong checksum must stay visible to the receiver, so such a packet stays
     * alone; the first one is looked at only when there is a second. */
    if (s->segments == 1 && !checksum_right(first, s->len - s->csum_start, v)) {
        s->hdr_len = 0;
        return false;
    }
    if (!checksum_right(tcp, (size_t)v->total_len - v->header_len, v))
        return false;

    first[13] |= tcp[13] & TCP_PSH; /* before the payload is moved over the header */
    memmove(s->p + s->len, p + s->hdr_len, len);
    s->len += (uint32_t)len;
    s->segments++;
    return true;
}

/* What s2_inet_pseudo_sum() adds, from the header itself. */
static uint64_t pseudo_sum(const struct s2_inet_super *s)
{
    const bool ipv6 = s->gso_type == S2_GSO_TCPV6;
    uint64_t sum = ipv6 ? s2_checksum_add(0, s->p + 8, 32) : s2_checksum_add(0, s->p + 12, 8);

    sum = s2_checksum_add_u16(sum, (uint16_t)(s->len - s->csum_start));
    return s2_checksum_add_u16(sum, S2_IP_TCP);
}

void s2_inet_join_end(struct s2_inet_super *s)
{
    if (s->segments < 2) {
        *s = (struct s2_inet_super){.p = s->p, .len = s->len, .segments = s->segments};
        return;
    }
    if (s->gso_type == S2_GSO_TCPV6) {
        s2_put_u16(s->p + 4, (uint16_t)(s->len - 40));
    } else {
        s2_put_u16(s->p + 2, (uint16_t)s->len);
        s2_put_u16(s->p + 10, 0);
        s2_put_u16(s->p + 10, s2_checksum_finish(s2_checksum_add(0, s->p, s->csum_start)));
    }
    /* A partial checksum: the pseudo-header's sum, not complemented. */
    s->needs_checksum = true;
    s2_put_u16(s->p + s->csum_start + TCP_CHECKSUM, (uint16_t)~s2_checksum_finish(pseudo_sum(s)));
}
