/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket of both programs: a UNIX stream for root and the program's own user. A
 * client writes one line, words with blanks between, and reads until the end:
 *
 *   "ok\n" and the answer, or "error: why\n"
 *
 * What can be asked is the program's (words.h). Clients are few, their requests short, and
 * both sides of a conversation have a time limit, so that none holds up the loop or others.
 */
#ifndef S2_CONTROL_CONTROL_H
#define S2_CONTROL_CONTROL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "control/text.h"

#define CLIENTS_MAX 16
#define REQUEST_MAX 512

struct event;
struct event_base;
struct bufferevent;
struct control;

struct client {
    struct control *control; /* NULL: a free place */
    struct bufferevent *stream;
    void *task;    /* the program's: it answers itself, until control_finish; NULL: none runs */
    bool answered; /* closed once all is written */
};

struct control {
    int fd; /* -1: none */
    struct event *readable;
    bool folder_made;
    char path[108], folder[108];
    struct client client[CLIENTS_MAX];

    /* The program's, set before the socket is opened. */
    struct event_base *base;
    void *user;
    /* @line is cut into pieces. @out is the answer, or in words why not. */
    bool (*run)(struct client *client, char *line, struct text *out);
    void (*leave)(struct client *client); /* one with a task goes; NULL: there are none */
};

/* Make the socket's folder if it isn't there. @return what failed; NULL: nothing. */
const char *control_make_folder(struct control *c, const char *path);
/* Remove it again if it was made. */
void control_remove_folder(const struct control *c);
/* Listen. The path's lock is ours (lock.h), so a socket that is there is nobody's. */
const char *control_open(struct control *c, const char *path);
/* What was made is the user's from now on. False: errno. */
bool control_give(const struct control *c, uid_t uid, gid_t gid);
/* Close all clients, and remove what was made. */
void control_close(struct control *c);

/* The task of this client is over: the client is closed when all is written. */
void control_finish(struct client *client);

#endif
