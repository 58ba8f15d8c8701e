/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn/device.c: connections made from a document, at either end. */
#include <string.h>

#include "harness.h"
#include "s2svpn/config.h"
#include "vpn/rig.h"
#include "vpn/vpn.h"

/* The document of the rig's connection; the rig stays open for its addresses. */
static s2svpn_device_config *document(struct rig *rig)
{
    s2svpn_device_config *config = NULL;
    s2svpn_text xml = {0};

    CU_ASSERT_EQUAL(s2svpn_connection_device_config(rig->cloud, &xml), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_config_read(xml.data, xml.len, &config, NULL), S2SVPN_OK);
    s2svpn_text_free(&xml);
    return config;
}

/* A rig whose device has nothing yet. */
static s2svpn_device_config *open_rig(struct rig *rig, const struct rig_plan *plan)
{
    rig_init(rig, plan);
    CU_ASSERT_EQUAL_FATAL(rig_make_gateway(rig), S2SVPN_OK);
    CU_ASSERT_EQUAL_FATAL(rig_make_device(rig), S2SVPN_OK);
    CU_ASSERT_EQUAL_FATAL(rig_make_vpc(rig), S2SVPN_OK);
    CU_ASSERT_EQUAL_FATAL(rig_make_connection(rig), S2SVPN_OK);
    return document(rig);
}

/* ---- a device */

static void no_tunnel(s2svpn_device_config *c)
{
    c->tunnel_count = 0;
}
static void three_tunnels(s2svpn_device_config *c)
{
    c->tunnel_count = 3;
}
static void no_customer_address(s2svpn_device_config *c)
{
    c->tunnel[1].customer.outside.family = 0;
}
static void no_gateway_address(s2svpn_device_config *c)
{
    c->tunnel[0].gateway.outside.family = 0;
}
static void inside_ipv6(s2svpn_device_config *c)
{
    c->tunnel[1].gateway.inside = rig_address("fd00::1");
}
static void no_key(s2svpn_device_config *c)
{
    c->tunnel[0].pre_shared_key[0] = 0;
}
static void endless_key(s2svpn_device_config *c)
{
    memset(c->tunnel[1].pre_shared_key, 'k', sizeof(c->tunnel[1].pre_shared_key));
}
static void no_asn(s2svpn_device_config *c)
{
    c->tunnel[0].gateway.asn = 0;
}
static void long_phase(s2svpn_device_config *c)
{
    c->tunnel[1].ipsec.lifetime_s = 86400;
}
static void forged_id(s2svpn_device_config *c)
{
    memcpy(c->connection.text, "vpn-1\nx", 8);
}

static void documents_that_cannot_be_are_refused(void)
{
    static const struct {
        const char *name, *field;
        void (*change)(s2svpn_device_config *c);
    } rows[] = {
        {"no tunnel", "tunnel_count", no_tunnel},
        {"three tunnels", "tunnel_count", three_tunnels},
        {"no customer address", "tunnel[1]", no_customer_address},
        {"no gateway address", "tunnel[0]", no_gateway_address},
        {"IPv6 inside", "tunnel[1]", inside_ipv6},
        {"no key", "tunnel[0]", no_key},
        {"a key without end", "tunnel[1]", endless_key},
        {"no ASN", "tunnel[0]", no_asn},
        {"a phase 2 of a day", "tunnel[1].phase2_lifetime_s", long_phase},
        {"an identifier of two lines", "id", forged_id},
    };
    static struct rig rig;
    s2svpn_device_config *config = open_rig(&rig, NULL);
    s2svpn_virtual_gateway *vgw = NULL;
    const s2svpn_device_config good = *config;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        *config = good;
        rows[i].change(config);
        rig_check_error(rig.device.ctx, s2svpn_device_open(rig.device.ctx, config, NULL, &rig.site),
                        S2SVPN_E_ARGUMENT, rows[i].field, rows[i].name);
        CHECK_ROW(rows[i].name, rig.site == NULL);
    }
    CU_ASSERT_EQUAL(rig.device.ctx->kind_count[S2SVPN_KIND_CONNECTION], 0);
    CU_ASSERT_EQUAL(rig.device.ctx->by_outside.count, 0);
    *config = good;
    rig_check_error(rig.gateway.ctx, s2svpn_device_open(rig.gateway.ctx, config, NULL, &rig.site),
                    S2SVPN_E_STATE, "", "a gateway's context");
    rig_check_error(rig.device.ctx, s2svpn_gateway_play(rig.device.ctx, config, &vgw, NULL),
                    S2SVPN_E_STATE, "", "a device's context");
    s2svpn_config_free(config);
    rig_close(&rig);
}

static void a_document_is_opened_once(void)
{
    static struct rig rig;
    s2svpn_device_config *config = open_rig(&rig, NULL);
    s2svpn_connection *again = NULL;
    s2svpn_connection_info info = {.size = sizeof(info)};

    CU_ASSERT_EQUAL(s2svpn_device_open(rig.device.ctx, config, NULL, &rig.site), S2SVPN_OK);
    rig_check_error(rig.device.ctx, s2svpn_device_open(rig.device.ctx, config, NULL, &again),
                    S2SVPN_E_EXISTS, "id", "the same connection");
    memset(&config->connection, 0, sizeof(config->connection));
    rig_check_error(rig.device.ctx, s2svpn_device_open(rig.device.ctx, config, NULL, &again),
                    S2SVPN_E_EXISTS, "outside_address", "the same addresses");
    s2svpn_connection_get_info(rig.site, &info);
    CU_ASSERT_EQUAL(info.customer_asn, 65000);
    CU_ASSERT_EQUAL(info.amazon_asn, 64512);
    CU_ASSERT_EQUAL(strncmp(info.virtual_gateway.text, "vgw-", 4), 0);
    s2svpn_config_free(config);
    rig_close(&rig);
}

/* Behind NAT the document's customer address is not ours, but it is our identity. */
static void behind_nat_the_document_gives_the_identity_and_we_the_address(void)
{
    static struct rig rig;
    s2svpn_device_config *config = open_rig(&rig, NULL);
    s2svpn_device_options options = S2SVPN_DEVICE_OPTIONS_INIT;
    const s2svpn_tunnel *t;

    config->tunnel[0].customer.outside = config->tunnel[1].customer.outside =
        rig_address("198.18.0.1");
    CU_ASSERT_EQUAL(s2svpn_device_open(rig.device.ctx, config, NULL, &rig.site), S2SVPN_OK);
    t = s2svpn_connection_tunnel(rig.site, 0);
    CU_ASSERT_EQUAL(t->ike.local.address.bytes[0], 203);
    CU_ASSERT_EQUAL(t->ike.local_id.type, S2_IKE_ID_IPV4_ADDR);
    CU_ASSERT_EQUAL(t->ike.local_id.data[1], 18);
    CU_ASSERT_EQUAL(s2svpn_connection_delete(rig.site), S2SVPN_OK);
    s2svpn_connection_release(rig.site);
    options.local = rig_address("192.0.2.77");
    rig_check_error(rig.device.ctx, s2svpn_device_open(rig.device.ctx, config, &options, &rig.site),
                    S2SVPN_E_ARGUMENT, "outside_address", "a local address that isn't");
    s2svpn_config_free(config);
    rig_close(&rig);
}

static void a_device_opens_with_one_tunnel(void)
{
    static struct rig rig;
    s2svpn_device_config *config = open_rig(&rig, NULL);

    config->tunnel_count = 1;
    CU_ASSERT_EQUAL(s2svpn_device_open(rig.device.ctx, config, NULL, &rig.site), S2SVPN_OK);
    CU_ASSERT_PTR_NOT_NULL(s2svpn_connection_tunnel(rig.site, 0));
    CU_ASSERT_PTR_NULL(s2svpn_connection_tunnel(rig.site, 1));
    CU_ASSERT_EQUAL(s2svpn_connection_start(rig.site), S2SVPN_OK);
    rig_run(&rig, 30 * RIG_SECOND);
    CU_ASSERT_TRUE(rig_tunnel(rig.site, 0).up && rig_tunnel(rig.cloud, 0).up);
    CU_ASSERT_FALSE(rig_tunnel(rig.cloud, 1).up);
    s2svpn_config_free(config);
    rig_close(&rig);
}

/* Liveness checks as the document says. */
static void dead_peers_are_detected_as_the_document_says(void)
{
    static struct rig rig;
    s2svpn_device_config *config = open_rig(&rig, NULL);
    const s2svpn_tunnel *t;

    config->tunnel[0].dpd_interval_s = 7;
    config->tunnel[0].dpd_retries = 5;
    config->tunnel[1].dpd_interval_s = 0;
    CU_ASSERT_EQUAL(s2svpn_device_open(rig.device.ctx, config, NULL, &rig.site), S2SVPN_OK);
    t = s2svpn_connection_tunnel(rig.site, 0);
    CU_ASSERT_EQUAL(t->ike.dpd_delay_s, 7);
    CU_ASSERT_EQUAL(t->ike.dpd_timeout_s, 35);
    t = s2svpn_connection_tunnel(rig.site, 1);
    CU_ASSERT_EQUAL(t->ike.dpd_delay_s, 10);
    CU_ASSERT_EQUAL(t->ike.dpd_timeout_s, 30);
    s2svpn_config_free(config);
    rig_close(&rig);
}

/* ---- the cloud's end, played */

/* Another gateway in the first one's place. */
static s2svpn_context *other_gateway(struct rig *rig, size_t addresses)
{
    s2svpn_connection_release(rig->cloud);
    s2svpn_customer_gateway_release(rig->cgw);
    s2svpn_virtual_gateway_release(rig->vgw);
    s2svpn_route_table_release(rig->table);
    s2svpn_subnet_release(rig->subnet);
    s2svpn_vpc_release(rig->vpc);
    s2svpn_port_release(rig->gateway.port);
    s2svpn_context_free(rig->gateway.ctx);
    rig->cloud = NULL;
    rig->cgw = NULL;
    rig->vgw = NULL;
    rig->table = NULL;
    rig->subnet = NULL;
    rig->vpc = NULL;
    rig->gateway.port = NULL;
    rig->gateway.ctx = NULL;
    rig->gateway.options.local_count = 2 * addresses;
    CU_ASSERT_EQUAL_FATAL(rig_make_gateway(rig), S2SVPN_OK);
    return rig->gateway.ctx;
}

static void a_document_is_played_with_its_own_names_and_numbers(void)
{
    static const struct rig_plan plans[] = {{0}, {.static_routes = true}};
    static struct rig rig;

    for (size_t i = 0; i < 2; i++) {
        s2svpn_device_config *config = open_rig(&rig, &plans[i]);
        s2svpn_context *ctx = other_gateway(&rig, 2);
        s2svpn_connection_info info = {.size = sizeof(info)};
        s2svpn_tunnel_options o;

        config->tunnel[1].ike.lifetime_s = 14400;
        CU_ASSERT_EQUAL(s2svpn_gateway_play(ctx, config, &rig.vgw, &rig.cloud), S2SVPN_OK);
        s2svpn_connection_get_info(rig.cloud, &info);
        CU_ASSERT_STRING_EQUAL(info.id.text, config->connection.text);
        CU_ASSERT_STRING_EQUAL(info.virtual_gateway.text, config->virtual_gateway.text);
        CU_ASSERT_EQUAL(info.static_routes_only, plans[i].static_routes);
        s2svpn_tunnel_get_options(s2svpn_connection_tunnel(rig.cloud, 1), &o);
        CU_ASSERT_EQUAL(o.phase1_lifetime_s, 14400);
        CU_ASSERT_STRING_EQUAL(o.pre_shared_key, RIG_PSK);
        CU_ASSERT_EQUAL(s2svpn_device_open(rig.device.ctx, config, NULL, &rig.site), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_connection_start(rig.site), S2SVPN_OK);
        rig_run(&rig, 30 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_both_up(&rig));
        s2svpn_config_free(config);
        rig_close(&rig);
    }
}

static void a_document_of_one_tunnel_is_played_too(void)
{
    static const struct {
        const char *name;
        size_t addresses, tunnels;
    } rows[] = {
        {"with an address for a second", 2, 2},
        {"with none", 1, 1},
    };
    static struct rig rig;

    for (size_t i = 0; i < 2; i++) {
        s2svpn_device_config *config = open_rig(&rig, NULL);
        s2svpn_context *ctx = other_gateway(&rig, rows[i].addresses);
        s2svpn_tunnel *second;

        config->tunnel_count = 1;
        CU_ASSERT_EQUAL(s2svpn_gateway_play(ctx, config, &rig.vgw, &rig.cloud), S2SVPN_OK);
        second = s2svpn_connection_tunnel(rig.cloud, 1);
        CHECK_ROW(rows[i].name, (second != NULL) == (rows[i].tunnels == 2));
        if (second)
            CHECK_ROW(rows[i].name, rig_tunnel(rig.cloud, 1).local.address.bytes[3] == 2);
        CU_ASSERT_EQUAL(s2svpn_device_open(rig.device.ctx, config, NULL, &rig.site), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_connection_start(rig.site), S2SVPN_OK);
        rig_run(&rig, 30 * RIG_SECOND);
        CHECK_ROW(rows[i].name, rig_tunnel(rig.site, 0).up && rig_tunnel(rig.cloud, 0).up);
        s2svpn_config_free(config);
        rig_close(&rig);
    }
}

/* A transit gateway's document names no virtual private gateway. */
static void a_transit_gateways_document_is_opened_and_played(void)
{
    static struct rig rig;
    s2svpn_device_config *config = open_rig(&rig, NULL);
    s2svpn_context *ctx = other_gateway(&rig, 2);
    s2svpn_connection_info info = {.size = sizeof(info)};

    memset(&config->virtual_gateway, 0, sizeof(config->virtual_gateway));
    CU_ASSERT_EQUAL(s2svpn_gateway_play(ctx, config, &rig.vgw, &rig.cloud), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_device_open(rig.device.ctx, config, NULL, &rig.site), S2SVPN_OK);
    s2svpn_connection_get_info(rig.site, &info);
    CU_ASSERT_STRING_EQUAL(info.virtual_gateway.text, "");
    CU_ASSERT_EQUAL(s2svpn_connection_start(rig.site), S2SVPN_OK);
    rig_run(&rig, 30 * RIG_SECOND);
    CU_ASSERT_TRUE(rig_both_up(&rig));
    s2svpn_config_free(config);
    rig_close(&rig);
}

/* Gateways of before 2018 have numbers of no private range. */
static void legacy_asns_are_played(void)
{
    static struct rig rig;
    s2svpn_device_config *config = open_rig(&rig, NULL);
    s2svpn_context *ctx = other_gateway(&rig, 2);
    s2svpn_virtual_gateway_info info = {.size = sizeof(info)};

    config->tunnel[0].gateway.asn = config->tunnel[1].gateway.asn = 7224;
    CU_ASSERT_EQUAL(s2svpn_gateway_play(ctx, config, &rig.vgw, NULL), S2SVPN_OK);
    s2svpn_virtual_gateway_get_info(rig.vgw, &info);
    CU_ASSERT_EQUAL(info.amazon_asn, 7224);
    CU_ASSERT_EQUAL(info.connections, 1);
    s2svpn_config_free(config);
    rig_close(&rig);
}

static void a_document_that_cannot_be_played_leaves_nothing(void)
{
    static struct rig rig;
    s2svpn_device_config *config = open_rig(&rig, NULL);
    s2svpn_context *ctx = other_gateway(&rig, 2);

    config->tunnel[1].gateway.outside = rig_address("192.0.2.1");
    rig_check_error(ctx, s2svpn_gateway_play(ctx, config, &rig.vgw, &rig.cloud), S2SVPN_E_ARGUMENT,
                    "tunnel[1].outside_address", "an address that isn't ours");
    CU_ASSERT_TRUE(rig.vgw == NULL && rig.cloud == NULL);
    for (size_t k = 0; k < S2_KINDS; k++)
        CU_ASSERT_EQUAL(ctx->kind_count[k], 0);
    CU_ASSERT_EQUAL(ctx->by_outside.count, 0);
    s2svpn_advance(ctx, rig.now_ns);
    CU_ASSERT_TRUE(s2_list_empty(&ctx->ghosts));
    s2svpn_config_free(config);
    rig_close(&rig);
}

const CU_TestInfo s2_test_device[] = {
    {"documents that cannot be are refused", documents_that_cannot_be_are_refused},
    {"a document is opened once", a_document_is_opened_once},
    {"behind NAT the document gives the identity, and we the address",
     behind_nat_the_document_gives_the_identity_and_we_the_address},
    {"a device opens with one tunnel", a_device_opens_with_one_tunnel},
    {"dead peers are detected as the document says", dead_peers_are_detected_as_the_document_says},
    {"a document is played with its own names and numbers",
     a_document_is_played_with_its_own_names_and_numbers},
    {"a document of one tunnel is played too", a_document_of_one_tunnel_is_played_too},
    {"a transit gateway's document is opened and played",
     a_transit_gateways_document_is_opened_and_played},
    {"legacy ASNs are played", legacy_asns_are_played},
    {"a document that cannot be played leaves nothing",
     a_document_that_cannot_be_played_leaves_nothing},
    CU_TEST_INFO_NULL,
};
