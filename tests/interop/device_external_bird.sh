#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# s2svpn-device --external-bgp: a TUN device a tunnel, and BIRD of the host's own speaks BGP
# over both and routes. When tunnel 1's path is cut, BIRD moves to tunnel 2. Documents change,
# go and come; afterwards all is as before.
. "$(dirname "$0")/lib/net.sh"
. "$here/tests/interop/lib/external.sh"

write_bird()
{
    local n

    {
        cat <<CONF
router id 203.0.113.7;
log "$work/bird.log" all;
protocol device { scan time 2; }
protocol static lan {
  ipv4;
  route 192.168.0.0/16 unreachable;
}
protocol kernel {
  ipv4 { import none; export where source = RTS_BGP; };
}
CONF
        for n in 1 2; do
            cat <<CONF
protocol bgp tunnel$n {
  local 169.254.10.$((4 * n + 2)) as 65000;
  neighbor 169.254.10.$((4 * n + 1)) as 64512;
  hold time 9;
  connect delay time 1;
  connect retry time 2;
  error wait time 1, 2;
  ipv4 { import all; export where source = RTS_STATIC; next hop self; };
}
CONF
        done
    } >"$work/bird.conf"
}
birdc_do() { birdc -s "$work/bird.ctl" "$@"; }
established() { birdc_do show protocols "tunnel$1" | grep -q Established; }
both_established() { established 1 && established 2; }
host()
{
    in_device ip -4 route show table all
    in_device ip -o -4 addr
    in_device ip -o link | sed 's/ state [A-Z]*//'
}
as_before() { diff "$work/before" <(host); }

make_net
mkdir "$work/docs"
write_config "$work/docs/bgp.xml" bgp
host >"$work/before"
begin "the gateway plays the document" start_gateway "$work/docs/bgp.xml" || say_end
begin "the device makes a TUN device a tunnel" start_external "$work/docs" || say_end
check "a tunnel is up when IPsec is" until_true 60 both_up
says() { ask status && grep -q 'BGP and routes by the host (--external-bgp)' "$work/out"; }
check "status says who routes" says
check "and which device is which tunnel's" json status \
    '[(t["tun"], t["bgp"]) for t in d["connections"][0]["tunnels"]] == [("vpn1", None), ("vpn2", None)]'
has() { in_device ip -o addr show dev "$1" | grep -q "inet $2 peer $3 "; }
check "vpn1 has tunnel 1's inside addresses" has vpn1 169.254.10.6 169.254.10.5/30
check "vpn2 has tunnel 2's" has vpn2 169.254.10.10 169.254.10.9/30
check "the gateway's end answers through the first" in_device ping -c 1 -W 2 169.254.10.5
check "and through the second" in_device ping -c 1 -W 2 169.254.10.9

write_bird
start "$device" "$work/bird.out" bird -f -c "$work/bird.conf" -s "$work/bird.ctl" -P "$work/bird.pid"
check "both of BIRD's sessions come up" until_true 120 both_established
gateway_up() { [ "$(grep -c 'BGP .*-> Established' "$work/gateway.log")" -ge 2 ]; }
check "the gateway sees them" until_true 30 gateway_up
installed() { in_device ip route show 10.0.0.0/16 proto bird | grep -q "via 169.254.10.5 dev vpn1"; }
check "BIRD installs the VPC's block, by tunnel 1" until_true 60 installed
check "pings cross, by BIRD's route" crosses
begin "20 MB from the office arrive whole" transfer "$device" 192.168.7.1 "$cloud" 10.0.1.10 20000000
begin "20 MB from the instance arrive whole" transfer "$cloud" 10.0.1.10 "$device" 192.168.7.1 20000000
big() { in_device ping -M "$1" -c 1 -W 2 -s 1500 -I 192.168.7.1 10.0.1.10; }
check "a long ping is cut and crosses" big dont
check "routes says whose they are" json routes 'd["routes"] == [] and d["external"]'

if begin "tunnel 1's path is cut: BIRD moves to tunnel 2, pings go on" cut_and_count; then
    grep 'no answer for' "$work/begin.log"
fi
lost() { json status 'not d["connections"][0]["tunnels"][0]["up"]'; }
check "the device notices by itself" until_true 150 lost
mend
check "mended, tunnel 1 comes back" until_true 180 both_up
check "and BIRD's session over it" until_true 120 established 1
check "and its route" until_true 60 installed
check "pings cross, by tunnel 1 again" crosses

in_device ip link del vpn1
check "a device that somebody deleted is made anew" until_true 60 has vpn1 169.254.10.6 169.254.10.5/30
check "and used again" until_true 120 installed
check "pings cross, by the new device" crosses

# Documents that change, go and come.
cp "$work/docs/bgp.xml" "$work/bgp.xml"
sed -i 's/169\.254\.10\.6</169.254.10.14</; s/169\.254\.10\.5</169.254.10.13</' "$work/docs/bgp.xml"
kill -HUP "$device_pid"
check "a newer document's inside addresses replace the old ones" \
    until_true 60 has vpn1 169.254.10.14 169.254.10.13/30
old_gone() { ! in_device ip -o addr show dev vpn1 | grep -q 169.254.10.6; }
check "which are gone" old_gone
read_again() { [ "$(grep -c 'documents read again' "$work/device.log")" = "$1" ]; }
until_true 180 read_again 1
rm "$work/docs/bgp.xml"
kill -HUP "$device_pid"
no_devices() { ! in_device ip -o link | grep -q vpn; }
check "without its document a connection has no devices" until_true 60 no_devices
cp "$work/bgp.xml" "$work/docs/bgp.xml"
kill -HUP "$device_pid"
check "with it, they are there again" until_true 60 has vpn2 169.254.10.10 169.254.10.9/30
check "and the tunnels up" until_true 120 both_up
check "and BIRD's sessions" until_true 120 both_established
check "pings cross, by the document that came again" crosses
kill -9 "$device_pid"
wait "$device_pid" 2>/dev/null
check "killed, the device leaves none behind" until_true 30 no_devices
begin "it starts again" start_external "$work/docs"
check "and BIRD's sessions come back" until_true 150 both_established
check "pings cross, when it was killed" crosses
birdc_do down >/dev/null
begin "the device ends when it is told to" stop "$device_pid"
check "all is as before" until_true 60 as_before
begin "the gateway ends when it is told to" stop "$gateway"

for wrong in "--lan 192.168.0.0/16" "--route 10.0.0.0/16" --install-routes --inside-addresses; do
    # shellcheck disable=SC2086 # words on purpose
    refused() { ! "$build/examples/s2svpn-device" --external-bgp $wrong "$work/docs" 2>"$work/out"; }
    check "$wrong beside it is refused" refused
    check "$wrong is named" grep -q -- "--external-bgp: not together with .*${wrong%% *}" "$work/out"
done
say_end
