/* SPDX-License-Identifier: Apache-2.0 */
/* The folder: one program at a time, secrets that are ours alone, and files that are
 * replaced as a whole: after a crash there is the old one or the new one. */
#include "ca/ca.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MAX (16 * 1024 * 1024)

void ca_open(struct ca *ca, const char *folder, bool create)
{
    struct stat st;

    ca->folder = folder;
    if (create && mkdir(folder, 0700) != 0 && errno != EEXIST)
        ca_fail("%s: %s", folder, strerror(errno));
    ca->fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (ca->fd < 0 || fstat(ca->fd, &st) != 0)
        ca_fail("%s: %s", folder, strerror(errno));
    /* Who may rename files in here can give us another authority's key. */
    if (st.st_uid != geteuid() || (st.st_mode & 022) != 0)
        ca_fail("%s: the folder must be ours, and nobody else may write into it", folder);
    if (flock(ca->fd, LOCK_EX | LOCK_NB) != 0)
        ca_fail("%s: in use by another " CA_PROGRAM, folder);
}

bool ca_exists(const struct ca *ca, const char *file)
{
    struct stat st;

    return fstatat(ca->fd, file, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* Takes over fd. */
static char *read_all(int fd, const char *folder, const char *file, size_t *len)
{
    struct stat st;
    char *text;
    size_t done = 0;

    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size > FILE_MAX)
        ca_fail("%s%s: no file, or too long", folder, file);
    text = malloc((size_t)st.st_size + 1);
    if (text == NULL)
        ca_fail("out of memory");
    while (done < (size_t)st.st_size) {
        const ssize_t n = read(fd, text + done, (size_t)st.st_size - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            ca_fail("%s%s: %s", folder, file, n < 0 ? strerror(errno) : "it became shorter");
        done += (size_t)n;
    }
    close(fd);
    text[done] = 0;
    if (len != NULL)
        *len = done;
    return text;
}

char *ca_read(const struct ca *ca, const char *file, bool secret, size_t *len)
{
    const int fd = openat(ca->fd, file, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    struct stat st;

    if (fd < 0 || fstat(fd, &st) != 0)
        ca_fail("%s/%s: %s", ca->folder, file, strerror(errno));
    if (secret && st.st_uid != geteuid())
        ca_fail("%s/%s: the file isn't ours", ca->folder, file);
    if (secret && (st.st_mode & 077) != 0)
        ca_fail("%s/%s: others may read the key: chmod 600", ca->folder, file);
    return read_all(fd, ca->folder, ca_file("/", file), len);
}

char *ca_read_path(const char *path, size_t *len)
{
    const int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        ca_fail("%s: %s", path, strerror(errno));
    return read_all(fd, "", path, len);
}

static bool write_all(int fd, const char *text, size_t len)
{
    while (len > 0) {
        const ssize_t n = write(fd, text, len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        text += n;
        len -= (size_t)n;
    }
    return true;
}

/* The name is fixed: under the lock there is no other writer, and what a crash left behind
 * is written over. */
void ca_write(const struct ca *ca, const char *file, const char *text, size_t len, bool secret)
{
    static const char temporary[] = ".new";
    const mode_t mode = secret ? 0600 : 0644;

    if (unlinkat(ca->fd, temporary, 0) != 0 && errno != ENOENT)
        ca_fail("%s/%s: %s", ca->folder, temporary, strerror(errno));
    const int fd =
        openat(ca->fd, temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        ca_fail("%s/%s: %s", ca->folder, temporary, strerror(errno));
    const bool written = fchmod(fd, mode) == 0 && write_all(fd, text, len) && fsync(fd) == 0;
    if (close(fd) != 0 || !written || renameat(ca->fd, temporary, ca->fd, file) != 0 ||
        fsync(ca->fd) != 0) {
        const int error = errno;

        unlinkat(ca->fd, temporary, 0);
        ca_fail("%s/%s: %s", ca->folder, file, strerror(error));
    }
}

const char *ca_file(const char *name, const char *suffix)
{
    static char names[4][CA_NAME_MAX + 32];
    static unsigned next;
    char *out = names[next++ % 4];

    if ((size_t)snprintf(out, sizeof(names[0]), "%s%s", name, suffix) >= sizeof(names[0]))
        ca_fail("%s: too long a name", name);
    return out;
}
