/* SPDX-License-Identifier: Apache-2.0 */
/* The store in memory: wiping, failing allocations. What it shares with other stores is
 * tested by contract.c. */
#include "contract.h"
#include "heap.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct bench {
    struct s2_heap heap;
    s2svpn_memory_store *store;
    const s2svpn_store_ops *ops;
    s2svpn_status answer;
    unsigned answers;
};

static s2svpn_status bench_open(struct bench *b)
{
    *b = (struct bench){.ops = s2svpn_memory_store_ops(), .answer = S2SVPN_E_STATE};
    s2_heap_init(&b->heap);
    return s2svpn_memory_store_new(&b->heap.memory, &b->store);
}

static void bench_close(struct bench *b)
{
    s2svpn_memory_store_free(b->store);
    CU_ASSERT_EQUAL(b->heap.live, 0);
}

static void on_done(void *arg, s2svpn_status result)
{
    struct bench *b = arg;

    b->answer = result;
    b->answers++;
}

/* The answer; a failed return must have none. */
static s2svpn_status submit(struct bench *b, const s2svpn_change *c, size_t n)
{
    const unsigned before = b->answers;
    const s2svpn_status rc = b->ops->submit(b->store, c, n, on_done, b);

    CU_ASSERT_EQUAL(b->answers, before + (rc == S2SVPN_OK));
    return rc == S2SVPN_OK ? b->answer : rc;
}

static void bytes_are_wiped_before_they_are_given_back(void)
{
    static const char psk[] = "correct horse";
    struct bench b;
    s2svpn_change c;

    CU_ASSERT_EQUAL_FATAL(bench_open(&b), S2SVPN_OK);
    b.heap.watched = psk;
    b.heap.watched_len = strlen(psk);
    c = s2_contract_put("a", 1, psk);
    CU_ASSERT_EQUAL(submit(&b, &c, 1), S2SVPN_OK);
    c = s2_contract_put("a", 2, psk);
    CU_ASSERT_EQUAL(submit(&b, &c, 1), S2SVPN_OK); /* replaced */
    c = s2_contract_take("a", 3);
    CU_ASSERT_EQUAL(submit(&b, &c, 1), S2SVPN_OK); /* removed */
    c = s2_contract_put("a", 1, psk);
    CU_ASSERT_EQUAL(submit(&b, &c, 1), S2SVPN_OK);

    const s2svpn_change two[] = {s2_contract_put("b", 1, psk), s2_contract_put("c", 1, psk)};
    b.heap.fail_at = b.heap.allocations + 2;
    CU_ASSERT_EQUAL(submit(&b, two, 2), S2SVPN_E_MEMORY); /* copied, then given up */
    bench_close(&b);                                      /* freed */
    CU_ASSERT_EQUAL(b.heap.leaks, 0);

    char *probe = b.heap.memory.allocate(&b.heap, sizeof(psk)); /* and the watch does see it */
    memcpy(probe, psk, sizeof(psk));
    b.heap.memory.release(&b.heap, probe);
    CU_ASSERT_EQUAL(b.heap.leaks, 1);
}

/* Enough records for the table to grow in the middle of the transaction. */
static void every_allocation_fails_once_and_changes_nothing(void)
{
    s2svpn_change many[65];
    size_t n;

    for (n = 0; n < 65; n++) {
        char id[8];

        snprintf(id, sizeof(id), "r%02u", (unsigned)n);
        many[n] = s2_contract_put(id, 1, "new");
    }
    for (size_t fail_at = 1;; fail_at++) {
        struct s2_contract_listing l = {.stop_after = 3};
        struct bench b;

        CU_ASSERT_EQUAL_FATAL(bench_open(&b), S2SVPN_OK);
        const s2svpn_change c = s2_contract_put("a", 1, "old");
        CU_ASSERT_EQUAL(submit(&b, &c, 1), S2SVPN_OK);
        b.heap.fail_at = b.heap.allocations + fail_at;
        const s2svpn_status rc = submit(&b, many, 65);
        const s2svpn_status loaded = b.ops->load(b.store, s2_contract_list_one, &l);
        const bool reached = b.heap.allocations >= b.heap.fail_at;
        b.heap.fail_at = 0;
        if (rc != S2SVPN_OK) {
            CU_ASSERT(reached && rc == S2SVPN_E_MEMORY);
            const struct s2_contract_store same = {.ops = b.ops, .store = b.store};

            s2_contract_check_list(&same, "a=1:old ");
        } else {
            CU_ASSERT_EQUAL(loaded, reached ? S2SVPN_E_MEMORY : S2SVPN_OK);
        }
        bench_close(&b);
        if (!reached) {
            CU_ASSERT(fail_at > 66); /* each copy, the table, the list */
            break;
        }
    }
}

static void a_store_without_memory_is_not_made(void)
{
    s2svpn_memory_store *store = (s2svpn_memory_store *)&store;
    struct s2_heap h = {.fail_at = 0};

    s2_heap_init(&h);
    const s2svpn_memory whole = h.memory;
    h.memory.release = NULL;
    CU_ASSERT_EQUAL(s2svpn_memory_store_new(&h.memory, &store), S2SVPN_E_ARGUMENT);
    CU_ASSERT_PTR_NULL(store);
    h.memory = whole;
    for (h.fail_at = 1; h.fail_at <= 2; h.fail_at++) {
        h.allocations = 0;
        CU_ASSERT_EQUAL(s2svpn_memory_store_new(&h.memory, &store), S2SVPN_E_MEMORY);
        CU_ASSERT_PTR_NULL(store);
        CU_ASSERT_EQUAL(h.live, 0);
    }
    CU_ASSERT_EQUAL(s2svpn_memory_store_new(NULL, &store), S2SVPN_OK); /* malloc and free */
    s2svpn_memory_store_free(store);
    s2svpn_memory_store_free(NULL);
}

/* ---- the store of contract.c */

bool s2_contract_open(struct s2_contract_store *s)
{
    s2svpn_memory_store *store;

    if (s2svpn_memory_store_new(NULL, &store) != S2SVPN_OK)
        return false;
    *s = (struct s2_contract_store){.ops = s2svpn_memory_store_ops(), .store = store};
    return true;
}

void s2_contract_close(struct s2_contract_store *s)
{
    s2svpn_memory_store_free(s->store);
}

bool s2_contract_wait(struct s2_contract_store *s)
{
    (void)s;
    return false; /* it answers at once */
}

const CU_TestInfo s2_test_memory[] = {
    {"bytes are wiped before they are given back", bytes_are_wiped_before_they_are_given_back},
    {"every allocation fails once and changes nothing",
     every_allocation_fails_once_and_changes_nothing},
    {"a store without memory is not made", a_store_without_memory_is_not_made},
    CU_TEST_INFO_NULL,
};
