/* SPDX-License-Identifier: Apache-2.0 */
/* CloudHub: three sites of one virtual gateway, each with an AS number of its own, reach
 * each other through it; with a VPC and without. */
#include "hub.h"

#define SETTLE_NS (5 * SECOND)

/* Every device was told so many prefixes, on both tunnels. */
static void check_told(struct hub *h, uint32_t n)
{
    for (size_t i = 0; i < h->sites; i++) {
        for (size_t k = 0; k < 2; k++)
            CHECK(hub_tunnel(h->site[i].site, k).accepted_routes == n);
    }
}

/* Every site to every other one's network k. */
static bool all_reach_all(struct hub *h, size_t k)
{
    bool good = true;

    hub_count_anew(h);
    for (size_t i = 0; i < h->sites; i++) {
        for (size_t j = 0; j < h->sites; j++) {
            if (i != j)
                hub_ping(&h->site[i], &h->site[j], k);
        }
    }
    hub_run(h, 2 * SECOND);
    for (size_t i = 0; i < h->sites; i++)
        good = good && h->site[i].answered == h->site[i].asked;
    return good;
}

static void play(uint64_t seed, bool no_vpc)
{
    struct hub_plan plan = HUB_PLAN_INIT;
    static struct hub h;
    const unsigned vpc = no_vpc ? 0 : 1;

    plan.seed = seed;
    plan.no_vpc = no_vpc;
    plan.link.delay_ns = 10 * MILLISECOND;
    if (hub_open(&h, &plan) && hub_wait_up(&h, MINUTE)) {
        hub_run(&h, SETTLE_NS);
        check_told(&h, 4 + vpc);
        CHECK(all_reach_all(&h, 0));
        CHECK(all_reach_all(&h, 1));

        hub_set_extra(&h, 0, false); /* withdrawn by the site: the others lose it */
        hub_run(&h, SETTLE_NS);
        for (size_t k = 0; k < 2; k++) {
            CHECK(hub_tunnel(h.site[0].site, k).accepted_routes == 4 + vpc);
            CHECK(hub_tunnel(h.site[1].site, k).accepted_routes == 3 + vpc);
        }
        hub_ping(&h.site[1], &h.site[0], 1);
        hub_run(&h, SECOND);
        CHECK(h.site[1].answered == h.site[1].asked - 1);
        hub_set_extra(&h, 0, true);
        hub_run(&h, SETTLE_NS);
        check_told(&h, 4 + vpc);
        CHECK(all_reach_all(&h, 1));

        for (size_t k = 0; k < 2; k++) /* the site goes, first one tunnel, then the other */ {
            hub_cut(&h, 2, k, true);
            hub_run(&h, 50 * SECOND);
            CHECK(hub_tunnel(h.site[0].site, 0).accepted_routes == (k ? 2 : 4) + vpc);
        }
        for (size_t k = 0; k < 2; k++)
            hub_cut(&h, 2, k, false);
        if (hub_wait_up(&h, 3 * MINUTE)) {
            hub_run(&h, SETTLE_NS);
            check_told(&h, 4 + vpc);
            CHECK(all_reach_all(&h, 1));
        }
        CHECK(hub_drops(&h, S2SVPN_DROP_TTL) == 0);
        CHECK(h.leaks == 0 && h.mistaken == 0);
    }
    hub_close(&h);
}

static void with_a_vpc(uint64_t seed)
{
    play(seed, false);
}

static void without_a_vpc(uint64_t seed)
{
    play(seed, true);
}

/* The gateway tells a route on whatever the AS numbers are; the device finds its own in
 * the path. */
static void sites_with_one_asn_refuse_each_other(uint64_t seed)
{
    struct hub_plan plan = HUB_PLAN_INIT;
    static struct hub h;

    plan.seed = seed;
    plan.asn[0] = plan.asn[1] = 65100;
    if (hub_open(&h, &plan) && hub_wait_up(&h, MINUTE)) {
        hub_run(&h, SETTLE_NS);
        CHECK(hub_tunnel(h.site[0].site, 0).accepted_routes == 3);
        CHECK(hub_tunnel(h.site[1].site, 0).accepted_routes == 3);
        CHECK(hub_tunnel(h.site[2].site, 0).accepted_routes == 5);
        hub_ping(&h.site[0], &h.site[1], 0);
        hub_ping(&h.site[2], &h.site[1], 0);
        hub_ping(&h.site[2], NULL, 0);
        hub_run(&h, SECOND);
        CHECK(h.site[0].answered == 0);
        CHECK(h.site[2].answered == 2);
    }
    hub_close(&h);
}

int main(int argc, char **argv)
{
    static const struct scene_test tests[] = {
        {"three sites with a VPC", with_a_vpc, 5},
        {"three sites without a VPC", without_a_vpc, 5},
        {"sites with one AS number refuse each other", sites_with_one_asn_refuse_each_other, 2},
    };

    return scene_main(argc, argv, "sim/cloudhub_sites_reach_each_other", tests,
                      sizeof(tests) / sizeof(tests[0]));
}
