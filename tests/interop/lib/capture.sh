# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # work, started are net.sh's; capture is for scripts
# Captures, and that they are whole: one that ends has taken in all that passed before, and
# the kernel dropped nothing of it. Sourced, after net.sh.

declare -A capture_of capture_where

# What says that all before it has been taken in: an IPv4 packet without addresses, of a
# protocol for experiments (RFC 3692), whose checksum is wrong, so that nobody wants it.
# read_capture leaves it out.
capture_mark='ip proto 253'

# capture_on NAMESPACE INTERFACE NAME [FILTER]: what passes there, into $work/NAME.pcap; its
# process id is $capture. snap is how much of a packet: 0 for all. It isn't tcpdump, since
# that wants to give up groups, which a user namespace doesn't allow.
capture_on()
{
    local filter=${4:+"($4) or $capture_mark"}

    start "$1" "$work/$3.capture" dumpcap -q -P -B 16 -i "$2" -s "${snap:-96}" \
        -w "$work/$3.pcap" -f "$filter"
    capture=$started
    capture_of[$3]=$started
    capture_where[$3]="$1 $2"
    until_true 30 grep -q '^File: ' "$work/$3.capture"
}

# end_capture NAME: when all that has passed is written. Fails where some is missing.
end_capture()
{
    local ns interface dropped

    read -r ns interface <<<"${capture_where[$1]}"
    if ! until_true 30 capture_is_marked "$ns" "$interface" "$work/$1.pcap"; then
        echo "the capture $1 has stopped, or is far behind"
        return 1
    fi
    stop "${capture_of[$1]}" || return 1
    dropped=$(sed -n "s|^Packets received/dropped on .*: [0-9]*/\([0-9]*\) (pcap.*|\1|p" \
        "$work/$1.capture")
    [ "$dropped" = 0 ] && return 0
    echo "of the capture $1 the kernel dropped packets: ${dropped:-it does not say how many}"
    return 1
}

capture_is_marked()
{
    ip netns exec "$1" python3 -IS -c 'import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM)
s.sendto(bytes.fromhex("4500001400000000 01fd0000 00000000 ffffffff"),
         (sys.argv[1], 0x0800, 0, 0, b"\xff" * 6))' "$2"
    tcpdump_of "$3" "$capture_mark" | grep -q .
}

tcpdump_of()
{
    local by=()

    if grep -q deny /proc/self/setgroups; then by=(unshare -U --map-user=1 --map-group=1); fi
    "${by[@]}" tcpdump -n -r "$1" "$2" 2>/dev/null
}

# read_capture NAME FILTER: its packets, a line each; captured: how many.
read_capture() { tcpdump_of "$work/$1.pcap" "($2) and not $capture_mark"; }
captured() { read_capture "$@" | wc -l; }

# capture_has NAME MORE_THAN FILTER: so many packets, or says how many there are.
capture_has()
{
    local count
    count=$(captured "$1" "$3")
    echo "$count packets of: $3"
    [ "$count" -gt "$2" ]
}
