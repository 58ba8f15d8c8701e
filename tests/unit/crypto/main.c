/* SPDX-License-Identifier: Apache-2.0 */
/* The crypto room's suites. */
#include "harness.h"
#include "support.h"

extern const CU_TestInfo s2_test_certificate[];
extern const CU_TestInfo s2_test_certificate_input[];
extern const CU_TestInfo s2_test_certificate_signature[];
extern const CU_TestInfo s2_test_openssl[];
extern const CU_TestInfo s2_test_openssl_hash[];
extern const CU_TestInfo s2_test_openssl_ike[];
extern const CU_TestInfo s2_test_openssl_ke[];
extern const CU_TestInfo s2_test_openssl_modp[];
extern const CU_TestInfo s2_test_openssl_session[];
extern const CU_TestInfo s2_test_openssl_esp[];

int main(int argc, char **argv)
{
    static const struct s2_suite suites[] = {
        {"crypto/openssl", s2_test_openssl},
        {"crypto/openssl_hash", s2_test_openssl_hash},
        {"crypto/openssl_ike", s2_test_openssl_ike},
        {"crypto/openssl_ke", s2_test_openssl_ke},
        {"crypto/openssl_modp", s2_test_openssl_modp},
        {"crypto/openssl_session", s2_test_openssl_session},
        {"crypto/openssl_esp", s2_test_openssl_esp},
        {"crypto/certificate", s2_test_certificate},
        {"crypto/certificate_input", s2_test_certificate_input},
        {"crypto/certificate_signature", s2_test_certificate_signature},
    };

    if (!memory_install())
        return 1;
    return s2_run_suites(suites, COUNT(suites), argc, argv);
}
