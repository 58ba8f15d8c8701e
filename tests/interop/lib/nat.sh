# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # device, cloud, work are net.sh's; public, private are for scripts
# A NAT of nftables between devices and the cloud. Sourced, after net.sh.
#
#   device   192.0.2.7 ── in1 ─┐
#                              nat  203.0.113.7 ──── wire (198.51.100.1 to .4) ──── cloud
#   device2  192.0.2.9 ── in2 ─┘
#   LAN 192.168.7.1 (lo), device2's 192.168.9.1              instances 10.0.1.10, 10.1.1.10

. "$here/tests/interop/lib/capture.sh"

nat=s2n$$
device2=s2e$$
public=203.0.113.7

in_nat() { ip netns exec "$nat" "$@"; }
in_device2() { ip netns exec "$device2" "$@"; }

nat_space()
{
    ip netns add "$1" || exit 1
    spaces+=("$1")
    ip -n "$1" link set lo up
}

# nat_inside NAMESPACE INTERFACE ADDRESS LAN_ADDRESS: one more behind the NAT.
nat_inside()
{
    ip link add out netns "$1" type veth peer name "$2" netns "$nat"
    ip -n "$1" addr add "$3/32" dev out
    ip -n "$1" addr add "$4/32" dev lo
    ip -n "$1" link set out up
    ip -n "$nat" link set "$2" up
    ip -n "$1" route add 192.0.2.1 dev out src "$3"
    ip -n "$1" route add 198.51.100.0/24 via 192.0.2.1 dev out src "$3"
    ip -n "$nat" addr add 192.0.2.1/32 dev "$2"
    ip -n "$nat" route add "$3" dev "$2"
}

# From the NAT's wire to the cloud's v0; a script may put something else in between.
nat_wire() { ip link add wire netns "$nat" type veth peer name v0 netns "$cloud"; }

make_nat()
{
    local n

    nat_space "$device"
    nat_space "$nat"
    nat_space "$cloud"
    nat_inside "$device" in1 192.0.2.7 192.168.7.1
    nat_wire
    ip -n "$nat" link set wire up
    ip -n "$cloud" link set v0 up
    for n in 1 2 3 4; do ip -n "$cloud" addr add 198.51.100.$n/32 dev v0; done
    ip -n "$cloud" route add 203.0.113.0/24 dev v0 src 198.51.100.1
    nat_address "$public"
    in_nat sysctl -qw net.ipv4.ip_forward=1
    in_nat nft add table ip nat
    in_nat nft 'add chain ip nat leave { type nat hook postrouting priority 100; }'
}

# nat_address ADDRESS: the NAT's public address from now on. What it had mapped to the
# one before is forgotten by the kernel, as by a box whose provider gave it another.
nat_address()
{
    ip -n "$nat" addr flush dev wire scope global
    ip -n "$nat" addr add "$1/32" dev wire
    ip -n "$nat" route replace 198.51.100.0/24 dev wire src "$1"
    public=$1
}

# nat_ports FIRST-LAST|keep: which source ports mappings get from now on.
nat_ports()
{
    local ports="masquerade to :$1"

    [ "$1" != keep ] || ports=masquerade
    in_nat nft flush chain ip nat leave
    in_nat nft "add rule ip nat leave oifname \"wire\" meta l4proto udp $ports"
    in_nat nft 'add rule ip nat leave oifname "wire" masquerade'
}

# nat_forget [FIRST-LAST]: all mappings are flushed; new ones get these ports.
nat_forget()
{
    [ $# = 0 ] || nat_ports "$1"
    nat_address "$public"
}

# nat_timeout SECONDS: after so long without a packet a mapping expires.
nat_timeout()
{
    in_nat sysctl -qw "net.netfilter.nf_conntrack_udp_timeout=$1" \
        "net.netfilter.nf_conntrack_udp_timeout_stream=$1"
}

nat_capture() { capture_on "$nat" wire "$@"; }
keepalive='udp[4:2] = 9 and udp[8] = 0xff'

# seconds_until SECONDS COMMAND...: how long until it succeeds, in $waited.
seconds_until()
{
    local limit=$1 from
    shift
    from=$(date +%s%N)
    until "$@" >/dev/null 2>&1; do
        waited=$((($(date +%s%N) - from) / 100000000))
        waited=$((waited / 10)).$((waited % 10))
        [ "${waited%.*}" -lt "$limit" ] || return 1
        sleep 0.1
    done
    waited=$((($(date +%s%N) - from) / 100000000))
    waited=$((waited / 10)).$((waited % 10))
}

# comes_back NAME SECONDS COMMAND...: as check, but says how long it took.
comes_back()
{
    local name=$1 limit=$2
    shift 2
    if seconds_until "$limit" "$@"; then
        ok "$name (within $limit s)"
        echo "  $name: $waited s"
    else
        not_ok "$name (within $limit s)"
        return 1
    fi
}
