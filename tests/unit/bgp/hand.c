/* SPDX-License-Identifier: Apache-2.0 */
/* The hand: callbacks that keep, functions that send. */
#include "hand.h"

#include <string.h>

#include "base/address.h"
#include "base/text.h"

static struct hand_stream *stream_of(struct hand *h, const void *stream)
{
    return stream == &h->stream[0] ? &h->stream[0] : &h->stream[1];
}

static void *on_connect(void *user, struct s2_bgp_peer *peer, uint64_t now_ns)
{
    struct hand *h = user;

    (void)peer;
    (void)now_ns;
    h->connects++;
    if (h->unconnected)
        return NULL;
    memset(&h->stream[HAND_OURS], 0, sizeof(h->stream[0]));
    return &h->stream[HAND_OURS];
}

static size_t on_send(void *user, void *stream, const uint8_t *p, size_t len, uint64_t now_ns)
{
    struct hand *h = user;
    struct hand_stream *s = stream_of(h, stream);
    const size_t n = len < h->room ? len : h->room;

    (void)now_ns;
    CU_ASSERT_FATAL(s->up && !s->closed && n <= sizeof(s->sent) - s->len);
    memcpy(s->sent + s->len, p, n);
    s->len += n;
    h->room -= n;
    return n;
}

static void on_close(void *user, void *stream, bool abort, uint64_t now_ns)
{
    struct hand_stream *s = stream_of(user, stream);

    (void)now_ns;
    CU_ASSERT(!s->closed);
    s->closed = true;
    s->aborted = abort;
}

static void on_state(void *user, struct s2_bgp_peer *peer, enum s2_bgp_state from,
                     enum s2_bgp_state to, const char *why, uint64_t now_ns)
{
    struct hand *h = user;

    (void)peer;
    (void)now_ns;
    CU_ASSERT(from != to);
    if (from == S2_BGP_ESTABLISHED) /* every route went before, or waits for a restart */
        CU_ASSERT(peer->in.count == 0 || peer->stale_families != 0);
    s2_copy_text(h->why, sizeof(h->why), why);
    if (h->state_count < 64)
        h->states[h->state_count++] = to;
}

static void on_route(void *user, struct s2_bgp_peer *peer, const s2svpn_prefix *prefix,
                     const struct s2_bgp_attributes *attributes, bool session_ends, uint64_t now_ns)
{
    struct hand *h = user;

    h->prefix = *prefix;
    h->announced += attributes != NULL;
    h->withdrawn += attributes == NULL && !session_ends;
    h->ended += session_ends;
    if (attributes != NULL) {
        h->attributes = *attributes;
        memcpy(h->as_path, attributes->as_path, attributes->as_count * sizeof(h->as_path[0]));
        h->attributes.as_path = h->as_path;
    }
    if (h->stop_in_route && !session_ends)
        s2_bgp_stop(peer, S2_BGP_SUB_CEASE_SHUTDOWN, "enough", now_ns);
}

static void on_graceful(void *user, struct s2_bgp_peer *peer, bool begins, uint64_t now_ns)
{
    struct hand *h = user;

    (void)peer;
    (void)now_ns;
    CU_ASSERT_EQUAL(begins, h->restarts == h->restarts_over);
    h->restarts += begins;
    h->restarts_over += !begins;
}

static void on_end_of_rib(void *user, struct s2_bgp_peer *peer, uint64_t now_ns)
{
    struct hand *h = user;

    (void)peer;
    (void)now_ns;
    h->end_of_ribs++;
}

static void on_notification(void *user, struct s2_bgp_peer *peer, bool sent, uint8_t code,
                            uint8_t subcode, const char *text, uint64_t now_ns)
{
    struct hand *h = user;

    (void)peer;
    (void)now_ns;
    h->notifications++;
    h->sent = sent;
    h->code = code;
    h->subcode = subcode;
    s2_copy_text(h->text, sizeof(h->text), text);
}

static const struct s2_bgp_ops ops = {
    .connect = on_connect,
    .send = on_send,
    .close = on_close,
    .state = on_state,
    .route = on_route,
    .graceful = on_graceful,
    .end_of_rib = on_end_of_rib,
    .notification = on_notification,
};

struct s2_bgp_spec hand_spec(void)
{
    return (struct s2_bgp_spec){
        .local_asn = 65001,
        .peer_asn = 64512,
        .router_id = 0xc0000202,
        .local_address = s2_address_ipv4(0xc0000202),
        .peer_address = s2_address_ipv4(0xc0000201),
        .max_prefixes = 1000,
        .ipv4 = true,
        .ipv6 = true,
    };
}

bool hand_try(struct hand *h, const struct s2_env *env, const struct s2_bgp_spec *spec)
{
    h->room = SIZE_MAX;
    h->now_ns = 1000 * S2_SECOND;
    h->peer = NULL;
    if (s2_bgp_new(env, &ops, &h->bgp) != S2SVPN_OK)
        return false;
    if (s2_bgp_peer_new(h->bgp, spec, h, &h->peer) == S2SVPN_OK)
        return true;
    s2_bgp_free(h->bgp);
    return false;
}

void hand_open(struct hand *h, const struct s2_bgp_spec *spec)
{
    memset(h, 0, sizeof(*h));
    s2_fake_env_init(&h->f, 1);
    CU_ASSERT_FATAL(hand_try(h, &h->f.env, spec));
}

void hand_close(struct hand *h)
{
    s2_bgp_peer_free(h->peer);
    CU_ASSERT_EQUAL(h->bgp->sets.count, 0);
    s2_bgp_free(h->bgp);
    CU_ASSERT_EQUAL(h->f.live, 0);
    CU_ASSERT_EQUAL(s2_timers_next(&h->f.timers), S2SVPN_NEVER);
}

void hand_wait(struct hand *h, uint64_t ns)
{
    const uint64_t until = h->now_ns + ns;

    while (s2_timers_next(h->bgp->env->timers) <= until) {
        const uint64_t next = s2_timers_next(h->bgp->env->timers);

        h->now_ns = next > h->now_ns ? next : h->now_ns;
        s2_timers_advance(h->bgp->env->timers, h->now_ns, 1);
    }
    h->now_ns = until;
}

struct s2_bgp_open hand_open_message(void)
{
    return (struct s2_bgp_open){
        .asn = 64512,
        .router_id = 0xc0000201,
        .hold_time_s = 30,
        .families = S2_BGP_IPV4 | S2_BGP_IPV6,
        .four_octet_as = true,
        .refresh = true,
    };
}

void hand_send(struct hand *h, int stream, const void *p, size_t len)
{
    s2_bgp_receive(h->peer, &h->stream[stream], p, len, h->now_ns);
}

void hand_send_open(struct hand *h, int stream, const struct s2_bgp_open *open)
{
    uint8_t bytes[128];
    struct s2_writer w;

    s2_writer_init(&w, bytes, sizeof(bytes));
    s2_bgp_write_open(&w, open);
    hand_send(h, stream, bytes, w.len);
}

void hand_send_message(struct hand *h, int stream, uint8_t type, const void *body, size_t len)
{
    uint8_t bytes[S2_BGP_MESSAGE_MAX + 64];
    struct s2_writer w;

    s2_writer_init(&w, bytes, sizeof(bytes));
    s2_bgp_write_begin(&w, type);
    s2_write_bytes(&w, body, len);
    s2_bgp_write_end(&w);
    CU_ASSERT_EQUAL_FATAL(s2_writer_finish(&w), S2SVPN_OK);
    hand_send(h, stream, bytes, w.len);
}

size_t hand_hex(uint8_t *out, const char *hex)
{
    size_t n = 0;

    for (; *hex != 0; hex++) {
        const char *digits = "0123456789abcdef", *d = strchr(digits, *hex);

        if (*hex == ' ')
            continue;
        CU_ASSERT_FATAL(d != NULL);
        if (n % 2 == 0)
            out[n / 2] = (uint8_t)((d - digits) << 4);
        else
            out[n / 2] = (uint8_t)(out[n / 2] | (d - digits));
        n++;
    }
    CU_ASSERT_FATAL(n % 2 == 0);
    return n / 2;
}

void hand_send_hex(struct hand *h, int stream, uint8_t type, const char *hex)
{
    uint8_t body[S2_BGP_MESSAGE_MAX];

    hand_send_message(h, stream, type, body, hand_hex(body, hex));
}

void hand_send_update(struct hand *h, const char *withdrawn, const char *attributes,
                      const char *prefixes)
{
    uint8_t body[S2_BGP_MESSAGE_MAX], part[S2_BGP_MESSAGE_MAX];
    struct s2_writer w;
    size_t n;

    s2_writer_init(&w, body, sizeof(body));
    n = hand_hex(part, withdrawn);
    s2_write_u16(&w, (uint16_t)n);
    s2_write_bytes(&w, part, n);
    n = hand_hex(part, attributes);
    s2_write_u16(&w, (uint16_t)n);
    s2_write_bytes(&w, part, n);
    n = hand_hex(part, prefixes);
    s2_write_bytes(&w, part, n);
    hand_send_message(h, HAND_OURS, S2_BGP_TYPE_UPDATE, body, w.len);
}

void hand_confirm(struct hand *h, const struct s2_bgp_open *open)
{
    s2_bgp_start(h->peer, h->now_ns);
    h->stream[HAND_OURS].up = true;
    CU_ASSERT(s2_bgp_stream_up(h->peer, &h->stream[HAND_OURS], true, h->now_ns));
    hand_send_open(h, HAND_OURS, open);
}

void hand_establish(struct hand *h, const struct s2_bgp_open *open)
{
    hand_confirm(h, open);
    hand_send_message(h, HAND_OURS, S2_BGP_TYPE_KEEPALIVE, NULL, 0);
}

uint8_t hand_next(struct hand *h, int stream, s2svpn_span *body)
{
    struct hand_stream *s = &h->stream[stream];
    struct s2_bgp_error why;
    uint16_t len;
    uint8_t type;

    if (s->len - s->read < S2_BGP_HEADER_LEN)
        return 0;
    CU_ASSERT_EQUAL_FATAL(s2_bgp_parse_header(s->sent + s->read, &type, &len, &why), S2SVPN_OK);
    if (len > s->len - s->read)
        return 0;
    *body = (s2svpn_span){s->sent + s->read + S2_BGP_HEADER_LEN, len - (size_t)S2_BGP_HEADER_LEN};
    s->read += len;
    return type;
}

bool hand_was_told(struct hand *h, int stream, uint8_t code, uint8_t subcode)
{
    s2svpn_span body = {NULL, 0};
    uint8_t type, last = 0;

    while ((type = hand_next(h, stream, &body)) != 0)
        last = type;
    return last == S2_BGP_TYPE_NOTIFICATION && body.len >= 2 && body.p[0] == code &&
           body.p[1] == subcode && h->stream[stream].closed;
}

enum s2_bgp_state hand_state(const struct hand *h)
{
    struct s2_bgp_info info;

    s2_bgp_get_info(h->peer, &info);
    return info.state;
}

struct wanted {
    s2svpn_prefix prefix;
    bool found;
};

static bool look_for(void *arg, const s2svpn_prefix *prefix,
                     const struct s2_bgp_attributes *attributes)
{
    struct wanted *w = arg;

    (void)attributes;
    w->found = w->found || s2_prefix_equal(prefix, &w->prefix);
    return !w->found;
}

bool hand_has(const struct hand *h, const char *prefix)
{
    struct wanted w = {.found = false};

    CU_ASSERT_FATAL(s2svpn_prefix_read(prefix, &w.prefix));
    s2_bgp_each_route(h->peer, look_for, &w);
    return w.found;
}
