/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs as calls, for the tests. */
#ifndef S2_TESTS_CRYPTO_KE_JOB_H
#define S2_TESTS_CRYPTO_KE_JOB_H

#include "support.h"

static inline s2svpn_status ke_run(s2svpn_job *job)
{
    s2svpn_status result = S2SVPN_E_STATE;

    CU_ASSERT_EQUAL(s2svpn_crypto_openssl()->start_job(NULL, job, &result), S2SVPN_JOB_DONE);
    return result;
}

static inline s2svpn_status ke_public(uint16_t ke, const uint8_t *secret, size_t secret_len,
                                      uint8_t *out, size_t out_len)
{
    s2svpn_job job = {.size = sizeof(job),
                      .kind = S2SVPN_JOB_KE_PUBLIC,
                      .ke = ke,
                      .secret = {secret, secret_len},
                      .out = out,
                      .out_len = out_len};

    return ke_run(&job);
}

static inline s2svpn_status ke_shared(uint16_t ke, const uint8_t *secret, size_t secret_len,
                                      const uint8_t *in, size_t in_len, uint8_t *out,
                                      size_t out_len)
{
    s2svpn_job job = {.size = sizeof(job),
                      .kind = S2SVPN_JOB_KE_SHARED,
                      .ke = ke,
                      .secret = {secret, secret_len},
                      .in = {in, in_len},
                      .out = out,
                      .out_len = out_len};

    return ke_run(&job);
}

#endif
