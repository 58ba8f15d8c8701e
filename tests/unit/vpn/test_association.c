/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn/route_table.c: which subnets use a table, and which one is main. */
#include <string.h>

#include "harness.h"
#include "vpn/packet.h"
#include "vpn/rig.h"
#include "vpn/vpn.h"

static const struct rig_plan static_routes = {.static_routes = true};

/* Does the instance reach the LAN? Else there is no route. */
static bool reaches(struct rig *rig)
{
    const struct packet_spec spec = {.from = "10.0.1.10", .to = "192.168.0.1", .payload = 20};
    static uint8_t p[PACKET_ROOM];
    const uint64_t before = s2svpn_context_drops(rig->gateway.ctx, S2SVPN_DROP_NO_ROUTE);
    bool left;

    rig_drop_all(&rig->gateway.outside);
    rig_send(&rig->gateway, p, packet_write(p, &spec));
    left = rig->gateway.outside.count == 1;
    CU_ASSERT_EQUAL(s2svpn_context_drops(rig->gateway.ctx, S2SVPN_DROP_NO_ROUTE), before + !left);
    rig_drop_all(&rig->gateway.outside);
    rig_drop_all(&rig->gateway.inside);
    return left;
}

static bool is_main(const s2svpn_route_table *t)
{
    s2svpn_route_table_info info = {.size = sizeof(info)};

    s2svpn_route_table_get_info(t, &info);
    return info.main;
}

static void a_table_tells_what_it_is(void)
{
    static struct rig rig;
    s2svpn_route_table_info info = {.size = sizeof(info)};
    s2svpn_route_table *custom = NULL;

    if (rig_up(&rig, &static_routes)) {
        s2svpn_route_table_get_info(rig.table, &info);
        CU_ASSERT_STRING_EQUAL(info.id.text, s2svpn_route_table_id(rig.table));
        CU_ASSERT_STRING_EQUAL(info.vpc.text, rig.vpc->object.id.text);
        CU_ASSERT_STRING_EQUAL(info.propagating.text, rig.vgw->object.id.text);
        CU_ASSERT_EQUAL(info.state, S2SVPN_STATE_AVAILABLE);
        CU_ASSERT_EQUAL(info.routes, 2);
        CU_ASSERT_EQUAL(info.associations, 0);
        CU_ASSERT_TRUE(info.main);
        CU_ASSERT_EQUAL(s2svpn_route_table_new(rig.vpc, &custom), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_route_table_associate(custom, rig.subnet), S2SVPN_OK);
        s2svpn_route_table_get_info(custom, &info);
        CU_ASSERT_STRING_EQUAL(info.propagating.text, "");
        CU_ASSERT_EQUAL(info.associations, 1);
        CU_ASSERT_FALSE(info.main);
        CU_ASSERT_EQUAL(s2svpn_route_table_associate(NULL, rig.subnet), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_route_table_delete(custom), S2SVPN_OK);
        s2svpn_route_table_get_info(custom, &info);
        CU_ASSERT_EQUAL(info.state, S2SVPN_STATE_DELETED);
        CU_ASSERT_STRING_EQUAL(info.vpc.text, "");
        s2svpn_route_table_release(custom);
    }
    rig_close(&rig);
}

static void a_subnet_uses_its_table_from_the_next_packet_on(void)
{
    static struct rig rig;
    s2svpn_route_table *custom = NULL;
    s2svpn_subnet_info info = {.size = sizeof(info)};

    if (rig_up(&rig, &static_routes)) {
        CU_ASSERT_EQUAL(s2svpn_route_table_new(rig.vpc, &custom), S2SVPN_OK);
        CU_ASSERT_TRUE(reaches(&rig));
        CU_ASSERT_EQUAL(s2svpn_route_table_associate(custom, rig.subnet), S2SVPN_OK);
        s2svpn_subnet_get_info(rig.subnet, &info);
        CU_ASSERT_STRING_EQUAL(info.route_table.text, s2svpn_route_table_id(custom));
        CU_ASSERT_FALSE(reaches(&rig));
        CU_ASSERT_EQUAL(s2svpn_route_table_enable_propagation(custom, rig.vgw), S2SVPN_OK);
        CU_ASSERT_TRUE(reaches(&rig));
        CU_ASSERT_EQUAL(s2svpn_route_table_associate(NULL, rig.subnet), S2SVPN_OK);
        s2svpn_subnet_get_info(rig.subnet, &info);
        CU_ASSERT_STRING_EQUAL(info.route_table.text, s2svpn_route_table_id(rig.table));
        CU_ASSERT_EQUAL(s2svpn_route_table_delete(custom), S2SVPN_OK); /* nobody uses it */
        CU_ASSERT_TRUE(reaches(&rig));
        /* The main table by name. */
        CU_ASSERT_EQUAL(s2svpn_route_table_associate(rig.table, rig.subnet), S2SVPN_OK);
        CU_ASSERT_TRUE(reaches(&rig));
        s2svpn_route_table_release(custom);
    }
    rig_close(&rig);
}

/* As ReplaceRouteTableAssociation of the main association. */
static void another_table_becomes_main(void)
{
    static struct rig rig;
    s2svpn_route_table *custom = NULL, *main_now;
    s2svpn_subnet_info info = {.size = sizeof(info)};
    s2svpn_subnet_spec spec = S2SVPN_SUBNET_INIT;
    s2svpn_subnet *faithful = NULL;

    spec.cidr = rig_prefix("10.0.2.0/24");
    if (rig_up(&rig, &static_routes)) {
        s2svpn_context *ctx = rig.gateway.ctx;

        CU_ASSERT_EQUAL(s2svpn_subnet_new(rig.vpc, &spec, &faithful), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_route_table_associate(rig.table, faithful), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_route_table_new(rig.vpc, &custom), S2SVPN_OK);
        CU_ASSERT_TRUE(is_main(rig.table));
        CU_ASSERT_FALSE(is_main(custom));
        CU_ASSERT_EQUAL(s2svpn_route_table_set_main(rig.table), S2SVPN_OK); /* it is */
        CU_ASSERT_TRUE(reaches(&rig));
        CU_ASSERT_EQUAL(s2svpn_route_table_set_main(custom), S2SVPN_OK);
        CU_ASSERT_FALSE(reaches(&rig)); /* without association */
        CU_ASSERT_TRUE(is_main(custom));
        CU_ASSERT_FALSE(is_main(rig.table));
        main_now = s2svpn_vpc_main_route_table(rig.vpc);
        CU_ASSERT_PTR_EQUAL(main_now, custom);
        s2svpn_route_table_release(main_now);
        s2svpn_subnet_get_info(rig.subnet, &info);
        CU_ASSERT_STRING_EQUAL(info.route_table.text, s2svpn_route_table_id(custom));
        CU_ASSERT_FALSE(info.associated);
        s2svpn_subnet_get_info(faithful, &info); /* it asked for that one */
        CU_ASSERT_TRUE(info.associated);
        CU_ASSERT_STRING_EQUAL(info.route_table.text, s2svpn_route_table_id(rig.table));
        rig_check_error(ctx, s2svpn_route_table_delete(custom), S2SVPN_E_IN_USE, "", "main");
        rig_check_error(ctx, s2svpn_route_table_delete(rig.table), S2SVPN_E_IN_USE, "",
                        "associated");
        CU_ASSERT_EQUAL(s2svpn_route_table_associate(NULL, faithful), S2SVPN_OK);
        s2svpn_subnet_get_info(faithful, &info);
        CU_ASSERT_STRING_EQUAL(info.route_table.text, s2svpn_route_table_id(custom));
        CU_ASSERT_EQUAL(s2svpn_route_table_associate(custom, faithful), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_route_table_set_main(rig.table), S2SVPN_OK);
        CU_ASSERT_TRUE(reaches(&rig));
        CU_ASSERT_EQUAL(s2svpn_route_table_set_main(custom), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_route_table_delete(rig.table), S2SVPN_OK); /* the first one */
        rig_check_error(ctx, s2svpn_route_table_set_main(rig.table), S2SVPN_E_STATE, "route_table",
                        "deleted");
        s2svpn_subnet_release(faithful);
        s2svpn_route_table_release(custom);
    }
    rig_close(&rig);
}

static void a_vpc_goes_with_the_table_that_became_main(void)
{
    static struct rig rig;
    s2svpn_context *ctx = rig_gateway(&rig, NULL);
    s2svpn_vpc_spec spec = S2SVPN_VPC_INIT;
    s2svpn_route_table *first, *second = NULL;

    spec.cidr = rig_prefix("10.0.0.0/16");
    CU_ASSERT_EQUAL(s2svpn_vpc_new(ctx, &spec, &rig.vpc), S2SVPN_OK);
    first = s2svpn_vpc_main_route_table(rig.vpc);
    CU_ASSERT_EQUAL(s2svpn_route_table_new(rig.vpc, &second), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_route_table_set_main(second), S2SVPN_OK);
    CU_ASSERT_EQUAL(first->object.handles, 1);  /* ours alone */
    CU_ASSERT_EQUAL(second->object.handles, 2); /* ours, and its VPC's */
    rig_check_error(ctx, s2svpn_vpc_delete(rig.vpc), S2SVPN_E_IN_USE, "", "the first is custom");
    CU_ASSERT_EQUAL(s2svpn_route_table_delete(first), S2SVPN_OK);
    s2svpn_route_table_release(first);
    CU_ASSERT_EQUAL(s2svpn_vpc_delete(rig.vpc), S2SVPN_OK);
    rig_check_error(ctx, s2svpn_route_table_delete(second), S2SVPN_E_IN_USE, "", "gone with it");
    s2svpn_route_table_release(second);
    rig_close(&rig);
}

static void a_port_made_later_uses_its_subnets_table_too(void)
{
    static struct rig rig;
    s2svpn_route_table *custom = NULL;
    s2svpn_port_spec spec = S2SVPN_PORT_INIT;
    s2svpn_port *port = NULL;
    const struct packet_spec packet = {.from = "10.0.1.30", .to = "192.168.10.20", .payload = 9};
    static uint8_t bytes[PACKET_ROOM];
    s2svpn_packet p = {.data = bytes};

    if (rig_up(&rig, &static_routes)) {
        p.len = (uint32_t)packet_write(bytes, &packet);
        CU_ASSERT_EQUAL(s2svpn_route_table_new(rig.vpc, &custom), S2SVPN_OK);
        CU_ASSERT_EQUAL(s2svpn_route_table_associate(custom, rig.subnet), S2SVPN_OK);
        spec.subnet = rig.subnet;
        spec.address = rig_address("10.0.1.30");
        CU_ASSERT_EQUAL(s2svpn_port_new(rig.gateway.ctx, &spec, &port), S2SVPN_OK);
        rig_send_packets(&rig.gateway, s2svpn_port_number(port), &p, 1);
        CU_ASSERT_EQUAL(s2svpn_context_drops(rig.gateway.ctx, S2SVPN_DROP_NO_ROUTE), 1);
        s2svpn_port_release(port);
        s2svpn_route_table_release(custom);
    }
    rig_close(&rig);
}

const CU_TestInfo s2_test_association[] = {
    {"a subnet uses its table from the next packet on",
     a_subnet_uses_its_table_from_the_next_packet_on},
    {"another table becomes main", another_table_becomes_main},
    {"a VPC goes with the table that became main", a_vpc_goes_with_the_table_that_became_main},
    {"a table tells what it is", a_table_tells_what_it_is},
    {"a port made later uses its subnet's table too", a_port_made_later_uses_its_subnets_table_too},
    CU_TEST_INFO_NULL,
};
