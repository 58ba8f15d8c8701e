/* SPDX-License-Identifier: Apache-2.0 */
/* Sets the scene: two contexts on a simulated network, their objects, their hosts. */
#include "scene.h"

#include "watch.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static s2svpn_address ipv4(uint8_t a, uint8_t b, uint8_t c, uint8_t d)
{
    return (s2svpn_address){.family = S2SVPN_FAMILY_IPV4, .bytes = {a, b, c, d}};
}

static s2svpn_prefix prefix(uint8_t a, uint8_t b, uint8_t c, uint8_t d, uint8_t length)
{
    return (s2svpn_prefix){.address = ipv4(a, b, c, d), .length = length};
}

s2svpn_address scene_gateway_address(size_t tunnel)
{
    return ipv4(198, 51, 100, (uint8_t)(1 + tunnel));
}

s2svpn_address scene_device_address(void)
{
    return ipv4(203, 0, 113, 7);
}

static s2svpn_address ipv6(const char *text)
{
    s2svpn_address a = {0};

    (void)!CHECK(s2svpn_address_read(text, &a));
    return a;
}

static s2svpn_prefix ipv6_prefix(const char *text)
{
    s2svpn_prefix p = {.length = 0};

    (void)!CHECK(s2svpn_prefix_read(text, &p));
    return p;
}

static s2svpn_address gateway_outside(const struct scene *s, size_t tunnel)
{
    if (s->plan.outside_ipv6)
        return ipv6(tunnel ? "2001:db8:51::2" : "2001:db8:51::1");
    return scene_gateway_address(tunnel);
}

static s2svpn_address device_outside(const struct scene *s)
{
    return s->plan.outside_ipv6 ? ipv6("2001:db8:7::7") : scene_device_address();
}

s2svpn_address scene_device_own(struct scene *s)
{
    return s->plan.nat ? ipv4(192, 0, 2, 7) : device_outside(s);
}

/* ---- what a side tells */

static void on_event(void *user, s2svpn_context *ctx, const s2svpn_event *e)
{
    struct scene_side *side = user;

    (void)ctx;
    side->gap = side->gap || (side->sequence != 0 && e->sequence != side->sequence + 1);
    side->sequence = e->sequence;
    side->tunnel_ups += e->kind == S2SVPN_EVENT_TUNNEL && e->up;
    side->tunnel_downs += e->kind == S2SVPN_EVENT_TUNNEL && !e->up;
    side->bgp_ups += e->kind == S2SVPN_EVENT_BGP && e->up;
    side->notes += e->kind == S2SVPN_EVENT_NOTE;
    side->stopped += e->kind == S2SVPN_EVENT_STOPPED;
    if (e->kind == S2SVPN_EVENT_NOTE && e->reason && strcmp(e->reason, "ikev1") == 0)
        side->scene->spoke_ikev1 = true;
    if (e->kind == S2SVPN_EVENT_NOTE)
        snprintf(side->last_note, sizeof(side->last_note), "%s", e->text);
    if (scene_is_verbose())
        scene_say("%12.6f %s event %u tunnel %d up %d (%s): %s", (double)e->now_ns / 1e9,
                  side->name, (unsigned)e->kind, (int)e->tunnel, e->up, e->reason ? e->reason : "",
                  e->text ? e->text : "");
}

static void on_log(void *user, s2svpn_log_level level, const char *line)
{
    struct scene_side *side = user;

    side->log_lines += level <= S2SVPN_LOG_INFO;
    if (!scene_is_verbose())
        return;
    scene_say("%12.6f %s log %d: %s", (double)s2svpn_sim_now(side->scene->sim) / 1e9, side->name,
              (int)level, line);
}

static void on_wire(void *user, const s2svpn_datagram *d, bool lost, uint64_t now_ns)
{
    struct scene *s = user;
    char from[S2SVPN_ENDPOINT_TEXT], to[S2SVPN_ENDPOINT_TEXT];

    if (s->plan.watch)
        watch_wire(s->plan.watch, d);
    if (!scene_is_verbose())
        return;
    const uint8_t *p = d->data;
    scene_say("%12.6f wire %s > %s %u, %02x%02x%02x%02x%s", (double)now_ns / 1e9,
              s2svpn_endpoint_print(&d->local, from), s2svpn_endpoint_print(&d->remote, to), d->len,
              d->len < 4 ? 0 : p[0], d->len < 4 ? 0 : p[1], d->len < 4 ? 0 : p[2],
              d->len < 4 ? 0 : p[3], lost ? " lost" : "");
}

static void on_key(void *user, enum s2svpn_keylog_kind kind, const char *line)
{
    struct scene_side *side = user;

    if (kind == S2SVPN_KEYLOG_ESP)
        watch_key(side->scene->plan.watch, side == &side->scene->device, line);
}

/* ---- hosts */

static void answer(struct scene_side *side, const struct echo *e)
{
    uint8_t reply[2048];
    s2svpn_packet p = {.data = reply};

    p.len = (uint32_t)packet_echo(reply, ECHO_REPLY, e->to, e->from, e->id, e->seq, e->payload_len);
    (void)!s2svpn_sim_inject(side->node, side->port, &p, 1);
}

static void take_answer(struct scene_side *side, const struct echo *e)
{
    uint8_t *seen = &side->seen[e->seq / 8];
    const uint8_t bit = (uint8_t)(1 << e->seq % 8);

    if (*seen & bit) /* ESP lets no packet through twice */
        side->wrong++;
    else
        side->answered += e->seq >= side->first;
    *seen |= bit;
    side->last_answer_ns = s2svpn_sim_now(side->scene->sim);
}

static void on_inside(void *user, s2svpn_sim_node *node, s2svpn_port_id port,
                      const s2svpn_packet *p, size_t n, uint64_t now_ns)
{
    struct scene_side *side = user;

    (void)node;
    (void)now_ns;
    if (port != side->port)
        side->wrong++;
    if (side->taker && side->taker(side, p, n))
        return;
    for (size_t i = 0; i < n; i++) {
        struct echo e;

        if (packet_is_icmp_error(p[i].data, p[i].len)) {
            side->errors++;
        } else if (!packet_read_echo(p[i].data, p[i].len, &e) || e.to != side->address) {
            side->wrong++;
            if (scene_is_verbose())
                scene_say("%s: a packet of %u bytes that is no echo", side->name, p[i].len);
        } else if (e.type == ECHO_REQUEST) {
            answer(side, &e);
        } else {
            take_answer(side, &e);
        }
    }
}

void scene_ping(struct scene_side *from, size_t payload_len)
{
    struct scene *s = from->scene;
    const struct scene_side *to = from == &s->gateway ? &s->device : &s->gateway;
    uint8_t data[2048];
    s2svpn_packet p = {.data = data};

    p.len = (uint32_t)packet_echo(data, ECHO_REQUEST, from->address, to->address, 7,
                                  (uint16_t)from->asked++, payload_len);
    (void)!s2svpn_sim_inject(from->node, from->port, &p, 1);
}

static void ping_both(void *user, s2svpn_sim *sim, uint64_t now_ns)
{
    struct scene *s = user;

    if (now_ns >= s->ping_until_ns) {
        s->pinging = false;
        return;
    }
    scene_ping(&s->gateway, 56);
    scene_ping(&s->device, 56);
    CHECK(s2svpn_sim_at(sim, now_ns + s->ping_every_ns, ping_both, s) == S2SVPN_OK);
}

void scene_ping_for(struct scene *s, uint64_t every_ns, uint64_t ns)
{
    const uint64_t now_ns = s2svpn_sim_now(s->sim);

    s->ping_every_ns = every_ns;
    s->ping_until_ns = now_ns + ns;
    if (!s->pinging)
        CHECK(s2svpn_sim_at(s->sim, now_ns, ping_both, s) == S2SVPN_OK);
    s->pinging = true;
}

bool scene_nothing_lost(const struct scene *s)
{
    return s->gateway.answered == s->gateway.asked - s->gateway.first &&
           s->device.answered == s->device.asked - s->device.first && s->gateway.wrong == 0 &&
           s->device.wrong == 0;
}

void scene_count_anew(struct scene *s)
{
    struct scene_side *const side[] = {&s->gateway, &s->device};

    for (size_t i = 0; i < 2; i++) {
        side[i]->answered = 0;
        side[i]->first = side[i]->asked;
    }
}

/* ---- contexts */

static void fill_locals(struct scene_side *side, const s2svpn_address *addresses, size_t n)
{
    size_t count = 0;

    for (size_t i = 0; i < n; i++) {
        side->local[count++] =
            (s2svpn_endpoint){.address = addresses[i], .port = 500, .role = S2SVPN_ROLE_IKE};
        side->local[count++] =
            (s2svpn_endpoint){.address = addresses[i], .port = 4500, .role = S2SVPN_ROLE_NATT};
        if (!side->scene->plan.udp_only)
            side->local[count++] =
                (s2svpn_endpoint){.address = addresses[i], .role = S2SVPN_ROLE_RAW};
    }
    side->options.local = side->local;
    side->options.local_count = count;
}

static void fill_options(struct scene_side *side, enum s2svpn_context_role role)
{
    const struct scene_plan *plan = &side->scene->plan;

    side->options = (s2svpn_options)S2SVPN_OPTIONS_INIT;
    side->options.role = role;
    side->options.memory = plan->memory;
    side->options.tunnel_log = plan->tunnel_log;
    side->options.tunnel_log_user = side;
    side->sequence = 0;
    if (plan->watch) {
        side->options.keylog = on_key;
        side->options.keylog_user = side;
    }
    if (scene_is_verbose() || plan->count_log) {
        side->options.log = on_log;
        side->options.log_user = side;
        side->options.log_level = scene_is_verbose() ? S2SVPN_LOG_DEBUG : S2SVPN_LOG_INFO;
    }
    if (role == S2SVPN_ROLE_GATEWAY) {
        const s2svpn_address a[] = {gateway_outside(side->scene, 0),
                                    gateway_outside(side->scene, 1)};

        fill_locals(side, a, 2);
        if (side->scene->store) {
            side->options.store = s2svpn_memory_store_ops();
            side->options.store_user = side->scene->store;
        }
    } else {
        const s2svpn_address a[] = {scene_device_own(side->scene)};

        fill_locals(side, a, 1);
    }
}

static s2svpn_status open_context(struct scene_side *side, enum s2svpn_context_role role)
{
    s2svpn_error why = {0};
    s2svpn_status rc;

    fill_options(side, role);
    s2svpn_sim_prepare(side->node, &side->options);
    rc = s2svpn_context_new(&side->options, &side->ctx, &why);
    if (rc != S2SVPN_OK) {
        if (scene_is_verbose())
            scene_say("%s: %s: %s", side->name, why.field, why.message);
        return rc;
    }
    rc = s2svpn_sim_attach(side->node, side->ctx, &side->options);
    if (rc == S2SVPN_OK)
        rc = s2svpn_context_subscribe(side->ctx, S2SVPN_EVENT_ALL, on_event, side, NULL);
    return rc;
}

/* ---- the cloud's objects */

static s2svpn_status make_vpc(struct scene *s)
{
    s2svpn_vpc_spec vpc = S2SVPN_VPC_INIT;
    s2svpn_subnet_spec subnet = S2SVPN_SUBNET_INIT;
    s2svpn_port_spec port = S2SVPN_PORT_INIT;
    s2svpn_status rc;

    vpc.cidr = prefix(10, 0, 0, 0, 16);
    if (s->plan.inside_ipv6) {
        vpc.ipv6_cidr = ipv6_prefix("2001:db8:a::/56");
        subnet.ipv6_cidr = ipv6_prefix("2001:db8:a:1::/64");
        port.ipv6_address = ipv6("2001:db8:a:1::10");
    }
    rc = s2svpn_vpc_new(s->gateway.ctx, &vpc, &s->vpc);
    if (rc != S2SVPN_OK)
        return rc;
    subnet.cidr = prefix(10, 0, 1, 0, 24);
    rc = s2svpn_subnet_new(s->vpc, &subnet, &s->subnet);
    if (rc != S2SVPN_OK)
        return rc;
    port.subnet = s->subnet;
    port.address = ipv4(10, 0, 1, 10);
    rc = s2svpn_port_new(s->gateway.ctx, &port, &s->instance);
    if (rc == S2SVPN_OK)
        s->gateway.port = s2svpn_port_number(s->instance);
    return rc;
}

static s2svpn_status make_gateway(struct scene *s)
{
    s2svpn_virtual_gateway_spec vgw = S2SVPN_VIRTUAL_GATEWAY_INIT;
    s2svpn_customer_gateway_spec cgw = S2SVPN_CUSTOMER_GATEWAY_INIT;
    s2svpn_status rc;

    vgw.ecmp_paths = s->plan.ecmp_paths;
    rc = s2svpn_virtual_gateway_new(s->gateway.ctx, &vgw, &s->vgw);
    if (rc == S2SVPN_OK)
        rc = s2svpn_virtual_gateway_attach(s->vgw, s->vpc);
    if (rc != S2SVPN_OK)
        return rc;
    s->table = s2svpn_vpc_main_route_table(s->vpc);
    rc = s2svpn_route_table_enable_propagation(s->table, s->vgw);
    if (rc != S2SVPN_OK)
        return rc;
    cgw.address = s->plan.outside_ipv6 ? "2001:db8:7::7" : "203.0.113.7";
    return s2svpn_customer_gateway_new(s->gateway.ctx, &cgw, &s->cgw);
}

static s2svpn_status make_connection(struct scene *s)
{
    s2svpn_connection_spec spec = S2SVPN_CONNECTION_INIT;
    const s2svpn_prefix lan =
        s->plan.inside_ipv6 ? ipv6_prefix("2001:db8:b::/48") : prefix(192, 168, 0, 0, 16);
    s2svpn_status rc;

    spec.inside_ip_version = s->plan.inside_ipv6 ? 6 : 4;
    spec.static_routes_only = s->plan.static_routes;
    for (size_t i = 0; i < 2; i++) {
        spec.tunnel[i] = s->plan.tunnel;
        spec.tunnel[i].outside_address = gateway_outside(s, i);
        spec.tunnel[i].inside_cidr = prefix(169, 254, (uint8_t)(10 + i), 4, 30);
        if (!spec.tunnel[i].pre_shared_key)
            spec.tunnel[i].pre_shared_key = SCENE_PSK;
    }
    rc = s2svpn_connection_new(s->vgw, s->cgw, &spec, &s->cloud);
    if (rc == S2SVPN_OK && s->plan.static_routes)
        rc = s2svpn_connection_add_static_route(s->cloud, &lan);
    return rc;
}

static s2svpn_status make_cloud(struct scene *s)
{
    s2svpn_status rc = open_context(&s->gateway, S2SVPN_ROLE_GATEWAY);

    if (rc == S2SVPN_OK)
        rc = make_vpc(s);
    if (rc == S2SVPN_OK)
        rc = make_gateway(s);
    return rc == S2SVPN_OK ? make_connection(s) : rc;
}

/* ---- the device's objects */

/* As people do: the cloud's end writes the document, the device reads it. */
static s2svpn_status carry_document(struct scene *s)
{
    s2svpn_device_config *read = NULL;
    s2svpn_text xml = {0};
    s2svpn_error why = {0};
    s2svpn_status rc = s2svpn_connection_device_config(s->cloud, &xml);

    if (rc == S2SVPN_OK)
        rc = s2svpn_config_read(xml.data, xml.len, &read, &why);
    s2svpn_text_free(&xml);
    if (rc != S2SVPN_OK) {
        if (scene_is_verbose())
            scene_say("the document: %s: %s", why.field, why.message);
        return rc;
    }
    s->config = *read;
    s2svpn_config_free(read);
    for (size_t i = 0; i < 2 && s->plan.device_psk; i++)
        snprintf(s->config.tunnel[i].pre_shared_key, sizeof(s->config.tunnel[i].pre_shared_key),
                 "%s", s->plan.device_psk);
    return S2SVPN_OK;
}

static s2svpn_status make_device(struct scene *s)
{
    const s2svpn_prefix lan[] = {prefix(192, 168, 0, 0, 16), ipv6_prefix("2001:db8:b::/48")};
    const s2svpn_prefix vpc =
        s->plan.inside_ipv6 ? ipv6_prefix("2001:db8:a::/56") : prefix(10, 0, 0, 0, 16);
    s2svpn_device_options options = S2SVPN_DEVICE_OPTIONS_INIT;
    s2svpn_port_spec port = S2SVPN_PORT_INIT;
    s2svpn_status rc;

    options.ecmp_paths = s->plan.ecmp_paths;
    options.ike = scene_is_ikev1()      ? S2SVPN_DEVICE_IKE_V1
                  : scene_is_ike_auto() ? S2SVPN_DEVICE_IKE_AUTO
                                        : S2SVPN_DEVICE_IKE_V2;
    rc = open_context(&s->device, S2SVPN_ROLE_DEVICE);
    if (rc != S2SVPN_OK)
        return rc;
    port.address = ipv4(192, 168, 10, 1);
    if (s->plan.inside_ipv6)
        port.ipv6_address = ipv6("2001:db8:b::1");
    port.prefix = lan;
    port.prefix_count = s->plan.inside_ipv6 ? 2 : 1;
    rc = s2svpn_port_new(s->device.ctx, &port, &s->lan);
    if (rc != S2SVPN_OK)
        return rc;
    s->device.port = s2svpn_port_number(s->lan);
    rc = s2svpn_device_open(s->device.ctx, &s->config, &options, &s->site);
    if (rc == S2SVPN_OK && s->plan.static_routes)
        rc = s2svpn_connection_add_static_route(s->site, &vpc);
    return rc;
}

/* ---- open, close, restart */

static s2svpn_status open_side(struct scene *s, struct scene_side *side, const char *name,
                               uint32_t address)
{
    s2svpn_status rc;

    side->scene = s;
    side->name = name;
    side->address = address;
    rc = s2svpn_sim_node_new(s->sim, name, &side->node);
    if (rc == S2SVPN_OK)
        s2svpn_sim_on_inside(side->node, on_inside, side);
    return rc;
}

static s2svpn_status make_nat(struct scene *s)
{
    s2svpn_sim_nat_options o = S2SVPN_SIM_NAT_OPTIONS_INIT;

    o.inside = prefix(192, 0, 2, 0, 24);
    o.outside = scene_device_address();
    o.expiry_ns = s->plan.nat_how.expiry_ns;
    o.symmetric = s->plan.nat_how.symmetric;
    return s2svpn_sim_nat_new(s->sim, &o, &s->nat);
}

s2svpn_status scene_open(struct scene *s, const struct scene_plan *plan)
{
    s2svpn_status rc;

    *s = (struct scene){.plan = *plan, .spoke_ikev1 = scene_is_ikev1()};
    rc = s2svpn_sim_new(plan->seed, &s->sim);
    if (rc != S2SVPN_OK)
        return rc;
    if (scene_is_verbose() || plan->watch)
        s2svpn_sim_on_wire(s->sim, on_wire, s);
    s2svpn_sim_set_job_delay(s->sim, plan->job_min_ns, plan->job_max_ns);
    rc = s2svpn_sim_set_link(s->sim, NULL, NULL, &plan->link);
    if (rc == S2SVPN_OK && plan->nat)
        rc = make_nat(s);
    if (rc == S2SVPN_OK && plan->store)
        rc = s2svpn_memory_store_new(plan->memory, &s->store);
    if (rc == S2SVPN_OK)
        rc = open_side(s, &s->gateway, "gateway", packet_address(10, 0, 1, 10));
    if (rc == S2SVPN_OK)
        rc = open_side(s, &s->device, "device", packet_address(192, 168, 10, 20));
    if (rc == S2SVPN_OK)
        rc = make_cloud(s);
    if (rc == S2SVPN_OK)
        rc = carry_document(s);
    return rc == S2SVPN_OK ? make_device(s) : rc;
}

static void release_gateway(struct scene *s)
{
    s2svpn_connection_release(s->cloud);
    s2svpn_customer_gateway_release(s->cgw);
    s2svpn_virtual_gateway_release(s->vgw);
    s2svpn_route_table_release(s->table);
    s2svpn_port_release(s->instance);
    s2svpn_subnet_release(s->subnet);
    s2svpn_vpc_release(s->vpc);
    s->cloud = NULL;
    s->cgw = NULL;
    s->vgw = NULL;
    s->table = NULL;
    s->instance = NULL;
    s->subnet = NULL;
    s->vpc = NULL;
}

void scene_kill(struct scene_side *side)
{
    struct scene *s = side->scene;

    if (!side->ctx)
        return;
    s2svpn_sim_detach(side->node);
    if (side == &s->gateway) {
        release_gateway(s);
    } else {
        s2svpn_connection_release(s->site);
        s2svpn_port_release(s->lan);
        s->site = NULL;
        s->lan = NULL;
    }
    s2svpn_context_free(side->ctx);
    side->ctx = NULL;
}

void scene_close(struct scene *s)
{
    if (!s->sim)
        return;
    if (s->device.scene)
        scene_kill(&s->device);
    if (s->gateway.scene)
        scene_kill(&s->gateway);
    s2svpn_memory_store_free(s->store);
    s2svpn_sim_free(s->sim);
    s->sim = NULL;
}

s2svpn_status scene_start(struct scene *s)
{
    return s2svpn_connection_start(s->site);
}

s2svpn_status scene_revive_device(struct scene *s)
{
    s2svpn_status rc = make_device(s);

    return rc == S2SVPN_OK ? scene_start(s) : rc;
}

s2svpn_status scene_revive_gateway(struct scene *s)
{
    return make_cloud(s);
}

bool scene_bring_up(struct scene *s, const struct scene_plan *plan)
{
    bool up = CHECK(scene_open(s, plan) == S2SVPN_OK) && CHECK(scene_start(s) == S2SVPN_OK) &&
              CHECK(scene_wait(s, scene_both_up, MINUTE));

    if (!up)
        scene_describe(s);
    return up;
}

/* ---- time and state */

void scene_run(struct scene *s, uint64_t ns)
{
    s2svpn_sim_run(s->sim, s2svpn_sim_now(s->sim) + ns);
}

bool scene_wait(struct scene *s, bool (*done)(void *scene), uint64_t ns)
{
    return s2svpn_sim_run_until(s->sim, done, s, s2svpn_sim_now(s->sim) + ns);
}

s2svpn_tunnel_info scene_tunnel(const s2svpn_connection *conn, size_t index)
{
    s2svpn_tunnel_info info = {.size = sizeof(info)};

    if (conn)
        s2svpn_tunnel_get_info(s2svpn_connection_tunnel(conn, index), &info);
    return info;
}

static unsigned up_at_both_ends(const struct scene *s)
{
    unsigned n = 0;

    for (size_t i = 0; i < 2; i++) {
        const s2svpn_tunnel_info cloud = scene_tunnel(s->cloud, i), site = scene_tunnel(s->site, i);

        if (!cloud.up || !site.up)
            continue;
        n++;
        /* None while a phase 1 SA is gone and its children are not. */
        const bool no_other_version_was_spoken =
            !scene_is_ikev1() || (cloud.ike_version <= 1 && site.ike_version <= 1);
        CHECK(no_other_version_was_spoken);
    }
    return n;
}

bool scene_both_up(void *scene)
{
    return up_at_both_ends(scene) == 2;
}

bool scene_one_up(void *scene)
{
    return up_at_both_ends(scene) >= 1;
}

void scene_set_path(struct scene *s, size_t tunnel, const s2svpn_sim_link *link)
{
    const s2svpn_address gateway = gateway_outside(s, tunnel), device = device_outside(s);

    CHECK(s2svpn_sim_set_link(s->sim, &gateway, &device, link) == S2SVPN_OK);
    CHECK(s2svpn_sim_set_link(s->sim, &device, &gateway, link) == S2SVPN_OK);
}

void scene_cut(struct scene *s, size_t tunnel, bool down)
{
    s2svpn_sim_link link = s->plan.link;

    link.down = down;
    scene_set_path(s, tunnel, &link);
}

static void describe_end(const char *name, const s2svpn_connection *conn)
{
    for (size_t i = 0; i < 2 && conn; i++) {
        const s2svpn_tunnel_info t = scene_tunnel(conn, i);

        scene_say("%s tunnel %zu: %s, %s; %s %s; in %" PRIu64 " out %" PRIu64 " bgp %u %s", name, i,
                  t.up ? "up" : "down", s2svpn_tunnel_phase_text(t.phase), t.ike_algorithms,
                  t.esp_algorithms, t.packets_in, t.packets_out, t.bgp_state, t.reason);
    }
}

static void describe_drops(const char *name, const s2svpn_context *ctx)
{
    for (int i = 1; i < S2SVPN_DROP_COUNT && ctx; i++) {
        const uint64_t n = s2svpn_context_drops(ctx, (enum s2svpn_drop)i);

        if (n > 0)
            scene_say("%s dropped %" PRIu64 ": %s", name, n, s2svpn_drop_text((enum s2svpn_drop)i));
    }
}

void scene_describe(struct scene *s)
{
    s2svpn_sim_counters c = {.size = sizeof(c)};

    s2svpn_sim_get_counters(s->sim, &c);
    scene_say("at %.6f s: sent %" PRIu64 ", lost %" PRIu64 ", delivered %" PRIu64
              ", unroutable %" PRIu64 ", jobs %" PRIu64,
              (double)s2svpn_sim_now(s->sim) / 1e9, c.sent, c.lost, c.delivered, c.unroutable,
              c.jobs);
    describe_end("gateway", s->cloud);
    describe_end("device", s->site);
    describe_drops("gateway", s->gateway.ctx);
    describe_drops("device", s->device.ctx);
    scene_say("pings of the instance: %u of %u answered; of the LAN's host: %u of %u",
              s->gateway.answered, s->gateway.asked, s->device.answered, s->device.asked);
}
