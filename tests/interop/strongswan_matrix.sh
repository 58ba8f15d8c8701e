#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every suite and group with strongSwan, in both roles: s2svpn-device begins,
# s2svpn-gateway answers. A case is a tunnel whose ends report the algorithms that they
# should, pings both ways, a rekey of the child with PFS, and pings again. Ends in a result
# file of the script's name, $S2_BUILD/….tsv; the README's matrix is made of it, by --write, and
# must agree with it. With ike_version=1 the same of IKEv1: ikev1_strongswan_matrix.sh.
# strongSwan has all of them with its plugins openssl and gmp (groups 22 to 24: gmp alone).
. "$(dirname "$0")/lib/net.sh"
. "$(dirname "$0")/lib/rekeys.sh"

psk=interop.test_key.0123456789
ike_version=${ike_version:-2}
matrix=("$here/tests/interop/lib/matrix.py")
[ "$ike_version" = 2 ] || matrix+=("--ike$ike_version")
readme=$here/README.md
results=$work/results.tsv
id=vpn-0123456789abcdef0

# our_words FIRST_LINE LOG PATTERN: what stands behind the pattern, last.
our_words() { tail -n "+$1" "$2" | sed -n "s/.*$3: \([^ ,]*\).*/\1/p" | tail -n 1; }
lines() { wc -l <"$1"; }

pings_cross()
{
    until_true 30 in_device ping -c 1 -W 1 -I 192.168.7.1 10.0.1.10 &&
        until_true 30 in_cloud ping -c 1 -W 1 -I 10.0.1.10 192.168.7.1
}

# over LOG CHARON: the rekey is.
over() { if [ "$ike_version" = 1 ]; then in_use "$2"; else settled "$@"; fi; }

# judge ROLE NUMBER RESULT LOG FIRST_LINE CHARON: one line of the result file.
judge()
{
    vici "$6" sas | python3 -IS "${matrix[@]}" row "$1" "$2" "$3" \
        "$(our_words "$5" "$4" 'IKE SA up')" "$(our_words "$5" "$4" 'child SA rekeyed')" >>"$results"
}

# ---- we answer

gateway_case()
{
    local n=$1 from result=failed right
    from=$(($(lines "$work/gateway.log") + 1))
    rekeyed() { tail -n "+$from" "$work/gateway.log" | grep 'child SA rekeyed'; }
    idle() { tail -n "+$from" "$work/gateway.log" | grep 'tunnel 1: idle'; }

    vici ss initiate ike="c$n" child="k$n" timeout=60000 && pings_cross &&
        vici ss rekey child="k$n" && until_true 30 rekeyed &&
        over "$work/gateway.log" ss && pings_cross && result=ok
    judge gateway "$n" "$result" "$work/gateway.log" "$from" ss
    right=$?
    vici ss terminate ike="c$n" timeout=30000
    until_true 30 idle && [ "$right" = 0 ]
}

# ---- we begin

device_case()
{
    local n=$1 result=failed right control=$work/control
    python3 -IS "${matrix[@]}" document "$n" <"$work/static.xml" >"$work/case.xml"
    chmod 600 "$work/case.xml"
    up() { grep 'tunnel 1: up' "$work/device.log"; }
    rekeyed() { grep 'child SA rekeyed' "$work/device.log"; }
    gone() { [ "$(vici cloud sas)" = '[]' ]; }

    start_device "$work/case.xml" --exact --ike "$ike_version" --route 10.0.0.0/16 \
        --control "$control" || return 1
    until_true 60 up && pings_cross &&
        "$build/examples/s2svpn-device" rekey "$id.1" --control "$control" &&
        until_true 30 rekeyed && over "$work/device.log" cloud && pings_cross && result=ok
    judge device "$n" "$result" "$work/device.log" 1 cloud
    right=$?
    stop "$device_pid" && until_true 30 gone && [ "$right" = 0 ]
}

make_net
write_config "$work/static.xml" static "$psk"
sed 's/group2</group31</' "$work/static.xml" >"$work/gateway.xml"
begin "the gateway plays the document" start_gateway "$work/gateway.xml" --route 192.168.0.0/16 || say_end
start_charon "$device" ss || { not_ok "strongSwan starts"; say_end; }
python3 "${matrix[@]}" swanctl "$psk" >"$work/ss/conf/swanctl.conf"
begin "strongSwan takes the connections" swanctl_of ss --load-all || say_end
mapfile -t cases < <(python3 "${matrix[@]}" cases)
for case in "${cases[@]}"; do
    begin "we answer: ${case#* }" gateway_case "${case%% *}"
done
stop "$gateway"
stop "$charon"

start_charon "$cloud" cloud || { not_ok "strongSwan starts"; say_end; }
ip -n "$cloud" addr add 10.0.1.10/32 dev lo
{ read -r ike; read -r esp; } < <(python3 "${matrix[@]}" proposals)
begin "strongSwan allows them all" write_swanctl cloud 198.51.100.1 203.0.113.7 10.0.0.0/16 \
    0.0.0.0/0 "$psk" "$ike" "$esp"
for case in "${cases[@]}"; do
    begin "we begin: ${case#* }" device_case "${case%% *}"
done

cp "$results" "$build/${say_suite##*/}.tsv"
if [ "${1:-}" = --write ]; then
    begin "the README's matrix is written" python3 "${matrix[@]}" write "$readme" "$results"
else
    begin "the README's matrix says the same" python3 "${matrix[@]}" check "$readme" "$results"
fi
say_end
