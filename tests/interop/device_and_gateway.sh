#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# s2svpn-device and s2svpn-gateway --play from the very same document, through the
# kernel's TCP on both sides; and examples/embed.c as the device.
. "$(dirname "$0")/lib/net.sh"
. "$(dirname "$0")/lib/pings.sh"

make_net
write_config "$work/bgp.xml" bgp
begin "the gateway plays the document" start_gateway "$work/bgp.xml" || say_end
begin "the device starts from it" start_device "$work/bgp.xml" || say_end
up() { grep -q 'tunnel 1: up' "$work/device.log" && grep -q 'tunnel 2: up' "$work/device.log"; }
check "both tunnels come up" until_true 60 up
check "pings cross" until_true 60 in_device ping -c 1 -W 1 -I 192.168.7.1 10.0.1.10
begin "100 MB from the office arrive whole" transfer "$device" 192.168.7.1 "$cloud" 10.0.1.10 100000000
begin "100 MB from the instance arrive whole" transfer "$cloud" 10.0.1.10 "$device" 192.168.7.1 100000000

# Both tunnels have been rekeyed, so often in all, and what was replaced is gone.
rekeyed()
{
    [ "$(grep -c 'child SA rekeyed' "$work/device.log")" -ge "$1" ] &&
        [ "$(grep -c 'child SA .*ended: replaced' "$work/device.log")" -ge "$1" ] &&
        [ "$(grep -c 'child SA .*ended: replaced' "$work/gateway.log")" -ge "$1" ]
}
rekey_under_traffic()
{
    pings_on "$device" "$work/ping.log" -i 0.02 -I 192.168.7.1 10.0.1.10
    pings_go_on "$work/ping.log" 25
    kill -USR1 "$device_pid"
    until_true 60 rekeyed 2
    pings_go_on "$work/ping.log" 25
    kill -USR1 "$gateway"
    until_true 60 rekeyed 4
    pings_go_on "$work/ping.log" 25
    kill -USR1 "$gateway" "$device_pid"
    until_true 60 rekeyed 6
    pings_go_on "$work/ping.log" 50
    pings_off "$work/ping.log"
    none_lost "$work/ping.log" 100 && rekeyed 6
}
begin "rekeys by either side and both at once lose no ping" rekey_under_traffic
begin "the device ends when it is told to" stop "$device_pid"
idle() { [ "$(grep -c 'idle: closed by the peer' "$work/gateway.log")" -ge 2 ]; }
check "the gateway sees both tunnels closed" until_true 30 idle

start_embed()
{
    start "$device" "$work/embed.log" sh -c \
        "exec '$build/examples/embed' 203.0.113.7 <'$work/bgp.xml'"
}
if [ -x "$build/examples/embed" ]; then
    start_embed
    embedded() { [ "$(grep -c 'tunnel [12]: up' "$work/embed.log")" -ge 2 ]; }
    check "the smallest host brings both tunnels up" until_true 60 embedded || cat "$work/embed.log"
fi
begin "the gateway ends when it is told to" stop "$gateway"
say_end
