/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn/vpc.c, port.c: VPCs, subnets, ports, and packets from port to port. */
#include <string.h>

#include "harness.h"
#include "vpn/packet.h"
#include "vpn/rig.h"
#include "vpn/vpn.h"

/* ---- CIDRs */

static void vpcs_have_ipv4_cidrs_from_16_to_28(void)
{
    static const struct {
        const char *cidr;
        bool good;
    } rows[] = {
        {"10.0.0.0/16", true},  {"10.0.0.0/28", true},    {"10.0.0.0/15", false},
        {"10.0.0.0/29", false}, {"192.168.5.0/24", true}, {"fd00::/16", false},
        {"0.0.0.0/0", false},
    };
    static struct rig rig;
    s2svpn_context *ctx = rig_gateway(&rig, NULL);
    s2svpn_vpc_spec spec = S2SVPN_VPC_INIT;
    s2svpn_vpc *vpc = NULL;

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        s2svpn_status rc;

        spec.cidr = rig_prefix(rows[i].cidr);
        rc = s2svpn_vpc_new(ctx, &spec, &vpc);
        CHECK_ROW(rows[i].cidr, (rc == S2SVPN_OK) == rows[i].good);
        if (!rows[i].good)
            rig_check_error(ctx, rc, S2SVPN_E_ARGUMENT, "cidr", rows[i].cidr);
        s2svpn_vpc_release(vpc);
    }
    spec.cidr = rig_prefix("10.0.0.0/16");
    spec.cidr.address.bytes[3] = 5;
    rig_check_error(ctx, s2svpn_vpc_new(ctx, &spec, &vpc), S2SVPN_E_ARGUMENT, "cidr", "host bits");
    spec.cidr = (s2svpn_prefix){0};
    rig_check_error(ctx, s2svpn_vpc_new(ctx, &spec, &vpc), S2SVPN_E_ARGUMENT, "cidr", "nothing");
    rig_close(&rig);
}

static void subnets_lie_in_their_vpc_and_beside_each_other(void)
{
    static const struct {
        const char *cidr;
        s2svpn_status rc;
    } rows[] = {
        {"10.0.2.0/24", S2SVPN_OK},         {"10.0.2.0/25", S2SVPN_E_EXISTS},
        {"10.0.2.128/28", S2SVPN_E_EXISTS}, {"10.0.0.0/16", S2SVPN_E_EXISTS},
        {"10.0.1.0/24", S2SVPN_E_EXISTS}, /* the rig's */
        {"10.1.0.0/24", S2SVPN_E_ARGUMENT}, {"10.0.3.0/29", S2SVPN_E_ARGUMENT},
        {"10.0.255.240/28", S2SVPN_OK},
    };
    static struct rig rig;
    s2svpn_context *ctx = rig_gateway(&rig, NULL);
    s2svpn_vpc_info info = {.size = sizeof(info)};

    CU_ASSERT_EQUAL(rig_make_vpc(&rig), S2SVPN_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        s2svpn_subnet_spec spec = S2SVPN_SUBNET_INIT;
        s2svpn_subnet *subnet = NULL;
        s2svpn_status rc;

        spec.cidr = rig_prefix(rows[i].cidr);
        rc = s2svpn_subnet_new(rig.vpc, &spec, &subnet);
        CHECK_ROW(rows[i].cidr, rc == rows[i].rc);
        if (rows[i].rc != S2SVPN_OK)
            rig_check_error(ctx, rc, rows[i].rc, "cidr", rows[i].cidr);
        s2svpn_subnet_release(subnet);
    }
    s2svpn_vpc_get_info(rig.vpc, &info);
    CU_ASSERT_EQUAL(info.subnets, 3);
    CU_ASSERT_STRING_EQUAL(info.main_route_table.text, s2svpn_route_table_id(rig.table));
    rig_close(&rig);
}

/* ---- ports of the cloud */

static void an_instances_address_is_a_free_one_of_its_subnet(void)
{
    static const struct {
        const char *address;
        s2svpn_status rc;
    } rows[] = {
        {"10.0.1.0", S2SVPN_E_ARGUMENT},   {"10.0.1.1", S2SVPN_E_ARGUMENT},
        {"10.0.1.3", S2SVPN_E_ARGUMENT},   {"10.0.1.4", S2SVPN_OK},
        {"10.0.1.4", S2SVPN_E_EXISTS},     {"10.0.1.254", S2SVPN_OK},
        {"10.0.1.255", S2SVPN_E_ARGUMENT}, {"10.0.2.10", S2SVPN_E_ARGUMENT},
        {"fd00::1", S2SVPN_E_ARGUMENT},
    };
    static struct rig rig;
    s2svpn_context *ctx = rig_gateway(&rig, NULL);
    s2svpn_port_spec spec = S2SVPN_PORT_INIT;
    s2svpn_port_info info = {.size = sizeof(info)};
    s2svpn_port *port = NULL;

    CU_ASSERT_EQUAL(rig_make_vpc(&rig), S2SVPN_OK);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        s2svpn_status rc;

        spec.subnet = rig.subnet;
        spec.address = rig_address(rows[i].address);
        rc = s2svpn_port_new(ctx, &spec, &port);
        CHECK_ROW(rows[i].address, rc == rows[i].rc);
        if (rows[i].rc != S2SVPN_OK) {
            rig_check_error(ctx, rc, rows[i].rc, "address", rows[i].address);
            continue;
        }
        s2svpn_port_get_info(port, &info);
        CHECK_ROW(rows[i].address, info.number == s2svpn_port_number(port) && info.number != 0);
        CHECK_ROW(rows[i].address, strcmp(info.subnet.text, rig.subnet->object.id.text) == 0);
        s2svpn_port_release(port);
    }
    spec.subnet = NULL;
    rig_check_error(ctx, s2svpn_port_new(ctx, &spec, &port), S2SVPN_E_ARGUMENT, "subnet", "none");
    spec.subnet = rig.subnet;
    spec.prefix_count = 1;
    rig_check_error(ctx, s2svpn_port_new(ctx, &spec, &port), S2SVPN_E_ARGUMENT, "prefix",
                    "only a device's port has any");
    rig_close(&rig);
}

/* ---- ports of a device */

static void a_devices_prefixes_are_its_own(void)
{
    static struct rig rig;
    s2svpn_prefix prefix[65];
    s2svpn_port_spec spec = S2SVPN_PORT_INIT;
    s2svpn_port *port = NULL;
    s2svpn_context *ctx;

    CU_ASSERT_EQUAL_FATAL(rig_open(&rig, NULL), S2SVPN_OK);
    ctx = rig.device.ctx;
    for (size_t i = 0; i < 65; i++) {
        prefix[i] = rig_prefix("172.16.0.0/24");
        prefix[i].address.bytes[2] = (uint8_t)i;
    }
    spec.prefix = prefix;
    spec.prefix_count = 65;
    rig_check_error(ctx, s2svpn_port_new(ctx, &spec, &port), S2SVPN_E_ARGUMENT, "prefix", "65");
    spec.prefix_count = 1;
    spec.prefix = NULL;
    rig_check_error(ctx, s2svpn_port_new(ctx, &spec, &port), S2SVPN_E_ARGUMENT, "prefix", "NULL");
    spec.prefix = prefix;
    spec.prefix_count = 3;
    prefix[2] = rig_prefix("192.168.0.0/16");
    rig_check_error(ctx, s2svpn_port_new(ctx, &spec, &port), S2SVPN_E_EXISTS, "prefix[2]",
                    "another port's");
    prefix[2].address.bytes[3] = 1;
    rig_check_error(ctx, s2svpn_port_new(ctx, &spec, &port), S2SVPN_E_ARGUMENT, "prefix[2]",
                    "host bits");
    prefix[2] = (s2svpn_prefix){0};
    rig_check_error(ctx, s2svpn_port_new(ctx, &spec, &port), S2SVPN_E_ARGUMENT, "prefix[2]",
                    "no family");
    spec.subnet = rig.subnet;
    rig_check_error(ctx, s2svpn_port_new(ctx, &spec, &port), S2SVPN_E_ARGUMENT, "subnet",
                    "a device has none");
    spec.subnet = NULL;
    spec.prefix_count = 64;
    prefix[2] = rig_prefix("172.16.2.0/24");
    CU_ASSERT_EQUAL(s2svpn_port_new(ctx, &spec, &port), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_port_delete(port), S2SVPN_OK);
    s2svpn_port_release(port);
    CU_ASSERT_EQUAL(s2_rib_count(ctx->device->rib), 1); /* the rig's LAN alone is left */
    CU_ASSERT_EQUAL(s2svpn_port_new(ctx, &spec, &port), S2SVPN_OK); /* and may come again */
    s2svpn_port_release(port);
    rig_close(&rig);
}

/* ---- from port to port */

static s2svpn_port *second_instance(struct rig *rig)
{
    s2svpn_port_spec spec = S2SVPN_PORT_INIT;
    s2svpn_port *port = NULL;

    spec.subnet = rig->subnet;
    spec.address = rig_address("10.0.1.20");
    CU_ASSERT_EQUAL(s2svpn_port_new(rig->gateway.ctx, &spec, &port), S2SVPN_OK);
    return port;
}

static void a_packet_crosses_the_vpc_as_it_came(void)
{
    const struct packet_spec spec = {.from = "10.0.1.10",
                                     .to = "10.0.1.20",
                                     .protocol = 6,
                                     .payload = 30000,
                                     .no_checksum = true};
    static struct rig rig;
    static uint8_t p[PACKET_ROOM];
    s2svpn_packet packet = {.data = p,
                            .gso_type = S2SVPN_GSO_TCPV4,
                            .hdr_len = 40,
                            .gso_size = 1000,
                            .needs_checksum = true,
                            .csum_start = 20,
                            .csum_offset = 16};
    s2svpn_port *second;
    struct rig_item *item;

    rig_gateway(&rig, NULL);
    CU_ASSERT_EQUAL(rig_make_vpc(&rig), S2SVPN_OK);
    second = second_instance(&rig);
    packet.len = (uint32_t)packet_write(p, &spec);
    rig_send_packets(&rig.gateway, s2svpn_port_number(rig.gateway.port), &packet, 1);
    item = rig_take(&rig.gateway.inside);
    CU_ASSERT_PTR_NOT_NULL_FATAL(item);
    CU_ASSERT_EQUAL(item->port, s2svpn_port_number(second));
    CU_ASSERT_EQUAL(item->len, packet.len);
    CU_ASSERT_EQUAL(item->packet.gso_type, S2SVPN_GSO_TCPV4);
    CU_ASSERT_EQUAL(item->packet.gso_size, 1000);
    CU_ASSERT_TRUE(item->packet.needs_checksum);
    CU_ASSERT_EQUAL(item->data[8], 63); /* one hop */
    CU_ASSERT_EQUAL(memcmp(item->data + 40, p + 40, 30000), 0);
    rig_item_free(item);
    s2svpn_port_release(second);
    rig_close(&rig);
}

static s2svpn_port *second_port;

/* The second instance answers from inside the delivery; its bytes are gone at once. */
static void answer(struct rig_side *side, bool inside)
{
    const struct packet_spec spec = {.from = "10.0.1.20", .to = "10.0.1.10", .payload = 400};
    static uint8_t p[PACKET_ROOM];
    s2svpn_packet packet = {.data = p};

    if (!inside || side->hook_user)
        return;
    side->hook_user = side;
    packet.len = (uint32_t)packet_write(p, &spec);
    rig_send_packets(side, s2svpn_port_number(second_port), &packet, 1);
    memset(p, 0xee, sizeof(p));
}

static void an_answer_inside_the_delivery_keeps_its_bytes(void)
{
    const struct packet_spec spec = {.from = "10.0.1.10", .to = "10.0.1.20", .payload = 300};
    static struct rig rig;
    static uint8_t p[PACKET_ROOM];
    const size_t len = packet_write(p, &spec);
    struct rig_item *item;

    rig_gateway(&rig, NULL);
    CU_ASSERT_EQUAL(rig_make_vpc(&rig), S2SVPN_OK);
    second_port = second_instance(&rig);
    rig.gateway.hook = answer;
    rig_send(&rig.gateway, p, len);
    rig.gateway.hook = NULL;
    CU_ASSERT_EQUAL(rig.gateway.inside.count, 2);
    for (; (item = rig_take(&rig.gateway.inside)) != NULL; rig_item_free(item))
        CU_ASSERT_TRUE(packet_right(item->data, item->len));
    s2svpn_port_release(second_port);
    rig_close(&rig);
}

static void a_deleted_ports_number_leads_nowhere(void)
{
    const struct packet_spec spec = {.from = "10.0.1.10", .to = "10.0.1.20", .payload = 300};
    static struct rig rig;
    static uint8_t p[PACKET_ROOM];
    const size_t len = packet_write(p, &spec);
    s2svpn_port_id number;

    rig_gateway(&rig, NULL);
    CU_ASSERT_EQUAL(rig_make_vpc(&rig), S2SVPN_OK);
    number = s2svpn_port_number(rig.gateway.port);
    CU_ASSERT_EQUAL(s2svpn_port_delete(rig.gateway.port), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_port_number(rig.gateway.port), number); /* a handle keeps it readable */
    rig_send(&rig.gateway, p, len);
    CU_ASSERT_EQUAL(s2svpn_context_drops(rig.gateway.ctx, S2SVPN_DROP_NO_PORT), 1);
    rig_close(&rig);
}

const CU_TestInfo s2_test_port[] = {
    {"VPCs have IPv4 CIDRs from /16 to /28", vpcs_have_ipv4_cidrs_from_16_to_28},
    {"subnets lie in their VPC, and beside each other",
     subnets_lie_in_their_vpc_and_beside_each_other},
    {"an instance's address is a free one of its subnet",
     an_instances_address_is_a_free_one_of_its_subnet},
    {"a device's prefixes are its own", a_devices_prefixes_are_its_own},
    {"a packet crosses the VPC as it came", a_packet_crosses_the_vpc_as_it_came},
    {"an answer inside the delivery keeps its bytes",
     an_answer_inside_the_delivery_keeps_its_bytes},
    {"a deleted port's number leads nowhere", a_deleted_ports_number_leads_nowhere},
    CU_TEST_INFO_NULL,
};
