/* SPDX-License-Identifier: Apache-2.0 */
/* A bounded ring of fixed-size slots: many producers, one consumer, no lock.
 * A full ring refuses; the caller drops and counts. (Slots carry a sequence
 * number each, so producers never wait for one another.) */
#ifndef S2_BASE_RING_H
#define S2_BASE_RING_H

#include <stdatomic.h>

#include "base/env.h"

struct s2_ring {
    uint8_t *slots;
    size_t stride; /* bytes from slot to slot, its header included */
    size_t slot_len;
    size_t mask; /* slots - 1 */
    char pad0[64];
    _Atomic size_t tail; /* producers */
    char pad1[64];
    _Atomic size_t head; /* the consumer */
};

/* count is rounded up to a power of two, at least two. */
S2SVPN_NODISCARD s2svpn_status s2_ring_init(struct s2_ring *r, const struct s2_env *env,
                                            size_t count, size_t slot_len);
void s2_ring_clear(struct s2_ring *r, const struct s2_env *env); /* wipes and frees */
/* A slot to fill, or NULL if full; then commit it. Any thread. */
void *s2_ring_reserve(struct s2_ring *r, size_t *ticket);
void s2_ring_commit(struct s2_ring *r, size_t ticket);
/* The oldest committed slot, or NULL; then release it. The consumer alone. */
void *s2_ring_peek(struct s2_ring *r);
void s2_ring_release(struct s2_ring *r);

#endif
