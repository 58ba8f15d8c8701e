/* SPDX-License-Identifier: Apache-2.0 */
/* What went wrong with the file, in words for whoever runs the program. No text of
 * SQLite's that could quote a record is used. */
#include "store/sqlite/sqlite.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

s2svpn_status s2_sqlite_error(s2svpn_error *why, s2svpn_status code, const char *field,
                              const char *fmt, ...)
{
    va_list args;

    if (why == NULL)
        return code;
    memset(why, 0, sizeof(*why));
    why->code = code;
    snprintf(why->field, sizeof(why->field), "%s", field);
    va_start(args, fmt);
    vsnprintf(why->message, sizeof(why->message), fmt, args);
    va_end(args);
    return code;
}

/* An errno that says more than SQLite's code, or NULL. */
static const char *reason_of(int number)
{
    switch (number) {
    case ENOSPC:
        return "no room on the disk";
    case EDQUOT:
        return "the disk quota is used up";
    case EFBIG:
        return "the file would get larger than allowed";
    case EROFS:
        return "the file system is read-only";
    case EIO:
        return "the disk failed";
    default:
        return NULL;
    }
}

s2svpn_status s2_sqlite_problem(sqlite3 *db, int rc, const char *field, s2svpn_error *why)
{
    const char *reason;

    switch (rc & 0xff) {
    case SQLITE_NOMEM:
        return s2_sqlite_error(why, S2SVPN_E_MEMORY, field, "no memory for SQLite");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return s2_sqlite_error(why, S2SVPN_E_IN_USE, field,
                               "another process or store has the file open");
    case SQLITE_NOTADB:
        return s2_sqlite_error(why, S2SVPN_E_STORE, field,
                               "the file is damaged, or no SQLite database");
    case SQLITE_CORRUPT:
        return s2_sqlite_error(why, S2SVPN_E_STORE, field, "the file is damaged");
    case SQLITE_FULL:
        return s2_sqlite_error(why, S2SVPN_E_STORE, field, "no room on the disk");
    case SQLITE_READONLY:
        return s2_sqlite_error(why, S2SVPN_E_STORE, field,
                               "the file, or its file system, is read-only");
    default:
        reason = reason_of(db ? sqlite3_system_errno(db) : 0);
        if (reason != NULL)
            return s2_sqlite_error(why, S2SVPN_E_STORE, field, "%s", reason);
        return s2_sqlite_error(why, S2SVPN_E_STORE, field, "%s (SQLite's code %d)",
                               sqlite3_errstr(rc), rc);
    }
}
