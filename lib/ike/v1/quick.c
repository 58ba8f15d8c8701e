/* SPDX-License-Identifier: Apache-2.0 */
/* Quick modes of a phase 1 SA: their states as a table, finding and freeing them, and
 * what both sides do alike. RFC 2409 section 5.5. */
#include "ike/v1/v1.h"

#include <string.h>

struct cell {
    s2_ike1_quick_action *act;
    const char *name; /* of act, for the print */
    uint8_t next, otherwise;
};

#define ROW(state) [S2_IKE1_QUICK_##state]
#define ON(event) [S2_IKE1_QUICK_ON_##event]
#define DO(act, next)                                                                              \
    {                                                                                              \
        s2_ike1_quick_##act, #act, S2_IKE1_QUICK_##next, S2_IKE1_QUICK_##next                      \
    }
#define DO_OR(act, next, otherwise)                                                                \
    {                                                                                              \
        s2_ike1_quick_##act, #act, S2_IKE1_QUICK_##next, S2_IKE1_QUICK_##otherwise                 \
    }

/* OTHERWISE is the way without PFS. */
/* clang-format off */
static const struct cell table[S2_IKE1_QUICK_STATES][S2_IKE1_QUICK_EVENTS] = {
    ROW(NEW) = {
        ON(START) = DO_OR(begin, ASK_PUBLIC, ASKED),
        ON(RX_FIRST) = DO_OR(accept, ANSWER_PUBLIC, ANSWERED),
    },
    ROW(ASK_PUBLIC) = {
        ON(JOB_DONE) = DO(ask, ASKED),
        ON(JOB_FAILED) = DO(failed, OVER),
        ON(YIELD) = DO(yield, OVER),
    },
    ROW(ASKED) = {
        ON(RX) = DO_OR(take, ASK_SHARED, ASK_DONE),
        ON(REFUSED) = DO(refused, OVER),
        ON(YIELD) = DO(yield, YIELDED),
        ON(SILENCE) = DO(give_up, OVER),
    },
    ROW(ASK_SHARED) = {
        ON(JOB_DONE) = DO(complete, ASK_DONE),
        ON(JOB_FAILED) = DO(failed, OVER),
    },
    ROW(ASK_DONE) = {
        ON(EXPIRE) = DO(drop, OVER),
    },
    ROW(YIELDED) = {
        ON(RX) = DO(unwanted, YIELDED),
        ON(EXPIRE) = DO(drop, OVER),
    },
    ROW(ANSWER_PUBLIC) = {
        ON(JOB_DONE) = DO(public, ANSWER_SHARED),
        ON(JOB_FAILED) = DO(failed, OVER),
    },
    ROW(ANSWER_SHARED) = {
        ON(JOB_DONE) = DO(answer, ANSWERED),
        ON(JOB_FAILED) = DO(failed, OVER),
    },
    ROW(ANSWERED) = {
        ON(RX) = DO(confirm, OVER),
        ON(SILENCE) = DO(unconfirmed, OVER),
        ON(EXPIRE) = DO(unconfirmed, OVER),
    },
};
/* clang-format on */

static const char *const state_names[] = {
#define NAME(name, words) #name,
    S2_IKE1_QUICK_STATE_LIST(NAME)
#undef NAME
};

static const char *const event_names[] = {
#define NAME(name, words) #name,
    S2_IKE1_QUICK_EVENT_LIST(NAME)
#undef NAME
};

void s2_ike1_print_quick_states(struct s2_buffer *out)
{
    for (size_t s = 0; s < S2_IKE1_QUICK_STATES; s++) {
        for (size_t e = 0; e < S2_IKE1_QUICK_EVENTS; e++) {
            const struct cell *c = &table[s][e];

            if (c->act == NULL)
                continue;
            s2_buffer_print(out, "%-13s %-10s %-11s -> %s", state_names[s], event_names[e], c->name,
                            state_names[c->next]);
            if (c->otherwise != c->next)
                s2_buffer_print(out, " or %s", state_names[c->otherwise]);
            s2_buffer_add(out, "\n", 1);
        }
    }
}

static void set_state(struct s2_ike1_quick *q, enum s2_ike1_quick_state state)
{
    if (q->state == state || q->sa->state == S2_IKE_STATE_DEAD)
        return;
    s2_log(q->sa->ike->env, S2_LOG_DEBUG, "%s: quick mode %08x %s -> %s",
           q->sa->config->name != NULL ? q->sa->config->name : "-", q->message_id,
           state_names[q->state], state_names[state]);
    q->state = (uint8_t)state;
    s2_ike_touch(q->sa);
    s2_ike_touch(s2_ike1_home(q->sa)); /* what has waited for it may begin */
}

bool s2_ike1_quick_step(struct s2_ike1_quick *q, enum s2_ike1_quick_event event,
                        struct s2_ike1_packet *packet)
{
    const struct cell *cell = &table[q->state][event];

    if (q->sa->state == S2_IKE_STATE_DEAD || cell->act == NULL)
        return false;
    const enum s2_ike1_step step = cell->act(q, packet);
    if (step == S2_IKE1_NEXT)
        set_state(q, cell->next);
    if (step == S2_IKE1_OTHERWISE)
        set_state(q, cell->otherwise);
    if (step == S2_IKE1_ENDED)
        set_state(q, S2_IKE1_QUICK_OVER);
    return step != S2_IKE1_IGNORED;
}

/* ---- life */

s2svpn_status s2_ike1_quick_new(struct s2_ike_sa *sa, bool initiator, uint32_t message_id,
                                struct s2_ike1_quick **out)
{
    struct s2_ike *ike = sa->ike;
    struct s2_ike1_quick *q;

    if (sa->v1->quick_count >= S2_IKE1_QUICKS_MAX)
        return s2_fail(ike->env, S2SVPN_E_LIMIT, NULL, "too many quick modes at once");
    q = s2_alloc(ike->env, sizeof(*q));
    if (q == NULL)
        return s2_fail(ike->env, S2SVPN_E_MEMORY, NULL, "no memory for a quick mode");
    q->making = s2_alloc(ike->env, sizeof(*q->making));
    if (q->making == NULL ||
        s2_random(ike->env, q->making->nonce, sizeof(q->making->nonce)) != S2SVPN_OK ||
        s2_ike1_iv_message(&ike->crypto, &sa->v1->keys, &sa->v1->iv, message_id, &q->iv) !=
            S2SVPN_OK) {
        s2_free(ike->env, q->making);
        s2_free(ike->env, q);
        return s2_fail(ike->env, S2SVPN_E_MEMORY, NULL, "a quick mode could not be made");
    }
    q->sa = sa;
    q->message_id = message_id;
    q->initiator = initiator;
    q->end_ns = S2SVPN_NEVER;
    s2_list_append(&sa->v1->quicks, &q->link);
    sa->v1->quick_count++;
    s2_ike_touch(sa);
    *out = q;
    return S2SVPN_OK;
}

void s2_ike1_quick_free(struct s2_ike1_quick *q)
{
    struct s2_ike_sa *sa = q->sa;

    s2_list_remove(&q->link);
    sa->v1->quick_count--;
    s2_ike_making_free(sa, &q->making);
    s2_ike1_out_clear(sa, &q->out);
    s2_ike_bytes_clear(sa->ike, &q->answer);
    s2_wipe(q, sizeof(*q));
    s2_free(sa->ike->env, q);
}

struct s2_ike1_quick *s2_ike1_quick_find(const struct s2_ike_sa *sa, uint32_t message_id)
{
    S2_LIST_EACH(&sa->v1->quicks, it) {
        struct s2_ike1_quick *q = S2_CONTAINER(it, struct s2_ike1_quick, link);

        if (q->message_id == message_id && q->state != S2_IKE1_QUICK_OVER)
            return q;
    }
    return NULL;
}

struct s2_ike1_quick *s2_ike1_quick_ours(const struct s2_ike_sa *sa)
{
    S2_LIST_EACH(&sa->v1->quicks, it) {
        struct s2_ike1_quick *q = S2_CONTAINER(it, struct s2_ike1_quick, link);

        if (q->initiator && q->state < S2_IKE1_QUICK_ASK_DONE)
            return q;
    }
    return NULL;
}

bool s2_ike1_is_busy(const struct s2_ike_sa *sa)
{
    S2_LIST_EACH(&sa->v1->quicks, it) {
        const uint8_t state = S2_CONTAINER(it, struct s2_ike1_quick, link)->state;

        if (state != S2_IKE1_QUICK_ASK_DONE && state != S2_IKE1_QUICK_YIELDED &&
            state != S2_IKE1_QUICK_OVER)
            return true;
    }
    return false;
}

static void work(struct s2_ike1_quick *q)
{
    struct s2_ike_kex *kex = q->making != NULL ? q->making->kex : NULL;

    if (kex == NULL || kex->state != S2_IKE_KEX_DONE)
        return;
    kex->state = S2_IKE_KEX_IDLE;
    s2_ike1_quick_step(
        q, kex->result == S2SVPN_OK ? S2_IKE1_QUICK_ON_JOB_DONE : S2_IKE1_QUICK_ON_JOB_FAILED,
        NULL);
}

void s2_ike1_quick_work(struct s2_ike_sa *sa)
{
    S2_LIST_EACH(&sa->v1->quicks, it) {
        work(S2_CONTAINER(it, struct s2_ike1_quick, link));
        if (sa->state == S2_IKE_STATE_DEAD)
            return;
    }
    S2_LIST_EACH(&sa->v1->quicks, it) {
        struct s2_ike1_quick *q = S2_CONTAINER(it, struct s2_ike1_quick, link);

        if (q->state != S2_IKE1_QUICK_OVER)
            continue;
        s2_ike1_quick_free(q);
    }
}

/* ---- what both sides do */

struct s2_ike1_terms s2_ike1_quick_terms(const struct s2_ike_sa *sa)
{
    return (struct s2_ike1_terms){
        .crypto = sa->ike->crypto.ops,
        .choices = &sa->config->esp,
        .protocol = S2_IKE1_PROTO_ESP,
        .udp = sa->udp,
        .draft = sa->v1->draft,
        .life_s = sa->config->child_lifetime_s,
        .life_kb = sa->config->child_lifetime_kb,
    };
}

s2svpn_status s2_ike1_quick_read(struct s2_ike1_quick *q, const struct s2_ike1_payloads *list,
                                 s2svpn_span *ke)
{
    const struct s2_ike1_payload *nonce_payload = s2_ike1_find(list, S2_IKE1_PAYLOAD_NONCE);
    const struct s2_ike1_payload *ke_payload = s2_ike1_find(list, S2_IKE1_PAYLOAD_KE);
    struct s2_ike_making *m = q->making;
    struct s2_reader r;
    s2svpn_span nonce;

    *ke = s2_span(NULL, 0);
    if (nonce_payload == NULL || (ke_payload != NULL) != (q->suite.ke != S2SVPN_KE_NONE))
        return S2SVPN_E_MALFORMED;
    s2_reader_init(&r, nonce_payload->body.p, nonce_payload->body.len);
    s2svpn_status rc = s2_ike1_parse_nonce(&r, &nonce);
    if (rc != S2SVPN_OK)
        return rc;
    if (ke_payload != NULL) {
        s2_reader_init(&r, ke_payload->body.p, ke_payload->body.len);
        rc = s2_ike1_parse_ke(&r, ke);
        if (rc != S2SVPN_OK)
            return rc;
    }
    memcpy(m->peer_nonce, nonce.p, nonce.len);
    m->peer_nonce_len = (uint16_t)nonce.len;
    return S2SVPN_OK;
}

enum s2_ike1_step s2_ike1_quick_drop(struct s2_ike1_quick *q, struct s2_ike1_packet *packet)
{
    (void)packet;
    s2_ike1_see(q->sa, q->message_id);
    return S2_IKE1_NEXT;
}
