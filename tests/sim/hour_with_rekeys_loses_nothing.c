/* SPDX-License-Identifier: Apache-2.0 */
/* Hours of virtual time: child SAs and IKE SAs are rekeyed again and again under a
 * steady stream of pings, and not one is lost. */
#include "scene.h"

#include <time.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SLOW_BUILD 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SLOW_BUILD 1
#endif
#endif
#ifndef SLOW_BUILD
#define SLOW_BUILD 0
#endif

static struct scene_plan plan_of(uint64_t seed)
{
    struct scene_plan plan = SCENE_PLAN_INIT;

    plan.seed = seed;
    plan.link.delay_ns = 15 * MILLISECOND;
    return plan;
}

/* Pings cross for so long; neither tunnel may go down for a moment. */
static void stay_up(struct scene *s, uint64_t every_ns, uint64_t ns)
{
    const unsigned downs = s->gateway.tunnel_downs + s->device.tunnel_downs;

    scene_ping_for(s, every_ns, ns);
    scene_run(s, ns + SECOND);
    if (!CHECK(scene_nothing_lost(s)) || !CHECK(scene_both_up(s)))
        scene_describe(s);
    CHECK(s->gateway.tunnel_downs + s->device.tunnel_downs == downs);
}

/* AWS's defaults: children live an hour, IKE SAs eight. */
static void with_the_defaults(uint64_t seed)
{
    const struct scene_plan plan = plan_of(seed);
    struct scene s;

    if (scene_bring_up(&s, &plan)) {
        const clock_t start = clock();

        scene_run(&s, SECOND);
        stay_up(&s, SECOND, 60 * MINUTE);
        const double took = (double)(clock() - start) / CLOCKS_PER_SEC;
        if (scene_is_verbose())
            scene_say("an hour took %.3f s of processor time", took);
        CHECK(SLOW_BUILD || took < 1.0);
        for (size_t i = 0; i < 2; i++)
            CHECK(scene_tunnel(s.site, i).rekeys >= 1);
    }
    scene_close(&s);
}

/* The shortest that AWS allows: children and IKE SAs of a quarter of an hour. */
static void with_the_shortest_lifetimes(uint64_t seed)
{
    struct scene_plan plan = plan_of(seed);
    struct scene s;

    plan.tunnel.phase1_lifetime_s = 960;
    plan.tunnel.phase2_lifetime_s = 900;
    plan.tunnel.rekey_margin_s = 60;
    plan.static_routes = seed % 2;
    plan.udp_only = seed % 4 < 2;
    if (scene_bring_up(&s, &plan)) {
        uint32_t spi[2];

        scene_run(&s, SECOND);
        for (size_t i = 0; i < 2; i++)
            spi[i] = scene_tunnel(s.cloud, i).spi_in;
        stay_up(&s, 500 * MILLISECOND, 120 * MINUTE);
        for (size_t i = 0; i < 2; i++)
            CHECK(scene_tunnel(s.cloud, i).spi_in != spi[i]);
    }
    scene_close(&s);
}

/* Lifetimes of the two ends can't be told apart: collisions are the rule. */
static void when_both_ends_rekey_at_once(uint64_t seed)
{
    struct scene_plan plan = plan_of(seed);
    struct scene s;

    plan.link.delay_ns = 50 * MILLISECOND;
    if (scene_bring_up(&s, &plan)) {
        scene_run(&s, SECOND);
        const unsigned downs = s.gateway.tunnel_downs + s.device.tunnel_downs;
        scene_ping_for(&s, 100 * MILLISECOND, 5 * MINUTE);
        for (int n = 0; n < 25; n++) {
            const uint64_t apart_ns = s2svpn_sim_random(s.sim) % (120 * MILLISECOND);

            for (size_t i = 0; i < 2; i++)
                CHECK(s2svpn_tunnel_rekey(s2svpn_connection_tunnel(s.cloud, i)) == S2SVPN_OK);
            scene_run(&s, apart_ns);
            for (size_t i = 0; i < 2; i++) {
                const s2svpn_status rc = s2svpn_tunnel_rekey(s2svpn_connection_tunnel(s.site, i));

                CHECK(rc == S2SVPN_OK || rc == S2SVPN_E_STATE); /* it is being done */
            }
            scene_run(&s, 10 * SECOND);
        }
        scene_run(&s, MINUTE);
        if (!CHECK(scene_nothing_lost(&s)) || !CHECK(scene_both_up(&s)))
            scene_describe(&s);
        for (size_t i = 0; i < 2; i++) {
            const s2svpn_tunnel_info cloud = scene_tunnel(s.cloud, i),
                                     site = scene_tunnel(s.site, i);

            CHECK(cloud.spi_in == site.spi_out && cloud.spi_out == site.spi_in);
        }
        CHECK(s.gateway.tunnel_downs + s.device.tunnel_downs == downs);
    }
    scene_close(&s);
}

int main(int argc, char **argv)
{
    static const struct scene_test tests[] = {
        {"with the defaults", with_the_defaults, 1},
        {"with the shortest lifetimes", with_the_shortest_lifetimes, 4},
        {"when both ends rekey at once", when_both_ends_rekey_at_once, 10},
    };
    static const struct scene_test v1_tests[] = {
        {"with the defaults", with_the_defaults, 1},
        {"with the shortest lifetimes", with_the_shortest_lifetimes, 4},
        {"when both ends rekey at once", when_both_ends_rekey_at_once, 10},
    };

    return scene_main_versions(argc, argv, "sim/hour_with_rekeys_loses_nothing", tests,
                               sizeof(tests) / sizeof(tests[0]), v1_tests,
                               sizeof(v1_tests) / sizeof(v1_tests[0]));
}
