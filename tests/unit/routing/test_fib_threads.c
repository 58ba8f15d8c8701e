/* SPDX-License-Identifier: Apache-2.0 */
/* One writer and two readers of a FIB; a program of its own, for thread
 * sanitizers. POSIX threads, since those sanitizers don't follow <threads.h>. */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "base/address.h"
#include "fake_env.h"
#include "harness.h"
#include "routing/routing.h"

#define READERS 2
#define CHANGES 20000
#define LEAST_LOOKUPS 20000

struct shared {
    struct s2_epochs epochs;
    struct s2_fib *fib;
    atomic_bool stop;
    atomic_size_t slow; /* readers that haven't made LEAST_LOOKUPS yet */
};

struct reader {
    pthread_t thread;
    struct shared *shared;
    size_t number, lookups, wrong;
};

/* Every value names its prefix, so a reader can tell a wrong one. */
static uint64_t value_of(const s2svpn_prefix *p)
{
    return UINT64_C(1) << 63 | (uint64_t)p->length << 32 | s2_address_ipv4_value(&p->address);
}

static bool fits(uint64_t value, uint32_t a)
{
    const s2svpn_address found = s2_address_ipv4((uint32_t)value), asked = s2_address_ipv4(a);
    const s2svpn_prefix p = s2_prefix_make(&found, (uint8_t)(value >> 32 & 63));

    return value == value_of(&p) && s2_prefix_contains(&p, &asked);
}

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

/* Routes lie below 10.0.0.0/12; 10.0.0.0/8 is always there. */
static uint32_t address_of(uint32_t random)
{
    return 0x0a000000 | (random & 0xfffff);
}

/* CUnit's checks aren't made for threads: count here, check in the test. */
static void *look_up(void *arg)
{
    struct reader *t = arg;
    struct shared *s = t->shared;
    uint32_t state = (uint32_t)t->number + 1;

    while (!atomic_load_explicit(&s->stop, memory_order_relaxed)) {
        s2_epoch_enter(&s->epochs, t->number);
        for (unsigned i = 0; i < 16; i++) {
            const uint32_t a = address_of(next_random(&state));

            t->wrong += !fits(s2_fib_lookup_ipv4(s->fib, a), a);
            if (++t->lookups == LEAST_LOOKUPS)
                atomic_fetch_sub(&s->slow, 1);
        }
        s2_epoch_leave(&s->epochs, t->number);
    }
    return NULL;
}

/* One change; now and then without memory, so that there are tombstones. */
static void change(struct shared *s, struct s2_fake_env *f, uint32_t *state)
{
    const s2svpn_address a = s2_address_ipv4(address_of(next_random(state)) & 0xffff0f00);
    const s2svpn_prefix p = s2_prefix_make(&a, (uint8_t)(12 + next_random(state) % 21));

    if (next_random(state) % 4 == 0)
        f->fail_at = f->allocations + 1;
    if (next_random(state) % 2 == 0)
        (void)!s2_fib_set(s->fib, &p, value_of(&p));
    else
        s2_fib_unset(s->fib, &p);
    f->fail_at = 0;
}

static void readers_see_whole_routes_while_the_writer_works(void)
{
    struct s2_fake_env f;
    struct shared s;
    struct reader reader[READERS];
    const s2svpn_address all = s2_address_ipv4(0x0a000000);
    const s2svpn_prefix always = s2_prefix_make(&all, 8);
    uint32_t state = 99;

    s2_fake_env_init(&f, 1);
    s2_epochs_init(&s.epochs, READERS);
    atomic_init(&s.stop, false);
    atomic_init(&s.slow, READERS);
    CU_ASSERT_EQUAL_FATAL(s2_fib_new(&f.env, &s.epochs, &s.fib), S2SVPN_OK);
    CU_ASSERT_EQUAL_FATAL(s2_fib_set(s.fib, &always, value_of(&always)), S2SVPN_OK);
    for (size_t i = 0; i < READERS; i++) {
        reader[i] = (struct reader){.shared = &s, .number = i};
        if (pthread_create(&reader[i].thread, NULL, look_up, &reader[i]) != 0)
            abort();
    }
    for (unsigned i = 0; i < CHANGES || atomic_load(&s.slow) > 0; i++) {
        change(&s, &f, &state);
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
    s2_fib_free(s.fib);
    s2_epochs_clear(&s.epochs);
    CU_ASSERT_EQUAL(f.live, 0);
}

static const CU_TestInfo tests[] = {
    {"readers see whole routes while the writer works",
     readers_see_whole_routes_while_the_writer_works},
    CU_TEST_INFO_NULL,
};

extern const CU_TestInfo s2_test_group_threads[];

int main(int argc, char **argv)
{
    const struct s2_suite suites[] = {{"routing/fib_threads", tests},
                                      {"routing/group_threads", s2_test_group_threads}};

    return s2_run_suites(suites, 2, argc, argv);
}
