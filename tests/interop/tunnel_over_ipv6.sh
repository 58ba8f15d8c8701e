#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The outside addresses are IPv6 (2001:db8::/32), what goes through the tunnels is IPv4:
# in UDP, and as protocol 50.
. "$(dirname "$0")/lib/net.sh"

make_net6()
{
    make_net
    ip -n "$device" addr add 2001:db8:7::7/128 dev v0 nodad
    ip -n "$cloud" addr add 2001:db8:51::1/128 dev v0 nodad
    ip -n "$cloud" addr add 2001:db8:51::2/128 dev v0 nodad
    ip -n "$device" route add 2001:db8:51::/48 dev v0 src 2001:db8:7::7
    ip -n "$cloud" route add 2001:db8:7::/48 dev v0 src 2001:db8:51::1
}

packets() { tcpdump -n -r "$work/$1.pcap" "$2" 2>/dev/null | wc -l; }
both_up() { [ "$(grep -c 'tunnel [12]: up' "$work/device.log")" -ge 2 ]; }
rekeyed() { [ "$(grep -c 'child SA rekeyed' "$work/device.log")" -ge 2 ]; }

# crosses NAME OPTION...
crosses()
{
    local name=$1 tcpdump
    shift
    begin "the wire is captured, $name" start "$cloud" "$work/$name.tcpdump" \
        tcpdump -Z root --immediate-mode -n -i v0 -s 96 -U -w "$work/$name.pcap" ip6
    tcpdump=$started
    until_true 10 grep -q 'listening on' "$work/$name.tcpdump"
    begin "the gateway plays the document, $name" start_gateway "$work/six.xml" "$@" || say_end
    begin "the device starts from it, $name" start_device "$work/six.xml" "$@" || say_end
    check "both tunnels come up, $name" until_true 15 both_up || say_end
    check "pings cross, $name" until_true 10 in_device ping -c 1 -W 1 -I 192.168.7.1 10.0.1.10
    check "long pings cross, $name" in_device ping -c 3 -i 0.2 -s 3000 -I 192.168.7.1 10.0.1.10
    begin "20 MB from the office arrive whole, $name" \
        transfer "$device" 192.168.7.1 "$cloud" 10.0.1.10 20000000
    begin "20 MB from the instance arrive whole, $name" \
        transfer "$cloud" 10.0.1.10 "$device" 192.168.7.1 20000000
    kill -USR1 "$device_pid"
    check "the tunnels rekey, $name" until_true 10 rekeyed
    check "pings cross after it, $name" in_device ping -c 3 -i 0.2 -W 1 -I 192.168.7.1 10.0.1.10
    sleep 0.5
    stop "$tcpdump"
    check "no outside packet is cut, $name" [ "$(packets "$name" 'ip6[6] = 44')" = 0 ]
    begin "the device ends when it is told to, $name" stop "$device_pid"
    begin "the gateway ends when it is told to, $name" stop "$gateway"
}

make_net6
write_config "$work/six.xml" bgp
sed -i 's/203\.0\.113\.7/2001:db8:7::7/; s/198\.51\.100\.\([12]\)/2001:db8:51::\1/' "$work/six.xml"
crosses "in UDP" --encapsulation udp
check "ESP goes in UDP" [ "$(packets "in UDP" 'udp port 4500')" -gt 100 ]
check "no protocol 50" [ "$(packets "in UDP" 'ip6 proto 50')" = 0 ]
crosses "as protocol 50" --encapsulation raw
check "ESP goes as protocol 50" [ "$(packets "as protocol 50" 'ip6 proto 50')" -gt 1000 ]
check "nothing goes through port 4500" [ "$(packets "as protocol 50" 'udp port 4500')" = 0 ]
say_end
