/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hosts of a scene of many sites that send anything to anywhere, and a watcher at the wire
 * that follows each of their packets from node to node:
 *
 *   again     a packet enters a node where it has been, or began: it goes in circles
 *   astray    a packet of one gateway's hosts is on its way to a site of another's
 *   followed  packets seen on the wire: they must be some
 *
 * What arrives at a host is looked at by the scene itself (hub.h, leaks and mistaken).
 */
#ifndef S2_TESTS_SIM_CROWD_H
#define S2_TESTS_SIM_CROWD_H

#include "hub.h"

#define CROWD_KINDS 3 /* requests, replies, and errors about either */

struct crowd {
    struct hub *h;
    s2svpn_sim *dice;
    struct watch watch; /* for the scene's plan */
    uint16_t seq[HUB_GATEWAYS];
    unsigned again, astray, followed;
    uint16_t been[HUB_GATEWAYS][CROWD_KINDS][65536]; /* bits of nodes */
};

void crowd_begin(struct crowd *c, struct hub *h, s2svpn_sim *dice);
void crowd_end(struct crowd *c);
/* One packet from some host or instance of some gateway. */
void crowd_send(struct crowd *c);

#endif
