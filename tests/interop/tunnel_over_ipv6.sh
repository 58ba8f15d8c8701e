#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The outside addresses are IPv6 (2001:db8::/32), what goes through the tunnels is IPv4:
# in UDP, and as protocol 50.
. "$(dirname "$0")/lib/net.sh"
. "$(dirname "$0")/lib/capture.sh"
. "$(dirname "$0")/lib/pings.sh"

make_net6()
{
    make_net
    ip -n "$device" addr add 2001:db8:7::7/128 dev v0 nodad
    ip -n "$cloud" addr add 2001:db8:51::1/128 dev v0 nodad
    ip -n "$cloud" addr add 2001:db8:51::2/128 dev v0 nodad
    ip -n "$device" route add 2001:db8:51::/48 dev v0 src 2001:db8:7::7
    ip -n "$cloud" route add 2001:db8:7::/48 dev v0 src 2001:db8:51::1
}

both_up() { [ "$(grep -c 'tunnel [12]: up' "$work/device.log")" -ge 2 ]; }
rekeyed() { [ "$(grep -c 'child SA rekeyed' "$work/device.log")" -ge 2 ]; }

# crosses NAME OPTION...
crosses()
{
    local name=$1
    shift
    begin "the wire is captured, $name" capture_on "$cloud" v0 "$name" ip6
    begin "the gateway plays the document, $name" start_gateway "$work/six.xml" "$@" || say_end
    begin "the device starts from it, $name" start_device "$work/six.xml" "$@" || say_end
    check "both tunnels come up, $name" until_true 60 both_up || say_end
    check "pings cross, $name" until_true 60 in_device ping -c 1 -W 1 -I 192.168.7.1 10.0.1.10
    check "long pings cross, $name" until_true 30 in_device ping -c 3 -i 0.2 -s 3000 -I 192.168.7.1 10.0.1.10
    begin "20 MB from the office arrive whole, $name" \
        transfer "$device" 192.168.7.1 "$cloud" 10.0.1.10 20000000
    begin "20 MB from the instance arrive whole, $name" \
        transfer "$cloud" 10.0.1.10 "$device" 192.168.7.1 20000000
    kill -USR1 "$device_pid"
    check "the tunnels rekey, $name" until_true 60 rekeyed
    check "pings cross after it, $name" pings_all "$device" 3 -i 0.2 -I 192.168.7.1 10.0.1.10
    begin "the capture is whole, $name" end_capture "$name"
    check "no outside packet is cut, $name" [ "$(captured "$name" 'ip6[6] = 44')" = 0 ]
    begin "the device ends when it is told to, $name" stop "$device_pid"
    begin "the gateway ends when it is told to, $name" stop "$gateway"
}

make_net6
write_config "$work/six.xml" bgp
sed -i 's/203\.0\.113\.7/2001:db8:7::7/; s/198\.51\.100\.\([12]\)/2001:db8:51::\1/' "$work/six.xml"
crosses "in UDP" --encapsulation udp
check "ESP goes in UDP" capture_has "in UDP" 100 'udp port 4500'
check "no protocol 50" [ "$(captured "in UDP" 'ip6 proto 50')" = 0 ]
crosses "as protocol 50" --encapsulation raw
check "ESP goes as protocol 50" capture_has "as protocol 50" 1000 'ip6 proto 50'
check "nothing goes through port 4500" [ "$(captured "as protocol 50" 'udp port 4500')" = 0 ]
say_end
