/* SPDX-License-Identifier: Apache-2.0 */
/* Packets byte by byte, checksummed the slow way. */
#include "vpn/packet.h"

#include <stdlib.h>
#include <string.h>

#define ICMP 1
#define ICMPV6 58
#define TCP 6
#define UDP 17

uint16_t packet_get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

uint32_t packet_get32(const uint8_t *p)
{
    return (uint32_t)packet_get16(p) << 16 | packet_get16(p + 2);
}

void packet_put16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
    packet_put16(p, (uint16_t)(v >> 16));
    packet_put16(p + 2, (uint16_t)v);
}

/* RFC 1071, not complemented. */
static uint16_t sum(uint32_t s, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i + 1 < len; i += 2)
        s += packet_get16(p + i);
    if (len % 2)
        s += (uint32_t)p[len - 1] << 8;
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    return (uint16_t)s;
}

size_t packet_ip_len(const uint8_t *p)
{
    return p[0] >> 4 == 6 ? 40 : (size_t)(p[0] & 15) * 4;
}

static uint8_t protocol_of(const uint8_t *p)
{
    return p[0] >> 4 == 6 ? p[6] : p[9];
}

size_t packet_header_len(const uint8_t *p)
{
    const size_t ip = packet_ip_len(p);

    switch (protocol_of(p)) {
    case TCP:
        return ip + (size_t)(p[ip + 12] >> 4) * 4;
    case UDP:
    case ICMP:
    case ICMPV6:
        return ip + 8;
    default:
        return ip;
    }
}

static uint16_t pseudo(const uint8_t *p, size_t len)
{
    const size_t ip = packet_ip_len(p);
    const size_t addresses = ip == 40 ? 8 : 12;

    return sum((uint32_t)(len - ip) + protocol_of(p), p + addresses, ip == 40 ? 32 : 8);
}

/* Where the transport's checksum stands; 0: it has none. */
static size_t checksum_offset(const uint8_t *p)
{
    static const uint8_t offset[256] = {[ICMP] = 2, [ICMPV6] = 2, [TCP] = 16, [UDP] = 6};

    return offset[protocol_of(p)];
}

void packet_fix_ip(uint8_t *p)
{
    packet_put16(p + 10, 0);
    packet_put16(p + 10, (uint16_t)~sum(0, p, packet_ip_len(p)));
}

static size_t write_transport(uint8_t *t, const struct packet_spec *s, uint8_t protocol)
{
    size_t n = 0;

    if (protocol == ICMP || protocol == ICMPV6) {
        t[0] = protocol == ICMP ? 8 : 128;
        packet_put16(t + 4, s->id);
        return 8;
    }
    if (protocol != TCP && protocol != UDP)
        return 0;
    packet_put16(t, s->from_port ? s->from_port : 40000);
    packet_put16(t + 2, s->to_port ? s->to_port : 80);
    if (protocol == UDP) {
        packet_put16(t + 4, (uint16_t)(8 + s->payload));
        return 8;
    }
    put32(t + 4, s->seq);
    t[13] = s->flags ? s->flags : TCP_ACK;
    packet_put16(t + 14, 65000);
    n = 20;
    if (s->mss && s->mss_at_odd)
        t[n++] = 1;
    if (s->mss) {
        t[n] = 2;
        t[n + 1] = 4;
        packet_put16(t + n + 2, s->mss);
        n += 4;
    }
    while (n % 4)
        t[n++] = 1;
    t[12] = (uint8_t)(n / 4 << 4);
    return n;
}

size_t packet_write(uint8_t *out, const struct packet_spec *s)
{
    const uint8_t protocol = s->protocol ? s->protocol : UDP;
    s2svpn_address from, to;
    size_t ip, len;

    if (!s2svpn_address_read(s->from ? s->from : "192.168.10.20", &from) ||
        !s2svpn_address_read(s->to ? s->to : "10.0.1.10", &to))
        abort();
    ip = from.family == S2SVPN_FAMILY_IPV6 ? 40 : 20;
    memset(out, 0, 100);
    out[0] = ip == 40 ? 0x60 : 0x45;
    len = ip + write_transport(out + ip, s, protocol);
    for (size_t i = 0; i < s->payload; i++)
        out[len + i] = (uint8_t)(i * 7 + i / 251 + s->salt);
    len += s->payload;
    if (ip == 40) {
        packet_put16(out + 4, (uint16_t)(len - 40));
        out[6] = protocol;
        out[7] = s->ttl ? s->ttl : 64;
        memcpy(out + 8, from.bytes, 16);
        memcpy(out + 24, to.bytes, 16);
    } else {
        out[1] = s->tos;
        packet_put16(out + 2, (uint16_t)len);
        packet_put16(out + 4, s->id);
        packet_put16(out + 6, s->dont_fragment ? 0x4000 : 0);
        out[8] = s->ttl ? s->ttl : 64;
        out[9] = protocol;
        memcpy(out + 12, from.bytes, 4);
        memcpy(out + 16, to.bytes, 4);
        packet_fix_ip(out);
    }
    const size_t offset = checksum_offset(out);
    if (offset == 0)
        return len;
    const uint16_t start = protocol == ICMP ? 0 : pseudo(out, len);
    packet_put16(out + ip + offset,
                 s->no_checksum ? start : (uint16_t)~sum(start, out + ip, len - ip));
    return len;
}

bool packet_right(const uint8_t *p, size_t len)
{
    const size_t ip = packet_ip_len(p);
    const size_t offset = checksum_offset(p);
    const bool fragment = ip != 40 && (packet_get16(p + 6) & 0x3fff) != 0;

    if (len < ip || (ip == 40 ? 40u + packet_get16(p + 4) : packet_get16(p + 2)) != len)
        return false;
    if (ip != 40 && sum(0, p, ip) != 0xffff)
        return false;
    if (offset == 0 || fragment)
        return true;
    return sum(protocol_of(p) == ICMP ? 0 : pseudo(p, len), p + ip, len - ip) == 0xffff;
}

uint16_t packet_mss(const uint8_t *p, size_t len)
{
    const size_t end = packet_header_len(p);

    for (size_t at = packet_ip_len(p) + 20; at + 4 <= end && end <= len;) {
        if (p[at] == 0)
            return 0;
        if (p[at] == 2)
            return packet_get16(p + at + 2);
        at += p[at] == 1 ? 1 : p[at + 1];
    }
    return 0;
}
