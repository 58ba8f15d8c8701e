/* SPDX-License-Identifier: Apache-2.0 */
/* UPDATE taken apart, checked, and applied to the adj-RIB-in, with RFC 7606's
 * answer to what is wrong with it. Which path is best is decided elsewhere. RFC
 * 4271 sections 4.3, 6.3, 9.1.2; 4724 section 2; 4760; 7606 sections 3 to 5. */
#include "bgp/peer.h"

#include <string.h>

#include "base/address.h"
#include "base/bytes.h"
#include "bgp/nlri.h"
#include "bgp/policy.h"

struct update {
    s2svpn_span withdrawn, prefixes; /* of IPv4, well formed */
    struct s2_bgp_parsed attributes;
};

/* ---- parse */

static s2svpn_status update_error(struct s2_bgp_error *why, uint8_t subcode)
{
    return s2_bgp_error_set(why, S2_BGP_ERROR_UPDATE, subcode, NULL, 0);
}

static s2svpn_status parse_update(s2svpn_span body, size_t as_size, struct update *out,
                                  struct s2_bgp_error *why)
{
    struct s2_reader r;

    s2_reader_init(&r, body.p, body.len);
    out->withdrawn = s2_read_span(&r, s2_read_u16(&r, "update.withdrawn"), "update.withdrawn");
    const s2svpn_span attributes =
        s2_read_span(&r, s2_read_u16(&r, "update.attributes"), "update.attributes");
    out->prefixes = s2_read_rest(&r);
    if (r.rc != S2SVPN_OK)
        return update_error(why, S2_BGP_SUB_UPDATE_LIST);
    if (!s2_bgp_prefixes_good(out->withdrawn, S2SVPN_FAMILY_IPV4) ||
        !s2_bgp_prefixes_good(out->prefixes, S2SVPN_FAMILY_IPV4))
        return update_error(why, S2_BGP_SUB_UPDATE_NETWORK);
    return s2_bgp_parse_attributes(attributes, as_size, &out->attributes, why);
}

/* ---- check */

static bool announces(const struct update *u)
{
    return u->prefixes.len > 0 || u->attributes.reach.prefixes.len > 0;
}

/* An attribute without which there is no route: RFC 4271 section 5, 4760 section
 * 3 (NEXT_HOP is for the prefixes outside of MP_REACH_NLRI). */
static uint8_t missing_attribute(const struct update *u)
{
    if (!s2_bgp_has(&u->attributes, S2_BGP_ORIGIN))
        return S2_BGP_ORIGIN;
    if (!s2_bgp_has(&u->attributes, S2_BGP_AS_PATH))
        return S2_BGP_AS_PATH;
    if (u->prefixes.len > 0 && !s2_bgp_has(&u->attributes, S2_BGP_NEXT_HOP))
        return S2_BGP_NEXT_HOP;
    return 0;
}

/* Whether there is any but MP_UNREACH_NLRI. */
static bool has_others(const struct s2_bgp_parsed *p)
{
    for (unsigned type = 0; type < 256; type++) {
        if (type != S2_BGP_MP_UNREACH && s2_bgp_has(p, (uint8_t)type))
            return true;
    }
    return false;
}

/* What the attributes as a whole cost. */
static s2svpn_status check_update(const struct s2_bgp_peer *peer, struct update *u,
                                  struct s2_bgp_error *why)
{
    struct s2_bgp_parsed *p = &u->attributes;

    if (p->bad_next_hop)
        s2_bgp_raise(p, u->prefixes.len > 0 ? S2_BGP_COST_WITHDRAW : S2_BGP_COST_DISCARD,
                     S2_BGP_NEXT_HOP);
    if (announces(u)) {
        const uint8_t missing = missing_attribute(u);

        if (missing != 0) /* RFC 7606 section 3 d */
            s2_bgp_raise(p, S2_BGP_COST_WITHDRAW, missing);
        /* the neighbour's own AS comes first: RFC 4271 section 6.3, 7606 section 7.2 */
        else if (p->values.head.first_as != peer->session->open.asn)
            s2_bgp_raise(p, S2_BGP_COST_WITHDRAW, S2_BGP_AS_PATH);
    } else if (p->cost >= S2_BGP_COST_WITHDRAW && (p->culprit == 0 || has_others(p))) {
        /* section 5.2: no prefix was found that this could be said of */
        return update_error(why, S2_BGP_SUB_UPDATE_LIST);
    }
    return S2SVPN_OK;
}

/* ---- the table */

static bool is_prefix(const struct s2_table_node *n, const void *key)
{
    const struct s2_bgp_in *in = S2_CONTAINER(n, struct s2_bgp_in, node);
    const s2svpn_prefix *p = key;

    return in->family == p->address.family && in->length == p->length &&
           memcmp(in->bytes, p->address.bytes, s2_address_len(&p->address)) == 0;
}

static struct s2_bgp_in *find(const struct s2_bgp_peer *peer, const s2svpn_prefix *p)
{
    struct s2_table_node *n = s2_table_find(&peer->in, s2_bgp_hash_prefix(peer, p), is_prefix, p);

    return n != NULL ? S2_CONTAINER(n, struct s2_bgp_in, node) : NULL;
}

static void tell(struct s2_bgp_peer *peer, const s2svpn_prefix *p, const struct s2_bgp_set *set)
{
    const struct s2_bgp_attributes a = s2_bgp_set_show(set, &peer->spec.peer_address);

    peer->bgp->ops.route(peer->user, peer, p, &a, false, peer->now_ns);
}

static void tell_gone(struct s2_bgp_peer *peer, const s2svpn_prefix *p, bool session_ends)
{
    peer->bgp->ops.route(peer->user, peer, p, NULL, session_ends, peer->now_ns);
}

/* One route more, another one or one less. */
static void trace_route(struct s2_bgp_peer *peer, const s2svpn_prefix *p,
                        const struct s2_bgp_set *set, bool fresh)
{
    struct s2_bgp_attributes a;

    if (peer->bgp->ops.trace == NULL)
        return;
    if (set != NULL)
        a = s2_bgp_set_show(set, &peer->spec.peer_address);
    s2_bgp_tell_trace(peer, &(struct s2_bgp_trace){.kind = S2_BGP_TRACE_ROUTE,
                                                   .fresh = fresh,
                                                   .prefix = p,
                                                   .attributes = set != NULL ? &a : NULL});
}

static void remove_prefix(struct s2_bgp_peer *peer, const s2svpn_prefix *p)
{
    struct s2_bgp_in *in = find(peer, p);

    if (in == NULL)
        return;
    s2_table_remove(&peer->in, &in->node);
    s2_bgp_set_release(peer->bgp, in->set);
    s2_free(peer->bgp->env, in);
    trace_route(peer, p, NULL, false);
    tell_gone(peer, p, false);
}

void s2_bgp_in_too_many(const struct s2_bgp_peer *peer, uint8_t family, struct s2_bgp_error *error)
{
    uint8_t data[7];

    s2_put_u16(data, s2_bgp_afi(family));
    data[2] = S2_BGP_SAFI_UNICAST;
    s2_put_u32(data + 3, peer->spec.max_prefixes);
    (void)s2_bgp_error_set(error, S2_BGP_ERROR_CEASE, S2_BGP_SUB_CEASE_PREFIXES, data,
                           sizeof(data));
}

static s2svpn_status too_many(struct s2_bgp_peer *peer, uint8_t family)
{
    s2_bgp_in_too_many(peer, family, &peer->error);
    peer->over_limit = true;
    s2_bgp_tell_trace(
        peer, &(struct s2_bgp_trace){.kind = S2_BGP_TRACE_LIMIT, .most = peer->spec.max_prefixes});
    return S2SVPN_E_LIMIT;
}

/* Once on the way up, at three quarters; again only after there were less than half. */
static void warn_near_limit(struct s2_bgp_peer *peer)
{
    const uint32_t most = peer->spec.max_prefixes;
    const uint64_t count = peer->in.count;

    if (peer->warned && count < most / 2)
        peer->warned = false;
    if (peer->warned || count * 4 < (uint64_t)most * 3)
        return;
    peer->warned = true;
    if (peer->bgp->ops.near_limit != NULL)
        peer->bgp->ops.near_limit(peer->user, peer, (uint32_t)count, most, peer->now_ns);
}

static s2svpn_status no_memory(struct s2_bgp_peer *peer)
{
    (void)s2_bgp_error_set(&peer->error, S2_BGP_ERROR_CEASE, S2_BGP_SUB_CEASE_RESOURCES, NULL, 0);
    return S2SVPN_E_MEMORY;
}

static s2svpn_status add(struct s2_bgp_peer *peer, const s2svpn_prefix *p, struct s2_bgp_set *set)
{
    const size_t len = s2_address_len(&p->address);

    if (peer->in.count >= peer->spec.max_prefixes && peer->stale_families != 0)
        s2_bgp_in_purge(peer, S2_BGP_IPV4 | S2_BGP_IPV6); /* what is new counts more */
    if (peer->in.count >= peer->spec.max_prefixes)
        return too_many(peer, p->address.family);
    struct s2_bgp_in *in = s2_alloc(peer->bgp->env, sizeof(*in) + len);
    if (in == NULL)
        return no_memory(peer);
    in->family = p->address.family;
    in->length = p->length;
    memcpy(in->bytes, p->address.bytes, len);
    if (s2_table_insert(&peer->in, &in->node, s2_bgp_hash_prefix(peer, p)) != S2SVPN_OK) {
        s2_free(peer->bgp->env, in);
        return no_memory(peer);
    }
    s2_bgp_set_hold(set);
    in->set = set;
    return S2SVPN_OK;
}

static s2svpn_status set_prefix(struct s2_bgp_peer *peer, const s2svpn_prefix *p,
                                struct s2_bgp_set *set)
{
    struct s2_bgp_in *in = find(peer, p);
    const bool fresh = in == NULL;
    s2svpn_status rc = S2SVPN_OK;

    if (in == NULL) {
        rc = add(peer, p, set);
    } else if (in->set == set) {
        in->stale = false;
        return S2SVPN_OK;
    } else {
        in->stale = false;
        s2_bgp_set_release(peer->bgp, in->set);
        s2_bgp_set_hold(set);
        in->set = set;
    }
    if (rc == S2SVPN_OK)
        trace_route(peer, p, set, fresh);
    if (rc == S2SVPN_OK)
        tell(peer, p, set);
    return rc;
}

/* ---- apply */

/* Prefixes that a unicast table has no use for (RFC 7606 section 5.3: passed over,
 * whatever the attributes). */
static bool is_multicast(const s2svpn_prefix *p)
{
    const uint8_t first = p->address.bytes[0];

    return p->address.family == S2SVPN_FAMILY_IPV4 ? p->length >= 4 && first >> 4 == 0xe
                                                   : p->length >= 8 && first == 0xff;
}

/* RFC 4760 section 8. */
static bool is_agreed(const struct s2_bgp_peer *peer, uint8_t family)
{
    return peer->session->open.families & s2_bgp_family_bit(family);
}

/* What the import policy makes of an UPDATE's attributes, by the rule that decided last:
 * most prefixes of one UPDATE meet the same. */
struct import {
    const struct s2_bgp_values *values;
    const s2svpn_bgp_rule *rule;
    struct s2_bgp_set *set; /* NULL: the rule asks for more than fits */
};

static s2svpn_status change(struct s2_bgp_peer *peer, struct import *import,
                            const s2svpn_bgp_rule *rule)
{
    struct s2_bgp_values v = *import->values;

    s2_bgp_set_release(peer->bgp, import->set);
    import->set = NULL;
    import->rule = rule;
    if (!s2_bgp_policy_change(rule, v.head.first_as, &v))
        return S2SVPN_OK;
    import->set = s2_bgp_intern(peer->bgp, &v);
    return import->set != NULL ? S2SVPN_OK : no_memory(peer);
}

/* The set that a prefix comes in with; NULL: it doesn't. */
static s2svpn_status import_prefix(struct s2_bgp_peer *peer, struct import *import,
                                   const s2svpn_prefix *p, struct s2_bgp_set **set)
{
    const struct s2_bgp_decision d = s2_bgp_policy_decide(
        peer->spec.import_policy, peer->spec.require_policy, p, import->values);
    s2svpn_status rc = S2SVPN_OK;

    if (d.accepted && d.rule == NULL)
        return rc;
    if (d.accepted && d.rule != import->rule)
        rc = change(peer, import, d.rule);
    *set = d.accepted ? import->set : NULL;
    return rc;
}

/* They come, but for those that are denied: what the peer said of them before goes. */
static s2svpn_status import_prefixes(struct s2_bgp_peer *peer, s2svpn_span bytes, uint8_t family,
                                     const struct s2_bgp_values *values, struct s2_bgp_set *set)
{
    struct import import = {.values = values};
    s2svpn_status rc = S2SVPN_OK;
    struct s2_reader r;

    s2_reader_init(&r, bytes.p, bytes.len);
    while (r.left > 0 && r.rc == S2SVPN_OK && rc == S2SVPN_OK) {
        const s2svpn_prefix p = s2_bgp_read_prefix(&r, family);
        struct s2_bgp_set *its = set;

        if (is_multicast(&p))
            continue;
        rc = import_prefix(peer, &import, &p, &its);
        if (rc == S2SVPN_OK && its == NULL)
            remove_prefix(peer, &p);
        else if (rc == S2SVPN_OK)
            rc = set_prefix(peer, &p, its);
    }
    s2_bgp_set_release(peer->bgp, import.set);
    return rc;
}

/* why: they were announced, and not accepted; NULL: they were withdrawn. */
static void withdraw_prefixes(struct s2_bgp_peer *peer, s2svpn_span bytes, uint8_t family,
                              const char *why)
{
    struct s2_reader r;

    if (!is_agreed(peer, family))
        return;
    s2_reader_init(&r, bytes.p, bytes.len);
    while (r.left > 0 && r.rc == S2SVPN_OK) {
        const s2svpn_prefix p = s2_bgp_read_prefix(&r, family);

        if (why != NULL && r.rc == S2SVPN_OK)
            s2_bgp_tell_trace(
                peer, &(struct s2_bgp_trace){.kind = S2_BGP_TRACE_ROUTE, .prefix = &p, .why = why});
        remove_prefix(peer, &p);
    }
}

/* The peer's own address is the only next hop here: the tunnel leads nowhere else. */
static bool good_next_hop(const struct s2_bgp_peer *peer, const s2svpn_address *a, size_t n,
                          uint8_t family)
{
    s2svpn_address wanted;

    if (!s2_bgp_next_hop(&peer->spec.peer_address, family, &wanted))
        return false;
    for (size_t i = 0; i < n; i++) {
        if (s2_address_equal(&a[i], &wanted))
            return true;
    }
    return false;
}

/* Why routes that are well formed are not accepted; NULL: they are. */
static const char *denied(const struct s2_bgp_peer *peer, const struct s2_bgp_parsed *p,
                          const s2svpn_address *next_hop, size_t n, uint8_t family)
{
    const struct s2_bgp_path_view path = s2_bgp_path_view(&p->values.path);

    if (s2_bgp_path_contains(&path, peer->spec.local_asn))
        return "as-path contains our own AS";
    return good_next_hop(peer, next_hop, n, family) ? NULL : "non-connected next-hop";
}

/* One of the two places of an UPDATE that announce. A route that isn't accepted
 * still replaces what the peer said of the prefix before. */
static s2svpn_status announce(struct s2_bgp_peer *peer, const struct s2_bgp_parsed *p,
                              struct s2_bgp_set *set, s2svpn_span bytes, uint8_t family,
                              const s2svpn_address *next_hop, size_t n)
{
    const char *why = "a malformed attribute: treated as withdrawn";

    if (!is_agreed(peer, family))
        return S2SVPN_OK;
    if (bytes.len > 0 && set != NULL) {
        why = denied(peer, p, next_hop, n, family);

        if (why != NULL) {
            s2_log(peer->bgp->env, S2_LOG_INFO, "bgp: routes denied: %s", why);
            set = NULL;
        }
    }
    if (set != NULL)
        return import_prefixes(peer, bytes, family, &p->values, set);
    withdraw_prefixes(peer, bytes, family, why);
    return S2SVPN_OK;
}

static s2svpn_status apply_update(struct s2_bgp_peer *peer, const struct update *u)
{
    const struct s2_bgp_parsed *p = &u->attributes;
    struct s2_bgp_set *set = NULL;
    s2svpn_status rc = S2SVPN_OK;

    withdraw_prefixes(peer, u->withdrawn, S2SVPN_FAMILY_IPV4, NULL);
    if (p->unreach.present)
        withdraw_prefixes(peer, p->unreach.prefixes, p->unreach.family, NULL);
    if (p->cost < S2_BGP_COST_WITHDRAW && announces(u)) {
        set = s2_bgp_intern(peer->bgp, &p->values);
        if (set == NULL)
            return no_memory(peer);
    }
    if (p->reach.present)
        rc = announce(peer, p, set, p->reach.prefixes, p->reach.family, p->reach.next_hop,
                      p->reach.next_hops);
    if (rc == S2SVPN_OK)
        rc = announce(peer, p, set, u->prefixes, S2SVPN_FAMILY_IPV4, &p->next_hop, 1);
    s2_bgp_set_release(peer->bgp, set);
    return rc;
}

/* The families whose End-of-RIB this is, RFC 4724 section 2: an UPDATE without
 * anything, or with a withdrawal of nothing as its only attribute. */
static unsigned end_of_rib(const struct s2_bgp_peer *peer, s2svpn_span body, const struct update *u)
{
    const struct s2_bgp_mp *unreach = &u->attributes.unreach;

    if (body.len == 4)
        return S2_BGP_IPV4;
    if (has_others(&u->attributes) || u->withdrawn.len > 0 || !unreach->present ||
        unreach->prefixes.len > 0)
        return 0;
    return s2_bgp_family_bit(unreach->family) & peer->session->open.families;
}

void s2_bgp_in_complete(struct s2_bgp_peer *peer, unsigned families)
{
    const bool was = peer->incomplete == 0;

    s2_bgp_in_purge(peer, families);
    peer->incomplete &= (uint8_t)~families;
    if (!was && peer->incomplete == 0)
        peer->bgp->ops.end_of_rib(peer->user, peer, peer->now_ns);
}

s2svpn_status s2_bgp_in_update(struct s2_bgp_peer *peer, s2svpn_span body)
{
    const size_t as_size = peer->session->open.four_octet_as ? 4 : 2;
    struct update u;
    s2svpn_status rc = parse_update(body, as_size, &u, &peer->error);

    if (rc == S2SVPN_OK)
        rc = check_update(peer, &u, &peer->error);
    if (rc != S2SVPN_OK)
        return rc;
    peer->updates_in++;
    peer->attributes_discarded += u.attributes.discarded;
    if (u.attributes.cost == S2_BGP_COST_WITHDRAW) {
        peer->treated_as_withdraw++;
        s2_log(peer->bgp->env, S2_LOG_WARNING, "bgp: %s (%u) is bad: routes treated as withdrawn",
               s2_bgp_attribute_text(u.attributes.culprit), u.attributes.culprit);
    }
    rc = apply_update(peer, &u);
    if (rc == S2SVPN_OK)
        warn_near_limit(peer);
    if (rc != S2SVPN_OK)
        return rc;
    const unsigned families = end_of_rib(peer, body, &u);
    if (families != 0)
        s2_bgp_tell_trace(peer, &(struct s2_bgp_trace){.kind = S2_BGP_TRACE_END_OF_RIB,
                                                       .families = (uint8_t)families});
    s2_bgp_in_complete(peer, families);
    return S2SVPN_OK;
}

/* ---- many at once */

static void drop(struct s2_bgp_peer *peer, struct s2_bgp_in *in, bool tell_user, bool session_ends)
{
    const s2svpn_prefix p = s2_bgp_prefix_of(in->family, in->length, in->bytes);

    s2_table_remove(&peer->in, &in->node);
    s2_bgp_set_release(peer->bgp, in->set);
    s2_free(peer->bgp->env, in);
    if (tell_user && !session_ends)
        trace_route(peer, &p, NULL, false);
    if (tell_user)
        tell_gone(peer, &p, session_ends);
}

/* RFC 4724 section 4.2. What is stale from the restart before last goes. */
void s2_bgp_in_retain(struct s2_bgp_peer *peer, unsigned families)
{
    struct s2_table_cursor c = {0};

    for (struct s2_table_node *n; (n = s2_table_next(&peer->in, &c)) != NULL;) {
        struct s2_bgp_in *in = S2_CONTAINER(n, struct s2_bgp_in, node);

        if (!(families & s2_bgp_family_bit(in->family)) || in->stale)
            drop(peer, in, true, true);
        else
            in->stale = true;
    }
    peer->stale_families = (uint8_t)families;
    peer->warned = false;
}

void s2_bgp_in_purge(struct s2_bgp_peer *peer, unsigned families)
{
    const bool session_ends = peer->session == NULL;
    struct s2_table_cursor c = {0};

    if (!(peer->stale_families & families))
        return;
    for (struct s2_table_node *n; (n = s2_table_next(&peer->in, &c)) != NULL;) {
        struct s2_bgp_in *in = S2_CONTAINER(n, struct s2_bgp_in, node);

        if (in->stale && families & s2_bgp_family_bit(in->family))
            drop(peer, in, true, session_ends);
    }
    peer->stale_families &= (uint8_t)~families;
    if (peer->stale_families != 0)
        return;
    s2_timer_cancel(peer->bgp->env->timers, &peer->stale);
    if (peer->bgp->ops.graceful != NULL)
        peer->bgp->ops.graceful(peer->user, peer, false, peer->now_ns);
}

void s2_bgp_in_clear(struct s2_bgp_peer *peer, bool tell_user)
{
    struct s2_table_cursor c = {0};

    for (struct s2_table_node *n; (n = s2_table_next(&peer->in, &c)) != NULL;)
        drop(peer, S2_CONTAINER(n, struct s2_bgp_in, node), tell_user, true);
    peer->warned = false;
}
