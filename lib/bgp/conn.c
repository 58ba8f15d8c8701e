/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bytes of one connection. In: messages are cut out of the stream, by preference
 * where they lie; a message that isn't whole waits in a buffer of 4096 bytes. Out:
 * one message at a time; what the stream doesn't take waits, and nothing else is
 * made before it is gone. So both are bounded. RFC 4271 sections 4.1 and 6.
 */
#include "bgp/peer.h"

#include <string.h>

#include "base/text.h"

/* ---- out */

void s2_bgp_conn_close(struct s2_bgp_conn *c, bool abort)
{
    struct s2_bgp_peer *peer = c->peer;
    void *stream = c->stream;

    c->stream = NULL;
    c->lost = c->keepalive_due = false;
    s2_bgp_conn_forget(c);
    if (stream != NULL)
        peer->bgp->ops.close(peer->user, stream, abort, peer->now_ns);
}

void s2_bgp_conn_forget(struct s2_bgp_conn *c)
{
    const struct s2_env *env = c->peer->bgp->env;

    s2_timer_cancel(env->timers, &c->send_hold);
    s2_free(env, c->in);
    s2_free(env, c->rest);
    c->in = c->rest = NULL;
    c->in_len = 0;
}

/* Give the stream what it takes. Returns how much. */
static size_t give(struct s2_bgp_conn *c, const uint8_t *p, size_t len)
{
    struct s2_bgp_peer *peer = c->peer;
    const size_t taken = peer->bgp->ops.send(peer->user, c->stream, p, len, peer->now_ns);

    return taken < len ? taken : len;
}

void s2_bgp_conn_send(struct s2_bgp_conn *c, const struct s2_writer *w)
{
    if (c->stream == NULL || c->lost || s2_writer_finish(w) != S2SVPN_OK)
        return;
    const size_t taken = give(c, w->p, w->len);
    if (taken == w->len || c->stream == NULL)
        return;
    c->rest = s2_alloc(c->peer->bgp->env, w->len - taken);
    if (c->rest == NULL) { /* a message cut off: the stream is of no more use */
        s2_bgp_because(c->peer, "out of memory");
        c->lost = true;
        return;
    }
    c->rest_at = 0;
    c->rest_len = w->len - taken;
    memcpy(c->rest, w->p + taken, c->rest_len);
    s2_bgp_start_send_hold(c);
}

void s2_bgp_conn_send_keepalive(struct s2_bgp_conn *c)
{
    uint8_t bytes[S2_BGP_HEADER_LEN];
    struct s2_writer w;

    c->keepalive_due = c->rest != NULL;
    if (c->keepalive_due)
        return;
    s2_writer_init(&w, bytes, sizeof(bytes));
    s2_bgp_write_begin(&w, S2_BGP_TYPE_KEEPALIVE);
    s2_bgp_write_end(&w);
    s2_bgp_conn_send(c, &w);
}

/* Which AS it is, is for people alone: RFC 4271 section 6.2 has no data for it. */
static void print_refused_as(const struct s2_bgp_peer *peer, char *text, size_t size)
{
    if (peer->spec.peer_asn != 0)
        s2_print(text, size, "its OPEN names AS %u, not %u", (unsigned)peer->refused_asn,
                 (unsigned)peer->spec.peer_asn);
    else
        s2_print(text, size, "its OPEN names AS %u", (unsigned)peer->refused_asn);
}

void s2_bgp_conn_notify(struct s2_bgp_conn *c)
{
    struct s2_bgp_peer *peer = c->peer;
    const struct s2_bgp_error *e = &peer->error;
    uint8_t bytes[S2_BGP_HEADER_LEN + 2 + S2_BGP_ERROR_DATA];
    char words[80], text[S2_BGP_ERROR_DATA];
    /* amid another message nothing can be said, and nothing would be read */
    const bool can = c->stream != NULL && !c->lost && c->rest == NULL;
    struct s2_writer w;

    s2_bgp_error_text(e, text);
    if (e->code == S2_BGP_ERROR_OPEN && e->subcode == S2_BGP_SUB_OPEN_PEER_AS)
        print_refused_as(peer, text, sizeof(text));
    s2_bgp_because(peer, can ? "sent %s%s%s" : "%s%s%s",
                   s2_bgp_notification_text(e->code, e->subcode, words, sizeof(words)),
                   text[0] ? ": " : "", text);
    if (can) {
        s2_writer_init(&w, bytes, sizeof(bytes));
        s2_bgp_write_notification(&w, e);
        s2_bgp_conn_send(c, &w);
    }
    s2_bgp_conn_close(c, !can || c->lost || c->rest != NULL);
    if (can)
        peer->bgp->ops.notification(peer->user, peer, true, e->code, e->subcode, text,
                                    peer->now_ns);
}

void s2_bgp_conn_writable(struct s2_bgp_conn *c)
{
    if (c->rest != NULL && c->stream != NULL && !c->lost) {
        c->rest_at += give(c, c->rest + c->rest_at, c->rest_len - c->rest_at);
        if (c->rest_at < c->rest_len)
            return;
        s2_free(c->peer->bgp->env, c->rest);
        c->rest = NULL;
        s2_timer_cancel(c->peer->bgp->env->timers, &c->send_hold);
    }
    if (c->keepalive_due)
        s2_bgp_conn_send_keepalive(c);
}

/* ---- messages */

static uint16_t smaller(uint16_t a, uint16_t b)
{
    return a < b ? a : b;
}

static void on_open(struct s2_bgp_conn *c, s2svpn_span body)
{
    struct s2_bgp_peer *peer = c->peer;
    const struct s2_bgp_spec *spec = &peer->spec;
    struct s2_bgp_open open = {0};

    if (c->state != S2_BGP_OPEN_SENT) {
        s2_bgp_step(c, S2_BGP_EV_OPEN);
        return;
    }
    if (s2_bgp_parse_open(body, &open, &peer->error) != S2SVPN_OK ||
        s2_bgp_check_open(&open, spec, &peer->error) != S2SVPN_OK) {
        s2_bgp_tell_trace(peer, &(struct s2_bgp_trace){.kind = S2_BGP_TRACE_OPEN_BAD,
                                                       .asn = spec->peer_asn,
                                                       .open = &open,
                                                       .error = &peer->error});
        peer->refused_asn = open.asn;
        s2_bgp_step(c, S2_BGP_EV_OPEN_ERROR);
        return;
    }
    s2_bgp_tell_trace(peer, &(struct s2_bgp_trace){.kind = S2_BGP_TRACE_OPEN, .open = &open});
    c->open = open;
    c->open.hold_time_s = smaller(open.hold_time_s, spec->hold_time_s);
    c->open.families &= (uint8_t)((spec->ipv4 ? S2_BGP_IPV4 : 0) | (spec->ipv6 ? S2_BGP_IPV6 : 0));
    s2_bgp_because(peer, "OPEN received");
    s2_bgp_step(c, s2_bgp_resolve_collision(c));
}

static void on_update(struct s2_bgp_conn *c, s2svpn_span body)
{
    s2svpn_status rc = S2SVPN_OK;

    if (c->state == S2_BGP_ESTABLISHED)
        rc = s2_bgp_in_update(c->peer, body);
    if (rc == S2SVPN_OK)
        s2_bgp_step(c, S2_BGP_EV_UPDATE);
    else
        s2_bgp_step(c,
                    rc == S2SVPN_E_MALFORMED ? S2_BGP_EV_UPDATE_ERROR : S2_BGP_EV_AUTOMATIC_STOP);
}

/* A peer that sends no End-of-RIB has sent its table before it has time for its
 * second KEEPALIVE. */
static void on_keepalive(struct s2_bgp_conn *c)
{
    struct s2_bgp_peer *peer = c->peer;

    if (c->state == S2_BGP_ESTABLISHED && peer->incomplete != 0 && peer->stale_families == 0 &&
        ++peer->keepalives == 2)
        s2_bgp_in_complete(peer, peer->incomplete);
    s2_bgp_because(peer, "KEEPALIVE received");
    s2_bgp_step(c, S2_BGP_EV_KEEPALIVE);
}

static void on_notification(struct s2_bgp_conn *c, s2svpn_span body)
{
    struct s2_bgp_peer *peer = c->peer;
    char words[80], text[S2_BGP_ERROR_DATA];
    struct s2_bgp_error e;

    s2_bgp_parse_notification(body, &e);
    s2_bgp_error_text(&e, text);
    s2_bgp_because(peer, "received %s",
                   s2_bgp_notification_text(e.code, e.subcode, words, sizeof(words)));
    peer->over_limit = e.code == S2_BGP_ERROR_CEASE && e.subcode == S2_BGP_SUB_CEASE_PREFIXES;
    peer->bgp->ops.notification(peer->user, peer, false, e.code, e.subcode, text, peer->now_ns);
    s2_bgp_step(c, S2_BGP_EV_NOTIFICATION);
}

static void on_message(struct s2_bgp_conn *c, uint8_t type, s2svpn_span body)
{
    switch (type) {
    case S2_BGP_TYPE_OPEN:
        on_open(c, body);
        break;
    case S2_BGP_TYPE_UPDATE:
        on_update(c, body);
        break;
    case S2_BGP_TYPE_NOTIFICATION:
        on_notification(c, body);
        break;
    case S2_BGP_TYPE_KEEPALIVE:
        on_keepalive(c);
        break;
    default: /* the header's check lets nothing else through */
        c->refresh = (uint8_t)(s2_bgp_parse_refresh(body) & c->open.families);
        s2_bgp_step(c, S2_BGP_EV_REFRESH);
        break;
    }
}

/* ---- in */

/* Check a header; a bad one is an event. */
static bool good_header(struct s2_bgp_conn *c, const uint8_t *header, uint8_t *type, uint16_t *len)
{
    if (s2_bgp_parse_header(header, type, len, &c->peer->error) == S2SVPN_OK)
        return true;
    s2_bgp_step(c, S2_BGP_EV_HEADER_ERROR);
    return false;
}

/* The next message, if all of it is there. false: it isn't. */
static bool take_whole(struct s2_bgp_conn *c, struct s2_reader *r)
{
    struct s2_reader look = *r;
    uint16_t len;
    uint8_t type;

    if (r->left < S2_BGP_HEADER_LEN)
        return false;
    if (!good_header(c, s2_read_span(&look, S2_BGP_HEADER_LEN, "header").p, &type, &len))
        return true;
    if (r->left < len)
        return false;
    *r = look;
    on_message(c, type, s2_read_span(r, len - (size_t)S2_BGP_HEADER_LEN, "body"));
    return true;
}

/* As much as is missing of the buffered message, its header first. */
static void collect(struct s2_bgp_conn *c, struct s2_reader *r)
{
    uint16_t wanted = S2_BGP_HEADER_LEN;
    uint8_t type = 0;

    if (c->in_len >= S2_BGP_HEADER_LEN && !good_header(c, c->in, &type, &wanted))
        return;
    const size_t missing = wanted - (size_t)c->in_len;
    const size_t n = missing < r->left ? missing : r->left;
    s2_read_copy(r, c->in + c->in_len, n, "message");
    c->in_len = (uint16_t)(c->in_len + n);
    if (c->in_len == S2_BGP_HEADER_LEN && wanted == S2_BGP_HEADER_LEN &&
        !good_header(c, c->in, &type, &wanted))
        return;
    if (c->in_len < wanted || type == 0)
        return;
    uint8_t *message = c->in; /* the connection may end under it */
    c->in = NULL;
    c->in_len = 0;
    on_message(c, type,
               (s2svpn_span){message + S2_BGP_HEADER_LEN, wanted - (size_t)S2_BGP_HEADER_LEN});
    s2_free(c->peer->bgp->env, message);
}

void s2_bgp_conn_receive(struct s2_bgp_conn *c, const uint8_t *p, size_t len)
{
    void *stream = c->stream;
    struct s2_reader r;

    s2_reader_init(&r, p, len);
    while (r.left > 0 && c->stream == stream && !c->lost) {
        if (c->in == NULL && take_whole(c, &r))
            continue;
        if (c->in == NULL)
            c->in = s2_alloc(c->peer->bgp->env, S2_BGP_MESSAGE_MAX);
        if (c->in == NULL) {
            s2_bgp_because(c->peer, "out of memory");
            c->lost = true;
            return;
        }
        collect(c, &r);
    }
}
