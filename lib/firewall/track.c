/* SPDX-License-Identifier: Apache-2.0 */
/* The table of flows: a shard's buckets, entries, and one list a state, in the order of
 * their last packets, so that what is past its time stands at its end. Judges nothing. */
#include <string.h>

#include "firewall/flow.h"

#define EXPIRE_STEP 4 /* old flows that a new one clears away, of each state */
#define LOOK_BACK 32  /* entries that are asked whether they are a port's */

static struct s2_flow *flow_at(const struct s2_flow_shard *s, uint32_t i)
{
    return &s->chunk[i / S2_FLOW_CHUNK][i % S2_FLOW_CHUNK];
}

/* ---- lists */

static void unlist(struct s2_flow_shard *s, struct s2_flow *f)
{
    struct s2_flow_list *l = &s->list[f->state];

    if (f->newer == S2_FLOW_NIL)
        l->newest = f->older;
    else
        flow_at(s, f->newer)->older = f->older;
    if (f->older == S2_FLOW_NIL)
        l->oldest = f->newer;
    else
        flow_at(s, f->older)->newer = f->newer;
}

static void enlist(struct s2_flow_shard *s, struct s2_flow *f, uint32_t i)
{
    struct s2_flow_list *l = &s->list[f->state];

    f->newer = S2_FLOW_NIL;
    f->older = l->newest;
    if (l->newest == S2_FLOW_NIL)
        l->oldest = i;
    else
        flow_at(s, l->newest)->newer = i;
    l->newest = i;
}

/* An entry's number stands in its neighbour, its list's head, or nowhere else. */
static uint32_t number_of(const struct s2_flow_shard *s, const struct s2_flow *f)
{
    if (f->older != S2_FLOW_NIL)
        return flow_at(s, f->older)->newer;
    return s->list[f->state].oldest;
}

void s2_flow_set_state(struct s2_flow_shard *s, struct s2_flow *f, enum s2_flow_state state,
                       uint64_t now_ns)
{
    if (now_ns > f->last_ns) /* workers' clocks may differ */
        f->last_ns = now_ns;
    if (state == (enum s2_flow_state)f->state && f->newer == S2_FLOW_NIL)
        return; /* it is the newest already */
    const uint32_t i = number_of(s, f);
    unlist(s, f);
    f->state = (uint8_t)state;
    enlist(s, f, i);
}

/* ---- entries */

static void close_flow(struct s2_firewall *fw, struct s2_flow_shard *s, struct s2_flow *f)
{
    const uint32_t i = number_of(s, f);
    uint32_t *at = &s->bucket[f->hash & (fw->buckets - 1)];

    while (*at != i)
        at = &flow_at(s, *at)->chain;
    *at = f->chain;
    unlist(s, f);
    atomic_fetch_sub_explicit(&f->port->flows, 1, memory_order_relaxed);
    f->state = S2_FLOW_NONE;
    f->chain = s->free;
    s->free = i;
    s->used--;
}

static bool is_old(const struct s2_firewall *fw, const struct s2_flow *f, uint64_t now_ns)
{
    return now_ns > f->last_ns && now_ns - f->last_ns >= fw->timeout_ns[f->state];
}

/* Up to so many of each state. */
static void expire(struct s2_firewall *fw, struct s2_flow_shard *s, uint64_t now_ns, uint32_t most)
{
    for (unsigned state = S2_FLOW_NONE + 1; state < S2_FLOW_STATES; state++) {
        for (uint32_t n = 0; n < most && s->list[state].oldest != S2_FLOW_NIL; n++) {
            struct s2_flow *f = flow_at(s, s->list[state].oldest);

            if (!is_old(fw, f, now_ns))
                break;
            close_flow(fw, s, f);
            s->counts.expired++;
        }
    }
}

void s2_flow_expire(struct s2_firewall *fw, struct s2_flow_shard *s, uint64_t now_ns)
{
    if (s->used > 0)
        expire(fw, s, now_ns, UINT32_MAX);
}

void s2_flow_close_port(struct s2_firewall *fw, struct s2_flow_shard *s,
                        const struct s2_firewall_port *port)
{
    for (uint32_t i = 0; i < s->made; i++) {
        struct s2_flow *f = flow_at(s, i);

        if (f->state != S2_FLOW_NONE && f->port == port)
            close_flow(fw, s, f);
    }
}

/* The oldest of a state that is the port's; of any port's if that is NULL. */
static struct s2_flow *oldest_of(const struct s2_flow_shard *s, enum s2_flow_state state,
                                 const struct s2_firewall_port *port)
{
    uint32_t i = s->list[state].oldest;

    for (unsigned n = 0; n < LOOK_BACK && i != S2_FLOW_NIL; n++) {
        struct s2_flow *f = flow_at(s, i);

        if (port == NULL || f->port == port)
            return f;
        i = f->newer;
    }
    return NULL;
}

static struct s2_flow *oldest_that_gives_way(const struct s2_flow_shard *s,
                                             const struct s2_firewall_port *port)
{
    struct s2_flow *oldest = NULL;

    for (unsigned state = S2_FLOW_NONE + 1; state < S2_FLOW_STATES; state++) {
        struct s2_flow *f = NULL;

        if (s2_flow_gives_way((enum s2_flow_state)state))
            f = oldest_of(s, (enum s2_flow_state)state, port);
        if (f != NULL && (oldest == NULL || f->last_ns < oldest->last_ns))
            oldest = f;
    }
    return oldest;
}

static bool make_room(struct s2_firewall *fw, struct s2_flow_shard *s,
                      const struct s2_firewall_port *port)
{
    struct s2_flow *oldest = oldest_of(s, S2_FLOW_TCP_CLOSING, port);

    if (oldest == NULL)
        oldest = oldest_that_gives_way(s, port);
    if (oldest == NULL)
        return false;
    close_flow(fw, s, oldest);
    s->counts.evicted++;
    return true;
}

/* The first flow of a shard makes its table. */
static bool prepare(struct s2_firewall *fw, struct s2_flow_shard *s)
{
    const size_t chunks = (fw->shard_flows + S2_FLOW_CHUNK - 1) / S2_FLOW_CHUNK;

    if (s->bucket != NULL)
        return true;
    uint32_t *bucket = s2_alloc_array(fw->env, fw->buckets, sizeof(*bucket));
    struct s2_flow **chunk = s2_alloc_array(fw->env, chunks, sizeof(struct s2_flow *));
    if (bucket == NULL || chunk == NULL) {
        s2_free(fw->env, bucket);
        s2_free(fw->env, chunk);
        return false;
    }
    memset(bucket, 0xff, fw->buckets * sizeof(*bucket)); /* S2_FLOW_NIL */
    s->bucket = bucket;
    s->chunk = chunk;
    return true;
}

/* An entry that was never used: put on the chain of free ones. */
static bool make_entry(struct s2_firewall *fw, struct s2_flow_shard *s)
{
    const uint32_t i = s->made;
    struct s2_flow **chunk;

    if (i == fw->shard_flows)
        return false;
    chunk = &s->chunk[i / S2_FLOW_CHUNK];
    if (i % S2_FLOW_CHUNK == 0) {
        const uint32_t left = fw->shard_flows - i;

        *chunk = s2_alloc_array(fw->env, left < S2_FLOW_CHUNK ? left : S2_FLOW_CHUNK,
                                sizeof(struct s2_flow));
        if (*chunk == NULL)
            return false;
    }
    s->made++;
    flow_at(s, i)->chain = s->free;
    s->free = i;
    return true;
}

static bool find_room(struct s2_firewall *fw, struct s2_flow_shard *s,
                      const struct s2_firewall_port *port, uint64_t now_ns)
{
    if (!prepare(fw, s))
        return false;
    expire(fw, s, now_ns, EXPIRE_STEP);
    if (atomic_load_explicit(&port->flows, memory_order_relaxed) >= fw->port_flows) {
        expire(fw, s, now_ns, S2_FLOW_CHUNK);
        if (atomic_load_explicit(&port->flows, memory_order_relaxed) >= fw->port_flows &&
            !make_room(fw, s, port))
            return false;
    }
    return s->free != S2_FLOW_NIL || make_entry(fw, s) || make_room(fw, s, NULL);
}

struct s2_flow *s2_flow_open(struct s2_firewall *fw, struct s2_flow_shard *s,
                             struct s2_firewall_port *port, const struct s2_flow_key *key,
                             uint64_t hash, uint64_t now_ns)
{
    if (!find_room(fw, s, port, now_ns)) {
        s->counts.full++;
        return NULL;
    }
    const uint32_t i = s->free;
    struct s2_flow *f = flow_at(s, i);
    uint32_t *bucket = &s->bucket[hash & (fw->buckets - 1)];

    s->free = f->chain;
    *f = (struct s2_flow){
        .key = *key,
        .hash = hash,
        .port = port,
        .last_ns = now_ns,
        .chain = *bucket,
        .state = (uint8_t)s2_flow_first_state(key->protocol),
    };
    *bucket = i;
    enlist(s, f, i);
    s->used++;
    s->counts.opened++;
    atomic_fetch_add_explicit(&port->flows, 1, memory_order_relaxed);
    return f;
}

struct s2_flow *s2_flow_find(struct s2_firewall *fw, struct s2_flow_shard *s,
                             const struct s2_flow_key *key, uint64_t hash, uint64_t now_ns)
{
    uint32_t i = s->bucket ? s->bucket[hash & (fw->buckets - 1)] : S2_FLOW_NIL;

    while (i != S2_FLOW_NIL) {
        struct s2_flow *f = flow_at(s, i);

        if (f->hash == hash && memcmp(&f->key, key, sizeof(*key)) == 0) {
            if (!is_old(fw, f, now_ns))
                return f;
            close_flow(fw, s, f);
            s->counts.expired++;
            return NULL;
        }
        i = f->chain;
    }
    return NULL;
}

/* ---- shards */

void s2_flow_shard_init(struct s2_flow_shard *s)
{
    atomic_init(&s->locked, false);
    s->free = S2_FLOW_NIL;
    for (unsigned i = 0; i < S2_FLOW_STATES; i++)
        s->list[i] = (struct s2_flow_list){S2_FLOW_NIL, S2_FLOW_NIL};
}

void s2_flow_shard_free(struct s2_firewall *fw, struct s2_flow_shard *s)
{
    for (uint32_t i = 0; i < s->made; i += S2_FLOW_CHUNK)
        s2_free(fw->env, s->chunk[i / S2_FLOW_CHUNK]);
    s2_free(fw->env, s->chunk);
    s2_free(fw->env, s->bucket);
}
