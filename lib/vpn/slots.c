/* SPDX-License-Identifier: Apache-2.0 */
/* Chunked slots, published by atomic pointers. */
#include "vpn/slots.h"

#define NONE UINT32_MAX

void s2_slots_init(struct s2_slots *s, const struct s2_env *env, uint32_t first)
{
    s->env = env;
    for (uint32_t i = 0; i < S2_SLOTS_CHUNKS; i++)
        atomic_init(&s->chunk[i], NULL);
    s->used = s->first = first;
    s->free_first = s->free_last = NONE;
    s->free_count = 0;
}

void s2_slots_clear(struct s2_slots *s)
{
    for (uint32_t i = 0; i < S2_SLOTS_CHUNKS; i++) {
        s2_free(s->env, atomic_load_explicit(&s->chunk[i], memory_order_relaxed));
        atomic_store_explicit(&s->chunk[i], NULL, memory_order_relaxed);
    }
}

static struct s2_slot *slot_of(const struct s2_slots *s, uint32_t number)
{
    struct s2_slot *chunk;

    if (number >= S2_SLOTS_MAX)
        return NULL;
    chunk = atomic_load_explicit(&s->chunk[number / S2_SLOTS_CHUNK], memory_order_acquire);
    return chunk ? &chunk[number % S2_SLOTS_CHUNK] : NULL;
}

/* Numbers that were given back rest until this many wait, or no fresh one is left. */
#define REST 64

s2svpn_status s2_slots_take(struct s2_slots *s, uint32_t *number)
{
    struct s2_slot *slot;
    uint32_t n;

    if (s->free_count > REST || (s->used == S2_SLOTS_MAX && s->free_count > 0)) {
        n = s->free_first;
        slot = slot_of(s, n);
        s->free_first = slot->next_free;
        if (s->free_first == NONE)
            s->free_last = NONE;
        s->free_count--;
    } else {
        if (s->used == S2_SLOTS_MAX)
            return S2SVPN_E_LIMIT;
        n = s->used;
        if (slot_of(s, n) == NULL) {
            struct s2_slot *chunk = s2_alloc_array(s->env, S2_SLOTS_CHUNK, sizeof(*chunk));

            if (chunk == NULL)
                return S2SVPN_E_MEMORY;
            atomic_store_explicit(&s->chunk[n / S2_SLOTS_CHUNK], chunk, memory_order_release);
        }
        slot = slot_of(s, n);
        s->used++;
    }
    slot->taken = true;
    *number = n;
    return S2SVPN_OK;
}

void s2_slots_set(struct s2_slots *s, uint32_t number, void *item)
{
    atomic_store_explicit(&slot_of(s, number)->item, item, memory_order_release);
}

void s2_slots_give_back(struct s2_slots *s, uint32_t number)
{
    struct s2_slot *slot = slot_of(s, number);

    if (slot == NULL || !slot->taken)
        return;
    atomic_store_explicit(&slot->item, NULL, memory_order_release);
    slot->taken = false;
    slot->next_free = NONE;
    if (s->free_last == NONE)
        s->free_first = number;
    else
        slot_of(s, s->free_last)->next_free = number;
    s->free_last = number;
    s->free_count++;
}

void *s2_slots_get(const struct s2_slots *s, uint32_t number)
{
    const struct s2_slot *slot = slot_of(s, number);

    return slot ? atomic_load_explicit(&slot->item, memory_order_acquire) : NULL;
}
