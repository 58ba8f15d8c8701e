/* SPDX-License-Identifier: Apache-2.0 */
/* Four virtual gateways in one context, each with a VPC of the same block and sites of the
 * same networks, some static: while by dice paths, connections and networks come and go and
 * gateways are detached and attached, hosts send anything to anywhere, with their own
 * addresses and with others'. Every packet carries its owner: on no wire and at no host is it
 * ever seen elsewhere. When it is quiet, everybody reaches their own. */
#include "campaign.h"
#include "crowd.h"
#include "flaps.h"

#include <string.h>

struct world {
    struct hub h; /* first: hub_wait hands it back */
    struct flaps flaps;
    struct crowd crowd;
    s2svpn_sim *dice;
    bool detached[HUB_GATEWAYS];
};

static void set_detached(struct world *w, size_t g, bool on)
{
    struct hub_gateway *of = &w->h.gateway[g];

    if (w->detached[g] == on)
        return;
    w->detached[g] = on;
    if (on) {
        CHECK(s2svpn_virtual_gateway_detach(of->vgw) == S2SVPN_OK);
        return;
    }
    CHECK(s2svpn_virtual_gateway_attach(of->vgw, of->vpc) == S2SVPN_OK);
    CHECK(s2svpn_route_table_enable_propagation(of->table, of->vgw) == S2SVPN_OK);
}

static void happen(struct world *w)
{
    const size_t g = campaign_roll(w->dice, 0, w->h.plan.gateways - 1);

    if (campaign_roll(w->dice, 0, 7) == 0)
        set_detached(w, g, !w->detached[g]);
    else
        flaps_happen(&w->flaps);
}

static void check_always(struct world *w)
{
    const bool no_packet_is_seen_at_another_gateways_host = w->h.leaks == 0,
               no_packet_is_on_its_way_to_another_gateways_site = w->crowd.astray == 0,
               no_packet_enters_a_node_twice = w->crowd.again == 0,
               what_arrives_is_what_was_sent = w->h.mistaken == 0;

    CHECK(no_packet_is_seen_at_another_gateways_host);
    CHECK(no_packet_is_on_its_way_to_another_gateways_site);
    CHECK(no_packet_enters_a_node_twice);
    CHECK(what_arrives_is_what_was_sent);
}

static void blow(struct world *w, uint64_t times)
{
    for (; times > 0; times--) {
        happen(w);
        for (uint64_t left = campaign_roll(w->dice, 1, 60); left > 0; left--) {
            for (uint64_t n = campaign_roll(w->dice, 1, 6); n > 0; n--)
                crowd_send(&w->crowd);
            hub_run(&w->h, campaign_roll(w->dice, 1, 500) * MILLISECOND);
        }
        check_always(w);
    }
}

static bool calm(struct world *w)
{
    for (size_t g = 0; g < w->h.plan.gateways; g++)
        set_detached(w, g, false);
    return flaps_end(&w->flaps);
}

static void ping_all(struct world *w)
{
    struct hub *h = &w->h;

    w->crowd.watch.inner = NULL; /* these pings have numbers of their own */
    hub_count_anew(h);
    for (size_t i = 0; i < h->sites; i++) {
        hub_ping(&h->site[i], NULL, 0);
        hub_ping_from_instance(h, h->site[i].gateway, &h->site[i], 0);
    }
    hub_run(h, 2 * SECOND);
    for (size_t i = 0; i < h->sites; i++)
        CHECK(h->site[i].answered == h->site[i].asked);
    for (size_t g = 0; g < h->plan.gateways; g++)
        CHECK(h->gateway[g].answered == h->gateway[g].asked);
}

static void play(uint64_t seed)
{
    static struct world w;
    struct hub_plan plan = HUB_PLAN_INIT;

    memset(&w, 0, sizeof(w));
    if (!CHECK(s2svpn_sim_new(seed, &w.dice) == S2SVPN_OK))
        return;
    crowd_begin(&w.crowd, &w.h, w.dice);
    flaps_begin(&w.flaps, &w.h, w.dice);
    plan.seed = seed;
    plan.gateways = campaign_roll(w.dice, 2, HUB_GATEWAYS);
    plan.sites = campaign_roll(w.dice, 1, 3);
    plan.statics = campaign_roll(w.dice, 0, plan.sites);
    plan.networks = campaign_roll(w.dice, 2, 5);
    plan.defaults = campaign_roll(w.dice, 0, 1);
    plan.watch = &w.crowd.watch;
    plan.link.delay_ns = campaign_roll(w.dice, 1, 60) * MILLISECOND;
    plan.link.loss_ppm = (uint32_t)campaign_roll(w.dice, 0, 10000);
    if (hub_open(&w.h, &plan) && hub_wait_up(&w.h, 3 * MINUTE)) {
        blow(&w, campaign_roll(w.dice, 3, 12));
        if (calm(&w)) {
            ping_all(&w);
            check_always(&w);
        }
        CHECK(hub_drops(&w.h, S2SVPN_DROP_TTL) == 0);
        CHECK(w.crowd.followed > 0 && !w.crowd.watch.broken);
    }
    hub_close(&w.h);
    crowd_end(&w.crowd);
    s2svpn_sim_free(w.dice);
}

int main(int argc, char **argv)
{
    const struct scene_test tests[] = {
        {"gateways with the same networks never exchange a packet", play, campaign_seeds(100)},
    };

    return scene_main(argc, argv, "sim/overlapping_networks_stay_apart", tests,
                      sizeof(tests) / sizeof(tests[0]));
}
