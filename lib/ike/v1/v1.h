/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IKEv1 over struct s2_ike_sa: main mode, quick mode, informational exchanges, RFC
 * 2407, 2408, 2409; NAT-T, RFC 3947; liveness, RFC 3706. What the files of this folder
 * are to one another:
 *
 *   receive.c       bytes ─> pieces together ─> which SA ─> an event
 *   machine.c       table[state][event] ─> an action, set_state; the work at the end
 *     main_ask.c, main_answer.c, main.c    main mode, six messages    (2409 5.4)
 *     aggressive.c                         as initiator, if told to   (2409 5.4)
 *   quick.c         table[state][event] of one quick mode             (2409 5.5)
 *     quick_ask.c, quick_answer.c
 *   informational.c deletes, notifies, DPD                            (2409 5.7, 3706)
 *   child.c         children: installed, replaced, taken down
 *   siblings.c      phase 1 SAs of one owner: which one has the children
 *   deadlines.c     lifetimes, liveness, what to do next
 *   send.c          composing, sending, retransmission
 *   message.h, keys.h, fragment.h        the codec and the keys
 *
 * Differences from IKEv2 that shape it:
 *
 * - No request has an answer but inside main and quick mode. The side that waits for an
 *   answer sends again; a message that comes twice, to the last byte, is answered with
 *   what was answered before. Deletes and notifies are sent once and believed; but what
 *   comes in for something that we have deleted just now is met by another delete, of a
 *   phase 1 SA that was replaced and of a quick mode that was given up.
 * - Children don't depend on the phase 1 SA that made them. They hang on one SA, the
 *   home; when another takes over they move (siblings.c). If the peer deletes the last
 *   phase 1 SA but none of its children, the SA stays as an ORPHAN without keys until
 *   another adopts them, or nobody does.
 * - A pre-shared key is found by addresses, before the peer has said who it is: the
 *   responder keeps the tunnels that the first message may be for and tries their keys
 *   on the fifth, which is encrypted with it. Diffie-Hellman isn't repeated for that.
 * - The responder installs a child when it answers, so that what the initiator sends
 *   at once finds it; outbound doesn't move to it before the peer has shown that the
 *   exchange is complete, by its third message or a packet on the child.
 * - Two quick modes at once are no error and give two children. So that both ends hold the
 *   same one for the newer, and neither deletes the other's choice, they are ordered, and
 *   one of two that cross is given up (child.c). A new child is never told from a rekey:
 *   whatever the tunnel has, it displaces.
 * - What proves that the peer is there, and where, is an answer to something of ours, or
 *   a number of DPD's that is new: an old message sent again proves nothing.
 * - Nothing that isn't authentic changes more than a counter and a hint for the log:
 *   HASH is checked in every message of quick mode and informational before a payload
 *   of it is looked at.
 */
#ifndef S2_IKE_V1_V1_H
#define S2_IKE_V1_V1_H

#include "base/text.h"
#include "ike/sa.h"
#include "ike/v1/fragment.h"
#include "ike/v1/keys.h"
#include "ike/v2/v2.h" /* key exchange jobs, NAT, lifetimes: the same for both versions */

#define S2_IKE1_QUICKS_MAX 8 /* at once, of one phase 1 SA */
/* Replaced ones live on until their initiator deletes them. Above ENOUGH we begin no rekey;
 * the rest is for the peer's, and for what is on its way meanwhile. */
#define S2_IKE1_CHILDREN_MAX 8
#define S2_IKE1_CHILDREN_ENOUGH 4
#define S2_IKE1_NOTICES_MAX 8 /* informationals that wait for the way out */
#define S2_IKE1_SEEN_MAX 64   /* message ids that are remembered */
#define S2_IKE1_COMPOSE_MAX 8192
#define S2_IKE1_HELD_MAX 4096 /* the fifth message, while the shared secret is computed */
#define S2_IKE1_LINGER_NS (120 * S2_SECOND) /* quick mode's third message may be so late */
#define S2_IKE1_INPUT_MAX 16384             /* of pieces put together */

/* X(NAME, common state, words): the common state is what ike.c and sa.c see. */
#define S2_IKE1_STATE_LIST(X)                                                                      \
    X(NEW, NEW, "nothing has happened yet")                                                        \
    X(ASK_SA, INIT_SENT, "initiator: the proposals are out")                                       \
    X(ASK_PUBLIC, INIT_KE, "initiator: waits for its public value")                                \
    X(ASK_KE, INIT_SENT, "initiator: the public value is out")                                     \
    X(ASK_SHARED, INIT_SHARED, "initiator: waits for the shared secret")                           \
    X(ASK_ID, AUTH_SENT, "initiator: its proof is out")                                            \
    X(AGGR_PUBLIC, INIT_KE, "initiator, aggressive: waits for its public value")                   \
    X(AGGR_KE, INIT_SENT, "initiator, aggressive: all but its proof is out")                       \
    X(AGGR_SHARED, INIT_SHARED, "initiator, aggressive: waits for the shared secret")              \
    X(ANSWER_SA, HALF_OPEN, "responder: has chosen a proposal")                                    \
    X(ANSWER_PUBLIC, HALF_KE, "responder: waits for its public value")                             \
    X(ANSWER_KE, HALF_OPEN, "responder: has sent its public value")                                \
    X(ANSWER_SHARED, HALF_SHARED, "responder: waits for the shared secret")                        \
    X(UP, UP, "established")                                                                       \
    X(REPLACED, REKEYED, "another one has the children; waits for its delete")                     \
    X(ORPHAN, REKEYED, "deleted by the peer, but its children were not")                           \
    X(DEAD, DEAD, "unlinked; freed on the way out")
enum s2_ike1_state {
#define S2_IKE1_STATE_ENUM(name, common, words) S2_IKE1_STATE_##name,
    S2_IKE1_STATE_LIST(S2_IKE1_STATE_ENUM)
#undef S2_IKE1_STATE_ENUM
        S2_IKE1_STATES
};

/* X(NAME, words) */
#define S2_IKE1_EVENT_LIST(X)                                                                      \
    X(START, "begin as initiator")                                                                 \
    X(RX_FIRST, "a first message that passed its checks")                                          \
    X(RX_PLAIN, "main mode, not encrypted")                                                        \
    X(RX_SEALED, "main mode, encrypted")                                                           \
    X(RX_HINT, "a notification that proves nothing")                                               \
    X(RX_QUICK, "quick mode")                                                                      \
    X(RX_INFO, "informational, decrypted and authentic")                                           \
    X(JOB_DONE, "the handshake's job is done")                                                     \
    X(JOB_FAILED, "the handshake's job failed")                                                    \
    X(SILENCE, "the peer doesn't answer")                                                          \
    X(EXPIRE, "the state has lasted too long")                                                     \
    X(TAKEN_OVER, "another one has the children now")                                              \
    X(TAKE_BACK, "and that one ended")                                                             \
    X(BEREFT, "the peer has deleted it, and not its children")
enum s2_ike1_event {
#define S2_IKE1_EVENT_ENUM(name, words) S2_IKE1_EVENT_##name,
    S2_IKE1_EVENT_LIST(S2_IKE1_EVENT_ENUM)
#undef S2_IKE1_EVENT_ENUM
        S2_IKE1_EVENTS
};

/* What was last sent in an exchange. */
struct s2_ike1_out {
    struct s2_ike_bytes bytes;
    struct s2_ike_path path;
    uint64_t answers; /* hash of the message that it answers; 0: of none */
    uint8_t tries;
    bool unsent; /* leaves with the outermost s2_ike_leave */
    bool waits;  /* is sent again until there is an answer */
    uint64_t again_ns;
};

/* Needed until the SA is up. */
struct s2_ike1_handshake {
    struct s2_ike1_suite suite;
    struct s2_ike_kex *kex;
    bool shared; /* kex has the shared secret */
    uint8_t nonce[S2_IKE_OUR_NONCE_LEN];
    uint8_t peer_nonce[S2_IKE1_NONCE_MAX];
    uint16_t peer_nonce_len;
    struct s2_ike_bytes offer; /* body of the initiator's SA payload, for the hashes */
    struct s2_ike_bytes held;  /* the fifth message; of aggressive mode the second */
    struct s2_ike_path held_path;
    uint64_t held_hash;
    /* responder: the tunnels that it may be for; the engine forgets them one by one */
    const struct s2_ike_config *candidate[S2_IKE_CANDIDATES_MAX];
    uint8_t candidates;
    enum s2_ike1_vendor natt; /* COUNT: none in common */
    struct s2_ike_id our_id;
    uint32_t life_s;  /* agreed on; 0: not said */
    uint16_t refusal; /* a notification without proof; 0: none */
    bool unreadable;  /* initiator: a notification came that our keys don't open */
    bool bad_proof;   /* initiator: an answer came whose hash is wrong */
};

/* One quick mode, from its first message until nobody can ask about it any more. */
struct s2_ike1_quick {
    struct s2_link link;
    struct s2_ike_sa *sa;
    uint32_t message_id;
    uint8_t state; /* enum s2_ike1_quick_state; written by quick.c's set_state alone */
    bool initiator, commit;
    struct s2_ike_making *making; /* SPIs, nonces, selectors, key exchange; NULL: done */
    struct s2_ike1_suite suite;
    uint16_t group;             /* initiator: of PFS, as offered; 0: not chosen yet, or none */
    struct s2_ike_bytes answer; /* responder: body of its SA payload */
    bool with_ids;              /* responder: the peer named selectors */
    bool life_differs;          /* responder: ours is shorter */
    uint32_t life_s, life_kb;   /* of the child */
    struct s2_ike1_iv iv;       /* of the next message */
    struct s2_ike1_out out;
    uint64_t second;  /* hash of the second message, which the third answers */
    uint16_t refusal; /* the notification that ended it */
    uint32_t order;   /* of its child */
    uint32_t child;   /* our inbound SPI, once it is installed */
    uint64_t end_ns;  /* forgotten then */
};

/* A child, and what decides which of several is current. base is first: sa.c frees it. */
struct s2_ike1_child {
    struct s2_ike_child_sa base;
    uint32_t order;      /* the owner's children in the order that both ends see */
    uint64_t settled_ns; /* when the peer has it, if no packet on it says so before */
    uint16_t ke;         /* of PFS: known to be one that the peer takes */
    bool initiator;
    bool complete; /* its quick mode is */
};

/* What an IKEv1 SA has besides struct s2_ike_sa. */
struct s2_ike1 {
    uint8_t state; /* enum s2_ike1_state; written by s2_ike1_set_state alone */
    struct s2_ike1_keys keys;
    struct s2_ike1_iv iv; /* of phase 1: where it stands */
    struct s2_ike1_handshake *handshake;
    struct s2_ike1_out out; /* of main mode */
    struct s2_link quicks;
    size_t quick_count;
    struct s2_ike_bytes notice[S2_IKE1_NOTICES_MAX];
    size_t notices;
    uint32_t seen[S2_IKE1_SEEN_MAX]; /* message ids of exchanges that are over */
    size_t seen_at;
    struct s2_ike1_fragments *parts;
    uint16_t fragment_id;
    bool draft; /* NAT-T by one of the drafts */
    bool aggressive;
    bool initial_contact;
    /* Replaced: */
    bool theirs;          /* the peer is to delete it, and isn't late yet */
    bool deleted;         /* by us; the peer is told again if it asks */
    uint16_t refused[16]; /* PFS groups that the peer didn't take as they were tried */
    uint8_t refused_count;
    struct { /* liveness, RFC 3706 */
        bool known, asking, heard;
        uint8_t tries;
        uint32_t first, last; /* sequence numbers of ours that are out */
        uint32_t peer;        /* the peer's last */
        uint64_t first_ns, again_ns;
    } dpd;
};

/* A message, as far as it is understood. */
struct s2_ike1_packet {
    struct s2_ike1_header h;
    struct s2_ike_path path;
    uint8_t *p;
    size_t len;
    uint64_t hash; /* of all bytes as they came in */
    struct s2_ike1_payloads list;
    struct s2_ike1_iv next; /* of the message after it, if it is authentic */
};

typedef enum s2_ike1_step {
    S2_IKE1_NEXT,
    S2_IKE1_OTHERWISE,
    S2_IKE1_STAY,
    S2_IKE1_IGNORED, /* stay, and the message counts as dropped */
    S2_IKE1_ENDED,   /* the SA, or the quick mode, is gone */
} s2_ike1_action(struct s2_ike_sa *sa, struct s2_ike1_packet *packet);

/* ---- for ike.c and sa.c */

/* Make sa one of IKEv1; before anything else is done with it. */
S2SVPN_NODISCARD s2svpn_status s2_ike1_attach(struct s2_ike_sa *sa);
/* Jobs and SPIs are given back; memory stays until free. */
void s2_ike1_stop(struct s2_ike_sa *sa);
void s2_ike1_free(struct s2_ike_sa *sa);
enum s2svpn_drop s2_ike1_receive(struct s2_ike *ike, const struct s2_ike_path *path, uint8_t *p,
                                 size_t len);
void s2_ike1_work(struct s2_ike_sa *sa);
void s2_ike1_flush(struct s2_ike_sa *sa);
bool s2_ike1_is_busy(const struct s2_ike_sa *sa); /* a quick mode is under way */
/* A half-open SA might be for this tunnel: not any more. True if it was for nobody else. */
bool s2_ike1_forget_candidate(struct s2_ike_sa *sa, const struct s2_ike_config *config);
void s2_ike1_print_states(struct s2_buffer *out);
void s2_ike1_print_quick_states(struct s2_buffer *out);

/* ---- machine.c */

bool s2_ike1_step(struct s2_ike_sa *sa, enum s2_ike1_event event, struct s2_ike1_packet *packet);
bool s2_ike1_expects(const struct s2_ike_sa *sa, enum s2_ike1_event event);
void s2_ike1_set_state(struct s2_ike_sa *sa, enum s2_ike1_state state);

/* ---- the actions of the table */

s2_ike1_action s2_ike1_ask_sa, s2_ike1_take_sa, s2_ike1_ask_ke, s2_ike1_take_ke, s2_ike1_ask_id,
    s2_ike1_take_id, s2_ike1_bad_value, s2_ike1_hint;
s2_ike1_action s2_ike1_aggressive_ask, s2_ike1_aggressive_take, s2_ike1_aggressive_complete;
s2_ike1_action s2_ike1_answer_sa, s2_ike1_accept_ke, s2_ike1_answer_ke, s2_ike1_hold_id,
    s2_ike1_answer_id;
s2_ike1_action s2_ike1_quick_receive, s2_ike1_info_receive;
s2_ike1_action s2_ike1_end_job, s2_ike1_end_half, s2_ike1_end_silence, s2_ike1_end_expired,
    s2_ike1_hand_over, s2_ike1_take_back, s2_ike1_bereave;

/* ---- main.c */

static inline struct s2_ike1_terms s2_ike1_sa_terms(const struct s2_ike *ike,
                                                    const struct s2_ike_config *config)
{
    return (struct s2_ike1_terms){.crypto = ike->crypto.ops,
                                  .choices = &config->ike,
                                  .protocol = S2_IKE1_PROTO_ISAKMP,
                                  .life_s = config->ike_lifetime_s};
}
/* What we say of ourselves in the first two messages. */
void s2_ike1_add_vendors(const struct s2_ike_sa *sa, struct s2_ike1_chain *chain);
void s2_ike1_note_vendors(struct s2_ike_sa *sa, const struct s2_ike1_payloads *list);
/* KE, nonce, NAT-D: the third and the fourth message. */
S2SVPN_NODISCARD s2svpn_status s2_ike1_add_ke(struct s2_ike_sa *sa, struct s2_ike1_chain *chain,
                                              const struct s2_ike_path *path);
struct s2_ike1_ke_words { /* borrowed from the message */
    s2svpn_span value, nonce;
    bool nat_local, nat_remote;
};
S2SVPN_NODISCARD s2svpn_status s2_ike1_read_ke(struct s2_ike_sa *sa,
                                               const struct s2_ike1_packet *packet,
                                               struct s2_ike1_ke_words *out);
void s2_ike1_keep_ke(struct s2_ike_sa *sa, const struct s2_ike1_packet *packet,
                     const struct s2_ike1_ke_words *words);
/* ID and HASH: the fifth and the sixth. E_AUTHENTICATION if the hash is wrong. */
S2SVPN_NODISCARD s2svpn_status s2_ike1_derive(struct s2_ike_sa *sa,
                                              const struct s2_ike_config *config,
                                              struct s2_ike1_keys *keys, struct s2_ike1_iv *iv);
S2SVPN_NODISCARD s2svpn_status s2_ike1_add_id(struct s2_ike_sa *sa, struct s2_ike1_chain *chain);
/* In aggressive mode they and the NAT-Ds go in messages of their own. */
S2SVPN_NODISCARD s2svpn_status s2_ike1_add_id_alone(struct s2_ike_sa *sa,
                                                    struct s2_ike1_chain *chain);
S2SVPN_NODISCARD s2svpn_status s2_ike1_add_hash_alone(struct s2_ike_sa *sa,
                                                      struct s2_ike1_chain *chain);
S2SVPN_NODISCARD s2svpn_status s2_ike1_add_nat(struct s2_ike_sa *sa, struct s2_ike1_chain *chain,
                                               const struct s2_ike_path *path);
S2SVPN_NODISCARD s2svpn_status s2_ike1_check_id(struct s2_ike_sa *sa,
                                                const struct s2_ike1_keys *keys,
                                                const struct s2_ike1_payloads *list,
                                                struct s2_ike_id *id);
/* Notifications that may stand beside them. */
void s2_ike1_read_last(struct s2_ike_sa *sa, const struct s2_ike1_payloads *list);
/* On entry to UP: lifetime, announcement, who has the children. */
void s2_ike1_enter_up(struct s2_ike_sa *sa);
void s2_ike1_handshake_free(struct s2_ike_sa *sa);

/* ---- aggressive.c */

/* In place of main mode's first message: OTHERWISE. */
s2_ike1_action s2_ike1_aggressive_begin;

/* ---- main_answer.c, main_ask.c */

/* Somebody begins with aggressive mode: a line for the log is all that comes of it. */
void s2_ike1_note_aggressive(struct s2_ike *ike, const struct s2_ike1_packet *packet);

/* A message without our cookie. */
enum s2svpn_drop s2_ike1_first(struct s2_ike *ike, struct s2_ike1_packet *packet);
/* Another phase 1 SA for sa's owner, over the same path; it takes over once it is up. */
void s2_ike1_renew(struct s2_ike_sa *sa);

/* ---- quick.c */

#define S2_IKE1_QUICK_STATE_LIST(X)                                                                \
    X(NEW, "nothing has happened yet")                                                             \
    X(ASK_PUBLIC, "initiator: waits for its public value")                                         \
    X(ASKED, "initiator: the first message is out")                                                \
    X(ASK_SHARED, "initiator: waits for the shared secret")                                        \
    X(ASK_DONE, "initiator: complete; the third message may be asked for again")                   \
    X(YIELDED, "initiator: given up, what answers it is deleted")                                  \
    X(ANSWER_PUBLIC, "responder: waits for its public value")                                      \
    X(ANSWER_SHARED, "responder: waits for the shared secret")                                     \
    X(ANSWERED, "responder: the second message is out, the child is there")                        \
    X(OVER, "freed on the way out")
enum s2_ike1_quick_state {
#define S2_IKE1_QUICK_ENUM(name, words) S2_IKE1_QUICK_##name,
    S2_IKE1_QUICK_STATE_LIST(S2_IKE1_QUICK_ENUM)
#undef S2_IKE1_QUICK_ENUM
        S2_IKE1_QUICK_STATES
};
#define S2_IKE1_QUICK_EVENT_LIST(X)                                                                \
    X(START, "begin as initiator")                                                                 \
    X(RX_FIRST, "a first message, authentic")                                                      \
    X(RX, "another message of it")                                                                 \
    X(JOB_DONE, "its job is done")                                                                 \
    X(JOB_FAILED, "its job failed")                                                                \
    X(REFUSED, "the peer refuses it, authentically")                                               \
    X(YIELD, "one of the peer's has the right of way")                                             \
    X(SILENCE, "the peer doesn't answer")                                                          \
    X(EXPIRE, "the state has lasted too long")
enum s2_ike1_quick_event {
#define S2_IKE1_QUICK_EVENT_ENUM(name, words) S2_IKE1_QUICK_ON_##name,
    S2_IKE1_QUICK_EVENT_LIST(S2_IKE1_QUICK_EVENT_ENUM)
#undef S2_IKE1_QUICK_EVENT_ENUM
        S2_IKE1_QUICK_EVENTS
};
typedef enum s2_ike1_step s2_ike1_quick_action(struct s2_ike1_quick *q,
                                               struct s2_ike1_packet *packet);
s2_ike1_quick_action s2_ike1_quick_begin, s2_ike1_quick_ask, s2_ike1_quick_take,
    s2_ike1_quick_complete, s2_ike1_quick_give_up, s2_ike1_quick_yield, s2_ike1_quick_unwanted,
    s2_ike1_quick_failed, s2_ike1_quick_refused;
s2_ike1_quick_action s2_ike1_quick_accept, s2_ike1_quick_public, s2_ike1_quick_answer,
    s2_ike1_quick_confirm, s2_ike1_quick_unconfirmed, s2_ike1_quick_drop;

bool s2_ike1_quick_step(struct s2_ike1_quick *q, enum s2_ike1_quick_event event,
                        struct s2_ike1_packet *packet);
S2SVPN_NODISCARD s2svpn_status s2_ike1_quick_new(struct s2_ike_sa *sa, bool initiator,
                                                 uint32_t message_id, struct s2_ike1_quick **out);
void s2_ike1_quick_free(struct s2_ike1_quick *q);
struct s2_ike1_quick *s2_ike1_quick_find(const struct s2_ike_sa *sa, uint32_t message_id);
/* The one of ours that waits for an answer; NULL: none. */
struct s2_ike1_quick *s2_ike1_quick_ours(const struct s2_ike_sa *sa);
/* Jobs that are done, and those that are over. */
void s2_ike1_quick_work(struct s2_ike_sa *sa);
struct s2_ike1_terms s2_ike1_quick_terms(const struct s2_ike_sa *sa);
/* Nonce and KE of a message, checked against q. */
S2SVPN_NODISCARD s2svpn_status s2_ike1_quick_read(struct s2_ike1_quick *q,
                                                  const struct s2_ike1_payloads *list,
                                                  s2svpn_span *ke);
/* Message ids of exchanges that are over: they must not come twice. */
bool s2_ike1_seen(const struct s2_ike_sa *sa, uint32_t message_id);
void s2_ike1_see(struct s2_ike_sa *sa, uint32_t message_id);

/* Start a quick mode for a new child, or for one that replaces another. */
void s2_ike1_quick_start(struct s2_ike_sa *sa, struct s2_ike_child_sa *replaces);

/* ---- child.c */

S2SVPN_NODISCARD s2svpn_status s2_ike1_child_install(struct s2_ike1_quick *q);
/* Its quick mode is complete: it is the current one, unless it met another one. */
void s2_ike1_child_settle_by_time(struct s2_ike_sa *sa, struct s2_ike1_child *child);
void s2_ike1_child_settle(struct s2_ike_sa *sa, uint32_t spi_in);
struct s2_ike1_child *s2_ike1_child_find(const struct s2_ike_sa *sa, uint32_t spi_in);
/* We delete it, and tell the peer. */
void s2_ike1_child_delete(struct s2_ike_sa *sa, struct s2_ike_child_sa *child,
                          enum s2_ike_reason reason);
/* The next place in the order of the owner's children. */
uint32_t s2_ike1_child_place(const struct s2_ike_sa *sa);
/* The peer's first message came: a quick mode of ours that isn't answered may have to go. */
void s2_ike1_child_yield(struct s2_ike_sa *sa, const struct s2_ike1_quick *theirs);

/* ---- siblings.c */

/* The SA of sa's owner that has the children; sa itself if there is no other. */
struct s2_ike_sa *s2_ike1_home(struct s2_ike_sa *sa);
/* sa came up. */
void s2_ike1_siblings_review(struct s2_ike_sa *sa);
/* The peer has deleted it. */
void s2_ike1_siblings_deleted(struct s2_ike_sa *sa);
/* A sign of life is asked of sa: of those that it replaced, too. */
void s2_ike1_siblings_probe(const struct s2_ike_sa *sa);
/* It has come to nothing. If one of those has answered, it takes the children back, and sa
 * ends: the peer has deleted sa, and that message was lost. */
bool s2_ike1_siblings_outlive(struct s2_ike_sa *sa);
/* Is a phase 1 SA under way for its owner? */
bool s2_ike1_siblings_coming(const struct s2_ike_sa *sa);

/* ---- informational.c */

void s2_ike1_send_notify(struct s2_ike_sa *sa, uint8_t protocol, uint16_t type, s2svpn_span spi,
                         s2svpn_span data);
void s2_ike1_send_delete(struct s2_ike_sa *sa, uint32_t spi); /* 0: of sa itself */
/* Unprotected, at a pace, to where the packet came from. */
void s2_ike1_refuse(struct s2_ike *ike, const struct s2_ike1_packet *packet, uint16_t type);
void s2_ike1_dpd_ask(struct s2_ike_sa *sa);
/* A question that nothing depends on but s2_ike1_siblings_outlive. */
void s2_ike1_dpd_probe(struct s2_ike_sa *sa);
/* A message has proved that the peer is there now, and isn't one of old sent again. */
void s2_ike1_fresh(struct s2_ike_sa *sa, const struct s2_ike_path *path);
void s2_ike1_dpd_again(struct s2_ike_sa *sa);
/* An informational that isn't authentic; what it may say is a hint. */
enum s2svpn_drop s2_ike1_info_plain(struct s2_ike_sa *sa, struct s2_ike1_packet *packet);
/* The words for the peer's notification, and the reason that it comes nearest to. */
enum s2_ike_reason s2_ike1_reason_of(uint16_t type);

/* ---- deadlines.c */

void s2_ike1_alarm_fire(void *arg, uint64_t now_ns);
void s2_ike1_deadlines_arm(struct s2_ike_sa *sa);
void s2_ike1_next_task(struct s2_ike_sa *sa);
uint32_t s2_ike1_shorter(uint32_t a, uint32_t b); /* 0 is none at all */

/* ---- send.c */

struct s2_ike1_compose {
    struct s2_writer w;
    struct s2_ike1_chain chain;
    uint8_t bytes[S2_IKE1_COMPOSE_MAX];
};
void s2_ike1_compose(struct s2_ike1_compose *c, const struct s2_ike_sa *sa, uint8_t exchange,
                     uint32_t message_id);
/* INITIAL-CONTACT, if sa's owner has no other one. */
void s2_ike1_add_initial_contact(const struct s2_ike_sa *sa, struct s2_ike1_compose *c);
/* A fresh message id, not 0 and not in use. */
S2SVPN_NODISCARD s2svpn_status s2_ike1_draw_message_id(struct s2_ike_sa *sa, uint32_t *out);
/* Ended or sealed already: keep it, send it last. answers: the hash of what it answers. */
S2SVPN_NODISCARD s2svpn_status s2_ike1_out_set(struct s2_ike_sa *sa, struct s2_ike1_out *out,
                                               const struct s2_ike1_compose *c,
                                               const struct s2_ike_path *path, uint64_t answers,
                                               bool waits);
void s2_ike1_out_clear(struct s2_ike_sa *sa, struct s2_ike1_out *out);
/* It is time to send it again. False if that was often enough. */
bool s2_ike1_out_again(struct s2_ike_sa *sa, struct s2_ike1_out *out);
/* The message that it answers came again. */
void s2_ike1_out_repeat(struct s2_ike_sa *sa, struct s2_ike1_out *out);
uint64_t s2_ike1_wait_ns(const struct s2_ike_sa *sa, uint8_t tries);
/* A sealed informational, once. */
S2SVPN_NODISCARD s2svpn_status s2_ike1_notice(struct s2_ike_sa *sa,
                                              const struct s2_ike1_compose *c);

#endif
