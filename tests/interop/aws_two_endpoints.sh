#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# strongSwan plays both of AWS's endpoints, with a VPC's router and an instance behind
# them; our device comes up from the document. Tunnel 1's endpoint dies without a word:
# pings from the office go on by tunnel 2; it comes back, and so does tunnel 1. With BGP
# (BIRD) and from a static document, at the same time.
. "$(dirname "$0")/lib/net.sh"
. "$(dirname "$0")/lib/pings.sh"
. "$(dirname "$0")/lib/two_ends.sh"
. "$(dirname "$0")/lib/beside.sh"

psk=interop.test_key.0123456789
kind=${1:-bgp}
say_suite=$say_suite/$kind
[ $# != 0 ] || beside static

end()
{
    start_end "$1" "198.51.100.$1" 203.0.113.7 "169.254.10.$((4 * $1 + 1))" \
        "169.254.10.$((4 * $1 + 2))" 192.168.0.0/16 "$psk"
}
up() { [ "$(grep -c "tunnel $1: up" "$work/device.log")" -ge "$2" ]; }
by() { grep 'route 10.0.0.0/16' "$work/device.log" | tail -n 1 | grep -q "goes by tunnel $1"; }
back_by() { ask_bird 0 show route 192.168.0.0/16 primary | grep -q "on end$1"; }
out() { in_device ping -c 1 -W 1 -I 192.168.7.1 10.0.1.10; }
back() { in_router ping -c 1 -W 1 -I 10.0.1.10 192.168.7.1; }
down() { grep 'tunnel 1: ' "$work/device.log" | grep -q "$1"; }

make_ends "$device"
ip -n "$device" addr add 192.168.7.1/32 dev lo
ip -n "$router" addr add 10.0.1.10/32 dev lo
for n in 1 2; do
    ip -n "$device" addr add 203.0.113.7/32 dev wire$n
    ip -n "$device" route add "198.51.100.$n" dev "wire$n" src 203.0.113.7
    ip -n "${ends[$n]}" addr add "198.51.100.$n/32" dev wire
    ip -n "${ends[$n]}" route add 203.0.113.7 dev wire src "198.51.100.$n"
done
router_bird 64512
for n in 1 2; do
    begin "endpoint $n starts" end $n || say_end
    end_bird $n "$kind" 64512 "169.254.10.$((4 * n + 1))" 65000 "169.254.10.$((4 * n + 2))" 10.0.0.0/16
done

write_config "$work/aws.xml" "$kind" "$psk"
routes=()
[ "$kind" = bgp ] || routes=(--route 10.0.0.0/16)
begin "the device starts from the document" start_device "$work/aws.xml" \
    --control "$work/control" "${routes[@]}" || say_end
check "tunnel 1 comes up" until_true 120 up 1 1 || say_end
check "and tunnel 2" until_true 120 up 2 1 || say_end
check "the way out is tunnel 1" until_true 60 by 1
check "and the way back" until_true 60 back_by 1
check "pings reach the instance" until_true 60 out
check "and the office" until_true 30 back
begin "10 MB from the office arrive whole" transfer "$device" 192.168.7.1 "$router" 10.0.1.10 10000000
begin "10 MB from the instance arrive whole" transfer "$router" 10.0.1.10 "$device" 192.168.7.1 10000000

pings_on "$device" "$work/pings.log" -D -i 0.2 -I 192.168.7.1 10.0.1.10
check "pings run" pings_go_on "$work/pings.log"
killed=$(date +%s.%N)
kill_end 1
check "tunnel 1's endpoint is killed: the way out becomes tunnel 2" until_true 60 by 2
check "the way back is tunnel 2's too" until_true 30 back_by 2
switched=$(date +%s.%N)
check "pings go on" pings_go_on "$work/pings.log"
echo "  without an answer: $(gap_after "$work/pings.log" "$killed") s"
check "the device says why" down '[Hh]old [Tt]imer\|stopped answering'

begin "the endpoint starts anew" end 1
check "tunnel 1 comes back" until_true 120 up 1 2
check "and takes over again" until_true 60 by 1
check "the way back as well" until_true 60 back_by 1
check "pings go on by tunnel 1" pings_go_on "$work/pings.log"
echo "  without an answer when it took over: $(gap_after "$work/pings.log" "$switched") s"
# Much less than a hold time, or what it takes to give a tunnel up.
check "which costs hardly a ping" less_than "$(gap_after "$work/pings.log" "$switched")" 8
pings_off "$work/pings.log"
check "tunnel 2 has stayed" [ "$(grep -c 'tunnel 2: up' "$work/device.log")" = 1 ]
begin "the device ends when it is told to" stop "$device_pid"
joined
say_end
