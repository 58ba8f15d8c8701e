/* SPDX-License-Identifier: Apache-2.0 */
/* Judges packets, a batch at a time: sorted by the shard of their flows, so that a lock
 * is taken once, and no two at a time. The order of a flow's packets is kept. */
#include <string.h>

#include "firewall/flow.h"

/* What is the same for all packets of a call. */
struct batch {
    struct s2_firewall *fw;
    enum s2_firewall_direction direction;
    uint64_t now_ns;
    uint64_t generation; /* read before any rule: rules of a later one may be seen, and are
                          * then asked once more; never earlier ones */
};

/* ---- rules */

static bool allowed_by_rules(const struct batch *b, const struct s2_firewall_packet *p,
                             const struct s2_flow_look *look)
{
    const bool icmp = look->protocol == S2_FIREWALL_ICMP || look->protocol == S2_FIREWALL_ICMPV6;
    const struct s2_firewall_subject s = {
        .remote = b->direction == S2_FIREWALL_OUT ? p->destination : p->source,
        .protocol = look->protocol,
        .value = icmp ? look->source_port : look->destination_port,
    };

    return s2_firewall_allows(p->port, b->direction, &s);
}

/* The packet that opened a flow, by the rules of now. */
static bool opener_allowed(const struct s2_flow *f)
{
    const s2svpn_address remote = s2_firewall_address_of(f->key.remote, f->key.family);
    const bool icmp = f->key.protocol == S2_FIREWALL_ICMP || f->key.protocol == S2_FIREWALL_ICMPV6;
    const struct s2_firewall_subject s = {
        .remote = &remote,
        .protocol = f->key.protocol,
        .value = icmp || f->opener == S2_FIREWALL_OUT ? f->key.remote_port : f->key.local_port,
    };

    return s2_firewall_allows(f->port, (enum s2_firewall_direction)f->opener, &s);
}

/* ---- flows */

static bool still_allowed(const struct batch *b, struct s2_flow_shard *s, struct s2_flow *f)
{
    if (f->generation == b->generation)
        return f->state != S2_FLOW_REVOKED;
    const bool allowed = opener_allowed(f);

    f->generation = b->generation;
    if (allowed && f->state == S2_FLOW_REVOKED) {
        s2_flow_set_state(s, f, s2_flow_first_state(f->key.protocol), b->now_ns);
    } else if (!allowed && f->state != S2_FLOW_REVOKED) {
        s2_flow_set_state(s, f, S2_FLOW_REVOKED, b->now_ns);
        s->counts.revoked++;
    }
    return allowed;
}

static enum s2svpn_drop open_flow(const struct batch *b, struct s2_flow_shard *s,
                                  const struct s2_firewall_packet *p,
                                  const struct s2_flow_look *look)
{
    struct s2_flow *f;

    if (!allowed_by_rules(b, p, look))
        return S2SVPN_DROP_SECURITY_GROUP;
    if (!look->may_open)
        return S2SVPN_DROP_NONE;
    f = s2_flow_open(b->fw, s, p->port, &look->key, look->hash, b->now_ns);
    if (f == NULL)
        return S2SVPN_DROP_TRACKING_FULL;
    f->generation = b->generation;
    f->opener = (uint8_t)b->direction;
    return S2SVPN_DROP_NONE;
}

/* A SYN in the place of a flow that has run: a new one, or nothing. */
static enum s2svpn_drop reopen_flow(const struct batch *b, struct s2_flow_shard *s,
                                    struct s2_flow *f, const struct s2_firewall_packet *p,
                                    const struct s2_flow_look *look)
{
    if (!allowed_by_rules(b, p, look))
        return S2SVPN_DROP_SECURITY_GROUP;
    f->generation = b->generation;
    f->opener = (uint8_t)b->direction;
    s2_flow_set_state(s, f, s2_flow_first_state(f->key.protocol), b->now_ns);
    return S2SVPN_DROP_NONE;
}

static enum s2_flow_event event_of(const struct batch *b, const struct s2_flow *f,
                                   const struct s2_flow_look *look)
{
    const bool opener = f->opener == b->direction;

    return (enum s2_flow_event)(look->tcp + (opener ? 0 : S2_FLOW_ANSWER_PLAIN));
}

static enum s2svpn_drop judge_tracked(const struct batch *b, struct s2_flow_shard *s,
                                      const struct s2_firewall_packet *p,
                                      const struct s2_flow_look *look)
{
    struct s2_flow *f = s2_flow_find(b->fw, s, &look->key, look->hash, b->now_ns);
    enum s2_flow_state next;

    if (f == NULL)
        return open_flow(b, s, p, look);
    const bool allowed = still_allowed(b, s, f);

    next = s2_flow_next_state((enum s2_flow_state)f->state, event_of(b, f, look));
    if (next == S2_FLOW_ANEW)
        return reopen_flow(b, s, f, p, look);
    s2_flow_set_state(s, f, next, b->now_ns);
    return allowed ? S2SVPN_DROP_NONE : S2SVPN_DROP_SECURITY_GROUP;
}

/* An error keeps no flow alive: anyone on the way may send one. */
static enum s2svpn_drop judge_related(const struct batch *b, struct s2_flow_shard *s,
                                      const struct s2_firewall_packet *p,
                                      const struct s2_flow_look *look)
{
    struct s2_flow *f = s2_flow_find(b->fw, s, &look->key, look->hash, b->now_ns);

    if ((f != NULL && still_allowed(b, s, f)) || allowed_by_rules(b, p, look))
        return S2SVPN_DROP_NONE;
    return S2SVPN_DROP_SECURITY_GROUP;
}

/* ---- batches */

struct sorted {
    struct s2_flow_look look[S2_FIREWALL_BATCH];
    uint8_t next[S2_FIREWALL_BATCH];                     /* packet of the same shard, plus 1 */
    uint8_t first[S2_FLOW_SHARDS], last[S2_FLOW_SHARDS]; /* plus 1; 0: none */
    uint64_t shards;                                     /* that have packets, as bits */
};

static void put(struct sorted *t, size_t i)
{
    const uint32_t shard = s2_flow_shard_of(t->look[i].hash);

    t->next[i] = 0;
    if (t->shards >> shard & 1)
        t->next[t->last[shard] - 1] = (uint8_t)(i + 1);
    else
        t->first[shard] = (uint8_t)(i + 1);
    t->last[shard] = (uint8_t)(i + 1);
    t->shards |= UINT64_C(1) << shard;
}

/* What needs no flow is judged at once. */
static void look_at(const struct batch *b, struct s2_firewall_packet *p, struct sorted *t, size_t i)
{
    struct s2_flow_look *look = &t->look[i];

    look->protocol = p->protocol;
    look->source_port = p->source_port;
    look->destination_port = p->destination_port;
    p->drop = S2SVPN_DROP_SECURITY_GROUP;
    if (p->fragment && !p->first_fragment &&
        !s2_fragments_find(b->fw, b->direction, p, look, b->now_ns))
        return;
    s2_flow_look_at(b->fw, b->direction, p, look);
    switch (look->kind) {
    case S2_FLOW_REFUSED:
        return;
    case S2_FLOW_STATELESS:
        if (allowed_by_rules(b, p, look))
            p->drop = S2SVPN_DROP_NONE;
        return;
    case S2_FLOW_TRACKED:
    case S2_FLOW_RELATED:
        put(t, i);
        return;
    }
}

static void judge_shard(const struct batch *b, struct s2_firewall_packet *p, const struct sorted *t,
                        uint32_t shard)
{
    struct s2_flow_shard *s = &b->fw->shard[shard];

    s2_firewall_lock(&s->locked);
    for (size_t i = t->first[shard]; i != 0; i = t->next[i - 1]) {
        const struct s2_flow_look *look = &t->look[i - 1];

        p[i - 1].drop = look->kind == S2_FLOW_RELATED ? judge_related(b, s, &p[i - 1], look)
                                                      : judge_tracked(b, s, &p[i - 1], look);
    }
    s2_firewall_unlock(&s->locked);
}

static size_t check(const struct batch *b, struct s2_firewall_packet *p, size_t n)
{
    struct sorted t;
    size_t passed = 0;

    t.shards = 0;
    for (size_t i = 0; i < n; i++)
        look_at(b, &p[i], &t, i);
    for (uint32_t shard = 0; t.shards >> shard != 0; shard++) {
        if (t.shards >> shard & 1)
            judge_shard(b, p, &t, shard);
        if (shard == S2_FLOW_SHARDS - 1)
            break;
    }
    for (size_t i = 0; i < n; i++) {
        if (p[i].drop == S2SVPN_DROP_NONE && p[i].first_fragment)
            s2_fragments_keep(b->fw, b->direction, &p[i], b->now_ns);
        passed += p[i].drop == S2SVPN_DROP_NONE;
    }
    return passed;
}

size_t s2_firewall_check(struct s2_firewall *fw, enum s2_firewall_direction direction,
                         struct s2_firewall_packet *p, size_t n, uint64_t now_ns)
{
    const struct batch b = {
        .fw = fw,
        .direction = direction,
        .now_ns = now_ns,
        .generation = atomic_load_explicit(&fw->generation, memory_order_acquire),
    };
    size_t passed = 0;

    /* A later fragment needs what its first, before it, has left behind. */
    while (n > 0) {
        size_t some = 1;

        while (some < n && some < S2_FIREWALL_BATCH && !p[some - 1].first_fragment)
            some++;
        passed += check(&b, p, some);
        p += some;
        n -= some;
    }
    return passed;
}
