#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# IKE messages in fragments (RFC 7383): strongSwan's of 300 bytes, ours of 1,280 (a rekey
# with PFS by group 18 is longer), over a path that drops every fragment of IP, as many
# middleboxes do, and over one that loses a tenth of the IKE packets.
. "$(dirname "$0")/lib/net.sh"
. "$(dirname "$0")/lib/middle.sh"

psk=interop.test_key.0123456789
id=vpn-0123456789abcdef0
control=$work/control
# shellcheck disable=SC2034 # for start_charon
charon_options="  fragment_size = 300"
ike=aes256-sha512-modp8192
{ read -r _; read -r esp; } < <(python3 "$here/tests/interop/lib/matrix.py" proposals)
esp=aes256-sha512-modp8192,$esp # what makes its IKE_AUTH long

pings() { in_device ping -c 3 -i 0.1 -W 1 -I 192.168.7.1 10.0.1.10 | grep ' 0% packet loss'; }
# How many messages strongSwan has put together, and cut into pieces.
joined() { grep -c 'received fragment #[0-9]* of [0-9]*, reassembled' "$work/$1/charon.log"; }
cut_up() { grep -c 'splitting IKE message' "$work/$1/charon.log"; }
more() { [ "$1" -gt "$2" ]; }
rekeyed() { [ "$(grep 'child SA rekeyed' "$1" | sort -u | wc -l)" -ge "$2" ]; }
ups() { [ "$(grep -c 'IKE SA up' "$1")" -ge "$2" ]; }

# The path: no fragment of IP passes; then IKE's packets on port 4500 get lost at random.
no_fragments()
{
    in_middle nft -f - <<'NFT'
table ip path {
  chain before { type filter hook prerouting priority -500;
    ip frag-off & 0x3fff != 0 counter drop
  }
}
NFT
}
lossy()
{
    in_middle nft -f - <<'NFT'
table ip path {
  chain before { type filter hook prerouting priority -500;
    ip frag-off & 0x3fff != 0 counter drop
    udp dport 4500 @th,64,32 0 numgen random mod 10 0 counter drop
  }
}
NFT
}
whole() { in_middle nft delete table ip path; }
ip_fragments() { in_middle nft list table ip path | sed -n 's/.*frag-off.*packets \([0-9]*\).*/\1/p'; }
lost() { in_middle nft list table ip path | sed -n 's/.*random.*packets \([0-9]*\).*/\1/p'; }

make_middle
links 1500 1500
write_config "$work/static.xml" static "$psk"
sed -i 's/group2</group18</; s/>sha1</>sha2-512</; s/hmac-sha1-96/hmac-sha2-512-256/; s/aes-128-cbc/aes-256-cbc/' \
    "$work/static.xml"
begin "no fragment of IP passes" no_fragments

# ---- strongSwan begins

begin "the gateway plays the document" start_gateway "$work/static.xml" --route 192.168.0.0/16 || say_end
start_charon "$device" ss || { not_ok "strongSwan starts"; say_end; }
write_swanctl ss 203.0.113.7 198.51.100.1 192.168.0.0/16 10.0.0.0/16 "$psk" "$ike" "$esp" "" "fragmentation = yes"
check "strongSwan brings a tunnel up" swanctl_of ss --initiate --child k --timeout 15
check "its IKE_AUTH came in pieces" [ "$(cut_up ss)" -ge 1 ]
check "pings cross" pings
before=$(joined ss)
kill -USR1 "$gateway"
check "the gateway rekeys the child" until_true 10 rekeyed "$work/gateway.log" 1
check "its request went in pieces" more "$(joined ss)" "$before"
before=$(cut_up ss)
check "strongSwan rekeys the child" vici ss rekey child=k
check "and it is done" until_true 10 rekeyed "$work/gateway.log" 2
check "its request came in pieces" more "$(cut_up ss)" "$before"
check "strongSwan rekeys the IKE SA" vici ss rekey ike=c
check "and it is done" until_true 10 ups "$work/gateway.log" 2
check "pings cross" pings
begin "a tenth of IKE is lost from now on" lossy
check "the gateway rekeys the child, over a lossy path" kill -USR1 "$gateway"
check "and it is done" until_true 40 rekeyed "$work/gateway.log" 3
check "strongSwan rekeys the child" vici ss rekey child=k
check "and it is done" until_true 40 rekeyed "$work/gateway.log" 4
check "pings cross" pings
lost=$(lost)
begin "nothing is lost any more" whole
begin "no fragment of IP passes" no_fragments
stop "$charon"
stop "$gateway"

# ---- we begin

start_charon "$cloud" cloud || { not_ok "strongSwan starts"; say_end; }
ip -n "$cloud" addr add 10.0.1.10/32 dev lo
write_swanctl cloud 198.51.100.1 203.0.113.7 10.0.0.0/16 0.0.0.0/0 "$psk" "$ike" "$esp" "" "fragmentation = yes"
begin "the device starts from the document" start_device "$work/static.xml" --exact \
    --route 10.0.0.0/16 --control "$control" || say_end
check "pings cross" until_true 15 pings
before=$(joined cloud)
check "the device is told to rekey" "$build/examples/s2svpn-device" rekey "$id.1" --control "$control"
check "the child is rekeyed" until_true 10 rekeyed "$work/device.log" 1
check "the request went in pieces" more "$(joined cloud)" "$before"
check "and strongSwan's answer came so" [ "$(cut_up cloud)" -ge 1 ]
check "the IKE SA too" "$build/examples/s2svpn-device" rekey-ike "$id.1" --control "$control"
check "and it is done" until_true 10 ups "$work/device.log" 2
check "no fragment of IP was sent" [ "$(ip_fragments)" = 0 ]
begin "a tenth of IKE is lost from now on" lossy
check "the child is rekeyed, over a lossy path" "$build/examples/s2svpn-device" rekey "$id.1" --control "$control"
check "and it is done" until_true 40 rekeyed "$work/device.log" 2
check "pings cross" pings
check "some was lost, in both roles together" [ $((lost + $(lost))) != 0 ]
begin "the device ends when it is told to" stop "$device_pid"
say_end
