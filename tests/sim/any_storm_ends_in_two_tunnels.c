/* SPDX-License-Identifier: Apache-2.0 */
/* Campaigns: a gateway and a device, and by dice all that networks and people do to
 * them: loss, duplicates, reordering, partitions, a NAT that forgets or moves, key
 * exchanges that are slow, ends that die, tunnels that are stopped, reset and rekeyed by
 * both sides at once, exchanges that are dropped, mangled and replayed. Whatever it was:
 * when it is over, two tunnels with one child each carry traffic before long, and none
 * of the campaign's invariants was ever broken. */
#include "campaign.h"

struct storm {
    struct campaign c;
    s2svpn_sim *dice;
    uint64_t over_ns; /* by then what lasts has ended: partitions, what is held back */
};

static uint64_t roll(struct storm *st, uint64_t low, uint64_t high)
{
    return campaign_roll(st->dice, low, high);
}

static void lasts_until(struct storm *st, uint64_t ns)
{
    st->over_ns = ns > st->over_ns ? ns : st->over_ns;
}

static struct scene_plan draw_plan(struct storm *st, uint64_t seed)
{
    struct scene_plan plan = SCENE_PLAN_INIT;

    plan.seed = seed;
    plan.static_routes = roll(st, 0, 1);
    plan.udp_only = roll(st, 0, 1);
    plan.nat = roll(st, 0, 1);
    plan.nat_how.expiry_ns = roll(st, 0, 1) ? roll(st, 15, 120) * SECOND : 0;
    plan.nat_how.symmetric = roll(st, 0, 3) == 0;
    plan.link.delay_ns = roll(st, 1, 80) * MILLISECOND;
    plan.link.jitter_ns = roll(st, 0, 40) * MILLISECOND;
    if (roll(st, 0, 1)) {
        plan.link.loss_ppm = (uint32_t)roll(st, 0, 150000);
        plan.link.duplicate_ppm = (uint32_t)roll(st, 0, 50000);
        plan.link.reorder_ppm = (uint32_t)roll(st, 0, 50000);
    }
    plan.job_min_ns = roll(st, 0, 5) * MILLISECOND;
    plan.job_max_ns = plan.job_min_ns + roll(st, 0, 300) * MILLISECOND;
    plan.tunnel.startup_action = roll(st, 0, 2) == 0 ? S2SVPN_STARTUP_START : S2SVPN_STARTUP_ADD;
    plan.tunnel.dpd_action = (uint8_t)roll(st, S2SVPN_DPD_CLEAR, S2SVPN_DPD_RESTART);
    if (roll(st, 0, 1)) { /* the shortest: rekeys of both kinds fall into the storm */
        plan.tunnel.phase1_lifetime_s = 960;
        plan.tunnel.phase2_lifetime_s = 900;
        plan.tunnel.rekey_margin_s = (uint32_t)roll(st, 60, 450);
        plan.tunnel.rekey_fuzz_percent = 1;
    }
    return plan;
}

/* ---- what may happen; each returns soon, its effect may last */

static void rekey(const s2svpn_connection *conn, bool ike)
{
    for (size_t i = 0; i < 2; i++) { /* maybe it has none */
        s2svpn_tunnel *t = s2svpn_connection_tunnel(conn, i);

        (void)!(ike ? s2svpn_tunnel_rekey_ike(t) : s2svpn_tunnel_rekey(t));
    }
}

static void rekey_by_one(struct storm *st)
{
    rekey(roll(st, 0, 1) ? st->c.s.cloud : st->c.s.site, roll(st, 0, 1));
}

static void rekey_by_both(struct storm *st)
{
    struct scene *s = &st->c.s;
    const bool gateway_first = roll(st, 0, 1);

    rekey(gateway_first ? s->cloud : s->site, roll(st, 0, 1));
    if (roll(st, 0, 1)) /* else at the same instant */
        scene_run(s, roll(st, 0, 2) * s->plan.link.delay_ns + roll(st, 0, 20) * MILLISECOND);
    rekey(gateway_first ? s->site : s->cloud, roll(st, 0, 1));
}

static void reset(struct storm *st)
{
    const s2svpn_connection *conn = roll(st, 0, 1) ? st->c.s.cloud : st->c.s.site;

    CHECK(s2svpn_tunnel_reset(s2svpn_connection_tunnel(conn, roll(st, 0, 1))) == S2SVPN_OK);
}

static void reset_by_both(struct storm *st)
{
    const size_t i = roll(st, 0, 1);

    CHECK(s2svpn_tunnel_reset(s2svpn_connection_tunnel(st->c.s.cloud, i)) == S2SVPN_OK);
    scene_run(&st->c.s, roll(st, 0, 100) * MILLISECOND);
    CHECK(s2svpn_tunnel_reset(s2svpn_connection_tunnel(st->c.s.site, i)) == S2SVPN_OK);
}

static void stop_for_a_while(struct storm *st)
{
    CHECK(s2svpn_connection_stop(st->c.s.site) == S2SVPN_OK);
    scene_run(&st->c.s, roll(st, 0, 20000) * MILLISECOND);
    CHECK(s2svpn_connection_start(st->c.s.site) == S2SVPN_OK);
}

static void device_dies(struct storm *st)
{
    scene_kill(&st->c.s.device);
    scene_run(&st->c.s, roll(st, 0, 10000) * MILLISECOND);
    CHECK(scene_revive_device(&st->c.s) == S2SVPN_OK);
}

static void gateway_dies(struct storm *st)
{
    scene_kill(&st->c.s.gateway);
    scene_run(&st->c.s, roll(st, 0, 10000) * MILLISECOND);
    CHECK(scene_revive_gateway(&st->c.s) == S2SVPN_OK);
}

/* One of the gateway's addresses, or both, from seconds to minutes. */
static void part(struct storm *st)
{
    const uint64_t now_ns = s2svpn_sim_now(st->c.s.sim);
    const s2svpn_address a[] = {scene_gateway_address(0), scene_gateway_address(1)};
    const uint64_t which = roll(st, 0, 2);
    const uint64_t begin_ns = now_ns + roll(st, 0, 2000) * MILLISECOND;
    const uint64_t last_ns = roll(st, 0, 1) ? roll(st, 1, 20) * SECOND : roll(st, 20, 120) * SECOND;

    lasts_until(st, begin_ns + last_ns);
    CHECK(s2svpn_sim_partition(st->c.s.sim, which == 1 ? a + 1 : a, which == 2 ? 2 : 1, NULL, 0,
                               begin_ns, begin_ns + last_ns) == S2SVPN_OK);
}

static void rebind(struct storm *st)
{
    if (st->c.s.nat)
        s2svpn_sim_nat_flush(st->c.s.nat);
}

/* The NAT itself gets another address, and after a while its old one again: a customer
 * gateway has one address, from which alone it may begin. */
static void move(struct storm *st)
{
    const s2svpn_address home = scene_device_address();
    s2svpn_address away = home;

    if (!st->c.s.nat)
        return;
    away.bytes[3] = 8;
    CHECK(s2svpn_sim_nat_set_outside(st->c.s.nat, &away) == S2SVPN_OK);
    scene_run(&st->c.s, roll(st, 1, 60) * SECOND);
    CHECK(s2svpn_sim_nat_set_outside(st->c.s.nat, &home) == S2SVPN_OK);
}

static void impair_something(struct storm *st)
{
    static const enum impair_exchange exchange[] = {ANY_EXCHANGE,    IKE_SA_INIT,     IKE_AUTH,
                                                    CREATE_CHILD_SA, CREATE_CHILD_SA, INFORMATIONAL,
                                                    NOT_IKE};
    static const enum impair_exchange exchange_1[] = {
        ANY_EXCHANGE, MAIN_MODE, MAIN_MODE, QUICK_MODE, QUICK_MODE, INFORMATIONAL_1, NOT_IKE};
    const bool v1 = scene_is_ikev1() || (scene_is_ike_auto() && roll(st, 0, 1));
    struct impair_rule r = {.what = (enum impair_what)roll(st, 0, IMPAIR_WHATS - 1),
                            .exchange = (v1 ? exchange_1 : exchange)[roll(st, 0, 6)],
                            .kind = (enum impair_kind)roll(st, IMPAIR_BOTH, IMPAIR_RESPONSE),
                            .from = (enum impair_side)roll(st, IMPAIR_EITHER, IMPAIR_DEVICE),
                            .from_nth = (unsigned)roll(st, 0, 3),
                            .count = (unsigned)roll(st, 1, 6)};

    r.ns = roll(st, 0, 1) ? roll(st, 0, 3000) * MILLISECOND : roll(st, 3, 40) * SECOND;
    lasts_until(st, s2svpn_sim_now(st->c.s.sim) + r.ns);
    if (st->c.impair.count == IMPAIR_RULES)
        impair_clear(&st->c.impair);
    CHECK(impair_add(&st->c.impair, r));
}

static void (*const happenings[])(struct storm *) = {
    rekey_by_one,     rekey_by_both,    rekey_by_both, reset,  reset_by_both,
    stop_for_a_while, device_dies,      gateway_dies,  part,   part,
    impair_something, impair_something, rebind,        rebind, move,
};
#define HAPPENINGS (sizeof(happenings) / sizeof(happenings[0]))

/* ---- the campaigns */

static void blow(struct storm *st, unsigned times, uint64_t longest_gap_ms)
{
    for (unsigned i = 0; i < times; i++) {
        happenings[roll(st, 0, HAPPENINGS - 1)](st);
        scene_run(&st->c.s, roll(st, 0, longest_gap_ms) * MILLISECOND);
    }
}

/* From here on nothing disturbs: the bound counts from when all of it is over. */
static void end(struct storm *st)
{
    impair_clear(&st->c.impair);
    if (st->over_ns > s2svpn_sim_now(st->c.s.sim))
        s2svpn_sim_run(st->c.s.sim, st->over_ns);
    if (campaign_calm(&st->c))
        campaign_judge(&st->c);
}

static void a_storm(uint64_t seed)
{
    struct storm st = {.over_ns = 0};

    if (!CHECK(s2svpn_sim_new(seed, &st.dice) == S2SVPN_OK))
        return;
    struct scene_plan plan = draw_plan(&st, seed);
    if (campaign_open(&st.c, &plan)) {
        scene_ping_for(&st.c.s, SECOND, 60 * MINUTE);
        blow(&st, (unsigned)roll(&st, 1, 12), roll(&st, 100, 40000));
        end(&st);
    }
    campaign_close(&st.c);
    s2svpn_sim_free(st.dice);
}

int main(int argc, char **argv)
{
    const struct scene_test tests[] = {
        {"any storm ends in two tunnels", a_storm, campaign_seeds(1200)},
    };
    const struct scene_test v1_tests[] = {
        {"any storm ends in two tunnels", a_storm, campaign_seeds(200)},
    };

    const struct scene_test either_tests[] = {
        {"any storm ends in two tunnels", a_storm, campaign_seeds(150)},
    };
    const struct scene_plays plays = {
        .v2 = tests,
        .v2_count = 1,
        .v1 = v1_tests,
        .v1_count = 1,
        .either = either_tests,
        .either_count = 1,
    };

    return scene_main_plays(argc, argv, "sim/any_storm_ends_in_two_tunnels", &plays);
}
