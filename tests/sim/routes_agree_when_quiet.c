/* SPDX-License-Identifier: Apache-2.0 */
/* Two virtual gateways whose networks overlap, each with sites that reach each other
 * through it, and by dice what makes routes come and go: paths cut and black-holed,
 * tunnels reset by either end, connections stopped, networks withdrawn and advertised
 * again, two default routes among them, propagation disabled and enabled. All the while
 * hosts send anything to anywhere: no packet goes in circles, none crosses to the other
 * gateway, and the entries of the route tables keep the rules of propagation. When it is
 * quiet, both ends' tables agree, prefix by prefix. */
#include "campaign.h"
#include "crowd.h"
#include "flaps.h"

#include <string.h>

#define SETTLE_NS (10 * SECOND)
#define ENTRIES_MAX 64

struct storm {
    struct hub h;
    s2svpn_sim *dice;
    struct flaps flaps;
    struct crowd crowd;
    uint64_t knows[HUB_SITES]; /* what a device's events have said: bits of networks */
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
    const bool no_packet_enters_a_node_twice = st->crowd.again == 0;
    CHECK(no_packet_enters_a_node_twice);
    CHECK(st->h.leaks == 0 && st->h.mistaken == 0 && st->crowd.astray == 0);
}

/* ---- what must hold when it is quiet */

/* A prefix as a bit: the VPC's, the default route, the sites' networks. */
static uint64_t bit_of(const s2svpn_prefix *p)
{
    const uint8_t *a = p->address.bytes;

    return p->length == 0 ? 1 : a[0] == 10 ? 2 : (uint64_t)4 << (8 * (a[1] & 3) + (a[2] & 7));
}

static uint64_t networks_as_bits(const struct hub_site *s)
{
    const size_t n = hub_has_extra(s) ? s->hub->plan.networks : 1;

    return (((uint64_t)1 << n) - 1) << 2 << 8 * s->number;
}

/* A device's table as its events tell it. */
static void on_route(void *user, s2svpn_context *ctx, const s2svpn_event *e)
{
    uint64_t *knows = user;

    (void)ctx;
    *knows = e->up ? *knows | bit_of(&e->prefix) : *knows & ~bit_of(&e->prefix);
}

/* Prefix by prefix: a device's table is the VPC and the others' networks, the gateway's is
 * what all sites advertise. The default route is counted below. */
static void check_tables(struct storm *st, size_t gateway)
{
    const struct hub *h = &st->h;
    s2svpn_route r[ENTRIES_MAX];
    const size_t n = s2svpn_route_table_list(h->gateway[gateway].table, r, ENTRIES_MAX);
    uint64_t all = 0, listed = 0;

    for (size_t i = 0; i < h->sites; i++)
        all |= h->site[i].gateway == gateway ? networks_as_bits(&h->site[i]) : 0;
    for (size_t i = 0; i < h->sites; i++) {
        const uint64_t others = all & ~networks_as_bits(&h->site[i]);
        const bool the_device_has_what_the_others_advertise =
            (st->knows[i] & ~(uint64_t)1) == (others | 2);

        if (h->site[i].gateway == gateway)
            CHECK(the_device_has_what_the_others_advertise);
    }
    for (size_t i = 0; i < n && i < ENTRIES_MAX; i++)
        listed |= r[i].usable ? bit_of(&r[i].prefix) : 0;
    const bool the_table_has_what_the_sites_advertise = (listed & ~(uint64_t)1) == (all | 2);
    CHECK(the_table_has_what_the_sites_advertise);
}

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

    st->crowd.watch.inner = NULL; /* these pings have numbers of their own */
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
    if (roll(st, 0, 11) < 11)
        flaps_happen(&st->flaps);
    else
        flap_propagation(st);
}

static void blow(struct storm *st, unsigned times)
{
    for (unsigned i = 0; i < times; i++) {
        happen(st);
        for (uint64_t left = roll(st, 1, 100); left > 0; left--) {
            crowd_send(&st->crowd);
            crowd_send(&st->crowd);
            hub_run(&st->h, roll(st, 1, 500) * MILLISECOND);
            check_always(st);
        }
    }
}

static bool listen(struct storm *st)
{
    for (size_t i = 0; i < st->h.sites; i++) {
        if (!CHECK(s2svpn_context_subscribe(st->h.site[i].ctx, S2SVPN_EVENT_ROUTE, on_route,
                                            &st->knows[i], NULL) == S2SVPN_OK))
            return false;
    }
    return true;
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
    plan.watch = &st.crowd.watch;
    flaps_begin(&st.flaps, &st.h, st.dice);
    crowd_begin(&st.crowd, &st.h, st.dice);
    if (hub_open(&st.h, &plan) && listen(&st) && hub_wait_up(&st.h, 3 * MINUTE)) {
        hub_run(&st.h, SETTLE_NS);
        blow(&st, (unsigned)roll(&st, 3, 15));
        if (flaps_end(&st.flaps)) {
            check_always(&st);
            for (size_t g = 0; g < plan.gateways; g++) {
                check_agreement(&st, g);
                check_tables(&st, g);
            }
            ping_everything(&st);
            check_always(&st);
        }
    }
    hub_close(&st.h);
    crowd_end(&st.crowd);
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
