/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routes: the RIB (all candidates of a prefix, and which is best) and the FIB (a
 * published trie that other threads look up in). Knows nothing of BGP sessions or
 * tunnels: a candidate's source is a pointer that it never follows. Groups, for
 * prefixes that several sources carry, are in group.h.
 *
 *   s2_rib_set / s2_rib_unset ──> RIB ── ops.best ──> vpn ──> s2_fib_set ──> FIB
 *                                                                  ▲ lookup, lock-free
 *
 * Order of choice, as AWS documents it: local > static > BGP; higher local preference;
 * shortest AS path; among equal first ASes the lowest MED; then the longest established,
 * then the lowest source order. Only usable candidates count. One path carries a prefix,
 * as behind AWS's virtual private gateway.
 *
 * Equal-cost multipath, as behind AWS's transit gateway, is for paths that say so
 * (s2_rib_path.together): with the best path those carry the prefix that are equal to it
 * in kind, local preference, length of the AS path, first AS and MED. The first AS must
 * be the same, since MEDs of two neighbours can't be compared and two sites that announce
 * the same prefix need not be the same place; what stands behind it in the path doesn't
 * matter.
 */
#ifndef S2_ROUTING_ROUTING_H
#define S2_ROUTING_ROUTING_H

#include "base/env.h"
#include "base/epoch.h"

enum s2_route_kind { S2_ROUTE_LOCAL = 1, S2_ROUTE_STATIC = 2, S2_ROUTE_BGP = 3 };

/* A candidate, as given and as shown. (prefix, source) names it. */
struct s2_rib_path {
    void *source;        /* the tunnel or connection; never followed */
    uint8_t kind;        /* enum s2_route_kind */
    bool usable;         /* its tunnel is up and its session established */
    uint8_t together;    /* most paths that may carry a prefix with it, itself included;
                          * 0 or 1: it alone; at most S2_RIB_TOGETHER_MAX */
    uint32_t local_pref; /* higher first; 100 */
    uint16_t as_path_len;
    uint32_t first_as;
    uint32_t med;
    uint32_t order; /* lowest wins at the end; the same for nobody */
    uint64_t since_ns;
    /* The user's, not followed; equal means the same pointer. NULL: none. They are the
     * RIB's once s2_rib_set has taken them, until ops.release. */
    void *attributes;
};

/* What carries a prefix: the best path and its equals. All borrowed. */
#define S2_RIB_TOGETHER_MAX 8
struct s2_rib_choice {
    const struct s2_rib_path *best; /* NULL: no candidate is usable */
    size_t count;                   /* of path; 0 without a best one, else at least 1 */
    const struct s2_rib_path *path[S2_RIB_TOGETHER_MAX]; /* by their order; best is one */
};

struct s2_rib;
struct s2_rib_ops {
    /* The choice for a prefix changed: the best path (in more than its age) or who
     * carries it with it. count: candidates left, usable or not; 0: the prefix is gone.
     * A prefix that comes or goes without a usable candidate is told as well. choice is
     * borrowed for the call. Must not change the RIB. */
    void (*best)(void *user, const s2svpn_prefix *prefix, const struct s2_rib_choice *choice,
                 size_t count, uint64_t now_ns);
    /* Optional. No path has these attributes any more. */
    void (*release)(void *user, void *attributes);
};
struct s2_rib_limits {
    size_t prefixes; /* 0: 1,000,000 */
    size_t paths;    /* a prefix; 0: 64 */
};
S2SVPN_NODISCARD s2svpn_status s2_rib_new(const struct s2_env *env,
                                          const struct s2_rib_limits *limits,
                                          const struct s2_rib_ops *ops, void *user,
                                          struct s2_rib **rib);
void s2_rib_free(struct s2_rib *rib);
/* Add a candidate or replace the one of the same source. since_ns 0: now. */
S2SVPN_NODISCARD s2svpn_status s2_rib_set(struct s2_rib *rib, const s2svpn_prefix *prefix,
                                          const struct s2_rib_path *path, uint64_t now_ns);
void s2_rib_unset(struct s2_rib *rib, const s2svpn_prefix *prefix, const void *source,
                  uint64_t now_ns);
/* All candidates of a source: usable or not, or gone. In the order of prefixes. */
void s2_rib_set_usable(struct s2_rib *rib, const void *source, bool usable, uint64_t now_ns);
void s2_rib_drop(struct s2_rib *rib, const void *source, uint64_t now_ns);
/* Those candidates of a source that are not usable go. */
void s2_rib_drop_unusable(struct s2_rib *rib, const void *source, uint64_t now_ns);
size_t s2_rib_count(const struct s2_rib *rib);
/* Walk all prefixes in address order; path[0] is best if best_usable. False stops.
 * The function must neither change the RIB nor walk it itself. */
void s2_rib_each(const struct s2_rib *rib,
                 bool (*each)(void *arg, const s2svpn_prefix *prefix,
                              const struct s2_rib_path *path, size_t count, bool best_usable),
                 void *arg);
/* The candidates of one prefix, best first; returns how many there are. */
size_t s2_rib_get(const struct s2_rib *rib, const s2svpn_prefix *prefix, struct s2_rib_path *out,
                  size_t max);
/* What carries the prefix; false: nothing does. Borrowed until the RIB changes. */
bool s2_rib_get_choice(const struct s2_rib *rib, const s2svpn_prefix *prefix,
                       struct s2_rib_choice *out);
/* Does any usable candidate of the longest matching prefix that has one stand for
 * this address? NULL: no. */
const struct s2_rib_path *s2_rib_lookup(const struct s2_rib *rib, const s2svpn_address *a,
                                        s2svpn_prefix *matched);
/* Is there a candidate of this source, usable or not, whose prefix contains a? */
bool s2_rib_source_covers(const struct s2_rib *rib, const void *source, const s2svpn_address *a);

/* ---- FIB: a trie whose changed nodes are copied (a change costs O(depth)), read
 * without locks inside an epoch, old nodes retired. Values are 64 bits of the
 * user's; 0 is "no entry". One FIB holds both families. */
struct s2_fib;
S2SVPN_NODISCARD s2svpn_status s2_fib_new(const struct s2_env *env, struct s2_epochs *epochs,
                                          struct s2_fib **fib);
/* No reader may be inside; retired nodes stay with the epochs, which must be cleared
 * while env still stands. */
void s2_fib_free(struct s2_fib *fib);
S2SVPN_NODISCARD s2svpn_status s2_fib_set(struct s2_fib *fib, const s2svpn_prefix *prefix,
                                          uint64_t value);
/* Can't fail on memory: a removal leaves what it can't shrink. */
void s2_fib_unset(struct s2_fib *fib, const s2svpn_prefix *prefix);
size_t s2_fib_count(const struct s2_fib *fib);
/* Longest match; 0 if none. Any thread that is inside an epoch. */
uint64_t s2_fib_lookup(const struct s2_fib *fib, const s2svpn_address *a);
/* The same, IPv4 address in host byte order. */
uint64_t s2_fib_lookup_ipv4(const struct s2_fib *fib, uint32_t a);
/* Exact entry; 0 if none. */
uint64_t s2_fib_get(const struct s2_fib *fib, const s2svpn_prefix *prefix);

#endif
