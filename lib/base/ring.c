/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A bounded ring after the idea of Dmitry Vyukov's bounded queue, with one
 * consumer. Each slot has a turn:
 *
 *     turn == position              free for the producer of that position
 *     turn == position + 1          committed, the consumer's
 *     turn == position + slots      free again, one lap later
 *
 * Positions only grow (they may wrap around: differences are compared). The
 * turn's release and acquire hand the slot's bytes over, both ways. One slot
 * would make the second and third line equal, so there are at least two.
 */
#include "base/ring.h"

#include <stdalign.h>

#include "base/bytes.h"

#define LINE 64 /* slots of different producers don't share a cache line much */

struct slot {
    _Atomic size_t turn;
    alignas(max_align_t) uint8_t bytes[];
};

static struct slot *slot_at(const struct s2_ring *r, size_t position)
{
    return (struct slot *)(void *)(r->slots + (position & r->mask) * r->stride);
}

s2svpn_status s2_ring_init(struct s2_ring *r, const struct s2_env *env, size_t count,
                           size_t slot_len)
{
    size_t slots = 2;

    if (count > SIZE_MAX / 4 || slot_len > SIZE_MAX / 4)
        return s2_fail(env, S2SVPN_E_ARGUMENT, "ring", "%zu slots of %zu bytes", count, slot_len);
    while (slots < count)
        slots *= 2;
    const size_t stride = (sizeof(struct slot) + slot_len + LINE - 1) / LINE * LINE;
    uint8_t *p = s2_alloc_array(env, slots, stride);
    if (p == NULL)
        return s2_fail(env, S2SVPN_E_MEMORY, "ring", "no memory for %zu slots of %zu bytes", slots,
                       slot_len);

    r->slots = p;
    r->stride = stride;
    r->slot_len = slot_len;
    r->mask = slots - 1;
    atomic_init(&r->tail, 0);
    atomic_init(&r->head, 0);
    for (size_t i = 0; i < slots; i++)
        atomic_init(&slot_at(r, i)->turn, i);
    return S2SVPN_OK;
}

void s2_ring_clear(struct s2_ring *r, const struct s2_env *env)
{
    if (r->slots != NULL)
        s2_wipe(r->slots, (r->mask + 1) * r->stride);
    s2_free(env, r->slots);
    r->slots = NULL;
}

void *s2_ring_reserve(struct s2_ring *r, size_t *ticket)
{
    /* relaxed: the tail only shares out positions, the turn guards the bytes */
    size_t position = atomic_load_explicit(&r->tail, memory_order_relaxed);

    for (;;) {
        struct slot *slot = slot_at(r, position);
        /* acquire: the consumer has finished with the slot */
        const size_t turn = atomic_load_explicit(&slot->turn, memory_order_acquire);

        if (turn == position) {
            if (atomic_compare_exchange_weak_explicit(&r->tail, &position, position + 1,
                                                      memory_order_relaxed, memory_order_relaxed)) {
                *ticket = position;
                return slot->bytes;
            }
        } else if (turn - position > SIZE_MAX / 2) {
            return NULL; /* still last lap's: full */
        } else {
            /* another producer was faster */
            position = atomic_load_explicit(&r->tail, memory_order_relaxed);
        }
    }
}

void s2_ring_commit(struct s2_ring *r, size_t ticket)
{
    /* release: the consumer sees the bytes */
    atomic_store_explicit(&slot_at(r, ticket)->turn, ticket + 1, memory_order_release);
}

void *s2_ring_peek(struct s2_ring *r)
{
    const size_t position = atomic_load_explicit(&r->head, memory_order_relaxed);
    struct slot *slot = slot_at(r, position);

    /* acquire: pairs with commit */
    if (atomic_load_explicit(&slot->turn, memory_order_acquire) != position + 1)
        return NULL;
    return slot->bytes;
}

void s2_ring_release(struct s2_ring *r)
{
    const size_t position = atomic_load_explicit(&r->head, memory_order_relaxed);

    atomic_store_explicit(&r->head, position + 1, memory_order_relaxed);
    /* release: we have finished with the bytes before a producer writes them */
    atomic_store_explicit(&slot_at(r, position)->turn, position + r->mask + 1,
                          memory_order_release);
}
