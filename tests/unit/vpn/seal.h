/* SPDX-License-Identifier: Apache-2.0 */
/* Anything, sealed with a side's own keys and given to the other one: what a peer that
 * knows the keys may send. */
#ifndef S2_TESTS_VPN_SEAL_H
#define S2_TESTS_VPN_SEAL_H

#include "vpn/rig.h"

/* A datagram out of tunnel 0 with any text inside, delivered with this outer TOS. */
void seal_deliver(struct rig *rig, struct rig_side *from, const uint8_t *p, size_t len,
                  uint8_t next_header, uint8_t tos);

#endif
