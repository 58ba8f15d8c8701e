/* SPDX-License-Identifier: Apache-2.0 */
/* A host in the VPC, without a TUN device: it pings --ping's address and answers who pings
 * it. */
#include "echo.h"
#include "examine/examine.h"

#include <string.h>

#define EVERY_NS (SECOND_NS / 5)
#define LOST_NS (2 * SECOND_NS)
#define PING_LEN 84
#define CUT_LEN 2000
#define ID 0x5856
#define CUT_ID 0x5857

static bool is_same(const s2svpn_address *a, const s2svpn_address *b)
{
    return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

static void enter(const struct through *t, const struct echo *e, uint64_t now_ns)
{
    uint8_t data[ECHO_MAX];
    s2svpn_packet p = {.data = data, .len = (uint32_t)echo_write(e, data, sizeof(data))};

    if (p.len)
        s2svpn_receive_inside(s2svpn_context_worker(t->ctx, 0), t->port, &p, 1, now_ns);
}

void through_begin(struct through *t)
{
    t->first = t->next;
    t->cut_sent = false;
    t->cut_got = 0;
}

void through_tick(struct through *t, uint64_t now_ns)
{
    const struct echo e = {
        .from = t->from, .to = t->to, .id = ID, .sequence = (uint16_t)t->next, .len = PING_LEN};

    if (t->to.family == S2SVPN_FAMILY_NONE || now_ns < t->next_ns)
        return;
    t->sent_ns[t->next % THROUGH_MAX] = now_ns;
    t->answered_ns[t->next % THROUGH_MAX] = 0;
    t->next++;
    t->next_ns = now_ns + EVERY_NS;
    enter(t, &e, now_ns);
}

void through_cut(struct through *t, uint64_t now_ns)
{
    const struct echo e = {
        .from = t->from, .to = t->to, .id = CUT_ID, .sequence = (uint16_t)t->next, .len = CUT_LEN};

    t->cut_sent = true;
    t->cut_got = 0;
    enter(t, &e, now_ns);
}

/* The oldest that is remembered of a step's. */
static uint32_t oldest(const struct through *t)
{
    return t->next - t->first > THROUGH_MAX ? t->next - THROUGH_MAX : t->first;
}

void through_facts(const struct through *t, uint64_t now_ns, struct through_facts *out)
{
    struct through_facts f = {.asked = t->to.family != S2SVPN_FAMILY_NONE,
                              .cut_sent = t->cut_sent,
                              .cut_answered = t->cut_sent && t->cut_got >= CUT_LEN - 20};

    for (uint32_t i = oldest(t); i != t->next; i++) {
        const uint64_t answered = t->answered_ns[i % THROUGH_MAX];

        f.sent++;
        f.answered += answered != 0;
        f.lost += answered == 0 && now_ns - t->sent_ns[i % THROUGH_MAX] > LOST_NS;
        if (answered && (f.first_ns == 0 || answered < f.first_ns))
            f.first_ns = answered;
        if (answered > f.last_ns)
            f.last_ns = answered;
    }
    *out = f;
}

static void answered(struct through *t, uint16_t sequence, uint64_t now_ns)
{
    const uint32_t back = (uint16_t)(t->next - sequence); /* 1: the last one */
    uint64_t *at = &t->answered_ns[(t->next - back) % THROUGH_MAX];

    if (back == 0 || back > THROUGH_MAX || back > t->next || *at != 0)
        return;
    *at = now_ns;
    t->ever = true;
}

void through_packet(struct through *t, const s2svpn_packet *p, uint64_t now_ns)
{
    struct echo e;

    if (t->cut_sent)
        t->cut_got += echo_fragment(p->data, p->len, &t->to, &t->from);
    if (!echo_read(p->data, p->len, &e) || !is_same(&e.to, &t->from))
        return;
    if (e.reply) {
        if (is_same(&e.from, &t->to) && e.id == ID)
            answered(t, e.sequence, now_ns);
        if (is_same(&e.from, &t->to) && e.id == CUT_ID && e.len == CUT_LEN)
            t->cut_got = CUT_LEN;
        return;
    }
    e.reply = true;
    e.to = e.from;
    e.from = t->from;
    enter(t, &e, now_ns);
}
