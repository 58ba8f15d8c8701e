/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The table of RFC 4271 section 8.2.2, with RFC 9687's event, for one connection. It says what is done;
 * session.c does it. Where we differ:
 *
 * - Connect, stream fails: Active, not Idle. The RFC's Idle would start again by
 *   itself after the same wait, but not listen meanwhile.
 * - OpenSent, NOTIFICATION: no answer. An error in an error isn't reported
 *   (section 6.4).
 * - Version errors (24) are notifications like others.
 * - There is no DelayOpenTimer (optional, section 8.1.1), so no event 12 and 20.
 * - A second stream (16, 17 from OpenSent on) has an FSM of its own.
 */
#include "bgp/fsm.h"

#define STATES (S2_BGP_ESTABLISHED + 1)

#define STAY(state)                                                                                \
    {                                                                                              \
        S2_BGP_DO_NOTHING, S2_BGP_##state                                                          \
    }
#define DO(action, state)                                                                          \
    {                                                                                              \
        S2_BGP_DO_##action, S2_BGP_##state                                                         \
    }

/* A cell that is left out does nothing and stays: see s2_bgp_fsm. */
static const struct s2_bgp_transition table[STATES][S2_BGP_EVENTS] =
    {
        [S2_BGP_IDLE] =
            {
                [S2_BGP_EV_START] = DO(CONNECT, CONNECT),
                [S2_BGP_EV_LISTEN] = STAY(ACTIVE),
            },
        [S2_BGP_CONNECT] =
            {
                [S2_BGP_EV_STOP] = DO(RELEASE, IDLE),
                [S2_BGP_EV_AUTOMATIC_STOP] = DO(RELEASE, IDLE),
                [S2_BGP_EV_RETRY] = DO(CONNECT, CONNECT),
                [S2_BGP_EV_HOLD] = DO(RELEASE, IDLE),
                [S2_BGP_EV_KEEPALIVE_TIMER] = DO(RELEASE, IDLE),
                [S2_BGP_EV_STREAM_UP] = DO(OPEN, OPEN_SENT),
                [S2_BGP_EV_STREAM_FAILS] = DO(RELEASE, ACTIVE),
                [S2_BGP_EV_OPEN] = DO(RELEASE, IDLE),
                [S2_BGP_EV_HEADER_ERROR] = DO(RELEASE, IDLE),
                [S2_BGP_EV_OPEN_ERROR] = DO(RELEASE, IDLE),
                [S2_BGP_EV_COLLISION] = DO(RELEASE, IDLE),
                [S2_BGP_EV_NOTIFICATION] = DO(RELEASE, IDLE),
                [S2_BGP_EV_KEEPALIVE] = DO(RELEASE, IDLE),
                [S2_BGP_EV_UPDATE] = DO(RELEASE, IDLE),
                [S2_BGP_EV_UPDATE_ERROR] = DO(RELEASE, IDLE),
                [S2_BGP_EV_REFRESH] = DO(RELEASE, IDLE),
            },
        [S2_BGP_ACTIVE] =
            {
                [S2_BGP_EV_STOP] = DO(RELEASE, IDLE),
                [S2_BGP_EV_AUTOMATIC_STOP] = DO(RELEASE, IDLE),
                [S2_BGP_EV_RETRY] = DO(CONNECT, CONNECT),
                [S2_BGP_EV_HOLD] = DO(RELEASE, IDLE),
                [S2_BGP_EV_KEEPALIVE_TIMER] = DO(RELEASE, IDLE),
                [S2_BGP_EV_STREAM_UP] = DO(OPEN, OPEN_SENT),
                [S2_BGP_EV_STREAM_FAILS] = DO(RELEASE, IDLE),
                [S2_BGP_EV_OPEN] = DO(RELEASE, IDLE),
                [S2_BGP_EV_HEADER_ERROR] = DO(RELEASE, IDLE),
                [S2_BGP_EV_OPEN_ERROR] = DO(RELEASE, IDLE),
                [S2_BGP_EV_COLLISION] = DO(RELEASE, IDLE),
                [S2_BGP_EV_NOTIFICATION] = DO(RELEASE, IDLE),
                [S2_BGP_EV_KEEPALIVE] = DO(RELEASE, IDLE),
                [S2_BGP_EV_UPDATE] = DO(RELEASE, IDLE),
                [S2_BGP_EV_UPDATE_ERROR] = DO(RELEASE, IDLE),
                [S2_BGP_EV_REFRESH] = DO(RELEASE, IDLE),
            },
        [S2_BGP_OPEN_SENT] =
            {
                [S2_BGP_EV_STOP] = DO(NOTIFY, IDLE),
                [S2_BGP_EV_AUTOMATIC_STOP] = DO(NOTIFY, IDLE),
                [S2_BGP_EV_RETRY] = DO(FSM_ERROR, IDLE),
                [S2_BGP_EV_HOLD] = DO(NOTIFY, IDLE),
                [S2_BGP_EV_KEEPALIVE_TIMER] = DO(FSM_ERROR, IDLE),
                [S2_BGP_EV_STREAM_FAILS] = DO(RELEASE, ACTIVE),
                [S2_BGP_EV_OPEN] = DO(CONFIRM, OPEN_CONFIRM),
                [S2_BGP_EV_HEADER_ERROR] = DO(NOTIFY, IDLE),
                [S2_BGP_EV_OPEN_ERROR] = DO(NOTIFY, IDLE),
                [S2_BGP_EV_COLLISION] = DO(NOTIFY, IDLE),
                [S2_BGP_EV_NOTIFICATION] = DO(RELEASE, IDLE),
                [S2_BGP_EV_KEEPALIVE] = DO(FSM_ERROR, IDLE),
                [S2_BGP_EV_UPDATE] = DO(FSM_ERROR, IDLE),
                [S2_BGP_EV_UPDATE_ERROR] = DO(FSM_ERROR, IDLE),
                [S2_BGP_EV_REFRESH] = DO(FSM_ERROR, IDLE),
            },
        [S2_BGP_OPEN_CONFIRM] =
            {
                [S2_BGP_EV_STOP] = DO(NOTIFY, IDLE),
                [S2_BGP_EV_AUTOMATIC_STOP] = DO(NOTIFY, IDLE),
                [S2_BGP_EV_RETRY] = DO(FSM_ERROR, IDLE),
                [S2_BGP_EV_HOLD] = DO(NOTIFY, IDLE),
                [S2_BGP_EV_KEEPALIVE_TIMER] = DO(ALIVE, OPEN_CONFIRM),
                [S2_BGP_EV_STREAM_FAILS] = DO(RELEASE, IDLE),
                [S2_BGP_EV_OPEN] = DO(FSM_ERROR, IDLE),
                [S2_BGP_EV_HEADER_ERROR] = DO(NOTIFY, IDLE),
                [S2_BGP_EV_OPEN_ERROR] = DO(NOTIFY, IDLE),
                [S2_BGP_EV_COLLISION] = DO(NOTIFY, IDLE),
                [S2_BGP_EV_NOTIFICATION] = DO(RELEASE, IDLE),
                [S2_BGP_EV_KEEPALIVE] = DO(HEARD, ESTABLISHED),
                [S2_BGP_EV_UPDATE] = DO(FSM_ERROR, IDLE),
                [S2_BGP_EV_UPDATE_ERROR] = DO(FSM_ERROR, IDLE),
                [S2_BGP_EV_REFRESH] = DO(FSM_ERROR, IDLE),
            },
        [S2_BGP_ESTABLISHED] =
            {
                [S2_BGP_EV_STOP] = DO(NOTIFY, IDLE),
                [S2_BGP_EV_AUTOMATIC_STOP] = DO(NOTIFY, IDLE),
                [S2_BGP_EV_RETRY] = DO(FSM_ERROR, IDLE),
                [S2_BGP_EV_HOLD] = DO(NOTIFY, IDLE),
                [S2_BGP_EV_KEEPALIVE_TIMER] = DO(ALIVE, ESTABLISHED),
                [S2_BGP_EV_STREAM_FAILS] = DO(RELEASE, IDLE),
                [S2_BGP_EV_OPEN] = DO(FSM_ERROR, IDLE),
                [S2_BGP_EV_HEADER_ERROR] = DO(NOTIFY, IDLE),
                [S2_BGP_EV_OPEN_ERROR] = DO(FSM_ERROR, IDLE),
                [S2_BGP_EV_COLLISION] = DO(NOTIFY, IDLE),
                [S2_BGP_EV_NOTIFICATION] = DO(RELEASE, IDLE),
                [S2_BGP_EV_KEEPALIVE] = DO(HEARD, ESTABLISHED),
                [S2_BGP_EV_UPDATE] = DO(HEARD, ESTABLISHED),
                [S2_BGP_EV_UPDATE_ERROR] = DO(NOTIFY, IDLE),
                [S2_BGP_EV_REFRESH] = DO(RESEND, ESTABLISHED),
                [S2_BGP_EV_SEND_HOLD] = DO(NOTIFY, IDLE),
            },
};

struct s2_bgp_transition s2_bgp_fsm(enum s2_bgp_state state, enum s2_bgp_event event)
{
    struct s2_bgp_transition t = table[state][event];

    if (t.next == 0)
        t.next = state;
    return t;
}

const char *s2_bgp_state_text(enum s2_bgp_state state)
{
    switch (state) {
#define CASE(name, number, words)                                                                  \
    case (number):                                                                                 \
        return words;
        S2_BGP_STATE_LIST(CASE)
#undef CASE
    }
    return "unknown";
}

const char *s2_bgp_event_text(enum s2_bgp_event event)
{
    static const char *const words[S2_BGP_EVENTS] = {
#define WORDS(name, text) text,
        S2_BGP_EVENT_LIST(WORDS)
#undef WORDS
    };

    return words[event];
}

const char *s2_bgp_action_text(enum s2_bgp_action action)
{
    static const char *const words[S2_BGP_ACTIONS] = {
#define WORDS(name, text) text,
        S2_BGP_ACTION_LIST(WORDS)
#undef WORDS
    };

    return words[action];
}
