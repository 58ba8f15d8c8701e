#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Aggressive mode: strongSwan, told that it doesn't care about security, answers a device
# that was told the same. No gateway of ours answers it: ike_scan_probes.sh.
. "$(dirname "$0")/lib/net.sh"
. "$(dirname "$0")/lib/pings.sh"
. "$(dirname "$0")/lib/rekeys.sh"

psk=interop.test_key.0123456789
ike_version=1
charon_options='i_dont_care_about_security_and_use_aggressive_mode_psk = yes'

make_net
write_config "$work/static.xml" static "$psk"
ip -n "$cloud" addr add 10.0.1.10/32 dev lo
start_charon "$cloud" ss || { not_ok "strongSwan starts"; say_end; }
write_swanctl ss 198.51.100.1 203.0.113.7 10.0.0.0/16 0.0.0.0/0 "$psk" \
    aes128-sha256-modp2048 aes128-sha256-modp2048 '' 'aggressive = yes'

up() { grep -q 'tunnel 1: up' "$work/device.log"; }
rekeyed() { [ "$(grep -c 'tunnel 1: child SA rekeyed' "$work/device.log")" -ge "$1" ]; }
again() { grep -c '\.1: IKE SA up' "$work/device.log"; }
another() { [ "$(again)" -gt "$phases_1" ]; }
pings() { in_device ping -c 3 -i 0.2 -W 3 -I 192.168.7.1 10.0.1.10; }

begin "the device starts, told to use aggressive mode" \
    start_device "$work/static.xml" --route 10.0.0.0/16 --ike aggressive \
    --control "$work/control" || say_end
check "tunnel 1 comes up" until_true 60 up || say_end
check "and says what that is worth" until_true 10 grep -q 'aggressive mode: ' "$work/device.log"
check "pings cross" until_true 10 pings
is_aggressive() { grep -q -i 'AGGRESSIVE' "$work/ss/charon.log"; }
check "strongSwan saw aggressive mode" is_aggressive
pings_on "$device" "$work/ping.log" -i 0.02 -I 192.168.7.1 10.0.1.10
kill -USR1 "$device_pid"
check "the device rekeys phase 2" until_true 30 rekeyed 1
phases_1=$(again)
check "the device rekeys phase 1" "$build/examples/s2svpn-device" rekey-ike vpn-0123456789abcdef0.1 \
    --control "$work/control"
check "which gives another one" until_true 30 another
check "and the traffic goes on" pings_go_on "$work/ping.log" 40
begin "pings end" pings_off "$work/ping.log"
check "no ping was lost" none_lost "$work/ping.log"
begin "the device ends when it is told to" stop "$device_pid"

write_config "$work/wrong.xml" static "another.${psk}"
begin "the device starts, with another key" \
    start_device "$work/wrong.xml" --route 10.0.0.0/16 --ike aggressive || say_end
named() { grep -qi 'authentication failed\|proof is wrong' "$work/device.log"; }
check "it says that the keys differ" until_true 90 named
begin "the device ends again" stop "$device_pid"
say_end
