/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A simulated network for anyone's tests: contexts on nodes, links that delay, lose,
 * duplicate, reorder and part, virtual time, one seed. The same seed and calls give
 * the same run, packet by packet. It uses the public API alone.
 *
 *     s2svpn_sim *sim;            s2svpn_sim_new(7, &sim);
 *     s2svpn_sim_node *a;         s2svpn_sim_node_new(sim, "gateway", &a);
 *     s2svpn_sim_prepare(a, &options);          io, clock, randomness, crypto
 *     s2svpn_context_new(&options, &ctx, &why); s2svpn_sim_attach(a, ctx);
 *     s2svpn_sim_run(sim, 3600 * 1000000000ull);   an hour
 *
 * Nothing is delivered at the moment it is sent: always later than now. An address
 * belongs to the node whose context was attached with it among its local endpoints.
 * A train stays a train unless the link touches one of its datagrams.
 *
 * Between sender and receiver stand, in this order: the translator that the sender is
 * behind (from here on the datagram has the addresses that the outside sees, and links
 * are looked up by these), the wire's tap, the filter, partitions and the link, the
 * translator that the receiver is behind.
 *
 * Threads: one simulation, one thread.
 */
#ifndef S2SVPN_SIM_H
#define S2SVPN_SIM_H

#include "s2svpn/context.h"

S2SVPN_BEGIN

typedef struct s2svpn_sim s2svpn_sim;
typedef struct s2svpn_sim_node s2svpn_sim_node;

/** How one direction of the way between two addresses behaves. All zero: a perfect
 * link of one microsecond. */
typedef struct s2svpn_sim_link {
    size_t size;
    uint64_t delay_ns;
    uint64_t jitter_ns; /* 0 to this is added, evenly: what is sent closer together than
                         * this may change places */
    uint32_t loss_ppm, duplicate_ppm;
    uint32_t reorder_ppm; /* held back by up to ten times delay + jitter */
    bool down;            /* everything is lost */
    uint8_t reserved[3];
} s2svpn_sim_link;
#define S2SVPN_SIM_LINK_INIT                                                                       \
    {                                                                                              \
        .size = sizeof(s2svpn_sim_link)                                                            \
    }

typedef struct s2svpn_sim_counters {
    size_t size;                                           /* set by the caller */
    uint64_t sent, lost, duplicated, reordered, delivered; /* datagrams */
    uint64_t unroutable;                                   /* to an address that no node has */
    uint64_t jobs, steps;
    uint64_t untranslated; /* lost at a translator: no mapping, or nothing that has a port */
    uint64_t parted;       /* lost in a partition */
    uint64_t impaired;     /* that the filter did something to */
} s2svpn_sim_counters;

/** @param[out] sim given to the caller, free with s2svpn_sim_free(). */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_sim_new(uint64_t seed, s2svpn_sim **sim);
/** Contexts must have been detached and are the caller's. NULL is allowed. */
S2SVPN_API void s2svpn_sim_free(s2svpn_sim *sim);
/** Virtual monotonic time; a simulation begins at one second. */
S2SVPN_API uint64_t s2svpn_sim_now(const s2svpn_sim *sim);
/** A number of the simulation's own sequence, for tests that want to roll dice. */
S2SVPN_API uint64_t s2svpn_sim_random(s2svpn_sim *sim);
S2SVPN_API void s2svpn_sim_get_counters(const s2svpn_sim *sim, s2svpn_sim_counters *out);

/** A place for one context. @param name borrowed until the simulation is freed. */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_sim_node_new(s2svpn_sim *sim, const char *name,
                                                              s2svpn_sim_node **node);
/** Set io, randomness, crypto (of @p options, or OpenSSL, with its jobs deferred)
 * and clock of options; the rest stays as it is. */
S2SVPN_API void s2svpn_sim_prepare(s2svpn_sim_node *node, s2svpn_options *options);
/** The context that was made with these options lives here now; @p options as given
 * to s2svpn_context_new: its local endpoints become the node's. */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_sim_attach(s2svpn_sim_node *node,
                                                            s2svpn_context *ctx,
                                                            const s2svpn_options *options);
/** Packets under way to it are lost, its jobs forgotten. Before freeing a context;
 * a node may be prepared and attached again (a restart). */
S2SVPN_API void s2svpn_sim_detach(s2svpn_sim_node *node);

/** Set how packets go from @p from to @p to (NULL or family 0: any). The most exact
 * setting counts. */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_sim_set_link(s2svpn_sim *sim,
                                                              const s2svpn_address *from,
                                                              const s2svpn_address *to,
                                                              const s2svpn_sim_link *link);
/** Let nothing pass between two sets of addresses, in both directions, from a time to
 * another; what is under way arrives. Links keep their settings. An address behind a
 * translator counts as itself and as what the outside sees. Copied; 4,096 at once.
 * @param b  NULL: everybody else.
 * @return E_ARGUMENT: no address, or an end before the beginning; E_LIMIT; E_MEMORY. */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status
s2svpn_sim_partition(s2svpn_sim *sim, const s2svpn_address *a, size_t a_count,
                     const s2svpn_address *b, size_t b_count, uint64_t from_ns, uint64_t until_ns);

/** A translator of addresses and ports (NAT) before a network: who is behind it is
 * seen with its address and a port of its choice, and heard only by whom it has sent
 * to itself, address and port (RFC 4787's address and port-dependent filtering).
 * IP protocol 50 has no port and doesn't pass. */
typedef struct s2svpn_sim_nat s2svpn_sim_nat;
typedef struct s2svpn_sim_nat_options {
    size_t size;
    s2svpn_prefix inside;   /* the addresses behind it: unreachable but through it */
    s2svpn_address outside; /* its own; no node's and no other translator's */
    uint64_t expiry_ns;     /* without traffic for so long a mapping is forgotten; 0: never */
    bool symmetric;         /* another port for each remote endpoint; else one for all */
    uint8_t reserved[7];
} s2svpn_sim_nat_options;
#define S2SVPN_SIM_NAT_OPTIONS_INIT                                                                \
    {                                                                                              \
        .size = sizeof(s2svpn_sim_nat_options)                                                     \
    }
/** @param[out] nat  borrowed until the simulation is freed.
 * @return E_ARGUMENT; E_EXISTS: the outside address is somebody's, or a network is
 *         behind another one already; E_LIMIT (256); E_MEMORY. */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_sim_nat_new(s2svpn_sim *sim,
                                                             const s2svpn_sim_nat_options *options,
                                                             s2svpn_sim_nat **nat);
/** Forget all mappings, as after a restart: whoever is behind it gets other ports. */
S2SVPN_API void s2svpn_sim_nat_flush(s2svpn_sim_nat *nat);
/** Another address from now on; the mappings are forgotten. E_EXISTS, E_ARGUMENT. */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_sim_nat_set_outside(s2svpn_sim_nat *nat,
                                                                     const s2svpn_address *outside);

/** Jobs of all nodes answer after min_ns to max_ns, evenly. Before: at once (but
 * never inside the call). */
S2SVPN_API void s2svpn_sim_set_job_delay(s2svpn_sim *sim, uint64_t min_ns, uint64_t max_ns);

/** Packets that a node's context delivers at a port. Borrowed for the call. */
typedef void s2svpn_sim_inside_fn(void *user, s2svpn_sim_node *node, s2svpn_port_id port,
                                  const s2svpn_packet *p, size_t n, uint64_t now_ns);
/** NULL: they are dropped. */
S2SVPN_API void s2svpn_sim_on_inside(s2svpn_sim_node *node, s2svpn_sim_inside_fn *fn, void *user);
/** Let packets enter at a port, one microsecond from now; the bytes are copied. */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_sim_inject(s2svpn_sim_node *node,
                                                            s2svpn_port_id port,
                                                            const s2svpn_packet *p, size_t n);

/** See every outside datagram as it is sent: what a tap on the wire shows. Trains are
 * shown whole. lost: nothing of it will arrive. */
typedef void s2svpn_sim_wire_fn(void *user, const s2svpn_datagram *d, bool lost, uint64_t now_ns);
S2SVPN_API void s2svpn_sim_on_wire(s2svpn_sim *sim, s2svpn_sim_wire_fn *fn, void *user);
/** Send a datagram as a stranger would: from d->local to d->remote. Copied. The filter
 * doesn't see it. */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_sim_send(s2svpn_sim *sim,
                                                          const s2svpn_datagram *d);

/** What the filter lets become of a datagram. All zero: nothing out of the ordinary. */
typedef struct s2svpn_sim_fate {
    size_t size;
    bool drop;
    uint8_t reserved[3];
    uint32_t copies;        /* arrive besides it, or, if it is dropped, in place of it */
    uint64_t delay_ns;      /* its own, on top of the link's */
    uint64_t copy_after_ns; /* the first copy's, on top of that; each next one's once more */
} s2svpn_sim_fate;
/** Sees every outside datagram of the nodes before the link does; trains are cut.
 * @param d     a copy: its bytes may be changed and its len lowered; what else is
 *              changed doesn't count.
 * @param fate  to be filled in. Hold it and send it again: drop, copies 1. Keep the
 *              bytes for later: s2svpn_sim_at() and s2svpn_sim_send(). */
typedef void s2svpn_sim_filter_fn(void *user, s2svpn_sim *sim, s2svpn_datagram *d,
                                  s2svpn_sim_fate *fate, uint64_t now_ns);
/** NULL: none. */
S2SVPN_API void s2svpn_sim_set_filter(s2svpn_sim *sim, s2svpn_sim_filter_fn *fn, void *user);

/** Call fn at a time. */
typedef void s2svpn_sim_fn(void *user, s2svpn_sim *sim, uint64_t now_ns);
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_sim_at(s2svpn_sim *sim, uint64_t at_ns,
                                                        s2svpn_sim_fn *fn, void *user);

/** Do the next thing that is due; false if nothing is. */
S2SVPN_API bool s2svpn_sim_step(s2svpn_sim *sim);
/** Let time pass until then. */
S2SVPN_API void s2svpn_sim_run(s2svpn_sim *sim, uint64_t until_ns);
/** Let time pass until done(arg) is true, asked after each step, or until then.
 * @return what done said last. */
S2SVPN_API bool s2svpn_sim_run_until(s2svpn_sim *sim, bool (*done)(void *arg), void *arg,
                                     uint64_t until_ns);

S2SVPN_END
#endif
