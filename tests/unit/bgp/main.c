/* SPDX-License-Identifier: Apache-2.0 */
/* The suites of the bgp room. */
#include "harness.h"

extern const CU_TestInfo s2_test_attribute[], s2_test_corpus[], s2_test_fsm[], s2_test_graceful[],
    s2_test_ipv6[], s2_test_message[], s2_test_out[], s2_test_peer[], s2_test_policy[],
    s2_test_update[];

int main(int argc, char **argv)
{
    const struct s2_suite suites[] = {
        {"bgp/message", s2_test_message},   {"bgp/attribute", s2_test_attribute},
        {"bgp/fsm", s2_test_fsm},           {"bgp/update", s2_test_update},
        {"bgp/out", s2_test_out},           {"bgp/peer", s2_test_peer},
        {"bgp/graceful", s2_test_graceful}, {"bgp/ipv6", s2_test_ipv6},
        {"bgp/corpus", s2_test_corpus},     {"bgp/policy", s2_test_policy},
    };

    return s2_run_suites(suites, sizeof(suites) / sizeof(suites[0]), argc, argv);
}
