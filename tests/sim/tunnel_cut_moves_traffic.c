/* SPDX-License-Identifier: Apache-2.0 */
/* The tunnel that carries the traffic is cut: the other one takes over within what
 * dead-peer detection and BGP's hold time allow, and the first comes back by itself
 * when the way is open again. */
#include "scene.h"

#define MOST_NS (45 * SECOND) /* hold time or dead-peer detection 30 s, and some */

static bool first_is_down(void *scene)
{
    struct scene *s = scene;

    return !scene_tunnel(s->cloud, 0).up && !scene_tunnel(s->site, 0).up;
}

static bool second_is_down(void *scene)
{
    struct scene *s = scene;

    return !scene_tunnel(s->cloud, 1).up && !scene_tunnel(s->site, 1).up;
}

/* From now until both hosts got an answer to a ping of later than now. */
static uint64_t time_to_answer(struct scene *s)
{
    const uint64_t start_ns = s2svpn_sim_now(s->sim);

    while (s2svpn_sim_now(s->sim) < start_ns + 2 * MINUTE) {
        scene_run(s, 100 * MILLISECOND);
        if (s->gateway.last_answer_ns > start_ns + SECOND &&
            s->device.last_answer_ns > start_ns + SECOND)
            break;
    }
    return s2svpn_sim_now(s->sim) - start_ns;
}

static void cut_one(uint64_t seed, bool static_routes, size_t tunnel)
{
    struct scene_plan plan = SCENE_PLAN_INIT;
    struct scene s;

    plan.seed = seed;
    plan.static_routes = static_routes;
    plan.link.delay_ns = 10 * MILLISECOND;
    if (scene_bring_up(&s, &plan)) {
        scene_ping_for(&s, 100 * MILLISECOND, 10 * MINUTE);
        scene_run(&s, 10 * SECOND);

        scene_cut(&s, tunnel, true);
        CHECK(time_to_answer(&s) < MOST_NS);
        CHECK(scene_wait(&s, tunnel ? second_is_down : first_is_down, MOST_NS));
        CHECK(scene_tunnel(s.cloud, tunnel).reason[0] != '\0');
        CHECK(scene_tunnel(s.site, tunnel).reason[0] != '\0');
        CHECK(scene_one_up(&s));

        /* From here on nothing may be lost. */
        scene_run(&s, SECOND);
        unsigned lost = s.gateway.asked - s.gateway.answered;
        scene_run(&s, MINUTE);
        CHECK(s.gateway.asked - s.gateway.answered <= lost + 1); /* one is under way */

        scene_cut(&s, tunnel, false);
        if (!CHECK(scene_wait(&s, scene_both_up, 3 * MINUTE)))
            scene_describe(&s);
        scene_run(&s, 5 * SECOND);
        lost = s.device.asked - s.device.answered;
        scene_run(&s, MINUTE);
        CHECK(s.device.asked - s.device.answered <= lost + 1);
    }
    scene_close(&s);
}

static void first_with_bgp(uint64_t seed)
{
    cut_one(seed, false, 0);
}

static void second_with_bgp(uint64_t seed)
{
    cut_one(seed, false, 1);
}

static void first_with_static_routes(uint64_t seed)
{
    cut_one(seed, true, 0);
}

static void second_with_static_routes(uint64_t seed)
{
    cut_one(seed, true, 1);
}

/* A black hole in one tunnel alone, IKE still answered: BGP's hold time finds it. */
static void bgp_notices_what_ike_does_not(uint64_t seed)
{
    struct scene_plan plan = SCENE_PLAN_INIT;
    struct scene s;

    plan.seed = seed;
    if (scene_bring_up(&s, &plan)) {
        scene_ping_for(&s, 100 * MILLISECOND, 3 * MINUTE);
        scene_run(&s, 10 * SECOND);
        for (size_t i = 0; i < 2; i++) {
            s2svpn_tunnel_set_blackhole(s2svpn_connection_tunnel(s.cloud, i), true);
            CHECK(time_to_answer(&s) < MOST_NS);
            CHECK(scene_wait(&s, i ? second_is_down : first_is_down, MOST_NS));
            s2svpn_tunnel_set_blackhole(s2svpn_connection_tunnel(s.cloud, i), false);
            if (!CHECK(scene_wait(&s, scene_both_up, 3 * MINUTE)))
                scene_describe(&s);
        }
    }
    scene_close(&s);
}

int main(int argc, char **argv)
{
    static const struct scene_test tests[] = {
        {"the first, with BGP", first_with_bgp, 5},
        {"the second, with BGP", second_with_bgp, 5},
        {"the first, with static routes", first_with_static_routes, 5},
        {"the second, with static routes", second_with_static_routes, 5},
        {"BGP notices a black hole", bgp_notices_what_ike_does_not, 5},
    };
    static const struct scene_test v1_tests[] = {
        {"the first, with BGP", first_with_bgp, 5},
        {"the second, with BGP", second_with_bgp, 5},
        {"the first, with static routes", first_with_static_routes, 5},
        {"the second, with static routes", second_with_static_routes, 5},
        {"BGP notices a black hole", bgp_notices_what_ike_does_not, 5},
    };

    return scene_main_versions(argc, argv, "sim/tunnel_cut_moves_traffic", tests,
                               sizeof(tests) / sizeof(tests[0]), v1_tests,
                               sizeof(v1_tests) / sizeof(v1_tests[0]));
}
