/* SPDX-License-Identifier: Apache-2.0 */
/* In place of the SQLite store in a build without SQLite: no store can be made. */
#include "s2svpn/sqlite.h"

#include <string.h>

s2svpn_status s2svpn_sqlite_store_new(const s2svpn_sqlite_options *options,
                                      s2svpn_sqlite_store **store, s2svpn_error *why)
{
    static const char words[] = "this build has no SQLite";

    (void)options;
    *store = NULL;
    if (why != NULL) {
        memset(why, 0, sizeof(*why));
        why->code = S2SVPN_E_UNSUPPORTED;
        memcpy(why->message, words, sizeof(words));
    }
    return S2SVPN_E_UNSUPPORTED;
}

void s2svpn_sqlite_store_free(s2svpn_sqlite_store *store)
{
    (void)store;
}

static s2svpn_status submit(void *store, const s2svpn_change *changes, size_t n,
                            s2svpn_store_done *done, void *arg)
{
    (void)store;
    (void)changes;
    (void)n;
    (void)done;
    (void)arg;
    return S2SVPN_E_UNSUPPORTED;
}

static s2svpn_status load(void *store, bool (*each)(void *arg, const s2svpn_record *record),
                          void *arg)
{
    (void)store;
    (void)each;
    (void)arg;
    return S2SVPN_E_UNSUPPORTED;
}

static void cancel(void *store, void *arg)
{
    (void)store;
    (void)arg;
}

static const s2svpn_store_ops ops = {
    .size = sizeof(ops), .name = "sqlite", .submit = submit, .load = load, .cancel = cancel};

const s2svpn_store_ops *s2svpn_sqlite_store_ops(void)
{
    return &ops;
}

void s2svpn_sqlite_store_poll(s2svpn_sqlite_store *store)
{
    (void)store;
}

int s2svpn_sqlite_store_fd(const s2svpn_sqlite_store *store)
{
    (void)store;
    return -1;
}

s2svpn_status s2svpn_sqlite_store_watch(s2svpn_sqlite_store *store, struct event_base *base,
                                        s2svpn_error *why)
{
    (void)store;
    (void)base;
    (void)why;
    return S2SVPN_E_UNSUPPORTED;
}

s2svpn_status s2svpn_sqlite_store_backup(s2svpn_sqlite_store *store, const char *path,
                                         s2svpn_store_done *done, void *arg)
{
    (void)store;
    (void)path;
    (void)done;
    (void)arg;
    return S2SVPN_E_UNSUPPORTED;
}

s2svpn_status s2svpn_sqlite_store_check(s2svpn_sqlite_store *store, s2svpn_store_done *done,
                                        void *arg)
{
    (void)store;
    (void)done;
    (void)arg;
    return S2SVPN_E_UNSUPPORTED;
}

void s2svpn_sqlite_store_problem(const s2svpn_sqlite_store *store, s2svpn_error *out)
{
    (void)store;
    memset(out, 0, sizeof(*out));
    out->code = S2SVPN_E_UNSUPPORTED;
}

void s2svpn_sqlite_store_get_counters(const s2svpn_sqlite_store *store, s2svpn_sqlite_counters *out)
{
    (void)store;
    (void)out;
}
