/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Streams: birth, who makes room for whom, death, and the user's calls. RFC 9293
 * section 3.10.1 to 3.10.5, RFC 6528 (initial sequence numbers), RFC 6056 (ports).
 * Segments: tcp_input.c and tcp_output.c.
 */
#include "inet/tcp.h"

#include "base/hash.h"

#define PORT_FIRST 49152u /* RFC 6335 section 6 */
#define PORT_COUNT 16384u
#define ISN_TICK_NS 4000 /* RFC 9293 section 3.4.1 */
#define ISN_PAST 65536u  /* behind the last stream of the same ports */

/* ---- birth and death */

void s2_tcp_free(struct s2_tcp *tcp)
{
    const struct s2_env *env = tcp->host->env;

    s2_tcp_timers_cancel(tcp);
    s2_tcp_ring_free(&tcp->out, env);
    s2_tcp_ring_free(&tcp->in, env);
    s2_free(env, tcp);
}

void s2_tcp_retire(struct s2_tcp *tcp)
{
    struct s2_host *host = tcp->host;

    for (unsigned i = 0; i < S2_HOST_STREAMS_MAX; i++) {
        if (host->stream[i] == tcp)
            host->stream[i] = NULL;
    }
    s2_tcp_timers_cancel(tcp);
    if (tcp->connecting)
        *tcp->connecting = NULL;
    tcp->gone = tcp->told = true;
    tcp->next_gone = host->gone;
    host->gone = tcp;
}

void s2_tcp_trim(struct s2_tcp *tcp)
{
    const bool over = tcp->state == S2_TCP_STATE_CLOSED || tcp->state == S2_TCP_STATE_TIME_WAIT;

    if (over) {
        tcp->queued = 0;
        tcp->range_count = 0;
    }
    if (tcp->queued == 0)
        s2_tcp_ring_free(&tcp->out, tcp->host->env);
    if (tcp->range_count == 0 && tcp->ready == 0 && tcp->fresh.len == 0)
        s2_tcp_ring_free(&tcp->in, tcp->host->env);
}

void s2_tcp_set_mss(struct s2_tcp *tcp)
{
    const bool ipv6 = tcp->host->spec.address.family == S2SVPN_FAMILY_IPV6;
    const uint32_t headers = ipv6 ? 60 : 40;
    uint32_t mss = tcp->peer_mss ? tcp->peer_mss : ipv6 ? 1220 : 536; /* section 3.7.1 */

    mss = s2_tcp_min(mss, tcp->host->spec.mtu - headers);
    mss = s2_tcp_min(mss, S2_TCP_PACKET_MAX - headers);
    tcp->mss = (uint16_t)s2_tcp_max(mss, S2_TCP_MSS_MIN);
}

/* RFC 6528: a clock, and a keyed hash of who talks to whom. */
static uint32_t initial_sequence(const struct s2_tcp *tcp, uint64_t now_ns)
{
    const struct s2_host *host = tcp->host;
    uint8_t tuple[8 + 2 * 17 + 4] = "tcp isn";
    uint8_t *p = tuple + 8;

    for (unsigned i = 0; i < 2; i++) {
        const s2svpn_address *a = i ? &host->spec.peer : &host->spec.address;
        *p++ = a->family;
        for (unsigned j = 0; j < 16; j++)
            *p++ = a->bytes[j];
    }
    s2_put_u16(p, tcp->local_port);
    s2_put_u16(p + 2, tcp->remote_port);
    return (uint32_t)(s2_siphash(host->env->hash_key, tuple, sizeof(tuple)) + now_ns / ISN_TICK_NS);
}

/* Who makes room: first what only waits, then what only says farewell, then the
 * half open. 0 is not at all. */
static unsigned worth_less(const struct s2_tcp *tcp)
{
    if (tcp->state == S2_TCP_STATE_TIME_WAIT && tcp->told)
        return 3;
    if (tcp->told)
        return 2;
    return tcp->state == S2_TCP_STATE_SYN_RECEIVED && tcp->passive;
}

static void evict(struct s2_tcp *tcp, uint64_t now_ns)
{
    if (tcp->state != S2_TCP_STATE_CLOSED)
        s2_tcp_step(tcp, S2_TCP_EVENT_ABORT, now_ns);
    s2_tcp_retire(tcp);
}

/* A place in the table, or NULL: all are taken by streams that live. */
static struct s2_tcp **find_place(struct s2_host *host, uint64_t now_ns)
{
    struct s2_tcp *victim = NULL;

    for (unsigned i = 0; i < S2_HOST_STREAMS_MAX; i++) {
        struct s2_tcp *tcp = host->stream[i];
        if (!tcp)
            return &host->stream[i];
        const unsigned rank = worth_less(tcp);
        if (rank && (!victim || rank > worth_less(victim) ||
                     (rank == worth_less(victim) && tcp->order < victim->order)))
            victim = tcp;
    }
    if (!victim)
        return NULL;
    evict(victim, now_ns);
    return find_place(host, now_ns);
}

/* A stream in CLOSED, in no place yet, or NULL. */
static struct s2_tcp *make(struct s2_host *host, uint16_t local_port, uint16_t remote_port,
                           uint64_t now_ns)
{
    struct s2_tcp *tcp = s2_alloc(host->env, sizeof(*tcp));

    if (!tcp)
        return NULL;
    tcp->host = host;
    tcp->order = host->births++;
    tcp->local_port = local_port;
    tcp->remote_port = remote_port;
    tcp->rto_ns = S2_TCP_RTO_FIRST;
    tcp->iss = initial_sequence(tcp, now_ns);
    s2_tcp_set_mss(tcp);
    s2_tcp_timers_init(tcp);
    return tcp;
}

static void begin_sequence(struct s2_tcp *tcp, uint32_t iss)
{
    tcp->iss = tcp->snd_una = tcp->snd_nxt = tcp->snd_max = iss;
}

/* The oldest half-open passive stream yields to a new one: a flood of SYNs takes
 * places from itself alone. */
static void limit_half_open(struct s2_host *host, uint64_t now_ns)
{
    struct s2_tcp *oldest = NULL;
    unsigned n = 0;

    for (unsigned i = 0; i < S2_HOST_STREAMS_MAX; i++) {
        struct s2_tcp *tcp = host->stream[i];
        if (!tcp || !tcp->passive || tcp->state != S2_TCP_STATE_SYN_RECEIVED)
            continue;
        n++;
        if (!oldest || tcp->order < oldest->order)
            oldest = tcp;
    }
    if (n >= S2_HOST_HALF_OPEN_MAX)
        evict(oldest, now_ns);
}

bool s2_tcp_accept(struct s2_host *host, const struct s2_tcp_segment *s, const uint32_t *past,
                   uint64_t now_ns)
{
    struct s2_tcp *tcp = make(host, s->destination_port, s->source_port, now_ns);
    struct s2_tcp **place;

    if (!tcp)
        return false;
    limit_half_open(host, now_ns);
    place = find_place(host, now_ns);
    if (!place) {
        s2_tcp_free(tcp);
        return false;
    }
    *place = tcp;
    tcp->passive = true;
    tcp->irs = s->seq;
    tcp->rcv_nxt = s->seq + 1;
    tcp->peer_mss = s->mss;
    begin_sequence(tcp, past && s2_seq_le(tcp->iss, *past) ? *past + ISN_PAST : tcp->iss);
    return s2_tcp_step(tcp, S2_TCP_EVENT_SYN, now_ns);
}

/* ---- the user's calls */

static bool port_is_free(const struct s2_host *host, uint16_t local, uint16_t remote)
{
    for (unsigned i = 0; i < S2_HOST_STREAMS_MAX; i++) {
        const struct s2_tcp *tcp = host->stream[i];
        if (tcp && tcp->local_port == local && tcp->remote_port == remote)
            return false;
    }
    return local != host->spec.listen_port;
}

/* RFC 6056 section 3.3.1: random, then the next that is free. */
static s2svpn_status choose_port(const struct s2_host *host, uint16_t remote, uint16_t *local)
{
    uint16_t n = 0;
    const s2svpn_status rc = s2_random(host->env, &n, sizeof(n));

    if (rc != S2SVPN_OK)
        return rc;
    do
        *local = (uint16_t)(PORT_FIRST + n++ % PORT_COUNT);
    while (!port_is_free(host, *local, remote));
    return S2SVPN_OK;
}

s2svpn_status s2_tcp_connect(struct s2_host *host, uint16_t port, void *user, uint64_t now_ns,
                             struct s2_tcp **out)
{
    struct s2_tcp *tcp, **place;
    uint16_t local = 0;
    s2svpn_status rc;

    *out = NULL;
    if (port == 0)
        return s2_fail(host->env, S2SVPN_E_ARGUMENT, "port", "port 0 can't be connected to");
    s2_host_enter(host);
    rc = choose_port(host, port, &local);
    if (rc != S2SVPN_OK)
        goto done;
    tcp = make(host, local, port, now_ns);
    if (!tcp) {
        rc = s2_fail(host->env, S2SVPN_E_MEMORY, NULL, "no memory for a stream");
        goto done;
    }
    place = find_place(host, now_ns);
    if (!place) {
        s2_tcp_free(tcp);
        rc = s2_fail(host->env, S2SVPN_E_LIMIT, NULL, "all %d streams are in use",
                     S2_HOST_STREAMS_MAX);
        goto done;
    }
    *place = tcp;
    tcp->user = user;
    tcp->visible = true;
    begin_sequence(tcp, tcp->iss);
    s2_tcp_step(tcp, S2_TCP_EVENT_OPEN, now_ns);
    *out = tcp;
    tcp->connecting = out;
done:
    s2_host_leave(host, now_ns);
    if (*out)
        (*out)->connecting = NULL;
    return rc;
}

static bool may_send(const struct s2_tcp *tcp)
{
    return !tcp->shut && !tcp->told &&
           (tcp->state == S2_TCP_STATE_SYN_SENT || tcp->state == S2_TCP_STATE_SYN_RECEIVED ||
            tcp->state == S2_TCP_STATE_ESTABLISHED || tcp->state == S2_TCP_STATE_CLOSE_WAIT);
}

size_t s2_tcp_send(struct s2_tcp *tcp, const uint8_t *p, size_t len, uint64_t now_ns)
{
    struct s2_host *host = tcp->host;

    if (!may_send(tcp) || len == 0)
        return 0;
    s2_host_enter(host);
    const uint32_t room = S2_TCP_BUFFER - tcp->queued;
    uint32_t taken = len < room ? (uint32_t)len : room;
    if (!s2_tcp_ring_reserve(&tcp->out, host->env, tcp->queued, tcp->queued + taken))
        taken = s2_tcp_min(taken, tcp->out.size - tcp->queued);
    s2_tcp_ring_put(&tcp->out, tcp->queued, p, taken);
    tcp->queued += taken;
    if (taken < len) {
        tcp->starved = true;
        tcp->wake_at = tcp->queued - tcp->queued / 4;
        if (tcp->queued == 0 && tcp->wait == S2_TCP_WAIT_NOTHING)
            s2_tcp_wait_for(tcp, S2_TCP_WAIT_MEMORY, now_ns);
    }
    s2_host_leave(host, now_ns);
    return taken;
}

void s2_tcp_close(struct s2_tcp *tcp, uint64_t now_ns)
{
    struct s2_host *host = tcp->host;

    if (tcp->shut || tcp->told)
        return;
    s2_host_enter(host);
    tcp->shut = true;
    tcp->starved = tcp->opens = false;
    s2_tcp_step(tcp, S2_TCP_EVENT_CLOSE, now_ns);
    s2_host_leave(host, now_ns);
}

void s2_tcp_abort(struct s2_tcp *tcp, uint64_t now_ns)
{
    struct s2_host *host = tcp->host;
    const enum s2_tcp_state state = tcp->state;
    const uint32_t seq = s2_tcp_bare_seq(tcp);

    if (tcp->gone)
        return;
    s2_host_enter(host);
    s2_tcp_step(tcp, S2_TCP_EVENT_ABORT, now_ns);
    s2_tcp_retire(tcp);
    if (state != S2_TCP_STATE_CLOSED && state != S2_TCP_STATE_SYN_SENT &&
        state != S2_TCP_STATE_TIME_WAIT)
        s2_tcp_emit(tcp, seq, S2_TCP_RST | S2_TCP_ACK, 0, 0, now_ns);
    s2_host_leave(host, now_ns);
}

void s2_tcp_set_user(struct s2_tcp *tcp, void *user)
{
    tcp->user = user;
}

void *s2_tcp_user(const struct s2_tcp *tcp)
{
    return tcp->user;
}

uint16_t s2_tcp_local_port(const struct s2_tcp *tcp)
{
    return tcp->local_port;
}

uint16_t s2_tcp_remote_port(const struct s2_tcp *tcp)
{
    return tcp->remote_port;
}
