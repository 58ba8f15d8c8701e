/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What to send next: SYN, text, FIN, ACK, or nothing and a timer. One segment a
 * call, so that s2_host_leave looks afresh after each. Without Nagle's delay (a
 * BGP message is whole when it is queued), but no silly windows: RFC 9293
 * section 3.8.6.2.1. Zero windows: section 3.8.6.1.
 */
#include "inet/tcp.h"

/* Our FIN has a place behind the queue and isn't acknowledged yet. */
static bool has_fin(const struct s2_tcp *tcp)
{
    return tcp->state == S2_TCP_STATE_FIN_WAIT_1 || tcp->state == S2_TCP_STATE_CLOSING ||
           tcp->state == S2_TCP_STATE_LAST_ACK;
}

/* What is queued and not under way, in sequence space. */
static uint32_t unsent(const struct s2_tcp *tcp)
{
    return tcp->queued + has_fin(tcp) - (tcp->snd_nxt - tcp->snd_una);
}

/* What the peer and the path allow beyond snd_nxt. The first two duplicate ACKs
 * let one new segment out each, RFC 3042. */
static uint32_t allowed(const struct s2_tcp *tcp)
{
    const uint32_t extra = tcp->recovering ? 0 : s2_tcp_min(tcp->dup_acks, 2) * tcp->mss;
    const uint32_t window = s2_tcp_min(tcp->snd_wnd, tcp->cwnd + extra);
    const uint32_t flight = tcp->snd_nxt - tcp->snd_una;

    return window > flight ? window - flight : 0;
}

/* Note all that a segment means before it leaves. */
static void send(struct s2_tcp *tcp, uint32_t seq, uint8_t flags, uint32_t offset, uint32_t len,
                 uint64_t now_ns)
{
    const uint32_t end = seq + len + !!(flags & (S2_TCP_SYN | S2_TCP_FIN));

    if (end != seq) {
        if (s2_seq_lt(seq, tcp->snd_max))
            tcp->host->counters.retransmitted++;
        if (s2_seq_lt(tcp->snd_max, end))
            tcp->snd_max = end;
        tcp->sent_ns = now_ns;
    }
    if (flags & S2_TCP_ACK) {
        tcp->ack_now = tcp->ack_owed = false;
        s2_timer_cancel(tcp->host->env->timers, &tcp->ack_timer);
    }
    s2_tcp_emit(tcp, seq, flags, offset, len, now_ns);
}

static bool output_syn(struct s2_tcp *tcp, uint64_t now_ns)
{
    const uint8_t flags =
        tcp->state == S2_TCP_STATE_SYN_SENT ? S2_TCP_SYN : S2_TCP_SYN | S2_TCP_ACK;

    if (tcp->snd_nxt != tcp->iss)
        return false;
    tcp->timing = tcp->snd_max == tcp->iss; /* the first; Karn forbids the others */
    tcp->timed_seq = tcp->iss;
    tcp->timed_ns = now_ns;
    tcp->snd_nxt = tcp->iss + 1;
    s2_tcp_wait_for(tcp, S2_TCP_WAIT_ACK, now_ns);
    send(tcp, tcp->iss, flags, 0, 0, now_ns);
    return true;
}

/* Text and FIN from seq on, at most units of sequence space. Returns how many. */
static uint32_t send_from(struct s2_tcp *tcp, uint32_t seq, uint32_t units, uint64_t now_ns)
{
    const uint32_t offset = seq - tcp->snd_una;
    const uint32_t left = tcp->queued > offset ? tcp->queued - offset : 0;
    const uint32_t len = s2_tcp_min(s2_tcp_min(left, units), tcp->mss);
    uint8_t flags = S2_TCP_ACK;
    uint32_t sent = len;

    if (len == left && len)
        flags |= S2_TCP_PSH;
    if (len == left && has_fin(tcp) && units > len) {
        flags |= S2_TCP_FIN;
        sent++;
    }
    if (s2_seq_lt(tcp->snd_nxt, seq + sent) && tcp->wait != S2_TCP_WAIT_WINDOW)
        tcp->snd_nxt = seq + sent;
    if (sent)
        send(tcp, seq, flags, offset, len, now_ns);
    return sent;
}

static bool output_text(struct s2_tcp *tcp, uint64_t now_ns)
{
    const uint32_t left = unsent(tcp);
    const uint32_t units = s2_tcp_min(left, allowed(tcp));
    const bool again = s2_seq_lt(tcp->snd_nxt, tcp->snd_max);
    const bool lost = again && tcp->wait != S2_TCP_WAIT_WINDOW; /* and not just a probe's */

    if (units == 0)
        return false;
    if (units != left && units < tcp->mss && units < tcp->snd_wnd_max / 2 && !lost)
        return false;
    if (!again && !tcp->timing) {
        tcp->timing = true;
        tcp->timed_seq = tcp->snd_nxt;
        tcp->timed_ns = now_ns;
    }
    if (tcp->wait != S2_TCP_WAIT_ACK) {
        if (tcp->snd_max == tcp->snd_una)
            tcp->quiet_ns = now_ns; /* from now on an answer is owed */
        s2_tcp_wait_for(tcp, S2_TCP_WAIT_ACK, now_ns);
    }
    return send_from(tcp, tcp->snd_nxt, units, now_ns) != 0;
}

/* RFC 5681 section 4.1: after a pause the old window says nothing of the path. */
static void forget_window(struct s2_tcp *tcp, uint64_t now_ns)
{
    if (tcp->snd_max == tcp->snd_una && now_ns - tcp->sent_ns > tcp->rto_ns)
        tcp->cwnd = s2_tcp_min(tcp->cwnd, s2_tcp_initial_window(tcp->mss));
}

/* The sequence number of what has no length. Behind all that was sent, or the
 * peer would take it for old; but a probe lies outside the peer's window. */
uint32_t s2_tcp_bare_seq(const struct s2_tcp *tcp)
{
    return tcp->wait == S2_TCP_WAIT_WINDOW ? tcp->snd_nxt : tcp->snd_max;
}

bool s2_tcp_output(struct s2_tcp *tcp, uint64_t now_ns)
{
    if (tcp->state == S2_TCP_STATE_CLOSED)
        return false;
    if (tcp->state == S2_TCP_STATE_SYN_SENT || tcp->state == S2_TCP_STATE_SYN_RECEIVED) {
        if (output_syn(tcp, now_ns))
            return true;
    } else if (tcp->state != S2_TCP_STATE_TIME_WAIT) {
        if (tcp->resend) {
            tcp->resend = false;
            if (s2_seq_lt(tcp->timed_seq, tcp->snd_una + tcp->mss))
                tcp->timing = false; /* Karn: the last one of a partial ACK may be timed */
            if (tcp->snd_max != tcp->snd_una && send_from(tcp, tcp->snd_una, tcp->mss, now_ns) != 0)
                return true;
        }
        forget_window(tcp, now_ns);
        if (output_text(tcp, now_ns))
            return true;
        if (!unsent(tcp) && tcp->wait == S2_TCP_WAIT_WINDOW)
            s2_tcp_wait_for(tcp, S2_TCP_WAIT_NOTHING, now_ns);
        else if (unsent(tcp) && tcp->snd_nxt == tcp->snd_una && tcp->wait != S2_TCP_WAIT_WINDOW)
            s2_tcp_wait_for(tcp, S2_TCP_WAIT_WINDOW, now_ns);
    }
    if (!tcp->ack_now)
        return false;
    send(tcp, s2_tcp_bare_seq(tcp), S2_TCP_ACK, 0, 0, now_ns);
    return true;
}

/* One byte (or what the silly window takes, or the FIN) although it doesn't fit.
 * It isn't under way: snd_nxt stays, and only snd_max says that an ACK may cover
 * it. */
void s2_tcp_probe(struct s2_tcp *tcp, uint64_t now_ns)
{
    send_from(tcp, tcp->snd_una, s2_tcp_max(s2_tcp_min(tcp->snd_wnd, tcp->mss), 1), now_ns);
}
