/* SPDX-License-Identifier: Apache-2.0 */
/* Tunnels with IPv6 inside, over IPv4 and over IPv6, and IPv4 over IPv6: hosts of the VPC
 * and the LAN ping each other, a rekey loses nothing, and the tunnel that carries the
 * traffic is cut and gives way to the other. */
#include <string.h>

#include "scene.h"

#define ICMPV6 58
#define REQUEST 128
#define REPLY 129
#define PING_LEN 120
#define MOST_NS (45 * SECOND) /* hold time or dead-peer detection 30 s, and some */

/* ---- the two hosts' pings, by hand */

struct ends {
    unsigned asked, answered, wrong;
    uint64_t last_ns;
};
struct play {
    struct scene scene;
    struct ends gateway, device;
    uint64_t until_ns;
};

static const uint8_t instance[16] = {0x20, 1, 0xd, 0xb8, 0, 0xa, 0, 1, [15] = 0x10};
static const uint8_t host[16] = {0x20, 1, 0xd, 0xb8, 0, 0xb, [15] = 0x20};

static void put16(uint8_t *p, uint32_t v)
{
    p[0] = (uint8_t)(v >> 8);
    p[1] = (uint8_t)v;
}

static uint32_t get16(const uint8_t *p)
{
    return (uint32_t)p[0] << 8 | p[1];
}

/* RFC 1071, with the pseudo-header of RFC 8200 section 8.1; 0: it is right. */
static uint16_t checksum(const uint8_t *p, size_t len)
{
    uint32_t sum = (uint32_t)(len - 40) + ICMPV6;

    for (size_t i = 8; i + 1 < len; i += 2)
        sum += get16(p + i);
    if (len % 2)
        sum += (uint32_t)p[len - 1] << 8;
    while (sum >> 16)
        sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

static void write_ping(uint8_t *p, uint8_t type, const uint8_t *from, const uint8_t *to,
                       uint32_t seq)
{
    memset(p, 0, PING_LEN);
    p[0] = 0x60;
    put16(p + 4, PING_LEN - 40);
    p[6] = ICMPV6;
    p[7] = 64;
    memcpy(p + 8, from, 16);
    memcpy(p + 24, to, 16);
    p[40] = type;
    put16(p + 46, seq);
    for (size_t i = 48; i < PING_LEN; i++)
        p[i] = (uint8_t)(i + seq);
    put16(p + 42, checksum(p, PING_LEN));
}

static void inject(struct scene_side *side, uint8_t *p)
{
    const s2svpn_packet packet = {.data = p, .len = PING_LEN};

    (void)!s2svpn_sim_inject(side->node, side->port, &packet, 1);
}

static void ask(struct scene_side *side, struct ends *e, const uint8_t *from, const uint8_t *to)
{
    uint8_t p[PING_LEN];

    write_ping(p, REQUEST, from, to, e->asked++ & 0xffff);
    inject(side, p);
}

/* What arrives: the other's request, or the answer to one of ours; nothing else. */
static bool take(struct scene_side *side, const s2svpn_packet *p, size_t n)
{
    struct play *play = side->taker_user;
    struct ends *e = side == &play->scene.gateway ? &play->gateway : &play->device;
    const uint8_t *us = e == &play->gateway ? instance : host;
    const uint8_t *them = e == &play->gateway ? host : instance;

    for (size_t i = 0; i < n; i++) {
        uint8_t wanted[PING_LEN];
        const uint8_t *got = p[i].data;

        if (p[i].len != PING_LEN) {
            e->wrong++;
            continue;
        }
        write_ping(wanted, got[40], them, us, get16(got + 46));
        wanted[7] = 62; /* two routers */
        e->wrong += memcmp(wanted, got, PING_LEN) != 0;
        if (got[40] == REQUEST) {
            write_ping(wanted, REPLY, us, them, get16(got + 46));
            inject(side, wanted);
        } else {
            e->answered++;
            e->last_ns = s2svpn_sim_now(play->scene.sim);
        }
    }
    return true;
}

static void ping_both(void *user, s2svpn_sim *sim, uint64_t now_ns)
{
    struct play *play = user;

    if (now_ns >= play->until_ns)
        return;
    ask(&play->scene.gateway, &play->gateway, instance, host);
    ask(&play->scene.device, &play->device, host, instance);
    CHECK(s2svpn_sim_at(sim, now_ns + 100 * MILLISECOND, ping_both, play) == S2SVPN_OK);
}

static void ping_for(struct play *play, uint64_t ns)
{
    const uint64_t now_ns = s2svpn_sim_now(play->scene.sim);

    play->until_ns = now_ns + ns;
    CHECK(s2svpn_sim_at(play->scene.sim, now_ns, ping_both, play) == S2SVPN_OK);
}

static bool open_play(struct play *play, const struct scene_plan *plan)
{
    memset(play, 0, sizeof(*play));
    if (!scene_bring_up(&play->scene, plan))
        return false;
    play->scene.gateway.taker = play->scene.device.taker = take;
    play->scene.gateway.taker_user = play->scene.device.taker_user = play;
    scene_run(&play->scene, SECOND);
    return true;
}

static unsigned lost(const struct play *play)
{
    return play->gateway.asked - play->gateway.answered + play->device.asked -
           play->device.answered;
}

/* From now until both got an answer to a ping of later than now. */
static uint64_t time_to_answer(struct play *play)
{
    const uint64_t start_ns = s2svpn_sim_now(play->scene.sim);

    while (s2svpn_sim_now(play->scene.sim) < start_ns + 2 * MINUTE) {
        scene_run(&play->scene, 100 * MILLISECOND);
        if (play->gateway.last_ns > start_ns + SECOND && play->device.last_ns > start_ns + SECOND)
            break;
    }
    return s2svpn_sim_now(play->scene.sim) - start_ns;
}

static bool first_is_down(void *scene)
{
    struct scene *s = scene;

    return !scene_tunnel(s->cloud, 0).up && !scene_tunnel(s->site, 0).up;
}

/* ---- scenarios */

static bool rekeyed(void *scene)
{
    struct scene *s = scene;

    return scene_tunnel(s->site, 0).rekeys >= 1 && scene_tunnel(s->site, 1).rekeys >= 1;
}

static void cross(uint64_t seed, struct scene_plan plan)
{
    struct play play;

    plan.seed = seed;
    plan.inside_ipv6 = true;
    plan.link.delay_ns = 10 * MILLISECOND;
    if (open_play(&play, &plan)) {
        struct scene *s = &play.scene;

        ping_for(&play, 30 * SECOND);
        scene_run(s, 5 * SECOND);
        for (size_t i = 0; i < 2; i++)
            CHECK(s2svpn_tunnel_rekey(s2svpn_connection_tunnel(s->site, i)) == S2SVPN_OK);
        CHECK(scene_wait(s, rekeyed, 10 * SECOND));
        scene_run(s, 30 * SECOND);
        if (!CHECK(play.gateway.asked == 300 && lost(&play) == 0))
            scene_describe(s);

        /* The tunnel that carries them is cut, and opened again. */
        ping_for(&play, 10 * MINUTE);
        scene_run(s, 5 * SECOND);
        scene_cut(s, 0, true);
        CHECK(time_to_answer(&play) < MOST_NS);
        CHECK(scene_wait(s, first_is_down, MOST_NS));
        scene_run(s, SECOND);
        unsigned before = lost(&play);
        scene_run(s, MINUTE);
        CHECK(lost(&play) <= before + 2); /* one each way is under way */
        scene_cut(s, 0, false);
        if (!CHECK(scene_wait(s, scene_both_up, 3 * MINUTE)))
            scene_describe(s);
        scene_run(s, 5 * SECOND);
        before = lost(&play);
        scene_run(s, MINUTE);
        CHECK(lost(&play) <= before + 2);
        CHECK(play.gateway.wrong == 0 && play.device.wrong == 0);
    }
    scene_close(&play.scene);
}

static void over_ipv4_with_bgp(uint64_t seed)
{
    cross(seed, (struct scene_plan)SCENE_PLAN_INIT);
}

static void over_ipv4_with_static_routes(uint64_t seed)
{
    struct scene_plan plan = SCENE_PLAN_INIT;

    plan.static_routes = true;
    cross(seed, plan);
}

static void over_ipv6_with_bgp(uint64_t seed)
{
    struct scene_plan plan = SCENE_PLAN_INIT;

    plan.outside_ipv6 = true;
    cross(seed, plan);
}

static void over_ipv6_in_udp(uint64_t seed)
{
    struct scene_plan plan = SCENE_PLAN_INIT;

    plan.outside_ipv6 = true;
    plan.udp_only = true;
    cross(seed, plan);
}

static void behind_a_nat(uint64_t seed)
{
    struct scene_plan plan = SCENE_PLAN_INIT;

    plan.nat = true;
    cross(seed, plan);
}

/* A link that loses every tenth packet: BGP's TCP over IPv6 gets through all the same. */
static void lossy_links_come_up(uint64_t seed)
{
    struct scene_plan plan = SCENE_PLAN_INIT;
    struct play play;

    plan.seed = seed;
    plan.inside_ipv6 = true;
    plan.link.loss_ppm = 100000;
    plan.link.jitter_ns = 5 * MILLISECOND;
    if (open_play(&play, &plan)) {
        for (size_t i = 0; i < 2; i++)
            CHECK(scene_tunnel(play.scene.site, i).accepted_routes == 1);
        ping_for(&play, 10 * SECOND);
        scene_run(&play.scene, 11 * SECOND);
        CHECK(play.gateway.answered > 50 && play.device.answered > 50);
        CHECK(play.gateway.wrong == 0 && play.device.wrong == 0);
    }
    scene_close(&play.scene);
}

/* The other way round: IPv4 in tunnels whose outside is IPv6. */
static void ipv4_over_ipv6(uint64_t seed)
{
    struct scene_plan plan = SCENE_PLAN_INIT;
    struct scene s;

    plan.seed = seed;
    plan.outside_ipv6 = true;
    plan.link.delay_ns = 10 * MILLISECOND;
    if (scene_bring_up(&s, &plan)) {
        scene_run(&s, SECOND);
        scene_ping_for(&s, 100 * MILLISECOND, 10 * SECOND);
        scene_run(&s, 11 * SECOND);
        CHECK(scene_nothing_lost(&s) && s.gateway.asked == 100);
        CHECK(scene_tunnel(s.site, 0).mtu > 1300);
        scene_cut(&s, 0, true);
        CHECK(scene_wait(&s, first_is_down, MOST_NS));
        scene_count_anew(&s);
        scene_ping_for(&s, 100 * MILLISECOND, 10 * SECOND);
        scene_run(&s, 11 * SECOND);
        CHECK(scene_nothing_lost(&s));
        scene_cut(&s, 0, false);
        CHECK(scene_wait(&s, scene_both_up, 3 * MINUTE));
    }
    scene_close(&s);
}

/* Either end is taken away without a word, and comes back. */
static void restarts_are_survived(uint64_t seed)
{
    struct scene_plan plan = SCENE_PLAN_INIT;
    struct play play;

    plan.seed = seed;
    plan.inside_ipv6 = true;
    if (open_play(&play, &plan)) {
        struct scene *s = &play.scene;

        scene_kill(&s->device);
        scene_run(s, SECOND);
        CHECK(scene_revive_device(s) == S2SVPN_OK);
        CHECK(scene_wait(s, scene_both_up, MINUTE));
        scene_run(s, SECOND);
        ping_for(&play, 5 * SECOND);
        scene_run(s, 6 * SECOND);
        if (!CHECK(play.gateway.asked == 50 && lost(&play) == 0))
            scene_describe(s);
    }
    scene_close(&play.scene);
}

int main(int argc, char **argv)
{
    static const struct scene_test tests[] = {
        {"over IPv4, with BGP", over_ipv4_with_bgp, 3},
        {"over IPv4, with static routes", over_ipv4_with_static_routes, 3},
        {"over IPv6, with BGP", over_ipv6_with_bgp, 3},
        {"over IPv6, in UDP", over_ipv6_in_udp, 3},
        {"behind a NAT", behind_a_nat, 3},
        {"lossy links come up", lossy_links_come_up, 5},
        {"IPv4 over IPv6", ipv4_over_ipv6, 3},
        {"restarts are survived", restarts_are_survived, 3},
    };

    return scene_main(argc, argv, "sim/ipv6_inside_crosses_and_fails_over", tests,
                      sizeof(tests) / sizeof(tests[0]));
}
