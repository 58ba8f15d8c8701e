#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The BGP engine, as examples/bgp-collector, against GoBGP: both roles, both families, a
# four-octet ASN, communities, withdrawal, a refresh that we ask for, a graceful restart.
. "$(dirname "$0")/lib/net.sh"
. "$(dirname "$0")/lib/collector.sh"
. "$(dirname "$0")/lib/bgp_peers.sh"

asn=4200000001
capable() { gobgp_neighbor | grep -q "$1:.*advertised and received"; }
refreshed() { [ "$(gobgp_neighbor | awk '/Route Refresh:/ { print $4 }')" -ge 1 ]; }

make_net
in_device ip addr add 2001:db8:7::7/64 dev v0 nodad
in_cloud ip addr add 2001:db8:7::1/64 dev v0 nodad

echo accept >"$work/import"
start_collector --listen 198.51.100.1:179 --advertise 192.0.2.0/24 --json --import "$work/import"
peer_set gobgp 203.0.113.7 198.51.100.1 $asn 192.168.0.0/16
peer_more=172.16.0.0/16
begin "GoBGP starts" peer start active || say_end
check "it comes to the collector" until_true 60 says 'OpenConfirm -> Established'
check "its network arrives, from an AS of four octets" until_true 60 \
    holds 192.168.0.0/16 ",\"next_hop\":\"203.0.113.7\",\"origin\":\"incomplete\",\"as_path\":[$asn]"
check "and GoBGP has ours" until_true 60 peer has 192.0.2.0/24
check "four-octet ASNs are agreed on" capable 4-octet-as
check "route refresh too" capable route-refresh
gobgp_do global rib add 192.168.0.0/16 nexthop 203.0.113.7 med 50 community 65000:7
check "what it changes comes: MED and community" until_true 60 \
    holds 192.168.0.0/16 ",\"next_hop\":\"203.0.113.7\",\"origin\":\"incomplete\",\"med\":50,\"as_path\":[$asn],\"communities\":[\"65000:7\"]"
echo 'accept local-pref 200' >"$work/import"
kill -HUP "$collector"
check "another import policy asks it for a refresh" until_true 60 refreshed
check "and takes what it sends again" until_true 60 \
    holds 192.168.0.0/16 ",\"next_hop\":\"203.0.113.7\",\"origin\":\"incomplete\",\"med\":50,\"as_path\":[$asn],\"local_pref\":200"
gobgp_do global rib del 192.168.0.0/16
check "a withdrawal takes the route away" until_true 60 lacks 192.168.0.0/16 172.16.0.0/16
check "the collector ends when it is told to" stop "$collector"
check "GoBGP ends when it is told to" peer stop

peer_graceful=yes
begin "GoBGP starts, passive, able to restart" peer start passive
start_collector --connect 203.0.113.7:179 --local 198.51.100.1 --advertise 192.0.2.0/24 --json
check "the collector comes to it" until_true 120 peer established
check "its network arrives" until_true 60 holds 192.168.0.0/16
check "and GoBGP has ours" until_true 60 peer has 192.0.2.0/24
peer crash
check "it crashes, its routes stay" until_true 60 says 'restarts gracefully, its routes stay'
check "in the table, too" holds 192.168.0.0/16
begin "it starts again" peer start passive again
check "its graceful restart ends" until_true 120 says 'its graceful restart is over'
check "with its table" until_true 60 holds 192.168.0.0/16
check "the collector ends when it is told to" stop "$collector"
check "GoBGP ends when it is told to" peer stop

start_collector --listen '[2001:db8:7::1]:179' --advertise 2001:db8:100::/48 --json
peer_set gobgp 2001:db8:7::7 2001:db8:7::1 $asn 2001:db8:700::/48
begin "GoBGP starts, with IPv6" peer start active
check "IPv6 over IPv6" until_true 60 holds 2001:db8:700::/48 ',"next_hop":"2001:db8:7::7"'
check "both ways" until_true 60 peer has 2001:db8:100::/48
check "the collector ends when it is told to" stop "$collector"
check "GoBGP ends when it is told to" peer stop
say_end
