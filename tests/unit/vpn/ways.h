/* SPDX-License-Identifier: Apache-2.0 */
/* Which tunnel each of many flows leaves the rig by. */
#ifndef S2_TESTS_VPN_WAYS_H
#define S2_TESTS_VPN_WAYS_H

#include "vpn/rig.h"

#define WAYS_FLOWS 1000
#define NO_WAY 2 /* it didn't leave */

struct ways {
    uint8_t way[WAYS_FLOWS]; /* 0, 1, NO_WAY */
    unsigned count[3];
};

/* One UDP packet of each flow, from the instance to the LAN or the other way, numbered by
 * its source port; what leaves waits for nobody and is dropped. */
void ways_look(struct rig_side *side, struct ways *out);
/* The tunnel by which this packet left; NO_WAY: none. */
unsigned ways_of(struct rig_side *side, const uint8_t *p, size_t len);
/* Both carry within a tenth of even. */
bool ways_are_even(const struct ways *w);

#endif
