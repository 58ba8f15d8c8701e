/* SPDX-License-Identifier: Apache-2.0 */
/* The states of a flow: what moves them, and how long each may be quiet. */
#include "firewall/flow.h"
#include "firewall/world.h"

#include <string.h>

#define OFFICE "192.168.0.9"
#define HERE "10.0.1.10"

/* Letters: s SYN, . data, f FIN, r RST of the opener; capitals and : of who answers. */
static enum s2_flow_event event_of(char c)
{
    static const char letters[S2_FLOW_EVENTS + 1] = ".sfr:SFR";

    return (enum s2_flow_event)(strchr(letters, c) - letters);
}

static const struct {
    const char *name;
    uint8_t protocol;
    const char *run;
    enum s2_flow_state end;
} rows[] = {
    {"a SYN", TCP, "s", S2_FLOW_TCP_OPENING},
    {"a SYN again and again", TCP, "sss", S2_FLOW_TCP_OPENING},
    {"answered", TCP, "s:", S2_FLOW_TCP_ANSWERED},
    {"answered again", TCP, "s::s", S2_FLOW_TCP_ANSWERED},
    {"a handshake", TCP, "s:.", S2_FLOW_TCP_ESTABLISHED},
    {"data", TCP, "s:.:.:.", S2_FLOW_TCP_ESTABLISHED},
    {"a simultaneous open", TCP, "sS:.", S2_FLOW_TCP_ESTABLISHED},
    {"refused", TCP, "sR", S2_FLOW_TCP_CLOSING},
    {"given up", TCP, "s:r", S2_FLOW_TCP_CLOSING},
    {"reset", TCP, "s:.R", S2_FLOW_TCP_CLOSING},
    {"reset from here", TCP, "s:.r", S2_FLOW_TCP_CLOSING},
    {"half closed", TCP, "s:.f:::", S2_FLOW_TCP_OPENER_FIN},
    {"half closed there", TCP, "s:.F..", S2_FLOW_TCP_ANSWERER_FIN},
    {"closed", TCP, "s:.f:F.", S2_FLOW_TCP_CLOSING},
    {"closed, there first", TCP, "s:.F.f:", S2_FLOW_TCP_CLOSING},
    {"a FIN with the handshake's last", TCP, "s:fF", S2_FLOW_TCP_CLOSING},
    {"a SYN of who answers, later", TCP, "s:.S", S2_FLOW_ANEW},
    {"a SYN of the opener, later", TCP, "s:.s", S2_FLOW_TCP_ESTABLISHED},
    {"a SYN behind a FIN", TCP, "s:.fs", S2_FLOW_ANEW},
    {"a SYN behind the end", TCP, "s:.fF.s", S2_FLOW_ANEW},
    {"a SYN from there behind the end", TCP, "s:.fF.S", S2_FLOW_ANEW},
    {"from the middle", TCP, ".:.", S2_FLOW_TCP_ESTABLISHED},
    {"one way", UDP, "...", S2_FLOW_UDP_ONE_WAY},
    {"a request and its response", UDP, ".:", S2_FLOW_UDP_ANSWERED},
    {"one request, two responses", UDP, ".::", S2_FLOW_UDP_ANSWERED},
    {"a second request", UDP, ".:.", S2_FLOW_UDP_AGAIN},
    {"a second response", UDP, ".:.:", S2_FLOW_UDP_STREAM},
    {"a stream stays one", UDP, ".:.:..::", S2_FLOW_UDP_STREAM},
    {"echo", ICMP, ".:.:", S2_FLOW_ICMP},
    {"echo of IPv6", ICMPV6, ".:", S2_FLOW_ICMP},
    {"another protocol", ESP, "..", S2_FLOW_OTHER_ONE_WAY},
    {"another protocol, answered", ESP, ".:..", S2_FLOW_OTHER_ANSWERED},
};

static void packets_move_a_flow_through_its_states(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum s2_flow_state state = s2_flow_first_state(rows[i].protocol);

        for (const char *c = rows[i].run; *c != 0; c++) {
            CHECK_ROW(rows[i].name, state < S2_FLOW_STATES);
            state = s2_flow_next_state(state, event_of(*c));
        }
        CHECK_ROW(rows[i].name, state == rows[i].end);
    }
}

static void every_state_has_an_answer_to_every_event(void)
{
    for (unsigned s = S2_FLOW_NONE + 1; s < S2_FLOW_STATES; s++) {
        for (unsigned e = 0; e < S2_FLOW_EVENTS; e++) {
            const enum s2_flow_state next =
                s2_flow_next_state((enum s2_flow_state)s, (enum s2_flow_event)e);

            CHECK_ROW(s2_flow_state_name((enum s2_flow_state)s),
                      next > S2_FLOW_NONE && next <= S2_FLOW_ANEW && next != S2_FLOW_STATES);
        }
    }
    for (unsigned e = 0; e < S2_FLOW_EVENTS; e++)
        CU_ASSERT(
            s2_flow_next_state(S2_FLOW_REVOKED, (enum s2_flow_event)e) ==
            (e == S2_FLOW_OPENER_SYN || e == S2_FLOW_ANSWER_SYN ? S2_FLOW_ANEW : S2_FLOW_REVOKED));
}

/* ---- timeouts: an answer that comes a second before passes, at the time it doesn't */

static const struct {
    const char *name;
    uint8_t protocol;
    const char *run;
    uint64_t seconds;
} quiet[] = {
    {"TCP opening", TCP, "s", 60},
    {"TCP answered", TCP, "s:", 60},
    {"TCP established", TCP, "s:.", 350},
    {"TCP half closed", TCP, "s:.f", 350},
    {"TCP half closed there", TCP, "s:.F", 350},
    {"TCP closing", TCP, "s:.fF", 60},
    {"TCP reset", TCP, "s:.r", 60},
    {"UDP", UDP, ".", 30},
    {"UDP answered", UDP, ".:", 30},
    {"UDP again", UDP, ".:.", 30},
    {"UDP stream", UDP, ".:.:", 180},
    {"echo", ICMP, ".", 30},
    {"ESP", ESP, ".", 600},
    {"ESP answered", ESP, ".:", 600},
};

static uint8_t flags_of(char c)
{
    switch (c) {
    case 's':
    case 'S':
        return SYN;
    case 'f':
    case 'F':
        return FIN | ACK;
    case 'r':
    case 'R':
        return RST;
    default:
        return ACK;
    }
}

/* The opener is at the port. */
static bool step(struct world *w, struct s2_firewall_port *port, uint8_t protocol, char c)
{
    const bool opener = strchr(".sfr", c) != NULL;

    if (protocol == ICMP)
        return opener ? PASSES_OUT(w, port, HERE, OFFICE, ICMP, ECHO, 77)
                      : PASSES_IN(w, port, OFFICE, HERE, ICMP, ECHO_REPLY, 77);
    return opener ? PASSES_OUT(w, port, HERE, OFFICE, protocol, 4000, 80, flags_of(c))
                  : PASSES_IN(w, port, OFFICE, HERE, protocol, 80, 4000, flags_of(c));
}

static bool answer_passes_after(const struct s2_firewall_limits *limits, uint8_t protocol,
                                const char *run, uint64_t seconds)
{
    struct world w;

    world_open(&w, limits);
    struct s2_firewall_group *g = new_group(&w, NULL, 0);
    struct s2_firewall_port *port = new_port(&w, HERE, g);
    for (const char *c = run; *c != 0; c++)
        CHECK_ROW(run, step(&w, port, protocol, *c));
    world_wait(&w, seconds);
    const bool passes = step(&w, port, protocol, ':');
    s2_firewall_expire(w.fw, w.now_ns);
    CU_ASSERT_EQUAL(world_counts(&w).flows, passes ? 1 : 0);
    s2_firewall_port_free(port);
    free_group(g);
    world_close(&w);
    return passes;
}

static void a_flow_may_be_quiet_as_long_as_its_state_says(void)
{
    for (size_t i = 0; i < sizeof(quiet) / sizeof(quiet[0]); i++) {
        CHECK_ROW(quiet[i].name,
                  answer_passes_after(NULL, quiet[i].protocol, quiet[i].run, quiet[i].seconds - 1));
        CHECK_ROW(quiet[i].name,
                  !answer_passes_after(NULL, quiet[i].protocol, quiet[i].run, quiet[i].seconds));
    }
}

static void aws_times_can_be_set(void)
{
    const struct s2_firewall_limits l = {
        .tcp_established_s = 432000, .udp_s = 60, .udp_stream_s = 90};

    CU_ASSERT(answer_passes_after(&l, TCP, "s:.", 431999));
    CU_ASSERT_FALSE(answer_passes_after(&l, TCP, "s:.", 432000));
    CU_ASSERT(answer_passes_after(&l, UDP, ".", 59));
    CU_ASSERT_FALSE(answer_passes_after(&l, UDP, ".:.", 60));
    CU_ASSERT(answer_passes_after(&l, UDP, ".:.:", 89));
    CU_ASSERT_FALSE(answer_passes_after(&l, UDP, ".:.:", 90));
    CU_ASSERT(answer_passes_after(&l, ICMP, ".", 29));
}

static void each_packet_begins_the_time_anew(void)
{
    struct world w;

    world_open(&w, NULL);
    struct s2_firewall_group *g = new_group(&w, NULL, 0);
    struct s2_firewall_port *port = new_port(&w, HERE, g);
    CU_ASSERT(step(&w, port, UDP, '.'));
    for (unsigned i = 0; i < 10; i++) {
        world_wait(&w, 29);
        CU_ASSERT(step(&w, port, UDP, ':'));
    }
    CU_ASSERT_EQUAL(world_counts(&w).opened, 1);
    s2_firewall_port_free(port);
    free_group(g);
    world_close(&w);
}

const CU_TestInfo s2_test_state[] = {
    {"packets move a flow through its states", packets_move_a_flow_through_its_states},
    {"every state has an answer to every event", every_state_has_an_answer_to_every_event},
    {"a flow may be quiet as long as its state says",
     a_flow_may_be_quiet_as_long_as_its_state_says},
    {"AWS's times can be set", aws_times_can_be_set},
    {"each packet begins the time anew", each_packet_begins_the_time_anew},
    CU_TEST_INFO_NULL,
};
