/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Strangers with certificates, from many addresses at once and again at once, while three
 * devices are served: two that are known by their certificates alone and come from anywhere,
 * and one with a pre-shared key. Tunnels stay and no ping is lost; a device that starts anew
 * under the storm comes up; signatures are checked once for each handshake that was complete,
 * memory stays within the limit of half-open IKE SAs, the log is not flooded, and what was
 * refused is told. Each seed plays one row of the table. The strangers are devices of this
 * library with a crypto table that lies; none of them can write more certificates than
 * S2SVPN_CHAIN_MAX, which is for the tests of the IKE_AUTH payloads.
 */
#include "certificate_storm.h"

#include <inttypes.h>

#define KIB ((size_t)1024)
#define STEP_NS (50 * MILLISECOND)
#define STORM_NS (3 * SECOND)
#define BACK_NS MINUTE
#define HALF_OPEN_NS (35 * SECOND) /* until nothing half open is left */

enum { LINES_A_SECOND = 4 };

/* clang-format off */
static const struct row rows[] = {
    {"eight certificates by an authority that is none here, the subject a site's",
     7, true, false, NULL, false, NO_LIE, true, 16 * KIB},
    {"eight certificates, the subject nobody's",
     7, true, false, "CN=nobody.example", false, NO_LIE, false, 16 * KIB},
    {"a site's own certificate and a wrong signature",
     0, false, false, NULL, true, WRONG_SIGNATURE, true, 12 * KIB},
    {"a revoked certificate of a site's subject",
     0, false, true, NULL, false, NO_LIE, true, 12 * KIB},
    {"a right certificate of one site's subject under another's name",
     0, false, false, "CN=two.example", false, OTHERS_NAME, true, 12 * KIB},
    {"a certificate of 14,000 bytes of noise",
     0, false, false, NULL, true, HUGE_CERTIFICATE, true, 40 * KIB},
};
/* clang-format on */
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static bool all_up(const struct world *w)
{
    return is_up(&w->site[0]) && is_up(&w->site[1]) && is_up(&w->site[2]);
}

/* All but silent ping; until all are up, if that is asked, or so long. */
static bool pass(struct world *w, uint64_t ns, bool storm, const struct site *silent, bool until_up)
{
    for (const uint64_t end = s2svpn_sim_now(w->sim) + ns; s2svpn_sim_now(w->sim) < end;) {
        if (until_up && all_up(w))
            return true;
        if (storm)
            rage(w);
        for (size_t i = 0; i < SITES; i++) {
            if (&w->site[i] != silent)
                ping(&w->site[i]);
        }
        s2svpn_sim_run(w->sim, s2svpn_sim_now(w->sim) + STEP_NS);
    }
    return !until_up;
}

static unsigned lost(const struct world *w)
{
    unsigned n = 0;

    for (size_t i = 0; i < SITES; i++)
        n += w->site[i].side.asked - w->site[i].side.answered;
    return n;
}

static void count_anew(struct world *w)
{
    s2svpn_sim_run(w->sim, s2svpn_sim_now(w->sim) + SECOND);
    for (size_t i = 0; i < SITES; i++)
        w->site[i].side.asked = w->site[i].side.answered = w->site[i].downs = 0;
    w->lines = w->notes = w->refused = 0;
    w->peak = w->bytes;
}

static uint64_t drops(const struct world *w)
{
    return s2svpn_context_drops(w->gateway.ctx, S2SVPN_DROP_IKE_LIMIT) +
           s2svpn_context_drops(w->gateway.ctx, S2SVPN_DROP_IKE_MALFORMED);
}

static void judge(const struct world *w, const struct site *restarted, size_t before,
                  uint64_t drops_before, unsigned verified_before, uint64_t ns)
{
    const unsigned most = (unsigned)(LINES_A_SECOND * (ns / SECOND + 1));
    const unsigned wrong =
        w->gateway.wrong + w->site[0].side.wrong + w->site[1].side.wrong + w->site[2].side.wrong;
    bool tunnels_stay = true;

    for (size_t i = 0; i < SITES; i++)
        tunnels_stay &= &w->site[i] == restarted || w->site[i].downs == 0;
    const bool pings_pass = lost(w) == 0 && wrong == 0,
               each_handshake_is_checked_once = w->verified <= w->auths && w->verified <= w->shared,
               the_storm_was_one = w->places > 2 * STRANGERS &&
                                   (!w->row->verified || w->verified > verified_before + STRANGERS),
               memory_is_bounded = w->peak <= before + HALF_OPEN * w->row->each,
               refusals_are_told = w->refused > 0 && drops(w) > drops_before,
               the_log_is_not_flooded = w->lines <= most && w->notes <= most;
    bool good = CHECK(tunnels_stay);

    good &= CHECK(pings_pass);
    good &= CHECK(each_handshake_is_checked_once);
    good &= CHECK(the_storm_was_one);
    good &= CHECK(memory_is_bounded);
    good &= CHECK(refusals_are_told);
    good &= CHECK(the_log_is_not_flooded);
    if (!good || scene_is_verbose())
        scene_say("%s: %u strangers in %.1f s, %zu IKE_AUTH, %u shared, %u verified (%u before), "
                  "%u pings lost, at most %zu KiB more, %u lines, %u notes, %u refusals, %" PRIu64
                  " dropped",
                  w->row->what, w->places, (double)ns / 1e9, w->auths, w->shared, w->verified,
                  verified_before, lost(w), (w->peak - before) / KIB, w->lines, w->notes,
                  w->refused, drops(w) - drops_before);
}

static void play(uint64_t seed)
{
    static struct world w;

    if (world_open(&w, seed, &rows[(seed - 1) % ROWS]) &&
        CHECK(pass(&w, MINUTE, false, NULL, true))) {
        struct site *restarted = &w.site[(seed + (seed - 1) / ROWS) % 2];

        count_anew(&w);
        const uint64_t since_ns = s2svpn_sim_now(w.sim), drops_before = drops(&w);
        const size_t bytes = w.bytes;
        const unsigned verified = w.verified;

        pass(&w, STORM_NS, true, NULL, false);
        CHECK(restarted->downs == 0);
        end_site(restarted); /* without a word, and with a ping under way */
        restarted->side.asked = restarted->side.answered;
        pass(&w, SECOND, true, restarted, false);
        const uint64_t back_ns = s2svpn_sim_now(w.sim);
        const bool it_comes_up_under_the_storm =
            begin_site(restarted) && pass(&w, BACK_NS, true, restarted, true);
        CHECK(it_comes_up_under_the_storm);
        if (scene_is_verbose())
            scene_say("up again after %.1f s", (double)(s2svpn_sim_now(w.sim) - back_ns) / 1e9);
        pass(&w, SECOND, true, NULL, false);
        s2svpn_sim_run(w.sim, s2svpn_sim_now(w.sim) + SECOND);
        judge(&w, restarted, bytes, drops_before, verified, s2svpn_sim_now(w.sim) - since_ns);
        for (size_t i = 0; i < STRANGERS; i++)
            end_stranger(&w.stranger[i]);
        s2svpn_sim_run(w.sim, s2svpn_sim_now(w.sim) + HALF_OPEN_NS);
        const bool memory_is_back = w.bytes <= bytes + HALF_OPEN * KIB;
        CHECK(memory_is_back);
        CHECK(all_up(&w));
    }
    world_close(&w);
}

int main(int argc, char **argv)
{
    static const struct scene_test tests[] = {
        {"no storm of certificates takes the service from the others", play, ROWS}};

    return scene_main(argc, argv, "sim/certificate_storms_leave_service_alone", tests, 1);
}
