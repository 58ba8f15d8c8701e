/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Groups: several values that stand for one, between which each flow chooses. A FIB's
 * value may lead to a group (the user's tag says so); prefixes that go by the same values
 * share one, so that a hundred prefixes behind fifty connections cost fifty groups and a
 * change of a prefix's group is one store into the FIB.
 *
 * A group never changes. A user takes the one that it needs, publishes it, and gives the
 * old one back; what nobody uses is retired, for readers may still be in it.
 *
 * The choice is rendezvous hashing: each member's salt is mixed with the flow's hash and
 * the highest wins. It needs no table, spreads evenly, gives the same answer as long as
 * the members are the same, whatever their order, and when a member goes only its own
 * flows move, to all the others evenly; they come back with it. (D. Thaler and C.
 * Ravishankar, "Using name-based mappings to increase hit rates", 1998; RFC 2992 compares
 * such schemes.)
 */
#ifndef S2_ROUTING_GROUP_H
#define S2_ROUTING_GROUP_H

#include "base/env.h"
#include "base/epoch.h"
#include "base/hash.h"

#define S2_GROUP_MAX 8

struct s2_group_member {
    uint64_t value; /* the user's */
    uint64_t salt;  /* s2_group_mix() of a number of its own, the same in every group */
};

struct s2_group {
    struct s2_retired retired;
    struct s2_table_node node;
    size_t uses; /* the writer's alone */
    uint32_t count;
    struct s2_group_member member[S2_GROUP_MAX];
};

/* A writer's groups. */
struct s2_groups {
    const struct s2_env *env;
    struct s2_epochs *epochs;
    struct s2_table table;
};

void s2_groups_init(struct s2_groups *g, const struct s2_env *env, struct s2_epochs *epochs);
/* No reader may be inside; those that are still used go as well. */
void s2_groups_clear(struct s2_groups *g);
size_t s2_groups_count(const struct s2_groups *g);
/* The group of 2 to S2_GROUP_MAX members in this order, made if there is none; it has one
 * use more. NULL: no memory for it. */
struct s2_group *s2_groups_take(struct s2_groups *g, const struct s2_group_member *member,
                                size_t count);
/* One use less; behind the last it is retired. NULL is allowed. */
void s2_groups_give_back(struct s2_groups *g, struct s2_group *group);
bool s2_group_is_of(const struct s2_group *group, const struct s2_group_member *member,
                    size_t count);

/* Every bit of x moves every bit of the result, and no two x have the same. */
static inline uint64_t s2_group_mix(uint64_t x)
{
    x = (x ^ x >> 32) * UINT64_C(0xd6e8feb86659fd93);
    x = (x ^ x >> 32) * UINT64_C(0xd6e8feb86659fd93);
    return x ^ x >> 32;
}

/* The value that a flow takes; any thread that is inside an epoch. A member that doesn't
 * fit is as good as gone; if none fits, it is who would be chosen from all. */
static inline uint64_t s2_group_pick(const struct s2_group *group, uint64_t flow,
                                     bool (*fits)(uint64_t value))
{
    uint64_t most = 0, best = group->member[0].value;
    bool any = false;

    for (uint32_t i = 0; i < group->count; i++) {
        const struct s2_group_member *m = &group->member[i];
        const uint64_t score = s2_group_mix(flow ^ m->salt);
        const bool good = fits(m->value);

        if ((good && !any) || (good == any && score > most)) {
            most = score;
            best = m->value;
            any = any || good;
        }
    }
    return best;
}

#endif
