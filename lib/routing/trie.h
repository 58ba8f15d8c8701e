/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The FIB's trie as both sides see it: fib.c writes, lookup.c reads. A multibit
 * trie with six bits a step, bitmaps instead of empty slots (after Eatherton,
 * Varghese, Dittia 2004) and path compression; one a family. What a prefix and an
 * address are in it; nothing that changes it.
 *
 * A node at depth d (a multiple of six) holds the prefixes of length d + 1 to
 * d + 6 below its key; the prefix of length 0 stands in the node of depth 0.
 *
 *     inner:    bit (1 << r | first r bits) for a prefix of d + r bits, r < 6
 *     leaves:   bit (six bits) for one of d + 6 bits
 *     children: bit (six bits) for a node that is deeper, by six bits or more
 *     slot[]:   the values of inner, those of leaves, then the children
 *
 * A value of 0 is a tombstone: a removal that got no memory for a smaller node.
 */
#ifndef S2_ROUTING_TRIE_H
#define S2_ROUTING_TRIE_H

#include "routing/routing.h"

#include "base/address.h"
#include "base/bytes.h"

#define S2_FIB_STRIDE 6u
#define S2_FIB_DEEPEST 126 /* of a node: 21 steps */

/* An address as two words; IPv4 fills the upper half of the first. */
struct s2_fib_bits {
    uint64_t hi, lo;
};

union s2_fib_slot {
    _Atomic uint64_t value;
    _Atomic(struct s2_fib_node *) child;
};

/* What lookups read stands together behind what they don't. */
struct s2_fib_node {
    struct s2_retired retired;
    struct s2_fib_bits key; /* the first depth bits of all that is below */
    uint64_t inner, leaves, children;
    uint8_t depth, inner_count, value_count, child_count;
    union s2_fib_slot slot[];
};

struct s2_fib {
    const struct s2_env *env;
    struct s2_epochs *epochs;
    _Atomic(struct s2_fib_node *) ipv4, ipv6;
    size_t count;
    unsigned changes;
};

/* Where in a node a prefix stands. */
struct s2_fib_place {
    struct s2_fib_bits key;
    uint8_t depth; /* of its node */
    bool leaf;
    uint8_t bit; /* of leaves or inner */
};

static inline uint64_t s2_fib_bit(unsigned n)
{
    return UINT64_C(1) << n;
}

static inline unsigned s2_fib_count_bits(uint64_t v)
{
    v -= v >> 1 & UINT64_C(0x5555555555555555);
    v = (v & UINT64_C(0x3333333333333333)) + (v >> 2 & UINT64_C(0x3333333333333333));
    v = (v + (v >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (unsigned)(v * UINT64_C(0x0101010101010101) >> 56);
}

/* How many bits of mask are below bit n. */
static inline unsigned s2_fib_rank(uint64_t mask, unsigned n)
{
    return s2_fib_count_bits(mask & (s2_fib_bit(n) - 1));
}

static inline unsigned s2_fib_highest(uint64_t mask)
{
    return 63u - (unsigned)__builtin_clzll(mask);
}

static inline struct s2_fib_bits s2_fib_to_bits(const s2svpn_address *a)
{
    if (a->family == S2SVPN_FAMILY_IPV4)
        return (struct s2_fib_bits){.hi = (uint64_t)s2_address_ipv4_value(a) << 32};
    return (struct s2_fib_bits){.hi = s2_get_u64(a->bytes), .lo = s2_get_u64(a->bytes + 8)};
}

/* The six bits behind depth; what is behind the address is 0. */
static inline unsigned s2_fib_step(const struct s2_fib_bits *a, unsigned depth)
{
    if (depth <= 64 - S2_FIB_STRIDE)
        return a->hi >> (64 - S2_FIB_STRIDE - depth) & 63;
    if (depth < 64)
        return (a->hi << (depth - (64 - S2_FIB_STRIDE)) | a->lo >> (128 - S2_FIB_STRIDE - depth)) &
               63;
    if (depth <= 128 - S2_FIB_STRIDE)
        return a->lo >> (128 - S2_FIB_STRIDE - depth) & 63;
    return a->lo << (depth - (128 - S2_FIB_STRIDE)) & 63;
}

/* How many leading bits are equal. */
static inline unsigned s2_fib_common(const struct s2_fib_bits *a, const struct s2_fib_bits *b)
{
    if (a->hi != b->hi)
        return (unsigned)__builtin_clzll(a->hi ^ b->hi);
    return a->lo != b->lo ? 64 + (unsigned)__builtin_clzll(a->lo ^ b->lo) : 128;
}

static inline bool s2_fib_below(const struct s2_fib_bits *a, const struct s2_fib_node *n)
{
    return s2_fib_common(a, &n->key) >= n->depth;
}

static inline struct s2_fib_node *s2_fib_load(const _Atomic(struct s2_fib_node *) *slot)
{
    return atomic_load_explicit(slot, memory_order_acquire);
}

static inline uint64_t s2_fib_value(const struct s2_fib_node *n, unsigned i)
{
    return atomic_load_explicit(&n->slot[i].value, memory_order_acquire);
}

static inline unsigned s2_fib_value_index(const struct s2_fib_node *n, bool leaf, unsigned b)
{
    return leaf ? n->inner_count + s2_fib_rank(n->leaves, b) : s2_fib_rank(n->inner, b);
}

/* The slot of the child on this step, which must be there. */
static inline unsigned s2_fib_child_index(const struct s2_fib_node *n, unsigned step)
{
    return n->value_count + s2_fib_rank(n->children, step);
}
/* Does n hold this very place, be it with a tombstone? */
static inline bool s2_fib_holds(const struct s2_fib_node *n, const struct s2_fib_place *at)
{
    return n != NULL && n->depth == at->depth && s2_fib_below(&at->key, n) &&
           (at->leaf ? n->leaves : n->inner) >> at->bit & 1;
}

/* Does the way to the prefix go on below n, to a child that is there? */
static inline bool s2_fib_goes_on(const struct s2_fib_node *n, const struct s2_fib_place *at)
{
    return n != NULL && n->depth < at->depth && s2_fib_below(&at->key, n) &&
           n->children >> s2_fib_step(&at->key, n->depth) & 1;
}

/* Where a prefix stands; false: it is none, or has bits behind its length. */
bool s2_fib_locate(const s2svpn_prefix *p, struct s2_fib_place *out);

#endif
