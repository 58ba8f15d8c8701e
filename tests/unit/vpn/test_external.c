/* SPDX-License-Identifier: Apache-2.0 */
/* lib/vpn: a device's connection whose BGP and routing are the host's, and ports that are the
 * near ends of its tunnels. */
#include <string.h>

#include "harness.h"
#include "vpn/packet.h"
#include "vpn/rig.h"
#include "vpn/vpn.h"

static const s2svpn_device_options external = {.size = sizeof(external), .external_bgp = true};
static const struct rig_plan plan = {.static_routes = true, .device_options = &external};
static const struct rig_plan plan_bgp = {.device_options = &external};

static s2svpn_port *open_port(struct rig *rig, size_t index)
{
    s2svpn_port_spec spec = S2SVPN_PORT_INIT;
    s2svpn_port *port = NULL;

    spec.tunnel = s2svpn_connection_tunnel(rig->site, index);
    CU_ASSERT_EQUAL(s2svpn_port_new(rig->device.ctx, &spec, &port), S2SVPN_OK);
    return port;
}

/* Both tunnels up, and a port for each. */
static void open_rig(struct rig *rig, s2svpn_port *port[2])
{
    CU_ASSERT_EQUAL_FATAL(rig_open(rig, &plan), S2SVPN_OK);
    port[0] = open_port(rig, 0);
    port[1] = open_port(rig, 1);
    CU_ASSERT_TRUE_FATAL(port[0] && port[1]);
    CU_ASSERT_EQUAL(s2svpn_connection_start(rig->site), S2SVPN_OK);
    rig_run(rig, 5 * RIG_SECOND);
    CU_ASSERT_TRUE_FATAL(rig_both_up(rig));
}

static void close_rig(struct rig *rig, s2svpn_port *port[2])
{
    s2svpn_port_release(port[0]);
    s2svpn_port_release(port[1]);
    rig_close(rig);
}

static void send(struct rig *rig, struct rig_side *side, s2svpn_port_id number,
                 const struct packet_spec *spec)
{
    static uint8_t bytes[PACKET_ROOM];
    s2svpn_packet p = {.data = bytes};

    p.len = (uint32_t)packet_write(bytes, spec);
    rig_send_packets(side, number, &p, 1);
    rig_pump(rig);
}

static void a_tunnel_is_up_when_ipsec_is(void)
{
    static struct rig rig;
    s2svpn_connection_info info = {.size = sizeof(info)};
    s2svpn_tunnel_info tunnel;

    CU_ASSERT_EQUAL_FATAL(rig_open(&rig, &plan_bgp), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_connection_start(rig.site), S2SVPN_OK);
    rig_run(&rig, 60 * RIG_SECOND);
    s2svpn_connection_get_info(rig.site, &info);
    tunnel = rig_tunnel(rig.site, 0);
    CU_ASSERT_TRUE(info.external_bgp && !info.static_routes_only && info.up == 2);
    CU_ASSERT_TRUE(tunnel.up && tunnel.phase == S2SVPN_TUNNEL_UP);
    CU_ASSERT_EQUAL(tunnel.bgp_state, 0);
    /* The gateway speaks BGP, and nobody answers: what it sends asks for a port. */
    CU_ASSERT_EQUAL(rig_tunnel(rig.cloud, 0).phase, S2SVPN_TUNNEL_IPSEC_UP);
    CU_ASSERT_TRUE(s2svpn_context_drops(rig.device.ctx, S2SVPN_DROP_NO_PORT) > 0);
    rig_close(&rig);
}

static void each_port_sends_by_its_tunnel_whatever_the_hop_count(void)
{
    static struct rig rig;
    s2svpn_port *port[2] = {NULL, NULL};

    open_rig(&rig, port);
    for (size_t i = 0; i < 2; i++) {
        const struct packet_spec spec = {.ttl = (uint8_t)(i ? 64 : 2), .payload = 100};
        const uint64_t other = rig_tunnel(rig.cloud, 1 - i).packets_in;
        const uint64_t before = rig_tunnel(rig.cloud, i).packets_in;
        struct rig_item *item;

        rig_drop_all(&rig.gateway.inside);
        send(&rig, &rig.device, s2svpn_port_number(port[i]), &spec);
        CU_ASSERT_EQUAL(rig_tunnel(rig.cloud, i).packets_in, before + 1);
        CU_ASSERT_EQUAL(rig_tunnel(rig.cloud, 1 - i).packets_in, other);
        item = rig_take(&rig.gateway.inside);
        CU_ASSERT_PTR_NOT_NULL_FATAL(item);
        CU_ASSERT_EQUAL(item->data[8], i ? 63 : 1); /* the gateway's hop alone */
        rig_item_free(item);
    }
    close_rig(&rig, port);
}

static void inside_addresses_are_the_hosts(void)
{
    static struct rig rig;
    s2svpn_port *port[2] = {NULL, NULL};

    open_rig(&rig, port);
    char ours[S2SVPN_ADDRESS_TEXT], peers[S2SVPN_ADDRESS_TEXT];
    const s2svpn_tunnel_info t = rig_tunnel(rig.site, 1);
    const struct packet_spec ping = {.from = s2svpn_address_print(&t.inside_local, ours),
                                     .to = s2svpn_address_print(&t.inside_remote, peers),
                                     .protocol = 1,
                                     .ttl = 1,
                                     .payload = 32};
    struct rig_item *item;

    rig_drop_all(&rig.device.inside);
    send(&rig, &rig.device, s2svpn_port_number(port[1]), &ping);
    item = rig_take(&rig.device.inside);
    CU_ASSERT_PTR_NOT_NULL_FATAL(item); /* the gateway's answer */
    CU_ASSERT_EQUAL(item->port, s2svpn_port_number(port[1]));
    CU_ASSERT_EQUAL(item->data[20], 0);
    CU_ASSERT_EQUAL(memcmp(item->data + 16, t.inside_local.bytes, 4), 0);
    rig_item_free(item);
    close_rig(&rig, port);
}

static void a_packet_too_long_is_told_by_the_gateways_inside_address(void)
{
    static struct rig rig;
    s2svpn_port *port[2] = {NULL, NULL};

    open_rig(&rig, port);
    const s2svpn_tunnel_info t = rig_tunnel(rig.site, 0);
    const struct packet_spec spec = {.dont_fragment = true, .payload = 1600};
    struct rig_item *item;

    rig_drop_all(&rig.device.inside);
    atomic_store(&s2svpn_connection_tunnel(rig.site, 0)->cuts_df, false);
    send(&rig, &rig.device, s2svpn_port_number(port[0]), &spec);
    item = rig_take(&rig.device.inside);
    CU_ASSERT_PTR_NOT_NULL_FATAL(item);
    CU_ASSERT_TRUE(item->data[20] == 3 && item->data[21] == 4);
    CU_ASSERT_EQUAL(memcmp(item->data + 12, t.inside_remote.bytes, 4), 0);
    rig_item_free(item);
    close_rig(&rig, port);
}

static void ports_that_cannot_be_are_refused(void)
{
    static struct rig rig;
    s2svpn_port *port[2] = {NULL, NULL}, *again = NULL;
    s2svpn_port_spec spec = S2SVPN_PORT_INIT;
    const s2svpn_prefix prefix = rig_prefix("192.0.2.0/24");
    s2svpn_context *ctx;

    open_rig(&rig, port);
    ctx = rig.device.ctx;
    spec.tunnel = s2svpn_connection_tunnel(rig.site, 0);
    rig_check_error(ctx, s2svpn_port_new(ctx, &spec, &again), S2SVPN_E_EXISTS, "tunnel", "twice");
    rig_check_error(ctx, s2svpn_connection_delete(rig.site), S2SVPN_E_IN_USE, "", "with ports");
    rig_check_error(ctx, s2svpn_connection_add_static_route(rig.site, &prefix), S2SVPN_E_STATE, "",
                    "a static route");
    CU_ASSERT_EQUAL(s2svpn_port_delete(port[0]), S2SVPN_OK);
    spec.prefix = &prefix;
    spec.prefix_count = 1;
    rig_check_error(ctx, s2svpn_port_new(ctx, &spec, &again), S2SVPN_E_ARGUMENT, "prefix",
                    "with a prefix");
    spec.prefix_count = 0;
    rig_check_error(rig.gateway.ctx, s2svpn_port_new(rig.gateway.ctx, &spec, &again),
                    S2SVPN_E_ARGUMENT, "subnet", "in a gateway without a subnet");
    spec.subnet = rig.subnet;
    rig_check_error(rig.gateway.ctx, s2svpn_port_new(rig.gateway.ctx, &spec, &again),
                    S2SVPN_E_ARGUMENT, "tunnel", "in a gateway");
    spec.subnet = NULL;
    CU_ASSERT_EQUAL(s2svpn_port_new(ctx, &spec, &again), S2SVPN_OK); /* its place is free */
    CU_ASSERT_EQUAL(s2svpn_port_delete(again), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_port_delete(port[1]), S2SVPN_OK);
    CU_ASSERT_EQUAL(s2svpn_connection_delete(rig.site), S2SVPN_OK);
    s2svpn_port_release(again);
    close_rig(&rig, port);
}

static void a_port_that_finds_no_memory_leaves_nothing(void)
{
    static struct rig rig;
    s2svpn_port_spec spec = S2SVPN_PORT_INIT;
    s2svpn_port *port = NULL;
    struct rig_heap *heap = &rig.device.heap;
    s2svpn_status rc = S2SVPN_E_MEMORY;
    size_t failed = 0;

    CU_ASSERT_EQUAL_FATAL(rig_open(&rig, &plan), S2SVPN_OK);
    spec.tunnel = s2svpn_connection_tunnel(rig.site, 0);
    for (; rc != S2SVPN_OK && failed < 100; failed++) {
        heap->fail_at = heap->allocations + 1 + failed;
        rc = s2svpn_port_new(rig.device.ctx, &spec, &port);
        CU_ASSERT_TRUE(rc == S2SVPN_OK || rc == S2SVPN_E_MEMORY);
        CU_ASSERT_EQUAL(rig.site->object.children, rc == S2SVPN_OK);
        CU_ASSERT_EQUAL(spec.tunnel->has_port, rc == S2SVPN_OK);
        CU_ASSERT_EQUAL(atomic_load(&spec.tunnel->port), port);
    }
    CU_ASSERT_TRUE(failed > 1);
    CU_ASSERT_EQUAL(rc, S2SVPN_OK);
    heap->fail_at = 0;
    s2svpn_port_release(port);
    rig_close(&rig);
}

static void a_tunnel_with_bgp_of_ours_has_no_port(void)
{
    static struct rig rig;
    s2svpn_port_spec spec = S2SVPN_PORT_INIT;
    s2svpn_port *port = NULL;

    CU_ASSERT_EQUAL_FATAL(rig_open(&rig, NULL), S2SVPN_OK);
    spec.tunnel = s2svpn_connection_tunnel(rig.site, 0);
    rig_check_error(rig.device.ctx, s2svpn_port_new(rig.device.ctx, &spec, &port),
                    S2SVPN_E_ARGUMENT, "tunnel", "without external_bgp");
    rig_close(&rig);
}

const CU_TestInfo s2_test_external[] = {
    {"a tunnel is up when IPsec is", a_tunnel_is_up_when_ipsec_is},
    {"each port sends by its tunnel, whatever the hop count",
     each_port_sends_by_its_tunnel_whatever_the_hop_count},
    {"inside addresses are the host's", inside_addresses_are_the_hosts},
    {"a packet too long is told by the gateway's inside address",
     a_packet_too_long_is_told_by_the_gateways_inside_address},
    {"ports that cannot be are refused", ports_that_cannot_be_are_refused},
    {"a port that finds no memory leaves nothing", a_port_that_finds_no_memory_leaves_nothing},
    {"a tunnel with BGP of ours has no port", a_tunnel_with_bgp_of_ours_has_no_port},
    CU_TEST_INFO_NULL,
};
