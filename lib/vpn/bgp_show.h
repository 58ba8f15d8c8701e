/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's routes in the public form (bgp_speaker.c). */
#ifndef S2_VPN_BGP_SHOW_H
#define S2_VPN_BGP_SHOW_H

#include "bgp/bgp.h"
#include "s2svpn/bgp.h"

void s2_bgp_show_routes(const struct s2_bgp_peer *peer,
                        bool (*each)(void *arg, const s2svpn_bgp_route *route), void *arg);

#endif
