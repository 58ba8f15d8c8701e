/* SPDX-License-Identifier: Apache-2.0 */
/* A connection without a device that borrows another one's SA. */
#include "vpn/other_site.h"

#include "vpn/vpn.h"

s2svpn_connection *other_site_open(struct rig *rig, const char *prefix)
{
    s2svpn_customer_gateway_spec spec = S2SVPN_CUSTOMER_GATEWAY_INIT;
    const s2svpn_prefix p = rig_prefix(prefix);
    s2svpn_customer_gateway *cgw = NULL;
    s2svpn_connection *other = NULL;

    spec.address = "203.0.113.8";
    CU_ASSERT_EQUAL_FATAL(s2svpn_customer_gateway_new(rig->gateway.ctx, &spec, &cgw), S2SVPN_OK);
    CU_ASSERT_EQUAL_FATAL(s2svpn_connection_new(rig->vgw, cgw, NULL, &other), S2SVPN_OK);
    s2svpn_customer_gateway_release(cgw);
    atomic_store(&other->tunnel[0].out, atomic_load(&rig->cloud->tunnel[0].out));
    atomic_store(&other->tunnel[0].mtu, atomic_load(&rig->cloud->tunnel[0].mtu));
    CU_ASSERT_EQUAL(
        s2_fib_set(rig->vgw->router.fib, &p, s2_target_make(&other->tunnel[0], S2_TARGET_TUNNEL)),
        S2SVPN_OK);
    return other;
}

void other_site_close(struct rig *rig, s2svpn_connection *other, const char *prefix)
{
    const s2svpn_prefix p = rig_prefix(prefix);

    s2_fib_unset(rig->vgw->router.fib, &p);
    atomic_store(&other->tunnel[0].out, NULL);
    s2svpn_connection_release(other);
}
