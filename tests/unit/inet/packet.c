/* SPDX-License-Identifier: Apache-2.0 */
/* Packets for the tests of inet. */
#include "packet.h"

#include <CUnit/CUnit.h>
#include <string.h>

#include "base/bytes.h"

static const uint8_t addresses[2][2][16] = {
    {{10, 0, 0, 1}, {192, 0, 2, 200}},
    {{0x20, 0x01, 0x0d, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1},
     {0x20, 0x01, 0x0d, 0xb8, 0xff, 0xff, 0, 0, 0, 0, 0, 0, 0xfe, 0xdc, 0xba, 0x98}},
};

/* RFC 1071 by the book: 16-bit words, big end first. */
static uint32_t sum(uint32_t start, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        start += i % 2 == 0 ? (uint32_t)p[i] << 8 : p[i];
    while (start > 0xffff)
        start = (start & 0xffff) + (start >> 16);
    return start;
}

static uint32_t pseudo(const uint8_t *p, uint8_t protocol, size_t len)
{
    const uint32_t start = p[0] >> 4 == 4 ? sum(0, p + 12, 8) : sum(0, p + 8, 32);

    return start + protocol + (uint32_t)len;
}

size_t s2_ip_len(const uint8_t *p)
{
    return p[0] >> 4 == 4 ? (p[0] & 15U) * 4 : 40;
}

void s2_fix_ip(uint8_t *p)
{
    s2_put_u16(p + 10, 0);
    s2_put_u16(p + 10, (uint16_t)~sum(0, p, s2_ip_len(p)));
}

static size_t write_transport(uint8_t *out, const struct s2_packet *k, uint8_t protocol)
{
    size_t len = 0;

    if (protocol == S2_IP_TCP) {
        len = 20 + k->tcp_options.len;
        s2_put_u16(out, k->from_port);
        s2_put_u16(out + 2, k->to_port);
        s2_put_u32(out + 4, k->seq);
        s2_put_u32(out + 8, k->ack);
        out[12] = (uint8_t)(len / 4 << 4);
        out[13] = k->flags != 0 ? k->flags : ACK;
        s2_put_u16(out + 14, k->window);
        s2_put_u16(out + 18, k->urgent);
        if (k->tcp_options.len > 0)
            memcpy(out + 20, k->tcp_options.p, k->tcp_options.len);
    } else if (protocol == S2_IP_UDP) {
        len = 8;
        s2_put_u16(out, k->from_port);
        s2_put_u16(out + 2, k->to_port);
        s2_put_u16(out + 4, (uint16_t)(8 + k->payload.len));
    }
    if (k->payload.len > 0)
        memcpy(out + len, k->payload.p, k->payload.len);
    return len + k->payload.len;
}

static size_t checksum_at(uint8_t protocol)
{
    switch (protocol) {
    case S2_IP_TCP:
        return 16;
    case S2_IP_UDP:
        return 6;
    case S2_IP_ICMP:
    case S2_IP_ICMPV6:
        return 2;
    default:
        return 0;
    }
}

size_t s2_write_packet(uint8_t *out, const struct s2_packet *k)
{
    const bool ipv6 = k->version == 6;
    const uint8_t protocol = k->protocol != 0 ? k->protocol : S2_IP_TCP;
    const size_t ip_len = (ipv6 ? 40 : 20) + k->ip_options.len;

    memset(out, 0, ip_len + 60);
    const size_t len = write_transport(out + ip_len, k, protocol);
    if (ipv6) {
        s2_put_u32(out, UINT32_C(6) << 28 | (uint32_t)k->tos << 20);
        s2_put_u16(out + 4, (uint16_t)(k->ip_options.len + len));
        out[6] = k->ip_options.len > 0 ? k->next_header : protocol;
        out[7] = k->ttl != 0 ? k->ttl : 64;
        memcpy(out + 8, addresses[1][k->swapped], 16);
        memcpy(out + 24, addresses[1][!k->swapped], 16);
        if (k->ip_options.len > 0)
            memcpy(out + 40, k->ip_options.p, k->ip_options.len);
    } else {
        out[0] = (uint8_t)(0x40 | ip_len / 4);
        out[1] = k->tos;
        s2_put_u16(out + 2, (uint16_t)(ip_len + len));
        s2_put_u16(out + 4, k->id);
        s2_put_u16(out + 6, (uint16_t)((k->dont_fragment ? 0x4000 : 0) | k->place));
        out[8] = k->ttl != 0 ? k->ttl : 64;
        out[9] = protocol;
        memcpy(out + 12, addresses[0][k->swapped], 4);
        memcpy(out + 16, addresses[0][!k->swapped], 4);
        if (k->ip_options.len > 0)
            memcpy(out + 20, k->ip_options.p, k->ip_options.len);
        s2_fix_ip(out);
    }
    const size_t at = checksum_at(protocol);
    if (at == 0 || len < at + 2)
        return ip_len + len;
    uint8_t *field = out + ip_len + at;
    s2_put_u16(field, 0);
    const uint32_t start = protocol == S2_IP_ICMP ? 0 : pseudo(out, protocol, len);
    uint16_t checksum = (uint16_t)~sum(start, out + ip_len, len);
    if (protocol == S2_IP_UDP && checksum == 0)
        checksum = 0xffff;
    s2_put_u16(field, checksum);
    return ip_len + len;
}

bool s2_check_packet(const uint8_t *p, size_t len)
{
    const bool ipv6 = p[0] >> 4 == 6;
    const size_t ip_len = s2_ip_len(p);
    const uint8_t protocol = p[ipv6 ? 6 : 9];

    if (ipv6 ? s2_get_u16(p + 4) + 40U != len : s2_get_u16(p + 2) != len)
        return false;
    if (!ipv6 && sum(0, p, ip_len) != 0xffff)
        return false;
    if (protocol == S2_IP_UDP && s2_get_u16(p + ip_len + 4) != len - ip_len)
        return false;
    const uint32_t start = protocol == S2_IP_ICMP ? 0 : pseudo(p, protocol, len - ip_len);
    return checksum_at(protocol) != 0 && sum(start, p + ip_len, len - ip_len) == 0xffff;
}

struct s2_inet_view s2_must_view(const uint8_t *p, size_t len)
{
    struct s2_inet_view v;

    if (!s2_inet_view(p, len, &v))
        CU_FAIL_FATAL("no view");
    return v;
}

/* xorshift64*, Vigna 2016. */
uint32_t s2_next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return (uint32_t)(*state * UINT64_C(0x2545f4914f6cdd1d) >> 32);
}
