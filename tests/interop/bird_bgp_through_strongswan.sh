#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A site of strongSwan and BIRD against our gateway: BGP comes up inside the tunnel,
# brings one prefix each way, and packets follow; a withdrawal, a graceful restart under
# traffic and a dead session are seen on our side.
. "$(dirname "$0")/lib/net.sh"
. "$(dirname "$0")/lib/pings.sh"

psk=interop.test_key.0123456789

write_bird()
{
    cat >"$work/bird.conf" <<CONF
router id 203.0.113.7;
graceful restart wait 5;
log "$work/bird.log" all;
protocol device { }
protocol static lan {
  ipv4;
  route 192.168.0.0/16 unreachable;
}
protocol kernel {
  persist;
  ipv4 { import none; export where source = RTS_BGP; };
}
protocol bgp aws {
  debug { states, events };
  local 169.254.10.6 as 65000;
  neighbor 169.254.10.5 as 64512;
  hold time 30;
  connect delay time 1;
  connect retry time 5;
  graceful restart yes;
  ipv4 { import all; export where source = RTS_STATIC; next hop self; };
}
CONF
}

birdc_do() { birdc -s "$work/bird.ctl" "$@"; }

make_net
write_config "$work/bgp.xml" bgp "$psk"
begin "the gateway plays the document" start_gateway "$work/bgp.xml" || say_end
begin "strongSwan starts" start_charon "$device" ss || say_end
ip -n "$device" link set ipsec0 up
ip -n "$device" addr add 169.254.10.6 peer 169.254.10.5/32 dev ipsec0
write_swanctl ss 203.0.113.7 198.51.100.1 192.168.0.0/16,169.254.10.6/32 \
    10.0.0.0/16,169.254.10.5/32 "$psk" aes256gcm16-prfsha256-ecp256 aes256gcm16-ecp256
check "the tunnel comes up" swanctl_of ss --initiate --child k --timeout 60
check "the in-tunnel host answers pings" until_true 30 in_device ping -c 2 -i 0.2 -W 2 -I 169.254.10.6 169.254.10.5

start_bird() # OPTION...
{
    start "$device" "$work/bird.out" bird -f -c "$work/bird.conf" -s "$work/bird.ctl" \
        -P "$work/bird.pid" "$@"
    bird=$started
    until_true 60 test -S "$work/bird.ctl"
}
write_bird
start_bird
established() { birdc_do show protocols aws | grep -q Established; }
check "BGP is established" until_true 120 established
check "we see it established" until_true 30 grep -q 'BGP .*-> Established' "$work/gateway.log"
has_vpc() { birdc_do show route 10.0.0.0/16 | grep -q 'via 169.254.10.5'; }
check "BIRD learns the VPC's block" until_true 60 has_vpc
path() { birdc_do show route all 10.0.0.0/16 | grep -q 'BGP.as_path: 64512$'; }
check "its AS path is the gateway's ASN alone" path
med() { birdc_do show route all 10.0.0.0/16 | grep -q 'BGP.med: 100'; }
check "tunnel 1 carries the better MED" med
check "we learn the office's prefix" until_true 60 grep -q 'route 192.168.0.0/16 goes by tunnel 1' "$work/gateway.log"
check "pings cross" until_true 60 in_device ping -c 1 -W 1 -I 192.168.7.1 10.0.1.10
begin "20 MB from the office arrive whole" transfer "$device" 192.168.7.1 "$cloud" 10.0.1.10 20000000
begin "20 MB from the instance arrive whole" transfer "$cloud" 10.0.1.10 "$device" 192.168.7.1 20000000

gone() { grep -q 'route 192.168.0.0/16 has no path' "$work/gateway.log"; }
birdc_do disable lan >/dev/null
check "a withdrawal takes the route away" until_true 60 gone
lost() { ! in_device ping -c 1 -W 1 -I 192.168.7.1 10.0.1.10; }
check "and packets are refused then" lost
birdc_do enable lan >/dev/null
check "and it comes back" until_true 60 in_device ping -c 1 -W 1 -I 192.168.7.1 10.0.1.10

# RFC 4724: BIRD goes and its kernel routes on, as do we, until it is back.
restart_gracefully()
{
    pings_on "$device" "$work/pings.log" -i 0.1 -I 192.168.7.1 10.0.1.10
    pings_go_on "$work/pings.log"
    birdc_do graceful restart
    until_true 60 sh -c "! kill -0 $bird 2>/dev/null"
    until_true 60 grep -q 'BGP restarts gracefully: its routes stay' "$work/gateway.log" || return 1
    pings_go_on "$work/pings.log"
    start_bird -R
    until_true 120 grep -q 'the graceful restart is over' "$work/gateway.log" || return 1
    pings_off "$work/pings.log"
    none_lost "$work/pings.log" 20
}
begin "a graceful restart of BIRD loses no ping" restart_gracefully
check "its session is established again" until_true 120 established
check "we say that its routes stay meanwhile" \
    grep -q 'tunnel 1: BGP restarts gracefully: its routes stay' "$work/gateway.log"
check "and that it is over" grep -q 'tunnel 1: the graceful restart is over' "$work/gateway.log"
stayed() { [ "$(grep -c 'route 192.168.0.0/16 has no path' "$work/gateway.log")" = 1 ]; }
check "the route was never without a path" stayed # but for the withdrawal
check "BIRD has the VPC's block again" until_true 60 has_vpc

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
