/* SPDX-License-Identifier: Apache-2.0 */
/* The table of states, RFC 9293 section 3.3.2, and the one place that changes a
 * stream's state. Which segment means which event: tcp_input.c, tcp_ack.c. */
#include "inet/tcp.h"

struct cell {
    bool known;
    uint8_t next; /* enum s2_tcp_state */
    bool tells;   /* the user that it ends, and how */
    uint8_t end;  /* enum s2_tcp_end */
};
#define GO(to)                                                                                     \
    {                                                                                              \
        .known = true, .next = S2_TCP_STATE_##to                                                   \
    }
#define END(to, how)                                                                               \
    {                                                                                              \
        .known = true, .next = S2_TCP_STATE_##to, .tells = true, .end = S2_TCP_##how               \
    }

/* RFC 9293 figure 5. CLOSE in SYN-RECEIVED only marks the stream shut; RST in
 * TIME-WAIT would be an assassination (RFC 1337). */
static const struct cell table[S2_TCP_STATES][S2_TCP_EVENTS] =
    {
        [S2_TCP_STATE_CLOSED] =
            {
                [S2_TCP_EVENT_OPEN] = GO(SYN_SENT),
                [S2_TCP_EVENT_SYN] = GO(SYN_RECEIVED),
            },
        [S2_TCP_STATE_SYN_SENT] =
            {
                [S2_TCP_EVENT_SYN] = GO(SYN_RECEIVED),
                [S2_TCP_EVENT_SYN_ACK] = GO(ESTABLISHED),
                [S2_TCP_EVENT_CLOSE] = END(CLOSED, CLOSED),
                [S2_TCP_EVENT_RST] = END(CLOSED, REFUSED),
                [S2_TCP_EVENT_TIMEOUT] = END(CLOSED, TIMEOUT),
                [S2_TCP_EVENT_ABORT] = GO(CLOSED),
            },
        [S2_TCP_STATE_SYN_RECEIVED] =
            {
                [S2_TCP_EVENT_SYN] = GO(CLOSED),
                [S2_TCP_EVENT_ACK_SYN] = GO(ESTABLISHED),
                [S2_TCP_EVENT_CLOSE] = GO(SYN_RECEIVED),
                [S2_TCP_EVENT_RST] = END(CLOSED, REFUSED),
                [S2_TCP_EVENT_TIMEOUT] = END(CLOSED, TIMEOUT),
                [S2_TCP_EVENT_ABORT] = GO(CLOSED),
            },
        [S2_TCP_STATE_ESTABLISHED] =
            {
                [S2_TCP_EVENT_CLOSE] = GO(FIN_WAIT_1),
                [S2_TCP_EVENT_FIN] = END(CLOSE_WAIT, PEER_FIN),
                [S2_TCP_EVENT_RST] = END(CLOSED, RESET),
                [S2_TCP_EVENT_TIMEOUT] = END(CLOSED, TIMEOUT),
                [S2_TCP_EVENT_ABORT] = GO(CLOSED),
            },
        [S2_TCP_STATE_FIN_WAIT_1] =
            {
                [S2_TCP_EVENT_FIN] = GO(CLOSING),
                [S2_TCP_EVENT_ACK_FIN] = GO(FIN_WAIT_2),
                [S2_TCP_EVENT_RST] = END(CLOSED, RESET),
                [S2_TCP_EVENT_TIMEOUT] = END(CLOSED, TIMEOUT),
                [S2_TCP_EVENT_ABORT] = GO(CLOSED),
            },
        [S2_TCP_STATE_FIN_WAIT_2] =
            {
                [S2_TCP_EVENT_FIN] = END(TIME_WAIT, CLOSED),
                [S2_TCP_EVENT_RST] = END(CLOSED, RESET),
                [S2_TCP_EVENT_TIMEOUT] = END(CLOSED, TIMEOUT),
                [S2_TCP_EVENT_ABORT] = GO(CLOSED),
            },
        [S2_TCP_STATE_CLOSE_WAIT] =
            {
                [S2_TCP_EVENT_CLOSE] = GO(LAST_ACK),
                [S2_TCP_EVENT_RST] = END(CLOSED, RESET),
                [S2_TCP_EVENT_TIMEOUT] = END(CLOSED, TIMEOUT),
                [S2_TCP_EVENT_ABORT] = GO(CLOSED),
            },
        [S2_TCP_STATE_CLOSING] =
            {
                [S2_TCP_EVENT_ACK_FIN] = END(TIME_WAIT, CLOSED),
                [S2_TCP_EVENT_RST] = END(CLOSED, RESET),
                [S2_TCP_EVENT_TIMEOUT] = END(CLOSED, TIMEOUT),
                [S2_TCP_EVENT_ABORT] = GO(CLOSED),
            },
        [S2_TCP_STATE_LAST_ACK] =
            {
                [S2_TCP_EVENT_ACK_FIN] = GO(CLOSED),
                [S2_TCP_EVENT_RST] = GO(CLOSED),
                [S2_TCP_EVENT_TIMEOUT] = GO(CLOSED),
                [S2_TCP_EVENT_ABORT] = GO(CLOSED),
            },
        [S2_TCP_STATE_TIME_WAIT] =
            {
                [S2_TCP_EVENT_FIN] = GO(TIME_WAIT),
                [S2_TCP_EVENT_TIMEOUT] = GO(CLOSED),
                [S2_TCP_EVENT_ABORT] = GO(CLOSED),
            },
};

const char *s2_tcp_state_name(enum s2_tcp_state state)
{
#define NAME(name) #name,
    static const char *const names[] = {S2_TCP_STATE_LIST(NAME)};

    return (unsigned)state < S2_TCP_STATES ? names[state] : "?";
}

const char *s2_tcp_event_name(enum s2_tcp_event event)
{
    static const char *const names[] = {S2_TCP_EVENT_LIST(NAME)};
#undef NAME

    return (unsigned)event < S2_TCP_EVENTS ? names[event] : "?";
}

enum s2_tcp_state s2_tcp_next_state(enum s2_tcp_state state, enum s2_tcp_event event)
{
    const struct cell *c = &table[state][event];

    return c->known ? (enum s2_tcp_state)c->next : S2_TCP_STATES;
}

/* The only writer of the state; what a state needs starts here. */
static void set_state(struct s2_tcp *tcp, enum s2_tcp_state next, uint64_t now_ns)
{
    struct s2_timers *timers = tcp->host->env->timers;

    if (next != tcp->state)
        s2_log(tcp->host->env, S2_LOG_DEBUG, "tcp %u-%u: %s to %s", tcp->local_port,
               tcp->remote_port, s2_tcp_state_name(tcp->state), s2_tcp_state_name(next));
    tcp->state = next;
    switch (next) {
    case S2_TCP_STATE_SYN_SENT:
    case S2_TCP_STATE_SYN_RECEIVED:
        tcp->quiet_ns = now_ns;
        break;
    case S2_TCP_STATE_ESTABLISHED:
        tcp->opens = !tcp->shut;
        s2_tcp_keepalive(tcp, tcp->keepalive_ns, now_ns);
        break;
    case S2_TCP_STATE_FIN_WAIT_2:
        s2_timer_set(timers, &tcp->life_timer, s2_after(now_ns, S2_TCP_FIN_WAIT));
        break;
    case S2_TCP_STATE_TIME_WAIT:
        s2_tcp_wait_for(tcp, S2_TCP_WAIT_NOTHING, now_ns);
        s2_timer_set(timers, &tcp->life_timer, s2_after(now_ns, S2_TCP_TIME_WAIT));
        break;
    case S2_TCP_STATE_CLOSED:
        s2_tcp_timers_cancel(tcp);
        break;
    default:
        break;
    }
}

bool s2_tcp_step(struct s2_tcp *tcp, enum s2_tcp_event event, uint64_t now_ns)
{
    const struct cell *c = &table[tcp->state][event];

    if (!c->known)
        return false;
    if (c->tells && !tcp->ends && !tcp->told) {
        tcp->ends = true;
        tcp->end = (enum s2_tcp_end)c->end;
    }
    set_state(tcp, (enum s2_tcp_state)c->next, now_ns);
    return true;
}
