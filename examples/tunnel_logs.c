/* SPDX-License-Identifier: Apache-2.0 */
/* Log files of the tunnels: appended to, line by line, and opened anew when they have been
 * renamed. */
#include "tunnel_logs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define FLAGS (O_WRONLY | O_APPEND | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)

struct tunnel_logs *tunnel_logs_new(const char *text)
{
    struct tunnel_logs *logs = calloc(1, sizeof(*logs));
    const char *comma = strrchr(text, ',');
    size_t len = strlen(text);
    char path[4096];

    if (logs == NULL)
        return NULL;
    logs->output = S2SVPN_LOG_OUTPUT_JSON;
    if (comma && strcmp(comma, ",text") == 0)
        logs->output = S2SVPN_LOG_OUTPUT_TEXT;
    if (comma && (strcmp(comma, ",text") == 0 || strcmp(comma, ",json") == 0))
        len = (size_t)(comma - text);
    snprintf(path, sizeof(path), "%.*s", (int)len, text);
    logs->dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (logs->dir >= 0)
        return logs;
    free(logs);
    return NULL;
}

void tunnel_logs_free(struct tunnel_logs *logs)
{
    if (logs == NULL)
        return;
    for (size_t i = 0; i < logs->count; i++) {
        if (logs->file[i].fd >= 0)
            close(logs->file[i].fd);
    }
    close(logs->dir);
    free(logs->file);
    free(logs);
}

/* What root makes belongs to whom the folder belongs to, who has to open it later. */
static int make_file(const struct tunnel_logs *logs, const char *stream)
{
    const mode_t mask = umask(027);
    const int fd = openat(logs->dir, stream, FLAGS | O_CREAT | O_EXCL, 0640);
    struct stat folder;

    umask(mask);
    if (fd >= 0 && geteuid() == 0 && fstat(logs->dir, &folder) == 0 &&
        fchown(fd, folder.st_uid, folder.st_gid) != 0)
        return fd; /* it is root's, then */
    return fd;
}

static int open_file(const struct tunnel_logs *logs, const char *stream)
{
    int fd = openat(logs->dir, stream, FLAGS);
    struct stat s;

    if (fd < 0 && errno == ENOENT)
        fd = make_file(logs, stream);
    if (fd >= 0 && (fstat(fd, &s) != 0 || !S_ISREG(s.st_mode))) {
        close(fd);
        errno = EINVAL;
        fd = -1;
    }
    if (fd < 0)
        fprintf(stderr, "tunnel log %s: %s\n", stream, strerror(errno));
    return fd;
}

static struct tunnel_logs_file *find(struct tunnel_logs *logs, const char *stream)
{
    struct tunnel_logs_file *more;

    for (size_t i = 0; i < logs->count; i++) {
        if (strcmp(logs->file[i].stream, stream) == 0)
            return &logs->file[i];
    }
    if (logs->count == TUNNEL_LOGS_MAX)
        return NULL;
    more = realloc(logs->file, (logs->count + 1) * sizeof(*more));
    if (more == NULL)
        return NULL;
    logs->file = more;
    more = &logs->file[logs->count++];
    snprintf(more->stream, sizeof(more->stream), "%s", stream);
    more->fd = open_file(logs, stream);
    return more;
}

void tunnel_logs_open(struct tunnel_logs *logs, const char *connection,
                      const s2svpn_address *address)
{
    static const char *const kinds[] = {"IKE", "BGP"};
    char text[S2SVPN_ADDRESS_TEXT], stream[128];

    s2svpn_address_print(address, text);
    for (size_t i = 0; i < 2; i++) {
        snprintf(stream, sizeof(stream), "%s-%s-%s.log", connection, text, kinds[i]);
        find(logs, stream);
    }
}

void tunnel_logs_reopen(struct tunnel_logs *logs)
{
    for (size_t i = 0; i < logs->count; i++) {
        struct tunnel_logs_file *f = &logs->file[i];
        const int fd = open_file(logs, f->stream);

        if (fd < 0)
            continue;
        if (f->fd >= 0)
            close(f->fd);
        f->fd = fd;
    }
}

void tunnel_logs_write(void *user, const s2svpn_tunnel_log_line *line)
{
    const struct tunnel_logs_file *f = find(user, line->stream);
    const struct iovec pieces[] = {
        {.iov_base = (void *)(uintptr_t)line->line, .iov_len = strlen(line->line)},
        {.iov_base = (void *)(uintptr_t) "\n", .iov_len = 1},
    };

    if (f && f->fd >= 0 && writev(f->fd, pieces, 2) < 0)
        return; /* a full disk stops no tunnel */
}
