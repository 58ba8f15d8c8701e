# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # work, started are net.sh's; device_pid is for scripts
# s2svpn-device --external-bgp against our gateway: the two TUN devices vpn1 and vpn2, pings
# and a cut path. Sourced, after net.sh.
. "$here/tests/interop/lib/pings.sh"

# start_external CONFIG [OPTION...]: nothing of the host's is prepared for it.
start_external()
{
    local config=$1
    shift
    start "$device" "$work/device.log" "$build/examples/s2svpn-device" --external-bgp --tun vpn \
        --log debug --control "$work/run/control" "$@" "$config"
    device_pid=$started
    until_true 60 in_device ip link show vpn2
}
ask() { "$build/examples/s2svpn-device" "$@" --control "$work/run/control" >"$work/out" 2>&1; }
json()
{
    ask "$1" --json && python3 -c 'import json, sys; d = json.load(open(sys.argv[1]))
sys.exit(not eval(f"({sys.argv[2]})"))' "$work/out" "$2"
}
both_up() { json status '[t["up"] for c in d["connections"] for t in c["tunnels"]] == [True, True]'; }
crosses() { until_true 60 in_device ping -c 1 -W 1 -I 192.168.7.1 10.0.1.10; }
leads_to() { in_device ip route get 10.0.1.10 from 192.168.7.1 | grep -q "dev $1 "; }

# cut N: nothing to or from tunnel N's outside address passes any more; mend: it does.
cut()
{
    ip netns exec "$cloud" nft -f - <<NFT
table ip cut {
  chain arrive {
    type filter hook prerouting priority -300;
    ip daddr 198.51.100.$1 drop
  }
  chain leave {
    type filter hook output priority -300;
    ip saddr 198.51.100.$1 drop
  }
}
NFT
}
mend() { ip netns exec "$cloud" nft delete table ip cut; }

# cut_and_count: pings go on, tunnel 1 is cut, and they come again by tunnel 2; how long
# that took is printed, and must be nearer to the hold time of 9 s than to what our own
# liveness checks need to give the tunnel up, 30 s at least.
cut_and_count()
{
    local at gap

    pings_on "$device" "$work/pings.log" -D -i 0.1 -I 192.168.7.1 10.0.1.10
    pings_go_on "$work/pings.log" || return 1
    at=$(date +%s.%N)
    cut 1
    until_true 60 leads_to vpn2
    pings_off "$work/pings.log"
    gap=$(gap_after "$work/pings.log" "$at")
    echo "  no answer for $gap s"
    leads_to vpn2 && less_than 0.5 "$gap" && less_than "$gap" 20
}
