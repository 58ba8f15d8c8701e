/* SPDX-License-Identifier: Apache-2.0 */
/* The table: its rows, and random bytes. */
#include <openssl/err.h>
#include <string.h>

#include "support.h"

/* What the engines take from the rows, by the RFCs. */
static const s2svpn_algorithm rows[] = {
    {S2SVPN_TRANSFORM_ENCR, 3, 20, 128, 20, 8, 1, 16, 0, 0, {0}},
    {S2SVPN_TRANSFORM_ENCR, 3, 20, 192, 28, 8, 1, 16, 0, 0, {0}},
    {S2SVPN_TRANSFORM_ENCR, 3, 20, 256, 36, 8, 1, 16, 0, 0, {0}},
    {S2SVPN_TRANSFORM_ENCR, 3, 28, 0, 36, 8, 1, 16, 0, 0, {0}},
    {S2SVPN_TRANSFORM_ENCR, 3, 12, 128, 16, 16, 16, 0, 0, 0, {0}},
    {S2SVPN_TRANSFORM_ENCR, 3, 12, 192, 24, 16, 16, 0, 0, 0, {0}},
    {S2SVPN_TRANSFORM_ENCR, 3, 12, 256, 32, 16, 16, 0, 0, 0, {0}},
    {S2SVPN_TRANSFORM_ENCR, 2, 11, 0, 0, 0, 1, 0, 0, 0, {0}},
    {S2SVPN_TRANSFORM_PRF, 1, 2, 0, 20, 0, 0, 20, 0, 0, {0}},
    {S2SVPN_TRANSFORM_PRF, 1, 5, 0, 32, 0, 0, 32, 0, 0, {0}},
    {S2SVPN_TRANSFORM_PRF, 1, 6, 0, 48, 0, 0, 48, 0, 0, {0}},
    {S2SVPN_TRANSFORM_PRF, 1, 7, 0, 64, 0, 0, 64, 0, 0, {0}},
    {S2SVPN_TRANSFORM_INTEG, 3, 2, 0, 20, 0, 0, 12, 0, 0, {0}},
    {S2SVPN_TRANSFORM_INTEG, 3, 12, 0, 32, 0, 0, 16, 0, 0, {0}},
    {S2SVPN_TRANSFORM_INTEG, 3, 13, 0, 48, 0, 0, 24, 0, 0, {0}},
    {S2SVPN_TRANSFORM_INTEG, 3, 14, 0, 64, 0, 0, 32, 0, 0, {0}},
    {S2SVPN_TRANSFORM_KE, 1, 2, 0, 0, 0, 0, 128, 32, 128, {0}},
    {S2SVPN_TRANSFORM_KE, 1, 5, 0, 0, 0, 0, 192, 32, 192, {0}},
    {S2SVPN_TRANSFORM_KE, 1, 14, 0, 0, 0, 0, 256, 32, 256, {0}},
    {S2SVPN_TRANSFORM_KE, 1, 15, 0, 0, 0, 0, 384, 40, 384, {0}},
    {S2SVPN_TRANSFORM_KE, 1, 16, 0, 0, 0, 0, 512, 48, 512, {0}},
    {S2SVPN_TRANSFORM_KE, 1, 17, 0, 0, 0, 0, 768, 48, 768, {0}},
    {S2SVPN_TRANSFORM_KE, 1, 18, 0, 0, 0, 0, 1024, 56, 1024, {0}},
    {S2SVPN_TRANSFORM_KE, 1, 19, 0, 0, 0, 0, 64, 40, 32, {0}},
    {S2SVPN_TRANSFORM_KE, 1, 20, 0, 0, 0, 0, 96, 56, 48, {0}},
    {S2SVPN_TRANSFORM_KE, 1, 21, 0, 0, 0, 0, 132, 74, 66, {0}},
    {S2SVPN_TRANSFORM_KE, 1, 22, 0, 0, 0, 0, 128, 28, 128, {0}},
    {S2SVPN_TRANSFORM_KE, 1, 23, 0, 0, 0, 0, 256, 36, 256, {0}},
    {S2SVPN_TRANSFORM_KE, 1, 24, 0, 0, 0, 0, 256, 40, 256, {0}},
    {S2SVPN_TRANSFORM_KE, 1, 31, 0, 0, 0, 0, 32, 32, 32, {0}},
};

static void every_algorithm_has_its_row_and_no_other(void)
{
    size_t n = 0;

    for (const s2svpn_algorithm *a = s2svpn_crypto_openssl()->algorithms; a->type != 0; a++)
        n++;
    CU_ASSERT_EQUAL(n, COUNT(rows));
    for (size_t i = 0; i < COUNT(rows); i++) {
        const s2svpn_algorithm *a = find_row(rows[i].type, rows[i].id, rows[i].key_bits);

        CU_ASSERT_PTR_NOT_NULL_FATAL(a);
        CU_ASSERT(memcmp(a, &rows[i], sizeof(*a)) == 0);
    }
}

static void no_row_exceeds_the_seam_s_limits(void)
{
    for (const s2svpn_algorithm *a = s2svpn_crypto_openssl()->algorithms; a->type != 0; a++) {
        CU_ASSERT(a->key_len <= S2SVPN_KEY_MAX);
        CU_ASSERT(a->private_len <= S2SVPN_KE_PRIVATE_MAX);
        CU_ASSERT(a->type != S2SVPN_TRANSFORM_PRF || a->out_len <= S2SVPN_PRF_MAX);
        CU_ASSERT(a->type != S2SVPN_TRANSFORM_INTEG || a->out_len <= S2SVPN_ICV_MAX);
        CU_ASSERT(a->type != S2SVPN_TRANSFORM_ENCR || a->out_len <= S2SVPN_ICV_MAX);
        CU_ASSERT(a->out_len <= S2SVPN_KE_VALUE_MAX && a->secret_len <= S2SVPN_KE_VALUE_MAX);
    }
}

static void the_table_has_every_required_member(void)
{
    const s2svpn_crypto_ops *o = s2svpn_crypto_openssl();

    CU_ASSERT_EQUAL(o->size, sizeof(*o));
    CU_ASSERT_STRING_EQUAL(o->name, "openssl");
    CU_ASSERT(o->random != NULL && o->hash != NULL && o->prf != NULL && o->integ != NULL);
    CU_ASSERT(o->ike_cbc != NULL && o->ike_aead != NULL && o->start_job != NULL);
    CU_ASSERT(o->esp_worker_new != NULL && o->esp_worker_free != NULL);
    CU_ASSERT(o->esp_session_new != NULL && o->esp_session_free != NULL);
    CU_ASSERT(o->esp_seal != NULL && o->esp_open != NULL && o->esp_gather);
}

static void random_fills_exactly_what_was_asked(void)
{
    uint8_t a[64] = {0}, b[64] = {0};
    const uint8_t zero[32] = {0};

    CU_ASSERT_EQUAL(s2svpn_crypto_openssl()->random(NULL, a, 32), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_crypto_openssl()->random(NULL, b, 32), S2SVPN_OK);
    CU_ASSERT(memcmp(a, b, 32) != 0);
    CU_ASSERT(memcmp(a, zero, 32) != 0);
    CU_ASSERT(memcmp(a + 32, zero, 32) == 0);
    CU_ASSERT_EQUAL(s2svpn_crypto_openssl()->random(NULL, a, 0), S2SVPN_OK);
}

/* A host may use OpenSSL on the same thread. */
static void the_host_s_own_openssl_errors_stay_as_they_were(void)
{
    uint8_t zero[32] = {0}, secret[32] = {1}, out[32];
    s2svpn_job job = {.size = sizeof(job),
                      .kind = S2SVPN_JOB_KE_SHARED,
                      .ke = S2SVPN_KE_CURVE25519,
                      .secret = {secret, 32},
                      .in = {zero, 32},
                      .out = out,
                      .out_len = 32};
    s2svpn_status result;

    ERR_raise(ERR_LIB_USER, 77);
    CU_ASSERT_EQUAL(s2svpn_crypto_openssl()->start_job(NULL, &job, &result), S2SVPN_JOB_DONE);
    CU_ASSERT_EQUAL(result, S2SVPN_E_ARGUMENT);
    CU_ASSERT_EQUAL(ERR_GET_REASON(ERR_get_error()), 77);
    CU_ASSERT_EQUAL(ERR_get_error(), 0);
}

const CU_TestInfo s2_test_openssl[] = {
    {"every algorithm has its row and no other", every_algorithm_has_its_row_and_no_other},
    {"no row exceeds the seam's limits", no_row_exceeds_the_seam_s_limits},
    {"the table has every required member", the_table_has_every_required_member},
    {"random fills exactly what was asked", random_fills_exactly_what_was_asked},
    {"the host's own OpenSSL errors stay as they were",
     the_host_s_own_openssl_errors_stay_as_they_were},
    CU_TEST_INFO_NULL,
};
