/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Epochs: the orderings, and why nothing is freed under a reader. There is no
 * fence, so thread sanitizers understand every edge.
 *
 * A node retired in epoch E was unlinked before; retire then moves "now" to
 * E + 1 with release. A reader copies "now" into its slot. Reclaim frees a node
 * if for every reader one of three things is true:
 *
 * 1. Its slot holds more than E. It read "now" (acquire) after the unlinking
 *    and so can't find the node; its earlier visits ended before it wrote the
 *    slot (release), which reclaim reads (acquire).
 * 2. Its slot holds 0 in the slot's modification order at reclaim's
 *    read-modify-write (acquire, release). If the 0 is a leave (release), the
 *    visit happened before the free. The reader's next enter is an exchange
 *    (acquire), and since nobody else writes non-zero it reads what reclaim
 *    wrote: the unlinking happened before that visit. This is what a plain
 *    store in enter would not give: the loads behind it could run before it.
 * 3. There is no such reader.
 *
 * A slot may be older than "now" when it is written (the reader slept between
 * its two steps): that only keeps nodes for longer.
 */
#include "base/epoch.h"

void s2_epochs_init(struct s2_epochs *e, size_t readers)
{
    atomic_init(&e->now, 1);
    e->readers = readers < S2_EPOCH_READERS ? readers : S2_EPOCH_READERS;
    for (size_t i = 0; i < S2_EPOCH_READERS; i++) {
        atomic_init(&e->reader[i].epoch, 0);
        e->reader[i].depth = 0;
    }
    e->first = NULL;
    e->last = &e->first;
    e->waiting = 0;
}

void s2_epoch_enter(struct s2_epochs *e, size_t reader)
{
    struct s2_epoch_reader *r = &e->reader[reader];

    if (r->depth++ > 0)
        return;
    const uint64_t now = atomic_load_explicit(&e->now, memory_order_acquire);
    /* release: case 1; acquire: case 2 */
    (void)atomic_exchange_explicit(&r->epoch, now, memory_order_acq_rel);
}

void s2_epoch_leave(struct s2_epochs *e, size_t reader)
{
    struct s2_epoch_reader *r = &e->reader[reader];

    if (--r->depth > 0)
        return;
    /* release: what was read inside was read before this */
    atomic_store_explicit(&r->epoch, 0, memory_order_release);
}

void s2_epoch_retire(struct s2_epochs *e, struct s2_retired *node,
                     void (*free)(void *arg, struct s2_retired *node), void *arg)
{
    /* relaxed: only this thread ever writes it */
    const uint64_t now = atomic_load_explicit(&e->now, memory_order_relaxed);

    node->epoch = now;
    node->free = free;
    node->arg = arg;
    node->next = NULL;
    *e->last = node;
    e->last = &node->next;
    e->waiting++;
    /* release: whoever reads now + 1 also sees that node is unlinked */
    atomic_store_explicit(&e->now, now + 1, memory_order_release);
}

/* The epoch that a reader is inside, or 0 and from here on case 2 holds. An
 * active reader's cache line is only read. */
static uint64_t look_at(struct s2_epoch_reader *r)
{
    uint64_t epoch = atomic_load_explicit(&r->epoch, memory_order_acquire);

    if (epoch == 0)
        epoch = atomic_fetch_add_explicit(&r->epoch, 0, memory_order_acq_rel);
    return epoch;
}

/* Free what was retired before the epoch oldest. A free function may retire. */
static void free_before(struct s2_epochs *e, uint64_t oldest)
{
    while (e->first != NULL && e->first->epoch < oldest) {
        struct s2_retired *node = e->first;

        e->first = node->next;
        if (e->first == NULL)
            e->last = &e->first;
        e->waiting--;
        node->free(node->arg, node);
    }
}

size_t s2_epoch_reclaim(struct s2_epochs *e)
{
    if (e->first == NULL)
        return 0;
    /* Not beyond now: what free functions retire waits for another look. */
    uint64_t oldest = atomic_load_explicit(&e->now, memory_order_relaxed);
    for (size_t i = 0; i < e->readers; i++) {
        const uint64_t epoch = look_at(&e->reader[i]);

        if (epoch != 0 && epoch < oldest)
            oldest = epoch;
    }
    free_before(e, oldest);
    return e->waiting;
}

void s2_epochs_clear(struct s2_epochs *e)
{
    free_before(e, UINT64_MAX);
}
