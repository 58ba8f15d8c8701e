/* SPDX-License-Identifier: Apache-2.0 */
/* Names of algorithms, for the words that say what a peer offered. IANA, "IKEv2
 * Transform Type Values". Numbers without a name are printed as numbers. */
#include "ike/engine.h"

#include "base/text.h"

/* X(type, number, "NAME") */
#define TRANSFORM_LIST(X)                                                                          \
    X(ENCR, 3, "3DES")                                                                             \
    X(ENCR, 11, "NULL")                                                                            \
    X(ENCR, 12, "AES_CBC")                                                                         \
    X(ENCR, 13, "AES_CTR")                                                                         \
    X(ENCR, 18, "AES_GCM_8")                                                                       \
    X(ENCR, 19, "AES_GCM_12")                                                                      \
    X(ENCR, 20, "AES_GCM_16")                                                                      \
    X(ENCR, 28, "CHACHA20_POLY1305")                                                               \
    X(PRF, 1, "PRF_HMAC_MD5")                                                                      \
    X(PRF, 2, "PRF_HMAC_SHA1")                                                                     \
    X(PRF, 4, "PRF_AES128_XCBC")                                                                   \
    X(PRF, 5, "PRF_HMAC_SHA2_256")                                                                 \
    X(PRF, 6, "PRF_HMAC_SHA2_384")                                                                 \
    X(PRF, 7, "PRF_HMAC_SHA2_512")                                                                 \
    X(INTEG, 1, "HMAC_MD5_96")                                                                     \
    X(INTEG, 2, "HMAC_SHA1_96")                                                                    \
    X(INTEG, 5, "AES_XCBC_96")                                                                     \
    X(INTEG, 12, "HMAC_SHA2_256_128")                                                              \
    X(INTEG, 13, "HMAC_SHA2_384_192")                                                              \
    X(INTEG, 14, "HMAC_SHA2_512_256")                                                              \
    X(KE, 1, "MODP_768")                                                                           \
    X(KE, 2, "MODP_1024")                                                                          \
    X(KE, 5, "MODP_1536")                                                                          \
    X(KE, 14, "MODP_2048")                                                                         \
    X(KE, 15, "MODP_3072")                                                                         \
    X(KE, 16, "MODP_4096")                                                                         \
    X(KE, 17, "MODP_6144")                                                                         \
    X(KE, 18, "MODP_8192")                                                                         \
    X(KE, 19, "ECP_256")                                                                           \
    X(KE, 20, "ECP_384")                                                                           \
    X(KE, 21, "ECP_521")                                                                           \
    X(KE, 22, "MODP_1024_160")                                                                     \
    X(KE, 23, "MODP_2048_224")                                                                     \
    X(KE, 24, "MODP_2048_256")                                                                     \
    X(KE, 31, "CURVE25519")                                                                        \
    X(KE, 32, "CURVE448")                                                                          \
    X(ESN, 0, "NO_ESN")                                                                            \
    X(ESN, 1, "ESN")

static const struct {
    uint16_t type, id;
    const char *name;
} names[] = {
#define ROW(type, number, name) {S2SVPN_TRANSFORM_##type, (number), name},
    TRANSFORM_LIST(ROW)
#undef ROW
};

const char *s2_ike_transform_name(uint8_t type, uint16_t id)
{
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        if (names[i].type == type && names[i].id == id)
            return names[i].name;
    }
    return "?";
}

static size_t print_transform(const struct s2_ike_transform *t, bool first, char *out, size_t size)
{
    const char *name = s2_ike_transform_name(t->type, t->id);
    const char *between = first ? "" : "/";

    if (name[0] == '?')
        return s2_print(out, size, "%s%u:%u", between, t->type, t->id);
    if (t->key_bits != 0)
        return s2_print(out, size, "%s%s_%u", between, name, t->key_bits);
    return s2_print(out, size, "%s%s", between, name);
}

void s2_ike_print_offer(const struct s2_ike_sa_payload *offer, char *out, size_t size)
{
    size_t len = 0;

    s2_copy_text(out, size, "nothing");
    for (size_t i = 0; i < offer->count; i++) {
        const struct s2_ike_proposal *p = &offer->proposal[i];

        if (i > 0)
            len += s2_print(out + len, size - len, ", ");
        for (size_t k = 0; k < p->count; k++)
            len += print_transform(&p->transform[k], k == 0, out + len, size - len);
    }
}
