/* SPDX-License-Identifier: Apache-2.0 */
/* Each file has the real one behind it; writes and syncs pass through the fault. */
#include "fault_vfs.h"

#include <pthread.h>
#include <sqlite3.h>
#include <string.h>
#include <time.h>

struct fault {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool hold;
    unsigned held, syncs, writes_left;
    int write_rc, sync_rc;
};

/* SQLite's VFS are one list a process, and so is this. */
static struct fault fault = {.lock = PTHREAD_MUTEX_INITIALIZER,
                             .changed = PTHREAD_COND_INITIALIZER};

struct file {
    sqlite3_file base;
    bool log;
    sqlite3_file *real; /* behind the struct */
};

static sqlite3_file *real(sqlite3_file *f)
{
    return ((struct file *)f)->real;
}

static int x_close(sqlite3_file *f)
{
    return real(f)->pMethods ? real(f)->pMethods->xClose(real(f)) : SQLITE_OK;
}

static int x_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
    return real(f)->pMethods->xRead(real(f), p, n, at);
}

static int x_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
    int rc = 0;

    pthread_mutex_lock(&fault.lock);
    if (fault.write_rc && fault.writes_left > 0)
        fault.writes_left--;
    else
        rc = fault.write_rc;
    pthread_mutex_unlock(&fault.lock);
    return rc ? rc : real(f)->pMethods->xWrite(real(f), p, n, at);
}

static int x_truncate(sqlite3_file *f, sqlite3_int64 size)
{
    return real(f)->pMethods->xTruncate(real(f), size);
}

static int x_sync(sqlite3_file *f, int flags)
{
    int rc;

    pthread_mutex_lock(&fault.lock);
    fault.syncs += ((struct file *)f)->log;
    fault.held++;
    pthread_cond_broadcast(&fault.changed);
    while (fault.hold)
        pthread_cond_wait(&fault.changed, &fault.lock);
    fault.held--;
    rc = fault.sync_rc;
    pthread_mutex_unlock(&fault.lock);
    return rc ? rc : real(f)->pMethods->xSync(real(f), flags);
}

static int x_size(sqlite3_file *f, sqlite3_int64 *size)
{
    return real(f)->pMethods->xFileSize(real(f), size);
}

static int x_lock(sqlite3_file *f, int how)
{
    return real(f)->pMethods->xLock(real(f), how);
}

static int x_unlock(sqlite3_file *f, int how)
{
    return real(f)->pMethods->xUnlock(real(f), how);
}

static int x_check_lock(sqlite3_file *f, int *out)
{
    return real(f)->pMethods->xCheckReservedLock(real(f), out);
}

static int x_control(sqlite3_file *f, int op, void *arg)
{
    return real(f)->pMethods->xFileControl(real(f), op, arg);
}

static int x_sector(sqlite3_file *f)
{
    return real(f)->pMethods->xSectorSize(real(f));
}

static int x_device(sqlite3_file *f)
{
    return real(f)->pMethods->xDeviceCharacteristics(real(f));
}

/* Version 1: no shared memory, which the store must do without. */
static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = x_close,
    .xRead = x_read,
    .xWrite = x_write,
    .xTruncate = x_truncate,
    .xSync = x_sync,
    .xFileSize = x_size,
    .xLock = x_lock,
    .xUnlock = x_unlock,
    .xCheckReservedLock = x_check_lock,
    .xFileControl = x_control,
    .xSectorSize = x_sector,
    .xDeviceCharacteristics = x_device,
};

static int x_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out)
{
    sqlite3_vfs *below = vfs->pAppData;
    struct file *file = (struct file *)f;
    int rc;

    file->real = (sqlite3_file *)(file + 1);
    file->log = (flags & SQLITE_OPEN_WAL) != 0;
    rc = below->xOpen(below, name, file->real, flags, out);
    file->base.pMethods = file->real->pMethods ? &methods : NULL;
    return rc;
}

void s2_fault_vfs_reset(void)
{
    static sqlite3_vfs vfs; /* SQLite keeps it */

    if (sqlite3_vfs_find(S2_FAULT_VFS) == NULL) {
        sqlite3_vfs *below = sqlite3_vfs_find(NULL);

        vfs = *below;
        vfs.pNext = NULL;
        vfs.zName = S2_FAULT_VFS;
        vfs.szOsFile = (int)sizeof(struct file) + below->szOsFile;
        vfs.pAppData = below;
        vfs.xOpen = x_open;
        sqlite3_vfs_register(&vfs, 0);
    }
    s2_fault_vfs_let_go();
    pthread_mutex_lock(&fault.lock);
    fault.syncs = fault.writes_left = 0;
    fault.write_rc = fault.sync_rc = 0;
    pthread_mutex_unlock(&fault.lock);
}

void s2_fault_vfs_fail_after(unsigned writes, int write_rc)
{
    pthread_mutex_lock(&fault.lock);
    fault.writes_left = writes;
    fault.write_rc = write_rc;
    fault.sync_rc = 0;
    pthread_mutex_unlock(&fault.lock);
}

void s2_fault_vfs_fail(int write_rc, int sync_rc)
{
    pthread_mutex_lock(&fault.lock);
    fault.writes_left = 0;
    fault.write_rc = write_rc;
    fault.sync_rc = sync_rc;
    pthread_mutex_unlock(&fault.lock);
}

static void set_hold(bool hold)
{
    pthread_mutex_lock(&fault.lock);
    fault.hold = hold;
    pthread_cond_broadcast(&fault.changed);
    pthread_mutex_unlock(&fault.lock);
}

void s2_fault_vfs_hold(void)
{
    set_hold(true);
}

void s2_fault_vfs_let_go(void)
{
    set_hold(false);
}

bool s2_fault_vfs_wait_held(void)
{
    struct timespec until;
    bool held;
    int rc = 0;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 60;
    pthread_mutex_lock(&fault.lock);
    while (fault.held == 0 && rc == 0)
        rc = pthread_cond_timedwait(&fault.changed, &fault.lock, &until);
    held = fault.held > 0;
    pthread_mutex_unlock(&fault.lock);
    return held;
}

unsigned s2_fault_vfs_syncs(void)
{
    unsigned n;

    pthread_mutex_lock(&fault.lock);
    n = fault.syncs;
    pthread_mutex_unlock(&fault.lock);
    return n;
}
