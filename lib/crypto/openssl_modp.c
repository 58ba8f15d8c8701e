/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jobs of the MODP groups: 2 (RFC 2409 section 6.2), 5 and 14 to 18 (RFC 3526),
 * 22 to 24 (RFC 5114 section 2). Values are padded to the modulus' length in both
 * directions (RFC 7296 section 2.14). The dispatch and the sizes' checks are
 * openssl_ke.c's.
 *
 * The exponentiation with the private number is OpenSSL's fixed-window one, whose
 * table look-ups don't depend on it. Peers' values are checked first: 1 < r < p-1,
 * and in the groups with a small prime-order subgroup also r^q = 1 (RFC 6989
 * sections 2.1 and 2.2), whoever the peer is and whether or not a key is used twice.
 */
#include "crypto/openssl.h"

#include <string.h>

#include <openssl/bn.h>

struct group {
    uint16_t id;
    BIGNUM *(*prime)(BIGNUM *); /* OpenSSL has it; the generator is 2 */
    const char *p, *g, *q;      /* or in hex, with the order of the subgroup of g */
};

static const struct group groups[] = {
    {.id = S2SVPN_KE_MODP_1024, .prime = BN_get_rfc2409_prime_1024},
    {.id = S2SVPN_KE_MODP_1536, .prime = BN_get_rfc3526_prime_1536},
    {.id = S2SVPN_KE_MODP_2048, .prime = BN_get_rfc3526_prime_2048},
    {.id = S2SVPN_KE_MODP_3072, .prime = BN_get_rfc3526_prime_3072},
    {.id = S2SVPN_KE_MODP_4096, .prime = BN_get_rfc3526_prime_4096},
    {.id = S2SVPN_KE_MODP_6144, .prime = BN_get_rfc3526_prime_6144},
    {.id = S2SVPN_KE_MODP_8192, .prime = BN_get_rfc3526_prime_8192},
    {
        .id = S2SVPN_KE_MODP_1024_160,
        .p = "B10B8F96A080E01DDE92DE5EAE5D54EC52C99FBCFB06A3C69A6A9DCA52D23B61"
             "6073E28675A23D189838EF1E2EE652C013ECB4AEA906112324975C3CD49B83BF"
             "ACCBDD7D90C4BD7098488E9C219A73724EFFD6FAE5644738FAA31A4FF55BCCC0"
             "A151AF5F0DC8B4BD45BF37DF365C1A65E68CFDA76D4DA708DF1FB2BC2E4A4371",
        .g = "A4D1CBD5C3FD34126765A442EFB99905F8104DD258AC507FD6406CFF14266D31"
             "266FEA1E5C41564B777E690F5504F213160217B4B01B886A5E91547F9E2749F4"
             "D7FBD7D3B9A92EE1909D0D2263F80A76A6A24C087A091F531DBF0A0169B6A28A"
             "D662A4D18E73AFA32D779D5918D08BC8858F4DCEF97C2A24855E6EEB22B3B2E5",
        .q = "F518AA8781A8DF278ABA4E7D64B7CB9D49462353",
    },
    {
        .id = S2SVPN_KE_MODP_2048_224,
        .p = "AD107E1E9123A9D0D660FAA79559C51FA20D64E5683B9FD1B54B1597B61D0A75"
             "E6FA141DF95A56DBAF9A3C407BA1DF15EB3D688A309C180E1DE6B85A1274A0A6"
             "6D3F8152AD6AC2129037C9EDEFDA4DF8D91E8FEF55B7394B7AD5B7D0B6C12207"
             "C9F98D11ED34DBF6C6BA0B2C8BBC27BE6A00E0A0B9C49708B3BF8A3170918836"
             "81286130BC8985DB1602E714415D9330278273C7DE31EFDC7310F7121FD5A074"
             "15987D9ADC0A486DCDF93ACC44328387315D75E198C641A480CD86A1B9E587E8"
             "BE60E69CC928B2B9C52172E413042E9B23F10B0E16E79763C9B53DCF4BA80A29"
             "E3FB73C16B8E75B97EF363E2FFA31F71CF9DE5384E71B81C0AC4DFFE0C10E64F",
        .g = "AC4032EF4F2D9AE39DF30B5C8FFDAC506CDEBE7B89998CAF74866A08CFE4FFE3"
             "A6824A4E10B9A6F0DD921F01A70C4AFAAB739D7700C29F52C57DB17C620A8652"
             "BE5E9001A8D66AD7C17669101999024AF4D027275AC1348BB8A762D0521BC98A"
             "E247150422EA1ED409939D54DA7460CDB5F6C6B250717CBEF180EB34118E98D1"
             "19529A45D6F834566E3025E316A330EFBB77A86F0C1AB15B051AE3D428C8F8AC"
             "B70A8137150B8EEB10E183EDD19963DDD9E263E4770589EF6AA21E7F5F2FF381"
             "B539CCE3409D13CD566AFBB48D6C019181E1BCFE94B30269EDFE72FE9B6AA4BD"
             "7B5A0F1C71CFFF4C19C418E1F6EC017981BC087F2A7065B384B890D3191F2BFA",
        .q = "801C0D34C58D93FE997177101F80535A4738CEBCBF389A99B36371EB",
    },
    {
        .id = S2SVPN_KE_MODP_2048_256,
        .p = "87A8E61DB4B6663CFFBBD19C651959998CEEF608660DD0F25D2CEED4435E3B00"
             "E00DF8F1D61957D4FAF7DF4561B2AA3016C3D91134096FAA3BF4296D830E9A7C"
             "209E0C6497517ABD5A8A9D306BCF67ED91F9E6725B4758C022E0B1EF4275BF7B"
             "6C5BFC11D45F9088B941F54EB1E59BB8BC39A0BF12307F5C4FDB70C581B23F76"
             "B63ACAE1CAA6B7902D52526735488A0EF13C6D9A51BFA4AB3AD8347796524D8E"
             "F6A167B5A41825D967E144E5140564251CCACB83E6B486F6B3CA3F7971506026"
             "C0B857F689962856DED4010ABD0BE621C3A3960A54E710C375F26375D7014103"
             "A4B54330C198AF126116D2276E11715F693877FAD7EF09CADB094AE91E1A1597",
        .g = "3FB32C9B73134D0B2E77506660EDBD484CA7B18F21EF205407F4793A1A0BA125"
             "10DBC15077BE463FFF4FED4AAC0BB555BE3A6C1B0C6B47B1BC3773BF7E8C6F62"
             "901228F8C28CBB18A55AE31341000A650196F931C77A57F2DDF463E5E9EC144B"
             "777DE62AAAB8A8628AC376D282D6ED3864E67982428EBC831D14348F6F2F9193"
             "B5045AF2767164E1DFC967C1FB3F2E55A4BD1BFFE83B9C80D052B985D182EA0A"
             "DB2A3B7313D3FE14C8484B1E052588B9B7D2BBD2DF016199ECD06E1557CD0915"
             "B3353BBB64E0EC377FD028370DF92B52C7891428CDC67EB6184B523D1DB246C3"
             "2F63078490F00EF8D647D148D47954515E2327CFEF98C582664B4C0F6CC41659",
        .q = "8CF83642A709A097B447997640129DA299B1A47D1EB3750BA308B0FE64F5FBD3",
    },
};

static const struct group *find_group(uint16_t id)
{
    for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++) {
        if (groups[i].id == id)
            return &groups[i];
    }
    return NULL;
}

struct modp {
    BN_CTX *ctx;
    BN_MONT_CTX *mont;
    BIGNUM *p, *g, *q; /* q NULL in the safe-prime groups */
    BIGNUM *x;         /* the private exponent */
    BIGNUM *y;         /* the peer's value, then the result */
};

static bool load_group(struct modp *m, const struct group *group)
{
    if (group->prime != NULL) {
        m->p = group->prime(NULL);
        m->g = BN_new();
        return m->p != NULL && m->g != NULL && BN_set_word(m->g, 2) == 1;
    }
    return BN_hex2bn(&m->p, group->p) != 0 && BN_hex2bn(&m->g, group->g) != 0 &&
           BN_hex2bn(&m->q, group->q) != 0;
}

/* In a safe-prime group the exponent is the bytes with their highest bit set, so
 * that its length, and with it the time taken, is always the same and it is never 0
 * or 1; in the others a number below the order. */
static bool load_private(struct modp *m, s2svpn_span secret)
{
    if (m->q != NULL) {
        m->x = s2_openssl_private_number(secret, m->q, m->ctx);
        return m->x != NULL;
    }
    m->x = BN_secure_new();
    if (m->x == NULL)
        return false;
    BN_set_flags(m->x, BN_FLG_CONSTTIME);
    return BN_bin2bn(secret.p, (int)secret.len, m->x) != NULL &&
           BN_set_bit(m->x, (int)secret.len * 8 - 1) == 1;
}

static bool begin(struct modp *m, const s2svpn_job *job)
{
    const struct group *group = find_group(job->ke);

    memset(m, 0, sizeof(*m));
    m->ctx = BN_CTX_secure_new();
    m->mont = BN_MONT_CTX_new();
    m->y = BN_secure_new();
    return group != NULL && m->ctx != NULL && m->mont != NULL && m->y != NULL &&
           load_group(m, group) && load_private(m, job->secret) &&
           BN_MONT_CTX_set(m->mont, m->p, m->ctx) == 1;
}

static void end(struct modp *m)
{
    BN_clear_free(m->y);
    BN_clear_free(m->x);
    BN_free(m->q);
    BN_free(m->g);
    BN_free(m->p);
    BN_MONT_CTX_free(m->mont);
    BN_CTX_free(m->ctx);
}

/* base ^ x into the job's out. The result needs no check: a base that passed check()
 * has a large prime order (or twice that), and x is neither 0 nor as large. */
static s2svpn_status power(struct modp *m, const BIGNUM *base, s2svpn_job *job)
{
    if (BN_mod_exp_mont_consttime(m->y, base, m->x, m->p, m->ctx, m->mont) != 1 ||
        BN_bn2binpad(m->y, job->out, (int)job->out_len) != (int)job->out_len)
        return S2SVPN_E_CRYPTO;
    return S2SVPN_OK;
}

/* RFC 6989 sections 2.1 and 2.2. The value is public: no constant time. */
static s2svpn_status check(struct modp *m)
{
    BIGNUM *t = BN_dup(m->p);
    s2svpn_status rc = S2SVPN_E_CRYPTO;

    if (t == NULL || BN_sub_word(t, 1) != 1)
        goto out;
    rc = S2SVPN_E_ARGUMENT;
    if (BN_is_zero(m->y) || BN_is_one(m->y) || BN_cmp(m->y, t) >= 0)
        goto out;
    if (m->q != NULL && BN_mod_exp_mont(t, m->y, m->q, m->p, m->ctx, m->mont) != 1)
        rc = S2SVPN_E_CRYPTO;
    else if (m->q == NULL || BN_is_one(t))
        rc = S2SVPN_OK;
out:
    BN_free(t);
    return rc;
}

s2svpn_status s2_openssl_modp_public(s2svpn_job *job)
{
    s2svpn_status rc = S2SVPN_E_CRYPTO;
    struct modp m;

    if (begin(&m, job))
        rc = power(&m, m.g, job);
    end(&m);
    return rc;
}

s2svpn_status s2_openssl_modp_shared(s2svpn_job *job)
{
    s2svpn_status rc = S2SVPN_E_CRYPTO;
    struct modp m;

    if (begin(&m, job) && BN_bin2bn(job->in.p, (int)job->in.len, m.y) != NULL) {
        rc = check(&m);
        if (rc == S2SVPN_OK)
            rc = power(&m, m.y, job);
    }
    end(&m);
    return rc;
}
