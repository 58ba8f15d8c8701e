/* SPDX-License-Identifier: Apache-2.0 */
/* Each fault that a gateway can be told to play on tunnel 1, as the device feels it: packets
 * both ways move to tunnel 2 within a stated time, or don't; tunnel 2 never notices; and
 * when the fault is over or cleared, all goes by tunnel 1 again.
 *
 * The device prepends its AS to what it announces by tunnel 2, as in
 * each_cause_fails_over.c. */
#include "stream.h"

#define BEFORE_NS (5 * SECOND)
#define AFTER_NS (5 * SECOND)
/* BGP rests for half a minute after too many prefixes, and longer each time; a device tries
 * a gateway that is silent for 83 s, and rests for as long. */
#define BACK_WITHIN_NS (5 * MINUTE)
#define TIMER_S 45 /* BGP's hold time or dead-peer detection, 30 s, and what it takes to ask */
#define TOLD_S 1   /* as long as the way is */
#define UNFELT_S 0

struct fault {
    const char *name;
    enum s2svpn_fault fault;
    bool static_routes;
    unsigned most_s[2]; /* until packets pass again to the device, and to the gateway */
    bool away[2];       /* they stay with tunnel 2 for as long as it lasts */
    unsigned lasts_s;
};

/* X(name of a function, promise, fault, static routes, s, s, stays away, stays away, lasts) */
#define FAULTS(X)                                                                                  \
    X(hole, "BGP: a black hole is felt by timers", BLACKHOLE, false, TIMER_S, TIMER_S, true, true, \
      60)                                                                                          \
    X(s_hole, "static: a black hole is felt by timers", BLACKHOLE, true, TIMER_S, TIMER_S, true,   \
      true, 60)                                                                                    \
    X(end, "BGP: a delete is felt at once, and over", DELETE, false, TOLD_S, TOLD_S, false, false, \
      5)                                                                                           \
    X(s_end, "static: a delete is felt at once, and over", DELETE, true, TOLD_S, TOLD_S, false,    \
      false, 5)                                                                                    \
    X(dpd, "BGP: without answers to its checks a device with traffic goes on", NO_DPD, false,      \
      UNFELT_S, UNFELT_S, false, false, 180)                                                       \
    X(s_dpd, "static: without answers to its checks a device with traffic goes on", NO_DPD, true,  \
      UNFELT_S, UNFELT_S, false, false, 180)                                                       \
    X(rekey, "BGP: a rekey now is not felt", REKEY_NOW, false, UNFELT_S, UNFELT_S, false, false,   \
      10)                                                                                          \
    X(s_rekey, "static: a rekey now is not felt", REKEY_NOW, true, UNFELT_S, UNFELT_S, false,      \
      false, 10)                                                                                   \
    X(reset, "BGP: a reset session is felt at once, and over", BGP_RESET, false, TOLD_S, TOLD_S,   \
      false, false, 5)                                                                             \
    X(withdraw, "BGP: what is withdrawn goes the other way, and no packet is lost", WITHDRAW,      \
      false, UNFELT_S, UNFELT_S, false, true, 60)                                                  \
    X(limit, "BGP: a device over its limit is refused until cleared", OVER_LIMIT, false, TOLD_S,   \
      TOLD_S, true, true, 120)                                                                     \
    X(replace, "BGP: maintenance is announced, and no packet is lost", MAINTENANCE, false,         \
      UNFELT_S, UNFELT_S, false, false, 30)

enum {
#define NUMBER(id, ...) FAULT_##id,
    FAULTS(NUMBER)
#undef NUMBER
        FAULT_COUNT
};

static const struct fault faults[] = {
#define ROW(id, words, which, is_static, out_s, back_s, away_out, away_back, for_s)                \
    {.name = words,                                                                                \
     .fault = S2SVPN_FAULT_##which,                                                                \
     .static_routes = is_static,                                                                   \
     .most_s = {out_s, back_s},                                                                    \
     .away = {away_out, away_back},                                                                \
     .lasts_s = for_s},
    FAULTS(ROW)
#undef ROW
};

struct play {
    struct scene s;
    struct stream stream;
};

static struct scene_plan plan_of(bool static_routes, uint64_t seed)
{
    struct scene_plan plan = SCENE_PLAN_INIT;

    plan.seed = seed;
    plan.static_routes = static_routes;
    plan.link.delay_ns = (1 + seed * 7 % 40) * MILLISECOND;
    /* IKEv1's deletes of phase 1 and of the child are two messages, and none is answered. A
     * way that swaps them leaves the child to the device until dead-peer detection. */
    plan.link.jitter_ns = scene_is_ikev1() ? 0 : seed % 3 * 2 * MILLISECOND;
    plan.job_max_ns = seed % 2 * 3 * MILLISECOND;
    return plan;
}

static bool prefer_first(struct play *p)
{
    const s2svpn_bgp_rule longer = {.accept = true, .prepend = 1};
    s2svpn_bgp_policy export_policy = S2SVPN_BGP_POLICY_INIT;

    export_policy.rules = &longer;
    export_policy.rule_count = 1;
    return CHECK(s2svpn_tunnel_set_bgp_policies(s2svpn_connection_tunnel(p->s.site, 1), NULL,
                                                &export_policy) == S2SVPN_OK);
}

/* Which tunnels carried anything within a second, to the device and to the gateway. */
static void look(struct play *p, bool by[2][2])
{
    uint64_t before[2][2];

    for (size_t i = 0; i < 2; i++) {
        before[0][i] = scene_tunnel(p->s.cloud, i).packets_out;
        before[1][i] = scene_tunnel(p->s.site, i).packets_out;
    }
    scene_run(&p->s, SECOND);
    for (size_t i = 0; i < 2; i++) { /* BGP itself sends a few */
        by[0][i] = scene_tunnel(p->s.cloud, i).packets_out - before[0][i] > 50;
        by[1][i] = scene_tunnel(p->s.site, i).packets_out - before[1][i] > 50;
    }
}

static bool all_by_first(struct play *p)
{
    bool by[2][2];

    look(p, by);
    return by[0][0] && !by[0][1] && by[1][0] && !by[1][1];
}

static const struct stream_way *way_of(const struct play *p, size_t i)
{
    return i ? &p->stream.to_gateway : &p->stream.to_device;
}

static void judge_gap(const struct play *p, const struct fault *f, uint64_t from_ns, uint64_t to_ns)
{
    for (size_t i = 0; i < 2; i++) {
        const uint64_t gap_ns = stream_gap(way_of(p, i), from_ns, to_ns);
        const unsigned lost = stream_lost(way_of(p, i), from_ns, to_ns);

        if (!CHECK(f->most_s[i] ? gap_ns <= f->most_s[i] * SECOND : lost == 0))
            scene_say("%u lost %s, nothing for %.3f s", lost,
                      i ? "to the gateway" : "to the device", (double)gap_ns / 1e9);
    }
}

static void suffer(struct play *p, const struct fault *f)
{
    s2svpn_tunnel *cloud = s2svpn_connection_tunnel(p->s.cloud, 0);
    const uint64_t since_ns = s2svpn_sim_now(p->s.sim);
    bool by[2][2];

    CHECK(s2svpn_tunnel_provoke(cloud, f->fault) == S2SVPN_OK);
    scene_run(&p->s, f->lasts_s * SECOND);
    judge_gap(p, f, since_ns, s2svpn_sim_now(p->s.sim) - SECOND / 2);
    look(p, by);
    for (size_t i = 0; i < 2; i++)
        CHECK(by[i][1] == f->away[i] && by[i][0] != f->away[i]);
    s2svpn_tunnel_clear_faults(cloud);
    CHECK(s2svpn_tunnel_faults(cloud) == 0);
}

static void come_back(struct play *p)
{
    const uint64_t since_ns = s2svpn_sim_now(p->s.sim);

    while (!all_by_first(p)) {
        if (!CHECK(s2svpn_sim_now(p->s.sim) < since_ns + BACK_WITHIN_NS))
            return;
    }
    scene_run(&p->s, AFTER_NS);
    stream_end(&p->stream);
    for (size_t i = 0; i < 2; i++) {
        CHECK(stream_lost(way_of(p, i), since_ns, 0) == 0);
        CHECK(way_of(p, i)->twice == 0 && way_of(p, i)->wrong == 0);
    }
}

static void play(const struct fault *f, uint64_t seed)
{
    static struct play p;
    const struct scene_plan plan = plan_of(f->static_routes, seed);

    if (scene_bring_up(&p.s, &plan) && (f->static_routes || prefer_first(&p))) {
        scene_run(&p.s, BEFORE_NS);

        const uint64_t other_ns[] = {scene_tunnel(p.s.cloud, 1).changed_ns,
                                     scene_tunnel(p.s.site, 1).changed_ns};

        stream_begin(&p.stream, &p.s);
        if (CHECK(all_by_first(&p))) {
            suffer(&p, f);
            come_back(&p);
        }
        CHECK(scene_tunnel(p.s.cloud, 1).changed_ns == other_ns[0]);
        CHECK(scene_tunnel(p.s.site, 1).changed_ns == other_ns[1]);
    }
    scene_close(&p.s);
}

#define PLAY(id, ...)                                                                              \
    static void play_##id(uint64_t seed)                                                           \
    {                                                                                              \
        play(&faults[FAULT_##id], seed);                                                           \
    }
FAULTS(PLAY)
#undef PLAY

/* Where nothing else comes from the gateway, the device's own checks decide. It begins anew,
 * is answered, and asks in vain again. */
static void play_quiet(uint64_t seed)
{
    static struct scene s;
    struct scene_plan plan = plan_of(true, seed);

    plan.tunnel.dpd_action = S2SVPN_DPD_NONE; /* of the gateway */
    if (scene_bring_up(&s, &plan)) {
        s2svpn_tunnel *cloud = s2svpn_connection_tunnel(s.cloud, 0);
        const unsigned downs = s.device.tunnel_downs;

        CHECK(s2svpn_tunnel_provoke(cloud, S2SVPN_FAULT_NO_DPD) == S2SVPN_OK);
        scene_run(&s, 3 * MINUTE);
        CHECK(s.device.tunnel_downs >= downs + 2);
        s2svpn_tunnel_clear_faults(cloud);
        scene_run(&s, MINUTE);

        const unsigned then = s.device.tunnel_downs;

        scene_run(&s, 3 * MINUTE);
        CHECK(scene_both_up(&s) && s.device.tunnel_downs == then);
    }
    scene_close(&s);
}

static const struct scene_test tests[] = {
#define TEST(id, words, ...) {words, play_##id, 3},
    FAULTS(TEST)
#undef TEST
        {"static: where nothing else passes, checks without an answer end the tunnel", play_quiet,
         3},
};
#define TESTS (sizeof(tests) / sizeof(tests[0]))

int main(int argc, char **argv)
{
    return scene_main_versions(argc, argv, "sim/provoked_faults_are_felt", tests, TESTS, tests,
                               TESTS);
}
