/* SPDX-License-Identifier: Apache-2.0 */
/* The states of a flow, what moves them, and how long each may be quiet. Knows no
 * packets. RFC 9293 section 3.3.2, seen from between the two ends: sequence numbers
 * aren't followed, so a reset only shortens the time that a flow is kept. */
#include "firewall/flow.h"

#define SECOND_NS UINT64_C(1000000000)

struct row {
    uint8_t next[S2_FLOW_EVENTS];
};

/* Without TCP: the same for whatever comes from a side. */
#define SIDES(opener, answer)                                                                      \
    {                                                                                              \
        {                                                                                          \
            S2_FLOW_##opener, S2_FLOW_##opener, S2_FLOW_##opener, S2_FLOW_##opener,                \
                S2_FLOW_##answer, S2_FLOW_##answer, S2_FLOW_##answer, S2_FLOW_##answer             \
        }                                                                                          \
    }
/* The order of the events: plain, SYN, FIN, RST. */
#define TCP(a, b, c, d, e, f, g, h)                                                                \
    {                                                                                              \
        {                                                                                          \
            S2_FLOW_##a, S2_FLOW_##b, S2_FLOW_##c, S2_FLOW_##d, S2_FLOW_##e, S2_FLOW_##f,          \
                S2_FLOW_##g, S2_FLOW_##h                                                           \
        }                                                                                          \
    }

/* A connection is established when its opener goes on after an answer: SYNs alone, from
 * addresses that never hear the answer, fill nothing for long. Both SYNs of a
 * simultaneous open belong to one connection (RFC 9293 section 3.5). */
static const struct row table[S2_FLOW_STATES] = {
    /* clang-format off */
    [S2_FLOW_TCP_OPENING] = TCP(
        TCP_OPENING, TCP_OPENING, TCP_OPENING, TCP_CLOSING,
        TCP_ANSWERED, TCP_ANSWERED, TCP_ANSWERED, TCP_CLOSING),
    [S2_FLOW_TCP_ANSWERED] = TCP(
        TCP_ESTABLISHED, TCP_ANSWERED, TCP_OPENER_FIN, TCP_CLOSING,
        TCP_ANSWERED, TCP_ANSWERED, TCP_ANSWERED, TCP_CLOSING),
    [S2_FLOW_TCP_ESTABLISHED] = TCP(
        TCP_ESTABLISHED, TCP_ESTABLISHED, TCP_OPENER_FIN, TCP_CLOSING,
        TCP_ESTABLISHED, ANEW, TCP_ANSWERER_FIN, TCP_CLOSING),
    [S2_FLOW_TCP_OPENER_FIN] = TCP(
        TCP_OPENER_FIN, ANEW, TCP_OPENER_FIN, TCP_CLOSING,
        TCP_OPENER_FIN, ANEW, TCP_CLOSING, TCP_CLOSING),
    [S2_FLOW_TCP_ANSWERER_FIN] = TCP(
        TCP_ANSWERER_FIN, ANEW, TCP_CLOSING, TCP_CLOSING,
        TCP_ANSWERER_FIN, ANEW, TCP_ANSWERER_FIN, TCP_CLOSING),
    [S2_FLOW_TCP_CLOSING] = TCP(
        TCP_CLOSING, ANEW, TCP_CLOSING, TCP_CLOSING,
        TCP_CLOSING, ANEW, TCP_CLOSING, TCP_CLOSING),
    [S2_FLOW_UDP_ONE_WAY] = SIDES(UDP_ONE_WAY, UDP_ANSWERED),
    [S2_FLOW_UDP_ANSWERED] = SIDES(UDP_AGAIN, UDP_ANSWERED),
    [S2_FLOW_UDP_AGAIN] = SIDES(UDP_AGAIN, UDP_STREAM),
    [S2_FLOW_UDP_STREAM] = SIDES(UDP_STREAM, UDP_STREAM),
    [S2_FLOW_ICMP] = SIDES(ICMP, ICMP),
    [S2_FLOW_OTHER_ONE_WAY] = SIDES(OTHER_ONE_WAY, OTHER_ANSWERED),
    [S2_FLOW_OTHER_ANSWERED] = SIDES(OTHER_ANSWERED, OTHER_ANSWERED),
    [S2_FLOW_REVOKED] = TCP(
        REVOKED, ANEW, REVOKED, REVOKED,
        REVOKED, ANEW, REVOKED, REVOKED),
    /* clang-format on */
};

static const struct {
    const char *name;
    uint16_t quiet_s;
    bool gives_way;
} states[S2_FLOW_STATES] = {
#define STATE(name, seconds, gives_way) {#name, seconds, gives_way},
    S2_FLOW_STATE_LIST(STATE)
#undef STATE
};

enum s2_flow_state s2_flow_first_state(uint8_t protocol)
{
    switch (protocol) {
    case S2_FIREWALL_TCP:
        return S2_FLOW_TCP_OPENING;
    case S2_FIREWALL_UDP:
        return S2_FLOW_UDP_ONE_WAY;
    case S2_FIREWALL_ICMP:
    case S2_FIREWALL_ICMPV6:
        return S2_FLOW_ICMP;
    default:
        return S2_FLOW_OTHER_ONE_WAY;
    }
}

enum s2_flow_state s2_flow_next_state(enum s2_flow_state state, enum s2_flow_event event)
{
    return (enum s2_flow_state)table[state].next[event];
}

const char *s2_flow_state_name(enum s2_flow_state state)
{
    return states[state].name;
}

bool s2_flow_gives_way(enum s2_flow_state state)
{
    return states[state].gives_way;
}

static void set(uint64_t ns[S2_FLOW_STATES], enum s2_flow_state state, uint32_t seconds)
{
    if (seconds != 0)
        ns[state] = seconds * SECOND_NS;
}

void s2_flow_timeouts(const struct s2_firewall_limits *limits, uint64_t ns[S2_FLOW_STATES])
{
    for (unsigned i = 0; i < S2_FLOW_STATES; i++)
        ns[i] = states[i].quiet_s * SECOND_NS;
    set(ns, S2_FLOW_TCP_ESTABLISHED, limits->tcp_established_s);
    set(ns, S2_FLOW_TCP_OPENER_FIN, limits->tcp_established_s);
    set(ns, S2_FLOW_TCP_ANSWERER_FIN, limits->tcp_established_s);
    set(ns, S2_FLOW_UDP_ONE_WAY, limits->udp_s);
    set(ns, S2_FLOW_UDP_ANSWERED, limits->udp_s);
    set(ns, S2_FLOW_UDP_AGAIN, limits->udp_s);
    set(ns, S2_FLOW_UDP_STREAM, limits->udp_stream_s);
}
