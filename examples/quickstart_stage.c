/* SPDX-License-Identifier: Apache-2.0 */
/* Sets the stage: the cloud's objects, the document that describes the connection, the
 * device that starts from it; and keeps what the two contexts tell. */
#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "quickstart.h"

#define FIRST_IKE_PORT 10500
#define NATT_ABOVE_IKE 4000
#define PORT_STEP 1000
#define PORT_TRIES 12

static const char *const gateway_addresses[] = {"127.0.0.1", "127.0.0.2"};
static const char *const device_addresses[] = {"127.0.0.7"};

static s2svpn_address address(const char *text)
{
    s2svpn_address a = {0};

    (void)!s2svpn_address_read(text, &a);
    return a;
}

static s2svpn_prefix prefix(const char *text)
{
    s2svpn_prefix p = {0};

    (void)!s2svpn_prefix_read(text, &p);
    return p;
}

static bool failed(const s2svpn_error *why)
{
    fprintf(stderr, "quickstart: %s%s%s\n", why->field, why->field[0] ? ": " : "", why->message);
    return false;
}

static bool good(const struct side *side, s2svpn_status rc)
{
    return rc == S2SVPN_OK || failed(s2svpn_context_error(side->ctx));
}

s2svpn_tunnel_info stage_tunnel(const struct side *side, size_t index)
{
    s2svpn_tunnel_info info = {.size = sizeof(info)};

    s2svpn_tunnel_get_info(s2svpn_connection_tunnel(side->conn, index), &info);
    return info;
}

bool stage_propagated(const struct quickstart *q, s2svpn_route *out)
{
    s2svpn_route route[8];
    size_t n = s2svpn_route_table_list(q->table, route, 8);

    for (size_t i = 0; i < n && i < 8; i++) {
        if (route[i].origin == S2SVPN_ORIGIN_PROPAGATED &&
            memcmp(&route[i].prefix, &q->gateway.learned, sizeof(s2svpn_prefix)) == 0) {
            *out = route[i];
            return true;
        }
    }
    return false;
}

/* ---- what a context tells */

static void on_tunnel(struct side *side, const s2svpn_event *e)
{
    struct quickstart *q = side->scene;
    const s2svpn_tunnel_info info = stage_tunnel(side, e->tunnel);

    if (e->up) {
        side->was[e->tunnel] = info;
        show(q, side->name, "tunnel %u is up: its BGP session is established", e->tunnel + 1);
    } else if (side->was[e->tunnel].up) {
        side->was[e->tunnel].up = false;
        show(q, side->name, "tunnel %u is down: %s", e->tunnel + 1, info.reason);
    }
}

static void on_route(struct side *side, const s2svpn_event *e)
{
    const struct quickstart *q = side->scene;
    char text[S2SVPN_PREFIX_TEXT];

    if (memcmp(&e->prefix, &side->learned, sizeof(e->prefix)) != 0)
        return;
    s2svpn_prefix_print(&e->prefix, text);
    if (e->up && q->cut && side->route_tunnel == q->cut_tunnel && e->tunnel != q->cut_tunnel)
        side->moved_ns = s2svpn_host_now();
    side->has_route = e->up;
    if (e->up)
        side->route_tunnel = e->tunnel;
    if (e->up)
        show(side->scene, side->name, "BGP says: %s is reached by tunnel %u", text, e->tunnel + 1);
    else
        show(side->scene, side->name, "%s has no path", text);
}

static void on_event(void *user, s2svpn_context *ctx, const s2svpn_event *e)
{
    struct side *side = user;
    struct quickstart *q = side->scene;

    (void)ctx;
    if (e->kind == S2SVPN_EVENT_TUNNEL && e->connection && e->tunnel < 2)
        on_tunnel(side, e);
    else if (e->kind == S2SVPN_EVENT_ROUTE)
        on_route(side, e);
    else if (e->kind == S2SVPN_EVENT_CHILD && e->up && side == &q->device)
        show(q, side->name, "tunnel %u: IKEv2 is done, ESP passes", e->tunnel + 1);
}

/* ---- contexts */

static bool open_host(struct quickstart *q, struct side *side, const char *const *addresses,
                      size_t n, s2svpn_error *why)
{
    s2svpn_host_options options = S2SVPN_HOST_OPTIONS_INIT;
    s2svpn_host_address a[2] = {0};

    for (size_t i = 0; i < n; i++) {
        a[i].address = address(addresses[i]);
        a[i].ike_port = q->ike_port;
        a[i].natt_port = q->natt_port;
    }
    options.address = a;
    options.address_count = n;
    return s2svpn_host_new(q->base, &options, &side->host, why) == S2SVPN_OK;
}

/* The same pair of ports at all three addresses, unprivileged: the first that is free. */
static bool open_hosts(struct quickstart *q)
{
    s2svpn_error why = {0};

    for (unsigned i = 0; i < PORT_TRIES; i++) {
        q->ike_port = (uint16_t)(FIRST_IKE_PORT + i * PORT_STEP);
        q->natt_port = (uint16_t)(q->ike_port + NATT_ABOVE_IKE);
        if (open_host(q, &q->gateway, gateway_addresses, 2, &why) &&
            open_host(q, &q->device, device_addresses, 1, &why))
            return true;
        s2svpn_host_free(q->gateway.host);
        q->gateway.host = NULL;
    }
    return failed(&why);
}

static bool open_context(struct quickstart *q, struct side *side, enum s2svpn_context_role role)
{
    s2svpn_options options = S2SVPN_OPTIONS_INIT;
    s2svpn_error why = {0};

    options.role = role;
    options.peer_ike_port = q->ike_port;
    options.peer_natt_port = q->natt_port;
    if (q->keylog_path && role == S2SVPN_ROLE_DEVICE) { /* both ends have the same keys */
        options.keylog = tap_on_keylog;
        options.keylog_user = q;
    }
    s2svpn_host_prepare(side->host, &options);
    if (s2svpn_context_new(&options, &side->ctx, &why) != S2SVPN_OK)
        return failed(&why);
    s2svpn_host_attach(side->host, side->ctx);
    return good(side, s2svpn_context_subscribe(side->ctx, S2SVPN_EVENT_ALL, on_event, side, NULL));
}

/* ---- the cloud */

static bool make_vpc(struct quickstart *q)
{
    struct side *side = &q->gateway;
    s2svpn_vpc_spec vpc = S2SVPN_VPC_INIT;
    s2svpn_subnet_spec subnet = S2SVPN_SUBNET_INIT;
    s2svpn_port_spec port = S2SVPN_PORT_INIT;

    vpc.cidr = prefix("10.0.0.0/16");
    subnet.cidr = prefix("10.0.1.0/24");
    port.address = address("10.0.1.10");
    if (!good(side, s2svpn_vpc_new(side->ctx, &vpc, &q->vpc)) ||
        !good(side, s2svpn_subnet_new(q->vpc, &subnet, &port.subnet)))
        return false;

    const bool ok = good(side, s2svpn_port_new(side->ctx, &port, &side->port));
    s2svpn_subnet_release(port.subnet);
    if (ok)
        side->port_number = s2svpn_port_number(side->port);
    return ok;
}

static bool make_connection(struct quickstart *q)
{
    struct side *side = &q->gateway;
    s2svpn_virtual_gateway_spec vgw_spec = S2SVPN_VIRTUAL_GATEWAY_INIT;   /* AS 64512 */
    s2svpn_customer_gateway_spec cgw_spec = S2SVPN_CUSTOMER_GATEWAY_INIT; /* AS 65000 */
    s2svpn_connection_spec spec = S2SVPN_CONNECTION_INIT;                 /* AWS's defaults */
    s2svpn_virtual_gateway *vgw = NULL;
    s2svpn_customer_gateway *cgw = NULL;
    bool ok;

    for (size_t i = 0; i < 2 && q->gcm; i++)
        spec.tunnel[i].phase1_encryption = spec.tunnel[i].phase2_encryption =
            i ? S2SVPN_AES256_GCM_16 : S2SVPN_AES128_GCM_16;
    cgw_spec.address = device_addresses[0];
    q->table = s2svpn_vpc_main_route_table(q->vpc);
    ok = good(side, s2svpn_virtual_gateway_new(side->ctx, &vgw_spec, &vgw)) &&
         good(side, s2svpn_virtual_gateway_attach(vgw, q->vpc)) &&
         good(side, s2svpn_route_table_enable_propagation(q->table, vgw)) &&
         good(side, s2svpn_customer_gateway_new(side->ctx, &cgw_spec, &cgw)) &&
         good(side, s2svpn_connection_new(vgw, cgw, &spec, &side->conn));
    s2svpn_virtual_gateway_release(vgw);
    s2svpn_customer_gateway_release(cgw);
    return ok;
}

/* ---- the device: all that it is told is the document and a pair of ports */

static bool make_lan(struct quickstart *q)
{
    struct side *side = &q->device;
    s2svpn_port_spec port = S2SVPN_PORT_INIT;
    const s2svpn_prefix lan = prefix("192.168.0.0/16");

    port.prefix = &lan; /* BGP advertises it */
    port.prefix_count = 1;
    if (!good(side, s2svpn_port_new(side->ctx, &port, &side->port)))
        return false;
    side->port_number = s2svpn_port_number(side->port);
    return true;
}

static bool open_device(struct quickstart *q, const char *xml, size_t len)
{
    struct side *side = &q->device;
    s2svpn_device_options options = S2SVPN_DEVICE_OPTIONS_INIT;
    s2svpn_device_config *config;
    s2svpn_error why = {0};
    bool ok;

    if (s2svpn_config_read(xml, len, &config, &why) != S2SVPN_OK)
        return failed(&why);
    options.peer_ike_port = q->ike_port;
    options.peer_natt_port = q->natt_port;
    ok = good(side, s2svpn_device_open(side->ctx, config, &options, &side->conn));
    s2svpn_config_free(config);
    return ok;
}

static bool make_device(struct quickstart *q)
{
    s2svpn_text xml = {0};
    bool ok;

    if (s2svpn_connection_device_config(q->gateway.conn, &xml) != S2SVPN_OK)
        return failed(s2svpn_context_error(q->gateway.ctx));
    show(q, "gateway", "writes the customerGatewayConfiguration document: %zu bytes of XML",
         xml.len);
    ok = make_lan(q) && open_device(q, xml.data, xml.len);
    s2svpn_text_free(&xml);
    if (ok)
        show(q, "device", "starts from it, told nothing else but the ports %u and %u", q->ike_port,
             q->natt_port);
    return ok;
}

/* ---- all of it */

bool stage_open(struct quickstart *q)
{
    s2svpn_connection_info info = {.size = sizeof(info)};

    q->gateway.scene = q->device.scene = q;
    q->gateway.name = "gateway";
    q->device.name = "device";
    q->gateway.learned = prefix("192.168.0.0/16");
    q->device.learned = prefix("10.0.0.0/16");
    q->base = event_base_new();
    if (q->base == NULL) {
        fprintf(stderr, "quickstart: no event loop\n");
        return false;
    }
    if (!open_hosts(q))
        return false;
    s2svpn_host_on_inside(q->gateway.host, ping_at_instance, &q->gateway);
    s2svpn_host_on_inside(q->device.host, ping_at_office, &q->device);
    if (q->pcap) /* one side's sockets see all there is */
        s2svpn_host_on_wire(q->device.host, tap_on_wire, q);
    if (!open_context(q, &q->gateway, S2SVPN_ROLE_GATEWAY) || !make_vpc(q) || !make_connection(q))
        return false;
    s2svpn_connection_get_info(q->gateway.conn, &info);
    show(q, "gateway", "has made a VPC with an instance, and %s", info.id.text);
    return open_context(q, &q->device, S2SVPN_ROLE_DEVICE) && make_device(q);
}

bool stage_start(struct quickstart *q)
{
    return good(&q->device, s2svpn_connection_start(q->device.conn));
}

static void close_side(struct side *side)
{
    s2svpn_connection_release(side->conn);
    s2svpn_port_release(side->port);
    if (side->host)
        s2svpn_host_attach(side->host, NULL);
    s2svpn_context_free(side->ctx);
    s2svpn_host_free(side->host);
}

void stage_close(struct quickstart *q)
{
    s2svpn_route_table_release(q->table);
    s2svpn_vpc_release(q->vpc);
    close_side(&q->device);
    close_side(&q->gateway);
    if (q->base)
        event_base_free(q->base);
}
