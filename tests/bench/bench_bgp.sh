#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The same BGP table fed to examples/bgp-collector and to BIRD over TCP between two network
# namespaces (needs root), one session, no kernel table: seconds from the first UPDATE until all prefixes are held
# (asked for by polling BIRD, so its figure has a grain of 50 ms), processor seconds of the
# speaker, and resident bytes a route.
#   bgp.COUNT.ours.seconds, .cpu, .bytes; bgp.COUNT.bird.…; ratio bgp.COUNT.seconds bird/ours
set -u
quick=0
[ "${1:-}" = --quick ] && quick=1
build=${S2_BUILD:?}/examples
work=$(mktemp -d)
pids=()
finish()
{
    for p in "${pids[@]}"; do kill "$p" 2>/dev/null; done
    wait 2>/dev/null
    ip netns del "$speaker" 2>/dev/null
    ip netns del "$site" 2>/dev/null
    rm -rf "$work"
}
trap finish EXIT

speaker=s2bs$$
site=s2bf$$
if ! { ip netns add $speaker && ip netns add $site; } 2>/dev/null; then
    echo "# skipped: network namespaces can't be made here"
    exit 77
fi
ip link add v0 netns $speaker type veth peer name v0 netns $site
ip -n $speaker addr add 192.0.2.1/24 dev v0
ip -n $site addr add 192.0.2.2/24 dev v0
ip -n $speaker link set v0 up
ip -n $site link set v0 up
tick=$(getconf CLK_TCK)
cpu() { awk -v t="$tick" '{print ($14 + $15) / t}' "/proc/$1/stat"; }
rss() { awk '/^VmRSS/{print $2 * 1024}' "/proc/$1/status"; }
monotonic() { awk '{print $1}' /proc/uptime; }
calc() { awk "BEGIN{printf \"$1\", $2}"; }

# until_true SECONDS COMMAND...
until_true()
{
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        [ $SECONDS -lt $end ] || return 1
        sleep 0.05
    done
}

feed() # COUNT
{
    ip netns exec $site "$S2_BUILD/tests/bench/bgp_feed" 192.0.2.1 179 192.0.2.2 65001 "$1" >"$work/feed" &
    feeder=$!
    pids+=("$feeder")
}

# report NAME COUNT PID RSS_BEFORE: the speaker has it all now
report()
{
    local seconds name=bgp.$2.$1
    seconds=$(calc %.3f "$done_at - $(awk '/^begun/{print $2}' "$work/feed")")
    echo "$name.seconds $seconds s"
    echo "$name.prefixes $(calc %.0f "$2 / $seconds") 1/s"
    echo "$name.cpu $(cpu "$3") s"
    echo "$name.bytes $(calc %.1f "($(rss "$3") - $4) / $2") B"
    echo "$seconds" >"$work/$1.seconds"
    kill "$feeder" "$3" 2>/dev/null
    wait "$feeder" "$3" 2>/dev/null
}

run_ours() # COUNT
{
    local pid before

    ip netns exec $speaker "$build/bgp-collector" --listen 192.0.2.1:179 --asn 65002 --max-prefixes 4000000 --quiet \
        >"$work/ours" 2>&1 &
    pid=$!
    pids+=("$pid")
    until_true 5 sh -c "ip netns exec $speaker ss -tln | grep -q :179" || return 1
    before=$(rss $pid)
    feed "$1"
    until_true 120 grep -q "complete, $1 prefixes" "$work/ours" || return 1
    # its own clock: from Established to End-of-RIB
    done_at=$(calc %.6f "$(awk '/^begun/{print $2}' "$work/feed") + $(sed -n 's/.* after \(.*\) s$/\1/p' "$work/ours")")
    report ours "$1" $pid "$before"
}

bird_has() { birdc -s "$work/bird.ctl" show protocols all feed | grep -q "Routes: *$1 imported"; }
run_bird() # COUNT
{
    local pid before

    cat >"$work/bird.conf" <<CONF
router id 192.0.2.1;
protocol device { }
protocol bgp feed {
  local 192.0.2.1 as 65002;
  neighbor 192.0.2.2 as 65001;
  passive;
  ipv4 { import all; export none; };
}
CONF
    ip netns exec $speaker bird -f -c "$work/bird.conf" -s "$work/bird.ctl" -P "$work/bird.pid" 2>"$work/bird.log" &
    pid=$!
    pids+=("$pid")
    until_true 5 test -S "$work/bird.ctl" || return 1
    before=$(rss $pid)
    feed "$1"
    until_true 120 bird_has "$1" || return 1
    done_at=$(monotonic)
    report bird "$1" $pid "$before"
}

counts="100000 1000000"
[ $quick = 1 ] && counts=10000
for count in $counts; do
    run_ours "$count" || { echo "bgp-collector didn't take $count prefixes" >&2; tail "$work/ours" >&2; exit 1; }
    command -v bird >/dev/null || continue
    sleep 1
    run_bird "$count" || { echo "BIRD didn't take $count prefixes" >&2; tail "$work/bird.log" >&2; exit 1; }
    echo "ratio bgp.$count.seconds bird/ours $(calc %.2f "$(cat "$work/bird.seconds") / $(cat "$work/ours.seconds")")"
done
