/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jobs: Diffie-Hellman public values and shared secrets for Curve25519 (RFC 7748,
 * 8031) and the ECP groups (RFC 5903); MODP groups are openssl_modp.c. Every job is
 * answered at once.
 *
 * A private key is a function of the job's secret bytes alone, so a simulation with
 * seeded randomness replays, and the two jobs of one exchange need nothing kept
 * between them. Peers' values are checked as RFC 6989 asks, every time: whether a
 * private key is used twice isn't ours to know.
 *
 * Only what the peer sent can make a job end with S2SVPN_E_ARGUMENT; a wrong size of
 * ours is S2SVPN_E_CRYPTO, so that no peer is blamed for it.
 */
#include "crypto/openssl.h"

#include <string.h>

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/obj_mac.h>
#include <openssl/params.h>

#define X25519_LEN 32
#define POINT_MAX 133 /* 0x04, x, y of P-521 */

enum family { X25519, ECP, MODP };

struct ke {
    uint16_t id, public_len, private_len, secret_len;
    enum family family;
};

static const struct ke kes[] = {
#define KE(transform, public, private, secret, kind)                                               \
    {.id = (transform),                                                                            \
     .public_len = (public),                                                                       \
     .private_len = (private),                                                                     \
     .secret_len = (secret),                                                                       \
     .family = (kind)},
    S2_OPENSSL_KE_LIST(KE)
#undef KE
};

static const struct ke *find_ke(uint16_t id)
{
    for (size_t i = 0; i < sizeof(kes) / sizeof(kes[0]); i++) {
        if (kes[i].id == id)
            return &kes[i];
    }
    return NULL;
}

/* ---- Curve25519 ---- */

/* The private key as OpenSSL's object. Without a public half OpenSSL would compute
 * it, which costs more than the whole exchange; deriving never looks at it, so it
 * gets the base point in its place. The object does not leave this file. */
static EVP_PKEY *x25519_private(s2svpn_span secret, uint8_t base[X25519_LEN])
{
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "X25519", NULL);
    EVP_PKEY *key = NULL;
    uint8_t copy[X25519_LEN];
    OSSL_PARAM params[] = {
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PUB_KEY, base, X25519_LEN),
        OSSL_PARAM_octet_string(OSSL_PKEY_PARAM_PRIV_KEY, copy, sizeof(copy)),
        OSSL_PARAM_END,
    };

    memcpy(copy, secret.p, sizeof(copy));
    if (ctx != NULL && EVP_PKEY_fromdata_init(ctx) == 1 &&
        EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_KEYPAIR, params) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(ctx);
    OPENSSL_cleanse(copy, sizeof(copy));
    return key;
}

/* X25519(secret, point), or with no point the public value. OpenSSL refuses an
 * all-zero result (RFC 7748 section 6.1); it is the only way in which the last step
 * fails. */
static s2svpn_status x25519(s2svpn_span secret, const uint8_t *point, uint8_t *out)
{
    uint8_t base[X25519_LEN] = {9};
    uint8_t result[X25519_LEN];
    size_t len = sizeof(result);
    s2svpn_status rc = S2SVPN_E_CRYPTO;
    EVP_PKEY_CTX *ctx = NULL;
    EVP_PKEY *own = x25519_private(secret, base);
    EVP_PKEY *peer = EVP_PKEY_new_raw_public_key_ex(NULL, "X25519", NULL,
                                                    point != NULL ? point : base, X25519_LEN);

    if (own == NULL || peer == NULL ||
        (ctx = EVP_PKEY_CTX_new_from_pkey(NULL, own, NULL)) == NULL ||
        EVP_PKEY_derive_init(ctx) != 1 || EVP_PKEY_derive_set_peer_ex(ctx, peer, 0) != 1)
        goto out;
    rc = S2SVPN_E_ARGUMENT;
    if (EVP_PKEY_derive(ctx, result, &len) == 1 && len == sizeof(result)) {
        memcpy(out, result, sizeof(result));
        rc = S2SVPN_OK;
    }
out:
    OPENSSL_cleanse(result, sizeof(result));
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(peer);
    EVP_PKEY_free(own);
    return rc;
}

/* ---- ECP ---- */

BIGNUM *s2_openssl_private_number(s2svpn_span random, const BIGNUM *order, BN_CTX *ctx)
{
    BIGNUM *d = BN_secure_new();
    BIGNUM *less = BN_dup(order);

    if (d == NULL || less == NULL)
        goto fail;
    BN_set_flags(d, BN_FLG_CONSTTIME);
    if (BN_bin2bn(random.p, (int)random.len, d) == NULL || BN_sub_word(less, 1) != 1 ||
        BN_mod(d, d, less, ctx) != 1 || BN_add_word(d, 1) != 1)
        goto fail;
    BN_free(less);
    return d;
fail:
    BN_free(less);
    BN_clear_free(d);
    return NULL;
}

struct ecp {
    BN_CTX *ctx;
    EC_GROUP *group;
    EC_POINT *point;
    BIGNUM *d;
};

static int curve_of(uint16_t ke)
{
    switch (ke) {
    case S2SVPN_KE_ECP_256:
        return NID_X9_62_prime256v1;
    case S2SVPN_KE_ECP_384:
        return NID_secp384r1;
    default:
        return NID_secp521r1;
    }
}

static bool ecp_begin(struct ecp *e, const s2svpn_job *job)
{
    memset(e, 0, sizeof(*e));
    e->ctx = BN_CTX_secure_new();
    e->group = EC_GROUP_new_by_curve_name(curve_of(job->ke));
    if (e->ctx == NULL || e->group == NULL)
        return false;
    e->point = EC_POINT_new(e->group);
    e->d = s2_openssl_private_number(job->secret, EC_GROUP_get0_order(e->group), e->ctx);
    return e->point != NULL && e->d != NULL;
}

static void ecp_end(struct ecp *e)
{
    BN_clear_free(e->d);
    EC_POINT_clear_free(e->point);
    EC_GROUP_free(e->group);
    BN_CTX_free(e->ctx);
}

/* The point as 0x04 x y; len counts the 0x04. The point at infinity has another
 * length and is refused so. */
static bool ecp_write(struct ecp *e, uint8_t *bytes, size_t len)
{
    return EC_POINT_point2oct(e->group, e->point, POINT_CONVERSION_UNCOMPRESSED, bytes, len,
                              e->ctx) == len;
}

static s2svpn_status ecp_public(s2svpn_job *job)
{
    uint8_t bytes[POINT_MAX];
    s2svpn_status rc = S2SVPN_E_CRYPTO;
    struct ecp e;

    if (ecp_begin(&e, job) && EC_POINT_mul(e.group, e.point, e.d, NULL, NULL, e.ctx) == 1 &&
        ecp_write(&e, bytes, 1 + job->out_len)) {
        memcpy(job->out, bytes + 1, job->out_len);
        rc = S2SVPN_OK;
    }
    ecp_end(&e);
    return rc;
}

/* RFC 6989 section 2.3: coordinates below p and a point on the curve, both of which
 * EC_POINT_oct2point checks; infinity can't be written as x and y, and as the curves
 * have no cofactor there is no small subgroup. The secret is x alone, RFC 5903
 * section 7. */
static s2svpn_status ecp_shared(s2svpn_job *job)
{
    uint8_t bytes[POINT_MAX] = {POINT_CONVERSION_UNCOMPRESSED};
    const size_t len = 1 + job->in.len;
    s2svpn_status rc = S2SVPN_E_CRYPTO;
    struct ecp e;

    memcpy(bytes + 1, job->in.p, job->in.len);
    if (!ecp_begin(&e, job))
        goto out;
    if (EC_POINT_oct2point(e.group, e.point, bytes, len, e.ctx) != 1) {
        rc = S2SVPN_E_ARGUMENT;
        goto out;
    }
    if (EC_POINT_mul(e.group, e.point, NULL, e.point, e.d, e.ctx) == 1 &&
        ecp_write(&e, bytes, len)) {
        memcpy(job->out, bytes + 1, job->out_len);
        rc = S2SVPN_OK;
    }
out:
    ecp_end(&e);
    OPENSSL_cleanse(bytes, sizeof(bytes));
    return rc;
}

/* ---- dispatch ---- */

static s2svpn_status run(s2svpn_job *job)
{
    const struct ke *ke = find_ke(job->ke);
    const bool shared = job->kind == S2SVPN_JOB_KE_SHARED;

    if (ke == NULL || (!shared && job->kind != S2SVPN_JOB_KE_PUBLIC))
        return S2SVPN_E_UNSUPPORTED;
    if (job->size < sizeof(*job) || job->secret.len != ke->private_len ||
        job->out_len != (shared ? ke->secret_len : ke->public_len))
        return S2SVPN_E_CRYPTO;
    if (shared && job->in.len != ke->public_len)
        return S2SVPN_E_ARGUMENT;
    switch (ke->family) {
    case X25519:
        return x25519(job->secret, shared ? job->in.p : NULL, job->out);
    case ECP:
        return shared ? ecp_shared(job) : ecp_public(job);
    case MODP:
        return shared ? s2_openssl_modp_shared(job) : s2_openssl_modp_public(job);
    }
    return S2SVPN_E_UNSUPPORTED;
}

s2svpn_job_state s2_openssl_start_job(void *user, s2svpn_job *job, s2svpn_status *result)
{
    (void)user;
    ERR_set_mark();
    switch (job->size >= sizeof(*job) ? job->kind : 0) {
    case S2SVPN_JOB_SIGN:
        *result = s2_openssl_job_sign(job);
        break;
    case S2SVPN_JOB_VERIFY:
        *result = s2_openssl_job_verify(job);
        break;
    default:
        *result = run(job);
        break;
    }
    ERR_pop_to_mark();
    return S2SVPN_JOB_DONE;
}
