/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The SQLite store's insides.
 *
 *   control thread                        the store's thread (writer.c)
 *   submit ─ copy ─> queue ──────────────> all that waits, as one SQLite transaction:
 *                                          BEGIN, a savepoint each, COMMIT: one fsync
 *   poll <─ eventfd <─ answers in order <─ results
 *
 * The queue (store.c) is one list: tasks whose answers wait for poll, then those in the
 * writer's hands, then those that wait for it. A task stays there until it is answered,
 * so that cancel finds it wherever it is. Two locks, never held together by the writer:
 * `lock` is for the list and is held for moments only; `file_lock` is the connection's and
 * is held while the disk is waited for, by the writer and by load alone.
 *
 * On disk (place.c, file.c): WAL with synchronous=FULL, so a commit that was answered
 * survives; locking_mode=EXCLUSIVE, so a second opener is refused and there is no shared
 * memory file; secure_delete, so removed keys don't stay in the file. SQLite's own page
 * cache and the WAL hold records until they are used anew: the file's mode protects them.
 */
#ifndef S2_STORE_SQLITE_SQLITE_H
#define S2_STORE_SQLITE_SQLITE_H

#include <limits.h>
#include <pthread.h>
#include <sqlite3.h>

#include "s2svpn/sqlite.h"

#define S2_SQLITE_APPLICATION 0x53325650 /* "S2VP", in the file's header */
#define S2_SQLITE_GROUP_MAX 512          /* transactions of one commit */

/* ---- words: problem.c */

s2svpn_status s2_sqlite_error(s2svpn_error *why, s2svpn_status code, const char *field,
                              const char *fmt, ...) S2SVPN_PRINTF(4, 5);
/* What SQLite's result code means, in words. */
s2svpn_status s2_sqlite_problem(sqlite3 *db, int rc, const char *field, s2svpn_error *why);

/* ---- the path: place.c */

/* The absolute path of a file that is only ours, made if there is none.
 * fresh: there must be none. out has PATH_MAX bytes. */
s2svpn_status s2_sqlite_place(const char *path, bool fresh, char *out, s2svpn_error *why);
/* Make a new or removed file's name durable. */
s2svpn_status s2_sqlite_place_sync(const char *path, s2svpn_error *why);

/* ---- the file: file.c */

enum s2_sqlite_statement {
    S2_SQLITE_BEGIN,
    S2_SQLITE_COMMIT,
    S2_SQLITE_ROLLBACK,
    S2_SQLITE_SAVE,
    S2_SQLITE_RELEASE,
    S2_SQLITE_UNDO,
    S2_SQLITE_GET,
    S2_SQLITE_PUT,
    S2_SQLITE_TAKE,
    S2_SQLITE_LOAD,
    S2_SQLITE_STATEMENTS,
};

struct s2_sqlite_file {
    sqlite3 *db;
    sqlite3_stmt *statement[S2_SQLITE_STATEMENTS];
};

s2svpn_status s2_sqlite_file_open(struct s2_sqlite_file *f, const char *path, const char *vfs,
                                  s2svpn_error *why);
void s2_sqlite_file_close(struct s2_sqlite_file *f);
/* Read all pages, or (thorough) also compare tables and indices; and every row's form. */
s2svpn_status s2_sqlite_file_check(sqlite3 *db, bool thorough, s2svpn_error *why);

/* Step i brings the schema from version i to i + 1; all that are wanted or none.
 * E_UNSUPPORTED if the file's version is above count. */
struct s2_sqlite_migration {
    const char *sql;
};
s2svpn_status s2_sqlite_migrate(sqlite3 *db, const struct s2_sqlite_migration *steps, size_t count,
                                s2svpn_error *why);

/* ---- its records: records.c. These return SQLite's codes. */

int s2_sqlite_run(const struct s2_sqlite_file *f, enum s2_sqlite_statement s);
/* One transaction inside of a group: *result is S2SVPN_OK or E_CONFLICT. After a failure
 * nothing of it is left; the group may be gone as well (sqlite3_get_autocommit). */
int s2_sqlite_apply(const struct s2_sqlite_file *f, const s2svpn_change *changes, size_t n,
                    s2svpn_status *result);
int s2_sqlite_load(const struct s2_sqlite_file *f,
                   bool (*each)(void *arg, const s2svpn_record *record), void *arg);

/* ---- backup.c */

s2svpn_status s2_sqlite_backup(const struct s2_sqlite_file *f, const char *path, const char *vfs,
                               s2svpn_error *why);

/* ---- the queue: store.c */

enum s2_sqlite_task_kind { S2_SQLITE_WRITE, S2_SQLITE_BACKUP, S2_SQLITE_CHECK };

struct s2_sqlite_task {
    struct s2_sqlite_task *next;
    s2svpn_store_done *done; /* the control thread's alone; NULL: cancelled */
    void *arg;
    enum s2_sqlite_task_kind kind;
    s2svpn_status result;
    size_t size;            /* of the allocation, which is wiped */
    const char *path;       /* S2_SQLITE_BACKUP */
    size_t n;               /* S2_SQLITE_WRITE */
    s2svpn_change change[]; /* and behind it bytes of records, or the path */
};

struct event;

struct s2svpn_sqlite_store {
    s2svpn_memory memory;
    uint32_t queue_max;
    size_t queue_bytes_max;
    char *vfs;
    struct event *ready; /* of watch.c, or NULL */
    int fd;              /* eventfd: there are answers */
    pthread_t thread;

    pthread_mutex_t lock;
    pthread_cond_t work;
    struct s2_sqlite_task *first, *last;
    struct s2_sqlite_task *waiting; /* the first that the writer hasn't taken */
    size_t answers;                 /* tasks at the front that are done */
    bool stop;
    s2svpn_error problem;
    s2svpn_sqlite_counters counters;

    pthread_mutex_t file_lock;
    struct s2_sqlite_file file;
};

/* writer.c: does what is queued until told to stop, and what is left then. */
void *s2_sqlite_writer(void *store);

/* watch.c */
void s2_sqlite_unwatch(s2svpn_sqlite_store *store);

#endif
