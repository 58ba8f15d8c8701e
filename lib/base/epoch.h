/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Epochs: how published nodes are freed while other threads may read them.
 *
 * A reader (a worker) is inside an epoch only during a call. The writer (the
 * thread that holds the context) unlinks a node with a release store, retires
 * it, and frees it once every reader has been seen outside, or inside a later
 * epoch, since. Readers pay two stores a call and no lock.
 *
 *     reader: enter ── load root (acquire) ── use ── leave
 *     writer: store root (release) ── retire(old) ── reclaim: free when safe
 */
#ifndef S2_BASE_EPOCH_H
#define S2_BASE_EPOCH_H

#include <stdatomic.h>

#include "s2svpn/types.h"

#define S2_EPOCH_READERS 64

/* Stands inside every node that is ever retired. */
struct s2_retired {
    struct s2_retired *next;
    uint64_t epoch;
    void (*free)(void *arg, struct s2_retired *node);
    void *arg;
};

struct s2_epoch_reader {
    _Atomic uint64_t epoch; /* 0: outside */
    unsigned depth;         /* nested calls of the reader's own thread */
    char pad[64 - sizeof(uint64_t) - sizeof(unsigned)];
};

struct s2_epochs {
    _Atomic uint64_t now; /* starts at 1 */
    struct s2_epoch_reader reader[S2_EPOCH_READERS];
    size_t readers;
    struct s2_retired *first, **last; /* oldest first; the writer's alone */
    size_t waiting;
};

void s2_epochs_init(struct s2_epochs *e, size_t readers);
void s2_epoch_enter(struct s2_epochs *e, size_t reader);
void s2_epoch_leave(struct s2_epochs *e, size_t reader);
/* The writer's three. */
void s2_epoch_retire(struct s2_epochs *e, struct s2_retired *node,
                     void (*free)(void *arg, struct s2_retired *node), void *arg);
/* Free what no reader can hold; returns how many still wait. */
size_t s2_epoch_reclaim(struct s2_epochs *e);
/* Free everything; no reader may be inside. */
void s2_epochs_clear(struct s2_epochs *e);

#endif
