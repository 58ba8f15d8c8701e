/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a BGP peer lets in and out: rules over prefixes, AS paths and communities. Types
 * alone; s2svpn/bgp.h gives them to a peer. RFC 1997, 8092, 8212.
 */
#ifndef S2SVPN_BGP_POLICY_H
#define S2SVPN_BGP_POLICY_H

#include "s2svpn/types.h"

S2SVPN_BEGIN

/** RFC 8092: three numbers, the first an AS number. */
typedef struct s2svpn_bgp_large_community {
    uint32_t administrator, data1, data2;
} s2svpn_bgp_large_community;

/** Prefixes within one, by their length: ge to le bits. 0 and 0: that prefix alone; ge
 * alone: up to all bits; le alone: from its own length. */
typedef struct s2svpn_bgp_prefix_match {
    s2svpn_prefix prefix;
    uint8_t ge, le;
} s2svpn_bgp_prefix_match;

/** What a route must have, all of it, and what happens to it then. Zero means: anything,
 * and nothing. Paths are those of the route as it comes, or as it would leave: with our own
 * AS number first. */
typedef struct s2svpn_bgp_rule {
    const s2svpn_bgp_prefix_match *prefixes; /* one of them; none: every prefix */
    size_t prefix_count;                     /* at most 4096 */
    uint32_t as_first;                       /* the path begins with it */
    uint32_t as_contains;                    /* it is somewhere in the path */
    bool match_community, match_large_community;
    bool accept;                  /* false: denied */
    bool set_local_pref, set_med; /* local preference: of an import */
    bool strip_all;               /* every community and large community but the added ones */
    uint8_t prepend;              /* at most 32 times: the neighbour's AS, or on export ours */
    uint8_t reserved;
    uint32_t community;
    s2svpn_bgp_large_community large_community;
    uint32_t local_pref, med;
    const uint32_t *add, *strip; /* communities, at most 64 each */
    size_t add_count, strip_count;
    const s2svpn_bgp_large_community *add_large, *strip_large; /* at most 32 each */
    size_t add_large_count, strip_large_count;
} s2svpn_bgp_rule;

/** Rules in order: the first that matches decides. */
typedef struct s2svpn_bgp_policy {
    size_t size;
    const s2svpn_bgp_rule *rules;
    size_t rule_count; /* at most 1024 */
    bool deny_others;  /* what no rule matches; false: accepted, as AWS does */
    uint8_t reserved[7];
} s2svpn_bgp_policy;
#define S2SVPN_BGP_POLICY_INIT                                                                     \
    {                                                                                              \
        .size = sizeof(s2svpn_bgp_policy)                                                          \
    }

S2SVPN_END
#endif
