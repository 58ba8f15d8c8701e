/* SPDX-License-Identifier: Apache-2.0 */
/* One writer that changes which group a prefix leads to, and two readers that choose in
 * it; part of the program that a thread sanitizer's build runs. */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "base/address.h"
#include "fake_env.h"
#include "harness.h"
#include "routing/group.h"
#include "routing/routing.h"

#define READERS 2
#define CHANGES 20000
#define LEAST_LOOKUPS 20000
#define PREFIXES 8

struct shared {
    struct s2_epochs epochs;
    struct s2_fib *fib;
    struct s2_groups groups;
    atomic_bool stop;
    atomic_size_t slow; /* readers that haven't made LEAST_LOOKUPS yet */
};

struct reader {
    pthread_t thread;
    struct shared *shared;
    size_t number, lookups, wrong;
};

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

static s2svpn_address address_of(unsigned i)
{
    return s2_address_ipv4(0x0a000000 | i << 16);
}

/* A member's value and salt fit, so a reader can tell a torn group. */
static uint64_t value_of(uint64_t salt)
{
    return UINT64_C(0xabc00000000) ^ salt;
}

static bool fits(uint64_t value)
{
    return value % 3 != 0;
}

static bool is_whole(const struct s2_group *g, uint64_t flow)
{
    const uint64_t value = s2_group_pick(g, flow, fits);
    bool member = false;

    for (uint32_t i = 0; i < g->count; i++) {
        member = member || g->member[i].value == value;
        if (g->member[i].value != value_of(g->member[i].salt))
            return false;
    }
    return member;
}

static void *look_up(void *arg)
{
    struct reader *t = arg;
    struct shared *s = t->shared;
    uint32_t state = (uint32_t)t->number + 1;

    while (!atomic_load_explicit(&s->stop, memory_order_relaxed)) {
        s2_epoch_enter(&s->epochs, t->number);
        for (unsigned i = 0; i < 16; i++) {
            const s2svpn_address a = address_of(next_random(&state) % PREFIXES);
            const uint64_t value = s2_fib_lookup(s->fib, &a);

            t->wrong += value != 0 &&
                        !is_whole((const struct s2_group *)(uintptr_t)value, next_random(&state));
            if (++t->lookups == LEAST_LOOKUPS)
                atomic_fetch_sub(&s->slow, 1);
        }
        s2_epoch_leave(&s->epochs, t->number);
    }
    return NULL;
}

/* As a router does: take, publish, give the old one back. */
static void change(struct shared *s, uint32_t *state)
{
    struct s2_group_member member[S2_GROUP_MAX];
    const s2svpn_address a = address_of(next_random(state) % PREFIXES);
    const s2svpn_prefix p = s2_prefix_make(&a, 16);
    const uint64_t old = s2_fib_get(s->fib, &p);
    const size_t count = 2 + next_random(state) % (S2_GROUP_MAX - 1);

    for (size_t i = 0; i < count; i++) {
        member[i].salt = s2_group_mix(i + next_random(state) % 2 * 8);
        member[i].value = value_of(member[i].salt);
    }
    if (next_random(state) % 4 == 0) {
        s2_fib_unset(s->fib, &p);
    } else {
        struct s2_group *g = s2_groups_take(&s->groups, member, count);

        if (g == NULL || s2_fib_set(s->fib, &p, (uint64_t)(uintptr_t)g) != S2SVPN_OK)
            abort();
    }
    s2_groups_give_back(&s->groups, (struct s2_group *)(uintptr_t)old);
    if (next_random(state) % 16 == 0)
        s2_epoch_reclaim(&s->epochs);
}

static void readers_choose_in_whole_groups_while_the_writer_works(void)
{
    struct s2_fake_env f;
    struct shared s;
    struct reader reader[READERS];
    uint32_t state = 7;

    s2_fake_env_init(&f, 1);
    s2_epochs_init(&s.epochs, READERS);
    s2_groups_init(&s.groups, &f.env, &s.epochs);
    atomic_init(&s.stop, false);
    atomic_init(&s.slow, READERS);
    CU_ASSERT_EQUAL_FATAL(s2_fib_new(&f.env, &s.epochs, &s.fib), S2SVPN_OK);
    for (size_t i = 0; i < READERS; i++) {
        reader[i] = (struct reader){.shared = &s, .number = i};
        if (pthread_create(&reader[i].thread, NULL, look_up, &reader[i]) != 0)
            abort();
    }
    for (unsigned i = 0; i < CHANGES || atomic_load(&s.slow) > 0; i++) {
        change(&s, &state);
        if (i % 256 == 0)
            sched_yield();
    }
    atomic_store(&s.stop, true);
    for (size_t i = 0; i < READERS; i++) {
        CU_ASSERT_EQUAL(pthread_join(reader[i].thread, NULL), 0);
        CU_ASSERT(reader[i].lookups >= LEAST_LOOKUPS);
        CU_ASSERT_EQUAL(reader[i].wrong, 0);
    }
    CU_ASSERT_EQUAL(s2_epoch_reclaim(&s.epochs), 0);
    CU_ASSERT(s2_groups_count(&s.groups) <= PREFIXES);
    s2_fib_free(s.fib);
    s2_groups_clear(&s.groups);
    s2_epochs_clear(&s.epochs);
    CU_ASSERT_EQUAL(f.live, 0);
}

const CU_TestInfo s2_test_group_threads[] = {
    {"readers choose in whole groups while the writer works",
     readers_choose_in_whole_groups_while_the_writer_works},
    CU_TEST_INFO_NULL,
};
