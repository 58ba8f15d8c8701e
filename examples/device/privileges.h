/* SPDX-License-Identifier: Apache-2.0 */
/* Giving up what the program no longer needs once its sockets are open. */
#ifndef S2_DEVICE_PRIVILEGES_H
#define S2_DEVICE_PRIVILEGES_H

#include <stdbool.h>
#include <sys/types.h>

/* Look up a user; false if there is none. Before the drop: what must stay reachable is
 * given to the user first. */
bool privileges_find(const char *user, uid_t *uid, gid_t *gid);

/* Become the user (NULL: stay who we are) and keep no capability, or CAP_NET_ADMIN alone.
 * Nothing can bring the others back: bounding set, ambient set and no_new_privs are closed
 * as far as we may.
 * @return what failed, in words; NULL: all is done. */
const char *privileges_drop(const char *user, bool keep_net_admin);

#endif
