/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Text in order and out of order. Text at rcv_nxt goes to the user straight from
 * the packet if it can; the rest waits in the ring, with the islands behind holes
 * in a short sorted list. Doesn't know FIN, windows or acknowledgements.
 *
 *   the ring:  | fresh (not copied) | ready | hole | island | hole | island |
 *                                           ^ rcv_nxt
 *
 * What finds no room (memory, too many islands) counts as lost: the peer sends
 * it again. RFC 9293 section 3.10.7.4, seventh step.
 */
#include "inet/tcp.h"

#include <string.h>

/* Sort [begin, end) into the list, joining what touches. False if it would be
 * one island too many; text at rcv_nxt is none. */
static bool add_range(struct s2_tcp *tcp, uint32_t begin, uint32_t end)
{
    struct s2_tcp_range *r = tcp->range;
    unsigned first = 0, last; /* those that touch: first to last - 1 */

    while (first < tcp->range_count && s2_seq_lt(r[first].end, begin))
        first++;
    for (last = first; last < tcp->range_count && s2_seq_le(r[last].begin, end); last++) {
        if (s2_seq_lt(r[last].begin, begin))
            begin = r[last].begin;
        if (s2_seq_lt(end, r[last].end))
            end = r[last].end;
    }
    if (first == last && tcp->range_count == S2_TCP_RANGES_MAX && begin != tcp->rcv_nxt)
        return false;
    memmove(r + first + 1, r + last, (tcp->range_count - last) * sizeof(*r));
    tcp->range_count = (uint8_t)(tcp->range_count - (last - first) + 1);
    r[first] = (struct s2_tcp_range){begin, end};
    return true;
}

/* rcv_nxt has reached islands: they are ready now. */
static void absorb(struct s2_tcp *tcp)
{
    unsigned n = 0;

    for (; n < tcp->range_count && s2_seq_le(tcp->range[n].begin, tcp->rcv_nxt); n++) {
        if (s2_seq_lt(tcp->rcv_nxt, tcp->range[n].end)) {
            tcp->ready += tcp->range[n].end - tcp->rcv_nxt;
            tcp->rcv_nxt = tcp->range[n].end;
        }
    }
    memmove(tcp->range, tcp->range + n, (tcp->range_count - n) * sizeof(tcp->range[0]));
    tcp->range_count = (uint8_t)(tcp->range_count - n);
}

/* Bytes from the ring's start to the end of the last island. */
static uint32_t extent(const struct s2_tcp *tcp)
{
    const uint32_t in_order = (uint32_t)tcp->fresh.len + tcp->ready;

    return tcp->range_count ? in_order + (tcp->range[tcp->range_count - 1].end - tcp->rcv_nxt)
                            : in_order;
}

static bool keep(struct s2_tcp *tcp, uint32_t seq, s2svpn_span text)
{
    const uint32_t offset = (uint32_t)tcp->fresh.len + tcp->ready + (seq - tcp->rcv_nxt);
    const uint32_t len = (uint32_t)text.len;

    if (!s2_tcp_ring_reserve(&tcp->in, tcp->host->env, extent(tcp), offset + len) ||
        !add_range(tcp, seq, seq + len))
        return false;
    s2_tcp_ring_put(&tcp->in, offset, text.p, len);
    absorb(tcp);
    return true;
}

bool s2_tcp_take_text(struct s2_tcp *tcp, uint32_t seq, s2svpn_span text, bool borrow)
{
    if (!borrow || seq != tcp->rcv_nxt || tcp->ready || tcp->fresh.len)
        return keep(tcp, seq, text);
    tcp->fresh = text;
    tcp->rcv_nxt += (uint32_t)text.len;
    absorb(tcp);
    return true;
}

bool s2_tcp_deliver(struct s2_tcp *tcp, uint64_t now_ns)
{
    struct s2_host *host = tcp->host;
    uint8_t copy[S2_TCP_PACKET_MAX]; /* for the ring may move while the user works */
    s2svpn_span text = tcp->fresh;

    if (text.len) {
        tcp->fresh = (s2svpn_span){0};
        s2_tcp_ring_skip(&tcp->in, (uint32_t)text.len);
    } else if (tcp->ready) {
        text = s2_span(copy, s2_tcp_min(tcp->ready, sizeof(copy)));
        s2_tcp_ring_get(&tcp->in, 0, copy, (uint32_t)text.len);
        s2_tcp_ring_skip(&tcp->in, (uint32_t)text.len);
        tcp->ready -= (uint32_t)text.len;
    } else {
        return false;
    }
    host->ops.received(host->user, tcp, text.p, text.len, now_ns);
    return true;
}
