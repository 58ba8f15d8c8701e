#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# strongSwan is the customer gateway device and begins; s2svpn-gateway plays AWS.
. "$(dirname "$0")/lib/net.sh"
. "$(dirname "$0")/lib/pings.sh"
. "$(dirname "$0")/lib/rekeys.sh"

psk=interop.test_key.0123456789

make_net
write_config "$work/static.xml" static "$psk"
begin "the gateway plays the document" start_gateway "$work/static.xml" --route 192.168.0.0/16 || say_end
start_charon "$device" ss || { not_ok "strongSwan starts"; say_end; }

try_suite()
{
    local ike=$1 esp=$2

    write_swanctl ss 203.0.113.7 198.51.100.1 192.168.0.0/16 10.0.0.0/16 "$psk" "$ike" "$esp" ||
        return 1
    swanctl_of ss --initiate --child k --timeout 60 || return 1
    until_true 30 in_device ping -c 3 -i 0.2 -W 2 -I 192.168.7.1 10.0.1.10
}

for suite in \
    "aes128gcm16-prfsha256-ecp256 aes128gcm16-ecp256" \
    "aes256gcm16-prfsha384-modp2048 aes256gcm16-modp2048" \
    "aes128-sha256-curve25519 aes128-sha256-curve25519" \
    "aes256-sha256-modp2048 aes256-sha256-modp2048"; do
    # curve25519 isn't one of AWS's groups: the endpoint refuses what isn't permitted
    if [[ $suite == *curve25519* ]]; then
        # shellcheck disable=SC2086 # two words
        if try_suite $suite >/dev/null 2>&1; then
            not_ok "a group that AWS doesn't allow is refused"
        else
            check "a group that AWS doesn't allow is refused" \
                grep -q NO_PROPOSAL_CHOSEN "$work/ss/charon.log"
        fi
        continue
    fi
    # shellcheck disable=SC2086
    check "pings cross with $suite" try_suite $suite
    swanctl_of ss --terminate --ike c --timeout 30 >/dev/null 2>&1
done

write_swanctl ss 203.0.113.7 198.51.100.1 192.168.0.0/16 10.0.0.0/16 "$psk" \
    aes128gcm16-prfsha256-ecp256 aes128gcm16-ecp256
check "the tunnel comes up again" swanctl_of ss --initiate --child k --timeout 60
begin "20 MB from the office arrive whole" transfer "$device" 192.168.7.1 "$cloud" 10.0.1.10 20000000
begin "20 MB from the instance arrive whole" transfer "$cloud" 10.0.1.10 "$device" 192.168.7.1 20000000

# 25 pings, then each side rekeys the child in turn, twice
rekeyed() { [ "$(grep -c 'child SA rekeyed' "$work/gateway.log")" -ge "$1" ]; }
rekey_under_traffic()
{
    local n

    pings_on "$device" "$work/ping.log" -i 0.02 -I 192.168.7.1 10.0.1.10
    for n in 1 2 3 4; do
        pings_go_on "$work/ping.log" 25
        if [ $((n % 2)) = 1 ]; then swanctl_of ss --rekey --child k; else kill -USR1 "$gateway"; fi ||
            return 1
        until_true 60 rekeyed "$n"
        settled "$work/gateway.log" ss || return 1
    done
    pings_go_on "$work/ping.log" 25
    pings_off "$work/ping.log"
    grep -c 'child SA rekeyed' "$work/gateway.log"
    none_lost "$work/ping.log" 125 && rekeyed 4
}
begin "rekeys by either side lose no ping" rekey_under_traffic

closed() { grep -q 'closed by the peer' "$work/gateway.log"; }
swanctl_of ss --terminate --ike c --timeout 30 >/dev/null 2>&1
check "a delete by the peer closes the tunnel" until_true 30 closed
begin "the gateway ends when it is told to" stop "$gateway"
say_end
