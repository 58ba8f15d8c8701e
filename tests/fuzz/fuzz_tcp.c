/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host with a listener and a connecting stream against a peer that does as it
 * likes. The input is a script: each step is an operation byte and what it needs.
 * Checksums and addresses are made right, and sequence numbers are small distances
 * from those that the host expects, so that the input gets deep; raw packets come,
 * too. The user behind the callbacks sends, closes and aborts as the input says.
 * Checked: what the host sends parses, no callback for a stream that has ended,
 * everything released, bounded streams.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/checksum.h"
#include "inet/tcp.h"

#define STEPS_MAX 512
#define CALLS_MAX 4096 /* a user that sends for ever isn't the host's fault */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *p;
    size_t left;
};

struct world {
    struct s2_env env;
    s2svpn_memory memory;
    struct s2_timers timers;
    struct s2_host *host;
    struct input in;
    uint64_t now_ns;
    uint32_t random;
    size_t live;
    bool starved;
    unsigned calls;
    struct s2_tcp *open[8]; /* those that the user may use */
    uint16_t port;          /* of the host's last segment: both */
    uint16_t peer_port;
    uint32_t next, acked; /* what it said: its next sequence number, and ours */
};

static void check(bool good)
{
    if (!good)
        abort();
}

static uint8_t take(struct input *in)
{
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->p++;
}

static void *allocate(void *user, size_t len)
{
    struct world *w = user;

    if (w->starved)
        return NULL;
    w->live++;
    return calloc(1, len);
}

static void release(void *user, void *p)
{
    struct world *w = user;

    w->live -= p != NULL;
    free(p);
}

static s2svpn_status draw(void *user, uint8_t *out, size_t len)
{
    struct world *w = user;

    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)((w->random = w->random * 1664525 + 1013904223) >> 24);
    return S2SVPN_OK;
}

static struct s2_tcp **find(struct world *w, const struct s2_tcp *tcp)
{
    for (unsigned i = 0; i < 8; i++) {
        if (w->open[i] == tcp)
            return &w->open[i];
    }
    return NULL;
}

/* What the user does: send, close, abort, connect. */
static void act(struct world *w, uint8_t what)
{
    static const uint8_t text[70000];
    struct s2_tcp *tcp = w->open[what >> 4 & 7], **place;

    if (w->calls++ > CALLS_MAX)
        return;
    switch (what & 15) {
    case 1:
        if (tcp)
            (void)s2_tcp_send(tcp, text, take(&w->in), w->now_ns);
        break;
    case 2:
        if (tcp)
            (void)s2_tcp_send(tcp, text, 1 + 273u * take(&w->in), w->now_ns);
        break;
    case 3:
        if (tcp)
            s2_tcp_close(tcp, w->now_ns);
        break;
    case 4:
        if (tcp) {
            *find(w, tcp) = NULL;
            s2_tcp_abort(tcp, w->now_ns);
        }
        break;
    case 5:
        place = find(w, NULL);
        if (place && s2_tcp_connect(w->host, 179, w, w->now_ns, &tcp) == S2SVPN_OK && tcp &&
            !find(w, tcp)) {
            place = find(w, NULL); /* callbacks may have taken the first */
            if (place)
                *place = tcp;
            else
                s2_tcp_abort(tcp, w->now_ns);
        }
        break;
    case 6:
        s2_host_listen(w->host, what >> 4 & 1);
        break;
    case 7:
        s2_host_set_mtu(w->host, (uint16_t)(take(&w->in) * 40));
        break;
    case 8:
        s2_host_ping(w->host, 1, 1, w->now_ns);
        break;
    case 9:
        w->starved = what >> 4 & 1;
        break;
    case 10:
        if (tcp)
            s2_tcp_keepalive(tcp, take(&w->in) * S2_SECOND, w->now_ns);
        break;
    default:
        break;
    }
}

static void on_send(void *user, const uint8_t *p, size_t len, uint64_t now_ns)
{
    struct world *w = user;
    struct s2_tcp_segment s;
    struct s2_inet_view v;

    (void)now_ns;
    check(s2_inet_view(p, len, &v) && v.total_len == len);
    if (v.protocol != S2_IP_TCP)
        return;
    check(s2_tcp_parse(p, &v, &s));
    w->port = s.source_port;
    w->peer_port = s.destination_port;
    w->next = s.seq + s2_tcp_segment_len(&s);
    if (s.flags & S2_TCP_ACK)
        w->acked = s.ack;
}

static void on_opened(void *user, struct s2_tcp *tcp, bool passive, uint64_t now_ns)
{
    struct world *w = user;
    struct s2_tcp **place = find(w, NULL);

    (void)now_ns;
    if (passive) {
        check(!find(w, tcp));
        if (place)
            *place = tcp;
    }
    act(w, take(&w->in));
}

static void on_received(void *user, struct s2_tcp *tcp, const uint8_t *p, size_t len,
                        uint64_t now_ns)
{
    struct world *w = user;
    volatile uint8_t sum = 0;

    (void)tcp, (void)now_ns;
    check(len > 0);
    act(w, take(&w->in));
    for (size_t i = 0; i < len; i++) /* still borrowed */
        sum = (uint8_t)(sum + p[i]);
}

static void on_sendable(void *user, struct s2_tcp *tcp, uint64_t now_ns)
{
    struct world *w = user;

    (void)now_ns;
    check(find(w, tcp));
    act(w, take(&w->in));
}

static void on_closed(void *user, struct s2_tcp *tcp, enum s2_tcp_end end, uint64_t now_ns)
{
    struct world *w = user;
    struct s2_tcp **place = find(w, tcp);

    (void)end, (void)now_ns;
    act(w, take(&w->in));
    if (place && *place == tcp)
        *place = NULL;
}

/* A segment whose numbers lie a little off what the host expects. */
static void near_segment(struct world *w, const s2svpn_address *from, const s2svpn_address *to)
{
    uint8_t packet[20 + 24 + 1024] = {0x45, [8] = 64, [9] = 6};
    const uint8_t flags = take(&w->in), which = take(&w->in);
    const int8_t seq_off = (int8_t)take(&w->in), ack_off = (int8_t)take(&w->in);
    const uint8_t options = take(&w->in);
    const size_t header = options & 1 ? 24 : 20, len = (size_t)take(&w->in) << (options & 2);
    uint8_t *tcp = packet + 20;
    const size_t total = 20 + header + len;

    s2_put_u16(packet + 2, (uint16_t)total);
    memcpy(packet + 12, from->bytes, 4);
    memcpy(packet + 16, to->bytes, 4);
    s2_put_u16(packet + 10, s2_checksum_finish(s2_checksum_add(0, packet, 20)));
    const bool same = which & 0x80 && w->port;
    s2_put_u16(tcp, same ? w->peer_port : (uint16_t)(40000 + (which & 7)));
    s2_put_u16(tcp + 2, same ? w->port : which & 8 ? 80 : 179);
    /* one in a while far off */
    s2_put_u32(tcp + 4, w->acked + (uint32_t)(seq_off * (options & 16 ? 517 : 1)));
    s2_put_u32(tcp + 8, w->next + (uint32_t)(ack_off * (options & 32 ? 1400 : 1)));
    tcp[12] = (uint8_t)(header << 2);
    tcp[13] = flags;
    s2_put_u16(tcp + 14, options & 64 ? 0 : options & 128 ? 65535 : 300);
    if (header == 24) {
        tcp[20] = 2;
        tcp[21] = 4;
        s2_put_u16(tcp + 22, (uint16_t)(take(&w->in) * 8));
    }
    uint64_t sum = s2_tcp_pseudo_sum(from, to, S2_IP_TCP, header + len);
    s2_put_u16(tcp + 16, s2_checksum_finish(s2_checksum_add(sum, tcp, header + len)));
    (void)s2_host_input(w->host, packet, total, w->now_ns);
}

/* The checksum of what an IPv4 header of 20 bytes carries. */
static void fix_transport(uint8_t *packet, const struct s2_inet_view *v)
{
    const size_t len = v->total_len - 20u;
    const bool tcp = v->protocol == S2_IP_TCP;
    uint8_t *field = packet + 20 + (tcp ? 16 : 2);
    uint64_t sum = tcp ? s2_tcp_pseudo_sum(&v->source, &v->destination, S2_IP_TCP, len) : 0;

    s2_put_u16(field, 0);
    s2_put_u16(field, s2_checksum_finish(s2_checksum_add(sum, packet + 20, len)));
}

/* The input's own bytes as a packet; fix makes its checksums right and says that
 * it is for the host. */
static void raw_packet(struct world *w, bool fix)
{
    uint8_t packet[256];
    const size_t len = take(&w->in);
    struct s2_inet_view v;

    for (size_t i = 0; i < len; i++)
        packet[i] = take(&w->in);
    if (fix && len >= 40 && packet[0] == 0x45) {
        s2_put_u32(packet + 16, 0xa9fe0a02);
        s2_put_u16(packet + 10, 0);
        s2_put_u16(packet + 10, s2_checksum_finish(s2_checksum_add(0, packet, 20)));
        if (s2_inet_view(packet, len, &v) && v.total_len >= 40)
            fix_transport(packet, &v);
    }
    (void)s2_host_input(w->host, packet, len, w->now_ns);
}

static void step(struct world *w, const s2svpn_address *us, const s2svpn_address *peer)
{
    const uint8_t op = take(&w->in);

    switch (op & 7) {
    case 0:
    case 1:
    case 2:
    case 3:
        near_segment(w, peer, us);
        break;
    case 4:
        w->now_ns += (uint64_t)take(&w->in) * (op & 8 ? S2_SECOND : 5 * S2_MS);
        s2_timers_advance(&w->timers, w->now_ns, 64);
        break;
    case 5:
        raw_packet(w, op & 8);
        break;
    default:
        act(w, take(&w->in));
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct s2_host_ops ops = {on_send, on_opened, on_received, on_sendable, on_closed};
    const s2svpn_address us = s2_address_ipv4(0xa9fe0a02), peer = s2_address_ipv4(0xa9fe0a01);
    const struct s2_host_spec spec = {.address = us, .peer = peer, .mtu = 1446, .listen_port = 179};
    struct world w = {.in = {data, size}, .now_ns = S2_SECOND, .random = 1};

    w.memory = (s2svpn_memory){sizeof(w.memory), &w, allocate, release};
    s2_timers_init(&w.timers);
    w.env = (struct s2_env){
        .memory = &w.memory, .random = draw, .random_user = &w, .timers = &w.timers};
    check(s2_host_new(&w.env, &spec, &ops, &w, &w.host) == S2SVPN_OK);
    act(&w, 5);
    for (unsigned i = 0; i < STEPS_MAX && w.in.left > 0; i++)
        step(&w, &us, &peer);
    check(w.live <= 1 + 3 * S2_HOST_STREAMS_MAX);
    s2_host_free(w.host);
    check(w.live == 0 && s2_timers_next(&w.timers) == S2SVPN_NEVER);
    return 0;
}
