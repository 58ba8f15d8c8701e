/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BGP policies as text: a rule a line, words in any order behind the first; the first rule
 * that matches decides.
 *
 *     accept|deny [prefix P [ge N] [le N]]... [first AS] [contains AS] [has COMMUNITY]
 *         [local-pref N] [med N] [prepend N] [add COMMUNITY]... [strip COMMUNITY|all]...
 *     others deny
 *
 * with communities as 64512:7 or 64512:1:7, and # before a remark.
 */
#ifndef S2_EXAMPLES_POLICY_H
#define S2_EXAMPLES_POLICY_H

#include <s2svpn/s2svpn.h>

#define POLICY_RULES_MAX 64
#define POLICY_OF_A_RULE_MAX 32 /* prefixes, communities */

/* A policy with all that its rules point to. */
struct policy {
    s2svpn_bgp_policy policy;
    s2svpn_bgp_rule rule[POLICY_RULES_MAX];
    struct {
        s2svpn_bgp_prefix_match prefix[POLICY_OF_A_RULE_MAX];
        uint32_t add[POLICY_OF_A_RULE_MAX], strip[POLICY_OF_A_RULE_MAX];
        s2svpn_bgp_large_community add_large[POLICY_OF_A_RULE_MAX],
            strip_large[POLICY_OF_A_RULE_MAX];
    } of[POLICY_RULES_MAX];
};

/* A file's rules, free with free(); NULL, with why in words ("FILE:3: not understood"), if
 * it can't be read. */
struct policy *policy_read(const char *path, char *why, size_t size);

#endif
