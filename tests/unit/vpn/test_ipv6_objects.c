/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn: what IPv6 is in objects: blocks of VPCs and subnets, ports' addresses,
 * connections' inside blocks and networks, routes. */
#include <string.h>

#include "harness.h"
#include "vpn/packet.h"
#include "vpn/rig.h"
#include "vpn/vpn.h"

static const struct rig_plan ipv6 = {.ipv6 = true};

static void blocks_of_vpcs_and_subnets_have_awss_lengths(void)
{
    static const struct {
        const char *cidr;
        bool vpc, subnet; /* may it be one's? */
    } rows[] = {
        {"2001:db8::/44", true, true},   {"2001:db8::/56", true, true},
        {"2001:db8::/60", true, true},   {"2001:db8::/64", false, true},
        {"fd00:7::/48", true, true},     {"2001:db8::/40", false, false},
        {"2001:db8::/45", false, false}, {"2001:db8::/62", false, false},
        {"2001:db8::/68", false, false}, {"ff02::/48", false, false},
        {"fe80::/48", false, false},     {"::/48", false, false},
        {"10.0.0.0/16", false, false},
    };
    static struct rig rig;
    s2svpn_context *ctx = rig_gateway(&rig, NULL);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        s2svpn_vpc_spec spec = S2SVPN_VPC_INIT;
        s2svpn_subnet_spec subnet_spec = S2SVPN_SUBNET_INIT;
        s2svpn_vpc_info info = {.size = sizeof(info)};
        s2svpn_subnet_info subnet_info = {.size = sizeof(subnet_info)};
        s2svpn_vpc *vpc = NULL;
        s2svpn_subnet *subnet = NULL;
        s2svpn_status rc;

        spec.cidr = subnet_spec.cidr = rig_prefix("10.0.0.0/16");
        spec.ipv6_cidr = rig_prefix(rows[i].cidr);
        rc = s2svpn_vpc_new(ctx, &spec, &vpc);
        CHECK_ROW(rows[i].cidr, (rc == S2SVPN_OK) == rows[i].vpc);
        if (rows[i].vpc) {
            s2svpn_vpc_get_info(vpc, &info);
            CHECK_ROW(rows[i].cidr, s2_prefix_equal(&info.ipv6_cidr, &spec.ipv6_cidr));
        } else {
            rig_check_error(ctx, rc, S2SVPN_E_ARGUMENT, "ipv6_cidr", rows[i].cidr);
            spec.ipv6_cidr = rig_prefix("2001:db8::/44");
            CHECK_ROW(rows[i].cidr, s2svpn_vpc_new(ctx, &spec, &vpc) == S2SVPN_OK);
        }
        subnet_spec.ipv6_cidr = rig_prefix(rows[i].cidr);
        rc = s2svpn_subnet_new(vpc, &subnet_spec, &subnet);
        CHECK_ROW(rows[i].cidr, (rc == S2SVPN_OK) == rows[i].subnet);
        if (rows[i].subnet) {
            s2svpn_subnet_get_info(subnet, &subnet_info);
            CHECK_ROW(rows[i].cidr,
                      s2_prefix_equal(&subnet_info.ipv6_cidr, &subnet_spec.ipv6_cidr));
        } else {
            rig_check_error(ctx, rc, S2SVPN_E_ARGUMENT, "ipv6_cidr", rows[i].cidr);
        }
        s2svpn_subnet_release(subnet);
        s2svpn_vpc_release(vpc);
    }
    rig_close(&rig);
}

static void subnets_lie_in_the_vpcs_block_and_beside_each_other(void)
{
    static const struct {
        const char *cidr, *ipv6_cidr;
        s2svpn_status rc;
    } rows[] = {
        {"10.0.2.0/24", "2001:db8:a:2::/64", S2SVPN_OK},
        {"10.0.3.0/24", "2001:db8:a:2::/64", S2SVPN_E_EXISTS},
        {"10.0.3.0/24", "2001:db8:a::/60", S2SVPN_E_EXISTS}, /* the rig's in it */
        {"10.0.3.0/24", "2001:db8:b::/64", S2SVPN_E_ARGUMENT},
        {"10.0.3.0/24", "2001:db8:a::/48", S2SVPN_E_ARGUMENT}, /* longer than the VPC's */
    };
    static struct rig rig;
    s2svpn_context *ctx = rig_gateway(&rig, &ipv6);

    CU_ASSERT_EQUAL(rig_make_vpc(&rig), S2SVPN_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        s2svpn_subnet_spec spec = S2SVPN_SUBNET_INIT;
        s2svpn_subnet *subnet = NULL;
        s2svpn_status rc;

        spec.cidr = rig_prefix(rows[i].cidr);
        spec.ipv6_cidr = rig_prefix(rows[i].ipv6_cidr);
        rc = s2svpn_subnet_new(rig.vpc, &spec, &subnet);
        CHECK_ROW(rows[i].ipv6_cidr, rc == rows[i].rc);
        if (rows[i].rc != S2SVPN_OK)
            rig_check_error(ctx, rc, rows[i].rc, "ipv6_cidr", rows[i].ipv6_cidr);
        s2svpn_subnet_release(subnet);
    }
    rig_close(&rig);
}

static void ports_have_an_address_of_the_subnets_block(void)
{
    static const struct {
        const char *address;
        s2svpn_status rc;
    } rows[] = {
        {"2001:db8:a:1::4", S2SVPN_OK},
        {"2001:db8:a:1::4", S2SVPN_E_EXISTS},
        {"2001:db8:a:1::10", S2SVPN_E_EXISTS}, /* the rig's */
        {"2001:db8:a:1::", S2SVPN_E_ARGUMENT},
        {"2001:db8:a:1::1", S2SVPN_E_ARGUMENT},
        {"2001:db8:a:1::3", S2SVPN_E_ARGUMENT},
        {"2001:db8:a:1:ffff:ffff:ffff:ffff", S2SVPN_E_ARGUMENT},
        {"2001:db8:a:1:ffff:ffff:ffff:fffe", S2SVPN_OK},
        {"2001:db8:a:1:8000::1", S2SVPN_OK},
        {"2001:db8:a:1::ff", S2SVPN_OK},
        {"2001:db8:a:2::10", S2SVPN_E_ARGUMENT},
        {"10.0.1.11", S2SVPN_E_ARGUMENT},
    };
    static struct rig rig;
    s2svpn_context *ctx = rig_gateway(&rig, &ipv6);

    CU_ASSERT_EQUAL(rig_make_vpc(&rig), S2SVPN_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        s2svpn_port_spec spec = S2SVPN_PORT_INIT;
        s2svpn_port_info info = {.size = sizeof(info)};
        s2svpn_port *port = NULL;
        s2svpn_status rc;

        spec.subnet = rig.subnet;
        spec.address = rig_address("10.0.1.20");
        spec.address.bytes[3] = (uint8_t)(20 + i);
        spec.ipv6_address = rig_address(rows[i].address);
        rc = s2svpn_port_new(ctx, &spec, &port);
        CHECK_ROW(rows[i].address, rc == rows[i].rc);
        if (rows[i].rc != S2SVPN_OK) {
            rig_check_error(ctx, rc, rows[i].rc, "ipv6_address", rows[i].address);
        } else {
            s2svpn_port_get_info(port, &info);
            CHECK_ROW(rows[i].address, s2_address_equal(&info.ipv6_address, &spec.ipv6_address));
        }
        s2svpn_port_release(port);
    }
    rig_close(&rig);
}

/* Both families, through the VPC's local routes, until the port goes. */
static void packets_cross_from_port_to_port_in_both_families(void)
{
    static const char *const rows[][2] = {{"10.0.1.10", "10.0.1.11"},
                                          {"2001:db8:a:1::10", "2001:db8:a:1::11"}};
    static struct rig rig;
    static uint8_t p[PACKET_ROOM];
    s2svpn_context *ctx = rig_gateway(&rig, &ipv6);
    s2svpn_port_spec spec = S2SVPN_PORT_INIT;
    s2svpn_port *port = NULL;

    CU_ASSERT_EQUAL(rig_make_vpc(&rig), S2SVPN_OK);
    spec.subnet = rig.subnet;
    spec.address = rig_address("10.0.1.11");
    spec.ipv6_address = rig_address("2001:db8:a:1::11");
    CU_ASSERT_EQUAL_FATAL(s2svpn_port_new(ctx, &spec, &port), S2SVPN_OK);
    for (size_t i = 0; i < 2; i++) {
        const struct packet_spec packet = {.from = rows[i][0], .to = rows[i][1], .payload = 100};
        struct rig_item *item;

        rig_send(&rig.gateway, p, packet_write(p, &packet));
        item = rig_take(&rig.gateway.inside);
        CHECK_ROW(rows[i][1], item && item->port == s2svpn_port_number(port));
        CHECK_ROW(rows[i][1], item && packet_right(item->data, item->len));
        rig_item_free(item);
    }
    CU_ASSERT_EQUAL(s2svpn_port_delete(port), S2SVPN_OK);
    for (size_t i = 0; i < 2; i++) {
        const struct packet_spec packet = {.from = rows[i][0], .to = rows[i][1], .payload = 100};

        rig_send(&rig.gateway, p, packet_write(p, &packet));
        CHECK_ROW(rows[i][1], s2svpn_context_drops(ctx, S2SVPN_DROP_BLACKHOLE) == i + 1);
    }
    s2svpn_port_release(port);
    rig_close(&rig);
}

static void a_vpcs_ipv6_block_is_local_in_every_table(void)
{
    static struct rig rig;
    s2svpn_context *ctx = rig_gateway(&rig, &ipv6);
    const s2svpn_prefix inner = rig_prefix("2001:db8:a:1::/64"), other = rig_prefix("::/0");
    const s2svpn_address inside = rig_address("2001:db8:a:ff::1"),
                         outside = rig_address("2001:db8:77::1");
    s2svpn_route_table *table = NULL;
    s2svpn_route route;

    CU_ASSERT_EQUAL(rig_make_vpc(&rig), S2SVPN_OK);
    CU_ASSERT_EQUAL_FATAL(s2svpn_route_table_new(rig.vpc, &table), S2SVPN_OK);
    for (size_t i = 0; i < 2; i++) {
        s2svpn_route_table *t = i ? table : rig.table;

        CU_ASSERT_EQUAL(s2svpn_route_table_list(t, &route, 1), 2);
        CU_ASSERT_EQUAL(s2svpn_route_table_lookup(t, &inside, &route), S2SVPN_OK);
        CU_ASSERT_EQUAL(route.target, S2SVPN_TARGET_LOCAL);
        CU_ASSERT_EQUAL(s2svpn_route_table_lookup(t, &outside, &route), S2SVPN_E_NOT_FOUND);
        rig_check_error(ctx, s2svpn_route_table_add(t, &inner, rig.vgw, NULL), S2SVPN_E_ARGUMENT,
                        "prefix", "the local route stands for it");
        CU_ASSERT_EQUAL(s2svpn_route_table_add(t, &other, rig.vgw, NULL), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_route_table_lookup(t, &outside, &route), S2SVPN_OK);
        CU_ASSERT_EQUAL(route.target, S2SVPN_TARGET_GATEWAY);
    }
    s2svpn_route_table_release(table);
    rig_close(&rig);
}

/* ---- connections */

static s2svpn_context *open_cloud(struct rig *rig)
{
    s2svpn_customer_gateway_spec spec = S2SVPN_CUSTOMER_GATEWAY_INIT;
    s2svpn_context *ctx = rig_gateway(rig, &ipv6);

    spec.address = "203.0.113.7";
    CU_ASSERT_EQUAL(rig_make_vpc(rig), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_customer_gateway_new(ctx, &spec, &rig->cgw), S2SVPN_OK);
    return ctx;
}

static s2svpn_status attempt(struct rig *rig, const s2svpn_connection_spec *spec)
{
    s2svpn_connection *conn = NULL;
    const s2svpn_status rc = s2svpn_connection_new(rig->vgw, rig->cgw, spec, &conn);

    if (rc == S2SVPN_OK)
        CU_ASSERT_EQUAL(s2svpn_connection_delete(conn), S2SVPN_OK);
    s2svpn_connection_release(conn);
    return rc;
}

static void inside_blocks_are_slash_126s_of_fd00(void)
{
    static const struct {
        const char *cidr;
        bool good;
    } rows[] = {
        {"fd00::/126", true},      {"fdff:1:2:3:4:5:6:7fc/126", true},
        {"fd00::/125", false},     {"fd00::/127", false},
        {"fc00::/126", false},     {"fe00::/126", false},
        {"2001:db8::/126", false}, {"169.254.9.0/30", false},
    };
    static struct rig rig;
    s2svpn_context *ctx = open_cloud(&rig);
    s2svpn_connection_spec spec = S2SVPN_CONNECTION_INIT;

    spec.inside_ip_version = 6;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        s2svpn_status rc;

        spec.tunnel[1].inside_ipv6_cidr = rig_prefix(rows[i].cidr);
        rc = attempt(&rig, &spec);
        CHECK_ROW(rows[i].cidr, (rc == S2SVPN_OK) == rows[i].good);
        if (!rows[i].good)
            rig_check_error(ctx, rc, S2SVPN_E_ARGUMENT, "tunnel[1].inside_ipv6_cidr", rows[i].cidr);
    }
    spec.tunnel[1].inside_ipv6_cidr = rig_prefix("fd00::/126");
    spec.tunnel[1].inside_ipv6_cidr.address.bytes[15] = 1;
    rig_check_error(ctx, attempt(&rig, &spec), S2SVPN_E_ARGUMENT, "tunnel[1].inside_ipv6_cidr",
                    "a host's bit");
    spec.tunnel[1].inside_ipv6_cidr.address.bytes[15] = 0;
    spec.tunnel[0].inside_ipv6_cidr = spec.tunnel[1].inside_ipv6_cidr;
    rig_check_error(ctx, attempt(&rig, &spec), S2SVPN_E_EXISTS, "tunnel[1].inside_ipv6_cidr",
                    "of both tunnels");
    rig_close(&rig);
}

static void those_that_are_chosen_differ(void)
{
    static struct rig rig;
    s2svpn_connection_spec spec = S2SVPN_CONNECTION_INIT;

    open_cloud(&rig);
    spec.inside_ip_version = 6;
    CU_ASSERT_EQUAL(s2svpn_connection_new(rig.vgw, rig.cgw, &spec, &rig.cloud), S2SVPN_OK);
    const s2svpn_prefix a = rig_tunnel(rig.cloud, 0).inside_cidr,
                        b = rig_tunnel(rig.cloud, 1).inside_cidr;

    CU_ASSERT_TRUE(a.length == 126 && b.length == 126);
    CU_ASSERT_TRUE(a.address.bytes[0] == 0xfd && b.address.bytes[0] == 0xfd);
    CU_ASSERT_FALSE(s2_prefix_overlaps(&a, &b));
    rig_close(&rig);
}

static void what_belongs_to_the_other_version_is_refused_and_named(void)
{
    static const struct {
        const char *name, *field;
        uint8_t version;
        const char *local, *remote, *inside;
    } rows[] = {
        {"version 5", "inside_ip_version", 5, NULL, NULL, NULL},
        {"an inside /126 with IPv4", "tunnel[0].inside_ipv6_cidr", 4, NULL, NULL, "fd00::/126"},
        {"the same by default", "tunnel[0].inside_ipv6_cidr", 0, NULL, NULL, "fd00::/126"},
        {"an IPv4 network with IPv6", "local_network", 6, "192.168.0.0/16", NULL, NULL},
        {"the cloud's", "remote_network", 6, NULL, "10.0.0.0/16", NULL},
        {"an IPv6 network with IPv4", "local_network", 4, "2001:db8::/32", NULL, NULL},
        {"the cloud's likewise", "remote_network", 0, NULL, "2001:db8::/32", NULL},
    };
    static struct rig rig;
    s2svpn_context *ctx = open_cloud(&rig);

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        s2svpn_connection_spec spec = S2SVPN_CONNECTION_INIT;

        spec.inside_ip_version = rows[i].version;
        if (rows[i].local)
            spec.local_network = rig_prefix(rows[i].local);
        if (rows[i].remote)
            spec.remote_network = rig_prefix(rows[i].remote);
        if (rows[i].inside)
            spec.tunnel[0].inside_ipv6_cidr = rig_prefix(rows[i].inside);
        rig_check_error(ctx, attempt(&rig, &spec), S2SVPN_E_ARGUMENT, rows[i].field, rows[i].name);
    }
    rig_close(&rig);
}

static void static_routes_are_of_the_inside_version(void)
{
    static const char *const prefixes[] = {"192.168.7.0/24", "2001:db8:7::/48"};
    static struct rig rig;

    for (unsigned version = 4; version <= 6; version += 2) {
        s2svpn_context *ctx = open_cloud(&rig);
        s2svpn_connection_spec spec = S2SVPN_CONNECTION_INIT;

        spec.inside_ip_version = (uint8_t)version;
        spec.static_routes_only = true;
        CU_ASSERT_EQUAL(s2svpn_connection_new(rig.vgw, rig.cgw, &spec, &rig.cloud), S2SVPN_OK);
        const s2svpn_prefix good = rig_prefix(prefixes[version == 6]);
        const s2svpn_prefix bad = rig_prefix(prefixes[version == 4]);

        CU_ASSERT_EQUAL(s2svpn_connection_add_static_route(rig.cloud, &good), S2SVPN_OK);
        rig_check_error(ctx, s2svpn_connection_add_static_route(rig.cloud, &good), S2SVPN_E_EXISTS,
                        "prefix", "twice");
        rig_check_error(ctx, s2svpn_connection_add_static_route(rig.cloud, &bad), S2SVPN_E_ARGUMENT,
                        "prefix", "of the other version");
        CU_ASSERT_EQUAL(s2svpn_connection_remove_static_route(rig.cloud, &good), S2SVPN_OK);
        rig_close(&rig);
    }
}

/* ---- documents */

static s2svpn_device_config *document(struct rig *rig)
{
    s2svpn_device_config *config = NULL;
    s2svpn_text xml = {0};

    CU_ASSERT_EQUAL(s2svpn_connection_device_config(rig->cloud, &xml), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_config_read(xml.data, xml.len, &config, NULL), S2SVPN_OK);
    s2svpn_text_free(&xml);
    CU_ASSERT_PTR_NOT_NULL_FATAL(config);
    return config;
}

static void a_document_is_played_with_its_inside_addresses(void)
{
    static struct rig rig, second;

    if (rig_open(&rig, &ipv6) == S2SVPN_OK) {
        s2svpn_device_config *config = document(&rig);
        s2svpn_context *ctx = rig_gateway(&second, NULL);

        CU_ASSERT_EQUAL(s2svpn_gateway_play(ctx, config, &second.vgw, &second.cloud), S2SVPN_OK);
        for (size_t i = 0; i < 2 && second.cloud; i++) {
            const s2svpn_tunnel_info a = rig_tunnel(rig.cloud, i), b = rig_tunnel(second.cloud, i);

            CU_ASSERT_TRUE(s2_prefix_equal(&a.inside_cidr, &b.inside_cidr));
            CU_ASSERT_TRUE(s2_address_equal(&a.inside_local, &b.inside_local));
            CU_ASSERT_TRUE(s2_address_equal(&a.inside_remote, &b.inside_remote));
        }
        s2svpn_config_free(config);
        rig_close(&second);
    }
    rig_close(&rig);
}

/* A new key, and what can't be: another version inside. */
static void a_tunnel_changes_by_its_document_but_not_its_version(void)
{
    static struct rig rig;

    if (rig_up(&rig, &ipv6)) {
        s2svpn_device_config *config = document(&rig);
        bool changed = true;

        CU_ASSERT_EQUAL(s2svpn_device_change_tunnel(rig.site, 0, config, &changed), S2SVPN_OK);
        CU_ASSERT_FALSE(changed);
        config->tunnel[0].dpd_interval_s = 11;
        CU_ASSERT_EQUAL(s2svpn_device_change_tunnel(rig.site, 0, config, &changed), S2SVPN_OK);
        CU_ASSERT_TRUE(changed);
        rig_run(&rig, 20 * RIG_SECOND);
        CU_ASSERT_TRUE(rig_both_up(&rig));
        const s2svpn_config_end kept = config->tunnel[0].customer;
        config->tunnel[0].customer.inside = config->tunnel[1].customer.inside;
        config->tunnel[0].gateway.inside = config->tunnel[1].gateway.inside;
        rig_check_error(rig.device.ctx, s2svpn_device_change_tunnel(rig.site, 0, config, NULL),
                        S2SVPN_E_EXISTS, "inside_cidr", "the other tunnel's");
        config->tunnel[0].customer = kept;
        for (size_t i = 0; i < 2; i++) {
            config->tunnel[i].customer.inside = rig_address(i ? "169.254.9.2" : "169.254.9.6");
            config->tunnel[i].gateway.inside = rig_address(i ? "169.254.9.1" : "169.254.9.5");
            config->tunnel[i].inside_length = 30;
        }
        rig_check_error(rig.device.ctx, s2svpn_device_change_tunnel(rig.site, 0, config, NULL),
                        S2SVPN_E_ARGUMENT, "tunnel[0].customer.inside", "another version");
        s2svpn_config_free(config);
    }
    rig_close(&rig);
}

/* Each allocation of a side's objects fails once: nothing of them is left over, and who
 * said that all is well comes up. */
static void survive(bool gateway)
{
    static struct rig rig;
    size_t failures = 0;

    for (size_t n = 1; n < 5000; n++) {
        struct rig_plan plan = ipv6;

        plan.fail_gateway = gateway ? n : 0;
        plan.fail_device = gateway ? 0 : n;
        plan.static_routes = n % 2;
        const s2svpn_status rc = rig_open(&rig, &plan);
        const bool reached = (gateway ? &rig.gateway : &rig.device)->heap.failed;

        failures += rc != S2SVPN_OK;
        if (rc == S2SVPN_OK && reached) {
            CU_ASSERT_EQUAL(s2svpn_connection_start(rig.site), S2SVPN_OK);
            rig_run(&rig, 40 * RIG_SECOND);
            CU_ASSERT_TRUE(rig_both_up(&rig));
        }
        rig_close(&rig); /* checks the heaps */
        if (!reached)
            break;
    }
    CU_ASSERT_TRUE(failures > 20);
}

static void everything_survives_that_memory_runs_out(void)
{
    survive(true);
    survive(false);
}

const CU_TestInfo s2_test_ipv6_objects[] = {
    {"blocks of VPCs and subnets have AWS's lengths", blocks_of_vpcs_and_subnets_have_awss_lengths},
    {"subnets lie in the VPC's block and beside each other",
     subnets_lie_in_the_vpcs_block_and_beside_each_other},
    {"ports have an address of the subnet's block", ports_have_an_address_of_the_subnets_block},
    {"packets cross from port to port in both families",
     packets_cross_from_port_to_port_in_both_families},
    {"a VPC's IPv6 block is local in every table", a_vpcs_ipv6_block_is_local_in_every_table},
    {"inside blocks are /126s of fd00::/8", inside_blocks_are_slash_126s_of_fd00},
    {"those that are chosen differ", those_that_are_chosen_differ},
    {"what belongs to the other version is refused and named",
     what_belongs_to_the_other_version_is_refused_and_named},
    {"static routes are of the inside version", static_routes_are_of_the_inside_version},
    {"a document is played with its inside addresses",
     a_document_is_played_with_its_inside_addresses},
    {"a tunnel changes by its document but not its version",
     a_tunnel_changes_by_its_document_but_not_its_version},
    {"everything survives that memory runs out", everything_survives_that_memory_runs_out},
    CU_TEST_INFO_NULL,
};
