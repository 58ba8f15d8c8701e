#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# strongSwan plays one of AWS's endpoints with IKEv1 alone and answers; s2svpn-device begins,
# told to speak IKEv1, and left to find out.
. "$(dirname "$0")/lib/net.sh"
. "$(dirname "$0")/lib/pings.sh"
. "$(dirname "$0")/lib/rekeys.sh"

psk=interop.test_key.0123456789
ike_version=1

make_net
write_config "$work/static.xml" static "$psk"
ip -n "$cloud" addr add 10.0.1.10/32 dev lo
start_charon "$cloud" ss || { not_ok "strongSwan starts"; say_end; }
write_swanctl ss 198.51.100.1 203.0.113.7 10.0.0.0/16 0.0.0.0/0 "$psk" \
    aes128-sha256-modp2048,aes256-sha384-ecp256 aes128-sha256-modp2048,aes128gcm16-ecp256

up() { grep -q 'tunnel 1: up' "$work/device.log"; }
rekeyed() { [ "$(grep -c 'tunnel 1: child SA rekeyed' "$work/device.log")" -ge "$1" ]; }
again() { grep -c '\.1: IKE SA up' "$work/device.log"; }
another() { [ "$(again)" -gt "$phases_1" ]; }
pings() { in_device ping -c 3 -i 0.2 -W 3 -I 192.168.7.1 10.0.1.10; }

begin "the device starts from the document, told to speak IKEv1" \
    start_device "$work/static.xml" --route 10.0.0.0/16 --ike 1 --control "$work/control" || say_end
check "tunnel 1 comes up" until_true 60 up
check "pings cross" until_true 10 pings
is_v1() { swanctl_of ss --list-sas | grep -q IKEv1; }
check "strongSwan says IKEv1" is_v1
begin "20 MB from the instance arrive whole" transfer "$cloud" 10.0.1.10 "$device" 192.168.7.1 20000000
begin "20 MB from the office arrive whole" transfer "$device" 192.168.7.1 "$cloud" 10.0.1.10 20000000

pings_on "$device" "$work/ping.log" -i 0.02 -I 192.168.7.1 10.0.1.10
check "strongSwan rekeys phase 2" swanctl_of ss --rekey --child k
check "which the device sees" until_true 30 rekeyed 1
check "one pair is in use" in_use ss
kill -USR1 "$device_pid"
check "the device rekeys phase 2" until_true 30 rekeyed 2
check "one pair is in use again" in_use ss
check "strongSwan rekeys phase 1" swanctl_of ss --rekey --ike c
check "one IKE SA and one pair are in use after that" in_use ss
phases_1=$(again)
check "the device rekeys phase 1" "$build/examples/s2svpn-device" rekey-ike vpn-0123456789abcdef0.1 \
    --control "$work/control"
check "which gives another one" until_true 30 another
check "one IKE SA and one pair are in use after that too" in_use ss
kill -USR1 "$device_pid"
check "both rekey phase 2 at once" swanctl_of ss --rekey --child k
check "which leaves something new" until_true 30 rekeyed 3
check "and the traffic goes on" pings_go_on "$work/ping.log" 40
begin "pings end" pings_off "$work/ping.log"
check "no ping was lost" none_lost "$work/ping.log"

dead() { grep -q 'stopped answering' "$work/device.log"; }
back() { [ "$(grep -c 'tunnel 1: up' "$work/device.log")" -ge 2 ]; }
kill -STOP "$charon"
check "a peer that falls silent is noticed within DPD's time" until_true 60 dead
kill -CONT "$charon"
check "the tunnel comes back by itself" until_true 90 back
begin "the device ends when it is told to" stop "$device_pid"

begin "the device starts, left to find out" start_device "$work/static.xml" --route 10.0.0.0/16 || say_end
check "tunnel 1 comes up, with IKEv1" until_true 60 up
check "and says what it came to" until_true 10 grep -q 'IKEv1, since IKEv2 came to nothing' "$work/device.log"
check "pings cross there too" until_true 10 pings
begin "the device ends again" stop "$device_pid"

write_swanctl ss 198.51.100.1 203.0.113.7 10.0.0.0/16 0.0.0.0/0 "$psk" \
    aes128-sha256-modp2048 aes192-sha256-modp2048
begin "the device starts, and has nothing in common for phase 2" \
    start_device "$work/static.xml" --route 10.0.0.0/16 --ike 1 || say_end
check "it says so" until_true 60 grep -q 'tunnel 1: down.*no common proposal for ESP' "$work/device.log"
begin "the device ends once more" stop "$device_pid"
say_end
