#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Our device behind a NAT, against our gateway: the tunnels come up, and go on when the
# NAT forgets its mappings, gives others or gets another public address.
. "$(dirname "$0")/lib/net.sh"
. "$(dirname "$0")/lib/nat.sh"
. "$(dirname "$0")/lib/pings.sh"

program=$build/examples/s2svpn-device
control=$work/control

count() { grep -c "$1" "$2"; }
both_up() { [ "$(count 'tunnel [12]: up' "$work/device.log")" -ge 2 ]; }
out() { in_device ping -c 1 -W 1 -I 192.168.7.1 10.0.1.10; }
back() { in_cloud ping -c 1 -W 1 -I 10.0.1.10 192.168.7.1; }
moved_since() { [ "$(count 'tunnel 1: the peer.s address behind its NAT' "$work/gateway.log")" -gt "$1" ]; }
moved() { count 'tunnel 1: the peer.s address behind its NAT' "$work/gateway.log"; }
rekeyed() { [ "$(count 'tunnel [12]: child SA rekeyed' "$work/device.log")" -ge "$1" ]; }
never_restarted()
{
    [ "$(count 'tunnel [12]: up' "$work/device.log")" = 2 ] &&
        [ "$(count 'tunnel [12]: up' "$work/gateway.log")" = 2 ] &&
        [ "$(count 'child SA new' "$work/device.log")" = 2 ]
}
says()
{
    in_device "$program" status --json --control "$control" >"$work/status" &&
        python3 -c 'import json, sys
t = json.load(open(sys.argv[1]))["connections"][0]["tunnels"]
sys.exit(not eval(sys.argv[2]))' "$work/status" "$1"
}

make_nat
nat_ports 20000-29999
nat_capture wire
write_config "$work/static.xml" static
begin "the gateway plays the document" start_gateway "$work/static.xml" --route 192.168.0.0/16 || say_end
begin "the device starts from it, behind a NAT" start_device "$work/static.xml" \
    --local 192.0.2.7 --route 10.0.0.0/16 --control "$control" || say_end
check "both tunnels come up" until_true 60 both_up || say_end
check "pings go out" until_true 30 out
check "and in" until_true 30 back
check "the status says that there is a NAT on our side" says 'all(x["nat_local"] and x["udp"] for x in t)'
begin "10 MB from the office arrive whole" transfer "$device" 192.168.7.1 "$cloud" 10.0.1.10 10000000
begin "10 MB from the instance arrive whole" transfer "$cloud" 10.0.1.10 "$device" 192.168.7.1 10000000

# Somebody else behind the same NAT sends again what he has heard.
nat_space "$device2"
nat_inside "$device2" in2 192.0.2.9 192.168.9.1
snap=0 nat_capture heard 'src 203.0.113.7 and udp dst port 4500'
kill -USR1 "$device_pid"
check "the tunnels rekey" until_true 60 rekeyed 2
check "pings cross after it" pings_all "$device" 5 -i 0.2 -I 192.168.7.1 10.0.1.10
begin "what is heard is written" end_capture heard
before=$(moved)
check "what was on the wire is sent again, from elsewhere" in_device2 \
    python3 "$here/tests/interop/lib/resend.py" "$work/heard.pcap" 192.0.2.9:4500 198.51.100.1:4500
# All of it came before these pings, by the same socket.
check "and pings go on" pings_all "$device" 10 -i 0.1 -I 192.168.7.1 10.0.1.10
check "nobody follows it" [ "$(moved)" = "$before" ]

before=$(moved)
nat_forget 30000-39999
# At once, sooner than by any liveness check, which come every 10 s.
comes_back "mappings are forgotten: what the office sends is answered again" 8 out
check "the gateway notes the new address" until_true 20 moved_since "$before"
before=$(moved)
nat_forget 40000-49999
comes_back "forgotten again: what the instance sends is answered again" 40 back
check "the gateway notes it too" until_true 20 moved_since "$before"

before=$(moved)
nat_address 203.0.113.8
comes_back "the NAT gets another public address: pings are answered again" 8 out
check "the gateway notes it" until_true 20 moved_since "$before"
check "and the way in" until_true 20 back
kill -USR1 "$device_pid"
check "a rekey by the device is answered there" until_true 60 rekeyed 4
kill -USR1 "$gateway" # whose liveness checks that went to the old address come first
check "and one by the gateway reaches it" until_true 90 rekeyed 6
begin "10 MB arrive whole there" transfer "$cloud" 10.0.1.10 "$device" 192.168.7.1 10000000
check "no tunnel was ever restarted" never_restarted

begin "the capture of the wire is whole" end_capture wire
check "all goes in UDP" [ "$(captured wire 'ip proto 50')" = 0 ]
check "from ports of the NAT" capture_has wire 50 'udp src portrange 20000-49999 and dst port 4500'
check "from the first address" capture_has wire 5 'src 203.0.113.7 and dst port 4500'
check "and from the other" capture_has wire 5 'src 203.0.113.8 and dst port 4500'
check "and none of the inside" [ "$(captured wire 'net 192.0.2.0/24')" = 0 ]
begin "the device ends when it is told to" stop "$device_pid"
idle() { [ "$(count 'idle: closed by the peer' "$work/gateway.log")" -ge 2 ]; }
check "and the gateway sees it, behind its new address" until_true 30 idle
say_end
