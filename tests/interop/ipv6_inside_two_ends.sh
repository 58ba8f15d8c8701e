#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# IPv6 inside the tunnels, between our own ends: over IPv4 in UDP, and over IPv6 as protocol
# 50. The device puts the learned prefix into the host's table; the first tunnel is cut and
# the second one takes over.
. "$(dirname "$0")/lib/net.sh"

lan=2001:db8:b::1
instance=2001:db8:a:1::10

both_up() { [ "$(grep -c 'tunnel [12]: up' "$work/device.log")" -ge 2 ]; }
rekeyed() { [ "$(grep -c 'child SA rekeyed' "$work/device.log")" -ge 2 ]; }
ping_instance() { in_device ping -6 -c "${1:-1}" -i 0.2 -W 1 -I "$lan" "$instance"; }
routed() { in_device ip -6 route show proto 117 | grep -q '2001:db8:a::/56 dev lan0 src 2001:db8:b::1'; }
unrouted() { ! in_device ip -6 route show | grep -q '2001:db8:a::/56'; }
moved() { grep -q 'route 2001:db8:a::/56 goes by tunnel 2' "$work/device.log"; }

# starts NAME DOCUMENT OPTION...
starts()
{
    local name=$1 document=$2
    shift 2
    begin "the gateway plays the document, $name" start_gateway "$document" \
        --vpc6 2001:db8:a::/56 --instance6 "$instance" "$@" || say_end
    ip -n "$cloud" addr add "$instance/128" dev inst nodad
    ip -n "$cloud" route add 2001:db8:b::/48 dev inst src "$instance"
    begin "the device starts from it, $name" start_device "$document" --lan 2001:db8:b::/48 \
        --control "$work/control" --address "$lan" --inside-addresses --install-routes "$@" || say_end
    check "both tunnels come up, $name" until_true 60 both_up || say_end
}

# crosses NAME
crosses()
{
    check "the learned prefix is in the host's table, $1" until_true 30 routed
    check "pings cross, $1" until_true 60 ping_instance
    check "the other way too, $1" in_cloud ping -6 -c 3 -i 0.2 -W 1 -I "$instance" "$lan"
    check "long pings cross, $1" in_device ping -6 -c 3 -i 0.2 -s 3000 -I "$lan" "$instance"
    begin "20 MB from the office arrive whole, $1" transfer "$device" "$lan" "$cloud" "$instance" 20000000
    begin "20 MB from the instance arrive whole, $1" transfer "$cloud" "$instance" "$device" "$lan" 20000000
    kill -USR1 "$device_pid"
    check "the tunnels rekey, $1" until_true 60 rekeyed
    check "pings cross after it, $1" ping_instance 3
}

# ends NAME
ends()
{
    begin "the device ends when it is told to, $1" stop "$device_pid"
    check "and its routes with it, $1" until_true 30 unrouted
    begin "the gateway ends when it is told to, $1" stop "$gateway"
}

make_net
ip -n "$device" addr add 2001:db8:7::7/128 dev v0 nodad
ip -n "$cloud" addr add 2001:db8:51::1/128 dev v0 nodad
ip -n "$cloud" addr add 2001:db8:51::2/128 dev v0 nodad
ip -n "$device" route add 2001:db8:51::/48 dev v0 src 2001:db8:7::7
ip -n "$cloud" route add 2001:db8:7::/48 dev v0 src 2001:db8:51::1

write_config "$work/over4.xml" bgp
ipv6_inside "$work/over4.xml"
starts "over IPv4" "$work/over4.xml"
says() { "$build/examples/s2svpn-device" --check "$work/over4.xml" | grep -q 'inside fd00:10::2/126, peer fd00:10::1'; }
check "--check says what is inside" says
crosses "over IPv4"
in_cloud nft -f - <<'NFT'
table inet cut {
  chain in { type filter hook input priority 0; ip daddr 198.51.100.1 drop; }
  chain out { type filter hook output priority 0; ip saddr 198.51.100.1 drop; }
}
NFT
check "cut, the first tunnel gives way to the second" until_true 60 moved
check "pings cross by it" until_true 120 ping_instance
in_cloud nft delete table inet cut
ends "over IPv4"

sed 's/203\.0\.113\.7/2001:db8:7::7/; s/198\.51\.100\.\([12]\)/2001:db8:51::\1/' \
    "$work/over4.xml" >"$work/over6.xml"
starts "over IPv6" "$work/over6.xml" --encapsulation raw
crosses "over IPv6"
ends "over IPv6"
say_end
