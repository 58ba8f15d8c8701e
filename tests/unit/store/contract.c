/* SPDX-License-Identifier: Apache-2.0 */
/* The tests that every store must pass: transactions, conflicts, order, answers. */
#include "contract.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

s2svpn_change s2_contract_put(const char *id, uint64_t revision, const char *text)
{
    s2svpn_change c = {
        .record = {
            .revision = revision, .data = (const uint8_t *)text, .len = strlen(text), .kind = 3}};

    snprintf(c.record.id.text, sizeof(c.record.id.text), "%s", id);
    return c;
}

s2svpn_change s2_contract_take(const char *id, uint64_t revision)
{
    s2svpn_change c = s2_contract_put(id, revision, "");

    c.remove = true;
    return c;
}

bool s2_contract_list_one(void *arg, const s2svpn_record *r)
{
    struct s2_contract_listing *l = arg;

    l->len +=
        (size_t)snprintf(l->text + l->len, sizeof(l->text) - l->len, "%s=%u:%.*s ", r->id.text,
                         (unsigned)r->revision, (int)r->len, (const char *)r->data);
    CU_ASSERT_EQUAL(r->kind, 3);
    return l->stop_after == 0 || --l->stop_after > 0;
}

void s2_contract_check_list(const struct s2_contract_store *s, const char *expected)
{
    struct s2_contract_listing l = {.len = 0};

    CU_ASSERT_EQUAL(s->ops->load(s->store, s2_contract_list_one, &l), S2SVPN_OK);
    CU_ASSERT_STRING_EQUAL(l.text, expected);
    if (strcmp(l.text, expected) != 0)
        printf("    %s\n", l.text);
}

struct bench {
    struct s2_contract_store s;
    s2svpn_status answer;
    unsigned answers;
};

static bool bench_open(struct bench *b)
{
    *b = (struct bench){.answer = S2SVPN_E_STATE};
    return s2_contract_open(&b->s);
}

static void bench_close(struct bench *b)
{
    s2_contract_close(&b->s);
}

static void on_done(void *arg, s2svpn_status result)
{
    struct bench *b = arg;

    b->answer = result;
    b->answers++;
}

/* All answers that are owed. */
static void settle(struct bench *b, unsigned answers)
{
    while (b->answers < answers && s2_contract_wait(&b->s))
        ;
}

/* The answer; a failed return must have none. */
static s2svpn_status submit(struct bench *b, const s2svpn_change *c, size_t n)
{
    const unsigned before = b->answers;
    const s2svpn_status rc = b->s.ops->submit(b->s.store, c, n, on_done, b);

    if (rc == S2SVPN_OK)
        settle(b, before + 1);
    CU_ASSERT_EQUAL(b->answers, before + (rc == S2SVPN_OK));
    return rc == S2SVPN_OK ? b->answer : rc;
}

static void a_record_is_made_changed_and_removed(void)
{
    struct bench b;
    s2svpn_change c;

    CU_ASSERT_FATAL(bench_open(&b));
    s2_contract_check_list(&b.s, "");
    c = s2_contract_put("vpn-1", 1, "one");
    CU_ASSERT_EQUAL(submit(&b, &c, 1), S2SVPN_OK);
    s2_contract_check_list(&b.s, "vpn-1=1:one ");
    c = s2_contract_put("vpn-1", 2, "longer than before");
    CU_ASSERT_EQUAL(submit(&b, &c, 1), S2SVPN_OK);
    s2_contract_check_list(&b.s, "vpn-1=2:longer than before ");
    c = s2_contract_put("vpn-1", 3, "");
    CU_ASSERT_EQUAL(submit(&b, &c, 1), S2SVPN_OK);
    s2_contract_check_list(&b.s, "vpn-1=3: ");
    c = s2_contract_take("vpn-1", 4);
    CU_ASSERT_EQUAL(submit(&b, &c, 1), S2SVPN_OK);
    s2_contract_check_list(&b.s, "");
    c = s2_contract_put("vpn-1", 1, "again"); /* and begins anew */
    CU_ASSERT_EQUAL(submit(&b, &c, 1), S2SVPN_OK);
    CU_ASSERT_EQUAL(submit(&b, NULL, 0), S2SVPN_OK);
    bench_close(&b);
}

static void the_bytes_are_the_stores_own(void)
{
    char text[] = "mine";
    struct bench b;

    CU_ASSERT_FATAL(bench_open(&b));
    const s2svpn_change c = s2_contract_put("a", 1, text);
    CU_ASSERT_EQUAL(submit(&b, &c, 1), S2SVPN_OK);
    memset(text, 'x', 4);
    s2_contract_check_list(&b.s, "a=1:mine ");
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

    CU_ASSERT_FATAL(bench_open(&b));
    c = s2_contract_put("a", 1, "1");
    CU_ASSERT_EQUAL(submit(&b, &c, 1), S2SVPN_OK);
    c = s2_contract_put("a", 2, "2");
    CU_ASSERT_EQUAL(submit(&b, &c, 1), S2SVPN_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        c = s2_contract_put(rows[i].id, rows[i].revision, "x");
        c.remove = rows[i].remove;
        CHECK_ROW(rows[i].row, submit(&b, &c, 1) == S2SVPN_E_CONFLICT);
    }
    s2_contract_check_list(&b.s, "a=2:2 ");
    bench_close(&b);
}

static void a_transaction_is_made_whole_or_not_at_all(void)
{
    struct bench b;

    CU_ASSERT_FATAL(bench_open(&b));
    const s2svpn_change first[] = {s2_contract_put("a", 1, "1"), s2_contract_put("b", 1, "1"),
                                   s2_contract_put("c", 1, "1")};
    CU_ASSERT_EQUAL(submit(&b, first, 3), S2SVPN_OK);

    const s2svpn_change good[] = {s2_contract_put("a", 2, "2"), s2_contract_take("b", 2),
                                  s2_contract_put("d", 1, "1")};
    for (size_t i = 0; i < 3; i++) { /* the wrong one at each place */
        s2svpn_change bad[3] = {good[0], good[1], good[2]};

        bad[i].record.revision += 5;
        CU_ASSERT_EQUAL(submit(&b, bad, 3), S2SVPN_E_CONFLICT);
        s2_contract_check_list(&b.s, "a=1:1 b=1:1 c=1:1 ");
    }
    CU_ASSERT_EQUAL(submit(&b, good, 3), S2SVPN_OK);
    s2_contract_check_list(&b.s, "a=2:2 c=1:1 d=1:1 ");
    bench_close(&b);
}

static void a_transaction_that_means_nothing_is_refused(void)
{
    struct bench b;

    CU_ASSERT_FATAL(bench_open(&b));
    const s2svpn_change twice[] = {s2_contract_put("a", 1, "1"), s2_contract_put("a", 2, "2")};
    CU_ASSERT_EQUAL(submit(&b, twice, 2), S2SVPN_E_ARGUMENT);
    const s2svpn_change zero = s2_contract_put("a", 0, "1");
    CU_ASSERT_EQUAL(submit(&b, &zero, 1), S2SVPN_E_ARGUMENT);
    CU_ASSERT_EQUAL(submit(&b, twice, 100000), S2SVPN_E_LIMIT);
    s2_contract_check_list(&b.s, "");
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

    CU_ASSERT_FATAL(bench_open(&b));
    for (unsigned i = 0; i < 5000; i++) {
        char id[S2SVPN_ID_SIZE];

        snprintf(id, sizeof(id), "vpn-%05u", i * 1237 % 5000);
        const s2svpn_change c = s2_contract_put(id, 1, "bytes");
        CU_ASSERT_EQUAL(b.s.ops->submit(b.s.store, &c, 1, on_done, &b), S2SVPN_OK);
        if (i % 500 == 499) /* a store may bound what it owes */
            settle(&b, i + 1);
    }
    CU_ASSERT_EQUAL(b.s.ops->load(b.s.store, count_up, &expected), S2SVPN_OK);
    CU_ASSERT_EQUAL(expected, 5000);
    bench_close(&b);
}

static void load_stops_when_told(void)
{
    struct s2_contract_listing l = {.stop_after = 2};
    struct bench b;

    CU_ASSERT_FATAL(bench_open(&b));
    const s2svpn_change c[] = {s2_contract_put("b", 1, "2"), s2_contract_put("c", 1, "3"),
                               s2_contract_put("a", 1, "1")};
    CU_ASSERT_EQUAL(submit(&b, c, 3), S2SVPN_OK);
    CU_ASSERT_EQUAL(b.s.ops->load(b.s.store, s2_contract_list_one, &l), S2SVPN_OK);
    CU_ASSERT_STRING_EQUAL(l.text, "a=1:1 b=1:2 ");
    bench_close(&b);
}

static void submit_again(void *arg, s2svpn_status result)
{
    struct bench *b = arg;
    const s2svpn_change c = s2_contract_put("a", 2, "from the answer");

    CU_ASSERT_EQUAL(result, S2SVPN_OK);
    CU_ASSERT_EQUAL(b->s.ops->submit(b->s.store, &c, 1, on_done, b), S2SVPN_OK);
}

static void the_answer_may_submit_again(void)
{
    struct bench b;

    CU_ASSERT_FATAL(bench_open(&b));
    const s2svpn_change c = s2_contract_put("a", 1, "1");
    CU_ASSERT_EQUAL(b.s.ops->submit(b.s.store, &c, 1, submit_again, &b), S2SVPN_OK);
    settle(&b, 1);
    CU_ASSERT_EQUAL(b.answer, S2SVPN_OK);
    s2_contract_check_list(&b.s, "a=2:from the answer ");
    bench_close(&b);
}

/* Each answer says which it is of. */
struct numbered {
    unsigned *next, number, wrong;
    s2svpn_status result;
};

static void on_numbered(void *arg, s2svpn_status result)
{
    struct numbered *n = arg;

    n->wrong += (*n->next)++ != n->number;
    n->result = result;
}

static void answers_come_in_the_order_of_the_calls(void)
{
    struct numbered n[100];
    unsigned next = 0, wrong = 0;
    struct bench b;

    CU_ASSERT_FATAL(bench_open(&b));
    for (unsigned i = 0; i < 100; i++) { /* every third is made twice: a conflict */
        char id[8];

        n[i] = (struct numbered){.next = &next, .number = i, .result = S2SVPN_E_STATE};
        snprintf(id, sizeof(id), "r%u", i % 3 == 2 ? i - 1 : i);
        const s2svpn_change c = s2_contract_put(id, 1, "x");
        CU_ASSERT_EQUAL(b.s.ops->submit(b.s.store, &c, 1, on_numbered, &n[i]), S2SVPN_OK);
    }
    while (next < 100 && s2_contract_wait(&b.s))
        ;
    for (unsigned i = 0; i < 100; i++)
        wrong += n[i].wrong + (n[i].result != (i % 3 == 2 ? S2SVPN_E_CONFLICT : S2SVPN_OK));
    CU_ASSERT_EQUAL(next, 100);
    CU_ASSERT_EQUAL(wrong, 0);
    bench_close(&b);
}

static void a_transaction_sees_those_before_it(void)
{
    struct bench b;

    CU_ASSERT_FATAL(bench_open(&b));
    const s2svpn_change c[] = {s2_contract_put("a", 1, "1"), s2_contract_put("a", 2, "2"),
                               s2_contract_take("a", 3), s2_contract_put("a", 1, "4")};
    for (size_t i = 0; i < 4; i++) /* no answer is waited for */
        CU_ASSERT_EQUAL(b.s.ops->submit(b.s.store, &c[i], 1, on_done, &b), S2SVPN_OK);
    settle(&b, 4);
    CU_ASSERT_EQUAL(b.answer, S2SVPN_OK);
    s2_contract_check_list(&b.s, "a=1:4 ");
    bench_close(&b);
}

static void removing_nothing_is_no_conflict(void)
{
    struct bench b;

    CU_ASSERT_FATAL(bench_open(&b));
    const s2svpn_change c = s2_contract_take("a", 1); /* there must be none, and is none */
    CU_ASSERT_EQUAL(submit(&b, &c, 1), S2SVPN_OK);
    s2_contract_check_list(&b.s, "");
    bench_close(&b);
}

const CU_TestInfo s2_test_contract[] = {
    {"a record is made, changed and removed", a_record_is_made_changed_and_removed},
    {"the bytes are the store's own", the_bytes_are_the_stores_own},
    {"another revision is a conflict", another_revision_is_a_conflict},
    {"a transaction is made whole or not at all", a_transaction_is_made_whole_or_not_at_all},
    {"a transaction that means nothing is refused", a_transaction_that_means_nothing_is_refused},
    {"thousands come back in order of ids", thousands_come_back_in_order_of_ids},
    {"load stops when told", load_stops_when_told},
    {"the answer may submit again", the_answer_may_submit_again},
    {"answers come in the order of the calls", answers_come_in_the_order_of_the_calls},
    {"a transaction sees those before it", a_transaction_sees_those_before_it},
    {"removing nothing is no conflict", removing_nothing_is_no_conflict},
    CU_TEST_INFO_NULL,
};
