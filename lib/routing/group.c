/* SPDX-License-Identifier: Apache-2.0 */
/* The writer's side of groups: found by their members, counted, retired. The choice is in
 * the header. */
#include "routing/group.h"

#include "base/list.h"

struct wanted {
    const struct s2_group_member *member;
    size_t count;
};

void s2_groups_init(struct s2_groups *g, const struct s2_env *env, struct s2_epochs *epochs)
{
    g->env = env;
    g->epochs = epochs;
    s2_table_init(&g->table, env, SIZE_MAX); /* each is used by an entry at least */
}

void s2_groups_clear(struct s2_groups *g)
{
    struct s2_table_cursor c = {0};

    if (g->env == NULL)
        return;
    for (struct s2_table_node *n; (n = s2_table_next(&g->table, &c)) != NULL;)
        s2_free(g->env, S2_CONTAINER(n, struct s2_group, node));
    s2_table_clear(&g->table);
    g->env = NULL;
}

size_t s2_groups_count(const struct s2_groups *g)
{
    return g->table.count;
}

bool s2_group_is_of(const struct s2_group *group, const struct s2_group_member *member,
                    size_t count)
{
    if (group->count != count)
        return false;
    for (size_t i = 0; i < count; i++) {
        if (group->member[i].value != member[i].value || group->member[i].salt != member[i].salt)
            return false;
    }
    return true;
}

static bool is_wanted(const struct s2_table_node *n, const void *key)
{
    const struct wanted *w = key;

    return s2_group_is_of(S2_CONTAINER(n, struct s2_group, node), w->member, w->count);
}

static uint64_t hash(const struct s2_groups *g, const struct s2_group_member *member, size_t count)
{
    uint64_t value[S2_GROUP_MAX];

    for (size_t i = 0; i < count; i++)
        value[i] = member[i].value;
    return s2_siphash(g->env->hash_key, value, count * sizeof(value[0]));
}

struct s2_group *s2_groups_take(struct s2_groups *g, const struct s2_group_member *member,
                                size_t count)
{
    const struct wanted wanted = {member, count};
    struct s2_group *group;

    if (count < 2 || count > S2_GROUP_MAX)
        return NULL;
    const uint64_t h = hash(g, member, count);
    struct s2_table_node *n = s2_table_find(&g->table, h, is_wanted, &wanted);
    if (n != NULL) {
        group = S2_CONTAINER(n, struct s2_group, node);
        group->uses++;
        return group;
    }
    group = s2_alloc(g->env, sizeof(*group));
    if (group == NULL)
        return NULL;
    if (s2_table_insert(&g->table, &group->node, h) != S2SVPN_OK) {
        s2_free(g->env, group);
        return NULL;
    }
    group->uses = 1;
    group->count = (uint32_t)count;
    for (size_t i = 0; i < count; i++)
        group->member[i] = member[i];
    return group;
}

static void free_group(void *arg, struct s2_retired *node)
{
    s2_free(arg, S2_CONTAINER(node, struct s2_group, retired));
}

void s2_groups_give_back(struct s2_groups *g, struct s2_group *group)
{
    if (group == NULL || --group->uses > 0)
        return;
    s2_table_remove(&g->table, &group->node);
    s2_epoch_retire(g->epochs, &group->retired, free_group, (void *)(uintptr_t)g->env);
}
