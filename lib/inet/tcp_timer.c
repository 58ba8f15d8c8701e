/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A stream's three timers. send_timer: retransmission (RFC 6298), or probes of a
 * closed window (RFC 9293 section 3.8.6.1), or a wait for memory: one at a time.
 * ack_timer: the delayed ACK. life_timer: keepalives (RFC 9293 section 3.8.4),
 * FIN-WAIT-2 and TIME-WAIT, each in its state. What is sent again, and when congestion is meant, is said in tcp_output.c and tcp_ack.c.
 */
#include "inet/tcp.h"

#define CLOCK_GRANULARITY S2_MS

static bool synchronised(const struct s2_tcp *tcp)
{
    return tcp->state >= S2_TCP_STATE_SYN_RECEIVED;
}

/* RFC 6298 section 2. */
void s2_tcp_measure(struct s2_tcp *tcp, uint64_t rtt_ns)
{
    if (tcp->srtt_ns == 0) {
        tcp->srtt_ns = rtt_ns ? rtt_ns : 1;
        tcp->rttvar_ns = rtt_ns / 2;
    } else {
        const uint64_t off = tcp->srtt_ns > rtt_ns ? tcp->srtt_ns - rtt_ns : rtt_ns - tcp->srtt_ns;
        tcp->rttvar_ns = tcp->rttvar_ns - tcp->rttvar_ns / 4 + off / 4;
        tcp->srtt_ns = tcp->srtt_ns - tcp->srtt_ns / 8 + rtt_ns / 8;
    }
    s2_tcp_collapse_rto(tcp);
}

void s2_tcp_collapse_rto(struct s2_tcp *tcp)
{
    const uint64_t spread = 4 * tcp->rttvar_ns;

    if (tcp->srtt_ns == 0)
        return;
    tcp->rto_ns = tcp->srtt_ns + (spread > CLOCK_GRANULARITY ? spread : CLOCK_GRANULARITY);
    if (tcp->rto_ns < S2_TCP_RTO_MIN)
        tcp->rto_ns = S2_TCP_RTO_MIN;
    if (tcp->rto_ns > S2_TCP_RTO_MAX)
        tcp->rto_ns = S2_TCP_RTO_MAX;
}

static bool half_open(const struct s2_tcp *tcp)
{
    return tcp->state == S2_TCP_STATE_SYN_SENT || tcp->state == S2_TCP_STATE_SYN_RECEIVED;
}

/* When we stop trying, or never as long as we have hardly tried: after bad times
 * the interval may be a minute, and two lost segments are no dead peer. */
static uint64_t give_up_ns(const struct s2_tcp *tcp)
{
    if (half_open(tcp))
        return s2_after(tcp->quiet_ns, S2_TCP_GIVE_UP_SYN);
    return tcp->retries < S2_TCP_GIVE_UP_TRIES ? S2SVPN_NEVER
                                               : s2_after(tcp->quiet_ns, S2_TCP_GIVE_UP);
}

void s2_tcp_wait_for(struct s2_tcp *tcp, enum s2_tcp_wait wait, uint64_t now_ns)
{
    uint64_t at_ns = S2SVPN_NEVER;

    if (wait == S2_TCP_WAIT_WINDOW && tcp->wait != wait)
        tcp->probe_ns = tcp->rto_ns;
    tcp->wait = wait;
    if (wait == S2_TCP_WAIT_ACK)
        at_ns = s2_after(now_ns, tcp->rto_ns);
    else if (wait == S2_TCP_WAIT_WINDOW)
        at_ns = s2_after(now_ns, tcp->probe_ns);
    else if (wait == S2_TCP_WAIT_MEMORY)
        at_ns = s2_after(now_ns, S2_TCP_MEMORY_RETRY);
    if (wait == S2_TCP_WAIT_ACK || wait == S2_TCP_WAIT_WINDOW) {
        const uint64_t end_ns = give_up_ns(tcp);
        if (end_ns < at_ns && end_ns > now_ns) /* the last try is waited for, too */
            at_ns = end_ns;
    }
    s2_timer_set(tcp->host->env->timers, &tcp->send_timer, at_ns);
}

static void double_up(uint64_t *interval_ns)
{
    *interval_ns = *interval_ns * 2 > S2_TCP_RTO_MAX ? S2_TCP_RTO_MAX : *interval_ns * 2;
}

/* RFC 6298 section 5.4 to 5.7: the first unacknowledged byte again, and all
 * behind it as acknowledgements come (snd_nxt goes back). */
static void retransmit(struct s2_tcp *tcp)
{
    if (half_open(tcp))
        tcp->snd_nxt = tcp->iss;
    else
        s2_tcp_congestion_timeout(tcp);
    tcp->timing = false; /* Karn: the answer could be to either */
    tcp->retries++;
    double_up(&tcp->rto_ns);
}

static void send_timer_fires(void *arg, uint64_t now_ns)
{
    struct s2_tcp *tcp = arg;
    struct s2_host *host = tcp->host;
    const enum s2_tcp_wait wait = tcp->wait;
    const bool over = now_ns >= give_up_ns(tcp);
    const uint32_t seq = s2_tcp_bare_seq(tcp);

    s2_host_enter(host);
    tcp->wait = S2_TCP_WAIT_NOTHING;
    if (wait == S2_TCP_WAIT_MEMORY) {
        tcp->wake_at = tcp->queued + 1;
    } else if (over) {
        const bool tell_peer = synchronised(tcp);

        s2_tcp_step(tcp, S2_TCP_EVENT_TIMEOUT, now_ns);
        if (tell_peer)
            s2_tcp_emit(tcp, seq, S2_TCP_RST | S2_TCP_ACK, 0, 0, now_ns);
    } else if (wait == S2_TCP_WAIT_ACK) {
        retransmit(tcp);
    } else if (wait == S2_TCP_WAIT_WINDOW) {
        tcp->wait = wait;
        tcp->retries++;
        double_up(&tcp->probe_ns);
        s2_tcp_wait_for(tcp, S2_TCP_WAIT_WINDOW, now_ns);
        s2_tcp_probe(tcp, now_ns);
    }
    s2_host_leave(host, now_ns);
}

static void ack_timer_fires(void *arg, uint64_t now_ns)
{
    struct s2_tcp *tcp = arg;
    struct s2_host *host = tcp->host;

    s2_host_enter(host);
    tcp->ack_now = true;
    s2_host_leave(host, now_ns);
}

void s2_tcp_keepalive(struct s2_tcp *tcp, uint64_t idle_ns, uint64_t now_ns)
{
    tcp->keepalive_ns = idle_ns;
    tcp->heard_ns = now_ns;
    tcp->asked = 0;
    if (tcp->state == S2_TCP_STATE_ESTABLISHED)
        s2_timer_set(tcp->host->env->timers, &tcp->life_timer,
                     idle_ns ? s2_after(now_ns, idle_ns) : S2SVPN_NEVER);
}

/* Is the peer there? An old number without text asks; and only an idle stream does, the
 * others have their own answer to wait for. */
static void keepalive_fires(struct s2_tcp *tcp, uint64_t now_ns)
{
    const uint64_t due_ns = s2_after(tcp->heard_ns, tcp->keepalive_ns);
    const bool idle = tcp->wait == S2_TCP_WAIT_NOTHING;

    if (!tcp->keepalive_ns)
        return;
    if (idle && now_ns >= due_ns && tcp->asked == S2_TCP_KEEPALIVE_TRIES) {
        s2_tcp_step(tcp, S2_TCP_EVENT_TIMEOUT, now_ns);
        s2_tcp_emit(tcp, tcp->snd_max, S2_TCP_RST | S2_TCP_ACK, 0, 0, now_ns);
        return;
    }
    s2_timer_set(tcp->host->env->timers, &tcp->life_timer,
                 now_ns < due_ns ? due_ns : s2_after(now_ns, tcp->keepalive_ns));
    if (!idle || now_ns < due_ns)
        return;
    tcp->asked++;
    s2_tcp_emit(tcp, tcp->snd_max - 1, S2_TCP_ACK, 0, 0, now_ns);
}

static void life_timer_fires(void *arg, uint64_t now_ns)
{
    struct s2_tcp *tcp = arg;
    struct s2_host *host = tcp->host;

    s2_host_enter(host);
    if (tcp->state == S2_TCP_STATE_ESTABLISHED)
        keepalive_fires(tcp, now_ns);
    else if (tcp->state == S2_TCP_STATE_FIN_WAIT_2 || tcp->state == S2_TCP_STATE_TIME_WAIT)
        s2_tcp_step(tcp, S2_TCP_EVENT_TIMEOUT, now_ns);
    s2_host_leave(host, now_ns);
}

void s2_tcp_timers_init(struct s2_tcp *tcp)
{
    s2_timer_init(&tcp->send_timer, send_timer_fires, tcp);
    s2_timer_init(&tcp->ack_timer, ack_timer_fires, tcp);
    s2_timer_init(&tcp->life_timer, life_timer_fires, tcp);
}

void s2_tcp_timers_cancel(struct s2_tcp *tcp)
{
    struct s2_timers *timers = tcp->host->env->timers;

    tcp->wait = S2_TCP_WAIT_NOTHING;
    s2_timer_cancel(timers, &tcp->send_timer);
    s2_timer_cancel(timers, &tcp->ack_timer);
    s2_timer_cancel(timers, &tcp->life_timer);
}
