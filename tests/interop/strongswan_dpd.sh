#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Each side vanishes without a word, frozen or killed, and comes back: strongSwan's
# liveness checks against ours (RFC 7296 section 2.4), and INITIAL_CONTACT. Our gateway
# waits for AWS's 30 s at least, which is most of the time here.
. "$(dirname "$0")/lib/net.sh"

psk=interop.test_key.0123456789
# shellcheck disable=SC2034 # for start_charon
charon_options="  retransmit_tries = 1"

pings() { in_device ping -c 1 -W 1 -I 192.168.7.1 10.0.1.10; }
sas() { vici "$1" sas; }
count() { sas "$1" | python3 -IS -c 'import json, sys; print(len(json.load(sys.stdin)))'; }
one_sa() { [ "$(count "$1")" = 1 ] && sas "$1" | grep '"ESTABLISHED"'; }
said() { [ "$(grep -c "$1" "$2")" -ge "$3" ]; }

# ---- the gateway, and strongSwan as the device

start_ss()
{
    start_charon "$device" ss || return 1
    write_swanctl ss 203.0.113.7 198.51.100.1 192.168.0.0/16 10.0.0.0/16 "$psk" \
        aes128gcm16-prfsha256-ecp256 aes128gcm16-ecp256 "dpd_action = restart" "dpd_delay = 1s" &&
        swanctl_of ss --initiate --child k --timeout 60
}

make_net
write_config "$work/static.xml" static "$psk"
begin "the gateway plays the document" start_gateway "$work/static.xml" --route 192.168.0.0/16 || say_end
begin "strongSwan brings the tunnel up" start_ss
check "pings cross" until_true 30 pings

kill -STOP "$gateway"
noticed() { grep 'giving up after' "$work/ss/charon.log"; }
check "a frozen gateway is noticed by strongSwan" until_true 60 noticed
kill -CONT "$gateway"
check "pings cross when it is back" until_true 60 pings
check "with one IKE SA" until_true 30 one_sa ss

kill -9 "$gateway"
wait "$gateway" 2>/dev/null
begin "a killed gateway is started anew" start_gateway "$work/static.xml" --route 192.168.0.0/16
check "strongSwan finds out, and pings cross" until_true 120 pings
check "with one IKE SA to the new one" until_true 30 one_sa ss

ups=$(grep -c 'tunnel 1: up' "$work/gateway.log")
{ kill -9 "$charon" && wait "$charon"; } 2>/dev/null
begin "a killed strongSwan is started anew" start_ss
check "pings cross, on the first contact" until_true 20 pings
check "the gateway has forgotten the old SAs" said 'the peer has started anew' "$work/gateway.log" 1

freeze_for_good() { kill -STOP "$charon" && date +%s; }
begin "strongSwan freezes" freeze_for_good
frozen=$(date +%s)
check "the gateway notices" until_true 150 said 'stopped answering' "$work/gateway.log" 1
took=$(($(date +%s) - frozen))
in_time() { echo "$took s" && [ "$took" -ge 25 ] && [ "$took" -le 45 ]; }
check "after AWS's 30 s without an answer, not sooner" in_time
check "the tunnel waits for its device" said 'tunnel 1: idle' "$work/gateway.log" 1
kill -CONT "$charon"
check "strongSwan comes back, and pings cross" until_true 60 pings
check "with one IKE SA, when strongSwan is back" until_true 30 one_sa ss
check "the tunnel has come up again" said 'tunnel 1: up' "$work/gateway.log" $((ups + 1))
stop "$charon"
stop "$gateway"

# ---- the device, and strongSwan as the cloud

start_cloud()
{
    start_charon "$cloud" cloud &&
        write_swanctl cloud 198.51.100.1 203.0.113.7 10.0.0.0/16 0.0.0.0/0 "$psk" \
            aes128-sha256-modp2048 aes128gcm16-modp2048 "dpd_action = clear" "dpd_delay = 1s"
}
device_starts() { start_device "$work/quick.xml" --route 10.0.0.0/16; }

sed 's|<interval>10<|<interval>1<|' "$work/static.xml" >"$work/quick.xml"
ip -n "$cloud" addr add 10.0.1.10/32 dev lo
begin "strongSwan starts in the cloud" start_cloud
begin "the device starts from the document" device_starts
check "pings cross to the cloud" until_true 60 pings

{ kill -9 "$device_pid" && wait "$device_pid"; } 2>/dev/null
begin "a killed device is started anew" device_starts
check "pings cross, on its first contact" until_true 60 pings
check "strongSwan has forgotten the old SA because of it" \
    grep 'destroying duplicate IKE_SA.*received INITIAL_CONTACT' "$work/cloud/charon.log"
check "with one IKE SA to the new device" until_true 30 one_sa cloud

kill -STOP "$device_pid"
forgotten() { [ "$(count cloud)" = 0 ]; }
check "a frozen device is noticed by strongSwan" until_true 60 forgotten
kill -CONT "$device_pid"
check "pings cross when the device is back" until_true 60 pings
check "with one IKE SA, when the device is back" until_true 30 one_sa cloud

kill -STOP "$charon"
check "a frozen strongSwan is noticed by the device" until_true 60 \
    said 'stopped answering' "$work/device.log" 1
kill -CONT "$charon"
check "pings cross when strongSwan is back" until_true 60 pings

{ kill -9 "$charon" && wait "$charon"; } 2>/dev/null
begin "a killed strongSwan is started anew in the cloud" start_cloud
check "the device finds out, and pings cross" until_true 120 pings
check "with one IKE SA to the new strongSwan" until_true 30 one_sa cloud
begin "the device ends when it is told to" stop "$device_pid"
say_end
