/* SPDX-License-Identifier: Apache-2.0 */
/* CREATE_CHILD_SA as its initiator: a new child, a child's rekey, the IKE SA's
 * rekey. RFC 7296 sections 1.3, 2.8, 2.8.1, 2.18, 2.25. */
#include "ike/v2/v2.h"

#include <string.h>

/* ---- reading, for both sides */

s2svpn_status s2_ike_read_nonce(const struct s2_ike_payloads *list, struct s2_ike_making *m)
{
    const struct s2_ike_payload *payload = s2_ike_find(list, S2_IKE_PAYLOAD_NONCE);
    struct s2_reader r;
    s2svpn_span nonce;

    if (payload == NULL)
        return S2SVPN_E_MALFORMED;
    s2_reader_init(&r, payload->body.p, payload->body.len);
    if (s2_ike_parse_nonce(&r, &nonce) != S2SVPN_OK || nonce.len > sizeof(m->peer_nonce))
        return S2SVPN_E_MALFORMED;
    memcpy(m->peer_nonce, nonce.p, nonce.len);
    m->peer_nonce_len = (uint16_t)nonce.len;
    return S2SVPN_OK;
}

s2svpn_status s2_ike_read_ke(const struct s2_ike_payloads *list, struct s2_ike_ke_payload *out)
{
    const struct s2_ike_payload *payload = s2_ike_find(list, S2_IKE_PAYLOAD_KE);
    struct s2_reader r;

    if (payload == NULL)
        return S2SVPN_E_MALFORMED;
    s2_reader_init(&r, payload->body.p, payload->body.len);
    return s2_ike_parse_ke(&r, out) == S2SVPN_OK ? S2SVPN_OK : S2SVPN_E_MALFORMED;
}

/* ---- giving up */

/* What to do when an exchange came to nothing. */
static void try_later(struct s2_ike_sa *sa, const struct s2_ike_making *m)
{
    struct s2_ike_child_sa *child;

    switch (m->kind) {
    case S2_IKE_REKEY_IKE:
        sa->rekey_at_ns = s2_ike_retry_at(sa);
        break;
    case S2_IKE_REKEY_CHILD:
        child = s2_ike_child_find_in(sa, m->replaces);
        if (child != NULL && child->state == S2_IKE_CHILD_CURRENT)
            child->rekey_at_ns = s2_ike_retry_at(sa);
        break;
    default:
        sa->child_at_ns = s2_ike_retry_at(sa);
    }
}

void s2_ike_create_abandon(struct s2_ike_sa *sa)
{
    if (sa->asking == NULL)
        return;
    try_later(sa, sa->asking);
    s2_ike_making_free(sa, &sa->asking);
    if (sa->state == S2_IKE_STATE_UP)
        s2_ike_heir_settle(sa);
    s2_ike_touch(sa);
}

/* A child that was asked for doesn't come: without any the SA is of no use. */
static void give_up(struct s2_ike_sa *sa, enum s2_ike_reason reason, const char *detail)
{
    const bool new_child = sa->asking->kind == S2_IKE_MAKE_CHILD;

    s2_ike_note(sa, "%s failed: %s%s%s",
                sa->asking->kind == S2_IKE_REKEY_IKE ? "rekeying the IKE SA"
                : new_child                          ? "a new child SA"
                                                     : "rekeying the child SA",
                s2_ike_reason_text(reason), detail[0] != '\0' ? ": " : "", detail);
    if (sa->state != S2_IKE_STATE_DEAD && !new_child && sa->ike->ops.rekey_failed != NULL)
        sa->ike->ops.rekey_failed(sa->ike->user, sa->config->owner, reason, sa->ike->now_ns);
    if (sa->state == S2_IKE_STATE_DEAD)
        return;
    s2_ike_create_abandon(sa);
    if (new_child && sa->state == S2_IKE_STATE_UP && s2_ike_child_current(sa) == NULL)
        s2_ike_sa_close(sa, reason, detail);
}

/* ---- the request */

static void add_rekey_notify(struct s2_ike_compose *c, uint32_t spi_in)
{
    uint8_t spi[4] = {0};
    const struct s2_ike_notify_payload n = {
        .protocol = S2_IKE_PROTO_ESP, .type = S2_IKE_N_REKEY_SA, .spi = s2_span(spi, sizeof(spi))};

    s2_put_u32(spi, spi_in);
    s2_ike_payload_begin(c->chain, S2_IKE_PAYLOAD_NOTIFY);
    s2_ike_write_notify(&c->w, &n);
    s2_ike_payload_end(c->chain);
}

static s2svpn_status add_ike_offer(struct s2_ike_sa *sa, struct s2_ike_compose *c,
                                   const struct s2_ike_making *m)
{
    const struct s2_ike_terms terms = s2_ike_sa_terms(sa->ike, sa->config);
    struct s2_ike_sa_payload offer;
    uint8_t spi[8] = {0};

    s2_put_u64(spi, m->spi_own);
    s2svpn_status rc = s2_ike_offer(&terms, s2_span(spi, sizeof(spi)), &offer);
    if (rc == S2SVPN_OK)
        s2_ike_add_sa(c, &offer);
    return rc;
}

static s2svpn_status compose(struct s2_ike_sa *sa, struct s2_ike_compose *c,
                             const struct s2_ike_making *m)
{
    s2svpn_status rc = s2_ike_compose_request(c, sa, S2_IKE_CREATE_CHILD_SA);

    if (rc != S2SVPN_OK)
        return rc;
    if (m->kind == S2_IKE_REKEY_CHILD)
        add_rekey_notify(c, m->replaces);
    rc = m->kind == S2_IKE_REKEY_IKE ? add_ike_offer(sa, c, m)
                                     : s2_ike_child_add_offer(sa, c, m, true);
    if (rc != S2SVPN_OK)
        return rc;
    s2_ike_add_bytes(c, S2_IKE_PAYLOAD_NONCE, s2_span(m->nonce, sizeof(m->nonce)));
    if (m->kex != NULL)
        s2_ike_add_ke(c, m->kex);
    if (m->kind != S2_IKE_REKEY_IKE)
        s2_ike_child_add_ts(c, m, true);
    return S2SVPN_OK;
}

static void send_create(struct s2_ike_sa *sa)
{
    struct s2_ike_making *m = sa->asking;
    const struct s2_ike_child_sa *child = s2_ike_child_find_in(sa, m->replaces);
    struct s2_ike_compose c;

    /* It may have gone while our public value was computed. */
    if (sa->state != S2_IKE_STATE_UP || sa->want_close ||
        (m->kind == S2_IKE_REKEY_CHILD && s2_ike_child_is(child) != S2_IKE_CHILD_IS_CURRENT)) {
        s2_ike_create_abandon(sa);
        return;
    }
    s2svpn_status rc = compose(sa, &c, m);
    if (rc == S2SVPN_OK)
        rc = s2_ike_send_request(sa, &c, S2_IKE_CREATE_CHILD_SA);
    if (rc == S2SVPN_OK)
        m->state = S2_IKE_MAKING_SENT;
    else
        give_up(sa, rc == S2SVPN_E_MEMORY ? S2_IKE_REASON_MEMORY : S2_IKE_REASON_CRYPTO,
                s2svpn_status_text(rc));
}

/* The group that the IKE SA came to is the one that both like. */
static uint16_t pick_group(const struct s2_ike_sa *sa, const struct s2_ike_choices *choices,
                           const struct s2_ike_making *m)
{
    const uint16_t usual = sa->keys.suite.ke;

    return s2_ike_may_try(sa, choices, m, usual) ? usual : s2_ike_first_group(sa, choices, m);
}

static const struct s2_ike_choices *choices_of(const struct s2_ike_sa *sa,
                                               const struct s2_ike_making *m)
{
    return m->kind == S2_IKE_REKEY_IKE ? &sa->config->ike : &sa->config->esp;
}

/* With group 0: without PFS. */
static s2svpn_status begin_group(struct s2_ike_sa *sa, struct s2_ike_making *m, uint16_t group)
{
    struct s2_ike_kex *kex;

    m->state = S2_IKE_MAKING_KE;
    if (group == S2SVPN_KE_NONE)
        return choices_of(sa, m)->ke_count == 0 ? S2SVPN_OK : S2SVPN_E_UNSUPPORTED;
    s2svpn_status rc = s2_ike_kex_new(sa, group, &kex);
    if (rc != S2SVPN_OK)
        return rc;
    s2_ike_kex_free(sa, &m->kex);
    m->kex = kex;
    m->tried[m->tried_count++] = group;
    s2_ike_kex_start_public(kex);
    return S2SVPN_OK;
}

static s2svpn_status begin(struct s2_ike_sa *sa, struct s2_ike_making *m)
{
    s2svpn_status rc = s2_random(sa->ike->env, m->nonce, sizeof(m->nonce));

    if (rc != S2SVPN_OK)
        return rc;
    if (m->kind == S2_IKE_REKEY_IKE) {
        rc = s2_ike_draw_spi(sa->ike, &m->spi_own);
    } else {
        s2_ike_child_want_ts(sa, m);
        rc = s2_ike_child_draw_spi(sa, &m->spi_in);
    }
    if (rc != S2SVPN_OK)
        return rc;
    return begin_group(sa, m, pick_group(sa, choices_of(sa, m), m));
}

void s2_ike_create_start(struct s2_ike_sa *sa, enum s2_ike_making_kind kind,
                         struct s2_ike_child_sa *child)
{
    struct s2_ike_making *m = s2_alloc(sa->ike->env, sizeof(*m));

    if (m == NULL) {
        const struct s2_ike_making wish = {.kind = (uint8_t)kind,
                                           .replaces = child != NULL ? child->spi_in : 0};

        try_later(sa, &wish);
        if (kind == S2_IKE_MAKE_CHILD)
            s2_ike_sa_close(sa, S2_IKE_REASON_MEMORY, "");
        return;
    }
    m->kind = (uint8_t)kind;
    m->replaces = child != NULL ? child->spi_in : 0;
    sa->asking = m;
    const s2svpn_status rc = begin(sa, m);
    if (sa->state == S2_IKE_STATE_DEAD)
        return; /* by a callback; m went with it */
    if (rc != S2SVPN_OK)
        give_up(sa,
                rc == S2SVPN_E_MEMORY  ? S2_IKE_REASON_MEMORY
                : rc == S2SVPN_E_LIMIT ? S2_IKE_REASON_LIMIT
                                       : S2_IKE_REASON_CRYPTO,
                s2svpn_status_text(rc));
    else if (m->kex == NULL)
        send_create(sa);
}

/* ---- the answer */

void s2_ike_create_gone(struct s2_ike_sa *sa, uint32_t spi_out)
{
    struct s2_ike_making *m = sa->asking;

    if (m != NULL && m->kind != S2_IKE_REKEY_IKE && m->gone_count < S2_IKE_GONE_MAX)
        m->gone[m->gone_count++] = spi_out;
}

static bool is_gone(const struct s2_ike_making *m)
{
    for (size_t i = 0; i < m->gone_count; i++) {
        if (m->gone[i] == m->spi_out)
            return true;
    }
    return false;
}

static void trace_redundant(struct s2_ike_sa *sa, bool child, uint64_t spi)
{
    s2_ike_trace(sa, (struct s2_ike_trace){.kind = S2_IKE_TRACE_REDUNDANT,
                                           .exchange = S2_IKE_CREATE_CHILD_SA,
                                           .child = child,
                                           .spi = spi});
}

/* The exchange is complete: keys on both sides. */
static void finish_child(struct s2_ike_sa *sa)
{
    struct s2_ike_making *m = sa->asking;
    const bool lost = m->collided && s2_ike_lost(m);
    const uint32_t rival = m->collided ? m->rival : 0;

    /* Its delete has overtaken the answer, which is older. */
    if (is_gone(m)) {
        give_up(sa, S2_IKE_REASON_PEER_DELETE, "");
        return;
    }
    if (s2_ike_child_find_in(sa, m->replaces) == NULL)
        m->replaces = 0; /* the peer deleted it meanwhile */
    /* A loser is installed too, since the peer may send on it until it is gone. */
    struct s2_ike_child_sa *child = s2_ike_child_install(sa, m, true, !lost);
    if (sa->state == S2_IKE_STATE_DEAD)
        return;
    s2_ike_making_free(sa, &sa->asking);
    if (child == NULL) {
        s2_ike_sa_close(sa, S2_IKE_REASON_LIMIT, "the child could not be installed");
        return;
    }
    if (lost) {
        trace_redundant(sa, true, child->spi_in);
        s2_ike_child_delete(sa, child, S2_IKE_REASON_REPLACED);
        return;
    }
    (void)s2_ike_child_make_current(sa, child);
    S2_LIST_EACH(&sa->children, it) {
        struct s2_ike_child_sa *other = S2_CONTAINER(it, struct s2_ike_child_sa, link);

        if (other->spi_in == rival)
            trace_redundant(sa, true, other->spi_in);
        if (other->spi_in == rival)
            other->rival = true; /* in rekeys to come, too: its answer may still be under way */
        if (other->state == S2_IKE_CHILD_REPLACED && !other->rival)
            s2_ike_child_delete(sa, other, S2_IKE_REASON_REPLACED);
    }
}

/* Section 2.8.2: the SA with the lowest nonce doesn't inherit, and its creator
 * deletes it. The creator of the other one deletes the old SA. */
static void finish_ike(struct s2_ike_sa *sa)
{
    struct s2_ike_making *m = sa->asking;
    struct s2_ike_sa *rival = sa->heir, *own;
    const bool lost = rival != NULL && m->collided && s2_ike_lost(m);
    const s2svpn_status rc = s2_ike_heir_new(sa, m, true, &own);

    s2_ike_making_free(sa, &sa->asking);
    if (rc != S2SVPN_OK) {
        s2_ike_sa_close(sa, rc == S2SVPN_E_MEMORY ? S2_IKE_REASON_MEMORY : S2_IKE_REASON_CRYPTO,
                        "the new IKE SA");
    } else if (lost) {
        trace_redundant(sa, false, own->spi_own);
        s2_ike_heir_discard(own, true);
        s2_ike_heir_succeed(sa, rival, false);
    } else {
        if (rival != NULL) {
            trace_redundant(sa, false, rival->spi_own);
            s2_ike_heir_discard(rival, false);
        }
        s2_ike_heir_succeed(sa, own, true);
    }
}

static void finish(struct s2_ike_sa *sa)
{
    if (sa->asking->kind == S2_IKE_REKEY_IKE)
        finish_ike(sa);
    else
        finish_child(sa);
}

static s2svpn_status check_ike_answer(struct s2_ike_sa *sa, const struct s2_ike_payloads *list,
                                      struct s2_ike_making *m)
{
    const struct s2_ike_payload *payload = s2_ike_find(list, S2_IKE_PAYLOAD_SA);
    const struct s2_ike_terms terms = s2_ike_sa_terms(sa->ike, sa->config);
    struct s2_ike_sa_payload offer, got;
    uint8_t spi[8] = {0};
    struct s2_reader r;

    if (payload == NULL)
        return S2SVPN_E_MALFORMED;
    s2_reader_init(&r, payload->body.p, payload->body.len);
    if (s2_ike_parse_sa(&r, &got) != S2SVPN_OK)
        return S2SVPN_E_MALFORMED;
    s2_put_u64(spi, m->spi_own);
    s2svpn_status rc = s2_ike_offer(&terms, s2_span(spi, sizeof(spi)), &offer);
    if (rc == S2SVPN_OK)
        rc = s2_ike_check_answer(&offer, &got, true, &m->suite);
    if (rc != S2SVPN_OK)
        return rc;
    m->spi_peer = s2_get_u64(got.proposal[0].spi);
    return m->spi_peer != 0 ? S2SVPN_OK : S2SVPN_E_MALFORMED;
}

static s2svpn_status read_answer(struct s2_ike_sa *sa, const struct s2_ike_payloads *list,
                                 struct s2_ike_making *m)
{
    struct s2_ike_ke_payload ke;
    s2svpn_status rc = s2_ike_read_nonce(list, m);

    if (rc == S2SVPN_OK)
        rc = m->kind == S2_IKE_REKEY_IKE ? check_ike_answer(sa, list, m)
                                         : s2_ike_child_check_answer(sa, list, true, m);
    if (rc != S2SVPN_OK || m->kex == NULL)
        return rc;
    rc = s2_ike_read_ke(list, &ke);
    if (rc != S2SVPN_OK)
        return rc;
    if (ke.group != m->kex->row->id || m->suite.ke != ke.group)
        return S2SVPN_E_MALFORMED;
    rc = s2_ike_kex_start_shared(m->kex, ke.value);
    if (rc == S2SVPN_OK)
        m->state = S2_IKE_MAKING_SHARED;
    return rc == S2SVPN_E_ARGUMENT ? S2SVPN_E_MALFORMED : rc;
}

static void try_other_group(struct s2_ike_sa *sa, s2svpn_span data)
{
    struct s2_ike_making *m = sa->asking;
    const uint16_t group = data.len == 2 ? s2_get_u16(data.p) : S2SVPN_KE_NONE;

    if (!s2_ike_may_try(sa, choices_of(sa, m), m, group) || begin_group(sa, m, group) != S2SVPN_OK)
        give_up(sa, S2_IKE_REASON_INVALID_KE, s2_ike_transform_name(S2SVPN_TRANSFORM_KE, group));
}

/* Section 2.25: the peer doesn't have the child any more. */
static void forget_child(struct s2_ike_sa *sa)
{
    struct s2_ike_child_sa *child = s2_ike_child_find_in(sa, sa->asking->replaces);

    s2_ike_create_abandon(sa);
    if (child != NULL)
        s2_ike_child_remove(sa, child, S2_IKE_REASON_PEER_DELETE);
    if (sa->state == S2_IKE_STATE_UP && s2_ike_child_current(sa) == NULL)
        sa->want_child = true;
}

static void refused(struct s2_ike_sa *sa, const struct s2_ike_notifies *says)
{
    switch (says->error) {
    case S2_IKE_N_INVALID_KE_PAYLOAD:
        try_other_group(sa, says->error_data);
        break;
    case S2_IKE_N_TEMPORARY_FAILURE: /* both at once: one of them will have done it */
        s2_ike_create_abandon(sa);
        break;
    case S2_IKE_N_CHILD_SA_NOT_FOUND:
        forget_child(sa);
        break;
    case S2_IKE_N_NO_PROPOSAL_CHOSEN:
        give_up(sa, S2_IKE_REASON_NO_PROPOSAL, "");
        break;
    case S2_IKE_N_TS_UNACCEPTABLE:
        give_up(sa, S2_IKE_REASON_TS_UNACCEPTABLE, "");
        break;
    case S2_IKE_N_INVALID_SYNTAX: /* fatal on both sides, section 2.21.3 */
        s2_ike_sa_kill(sa, S2_IKE_REASON_PEER_ERROR, s2_ike_notify_name(says->error));
        break;
    default:
        give_up(sa, S2_IKE_REASON_PEER_ERROR, s2_ike_notify_name(says->error));
    }
}

enum s2_ike_step s2_ike_create_response(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    struct s2_ike_notifies says;

    if (sa->asking == NULL || sa->asking->state != S2_IKE_MAKING_SENT)
        return S2_IKE_STAY;
    if (s2_ike_read_notifies(&packet->list, &says) != S2SVPN_OK) {
        s2_ike_making_free(sa, &sa->asking);
        s2_ike_sa_close(sa, S2_IKE_REASON_SYNTAX, "in a CREATE_CHILD_SA response");
        return S2_IKE_STAY;
    }
    if (says.error != 0) {
        refused(sa, &says);
        return sa->state == S2_IKE_STATE_DEAD ? S2_IKE_ENDED : S2_IKE_STAY;
    }
    const s2svpn_status rc = read_answer(sa, &packet->list, sa->asking);
    if (rc != S2SVPN_OK) {
        /* The peer has made something of which we can't make anything. */
        s2_ike_making_free(sa, &sa->asking);
        s2_ike_sa_close(sa,
                        rc == S2SVPN_E_NOT_FOUND   ? S2_IKE_REASON_NO_PROPOSAL
                        : rc == S2SVPN_E_ARGUMENT  ? S2_IKE_REASON_TS_UNACCEPTABLE
                        : rc == S2SVPN_E_MALFORMED ? S2_IKE_REASON_SYNTAX
                                                   : S2_IKE_REASON_CRYPTO,
                        "in a CREATE_CHILD_SA response");
        return S2_IKE_STAY;
    }
    if (sa->asking->kex == NULL)
        finish(sa);
    return S2_IKE_STAY;
}

void s2_ike_create_ask_job(struct s2_ike_sa *sa)
{
    struct s2_ike_making *m = sa->asking;

    s2_ike_touch(sa);
    if (m->state == S2_IKE_MAKING_KE) {
        if (m->kex->result == S2SVPN_OK)
            send_create(sa);
        else
            give_up(sa, S2_IKE_REASON_CRYPTO, s2svpn_status_text(m->kex->result));
        return;
    }
    if (m->kex->result == S2SVPN_OK) {
        finish(sa);
        return;
    }
    s2_ike_making_free(sa, &sa->asking);
    s2_ike_sa_close(sa, S2_IKE_REASON_CRYPTO, "the peer's public value");
}
