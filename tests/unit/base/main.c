/* SPDX-License-Identifier: Apache-2.0 */
/* The suites of the base room that run in one thread. */
#include "harness.h"

extern const CU_TestInfo s2_test_address[], s2_test_bytes[], s2_test_checksum[], s2_test_env[],
    s2_test_epoch[], s2_test_fake_env[], s2_test_hash[], s2_test_json[], s2_test_list[],
    s2_test_reader[], s2_test_ring[], s2_test_status[], s2_test_text[], s2_test_timer[],
    s2_test_writer[];

int main(int argc, char **argv)
{
    const struct s2_suite suites[] = {
        {"tests/fake_env", s2_test_fake_env},
        {"base/address", s2_test_address},
        {"base/bytes", s2_test_bytes},
        {"base/checksum", s2_test_checksum},
        {"base/env", s2_test_env},
        {"base/epoch", s2_test_epoch},
        {"base/hash", s2_test_hash},
        {"base/json", s2_test_json},
        {"base/list", s2_test_list},
        {"base/reader", s2_test_reader},
        {"base/ring", s2_test_ring},
        {"base/status", s2_test_status},
        {"base/text", s2_test_text},
        {"base/timer", s2_test_timer},
        {"base/writer", s2_test_writer},
    };

    return s2_run_suites(suites, sizeof(suites) / sizeof(suites[0]), argc, argv);
}
