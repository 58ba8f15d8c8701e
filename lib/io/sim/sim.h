/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulated network's own structures. What it does for its users is said in
 * s2svpn/sim.h.
 *
 * Everything that will happen is an event in one queue, ordered by time and, at the
 * same time, by the order in which it was asked for. An event's memory belongs to
 * whoever made it:
 *
 *   outside, inside, call   the queue: freed when it has happened or is dropped
 *   advance                 part of its node; one a node, so its place is kept free
 *   job                     its node's list of jobs, queued only while attached
 *
 *   sim.c     life, time and steps          node.c      contexts and their io table
 *   queue.c   the events                    wire.c      from a datagram sent to its events
 *   link.c    settings, who has an address  jobs.c      the crypto table that answers later
 *   random.c  the dice                      pcap.c      captures
 *   nat.c     translators of addresses      part.c      partitions
 */
#ifndef S2_IO_SIM_SIM_H
#define S2_IO_SIM_SIM_H

#include "s2svpn/sim.h"

#define S2_SIM_EVENTS_MAX 1000000u
#define S2_SIM_BYTES_MAX ((size_t)512 << 20) /* of packets under way */
#define S2_SIM_NODES_MAX 65536u
#define S2_SIM_LINKS_MAX 65536u
#define S2_SIM_ENDPOINTS_MAX 1000000u
#define S2_SIM_NATS_MAX 256u
#define S2_SIM_FLOWS_MAX 4096u /* of a translator */
#define S2_SIM_PARTITIONS_MAX 4096u
#define S2_SIM_BATCH 64 /* datagrams or trains that arrive in one call */
#define S2_SIM_LEAST_DELAY_NS 1000u
#define S2_SIM_NOT_QUEUED SIZE_MAX

enum s2_sim_event_kind {
    S2_SIM_OUTSIDE = 1,
    S2_SIM_INSIDE,
    S2_SIM_CALL,
    S2_SIM_ADVANCE,
    S2_SIM_JOB,
};

struct s2_sim_event {
    uint64_t at_ns, order;
    size_t place; /* in the heap, or S2_SIM_NOT_QUEUED */
    size_t bytes; /* of packets, for the queue's limit */
    s2svpn_sim_node *node;
    enum s2_sim_event_kind kind;
};

struct s2_sim_outside {
    struct s2_sim_event event; /* first: an event is cast to what it begins */
    s2svpn_datagram d;         /* its bytes are behind the struct */
    uint32_t count;            /* datagrams in it */
};

struct s2_sim_inside {
    struct s2_sim_event event;
    s2svpn_port_id port;
    size_t n;
    s2svpn_packet *p; /* behind the struct, and the bytes behind them */
};

struct s2_sim_call {
    struct s2_sim_event event;
    s2svpn_sim_fn *fn;
    void *user;
};

struct s2_sim_job {
    struct s2_sim_event event;
    struct s2_sim_job *next, **link;
    s2svpn_job *job;
    uint64_t delay_ns;
    bool forgotten; /* its node was detached: no answer will come */
};

struct s2_sim_queue {
    struct s2_sim_event **heap;
    size_t count, capacity;
    size_t bytes;
    size_t spare; /* places kept free: one a node, for its advance */
    uint64_t order;
    size_t count_max, bytes_max;
};

struct s2_sim_random {
    uint64_t state;
};

struct s2_sim_setting {
    s2svpn_address from, to;
    s2svpn_sim_link link;
};

struct s2_sim_endpoint {
    s2svpn_endpoint endpoint;
    s2svpn_sim_node *node;
};

/* What a translator knows: who may be heard at a port, and for whom it is. */
struct s2_sim_flow {
    s2svpn_endpoint inside, remote;
    uint64_t last_ns;
    uint16_t port;
};

struct s2svpn_sim_nat {
    s2svpn_sim *sim;
    s2svpn_sim_nat *next;
    s2svpn_sim_nat_options options;
    struct s2_sim_flow *flows;
    size_t count, capacity;
    uint16_t next_port;
};

struct s2_sim_partition {
    struct s2_sim_partition *next;
    uint64_t from_ns, until_ns;
    size_t a_count, b_count; /* of addresses behind the struct; b_count 0: all others */
};

/* The two ends of a datagram, as they know themselves and as the outside sees them. */
struct s2_sim_ends {
    s2svpn_endpoint sender, seen_sender, seen_receiver, receiver;
};

struct s2svpn_sim_node {
    s2svpn_sim *sim;
    s2svpn_sim_node *next;
    const char *name;
    s2svpn_context *ctx; /* NULL: detached */
    s2svpn_worker *worker;
    struct s2_sim_event advance;
    uint64_t deadline_ns; /* as the context said last */
    struct s2_sim_random random;
    s2svpn_sim_inside_fn *inside;
    void *inside_user;
    s2svpn_crypto_ops crypto;             /* what the context gets ... */
    const s2svpn_crypto_ops *real_crypto; /* ... and what does its work */
    void *real_crypto_user;
    struct s2_sim_job *jobs;
};

struct s2svpn_sim {
    uint64_t seed, now_ns;
    struct s2_sim_random random;
    struct s2_sim_queue queue;
    s2svpn_sim_node *nodes;
    size_t node_count;
    struct s2_sim_setting *links; /* sorted by both addresses */
    size_t link_count, link_capacity;
    struct s2_sim_endpoint *endpoints; /* sorted by address */
    size_t endpoint_count, endpoint_capacity;
    uint64_t job_min_ns, job_max_ns;
    s2svpn_sim_nat *nats;
    size_t nat_count;
    struct s2_sim_partition *partitions;
    size_t partition_count;
    s2svpn_sim_wire_fn *wire;
    void *wire_user;
    s2svpn_sim_filter_fn *filter;
    void *filter_user;
    s2svpn_sim_counters counters;
};

/* ---- random.c */

void s2_sim_seed(struct s2_sim_random *r, uint64_t seed, uint64_t stream);
uint64_t s2_sim_next(struct s2_sim_random *r);
/* 0 to most, evenly. */
uint64_t s2_sim_roll(struct s2_sim_random *r, uint64_t most);
bool s2_sim_happens(struct s2_sim_random *r, uint32_t ppm);
void s2_sim_fill(struct s2_sim_random *r, uint8_t *out, size_t len);

/* Never overflows: what is later than time itself is never. */
static inline uint64_t s2_sim_later(uint64_t at_ns, uint64_t by_ns)
{
    return by_ns > S2SVPN_NEVER - at_ns ? S2SVPN_NEVER : at_ns + by_ns;
}

/* ---- queue.c */

/* Queue an event that isn't queued. After a failure it is still the caller's. */
s2svpn_status s2_sim_push(struct s2_sim_queue *q, struct s2_sim_event *e, uint64_t at_ns);
/* The same for an event whose place is kept free. */
void s2_sim_push_reserved(struct s2_sim_queue *q, struct s2_sim_event *e, uint64_t at_ns);
/* Keep one more place free. */
s2svpn_status s2_sim_reserve(struct s2_sim_queue *q);
/* The next event, or NULL. */
struct s2_sim_event *s2_sim_peek(const struct s2_sim_queue *q);
/* Take an event out of the queue; nothing if it isn't in it. */
void s2_sim_unqueue(struct s2_sim_queue *q, struct s2_sim_event *e);
/* Take all events of a node out and free those that belong to the queue; NULL: of
 * everybody. Returns how many outside datagrams were among them. */
uint64_t s2_sim_unqueue_node(struct s2_sim_queue *q, const s2svpn_sim_node *node);

/* ---- link.c */

/* How datagrams go from here to there. Valid until a setting is made. */
const s2svpn_sim_link *s2_sim_find_link(const s2svpn_sim *sim, const s2svpn_address *from,
                                        const s2svpn_address *to);
/* The endpoint that a datagram to this address arrives at, or NULL. Valid until
 * a node comes or goes. */
const struct s2_sim_endpoint *s2_sim_find_endpoint(const s2svpn_sim *sim, const s2svpn_endpoint *to,
                                                   bool raw);
/* All or none of them become this node's. */
s2svpn_status s2_sim_add_endpoints(s2svpn_sim_node *node, const s2svpn_endpoint *e, size_t n);
void s2_sim_remove_endpoints(const s2svpn_sim_node *node);

/* Does a node have this address? */
bool s2_sim_has_address(const s2svpn_sim *sim, const s2svpn_address *a);
bool s2_sim_same_address(const s2svpn_address *a, const s2svpn_address *b);

/* ---- nat.c */

/* From what the sender wrote to both views of both ends. False: a translator lets it
 * not pass; then sender and seen_sender are right all the same. */
bool s2_sim_translate(s2svpn_sim *sim, const s2svpn_datagram *d, struct s2_sim_ends *ends);
bool s2_sim_is_nat(const s2svpn_sim *sim, const s2svpn_address *a);
void s2_sim_nats_free(s2svpn_sim *sim);

/* ---- part.c */

bool s2_sim_is_parted(const s2svpn_sim *sim, const struct s2_sim_ends *ends);
void s2_sim_partitions_free(s2svpn_sim *sim);

/* ---- wire.c */

/* Send a datagram or train on its way. A status other than OK: some of it is lost
 * since the simulation is full. */
s2svpn_status s2_sim_transmit(s2svpn_sim *sim, const s2svpn_datagram *d);
/* The same for what a node sends: the filter sees it. */
s2svpn_status s2_sim_transmit_filtered(s2svpn_sim *sim, const s2svpn_datagram *d);

/* ---- jobs.c */

/* Give options a crypto table that does what its own does, but its jobs later. */
void s2_sim_wrap_crypto(s2svpn_sim_node *node, s2svpn_options *options);
/* certificates.c: what its own has of them. */
void s2_sim_wrap_certificates(s2svpn_sim_node *node);
/* Queue the jobs that were started before the context was attached. */
s2svpn_status s2_sim_attach_jobs(s2svpn_sim_node *node);
/* No answer will come to any; they are remembered until cancelled. */
void s2_sim_forget_jobs(s2svpn_sim_node *node);
void s2_sim_clear_jobs(s2svpn_sim_node *node);
/* Do a job that is due. */
void s2_sim_do_job(s2svpn_sim_node *node, struct s2_sim_job *entry);

/* ---- node.c */

void s2_sim_node_free(s2svpn_sim_node *node);

#endif
