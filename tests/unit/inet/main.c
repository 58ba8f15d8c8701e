/* SPDX-License-Identifier: Apache-2.0 */
/* The unit tests of lib/inet. */
#include "harness.h"

extern const CU_TestInfo s2_test_view[], s2_test_build[], s2_test_fragment[], s2_test_clamp[],
    s2_test_segment[], s2_test_coalesce[], s2_test_host[], s2_test_tcp[], s2_test_tcp_segment[],
    s2_test_tcp_reassembly[], s2_test_tcp_transfer[], s2_test_ecn[], s2_test_reassembly[],
    s2_test_neighbour[], s2_test_tcp_hostile[];

int main(int argc, char **argv)
{
    const struct s2_suite suites[] = {
        {"inet/view", s2_test_view},
        {"inet/build", s2_test_build},
        {"inet/ecn", s2_test_ecn},
        {"inet/fragment", s2_test_fragment},
        {"inet/reassembly", s2_test_reassembly},
        {"inet/neighbour", s2_test_neighbour},
        {"inet/clamp", s2_test_clamp},
        {"inet/segment", s2_test_segment},
        {"inet/coalesce", s2_test_coalesce},
        {"inet/host", s2_test_host},
        {"inet/tcp", s2_test_tcp},
        {"inet/tcp_hostile", s2_test_tcp_hostile},
        {"inet/tcp_segment", s2_test_tcp_segment},
        {"inet/tcp_reassembly", s2_test_tcp_reassembly},
        {"inet/tcp_transfer", s2_test_tcp_transfer},
    };

    return s2_run_suites(suites, sizeof(suites) / sizeof(suites[0]), argc, argv);
}
