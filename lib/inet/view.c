/* SPDX-License-Identifier: Apache-2.0 */
/* Reads and checks IP headers; lowers TTLs and verifies transport checksums. Does
 * not look into payloads. RFC 791 section 3.1, 8200 sections 3 and 4, 6946 (atomic
 * fragments), 1624 (TTL and checksum). */
#include "inet/inet.h"

#include <string.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/reader.h"

#define IPV4_MORE_FRAGMENTS 0x2000
#define IPV4_DONT_FRAGMENT 0x4000
#define EXTENSION_HEADERS_MAX 8

enum extension_header {
    HOP_BY_HOP = 0,
    ROUTING = 43,
    FRAGMENT = 44,
    AUTHENTICATION = 51,
    DESTINATION = 60,
    MOBILITY = 135,
    HIP = 139,
    SHIM6 = 140,
};

static s2svpn_address address(uint8_t family, const uint8_t *bytes)
{
    s2svpn_address a = {.family = family};

    memcpy(a.bytes, bytes, family == S2SVPN_FAMILY_IPV4 ? 4 : 16);
    return a;
}

/* A fragment's place: first counts in bytes, len is what it carries. All but the
 * last are multiples of 8, and none ends behind what a packet can hold. */
static bool check_fragment(struct s2_inet_view *v, uint32_t first, bool more, uint32_t len)
{
    v->fragment = more || first > 0;
    v->first_fragment = more && first == 0;
    if (!v->fragment)
        return true;
    if (more && (len == 0 || len % 8 != 0))
        return false;
    return first + len <= 65535;
}

/* Ports, or what stands for them in ICMP: only where the packet has them. */
static void read_ports(struct s2_reader *r, struct s2_inet_view *v)
{
    if ((v->fragment && !v->first_fragment) || r->left < 4)
        return;
    const s2svpn_span h = s2_read_span(r, r->left < 8 ? 4 : 8, "ports");
    bool echo = false;

    switch (v->protocol) {
    case S2_IP_TCP:
    case S2_IP_UDP:
        v->source_port = s2_get_u16(h.p);
        v->destination_port = s2_get_u16(h.p + 2);
        return;
    case S2_IP_ICMP:
        echo = h.p[0] == 0 || h.p[0] == 8 || (h.p[0] >= 13 && h.p[0] <= 18);
        break;
    case S2_IP_ICMPV6:
        echo = h.p[0] == 128 || h.p[0] == 129;
        break;
    default:
        return;
    }
    v->source_port = s2_get_u16(h.p); /* type and code */
    if (echo && h.len == 8)
        v->destination_port = s2_get_u16(h.p + 4);
}

static bool view_ipv4(struct s2_reader *r, struct s2_inet_view *v)
{
    const size_t len = r->left;
    const s2svpn_span h = s2_read_span(r, 20, "ip.header");

    if (r->rc != S2SVPN_OK)
        return false;
    v->header_len = (uint16_t)((h.p[0] & 15) * 4);
    v->total_len = s2_get_u16(h.p + 2);
    if (v->header_len < 20 || v->header_len > v->total_len || v->total_len > len)
        return false;
    s2_read_skip(r, v->header_len - 20U, "ip.options");
    if (s2_checksum_finish(s2_checksum_add(0, h.p, v->header_len)) != 0)
        return false;

    const uint16_t fragment = s2_get_u16(h.p + 6);
    const uint16_t carried = (uint16_t)(v->total_len - v->header_len);
    v->version = 4;
    v->tos = h.p[1];
    v->ttl = h.p[8];
    v->protocol = h.p[9];
    v->dont_fragment = (fragment & IPV4_DONT_FRAGMENT) != 0;
    v->source = address(S2SVPN_FAMILY_IPV4, h.p + 12);
    v->destination = address(S2SVPN_FAMILY_IPV4, h.p + 16);
    if (!check_fragment(v, (fragment & 0x1fffU) * 8, (fragment & IPV4_MORE_FRAGMENTS) != 0,
                        carried))
        return false;
    struct s2_reader transport = s2_read_sub(r, carried, "ip.total_length");
    read_ports(&transport, v);
    return true;
}

static bool is_extension(uint8_t next_header)
{
    switch (next_header) {
    case HOP_BY_HOP:
    case ROUTING:
    case FRAGMENT:
    case AUTHENTICATION:
    case DESTINATION:
    case MOBILITY:
    case HIP:
    case SHIM6:
        return true;
    default:
        return false;
    }
}

/* Walk the extension headers, RFC 8200 section 4; r is left at the transport's
 * header. Behind the header of a fragment that is not the first come bytes from
 * the middle of a packet, which are not walked. */
static bool walk_extensions(struct s2_reader *r, struct s2_inet_view *v)
{
    bool seen_fragment = false;

    for (unsigned n = 0; is_extension(v->protocol); n++) {
        const uint8_t kind = v->protocol;
        const s2svpn_span h = s2_read_span(r, 8, "ip.extension"); /* each has at least 8 */

        if (r->rc != S2SVPN_OK || n == EXTENSION_HEADERS_MAX)
            return false;
        if (kind == HOP_BY_HOP && n > 0)
            return false; /* section 4.3: immediately behind the IPv6 header */
        v->protocol = h.p[0];
        if (kind != FRAGMENT) {
            const size_t rest =
                kind == AUTHENTICATION ? (h.p[1] + 2U) * 4 : (h.p[1] + 1U) * 8; /* RFC 4302 2.2 */
            s2_read_skip(r, rest - 8, "ip.extension");
            continue;
        }
        const uint16_t place = s2_get_u16(h.p + 2);
        if (seen_fragment ||
            !check_fragment(v, place & 0xfff8U, (place & 1) != 0, (uint32_t)r->left))
            return false;
        seen_fragment = true;
        if (v->fragment && !v->first_fragment)
            return true;
    }
    return r->rc == S2SVPN_OK;
}

static bool view_ipv6(struct s2_reader *r, struct s2_inet_view *v)
{
    const s2svpn_span h = s2_read_span(r, 40, "ip.header");

    if (r->rc != S2SVPN_OK)
        return false;
    const size_t carried = s2_get_u16(h.p + 4);
    if (carried + 40 > 65535) /* neither jumbograms nor the last 40 bytes below them */
        return false;
    struct s2_reader rest = s2_read_sub(r, carried, "ip.payload_length");
    v->version = 6;
    v->tos = (uint8_t)(s2_get_u16(h.p) >> 4);
    v->ttl = h.p[7];
    v->protocol = h.p[6];
    v->dont_fragment = true;
    v->total_len = (uint16_t)(carried + 40);
    v->source = address(S2SVPN_FAMILY_IPV6, h.p + 8);
    v->destination = address(S2SVPN_FAMILY_IPV6, h.p + 24);
    if (r->rc != S2SVPN_OK || !walk_extensions(&rest, v))
        return false;
    v->header_len = (uint16_t)(v->total_len - rest.left);
    read_ports(&rest, v);
    return true;
}

bool s2_inet_view(const uint8_t *p, size_t len, struct s2_inet_view *v)
{
    struct s2_reader r;

    *v = (struct s2_inet_view){0};
    s2_reader_init(&r, p, len);
    struct s2_reader peek = r;
    switch (s2_read_u8(&peek, "ip.version") >> 4) {
    case 4:
        return view_ipv4(&r, v);
    case 6:
        return view_ipv6(&r, v);
    default:
        return false;
    }
}

void s2_inet_lower_ttl(uint8_t *p, const struct s2_inet_view *v)
{
    if (v->version == 6) {
        p[7]--;
        return;
    }
    const uint16_t before = s2_get_u16(p + 8); /* TTL and protocol */
    p[8]--;
    s2_put_u16(p + 10, s2_checksum_update(s2_get_u16(p + 10), before, s2_get_u16(p + 8)));
}

uint64_t s2_inet_pseudo_sum(const s2svpn_address *from, const s2svpn_address *to, uint8_t protocol,
                            size_t len)
{
    const size_t address_len = from->family == S2SVPN_FAMILY_IPV4 ? 4 : 16;
    uint64_t sum = s2_checksum_add(0, from->bytes, address_len);

    /* IPv6 has the length as 32 bits; the upper half adds the same way. */
    sum = s2_checksum_add(sum, to->bytes, address_len);
    sum = s2_checksum_add_u16(sum, (uint16_t)(len >> 16));
    sum = s2_checksum_add_u16(sum, (uint16_t)len);
    return s2_checksum_add_u16(sum, protocol);
}

bool s2_inet_checksum_right(const uint8_t *p, const struct s2_inet_view *v)
{
    const uint8_t *transport = p + v->header_len;
    const size_t len = (size_t)v->total_len - v->header_len;
    uint64_t sum = 0;

    switch (v->protocol) {
    case S2_IP_TCP:
        if (len < 20)
            return false;
        break;
    case S2_IP_UDP:
        if (len < 8 || s2_get_u16(transport + 4) != len)
            return false;
        if (s2_get_u16(transport + 6) == 0)
            return v->version == 4; /* RFC 768; RFC 8200 section 8.1 */
        break;
    case S2_IP_ICMP:
    case S2_IP_ICMPV6:
        if (len < 8 || (v->protocol == S2_IP_ICMP) != (v->version == 4))
            return false;
        break;
    default:
        return false;
    }
    if (v->fragment)
        return false;
    if (v->protocol != S2_IP_ICMP)
        sum = s2_inet_pseudo_sum(&v->source, &v->destination, v->protocol, len);
    return s2_checksum_finish(s2_checksum_add(sum, transport, len)) == 0;
}
