#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Faults provoked on a gateway that plays a document, and what strongSwan makes of them, with
# both versions of IKE. Nothing but IKE passes meanwhile: strongSwan takes packets for a
# sign of life.
. "$(dirname "$0")/lib/net.sh"

psk=interop.test_key.0123456789
# shellcheck disable=SC2034 # for start_charon
charon_options="  retransmit_tries = 1"
program=$build/examples/s2svpn-gateway
control=$work/run/control

log=ss/charon.log
established='IKE_SA c\[[0-9]+\] established'

fault() { "$program" fault 1 "$1" --control "$control"; }
pings() { in_device ping -c 1 -W 1 -I 192.168.7.1 10.0.1.10; }
count() { grep -cE "$1" "$work/$log"; }
# before WORDS, and later more: strongSwan's log has them once more.
before() { counted=$(count "$1"); }
more() { [ "$(count "$1")" -gt "$counted" ]; }
established_again() { [ "$(count "$established")" -gt "$made" ]; }

start_ss()
{
    start_charon "$device" ss || return 1
    write_swanctl ss 203.0.113.7 198.51.100.1 192.168.0.0/16 10.0.0.0/16 "$psk" \
        aes128-sha256-modp2048 aes128-sha256-modp2048 \
        $'dpd_action = restart\n        close_action = start' $'dpd_delay = 1s\n    dpd_timeout = 5s' &&
        swanctl_of ss --initiate --child k --timeout 60
}

make_net
write_config "$work/static.xml" static "$psk"
chmod 600 "$work/static.xml"
for ike_version in 2 1; do
    v="IKEv$ike_version"
    gave_up='giving up after 1 retransmits'
    rekeyed='IKE_SA c\[[0-9]+\] rekeyed'
    if [ "$ike_version" = 1 ]; then
        gave_up='DPD check timed out'
        rekeyed=$established
    fi
    begin "$v: the gateway plays the document" \
        start_gateway "$work/static.xml" --route 192.168.0.0/16 --control "$control" || say_end
    begin "$v: strongSwan brings the tunnel up" start_ss
    check "$v: pings cross" until_true 30 pings

    before "$gave_up"
    made=$(count "$established")
    check "$v, no-dpd" fault no-dpd
    check "$v, no-dpd: strongSwan asks in vain" until_true 60 more "$gave_up"
    check "$v, no-dpd: it begins anew, and is answered" until_true 60 established_again
    check "$v, no-dpd: it is cleared" fault clear
    check "$v, no-dpd: pings cross" until_true 60 pings

    before "$rekeyed"
    check "$v, rekey-now" fault rekey-now
    check "$v, rekey-now: strongSwan has another IKE SA" until_true 60 more "$rekeyed"
    check "$v, rekey-now: pings cross" until_true 60 pings

    before 'received DELETE for IKE_SA'
    check "$v, delete" fault delete
    check "$v, delete: strongSwan hears it" until_true 30 more 'received DELETE for IKE_SA'
    stop "$charon"

    check "$v, blackhole" fault blackhole
    start_ss >"$work/in-vain.log" 2>&1
    check "$v, blackhole: strongSwan brings nothing up" test $? != 0
    check "$v, blackhole: it is cleared" fault clear
    stop "$charon"
    begin "$v: strongSwan is started anew" start_ss
    check "$v: pings cross at the end" until_true 60 pings
    stop "$charon"
    stop "$gateway"
done
say_end
