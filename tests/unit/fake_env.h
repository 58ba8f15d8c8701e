/* SPDX-License-Identifier: Apache-2.0 */
/* An s2_env for tests: counted memory whose n-th allocation can be made to fail,
 * seeded randomness that can be made to fail, timers, a log that is kept. */
#ifndef S2_TESTS_FAKE_ENV_H
#define S2_TESTS_FAKE_ENV_H

#include "base/env.h"
#include "base/timer.h"

struct s2_fake_env {
    struct s2_env env; /* lend &fake.env */
    s2svpn_memory memory;
    struct s2_timers timers;
    s2svpn_error error;
    uint64_t random_state;
    bool random_fails;
    size_t live;        /* allocations not yet released */
    size_t allocations; /* made so far, failed ones included */
    size_t fail_at;     /* this allocation (from 1) fails; 0: none */
    bool failed;        /* fail_at was reached */
    char last_log[256];
};

void s2_fake_env_init(struct s2_fake_env *f, uint64_t seed);

/* Run step once for every allocation that it makes, each time with that one
 * failing, until it runs through; step must release what it made. Checks with
 * CUnit that nothing is left over. step returns false if it reports failure. */
void s2_fail_every_allocation(bool (*step)(struct s2_fake_env *f, void *arg), void *arg);

#endif
