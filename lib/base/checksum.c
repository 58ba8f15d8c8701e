/* SPDX-License-Identifier: Apache-2.0 */
/* The Internet checksum, RFC 1071 (byte-order independence: section 2 (B)), and
 * its incremental update, RFC 1624 section 3. A sum holds 16-bit words as they
 * lie in memory, four side by side; only finish() cares for the byte order. */
#include "base/checksum.h"

#include <string.h>

#include "base/bytes.h"

/* One's complement addition: a carry out of the top comes in at the bottom,
 * 2^64 being 1 modulo 2^16 - 1. */
static uint64_t add_around(uint64_t sum, uint64_t v)
{
    sum += v;
    return sum + (sum < v);
}

static uint64_t load(const uint8_t *p)
{
    uint64_t v;

    memcpy(&v, p, sizeof(v));
    return v;
}

uint64_t s2_checksum_add(uint64_t sum, const void *data, size_t len)
{
    const uint8_t *p = data;
    uint64_t b = 0, c = 0, d = 0;

    /* Four sums side by side hide the latency of the carries. */
    for (; len >= 32; len -= 32, p += 32) {
        sum = add_around(sum, load(p));
        b = add_around(b, load(p + 8));
        c = add_around(c, load(p + 16));
        d = add_around(d, load(p + 24));
    }
    for (; len >= 8; len -= 8, p += 8)
        sum = add_around(sum, load(p));
    if (len > 0) {
        uint8_t tail[8] = {0};

        memcpy(tail, p, len);
        sum = add_around(sum, load(tail));
    }
    return add_around(add_around(sum, b), add_around(c, d));
}

uint64_t s2_checksum_add_u16(uint64_t sum, uint16_t v)
{
    uint8_t wire[2];

    s2_put_u16(wire, v);
    return s2_checksum_add(sum, wire, sizeof(wire));
}

uint16_t s2_checksum_finish(uint64_t sum)
{
    uint8_t wire[2];

    sum = (sum & UINT32_MAX) + (sum >> 32); /* at most 33 bits */
    sum = (sum & 0xffff) + (sum >> 16);     /* at most 18 */
    sum = (sum & 0xffff) + (sum >> 16);     /* at most 0x10002 */
    sum = (sum & 0xffff) + (sum >> 16);
    const uint16_t folded = (uint16_t)~sum;
    memcpy(wire, &folded, sizeof(wire));
    return s2_get_u16(wire);
}

uint16_t s2_checksum_update(uint16_t checksum, uint16_t old_word, uint16_t new_word)
{
    /* HC' = ~(~HC + ~m + m'); RFC 1624 says why not RFC 1141's form. */
    uint32_t sum = (uint32_t)(uint16_t)~checksum + (uint16_t)~old_word + new_word;

    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}
