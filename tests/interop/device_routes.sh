#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What s2svpn-device does to the host: only what it was told to; no prefix, learned or
# static, takes the tunnels' own packets; and afterwards, killed or not, all is as before.
. "$(dirname "$0")/lib/net.sh"

program=$build/examples/s2svpn-device
control=$work/run/control
psk=interop.test_key.0123456789

ask() { "$program" "$@" --control "$control" >"$work/out" 2>&1; }
prints() { grep -qE -- "$1" "$work/out"; }
no() { ! "$@"; }
json()
{
    ask "$1" --json && python3 -c 'import json, sys; d = json.load(open(sys.argv[1]))
sys.exit(not eval(f"({sys.argv[2]})"))' "$work/out" "$2"
}

# All that a device could change.
host()
{
    in_device ip -4 route show table all
    in_device ip -6 route show table all
    in_device ip rule
    in_device ip -6 rule
    in_device ip -o addr
    in_device ip -o link | sed 's/ state [A-Z]*//'
    in_device sysctl -a --pattern '^net\.ipv[46]\.(conf|ip_forward|route)' 2>/dev/null
}
as_before() { diff "$work/before" <(host); }

# way_of ADDRESS WORDS: where the kernel would send a packet.
way_of() { in_device ip route get "$1" 2>&1 | grep -q -- "$2"; }
# route_of WORDS...: is there one, by words of ip's?
route_of() { in_device ip route show "$@" | grep -q .; }
from_device() { start_device_only "$@" --install-routes --metric 50; }

# As start_device, but the host's addresses and routes are the device's business.
start_device_only()
{
    local config=$1
    shift
    start "$device" "$work/device.log" "$program" --tun lan0 --advertise 192.168.0.0/16 --log debug \
        --control "$control" "$@" "$config"
    device_pid=$started
    until_true 60 test -S "$control"
}
tunnel_up() { json status 'd["connections"][0]["tunnels"][0]["up"]'; }
crosses() { until_true 60 in_device ping -c 1 -W 1 -I 192.168.7.1 10.0.1.10; }

make_net
# The way to the cloud is a default route, which a better one would take over.
ip -n "$cloud" addr add 203.0.113.1/32 dev v0
ip -n "$cloud" addr add 203.0.113.2/32 dev v0
ip -n "$device" route del 198.51.100.0/24
ip -n "$device" route add 203.0.113.1 dev v0 src 203.0.113.7
ip -n "$device" route add 203.0.113.2 dev v0 src 203.0.113.7
ip -n "$device" route add default via 203.0.113.1 dev v0 src 203.0.113.7 metric 100
umask 077
write_config "$work/static.xml" static "$psk"
write_config "$work/bgp.xml" bgp "$psk"
settled() { ! in_device ip -6 addr show tentative | grep -q .; }
until_true 60 settled # duplicate address detection of the link's
host >"$work/before"
main_table() { in_device ip -4 route show table main | grep -v lan0; }
main_table >"$work/main_before"
main_as_before() { diff "$work/main_before" <(main_table); }

# ---- told nothing, it does nothing; static prefixes

begin "the gateway plays the document" start_gateway "$work/static.xml" --route 192.168.0.0/16 || say_end
begin "a device that isn't told to" start_device_only "$work/static.xml" --route 0.0.0.0/0 || say_end
check "comes up without routes" until_true 60 tunnel_up
untouched() { diff "$work/before" <(host | grep -vE 'lan0|dev lan0'); }
check "and touches nothing" untouched
begin "the one without routes ends" stop "$device_pid"
check "all is as before it" as_before

begin "one with a static default route to install starts" \
    from_device "$work/static.xml" --route 0.0.0.0/0 --address 192.168.7.1 \
    --address 2001:db8:7::1 --inside-addresses || say_end
check "with a route it comes up" until_true 60 tunnel_up
check "pings cross, by the host's own routes" crosses
check "the default route leads into the tunnels" way_of 192.0.2.9 'dev lan0 src 192.168.7.1'
check "but not to tunnel 1's end" way_of 198.51.100.1 'via 203.0.113.1 dev v0 src 203.0.113.7'
check "nor to tunnel 2's" way_of 198.51.100.2 'via 203.0.113.1 dev v0 src 203.0.113.7'
check "the route is ours and says so" route_of default proto 117 dev lan0 metric 50
check "routes says that it is installed" json routes \
    '[(r["prefix"], r["origin"], r["installed"]) for r in d["routes"]] == [("0.0.0.0/0", "static", True)]'
check "and what is exempt" json routes 'len(d["exempt"]) == 4 and all(e["installed"] for e in d["exempt"])'
has_address() { in_device ip -o addr show dev lan0 | grep -q " $1 "; }
check "the address is there" has_address 192.168.7.1/32
check "that of IPv6 too" has_address 2001:db8:7::1/128
check "and the inside ones" has_address 169.254.10.6/32
check "of both tunnels" has_address 169.254.10.10/32
check "a tunnel that is down" ask down
check "keeps its packets from leaving in the clear" way_of 192.0.2.9 'dev lan0'
check "up again" ask up
check "it comes" until_true 60 tunnel_up
begin "the one with routes ends" stop "$device_pid"
check "all is as before, exactly" as_before
check "nothing is left of it" test ! -e "$work/run"

# ---- killed

begin "it starts again" from_device "$work/static.xml" --route 0.0.0.0/0 --address 192.168.7.1
check "it comes up once more" until_true 60 tunnel_up
kill -9 "$device_pid"
wait "$device_pid" 2>/dev/null
check "killed, it leaves routes behind" no as_before
begin "a new start" from_device "$work/static.xml" --route 0.0.0.0/0 --address 192.168.7.1
check "says what it took away" until_true 30 grep -q 'was left over: removed' "$work/device.log"
check "comes up" until_true 60 tunnel_up
check "pings cross after the kill" crosses
begin "the new start ends" stop "$device_pid"
check "all is as before the kill" as_before

killed_at_any_moment()
{
    for _ in 1 2 3 4 5 6 7 8; do
        from_device "$work/static.xml" --route 0.0.0.0/0 --address 192.168.7.1 || return 1
        sleep "0.0$((RANDOM % 9))"
        kill -9 "$device_pid"
        wait "$device_pid" 2>/dev/null
        rm -f "$control"
    done
}
begin "killed at any moment" killed_at_any_moment
check "clean takes all away without a start" in_device "$program" clean --control "$control"
check "all is as before the kills" as_before
from_device "$work/static.xml" --route 0.0.0.0/0
until_true 60 tunnel_up
kill -9 "$device_pid"
wait "$device_pid" 2>/dev/null
begin "killed, then started without routes to install" \
    start_device_only "$work/static.xml" --route 0.0.0.0/0
check "it takes away what was left over" until_true 30 untouched
begin "the one after the kill ends" stop "$device_pid"
check "all is as before, without a route left over" as_before

# ---- a table of its own

begin "one with a table of its own starts" \
    start_device_only "$work/static.xml" --route 0.0.0.0/0 --install-routes --table 77
check "with a table it comes up" until_true 60 tunnel_up
check "the prefix is there" route_of table 77 default dev lan0
check "the ends are exempt there" route_of table 77 type throw 198.51.100.1
check "and the main table is untouched" main_as_before
begin "the one with a table ends" stop "$device_pid"
check "all is as before the table" as_before
begin "the gateway ends" stop "$gateway"
ip -n "$cloud" route flush dev v0 src 10.0.1.10 2>/dev/null

# ---- learned prefixes, from BIRD through strongSwan

write_bird()
{
    local p

    {
        cat <<CONF
router id 198.51.100.1;
log "$work/bird.log" all;
protocol device { }
protocol bgp cgw {
  local 169.254.10.5 as 64512;
  neighbor 169.254.10.6 as 65000;
  hold time 30;
  connect delay time 1;
  connect retry time 5;
  ipv4 { import all; export where source = RTS_STATIC; next hop self; };
}
protocol static cloud {
  ipv4;
CONF
        for p in "$@"; do echo "  route $p unreachable;"; done
        echo '}'
    } >"$work/bird.conf"
}
announce()
{
    write_bird "$@"
    birdc -s "$work/bird.ctl" configure >/dev/null
}
learned() { json routes "sorted(r['prefix'] for r in d['routes']) == $1"; }
installed() { json routes "[r['installed'] for r in d['routes'] if r['prefix'] == '$1'] == [True]"; }

ip -n "$cloud" addr add 10.0.1.10/32 dev lo
begin "strongSwan plays tunnel 1's end" start_charon "$cloud" ss || say_end
ip -n "$cloud" link set ipsec0 up
ip -n "$cloud" addr add 169.254.10.5 peer 169.254.10.6/32 dev ipsec0
write_swanctl ss 198.51.100.1 203.0.113.7 0.0.0.0/0 192.168.0.0/16,169.254.10.6/32 "$psk" \
    aes256gcm16-prfsha256-ecp256 aes256gcm16-ecp256
write_bird 10.0.0.0/16
start "$cloud" "$work/bird.out" bird -f -c "$work/bird.conf" -s "$work/bird.ctl" -P "$work/bird.pid"
begin "the device starts" from_device "$work/bgp.xml" --address 192.168.7.1 || say_end
check "BGP comes up" until_true 120 tunnel_up
check "a learned prefix is installed" until_true 60 installed 10.0.0.0/16
check "pings cross, by a learned prefix" crosses
check "nothing needs to be exempt" json routes 'd["exempt"] == []'
check "routes says what is advertised, and to which tunnel" until_true 30 json routes \
    'd["advertised"] == [{"prefix": "192.168.0.0/16", "tunnels": ["vpn-0123456789abcdef0.1"]}]'
in_text() { ask routes && prints '^192.168.0.0/16 +advertised to vpn-0123456789abcdef0.1$'; }
check "in words, too" in_text

announce 10.0.0.0/16 0.0.0.0/0
check "a default route is learned" until_true 60 learned "['0.0.0.0/0', '10.0.0.0/16']"
check "and installed" until_true 30 installed 0.0.0.0/0
check "it leads into the tunnels" way_of 192.0.2.9 'dev lan0 src 192.168.7.1'
check "but the learned one not to tunnel 1's end" way_of 198.51.100.1 'via 203.0.113.1 dev v0'
check "nor the learned one to tunnel 2's" way_of 198.51.100.2 'via 203.0.113.1 dev v0'
rekeyed() { grep -q 'child SA rekeyed' "$work/device.log"; }
check "the tunnel goes on: a rekey" ask rekey vpn-0123456789abcdef0.1
check "is answered" until_true 30 rekeyed
check "and pings cross, rekeyed" crosses

announce 10.0.0.0/16 198.51.100.0/24 198.51.100.1/32
check "prefixes around a tunnel's end are learned" \
    until_true 60 learned "['10.0.0.0/16', '198.51.100.0/24', '198.51.100.1/32']"
check "the wide one is installed" until_true 30 installed 198.51.100.0/24
check "the end's own isn't" no installed 198.51.100.1/32
check "and it is said why" prints 'outside address of a tunnel'
check "the end is still reached outside" way_of 198.51.100.1 'via 203.0.113.1 dev v0'
check "and pings cross, beside the end" crosses

announce 10.0.0.0/16 203.0.113.0/25
check "a prefix around the host's gateway is learned" until_true 60 installed 203.0.113.0/25
announce 10.0.0.0/16 203.0.113.0/25 0.0.0.0/0
check "and a default route with it" until_true 60 installed 0.0.0.0/0
check "the end is reached outside with both" way_of 198.51.100.1 'via 203.0.113.1 dev v0'
check "and pings cross, by the gateway's prefix" crosses

# ---- the host's own way changes

in_device ip route replace default via 203.0.113.2 dev v0 src 203.0.113.7 metric 90
check "a better way to the ends is taken" until_true 30 way_of 198.51.100.1 'via 203.0.113.2 dev v0'
check "and pings cross by it" crosses
in_device ip route del default metric 90
check "when it goes, the other one" until_true 30 way_of 198.51.100.1 'via 203.0.113.1 dev v0'
in_device ip route del default metric 100
check "without any way the end is out of reach, not in the tunnel" \
    until_true 30 way_of 198.51.100.1 'No route to host'
in_device ip route add default via 203.0.113.1 dev v0 src 203.0.113.7 metric 100
check "until there is one" until_true 30 way_of 198.51.100.1 'via 203.0.113.1 dev v0'
check "and pings cross again" crosses
in_device ip route add 198.51.100.1 via 203.0.113.2 dev v0 src 203.0.113.7 metric 7
check "the host's own route to an end is let be" until_true 30 way_of 198.51.100.1 'via 203.0.113.2'
in_device ip route del 198.51.100.1 via 203.0.113.2
check "and replaced when it goes" until_true 30 way_of 198.51.100.1 'via 203.0.113.1'

# ---- the TUN device is somebody's toy

in_device ip link set lan0 down
in_device ip link set lan0 up
check "a TUN device that was down gets its routes again" until_true 30 route_of default dev lan0
check "all of them" until_true 30 route_of 10.0.0.0/16 dev lan0
check "and pings cross, up again" crosses
in_device ip link del lan0
check "one that was deleted is made anew" until_true 30 route_of 10.0.0.0/16 dev lan0
check "and pings cross, made anew" crosses

announce 10.0.0.0/16
gone() { no route_of default dev lan0 && no route_of 198.51.100.1; }
check "what is withdrawn is taken away, and its exemptions" until_true 60 gone
check "what isn't stays" route_of 10.0.0.0/16 dev lan0
announce 10.0.0.0/16 0.0.0.0/0
check "and comes again" until_true 60 installed 0.0.0.0/0
kill -9 "$device_pid"
wait "$device_pid" 2>/dev/null
begin "killed and started again" from_device "$work/bgp.xml" --address 192.168.7.1
check "it learns the same" until_true 120 installed 0.0.0.0/0
check "pings cross, by what it learned again" crosses
begin "the one that learns ends" stop "$device_pid"
check "all is as before what was learned" as_before
say_end
