/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The in-tunnel host's TCP from inside: stream, states, segments. Private to
 * host.c and the tcp_*.c files; users see host.h alone.
 *
 *   host.c            addresses, ping, which stream; callbacks leave here
 *   tcp.c             the user's calls, new and gone streams
 *   tcp_state.c       the table of states
 *   tcp_segment.c     wire form: read and check, write and send
 *   tcp_input.c       "segment arrives", RFC 9293 section 3.10.7
 *   tcp_ack.c         acknowledgements, congestion control (RFC 5681, 6582)
 *   tcp_output.c      what to send next, silly windows, zero windows
 *   tcp_timer.c       RFC 6298 and all that ends by itself
 *   tcp_reassembly.c  segments out of order
 *   tcp_buffer.c      the ring that both directions keep bytes in
 *
 * Nothing calls back from the middle of its work. Entry points change streams,
 * leave notes in them (ack_now, opens, end, fresh …), and s2_host_leave, with
 * every stream whole, turns notes into callbacks and segments one at a time,
 * looking afresh after each. A call from inside a callback changes streams and
 * leaves notes too; the outermost s2_host_leave serves them. A stream that goes
 * while callbacks run is unlinked at once and freed at the outermost exit, so a
 * pointer on the stack stays good: "gone" is asked after every callback.
 *
 * In-order bytes go to the user at once, so the window offered is always the
 * whole one and never shrinks. Only what comes out of order is kept.
 */
#ifndef S2_INET_TCP_H
#define S2_INET_TCP_H

#include "base/bytes.h"
#include "inet/host.h"

#define S2_TCP_BUFFER_FIRST 4096 /* a ring's first size; doubles up to S2_TCP_BUFFER */
#define S2_TCP_WINDOW 65535      /* without scaling the largest; S2_TCP_BUFFER holds it */
#define S2_TCP_RANGES_MAX 16     /* islands behind holes, a stream */
#define S2_TCP_PACKET_MAX 2048   /* what we send at most, on the stack */
#define S2_TCP_MSS_MIN 48        /* smaller ones would make us send headers only */
#define S2_HOST_HALF_OPEN_MAX 2  /* passive streams in SYN-RECEIVED; the oldest yields */

#define S2_TCP_RTO_FIRST (1 * S2_SECOND) /* RFC 6298 section 2 */
#define S2_TCP_RTO_MIN (1 * S2_SECOND)
#define S2_TCP_RTO_MAX (60 * S2_SECOND)
#define S2_TCP_RTO_SYN_LOST (3 * S2_SECOND) /* RFC 6298 section 5.7 */
#define S2_TCP_GIVE_UP (100 * S2_SECOND)    /* R2, RFC 9293 section 3.8.3, … */
/* … and not before so many retransmissions: where 30 % are lost each way, that many fail
 * once in fifty thousand times. */
#define S2_TCP_GIVE_UP_TRIES 15
#define S2_TCP_GIVE_UP_SYN                                                                         \
    (45 * S2_SECOND)                    /* RFC 9293 asks for three minutes; BGP's
                                                 ConnectRetry must come first */
#define S2_TCP_DELAYED_ACK (40 * S2_MS) /* RFC 9293 section 3.8.6.3: below 500 */
#define S2_TCP_FIN_WAIT                                                                            \
    (180 * S2_SECOND)                         /* FIN-WAIT-2 without a byte: three of
                                                 the peer's longest intervals */
#define S2_TCP_TIME_WAIT (30 * S2_SECOND)     /* shorter than 2 MSL: one hop, one peer */
#define S2_TCP_MEMORY_RETRY (1 * S2_SECOND)   /* after s2_tcp_send found no memory at all */
#define S2_TCP_KEEPALIVE_TRIES 5              /* RFC 9293 section 3.8.4: never just one */
#define S2_TCP_CHALLENGES 10                  /* RFC 5961 section 7: ten … */
#define S2_TCP_CHALLENGE_TIME (5 * S2_SECOND) /* … in five seconds */

enum { /* flags of the header */
       S2_TCP_FIN = 0x01,
       S2_TCP_SYN = 0x02,
       S2_TCP_RST = 0x04,
       S2_TCP_PSH = 0x08,
       S2_TCP_ACK = 0x10,
};

/* LISTEN isn't among them: listening is the host's, and a stream begins in
 * CLOSED with the SYN that a listener takes. */
#define S2_TCP_STATE_LIST(X)                                                                       \
    X(CLOSED)                                                                                      \
    X(SYN_SENT)                                                                                    \
    X(SYN_RECEIVED)                                                                                \
    X(ESTABLISHED)                                                                                 \
    X(FIN_WAIT_1)                                                                                  \
    X(FIN_WAIT_2)                                                                                  \
    X(CLOSE_WAIT)                                                                                  \
    X(CLOSING)                                                                                     \
    X(LAST_ACK)                                                                                    \
    X(TIME_WAIT)
enum s2_tcp_state {
#define S2_TCP_STATE_ENUM(name) S2_TCP_STATE_##name,
    S2_TCP_STATE_LIST(S2_TCP_STATE_ENUM)
#undef S2_TCP_STATE_ENUM
        S2_TCP_STATES
};

/* What moves a stream; each is said only after the segment passed its checks. */
#define S2_TCP_EVENT_LIST(X)                                                                       \
    X(OPEN)    /* the user connects */                                                             \
    X(SYN)     /* the peer's SYN without ACK */                                                    \
    X(SYN_ACK) /* the peer's SYN that acknowledges ours */                                         \
    X(ACK_SYN) /* our SYN is acknowledged */                                                       \
    X(CLOSE)   /* we end our direction */                                                          \
    X(FIN)     /* the peer's FIN, and all before it */                                             \
    X(ACK_FIN) /* our FIN is acknowledged */                                                       \
    X(RST)     /* a reset that counts */                                                           \
    X(TIMEOUT) /* given up, or waited long enough */                                               \
    X(ABORT)   /* the user's, or the slot is needed */
enum s2_tcp_event {
#define S2_TCP_EVENT_ENUM(name) S2_TCP_EVENT_##name,
    S2_TCP_EVENT_LIST(S2_TCP_EVENT_ENUM)
#undef S2_TCP_EVENT_ENUM
        S2_TCP_EVENTS
};

/* Bytes that come and go in order; the first byte is at start. */
struct s2_tcp_ring {
    uint8_t *p; /* NULL while size is 0 */
    uint32_t size, start;
};

/* Sequence numbers, begin included, end not. */
struct s2_tcp_range {
    uint32_t begin, end;
};

struct s2_tcp_segment {
    uint16_t source_port, destination_port;
    uint32_t seq, ack;
    uint8_t flags;
    uint16_t window;
    uint16_t mss;     /* option of a SYN; 0: none */
    s2svpn_span text; /* borrowed from the packet */
};

/* What the one timer of the sending side waits for. */
enum s2_tcp_wait {
    S2_TCP_WAIT_NOTHING,
    S2_TCP_WAIT_ACK,    /* retransmission */
    S2_TCP_WAIT_WINDOW, /* persist: probe a window that is closed or silly */
    S2_TCP_WAIT_MEMORY, /* s2_tcp_send took nothing for want of memory */
};

struct s2_tcp {
    struct s2_host *host;
    void *user;
    struct s2_tcp *next_gone;
    struct s2_tcp **connecting; /* s2_tcp_connect's result, while that runs */
    uint64_t order;             /* of birth: who is oldest */
    uint16_t local_port, remote_port;
    enum s2_tcp_state state;

    bool passive;
    bool visible; /* the user has the pointer */
    bool told;    /* … and closed was called, or will never be */
    bool gone;    /* unlinked; freed at the outermost exit */
    bool shut;    /* FIN behind the queue */

    /* Notes for s2_host_leave. */
    bool opens;   /* opened is due */
    bool ends;    /* closed is due, with end */
    bool ack_now; /* an ACK is due */
    bool resend;  /* the first segment again, RFC 5681 section 3.2 */
    bool starved; /* sendable is due once fewer than wake_at bytes are queued */
    enum s2_tcp_end end;
    s2svpn_span fresh; /* in-order text of the packet in hand, before the ring's */

    /* Sending, RFC 9293 section 3.3.1; the ring's first byte is snd_una once our
     * SYN is acknowledged. After a timeout snd_nxt goes back, snd_max stays. */
    uint32_t iss, snd_una, snd_nxt, snd_max;
    uint32_t snd_wl1, snd_wl2, snd_wnd, snd_wnd_max;
    struct s2_tcp_ring out;
    uint32_t queued, wake_at;
    uint16_t mss, peer_mss;

    uint32_t cwnd, ssthresh, recover;
    uint32_t dup_acks;
    bool recovering;

    /* Receiving. The ring begins with fresh's place (filled by nobody), then
     * ready bytes, then what lies at and behind rcv_nxt: ranges. */
    uint32_t irs, rcv_nxt, fin_seq;
    bool fin_known; /* the peer's FIN is at fin_seq */
    bool ack_owed;  /* one segment waits for the delayed ACK */
    uint8_t range_count;
    struct s2_tcp_ring in;
    uint32_t ready;
    struct s2_tcp_range range[S2_TCP_RANGES_MAX + 1]; /* one more for text at rcv_nxt */

    /* Time. */
    uint64_t rto_ns, srtt_ns, rttvar_ns; /* srtt 0: not measured yet */
    uint64_t probe_ns;                   /* persist interval */
    uint64_t timed_ns;                   /* when timed_seq left */
    uint64_t quiet_ns;                   /* since when the peer owes progress */
    uint64_t sent_ns;                    /* last segment with text */
    uint32_t timed_seq;
    bool timing;
    uint32_t retries; /* retransmissions or probes since the last progress */
    uint64_t challenge_ns;
    uint32_t challenges;
    uint64_t keepalive_ns, heard_ns; /* 0: off; last acceptable segment */
    uint32_t asked;                  /* keepalives without an answer */
    enum s2_tcp_wait wait;
    struct s2_timer send_timer, ack_timer, life_timer;
};

struct s2_host {
    const struct s2_env *env;
    struct s2_host_spec spec;
    struct s2_host_ops ops;
    void *user;
    struct s2_tcp *stream[S2_HOST_STREAMS_MAX];
    struct s2_tcp *gone; /* to be freed at the outermost exit */
    uint64_t births;
    unsigned depth; /* of calls; above 1: from inside a callback */
    bool listening;
    struct s2_host_counters counters;
};

/* Sequence numbers are compared modulo 2^32, RFC 9293 section 3.4. */
static inline bool s2_seq_lt(uint32_t a, uint32_t b)
{
    return (a - b) >> 31;
}

static inline bool s2_seq_le(uint32_t a, uint32_t b)
{
    return !((b - a) >> 31);
}

static inline uint32_t s2_tcp_min(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

static inline uint32_t s2_tcp_max(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* ---- host.c */

/* Every entry point stands between these two; only the outermost leave serves. */
void s2_host_enter(struct s2_host *host);
void s2_host_leave(struct s2_host *host, uint64_t now_ns);

/* ---- tcp_state.c */

const char *s2_tcp_state_name(enum s2_tcp_state state);
const char *s2_tcp_event_name(enum s2_tcp_event event);
/* What the table says; S2_TCP_STATES if the state doesn't expect the event. */
enum s2_tcp_state s2_tcp_next_state(enum s2_tcp_state state, enum s2_tcp_event event);
/* Do it. False, and nothing done, for an event that isn't expected. */
bool s2_tcp_step(struct s2_tcp *tcp, enum s2_tcp_event event, uint64_t now_ns);
/* ---- tcp.c */

/* A SYN that the listener takes. past: the sequence number that the new stream's
 * own must lie behind (RFC 9293 section 3.6.1), or NULL. False: no room. */
bool s2_tcp_accept(struct s2_host *host, const struct s2_tcp_segment *s, const uint32_t *past,
                   uint64_t now_ns);
/* Unlink; the memory goes at the outermost exit. */
void s2_tcp_retire(struct s2_tcp *tcp);
void s2_tcp_free(struct s2_tcp *tcp);
/* Give back buffers that hold nothing. */
void s2_tcp_trim(struct s2_tcp *tcp);
/* What one segment may carry, from the MTU and the peer's option. */
void s2_tcp_set_mss(struct s2_tcp *tcp);

/* ---- tcp_segment.c */

/* The TCP segment in p; false if malformed or its checksum is wrong. */
bool s2_tcp_parse(const uint8_t *p, const struct s2_inet_view *v, struct s2_tcp_segment *s);
/* Length in sequence space: text, SYN and FIN. */
uint32_t s2_tcp_segment_len(const struct s2_tcp_segment *s);
/* The pseudo header's part of a checksum. */
uint64_t s2_tcp_pseudo_sum(const s2svpn_address *from, const s2svpn_address *to, uint8_t protocol,
                           size_t len);
/* A segment of this stream leaves: len bytes of the ring at offset. Nothing of
 * the stream may be half done, for this calls out. */
void s2_tcp_emit(struct s2_tcp *tcp, uint32_t seq, uint8_t flags, uint32_t offset, uint32_t len,
                 uint64_t now_ns);
/* The RST that answers s, RFC 9293 section 3.10.7.1. */
void s2_tcp_emit_rst(struct s2_host *host, const struct s2_tcp_segment *s, uint64_t now_ns);

/* ---- tcp_input.c, tcp_ack.c */

void s2_tcp_input(struct s2_tcp *tcp, const struct s2_tcp_segment *s, uint64_t now_ns);
/* The ACK field in a synchronised state; false if the segment is to be dropped. */
bool s2_tcp_take_ack(struct s2_tcp *tcp, const struct s2_tcp_segment *s, uint64_t now_ns);
/* Our SYN is acknowledged: sending starts. */
void s2_tcp_start_sending(struct s2_tcp *tcp, const struct s2_tcp_segment *s, uint64_t now_ns);
void s2_tcp_congestion_timeout(struct s2_tcp *tcp);
uint32_t s2_tcp_initial_window(uint32_t mss);
/* An ACK that an attacker could be fishing for, RFC 5961 section 7. */
void s2_tcp_challenge(struct s2_tcp *tcp, uint64_t now_ns);

/* ---- tcp_output.c */

/* Send the one segment that is due; false if none is. */
bool s2_tcp_output(struct s2_tcp *tcp, uint64_t now_ns);
void s2_tcp_probe(struct s2_tcp *tcp, uint64_t now_ns);
uint32_t s2_tcp_bare_seq(const struct s2_tcp *tcp);

/* ---- tcp_timer.c */

void s2_tcp_timers_init(struct s2_tcp *tcp);
void s2_tcp_timers_cancel(struct s2_tcp *tcp);
void s2_tcp_collapse_rto(struct s2_tcp *tcp); /* what was measured, without back-off */
void s2_tcp_measure(struct s2_tcp *tcp, uint64_t rtt_ns);
/* Make the sending side's timer wait for this from now on. */
void s2_tcp_wait_for(struct s2_tcp *tcp, enum s2_tcp_wait wait, uint64_t now_ns);

/* ---- tcp_reassembly.c */

/* Text inside the window; borrow says whether it may be delivered from where it
 * lies. False if it couldn't be kept. */
bool s2_tcp_take_text(struct s2_tcp *tcp, uint32_t seq, s2svpn_span text, bool borrow);
/* Hand the user bytes that are in order; false if there are none. */
bool s2_tcp_deliver(struct s2_tcp *tcp, uint64_t now_ns);

/* ---- tcp_buffer.c */

/* Make room for need bytes (at most S2_TCP_BUFFER), keeping the first used ones. */
bool s2_tcp_ring_reserve(struct s2_tcp_ring *r, const struct s2_env *env, uint32_t used,
                         uint32_t need);
void s2_tcp_ring_put(struct s2_tcp_ring *r, uint32_t offset, const uint8_t *p, uint32_t len);
void s2_tcp_ring_get(const struct s2_tcp_ring *r, uint32_t offset, uint8_t *out, uint32_t len);
void s2_tcp_ring_skip(struct s2_tcp_ring *r, uint32_t len);
void s2_tcp_ring_free(struct s2_tcp_ring *r, const struct s2_env *env);

#endif
