/* SPDX-License-Identifier: Apache-2.0 */
/* The SQLite store's writer beside the thread that submits, cancels and polls, and a
 * third one that reads its figures; a program of its own, for thread sanitizers. */
#include "lab.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#define ROUNDS 2000

struct watcher {
    pthread_t thread;
    s2svpn_sqlite_store *store;
    atomic_bool stop;
    uint64_t looked, last, back; /* transactions went back */
};

static void *watch(void *arg)
{
    struct watcher *w = arg;

    while (!atomic_load(&w->stop)) {
        s2svpn_sqlite_counters c = {.size = sizeof(c)};
        s2svpn_error problem;

        s2svpn_sqlite_store_get_counters(w->store, &c);
        s2svpn_sqlite_store_problem(w->store, &problem);
        w->back += c.transactions < w->last;
        w->last = c.transactions;
        w->looked++;
        if (s2svpn_sqlite_store_fd(w->store) < 0)
            break;
    }
    return NULL;
}

static bool count_record(void *arg, const s2svpn_record *r)
{
    (void)r;
    ++*(unsigned *)arg;
    return true;
}

/* Some are changed twice before the first answer, some are cancelled; load reads while
 * the writer writes. */
static void threads_share_a_store(void)
{
    struct watcher w = {.looked = 0};
    unsigned sent = 0, loaded = 0, refused = 0;
    int cancelled;
    struct s2_lab lab;

    s2_lab_make(&lab);
    lab.options.queue_max = 64;
    CU_ASSERT_EQUAL_FATAL(s2_lab_open(&lab), S2SVPN_OK);
    w.store = lab.store;
    CU_ASSERT_EQUAL_FATAL(pthread_create(&w.thread, NULL, watch, &w), 0);
    for (unsigned i = 0; i < ROUNDS; i++) {
        char id[16];

        snprintf(id, sizeof(id), "r%u", i % 100);
        const s2svpn_change c = s2_contract_put(id, i / 100 + 1, "some bytes");
        while (s2_lab_post(&lab, &c, 1) == S2SVPN_E_LIMIT) {
            refused++;
            (void)s2_lab_wait(&lab);
        }
        sent++;
        if (i % 7 == 0)
            s2svpn_sqlite_store_poll(lab.store);
        if (i % 31 == 0) {
            const s2svpn_change x = s2_contract_put(id, 1000, "a conflict");

            if (lab.s.ops->submit(lab.store, &x, 1, s2_lab_on_done, &cancelled) == S2SVPN_OK)
                lab.s.ops->cancel(lab.store, &cancelled);
        }
        if (i % 300 == 0)
            CU_ASSERT_EQUAL(lab.s.ops->load(lab.store, count_record, &loaded), S2SVPN_OK);
    }
    s2_lab_settle(&lab, sent);
    CU_ASSERT_EQUAL(lab.answer, S2SVPN_OK);
    loaded = 0;
    CU_ASSERT_EQUAL(lab.s.ops->load(lab.store, count_record, &loaded), S2SVPN_OK);
    CU_ASSERT_EQUAL(loaded, 100);
    atomic_store(&w.stop, true);
    pthread_join(w.thread, NULL);
    CU_ASSERT(w.looked > 0);
    CU_ASSERT_EQUAL(w.back, 0);
    printf("    %u transactions, %u times the queue was full, %u looks\n", sent, refused,
           (unsigned)w.looked);
    s2_lab_clear(&lab);
}

static const CU_TestInfo s2_test_sqlite_threads[] = {
    {"threads share a store", threads_share_a_store},
    CU_TEST_INFO_NULL,
};

int main(int argc, char **argv)
{
    const struct s2_suite suites[] = {{"store/sqlite threads", s2_test_sqlite_threads}};

    return s2_run_suites(suites, 1, argc, argv);
}
