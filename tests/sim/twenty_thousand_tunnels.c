/* SPDX-License-Identifier: Apache-2.0 */
/* Size: 10,000 connections with static routes in one gateway context, 20,000 tunnels, each
 * with an IKE SA and a child, all started at once. They take turns, so that no half-open SA is
 * one too many; a packet crosses each tunnel of a sample; what one costs doesn't grow with the
 * number of tunnels; left alone they cost little; a gateway that is gone without a word and comes
 * back has all of them again soon after the devices have noticed; and when it has stopped, and
 * when it is freed, the memory is back.
 *
 * 1,000 connections, or as many as S2_SIM_CONNECTIONS in the environment says: with 10000 it
 * takes half a minute.
 *
 *    10.G.1.10 ── VPC 10.G.0.0/16 ── gateway G ══ connection K of it ══ 20.G.K.10
 *
 * The devices' ends are links (external_bgp), so that each tunnel can be used by itself. */
#include "campaign.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CONNECTIONS 1000
#define CONNECTIONS_MOST 10000
#define OF_A_GATEWAY 100  /* connections */
#define GATEWAYS_MOST 100 /* virtual ones, in the one context */
#define ADDRESSES 90      /* outside, of the gateway and of each device */
#define OF_AN_ADDRESS 45  /* connections: two tunnels each, to as many addresses */
#define OF_A_DEVICE 2500  /* connections, at most */
#define DEVICES_MOST 4
#define FEW 10     /* connections, to compare with */
#define SAMPLE 250 /* connections whose tunnels are used */
#define UP_WITHIN_NS (10 * MINUTE)
#define BYTES_OF_A_TUNNEL ((size_t)16 << 10) /* at the gateway */
#define IDLE_CPU_US 5000                     /* of a tunnel in a minute, both ends; measured: 120 */
#define AWAY_NS (20 * SECOND)
/* Dead-peer detection after 10 s of silence, the first answers after at most 83 s of
 * retransmissions (RFC 7296 section 2.1), then a second's back-off. */
#define AGAIN_WITHIN_NS (2 * MINUTE)
#define FAR_NS (10 * MILLISECOND) /* one way, while it comes back */
#define STOP_WITHIN_NS MINUTE
#define IDLE_SLACK ((size_t)256 << 10) /* bytes, and of a tunnel: tables that have grown stay */
#define IDLE_SLACK_EACH 128
#define ROUNDS 5
#define PACKETS 4000 /* of a round, each way */
#define TIMES_MOST 8 /* what a packet may cost more: caches */

struct device {
    s2svpn_sim_node *node;
    s2svpn_context *ctx;
    s2svpn_options options;
    s2svpn_endpoint local[2 * ADDRESSES];
};

struct link {
    s2svpn_connection *cloud, *site;
    struct device *device;
    s2svpn_port *port[2]; /* of the device, where the tunnel is in the sample */
    s2svpn_port_id number[2];
};

struct net {
    s2svpn_vpc *vpc;
    s2svpn_port *instance;
    s2svpn_port_id number;
    s2svpn_virtual_gateway *vgw;
};

struct many {
    s2svpn_sim *sim;
    s2svpn_sim_node *node;
    s2svpn_context *ctx;
    s2svpn_options options;
    s2svpn_endpoint local[2 * ADDRESSES];
    s2svpn_memory memory;
    size_t bytes; /* of the gateway's context */
    size_t idle;  /* when all connections were made, and few were up */
    struct net net[GATEWAYS_MOST];
    size_t nets;
    struct device device[DEVICES_MOST];
    size_t devices;
    struct link link[CONNECTIONS_MOST];
    size_t links, up;            /* up: tunnels, at the gateway, so far */
    size_t up_before;            /* the gateway went away */
    uint64_t refused;            /* handshakes, for half-open SAs, of the gateways so far */
    unsigned at_cloud, at_sites; /* packets that arrived */
    unsigned wrong;
    bool stopped;
};

/* ---- memory of the gateway's context */

static void *allocate(void *user, size_t size)
{
    struct many *m = user;
    size_t *p = calloc(1, size + 16);

    if (p == NULL)
        return NULL;
    p[0] = size;
    m->bytes += size;
    return (char *)p + 16;
}

static void release(void *user, void *p)
{
    struct many *m = user;
    size_t *start;

    if (p == NULL)
        return;
    start = (size_t *)(void *)((char *)p - 16);
    m->bytes -= start[0];
    free(start);
}

/* ---- where everything is */

static s2svpn_address ipv4(size_t a, size_t b, size_t c, size_t d)
{
    return (s2svpn_address){.family = S2SVPN_FAMILY_IPV4,
                            .bytes = {(uint8_t)a, (uint8_t)b, (uint8_t)c, (uint8_t)d}};
}

static s2svpn_prefix prefix(size_t a, size_t b, size_t c, uint8_t length)
{
    return (s2svpn_prefix){.address = ipv4(a, b, c, 0), .length = length};
}

static size_t gateway_of(size_t link)
{
    return link / OF_A_GATEWAY;
}

static uint32_t site_host(size_t link)
{
    return packet_address(20, (uint8_t)gateway_of(link), (uint8_t)(link % OF_A_GATEWAY), 10);
}

static uint32_t instance_of(size_t link)
{
    return packet_address(10, (uint8_t)gateway_of(link), 1, 10);
}

/* Both tunnels of a connection have the device's address; its pairs are its own. */
static s2svpn_address site_outside(size_t link)
{
    return ipv4(203, link / OF_A_DEVICE, 113, 1 + link % OF_A_DEVICE / OF_AN_ADDRESS);
}

static s2svpn_address cloud_outside(size_t link, size_t tunnel)
{
    return ipv4(198, 51, 100, 1 + link % OF_A_DEVICE % OF_AN_ADDRESS * 2 + tunnel);
}

static void fill_locals(s2svpn_options *o, s2svpn_endpoint *local, size_t b)
{
    for (size_t i = 0; i < ADDRESSES; i++) {
        const s2svpn_address a =
            o->role == S2SVPN_ROLE_GATEWAY ? ipv4(198, 51, 100, 1 + i) : ipv4(203, b, 113, 1 + i);

        local[2 * i] = (s2svpn_endpoint){.address = a, .port = 500, .role = S2SVPN_ROLE_IKE};
        local[2 * i + 1] = (s2svpn_endpoint){.address = a, .port = 4500, .role = S2SVPN_ROLE_NATT};
    }
    o->local = local;
    o->local_count = 2 * ADDRESSES;
}

/* ---- what arrives */

static void on_cloud_inside(void *user, s2svpn_sim_node *node, s2svpn_port_id port,
                            const s2svpn_packet *p, size_t n, uint64_t now_ns)
{
    struct many *m = user;

    (void)node;
    (void)now_ns;
    for (size_t i = 0; i < n; i++) {
        struct echo e;
        const bool good = packet_read_echo(p[i].data, p[i].len, &e) && e.seq < m->links &&
                          e.from == site_host(e.seq) && e.to == instance_of(e.seq) &&
                          port == m->net[gateway_of(e.seq)].number;

        m->at_cloud += good;
        m->wrong += !good;
    }
}

static void on_site_inside(void *user, s2svpn_sim_node *node, s2svpn_port_id port,
                           const s2svpn_packet *p, size_t n, uint64_t now_ns)
{
    struct many *m = user;

    (void)now_ns;
    for (size_t i = 0; i < n; i++) {
        struct echo e;
        const bool good = packet_read_echo(p[i].data, p[i].len, &e) && e.seq < m->links &&
                          e.to == site_host(e.seq) && e.from == instance_of(e.seq) &&
                          node == m->link[e.seq].device->node &&
                          (port == m->link[e.seq].number[0] || port == m->link[e.seq].number[1]);

        m->at_sites += good;
        m->wrong += !good;
    }
}

static void on_event(void *user, s2svpn_context *ctx, const s2svpn_event *e)
{
    struct many *m = user;

    (void)ctx;
    m->up += e->kind == S2SVPN_EVENT_TUNNEL && e->up;
    m->stopped = m->stopped || e->kind == S2SVPN_EVENT_STOPPED;
}

/* ---- contexts and objects */

static bool open_context(struct many *m, s2svpn_sim_node *node, s2svpn_options *o,
                         s2svpn_context **ctx)
{
    s2svpn_error why = {0};

    s2svpn_sim_prepare(node, o);
    if (s2svpn_context_new(o, ctx, &why) != S2SVPN_OK)
        scene_say("%s: %s", why.field, why.message);
    return CHECK(*ctx != NULL) && CHECK(s2svpn_sim_attach(node, *ctx, o) == S2SVPN_OK) &&
           (*ctx != m->ctx || CHECK(s2svpn_context_subscribe(*ctx, S2SVPN_EVENT_ALL, on_event, m,
                                                             NULL) == S2SVPN_OK));
}

static bool open_gateway(struct many *m)
{
    if (!m->node && !CHECK(s2svpn_sim_node_new(m->sim, "gateway", &m->node) == S2SVPN_OK))
        return false;
    s2svpn_sim_on_inside(m->node, on_cloud_inside, m);
    m->memory = (s2svpn_memory){
        .size = sizeof(m->memory), .user = m, .allocate = allocate, .release = release};
    m->options = (s2svpn_options)S2SVPN_OPTIONS_INIT;
    m->options.role = S2SVPN_ROLE_GATEWAY;
    m->options.memory = &m->memory;
    fill_locals(&m->options, m->local, 0);
    return open_context(m, m->node, &m->options, &m->ctx);
}

static bool open_device(struct many *m)
{
    struct device *d = &m->device[m->devices];

    if (!CHECK(s2svpn_sim_node_new(m->sim, "device", &d->node) == S2SVPN_OK))
        return false;
    s2svpn_sim_on_inside(d->node, on_site_inside, m);
    d->options = (s2svpn_options)S2SVPN_OPTIONS_INIT;
    d->options.role = S2SVPN_ROLE_DEVICE;
    fill_locals(&d->options, d->local, m->devices++);
    return open_context(m, d->node, &d->options, &d->ctx);
}

static bool make_net(struct many *m)
{
    struct net *n = &m->net[m->nets];
    s2svpn_virtual_gateway_spec vgw = S2SVPN_VIRTUAL_GATEWAY_INIT;
    s2svpn_vpc_spec vpc = S2SVPN_VPC_INIT;
    s2svpn_subnet_spec subnet = S2SVPN_SUBNET_INIT;
    s2svpn_port_spec port = S2SVPN_PORT_INIT;
    s2svpn_route_table *table;
    bool good;

    vpc.cidr = prefix(10, m->nets, 0, 16);
    subnet.cidr = prefix(10, m->nets, 1, 24);
    port.address = ipv4(10, m->nets, 1, 10);
    m->nets++;
    if (!CHECK(s2svpn_virtual_gateway_new(m->ctx, &vgw, &n->vgw) == S2SVPN_OK) ||
        !CHECK(s2svpn_vpc_new(m->ctx, &vpc, &n->vpc) == S2SVPN_OK) ||
        !CHECK(s2svpn_subnet_new(n->vpc, &subnet, &port.subnet) == S2SVPN_OK))
        return false;
    good = CHECK(s2svpn_port_new(m->ctx, &port, &n->instance) == S2SVPN_OK) &&
           CHECK(s2svpn_virtual_gateway_attach(n->vgw, n->vpc) == S2SVPN_OK);
    s2svpn_subnet_release(port.subnet);
    if (!good)
        return false;
    n->number = s2svpn_port_number(n->instance);
    table = s2svpn_vpc_main_route_table(n->vpc);
    good = CHECK(s2svpn_route_table_enable_propagation(table, n->vgw) == S2SVPN_OK);
    s2svpn_route_table_release(table);
    return good;
}

static bool make_cloud_end(struct many *m, size_t i)
{
    struct link *l = &m->link[i];
    s2svpn_customer_gateway_spec cgw = S2SVPN_CUSTOMER_GATEWAY_INIT;
    s2svpn_connection_spec spec = S2SVPN_CONNECTION_INIT;
    const s2svpn_prefix route = prefix(20, gateway_of(i), i % OF_A_GATEWAY, 24);
    const s2svpn_address outside = site_outside(i);
    s2svpn_customer_gateway *customer = NULL;
    char address[S2SVPN_ADDRESS_TEXT];

    cgw.address = s2svpn_address_print(&outside, address);
    spec.static_routes_only = true;
    for (size_t k = 0; k < 2; k++) {
        spec.tunnel[k].outside_address = cloud_outside(i, k);
        spec.tunnel[k].pre_shared_key = SCENE_PSK;
        spec.tunnel[k].phase1_dh_groups = S2SVPN_GROUP(19); /* what it costs isn't the point */
    }
    const bool good = CHECK(s2svpn_customer_gateway_new(m->ctx, &cgw, &customer) == S2SVPN_OK) &&
                      CHECK(s2svpn_connection_new(m->net[gateway_of(i)].vgw, customer, &spec,
                                                  &l->cloud) == S2SVPN_OK) &&
                      CHECK(s2svpn_connection_add_static_route(l->cloud, &route) == S2SVPN_OK);
    s2svpn_customer_gateway_release(customer);
    return good;
}

static bool make_site_end(struct many *m, size_t i)
{
    struct link *l = &m->link[i];
    s2svpn_device_options options = S2SVPN_DEVICE_OPTIONS_INIT;
    s2svpn_device_config *config = NULL;
    s2svpn_text xml = {0};
    s2svpn_error why = {0};
    s2svpn_status rc = s2svpn_connection_device_config(l->cloud, &xml);

    options.external_bgp = true;
    options.local = site_outside(i);
    if (rc == S2SVPN_OK)
        rc = s2svpn_config_read(xml.data, xml.len, &config, &why);
    s2svpn_text_free(&xml);
    if (rc == S2SVPN_OK)
        rc = s2svpn_device_open(l->device->ctx, config, &options, &l->site);
    s2svpn_config_free(config);
    return CHECK(rc == S2SVPN_OK);
}

/* A connection and its two ends; not started. */
static bool make_link(struct many *m)
{
    const size_t i = m->links;

    if (gateway_of(i) == m->nets && !make_net(m))
        return false;
    if (i / OF_A_DEVICE == m->devices && !open_device(m))
        return false;
    m->link[i].device = &m->device[i / OF_A_DEVICE];
    m->links++;
    return make_cloud_end(m, i) && make_site_end(m, i);
}

static bool open_ports(struct many *m, size_t i)
{
    struct link *l = &m->link[i];

    for (size_t k = 0; k < 2; k++) {
        s2svpn_port_spec port = S2SVPN_PORT_INIT;

        if (l->port[k])
            continue;
        port.tunnel = s2svpn_connection_tunnel(l->site, k);
        if (!CHECK(s2svpn_port_new(l->device->ctx, &port, &l->port[k]) == S2SVPN_OK))
            return false;
        l->number[k] = s2svpn_port_number(l->port[k]);
    }
    return true;
}

static bool all_up(void *many)
{
    const struct many *m = many;

    return m->up - m->up_before >= 2 * m->links;
}

/* Make connections until there are so many, and bring them up. */
static bool grow(struct many *m, size_t links)
{
    const size_t first = m->links;
    const clock_t begin = clock();
    const uint64_t since_ns = s2svpn_sim_now(m->sim);
    clock_t made;

    while (m->links < links) {
        if (!make_link(m))
            return false;
    }
    made = clock();
    m->idle = m->bytes;
    for (size_t i = first; i < links; i++) {
        if (!CHECK(s2svpn_connection_start(m->link[i].site) == S2SVPN_OK))
            return false;
    }
    if (!CHECK(s2svpn_sim_run_until(m->sim, all_up, m, since_ns + UP_WITHIN_NS)))
        scene_say("%zu of %zu tunnels are up", m->up, 2 * m->links);
    scene_say("%zu tunnels: made in %.2f s of CPU, up in %.1f s of virtual time and %.2f s of CPU "
              "for both ends; the gateway has %.1f KiB a tunnel",
              2 * links, (double)(made - begin) / CLOCKS_PER_SEC,
              (double)(s2svpn_sim_now(m->sim) - since_ns) / 1e9,
              (double)(clock() - made) / CLOCKS_PER_SEC,
              (double)m->bytes / 1024 / (2 * (double)links));
    /* What was still under way ends, and static routes settle. */
    s2svpn_sim_run(m->sim, s2svpn_sim_now(m->sim) + 10 * SECOND);
    return CHECK(m->up == 2 * links);
}

static bool has_stopped(void *many)
{
    return ((struct many *)many)->stopped;
}

/* All tunnels are closed; what they had is given back. */
static void stop(struct many *m)
{
    const uint64_t now_ns = s2svpn_sim_now(m->sim);
    const size_t up = m->bytes;

    m->stopped = false;
    s2svpn_context_stop(m->ctx, now_ns + STOP_WITHIN_NS, now_ns);
    CHECK(s2svpn_sim_run_until(m->sim, has_stopped, m, now_ns + STOP_WITHIN_NS));
    scene_say("stopped after %.1f s of virtual time: %.1f KiB a tunnel, %.1f KiB before",
              (double)(s2svpn_sim_now(m->sim) - now_ns) / 1e9,
              (double)m->bytes / 1024 / (2 * (double)m->links),
              (double)up / 1024 / (2 * (double)m->links));
    CHECK(m->bytes <= m->idle + IDLE_SLACK + 2 * m->links * IDLE_SLACK_EACH);
}

/* Without a word to anybody. */
static void close_gateway(struct many *m)
{
    for (size_t i = 0; i < m->links; i++) {
        s2svpn_connection_release(m->link[i].cloud);
        m->link[i].cloud = NULL;
    }
    for (size_t i = 0; i < m->nets; i++) {
        s2svpn_port_release(m->net[i].instance);
        s2svpn_virtual_gateway_release(m->net[i].vgw);
        s2svpn_vpc_release(m->net[i].vpc);
    }
    m->nets = 0;
    if (m->ctx) {
        m->refused += s2svpn_context_drops(m->ctx, S2SVPN_DROP_IKE_LIMIT);
        s2svpn_sim_detach(m->node);
        s2svpn_context_free(m->ctx);
    }
    m->ctx = NULL;
}

static void close_all(struct many *m)
{
    for (size_t i = 0; i < m->links; i++) {
        for (size_t k = 0; k < 2; k++)
            s2svpn_port_release(m->link[i].port[k]);
        s2svpn_connection_release(m->link[i].site);
    }
    close_gateway(m);
    for (size_t i = 0; i < m->devices; i++) {
        s2svpn_sim_detach(m->device[i].node);
        s2svpn_context_free(m->device[i].ctx);
    }
    s2svpn_sim_free(m->sim);
}

/* ---- packets */

static void send_to_cloud(struct many *m, size_t i, size_t tunnel)
{
    struct link *l = &m->link[i];
    uint8_t data[256];
    s2svpn_packet p = {.data = data};

    p.len =
        (uint32_t)packet_echo(data, ECHO_REQUEST, site_host(i), instance_of(i), 7, (uint16_t)i, 56);
    CHECK(s2svpn_sim_inject(l->device->node, l->number[tunnel], &p, 1) == S2SVPN_OK);
}

static void send_to_site(struct many *m, size_t i)
{
    uint8_t data[256];
    s2svpn_packet p = {.data = data};

    p.len =
        (uint32_t)packet_echo(data, ECHO_REQUEST, instance_of(i), site_host(i), 7, (uint16_t)i, 56);
    CHECK(s2svpn_sim_inject(m->node, m->net[gateway_of(i)].number, &p, 1) == S2SVPN_OK);
}

/* The k-th of a sample of so many, spread evenly. */
static size_t sample(const struct many *m, size_t count, size_t k)
{
    return k % count * m->links / count;
}

/* One packet to the cloud by each tunnel of the sample, and one to each of its sites. */
static bool all_cross(struct many *m, size_t count)
{
    m->at_cloud = m->at_sites = 0;
    for (size_t k = 0; k < count; k++) {
        if (!open_ports(m, sample(m, count, k)))
            return false;
    }
    s2svpn_sim_run(m->sim, s2svpn_sim_now(m->sim) + SECOND);
    for (size_t k = 0; k < count; k++) {
        send_to_cloud(m, sample(m, count, k), 0);
        send_to_cloud(m, sample(m, count, k), 1);
        send_to_site(m, sample(m, count, k));
    }
    s2svpn_sim_run(m->sim, s2svpn_sim_now(m->sim) + SECOND);
    return CHECK(m->at_cloud == 2 * count) && CHECK(m->at_sites == count) && CHECK(m->wrong == 0);
}

/* CPU of a packet there and one back, at both ends and in the simulator; the least of some
 * rounds. */
static double cost_us(struct many *m, size_t count)
{
    double least = 1e9;

    for (size_t r = 0; r < ROUNDS; r++) {
        const unsigned had = m->at_cloud + m->at_sites;
        const clock_t begin = clock();
        double us;

        for (size_t k = 0; k < PACKETS; k++) {
            send_to_cloud(m, sample(m, count, k), k / count % 2);
            send_to_site(m, sample(m, count, k));
            s2svpn_sim_run(m->sim, s2svpn_sim_now(m->sim) + 20000);
        }
        us = (double)(clock() - begin) * 1e6 / CLOCKS_PER_SEC / PACKETS;
        least = us < least ? us : least;
        CHECK(m->at_cloud + m->at_sites == had + 2 * PACKETS);
    }
    return least;
}

/* ---- */

static size_t wanted(void)
{
    const char *said = getenv("S2_SIM_CONNECTIONS");
    const size_t n = said ? strtoul(said, NULL, 10) : campaign_seeds(CONNECTIONS);

    return n < 2 * FEW ? 2 * FEW : n > CONNECTIONS_MOST ? CONNECTIONS_MOST : n;
}

/* ---- left alone, and after a restart */

static void be_idle(struct many *m)
{
    const clock_t begin = clock();
    double us;

    s2svpn_sim_run(m->sim, s2svpn_sim_now(m->sim) + MINUTE);
    us = (double)(clock() - begin) * 1e6 / CLOCKS_PER_SEC;
    scene_say("a minute of nothing but liveness checks: %.2f s of CPU for both ends, "
              "%.0f us a tunnel; the gateway has %.1f KiB a tunnel",
              us / 1e6, us / (2 * (double)m->links),
              (double)m->bytes / 1024 / (2 * (double)m->links));
    CHECK(m->up == 2 * m->links);
    CHECK(us <= IDLE_CPU_US * 2 * (double)m->links);
    CHECK(m->bytes <= BYTES_OF_A_TUNNEL * 2 * m->links);
}

/* The same connections in a new context: the devices know nothing of it. */
static bool open_gateway_anew(struct many *m)
{
    bool good = open_gateway(m);

    for (size_t i = 0; good && i < m->links; i++) {
        good = (gateway_of(i) < m->nets || make_net(m)) && make_cloud_end(m, i);
    }
    return good;
}

/* The devices start their tunnels in turns: nobody is one too many. */
static bool come_back(struct many *m)
{
    s2svpn_sim_link way = S2SVPN_SIM_LINK_INIT;
    uint64_t since_ns;
    clock_t begin;

    way.delay_ns = FAR_NS;
    m->up_before = m->up;
    close_gateway(m);
    s2svpn_sim_run(m->sim, s2svpn_sim_now(m->sim) + AWAY_NS);
    if (!CHECK(s2svpn_sim_set_link(m->sim, NULL, NULL, &way) == S2SVPN_OK) || !open_gateway_anew(m))
        return false;
    since_ns = s2svpn_sim_now(m->sim);
    begin = clock();
    if (!CHECK(s2svpn_sim_run_until(m->sim, all_up, m, since_ns + AGAIN_WITHIN_NS)))
        scene_say("%zu of %zu tunnels are up again", m->up - m->up_before, 2 * m->links);
    scene_say("away for %.0f s: all up again %.1f s later, %.2f s of CPU for both ends; "
              "%" PRIu64 " handshakes were refused",
              (double)AWAY_NS / 1e9, (double)(s2svpn_sim_now(m->sim) - since_ns) / 1e9,
              (double)(clock() - begin) / CLOCKS_PER_SEC,
              s2svpn_context_drops(m->ctx, S2SVPN_DROP_IKE_LIMIT));
    way.delay_ns = 0;
    s2svpn_sim_run(m->sim, s2svpn_sim_now(m->sim) + 10 * SECOND);
    return CHECK(s2svpn_sim_set_link(m->sim, NULL, NULL, &way) == S2SVPN_OK);
}

static void play(uint64_t seed)
{
    static struct many m;
    double few, many;

    memset(&m, 0, sizeof(m));
    if (!CHECK(s2svpn_sim_new(seed, &m.sim) == S2SVPN_OK))
        return;
    if (open_gateway(&m) && grow(&m, FEW) && all_cross(&m, FEW)) {
        few = cost_us(&m, FEW);
        if (grow(&m, wanted()) && all_cross(&m, SAMPLE < m.links ? SAMPLE : m.links)) {
            many = cost_us(&m, SAMPLE < m.links ? SAMPLE : m.links);
            scene_say("a packet each way: %.1f us of CPU with %d tunnels, %.1f us with %zu", few,
                      2 * FEW, many, 2 * m.links);
            CHECK(many < few * TIMES_MOST);
            be_idle(&m);
            if (come_back(&m) && all_cross(&m, SAMPLE < m.links ? SAMPLE : m.links))
                stop(&m);
        }
    }
    close_all(&m);
    CHECK(m.bytes == 0);
    CHECK(m.refused == 0);
}

int main(int argc, char **argv)
{
    static const struct scene_test tests[] = {
        {"a context full of tunnels finds each one as fast as one of twenty", play, 1},
    };

    return scene_main(argc, argv, "sim/twenty_thousand_tunnels", tests,
                      sizeof(tests) / sizeof(tests[0]));
}
