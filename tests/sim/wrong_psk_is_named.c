/* SPDX-License-Identifier: Apache-2.0 */
/* A mistyped pre-shared key: no tunnel comes up, and both ends say what is wrong, not
 * that "it doesn't work". */
#include "scene.h"

#include <string.h>

static void no_secret_in(const char *text)
{
    CHECK(strstr(text, SCENE_PSK) == NULL && strstr(text, "mistyped") == NULL);
}

static bool names_it(const char *text)
{
    no_secret_in(text);
    return strstr(text, "authentication") != NULL && strstr(text, "pre-shared key") != NULL;
}

static void named(uint64_t seed)
{
    struct scene_plan plan = SCENE_PLAN_INIT;
    struct scene s;

    plan.seed = seed;
    plan.device_psk = "mistyped.key";
    if (CHECK(scene_open(&s, &plan) == S2SVPN_OK) && CHECK(scene_start(&s) == S2SVPN_OK)) {
        scene_run(&s, 10 * SECOND);
        for (size_t i = 0; i < 2; i++) {
            CHECK(!scene_tunnel(s.cloud, i).up && !scene_tunnel(s.site, i).up);
            if (!CHECK(names_it(scene_tunnel(s.site, i).reason)))
                scene_describe(&s);
        }
        CHECK(names_it(s.gateway.last_note)); /* it can't trust who asks: an event is all */
        CHECK(s.gateway.tunnel_ups == 0 && s.device.tunnel_ups == 0);

        /* It is tried again, but not like mad. */
        s2svpn_sim_counters c = {.size = sizeof(c)};
        scene_run(&s, 10 * MINUTE);
        s2svpn_sim_get_counters(s.sim, &c);
        CHECK(c.sent > 8 && c.sent < 4000);
        if (scene_is_verbose())
            scene_describe(&s);
    }
    scene_close(&s);
}

int main(int argc, char **argv)
{
    static const struct scene_test tests[] = {
        {"at both ends, and no tunnel is up", named, 3},
    };

    return scene_main(argc, argv, "sim/wrong_psk_is_named", tests,
                      sizeof(tests) / sizeof(tests[0]));
}
