/* SPDX-License-Identifier: Apache-2.0 */
/* What he has for his storms: eyes on the wire, any address, a clock. */
#include "abuse.h"

#include <stdlib.h>
#include <string.h>

#include "campaign.h"

#define HEAD 16 /* keeps what follows aligned */
#define MARKER 4

/* ---- memory of both ends */

static void *allocate(void *user, size_t len)
{
    struct abuse *a = user;
    uint8_t *p = len > SIZE_MAX - HEAD ? NULL : malloc(len + HEAD);

    if (!p)
        return NULL;
    memcpy(p, &len, sizeof(len));
    a->bytes += len;
    a->peak = a->bytes > a->peak ? a->bytes : a->peak;
    return p + HEAD;
}

static void release(void *user, void *p)
{
    struct abuse *a = user;
    size_t len;

    if (!p)
        return;
    memcpy(&len, (uint8_t *)p - HEAD, sizeof(len));
    a->bytes -= len;
    free((uint8_t *)p - HEAD);
}

/* ---- eyes */

static void keep(struct abuse_kept *k, const s2svpn_datagram *d)
{
    if (d->len > sizeof(k->data))
        return;
    k->local = d->local;
    k->remote = d->remote;
    k->len = d->len;
    memcpy(k->data, d->data, d->len);
}

static bool is_esp(const s2svpn_datagram *d)
{
    static const uint8_t marker[MARKER] = {0};

    return d->local.role == S2SVPN_ROLE_RAW ||
           (d->local.role == S2SVPN_ROLE_NATT && d->len > MARKER &&
            memcmp(d->data, marker, MARKER) != 0);
}

static void on_wire(void *user, const s2svpn_datagram *d, bool lost, uint64_t now_ns)
{
    struct abuse *a = user;
    const size_t marker = d->local.role == S2SVPN_ROLE_NATT ? MARKER : 0;
    struct abuse_memory *m = is_esp(d) ? &a->esp : &a->ike;

    (void)lost;
    (void)now_ns;
    if (a->sending || d->len < 28 + marker || d->segment != 0)
        return;
    if (m == &a->ike && abuse_get64(d->data + marker) >> 32 == a->mine) {
        a->answered++;
        a->answered_bytes += d->len;
        if (a->answers - a->answers_used < ABUSE_ANSWERS)
            keep(&a->answer[a->answers++ % ABUSE_ANSWERS], d);
        return;
    }
    if (m == &a->ike && a->init.len == 0 && d->local.role == S2SVPN_ROLE_IKE)
        keep(&a->init, d);
    keep(&m->kept[m->count++ % ABUSE_KEPT], d);
}

const struct abuse_kept *abuse_answer(struct abuse *a)
{
    return a->answers_used < a->answers ? &a->answer[a->answers_used++ % ABUSE_ANSWERS] : NULL;
}

const struct abuse_kept *abuse_pick(struct abuse *a, const struct abuse_memory *m)
{
    const size_t n = m->count < ABUSE_KEPT ? m->count : ABUSE_KEPT;

    return n > 0 ? &m->kept[abuse_roll(a, 0, n - 1)] : NULL;
}

/* ---- places */

uint64_t abuse_roll(struct abuse *a, uint64_t low, uint64_t high)
{
    return campaign_roll(a->s.sim, low, high);
}

void abuse_random(struct abuse *a, uint8_t *p, size_t len)
{
    for (size_t i = 0; i < len; i++)
        p[i] = (uint8_t)s2svpn_sim_random(a->s.sim);
}

s2svpn_endpoint abuse_stranger(struct abuse *a)
{
    s2svpn_endpoint e = {.port = (uint16_t)abuse_roll(a, 1, 65535), .role = S2SVPN_ROLE_IKE};

    e.address.family = S2SVPN_FAMILY_IPV4;
    e.address.bytes[0] = 100;
    abuse_random(a, e.address.bytes + 1, 3);
    return e;
}

s2svpn_endpoint abuse_customer(struct abuse *a)
{
    return (s2svpn_endpoint){.address = scene_device_address(),
                             .port = (uint16_t)abuse_roll(a, 1, 65535),
                             .role = S2SVPN_ROLE_IKE};
}

s2svpn_endpoint abuse_gateway(size_t tunnel, uint8_t role)
{
    return (s2svpn_endpoint){.address = scene_gateway_address(tunnel),
                             .port = role == S2SVPN_ROLE_IKE    ? 500
                                     : role == S2SVPN_ROLE_NATT ? 4500
                                                                : 0,
                             .role = role};
}

void abuse_send(struct abuse *a, const s2svpn_endpoint *from, const s2svpn_endpoint *to,
                const uint8_t *p, size_t len)
{
    uint8_t copy[ABUSE_LEN + MARKER];
    s2svpn_datagram d = {.local = *from, .remote = *to, .data = copy, .len = (uint32_t)len};

    memcpy(copy, p, len);
    d.local.role = to->role;
    a->sent++;
    a->sent_bytes += len;
    a->sending = true;
    CHECK(s2svpn_sim_send(a->s.sim, &d) == S2SVPN_OK);
    a->sending = false;
}

/* ---- writing */

uint16_t abuse_get16(const uint8_t *p)
{
    return (uint16_t)(p[0] << 8 | p[1]);
}

uint64_t abuse_get64(const uint8_t *p)
{
    uint64_t v = 0;

    for (size_t i = 0; i < 8; i++)
        v = v << 8 | p[i];
    return v;
}

void abuse_put16(uint8_t *p, uint16_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

void abuse_put32(uint8_t *p, uint32_t v)
{
    abuse_put16(p, (uint16_t)(v >> 16));
    abuse_put16(p + 2, (uint16_t)v);
}

void abuse_put64(uint8_t *p, uint64_t v)
{
    abuse_put32(p, (uint32_t)(v >> 32));
    abuse_put32(p + 4, (uint32_t)v);
}

/* RFC 7296 section 3.1, RFC 2408 section 3.1. */
void abuse_header(struct abuse_message *m, uint64_t spi_i, uint64_t spi_r, uint8_t version,
                  uint8_t exchange, uint8_t flags, uint32_t id)
{
    abuse_put64(m->p, spi_i);
    abuse_put64(m->p + 8, spi_r);
    m->p[16] = 0;
    m->p[17] = version;
    m->p[18] = exchange;
    m->p[19] = flags;
    abuse_put32(m->p + 20, id);
    m->len = 28;
    m->next_at = 16;
}

void abuse_payload(struct abuse_message *m, uint8_t type, const uint8_t *body, size_t len)
{
    uint8_t *p = m->p + m->len;

    if (m->len + 4 + len > sizeof(m->p))
        return;
    m->p[m->next_at] = type;
    p[0] = p[1] = 0;
    abuse_put16(p + 2, (uint16_t)(4 + len));
    if (len > 0)
        memcpy(p + 4, body, len);
    m->next_at = m->len;
    m->len += 4 + len;
}

void abuse_message_send(struct abuse *a, struct abuse_message *m, const s2svpn_endpoint *from,
                        const s2svpn_endpoint *to)
{
    uint8_t marked[ABUSE_LEN + MARKER] = {0};

    abuse_put32(m->p + 24, (uint32_t)m->len);
    memcpy(marked + MARKER, m->p, m->len);
    if (to->role == S2SVPN_ROLE_NATT)
        abuse_send(a, from, to, marked, m->len + MARKER);
    else
        abuse_send(a, from, to, m->p, m->len);
}

/* ---- the storm */

static void on_storm(void *user, s2svpn_sim *sim, uint64_t now_ns)
{
    struct abuse *a = user;

    if (!a->send)
        return;
    for (unsigned i = 0; i < a->each_ms; i++)
        a->send(a);
    CHECK(s2svpn_sim_at(sim, now_ns + MILLISECOND, on_storm, a) == S2SVPN_OK);
}

void abuse_start(struct abuse *a, void (*send)(struct abuse *a), unsigned each_ms)
{
    a->send = send;
    a->each_ms = each_ms;
    CHECK(s2svpn_sim_at(a->s.sim, s2svpn_sim_now(a->s.sim), on_storm, a) == S2SVPN_OK);
}

void abuse_stop(struct abuse *a)
{
    a->send = NULL;
    scene_run(&a->s, 2 * MILLISECOND);
}

bool abuse_begin(struct abuse *a, struct scene_plan *plan)
{
    memset(a, 0, sizeof(*a));
    a->memory = (s2svpn_memory){
        .size = sizeof(a->memory), .user = a, .allocate = allocate, .release = release};
    a->mine = 0xabababab;
    plan->memory = &a->memory;
    plan->count_log = true;
    if (!CHECK(scene_open(&a->s, plan) == S2SVPN_OK))
        return false;
    s2svpn_sim_on_wire(a->s.sim, on_wire, a);
    return CHECK(scene_start(&a->s) == S2SVPN_OK) &&
           CHECK(scene_wait(&a->s, scene_both_up, MINUTE));
}

void abuse_end(struct abuse *a)
{
    scene_close(&a->s);
    CHECK(a->bytes == 0);
}
