/* SPDX-License-Identifier: Apache-2.0 */
/* Equal-cost multipath at both ends: the flows of both hosts use both tunnels, each flow
 * one of them. When a tunnel is cut its flows move within what dead-peer detection and
 * BGP's hold time allow, while the others lose nothing; when it comes back they return,
 * and nobody loses anything. A flow is an echo identifier here. */
#include "scene.h"

#include <string.h>

#define FLOWS 64
#define LEAST (FLOWS / 4) /* a tunnel's share of them */
#define EVERY_NS (100 * MILLISECOND)
#define MOST_NS (45 * SECOND) /* hold time or dead-peer detection 30 s, and some */
#define FIRST_ID 1000

struct flows {
    struct scene s;
    unsigned asked[2][FLOWS], answered[2][FLOWS]; /* by the gateway's host, the device's */
    uint8_t way[2][FLOWS];                        /* the tunnel by which they leave it */
    bool running;
    unsigned strange; /* packets that are none of these */
};

static struct scene_side *side_of(struct flows *f, size_t end)
{
    return end ? &f->s.device : &f->s.gateway;
}

/* From one end's host to the other's. */
static void send(struct flows *f, size_t end, uint8_t type, uint16_t id, uint16_t seq)
{
    const struct scene_side *from = side_of(f, end), *to = side_of(f, !end);
    uint8_t data[256];
    s2svpn_packet p = {.data = data};

    p.len = (uint32_t)packet_echo(data, type, from->address, to->address, id, seq, 56);
    (void)!s2svpn_sim_inject(from->node, from->port, &p, 1);
}

static bool take(struct scene_side *side, const s2svpn_packet *p, size_t n)
{
    struct flows *f = side->taker_user;
    const size_t end = side == &f->s.device;

    for (size_t i = 0; i < n; i++) {
        struct echo e;

        if (packet_is_icmp_error(p[i].data, p[i].len))
            continue;
        if (!packet_read_echo(p[i].data, p[i].len, &e) || e.to != side->address ||
            e.id < FIRST_ID || e.id >= FIRST_ID + FLOWS)
            f->strange++;
        else if (e.type == ECHO_REQUEST)
            send(f, end, ECHO_REPLY, e.id, e.seq);
        else
            f->answered[end][e.id - FIRST_ID]++;
    }
    return true;
}

static void ask_all(void *user, s2svpn_sim *sim, uint64_t now_ns)
{
    struct flows *f = user;

    if (!f->running)
        return;
    for (size_t end = 0; end < 2; end++) {
        for (uint16_t i = 0; i < FLOWS; i++)
            send(f, end, ECHO_REQUEST, (uint16_t)(FIRST_ID + i), (uint16_t)f->asked[end][i]++);
    }
    CHECK(s2svpn_sim_at(sim, now_ns + EVERY_NS, ask_all, f) == S2SVPN_OK);
}

static void start(struct flows *f)
{
    f->running = true;
    CHECK(s2svpn_sim_at(f->s.sim, s2svpn_sim_now(f->s.sim), ask_all, f) == S2SVPN_OK);
}

/* No more questions; what is under way arrives. Then count anew. */
static void finish(struct flows *f)
{
    f->running = false;
    scene_run(&f->s, SECOND);
}

static void count_anew(struct flows *f)
{
    memset(f->asked, 0, sizeof(f->asked));
    memset(f->answered, 0, sizeof(f->answered));
}

static bool nothing_lost(const struct flows *f)
{
    return memcmp(f->asked, f->answered, sizeof(f->asked)) == 0 && f->asked[0][0] > 0;
}

/* The tunnel by which the flow leaves this end now. In the microsecond that it takes a BGP
 * speaker may send as well; then it is asked again. A reply is of the same flow as a
 * request of that end would be. */
static uint8_t look(struct flows *f, size_t end, uint16_t i)
{
    const s2svpn_connection *conn = end ? f->s.site : f->s.cloud;

    for (unsigned tries = 0; tries < 10; tries++) {
        const uint64_t first = scene_tunnel(conn, 0).packets_out;
        const uint64_t second = scene_tunnel(conn, 1).packets_out;

        send(f, end, ECHO_REPLY, (uint16_t)(FIRST_ID + i), 0);
        scene_run(&f->s, 1000);
        const bool by_first = scene_tunnel(conn, 0).packets_out != first;
        const bool by_second = scene_tunnel(conn, 1).packets_out != second;
        if (by_first != by_second)
            return by_second;
    }
    CHECK(!"a flow leaves by one tunnel");
    return 0;
}

static void look_at_ways(struct flows *f)
{
    for (size_t end = 0; end < 2; end++) {
        unsigned second = 0;

        for (uint16_t i = 0; i < FLOWS; i++)
            second += f->way[end][i] = look(f, end, i);
        scene_say("%s: %u flows by tunnel 0, %u by tunnel 1", side_of(f, end)->name, FLOWS - second,
                  second);
    }
    scene_run(&f->s, SECOND);
    count_anew(f);
}

static bool both_ends_use_both(const struct flows *f)
{
    bool good = true;

    for (size_t end = 0; end < 2; end++) {
        unsigned second = 0;

        for (size_t i = 0; i < FLOWS; i++)
            second += f->way[end][i];
        good = good && second >= LEAST && second <= FLOWS - LEAST;
    }
    return good;
}

/* A flow's question and its answer leave different ends. */
static bool avoids(const struct flows *f, size_t i, size_t tunnel)
{
    return f->way[0][i] != tunnel && f->way[1][i] != tunnel;
}

static bool the_others_lost_nothing(const struct flows *f, size_t tunnel)
{
    unsigned others = 0, lost = 0, of_the_tunnel = 0;

    for (size_t i = 0; i < FLOWS; i++) {
        for (size_t end = 0; end < 2; end++) {
            const unsigned n = f->asked[end][i] - f->answered[end][i];

            *(avoids(f, i, tunnel) ? &lost : &of_the_tunnel) += n;
        }
        others += avoids(f, i, tunnel);
    }
    scene_say("%u flows avoid tunnel %zu and lost %u; the others lost %u", others, tunnel, lost,
              of_the_tunnel);
    return others > 0 && lost == 0 && of_the_tunnel > 0;
}

static bool first_is_down(void *scene)
{
    const struct scene *s = scene;

    return !scene_tunnel(s->cloud, 0).up && !scene_tunnel(s->site, 0).up;
}

static bool second_is_down(void *scene)
{
    const struct scene *s = scene;

    return !scene_tunnel(s->cloud, 1).up && !scene_tunnel(s->site, 1).up;
}

static void cut_and_mend(struct flows *f, size_t tunnel)
{
    uint8_t way[2][FLOWS];

    look_at_ways(f);
    CHECK(both_ends_use_both(f));
    memcpy(way, f->way, sizeof(way));
    start(f);
    scene_run(&f->s, 10 * SECOND);

    scene_cut(&f->s, tunnel, true);
    CHECK(scene_wait(&f->s, tunnel ? second_is_down : first_is_down, MOST_NS));
    finish(f);
    CHECK(the_others_lost_nothing(f, tunnel));

    count_anew(f);
    start(f);
    scene_run(&f->s, 30 * SECOND); /* all by the one that is left */
    scene_cut(&f->s, tunnel, false);
    if (!CHECK(scene_wait(&f->s, scene_both_up, 3 * MINUTE)))
        scene_describe(&f->s);
    scene_run(&f->s, 30 * SECOND);
    finish(f);
    if (!CHECK(nothing_lost(f)))
        scene_describe(&f->s);
    look_at_ways(f);
    CHECK(memcmp(way, f->way, sizeof(way)) == 0);
}

static void play(uint64_t seed, bool static_routes)
{
    struct scene_plan plan = SCENE_PLAN_INIT;
    static struct flows f;

    memset(&f, 0, sizeof(f));
    plan.seed = seed;
    plan.static_routes = static_routes;
    plan.ecmp_paths = 2;
    plan.link.delay_ns = 10 * MILLISECOND;
    if (scene_bring_up(&f.s, &plan)) {
        f.s.gateway.taker = f.s.device.taker = take;
        f.s.gateway.taker_user = f.s.device.taker_user = &f;
        scene_run(&f.s, 5 * SECOND);
        cut_and_mend(&f, 0);
        cut_and_mend(&f, 1);
        CHECK(f.strange == 0);
    }
    scene_close(&f.s);
}

static void with_bgp(uint64_t seed)
{
    play(seed, false);
}

static void with_static_routes(uint64_t seed)
{
    play(seed, true);
}

int main(int argc, char **argv)
{
    static const struct scene_test tests[] = {
        {"flows share both tunnels, with BGP", with_bgp, 2},
        {"flows share both tunnels, with static routes", with_static_routes, 2},
    };

    return scene_main(argc, argv, "sim/equal_paths_share_the_flows", tests,
                      sizeof(tests) / sizeof(tests[0]));
}
