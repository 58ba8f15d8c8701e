/* SPDX-License-Identifier: Apache-2.0 */
/* The filter between a peer and its tables: which rule decides about a route, and what that
 * rule changes. s2svpn/bgp_policy.h says what rules mean. RFC 8212. */
#ifndef S2_BGP_POLICY_H
#define S2_BGP_POLICY_H

#include "bgp/attribute.h"
#include "s2svpn/bgp_policy.h"

struct s2_bgp_decision {
    bool accepted;
    const s2svpn_bgp_rule *rule; /* that changes the route; NULL: it stays as it is */
};

/* E_ARGUMENT with the field, E_LIMIT. policy may be NULL. */
S2SVPN_NODISCARD s2svpn_status s2_bgp_policy_check(const struct s2_env *env, const char *field,
                                                   const s2svpn_bgp_policy *policy);
/* policy NULL: accepted, unless one is required. */
struct s2_bgp_decision s2_bgp_policy_decide(const s2svpn_bgp_policy *policy, bool required,
                                            const s2svpn_prefix *prefix,
                                            const struct s2_bgp_values *v);
/* What the rule changes; asn is what it prepends. false: there is no room for that. */
S2SVPN_NODISCARD bool s2_bgp_policy_change(const s2svpn_bgp_rule *rule, uint32_t asn,
                                           struct s2_bgp_values *v);

/* ---- policy_copy.c */

/* A policy that is kept, checked before; NULL stays NULL. s2_free() ends it. */
S2SVPN_NODISCARD s2svpn_status s2_bgp_policy_copy(const struct s2_env *env, const char *field,
                                                  const s2svpn_bgp_policy *policy,
                                                  s2svpn_bgp_policy **copy);
/* Do they say the same, rule by rule? NULL is a policy, too. */
bool s2_bgp_policy_equal(const s2svpn_bgp_policy *a, const s2svpn_bgp_policy *b);

#endif
