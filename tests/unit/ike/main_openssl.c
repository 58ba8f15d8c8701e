/* SPDX-License-Identifier: Apache-2.0 */
/* The suites of the ike room that need certificates made by OpenSSL. */
#include "harness.h"

extern const CU_TestInfo s2_test_certificate_openssl[];

int main(int argc, char **argv)
{
    const struct s2_suite suites[] = {
        {"ike/v2/certificate_openssl", s2_test_certificate_openssl},
    };

    return s2_run_suites(suites, sizeof(suites) / sizeof(suites[0]), argc, argv);
}
