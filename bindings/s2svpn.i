/* SPDX-License-Identifier: Apache-2.0 */
/* The public headers as SWIG reads them: the flat, private layer under a language's own
 * package. It is parsed in `make check`; no package stands on it yet (README). */
%module s2svpn_c

%{
#include <s2svpn/s2svpn.h>
%}

%include <stdint.i>
%include <s2svpn/types.h>
%include <s2svpn/error.h>
%include <s2svpn/version.h>
%include <s2svpn/drop.h>
%include <s2svpn/crypto.h>
%include <s2svpn/io.h>
%include <s2svpn/store.h>
%include <s2svpn/context.h>
%include <s2svpn/customer_gateway.h>
%include <s2svpn/virtual_gateway.h>
%include <s2svpn/tunnel.h>
%include <s2svpn/connection.h>
%include <s2svpn/fault.h>
%include <s2svpn/ping.h>
%include <s2svpn/vpc.h>
%include <s2svpn/route_table.h>
%include <s2svpn/config.h>
%include <s2svpn/bgp_policy.h>
%include <s2svpn/bgp.h>
%include <s2svpn/bgp_tunnel.h>
%include <s2svpn/pcap.h>
%include <s2svpn/sim.h>
