/* SPDX-License-Identifier: Apache-2.0 */
/* Addresses and prefixes: compare, mask, contain. Their texts are in
 * address_text.c. */
#include "base/address.h"

#include <string.h>

#include "base/bytes.h"

uint8_t s2_family_bits(uint8_t family)
{
    switch (family) {
    case S2SVPN_FAMILY_IPV4:
        return 32;
    case S2SVPN_FAMILY_IPV6:
        return 128;
    default:
        return 0;
    }
}

s2svpn_address s2_address_from(uint8_t family, const uint8_t *bytes)
{
    s2svpn_address a = {.family = S2SVPN_FAMILY_NONE};
    const size_t len = s2_family_bits(family) / 8;

    if (len > 0) {
        a.family = family;
        memcpy(a.bytes, bytes, len);
    }
    return a;
}

s2svpn_address s2_address_ipv4(uint32_t host_order)
{
    s2svpn_address a = {.family = S2SVPN_FAMILY_IPV4};

    s2_put_u32(a.bytes, host_order);
    return a;
}

uint32_t s2_address_ipv4_value(const s2svpn_address *a)
{
    return s2_get_u32(a->bytes);
}

size_t s2_address_len(const s2svpn_address *a)
{
    return s2_family_bits(a->family) / 8;
}

int s2_address_compare(const s2svpn_address *a, const s2svpn_address *b)
{
    if (a->family != b->family)
        return a->family < b->family ? -1 : 1;
    const int order = memcmp(a->bytes, b->bytes, s2_address_len(a));
    return (order > 0) - (order < 0);
}

bool s2_address_equal(const s2svpn_address *a, const s2svpn_address *b)
{
    return s2_address_compare(a, b) == 0;
}

bool s2_endpoint_equal(const s2svpn_endpoint *a, const s2svpn_endpoint *b)
{
    return a->port == b->port && a->role == b->role && s2_address_equal(&a->address, &b->address);
}

bool s2_prefix_equal(const s2svpn_prefix *a, const s2svpn_prefix *b)
{
    return a->length == b->length && s2_address_equal(&a->address, &b->address);
}

/* Are the first bits of both equal? bits is at most 128. */
static bool same_start(const uint8_t *a, const uint8_t *b, unsigned bits)
{
    const size_t whole = bits / 8;

    if (memcmp(a, b, whole) != 0)
        return false;
    return bits % 8 == 0 || (a[whole] ^ b[whole]) >> (8 - bits % 8) == 0;
}

bool s2_prefix_contains(const s2svpn_prefix *p, const s2svpn_address *a)
{
    const uint8_t bits = s2_family_bits(p->address.family);

    return bits > 0 && p->length <= bits && p->address.family == a->family &&
           same_start(p->address.bytes, a->bytes, p->length);
}

bool s2_prefix_covers(const s2svpn_prefix *outer, const s2svpn_prefix *inner)
{
    return inner->length >= outer->length && s2_prefix_contains(outer, &inner->address);
}

bool s2_prefix_overlaps(const s2svpn_prefix *a, const s2svpn_prefix *b)
{
    return s2_prefix_covers(a, b) || s2_prefix_covers(b, a);
}

s2svpn_prefix s2_prefix_make(const s2svpn_address *a, uint8_t length)
{
    const uint8_t bits = s2_family_bits(a->family);
    s2svpn_prefix p = {.length = length < bits ? length : bits};
    const size_t whole = p.length / 8;

    p.address.family = bits > 0 ? a->family : (uint8_t)S2SVPN_FAMILY_NONE;
    memcpy(p.address.bytes, a->bytes, whole);
    if (p.length % 8 != 0)
        p.address.bytes[whole] = (uint8_t)(a->bytes[whole] & 0xff << (8 - p.length % 8));
    return p;
}
