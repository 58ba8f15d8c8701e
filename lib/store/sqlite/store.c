/* SPDX-License-Identifier: Apache-2.0 */
/* The store as its caller sees it: a bounded queue of copied transactions, answers in
 * their order, and a file and a thread behind. */
#include "s2svpn/sqlite.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "store/form.h"
#include "store/sqlite/sqlite.h"

#define QUEUE_MAX 1024
#define QUEUE_MAX_MAX 65536
#define QUEUE_BYTES_MAX (64u << 20)

/* ---- memory */

static void *std_allocate(void *user, size_t len)
{
    (void)user;
    return malloc(len);
}

static void std_release(void *user, void *p)
{
    (void)user;
    free(p);
}

static const s2svpn_memory std_memory = {
    .size = sizeof(std_memory), .allocate = std_allocate, .release = std_release};

static void free_task(const s2svpn_sqlite_store *s, struct s2_sqlite_task *t)
{
    s2_store_wipe(t, t->size);
    s->memory.release(s->memory.user, t);
}

/* ---- tasks */

/* One piece of memory: the task, its changes, and their bytes. */
static s2svpn_status new_task(const s2svpn_sqlite_store *s, size_t n, size_t bytes,
                              struct s2_sqlite_task **out)
{
    const size_t size = sizeof(**out) + n * sizeof(s2svpn_change) + bytes;
    struct s2_sqlite_task *t = NULL;

    *out = NULL;
    if (bytes > s->queue_bytes_max || size > s->queue_bytes_max)
        return S2SVPN_E_LIMIT;
    t = s->memory.allocate(s->memory.user, size);
    if (t == NULL)
        return S2SVPN_E_MEMORY;
    memset(t, 0, sizeof(*t));
    t->size = size;
    t->n = n;
    *out = t;
    return S2SVPN_OK;
}

static void copy_changes(struct s2_sqlite_task *t, const s2svpn_change *changes)
{
    uint8_t *to = (uint8_t *)&t->change[t->n];

    for (size_t i = 0; i < t->n; i++) {
        s2svpn_record *r = &t->change[i].record;

        t->change[i] = changes[i];
        r->data = to;
        if (changes[i].remove)
            r->len = 0;
        if (r->len > 0)
            memcpy(to, changes[i].record.data, r->len);
        to += r->len;
    }
}

/* SQLite's integers have a sign, and a text ends. */
static s2svpn_status check(const s2svpn_change *changes, size_t n, size_t *bytes)
{
    s2svpn_status rc = s2_store_check_form(changes, n);

    *bytes = 0;
    for (size_t i = 0; i < n && rc == S2SVPN_OK; i++) {
        const s2svpn_record *r = &changes[i].record;
        const size_t id_len = strnlen(r->id.text, sizeof(r->id.text));

        if (r->revision > INT64_MAX || id_len == 0 || id_len == sizeof(r->id.text))
            rc = S2SVPN_E_ARGUMENT;
        else if (!changes[i].remove && r->len > SIZE_MAX / 4 - *bytes)
            rc = S2SVPN_E_LIMIT;
        else if (!changes[i].remove)
            *bytes += r->len;
    }
    return rc;
}

static s2svpn_status enqueue(s2svpn_sqlite_store *s, struct s2_sqlite_task *t)
{
    s2svpn_status rc = S2SVPN_OK;

    pthread_mutex_lock(&s->lock);
    if (s->counters.queued >= s->queue_max ||
        t->size > s->queue_bytes_max - s->counters.queued_bytes) {
        rc = S2SVPN_E_LIMIT;
    } else {
        if (s->last)
            s->last->next = t;
        else
            s->first = t;
        s->last = t;
        if (!s->waiting)
            s->waiting = t;
        s->counters.queued++;
        s->counters.queued_bytes += t->size;
        pthread_cond_signal(&s->work);
    }
    pthread_mutex_unlock(&s->lock);
    if (rc != S2SVPN_OK)
        free_task(s, t);
    return rc;
}

/* ---- the table */

static s2svpn_status submit(void *store, const s2svpn_change *changes, size_t n,
                            s2svpn_store_done *done, void *arg)
{
    s2svpn_sqlite_store *s = store;
    struct s2_sqlite_task *t;
    size_t bytes;

    s2svpn_status rc = check(changes, n, &bytes);
    if (rc == S2SVPN_OK)
        rc = new_task(s, n, bytes, &t);
    if (rc != S2SVPN_OK)
        return rc;
    t->kind = S2_SQLITE_WRITE;
    t->done = done;
    t->arg = arg;
    copy_changes(t, changes);
    return enqueue(s, t);
}

static s2svpn_status load(void *store, bool (*each)(void *arg, const s2svpn_record *record),
                          void *arg)
{
    s2svpn_sqlite_store *s = store;
    s2svpn_status rc = S2SVPN_OK;
    s2svpn_error why = {.code = S2SVPN_OK};

    pthread_mutex_lock(&s->file_lock);
    const int code = s2_sqlite_load(&s->file, each, arg);
    if (code != SQLITE_OK)
        rc = s2_sqlite_problem(s->file.db, code, "path", &why);
    pthread_mutex_unlock(&s->file_lock);
    if (rc == S2SVPN_OK)
        return rc;
    pthread_mutex_lock(&s->lock);
    s->problem = why;
    pthread_mutex_unlock(&s->lock);
    return rc == S2SVPN_E_MEMORY ? rc : S2SVPN_E_STORE;
}

/* What was submitted is written all the same. */
static void cancel(void *store, void *arg)
{
    s2svpn_sqlite_store *s = store;

    pthread_mutex_lock(&s->lock);
    for (struct s2_sqlite_task *t = s->first; t; t = t->next)
        if (t->arg == arg)
            t->done = NULL;
    pthread_mutex_unlock(&s->lock);
}

static const s2svpn_store_ops ops = {
    .size = sizeof(ops), .name = "sqlite", .submit = submit, .load = load, .cancel = cancel};

const s2svpn_store_ops *s2svpn_sqlite_store_ops(void)
{
    return &ops;
}

/* ---- answers */

/* The oldest answer, taken out of the list; NULL if there is none. */
static struct s2_sqlite_task *take_answer(s2svpn_sqlite_store *s)
{
    struct s2_sqlite_task *t = NULL;

    pthread_mutex_lock(&s->lock);
    if (s->answers > 0) {
        t = s->first;
        s->first = t->next;
        if (!s->first)
            s->last = NULL;
        s->answers--;
    }
    pthread_mutex_unlock(&s->lock);
    return t;
}

void s2svpn_sqlite_store_poll(s2svpn_sqlite_store *store)
{
    uint64_t count;
    size_t n;

    /* First: what comes from now on makes it readable again. */
    const ssize_t got = read(store->fd, &count, sizeof(count));
    (void)got;
    pthread_mutex_lock(&store->lock);
    n = store->answers;
    pthread_mutex_unlock(&store->lock);
    for (; n > 0; n--) {
        struct s2_sqlite_task *t = take_answer(store);

        if (!t) /* a poll inside of an answer had it */
            return;
        if (t->done)
            t->done(t->arg, t->result);
        free_task(store, t);
    }
}

int s2svpn_sqlite_store_fd(const s2svpn_sqlite_store *store)
{
    return store->fd;
}

/* ---- other work for the thread */

s2svpn_status s2svpn_sqlite_store_backup(s2svpn_sqlite_store *store, const char *path,
                                         s2svpn_store_done *done, void *arg)
{
    const size_t len = path ? strlen(path) : 0;
    struct s2_sqlite_task *t;

    if (len == 0 || len >= PATH_MAX)
        return S2SVPN_E_ARGUMENT;
    s2svpn_status rc = new_task(store, 0, len + 1, &t);
    if (rc != S2SVPN_OK)
        return rc;
    t->kind = S2_SQLITE_BACKUP;
    t->done = done;
    t->arg = arg;
    t->path = memcpy(t->change, path, len + 1);
    return enqueue(store, t);
}

s2svpn_status s2svpn_sqlite_store_check(s2svpn_sqlite_store *store, s2svpn_store_done *done,
                                        void *arg)
{
    struct s2_sqlite_task *t;

    s2svpn_status rc = new_task(store, 0, 0, &t);
    if (rc != S2SVPN_OK)
        return rc;
    t->kind = S2_SQLITE_CHECK;
    t->done = done;
    t->arg = arg;
    return enqueue(store, t);
}

/* ---- figures. A const store's lock may be taken: it is not what const speaks of. */

static pthread_mutex_t *lock_of(const s2svpn_sqlite_store *s)
{
    return (pthread_mutex_t *)&s->lock;
}

void s2svpn_sqlite_store_problem(const s2svpn_sqlite_store *store, s2svpn_error *out)
{
    pthread_mutex_lock(lock_of(store));
    *out = store->problem;
    pthread_mutex_unlock(lock_of(store));
}

void s2svpn_sqlite_store_get_counters(const s2svpn_sqlite_store *store, s2svpn_sqlite_counters *out)
{
    s2svpn_sqlite_counters now;

    pthread_mutex_lock(lock_of(store));
    now = store->counters;
    pthread_mutex_unlock(lock_of(store));
    now.size = out->size;
    memcpy(out, &now, out->size < sizeof(now) ? out->size : sizeof(now));
}

/* ---- life */

/* What the caller's older header doesn't have is 0. */
static s2svpn_status take_options(const s2svpn_sqlite_options *given, s2svpn_sqlite_options *o,
                                  s2svpn_error *why)
{
    memset(o, 0, sizeof(*o));
    if (given == NULL || given->size == 0)
        return s2_sqlite_error(why, S2SVPN_E_ARGUMENT, "size", "no options");
    memcpy(o, given, given->size < sizeof(*o) ? given->size : sizeof(*o));
    if (o->path == NULL || o->path[0] == '\0')
        return s2_sqlite_error(why, S2SVPN_E_ARGUMENT, "path", "a file's name is needed");
    if (o->queue_max > QUEUE_MAX_MAX)
        return s2_sqlite_error(why, S2SVPN_E_ARGUMENT, "queue_max", "0 to %d", QUEUE_MAX_MAX);
    if (o->memory && (!o->memory->allocate || !o->memory->release))
        return s2_sqlite_error(why, S2SVPN_E_ARGUMENT, "memory", "it has no functions");
    if (o->vfs && sqlite3_vfs_find(o->vfs) == NULL)
        return s2_sqlite_error(why, S2SVPN_E_ARGUMENT, "vfs", "SQLite has no VFS of that name");
    if (sqlite3_threadsafe() == 0)
        return s2_sqlite_error(why, S2SVPN_E_UNSUPPORTED, "", "SQLite was built without threads");
    if (o->queue_max == 0)
        o->queue_max = QUEUE_MAX;
    if (o->queue_bytes_max == 0)
        o->queue_bytes_max = QUEUE_BYTES_MAX;
    return S2SVPN_OK;
}

static s2svpn_status copy_name(s2svpn_sqlite_store *s, const char *name, s2svpn_error *why)
{
    if (name == NULL)
        return S2SVPN_OK;
    s->vfs = s->memory.allocate(s->memory.user, strlen(name) + 1);
    if (s->vfs == NULL)
        return s2_sqlite_error(why, S2SVPN_E_MEMORY, "", "no memory for a store");
    memcpy(s->vfs, name, strlen(name) + 1);
    return S2SVPN_OK;
}

static s2svpn_status open_file(s2svpn_sqlite_store *s, const s2svpn_sqlite_options *o,
                               s2svpn_error *why)
{
    char path[PATH_MAX];

    s2svpn_status rc = s2_sqlite_place(o->path, false, path, why);
    if (rc == S2SVPN_OK)
        rc = s2_sqlite_file_open(&s->file, path, s->vfs, why);
    return rc;
}

/* The host's signals are for the host's own threads. */
static s2svpn_status start(s2svpn_sqlite_store *s, s2svpn_error *why)
{
    sigset_t all, before;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int rc = pthread_create(&s->thread, NULL, s2_sqlite_writer, s);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0)
        return s2_sqlite_error(why, S2SVPN_E_SYSTEM, "", "no thread: %s", strerror(rc));
    return S2SVPN_OK;
}

/* All but the thread. */
static void dispose(s2svpn_sqlite_store *s)
{
    const s2svpn_memory memory = s->memory;

    s2_sqlite_file_close(&s->file);
    while (s->first) {
        struct s2_sqlite_task *next = s->first->next;

        free_task(s, s->first);
        s->first = next;
    }
    if (s->fd >= 0)
        close(s->fd);
    pthread_cond_destroy(&s->work);
    pthread_mutex_destroy(&s->file_lock);
    pthread_mutex_destroy(&s->lock);
    memory.release(memory.user, s->vfs);
    memory.release(memory.user, s);
}

s2svpn_status s2svpn_sqlite_store_new(const s2svpn_sqlite_options *options,
                                      s2svpn_sqlite_store **store, s2svpn_error *why)
{
    s2svpn_sqlite_options o;

    *store = NULL;
    s2svpn_status rc = take_options(options, &o, why);
    if (rc != S2SVPN_OK)
        return rc;

    const s2svpn_memory *memory = o.memory ? o.memory : &std_memory;
    s2svpn_sqlite_store *s = memory->allocate(memory->user, sizeof(*s));
    if (s == NULL)
        return s2_sqlite_error(why, S2SVPN_E_MEMORY, "", "no memory for a store");
    memset(s, 0, sizeof(*s));
    s->memory = *memory;
    s->queue_max = o.queue_max;
    s->queue_bytes_max = o.queue_bytes_max;
    pthread_mutex_init(&s->lock, NULL);
    pthread_mutex_init(&s->file_lock, NULL);
    pthread_cond_init(&s->work, NULL);
    s->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (s->fd < 0)
        rc = s2_sqlite_error(why, S2SVPN_E_SYSTEM, "", "no eventfd: %s", strerror(errno));
    if (rc == S2SVPN_OK)
        rc = copy_name(s, o.vfs, why);
    if (rc == S2SVPN_OK)
        rc = open_file(s, &o, why);
    if (rc == S2SVPN_OK)
        rc = start(s, why);
    if (rc != S2SVPN_OK) {
        dispose(s);
        return rc;
    }
    *store = s;
    return S2SVPN_OK;
}

void s2svpn_sqlite_store_free(s2svpn_sqlite_store *store)
{
    if (store == NULL)
        return;
    s2_sqlite_unwatch(store);
    pthread_mutex_lock(&store->lock);
    store->stop = true;
    pthread_cond_signal(&store->work);
    pthread_mutex_unlock(&store->lock);
    pthread_join(store->thread, NULL);
    dispose(store);
}
