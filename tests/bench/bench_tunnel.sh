#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What goes through a tunnel between two namespaces, through the device and the gateway
# and their TUN devices, AES-128-GCM, beside:
#
#     bare          the veth pair without a tunnel: the raw limit
#     strongswan    two strongSwans whose ESP is in user space (kernel-libipsec)
#     wireguard     two wireguard-go with GSO (peers.sh gets them)
#
# "up" is one TCP connection of iperf3 from the device, "down" one from the gateway,
# "streams" four at once from the device, "packets" are UDP datagrams of 64 bytes from the
# device, as many a second as arrive without loss (bench_packets). s2svpn_no_* is without
# one of the kernel's offloads, s2svpn_no_offload without all, s2svpn_raw without UDP;
# these have "up" and "down" alone. Peers take turns for some rounds, so that a slow
# moment of the machine hits all; the figures are medians of rounds. Both ends, the load
# and the kernel share the processors: s/GB and us, the processor time of both ends' daemons
# for 10^9 bytes of payload and for a packet, say more of a busy machine.
#
# usage: bench_tunnel.sh [--quick] [PEER...]
# With S2_BUILD the programs are that build's.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
rounds=3
seconds=3
quick=no
wanted=()
for arg in "$@"; do
    case $arg in
    --quick) rounds=1 seconds=1 quick=yes ;;
    --*)
        sed -n 's/^# \(usage: .*\)/\1/p' "${BASH_SOURCE[0]}" >&2
        exit 2
        ;;
    *) wanted+=("$arg") ;;
    esac
done

if [ -z "${S2_BUILD:-}" ]; then
    export S2_SRC=$top
    . "$top/tests/lib/packages.sh"
    . "$top/tests/lib/build.sh"
    packages_need build peers || exit 1
    build_make bench "examples/s2svpn-device examples/s2svpn-gateway tests/bench/bench_packets" \
        --disable-shared || exit 1
    export S2_BUILD=$build_root/bench
fi
if ! command -v iperf3 >/dev/null; then
    echo "skip bench_tunnel (no iperf3)"
    exit 77
fi
# The user namespace that net.sh makes where we aren't root has no way to the network.
if [ -z "${S2_UNSHARED:-}" ]; then
    . "$top/tests/bench/peers.sh"
    case " ${wanted[*]-} " in
    '  ' | *' wireguard '*) peers_wireguard "$top" ;;
    esac
fi
. "$top/tests/interop/lib/net.sh"

# ---- peers: each brings a tunnel up between $from (device's namespace) and $to, and says
# in daemons= whose processor time counts

# up_s2svpn [ENCAPSULATION] [OPTION...]: UDP unless another one is named.
up_s2svpn()
{
    local encapsulation=udp

    case ${1:-} in
    raw) encapsulation=$1 && shift ;;
    esac
    write_config "$work/config.xml" static
    sed -i -e '/<ipsec>/,/<\/ipsec>/{s/aes-128-cbc/aes-128-gcm-16/;/authentication_protocol/d}' \
        -e '/<ike>/,/<\/ike>/s/>sha1</>sha2-256</' -e 's/>group2</>group14</' "$work/config.xml"
    from=192.168.7.1 to=10.0.1.10
    set -- --encapsulation "$encapsulation" "$@"
    start_gateway "$work/config.xml" --route 192.168.0.0/16 "$@" || return 1
    daemons=("$gateway")
    start_device "$work/config.xml" --exact --route 10.0.0.0/16 "$@" || return 1
    daemons+=("$device_pid")
}
up_s2svpn_no_udp_segment() { up_s2svpn --no-offload udp-segment; }
up_s2svpn_no_udp_gro() { up_s2svpn --no-offload udp-gro; }
up_s2svpn_no_tun() { up_s2svpn --no-offload tun; }
up_s2svpn_no_offload()
{
    up_s2svpn --no-offload udp-segment --no-offload udp-gro --no-offload tun
}
up_s2svpn_raw() { up_s2svpn raw; }

up_bare()
{
    from=203.0.113.7 to=198.51.100.1
}

up_strongswan()
{
    local psk=bench.only.not.secret.0123456789 one two

    from=192.168.7.1 to=10.0.1.10
    rm -rf "$work/a" "$work/b"
    ip -n "$cloud" addr add "$to/32" dev lo
    start_charon "$cloud" a || return 1
    one=$charon
    start_charon "$device" b || return 1
    two=$charon
    daemons=("$one" "$two")
    write_swanctl a 198.51.100.1 203.0.113.7 "$to/32" "$from/32" "$psk" \
        aes128gcm16-prfsha256-ecp256 aes128gcm16-ecp256 || return 1
    write_swanctl b 203.0.113.7 198.51.100.1 "$from/32" "$to/32" "$psk" \
        aes128gcm16-prfsha256-ecp256 aes128gcm16-ecp256 || return 1
    swanctl_of b --initiate --child k >"$work/initiate.log" 2>&1
}

up_wireguard()
{
    local end ns other outside inside peer

    from=192.168.7.1 to=10.0.1.10
    mkdir -p "$work/wg"
    for end in "$device" "$cloud"; do
        python3 "$top/tests/bench/wireguard.py" keys "$work/wg/$end" "$work/wg/$end.public"
    done
    for ns in "$device" "$cloud"; do
        other=$cloud outside=198.51.100.1 inside=$from peer=$to
        [ "$ns" = "$device" ] || other=$device outside=203.0.113.7 inside=$to peer=$from
        start "$ns" "$work/wg/$ns.log" "$WIREGUARD_GO" -f "$ns"
        daemons+=("$started")
        until_true 5 test -S "/var/run/wireguard/$ns.sock" || return 1
        python3 "$top/tests/bench/wireguard.py" set "/var/run/wireguard/$ns.sock" \
            "$work/wg/$ns" "$work/wg/$other.public" 51820 "$outside:51820" "$peer/32" || return 1
        [ "$ns" = "$device" ] || ip -n "$ns" addr add "$inside/32" dev lo
        ip -n "$ns" link set "$ns" mtu 1400 up
        ip -n "$ns" route add "$peer/32" dev "$ns" src "$inside"
    done
}

# ---- measuring

ticks()
{
    local sum=0 pid

    for pid in "${daemons[@]}"; do
        sum=$((sum + $(sed 's/.*) //' "/proc/$pid/stat" | cut -d ' ' -f 12,13 | tr ' ' +)))
    done
    echo $sum
}

# Mbit/s and processor seconds a gigabyte.
summary='
import json, sys
bytes = json.load(open(sys.argv[1]))["end"]["sum_received"]["bytes"]
ticks, rate, seconds = int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
print("%.0f %.2f" % (bytes * 8 / seconds / 1e6, ticks / rate / max(bytes, 1) * 1e9))'

# flow PEER up|down|streams: one run, a line "Mbit/s s/GB" into its file.
flow()
{
    local option='' before

    case $2 in
    down) option=-R ;;
    streams) option='-P 4' ;;
    esac
    before=$(ticks)
    # shellcheck disable=SC2086 # options or none
    in_device iperf3 -c "$to" -B "$from" -t "$seconds" -J $option >"$work/iperf.json" 2>&1 ||
        return 1
    python3 -c "$summary" "$work/iperf.json" $(($(ticks) - before)) "$(getconf CLK_TCK)" \
        "$seconds" >>"$results/$1.$2"
}

# packets PEER: one run, a line "packets/s us" into its file.
packets()
{
    local before

    before=$(ticks)
    # shellcheck disable=SC2154 # net.sh sets build
    in_device "$build/tests/bench/bench_packets" source "$from" "$to" "$seconds" \
        >"$work/packets" 2>&1 || return 1
    awk -v ticks=$(($(ticks) - before)) -v rate="$(getconf CLK_TCK)" '
        { figure[$1] = $2 }
        END {
            if (figure["packets"] == 0) exit 1
            printf "%.0f %.2f\n", figure["packets"] / figure["seconds"],
                ticks / rate / figure["packets"] * 1e6
        }' "$work/packets" >>"$results/$1.packets"
}

bring_up()
{
    make_net
    daemons=()
    "up_$1" && until_true 10 in_device ping -c 1 -W 1 -I "$from" "$to"
}

take_down()
{
    local it

    for it in "${daemons[@]}"; do stop "$it"; done
    for it in "${spaces[@]}"; do ip netns del "$it"; done
    spaces=()
}

# A peer that doesn't come up gets a second try: strongSwan's device sometimes doesn't.
run_peer()
{
    local server sink rc=0

    bring_up "$1" || { take_down && bring_up "$1"; } || return 1
    start "$cloud" "$work/server.log" iperf3 -s -B "$to"
    server=$started
    start "$cloud" "$work/sink.log" "$build/tests/bench/bench_packets" sink "$to"
    sink=$started
    until_true 5 grep -q ready "$work/sink.log"
    until_true 5 sh -c "ip netns exec $cloud ss -tln | grep -q ':5201'"
    flow "$1" up && flow "$1" down || rc=1
    case $1 in
    s2svpn_*) ;;
    *) flow "$1" streams && packets "$1" || rc=1 ;;
    esac
    stop "$server"
    stop "$sink"
    take_down
    return $rc
}

has_peer()
{
    case $1 in
    strongswan) command -v charon-systemd swanctl >/dev/null ;;
    wireguard) [ -n "${WIREGUARD_GO:-}" ] ;;
    esac
}

# median PEER DIRECTION FIELD
median()
{
    cut -d ' ' -f "$3" "$results/$1.$2" | sort -n | sed -n "$(((rounds + 1) / 2))p"
}

# spread PEER DIRECTION FIELD: the lowest and the highest of the rounds.
spread()
{
    cut -d ' ' -f "$3" "$results/$1.$2" | sort -n | sed -n '1p;$p' | xargs printf '(%s to %s)'
}

# print_figure PEER WHAT UNIT COST_UNIT
print_figure()
{
    [ -e "$results/$1.$2" ] || return 0
    printf 'tunnel_%s_%s %s %s %s\n' "$1" "$2" "$(median "$1" "$2" 1)" "$3" \
        "$(spread "$1" "$2" 1)"
    [ "$1" = bare ] || printf 'tunnel_cpu_%s_%s %s %s %s\n' "$1" "$2" \
        "$(median "$1" "$2" 2)" "$4" "$(spread "$1" "$2" 2)"
}

print_peer()
{
    print_figure "$1" up Mbit/s s/GB
    print_figure "$1" down Mbit/s s/GB
    print_figure "$1" streams Mbit/s s/GB
    print_figure "$1" packets packets/s us
}

# ratio A B: of the two directions' sums, and of packets.
ratio()
{
    [ -e "$results/$1.down" ] && [ -e "$results/$2.down" ] || return 0
    awk -v a="$1" -v b="$2" -v au="$(median "$1" up 1)" -v ad="$(median "$1" down 1)" \
        -v bu="$(median "$2" up 1)" -v bd="$(median "$2" down 1)" 'BEGIN {
        printf "ratio tunnel_%s/tunnel_%s %.3f\n", a, b, (au + ad) / (bu + bd) }'
    [ -e "$results/$1.packets" ] && [ -e "$results/$2.packets" ] || return 0
    awk -v a="$1" -v b="$2" -v ap="$(median "$1" packets 1)" -v bp="$(median "$2" packets 1)" \
        'BEGIN { printf "ratio tunnel_%s_packets/tunnel_%s_packets %.3f\n", a, b, ap / bp }'
}

if [ ${#wanted[@]} = 0 ]; then
    wanted=(bare s2svpn strongswan wireguard)
    [ $quick = yes ] || wanted+=(s2svpn_no_udp_segment s2svpn_no_udp_gro s2svpn_no_tun
        s2svpn_no_offload s2svpn_raw)
fi
results=$work/results
mkdir "$results"
peers=()
for peer in "${wanted[@]}"; do
    if ! declare -F "up_$peer" >/dev/null; then
        echo "no such peer: $peer" >&2
        exit 2
    elif has_peer "$peer"; then
        peers+=("$peer")
    else
        echo "# $peer is not there"
    fi
done
for _ in $(seq $rounds); do
    for peer in "${peers[@]}"; do
        if ! run_peer "$peer"; then
            echo "$peer: no traffic" >&2
            tail -n 20 "$work"/*.log "$work/iperf.json" >&2
            exit 1
        fi
    done
done
for peer in "${peers[@]}"; do print_peer "$peer"; done
ratio s2svpn bare
ratio s2svpn strongswan
ratio s2svpn wireguard
for peer in no_udp_segment no_udp_gro no_tun no_offload raw; do
    ratio s2svpn "s2svpn_$peer"
done
exit 0
