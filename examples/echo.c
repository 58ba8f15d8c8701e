/* SPDX-License-Identifier: Apache-2.0 */
/* Pings, written and read. */
#include "echo.h"

#include <string.h>

#define IPV4_LEN 20
#define IPV6_LEN 40
#define ICMP_LEN 8
#define HOPS 64
#define ICMP 1
#define ICMPV6 58
#define DONT_FRAGMENT 0x4000
#define FRAGMENT_BITS 0x3fff /* more fragments, offset */

static void put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static unsigned get16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

/* RFC 1071; folded and inverted by checksum(). */
static uint32_t add(uint32_t sum, const uint8_t *p, size_t len)
{
    for (size_t i = 0; i + 1 < len; i += 2)
        sum += get16(p + i);
    if (len & 1)
        sum += (uint32_t)p[len - 1] << 8;
    return sum;
}

static unsigned checksum(uint32_t sum)
{
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return ~sum & 0xffff;
}

/* Of ICMP at the end of a packet; with IPv6 of the pseudo header too, RFC 8200 section 8.1. */
static uint32_t icmp_sum(const uint8_t *p, size_t header, size_t len)
{
    uint32_t sum = add(0, p + header, len - header);

    if (header == IPV6_LEN)
        sum = add(sum, p + 8, 32) + (uint32_t)(len - header) + ICMPV6;
    return sum;
}

static uint8_t type_of(bool ipv6, bool reply)
{
    if (ipv6)
        return reply ? 129 : 128;
    return reply ? 0 : 8;
}

size_t echo_write(const struct echo *e, uint8_t *out, size_t room)
{
    const bool ipv6 = e->from.family == S2SVPN_FAMILY_IPV6;
    const size_t header = ipv6 ? IPV6_LEN : IPV4_LEN;
    uint8_t *icmp = out + header;

    if (e->len < header + ICMP_LEN || e->len > room || e->from.family != e->to.family)
        return 0;
    memset(out, 0, header + ICMP_LEN);
    memset(out + header + ICMP_LEN, 'x', e->len - header - ICMP_LEN);
    if (ipv6) {
        out[0] = 0x60;
        put16(out + 4, (unsigned)(e->len - header));
        out[6] = ICMPV6;
        out[7] = HOPS;
        memcpy(out + 8, e->from.bytes, 16);
        memcpy(out + 24, e->to.bytes, 16);
    } else {
        out[0] = 0x45;
        put16(out + 2, e->len);
        put16(out + 4, e->sequence); /* what joins the fragments */
        put16(out + 6, e->dont_fragment ? DONT_FRAGMENT : 0);
        out[8] = HOPS;
        out[9] = ICMP;
        memcpy(out + 12, e->from.bytes, 4);
        memcpy(out + 16, e->to.bytes, 4);
        put16(out + 10, checksum(add(0, out, IPV4_LEN)));
    }
    icmp[0] = type_of(ipv6, e->reply);
    put16(icmp + 4, e->id);
    put16(icmp + 6, e->sequence);
    put16(icmp + 2, checksum(icmp_sum(out, header, e->len)));
    return e->len;
}

static bool read_ipv4(const uint8_t *p, size_t len, struct echo *e)
{
    if (len < IPV4_LEN + ICMP_LEN || p[0] != 0x45 || p[9] != ICMP || get16(p + 2) != len ||
        get16(p + 6) & FRAGMENT_BITS || checksum(add(0, p, IPV4_LEN)) != 0)
        return false;
    e->dont_fragment = (get16(p + 6) & DONT_FRAGMENT) != 0;
    e->from.family = e->to.family = S2SVPN_FAMILY_IPV4;
    memcpy(e->from.bytes, p + 12, 4);
    memcpy(e->to.bytes, p + 16, 4);
    return true;
}

static bool read_ipv6(const uint8_t *p, size_t len, struct echo *e)
{
    if (len < IPV6_LEN + ICMP_LEN || p[6] != ICMPV6 || get16(p + 4) + IPV6_LEN != len)
        return false;
    e->from.family = e->to.family = S2SVPN_FAMILY_IPV6;
    memcpy(e->from.bytes, p + 8, 16);
    memcpy(e->to.bytes, p + 24, 16);
    return true;
}

bool echo_read(const uint8_t *p, size_t len, struct echo *out)
{
    const bool ipv6 = len > 0 && p[0] >> 4 == 6;
    const size_t header = ipv6 ? IPV6_LEN : IPV4_LEN;
    struct echo e = {.len = (uint16_t)len};
    const uint8_t *icmp = p + header;

    if (len > UINT16_MAX || !(ipv6 ? read_ipv6(p, len, &e) : read_ipv4(p, len, &e)))
        return false;
    if ((icmp[0] != type_of(ipv6, true) && icmp[0] != type_of(ipv6, false)) || icmp[1] != 0 ||
        checksum(icmp_sum(p, header, len)) != 0)
        return false;
    e.reply = icmp[0] == type_of(ipv6, true);
    e.id = (uint16_t)get16(icmp + 4);
    e.sequence = (uint16_t)get16(icmp + 6);
    *out = e;
    return true;
}

size_t echo_fragment(const uint8_t *p, size_t len, const s2svpn_address *from,
                     const s2svpn_address *to)
{
    if (from->family != S2SVPN_FAMILY_IPV4 || len <= IPV4_LEN || p[0] != 0x45 || p[9] != ICMP ||
        get16(p + 2) != len || (get16(p + 6) & FRAGMENT_BITS) == 0 ||
        memcmp(p + 12, from->bytes, 4) != 0 || memcmp(p + 16, to->bytes, 4) != 0)
        return 0;
    return len - IPV4_LEN;
}
