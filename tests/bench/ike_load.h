/* SPDX-License-Identifier: Apache-2.0 */
/* What bench_ike_gateway and bench_ike_load both know: the document of connection
 * number i. Customers have addresses in 10.9.0.0/16, the gateway has two. */
#ifndef S2_BENCH_IKE_LOAD_H
#define S2_BENCH_IKE_LOAD_H

#include <stdio.h>
#include <stdlib.h>

#include "s2svpn/host.h"
#include "s2svpn/s2svpn.h"

#define LOAD_PSK "bench.only.not.secret.0123456789"
#define LOAD_CONNECTIONS_MAX 1000
#define LOAD_INSIDE (8u << 8) /* inside networks begin at 169.254.8.0 */

static inline s2svpn_address load_ipv4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return (s2svpn_address){.family = S2SVPN_FAMILY_IPV4, .bytes = {a, b, c, d}};
}

static inline s2svpn_address load_gateway(unsigned tunnel)
{
    return load_ipv4(198, 51, 100, (uint8_t)(1 + tunnel));
}

static inline s2svpn_address load_customer(unsigned i)
{
    return load_ipv4(10, 9, (uint8_t)(i / 250), (uint8_t)(1 + i % 250));
}

/* Address number host of the /30 that is a tunnel's inside. */
static inline s2svpn_address load_inside(unsigned i, unsigned tunnel, unsigned host)
{
    const unsigned at = LOAD_INSIDE + 4 * (2 * i + tunnel) + host;

    return load_ipv4(169, 254, (uint8_t)(at >> 8), (uint8_t)at);
}

static inline s2svpn_config_phase load_phase(uint16_t group, uint32_t lifetime_s)
{
    return (s2svpn_config_phase){.encr = S2SVPN_ENCR_AES_GCM_16,
                                 .key_bits = 128,
                                 .integ = S2SVPN_INTEG_HMAC_SHA2_256_128,
                                 .ke = group,
                                 .lifetime_s = lifetime_s};
}

static inline void load_document(unsigned i, uint16_t group, bool bgp, s2svpn_device_config *out)
{
    s2svpn_device_config config = {.size = sizeof(config), .static_routes = !bgp};

    snprintf(config.connection.text, sizeof(config.connection.text), "vpn-%017x", i);
    config.tunnel_count = 2;
    for (unsigned k = 0; k < 2; k++) {
        s2svpn_config_tunnel *t = &config.tunnel[k];

        t->customer.outside = load_customer(i);
        t->customer.inside = load_inside(i, k, 2);
        t->gateway.outside = load_gateway(k);
        t->gateway.inside = load_inside(i, k, 1);
        if (bgp) {
            t->customer.asn = 65000;
            t->gateway.asn = 64512;
            t->customer.hold_time_s = t->gateway.hold_time_s = 30;
        }
        t->inside_length = 30;
        t->ike = load_phase(group, 28800);
        t->ipsec = load_phase(group, 3600);
        t->dpd_interval_s = 10;
        t->dpd_retries = 3;
        snprintf(t->pre_shared_key, sizeof(t->pre_shared_key), "%s", LOAD_PSK);
    }
    *out = config;
}

static inline void load_must(bool good, const char *program, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "%s: %s\n", program, what);
    exit(1);
}

#endif
