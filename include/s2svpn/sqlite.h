/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store in a file, in libs2svpn-host: SQLite, written on a thread of the store's
 * own. submit only queues; what is queued becomes one SQLite transaction with one wait
 * for the disk, and what it came to is told when the control thread polls. A record
 * that was answered with S2SVPN_OK is on disk, whatever happens to the process.
 *
 *     s2svpn_sqlite_options o = S2SVPN_SQLITE_OPTIONS_INIT;
 *     o.path = "/var/lib/s2svpn/state.db";
 *     s2svpn_sqlite_store_new(&o, &store, &why);
 *     s2svpn_sqlite_store_watch(store, base, &why);
 *     options.store = s2svpn_sqlite_store_ops();
 *     options.store_user = store;
 *
 * A build without SQLite has these functions too; they refuse with E_UNSUPPORTED.
 */
#ifndef S2SVPN_SQLITE_H
#define S2SVPN_SQLITE_H

#include "s2svpn/store.h"

S2SVPN_BEGIN

struct event_base;
typedef struct s2svpn_sqlite_store s2svpn_sqlite_store;

typedef struct s2svpn_sqlite_options {
    size_t size;
    /** The file; made, with mode 0600, if there is none. It must be this user's own, of
     * nobody else's to read, and no link, in a folder that others can't change. */
    const char *path;
    /** Transactions that may wait for the disk; 0: 1024, at most 65536. */
    uint32_t queue_max;
    uint32_t reserved;
    /** Bytes of their records; 0: 64 MiB. */
    size_t queue_bytes_max;
    /** A VFS that was registered with SQLite; NULL: SQLite's default. */
    const char *vfs;
    /** NULL: malloc and free. Used on the caller's threads alone. */
    const s2svpn_memory *memory;
} s2svpn_sqlite_options;
#define S2SVPN_SQLITE_OPTIONS_INIT                                                                 \
    {                                                                                              \
        .size = sizeof(s2svpn_sqlite_options)                                                      \
    }

/**
 * Open or make the file, bring its schema to this version's, and start the thread. It
 * waits for the disk, and reads all pages to see that they are whole.
 * @param options    borrowed for the call, but for what memory points to.
 * @param[out] store given to the caller, free with s2svpn_sqlite_store_free().
 * @param why        may be NULL; in words.
 * @return E_ARGUMENT with the field; E_SYSTEM: the file can't be had, or isn't only
 *         ours; E_IN_USE: another process or store has it open; E_STORE: it is damaged
 *         or no store; E_UNSUPPORTED: its schema is a newer version's, or the build is
 *         without SQLite; E_LIMIT; E_MEMORY. A file that is refused is left as it is.
 * @threads any
 * @since 0.1
 */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_sqlite_store_new(
    const s2svpn_sqlite_options *options, s2svpn_sqlite_store **store, s2svpn_error *why);

/** Write what was submitted, close the file and end the thread; it waits for the disk.
 * Answers that weren't fetched are not given. Not from inside an answer. No context may
 * use the store any more; NULL is allowed.
 * @threads the control plane's.
 * @since 0.1 */
S2SVPN_API void s2svpn_sqlite_store_free(s2svpn_sqlite_store *store);

/** The table to give to options.store; the store itself is options.store_user.
 * @threads any
 * @since 0.1 */
S2SVPN_API const s2svpn_store_ops *s2svpn_sqlite_store_ops(void);

/** Give the answers that have come, in the order of the calls. What an answer submits is
 * answered by a later poll.
 * @threads the control plane's.
 * @since 0.1 */
S2SVPN_API void s2svpn_sqlite_store_poll(s2svpn_sqlite_store *store);

/** A descriptor that is readable while there are answers to poll for, for loops of the
 * host's own. Borrowed until the store is freed; only to be waited for.
 * @threads any
 * @since 0.1 */
S2SVPN_API int s2svpn_sqlite_store_fd(const s2svpn_sqlite_store *store);

/** Have a libevent loop poll, on its thread, whenever there are answers.
 * @param base borrowed until the store is freed or watches another one; NULL: none.
 * @return E_SYSTEM, E_MEMORY.
 * @threads the control plane's.
 * @since 0.1 */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_sqlite_store_watch(s2svpn_sqlite_store *store,
                                                                    struct event_base *base,
                                                                    s2svpn_error *why);

/**
 * Copy the store into a new file, mode 0600, as it is after what was submitted before.
 * The copy is a store of its own: give its path to s2svpn_sqlite_store_new().
 * @param path borrowed for the call; in a folder as for the store itself. A file there is
 *             left alone: E_EXISTS.
 * @param done by a later poll: S2SVPN_OK, the copy is on disk; E_EXISTS, E_SYSTEM or
 *             E_STORE: there is none, and s2svpn_sqlite_store_problem() says why.
 * @return as submit's; done is called if it is S2SVPN_OK.
 * @threads the control plane's.
 * @since 0.1
 */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_sqlite_store_backup(s2svpn_sqlite_store *store,
                                                                     const char *path,
                                                                     s2svpn_store_done *done,
                                                                     void *arg);

/** Read everything and see that it fits together: pages, index, records.
 * @param done by a later poll: S2SVPN_OK or E_STORE.
 * @return as submit's.
 * @threads the control plane's.
 * @since 0.1 */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_sqlite_store_check(s2svpn_sqlite_store *store,
                                                                    s2svpn_store_done *done,
                                                                    void *arg);

/** Why the last thing asked of the file failed, in words: "disk full". After a success
 * code is S2SVPN_OK again.
 * @threads any
 * @since 0.1 */
S2SVPN_API void s2svpn_sqlite_store_problem(const s2svpn_sqlite_store *store, s2svpn_error *out);

typedef struct s2svpn_sqlite_counters {
    size_t size;           /* set by the caller */
    uint64_t transactions; /* submitted and done: made, or refused as a conflict */
    uint64_t failed;       /* answered E_STORE */
    uint64_t groups;       /* waits for the disk */
    uint64_t queued;       /* that wait now */
    uint64_t queued_bytes;
} s2svpn_sqlite_counters;
/** @threads any
 * @since 0.1 */
S2SVPN_API void s2svpn_sqlite_store_get_counters(const s2svpn_sqlite_store *store,
                                                 s2svpn_sqlite_counters *out);

S2SVPN_END
#endif
