/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The attribute table: one row a type with its flags, its parser, its writer and
 * what a malformed one costs. To add a type: a line in the list, a row, a function
 * or two. Nothing here touches a session or a table of routes.
 *
 * RFC 4271 sections 4.3, 5 and 6.3; 4760; 6793; 7606; 7607; communities: 1997,
 * 4360, 5701, 8092. All our peers are external: what belongs to internal sessions
 * (LOCAL_PREF, ORIGINATOR_ID, CLUSTER_LIST) is discarded (7606 sections 7.5, 7.9,
 * 7.10).
 */
#include "bgp/attribute.h"

#include <string.h>

#include "base/address.h"
#include "base/bytes.h"
#include "bgp/nlri.h"

#define KIND (S2_BGP_FLAG_OPTIONAL | S2_BGP_FLAG_TRANSITIVE)
#define WELL_KNOWN S2_BGP_FLAG_TRANSITIVE
#define OPTIONAL S2_BGP_FLAG_OPTIONAL
#define OPTIONAL_TRANSITIVE KIND

/* An attribute taken apart. */
struct raw {
    uint8_t flags, type;
    s2svpn_span value;
};

struct row {       /* no parser: a type that we don't know */
    uint8_t flags; /* optional, transitive */
    enum s2_bgp_cost malformed;
    /* false: malformed, or not for an external session. Part of the type's own
     * knowledge alone: doubles and flags were looked at before. */
    bool (*parse)(struct s2_bgp_parsed *p, const struct raw *a, struct s2_reader *r);
    /* Writes nothing if the set has none. NULL: kept opaque, or outside of sets. */
    void (*write)(struct s2_writer *w, const struct s2_bgp_set *set,
                  const struct s2_bgp_write_options *options);
};

bool s2_bgp_has(const struct s2_bgp_parsed *p, uint8_t type)
{
    return p->seen[type / 8] >> type % 8 & 1;
}

void s2_bgp_raise(struct s2_bgp_parsed *p, enum s2_bgp_cost cost, uint8_t culprit)
{
    p->discarded += cost == S2_BGP_COST_DISCARD;
    if (cost <= p->cost)
        return;
    p->cost = cost;
    p->culprit = culprit;
}

/* ---- writing */

void s2_bgp_write_attribute_header(struct s2_writer *w, uint8_t flags, uint8_t type, size_t len)
{
    const bool extended = len > UINT8_MAX;

    flags &= (uint8_t)~S2_BGP_FLAG_EXTENDED;
    s2_write_u8(w, (uint8_t)(extended ? flags | S2_BGP_FLAG_EXTENDED : flags));
    s2_write_u8(w, type);
    if (extended)
        s2_write_u16(w, (uint16_t)len);
    else
        s2_write_u8(w, (uint8_t)len);
}

static void write_u32(struct s2_writer *w, uint8_t flags, uint8_t type, uint32_t v)
{
    s2_bgp_write_attribute_header(w, flags, type, 4);
    s2_write_u32(w, v);
}

/* ---- types */

/* Not for an external session. */
static bool parse_internal(struct s2_bgp_parsed *p, const struct raw *a, struct s2_reader *r)
{
    (void)p;
    (void)a;
    (void)r;
    return false;
}

static bool parse_origin(struct s2_bgp_parsed *p, const struct raw *a, struct s2_reader *r)
{
    (void)a;
    p->values.head.origin = s2_read_u8(r, "origin");
    return s2_reader_finish(r) == S2SVPN_OK && p->values.head.origin <= S2_BGP_INCOMPLETE;
}

static void write_origin(struct s2_writer *w, const struct s2_bgp_set *set,
                         const struct s2_bgp_write_options *options)
{
    (void)options;
    s2_bgp_write_attribute_header(w, WELL_KNOWN, S2_BGP_ORIGIN, 1);
    s2_write_u8(w, set->head.origin);
}

static bool parse_as_path(struct s2_bgp_parsed *p, const struct raw *a, struct s2_reader *r)
{
    (void)a;
    return s2_bgp_parse_path(r, p->as_size, &p->values.path) == S2SVPN_OK;
}

static void write_as_path(struct s2_writer *w, const struct s2_bgp_set *set,
                          const struct s2_bgp_write_options *options)
{
    const struct s2_bgp_path_view path = s2_bgp_set_path(set);

    s2_bgp_write_attribute_header(w, WELL_KNOWN, S2_BGP_AS_PATH,
                                  s2_bgp_path_size(&path, options->as_size));
    s2_bgp_write_path(w, &path, options->as_size);
}

static bool parse_next_hop(struct s2_bgp_parsed *p, const struct raw *a, struct s2_reader *r)
{
    (void)a;
    p->next_hop = s2_address_ipv4(s2_read_u32(r, "next_hop"));
    return s2_reader_finish(r) == S2SVPN_OK;
}

static void write_next_hop(struct s2_writer *w, const struct s2_bgp_set *set,
                           const struct s2_bgp_write_options *options)
{
    (void)set;
    if (options->next_hop.family == S2SVPN_FAMILY_IPV4)
        write_u32(w, WELL_KNOWN, S2_BGP_NEXT_HOP, s2_address_ipv4_value(&options->next_hop));
}

static bool parse_med(struct s2_bgp_parsed *p, const struct raw *a, struct s2_reader *r)
{
    (void)a;
    p->values.head.med = s2_read_u32(r, "med");
    p->values.head.has_med = true;
    return s2_reader_finish(r) == S2SVPN_OK;
}

static void write_med(struct s2_writer *w, const struct s2_bgp_set *set,
                      const struct s2_bgp_write_options *options)
{
    (void)options;
    if (set->head.has_med)
        write_u32(w, OPTIONAL, S2_BGP_MED, set->head.med);
}

static bool parse_atomic_aggregate(struct s2_bgp_parsed *p, const struct raw *a,
                                   struct s2_reader *r)
{
    (void)a;
    p->values.head.atomic_aggregate = r->left == 0;
    return r->left == 0;
}

static void write_atomic_aggregate(struct s2_writer *w, const struct s2_bgp_set *set,
                                   const struct s2_bgp_write_options *options)
{
    (void)options;
    if (set->head.atomic_aggregate)
        s2_bgp_write_attribute_header(w, WELL_KNOWN, S2_BGP_ATOMIC_AGGREGATE, 0);
}

/* AS 0: RFC 7607 section 2. */
static bool parse_aggregator(struct s2_bgp_parsed *p, const struct raw *a, struct s2_reader *r)
{
    struct s2_bgp_head *h = &p->values.head;
    const uint32_t as =
        p->as_size == 4 ? s2_read_u32(r, "aggregator.as") : s2_read_u16(r, "aggregator.as");
    const uint32_t id = s2_read_u32(r, "aggregator.id");

    (void)a;
    if (s2_reader_finish(r) != S2SVPN_OK || as == 0)
        return false;
    h->has_aggregator = true;
    h->aggregator_as = as;
    h->aggregator_id = id;
    return true;
}

static void write_aggregator(struct s2_writer *w, const struct s2_bgp_set *set,
                             const struct s2_bgp_write_options *options)
{
    const struct s2_bgp_head *h = &set->head;
    const bool big = h->aggregator_as > UINT16_MAX;

    if (!h->has_aggregator)
        return;
    s2_bgp_write_attribute_header(w, OPTIONAL_TRANSITIVE, S2_BGP_AGGREGATOR, options->as_size + 4);
    if (options->as_size == 4)
        s2_write_u32(w, h->aggregator_as);
    else
        s2_write_u16(w, (uint16_t)(big ? S2_BGP_AS_TRANS : h->aggregator_as));
    s2_write_u32(w, h->aggregator_id);
}

static bool parse_as4_aggregator(struct s2_bgp_parsed *p, const struct raw *a, struct s2_reader *r)
{
    (void)a;
    p->as4_aggregator_as = s2_read_u32(r, "as4_aggregator.as");
    p->as4_aggregator_id = s2_read_u32(r, "as4_aggregator.id");
    p->has_as4_aggregator =
        s2_reader_finish(r) == S2SVPN_OK && p->as4_aggregator_as != 0 && p->as_size == 2;
    return p->has_as4_aggregator;
}

static void write_as4_aggregator(struct s2_writer *w, const struct s2_bgp_set *set,
                                 const struct s2_bgp_write_options *options)
{
    const struct s2_bgp_head *h = &set->head;

    if (!h->has_aggregator || options->as_size == 4 || h->aggregator_as <= UINT16_MAX)
        return;
    s2_bgp_write_attribute_header(w, OPTIONAL_TRANSITIVE, S2_BGP_AS4_AGGREGATOR, 8);
    s2_write_u32(w, h->aggregator_as);
    s2_write_u32(w, h->aggregator_id);
}

/* Looked at when AS_PATH is known, whichever came first. From a speaker of
 * four-octet ASNs it means nothing, and without an AS number neither (RFC 6793
 * section 6). */
static bool parse_as4_path(struct s2_bgp_parsed *p, const struct raw *a, struct s2_reader *r)
{
    (void)r;
    p->has_as4_path = p->as_size == 2 && a->value.len > 0;
    p->as4_path = a->value;
    return p->has_as4_path;
}

static void write_as4_path(struct s2_writer *w, const struct s2_bgp_set *set,
                           const struct s2_bgp_write_options *options)
{
    const struct s2_bgp_path_view path = s2_bgp_set_path(set);
    bool big = false;

    for (size_t i = 0; i < path.as_count; i++)
        big = big || path.as[i] > UINT16_MAX;
    if (options->as_size == 4 || !big)
        return;
    s2_bgp_write_attribute_header(w, OPTIONAL_TRANSITIVE, S2_BGP_AS4_PATH,
                                  s2_bgp_path_size(&path, 4));
    s2_bgp_write_path(w, &path, 4);
}

/* Keep an attribute as it is, behind those of lower types. */
static void keep(struct s2_bgp_values *v, const struct raw *a, uint8_t flags)
{
    uint8_t header[4];
    struct s2_writer w;
    size_t at = 0;

    s2_writer_init(&w, header, sizeof(header));
    s2_bgp_write_attribute_header(&w, flags, a->type, a->value.len);
    if (w.len + a->value.len > sizeof(v->opaque) - v->opaque_len)
        return; /* can't be: all came in one message, in no shorter form */
    while (at < v->opaque_len && v->opaque[at + 1] < a->type) {
        const uint8_t *p = v->opaque + at;

        at += p[0] & S2_BGP_FLAG_EXTENDED ? 4 + (size_t)s2_get_u16(p + 2) : 3 + (size_t)p[2];
    }
    memmove(v->opaque + at + w.len + a->value.len, v->opaque + at, v->opaque_len - at);
    memcpy(v->opaque + at, header, w.len);
    if (a->value.len > 0)
        memcpy(v->opaque + at + w.len, a->value.p, a->value.len);
    v->opaque_len = (uint16_t)(v->opaque_len + w.len + a->value.len);
}

/* Lists of things of one size: communities of all kinds (RFC 7606 sections 7.8,
 * 7.14, 7.15; 8092 section 6). An empty list is malformed. */
static bool parse_list(struct s2_bgp_parsed *p, const struct raw *a, size_t size)
{
    if (a->value.len == 0 || a->value.len % size != 0)
        return false;
    keep(&p->values, a, a->flags & (KIND | S2_BGP_FLAG_PARTIAL));
    return true;
}

static bool parse_communities(struct s2_bgp_parsed *p, const struct raw *a, struct s2_reader *r)
{
    (void)r;
    return parse_list(p, a, 4);
}

static bool parse_extended(struct s2_bgp_parsed *p, const struct raw *a, struct s2_reader *r)
{
    (void)r;
    return parse_list(p, a, 8);
}

static bool parse_ipv6_communities(struct s2_bgp_parsed *p, const struct raw *a,
                                   struct s2_reader *r)
{
    (void)r;
    return parse_list(p, a, 20);
}

static bool parse_large(struct s2_bgp_parsed *p, const struct raw *a, struct s2_reader *r)
{
    (void)r;
    return parse_list(p, a, 12);
}

/* ---- MP_REACH_NLRI, MP_UNREACH_NLRI: RFC 4760 sections 3 and 4. A bad one hides
 * prefixes, so it costs the session (RFC 7606 sections 3 j, 5.3 and 7.11). */

static bool parse_next_hops(struct s2_bgp_mp *mp, struct s2_reader *r)
{
    const size_t size = s2_family_bits(mp->family) / 8;
    const bool two = mp->family == S2SVPN_FAMILY_IPV6 && r->left == 2 * size;

    if (r->left != size && !two)
        return false;
    mp->next_hops = two ? 2 : 1;
    for (size_t i = 0; i < mp->next_hops; i++)
        mp->next_hop[i] = s2_address_from(mp->family, s2_read_span(r, size, "mp.next_hop").p);
    return true;
}

static bool parse_reach(struct s2_bgp_parsed *p, const struct raw *a, struct s2_reader *r)
{
    struct s2_bgp_mp *mp = &p->reach;
    const uint16_t afi = s2_read_u16(r, "mp.afi");
    const uint8_t safi = s2_read_u8(r, "mp.safi");
    const uint8_t len = s2_read_u8(r, "mp.next_hop");
    struct s2_reader next_hops = s2_read_sub(r, len, "mp.next_hop");

    (void)a;
    s2_read_skip(r, 1, "mp.reserved");
    mp->prefixes = s2_read_rest(r);
    mp->present = r->rc == S2SVPN_OK;
    if (!mp->present)
        return false;
    mp->family = s2_bgp_family(afi, safi);
    return mp->family == S2SVPN_FAMILY_NONE ||
           (parse_next_hops(mp, &next_hops) && s2_bgp_prefixes_good(mp->prefixes, mp->family));
}

static bool parse_unreach(struct s2_bgp_parsed *p, const struct raw *a, struct s2_reader *r)
{
    struct s2_bgp_mp *mp = &p->unreach;
    const uint16_t afi = s2_read_u16(r, "mp.afi");
    const uint8_t safi = s2_read_u8(r, "mp.safi");

    (void)a;
    mp->prefixes = s2_read_rest(r);
    mp->present = r->rc == S2SVPN_OK;
    if (!mp->present)
        return false;
    mp->family = s2_bgp_family(afi, safi);
    return mp->family == S2SVPN_FAMILY_NONE || s2_bgp_prefixes_good(mp->prefixes, mp->family);
}

/* ---- the table */

#define DISCARD S2_BGP_COST_DISCARD
#define WITHDRAW S2_BGP_COST_WITHDRAW
#define RESET S2_BGP_COST_RESET
static const struct row table[256] = {
    [S2_BGP_ORIGIN] = {WELL_KNOWN, WITHDRAW, parse_origin, write_origin},
    [S2_BGP_AS_PATH] = {WELL_KNOWN, WITHDRAW, parse_as_path, write_as_path},
    [S2_BGP_NEXT_HOP] = {WELL_KNOWN, WITHDRAW, parse_next_hop, write_next_hop},
    [S2_BGP_MED] = {OPTIONAL, WITHDRAW, parse_med, write_med},
    [S2_BGP_LOCAL_PREF] = {WELL_KNOWN, DISCARD, parse_internal, NULL},
    [S2_BGP_ATOMIC_AGGREGATE] = {WELL_KNOWN, DISCARD, parse_atomic_aggregate,
                                 write_atomic_aggregate},
    [S2_BGP_AGGREGATOR] = {OPTIONAL_TRANSITIVE, DISCARD, parse_aggregator, write_aggregator},
    [S2_BGP_COMMUNITIES] = {OPTIONAL_TRANSITIVE, WITHDRAW, parse_communities, NULL},
    [S2_BGP_ORIGINATOR_ID] = {OPTIONAL, DISCARD, parse_internal, NULL},
    [S2_BGP_CLUSTER_LIST] = {OPTIONAL, DISCARD, parse_internal, NULL},
    [S2_BGP_MP_REACH] = {OPTIONAL, RESET, parse_reach, NULL},
    [S2_BGP_MP_UNREACH] = {OPTIONAL, RESET, parse_unreach, NULL},
    [S2_BGP_EXTENDED_COMMUNITIES] = {OPTIONAL_TRANSITIVE, WITHDRAW, parse_extended, NULL},
    [S2_BGP_AS4_PATH] = {OPTIONAL_TRANSITIVE, DISCARD, parse_as4_path, write_as4_path},
    [S2_BGP_AS4_AGGREGATOR] = {OPTIONAL_TRANSITIVE, DISCARD, parse_as4_aggregator,
                               write_as4_aggregator},
    [S2_BGP_IPV6_COMMUNITIES] = {OPTIONAL_TRANSITIVE, WITHDRAW, parse_ipv6_communities, NULL},
    [S2_BGP_LARGE_COMMUNITIES] = {OPTIONAL_TRANSITIVE, WITHDRAW, parse_large, NULL},
};

const char *s2_bgp_attribute_text(uint8_t type)
{
    switch (type) {
#define CASE(name, code, words)                                                                    \
    case (code):                                                                                   \
        return words;
        S2_BGP_ATTRIBUTE_LIST(CASE)
#undef CASE
    default:
        return "unknown attribute";
    }
}

/* ---- an UPDATE's attributes */

/* The session goes: say so with the attribute itself, as far as it fits. */
static void reset(struct s2_bgp_parsed *p, const struct raw *a, uint8_t subcode)
{
    uint8_t data[S2_BGP_ERROR_DATA];
    struct s2_writer w;

    s2_writer_init(&w, data, sizeof(data));
    s2_bgp_write_attribute_header(&w, a->flags, a->type, a->value.len);
    s2_write_span(&w, a->value);
    (void)s2_bgp_error_set(p->why, S2_BGP_ERROR_UPDATE, subcode, data, w.overflow ? 0 : w.len);
    s2_bgp_raise(p, S2_BGP_COST_RESET, a->type);
}

/* A type that we don't know: RFC 4271 section 5, and 7606 section 3 c for one that
 * claims to be well known. It never costs more than its route. */
static void parse_unknown(struct s2_bgp_parsed *p, const struct raw *a)
{
    if (!(a->flags & S2_BGP_FLAG_OPTIONAL))
        s2_bgp_raise(p, S2_BGP_COST_WITHDRAW, a->type);
    else if (a->flags & S2_BGP_FLAG_TRANSITIVE)
        keep(&p->values, a, KIND | S2_BGP_FLAG_PARTIAL);
}

static bool has_prefixes(const struct raw *a)
{
    return a->type == S2_BGP_MP_REACH || a->type == S2_BGP_MP_UNREACH;
}

/* The list ends amid this one, RFC 7606 section 4. If that hides prefixes, there is
 * nothing that could be treated as withdrawn (section 3 j). */
static void cut_off(struct s2_bgp_parsed *p, const struct raw *a)
{
    if (has_prefixes(a))
        reset(p, a, S2_BGP_SUB_UPDATE_OPTIONAL);
    else
        s2_bgp_raise(p, S2_BGP_COST_WITHDRAW, 0);
}

/* NEXT_HOP is for the prefixes outside of MP_REACH_NLRI; where there is none it is
 * ignored, whatever it says (RFC 4760 section 3). That is seen when all is there. */
static void malformed(struct s2_bgp_parsed *p, const struct raw *a, enum s2_bgp_cost cost)
{
    if (cost == S2_BGP_COST_RESET)
        reset(p, a, S2_BGP_SUB_UPDATE_OPTIONAL);
    else if (a->type == S2_BGP_NEXT_HOP)
        p->bad_next_hop = true;
    else
        s2_bgp_raise(p, cost, a->type);
}

static void parse_one(struct s2_bgp_parsed *p, const struct raw *a)
{
    const struct row *row = &table[a->type];
    struct s2_reader r;

    if (s2_bgp_has(p, a->type)) { /* RFC 7606 section 3 g */
        if (has_prefixes(a))
            reset(p, a, S2_BGP_SUB_UPDATE_LIST);
        else
            s2_bgp_raise(p, S2_BGP_COST_DISCARD, a->type);
        return;
    }
    p->seen[a->type / 8] |= (uint8_t)(1 << a->type % 8);
    if (row->parse == NULL) {
        parse_unknown(p, a);
        return;
    }
    if ((a->flags ^ row->flags) & KIND) { /* sections 3 c and 5.3 */
        malformed(p, a, has_prefixes(a) ? S2_BGP_COST_RESET : S2_BGP_COST_WITHDRAW);
        return;
    }
    s2_reader_init(&r, a->value.p, a->value.len);
    if (!row->parse(p, a, &r))
        malformed(p, a, row->malformed);
}

/* What a two-octet speaker says in AS4_PATH and AS4_AGGREGATOR, RFC 6793 section
 * 4.2.3: nothing counts if AGGREGATOR was changed by one who knows neither. */
static void merge_as4(struct s2_bgp_parsed *p)
{
    struct s2_bgp_head *h = &p->values.head;
    struct s2_bgp_path as4;
    struct s2_reader r;

    if (p->has_as4_aggregator && h->has_aggregator && h->aggregator_as != S2_BGP_AS_TRANS)
        return;
    if (p->has_as4_aggregator && h->has_aggregator) {
        h->aggregator_as = p->as4_aggregator_as;
        h->aggregator_id = p->as4_aggregator_id;
    }
    if (!p->has_as4_path || p->cost >= S2_BGP_COST_WITHDRAW)
        return;
    s2_reader_init(&r, p->as4_path.p, p->as4_path.len);
    if (s2_bgp_parse_as4_path(&r, &as4) != S2SVPN_OK)
        s2_bgp_raise(p, S2_BGP_COST_DISCARD, S2_BGP_AS4_PATH);
    else if (s2_bgp_merge_path(&p->values.path, &as4) != S2SVPN_OK)
        s2_bgp_raise(p, S2_BGP_COST_WITHDRAW, S2_BGP_AS_PATH);
}

void s2_bgp_values_finish(struct s2_bgp_values *v)
{
    const struct s2_bgp_path_view path = s2_bgp_path_view(&v->path);

    v->head.as_count = path.as_count;
    v->head.segment_count = path.segment_count;
    v->head.as_path_len = s2_bgp_path_length(&path);
    v->head.first_as = s2_bgp_path_first(&path);
    v->head.opaque_len = v->opaque_len;
}

s2svpn_status s2_bgp_parse_attributes(s2svpn_span bytes, size_t as_size, struct s2_bgp_parsed *out,
                                      struct s2_bgp_error *why)
{
    struct s2_reader r;

    memset(out, 0, sizeof(*out));
    out->as_size = as_size;
    out->why = why;
    s2_reader_init(&r, bytes.p, bytes.len);
    while (r.left > 0 && out->cost < S2_BGP_COST_RESET) {
        struct raw a = {.flags = s2_read_u8(&r, "attribute.flags")};

        a.type = s2_read_u8(&r, "attribute.type");
        const size_t len = a.flags & S2_BGP_FLAG_EXTENDED ? s2_read_u16(&r, "attribute.length")
                                                          : s2_read_u8(&r, "attribute.length");
        a.value = s2_read_span(&r, len, "attribute.length");
        if (r.rc != S2SVPN_OK) {
            cut_off(out, &a);
            break;
        }
        parse_one(out, &a);
    }
    if (out->bad_next_hop && !out->reach.present)
        s2_bgp_raise(out, S2_BGP_COST_WITHDRAW, S2_BGP_NEXT_HOP);
    merge_as4(out);
    s2_bgp_values_finish(&out->values);
    return out->cost < S2_BGP_COST_RESET ? S2SVPN_OK : S2SVPN_E_MALFORMED;
}

void s2_bgp_write_set(struct s2_writer *w, const struct s2_bgp_set *set,
                      const struct s2_bgp_write_options *options)
{
    const s2svpn_span opaque = s2_bgp_set_opaque(set);
    struct s2_reader r;

    s2_reader_init(&r, opaque.p, opaque.len);
    for (unsigned type = 1; type < 256; type++) {
        struct s2_reader look = r;
        const uint8_t flags = s2_read_u8(&look, "flags");

        if (table[type].write != NULL) {
            table[type].write(w, set, options);
        } else if (look.rc == S2SVPN_OK && s2_read_u8(&look, "type") == type) {
            const size_t len = flags & S2_BGP_FLAG_EXTENDED ? s2_read_u16(&look, "length")
                                                            : s2_read_u8(&look, "length");
            s2_write_span(w, s2_read_span(&r, r.left - look.left + len, "value"));
        }
    }
}
