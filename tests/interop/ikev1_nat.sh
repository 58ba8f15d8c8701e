#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# IKEv1 and a NAT between strongSwan and us, both ways (RFC 3947): both find it and go on at
# port 4500; keepalives (RFC 3948 section 4) are on the wire; when the NAT has forgotten its
# mapping the tunnel is found again, by ESP or DPD's next question, and rekeys there.
. "$(dirname "$0")/lib/net.sh"
. "$(dirname "$0")/lib/nat.sh"
. "$(dirname "$0")/lib/rekeys.sh"
. "$(dirname "$0")/lib/beside.sh"

psk=interop.test_key.0123456789
ike_version=1
scene=${1:-answers}
say_suite=$say_suite/$scene

out() { in_device ping -c 1 -W 1 -I 192.168.7.1 10.0.1.10; }
back() { in_cloud ping -c 1 -W 1 -I 10.0.1.10 192.168.7.1; }
up_in() { grep -q 'tunnel 1: up' "$work/$1"; }
once_in() { [ "$(grep -c 'tunnel 1: up' "$work/$1")" = 1 ]; }
rekeyed() { [ "$(grep -c 'tunnel 1: child SA rekeyed' "$work/$1")" -ge "$2" ]; }
behind_nat() { swanctl_of ss --list-sas | grep "remote.*$public\["; }
moved() { grep -q 'tunnel 1: the peer.s address behind its NAT' "$work/gateway.log"; }
# main mode begins at port 500; what is encrypted, from its fifth message on, goes to 4500
floated()
{
    [ "$(captured wire 'udp port 500 and udp[27] & 1 = 0')" -ge 4 ] &&
        [ "$(captured wire 'udp port 500 and udp[27] & 1 = 1')" = 0 ] &&
        [ "$(captured wire 'udp port 4500 and udp[8:4] = 0 and udp[31] & 1 = 1')" -ge 5 ]
}

# strongSwan answers our device.
answers()
{
    make_nat
    nat_ports 20000-29999
    nat_capture wire udp
    # One tunnel: nobody plays the other's end.
    write_config "$work/static.xml" static "$psk"
    awk '/<ipsec_tunnel>/ { n++ } n != 2 || /<\/vpn_connection>/' "$work/static.xml" >"$work/one.xml"
    ip -n "$cloud" addr add 10.0.1.10/32 dev lo
    begin "strongSwan starts" start_charon "$cloud" ss || say_end
    write_swanctl ss 198.51.100.1 203.0.113.7 10.0.0.0/16 0.0.0.0/0 "$psk" \
        aes128-sha1-modp1024 aes128-sha1-modp1024
    sed -i 's/encap = yes/encap = no/' "$work/ss/conf/swanctl.conf"
    swanctl_of ss --load-all >/dev/null 2>&1
    begin "the device starts, behind a NAT" start_device "$work/one.xml" --ike 1 \
        --local 192.0.2.7 --route 10.0.0.0/16 || say_end
    check "the tunnel comes up" until_true 60 up_in device.log || say_end
    check "strongSwan sees the NAT's address" behind_nat
    check "pings go out" until_true 30 out
    check "and in" until_true 30 back
    begin "10 MB from the office arrive whole" transfer "$device" 192.168.7.1 "$cloud" 10.0.1.10 10000000
    begin "10 MB from the instance arrive whole" transfer "$cloud" 10.0.1.10 "$device" 192.168.7.1 10000000
    check "our keepalives are on the wire" until_true 60 capture_has wire 1 "src 203.0.113.7 and $keepalive"
    begin "the capture is whole" end_capture wire
    check "phase 1 went from port 500 to 4500" floated
    nat_forget 30000-39999
    comes_back "the mapping is forgotten: pings are answered again" 90 out
    check "and go in again" until_true 60 back
    check "without a restart of the tunnel" once_in device.log
    kill -USR1 "$device_pid"
    check "a rekey by the device is answered there" until_true 60 rekeyed device.log 1
    check "one by strongSwan reaches the device" swanctl_of ss --rekey --child k
    check "which sees it" until_true 60 rekeyed device.log 2
    check "one pair is in use" in_use ss
    check "pings go out after all that" until_true 30 out
    begin "the device ends" stop "$device_pid"
}

# strongSwan begins, and our gateway answers.
initiates()
{
    make_nat
    nat_ports 20000-29999
    nat_capture wire udp
    write_config "$work/static.xml" static "$psk"
    begin "the gateway plays the document" start_gateway "$work/static.xml" --route 192.168.0.0/16 || say_end
    charon_options='  keep_alive = 2s'
    begin "strongSwan starts, behind a NAT" start_charon "$device" ss || say_end
    write_swanctl ss 192.0.2.7 198.51.100.1 192.168.0.0/16 10.0.0.0/16 "$psk" \
        aes128-sha1-modp1024 aes128-sha1-modp1024
    sed -i 's/id = 192\.0\.2\.7/id = 203.0.113.7/; s/encap = yes/encap = no/' "$work/ss/conf/swanctl.conf"
    swanctl_of ss --load-all >"$work/ss/load.log" 2>&1
    check "the tunnel comes up" swanctl_of ss --initiate --child k --timeout 60 || say_end
    check "pings go out" until_true 30 out
    check "and in" until_true 30 back
    begin "10 MB from the office arrive whole" transfer "$device" 192.168.7.1 "$cloud" 10.0.1.10 10000000
    begin "10 MB from the instance arrive whole" transfer "$cloud" 10.0.1.10 "$device" 192.168.7.1 10000000
    check "strongSwan's keepalives are on the wire" until_true 30 capture_has wire 1 "$keepalive"
    check "and disturb nothing" until_true 30 back
    begin "the capture is whole" end_capture wire
    check "phase 1 went from port 500 to 4500" floated

    nat_forget 30000-39999
    comes_back "the mapping is forgotten: pings are answered again" 90 out
    check "the gateway notes the new address" until_true 60 moved
    check "pings go in again" until_true 60 back
    kill -USR1 "$gateway"
    check "a rekey by the gateway reaches strongSwan there" until_true 60 rekeyed gateway.log 1
    check "one by strongSwan is answered there" swanctl_of ss --rekey --child k
    check "which the gateway sees" until_true 60 rekeyed gateway.log 2
    check "one pair is in use" in_use ss
    check "without a restart of the tunnel" once_in gateway.log
    begin "the gateway ends when it is told to" stop "$gateway"
}

[ $# != 0 ] || beside initiates
"$scene"
joined
say_end
