/* SPDX-License-Identifier: Apache-2.0 */
/* The crypto table's certificates, passed on to the table behind it; jobs.c has the jobs. */
#include "io/sim/sim.h"

static s2svpn_status identity_new(void *user, s2svpn_span chain, s2svpn_span key, void **identity,
                                  s2svpn_error *why)
{
    s2svpn_sim_node *node = user;

    return node->real_crypto->identity_new(node->real_crypto_user, chain, key, identity, why);
}

static void identity_free(void *user, void *identity)
{
    s2svpn_sim_node *node = user;

    node->real_crypto->identity_free(node->real_crypto_user, identity);
}

static size_t identity_chain(void *user, const void *identity, s2svpn_span chain[S2SVPN_CHAIN_MAX])
{
    s2svpn_sim_node *node = user;

    return node->real_crypto->identity_chain(node->real_crypto_user, identity, chain);
}

static s2svpn_status trust_new(void *user, s2svpn_span authorities, s2svpn_span crls, void **trust,
                               s2svpn_error *why)
{
    s2svpn_sim_node *node = user;

    return node->real_crypto->trust_new(node->real_crypto_user, authorities, crls, trust, why);
}

static void trust_free(void *user, void *trust)
{
    s2svpn_sim_node *node = user;

    node->real_crypto->trust_free(node->real_crypto_user, trust);
}

static s2svpn_span trust_hashes(void *user, const void *trust)
{
    s2svpn_sim_node *node = user;

    return node->real_crypto->trust_hashes(node->real_crypto_user, trust);
}

static s2svpn_status certificate_read(void *user, s2svpn_span certificate,
                                      s2svpn_certificate_info *out)
{
    s2svpn_sim_node *node = user;

    return node->real_crypto->certificate_read(node->real_crypto_user, certificate, out);
}

/* All of them or none, as the table's contract says; an older table ends before them. */
void s2_sim_wrap_certificates(s2svpn_sim_node *node)
{
    const s2svpn_crypto_ops *real = node->real_crypto;

    if (real->size < sizeof(*real) || !real->certificate_read)
        return;
    node->crypto.identity_new = identity_new;
    node->crypto.identity_free = identity_free;
    node->crypto.identity_chain = identity_chain;
    node->crypto.trust_new = trust_new;
    node->crypto.trust_free = trust_free;
    node->crypto.trust_hashes = trust_hashes;
    node->crypto.certificate_read = certificate_read;
}
