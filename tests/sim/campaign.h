/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the campaigns have in common: a scene with a watcher at the wire and a scale
 * under its memory, and the invariants, each a check of its own name.
 *
 * A campaign's calls go: campaign_open, things that happen, campaign_calm,
 * campaign_judge, campaign_close.
 */
#ifndef S2_TESTS_SIM_CAMPAIGN_H
#define S2_TESTS_SIM_CAMPAIGN_H

#include "impair.h"
#include "scene.h"
#include "watch.h"

/* Traffic passes again so long after the last disturbance, at most. With AWS's values:
 * 30 s until dead-peer detection ends what nobody answers (or a request that is under
 * way gives up after 2 + 3.6 + 6.5 + 11.7 + 21 + 38 = 83 s of retransmissions, RFC 7296
 * section 2.1), up to 75 s until the next of the tries with back-off, which may itself
 * have begun in the storm and give up only after 83 s, then the next one with its 75 s,
 * and BGP's connect. */
#define CAMPAIGN_BOUND_NS (5 * MINUTE)
#define CAMPAIGN_LINGER_NS (12 * SECOND) /* until nothing old is left after a rekey */
/* IKEv1's deletes aren't answered; one that is lost is made good by the other end's grace, or
 * by the end of a quick mode that was never completed, of two minutes each. */
#define CAMPAIGN_LINGER_V1_NS (130 * SECOND)
#define CAMPAIGN_BYTES_MAX ((size_t)1 << 20)    /* of both contexts at any moment */
#define CAMPAIGN_BYTES_SLACK ((size_t)32 << 10) /* above the level of the beginning, at rest */

struct scale {
    s2svpn_memory memory;
    size_t bytes, peak, blocks;
};

struct campaign {
    struct scene s;
    struct watch watch;
    struct impair impair;
    struct scale scale;
    size_t level; /* bytes when both tunnels were first up and quiet */
};

/* Open, start, wait for both tunnels; the plan's memory and watch are set here. */
bool campaign_open(struct campaign *c, struct scene_plan *plan);
/* As above, but nothing is waited for. */
bool campaign_begin(struct campaign *c, struct scene_plan *plan);
/* End all disturbance, and wait for traffic within the bound. */
bool campaign_calm(struct campaign *c);
/* At rest: run the linger time, then check everything. */
void campaign_judge(struct campaign *c);
/* What must never have been seen on the wire. */
void campaign_judge_wire(const struct campaign *c);
/* The scene ends; memory must be back. */
void campaign_close(struct campaign *c);
/* Fewer seeds where every step costs more: sanitizers. */
unsigned campaign_seeds(unsigned plain);

/* A number from low to high of the campaign's own dice. */
uint64_t campaign_roll(s2svpn_sim *dice, uint64_t low, uint64_t high);

#endif
