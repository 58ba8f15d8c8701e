#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A wrong pre-shared key is named on our side, whichever side we are on.
. "$(dirname "$0")/lib/net.sh"

make_net
write_config "$work/static.xml" static "the.right.key.0123456789"
begin "the gateway plays the document" start_gateway "$work/static.xml" --route 192.168.0.0/16 || say_end
start_charon "$device" ss || { not_ok "strongSwan starts"; say_end; }
write_swanctl ss 203.0.113.7 198.51.100.1 192.168.0.0/16 10.0.0.0/16 "the.wrong.key.0123456789" \
    aes128gcm16-prfsha256-ecp256 aes128gcm16-ecp256
if swanctl_of ss --initiate --child k --timeout 30 >/dev/null 2>&1; then
    not_ok "strongSwan is refused"
else
    ok "strongSwan is refused"
fi
check "as the answering side we say that the keys differ" \
    grep -q 'pre-shared keys differ' "$work/gateway.log"
stop "$gateway"
kill "$charon"
wait "$charon" 2>/dev/null

start_charon "$cloud" cloud || { not_ok "strongSwan starts"; say_end; }
ip -n "$cloud" addr add 10.0.1.10/32 dev lo
write_swanctl cloud 198.51.100.1 203.0.113.7 10.0.0.0/16 0.0.0.0/0 "the.wrong.key.0123456789" \
    aes128-sha256-modp2048 aes128gcm16-modp2048
begin "the device starts from the document" start_device "$work/static.xml"
named() { grep -q 'check the pre-shared key' "$work/device.log"; }
check "as the beginning side we say which key to check" until_true 60 named
secret() { ! grep -q 'the.right.key' "$work/gateway.log" "$work/device.log"; }
check "no log line holds the key" secret
say_end
