/* SPDX-License-Identifier: Apache-2.0 */
/* SipHash-2-4 and hash tables whose links live inside the members. Keys come
 * from peers, so the hash is keyed; a table is born with its limit. */
#ifndef S2_BASE_HASH_H
#define S2_BASE_HASH_H

#include "base/env.h"

uint64_t s2_siphash(const uint8_t key[16], const void *p, size_t len);

struct s2_table_node {
    struct s2_table_node *next;
    uint64_t hash;
};

struct s2_table {
    const struct s2_env *env;
    struct s2_table_node **buckets; /* a power of two, or NULL while empty */
    size_t bucket_count;
    size_t count;
    size_t limit;
};

void s2_table_init(struct s2_table *t, const struct s2_env *env, size_t limit);
/* Frees the buckets; the members are the caller's. */
void s2_table_clear(struct s2_table *t);
/* E_LIMIT at the limit, E_MEMORY; the caller, who knows what the table holds,
 * records the details. Doesn't look for an equal member. A table that can't grow
 * for want of memory goes on with longer chains. */
S2SVPN_NODISCARD s2svpn_status s2_table_insert(struct s2_table *t, struct s2_table_node *n,
                                               uint64_t hash);
/* First member with this hash for which equal() says yes, or NULL. */
struct s2_table_node *s2_table_find(const struct s2_table *t, uint64_t hash,
                                    bool (*equal)(const struct s2_table_node *n, const void *key),
                                    const void *key);
/* n must be in t. */
void s2_table_remove(struct s2_table *t, struct s2_table_node *n);
/* Members in no order: start with a zeroed cursor. A member may be removed while
 * it is the current one; nothing may be inserted meanwhile. */
struct s2_table_cursor {
    size_t bucket;
    struct s2_table_node *next;
    bool started;
};
struct s2_table_node *s2_table_next(const struct s2_table *t, struct s2_table_cursor *c);

#endif
