/* SPDX-License-Identifier: Apache-2.0 */
/* Numbered slots that workers read without a lock: SAs by the low half of their SPI,
 * ports by their number. Chunks are added and never moved; a freed number is given
 * out again only after all others, so that a late packet meets an empty slot. */
#ifndef S2_VPN_SLOTS_H
#define S2_VPN_SLOTS_H

#include <stdatomic.h>

#include "base/env.h"

#define S2_SLOTS_CHUNK 256u
#define S2_SLOTS_CHUNKS 256u
#define S2_SLOTS_MAX (S2_SLOTS_CHUNK * S2_SLOTS_CHUNKS)

struct s2_slot {
    _Atomic(void *) item;
    uint32_t next_free; /* the control thread's */
    bool taken;
};

struct s2_slots {
    const struct s2_env *env;
    _Atomic(struct s2_slot *) chunk[S2_SLOTS_CHUNKS];
    uint32_t used;  /* numbers ever given out: 0 to used - 1 */
    uint32_t first; /* first number; smaller ones are never given out */
    uint32_t free_first, free_last, free_count;
};

void s2_slots_init(struct s2_slots *s, const struct s2_env *env, uint32_t first);
void s2_slots_clear(struct s2_slots *s);
/* Take a number whose slot is empty; E_LIMIT, E_MEMORY. */
S2SVPN_NODISCARD s2svpn_status s2_slots_take(struct s2_slots *s, uint32_t *number);
/* Publish (release store), NULL to unpublish; the number stays taken. */
void s2_slots_set(struct s2_slots *s, uint32_t number, void *item);
void s2_slots_give_back(struct s2_slots *s, uint32_t number);
/* Any thread inside an epoch; NULL if empty. */
void *s2_slots_get(const struct s2_slots *s, uint32_t number);

#endif
