/* SPDX-License-Identifier: Apache-2.0 */
/* The suites of the simulator, against a fake context. */
#include "harness.h"

extern const CU_TestInfo s2_test_filter[], s2_test_jobs[], s2_test_link[], s2_test_nat[],
    s2_test_node[], s2_test_part[], s2_test_pcap[], s2_test_queue[], s2_test_random[],
    s2_test_sim[], s2_test_wire[];

int main(int argc, char **argv)
{
    const struct s2_suite suites[] = {
        {"sim/filter", s2_test_filter}, {"sim/jobs", s2_test_jobs},
        {"sim/link", s2_test_link},     {"sim/nat", s2_test_nat},
        {"sim/node", s2_test_node},     {"sim/part", s2_test_part},
        {"sim/pcap", s2_test_pcap},     {"sim/queue", s2_test_queue},
        {"sim/random", s2_test_random}, {"sim/sim", s2_test_sim},
        {"sim/wire", s2_test_wire},
    };

    return s2_run_suites(suites, sizeof(suites) / sizeof(suites[0]), argc, argv);
}
