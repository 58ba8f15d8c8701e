/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A BGP peer against a stream that does as it likes. The first four bytes choose:
 *
 *     0: how far the session is when the input begins (bits 0, 1), a two-octet
 *        speaker (2), a second stream beside the first (3), memory that runs out (4),
 *        input cut into messages with good headers (5), IPv4 alone (6),
 *        policies that change routes (7)
 *     1: how many bytes come at a time
 *     2: how many bytes the stream takes at a time
 *     3: when memory runs out
 *
 * In messages, each begins with its type and two bytes of length. Checked: what the
 * peer sends is BGP, no callback for a stream that it gave up, routes are what was
 * reported, every route goes before the session's end is told, all is released.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "base/timer.h"
#include "bgp/bgp.h"
#include "bgp/message.h"

#define HEAD 4
#define SENT_MOST 262144
#define PREFIXES_MOST 50

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct stream {
    bool open;
    uint8_t partial[S2_BGP_MESSAGE_MAX];
    size_t len, sent;
};

struct world {
    struct s2_env env;
    s2svpn_memory memory;
    struct s2_timers timers;
    struct s2_bgp *bgp;
    struct s2_bgp_peer *peer;
    struct stream stream[2];
    uint64_t now_ns;
    uint32_t random;
    size_t live, allocations, fail_at, take, room, routes;
    enum s2_bgp_state state;
};

static void check(bool good)
{
    if (!good)
        abort();
}

static void *allocate(void *user, size_t len)
{
    struct world *w = user;

    if (++w->allocations == w->fail_at)
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

    for (size_t i = 0; i < len; i++) {
        w->random = w->random * 1664525 + 1013904223;
        out[i] = (uint8_t)(w->random >> 24);
    }
    return S2SVPN_OK;
}

/* ---- the peer's user */

static void *on_connect(void *user, struct s2_bgp_peer *peer, uint64_t now_ns)
{
    struct world *w = user;

    (void)peer;
    (void)now_ns;
    w->stream[0] = (struct stream){.open = true};
    return &w->stream[0];
}

/* Whole messages are taken from the front of what was sent. */
static void check_messages(struct stream *s)
{
    struct s2_bgp_error why;
    uint16_t len;
    uint8_t type;

    while (s->len >= S2_BGP_HEADER_LEN) {
        check(s2_bgp_parse_header(s->partial, &type, &len, &why) == S2SVPN_OK);
        if (s->len < len)
            return;
        s->len -= len;
        memmove(s->partial, s->partial + len, s->len);
    }
}

static size_t on_send(void *user, void *stream, const uint8_t *p, size_t len, uint64_t now_ns)
{
    struct world *w = user;
    struct stream *s = stream;
    size_t n = len < w->room ? len : w->room;

    (void)now_ns;
    check(s->open);
    if (s->sent > SENT_MOST)
        n = 0; /* refreshes without end are the input's fault */
    w->room -= n;
    s->sent += n;
    for (size_t i = 0; i < n; i++) {
        check(s->len < sizeof(s->partial));
        s->partial[s->len++] = p[i];
        check_messages(s);
    }
    return n;
}

static void on_close(void *user, void *stream, bool abort, uint64_t now_ns)
{
    struct stream *s = stream;

    (void)user;
    (void)abort;
    (void)now_ns;
    check(s->open);
    s->open = false;
}

static void on_state(void *user, struct s2_bgp_peer *peer, enum s2_bgp_state from,
                     enum s2_bgp_state to, const char *why, uint64_t now_ns)
{
    struct world *w = user;

    (void)peer;
    (void)now_ns;
    check(from == w->state && from != to && why[0] != 0);
    check(to == S2_BGP_ESTABLISHED || w->routes == 0);
    w->state = to;
}

static void on_route(void *user, struct s2_bgp_peer *peer, const s2svpn_prefix *prefix,
                     const struct s2_bgp_attributes *a, bool session_ends, uint64_t now_ns)
{
    struct world *w = user;
    struct s2_bgp_info info;

    (void)session_ends;
    (void)now_ns;
    s2_bgp_get_info(peer, &info);
    w->routes = info.prefixes_in;
    check(info.prefixes_in <= PREFIXES_MOST);
    check(prefix->length <= s2_family_bits(prefix->address.family));
    if (a == NULL)
        return;
    check(a->origin <= S2_BGP_INCOMPLETE && a->as_count > 0 && a->as_path[0] == 64512);
    check(a->as_count <= S2_BGP_AS_PATH_MAX && a->as_path_len <= a->as_count);
    check(a->communities.len % 4 == 0 && a->large_communities.len % 12 == 0);
    check(a->communities.len + a->large_communities.len <= S2_BGP_MESSAGE_MAX);
    for (size_t i = 0; i < a->as_count; i++)
        check(a->as_path[i] != 65001 && a->as_path[i] != 0);
}

static void on_end_of_rib(void *user, struct s2_bgp_peer *peer, uint64_t now_ns)
{
    (void)user;
    (void)peer;
    (void)now_ns;
}

static void on_notification(void *user, struct s2_bgp_peer *peer, bool sent, uint8_t code,
                            uint8_t subcode, const char *text, uint64_t now_ns)
{
    char words[80];

    (void)user;
    (void)peer;
    (void)now_ns;
    check(!sent || code != 0);
    check(s2_bgp_notification_text(code, subcode, words, sizeof(words))[0] != 0);
    check(strlen(text) < 256);
}

static const struct s2_bgp_ops ops = {
    .connect = on_connect,
    .send = on_send,
    .close = on_close,
    .state = on_state,
    .route = on_route,
    .end_of_rib = on_end_of_rib,
    .notification = on_notification,
};

/* ---- input */

/* Each piece lies in a block of its own, so that a sanitizer sees a read behind it. */
static void give(struct world *w, struct stream *s, const uint8_t *p, size_t len)
{
    uint8_t *exact = malloc(len > 0 ? len : 1);

    check(exact != NULL);
    if (len > 0)
        memcpy(exact, p, len);
    if (s->open)
        s2_bgp_receive(w->peer, s, exact, len, w->now_ns);
    free(exact);
    w->room = w->take;
    for (size_t i = 0; i < 2; i++) {
        if (w->stream[i].open)
            s2_bgp_stream_writable(w->peer, &w->stream[i], w->now_ns);
    }
}

static void give_in_pieces(struct world *w, struct stream *s, const uint8_t *p, size_t len,
                           size_t piece)
{
    for (size_t at = 0; at < len; at += piece)
        give(w, s, p + at, len - at < piece ? len - at : piece);
}

static void give_message(struct world *w, struct stream *s, uint8_t type, const uint8_t *p,
                         size_t len, size_t piece)
{
    uint8_t bytes[S2_BGP_MESSAGE_MAX];
    struct s2_writer out;

    s2_writer_init(&out, bytes, sizeof(bytes));
    s2_bgp_write_begin(&out, type);
    s2_write_bytes(&out, p, len);
    s2_bgp_write_end(&out);
    if (s2_writer_finish(&out) == S2SVPN_OK)
        give_in_pieces(w, s, bytes, out.len, piece);
}

static void give_messages(struct world *w, struct stream *s, const uint8_t *p, size_t size,
                          size_t piece)
{
    while (size >= 3) {
        const uint8_t type = (uint8_t)(p[0] % 8);
        const size_t said = (size_t)(p[1] << 8 | p[2]) % S2_BGP_MESSAGE_MAX;
        const size_t len = said < size - 3 ? said : size - 3;

        give_message(w, s, type, p + 3, len, piece);
        p += 3 + len;
        size -= 3 + len;
    }
}

/* ---- the world */

static void advertise(struct world *w, const char *prefix)
{
    struct s2_bgp_announcement a = {.has_med = true, .med = 100};

    if (s2svpn_prefix_read(prefix, &a.prefix))
        (void)!s2_bgp_advertise(w->peer, &a, w->now_ns);
}

/* Edits all that a policy can edit. */
static const uint32_t added[] = {0xfc000001, 0xfc000002}, stripped[] = {0xfc000002, 0};
static const s2svpn_bgp_large_community large[] = {{64512, 1, 2}};
static const s2svpn_bgp_prefix_match within[] = {
    {.prefix.address.family = S2SVPN_FAMILY_IPV4, .ge = 8}};
static const s2svpn_bgp_rule rules[] = {
    {.prefixes = within,
     .prefix_count = 1,
     .accept = true,
     .prepend = 2,
     .set_med = true,
     .set_local_pref = true,
     .add = added,
     .add_count = 2,
     .strip = stripped,
     .strip_count = 2,
     .add_large = large,
     .add_large_count = 1},
    {.match_community = true, .community = 0xfc000001, .accept = false},
    {.accept = true, .strip_all = true},
};
static const s2svpn_bgp_policy policy = {.size = sizeof(policy), .rules = rules, .rule_count = 3};

static bool open_world(struct world *w, const uint8_t *head)
{
    const struct s2_bgp_spec spec = {
        .local_asn = 65001,
        .peer_asn = 64512,
        .router_id = 2,
        .local_address = s2_address_ipv4(0xc0000202),
        .peer_address = s2_address_ipv4(0xc0000201),
        .max_prefixes = PREFIXES_MOST,
        .ipv4 = true,
        .ipv6 = !(head[0] & 64),
        .import_policy = head[0] & 128 ? &policy : NULL,
        .export_policy = head[0] & 128 ? &policy : NULL,
    };

    *w = (struct world){.now_ns = S2_SECOND, .state = S2_BGP_IDLE, .random = 1};
    w->memory = (s2svpn_memory){sizeof(w->memory), w, allocate, release};
    w->env = (struct s2_env){
        .memory = &w->memory, .random = draw, .random_user = w, .timers = &w->timers};
    s2_timers_init(&w->timers);
    w->take = w->room = head[2] > 0 ? head[2] : SIZE_MAX;
    w->fail_at = head[0] & 16 ? head[3] : 0;
    if (s2_bgp_new(&w->env, &ops, &w->bgp) != S2SVPN_OK)
        return false;
    if (s2_bgp_peer_new(w->bgp, &spec, w, &w->peer) == S2SVPN_OK)
        return true;
    s2_bgp_free(w->bgp);
    return false;
}

/* The stranger's own first steps: none, OPEN, OPEN and KEEPALIVE. */
static void begin(struct world *w, struct stream *s, uint8_t options)
{
    const struct s2_bgp_open open = {
        .asn = 64512,
        .router_id = 1,
        .hold_time_s = 30,
        .families = S2_BGP_IPV4 | S2_BGP_IPV6,
        .four_octet_as = !(options & 4),
        .refresh = true,
    };
    uint8_t bytes[128];
    struct s2_writer out;

    s2_writer_init(&out, bytes, sizeof(bytes));
    if ((options & 3) > 0)
        s2_bgp_write_open(&out, &open);
    give(w, s, bytes, out.len);
    if ((options & 3) > 1)
        give_message(w, s, S2_BGP_TYPE_KEEPALIVE, NULL, 0, SIZE_MAX);
}

static void advance(struct world *w, uint64_t ns)
{
    w->now_ns += ns;
    s2_timers_advance(&w->timers, w->now_ns, 1000);
}

static bool count(void *arg, const s2svpn_prefix *prefix, const struct s2_bgp_attributes *a)
{
    size_t *n = arg;

    (void)prefix;
    check(a->as_count > 0);
    ++*n;
    return true;
}

static void check_routes(struct world *w)
{
    struct s2_bgp_info info;
    size_t n = 0;

    s2_bgp_get_info(w->peer, &info);
    s2_bgp_each_route(w->peer, count, &n);
    check(n == info.prefixes_in && n <= PREFIXES_MOST && info.state == w->state);
}

static void close_world(struct world *w)
{
    s2_bgp_stop(w->peer, 2, "the end", w->now_ns);
    check(w->state == S2_BGP_IDLE && w->routes == 0);
    s2_bgp_peer_free(w->peer);
    s2_bgp_free(w->bgp);
    check(w->live == 0 && !w->stream[0].open && !w->stream[1].open);
    check(s2_timers_next(&w->timers) == S2SVPN_NEVER);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct world w;

    if (size < HEAD || !open_world(&w, data))
        return 0;
    const size_t piece = data[1] > 0 ? data[1] : SIZE_MAX / 2;
    struct stream *s = &w.stream[0];
    advertise(&w, "10.9.0.0/16");
    advertise(&w, "2001:db8:9::/48");
    s2_bgp_start(w.peer, w.now_ns);
    if (data[0] & 8) {
        w.stream[1] = (struct stream){.open = true};
        if (!s2_bgp_stream_up(w.peer, &w.stream[1], false, w.now_ns))
            w.stream[1].open = false;
        begin(&w, &w.stream[1], 1);
    }
    if (s->open && !s2_bgp_stream_up(w.peer, s, true, w.now_ns))
        s->open = false;
    begin(&w, s, data[0]);
    if (data[0] & 32)
        give_messages(&w, s, data + HEAD, size - HEAD, piece);
    else
        give_in_pieces(&w, s, data + HEAD, size - HEAD, piece);
    advertise(&w, "10.8.0.0/16");
    if (data[0] & 128)
        check(s2_bgp_set_policies(w.peer, NULL, &policy, w.now_ns) == S2SVPN_OK);
    advance(&w, 0);
    check_routes(&w);
    advance(&w, 29 * S2_SECOND);
    check_routes(&w);
    if (s->open) {
        s->open = false;
        s2_bgp_stream_down(w.peer, s, "gone", w.now_ns);
    }
    close_world(&w);
    return 0;
}
