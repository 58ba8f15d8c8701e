#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# s2svpn-gateway plays a document; strongSwan and BIRD, a pair a tunnel, are the customer's
# device, configured from the same document's values. Tunnel 1's charon dies without a
# word: pings from the instance go on by tunnel 2; it comes back, and so does tunnel 1.
. "$(dirname "$0")/lib/net.sh"
. "$(dirname "$0")/lib/pings.sh"
. "$(dirname "$0")/lib/two_ends.sh"

# value N PATH: from the document's tunnel N.
value()
{
    python3 -c 'import sys, xml.etree.ElementTree as e
print(e.parse(sys.argv[1]).findall("ipsec_tunnel")[int(sys.argv[2]) - 1].findtext(sys.argv[3]))' \
        "$work/aws.xml" "$1" "$2"
}
customer=customer_gateway
aws=vpn_gateway
outside=tunnel_outside_address/ip_address
inside=tunnel_inside_address/ip_address

end()
{
    start_end "$1" "$(value "$1" "$customer/$outside")" "$(value "$1" "$aws/$outside")" \
        "$(value "$1" "$customer/$inside")" "$(value "$1" "$aws/$inside")" \
        10.0.0.0/16 "$(value "$1" ike/pre_shared_key)"
}
bird_of()
{
    end_bird "$1" bgp "$(value "$1" "$customer/bgp/asn")" "$(value "$1" "$customer/$inside")" \
        "$(value "$1" "$aws/bgp/asn")" "$(value "$1" "$aws/$inside")" 192.168.0.0/16
}
initiate() { swanctl_of "end$1" --initiate --child k --timeout 60; }
up() { [ "$(grep -c "tunnel $1: up" "$work/gateway.log")" -ge "$2" ]; }
by() { grep 'route 192.168.0.0/16' "$work/gateway.log" | tail -n 1 | grep -q "goes by tunnel $1"; }
out_by() { ask_bird 0 show route 10.0.0.0/16 primary | grep -q "on end$1"; }
out() { in_router ping -c 1 -W 1 -I 192.168.7.1 10.0.1.10; }
back() { in_cloud ping -c 1 -W 1 -I 10.0.1.10 192.168.7.1; }

make_ends "$cloud"
ip -n "$router" addr add 192.168.7.1/32 dev lo
# Both ends have the customer gateway's address, so the way back goes by the source.
for n in 1 2; do
    ip -n "$cloud" addr add "198.51.100.$n/32" dev wire$n
    ip -n "$cloud" rule add from "198.51.100.$n" lookup $((100 + n))
    ip -n "$cloud" route add 203.0.113.7 dev wire$n src "198.51.100.$n" table $((100 + n))
    ip -n "${ends[$n]}" addr add 203.0.113.7/32 dev wire
    ip -n "${ends[$n]}" route add "198.51.100.$n" dev wire src 203.0.113.7
done
write_config "$work/aws.xml" bgp
begin "the gateway plays the document" start_gateway "$work/aws.xml" || say_end
router_bird "$(value 1 "$customer/bgp/asn")"
for n in 1 2; do
    begin "device $n starts" end $n || say_end
    bird_of $n
    check "its tunnel comes up, $n" initiate $n || say_end
done
check "BGP comes up in tunnel 1" until_true 60 up 1 1 || say_end
check "and in tunnel 2" until_true 60 up 2 1 || say_end
check "the way to the instance is the one that the gateway's MED prefers" until_true 60 out_by 1
check "pings reach the instance" until_true 60 out
check "and the office" until_true 30 back
begin "10 MB from the office arrive whole" transfer "$router" 192.168.7.1 "$cloud" 10.0.1.10 10000000
begin "10 MB from the instance arrive whole" transfer "$cloud" 10.0.1.10 "$router" 192.168.7.1 10000000

pings_on "$cloud" "$work/pings.log" -D -i 0.2 -I 10.0.1.10 192.168.7.1
check "pings run" pings_go_on "$work/pings.log"
killed=$(date +%s.%N)
kill_end 1
check "tunnel 1's charon is killed: the way to the instance becomes tunnel 2" until_true 60 out_by 2
check "and the way back" until_true 60 by 2
switched=$(date +%s.%N)
check "pings go on" pings_go_on "$work/pings.log"
echo "  without an answer: $(gap_after "$work/pings.log" "$killed") s"
check "the gateway says why" grep -q 'tunnel 1: .*\([Hh]old [Tt]imer\|stopped answering\)' "$work/gateway.log"

begin "it starts anew" end 1
check "and is let in" initiate 1
check "tunnel 1 comes back" until_true 60 up 1 2
check "the way to the instance is tunnel 1 again" until_true 60 out_by 1
check "pings cross" until_true 30 out
check "pings go on by tunnel 1" pings_go_on "$work/pings.log"
echo "  without an answer when it came back: $(gap_after "$work/pings.log" "$switched") s"
# Much less than a hold time, or what it takes to give a tunnel up.
check "which costs hardly a ping" less_than "$(gap_after "$work/pings.log" "$switched")" 8
pings_off "$work/pings.log"
check "tunnel 2 has stayed" [ "$(grep -c 'tunnel 2: up' "$work/gateway.log")" = 1 ]
begin "the gateway ends when it is told to" stop "$gateway"
say_end
