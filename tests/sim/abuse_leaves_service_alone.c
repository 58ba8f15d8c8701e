/* SPDX-License-Identifier: Apache-2.0 */
/* Storms that somebody without keys can send, each while a customer is served: tunnels and
 * BGP sessions stay, pings pass; a device that starts anew under the storm comes up; what the
 * storm costs is bounded, in memory, in Diffie-Hellman, in lines of the log; a counter tells of
 * it; and afterwards everything is as before. Each seed plays one row of the table. */
#include <inttypes.h>
#include <stdlib.h>

#include "abuse.h"
#include "campaign.h"

#define KIB ((size_t)1024)
#define STORM_NS (4 * SECOND)
#define BACK_NS MINUTE /* a device that starts anew */
#define PING_NS (50 * MILLISECOND)
#define HALF_OPEN_NS (35 * SECOND) /* until nothing half open is left */
#define BYTES_LEFT (256 * KIB)     /* tables that have grown stay */
#define LINES 30                   /* of the log in a storm, and notes: four seconds' worth */

#define AMPLIFIED_MOST 200 /* percent of the bytes: IKEv1 names its extensions */

enum { FEW = 8, THRESHOLD = 100 };

struct row {
    const char *what;
    void (*send)(struct abuse *a);
    unsigned each_ms;
    uint8_t drop[5];    /* counters that tell of it together; 0: none */
    unsigned percent;   /* of what is sent, at least */
    unsigned jobs_most; /* that it makes the gateway do */
    size_t bytes_most;  /* that it takes, at any moment */
    unsigned lost_most; /* pings, of a hundred */
    bool nat;
};

/* What is unproved waits in a thousand half-open SAs at most: of IKEv2 only below the cookies'
 * threshold. */
/* clang-format off */
#define BY(...) {__VA_ARGS__}
static const struct row rows[] = {
    /* what, by whom, each ms; counters, percent; jobs, bytes, pings lost */
    {"IKE_SA_INIT from invented addresses", abuse_init_strangers, 4,
     BY(S2SVPN_DROP_IKE_NO_TUNNEL), 99, FEW, 64 * KIB, 0, false},
    {"IKE_SA_INIT under the customer's address", abuse_init_customer, 4,
     BY(0), 0, THRESHOLD + FEW, 1024 * KIB, 0, false},
    {"IKE_SA_INIT with every cookie returned", abuse_init_with_cookies, 1,
     BY(0), 0, 5200, 16384 * KIB, 0, false},
    {"messages of hundreds of payloads", abuse_init_many_payloads, 1,
     BY(S2SVPN_DROP_IKE_MALFORMED), 90, THRESHOLD, 1024 * KIB, 0, false},
    {"proposals of hundreds of transforms", abuse_init_huge_proposals, 1,
     BY(S2SVPN_DROP_IKE_MALFORMED), 90, FEW, 64 * KIB, 0, false},
    {"main mode from invented addresses", abuse_v1_strangers, 4,
     BY(S2SVPN_DROP_IKE_NO_TUNNEL), 99, FEW, 64 * KIB, 0, false},
    {"main mode under the customer's address", abuse_v1_first, 4,
     BY(0), 0, FEW, 8192 * KIB, 0, false},
    {"main mode up to the third message", abuse_v1_third, 1,
     BY(0), 0, 5200, 16384 * KIB, 0, false},
    {"IKE_AUTH that is noise", abuse_auth_noise, 1,
     BY(S2SVPN_DROP_IKE_STATE, S2SVPN_DROP_IKE_AUTHENTICATION), 0, 10200,
     2048 * KIB, 0, false},
    {"IKE_AUTH in pieces that are never whole", abuse_pieces_never_whole, 1,
     BY(S2SVPN_DROP_IKE_STATE, S2SVPN_DROP_IKE_AUTHENTICATION, S2SVPN_DROP_IKE_MALFORMED), 10,
     2 * THRESHOLD + FEW, 4096 * KIB, 0, false},
    {"pieces for SAs that nobody has", abuse_pieces_unknown, 4,
     BY(S2SVPN_DROP_IKE_UNKNOWN_SPI, S2SVPN_DROP_IKE_MALFORMED), 99, FEW, 64 * KIB, 0, false},
    {"pieces for the customer's SAs", abuse_pieces_known, 4,
     BY(S2SVPN_DROP_IKE_AUTHENTICATION, S2SVPN_DROP_IKE_WINDOW, S2SVPN_DROP_IKE_MALFORMED,
        S2SVPN_DROP_IKE_UNKNOWN_SPI, S2SVPN_DROP_IKE_LIMIT), 90, FEW, 64 * KIB, 0, false},
    {"errors and deletes that nothing vouches for", abuse_plain_errors, 4,
     BY(S2SVPN_DROP_IKE_STATE, S2SVPN_DROP_IKE_MALFORMED, S2SVPN_DROP_IKE_UNKNOWN_SPI), 80, FEW,
     64 * KIB, 0, false},
    {"IKE messages again", abuse_replays_ike, 4,
     BY(0), 0, 2 * THRESHOLD, 1024 * KIB, 0, false},
    {"messages and packets thrown back at who has sent them", abuse_reflects, 4,
     BY(S2SVPN_DROP_ESP_UNKNOWN_SPI), 10, FEW, 64 * KIB, 0, false},
    {"noise", abuse_garbage, 4,
     BY(S2SVPN_DROP_IKE_VERSION, S2SVPN_DROP_IKE_MALFORMED, S2SVPN_DROP_ESP_UNKNOWN_SPI), 70, FEW,
     64 * KIB, 0, false},
    {"ESP with SPIs that nobody has", abuse_esp_strange_spi, 10,
     BY(S2SVPN_DROP_ESP_UNKNOWN_SPI), 99, FEW, 64 * KIB, 0, false},
    {"ESP with the customer's SPIs and no key", abuse_esp_known_spi, 8,
     BY(S2SVPN_DROP_ESP_AUTHENTICATION, S2SVPN_DROP_ESP_REPLAY), 90, FEW, 64 * KIB, 0, false},
    {"ESP packets again", abuse_replays_esp, 8,
     BY(S2SVPN_DROP_ESP_REPLAY), 90, FEW, 64 * KIB, 0, false},
    {"ESP packets again, from everywhere", abuse_hops, 8,
     BY(S2SVPN_DROP_ESP_REPLAY), 90, FEW, 64 * KIB, 0, false},
    {"NAT keepalives", abuse_keepalives, 10,
     BY(0), 0, FEW, 64 * KIB, 0, false},
    /* Whoever is heard through the other tunnel is found again by its next sign of life. */
    {"a NAT that gives out new ports ten times a second", abuse_nat_rebinds, 1,
     BY(0), 0, FEW, 256 * KIB, 100, true},
    {"inner fragments that are never whole", abuse_inner_fragments, 4,
     BY(S2SVPN_DROP_REASSEMBLY, S2SVPN_DROP_INNER_MALFORMED, S2SVPN_DROP_NO_ROUTE,
        S2SVPN_DROP_BLACKHOLE), 90, FEW, 256 * KIB, 0, false},
    {"SYNs from the site's hosts to BGP's port", abuse_inner_syn, 4,
     BY(S2SVPN_DROP_HOST, S2SVPN_DROP_NO_ROUTE, S2SVPN_DROP_BLACKHOLE), 90, FEW, 256 * KIB, 0,
     false},
};
#undef BY
/* clang-format on */
#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* How things stood when the storm began. */
struct before {
    size_t bytes;
    uint64_t jobs, drops;
    unsigned lines, notes, downs, bgp_ups;
};

static uint64_t jobs_of(const struct abuse *a)
{
    s2svpn_sim_counters c = {.size = sizeof(c)};

    s2svpn_sim_get_counters(a->s.sim, &c);
    return c.jobs;
}

/* At the gateway, and at the device for what the site's hosts send. */
static uint64_t drops_of(const struct abuse *a, const struct row *row)
{
    uint64_t n = 0;

    for (size_t i = 0; i < sizeof(row->drop) / sizeof(row->drop[0]); i++) {
        const enum s2svpn_drop drop = (enum s2svpn_drop)row->drop[i];

        if (drop != S2SVPN_DROP_NONE)
            n += s2svpn_context_drops(a->s.gateway.ctx, drop) +
                 s2svpn_context_drops(a->s.device.ctx, drop);
    }
    return n;
}

static void look(const struct abuse *a, const struct row *row, struct before *b)
{
    const struct scene_side *g = &a->s.gateway;

    *b = (struct before){a->bytes, jobs_of(a),      drops_of(a, row), g->log_lines,
                         g->notes, g->tunnel_downs, g->bgp_ups};
}

static unsigned lost(const struct scene *s)
{
    return s->gateway.asked - s->gateway.first - s->gateway.answered + s->device.asked -
           s->device.first - s->device.answered;
}

static bool judge_storm(struct abuse *a, const struct row *row, const struct before *b)
{
    const struct scene *s = &a->s;
    const uint64_t jobs = jobs_of(a) - b->jobs, drops = drops_of(a, row) - b->drops;
    const unsigned lines = s->gateway.log_lines - b->lines, notes = s->gateway.notes - b->notes;
    const unsigned asked = s->gateway.asked - s->gateway.first + s->device.asked - s->device.first;
    const bool tunnels_and_sessions_stay =
                   s->gateway.tunnel_downs == b->downs && s->gateway.bgp_ups == b->bgp_ups,
               pings_pass = lost(s) * 100 <= row->lost_most * asked,
               a_counter_tells = drops * 100 >= row->percent * a->sent,
               arithmetic_is_bounded = jobs <= row->jobs_most,
               memory_is_bounded = a->peak <= b->bytes + row->bytes_most,
               /* CERT VU#419128: who may be invented is sent no more than he sent. */
        nothing_is_amplified =
            a->answered <= a->sent && a->answered_bytes <= a->sent_bytes * AMPLIFIED_MOST / 100,
               the_log_is_not_flooded = lines <= LINES && notes <= LINES;
    bool good = CHECK(tunnels_and_sessions_stay);

    good &= CHECK(pings_pass);
    good &= CHECK(a_counter_tells);
    good &= CHECK(arithmetic_is_bounded);
    good &= CHECK(memory_is_bounded);
    good &= CHECK(nothing_is_amplified);
    good &= CHECK(the_log_is_not_flooded);
    if (!good || scene_is_verbose())
        scene_say("%s: %" PRIu64 " sent, %" PRIu64 " answered (%" PRIu64 " of %" PRIu64
                  " bytes); %" PRIu64 " counted, %" PRIu64 " jobs, at most %zu KiB, "
                  "%u lines, %u notes, %u of %u pings lost",
                  row->what, a->sent, a->answered, a->answered_bytes, a->sent_bytes, drops, jobs,
                  (a->peak - b->bytes) / 1024, lines, notes, lost(s), asked);
    return good;
}

/* The device's process ends without a word and begins anew. */
static void restart_device(struct abuse *a, const struct row *row)
{
    const uint64_t since_ns = s2svpn_sim_now(a->s.sim);

    scene_kill(&a->s.device);
    scene_run(&a->s, SECOND);
    if (!CHECK(scene_revive_device(&a->s) == S2SVPN_OK))
        return;
    const bool the_real_device_comes_up_under_the_storm = scene_wait(&a->s, scene_both_up, BACK_NS);
    if (!CHECK(the_real_device_comes_up_under_the_storm)) {
        scene_say("%s", row->what);
        scene_describe(&a->s);
    }
    if (scene_is_verbose())
        scene_say("%s: up again after %.1f s", row->what,
                  (double)(s2svpn_sim_now(a->s.sim) - since_ns) / 1e9);
}

static void judge_calm(struct abuse *a, const struct row *row, const struct before *b)
{
    struct scene *s = &a->s;

    scene_run(s, HALF_OPEN_NS);
    CHECK(scene_wait(s, scene_both_up, MINUTE));
    scene_count_anew(s);
    scene_ping_for(s, PING_NS, 2 * SECOND);
    scene_run(s, 4 * SECOND);
    const bool nothing_is_lost_afterwards = scene_nothing_lost(s),
               memory_is_back = a->bytes <= b->bytes + BYTES_LEFT;
    if (!CHECK(nothing_is_lost_afterwards) || !CHECK(memory_is_back)) {
        scene_say("%s: %zu KiB before, %zu after", row->what, b->bytes / 1024, a->bytes / 1024);
        scene_describe(s);
    }
}

static void play(uint64_t seed)
{
    const struct row *row = &rows[(seed - 1) % ROWS];
    struct scene_plan plan = SCENE_PLAN_INIT;
    static struct abuse a;
    struct before before;

    plan.seed = seed;
    plan.link.delay_ns = 5 * MILLISECOND;
    plan.link.jitter_ns = MILLISECOND;
    plan.job_min_ns = plan.job_max_ns = MILLISECOND;
    plan.nat = row->nat;
    if (abuse_begin(&a, &plan)) {
        scene_run(&a.s, 2 * SECOND);
        scene_count_anew(&a.s);
        look(&a, row, &before);
        a.peak = a.bytes;
        abuse_start(&a, row->send, row->each_ms);
        scene_ping_for(&a.s, PING_NS, STORM_NS - SECOND);
        scene_run(&a.s, STORM_NS);
        if (!judge_storm(&a, row, &before) || scene_is_verbose())
            scene_describe(&a.s);
        restart_device(&a, row);
        abuse_stop(&a);
        judge_calm(&a, row, &before);
    }
    abuse_end(&a);
}

int main(int argc, char **argv)
{
    static const char name[] = "no storm takes the service from the customer";
    const struct scene_test tests[] = {{name, play, ROWS}};

    return scene_main_versions(argc, argv, "sim/abuse_leaves_service_alone", tests, 1, tests, 1);
}
