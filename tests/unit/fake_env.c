/* SPDX-License-Identifier: Apache-2.0 */
/* The fake environment: every effect is counted, seeded and can be refused. */
#include "fake_env.h"

#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* No step of a test makes more; one that does would run for ever. */
#define MOST_ALLOCATIONS 100000

static void *allocate(void *user, size_t len)
{
    struct s2_fake_env *f = user;

    f->allocations++;
    if (f->allocations == f->fail_at) {
        f->failed = true;
        return NULL;
    }
    void *p = malloc(len > 0 ? len : 1);
    if (p != NULL) {
        memset(p, 0xa5, len); /* whoever counts on zeros must ask for them */
        f->live++;
    }
    return p;
}

static void release(void *user, void *p)
{
    struct s2_fake_env *f = user;

    if (p == NULL)
        return;
    f->live--;
    free(p);
}

/* SplitMix64 (Steele, Lea, Flood 2014): a counter behind a mixing function, so
 * that every seed is as good as another. */
static uint64_t draw(struct s2_fake_env *f)
{
    uint64_t v = f->random_state += UINT64_C(0x9e3779b97f4a7c15);

    v = (v ^ v >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    v = (v ^ v >> 27) * UINT64_C(0x94d049bb133111eb);
    return v ^ v >> 31;
}

static s2svpn_status random_bytes(void *user, uint8_t *out, size_t len)
{
    struct s2_fake_env *f = user;

    if (f->random_fails)
        return S2SVPN_E_RANDOM;
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(draw(f) >> 56);
    return S2SVPN_OK;
}

static void keep_log(void *user, enum s2_log_level level, const char *text)
{
    struct s2_fake_env *f = user;

    (void)level;
    s2_copy_text(f->last_log, sizeof(f->last_log), text);
}

void s2_fake_env_init(struct s2_fake_env *f, uint64_t seed)
{
    *f = (struct s2_fake_env){.random_state = seed};
    f->memory = (s2svpn_memory){
        .size = sizeof(f->memory),
        .user = f,
        .allocate = allocate,
        .release = release,
    };
    s2_timers_init(&f->timers);
    f->env = (struct s2_env){
        .memory = &f->memory,
        .random = random_bytes,
        .random_user = f,
        .log = keep_log,
        .log_user = f,
        .log_level = S2_LOG_DEBUG,
        .error = &f->error,
        .timers = &f->timers,
    };
    random_bytes(f, f->env.hash_key, sizeof(f->env.hash_key));
}

/* One failure, reported where the step that broke the promise can be counted. */
static void check(bool good, size_t fail_at, const char *promise)
{
    char text[128];

    s2_print(text, sizeof(text), "with allocation %zu failing: %s", fail_at, promise);
    CU_assertImplementation(good, __LINE__, text, __FILE__, "", CU_FALSE);
}

void s2_fail_every_allocation(bool (*step)(struct s2_fake_env *f, void *arg), void *arg)
{
    for (size_t n = 1; n <= MOST_ALLOCATIONS; n++) {
        struct s2_fake_env f;

        s2_fake_env_init(&f, 1);
        f.fail_at = n;
        const bool good = step(&f, arg);
        check(f.live == 0, n, "everything is released");
        if (f.live != 0)
            return; /* one report is enough */
        if (!f.failed) {
            /* A step may bear a failed allocation, but needs a reason to fail. */
            check(good, 0, "the step runs through");
            check(n > 1, 0, "the step allocates at all");
            return;
        }
    }
    check(false, MOST_ALLOCATIONS, "the step comes to an end");
}
