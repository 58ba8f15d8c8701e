/* SPDX-License-Identifier: Apache-2.0 */
/* The ring in one thread: order, bounds, laps. Threads: test_epoch_threads.c. */
#include "base/ring.h"

#include <string.h>

#include "fake_env.h"
#include "harness.h"

static bool put(struct s2_ring *r, unsigned v)
{
    size_t ticket;
    unsigned *slot = s2_ring_reserve(r, &ticket);

    if (slot == NULL)
        return false;
    *slot = v;
    s2_ring_commit(r, ticket);
    return true;
}

static bool get(struct s2_ring *r, unsigned *v)
{
    const unsigned *slot = s2_ring_peek(r);

    if (slot == NULL)
        return false;
    *v = *slot;
    s2_ring_release(r);
    return true;
}

static const struct {
    const char *row;
    size_t count, slots;
} sizes[] = {
    {"none", 0, 2}, {"one", 1, 2}, {"two", 2, 2}, {"three", 3, 4}, {"eight", 8, 8}, {"nine", 9, 16},
};

static void a_ring_holds_its_count_and_then_refuses(void)
{
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct s2_fake_env f;
        struct s2_ring r;
        unsigned v = 99;

        s2_fake_env_init(&f, 1);
        CU_ASSERT_FATAL(s2_ring_init(&r, &f.env, sizes[i].count, sizeof(v)) == S2SVPN_OK);
        CHECK_ROW(sizes[i].row, !get(&r, &v));
        for (unsigned n = 0; n < sizes[i].slots; n++)
            CHECK_ROW(sizes[i].row, put(&r, n));
        CHECK_ROW(sizes[i].row, !put(&r, 1000));
        for (unsigned n = 0; n < sizes[i].slots; n++)
            CHECK_ROW(sizes[i].row, get(&r, &v) && v == n);
        CHECK_ROW(sizes[i].row, !get(&r, &v));
        s2_ring_clear(&r, &f.env);
        CHECK_ROW(sizes[i].row, f.live == 0);
    }
}

static void order_is_kept_over_many_laps(void)
{
    struct s2_fake_env f;
    struct s2_ring r;
    unsigned in = 0, out = 0, v;

    s2_fake_env_init(&f, 1);
    CU_ASSERT_FATAL(s2_ring_init(&r, &f.env, 4, sizeof(v)) == S2SVPN_OK);
    for (int i = 0; i < 1000; i++) {
        for (int n = i % 5; n > 0; n--)
            in += put(&r, in);
        for (int n = i % 4; n > 0; n--) {
            if (get(&r, &v))
                CU_ASSERT(v == out++);
        }
    }
    while (get(&r, &v))
        CU_ASSERT(v == out++);
    CU_ASSERT(in == out && in > 1000);
    s2_ring_clear(&r, &f.env);
}

static void positions_may_wrap_around(void)
{
    struct s2_fake_env f;
    struct s2_ring r;
    unsigned v;

    s2_fake_env_init(&f, 1);
    CU_ASSERT_FATAL(s2_ring_init(&r, &f.env, 4, sizeof(v)) == S2SVPN_OK);
    /* As if SIZE_MAX - 5 slots had passed. */
    const size_t start = SIZE_MAX - 5;
    atomic_store(&r.tail, start);
    atomic_store(&r.head, start);
    for (size_t i = 0; i < 4; i++) {
        const size_t position = start + i;
        atomic_size_t *turn = (void *)(r.slots + (position & r.mask) * r.stride);
        atomic_store(turn, position);
    }
    for (unsigned lap = 0; lap < 5; lap++) {
        for (unsigned n = 0; n < 4; n++)
            CU_ASSERT(put(&r, lap * 4 + n));
        CU_ASSERT(!put(&r, 1000));
        for (unsigned n = 0; n < 4; n++)
            CU_ASSERT(get(&r, &v) && v == lap * 4 + n);
        CU_ASSERT(!get(&r, &v));
    }
    s2_ring_clear(&r, &f.env);
}

static void an_uncommitted_slot_holds_the_later_ones_back(void)
{
    struct s2_fake_env f;
    struct s2_ring r;
    unsigned v;
    size_t ticket;

    s2_fake_env_init(&f, 1);
    CU_ASSERT_FATAL(s2_ring_init(&r, &f.env, 4, sizeof(v)) == S2SVPN_OK);
    unsigned *slot = s2_ring_reserve(&r, &ticket);
    CU_ASSERT_FATAL(slot != NULL);
    CU_ASSERT(put(&r, 2));
    CU_ASSERT(!get(&r, &v));
    *slot = 1;
    s2_ring_commit(&r, ticket);
    CU_ASSERT(get(&r, &v) && v == 1);
    CU_ASSERT(get(&r, &v) && v == 2);
    s2_ring_clear(&r, &f.env);
}

static void slots_are_aligned_and_apart(void)
{
    struct s2_fake_env f;
    struct s2_ring r;
    size_t ticket;
    uint8_t *slot[4];

    s2_fake_env_init(&f, 1);
    CU_ASSERT_FATAL(s2_ring_init(&r, &f.env, 4, 100) == S2SVPN_OK);
    CU_ASSERT(r.slot_len == 100);
    for (int i = 0; i < 4; i++) {
        slot[i] = s2_ring_reserve(&r, &ticket);
        CU_ASSERT_FATAL(slot[i] != NULL);
        CU_ASSERT((uintptr_t)slot[i] % _Alignof(max_align_t) == 0);
        memset(slot[i], 'a' + i, 100);
        s2_ring_commit(&r, ticket);
    }
    for (int i = 0; i < 4; i++) {
        CU_ASSERT(s2_ring_peek(&r) == slot[i]);
        CU_ASSERT(slot[i][0] == 'a' + i && slot[i][99] == 'a' + i);
        s2_ring_release(&r);
    }
    s2_ring_clear(&r, &f.env);
}

static void sizes_that_overflow_are_refused(void)
{
    struct s2_fake_env f;
    struct s2_ring r;

    s2_fake_env_init(&f, 1);
    CU_ASSERT(s2_ring_init(&r, &f.env, SIZE_MAX, 1) == S2SVPN_E_ARGUMENT);
    CU_ASSERT(s2_ring_init(&r, &f.env, 1, SIZE_MAX) == S2SVPN_E_ARGUMENT);
    CU_ASSERT(s2_ring_init(&r, &f.env, SIZE_MAX / 8, SIZE_MAX / 8) == S2SVPN_E_MEMORY);
    CU_ASSERT(f.allocations == 0);
}

static bool make_ring(struct s2_fake_env *f, void *arg)
{
    struct s2_ring r;

    (void)arg;
    if (s2_ring_init(&r, &f->env, 4, 4) != S2SVPN_OK) {
        CU_ASSERT(f->error.code == S2SVPN_E_MEMORY);
        return false;
    }
    s2_ring_clear(&r, &f->env);
    s2_ring_clear(&r, &f->env);
    return true;
}

static void a_ring_survives_every_failed_allocation(void)
{
    s2_fail_every_allocation(make_ring, NULL);
}

const CU_TestInfo s2_test_ring[] = {
    {"a ring holds its count and then refuses", a_ring_holds_its_count_and_then_refuses},
    {"order is kept over many laps", order_is_kept_over_many_laps},
    {"positions may wrap around", positions_may_wrap_around},
    {"an uncommitted slot holds the later ones back",
     an_uncommitted_slot_holds_the_later_ones_back},
    {"slots are aligned and apart", slots_are_aligned_and_apart},
    {"sizes that overflow are refused", sizes_that_overflow_are_refused},
    {"a ring survives every failed allocation", a_ring_survives_every_failed_allocation},
    CU_TEST_INFO_NULL,
};
