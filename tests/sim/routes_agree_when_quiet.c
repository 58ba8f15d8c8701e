/* SPDX-License-Identifier: Apache-2.0 */
/* Two virtual gateways whose networks overlap, each with sites that reach each other
 * through it, and by dice what makes routes come and go: paths cut and black-holed,
 * tunnels reset by either end, connections stopped, networks withdrawn and advertised
 * again, two default routes among them, propagation disabled and enabled. All the while:
 * no packet goes in circles, none crosses to the other gateway, and the entries of the
 * route tables keep the rules of propagation. When it is quiet, both ends agree. */
#include "campaign.h"
#include "hub.h"

#include <string.h>

#define SETTLE_NS (10 * SECOND)
#define ENTRIES_MAX 64

struct storm {
    struct hub h;
    s2svpn_sim *dice;
    uint8_t cut[HUB_SITES]; /* bits of tunnels */
    uint8_t black[HUB_SITES];
    bool stopped[HUB_SITES];
    bool disabled[HUB_GATEWAYS];
};

static uint64_t roll(struct storm *st, uint64_t low, uint64_t high)
{
    return campaign_roll(st->dice, low, high);
}

/* ---- what must hold at any moment */

/* The number of the site that a propagated entry belongs to, or SIZE_MAX. */
static size_t owner(const struct storm *st, size_t gateway, const s2svpn_route *r)
{
    const uint8_t *a = r->prefix.address.bytes;

    for (size_t i = 0; i < st->h.sites; i++) {
        if (st->h.site[i].gateway == gateway && a[0] == 20 && a[1] == st->h.site[i].number)
            return i;
    }
    return SIZE_MAX;
}

/* Every site has been up once, so the entry of its first network, which it never
 * withdraws, is there whatever has happened since; it has a path only by a tunnel that is
 * up. */
static void check_entries(struct storm *st, size_t gateway)
{
    struct hub *h = &st->h;
    s2svpn_route r[ENTRIES_MAX];
    const size_t n = s2svpn_route_table_list(h->gateway[gateway].table, r, ENTRIES_MAX);
    size_t first = 0, propagated = 0;

    for (size_t i = 0; i < n && i < ENTRIES_MAX; i++) {
        if (r[i].origin != S2SVPN_ORIGIN_PROPAGATED)
            continue;
        const size_t site = owner(st, gateway, &r[i]);
        propagated++;
        if (site == SIZE_MAX) {
            CHECK(r[i].prefix.length == 0);
            continue;
        }
        first += r[i].prefix.address.bytes[2] == 0;
        CHECK(!r[i].usable || hub_tunnel(h->site[site].cloud, 0).up ||
              hub_tunnel(h->site[site].cloud, 1).up);
    }
    CHECK(st->disabled[gateway] ? propagated == 0 : first == h->plan.sites);
}

static void check_always(struct storm *st)
{
    for (size_t g = 0; g < st->h.plan.gateways; g++)
        check_entries(st, g);
    CHECK(hub_drops(&st->h, S2SVPN_DROP_TTL) == 0);
    CHECK(st->h.leaks == 0 && st->h.mistaken == 0);
}

/* ---- what must hold when it is quiet */

static uint32_t networks_of(const struct hub_site *s)
{
    const struct hub_plan *plan = &s->hub->plan;

    return hub_has_extra(s) ? (uint32_t)(plan->networks + (s->number < plan->defaults)) : 1;
}

static uint32_t default_of(const struct hub_site *s)
{
    return hub_has_extra(s) && s->number < s->hub->plan.defaults;
}

/* A device knows the VPC and what the other sites advertise. Of two default routes the
 * gateway has chosen one and tells it to all but its own site. */
static void check_agreement(struct storm *st, size_t gateway)
{
    struct hub *h = &st->h;
    s2svpn_virtual_gateway_info info = {.size = sizeof(info)};
    uint32_t all = 0, defaults = 0, told[2] = {0, 0};

    for (size_t i = 0; i < h->sites; i++) {
        if (h->site[i].gateway == gateway) {
            defaults += default_of(&h->site[i]);
            all += networks_of(&h->site[i]) - default_of(&h->site[i]);
        }
    }
    for (size_t i = 0; i < h->sites; i++) {
        const struct hub_site *s = &h->site[i];

        for (size_t k = 0; k < 2 && s->gateway == gateway; k++) {
            const uint32_t own = networks_of(s) - default_of(s);
            const uint32_t knows = hub_tunnel(s->site, k).accepted_routes;

            CHECK(hub_tunnel(s->cloud, k).accepted_routes == networks_of(s));
            CHECK(knows == 1 + all - own || (defaults > 0 && knows == 2 + all - own));
            told[k] += knows - (1 + all - own);
        }
    }
    for (size_t k = 0; k < 2; k++)
        CHECK(told[k] == (defaults > 0 ? h->plan.sites - 1 : 0));
    s2svpn_virtual_gateway_get_info(h->gateway[gateway].vgw, &info);
    CHECK(info.prefixes == 1 + all + (defaults > 0));
    CHECK(info.prefixes - 1 + 1 ==
          s2svpn_route_table_list(h->gateway[gateway].table, NULL, 0)); /* and the local one */
}

static void ping_everything(struct storm *st)
{
    struct hub *h = &st->h;

    hub_count_anew(h);
    for (size_t i = 0; i < h->sites; i++) {
        for (size_t j = 0; j < h->sites; j++) {
            if (i != j && h->site[i].gateway == h->site[j].gateway)
                hub_ping(&h->site[i], &h->site[j], hub_has_extra(&h->site[j]) ? 1 : 0);
        }
        hub_ping(&h->site[i], NULL, 0);
        hub_ping_from_instance(h, h->site[i].gateway, &h->site[i], 0);
    }
    hub_run(h, 2 * SECOND);
    for (size_t i = 0; i < h->sites; i++)
        CHECK(h->site[i].answered == h->site[i].asked);
    for (size_t g = 0; g < h->plan.gateways; g++)
        CHECK(h->gateway[g].answered == h->gateway[g].asked);
}

/* ---- what may happen */

static void set_cut(struct storm *st, size_t site, size_t tunnel, bool on)
{
    const uint8_t bit = (uint8_t)(1 << tunnel);

    hub_cut(&st->h, site, tunnel, on);
    st->cut[site] = (uint8_t)(on ? st->cut[site] | bit : st->cut[site] & ~bit);
}

static void set_black(struct storm *st, size_t site, size_t tunnel, bool on)
{
    const uint8_t bit = (uint8_t)(1 << tunnel);

    s2svpn_tunnel_set_blackhole(s2svpn_connection_tunnel(st->h.site[site].cloud, tunnel), on);
    st->black[site] = (uint8_t)(on ? st->black[site] | bit : st->black[site] & ~bit);
}

static void set_stopped(struct storm *st, size_t site, bool on)
{
    const s2svpn_status rc = on ? s2svpn_connection_stop(st->h.site[site].site)
                                : s2svpn_connection_start(st->h.site[site].site);

    CHECK(rc == S2SVPN_OK);
    st->stopped[site] = on;
}

static void set_disabled(struct storm *st, size_t g, bool on)
{
    const struct hub_gateway *of = &st->h.gateway[g];

    if (st->disabled[g] == on)
        return;
    CHECK((on ? s2svpn_route_table_disable_propagation(of->table, of->vgw)
              : s2svpn_route_table_enable_propagation(of->table, of->vgw)) == S2SVPN_OK);
    st->disabled[g] = on;
}

/* Propagation stays disabled only until the next thing happens, and comes back only while
 * every site of the gateway has a path: else entries would be missing by the rules. */
static void flap_propagation(struct storm *st)
{
    const size_t g = roll(st, 0, st->h.plan.gateways - 1);

    for (size_t i = 0; i < st->h.sites; i++) {
        const struct hub_site *s = &st->h.site[i];

        if (s->gateway == g && !(hub_tunnel(s->cloud, 0).up && hub_tunnel(s->cloud, 1).up))
            return;
    }
    set_disabled(st, g, true);
    check_always(st);
    set_disabled(st, g, false);
}

static void happen(struct storm *st)
{
    const size_t site = roll(st, 0, st->h.sites - 1), tunnel = roll(st, 0, 1);
    struct hub_site *s = &st->h.site[site];
    const uint64_t what = roll(st, 0, 11);

    if (what < 3)
        set_cut(st, site, tunnel, !(st->cut[site] & 1 << tunnel));
    else if (what < 4)
        set_black(st, site, tunnel, !(st->black[site] & 1 << tunnel));
    else if (what < 6)
        CHECK(s2svpn_tunnel_reset(
                  s2svpn_connection_tunnel(what == 4 ? s->cloud : s->site, tunnel)) == S2SVPN_OK);
    else if (what < 7)
        set_stopped(st, site, !st->stopped[site]);
    else if (what < 11)
        hub_set_extra(&st->h, site, !hub_has_extra(s));
    else
        flap_propagation(st);
}

/* Pings all the while, to networks that are there and that aren't. */
static void ping_something(struct storm *st)
{
    struct hub *h = &st->h;
    struct hub_site *from = &h->site[roll(st, 0, h->sites - 1)];
    const struct hub_site *to = &h->site[roll(st, 0, h->sites - 1)];

    if (from->gateway == to->gateway)
        hub_ping(from, to, roll(st, 0, 5));
    hub_ping_from_instance(h, to->gateway, to, roll(st, 0, 5));
}

static void blow(struct storm *st, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        happen(st);
        for (uint64_t left = roll(st, 1, 100); left > 0; left--) {
            ping_something(st);
            hub_run(&st->h, roll(st, 1, 500) * MILLISECOND);
            check_always(st);
        }
    }
}

static void calm(struct storm *st)
{
    for (size_t i = 0; i < st->h.sites; i++) {
        for (size_t k = 0; k < 2; k++) {
            set_cut(st, i, k, false);
            set_black(st, i, k, false);
        }
        if (st->stopped[i])
            set_stopped(st, i, false);
    }
}

static void play(uint64_t seed)
{
    static struct storm st;
    struct hub_plan plan = HUB_PLAN_INIT;

    memset(&st, 0, sizeof(st));
    if (!CHECK(s2svpn_sim_new(seed, &st.dice) == S2SVPN_OK))
        return;
    plan.seed = seed;
    plan.gateways = 2;
    plan.sites = roll(&st, 2, 4);
    plan.networks = roll(&st, 2, 5);
    plan.defaults = roll(&st, 0, 2);
    plan.link.delay_ns = roll(&st, 1, 60) * MILLISECOND;
    plan.link.loss_ppm = roll(&st, 0, 1) ? (uint32_t)roll(&st, 0, 20000) : 0;
    if (hub_open(&st.h, &plan) && hub_wait_up(&st.h, 3 * MINUTE)) {
        hub_run(&st.h, SETTLE_NS);
        blow(&st, (unsigned)roll(&st, 3, 15));
        calm(&st);
        if (hub_wait_up(&st.h, CAMPAIGN_BOUND_NS)) {
            plan.link.loss_ppm = 0; /* so that every ping counts */
            CHECK(s2svpn_sim_set_link(st.h.sim, NULL, NULL, &plan.link) == S2SVPN_OK);
            st.h.plan.link.loss_ppm = 0;
            calm(&st);
            hub_run(&st.h, SETTLE_NS);
            check_always(&st);
            for (size_t g = 0; g < plan.gateways; g++)
                check_agreement(&st, g);
            ping_everything(&st);
            check_always(&st);
        }
    }
    hub_close(&st.h);
    s2svpn_sim_free(st.dice);
}

int main(int argc, char **argv)
{
    const struct scene_test tests[] = {
        {"routes agree when it is quiet", play, campaign_seeds(300)},
    };

    return scene_main(argc, argv, "sim/routes_agree_when_quiet", tests,
                      sizeof(tests) / sizeof(tests[0]));
}
