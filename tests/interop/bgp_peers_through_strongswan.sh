#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# FRR, ExaBGP and GoBGP in strongSwan's tunnel to our gateway, IPv4 inside and IPv6: both
# roles, a four-octet ASN, refresh, NOTIFICATIONs, a graceful restart. (BIRD has scripts of
# its own.) A scene a peer and a family, at the same time.
. "$(dirname "$0")/lib/net.sh"
. "$(dirname "$0")/lib/beside.sh"
. "$(dirname "$0")/lib/bgp_peers.sh"
. "$(dirname "$0")/lib/bgp_in_tunnel.sh"

scene() # KIND FAMILY
{
    make_net
    session_set "$2"
    begin "the gateway plays the document" session_gateway || return
    begin "strongSwan starts" start_charon "$device" ss || return
    ip -n "$device" link set ipsec0 up
    if [ "$2" = 4 ]; then
        ip -n "$device" addr add "$inside" peer "$ours/$full" dev ipsec0
        write_swanctl ss 203.0.113.7 198.51.100.1 "$network,$inside/32" "$vpc,$ours/32" \
            interop.test_key.0123456789 aes256gcm16-prfsha256-ecp256 aes256gcm16-ecp256
    else
        ip -n "$device" addr add "$inside" peer "$ours/$full" dev ipsec0 nodad
        write_swanctl ss 203.0.113.7 198.51.100.1 ::/0 ::/0 \
            interop.test_key.0123456789 aes256gcm16-prfsha256-ecp256 aes256gcm16-ecp256
    fi
    check "the tunnel comes up" swanctl_of ss --initiate --child k --timeout 30 || return
    session_checks "$1"
}

all_scenes="frr.4 exabgp.4 gobgp.4 frr.6 exabgp.6 gobgp.6"
peer_scenes "$@"
