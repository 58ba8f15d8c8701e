/* SPDX-License-Identifier: Apache-2.0 */
/* A connection as a document. The connection is a fake: the room sees it through four
 * public functions, which stand here. */
#include "s2svpn/connection.h"

#include <stdlib.h>
#include <string.h>

#include "base/address.h"
#include "harness.h"
#include "s2svpn/context.h"
#include "s2svpn/crypto.h"
#include "support.h"

struct s2svpn_tunnel {
    s2svpn_tunnel_info info;
    s2svpn_tunnel_options options;
};
struct s2svpn_connection {
    s2svpn_connection_info info;
    size_t tunnels;
    s2svpn_tunnel tunnel[2];
};

void s2svpn_connection_get_info(const s2svpn_connection *conn, s2svpn_connection_info *out)
{
    CU_ASSERT(out->size == sizeof(*out));
    *out = conn->info;
}

s2svpn_tunnel *s2svpn_connection_tunnel(const s2svpn_connection *conn, size_t index)
{
    return index < conn->tunnels ? (s2svpn_tunnel *)(uintptr_t)&conn->tunnel[index] : NULL;
}

void s2svpn_tunnel_get_info(const s2svpn_tunnel *tunnel, s2svpn_tunnel_info *out)
{
    CU_ASSERT(out->size == sizeof(*out));
    *out = tunnel->info;
}

void s2svpn_tunnel_get_options(const s2svpn_tunnel *tunnel, s2svpn_tunnel_options *out)
{
    *out = tunnel->options;
}

static void make_tunnel(s2svpn_tunnel *t, const char *outside, uint32_t net, const char *key)
{
    const s2svpn_address inside = s2_address_ipv4(net);

    t->info.inside_cidr = s2_prefix_make(&inside, 30);
    t->info.inside_local = s2_address_ipv4(net + 1);
    t->info.inside_remote = s2_address_ipv4(net + 2);
    CU_ASSERT(s2svpn_address_read(outside, &t->options.outside_address));
    t->options.pre_shared_key = key;
    t->options.phase1_encryption = t->options.phase2_encryption = 15;
    t->options.phase1_integrity = t->options.phase2_integrity = 15;
    t->options.phase1_dh_groups = S2SVPN_GROUP(2) | S2SVPN_GROUP(14) | S2SVPN_GROUP(24);
    t->options.phase2_dh_groups = S2SVPN_GROUP(2) | S2SVPN_GROUP(5) | S2SVPN_GROUP(31);
    t->options.phase1_lifetime_s = 28800;
    t->options.phase2_lifetime_s = 3600;
}

/* The vector bgp's connection, with AWS's defaults. */
static void make_connection(s2svpn_connection *c)
{
    memset(c, 0, sizeof(*c));
    c->info.state = S2SVPN_STATE_AVAILABLE;
    CU_ASSERT(s2_config_id_read("vpn-0a1b2c3d4e5f60718", &c->info.id));
    CU_ASSERT(s2_config_id_read("cgw-0123456789abcdef0", &c->info.customer_gateway));
    CU_ASSERT(s2_config_id_read("vgw-0fedcba9876543210", &c->info.virtual_gateway));
    c->info.customer_asn = 65000;
    c->info.amazon_asn = 64512;
    CU_ASSERT(s2svpn_address_read("203.0.113.7", &c->info.customer_address));
    c->tunnels = 2;
    make_tunnel(&c->tunnel[0], "198.51.100.10", 0xa9fe2cf0, KEY_OF_BGP);
    make_tunnel(&c->tunnel[1], "198.51.100.77", 0xa9fea00c, "hG5_uLw8yB.invented.Rc62fK1vNq94");
}

static s2svpn_device_config *config_of(const s2svpn_connection *conn)
{
    s2svpn_device_config *c = NULL;
    s2svpn_text xml = {0};

    CU_ASSERT(s2svpn_connection_device_config(conn, &xml) == S2SVPN_OK);
    CU_ASSERT_FATAL(xml.data != NULL);
    CU_ASSERT(s2svpn_config_read(xml.data, xml.len, &c, NULL) == S2SVPN_OK);
    CU_ASSERT_FATAL(c != NULL);
    s2svpn_text_free(&xml);
    return c;
}

static void a_connection_with_awss_defaults_gives_awss_document(void)
{
    s2svpn_connection conn;
    s2svpn_text xml = {0};
    char *text = load("bgp");

    make_connection(&conn);
    CU_ASSERT(s2svpn_connection_device_config(&conn, &xml) == S2SVPN_OK);
    CU_ASSERT_FATAL(xml.data != NULL);
    CU_ASSERT_STRING_EQUAL(xml.data, text);
    s2svpn_text_free(&xml);
    conn.info.state = S2SVPN_STATE_PENDING;
    CU_ASSERT(s2svpn_connection_device_config(&conn, &xml) == S2SVPN_OK);
    s2svpn_text_free(&xml);
    free(text);
}

static void one_with_ipv6_inside_gives_our_form_of_it(void)
{
    static const char *const inside[] = {"fd44:240::", "fd9c:1d5e:7:a0::c"};
    s2svpn_connection conn;
    s2svpn_text xml = {0};
    char *text = load("ipv6_inside");

    make_connection(&conn);
    for (size_t i = 0; i < 2; i++) {
        s2svpn_tunnel_info *info = &conn.tunnel[i].info;

        CU_ASSERT(s2svpn_address_read(inside[i], &info->inside_cidr.address));
        info->inside_cidr.length = 126;
        info->inside_local = info->inside_remote = info->inside_cidr.address;
        info->inside_local.bytes[15] |= 1;
        info->inside_remote.bytes[15] |= 2;
    }
    CU_ASSERT(s2svpn_connection_device_config(&conn, &xml) == S2SVPN_OK);
    CU_ASSERT_FATAL(xml.data != NULL);
    CU_ASSERT_STRING_EQUAL(xml.data, text);
    s2svpn_text_free(&xml);
    free(text);
}

static void the_lowest_permitted_algorithms_are_named(void)
{
    s2svpn_connection conn;

    make_connection(&conn);
    conn.tunnel[1].options.phase1_encryption = S2SVPN_AES256 | S2SVPN_AES256_GCM_16;
    conn.tunnel[1].options.phase2_encryption = S2SVPN_AES256_GCM_16;
    conn.tunnel[1].options.phase1_integrity = S2SVPN_SHA2_384 | S2SVPN_SHA2_512;
    conn.tunnel[1].options.phase2_integrity = S2SVPN_SHA2_512;
    conn.tunnel[1].options.phase1_dh_groups = S2SVPN_GROUP(20) | S2SVPN_GROUP(31);
    conn.tunnel[1].options.phase2_dh_groups = S2SVPN_GROUP(31);
    conn.tunnel[1].options.phase1_lifetime_s = 7200;
    conn.tunnel[1].options.phase2_lifetime_s = 1800;
    s2svpn_device_config *c = config_of(&conn);
    const s2svpn_config_phase *ike = &c->tunnel[1].ike, *ipsec = &c->tunnel[1].ipsec;

    CU_ASSERT(ike->encr == S2SVPN_ENCR_AES_CBC && ike->key_bits == 256);
    CU_ASSERT(ike->integ == S2SVPN_INTEG_HMAC_SHA2_384_192 && ike->ke == 20);
    CU_ASSERT(ike->lifetime_s == 7200);
    CU_ASSERT(ipsec->encr == S2SVPN_ENCR_AES_GCM_16 && ipsec->key_bits == 256);
    CU_ASSERT(ipsec->integ == S2SVPN_INTEG_NONE && ipsec->ke == 31);
    CU_ASSERT(ipsec->lifetime_s == 1800);
    CU_ASSERT(c->tunnel[0].ike.ke == 2 && c->tunnel[0].ike.key_bits == 128);
    s2svpn_config_free(c);
}

static void a_static_connection_has_no_bgp(void)
{
    s2svpn_connection conn;

    make_connection(&conn);
    conn.info.static_routes_only = true;
    s2svpn_device_config *c = config_of(&conn);
    CU_ASSERT(c->static_routes && c->tunnel[0].customer.asn == 0);
    s2svpn_config_free(c);
}

static void a_connection_with_one_tunnel_gives_one(void)
{
    s2svpn_connection conn;

    make_connection(&conn);
    conn.tunnels = 1;
    s2svpn_device_config *c = config_of(&conn);
    CU_ASSERT(c->tunnel_count == 1);
    s2svpn_config_free(c);
}

static void only_a_living_connection_of_a_gateway_has_a_document(void)
{
    s2svpn_connection conn;
    char mine[] = "mine";
    s2svpn_text xml = {mine, 4};

    make_connection(&conn);
    for (uint32_t state = S2SVPN_STATE_DELETING; state <= S2SVPN_STATE_FAILED; state++) {
        conn.info.state = state;
        CU_ASSERT(s2svpn_connection_device_config(&conn, &xml) == S2SVPN_E_STATE);
    }
    make_connection(&conn);
    conn.info.device = true;
    CU_ASSERT(s2svpn_connection_device_config(&conn, &xml) == S2SVPN_E_STATE);
    CU_ASSERT(xml.data == mine && xml.len == 4);
}

extern const CU_TestInfo s2_test_device_config[];
const CU_TestInfo s2_test_device_config[] = {
    {"a connection with AWS's defaults gives AWS's document",
     a_connection_with_awss_defaults_gives_awss_document},
    {"one with IPv6 inside gives our form of it", one_with_ipv6_inside_gives_our_form_of_it},
    {"the lowest permitted algorithms are named", the_lowest_permitted_algorithms_are_named},
    {"a static connection has no BGP", a_static_connection_has_no_bgp},
    {"a connection with one tunnel gives one", a_connection_with_one_tunnel_gives_one},
    {"only a living connection of a gateway has a document",
     only_a_living_connection_of_a_gateway_has_a_document},
    CU_TEST_INFO_NULL,
};
