/* SPDX-License-Identifier: Apache-2.0 */
/* The states of an IKE SA as a table, and the loop that delivers what jobs and
 * commands left behind. What an action does stands with its exchange.
 * RFC 7296 sections 1.2 to 1.4, 2.21, 2.25. */
#include "ike/v2/v2.h"

#include "base/text.h"

/* An empty cell is an event that the state doesn't expect: the message is dropped
 * and changes nothing. */
struct cell {
    s2_ike_action *act;
    const char *name; /* of act, for the print */
    uint8_t next, otherwise;
    uint8_t wait; /* NEW: it never waits */
};

#define ROW(state) [S2_IKE_STATE_##state]
#define ON(event) [S2_IKE_EVENT_##event]
#define DO(act, next)                                                                              \
    {                                                                                              \
        s2_ike_##act, #act, S2_IKE_STATE_##next, S2_IKE_STATE_##next, S2_IKE_STATE_NEW             \
    }
#define DO_OR(act, next, otherwise)                                                                \
    {                                                                                              \
        s2_ike_##act, #act, S2_IKE_STATE_##next, S2_IKE_STATE_##otherwise, S2_IKE_STATE_NEW        \
    }
/* With certificates a signature job comes first. */
#define DO_OR_WAIT(act, next, otherwise, wait)                                                     \
    {                                                                                              \
        s2_ike_##act, #act, S2_IKE_STATE_##next, S2_IKE_STATE_##otherwise, S2_IKE_STATE_##wait     \
    }

/* clang-format off */
static const struct cell table[S2_IKE_STATES][S2_IKE_EVENTS] = {
    ROW(NEW) = {
        ON(START) = DO(init_start, INIT_KE),
        ON(INHERIT) = DO(inherit, UP),
        ON(RX_INIT_REQUEST) = DO(init_accept, HALF_KE),
    },
    ROW(INIT_KE) = {
        ON(JOB_DONE) = DO(init_send, INIT_SENT),
        ON(JOB_FAILED) = DO(end_job, DEAD),
    },
    ROW(INIT_SENT) = {
        ON(RX_INIT_RESPONSE) = DO(init_response, INIT_SHARED),
        ON(RX_COOKIE) = DO(init_cookie, INIT_SENT),
        ON(RX_INVALID_KE) = DO(init_other_group, INIT_KE),
        ON(RX_INIT_ERROR) = DO(init_refused, DEAD),
        ON(SILENCE) = DO(end_silence, DEAD),
    },
    ROW(INIT_SHARED) = {
        ON(JOB_DONE) = DO_OR_WAIT(auth_send, AUTH_SENT, AUTH_SENT, AUTH_SIGNING),
        ON(JOB_FAILED) = DO_OR(init_bad_value, DEAD, INIT_SENT),
    },
    ROW(AUTH_SIGNING) = {
        ON(JOB_DONE) = DO(auth_signed, AUTH_SENT),
        ON(JOB_FAILED) = DO(end_job, DEAD),
    },
    ROW(AUTH_SENT) = {
        ON(RX_AUTH_RESPONSE) = DO_OR_WAIT(auth_response, UP, CLOSING, AUTH_VERIFYING),
        ON(SILENCE) = DO(end_silence, DEAD),
    },
    ROW(AUTH_VERIFYING) = {
        ON(JOB_DONE) = DO_OR(auth_verified, UP, CLOSING),
        ON(JOB_FAILED) = DO(auth_unverified, CLOSING),
    },
    ROW(HALF_KE) = {
        ON(JOB_DONE) = DO(init_answer, HALF_OPEN),
        ON(JOB_FAILED) = DO(end_half, DEAD),
        ON(EXPIRE) = DO(end_half, DEAD),
    },
    ROW(HALF_OPEN) = {
        ON(RX_SEALED) = DO(auth_hold, HALF_SHARED),
        ON(RX_AUTH_REQUEST) = DO(auth_identify, HALF_IDENTIFY),
        ON(EXPIRE) = DO(end_half, DEAD),
    },
    ROW(HALF_SHARED) = {
        ON(JOB_DONE) = DO_OR(auth_open, HALF_IDENTIFY, HALF_OPEN),
        ON(JOB_FAILED) = DO(end_half, DEAD),
        ON(EXPIRE) = DO(end_half, DEAD),
    },
    ROW(HALF_IDENTIFY) = {
        ON(IDENTIFIED) = DO_OR_WAIT(auth_check, UP, REFUSED, HALF_VERIFYING),
        ON(EXPIRE) = DO(end_half, DEAD),
    },
    ROW(HALF_VERIFYING) = {
        ON(JOB_DONE) = DO_OR(half_verified, HALF_SIGNING, REFUSED),
        ON(JOB_FAILED) = DO(half_unverified, REFUSED),
        ON(EXPIRE) = DO(end_half, DEAD),
    },
    ROW(HALF_SIGNING) = {
        ON(JOB_DONE) = DO(half_signed, UP),
        ON(JOB_FAILED) = DO(half_unsigned, REFUSED),
        ON(EXPIRE) = DO(end_half, DEAD),
    },
    ROW(REFUSED) = {
        ON(EXPIRE) = DO(end_half, DEAD),
    },
    ROW(UP) = {
        ON(RX_CHILD_REQUEST) = DO(create_request, UP),
        ON(RX_CHILD_RESPONSE) = DO(create_response, UP),
        ON(RX_INFO_REQUEST) = DO(info_request, UP),
        ON(RX_INFO_RESPONSE) = DO(info_response, UP),
        ON(REPLACED) = DO(hand_over, REKEYED),
        ON(SILENCE) = DO(end_silence, DEAD),
        ON(EXPIRE) = DO(end_expired, UP),
        ON(CLOSE) = DO(close_up, CLOSING),
    },
    ROW(REKEYED) = {
        ON(RX_CHILD_REQUEST) = DO(create_refuse, REKEYED),
        ON(RX_INFO_REQUEST) = DO(info_request, REKEYED),
        ON(RX_INFO_RESPONSE) = DO(info_response, REKEYED),
        ON(SILENCE) = DO(end_silence, DEAD),
        ON(EXPIRE) = DO(end_expired, REKEYED),
        ON(CLOSE) = DO(close_up, CLOSING),
    },
    ROW(CLOSING) = {
        ON(RX_CHILD_REQUEST) = DO(create_refuse, CLOSING),
        ON(RX_INFO_REQUEST) = DO(info_request, CLOSING),
        ON(RX_INFO_RESPONSE) = DO(info_closed, DEAD),
        ON(SILENCE) = DO(end_silence, DEAD),
    },
};
/* clang-format on */

static const char *const state_names[] = {
#define NAME(name, words) #name,
    S2_IKE_STATE_LIST(NAME)
#undef NAME
};
static const char *const event_names[] = {
#define NAME(name, words) #name,
    S2_IKE_EVENT_LIST(NAME)
#undef NAME
};

bool s2_ike_expects(const struct s2_ike_sa *sa, enum s2_ike_event event)
{
    return table[sa->state][event].act != NULL;
}

/* What begins with a state begins here, so that no action can forget it. */
static void enter_state(struct s2_ike_sa *sa)
{
    if (sa->state == S2_IKE_STATE_UP && sa->handshake != NULL)
        s2_ike_auth_enter_up(sa);
    if (sa->state == S2_IKE_STATE_CLOSING)
        s2_ike_info_send_close(sa);
}

void s2_ike_set_state(struct s2_ike_sa *sa, enum s2_ike_state state)
{
    struct s2_ike *ike = sa->ike;
    const uint8_t old = sa->state;

    if (old == (uint8_t)state || old == S2_IKE_STATE_DEAD)
        return;
    if (s2_ike_state_is_half(old) && !s2_ike_state_is_half((uint8_t)state)) {
        s2_list_remove(&sa->half_link);
        ike->returned -= sa->returned;
        ike->counters.half_open--;
    }
    if (!s2_ike_state_is_half(old) && s2_ike_state_is_half((uint8_t)state)) {
        s2_list_append(sa->returned ? &ike->half_returned : &ike->half_open, &sa->half_link);
        ike->returned += sa->returned;
        ike->counters.half_open++;
    }
    sa->state = (uint8_t)state;
    s2_log(ike->env, S2_LOG_DEBUG, "%s: IKE SA %s -> %s",
           sa->config->name != NULL ? sa->config->name : "-", state_names[old], state_names[state]);
    enter_state(sa);
}

bool s2_ike_step(struct s2_ike_sa *sa, enum s2_ike_event event, const struct s2_ike_packet *packet)
{
    const struct cell *cell = &table[sa->state][event];

    if (cell->act == NULL)
        return false;
    const enum s2_ike_step step = cell->act(sa, packet);
    if (step == S2_IKE_NEXT)
        s2_ike_set_state(sa, cell->next);
    if (step == S2_IKE_OTHERWISE)
        s2_ike_set_state(sa, cell->otherwise);
    if (step == S2_IKE_WAIT)
        s2_ike_set_state(sa, cell->wait);
    s2_ike_touch(sa);
    return step != S2_IKE_IGNORED;
}

static bool take_done(struct s2_ike_kex *kex)
{
    if (kex == NULL || kex->state != S2_IKE_KEX_DONE)
        return false;
    kex->state = S2_IKE_KEX_IDLE;
    return true;
}

static void step_job(struct s2_ike_sa *sa, s2svpn_status result)
{
    s2_ike_step(sa, result == S2SVPN_OK ? S2_IKE_EVENT_JOB_DONE : S2_IKE_EVENT_JOB_FAILED, NULL);
}

static void work_handshake(struct s2_ike_sa *sa)
{
    struct s2_ike_handshake *h = sa->handshake;

    if (h == NULL)
        return;
    if (take_done(h->making.kex)) {
        step_job(sa, h->making.kex->result);
    } else if (s2_ike_proof_take(h->proof)) {
        step_job(sa, h->proof->result);
    } else if (h->identified && sa->state == S2_IKE_STATE_HALF_IDENTIFY) {
        h->identified = false;
        s2_ike_step(sa, S2_IKE_EVENT_IDENTIFIED, NULL);
    }
}

void s2_ike_work(struct s2_ike_sa *sa)
{
    work_handshake(sa);
    if (sa->asking != NULL && take_done(sa->asking->kex))
        s2_ike_create_ask_job(sa);
    if (sa->answering != NULL && take_done(sa->answering->kex))
        s2_ike_create_answer_job(sa);
    s2_ike_next_task(sa);
    s2_ike_deadlines_arm(sa);
    s2_ike_flush(sa);
    s2_ike_take_ahead(sa); /* touches it again */
}

void s2_ike_print_states(struct s2_buffer *out)
{
    for (size_t s = 0; s < S2_IKE_STATES; s++) {
        for (size_t e = 0; e < S2_IKE_EVENTS; e++) {
            const struct cell *c = &table[s][e];

            if (c->act == NULL)
                continue;
            s2_buffer_print(out, "%-14s %-17s %-16s -> %s", state_names[s], event_names[e], c->name,
                            state_names[c->next]);
            if (c->otherwise != c->next)
                s2_buffer_print(out, " or %s", state_names[c->otherwise]);
            if (c->wait != S2_IKE_STATE_NEW)
                s2_buffer_print(out, ", by certificate %s", state_names[c->wait]);
            s2_buffer_add(out, "\n", 1);
        }
    }
}

/* ---- actions that only end things */

enum s2_ike_step s2_ike_end_job(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    const struct s2_ike_handshake *h = sa->handshake;
    const s2svpn_status rc = h->proof != NULL ? h->proof->result : h->making.kex->result;

    (void)packet;
    s2_ike_sa_kill(sa, S2_IKE_REASON_CRYPTO, s2svpn_status_text(rc));
    return S2_IKE_ENDED;
}

enum s2_ike_step s2_ike_end_half(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    (void)packet;
    s2_ike_sa_kill(sa, S2_IKE_REASON_TIMEOUT, "");
    return S2_IKE_ENDED;
}

enum s2_ike_step s2_ike_end_silence(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    (void)packet;
    if (sa->handshake != NULL)
        s2_ike_sa_kill(sa, S2_IKE_REASON_TIMEOUT, sa->handshake->hint);
    else if (sa->state == S2_IKE_STATE_CLOSING || sa->want_close)
        s2_ike_sa_kill(sa, sa->reason, sa->detail);
    else if (sa->state == S2_IKE_STATE_REKEYED)
        s2_ike_sa_kill(sa, S2_IKE_REASON_REPLACED, "");
    else
        s2_ike_sa_kill(sa, S2_IKE_REASON_DPD, "");
    return S2_IKE_ENDED;
}

/* The peer should have deleted it. */
enum s2_ike_step s2_ike_end_expired(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    (void)packet;
    sa->grace_at_ns = S2SVPN_NEVER;
    s2_ike_sa_close(sa, S2_IKE_REASON_REPLACED, "");
    return S2_IKE_STAY;
}

enum s2_ike_step s2_ike_close_up(struct s2_ike_sa *sa, const struct s2_ike_packet *packet)
{
    (void)packet;
    sa->want_close = false;
    return S2_IKE_NEXT;
}
