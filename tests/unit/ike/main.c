/* SPDX-License-Identifier: Apache-2.0 */
/* The suites of the ike room. */
#include "harness.h"

extern const CU_TestInfo s2_test_authenticated[], s2_test_collision[], s2_test_cve_classes[],
    s2_test_cve_lengths[], s2_test_engine[], s2_test_esn[], s2_test_exchange[], s2_test_failure[],
    s2_test_fragment[], s2_test_fragment_exchange[], s2_test_hostile[], s2_test_keys[],
    s2_test_life[], s2_test_lossy[], s2_test_many[], s2_test_message[], s2_test_overtaken[],
    s2_test_payload_auth[], s2_test_payload_id[], s2_test_payload_ke[], s2_test_payload_notify[],
    s2_test_payload_sa[], s2_test_payload_ts[], s2_test_proposal[], s2_test_rules_errors[],
    s2_test_rules_form[], s2_test_rules_meetings[], s2_test_rules_nat[], s2_test_rules_offers[],
    s2_test_rules_peers[], s2_test_sk[], s2_test_suites[], s2_test_v1_authenticated[],
    s2_test_v1_exchange[], s2_test_v1_fragment[], s2_test_v1_hostile[], s2_test_v1_keys[],
    s2_test_v1_life[], s2_test_v1_lossy[], s2_test_v1_message[], s2_test_v1_payload[],
    s2_test_v1_proposal[], s2_test_v1_suites[], s2_test_window[];

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
        {"ike/v1/message", s2_test_v1_message},
        {"ike/v1/payload", s2_test_v1_payload},
        {"ike/v1/proposal", s2_test_v1_proposal},
        {"ike/v1/keys", s2_test_v1_keys},
        {"ike/v1/fragment", s2_test_v1_fragment},
        {"ike/v1/exchange", s2_test_v1_exchange},
        {"ike/v1/life", s2_test_v1_life},
        {"ike/v1/suites", s2_test_v1_suites},
        {"ike/v1/hostile", s2_test_v1_hostile},
        {"ike/v1/authenticated", s2_test_v1_authenticated},
        {"ike/v1/lossy", s2_test_v1_lossy},
        {"ike/v2/exchange", s2_test_exchange},
        {"ike/v2/life", s2_test_life},
        {"ike/v2/fragment_exchange", s2_test_fragment_exchange},
        {"ike/v2/collision", s2_test_collision},
        {"ike/v2/overtaken", s2_test_overtaken},
        {"ike/v2/esn", s2_test_esn},
        {"ike/v2/window", s2_test_window},
        {"ike/v2/rules_errors", s2_test_rules_errors},
        {"ike/v2/rules_form", s2_test_rules_form},
        {"ike/v2/rules_meetings", s2_test_rules_meetings},
        {"ike/v2/rules_nat", s2_test_rules_nat},
        {"ike/v2/rules_offers", s2_test_rules_offers},
        {"ike/v2/rules_peers", s2_test_rules_peers},
        {"ike/v2/suites", s2_test_suites},
        {"ike/v2/hostile", s2_test_hostile},
        {"ike/v2/authenticated", s2_test_authenticated},
        {"ike/v2/cve_classes", s2_test_cve_classes},
        {"ike/v2/cve_lengths", s2_test_cve_lengths},
        {"ike/failure", s2_test_failure},
        {"ike/v2/lossy", s2_test_lossy},
        {"ike/v2/many", s2_test_many},
    };

    return s2_run_suites(suites, sizeof(suites) / sizeof(suites[0]), argc, argv);
}
