#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# IPv6 inside: strongSwan and BIRD play one of AWS's endpoints and answer; s2svpn-device
# begins, learns the VPC's block by BGP and puts it into the host's table. Outside it is
# IPv4.
. "$(dirname "$0")/lib/net.sh"

psk=interop.test_key.0123456789
lan=2001:db8:b::1
instance=2001:db8:a:1::10
aws=fd00:10::1
us=fd00:10::2

# Both families in one session: the device has IPv6 alone.
write_bird()
{
    cat >"$work/bird.conf" <<CONF
router id 198.51.100.1;
log "$work/bird.log" all;
protocol device { }
protocol static vpc {
  ipv6;
  route 2001:db8:a::/56 unreachable;
}
protocol kernel {
  ipv6 { import none; export where source = RTS_BGP; };
}
protocol bgp office {
  local $aws as 64512;
  neighbor $us as 65000;
  hold time 30;
  connect delay time 1;
  connect retry time 5;
  ipv4 { import all; export none; };
  ipv6 { import all; export where source = RTS_STATIC; next hop self; };
}
CONF
}

birdc_do() { birdc -s "$work/bird.ctl" "$@"; }
ping_instance() { in_device ping -6 -c 3 -i 0.2 -W 1 -I "$lan" "$instance"; }
one_ping() { in_device ping -6 -c 1 -W 1 -I "$lan" "$instance"; }

make_net
in_cloud sysctl -qw net.ipv6.conf.all.forwarding=1
ip -n "$cloud" addr add "$instance/128" dev lo nodad
write_config "$work/six.xml" bgp "$psk"
ipv6_inside "$work/six.xml"
begin "strongSwan starts" start_charon "$cloud" ss || say_end
ip -n "$cloud" link set ipsec0 up
ip -n "$cloud" addr add "$aws" peer "$us/128" dev ipsec0 nodad
write_swanctl ss 198.51.100.1 203.0.113.7 ::/0 ::/0 "$psk" \
    aes128-sha256-modp2048 aes128gcm16-modp2048
write_bird
start "$cloud" "$work/bird.out" bird -f -c "$work/bird.conf" -s "$work/bird.ctl" -P "$work/bird.pid"
begin "the device starts from the document" start_device "$work/six.xml" --lan 2001:db8:b::/48 \
    --control "$work/control" --address "$lan" --install-routes || say_end

up() { grep -q 'tunnel 1: up' "$work/device.log"; }
check "tunnel 1 comes up, BGP and all" until_true 120 up || say_end
families() { birdc_do show protocols all office | grep -A12 'Neighbor capabilities' | grep -q 'AF announced: ipv6$'; }
check "the device offers IPv6 unicast alone" families
has_lan() { birdc_do show route 2001:db8:b::/48 | grep -q "via $us"; }
check "BIRD learns the office's prefix" until_true 60 has_lan
no_ipv4() { ! birdc_do show route | grep -q '192\.168\.'; }
check "and nothing of IPv4" no_ipv4
routed() { in_device ip -6 route show proto 117 | grep -q "2001:db8:a::/56 dev lan0 src $lan"; }
check "the VPC's block is in the host's table" until_true 60 routed
check "pings cross" until_true 60 ping_instance
check "the in-tunnel host answers pings" in_cloud ping -6 -c 2 -i 0.2 -W 1 -I "$aws" "$us"
begin "20 MB from the office arrive whole" transfer "$device" "$lan" "$cloud" "$instance" 20000000
begin "20 MB from the instance arrive whole" transfer "$cloud" "$instance" "$device" "$lan" 20000000
kill -USR1 "$device_pid"
rekeyed() { grep -q 'child SA rekeyed' "$work/device.log"; }
check "the child rekeys" until_true 60 rekeyed
check "strongSwan rekeys it too" vici ss rekey child=k
check "pings cross after it" ping_instance

birdc_do disable vpc >/dev/null
unrouted() { ! routed; }
check "a withdrawn block leaves the host's table" until_true 60 unrouted
birdc_do enable vpc >/dev/null
check "and comes back" until_true 60 one_ping
begin "the device ends when it is told to" stop "$device_pid"
check "and its routes with it" until_true 30 unrouted
say_end
