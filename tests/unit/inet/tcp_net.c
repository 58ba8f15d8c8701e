/* SPDX-License-Identifier: Apache-2.0 */
/* The pipe and the two ends of tcp_net.h. */
#include "tcp_net.h"

#include <stdlib.h>
#include <string.h>

#include "base/address.h"

#define PATTERN_LEN 65521 /* a prime, so that shifted text shows */
#define CHUNK 8192

static uint32_t draw(struct net *net, uint32_t below)
{
    net->random ^= net->random << 13;
    net->random ^= net->random >> 7;
    net->random ^= net->random << 17;
    return below ? (uint32_t)(net->random >> 33) % below : 0;
}

/* What an end sends from its i-th byte on, at least CHUNK bytes. */
static const uint8_t *pattern(const struct net_end *from, uint64_t i)
{
    return from->net->pattern + i % PATTERN_LEN + (from - from->net->end);
}

static bool make_pattern(struct net *net)
{
    const uint32_t len = PATTERN_LEN + CHUNK + 1;

    net->pattern = malloc(len);
    for (uint32_t i = 0; net->pattern && i < len; i++) {
        const uint32_t at = i % PATTERN_LEN;
        net->pattern[i] = (uint8_t)(at * 31 + (at >> 8) * 7 + 3);
    }
    return net->pattern != NULL;
}

static void queue(struct net *net, struct net_end *to, const uint8_t *p, size_t len)
{
    if (net->count == net->size) {
        net->size = net->size ? 2 * net->size : 64;
        net->waiting = realloc(net->waiting, net->size * sizeof(*net->waiting));
    }
    struct net_packet *packet = &net->waiting[net->count++];
    *packet = (struct net_packet){
        .at_ns = net->now_ns + (net->delay + draw(net, net->jitter + 1)) * S2_MS,
        .order = net->order++,
        .to = to,
        .len = len,
        .p = malloc(len),
    };
    memcpy(packet->p, p, len);
}

static void on_send(void *user, const uint8_t *p, size_t len, uint64_t now_ns)
{
    struct net_end *end = user;
    struct net *net = end->net;
    struct net_end *to = &net->end[end == net->end];

    net->carried++;
    if (net->at_once) {
        (void)s2_host_input(to->host, p, len, now_ns);
        return;
    }
    if (draw(net, 1000) < net->loss && end->lost_in_row < net->lost_in_row_max) {
        end->lost_in_row++;
        return;
    }
    end->lost_in_row = 0;
    queue(net, to, p, len);
    if (draw(net, 1000) < net->repeat)
        queue(net, to, p, len);
}

static void send_more(struct net_end *end)
{
    while (end->tcp && end->sent < end->to_send) {
        const uint64_t left = end->to_send - end->sent;
        const size_t len = left < CHUNK ? (size_t)left : CHUNK;
        const uint8_t *text = pattern(end, end->sent);
        const size_t taken = s2_tcp_send(end->tcp, text, len, end->net->now_ns);
        end->sent += taken;
        if (taken < len)
            return;
    }
}

static void close_if_done(struct net_end *end)
{
    const struct net_end *other = &end->net->end[end == end->net->end];

    if (end->closes && end->sent == end->to_send && end->received == other->to_send)
        s2_tcp_close(end->tcp, end->net->now_ns);
}

static void on_opened(void *user, struct s2_tcp *tcp, bool passive, uint64_t now_ns)
{
    struct net_end *end = user;

    (void)now_ns;
    end->wrong = end->wrong || end->opened || passive != (end != end->net->end);
    end->opened = true;
    end->tcp = tcp;
    send_more(end);
    close_if_done(end);
}

static void on_received(void *user, struct s2_tcp *tcp, const uint8_t *p, size_t len,
                        uint64_t now_ns)
{
    struct net_end *end = user;
    const struct net_end *other = &end->net->end[end == end->net->end];

    (void)now_ns;
    end->wrong = end->wrong || tcp != end->tcp || !end->opened || len == 0 || len > CHUNK ||
                 memcmp(p, pattern(other, end->received), len) != 0;
    end->received += len;
    close_if_done(end);
}

static void on_sendable(void *user, struct s2_tcp *tcp, uint64_t now_ns)
{
    struct net_end *end = user;

    (void)now_ns;
    end->wrong = end->wrong || tcp != end->tcp;
    send_more(end);
    close_if_done(end);
}

static void on_closed(void *user, struct s2_tcp *tcp, enum s2_tcp_end how, uint64_t now_ns)
{
    struct net_end *end = user;

    (void)now_ns;
    end->wrong = end->wrong || end->closed || (end->opened && tcp != end->tcp);
    end->closed = true;
    end->end = how;
    end->tcp = NULL;
}

static const struct s2_host_ops ops = {on_send, on_opened, on_received, on_sendable, on_closed};

static s2svpn_address address(bool ipv6, uint8_t last)
{
    uint8_t bytes[16] = {0xfd, 0x12, [15] = last};

    return ipv6 ? s2_address_from(S2SVPN_FAMILY_IPV6, bytes) : s2_address_ipv4(0xa9fe0a00u + last);
}

bool net_init(struct net *net, uint64_t seed, bool ipv6)
{
    *net = (struct net){.random = seed * 0x9e3779b97f4a7c15 + 1, .lost_in_row_max = UINT32_MAX};
    s2_fake_env_init(&net->fake, seed);
    if (!make_pattern(net))
        return false;
    for (unsigned i = 0; i < 2; i++) {
        const struct s2_host_spec spec = {
            .address = address(ipv6, (uint8_t)(1 + i)),
            .peer = address(ipv6, (uint8_t)(2 - i)),
            .mtu = 1446,
            .listen_port = 179,
        };
        struct net_end *end = &net->end[i];
        end->net = net;
        if (s2_host_new(&net->fake.env, &spec, &ops, end, &end->host) != S2SVPN_OK)
            return false;
    }
    return true;
}

void net_clear(struct net *net)
{
    for (size_t i = 0; i < net->count; i++)
        free(net->waiting[i].p);
    free(net->waiting);
    free(net->pattern);
    s2_host_free(net->end[0].host);
    s2_host_free(net->end[1].host);
}

bool net_connect(struct net *net, uint64_t first, uint64_t second)
{
    struct s2_tcp *tcp;

    net->end[0].to_send = first;
    net->end[1].to_send = second;
    return s2_tcp_connect(net->end[0].host, 179, NULL, net->now_ns, &tcp) == S2SVPN_OK;
}

static size_t next_packet(const struct net *net)
{
    size_t best = 0;

    for (size_t i = 1; i < net->count; i++) {
        const struct net_packet *a = &net->waiting[i], *b = &net->waiting[best];
        if (a->at_ns < b->at_ns || (a->at_ns == b->at_ns && a->order < b->order))
            best = i;
    }
    return best;
}

void net_run(struct net *net, uint64_t end_ns)
{
    for (;;) {
        const uint64_t timer_ns = s2_timers_next(&net->fake.timers);
        const size_t i = next_packet(net);
        const uint64_t packet_ns = net->count ? net->waiting[i].at_ns : S2SVPN_NEVER;
        const uint64_t at_ns = timer_ns < packet_ns ? timer_ns : packet_ns;

        if (at_ns > end_ns)
            return;
        net->now_ns = at_ns > net->now_ns ? at_ns : net->now_ns;
        if (timer_ns <= packet_ns) {
            s2_timers_advance(&net->fake.timers, net->now_ns, 1);
            continue;
        }
        const struct net_packet packet = net->waiting[i];
        net->waiting[i] = net->waiting[--net->count];
        (void)s2_host_input(packet.to->host, packet.p, packet.len, net->now_ns);
        free(packet.p);
    }
}

bool net_is_done(const struct net *net)
{
    const struct net_end *a = &net->end[0], *b = &net->end[1];

    return !a->wrong && !b->wrong && a->sent == a->to_send && b->sent == b->to_send &&
           a->received == b->to_send && b->received == a->to_send && a->closed && b->closed;
}
