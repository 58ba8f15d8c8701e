/* SPDX-License-Identifier: Apache-2.0 */
/* The suites of the stores. */
#include "harness.h"

extern const CU_TestInfo s2_test_memory[];

int main(int argc, char **argv)
{
    const struct s2_suite suites[] = {{"store/memory", s2_test_memory}};

    return s2_run_suites(suites, sizeof(suites) / sizeof(suites[0]), argc, argv);
}
