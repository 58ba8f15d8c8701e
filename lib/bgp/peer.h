/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A peer as its files share it.
 *
 *     peer.c     the functions of bgp.h; entering and leaving
 *     session.c  states: actions of the table in fsm.c, timers, collisions
 *     conn.c     bytes of one stream in and out, message by message
 *     in.c       UPDATE applied to the adj-RIB-in
 *     export.c   what is offered to the peer, and what leaves of it
 *     out.c      adj-RIB-out, packed into UPDATEs
 *
 * RFC 4271 section 8.2.1: a peer has one FSM for each connection that may come to
 * be, the one that we open and the one that the peer opens. Both are there from the
 * start; the peer's own state is that of the one that got further.
 *
 * Whatever comes from outside enters the peer, works, and leaves it; what callbacks
 * ask for meanwhile (a stop, a stream's end) is noted and done on leaving, when
 * state is whole, and so is the sending of UPDATEs. Advertisements wait for a timer
 * that is due at once, so that a batch of them shares UPDATEs.
 */
#ifndef S2_BGP_PEER_H
#define S2_BGP_PEER_H

#include "bgp/attribute.h"
#include "bgp/fsm.h"
#include "bgp/message.h"
#include "bgp/trace.h"

#include "base/list.h"
#include "base/timer.h"

#define S2_BGP_PEER_TEXT 128

struct s2_bgp {
    const struct s2_env *env;
    struct s2_bgp_ops ops;
    struct s2_table sets;
    size_t peers;
};

/* One connection's FSM. */
struct s2_bgp_conn {
    struct s2_bgp_peer *peer;
    void *stream;
    enum s2_bgp_state state;
    bool ours;          /* we open it */
    bool lost;          /* ended while the peer was busy, or can't go on */
    bool keepalive_due; /* the stream was full when it was time */
    uint16_t in_len;
    uint8_t *in; /* a message that isn't whole yet; NULL: none */
    size_t rest_len, rest_at;
    uint8_t *rest;           /* of a message that the stream didn't take whole; NULL: none */
    uint8_t refresh;         /* families that the peer wants again */
    struct s2_bgp_open open; /* the peer's; hold time and families as agreed */
    struct s2_timer retry, hold, keepalive;
    struct s2_timer send_hold; /* runs while the stream doesn't take what waits */
};

/* A prefix of the adj-RIB-in: 30 or 42 bytes. */
struct s2_bgp_in {
    struct s2_table_node node;
    struct s2_bgp_set *set;
    uint8_t family : 4;
    uint8_t stale : 1; /* of a session that ended; the peer restarts (RFC 4724) */
    uint8_t length;
    uint8_t bytes[];
};

/* The prefixes of a family that are advertised with the same attributes: what one
 * UPDATE can hold. */
struct s2_bgp_bucket {
    struct s2_table_node node;
    struct s2_bgp_set *set; /* NULL: to be withdrawn, or kept at home by the policy */
    struct s2_link in_queue, dirty;
    size_t prefixes; /* dirty or not */
    uint8_t family;
};

struct s2_bgp_out_table {
    struct s2_table prefixes, buckets;
    struct s2_link queue;              /* buckets with prefixes to be sent */
    bool keeps_buckets;                /* also those that are empty for a moment */
    struct s2_bgp_bucket withdrawn[2]; /* IPv4, IPv6 */
    size_t advertised;
    uint8_t end_of_rib; /* families that still get one */
};

struct s2_bgp_peer {
    struct s2_bgp *bgp;
    struct s2_bgp_spec spec;
    void *user;
    struct s2_bgp_conn conn[2];  /* ours, theirs */
    struct s2_bgp_conn *session; /* the one that is established */
    enum s2_bgp_state shown;     /* what ops.state told last */
    struct s2_timer idle, flush;
    struct s2_timer stale;              /* how long stale routes stay */
    uint8_t stale_families;             /* that may have some; 0: the peer isn't restarting */
    bool stream_failed;                 /* this is why the session ends */
    unsigned idle_tries, connect_tries; /* in a row that failed */
    unsigned limit_tries;               /* that ended with too many prefixes */
    bool over_limit;                    /* this is why the session ends */
    bool started, stop_asked, start_asked, warned;
    bool refresh_due;   /* ask for the peer's table again */
    bool import_waits;  /* for the next session: the peer can't send its table again */
    uint8_t incomplete; /* families whose End-of-RIB hasn't come in this session */
    uint8_t keepalives; /* of this session, as long as that is so */
    unsigned depth;     /* of calls inside the peer */
    uint64_t now_ns, established_ns;
    struct s2_table in;
    struct s2_bgp_out_table out;
    struct s2_bgp_error error; /* what NOTIFY sends */
    struct s2_bgp_error stop;  /* asked for */
    uint32_t refused_asn;      /* of the OPEN that was refused last */
    char why[S2_BGP_PEER_TEXT];
    uint64_t updates_in, updates_out, treated_as_withdraw, attributes_discarded;
};

/* Tell whoever listens. */
static inline void s2_bgp_tell_trace(struct s2_bgp_peer *peer, const struct s2_bgp_trace *trace)
{
    if (peer->bgp->ops.trace != NULL)
        peer->bgp->ops.trace(peer->user, peer, trace, peer->now_ns);
}

/* ---- peer.c */

/* Prefixes as keys of both tables. */
uint64_t s2_bgp_hash_prefix(const struct s2_bgp_peer *peer, const s2svpn_prefix *p);
s2svpn_prefix s2_bgp_prefix_of(uint8_t family, uint8_t length, const uint8_t *bytes);
/* 75 to 100 per cent, RFC 4271 section 10. */
uint64_t s2_bgp_jitter(const struct s2_bgp_peer *peer, uint64_t ns);
void s2_bgp_enter(struct s2_bgp_peer *peer, uint64_t now_ns);
void s2_bgp_leave(struct s2_bgp_peer *peer);

/* ---- session.c */

/* One event of one connection: the table's action, then its state. */
void s2_bgp_step(struct s2_bgp_conn *c, enum s2_bgp_event event);
void s2_bgp_session_init(struct s2_bgp_peer *peer);
/* What callbacks asked for, a time of rest after a failure, UPDATEs that wait. */
void s2_bgp_settle(struct s2_bgp_peer *peer);
/* RFC 4271 section 6.8: c's OPEN is here. Returns which event that is for c, OPEN
 * or COLLISION; a rival that stands in c's way is ended. */
enum s2_bgp_event s2_bgp_resolve_collision(struct s2_bgp_conn *c);
/* A message waits for the stream: how long may it? RFC 9687. */
void s2_bgp_start_send_hold(struct s2_bgp_conn *c);
void s2_bgp_because(struct s2_bgp_peer *peer, const char *fmt, ...) S2SVPN_PRINTF(2, 3);

/* ---- conn.c */

/* A whole message; what the stream doesn't take is kept. */
void s2_bgp_conn_send(struct s2_bgp_conn *c, const struct s2_writer *w);
void s2_bgp_conn_send_keepalive(struct s2_bgp_conn *c);
/* The peer's error as a NOTIFICATION, then the end of the stream. */
void s2_bgp_conn_notify(struct s2_bgp_conn *c);
void s2_bgp_conn_close(struct s2_bgp_conn *c, bool abort);
void s2_bgp_conn_forget(struct s2_bgp_conn *c); /* buffers, once there is no stream */
void s2_bgp_conn_receive(struct s2_bgp_conn *c, const uint8_t *p, size_t len);
void s2_bgp_conn_writable(struct s2_bgp_conn *c);

/* ---- in.c */

/* An UPDATE of the established session, taken apart, checked and applied. A failure
 * is in peer->error: E_MALFORMED; E_LIMIT, E_MEMORY for a Cease. */
S2SVPN_NODISCARD s2svpn_status s2_bgp_in_update(struct s2_bgp_peer *peer, s2svpn_span body);
/* The session ended and the peer may come back with these families: theirs stay, stale.
 * All others go. */
void s2_bgp_in_retain(struct s2_bgp_peer *peer, unsigned families);
/* Stale routes of these families go; after the last the restart is over. */
void s2_bgp_in_purge(struct s2_bgp_peer *peer, unsigned families);
/* These families are complete: it came, or won't. */
void s2_bgp_in_complete(struct s2_bgp_peer *peer, unsigned families);
/* Over the limit: Cease with what was too much, RFC 4486 section 4. */
void s2_bgp_in_too_many(const struct s2_bgp_peer *peer, uint8_t family, struct s2_bgp_error *error);
/* tell_user: the session ends; otherwise the peer itself goes. */
void s2_bgp_in_clear(struct s2_bgp_peer *peer, bool tell_user);

/* ---- export.c */

/* What the export policy makes of a set, one use of it the caller's; NULL: it is denied.
 * E_LIMIT: the policy asks for more than a message has room for; E_MEMORY. */
S2SVPN_NODISCARD s2svpn_status s2_bgp_export(struct s2_bgp_peer *peer, const s2svpn_prefix *prefix,
                                             struct s2_bgp_set *offered,
                                             struct s2_bgp_set **leaves);

/* ---- out.c */

void s2_bgp_out_init(struct s2_bgp_peer *peer);
void s2_bgp_out_free(struct s2_bgp_peer *peer);
/* A route is offered, and this leaves of it; NULL: nothing. It holds both itself. */
S2SVPN_NODISCARD s2svpn_status s2_bgp_out_set(struct s2_bgp_peer *peer, const s2svpn_prefix *prefix,
                                              struct s2_bgp_set *offered,
                                              struct s2_bgp_set *leaves);
/* The export policy is another: all that was offered goes through it. E_MEMORY: nothing
 * has changed. */
S2SVPN_NODISCARD s2svpn_status s2_bgp_out_again(struct s2_bgp_peer *peer);
void s2_bgp_out_unset(struct s2_bgp_peer *peer, const s2svpn_prefix *prefix);
/* A session begins: all of its families, End-of-RIB behind. It ends: nothing of it
 * is known to the peer any more. */
void s2_bgp_out_up(struct s2_bgp_peer *peer);
void s2_bgp_out_down(struct s2_bgp_peer *peer);
void s2_bgp_out_refresh(struct s2_bgp_peer *peer, unsigned families);
/* Write the next UPDATE into w, which has room for one; false: nothing to send. */
bool s2_bgp_out_next(struct s2_bgp_peer *peer, struct s2_writer *w);
/* Our address as next hop of a family; false: it can't be one. */
bool s2_bgp_next_hop(const s2svpn_address *a, uint8_t family, s2svpn_address *out);

#endif
