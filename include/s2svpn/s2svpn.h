/* SPDX-License-Identifier: Apache-2.0 */
/* AWS Site-to-Site VPN as a library: everything of libs2svpn. libs2svpn-host's
 * s2svpn/host.h is included by those who use it. */
#ifndef S2SVPN_S2SVPN_H
#define S2SVPN_S2SVPN_H

#include "s2svpn/bgp.h"
#include "s2svpn/bgp_policy.h"
#include "s2svpn/bgp_tunnel.h"
#include "s2svpn/certificate.h"
#include "s2svpn/config.h"
#include "s2svpn/connection.h"
#include "s2svpn/context.h"
#include "s2svpn/crypto.h"
#include "s2svpn/customer_gateway.h"
#include "s2svpn/drop.h"
#include "s2svpn/ec2.h"
#include "s2svpn/error.h"
#include "s2svpn/fault.h"
#include "s2svpn/io.h"
#include "s2svpn/pcap.h"
#include "s2svpn/ping.h"
#include "s2svpn/route_table.h"
#include "s2svpn/sim.h"
#include "s2svpn/store.h"
#include "s2svpn/tunnel.h"
#include "s2svpn/tunnel_log.h"
#include "s2svpn/types.h"
#include "s2svpn/version.h"
#include "s2svpn/virtual_gateway.h"
#include "s2svpn/vpc.h"

#endif
