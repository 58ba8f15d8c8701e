/* SPDX-License-Identifier: Apache-2.0 */
/* A rig whose ends show certificates. */
#include "vpn/certified.h"

#include "vpn/packet.h"

s2svpn_status certified_set_holder(struct rig_side *side, const struct s2_pki_holder *holder,
                                   const char *crls)
{
    const struct certified *c = (const struct certified *)(const void *)side->rig;
    s2svpn_certificates given = S2SVPN_CERTIFICATES_INIT;

    given.chain = s2_pki_chain_pem(holder);
    given.private_key = s2_pki_key_pem(holder);
    given.authorities = s2_pki_pem(c->pki.root);
    given.crls = crls ? crls : c->pki.crls;
    return s2svpn_context_set_certificates(side->ctx, &given);
}

s2svpn_status certified_set(struct rig_side *side, const char *crls)
{
    const struct certified *c = (const struct certified *)(const void *)side->rig;

    return certified_set_holder(side, side == &side->rig->gateway ? c->pki.gateway : c->pki.device,
                                crls);
}

static s2svpn_status certify(struct rig_side *side)
{
    s2svpn_context_set_wall_clock(side->ctx, (uint64_t)S2_PKI_NOW * RIG_SECOND, side->rig->now_ns);
    return certified_set(side, NULL);
}

void certified_init(struct certified *c)
{
    s2_pki_make(&c->pki, S2_PKI_P256);
    c->plan = (struct rig_plan){
        .static_routes = true,
        .certificate = s2_pki_pem(c->pki.device),
        .anywhere = true,
        .certify = certify,
    };
}

void certified_close(struct certified *c)
{
    rig_close(&c->rig);
    s2_pki_clear(&c->pki);
}

bool certified_wait_up(struct certified *c)
{
    for (size_t i = 0; i < 120 && !rig_both_up(&c->rig); i++)
        rig_run(&c->rig, RIG_SECOND);
    return rig_both_up(&c->rig);
}

bool certified_up(struct certified *c)
{
    s2svpn_status rc = rig_open(&c->rig, &c->plan);

    if (rc == S2SVPN_OK)
        rc = s2svpn_connection_start(c->rig.site);
    CU_ASSERT_EQUAL(rc, S2SVPN_OK);
    if (rc != S2SVPN_OK)
        return false;
    CU_ASSERT_TRUE(certified_wait_up(c));
    return rig_both_up(&c->rig);
}

bool certified_crosses(struct certified *c)
{
    const struct packet_spec spec = {.from = "192.168.10.20", .to = "10.0.1.10", .payload = 100};
    static uint8_t p[PACKET_ROOM];
    const size_t len = packet_write(p, &spec);

    rig_drop_all(&c->rig.gateway.inside);
    rig_send(&c->rig.device, p, len);
    rig_run(&c->rig, RIG_SECOND);
    return c->rig.gateway.inside.count > 0;
}

s2svpn_status certified_customer(struct rig *rig, const char *certificate,
                                 const s2svpn_tunnel_options *tunnel, s2svpn_connection **conn)
{
    s2svpn_customer_gateway_spec spec = S2SVPN_CUSTOMER_GATEWAY_INIT;
    s2svpn_connection_spec c = S2SVPN_CONNECTION_INIT;
    s2svpn_customer_gateway *cgw = NULL;
    s2svpn_status rc;

    spec.certificate = certificate;
    c.static_routes_only = true;
    if (tunnel)
        c.tunnel[0] = c.tunnel[1] = *tunnel;
    *conn = NULL;
    rc = s2svpn_customer_gateway_new(rig->gateway.ctx, &spec, &cgw);
    if (rc == S2SVPN_OK)
        rc = s2svpn_connection_new(rig->vgw, cgw, &c, conn);
    s2svpn_customer_gateway_release(cgw);
    return rc;
}
