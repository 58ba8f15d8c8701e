/* SPDX-License-Identifier: Apache-2.0 */
/* The lock goes with the process, however that ends. */
#include "control/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

const char *lock_open(const char *path, const char *taken, int *fd)
{
    struct stat named, opened;

    for (;;) {
        *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (*fd < 0)
            return strerror(errno);
        if (flock(*fd, LOCK_EX | LOCK_NB) != 0) {
            close(*fd);
            *fd = -1;
            return taken;
        }
        /* The one that had it may have removed it meanwhile. */
        if (fstat(*fd, &opened) == 0 && stat(path, &named) == 0 && opened.st_ino == named.st_ino &&
            opened.st_dev == named.st_dev)
            return NULL;
        close(*fd);
    }
}
