/* SPDX-License-Identifier: Apache-2.0 */
/*
 * s2svpn-gateway examine: this program plays AWS's end of a document, and what a customer's
 * device makes of it is judged, step by step.
 *
 *   watch.c    events and infos ──> facts           through.c   pings of a VPC host
 *   steps.c    the table          ──> plan          report*.c   what was found
 *   judge*.c   facts ──> verdict and words          run.c       one step after the other
 */
#ifndef S2_EXAMINE_EXAMINE_H
#define S2_EXAMINE_EXAMINE_H

#include "examine/facts.h"
#include "examine/report.h"
#include "examine/steps.h"
#include "program.h"

#define THROUGH_MAX 512 /* pings that are remembered */
#define RATE_SLOTS 8    /* samples of a quarter of a second */
#define REPORTS_MAX 8

/* ---- through.c */

struct through {
    s2svpn_context *ctx;
    s2svpn_port_id port;
    s2svpn_address from, to; /* to: family 0: no --ping */
    uint64_t sent_ns[THROUGH_MAX], answered_ns[THROUGH_MAX];
    uint32_t next, first; /* numbers: of the next ping, and the step's first */
    uint64_t next_ns;     /* when it is due */
    bool ever;            /* one was answered */
    bool cut_sent;
    size_t cut_got; /* bytes of its answer */
};
void through_begin(struct through *t);                 /* a step begins */
void through_tick(struct through *t, uint64_t now_ns); /* send what is due */
void through_cut(struct through *t, uint64_t now_ns);  /* one that is too long */
void through_facts(const struct through *t, uint64_t now_ns, struct through_facts *out);
/* A packet for the VPC host: an answer, or somebody's ping, which is answered. */
void through_packet(struct through *t, const s2svpn_packet *p, uint64_t now_ns);

/* ---- watch.c */

struct watch {
    s2svpn_context *ctx;
    s2svpn_connection *conn;
    struct facts *facts;
    bool established[2];
    uint64_t answered_before[2]; /* pings of sessions that are over */
    uint64_t asked_before[2], answered_seen[2], asked_seen[2];
    uint64_t rate[2][RATE_SLOTS];
    uint64_t rate_ns;
    unsigned rate_at;
};
bool watch_begin(struct watch *w);
/* Bring the facts up to date. */
void watch_look(struct watch *w, uint64_t now_ns);
/* As watch_begin's subscription does it; for tests. */
void watch_event(struct watch *w, const s2svpn_event *event);

/* ---- search.c: the longest ping that passes */

struct search {
    uint16_t good, bad, now; /* now 0: over */
    uint8_t tries;
    uint64_t sent_ns;
};
void search_begin(struct search *s, uint16_t mtu);
/* What came back, since the last call. @return the length to send now; 0: none. */
uint16_t search_step(struct search *s, uint16_t answered_len, uint64_t now_ns);

/* ---- run.c */

struct examine {
    struct program program;
    const char *document;
    /* options */
    s2svpn_prefix vpc, vpc_ipv6;
    s2svpn_address instance, instance_ipv6, ping;
    const char *only;
    uint32_t wait_s, timeout_s, repeat; /* repeat 0: for ever */
    bool start, quiet;                  /* quiet: no lines as they come */

    s2svpn_connection *conn;
    struct event *tick;
    struct facts was, now;
    struct watch watch;
    struct through through;
    struct search search;
    struct report report;
    struct planned plan[PLAN_MAX];
    size_t planned, at;
    uint64_t started_ns, asked_ns, began_ns; /* of all; since the step may begin; of the step */
    uint64_t ping_ns;
    uint16_t sequence;
    bool begun, done;
    bool given_up[2], through_failed;
    bool kept; /* the step before has left a fault in force, for this one to end */
};
/* Take the steps in the loop; ends with the goodbye to the device. */
void run_begin(struct examine *x);
/* A signal: what isn't done is left. */
void run_interrupt(void *examine);

#endif
