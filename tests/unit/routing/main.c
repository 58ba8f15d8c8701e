/* SPDX-License-Identifier: Apache-2.0 */
/* The suites of the routing room that run in one thread. */
#include "harness.h"

extern const CU_TestInfo s2_test_choice[], s2_test_fib[], s2_test_group[], s2_test_rib[];

int main(int argc, char **argv)
{
    const struct s2_suite suites[] = {
        {"routing/choice", s2_test_choice},
        {"routing/fib", s2_test_fib},
        {"routing/group", s2_test_group},
        {"routing/rib", s2_test_rib},
    };

    return s2_run_suites(suites, sizeof(suites) / sizeof(suites[0]), argc, argv);
}
