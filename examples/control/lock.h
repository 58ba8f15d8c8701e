/* SPDX-License-Identifier: Apache-2.0 */
/* A file beside a control socket, locked for as long as a program works with that. */
#ifndef S2_CONTROL_LOCK_H
#define S2_CONTROL_LOCK_H

/* Open the file, made if it isn't there, and lock it.
 * @return what failed; NULL: nothing, and *fd is the file. */
const char *lock_open(const char *path, const char *taken, int *fd);

#endif
