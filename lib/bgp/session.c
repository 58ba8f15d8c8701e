/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The states of a peer's two connections: what the table's actions do, timers,
 * collisions, and the rest after a failure. Messages are made and read elsewhere.
 * RFC 4271 sections 6.7, 6.8, 8 and 10; 4724 section 4.2; 6286 section 2.3; 9687.
 *
 * Timers belong to states: set_state() starts and stops them. The one exception is
 * an event that leaves the state as it is and restarts one.
 */
#include "bgp/peer.h"

#include "base/text.h"

#define OPEN_HOLD_NS (240 * S2_SECOND) /* section 8.2.2: "a large value", 4 minutes */
#define RETRY_MOST_S 120
#define IDLE_FIRST_S 1
#define IDLE_MOST_S 120
#define LIMIT_FIRST_S 30 /* after too many prefixes */
#define LIMIT_MOST_S 900
#define LIMIT_STABLE_NS (3600 * S2_SECOND)
#define IDLE_TRIES_LISTENING 3
#define STABLE_NS (60 * S2_SECOND)
#define SEND_HOLD_LEAST_S 480 /* RFC 9687 section 3.1 */
#define STALE_MOST_S 360      /* how long a peer that came back may take for its table */

void s2_bgp_because(struct s2_bgp_peer *peer, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    s2_print_v(peer->why, sizeof(peer->why), fmt, args);
    va_end(args);
}

static struct s2_bgp_conn *rival(struct s2_bgp_conn *c)
{
    return &c->peer->conn[c == &c->peer->conn[0]];
}

static bool is_open(const struct s2_bgp_conn *c)
{
    return c->state >= S2_BGP_OPEN_SENT;
}

static void set_timer(struct s2_bgp_conn *c, struct s2_timer *timer, uint64_t in_ns)
{
    s2_timer_set(c->peer->bgp->env->timers, timer, s2_after(c->peer->now_ns, in_ns));
}

static void cancel(struct s2_bgp_conn *c, struct s2_timer *timer)
{
    s2_timer_cancel(c->peer->bgp->env->timers, timer);
}

/* first, twice that, …, at most most. */
static uint64_t back_off(const struct s2_bgp_peer *peer, unsigned tries, unsigned first_s,
                         unsigned most_s)
{
    uint64_t s = (uint64_t)first_s << (tries < 16 ? tries : 16);

    if (s > most_s)
        s = first_s > most_s ? first_s : most_s;
    return s2_bgp_jitter(peer, s * S2_SECOND);
}

/* ---- timers */

static void start_retry(struct s2_bgp_conn *c)
{
    struct s2_bgp_peer *peer = c->peer;

    set_timer(c, &c->retry,
              back_off(peer, peer->connect_tries, peer->spec.connect_retry_s, RETRY_MOST_S));
}

static void start_hold(struct s2_bgp_conn *c)
{
    if (c->open.hold_time_s > 0)
        set_timer(c, &c->hold, c->open.hold_time_s * S2_SECOND);
    else
        cancel(c, &c->hold);
}

static void start_keepalive(struct s2_bgp_conn *c)
{
    if (c->open.hold_time_s > 0)
        set_timer(c, &c->keepalive, s2_bgp_jitter(c->peer, c->open.hold_time_s * S2_SECOND / 3));
    else
        cancel(c, &c->keepalive);
}

void s2_bgp_start_send_hold(struct s2_bgp_conn *c)
{
    const uint64_t twice = 2u * (uint64_t)c->open.hold_time_s;

    if (c->state == S2_BGP_ESTABLISHED && twice > 0)
        set_timer(c, &c->send_hold,
                  (twice > SEND_HOLD_LEAST_S ? twice : SEND_HOLD_LEAST_S) * S2_SECOND);
}

/* ---- actions */

static void do_nothing(struct s2_bgp_conn *c)
{
    (void)c;
}

static void do_connect(struct s2_bgp_conn *c)
{
    struct s2_bgp_peer *peer = c->peer;

    s2_bgp_conn_close(c, true);
    if (c->state == S2_BGP_CONNECT) /* the attempt before took too long */
        peer->connect_tries++;
    c->stream = peer->bgp->ops.connect(peer->user, peer, peer->now_ns);
    c->lost = c->stream == NULL;
}

static void do_open(struct s2_bgp_conn *c)
{
    const struct s2_bgp_spec *spec = &c->peer->spec;
    const struct s2_bgp_open open = {
        .asn = spec->local_asn,
        .router_id = spec->router_id,
        .hold_time_s = spec->hold_time_s,
        .families = (uint8_t)((spec->ipv4 ? S2_BGP_IPV4 : 0u) | (spec->ipv6 ? S2_BGP_IPV6 : 0u)),
        .four_octet_as = true,
        .refresh = true,
        .graceful_restart = true,
    };
    uint8_t bytes[S2_BGP_HEADER_LEN + 64];
    struct s2_writer w;

    s2_writer_init(&w, bytes, sizeof(bytes));
    s2_bgp_write_open(&w, &open);
    s2_bgp_tell_trace(
        c->peer, &(struct s2_bgp_trace){.kind = S2_BGP_TRACE_OPEN, .sent = true, .open = &open});
    s2_bgp_conn_send(c, &w);
}

static void do_alive(struct s2_bgp_conn *c)
{
    s2_bgp_conn_send_keepalive(c);
    start_keepalive(c);
}

static void do_heard(struct s2_bgp_conn *c)
{
    start_hold(c);
}

static void do_resend(struct s2_bgp_conn *c)
{
    s2_bgp_out_refresh(c->peer, c->refresh);
}

static void do_notify(struct s2_bgp_conn *c)
{
    s2_bgp_conn_notify(c);
}

/* RFC 6608: which state it was. */
static void do_fsm_error(struct s2_bgp_conn *c)
{
    (void)s2_bgp_error_set(&c->peer->error, S2_BGP_ERROR_FSM,
                           (uint8_t)(c->state - S2_BGP_OPEN_SENT + S2_BGP_SUB_FSM_OPEN_SENT), NULL,
                           0);
    s2_bgp_conn_notify(c);
}

static void do_release(struct s2_bgp_conn *c)
{
    s2_bgp_conn_close(c, c->lost || c->state < S2_BGP_OPEN_SENT);
}

static void (*const actions[S2_BGP_ACTIONS])(struct s2_bgp_conn *c) = {
    [S2_BGP_DO_NOTHING] = do_nothing,     [S2_BGP_DO_CONNECT] = do_connect,
    [S2_BGP_DO_OPEN] = do_open,           [S2_BGP_DO_CONFIRM] = do_alive,
    [S2_BGP_DO_ALIVE] = do_alive,         [S2_BGP_DO_HEARD] = do_heard,
    [S2_BGP_DO_RESEND] = do_resend,       [S2_BGP_DO_NOTIFY] = do_notify,
    [S2_BGP_DO_FSM_ERROR] = do_fsm_error, [S2_BGP_DO_RELEASE] = do_release,
};

/* ---- states */

/* What a host sees: the connection that got further. Listening beside a connection
 * attempt isn't a state of its own. */
static enum s2_bgp_state shown(const struct s2_bgp_peer *peer)
{
    const enum s2_bgp_state ours = peer->conn[0].state, theirs = peer->conn[1].state;

    if (theirs >= S2_BGP_OPEN_SENT || peer->spec.passive)
        return theirs > ours ? theirs : ours;
    return ours;
}

static void show(struct s2_bgp_peer *peer)
{
    const enum s2_bgp_state from = peer->shown, to = shown(peer);

    if (from == to)
        return;
    peer->shown = to;
    peer->bgp->ops.state(peer->user, peer, from, to, peer->why, peer->now_ns);
}

/* The families with which the peer may come back, RFC 4724 section 4.2: only when its
 * stream ended without a NOTIFICATION of either side. */
static unsigned preserved(const struct s2_bgp_peer *peer)
{
    const struct s2_bgp_open *open = &peer->session->open;

    if (!peer->stream_failed || open->restart_time_s == 0)
        return 0;
    return open->graceful & open->families;
}

static void session_down(struct s2_bgp_peer *peer)
{
    const unsigned families = preserved(peer);
    const uint16_t restart_time_s = peer->session->open.restart_time_s;
    const bool again = peer->stale_families != 0;

    if (peer->now_ns - peer->established_ns >= STABLE_NS)
        peer->idle_tries = 0;
    if (peer->now_ns - peer->established_ns >= LIMIT_STABLE_NS)
        peer->limit_tries = 0;
    peer->session = NULL;
    peer->established_ns = 0;
    if (families == 0)
        s2_bgp_in_purge(peer, S2_BGP_IPV4 | S2_BGP_IPV6);
    s2_bgp_in_retain(peer, families);
    s2_bgp_out_down(peer);
    if (families == 0)
        return;
    s2_timer_set(peer->bgp->env->timers, &peer->stale,
                 s2_after(peer->now_ns, restart_time_s * S2_SECOND));
    if (!again && peer->bgp->ops.graceful != NULL)
        peer->bgp->ops.graceful(peer->user, peer, true, peer->now_ns);
}

/* A peer that restarted is back: what it didn't preserve goes at once, the rest when its
 * table is complete. */
static void welcome_back(struct s2_bgp_peer *peer)
{
    const struct s2_bgp_open *open = &peer->session->open;

    if (peer->stale_families == 0)
        return;
    s2_timer_set(peer->bgp->env->timers, &peer->stale,
                 s2_after(peer->now_ns, STALE_MOST_S * S2_SECOND));
    s2_bgp_in_purge(peer, ~(unsigned)(open->graceful & open->forwarding & open->families));
}

/* It can't live beside an established session, whatever its state. */
static void end_rival(struct s2_bgp_conn *c)
{
    (void)s2_bgp_error_set(&c->peer->error, S2_BGP_ERROR_CEASE, S2_BGP_SUB_CEASE_COLLISION, NULL,
                           0);
    s2_bgp_step(rival(c), S2_BGP_EV_COLLISION);
}

static void session_up(struct s2_bgp_conn *c)
{
    struct s2_bgp_peer *peer = c->peer;

    peer->session = c;
    peer->refresh_due = peer->import_waits = false; /* all of it comes anyway */
    peer->over_limit = false;
    peer->established_ns = peer->now_ns;
    peer->incomplete = c->open.families;
    peer->keepalives = 0;
    s2_bgp_because(peer, "established");
    welcome_back(peer);
    s2_bgp_out_up(peer);
    if (c->rest != NULL)
        s2_bgp_start_send_hold(c);
}

static void enter_idle(struct s2_bgp_conn *c)
{
    cancel(c, &c->retry);
    cancel(c, &c->hold);
    cancel(c, &c->keepalive);
}

/* How long an attempt may take. */
static void enter_connect(struct s2_bgp_conn *c)
{
    start_retry(c);
}

/* Only our own connection tries again; the other waits to be found. */
static void enter_active(struct s2_bgp_conn *c)
{
    enter_idle(c);
    if (!c->ours)
        return;
    start_retry(c);
    c->peer->connect_tries++;
}

static void enter_open_sent(struct s2_bgp_conn *c)
{
    c->peer->connect_tries = 0;
    cancel(c, &c->retry);
    set_timer(c, &c->hold, OPEN_HOLD_NS);
}

static void enter_open_confirm(struct s2_bgp_conn *c)
{
    start_hold(c);
}

static void (*const entries[])(struct s2_bgp_conn *c) = {
    [S2_BGP_IDLE] = enter_idle,
    [S2_BGP_CONNECT] = enter_connect,
    [S2_BGP_ACTIVE] = enter_active,
    [S2_BGP_OPEN_SENT] = enter_open_sent,
    [S2_BGP_OPEN_CONFIRM] = enter_open_confirm,
    [S2_BGP_ESTABLISHED] = session_up,
};

/* The only writer of a connection's state. */
static void set_state(struct s2_bgp_conn *c, enum s2_bgp_state next)
{
    const enum s2_bgp_state from = c->state;

    if (next == S2_BGP_ESTABLISHED && from != next)
        end_rival(c);
    c->state = next;
    if (from == S2_BGP_ESTABLISHED && next != S2_BGP_ESTABLISHED)
        session_down(c->peer);
    if (from != next || next == S2_BGP_CONNECT)
        entries[next](c);
    show(c->peer);
}

void s2_bgp_step(struct s2_bgp_conn *c, enum s2_bgp_event event)
{
    const struct s2_bgp_transition t = s2_bgp_fsm(c->state, event);

    c->peer->stream_failed = event == S2_BGP_EV_STREAM_FAILS;
    actions[t.action](c);
    if (t.next != c->state || t.action == S2_BGP_DO_CONNECT)
        set_state(c, t.next);
}

/* ---- collisions */

/* Does the connection that we opened survive? The speaker with the higher
 * identifier keeps its own; if they are equal, the one with the higher AS number
 * (RFC 6286 section 2.3). */
static bool ours_survives(const struct s2_bgp_peer *peer, const struct s2_bgp_open *open)
{
    if (peer->spec.router_id != open->router_id)
        return peer->spec.router_id > open->router_id;
    return peer->spec.local_asn > open->asn;
}

enum s2_bgp_event s2_bgp_resolve_collision(struct s2_bgp_conn *c)
{
    struct s2_bgp_conn *other = rival(c);

    if (other->state < S2_BGP_OPEN_CONFIRM)
        return S2_BGP_EV_OPEN;
    (void)s2_bgp_error_set(&c->peer->error, S2_BGP_ERROR_CEASE, S2_BGP_SUB_CEASE_COLLISION, NULL,
                           0);
    s2_bgp_because(c->peer, "connection collision");
    if (other->state == S2_BGP_ESTABLISHED || ours_survives(c->peer, &c->open) != c->ours)
        return S2_BGP_EV_COLLISION;
    s2_bgp_step(other, S2_BGP_EV_COLLISION);
    return S2_BGP_EV_OPEN;
}

/* ---- timers fire */

static void on_retry(void *arg, uint64_t now_ns)
{
    struct s2_bgp_conn *c = arg;

    s2_bgp_enter(c->peer, now_ns);
    s2_bgp_because(c->peer, "connect retry timer");
    s2_bgp_step(c, S2_BGP_EV_RETRY);
    s2_bgp_leave(c->peer);
}

static void on_hold(void *arg, uint64_t now_ns)
{
    struct s2_bgp_conn *c = arg;

    s2_bgp_enter(c->peer, now_ns);
    (void)s2_bgp_error_set(&c->peer->error, S2_BGP_ERROR_HOLD, 0, NULL, 0);
    s2_bgp_tell_trace(c->peer, &(struct s2_bgp_trace){.kind = S2_BGP_TRACE_HOLD_EXPIRED,
                                                      .hold_time_s = c->open.hold_time_s});
    s2_bgp_step(c, S2_BGP_EV_HOLD);
    s2_bgp_leave(c->peer);
}

static void on_keepalive(void *arg, uint64_t now_ns)
{
    struct s2_bgp_conn *c = arg;

    s2_bgp_enter(c->peer, now_ns);
    s2_bgp_step(c, S2_BGP_EV_KEEPALIVE_TIMER);
    s2_bgp_leave(c->peer);
}

static void on_send_hold(void *arg, uint64_t now_ns)
{
    struct s2_bgp_conn *c = arg;

    s2_bgp_enter(c->peer, now_ns);
    (void)s2_bgp_error_set(&c->peer->error, S2_BGP_ERROR_SEND_HOLD, 0, NULL, 0);
    s2_bgp_step(c, S2_BGP_EV_SEND_HOLD);
    s2_bgp_leave(c->peer);
}

/* The peer didn't come back, or not with its table. */
static void on_stale(void *arg, uint64_t now_ns)
{
    struct s2_bgp_peer *peer = arg;

    s2_bgp_enter(peer, now_ns);
    s2_bgp_in_purge(peer, S2_BGP_IPV4 | S2_BGP_IPV6);
    if (peer->session != NULL)
        s2_bgp_in_complete(peer, peer->incomplete);
    s2_bgp_leave(peer);
}

static void begin(struct s2_bgp_peer *peer)
{
    s2_timer_cancel(peer->bgp->env->timers, &peer->idle);
    s2_bgp_step(&peer->conn[1], S2_BGP_EV_LISTEN);
    if (!peer->spec.passive)
        s2_bgp_step(&peer->conn[0], S2_BGP_EV_START);
    show(peer);
}

static void on_idle(void *arg, uint64_t now_ns)
{
    struct s2_bgp_peer *peer = arg;

    s2_bgp_enter(peer, now_ns);
    s2_bgp_because(peer, "idle hold timer");
    if (!is_open(&peer->conn[1])) /* the peer was faster */
        begin(peer);
    s2_bgp_leave(peer);
}

static void on_flush(void *arg, uint64_t now_ns)
{
    struct s2_bgp_peer *peer = arg;

    s2_bgp_enter(peer, now_ns);
    s2_bgp_leave(peer);
}

void s2_bgp_session_init(struct s2_bgp_peer *peer)
{
    for (size_t i = 0; i < 2; i++) {
        struct s2_bgp_conn *c = &peer->conn[i];

        c->peer = peer;
        c->ours = i == 0;
        c->state = S2_BGP_IDLE;
        s2_timer_init(&c->retry, on_retry, c);
        s2_timer_init(&c->hold, on_hold, c);
        s2_timer_init(&c->keepalive, on_keepalive, c);
        s2_timer_init(&c->send_hold, on_send_hold, c);
    }
    peer->shown = S2_BGP_IDLE;
    s2_timer_init(&peer->idle, on_idle, peer);
    s2_timer_init(&peer->flush, on_flush, peer);
    s2_timer_init(&peer->stale, on_stale, peer);
}

/* ---- settling */

static void stop(struct s2_bgp_peer *peer)
{
    peer->stop_asked = false;
    peer->started = false;
    peer->idle_tries = peer->connect_tries = peer->limit_tries = 0;
    s2_timer_cancel(peer->bgp->env->timers, &peer->idle);
    for (size_t i = 0; i < 2; i++) {
        peer->error = peer->stop;
        s2_bgp_because(peer, "stopped");
        s2_bgp_step(&peer->conn[i], S2_BGP_EV_STOP);
    }
    s2_bgp_in_purge(peer, S2_BGP_IPV4 | S2_BGP_IPV6);
}

static void start(struct s2_bgp_peer *peer)
{
    peer->start_asked = peer->over_limit = false;
    peer->started = true;
    peer->idle_tries = peer->connect_tries = peer->limit_tries = 0;
    if (peer->conn[0].state != S2_BGP_IDLE || is_open(&peer->conn[1]))
        return;
    s2_bgp_because(peer, "started");
    begin(peer);
}

/* Damping of oscillations (section 8.1.1): when a connection ended and no other is
 * open, we rest, for longer from failure to failure. At first only from connecting:
 * who finds nobody listening may wait for minutes before he tries again.
 *
 * After a Cease for too many prefixes, whoever sent it, both rest from listening too
 * and for long: nothing will be better at once, and a session that lasts a minute
 * between two of them is no sign that it is (RFC 4486 section 4 asks for damping).
 * An hour is, and so is another policy. */
static void rest_after_failure(struct s2_bgp_peer *peer)
{
    const struct s2_bgp_conn *ours = &peer->conn[0], *theirs = &peer->conn[1];
    const bool failed =
        theirs->state == S2_BGP_IDLE || (ours->state == S2_BGP_IDLE && !peer->spec.passive);
    uint64_t rest_ns;

    if (!peer->started || is_open(ours) || is_open(theirs) || !failed || peer->idle.armed)
        return;
    s2_bgp_step(&peer->conn[0], S2_BGP_EV_STOP);
    s2_bgp_step(&peer->conn[1], S2_BGP_EV_STOP);
    if (peer->over_limit) {
        rest_ns = back_off(peer, peer->limit_tries++, LIMIT_FIRST_S, LIMIT_MOST_S);
    } else {
        rest_ns = back_off(peer, peer->idle_tries, IDLE_FIRST_S, IDLE_MOST_S);
        if (peer->idle_tries++ < IDLE_TRIES_LISTENING)
            s2_bgp_step(&peer->conn[1], S2_BGP_EV_LISTEN);
    }
    s2_timer_set(peer->bgp->env->timers, &peer->idle, s2_after(peer->now_ns, rest_ns));
    peer->over_limit = false;
}

/* Ask for all of the peer's table again. */
static void send_refresh(struct s2_bgp_peer *peer)
{
    for (uint8_t family = S2SVPN_FAMILY_IPV4; family <= S2SVPN_FAMILY_IPV6; family++) {
        uint8_t bytes[S2_BGP_HEADER_LEN + 4];
        struct s2_writer w;

        if (!(peer->session->open.families & s2_bgp_family_bit(family)))
            continue;
        s2_writer_init(&w, bytes, sizeof(bytes));
        s2_bgp_write_refresh(&w, family);
        s2_bgp_conn_send(peer->session, &w);
        if (peer->session == NULL || peer->session->rest != NULL || peer->session->lost)
            return; /* all families again when there is room */
    }
    peer->refresh_due = false;
}

static void send_updates(struct s2_bgp_peer *peer)
{
    uint8_t bytes[S2_BGP_MESSAGE_MAX];
    struct s2_writer w;

    if (peer->refresh_due && peer->session != NULL && peer->session->rest == NULL &&
        !peer->session->lost)
        send_refresh(peer);
    s2_writer_init(&w, bytes, sizeof(bytes));
    while (peer->session != NULL && peer->session->rest == NULL && !peer->session->lost &&
           s2_bgp_out_next(peer, &w)) {
        peer->updates_out++;
        s2_bgp_conn_send(peer->session, &w);
        s2_writer_init(&w, bytes, sizeof(bytes));
    }
}

void s2_bgp_settle(struct s2_bgp_peer *peer)
{
    do {
        for (size_t i = 0; i < 2; i++) {
            struct s2_bgp_conn *c = &peer->conn[i];

            if (c->lost)
                s2_bgp_step(c, S2_BGP_EV_STREAM_FAILS);
            c->lost = false;
        }
        if (peer->stop_asked)
            stop(peer);
        if (peer->start_asked)
            start(peer);
        rest_after_failure(peer);
        send_updates(peer);
    } while (peer->stop_asked || peer->start_asked || peer->conn[0].lost || peer->conn[1].lost);
}
