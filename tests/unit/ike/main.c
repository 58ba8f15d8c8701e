/* SPDX-License-Identifier: Apache-2.0 */
/* The suites of the ike room. */
#include "harness.h"

extern const CU_TestInfo s2_test_collision[], s2_test_engine[], s2_test_exchange[],
    s2_test_failure[], s2_test_fragment[], s2_test_hostile[], s2_test_lossy[], s2_test_keys[],
    s2_test_message[], s2_test_payload_auth[], s2_test_payload_id[], s2_test_payload_ke[],
    s2_test_payload_notify[], s2_test_payload_sa[], s2_test_payload_ts[], s2_test_proposal[],
    s2_test_sk[];

int main(int argc, char **argv)
{
    const struct s2_suite suites[] = {
        {"ike/message", s2_test_message},
        {"ike/payload_auth", s2_test_payload_auth},
        {"ike/payload_id", s2_test_payload_id},
        {"ike/payload_ke", s2_test_payload_ke},
        {"ike/payload_notify", s2_test_payload_notify},
        {"ike/payload_sa", s2_test_payload_sa},
        {"ike/payload_ts", s2_test_payload_ts},
        {"ike/proposal", s2_test_proposal},
        {"ike/keys", s2_test_keys},
        {"ike/sk", s2_test_sk},
        {"ike/fragment", s2_test_fragment},
        {"ike/ike", s2_test_engine},
        {"ike/v2/exchange", s2_test_exchange},
        {"ike/v2/collision", s2_test_collision},
        {"ike/v2/hostile", s2_test_hostile},
        {"ike/v2/failure", s2_test_failure},
        {"ike/v2/lossy", s2_test_lossy},
    };

    return s2_run_suites(suites, sizeof(suites) / sizeof(suites[0]), argc, argv);
}
