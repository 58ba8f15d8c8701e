/* SPDX-License-Identifier: Apache-2.0 */
/* The rules, as the simulator's filter. */
#include "impair.h"

#include <inttypes.h>
#include <string.h>

#define IKE_HEADER_LEN 28
#define MARKER_LEN 4 /* RFC 3948 section 2.2 */
#define FLAG_RESPONSE 0x20

/* What can be seen of a datagram. */
struct seen {
    enum impair_exchange exchange;
    bool response;
    uint32_t message_id;
    enum impair_side from;
};

static uint32_t get32(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static enum impair_side who_asked(struct impair *im, const struct impair_asked *now)
{
    const unsigned known = im->asked_count < IMPAIR_ASKED ? im->asked_count : IMPAIR_ASKED;

    for (unsigned i = 0; i < known; i++)
        if (im->asked[i].cookie == now->cookie && im->asked[i].message_id == now->message_id)
            return im->asked[i].who;
    im->asked[im->asked_count++ % IMPAIR_ASKED] = *now;
    return now->who;
}

static bool is_response(struct impair *im, const uint8_t *ike, const struct seen *s)
{
    if (ike[17] >> 4 != 1)
        return ike[19] & FLAG_RESPONSE;
    if (s->exchange != MAIN_MODE && s->exchange != QUICK_MODE)
        return false;
    return who_asked(im,
                     &(struct impair_asked){.cookie = (uint64_t)get32(ike) << 32 | get32(ike + 4),
                                            .message_id = s->message_id,
                                            .who = s->from}) != s->from;
}

static struct seen look(struct impair *im, const s2svpn_datagram *d)
{
    const bool natt = d->local.role == S2SVPN_ROLE_NATT;
    const size_t skip = natt ? MARKER_LEN : 0;
    struct seen s = {.exchange = NOT_IKE};

    s.from = d->local.address.bytes[0] == 198 ? IMPAIR_GATEWAY : IMPAIR_DEVICE;
    if (d->local.role == S2SVPN_ROLE_RAW || d->len < skip + IKE_HEADER_LEN ||
        (natt && get32(d->data) != 0))
        return s;
    s.exchange = (enum impair_exchange)d->data[skip + 18];
    s.message_id = get32(d->data + skip + 20);
    s.response = is_response(im, d->data + skip, &s);
    return s;
}

static bool fits(const struct impair_rule *r, const struct seen *s, uint32_t len)
{
    const bool ike = s->exchange != NOT_IKE;

    if (r->exchange == ANY_EXCHANGE ? !ike : r->exchange != s->exchange)
        return false;
    if (r->from != IMPAIR_EITHER && r->from != s->from)
        return false;
    if (ike && r->kind != IMPAIR_BOTH && (r->kind == IMPAIR_RESPONSE) != s->response)
        return false;
    if (r->one_message && r->message_id != s->message_id)
        return false;
    return len >= r->min_len && (r->max_len == 0 || len <= r->max_len);
}

static void spoil(const struct impair_rule *r, s2svpn_sim *sim, s2svpn_datagram *d,
                  s2svpn_sim_fate *fate)
{
    switch (r->what) {
    case IMPAIR_DROP:
        fate->drop = true;
        break;
    case IMPAIR_DUPLICATE:
        fate->copies = 1;
        break;
    case IMPAIR_REPLAY:
        fate->copies = 1;
        fate->copy_after_ns = r->ns;
        break;
    case IMPAIR_DELAY:
        fate->delay_ns = r->ns;
        break;
    case IMPAIR_FLIP:
        if (d->len > 0)
            d->data[s2svpn_sim_random(sim) % d->len] ^= (uint8_t)(1 << s2svpn_sim_random(sim) % 8);
        break;
    case IMPAIR_TRUNCATE:
        if (d->len > 0)
            d->len = (uint32_t)(s2svpn_sim_random(sim) % d->len);
        break;
    case IMPAIR_WHATS:
        break;
    }
}

static void filter(void *user, s2svpn_sim *sim, s2svpn_datagram *d, s2svpn_sim_fate *fate,
                   uint64_t now_ns)
{
    struct impair *im = user;
    const struct seen s = look(im, d);

    for (size_t i = 0; i < im->count; i++) {
        struct impair_rule *r = &im->rule[i];

        if (!fits(r, &s, d->len))
            continue;
        r->fitted++;
        if (r->fitted < r->from_nth || (r->count > 0 && r->done == r->count))
            continue;
        r->done++;
        im->done++;
        if (scene_is_verbose())
            scene_say("%12.6f impair %u: exchange %u %s id %" PRIu32, (double)now_ns / 1e9,
                      (unsigned)r->what, (unsigned)s.exchange, s.response ? "response" : "request",
                      s.message_id);
        spoil(r, sim, d, fate);
        return;
    }
}

void impair_begin(struct scene *s, struct impair *im)
{
    s2svpn_sim_set_filter(s->sim, filter, im);
}

bool impair_add(struct impair *im, struct impair_rule rule)
{
    if (im->count == IMPAIR_RULES)
        return false;
    im->rule[im->count++] = rule;
    return true;
}

void impair_clear(struct impair *im)
{
    memset(im->rule, 0, sizeof(im->rule));
    im->count = 0;
}

void impair_describe(const struct impair *im)
{
    static const char *const what[IMPAIR_WHATS] = {"drop",  "duplicate", "replay",
                                                   "delay", "flip",      "truncate"};

    for (size_t i = 0; i < im->count; i++) {
        const struct impair_rule *r = &im->rule[i];

        scene_say("rule: %s exchange %u, kind %u, from %u, nth %u, count %u, %" PRIu64
                  " ms: fitted %u, done %u",
                  what[r->what], (unsigned)r->exchange, (unsigned)r->kind, (unsigned)r->from,
                  r->from_nth, r->count, (uint64_t)(r->ns / MILLISECOND), r->fitted, r->done);
    }
}
