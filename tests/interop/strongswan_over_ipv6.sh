#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The outside addresses are IPv6, ESP goes in UDP (kernel-libipsec knows no other), and
# strongSwan is the other end, in both roles; IPv4 inside.
. "$(dirname "$0")/lib/net.sh"
. "$(dirname "$0")/lib/capture.sh"
. "$(dirname "$0")/lib/pings.sh"
. "$(dirname "$0")/lib/rekeys.sh"

psk=interop.test_key.0123456789
here6=2001:db8:7::7
there6=2001:db8:51::1

make_net6()
{
    make_net
    ip -n "$device" addr add "$here6/128" dev v0 nodad
    ip -n "$cloud" addr add "$there6/128" dev v0 nodad
    ip -n "$cloud" addr add 2001:db8:51::2/128 dev v0 nodad
    ip -n "$device" route add 2001:db8:51::/48 dev v0 src "$here6"
    ip -n "$cloud" route add 2001:db8:7::/48 dev v0 src "$there6"
}
capture() { capture_on "$cloud" v0 "$1"; }
pings() { pings_all "$device" 3 -i 0.1 -I 192.168.7.1 10.0.1.10; }
rekeyed() { [ "$(grep 'child SA rekeyed' "$1" | sort -u | wc -l)" -ge "$2" ]; }
ups() { [ "$(grep -c 'IKE SA up' "$1")" -ge "$2" ]; }

# crosses LOG CHARON PID: and both rekey, we as the process PID.
crosses()
{
    check "$2: pings cross" until_true 60 pings || say_end
    begin "$2: 20 MB from the office arrive whole" transfer "$device" 192.168.7.1 "$cloud" 10.0.1.10 20000000
    begin "$2: 20 MB from the cloud arrive whole" transfer "$cloud" 10.0.1.10 "$device" 192.168.7.1 20000000
    check "$2: strongSwan is told to rekey the child" vici "$2" rekey child=k
    check "$2: and has rekeyed it" until_true 60 rekeyed "$1" 1
    check "$2: one child is left" settled "$1" "$2"
    check "$2: strongSwan is told to rekey the IKE SA" vici "$2" rekey ike=c
    check "$2: and has rekeyed that" until_true 60 ups "$1" 2
    check "$2: one IKE SA is left" settled "$1" "$2"
    kill -USR1 "$3"
    check "$2: we rekey the child" until_true 60 rekeyed "$1" 2
    check "$2: one child is left of ours" settled "$1" "$2"
    check "$2: pings cross still" pings
}

# on_the_wire NAME: nothing but IPv6, and ESP in UDP.
on_the_wire()
{
    begin "$1: the capture is whole" end_capture "$1"
    check "$1: ESP goes in UDP over IPv6" capture_has "$1" 1000 'ip6 and udp port 4500'
    check "$1: nothing goes over IPv4" [ "$(captured "$1" ip)" = 0 ]
}

make_net6
write_config "$work/six.xml" static "$psk"
sed -i "s/203\.0\.113\.7/$here6/; s/198\.51\.100\.\([12]\)/2001:db8:51::\1/" "$work/six.xml"

begin "ss: the wire is captured" capture ss
begin "the gateway plays the document" start_gateway "$work/six.xml" --route 192.168.0.0/16 || say_end
start_charon "$device" ss || { not_ok "ss: strongSwan starts"; say_end; }
write_swanctl ss "$here6" "$there6" 192.168.0.0/16 10.0.0.0/16 "$psk" \
    aes128gcm16-prfsha256-ecp256 aes128gcm16-ecp256
check "ss: strongSwan brings the tunnel up" swanctl_of ss --initiate --child k --timeout 60
crosses "$work/gateway.log" ss "$gateway"
begin "ss: strongSwan ends" stop "$charon"
begin "ss: the gateway ends when it is told to" stop "$gateway"
on_the_wire ss

ip -n "$cloud" addr add 10.0.1.10/32 dev lo
begin "cloud: the wire is captured" capture cloud
start_charon "$cloud" cloud || { not_ok "cloud: strongSwan starts"; say_end; }
write_swanctl cloud "$there6" "$here6" 10.0.0.0/16 0.0.0.0/0 "$psk" \
    aes128-sha256-modp2048 aes128gcm16-modp2048
begin "cloud: the device starts from the document" start_device "$work/six.xml" --route 10.0.0.0/16 || say_end
crosses "$work/device.log" cloud "$device_pid"
begin "cloud: the device ends when it is told to" stop "$device_pid"
begin "cloud: strongSwan ends" stop "$charon"
on_the_wire cloud
say_end
