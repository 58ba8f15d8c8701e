/* SPDX-License-Identifier: Apache-2.0 */
/* SIGHUP: the documents are read again, and only what changed is touched. */
#ifndef S2_DEVICE_RELOAD_H
#define S2_DEVICE_RELOAD_H

#include "device/files.h"

struct device;
struct event;

struct reload {
    struct event *timer;
    struct documents fresh;       /* what is still to be changed; the others are empty */
    size_t tunnel;                /* of the first of these: the next to be changed */
    bool was_up;                  /* its connection, before */
    char waiting[S2SVPN_ID_SIZE]; /* for a tunnel of this connection to come up; "": for none */
    size_t waiting_tunnel;
    uint64_t deadline_ns; /* and no longer than that */
    bool running, again;
    unsigned opened, closed, changed, same, wrong;
};

bool reload_init(struct device *d);
void reload_clear(struct device *d);
void reload_start(struct device *d);
/* A tunnel came up or went down. */
void reload_on_tunnel(struct device *d);

#endif
