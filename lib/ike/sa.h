/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One IKE SA, what hangs on it, and its life from new to freed. What it does
 * with messages is v2/'s business. Private to the room.
 *
 *   s2_ike_sa ── config, owner          whose it is
 *      ├─ keys, windows, two timers     retry: our request; alarm: all deadlines
 *      ├─ handshake                     until it is up; then freed
 *      ├─ asking, answering             at most one CREATE_CHILD_SA each way
 *      ├─ children                      the current one, those being replaced
 *      └─ heir                          an IKE SA that may inherit them
 */
#ifndef S2_IKE_SA_H
#define S2_IKE_SA_H

#include "ike/engine.h"
#include "ike/fragment.h"
#include "ike/trace.h"

#define S2_IKE_OUR_NONCE_LEN 32
#define S2_IKE_DETAIL_SIZE 96
#define S2_IKE_CHILDREN_MAX 5 /* current, replaced, and those of a collision */
#define S2_IKE_LOW_LEN 16     /* what is kept of the lower nonce */
#define S2_IKE_HELD_MAX 16384 /* an IKE_AUTH request, before it is known whose it is */

/* X(NAME, words). The order is told apart by ranges: see the macros below. */
#define S2_IKE_STATE_LIST(X)                                                                       \
    X(NEW, "nothing has happened yet")                                                             \
    X(INIT_KE, "initiator: waits for its public value")                                            \
    X(INIT_SENT, "initiator: IKE_SA_INIT is out")                                                  \
    X(INIT_SHARED, "initiator: waits for the shared secret")                                       \
    X(AUTH_SIGNING, "initiator: waits for its signature")                                          \
    X(AUTH_SENT, "initiator: IKE_AUTH is out")                                                     \
    X(AUTH_VERIFYING, "initiator: waits to hear whether the peer's signature is right")            \
    X(HALF_KE, "responder: waits for its public value")                                            \
    X(HALF_OPEN, "responder: IKE_SA_INIT is answered")                                             \
    X(HALF_SHARED, "responder: waits for the shared secret")                                       \
    X(HALF_IDENTIFY, "responder: waits to hear whose peer this is")                                \
    X(HALF_VERIFYING, "responder: waits to hear whether the peer's signature is right")            \
    X(HALF_SIGNING, "responder: waits for its signature")                                          \
    X(REFUSED, "responder: refused in IKE_AUTH; answers retransmits only")                         \
    X(UP, "established")                                                                           \
    X(REKEYED, "its heir has taken over; waits for its delete")                                    \
    X(CLOSING, "our delete is out")                                                                \
    X(DEAD, "unlinked; freed on the way out")
enum s2_ike_state {
#define S2_IKE_STATE_ENUM(name, words) S2_IKE_STATE_##name,
    S2_IKE_STATE_LIST(S2_IKE_STATE_ENUM)
#undef S2_IKE_STATE_ENUM
        S2_IKE_STATES
};
static inline bool s2_ike_state_is_half(uint8_t state)
{
    return state >= S2_IKE_STATE_HALF_KE && state <= S2_IKE_STATE_REFUSED;
}
static inline bool s2_ike_state_is_up(uint8_t state)
{
    return state >= S2_IKE_STATE_UP && state <= S2_IKE_STATE_CLOSING;
}

/* A Diffie-Hellman exchange: memory for both jobs, wiped by free. */
enum s2_ike_kex_state { S2_IKE_KEX_IDLE, S2_IKE_KEX_PENDING, S2_IKE_KEX_DONE };
struct s2_ike_kex {
    struct s2_ike_sa *sa;
    const s2svpn_algorithm *row;
    s2svpn_job job;
    uint8_t state; /* enum s2_ike_kex_state, of the job */
    s2svpn_status result;
    size_t size;                                               /* of this block */
    uint8_t *private_key, *public_value, *peer_value, *shared; /* into bytes */
    uint8_t bytes[];
};

/* What is being agreed: a child, or the keys of an IKE SA. */
enum s2_ike_making_kind { S2_IKE_MAKE_CHILD, S2_IKE_REKEY_CHILD, S2_IKE_REKEY_IKE };
enum s2_ike_making_state { S2_IKE_MAKING_KE, S2_IKE_MAKING_SENT, S2_IKE_MAKING_SHARED };
#define S2_IKE_GONE_MAX 4
struct s2_ike_making {
    uint8_t kind, state;
    uint32_t replaces;          /* our inbound SPI of the child that is rekeyed; 0: none */
    uint32_t spi_in;            /* ours, given back if no child comes of it */
    bool taken;                 /* vpn has it back, with a child or without */
    uint32_t spi_out;           /* the peer's */
    uint64_t spi_own, spi_peer; /* REKEY_IKE: of the new SA */
    struct s2_ike_suite suite;
    struct s2_ike_proposal answer; /* as responder: the chosen one */
    struct s2_ike_ts_list local_ts, remote_ts;
    struct s2_ike_kex *kex; /* NULL: no PFS */
    uint16_t tried[16];     /* groups, in this attempt */
    uint8_t tried_count;
    uint8_t nonce[S2_IKE_OUR_NONCE_LEN];
    uint8_t peer_nonce[S2_IKE_NONCE_MAX];
    uint16_t peer_nonce_len;
    /* The peer made one too while ours was out: the lower nonce of its exchange,
     * and its child (our inbound SPI), RFC 7296 section 2.8.1. */
    bool collided;
    uint8_t rival_low[S2_IKE_NONCE_MAX];
    uint16_t rival_low_len;
    uint32_t rival;
    /* SPIs that we don't know and the peer has deleted while ours was out: its answer,
     * late, may bring one of them. */
    uint32_t gone[S2_IKE_GONE_MAX];
    uint8_t gone_count;
};

/* Bytes of our own, sized exactly: a message, or one after the other its fragments,
 * which end where their headers say. */
struct s2_ike_bytes {
    uint8_t *p;
    size_t len;
};

/* A signature made or checked as a job, with what the job borrows; wiped by free. What
 * was signed is the message, the nonce and the keyed hash of the ID, section 2.15. */
struct s2_ike_proof {
    struct s2_ike_sa *sa;
    s2svpn_job job;
    uint8_t state; /* enum s2_ike_kex_state, of the job */
    s2svpn_status result;
    s2svpn_sign sign;
    s2svpn_verify verify;
    struct s2_ike_id id; /* whose proof it is */
    s2svpn_span octets[3];
    s2svpn_span chain[S2SVPN_CHAIN_MAX]; /* into held */
    uint8_t id_mac[S2SVPN_PRF_MAX];
    uint8_t auth[S2SVPN_AUTH_MAX]; /* ours */
};

/* Needed until the SA is up. */
struct s2_ike_handshake {
    struct s2_ike_making making; /* the SA's keys, then the child's */
    struct s2_ike_suite child_suite;
    struct s2_ike_bytes message_i, message_r; /* of IKE_SA_INIT, for AUTH */
    struct s2_ike_bytes held;                 /* the peer's IKE_AUTH while jobs or the choice run */
    uint8_t held_fragments;                   /* sealed ones in held; 0: a whole message */
    s2svpn_span held_inner;                   /* decrypted, into held */
    uint8_t held_first;                       /* type of the first payload */
    uint8_t cookie[64];
    uint8_t cookie_len, cookie_rounds;
    bool nat_supported; /* both sent the hashes */
    bool identified;    /* an answer came */
    bool nobody;        /* and it said that no tunnel expects this peer */
    bool initial_contact;
    uint16_t child_error; /* notify that says why there is no child; 0: there is one */
    struct s2_ike_id our_id;
    /* By certificates: */
    struct s2_ike_credentials *credentials; /* counted in its users; NULL: none */
    uint32_t peer_hashes;                   /* as in s2svpn_sign */
    struct s2_ike_proof *proof;
    struct s2_ike_bytes room;      /* in which our IKE_AUTH is composed: chains are long */
    char hint[S2_IKE_DETAIL_SIZE]; /* from what can't be trusted: for a timeout's detail */
};

enum s2_ike_child_state {
    S2_IKE_CHILD_CURRENT,
    S2_IKE_CHILD_REPLACED, /* another is current; somebody will delete it */
    S2_IKE_CHILD_DELETING, /* by us; asked tells whether the request is out */
};
struct s2_ike_child_sa {
    struct s2_link link;
    uint32_t spi_in, spi_out;
    uint8_t state, reason;
    bool asked, want_rekey;
    bool rival; /* the peer made it and lost to ours: it deletes it, when it knows of it */
    uint64_t rekey_at_ns, expire_at_ns;
    uint64_t delete_at_ns; /* replaced, and the peer doesn't delete it: then we do */
};

/* An endpoint pair. */
struct s2_ike_path {
    s2svpn_endpoint local, remote;
};

/* What was answered to the request with that message ID, for its retransmits. */
struct s2_ike_answer {
    struct s2_ike_bytes bytes; /* empty: nothing */
    uint64_t request_hash;     /* the request that it answers */
    uint32_t id;
};

/* A request, authenticated, that waits for those before it. */
struct s2_ike_ahead {
    struct s2_ike_bytes inner; /* decrypted, and a byte; empty: none */
    struct s2_ike_header h;
    uint8_t first; /* type of the first payload */
    uint64_t hash;
    struct s2_ike_path path;
};

/* Where we allow the peer more than one request at once; message ID n has slot n
 * modulo S2_IKE_WINDOW_MAX. */
struct s2_ike_window {
    struct s2_ike_answer answered[S2_IKE_WINDOW_MAX]; /* but the last */
    struct s2_ike_ahead ahead[S2_IKE_WINDOW_MAX];
};

struct s2_ike_sa {
    struct s2_ike *ike;
    const struct s2_ike_config *config;
    struct s2_ike_owner *owner; /* NULL until identified */
    struct s2_table_node spi_node, init_node;
    struct s2_link owner_link, half_link, work_link; /* work: touched or dead */
    uint64_t spi_own, spi_peer;
    struct s2_ike_path path;
    uint8_t state;  /* enum s2_ike_state; written by s2_ike_set_state alone */
    uint8_t reason; /* why it will end, while it is being closed */
    bool initiator; /* original: decides flags and keys */
    bool keyed;     /* keys are valid */
    bool by_init;   /* init_node is in its table */
    bool touched;
    bool forgotten; /* no callback may come for it any more */
    bool announced; /* sa_up was called */
    bool report;    /* sa_down is owed though it was never up */
    bool proved;    /* the peer has shown that it is up too */
    bool returned;  /* half open: it receives where it says that it is */
    bool nat_local, nat_remote, udp;
    bool fragmentation; /* both know fragments */
    bool want_close, want_rekey, want_child, want_check;

    struct s2_ike_keys keys;
    uint64_t aead_counter;
    struct s2_ike_id peer_id;
    uint8_t low[S2_IKE_LOW_LEN]; /* of the lower nonce that made it */

    /* Windows, RFC 7296 section 2.3: of ours one message; of the peer's in_id is the
     * next to be answered, and window holds what goes beyond that one. */
    uint32_t out_id, in_id;
    uint32_t peer_window;         /* what the peer would take: known, not used */
    struct s2_ike_window *window; /* NULL: not needed yet */
    struct {
        struct s2_ike_bytes bytes; /* empty: nothing is out */
        uint8_t exchange, tries;
        bool unsent; /* leaves with the outermost s2_ike_leave */
        uint64_t first_ns;
    } request;
    struct s2_ike_answer response; /* to in_id - 1 */
    bool response_unsent;
    struct { /* the request that is being answered */
        bool busy;
        uint64_t hash;
        struct s2_ike_path path;
    } asked;
    struct s2_ike_fragments *request_parts, *response_parts; /* of the message to come */

    struct s2_timer retry, alarm;
    struct s2_ike_handshake *handshake;
    struct s2_ike_making *asking, *answering;
    struct s2_link children;
    size_t child_count;
    struct s2_ike_sa *heir;        /* made by the peer while our own rekey is out */
    struct s2_ike_sa *predecessor; /* whose heir this is, while that is undecided */

    struct s2_ike1 *v1; /* what an IKEv1 SA has instead of windows; NULL: IKEv2 */

    uint64_t created_ns, established_ns, last_in_ns, last_out_ns;
    uint64_t contact_ns; /* INITIAL_CONTACT speaks of what was up before then */
    uint64_t rekey_at_ns, expire_at_ns;
    uint64_t child_at_ns;      /* a new child is tried again */
    uint64_t grace_at_ns;      /* the peer should have deleted it by then */
    uint64_t hint_at_ns;       /* unprotected hints count again from then */
    uint64_t moved_note_at_ns; /* paces the lines on moves of the peer (v2/nat.c) */
    char detail[S2_IKE_DETAIL_SIZE];
};

/* ---- life */

/* A fresh IKE SPI. */
S2SVPN_NODISCARD s2svpn_status s2_ike_draw_spi(struct s2_ike *ike, uint64_t *out);
/* In no owner's list yet. spi_own 0: draw one. */
S2SVPN_NODISCARD s2svpn_status s2_ike_sa_new(struct s2_ike *ike, bool initiator, uint64_t spi_own,
                                             const struct s2_ike_config *config,
                                             const struct s2_ike_path *path,
                                             struct s2_ike_sa **out);
S2SVPN_NODISCARD s2svpn_status s2_ike_sa_set_owner(struct s2_ike_sa *sa,
                                                   const struct s2_ike_config *config);
/* End it now: children and SA go down, callbacks say so, memory is freed on the
 * way out. detail may be "". */
void s2_ike_sa_kill(struct s2_ike_sa *sa, enum s2_ike_reason reason, const char *detail);
/* The same without callbacks but cancel_job and release_spi. */
void s2_ike_sa_kill_silently(struct s2_ike_sa *sa);
/* End it and tell the peer, if there are keys to tell it with. */
void s2_ike_sa_close(struct s2_ike_sa *sa, enum s2_ike_reason reason, const char *detail);
/* Room for one more responder? The oldest one that only waits for its peer makes it: as a
 * rule one whose source may be invented, so that nobody's inventions push out real peers. */
bool s2_ike_make_room(struct s2_ike *ike, bool returned);
/* A half-open one has shown that it receives where it says that it is. */
void s2_ike_sa_returned(struct s2_ike_sa *sa);
/* Free what s2_ike_sa_kill left. */
void s2_ike_sa_reap(struct s2_ike *ike);
/* Let the outermost leave look at it. */
void s2_ike_touch(struct s2_ike_sa *sa);
/* sa_up, once. */
void s2_ike_sa_announce(struct s2_ike_sa *sa);
void s2_ike_sa_get_info(const struct s2_ike_sa *sa, struct s2_ike_sa_info *out);

/* ---- finding */

struct s2_ike_sa *s2_ike_find_spi(const struct s2_ike *ike, uint64_t spi_own);
struct s2_ike_owner *s2_ike_find_owner(const struct s2_ike *ike, const void *owner);
/* The newest that is up and announced, or NULL. */
struct s2_ike_sa *s2_ike_find_up(const struct s2_ike *ike, const void *owner);
uint64_t s2_ike_hash_init(const struct s2_ike *ike, uint64_t spi_i, const s2svpn_endpoint *remote);
struct s2_ike_sa *s2_ike_find_init(const struct s2_ike *ike, uint64_t spi_i,
                                   const s2svpn_endpoint *remote);

/* ---- parts */

S2SVPN_NODISCARD s2svpn_status s2_ike_bytes_set(struct s2_ike *ike, struct s2_ike_bytes *b,
                                                const uint8_t *p, size_t len);
void s2_ike_bytes_clear(struct s2_ike *ike, struct s2_ike_bytes *b); /* wipes */
void s2_ike_making_free(struct s2_ike_sa *sa, struct s2_ike_making **m);
/* Its SPI is given back and its job cancelled; the memory stays, for whoever is at work
 * with it just now. m may be NULL. */
void s2_ike_making_stop(struct s2_ike_sa *sa, struct s2_ike_making *m);
void s2_ike_kex_cancel(struct s2_ike_sa *sa, struct s2_ike_kex *kex);
void s2_ike_handshake_free(struct s2_ike_sa *sa);
/* The handshake uses these from now on, and no others; NULL: none. */
void s2_ike_handshake_use(struct s2_ike_handshake *h, struct s2_ike_credentials *credentials);
/* A line for the tunnel's log. */
void s2_ike_note(struct s2_ike_sa *sa, const char *fmt, ...) S2SVPN_PRINTF(2, 3);
#define S2_IKE_UNANSWERED "a liveness check of the peer's stays unanswered: a provoked fault"

/* What we agree to for an IKE SA, and for a child. */
static inline struct s2_ike_terms s2_ike_sa_terms(const struct s2_ike *ike,
                                                  const struct s2_ike_config *config)
{
    return (struct s2_ike_terms){.crypto = ike->crypto.ops,
                                 .choices = &config->ike,
                                 .protocol = S2_IKE_PROTO_IKE,
                                 .with_ke = true};
}
static inline struct s2_ike_terms s2_ike_child_terms(const struct s2_ike_sa *sa, bool with_ke)
{
    return (struct s2_ike_terms){.crypto = sa->ike->crypto.ops,
                                 .choices = &sa->config->esp,
                                 .protocol = S2_IKE_PROTO_ESP,
                                 .with_ke = with_ke,
                                 .esn = sa->config->esn};
}

static inline bool s2_ike_by_certificate(const struct s2_ike_config *config)
{
    return config->auth_by == S2_IKE_BY_CERTIFICATE;
}

/* Does the tunnel speak that version? IKEv1 knows no certificates here. */
static inline bool s2_ike_allows(const struct s2_ike_config *config, enum s2_ike_versions bit)
{
    const uint8_t versions = s2_ike_by_certificate(config) ? 0 : config->versions;

    return ((versions != 0 ? versions : S2_IKE_ALLOW_V2) & bit) != 0;
}

static inline uint64_t s2_ike_spi_i(const struct s2_ike_sa *sa)
{
    return sa->initiator ? sa->spi_own : sa->spi_peer;
}
static inline uint64_t s2_ike_spi_r(const struct s2_ike_sa *sa)
{
    return sa->initiator ? sa->spi_peer : sa->spi_own;
}

#endif
