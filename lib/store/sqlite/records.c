/* SPDX-License-Identifier: Apache-2.0 */
/* Records in the open file: compare and set, and load. No transaction is begun or ended
 * here but the savepoint around one member of a group. */
#include "store/sqlite/sqlite.h"

#include <string.h>

int s2_sqlite_run(const struct s2_sqlite_file *f, enum s2_sqlite_statement s)
{
    const int rc = sqlite3_step(f->statement[s]);
    const int after = sqlite3_reset(f->statement[s]);

    return rc == SQLITE_DONE || rc == SQLITE_ROW ? after : rc;
}

static int bind_id(sqlite3_stmt *s, const s2svpn_id *id)
{
    return sqlite3_bind_text(s, 1, id->text, (int)strnlen(id->text, sizeof(id->text)),
                             SQLITE_STATIC);
}

/* What was bound is borrowed: it must not be looked at again. */
static int end(sqlite3_stmt *s, int rc)
{
    (void)sqlite3_reset(s);
    (void)sqlite3_clear_bindings(s);
    return rc == SQLITE_DONE || rc == SQLITE_ROW ? SQLITE_OK : rc;
}

/* 0 if there is none. */
static int revision_of(const struct s2_sqlite_file *f, const s2svpn_id *id, uint64_t *revision)
{
    sqlite3_stmt *s = f->statement[S2_SQLITE_GET];
    int rc = bind_id(s, id);

    *revision = 0;
    if (rc == SQLITE_OK)
        rc = sqlite3_step(s);
    if (rc == SQLITE_ROW)
        *revision = (uint64_t)sqlite3_column_int64(s, 0);
    return end(s, rc);
}

static int put(const struct s2_sqlite_file *f, const s2svpn_record *r)
{
    sqlite3_stmt *s = f->statement[S2_SQLITE_PUT];
    int rc = bind_id(s, &r->id);

    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int64(s, 2, r->kind);
    if (rc == SQLITE_OK)
        rc = sqlite3_bind_int64(s, 3, (sqlite3_int64)r->revision);
    if (rc == SQLITE_OK) /* not NULL, which would be no blob at all */
        rc = sqlite3_bind_blob64(s, 4, r->len > 0 ? (const void *)r->data : "", r->len,
                                 SQLITE_STATIC);
    if (rc == SQLITE_OK)
        rc = sqlite3_step(s);
    return end(s, rc);
}

static int take(const struct s2_sqlite_file *f, const s2svpn_id *id)
{
    sqlite3_stmt *s = f->statement[S2_SQLITE_TAKE];
    int rc = bind_id(s, id);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(s);
    return end(s, rc);
}

static int compare_and_set(const struct s2_sqlite_file *f, const s2svpn_change *changes, size_t n,
                           s2svpn_status *result)
{
    int rc = SQLITE_OK;

    *result = S2SVPN_OK;
    for (size_t i = 0; i < n; i++) {
        uint64_t revision;

        rc = revision_of(f, &changes[i].record.id, &revision);
        if (rc != SQLITE_OK)
            return rc;
        if (revision != changes[i].record.revision - 1) {
            *result = S2SVPN_E_CONFLICT;
            return SQLITE_OK;
        }
    }
    for (size_t i = 0; i < n && rc == SQLITE_OK; i++)
        rc = changes[i].remove ? take(f, &changes[i].record.id) : put(f, &changes[i].record);
    return rc;
}

int s2_sqlite_apply(const struct s2_sqlite_file *f, const s2svpn_change *changes, size_t n,
                    s2svpn_status *result)
{
    int rc = s2_sqlite_run(f, S2_SQLITE_SAVE);

    if (rc != SQLITE_OK)
        return rc;
    rc = compare_and_set(f, changes, n, result);
    if (rc != SQLITE_OK && !sqlite3_get_autocommit(f->db))
        (void)s2_sqlite_run(f, S2_SQLITE_UNDO);
    if (!sqlite3_get_autocommit(f->db)) {
        const int released = s2_sqlite_run(f, S2_SQLITE_RELEASE);

        if (rc == SQLITE_OK)
            rc = released;
    }
    return rc;
}

/* The file was checked when it was opened, and only we have written since. */
static bool read_row(sqlite3_stmt *s, s2svpn_record *r)
{
    const unsigned char *id = sqlite3_column_text(s, 0);
    const size_t id_len = (size_t)sqlite3_column_bytes(s, 0);

    memset(r, 0, sizeof(*r));
    if (id == NULL || id_len >= sizeof(r->id.text))
        return false;
    memcpy(r->id.text, id, id_len);
    r->kind = (uint32_t)sqlite3_column_int64(s, 1);
    r->revision = (uint64_t)sqlite3_column_int64(s, 2);
    r->data = sqlite3_column_blob(s, 3);
    r->len = (size_t)sqlite3_column_bytes(s, 3);
    return true;
}

int s2_sqlite_load(const struct s2_sqlite_file *f,
                   bool (*each)(void *arg, const s2svpn_record *record), void *arg)
{
    sqlite3_stmt *s = f->statement[S2_SQLITE_LOAD];
    int rc;

    while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
        s2svpn_record r;

        if (!read_row(s, &r)) {
            rc = SQLITE_CORRUPT;
            break;
        }
        if (!each(arg, &r))
            break;
    }
    return end(s, rc);
}
