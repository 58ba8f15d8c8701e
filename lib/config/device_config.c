/* SPDX-License-Identifier: Apache-2.0 */
/* A connection as the document that its owner gives to a device, made from what the
 * public headers show of it. Of several permitted algorithms the document names the
 * lowest, as AWS's does. */
#include "s2svpn/connection.h"

#include <string.h>

#include "base/bytes.h"
#include "config/config.h"
#include "s2svpn/context.h"
#include "s2svpn/crypto.h"

/* AWS's figures, whatever the options say. */
#define HOLD_TIME_S 30
#define TCP_MSS 1379
#define TCP_MSS_IPV6 1359 /* ours: IPv6's header is longer by 20 */
#define DPD_INTERVAL_S 10
#define DPD_RETRIES 3

static unsigned lowest_bit(uint32_t set)
{
    unsigned n = 0;

    while (n < 31 && !(set & UINT32_C(1) << n))
        n++;
    return n;
}

/* Rows in the order of the sets' bits, which is lowest first. */
static s2svpn_config_phase lowest(uint32_t encryption, uint32_t integrity, uint32_t groups,
                                  uint32_t lifetime_s)
{
    static const struct {
        uint16_t encr, key_bits;
    } encr[32] = {
        {S2SVPN_ENCR_AES_CBC, 128},
        {S2SVPN_ENCR_AES_CBC, 256},
        {S2SVPN_ENCR_AES_GCM_16, 128},
        {S2SVPN_ENCR_AES_GCM_16, 256},
    };
    static const uint16_t integ[32] = {
        S2SVPN_INTEG_HMAC_SHA1_96,
        S2SVPN_INTEG_HMAC_SHA2_256_128,
        S2SVPN_INTEG_HMAC_SHA2_384_192,
        S2SVPN_INTEG_HMAC_SHA2_512_256,
    };
    const unsigned e = lowest_bit(encryption);
    const s2svpn_config_phase phase = {
        .encr = encr[e].encr,
        .key_bits = encr[e].key_bits,
        .integ = integ[lowest_bit(integrity)],
        .ke = (uint16_t)lowest_bit(groups),
        .lifetime_s = lifetime_s,
    };

    return phase;
}

static void fill_tunnel(s2svpn_config_tunnel *t, const s2svpn_tunnel *tunnel,
                        const s2svpn_connection_info *conn)
{
    s2svpn_tunnel_info info = {.size = sizeof(info)};
    s2svpn_tunnel_options o;

    s2svpn_tunnel_get_info(tunnel, &info);
    s2svpn_tunnel_get_options(tunnel, &o);
    t->customer.outside = conn->customer_address;
    t->customer.inside = info.inside_remote;
    t->gateway.outside = o.outside_address;
    t->gateway.inside = info.inside_local;
    if (!conn->static_routes_only) {
        t->customer.asn = conn->customer_asn;
        t->gateway.asn = conn->amazon_asn;
        t->customer.hold_time_s = t->gateway.hold_time_s = HOLD_TIME_S;
    }
    t->inside_length = info.inside_cidr.length;
    t->clear_df = true;
    t->fragment_before_encryption = true;
    t->ike =
        lowest(o.phase1_encryption, o.phase1_integrity, o.phase1_dh_groups, o.phase1_lifetime_s);
    t->ipsec =
        lowest(o.phase2_encryption, o.phase2_integrity, o.phase2_dh_groups, o.phase2_lifetime_s);
    if (o.pre_shared_key != NULL)
        s2_copy_text(t->pre_shared_key, sizeof(t->pre_shared_key), o.pre_shared_key);
    t->tcp_mss = info.inside_local.family == S2SVPN_FAMILY_IPV6 ? TCP_MSS_IPV6 : TCP_MSS;
    t->dpd_interval_s = DPD_INTERVAL_S;
    t->dpd_retries = DPD_RETRIES;
}

s2svpn_status s2svpn_connection_device_config(const s2svpn_connection *conn, s2svpn_text *xml)
{
    s2svpn_connection_info info = {.size = sizeof(info)};
    s2svpn_device_config config = {.size = sizeof(config)};
    s2svpn_status rc;

    s2svpn_connection_get_info(conn, &info);
    if (info.device || (info.state != S2SVPN_STATE_PENDING && info.state != S2SVPN_STATE_AVAILABLE))
        return S2SVPN_E_STATE;
    config.connection = info.id;
    config.customer_gateway = info.customer_gateway;
    config.virtual_gateway = info.virtual_gateway;
    config.static_routes = info.static_routes_only;
    for (size_t i = 0; i < 2; i++) {
        const s2svpn_tunnel *tunnel = s2svpn_connection_tunnel(conn, i);

        if (tunnel == NULL)
            break;
        fill_tunnel(&config.tunnel[i], tunnel, &info);
        config.tunnel_count++;
    }
    rc = s2svpn_config_write(&config, xml, NULL);
    s2_wipe(&config, sizeof(config));
    return rc;
}
