/* SPDX-License-Identifier: Apache-2.0 */
/*
 * IKEv2, RFC 7296, over struct s2_ike_sa: what the files of this folder are to
 * one another.
 *
 *   receive.c       bytes ─> windows ─> keys ─> an event          (2.1 to 2.3, 2.21)
 *   gather.c        the same for fragments                        (RFC 7383 2.6)
 *   machine.c       table[state][event] ─> an action, set_state
 *     init_ask.c, init_answer.c       IKE_SA_INIT                 (1.2, 2.6, 2.7)
 *     auth_ask.c, auth_answer.c       IKE_AUTH                    (1.2, 2.15)
 *     auth_certificate.c              what is special about certificates in it
 *     create_ask.c, create_answer.c   CREATE_CHILD_SA             (1.3, 2.8)
 *     informational.c                 INFORMATIONAL               (1.4)
 *   collision.c     what both sides do at once                    (2.8.1, 2.25)
 *   child.c         children: agreed, installed, taken down       (2.9, 2.17)
 *   heir.c          a rekeyed IKE SA and its inheritance          (2.18)
 *   twins.c         two IKE SAs for one owner
 *   kex.c           Diffie-Hellman jobs
 *   proof.c         signature jobs                                (RFC 7427)
 *   nat.c           NAT detection, which endpoints                (2.23)
 *   deadlines.c     lifetimes, liveness, what to do next          (2.4, 2.8)
 *   exchange.c      composing, sending, retransmission            (2.1)
 *   window.c        more than one request of the peer             (2.3)
 *   split.c         long messages into fragments                  (RFC 7383 2.5)
 *
 * Actions work by this order: parse, check, answer, apply. What came in changes
 * nothing before it is checked, and errors are told from state that exists.
 */
#ifndef S2_IKE_V2_H
#define S2_IKE_V2_H

#include "base/text.h"
#include "ike/sa.h"

/* X(NAME, words) */
#define S2_IKE_EVENT_LIST(X)                                                                       \
    X(START, "begin as initiator")                                                                 \
    X(INHERIT, "begin as the heir of a rekeyed SA")                                                \
    X(JOB_DONE, "the handshake's job is done")                                                     \
    X(JOB_FAILED, "the handshake's job failed")                                                    \
    X(IDENTIFIED, "the choice of a tunnel is made")                                                \
    X(RX_INIT_REQUEST, "IKE_SA_INIT request that passed its checks")                               \
    X(RX_INIT_RESPONSE, "IKE_SA_INIT response with SA, KE, Nonce")                                 \
    X(RX_COOKIE, "the peer asks for a cookie")                                                     \
    X(RX_INVALID_KE, "the peer asks for another group")                                            \
    X(RX_INIT_ERROR, "the peer refuses IKE_SA_INIT")                                               \
    X(RX_SEALED, "IKE_AUTH request before there are keys")                                         \
    X(RX_AUTH_REQUEST, "IKE_AUTH request, decrypted")                                              \
    X(RX_AUTH_RESPONSE, "IKE_AUTH response, decrypted")                                            \
    X(RX_CHILD_REQUEST, "CREATE_CHILD_SA request")                                                 \
    X(RX_CHILD_RESPONSE, "CREATE_CHILD_SA response")                                               \
    X(RX_INFO_REQUEST, "INFORMATIONAL request")                                                    \
    X(RX_INFO_RESPONSE, "INFORMATIONAL response")                                                  \
    X(REPLACED, "an heir took over")                                                               \
    X(SILENCE, "a request stays unanswered")                                                       \
    X(EXPIRE, "the state has lasted too long")                                                     \
    X(CLOSE, "close and tell the peer")
enum s2_ike_event {
#define S2_IKE_EVENT_ENUM(name, words) S2_IKE_EVENT_##name,
    S2_IKE_EVENT_LIST(S2_IKE_EVENT_ENUM)
#undef S2_IKE_EVENT_ENUM
        S2_IKE_EVENTS
};

/* A message, as far as it is understood. */
struct s2_ike_packet {
    struct s2_ike_header h;
    struct s2_ike_path path; /* local: ours; remote: where it came from */
    uint8_t *p;
    size_t len;
    uint64_t hash;               /* of all bytes as they came in */
    struct s2_ike_payloads list; /* the plain ones */
    s2svpn_span inner;           /* decrypted: the bytes that list was read from */
    uint8_t inner_first;         /* type of the first of them */
    uint32_t pieces;             /* fragments that it came in; 0: whole */
};

/* What an action says about the next state. */
enum s2_ike_step {
    S2_IKE_NEXT,      /* the cell's next */
    S2_IKE_OTHERWISE, /* the cell's otherwise */
    S2_IKE_WAIT,      /* the cell's wait: a job decides */
    S2_IKE_STAY,
    S2_IKE_IGNORED, /* stay, and the message counts as dropped */
    S2_IKE_ENDED,   /* it was killed */
};
typedef enum s2_ike_step s2_ike_action(struct s2_ike_sa *sa, const struct s2_ike_packet *packet);

/* ---- machine.c */

/* False if the state doesn't expect the event or the action ignored it. packet is
 * NULL for events that are no message. */
bool s2_ike_step(struct s2_ike_sa *sa, enum s2_ike_event event, const struct s2_ike_packet *packet);
/* Does the state expect the event at all? */
bool s2_ike_expects(const struct s2_ike_sa *sa, enum s2_ike_event event);
/* The only writer of sa->state. */
void s2_ike_set_state(struct s2_ike_sa *sa, enum s2_ike_state state);
/* Deliver what is ready and start what is next; from the outermost leave. */
void s2_ike_work(struct s2_ike_sa *sa);
/* One line a cell that isn't empty, for the man page and a test. */
void s2_ike_print_states(struct s2_buffer *out);

/* ---- receive.c */

enum s2svpn_drop s2_ike_v2_receive(struct s2_ike *ike, struct s2_ike_packet *packet);
/* The chain inside a message; fails as the codec does. */
S2SVPN_NODISCARD s2svpn_status s2_ike_read_chain(s2svpn_span bytes, uint8_t first,
                                                 struct s2_ike_payloads *out);
/* What the notifies of a message say; unknown ones are left out. */
struct s2_ike_notifies {
    uint16_t error; /* the first error type; 0: none */
    s2svpn_span error_data, cookie, rekey_spi;
    bool rekey;
    uint8_t rekey_protocol;
    bool initial_contact, nat_source, nat_destination, fragmentation;
    uint32_t window; /* 0: not said */
    uint32_t hashes; /* SIGNATURE_HASH_ALGORITHMS, as in s2svpn_sign */
};
S2SVPN_NODISCARD s2svpn_status s2_ike_read_notifies(const struct s2_ike_payloads *list,
                                                    struct s2_ike_notifies *out);

/* Which event a protected message is; false if its exchange is none that we know. */
bool s2_ike_find_event(const struct s2_ike_header *h, enum s2_ike_event *event);
/* While an exchange waits for a job, its request's retransmits are dropped, and so
 * is the answer to one of ours that would meet it half-way: that comes again. */
bool s2_ike_is_busy(const struct s2_ike_sa *sa, const struct s2_ike_header *h);
/* An IKE_AUTH request that can't be decrypted yet. */
enum s2svpn_drop s2_ike_receive_early(struct s2_ike_sa *sa, const struct s2_ike_packet *packet);
/* A message of which inner is authentic and new. */
enum s2svpn_drop s2_ike_receive_opened(struct s2_ike_sa *sa, struct s2_ike_packet *packet,
                                       enum s2_ike_event event);

/* ---- gather.c */

enum s2svpn_drop s2_ike_receive_fragment(struct s2_ike_sa *sa, struct s2_ike_packet *packet,
                                         const struct s2_ike_payload *skf);
/* Keys came: what was held of an IKE_AUTH request in fragments is looked at. True if
 * it is all there: then it stands in held, decrypted. */
bool s2_ike_gather_held(struct s2_ike_sa *sa);

/* ---- window.c */

/* What was answered to that message ID; NULL if it isn't kept any more. */
const struct s2_ike_answer *s2_ike_find_answer(const struct s2_ike_sa *sa, uint32_t id);
/* sa->response makes room for the next. */
void s2_ike_keep_answer(struct s2_ike_sa *sa);
/* A request inside the window that we allow, but not the next one. */
bool s2_ike_is_ahead(const struct s2_ike_sa *sa, const struct s2_ike_header *h);
/* It waits, if it is authentic. */
enum s2svpn_drop s2_ike_keep_ahead(struct s2_ike_sa *sa, struct s2_ike_packet *packet,
                                   const struct s2_ike_payload *sk);
/* The next one, if it is there already. */
void s2_ike_take_ahead(struct s2_ike_sa *sa);
void s2_ike_window_free(struct s2_ike_sa *sa);

/* ---- exchange.c */

#define S2_IKE_COMPOSE_MAX 4096 /* our longest message, certificates not counted */
struct s2_ike_compose {
    struct s2_writer w;
    struct s2_ike_sk_writer sk;
    struct s2_ike_chain plain;
    struct s2_ike_chain *chain; /* where payloads go */
    uint8_t *bytes;             /* own, or lent */
    uint8_t own[S2_IKE_COMPOSE_MAX];
};
void s2_ike_compose_plain(struct s2_ike_compose *c, const struct s2_ike_header *h);
/* A protected request, with our next message ID, or the response to the request
 * that is being answered. */
S2SVPN_NODISCARD s2svpn_status s2_ike_compose_request(struct s2_ike_compose *c,
                                                      struct s2_ike_sa *sa, uint8_t exchange);
S2SVPN_NODISCARD s2svpn_status s2_ike_compose_response(struct s2_ike_compose *c,
                                                       struct s2_ike_sa *sa, uint8_t exchange);
/* IKE_AUTH of our role, in the handshake's room if there is one. */
S2SVPN_NODISCARD s2svpn_status s2_ike_compose_auth(struct s2_ike_compose *c, struct s2_ike_sa *sa);
void s2_ike_add_notify(struct s2_ike_compose *c, uint16_t type, s2svpn_span data);
void s2_ike_add_bytes(struct s2_ike_compose *c, uint8_t payload, s2svpn_span body);
void s2_ike_add_sa(struct s2_ike_compose *c, const struct s2_ike_sa_payload *sa);
void s2_ike_add_ke(struct s2_ike_compose *c, const struct s2_ike_kex *kex);
void s2_ike_add_id(struct s2_ike_compose *c, uint8_t payload, const struct s2_ike_id *id);

/* Finish and keep; it is sent last, when state is whole, and its answer waited for. */
S2SVPN_NODISCARD s2svpn_status s2_ike_send_request(struct s2_ike_sa *sa, struct s2_ike_compose *c,
                                                   uint8_t exchange);
/* Finish and keep for retransmits; sent last, to where the request came from. */
S2SVPN_NODISCARD s2svpn_status s2_ike_send_response(struct s2_ike_sa *sa, struct s2_ike_compose *c);
/* A response with one notify and nothing else. */
S2SVPN_NODISCARD s2svpn_status s2_ike_answer_notify(struct s2_ike_sa *sa, uint8_t exchange,
                                                    uint16_t type, s2svpn_span data);
/* Stateless, unprotected, with one notify, to where the packet came from. */
void s2_ike_send_plain_notify(struct s2_ike *ike, const struct s2_ike_packet *packet, uint16_t type,
                              s2svpn_span data);
/* Send what is still to be sent; of a dead SA only the last answer. */
void s2_ike_flush(struct s2_ike_sa *sa);
/* The answer came: nothing is out any more. */
void s2_ike_request_done(struct s2_ike_sa *sa);
void s2_ike_resend(struct s2_ike_sa *sa, const struct s2_ike_answer *answer,
                   const struct s2_ike_path *to);
/* SET_WINDOW_SIZE, if we allow the peer more than one request. */
void s2_ike_add_window(struct s2_ike_compose *c, const struct s2_ike_sa *sa);
/* Wait for the answer again, after s2_ike_request_pause. */
void s2_ike_request_pause(struct s2_ike_sa *sa);
void s2_ike_request_resume(struct s2_ike_sa *sa);
/* Once more at once; its retransmissions go on as planned. */
void s2_ike_request_again(struct s2_ike_sa *sa);

/* ---- split.c */

/* Is this protected message too long to go there in one piece? */
bool s2_ike_is_too_long(const struct s2_ike_sa *sa, const struct s2_ike_compose *c,
                        const struct s2_ike_path *path);
/* Seal it as fragments instead; c is wiped. A failure leaves out as it was. */
S2SVPN_NODISCARD s2svpn_status s2_ike_split(struct s2_ike_sa *sa, struct s2_ike_compose *c,
                                            const struct s2_ike_path *path,
                                            struct s2_ike_bytes *out);

/* ---- the actions of the table */

s2_ike_action s2_ike_init_start, s2_ike_init_send, s2_ike_init_cookie, s2_ike_init_other_group,
    s2_ike_init_refused, s2_ike_init_response, s2_ike_init_bad_value;
s2_ike_action s2_ike_init_accept, s2_ike_init_answer;
s2_ike_action s2_ike_auth_send, s2_ike_auth_signed, s2_ike_auth_response, s2_ike_auth_verified,
    s2_ike_auth_unverified;
s2_ike_action s2_ike_auth_hold, s2_ike_auth_open, s2_ike_auth_identify, s2_ike_auth_check,
    s2_ike_half_verified, s2_ike_half_unverified, s2_ike_half_signed, s2_ike_half_unsigned;
s2_ike_action s2_ike_create_request, s2_ike_create_response, s2_ike_create_refuse;
s2_ike_action s2_ike_info_request, s2_ike_info_response, s2_ike_info_closed;
s2_ike_action s2_ike_end_job, s2_ike_end_silence, s2_ike_end_expired, s2_ike_end_half,
    s2_ike_inherit, s2_ike_hand_over, s2_ike_close_up;
/* On entry to UP, with a handshake: install the child, answer, announce. */
void s2_ike_auth_enter_up(struct s2_ike_sa *sa);
/* On entry to CLOSING: send the delete. */
void s2_ike_info_send_close(struct s2_ike_sa *sa);
/* Requests of ours; a failure leaves the wish for the next time. */
void s2_ike_info_delete_children(struct s2_ike_sa *sa);
void s2_ike_info_check(struct s2_ike_sa *sa);

/* ---- init_answer.c */

/* A first message that no SA knows. */
enum s2svpn_drop s2_ike_init_receive(struct s2_ike *ike, const struct s2_ike_packet *packet);

/* ---- init_ask.c */

/* Which event an unprotected answer to IKE_SA_INIT is; false if it is nothing. */
bool s2_ike_init_classify(struct s2_ike_sa *sa, const struct s2_ike_packet *packet,
                          enum s2_ike_event *event);

/* ---- auth_ask.c */

/* What AUTH proves, but for its last piece: that side's first message, and the other
 * side's nonce; section 2.15. */
void s2_ike_auth_octets(const struct s2_ike_sa *sa, bool of_initiator, s2svpn_span *message,
                        s2svpn_span *nonce);
S2SVPN_NODISCARD s2svpn_status s2_ike_auth_read(const struct s2_ike_payloads *list,
                                                struct s2_ike_auth_payload *out);
/* AUTH by the tunnel's pre-shared key: ours, or what the peer's must be. */
S2SVPN_NODISCARD s2svpn_status s2_ike_auth_compute(struct s2_ike_sa *sa, bool of_initiator,
                                                   const struct s2_ike_id *id,
                                                   uint8_t out[S2SVPN_PRF_MAX]);
/* The peer's by the pre-shared key. E_AUTHENTICATION if the peer's AUTH payload isn't
 * right; E_UNSUPPORTED if it is of another method. */
S2SVPN_NODISCARD s2svpn_status s2_ike_auth_verify(struct s2_ike_sa *sa,
                                                  const struct s2_ike_payloads *list,
                                                  const struct s2_ike_id *peer_id);
/* Our AUTH payload: by the pre-shared key, or the signature that was made. */
S2SVPN_NODISCARD s2svpn_status s2_ike_auth_add(struct s2_ike_sa *sa, struct s2_ike_compose *c);
/* Who we are to this tunnel's peer. */
struct s2_ike_id s2_ike_own_id(const struct s2_ike_sa *sa);

/* ---- proof.c */

/* Jobs of the handshake's credentials. Sign for our_id; spans of verify, the chain and
 * the AUTH payload's data, are borrowed from what is held. An earlier one is freed. */
S2SVPN_NODISCARD s2svpn_status s2_ike_proof_sign(struct s2_ike_sa *sa);
S2SVPN_NODISCARD s2svpn_status s2_ike_proof_verify(struct s2_ike_sa *sa,
                                                   const struct s2_ike_auth_payload *auth,
                                                   const s2svpn_span *chain, size_t count,
                                                   const struct s2_ike_id *id);
/* The job's answer, and whether there is one that wasn't taken yet. */
void s2_ike_proof_done(struct s2_ike_proof *proof, s2svpn_status result);
bool s2_ike_proof_take(struct s2_ike_proof *proof); /* NULL: no */
void s2_ike_proof_stop(struct s2_ike_sa *sa);       /* cancels; the memory stays */
void s2_ike_proof_free(struct s2_ike_sa *sa);       /* cancels */

/* ---- auth_certificate.c */

/* SIGNATURE_HASH_ALGORITHMS, RFC 7427 section 4. */
void s2_ike_add_hashes(struct s2_ike_compose *c);
void s2_ike_add_certreq(struct s2_ike_compose *c, const struct s2_ike_credentials *credentials);
void s2_ike_add_certificates(struct s2_ike_compose *c,
                             const struct s2_ike_credentials *credentials);
/* Room for an IKE_AUTH with our chain in it. */
S2SVPN_NODISCARD s2svpn_status s2_ike_certificate_room(struct s2_ike_sa *sa);
/* Look at what came with the peer's AUTH payload, list being of what is held, and start
 * the job. E_MALFORMED; E_AUTHENTICATION, and why says it in words: nothing was started. */
S2SVPN_NODISCARD s2svpn_status s2_ike_certificate_check(struct s2_ike_sa *sa,
                                                        const struct s2_ike_payloads *list,
                                                        const struct s2_ike_id *peer_id,
                                                        const char **why);
/* What the failed job says. */
const char *s2_ike_certificate_why(const struct s2_ike_proof *proof);

/* ---- kex.c */

/* Draws the private key; starts nothing. E_UNSUPPORTED if the backend lacks the group. */
S2SVPN_NODISCARD s2svpn_status s2_ike_kex_new(struct s2_ike_sa *sa, uint16_t group,
                                              struct s2_ike_kex **out);
void s2_ike_kex_free(struct s2_ike_sa *sa, struct s2_ike_kex **kex); /* cancels */
void s2_ike_kex_start_public(struct s2_ike_kex *kex);
/* E_ARGUMENT if the value hasn't its group's length. */
S2SVPN_NODISCARD s2svpn_status s2_ike_kex_start_shared(struct s2_ike_kex *kex, s2svpn_span peer);
s2svpn_span s2_ike_kex_shared(const struct s2_ike_kex *kex); /* empty for NULL */
/* The first group of the list that the backend has and that wasn't tried; 0: none. */
uint16_t s2_ike_first_group(const struct s2_ike_sa *sa, const struct s2_ike_choices *choices,
                            const struct s2_ike_making *m);
/* May this group be tried, since the peer asks for it? */
bool s2_ike_may_try(const struct s2_ike_sa *sa, const struct s2_ike_choices *choices,
                    const struct s2_ike_making *m, uint16_t group);

/* ---- nat.c */

/* False if this tunnel does without. */
bool s2_ike_nat_wanted(const struct s2_ike_sa *sa);
S2SVPN_NODISCARD s2svpn_status s2_ike_nat_add(struct s2_ike_sa *sa, struct s2_ike_compose *c,
                                              const struct s2_ike_path *path, uint64_t spi_r);
/* Compare what the peer says with the addresses that we see. */
S2SVPN_NODISCARD s2svpn_status s2_ike_nat_detect(struct s2_ike_sa *sa,
                                                 const struct s2_ike_packet *packet,
                                                 bool *nat_local, bool *nat_remote);
/* Initiator, before IKE_AUTH: to the NAT-T endpoints if there is a NAT. */
void s2_ike_nat_switch(struct s2_ike_sa *sa);
/* An authenticated message came from there, RFC 7296 section 2.23. */
void s2_ike_nat_follow(struct s2_ike_sa *sa, const struct s2_ike_path *path);
/* A child's packet came from there, RFC 7296 section 2.23. */
void s2_ike_nat_heard(struct s2_ike_sa *sa, const s2svpn_endpoint *remote);
/* Where a child's packets go. */
void s2_ike_nat_child_path(const struct s2_ike_sa *sa, struct s2_ike_path *out);

/* ---- child.c */

/* Draw an inbound SPI; E_LIMIT if there is none. */
S2SVPN_NODISCARD s2svpn_status s2_ike_child_draw_spi(struct s2_ike_sa *sa, uint32_t *spi);
/* SA, TSi, TSr (and before them what the caller adds): as initiator of the exchange,
 * or the answer. */
S2SVPN_NODISCARD s2svpn_status s2_ike_child_add_offer(struct s2_ike_sa *sa,
                                                      struct s2_ike_compose *c,
                                                      const struct s2_ike_making *m, bool with_ke);
void s2_ike_child_add_ts(struct s2_ike_compose *c, const struct s2_ike_making *m, bool initiator);
void s2_ike_child_add_answer(struct s2_ike_compose *c, const struct s2_ike_making *m);
/* m asks for the selectors of the config. */
void s2_ike_child_want_ts(const struct s2_ike_sa *sa, struct s2_ike_making *m);
/* The peer's request: fills suite, answer, spi_out, selectors. E_MALFORMED if it must
 * be refused as such; else *error is 0 or the notify that refuses it. */
S2SVPN_NODISCARD s2svpn_status s2_ike_child_check_request(struct s2_ike_sa *sa,
                                                          const struct s2_ike_payloads *list,
                                                          bool with_ke, struct s2_ike_making *m,
                                                          uint16_t *error);
/* The peer's answer to ours; E_MALFORMED, or E_NOT_FOUND for one that we didn't offer. */
S2SVPN_NODISCARD s2svpn_status s2_ike_child_check_answer(struct s2_ike_sa *sa,
                                                         const struct s2_ike_payloads *list,
                                                         bool with_ke, struct s2_ike_making *m);
/* Derive keys and call child_up. moves: outbound goes over at once. NULL if it
 * couldn't. */
struct s2_ike_child_sa *s2_ike_child_install(struct s2_ike_sa *sa, struct s2_ike_making *m,
                                             bool initiator, bool moves);
/* child_down, then it is gone; another that is still there becomes the current one. */
void s2_ike_child_remove(struct s2_ike_sa *sa, struct s2_ike_child_sa *child,
                         enum s2_ike_reason reason);
struct s2_ike_child_sa *s2_ike_child_find_in(const struct s2_ike_sa *sa, uint32_t spi_in);
struct s2_ike_child_sa *s2_ike_child_find_out(const struct s2_ike_sa *sa, uint32_t spi_out);
struct s2_ike_child_sa *s2_ike_child_current(const struct s2_ike_sa *sa);
/* child is the current one from now on. Returns the one that was, or NULL: replaced
 * now, and the peer's to delete; after a while ours. */
struct s2_ike_child_sa *s2_ike_child_make_current(struct s2_ike_sa *sa,
                                                  struct s2_ike_child_sa *child);
/* We delete it. */
void s2_ike_child_delete(struct s2_ike_sa *sa, struct s2_ike_child_sa *child,
                         enum s2_ike_reason reason);

/* ---- create_ask.c */

/* Begin an exchange; a failure is noted and tried again later. */
void s2_ike_create_start(struct s2_ike_sa *sa, enum s2_ike_making_kind kind,
                         struct s2_ike_child_sa *child);
/* A job of an exchange of ours, or of the peer's, is done. */
/* The peer deletes a child that we don't know; the answer to ours may be about it. */
void s2_ike_create_gone(struct s2_ike_sa *sa, uint32_t spi_out);
void s2_ike_create_ask_job(struct s2_ike_sa *sa);
void s2_ike_create_answer_job(struct s2_ike_sa *sa);
/* Give ours up; while sa is up, it is tried again later. */
void s2_ike_create_abandon(struct s2_ike_sa *sa);
/* Read the peer's nonce. */
S2SVPN_NODISCARD s2svpn_status s2_ike_read_nonce(const struct s2_ike_payloads *list,
                                                 struct s2_ike_making *m);
S2SVPN_NODISCARD s2svpn_status s2_ike_read_ke(const struct s2_ike_payloads *list,
                                              struct s2_ike_ke_payload *out);

/* ---- collision.c */

enum s2_ike_ours { /* what our outstanding request does */
                   S2_IKE_OURS_NOTHING,
                   S2_IKE_OURS_CHECK,
                   S2_IKE_OURS_MAKE_CHILD,
                   S2_IKE_OURS_REKEY_CHILD,
                   S2_IKE_OURS_DELETE_CHILD,
                   S2_IKE_OURS_REKEY_IKE,
                   S2_IKE_OURS_CLOSE_IKE,
                   S2_IKE_OURS_COUNT
};
enum s2_ike_child_is { /* the child that the peer names */
                       S2_IKE_CHILD_IS_UNKNOWN,
                       S2_IKE_CHILD_IS_CURRENT,
                       S2_IKE_CHILD_IS_REPLACED,
                       S2_IKE_CHILD_IS_DELETING,
                       S2_IKE_CHILD_IS_COUNT
};
enum s2_ike_verdict {
    S2_IKE_ACCEPT,
    S2_IKE_COLLIDE, /* accept, and the lowest nonce decides later */
    S2_IKE_BUSY,    /* TEMPORARY_FAILURE */
    S2_IKE_MISSING, /* CHILD_SA_NOT_FOUND */
    S2_IKE_VERDICTS
};
enum s2_ike_ours s2_ike_ours(const struct s2_ike_sa *sa);
enum s2_ike_child_is s2_ike_child_is(const struct s2_ike_child_sa *child);
/* RFC 7296 section 2.25 as a table: the peer asks for kind. child matters for
 * REKEY_CHILD alone. */
enum s2_ike_verdict s2_ike_judge(enum s2_ike_making_kind kind, enum s2_ike_ours ours,
                                 enum s2_ike_child_is child);
/* Octet by octet, as section 2.8.1 says; a beginning is lower than the whole. */
int s2_ike_nonce_compare(s2svpn_span a, s2svpn_span b);
/* The lower of an exchange's two. */
s2svpn_span s2_ike_nonce_low(const struct s2_ike_making *m);
/* The peer's exchange theirs was accepted while ours is out. */
void s2_ike_collide(struct s2_ike_making *ours, const struct s2_ike_making *theirs);
/* In a collision: did ours lose? The one with the lowest nonce does. */
bool s2_ike_lost(const struct s2_ike_making *ours);

/* ---- heir.c */

/* The new IKE SA of an exchange that is complete; up, without children, not
 * announced. */
S2SVPN_NODISCARD s2svpn_status s2_ike_heir_new(struct s2_ike_sa *sa, struct s2_ike_making *m,
                                               bool initiator, struct s2_ike_sa **out);
/* The heir takes children and wishes over; sa waits for its delete, by us or by the
 * peer. */
void s2_ike_heir_succeed(struct s2_ike_sa *sa, struct s2_ike_sa *heir, bool we_delete);
/* An heir that didn't inherit: ours to delete, or the peer's. */
void s2_ike_heir_discard(struct s2_ike_sa *heir, bool we_delete);
/* sa ends, and a heir of the peer's making waits: it inherits now. */
void s2_ike_heir_settle(struct s2_ike_sa *sa);

/* ---- twins.c */

/* Is another IKE SA of its owner up, as this one is? */
bool s2_ike_has_twin(const struct s2_ike_sa *sa);
/* Two IKE SAs of one owner are up: see to it that one remains. */
void s2_ike_twins_review(struct s2_ike_sa *sa);
/* The peer said INITIAL_CONTACT in sa. */
void s2_ike_twins_initial_contact(struct s2_ike_sa *sa);

/* ---- deadlines.c */

/* It is up from now on: draw its lifetime. */
void s2_ike_deadlines_start(struct s2_ike_sa *sa);
/* When to rekey something of that lifetime: the margin before its end, and a
 * random share of it (fuzz) earlier. */
uint64_t s2_ike_rekey_at(const struct s2_ike_sa *sa, uint32_t lifetime_s);
uint64_t s2_ike_expire_at(const struct s2_ike_sa *sa, uint32_t lifetime_s);
/* A rekey failed: when to try again. */
uint64_t s2_ike_retry_at(const struct s2_ike_sa *sa);
void s2_ike_deadlines_arm(struct s2_ike_sa *sa);
void s2_ike_deadlines_fire(void *arg, uint64_t now_ns); /* the alarm */
void s2_ike_retry_fire(void *arg, uint64_t now_ns);     /* the request's timer */
/* The next exchange, if one may start. */
void s2_ike_next_task(struct s2_ike_sa *sa);

#endif
