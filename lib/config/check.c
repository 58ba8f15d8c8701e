/* SPDX-License-Identifier: Apache-2.0 */
/* What the document's elements mean together: addresses of one network, ciphers and
 * their integrity, keys or certificates, two tunnels of one connection. Single values are elements.c's. */
#include "base/address.h"
#include "config/config.h"
#include "s2svpn/crypto.h"

#define OUTSIDE "ipsec_tunnel/vpn_gateway/tunnel_outside_address/ip_address"
#define CUSTOMER "ipsec_tunnel/customer_gateway/tunnel_outside_address/ip_address"
#define KEY "ipsec_tunnel/ike/pre_shared_key"
#define LENGTH "ipsec_tunnel/vpn_gateway/tunnel_inside_address/network_cidr"
#define INSIDE "ipsec_tunnel/vpn_gateway/tunnel_inside_address/ip_address"

static bool aead(const s2svpn_config_phase *phase)
{
    return phase->encr == S2SVPN_ENCR_AES_GCM_16;
}

/* Of four addresses: not the network's own (IPv6: any router's), nor the broadcast. */
static bool host_of(const s2svpn_address *a, const s2svpn_prefix *net)
{
    const uint8_t host = a->bytes[s2_address_len(a) - 1] & 3;

    return s2_prefix_contains(net, a) && host != 0 &&
           (host != 3 || a->family == S2SVPN_FAMILY_IPV6);
}

static bool length_agrees(const s2svpn_config_tunnel *t)
{
    return t->inside_length == s2_family_bits(t->customer.inside.family) - 2;
}

static bool inside_agrees(const s2svpn_config_tunnel *t)
{
    const s2svpn_address *a = &t->customer.inside, *b = &t->gateway.inside;
    const s2svpn_prefix net = s2_prefix_make(a, t->inside_length);

    return host_of(a, &net) && host_of(b, &net) && !s2_address_equal(a, b);
}

/* An AEAD needs no integrity algorithm. Phase 1's then still names the hash that its
 * PRF is made of. */
static void drop_idle(s2svpn_device_config *c)
{
    for (size_t i = 0; i < c->tunnel_count; i++) {
        s2svpn_config_tunnel *t = &c->tunnel[i];

        if (aead(&t->ipsec))
            t->ipsec.integ = S2SVPN_INTEG_NONE;
        if (c->static_routes) {
            t->customer.asn = t->gateway.asn = 0;
            t->customer.hold_time_s = t->gateway.hold_time_s = 0;
        }
    }
}

static bool flawed(struct s2_config_flaw *flaw, const char *path, size_t tunnel,
                   const char *expected)
{
    *flaw = (struct s2_config_flaw){path, tunnel, expected};
    return false;
}

static bool tunnel_agrees(const s2svpn_config_tunnel *t, size_t i, struct s2_config_flaw *flaw)
{
    static const char integ[] = "an integrity algorithm, which this cipher needs";

    if (t->customer.outside.family == S2SVPN_FAMILY_NONE && t->pre_shared_key[0] != 0)
        return flawed(flaw, CUSTOMER, i, "an IP address of a host");
    if (t->customer.outside.family != S2SVPN_FAMILY_NONE &&
        t->customer.outside.family != t->gateway.outside.family)
        return flawed(flaw, OUTSIDE, i, "an address of the customer gateway's family");
    if (s2_address_equal(&t->customer.outside, &t->gateway.outside))
        return flawed(flaw, OUTSIDE, i, "another address than the customer gateway's");
    if (!length_agrees(t))
        return flawed(flaw, LENGTH, i, "30 beside IPv4, 126 beside IPv6");
    if (!inside_agrees(t))
        return flawed(flaw, INSIDE, i, "the other host of the customer gateway's network");
    if (!aead(&t->ike) && t->ike.integ == S2SVPN_INTEG_NONE)
        return flawed(flaw, "ipsec_tunnel/ike/authentication_protocol", i, integ);
    if (!aead(&t->ipsec) && t->ipsec.integ == S2SVPN_INTEG_NONE)
        return flawed(flaw, "ipsec_tunnel/ipsec/authentication_protocol", i, integ);
    if (t->ipsec.lifetime_s >= t->ike.lifetime_s)
        return flawed(flaw, "ipsec_tunnel/ipsec/lifetime", i, "less than phase 1's lifetime");
    return true;
}

static bool tunnels_agree(const s2svpn_config_tunnel *a, const s2svpn_config_tunnel *b,
                          struct s2_config_flaw *flaw)
{
    if ((a->pre_shared_key[0] != 0) != (b->pre_shared_key[0] != 0))
        return flawed(flaw, KEY, a->pre_shared_key[0] != 0,
                      "1 to 255 printable ASCII characters, as in the other tunnel");
    if (s2_address_equal(&a->gateway.outside, &b->gateway.outside))
        return flawed(flaw, OUTSIDE, 1, "another address than the first tunnel's");
    if (a->gateway.inside.family != b->gateway.inside.family)
        return flawed(flaw, INSIDE, 1, "an address of the first tunnel's family");
    if (s2_address_equal(&a->gateway.inside, &b->gateway.inside) ||
        s2_address_equal(&a->gateway.inside, &b->customer.inside))
        return flawed(flaw, INSIDE, 1, "another network than the first tunnel's");
    if (a->customer.asn != b->customer.asn)
        return flawed(flaw, "ipsec_tunnel/customer_gateway/bgp/asn", 1, "the first tunnel's");
    if (a->gateway.asn != b->gateway.asn)
        return flawed(flaw, "ipsec_tunnel/vpn_gateway/bgp/asn", 1, "the first tunnel's");
    return true;
}

bool s2_config_check(s2svpn_device_config *c, struct s2_config_flaw *flaw)
{
    drop_idle(c);
    for (size_t i = 0; i < c->tunnel_count; i++) {
        if (!tunnel_agrees(&c->tunnel[i], i, flaw))
            return false;
    }
    return c->tunnel_count < 2 || tunnels_agree(&c->tunnel[0], &c->tunnel[1], flaw);
}
