/* SPDX-License-Identifier: Apache-2.0 */
/* The unit tests of lib/esp. */
#include "harness.h"

extern const CU_TestInfo s2_test_form[], s2_test_replay[], s2_test_sa[], s2_test_seal[],
    s2_test_open[], s2_test_esp_openssl[], s2_test_esn[], s2_test_cve_classes[];

int main(int argc, char **argv)
{
    const struct s2_suite suites[] = {
        {"esp/form", s2_test_form}, {"esp/replay", s2_test_replay},
        {"esp/sa", s2_test_sa},     {"esp/seal", s2_test_seal},
        {"esp/open", s2_test_open}, {"esp/openssl", s2_test_esp_openssl},
        {"esp/esn", s2_test_esn},   {"esp/cve_classes", s2_test_cve_classes},
    };

    return s2_run_suites(suites, sizeof(suites) / sizeof(suites[0]), argc, argv);
}
