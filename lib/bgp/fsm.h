/* SPDX-License-Identifier: Apache-2.0 */
/* The finite state machine of one connection as data: for each state and event
 * what is done and which state follows. RFC 4271 sections 8.1 and 8.2.2. */
#ifndef S2_BGP_FSM_H
#define S2_BGP_FSM_H

#include "bgp/bgp.h"

/* X(NAME, words): the events that we have, with the RFC's numbers */
#define S2_BGP_EVENT_LIST(X)                                                                       \
    X(START, "start (1, 3)")                                                                       \
    X(LISTEN, "start, passive (4, 5)")                                                             \
    X(STOP, "stop (2)")                                                                            \
    X(AUTOMATIC_STOP, "automatic stop (8)")                                                        \
    X(RETRY, "connect retry timer (9)")                                                            \
    X(HOLD, "hold timer (10)")                                                                     \
    X(KEEPALIVE_TIMER, "keepalive timer (11)")                                                     \
    X(STREAM_UP, "stream up (16, 17)")                                                             \
    X(STREAM_FAILS, "stream fails (18)")                                                           \
    X(OPEN, "OPEN (19)")                                                                           \
    X(HEADER_ERROR, "bad header (21)")                                                             \
    X(OPEN_ERROR, "bad OPEN (22)")                                                                 \
    X(COLLISION, "collision, to be dumped (23)")                                                   \
    X(NOTIFICATION, "NOTIFICATION (24, 25)")                                                       \
    X(KEEPALIVE, "KEEPALIVE (26)")                                                                 \
    X(UPDATE, "UPDATE (27)")                                                                       \
    X(UPDATE_ERROR, "bad UPDATE (28)")                                                             \
    X(REFRESH, "ROUTE-REFRESH (RFC 2918)")                                                         \
    X(SEND_HOLD, "send hold timer (29, RFC 9687)")
enum s2_bgp_event {
#define S2_BGP_EVENT_ENUM(name, words) S2_BGP_EV_##name,
    S2_BGP_EVENT_LIST(S2_BGP_EVENT_ENUM)
#undef S2_BGP_EVENT_ENUM
        S2_BGP_EVENTS
};

/* X(NAME, words) */
#define S2_BGP_ACTION_LIST(X)                                                                      \
    X(NOTHING, "-")                                                                                \
    X(CONNECT, "ask for a stream")                                                                 \
    X(OPEN, "send OPEN")                                                                           \
    X(CONFIRM, "send KEEPALIVE, agree on hold time")                                               \
    X(ALIVE, "send KEEPALIVE")                                                                     \
    X(HEARD, "restart hold timer")                                                                 \
    X(RESEND, "send adj-RIB-out again")                                                            \
    X(NOTIFY, "send NOTIFICATION, close")                                                          \
    X(FSM_ERROR, "send FSM Error, close")                                                          \
    X(RELEASE, "close")
enum s2_bgp_action {
#define S2_BGP_ACTION_ENUM(name, words) S2_BGP_DO_##name,
    S2_BGP_ACTION_LIST(S2_BGP_ACTION_ENUM)
#undef S2_BGP_ACTION_ENUM
        S2_BGP_ACTIONS
};

struct s2_bgp_transition {
    enum s2_bgp_action action;
    enum s2_bgp_state next;
};
struct s2_bgp_transition s2_bgp_fsm(enum s2_bgp_state state, enum s2_bgp_event event);
const char *s2_bgp_event_text(enum s2_bgp_event event);
const char *s2_bgp_action_text(enum s2_bgp_action action);

#endif
