/* SPDX-License-Identifier: Apache-2.0 */
/* Two real contexts on a bad network, twice with the same seed: the same datagrams at
 * the same nanoseconds, the same ones lost. With another seed: another run. */
#include "scene.h"

struct trace {
    uint64_t hash;
    unsigned datagrams, lost;
};

static void add(struct trace *t, uint64_t value)
{
    for (int i = 0; i < 8; i++)
        t->hash = (t->hash ^ (uint8_t)(value >> 8 * i)) * 0x100000001b3u;
}

/* The bytes of IKE too; of ESP the length alone, for CBC's IVs are the backend's own. */
static void look(void *user, const s2svpn_datagram *d, bool lost, uint64_t now_ns)
{
    struct trace *t = user;

    add(t, now_ns);
    add(t, lost);
    add(t, d->len);
    add(t, d->local.address.bytes[3]);
    for (uint32_t i = 0; d->local.role == S2SVPN_ROLE_IKE && i < d->len; i++)
        add(t, d->data[i]);
    t->datagrams++;
    t->lost += lost;
}

static struct trace run(uint64_t seed, bool static_routes)
{
    struct scene_plan plan = SCENE_PLAN_INIT;
    struct trace t = {0};
    struct scene s;

    plan.seed = seed;
    plan.static_routes = static_routes;
    plan.link.delay_ns = 20 * MILLISECOND;
    plan.link.jitter_ns = 10 * MILLISECOND;
    plan.link.loss_ppm = 50000;
    plan.link.duplicate_ppm = 20000;
    plan.link.reorder_ppm = 20000;
    plan.job_max_ns = 50 * MILLISECOND;
    if (CHECK(scene_open(&s, &plan) == S2SVPN_OK)) {
        s2svpn_sim_on_wire(s.sim, look, &t);
        CHECK(scene_start(&s) == S2SVPN_OK);
        scene_ping_for(&s, 100 * MILLISECOND, MINUTE);
        scene_run(&s, 70 * MINUTE); /* rekeys among them */
        CHECK(scene_tunnel(s.site, 0).rekeys > 0);
    }
    scene_close(&s);
    return t;
}

static void repeats(uint64_t seed)
{
    const struct trace once = run(seed, seed % 2), again = run(seed, seed % 2);
    const struct trace other = run(seed + 1000, seed % 2);

    CHECK(once.datagrams > 500 && once.lost > 20);
    CHECK(once.hash == again.hash && once.datagrams == again.datagrams);
    CHECK(once.hash != other.hash);
}

int main(int argc, char **argv)
{
    static const struct scene_test tests[] = {
        {"packet by packet", repeats, 6},
    };

    return scene_main(argc, argv, "sim/same_seed_gives_the_same_run", tests,
                      sizeof(tests) / sizeof(tests[0]));
}
