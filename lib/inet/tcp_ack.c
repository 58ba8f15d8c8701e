/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ACK field: what it frees, the peer's window, round-trip times, and how much
 * may be under way: slow start, congestion avoidance, fast retransmit and fast
 * recovery (RFC 5681, RFC 6582 without SACK). Blind ACKs: RFC 5961 section 5.
 * Sends nothing itself.
 */
#include "inet/tcp.h"

/* No window can use more. */
#define CWND_MAX (2u * S2_TCP_BUFFER)

/* RFC 5681 section 3.1. */
uint32_t s2_tcp_initial_window(uint32_t mss)
{
    return mss > 2190 ? 2 * mss : mss > 1095 ? 3 * mss : 4 * mss;
}

static uint32_t half_of_flight(const struct s2_tcp *tcp)
{
    return s2_tcp_max((tcp->snd_max - tcp->snd_una) / 2, 2u * tcp->mss);
}

void s2_tcp_challenge(struct s2_tcp *tcp, uint64_t now_ns)
{
    if (tcp->challenges == 0 || now_ns - tcp->challenge_ns >= S2_TCP_CHALLENGE_TIME) {
        tcp->challenge_ns = now_ns;
        tcp->challenges = 0;
    }
    if (tcp->challenges >= S2_TCP_CHALLENGES)
        return;
    tcp->challenges++;
    tcp->ack_now = true;
}

/* RFC 5681 section 3.1: the loss window. ssthresh stays while the same segment
 * is timed out again. */
void s2_tcp_congestion_timeout(struct s2_tcp *tcp)
{
    if (tcp->retries == 0)
        tcp->ssthresh = half_of_flight(tcp);
    tcp->cwnd = tcp->mss;
    tcp->recover = tcp->snd_max;
    tcp->recovering = false;
    tcp->resend = false;
    tcp->dup_acks = 0;
    tcp->snd_nxt = tcp->snd_una;
}

/* RFC 5681 section 3.2; RFC 6582 section 3.2 forbids it for the echo of what a
 * timeout sent twice (recover). */
static void duplicate_ack(struct s2_tcp *tcp)
{
    tcp->dup_acks++;
    if (tcp->recovering) {
        tcp->cwnd = s2_tcp_min(tcp->cwnd + tcp->mss, CWND_MAX);
        return;
    }
    if (tcp->dup_acks != 3 || !s2_seq_lt(tcp->recover, tcp->snd_una))
        return;
    tcp->ssthresh = half_of_flight(tcp);
    tcp->cwnd = tcp->ssthresh + 3u * tcp->mss;
    tcp->recover = tcp->snd_max;
    tcp->recovering = true;
    tcp->resend = true;
    tcp->timing = false;
}

/* snd_una has moved by acked. */
static void grow(struct s2_tcp *tcp, uint32_t acked)
{
    const uint32_t mss = tcp->mss;

    tcp->dup_acks = 0;
    if (tcp->recovering && s2_seq_lt(tcp->snd_una, tcp->recover)) { /* partial */
        tcp->resend = true;
        tcp->cwnd = tcp->cwnd > acked ? tcp->cwnd - acked : 0;
        tcp->cwnd += acked >= mss ? mss : 0;
        tcp->cwnd = s2_tcp_max(tcp->cwnd, mss);
        return;
    }
    if (tcp->recovering) {
        const uint32_t flight = tcp->snd_max - tcp->snd_una;
        tcp->cwnd = s2_tcp_min(tcp->ssthresh, s2_tcp_max(flight, mss) + mss);
        tcp->recovering = false;
        tcp->resend = false;
    } else if (tcp->cwnd < tcp->ssthresh) {
        tcp->cwnd += s2_tcp_min(acked, mss);
    } else {
        tcp->cwnd += s2_tcp_max(mss * mss / tcp->cwnd, 1);
    }
    tcp->cwnd = s2_tcp_min(tcp->cwnd, CWND_MAX);
    if (s2_seq_lt(tcp->recover, tcp->snd_una)) /* or it would come round again */
        tcp->recover = tcp->snd_una - 1;
}

/* Take bytes that are acknowledged out of the queue; true if our FIN is, too. */
static bool release(struct s2_tcp *tcp, uint32_t acked)
{
    const uint32_t bytes = s2_tcp_min(acked, tcp->queued);

    s2_tcp_ring_skip(&tcp->out, bytes);
    tcp->queued -= bytes;
    return acked > bytes;
}

static void new_ack(struct s2_tcp *tcp, uint32_t ack, uint64_t now_ns)
{
    const uint32_t acked = ack - tcp->snd_una;
    const bool fin = release(tcp, acked);

    if (tcp->timing && s2_seq_lt(tcp->timed_seq, ack)) {
        tcp->timing = false;
        s2_tcp_measure(tcp, now_ns - tcp->timed_ns);
    }
    /* RFC 6298 section 5 keeps the backed-off interval until there is a measurement; a
     * stream of single small segments, BGP's keepalives, may have none for minutes and
     * run into the hold time. So it ends with the loss, as in Linux. */
    if (tcp->retries > 0)
        s2_tcp_collapse_rto(tcp);
    tcp->snd_una = ack;
    if (s2_seq_lt(tcp->snd_nxt, ack))
        tcp->snd_nxt = ack;
    tcp->retries = 0;
    tcp->quiet_ns = now_ns;
    grow(tcp, acked);
    if (tcp->wait == S2_TCP_WAIT_ACK) /* RFC 6298 section 5.2, 5.3 */
        s2_tcp_wait_for(tcp, ack == tcp->snd_max ? S2_TCP_WAIT_NOTHING : S2_TCP_WAIT_ACK, now_ns);
    if (fin)
        s2_tcp_step(tcp, S2_TCP_EVENT_ACK_FIN, now_ns);
}

/* RFC 9293 section 3.10.7.4: only from segments that are not older than the last
 * that told. */
static void take_window(struct s2_tcp *tcp, const struct s2_tcp_segment *s)
{
    if (s2_seq_lt(tcp->snd_wl1, s->seq) ||
        (tcp->snd_wl1 == s->seq && s2_seq_le(tcp->snd_wl2, s->ack))) {
        tcp->snd_wnd = s->window;
        tcp->snd_wnd_max = s2_tcp_max(tcp->snd_wnd_max, s->window);
        tcp->snd_wl1 = s->seq;
        tcp->snd_wl2 = s->ack;
    }
}

bool s2_tcp_take_ack(struct s2_tcp *tcp, const struct s2_tcp_segment *s, uint64_t now_ns)
{
    if (s2_seq_lt(tcp->snd_max, s->ack) || s2_seq_lt(s->ack, tcp->snd_una - tcp->snd_wnd_max)) {
        s2_tcp_challenge(tcp, now_ns);
        return false;
    }
    if (tcp->wait == S2_TCP_WAIT_WINDOW) { /* it answers: RFC 9293 section 3.8.6.1 */
        tcp->quiet_ns = now_ns;
        tcp->retries = 0;
    }
    if (s2_seq_lt(s->ack, tcp->snd_una))
        return true;
    if (s->ack != tcp->snd_una)
        new_ack(tcp, s->ack, now_ns);
    else if (tcp->snd_max != tcp->snd_una && s2_tcp_segment_len(s) == 0 &&
             s->window == tcp->snd_wnd && tcp->wait == S2_TCP_WAIT_ACK)
        duplicate_ack(tcp);
    take_window(tcp, s);
    return true;
}

void s2_tcp_start_sending(struct s2_tcp *tcp, const struct s2_tcp_segment *s, uint64_t now_ns)
{
    s2_tcp_set_mss(tcp);
    if (tcp->retries)
        tcp->rto_ns = S2_TCP_RTO_SYN_LOST;
    else if (tcp->timing)
        s2_tcp_measure(tcp, now_ns - tcp->timed_ns);
    tcp->timing = false;
    tcp->snd_una = s->ack;
    tcp->snd_nxt = s->ack;
    tcp->snd_wnd = tcp->snd_wnd_max = s->window;
    tcp->snd_wl1 = s->seq;
    tcp->snd_wl2 = s->ack;
    tcp->cwnd = tcp->retries ? tcp->mss : s2_tcp_initial_window(tcp->mss);
    tcp->ssthresh = CWND_MAX;
    tcp->recover = tcp->iss;
    tcp->retries = 0;
    tcp->quiet_ns = tcp->sent_ns = now_ns;
    tcp->wake_at = tcp->queued + 1;
    s2_tcp_wait_for(tcp, S2_TCP_WAIT_NOTHING, now_ns);
}
