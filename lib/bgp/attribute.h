/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Path attributes: the table that knows each type, what a malformed one costs
 * (RFC 7606), sets of them, and sets that are stored once.
 *
 *     bytes ──parse──> s2_bgp_parsed ──intern──> s2_bgp_set ──write──> bytes
 *
 * What we don't decide by (communities, unknown transitive ones) is kept as it
 * came, in the order of types, with a length field that fits.
 */
#ifndef S2_BGP_ATTRIBUTE_H
#define S2_BGP_ATTRIBUTE_H

#include "bgp/message.h"
#include "bgp/path.h"

#include "base/hash.h"

/* X(NAME, code, words) */
#define S2_BGP_ATTRIBUTE_LIST(X)                                                                   \
    X(ORIGIN, 1, "ORIGIN")                                                                         \
    X(AS_PATH, 2, "AS_PATH")                                                                       \
    X(NEXT_HOP, 3, "NEXT_HOP")                                                                     \
    X(MED, 4, "MULTI_EXIT_DISC")                                                                   \
    X(LOCAL_PREF, 5, "LOCAL_PREF")                                                                 \
    X(ATOMIC_AGGREGATE, 6, "ATOMIC_AGGREGATE")                                                     \
    X(AGGREGATOR, 7, "AGGREGATOR")                                                                 \
    X(COMMUNITIES, 8, "COMMUNITIES")                                                               \
    X(ORIGINATOR_ID, 9, "ORIGINATOR_ID")                                                           \
    X(CLUSTER_LIST, 10, "CLUSTER_LIST")                                                            \
    X(MP_REACH, 14, "MP_REACH_NLRI")                                                               \
    X(MP_UNREACH, 15, "MP_UNREACH_NLRI")                                                           \
    X(EXTENDED_COMMUNITIES, 16, "EXTENDED COMMUNITIES")                                            \
    X(AS4_PATH, 17, "AS4_PATH")                                                                    \
    X(AS4_AGGREGATOR, 18, "AS4_AGGREGATOR")                                                        \
    X(IPV6_COMMUNITIES, 25, "IPv6 EXTENDED COMMUNITIES")                                           \
    X(LARGE_COMMUNITIES, 32, "LARGE_COMMUNITY")
enum s2_bgp_attribute {
#define S2_BGP_ATTRIBUTE_ENUM(name, code, words) S2_BGP_##name = (code),
    S2_BGP_ATTRIBUTE_LIST(S2_BGP_ATTRIBUTE_ENUM)
#undef S2_BGP_ATTRIBUTE_ENUM
};
const char *s2_bgp_attribute_text(uint8_t type); /* "unknown attribute" */

#define S2_BGP_FLAG_OPTIONAL 0x80
#define S2_BGP_FLAG_TRANSITIVE 0x40
#define S2_BGP_FLAG_PARTIAL 0x20
#define S2_BGP_FLAG_EXTENDED 0x10 /* two bytes of length */

/* RFC 7606 section 2, from weak to strong: of several the strongest counts. */
enum s2_bgp_cost {
    S2_BGP_COST_NONE,
    S2_BGP_COST_DISCARD,  /* the attribute */
    S2_BGP_COST_WITHDRAW, /* the routes */
    S2_BGP_COST_RESET,    /* the session */
};

/* The fixed part of a set; no holes, since sets are compared bytewise. */
struct s2_bgp_head {
    uint32_t med, local_pref, first_as, aggregator_as, aggregator_id;
    uint16_t as_count, as_path_len, segment_count, opaque_len;
    uint8_t origin;
    bool has_med, has_local_pref, has_aggregator, atomic_aggregate;
    uint8_t reserved[3];
};

/* A set before it is interned. */
struct s2_bgp_values {
    struct s2_bgp_head head; /* its counts are filled in by s2_bgp_values_finish */
    struct s2_bgp_path path;
    uint16_t opaque_len;
    uint8_t opaque[S2_BGP_MESSAGE_MAX];
};

/* MP_REACH_NLRI, MP_UNREACH_NLRI: spans are borrowed from the message. */
struct s2_bgp_mp {
    bool present;
    uint8_t family; /* enum s2svpn_family; 0: none of ours */
    uint8_t next_hops;
    s2svpn_address next_hop[2]; /* RFC 2545 section 3: global, link-local */
    s2svpn_span prefixes;       /* well formed */
};

struct s2_bgp_parsed {
    struct s2_bgp_values values;
    uint8_t seen[32]; /* bit n: type n */
    s2svpn_address next_hop;
    struct s2_bgp_mp reach, unreach;
    s2svpn_span as4_path;
    uint32_t as4_aggregator_as, as4_aggregator_id;
    bool has_as4_path, has_as4_aggregator;
    bool bad_next_hop; /* malformed: what it costs depends on the prefixes */
    size_t as_size;
    enum s2_bgp_cost cost;
    uint8_t culprit;    /* type of the costliest; 0: the list itself */
    unsigned discarded; /* attributes */
    struct s2_bgp_error *why;
};

/* All path attributes of an UPDATE. as_size: 2 or 4, as OPEN agreed. Returns
 * E_MALFORMED if out->cost is RESET, and then *why says what to tell. */
S2SVPN_NODISCARD s2svpn_status s2_bgp_parse_attributes(s2svpn_span bytes, size_t as_size,
                                                       struct s2_bgp_parsed *out,
                                                       struct s2_bgp_error *why);
bool s2_bgp_has(const struct s2_bgp_parsed *p, uint8_t type);
/* Raise the cost to this one, if it isn't there yet. */
void s2_bgp_raise(struct s2_bgp_parsed *p, enum s2_bgp_cost cost, uint8_t culprit);
void s2_bgp_values_finish(struct s2_bgp_values *v);

/* ---- interned sets: immutable, counted, equal ones are one (intern.c) */

struct s2_bgp_set {
    struct s2_table_node node;
    uint32_t uses;
    struct s2_bgp_head head;
    uint32_t as[]; /* then segments, then opaque attributes */
};

struct s2_bgp;
/* The set with these values, one use of it the caller's; NULL: no memory. */
struct s2_bgp_set *s2_bgp_intern(struct s2_bgp *bgp, const struct s2_bgp_values *v);
void s2_bgp_set_hold(struct s2_bgp_set *set);
void s2_bgp_set_release(struct s2_bgp *bgp, struct s2_bgp_set *set); /* NULL is fine */
struct s2_bgp_path_view s2_bgp_set_path(const struct s2_bgp_set *set);
s2svpn_span s2_bgp_set_opaque(const struct s2_bgp_set *set);
/* The other direction of s2_bgp_intern. */
void s2_bgp_set_values(const struct s2_bgp_set *set, struct s2_bgp_values *out);
/* As the user sees it; borrowed from the set. */
struct s2_bgp_attributes s2_bgp_set_show(const struct s2_bgp_set *set,
                                         const s2svpn_address *next_hop);

/* What a writer needs beside the set. */
struct s2_bgp_write_options {
    size_t as_size;
    s2svpn_address next_hop; /* no family: leave NEXT_HOP out */
};
void s2_bgp_write_attribute_header(struct s2_writer *w, uint8_t flags, uint8_t type, size_t len);
/* All of a set, in the order of types. */
void s2_bgp_write_set(struct s2_writer *w, const struct s2_bgp_set *set,
                      const struct s2_bgp_write_options *options);

#endif
