/* SPDX-License-Identifier: Apache-2.0 */
/* A second site of the rig's virtual gateway, for packets that hairpin. */
#ifndef S2_TESTS_VPN_OTHER_SITE_H
#define S2_TESTS_VPN_OTHER_SITE_H

#include "vpn/rig.h"

/* Its packets leave by the first tunnel's SA, since the rig has no second device; the
 * gateway's FIB sends the prefix there. Close it while both tunnels are up. */
s2svpn_connection *other_site_open(struct rig *rig, const char *prefix);
void other_site_close(struct rig *rig, s2svpn_connection *other, const char *prefix);

#endif
