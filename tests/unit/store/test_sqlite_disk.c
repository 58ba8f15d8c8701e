/* SPDX-License-Identifier: Apache-2.0 */
/* The SQLite store when the disk hangs, is full, is read-only or fails. */
#include "fault_vfs.h"
#include "lab.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void open_faulty(struct s2_lab *lab)
{
    s2_fault_vfs_reset();
    s2_lab_make(lab);
    lab->options.vfs = S2_FAULT_VFS;
    CU_ASSERT_EQUAL_FATAL(s2_lab_open(lab), S2SVPN_OK);
}

static uint64_t now_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Post records named after a number. */
static s2svpn_status post(struct s2_lab *lab, unsigned number)
{
    char id[16];

    snprintf(id, sizeof(id), "r%05u", number);
    const s2svpn_change c = s2_contract_put(id, 1, "bytes");
    return s2_lab_post(lab, &c, 1);
}

/* While the disk hangs nothing is answered, and no call waits for it: this thread is the
 * one that would let the disk go. */
static void no_call_waits_for_the_disk(void)
{
    s2svpn_sqlite_counters c = {.size = sizeof(c)};
    uint64_t longest = 0;
    struct s2_lab lab;

    open_faulty(&lab);
    s2_fault_vfs_hold();
    for (unsigned i = 0; i < 500; i++) {
        const uint64_t begin = now_ns();

        CU_ASSERT_EQUAL(post(&lab, i), S2SVPN_OK);
        s2svpn_sqlite_store_poll(lab.store);
        if (now_ns() - begin > longest)
            longest = now_ns() - begin;
    }
    CU_ASSERT(s2_fault_vfs_wait_held());
    s2svpn_sqlite_store_poll(lab.store);
    CU_ASSERT_EQUAL(lab.answers, 0);
    s2svpn_sqlite_store_get_counters(lab.store, &c);
    CU_ASSERT_EQUAL(c.queued, 500);
    s2_fault_vfs_let_go();
    s2_lab_settle(&lab, 500);
    CU_ASSERT_EQUAL(lab.answer, S2SVPN_OK);
    printf("    the longest of 500 submits to a disk that hangs: %u us\n",
           (unsigned)(longest / 1000));
    s2_lab_clear(&lab);
}

static void what_waits_together_is_synced_once(void)
{
    s2svpn_sqlite_counters c = {.size = sizeof(c)};
    struct s2_lab lab;

    open_faulty(&lab);
    CU_ASSERT_EQUAL(s2_lab_put(&lab, "first", 1, "x"), S2SVPN_OK);
    s2_fault_vfs_hold();
    CU_ASSERT_EQUAL(post(&lab, 0), S2SVPN_OK);
    CU_ASSERT(s2_fault_vfs_wait_held());
    const unsigned before = s2_fault_vfs_syncs(); /* the one that hangs included */
    for (unsigned i = 1; i <= 300; i++)
        CU_ASSERT_EQUAL(post(&lab, i), S2SVPN_OK);
    s2_fault_vfs_let_go();
    s2_lab_settle(&lab, 302);
    CU_ASSERT_EQUAL(s2_fault_vfs_syncs(), before + 1);
    s2svpn_sqlite_store_get_counters(lab.store, &c);
    CU_ASSERT_EQUAL(c.groups, 3);
    CU_ASSERT_EQUAL(c.transactions, 302);
    CU_ASSERT_EQUAL(c.queued_bytes, 0);
    s2_lab_clear(&lab);
}

/* A conflict in the middle of a group is that member's alone. */
static void a_member_of_a_group_fails_alone(void)
{
    struct s2_lab lab;

    open_faulty(&lab);
    s2_fault_vfs_hold();
    CU_ASSERT_EQUAL(post(&lab, 0), S2SVPN_OK);
    CU_ASSERT(s2_fault_vfs_wait_held());
    const s2svpn_change good = s2_contract_put("a", 1, "1");
    const s2svpn_change bad[] = {s2_contract_put("b", 1, "1"), s2_contract_put("a", 7, "2")};
    const s2svpn_change last = s2_contract_put("c", 1, "1");
    CU_ASSERT_EQUAL(s2_lab_post(&lab, &good, 1), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_lab_post(&lab, bad, 2), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_lab_post(&lab, &last, 1), S2SVPN_OK);
    s2_fault_vfs_let_go();
    s2_lab_settle(&lab, 4);
    CU_ASSERT_EQUAL(lab.answer, S2SVPN_OK);
    s2_contract_check_list(&lab.s, "a=1:1 c=1:1 r00000=1:bytes ");
    s2_lab_clear(&lab);
}

static void the_queue_is_bounded(void)
{
    char large[1001];
    struct s2_lab lab;
    unsigned n = 0;

    s2_fault_vfs_reset();
    memset(large, 'x', 1000);
    large[1000] = '\0';
    for (int by_bytes = 0; by_bytes < 2; by_bytes++) {
        s2_lab_make(&lab);
        lab.options.vfs = S2_FAULT_VFS;
        lab.options.queue_max = by_bytes ? 0 : 10;
        lab.options.queue_bytes_max = by_bytes ? 20000 : 0;
        CU_ASSERT_EQUAL_FATAL(s2_lab_open(&lab), S2SVPN_OK);
        s2_fault_vfs_hold();
        for (n = 0; n < 100; n++) {
            char id[16];

            snprintf(id, sizeof(id), "r%u", n);
            const s2svpn_change c = s2_contract_put(id, 1, by_bytes ? large : "");
            const s2svpn_status rc = s2_lab_post(&lab, &c, 1);
            if (rc != S2SVPN_OK) {
                CU_ASSERT_EQUAL(rc, S2SVPN_E_LIMIT);
                break;
            }
        }
        CU_ASSERT(by_bytes ? n > 10 && n < 20 : n == 10);
        s2_fault_vfs_let_go();
        s2_lab_settle(&lab, n); /* the refused one has no answer */
        CU_ASSERT_EQUAL(post(&lab, 0), S2SVPN_OK);
        s2_lab_settle(&lab, n + 1);
        s2_lab_clear(&lab);
    }
}

static void a_cancelled_answer_does_not_come(void)
{
    struct s2_lab lab, other = {.answers = 0};

    open_faulty(&lab);
    s2_fault_vfs_hold();
    const s2svpn_change a = s2_contract_put("a", 1, "1"), b = s2_contract_put("b", 1, "1");
    const s2svpn_change c = s2_contract_put("c", 1, "1");
    CU_ASSERT_EQUAL(lab.s.ops->submit(lab.store, &a, 1, s2_lab_on_done, &other), S2SVPN_OK);
    CU_ASSERT(s2_fault_vfs_wait_held()); /* a is in the writer's hands, the others wait */
    CU_ASSERT_EQUAL(lab.s.ops->submit(lab.store, &b, 1, s2_lab_on_done, &other), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_lab_post(&lab, &c, 1), S2SVPN_OK);
    lab.s.ops->cancel(lab.store, &other);
    s2_fault_vfs_let_go();
    s2_lab_settle(&lab, 1);
    CU_ASSERT_EQUAL(other.answers, 0);
    s2_contract_check_list(&lab.s, "a=1:1 b=1:1 c=1:1 "); /* they are made all the same */
    s2_lab_clear(&lab);
}

static void freeing_writes_what_was_submitted(void)
{
    struct s2_lab lab;

    open_faulty(&lab);
    const s2svpn_change a = s2_contract_put("a", 1, "1"), b = s2_contract_put("b", 1, "1");
    CU_ASSERT_EQUAL(s2_lab_post(&lab, &a, 1), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_lab_post(&lab, &b, 1), S2SVPN_OK);
    s2_lab_close(&lab);
    CU_ASSERT_EQUAL(lab.answers, 0);
    CU_ASSERT_EQUAL_FATAL(s2_lab_open(&lab), S2SVPN_OK);
    s2_contract_check_list(&lab.s, "a=1:1 b=1:1 ");
    s2_lab_clear(&lab);
}

/* What fails changes nothing, and when the disk is well again so is the store. */
static void a_failing_disk_is_told_and_got_over(void)
{
    static const struct {
        const char *row;
        int write_rc, sync_rc;
        const char *words;
    } rows[] = {
        {"full", SQLITE_FULL, 0, "room on the disk"},
        {"read-only", SQLITE_READONLY, 0, "read-only"},
        {"writing fails", SQLITE_IOERR_WRITE, 0, ""},
        {"syncing fails", 0, SQLITE_IOERR_FSYNC, ""},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        s2svpn_error problem;
        struct s2_lab lab;

        open_faulty(&lab);
        CU_ASSERT_EQUAL(s2_lab_put(&lab, "a", 1, "before"), S2SVPN_OK);
        s2_fault_vfs_fail(rows[i].write_rc, rows[i].sync_rc);
        for (int again = 0; again < 3; again++) {
            CHECK_ROW(rows[i].row, s2_lab_put(&lab, "a", 2, "lost") == S2SVPN_E_STORE);
            CHECK_ROW(rows[i].row, s2_lab_put(&lab, "b", 1, "lost") == S2SVPN_E_STORE);
        }
        s2svpn_sqlite_store_problem(lab.store, &problem);
        CHECK_ROW(rows[i].row, problem.code == S2SVPN_E_STORE && problem.message[0] != '\0' &&
                                   strstr(problem.message, rows[i].words) != NULL);
        s2_contract_check_list(&lab.s, "a=1:before "); /* it can be read meanwhile */
        s2_fault_vfs_fail(0, 0);
        CHECK_ROW(rows[i].row, s2_lab_put(&lab, "a", 2, "after") == S2SVPN_OK);
        s2svpn_sqlite_store_problem(lab.store, &problem);
        CHECK_ROW(rows[i].row, problem.code == S2SVPN_OK);
        s2_lab_close(&lab);
        CU_ASSERT_EQUAL_FATAL(s2_lab_open(&lab), S2SVPN_OK);
        s2_contract_check_list(&lab.s, "a=2:after ");
        s2_lab_clear(&lab);
    }
}

/* The n-th write of a stream fails, for each n; some of them are the checkpoint's. */
static void any_write_may_be_the_one_that_fails(void)
{
    char large[3001];

    memset(large, 'x', 3000);
    large[3000] = '\0';
    for (unsigned fail_after = 0; fail_after < 40; fail_after++) {
        unsigned made = 0, found = 0;
        struct s2_lab lab;

        open_faulty(&lab);
        s2_fault_vfs_fail_after(fail_after, SQLITE_FULL);
        for (unsigned i = 0; i < 20; i++) {
            char id[16];

            snprintf(id, sizeof(id), "r%02u", i);
            made += s2_lab_put(&lab, id, 1, large) == S2SVPN_OK;
        }
        s2_fault_vfs_fail(0, 0);
        for (unsigned i = 0; i < 20; i++) { /* made then, or only now */
            char id[16];

            snprintf(id, sizeof(id), "r%02u", i);
            found += s2_lab_put(&lab, id, 1, large) == S2SVPN_E_CONFLICT;
        }
        CU_ASSERT_EQUAL(found, made);
        s2_lab_close(&lab);
        CU_ASSERT_EQUAL(s2_lab_open(&lab), S2SVPN_OK);
        s2_lab_clear(&lab);
    }
}

/* In a child process: the kernel says EFBIG, and there is room again later. */
static int live_with_a_limit(struct s2_lab *lab)
{
    struct rlimit limit;
    char large[8001];
    unsigned i, made;

    memset(large, 'x', 8000);
    large[8000] = '\0';
    if (s2_lab_open(lab) != S2SVPN_OK || getrlimit(RLIMIT_FSIZE, &limit) != 0)
        return 1;
    limit.rlim_cur = 200000;
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
        return 2;
    for (made = 0; made < 100; made++) {
        char id[16];

        snprintf(id, sizeof(id), "r%03u", made);
        if (s2_lab_put(lab, id, 1, large) != S2SVPN_OK)
            break;
    }
    s2svpn_sqlite_store_problem(lab->store, &lab->why);
    if (made == 0 || made == 100 || lab->why.message[0] == '\0')
        return 3;
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
        return 4;
    for (i = made; i < made + 20; i++) {
        char id[16];

        snprintf(id, sizeof(id), "r%03u", i);
        if (s2_lab_put(lab, id, 1, large) != S2SVPN_OK)
            return 5;
    }
    s2_lab_close(lab);
    return s2_lab_open(lab) == S2SVPN_OK ? 0 : 6;
}

static void a_limit_of_the_file_is_told_and_got_over(void)
{
    struct s2_lab lab;
    int status = -1;

    s2_lab_make(&lab);
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0)
        _exit(live_with_a_limit(&lab));
    CU_ASSERT_FATAL(child > 0);
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT(WIFEXITED(status));
    CU_ASSERT_EQUAL(WEXITSTATUS(status), 0);
    s2_lab_clear(&lab);
}

const CU_TestInfo s2_test_sqlite_disk[] = {
    {"no call waits for the disk", no_call_waits_for_the_disk},
    {"what waits together is synced once", what_waits_together_is_synced_once},
    {"a member of a group fails alone", a_member_of_a_group_fails_alone},
    {"the queue is bounded", the_queue_is_bounded},
    {"a cancelled answer does not come", a_cancelled_answer_does_not_come},
    {"freeing writes what was submitted", freeing_writes_what_was_submitted},
    {"a failing disk is told and got over", a_failing_disk_is_told_and_got_over},
    {"any write may be the one that fails", any_write_may_be_the_one_that_fails},
    {"a limit of the file is told and got over", a_limit_of_the_file_is_told_and_got_over},
    CU_TEST_INFO_NULL,
};
