#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# s2svpn-device --external-bgp with FRR: its bgpd speaks BGP over both tunnels' TUN devices,
# its zebra routes. When tunnel 1's path is cut, FRR moves to tunnel 2.
. "$(dirname "$0")/lib/net.sh"
. "$here/tests/interop/lib/external.sh"

frr=/usr/lib/frr
if [ ! -x $frr/zebra ] || [ -n "${S2_UNSHARED:-}" ]; then
    skip "all" "FRR's zebra needs root and the user frr"
    say_end
fi

write_frr()
{
    local n

    echo 'ip nht resolve-via-default' >"$work/zebra.conf"
    {
        echo 'router bgp 65000'
        echo ' bgp router-id 203.0.113.7'
        echo ' no bgp ebgp-requires-policy'
        echo ' no bgp network import-check'
        echo ' timers bgp 3 9'
        for n in 1 2; do
            echo " neighbor 169.254.10.$((4 * n + 1)) remote-as 64512"
            echo " neighbor 169.254.10.$((4 * n + 1)) timers connect 2"
        done
        echo ' address-family ipv4 unicast'
        echo '  network 192.168.0.0/16'
        echo ' exit-address-family'
    } >"$work/bgpd.conf"
    mkdir "$work/vty"
    chmod 711 "$work"
    chmod 644 "$work/zebra.conf" "$work/bgpd.conf"
    chown frr:frrvty "$work/vty"
}
# start_frr PROGRAM [OPTION...]
start_frr()
{
    local program=$1
    shift
    start "$device" "$work/$program.log" "$frr/$program" -f "$work/$program.conf" \
        -i "$work/vty/$program.pid" -z "$work/vty/zserv.api" --vty_socket "$work/vty" -P 0 "$@"
}
vtysh_do() { in_device vtysh --vty_socket "$work/vty" -d bgpd "$@" 2>/dev/null; }
established() { vtysh_do -c "show bgp neighbors 169.254.10.$((4 * $1 + 1))" | grep -q 'BGP state = Established'; }
both_established() { established 1 && established 2; }

make_net
write_config "$work/bgp.xml" bgp
begin "the gateway plays the document" start_gateway "$work/bgp.xml" || say_end
begin "the device makes a TUN device a tunnel" start_external "$work/bgp.xml" || say_end
check "a tunnel is up when IPsec is" until_true 60 both_up
write_frr
start_frr zebra
zebra=$started
check "zebra is there" until_true 60 test -S "$work/vty/zserv.api"
start_frr bgpd
bgpd=$started
check "both of FRR's sessions come up" until_true 120 both_established
# ECMP is not for two paths of different MED.
installed() { in_device ip route show 10.0.0.0/16 proto bgp | grep -q "via 169.254.10.5 dev vpn1"; }
check "zebra installs the VPC's block, by tunnel 1" until_true 60 installed
check "pings cross, by zebra's route" crosses
begin "20 MB from the office arrive whole" transfer "$device" 192.168.7.1 "$cloud" 10.0.1.10 20000000
if begin "tunnel 1's path is cut: FRR moves to tunnel 2, pings go on" cut_and_count; then
    grep 'no answer for' "$work/begin.log"
fi
mend
check "mended, tunnel 1's session comes back" until_true 180 established 1
check "and its route" until_true 60 installed
check "pings cross, by tunnel 1 again" crosses
for name in bgpd zebra; do kill "$(cat "$work/vty/$name.pid")" 2>/dev/null; done
check "bgpd ends" stop "$bgpd"
check "zebra ends" stop "$zebra"
begin "the device ends when it is told to" stop "$device_pid"
begin "the gateway ends when it is told to" stop "$gateway"
say_end
