#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ExaBGP and GoBGP, and over IPv6 BIRD and FRR too, on the TUN devices that
# s2svpn-device --external-bgp makes: both roles, a four-octet ASN, refresh, NOTIFICATIONs, a
# graceful restart. (With IPv4 BIRD and FRR have scripts of their own, where they route and
# fail over.) A scene a peer and a family, at the same time.
. "$(dirname "$0")/lib/net.sh"
. "$(dirname "$0")/lib/beside.sh"
. "$(dirname "$0")/lib/external.sh"
. "$(dirname "$0")/lib/bgp_peers.sh"
. "$(dirname "$0")/lib/bgp_in_tunnel.sh"

crosses() { in_cloud ping -c 1 -W 2 -I "$instance" "$host"; } # external.sh has another

scene() # KIND FAMILY
{
    make_net
    session_set "$2"
    begin "the gateway plays the document" session_gateway || return
    begin "the device makes a TUN device a tunnel" start_external "$work/bgp.xml" || return
    check "both tunnels are up" until_true 30 both_up
    ip -n "$device" route add "$vpc" dev vpn1 src "$host"
    session_checks "$1"
    # strongSwan may have closed the tunnel before it hears it; our device hasn't.
    check "the peer shows why" until_true 60 peer told 6/2
    begin "the device ends when it is told to" stop "$device_pid"
}

all_scenes="exabgp.4 gobgp.4 bird.6 frr.6 exabgp.6 gobgp.6"
peer_scenes "$@"
