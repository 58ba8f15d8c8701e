/* SPDX-License-Identifier: Apache-2.0 */
/* Quick mode as initiator: HASH(1) SA Ni [KE] IDci IDcr, and HASH(3). RFC 2409 section
 * 5.5; RESPONDER-LIFETIME: RFC 2407 section 4.6.3.1. */
#include "ike/v1/v1.h"

#include <string.h>

#define YIELDED_NS (15 * S2_SECOND) /* three copies of the answer come in that time */
#define RESERVED_SPIS 255           /* RFC 4303 section 2.1 */

/* No child comes of it. A tunnel that has none is worth nothing: it ends and says why. */
static enum s2_ike1_step conclude(struct s2_ike1_quick *q, enum s2_ike_reason reason,
                                  const char *detail)
{
    struct s2_ike_sa *sa = q->sa, *home = s2_ike1_home(sa);
    const uint32_t replaces = q->making != NULL ? q->making->replaces : 0;
    struct s2_ike1_child *child = s2_ike1_child_find(home, replaces);

    s2_ike1_see(sa, q->message_id);
    s2_ike_making_free(sa, &q->making);
    s2_ike_note(sa, "quick mode failed: %s%s%s", s2_ike_reason_text(reason),
                detail[0] != '\0' ? ": " : "", detail);
    if (sa->state == S2_IKE_STATE_DEAD)
        return S2_IKE1_ENDED;
    if (child != NULL)
        child->base.rekey_at_ns = s2_ike_retry_at(sa);
    else if (s2_ike_child_current(home) == NULL)
        s2_ike_sa_close(sa, reason, detail);
    return S2_IKE1_ENDED;
}

/* ---- the first message */

static bool has_group(const uint16_t *list, size_t n, uint16_t group)
{
    for (size_t i = 0; i < n; i++) {
        if (list[i] == group)
            return true;
    }
    return false;
}

static void add_group(const struct s2_ike1_quick *q, struct s2_ike_choices *c, uint16_t group)
{
    const struct s2_ike_choices *ours = &q->sa->config->esp;
    const struct s2_ike1 *v1 = q->sa->v1;

    if (has_group(ours->ke, ours->ke_count, group) && !has_group(c->ke, c->ke_count, group) &&
        !has_group(v1->refused, v1->refused_count, group))
        c->ke[c->ke_count++] = group;
}

/* An offer has one group in all its transforms, so it is better the right one: that of the
 * child which is replaced, that of phase 1, and then one after the other. */
static void order_groups(const struct s2_ike1_quick *q, struct s2_ike_choices *c)
{
    const struct s2_ike_choices *ours = &q->sa->config->esp;
    const struct s2_ike1_child *child =
        s2_ike1_child_find(s2_ike1_home(q->sa), q->making->replaces);

    *c = *ours;
    c->ke_count = 0;
    if (q->group != S2SVPN_KE_NONE) {
        c->ke[c->ke_count++] = q->group;
        return;
    }
    if (child != NULL)
        add_group(q, c, child->ke);
    add_group(q, c, q->sa->v1->keys.suite.ke);
    for (size_t i = 0; i < ours->ke_count; i++)
        add_group(q, c, ours->ke[i]);
}

static s2svpn_status make_offer(const struct s2_ike1_quick *q, struct s2_ike1_sa_payload *offer,
                                uint16_t *ke)
{
    struct s2_ike1_terms terms = s2_ike1_quick_terms(q->sa);
    struct s2_ike_choices choices;
    uint8_t spi[4] = {0};

    order_groups(q, &choices);
    if (choices.ke_count == 0 && terms.choices->ke_count > 0)
        return S2SVPN_E_UNSUPPORTED; /* the peer took none */
    terms.choices = &choices;

    s2_put_u32(spi, q->making->spi_in);
    return s2_ike1_offer(&terms, s2_span(spi, sizeof(spi)), offer, ke);
}

static s2svpn_status make_id(const struct s2_ike_ts *ts, uint8_t body[S2_IKE_ID_MAX], size_t *len)
{
    struct s2_ike1_id id;
    struct s2_writer w;

    if (!s2_ike1_id_of_ts(ts, &id))
        return S2SVPN_E_UNSUPPORTED;
    s2_writer_init(&w, body, S2_IKE_ID_MAX);
    s2_ike1_write_id(&w, &id);
    *len = w.len;
    return s2_writer_finish(&w);
}

static s2svpn_status add_ids(const struct s2_ike1_quick *q, struct s2_ike1_chain *chain)
{
    uint8_t body[S2_IKE_ID_MAX];
    size_t len;

    s2svpn_status rc = make_id(&q->making->local_ts.item[0], body, &len);
    if (rc != S2SVPN_OK)
        return rc;
    s2_ike1_write_payload(chain, S2_IKE1_PAYLOAD_ID, s2_span(body, len));
    rc = make_id(&q->making->remote_ts.item[0], body, &len);
    if (rc == S2SVPN_OK)
        s2_ike1_write_payload(chain, S2_IKE1_PAYLOAD_ID, s2_span(body, len));
    return rc;
}

static s2svpn_status send_first(struct s2_ike1_quick *q)
{
    struct s2_ike_sa *sa = q->sa;
    const struct s2_ike_making *m = q->making;
    const struct s2_ike1_keys *keys = &sa->v1->keys;
    struct s2_ike1_sa_payload offer;
    struct s2_ike1_compose c;
    uint16_t ke;

    s2svpn_status rc = make_offer(q, &offer, &ke);
    if (rc != S2SVPN_OK)
        return rc;
    s2_ike1_compose(&c, sa, S2_IKE1_QUICK, q->message_id);
    s2_ike1_hashed_begin(&c.chain, &c.w, keys);
    s2_ike1_payload_begin(&c.chain, S2_IKE1_PAYLOAD_SA);
    s2_ike1_write_sa(&c.w, &offer);
    s2_ike1_payload_end(&c.chain);
    s2_ike1_write_payload(&c.chain, S2_IKE1_PAYLOAD_NONCE, s2_span(m->nonce, sizeof(m->nonce)));
    if (m->kex != NULL)
        s2_ike1_write_payload(&c.chain, S2_IKE1_PAYLOAD_KE,
                              s2_span(m->kex->public_value, m->kex->row->out_len));
    rc = add_ids(q, &c.chain);
    if (rc == S2SVPN_OK)
        rc = s2_ike1_hashed_end(&c.w, &sa->ike->crypto, keys, q->message_id, s2_span(NULL, 0),
                                &q->iv);
    if (rc == S2SVPN_OK)
        rc = s2_ike1_out_set(sa, &q->out, &c, &sa->path, 0, true);
    return rc;
}

enum s2_ike1_step s2_ike1_quick_begin(struct s2_ike1_quick *q, struct s2_ike1_packet *packet)
{
    struct s2_ike_making *m = q->making;
    struct s2_ike1_sa_payload offer;
    uint16_t ke = S2SVPN_KE_NONE;

    (void)packet;
    s2_ike_child_want_ts(q->sa, m);
    s2svpn_status rc = s2_ike_child_draw_spi(q->sa, &m->spi_in);
    if (rc == S2SVPN_OK)
        rc = make_offer(q, &offer, &ke);
    q->group = ke;
    if (rc == S2SVPN_OK && ke != S2SVPN_KE_NONE)
        rc = s2_ike_kex_new(q->sa, ke, &m->kex);
    if (rc == S2SVPN_OK && m->kex != NULL) {
        s2_ike_kex_start_public(m->kex);
        return S2_IKE1_NEXT;
    }
    if (rc == S2SVPN_OK)
        rc = send_first(q);
    return rc == S2SVPN_OK ? S2_IKE1_OTHERWISE
                           : conclude(q, S2_IKE_REASON_LIMIT, s2svpn_status_text(rc));
}

enum s2_ike1_step s2_ike1_quick_ask(struct s2_ike1_quick *q, struct s2_ike1_packet *packet)
{
    (void)packet;
    s2svpn_status rc = send_first(q);
    return rc == S2SVPN_OK ? S2_IKE1_NEXT
                           : conclude(q, S2_IKE_REASON_MEMORY, s2svpn_status_text(rc));
}

void s2_ike1_quick_start(struct s2_ike_sa *sa, struct s2_ike_child_sa *replaces)
{
    const uint64_t later = s2_after(sa->ike->now_ns, S2_IKE1_LINGER_NS);
    struct s2_ike1_quick *q;
    uint32_t id;

    /* Should the SA go while it is under way, it is tried again on the next. */
    if (replaces != NULL)
        replaces->rekey_at_ns = later;
    else
        sa->child_at_ns = later;
    if (s2_ike1_draw_message_id(sa, &id) != S2SVPN_OK ||
        s2_ike1_quick_new(sa, true, id, &q) != S2SVPN_OK) {
        if (replaces != NULL)
            replaces->rekey_at_ns = s2_ike_retry_at(sa);
        else
            sa->child_at_ns = s2_ike_retry_at(sa);
        return;
    }
    q->making->replaces = replaces != NULL ? replaces->spi_in : 0;
    s2_ike1_quick_step(q, S2_IKE1_QUICK_ON_START, NULL);
}

/* ---- the second */

/* The peer should say what we said (RFC 2409 section 5.5). Some say less, as in IKEv2;
 * that is what they will take then. More is refused. */
static bool take_ids(struct s2_ike1_quick *q, const struct s2_ike1_payloads *list)
{
    struct s2_ike_ts *ours[2] = {&q->making->local_ts.item[0], &q->making->remote_ts.item[0]};
    struct s2_ike_ts theirs[2];

    if (s2_ike1_count(list, S2_IKE1_PAYLOAD_ID) != 2)
        return false;
    for (size_t i = 0; i < 2; i++) {
        const struct s2_ike1_payload *p = s2_ike1_find_nth(list, S2_IKE1_PAYLOAD_ID, i);
        struct s2_ike1_id id;
        struct s2_reader r;

        s2_reader_init(&r, p->body.p, p->body.len);
        if (s2_ike1_parse_id(&r, &id) != S2SVPN_OK || !s2_ike1_id_to_ts(&id, &theirs[i]) ||
            !s2_ike_ts_inside(ours[i], &theirs[i]))
            return false;
    }
    *ours[0] = theirs[0];
    *ours[1] = theirs[1];
    return true;
}

static bool read_answer(struct s2_ike1_quick *q, const struct s2_ike1_payloads *list)
{
    const struct s2_ike1_payload *payload = s2_ike1_find(list, S2_IKE1_PAYLOAD_SA);
    struct s2_ike1_sa_payload offer, got;
    struct s2_reader r;
    uint16_t ke;

    if (payload == NULL)
        return false;
    s2_reader_init(&r, payload->body.p, payload->body.len);
    if (s2_ike1_parse_sa(&r, &got) != S2SVPN_OK || make_offer(q, &offer, &ke) != S2SVPN_OK ||
        s2_ike1_check_answer(&offer, &got, &q->suite) != S2SVPN_OK || got.proposal[0].spi_len != 4)
        return false;
    q->making->spi_out = s2_get_u32(got.proposal[0].spi);
    return q->making->spi_out > RESERVED_SPIS;
}

static void read_lifetime(struct s2_ike1_quick *q, const struct s2_ike1_payloads *list)
{
    q->life_s = s2_ike1_shorter(q->sa->config->child_lifetime_s, q->suite.life_s);
    q->life_kb = s2_ike1_shorter(q->sa->config->child_lifetime_kb, q->suite.life_kb);
    for (size_t i = 0; i < list->count; i++) {
        struct s2_ike1_notify_payload n;
        struct s2_ike1_lifetime l;
        struct s2_reader r;

        if (list->item[i].type != S2_IKE1_PAYLOAD_NOTIFY)
            continue;
        s2_reader_init(&r, list->item[i].body.p, list->item[i].body.len);
        if (s2_ike1_parse_notify(&r, &n) != S2SVPN_OK || n.type != S2_IKE1_N_RESPONDER_LIFETIME)
            continue;
        s2_reader_init(&r, n.data.p, n.data.len);
        if (s2_ike1_parse_lifetime(&r, false, &l) != S2SVPN_OK)
            continue;
        q->life_s = s2_ike1_shorter(q->life_s, l.life_s);
        q->life_kb = s2_ike1_shorter(q->life_kb, l.life_kb);
    }
}

/* The peer believes in a child that isn't one for us. */
static enum s2_ike1_step disagree(struct s2_ike1_quick *q, enum s2_ike_reason reason,
                                  const char *detail)
{
    s2_ike1_send_delete(q->sa, q->making->spi_in);
    return conclude(q, reason, detail);
}

enum s2_ike1_step s2_ike1_quick_take(struct s2_ike1_quick *q, struct s2_ike1_packet *packet)
{
    struct s2_ike_making *m = q->making;
    struct s2_ike_sa *sa = q->sa;
    s2svpn_span ke;

    if (s2_ike1_hashed_check(&sa->ike->crypto, &sa->v1->keys, q->message_id,
                             s2_span(m->nonce, sizeof(m->nonce)), &packet->list) != S2SVPN_OK)
        return S2_IKE1_IGNORED;
    s2_ike1_fresh(sa, &packet->path);
    if (sa->state == S2_IKE_STATE_DEAD)
        return S2_IKE1_ENDED;
    q->iv = packet->next;
    q->out.waits = false;
    q->second = packet->hash;
    q->order = s2_ike1_child_place(sa);
    q->commit = (packet->h.flags & S2_IKE1_FLAG_COMMIT) != 0;
    if (!read_answer(q, &packet->list))
        return disagree(q, S2_IKE_REASON_NO_PROPOSAL, "the peer chose what was not offered");
    if (s2_ike1_quick_read(q, &packet->list, &ke) != S2SVPN_OK)
        return disagree(q, S2_IKE_REASON_SYNTAX, "in quick mode's second message");
    if (!take_ids(q, &packet->list))
        return disagree(q, S2_IKE_REASON_TS_UNACCEPTABLE, "the peer's are wider than ours");
    read_lifetime(q, &packet->list);
    if (m->kex != NULL && s2_ike_kex_start_shared(m->kex, ke) == S2SVPN_OK)
        return S2_IKE1_NEXT;
    if (m->kex != NULL)
        return disagree(q, S2_IKE_REASON_SYNTAX, "the peer's public value");
    const enum s2_ike1_step step = s2_ike1_quick_complete(q, packet);
    return step == S2_IKE1_NEXT ? S2_IKE1_OTHERWISE : step;
}

/* ---- the third */

static s2svpn_status send_third(struct s2_ike1_quick *q)
{
    struct s2_ike_sa *sa = q->sa;
    const struct s2_ike_making *m = q->making;
    const struct s2_ike1_keys *keys = &sa->v1->keys;
    uint8_t hash[S2_IKE1_HASH_MAX];
    struct s2_ike1_compose c;

    s2svpn_status rc =
        s2_ike1_hash_3(&sa->ike->crypto, keys, q->message_id, s2_span(m->nonce, sizeof(m->nonce)),
                       s2_span(m->peer_nonce, m->peer_nonce_len), hash);
    if (rc != S2SVPN_OK)
        return rc;
    s2_ike1_compose(&c, sa, S2_IKE1_QUICK, q->message_id);
    s2_ike1_write_payload(&c.chain, S2_IKE1_PAYLOAD_HASH, s2_span(hash, s2_ike1_hash_len(keys)));
    rc = s2_ike1_seal(&c.w, &sa->ike->crypto, keys, &q->iv);
    if (rc == S2SVPN_OK)
        rc = s2_ike1_out_set(sa, &q->out, &c, &sa->path, q->second, false);
    return rc;
}

/* The child is there before the third message leaves. */
enum s2_ike1_step s2_ike1_quick_complete(struct s2_ike1_quick *q, struct s2_ike1_packet *packet)
{
    struct s2_ike_sa *sa = q->sa;

    (void)packet;
    s2svpn_status rc = s2_ike1_child_install(q);
    if (sa->state == S2_IKE_STATE_DEAD)
        return S2_IKE1_ENDED;
    if (rc == S2SVPN_OK)
        rc = send_third(q);
    if (rc != S2SVPN_OK && q->child != 0) {
        struct s2_ike1_child *child = s2_ike1_child_find(s2_ike1_home(sa), q->child);

        if (child != NULL)
            s2_ike1_child_delete(s2_ike1_home(sa), &child->base, S2_IKE_REASON_MEMORY);
        if (sa->state != S2_IKE_STATE_DEAD)
            return conclude(q, S2_IKE_REASON_MEMORY, s2svpn_status_text(rc));
        return S2_IKE1_ENDED;
    }
    if (rc != S2SVPN_OK)
        return disagree(q, S2_IKE_REASON_LIMIT, "the child could not be installed");
    q->end_ns = s2_after(sa->ike->now_ns, S2_IKE1_LINGER_NS);
    sa->v1->refused_count = 0;
    s2_ike_making_free(sa, &q->making);
    s2_ike1_child_settle(s2_ike1_home(sa), q->child);
    return sa->state == S2_IKE_STATE_DEAD ? S2_IKE1_ENDED : S2_IKE1_NEXT;
}

/* ---- when it goes wrong */

enum s2_ike1_step s2_ike1_quick_failed(struct s2_ike1_quick *q, struct s2_ike1_packet *packet)
{
    const s2svpn_status result = q->making->kex->result;

    (void)packet;
    if (!q->initiator) {
        s2_ike1_send_notify(q->sa, S2_IKE1_PROTO_ESP, S2_IKE1_N_INVALID_KEY_INFORMATION,
                            s2_span(NULL, 0), s2_span(NULL, 0));
        s2_ike1_see(q->sa, q->message_id);
        return S2_IKE1_ENDED;
    }
    if (q->state == S2_IKE1_QUICK_ASK_SHARED)
        return disagree(q, S2_IKE_REASON_CRYPTO, s2svpn_status_text(result));
    return conclude(q, S2_IKE_REASON_CRYPTO, s2svpn_status_text(result));
}

/* With another group, if there is one that the peer hasn't refused yet. */
static bool try_another(struct s2_ike1_quick *q)
{
    struct s2_ike_sa *home = s2_ike1_home(q->sa);
    struct s2_ike1_child *child = s2_ike1_child_find(home, q->making->replaces);
    struct s2_ike1 *v1 = q->sa->v1;
    struct s2_ike1_sa_payload offer;
    uint16_t ke;

    if (q->group == S2SVPN_KE_NONE ||
        v1->refused_count == sizeof(v1->refused) / sizeof(v1->refused[0]))
        return false;
    v1->refused[v1->refused_count++] = q->group;
    q->group = S2SVPN_KE_NONE;
    if (make_offer(q, &offer, &ke) != S2SVPN_OK) {
        v1->refused_count = 0; /* the next time from the beginning */
        return false;
    }
    if (child != NULL)
        child->base.want_rekey = true;
    else
        home->want_child = true;
    s2_ike_touch(home);
    return true;
}

enum s2_ike1_step s2_ike1_quick_refused(struct s2_ike1_quick *q, struct s2_ike1_packet *packet)
{
    const uint16_t type = q->refusal;
    const enum s2_ike_reason reason = s2_ike1_reason_of(type);
    char words[80];

    (void)packet;
    if (type == S2_IKE1_N_NO_PROPOSAL_CHOSEN && try_another(q)) {
        s2_ike1_see(q->sa, q->message_id);
        return S2_IKE1_NEXT;
    }
    if (reason != S2_IKE_REASON_NO_PROPOSAL)
        return conclude(q, reason, s2_ike1_notify_name(type));
    /* Of which phase: the words are IKEv2's. */
    s2_print(words, sizeof(words), "the peer wants none of the ESP proposals (%s)",
             s2_ike1_notify_name(type));
    return conclude(q, reason, words);
}

/* The peer's gives a child just as well. Its responder must not wait for our third
 * message; the delete may be there before the first is, so the answer is met by another. */
enum s2_ike1_step s2_ike1_quick_yield(struct s2_ike1_quick *q, struct s2_ike1_packet *packet)
{
    struct s2_ike_sa *home = s2_ike1_home(q->sa);
    struct s2_ike1_child *child = s2_ike1_child_find(home, q->making->replaces);

    (void)packet;
    if (q->state == S2_IKE1_QUICK_ASKED)
        s2_ike1_send_delete(q->sa, q->making->spi_in);
    q->out.waits = false;
    q->end_ns = s2_after(q->sa->ike->now_ns, YIELDED_NS);
    if (child != NULL)
        child->base.rekey_at_ns = s2_ike_retry_at(home); /* if the peer's fails */
    else
        home->child_at_ns = s2_ike_retry_at(home);
    return S2_IKE1_NEXT;
}

enum s2_ike1_step s2_ike1_quick_unwanted(struct s2_ike1_quick *q, struct s2_ike1_packet *packet)
{
    const struct s2_ike_making *m = q->making;

    if (s2_ike1_hashed_check(&q->sa->ike->crypto, &q->sa->v1->keys, q->message_id,
                             s2_span(m->nonce, sizeof(m->nonce)), &packet->list) != S2SVPN_OK)
        return S2_IKE1_IGNORED;
    s2_ike1_send_delete(q->sa, m->spi_in);
    return S2_IKE1_NEXT;
}

/* Is the peer still there? If it says so, the next attempt may do better. */
enum s2_ike1_step s2_ike1_quick_give_up(struct s2_ike1_quick *q, struct s2_ike1_packet *packet)
{
    (void)packet;
    q->sa->want_check = true;
    return conclude(q, S2_IKE_REASON_TIMEOUT, "none to quick mode");
}
