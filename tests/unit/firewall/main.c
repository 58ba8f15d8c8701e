/* SPDX-License-Identifier: Apache-2.0 */
/* The suites of the firewall room that run in one thread. */
#include "harness.h"

extern const CU_TestInfo s2_test_fragment[], s2_test_group[], s2_test_model[], s2_test_related[],
    s2_test_rules[], s2_test_state[], s2_test_track[];

int main(int argc, char **argv)
{
    const struct s2_suite suites[] = {
        {"firewall/fragment", s2_test_fragment}, {"firewall/group", s2_test_group},
        {"firewall/model", s2_test_model},       {"firewall/related", s2_test_related},
        {"firewall/rules", s2_test_rules},       {"firewall/state", s2_test_state},
        {"firewall/track", s2_test_track},
    };

    return s2_run_suites(suites, sizeof(suites) / sizeof(suites[0]), argc, argv);
}
