#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Child and IKE SA are rekeyed under a ping every 10 ms: by us, by strongSwan, and by both
# in the same instant (RFC 7296 section 2.8.1 and 2.8.2), as the side that began the tunnel
# and as the one that answered. No ping is lost, and one child and one IKE SA are left.
# Group 16 on both levels: the 10 ms that it costs each end let the requests cross.
#
# strongSwan 5.9.8 throws away an answer that comes while it works on a request with the
# same message ID ("ignoring request with ID 0, already processing"). When IKE_SA rekeys
# cross it may so miss our answer and give its own rekey up as our delete comes (RFC 7296
# section 2.25.2). The SA that we have answered with then is nobody's: it carries nothing
# and goes after two minutes. It isn't counted here.
. "$(dirname "$0")/lib/net.sh"
. "$(dirname "$0")/lib/pings.sh"
. "$(dirname "$0")/lib/rekeys.sh"

psk=interop.test_key.0123456789
id=vpn-0123456789abcdef0
control=$work/control

# One IKE SA and one child, at both ends, and nothing half done.
one_each()
{
    local log=$1 charon=$2 sas missed

    sas=$(($(grep -c 'IKE SA [A-Z_]* -> UP' "$log") - $(grep -cE 'IKE SA (UP|REKEYED|CLOSING) -> DEAD' "$log")))
    missed=$(grep -c 'peer did not notice IKE_SA rekey collision' "$work/$charon/charon.log")
    echo "$sas IKE SAs, $missed were given up by strongSwan"
    [ "$sas" -ge 1 ] && [ "$sas" -le $((1 + missed)) ] && one_child "$log" "$charon"
}
# What there has been so far: it grows as a rekey begins to work.
so_far() { echo $(($(distinct "$1" 'SPIs \([0-9a-f]*\) in') + $(grep -c 'IKE SA [A-Z_]* -> UP' "$1"))); }
began() { [ "$(so_far "$1")" -gt "$2" ]; }

# rekey_once LOG CHARON COMMAND...: and wait until all is over. When both were told at once
# each may have sent the other away until later, so that nothing has begun; and what was
# told comes to us after the command has ended.
rekey_once()
{
    local log=$1 charon=$2 before
    shift 2

    before=$(so_far "$log")
    "$@" || return 1
    until_true 3 began "$log" "$before"
    until_true 60 one_each "$log" "$charon" || { one_each "$log" "$charon"; return 1; }
}

at_once() { python3 "$here/tests/interop/lib/at_once.py" "$@"; }
ask() { "$build/examples/s2svpn-device" "$@" --control "$control"; }
crossed() { grep -c "detected $1 collision with $1" "$work/$2/charon.log"; }

# three_times LOG CHARON COMMAND...: some pings between one and the next.
three_times()
{
    local n

    for n in 1 2 3; do
        pings_go_on "$work/ping.log" 20
        rekey_once "$@" || { echo "${*:3}, time $n"; return 1; }
    done
}

# under_traffic LOG CHARON COMMAND...: three times, with pings around and in between.
under_traffic()
{
    local log=$1 charon=$2 rc

    pings_on "$device" "$work/ping.log" -i 0.01 -I 192.168.7.1 10.0.1.10
    three_times "$@"
    rc=$?
    pings_off "$work/ping.log"
    [ "$rc" = 0 ] && none_lost "$work/ping.log" && one_each "$log" "$charon"
}

# have_crossed EXCHANGE LOG CHARON COMMAND...: in one of the tries before, or of 30 more. A busy
# machine lets one end run long before the other now and then.
have_crossed()
{
    local exchange=$1 log=$2 charon=$3
    shift 3

    for _ in $(seq 30); do
        [ "$(crossed "$exchange" "$charon")" = 0 ] || return 0
        rekey_once "$log" "$charon" "$@" || return 1
    done
    [ "$(crossed "$exchange" "$charon")" != 0 ]
}

grown() { [ "$1" -ge $(($2 + $3)) ]; }
children() { distinct "$1" 'child SA rekeyed.*SPIs \([0-9a-f]*\) in'; }
ikes() { grep -c 'IKE SA up' "$1"; }

# rekeys WHO LOG CHARON, and how each side is told to rekey a child and, where there is a
# way, an IKE SA.
rekeys()
{
    local who=$1 log=$2 charon=$3 before vici=$work/$3/vici

    before=$(children "$log")
    begin "$who: the child, by us" under_traffic "$log" "$charon" ours_child
    begin "$who: the child, by strongSwan" under_traffic "$log" "$charon" vici "$charon" rekey child=k
    check "$who: they have been rekeyed" grown "$(children "$log")" "$before" 6
    # shellcheck disable=SC2086 # words
    begin "$who: the child, by both at once" under_traffic "$log" "$charon" \
        at_once "$vici" child=k $both_child
    # shellcheck disable=SC2086
    begin "$who: the requests have crossed" have_crossed CHILD_REKEY "$log" "$charon" \
        at_once "$vici" child=k $both_child

    before=$(ikes "$log")
    begin "$who: the IKE SA, by strongSwan" under_traffic "$log" "$charon" vici "$charon" rekey ike=c
    check "$who: it has been rekeyed" grown "$(ikes "$log")" "$before" 3
    begin "$who: a child of the third IKE SA" under_traffic "$log" "$charon" ours_child
    [ -n "$both_ike" ] || return
    before=$(ikes "$log")
    begin "$who: the IKE SA, by us" under_traffic "$log" "$charon" ask rekey-ike "$id.1"
    check "$who: we have rekeyed it" grown "$(ikes "$log")" "$before" 3
    # shellcheck disable=SC2086
    begin "$who: the IKE SA, by both at once" under_traffic "$log" "$charon" \
        at_once "$vici" ike=c $both_ike
    # shellcheck disable=SC2086
    begin "$who: these requests have crossed" have_crossed IKE_REKEY "$log" "$charon" \
        at_once "$vici" ike=c $both_ike
    # shellcheck disable=SC2086
    begin "$who: we the child, strongSwan the IKE SA" under_traffic "$log" "$charon" \
        at_once "$vici" ike=c $both_child
    # shellcheck disable=SC2086
    begin "$who: we the IKE SA, strongSwan the child" under_traffic "$log" "$charon" \
        at_once "$vici" child=k $both_ike
}

make_net
write_config "$work/static.xml" static "$psk"
python3 - "$work/static.xml" <<'PY'
import re, sys
text = open(sys.argv[1]).read()
first = text.index("<ipsec_tunnel>", text.index("<ipsec_tunnel>") + 1)
text = text[:first] + text[text.rindex("</ipsec_tunnel>") + 15:]
text = re.sub("group2<", "group16<", text).replace(">sha1<", ">sha2-256<").replace(
    ">hmac-sha1-96<", ">hmac-sha2-256-128<")
open(sys.argv[1], "w").write(text)
PY

start_charon "$cloud" cloud || { not_ok "strongSwan starts in the cloud"; say_end; }
ip -n "$cloud" addr add 10.0.1.10/32 dev lo
write_swanctl cloud 198.51.100.1 203.0.113.7 10.0.0.0/16 0.0.0.0/0 "$psk" \
    aes128-sha256-modp4096 aes128-sha256-modp4096
begin "the device starts from the document" start_device "$work/static.xml" --exact \
    --route 10.0.0.0/16 --control "$control" || say_end
check "pings cross" until_true 60 in_device ping -c 1 -W 1 -I 192.168.7.1 10.0.1.10 || say_end
ours_child() { ask rekey "$id.1"; }
both_child="$control rekey $id.1"
both_ike="$control rekey-ike $id.1"
rekeys "we began" "$work/device.log" cloud
begin "the device ends when it is told to" stop "$device_pid"
stop "$charon"
ip -n "$cloud" addr del 10.0.1.10/32 dev lo

begin "the gateway plays the document" start_gateway "$work/static.xml" --route 192.168.0.0/16 || say_end
start_charon "$device" ss || { not_ok "strongSwan starts in the office"; say_end; }
write_swanctl ss 203.0.113.7 198.51.100.1 192.168.0.0/16 10.0.0.0/16 "$psk" \
    aes128-sha256-modp4096 aes128-sha256-modp4096
check "the tunnel comes up" swanctl_of ss --initiate --child k --timeout 60
ours_child() { kill -USR1 "$gateway"; }
both_child=$gateway
both_ike=
rekeys "we answered" "$work/gateway.log" ss
begin "the gateway ends when it is told to" stop "$gateway"
say_end
