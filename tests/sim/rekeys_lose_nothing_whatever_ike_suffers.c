/* SPDX-License-Identifier: Apache-2.0 */
/* Campaigns in which the network loses no ESP packet, so that each one that doesn't
 * arrive is our fault. What is delayed, doubled, held back and, of IKE alone, dropped
 * and mangled is up to the dice; so are rekeys of children and of IKE SAs by either side or
 * by both at the same instant, by command and by lifetimes. */
#include "campaign.h"

#define STEP_NS (40 * SECOND)

static struct scene_plan draw_plan(s2svpn_sim *dice, uint64_t seed)
{
    struct scene_plan plan = SCENE_PLAN_INIT;

    plan.seed = seed;
    plan.static_routes = campaign_roll(dice, 0, 1);
    plan.udp_only = campaign_roll(dice, 0, 1);
    plan.nat = campaign_roll(dice, 0, 1);
    plan.link.delay_ns = campaign_roll(dice, 1, 80) * MILLISECOND;
    plan.link.jitter_ns = campaign_roll(dice, 0, 40) * MILLISECOND;
    plan.link.duplicate_ppm = (uint32_t)campaign_roll(dice, 0, 100000);
    plan.link.reorder_ppm = (uint32_t)campaign_roll(dice, 0, 100000);
    plan.job_min_ns = campaign_roll(dice, 0, 5) * MILLISECOND;
    plan.job_max_ns = plan.job_min_ns + campaign_roll(dice, 0, 300) * MILLISECOND;
    return plan;
}

/* A dead-peer check gives up after 30 s and the tries leave after 0, 2, 5.6, 12.1 and
 * 23.8 s: three that are spoiled, or late by less than 3 s, end nothing. */
static void spoil(struct campaign *c, s2svpn_sim *dice)
{
    static const enum impair_exchange exchange[] = {ANY_EXCHANGE, CREATE_CHILD_SA, CREATE_CHILD_SA,
                                                    INFORMATIONAL};
    static const enum impair_exchange exchange_1[] = {ANY_EXCHANGE, MAIN_MODE, QUICK_MODE,
                                                      INFORMATIONAL_1};
    struct impair_rule r = {
        .what = (enum impair_what)campaign_roll(dice, 0, IMPAIR_WHATS - 1),
        .exchange = (scene_is_ikev1() ? exchange_1 : exchange)[campaign_roll(dice, 0, 3)],
        .kind = (enum impair_kind)campaign_roll(dice, 0, IMPAIR_RESPONSE),
        .from = (enum impair_side)campaign_roll(dice, 0, IMPAIR_DEVICE),
        .from_nth = (unsigned)campaign_roll(dice, 0, 4),
        .count = (unsigned)campaign_roll(dice, 1, 3)};

    r.ns = r.what == IMPAIR_DELAY ? campaign_roll(dice, 0, 3000) * MILLISECOND
                                  : campaign_roll(dice, 0, 40000) * MILLISECOND;
    if ((r.what == IMPAIR_DUPLICATE || r.what == IMPAIR_REPLAY) && campaign_roll(dice, 0, 1)) {
        r.exchange = NOT_IKE; /* ESP, old or twice: dropped, and only the second one */
        r.count = 0;
    }
    CHECK(impair_add(&c->impair, r));
}

static void rekey(const s2svpn_connection *conn, bool ike)
{
    for (size_t i = 0; i < 2; i++) {
        s2svpn_tunnel *t = s2svpn_connection_tunnel(conn, i);
        const s2svpn_status rc = ike ? s2svpn_tunnel_rekey_ike(t) : s2svpn_tunnel_rekey(t);

        CHECK(rc == S2SVPN_OK || rc == S2SVPN_E_STATE); /* it is being done */
    }
}

static void rekey_somehow(struct campaign *c, s2svpn_sim *dice)
{
    const uint64_t who = campaign_roll(dice, 0, 3);

    if (who != 1)
        rekey(c->s.cloud, campaign_roll(dice, 0, 1));
    if (who == 3)
        scene_run(&c->s, campaign_roll(dice, 0, 3 * c->s.plan.link.delay_ns));
    if (who != 0)
        rekey(c->s.site, campaign_roll(dice, 0, 1));
}

static void judge(struct campaign *c, unsigned downs)
{
    c->s.ping_until_ns = s2svpn_sim_now(c->s.sim);
    impair_clear(&c->impair);
    scene_run(&c->s, 5 * SECOND);
    const bool no_packet_is_lost_at_a_rekey = scene_nothing_lost(&c->s),
               no_tunnel_went_down = c->s.gateway.tunnel_downs + c->s.device.tunnel_downs == downs;
    if (!CHECK(no_packet_is_lost_at_a_rekey) || !CHECK(no_tunnel_went_down)) {
        scene_describe(&c->s);
        impair_describe(&c->impair);
    }
    if (campaign_calm(c))
        campaign_judge(c);
    const bool every_sa_was_known_to_its_receiver = watch_unheard(&c->watch) == 0;
    CHECK(every_sa_was_known_to_its_receiver);
}

static void by_command(uint64_t seed)
{
    struct campaign c;
    s2svpn_sim *dice;

    if (!CHECK(s2svpn_sim_new(seed, &dice) == S2SVPN_OK))
        return;
    struct scene_plan plan = draw_plan(dice, seed);
    if (campaign_open(&c, &plan)) {
        const unsigned downs = c.s.gateway.tunnel_downs + c.s.device.tunnel_downs;
        const unsigned steps = (unsigned)campaign_roll(dice, 1, 5);

        scene_ping_for(&c.s, SECOND, 60 * MINUTE);
        for (unsigned i = 0; i < steps; i++) {
            if (campaign_roll(dice, 0, 3))
                spoil(&c, dice);
            scene_ping_for(&c.s, 40 * MILLISECOND, 60 * MINUTE);
            rekey_somehow(&c, dice);
            scene_run(&c.s, 2 * SECOND);
            if (campaign_roll(dice, 0, 1)) { /* once more before all is done */
                rekey_somehow(&c, dice);
                scene_run(&c.s, 2 * SECOND);
            }
            scene_ping_for(&c.s, SECOND, 60 * MINUTE);
            scene_run(&c.s, STEP_NS);
            impair_clear(&c.impair);
        }
        judge(&c, downs);
    }
    campaign_close(&c);
    s2svpn_sim_free(dice);
}

/* What lost a collision is deleted by the side that made it; while the agreement to that
 * is lost again and again, the peer has long forgotten it: nothing may be sent on it. */
static void agreed_late(uint64_t seed)
{
    struct scene_plan plan = SCENE_PLAN_INIT;
    struct campaign c;

    plan.seed = seed;
    plan.static_routes = seed % 2;
    plan.link.delay_ns = 40 * MILLISECOND;
    if (campaign_open(&c, &plan)) {
        const unsigned downs = c.s.gateway.tunnel_downs + c.s.device.tunnel_downs;

        CHECK(impair_add(&c.impair, (struct impair_rule){.what = IMPAIR_DROP,
                                                         .exchange = INFORMATIONAL,
                                                         .kind = IMPAIR_RESPONSE}));
        scene_ping_for(&c.s, 100 * MILLISECOND, 60 * MINUTE);
        rekey(c.s.cloud, false);
        rekey(c.s.site, false);
        scene_run(&c.s, 11 * SECOND);
        CHECK(c.impair.done > 2);
        impair_clear(&c.impair);
        scene_run(&c.s, 20 * SECOND);
        judge(&c, downs);
    }
    campaign_close(&c);
}

/* IKEv1 deletes once, and nobody agrees to it: the old child is displaced all the same. */
static void deletes_lost(uint64_t seed)
{
    struct scene_plan plan = SCENE_PLAN_INIT;
    struct campaign c;

    plan.seed = seed;
    plan.static_routes = seed % 2;
    plan.link.delay_ns = 40 * MILLISECOND;
    if (campaign_open(&c, &plan)) {
        const unsigned downs = c.s.gateway.tunnel_downs + c.s.device.tunnel_downs;

        CHECK(impair_add(&c.impair,
                         (struct impair_rule){.what = IMPAIR_DROP,
                                              .exchange = INFORMATIONAL_1,
                                              .from = seed % 3 ? IMPAIR_GATEWAY : IMPAIR_EITHER}));
        scene_ping_for(&c.s, 100 * MILLISECOND, 60 * MINUTE);
        rekey(c.s.cloud, seed % 4 == 0);
        if (seed % 5 > 1)
            rekey(c.s.site, seed % 4 == 0);
        scene_run(&c.s, 25 * SECOND);
        CHECK(c.impair.done > 0);
        impair_clear(&c.impair);
        scene_run(&c.s, 20 * SECOND);
        judge(&c, downs);
    }
    campaign_close(&c);
}

/* The shortest lifetimes that AWS allows, and the gateway's in the middle of what the
 * device's dice may choose: IKE SAs and children of both ends are due at about the same
 * time, and a request that is held back for some seconds makes it the same. */
static void by_lifetime(uint64_t seed)
{
    struct campaign c;
    s2svpn_sim *dice;

    if (!CHECK(s2svpn_sim_new(seed, &dice) == S2SVPN_OK))
        return;
    struct scene_plan plan = draw_plan(dice, seed);
    plan.tunnel.phase1_lifetime_s = (uint32_t)campaign_roll(dice, 901, 1000);
    plan.tunnel.phase2_lifetime_s = 900;
    plan.tunnel.rekey_margin_s = (uint32_t)campaign_roll(dice, 270, 450);
    plan.tunnel.rekey_fuzz_percent = (uint32_t)campaign_roll(dice, 1, 101);
    if (campaign_open(&c, &plan)) {
        const unsigned downs = c.s.gateway.tunnel_downs + c.s.device.tunnel_downs;
        struct impair_rule r = {.what = IMPAIR_DELAY,
                                .exchange = scene_is_ikev1() ? QUICK_MODE : CREATE_CHILD_SA,
                                .kind = IMPAIR_REQUEST,
                                .ns = campaign_roll(dice, 0, 4000) * MILLISECOND};

        CHECK(impair_add(&c.impair, r));
        scene_ping_for(&c.s, 2 * SECOND, 60 * MINUTE);
        scene_run(&c.s, 17 * MINUTE);
        for (size_t i = 0; i < 2; i++)
            CHECK(scene_tunnel(c.s.site, i).rekeys > 0);
        judge(&c, downs);
    }
    campaign_close(&c);
    s2svpn_sim_free(dice);
}

int main(int argc, char **argv)
{
    const struct scene_test tests[] = {
        {"by command, whatever IKE suffers", by_command, campaign_seeds(400)},
        {"where deletes are agreed on late", agreed_late, campaign_seeds(20)},
        {"by lifetime, of both kinds and by both sides", by_lifetime, campaign_seeds(100)},
    };
    const struct scene_test v1_tests[] = {
        {"by command, whatever IKE suffers", by_command, campaign_seeds(100)},
        {"where deletes are lost", deletes_lost, campaign_seeds(20)},
        {"by lifetime, of both kinds and by both sides", by_lifetime, campaign_seeds(25)},
    };

    return scene_main_versions(argc, argv, "sim/rekeys_lose_nothing_whatever_ike_suffers", tests,
                               sizeof(tests) / sizeof(tests[0]), v1_tests,
                               sizeof(v1_tests) / sizeof(v1_tests[0]));
}
