/* SPDX-License-Identifier: Apache-2.0 */
/* The unit tests of lib/ec2. */
#include "harness.h"

extern const CU_TestInfo s2_test_errors[], s2_test_query[], s2_test_time[], s2_test_xml[],
    s2_test_sigv4[], s2_test_filter[], s2_test_page[], s2_test_ec2[], s2_test_refused[];

int main(int argc, char **argv)
{
    const struct s2_suite suites[] = {
        {"ec2/errors", s2_test_errors},   {"ec2/query", s2_test_query},
        {"ec2/time", s2_test_time},       {"ec2/xml", s2_test_xml},
        {"ec2/sigv4", s2_test_sigv4},     {"ec2/filter", s2_test_filter},
        {"ec2/page", s2_test_page},       {"ec2/ec2", s2_test_ec2},
        {"ec2/refused", s2_test_refused},
    };

    return s2_run_suites(suites, sizeof(suites) / sizeof(suites[0]), argc, argv);
}
