/* SPDX-License-Identifier: Apache-2.0 */
/* Runs CUnit suites and prints one line a test, "ok SUITE: NAME" or
 * "not ok SUITE: NAME", with the failed checks below it, then
 * "N passed, N failed, N skipped". A test that checks nothing has failed. With
 * arguments only suites or tests whose "suite: name" contains one of them run;
 * the others are left out. */
#ifndef S2_TESTS_HARNESS_H
#define S2_TESTS_HARNESS_H

#include <CUnit/CUnit.h>
#include <stddef.h>

struct s2_suite {
    const char *name;         /* "base/reader": the file under test */
    const CU_TestInfo *tests; /* ended by CU_TEST_INFO_NULL */
};

/* Returns main's exit status: 0 if nothing failed. */
int s2_run_suites(const struct s2_suite *suites, size_t n, int argc, char **argv);

/* A failure prints the row's name where CUnit would print the expression. */
#define CHECK_ROW(row, cond)                                                                       \
    CU_assertImplementation((cond), __LINE__, (row), __FILE__, "", CU_FALSE)

#endif
