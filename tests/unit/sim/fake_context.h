/* SPDX-License-Identifier: Apache-2.0 */
/* A context that is none: the public functions that the simulator calls, linked in
 * place of the library's. It writes down what comes, and a test may give it a mind. */
#ifndef S2_TESTS_SIM_FAKE_CONTEXT_H
#define S2_TESTS_SIM_FAKE_CONTEXT_H

#include "s2svpn/sim.h"

#define ARRIVALS_MAX 4096
#define LOCAL_MAX 4

struct arrival {
    uint64_t now_ns;
    s2svpn_datagram d; /* data is gone; its first four bytes are in head */
    uint8_t head[4];
    size_t batch;        /* datagrams or packets that came in the same call */
    s2svpn_port_id port; /* 0: from outside */
    uint32_t len;
    uint8_t gso_type;
};

struct s2svpn_worker {
    s2svpn_context *ctx;
};

struct s2svpn_context {
    s2svpn_worker worker;
    s2svpn_options options;
    s2svpn_endpoint local[LOCAL_MAX];
    struct arrival arrivals[ARRIVALS_MAX];
    size_t count;
    uint64_t advanced_ns[ARRIVALS_MAX];
    size_t advances;
    s2svpn_job *done;
    s2svpn_status done_result;
    uint64_t done_ns;
    unsigned jobs_done;
    uint64_t trace; /* hash over everything that came */
    void (*mind)(s2svpn_context *ctx, const s2svpn_datagram *d, uint64_t now_ns);
    void (*on_advance)(s2svpn_context *ctx, uint64_t now_ns);
    void *user;
};

/* A simulation with fake contexts at 192.0.2.1, .2 and so on, ports 500 and 4500,
 * and protocol 50. */
struct lab {
    s2svpn_sim *sim;
    s2svpn_sim_node *node[3];
    s2svpn_context *ctx[3];
};
void lab_open(struct lab *lab, uint64_t seed, size_t contexts);
void lab_close(struct lab *lab);
/* The options of the i-th; its endpoints are the context's. */
void lab_options(struct lab *lab, size_t i);

s2svpn_address lab_address(size_t i);
s2svpn_endpoint lab_endpoint(size_t i, uint8_t role);
/* A datagram from one context to another, as the first would send it. */
s2svpn_datagram lab_datagram(size_t from, size_t to, uint8_t role, void *data, uint32_t len);
/* Send it through the context's io table. */
void lab_send(struct lab *lab, size_t from, const s2svpn_datagram *d);
s2svpn_sim_counters lab_counters(const struct lab *lab);
/* Set the link for everybody. */
void lab_link(struct lab *lab, const s2svpn_sim_link *link);

/* The crypto of the fake contexts: a job's answer is the bytes of in, turned round,
 * with the flag pending below set it is never finished by the table itself. */
struct fake_crypto {
    bool pending;
    unsigned started, cancelled, hashes;
};
extern const s2svpn_crypto_ops fake_crypto_ops;

#endif
