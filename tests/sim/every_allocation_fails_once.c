/* SPDX-License-Identifier: Apache-2.0 */
/* Memory runs out, once, at any moment of two contexts' lives: nothing crashes, nothing
 * leaks, and who was already running goes on. */
#include "scene.h"

#include <stdlib.h>

/* Counts; the one allocation fails. */
struct heap {
    s2svpn_memory memory;
    unsigned long count, fail_at;
    long live;
};

static void *allocate(void *user, size_t len)
{
    struct heap *h = user;
    void *p = ++h->count == h->fail_at ? NULL : malloc(len);

    h->live += p != NULL;
    return p;
}

static void release(void *user, void *p)
{
    struct heap *h = user;

    h->live -= p != NULL;
    free(p);
}

static struct scene_plan plan_of(uint64_t seed, struct heap *h)
{
    struct scene_plan plan = SCENE_PLAN_INIT;

    h->memory = (s2svpn_memory){
        .size = sizeof(h->memory), .user = h, .allocate = allocate, .release = release};
    plan.seed = seed;
    plan.memory = &h->memory;
    plan.static_routes = seed % 2;
    plan.store = true;
    plan.tunnel.phase1_dh_groups = plan.tunnel.phase2_dh_groups = S2SVPN_GROUP(19);
    return plan;
}

/* A short life: up, some pings, a rekey, down. Returns false if it didn't begin. */
static bool live(struct scene *s, const struct scene_plan *plan)
{
    if (scene_open(s, plan) != S2SVPN_OK || scene_start(s) != S2SVPN_OK)
        return false;
    scene_run(s, 2 * SECOND);
    scene_ping(&s->gateway, 1000);
    scene_ping(&s->device, 1000);
    (void)!s2svpn_tunnel_rekey(s2svpn_connection_tunnel(s->site, 0));
    scene_run(s, 3 * SECOND);
    return true;
}

static void wind_up(struct scene *s)
{
    const uint64_t now_ns = s2svpn_sim_now(s->sim);

    s2svpn_context_stop(s->device.ctx, now_ns + 5 * SECOND, now_ns);
    scene_run(s, 6 * SECOND);
}

static void of_a_whole_life(uint64_t seed)
{
    for (unsigned long n = 1;; n++) {
        struct heap h = {.fail_at = n};
        const struct scene_plan plan = plan_of(seed, &h);
        struct scene s;

        if (live(&s, &plan)) {
            /* One allocation in one moment costs a packet or an attempt, no more. */
            if (!CHECK(scene_wait(&s, scene_both_up, 3 * MINUTE))) {
                scene_say("allocation %lu", n);
                scene_describe(&s);
            }
            wind_up(&s);
        }
        scene_close(&s);
        if (!CHECK(h.live == 0)) {
            scene_say("%ld left over; allocation %lu", h.live, n);
            return;
        }
        if (h.count < n)
            break;
    }
}

/* One failure after the other, at moments that the dice choose. */
static void now_and_then(uint64_t seed)
{
    struct heap h = {.fail_at = 0};
    const struct scene_plan plan = plan_of(seed, &h);
    struct scene s;

    if (CHECK(live(&s, &plan))) {
        for (int i = 0; i < 30; i++) {
            h.fail_at = h.count + 1;
            scene_run(&s, s2svpn_sim_random(s.sim) % SECOND);
            scene_ping(&s.gateway, 1000);
            scene_ping(&s.device, 1000);
        }
        h.fail_at = 0;
        if (!CHECK(scene_wait(&s, scene_both_up, 3 * MINUTE)))
            scene_describe(&s);
        wind_up(&s);
    }
    scene_close(&s);
    CHECK(h.live == 0);
}

int main(int argc, char **argv)
{
    static const struct scene_test tests[] = {
        {"of a whole life", of_a_whole_life, 2},
        {"and failures now and then are survived", now_and_then, 20},
    };

    return scene_main(argc, argv, "sim/every_allocation_fails_once", tests,
                      sizeof(tests) / sizeof(tests[0]));
}
