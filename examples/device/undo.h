/* SPDX-License-Identifier: Apache-2.0 */
/* What of the host's table would outlive us: written down before it is put there, so that
 * the next start takes it away if we were killed. What hangs on the TUN device vanishes
 * with it and isn't written down. */
#ifndef S2_DEVICE_UNDO_H
#define S2_DEVICE_UNDO_H

#include "device/log.h"
#include "device/netlink.h"

struct undo {
    int fd; /* of the file, locked: nobody else works with this control socket; -1: none */
    char path[4200];
};

/* Open the file beside the control socket and lock it.
 * @return what failed, in words; NULL: nothing. */
const char *undo_open(struct undo *u, const char *control);
/* Take away what the file names; then it is empty. Returns how many routes there were. */
unsigned undo_do(struct undo *u, struct netlink *nl, const struct log *log);
/* The file holds these from now on. An errno, or 0. */
int undo_write(struct undo *u, const struct host_route *route, size_t n);
/* Close the file, and remove it if @done. */
void undo_close(struct undo *u, bool done);

#endif
