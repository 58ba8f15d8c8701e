/* SPDX-License-Identifier: Apache-2.0 */
/* The suites of the store in memory. */
#include "contract.h"

extern const CU_TestInfo s2_test_memory[];

int main(int argc, char **argv)
{
    const struct s2_suite suites[] = {{"store/memory contract", s2_test_contract},
                                      {"store/memory", s2_test_memory}};

    return s2_run_suites(suites, sizeof(suites) / sizeof(suites[0]), argc, argv);
}
