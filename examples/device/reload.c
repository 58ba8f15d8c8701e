/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a reload does:
 *
 *   a document that is new       its connection is opened at once
 *   a document that is gone      its connection is closed at once
 *   one that says the same       nothing, whatever its file is called now
 *   one that says another thing  the connection is closed and opened anew; and the next such
 *                                one only when this one is up again, or after 30 s
 *   one that can't be read       nothing: the connection keeps what it had
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

#define PATIENCE_NS 30000000000u

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

/* ---- replacing, one after the other */

static bool is_up(struct device *d, const char *id)
{
    struct connection *c = connections_find(d, id);
    s2svpn_connection_info info = {.size = sizeof(info)};

    if (c)
        s2svpn_connection_get_info(c->handle, &info);
    return c && info.up > 0;
}

static void wait_for(struct device *d, const char *id)
{
    const struct timeval patience = {PATIENCE_NS / 1000000000u, 0};

    memcpy(d->reload.waiting, id, strlen(id) + 1);
    d->reload.deadline_ns = s2svpn_host_now() + PATIENCE_NS;
    event_add(d->reload.timer, &patience);
}

/* What the new document can't have because the library refuses it, the old one still can. */
static void replace(struct device *d, struct document *fresh)
{
    struct connection *c = connections_find(d, id_of(fresh));
    const bool down = c->down;
    const bool was_up = is_up(d, id_of(fresh));
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
    if (was_up)
        wait_for(d, id);
}

static void step(struct device *d)
{
    struct reload *r = &d->reload;

    if (r->waiting[0] && !is_up(d, r->waiting) && s2svpn_host_now() < r->deadline_ns)
        return;
    if (r->waiting[0] && !is_up(d, r->waiting))
        log_line(&d->log, S2SVPN_LOG_WARNING, r->waiting, "is not up again after %u s",
                 (unsigned)(PATIENCE_NS / 1000000000u));
    r->waiting[0] = 0;
    event_del(r->timer);
    for (size_t i = 0; i < r->fresh.count; i++) {
        if (r->fresh.item[i].config == NULL)
            continue;
        replace(d, &r->fresh.item[i]);
        if (r->waiting[0])
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
    r->running = true;
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
