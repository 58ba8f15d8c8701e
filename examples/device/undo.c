/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file: a line a route,
 *
 *   route PREFIX TYPE TABLE METRIC INTERFACE GATEWAY SOURCE
 *
 * numbers as the kernel's, "-" for no address. It is written whole each time by one write
 * and one truncation; killed between the two, lines of before stand behind those of now,
 * which does no harm: a route that isn't there can't be taken away.
 */
#include "device/undo.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control/lock.h"
#include "control/text.h"

const char *undo_open(struct undo *u, const char *control)
{
    snprintf(u->path, sizeof(u->path), "%s.undo", control);
    return lock_open(u->path, "another s2svpn-device is at work with it", &u->fd);
}

/* ---- reading */

static bool read_number(char **text, uint32_t *out)
{
    char *end;
    const unsigned long long value = strtoull(*text, &end, 10);

    if (end == *text || (*end != ' ' && *end != 0) || value > UINT32_MAX)
        return false;
    *out = (uint32_t)value;
    *text = *end ? end + 1 : end;
    return true;
}

static char *read_word(char **text)
{
    char *word = *text;
    char *end = strchr(word, ' ');

    if (end == NULL) {
        *text = word + strlen(word);
        return word;
    }
    *end = 0;
    *text = end + 1;
    return word;
}

static bool read_address(char **text, s2svpn_address *out)
{
    const char *word = read_word(text);

    return strcmp(word, "-") == 0 || s2svpn_address_read(word, out);
}

static bool read_route(char *line, struct host_route *out)
{
    uint32_t type;

    memset(out, 0, sizeof(*out));
    if (strcmp(read_word(&line), "route") != 0 ||
        !s2svpn_prefix_read(read_word(&line), &out->prefix) || !read_number(&line, &type) ||
        !read_number(&line, &out->table) || !read_number(&line, &out->metric) ||
        !read_number(&line, &out->interface) || !read_address(&line, &out->gateway) ||
        !read_address(&line, &out->source) || *line != 0)
        return false;
    out->type = (uint8_t)type;
    return true;
}

static void undo_route(struct netlink *nl, const struct log *log, const struct host_route *r)
{
    const int failed = netlink_route(nl, r, false);
    char text[S2SVPN_PREFIX_TEXT];

    s2svpn_prefix_print(&r->prefix, text);
    if (failed == 0)
        log_line(log, S2SVPN_LOG_INFO, NULL, "the route to %s was left over: removed", text);
    else if (failed != ESRCH && failed != ENODEV && failed != ENOENT)
        log_line(log, S2SVPN_LOG_WARNING, NULL, "the route to %s was left over: %s", text,
                 strerror(failed));
}

unsigned undo_do(struct undo *u, struct netlink *nl, const struct log *log)
{
    struct host_route route;
    char line[512];
    unsigned n = 0;
    const int fd = dup(u->fd);
    FILE *f = fd >= 0 ? fdopen(fd, "re") : NULL;

    if (f == NULL) {
        if (fd >= 0)
            close(fd);
        return 0;
    }
    rewind(f);
    while (fgets(line, sizeof(line), f)) {
        line[strcspn(line, "\n")] = 0;
        if (!read_route(line, &route))
            continue;
        undo_route(nl, log, &route);
        n++;
    }
    fclose(f);
    if (ftruncate(u->fd, 0) != 0)
        log_line(log, S2SVPN_LOG_WARNING, u->path, "%s", strerror(errno));
    return n;
}

/* ---- writing */

int undo_write(struct undo *u, const struct host_route *route, size_t n)
{
    char prefix[S2SVPN_PREFIX_TEXT], gateway[S2SVPN_ADDRESS_TEXT], source[S2SVPN_ADDRESS_TEXT];
    struct text t = {0};
    int failed = 0;

    for (size_t i = 0; i < n; i++)
        text_add(&t, "route %s %u %u %u %u %s %s\n", s2svpn_prefix_print(&route[i].prefix, prefix),
                 route[i].type, route[i].table, route[i].metric, route[i].interface,
                 s2svpn_address_print(&route[i].gateway, gateway),
                 s2svpn_address_print(&route[i].source, source));
    if (t.failed)
        failed = ENOMEM;
    else if (pwrite(u->fd, t.p ? t.p : "", t.len, 0) != (ssize_t)t.len)
        failed = errno ? errno : ENOSPC;
    else if (ftruncate(u->fd, (off_t)t.len) != 0)
        failed = errno;
    text_clear(&t);
    return failed;
}

void undo_close(struct undo *u, bool done)
{
    if (u->fd < 0)
        return;
    if (done)
        unlink(u->path);
    close(u->fd);
    u->fd = -1;
}
