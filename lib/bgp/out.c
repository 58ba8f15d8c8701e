/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The adj-RIB-out and its UPDATEs. A prefix belongs to the bucket of its family and
 * attribute set, and is dirty if the peer doesn't know that yet; an UPDATE is made
 * from one bucket's dirty prefixes, as many as fit. A prefix to be withdrawn waits
 * in a bucket of its own and is freed when the UPDATE is made; one that the export
 * policy denies stays there, with what was offered. So a change takes memory when
 * it is asked for, and none when it is sent, and what waits is bounded by the table.
 * What the policy makes of a route: export.c. RFC 4271 sections 4.3 and 9.2; 4760;
 * 4724 section 2; 7606 section 5.1 (MP attributes first, one kind of prefix an
 * UPDATE).
 */
#include "bgp/peer.h"

#include <string.h>

#include "base/address.h"
#include "base/bytes.h"
#include "bgp/nlri.h"

#define PREFIXES_MOST 4000000 /* four full tables */

/* 58 bytes and the address. */
struct out {
    struct s2_table_node node;
    struct s2_link dirty; /* in its bucket's list, or alone */
    struct s2_bgp_bucket *bucket;
    struct s2_bgp_set *offered; /* if that isn't what leaves; NULL: the bucket's */
    uint8_t family, length;
    bool known; /* the peer has some version of it */
    uint8_t bytes[];
};

/* ---- buckets */

struct bucket_key {
    const struct s2_bgp_set *set;
    uintptr_t family;
};

static uint64_t hash_bucket(const struct s2_bgp_peer *peer, const struct bucket_key *key)
{
    return s2_siphash(peer->bgp->env->hash_key, key, sizeof(*key));
}

static bool is_bucket(const struct s2_table_node *n, const void *key)
{
    const struct s2_bgp_bucket *b = S2_CONTAINER(n, struct s2_bgp_bucket, node);
    const struct bucket_key *k = key;

    return b->set == k->set && b->family == k->family;
}

static void init_bucket(struct s2_bgp_bucket *b, struct s2_bgp_set *set, uint8_t family)
{
    b->set = set;
    b->family = family;
    s2_list_init(&b->in_queue);
    s2_list_init(&b->dirty);
}

/* The bucket of a set, which it holds; NULL: no memory. */
static struct s2_bgp_bucket *get_bucket(struct s2_bgp_peer *peer, struct s2_bgp_set *set,
                                        uint8_t family)
{
    const struct bucket_key key = {set, family};
    const uint64_t hash = hash_bucket(peer, &key);
    struct s2_table_node *n = s2_table_find(&peer->out.buckets, hash, is_bucket, &key);

    if (n != NULL)
        return S2_CONTAINER(n, struct s2_bgp_bucket, node);
    struct s2_bgp_bucket *b = s2_alloc(peer->bgp->env, sizeof(*b));
    if (b == NULL)
        return NULL;
    init_bucket(b, set, family);
    if (s2_table_insert(&peer->out.buckets, &b->node, hash) != S2SVPN_OK) {
        s2_free(peer->bgp->env, b);
        return NULL;
    }
    s2_bgp_set_hold(set);
    return b;
}

static void drop_bucket_if_empty(struct s2_bgp_peer *peer, struct s2_bgp_bucket *b)
{
    if (b->prefixes > 0 || b->set == NULL || peer->out.keeps_buckets)
        return;
    s2_list_remove(&b->in_queue);
    s2_table_remove(&peer->out.buckets, &b->node);
    s2_bgp_set_release(peer->bgp, b->set);
    s2_free(peer->bgp->env, b);
}

static struct s2_bgp_bucket *withdrawn(struct s2_bgp_peer *peer, uint8_t family)
{
    return &peer->out.withdrawn[family == S2SVPN_FAMILY_IPV6];
}

/* ---- prefixes */

static bool is_prefix(const struct s2_table_node *n, const void *key)
{
    const struct out *o = S2_CONTAINER(n, struct out, node);
    const s2svpn_prefix *p = key;

    return o->family == p->address.family && o->length == p->length &&
           memcmp(o->bytes, p->address.bytes, s2_address_len(&p->address)) == 0;
}

static struct out *find(const struct s2_bgp_peer *peer, const s2svpn_prefix *p)
{
    struct s2_table_node *n =
        s2_table_find(&peer->out.prefixes, s2_bgp_hash_prefix(peer, p), is_prefix, p);

    return n != NULL ? S2_CONTAINER(n, struct out, node) : NULL;
}

static struct out *add(struct s2_bgp_peer *peer, const s2svpn_prefix *p, s2svpn_status *rc)
{
    const size_t len = s2_address_len(&p->address);
    struct out *o = s2_alloc(peer->bgp->env, sizeof(*o) + len);

    *rc = o != NULL ? s2_table_insert(&peer->out.prefixes, &o->node, s2_bgp_hash_prefix(peer, p))
                    : S2SVPN_E_MEMORY;
    if (*rc != S2SVPN_OK) {
        s2_free(peer->bgp->env, o);
        return NULL;
    }
    s2_list_init(&o->dirty);
    o->family = p->address.family;
    o->length = p->length;
    memcpy(o->bytes, p->address.bytes, len);
    return o;
}

static void free_prefix(struct s2_bgp_peer *peer, struct out *o)
{
    s2_bgp_set_release(peer->bgp, o->offered);
    s2_list_remove(&o->dirty);
    o->bucket->prefixes--;
    drop_bucket_if_empty(peer, o->bucket);
    s2_table_remove(&peer->out.prefixes, &o->node);
    s2_free(peer->bgp->env, o);
}

/* NULL: nothing any more. */
static struct s2_bgp_set *offered_of(const struct out *o)
{
    return o->offered != NULL ? o->offered : o->bucket->set;
}

/* Is there a session that is to hear of this family? */
static bool is_heard(const struct s2_bgp_peer *peer, uint8_t family)
{
    return peer->session != NULL && peer->session->open.families & s2_bgp_family_bit(family);
}

/* What the peer doesn't know needn't be withdrawn. */
static void mark(struct s2_bgp_peer *peer, struct out *o)
{
    if (!is_heard(peer, o->family) || !s2_list_empty(&o->dirty) ||
        (o->bucket->set == NULL && !o->known))
        return;
    s2_list_append(&o->bucket->dirty, &o->dirty);
    if (s2_list_empty(&o->bucket->in_queue))
        s2_list_append(&peer->out.queue, &o->bucket->in_queue);
}

/* From one bucket to another; it is dirty then. */
static void move(struct s2_bgp_peer *peer, struct out *o, struct s2_bgp_bucket *to)
{
    struct s2_bgp_bucket *from = o->bucket;

    s2_list_remove(&o->dirty);
    o->bucket = to;
    to->prefixes++;
    if (from != NULL) {
        from->prefixes--;
        drop_bucket_if_empty(peer, from);
    }
    mark(peer, o);
}

/* The prefix's entry, if need be a new one for this bucket. */
static s2svpn_status make_room(struct s2_bgp_peer *peer, const s2svpn_prefix *prefix,
                               struct s2_bgp_bucket *b, struct out **o)
{
    s2svpn_status rc = b != NULL ? S2SVPN_OK : S2SVPN_E_MEMORY;

    *o = find(peer, prefix);
    if (rc == S2SVPN_OK && *o == NULL)
        *o = add(peer, prefix, &rc);
    if (rc != S2SVPN_OK && b != NULL)
        drop_bucket_if_empty(peer, b);
    return rc;
}

/* offered is given: one use of it. b is where the prefix goes. */
static void put(struct s2_bgp_peer *peer, struct out *o, struct s2_bgp_set *offered,
                struct s2_bgp_bucket *b)
{
    struct s2_bgp_set *old = o->offered;
    const bool was = o->bucket != NULL && o->bucket->set != NULL;

    o->offered = offered;
    if (offered == b->set) {
        s2_bgp_set_release(peer->bgp, offered); /* the bucket holds it */
        o->offered = NULL;
    }
    s2_bgp_set_release(peer->bgp, old);
    peer->out.advertised += b->set != NULL && !was;
    peer->out.advertised -= b->set == NULL && was;
    if (o->bucket != b)
        move(peer, o, b);
}

s2svpn_status s2_bgp_out_set(struct s2_bgp_peer *peer, const s2svpn_prefix *prefix,
                             struct s2_bgp_set *offered, struct s2_bgp_set *leaves)
{
    const uint8_t family = prefix->address.family;
    struct s2_bgp_bucket *b =
        leaves != NULL ? get_bucket(peer, leaves, family) : withdrawn(peer, family);
    struct out *o;
    const s2svpn_status rc = make_room(peer, prefix, b, &o);

    if (rc != S2SVPN_OK)
        return s2_fail(peer->bgp->env, rc, "prefix", "no room for another route");
    s2_bgp_set_hold(offered);
    put(peer, o, offered, b);
    return S2SVPN_OK;
}

void s2_bgp_out_unset(struct s2_bgp_peer *peer, const s2svpn_prefix *prefix)
{
    struct out *o = find(peer, prefix);

    if (o == NULL)
        return;
    peer->out.advertised -= o->bucket->set != NULL;
    if (!o->known) {
        free_prefix(peer, o);
        return;
    }
    s2_bgp_set_release(peer->bgp, o->offered);
    o->offered = NULL;
    if (o->bucket->set != NULL)
        move(peer, o, withdrawn(peer, o->family));
}

/* ---- all of them again */

/* Where an offered prefix goes now; NULL: no memory. The bucket of a set may be empty, and
 * the set be held by it alone. */
static struct s2_bgp_bucket *choose(struct s2_bgp_peer *peer, const struct out *o)
{
    const s2svpn_prefix p = s2_bgp_prefix_of(o->family, o->length, o->bytes);
    struct s2_bgp_set *leaves;

    if (s2_bgp_export(peer, &p, offered_of(o), &leaves) == S2SVPN_E_MEMORY)
        return NULL;
    if (leaves == NULL)
        return withdrawn(peer, o->family);
    struct s2_bgp_bucket *b = get_bucket(peer, leaves, o->family);
    s2_bgp_set_release(peer->bgp, leaves);
    return b;
}

/* Every set and bucket that the policy asks for, made beforehand: so what follows can't
 * fail, and if this does, nothing has changed. */
static s2svpn_status prepare(struct s2_bgp_peer *peer)
{
    struct s2_table_cursor c = {0};

    for (struct s2_table_node *n; (n = s2_table_next(&peer->out.prefixes, &c)) != NULL;) {
        const struct out *o = S2_CONTAINER(n, struct out, node);

        if (offered_of(o) != NULL && choose(peer, o) == NULL)
            return S2SVPN_E_MEMORY;
    }
    return S2SVPN_OK;
}

static void drop_empty_buckets(struct s2_bgp_peer *peer)
{
    struct s2_table_cursor c = {0};

    for (struct s2_table_node *n; (n = s2_table_next(&peer->out.buckets, &c)) != NULL;)
        drop_bucket_if_empty(peer, S2_CONTAINER(n, struct s2_bgp_bucket, node));
}

static void put_all(struct s2_bgp_peer *peer)
{
    struct s2_table_cursor c = {0};

    for (struct s2_table_node *n; (n = s2_table_next(&peer->out.prefixes, &c)) != NULL;) {
        struct out *o = S2_CONTAINER(n, struct out, node);
        struct s2_bgp_set *offered = offered_of(o);

        if (offered == NULL)
            continue; /* only waits to be withdrawn */
        s2_bgp_set_hold(offered);
        put(peer, o, offered, choose(peer, o)); /* prepared: it is there */
    }
}

s2svpn_status s2_bgp_out_again(struct s2_bgp_peer *peer)
{
    s2svpn_status rc;

    peer->out.keeps_buckets = true;
    rc = prepare(peer);
    if (rc == S2SVPN_OK)
        put_all(peer);
    peer->out.keeps_buckets = false;
    drop_empty_buckets(peer);
    return rc == S2SVPN_OK ? rc
                           : s2_fail(peer->bgp->env, rc, "export_policy",
                                     "no memory for the routes that it changes");
}

/* ---- sessions */

void s2_bgp_out_refresh(struct s2_bgp_peer *peer, unsigned families)
{
    struct s2_table_cursor c = {0};

    for (struct s2_table_node *n; (n = s2_table_next(&peer->out.prefixes, &c)) != NULL;) {
        struct out *o = S2_CONTAINER(n, struct out, node);

        if (families & s2_bgp_family_bit(o->family))
            mark(peer, o);
    }
}

void s2_bgp_out_up(struct s2_bgp_peer *peer)
{
    peer->out.end_of_rib = peer->session->open.families;
    s2_bgp_out_refresh(peer, peer->out.end_of_rib);
}

void s2_bgp_out_down(struct s2_bgp_peer *peer)
{
    struct s2_table_cursor c = {0};

    for (struct s2_table_node *n; (n = s2_table_next(&peer->out.prefixes, &c)) != NULL;) {
        struct out *o = S2_CONTAINER(n, struct out, node);

        s2_list_remove(&o->dirty);
        o->known = false;
        if (offered_of(o) == NULL)
            free_prefix(peer, o);
    }
    while (s2_list_take_first(&peer->out.queue) != NULL)
        continue;
    peer->out.end_of_rib = 0;
}

/* ---- UPDATEs */

/* How many of a bucket's dirty prefixes fit into room, and the bytes they take. */
static size_t fit(struct s2_bgp_bucket *b, size_t room, size_t *bytes)
{
    size_t n = 0;

    *bytes = 0;
    S2_LIST_EACH(&b->dirty, it) {
        const size_t len = 1 + (S2_CONTAINER(it, struct out, dirty)->length + (size_t)7) / 8;

        if (*bytes + len > room)
            break;
        *bytes += len;
        n++;
    }
    return n;
}

/* Write the first n dirty prefixes; they are known then, or gone, or only offered. */
static void trace_route(struct s2_bgp_peer *peer, const struct s2_bgp_bucket *b,
                        const struct out *o, const s2svpn_prefix *p)
{
    struct s2_bgp_attributes a;

    if (peer->bgp->ops.trace == NULL)
        return;
    if (b->set != NULL)
        a = s2_bgp_set_show(b->set, &peer->spec.local_address);
    s2_bgp_tell_trace(peer, &(struct s2_bgp_trace){.kind = S2_BGP_TRACE_ROUTE,
                                                   .sent = true,
                                                   .fresh = !o->known,
                                                   .prefix = p,
                                                   .attributes = b->set != NULL ? &a : NULL});
}

static void write_prefixes(struct s2_bgp_peer *peer, struct s2_bgp_bucket *b, size_t n,
                           struct s2_writer *w)
{
    for (; n > 0; n--) {
        struct out *o = S2_CONTAINER(s2_list_take_first(&b->dirty), struct out, dirty);
        const s2svpn_prefix p = s2_bgp_prefix_of(o->family, o->length, o->bytes);

        s2_bgp_write_prefix(w, &p);
        trace_route(peer, b, o, &p);
        o->known = b->set != NULL;
        if (offered_of(o) == NULL)
            free_prefix(peer, o);
    }
}

static size_t header_len(size_t len)
{
    return len > UINT8_MAX ? 4 : 3;
}

bool s2_bgp_next_hop(const s2svpn_address *a, uint8_t family, s2svpn_address *out)
{
    *out = *a;
    if (a->family == family)
        return true;
    if (a->family != S2SVPN_FAMILY_IPV4 || family != S2SVPN_FAMILY_IPV6)
        return false;
    /* RFC 4291 section 2.5.5.2: IPv6 routes over an IPv4 session */
    const uint32_t v = s2_address_ipv4_value(a);
    *out = (s2svpn_address){.family = S2SVPN_FAMILY_IPV6};
    out->bytes[10] = out->bytes[11] = 0xff;
    s2_put_u32(out->bytes + 12, v);
    return true;
}

/* IPv4: attributes, then prefixes. */
static void write_ipv4(struct s2_bgp_peer *peer, struct s2_bgp_bucket *b, s2svpn_span attributes,
                       struct s2_writer *w)
{
    size_t bytes;

    s2_write_u16(w, 0);
    s2_write_u16(w, (uint16_t)attributes.len);
    s2_write_span(w, attributes);
    write_prefixes(peer, b, fit(b, w->size - w->len, &bytes), w);
}

/* IPv6: MP_REACH_NLRI before the other attributes, RFC 4760 section 3. */
static void write_ipv6(struct s2_bgp_peer *peer, struct s2_bgp_bucket *b, s2svpn_span attributes,
                       struct s2_writer *w)
{
    const size_t fixed = 2 + 1 + 1 + 16 + 1;
    const size_t room = w->size - w->len - 4 - 4 - fixed - attributes.len;
    s2svpn_address next_hop;
    size_t bytes;
    const size_t n = fit(b, room, &bytes);

    /* only a prefix whose next hop can be said comes into a bucket */
    (void)s2_bgp_next_hop(&peer->spec.local_address, S2SVPN_FAMILY_IPV6, &next_hop);
    s2_write_u16(w, 0);
    s2_write_u16(w, (uint16_t)(header_len(fixed + bytes) + fixed + bytes + attributes.len));
    s2_bgp_write_attribute_header(w, S2_BGP_FLAG_OPTIONAL, S2_BGP_MP_REACH, fixed + bytes);
    s2_write_u16(w, S2_BGP_AFI_IPV6);
    s2_write_u8(w, S2_BGP_SAFI_UNICAST);
    s2_write_u8(w, 16);
    s2_write_bytes(w, next_hop.bytes, 16);
    s2_write_u8(w, 0);
    write_prefixes(peer, b, n, w);
    s2_write_span(w, attributes);
}

static void write_announcement(struct s2_bgp_peer *peer, struct s2_bgp_bucket *b,
                               struct s2_writer *w)
{
    struct s2_bgp_write_options options = {
        .as_size = peer->session->open.four_octet_as ? 4 : 2,
    };
    /* the longest path twice (RFC 6793) and as many communities as we allow: 2.2 kB */
    uint8_t bytes[S2_BGP_MESSAGE_MAX / 4 * 3];
    struct s2_writer attributes;

    if (b->family == S2SVPN_FAMILY_IPV4)
        options.next_hop = peer->spec.local_address;
    s2_writer_init(&attributes, bytes, sizeof(bytes));
    s2_bgp_write_set(&attributes, b->set, &options);
    s2_bgp_write_begin(w, S2_BGP_TYPE_UPDATE);
    if (b->family == S2SVPN_FAMILY_IPV4)
        write_ipv4(peer, b, s2_span(bytes, attributes.len), w);
    else
        write_ipv6(peer, b, s2_span(bytes, attributes.len), w);
    s2_bgp_write_end(w);
}

/* b NULL: End-of-RIB, a withdrawal of nothing. */
static void write_withdrawal(struct s2_bgp_peer *peer, struct s2_bgp_bucket *b, uint8_t family,
                             struct s2_writer *w)
{
    size_t bytes = 0, n = 0;

    s2_bgp_write_begin(w, S2_BGP_TYPE_UPDATE);
    if (b != NULL)
        n = fit(b, w->size - w->len - 4 - 4 - 3, &bytes);
    if (family == S2SVPN_FAMILY_IPV4) {
        s2_write_u16(w, (uint16_t)bytes);
        write_prefixes(peer, b, n, w);
        s2_write_u16(w, 0);
    } else {
        s2_write_u16(w, 0);
        s2_write_u16(w, (uint16_t)(header_len(3 + bytes) + 3 + bytes));
        s2_bgp_write_attribute_header(w, S2_BGP_FLAG_OPTIONAL, S2_BGP_MP_UNREACH, 3 + bytes);
        s2_write_u16(w, S2_BGP_AFI_IPV6);
        s2_write_u8(w, S2_BGP_SAFI_UNICAST);
        write_prefixes(peer, b, n, w);
    }
    s2_bgp_write_end(w);
}

/* The first bucket that has something to say; a queue may hold some that have not. */
static struct s2_bgp_bucket *next_bucket(struct s2_bgp_peer *peer)
{
    S2_LIST_EACH(&peer->out.queue, it) {
        struct s2_bgp_bucket *b = S2_CONTAINER(it, struct s2_bgp_bucket, in_queue);

        if (!s2_list_empty(&b->dirty))
            return b;
        s2_list_remove(it);
    }
    return NULL;
}

static uint8_t take_end_of_rib(struct s2_bgp_peer *peer)
{
    const bool ipv4 = peer->out.end_of_rib & S2_BGP_IPV4;

    s2_bgp_tell_trace(peer, &(struct s2_bgp_trace){.kind = S2_BGP_TRACE_END_OF_RIB,
                                                   .sent = true,
                                                   .families = ipv4 ? S2_BGP_IPV4 : S2_BGP_IPV6});

    peer->out.end_of_rib &= (uint8_t) ~(ipv4 ? S2_BGP_IPV4 : S2_BGP_IPV6);
    return ipv4 ? S2SVPN_FAMILY_IPV4 : S2SVPN_FAMILY_IPV6;
}

bool s2_bgp_out_next(struct s2_bgp_peer *peer, struct s2_writer *w)
{
    struct s2_bgp_bucket *b = next_bucket(peer);

    if (b != NULL && b->set != NULL)
        write_announcement(peer, b, w);
    else if (b != NULL)
        write_withdrawal(peer, b, b->family, w);
    else if (peer->out.end_of_rib != 0)
        write_withdrawal(peer, NULL, take_end_of_rib(peer), w);
    else
        return false;
    return true;
}

/* ---- the whole */

void s2_bgp_out_init(struct s2_bgp_peer *peer)
{
    struct s2_bgp_out_table *out = &peer->out;

    s2_table_init(&out->prefixes, peer->bgp->env, PREFIXES_MOST);
    s2_table_init(&out->buckets, peer->bgp->env, PREFIXES_MOST);
    s2_list_init(&out->queue);
    init_bucket(&out->withdrawn[0], NULL, S2SVPN_FAMILY_IPV4);
    init_bucket(&out->withdrawn[1], NULL, S2SVPN_FAMILY_IPV6);
}

void s2_bgp_out_free(struct s2_bgp_peer *peer)
{
    struct s2_table_cursor c = {0};

    for (struct s2_table_node *n; (n = s2_table_next(&peer->out.prefixes, &c)) != NULL;) {
        struct out *o = S2_CONTAINER(n, struct out, node);

        free_prefix(peer, o);
    }
    s2_table_clear(&peer->out.prefixes);
    s2_table_clear(&peer->out.buckets);
}
