/* SPDX-License-Identifier: Apache-2.0 */
/* What systemd is told of a service of Type=notify: the protocol of sd_notify(3). */
#ifndef S2_DEVICE_NOTIFY_H
#define S2_DEVICE_NOTIFY_H

/* @text: assignments, one a line: "READY=1\nSTATUS=2 tunnels up". Nothing happens where no
 * service manager waits for it. */
void notify(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* RELOADING=1 with the time that it needs since systemd 253. */
void notify_reloading(void);

#endif
