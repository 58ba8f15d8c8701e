/* SPDX-License-Identifier: Apache-2.0 */
/* Toy credentials, and pairs of engines that use them. */
#include "ike/certificates.h"

#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

void s2_fake_credentials_add(struct s2_fake_credentials *c, char issuer, char subject, char what,
                             size_t len)
{
    struct s2_ike_credentials *k = &c->credentials;
    uint8_t *p = c->certificate[k->chain_count];

    if (k->chain_count == S2SVPN_CHAIN_MAX || len < S2_FAKE_CERTIFICATE_LEN ||
        len > S2_FAKE_CERTIFICATE_MAX)
        abort();
    memset(p, 0x30 + (int)k->chain_count, len);
    p[0] = (uint8_t)issuer;
    p[1] = (uint8_t)subject;
    p[2] = (uint8_t)what;
    k->chain[k->chain_count++] = s2_span(p, len);
}

void s2_fake_credentials_init(struct s2_fake_credentials *c, char subject)
{
    struct s2_ike_credentials *k = &c->credentials;

    memset(c, 0, sizeof(*c));
    c->identity = (struct s2_fake_identity){subject, S2SVPN_AUTH_ECDSA_256, 64};
    c->trust = (struct s2_fake_trust){"A"};
    memset(c->authorities, 'h', sizeof(c->authorities));
    k->identity = &c->identity;
    k->trust = &c->trust;
    k->authorities = s2_span(c->authorities, sizeof(c->authorities));
    k->id = (struct s2_ike_id){.type = S2_IKE_ID_DER_ASN1_DN, .len = 4, .data = {0x30, 2, 0}};
    k->id.data[3] = (uint8_t)subject;
}

void s2_certificates_init(struct s2_pair *p, uint64_t seed, struct s2_fake_credentials mine[2])
{
    static const char subject[2] = {'L', 'R'};

    s2_pair_init(p, seed);
    for (size_t e = 0; e < 2; e++) {
        s2_fake_credentials_init(&mine[e], subject[e]);
        s2_fake_credentials_add(&mine[e], 'A', subject[e], '-', 400);
        p->end[e].config.auth_by = S2_IKE_BY_CERTIFICATE;
        p->end[e].config.credentials = &mine[e].credentials;
        p->end[e].config.psk.len = 0;
    }
}

void s2_certificates_attempt(struct s2_pair *p, uint64_t ns)
{
    CU_ASSERT_TRUE_FATAL(s2_pair_open(p));
    CU_ASSERT_TRUE(s2_pair_initiate(p, 0));
    s2_pair_run_for(p, ns);
}
