/* SPDX-License-Identifier: Apache-2.0 */
/* Runs suites through CUnit with handlers of our own for the lines to print. */
#include "harness.h"

#include <CUnit/TestDB.h>
#include <CUnit/TestRun.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* CUnit's handlers get no argument of ours. */
static unsigned asserts_before, passed, failed;

static void on_test_start(const CU_pTest test, const CU_pSuite suite)
{
    (void)test;
    (void)suite;
    asserts_before = CU_get_run_summary()->nAsserts;
}

/* first: this test's failed checks up to the end of the list, or NULL. */
static void on_test_complete(const CU_pTest test, const CU_pSuite suite,
                             const CU_pFailureRecord first)
{
    const bool idle = CU_get_run_summary()->nAsserts == asserts_before;

    if (first == NULL && !idle) {
        passed++;
        printf("ok %s: %s\n", suite->pName, test->pName);
    } else {
        failed++;
        printf("not ok %s: %s\n", suite->pName, test->pName);
    }
    for (CU_pFailureRecord f = first; f != NULL; f = f->pNext)
        printf("    %s:%u: %s\n", f->strFileName, f->uiLineNumber, f->strCondition);
    if (idle)
        printf("    checks nothing\n");
    fflush(stdout);
}

static bool wanted(const char *suite, const char *test, int argc, char **argv)
{
    char name[512];

    snprintf(name, sizeof(name), "%s: %s", suite, test);
    for (int i = 1; i < argc; i++) {
        if (strstr(name, argv[i]) != NULL)
            return true;
    }
    return argc <= 1;
}

/* What the arguments leave out isn't skipped: nobody has asked for it. */
static bool add_suite(const struct s2_suite *s, int argc, char **argv)
{
    CU_pSuite suite = NULL;

    for (const CU_TestInfo *t = s->tests; t->pName != NULL; t++) {
        if (!wanted(s->name, t->pName, argc, argv))
            continue;
        if (suite == NULL)
            suite = CU_add_suite(s->name, NULL, NULL);
        if (suite == NULL || CU_add_test(suite, t->pName, t->pTestFunc) == NULL)
            return false;
    }
    return true;
}

int s2_run_suites(const struct s2_suite *suites, size_t n, int argc, char **argv)
{
    int status = 1;

    asserts_before = passed = failed = 0;
    if (CU_initialize_registry() != CUE_SUCCESS) {
        printf("CUnit: %s\n", CU_get_error_msg());
        return 1;
    }
    for (size_t i = 0; i < n; i++) {
        if (!add_suite(&suites[i], argc, argv)) {
            printf("%s: CUnit: %s\n", suites[i].name, CU_get_error_msg());
            goto out;
        }
    }
    CU_set_test_start_handler(on_test_start);
    CU_set_test_complete_handler(on_test_complete);
    if (CU_run_all_tests() != CUE_SUCCESS && failed == 0)
        printf("CUnit: %s\n", CU_get_error_msg());
    else
        status = failed > 0;
    printf("%u passed, %u failed, 0 skipped\n", passed, failed);
out:
    CU_cleanup_registry();
    return status;
}
