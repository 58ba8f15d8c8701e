/* SPDX-License-Identifier: Apache-2.0 */
/* Compiles rules into what a worker compares quickly, and compares. Doesn't publish:
 * group.c. */
#include "firewall/rules.h"

#include "base/address.h"
#include "base/bytes.h"
#include "firewall/flow.h"

/* ---- compiling */

struct s2_firewall_words s2_firewall_words_of(const s2svpn_address *a)
{
    struct s2_firewall_words w = {.high = s2_get_u64(a->bytes)};

    if (a->family == S2SVPN_FAMILY_IPV6)
        w.low = s2_get_u64(a->bytes + 8);
    else
        w.high &= UINT64_C(0xffffffff00000000);
    return w;
}

static uint64_t mask_of(unsigned bits)
{
    return bits == 0 ? 0 : bits >= 64 ? UINT64_MAX : ~(UINT64_MAX >> bits);
}

struct s2_firewall_net s2_firewall_net_of(const s2svpn_prefix *p)
{
    struct s2_firewall_net n = {
        .value = s2_firewall_words_of(&p->address),
        .mask = {.high = mask_of(p->length), .low = mask_of(p->length > 64 ? p->length - 64U : 0)},
        .family = p->address.family,
    };

    n.value.high &= n.mask.high;
    n.value.low &= n.mask.low;
    return n;
}

bool s2_firewall_prefix_valid(const s2svpn_prefix *p)
{
    return s2_address_len(&p->address) != 0 && p->length <= s2_family_bits(p->address.family);
}

static bool compile_icmp(const struct s2_firewall_rule *rule, struct s2_firewall_compiled *c)
{
    if (rule->from < S2_FIREWALL_ANY || rule->from > 255 || rule->to < S2_FIREWALL_ANY ||
        rule->to > 255 || (rule->from == S2_FIREWALL_ANY && rule->to != S2_FIREWALL_ANY))
        return false;
    c->any_ports = rule->from == S2_FIREWALL_ANY;
    if (c->any_ports)
        return true;
    c->first = (uint16_t)(rule->from << 8 | (rule->to == S2_FIREWALL_ANY ? 0 : rule->to));
    c->last = (uint16_t)(rule->from << 8 | (rule->to == S2_FIREWALL_ANY ? 255 : rule->to));
    return true;
}

static bool compile_ports(const struct s2_firewall_rule *rule, struct s2_firewall_compiled *c)
{
    if (rule->from < 0 || rule->to > 65535 || rule->from > rule->to)
        return false;
    c->first = (uint16_t)rule->from;
    c->last = (uint16_t)rule->to;
    return true;
}

/* What is wrong, or NULL. */
static const char *compile_rule(const struct s2_firewall_rule *rule, struct s2_firewall_compiled *c)
{
    if (rule->protocol < S2_FIREWALL_ANY || rule->protocol > 255)
        return "no protocol";
    if (rule->group != NULL && rule->list != NULL)
        return "names a group and a list";
    *c = (struct s2_firewall_compiled){
        .any_protocol = rule->protocol == S2_FIREWALL_ANY,
        .protocol = (uint8_t)rule->protocol,
        .any_ports = true,
        .group = rule->group,
        .list = rule->list,
    };
    if (rule->group == NULL && rule->list == NULL) {
        if (!s2_firewall_prefix_valid(&rule->prefix))
            return "no prefix";
        c->net = s2_firewall_net_of(&rule->prefix);
    }
    if (c->any_protocol || !s2_firewall_has_ports(c->protocol))
        return NULL;
    c->any_ports = false;
    if (c->protocol == S2_FIREWALL_ICMP || c->protocol == S2_FIREWALL_ICMPV6)
        return compile_icmp(rule, c) ? NULL : "no ICMP type and code";
    return compile_ports(rule, c) ? NULL : "no range of ports";
}

s2svpn_status s2_firewall_compile(const struct s2_env *env, const struct s2_firewall_rule *rules,
                                  size_t count, struct s2_firewall_rules **out)
{
    struct s2_firewall_rules *r;

    if (count > S2_FIREWALL_RULES_MAX)
        return s2_fail(env, S2SVPN_E_LIMIT, "rules", "more than %u rules",
                       (unsigned)S2_FIREWALL_RULES_MAX);
    r = s2_alloc(env, sizeof(*r) + count * sizeof(r->rule[0]));
    if (r == NULL)
        return s2_fail(env, S2SVPN_E_MEMORY, "rules", "no memory");
    for (size_t i = 0; i < count; i++) {
        const char *wrong = compile_rule(&rules[i], &r->rule[i]);

        if (wrong != NULL) {
            s2_free(env, r);
            return s2_fail(env, S2SVPN_E_ARGUMENT, "rules", "rule %zu: %s", i, wrong);
        }
    }
    r->count = count;
    *out = r;
    return S2SVPN_OK;
}

void s2_firewall_allow_all(struct s2_firewall_rule rules[2])
{
    for (size_t i = 0; i < 2; i++)
        rules[i] = (struct s2_firewall_rule){
            .protocol = S2_FIREWALL_ANY,
            .from = S2_FIREWALL_ANY,
            .to = S2_FIREWALL_ANY,
            .prefix.address.family = i == 0 ? S2SVPN_FAMILY_IPV4 : S2SVPN_FAMILY_IPV6,
        };
}

/* ---- matching */

static bool net_contains(const struct s2_firewall_net *n, struct s2_firewall_words a,
                         uint8_t family)
{
    return (((a.high ^ n->value.high) & n->mask.high) | ((a.low ^ n->value.low) & n->mask.low)) ==
               0 &&
           n->family == family;
}

size_t s2_firewall_member_at(const struct s2_firewall_members *m, const s2svpn_address *a)
{
    size_t low = 0, high = m->count;

    while (low < high) {
        const size_t middle = low + (high - low) / 2;

        if (s2_address_compare(&m->member[middle].address, a) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_member(struct s2_firewall_group *g, const s2svpn_address *a)
{
    const struct s2_firewall_members *m = atomic_load_explicit(&g->members, memory_order_acquire);

    if (m == NULL)
        return false;
    for (size_t i = s2_firewall_member_at(m, a);
         i < m->count && s2_address_equal(&m->member[i].address, a); i++) {
        if (!atomic_load_explicit(&m->member[i].gone, memory_order_acquire))
            return true;
    }
    return false;
}

static bool is_listed(struct s2_firewall_list *list, struct s2_firewall_words a, uint8_t family)
{
    const struct s2_firewall_prefixes *p =
        atomic_load_explicit(&list->prefixes, memory_order_acquire);

    for (size_t i = 0; p && i < p->count; i++) {
        if (net_contains(&p->net[i], a, family))
            return true;
    }
    return false;
}

static bool matches(const struct s2_firewall_compiled *r, const struct s2_firewall_subject *s,
                    struct s2_firewall_words remote)
{
    if (!r->any_protocol && r->protocol != s->protocol)
        return false;
    if (!r->any_protocol && !r->any_ports && (s->value < r->first || s->value > r->last))
        return false;
    if (r->group != NULL)
        return is_member(r->group, s->remote);
    if (r->list != NULL)
        return is_listed(r->list, remote, s->remote->family);
    return net_contains(&r->net, remote, s->remote->family);
}

bool s2_firewall_allows(const struct s2_firewall_port *port, enum s2_firewall_direction direction,
                        const struct s2_firewall_subject *s)
{
    const struct s2_firewall_words remote = s2_firewall_words_of(s->remote);
    const struct s2_firewall_groups *g = atomic_load_explicit(&port->groups, memory_order_acquire);

    for (size_t i = 0; g && i < g->count; i++) {
        const struct s2_firewall_rules *rules =
            atomic_load_explicit(&g->group[i]->rules[direction], memory_order_acquire);

        for (size_t k = 0; rules && k < rules->count; k++) {
            if (matches(&rules->rule[k], s, remote))
                return true;
        }
    }
    return false;
}
