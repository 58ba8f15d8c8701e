#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Two devices behind one public address: two documents of the same customer gateway
# address, with tunnels of their own. Both are up at once and nothing gets mixed.
. "$(dirname "$0")/lib/net.sh"
. "$(dirname "$0")/lib/nat.sh"
. "$(dirname "$0")/lib/pings.sh"

up() { [ "$(grep -c 'tunnel [12]: up' "$1")" -ge 2 ]; }
one() { in_device ping -c 1 -W 1 -I 192.168.7.1 10.0.1.10; }
two() { in_device2 ping -c 1 -W 1 -I 192.168.9.1 10.1.1.10; }

# the_other FILE: a document of another connection, for the same customer gateway address.
the_other()
{
    write_config "$1" static other.test_key.9876543210
    sed -i 's/0123456789abcdef0/0fedcba9876543210/; s/198\.51\.100\.1/198.51.100.3/
        s/198\.51\.100\.2/198.51.100.4/; s/169\.254\.10\./169.254.11./' "$1"
}

start_second_gateway()
{
    start "$cloud" "$work/gateway2.log" "$build/examples/s2svpn-gateway" --play "$work/two.xml" \
        --tun inst2 --vpc 10.1.0.0/16 --instance 10.1.1.10 --route 192.168.9.0/24 --verbose
    until_true 60 in_cloud ip link show inst2 || return 1
    in_cloud ip addr add 10.1.1.10/32 dev inst2
    in_cloud ip link set inst2 up
    in_cloud ip route add 192.168.9.0/24 dev inst2 src 10.1.1.10
}
start_second_device()
{
    start "$device2" "$work/device2.log" "$build/examples/s2svpn-device" --tun lan0 \
        --lan 192.168.9.0/24 --log debug --control "$work/control2" --local 192.0.2.9 \
        --route 10.1.0.0/16 "$work/two.xml"
    until_true 60 in_device2 ip link show lan0 || return 1
    in_device2 ip link set lan0 up
    in_device2 ip route add 10.1.0.0/16 dev lan0 src 192.168.9.1
}
both_transfer()
{
    transfer "$device" 192.168.7.1 "$cloud" 10.0.1.10 10000000 &
    local first=$!

    pings_all "$device2" 300 -i 0.01 -s 1000 -I 192.168.9.1 10.1.1.10 || return 1
    wait "$first"
}

make_nat
nat_space "$device2"
nat_inside "$device2" in2 192.0.2.9 192.168.9.1
nat_ports 4500-4501
write_config "$work/one.xml" static
the_other "$work/two.xml"
begin "a gateway plays the first document" start_gateway "$work/one.xml" --route 192.168.7.0/24 || say_end
begin "and one the second" start_second_gateway || say_end
begin "the first device starts" start_device "$work/one.xml" --local 192.0.2.7 \
    --route 10.0.0.0/16 --control "$work/control" || say_end
begin "and the second, behind the same address" start_second_device || say_end
capture_on "$cloud" inst inst ip
capture_on "$cloud" inst2 inst2 ip
check "the first's tunnels come up" until_true 60 up "$work/device.log" || say_end
check "and the second's" until_true 60 up "$work/device2.log" || say_end
check "pings cross by the first" until_true 30 one
check "and by the second" until_true 30 two
begin "both carry traffic at once, none lost" both_transfer

nat_forget 20000-29999
comes_back "the NAT forgets both: the first comes back" 60 one
comes_back "and the second" 60 two
nat_forget 4500-4501
comes_back "again, to ports that both have had: the first comes back" 60 one
comes_back "and the second, there" 60 two
begin "both carry traffic at once, none lost, after it" both_transfer
begin "the capture of the first's instance is whole" end_capture inst
begin "and that of the second's" end_capture inst2
check "the first's instance saw the first's packets" capture_has inst 100 'net 192.168.7.0/24'
check "and no others" [ "$(captured inst 'not net 192.168.7.0/24')" = 0 ]
check "the second's saw the second's" capture_has inst2 100 'net 192.168.9.0/24'
check "and none but these" [ "$(captured inst2 'not net 192.168.9.0/24')" = 0 ]
restarted() { cat "$work"/device*.log | grep -c 'child SA new'; }
check "no tunnel was ever restarted" [ "$(restarted)" = 4 ]
say_end
