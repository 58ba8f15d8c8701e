#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Many connections over real sockets between two namespaces: 1,000 customers, each at an
# address of its own, with two tunnels and a BGP session in each, at one gateway process; DPD
# and BGP keepalives every 10 s; IKE and ESP AES-128-GCM, ECP-256, pre-shared keys. The devices
# are one process.
#
#     scale_s2svpn_rss         resident memory of the gateway that one tunnel takes, with IKE SA,
#                              children, in-tunnel TCP and BGP: all of them less 50, by the rest;
#                              a few came up at a time
#     scale_s2svpn_rss_burst   the same when all came up at once: what malloc has got for a
#                              thousand half-open SAs stays in the process
#     scale_s2svpn_up          s until all are up, when all devices start at once
#     scale_s2svpn_idle        percent of a processor that the gateway takes when nothing goes on
#     scale_s2svpn_again       s until all are up again after the gateway was killed and started
#                              anew; the devices have to notice by DPD
#     scale_s2svpn_again_own   the same of a gateway whose startup action is start
#     scale_s2svpn_devices     the same after all devices were killed and started anew
#
# Devices and gateway share the processors.
#
# usage: bench_scale.sh [--quick]
# With S2_BUILD the programs are that build's.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
customers=1000 idle_s=60
case ${1:-} in
--quick) customers=500 idle_s=20 ;;
'') ;;
*)
    sed -n 's/^# \(usage: .*\)/\1/p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac
gently=16   # customers at a time
few=25      # customers of the gateway that is subtracted; two tunnels each
group=19    # ECP-256
patience=300
again_max=120 # s: dead-peer detection and the handshakes
memory_max=16 # KiB

if [ -z "${S2_BUILD:-}" ]; then
    export S2_SRC=$top
    . "$top/tests/lib/packages.sh"
    . "$top/tests/lib/build.sh"
    packages_need build peers || exit 1
    build_make bench "tests/bench/bench_ike_gateway tests/bench/bench_scale_devices" \
        --disable-shared || exit 1
    export S2_BUILD=$build_root/bench
fi
. "$top/tests/interop/lib/net.sh"
# shellcheck disable=SC2154 # net.sh sets build
programs=$build/tests/bench

fail()
{
    echo "bench_scale: $1" >&2
    tail -n 5 "$work"/*.log >&2
    exit 1
}

now() { cut -d ' ' -f 1 /proc/uptime; }

# minus A B: A - B.
minus() { awk -v a="$1" -v b="$2" 'BEGIN { printf "%.2f", a - b }'; }

# gateway CUSTOMERS [start]: its process is $gateway.
gateway()
{
    start "$cloud" "$work/gateway.log" "$programs/bench_ike_gateway" "$1" $group bgp ${2:+"$2"}
    gateway=$started
    until_true 60 grep -q ready "$work/gateway.log" || fail "the gateway does not start"
}

# devices CUSTOMERS AT_ONCE: their process is $devices.
devices()
{
    start "$device" "$work/devices.log" "$programs/bench_scale_devices" "$1" $group "$2"
    devices=$started
}

# all_up_at: when the gateway said that all were up, for the first time in its life.
all_up_at()
{
    until_true $patience grep -q '^all ' "$work/gateway.log" || fail "not all tunnels come up"
    awk '$1 == "all" { print $4; exit }' "$work/gateway.log"
}

ready_at() { awk '$1 == "ready" { print $4; exit }' "$work/gateway.log"; }
start_at() { awk '$1 == "start" { print $4; exit }' "$work/devices.log"; }

gone()
{
    kill -9 "$1"
    wait "$1" 2>/dev/null
}

resident_kib() { awk '/^Rss:/ { print $2; exit }' "/proc/$1/smaps_rollup"; }
processor_ns() { cat /proc/"$1"/task/*/schedstat | awk '{ n += $1 } END { printf "%.0f\n", n }'; }

# figure NAME VALUE UNIT
figure() { printf 'scale_s2svpn_%s %s %s\n' "$@"; }

make_net
in_device ip route add local 10.9.0.0/16 dev lo
in_cloud ip route add 10.9.0.0/16 dev v0 src 198.51.100.1
# Thousands of messages come at once, and a socket's queue is what the system gives.
sysctl -qw net.core.rmem_max=8388608 2>/dev/null

# rss: KiB of a tunnel; $less is what few take.
rss()
{
    awk -v a="$less" -v b="$(resident_kib "$gateway")" -v few=$few -v all=$customers \
        'BEGIN { printf "%.1f", (b - a) / (2 * (all - few)) }'
}

gateway $few
devices $few $gently
all_up_at >/dev/null
sleep 2
less=$(resident_kib "$gateway")
gone "$devices"
gone "$gateway"

gateway $customers
devices $customers $gently
all_up_at >/dev/null
sleep 5 # what was under way ends
before_ns=$(processor_ns "$gateway")
before=$(now)
sleep $idle_s
idle=$(awk -v ns="$(minus "$(processor_ns "$gateway")" "$before_ns")" \
    -v s="$(minus "$(now)" "$before")" 'BEGIN { printf "%.2f", ns / s / 1e7 }')
rss=$(rss)
figure tunnels $((2 * customers)) up
figure idle "$idle" percent
figure rss "$rss" KiB
gone "$devices"
gone "$gateway"

gateway $customers
devices $customers $customers
figure up "$(minus "$(all_up_at)" "$(start_at)")" s
sleep 5
figure rss_burst "$(rss)" KiB

gone "$gateway"
gateway $customers
since=$(ready_at)
again=$(minus "$(all_up_at)" "$since")
figure again "$again" s

gone "$gateway"
gateway $customers start
since=$(ready_at)
own=$(minus "$(all_up_at)" "$since")
figure again_own "$own" s

gone "$devices"
devices $customers $customers
until_true $patience grep -q '^all ' "$work/devices.log" || fail "not all tunnels come up"
figure devices "$(minus "$(awk '$1 == "all" { print $4; exit }' "$work/devices.log")" "$(start_at)")" s

awk -v rss="$rss" -v again="$again" -v own="$own" -v m=$memory_max -v t=$again_max 'BEGIN {
    printf "ratio scale_rss/%d_KiB %.3f\n", m, rss / m
    printf "ratio scale_again/%d_s %.3f\n", t, again / t
    printf "ratio scale_again_own/%d_s %.3f\n", t, own / t }'
exit 0
