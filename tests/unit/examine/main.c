/* SPDX-License-Identifier: Apache-2.0 */
/* The suites of s2svpn-gateway examine. */
#include "harness.h"

extern const CU_TestInfo s2_test_echo[], s2_test_judge[], s2_test_report[], s2_test_search[],
    s2_test_steps[], s2_test_watch[];

int main(int argc, char **argv)
{
    const struct s2_suite suites[] = {
        {"examine/echo", s2_test_echo},     {"examine/judge", s2_test_judge},
        {"examine/report", s2_test_report}, {"examine/search", s2_test_search},
        {"examine/steps", s2_test_steps},   {"examine/watch", s2_test_watch},
    };

    return s2_run_suites(suites, sizeof(suites) / sizeof(suites[0]), argc, argv);
}
