#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# s2svpn-device --ecmp with static routes: the host's flows leave by both tunnels, and are
# answered; when one tunnel is cut the other carries all, and it comes back.
. "$(dirname "$0")/lib/net.sh"

id=vpn-0123456789abcdef0
program=$build/examples/s2svpn-device
control=$work/run/control
flows=200

ask() { "$program" "$@" --control "$control" >"$work/out" 2>&1; }
# json COMMAND EXPRESSION: of what comes back, as d.
json()
{
    ask "$1" --json && python3 -c 'import json, sys; d = json.load(open(sys.argv[1]))
sys.exit(not eval(f"({sys.argv[2]})"))' "$work/out" "$2"
}
both_up() { json status 'd["connections"][0]["up"] == 2'; }
one_up() { json status 'd["connections"][0]["up"] == 1'; }
carry() { json routes "d['routes'][0]['tunnels'] == [$1]"; }

# sent TUNNEL: inner packets so far.
sent()
{
    ask status --json && python3 -c 'import json, sys; d = json.load(open(sys.argv[1]))
print(d["connections"][0]["tunnels"][int(sys.argv[2]) - 1]["packets_out"])' "$work/out" "$1"
}

# TCP connections from as many ports, each of which is refused by the instance: answered.
connect_all()
{
    in_device python3 -c 'import socket, sys
for _ in range(int(sys.argv[1])):
    s = socket.socket()
    s.settimeout(10)
    s.bind(("192.168.7.1", 0))
    try:
        s.connect(("10.0.1.10", 9))
    except ConnectionRefusedError:
        continue
    sys.exit(1)' "$flows"
}

# share FIRST SECOND: all are answered, and at least so many leave by each tunnel.
share()
{
    local first second

    first=$(sent 1) && second=$(sent 2) && connect_all || return 1
    first=$(($(sent 1) - first)) && second=$(($(sent 2) - second))
    echo "$first by the first tunnel, $second by the second"
    [ "$first" -ge "$1" ] && [ "$second" -ge "$2" ] && [ $((first + second)) -ge "$flows" ]
}

make_net
write_config "$work/static.xml" static
chmod 600 "$work/static.xml"
begin "the gateway plays the document" start_gateway "$work/static.xml" --route 192.168.0.0/16 || say_end
begin "the device starts with --ecmp" start_device "$work/static.xml" --control "$control" \
    --route 10.0.0.0/16 --ecmp || say_end
check "both tunnels come up" until_true 15 both_up
check "routes --json shows both" carry "'$id.1', '$id.2'"
shows_both() { ask routes && grep -q "by $id.1 and $id.2," "$work/out"; }
check "routes shows both" shows_both
check "the log says so" grep -q "route 10.0.0.0/16 goes by tunnels $id.1, $id.2" "$work/device.log"
check "the instance answers" until_true 10 in_device ping -c 1 -W 1 -I 192.168.7.1 10.0.1.10
begin "flows leave by both tunnels" share $((flows / 4)) $((flows / 4))

check "one tunnel is cut" ip -n "$device" route add blackhole 198.51.100.1/32
check "the device finds out" until_true 90 one_up
check "and shows the other alone" carry "'$id.2'"
begin "which carries all of them" share 0 "$flows"
check "the way is open again" ip -n "$device" route del blackhole 198.51.100.1/32
check "both come up" until_true 120 both_up
check "and carry" until_true 5 carry "'$id.1', '$id.2'"
begin "flows leave by both again" share $((flows / 4)) $((flows / 4))
say_end
