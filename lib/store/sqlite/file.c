/* SPDX-License-Identifier: Apache-2.0 */
/* The database file: opened, locked, recognised, checked and brought to this version's
 * schema. Until it is accepted nothing is written to it, not even its own log. */
#include "store/sqlite/sqlite.h"

#include <stdio.h>
#include <string.h>

/* A file of any older version must open: steps are added, never changed. */
static const struct s2_sqlite_migration migrations[] = {
    {"CREATE TABLE record ("
     " id TEXT NOT NULL PRIMARY KEY,"
     " kind INTEGER NOT NULL,"
     " revision INTEGER NOT NULL,"
     " data BLOB NOT NULL"
     ") WITHOUT ROWID"},
};

static const char *const statements[S2_SQLITE_STATEMENTS] = {
    [S2_SQLITE_BEGIN] = "BEGIN IMMEDIATE",
    [S2_SQLITE_COMMIT] = "COMMIT",
    [S2_SQLITE_ROLLBACK] = "ROLLBACK",
    [S2_SQLITE_SAVE] = "SAVEPOINT one",
    [S2_SQLITE_RELEASE] = "RELEASE one",
    [S2_SQLITE_UNDO] = "ROLLBACK TO one",
    [S2_SQLITE_GET] = "SELECT revision FROM record WHERE id = ?1",
    [S2_SQLITE_PUT] = "REPLACE INTO record (id, kind, revision, data) VALUES (?1, ?2, ?3, ?4)",
    [S2_SQLITE_TAKE] = "DELETE FROM record WHERE id = ?1",
    [S2_SQLITE_LOAD] = "SELECT id, kind, revision, data FROM record ORDER BY id",
};

/* ---- small pieces */

static int run(sqlite3 *db, const char *sql)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

/* The first column of the only row, as a number or as text (60 bytes). */
static int ask(sqlite3 *db, const char *sql, sqlite3_int64 *number, char *text)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &s, NULL);

    if (rc == SQLITE_OK)
        rc = sqlite3_step(s);
    if (rc == SQLITE_ROW) {
        const unsigned char *found = sqlite3_column_text(s, 0);

        if (number)
            *number = sqlite3_column_int64(s, 0);
        if (text)
            snprintf(text, 60, "%s", found ? (const char *)found : "");
        rc = SQLITE_OK;
    } else if (rc == SQLITE_DONE) {
        rc = SQLITE_CORRUPT;
    }
    sqlite3_finalize(s);
    return rc;
}

/* ---- checks */

s2svpn_status s2_sqlite_file_check(sqlite3 *db, bool thorough, s2svpn_error *why)
{
    sqlite3_int64 odd = 0;
    char answer[60];

    int rc =
        ask(db, thorough ? "PRAGMA integrity_check(1)" : "PRAGMA quick_check(1)", NULL, answer);
    if (rc != SQLITE_OK)
        return s2_sqlite_problem(db, rc, "path", why);
    if (strcmp(answer, "ok") != 0)
        return s2_sqlite_error(why, S2SVPN_E_STORE, "path", "the file is damaged: %s", answer);
    rc = ask(db,
             "SELECT count(*) FROM record WHERE typeof(id) <> 'text'"
             " OR length(CAST(id AS BLOB)) NOT BETWEEN 1 AND 39"
             " OR typeof(kind) <> 'integer' OR kind NOT BETWEEN 0 AND 4294967295"
             " OR typeof(revision) <> 'integer' OR revision < 1 OR typeof(data) <> 'blob'",
             &odd, NULL);
    if (rc != SQLITE_OK)
        return s2_sqlite_error(why, S2SVPN_E_STORE, "path",
                               "the file is damaged: its table can't be read");
    if (odd != 0)
        return s2_sqlite_error(why, S2SVPN_E_STORE, "path", "the file is damaged: %lld odd records",
                               (long long)odd);
    return S2SVPN_OK;
}

/* Is it a store, or nothing at all yet? Only reads. */
static s2svpn_status recognise(sqlite3 *db, bool *empty, s2svpn_error *why)
{
    sqlite3_int64 application = 0, version = 0, objects = 0;

    int rc = ask(db, "PRAGMA application_id", &application, NULL);
    if (rc == SQLITE_OK)
        rc = ask(db, "PRAGMA user_version", &version, NULL);
    if (rc == SQLITE_OK)
        rc = ask(db, "SELECT count(*) FROM sqlite_master", &objects, NULL);
    if (rc != SQLITE_OK)
        return s2_sqlite_problem(db, rc, "path", why);
    *empty = application == 0 && version == 0 && objects == 0;
    if (!*empty && application != S2_SQLITE_APPLICATION)
        return s2_sqlite_error(why, S2SVPN_E_STORE, "path",
                               "the file is a database of another program");
    return S2SVPN_OK;
}

/* ---- the schema */

s2svpn_status s2_sqlite_migrate(sqlite3 *db, const struct s2_sqlite_migration *steps, size_t count,
                                s2svpn_error *why)
{
    sqlite3_int64 version = 0;
    char mark[96];

    int rc = ask(db, "PRAGMA user_version", &version, NULL);
    if (rc != SQLITE_OK)
        return s2_sqlite_problem(db, rc, "path", why);
    if (version < 0 || (size_t)version > count)
        return s2_sqlite_error(why, S2SVPN_E_UNSUPPORTED, "path",
                               "a newer version wrote the file: its schema is %lld, and this one "
                               "knows those up to %zu",
                               (long long)version, count);
    if ((size_t)version == count)
        return S2SVPN_OK;
    snprintf(mark, sizeof(mark), "PRAGMA user_version = %zu; PRAGMA application_id = %d", count,
             S2_SQLITE_APPLICATION);
    rc = run(db, "BEGIN IMMEDIATE");
    for (size_t i = (size_t)version; i < count && rc == SQLITE_OK; i++)
        rc = run(db, steps[i].sql);
    if (rc == SQLITE_OK)
        rc = run(db, mark);
    if (rc == SQLITE_OK)
        rc = run(db, "COMMIT");
    if (rc == SQLITE_OK)
        return S2SVPN_OK;

    const s2svpn_status result = s2_sqlite_problem(db, rc, "path", why);
    if (!sqlite3_get_autocommit(db))
        (void)run(db, "ROLLBACK");
    return result;
}

/* ---- opening */

static s2svpn_status set_up(sqlite3 *db, s2svpn_error *why)
{
    /* Before the first read: the lock is taken by it, and stays. */
    static const char *const first = "PRAGMA locking_mode = EXCLUSIVE;"
                                     "PRAGMA trusted_schema = OFF;"
                                     "PRAGMA cell_size_check = ON;"
                                     "PRAGMA temp_store = MEMORY;"
                                     "PRAGMA mmap_size = 0;"
                                     "PRAGMA secure_delete = ON";
    int rc;

    sqlite3_extended_result_codes(db, 1);
    rc = sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_db_config(db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    if (rc == SQLITE_OK)
        rc = run(db, first);
    if (rc != SQLITE_OK)
        return s2_sqlite_problem(db, rc, "path", why);
    if (sqlite3_db_readonly(db, "main") == 1)
        return s2_sqlite_error(why, S2SVPN_E_SYSTEM, "path",
                               "the file, or its file system, is read-only");
    return S2SVPN_OK;
}

/* The file is ours: from here on it may be written. */
static s2svpn_status begin_to_write(sqlite3 *db, s2svpn_error *why)
{
    char mode[60];

    int rc = ask(db, "PRAGMA journal_mode = WAL", NULL, mode);
    if (rc == SQLITE_OK && strcmp(mode, "wal") != 0)
        return s2_sqlite_error(why, S2SVPN_E_STORE, "path", "SQLite can't keep a log beside it");
    if (rc == SQLITE_OK)
        rc = run(db, "PRAGMA synchronous = FULL; PRAGMA journal_size_limit = 4194304");
    if (rc == SQLITE_OK)
        rc = sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    return rc == SQLITE_OK ? S2SVPN_OK : s2_sqlite_problem(db, rc, "path", why);
}

static s2svpn_status accept_file(sqlite3 *db, s2svpn_error *why)
{
    const size_t newest = sizeof(migrations) / sizeof(migrations[0]);
    sqlite3_int64 version = 0;
    bool empty = false;

    s2svpn_status rc = recognise(db, &empty, why);
    if (rc != S2SVPN_OK)
        return rc;
    if (!empty) {
        const int found = ask(db, "PRAGMA user_version", &version, NULL);

        if (found != SQLITE_OK)
            return s2_sqlite_problem(db, found, "path", why);
        if (version < 0 || (size_t)version > newest)
            return s2_sqlite_migrate(db, migrations, newest, why); /* which refuses it in words */
        rc = s2_sqlite_file_check(db, false, why);
    }
    if (rc == S2SVPN_OK)
        rc = begin_to_write(db, why);
    if (rc == S2SVPN_OK)
        rc = s2_sqlite_migrate(db, migrations, newest, why);
    return rc;
}

s2svpn_status s2_sqlite_file_open(struct s2_sqlite_file *f, const char *path, const char *vfs,
                                  s2svpn_error *why)
{
    s2svpn_status rc;
    int code;

    memset(f, 0, sizeof(*f));
    code = sqlite3_open_v2(path, &f->db,
                           SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW, vfs);
    if (code != SQLITE_OK)
        rc = s2_sqlite_problem(f->db, code, "path", why);
    else
        rc = set_up(f->db, why);
    if (rc == S2SVPN_OK)
        rc = accept_file(f->db, why);
    for (int i = 0; rc == S2SVPN_OK && i < S2_SQLITE_STATEMENTS; i++) {
        code = sqlite3_prepare_v3(f->db, statements[i], -1, SQLITE_PREPARE_PERSISTENT,
                                  &f->statement[i], NULL);
        if (code != SQLITE_OK)
            rc = s2_sqlite_problem(f->db, code, "path", why);
    }
    if (rc != S2SVPN_OK)
        s2_sqlite_file_close(f);
    return rc;
}

void s2_sqlite_file_close(struct s2_sqlite_file *f)
{
    for (int i = 0; i < S2_SQLITE_STATEMENTS; i++)
        sqlite3_finalize(f->statement[i]);
    sqlite3_close(f->db);
    memset(f, 0, sizeof(*f));
}
