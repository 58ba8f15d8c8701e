/* SPDX-License-Identifier: Apache-2.0 */
/* Events passed on to whom they concern. */
#include "device/events.h"

#include <string.h>

#include "device/device.h"
#include "device/notify.h"

/* The library logs each event's text as it is, and a tunnel's doesn't name its connection.
 * Those are left to on_event, which knows it. */
static bool comes_as_event(const char *line)
{
    return strncmp(line, "tunnel ", 7) == 0 || strstr(line, " goes by tunnel ") != NULL;
}

void events_on_log(void *user, s2svpn_log_level level, const char *line)
{
    const struct device *d = user;

    if (level != S2SVPN_LOG_INFO || !comes_as_event(line))
        log_line(&d->log, level, NULL, "%s", line);
}

void events_on_key(void *user, enum s2svpn_keylog_kind kind, const char *line)
{
    struct device *d = user;

    if (d->options.keep_keys)
        captures_on_key(d, kind, line);
}

void events_notify_status(const struct device *d)
{
    unsigned up, all;

    connections_count(d, &up, &all);
    notify("STATUS=%u of %u tunnels up", up, all);
}

void events_on_event(void *user, s2svpn_context *ctx, const s2svpn_event *event)
{
    struct device *d = user;

    (void)ctx;
    if (comes_as_event(event->text))
        log_line(&d->log, S2SVPN_LOG_INFO, event->id.text, "%s", event->text);
    if (event->kind == S2SVPN_EVENT_ROUTE)
        routes_on_event(d, event);
    if (event->kind == S2SVPN_EVENT_TUNNEL) {
        if (d->ready)
            events_notify_status(d);
        reload_on_tunnel(d);
    }
}
