#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Faults provoked from the command line on a gateway that plays a document, and what our
# device makes of each: pings go on by the other tunnel, and come back.
. "$(dirname "$0")/lib/net.sh"
. "$(dirname "$0")/lib/pings.sh"

id=vpn-0123456789abcdef0
program=$build/examples/s2svpn-gateway
control=$work/run/control
device_control=$work/device-run/control

ask() { "$program" "$@" --control "$control" >"$work/out" 2>&1; }
prints() { grep -qE -- "$1" "$work/out"; }
no() { ! "$@"; }
is() { python3 -c 'import json, sys; d = json.load(open(sys.argv[1]))
t = d["connections"][0]["tunnels"] if "connections" in d else []
sys.exit(not eval(f"({sys.argv[2]})"))' "$work/out" "$1"; }
# gateway_is, device_is EXPRESSION: of the status, as d, and its tunnels, as t.
gateway_is() { ask status --json && is "$1"; }
device_is()
{
    "$build/examples/s2svpn-device" status --json --control "$device_control" >"$work/out" 2>&1 &&
        is "$1"
}
up='t[0]["up"] and t[1]["up"] and t[0]["routes"] == 1 and t[1]["routes"] == 1'
both_up() { gateway_is "$up" && device_is "$up"; }
# by TUNNEL: the device sends that way.
by()
{
    "$build/examples/s2svpn-device" routes --json --control "$device_control" >"$work/out" 2>&1 &&
        is "d['routes'][0]['tunnel'] == '$id.$1'"
}
ping_crosses() { in_device ping -c 1 -W 1 -I 192.168.7.1 10.0.1.10; }
heard() { grep -q "$1" "$work/device.log"; }
# heard_again WORDS: once more than heard_before counted.
heard_before() { before=$(grep -c "$1" "$work/device.log"); }
heard_again() { [ "$(grep -c "$1" "$work/device.log")" -gt "$before" ]; }
# fault TUNNEL FAULT: provoked, and the gateway says so.
fault() { ask fault "$@" && test ! -s "$work/out" && grep -q "fault provoked: $2" "$work/gateway.log"; }
in_force() { gateway_is "t[0]['faults'] == [$1] and t[1]['faults'] == []"; }
# ends NAME: what lasts is cleared, and everything is as before.
ends()
{
    check "$1: it is cleared" ask fault 1 clear
    check "$1: and isn't in force any more" in_force ""
    check "$1: both tunnels are up again" until_true 180 both_up
    check "$1: the device goes by tunnel 1 again" until_true 60 by 1
    check "$1: and pings cross" until_true 30 ping_crosses
}

make_net
write_config "$work/bgp.xml" bgp
sed -i 's/<interval>10</<interval>5</' "$work/bgp.xml" # finds out sooner
chmod 600 "$work/bgp.xml"
begin "the gateway plays the document" start_gateway "$work/bgp.xml" --control "$control" || say_end
begin "the device starts" start_device "$work/bgp.xml" --control "$device_control" || say_end
check "both tunnels come up" until_true 60 both_up
check "the device goes by tunnel 1" until_true 30 by 1
check "pings cross" until_true 30 ping_crosses

# ---- what can be asked

check "the socket is its owner's alone" test "$(stat -c %a "$control")" = 600
check "status tells of the tunnels" ask status
for words in "^$id: 2 of 2 tunnels up, BGP, " '  tunnel 1: up \(for ' 'BGP Established, 1 routes'; do
    check "status says: $words" prints "$words"
done
check "no key is in it" no prints interop.test_key
check "routes tells of the table" ask routes
check "of what is propagated" prints '^192.168.0.0/16 +propagated, active, by tunnel [12]$'
check "of the VPC" prints '^10.0.0.0/16 +local, active$'
check "and of what was announced" prints '^192.168.0.0/16 +announced by tunnel 2, .*path 65000$'
check "routes --json tells the same" ask routes --json
check "in full" is "[r['prefix'] for r in d['routes']] == ['10.0.0.0/16', '192.168.0.0/16'] and
    [b['tunnel'] for b in d['bgp']] == [1, 2]"
rekeyed() { heard "tunnel $1: child SA rekeyed"; }
check "rekey of one tunnel" ask rekey 198.51.100.2
check "rekeys that one" until_true 30 rekeyed 2
check "and not the other" no rekeyed 1
check "rekey of all" ask rekey
check "rekeys it too" until_true 30 rekeyed 1
check "a tunnel that isn't there is refused" no ask fault 3 blackhole
check "in words" prints 'there is no tunnel 3'
check "another connection's is refused" no ask fault vpn-0123456789abcdef1/1 blackhole
check "a fault that isn't there is refused" no ask fault 1 earthquake
check "in words that say which there are" prints 'there is no fault earthquake: blackhole, .*clear$'
wrong() { "$program" "$@" --control "$control" >"$work/out" 2>&1; [ $? = 2 ]; }
check "words too few are a wrong command line" wrong fault 1
check "and so are words too many" wrong status 1
for case in nonsense pieces endless; do
    check "clients: $case" python3 "$here/tests/interop/lib/clients.py" "$control" "$case"
done
second()
{
    in_cloud timeout 30 "$program" --play "$work/bgp.xml" --control "$control" --ports 1500,14500 \
        >"$work/out" 2>&1
    [ $? = 1 ]
}
check "a second gateway at the same socket is refused" second
check "in words, that one is at work" prints 'another s2svpn-gateway is at work'
check "all is well" both_up

# ---- the faults

check "withdraw" fault 1 withdraw
check "withdraw: it is in force" in_force '"withdraw"'
check "withdraw: the device goes by tunnel 2" until_true 30 by 2
check "withdraw: the session stays" device_is 't[0]["up"] and t[0]["routes"] == 0'
check "withdraw: no ping is lost" pings_all "$device" 10 -i 0.1 -I 192.168.7.1 10.0.1.10
ends withdraw

heard_before 'received: Cease/Administrative Reset'
check "bgp-reset" fault "$id/1" bgp-reset
check "bgp-reset: the device hears it" until_true 30 heard_again 'received: Cease/Administrative Reset'
check "bgp-reset: the session comes back" until_true 120 both_up

heard_before 'tunnel 1: child SA rekeyed'
check "rekey-now" fault "$id.1" rekey-now
check "rekey-now: the child is rekeyed" until_true 30 heard_again 'tunnel 1: child SA rekeyed'
check "rekey-now: the IKE SA too" until_true 30 heard "$id.1: IKE SA ended: replaced"
check "rekey-now: no ping is lost" pings_all "$device" 10 -i 0.1 -I 192.168.7.1 10.0.1.10
check "rekey-now: both tunnels stayed up" both_up

heard_before 'ended: closed by the peer'
check "delete" fault 198.51.100.1 delete
check "delete: the device hears it" until_true 30 heard_again 'ended: closed by the peer'
check "delete: pings cross" until_true 30 ping_crosses
check "delete: the device begins anew" until_true 120 both_up

check "no-dpd" fault 1 no-dpd
check "no-dpd: it is in force" in_force '"no-dpd"'
check "no-dpd: pings cross" until_true 30 ping_crosses
ends no-dpd

check "over-limit" fault 1 over-limit
check "over-limit: the device hears it" \
    until_true 30 heard 'received: Cease/Maximum Number of Prefixes Reached'
check "over-limit: the device goes by tunnel 2" until_true 30 by 2
check "over-limit: pings cross" until_true 30 ping_crosses
check "over-limit: IPsec stays" device_is 't[0]["phase"] == "IPSEC_UP"'
check "bgp-reset of no session is refused" no ask fault 1 bgp-reset
check "in words" prints 'tunnel 1 has no BGP session'
# Both ends rest for half a minute after it; the hole meanwhile is one more.
check "blackhole" fault 1 blackhole
check "blackhole: both are in force" in_force '"blackhole", "over-limit"'
gone() { device_is 't[0]["phase"] not in ("UP", "IPSEC_UP") and t[1]["up"]'; }
check "blackhole: the device finds out" until_true 180 gone
check "blackhole: pings cross by tunnel 2" until_true 30 ping_crosses
ends "blackhole and over-limit"

check "maintenance" fault 1 maintenance
check "maintenance: the traffic moves first" until_true 30 by 2
check "maintenance: the endpoint is replaced" \
    until_true 60 grep -q 'its endpoint is replaced' "$work/gateway.log"
check "maintenance: both tunnels are up again" until_true 120 both_up
check "maintenance: the device goes by tunnel 1 again" until_true 60 by 1

begin "the gateway ends when it is told to" stop "$gateway"
check "the socket and its folder are gone" test ! -e "$work/run"
check "status of no gateway fails" no ask status
say_end
