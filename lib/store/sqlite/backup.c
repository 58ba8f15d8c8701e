/* SPDX-License-Identifier: Apache-2.0 */
/* A copy of the open file into a new one, while it is in use, by SQLite's own backup. A
 * copy that isn't whole is taken away again. */
#include "store/sqlite/sqlite.h"

#include <stdio.h>
#include <unistd.h>

static s2svpn_status copy(sqlite3 *from, const char *path, const char *vfs, s2svpn_error *why)
{
    sqlite3 *to = NULL;
    sqlite3_backup *backup;
    s2svpn_status rc = S2SVPN_OK;

    int code = sqlite3_open_v2(
        path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW, vfs);
    if (code == SQLITE_OK) {
        sqlite3_extended_result_codes(to, 1);
        backup = sqlite3_backup_init(to, "main", from, "main");
        if (backup != NULL) {
            (void)sqlite3_backup_step(backup, -1); /* finish tells what it came to */
            (void)sqlite3_backup_finish(backup);
        }
        code = sqlite3_extended_errcode(to);
    }
    if (code != SQLITE_OK)
        rc = s2_sqlite_problem(to, code, "path", why);
    sqlite3_close(to);
    return rc;
}

s2svpn_status s2_sqlite_backup(const struct s2_sqlite_file *f, const char *path, const char *vfs,
                               s2svpn_error *why)
{
    char whole[PATH_MAX], journal[PATH_MAX + 16];

    s2svpn_status rc = s2_sqlite_place(path, true, whole, why);
    if (rc != S2SVPN_OK)
        return rc;
    rc = copy(f->db, whole, vfs, why);
    if (rc == S2SVPN_OK)
        rc = s2_sqlite_place_sync(whole, why);
    if (rc != S2SVPN_OK) {
        snprintf(journal, sizeof(journal), "%s-journal", whole);
        (void)unlink(journal);
        (void)unlink(whole);
    }
    return rc;
}
