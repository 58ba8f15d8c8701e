/* SPDX-License-Identifier: Apache-2.0 */
/* The states of an IKEv1 phase 1 SA as a table, its beginning and its end, and the work
 * that the outermost leave does. What an action does stands with its exchange; quick
 * mode has a table of its own. RFC 2409 sections 5.4, 5.5, 5.7. */
#include "ike/v1/v1.h"

/* An empty cell is an event that the state doesn't expect: the message is dropped and
 * changes nothing. */
struct cell {
    s2_ike1_action *act;
    const char *name; /* of act, for the print */
    uint8_t next, otherwise;
};

#define ROW(state) [S2_IKE1_STATE_##state]
#define ON(event) [S2_IKE1_EVENT_##event]
#define DO(act, next)                                                                              \
    {                                                                                              \
        s2_ike1_##act, #act, S2_IKE1_STATE_##next, S2_IKE1_STATE_##next                            \
    }
#define DO_OR(act, next, otherwise)                                                                \
    {                                                                                              \
        s2_ike1_##act, #act, S2_IKE1_STATE_##next, S2_IKE1_STATE_##otherwise                       \
    }

/* clang-format off */
static const struct cell table[S2_IKE1_STATES][S2_IKE1_EVENTS] = {
    ROW(NEW) = {
        ON(START) = DO_OR(ask_sa, ASK_SA, AGGR_PUBLIC),
        ON(RX_FIRST) = DO(answer_sa, ANSWER_SA),
    },
    ROW(ASK_SA) = {
        ON(RX_PLAIN) = DO(take_sa, ASK_PUBLIC),
        ON(RX_HINT) = DO(hint, ASK_SA),
        ON(SILENCE) = DO(end_silence, DEAD),
    },
    ROW(ASK_PUBLIC) = {
        ON(JOB_DONE) = DO(ask_ke, ASK_KE),
        ON(JOB_FAILED) = DO(end_job, DEAD),
    },
    ROW(ASK_KE) = {
        ON(RX_PLAIN) = DO(take_ke, ASK_SHARED),
        ON(RX_HINT) = DO(hint, ASK_KE),
        ON(SILENCE) = DO(end_silence, DEAD),
    },
    ROW(ASK_SHARED) = {
        ON(JOB_DONE) = DO(ask_id, ASK_ID),
        ON(JOB_FAILED) = DO_OR(bad_value, DEAD, ASK_KE),
    },
    ROW(ASK_ID) = {
        ON(RX_SEALED) = DO(take_id, UP),
        ON(RX_HINT) = DO(hint, ASK_ID),
        ON(SILENCE) = DO(end_silence, DEAD),
    },
    ROW(AGGR_PUBLIC) = {
        ON(JOB_DONE) = DO(aggressive_ask, AGGR_KE),
        ON(JOB_FAILED) = DO(end_job, DEAD),
    },
    ROW(AGGR_KE) = {
        ON(RX_PLAIN) = DO(aggressive_take, AGGR_SHARED),
        ON(RX_HINT) = DO(hint, AGGR_KE),
        ON(SILENCE) = DO(end_silence, DEAD),
    },
    ROW(AGGR_SHARED) = {
        ON(JOB_DONE) = DO_OR(aggressive_complete, UP, AGGR_KE),
        ON(JOB_FAILED) = DO_OR(bad_value, DEAD, AGGR_KE),
    },
    ROW(ANSWER_SA) = {
        ON(RX_PLAIN) = DO(accept_ke, ANSWER_PUBLIC),
        ON(EXPIRE) = DO(end_half, DEAD),
    },
    ROW(ANSWER_PUBLIC) = {
        ON(JOB_DONE) = DO(answer_ke, ANSWER_KE),
        ON(JOB_FAILED) = DO(end_half, DEAD),
        ON(EXPIRE) = DO(end_half, DEAD),
    },
    ROW(ANSWER_KE) = {
        ON(RX_SEALED) = DO_OR(hold_id, ANSWER_SHARED, UP),
        ON(EXPIRE) = DO(end_half, DEAD),
    },
    ROW(ANSWER_SHARED) = {
        ON(JOB_DONE) = DO_OR(answer_id, UP, ANSWER_KE),
        ON(JOB_FAILED) = DO(end_half, DEAD),
        ON(EXPIRE) = DO(end_half, DEAD),
    },
    ROW(UP) = {
        ON(RX_QUICK) = DO(quick_receive, UP),
        ON(RX_INFO) = DO(info_receive, UP),
        ON(SILENCE) = DO(end_silence, DEAD),
        ON(TAKEN_OVER) = DO(hand_over, REPLACED),
        ON(BEREFT) = DO(bereave, ORPHAN),
    },
    ROW(REPLACED) = {
        ON(RX_QUICK) = DO(quick_receive, REPLACED),
        ON(RX_INFO) = DO(info_receive, REPLACED),
        ON(EXPIRE) = DO(end_expired, DEAD),
        ON(TAKE_BACK) = DO(take_back, UP),
    },
    ROW(ORPHAN) = {
        ON(EXPIRE) = DO(end_expired, DEAD),
    },
};
/* clang-format on */

static const char *const state_names[] = {
#define NAME(name, common, words) #name,
    S2_IKE1_STATE_LIST(NAME)
#undef NAME
};
static const char *const event_names[] = {
#define NAME(name, words) #name,
    S2_IKE1_EVENT_LIST(NAME)
#undef NAME
};
static const uint8_t common_states[] = {
#define COMMON(name, common, words) S2_IKE_STATE_##common,
    S2_IKE1_STATE_LIST(COMMON)
#undef COMMON
};

bool s2_ike1_expects(const struct s2_ike_sa *sa, enum s2_ike1_event event)
{
    return sa->state != S2_IKE_STATE_DEAD && table[sa->v1->state][event].act != NULL;
}

void s2_ike1_set_state(struct s2_ike_sa *sa, enum s2_ike1_state state)
{
    struct s2_ike1 *v1 = sa->v1;

    if (sa->state == S2_IKE_STATE_DEAD || v1->state == state)
        return;
    s2_log(sa->ike->env, S2_LOG_DEBUG, "%s: phase 1 %s -> %s",
           sa->config->name != NULL ? sa->config->name : "-", state_names[v1->state],
           state_names[state]);
    v1->state = (uint8_t)state;
    s2_ike_set_state(sa, common_states[state]);
    if (state == S2_IKE1_STATE_UP && v1->handshake != NULL)
        s2_ike1_enter_up(sa);
}

bool s2_ike1_step(struct s2_ike_sa *sa, enum s2_ike1_event event, struct s2_ike1_packet *packet)
{
    if (!s2_ike1_expects(sa, event))
        return false;
    const struct cell *cell = &table[sa->v1->state][event];
    const enum s2_ike1_step step = cell->act(sa, packet);

    if (step == S2_IKE1_NEXT)
        s2_ike1_set_state(sa, cell->next);
    if (step == S2_IKE1_OTHERWISE)
        s2_ike1_set_state(sa, cell->otherwise);
    s2_ike_touch(sa);
    return step != S2_IKE1_IGNORED;
}

void s2_ike1_print_states(struct s2_buffer *out)
{
    for (size_t s = 0; s < S2_IKE1_STATES; s++) {
        for (size_t e = 0; e < S2_IKE1_EVENTS; e++) {
            const struct cell *c = &table[s][e];

            if (c->act == NULL)
                continue;
            s2_buffer_print(out, "%-13s %-10s %-19s -> %s", state_names[s], event_names[e], c->name,
                            state_names[c->next]);
            if (c->otherwise != c->next)
                s2_buffer_print(out, " or %s", state_names[c->otherwise]);
            s2_buffer_add(out, "\n", 1);
        }
    }
}

/* ---- beginning and end */

s2svpn_status s2_ike1_attach(struct s2_ike_sa *sa)
{
    struct s2_ike *ike = sa->ike;
    struct s2_ike1 *v1 = s2_alloc(ike->env, sizeof(*v1));

    if (v1 == NULL)
        return s2_fail(ike->env, S2SVPN_E_MEMORY, NULL, "no memory for an IKEv1 SA");
    v1->handshake = s2_alloc(ike->env, sizeof(*v1->handshake));
    if (v1->handshake == NULL) {
        s2_free(ike->env, v1);
        return s2_fail(ike->env, S2SVPN_E_MEMORY, NULL, "no memory for an IKEv1 SA");
    }
    v1->handshake->natt = S2_IKE1_VENDOR_COUNT;
    s2_list_init(&v1->quicks);
    sa->v1 = v1;
    s2_timer_init(&sa->alarm, s2_ike1_alarm_fire, sa);
    return S2SVPN_OK;
}

void s2_ike1_stop(struct s2_ike_sa *sa)
{
    struct s2_ike1 *v1 = sa->v1;

    if (v1->handshake != NULL)
        s2_ike_kex_cancel(sa, v1->handshake->kex);
    S2_LIST_EACH(&v1->quicks, it) {
        s2_ike_making_stop(sa, S2_CONTAINER(it, struct s2_ike1_quick, link)->making);
    }
}

void s2_ike1_handshake_free(struct s2_ike_sa *sa)
{
    struct s2_ike1_handshake *h = sa->v1->handshake;

    if (h == NULL)
        return;
    s2_ike_kex_free(sa, &h->kex);
    s2_ike_bytes_clear(sa->ike, &h->offer);
    s2_ike_bytes_clear(sa->ike, &h->held);
    s2_wipe(h, sizeof(*h));
    s2_free(sa->ike->env, h);
    sa->v1->handshake = NULL;
}

void s2_ike1_free(struct s2_ike_sa *sa)
{
    struct s2_ike1 *v1 = sa->v1;
    struct s2_link *it;

    if (v1 == NULL)
        return;
    while ((it = s2_list_take_first(&v1->quicks)) != NULL)
        s2_ike1_quick_free(S2_CONTAINER(it, struct s2_ike1_quick, link));
    s2_ike1_handshake_free(sa);
    s2_ike1_out_clear(sa, &v1->out);
    for (size_t i = 0; i < v1->notices; i++)
        s2_ike_bytes_clear(sa->ike, &v1->notice[i]);
    s2_ike1_fragments_free(sa->ike->env, &v1->parts);
    s2_ike1_keys_clear(&v1->keys);
    s2_wipe(v1, sizeof(*v1));
    s2_free(sa->ike->env, v1);
    sa->v1 = NULL;
}

bool s2_ike1_forget_candidate(struct s2_ike_sa *sa, const struct s2_ike_config *config)
{
    struct s2_ike1_handshake *h = sa->v1->handshake;

    if (h == NULL)
        return false;
    for (size_t i = 0; i < h->candidates;) {
        if (h->candidate[i] == config)
            h->candidate[i] = h->candidate[--h->candidates];
        else
            i++;
    }
    if (sa->config != config)
        return false;
    if (h->candidates > 0)
        sa->config = h->candidate[0]; /* the others may still be meant */
    return h->candidates == 0;
}

/* ---- the work */

static void work_handshake(struct s2_ike_sa *sa)
{
    struct s2_ike1_handshake *h = sa->v1->handshake;

    if (h == NULL || h->kex == NULL || h->kex->state != S2_IKE_KEX_DONE)
        return;
    h->kex->state = S2_IKE_KEX_IDLE;
    s2_ike1_step(
        sa, h->kex->result == S2SVPN_OK ? S2_IKE1_EVENT_JOB_DONE : S2_IKE1_EVENT_JOB_FAILED, NULL);
}

void s2_ike1_work(struct s2_ike_sa *sa)
{
    if (sa->state == S2_IKE_STATE_DEAD)
        return;
    work_handshake(sa);
    s2_ike1_quick_work(sa);
    s2_ike1_next_task(sa);
    s2_ike1_deadlines_arm(sa);
    s2_ike1_flush(sa);
}

/* ---- actions that only end things */

enum s2_ike1_step s2_ike1_end_job(struct s2_ike_sa *sa, struct s2_ike1_packet *packet)
{
    (void)packet;
    s2_ike_sa_kill(sa, S2_IKE_REASON_CRYPTO, s2svpn_status_text(sa->v1->handshake->kex->result));
    return S2_IKE1_ENDED;
}

enum s2_ike1_step s2_ike1_end_half(struct s2_ike_sa *sa, struct s2_ike1_packet *packet)
{
    (void)packet;
    s2_ike_sa_kill(sa, S2_IKE_REASON_TIMEOUT, "");
    return S2_IKE1_ENDED;
}

/* A responder that can't read the fifth message has no way to say so: it is silent, or
 * sends a notification that anybody could have sent. */
static void end_unanswered(struct s2_ike_sa *sa)
{
    const struct s2_ike1_handshake *h = sa->v1->handshake;
    char words[S2_IKE_DETAIL_SIZE] = "";

    if (h->refusal != 0)
        s2_print(words, sizeof(words), "it answered %s, without proof",
                 s2_ike1_notify_name(h->refusal));
    if (h->unreadable && h->refusal == 0)
        s2_copy_text(words, sizeof(words), "it answered with what our key does not open");
    if (h->bad_proof)
        s2_ike_sa_kill(sa, S2_IKE_REASON_AUTHENTICATION, "the peer's proof is wrong");
    else if (sa->v1->state == S2_IKE1_STATE_ASK_ID && words[0] != '\0')
        s2_ike_sa_kill(sa, S2_IKE_REASON_PEER_AUTHENTICATION, words);
    else if (sa->v1->state == S2_IKE1_STATE_ASK_ID)
        s2_ike_sa_kill(sa, S2_IKE_REASON_TIMEOUT,
                       "none to the first encrypted message: check the pre-shared key");
    else
        s2_ike_sa_kill(sa, S2_IKE_REASON_TIMEOUT, words);
}

enum s2_ike1_step s2_ike1_end_silence(struct s2_ike_sa *sa, struct s2_ike1_packet *packet)
{
    (void)packet;
    if (sa->v1->handshake != NULL)
        end_unanswered(sa);
    else if (!s2_ike1_siblings_outlive(sa))
        s2_ike_sa_kill(sa, S2_IKE_REASON_DPD, "");
    return S2_IKE1_ENDED;
}
