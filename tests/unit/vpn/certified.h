/* SPDX-License-Identifier: Apache-2.0 */
/* A rig whose ends show certificates: the customer gateway has no address, unless the plan is
 * changed. */
#ifndef S2_TESTS_VPN_CERTIFIED_H
#define S2_TESTS_VPN_CERTIFIED_H

#include "crypto/pki.h"
#include "vpn/rig.h"

struct certified {
    struct rig rig; /* first */
    struct s2_pki pki;
    struct rig_plan plan;
};

/* Certificates and a plan with static routes; nothing is opened. */
void certified_init(struct certified *c);
/* rig_close, and the certificates. */
void certified_close(struct certified *c);
/* Open, start, and let pass up to two minutes until both tunnels are up: CHECKed. */
bool certified_up(struct certified *c);
bool certified_wait_up(struct certified *c);
/* Does a packet cross from the site to the instance? */
bool certified_crosses(struct certified *c);
/* Give a side's context its certificates, with these lists; NULL: the usual ones. */
s2svpn_status certified_set(struct rig_side *side, const char *crls);
/* The same with another holder's. */
s2svpn_status certified_set_holder(struct rig_side *side, const struct s2_pki_holder *holder,
                                   const char *crls);
/* A customer gateway of the certificate, anywhere, with a connection. */
s2svpn_status certified_customer(struct rig *rig, const char *certificate,
                                 const s2svpn_tunnel_options *tunnel, s2svpn_connection **conn);

#endif
