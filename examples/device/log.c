/* SPDX-License-Identifier: Apache-2.0 */
/* The log. Under systemd standard error is the journal, which takes a line's priority from
 * "<N>" at its beginning (sd-daemon(3)) and knows the program's name already. */
#include "device/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINE_SIZE 1024

/* JOURNAL_STREAM names device and inode of the stream that systemd made, so that a
 * redirected standard error isn't taken for it. */
static bool is_journal(void)
{
    const char *stream = getenv("JOURNAL_STREAM");
    unsigned long long device, inode;
    struct stat s;
    char *end;

    if (stream == NULL || fstat(STDERR_FILENO, &s) != 0)
        return false;
    device = strtoull(stream, &end, 10);
    if (*end != ':')
        return false;
    inode = strtoull(end + 1, &end, 10);
    return *end == 0 && s.st_dev == device && s.st_ino == inode;
}

void log_open(struct log *log, const char *name, s2svpn_log_level level)
{
    log->name = name;
    log->level = level;
    log->journal = is_journal();
}

/* Texts hold what peers and file names say: nothing of it may begin a line or steer a
 * terminal. */
static void make_harmless(char *s)
{
    for (; *s; s++) {
        if ((unsigned char)*s < 0x20 || *s == 0x7f)
            *s = '?';
    }
}

void log_line(const struct log *log, s2svpn_log_level level, const char *about, const char *fmt,
              ...)
{
    static const char *const names[] = {"error", "warning", "info", "debug"};
    static const int priorities[] = {3, 4, 6, 7};
    char text[LINE_SIZE], line[LINE_SIZE + 128];
    va_list args;
    int len;

    if (level > log->level)
        return;
    va_start(args, fmt);
    vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    make_harmless(text);
    if (log->journal)
        len = snprintf(line, sizeof(line) - 1, "<%d>%s%s%s", priorities[level], about ? about : "",
                       about ? ": " : "", text);
    else
        len = snprintf(line, sizeof(line) - 1, "%s: %s: %s%s%s", log->name, names[level],
                       about ? about : "", about ? ": " : "", text);
    if (len < 0)
        return;
    if ((size_t)len > sizeof(line) - 2)
        len = sizeof(line) - 2;
    line[len++] = '\n';
    if (write(STDERR_FILENO, line, (size_t)len) < 0)
        return; /* nobody to tell */
}
