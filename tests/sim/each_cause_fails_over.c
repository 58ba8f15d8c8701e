/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever ends tunnel 1, traffic goes on by tunnel 2 within a stated time, each way, and
 * comes back to tunnel 1 without the loss of a packet when the cause has gone. Numbered
 * packets go both ways every 10 ms; the last test says how long each cause was felt.
 *
 * With BGP the device prepends its AS to what it announces by tunnel 2, as AWS advises to
 * those who want one way; of two equal paths the gateway would keep the older one, and stay
 * with tunnel 2.
 *
 * Not among the causes: ESP that vanishes between ends that still answer IKE, where routes
 * are static. Dead-peer detection is by IKE, and nothing else looks; so it is at AWS. */
#include "stream.h"

#include <string.h>

#define BEFORE_NS (5 * SECOND)
#define AFTER_NS (5 * SECOND)
/* An attempt of 83 s that found nobody, and a back-off of 75 s. */
#define BACK_WITHIN_NS (5 * MINUTE)
/* BGP's hold time or dead-peer detection, 30 s, what it takes to ask, and some. Where routes
 * are static and one way alone is cut, who still hears its peer asks nothing before that one
 * has given up: twice as long. */
#define TIMER_S 45
/* The other end is told: as long as the way is. */
#define TOLD_S 1

/* What becomes of tunnel 1's datagrams. */
enum lose {
    ESP_OUT = 1 << 0, /* from the gateway to the device */
    ESP_BACK = 1 << 1,
    IKE_OUT = 1 << 2,
    IKE_BACK = 1 << 3,
    BEGINNINGS = 1 << 4, /* IKE_SA_INIT, each way */
    ESP = ESP_OUT | ESP_BACK,
    IKE = IKE_OUT | IKE_BACK,
};

enum act { NOTHING, GATEWAY_RESETS, DEVICE_RESETS, GATEWAY_SWALLOWS, DEVICE_SWALLOWS };

struct cause {
    const char *name;
    bool static_routes;
    unsigned lose; /* enum lose */
    enum act act;
    unsigned most_s[2]; /* until traffic passes again to the device, and to the gateway */
    /* measured: */
    uint64_t gap_ns[2], back_ns;
    unsigned plays;
};

/* X(name of a function, promise, static routes, what is lost, what is done, s, s) */
#define CAUSES(X)                                                                                  \
    X(hole, "BGP: a black hole", false, ESP | IKE, NOTHING, TIMER_S, TIMER_S)                      \
    X(hole_out, "BGP: a black hole to the device", false, ESP_OUT | IKE_OUT, NOTHING, TIMER_S,     \
      TIMER_S)                                                                                     \
    X(hole_back, "BGP: a black hole to the gateway", false, ESP_BACK | IKE_BACK, NOTHING, TIMER_S, \
      TIMER_S)                                                                                     \
    X(hold, "BGP: the hold time ends, IKE alive", false, ESP, NOTHING, TIMER_S, TIMER_S)           \
    X(hold_out, "BGP: the hold time of the device", false, ESP_OUT, NOTHING, TIMER_S, TIMER_S)     \
    X(hold_back, "BGP: the hold time of the gateway", false, ESP_BACK, NOTHING, TIMER_S, TIMER_S)  \
    X(swallow, "BGP: the gateway swallows everything", false, 0, GATEWAY_SWALLOWS, TIMER_S,        \
      TIMER_S)                                                                                     \
    X(swallow_there, "BGP: the device swallows everything", false, 0, DEVICE_SWALLOWS, TIMER_S,    \
      TIMER_S)                                                                                     \
    X(cease, "BGP: Cease of the gateway, its DELETE is lost", false, IKE, GATEWAY_RESETS, TOLD_S,  \
      TOLD_S)                                                                                      \
    X(cease_there, "BGP: Cease of the device, its DELETE is lost", false, IKE, DEVICE_RESETS,      \
      TOLD_S, TOLD_S)                                                                              \
    X(end, "BGP: DELETE of the gateway alone", false, ESP | BEGINNINGS, GATEWAY_RESETS, TOLD_S,    \
      TOLD_S)                                                                                      \
    X(end_there, "BGP: DELETE of the device alone", false, ESP | BEGINNINGS, DEVICE_RESETS,        \
      TOLD_S, TOLD_S)                                                                              \
    X(reset, "BGP: a reset by the gateway", false, 0, GATEWAY_RESETS, TOLD_S, TOLD_S)              \
    X(reset_there, "BGP: a reset by the device", false, 0, DEVICE_RESETS, TOLD_S, TOLD_S)          \
    X(dpd, "static: DPD of both", true, ESP | IKE, NOTHING, TIMER_S, TIMER_S)                      \
    X(dpd_out, "static: DPD of the device", true, ESP_OUT | IKE_OUT, NOTHING, 2 * TIMER_S,         \
      TIMER_S)                                                                                     \
    X(dpd_back, "static: DPD of the gateway", true, ESP_BACK | IKE_BACK, NOTHING, TIMER_S,         \
      2 * TIMER_S)                                                                                 \
    X(s_swallow, "static: the gateway swallows everything", true, 0, GATEWAY_SWALLOWS, TIMER_S,    \
      TIMER_S)                                                                                     \
    X(s_end, "static: DELETE of the gateway", true, BEGINNINGS, GATEWAY_RESETS, TOLD_S, TOLD_S)    \
    X(s_end_there, "static: DELETE of the device", true, BEGINNINGS, DEVICE_RESETS, TOLD_S,        \
      TOLD_S)                                                                                      \
    X(s_reset, "static: a reset by the gateway", true, 0, GATEWAY_RESETS, TOLD_S, TOLD_S)          \
    X(s_reset_there, "static: a reset by the device", true, 0, DEVICE_RESETS, TOLD_S, TOLD_S)

enum {
#define NUMBER(id, ...) CAUSE_##id,
    CAUSES(NUMBER)
#undef NUMBER
        CAUSE_COUNT
};

static struct cause causes[] = {
#define ROW(id, words, is_static, what, how, out_s, back_s)                                        \
    {.name = words,                                                                                \
     .static_routes = is_static,                                                                   \
     .lose = what,                                                                                 \
     .act = how,                                                                                   \
     .most_s = {out_s, back_s}},
    CAUSES(ROW)
#undef ROW
};

/* ---- what is lost on the way */

struct play {
    struct scene s;
    struct stream stream;
    unsigned lose; /* now */
};

#define EXCHANGE_AT 18 /* in IKE's header, RFC 7296 section 3.1 */
#define IKE_SA_INIT 34

/* The IKE message in a datagram; NULL: it is ESP, or a keepalive. */
static const uint8_t *ike_of(const s2svpn_datagram *d)
{
    const uint8_t *p = d->data;

    if (d->local.role == S2SVPN_ROLE_IKE)
        return d->len > EXCHANGE_AT ? p : NULL;
    if (d->local.role != S2SVPN_ROLE_NATT || d->len <= 4 + EXCHANGE_AT)
        return NULL;
    return p[0] | p[1] | p[2] | p[3] ? NULL : p + 4; /* RFC 3948 section 2.2 */
}

static bool is_first(const s2svpn_endpoint *e)
{
    const s2svpn_address first = scene_gateway_address(0);

    return memcmp(e->address.bytes, first.bytes, sizeof(first.bytes)) == 0;
}

static void filter(void *user, s2svpn_sim *sim, s2svpn_datagram *d, s2svpn_sim_fate *fate,
                   uint64_t now_ns)
{
    const struct play *p = user;
    const uint8_t *ike = ike_of(d);
    const bool out = is_first(&d->local);

    (void)sim;
    (void)now_ns;
    if (!out && !is_first(&d->remote))
        return; /* tunnel 2's */
    if (ike == NULL)
        fate->drop = p->lose & (out ? ESP_OUT : ESP_BACK);
    else
        fate->drop = p->lose & (out ? IKE_OUT : IKE_BACK) ||
                     (p->lose & BEGINNINGS && ike[EXCHANGE_AT] == IKE_SA_INIT);
}

static void act(struct play *p, const struct cause *c, bool on)
{
    s2svpn_tunnel *cloud = s2svpn_connection_tunnel(p->s.cloud, 0),
                  *site = s2svpn_connection_tunnel(p->s.site, 0);

    p->lose = on ? c->lose : 0;
    if (c->act == GATEWAY_SWALLOWS)
        s2svpn_tunnel_set_blackhole(cloud, on);
    else if (c->act == DEVICE_SWALLOWS)
        s2svpn_tunnel_set_blackhole(site, on);
    else if (on && c->act == GATEWAY_RESETS)
        CHECK(s2svpn_tunnel_reset(cloud) == S2SVPN_OK);
    else if (on && c->act == DEVICE_RESETS)
        CHECK(s2svpn_tunnel_reset(site) == S2SVPN_OK);
}

/* ---- one play */

static struct scene_plan plan_of(const struct cause *c, uint64_t seed)
{
    struct scene_plan plan = SCENE_PLAN_INIT;

    plan.seed = seed;
    plan.static_routes = c->static_routes;
    plan.link.delay_ns = (1 + seed * 7 % 40) * MILLISECOND;
    plan.link.jitter_ns = seed % 3 * 2 * MILLISECOND;
    plan.job_max_ns = seed % 2 * 3 * MILLISECOND;
    return plan;
}

/* All goes by this tunnel, both ways, for a second. */
static bool goes_by(struct play *p, size_t tunnel)
{
    const uint64_t least = SECOND / STREAM_EVERY_NS,
                   cloud = scene_tunnel(p->s.cloud, tunnel).packets_out,
                   site = scene_tunnel(p->s.site, tunnel).packets_out;

    scene_run(&p->s, SECOND);
    return scene_tunnel(p->s.cloud, tunnel).packets_out - cloud >= least &&
           scene_tunnel(p->s.site, tunnel).packets_out - site >= least;
}

static void measure_gap(struct play *p, struct cause *c, uint64_t from_ns, uint64_t to_ns)
{
    const struct stream_way *const way[] = {&p->stream.to_device, &p->stream.to_gateway};

    for (size_t i = 0; i < 2; i++) {
        const uint64_t gap_ns = stream_gap(way[i], from_ns, to_ns);

        if (gap_ns > c->gap_ns[i])
            c->gap_ns[i] = gap_ns;
        if (!CHECK(gap_ns <= c->most_s[i] * SECOND))
            scene_say("nothing %s for %.3f s", i ? "to the gateway" : "to the device",
                      (double)gap_ns / 1e9);
    }
}

static void judge_return(struct play *p, uint64_t since_ns)
{
    const struct stream_way *const way[] = {&p->stream.to_device, &p->stream.to_gateway};

    for (size_t i = 0; i < 2; i++) {
        const unsigned lost = stream_lost(way[i], since_ns, 0);

        if (!CHECK(lost == 0))
            scene_say("%u lost %s", lost, i ? "to the gateway" : "to the device");
        CHECK(way[i]->twice == 0 && way[i]->wrong == 0);
    }
}

static bool fail_over(struct play *p, struct cause *c)
{
    const uint64_t cut_ns = s2svpn_sim_now(p->s.sim);
    const unsigned longest_s = c->most_s[0] > c->most_s[1] ? c->most_s[0] : c->most_s[1];
    const bool stays_away = c->lose || c->act == GATEWAY_SWALLOWS || c->act == DEVICE_SWALLOWS;

    act(p, c, true);
    scene_run(&p->s, longest_s * SECOND + SECOND / 2);
    measure_gap(p, c, cut_ns, s2svpn_sim_now(p->s.sim) - SECOND / 2);
    return !stays_away || CHECK(goes_by(p, 1));
}

static bool come_back(struct play *p, struct cause *c)
{
    const uint64_t since_ns = s2svpn_sim_now(p->s.sim);

    act(p, c, false);
    while (!goes_by(p, 0)) {
        if (!CHECK(s2svpn_sim_now(p->s.sim) < since_ns + BACK_WITHIN_NS))
            return false;
    }
    if (s2svpn_sim_now(p->s.sim) - since_ns > c->back_ns)
        c->back_ns = s2svpn_sim_now(p->s.sim) - since_ns;
    scene_run(&p->s, AFTER_NS);
    stream_end(&p->stream);
    judge_return(p, since_ns - SECOND / 2);
    return true;
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

static void play(struct cause *c, uint64_t seed)
{
    static struct play p;
    const struct scene_plan plan = plan_of(c, seed);

    p.lose = 0;
    c->plays++;
    if (scene_bring_up(&p.s, &plan) && (c->static_routes || prefer_first(&p))) {
        scene_run(&p.s, BEFORE_NS);
        s2svpn_sim_set_filter(p.s.sim, filter, &p);
        stream_begin(&p.stream, &p.s);
        if (!CHECK(goes_by(&p, 0)) || !fail_over(&p, c) || !come_back(&p, c))
            scene_describe(&p.s);
    }
    scene_close(&p.s);
}

#define PLAY(id, ...)                                                                              \
    static void play_##id(uint64_t seed)                                                           \
    {                                                                                              \
        play(&causes[CAUSE_##id], seed);                                                           \
    }
CAUSES(PLAY)
#undef PLAY

static void tell(uint64_t seed)
{
    static bool told;

    (void)seed;
    if (told)
        return;
    told = true;
    scene_say("%-46s %10s %10s %10s", "the longest of all seeds, s", "to device", "to gateway",
              "back after");
    for (size_t i = 0; i < CAUSE_COUNT; i++) {
        CHECK(causes[i].plays > 0);
        scene_say("%-46s %10.3f %10.3f %10.1f", causes[i].name, (double)causes[i].gap_ns[0] / 1e9,
                  (double)causes[i].gap_ns[1] / 1e9, (double)causes[i].back_ns / 1e9);
    }
}

int main(int argc, char **argv)
{
    static const struct scene_test tests[] = {
#define TEST(id, words, ...) {words, play_##id, 5},
        CAUSES(TEST)
#undef TEST
            {"how long each was felt is told", tell, 1},
    };

    return scene_main(argc, argv, "sim/each_cause_fails_over", tests,
                      sizeof(tests) / sizeof(tests[0]));
}
