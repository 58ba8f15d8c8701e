#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# IPv6 inside: a site of strongSwan and BIRD against our gateway, whose document has IPv6
# inside addresses. The selectors are ::/0, BGP speaks IPv6 unicast between the inside
# addresses, brings one prefix each way, and packets follow; a withdrawal and a dead
# session are seen on our side. Outside it is IPv4.
. "$(dirname "$0")/lib/net.sh"

psk=interop.test_key.0123456789
lan=2001:db8:b::1
instance=2001:db8:a:1::10
us=fd00:10::1
peer=fd00:10::2

write_bird()
{
    cat >"$work/bird.conf" <<CONF
router id 203.0.113.7;
log "$work/bird.log" all;
protocol device { }
protocol static lan {
  ipv6;
  route 2001:db8:b::/48 unreachable;
}
protocol kernel {
  ipv6 { import none; export where source = RTS_BGP; };
}
protocol bgp aws {
  debug { states, events };
  local $peer as 65000;
  neighbor $us as 64512;
  hold time 30;
  connect delay time 1;
  connect retry time 5;
  ipv6 { import all; export where source = RTS_STATIC; next hop self; };
}
CONF
}

birdc_do() { birdc -s "$work/bird.ctl" "$@"; }
ping_instance() { in_device ping -6 -c 1 -W 2 -I "$lan" "$instance"; }

make_net
in_device sysctl -qw net.ipv6.conf.all.forwarding=1
ip -n "$device" addr add "$lan/128" dev lo nodad
write_config "$work/six.xml" bgp "$psk"
ipv6_inside "$work/six.xml"
begin "the gateway plays the document" start_gateway "$work/six.xml" \
    --vpc6 2001:db8:a::/56 --instance6 "$instance" || say_end
ip -n "$cloud" addr add "$instance/128" dev inst nodad
ip -n "$cloud" route add 2001:db8:b::/48 dev inst src "$instance"
begin "strongSwan starts" start_charon "$device" ss || say_end
ip -n "$device" link set ipsec0 up
ip -n "$device" addr add "$peer" peer "$us/128" dev ipsec0 nodad
write_swanctl ss 203.0.113.7 198.51.100.1 ::/0 ::/0 "$psk" \
    aes256gcm16-prfsha256-ecp256 aes256gcm16-ecp256
check "the tunnel comes up" swanctl_of ss --initiate --child k --timeout 60
selectors() { swanctl_of ss --list-sas | grep -c '::/0$'; }
check "with everything of IPv6 as selectors" [ "$(selectors)" = 2 ]
check "the in-tunnel host answers pings" in_device ping -6 -c 2 -i 0.2 -W 2 -I "$peer" "$us"
# ipsec0 carries 1400 bytes, the tunnel 1438: the request comes in fragments.
check "and one in fragments" in_device ping -6 -c 2 -i 0.2 -W 2 -s 1380 -I "$peer" "$us"

write_bird
start "$device" "$work/bird.out" bird -f -c "$work/bird.conf" -s "$work/bird.ctl" -P "$work/bird.pid"
bird=$started
established() { birdc_do show protocols aws | grep -q Established; }
check "BGP is established" until_true 120 established
check "we see it established" until_true 30 grep -q 'BGP .*-> Established' "$work/gateway.log"
has_vpc() { birdc_do show route 2001:db8:a::/56 | grep -q "via $us"; }
check "BIRD learns the VPC's block" until_true 60 has_vpc
next_hop() { birdc_do show route all 2001:db8:a::/56 | grep -Eq "BGP.next_hop: $us( fe80::[0-9a-f:]*)?\$"; }
check "its next hop is the global inside address" next_hop
path() { birdc_do show route all 2001:db8:a::/56 | grep -q 'BGP.as_path: 64512$'; }
check "its AS path is the gateway's ASN alone" path
no_ipv4() { ! birdc_do show route | grep -q '10\.0\.'; }
check "no IPv4 comes along" no_ipv4
check "we learn the office's prefix" \
    until_true 60 grep -q 'route 2001:db8:b::/48 goes by tunnel 1' "$work/gateway.log"
check "pings cross" until_true 60 ping_instance
check "pings cross the other way" in_cloud ping -6 -c 3 -i 0.2 -W 2 -I "$instance" "$lan"
check "long pings cross" in_device ping -6 -c 3 -i 0.2 -W 2 -s 3000 -I "$lan" "$instance"
begin "20 MB from the office arrive whole" transfer "$device" "$lan" "$cloud" "$instance" 20000000
begin "20 MB from the instance arrive whole" transfer "$cloud" "$instance" "$device" "$lan" 20000000

gone() { grep -q 'route 2001:db8:b::/48 has no path' "$work/gateway.log"; }
birdc_do disable lan >/dev/null
check "a withdrawal takes the route away" until_true 60 gone
lost() { ! ping_instance; }
check "and packets are refused then" lost
birdc_do enable lan >/dev/null
check "and it comes back" until_true 60 ping_instance

birdc_do disable aws >/dev/null
cease() { grep -q 'notification received: Cease' "$work/gateway.log"; }
check "a Cease is named in words" until_true 60 cease
birdc_do enable aws >/dev/null
check "the session comes back" until_true 120 established
kill "$bird" 2>/dev/null
check "the gateway says that BGP is down while IPsec is up" \
    until_true 120 sh -c "grep 'tunnel 1' '$work/gateway.log' | tail -n 3 | grep -q 'IPsec is up, BGP is not'"
begin "the gateway ends when it is told to" stop "$gateway"
say_end
