/* SPDX-License-Identifier: Apache-2.0 */
/* Writing: AWS's layout to the byte, nothing that couldn't be read again, and what is
 * read again is the same. */
#include <stdlib.h>
#include <string.h>

#include "fake_env.h"
#include "harness.h"
#include "s2svpn/crypto.h"
#include "support.h"

static s2svpn_device_config *read_vector(const char *name)
{
    s2svpn_device_config *c = NULL;
    char *text = load(name);

    CHECK_ROW(name, read_text(text, &c, NULL) == S2SVPN_OK);
    CU_ASSERT_FATAL(c != NULL);
    free(text);
    return c;
}

static void what_is_read_is_written_to_the_byte(void)
{
    static const char *const names[] = {"bgp", "static", "tgw"};

    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        s2svpn_device_config *c = read_vector(names[i]);
        char *text = load(names[i]);
        s2svpn_text xml = {0};

        CHECK_ROW(names[i], s2svpn_config_write(c, &xml, NULL) == S2SVPN_OK);
        CHECK_ROW(names[i], xml.data != NULL && strcmp(xml.data, text) == 0);
        CHECK_ROW(names[i], xml.len == strlen(text));
        s2svpn_text_free(&xml);
        s2svpn_config_free(c);
        free(text);
    }
}

static bool comes_back(const s2svpn_device_config *c)
{
    s2svpn_text xml = {0};
    s2svpn_device_config *again = NULL;
    bool same = false;

    if (s2svpn_config_write(c, &xml, NULL) == S2SVPN_OK &&
        s2svpn_config_read(xml.data, xml.len, &again, NULL) == S2SVPN_OK)
        same = memcmp(c, again, sizeof(*c)) == 0;
    s2svpn_config_free(again);
    s2svpn_text_free(&xml);
    return same;
}

static void every_algorithm_comes_back(void)
{
    static const uint16_t ciphers[][2] = {{12, 128}, {12, 256}, {20, 128}, {20, 256}};
    static const uint16_t integrities[] = {2, 12, 13, 14};
    static const uint16_t groups[] = {2, 5, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 31};
    s2svpn_device_config *c = read_vector("bgp");
    s2svpn_config_phase *ike = &c->tunnel[0].ike, *ipsec = &c->tunnel[1].ipsec;
    size_t back = 0, all = 0;

    for (size_t i = 0; i < 4; i++) {
        for (size_t j = 0; j < 4; j++) {
            for (size_t k = 0; k < sizeof(groups) / sizeof(groups[0]); k++, all++) {
                ike->encr = ipsec->encr = ciphers[i][0];
                ike->key_bits = ipsec->key_bits = ciphers[i][1];
                ike->integ = integrities[j];
                ipsec->integ = ciphers[i][0] == 20 ? S2SVPN_INTEG_NONE : integrities[j];
                ike->ke = ipsec->ke = groups[k];
                back += comes_back(c);
            }
        }
    }
    CU_ASSERT(back == all && all == 224);
    ike->encr = S2SVPN_ENCR_AES_GCM_16;
    ike->integ = S2SVPN_INTEG_NONE;
    CU_ASSERT(comes_back(c));
    s2svpn_config_free(c);
}

static void every_allowed_character_of_a_key_comes_back(void)
{
    s2svpn_device_config *c = read_vector("bgp");
    char *key = c->tunnel[1].pre_shared_key;

    memset(key, 0, sizeof(c->tunnel[1].pre_shared_key));
    for (int ch = ' '; ch <= '~'; ch++)
        key[1 + ch - ' '] = (char)ch;
    key[0] = '<';
    CU_ASSERT(comes_back(c));
    memset(key, '&', 255);
    CU_ASSERT(comes_back(c));
    s2svpn_config_free(c);
}

static void other_values_come_back(void)
{
    s2svpn_device_config *c = read_vector("bgp");
    s2svpn_config_tunnel *t = &c->tunnel[0];

    t->clear_df = false;
    t->fragment_before_encryption = false;
    t->tcp_mss = 536;
    t->dpd_interval_s = 3600;
    t->dpd_retries = 1;
    t->ike.lifetime_s = 901;
    t->ipsec.lifetime_s = 900;
    t->customer.hold_time_s = 3;
    t->gateway.hold_time_s = 65535;
    t->customer.asn = c->tunnel[1].customer.asn = 1;
    t->gateway.asn = c->tunnel[1].gateway.asn = 4294967295;
    memset(&c->virtual_gateway, 0, sizeof(c->virtual_gateway));
    CU_ASSERT(comes_back(c));
    memset(&c->tunnel[1], 0, sizeof(c->tunnel[1]));
    c->tunnel_count = 1;
    CU_ASSERT(comes_back(c));
    s2svpn_config_free(c);
}

/* ---- what is refused */

static void no_size(s2svpn_device_config *c)
{
    c->size = 0;
}

static void no_tunnels(s2svpn_device_config *c)
{
    c->tunnel_count = 0;
}

static void many_tunnels(s2svpn_device_config *c)
{
    c->tunnel_count = 3;
}

static void no_connection(s2svpn_device_config *c)
{
    c->connection.text[0] = '\0';
}

static void endless_connection(s2svpn_device_config *c)
{
    memset(&c->connection, 'a', sizeof(c->connection));
}

static void quoted_connection(s2svpn_device_config *c)
{
    c->connection.text[3] = '"';
}

static void no_customer(s2svpn_device_config *c)
{
    c->customer_gateway.text[0] = '\0';
}

static void endless_customer(s2svpn_device_config *c)
{
    memset(&c->customer_gateway, 'a', sizeof(c->customer_gateway));
}

static void no_address(s2svpn_device_config *c)
{
    memset(&c->tunnel[1].customer.outside, 0, sizeof(c->tunnel[1].customer.outside));
}

static void other_length(s2svpn_device_config *c)
{
    c->tunnel[0].inside_length = 24;
}

static void other_network(s2svpn_device_config *c)
{
    c->tunnel[0].gateway.inside.bytes[2]++;
}

static void no_asn(s2svpn_device_config *c)
{
    c->tunnel[1].gateway.asn = 0;
}

static void no_cipher(s2svpn_device_config *c)
{
    c->tunnel[0].ike.key_bits = 192;
}

static void no_mac(s2svpn_device_config *c)
{
    c->tunnel[0].ipsec.integ = S2SVPN_INTEG_NONE;
}

static void no_group(s2svpn_device_config *c)
{
    c->tunnel[0].ipsec.ke = 0;
}

static void long_life(s2svpn_device_config *c)
{
    c->tunnel[1].ipsec.lifetime_s = 4000;
}

static void no_key(s2svpn_device_config *c)
{
    c->tunnel[0].pre_shared_key[0] = '\0';
}

static void endless_key(s2svpn_device_config *c)
{
    memset(c->tunnel[0].pre_shared_key, 'a', sizeof(c->tunnel[0].pre_shared_key));
}

static void unreadable_key(s2svpn_device_config *c)
{
    c->tunnel[1].pre_shared_key[5] = '\n';
}

static void no_mss(s2svpn_device_config *c)
{
    c->tunnel[0].tcp_mss = 0;
}

static const struct {
    const char *row;
    void (*spoil)(s2svpn_device_config *c);
    const char *path;
    size_t tunnel;
} bad[] = {
    {"no size", no_size, "size", 0},
    {"no tunnels", no_tunnels, "tunnel_count", 0},
    {"three tunnels", many_tunnels, "tunnel_count", 0},
    {"no connection", no_connection, "connection", 0},
    {"a connection without end", endless_connection, "connection", 0},
    {"a connection with a quote", quoted_connection, "connection", 0},
    {"no customer gateway", no_customer, "customer_gateway_id", 0},
    {"a customer gateway without end", endless_customer, "customer_gateway_id", 0},
    {"no address", no_address, "ipsec_tunnel/customer_gateway/tunnel_outside_address/ip_address",
     1},
    {"another length", other_length,
     "ipsec_tunnel/customer_gateway/tunnel_inside_address/network_cidr", 0},
    {"another network", other_network, "ipsec_tunnel/vpn_gateway/tunnel_inside_address/ip_address",
     0},
    {"no ASN", no_asn, "ipsec_tunnel/vpn_gateway/bgp/asn", 1},
    {"no such cipher", no_cipher, "ipsec_tunnel/ike/encryption_protocol", 0},
    {"CBC without a MAC", no_mac, "ipsec_tunnel/ipsec/authentication_protocol", 0},
    {"no group", no_group, "ipsec_tunnel/ipsec/perfect_forward_secrecy", 0},
    {"a long life", long_life, "ipsec_tunnel/ipsec/lifetime", 1},
    {"no key", no_key, "ipsec_tunnel/ike/pre_shared_key", 0},
    {"a key without end", endless_key, "ipsec_tunnel/ike/pre_shared_key", 0},
    {"a key with a line's end", unreadable_key, "ipsec_tunnel/ike/pre_shared_key", 1},
    {"no MSS", no_mss, "ipsec_tunnel/ipsec/tcp_mss_adjustment", 0},
};

static void what_could_not_be_read_is_refused_and_named(void)
{
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        s2svpn_device_config *c = read_vector("bgp");
        char mine[] = "mine";
        s2svpn_text xml = {mine, 4};
        s2svpn_error why = {0};

        bad[i].spoil(c);
        CHECK_ROW(bad[i].row, s2svpn_config_write(c, &xml, &why) == S2SVPN_E_ARGUMENT);
        CHECK_ROW(bad[i].row, why.code == S2SVPN_E_ARGUMENT);
        CHECK_ROW(bad[i].row, names_path(&why, bad[i].path, bad[i].tunnel));
        CHECK_ROW(bad[i].row, strstr(why.message, "invented") == NULL);
        CHECK_ROW(bad[i].row, xml.data == mine && xml.len == 4); /* untouched */
        s2svpn_config_free(c);
    }
}

static void a_static_document_ignores_numbers_of_bgp(void)
{
    s2svpn_device_config *c = read_vector("bgp");
    s2svpn_text xml = {0};

    c->static_routes = true;
    CU_ASSERT(s2svpn_config_write(c, &xml, NULL) == S2SVPN_OK);
    CU_ASSERT_FATAL(xml.data != NULL);
    CU_ASSERT(strstr(xml.data, "<vpn_connection_attributes>NoBGPVPNConnection</") != NULL);
    CU_ASSERT(strstr(xml.data, "bgp") == NULL && strstr(xml.data, "asn") == NULL);
    s2svpn_text_free(&xml);
    s2svpn_config_free(c);
}

static bool write_step(struct s2_fake_env *f, void *arg)
{
    struct s2_buffer out;
    s2svpn_error why = {0};

    s2_buffer_init(&out, &f->memory, 65536);
    const s2svpn_status rc = s2_config_print(&out, arg, &why);
    CU_ASSERT(rc == S2SVPN_OK || (rc == S2SVPN_E_MEMORY && why.code == rc));
    s2_buffer_clear(&out);
    return rc == S2SVPN_OK;
}

static void every_allocation_may_fail(void)
{
    s2svpn_device_config *c = read_vector("bgp");

    s2_fail_every_allocation(write_step, c);
    s2svpn_config_free(c);
}

extern const CU_TestInfo s2_test_write[];
const CU_TestInfo s2_test_write[] = {
    {"what is read is written to the byte", what_is_read_is_written_to_the_byte},
    {"every algorithm comes back", every_algorithm_comes_back},
    {"every allowed character of a key comes back", every_allowed_character_of_a_key_comes_back},
    {"other values come back", other_values_come_back},
    {"what could not be read is refused and named", what_could_not_be_read_is_refused_and_named},
    {"a static document ignores numbers of BGP", a_static_document_ignores_numbers_of_bgp},
    {"every allocation may fail", every_allocation_may_fail},
    CU_TEST_INFO_NULL,
};
