/* SPDX-License-Identifier: Apache-2.0 */
/* Reads and writes a test's plain packets; the library's own code plays no part. */
#include "packet.h"

#include <string.h>

#define ICMP_LEN 8

static void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
    put16(p, v >> 16);
    put16(p + 2, v & 0xffff);
}

static uint32_t get16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t get32(const uint8_t *p)
{
    return get16(p) << 16 | get16(p + 2);
}

/* RFC 1071; over right bytes it is 0xffff. */
static uint32_t sum(const uint8_t *p, size_t len, uint32_t start)
{
    uint64_t s = start;

    for (size_t i = 0; i < len; i++)
        s += i % 2 ? p[i] : (uint32_t)p[i] << 8;
    while (s >> 16)
        s = (s & 0xffff) + (s >> 16);
    return (uint32_t)s;
}

static uint32_t pseudo(const uint8_t *ip, uint8_t protocol, size_t len)
{
    return sum(ip + 12, 8, protocol + (uint32_t)len);
}

static void put_ip(uint8_t *p, uint8_t protocol, uint32_t from, uint32_t to, size_t total)
{
    memset(p, 0, IPV4_LEN);
    p[0] = 0x45;
    put16(p + 2, (uint32_t)total);
    put16(p + 6, 0x4000); /* DF */
    p[8] = 64;
    p[9] = protocol;
    put32(p + 12, from);
    put32(p + 16, to);
    put16(p + 10, ~sum(p, IPV4_LEN, 0) & 0xffff);
}

/* Bytes that depend on where they stand, so that none can be mistaken. */
static uint8_t filler(uint32_t position)
{
    return (uint8_t)(position * 7 + (position >> 8) * 13 + (position >> 16) * 29);
}

uint32_t packet_address(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return (uint32_t)a << 24 | (uint32_t)b << 16 | (uint32_t)c << 8 | d;
}

size_t packet_echo(uint8_t *out, uint8_t type, uint32_t from, uint32_t to, uint16_t id,
                   uint16_t seq, size_t payload_len)
{
    const size_t total = IPV4_LEN + ICMP_LEN + payload_len;
    uint8_t *icmp = out + IPV4_LEN;

    put_ip(out, 1, from, to, total);
    memset(icmp, 0, ICMP_LEN);
    icmp[0] = type;
    put16(icmp + 4, id);
    put16(icmp + 6, seq);
    for (size_t i = 0; i < payload_len; i++)
        icmp[ICMP_LEN + i] = filler(seq * 31u + (uint32_t)i);
    put16(icmp + 2, ~sum(icmp, ICMP_LEN + payload_len, 0) & 0xffff);
    return total;
}

bool packet_ip_is_right(const uint8_t *p, size_t len)
{
    return len >= IPV4_LEN && p[0] == 0x45 && get16(p + 2) == len && sum(p, IPV4_LEN, 0) == 0xffff;
}

bool packet_read_echo(const uint8_t *p, size_t len, struct echo *out)
{
    const uint8_t *icmp = p + IPV4_LEN;

    if (!packet_ip_is_right(p, len) || len < IPV4_LEN + ICMP_LEN || p[9] != 1)
        return false;
    if (sum(icmp, len - IPV4_LEN, 0) != 0xffff || icmp[1] != 0)
        return false;
    *out = (struct echo){.type = icmp[0],
                         .from = get32(p + 12),
                         .to = get32(p + 16),
                         .id = (uint16_t)get16(icmp + 4),
                         .seq = (uint16_t)get16(icmp + 6),
                         .payload_len = len - IPV4_LEN - ICMP_LEN};
    if (out->type != ECHO_REQUEST && out->type != ECHO_REPLY)
        return false;
    for (size_t i = 0; i < out->payload_len; i++)
        if (icmp[ICMP_LEN + i] != filler(out->seq * 31u + (uint32_t)i))
            return false;
    return true;
}

bool packet_is_icmp_error(const uint8_t *p, size_t len)
{
    const uint8_t *icmp = p + IPV4_LEN;

    return packet_ip_is_right(p, len) && len >= IPV4_LEN + ICMP_LEN + IPV4_LEN && p[9] == 1 &&
           (icmp[0] == 3 || icmp[0] == 11) && sum(icmp, len - IPV4_LEN, 0) == 0xffff &&
           icmp[ICMP_LEN] == 0x45;
}

bool packet_error_about(const uint8_t *p, size_t len, uint16_t *id)
{
    const uint8_t *about = p + IPV4_LEN + ICMP_LEN;

    if (len < 2 * (IPV4_LEN + ICMP_LEN) || about[9] != 1)
        return false;
    *id = (uint16_t)get16(about + IPV4_LEN + 4);
    return true;
}

size_t packet_tcp(uint8_t *out, uint32_t from, uint32_t to, uint32_t seq, size_t payload_len,
                  bool partial)
{
    const size_t total = IPV4_LEN + TCP_LEN + payload_len;
    uint8_t *tcp = out + IPV4_LEN;

    put_ip(out, 6, from, to, total);
    memset(tcp, 0, TCP_LEN);
    put16(tcp, 40000);
    put16(tcp + 2, 443);
    put32(tcp + 4, seq);
    put32(tcp + 8, 1);
    tcp[12] = 5 << 4;
    tcp[13] = 0x10; /* ACK */
    put16(tcp + 14, 65535);
    for (size_t i = 0; i < payload_len; i++)
        tcp[TCP_LEN + i] = filler(seq + (uint32_t)i);

    const uint32_t header = pseudo(out, 6, TCP_LEN + payload_len);
    put16(tcp + 16, partial ? header : ~sum(tcp, TCP_LEN + payload_len, header) & 0xffff);
    return total;
}

bool packet_tcp_payload_is_right(const uint8_t *p, size_t len)
{
    const uint8_t *tcp = p + IPV4_LEN;

    if (!packet_ip_is_right(p, len) || len < IPV4_LEN + TCP_LEN || p[9] != 6)
        return false;

    const uint32_t seq = get32(tcp + 4);
    for (size_t i = 0; i < len - IPV4_LEN - TCP_LEN; i++)
        if (tcp[TCP_LEN + i] != filler(seq + (uint32_t)i))
            return false;
    return true;
}
