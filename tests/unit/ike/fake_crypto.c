/* SPDX-License-Identifier: Apache-2.0 */
/* Toy crypto: a 64-bit mixing function, drawn out to any length, stands for every
 * hash, cipher and key exchange. */
#include "ike/fake_crypto.h"

#include <CUnit/CUnit.h>
#include <string.h>

#include "base/bytes.h"

#define MOST_CALLS 10000

static uint64_t mix(uint64_t v, uint64_t in)
{
    v = (v ^ in) * UINT64_C(0x9e3779b97f4a7c15);
    return v ^ v >> 29;
}

static uint64_t mix_span(uint64_t v, s2svpn_span s)
{
    for (size_t i = 0; i < s.len; i++)
        v = mix(v, s.p[i]);
    return v;
}

static void draw_out(uint64_t seed, uint8_t *out, size_t len)
{
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)(mix(seed, i + 1) >> 40);
}

static void exclusive_or(uint64_t seed, uint8_t *data, size_t len)
{
    for (size_t i = 0; i < len; i++)
        data[i] ^= (uint8_t)(mix(seed, i + 1) >> 40);
}

static bool fails(void *user)
{
    struct s2_fake_crypto *f = user;

    f->calls++;
    if (f->calls != f->fail_at)
        return false;
    f->failed = true;
    return true;
}

static const s2svpn_algorithm rows[] = {
    {.type = S2SVPN_TRANSFORM_ENCR,
     .use = 3,
     .id = 12,
     .key_bits = 128,
     .key_len = 16,
     .iv_len = 16,
     .block_len = 16},
    {.type = S2SVPN_TRANSFORM_ENCR,
     .use = 3,
     .id = 12,
     .key_bits = 256,
     .key_len = 32,
     .iv_len = 16,
     .block_len = 16},
    {.type = S2SVPN_TRANSFORM_ENCR,
     .use = 3,
     .id = 20,
     .key_bits = 128,
     .key_len = 20,
     .iv_len = 8,
     .block_len = 1,
     .out_len = 16},
    {.type = S2SVPN_TRANSFORM_ENCR,
     .use = 3,
     .id = 20,
     .key_bits = 256,
     .key_len = 36,
     .iv_len = 8,
     .block_len = 1,
     .out_len = 16},
    {.type = S2SVPN_TRANSFORM_ENCR, .use = 2, .id = 11, .block_len = 1},
    {.type = S2SVPN_TRANSFORM_PRF, .use = 1, .id = 2, .key_len = 20, .out_len = 20},
    {.type = S2SVPN_TRANSFORM_PRF, .use = 1, .id = 5, .key_len = 32, .out_len = 32},
    {.type = S2SVPN_TRANSFORM_PRF, .use = 1, .id = 6, .key_len = 48, .out_len = 48},
    {.type = S2SVPN_TRANSFORM_PRF, .use = 1, .id = 7, .key_len = 64, .out_len = 64},
    {.type = S2SVPN_TRANSFORM_INTEG, .use = 3, .id = 2, .key_len = 20, .out_len = 12},
    {.type = S2SVPN_TRANSFORM_INTEG, .use = 3, .id = 12, .key_len = 32, .out_len = 16},
    {.type = S2SVPN_TRANSFORM_INTEG, .use = 3, .id = 14, .key_len = 64, .out_len = 32},
    {.type = S2SVPN_TRANSFORM_KE,
     .use = 1,
     .id = 2,
     .out_len = 128,
     .private_len = 32,
     .secret_len = 128},
    {.type = S2SVPN_TRANSFORM_KE,
     .use = 1,
     .id = 14,
     .out_len = 256,
     .private_len = 32,
     .secret_len = 256},
    {.type = S2SVPN_TRANSFORM_KE,
     .use = 1,
     .id = 19,
     .out_len = 64,
     .private_len = 32,
     .secret_len = 64},
    {.type = S2SVPN_TRANSFORM_KE,
     .use = 1,
     .id = 31,
     .out_len = 32,
     .private_len = 32,
     .secret_len = 32},
    {.type = 0},
};

static size_t out_len_of(uint8_t type, uint16_t id)
{
    for (const s2svpn_algorithm *a = rows; a->type != 0; a++) {
        if (a->type == type && a->id == id)
            return a->out_len;
    }
    return 0;
}

static s2svpn_status hash(void *user, uint16_t number, const s2svpn_span *in, size_t n,
                          uint8_t *out)
{
    uint64_t v = number;

    if (fails(user))
        return S2SVPN_E_CRYPTO;
    for (size_t i = 0; i < n; i++)
        v = mix_span(v, in[i]);
    draw_out(v, out, 64);
    return S2SVPN_OK;
}

static s2svpn_status mac(void *user, uint8_t type, uint16_t id, s2svpn_span key,
                         const s2svpn_span *in, size_t n, uint8_t *out)
{
    uint64_t v = mix_span(mix(type, id), key);

    if (fails(user))
        return S2SVPN_E_CRYPTO;
    for (size_t i = 0; i < n; i++)
        v = mix_span(v, in[i]);
    draw_out(v, out, out_len_of(type, id));
    return S2SVPN_OK;
}

static s2svpn_status prf(void *user, uint16_t id, s2svpn_span key, const s2svpn_span *in, size_t n,
                         uint8_t *out)
{
    return mac(user, S2SVPN_TRANSFORM_PRF, id, key, in, n, out);
}

static s2svpn_status integ(void *user, uint16_t id, s2svpn_span key, const s2svpn_span *in,
                           size_t n, uint8_t *icv)
{
    return mac(user, S2SVPN_TRANSFORM_INTEG, id, key, in, n, icv);
}

static s2svpn_status ike_cbc(void *user, uint16_t encr, bool encrypt, s2svpn_span key,
                             const uint8_t *iv, uint8_t *data, size_t len)
{
    (void)encrypt;
    if (fails(user))
        return S2SVPN_E_CRYPTO;
    exclusive_or(mix_span(mix_span(encr, key), s2_span(iv, 16)), data, len);
    return S2SVPN_OK;
}

static s2svpn_status ike_aead(void *user, uint16_t encr, bool seal, s2svpn_span key,
                              const uint8_t *iv, s2svpn_span aad, uint8_t *data, size_t len,
                              uint8_t *icv)
{
    const uint64_t seed = mix_span(mix_span(encr, key), s2_span(iv, 8));
    uint8_t good[16];

    if (fails(user))
        return S2SVPN_E_CRYPTO;
    if (seal)
        exclusive_or(seed, data, len);
    draw_out(mix_span(mix_span(mix(seed, 0), aad), s2_span(data, len)), good, sizeof(good));
    if (seal) {
        memcpy(icv, good, sizeof(good));
    } else {
        if (memcmp(icv, good, sizeof(good)) != 0)
            return S2SVPN_E_AUTHENTICATION;
        exclusive_or(seed, data, len);
    }
    return S2SVPN_OK;
}

/* ---- toy certificates */

static uint64_t sign_with(uint8_t subject, const s2svpn_span *in, size_t n)
{
    uint64_t v = mix(77, subject);

    for (size_t i = 0; i < n; i++)
        v = mix_span(v, in[i]);
    return v;
}

static s2svpn_status sign(s2svpn_job *job)
{
    s2svpn_sign *s = job->sign;
    const struct s2_fake_identity *identity = s->identity;

    if (identity->signature_len > job->out_len)
        return S2SVPN_E_CRYPTO;
    s->method = s->peer_hashes != 0 ? S2SVPN_AUTH_SIGNATURE : identity->old_method;
    job->out_len = identity->signature_len;
    draw_out(mix(sign_with((uint8_t)identity->subject, s->in, s->in_count), s->method), job->out,
             job->out_len);
    return S2SVPN_OK;
}

static bool ends_with(s2svpn_span s, uint8_t letter)
{
    return s.len > 0 && s.p[s.len - 1] == letter;
}

/* The first certificate's issuer, or its issuer's issuer, is trusted. */
static bool has_path(const s2svpn_verify *v)
{
    const struct s2_fake_trust *trust = v->trust;
    const uint8_t issuer = v->chain[0].p[0];

    if (strchr(trust->issuers, issuer) != NULL)
        return true;
    for (uint32_t i = 1; i < v->chain_count; i++) {
        if (v->chain[i].len >= S2_FAKE_CERTIFICATE_LEN && v->chain[i].p[1] == issuer &&
            strchr(trust->issuers, v->chain[i].p[0]) != NULL)
            return true;
    }
    return false;
}

static enum s2svpn_certificate_result judge(const s2svpn_verify *v)
{
    uint8_t expected[S2SVPN_AUTH_MAX];

    if (v->chain_count == 0 || v->chain[0].len < S2_FAKE_CERTIFICATE_LEN ||
        v->auth.len > sizeof(expected))
        return S2SVPN_CERTIFICATE_MALFORMED;
    const uint8_t *leaf = v->chain[0].p;
    if (!has_path(v))
        return S2SVPN_CERTIFICATE_UNKNOWN_ISSUER;
    if (leaf[2] == 'E')
        return S2SVPN_CERTIFICATE_EXPIRED;
    if (leaf[2] == 'R')
        return S2SVPN_CERTIFICATE_REVOKED;
    if (!ends_with(v->id, leaf[1]))
        return S2SVPN_CERTIFICATE_IDENTITY;
    if (v->subject.len > 0 && !ends_with(v->subject, leaf[1]))
        return S2SVPN_CERTIFICATE_SUBJECT;
    draw_out(mix(sign_with(leaf[1], v->in, v->in_count), v->method), expected, v->auth.len);
    return memcmp(expected, v->auth.p, v->auth.len) == 0 ? S2SVPN_CERTIFICATE_OK
                                                         : S2SVPN_CERTIFICATE_SIGNATURE;
}

static s2svpn_status verify(s2svpn_verify *v)
{
    v->why = (uint8_t)judge(v);
    return v->why == S2SVPN_CERTIFICATE_OK ? S2SVPN_OK : S2SVPN_E_AUTHENTICATION;
}

/* ---- jobs */

/* Public values are the private one drawn out, the secret is both combined: the
 * same from either side. */
static s2svpn_job_state start_job(void *user, s2svpn_job *job, s2svpn_status *result)
{
    *result = S2SVPN_E_CRYPTO;
    if (fails(user))
        return S2SVPN_JOB_DONE;
    if (job->kind == S2SVPN_JOB_SIGN || job->kind == S2SVPN_JOB_VERIFY) {
        *result = job->kind == S2SVPN_JOB_SIGN ? sign(job) : verify(job->verify);
        return S2SVPN_JOB_DONE;
    }
    draw_out(mix_span(job->ke, job->secret), job->out, job->out_len);
    for (size_t i = 0; job->kind == S2SVPN_JOB_KE_SHARED && i < job->out_len; i++)
        job->out[i] ^= job->in.p[i];
    *result = S2SVPN_OK;
    return S2SVPN_JOB_DONE;
}

static const s2svpn_crypto_ops ops = {
    .size = sizeof(ops),
    .name = "fake",
    .algorithms = rows,
    .hash = hash,
    .prf = prf,
    .integ = integ,
    .ike_cbc = ike_cbc,
    .ike_aead = ike_aead,
    .start_job = start_job,
};

const s2svpn_crypto_ops *s2_fake_crypto_ops(void)
{
    return &ops;
}

void s2_fail_every_crypto_call(bool (*step)(struct s2_fake_crypto *f, void *arg), void *arg)
{
    for (size_t n = 1; n <= MOST_CALLS; n++) {
        struct s2_fake_crypto f = {.fail_at = n};
        const bool good = step(&f, arg);

        if (!f.failed) {
            CU_ASSERT_TRUE(good);  /* the step runs through */
            CU_ASSERT_TRUE(n > 1); /* and needs crypto at all */
            return;
        }
        CU_ASSERT_FALSE(good); /* the failed call is reported */
    }
    CU_FAIL("the step comes to an end");
}
