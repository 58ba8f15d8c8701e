/* SPDX-License-Identifier: Apache-2.0 */
/* What makes routes come and go in a scene of many sites, by dice: paths cut and black-holed,
 * tunnels reset by either end, connections stopped and started, networks withdrawn and
 * advertised again. */
#ifndef S2_TESTS_SIM_FLAPS_H
#define S2_TESTS_SIM_FLAPS_H

#include "hub.h"

struct flaps {
    struct hub *h;
    s2svpn_sim *dice;
    uint8_t cut[HUB_SITES]; /* bits of tunnels */
    uint8_t black[HUB_SITES];
    bool stopped[HUB_SITES];
};

void flaps_begin(struct flaps *f, struct hub *h, s2svpn_sim *dice);
/* One of these things, to one site. */
void flaps_happen(struct flaps *f);
/* Everything is mended and started, and the links lose nothing from now on; networks stay as
 * they are. Waits until all tunnels are up and have been for some time, since what broke may
 * be noticed only now; CHECKs. */
bool flaps_end(struct flaps *f);

#endif
