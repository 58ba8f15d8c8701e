#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The BGP engine, as examples/bgp-collector, against FRR (four-octet ASN, both families,
# refresh, a shutdown with its text, hold time) and against ExaBGP, which says things that
# others don't: attributes nobody knows and malformed ones. A bad route costs itself, the
# session stays.
. "$(dirname "$0")/lib/net.sh"

frr_asn=4200000001

catches_usr1() { (((0x$(sed -n 's/^SigCgt:\t//p' "/proc/$collector/status") & 0x200) != 0)); }
# start_collector OPTION...
start_collector()
{
    start "$cloud" "$work/collector.out" "$build/examples/bgp-collector" --asn 64512 \
        --router-id 198.51.100.1 --json "$@"
    collector=$started
    until_true 30 sh -c "readlink /proc/$collector/exe | grep -q bgp-collector"
    until_true 30 catches_usr1
}
says() { grep -q "$@" "$work/collector.out"; }
# holds PREFIX [MORE]: a line of the table as it is now
holds()
{
    : >"$work/collector.out"
    kill -USR1 "$collector"
    until_true 30 grep -qF "\"prefix\":\"$1\"${2:-}" "$work/collector.out"
}
no() { ! "$@"; }
# lacks PREFIX OTHER: the table has the other, but not this one. A table is written at once.
lacks() { holds "$2" && no grep -qF "\"prefix\":\"$1\"" "$work/collector.out"; }
# empty: it says nothing, although it is asked for some time.
empty()
{
    : >"$work/collector.out"
    for _ in 1 2 3 4; do
        kill -USR1 "$collector"
        sleep 0.5
    done
    no grep -q prefix "$work/collector.out"
}

make_net
in_device ip addr add 2001:db8:7::7/64 dev v0 nodad
in_cloud ip addr add 2001:db8:7::1/64 dev v0 nodad

# ---- FRR: bgpd alone, nothing goes to a kernel

mkdir "$work/vty"
cat >"$work/bgpd.conf" <<CONF
router bgp $frr_asn
 bgp router-id 203.0.113.7
 no bgp ebgp-requires-policy
 no bgp network import-check
 timers bgp 10 30
 neighbor 198.51.100.1 remote-as 64512
 neighbor 198.51.100.1 ebgp-multihop 2
 neighbor 198.51.100.1 timers connect 2
 neighbor 2001:db8:7::1 remote-as 64512
 neighbor 2001:db8:7::1 timers connect 2
 address-family ipv4 unicast
  network 192.168.0.0/16
  no neighbor 2001:db8:7::1 activate
 exit-address-family
 address-family ipv6 unicast
  network 2001:db8:700::/48
  neighbor 2001:db8:7::1 activate
 exit-address-family
CONF
chmod 711 "$work"
chmod 644 "$work/bgpd.conf"
chown frr:frrvty "$work/vty"
vtysh_do() { in_device vtysh --vty_socket "$work/vty" -d bgpd "$@" 2>/dev/null; }
start_collector --listen 198.51.100.1:179 --advertise 192.0.2.0/24
start "$device" "$work/bgpd.log" /usr/lib/frr/bgpd -Z -n -f "$work/bgpd.conf" \
    -i "$work/vty/bgpd.pid" --vty_socket "$work/vty" -P 0
bgpd=$started
check "FRR comes to the collector" until_true 120 says 'OpenConfirm -> Established'
check "its prefix arrives, from an AS of four octets" until_true 60 \
    holds 192.168.0.0/16 ",\"next_hop\":\"203.0.113.7\",\"origin\":\"IGP\",\"med\":0,\"as_path\":[$frr_asn]"
has_ours() { vtysh_do -c 'show bgp ipv4 unicast' | grep -q '192\.0\.2\.0/24 .*64512 i'; }
check "and FRR has ours" until_true 60 has_ours
capable() { vtysh_do -c 'show bgp neighbors 198.51.100.1' >"$work/neighbor" && grep -q "$1" "$work/neighbor"; }
check "four-octet ASNs are agreed on" capable '4 Byte AS: advertised and received'
check "route refresh too" capable 'Route refresh: advertised and received'
check "and help with a graceful restart" capable 'Graceful Restart Capability: advertised and received'
check "hold time and keepalive are AWS's" capable 'hold time is 30.* keepalive interval is 10'
refreshed() { vtysh_do -c 'show bgp neighbors 198.51.100.1' | grep -q 'Route Refresh: *1 '; }
vtysh_do -c 'clear bgp 198.51.100.1 soft in'
check "FRR asks for everything again and gets it" until_true 60 refreshed
check "and still has ours" has_ours
vtysh_do -c 'configure terminal' -c "router bgp $frr_asn" \
    -c 'neighbor 198.51.100.1 shutdown message the office is closed'
check "a shutdown is told in words" until_true 60 \
    says 'notification received: Cease/Administrative Shutdown: the office is closed'
vtysh_do -c 'configure terminal' -c "router bgp $frr_asn" -c 'no neighbor 198.51.100.1 shutdown'
check "and it comes back" until_true 150 holds 192.168.0.0/16
kill -STOP "$bgpd" "$(cat "$work/vty/bgpd.pid")" 2>/dev/null
check "one that is frozen loses its session after the hold time" until_true 60 \
    says 'notification sent: Hold Timer Expired'
check "and its route" empty
kill -CONT "$bgpd" "$(cat "$work/vty/bgpd.pid")" 2>/dev/null
check "the collector ends when it is told to" stop "$collector"
start_collector --listen '[2001:db8:7::1]:179' --advertise 2001:db8:100::/48
check "IPv6 over IPv6" until_true 150 \
    holds 2001:db8:700::/48 ',"next_hop":"2001:db8:7::7","origin":"IGP"'
has_six() { vtysh_do -c 'show bgp ipv6 unicast' | grep -q '2001:db8:100::/48'; }
check "both ways" until_true 60 has_six
check "the collector over IPv6 ends" stop "$collector"
kill "$(cat "$work/vty/bgpd.pid")" 2>/dev/null
stop "$bgpd"

# ---- ExaBGP

cat >"$work/exabgp.conf" <<'CONF'
neighbor 198.51.100.1 {
  router-id 203.0.113.8;
  local-address 203.0.113.7;
  local-as 65010;
  peer-as 64512;
  hold-time 30;
  family {
    ipv4 unicast;
  }
  static {
    route 198.18.0.0/24 next-hop 203.0.113.7 as-path [ 65010 4200000002 ] community [ 65010:1 ] large-community [ 65010:1:2 ] med 50;
    route 198.18.1.0/24 next-hop 203.0.113.7 attribute [ 0x63 0xc0 0x01020304 ];
    route 198.18.2.0/24 next-hop 203.0.113.7 attribute [ 0x1c 0xc0 0x00 ];
    route 198.18.3.0/24 next-hop 203.0.113.7 attribute [ 0x23 0xc0 0x0001 ];
    route 198.18.4.0/24 next-hop 203.0.113.7 attribute [ 0x20 0xc0 0x0102030405 ];
    route 198.18.5.0/24 next-hop 203.0.113.99;
    route 198.18.6.0/24 next-hop 203.0.113.7 as-path [ 65010 64512 ];
    route 198.18.7.0/24 next-hop 203.0.113.7;
  }
}
CONF
start_collector --listen 198.51.100.1:179 --advertise 192.0.2.0/24
start "$device" "$work/exabgp.log" env exabgp.daemon.user=root exabgp.api.cli=false \
    exabgp.log.routes=true exabgp --debug "$work/exabgp.conf"
exabgp=$started
check "ExaBGP comes to the collector" until_true 120 says 'OpenConfirm -> Established'
check "its routes arrive, the last too" until_true 60 holds 198.18.7.0/24
check "with its path and MED" holds 198.18.0.0/24 \
    ',"next_hop":"203.0.113.7","origin":"IGP","med":50,"as_path":[65010,4200000002]'
check "an attribute that nobody knows costs nothing" holds 198.18.1.0/24
check "nor does ELC, which has killed sessions elsewhere" holds 198.18.2.0/24
check "nor OTC with a wrong length, which isn't ours to judge" holds 198.18.3.0/24
check "a large community that is cut off costs its route" lacks 198.18.4.0/24 198.18.7.0/24
check "so does a next hop that isn't the peer" lacks 198.18.5.0/24 198.18.7.0/24
check "and a path with our own AS" lacks 198.18.6.0/24 198.18.7.0/24
check "ExaBGP has ours" until_true 30 grep -q '192.0.2.0/24' "$work/exabgp.log"
check "the session never fell" no says 'Established ->'
kill -TERM "$exabgp"
check "it says goodbye" until_true 60 says 'Established ->'
check "the collector ends after ExaBGP" stop "$collector"
say_end
