#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# strongSwan is the customer gateway device with IKEv1, as AWS's default download sets it up;
# s2svpn-gateway plays the document, allows both versions and answers.
. "$(dirname "$0")/lib/net.sh"
. "$(dirname "$0")/lib/rekeys.sh"

psk=interop.test_key.0123456789
ike_version=1

make_net
write_config "$work/static.xml" static "$psk"
begin "the gateway plays the document" start_gateway "$work/static.xml" --route 192.168.0.0/16 || say_end
# both delete what a rekey has replaced
charon_options='  delete_rekeyed = yes'
start_charon "$device" ss || { not_ok "strongSwan starts"; say_end; }
write_swanctl ss 203.0.113.7 198.51.100.1 192.168.0.0/16 10.0.0.0/16 "$psk" \
    aes128-sha1-modp1024 aes128-sha1-modp1024
says() { grep -q -- "$1" "$work/gateway.log"; }
rekeyed() { [ "$(grep -c 'tunnel 1: child SA rekeyed' "$work/gateway.log")" -ge "$1" ]; }

in_vain() { ! swanctl_of ss --initiate --child k --timeout 4; }

check "strongSwan brings a tunnel up" swanctl_of ss --initiate --child k --timeout 20
check "the gateway says so" until_true 10 says 'tunnel 1: up'
check "with what AWS's file asks for" says 'AES_CBC_128/PRF_HMAC_SHA1/MODP_1024'
check "pings cross" until_true 15 in_device ping -c 1 -W 3 -I 192.168.7.1 10.0.1.10
begin "10 MB from the office arrive whole" transfer "$device" 192.168.7.1 "$cloud" 10.0.1.10 10000000
begin "10 MB from the instance arrive whole" transfer "$cloud" 10.0.1.10 "$device" 192.168.7.1 10000000
kill -USR1 "$gateway"
check "the gateway rekeys phase 2" until_true 30 rekeyed 1
check "one pair is left" settled "$work/gateway.log" ss
check "strongSwan rekeys phase 2" swanctl_of ss --rekey --child k
check "which the gateway sees" until_true 30 rekeyed 2
check "one pair is left again" settled "$work/gateway.log" ss
check "strongSwan rekeys phase 1" swanctl_of ss --rekey --ike c
check "one IKE SA and one pair are in use after that" in_use ss
check "pings cross still" until_true 15 in_device ping -c 1 -W 3 -I 192.168.7.1 10.0.1.10
check "strongSwan closes it" swanctl_of ss --terminate --ike c
check "and the gateway sees why" until_true 15 says 'idle: closed by the peer'

write_swanctl ss 203.0.113.7 198.51.100.1 192.168.0.0/16 10.0.0.0/16 another.key.9876543210 \
    aes128-sha1-modp1024 aes128-sha1-modp1024
check "with another key it tries in vain" in_vain
check "the gateway says that the keys differ" until_true 30 says 'pre-shared key'
write_swanctl ss 203.0.113.7 198.51.100.1 192.168.0.0/16 10.0.0.0/16 "$psk" \
    aes192-sha1-modp1024 aes128-sha1-modp1024
check "with a cipher that AWS hasn't it tries in vain" in_vain
check "the gateway says that there is no common proposal" until_true 30 says 'no common proposal'
say_end
