#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The device sits behind NAT, and the address that it has there changes while it runs: it
# goes on. The document's address is the NAT's, and no option says so.
#
#   device 192.168.99.5, later .6 ── router, 203.0.113.7 outside ── cloud
. "$(dirname "$0")/lib/net.sh"

router=s2r$$
says() { grep -q -- "$1" "$work/device.log"; }
up() { says 'tunnel 1: up' && says 'tunnel 2: up'; }
crosses() { in_device ping -c 1 -W 1 -I 192.168.7.1 10.0.1.10; }

make_net
ip netns add "$router"
spaces+=("$router")
ip -n "$router" link set lo up
ip -n "$device" link del v0
ip link add v0 netns "$device" type veth peer name lan netns "$router"
ip link add v0 netns "$cloud" type veth peer name wan netns "$router"
ip -n "$router" addr add 192.168.99.1/24 dev lan
ip -n "$router" addr add 203.0.113.7/32 dev wan
ip -n "$cloud" addr add 198.51.100.1/32 dev v0
ip -n "$cloud" addr add 198.51.100.2/32 dev v0
ip -n "$router" link set lan up
ip -n "$router" link set wan up
ip -n "$device" link set v0 up
ip -n "$cloud" link set v0 up
ip -n "$router" route add 198.51.100.0/24 dev wan src 203.0.113.7
ip -n "$cloud" route add 203.0.113.7 dev v0 src 198.51.100.1
ip netns exec "$router" sysctl -qw net.ipv4.ip_forward=1
if ! ip netns exec "$router" nft -f - 2>/dev/null <<'NFT'
table ip nat {
  chain post {
    type nat hook postrouting priority 100; policy accept;
    oifname "wan" masquerade
  }
}
NFT
then
    skip "all" "no nftables"
    say_end
fi

# live_at ADDRESS: the interface's only one.
live_at()
{
    in_device ip addr flush dev v0
    in_device ip addr add "$1/24" dev v0
    in_device ip route replace default via 192.168.99.1
}

live_at 192.168.99.5
write_config "$work/bgp.xml" bgp
begin "the gateway plays the document" start_gateway "$work/bgp.xml" || say_end
begin "the device starts from it" start_device "$work/bgp.xml" || say_end
check "it says that the document's address isn't here" \
    says '203.0.113.7 is not an address of this host'
check "both tunnels come up" until_true 60 up
check "it has found the NAT" says 'NAT found: the peer 198.51.100.1:4500 sees another address'
check "pings cross" until_true 60 crosses

live_at 192.168.99.6
check "with another address pings cross again" until_true 120 crosses
check "and again" until_true 30 crosses
live_at 192.168.99.77
check "with a third they do too" until_true 120 crosses

in_device ip addr flush dev v0
sleep 3
live_at 192.168.99.5
check "and after a while without any" until_true 120 crosses
begin "the device ends" stop "$device_pid"

# Bound to an address that goes and comes.
begin "with --local it starts" start_device "$work/bgp.xml" --local 192.168.99.5
check "comes up" until_true 60 up
check "pings cross from that address" until_true 60 crosses
in_device ip addr flush dev v0
sleep 3
live_at 192.168.99.5
check "when its address is back, pings cross again" until_true 120 crosses
begin "the device ends when it is told to" stop "$device_pid"
say_end
