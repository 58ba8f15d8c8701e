/* SPDX-License-Identifier: Apache-2.0 */
/* The suites of the bgp room. */
#include "harness.h"

extern const CU_TestInfo s2_test_attribute[], s2_test_corpus[], s2_test_damping[],
    s2_test_exchange[], s2_test_fsm[], s2_test_graceful[], s2_test_ipv6[], s2_test_message[],
    s2_test_out[], s2_test_peer[], s2_test_policy[], s2_test_policy_change[],
    s2_test_policy_export[], s2_test_session[], s2_test_update[];

int main(int argc, char **argv)
{
    const struct s2_suite suites[] = {
        {"bgp/message", s2_test_message},
        {"bgp/attribute", s2_test_attribute},
        {"bgp/fsm", s2_test_fsm},
        {"bgp/update", s2_test_update},
        {"bgp/out", s2_test_out},
        {"bgp/peer", s2_test_peer},
        {"bgp/session", s2_test_session},
        {"bgp/damping", s2_test_damping},
        {"bgp/exchange", s2_test_exchange},
        {"bgp/graceful", s2_test_graceful},
        {"bgp/ipv6", s2_test_ipv6},
        {"bgp/corpus", s2_test_corpus},
        {"bgp/policy", s2_test_policy},
        {"bgp/policy_export", s2_test_policy_export},
        {"bgp/policy_change", s2_test_policy_change},
    };

    return s2_run_suites(suites, sizeof(suites) / sizeof(suites[0]), argc, argv);
}
