/* SPDX-License-Identifier: Apache-2.0 */
/* A VPC gets a second CIDR block, with an instance 10.7.1.10 in it, while its first
 * instance answers pings: the site reaches the new one as soon as BGP has told it, by
 * either tunnel, and loses it with the block. The first one misses nothing. */
#include "scene.h"

#define PING_EVERY_NS (100 * MILLISECOND)
#define MOST_NS (45 * SECOND) /* hold time or dead-peer detection 30 s, and some */

struct flow {
    uint32_t to;
    unsigned asked, answered;
    uint64_t last_ns; /* of answers */
};

struct grown {
    struct scene s;
    s2svpn_prefix block;
    s2svpn_subnet *subnet;
    s2svpn_port *port;
    struct flow flow[2]; /* to the first instance, and to the new one */
    uint64_t until_ns;
};

/* ---- hosts: every instance answers where it was asked; the site counts */

static void on_cloud(void *user, s2svpn_sim_node *node, s2svpn_port_id port, const s2svpn_packet *p,
                     size_t n, uint64_t now_ns)
{
    (void)user;
    (void)now_ns;
    for (size_t i = 0; i < n; i++) {
        uint8_t reply[2048];
        s2svpn_packet out = {.data = reply};
        struct echo e;

        if (!packet_read_echo(p[i].data, p[i].len, &e) || e.type != ECHO_REQUEST)
            continue;
        out.len =
            (uint32_t)packet_echo(reply, ECHO_REPLY, e.to, e.from, e.id, e.seq, e.payload_len);
        (void)!s2svpn_sim_inject(node, port, &out, 1);
    }
}

static bool take(struct scene_side *side, const s2svpn_packet *p, size_t n)
{
    struct grown *g = side->taker_user;

    for (size_t i = 0; i < n; i++) {
        struct echo e;

        if (!packet_read_echo(p[i].data, p[i].len, &e) || e.type != ECHO_REPLY)
            continue; /* an error: there is no route yet, or any more */
        for (size_t k = 0; k < 2; k++) {
            if (e.from != g->flow[k].to)
                continue;
            g->flow[k].answered++;
            g->flow[k].last_ns = s2svpn_sim_now(g->s.sim);
        }
    }
    return true;
}

static void ping(void *user, s2svpn_sim *sim, uint64_t now_ns)
{
    struct grown *g = user;

    if (now_ns >= g->until_ns)
        return;
    for (size_t i = 0; i < 2; i++) {
        uint8_t data[256];
        s2svpn_packet p = {.data = data};

        p.len = (uint32_t)packet_echo(data, ECHO_REQUEST, g->s.device.address, g->flow[i].to,
                                      (uint16_t)i, (uint16_t)g->flow[i].asked++, 56);
        (void)!s2svpn_sim_inject(g->s.device.node, g->s.device.port, &p, 1);
    }
    CHECK(s2svpn_sim_at(sim, now_ns + PING_EVERY_NS, ping, g) == S2SVPN_OK);
}

static bool open(struct grown *g, uint64_t seed)
{
    struct scene_plan plan = SCENE_PLAN_INIT;

    *g = (struct grown){
        .flow = {{.to = packet_address(10, 0, 1, 10)}, {.to = packet_address(10, 7, 1, 10)}}};
    plan.seed = seed;
    plan.udp_only = seed % 2;
    plan.store = seed % 3 == 0;
    plan.link.delay_ns = seed % 40 * MILLISECOND;
    if (!scene_bring_up(&g->s, &plan))
        return false;
    s2svpn_sim_on_inside(g->s.gateway.node, on_cloud, g);
    g->s.device.taker = take;
    g->s.device.taker_user = g;
    g->until_ns = s2svpn_sim_now(g->s.sim) + 20 * MINUTE;
    return CHECK(s2svpn_sim_at(g->s.sim, s2svpn_sim_now(g->s.sim), ping, g) == S2SVPN_OK);
}

static void close(struct grown *g)
{
    s2svpn_port_release(g->port);
    s2svpn_subnet_release(g->subnet);
    scene_close(&g->s);
}

/* ---- the block */

static bool grow(struct grown *g)
{
    s2svpn_subnet_spec subnet = S2SVPN_SUBNET_INIT;
    s2svpn_port_spec port = S2SVPN_PORT_INIT;

    if (!CHECK(s2svpn_prefix_read("10.7.0.0/20", &g->block)) ||
        !CHECK(s2svpn_prefix_read("10.7.1.0/24", &subnet.cidr)) ||
        !CHECK(s2svpn_address_read("10.7.1.10", &port.address)) ||
        !CHECK(s2svpn_vpc_add_cidr(g->s.vpc, &g->block, NULL) == S2SVPN_OK) ||
        !CHECK(s2svpn_subnet_new(g->s.vpc, &subnet, &g->subnet) == S2SVPN_OK))
        return false;
    port.subnet = g->subnet;
    return CHECK(s2svpn_port_new(g->s.gateway.ctx, &port, &g->port) == S2SVPN_OK);
}

static void shrink(struct grown *g)
{
    CHECK(s2svpn_vpc_remove_cidr(g->s.vpc, &g->block) == S2SVPN_E_IN_USE);
    CHECK(s2svpn_port_delete(g->port) == S2SVPN_OK);
    CHECK(s2svpn_subnet_delete(g->subnet) == S2SVPN_OK);
    CHECK(s2svpn_vpc_remove_cidr(g->s.vpc, &g->block) == S2SVPN_OK);
}

/* From now until the new instance has answered. */
static uint64_t time_to_answer(struct grown *g)
{
    const uint64_t start_ns = s2svpn_sim_now(g->s.sim);
    const unsigned before = g->flow[1].answered;

    while (g->flow[1].answered == before && s2svpn_sim_now(g->s.sim) < start_ns + 2 * MINUTE)
        scene_run(&g->s, 50 * MILLISECOND);
    if (scene_is_verbose())
        scene_say("the new instance answers after %.2f s",
                  (double)(s2svpn_sim_now(g->s.sim) - start_ns) / 1e9);
    return s2svpn_sim_now(g->s.sim) - start_ns;
}

/* All but what is under way. */
static bool first_lost_nothing(const struct grown *g)
{
    return g->flow[0].asked - g->flow[0].answered <= 2;
}

static void comes_and_goes(uint64_t seed)
{
    static struct grown g;

    if (open(&g, seed)) {
        scene_run(&g.s, 5 * SECOND);
        CHECK(g.flow[1].answered == 0);
        for (unsigned round = 0; round < 3 && grow(&g); round++) {
            const unsigned before = g.flow[1].answered;
            unsigned after;

            CHECK(time_to_answer(&g) < 2 * SECOND);
            for (size_t i = 0; i < 2; i++)
                CHECK(scene_tunnel(g.s.site, i).accepted_routes == 2);
            scene_run(&g.s, 10 * SECOND);
            CHECK(g.flow[1].answered > before + 90);
            shrink(&g);
            scene_run(&g.s, 5 * SECOND);
            after = g.flow[1].answered;
            scene_run(&g.s, 5 * SECOND);
            CHECK(g.flow[1].answered == after);
            for (size_t i = 0; i < 2; i++)
                CHECK(scene_tunnel(g.s.site, i).accepted_routes == 1);
            s2svpn_port_release(g.port);
            s2svpn_subnet_release(g.subnet);
            g.port = NULL;
            g.subnet = NULL;
        }
        CHECK(first_lost_nothing(&g));
    }
    close(&g);
}

static bool first_is_down(void *scene)
{
    const struct scene *s = scene;

    return !scene_tunnel(s->cloud, 0).up && !scene_tunnel(s->site, 0).up;
}

/* The tunnel that was away is told when it comes back, and carries the block alone. */
static void comes_while_a_tunnel_is_away(uint64_t seed)
{
    static struct grown g;

    if (open(&g, seed)) {
        scene_cut(&g.s, 0, true);
        CHECK(scene_wait(&g.s, first_is_down, MOST_NS));
        if (grow(&g)) {
            CHECK(time_to_answer(&g) < 2 * SECOND);
            scene_cut(&g.s, 0, false);
            if (!CHECK(scene_wait(&g.s, scene_both_up, 3 * MINUTE)))
                scene_describe(&g.s);
            scene_run(&g.s, 5 * SECOND);
            for (size_t i = 0; i < 2; i++)
                CHECK(scene_tunnel(g.s.site, i).accepted_routes == 2);
            scene_cut(&g.s, 1, true);
            scene_run(&g.s, MOST_NS);
            CHECK(time_to_answer(&g) < 2 * SECOND);
        }
    }
    close(&g);
}

int main(int argc, char **argv)
{
    static const struct scene_test tests[] = {
        {"a block is reached at once, and goes without a trace", comes_and_goes, 12},
        {"a block that comes while a tunnel is away is told later", comes_while_a_tunnel_is_away,
         12},
    };

    return scene_main(argc, argv, "sim/vpc_grows_while_packets_flow", tests,
                      sizeof(tests) / sizeof(tests[0]));
}
