/* SPDX-License-Identifier: Apache-2.0 */
/* The optional key log: lines for Wireshark's tables. Nothing else prints keys. */
#ifndef S2_VPN_KEYLOG_H
#define S2_VPN_KEYLOG_H

#include "vpn/vpn.h"

void s2_keylog_ike(s2svpn_context *ctx, const struct s2_ike_sa_info *info);
void s2_keylog_child(s2svpn_context *ctx, const s2svpn_tunnel *t, const struct s2_ike_child *child);

#endif
