/* SPDX-License-Identifier: Apache-2.0 */
/* TCP connections as the speaker's streams, and what else the speaker calls. */
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "collector/collector.h"

#define READ_MAX 65536
#define WAITING_MAX 262144 /* bytes that a stream holds for a slow peer */

void stream_free(struct stream *s)
{
    bufferevent_free(s->bytes);
    free(s);
}

/* The whole of it at once, since the stream may be gone when receive returns; READ_MAX is
 * its high-water mark. */
static void on_readable(struct bufferevent *bytes, void *arg)
{
    static uint8_t buffer[READ_MAX];
    struct stream *s = arg;
    const size_t len = bufferevent_read(bytes, buffer, sizeof(buffer));

    if (!s->closing && len > 0)
        s2svpn_bgp_receive(s->peer->bgp, s, buffer, len, collector_now());
}

static void on_writable(struct bufferevent *bytes, void *arg)
{
    struct stream *s = arg;

    (void)bytes;
    if (s->closing)
        stream_free(s);
    else if (s->up)
        s2svpn_bgp_writable(s->peer->bgp, s, collector_now());
}

static void on_event(struct bufferevent *bytes, short what, void *arg)
{
    struct stream *s = arg;

    (void)bytes;
    if (what & BEV_EVENT_CONNECTED) {
        s->up = true;
        if (!s2svpn_bgp_stream_up(s->peer->bgp, s, s->ours, collector_now()))
            stream_free(s);
        return;
    }
    if (!s->closing)
        s2svpn_bgp_stream_down(s->peer->bgp, s,
                               what & BEV_EVENT_EOF ? "closed by the peer" : strerror(errno),
                               collector_now());
    stream_free(s);
}

struct stream *stream_new(struct peer *p, int number, bool ours)
{
    struct stream *s = calloc(1, sizeof(*s));

    if (s == NULL)
        return NULL;
    s->peer = p;
    s->ours = ours;
    s->bytes = bufferevent_socket_new(p->collector->base, number, BEV_OPT_CLOSE_ON_FREE);
    if (s->bytes == NULL) {
        free(s);
        return NULL;
    }
    bufferevent_setcb(s->bytes, on_readable, on_writable, on_event, s);
    bufferevent_setwatermark(s->bytes, EV_READ, 0, READ_MAX);
    bufferevent_enable(s->bytes, EV_READ | EV_WRITE);
    return s;
}

/* ---- what the speaker calls */

static void *on_connect(void *user, s2svpn_bgp_peer *peer, void *peer_user)
{
    struct peer *p = peer_user;
    struct stream *s = stream_new(p, -1, true);

    (void)user;
    (void)peer;
    if (s != NULL &&
        bufferevent_socket_connect(s->bytes, (void *)&p->address, (int)p->address_len) != 0) {
        stream_free(s);
        return NULL;
    }
    return s;
}

static size_t on_send(void *user, void *peer_user, void *stream, const uint8_t *p, size_t len)
{
    struct stream *s = stream;

    (void)user;
    (void)peer_user;
    if (evbuffer_get_length(bufferevent_get_output(s->bytes)) >= WAITING_MAX ||
        bufferevent_write(s->bytes, p, len) != 0)
        return 0; /* on_writable follows when it is drained */
    return len;
}

static void on_close(void *user, void *peer_user, void *stream, bool abort)
{
    struct stream *s = stream;

    (void)user;
    (void)peer_user;
    s->closing = true;
    if (abort || evbuffer_get_length(bufferevent_get_output(s->bytes)) == 0)
        stream_free(s);
}

static void on_deadline(void *user, uint64_t at_ns)
{
    struct collector *c = user;
    const uint64_t at = collector_now(), in_ns = at_ns > at ? at_ns - at : 0;
    const struct timeval in = {(time_t)(in_ns / 1000000000u),
                               (suseconds_t)(in_ns / 1000 % 1000000 + 1)};

    if (at_ns == S2SVPN_NEVER)
        evtimer_del(c->timer);
    else
        evtimer_add(c->timer, &in);
}

static void on_state(void *user, void *peer_user, enum s2svpn_bgp_state from,
                     enum s2svpn_bgp_state to, const char *why)
{
    struct peer *p = peer_user;

    (void)user;
    if (to == S2SVPN_BGP_ESTABLISHED)
        p->up_ns = collector_now();
    fprintf(stderr, "%s: %s -> %s: %s\n", p->name, s2svpn_bgp_state_text(from),
            s2svpn_bgp_state_text(to), why);
}

static void on_end_of_rib(void *user, void *peer_user)
{
    struct collector *c = user;
    struct peer *p = peer_user;
    s2svpn_bgp_peer_info info = {.size = sizeof(info)};

    s2svpn_bgp_peer_get_info(p->bgp, &info);
    fprintf(stderr, "%s: complete, %u prefixes after %.3f s\n", p->name, info.prefixes_in,
            (double)(collector_now() - p->up_ns) / 1e9);
    if (c->until > 0 && info.prefixes_in < c->until)
        return;
    if (c->until > 0) {
        c->done = true;
        event_base_loopexit(c->base, NULL); /* which prints it */
    } else {
        table_print(c);
    }
}

static void on_notification(void *user, void *peer_user, bool sent, const char *words,
                            const char *text)
{
    const struct peer *p = peer_user;

    (void)user;
    fprintf(stderr, "%s: notification %s: %s%s%s\n", p->name, sent ? "sent" : "received", words,
            text[0] ? ": " : "", text);
}

static void on_graceful(void *user, void *peer_user, bool begins)
{
    const struct peer *p = peer_user;

    (void)user;
    fprintf(stderr, "%s: %s\n", p->name,
            begins ? "restarts gracefully, its routes stay" : "its graceful restart is over");
}

const s2svpn_bgp_ops collector_ops = {
    .size = sizeof(collector_ops),
    .connect = on_connect,
    .send = on_send,
    .close = on_close,
    .deadline = on_deadline,
    .state = on_state,
    .end_of_rib = on_end_of_rib,
    .notification = on_notification,
    .graceful = on_graceful,
};
