/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The in-tunnel host: the one address at our end of a tunnel that answers pings
 * and speaks TCP for BGP. It is a whole TCP endpoint, small: RFC 9293, 6298
 * (retransmission timer, Karn), 5681 (slow start, fast retransmit), 6528 (initial
 * sequence numbers), 5961 (blind attacks).
 *
 *   packets in  ── s2_host_input ──>  host  ── ops.send ──>  packets out
 *                                      │ ops.opened, received, sendable, closed
 *                                   streams (struct s2_tcp), one each way in BGP
 *
 * A stream belongs to the host; the user gets its pointer by s2_tcp_connect or by
 * ops.opened and may use it until ops.closed returns or it calls s2_tcp_abort.
 *
 * Callbacks may call anything but s2_host_free. They are called from inside every
 * function that has now_ns, and from timers, once the work is done and all streams
 * are whole; what a callback asks for (segments, further callbacks) follows when
 * it has returned. So a stream may end, by ops.closed, before s2_tcp_send or
 * s2_tcp_close returns. s2_tcp_abort in a callback stops all further callbacks of
 * that stream, pending ones too.
 *
 * Memory: a stream is about 700 bytes; buffers come with bytes that wait, grow
 * from 4 KiB to S2_TCP_BUFFER, and go when empty.
 */
#ifndef S2_INET_HOST_H
#define S2_INET_HOST_H

#include "base/env.h"
#include "base/timer.h"
#include "inet/inet.h"

#define S2_HOST_STREAMS_MAX 4 /* at once; those that only wait to end yield to new ones */
#define S2_TCP_BUFFER 65536   /* each way, at most */

struct s2_host;
struct s2_tcp;

enum s2_tcp_end {
    S2_TCP_CLOSED,  /* both ways, in order */
    S2_TCP_RESET,   /* by the peer */
    S2_TCP_TIMEOUT, /* no answer */
    S2_TCP_REFUSED, /* RST to our SYN */
    S2_TCP_PEER_FIN /* the peer ended its direction: so do we, behind what is queued. The user
                       has seen the last of the stream; the rest happens without it. */
};

struct s2_host_ops {
    /* A whole IP packet, borrowed for the call. */
    void (*send)(void *user, const uint8_t *p, size_t len, uint64_t now_ns);
    /* A stream is established; passive says who began. Set its user with s2_tcp_set_user. */
    void (*opened)(void *user, struct s2_tcp *tcp, bool passive, uint64_t now_ns);
    /* In-order bytes, borrowed for the call; all of them are taken. */
    void (*received)(void *user, struct s2_tcp *tcp, const uint8_t *p, size_t len, uint64_t now_ns);
    /* There is room again after s2_tcp_send took less than it was given. */
    void (*sendable)(void *user, struct s2_tcp *tcp, uint64_t now_ns);
    /* The last callback for this stream; it is gone when this returns. */
    void (*closed)(void *user, struct s2_tcp *tcp, enum s2_tcp_end end, uint64_t now_ns);
};

struct s2_host_spec {
    s2svpn_address address; /* ours */
    s2svpn_address peer;    /* the only address that TCP is spoken with */
    uint16_t mtu;           /* of the tunnel: MSS = mtu - 40 or - 60; at least 88 or 108 */
    uint16_t listen_port;   /* 179; 0: none */
    uint8_t ttl;            /* of TCP and of our own pings: 1 to 255; 0 means 64 */
};

S2SVPN_NODISCARD s2svpn_status s2_host_new(const struct s2_env *env,
                                           const struct s2_host_spec *spec,
                                           const struct s2_host_ops *ops, void *user,
                                           struct s2_host **host);
/* Streams vanish without a word on the wire and without callbacks. */
void s2_host_free(struct s2_host *host);
/* A packet for our address, or a neighbour solicitation for it. Returns the drop reason, NONE if it was used. */
enum s2svpn_drop s2_host_input(struct s2_host *host, const uint8_t *p, size_t len, uint64_t now_ns);
void s2_host_set_mtu(struct s2_host *host, uint16_t mtu);
/* Streams that listen refuse when off: an RST answers. */
void s2_host_listen(struct s2_host *host, bool on);

/* Begin to connect to the peer; opened or closed tells the end. Where ops.send
 * brings the answer before it returns, that may be told before this returns; a
 * stream that has ended so leaves *tcp NULL. E_LIMIT, E_MEMORY, E_RANDOM. */
S2SVPN_NODISCARD s2svpn_status s2_tcp_connect(struct s2_host *host, uint16_t port, void *user,
                                              uint64_t now_ns, struct s2_tcp **tcp);
/* Bytes taken, at most what fits; 0 when closing. Allowed before opened: they wait. */
size_t s2_tcp_send(struct s2_tcp *tcp, const uint8_t *p, size_t len, uint64_t now_ns);
/* Send what is queued, then FIN; closed comes when the peer has agreed. What the
 * peer still sends is received meanwhile. */
void s2_tcp_close(struct s2_tcp *tcp, uint64_t now_ns);
/* RST, and gone when this returns; no callback. */
void s2_tcp_abort(struct s2_tcp *tcp, uint64_t now_ns);
/* Ask a peer from whom nothing came for so long whether it is there, and again; the stream
 * ends with TIMEOUT when several in a row stay unanswered (RFC 9293 section 3.8.4). Off,
 * as at first, with 0. */
void s2_tcp_keepalive(struct s2_tcp *tcp, uint64_t idle_ns, uint64_t now_ns);
void s2_tcp_set_user(struct s2_tcp *tcp, void *user);
void *s2_tcp_user(const struct s2_tcp *tcp);
uint16_t s2_tcp_local_port(const struct s2_tcp *tcp);
uint16_t s2_tcp_remote_port(const struct s2_tcp *tcp);

/* ping of our own, for liveness and tests: ops.send carries it; the answer is
 * counted. */
void s2_host_ping(struct s2_host *host, uint16_t id, uint16_t seq, uint64_t now_ns);
/* The same as a packet of this length, IP header included; nothing is sent where it is too
 * short for a ping, or memory is. */
void s2_host_ping_sized(struct s2_host *host, uint16_t id, uint16_t seq, uint16_t len,
                        uint64_t now_ns);
#define S2_HOST_PING_LEN(family) ((family) == S2SVPN_FAMILY_IPV6 ? 56 : 36) /* of s2_host_ping */
struct s2_host_counters {
    uint64_t echo_requests, echo_replies; /* received */
    uint64_t segments_in, segments_out, retransmitted;
    uint16_t reply_id, reply_seq; /* of the last reply */
    uint16_t reply_len;           /* and how long it was, IP header included */
};
void s2_host_get_counters(const struct s2_host *host, struct s2_host_counters *out);

#endif
