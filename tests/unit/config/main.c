/* SPDX-License-Identifier: Apache-2.0 */
/* The unit tests of lib/config. */
#include "harness.h"

extern const CU_TestInfo s2_test_elements[], s2_test_names[], s2_test_memory[], s2_test_read[],
    s2_test_refused[], s2_test_write[], s2_test_device_config[], s2_test_ipv6_inside[];

int main(int argc, char **argv)
{
    const struct s2_suite suites[] = {
        {"config/elements", s2_test_elements},
        {"config/names", s2_test_names},
        {"config/memory", s2_test_memory},
        {"config/read", s2_test_read},
        {"config/refused", s2_test_refused},
        {"config/write", s2_test_write},
        {"config/ipv6_inside", s2_test_ipv6_inside},
        {"config/device_config", s2_test_device_config},
    };

    return s2_run_suites(suites, sizeof(suites) / sizeof(suites[0]), argc, argv);
}
