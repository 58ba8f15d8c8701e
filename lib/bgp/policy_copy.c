/* SPDX-License-Identifier: Apache-2.0 */
/* A policy kept: all that it points to in one piece of memory; and two compared by what
 * they say. */
#include "bgp/policy.h"

#include <string.h>

#include "base/address.h"

/* ---- copied */

/* A piece that is first measured (p NULL) and then filled, in the same order. */
struct piece {
    uint8_t *p;
    size_t len;
};

#define ALIGN 8

static void *take(struct piece *piece, const void *from, size_t size, size_t count)
{
    void *to = piece->p != NULL ? piece->p + piece->len : NULL;
    const size_t len = size * count;

    if (count == 0)
        return NULL;
    if (to != NULL)
        memcpy(to, from, len);
    piece->len += (len + ALIGN - 1) / ALIGN * ALIGN;
    return to;
}

static void take_rule(struct piece *piece, const s2svpn_bgp_rule *from, s2svpn_bgp_rule *to)
{
    s2svpn_bgp_rule r = *from;

    r.prefixes = take(piece, from->prefixes, sizeof(*r.prefixes), r.prefix_count);
    r.add = take(piece, from->add, sizeof(*r.add), r.add_count);
    r.strip = take(piece, from->strip, sizeof(*r.strip), r.strip_count);
    r.add_large = take(piece, from->add_large, sizeof(*r.add_large), r.add_large_count);
    r.strip_large = take(piece, from->strip_large, sizeof(*r.strip_large), r.strip_large_count);
    if (to != NULL)
        *to = r;
}

static s2svpn_bgp_policy *take_policy(struct piece *piece, const s2svpn_bgp_policy *from)
{
    s2svpn_bgp_policy *policy = take(piece, from, sizeof(*policy), 1);
    s2svpn_bgp_rule *rules = take(piece, from->rules, sizeof(*rules), from->rule_count);

    for (size_t i = 0; i < from->rule_count; i++)
        take_rule(piece, &from->rules[i], rules != NULL ? &rules[i] : NULL);
    if (policy != NULL)
        policy->rules = rules;
    return policy;
}

s2svpn_status s2_bgp_policy_copy(const struct s2_env *env, const char *field,
                                 const s2svpn_bgp_policy *policy, s2svpn_bgp_policy **copy)
{
    const s2svpn_status rc = s2_bgp_policy_check(env, field, policy);
    struct piece piece = {NULL, 0};

    *copy = NULL;
    if (rc != S2SVPN_OK || policy == NULL)
        return rc;
    (void)take_policy(&piece, policy);
    piece.p = s2_alloc(env, piece.len);
    if (piece.p == NULL)
        return s2_fail(env, S2SVPN_E_MEMORY, field, "no memory for a BGP policy");
    piece.len = 0;
    *copy = take_policy(&piece, policy);
    (*copy)->size = sizeof(**copy);
    return S2SVPN_OK;
}

/* ---- compared */

static bool same_bytes(const void *a, size_t a_count, const void *b, size_t b_count, size_t size)
{
    return a_count == b_count && (a_count == 0 || memcmp(a, b, a_count * size) == 0);
}

static bool same_prefixes(const s2svpn_bgp_rule *a, const s2svpn_bgp_rule *b)
{
    if (a->prefix_count != b->prefix_count)
        return false;
    for (size_t i = 0; i < a->prefix_count; i++) {
        const s2svpn_bgp_prefix_match *x = &a->prefixes[i], *y = &b->prefixes[i];

        if (!s2_prefix_equal(&x->prefix, &y->prefix) || x->ge != y->ge || x->le != y->le)
            return false;
    }
    return true;
}

static bool same_large(const s2svpn_bgp_large_community *a, const s2svpn_bgp_large_community *b)
{
    return a->administrator == b->administrator && a->data1 == b->data1 && a->data2 == b->data2;
}

static bool same_matches(const s2svpn_bgp_rule *a, const s2svpn_bgp_rule *b)
{
    return a->as_first == b->as_first && a->as_contains == b->as_contains &&
           a->match_community == b->match_community &&
           a->match_large_community == b->match_large_community && a->community == b->community &&
           same_large(&a->large_community, &b->large_community) && same_prefixes(a, b);
}

static bool same_changes(const s2svpn_bgp_rule *a, const s2svpn_bgp_rule *b)
{
    return a->accept == b->accept && a->set_local_pref == b->set_local_pref &&
           a->set_med == b->set_med && a->local_pref == b->local_pref && a->med == b->med &&
           a->strip_all == b->strip_all && a->prepend == b->prepend &&
           same_bytes(a->add, a->add_count, b->add, b->add_count, sizeof(*a->add)) &&
           same_bytes(a->strip, a->strip_count, b->strip, b->strip_count, sizeof(*a->strip)) &&
           same_bytes(a->add_large, a->add_large_count, b->add_large, b->add_large_count,
                      sizeof(*a->add_large)) &&
           same_bytes(a->strip_large, a->strip_large_count, b->strip_large, b->strip_large_count,
                      sizeof(*a->strip_large));
}

bool s2_bgp_policy_equal(const s2svpn_bgp_policy *a, const s2svpn_bgp_policy *b)
{
    if (a == NULL || b == NULL)
        return a == b;
    if (a->rule_count != b->rule_count || a->deny_others != b->deny_others)
        return false;
    for (size_t i = 0; i < a->rule_count; i++) {
        if (!same_matches(&a->rules[i], &b->rules[i]) || !same_changes(&a->rules[i], &b->rules[i]))
            return false;
    }
    return true;
}
