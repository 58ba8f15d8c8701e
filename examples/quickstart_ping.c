/* SPDX-License-Identifier: Apache-2.0 */
/* The two hosts behind the gateways: the office host pings, the instance answers.
 * RFC 791, RFC 792. */
#include <event2/event.h>
#include <string.h>

#include "quickstart.h"

#define IP_LEN 20
#define ICMP_LEN 8
#define PAYLOAD_LEN 56
#define ECHO_LEN (IP_LEN + ICMP_LEN + PAYLOAD_LEN)
#define ECHO_REPLY 0
#define ECHO_REQUEST 8
#define ICMP 1
#define OUR_ID 0x5332

static const uint8_t office_address[4] = {192, 168, 1, 9};
static const uint8_t instance_address[4] = {10, 0, 1, 10};

static void put16(uint8_t *p, unsigned v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static unsigned get16(const uint8_t *p)
{
    return (unsigned)p[0] << 8 | p[1];
}

/* RFC 1071, of an even number of bytes. */
static unsigned checksum(const uint8_t *p, size_t len)
{
    uint32_t sum = 0;

    for (size_t i = 0; i < len; i += 2)
        sum += get16(p + i);
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return ~sum & 0xffff;
}

static void make_echo(uint8_t *p, uint8_t type, const uint8_t *from, const uint8_t *to,
                      unsigned sequence)
{
    uint8_t *icmp = p + IP_LEN;

    memset(p, 0, ECHO_LEN);
    p[0] = 0x45;
    put16(p + 2, ECHO_LEN);
    p[8] = 64; /* hops */
    p[9] = ICMP;
    memcpy(p + 12, from, 4);
    memcpy(p + 16, to, 4);
    put16(p + 10, checksum(p, IP_LEN));
    icmp[0] = type;
    put16(icmp + 4, OUR_ID);
    put16(icmp + 6, sequence);
    memset(icmp + ICMP_LEN, 'x', PAYLOAD_LEN);
    put16(icmp + 2, checksum(icmp, ICMP_LEN + PAYLOAD_LEN));
}

/* One of ours, whole and right, of this type, to this address? */
static bool is_echo(const s2svpn_packet *p, uint8_t type, const uint8_t *from, const uint8_t *to,
                    unsigned *sequence)
{
    const uint8_t *icmp = p->data + IP_LEN;

    if (p->len != ECHO_LEN || p->data[0] != 0x45 || p->data[9] != ICMP ||
        memcmp(p->data + 12, from, 4) != 0 || memcmp(p->data + 16, to, 4) != 0)
        return false;
    if (checksum(p->data, IP_LEN) != 0 || checksum(icmp, ICMP_LEN + PAYLOAD_LEN) != 0)
        return false;
    *sequence = get16(icmp + 6);
    return icmp[0] == type && get16(icmp + 4) == OUR_ID;
}

static void enter(const struct side *side, uint8_t *data, uint64_t now_ns)
{
    s2svpn_packet p = {.data = data, .len = ECHO_LEN};

    s2svpn_receive_inside(s2svpn_context_worker(side->ctx, 0), side->port_number, &p, 1, now_ns);
}

/* ---- the instance */

void ping_at_instance(void *user, s2svpn_context *ctx, s2svpn_port_id port, const s2svpn_packet *p,
                      size_t n, uint64_t now_ns)
{
    const struct side *side = user;
    uint8_t reply[ECHO_LEN];
    unsigned sequence;

    (void)ctx;
    for (size_t i = 0; i < n && port == side->port_number; i++) {
        if (!is_echo(&p[i], ECHO_REQUEST, office_address, instance_address, &sequence))
            continue;
        make_echo(reply, ECHO_REPLY, instance_address, office_address, sequence);
        enter(side, reply, now_ns);
    }
}

/* ---- the office host */

static void send_ping(evutil_socket_t fd, short what, void *arg)
{
    struct quickstart *q = arg;
    uint8_t request[ECHO_LEN];
    struct ping *ping = &q->ping[q->ping_count];

    (void)fd;
    (void)what;
    if (q->ping_count == PINGS_MAX)
        return;
    make_echo(request, ECHO_REQUEST, office_address, instance_address, (unsigned)q->ping_count++);
    ping->sent_ns = s2svpn_host_now();
    enter(&q->device, request, ping->sent_ns);
}

void ping_at_office(void *user, s2svpn_context *ctx, s2svpn_port_id port, const s2svpn_packet *p,
                    size_t n, uint64_t now_ns)
{
    const struct side *side = user;
    struct quickstart *q = side->scene;
    unsigned sequence;

    (void)ctx;
    for (size_t i = 0; i < n && port == side->port_number; i++) {
        if (!is_echo(&p[i], ECHO_REPLY, instance_address, office_address, &sequence) ||
            sequence >= q->ping_count || q->ping[sequence].answered_ns)
            continue;
        q->ping[sequence].answered_ns = now_ns;
        if (sequence == 0)
            show(q, "office", "192.168.1.9 pings the instance 10.0.1.10: answered in %.2f ms",
                 (double)(now_ns - q->ping[0].sent_ns) / 1e6);
        if (q->cut && sequence >= q->first_lost && q->moved_ns == 0) {
            q->moved_ns = now_ns;
            show(q, "office", "pings are answered again, %.1f s after the cut",
                 (double)(now_ns - q->cut_ns) / 1e9);
        }
    }
}

bool ping_begin(struct quickstart *q)
{
    const struct timeval every = {.tv_usec = PING_EVERY_NS / 1000};

    q->ping_timer = event_new(q->base, -1, EV_PERSIST, send_ping, q);
    return q->ping_timer && event_add(q->ping_timer, &every) == 0;
}

void ping_end(struct quickstart *q)
{
    if (q->ping_timer)
        event_free(q->ping_timer);
    q->ping_timer = NULL;
}

struct ping_sum ping_sum(const struct quickstart *q, size_t from, size_t to)
{
    const uint64_t now_ns = s2svpn_host_now();
    struct ping_sum sum = {0};

    for (size_t i = from; i < to && i < q->ping_count; i++) {
        const struct ping *p = &q->ping[i];
        double ms;

        sum.sent++;
        if (p->answered_ns == 0) {
            sum.waiting += now_ns - p->sent_ns < SECOND_NS;
            continue;
        }
        ms = (double)(p->answered_ns - p->sent_ns) / 1e6;
        if (sum.answered == 0 || ms < sum.least_ms)
            sum.least_ms = ms;
        if (ms > sum.most_ms)
            sum.most_ms = ms;
        sum.mean_ms += ms;
        sum.answered++;
    }
    if (sum.answered)
        sum.mean_ms /= (double)sum.answered;
    return sum;
}
