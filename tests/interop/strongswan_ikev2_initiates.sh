#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# strongSwan is the customer gateway device and begins; s2svpn-gateway plays AWS.
. "$(dirname "$0")/lib/net.sh"

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
    swanctl_of ss --initiate --child k --timeout 10 || return 1
    in_device ping -c 3 -i 0.2 -W 2 -I 192.168.7.1 10.0.1.10
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
    swanctl_of ss --terminate --ike c --timeout 5 >/dev/null 2>&1
done

write_swanctl ss 203.0.113.7 198.51.100.1 192.168.0.0/16 10.0.0.0/16 "$psk" \
    aes128gcm16-prfsha256-ecp256 aes128gcm16-ecp256
check "the tunnel comes up again" swanctl_of ss --initiate --child k --timeout 10
begin "20 MB from the office arrive whole" transfer "$device" 192.168.7.1 "$cloud" 10.0.1.10 20000000
begin "20 MB from the instance arrive whole" transfer "$cloud" 10.0.1.10 "$device" 192.168.7.1 20000000

# 200 pings in 4 s; in between each side rekeys the child twice
rekey_under_traffic()
{
    in_device ping -i 0.02 -c 300 -W 2 -I 192.168.7.1 10.0.1.10 >"$work/ping.log" &
    local ping=$!

    sleep 0.5
    swanctl_of ss --rekey --child k || return 1
    sleep 1.5
    kill -USR1 "$gateway"
    sleep 1.5
    swanctl_of ss --rekey --child k || return 1
    sleep 1.5
    kill -USR1 "$gateway"
    wait "$ping"
    tail -n 2 "$work/ping.log"
    grep -c 'child SA rekeyed' "$work/gateway.log"
    grep -q ' 0% packet loss' "$work/ping.log" &&
        [ "$(grep -c 'child SA rekeyed' "$work/gateway.log")" -ge 4 ]
}
begin "rekeys by either side lose no ping" rekey_under_traffic

closed() { grep -q 'closed by the peer' "$work/gateway.log"; }
swanctl_of ss --terminate --ike c --timeout 5 >/dev/null 2>&1
check "a delete by the peer closes the tunnel" until_true 5 closed
begin "the gateway ends when it is told to" stop "$gateway"
say_end
