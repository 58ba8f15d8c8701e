/* SPDX-License-Identifier: Apache-2.0 */
/* Attribute sets stored once: a table by content, a count of uses. A set lies in
 * one piece, so that comparing is one memcmp. */
#include "bgp/attribute.h"

#include <string.h>

#include "base/bytes.h"
#include "base/list.h"
#include "bgp/community.h"
#include "bgp/peer.h"

/* The part that makes a set what it is, laid out as in the set. */
struct blob {
    struct s2_bgp_head head;
    uint8_t tail[sizeof(((struct s2_bgp_path *)NULL)->as) +
                 sizeof(((struct s2_bgp_path *)NULL)->segment) + S2_BGP_MESSAGE_MAX];
    size_t len; /* of head and what is used of tail */
};

static size_t append(struct blob *b, size_t at, const void *p, size_t len)
{
    if (len > 0)
        memcpy(b->tail + at, p, len);
    return at + len;
}

static void fill(struct blob *b, const struct s2_bgp_values *v)
{
    size_t at = 0;

    b->head = v->head;
    at = append(b, at, v->path.as, v->path.as_count * sizeof(v->path.as[0]));
    at = append(b, at, v->path.segment, v->path.segment_count * sizeof(v->path.segment[0]));
    at = append(b, at, v->opaque, v->opaque_len);
    b->len = sizeof(b->head) + at;
}

static size_t tail_len(const struct s2_bgp_head *h)
{
    return h->as_count * sizeof(uint32_t) + h->segment_count * sizeof(struct s2_bgp_segment) +
           h->opaque_len;
}

static bool has_content(const struct s2_table_node *n, const void *key)
{
    const struct s2_bgp_set *set = S2_CONTAINER(n, struct s2_bgp_set, node);
    const struct blob *b = key;

    return memcmp(&set->head, &b->head, sizeof(b->head)) == 0 &&
           memcmp(set->as, b->tail, tail_len(&b->head)) == 0;
}

void s2_bgp_set_hold(struct s2_bgp_set *set)
{
    set->uses++;
}

struct s2_bgp_set *s2_bgp_intern(struct s2_bgp *bgp, const struct s2_bgp_values *v)
{
    struct blob b;

    fill(&b, v);
    const uint64_t hash = s2_siphash(bgp->env->hash_key, &b, b.len);
    struct s2_table_node *n = s2_table_find(&bgp->sets, hash, has_content, &b);
    if (n != NULL) {
        s2_bgp_set_hold(S2_CONTAINER(n, struct s2_bgp_set, node));
        return S2_CONTAINER(n, struct s2_bgp_set, node);
    }
    struct s2_bgp_set *set = s2_alloc(bgp->env, sizeof(*set) + tail_len(&b.head));
    if (set == NULL)
        return NULL;
    set->uses = 1;
    set->head = b.head;
    memcpy(set->as, b.tail, tail_len(&b.head));
    if (s2_table_insert(&bgp->sets, &set->node, hash) != S2SVPN_OK) {
        s2_free(bgp->env, set);
        return NULL;
    }
    return set;
}

void s2_bgp_set_release(struct s2_bgp *bgp, struct s2_bgp_set *set)
{
    if (set == NULL || --set->uses > 0)
        return;
    s2_table_remove(&bgp->sets, &set->node);
    s2_free(bgp->env, set);
}

struct s2_bgp_path_view s2_bgp_set_path(const struct s2_bgp_set *set)
{
    return (struct s2_bgp_path_view){
        .as_count = set->head.as_count,
        .segment_count = set->head.segment_count,
        .as = set->as,
        .segment = (const struct s2_bgp_segment *)(const void *)(set->as + set->head.as_count),
    };
}

s2svpn_span s2_bgp_set_opaque(const struct s2_bgp_set *set)
{
    const struct s2_bgp_path_view path = s2_bgp_set_path(set);

    return s2_span(path.segment + path.segment_count, set->head.opaque_len);
}

void s2_bgp_set_values(const struct s2_bgp_set *set, struct s2_bgp_values *out)
{
    const struct s2_bgp_path_view path = s2_bgp_set_path(set);
    const s2svpn_span opaque = s2_bgp_set_opaque(set);

    out->head = set->head;
    out->path.as_count = path.as_count;
    out->path.segment_count = path.segment_count;
    memcpy(out->path.as, path.as, path.as_count * sizeof(path.as[0]));
    memcpy(out->path.segment, path.segment, path.segment_count * sizeof(path.segment[0]));
    out->opaque_len = set->head.opaque_len;
    if (opaque.len > 0)
        memcpy(out->opaque, opaque.p, opaque.len);
}

struct s2_bgp_attributes s2_bgp_set_show(const struct s2_bgp_set *set,
                                         const s2svpn_address *next_hop)
{
    const struct s2_bgp_head *h = &set->head;
    const s2svpn_span opaque = s2_bgp_set_opaque(set);

    return (struct s2_bgp_attributes){
        .origin = h->origin,
        .has_med = h->has_med,
        .has_local_pref = h->has_local_pref,
        .med = h->med,
        .local_pref = h->local_pref,
        .next_hop = *next_hop,
        .as_path_len = h->as_path_len,
        .first_as = h->first_as,
        .as_count = h->as_count,
        .as_path = set->as,
        .communities = s2_bgp_opaque_value(opaque, S2_BGP_COMMUNITIES),
        .large_communities = s2_bgp_opaque_value(opaque, S2_BGP_LARGE_COMMUNITIES),
    };
}
