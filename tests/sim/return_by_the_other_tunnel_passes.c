/* SPDX-License-Identifier: Apache-2.0 */
/* Outbound by the first tunnel, back by the second: the device follows the gateway's
 * MED to the first, the gateway sends by the path that is older, and after the first
 * tunnel was made anew that is the second. Everything passes all the same, rekeys of
 * both included. */
#include "campaign.h"

struct counts {
    uint64_t out[2], in[2];
};

static struct counts count(const s2svpn_connection *conn)
{
    struct counts c;

    for (size_t i = 0; i < 2; i++) {
        const s2svpn_tunnel_info info = scene_tunnel(conn, i);

        c.out[i] = info.packets_out;
        c.in[i] = info.packets_in;
    }
    return c;
}

static bool first_is_down(void *scene)
{
    const struct scene *s = scene;

    return !scene_tunnel(s->cloud, 0).up && !scene_tunnel(s->site, 0).up;
}

/* 600 pings and answers cross; BGP's own packets are fewer than 60. */
static void check_asymmetry(struct campaign *c)
{
    const struct counts before = count(c->s.site);

    scene_count_anew(&c->s);
    scene_ping_for(&c->s, 100 * MILLISECOND, 30 * SECOND);
    scene_run(&c->s, 10 * SECOND);
    for (size_t i = 0; i < 2; i++) {
        CHECK(s2svpn_tunnel_rekey(s2svpn_connection_tunnel(c->s.cloud, i)) == S2SVPN_OK);
        CHECK(s2svpn_tunnel_rekey(s2svpn_connection_tunnel(c->s.site, i)) == S2SVPN_OK);
    }
    scene_run(&c->s, 25 * SECOND);

    const struct counts after = count(c->s.site);
    const bool the_device_sends_by_the_first =
                   after.out[0] - before.out[0] >= 600 && after.out[1] - before.out[1] < 60,
               the_gateway_sends_by_the_second =
                   after.in[1] - before.in[1] >= 600 && after.in[0] - before.in[0] < 60,
               asymmetric_return_passes = scene_nothing_lost(&c->s);
    CHECK(the_device_sends_by_the_first);
    CHECK(the_gateway_sends_by_the_second);
    if (!CHECK(asymmetric_return_passes))
        scene_describe(&c->s);
}

static void asymmetric(uint64_t seed)
{
    struct scene_plan plan = SCENE_PLAN_INIT;
    struct campaign c;

    plan.seed = seed;
    plan.udp_only = seed % 2;
    plan.nat = seed % 4 < 2;
    plan.link.delay_ns = seed % 50 * MILLISECOND;
    plan.job_max_ns = seed % 3 * 100 * MILLISECOND;
    if (campaign_open(&c, &plan)) {
        CHECK(s2svpn_tunnel_reset(s2svpn_connection_tunnel(c.s.site, 0)) == S2SVPN_OK);
        CHECK(scene_wait(&c.s, first_is_down, SECOND));
        const bool comes_back = scene_wait(&c.s, scene_both_up, MINUTE);
        scene_run(&c.s, 10 * SECOND);
        if (CHECK(comes_back))
            check_asymmetry(&c);
        campaign_judge(&c);
    }
    campaign_close(&c);
}

int main(int argc, char **argv)
{
    const struct scene_test tests[] = {
        {"return by the other tunnel passes", asymmetric, campaign_seeds(60)},
    };

    return scene_main(argc, argv, "sim/return_by_the_other_tunnel_passes", tests,
                      sizeof(tests) / sizeof(tests[0]));
}
