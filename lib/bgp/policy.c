/* SPDX-License-Identifier: Apache-2.0 */
/* Import and export rules looked up and carried out. Which route goes through them, and
 * when again, is the tables' matter. RFC 8212. */
#include "bgp/policy.h"

#include <string.h>

#include "base/address.h"
#include "base/bytes.h"
#include "bgp/community.h"

#define RULES_MOST 1024
#define PREFIXES_MOST 4096 /* of a rule */
#define PREPEND_MOST 32

/* ---- checked */

static bool good_match(const s2svpn_bgp_prefix_match *m)
{
    const unsigned bits = s2_family_bits(m->prefix.address.family);
    const s2svpn_prefix clean = s2_prefix_make(&m->prefix.address, m->prefix.length);

    return bits > 0 && m->prefix.length <= bits && s2_prefix_equal(&clean, &m->prefix) &&
           (m->ge == 0 || (m->ge >= m->prefix.length && m->ge <= bits)) &&
           (m->le == 0 || (m->le >= m->prefix.length && m->le >= m->ge && m->le <= bits));
}

static s2svpn_status check_rule(const struct s2_env *env, const char *field,
                                const s2svpn_bgp_rule *rule)
{
    if (rule->prefix_count > PREFIXES_MOST || rule->prepend > PREPEND_MOST ||
        rule->add_count > S2_BGP_COMMUNITIES_MOST || rule->strip_count > S2_BGP_COMMUNITIES_MOST ||
        rule->add_large_count > S2_BGP_LARGE_MOST || rule->strip_large_count > S2_BGP_LARGE_MOST)
        return s2_fail(env, S2SVPN_E_LIMIT, field, "a rule says too much");
    for (size_t i = 0; i < rule->prefix_count; i++) {
        if (!good_match(&rule->prefixes[i]))
            return s2_fail(env, S2SVPN_E_ARGUMENT, field, "no prefix, or lengths out of order");
    }
    return S2SVPN_OK;
}

s2svpn_status s2_bgp_policy_check(const struct s2_env *env, const char *field,
                                  const s2svpn_bgp_policy *policy)
{
    s2svpn_status rc = S2SVPN_OK;

    if (policy == NULL)
        return rc;
    if (policy->size < sizeof(*policy) || (policy->rules == NULL && policy->rule_count > 0))
        return s2_fail(env, S2SVPN_E_ARGUMENT, field, "size or rules are missing");
    if (policy->rule_count > RULES_MOST)
        return s2_fail(env, S2SVPN_E_LIMIT, field, "more than %d rules", RULES_MOST);
    for (size_t i = 0; i < policy->rule_count && rc == S2SVPN_OK; i++)
        rc = check_rule(env, field, &policy->rules[i]);
    return rc;
}

/* ---- matched */

static bool is_within(const s2svpn_bgp_prefix_match *m, const s2svpn_prefix *p)
{
    const unsigned bits = s2_family_bits(p->address.family);
    const unsigned least = m->ge > 0 ? m->ge : m->prefix.length;
    unsigned most = m->prefix.length;

    if (m->le > 0)
        most = m->le;
    else if (m->ge > 0)
        most = bits;
    if (p->address.family != m->prefix.address.family || p->length < least || p->length > most)
        return false;
    const s2svpn_prefix cut = s2_prefix_make(&p->address, m->prefix.length);
    return s2_prefix_equal(&cut, &m->prefix);
}

static bool matches_prefix(const s2svpn_bgp_rule *rule, const s2svpn_prefix *p)
{
    for (size_t i = 0; i < rule->prefix_count; i++) {
        if (is_within(&rule->prefixes[i], p))
            return true;
    }
    return rule->prefix_count == 0;
}

static bool matches_path(const s2svpn_bgp_rule *rule, const struct s2_bgp_path_view *path)
{
    return (rule->as_first == 0 || s2_bgp_path_first(path) == rule->as_first) &&
           (rule->as_contains == 0 || s2_bgp_path_contains(path, rule->as_contains));
}

static bool matches_communities(const s2svpn_bgp_rule *rule, s2svpn_span opaque)
{
    uint8_t bytes[S2_BGP_LARGE_LEN];

    s2_bgp_write_community(bytes, rule->community);
    if (rule->match_community && !s2_bgp_list_has(s2_bgp_opaque_value(opaque, S2_BGP_COMMUNITIES),
                                                  bytes, S2_BGP_COMMUNITY_LEN))
        return false;
    s2_bgp_write_large(bytes, &rule->large_community);
    return !rule->match_large_community ||
           s2_bgp_list_has(s2_bgp_opaque_value(opaque, S2_BGP_LARGE_COMMUNITIES), bytes,
                           S2_BGP_LARGE_LEN);
}

static bool changes(const s2svpn_bgp_rule *rule)
{
    return rule->set_local_pref || rule->set_med || rule->strip_all || rule->prepend > 0 ||
           rule->add_count > 0 || rule->strip_count > 0 || rule->add_large_count > 0 ||
           rule->strip_large_count > 0;
}

struct s2_bgp_decision s2_bgp_policy_decide(const s2svpn_bgp_policy *policy, bool required,
                                            const s2svpn_prefix *prefix,
                                            const struct s2_bgp_values *v)
{
    const struct s2_bgp_path_view path = s2_bgp_path_view(&v->path);
    const s2svpn_span opaque = s2_span(v->opaque, v->opaque_len);

    for (size_t i = 0; policy != NULL && i < policy->rule_count; i++) {
        const s2svpn_bgp_rule *rule = &policy->rules[i];

        if (matches_prefix(rule, prefix) && matches_path(rule, &path) &&
            matches_communities(rule, opaque))
            return (struct s2_bgp_decision){rule->accept, changes(rule) ? rule : NULL};
    }
    return (struct s2_bgp_decision){policy != NULL ? !policy->deny_others : !required, NULL};
}

/* ---- carried out */

/* In the first segment if it is a sequence with room, else in one of its own: RFC 4271
 * section 5.1.2. */
static bool prepend(struct s2_bgp_path *path, uint32_t asn, uint8_t times)
{
    struct s2_bgp_segment *first = &path->segment[0];

    if (times == 0)
        return true;
    if (times > S2_BGP_AS_PATH_MAX - path->as_count)
        return false;
    memmove(path->as + times, path->as, path->as_count * sizeof(path->as[0]));
    for (size_t i = 0; i < times; i++)
        path->as[i] = asn;
    path->as_count = (uint16_t)(path->as_count + times);
    if (path->segment_count > 0 && first->type == S2_BGP_AS_SEQUENCE) {
        /* fits: the path as a whole has no more than a segment may */
        first->count = (uint8_t)(first->count + times);
        return true;
    }
    memmove(first + 1, first, path->segment_count * sizeof(*first));
    *first = (struct s2_bgp_segment){S2_BGP_AS_SEQUENCE, times};
    path->segment_count++;
    return true;
}

static bool edit(struct s2_bgp_values *v, uint8_t type, const struct s2_bgp_edit *e)
{
    const s2svpn_span old = s2_bgp_opaque_value(s2_span(v->opaque, v->opaque_len), type);
    uint8_t list[S2_BGP_MESSAGE_MAX];

    if (e->add.len == 0 && old.len == 0)
        return true;
    const size_t len = s2_bgp_edit_list(e, old, list, sizeof(list));
    return len != SIZE_MAX && s2_bgp_put_list(v, type, s2_span(list, len));
}

static bool edit_communities(const s2svpn_bgp_rule *rule, struct s2_bgp_values *v)
{
    uint8_t add[S2_BGP_COMMUNITIES_MOST * S2_BGP_COMMUNITY_LEN], strip[sizeof(add)];

    if (!rule->strip_all && rule->add_count == 0 && rule->strip_count == 0)
        return true;
    for (size_t i = 0; i < rule->add_count; i++)
        s2_bgp_write_community(add + i * S2_BGP_COMMUNITY_LEN, rule->add[i]);
    for (size_t i = 0; i < rule->strip_count; i++)
        s2_bgp_write_community(strip + i * S2_BGP_COMMUNITY_LEN, rule->strip[i]);
    const struct s2_bgp_edit e = {.len = S2_BGP_COMMUNITY_LEN,
                                  .strip_all = rule->strip_all,
                                  .strip = s2_span(strip, rule->strip_count * S2_BGP_COMMUNITY_LEN),
                                  .add = s2_span(add, rule->add_count * S2_BGP_COMMUNITY_LEN)};
    return edit(v, S2_BGP_COMMUNITIES, &e);
}

static bool edit_large(const s2svpn_bgp_rule *rule, struct s2_bgp_values *v)
{
    uint8_t add[S2_BGP_LARGE_MOST * S2_BGP_LARGE_LEN], strip[sizeof(add)];

    if (!rule->strip_all && rule->add_large_count == 0 && rule->strip_large_count == 0)
        return true;
    for (size_t i = 0; i < rule->add_large_count; i++)
        s2_bgp_write_large(add + i * S2_BGP_LARGE_LEN, &rule->add_large[i]);
    for (size_t i = 0; i < rule->strip_large_count; i++)
        s2_bgp_write_large(strip + i * S2_BGP_LARGE_LEN, &rule->strip_large[i]);
    const struct s2_bgp_edit e = {.len = S2_BGP_LARGE_LEN,
                                  .strip_all = rule->strip_all,
                                  .strip =
                                      s2_span(strip, rule->strip_large_count * S2_BGP_LARGE_LEN),
                                  .add = s2_span(add, rule->add_large_count * S2_BGP_LARGE_LEN)};
    return edit(v, S2_BGP_LARGE_COMMUNITIES, &e);
}

bool s2_bgp_policy_change(const s2svpn_bgp_rule *rule, uint32_t asn, struct s2_bgp_values *v)
{
    if (rule->set_local_pref) {
        v->head.has_local_pref = true;
        v->head.local_pref = rule->local_pref;
    }
    if (rule->set_med) {
        v->head.has_med = true;
        v->head.med = rule->med;
    }
    if (!prepend(&v->path, asn, rule->prepend) || !edit_communities(rule, v) ||
        !edit_large(rule, v))
        return false;
    s2_bgp_values_finish(v);
    return true;
}
