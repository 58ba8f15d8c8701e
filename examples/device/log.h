/* SPDX-License-Identifier: Apache-2.0 */
/* Lines for people: on standard error, and with their priorities where that is the
 * journal. */
#ifndef S2_DEVICE_LOG_H
#define S2_DEVICE_LOG_H

#include <s2svpn/context.h>

struct log {
    const char *name; /* the program's */
    s2svpn_log_level level;
    bool journal;
};

/* Finds out where standard error goes. */
void log_open(struct log *log, const char *name, s2svpn_log_level level);
/* @about: a connection's or a file's name; NULL: none. One line, one write. */
void log_line(const struct log *log, s2svpn_log_level level, const char *about, const char *fmt,
              ...) __attribute__((format(printf, 4, 5)));

#endif
