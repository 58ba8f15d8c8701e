/* SPDX-License-Identifier: Apache-2.0 */
/* Flows: their keys, their states, and the table that holds them. */
#ifndef S2_FIREWALL_FLOW_H
#define S2_FIREWALL_FLOW_H

#include "firewall/rules.h"

enum s2_firewall_protocol {
    S2_FIREWALL_ICMP = 1,
    S2_FIREWALL_TCP = 6,
    S2_FIREWALL_UDP = 17,
    S2_FIREWALL_ICMPV6 = 58,
};
/* Ports, or type and code. */
bool s2_firewall_has_ports(uint8_t protocol);

/* ---- state.c */

/* X(NAME, seconds that it may be quiet, may give way to others) */
#define S2_FLOW_STATE_LIST(X)                                                                      \
    X(NONE, 0, false)                                                                              \
    X(TCP_OPENING, 60, true)                                                                       \
    X(TCP_ANSWERED, 60, true)                                                                      \
    X(TCP_ESTABLISHED, 350, false)                                                                 \
    X(TCP_OPENER_FIN, 350, false)                                                                  \
    X(TCP_ANSWERER_FIN, 350, false)                                                                \
    X(TCP_CLOSING, 60, true)                                                                       \
    X(UDP_ONE_WAY, 30, true)                                                                       \
    X(UDP_ANSWERED, 30, true)                                                                      \
    X(UDP_AGAIN, 30, true)                                                                         \
    X(UDP_STREAM, 180, false)                                                                      \
    X(ICMP, 30, true)                                                                              \
    X(OTHER_ONE_WAY, 600, true)                                                                    \
    X(OTHER_ANSWERED, 600, false)                                                                  \
    X(REVOKED, 180, true) /* longer than TCP's longest wait between two retransmissions */

enum s2_flow_state {
#define S2_FLOW_STATE_ENUM(name, seconds, gives_way) S2_FLOW_##name,
    S2_FLOW_STATE_LIST(S2_FLOW_STATE_ENUM)
#undef S2_FLOW_STATE_ENUM
        S2_FLOW_STATES,
    S2_FLOW_ANEW /* no state: judge it as a flow of its own */
};

/* By the side that opened the flow, or by the one that answers. Without TCP: PLAIN. */
enum s2_flow_event {
    S2_FLOW_OPENER_PLAIN,
    S2_FLOW_OPENER_SYN, /* without ACK */
    S2_FLOW_OPENER_FIN,
    S2_FLOW_OPENER_RST,
    S2_FLOW_ANSWER_PLAIN, /* the four again */
    S2_FLOW_ANSWER_SYN,
    S2_FLOW_ANSWER_FIN,
    S2_FLOW_ANSWER_RST,
    S2_FLOW_EVENTS
};

enum s2_flow_state s2_flow_first_state(uint8_t protocol);
/* A state, or S2_FLOW_ANEW. */
enum s2_flow_state s2_flow_next_state(enum s2_flow_state state, enum s2_flow_event event);
const char *s2_flow_state_name(enum s2_flow_state state);
void s2_flow_timeouts(const struct s2_firewall_limits *limits, uint64_t ns[S2_FLOW_STATES]);
bool s2_flow_gives_way(enum s2_flow_state state);

/* ---- key.c */

/* Compared and hashed as bytes: nothing of it is left unset. */
struct s2_flow_key {
    uint64_t port; /* serial */
    struct s2_firewall_words local, remote;
    /* ICMP: identifier; type and code of the request */
    uint16_t local_port, remote_port;
    uint8_t protocol, family;
    uint8_t opener; /* ICMP: the direction of the request; else 0 */
    uint8_t zero;
};

/* What is known of a packet before the table is asked. */
enum s2_flow_kind {
    S2_FLOW_REFUSED,   /* can't be judged */
    S2_FLOW_STATELESS, /* by rules alone */
    S2_FLOW_TRACKED,   /* of the flow with the key */
    S2_FLOW_RELATED,   /* an error about the flow with the key */
};
struct s2_flow_look {
    enum s2_flow_kind kind;
    bool may_open;          /* TRACKED: if rules allow it */
    enum s2_flow_event tcp; /* one of the opener's four */
    struct s2_flow_key key;
    uint64_t hash;
    uint8_t protocol;
    uint16_t source_port, destination_port; /* a fragment's: those of its first */
};
void s2_flow_look_at(const struct s2_firewall *fw, enum s2_firewall_direction direction,
                     const struct s2_firewall_packet *p, struct s2_flow_look *look);
s2svpn_address s2_firewall_address_of(struct s2_firewall_words w, uint8_t family);

/* ---- track.c: one shard is one lock. */

#define S2_FLOW_SHARDS 64
#define S2_FLOW_CHUNK 64 /* entries that are made together */
#define S2_FLOW_NIL UINT32_MAX

struct s2_flow {
    struct s2_flow_key key;
    uint64_t hash;
    struct s2_firewall_port *port;
    uint64_t last_ns;    /* of its last packet */
    uint64_t generation; /* in which it was judged */
    uint32_t chain;      /* next in its bucket */
    uint32_t newer, older;
    uint8_t state;  /* enum s2_flow_state; NONE: free */
    uint8_t opener; /* enum s2_firewall_direction of the packet that opened it */
};

struct s2_flow_list {
    uint32_t newest, oldest;
};

struct s2_flow_shard {
    _Alignas(64) atomic_bool locked;
    uint32_t *bucket; /* NULL until the first flow */
    struct s2_flow **chunk;
    uint32_t made, used, free;                /* entries; free: head of a chain */
    struct s2_flow_list list[S2_FLOW_STATES]; /* by last_ns */
    struct s2_firewall_counts counts;
};

struct s2_fragments;

struct s2_firewall {
    const struct s2_env *env;
    struct s2_epochs *epochs;
    uint64_t serials; /* the control thread's */
    _Atomic uint64_t generation;
    uint64_t timeout_ns[S2_FLOW_STATES];
    uint32_t port_flows;
    uint32_t shard_flows; /* entries of a shard */
    uint32_t buckets;     /* of a shard, a power of two */
    struct s2_fragments *fragments;
    struct s2_flow_shard shard[S2_FLOW_SHARDS];
};

static inline void s2_firewall_lock(atomic_bool *locked)
{
    while (atomic_exchange_explicit(locked, true, memory_order_acquire)) {
        while (atomic_load_explicit(locked, memory_order_relaxed))
            ;
    }
}

static inline void s2_firewall_unlock(atomic_bool *locked)
{
    atomic_store_explicit(locked, false, memory_order_release);
}

static inline uint32_t s2_flow_shard_of(uint64_t hash)
{
    return (uint32_t)(hash >> 58);
}

void s2_flow_shard_init(struct s2_flow_shard *s);
void s2_flow_shard_free(struct s2_firewall *fw, struct s2_flow_shard *s);
/* The rest: with the shard's lock. find: NULL also for one that is past its time, which
 * is gone then. */
struct s2_flow *s2_flow_find(struct s2_firewall *fw, struct s2_flow_shard *s,
                             const struct s2_flow_key *key, uint64_t hash, uint64_t now_ns);
/* In the state that its protocol begins with; NULL if there is no room. */
struct s2_flow *s2_flow_open(struct s2_firewall *fw, struct s2_flow_shard *s,
                             struct s2_firewall_port *port, const struct s2_flow_key *key,
                             uint64_t hash, uint64_t now_ns);
/* A packet has come: the only writer of a flow's state. */
void s2_flow_set_state(struct s2_flow_shard *s, struct s2_flow *f, enum s2_flow_state state,
                       uint64_t now_ns);
void s2_flow_expire(struct s2_firewall *fw, struct s2_flow_shard *s, uint64_t now_ns);
void s2_flow_close_port(struct s2_firewall *fw, struct s2_flow_shard *s,
                        const struct s2_firewall_port *port);

/* ---- fragment.c: the ports of first fragments that passed. Own lock, bounded. */

S2SVPN_NODISCARD s2svpn_status s2_fragments_new(const struct s2_env *env,
                                                struct s2_fragments **out);
void s2_fragments_free(const struct s2_env *env, struct s2_fragments *f);
/* A later fragment: sets look's protocol and ports. False: its first isn't known. */
bool s2_fragments_find(struct s2_firewall *fw, enum s2_firewall_direction direction,
                       const struct s2_firewall_packet *p, struct s2_flow_look *look,
                       uint64_t now_ns);
/* A first fragment that passes. */
void s2_fragments_keep(struct s2_firewall *fw, enum s2_firewall_direction direction,
                       const struct s2_firewall_packet *p, uint64_t now_ns);

#endif
