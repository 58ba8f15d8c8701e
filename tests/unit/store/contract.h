/* SPDX-License-Identifier: Apache-2.0 */
/* What store.h promises of every store, as tests (contract.c). A program that links them
 * brings the store to be tested with the three functions below. */
#ifndef S2_TESTS_STORE_CONTRACT_H
#define S2_TESTS_STORE_CONTRACT_H

#include "harness.h"
#include "s2svpn/store.h"

struct s2_contract_store {
    const s2svpn_store_ops *ops;
    void *store;
    void *user; /* of who opened it */
};

/* A new, empty store. */
bool s2_contract_open(struct s2_contract_store *s);
void s2_contract_close(struct s2_contract_store *s);
/* Wait until there are answers and give them; false if none came for long. */
bool s2_contract_wait(struct s2_contract_store *s);

extern const CU_TestInfo s2_test_contract[];

/* ---- pieces for other suites */

s2svpn_change s2_contract_put(const char *id, uint64_t revision, const char *text);
s2svpn_change s2_contract_take(const char *id, uint64_t revision);

/* "id=revision:text " of every record, in the order of load. */
struct s2_contract_listing {
    char text[512];
    size_t len;
    unsigned stop_after;
};
bool s2_contract_list_one(void *arg, const s2svpn_record *r);
void s2_contract_check_list(const struct s2_contract_store *s, const char *expected);

#endif
