/* SPDX-License-Identifier: Apache-2.0 */
/* Keeps the lines of the tunnels' own logs of both sides of a rig, and reads them strictly:
 * a line of JSON that isn't JSON fails the test. */
#ifndef S2_TESTS_VPN_KEEPER_H
#define S2_TESTS_VPN_KEEPER_H

#include "vpn/rig.h"

#define KEEPER_LINES 20000

struct keeper {
    size_t lines; /* so far, of both kinds */
    struct keeper_line {
        uint32_t kind, tunnel;
        uint64_t unix_ns;
        char *text;
        char stream[96];
    } line[KEEPER_LINES];
    size_t looked; /* keeper_next goes on from there */
};
extern struct keeper keeper_gateway, keeper_device;

/* Both sides keep one of the two logs as JSON: IKE's, over static routes, or BGP's. */
struct rig_plan keeper_plan(bool ike);
/* Opened, and the device begins; it needn't come up. */
bool keeper_begin(struct rig *rig, const struct rig_plan *plan);
/* The rig's end, and the lines'. */
void keeper_close(struct rig *rig);
/* For rig_plan.adjust: both sides' lines are kept here, from nothing on. */
void keeper_adjust(struct rig_side *side);
void keeper_clear(struct keeper *k);
/* A member's value as it stands in the line, without quotes, one level deep too ("details");
 * "" if it has none. Borrowed until the next call. */
const char *keeper_member(const struct keeper_line *line, const char *name);
/* The next line of the tunnel whose details hold the words, behind the one that was found
 * last; NULL: none, and all that there are are printed. */
const struct keeper_line *keeper_next(struct keeper *k, uint32_t kind, uint32_t tunnel,
                                      const char *words);
/* How many lines of that kind hold the words. */
size_t keeper_count(const struct keeper *k, uint32_t kind, const char *words);

#endif
