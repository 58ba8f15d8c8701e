/* SPDX-License-Identifier: Apache-2.0 */
/* Sets the scene with many sites: contexts, objects, hosts. */
#include "hub.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define PORT_PREFIXES 64
#define PING_ID 100 /* and the gateway's number */

static s2svpn_address ipv4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return (s2svpn_address){.family = S2SVPN_FAMILY_IPV4, .bytes = {a, b, c, d}};
}

static s2svpn_prefix network(const struct hub_site *s, size_t k)
{
    return (s2svpn_prefix){.address = ipv4(20, (uint8_t)s->number, (uint8_t)k, 0), .length = 24};
}

static s2svpn_prefix vpc_block(void)
{
    return (s2svpn_prefix){.address = ipv4(10, 0, 0, 0), .length = 16};
}

static uint32_t host(const struct hub_site *s, size_t k)
{
    return packet_address(20, (uint8_t)s->number, (uint8_t)k, 10);
}

static const uint32_t instance = 10u << 24 | 1u << 8 | 10;

/* ---- hosts */

static void inject(s2svpn_sim_node *node, s2svpn_port_id port, const struct echo *e)
{
    uint8_t data[256];
    s2svpn_packet p = {.data = data};

    p.len = (uint32_t)packet_echo(data, e->type, e->from, e->to, e->id, e->seq, 56);
    (void)!s2svpn_sim_inject(node, port, &p, 1);
}

/* A packet at a host of this gateway's: answers, counts. */
static void take(struct hub *h, size_t gateway, s2svpn_sim_node *node, s2svpn_port_id port,
                 const s2svpn_packet *p, unsigned *answered)
{
    struct echo e;
    uint16_t about;

    if (packet_is_icmp_error(p->data, p->len)) {
        h->leaks += packet_error_about(p->data, p->len, &about) && about != PING_ID + gateway;
        return;
    }
    if (!packet_read_echo(p->data, p->len, &e)) {
        h->mistaken++;
        return;
    }
    h->leaks += e.id != PING_ID + gateway;
    if (e.type == ECHO_REQUEST)
        inject(node, port,
               &(struct echo){
                   .type = ECHO_REPLY, .from = e.to, .to = e.from, .id = e.id, .seq = e.seq});
    else
        ++*answered;
}

static void on_site_inside(void *user, s2svpn_sim_node *node, s2svpn_port_id port,
                           const s2svpn_packet *p, size_t n, uint64_t now_ns)
{
    struct hub_site *s = user;

    (void)now_ns;
    for (size_t i = 0; i < n; i++)
        take(s->hub, s->gateway, node, port, &p[i], &s->answered);
}

static void on_cloud_inside(void *user, s2svpn_sim_node *node, s2svpn_port_id port,
                            const s2svpn_packet *p, size_t n, uint64_t now_ns)
{
    struct hub *h = user;

    (void)now_ns;
    for (size_t g = 0; g < h->plan.gateways; g++) {
        if (h->gateway[g].instance == NULL || s2svpn_port_number(h->gateway[g].instance) != port)
            continue;
        for (size_t i = 0; i < n; i++)
            take(h, g, node, port, &p[i], &h->gateway[g].answered);
    }
}

void hub_echo(struct hub *h, size_t gateway, const struct hub_site *from, uint32_t source,
              uint32_t to, uint16_t seq)
{
    const struct hub_gateway *g = &h->gateway[gateway];

    inject(from ? from->node : h->node, from ? from->first_port : s2svpn_port_number(g->instance),
           &(struct echo){.type = ECHO_REQUEST,
                          .from = source,
                          .to = to,
                          .id = (uint16_t)(PING_ID + gateway),
                          .seq = seq});
}

void hub_ping(struct hub_site *from, const struct hub_site *to, size_t network)
{
    inject(from->node, from->first_port,
           &(struct echo){.type = ECHO_REQUEST,
                          .from = host(from, 0),
                          .to = to ? host(to, network) : instance,
                          .id = (uint16_t)(PING_ID + from->gateway),
                          .seq = (uint16_t)from->asked++});
}

void hub_ping_from_instance(struct hub *h, size_t gateway, const struct hub_site *to,
                            size_t network)
{
    inject(h->node, s2svpn_port_number(h->gateway[gateway].instance),
           &(struct echo){.type = ECHO_REQUEST,
                          .from = instance,
                          .to = host(to, network),
                          .id = (uint16_t)(PING_ID + gateway),
                          .seq = (uint16_t)h->gateway[gateway].asked++});
}

void hub_count_anew(struct hub *h)
{
    for (size_t i = 0; i < h->sites; i++)
        h->site[i].asked = h->site[i].answered = 0;
    for (size_t g = 0; g < h->plan.gateways; g++)
        h->gateway[g].asked = h->gateway[g].answered = 0;
}

/* ---- contexts */

static size_t fill_locals(s2svpn_endpoint *local, const s2svpn_address *a, size_t n)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++) {
        local[count++] = (s2svpn_endpoint){.address = a[i], .port = 500, .role = S2SVPN_ROLE_IKE};
        local[count++] = (s2svpn_endpoint){.address = a[i], .port = 4500, .role = S2SVPN_ROLE_NATT};
        local[count++] = (s2svpn_endpoint){.address = a[i], .role = S2SVPN_ROLE_RAW};
    }
    return count;
}

static void on_log(void *user, s2svpn_log_level level, const char *line)
{
    scene_say("%s log %d: %s", (const char *)user, (int)level, line);
}

static void on_cloud_key(void *user, enum s2svpn_keylog_kind kind, const char *line)
{
    if (kind == S2SVPN_KEYLOG_ESP)
        watch_key(user, false, line);
}

static void on_site_key(void *user, enum s2svpn_keylog_kind kind, const char *line)
{
    if (kind == S2SVPN_KEYLOG_ESP)
        watch_key(user, true, line);
}

static void on_wire(void *user, const s2svpn_datagram *d, bool lost, uint64_t now_ns)
{
    (void)now_ns;
    if (!lost)
        watch_wire(user, d);
}

static bool open_context(s2svpn_sim_node *node, s2svpn_options *o, s2svpn_context **ctx,
                         const char *name, struct watch *watch)
{
    s2svpn_error why = {0};

    if (watch) {
        o->keylog = o->role == S2SVPN_ROLE_GATEWAY ? on_cloud_key : on_site_key;
        o->keylog_user = watch;
    }

    if (scene_is_verbose()) {
        o->log = on_log;
        o->log_user = (void *)(uintptr_t)name;
        o->log_level = S2SVPN_LOG_DEBUG;
    }
    s2svpn_sim_prepare(node, o);
    return CHECK(s2svpn_context_new(o, ctx, &why) == S2SVPN_OK) &&
           CHECK(s2svpn_sim_attach(node, *ctx, o) == S2SVPN_OK);
}

static bool open_cloud(struct hub *h)
{
    const s2svpn_address a[] = {ipv4(198, 51, 100, 1), ipv4(198, 51, 100, 2)};

    if (!CHECK(s2svpn_sim_node_new(h->sim, "gateway", &h->node) == S2SVPN_OK))
        return false;
    s2svpn_sim_on_inside(h->node, on_cloud_inside, h);
    h->options = (s2svpn_options)S2SVPN_OPTIONS_INIT;
    h->options.role = S2SVPN_ROLE_GATEWAY;
    h->options.local = h->local;
    h->options.local_count = fill_locals(h->local, a, 2);
    return open_context(h->node, &h->options, &h->ctx, "gateway", h->plan.watch);
}

static bool make_gateway(struct hub *h, size_t g)
{
    struct hub_gateway *to = &h->gateway[g];
    s2svpn_virtual_gateway_spec vgw = S2SVPN_VIRTUAL_GATEWAY_INIT;
    s2svpn_vpc_spec vpc = S2SVPN_VPC_INIT;
    s2svpn_subnet_spec subnet = S2SVPN_SUBNET_INIT;
    s2svpn_port_spec port = S2SVPN_PORT_INIT;

    vgw.amazon_asn = 64512 + (uint32_t)g;
    if (!CHECK(s2svpn_virtual_gateway_new(h->ctx, &vgw, &to->vgw) == S2SVPN_OK))
        return false;
    if (h->plan.no_vpc)
        return true;
    vpc.cidr = vpc_block();
    if (!CHECK(s2svpn_vpc_new(h->ctx, &vpc, &to->vpc) == S2SVPN_OK))
        return false;
    subnet.cidr = (s2svpn_prefix){.address = ipv4(10, 0, 1, 0), .length = 24};
    if (!CHECK(s2svpn_subnet_new(to->vpc, &subnet, &to->subnet) == S2SVPN_OK))
        return false;
    port.subnet = to->subnet;
    port.address = ipv4(10, 0, 1, 10);
    to->table = s2svpn_vpc_main_route_table(to->vpc);
    return CHECK(s2svpn_port_new(h->ctx, &port, &to->instance) == S2SVPN_OK) &&
           CHECK(s2svpn_virtual_gateway_attach(to->vgw, to->vpc) == S2SVPN_OK) &&
           CHECK(s2svpn_route_table_enable_propagation(to->table, to->vgw) == S2SVPN_OK);
}

static uint32_t asn_of(const struct hub *h, size_t number)
{
    return number < 4 && h->plan.asn[number] ? h->plan.asn[number] : 65000 + (uint32_t)number;
}

static bool make_customer_gateway(struct hub *h, struct hub_site *s)
{
    s2svpn_customer_gateway_spec cgw = S2SVPN_CUSTOMER_GATEWAY_INIT;
    char address[S2SVPN_ADDRESS_TEXT];

    s2svpn_address_print(&s->outside, address);
    cgw.address = address;
    cgw.bgp_asn = asn_of(h, s->number);
    return CHECK(s2svpn_customer_gateway_new(h->ctx, &cgw, &s->cgw) == S2SVPN_OK);
}

static bool make_connection(struct hub *h, struct hub_site *s)
{
    s2svpn_connection_spec spec = S2SVPN_CONNECTION_INIT;
    const s2svpn_prefix first = network(s, 0);

    spec.static_routes_only = s->is_static;
    for (size_t i = 0; i < 2; i++) {
        spec.tunnel[i].outside_address = ipv4(198, 51, 100, (uint8_t)(1 + i));
        spec.tunnel[i].pre_shared_key = SCENE_PSK;
    }
    return CHECK(s2svpn_connection_new(h->gateway[s->gateway].vgw, s->cgw, &spec, &s->cloud) ==
                 S2SVPN_OK) &&
           (!s->is_static ||
            CHECK(s2svpn_connection_add_static_route(s->cloud, &first) == S2SVPN_OK));
}

static bool open_device(struct hub_site *s)
{
    const s2svpn_prefix vpc = vpc_block();
    s2svpn_device_config *read = NULL;
    s2svpn_text xml = {0};
    s2svpn_error why = {0};
    s2svpn_status rc = s2svpn_connection_device_config(s->cloud, &xml);

    if (rc == S2SVPN_OK)
        rc = s2svpn_config_read(xml.data, xml.len, &read, &why);
    s2svpn_text_free(&xml);
    if (rc == S2SVPN_OK)
        rc = s2svpn_device_open(s->ctx, read, NULL, &s->site);
    s2svpn_config_free(read);
    if (rc == S2SVPN_OK && s->is_static)
        rc = s2svpn_connection_add_static_route(s->site, &vpc);
    return CHECK(rc == S2SVPN_OK);
}

bool hub_connect(struct hub *h, struct hub_site *s)
{
    return make_connection(h, s) && open_device(s) &&
           CHECK(s2svpn_connection_start(s->site) == S2SVPN_OK);
}

void hub_disconnect(struct hub_site *s)
{
    CHECK(s2svpn_connection_delete(s->cloud) == S2SVPN_OK);
    CHECK(s2svpn_connection_delete(s->site) == S2SVPN_OK);
    s2svpn_connection_release(s->cloud);
    s2svpn_connection_release(s->site);
    s->cloud = s->site = NULL;
}

void hub_set_extra(struct hub *h, size_t site, bool there)
{
    struct hub_site *s = &h->site[site];
    size_t k = 1;

    for (size_t i = 0; i < HUB_EXTRA_PORTS; i++) {
        s2svpn_prefix prefix[PORT_PREFIXES];
        s2svpn_port_spec spec = S2SVPN_PORT_INIT;

        spec.prefix = prefix;
        if (i == 0 && s->number < h->plan.defaults)
            prefix[spec.prefix_count++] = (s2svpn_prefix){.address = ipv4(0, 0, 0, 0)};
        while (k < h->plan.networks && spec.prefix_count < PORT_PREFIXES)
            prefix[spec.prefix_count++] = network(s, k++);
        if (!there && s->extra[i]) {
            CHECK(s2svpn_port_delete(s->extra[i]) == S2SVPN_OK);
            s2svpn_port_release(s->extra[i]);
            s->extra[i] = NULL;
        } else if (there && s->extra[i] == NULL && spec.prefix_count > 0) {
            CHECK(s2svpn_port_new(s->ctx, &spec, &s->extra[i]) == S2SVPN_OK);
        }
    }
}

bool hub_has_extra(const struct hub_site *s)
{
    return s->extra[0] != NULL;
}

static bool make_site(struct hub *h, size_t gateway, size_t number)
{
    struct hub_site *s = &h->site[h->sites];
    s2svpn_port_spec port = S2SVPN_PORT_INIT;
    s2svpn_prefix first;

    s->hub = h;
    s->gateway = gateway;
    s->number = number;
    s->is_static = number + h->plan.statics >= h->plan.sites;
    s->outside = ipv4(203, 0, 113, (uint8_t)(1 + h->sites));
    snprintf(s->name, sizeof(s->name), "site %zu.%zu", gateway, number);
    first = network(s, 0);
    if (!CHECK(s2svpn_sim_node_new(h->sim, s->name, &s->node) == S2SVPN_OK))
        return false;
    h->sites++;
    s2svpn_sim_on_inside(s->node, on_site_inside, s);
    s->options = (s2svpn_options)S2SVPN_OPTIONS_INIT;
    s->options.role = S2SVPN_ROLE_DEVICE;
    s->options.local = s->local;
    s->options.local_count = fill_locals(s->local, &s->outside, 1);
    if (!open_context(s->node, &s->options, &s->ctx, s->name, h->plan.watch) ||
        !make_customer_gateway(h, s))
        return false;
    port.address = ipv4(20, (uint8_t)number, 0, 1);
    port.prefix = &first;
    port.prefix_count = 1;
    if (!CHECK(s2svpn_port_new(s->ctx, &port, &s->port) == S2SVPN_OK))
        return false;
    s->first_port = s2svpn_port_number(s->port);
    hub_set_extra(h, h->sites - 1, true);
    return hub_connect(h, s);
}

bool hub_open(struct hub *h, const struct hub_plan *plan)
{
    memset(h, 0, sizeof(*h));
    h->plan = *plan;
    if (!CHECK(s2svpn_sim_new(plan->seed, &h->sim) == S2SVPN_OK))
        return false;
    if (plan->watch)
        s2svpn_sim_on_wire(h->sim, on_wire, plan->watch);
    if (!CHECK(s2svpn_sim_set_link(h->sim, NULL, NULL, &plan->link) == S2SVPN_OK) || !open_cloud(h))
        return false;
    for (size_t g = 0; g < plan->gateways; g++) {
        if (!make_gateway(h, g))
            return false;
        for (size_t i = 0; i < plan->sites; i++) {
            if (!make_site(h, g, i))
                return false;
        }
    }
    return true;
}

static void close_site(struct hub_site *s)
{
    s2svpn_connection_release(s->cloud);
    s2svpn_customer_gateway_release(s->cgw);
    s2svpn_connection_release(s->site);
    s2svpn_port_release(s->port);
    for (size_t i = 0; i < HUB_EXTRA_PORTS; i++)
        s2svpn_port_release(s->extra[i]);
    if (s->ctx) {
        s2svpn_sim_detach(s->node);
        s2svpn_context_free(s->ctx);
    }
}

void hub_close(struct hub *h)
{
    if (h->sim == NULL)
        return;
    for (size_t i = 0; i < h->sites; i++)
        close_site(&h->site[i]);
    for (size_t g = 0; g < h->plan.gateways; g++) {
        struct hub_gateway *of = &h->gateway[g];

        s2svpn_virtual_gateway_release(of->vgw);
        s2svpn_route_table_release(of->table);
        s2svpn_port_release(of->instance);
        s2svpn_subnet_release(of->subnet);
        s2svpn_vpc_release(of->vpc);
    }
    if (h->ctx) {
        s2svpn_sim_detach(h->node);
        s2svpn_context_free(h->ctx);
    }
    s2svpn_sim_free(h->sim);
    h->sim = NULL;
}

/* ---- time and state */

void hub_run(struct hub *h, uint64_t ns)
{
    s2svpn_sim_run(h->sim, s2svpn_sim_now(h->sim) + ns);
}

bool hub_wait(struct hub *h, bool (*done)(void *hub), uint64_t ns)
{
    const uint64_t until_ns = s2svpn_sim_now(h->sim) + ns;

    while (!done(h) && s2svpn_sim_now(h->sim) < until_ns)
        hub_run(h, 100 * MILLISECOND);
    return done(h);
}

s2svpn_tunnel_info hub_tunnel(const s2svpn_connection *conn, size_t index)
{
    s2svpn_tunnel_info info = {.size = sizeof(info)};

    s2svpn_tunnel_get_info(s2svpn_connection_tunnel(conn, index), &info);
    return info;
}

bool hub_is_up(void *hub)
{
    const struct hub *h = hub;

    for (size_t i = 0; i < h->sites; i++) {
        for (size_t k = 0; k < 2; k++) {
            if (!hub_tunnel(h->site[i].cloud, k).up || !hub_tunnel(h->site[i].site, k).up)
                return false;
        }
    }
    return true;
}

bool hub_wait_up(struct hub *h, uint64_t ns)
{
    const bool up = CHECK(hub_wait(h, hub_is_up, ns));

    if (!up)
        hub_describe(h);
    return up;
}

void hub_cut(struct hub *h, size_t site, size_t tunnel, bool down)
{
    const s2svpn_address gateway = ipv4(198, 51, 100, (uint8_t)(1 + tunnel));
    s2svpn_sim_link link = h->plan.link;

    link.down = down;
    CHECK(s2svpn_sim_set_link(h->sim, &gateway, &h->site[site].outside, &link) == S2SVPN_OK);
    CHECK(s2svpn_sim_set_link(h->sim, &h->site[site].outside, &gateway, &link) == S2SVPN_OK);
}

uint64_t hub_drops(const struct hub *h, enum s2svpn_drop reason)
{
    uint64_t n = s2svpn_context_drops(h->ctx, reason);

    for (size_t i = 0; i < h->sites; i++)
        n += s2svpn_context_drops(h->site[i].ctx, reason);
    return n;
}

void hub_describe(struct hub *h)
{
    scene_say("at %.3f s", (double)s2svpn_sim_now(h->sim) / 1e9);
    for (size_t i = 0; i < h->sites; i++) {
        const struct hub_site *s = &h->site[i];

        for (size_t k = 0; k < 2; k++) {
            const s2svpn_tunnel_info a = hub_tunnel(s->cloud, k), b = hub_tunnel(s->site, k);

            scene_say("%s tunnel %zu: cloud %s, %u routes in, %s; device %s, %u routes in, %s",
                      s->name, k, a.up ? "up" : "down", a.accepted_routes, a.reason,
                      b.up ? "up" : "down", b.accepted_routes, b.reason);
        }
        scene_say("%s: %u of %u pings answered", s->name, s->answered, s->asked);
    }
    for (int i = 1; i < S2SVPN_DROP_COUNT; i++) {
        const uint64_t n = hub_drops(h, (enum s2svpn_drop)i);

        if (n > 0)
            scene_say("dropped %" PRIu64 ": %s", n, s2svpn_drop_text((enum s2svpn_drop)i));
    }
}
