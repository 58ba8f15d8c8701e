/* SPDX-License-Identifier: Apache-2.0 */
/* The control socket's server, on bufferevents. */
#include "control/control.h"

#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define READ_SECONDS 10
#define WRITE_SECONDS 30

/* ---- clients */

static void end_client(struct client *c)
{
    if (c->task)
        c->control->leave(c);
    bufferevent_free(c->stream); /* closes the socket */
    memset(c, 0, sizeof(*c));
}

void control_finish(struct client *c)
{
    c->answered = true;
    bufferevent_disable(c->stream, EV_READ);
    if (evbuffer_get_length(bufferevent_get_output(c->stream)) == 0)
        end_client(c);
}

static void on_written(struct bufferevent *stream, void *arg)
{
    struct client *c = arg;

    (void)stream;
    if (c->answered)
        end_client(c);
}

static void answer(struct client *c, char *line, size_t len)
{
    struct evbuffer *output = bufferevent_get_output(c->stream);
    struct text text = {0};
    /* zero bytes are no text */
    bool ok = strlen(line) == len && c->control->run(c, line, &text);

    if (text.failed) {
        text_clear(&text);
        text_add(&text, "out of memory");
        ok = false;
    }
    if (c->task == NULL && ok)
        evbuffer_add(output, "ok\n", 3);
    else if (!ok)
        evbuffer_add(output, "error: ", 7);
    if (text.len > 0)
        evbuffer_add(output, text.p, text.len);
    if (!ok)
        evbuffer_add(output, "\n", 1);
    text_clear(&text);
    if (c->task == NULL)
        control_finish(c);
}

/* Reading goes on afterwards, so that the end of a client with a task is seen. */
static void on_read(struct bufferevent *stream, void *arg)
{
    struct client *c = arg;
    struct evbuffer *input = bufferevent_get_input(stream);
    char *line = NULL;
    size_t len;

    if (c->task == NULL)
        line = evbuffer_readln(input, &len, EVBUFFER_EOL_LF);
    if (line) {
        answer(c, line, len);
        free(line);
    } else if (c->task || evbuffer_get_length(input) >= REQUEST_MAX) {
        end_client(c); /* no line, or one too many */
    }
}

static void on_end(struct bufferevent *stream, short what, void *arg)
{
    struct client *c = arg;

    (void)stream;
    (void)what; /* its end, an error, or one of the time limits */
    end_client(c);
}

static bool is_allowed(int fd)
{
    struct ucred peer;
    socklen_t len = sizeof(peer);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
           (peer.uid == 0 || peer.uid == geteuid());
}

static bool begin_client(struct control *control, int fd)
{
    const struct timeval read_limit = {READ_SECONDS, 0}, write_limit = {WRITE_SECONDS, 0};

    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        struct client *c = &control->client[i];

        if (c->control)
            continue;
        c->stream = bufferevent_socket_new(control->base, fd, BEV_OPT_CLOSE_ON_FREE);
        if (c->stream == NULL)
            return false;
        c->control = control;
        bufferevent_setcb(c->stream, on_read, on_written, on_end, c);
        bufferevent_setwatermark(c->stream, EV_READ, 0, REQUEST_MAX);
        bufferevent_set_timeouts(c->stream, &read_limit, &write_limit);
        bufferevent_enable(c->stream, EV_READ | EV_WRITE);
        return true;
    }
    return false;
}

static void on_client(evutil_socket_t listening, short what, void *arg)
{
    static const char busy[] = "error: too many clients at once\n";
    struct control *c = arg;
    const int fd = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

    (void)what;
    if (fd < 0)
        return;
    if (!is_allowed(fd)) {
        close(fd);
    } else if (!begin_client(c, fd)) {
        (void)!send(fd, busy, sizeof(busy) - 1, MSG_NOSIGNAL);
        close(fd);
    }
}

/* ---- opening and closing */

const char *control_make_folder(struct control *c, const char *path)
{
    const char *slash = strrchr(path, '/');

    c->fd = -1;
    if (strlen(path) >= sizeof(c->path))
        return "a socket's path has at most 107 bytes";
    if (slash == NULL || slash == path)
        return NULL;
    memcpy(c->folder, path, (size_t)(slash - path));
    if (mkdir(c->folder, 0755) == 0)
        c->folder_made = true;
    else if (errno != EEXIST)
        return strerror(errno);
    return NULL;
}

void control_remove_folder(const struct control *c)
{
    if (c->folder_made)
        rmdir(c->folder); /* not if somebody put a thing into it */
}

static int listen_at(const char *path)
{
    struct sockaddr_un local = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    const mode_t mask = umask(0177); /* never open to others, not even for a moment */
    struct stat s;
    bool ok = fd >= 0;

    memcpy(local.sun_path, path, strlen(path) + 1);
    if (ok && lstat(path, &s) == 0 && S_ISSOCK(s.st_mode))
        unlink(path);
    ok = ok && bind(fd, (const struct sockaddr *)&local, sizeof(local)) == 0 &&
         listen(fd, CLIENTS_MAX) == 0;
    umask(mask);
    if (!ok && fd >= 0) {
        const int reason = errno;

        close(fd);
        errno = reason;
        return -1;
    }
    return fd;
}

const char *control_open(struct control *c, const char *path)
{
    c->fd = listen_at(path);
    if (c->fd < 0)
        return strerror(errno);
    memcpy(c->path, path, strlen(path) + 1);
    c->readable = event_new(c->base, c->fd, EV_READ | EV_PERSIST, on_client, c);
    if (c->readable == NULL || event_add(c->readable, NULL) != 0)
        return "no memory for an event";
    return NULL;
}

bool control_give(const struct control *c, uid_t uid, gid_t gid)
{
    if (c->fd >= 0 && chown(c->path, uid, gid) != 0)
        return false;
    return !c->folder_made || chown(c->folder, uid, gid) == 0;
}

void control_close(struct control *c)
{
    for (size_t i = 0; i < CLIENTS_MAX; i++) {
        if (c->client[i].control)
            end_client(&c->client[i]);
    }
    if (c->readable)
        event_free(c->readable);
    if (c->fd >= 0) {
        close(c->fd);
        unlink(c->path);
    }
    c->readable = NULL;
    c->fd = -1;
}
