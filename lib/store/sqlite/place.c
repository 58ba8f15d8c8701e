/* SPDX-License-Identifier: Apache-2.0 */
/* Where the file is: it, and the folder around it, must be such that nobody else reads
 * keys in it or puts another one in its place. A file that is there is never opened
 * here: closing it would drop the POSIX locks that this process has on it. */
#include "store/sqlite/sqlite.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static s2svpn_status refuse(s2svpn_error *why, const char *path, const char *what)
{
    return s2_sqlite_error(why, S2SVPN_E_SYSTEM, "path", "%.120s: %s", path, what);
}

/* The folder, without links, and the name in it. */
static s2svpn_status resolve(const char *path, char *out, size_t *folder_len, s2svpn_error *why)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;
    const size_t len = slash ? (size_t)(slash - path) : 0;

    if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return s2_sqlite_error(why, S2SVPN_E_ARGUMENT, "path", "a file's name is needed");
    if (len >= sizeof(folder) || strlen(name) > NAME_MAX - 8)
        return s2_sqlite_error(why, S2SVPN_E_ARGUMENT, "path", "it is too long");
    memcpy(folder, path, len);
    folder[len] = '\0';
    if (realpath(!slash ? "." : len == 0 ? "/" : folder, out) == NULL)
        return refuse(why, path, strerror(errno));
    *folder_len = strlen(out);
    if (*folder_len + strlen(name) + 10 > PATH_MAX) /* "/", "-journal" and a zero byte */
        return s2_sqlite_error(why, S2SVPN_E_ARGUMENT, "path", "it is too long");
    out[*folder_len] = '/';
    memcpy(out + *folder_len + 1, name, strlen(name) + 1);
    return S2SVPN_OK;
}

static s2svpn_status check_folder(const char *path, const char *folder, s2svpn_error *why)
{
    struct stat st;

    if (stat(folder, &st) != 0)
        return refuse(why, path, strerror(errno));
    if (st.st_uid != geteuid() && st.st_uid != 0)
        return refuse(why, path, "its folder is another user's");
    /* The sticky bit doesn't help: the log's name could be taken by another one's file. */
    if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return refuse(why, path, "others may write in its folder");
    return S2SVPN_OK;
}

/* An empty file is new, or was being made when the process ended: but then there is
 * nothing in its log. */
static s2svpn_status check_empty(const char *path, s2svpn_error *why)
{
    char log[PATH_MAX];
    struct stat st;

    snprintf(log, sizeof(log), "%.*s-wal", PATH_MAX - 5, path);
    if (lstat(log, &st) == 0 && st.st_size > 0)
        return s2_sqlite_error(why, S2SVPN_E_STORE, "path",
                               "the file is damaged: it is empty, and its log is not");
    return S2SVPN_OK;
}

static s2svpn_status check_file(const char *path, const struct stat *st, s2svpn_error *why)
{
    if (!S_ISREG(st->st_mode))
        return refuse(why, path, "it is no file, or a link");
    if (st->st_uid != geteuid())
        return refuse(why, path, "it is another user's");
    if ((st->st_mode & 077) != 0)
        return refuse(why, path, "others may read or write it: mode 0600 is needed");
    if (st->st_nlink != 1)
        return refuse(why, path, "it has a second name");
    return st->st_size == 0 ? check_empty(path, why) : S2SVPN_OK;
}

static s2svpn_status make(const char *path, s2svpn_error *why)
{
    const int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    s2svpn_status rc = S2SVPN_OK;

    if (fd < 0)
        return s2_sqlite_error(why, errno == EEXIST ? S2SVPN_E_EXISTS : S2SVPN_E_SYSTEM, "path",
                               "%.120s: %s", path, strerror(errno));
    if (fchmod(fd, 0600) != 0 || fsync(fd) != 0)
        rc = refuse(why, path, strerror(errno));
    close(fd);
    return rc == S2SVPN_OK ? s2_sqlite_place_sync(path, why) : rc;
}

s2svpn_status s2_sqlite_place_sync(const char *path, s2svpn_error *why)
{
    char folder[PATH_MAX];
    const size_t len = (size_t)(strrchr(path, '/') - path);
    s2svpn_status rc = S2SVPN_OK;
    int fd;

    memcpy(folder, path, len);
    folder[len] = '\0';
    fd = open(len == 0 ? "/" : folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    /* A file system that can't do that for folders says EINVAL. */
    if (fd < 0 || (fsync(fd) != 0 && errno != EINVAL))
        rc = refuse(why, path, strerror(errno));
    if (fd >= 0)
        close(fd);
    return rc;
}

s2svpn_status s2_sqlite_place(const char *path, bool fresh, char *out, s2svpn_error *why)
{
    size_t folder_len = 0;
    struct stat st;

    s2svpn_status rc = resolve(path, out, &folder_len, why);
    if (rc != S2SVPN_OK)
        return rc;
    out[folder_len] = '\0';
    rc = check_folder(path, folder_len == 0 ? "/" : out, why);
    out[folder_len] = '/';
    if (rc != S2SVPN_OK)
        return rc;
    if (fresh)
        return make(out, why);
    if (lstat(out, &st) == 0)
        return check_file(out, &st, why);
    if (errno != ENOENT)
        return refuse(why, out, strerror(errno));
    rc = make(out, why);
    if (rc == S2SVPN_E_EXISTS) /* another one was faster; it will have the lock */
        rc = lstat(out, &st) == 0 ? check_file(out, &st, why) : refuse(why, out, strerror(errno));
    return rc;
}
