#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A NAT between strongSwan and us, at the same time: our device behind it begins and
# strongSwan answers; strongSwan behind it begins and our gateway answers. The tunnels
# follow other mappings and another address without a restart; keepalives (RFC 3948
# section 4) hold a mapping that would expire, and disturb nothing.
. "$(dirname "$0")/lib/net.sh"
. "$(dirname "$0")/lib/nat.sh"
. "$(dirname "$0")/lib/beside.sh"

psk=interop.test_key.0123456789
scene=${1:-answers}
say_suite=$say_suite/$scene

up() { grep -q 'tunnel 1: up' "$work/device.log"; }
out() { in_device ping -c 1 -W 1 -I 192.168.7.1 10.0.1.10; }
back() { in_cloud ping -c 1 -W 1 -I 10.0.1.10 192.168.7.1; }
behind_nat() { swanctl_of ss --list-sas | grep -q 'remote.*203.0.113.7\['; }
once_in() { [ "$(grep -c 'tunnel 1: up' "$work/$1")" = 1 ]; }
begin_device()
{
    begin "$1" start_device "$work/one.xml" --local 192.0.2.7 --route 10.0.0.0/16 \
        --control "$work/control" || say_end
}
has_moved() { [ "$(moved)" -ge "$1" ]; }
moved() { grep -c 'tunnel 1: the peer.s address behind its NAT' "$work/gateway.log"; }
rekeyed() { grep -q 'tunnel 1: child SA rekeyed' "$work/gateway.log"; }
closed() { grep -q 'closed by the peer' "$work/gateway.log"; }

# strongSwan answers our device.
answers()
{
    make_nat
    nat_ports 20000-29999
    # One tunnel: nobody plays the other's end.
    write_config "$work/static.xml" static "$psk"
    awk '/<ipsec_tunnel>/ { n++ } n != 2 || /<\/vpn_connection>/' "$work/static.xml" >"$work/one.xml"
    ip -n "$cloud" addr add 10.0.1.10/32 dev lo
    begin "strongSwan starts" start_charon "$cloud" ss || say_end
    write_swanctl ss 198.51.100.1 203.0.113.7 10.0.0.0/16 192.168.0.0/16 "$psk" \
        aes256gcm16-prfsha256-ecp256,aes128-sha256-modp2048 aes256gcm16-ecp256,aes128gcm16-modp2048
    begin_device "the device starts, behind a NAT"
    check "the tunnel comes up" until_true 60 up || say_end
    check "strongSwan sees the NAT's address" behind_nat
    check "pings go out" until_true 30 out
    check "and in" until_true 30 back
    begin "10 MB from the office arrive whole" transfer "$device" 192.168.7.1 "$cloud" 10.0.1.10 10000000
    begin "10 MB from the instance arrive whole" transfer "$cloud" 10.0.1.10 "$device" 192.168.7.1 10000000
    nat_forget 30000-39999
    comes_back "the mapping is forgotten: pings are answered again" 60 out
    check "and go in again" until_true 30 back
    nat_address 203.0.113.8
    comes_back "the NAT gets another address: pings are answered again" 60 out
    check "without a restart of the tunnel" once_in device.log
    begin "the device ends" stop "$device_pid"

    nat_address 203.0.113.7
    # No liveness checks by either side: nothing but keepalives can hold the mapping.
    sed -i 's/dpd_delay = .*/dpd_delay = 0/' "$work/ss/conf/swanctl.conf"
    swanctl_of ss --load-all >/dev/null 2>&1
    sed -i 's/<interval>10</<interval>60</' "$work/one.xml"
    nat_timeout 23
    nat_capture idle 'udp port 4500'
    begin_device "a device that seldom asks"
    check "its tunnel comes up" until_true 60 up || say_end
    check "pings cross" until_true 30 out
    sleep 27
    check "27 s without traffic, longer than the NAT's memory: what the instance sends arrives" back
    begin "the capture is whole" end_capture idle
    check "a keepalive was on the wire" [ "$(captured idle "src 203.0.113.7 and $keepalive")" -ge 1 ]
    check "not more of them than need be" [ "$(captured idle "src 203.0.113.7 and $keepalive")" -le 2 ]
    check "from the mapping that ESP has" [ "$(read_capture idle \
        'src 203.0.113.7' | sed -n 's/.* 203\.0\.113\.7\.\([0-9]*\) > .*/\1/p' | sort -u | wc -l)" = 1 ]
    begin "the device ends when it is told to" stop "$device_pid"
}

# strongSwan begins, and our gateway answers.
initiates()
{
    make_nat
    nat_ports 20000-29999
    nat_capture wire 'udp port 4500'
    write_config "$work/static.xml" static "$psk"
    begin "the gateway plays the document" start_gateway "$work/static.xml" --route 192.168.0.0/16 || say_end
    charon_options='  keep_alive = 2s'
    begin "strongSwan starts, behind a NAT" start_charon "$device" ss || say_end
    write_swanctl ss 192.0.2.7 198.51.100.1 192.168.0.0/16 10.0.0.0/16 "$psk" \
        aes256gcm16-prfsha256-ecp256 aes256gcm16-ecp256
    sed -i 's/id = 192\.0\.2\.7/id = 203.0.113.7/' "$work/ss/conf/swanctl.conf"
    swanctl_of ss --load-all >"$work/ss/load.log" 2>&1
    check "the tunnel comes up" swanctl_of ss --initiate --child k --timeout 60 || say_end
    check "pings go out" until_true 30 out
    check "and in" until_true 30 back
    begin "10 MB from the office arrive whole" transfer "$device" 192.168.7.1 "$cloud" 10.0.1.10 10000000
    begin "10 MB from the instance arrive whole" transfer "$cloud" 10.0.1.10 "$device" 192.168.7.1 10000000
    check "strongSwan's keepalives are on the wire" until_true 30 capture_has wire 1 "$keepalive"
    check "and disturb nothing" until_true 30 back

    nat_forget 30000-39999
    comes_back "the mapping is forgotten: pings are answered again" 60 out
    check "the gateway notes the new address" until_true 30 has_moved 1
    check "pings go in again" until_true 30 back
    kill -USR1 "$gateway"
    check "a rekey by the gateway reaches strongSwan there" until_true 60 rekeyed
    nat_address 203.0.113.8
    comes_back "the NAT gets another address: pings are answered again" 60 out
    check "and they go in again there" until_true 30 back
    check "the gateway notes that too" until_true 30 has_moved 2
    check "without a restart of the tunnel" once_in gateway.log
    swanctl_of ss --terminate --ike c --timeout 30 >/dev/null 2>&1
    check "a delete by strongSwan closes it" until_true 30 closed
    begin "the gateway ends when it is told to" stop "$gateway"
}

[ $# != 0 ] || beside initiates
"$scene"
joined
say_end
