/* SPDX-License-Identifier: Apache-2.0 */
/* An instance in the VPC and a host in the LAN reach each other through the tunnels. */
#include "scene.h"

static void cross(uint64_t seed, bool static_routes, bool udp_only)
{
    static const size_t lens[] = {0, 1, 56, 1000, 1300};
    struct scene_plan plan = SCENE_PLAN_INIT;
    struct scene s;

    plan.seed = seed;
    plan.static_routes = static_routes;
    plan.udp_only = udp_only;
    plan.link.delay_ns = 20 * MILLISECOND;
    if (scene_bring_up(&s, &plan)) {
        scene_run(&s, SECOND);
        for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
            scene_ping(&s.gateway, lens[i]);
            scene_ping(&s.device, lens[i]);
        }
        scene_run(&s, 100 * MILLISECOND);
        if (!CHECK(scene_nothing_lost(&s)))
            scene_describe(&s);
        /* There and back again: two ways of 20 ms, and three steps inside. */
        CHECK(s.gateway.last_answer_ns < s2svpn_sim_now(s.sim) - 59 * MILLISECOND);
    }
    scene_close(&s);
}

static void with_bgp(uint64_t seed)
{
    cross(seed, false, false);
}

static void with_static_routes(uint64_t seed)
{
    cross(seed, true, false);
}

static void in_udp(uint64_t seed)
{
    cross(seed, false, true);
}

/* What is on the wire, as a tap sees it. */
struct tap {
    unsigned datagrams, plain;
};

static void look(void *user, const s2svpn_datagram *d, bool lost, uint64_t now_ns)
{
    struct tap *tap = user;

    (void)lost;
    (void)now_ns;
    tap->datagrams++;
    for (uint32_t i = 0; i + 4 <= d->len; i++) /* the instance's address */
        tap->plain +=
            d->data[i] == 10 && d->data[i + 1] == 0 && d->data[i + 2] == 1 && d->data[i + 3] == 10;
}

static void nothing_is_readable_on_the_wire(uint64_t seed)
{
    struct scene_plan plan = SCENE_PLAN_INIT;
    struct tap tap = {0};
    struct scene s;

    plan.seed = seed;
    plan.static_routes = true;
    if (scene_bring_up(&s, &plan)) {
        s2svpn_sim_on_wire(s.sim, look, &tap);
        scene_ping_for(&s, 10 * MILLISECOND, SECOND);
        scene_run(&s, 2 * SECOND);
        CHECK(scene_nothing_lost(&s) && s.gateway.asked == 100);
        CHECK(tap.datagrams >= 400);
        CHECK(tap.plain == 0);
    }
    scene_close(&s);
}

/* Before anything is up, and to where no route leads, packets are dropped and counted. */
static void without_a_path_packets_are_counted(uint64_t seed)
{
    struct scene_plan plan = SCENE_PLAN_INIT;
    struct scene s;

    plan.seed = seed;
    if (CHECK(scene_open(&s, &plan) == S2SVPN_OK)) {
        scene_ping(&s.gateway, 56);
        scene_ping(&s.device, 56);
        scene_run(&s, SECOND);
        CHECK(s.gateway.answered == 0 && s.device.answered == 0);
        CHECK(s2svpn_context_drops(s.gateway.ctx, S2SVPN_DROP_NO_ROUTE) +
                  s2svpn_context_drops(s.gateway.ctx, S2SVPN_DROP_NO_PATH) ==
              1);
        CHECK(s2svpn_context_drops(s.device.ctx, S2SVPN_DROP_NO_ROUTE) +
                  s2svpn_context_drops(s.device.ctx, S2SVPN_DROP_NO_PATH) ==
              1);
    }
    scene_close(&s);
}

int main(int argc, char **argv)
{
    static const struct scene_test tests[] = {
        {"with BGP", with_bgp, 3},
        {"with static routes", with_static_routes, 3},
        {"in UDP", in_udp, 3},
        {"nothing is readable on the wire", nothing_is_readable_on_the_wire, 1},
        {"without a path packets are counted", without_a_path_packets_are_counted, 1},
    };

    return scene_main(argc, argv, "sim/ping_crosses_both_ways", tests,
                      sizeof(tests) / sizeof(tests[0]));
}
