#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# examples/bgp-collector, the BGP engine on the host's own TCP, against BIRD: both roles,
# both families, ten thousand routes, withdrawal, refresh, a graceful restart, Cease with a
# text, import and export policies.
. "$(dirname "$0")/lib/net.sh"

routes=10000
birdc_do() { birdc -s "$work/bird.ctl" "$@"; }

# COLLECTOR_ADDRESS OUR_ADDRESS CHANNELS: of the session
write_bird()
{
    {
        cat <<CONF
router id 203.0.113.7;
graceful restart wait 5;
log "$work/bird.log" all;
protocol device { }
protocol static some {
  ipv4;
CONF
        for i in $(seq 0 $((routes - 1))); do
            echo "  route 10.$((i / 256)).$((i % 256)).0/24 unreachable;"
        done
        cat <<CONF
}
protocol static six {
  ipv6;
  route 2001:db8:700::/48 unreachable;
}
filter marked {
  if source != RTS_STATIC then reject;
  # the first ten
  if net ~ [10.0.0.0/21{24,24}, 10.0.8.0/23{24,24}] then {
    bgp_community.add((65000, 5));
    bgp_community.add((65000, 6));
    bgp_large_community.add((65000, 1, 2));
  }
  accept;
}
protocol bgp four {
  local 203.0.113.7 as 65000;
  neighbor 198.51.100.1 as 64512;
  multihop 2;
  strict bind on;
  hold time 30;
  connect delay time 1;
  connect retry time 3;
  graceful restart yes;
  ipv4 { import all; export filter marked; next hop self; };
}
protocol bgp over6 {
  local 2001:db8:7::7 as 65000;
  neighbor 2001:db8:7::1 as 64512;
  strict bind on;
  hold time 30;
  connect delay time 1;
  connect retry time 3;
  ipv6 { import all; export where source = RTS_STATIC; next hop self; };
}
CONF
    } >"$work/bird.conf"
}

catches_usr1() { (((0x$(sed -n 's/^SigCgt:\t//p' "/proc/$collector/status") & 0x200) != 0)); }
# start_collector OPTION...
start_collector()
{
    start "$cloud" "$work/collector.out" "$build/examples/bgp-collector" --asn 64512 \
        --router-id 198.51.100.1 "$@"
    collector=$started
    until_true 30 sh -c "readlink /proc/$collector/exe | grep -q bgp-collector"
    until_true 30 catches_usr1
}
says() { grep -q "$@" "$work/collector.out"; }
# shows PATTERN: in the table as it is now.
since() { tail -n "+$from" "$work/collector.out" | grep -q "$@"; }
shows()
{
    local from

    from=$(($(wc -l <"$work/collector.out") + 1))
    kill -USR1 "$collector" && until_true 3 since "$@"
}
established() { birdc_do show protocols "$1" | grep -q Established; }

make_net
in_device ip addr add 2001:db8:7::7/64 dev v0 nodad
in_cloud ip addr add 2001:db8:7::1/64 dev v0 nodad
write_bird
start_bird() # OPTION...
{
    start "$device" "$work/bird.out" bird -f -c "$work/bird.conf" -s "$work/bird.ctl" \
        -P "$work/bird.pid" "$@"
    bird=$started
    until_true 60 test -S "$work/bird.ctl"
}
start_bird

start_collector --listen 198.51.100.1:179 --advertise 192.0.2.0/24 --quiet
check "BIRD comes to the collector" until_true 120 established four
check "the collector says who it is" until_true 30 says 'OpenConfirm -> Established'
check "its whole table arrives" until_true 60 says "complete, $routes prefixes"
check "and BIRD has ours" until_true 60 \
    sh -c "birdc -s $work/bird.ctl show route 192.0.2.0/24 all | grep -q 'BGP.as_path: 64512$'"
birdc_do disable some >/dev/null
none() { shows '^# 203.0.113.7 AS65000 Established: 0 prefixes'; }
check "a withdrawal of everything is seen" until_true 60 none
birdc_do enable some >/dev/null
all() { shows "^# 203.0.113.7 AS65000 Established: $routes prefixes"; }
check "and the return of everything" until_true 60 all
birdc_do reload in four >/dev/null
check "a route refresh is answered" until_true 60 \
    sh -c "birdc -s $work/bird.ctl show protocols all four | grep -q 'Import updates: *2 '"

# It goes, its kernel's routes stay (RFC 4724), and it comes back.
birdc_do graceful restart >/dev/null
check "a graceful restart is seen" until_true 60 says 'restarts gracefully, its routes stay'
check "and the routes stay" until_true 30 shows "^# 203.0.113.7 AS[0-9]* [A-Z][a-z]*: $routes prefixes"
until_true 60 sh -c "! kill -0 $bird 2>/dev/null"
start_bird -R
check "BIRD comes back" until_true 120 established four
check "with its table" until_true 60 says 'its graceful restart is over'
check "which is whole" until_true 60 all
check "the collector ends when it is told to" stop "$collector"
cease() { grep -q 'four.*Administrative shutdown.*the collector ends' "$work/bird.log"; }
check "BIRD is told why, in words" until_true 30 cease

# Policies: BIRD's first ten routes and one more, marked on the way in; ours prepended and
# marked on the way out. Then others, which BIRD is asked to send its table again for.
cat >"$work/import" <<'RULES'
deny prefix 10.0.3.0/24 # one of the ten
accept prefix 10.0.0.0/16 ge 24 le 24 has 65000:5 local-pref 200 add 64512:7 strip 65000:5
accept prefix 10.1.0.0/24 first 65000 contains 65000 med 9 prepend 2
others deny
RULES
echo 'accept prepend 2 med 77 add 64512:1 add 64512:1:2' >"$work/export"
start_collector --listen 198.51.100.1:179 --advertise 192.0.2.0/24 --json \
    --import "$work/import" --export "$work/export"
check "BIRD comes to a collector with policies" until_true 120 established four
check "the import policy takes what it names" until_true 60 says 'complete, 10 prefixes'
check "and changes it" until_true 60 shows '"prefix":"10.0.2.0/24".*"local_pref":200,"communities":\["65000:6","64512:7","65000:1:2"\]'
check "by the rule that matches first" until_true 30 says \
    '"prefix":"10.1.0.0/24".*"med":9,"as_path":\[65000,65000,65000\]'
check "what it denies isn't there" sh -c "! grep -q '\"prefix\":\"10.0.3.0/24\"' $work/collector.out"
sent() { birdc_do show route 192.0.2.0/24 all >"$work/sent"; grep -q 'BGP.as_path: 64512 64512 64512$' "$work/sent"; }
check "the export policy prepends" until_true 60 sent
check "sets the MED" grep -q 'BGP.med: 77' "$work/sent"
check "adds communities" grep -q 'BGP.community: (64512,1)' "$work/sent"
check "and large ones" grep -q 'BGP.large_community: (64512, 1, 2)' "$work/sent"
echo 'accept prefix 10.0.0.0/16 ge 24' >"$work/import"
echo 'others deny' >>"$work/import"
echo 'deny' >"$work/export"
kill -HUP "$collector"
now_256() { shows '"prefix":"10.0.255.0/24"' && shows '"prefix":"10.0.3.0/24"'; }
check "another import policy is applied to the whole table" until_true 60 now_256
check "by a refresh of the session" established four
gone() { ! birdc_do show route 192.0.2.0/24 | grep -q '192.0.2.0/24 '; }
check "what the export policy denies is withdrawn" until_true 60 gone
check "the collector with policies ends" stop "$collector"

birdc_do disable some >/dev/null
start_collector --connect 203.0.113.7:179 --local 198.51.100.1 --peer-asn 65000 --json
check "the collector comes to BIRD" until_true 120 established four
check "the collector that came to BIRD ends" stop "$collector"

start_collector --listen '[2001:db8:7::1]:179' --advertise 2001:db8:100::/48 --json
check "a session over IPv6" until_true 120 established over6
check "brings IPv6 routes" until_true 60 \
    says '"prefix":"2001:db8:700::/48","next_hop":"2001:db8:7::7","origin":"IGP","as_path":\[65000\]'
check "both ways" until_true 60 \
    sh -c "birdc -s $work/bird.ctl show route 2001:db8:100::/48 | grep -q 2001:db8:7::1"
check "the collector over IPv6 ends" stop "$collector"

start_collector --connect 203.0.113.7:179 --local 198.51.100.1 --peer-asn 65001 --quiet
check "a wrong ASN is named" until_true 60 says 'notification sent: OPEN Message Error/Bad Peer AS'
check "the collector with a wrong ASN ends" stop "$collector"
say_end
