/* SPDX-License-Identifier: Apache-2.0 */
/* The campaigns' frame: memory on a scale, the invariants. */
#include "campaign.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SLOW_BUILD 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SLOW_BUILD 1
#endif
#endif
#ifndef SLOW_BUILD
#define SLOW_BUILD 0
#endif
#define SLOWER 20

unsigned campaign_seeds(unsigned plain)
{
    return SLOW_BUILD ? (plain + SLOWER - 1) / SLOWER : plain;
}

uint64_t campaign_roll(s2svpn_sim *dice, uint64_t low, uint64_t high)
{
    return low + s2svpn_sim_random(dice) % (high - low + 1);
}

/* ---- the scale: each block knows its length */

#define HEAD 16 /* keeps what follows aligned */

static void *allocate(void *user, size_t len)
{
    struct scale *sc = user;
    uint8_t *p = len > SIZE_MAX - HEAD ? NULL : malloc(len + HEAD);

    if (!p)
        return NULL;
    memcpy(p, &len, sizeof(len));
    sc->bytes += len;
    sc->blocks++;
    sc->peak = sc->bytes > sc->peak ? sc->bytes : sc->peak;
    return p + HEAD;
}

static void release(void *user, void *p)
{
    struct scale *sc = user;
    size_t len;

    if (!p)
        return;
    memcpy(&len, (uint8_t *)p - HEAD, sizeof(len));
    sc->bytes -= len;
    sc->blocks--;
    free((uint8_t *)p - HEAD);
}

/* ---- beginning */

bool campaign_begin(struct campaign *c, struct scene_plan *plan)
{
    memset(c, 0, sizeof(*c));
    c->scale.memory = (s2svpn_memory){.size = sizeof(c->scale.memory),
                                      .user = &c->scale,
                                      .allocate = allocate,
                                      .release = release};
    plan->memory = &c->scale.memory;
    plan->watch = &c->watch;
    if (!CHECK(scene_open(&c->s, plan) == S2SVPN_OK))
        return false;
    impair_begin(&c->s, &c->impair);
    return CHECK(scene_start(&c->s) == S2SVPN_OK);
}

bool campaign_open(struct campaign *c, struct scene_plan *plan)
{
    if (!campaign_begin(c, plan))
        return false;
    const bool comes_up = scene_wait(&c->s, scene_both_up, CAMPAIGN_BOUND_NS);
    if (!CHECK(comes_up)) {
        scene_describe(&c->s);
        return false;
    }
    scene_run(&c->s, 5 * SECOND);                     /* BGP's routes come after it is up */
    scene_ping_for(&c->s, 100 * MILLISECOND, SECOND); /* what the first packets need */
    scene_run(&c->s, CAMPAIGN_LINGER_NS);
    scene_count_anew(&c->s);
    c->level = c->scale.bytes;
    return true;
}

/* ---- the invariants */

void campaign_judge_wire(const struct campaign *c)
{
    const struct watch *w = &c->watch;
    const bool never_plaintext_on_the_wire = w->plaintext == 0,
               never_an_spi_that_nobody_published = w->stranger == 0,
               never_a_wrong_key_on_the_wire = w->wrong_key == 0,
               never_a_sequence_number_twice = w->repeated == 0,
               what_opens_is_a_packet_of_the_scene = w->nonsense == 0,
               the_watcher_saw_traffic = w->esp > 0 && w->ike > 0 && !w->broken;

    CHECK(never_plaintext_on_the_wire);
    CHECK(never_an_spi_that_nobody_published);
    CHECK(never_a_wrong_key_on_the_wire);
    CHECK(never_a_sequence_number_twice);
    CHECK(what_opens_is_a_packet_of_the_scene);
    CHECK(the_watcher_saw_traffic);
}

static bool ends_agree(struct scene *s)
{
    for (size_t i = 0; i < 2; i++) {
        const s2svpn_tunnel_info cloud = scene_tunnel(s->cloud, i), site = scene_tunnel(s->site, i);

        if (cloud.spi_in == 0 || cloud.spi_in != site.spi_out || cloud.spi_out != site.spi_in)
            return false;
    }
    return true;
}

static void describe(struct campaign *c)
{
    scene_describe(&c->s);
    impair_describe(&c->impair);
    scene_say("memory: %zu bytes, first %zu, most %zu", c->scale.bytes, c->level, c->scale.peak);
}

static void judge_children(struct campaign *c)
{
    unsigned gateway = 0, device = 0;
    const bool both_ends_agree_on_the_children = ends_agree(&c->s),
               one_live_child_a_tunnel_at_the_gateway =
                   watch_only_current_children_live(&c->watch, &c->s.gateway, c->s.cloud, &gateway),
               one_live_child_a_tunnel_at_the_device =
                   watch_only_current_children_live(&c->watch, &c->s.device, c->s.site, &device);

    CHECK(both_ends_agree_on_the_children);
    if (!CHECK(one_live_child_a_tunnel_at_the_gateway) ||
        !CHECK(one_live_child_a_tunnel_at_the_device)) {
        scene_say("live SPIs: %u at the gateway, %u at the device", gateway, device);
        describe(c);
    }
}

/* Nothing disturbs any more: what is sent now arrives. */
static void judge_traffic(struct campaign *c)
{
    scene_count_anew(&c->s);
    scene_ping_for(&c->s, 100 * MILLISECOND, 3 * SECOND);
    scene_run(&c->s, 5 * SECOND);
    const bool no_packet_is_lost_at_rest = scene_nothing_lost(&c->s);
    if (!CHECK(no_packet_is_lost_at_rest))
        describe(c);
}

static void judge_memory(const struct campaign *c)
{
    const bool memory_is_back_at_its_level = c->scale.bytes <= c->level + CAMPAIGN_BYTES_SLACK,
               memory_is_bounded = c->scale.peak <= CAMPAIGN_BYTES_MAX;

    if (!CHECK(memory_is_back_at_its_level) || !CHECK(memory_is_bounded))
        scene_say("memory: %zu bytes, first %zu, most %zu", c->scale.bytes, c->level,
                  c->scale.peak);
}

/* At either end: a new child of IKEv1 is there before it carries anything. */
static uint64_t count_rekeys(const struct scene *s)
{
    uint64_t n = 0;

    for (size_t i = 0; i < 2; i++)
        n += (uint64_t)scene_tunnel(s->cloud, i).rekeys + scene_tunnel(s->site, i).rekeys;
    return n;
}

/* No rekey for the linger time; by their lifetimes they may be due just now. */
static void come_to_rest(struct scene *s)
{
    for (unsigned tries = 0; tries < 8; tries++) {
        const s2svpn_tunnel_info a = scene_tunnel(s->cloud, 0), b = scene_tunnel(s->cloud, 1);
        const uint64_t rekeys = count_rekeys(s);

        scene_run(s, s->spoke_ikev1 ? CAMPAIGN_LINGER_V1_NS : CAMPAIGN_LINGER_NS);
        if (scene_tunnel(s->cloud, 0).spi_in == a.spi_in &&
            scene_tunnel(s->cloud, 1).spi_in == b.spi_in && count_rekeys(s) == rekeys)
            return;
    }
}

void campaign_judge(struct campaign *c)
{
    s2svpn_sim *sim = c->s.sim;

    c->s.ping_until_ns = s2svpn_sim_now(sim);
    come_to_rest(&c->s);
    judge_children(c);
    judge_traffic(c);
    judge_memory(c);
    campaign_judge_wire(c);
}

bool campaign_calm(struct campaign *c)
{
    s2svpn_sim_link good = c->s.plan.link;

    good.loss_ppm = good.duplicate_ppm = good.reorder_ppm = 0;
    good.jitter_ns = 0;
    impair_clear(&c->impair);
    const bool set = s2svpn_sim_set_link(c->s.sim, NULL, NULL, &good) == S2SVPN_OK;
    CHECK(set);
    /* What broke in the storm may be noticed only now: the state must hold, too. */
    const uint64_t end_ns = s2svpn_sim_now(c->s.sim) + CAMPAIGN_BOUND_NS;
    uint64_t held_ns = 0;
    while (s2svpn_sim_now(c->s.sim) < end_ns && held_ns < 100 * SECOND) {
        scene_run(&c->s, 5 * SECOND);
        held_ns = scene_both_up(&c->s) && ends_agree(&c->s) ? held_ns + 5 * SECOND : 0;
    }
    const bool traffic_again_within_the_bound = held_ns > 0;
    if (!CHECK(traffic_again_within_the_bound))
        describe(c);
    return traffic_again_within_the_bound;
}

void campaign_close(struct campaign *c)
{
    scene_close(&c->s);
    watch_clear(&c->watch);
    const bool all_memory_is_given_back = c->scale.bytes == 0 && c->scale.blocks == 0;
    CHECK(all_memory_is_given_back);
}
