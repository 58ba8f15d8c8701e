#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# strongSwan plays one of AWS's endpoints and answers; s2svpn-device begins.
. "$(dirname "$0")/lib/net.sh"
. "$(dirname "$0")/lib/pings.sh"
. "$(dirname "$0")/lib/rekeys.sh"

psk=interop.test_key.0123456789

make_net
write_config "$work/static.xml" static "$psk"
ip -n "$cloud" addr add 10.0.1.10/32 dev lo
start_charon "$cloud" ss || { not_ok "strongSwan starts"; say_end; }
write_swanctl ss 198.51.100.1 203.0.113.7 10.0.0.0/16 0.0.0.0/0 "$psk" \
    aes128-sha256-modp2048,aes256gcm16-prfsha256-ecp256 aes128gcm16-modp2048-ecp256
begin "the device starts from the document" start_device "$work/static.xml" --route 10.0.0.0/16 || say_end

up() { grep -q 'tunnel 1: up' "$work/device.log"; }
check "tunnel 1 comes up" until_true 60 up
check "pings cross" until_true 60 in_device ping -c 1 -W 1 -I 192.168.7.1 10.0.1.10
begin "20 MB from the instance arrive whole" transfer "$cloud" 10.0.1.10 "$device" 192.168.7.1 20000000
begin "20 MB from the office arrive whole" transfer "$device" 192.168.7.1 "$cloud" 10.0.1.10 20000000

rekeyed() { [ "$(grep -c 'child SA rekeyed' "$work/device.log")" -ge "$1" ]; }
rekey_under_traffic()
{
    pings_on "$device" "$work/ping.log" -i 0.02 -I 192.168.7.1 10.0.1.10
    pings_go_on "$work/ping.log" 25
    swanctl_of ss --rekey --child k || return 1
    until_true 60 rekeyed 1
    settled "$work/device.log" ss || return 1
    pings_go_on "$work/ping.log" 25
    kill -USR1 "$device_pid"
    until_true 60 rekeyed 2
    settled "$work/device.log" ss || return 1
    pings_go_on "$work/ping.log" 25
    pings_off "$work/ping.log"
    none_lost "$work/ping.log" 75 && rekeyed 2
}
begin "rekeys by either side lose no ping" rekey_under_traffic

dead() { grep -q 'stopped answering' "$work/device.log"; }
kill -STOP "$charon"
check "a peer that falls silent is noticed within DPD's time" until_true 90 dead
kill -CONT "$charon"
check "the tunnel comes back by itself" until_true 180 sh -c "[ \$(grep -c 'tunnel 1: up' '$work/device.log') -ge 2 ]"
begin "the device ends when it is told to" stop "$device_pid"
say_end
