#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A path that carries less than 1500 bytes: a router in between whose link to the cloud has
# an MTU of 1400. Both ends learn of it, the device by the router's ICMP and the gateway by
# its own interface; hosts inside are told "too big" with what fits the tunnel, TCP keeps
# going, and no outside packet needs to be cut.
. "$(dirname "$0")/lib/net.sh"
. "$(dirname "$0")/lib/capture.sh"

narrow=1400
router=s2r$$

# device 203.0.113.7 ── 203.0.113.1 router 198.51.100.254 ──(narrow)── 198.51.100.1, .2 cloud
make_narrow_net()
{
    local n

    for n in "$device" "$router" "$cloud"; do
        ip netns add "$n" || return 1
        spaces+=("$n")
        ip -n "$n" link set lo up
    done
    ip link add v0 netns "$device" type veth peer name d0 netns "$router"
    ip link add c0 netns "$router" type veth peer name v0 netns "$cloud"
    ip -n "$device" addr add 203.0.113.7/24 dev v0
    ip -n "$router" addr add 203.0.113.1/24 dev d0
    ip -n "$router" addr add 198.51.100.254/24 dev c0
    ip -n "$cloud" addr add 198.51.100.1/24 dev v0
    ip -n "$cloud" addr add 198.51.100.2/24 dev v0
    ip -n "$router" link set c0 mtu "$narrow"
    ip -n "$cloud" link set v0 mtu "$narrow"
    for n in "$device:v0" "$router:d0" "$router:c0" "$cloud:v0"; do
        ip -n "${n%:*}" link set "${n#*:}" up
    done
    ip -n "$device" route add default via 203.0.113.1
    ip -n "$cloud" route add default via 198.51.100.254
    ip netns exec "$router" sysctl -qw net.ipv4.ip_forward=1
    ip -n "$device" addr add 192.168.7.1/32 dev lo
}

both_up() { [ "$(grep -c 'tunnel [12]: up' "$work/device.log")" -ge 2 ]; }
learned() { [ "$(grep -c "tunnel [12]: the path carries $narrow bytes" "$work/$1.log")" -ge 2 ]; }

# told NAMESPACE FROM TO: a ping with the DF bit that is one byte too long; the answer.
told() { ip netns exec "$1" ping -c 1 -W 1 -M 'do' -s $((inner - 28 + 1)) -I "$2" "$3"; }
is_told() { told "$@" 2>&1 | grep -E "mtu ?= ?$inner\b"; }
fits() { ip netns exec "$1" ping -c 2 -i 0.2 -W 3 -M 'do' -s $((inner - 28)) -I "$2" "$3"; }

# Outside fragments on the narrow link, either way.
fragments() { captured wire 'ip[6:2] & 0x3fff != 0'; }

# crosses AS INNER FILTER OPTION...: all of it, with ESP as FILTER sees it and what fits inside.
crosses()
{
    local as=$1 filter=$3
    inner=$2
    shift 3
    in_device ip route flush cache
    begin "the gateway plays the document, $as" start_gateway "$work/config.xml" "$@" || say_end
    begin "the device starts from it, $as" start_device "$work/config.xml" --exact "$@" || say_end
    check "both tunnels come up, $as" until_true 60 both_up || say_end
    check "the device learns the path's MTU from the router, $as" until_true 60 learned device
    check "the gateway learns it from its interface, $as" until_true 60 learned gateway
    check "a host of the office is told what fits, $as" \
        until_true 60 is_told "$device" 192.168.7.1 10.0.1.10
    check "an instance is told what fits, $as" \
        until_true 60 is_told "$cloud" 10.0.1.10 192.168.7.1
    check "what fits crosses, from the office, $as" until_true 30 fits "$device" 192.168.7.1 10.0.1.10
    check "what fits crosses, from the instance, $as" until_true 30 fits "$cloud" 10.0.1.10 192.168.7.1
    begin "the wire is captured, $as" capture_on "$cloud" v0 wire
    begin "10 MB from the office arrive whole, $as" \
        transfer "$device" 192.168.7.1 "$cloud" 10.0.1.10 10000000
    begin "10 MB from the instance arrive whole, $as" \
        transfer "$cloud" 10.0.1.10 "$device" 192.168.7.1 10000000
    check "long pings without the DF bit cross in inner fragments, $as" \
        until_true 30 in_device ping -c 3 -i 0.2 -W 3 -M dont -s 5000 -I 192.168.7.1 10.0.1.10
    begin "the capture is whole, $as" end_capture wire
    check "the wire was seen, $as" capture_has wire 100 "$filter"
    check "no outside packet was cut, $as" [ "$(fragments)" = 0 ]
    begin "the device ends when it is told to, $as" stop "$device_pid"
    begin "the gateway ends when it is told to, $as" stop "$gateway"
}

make_narrow_net || say_end
write_config "$work/config.xml" bgp
sed -i 's/<clear_df_bit>true/<clear_df_bit>false/' "$work/config.xml"
# AES-128-CBC and SHA-1: roundDown(1400 - 20 - 8 of UDP - 8 - 16 - 12, 16) - 2.
crosses "in UDP" 1326 'udp port 4500' --encapsulation udp
crosses "as protocol 50" 1342 'ip proto 50'
say_end
