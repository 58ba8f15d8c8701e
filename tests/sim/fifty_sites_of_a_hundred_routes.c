/* SPDX-License-Identifier: Apache-2.0 */
/* Size: fifty sites with a hundred routes each at one virtual gateway, as many as AWS's
 * quotas allow (and more connections than its ten a gateway). Loaded, failed over to the
 * second tunnels and restored within stated virtual times; what it costs in CPU is said.
 * Each device is told as many of the other sites' 4,900 routes as it may be. */
#include "hub.h"

#include <time.h>

#define NETWORKS 100
#define TOLD 991 /* S2_HUB_PREFIXES_MAX and the VPC */
#define LOAD_NS (30 * SECOND)
#define FAILOVER_NS (45 * SECOND) /* BGP's hold time or dead-peer detection, 30 s, and some */
#define RESTORE_NS (3 * MINUTE)   /* the back-off of tries that found nobody, and some */

static bool tunnels_know(const struct hub *h, size_t tunnel)
{
    for (size_t i = 0; i < h->sites; i++) {
        if (hub_tunnel(h->site[i].cloud, tunnel).accepted_routes != NETWORKS ||
            hub_tunnel(h->site[i].site, tunnel).accepted_routes != TOLD)
            return false;
    }
    return true;
}

static bool is_loaded(void *hub)
{
    const struct hub *h = hub;
    s2svpn_virtual_gateway_info info = {.size = sizeof(info)};

    s2svpn_virtual_gateway_get_info(h->gateway[0].vgw, &info);
    return hub_is_up(hub) && info.prefixes == HUB_SITES * NETWORKS + 1 && tunnels_know(h, 0) &&
           tunnels_know(h, 1);
}

/* The first tunnels are down at both ends, and the second ones carry everything. */
static bool is_failed_over(void *hub)
{
    struct hub *h = hub;

    for (size_t i = 0; i < h->sites; i++) {
        if (hub_tunnel(h->site[i].cloud, 0).up || hub_tunnel(h->site[i].site, 0).up)
            return false;
    }
    return tunnels_know(h, 1);
}

/* Every site from the instance, at its last network, and the instance from every site. */
static bool all_are_reached(struct hub *h)
{
    bool good = true;

    hub_count_anew(h);
    for (size_t i = 0; i < h->sites; i++) {
        hub_ping_from_instance(h, 0, &h->site[i], NETWORKS - 1);
        hub_ping(&h->site[i], NULL, 0);
    }
    hub_run(h, 2 * SECOND);
    for (size_t i = 0; i < h->sites; i++)
        good = good && h->site[i].answered == h->site[i].asked;
    return good && h->gateway[0].answered == h->gateway[0].asked;
}

static void say(const struct hub *h, const char *what, uint64_t since_ns, clock_t since)
{
    scene_say("%s: %.1f s of virtual time, %.2f s of CPU", what,
              (double)(s2svpn_sim_now(h->sim) - since_ns) / 1e9,
              (double)(clock() - since) / CLOCKS_PER_SEC);
}

/* Until it holds, all hosts reached; says what it took. */
static bool reach(struct hub *h, const char *what, bool (*done)(void *hub), uint64_t most_ns,
                  clock_t since)
{
    const uint64_t start_ns = s2svpn_sim_now(h->sim);

    if (!CHECK(hub_wait(h, done, most_ns))) {
        hub_describe(h);
        return false;
    }
    say(h, what, start_ns, since);
    return CHECK(all_are_reached(h));
}

/* A route table has no room for all 5,000: people give it one route to the gateway. */
static bool add_way_to_all(struct hub *h)
{
    const s2svpn_prefix all = {.address = {.family = S2SVPN_FAMILY_IPV4, .bytes = {20}},
                               .length = 8};

    return CHECK(s2svpn_route_table_add(h->gateway[0].table, &all, h->gateway[0].vgw, NULL) ==
                 S2SVPN_OK);
}

static void play(uint64_t seed)
{
    static struct hub h;
    struct hub_plan plan = HUB_PLAN_INIT;
    const clock_t begin = clock();

    plan.seed = seed;
    plan.sites = HUB_SITES;
    plan.networks = NETWORKS;
    plan.link.delay_ns = 10 * MILLISECOND;
    if (hub_open(&h, &plan) && add_way_to_all(&h) &&
        reach(&h, "50 sites of 100 routes loaded", is_loaded, LOAD_NS, begin)) {
        const clock_t cut = clock();

        for (size_t i = 0; i < h.sites; i++)
            hub_cut(&h, i, 0, true);
        if (reach(&h, "failed over, every first tunnel cut", is_failed_over, FAILOVER_NS, cut)) {
            const clock_t back = clock();

            for (size_t i = 0; i < h.sites; i++)
                hub_cut(&h, i, 0, false);
            (void)reach(&h, "restored", is_loaded, RESTORE_NS, back);
        }
        CHECK(hub_drops(&h, S2SVPN_DROP_TTL) == 0);
    }
    hub_close(&h);
}

int main(int argc, char **argv)
{
    static const struct scene_test tests[] = {
        {"fifty sites of a hundred routes load, fail over and come back", play, 1},
    };

    return scene_main(argc, argv, "sim/fifty_sites_of_a_hundred_routes", tests,
                      sizeof(tests) / sizeof(tests[0]));
}
