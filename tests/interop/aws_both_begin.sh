#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The gateway is told to start its tunnels and the device does as well, at the same moment:
# one tunnel comes of each pair of tries, with one child, and stays. RFC 7296 section 2.8.
. "$(dirname "$0")/lib/net.sh"
. "$(dirname "$0")/lib/pings.sh"

quiet() { in_cloud nft add rule ip hold "$1" udp dport '{ 500, 4500 }' drop; }
hold()
{
    in_cloud nft add table ip hold
    in_cloud nft 'add chain ip hold in { type filter hook input priority 0; }'
    in_cloud nft 'add chain ip hold out { type filter hook output priority 0; }'
    quiet in && quiet out
}
let_go() { in_cloud nft delete table ip hold; }

count() { grep -c "$1" "$2"; }
# children LOG: how many live ones the log tells of, by their SPIs.
children()
{
    sed -n 's/.*child SA [nr]e.*SPIs \([0-9a-f]*\) in.*/+ \1/p; s/.*child SA \([0-9a-f]*\) ended.*/- \1/p' "$1" |
        awk '$1 == "+" { live[$2] = 1 } $1 == "-" { delete live[$2] } END { for (s in live) n++; print n + 0 }'
}
sas() { echo $(($(count 'IKE SA .* -> UP' "$1") - $(count 'IKE SA UP -> ' "$1"))); }
up() { [ "$(count 'tunnel [12]: up' "$work/device.log")" -ge 2 ] && [ "$(count 'tunnel [12]: up' "$work/gateway.log")" -ge 2 ]; }
both_tried() { [ "$(count 'INIT_KE -> INIT_SENT' "$work/device.log")" -ge 2 ] && [ "$(count 'INIT_KE -> INIT_SENT' "$work/gateway.log")" -ge 2 ]; }
one_each()
{
    echo "children: $(children "$work/device.log") here, $(children "$work/gateway.log") there;" \
        "IKE SAs: $(sas "$work/device.log"), $(sas "$work/gateway.log")"
    [ "$(children "$work/device.log")" = 2 ] && [ "$(children "$work/gateway.log")" = 2 ] &&
        [ "$(sas "$work/device.log")" = 2 ] && [ "$(sas "$work/gateway.log")" = 2 ]
}
out() { in_device ping -c 1 -W 1 -I 192.168.7.1 10.0.1.10; }

make_net
write_config "$work/static.xml" static
# What they send first is lost, and what is sent again crosses on the way.
for round in 1 2; do
    hold
    begin "the gateway starts its tunnels, round $round" start_gateway "$work/static.xml" \
        --route 192.168.0.0/16 --start || say_end
    begin "the device as well, round $round" start_device "$work/static.xml" --route 10.0.0.0/16 \
        --control "$work/control" || say_end
    check "both have tried, round $round" until_true 30 both_tried
    let_go
    check "both tunnels are up, round $round" until_true 60 up
    check "pings cross, round $round" until_true 30 out
    check "there is one of each in the end, round $round" until_true 60 one_each
    check "and no ping is lost, round $round" pings_all "$device" 40 -i 0.05 -I 192.168.7.1 10.0.1.10
    begin "the device ends, round $round" stop "$device_pid"
    begin "the gateway ends, round $round" stop "$gateway"
done
say_end
