/* SPDX-License-Identifier: Apache-2.0 */
/* The room's test with real contexts. */
#include "suites.h"

int main(int argc, char **argv)
{
    static const struct s2_suite suites[] = {
        {"io/scene", s2_test_scene},
    };

    return s2_run_suites(suites, sizeof(suites) / sizeof(suites[0]), argc, argv);
}
