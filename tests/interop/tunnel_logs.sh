#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The tunnels' own logs tell the life of a tunnel in order: strongSwan with a wrong key, then
# the right one, rekeys, and dies; and a device with BGP. Every line is JSON of AWS's form.
. "$(dirname "$0")/lib/net.sh"

logs=$work/logs
id=vpn-0123456789abcdef0
ike=$logs/$id-198.51.100.1-IKE.log
bgp=$logs/$id-198.51.100.1-BGP.log

told() { python3 -IS "$here/tests/interop/lib/tunnel_log.py" "$@"; }
says() { grep -qF "$2" "$1"; }

make_net
mkdir "$logs" "$logs/device"
write_config "$work/static.xml" static "the.right.key.0123456789"
begin "the gateway plays the document" start_gateway "$work/static.xml" --route 192.168.0.0/16 \
    --tunnel-logs "$logs" || say_end
check "the files are there before the first line" test -f "$ike"
check "and only their owner writes them" test "$(stat -c %a "$ike")" = 640
start_charon "$device" ss || { not_ok "strongSwan starts"; say_end; }

suites=(aes128gcm16-prfsha256-ecp256 aes128gcm16-ecp256)
write_swanctl ss 203.0.113.7 198.51.100.1 192.168.0.0/16 10.0.0.0/16 "the.wrong.key.0123456789" \
    "${suites[@]}"
swanctl_of ss --initiate --child k --timeout 30 >/dev/null 2>&1
check "a wrong key is in the log" until_true 30 says "$ike" "pre-shared key mismatch"

write_swanctl ss 203.0.113.7 198.51.100.1 192.168.0.0/16 10.0.0.0/16 "the.right.key.0123456789" \
    "${suites[@]}"
check "with the right one the tunnel comes up" swanctl_of ss --initiate --child k --timeout 60
swanctl_of ss --rekey --child k >/dev/null 2>&1
check "its rekey is in the log" until_true 30 says "$ike" "CHILD_SA rekeyed"
mv "$ike" "$ike.1"
kill -HUP "$gateway"
check "a renamed file is opened anew" until_true 30 test -f "$ike"
swanctl_of ss --rekey --ike c >/dev/null 2>&1
check "the IKE SA's rekey is in the new file" until_true 30 says "$ike" "IKE_SA rekeyed"

kill -9 "$charon"
wait "$charon" 2>/dev/null
check "a dead peer is in the log" until_true 120 says "$ike" "Declaring peer dead"
cat "$ike.1" "$ike" >"$work/ike.log"
check "all of it in order, and each line is JSON of AWS's form" told "$work/ike.log" \
    "AWS tunnel processed request (id=0) for IKE_SA_INIT" \
    "AWS tunnel detected a pre-shared key mismatch with cgw: 203.0.113.7" \
    "AWS tunnel is sending AUTHENTICATION_FAILED (24)" \
    "AWS tunnel processed request (id=1) for IKE_AUTH" \
    "Phase 1 IKE_SA established as responder" \
    "Phase 2 CHILD_SA established" \
    "AWS tunnel processed request (id=2) for CREATE_CHILD_SA" \
    "Phase 2 CHILD_SA rekeyed" \
    "AWS tunnel is sending response (id=2) for CREATE_CHILD_SA" \
    "AWS tunnel received DELETE for Phase 2 SA with SPI: 0x" \
    "Phase 1 IKE_SA rekeyed" \
    "AWS tunnel received DELETE for IKE_SA from cgw" \
    "AWS tunnel DPD timed out after" \
    "AWS tunnel: Peer is not responsive - Declaring peer dead" \
    "Phase 1 IKE_SA is down"
check "no line holds a key" sh -c "! grep -rqE 'the\.(right|wrong)\.key' '$logs'"
begin "the gateway ends" stop "$gateway"

write_config "$work/bgp.xml" bgp "the.right.key.0123456789"
begin "the gateway plays a document with BGP" start_gateway "$work/bgp.xml" --tunnel-logs "$logs"
begin "and the device starts from it" start_device "$work/bgp.xml" \
    --tunnel-logs "$logs/device,text"
check "the session and its routes are in the log" until_true 90 told "$bgp" \
    "DOWN: AWS-side peer BGP session state has changed from Idle to" \
    "AWS-side peer sent OPEN to neighbor 169.254.10.6: version 4, AS 64512, hold time 30" \
    "UP: AWS-side peer BGP session state has changed from OpenConfirm to Established" \
    "ADVERTISED: 192.168.0.0/16"
check "the device's is text" until_true 60 grep -qE \
    "^[0-9]{10} \"[0-9 :.-]+Z\" \"Device tunnel Phase 2 CHILD_SA established" \
    "$logs/device/$id-198.51.100.1-IKE.log"
check "also of BGP" until_true 60 grep -qE \
    "^${id}_198.51.100.1 [0-9]{13} \"[0-9 :.-]+Z\" RouteStatus ADVERTISED 10.0.0.0/16 \"64512\"" \
    "$logs/device/$id-198.51.100.1-BGP.log"
begin "the device ends" stop "$device_pid"
check "and the gateway's log says why the session ended" until_true 30 told "$bgp" \
    "to Established" "received NOTIFICATION 6/2" "DOWN: AWS-side peer BGP session state has changed"
say_end
