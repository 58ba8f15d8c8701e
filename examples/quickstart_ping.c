/* SPDX-License-Identifier: Apache-2.0 */
/* The two hosts behind the gateways: the office host pings, the instance answers. */
#include <event2/event.h>
#include <string.h>

#include "echo.h"
#include "quickstart.h"

#define ECHO_LEN 84 /* what ping(8) sends */
#define OUR_ID 0x5332

static const s2svpn_address office_address = {.family = S2SVPN_FAMILY_IPV4,
                                              .bytes = {192, 168, 1, 9}};
static const s2svpn_address instance_address = {.family = S2SVPN_FAMILY_IPV4,
                                                .bytes = {10, 0, 1, 10}};

/* One of ours, whole and right, from there to here? */
static bool is_ours(const s2svpn_packet *p, bool reply, const s2svpn_address *from,
                    const s2svpn_address *to, struct echo *e)
{
    return echo_read(p->data, p->len, e) && e->reply == reply && e->id == OUR_ID &&
           e->len == ECHO_LEN && memcmp(&e->from, from, sizeof(*from)) == 0 &&
           memcmp(&e->to, to, sizeof(*to)) == 0;
}

static void enter(const struct side *side, const struct echo *e, uint64_t now_ns)
{
    uint8_t data[ECHO_LEN];
    s2svpn_packet p = {.data = data, .len = (uint32_t)echo_write(e, data, sizeof(data))};

    s2svpn_receive_inside(s2svpn_context_worker(side->ctx, 0), side->port_number, &p, 1, now_ns);
}

/* ---- the instance */

void ping_at_instance(void *user, s2svpn_context *ctx, s2svpn_port_id port, const s2svpn_packet *p,
                      size_t n, uint64_t now_ns)
{
    const struct side *side = user;
    struct echo e;

    (void)ctx;
    for (size_t i = 0; i < n && port == side->port_number; i++) {
        if (!is_ours(&p[i], false, &office_address, &instance_address, &e))
            continue;
        e.reply = true;
        e.from = instance_address;
        e.to = office_address;
        enter(side, &e, now_ns);
    }
}

/* ---- the office host */

static void send_ping(evutil_socket_t fd, short what, void *arg)
{
    struct quickstart *q = arg;
    struct ping *ping = &q->ping[q->ping_count];
    struct echo e = {.from = office_address,
                     .to = instance_address,
                     .id = OUR_ID,
                     .sequence = (uint16_t)q->ping_count,
                     .len = ECHO_LEN};

    (void)fd;
    (void)what;
    if (q->ping_count == PINGS_MAX)
        return;
    q->ping_count++;
    ping->sent_ns = s2svpn_host_now();
    enter(&q->device, &e, ping->sent_ns);
}

void ping_at_office(void *user, s2svpn_context *ctx, s2svpn_port_id port, const s2svpn_packet *p,
                    size_t n, uint64_t now_ns)
{
    const struct side *side = user;
    struct quickstart *q = side->scene;
    struct echo e;
    unsigned sequence;

    (void)ctx;
    for (size_t i = 0; i < n && port == side->port_number; i++) {
        if (!is_ours(&p[i], true, &instance_address, &office_address, &e))
            continue;
        sequence = e.sequence;
        if (sequence >= PINGS_MAX || sequence >= q->ping_count || q->ping[sequence].answered_ns)
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
