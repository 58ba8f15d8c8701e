/* SPDX-License-Identifier: Apache-2.0 */
/* On networks that lose, double and shuffle, with tunnels that are reset again and again and
 * rekeyed all the time, a tunnel's log says what happens, and never more in a second than it
 * may; what it leaves out it counts. */
#include "scene.h"

#include <string.h>

/* A second of ours may hold parts of two of the log's, and the lines that count. */
#define MOST_IKE (2 * (50 + 10) + 4)
#define MOST_BGP (2 * (50 + 500) + 4)

static struct {
    uint64_t second[2][3];
    unsigned lines[2][3]; /* by tunnel and kind */
    unsigned most[3], all[3], left_out;
    bool wrong;
} seen;

static void on_line(void *user, const s2svpn_tunnel_log_line *line)
{
    const struct scene_side *side = user;
    const uint64_t second = s2svpn_sim_now(side->scene->sim) / SECOND;
    const size_t t = line->tunnel, kind = line->kind;

    seen.wrong |= t > 1 || kind < 1 || kind > 2 || line->line[0] != '{' ||
                  line->line[strlen(line->line) - 1] != '}' || strchr(line->line, '\n') ||
                  strstr(line->line, SCENE_PSK);
    if (seen.wrong)
        return;
    if (seen.second[t][kind] != second)
        seen.lines[t][kind] = 0;
    seen.second[t][kind] = second;
    seen.all[kind]++;
    if (++seen.lines[t][kind] > seen.most[kind])
        seen.most[kind] = seen.lines[t][kind];
    seen.left_out += strstr(line->line, "were left out") != NULL;
}

static void storm(uint64_t seed)
{
    struct scene_plan plan = SCENE_PLAN_INIT;
    struct scene s;

    memset(&seen, 0, sizeof(seen));
    plan.seed = seed;
    plan.tunnel.log = plan.tunnel.bgp_log = S2SVPN_LOG_OUTPUT_JSON;
    plan.tunnel_log = on_line;
    plan.link.loss_ppm = 50000;
    plan.link.duplicate_ppm = 300000;
    plan.link.reorder_ppm = 300000;
    if (CHECK(scene_open(&s, &plan) == S2SVPN_OK) && CHECK(scene_start(&s) == S2SVPN_OK)) {
        CHECK(scene_wait(&s, scene_both_up, 5 * MINUTE));
        for (unsigned i = 0; i < 600; i++) {
            s2svpn_tunnel *t = s2svpn_connection_tunnel(i % 2 ? s.cloud : s.site, i % 4 / 2);

            if (i % 50 == 49)
                CHECK(s2svpn_tunnel_reset(t) == S2SVPN_OK);
            else if (s2svpn_tunnel_rekey(t) != S2SVPN_OK && scene_is_verbose())
                scene_say("nothing to rekey");
            scene_run(&s, 50 * MILLISECOND + seed * MILLISECOND);
        }
        CHECK(scene_wait(&s, scene_both_up, 10 * MINUTE));
    }
    scene_close(&s);
    CHECK(!seen.wrong);
    CHECK(seen.all[1] > 300 && seen.all[2] > 20);
    CHECK(seen.left_out > 0);
    if (scene_is_verbose())
        scene_say("at most %u and %u lines a second, %u and %u in all, %u times left out",
                  seen.most[1], seen.most[2], seen.all[1], seen.all[2], seen.left_out);
    CHECK(seen.most[1] <= MOST_IKE);
    CHECK(seen.most[2] <= MOST_BGP);
}

int main(int argc, char **argv)
{
    static const struct scene_test tests[] = {
        {"whatever storm there is", storm, 5},
    };

    return scene_main(argc, argv, "sim/tunnel_logs_stay_bounded", tests,
                      sizeof(tests) / sizeof(tests[0]));
}
