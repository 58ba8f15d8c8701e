/* SPDX-License-Identifier: Apache-2.0 */
/* Two peers back to back in virtual time, through pipes that delay, cut, hold back
 * and lose. What a host would see of both. */
#include <stdio.h>
#include <string.h>

#include "base/address.h"
#include "base/text.h"
#include "bgp/peer.h"
#include "fake_env.h"
#include "harness.h"

#define PIPES 8
#define LATENCY (5 * S2_MS)

struct side;
struct world;

/* One end of a pipe is the stream of its side. */
struct end {
    struct pipe *pipe;
    struct side *side; /* NULL: the side is done with it */
    uint8_t *bytes;    /* on their way to this end */
    size_t len;
    bool closing, hungry; /* the other end closed in order; is told when there is room */
};

struct pipe {
    bool used, connected;
    uint64_t at_ns; /* of the connection */
    struct end end[2];
};

struct side {
    struct world *w;
    int number;
    struct s2_bgp *bgp;
    struct s2_bgp_peer *peer;
    bool refuses; /* no listener */
    enum s2_bgp_state state;
    char states[256], why[128], text[256];
    unsigned established, notifications, sent, received, ended, connects, end_of_ribs;
    uint8_t code, subcode;
    size_t keepalives;
};

struct world {
    struct s2_fake_env f;
    uint64_t now_ns;
    struct side side[2];
    struct pipe pipe[PIPES];
    size_t piece, window; /* of bytes at a time; in flight */
    bool lossy;           /* everything that is sent goes nowhere */
    uint64_t down_ns, last_sent_ns, least_gap_ns, most_gap_ns;
};

static struct world w;

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
    for (size_t i = 0; i < PIPES; i++) {
        struct pipe *p = &w.pipe[i];

        if (p->used)
            continue;
        *p = (struct pipe){.used = true, .at_ns = now_ns + LATENCY};
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
    (void)attributes;
    (void)now_ns;
    s->ended += session_ends;
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

static const struct s2_bgp_ops ops = {
    .connect = on_connect,
    .send = on_send,
    .close = on_close,
    .state = on_state,
    .route = on_route,
    .end_of_rib = on_end_of_rib,
    .notification = on_notification,
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

    for (size_t i = 0; i < PIPES; i++) {
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

    for (size_t i = 0; i < PIPES; i++) {
        const struct pipe *p = &w.pipe[i];

        if (p->used && !p->connected && p->end[0].side != NULL && p->at_ns < next)
            next = p->at_ns;
    }
    return next;
}

static void run(uint64_t ns)
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

static struct s2_bgp_spec spec_of(int side)
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

static void open_world(const struct s2_bgp_spec *a, const struct s2_bgp_spec *b)
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
static void open_pair(void)
{
    struct s2_bgp_spec a = spec_of(0), b = spec_of(1);

    a.passive = true;
    open_world(&a, &b);
}

static void start(void)
{
    s2_bgp_start(w.side[0].peer, w.now_ns);
    s2_bgp_start(w.side[1].peer, w.now_ns);
}

static void close_world(void)
{
    for (int i = 0; i < 2; i++) {
        s2_bgp_peer_free(w.side[i].peer);
        CU_ASSERT_EQUAL(w.side[i].bgp->sets.count, 0);
        s2_bgp_free(w.side[i].bgp);
    }
    for (size_t i = 0; i < PIPES; i++)
        end_pipe(&w.pipe[i]);
    CU_ASSERT_EQUAL(w.f.live, 0);
    CU_ASSERT_EQUAL(s2_timers_next(&w.f.timers), S2SVPN_NEVER);
}

static struct s2_bgp_info info(int side)
{
    struct s2_bgp_info out;

    s2_bgp_get_info(w.side[side].peer, &out);
    return out;
}

static bool both_established(void)
{
    return info(0).state == S2_BGP_ESTABLISHED && info(1).state == S2_BGP_ESTABLISHED;
}

static size_t pipes(void)
{
    size_t n = 0;

    for (size_t i = 0; i < PIPES; i++)
        n += w.pipe[i].used;
    return n;
}

static s2svpn_prefix prefix(uint8_t family, unsigned n)
{
    uint8_t bytes[16] = {10, (uint8_t)(n >> 8), (uint8_t)n};

    if (family == S2SVPN_FAMILY_IPV6) {
        bytes[0] = 0x20;
        bytes[3] = 1;
    }
    const s2svpn_address a = s2_address_from(family, bytes);
    return s2_prefix_make(&a, family == S2SVPN_FAMILY_IPV6 ? 48 : 24);
}

static void advertise(int side, uint8_t family, unsigned n, uint32_t med)
{
    const struct s2_bgp_announcement a = {.prefix = prefix(family, n), .has_med = true, .med = med};

    CU_ASSERT_EQUAL_FATAL(s2_bgp_advertise(w.side[side].peer, &a, w.now_ns), S2SVPN_OK);
}

/* ---- sessions */

static void a_session_comes_up_and_lives_for_an_hour(void)
{
    open_pair();
    start();
    run(S2_SECOND);
    CU_ASSERT_STRING_EQUAL(w.side[0].states, " Active OpenSent OpenConfirm Established");
    CU_ASSERT_STRING_EQUAL(w.side[1].states, " Connect OpenSent OpenConfirm Established");
    CU_ASSERT(w.side[0].end_of_ribs == 1 && w.side[1].end_of_ribs == 1);
    CU_ASSERT_EQUAL(info(0).peer_asn, 65001);
    CU_ASSERT_EQUAL(info(0).peer_router_id, 0xa9fe0a02);
    CU_ASSERT_EQUAL(info(0).hold_time_s, 30);
    CU_ASSERT_EQUAL(info(0).established_ns, 100 * S2_SECOND + LATENCY);
    run(3600 * S2_SECOND);
    CU_ASSERT(both_established() && w.side[0].established == 1);
    /* a KEEPALIVE every ten seconds, jittered: RFC 4271 section 10 */
    CU_ASSERT(w.side[0].keepalives >= 360 && w.side[0].keepalives <= 480);
    CU_ASSERT(w.least_gap_ns >= 7500 * S2_MS && w.most_gap_ns <= 10000 * S2_MS);
    CU_ASSERT(w.most_gap_ns - w.least_gap_ns > 1000 * S2_MS);
    close_world();
}

static const struct {
    const char *row;
    uint16_t a, b, agreed;
} holds[] = {
    {"default", 0, 0, 30},
    {"the smaller of two", 90, 30, 30},
    {"three", 3, 90, 3},
};

static void the_smaller_hold_time_is_agreed_on(void)
{
    for (size_t i = 0; i < sizeof(holds) / sizeof(holds[0]); i++) {
        struct s2_bgp_spec a = spec_of(0), b = spec_of(1);

        a.hold_time_s = holds[i].a;
        b.hold_time_s = holds[i].b;
        a.passive = true;
        open_world(&a, &b);
        start();
        run(300 * S2_SECOND);
        CHECK_ROW(holds[i].row, info(0).hold_time_s == holds[i].agreed);
        CHECK_ROW(holds[i].row, info(1).hold_time_s == holds[i].agreed);
        CHECK_ROW(holds[i].row, w.side[0].established == 1 && both_established());
        close_world();
    }
}

static void silence_ends_the_session_after_the_hold_time_and_it_comes_back(void)
{
    open_pair();
    advertise(1, S2SVPN_FAMILY_IPV4, 1, 1);
    start();
    run(5 * S2_SECOND);
    CU_ASSERT_EQUAL(info(0).prefixes_in, 1);
    w.lossy = true;
    const uint64_t begin = w.now_ns;
    run(31 * S2_SECOND);
    CU_ASSERT(info(0).state != S2_BGP_ESTABLISHED && info(1).state != S2_BGP_ESTABLISHED);
    CU_ASSERT(w.side[0].code == 4 || w.side[1].code == 4); /* whose time came first */
    CU_ASSERT_EQUAL(w.side[0].ended, 1);
    CU_ASSERT(w.down_ns >= begin + 20 * S2_SECOND && w.down_ns <= begin + 30 * S2_SECOND);
    CU_ASSERT_EQUAL(info(0).prefixes_in, 0);
    w.lossy = false;
    run(600 * S2_SECOND);
    CU_ASSERT(both_established());
    CU_ASSERT_EQUAL(info(0).prefixes_in, 1);
    close_world();
}

static void both_may_connect_and_one_session_remains(void)
{
    static const struct {
        const char *row;
        uint32_t a, b; /* router ids */
        int winner;    /* whose connection remains */
    } ids[] = {
        {"the first is higher", 2, 1, 0},
        {"the second is higher", 1, 2, 1},
        {"equal: the higher AS (RFC 6286)", 5, 5, 1},
    };

    for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++) {
        struct s2_bgp_spec a = spec_of(0), b = spec_of(1);

        a.router_id = ids[i].a;
        b.router_id = ids[i].b;
        open_world(&a, &b);
        w.piece = 20; /* an OPEN is on its way while the other pipe opens */
        start();
        run(S2_SECOND);
        CHECK_ROW(ids[i].row, both_established());
        CHECK_ROW(ids[i].row, w.side[0].established == 1 && w.side[1].established == 1);
        CHECK_ROW(ids[i].row, pipes() == 1);
        /* the one that remains is what the winner opened, on both sides */
        CHECK_ROW(ids[i].row, w.side[0].peer->session->ours == (ids[i].winner == 0));
        CHECK_ROW(ids[i].row, w.side[1].peer->session->ours == (ids[i].winner == 1));
        CHECK_ROW(ids[i].row, w.side[0].code == 6 && w.side[0].subcode == 7);
        run(600 * S2_SECOND);
        CHECK_ROW(ids[i].row, both_established() && w.side[0].established == 1);
        close_world();
    }
}

/* One byte at a time the two connections progress side by side: whatever the order,
 * one session comes of it, if not at once, then soon. */
static void collisions_end_well_however_messages_interleave(void)
{
    for (size_t piece = 1; piece < 80; piece++) {
        struct s2_bgp_spec a = spec_of(0), b = spec_of(1);

        open_world(&a, &b);
        w.piece = piece;
        s2_bgp_start(w.side[0].peer, w.now_ns);
        run(piece % 7 * S2_MS);
        s2_bgp_start(w.side[1].peer, w.now_ns);
        run(120 * S2_SECOND);
        CU_ASSERT(both_established());
        CU_ASSERT(w.side[0].established <= 2);
        CU_ASSERT_EQUAL(pipes(), 1);
        close_world();
    }
}

static void a_second_stream_beside_a_session_is_not_wanted(void)
{
    struct end extra = {.pipe = NULL};

    open_pair();
    start();
    run(S2_SECOND);
    CU_ASSERT(!s2_bgp_stream_up(w.side[0].peer, &extra, false, w.now_ns));
    CU_ASSERT(!s2_bgp_stream_up(w.side[1].peer, &extra, false, w.now_ns));
    CU_ASSERT(!s2_bgp_stream_up(w.side[1].peer, &extra, true, w.now_ns));
    CU_ASSERT(both_established());
    close_world();
}

static void a_stop_says_why_and_stays(void)
{
    open_pair();
    advertise(1, S2SVPN_FAMILY_IPV4, 1, 1);
    start();
    run(S2_SECOND);
    s2_bgp_stop(w.side[1].peer, S2_BGP_SUB_CEASE_SHUTDOWN, "maintenance until noon", w.now_ns);
    CU_ASSERT_EQUAL(info(1).state, S2_BGP_IDLE);
    run(S2_SECOND / 2);
    CU_ASSERT(w.side[0].received == 1 && w.side[0].code == 6 && w.side[0].subcode == 2);
    CU_ASSERT_STRING_EQUAL(w.side[0].text, "maintenance until noon");
    CU_ASSERT_STRING_EQUAL(w.side[0].why, "received Cease/Administrative Shutdown");
    CU_ASSERT_EQUAL(w.side[0].ended, 1);
    run(600 * S2_SECOND);
    CU_ASSERT(info(1).state == S2_BGP_IDLE && w.side[1].connects == 1);
    s2_bgp_start(w.side[1].peer, w.now_ns);
    run(S2_SECOND);
    CU_ASSERT(both_established());
    CU_ASSERT_EQUAL(info(0).prefixes_in, 1); /* kept, and sent again */
    close_world();
}

static void a_refused_connection_is_tried_again_less_and_less_often(void)
{
    open_pair();
    w.side[0].refuses = true;
    s2_bgp_start(w.side[1].peer, w.now_ns);
    run(S2_SECOND);
    CU_ASSERT_STRING_EQUAL(w.side[1].states, " Connect Active");
    CU_ASSERT_STRING_EQUAL(w.side[1].why, "refused");
    run(30 * S2_SECOND);
    CU_ASSERT_EQUAL(w.side[1].connects, 2);
    run(60 * S2_SECOND);
    CU_ASSERT_EQUAL(w.side[1].connects, 3);
    run(3600 * S2_SECOND); /* every 90 to 120 seconds in the end */
    CU_ASSERT(w.side[1].connects >= 3 + 29 && w.side[1].connects <= 3 + 41);
    w.side[0].refuses = false;
    s2_bgp_start(w.side[0].peer, w.now_ns);
    run(120 * S2_SECOND);
    CU_ASSERT(both_established());
    close_world();
}

/* A peer that closes each session at once is met less and less often, up to two
 * minutes; once a session has lasted, a failure is forgiven. */
static void flapping_is_damped(void)
{
    struct s2_bgp_spec a = spec_of(0), b = spec_of(1);

    a.peer_asn = 65099; /* refuses the other's OPEN */
    a.passive = true;
    open_world(&a, &b);
    start();
    run(S2_SECOND / 2);
    CU_ASSERT(w.side[1].code == 2 && w.side[1].subcode == 2);
    CU_ASSERT_STRING_EQUAL(w.side[1].why, "received OPEN Message Error/Bad Peer AS");
    run(3600 * S2_SECOND);
    CU_ASSERT(w.side[1].connects > 20 && w.side[1].connects < 60);
    CU_ASSERT_EQUAL(w.side[1].established, 0);
    close_world();
}

static void cut_pipes(void)
{
    for (size_t i = 0; i < PIPES; i++) {
        if (w.pipe[i].used) {
            tell_down(&w.pipe[i].end[0], "reset");
            tell_down(&w.pipe[i].end[1], "reset");
        }
    }
}

/* Sessions that come up and break within a second. */
static void sessions_that_do_not_last_are_damped_too(void)
{
    open_pair();
    start();
    for (unsigned i = 0; i < 3600; i++) {
        run(S2_SECOND);
        if (both_established())
            cut_pipes();
    }
    CU_ASSERT(w.side[0].established > 20 && w.side[0].established < 60);
    close_world();
}

static void a_session_that_lasted_comes_back_within_a_second(void)
{
    open_pair();
    start();
    for (unsigned i = 0; i < 10; i++) {
        run(100 * S2_SECOND);
        CU_ASSERT(both_established());
        cut_pipes();
        CU_ASSERT(!both_established());
        run(3 * S2_SECOND / 2);
        CU_ASSERT(both_established());
    }
    close_world();
}

/* ---- routes */

static bool count_family(void *arg, const s2svpn_prefix *p, const struct s2_bgp_attributes *a)
{
    unsigned *n = arg;

    CU_ASSERT_EQUAL(a->as_count, 1);
    n[p->address.family == S2SVPN_FAMILY_IPV6]++;
    return true;
}

static void ten_thousand_prefixes_go_each_way(void)
{
    open_pair();
    start();
    run(S2_SECOND);
    for (unsigned i = 0; i < 10000; i++) {
        advertise(0, S2SVPN_FAMILY_IPV4, i, i % 3);
        advertise(1, i % 2 ? S2SVPN_FAMILY_IPV6 : S2SVPN_FAMILY_IPV4, i, 7);
    }
    run(S2_SECOND);
    unsigned n[2] = {0, 0};
    CU_ASSERT_EQUAL(info(1).prefixes_in, 10000);
    CU_ASSERT_EQUAL(info(0).prefixes_in, 10000);
    s2_bgp_each_route(w.side[0].peer, count_family, n);
    CU_ASSERT(n[0] == 5000 && n[1] == 5000);
    CU_ASSERT(info(0).updates_out < 20 && info(1).updates_out < 30);
    for (unsigned i = 0; i < 10000; i++) {
        const s2svpn_prefix p = prefix(S2SVPN_FAMILY_IPV4, i);

        s2_bgp_withdraw(w.side[0].peer, &p, w.now_ns);
    }
    run(S2_SECOND);
    CU_ASSERT_EQUAL(info(1).prefixes_in, 0);
    CU_ASSERT(both_established());
    close_world();
}

/* The same through a pipe that holds 64 bytes and hands on 7: both directions stand
 * still and go on all the time. */
static void a_narrow_pipe_changes_nothing_but_time(void)
{
    open_pair();
    w.window = 64;
    w.piece = 7;
    for (unsigned i = 0; i < 500; i++) {
        advertise(0, S2SVPN_FAMILY_IPV4, i, i);
        advertise(1, S2SVPN_FAMILY_IPV6, i, i);
    }
    start();
    run(S2_SECOND);
    CU_ASSERT(both_established());
    CU_ASSERT_EQUAL(info(0).prefixes_in, 500);
    CU_ASSERT_EQUAL(info(1).prefixes_in, 500);
    close_world();
}

/* ---- making peers */

static void a_spec_that_cannot_work_is_refused_and_named(void)
{
    static const struct {
        const char *field;
        struct s2_bgp_spec change; /* members that are not 0 are taken over */
    } bad[] = {
        {"local_asn", {.local_asn = 23456}},
        {"peer_asn", {.peer_asn = 64512}},
        {"hold_time_s", {.hold_time_s = 2}},
        {"peer_address", {.peer_address = {.family = S2SVPN_FAMILY_IPV6}}},
    };
    struct s2_bgp_peer *peer;
    struct s2_bgp_spec none = spec_of(0);

    open_pair();
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        struct s2_bgp_spec spec = spec_of(0);

        if (bad[i].change.local_asn != 0)
            spec.local_asn = bad[i].change.local_asn;
        if (bad[i].change.peer_asn != 0)
            spec.peer_asn = bad[i].change.peer_asn;
        if (bad[i].change.hold_time_s != 0)
            spec.hold_time_s = bad[i].change.hold_time_s;
        if (bad[i].change.peer_address.family != 0)
            spec.peer_address = bad[i].change.peer_address;
        CHECK_ROW(bad[i].field,
                  s2_bgp_peer_new(w.side[0].bgp, &spec, NULL, &peer) == S2SVPN_E_ARGUMENT);
        CHECK_ROW(bad[i].field, strcmp(w.f.error.field, bad[i].field) == 0 && peer == NULL);
    }
    none.router_id = 0;
    CU_ASSERT_EQUAL(s2_bgp_peer_new(w.side[0].bgp, &none, NULL, &peer), S2SVPN_E_ARGUMENT);
    CU_ASSERT_STRING_EQUAL(w.f.error.field, "router_id");
    none = spec_of(0);
    none.ipv4 = none.ipv6 = false;
    CU_ASSERT_EQUAL(s2_bgp_peer_new(w.side[0].bgp, &none, NULL, &peer), S2SVPN_E_ARGUMENT);
    close_world();
}

static void freeing_a_peer_is_silent(void)
{
    open_pair();
    advertise(1, S2SVPN_FAMILY_IPV4, 1, 1);
    start();
    run(S2_SECOND);
    const size_t reports = strlen(w.side[0].states);
    s2_bgp_peer_free(w.side[0].peer);
    CU_ASSERT(strlen(w.side[0].states) == reports && w.side[0].ended == 0);
    const struct s2_bgp_spec spec = spec_of(0);
    CU_ASSERT_EQUAL_FATAL(s2_bgp_peer_new(w.side[0].bgp, &spec, &w.side[0], &w.side[0].peer),
                          S2SVPN_OK);
    close_world();
}

/* Without randomness timers lose their jitter, and nothing else. */
static void a_session_lives_without_randomness(void)
{
    open_pair();
    w.f.random_fails = true;
    start();
    run(600 * S2_SECOND);
    CU_ASSERT(both_established() && w.side[0].established == 1);
    CU_ASSERT_EQUAL(w.least_gap_ns, 10 * S2_SECOND);
    close_world();
}

const CU_TestInfo s2_test_peer[] = {
    {"a session comes up and lives for an hour", a_session_comes_up_and_lives_for_an_hour},
    {"the smaller hold time is agreed on", the_smaller_hold_time_is_agreed_on},
    {"silence ends the session after the hold time and it comes back",
     silence_ends_the_session_after_the_hold_time_and_it_comes_back},
    {"both may connect and one session remains", both_may_connect_and_one_session_remains},
    {"collisions end well however messages interleave",
     collisions_end_well_however_messages_interleave},
    {"a second stream beside a session is not wanted",
     a_second_stream_beside_a_session_is_not_wanted},
    {"a stop says why and stays", a_stop_says_why_and_stays},
    {"a refused connection is tried again less and less often",
     a_refused_connection_is_tried_again_less_and_less_often},
    {"flapping is damped", flapping_is_damped},
    {"sessions that do not last are damped too", sessions_that_do_not_last_are_damped_too},
    {"a session that lasted comes back within a second",
     a_session_that_lasted_comes_back_within_a_second},
    {"ten thousand prefixes go each way", ten_thousand_prefixes_go_each_way},
    {"a narrow pipe changes nothing but time", a_narrow_pipe_changes_nothing_but_time},
    {"a spec that cannot work is refused and named", a_spec_that_cannot_work_is_refused_and_named},
    {"freeing a peer is silent", freeing_a_peer_is_silent},
    {"a session lives without randomness", a_session_lives_without_randomness},
    CU_TEST_INFO_NULL,
};
