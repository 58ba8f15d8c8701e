/* SPDX-License-Identifier: Apache-2.0 */
/* Epochs and rings between threads; a program of its own, for thread sanitizers.
 * POSIX threads, since those sanitizers don't follow <threads.h>. */
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "base/epoch.h"
#include "base/list.h"
#include "base/ring.h"
#include "fake_env.h"
#include "harness.h"

#define READERS 3
#define SWAPS 20000
#define LEAST_VISITS 1000

/* A published pair whose halves agree as long as it lives. */
struct pair {
    struct s2_retired retired;
    unsigned first, second;
};

struct published {
    struct s2_epochs epochs;
    _Atomic(struct pair *) root;
    atomic_bool stop;
    atomic_size_t slow; /* readers that haven't made LEAST_VISITS yet */
    size_t freed;
};

struct reader_thread {
    pthread_t thread;
    struct published *p;
    size_t reader, visits, torn, backwards;
};

/* CUnit's checks aren't made for threads: count here, check in the test. */
static void *read_pairs(void *arg)
{
    struct reader_thread *t = arg;
    struct published *p = t->p;
    unsigned last = 0;

    while (!atomic_load_explicit(&p->stop, memory_order_relaxed)) {
        s2_epoch_enter(&p->epochs, t->reader);
        const struct pair *pair = atomic_load_explicit(&p->root, memory_order_acquire);
        const unsigned first = pair->first;
        t->torn += pair->second != first + 1;
        t->backwards += first < last;
        last = first;
        s2_epoch_leave(&p->epochs, t->reader);
        if (++t->visits == LEAST_VISITS)
            atomic_fetch_sub(&p->slow, 1);
    }
    return NULL;
}

static void free_pair(void *arg, struct s2_retired *retired)
{
    struct published *p = arg;
    struct pair *pair = S2_CONTAINER(retired, struct pair, retired);

    pair->second = pair->first; /* a reader that still looks sees it */
    free(pair);
    p->freed++;
}

static struct pair *new_pair(unsigned n)
{
    struct pair *pair = malloc(sizeof(*pair));

    if (pair == NULL)
        abort();
    pair->first = n;
    pair->second = n + 1;
    return pair;
}

static void readers_never_see_a_freed_node(void)
{
    struct published p = {.freed = 0};
    struct reader_thread reader[READERS];
    unsigned swaps = 0;
    size_t waiting = 0, most = 0;

    s2_epochs_init(&p.epochs, READERS);
    atomic_init(&p.root, new_pair(0));
    atomic_init(&p.stop, false);
    atomic_init(&p.slow, READERS);
    for (size_t i = 0; i < READERS; i++) {
        reader[i] = (struct reader_thread){.p = &p, .reader = i};
        if (pthread_create(&reader[i].thread, NULL, read_pairs, &reader[i]) != 0)
            abort();
    }
    while (swaps < SWAPS || atomic_load(&p.slow) > 0) {
        struct pair *old = atomic_load_explicit(&p.root, memory_order_relaxed);

        atomic_store_explicit(&p.root, new_pair(++swaps), memory_order_release);
        s2_epoch_retire(&p.epochs, &old->retired, free_pair, &p);
        waiting = s2_epoch_reclaim(&p.epochs);
        most = waiting > most ? waiting : most;
        if (waiting > 1000)
            sched_yield(); /* a reader sleeps inside: let it run */
    }
    atomic_store(&p.stop, true);
    for (size_t i = 0; i < READERS; i++) {
        CU_ASSERT(pthread_join(reader[i].thread, NULL) == 0);
        CU_ASSERT(reader[i].torn == 0);
        CU_ASSERT(reader[i].backwards == 0);
        CU_ASSERT(reader[i].visits >= LEAST_VISITS);
    }
    CU_ASSERT(s2_epoch_reclaim(&p.epochs) == 0);
    CU_ASSERT(p.freed == swaps);
    free(atomic_load(&p.root));
}

#define PRODUCERS 3
#define EACH 20000

struct message {
    unsigned producer, number;
    unsigned body[8]; /* all equal to number */
};

struct producer {
    pthread_t thread;
    struct s2_ring *ring;
    unsigned name;
    size_t refused;
};

static void *produce(void *arg)
{
    struct producer *p = arg;

    for (unsigned n = 0; n < EACH;) {
        size_t ticket;
        struct message *m = s2_ring_reserve(p->ring, &ticket);

        if (m == NULL) {
            p->refused++;
            sched_yield();
            continue;
        }
        m->producer = p->name;
        m->number = n;
        for (size_t i = 0; i < 8; i++)
            m->body[i] = n;
        s2_ring_commit(p->ring, ticket);
        n++;
    }
    return NULL;
}

static bool whole(const struct message *m)
{
    for (size_t i = 0; i < 8; i++) {
        if (m->body[i] != m->number)
            return false;
    }
    return true;
}

static void messages_arrive_whole_once_and_in_their_senders_order(void)
{
    struct s2_fake_env f;
    struct s2_ring ring;
    struct producer producer[PRODUCERS];
    unsigned next[PRODUCERS] = {0};
    size_t wrong = 0, got = 0;

    s2_fake_env_init(&f, 1);
    CU_ASSERT_FATAL(s2_ring_init(&ring, &f.env, 64, sizeof(struct message)) == S2SVPN_OK);
    for (unsigned i = 0; i < PRODUCERS; i++) {
        producer[i] = (struct producer){.ring = &ring, .name = i};
        if (pthread_create(&producer[i].thread, NULL, produce, &producer[i]) != 0)
            abort();
    }
    while (got < PRODUCERS * EACH) {
        const struct message *m = s2_ring_peek(&ring);

        if (m == NULL) {
            sched_yield();
            continue;
        }
        if (m->producer >= PRODUCERS || m->number != next[m->producer]++ || !whole(m))
            wrong++;
        s2_ring_release(&ring);
        got++;
    }
    for (unsigned i = 0; i < PRODUCERS; i++)
        CU_ASSERT(pthread_join(producer[i].thread, NULL) == 0);
    CU_ASSERT(wrong == 0);
    CU_ASSERT(s2_ring_peek(&ring) == NULL);
    s2_ring_clear(&ring, &f.env);
    CU_ASSERT(f.live == 0);
}

static const CU_TestInfo tests[] = {
    {"readers never see a freed node", readers_never_see_a_freed_node},
    {"messages arrive whole, once and in their sender's order",
     messages_arrive_whole_once_and_in_their_senders_order},
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    const struct s2_suite suite = {"base/epoch and base/ring, threads", tests};

    return s2_run_suites(&suite, 1, argc, argv);
}
