/* SPDX-License-Identifier: Apache-2.0 */
/* Answers are waited for on the store's descriptor, for 60 s at most. */
#include "lab.h"

#include <dirent.h>
#include <poll.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATIENCE_MS 60000

void s2_lab_make(struct s2_lab *lab)
{
    memset(lab, 0, sizeof(*lab));
    snprintf(lab->folder, sizeof(lab->folder), "/tmp/s2-store-XXXXXX");
    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(lab->folder));
    snprintf(lab->path, sizeof(lab->path), "%s/state.db", lab->folder);
    lab->options = (s2svpn_sqlite_options)S2SVPN_SQLITE_OPTIONS_INIT;
    lab->options.path = lab->path;
    lab->answer = S2SVPN_E_STATE;
}

void s2_lab_clear(struct s2_lab *lab)
{
    struct dirent *entry;
    DIR *folder;

    s2_lab_close(lab);
    folder = opendir(lab->folder);
    while (folder && (entry = readdir(folder)) != NULL) {
        char path[sizeof(lab->folder) + 257];

        snprintf(path, sizeof(path), "%s/%s", lab->folder, entry->d_name);
        (void)unlink(path);
    }
    if (folder)
        closedir(folder);
    CU_ASSERT_EQUAL(rmdir(lab->folder), 0);
}

s2svpn_status s2_lab_open(struct s2_lab *lab)
{
    const s2svpn_status rc = s2svpn_sqlite_store_new(&lab->options, &lab->store, &lab->why);

    lab->s = (struct s2_contract_store){.ops = s2svpn_sqlite_store_ops(), .store = lab->store};
    return rc;
}

void s2_lab_close(struct s2_lab *lab)
{
    s2svpn_sqlite_store_free(lab->store);
    lab->store = NULL;
}

bool s2_lab_wait(struct s2_lab *lab)
{
    struct pollfd p = {.fd = s2svpn_sqlite_store_fd(lab->store), .events = POLLIN};

    if (poll(&p, 1, PATIENCE_MS) != 1)
        return false;
    s2svpn_sqlite_store_poll(lab->store);
    return true;
}

void s2_lab_settle(struct s2_lab *lab, unsigned answers)
{
    while (lab->answers < answers && s2_lab_wait(lab))
        ;
    CU_ASSERT_EQUAL(lab->answers, answers);
}

void s2_lab_on_done(void *arg, s2svpn_status result)
{
    struct s2_lab *lab = arg;

    lab->answer = result;
    lab->answers++;
}

s2svpn_status s2_lab_post(struct s2_lab *lab, const s2svpn_change *c, size_t n)
{
    return lab->s.ops->submit(lab->store, c, n, s2_lab_on_done, lab);
}

s2svpn_status s2_lab_put(struct s2_lab *lab, const char *id, uint64_t revision, const char *text)
{
    const s2svpn_change c = s2_contract_put(id, revision, text);
    const unsigned before = lab->answers;
    const s2svpn_status rc = s2_lab_post(lab, &c, 1);

    if (rc != S2SVPN_OK)
        return rc;
    s2_lab_settle(lab, before + 1);
    return lab->answer;
}

const char *s2_lab_file(struct s2_lab *lab, const char *name)
{
    static char path[sizeof(lab->folder) + 64];

    snprintf(path, sizeof(path), "%s/%s", lab->folder, name);
    return path;
}

unsigned char *s2_lab_read(const char *path, size_t *len)
{
    FILE *f = fopen(path, "rb");
    unsigned char *bytes = malloc(4 << 20);

    *len = 0;
    if (f && bytes)
        *len = fread(bytes, 1, 4 << 20, f);
    if (f)
        fclose(f);
    return bytes;
}

void s2_lab_sql(struct s2_lab *lab, const char *sql)
{
    sqlite3 *db = NULL;

    CU_ASSERT_EQUAL(sqlite3_open(lab->path, &db), SQLITE_OK);
    CU_ASSERT_EQUAL(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    chmod(lab->path, 0600);
}
