#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A peer that flaps: a thousand connections that break, by RST, FIN and Cease, after having
# told their networks if they are let in, then one that withdraws and announces all a
# thousand times. Against
# examples/bgp-collector and, on a TUN device, against the gateway inside a tunnel. It ends
# in bounded time, our CPU and memory are bounded, afterwards the table is the peer's, and
# BIRD has a session like any other. And a session for each NOTIFICATION code: all are told
# in words.
. "$(dirname "$0")/lib/net.sh"
. "$(dirname "$0")/lib/collector.sh"
. "$(dirname "$0")/lib/external.sh"
. "$(dirname "$0")/lib/bgp_peers.sh"

times=1000
networks=90 # a device may have a hundred
seconds=240  # for each storm, with all that else goes on on the machine
cpu_most=60  # seconds of ours, for each storm
most_kib=65536
more_kib=16384 # queues of events, which a storm of whatever length fills once

# flap WHAT ADDRESS ASN: ends by itself, but for routes.
flap()
{
    start "$device" "$work/flapper.log" timeout "$seconds" python3 -IS \
        "$here/tests/interop/lib/bgp_flapper.py" "$1" "$2" "$3" "$times" "$networks"
    flapper=$started
}
done_with() { grep -q "^$times $1" "$work/flapper.log"; }
flapper_ended() { ! kill -0 "$flapper" 2>/dev/null; }
rss() { awk '$1 == "VmRSS:" { print $2 }' "/proc/$1/status"; }
cpu() { # PID: seconds
    awk -v hz="$(getconf CLK_TCK)" '{ printf "%.2f\n", ($14 + $15) / hz }' "/proc/$1/stat"
}
at_most() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a <= b) }'; }
minus() { awk -v a="$1" -v b="$2" 'BEGIN { print a - b }'; }

costs() # NAME PID: since kib, seconds_cpu and begin
{
    local used

    used=$(minus "$(cpu "$2")" "$seconds_cpu")
    echo "  $(minus "$(date +%s.%N)" "$begin") s, $used s of our CPU, $kib KiB, then $(rss "$2")"
    check "$1: at bounded cost" at_most "$used" "$cpu_most"
    check "$1: and in bounded memory" at_most "$(($(rss "$2") - kib))" "$more_kib"
}

# withdraw_and_announce NAME PID ADDRESS ASN
withdraw_and_announce()
{
    seconds_cpu=$(cpu "$2") begin=$(date +%s.%N)
    flap routes "$3" "$4"
    check "$1: $times withdrawals and announcements of all in bounded time" \
        until_true "$seconds" done_with withdrawals
    check "$1: then all are there" until_true 60 whole
}
goes() # NAME
{
    kill "$flapper"
    check "$1: the peer goes" until_true 60 flapper_ended
}

# storms NAME PID ADDRESS ASN: the check whole says whether all networks are in. What a storm
# costs in memory, with the events that wait to be written, is known after the first.
storms()
{
    withdraw_and_announce "$@"
    kib=$(rss "$2")
    check "$1: its memory is bounded" at_most "$kib" "$most_kib"
    goes "$1"

    seconds_cpu=$(cpu "$2") begin=$(date +%s.%N)
    flap sessions "$3" "$4"
    check "$1: $times connections in bounded time" until_true "$seconds" done_with sessions
    costs "$@"

    withdraw_and_announce "$@"
    costs "$@"
    goes "$1"
}

make_net
start_collector --listen 198.51.100.1:179 --json
whole()
{
    holds 172.16.0.0/24 && [ "$(grep -ac '"prefix":"20\.' "$work/collector.out")" = "$networks" ]
}
storms collector "$collector" 198.51.100.1 65000
: >"$work/collector.out"
for i in $(seq 100 140); do in_device ip addr add "203.0.113.$i/32" dev v0; done
flap codes 198.51.100.1 65000
check "a session for each NOTIFICATION code" until_true "$seconds" flapper_ended
told_in_words()
{
    # What nobody knows has a number alone.
    [ "$(grep -a -o 'notification received: [A-Za-z].*' "$work/collector.out" | sort -u | wc -l)" -ge 36 ]
}
check "each is told in words of its own" until_true 60 told_in_words
peer_set bird 203.0.113.7 198.51.100.1 65000 192.168.0.0/16
begin "BIRD starts" peer start active
check "it has a session like any other" until_true 120 peer established
check "the table is BIRD's alone" until_true 60 holds 192.168.0.0/16
check "the collector ends when it is told to" stop "$collector"
check "so does BIRD" peer stop

write_config "$work/bgp.xml" bgp
begin "the gateway plays the document" start_gateway "$work/bgp.xml" || say_end
begin "the device makes a TUN device a tunnel" start_external "$work/bgp.xml" || say_end
check "both tunnels are up" until_true 30 both_up
reaches() { in_cloud ping -c 1 -W 2 -I 10.0.1.10 "$1"; }
# An address of each network answers, and one of none doesn't.
whole()
{
    local i all=()

    for i in $(seq 0 $((networks - 1))); do
        reaches "20.0.$i.1" &
        all+=($!)
    done
    for i in "${all[@]}"; do wait "$i" || return 1; done
    reaches 172.16.0.1 && no reaches 20.0.200.1
}
in_device ip route add local 20.0.0.0/16 dev lo
in_device ip addr add 172.16.0.1/32 dev lo
in_device ip route add 10.0.0.0/16 dev vpn1
in_cloud ip route add 20.0.0.0/16 dev inst src 10.0.1.10
in_cloud ip route add 172.16.0.0/24 dev inst src 10.0.1.10
storms gateway "$gateway" 169.254.10.5 65000
peer_set bird 169.254.10.6 169.254.10.5 65000 192.168.0.0/16
begin "BIRD starts" peer start active
check "it has a session like any other" until_true 120 peer established
check "it has the VPC's block" until_true 60 peer has 10.0.0.0/16
begin "the gateway ends when it is told to" stop "$gateway"
say_end
