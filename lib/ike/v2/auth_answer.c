/* SPDX-License-Identifier: Apache-2.0 */
/* IKE_AUTH as responder: the message is held until the shared secret is there, then
 * until it is known whose peer this is; only then AUTH is checked, and only then the
 * peer learns anything of ours. By certificate the check is a job and our signature
 * another. RFC 7296 sections 1.2, 2.15, 2.21.2. */
#include "ike/v2/v2.h"

#include <string.h>

#include "base/text.h"

#define REFUSAL_NOTE_GAP_NS (S2_SECOND / 2)
#define REFUSAL_NOTES 20

/* ---- before there are keys */

enum s2_ike_step s2_ike_auth_hold(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    struct s2_ike_handshake *h = sa->handshake;
    struct s2_ike_kex *kex = h->making.kex;

    if (packet->len > S2_IKE_HELD_MAX ||
        s2_ike_bytes_set(sa->ike, &h->held, packet->p, packet->len) != S2SVPN_OK)
        return S2_IKE_IGNORED;
    h->held_fragments = s2_ike_find(&packet->list, S2_IKE_PAYLOAD_SKF) != NULL;
    h->held_first = packet->h.next_payload;
    if (s2_ike_kex_start_shared(kex, s2_span(kex->peer_value, kex->row->out_len)) != S2SVPN_OK)
        return S2_IKE_IGNORED; /* its length was checked */
    return S2_IKE_NEXT;
}

static s2svpn_status derive(struct s2_ike_sa *sa)
{
    struct s2_ike_making *m = &sa->handshake->making;
    s2svpn_status rc = s2_ike_derive_keys(&sa->ike->crypto, &m->suite, s2_ike_kex_shared(m->kex),
                                          s2_span(m->peer_nonce, m->peer_nonce_len),
                                          s2_span(m->nonce, sizeof(m->nonce)), sa->spi_peer,
                                          sa->spi_own, NULL, &sa->keys);

    if (rc != S2SVPN_OK)
        return rc;
    sa->keyed = true;
    s2_ike_kex_free(sa, &m->kex);
    return S2SVPN_OK;
}

/* Ask whose peer this is. The held message stays as it is: decrypted. */
static enum s2_ike_step identify(struct s2_ike_sa *sa, const struct s2_ike_payloads *list)
{
    struct s2_ike *ike = sa->ike;
    const struct s2_ike_payload *idi = s2_ike_find(list, S2_IKE_PAYLOAD_IDI);
    const struct s2_ike_payload *idr = s2_ike_find(list, S2_IKE_PAYLOAD_IDR);
    struct s2_ike_id initiator, responder;
    s2svpn_span chain[S2SVPN_CHAIN_MAX];
    struct s2_reader r;
    size_t count;

    if (idi == NULL)
        return S2_IKE_OTHERWISE;
    s2_reader_init(&r, idi->body.p, idi->body.len);
    s2svpn_status rc = s2_ike_parse_id(&r, &initiator);
    if (rc == S2SVPN_OK && idr != NULL) {
        s2_reader_init(&r, idr->body.p, idr->body.len);
        rc = s2_ike_parse_id(&r, &responder);
    }
    if (rc != S2SVPN_OK)
        return S2_IKE_OTHERWISE;
    sa->peer_id = initiator;
    sa->path = sa->asked.path; /* authenticated; NAT-T may have moved it */
    /* What is wrong with them is told when it is known that they are needed. */
    const bool has = s2_ike_read_certificates(list, chain, &count) == S2SVPN_OK && count > 0;
    ike->ops.identify(ike->user, sa->spi_own, &sa->path.local, &sa->path.remote, &sa->peer_id,
                      idr != NULL ? &responder : NULL, has ? chain[0] : s2_span(NULL, 0));
    return S2_IKE_NEXT;
}

/* An authenticated request that makes no sense: INVALID_SYNTAX, or the critical payload
 * that we don't know, and that is all, sections 2.5 and 2.21.2. */
static enum s2_ike_step refuse_payload(struct s2_ike_sa *sa, uint8_t unsupported)
{
    const uint16_t type =
        unsupported != 0 ? S2_IKE_N_UNSUPPORTED_CRITICAL_PAYLOAD : S2_IKE_N_INVALID_SYNTAX;

    if (s2_ike_answer_notify(sa, S2_IKE_AUTH, type,
                             s2_span(&unsupported, unsupported != 0 ? 1 : 0)) == S2SVPN_OK)
        s2_log(sa->ike->env, S2_LOG_INFO, "%s: malformed IKE_AUTH request",
               sa->config->name != NULL ? sa->config->name : "-");
    s2_ike_sa_kill(sa, S2_IKE_REASON_SYNTAX, "in the IKE_AUTH request");
    return S2_IKE_ENDED;
}

static enum s2_ike_step refuse_syntax(struct s2_ike_sa *sa)
{
    return refuse_payload(sa, 0);
}

/* A wrong checksum proves nothing but that somebody sent something. */
static bool open_held(struct s2_ike_sa *sa)
{
    struct s2_ike_handshake *h = sa->handshake;
    struct s2_ike_payloads list;
    const struct s2_ike_payload *sk = NULL;

    if (h->held_fragments > 0)
        return s2_ike_gather_held(sa);
    if (s2_ike_read_chain(s2_span(h->held.p + S2_IKE_HEADER_LEN, h->held.len - S2_IKE_HEADER_LEN),
                          h->held_first, &list) == S2SVPN_OK)
        sk = s2_ike_find(&list, S2_IKE_PAYLOAD_SK);
    if (sk == NULL || s2_ike_sk_open(&sa->ike->crypto, &sa->keys, false, h->held.p, h->held.len, sk,
                                     &h->held_inner) != S2SVPN_OK) {
        sa->ike->counters.drops++;
        return false;
    }
    h->held_first = sk->next;
    return true;
}

/* Held, and now there are keys. If it is nothing, or not all of it, wait for the real
 * one or the rest, which costs no job any more. */
enum s2_ike_step s2_ike_auth_open(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    struct s2_ike_handshake *h = sa->handshake;
    struct s2_ike_payloads list;

    (void)packet;
    s2svpn_status rc = derive(sa);
    if (rc != S2SVPN_OK) {
        s2_ike_sa_kill(sa, S2_IKE_REASON_CRYPTO, s2svpn_status_text(rc));
        return S2_IKE_ENDED;
    }
    if (!open_held(sa)) {
        s2_ike_trace(sa, (struct s2_ike_trace){.kind = S2_IKE_TRACE_UNREADABLE,
                                               .exchange = S2_IKE_AUTH,
                                               .message_id = sa->in_id});
        sa->asked.busy = false;
        s2_ike_bytes_clear(sa->ike, &h->held);
        return S2_IKE_OTHERWISE;
    }
    if (s2_ike_read_chain(h->held_inner, h->held_first, &list) != S2SVPN_OK)
        return refuse_payload(sa, list.unsupported);
    s2_ike_trace(sa, (struct s2_ike_trace){.kind = S2_IKE_TRACE_PROCESSED,
                                           .exchange = S2_IKE_AUTH,
                                           .message_id = sa->in_id});
    const enum s2_ike_step step = identify(sa, &list);
    return step == S2_IKE_OTHERWISE ? refuse_syntax(sa) : step;
}

/* With keys: decrypted already. */
enum s2_ike_step s2_ike_auth_identify(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    struct s2_ike_handshake *h = sa->handshake;

    if (packet->inner.len > S2_IKE_HELD_MAX ||
        s2_ike_bytes_set(sa->ike, &h->held, packet->inner.p, packet->inner.len) != S2SVPN_OK)
        return S2_IKE_IGNORED;
    h->held_inner = s2_span(h->held.p, h->held.len);
    h->held_first = packet->inner_first;
    const enum s2_ike_step step = identify(sa, &packet->list);
    return step == S2_IKE_OTHERWISE ? refuse_syntax(sa) : step;
}

/* ---- whose it is, and whether it is true */

static bool has_id(const uint16_t *list, size_t n, uint16_t id)
{
    for (size_t i = 0; i < n; i++) {
        if (list[i] == id)
            return true;
    }
    return false;
}

/* IKE_SA_INIT was answered before it was known whose peer this is: is what was
 * agreed there allowed to this tunnel? */
static bool suite_allowed(const struct s2_ike_choices *c, const struct s2_ike_suite *s)
{
    bool encr = false;

    for (size_t i = 0; i < c->encr_count; i++)
        encr = encr || (c->encr[i].id == s->encr && c->encr[i].key_bits == s->key_bits);
    return encr && has_id(c->prf, c->prf_count, s->prf) && has_id(c->ke, c->ke_count, s->ke) &&
           (s->integ == S2SVPN_INTEG_NONE || has_id(c->integ, c->integ_count, s->integ));
}

/* AUTHENTICATION_FAILED whatever it was: the peer may not be who it says. The SA
 * stays a while, to answer retransmits. */
static enum s2_ike_step fail_authentication(struct s2_ike_sa *sa, enum s2_ike_step next)
{
    if (s2_ike_answer_notify(sa, S2_IKE_AUTH, S2_IKE_N_AUTHENTICATION_FAILED, s2_span(NULL, 0)) ==
        S2SVPN_OK)
        return next;
    s2_ike_sa_kill(sa, S2_IKE_REASON_MEMORY, "");
    return S2_IKE_ENDED;
}

/* Whoever can exchange keys can be refused as often as half-open SAs allow. */
static bool may_tell(struct s2_ike_sa *sa)
{
    struct s2_ike *ike = sa->ike;

    return s2_ike_pace(&ike->refusal_note_at_ns, ike->now_ns, REFUSAL_NOTE_GAP_NS, REFUSAL_NOTES);
}

static enum s2_ike_step refuse(struct s2_ike_sa *sa, const char *why)
{
    char id[80];

    if (may_tell(sa))
        s2_ike_note(sa, "%s (peer %s)", why, s2_ike_id_print(&sa->peer_id, id, sizeof(id)));
    return fail_authentication(sa, S2_IKE_OTHERWISE);
}

static void note_failed(struct s2_ike_sa *sa, const char *why)
{
    char id[80];

    if (may_tell(sa))
        s2_ike_note(sa, "authentication failed: %s (peer %s)", why,
                    s2_ike_id_print(&sa->peer_id, id, sizeof(id)));
}

static enum s2_ike_step check_psk(struct s2_ike_sa *sa, const struct s2_ike_payloads *list)
{
    if (sa->config->psk.len == 0)
        return refuse(sa, "authentication failed: this tunnel has no pre-shared key");
    const s2svpn_status rc = s2_ike_auth_verify(sa, list, &sa->peer_id);
    switch (rc) {
    case S2SVPN_OK:
        return S2_IKE_NEXT;
    case S2SVPN_E_MALFORMED:
        return refuse_syntax(sa);
    case S2SVPN_E_AUTHENTICATION:
        s2_ike_trace(sa,
                     (struct s2_ike_trace){.kind = S2_IKE_TRACE_MISMATCH, .exchange = S2_IKE_AUTH});
        return refuse(sa, s2_ike_reason_text(S2_IKE_REASON_AUTHENTICATION));
    case S2SVPN_E_UNSUPPORTED:
        return refuse(sa, "authentication failed: this tunnel has a pre-shared key, which the "
                          "peer doesn't use");
    default:
        return refuse(sa, s2svpn_status_text(rc));
    }
}

static enum s2_ike_step check_certificate(struct s2_ike_sa *sa, const struct s2_ike_payloads *list)
{
    const char *why = NULL;

    const s2svpn_status rc = s2_ike_certificate_check(sa, list, &sa->peer_id, &why);
    if (rc == S2SVPN_OK)
        return S2_IKE_WAIT;
    if (rc == S2SVPN_E_MALFORMED)
        return refuse_syntax(sa);
    note_failed(sa, why != NULL ? why : s2svpn_status_text(rc));
    return fail_authentication(sa, S2_IKE_OTHERWISE);
}

static enum s2_ike_step check_peer(struct s2_ike_sa *sa, const struct s2_ike_payloads *list)
{
    const struct s2_ike_config *config = sa->config;

    if (!suite_allowed(&config->ike, &sa->keys.suite))
        return refuse(sa, s2_ike_reason_text(S2_IKE_REASON_NO_PROPOSAL));
    if (config->remote_id.type != S2_IKE_ID_NONE &&
        !s2_ike_id_equal(&config->remote_id, &sa->peer_id))
        return refuse(sa, s2_ike_reason_text(S2_IKE_REASON_IDENTITY));
    s2_ike_handshake_use(sa->handshake, s2_ike_by_certificate(config) ? config->credentials : NULL);
    return s2_ike_by_certificate(config) ? check_certificate(sa, list) : check_psk(sa, list);
}

static enum s2_ike_step check_child(struct s2_ike_sa *sa, const struct s2_ike_payloads *list)
{
    struct s2_ike_handshake *h = sa->handshake;
    s2svpn_status rc = s2_ike_child_check_request(sa, list, false, &h->making, &h->child_error);

    if (rc != S2SVPN_OK)
        return refuse_syntax(sa);
    if (h->child_error == 0 && s2_ike_child_draw_spi(sa, &h->making.spi_in) != S2SVPN_OK)
        h->child_error = S2_IKE_N_NO_ADDITIONAL_SAS;
    return sa->state == S2_IKE_STATE_DEAD ? S2_IKE_ENDED : S2_IKE_NEXT;
}

/* The peer is who it is to be: what does it want? */
static enum s2_ike_step take_request(struct s2_ike_sa *sa, const struct s2_ike_payloads *list,
                                     const struct s2_ike_notifies *says)
{
    struct s2_ike_handshake *h = sa->handshake;
    const enum s2_ike_step step = check_child(sa, list);

    if (step != S2_IKE_NEXT)
        return step;
    h->initial_contact = says->initial_contact;
    if (says->window > 0)
        sa->peer_window = says->window;
    h->our_id = s2_ike_own_id(sa);
    return S2_IKE_NEXT;
}

static enum s2_ike_step come_up(struct s2_ike_sa *sa)
{
    if (s2_ike_sa_set_owner(sa, sa->config) == S2SVPN_OK)
        return S2_IKE_NEXT;
    s2_ike_sa_kill(sa, S2_IKE_REASON_MEMORY, "");
    return S2_IKE_ENDED;
}

static bool read_held(const struct s2_ike_sa *sa, struct s2_ike_payloads *list,
                      struct s2_ike_notifies *says)
{
    const struct s2_ike_handshake *h = sa->handshake;

    return s2_ike_read_chain(h->held_inner, h->held_first, list) == S2SVPN_OK &&
           s2_ike_read_notifies(list, says) == S2SVPN_OK;
}

enum s2_ike_step s2_ike_auth_check(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    struct s2_ike_notifies says;
    struct s2_ike_payloads list;

    (void)packet;
    /* Nobody's, section 2.21.2 says what to tell it. */
    if (sa->handshake->nobody || sa->config->mute || !s2_ike_allows(sa->config, S2_IKE_ALLOW_V2))
        return fail_authentication(sa, S2_IKE_OTHERWISE);
    if (!read_held(sa, &list, &says))
        return refuse_syntax(sa);
    enum s2_ike_step step = check_peer(sa, &list);
    if (step == S2_IKE_NEXT)
        step = take_request(sa, &list, &says);
    return step == S2_IKE_NEXT ? come_up(sa) : step;
}

/* ---- by certificate: the jobs' answers */

enum s2_ike_step s2_ike_half_verified(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    struct s2_ike_notifies says;
    struct s2_ike_payloads list;

    (void)packet;
    if (!read_held(sa, &list, &says))
        return refuse_syntax(sa);
    const enum s2_ike_step step = take_request(sa, &list, &says);
    if (step != S2_IKE_NEXT)
        return step;
    const s2svpn_status rc = s2_ike_proof_sign(sa);
    if (rc == S2SVPN_OK)
        return S2_IKE_NEXT;
    note_failed(sa, s2svpn_status_text(rc));
    return fail_authentication(sa, S2_IKE_OTHERWISE);
}

enum s2_ike_step s2_ike_half_unverified(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    (void)packet;
    note_failed(sa, s2_ike_certificate_why(sa->handshake->proof));
    return fail_authentication(sa, S2_IKE_NEXT);
}

enum s2_ike_step s2_ike_half_signed(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    (void)packet;
    if (s2_ike_certificate_room(sa) == S2SVPN_OK)
        return come_up(sa);
    s2_ike_sa_kill(sa, S2_IKE_REASON_MEMORY, "");
    return S2_IKE_ENDED;
}

/* Ours: the peer learns that it is of no use to wait. */
enum s2_ike_step s2_ike_half_unsigned(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    (void)packet;
    s2_ike_note(sa, "our signature could not be made: %s",
                s2svpn_status_text(sa->handshake->proof->result));
    return fail_authentication(sa, S2_IKE_NEXT);
}

/* ---- up */

static s2svpn_status answer(struct s2_ike_sa *sa)
{
    struct s2_ike_handshake *h = sa->handshake;
    struct s2_ike_compose c;

    s2svpn_status rc = s2_ike_compose_auth(&c, sa);
    if (rc != S2SVPN_OK)
        return rc;
    s2_ike_add_id(&c, S2_IKE_PAYLOAD_IDR, &h->our_id);
    if (h->proof != NULL)
        s2_ike_add_certificates(&c, h->credentials);
    rc = s2_ike_auth_add(sa, &c);
    if (rc != S2SVPN_OK)
        return rc;
    if (h->child_error == 0) {
        s2_ike_child_add_answer(&c, &h->making);
        s2_ike_child_add_ts(&c, &h->making, false);
    } else {
        s2_ike_add_notify(&c, h->child_error, s2_span(NULL, 0));
    }
    s2_ike_add_window(&c, sa);
    return s2_ike_send_response(sa, &c);
}

/* The child first, so that its first packet finds it; then the answer. */
static void install_and_answer(struct s2_ike_sa *sa)
{
    struct s2_ike_handshake *h = sa->handshake;
    struct s2_ike_child_sa *child = NULL;

    if (sa->initiator || h->child_error == 0)
        child = s2_ike_child_install(sa, &h->making, sa->initiator, sa->initiator);
    if (sa->state == S2_IKE_STATE_DEAD)
        return;
    if (child != NULL)
        (void)s2_ike_child_make_current(sa, child);
    else if (sa->initiator)
        s2_ike_sa_close(sa, S2_IKE_REASON_LIMIT, "the child could not be installed");
    else if (h->child_error == 0)
        h->child_error = S2_IKE_N_NO_ADDITIONAL_SAS;
    if (sa->initiator)
        return;
    if (h->child_error != 0)
        s2_ike_trace(sa, (struct s2_ike_trace){.kind = S2_IKE_TRACE_KEPT_ALONE,
                                               .child = true,
                                               .exchange = S2_IKE_AUTH,
                                               .error = h->child_error});
    if (h->child_error != 0)
        s2_ike_note(sa, "the peer's child SA is refused: %s", s2_ike_notify_name(h->child_error));
    if (sa->state != S2_IKE_STATE_DEAD && answer(sa) != S2SVPN_OK)
        s2_ike_sa_kill(sa, S2_IKE_REASON_MEMORY, "");
}

void s2_ike_auth_enter_up(struct s2_ike_sa *sa)
{
    struct s2_ike_handshake *h = sa->handshake;
    const s2svpn_span low = s2_ike_nonce_low(&h->making);

    memcpy(sa->low, low.p, S2_IKE_LOW_LEN);
    s2_ike_deadlines_start(sa);
    sa->ike->counters.handshakes++;
    s2_ike_sa_announce(sa);
    if (sa->state == S2_IKE_STATE_DEAD)
        return;
    install_and_answer(sa);
    if (sa->state == S2_IKE_STATE_DEAD)
        return;
    if (h->initial_contact && !sa->initiator)
        s2_ike_twins_initial_contact(sa);
    if (sa->state == S2_IKE_STATE_DEAD)
        return;
    s2_ike_handshake_free(sa);
    s2_ike_twins_review(sa);
}
