/* SPDX-License-Identifier: Apache-2.0 */
/* The control side: groups, lists and ports, their parts made anew, published, and the
 * old ones retired. Every function makes what it needs first, then changes all at once. */
#include <string.h>

#include "base/address.h"
#include "firewall/flow.h"

/* ---- publishing */

/* What is retired begins with its struct s2_retired. */
static void free_node(void *arg, struct s2_retired *node)
{
    const struct s2_env *env = arg;

    s2_free(env, node);
}

static void retire(struct s2_firewall *fw, struct s2_retired *node)
{
    if (node != NULL)
        s2_epoch_retire(fw->epochs, node, free_node, (void *)fw->env);
}

#define PUBLISH(fw, slot, value)                                                                   \
    retire(fw, (struct s2_retired *)atomic_exchange_explicit(slot, value, memory_order_acq_rel))

/* Flows that were judged before are judged again. */
static void changed(struct s2_firewall *fw)
{
    atomic_fetch_add_explicit(&fw->generation, 1, memory_order_release);
    s2_epoch_reclaim(fw->epochs);
}

static s2svpn_status no_memory(const struct s2_env *env, const char *field)
{
    return s2_fail(env, S2SVPN_E_MEMORY, field, "no memory");
}

/* ---- groups */

s2svpn_status s2_firewall_group_new(struct s2_firewall *fw, struct s2_firewall_group **out)
{
    struct s2_firewall_group *g = s2_alloc(fw->env, sizeof(*g));

    if (g == NULL)
        return no_memory(fw->env, "group");
    g->fw = fw;
    atomic_init(&g->members, NULL);
    atomic_init(&g->rules[S2_FIREWALL_IN], NULL);
    atomic_init(&g->rules[S2_FIREWALL_OUT], NULL);
    *out = g;
    return S2SVPN_OK;
}

bool s2_firewall_group_in_use(const struct s2_firewall_group *group)
{
    return group->ports > 0 || group->named > 0;
}

/* Rules that a group has from now on, or no longer, name others; by is 1 or -1. */
static void count_names(const struct s2_firewall_group *group, const struct s2_firewall_rules *r,
                        int by)
{
    for (size_t i = 0; r && i < r->count; i++) {
        struct s2_firewall_group *named = r->rule[i].group;

        if (named != NULL && named != group)
            named->named += (size_t)by;
        if (r->rule[i].list != NULL)
            r->rule[i].list->named += (size_t)by;
    }
}

static struct s2_firewall_rules *rules_of(struct s2_firewall_group *group,
                                          enum s2_firewall_direction direction)
{
    return atomic_load_explicit(&group->rules[direction], memory_order_relaxed);
}

s2svpn_status s2_firewall_group_free(struct s2_firewall_group *group)
{
    struct s2_firewall *fw = group->fw;

    if (s2_firewall_group_in_use(group))
        return s2_fail(fw->env, S2SVPN_E_IN_USE, "group",
                       "%zu ports and %zu rules of other groups use it", group->ports,
                       group->named);
    for (unsigned d = S2_FIREWALL_IN; d <= S2_FIREWALL_OUT; d++) {
        count_names(group, rules_of(group, (enum s2_firewall_direction)d), -1);
        PUBLISH(fw, &group->rules[d], NULL);
    }
    PUBLISH(fw, &group->members, NULL);
    retire(fw, &group->retired);
    changed(fw);
    return S2SVPN_OK;
}

s2svpn_status s2_firewall_group_set_rules(struct s2_firewall_group *group,
                                          enum s2_firewall_direction direction,
                                          const struct s2_firewall_rule *rules, size_t count)
{
    struct s2_firewall *fw = group->fw;
    struct s2_firewall_rules *r;
    s2svpn_status rc = s2_firewall_compile(fw->env, rules, count, &r);

    if (rc != S2SVPN_OK)
        return rc;
    count_names(group, r, 1);
    count_names(group, rules_of(group, direction), -1);
    PUBLISH(fw, &group->rules[direction], r);
    changed(fw);
    return S2SVPN_OK;
}

/* ---- prefix lists */

s2svpn_status s2_firewall_list_new(struct s2_firewall *fw, struct s2_firewall_list **out)
{
    struct s2_firewall_list *l = s2_alloc(fw->env, sizeof(*l));

    if (l == NULL)
        return no_memory(fw->env, "list");
    l->fw = fw;
    atomic_init(&l->prefixes, NULL);
    *out = l;
    return S2SVPN_OK;
}

s2svpn_status s2_firewall_list_free(struct s2_firewall_list *list)
{
    struct s2_firewall *fw = list->fw;

    if (list->named > 0)
        return s2_fail(fw->env, S2SVPN_E_IN_USE, "list", "%zu rules name it", list->named);
    PUBLISH(fw, &list->prefixes, NULL);
    retire(fw, &list->retired);
    changed(fw);
    return S2SVPN_OK;
}

s2svpn_status s2_firewall_list_set(struct s2_firewall_list *list, const s2svpn_prefix *prefixes,
                                   size_t count)
{
    struct s2_firewall *fw = list->fw;
    struct s2_firewall_prefixes *p;

    if (count > S2_FIREWALL_PREFIXES_MAX)
        return s2_fail(fw->env, S2SVPN_E_LIMIT, "prefixes", "more than %u prefixes",
                       (unsigned)S2_FIREWALL_PREFIXES_MAX);
    for (size_t i = 0; i < count; i++) {
        if (!s2_firewall_prefix_valid(&prefixes[i]))
            return s2_fail(fw->env, S2SVPN_E_ARGUMENT, "prefixes", "number %zu is no prefix", i);
    }
    p = s2_alloc(fw->env, sizeof(*p) + count * sizeof(p->net[0]));
    if (p == NULL)
        return no_memory(fw->env, "prefixes");
    for (size_t i = 0; i < count; i++)
        p->net[i] = s2_firewall_net_of(&prefixes[i]);
    p->count = count;
    PUBLISH(fw, &list->prefixes, p);
    changed(fw);
    return S2SVPN_OK;
}

/* ---- members of groups */

/* Sorted addresses. */
struct addresses {
    const s2svpn_address *a;
    size_t count;
};

/* A group's members without those that are gone and less, and with more. */
static s2svpn_status make_members(struct s2_firewall_group *g, struct addresses less,
                                  struct addresses more, struct s2_firewall_members **out)
{
    const struct s2_env *env = g->fw->env;
    const struct s2_firewall_members *old = atomic_load_explicit(&g->members, memory_order_relaxed);
    const size_t has = (old ? old->live : 0) - less.count + more.count;
    struct s2_firewall_members *m;
    size_t l = 0, k = 0;

    if (has > S2_FIREWALL_MEMBERS_MAX)
        return s2_fail(env, S2SVPN_E_LIMIT, "group", "more than %u addresses",
                       (unsigned)S2_FIREWALL_MEMBERS_MAX);
    m = s2_alloc(env, sizeof(*m) + has * sizeof(m->member[0]));
    if (m == NULL)
        return no_memory(env, "group");
    for (size_t i = 0; old && i < old->count; i++) {
        const s2svpn_address *a = &old->member[i].address;

        if (atomic_load_explicit(&old->member[i].gone, memory_order_relaxed))
            continue;
        if (l < less.count && s2_address_equal(a, &less.a[l])) {
            l++;
            continue;
        }
        while (k < more.count && s2_address_compare(&more.a[k], a) < 0)
            m->member[m->count++].address = more.a[k++];
        m->member[m->count++].address = *a;
    }
    while (k < more.count)
        m->member[m->count++].address = more.a[k++];
    m->live = m->count;
    *out = m;
    return S2SVPN_OK;
}

/* They leave; of an address that several ports have, one goes. */
static void mark_gone(struct s2_firewall_group *g, struct addresses less)
{
    struct s2_firewall_members *m = atomic_load_explicit(&g->members, memory_order_relaxed);

    for (size_t k = 0; k < less.count; k++) {
        size_t i = s2_firewall_member_at(m, &less.a[k]);

        while (atomic_load_explicit(&m->member[i].gone, memory_order_relaxed))
            i++;
        atomic_store_explicit(&m->member[i].gone, true, memory_order_release);
        m->live--;
    }
}

/* New members of several groups, made before any is published. */
struct change {
    size_t count;
    struct s2_firewall_group *group[S2_FIREWALL_PORT_GROUPS];
    struct s2_firewall_members *members[S2_FIREWALL_PORT_GROUPS];
};

static s2svpn_status add_change(struct change *c, struct s2_firewall_group *g,
                                struct addresses less, struct addresses more)
{
    s2svpn_status rc = make_members(g, less, more, &c->members[c->count]);

    if (rc == S2SVPN_OK)
        c->group[c->count++] = g;
    return rc;
}

static void undo(struct s2_firewall *fw, const struct change *c)
{
    for (size_t i = 0; i < c->count; i++)
        s2_free(fw->env, c->members[i]);
}

static void apply(struct s2_firewall *fw, const struct change *c)
{
    for (size_t i = 0; i < c->count; i++)
        PUBLISH(fw, &c->group[i]->members, c->members[i]);
}

/* ---- ports */

s2svpn_status s2_firewall_port_new(struct s2_firewall *fw, struct s2_firewall_port **out)
{
    struct s2_firewall_port *p = s2_alloc(fw->env, sizeof(*p));

    if (p == NULL)
        return no_memory(fw->env, "port");
    p->fw = fw;
    p->serial = ++fw->serials;
    atomic_init(&p->flows, 0);
    atomic_init(&p->groups, NULL);
    *out = p;
    return S2SVPN_OK;
}

static const struct s2_firewall_groups *groups_of(const struct s2_firewall_port *port)
{
    static const struct s2_firewall_groups none;
    const struct s2_firewall_groups *g = atomic_load_explicit(&port->groups, memory_order_relaxed);

    return g ? g : &none;
}

static bool has_group(const struct s2_firewall_groups *all, const struct s2_firewall_group *g)
{
    for (size_t i = 0; i < all->count; i++) {
        if (all->group[i] == g)
            return true;
    }
    return false;
}

static struct addresses addresses_of(const struct s2_firewall_port *port)
{
    return (struct addresses){port->address, port->addresses};
}

/* New groups, in a record to be published. */
static s2svpn_status make_groups(const struct s2_firewall_port *port,
                                 struct s2_firewall_group *const *groups, size_t count,
                                 struct s2_firewall_groups **out)
{
    const struct s2_env *env = port->fw->env;
    struct s2_firewall_groups *now;

    if (count > S2_FIREWALL_PORT_GROUPS)
        return s2_fail(env, S2SVPN_E_LIMIT, "groups", "more than %u groups",
                       (unsigned)S2_FIREWALL_PORT_GROUPS);
    now = s2_alloc(env, sizeof(*now));
    if (now == NULL)
        return no_memory(env, "groups");
    for (size_t i = 0; i < count; i++) {
        if (has_group(now, groups[i]) || groups[i]->fw != port->fw) {
            s2_free(env, now);
            return s2_fail(env, S2SVPN_E_ARGUMENT, "groups",
                           "number %zu is there twice, or another firewall's", i);
        }
        now->group[now->count++] = groups[i];
    }
    *out = now;
    return S2SVPN_OK;
}

/* The port's addresses leave the groups that aren't among those it keeps. */
static void leave_groups(struct s2_firewall_port *port, const struct s2_firewall_groups *keeps)
{
    const struct s2_firewall_groups *g = groups_of(port);

    for (size_t i = 0; i < g->count; i++) {
        g->group[i]->ports--;
        if (!has_group(keeps, g->group[i]))
            mark_gone(g->group[i], addresses_of(port));
    }
}

s2svpn_status s2_firewall_port_set_groups(struct s2_firewall_port *port,
                                          struct s2_firewall_group *const *groups, size_t count)
{
    const struct s2_firewall_groups *before = groups_of(port);
    const struct addresses nothing = {0}, ours = addresses_of(port);
    struct s2_firewall_groups *now = NULL;
    struct change c = {0};
    s2svpn_status rc = make_groups(port, groups, count, &now);

    if (rc != S2SVPN_OK)
        return rc;
    for (size_t i = 0; rc == S2SVPN_OK && i < now->count; i++) {
        if (!has_group(before, now->group[i]))
            rc = add_change(&c, now->group[i], nothing, ours);
    }
    if (rc != S2SVPN_OK) {
        undo(port->fw, &c);
        s2_free(port->fw->env, now);
        return rc;
    }
    for (size_t i = 0; i < now->count; i++)
        now->group[i]->ports++;
    apply(port->fw, &c);
    leave_groups(port, now);
    PUBLISH(port->fw, &port->groups, now);
    changed(port->fw);
    return S2SVPN_OK;
}

/* A sorted copy; each address once. */
static s2svpn_status copy_addresses(const struct s2_env *env, const s2svpn_address *from,
                                    size_t count, s2svpn_address **out, size_t *kept)
{
    s2svpn_address *a;
    size_t n = 0;

    if (count > S2_FIREWALL_ADDRESSES_MAX)
        return s2_fail(env, S2SVPN_E_LIMIT, "addresses", "more than %u addresses",
                       (unsigned)S2_FIREWALL_ADDRESSES_MAX);
    a = s2_alloc_array(env, count + 1, sizeof(*a));
    if (a == NULL)
        return no_memory(env, "addresses");
    for (size_t i = 0; i < count; i++) {
        size_t at = n;

        if (s2_address_len(&from[i]) == 0) {
            s2_free(env, a);
            return s2_fail(env, S2SVPN_E_ARGUMENT, "addresses", "number %zu is no address", i);
        }
        while (at > 0 && s2_address_compare(&a[at - 1], &from[i]) > 0)
            at--;
        if (at > 0 && s2_address_equal(&a[at - 1], &from[i]))
            continue;
        memmove(&a[at + 1], &a[at], (n++ - at) * sizeof(*a));
        a[at] = from[i];
    }
    *out = a;
    *kept = n;
    return S2SVPN_OK;
}

s2svpn_status s2_firewall_port_set_addresses(struct s2_firewall_port *port,
                                             const s2svpn_address *addresses, size_t count)
{
    const struct s2_firewall_groups *groups = groups_of(port);
    struct s2_firewall *fw = port->fw;
    struct change c = {0};
    s2svpn_address *now = NULL;
    size_t kept = 0;
    s2svpn_status rc = copy_addresses(fw->env, addresses, count, &now, &kept);

    if (rc != S2SVPN_OK)
        return rc;
    for (size_t i = 0; rc == S2SVPN_OK && i < groups->count; i++)
        rc = add_change(&c, groups->group[i], addresses_of(port), (struct addresses){now, kept});
    if (rc != S2SVPN_OK) {
        undo(fw, &c);
        s2_free(fw->env, now);
        return rc;
    }
    apply(fw, &c);
    s2_free(fw->env, port->address);
    port->address = now;
    port->addresses = kept;
    changed(fw);
    return S2SVPN_OK;
}

/* No worker has the port any more: none opens a flow of it behind this. */
static void free_port(void *arg, struct s2_retired *node)
{
    struct s2_firewall *fw = arg;
    struct s2_firewall_port *port = (struct s2_firewall_port *)node;

    for (unsigned i = 0; i < S2_FLOW_SHARDS && atomic_load(&port->flows) > 0; i++) {
        s2_firewall_lock(&fw->shard[i].locked);
        s2_flow_close_port(fw, &fw->shard[i], port);
        s2_firewall_unlock(&fw->shard[i].locked);
    }
    s2_free(fw->env, port->address);
    s2_free(fw->env, port);
}

void s2_firewall_port_free(struct s2_firewall_port *port)
{
    static const struct s2_firewall_groups none;
    struct s2_firewall *fw;

    if (port == NULL)
        return;
    fw = port->fw;
    leave_groups(port, &none);
    PUBLISH(fw, &port->groups, NULL);
    s2_epoch_retire(fw->epochs, &port->retired, free_port, fw);
    changed(fw);
}
