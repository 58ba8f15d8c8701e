/* SPDX-License-Identifier: Apache-2.0 */
/* Two IKE engines, 0 and 1, with a network between them that delays, loses, doubles
 * and reorders, virtual time, and behind each engine what vpn would do: install
 * children, send traffic over them, keep account of SPIs. */
#ifndef S2_TESTS_IKE_PAIR_H
#define S2_TESTS_IKE_PAIR_H

#include "fake_env.h"
#include "ike/fake_crypto.h"
#include "ike/ike.h"

#define S2_PAIR_CHILDREN 64 /* seen by one end, in the life of a test */
#define S2_PAIR_QUEUE 1024
#define S2_PAIR_JOBS 64
#define S2_PAIR_LINGER_NS (5 * S2_SECOND) /* an inbound SA stays so long after child_down */

struct s2_pair;

struct s2_pair_child {
    uint32_t spi_in, spi_out, replaces;
    bool up;
    uint64_t down_ns;
    uint16_t ke;
    bool esn;
    uint64_t lifetime_kb;
    uint8_t key_in[S2SVPN_KEY_MAX], key_out[S2SVPN_KEY_MAX];
    s2svpn_endpoint local, remote;
    struct s2_ike_ts local_ts, remote_ts;
};

struct s2_pair_job {
    s2svpn_job *job;
    s2svpn_status result;
    uint64_t at_ns;
};

struct s2_pair_end {
    struct s2_pair *pair;
    unsigned number; /* 0 or 1 */
    struct s2_fake_env fake;
    struct s2_fake_crypto crypto;
    struct s2_ike *ike;
    struct s2_ike_options options;
    struct s2_ike_config config; /* to be changed before open */
    struct s2_ike_config *live;  /* the copy that the engine gets; freed when forgotten */
    const struct s2_ike_config *candidate[4]; /* NULL: live */
    size_t candidates;

    /* how it behaves */
    bool defer_jobs;         /* answer a millisecond later */
    unsigned defer_identify; /* 0: at once; 1: later; 2: never */
    bool identify_nobody;
    bool refuse_child, no_spi;
    unsigned fail_job; /* this job (from 1) fails; 0: none */
    s2svpn_status fail_job_with;
    uint64_t esp_inbound_ns; /* what last_inbound says */
    uint64_t unix_s;         /* wall clock of VERIFY jobs; 0: unknown */
    /* Called in every callback, by its name. */
    void (*hook)(struct s2_pair_end *end, const char *callback);

    /* what it has seen */
    struct s2_pair_child child[S2_PAIR_CHILDREN];
    size_t children;
    struct s2_pair_child *outbound;
    unsigned spis_drawn, spis_given_back;
    unsigned forgets; /* of live */
    unsigned sa_ups, sa_downs, children_up, children_down, jobs, jobs_cancelled, moves, notes;
    unsigned keepalives;
    unsigned signs, verifies;                     /* of jobs, those of these kinds */
    uint8_t method;                               /* of the last signature made */
    size_t shown_len;                             /* of the certificate that identify got */
    uint8_t shown[16];                            /* its beginning */
    s2svpn_endpoint keepalive_from, keepalive_to; /* of the last one */
    enum s2_ike_reason reason;                    /* of the last sa_down */
    char detail[128], note[256];
    bool was_up, last;
    struct s2_ike_sa_info info;
    enum s2_ike_reason child_reason;
    enum s2svpn_drop drop; /* of the last datagram */
    unsigned sent, received;
    struct s2_pair_job job[S2_PAIR_JOBS];
    size_t job_count;
    uint64_t ticket;
    uint64_t ticket_at_ns;
};

struct s2_pair_datagram {
    uint64_t at_ns, order;
    unsigned to;
    s2svpn_endpoint local, remote; /* as the receiver sees them */
    uint8_t *p;
    size_t len;
};

struct s2_pair {
    struct s2_pair_end end[2];
    uint64_t now_ns;
    struct s2_pair_datagram queue[S2_PAIR_QUEUE];
    size_t queued;
    uint64_t order, random_state;
    unsigned loss, twice, jitter_ms; /* in percent; the one-way delay is 10 ms and up to jitter */
    bool manual;                     /* the test delivers by hand */
    bool nat;                        /* end 0 stands behind one */
    uint16_t nat_shift;              /* what it adds to ports */
    unsigned lost_packets;           /* traffic that found no SA at the other end */
    bool traffic;                    /* send some at every step */
    bool trace;                      /* print what happens; S2_PAIR_TRACE in the environment */
    /* Sees every datagram; false throws it away. */
    bool (*filter)(struct s2_pair *pair, struct s2_pair_datagram *d);
    void *filter_arg;
};

/* Configured, engines not made yet. */
void s2_pair_init(struct s2_pair *p, uint64_t seed);
bool s2_pair_open(struct s2_pair *p); /* makes the engines */
void s2_pair_close(struct s2_pair *p);
bool s2_pair_initiate(struct s2_pair *p, unsigned number);
/* Forget the config, as a deleted tunnel or a crash does; then there is a new one. */
void s2_pair_forget(struct s2_pair *p, unsigned number);
void s2_pair_run_for(struct s2_pair *p, uint64_t ns);
/* Initiate by 0 and run until both are up; a second or so. */
bool s2_pair_connect(struct s2_pair *p);
/* Put bytes into the queue as if the other end had sent them just now. */
void s2_pair_inject(struct s2_pair *p, unsigned to, const s2svpn_endpoint *local,
                    const s2svpn_endpoint *remote, const uint8_t *bytes, size_t len);
/* By hand: give the oldest datagram for that end to it; false if there is none. */
bool s2_pair_deliver(struct s2_pair *p, unsigned to);

size_t s2_pair_children_up(const struct s2_pair_end *end);
struct s2_pair_child *s2_pair_only_child(struct s2_pair_end *end); /* NULL: none, or several */
/* One child at each end, with the same keys and SPIs crosswise. */
bool s2_pair_agrees(struct s2_pair *p);
/* One IKE SA at each end, the same one, and s2_pair_agrees. */
bool s2_pair_is_settled(struct s2_pair *p);
/* SPIs drawn are given back or stand for children that are up. */
bool s2_pair_balances(const struct s2_pair_end *end);
uint64_t s2_pair_sas(const struct s2_pair_end *end);

#endif
