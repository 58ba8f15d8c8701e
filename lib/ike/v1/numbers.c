/* SPDX-License-Identifier: Apache-2.0 */
/* The one table of algorithms by the number that IKEv1 gives them and the one of the crypto
 * seam (IKEv2's). RFC 2409 appendix A, RFC 2407 section 4.5; AES: RFC 3602, 4106; SHA-2: RFC
 * 4868; groups: RFC 3526, 5903, 5114. */
#include "ike/v1/proposal.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* What has no row here, IKEv1 can't say: AEADs in phase 1, curve25519. */
static const struct {
    enum s2_ike1_number what;
    uint16_t ours, ikev1;
} numbers[] = {
    {S2_IKE1_NUMBER_ENCR, S2SVPN_ENCR_AES_CBC, S2_IKE1_ENCR_AES_CBC},
    {S2_IKE1_NUMBER_PRF, S2SVPN_PRF_HMAC_SHA1, 2},
    {S2_IKE1_NUMBER_PRF, S2SVPN_PRF_HMAC_SHA2_256, 4},
    {S2_IKE1_NUMBER_PRF, S2SVPN_PRF_HMAC_SHA2_384, 5},
    {S2_IKE1_NUMBER_PRF, S2SVPN_PRF_HMAC_SHA2_512, 6},
    {S2_IKE1_NUMBER_HASH, S2SVPN_HASH_SHA1, 2},
    {S2_IKE1_NUMBER_HASH, S2SVPN_HASH_SHA2_256, 4},
    {S2_IKE1_NUMBER_HASH, S2SVPN_HASH_SHA2_384, 5},
    {S2_IKE1_NUMBER_HASH, S2SVPN_HASH_SHA2_512, 6},
    {S2_IKE1_NUMBER_ESP, S2SVPN_ENCR_NULL, 11},
    {S2_IKE1_NUMBER_ESP, S2SVPN_ENCR_AES_CBC, S2_IKE1_ESP_AES_CBC},
    {S2_IKE1_NUMBER_ESP, S2SVPN_ENCR_AES_GCM_16, S2_IKE1_ESP_AES_GCM_16},
    {S2_IKE1_NUMBER_INTEG, S2SVPN_INTEG_HMAC_SHA1_96, 2},
    {S2_IKE1_NUMBER_INTEG, S2SVPN_INTEG_HMAC_SHA2_256_128, 5},
    {S2_IKE1_NUMBER_INTEG, S2SVPN_INTEG_HMAC_SHA2_384_192, 6},
    {S2_IKE1_NUMBER_INTEG, S2SVPN_INTEG_HMAC_SHA2_512_256, 7},
    {S2_IKE1_NUMBER_GROUP, S2SVPN_KE_MODP_1024, 2},
    {S2_IKE1_NUMBER_GROUP, S2SVPN_KE_MODP_1536, 5},
    {S2_IKE1_NUMBER_GROUP, S2SVPN_KE_MODP_2048, 14},
    {S2_IKE1_NUMBER_GROUP, S2SVPN_KE_MODP_3072, 15},
    {S2_IKE1_NUMBER_GROUP, S2SVPN_KE_MODP_4096, 16},
    {S2_IKE1_NUMBER_GROUP, S2SVPN_KE_MODP_6144, 17},
    {S2_IKE1_NUMBER_GROUP, S2SVPN_KE_MODP_8192, 18},
    {S2_IKE1_NUMBER_GROUP, S2SVPN_KE_ECP_256, 19},
    {S2_IKE1_NUMBER_GROUP, S2SVPN_KE_ECP_384, 20},
    {S2_IKE1_NUMBER_GROUP, S2SVPN_KE_ECP_521, 21},
    {S2_IKE1_NUMBER_GROUP, S2SVPN_KE_MODP_1024_160, 22},
    {S2_IKE1_NUMBER_GROUP, S2SVPN_KE_MODP_2048_224, 23},
    {S2_IKE1_NUMBER_GROUP, S2SVPN_KE_MODP_2048_256, 24},
};

uint16_t s2_ike1_number(enum s2_ike1_number what, uint16_t ours)
{
    for (size_t i = 0; i < COUNT(numbers); i++) {
        if (numbers[i].what == what && numbers[i].ours == ours)
            return numbers[i].ikev1;
    }
    return 0;
}

uint16_t s2_ike1_number_back(enum s2_ike1_number what, uint16_t ikev1)
{
    for (size_t i = 0; i < COUNT(numbers); i++) {
        if (numbers[i].what == what && numbers[i].ikev1 == ikev1)
            return numbers[i].ours;
    }
    return 0;
}
