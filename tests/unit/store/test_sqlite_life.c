/* SPDX-License-Identifier: Apache-2.0 */
/* The SQLite store's options, memory, answers on a loop, backup and check. */
#include "heap.h"
#include "lab.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void options_are_checked_and_named(void)
{
    static const s2svpn_memory useless = {.size = sizeof(useless)};
    static const struct {
        const char *row, *field;
        s2svpn_sqlite_options o;
    } rows[] = {
        {"no size", "size", {.size = 0}},
        {"no path", "path", {.size = sizeof(s2svpn_sqlite_options)}},
        {"an empty path", "path", {.size = sizeof(s2svpn_sqlite_options), .path = ""}},
        {"a folder", "path", {.size = sizeof(s2svpn_sqlite_options), .path = "/tmp/"}},
        {"a long queue",
         "queue_max",
         {.size = sizeof(s2svpn_sqlite_options), .path = "x", .queue_max = 65537}},
        {"no VFS", "vfs", {.size = sizeof(s2svpn_sqlite_options), .path = "x", .vfs = "none"}},
        {"no memory",
         "memory",
         {.size = sizeof(s2svpn_sqlite_options), .path = "x", .memory = &useless}},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        s2svpn_sqlite_store *store = (s2svpn_sqlite_store *)&store;
        s2svpn_error why;

        CHECK_ROW(rows[i].row,
                  s2svpn_sqlite_store_new(&rows[i].o, &store, &why) == S2SVPN_E_ARGUMENT);
        CHECK_ROW(rows[i].row, store == NULL && strcmp(why.field, rows[i].field) == 0);
        CHECK_ROW(rows[i].row,
                  s2svpn_sqlite_store_new(&rows[i].o, &store, NULL) == S2SVPN_E_ARGUMENT);
    }
    s2svpn_sqlite_store_free(NULL);
}

/* SQLite's integers have a sign, and ids end. */
static void a_record_that_a_file_cannot_keep_is_refused(void)
{
    struct s2_lab lab;

    s2_lab_make(&lab);
    CU_ASSERT_EQUAL_FATAL(s2_lab_open(&lab), S2SVPN_OK);
    s2svpn_change c = s2_contract_put("", 1, "x");
    CU_ASSERT_EQUAL(s2_lab_post(&lab, &c, 1), S2SVPN_E_ARGUMENT);
    memset(c.record.id.text, 'a', sizeof(c.record.id.text));
    CU_ASSERT_EQUAL(s2_lab_post(&lab, &c, 1), S2SVPN_E_ARGUMENT);
    c.record.id.text[39] = '\0';
    CU_ASSERT_EQUAL(s2_lab_post(&lab, &c, 1), S2SVPN_OK);
    s2_lab_settle(&lab, 1);
    CU_ASSERT_EQUAL(lab.answer, S2SVPN_OK);
    c.record.revision = (uint64_t)INT64_MAX + 1;
    CU_ASSERT_EQUAL(s2_lab_post(&lab, &c, 1), S2SVPN_E_ARGUMENT);
    CU_ASSERT_EQUAL(lab.answers, 1);
    s2_lab_clear(&lab);
}

static void any_bytes_come_back_after_a_restart(void)
{
    char all[257];
    struct s2_contract_listing l = {.len = 0};
    struct s2_lab lab;

    for (int i = 0; i < 256; i++)
        all[i] = (char)(255 - i); /* the zero last: put() measures it */
    all[256] = '\0';
    s2_lab_make(&lab);
    CU_ASSERT_EQUAL_FATAL(s2_lab_open(&lab), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_lab_put(&lab, "all", 1, all), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_lab_put(&lab, "none", 1, ""), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_lab_put(&lab, "none", 2, ""), S2SVPN_OK);
    s2_lab_close(&lab);
    CU_ASSERT_EQUAL_FATAL(s2_lab_open(&lab), S2SVPN_OK);
    CU_ASSERT_EQUAL(lab.s.ops->load(lab.store, s2_contract_list_one, &l), S2SVPN_OK);
    CU_ASSERT_EQUAL(memcmp(l.text, "all=1:", 6), 0);
    CU_ASSERT_EQUAL(memcmp(l.text + 6, all, 255), 0);
    CU_ASSERT_STRING_EQUAL(l.text + 6 + 255, " none=2: ");
    s2_lab_clear(&lab);
}

static void bytes_are_wiped_before_they_are_given_back(void)
{
    static const char psk[] = "correct horse";
    struct s2_heap heap = {.watched = psk, .watched_len = strlen(psk)};
    struct s2_lab lab;

    s2_heap_init(&heap);
    s2_lab_make(&lab);
    lab.options.memory = &heap.memory;
    CU_ASSERT_EQUAL_FATAL(s2_lab_open(&lab), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_lab_put(&lab, "a", 1, psk), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_lab_put(&lab, "a", 1, psk), S2SVPN_E_CONFLICT);
    const s2svpn_change c = s2_contract_put("b", 1, psk);
    CU_ASSERT_EQUAL(s2_lab_post(&lab, &c, 1), S2SVPN_OK);
    s2_lab_close(&lab); /* its answer wasn't fetched */
    CU_ASSERT_EQUAL(heap.leaks, 0);
    CU_ASSERT_EQUAL(heap.live, 0);
    s2_lab_clear(&lab);
}

static void a_removed_key_is_not_left_in_the_file(void)
{
    static const char psk[] = "battery staple battery staple";
    unsigned found = 0;
    unsigned char *bytes;
    struct s2_lab lab;
    size_t len;

    s2_lab_make(&lab);
    CU_ASSERT_EQUAL_FATAL(s2_lab_open(&lab), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_lab_put(&lab, "a", 1, psk), S2SVPN_OK);
    const s2svpn_change c = s2_contract_take("a", 2);
    CU_ASSERT_EQUAL(s2_lab_post(&lab, &c, 1), S2SVPN_OK);
    s2_lab_settle(&lab, 2);
    s2_lab_close(&lab);
    bytes = s2_lab_read(lab.path, &len);
    for (size_t i = 0; bytes && i + sizeof(psk) <= len; i++)
        found += memcmp(bytes + i, psk, strlen(psk)) == 0;
    CU_ASSERT(len > 0);
    CU_ASSERT_EQUAL(found, 0);
    free(bytes);
    s2_lab_clear(&lab);
}

static void every_allocation_fails_once_and_changes_nothing(void)
{
    for (size_t fail_at = 1;; fail_at++) {
        struct s2_heap heap = {.fail_at = fail_at};
        s2svpn_status rc;
        struct s2_lab lab;

        s2_heap_init(&heap);
        s2_lab_make(&lab);
        lab.options.memory = &heap.memory;
        lab.options.vfs = "unix";
        rc = s2_lab_open(&lab);
        if (rc == S2SVPN_OK)
            rc = s2_lab_put(&lab, "a", 1, "x");
        if (rc == S2SVPN_OK)
            rc = s2svpn_sqlite_store_check(lab.store, s2_lab_on_done, &lab);
        if (rc == S2SVPN_OK)
            s2_lab_settle(&lab, 2);
        if (rc == S2SVPN_OK)
            rc =
                s2svpn_sqlite_store_backup(lab.store, s2_lab_file(&lab, "b"), s2_lab_on_done, &lab);
        CU_ASSERT(rc == S2SVPN_OK || rc == S2SVPN_E_MEMORY);
        s2_lab_clear(&lab);
        CU_ASSERT_EQUAL(heap.live, 0);
        if (rc == S2SVPN_OK) {
            CU_ASSERT_EQUAL(fail_at, 6); /* store, VFS's name, three tasks */
            break;
        }
    }
}

static void on_loop_done(void *arg, s2svpn_status result)
{
    struct event_base *base = arg;

    CU_ASSERT_EQUAL(result, S2SVPN_OK);
    event_base_loopbreak(base);
}

static void a_loop_gives_the_answers(void)
{
    struct event_base *base = event_base_new(), *other = event_base_new();
    const struct timeval patience = {.tv_sec = 60};
    s2svpn_change c = s2_contract_put("a", 1, "1");
    struct s2_lab lab;

    s2_lab_make(&lab);
    CU_ASSERT_EQUAL_FATAL(s2_lab_open(&lab), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_sqlite_store_watch(lab.store, other, NULL), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_sqlite_store_watch(lab.store, base, NULL), S2SVPN_OK);
    event_base_free(other); /* it is free of the store */
    CU_ASSERT_EQUAL(lab.s.ops->submit(lab.store, &c, 1, on_loop_done, base), S2SVPN_OK);
    event_base_loopexit(base, &patience);
    event_base_dispatch(base);
    CU_ASSERT(event_base_got_break(base));
    CU_ASSERT_EQUAL(s2svpn_sqlite_store_watch(lab.store, NULL, NULL), S2SVPN_OK);
    c = s2_contract_put("a", 2, "2");
    CU_ASSERT_EQUAL(s2_lab_post(&lab, &c, 1), S2SVPN_OK);
    s2_lab_settle(&lab, 1);
    CU_ASSERT_EQUAL(s2svpn_sqlite_store_watch(lab.store, base, NULL), S2SVPN_OK);
    s2_lab_clear(&lab);
    event_base_free(base); /* after the store */
}

static void a_backup_is_a_store_of_its_own(void)
{
    struct s2_lab lab;
    char copy[96];
    struct stat st;

    s2_lab_make(&lab);
    snprintf(copy, sizeof(copy), "%s", s2_lab_file(&lab, "copy.db"));
    CU_ASSERT_EQUAL_FATAL(s2_lab_open(&lab), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_lab_put(&lab, "a", 1, "1"), S2SVPN_OK);
    const s2svpn_change b = s2_contract_put("b", 1, "1"), c = s2_contract_put("c", 1, "1");
    CU_ASSERT_EQUAL(s2_lab_post(&lab, &b, 1), S2SVPN_OK); /* before it, so in it */
    CU_ASSERT_EQUAL(s2svpn_sqlite_store_backup(lab.store, copy, s2_lab_on_done, &lab), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_lab_post(&lab, &c, 1), S2SVPN_OK);
    s2_lab_settle(&lab, 4);
    CU_ASSERT_EQUAL(stat(copy, &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 07777, 0600);

    CU_ASSERT_EQUAL(s2svpn_sqlite_store_backup(lab.store, copy, s2_lab_on_done, &lab), S2SVPN_OK);
    s2_lab_settle(&lab, 5);
    CU_ASSERT_EQUAL(lab.answer, S2SVPN_E_EXISTS); /* and is left alone */
    CU_ASSERT_EQUAL(s2svpn_sqlite_store_backup(lab.store, "/nowhere/copy.db", s2_lab_on_done, &lab),
                    S2SVPN_OK);
    s2_lab_settle(&lab, 6);
    CU_ASSERT_EQUAL(lab.answer, S2SVPN_E_SYSTEM);
    s2svpn_sqlite_store_problem(lab.store, &lab.why);
    CU_ASSERT_PTR_NOT_NULL(strstr(lab.why.message, "No such file"));
    CU_ASSERT_EQUAL(s2svpn_sqlite_store_backup(lab.store, "", s2_lab_on_done, &lab),
                    S2SVPN_E_ARGUMENT);
    s2_contract_check_list(&lab.s, "a=1:1 b=1:1 c=1:1 ");
    s2_lab_close(&lab);

    lab.options.path = copy;
    CU_ASSERT_EQUAL_FATAL(s2_lab_open(&lab), S2SVPN_OK);
    s2_contract_check_list(&lab.s, "a=1:1 b=1:1 ");
    CU_ASSERT_EQUAL(s2_lab_put(&lab, "a", 2, "2"), S2SVPN_OK);
    s2_lab_clear(&lab);
}

static void a_check_reads_it_all(void)
{
    struct s2_lab lab;

    s2_lab_make(&lab);
    CU_ASSERT_EQUAL_FATAL(s2_lab_open(&lab), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_lab_put(&lab, "a", 1, "1"), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_sqlite_store_check(lab.store, s2_lab_on_done, &lab), S2SVPN_OK);
    s2_lab_settle(&lab, 2);
    CU_ASSERT_EQUAL(lab.answer, S2SVPN_OK);
    s2_lab_clear(&lab);
}

const CU_TestInfo s2_test_sqlite_life[] = {
    {"options are checked and named", options_are_checked_and_named},
    {"a record that a file cannot keep is refused", a_record_that_a_file_cannot_keep_is_refused},
    {"any bytes come back after a restart", any_bytes_come_back_after_a_restart},
    {"bytes are wiped before they are given back", bytes_are_wiped_before_they_are_given_back},
    {"a removed key is not left in the file", a_removed_key_is_not_left_in_the_file},
    {"every allocation fails once and changes nothing",
     every_allocation_fails_once_and_changes_nothing},
    {"a loop gives the answers", a_loop_gives_the_answers},
    {"a backup is a store of its own", a_backup_is_a_store_of_its_own},
    {"a check reads it all", a_check_reads_it_all},
    CU_TEST_INFO_NULL,
};
