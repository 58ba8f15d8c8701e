#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Beyond the NAT is a router whose links are narrower than ours. It says so by ICMP to the
# probes of both ends: the tunnels' MTU follows, what doesn't fit is told so inside, and
# nothing is cut outside. Where it says nothing, nothing hangs. RFC 4301 section 8.2, 1191.
. "$(dirname "$0")/lib/net.sh"
. "$(dirname "$0")/lib/nat.sh"

middle=s2m$$
program=$build/examples/s2svpn-device
control=$work/control

in_middle() { ip netns exec "$middle" "$@"; }

# A router between the NAT and the cloud: nothing longer than this passes it.
narrow() { in_middle ip route replace 203.0.113.7 dev west mtu "$1" && in_middle ip route replace 198.51.100.0/24 dev east mtu "$1"; }
nat_wire()
{
    nat_space "$middle"
    ip link add west netns "$middle" type veth peer name wire netns "$nat"
    ip link add east netns "$middle" type veth peer name v0 netns "$cloud"
    for n in west east; do ip -n "$middle" link set "$n" up; done
    ip -n "$middle" addr add 203.0.113.254/32 dev west
    ip -n "$middle" addr add 198.51.100.254/32 dev east
    in_middle sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.west.proxy_arp=1 \
        net.ipv4.conf.east.proxy_arp=1
    narrow 1500
}

up() { [ "$(grep -c 'tunnel [12]: up' "$work/device.log")" -ge 2 ]; }
out() { in_device ping -c 1 -W 1 -I 192.168.7.1 10.0.1.10; }
mtu() { in_device "$program" status --json --control "$control" | sed -n 's/.*"mtu":\([0-9]*\).*"mtu":.*/\1/p'; }
mtu_below() { [ "$(mtu)" -lt "$1" ]; }
# large SIZE: a ping that must not be cut; large_back: from the instance.
large() { in_device ping -M "do" -s "$1" -c 1 -W 1 -I 192.168.7.1 10.0.1.10; }
large_back() { in_cloud ping -M "do" -s "$1" -c 1 -W 1 -I 10.0.1.10 192.168.7.1; }
told() { "$@" 2>&1 | grep -qi 'frag needed\|message too long'; }

make_nat
nat_ports 20000-29999
narrow 1300
nat_capture wire
write_config "$work/static.xml" static
sed -i 's/clear_df_bit>true/clear_df_bit>false/' "$work/static.xml"
begin "the gateway plays the document" start_gateway "$work/static.xml" --route 192.168.0.0/16 || say_end
begin "the device starts" start_device "$work/static.xml" --local 192.0.2.7 --route 10.0.0.0/16 \
    --control "$control" || say_end
check "both tunnels come up" until_true 60 up || say_end
check "pings cross" until_true 30 out
check "the tunnels' MTU follows the path's" until_true 60 mtu_below 1300
check "and at the gateway" until_true 60 grep -q 'tunnel 1: the path carries 1300 bytes' "$work/gateway.log"
check "a ping that doesn't fit is told so" until_true 60 told large 1350
check "one that fits passes" until_true 30 large $(($(mtu) - 28))
check "the instance's are told as well" until_true 60 told large_back 1350
check "and pass when they fit" until_true 30 large_back $(($(mtu) - 28))
check "large ones that may be cut pass" until_true 30 in_device ping -M dont -s 3000 -c 2 -i 0.2 -W 1 -I 192.168.7.1 10.0.1.10
begin "10 MB from the office arrive whole" transfer "$device" 192.168.7.1 "$cloud" 10.0.1.10 10000000
begin "10 MB from the instance arrive whole" transfer "$cloud" 10.0.1.10 "$device" 192.168.7.1 10000000
begin "the capture is whole" end_capture wire
check "the router said so to both" [ "$(captured wire 'src 203.0.113.254 and icmp[0:2] = 0x0304')" -ge 1 ]
check "no outside packet was cut" [ "$(captured wire 'ip[6:2] & 0x3fff != 0')" = 0 ]

# Nothing tells of it now, and still nothing hangs.
narrow 1200
in_middle nft add table ip mute
in_middle nft 'add chain ip mute out { type filter hook output priority 0; }'
in_middle nft add rule ip mute out icmp type destination-unreachable drop
check "it narrows further, without a word: pings that fitted pass" until_true 30 in_device \
    ping -M "do" -s $(($(mtu) - 28)) -c 3 -i 0.2 -W 1 -I 192.168.7.1 10.0.1.10
begin "10 MB from the office arrive whole still" transfer "$device" 192.168.7.1 "$cloud" 10.0.1.10 10000000
begin "10 MB from the instance arrive whole still" transfer "$cloud" 10.0.1.10 "$device" 192.168.7.1 10000000
begin "the device ends when it is told to" stop "$device_pid"
say_end
