/* SPDX-License-Identifier: Apache-2.0 */
/* One end dies without a word and starts anew: the tunnels come back, fast where the
 * one that died is the one that begins. */
#include "scene.h"

/* Both hosts' pings are answered again. */
static void traffic_is_back(struct scene *s)
{
    s->gateway.asked = s->gateway.answered = s->device.asked = s->device.answered = 0;
    for (size_t i = 0; i < sizeof(s->gateway.seen); i++)
        s->gateway.seen[i] = s->device.seen[i] = 0;
    scene_ping_for(s, 100 * MILLISECOND, 20 * SECOND);
    scene_run(s, 21 * SECOND);
    if (!CHECK(scene_nothing_lost(s)))
        scene_describe(s);
}

static struct scene_plan plan_of(uint64_t seed)
{
    struct scene_plan plan = SCENE_PLAN_INIT;

    plan.seed = seed;
    plan.static_routes = seed % 2;
    plan.udp_only = seed % 4 < 2;
    plan.link.delay_ns = 20 * MILLISECOND;
    return plan;
}

/* Down for so long; INITIAL_CONTACT clears what the gateway still believes. */
static void device_after(uint64_t seed, uint64_t down_ns)
{
    const struct scene_plan plan = plan_of(seed);
    struct scene s;

    if (scene_bring_up(&s, &plan)) {
        scene_run(&s, 10 * SECOND);
        scene_kill(&s.device);
        scene_run(&s, down_ns);
        CHECK(scene_revive_device(&s) == S2SVPN_OK);
        if (!CHECK(scene_wait(&s, scene_both_up, 2 * SECOND)))
            scene_describe(&s);
        CHECK(scene_wait(&s, scene_both_up, 3 * MINUTE));
        scene_run(&s, SECOND);
        traffic_is_back(&s);
        scene_run(&s, 2 * MINUTE); /* and nothing of the old ones comes to spoil it */
        CHECK(scene_both_up(&s));
    }
    scene_close(&s);
}

static void device_at_once(uint64_t seed)
{
    device_after(seed, 0);
}

static void device_after_seconds(uint64_t seed)
{
    device_after(seed, 7 * SECOND);
}

static void device_after_minutes(uint64_t seed)
{
    device_after(seed, 5 * MINUTE);
}

/* The gateway answers only; the device must notice by itself. */
static void gateway_dies(uint64_t seed)
{
    const struct scene_plan plan = plan_of(seed);
    struct scene s;

    if (scene_bring_up(&s, &plan)) {
        scene_run(&s, 10 * SECOND);
        scene_kill(&s.gateway);
        scene_run(&s, 3 * SECOND);
        if (CHECK(scene_revive_gateway(&s) == S2SVPN_OK)) {
            if (!CHECK(scene_wait(&s, scene_both_up, 3 * MINUTE)))
                scene_describe(&s);
            scene_run(&s, 5 * SECOND);
            traffic_is_back(&s);
        }
    }
    scene_close(&s);
}

/* Over and over, at any moment of the handshake. */
static void device_again_and_again(uint64_t seed)
{
    const struct scene_plan plan = plan_of(seed);
    struct scene s;

    if (CHECK(scene_open(&s, &plan) == S2SVPN_OK) && CHECK(scene_start(&s) == S2SVPN_OK)) {
        for (int n = 0; n < 20; n++) {
            scene_run(&s, s2svpn_sim_random(s.sim) % (300 * MILLISECOND));
            scene_kill(&s.device);
            CHECK(scene_revive_device(&s) == S2SVPN_OK);
        }
        if (!CHECK(scene_wait(&s, scene_both_up, MINUTE)))
            scene_describe(&s);
        scene_run(&s, SECOND);
        traffic_is_back(&s);
    }
    scene_close(&s);
}

int main(int argc, char **argv)
{
    static const struct scene_test tests[] = {
        {"a device at once, in under two seconds", device_at_once, 4},
        {"a device after seconds, in under two seconds", device_after_seconds, 4},
        {"a device after minutes, in under two seconds", device_after_minutes, 4},
        {"a gateway, when the device has noticed", gateway_dies, 4},
        {"a device again and again", device_again_and_again, 10},
    };
    static const struct scene_test v1_tests[] = {
        {"a device at once, in under two seconds", device_at_once, 4},
        {"a device after seconds, in under two seconds", device_after_seconds, 4},
        {"a device after minutes, in under two seconds", device_after_minutes, 4},
        {"a gateway, when the device has noticed", gateway_dies, 4},
        {"a device again and again", device_again_and_again, 10},
    };

    return scene_main_versions(argc, argv, "sim/restart_comes_back", tests,
                               sizeof(tests) / sizeof(tests[0]), v1_tests,
                               sizeof(v1_tests) / sizeof(v1_tests[0]));
}
