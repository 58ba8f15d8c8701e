/* SPDX-License-Identifier: Apache-2.0 */
/* A pair of engines that prove themselves by fake_crypto's toy certificates. */
#ifndef S2_TESTS_IKE_CERTIFICATES_H
#define S2_TESTS_IKE_CERTIFICATES_H

#include "ike/pair.h"

#define S2_FAKE_CERTIFICATE_MAX 2048

/* One side's: the certificate of its subject 'L' (end 0) or 'R' (end 1) by authority 'A',
 * which both trust. To be changed before open. */
struct s2_fake_credentials {
    struct s2_ike_credentials credentials;
    struct s2_fake_identity identity;
    struct s2_fake_trust trust;
    uint8_t certificate[S2SVPN_CHAIN_MAX + 2][S2_FAKE_CERTIFICATE_MAX];
    uint8_t authorities[40];
};

void s2_fake_credentials_init(struct s2_fake_credentials *c, char subject);
/* The next of the chain: of that many bytes. */
void s2_fake_credentials_add(struct s2_fake_credentials *c, char issuer, char subject, char what,
                             size_t len);

/* With such certificates at both ends, mine[0] and mine[1]. */
void s2_certificates_init(struct s2_pair *p, uint64_t seed, struct s2_fake_credentials mine[2]);
/* Open, initiate by 0, run so long. */
void s2_certificates_attempt(struct s2_pair *p, uint64_t ns);

#endif
