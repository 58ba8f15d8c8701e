/* SPDX-License-Identifier: Apache-2.0 */
/* What the library tells: its log, its events, its key log. */
#ifndef S2_DEVICE_EVENTS_H
#define S2_DEVICE_EVENTS_H

#include <s2svpn/context.h>

struct device;

/* Hooks of struct program, with the device as their user. */
void events_on_log(void *user, s2svpn_log_level level, const char *line);
void events_on_key(void *user, enum s2svpn_keylog_kind kind, const char *line);
/* Of a subscription to all. */
void events_on_event(void *user, s2svpn_context *ctx, const s2svpn_event *event);
/* "STATUS=2 of 4 tunnels up" for the service manager. */
void events_notify_status(const struct device *d);

#endif
