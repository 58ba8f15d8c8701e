/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs with certificates as calls. */
#include "certificate_job.h"

#include <openssl/err.h>
#include <string.h>

const s2svpn_span signed_text[3] = {
    {(const uint8_t *)"the first message", 17}, {NULL, 0}, {(const uint8_t *)"and a nonce", 11}};

const struct s2_pki *scene(enum s2_pki_key key)
{
    static struct s2_pki scenes[S2_PKI_KEYS];

    if (scenes[key].root == NULL)
        s2_pki_make(&scenes[key], key);
    return &scenes[key];
}

s2svpn_span text_span(const char *text)
{
    return (s2svpn_span){(const uint8_t *)text, text != NULL ? strlen(text) : 0};
}

void *new_identity(const struct s2_pki_holder *h)
{
    void *identity = NULL;
    s2svpn_error why;

    CU_ASSERT_EQUAL_FATAL(
        s2svpn_crypto_openssl()->identity_new(NULL, text_span(s2_pki_chain_pem(h)),
                                              text_span(s2_pki_key_pem(h)), &identity, &why),
        S2SVPN_OK);
    return identity;
}

void *new_trust(const char *authorities, const char *crls)
{
    void *trust = NULL;
    s2svpn_error why;

    CU_ASSERT_EQUAL_FATAL(s2svpn_crypto_openssl()->trust_new(NULL, text_span(authorities),
                                                             text_span(crls), &trust, &why),
                          S2SVPN_OK);
    return trust;
}

void free_identity(void *identity)
{
    s2svpn_crypto_openssl()->identity_free(NULL, identity);
}

void free_trust(void *trust)
{
    s2svpn_crypto_openssl()->trust_free(NULL, trust);
}

s2svpn_status sign_with(const void *identity, uint32_t peer_hashes, struct auth *out)
{
    s2svpn_sign sign = {.size = sizeof(sign),
                        .identity = identity,
                        .peer_hashes = peer_hashes,
                        .in = signed_text,
                        .in_count = COUNT(signed_text)};
    s2svpn_job job = {.size = sizeof(job),
                      .kind = S2SVPN_JOB_SIGN,
                      .out = out->bytes,
                      .out_len = sizeof(out->bytes),
                      .sign = &sign};
    s2svpn_status result = S2SVPN_E_STATE;

    CU_ASSERT_EQUAL(s2svpn_crypto_openssl()->start_job(NULL, &job, &result), S2SVPN_JOB_DONE);
    CU_ASSERT(ERR_peek_error() == 0);
    out->method = sign.method;
    out->len = job.out_len;
    return result;
}

s2svpn_status verify_bytes(const struct attempt *a, const s2svpn_span *chain, size_t count,
                           uint8_t *why)
{
    s2svpn_verify verify = {.size = sizeof(verify),
                            .trust = a->trust,
                            .unix_s = a->unix_s,
                            .chain = chain,
                            .in = signed_text,
                            .chain_count = (uint32_t)count,
                            .in_count = COUNT(signed_text),
                            .id = a->id,
                            .subject = a->subject,
                            .auth = {a->auth->bytes, a->auth->len},
                            .id_type = a->id_type,
                            .method = a->auth->method,
                            .why = 0};
    s2svpn_job job = {.size = sizeof(job), .kind = S2SVPN_JOB_VERIFY, .verify = &verify};
    s2svpn_status result = S2SVPN_E_STATE;

    CU_ASSERT_EQUAL(s2svpn_crypto_openssl()->start_job(NULL, &job, &result), S2SVPN_JOB_DONE);
    CU_ASSERT(ERR_peek_error() == 0);
    CU_ASSERT((result == S2SVPN_OK) == (verify.why == S2SVPN_CERTIFICATE_OK));
    *why = verify.why;
    return result;
}

s2svpn_status verify_attempt(const struct attempt *a, uint8_t *why)
{
    s2svpn_span chain[S2SVPN_CHAIN_MAX];
    size_t n = 0;

    while (n < S2SVPN_CHAIN_MAX && a->chain[n] != NULL) {
        chain[n] = s2_pki_der(a->chain[n]);
        n++;
    }
    return verify_bytes(a, chain, n, why);
}
