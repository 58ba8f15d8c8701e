/* SPDX-License-Identifier: Apache-2.0 */
/* The store in memory: transactions, order, wiping, failing allocations. */
#include "s2svpn/store.h"

#include "harness.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Memory that fails on demand and looks at what is given back. */
struct heap {
    s2svpn_memory memory;
    size_t live, allocations, fail_at;
    const char *watched; /* text that must never be given back */
    size_t watched_len;
    unsigned leaks;
};

#define HEAD sizeof(max_align_t)

static void *allocate(void *user, size_t len)
{
    struct heap *h = user;
    uint8_t *p;

    if (++h->allocations == h->fail_at)
        return NULL;
    p = malloc(HEAD + len);
    if (!p)
        return NULL;
    memcpy(p, &len, sizeof(len));
    h->live++;
    return p + HEAD;
}

static void release(void *user, void *p)
{
    struct heap *h = user;
    size_t len;

    if (!p)
        return;
    memcpy(&len, (uint8_t *)p - HEAD, sizeof(len));
    for (size_t i = 0; h->watched && i + h->watched_len <= len; i++)
        h->leaks += memcmp((uint8_t *)p + i, h->watched, h->watched_len) == 0;
    h->live--;
    free((uint8_t *)p - HEAD);
}

struct bench {
    struct heap heap;
    s2svpn_memory_store *store;
    const s2svpn_store_ops *ops;
    s2svpn_status answer;
    unsigned answers;
};

static s2svpn_status bench_open(struct bench *b)
{
    *b = (struct bench){.ops = s2svpn_memory_store_ops(), .answer = S2SVPN_E_STATE};
    b->heap.memory = (s2svpn_memory){
        .size = sizeof(s2svpn_memory), .user = &b->heap, .allocate = allocate, .release = release};
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

static s2svpn_change put(const char *id, uint64_t revision, const char *text)
{
    s2svpn_change c = {
        .record = {
            .revision = revision, .data = (const uint8_t *)text, .len = strlen(text), .kind = 3}};

    snprintf(c.record.id.text, sizeof(c.record.id.text), "%s", id);
    return c;
}

static s2svpn_change take(const char *id, uint64_t revision)
{
    s2svpn_change c = put(id, revision, "");

    c.remove = true;
    return c;
}

/* The answer; a failed return must have none. */
static s2svpn_status submit(struct bench *b, const s2svpn_change *c, size_t n)
{
    const unsigned before = b->answers;
    const s2svpn_status rc = b->ops->submit(b->store, c, n, on_done, b);

    CU_ASSERT_EQUAL(b->answers, before + (rc == S2SVPN_OK));
    return rc == S2SVPN_OK ? b->answer : rc;
}

/* "id=revision:text " of every record, in the order of load. */
struct listing {
    char text[512];
    size_t len;
    unsigned stop_after;
};

static bool list_one(void *arg, const s2svpn_record *r)
{
    struct listing *l = arg;

    l->len +=
        (size_t)snprintf(l->text + l->len, sizeof(l->text) - l->len, "%s=%u:%.*s ", r->id.text,
                         (unsigned)r->revision, (int)r->len, (const char *)r->data);
    CU_ASSERT_EQUAL(r->kind, 3);
    return l->stop_after == 0 || --l->stop_after > 0;
}

static void check_list(struct bench *b, const char *expected)
{
    struct listing l = {.len = 0};

    CU_ASSERT_EQUAL(b->ops->load(b->store, list_one, &l), S2SVPN_OK);
    CU_ASSERT_STRING_EQUAL(l.text, expected);
    if (strcmp(l.text, expected) != 0)
        printf("    %s\n", l.text);
}

static void a_record_is_made_changed_and_removed(void)
{
    struct bench b;
    s2svpn_change c;

    CU_ASSERT_EQUAL_FATAL(bench_open(&b), S2SVPN_OK);
    check_list(&b, "");
    c = put("vpn-1", 1, "one");
    CU_ASSERT_EQUAL(submit(&b, &c, 1), S2SVPN_OK);
    check_list(&b, "vpn-1=1:one ");
    c = put("vpn-1", 2, "longer than before");
    CU_ASSERT_EQUAL(submit(&b, &c, 1), S2SVPN_OK);
    check_list(&b, "vpn-1=2:longer than before ");
    c = put("vpn-1", 3, "");
    CU_ASSERT_EQUAL(submit(&b, &c, 1), S2SVPN_OK);
    check_list(&b, "vpn-1=3: ");
    c = take("vpn-1", 4);
    CU_ASSERT_EQUAL(submit(&b, &c, 1), S2SVPN_OK);
    check_list(&b, "");
    c = put("vpn-1", 1, "again"); /* and begins anew */
    CU_ASSERT_EQUAL(submit(&b, &c, 1), S2SVPN_OK);
    CU_ASSERT_EQUAL(submit(&b, NULL, 0), S2SVPN_OK);
    bench_close(&b);
}

static void the_bytes_are_the_stores_own(void)
{
    char text[] = "mine";
    struct bench b;

    CU_ASSERT_EQUAL_FATAL(bench_open(&b), S2SVPN_OK);
    const s2svpn_change c = put("a", 1, text);
    CU_ASSERT_EQUAL(submit(&b, &c, 1), S2SVPN_OK);
    memset(text, 'x', 4);
    check_list(&b, "a=1:mine ");
    bench_close(&b);
}

static void another_revision_is_a_conflict(void)
{
    static const struct {
        const char *row;
        const char *id;
        uint64_t revision;
        bool remove;
    } rows[] = {
        {"made twice", "a", 1, false},
        {"the same again", "a", 2, false},
        {"one too far", "a", 4, false},
        {"changed, but not there", "b", 2, false},
        {"removed, but not there", "b", 2, true},
        {"removed at another revision", "a", 2, true},
    };
    struct bench b;
    s2svpn_change c;

    CU_ASSERT_EQUAL_FATAL(bench_open(&b), S2SVPN_OK);
    c = put("a", 1, "1");
    CU_ASSERT_EQUAL(submit(&b, &c, 1), S2SVPN_OK);
    c = put("a", 2, "2");
    CU_ASSERT_EQUAL(submit(&b, &c, 1), S2SVPN_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        c = put(rows[i].id, rows[i].revision, "x");
        c.remove = rows[i].remove;
        CHECK_ROW(rows[i].row, submit(&b, &c, 1) == S2SVPN_E_CONFLICT);
    }
    check_list(&b, "a=2:2 ");
    bench_close(&b);
}

static void a_transaction_is_made_whole_or_not_at_all(void)
{
    struct bench b;

    CU_ASSERT_EQUAL_FATAL(bench_open(&b), S2SVPN_OK);
    const s2svpn_change first[] = {put("a", 1, "1"), put("b", 1, "1"), put("c", 1, "1")};
    CU_ASSERT_EQUAL(submit(&b, first, 3), S2SVPN_OK);

    const s2svpn_change good[] = {put("a", 2, "2"), take("b", 2), put("d", 1, "1")};
    for (size_t i = 0; i < 3; i++) { /* the wrong one at each place */
        s2svpn_change bad[3] = {good[0], good[1], good[2]};

        bad[i].record.revision += 5;
        CU_ASSERT_EQUAL(submit(&b, bad, 3), S2SVPN_E_CONFLICT);
        check_list(&b, "a=1:1 b=1:1 c=1:1 ");
    }
    CU_ASSERT_EQUAL(submit(&b, good, 3), S2SVPN_OK);
    check_list(&b, "a=2:2 c=1:1 d=1:1 ");
    bench_close(&b);
}

static void a_transaction_that_means_nothing_is_refused(void)
{
    struct bench b;

    CU_ASSERT_EQUAL_FATAL(bench_open(&b), S2SVPN_OK);
    const s2svpn_change twice[] = {put("a", 1, "1"), put("a", 2, "2")};
    CU_ASSERT_EQUAL(submit(&b, twice, 2), S2SVPN_E_ARGUMENT);
    const s2svpn_change zero = put("a", 0, "1");
    CU_ASSERT_EQUAL(submit(&b, &zero, 1), S2SVPN_E_ARGUMENT);
    CU_ASSERT_EQUAL(submit(&b, twice, 100000), S2SVPN_E_LIMIT);
    check_list(&b, "");
    bench_close(&b);
}

static bool count_up(void *arg, const s2svpn_record *r)
{
    unsigned *expected = arg;
    char id[S2SVPN_ID_SIZE];

    snprintf(id, sizeof(id), "vpn-%05u", (*expected)++);
    CU_ASSERT_STRING_EQUAL(r->id.text, id);
    CU_ASSERT_EQUAL(r->len, 5);
    return true;
}

static void thousands_come_back_in_order_of_ids(void)
{
    unsigned expected = 0;
    struct bench b;

    CU_ASSERT_EQUAL_FATAL(bench_open(&b), S2SVPN_OK);
    for (unsigned i = 0; i < 5000; i++) {
        char id[S2SVPN_ID_SIZE];

        snprintf(id, sizeof(id), "vpn-%05u", i * 1237 % 5000);
        const s2svpn_change c = put(id, 1, "bytes");
        CU_ASSERT_EQUAL(submit(&b, &c, 1), S2SVPN_OK);
    }
    CU_ASSERT_EQUAL(b.ops->load(b.store, count_up, &expected), S2SVPN_OK);
    CU_ASSERT_EQUAL(expected, 5000);
    bench_close(&b);
}

static void load_stops_when_told(void)
{
    struct listing l = {.stop_after = 2};
    struct bench b;

    CU_ASSERT_EQUAL_FATAL(bench_open(&b), S2SVPN_OK);
    const s2svpn_change c[] = {put("b", 1, "2"), put("c", 1, "3"), put("a", 1, "1")};
    CU_ASSERT_EQUAL(submit(&b, c, 3), S2SVPN_OK);
    CU_ASSERT_EQUAL(b.ops->load(b.store, list_one, &l), S2SVPN_OK);
    CU_ASSERT_STRING_EQUAL(l.text, "a=1:1 b=1:2 ");
    bench_close(&b);
}

static void submit_again(void *arg, s2svpn_status result)
{
    struct bench *b = arg;
    const s2svpn_change c = put("a", 2, "from the answer");

    CU_ASSERT_EQUAL(result, S2SVPN_OK);
    CU_ASSERT_EQUAL(submit(b, &c, 1), S2SVPN_OK);
}

static void the_answer_may_submit_again(void)
{
    struct bench b;

    CU_ASSERT_EQUAL_FATAL(bench_open(&b), S2SVPN_OK);
    const s2svpn_change c = put("a", 1, "1");
    CU_ASSERT_EQUAL(b.ops->submit(b.store, &c, 1, submit_again, &b), S2SVPN_OK);
    check_list(&b, "a=2:from the answer ");
    bench_close(&b);
}

static void bytes_are_wiped_before_they_are_given_back(void)
{
    static const char psk[] = "correct horse";
    struct bench b;
    s2svpn_change c;

    CU_ASSERT_EQUAL_FATAL(bench_open(&b), S2SVPN_OK);
    b.heap.watched = psk;
    b.heap.watched_len = strlen(psk);
    c = put("a", 1, psk);
    CU_ASSERT_EQUAL(submit(&b, &c, 1), S2SVPN_OK);
    c = put("a", 2, psk);
    CU_ASSERT_EQUAL(submit(&b, &c, 1), S2SVPN_OK); /* replaced */
    c = take("a", 3);
    CU_ASSERT_EQUAL(submit(&b, &c, 1), S2SVPN_OK); /* removed */
    c = put("a", 1, psk);
    CU_ASSERT_EQUAL(submit(&b, &c, 1), S2SVPN_OK);

    const s2svpn_change two[] = {put("b", 1, psk), put("c", 1, psk)};
    b.heap.fail_at = b.heap.allocations + 2;
    CU_ASSERT_EQUAL(submit(&b, two, 2), S2SVPN_E_MEMORY); /* copied, then given up */
    bench_close(&b);                                      /* freed */
    CU_ASSERT_EQUAL(b.heap.leaks, 0);

    char *probe = allocate(&b.heap, sizeof(psk)); /* and the watch does see it */
    memcpy(probe, psk, sizeof(psk));
    release(&b.heap, probe);
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
        many[n] = put(id, 1, "new");
    }
    for (size_t fail_at = 1;; fail_at++) {
        struct listing l = {.stop_after = 3};
        struct bench b;

        CU_ASSERT_EQUAL_FATAL(bench_open(&b), S2SVPN_OK);
        const s2svpn_change c = put("a", 1, "old");
        CU_ASSERT_EQUAL(submit(&b, &c, 1), S2SVPN_OK);
        b.heap.fail_at = b.heap.allocations + fail_at;
        const s2svpn_status rc = submit(&b, many, 65);
        const s2svpn_status loaded = b.ops->load(b.store, list_one, &l);
        const bool reached = b.heap.allocations >= b.heap.fail_at;
        b.heap.fail_at = 0;
        if (rc != S2SVPN_OK) {
            CU_ASSERT(reached && rc == S2SVPN_E_MEMORY);
            check_list(&b, "a=1:old ");
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
    struct heap h = {.fail_at = 0};

    h.memory = (s2svpn_memory){.size = sizeof(h.memory), .user = &h, .allocate = allocate};
    CU_ASSERT_EQUAL(s2svpn_memory_store_new(&h.memory, &store), S2SVPN_E_ARGUMENT);
    CU_ASSERT_PTR_NULL(store);
    h.memory.release = release;
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

const CU_TestInfo s2_test_memory[] = {
    {"a record is made, changed and removed", a_record_is_made_changed_and_removed},
    {"the bytes are the store's own", the_bytes_are_the_stores_own},
    {"another revision is a conflict", another_revision_is_a_conflict},
    {"a transaction is made whole or not at all", a_transaction_is_made_whole_or_not_at_all},
    {"a transaction that means nothing is refused", a_transaction_that_means_nothing_is_refused},
    {"thousands come back in order of ids", thousands_come_back_in_order_of_ids},
    {"load stops when told", load_stops_when_told},
    {"the answer may submit again", the_answer_may_submit_again},
    {"bytes are wiped before they are given back", bytes_are_wiped_before_they_are_given_back},
    {"every allocation fails once and changes nothing",
     every_allocation_fails_once_and_changes_nothing},
    {"a store without memory is not made", a_store_without_memory_is_not_made},
    CU_TEST_INFO_NULL,
};
