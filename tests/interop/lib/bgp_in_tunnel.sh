# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # work, gateway, … are net.sh's; peer_… are bgp_peers.sh's
# One BGP session with a foreign peer in tunnel 1 of a document, whatever the tunnel is made
# of: both roles, a four-octet ASN, routes both ways, refresh, withdrawal, a NOTIFICATION, a
# graceful restart. Sourced, after net.sh and bgp_peers.sh.

far_asn=4200000001

# session_set FAMILY: the addresses, and $work/bgp.xml that says them.
session_set()
{
    write_config "$work/bgp.xml" bgp
    sed -i "s/<asn>65000</<asn>$far_asn</" "$work/bgp.xml"
    gateway_options=()
    if [ "$1" = 4 ]; then
        inside=169.254.10.6 ours=169.254.10.5 full=32
        network=192.168.0.0/16 host=192.168.7.1
        vpc=10.0.0.0/16 instance=10.0.1.10
        return
    fi
    ipv6_inside "$work/bgp.xml"
    inside=fd00:10::2 ours=fd00:10::1 full=128
    network=2001:db8:b::/48 host=2001:db8:b::1
    vpc=2001:db8:a::/56 instance=2001:db8:a:1::10
    gateway_options=(--vpc6 "$vpc" --instance6 "$instance")
}
session_gateway()
{
    start_gateway "$work/bgp.xml" "${gateway_options[@]}" || return 1
    [ "$full" = 32 ] && return
    in_device sysctl -qw net.ipv6.conf.all.forwarding=1
    ip -n "$device" addr add "$host/128" dev lo nodad
    ip -n "$cloud" addr add "$instance/128" dev inst nodad
    ip -n "$cloud" route add "$network" dev inst src "$instance"
}

says() { grep -Eq "$1" "$work/gateway.log"; }
says_times() { [ "$(grep -c "$1" "$work/gateway.log")" -ge "$2" ]; }
more_than() { [ "$(peer updates)" -gt "$1" ]; }
last_route() { grep "route $network " "$work/gateway.log" | tail -n 1 | grep -q "$1"; }
crosses() { in_cloud ping -c 1 -W 2 -I "$instance" "$host"; }

# Our connections to the peer's port don't get through, so that it is the one that connects.
only_it_connects()
{
    ip netns exec "$device" nft -f - <<'NFT'
table inet role {
  chain arrive {
    type filter hook input priority 0;
    tcp dport 179 tcp flags & (syn | ack) == syn drop
  }
}
NFT
}
both_connect() { ip netns exec "$device" nft delete table inet role; }

session_checks()
{
    local n

    peer_set "$1" "$inside" "$ours" "$far_asn" "$network"
    only_it_connects
    begin "$1 starts" peer start active || return
    check "it connects: BGP is established" until_true 120 peer established
    check "we say so" until_true 60 says 'tunnel 1: BGP .* -> Established'
    check "it was its connection" says 'tunnel 1: BGP .*: connection accepted'
    check "it has the VPC's block" until_true 60 peer has "$vpc"
    check "we have its network, from an AS of four octets" until_true 60 last_route 'goes by tunnel 1'
    check "packets cross" until_true 60 crosses
    if [ "$1" != gobgp ]; then
        n=$(peer updates)
        peer refresh >/dev/null
        check "it asks for everything again and gets it" until_true 60 more_than "$n"
    fi
    peer withdraw >/dev/null
    check "a withdrawal takes the route away" until_true 60 last_route 'has no path'
    peer announce >/dev/null
    check "and it comes back" until_true 60 last_route 'goes by tunnel 1'
    peer reset >/dev/null
    check "a reset is told in words" until_true 60 says 'notification received: Cease/Administrative Reset'
    check "the session comes back" until_true 120 says_times 'tunnel 1: BGP .* -> Established' 2
    check "and the route" until_true 60 last_route 'goes by tunnel 1'
    check "the peer ends when it is told to" peer stop
    check "which is seen" until_true 60 last_route 'has no path'

    both_connect
    n=$(grep -c 'BGP Connect -> OpenSent: connected' "$work/gateway.log")
    peer_graceful=yes
    begin "$1 starts, passive" peer start passive
    check "we connect" until_true 120 says_times 'BGP Connect -> OpenSent: connected' $((n + 1))
    check "BGP is established" until_true 120 peer established
    check "it has the VPC's block" until_true 60 peer has "$vpc"
    check "we have its network" until_true 60 last_route 'goes by tunnel 1'
    n=$(grep -c "route $network has no path" "$work/gateway.log")
    peer crash 2>/dev/null
    check "it crashes: its routes stay" until_true 60 says 'BGP restarts gracefully: its routes stay'
    check "and packets go on" crosses
    begin "it starts again" peer start passive again
    check "the graceful restart ends" until_true 120 says 'tunnel 1: the graceful restart is over'
    check "the session is established" until_true 120 peer established
    check "the route was never without a path" [ "$(grep -c "route $network has no path" "$work/gateway.log")" = "$n" ]
    begin "the gateway ends when it is told to" stop "$gateway"
}
