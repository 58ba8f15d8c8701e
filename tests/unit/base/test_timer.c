/* SPDX-License-Identifier: Apache-2.0 */
/* Timers fire exactly, in order, once; checked against a plain list, too. */
#include "base/timer.h"

#include <string.h>

#include "fake_env.h"
#include "harness.h"

#define MOST 64

struct fired {
    struct s2_timers timers;
    int order[MOST];
    size_t count;
};

struct probe {
    struct s2_timer timer;
    struct fired *fired;
    int name;
    uint64_t again_ns; /* S2SVPN_NEVER: once */
};

static void on_fire(void *arg, uint64_t now_ns)
{
    struct probe *p = arg;
    struct fired *f = p->fired;

    (void)now_ns;
    CU_ASSERT(!p->timer.armed);
    f->order[f->count++ % MOST] = p->name;
    s2_timer_set(&f->timers, &p->timer, p->again_ns);
}

static void probe_init(struct probe *p, struct fired *f, int name)
{
    *p = (struct probe){.fired = f, .name = name, .again_ns = S2SVPN_NEVER};
    s2_timer_init(&p->timer, on_fire, p);
}

static void fired_init(struct fired *f, struct probe *p, int n)
{
    *f = (struct fired){.count = 0};
    s2_timers_init(&f->timers);
    for (int i = 0; i < n; i++)
        probe_init(&p[i], f, i);
}

static void timers_fire_by_deadline_and_not_before(void)
{
    struct fired f;
    struct probe p[3];

    fired_init(&f, p, 3);
    CU_ASSERT(s2_timers_next(&f.timers) == S2SVPN_NEVER);
    s2_timer_set(&f.timers, &p[0].timer, 30);
    s2_timer_set(&f.timers, &p[1].timer, 10);
    s2_timer_set(&f.timers, &p[2].timer, 20);
    CU_ASSERT(s2_timers_next(&f.timers) == 10);
    CU_ASSERT(s2_timers_advance(&f.timers, 9, MOST) == 0);
    CU_ASSERT(s2_timers_advance(&f.timers, 20, MOST) == 2);
    CU_ASSERT(f.order[0] == 1 && f.order[1] == 2);
    CU_ASSERT(s2_timers_next(&f.timers) == 30);
    CU_ASSERT(s2_timers_advance(&f.timers, UINT64_MAX, MOST) == 1);
    CU_ASSERT(s2_timers_advance(&f.timers, UINT64_MAX, MOST) == 0);
    CU_ASSERT(s2_timers_next(&f.timers) == S2SVPN_NEVER);
}

static void equal_deadlines_fire_in_the_order_they_were_set(void)
{
    struct fired f;
    struct probe p[40];

    fired_init(&f, p, 40);
    for (int i = 0; i < 40; i++)
        s2_timer_set(&f.timers, &p[i].timer, 5);
    s2_timer_set(&f.timers, &p[0].timer, 5); /* set anew: now the last */
    s2_timer_cancel(&f.timers, &p[20].timer);
    CU_ASSERT(s2_timers_advance(&f.timers, 5, MOST) == 39);
    int expected = 1;
    for (size_t i = 0; i < 38; i++, expected++) {
        if (expected == 20)
            expected++;
        CU_ASSERT(f.order[i] == expected);
    }
    CU_ASSERT(f.order[38] == 0);
}

static void never_cancels_and_cancelling_twice_is_harmless(void)
{
    struct fired f;
    struct probe p[2];

    fired_init(&f, p, 2);
    s2_timer_set(&f.timers, &p[0].timer, 1);
    s2_timer_set(&f.timers, &p[1].timer, 2);
    s2_timer_set(&f.timers, &p[0].timer, S2SVPN_NEVER);
    CU_ASSERT(!p[0].timer.armed);
    CU_ASSERT(s2_timers_next(&f.timers) == 2);
    s2_timer_cancel(&f.timers, &p[1].timer);
    s2_timer_cancel(&f.timers, &p[1].timer);
    CU_ASSERT(s2_timers_advance(&f.timers, UINT64_MAX, MOST) == 0);
}

static void what_is_due_at_once_fires_in_the_same_call_up_to_the_limit(void)
{
    struct fired f;
    struct probe p[2];

    fired_init(&f, p, 2);
    p[0].again_ns = 7; /* for ever */
    s2_timer_set(&f.timers, &p[0].timer, 7);
    s2_timer_set(&f.timers, &p[1].timer, 7);
    CU_ASSERT(s2_timers_advance(&f.timers, 7, 10) == 10);
    CU_ASSERT(f.order[1] == 1); /* the loop starves nobody */
    CU_ASSERT(f.order[9] == 0);
    CU_ASSERT(s2_timers_next(&f.timers) == 7);
}

static void adding_a_delay_never_wraps_to_the_past_or_never(void)
{
    CU_ASSERT(s2_after(5, 6) == 11);
    CU_ASSERT(s2_after(5, S2SVPN_NEVER) == S2SVPN_NEVER - 1);
    CU_ASSERT(s2_after(S2SVPN_NEVER - 2, 1) == S2SVPN_NEVER - 1);
    CU_ASSERT(s2_after(S2SVPN_NEVER - 1, 1) == S2SVPN_NEVER - 1);
    CU_ASSERT(s2_after(S2SVPN_NEVER, 0) == S2SVPN_NEVER - 1);
}

/* The heap against a list that is searched from end to end. */
#define MANY 200

struct model {
    struct s2_timers timers;
    struct entry {
        struct s2_timer timer;
        struct model *model;
        uint64_t at, order; /* at S2SVPN_NEVER: not armed */
    } entry[MANY];
    uint64_t orders;
    size_t fired, wrong;
};

static struct entry *model_first(struct model *m)
{
    struct entry *first = NULL;

    for (size_t i = 0; i < MANY; i++) {
        struct entry *e = &m->entry[i];

        if (e->at == S2SVPN_NEVER)
            continue;
        if (first == NULL || e->at < first->at || (e->at == first->at && e->order < first->order))
            first = e;
    }
    return first;
}

static void on_model_fire(void *arg, uint64_t now_ns)
{
    struct entry *e = arg;

    e->model->fired++;
    if (model_first(e->model) != e || e->at > now_ns)
        e->model->wrong++;
    e->at = S2SVPN_NEVER;
}

static void a_random_history_matches_a_searched_list(void)
{
    static struct model m;
    struct s2_fake_env f;
    uint64_t now = 0;

    s2_fake_env_init(&f, 3);
    memset(&m, 0, sizeof(m));
    s2_timers_init(&m.timers);
    for (size_t i = 0; i < MANY; i++) {
        m.entry[i].model = &m;
        m.entry[i].at = S2SVPN_NEVER;
        s2_timer_init(&m.entry[i].timer, on_model_fire, &m.entry[i]);
    }
    for (int step = 0; step < 20000; step++) {
        uint8_t r[4];

        CU_ASSERT_FATAL(s2_random(&f.env, r, sizeof(r)) == S2SVPN_OK);
        struct entry *e = &m.entry[r[1] % MANY];
        if (r[0] < 150) {
            e->at = now + r[2] % 32; /* many equal ones */
            e->order = m.orders++;
            s2_timer_set(&m.timers, &e->timer, e->at);
        } else if (r[0] < 200) {
            e->at = S2SVPN_NEVER;
            s2_timer_cancel(&m.timers, &e->timer);
        } else {
            now += r[3] % 4;
            s2_timers_advance(&m.timers, now, SIZE_MAX);
        }
        const struct entry *first = model_first(&m);
        if (s2_timers_next(&m.timers) != (first != NULL ? first->at : S2SVPN_NEVER))
            m.wrong++;
    }
    CU_ASSERT(m.wrong == 0);
    CU_ASSERT(m.fired > 1000);
}

/* A recursive merge would overflow the stack here. */
static void a_million_timers_in_the_worst_order_fire(void)
{
    enum { N = 1000000 };
    struct s2_fake_env f;
    struct fired fired = {.count = 0};

    s2_fake_env_init(&f, 3);
    struct probe *p = s2_alloc_array(&f.env, N, sizeof(*p));
    CU_ASSERT_FATAL(p != NULL);
    s2_timers_init(&fired.timers);
    for (int i = 0; i < N; i++) {
        probe_init(&p[i], &fired, i);
        s2_timer_set(&fired.timers, &p[i].timer, 1 + (uint64_t)i);
    }
    CU_ASSERT(s2_timers_advance(&fired.timers, 10, SIZE_MAX) == 10);
    CU_ASSERT(fired.order[9] == 9);
    for (int i = 10; i < N; i += 2)
        s2_timer_cancel(&fired.timers, &p[i].timer);
    CU_ASSERT(s2_timers_next(&fired.timers) == 12);
    s2_free(&f.env, p);
}

const CU_TestInfo s2_test_timer[] = {
    {"timers fire by deadline and not before", timers_fire_by_deadline_and_not_before},
    {"equal deadlines fire in the order they were set",
     equal_deadlines_fire_in_the_order_they_were_set},
    {"never cancels and cancelling twice is harmless",
     never_cancels_and_cancelling_twice_is_harmless},
    {"what is due at once fires in the same call up to the limit",
     what_is_due_at_once_fires_in_the_same_call_up_to_the_limit},
    {"adding a delay never wraps to the past or never",
     adding_a_delay_never_wraps_to_the_past_or_never},
    {"a random history matches a searched list", a_random_history_matches_a_searched_list},
    {"a million timers in the worst order fire", a_million_timers_in_the_worst_order_fire},
    CU_TEST_INFO_NULL,
};
