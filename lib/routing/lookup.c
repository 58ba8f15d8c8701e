/* SPDX-License-Identifier: Apache-2.0 */
/* Lookups in the FIB, from any thread that is inside an epoch: loads with acquire,
 * no lock, no store. */
#include "routing/trie.h"

bool s2_fib_locate(const s2svpn_prefix *p, struct s2_fib_place *out)
{
    const unsigned most = s2_family_bits(p->address.family);

    if (most == 0 || p->length > most)
        return false;
    const s2svpn_prefix clean = s2_prefix_make(&p->address, p->length);
    if (!s2_address_equal(&clean.address, &p->address))
        return false;
    const unsigned depth = p->length > 0 ? (p->length - 1u) / S2_FIB_STRIDE * S2_FIB_STRIDE : 0;
    const unsigned rest = p->length - depth;
    out->key = s2_fib_to_bits(&p->address);
    const unsigned step = s2_fib_step(&out->key, depth);
    out->depth = (uint8_t)depth;
    out->leaf = rest == S2_FIB_STRIDE;
    out->bit = (uint8_t)(out->leaf ? step : 1u << rest | step >> (S2_FIB_STRIDE - rest));
    return true;
}

/* The bits of inner whose prefixes contain a step: heap order, longest highest. */
#define B(n) (UINT64_C(1) << (n))
#define COVER(s)                                                                                   \
    (B(1) | B(2 | (s) >> 5) | B(4 | (s) >> 4) | B(8 | (s) >> 3) | B(16 | (s) >> 2) |               \
     B(32 | (s) >> 1))
#define COVER4(s) COVER(s), COVER((s) + 1), COVER((s) + 2), COVER((s) + 3)
#define COVER16(s) COVER4(s), COVER4((s) + 4), COVER4((s) + 8), COVER4((s) + 12)
static const uint64_t cover[64] = {COVER16(0), COVER16(16), COVER16(32), COVER16(48)};

/* The walk again for an address whose longest match is a tombstone: every match
 * on the way is looked at, the last that has a value counts. */
static uint64_t find_living(const struct s2_fib_node *n, const struct s2_fib_bits *a)
{
    uint64_t best = 0;

    while (n != NULL && s2_fib_below(a, n)) {
        const unsigned step = s2_fib_step(a, n->depth);
        uint64_t match = n->inner & cover[step], v = 0;

        if (n->leaves >> step & 1)
            v = s2_fib_value(n, s2_fib_value_index(n, true, step));
        for (; v == 0 && match != 0; match &= ~s2_fib_bit(s2_fib_highest(match)))
            v = s2_fib_value(n, s2_fib_value_index(n, false, s2_fib_highest(match)));
        if (v != 0)
            best = v;
        if (!(n->children >> step & 1))
            break;
        n = s2_fib_load(&n->slot[s2_fib_child_index(n, step)].child);
    }
    return best;
}

/* wide is a constant in both callers: IPv4 looks at one word and needs no case
 * for steps in the second. */
static inline uint64_t find(const struct s2_fib_node *root, const struct s2_fib_bits *a, bool wide)
{
    const struct s2_fib_node *best = NULL;
    unsigned best_bit = 0;
    bool best_leaf = false;

    for (const struct s2_fib_node *n = root; n != NULL;) {
        const unsigned depth = n->depth;

        if (wide ? !s2_fib_below(a, n) : depth > 0 && (a->hi ^ n->key.hi) >> (64 - depth) != 0)
            break;
        const unsigned step =
            wide ? s2_fib_step(a, depth) : (unsigned)(a->hi >> (64 - S2_FIB_STRIDE - depth) & 63);
        const uint64_t match = n->inner & cover[step];
        if (n->leaves >> step & 1) {
            best = n;
            best_leaf = true;
            best_bit = step;
        } else if (match != 0) {
            best = n;
            best_leaf = false;
            best_bit = s2_fib_highest(match);
        }
        if (!(n->children >> step & 1))
            break;
        n = s2_fib_load(&n->slot[s2_fib_child_index(n, step)].child);
    }
    if (best == NULL)
        return 0;
    const uint64_t v = s2_fib_value(best, s2_fib_value_index(best, best_leaf, best_bit));
    return v != 0 ? v : find_living(root, a);
}

uint64_t s2_fib_lookup_ipv4(const struct s2_fib *fib, uint32_t a)
{
    const struct s2_fib_bits key = {.hi = (uint64_t)a << 32};

    return find(s2_fib_load(&fib->ipv4), &key, false);
}

uint64_t s2_fib_lookup(const struct s2_fib *fib, const s2svpn_address *a)
{
    if (a->family == S2SVPN_FAMILY_IPV4)
        return s2_fib_lookup_ipv4(fib, s2_address_ipv4_value(a));
    if (a->family != S2SVPN_FAMILY_IPV6)
        return 0;
    const struct s2_fib_bits key = s2_fib_to_bits(a);
    return find(s2_fib_load(&fib->ipv6), &key, true);
}

uint64_t s2_fib_get(const struct s2_fib *fib, const s2svpn_prefix *prefix)
{
    struct s2_fib_place at;

    if (!s2_fib_locate(prefix, &at))
        return 0;
    const struct s2_fib_node *n =
        s2_fib_load(prefix->address.family == S2SVPN_FAMILY_IPV4 ? &fib->ipv4 : &fib->ipv6);
    while (s2_fib_goes_on(n, &at))
        n = s2_fib_load(&n->slot[s2_fib_child_index(n, s2_fib_step(&at.key, n->depth))].child);
    if (!s2_fib_holds(n, &at))
        return 0;
    return s2_fib_value(n, s2_fib_value_index(n, at.leaf, at.bit));
}
