/* SPDX-License-Identifier: Apache-2.0 */
/* Flaps of the scene of many sites, and their end. */
#include "flaps.h"

#include <string.h>

#include "campaign.h"

#define HOLD_NS (100 * SECOND) /* what dead-peer detection or a hold time may yet end */

static void set_cut(struct flaps *f, size_t site, size_t tunnel, bool on)
{
    const uint8_t bit = (uint8_t)(1 << tunnel);

    hub_cut(f->h, site, tunnel, on);
    f->cut[site] = (uint8_t)(on ? f->cut[site] | bit : f->cut[site] & ~bit);
}

static void set_black(struct flaps *f, size_t site, size_t tunnel, bool on)
{
    const uint8_t bit = (uint8_t)(1 << tunnel);

    s2svpn_tunnel_set_blackhole(s2svpn_connection_tunnel(f->h->site[site].cloud, tunnel), on);
    f->black[site] = (uint8_t)(on ? f->black[site] | bit : f->black[site] & ~bit);
}

static void set_stopped(struct flaps *f, size_t site, bool on)
{
    s2svpn_connection *device = f->h->site[site].site;

    CHECK((on ? s2svpn_connection_stop(device) : s2svpn_connection_start(device)) == S2SVPN_OK);
    f->stopped[site] = on;
}

void flaps_begin(struct flaps *f, struct hub *h, s2svpn_sim *dice)
{
    memset(f, 0, sizeof(*f));
    f->h = h;
    f->dice = dice;
}

void flaps_happen(struct flaps *f)
{
    const size_t site = campaign_roll(f->dice, 0, f->h->sites - 1);
    const size_t tunnel = campaign_roll(f->dice, 0, 1);
    const uint64_t what = campaign_roll(f->dice, 0, 10);
    struct hub_site *s = &f->h->site[site];

    if (what < 3)
        set_cut(f, site, tunnel, !(f->cut[site] & 1 << tunnel));
    else if (what < 4)
        set_black(f, site, tunnel, !(f->black[site] & 1 << tunnel));
    else if (what < 6)
        CHECK(s2svpn_tunnel_reset(
                  s2svpn_connection_tunnel(what == 4 ? s->cloud : s->site, tunnel)) == S2SVPN_OK);
    else if (what < 7)
        set_stopped(f, site, !f->stopped[site]);
    else
        hub_set_extra(f->h, site, !hub_has_extra(s));
}

bool flaps_end(struct flaps *f)
{
    struct hub *h = f->h;
    const uint64_t end_ns = s2svpn_sim_now(h->sim) + CAMPAIGN_BOUND_NS + HOLD_NS;
    uint64_t held_ns = 0;

    h->plan.link.loss_ppm = 0;
    CHECK(s2svpn_sim_set_link(h->sim, NULL, NULL, &h->plan.link) == S2SVPN_OK);
    for (size_t i = 0; i < h->sites; i++) {
        for (size_t k = 0; k < 2; k++) {
            set_cut(f, i, k, false);
            set_black(f, i, k, false);
        }
        if (f->stopped[i])
            set_stopped(f, i, false);
    }
    while (held_ns < HOLD_NS && s2svpn_sim_now(h->sim) < end_ns) {
        hub_run(h, 5 * SECOND);
        held_ns = hub_is_up(h) ? held_ns + 5 * SECOND : 0;
    }
    const bool all_are_up_and_stay_so_within_the_bound = held_ns >= HOLD_NS;
    if (!CHECK(all_are_up_and_stay_so_within_the_bound))
        hub_describe(h);
    return all_are_up_and_stay_so_within_the_bound;
}
