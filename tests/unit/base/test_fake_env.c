/* SPDX-License-Identifier: Apache-2.0 */
/* The fake environment that every room's tests lean on. */
#include "fake_env.h"

#include <string.h>

#include "harness.h"

static void equal_seeds_give_equal_bytes(void)
{
    struct s2_fake_env a, b, c;
    uint8_t x[32], y[32], z[32];

    s2_fake_env_init(&a, 9);
    s2_fake_env_init(&b, 9);
    s2_fake_env_init(&c, 10);
    CU_ASSERT(s2_random(&a.env, x, sizeof(x)) == S2SVPN_OK);
    CU_ASSERT(s2_random(&b.env, y, sizeof(y)) == S2SVPN_OK);
    CU_ASSERT(s2_random(&c.env, z, sizeof(z)) == S2SVPN_OK);
    CU_ASSERT(memcmp(x, y, sizeof(x)) == 0);
    CU_ASSERT(memcmp(x, z, sizeof(x)) != 0);
    CU_ASSERT(memcmp(a.env.hash_key, c.env.hash_key, 16) != 0);
}

static void the_chosen_allocation_fails_and_no_other(void)
{
    struct s2_fake_env f;

    s2_fake_env_init(&f, 1);
    f.fail_at = 2;
    void *p = s2_alloc(&f.env, 8);
    CU_ASSERT(p != NULL && !f.failed);
    CU_ASSERT(s2_alloc(&f.env, 8) == NULL);
    CU_ASSERT(f.failed);
    void *q = s2_alloc(&f.env, 8);
    CU_ASSERT(q != NULL);
    CU_ASSERT(f.live == 2 && f.allocations == 3);
    s2_free(&f.env, p);
    s2_free(&f.env, q);
    CU_ASSERT(f.live == 0);
}

struct count {
    size_t calls, failures;
};

static bool two_allocations(struct s2_fake_env *f, void *arg)
{
    struct count *c = arg;
    void *a = s2_alloc(&f->env, 1), *b = s2_alloc(&f->env, 1);
    const bool good = a != NULL && b != NULL;

    c->calls++;
    c->failures += !good;
    s2_free(&f->env, a);
    s2_free(&f->env, b);
    return good;
}

static void every_allocation_of_a_step_fails_once(void)
{
    struct count c = {0, 0};

    s2_fail_every_allocation(two_allocations, &c);
    CU_ASSERT(c.calls == 3);
    CU_ASSERT(c.failures == 2);
}

const CU_TestInfo s2_test_fake_env[] = {
    {"equal seeds give equal bytes", equal_seeds_give_equal_bytes},
    {"the chosen allocation fails and no other", the_chosen_allocation_fails_and_no_other},
    {"every allocation of a step fails once", every_allocation_of_a_step_fails_once},
    CU_TEST_INFO_NULL,
};
