/* SPDX-License-Identifier: Apache-2.0 */
/* The store's thread: takes what is queued, makes one SQLite transaction of it, and leaves
 * the results. Nothing of the host is called here. */
#include "store/sqlite/sqlite.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Tasks first[0] to n: their next pointers are whole but for the last's, which submit
 * may be writing. */
struct batch {
    struct s2_sqlite_task *first;
    size_t n;
};

static void set_all(const struct batch *b, s2svpn_status result)
{
    struct s2_sqlite_task *t = b->first;

    for (size_t i = 0; i < b->n; i++) {
        t->result = result;
        if (i + 1 < b->n)
            t = t->next;
    }
}

/* A failure that is the one transaction's own; the group goes on. */
static bool only_its_own(sqlite3 *db, int rc)
{
    return !sqlite3_get_autocommit(db) && (rc == SQLITE_TOOBIG || rc == SQLITE_NOMEM);
}

static int write_each(s2svpn_sqlite_store *s, const struct batch *b)
{
    struct s2_sqlite_task *t = b->first;
    int rc = s2_sqlite_run(&s->file, S2_SQLITE_BEGIN);

    for (size_t i = 0; i < b->n && rc == SQLITE_OK; i++) {
        rc = s2_sqlite_apply(&s->file, t->change, t->n, &t->result);
        if (rc != SQLITE_OK && only_its_own(s->file.db, rc)) {
            t->result = S2SVPN_E_STORE;
            rc = SQLITE_OK;
        }
        if (i + 1 < b->n)
            t = t->next;
    }
    return rc == SQLITE_OK ? s2_sqlite_run(&s->file, S2_SQLITE_COMMIT) : rc;
}

/* All of it or nothing: what one member found may rest on what another one before it
 * wrote, so when the group can't be written none has an answer but E_STORE. */
static void write_group(s2svpn_sqlite_store *s, const struct batch *b, s2svpn_error *why)
{
    const int rc = write_each(s, b);

    if (rc == SQLITE_OK)
        return;
    (void)s2_sqlite_problem(s->file.db, rc, "path", why);
    why->code = S2SVPN_E_STORE;
    if (!sqlite3_get_autocommit(s->file.db))
        (void)s2_sqlite_run(&s->file, S2_SQLITE_ROLLBACK);
    set_all(b, S2SVPN_E_STORE);
}

static void work(s2svpn_sqlite_store *s, const struct batch *b, s2svpn_error *why)
{
    struct s2_sqlite_task *t = b->first;

    memset(why, 0, sizeof(*why));
    pthread_mutex_lock(&s->file_lock);
    switch (t->kind) {
    case S2_SQLITE_WRITE:
        write_group(s, b, why);
        break;
    case S2_SQLITE_BACKUP:
        t->result = s2_sqlite_backup(&s->file, t->path, s->vfs, why);
        break;
    case S2_SQLITE_CHECK:
        t->result = s2_sqlite_file_check(s->file.db, true, why);
        break;
    }
    pthread_mutex_unlock(&s->file_lock);
}

/* Called with the lock. What is written together; anything else alone. */
static struct batch take(s2svpn_sqlite_store *s)
{
    struct batch b = {.first = s->waiting, .n = 1};
    struct s2_sqlite_task *next = s->waiting->next;

    while (b.first->kind == S2_SQLITE_WRITE && next && next->kind == S2_SQLITE_WRITE &&
           b.n < S2_SQLITE_GROUP_MAX) {
        next = next->next;
        b.n++;
    }
    s->waiting = next;
    return b;
}

/* Called with the lock. */
static void count(s2svpn_sqlite_store *s, const struct batch *b)
{
    const struct s2_sqlite_task *t = b->first;

    for (size_t i = 0; i < b->n; i++, t = t->next) {
        s->counters.queued--;
        s->counters.queued_bytes -= t->size;
        if (t->kind == S2_SQLITE_WRITE && t->result != S2SVPN_E_STORE)
            s->counters.transactions++;
        else if (t->kind == S2_SQLITE_WRITE)
            s->counters.failed++;
    }
    s->counters.groups += b->first->kind == S2_SQLITE_WRITE;
    s->answers += b->n;
}

/* The descriptor's counter can't be full: poll takes it back to 0. */
static void tell(const s2svpn_sqlite_store *s)
{
    const uint64_t one = 1;
    ssize_t written;

    do
        written = write(s->fd, &one, sizeof(one));
    while (written < 0 && errno == EINTR);
}

void *s2_sqlite_writer(void *store)
{
    s2svpn_sqlite_store *s = store;
    s2svpn_error why;

    pthread_mutex_lock(&s->lock);
    for (;;) {
        while (!s->waiting && !s->stop)
            pthread_cond_wait(&s->work, &s->lock);
        if (!s->waiting)
            break;

        const struct batch b = take(s);
        pthread_mutex_unlock(&s->lock);
        work(s, &b, &why);
        pthread_mutex_lock(&s->lock);
        s->problem = why;
        count(s, &b);
        tell(s);
    }
    pthread_mutex_unlock(&s->lock);
    return NULL;
}
