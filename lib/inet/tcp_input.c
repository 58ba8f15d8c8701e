/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "Segment arrives": the checks of RFC 9293 section 3.10.7.3 and 3.10.7.4 in
 * their order, with the blind attacks of RFC 5961 answered by challenges. Leaves
 * notes; sends nothing but an RST about a half-open stream.
 */
#include "inet/tcp.h"

static bool has(const struct s2_tcp_segment *s, uint8_t flag)
{
    return (s->flags & flag) != 0;
}

/* First check. What has no length may stand right at the window's end: there a
 * peer is who filled the window and lost its first segment. */
static bool acceptable(const struct s2_tcp *tcp, const struct s2_tcp_segment *s)
{
    const uint32_t len = s2_tcp_segment_len(s);
    const uint32_t offset = s->seq - tcp->rcv_nxt;

    if (len == 0)
        return offset <= S2_TCP_WINDOW;
    return offset < S2_TCP_WINDOW || offset + len - 1 < S2_TCP_WINDOW;
}

/* Old or wild. Text and FIN ask for our ACK (it was lost); the rest may be
 * somebody fishing, or an endless ping-pong of ACKs. */
static void answer_unacceptable(struct s2_tcp *tcp, const struct s2_tcp_segment *s, uint64_t now_ns)
{
    if (has(s, S2_TCP_RST))
        return;
    if (has(s, S2_TCP_FIN) && tcp->state == S2_TCP_STATE_TIME_WAIT)
        s2_tcp_step(tcp, S2_TCP_EVENT_FIN, now_ns);
    if (s->text.len || (has(s, S2_TCP_FIN) && !has(s, S2_TCP_SYN)))
        tcp->ack_now = true;
    else
        s2_tcp_challenge(tcp, now_ns);
}

/* The peer's SYN. */
static void take_syn(struct s2_tcp *tcp, const struct s2_tcp_segment *s)
{
    tcp->irs = s->seq;
    tcp->rcv_nxt = s->seq + 1;
    tcp->peer_mss = s->mss;
}

/* Text, trimmed to what is new, lies inside the window and before the FIN. */
static void take_text(struct s2_tcp *tcp, const struct s2_tcp_segment *s, uint64_t now_ns)
{
    uint32_t begin = s->seq, end = s->seq + (uint32_t)s->text.len;
    const bool in_order = s2_seq_le(begin, tcp->rcv_nxt) && tcp->range_count == 0;
    uint32_t limit = tcp->rcv_nxt + S2_TCP_WINDOW;

    if (tcp->fin_known && s2_seq_lt(tcp->fin_seq, limit))
        limit = tcp->fin_seq;
    if (s2_seq_lt(begin, tcp->rcv_nxt))
        begin = tcp->rcv_nxt;
    if (s2_seq_lt(limit, end))
        end = limit;
    if (!s2_seq_lt(begin, end)) {
        tcp->ack_now = tcp->ack_now || s->text.len;
        return;
    }
    const s2svpn_span text = s2_span(s->text.p + (begin - s->seq), end - begin);
    if (!s2_tcp_take_text(tcp, begin, text, tcp->host->depth == 1) || !in_order || tcp->ack_owed) {
        tcp->ack_now = true; /* RFC 5681 section 4.2 */
    } else {
        tcp->ack_owed = true;
        s2_timer_set(tcp->host->env->timers, &tcp->ack_timer, s2_after(now_ns, S2_TCP_DELAYED_ACK));
    }
    if (tcp->state == S2_TCP_STATE_FIN_WAIT_2)
        s2_timer_set(tcp->host->env->timers, &tcp->life_timer, s2_after(now_ns, S2_TCP_FIN_WAIT));
}

static bool expects_text(const struct s2_tcp *tcp)
{
    return tcp->state == S2_TCP_STATE_ESTABLISHED || tcp->state == S2_TCP_STATE_FIN_WAIT_1 ||
           tcp->state == S2_TCP_STATE_FIN_WAIT_2;
}

/* Text lies behind this number: no FIN can be there. */
static bool has_text_behind(const struct s2_tcp *tcp, uint32_t seq)
{
    return tcp->range_count && s2_seq_lt(seq, tcp->range[tcp->range_count - 1].end);
}

/* Seventh and eighth step. A FIN that comes before its text is remembered; one
 * that more text has overtaken was none. */
static void take_text_and_fin(struct s2_tcp *tcp, const struct s2_tcp_segment *s, uint64_t now_ns)
{
    const uint32_t end = s->seq + (uint32_t)s->text.len;

    if (!expects_text(tcp))
        return;
    if (has(s, S2_TCP_FIN) && !tcp->fin_known && end - tcp->rcv_nxt < S2_TCP_WINDOW &&
        !has_text_behind(tcp, end)) {
        tcp->fin_known = true;
        tcp->fin_seq = end;
    }
    if (has(s, S2_TCP_FIN))
        tcp->ack_now = true;
    if (s->text.len)
        take_text(tcp, s, now_ns);
    if (!tcp->fin_known || s2_seq_lt(tcp->rcv_nxt, tcp->fin_seq))
        return;
    tcp->fin_known = false;
    if (tcp->rcv_nxt == tcp->fin_seq) {
        tcp->rcv_nxt++;
        tcp->range_count = 0;
        s2_tcp_step(tcp, S2_TCP_EVENT_FIN, now_ns);
    }
}

/* Our SYN is acknowledged. A stream that the user closed meanwhile goes on to
 * send what is queued and its FIN, and is never shown as opened. */
static void establish(struct s2_tcp *tcp, const struct s2_tcp_segment *s, enum s2_tcp_event event,
                      uint64_t now_ns)
{
    s2_tcp_start_sending(tcp, s, now_ns);
    s2_tcp_step(tcp, event, now_ns);
    if (tcp->shut)
        s2_tcp_step(tcp, S2_TCP_EVENT_CLOSE, now_ns);
}

/* RFC 9293 section 3.10.7.3. */
static void syn_sent(struct s2_tcp *tcp, const struct s2_tcp_segment *s, uint64_t now_ns)
{
    if (has(s, S2_TCP_ACK) && s->ack != tcp->iss + 1) {
        s2_tcp_emit_rst(tcp->host, s, now_ns);
        return;
    }
    if (has(s, S2_TCP_RST)) {
        if (has(s, S2_TCP_ACK))
            s2_tcp_step(tcp, S2_TCP_EVENT_RST, now_ns);
        return;
    }
    if (!has(s, S2_TCP_SYN))
        return;
    take_syn(tcp, s);
    if (!has(s, S2_TCP_ACK)) { /* both at once: answer with SYN and ACK */
        tcp->snd_nxt = tcp->iss;
        s2_tcp_step(tcp, S2_TCP_EVENT_SYN, now_ns);
        return;
    }
    struct s2_tcp_segment rest = *s;
    rest.seq++;
    rest.flags &= (uint8_t)~S2_TCP_SYN;
    tcp->ack_now = true;
    establish(tcp, s, S2_TCP_EVENT_SYN_ACK, now_ns);
    take_text_and_fin(tcp, &rest, now_ns);
}

/* Fifth check in SYN-RECEIVED. False if the segment goes no further. */
static bool syn_received(struct s2_tcp *tcp, const struct s2_tcp_segment *s, uint64_t now_ns)
{
    if (s->ack != tcp->iss + 1) {
        s2_tcp_emit_rst(tcp->host, s, now_ns);
        return false;
    }
    if (tcp->passive && !tcp->host->listening) {
        s2_tcp_step(tcp, S2_TCP_EVENT_ABORT, now_ns);
        s2_tcp_emit_rst(tcp->host, s, now_ns);
        return false;
    }
    establish(tcp, s, S2_TCP_EVENT_ACK_SYN, now_ns);
    return true;
}

/* Second and fourth check: RST, and SYN where none belongs (RFC 5961 section 3
 * and 4). True if that was all. */
static bool reset_or_syn(struct s2_tcp *tcp, const struct s2_tcp_segment *s, uint64_t now_ns)
{
    if (has(s, S2_TCP_RST)) {
        if (s->seq == tcp->rcv_nxt)
            s2_tcp_step(tcp, S2_TCP_EVENT_RST, now_ns);
        else
            s2_tcp_challenge(tcp, now_ns);
        return true;
    }
    if (has(s, S2_TCP_SYN)) {
        if (!(tcp->passive && s2_tcp_step(tcp, S2_TCP_EVENT_SYN, now_ns)))
            s2_tcp_challenge(tcp, now_ns);
        return true;
    }
    return false;
}

void s2_tcp_input(struct s2_tcp *tcp, const struct s2_tcp_segment *s, uint64_t now_ns)
{
    struct s2_tcp_segment in = *s;

    if (tcp->state == S2_TCP_STATE_SYN_SENT) {
        syn_sent(tcp, s, now_ns);
        return;
    }
    /* The SYN that we have: our answer was lost, or, with an ACK, the second half
     * of a simultaneous open (RFC 9293 figure 7). */
    if (tcp->state == S2_TCP_STATE_SYN_RECEIVED && has(s, S2_TCP_SYN) && s->seq == tcp->irs &&
        !has(s, S2_TCP_RST)) {
        if (!has(s, S2_TCP_ACK)) {
            tcp->snd_nxt = tcp->iss;
            return;
        }
        in.seq++;
        in.flags &= (uint8_t)~S2_TCP_SYN;
        tcp->ack_now = true;
    }
    if (!acceptable(tcp, &in)) {
        answer_unacceptable(tcp, &in, now_ns);
        return;
    }
    tcp->heard_ns = now_ns;
    tcp->asked = 0;
    if (reset_or_syn(tcp, &in, now_ns) || !has(&in, S2_TCP_ACK))
        return;
    if (tcp->state == S2_TCP_STATE_SYN_RECEIVED ? !syn_received(tcp, &in, now_ns)
                                                : !s2_tcp_take_ack(tcp, &in, now_ns))
        return;
    take_text_and_fin(tcp, &in, now_ns);
}
