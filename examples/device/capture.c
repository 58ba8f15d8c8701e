/* SPDX-License-Identifier: Apache-2.0 */
/* Captures, streamed to clients. */
#include "device/capture.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <s2svpn/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "device/device.h"

#define PENDING_MAX (4u * 1024 * 1024) /* bytes that a client may be behind */
#define RECORD_MAX (65536 + S2SVPN_PCAP_OVERHEAD)

/* ---- frames */

static struct evbuffer *output_of(const struct capture *c)
{
    return bufferevent_get_output(c->client->stream);
}

static void add_frame(struct capture *c, char kind, const void *p, size_t len)
{
    const uint32_t size = htonl((uint32_t)len);
    struct evbuffer *output = output_of(c);

    evbuffer_add(output, &kind, 1);
    evbuffer_add(output, &size, sizeof(size));
    evbuffer_add(output, p, len);
}

static uint64_t unix_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* ---- packets */

static bool concerns(const struct capture *c, const s2svpn_datagram *d)
{
    return memcmp(&d->remote.address, &c->remote, sizeof(c->remote)) == 0 &&
           memcmp(&d->local.address, &c->local, sizeof(c->local)) == 0;
}

static void add_datagram(struct capture *c, const s2svpn_datagram *d, bool sent, uint64_t now)
{
    uint8_t record[RECORD_MAX];
    size_t len;

    for (size_t i = 0; (len = s2svpn_pcap_datagram(record, sizeof(record), d, i, sent, now)); i++) {
        if (evbuffer_get_length(output_of(c)) + len > PENDING_MAX) {
            c->lost++;
            continue;
        }
        add_frame(c, 'p', record, len);
        c->packets++;
    }
}

static void on_wire(void *user, const s2svpn_datagram *d, bool sent, uint64_t now_ns)
{
    struct device *device = user;
    const uint64_t now = unix_now();

    (void)now_ns;
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        struct capture *c = device->control.client[i].task;

        if (c && !c->client->answered && concerns(c, d))
            add_datagram(c, d, sent, now);
    }
}

/* ---- keys */

static void forget_key(struct kept_key *k)
{
    if (k->line) {
        explicit_bzero(k->line, strlen(k->line));
        free(k->line);
    }
    k->line = NULL;
}

/* A line of an ESP SA names the outside addresses; one of an IKE SA only its SPIs, so all
 * of those are given. */
static bool is_of(const struct kept_key *k, const struct capture *c)
{
    char quoted[S2SVPN_ADDRESS_TEXT + 2], text[S2SVPN_ADDRESS_TEXT];

    snprintf(quoted, sizeof(quoted), "\"%s\"", s2svpn_address_print(&c->remote, text));
    return k->kind == S2SVPN_KEYLOG_IKE || strstr(k->line, quoted) != NULL;
}

static void add_key(struct capture *c, const struct kept_key *k)
{
    if (k->line && c->keys && is_of(k, c))
        add_frame(c, k->kind == S2SVPN_KEYLOG_IKE ? 'i' : 'e', k->line, strlen(k->line));
}

void captures_on_key(struct device *d, enum s2svpn_keylog_kind kind, const char *line)
{
    struct captures *all = &d->captures;
    struct kept_key *k = &all->key[all->next_key++ % KEYS_MAX];

    forget_key(k);
    k->kind = kind;
    k->line = strdup(line);
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        struct capture *c = d->control.client[i].task;

        if (c && !c->client->answered)
            add_key(c, k);
    }
}

void captures_clear(struct device *d)
{
    for (size_t i = 0; i < KEYS_MAX; i++)
        forget_key(&d->captures.key[i]);
}

/* ---- life */

static void on_end(evutil_socket_t fd, short what, void *arg)
{
    struct client *client = arg;
    struct capture *c = client->task;
    char text[128];

    (void)fd;
    (void)what;
    snprintf(text, sizeof(text), "%llu packets captured, %llu lost", (unsigned long long)c->packets,
             (unsigned long long)c->lost);
    add_frame(c, 'n', text, strlen(text));
    control_finish(client);
}

const char *capture_start(struct client *client, const s2svpn_tunnel *tunnel, unsigned seconds,
                          bool keys)
{
    struct device *d = client->control->user;
    s2svpn_tunnel_info info = {.size = sizeof(info)};
    struct capture *c = calloc(1, sizeof(*c));
    const struct timeval end = {(time_t)seconds, 0}, write_limit = {30, 0};
    uint8_t header[S2SVPN_PCAP_HEADER_LEN];

    if (c)
        c->end = evtimer_new(d->program.base, on_end, client);
    if (c == NULL || c->end == NULL || (seconds && event_add(c->end, &end) != 0)) {
        if (c && c->end)
            event_free(c->end);
        free(c);
        return "out of memory";
    }
    s2svpn_tunnel_get_info(tunnel, &info);
    c->client = client;
    c->local = info.local.address;
    c->remote = info.remote.address;
    c->keys = keys;
    client->task = c;
    if (d->captures.running++ == 0)
        s2svpn_host_on_wire(d->program.host, on_wire, d);
    evbuffer_add(output_of(c), "ok\n", 3);
    s2svpn_pcap_header(header);
    add_frame(c, 'p', header, sizeof(header));
    for (size_t i = 0; i < KEYS_MAX; i++)
        add_key(c, &d->captures.key[(d->captures.next_key + i) % KEYS_MAX]);
    bufferevent_set_timeouts(client->stream, NULL, &write_limit);
    return NULL;
}

void capture_stop(struct client *client)
{
    struct device *d = client->control->user;

    struct capture *c = client->task;

    event_free(c->end);
    free(c);
    client->task = NULL;
    if (--d->captures.running == 0)
        s2svpn_host_on_wire(d->program.host, NULL, NULL);
}
