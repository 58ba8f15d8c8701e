/* SPDX-License-Identifier: Apache-2.0 */
/* Sends numbered packets across a scene and takes them. A number is in the place of a
 * TCP segment's sequence number, whose payload shows that it is whole. */
#include "stream.h"

#include <string.h>

#define PAYLOAD 40
#define SEQUENCE_AT (IPV4_LEN + 4)

static uint32_t number_of(const uint8_t *p)
{
    p += SEQUENCE_AT;
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void take(struct stream_way *way, const s2svpn_packet *p, uint64_t now_ns)
{
    const uint32_t n =
        packet_tcp_payload_is_right(p->data, p->len) ? number_of(p->data) : UINT32_MAX;

    if (n >= way->sent) {
        way->wrong++;
        return;
    }
    way->twice += way->arrived_ns[n] != 0;
    way->arrived_ns[n] = now_ns;
}

static bool on_packets(struct scene_side *side, const s2svpn_packet *p, size_t n)
{
    struct stream_way *way = side->taker_user;

    for (size_t i = 0; i < n; i++)
        take(way, &p[i], s2svpn_sim_now(side->scene->sim));
    return true;
}

static void send_one(struct stream_way *way, uint64_t now_ns)
{
    uint8_t data[IPV4_LEN + TCP_LEN + PAYLOAD];
    s2svpn_packet p = {.data = data};

    if (!CHECK(way->sent < STREAM_MOST))
        return;
    p.len =
        (uint32_t)packet_tcp(data, way->from->address, way->to->address, way->sent, PAYLOAD, false);
    way->sent_ns[way->sent++] = now_ns;
    CHECK(s2svpn_sim_inject(way->from->node, way->from->port, &p, 1) == S2SVPN_OK);
}

static void on_time(void *user, s2svpn_sim *sim, uint64_t now_ns)
{
    struct stream *t = user;

    if (t->stopping) {
        t->stopped = true;
        return;
    }
    send_one(&t->to_device, now_ns);
    send_one(&t->to_gateway, now_ns);
    CHECK(s2svpn_sim_at(sim, now_ns + STREAM_EVERY_NS, on_time, t) == S2SVPN_OK);
}

static void open_way(struct stream_way *way, struct scene_side *from, struct scene_side *to)
{
    memset(way, 0, sizeof(*way));
    way->from = from;
    way->to = to;
    to->taker = on_packets;
    to->taker_user = way;
}

void stream_begin(struct stream *t, struct scene *s)
{
    t->scene = s;
    t->stopping = t->stopped = false;
    open_way(&t->to_device, &s->gateway, &s->device);
    open_way(&t->to_gateway, &s->device, &s->gateway);
    on_time(t, s->sim, s2svpn_sim_now(s->sim));
}

void stream_end(struct stream *t)
{
    t->stopping = true;
    scene_run(t->scene, SECOND);
    CHECK(t->stopped);
}

static bool is_among(const struct stream_way *way, uint32_t i, uint64_t from_ns, uint64_t to_ns)
{
    return way->sent_ns[i] >= from_ns && (to_ns == 0 || way->sent_ns[i] < to_ns);
}

unsigned stream_lost(const struct stream_way *way, uint64_t from_ns, uint64_t to_ns)
{
    unsigned lost = 0;

    for (uint32_t i = 0; i < way->sent; i++)
        lost += is_among(way, i, from_ns, to_ns) && way->arrived_ns[i] == 0;
    return lost;
}

uint64_t stream_gap(const struct stream_way *way, uint64_t from_ns, uint64_t to_ns)
{
    uint64_t gap = 0;

    for (uint32_t i = 0; i < way->sent; i++) {
        if (!is_among(way, i, from_ns, to_ns) || way->arrived_ns[i] != 0)
            continue;
        if (i + 1 == way->sent)
            return UINT64_MAX;
        gap = way->sent_ns[i + 1] - from_ns;
    }
    return gap;
}
