/* SPDX-License-Identifier: Apache-2.0 */
/* CREATE_CHILD_SA as its responder. RFC 7296 sections 1.3, 2.8, 2.8.1, 2.18, 2.25. */
#include "ike/v2/v2.h"

#include <string.h>

/* ---- refusals */

static enum s2_ike_step answer_error(struct s2_ike_sa *sa, uint16_t type, s2svpn_span data)
{
    s2_ike_making_free(sa, &sa->answering);
    if (s2_ike_answer_notify(sa, S2_IKE_CREATE_CHILD_SA, type, data) != S2SVPN_OK)
        return S2_IKE_IGNORED;
    return S2_IKE_STAY;
}

static enum s2_ike_step answer_syntax(struct s2_ike_sa *sa)
{
    (void)answer_error(sa, S2_IKE_N_INVALID_SYNTAX, s2_span(NULL, 0));
    s2_ike_sa_kill(sa, S2_IKE_REASON_SYNTAX, "in a CREATE_CHILD_SA request");
    return S2_IKE_ENDED;
}

/* Names the child as the peer did, if it did so properly: nothing of the peer's but
 * four bytes, and the protocol is ours. */
static enum s2_ike_step answer_not_found(struct s2_ike_sa *sa, s2svpn_span spi)
{
    const struct s2_ike_notify_payload n = {.protocol = S2_IKE_PROTO_ESP,
                                            .type = S2_IKE_N_CHILD_SA_NOT_FOUND,
                                            .spi = spi.len == 4 ? spi : s2_span(NULL, 0)};
    struct s2_ike_compose c;

    if (s2_ike_compose_response(&c, sa, S2_IKE_CREATE_CHILD_SA) != S2SVPN_OK)
        return S2_IKE_IGNORED;
    s2_ike_payload_begin(c.chain, S2_IKE_PAYLOAD_NOTIFY);
    s2_ike_write_notify(&c.w, &n);
    s2_ike_payload_end(c.chain);
    return s2_ike_send_response(sa, &c) == S2SVPN_OK ? S2_IKE_STAY : S2_IKE_IGNORED;
}

enum s2_ike_step s2_ike_create_refuse(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    (void)packet;
    return answer_error(sa, S2_IKE_N_TEMPORARY_FAILURE, s2_span(NULL, 0));
}

/* ---- the answer, when all is agreed and computed */

static s2svpn_status compose(struct s2_ike_sa *sa, struct s2_ike_compose *c,
                             const struct s2_ike_making *m)
{
    s2svpn_status rc = s2_ike_compose_response(c, sa, S2_IKE_CREATE_CHILD_SA);

    if (rc != S2SVPN_OK)
        return rc;
    if (m->kind == S2_IKE_REKEY_IKE) {
        struct s2_ike_sa_payload chosen = {.count = 1, .proposal = {m->answer}};

        chosen.proposal[0].spi_len = 8;
        s2_put_u64(chosen.proposal[0].spi, m->spi_own);
        s2_ike_add_sa(c, &chosen);
    } else {
        s2_ike_child_add_answer(c, m);
    }
    s2_ike_add_bytes(c, S2_IKE_PAYLOAD_NONCE, s2_span(m->nonce, sizeof(m->nonce)));
    if (m->kex != NULL)
        s2_ike_add_ke(c, m->kex);
    if (m->kind != S2_IKE_REKEY_IKE)
        s2_ike_child_add_ts(c, m, false);
    return S2SVPN_OK;
}

static s2svpn_status send_answer(struct s2_ike_sa *sa, const struct s2_ike_making *m)
{
    struct s2_ike_compose c;
    const s2svpn_status rc = compose(sa, &c, m);

    return rc == S2SVPN_OK ? s2_ike_send_response(sa, &c) : rc;
}

static void trace_collision(struct s2_ike_sa *sa, bool child, uint64_t spi)
{
    s2_ike_trace(sa, (struct s2_ike_trace){.kind = S2_IKE_TRACE_COLLISION,
                                           .exchange = S2_IKE_CREATE_CHILD_SA,
                                           .child = child,
                                           .spi = spi});
}

/* Inbound first, then the answer; only then the old one counts as replaced. */
static enum s2_ike_step finish_child(struct s2_ike_sa *sa)
{
    struct s2_ike_making *m = sa->answering;

    if (s2_ike_child_find_in(sa, m->replaces) == NULL)
        m->replaces = 0;
    struct s2_ike_child_sa *child = NULL;
    if (sa->child_count < S2_IKE_CHILDREN_MAX)
        child = s2_ike_child_install(sa, m, false, false);
    if (sa->state == S2_IKE_STATE_DEAD)
        return S2_IKE_ENDED;
    if (child == NULL)
        return answer_error(sa, S2_IKE_N_NO_ADDITIONAL_SAS, s2_span(NULL, 0));
    const s2svpn_status rc = send_answer(sa, m);
    if (rc != S2SVPN_OK) {
        s2_ike_making_free(sa, &sa->answering);
        s2_ike_child_remove(sa, child, S2_IKE_REASON_MEMORY);
        return S2_IKE_IGNORED;
    }
    if (m->collided && sa->asking != NULL) {
        s2_ike_collide(sa->asking, m);
        sa->asking->rival = child->spi_in;
        trace_collision(sa, true, child->spi_in);
    }
    s2_ike_making_free(sa, &sa->answering);
    (void)s2_ike_child_make_current(sa, child);
    return S2_IKE_STAY;
}

static enum s2_ike_step finish_ike(struct s2_ike_sa *sa)
{
    struct s2_ike_making *m = sa->answering;
    struct s2_ike_sa *heir;

    s2svpn_status rc = s2_ike_heir_new(sa, m, false, &heir);
    if (rc != S2SVPN_OK)
        return answer_error(sa, S2_IKE_N_TEMPORARY_FAILURE, s2_span(NULL, 0));
    rc = send_answer(sa, m);
    const bool undecided = m->collided && sa->asking != NULL;
    if (rc == S2SVPN_OK && undecided) {
        s2_ike_collide(sa->asking, m);
        trace_collision(sa, false, heir->spi_own);
        sa->heir = heir;
        heir->predecessor = sa;
    }
    s2_ike_making_free(sa, &sa->answering);
    if (rc != S2SVPN_OK) {
        s2_ike_sa_kill_silently(heir);
        return S2_IKE_IGNORED;
    }
    if (!undecided)
        s2_ike_heir_succeed(sa, heir, false);
    return S2_IKE_STAY;
}

static enum s2_ike_step finish(struct s2_ike_sa *sa)
{
    return sa->answering->kind == S2_IKE_REKEY_IKE ? finish_ike(sa) : finish_child(sa);
}

void s2_ike_create_answer_job(struct s2_ike_sa *sa)
{
    struct s2_ike_making *m = sa->answering;
    struct s2_ike_kex *kex = m->kex;
    enum s2_ike_step step = S2_IKE_STAY;

    s2_ike_touch(sa);
    if (kex->result == S2SVPN_E_ARGUMENT)
        step = answer_syntax(sa);
    else if (kex->result != S2SVPN_OK || sa->state != S2_IKE_STATE_UP)
        step = answer_error(sa, S2_IKE_N_TEMPORARY_FAILURE, s2_span(NULL, 0));
    else if (m->state == S2_IKE_MAKING_SHARED)
        step = finish(sa);
    else if (s2_ike_kex_start_shared(kex, s2_span(kex->peer_value, kex->row->out_len)) == S2SVPN_OK)
        m->state = S2_IKE_MAKING_SHARED;
    if (step == S2_IKE_IGNORED)
        sa->asked.busy = false; /* its retransmit tries again */
}

/* ---- the request */

static s2svpn_status find_kind(const struct s2_ike_payloads *list,
                               const struct s2_ike_notifies *says, uint8_t *kind)
{
    const struct s2_ike_payload *payload = s2_ike_find(list, S2_IKE_PAYLOAD_SA);
    struct s2_ike_sa_payload offer;
    struct s2_reader r;

    if (payload == NULL || s2_ike_find(list, S2_IKE_PAYLOAD_NONCE) == NULL)
        return S2SVPN_E_MALFORMED;
    s2_reader_init(&r, payload->body.p, payload->body.len);
    if (s2_ike_parse_sa(&r, &offer) != S2SVPN_OK)
        return S2SVPN_E_MALFORMED;
    if (says->rekey)
        *kind = S2_IKE_REKEY_CHILD;
    else if (offer.count > 0 && offer.proposal[0].protocol == S2_IKE_PROTO_IKE)
        *kind = S2_IKE_REKEY_IKE;
    else
        *kind = S2_IKE_MAKE_CHILD;
    return S2SVPN_OK;
}

static s2svpn_status check_ike_request(struct s2_ike_sa *sa, const struct s2_ike_payloads *list,
                                       struct s2_ike_making *m, uint16_t *error)
{
    const struct s2_ike_payload *payload = s2_ike_find(list, S2_IKE_PAYLOAD_SA);
    const struct s2_ike_terms terms = s2_ike_sa_terms(sa->ike, sa->config);
    struct s2_ike_sa_payload offer;
    struct s2_reader r;

    s2_reader_init(&r, payload->body.p, payload->body.len);
    if (s2_ike_parse_sa(&r, &offer) != S2SVPN_OK)
        return S2SVPN_E_MALFORMED;
    *error = 0;
    if (s2_ike_choose(&terms, &offer, &m->suite, &m->answer) != S2SVPN_OK) {
        *error = S2_IKE_N_NO_PROPOSAL_CHOSEN;
        return S2SVPN_OK;
    }
    m->spi_peer = s2_get_u64(m->answer.spi);
    if (m->answer.spi_len != 8 || m->spi_peer == 0)
        return S2SVPN_E_MALFORMED;
    return s2_ike_draw_spi(sa->ike, &m->spi_own);
}

/* The group is the one that we chose, and the value has its length; then the jobs
 * run. */
static enum s2_ike_step begin_kex(struct s2_ike_sa *sa, const struct s2_ike_payloads *list)
{
    struct s2_ike_making *m = sa->answering;
    struct s2_ike_ke_payload ke = {0};
    uint8_t group[2] = {0};

    if (s2_ike_count(list, S2_IKE_PAYLOAD_KE) > 0 && s2_ike_read_ke(list, &ke) != S2SVPN_OK)
        return answer_syntax(sa);
    if (ke.group != m->suite.ke) {
        s2_put_u16(group, m->suite.ke);
        return answer_error(sa, S2_IKE_N_INVALID_KE_PAYLOAD, s2_span(group, sizeof(group)));
    }
    if (s2_ike_kex_new(sa, m->suite.ke, &m->kex) != S2SVPN_OK)
        return answer_error(sa, S2_IKE_N_TEMPORARY_FAILURE, s2_span(NULL, 0));
    if (ke.value.len != m->kex->row->out_len)
        return answer_syntax(sa);
    memcpy(m->kex->peer_value, ke.value.p, ke.value.len);
    s2_ike_kex_start_public(m->kex);
    return S2_IKE_STAY;
}

static enum s2_ike_step accept(struct s2_ike_sa *sa, const struct s2_ike_payloads *list)
{
    struct s2_ike_making *m = sa->answering;
    uint16_t error = 0;
    s2svpn_status rc = s2_ike_read_nonce(list, m);

    if (rc == S2SVPN_OK)
        rc = m->kind == S2_IKE_REKEY_IKE ? check_ike_request(sa, list, m, &error)
                                         : s2_ike_child_check_request(sa, list, true, m, &error);
    if (rc == S2SVPN_E_MALFORMED)
        return answer_syntax(sa);
    if (sa->state == S2_IKE_STATE_DEAD)
        return S2_IKE_ENDED; /* by a note */
    if (rc == S2SVPN_OK && error == 0)
        rc = s2_random(sa->ike->env, m->nonce, sizeof(m->nonce));
    if (rc == S2SVPN_OK && error == 0 && m->kind != S2_IKE_REKEY_IKE &&
        s2_ike_child_draw_spi(sa, &m->spi_in) != S2SVPN_OK)
        error = S2_IKE_N_NO_ADDITIONAL_SAS;
    if (sa->state == S2_IKE_STATE_DEAD)
        return S2_IKE_ENDED;
    if (rc != S2SVPN_OK)
        error = S2_IKE_N_TEMPORARY_FAILURE;
    if (error != 0)
        return answer_error(sa, error, s2_span(NULL, 0));
    if (m->suite.ke != S2SVPN_KE_NONE)
        return begin_kex(sa, list);
    return finish(sa);
}

/* Both rekey the same child. The successor of the one that ours is about can come to be
 * rekeyed before we have our answer; that one is decided already. */
static bool meets_ours(const struct s2_ike_sa *sa, uint8_t kind,
                       const struct s2_ike_child_sa *child)
{
    return sa->asking == NULL || kind != S2_IKE_REKEY_CHILD ||
           sa->asking->kind != S2_IKE_REKEY_CHILD || child == NULL ||
           child->spi_in == sa->asking->replaces;
}

enum s2_ike_step s2_ike_create_request(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    const struct s2_ike_child_sa *child = NULL;
    struct s2_ike_notifies says;
    uint8_t kind;

    /* Ours is answered but not computed yet: theirs comes again, and then it is clear
     * what it meets. */
    if (sa->asking != NULL && sa->asking->state == S2_IKE_MAKING_SHARED)
        return S2_IKE_IGNORED;
    /* Nor is it decided yet whether this IKE SA is to have the children: our own rekey of
     * its predecessor is still out. The peer has decided, section 2.25.2. */
    if (sa->predecessor != NULL)
        return answer_error(sa, S2_IKE_N_TEMPORARY_FAILURE, s2_span(NULL, 0));
    if (s2_ike_read_notifies(&packet->list, &says) != S2SVPN_OK ||
        find_kind(&packet->list, &says, &kind) != S2SVPN_OK)
        return answer_syntax(sa);
    if (kind == S2_IKE_REKEY_CHILD && says.rekey_protocol == S2_IKE_PROTO_ESP &&
        says.rekey_spi.len == 4)
        child = s2_ike_child_find_out(sa, s2_get_u32(says.rekey_spi.p));

    const enum s2_ike_verdict verdict = s2_ike_judge(kind, s2_ike_ours(sa), s2_ike_child_is(child));
    if (verdict == S2_IKE_BUSY)
        return answer_error(sa, S2_IKE_N_TEMPORARY_FAILURE, s2_span(NULL, 0));
    if (verdict == S2_IKE_MISSING)
        return answer_not_found(sa, says.rekey_spi);

    sa->answering = s2_alloc(sa->ike->env, sizeof(*sa->answering));
    if (sa->answering == NULL)
        return S2_IKE_IGNORED;
    if (sa->asking != NULL && sa->asking->state == S2_IKE_MAKING_KE)
        s2_ike_create_abandon(sa); /* ours isn't out yet: theirs does it */
    sa->answering->kind = kind;
    sa->answering->state = S2_IKE_MAKING_KE;
    sa->answering->replaces = child != NULL ? child->spi_in : 0;
    sa->answering->collided = verdict == S2_IKE_COLLIDE && meets_ours(sa, kind, child);
    return accept(sa, &packet->list);
}
