/* SPDX-License-Identifier: Apache-2.0 */
/* A folder with an SQLite store in it, and its answers. */
#ifndef S2_TESTS_STORE_LAB_H
#define S2_TESTS_STORE_LAB_H

#include "contract.h"
#include "s2svpn/sqlite.h"

struct s2_lab {
    char folder[32], path[64];
    s2svpn_sqlite_options options; /* path is set; the rest is the test's */
    s2svpn_sqlite_store *store;
    struct s2_contract_store s; /* the same, as the contract's pieces want it */
    s2svpn_error why;
    s2svpn_status answer;
    unsigned answers;
};

/* A new folder; no store yet. */
void s2_lab_make(struct s2_lab *lab);
/* Remove the folder with what is in it; the store is freed first. */
void s2_lab_clear(struct s2_lab *lab);
s2svpn_status s2_lab_open(struct s2_lab *lab);
void s2_lab_close(struct s2_lab *lab);
/* Wait for answers and give them; false if none came for long. */
bool s2_lab_wait(struct s2_lab *lab);
/* Until so many answers have come in all. */
void s2_lab_settle(struct s2_lab *lab, unsigned answers);
/* Submit without waiting; the answer goes to the lab. */
s2svpn_status s2_lab_post(struct s2_lab *lab, const s2svpn_change *c, size_t n);
/* Submit, and the answer. */
s2svpn_status s2_lab_put(struct s2_lab *lab, const char *id, uint64_t revision, const char *text);
void s2_lab_on_done(void *lab, s2svpn_status result);
/* "folder/name", borrowed until the next call. */
const char *s2_lab_file(struct s2_lab *lab, const char *name);
/* The file's bytes; *len 0 if there is none. Free with free(). */
unsigned char *s2_lab_read(const char *path, size_t *len);
/* Run SQL on a store that isn't open, as a plain database. */
void s2_lab_sql(struct s2_lab *lab, const char *sql);

#endif
