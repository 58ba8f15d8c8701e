# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # device, cloud, spaces are net.sh's; some are for scripts
# A router between the device and the cloud, whose links can be narrow or lossy. Sourced,
# after net.sh.
#
#   device   203.0.113.7 ── west ── middle ── east (198.51.100.1, .2) ── cloud
#   LAN 192.168.7.1 (lo)                                      instance 10.0.1.10

middle=s2m$$

in_middle() { ip netns exec "$middle" "$@"; }

make_middle()
{
    local n

    for n in "$device" "$middle" "$cloud"; do
        ip netns add "$n" || exit 1
        spaces+=("$n")
        ip -n "$n" link set lo up
    done
    ip link add v0 mtu 9000 netns "$device" type veth peer name west mtu 9000 netns "$middle"
    ip link add v0 mtu 9000 netns "$cloud" type veth peer name east mtu 9000 netns "$middle"
    ip -n "$device" addr add 203.0.113.7/32 dev v0
    ip -n "$cloud" addr add 198.51.100.1/32 dev v0
    ip -n "$cloud" addr add 198.51.100.2/32 dev v0
    ip -n "$middle" addr add 203.0.113.254/32 dev west
    ip -n "$middle" addr add 198.51.100.254/32 dev east
    ip -n "$device" link set v0 up
    ip -n "$cloud" link set v0 up
    ip -n "$middle" link set west up
    ip -n "$middle" link set east up
    ip -n "$device" route add 203.0.113.254 dev v0
    ip -n "$device" route add 198.51.100.0/24 via 203.0.113.254 dev v0 src 203.0.113.7
    ip -n "$cloud" route add 198.51.100.254 dev v0
    ip -n "$cloud" route add 203.0.113.0/24 via 198.51.100.254 dev v0 src 198.51.100.1
    ip -n "$middle" route add 203.0.113.7 dev west
    ip -n "$middle" route add 198.51.100.0/24 dev east
    in_middle sysctl -qw net.ipv4.ip_forward=1
    ip -n "$device" addr add 192.168.7.1/32 dev lo
}

# links WEST EAST: their MTUs from now on; what the ends had learned is forgotten.
links()
{
    ip -n "$device" link set v0 mtu "$1"
    ip -n "$middle" link set west mtu "$1"
    ip -n "$middle" link set east mtu "$2"
    ip -n "$cloud" link set v0 mtu "$2"
    ip -n "$device" route flush cache
    ip -n "$cloud" route flush cache
}
