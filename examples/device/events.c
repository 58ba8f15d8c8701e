/* SPDX-License-Identifier: Apache-2.0 */
/* Events passed on to whom they concern. */
#include "device/events.h"

#include "device/device.h"
#include "device/notify.h"

void events_on_log(void *user, s2svpn_log_level level, const char *line)
{
    const struct device *d = user;

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
    if (event->kind == S2SVPN_EVENT_ROUTE)
        routes_on_event(d, event);
    if (event->kind == S2SVPN_EVENT_TUNNEL) {
        if (d->ready)
            events_notify_status(d);
        reload_on_tunnel(d);
    }
}
