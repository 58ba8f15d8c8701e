/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store seam: objects as records. A transaction compares and sets several
 * records at once; its answer may come before submit returns or much later, and an
 * object of the library changes only then. Keys and packets never wait for it.
 */
#ifndef S2SVPN_STORE_H
#define S2SVPN_STORE_H

#include "s2svpn/error.h"
#include "s2svpn/types.h"

S2SVPN_BEGIN

/** One record. The bytes are the library's own form; a store keeps them as they
 * are and never looks inside. They may hold pre-shared keys. */
typedef struct s2svpn_record {
    s2svpn_id id;
    uint64_t revision; /* of the record as stored: 1 when made, one more each change */
    const uint8_t *data;
    size_t len;
    uint32_t kind; /* enum s2svpn_kind of context.h */
    uint32_t reserved;
} s2svpn_record;

/** One change: the record as it shall be. The stored revision must be
 * record.revision - 1 (0: there must be none); remove takes it away. */
typedef struct s2svpn_change {
    s2svpn_record record;
    bool remove;
    uint8_t reserved[7];
} s2svpn_change;

/** S2SVPN_OK: all changes are durable; S2SVPN_E_CONFLICT: a revision was another
 * one; S2SVPN_E_STORE: none was made. */
typedef void s2svpn_store_done(void *arg, s2svpn_status result);

typedef struct s2svpn_store_ops {
    size_t size;
    const char *name;
    /** All changes or none. @p changes is borrowed for the call. @p done is called
     * exactly once, from inside submit or later on the control thread. A failed
     * return means that done will not be called. */
    s2svpn_status (*submit)(void *store, const s2svpn_change *changes, size_t n,
                            s2svpn_store_done *done, void *arg);
    /** Call @p each for every record, in order of ids, before load returns. The
     * record is borrowed for the call. each returns false to stop. */
    s2svpn_status (*load)(void *store, bool (*each)(void *arg, const s2svpn_record *record),
                          void *arg);
    /** Forget the pending answer with this arg; done must not come for it. Needed by a
     * store that may answer later; NULL if done always runs inside submit. */
    void (*cancel)(void *store, void *arg);
} s2svpn_store_ops;

/** The store in memory: answers at once, forgets at the end.
 * @threads one call at a time on one store. */
typedef struct s2svpn_memory_store s2svpn_memory_store;
/** @param memory NULL: malloc and free.
 * @param[out] store given to the caller, free with s2svpn_memory_store_free(). */
S2SVPN_API S2SVPN_NODISCARD s2svpn_status s2svpn_memory_store_new(const s2svpn_memory *memory,
                                                                  s2svpn_memory_store **store);
/** Wipes the records; no context may use it any more; NULL is allowed. */
S2SVPN_API void s2svpn_memory_store_free(s2svpn_memory_store *store);
/** The table to give to options.store; the store itself is options.store_user. */
S2SVPN_API const s2svpn_store_ops *s2svpn_memory_store_ops(void);

S2SVPN_END
#endif
