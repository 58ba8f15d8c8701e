/* SPDX-License-Identifier: Apache-2.0 */
/* A gateway and a device as they are, each on a host of its own, over loopback: on
 * unprivileged ports, with ports that go to functions. */
#include "suites.h"

#include <event2/event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "s2svpn/host.h"
#include "s2svpn/s2svpn.h"
#include "sim/packet.h"

#define IKE_PORT 10500
#define NATT_PORT 14500
#define PAYLOAD 40000u
#define SEGMENT 1300u

struct side {
    s2svpn_host *host;
    s2svpn_context *ctx;
    s2svpn_connection *conn;
    s2svpn_port_id port;
    s2svpn_address outside[2];
    uint32_t address; /* of the plain packets */
    unsigned ups, stopped;
    unsigned echoes, supers;
    uint32_t payload;
    bool wrong;
};

struct scene {
    struct event_base *base;
    struct side cloud, office;
};

static s2svpn_address address(const char *text)
{
    s2svpn_address a = {0};

    if (!s2svpn_address_read(text, &a))
        abort();
    return a;
}

static s2svpn_prefix prefix(const char *text)
{
    s2svpn_prefix p = {0};

    if (!s2svpn_prefix_read(text, &p))
        abort();
    return p;
}

static s2svpn_address outside(unsigned n)
{
    const unsigned pid = (unsigned)getpid();
    char text[32];

    snprintf(text, sizeof(text), "127.%u.%u.%u", 1 + pid / 256 % 250, pid % 256, n);
    return address(text);
}

static void must(s2svpn_status rc, const struct side *side)
{
    if (rc == S2SVPN_OK)
        return;
    if (side->ctx)
        printf("    %s: %s\n", s2svpn_context_error(side->ctx)->field,
               s2svpn_context_error(side->ctx)->message);
    abort();
}

/* ---- what happens */

static void on_event(void *user, s2svpn_context *ctx, const s2svpn_event *e)
{
    struct side *side = user;

    (void)ctx;
    side->ups += e->kind == S2SVPN_EVENT_TUNNEL && e->up;
    side->stopped += e->kind == S2SVPN_EVENT_STOPPED;
}

static void on_inside(void *user, s2svpn_context *ctx, s2svpn_port_id port, const s2svpn_packet *p,
                      size_t n, uint64_t now_ns)
{
    struct side *side = user;
    struct echo e;

    (void)now_ns;
    side->wrong |= port != side->port || ctx != side->ctx;
    for (size_t i = 0; i < n; i++) {
        if (packet_read_echo(p[i].data, p[i].len, &e)) {
            side->echoes++;
            side->wrong |= e.to != side->address;
        } else {
            side->supers += p[i].gso_type != S2SVPN_GSO_NONE;
            side->payload += p[i].len - IPV4_LEN - TCP_LEN;
            side->wrong |= !packet_tcp_payload_is_right(p[i].data, p[i].len);
        }
    }
}

static void give(const struct side *from, uint8_t *data, const s2svpn_packet *as, size_t len)
{
    s2svpn_packet p = *as;

    p.data = data;
    p.len = (uint32_t)len;
    s2svpn_receive_inside(s2svpn_context_worker(from->ctx, 0), from->port, &p, 1,
                          s2svpn_host_now());
}

static void ping(const struct side *from, const struct side *to)
{
    const s2svpn_packet plain = {0};
    uint8_t data[128];

    give(from, data, &plain, packet_echo(data, ECHO_REQUEST, from->address, to->address, 1, 1, 56));
}

static void send_super(const struct side *from, const struct side *to)
{
    static uint8_t data[IPV4_LEN + TCP_LEN + PAYLOAD];
    const s2svpn_packet super = {.gso_type = S2SVPN_GSO_TCPV4,
                                 .needs_checksum = true,
                                 .hdr_len = IPV4_LEN + TCP_LEN,
                                 .gso_size = SEGMENT,
                                 .csum_start = IPV4_LEN,
                                 .csum_offset = 16};

    give(from, data, &super, packet_tcp(data, from->address, to->address, 1000, PAYLOAD, true));
}

static void on_guard(evutil_socket_t fd, short what, void *arg)
{
    ((void)fd, (void)what, (void)arg);
}

static bool wait_for(struct scene *s, const uint32_t *value, uint32_t want)
{
    const struct timeval most = {0, 10000};
    const uint64_t end = s2svpn_host_now() + UINT64_C(20000000000);

    while (*value < want && s2svpn_host_now() < end) {
        event_base_once(s->base, -1, EV_TIMEOUT, on_guard, NULL, &most);
        event_base_loop(s->base, EVLOOP_ONCE);
    }
    return *value == want;
}

/* ---- how it is set up */

static void open_side(struct scene *s, struct side *side, enum s2svpn_context_role role,
                      size_t addresses, bool offload)
{
    s2svpn_host_address a[2] = {{.ike_port = IKE_PORT, .natt_port = NATT_PORT},
                                {.ike_port = IKE_PORT, .natt_port = NATT_PORT}};
    s2svpn_host_options host = S2SVPN_HOST_OPTIONS_INIT;
    s2svpn_options options = S2SVPN_OPTIONS_INIT;
    s2svpn_error why = {0};

    for (size_t i = 0; i < addresses; i++)
        a[i].address = side->outside[i];
    host.address = a;
    host.address_count = addresses;
    host.no_udp_segment = host.no_udp_gro = !offload;
    options.role = role;
    options.peer_ike_port = IKE_PORT;
    options.peer_natt_port = NATT_PORT;
    must(s2svpn_host_new(s->base, &host, &side->host, &why), side);
    s2svpn_host_on_inside(side->host, on_inside, side);
    s2svpn_host_prepare(side->host, &options);
    must(s2svpn_context_new(&options, &side->ctx, &why), side);
    must(s2svpn_context_subscribe(side->ctx, S2SVPN_EVENT_ALL, on_event, side, NULL), side);
}

static void furnish_cloud(struct side *c, const struct side *office, s2svpn_text *xml)
{
    s2svpn_virtual_gateway_spec vgw_spec = S2SVPN_VIRTUAL_GATEWAY_INIT;
    s2svpn_customer_gateway_spec cgw_spec = S2SVPN_CUSTOMER_GATEWAY_INIT;
    s2svpn_connection_spec spec = S2SVPN_CONNECTION_INIT;
    s2svpn_vpc_spec vpc_spec = S2SVPN_VPC_INIT;
    s2svpn_subnet_spec subnet_spec = S2SVPN_SUBNET_INIT;
    s2svpn_port_spec port_spec = S2SVPN_PORT_INIT;
    const s2svpn_prefix lan = prefix("192.168.7.0/24");
    char text[S2SVPN_ADDRESS_TEXT];
    s2svpn_virtual_gateway *vgw;
    s2svpn_customer_gateway *cgw;
    s2svpn_vpc *vpc;
    s2svpn_subnet *subnet;
    s2svpn_port *port;
    s2svpn_route_table *table;

    must(s2svpn_virtual_gateway_new(c->ctx, &vgw_spec, &vgw), c);
    cgw_spec.address = s2svpn_address_print(&office->outside[0], text);
    must(s2svpn_customer_gateway_new(c->ctx, &cgw_spec, &cgw), c);
    spec.static_routes_only = true;
    spec.tunnel[0].outside_address = c->outside[0];
    spec.tunnel[1].outside_address = c->outside[1];
    must(s2svpn_connection_new(vgw, cgw, &spec, &c->conn), c);
    must(s2svpn_connection_add_static_route(c->conn, &lan), c);
    vpc_spec.cidr = subnet_spec.cidr = prefix("10.0.0.0/16");
    must(s2svpn_vpc_new(c->ctx, &vpc_spec, &vpc), c);
    must(s2svpn_subnet_new(vpc, &subnet_spec, &subnet), c);
    port_spec.subnet = subnet;
    port_spec.address = address("10.0.1.10");
    must(s2svpn_port_new(c->ctx, &port_spec, &port), c);
    must(s2svpn_virtual_gateway_attach(vgw, vpc), c);
    table = s2svpn_vpc_main_route_table(vpc);
    must(s2svpn_route_table_enable_propagation(table, vgw), c);
    c->port = s2svpn_port_number(port);
    must(s2svpn_connection_device_config(c->conn, xml), c);
    s2svpn_route_table_release(table);
    s2svpn_port_release(port);
    s2svpn_subnet_release(subnet);
    s2svpn_vpc_release(vpc);
    s2svpn_customer_gateway_release(cgw);
    s2svpn_virtual_gateway_release(vgw);
}

static void furnish_office(struct side *o, const s2svpn_text *xml)
{
    const s2svpn_prefix lan = prefix("192.168.7.0/24"), vpc = prefix("10.0.0.0/16");
    s2svpn_port_spec port_spec = S2SVPN_PORT_INIT;
    s2svpn_device_config *config;
    s2svpn_port *port;

    port_spec.prefix = &lan;
    port_spec.prefix_count = 1;
    must(s2svpn_port_new(o->ctx, &port_spec, &port), o);
    o->port = s2svpn_port_number(port);
    s2svpn_port_release(port);
    must(s2svpn_config_read(xml->data, xml->len, &config, NULL), o);
    must(s2svpn_device_open(o->ctx, config, NULL, &o->conn), o);
    s2svpn_config_free(config);
    must(s2svpn_connection_add_static_route(o->conn, &vpc), o);
    must(s2svpn_connection_start(o->conn), o); /* before attach: asks for a turn at once */
}

static void open_scene(struct scene *s, bool offload)
{
    s2svpn_text xml = {0};

    memset(s, 0, sizeof(*s));
    s->base = event_base_new();
    s->cloud.outside[0] = outside(1);
    s->cloud.outside[1] = outside(2);
    s->cloud.address = packet_address(10, 0, 1, 10);
    s->office.outside[0] = outside(3);
    s->office.address = packet_address(192, 168, 7, 1);
    open_side(s, &s->cloud, S2SVPN_ROLE_GATEWAY, 2, offload);
    open_side(s, &s->office, S2SVPN_ROLE_DEVICE, 1, offload);
    furnish_cloud(&s->cloud, &s->office, &xml);
    furnish_office(&s->office, &xml);
    s2svpn_text_free(&xml);
    s2svpn_host_attach(s->cloud.host, s->cloud.ctx);
    s2svpn_host_attach(s->office.host, s->office.ctx);
}

static void close_side(struct side *side)
{
    s2svpn_connection_release(side->conn);
    s2svpn_host_attach(side->host, NULL);
    s2svpn_context_free(side->ctx);
    s2svpn_host_free(side->host);
}

static void close_scene(struct scene *s)
{
    close_side(&s->cloud);
    close_side(&s->office);
    event_base_free(s->base);
}

/* ---- promises */

static void traffic_crosses(bool offload)
{
    struct scene s;

    open_scene(&s, offload);
    CU_ASSERT_FATAL(wait_for(&s, &s.office.ups, 2));
    CU_ASSERT_FATAL(wait_for(&s, &s.cloud.ups, 2));
    ping(&s.office, &s.cloud);
    CU_ASSERT(wait_for(&s, &s.cloud.echoes, 1));
    ping(&s.cloud, &s.office);
    CU_ASSERT(wait_for(&s, &s.office.echoes, 1));
    send_super(&s.office, &s.cloud);
    CU_ASSERT(wait_for(&s, &s.cloud.payload, PAYLOAD));
    send_super(&s.cloud, &s.office);
    CU_ASSERT(wait_for(&s, &s.office.payload, PAYLOAD));
    CU_ASSERT(!s.office.wrong && !s.cloud.wrong);
    /* The train arrives whole, or is made again, and the superpacket with it. */
    CU_ASSERT_EQUAL(s.cloud.supers, 1);
    CU_ASSERT_EQUAL(s.office.supers, 1);
    close_scene(&s);
}

static void traffic_crosses_in_trains(void)
{
    traffic_crosses(true);
}

static void traffic_crosses_without_offloads(void)
{
    traffic_crosses(false);
}

static void a_goodbye_reaches_the_peer(void)
{
    s2svpn_connection_info info = {.size = sizeof(info)};
    struct scene s;

    open_scene(&s, true);
    CU_ASSERT_FATAL(wait_for(&s, &s.office.ups, 2));
    CU_ASSERT_FATAL(wait_for(&s, &s.cloud.ups, 2));
    s2svpn_context_stop(s.office.ctx, s2svpn_host_now() + UINT64_C(5000000000), s2svpn_host_now());
    CU_ASSERT(wait_for(&s, &s.office.stopped, 1));
    s2svpn_connection_get_info(s.cloud.conn, &info);
    CU_ASSERT_EQUAL(info.up, 0);
    close_scene(&s);
}

const CU_TestInfo s2_test_scene[] = {
    {"traffic crosses in trains", traffic_crosses_in_trains},
    {"traffic crosses without offloads", traffic_crosses_without_offloads},
    {"a goodbye reaches the peer", a_goodbye_reaches_the_peer},
    CU_TEST_INFO_NULL,
};
