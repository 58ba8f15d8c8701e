/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two devices behind one NAT, known by their certificates alone, on bad links:
 *
 *    host 192.168.10.20 ── device 0, 192.0.2.7 ─┐
 *                                               NAT 203.0.113.7 ── gateway, 198.51.100.1, .2
 *    host 192.168.11.20 ── device 1, 192.0.2.8 ─┘                  instance 10.0.1.10
 *
 * They come up, each at its own tunnels; they are followed to other addresses; a list that
 * names one of them closes that one.
 */
#include "crypto/pki.h"
#include "scene.h"

#include <stdlib.h>
#include <string.h>

struct side {
    struct world *world;
    s2svpn_sim_node *node;
    s2svpn_context *ctx;
    s2svpn_options options;
    s2svpn_endpoint local[6];
    s2svpn_port *port;
    uint32_t address; /* of its host */
    unsigned answered, wrong;
};

struct site {
    struct side side;
    struct s2_pki_holder *holder;
    s2svpn_customer_gateway *cgw;
    s2svpn_connection *cloud, *site;
    unsigned number;
};

struct world {
    s2svpn_sim *sim;
    s2svpn_sim_nat *nat;
    struct s2_pki_holder *root, *gateway_holder;
    char *crl;
    struct side gateway;
    s2svpn_vpc *vpc;
    s2svpn_subnet *subnet;
    s2svpn_route_table *table;
    s2svpn_virtual_gateway *vgw;
    struct site site[2];
};

static s2svpn_address address(const char *text)
{
    s2svpn_address a = {0};

    CHECK(s2svpn_address_read(text, &a));
    return a;
}

static s2svpn_prefix prefix(const char *text)
{
    s2svpn_prefix p = {.length = 0};

    CHECK(s2svpn_prefix_read(text, &p));
    return p;
}

/* ---- hosts */

static void on_inside(void *user, s2svpn_sim_node *node, s2svpn_port_id port,
                      const s2svpn_packet *p, size_t n, uint64_t now_ns)
{
    struct side *side = user;

    (void)now_ns;
    for (size_t i = 0; i < n; i++) {
        uint8_t reply[2048];
        s2svpn_packet out = {.data = reply};
        struct echo e;

        if (!packet_read_echo(p[i].data, p[i].len, &e)) {
            side->wrong += !packet_is_icmp_error(p[i].data, p[i].len);
        } else if (e.to != side->address) {
            side->wrong++;
        } else if (e.type == ECHO_REQUEST) {
            out.len =
                (uint32_t)packet_echo(reply, ECHO_REPLY, e.to, e.from, e.id, e.seq, e.payload_len);
            (void)!s2svpn_sim_inject(node, port, &out, 1);
        } else {
            side->answered++;
        }
    }
}

static void ping(struct site *s)
{
    uint8_t data[2048];
    s2svpn_packet p = {.data = data};

    p.len = (uint32_t)packet_echo(data, ECHO_REQUEST, s->side.address,
                                  s->side.world->gateway.address, (uint16_t)s->number, 1, 100);
    (void)!s2svpn_sim_inject(s->side.node, s2svpn_port_number(s->side.port), &p, 1);
}

/* ---- contexts */

static bool give_certificates(struct side *side, const struct s2_pki_holder *holder,
                              const char *crl)
{
    s2svpn_certificates given = S2SVPN_CERTIFICATES_INIT;

    given.chain = s2_pki_chain_pem(holder);
    given.private_key = s2_pki_key_pem(holder);
    given.authorities = s2_pki_pem(side->world->root);
    given.crls = crl;
    return CHECK(s2svpn_context_set_certificates(side->ctx, &given) == S2SVPN_OK);
}

static bool open_side(struct side *side, struct world *w, enum s2svpn_context_role role,
                      const char *const *addresses, size_t n)
{
    s2svpn_error why = {0};

    side->world = w;
    side->options = (s2svpn_options)S2SVPN_OPTIONS_INIT;
    side->options.role = role;
    for (size_t i = 0; i < n; i++) {
        const s2svpn_address a = address(addresses[i]);

        side->local[2 * i] = (s2svpn_endpoint){.address = a, .port = 500, .role = S2SVPN_ROLE_IKE};
        side->local[2 * i + 1] =
            (s2svpn_endpoint){.address = a, .port = 4500, .role = S2SVPN_ROLE_NATT};
    }
    side->options.local = side->local;
    side->options.local_count = 2 * n;
    if (!CHECK(s2svpn_sim_node_new(w->sim, "side", &side->node) == S2SVPN_OK))
        return false;
    s2svpn_sim_prepare(side->node, &side->options);
    if (!CHECK(s2svpn_context_new(&side->options, &side->ctx, &why) == S2SVPN_OK) ||
        !CHECK(s2svpn_sim_attach(side->node, side->ctx, &side->options) == S2SVPN_OK))
        return false;
    s2svpn_sim_on_inside(side->node, on_inside, side);
    s2svpn_context_set_wall_clock(side->ctx, (uint64_t)S2_PKI_NOW * SECOND, s2svpn_sim_now(w->sim));
    return true;
}

static bool open_gateway(struct world *w)
{
    static const char *const addresses[] = {"198.51.100.1", "198.51.100.2"};
    s2svpn_virtual_gateway_spec vgw = S2SVPN_VIRTUAL_GATEWAY_INIT;
    s2svpn_vpc_spec vpc = S2SVPN_VPC_INIT;
    s2svpn_subnet_spec subnet = S2SVPN_SUBNET_INIT;
    s2svpn_port_spec port = S2SVPN_PORT_INIT;

    if (!open_side(&w->gateway, w, S2SVPN_ROLE_GATEWAY, addresses, 2) ||
        !give_certificates(&w->gateway, w->gateway_holder, w->crl))
        return false;
    vpc.cidr = prefix("10.0.0.0/16");
    subnet.cidr = prefix("10.0.1.0/24");
    w->gateway.address = packet_address(10, 0, 1, 10);
    if (!CHECK(s2svpn_vpc_new(w->gateway.ctx, &vpc, &w->vpc) == S2SVPN_OK) ||
        !CHECK(s2svpn_subnet_new(w->vpc, &subnet, &w->subnet) == S2SVPN_OK))
        return false;
    port.subnet = w->subnet;
    port.address = address("10.0.1.10");
    if (!CHECK(s2svpn_port_new(w->gateway.ctx, &port, &w->gateway.port) == S2SVPN_OK) ||
        !CHECK(s2svpn_virtual_gateway_new(w->gateway.ctx, &vgw, &w->vgw) == S2SVPN_OK) ||
        !CHECK(s2svpn_virtual_gateway_attach(w->vgw, w->vpc) == S2SVPN_OK))
        return false;
    w->table = s2svpn_vpc_main_route_table(w->vpc);
    return CHECK(s2svpn_route_table_enable_propagation(w->table, w->vgw) == S2SVPN_OK);
}

/* The device's end, from the document that the cloud's end writes. */
static bool open_device(struct site *s, const s2svpn_prefix *lan)
{
    static const char *const addresses[][1] = {{"192.0.2.7"}, {"192.0.2.8"}};
    s2svpn_device_options options = S2SVPN_DEVICE_OPTIONS_INIT;
    const s2svpn_prefix cloud = prefix("10.0.0.0/16");
    s2svpn_port_spec port = S2SVPN_PORT_INIT;
    s2svpn_device_config *config = NULL;
    s2svpn_text xml = {0};
    bool ok;

    options.peer_identity = "CN=gateway.example";
    port.prefix = lan;
    port.prefix_count = 1;
    ok = open_side(&s->side, s->side.world, S2SVPN_ROLE_DEVICE, addresses[s->number], 1) &&
         give_certificates(&s->side, s->holder, s->side.world->crl) &&
         CHECK(s2svpn_connection_device_config(s->cloud, &xml) == S2SVPN_OK) &&
         CHECK(s2svpn_config_read(xml.data, xml.len, &config, NULL) == S2SVPN_OK) &&
         CHECK(s2svpn_device_open(s->side.ctx, config, &options, &s->site) == S2SVPN_OK) &&
         CHECK(s2svpn_connection_add_static_route(s->site, &cloud) == S2SVPN_OK) &&
         CHECK(s2svpn_port_new(s->side.ctx, &port, &s->side.port) == S2SVPN_OK) &&
         CHECK(s2svpn_connection_start(s->site) == S2SVPN_OK);
    s2svpn_config_free(config);
    s2svpn_text_free(&xml);
    return ok;
}

static bool open_site(struct world *w, unsigned number)
{
    static const char *const subjects[] = {"CN=one.example", "CN=two.example"};
    static const char *const lans[] = {"192.168.10.0/24", "192.168.11.0/24"};
    s2svpn_customer_gateway_spec cgw = S2SVPN_CUSTOMER_GATEWAY_INIT;
    s2svpn_connection_spec conn = S2SVPN_CONNECTION_INIT;
    const s2svpn_prefix lan = prefix(lans[number]);
    struct site *s = &w->site[number];

    s->number = number;
    s->side.world = w;
    s->side.address = packet_address(192, 168, (uint8_t)(10 + number), 20);
    s->holder = s2_pki_new(&(struct s2_pki_spec){.subject = subjects[number]}, w->root);
    cgw.certificate = s2_pki_pem(s->holder);
    conn.static_routes_only = true;
    for (size_t i = 0; i < 2; i++)
        conn.tunnel[i].phase1_dh_groups = conn.tunnel[i].phase2_dh_groups = S2SVPN_GROUP(19);
    return CHECK(s2svpn_customer_gateway_new(w->gateway.ctx, &cgw, &s->cgw) == S2SVPN_OK) &&
           CHECK(s2svpn_connection_new(w->vgw, s->cgw, &conn, &s->cloud) == S2SVPN_OK) &&
           CHECK(s2svpn_connection_add_static_route(s->cloud, &lan) == S2SVPN_OK) &&
           open_device(s, &lan);
}

static bool world_open(struct world *w, uint64_t seed, uint32_t most_loss_ppm)
{
    s2svpn_sim_link link = S2SVPN_SIM_LINK_INIT;
    s2svpn_sim_nat_options nat = S2SVPN_SIM_NAT_OPTIONS_INIT;

    memset(w, 0, sizeof(*w));
    w->root = s2_pki_new(&(struct s2_pki_spec){.subject = "CN=Root", .authority = true}, NULL);
    w->gateway_holder = s2_pki_new(&(struct s2_pki_spec){.subject = "CN=gateway.example"}, w->root);
    w->crl = s2_pki_crl(w->root, NULL, 0, 0);
    if (!CHECK(s2svpn_sim_new(seed, &w->sim) == S2SVPN_OK))
        return false;
    link.delay_ns = s2svpn_sim_random(w->sim) % (80 * MILLISECOND);
    link.jitter_ns = s2svpn_sim_random(w->sim) % (40 * MILLISECOND);
    link.loss_ppm = (uint32_t)(s2svpn_sim_random(w->sim) % (most_loss_ppm + 1));
    link.duplicate_ppm = (uint32_t)(s2svpn_sim_random(w->sim) % 50000);
    link.reorder_ppm = (uint32_t)(s2svpn_sim_random(w->sim) % 50000);
    s2svpn_sim_set_job_delay(w->sim, 0, s2svpn_sim_random(w->sim) % (300 * MILLISECOND));
    nat.inside = prefix("192.0.2.0/24");
    nat.outside = address("203.0.113.7");
    nat.symmetric = s2svpn_sim_random(w->sim) % 2;
    return CHECK(s2svpn_sim_set_link(w->sim, NULL, NULL, &link) == S2SVPN_OK) &&
           CHECK(s2svpn_sim_nat_new(w->sim, &nat, &w->nat) == S2SVPN_OK) && open_gateway(w) &&
           open_site(w, 0) && open_site(w, 1);
}

static void close_side(struct side *side)
{
    s2svpn_port_release(side->port);
    if (side->node)
        s2svpn_sim_detach(side->node);
    s2svpn_context_free(side->ctx);
}

static void world_close(struct world *w)
{
    for (size_t i = 0; i < 2; i++) {
        s2svpn_connection_release(w->site[i].site);
        s2svpn_connection_release(w->site[i].cloud);
        s2svpn_customer_gateway_release(w->site[i].cgw);
        close_side(&w->site[i].side);
        s2_pki_free(w->site[i].holder);
    }
    s2svpn_route_table_release(w->table);
    s2svpn_virtual_gateway_release(w->vgw);
    s2svpn_subnet_release(w->subnet);
    s2svpn_vpc_release(w->vpc);
    close_side(&w->gateway);
    s2svpn_sim_free(w->sim);
    s2_pki_free(w->gateway_holder);
    s2_pki_free(w->root);
    free(w->crl);
}

/* ---- what is to be seen */

static void run(struct world *w, uint64_t ns)
{
    s2svpn_sim_run(w->sim, s2svpn_sim_now(w->sim) + ns);
}

static bool is_up(const s2svpn_connection *conn)
{
    bool up = true;

    for (size_t i = 0; i < 2; i++) {
        s2svpn_tunnel_info t = {.size = sizeof(t)};

        s2svpn_tunnel_get_info(s2svpn_connection_tunnel(conn, i), &t);
        up &= t.up;
    }
    return up;
}

static bool all_up(const struct world *w)
{
    bool up = true;

    for (size_t i = 0; i < 2; i++)
        up &= is_up(w->site[i].cloud) && is_up(w->site[i].site);
    return up;
}

static bool wait_up(struct world *w, uint64_t ns)
{
    for (const uint64_t end = s2svpn_sim_now(w->sim) + ns; s2svpn_sim_now(w->sim) < end;) {
        if (all_up(w))
            return true;
        run(w, 100 * MILLISECOND);
    }
    return false;
}

/* Answers from then on, before long. */
static bool reaches(struct site *s, uint64_t ns)
{
    struct world *w = s->side.world;
    const unsigned before = s->side.answered;

    for (const uint64_t end = s2svpn_sim_now(w->sim) + ns; s2svpn_sim_now(w->sim) < end;) {
        ping(s);
        run(w, SECOND);
        if (s->side.answered > before)
            return true;
    }
    return false;
}

static bool nothing_mixed(const struct world *w)
{
    return w->gateway.wrong == 0 && w->site[0].side.wrong == 0 && w->site[1].side.wrong == 0;
}

/* ---- the tests */

static void two_come_up(uint64_t seed)
{
    struct world w;

    if (world_open(&w, seed, 200000) && CHECK(wait_up(&w, 10 * MINUTE))) {
        CHECK(reaches(&w.site[0], 2 * MINUTE));
        CHECK(reaches(&w.site[1], 2 * MINUTE));
        CHECK(nothing_mixed(&w));
    }
    world_close(&w);
}

/* The whole network gets another address, and the first one back. */
static void they_are_followed(uint64_t seed)
{
    static const char *const places[] = {"203.0.113.99", "100.64.0.1", "203.0.113.7"};
    struct world w;

    if (world_open(&w, seed, 50000) && CHECK(wait_up(&w, 5 * MINUTE))) {
        for (size_t i = 0; i < 3; i++) {
            const s2svpn_address outside = address(places[i]);

            CHECK(s2svpn_sim_nat_set_outside(w.nat, &outside) == S2SVPN_OK);
            CHECK(reaches(&w.site[0], 5 * MINUTE));
            CHECK(reaches(&w.site[1], 5 * MINUTE));
            run(&w, MINUTE);
        }
        s2svpn_sim_nat_flush(w.nat);
        CHECK(wait_up(&w, 5 * MINUTE));
        CHECK(reaches(&w.site[0], 5 * MINUTE));
        CHECK(reaches(&w.site[1], 5 * MINUTE));
        CHECK(nothing_mixed(&w));
    }
    world_close(&w);
}

/* And what the other one has goes on, without an interruption. */
static void one_is_revoked(uint64_t seed)
{
    struct world w;

    if (world_open(&w, seed, 50000) && CHECK(wait_up(&w, 5 * MINUTE))) {
        const size_t revoked = seed % 2;
        struct site *gone = &w.site[revoked], *other = &w.site[1 - revoked];
        char *crl = s2_pki_crl(w.root, gone->holder, 0, 0);
        s2svpn_tunnel_info t = {.size = sizeof(t)};

        CHECK(give_certificates(&w.gateway, w.gateway_holder, crl));
        run(&w, 5 * SECOND);
        for (size_t i = 0; i < 2; i++) {
            s2svpn_tunnel_get_info(s2svpn_connection_tunnel(gone->cloud, i), &t);
            CHECK(!t.up && strstr(t.reason, "has been revoked") != NULL);
            s2svpn_tunnel_get_info(s2svpn_connection_tunnel(other->cloud, i), &t);
            CHECK(t.up);
        }
        CHECK(reaches(other, 2 * MINUTE));
        CHECK(!reaches(gone, 2 * MINUTE));
        CHECK(give_certificates(&w.gateway, w.gateway_holder, w.crl));
        CHECK(wait_up(&w, 5 * MINUTE));
        CHECK(reaches(gone, 2 * MINUTE));
        CHECK(nothing_mixed(&w));
        free(crl);
    }
    world_close(&w);
}

int main(int argc, char **argv)
{
    static const struct scene_test tests[] = {
        {"two devices behind one NAT come up over bad links", two_come_up, 150},
        {"they are followed to other addresses", they_are_followed, 60},
        {"a list that names one closes that one alone", one_is_revoked, 60},
    };

    return scene_main(argc, argv, "sim/certificates_come_from_anywhere", tests,
                      sizeof(tests) / sizeof(tests[0]));
}
