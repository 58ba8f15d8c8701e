/* SPDX-License-Identifier: Apache-2.0 */
/* The world: pipes, what the peers report, virtual time. */
#include "world.h"

#include <string.h>

#include "base/address.h"
#include "base/text.h"

struct world w;

/* ---- pipes */

static void end_pipe(struct pipe *p)
{
    for (int i = 0; i < 2; i++) {
        s2_free(&w.f.env, p->end[i].bytes);
        p->end[i].bytes = NULL;
    }
    if (p->end[0].side == NULL && p->end[1].side == NULL)
        p->used = false;
}

static void tell_down(struct end *e, const char *why)
{
    struct side *s = e->side;

    e->side = NULL;
    if (s != NULL)
        s2_bgp_stream_down(s->peer, e, why, w.now_ns);
}

static void *on_connect(void *user, struct s2_bgp_peer *peer, uint64_t now_ns)
{
    struct side *s = user;

    (void)peer;
    s->connects++;
    for (size_t i = 0; i < WORLD_PIPES; i++) {
        struct pipe *p = &w.pipe[i];

        if (p->used)
            continue;
        *p = (struct pipe){.used = true, .at_ns = now_ns + WORLD_LATENCY};
        p->end[0].pipe = p->end[1].pipe = p;
        p->end[0].side = s;
        return &p->end[0];
    }
    return NULL;
}

static struct end *other_end(struct end *e)
{
    return &e->pipe->end[e == &e->pipe->end[0]];
}

static size_t on_send(void *user, void *stream, const uint8_t *p, size_t len, uint64_t now_ns)
{
    struct side *s = user;
    struct end *to = other_end(stream);
    const size_t room = w.window > to->len ? w.window - to->len : 0;
    const size_t n = len < room ? len : room;

    CU_ASSERT_PTR_EQUAL(((struct end *)stream)->side, s);
    if (len == S2_BGP_HEADER_LEN && s->state == S2_BGP_ESTABLISHED && s->number == 0) {
        const uint64_t gap = now_ns - w.last_sent_ns;

        if (s->keepalives++ > 0) {
            w.least_gap_ns = gap < w.least_gap_ns ? gap : w.least_gap_ns;
            w.most_gap_ns = gap > w.most_gap_ns ? gap : w.most_gap_ns;
        }
        w.last_sent_ns = now_ns;
    }
    ((struct end *)stream)->hungry = n < len;
    if (w.lossy)
        return len;
    if (n == 0)
        return 0;
    uint8_t *all = s2_alloc(&w.f.env, to->len + n);
    CU_ASSERT_FATAL(all != NULL);
    if (to->len > 0)
        memcpy(all, to->bytes, to->len);
    memcpy(all + to->len, p, n);
    s2_free(&w.f.env, to->bytes);
    to->bytes = all;
    to->len += n;
    return n;
}

static void on_close(void *user, void *stream, bool abort, uint64_t now_ns)
{
    struct end *e = stream, *to = other_end(e);

    (void)now_ns;
    CU_ASSERT_PTR_EQUAL(e->side, user);
    e->side = NULL;
    e->len = 0;
    if (abort)
        to->len = 0;
    to->closing = true;
}

/* ---- reports */

static void on_state(void *user, struct s2_bgp_peer *peer, enum s2_bgp_state from,
                     enum s2_bgp_state to, const char *why, uint64_t now_ns)
{
    struct side *s = user;
    const size_t len = strlen(s->states);

    (void)peer;
    CU_ASSERT_EQUAL(s->state, from);
    s->state = to;
    s->established += to == S2_BGP_ESTABLISHED;
    if (from == S2_BGP_ESTABLISHED)
        w.down_ns = now_ns;
    s2_copy_text(s->why, sizeof(s->why), why);
    s2_print(s->states + len, sizeof(s->states) - len, " %s", s2_bgp_state_text(to));
}

static void on_route(void *user, struct s2_bgp_peer *peer, const s2svpn_prefix *prefix,
                     const struct s2_bgp_attributes *attributes, bool session_ends, uint64_t now_ns)
{
    struct side *s = user;

    (void)peer;
    (void)prefix;
    (void)now_ns;
    s->ended += session_ends;
    s->changed += attributes != NULL;
    s->gone += attributes == NULL && !session_ends;
}

static void on_end_of_rib(void *user, struct s2_bgp_peer *peer, uint64_t now_ns)
{
    struct side *s = user;

    (void)peer;
    (void)now_ns;
    s->end_of_ribs++;
}

static void on_notification(void *user, struct s2_bgp_peer *peer, bool sent, uint8_t code,
                            uint8_t subcode, const char *text, uint64_t now_ns)
{
    struct side *s = user;

    (void)peer;
    (void)now_ns;
    s->notifications++;
    s->sent += sent;
    s->received += !sent;
    s->code = code;
    s->subcode = subcode;
    s2_copy_text(s->text, sizeof(s->text), text);
}

static void on_near_limit(void *user, struct s2_bgp_peer *peer, uint32_t count, uint32_t most,
                          uint64_t now_ns)
{
    struct side *s = user;

    (void)peer;
    (void)now_ns;
    s->near_limit++;
    s->near_count = count;
    s->near_most = most;
}

static const struct s2_bgp_ops ops = {
    .connect = on_connect,
    .send = on_send,
    .close = on_close,
    .state = on_state,
    .route = on_route,
    .end_of_rib = on_end_of_rib,
    .notification = on_notification,
    .near_limit = on_near_limit,
};

/* ---- time */

static void connect_pipe(struct pipe *p)
{
    struct side *to = &w.side[!p->end[0].side->number];

    p->connected = true;
    if (to->refuses) {
        tell_down(&p->end[0], "refused");
        return;
    }
    p->end[1].side = to;
    if (!s2_bgp_stream_up(to->peer, &p->end[1], false, w.now_ns)) {
        p->end[1].side = NULL;
        p->end[0].closing = true; /* accepted by the host, closed at once */
    }
    if (p->end[0].side != NULL &&
        !s2_bgp_stream_up(p->end[0].side->peer, &p->end[0], true, w.now_ns)) {
        p->end[0].side = NULL;
        p->end[1].closing = true;
    }
}

/* Something of what is on its way to an end. Returns whether there was anything. */
static bool deliver(struct end *e)
{
    struct end *from = other_end(e);
    const size_t n = e->len < w.piece ? e->len : w.piece;

    if (e->side != NULL && n > 0) {
        uint8_t *bytes = e->bytes;
        const size_t rest = e->len - n;
        uint8_t *left = s2_alloc(&w.f.env, rest);

        CU_ASSERT_FATAL(left != NULL);
        if (rest > 0)
            memcpy(left, bytes + n, rest);
        e->bytes = left;
        e->len = rest;
        s2_bgp_receive(e->side->peer, e, bytes, n, w.now_ns);
        s2_free(&w.f.env, bytes);
        if (from->hungry && from->side != NULL && e->len < w.window)
            s2_bgp_stream_writable(from->side->peer, from, w.now_ns);
        return true;
    }
    if (e->closing && e->side != NULL) {
        tell_down(e, "closed by the peer");
        return true;
    }
    return false;
}

static bool deliver_all(void)
{
    bool any = false;

    for (size_t i = 0; i < WORLD_PIPES; i++) {
        struct pipe *p = &w.pipe[i];

        if (!p->used)
            continue;
        if (!p->connected && p->end[0].side != NULL && p->at_ns <= w.now_ns) {
            connect_pipe(p);
            any = true;
        }
        if (p->connected) {
            any = deliver(&p->end[0]) || any;
            any = deliver(&p->end[1]) || any;
        }
        if (p->end[0].side == NULL && p->end[1].side == NULL)
            end_pipe(p);
    }
    return any;
}

static uint64_t next_ns(void)
{
    uint64_t next = s2_timers_next(&w.f.timers);

    for (size_t i = 0; i < WORLD_PIPES; i++) {
        const struct pipe *p = &w.pipe[i];

        if (p->used && !p->connected && p->end[0].side != NULL && p->at_ns < next)
            next = p->at_ns;
    }
    return next;
}

void world_run(uint64_t ns)
{
    const uint64_t until = w.now_ns + ns;

    for (;;) {
        while (deliver_all())
            continue;
        const uint64_t next = next_ns();
        if (next > until)
            break;
        w.now_ns = next > w.now_ns ? next : w.now_ns;
        s2_timers_advance(&w.f.timers, w.now_ns, 1);
    }
    w.now_ns = until;
}

/* ---- worlds */

struct s2_bgp_spec world_spec(int side)
{
    return (struct s2_bgp_spec){
        .local_asn = side == 0 ? 64512 : 65001,
        .peer_asn = side == 0 ? 65001 : 64512,
        .router_id = side == 0 ? 0xa9fe0a01 : 0xa9fe0a02,
        .local_address = s2_address_ipv4(side == 0 ? 0xa9fe0a01 : 0xa9fe0a02),
        .peer_address = s2_address_ipv4(side == 0 ? 0xa9fe0a02 : 0xa9fe0a01),
        .max_prefixes = 20000,
        .ipv4 = true,
        .ipv6 = true,
    };
}

void world_open(const struct s2_bgp_spec *a, const struct s2_bgp_spec *b)
{
    memset(&w, 0, sizeof(w));
    s2_fake_env_init(&w.f, 7);
    w.now_ns = 100 * S2_SECOND;
    w.piece = w.window = SIZE_MAX;
    w.least_gap_ns = UINT64_MAX;
    for (int i = 0; i < 2; i++) {
        struct side *s = &w.side[i];

        s->w = &w;
        s->number = i;
        s->state = S2_BGP_IDLE;
        CU_ASSERT_EQUAL_FATAL(s2_bgp_new(&w.f.env, &ops, &s->bgp), S2SVPN_OK);
        CU_ASSERT_EQUAL_FATAL(s2_bgp_peer_new(s->bgp, i == 0 ? a : b, s, &s->peer), S2SVPN_OK);
    }
}

/* Two ordinary ones; side 0 waits to be found. */
void world_open_pair(void)
{
    struct s2_bgp_spec a = world_spec(0), b = world_spec(1);

    a.passive = true;
    world_open(&a, &b);
}

void world_start(void)
{
    s2_bgp_start(w.side[0].peer, w.now_ns);
    s2_bgp_start(w.side[1].peer, w.now_ns);
}

void world_close(void)
{
    for (int i = 0; i < 2; i++) {
        s2_bgp_peer_free(w.side[i].peer);
        CU_ASSERT_EQUAL(w.side[i].bgp->sets.count, 0);
        s2_bgp_free(w.side[i].bgp);
    }
    for (size_t i = 0; i < WORLD_PIPES; i++)
        end_pipe(&w.pipe[i]);
    CU_ASSERT_EQUAL(w.f.live, 0);
    CU_ASSERT_EQUAL(s2_timers_next(&w.f.timers), S2SVPN_NEVER);
}

struct s2_bgp_info world_info(int side)
{
    struct s2_bgp_info out;

    s2_bgp_get_info(w.side[side].peer, &out);
    return out;
}

bool world_both_established(void)
{
    return world_info(0).state == S2_BGP_ESTABLISHED && world_info(1).state == S2_BGP_ESTABLISHED;
}

size_t world_pipes(void)
{
    size_t n = 0;

    for (size_t i = 0; i < WORLD_PIPES; i++)
        n += w.pipe[i].used;
    return n;
}

s2svpn_prefix world_prefix(uint8_t family, unsigned n)
{
    uint8_t bytes[16] = {10, (uint8_t)(n >> 8), (uint8_t)n};

    if (family == S2SVPN_FAMILY_IPV6) {
        bytes[0] = 0x20;
        bytes[3] = 1;
    }
    const s2svpn_address a = s2_address_from(family, bytes);
    return s2_prefix_make(&a, family == S2SVPN_FAMILY_IPV6 ? 48 : 24);
}

void world_advertise(int side, uint8_t family, unsigned n, uint32_t med)
{
    const struct s2_bgp_announcement a = {
        .prefix = world_prefix(family, n), .has_med = true, .med = med};

    CU_ASSERT_EQUAL_FATAL(s2_bgp_advertise(w.side[side].peer, &a, w.now_ns), S2SVPN_OK);
}

void world_cut(void)
{
    for (size_t i = 0; i < WORLD_PIPES; i++) {
        if (w.pipe[i].used) {
            tell_down(&w.pipe[i].end[0], "reset");
            tell_down(&w.pipe[i].end[1], "reset");
        }
    }
}
