/* SPDX-License-Identifier: Apache-2.0 */
/* The RIB's records, for rib.c, choice.c and order.c alone. */
#ifndef S2_ROUTING_RIB_H
#define S2_ROUTING_RIB_H

#include "routing/routing.h"

#include "base/hash.h"
#include "base/list.h"

struct s2_rib_candidate {
    struct s2_rib_path path;
    struct s2_rib_entry *entry;
    struct s2_rib_candidate *next; /* of the entry */
    struct s2_link of_source;
    bool taken; /* listed already; false outside s2_rib_list() */
};

struct s2_rib_entry {
    struct s2_table_node node;
    s2svpn_prefix prefix;
    struct s2_link in_order;
    struct s2_rib_candidate *first;
    size_t count;
};

struct s2_rib_source {
    struct s2_table_node node;
    void *source;
    struct s2_link candidates;
    bool unsorted;
};

struct s2_rib {
    struct s2_rib *self; /* for a walk, which may sort and is const all the same */
    const struct s2_env *env;
    struct s2_rib_ops ops;
    void *user;
    struct s2_rib_limits limits;
    struct s2_table entries, sources;
    struct s2_link all; /* entries */
    bool unsorted;
    uint32_t lengths[2][129];  /* IPv4, IPv6: entries of each length */
    struct s2_rib_path *shown; /* limits.paths of them, for a walk */
};

/* choice.c: below 0 if a is better by the steps before MED. */
int s2_rib_compare(const struct s2_rib_path *a, const struct s2_rib_path *b);
/* NULL: none is usable. */
const struct s2_rib_path *s2_rib_best(const struct s2_rib_entry *e);
void s2_rib_choose(const struct s2_rib_entry *e, struct s2_rib_choice *out);
/* All of them, best first; returns how many were written. */
size_t s2_rib_list(const struct s2_rib_entry *e, struct s2_rib_path *out, size_t max);

/* order.c: put the entries, or a source's candidates, into the order of prefixes. */
void s2_rib_sort(struct s2_rib *rib);
void s2_rib_sort_source(struct s2_rib_source *source);

#endif
