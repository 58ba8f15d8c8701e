/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a reload does:
 *
 *   a document that is new       its connection is opened at once
 *   a document that is gone      its connection is closed at once
 *   one that says the same       nothing, whatever its file is called now
 *   one that says another thing  its first tunnel is changed, if it is another; then, when
 *                                that one is up again or after 60 s, its second; then the
 *                                next such document. What a tunnel can't change (ASNs, the
 *                                kind of routing) closes the connection and opens it anew
 *   one that can't be read       nothing: the connection keeps what it had
 *   certificates, CRLs           count at once: no tunnel ends, unless its gateway's
 *                                certificate is revoked
 *   policies                     count at once for what is open, and no session ends
 *
 * Documents are compared in the form that the library writes, so blanks and comments mean
 * nothing. Connections are known by their ids.
 */
#include "device/reload.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "device/device.h"
#include "device/notify.h"

#define PATIENCE_S 60

static const char *id_of(const struct document *document)
{
    return document->config->connection.text;
}

static bool same(const struct document *a, const struct document *b)
{
    return a->canonical.len == b->canonical.len &&
           memcmp(a->canonical.data, b->canonical.data, a->canonical.len) == 0;
}

static void finish(struct device *d)
{
    struct reload *r = &d->reload;

    files_clear(&r->fresh);
    r->running = false;
    log_line(&d->log, S2SVPN_LOG_INFO, NULL,
             "documents read again: %u as before, %u changed, %u opened, %u closed, %u wrong",
             r->same, r->changed, r->opened, r->closed, r->wrong);
    notify("READY=1");
    if (r->again) {
        r->again = false;
        reload_start(d);
    }
}

/* ---- changing, one tunnel after the other */

static unsigned count_up(const struct connection *c)
{
    s2svpn_connection_info info = {.size = sizeof(info)};

    s2svpn_connection_get_info(c->handle, &info);
    return info.up;
}

/* Is what we wait for there, or gone? */
static bool is_over(struct device *d)
{
    const struct reload *r = &d->reload;
    const struct connection *c = connections_find(d, r->waiting);
    s2svpn_tunnel_info info = {.size = sizeof(info)};

    if (c == NULL || c->down)
        return true;
    s2svpn_tunnel_get_info(s2svpn_connection_tunnel(c->handle, r->waiting_tunnel), &info);
    return info.up;
}

/* Nobody waits for a connection that is down anyhow. */
static void wait_for(struct device *d, const struct connection *c, size_t tunnel)
{
    const struct timeval patience = {PATIENCE_S, 0};

    memcpy(d->reload.waiting, id_of(&c->document), sizeof(d->reload.waiting));
    d->reload.waiting_tunnel = tunnel;
    d->reload.deadline_ns = s2svpn_host_now() + PATIENCE_S * 1000000000u;
    event_add(d->reload.timer, &patience);
}

/* What the new document can't have because the library refuses it, the old one still can. */
static void replace(struct device *d, struct document *fresh)
{
    struct connection *c = connections_find(d, id_of(fresh));
    const bool down = c->down;
    const bool was_up = count_up(c) > 0;
    struct document old;
    char id[S2SVPN_ID_SIZE];

    memcpy(id, id_of(fresh), sizeof(id));
    log_line(&d->log, S2SVPN_LOG_INFO, id, "%s has changed: closed and opened anew", fresh->path);
    connections_close(d, c, &old);
    if (connections_open(d, fresh, down)) {
        d->reload.changed++;
    } else {
        d->reload.wrong++;
        log_line(&d->log, S2SVPN_LOG_WARNING, id, "goes on with what %s said before", old.path);
        connections_open(d, &old, down);
    }
    document_clear(&old);
    document_clear(fresh);
    c = connections_find(d, id);
    if (was_up && c)
        wait_for(d, c, 0);
}

static bool is_any_up(struct device *d, const struct document *document)
{
    const struct connection *c = connections_find(d, id_of(document));

    return c && count_up(c) > 0;
}

/* The way around the tunnels is laid for the ends that the open documents name. */
static bool other_end(const struct device *d, const struct connection *c,
                      const struct document *fresh)
{
    const s2svpn_device_config *old = c->document.config, *now = fresh->config;

    for (size_t i = 0; i < old->tunnel_count && i < now->tunnel_count; i++) {
        if (memcmp(&old->tunnel[i].gateway.outside, &now->tunnel[i].gateway.outside,
                   sizeof(s2svpn_address)) != 0)
            return options_manage_host(&d->options);
    }
    return false;
}

/* All tunnels are as it says. */
static void adopt(struct device *d, struct connection *c, struct document *fresh)
{
    struct document old = c->document;

    c->document = *fresh;
    memset(fresh, 0, sizeof(*fresh));
    document_clear(&old);
    d->reload.changed++;
    routes_changed(d);
}

/* False: a tunnel is on its way, and the rest waits for it. */
static bool change(struct device *d, struct document *fresh)
{
    struct reload *r = &d->reload;
    struct connection *c = connections_find(d, id_of(fresh));
    bool changed = false;

    if (c == NULL || other_end(d, c, fresh)) {
        replace(d, fresh);
        return r->waiting[0] == 0;
    }
    while (r->tunnel < fresh->config->tunnel_count) {
        const size_t i = r->tunnel++;

        if (s2svpn_device_change_tunnel(c->handle, i, fresh->config, &changed) != S2SVPN_OK) {
            r->tunnel = 0;
            replace(d, fresh);
            return r->waiting[0] == 0;
        }
        if (!changed)
            continue;
        links_update(d, c, i, &fresh->config->tunnel[i]);
        log_line(&d->log, S2SVPN_LOG_INFO, id_of(fresh),
                 "tunnel %zu: %s has changed: closed and opened anew", i + 1, fresh->path);
        if (c->down || (count_up(c) == 0 && !r->was_up))
            continue;
        wait_for(d, c, i);
        return false;
    }
    r->tunnel = 0;
    adopt(d, c, fresh);
    return true;
}

static void step(struct device *d)
{
    struct reload *r = &d->reload;

    if (r->waiting[0] && !is_over(d) && s2svpn_host_now() < r->deadline_ns)
        return;
    if (r->waiting[0] && !is_over(d))
        log_line(&d->log, S2SVPN_LOG_WARNING, r->waiting,
                 "tunnel %zu is not up again after %u s: goes on", r->waiting_tunnel + 1,
                 PATIENCE_S);
    r->waiting[0] = 0;
    event_del(r->timer);
    for (size_t i = 0; i < r->fresh.count; i++) {
        if (r->fresh.item[i].config == NULL)
            continue;
        if (r->tunnel == 0)
            r->was_up = is_any_up(d, &r->fresh.item[i]);
        if (!change(d, &r->fresh.item[i]))
            return;
    }
    finish(d);
}

static void on_timer(evutil_socket_t fd, short what, void *arg)
{
    struct device *d = arg;

    (void)fd;
    (void)what;
    if (d->reload.running)
        step(d);
}

/* ---- comparing */

static void drop_duplicates(struct device *d, struct documents *fresh)
{
    for (size_t i = 0; i < fresh->count; i++) {
        for (size_t k = 0; fresh->item[i].config && k < i; k++) {
            if (fresh->item[k].config == NULL ||
                strcmp(id_of(&fresh->item[k]), id_of(&fresh->item[i])) != 0)
                continue;
            log_line(&d->log, S2SVPN_LOG_ERROR, fresh->item[i].path, "is the connection of %s too",
                     fresh->item[k].path);
            document_clear(&fresh->item[i]);
            d->reload.wrong++;
        }
    }
}

/* Is the connection still wanted, as far as can be known? */
static bool still_there(const struct connection *c, const struct documents *fresh)
{
    for (size_t i = 0; i < fresh->count; i++) {
        const struct document *f = &fresh->item[i];

        if (f->config ? strcmp(id_of(f), id_of(&c->document)) == 0
                      : f->path && strcmp(f->path, c->document.path) == 0)
            return true;
    }
    return fresh->incomplete;
}

static void close_gone(struct device *d, const struct documents *fresh)
{
    for (size_t i = d->connections.count; i-- > 0;) {
        struct connection *c = &d->connections.item[i];

        if (still_there(c, fresh))
            continue;
        log_line(&d->log, S2SVPN_LOG_INFO, id_of(&c->document), "%s is gone: closed",
                 c->document.path);
        connections_close(d, c, NULL);
        d->reload.closed++;
    }
}

/* What is left in the document's place is to be replaced. */
static void compare(struct device *d, struct document *fresh)
{
    struct connection *c = connections_find(d, id_of(fresh));
    struct reload *r = &d->reload;

    if (c == NULL) {
        log_line(&d->log, S2SVPN_LOG_INFO, id_of(fresh), "%s is new: opened", fresh->path);
        if (connections_open(d, fresh, false))
            r->opened++;
        else
            r->wrong++;
        document_clear(fresh);
    } else if (!connections_can(d, fresh)) {
        r->wrong++;
        document_clear(fresh);
    } else if (same(&c->document, fresh)) {
        char *path = c->document.path;

        c->document.path = fresh->path;
        fresh->path = path;
        r->same++;
        document_clear(fresh);
    }
}

void reload_start(struct device *d)
{
    struct reload *r = &d->reload;

    if (r->running) {
        r->again = true;
        return;
    }
    notify_reloading();
    policies_reload(d);
    certificates_read(&d->options.certificates); /* what is wrong, it says, and goes on */
    r->running = true;
    r->tunnel = 0;
    r->opened = r->closed = r->changed = r->same = 0;
    files_read(&d->log, d->options.paths, d->options.path_count, false, &r->fresh);
    r->wrong = (unsigned)r->fresh.wrong;
    drop_duplicates(d, &r->fresh);
    close_gone(d, &r->fresh);
    for (size_t i = 0; i < r->fresh.count; i++) {
        if (r->fresh.item[i].config)
            compare(d, &r->fresh.item[i]);
    }
    step(d);
}

void reload_on_tunnel(struct device *d)
{
    if (d->reload.running && d->reload.waiting[0])
        event_active(d->reload.timer, EV_TIMEOUT, 0);
}

bool reload_init(struct device *d)
{
    d->reload.timer = evtimer_new(d->program.base, on_timer, d);
    return d->reload.timer != NULL;
}

void reload_clear(struct device *d)
{
    files_clear(&d->reload.fresh);
    if (d->reload.timer)
        event_free(d->reload.timer);
    d->reload.timer = NULL;
}
