/* SPDX-License-Identifier: Apache-2.0 */
/* A gateway, a device that has the gateway's document, a good network: both tunnels
 * are up in no time, whichever way routes and packets go. */
#include "scene.h"

static void come_up(uint64_t seed, bool static_routes, bool udp_only)
{
    struct scene_plan plan = SCENE_PLAN_INIT;
    struct scene s;

    plan.seed = seed;
    plan.static_routes = static_routes;
    plan.udp_only = udp_only;
    plan.link.delay_ns = 10 * MILLISECOND;
    if (scene_bring_up(&s, &plan)) {
        CHECK(s2svpn_sim_now(s.sim) < 11 * SECOND);
        scene_run(&s, SECOND); /* routes come just behind "established" */
        for (size_t i = 0; i < 2; i++) {
            const s2svpn_tunnel_info cloud = scene_tunnel(s.cloud, i),
                                     site = scene_tunnel(s.site, i);

            CHECK(cloud.phase == S2SVPN_TUNNEL_UP && site.phase == S2SVPN_TUNNEL_UP);
            CHECK(site.initiator && !cloud.initiator);
            CHECK(cloud.udp == udp_only && site.udp == udp_only);
            CHECK(cloud.spi_in == site.spi_out && cloud.spi_out == site.spi_in);
            CHECK(cloud.reason[0] == '\0' && site.reason[0] == '\0');
            CHECK(static_routes || (cloud.bgp_state == 6 && site.bgp_state == 6));
            CHECK(static_routes || (cloud.accepted_routes == 1 && site.accepted_routes == 1));
        }
        CHECK(s.gateway.tunnel_ups >= 2 && s.device.tunnel_ups >= 2);
        CHECK(!s.gateway.gap && !s.device.gap);
    }
    scene_close(&s);
}

static void with_bgp(uint64_t seed)
{
    come_up(seed, false, false);
}

static void with_static_routes(uint64_t seed)
{
    come_up(seed, true, false);
}

static void in_udp_with_bgp(uint64_t seed)
{
    come_up(seed, false, true);
}

static void in_udp_with_static_routes(uint64_t seed)
{
    come_up(seed, true, true);
}

/* The table of the VPC holds what the device told, and not a moment before. */
static void routes_are_propagated(uint64_t seed)
{
    const s2svpn_address host = {.family = S2SVPN_FAMILY_IPV4, .bytes = {192, 168, 10, 20}};
    struct scene_plan plan = SCENE_PLAN_INIT;
    s2svpn_route route = {0};
    struct scene s;

    plan.seed = seed;
    if (CHECK(scene_open(&s, &plan) == S2SVPN_OK)) {
        CHECK(s2svpn_route_table_lookup(s.table, &host, &route) == S2SVPN_E_NOT_FOUND);
        CHECK(scene_start(&s) == S2SVPN_OK);
        CHECK(scene_wait(&s, scene_both_up, MINUTE));
        CHECK(s2svpn_route_table_lookup(s.table, &host, &route) == S2SVPN_OK);
        CHECK(route.origin == S2SVPN_ORIGIN_PROPAGATED && route.target == S2SVPN_TARGET_GATEWAY);
        CHECK(route.usable && !route.blackhole && route.prefix.length == 16);
    }
    scene_close(&s);
}

int main(int argc, char **argv)
{
    static const struct scene_test tests[] = {
        {"with BGP, ESP as protocol 50", with_bgp, 3},
        {"with static routes, ESP as protocol 50", with_static_routes, 3},
        {"with BGP, ESP in UDP", in_udp_with_bgp, 3},
        {"with static routes, ESP in UDP", in_udp_with_static_routes, 3},
        {"the device's prefix is propagated when it is up", routes_are_propagated, 1},
    };

    return scene_main(argc, argv, "sim/both_tunnels_come_up", tests,
                      sizeof(tests) / sizeof(tests[0]));
}
