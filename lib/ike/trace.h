/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to a tunnel's SAs message by message, for its own log: facts, no texts.
 * Nothing is made of them where nobody listens (ops.trace is NULL). */
#ifndef S2_IKE_TRACE_H
#define S2_IKE_TRACE_H

#include "ike/ike.h"

enum s2_ike_trace_kind {
    S2_IKE_TRACE_PROCESSED,       /* a message is acted on: exchange, message_id, response; error:
                              * what it notifies; pieces: it came in so many */
    S2_IKE_TRACE_SENT,            /* likewise; tries: how often it was sent before */
    S2_IKE_TRACE_UNREADABLE,      /* a message that our keys don't open */
    S2_IKE_TRACE_MISMATCH,        /* the peer's proof shows another key than ours */
    S2_IKE_TRACE_REFUSED,         /* error: what the peer is told */
    S2_IKE_TRACE_KEPT_ALONE,      /* error: why there is an IKE SA but no child */
    S2_IKE_TRACE_DELETE_RECEIVED, /* spi; child */
    S2_IKE_TRACE_DELETE_SENT,     /* likewise */
    S2_IKE_TRACE_UNANSWERED,      /* tries */
    S2_IKE_TRACE_HALF_OPEN,       /* the peer began an IKE SA and never completed it */
    S2_IKE_TRACE_COOKIE,          /* the peer is asked for one, or asks us: response */
    S2_IKE_TRACE_COLLISION,       /* both sides rekey the same; child */
    S2_IKE_TRACE_REDUNDANT,       /* what came of a collision too much goes: spi; child */
};

struct s2_ike_trace {
    uint8_t kind; /* enum s2_ike_trace_kind */
    uint8_t version;
    uint8_t exchange;
    bool response; /* IKEv2 */
    bool child;    /* it is about a child SA, otherwise the IKE SA */
    bool half;     /* of a peer that hasn't proved who it is */
    uint16_t error;
    uint32_t message_id, tries, pieces;
    uint64_t spi;
    const char *exchange_name, *error_name; /* "IKE_AUTH", "TS_UNACCEPTABLE"; never NULL */
    const s2svpn_endpoint *remote;          /* borrowed for the call */
};

/* How far an owner's SAs are, besides what is up. */
struct s2_ike_progress {
    bool negotiating, rekeying;             /* an IKE SA */
    bool negotiating_child, rekeying_child; /* a child */
};
void s2_ike_get_progress(const struct s2_ike *ike, const void *owner, struct s2_ike_progress *out);

/* ---- within the room; the SA's tunnel is told */
struct s2_ike_sa;
struct s2_ike_bytes;
struct s2_ike_header;
void s2_ike_trace_message(struct s2_ike_sa *sa, enum s2_ike_trace_kind kind,
                          const struct s2_ike_bytes *message, uint32_t tries);
/* kind and what belongs to it; the rest is filled in. */
void s2_ike_trace(struct s2_ike_sa *sa, struct s2_ike_trace trace);
/* For messages without an SA. */
void s2_ike_trace_for(struct s2_ike *ike, const struct s2_ike_config *config,
                      const s2svpn_endpoint *remote, struct s2_ike_trace trace);

#endif
