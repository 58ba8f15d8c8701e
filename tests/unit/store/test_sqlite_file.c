/* SPDX-License-Identifier: Apache-2.0 */
/* Which files the SQLite store takes, which it refuses, and that what it refuses is left
 * as it was; schemas of other versions. */
#include "lab.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/sqlite/sqlite.h"

static void fill(struct s2_lab *lab)
{
    CU_ASSERT_EQUAL_FATAL(s2_lab_open(lab), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_lab_put(lab, "a", 1, "1"), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2_lab_put(lab, "b", 1, "1"), S2SVPN_OK);
    s2_lab_close(lab);
}

/* It is refused with this code and word, and is as before, with nothing beside it. */
static void check_refused(struct s2_lab *lab, const char *row, s2svpn_status code, const char *word)
{
    size_t before_len, after_len;
    unsigned char *before = s2_lab_read(lab->path, &before_len), *after;
    const s2svpn_status rc = s2_lab_open(lab);

    CHECK_ROW(row, rc == code && lab->why.code == code);
    CHECK_ROW(row, strstr(lab->why.message, word) != NULL);
    if (rc != code || strstr(lab->why.message, word) == NULL)
        printf("    %s: %s\n", row, lab->why.message);
    s2_lab_close(lab);
    after = s2_lab_read(lab->path, &after_len);
    CHECK_ROW(row,
              before_len == after_len && before && after && memcmp(before, after, before_len) == 0);
    CHECK_ROW(row, access(s2_lab_file(lab, "state.db-journal"), F_OK) != 0);
    free(before);
    free(after);
}

static void a_new_file_is_its_owners_alone(void)
{
    const mode_t before = umask(0);
    struct s2_lab lab;
    struct stat st;

    s2_lab_make(&lab);
    CU_ASSERT_EQUAL_FATAL(s2_lab_open(&lab), S2SVPN_OK);
    umask(before);
    CU_ASSERT_EQUAL(s2_lab_put(&lab, "a", 1, "1"), S2SVPN_OK);
    CU_ASSERT_EQUAL(stat(lab.path, &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 07777, 0600);
    CU_ASSERT_EQUAL(stat(s2_lab_file(&lab, "state.db-wal"), &st), 0);
    CU_ASSERT_EQUAL(st.st_mode & 07777, 0600);
    CU_ASSERT(access(s2_lab_file(&lab, "state.db-shm"), F_OK) != 0);
    s2_lab_close(&lab);
    CU_ASSERT(access(s2_lab_file(&lab, "state.db-wal"), F_OK) != 0);
    s2_lab_clear(&lab);
}

static void a_file_that_others_could_use_is_refused(void)
{
    struct s2_lab lab;

    s2_lab_make(&lab);
    fill(&lab);
    chmod(lab.path, 0640);
    check_refused(&lab, "others may read it", S2SVPN_E_SYSTEM, "mode 0600");
    chmod(lab.path, 0602);
    check_refused(&lab, "others may write it", S2SVPN_E_SYSTEM, "mode 0600");
    chmod(lab.path, 0600);
    CU_ASSERT_EQUAL(link(lab.path, s2_lab_file(&lab, "second")), 0);
    check_refused(&lab, "a second name", S2SVPN_E_SYSTEM, "second name");
    CU_ASSERT_EQUAL(unlink(s2_lab_file(&lab, "second")), 0);
    chmod(lab.folder, 0777);
    check_refused(&lab, "an open folder", S2SVPN_E_SYSTEM, "others may write in its folder");
    chmod(lab.folder, 01777);
    check_refused(&lab, "an open, sticky folder", S2SVPN_E_SYSTEM, "others may write in its");
    chmod(lab.folder, 0700);
    if (geteuid() == 0) {
        CU_ASSERT_EQUAL(chown(lab.path, 12345, 12345), 0);
        check_refused(&lab, "another owner", S2SVPN_E_SYSTEM, "another user's");
        CU_ASSERT_EQUAL(chown(lab.path, 0, 0), 0);
        CU_ASSERT_EQUAL(chown(lab.folder, 12345, 12345), 0);
        check_refused(&lab, "another's folder", S2SVPN_E_SYSTEM, "folder is another user's");
        CU_ASSERT_EQUAL(chown(lab.folder, 0, 0), 0);
    }
    CU_ASSERT_EQUAL(rename(lab.path, s2_lab_file(&lab, "real")), 0);
    CU_ASSERT_EQUAL(symlink("real", lab.path), 0);
    check_refused(&lab, "a link", S2SVPN_E_SYSTEM, "a link");
    CU_ASSERT_EQUAL(unlink(lab.path), 0);
    CU_ASSERT_EQUAL(mkfifo(lab.path, 0600), 0);
    CU_ASSERT_EQUAL(s2_lab_open(&lab), S2SVPN_E_SYSTEM);
    CU_ASSERT_EQUAL(unlink(lab.path), 0);
    CU_ASSERT_EQUAL(rename(s2_lab_file(&lab, "real"), lab.path), 0);
    CU_ASSERT_EQUAL(s2_lab_open(&lab), S2SVPN_OK); /* each was put right again */
    s2_lab_clear(&lab);
    CU_ASSERT_EQUAL(s2_lab_open(&lab), S2SVPN_E_SYSTEM); /* no folder any more */
    CU_ASSERT_PTR_NOT_NULL(strstr(lab.why.message, "No such file"));
}

static void a_damaged_file_is_refused_and_kept(void)
{
    static const struct {
        const char *row;
        long at;  /* from the file's begin, or its end if negative */
        int flip; /* bytes that are changed */
        const char *word;
    } rows[] = {
        {"the first byte", 0, 1, "damaged"},       {"the whole first page", 0, 4096, "damaged"},
        {"the table's schema", 4096 - 60, 40, ""}, {"the table's page", 4096, 12, "damaged"},
        {"the last record", -30, 30, "damaged"},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        unsigned char *bytes;
        struct s2_lab lab;
        size_t len;
        FILE *f;

        s2_lab_make(&lab);
        fill(&lab);
        bytes = s2_lab_read(lab.path, &len);
        CU_ASSERT_EQUAL_FATAL(len, 8192);
        for (int k = 0; k < rows[i].flip; k++)
            bytes[(rows[i].at < 0 ? (long)len : 0) + rows[i].at + k] ^= 0xa5;
        f = fopen(lab.path, "r+b");
        CU_ASSERT_EQUAL(fwrite(bytes, 1, len, f), len);
        fclose(f);
        free(bytes);
        check_refused(&lab, rows[i].row, S2SVPN_E_STORE, rows[i].word);
        s2_lab_clear(&lab);
    }
}

static void a_file_that_was_cut_is_refused_and_kept(void)
{
    struct s2_lab lab;

    s2_lab_make(&lab);
    fill(&lab);
    CU_ASSERT_EQUAL(truncate(lab.path, 6000), 0);
    check_refused(&lab, "cut in a page", S2SVPN_E_STORE, "damaged");
    CU_ASSERT_EQUAL(truncate(lab.path, 4096), 0);
    check_refused(&lab, "a page is missing", S2SVPN_E_STORE, "damaged");
    CU_ASSERT_EQUAL(truncate(lab.path, 50), 0);
    check_refused(&lab, "no page is left", S2SVPN_E_STORE, "damaged");
    CU_ASSERT_EQUAL(truncate(lab.path, 0), 0);
    FILE *log = fopen(s2_lab_file(&lab, "state.db-wal"), "wb");
    fputs("something", log);
    fclose(log);
    check_refused(&lab, "empty beside a log", S2SVPN_E_STORE, "damaged");
    CU_ASSERT_EQUAL(unlink(s2_lab_file(&lab, "state.db-wal")), 0);
    CU_ASSERT_EQUAL(s2_lab_open(&lab), S2SVPN_OK); /* as when the process ended at once */
    s2_contract_check_list(&lab.s, "");
    s2_lab_clear(&lab);
}

static void another_programs_file_is_refused_and_kept(void)
{
    static const struct {
        const char *row, *sql, *word;
        s2svpn_status code;
    } rows[] = {
        {"another database", "CREATE TABLE record (x); PRAGMA user_version = 1", "another program",
         S2SVPN_E_STORE},
        {"another mark", "PRAGMA application_id = 7", "another program", S2SVPN_E_STORE},
        {"a newer schema",
         "CREATE TABLE later (x); PRAGMA application_id = 0x53325650; PRAGMA user_version = 2",
         "newer version", S2SVPN_E_UNSUPPORTED},
        {"a much newer schema, in WAL",
         "PRAGMA journal_mode = WAL; CREATE TABLE later (x); PRAGMA application_id = 0x53325650;"
         "PRAGMA user_version = 2000000",
         "2000000", S2SVPN_E_UNSUPPORTED},
        {"a negative one",
         "CREATE TABLE x (x); PRAGMA application_id = 0x53325650; PRAGMA user_version = -1", "-1",
         S2SVPN_E_UNSUPPORTED},
        {"no table", "PRAGMA application_id = 0x53325650; PRAGMA user_version = 1", "damaged",
         S2SVPN_E_STORE},
        {"an odd record",
         "CREATE TABLE record (id TEXT NOT NULL PRIMARY KEY, kind INTEGER NOT NULL, revision"
         " INTEGER NOT NULL, data BLOB NOT NULL) WITHOUT ROWID;"
         "INSERT INTO record VALUES ('a', 1, 0, x'00');"
         "PRAGMA application_id = 0x53325650; PRAGMA user_version = 1",
         "1 odd record", S2SVPN_E_STORE},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct s2_lab lab;

        s2_lab_make(&lab);
        s2_lab_sql(&lab, rows[i].sql);
        check_refused(&lab, rows[i].row, rows[i].code, rows[i].word);
        s2_lab_clear(&lab);
    }
}

/* A newer version was killed: what is in the log stays there for it. */
static void the_log_of_a_refused_file_is_kept(void)
{
    size_t before, after;
    struct s2_lab lab;
    int status = -1;

    s2_lab_make(&lab);
    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        sqlite3 *db = NULL;

        _exit(sqlite3_open(lab.path, &db) ||
              sqlite3_exec(db,
                           "PRAGMA journal_mode = WAL; CREATE TABLE later (x);"
                           "PRAGMA application_id = 0x53325650; PRAGMA user_version = 2",
                           NULL, NULL, NULL));
    }
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    CU_ASSERT_EQUAL(status, 0);
    chmod(lab.path, 0600);
    free(s2_lab_read(s2_lab_file(&lab, "state.db-wal"), &before));
    CU_ASSERT(before > 0);
    check_refused(&lab, "a newer schema in a log", S2SVPN_E_UNSUPPORTED, "newer version");
    free(s2_lab_read(s2_lab_file(&lab, "state.db-wal"), &after));
    CU_ASSERT_EQUAL(before, after);
    s2_lab_clear(&lab);
}

static void text_is_refused_and_kept(void)
{
    struct s2_lab lab;
    FILE *f;

    s2_lab_make(&lab);
    f = fopen(lab.path, "wb");
    for (int i = 0; i < 1000; i++)
        fputs("a letter\n", f);
    fclose(f);
    chmod(lab.path, 0600);
    check_refused(&lab, "text", S2SVPN_E_STORE, "no SQLite database");
    s2_lab_clear(&lab);
}

/* In a child process; its exit status is what it got, negated. */
static int status_of_child_open(struct s2_lab *lab)
{
    int status = -1;

    fflush(stdout);
    const pid_t child = fork();
    if (child == 0) {
        s2svpn_sqlite_store *store;
        s2svpn_error why;

        _exit(-s2svpn_sqlite_store_new(&lab->options, &store, &why) |
              (strstr(why.message, "another process") ? 0x40 : 0));
    }
    if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status))
        return -1;
    return WEXITSTATUS(status);
}

static void a_second_opener_is_refused(void)
{
    s2svpn_sqlite_store *second = NULL;
    struct s2_lab lab;

    s2_lab_make(&lab);
    for (int again = 0; again < 2; again++) { /* a new file, and one that is there */
        CU_ASSERT_EQUAL_FATAL(s2_lab_open(&lab), S2SVPN_OK);
        CU_ASSERT_EQUAL(status_of_child_open(&lab), -S2SVPN_E_IN_USE | 0x40);
        CU_ASSERT_EQUAL(s2_lab_put(&lab, "a", (uint64_t)again + 1, "x"), S2SVPN_OK);
        CU_ASSERT_EQUAL(status_of_child_open(&lab), -S2SVPN_E_IN_USE | 0x40);
        CU_ASSERT_EQUAL(s2svpn_sqlite_store_new(&lab.options, &second, &lab.why), S2SVPN_E_IN_USE);
        CU_ASSERT_PTR_NULL(second);
        /* nor has the attempt in our own process dropped the lock */
        CU_ASSERT_EQUAL(status_of_child_open(&lab), -S2SVPN_E_IN_USE | 0x40);
        s2_lab_close(&lab);
    }
    CU_ASSERT_EQUAL_FATAL(s2_lab_open(&lab), S2SVPN_OK);
    s2_contract_check_list(&lab.s, "a=2:x ");
    s2_lab_clear(&lab);
}

/* tests/vectors/store_v1.db was written by schema version 1 and never changes: whatever
 * the newest version is, it must bring this file up to it with all its records. */
static void a_stored_file_of_version_1_is_read(void)
{
    const char *top = getenv("S2_SRC");
    unsigned char *bytes;
    struct s2_lab lab;
    char vector[512];
    size_t len;
    FILE *f;

    snprintf(vector, sizeof(vector), "%s/tests/vectors/store_v1.db", top ? top : ".");
    s2_lab_make(&lab);
    bytes = s2_lab_read(vector, &len);
    CU_ASSERT_FATAL(len > 0);
    f = fopen(lab.path, "wb");
    CU_ASSERT_EQUAL(fwrite(bytes, 1, len, f), len);
    fclose(f);
    chmod(lab.path, 0600);
    free(bytes);
    CU_ASSERT_EQUAL_FATAL(s2_lab_open(&lab), S2SVPN_OK);
    s2_contract_check_list(&lab.s, "cgw-0123456789abcdef0=1:address 203.0.113.7\n "
                                   "rtb-0123456789abcdef0=7:vpc vpc-1\nentry 10.0.0.0/16\n "
                                   "vgw-0123456789abcdef0=2: ");
    CU_ASSERT_EQUAL(s2_lab_put(&lab, "vgw-0123456789abcdef0", 3, "more"), S2SVPN_OK);
    s2_lab_clear(&lab);
}

static void migrations_are_made_in_order_and_whole(void)
{
    static const struct s2_sqlite_migration steps[] = {
        {"CREATE TABLE record (id TEXT)"}, /* never run again: the file is at 1 */
        {"ALTER TABLE record ADD COLUMN account TEXT NOT NULL DEFAULT '000000000000'"},
        {"UPDATE record SET account = '111122223333' WHERE account = '000000000000'"},
        {"SELECT no_such_function()"},
    };
    sqlite3 *db = NULL;
    s2svpn_error why;
    struct s2_lab lab;

    s2_lab_make(&lab);
    fill(&lab);
    CU_ASSERT_EQUAL(sqlite3_open(lab.path, &db), SQLITE_OK);
    CU_ASSERT_EQUAL(s2_sqlite_migrate(db, steps, 4, &why), S2SVPN_E_STORE); /* the last fails */
    CU_ASSERT_EQUAL(sqlite3_exec(db, "SELECT account FROM record", 0, 0, 0), SQLITE_ERROR);
    CU_ASSERT_EQUAL(s2_sqlite_migrate(db, steps, 1, &why), S2SVPN_OK); /* nothing to do */
    CU_ASSERT_EQUAL(s2_sqlite_migrate(db, steps, 3, &why), S2SVPN_OK);
    CU_ASSERT_EQUAL(sqlite3_exec(db,
                                 "UPDATE record SET data = x'32', revision = 2"
                                 " WHERE account = '111122223333'",
                                 0, 0, 0),
                    SQLITE_OK);
    CU_ASSERT_EQUAL(sqlite3_changes(db), 2);
    CU_ASSERT_EQUAL(s2_sqlite_migrate(db, steps, 2, &why), S2SVPN_E_UNSUPPORTED);
    CU_ASSERT_PTR_NOT_NULL(strstr(why.message, "schema is 3"));
    sqlite3_close(db);
    check_refused(&lab, "from the future", S2SVPN_E_UNSUPPORTED, "schema is 3");
    s2_lab_clear(&lab);
}

const CU_TestInfo s2_test_sqlite_file[] = {
    {"a new file is its owner's alone", a_new_file_is_its_owners_alone},
    {"a file that others could use is refused", a_file_that_others_could_use_is_refused},
    {"a damaged file is refused and kept", a_damaged_file_is_refused_and_kept},
    {"a file that was cut is refused and kept", a_file_that_was_cut_is_refused_and_kept},
    {"another program's file is refused and kept", another_programs_file_is_refused_and_kept},
    {"the log of a refused file is kept", the_log_of_a_refused_file_is_kept},
    {"text is refused and kept", text_is_refused_and_kept},
    {"a second opener is refused", a_second_opener_is_refused},
    {"a stored file of version 1 is read", a_stored_file_of_version_1_is_read},
    {"migrations are made in order and whole", migrations_are_made_in_order_and_whole},
    CU_TEST_INFO_NULL,
};
