#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Both pre-shared keys of a connection are rotated by one reload of the device, while pings
# go on. Two gateways stand for AWS's end before and after: each plays a document of its
# own, and the way to an endpoint is turned from one to the other when its key changes.
#
#   device ── v0 ── cloud:  198.51.100.1, .2 with the old keys, an instance 10.0.1.10
#          └─ v1 ── after:  the same addresses with the new keys, and an instance as well
. "$(dirname "$0")/lib/net.sh"
. "$(dirname "$0")/lib/pings.sh"

after=s2a$$
program=$build/examples/s2svpn-device
control=$work/run/control
id=vpn-0123456789abcdef0

ask() { "$program" "$@" --control "$control" >"$work/out" 2>&1; }
# tunnel N: is it up?
tunnel()
{
    ask status --json && python3 -c 'import json, sys; d = json.load(open(sys.argv[1]))
sys.exit(not d["connections"][0]["tunnels"][int(sys.argv[2]) - 1]["up"])' "$work/out" "$1"
}
both() { tunnel 1 && tunnel 2; }
says() { grep -q -- "$1" "$work/device.log"; }
no() { ! "$@"; }

start_after()
{
    start "$after" "$work/after.log" "$build/examples/s2svpn-gateway" --play "$1" --tun inst --verbose
    until_true 60 ip netns exec "$after" ip link show inst || return 1
    ip -n "$after" addr add 10.0.1.10/32 dev inst
    ip -n "$after" link set inst up
    ip -n "$after" route add 192.168.0.0/16 dev inst src 10.0.1.10
}
# turn ADDRESS: from now on the new gateway has it.
turn() { ip -n "$device" route replace "$1/32" dev v1 src 203.0.113.7; }

make_net
ip netns add "$after"
spaces+=("$after")
ip -n "$after" link set lo up
ip link add v1 netns "$device" type veth peer name v0 netns "$after"
ip -n "$after" addr add 198.51.100.1/32 dev v0
ip -n "$after" addr add 198.51.100.2/32 dev v0
ip -n "$device" addr add 203.0.113.7/32 dev v1 2>/dev/null
ip -n "$device" link set v1 up
ip -n "$after" link set v0 up
ip -n "$after" route add 203.0.113.0/24 dev v0 src 198.51.100.1

umask 077
write_config "$work/old.xml" bgp an.old_key.0123456789
write_config "$work/new.xml" bgp a.new_key.0123456789
cp "$work/old.xml" "$work/device.xml"
begin "the gateway plays the old document" start_gateway "$work/old.xml" || say_end
begin "another one plays the new document" start_after "$work/new.xml" || say_end
begin "the device starts from the old one" start_device "$work/device.xml" --control "$control" ||
    say_end
check "both tunnels come up" until_true 60 both
check "pings cross" until_true 60 in_device ping -c 1 -W 1 -I 192.168.7.1 10.0.1.10
pings_on "$device" "$work/ping.log" -D -i 0.05 -I 192.168.7.1 10.0.1.10
check "pings go on" pings_go_on "$work/ping.log" 20

# One reload for both keys. Tunnel 1's endpoint has the new one already; tunnel 2's gets it
# when tunnel 1 is up, as it must be there before the device may touch tunnel 2.
cp "$work/new.xml" "$work/device.xml"
turn 198.51.100.1
kill -HUP "$device_pid"
first_is_back() { grep -A1000 'tunnel 1: .*xml has changed' "$work/device.log" | grep -q 'tunnel 1: up'; }
check "tunnel 1 comes up with its new key" until_true 60 first_is_back
turn 198.51.100.2
second_is_back() { grep -A1000 'tunnel 2: .*xml has changed' "$work/device.log" | grep -q 'tunnel 2: up'; }
check "then tunnel 2 with its" until_true 120 second_is_back
check "the reload is done" until_true 30 says '0 as before, 1 changed, 0 opened, 0 closed, 0 wrong'
order()
{
    grep -nE "$id: tunnel [12]: (.*xml has changed|up$)" "$work/device.log" | tail -n 4 |
        sed -E 's/.*tunnel ([12]): .*(changed|up).*/\1\2/' | tr '\n' ' ' |
        tee "$work/order" | grep -q '^1changed 1up 2changed 2up $'
}
check "one after the other" order
check "both are up" both
pings_off "$work/ping.log"
# Between the turn of the way and the closing of tunnel 1, and until the routes have moved:
# well below what a dead tunnel costs, 30 s.
few()
{
    local sent got

    got=$(answered_in "$work/ping.log")
    sent=$(sed -n 's/.*bytes from.*icmp_seq=\([0-9]*\) .*/\1/p' "$work/ping.log" | tail -n 1)
    echo "$sent sent, $got answered"
    [ $((sent - got)) -le 160 ] && [ "$got" -gt 40 ]
}
check "no more than the failover was lost: some seconds of pings at most" few
check "no log line holds a key" no grep -qE 'old_key|new_key' "$work/device.log"

# A document that says the same touches nothing.
ups=$(grep -c 'tunnel [12]: up' "$work/device.log")
kill -HUP "$device_pid"
check "again, it is as before" until_true 30 says '1 as before, 0 changed'
check "and nothing was touched" test "$(grep -c 'tunnel [12]: up' "$work/device.log")" = "$ups"

# A key that no endpoint has: tunnel 1 stays down, and after a while the reload goes on. Not
# waited for here; that tunnel 2 is left alone meanwhile is what counts.
sed -i '0,/a.new_key/s//no.such_key/' "$work/device.xml"
kill -HUP "$device_pid"
wrong() { says 'tunnel 1: .*pre-shared key'; }
check "a wrong key is told in words" until_true 60 wrong
check "and tunnel 2 carries the pings" until_true 60 in_device ping -c 1 -W 1 -I 192.168.7.1 10.0.1.10
check "tunnel 2 is up" tunnel 2
begin "the device ends when it is told to" stop "$device_pid"
say_end
