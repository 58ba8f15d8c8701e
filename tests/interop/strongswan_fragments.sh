#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# IKE messages in fragments (RFC 7383): strongSwan's of 300 bytes, ours of 1,280 (a rekey
# with PFS by group 18 is longer), over a path that drops every fragment of IP, as many
# middleboxes do, and over one that loses every tenth IKE packet.
. "$(dirname "$0")/lib/net.sh"
. "$(dirname "$0")/lib/middle.sh"
. "$(dirname "$0")/lib/pings.sh"
. "$(dirname "$0")/lib/rekeys.sh"

psk=interop.test_key.0123456789
id=vpn-0123456789abcdef0
control=$work/control
# shellcheck disable=SC2034 # for start_charon
charon_options="  fragment_size = 300"
ike=aes256-sha512-modp8192
{ read -r _; read -r esp; } < <(python3 "$here/tests/interop/lib/matrix.py" proposals)
esp=aes256-sha512-modp8192,$esp # what makes its IKE_AUTH long

pings() { pings_all "$device" 3 -i 0.1 -I 192.168.7.1 10.0.1.10; }
# How many messages strongSwan has put together, and cut into pieces.
joined() { grep -c 'received fragment #[0-9]* of [0-9]*, reassembled' "$work/$1/charon.log"; }
cut_up() { grep -c 'splitting IKE message' "$work/$1/charon.log"; }
more() { [ "$1" -gt "$2" ]; }
rekeyed() { [ "$(grep 'child SA rekeyed' "$1" | sort -u | wc -l)" -ge "$2" ]; }
ups() { [ "$(grep -c 'IKE SA up' "$1")" -ge "$2" ]; }

# The path: no fragment of IP passes; then every tenth of IKE's on port 4500 gets lost as well.
# Not at random, which now and then would lose what is sent again, and again. After a lost
# one nine pass: no message here has so many pieces, with those of what asks for it once
# more, and both ends keep the pieces that came, so that the first repeat completes it.
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
    udp dport 4500 @th,64,32 0 numgen inc mod 10 9 counter drop
  }
}
NFT
}
whole() { in_middle nft delete table ip path; }
ip_fragments() { in_middle nft list table ip path | sed -n 's/.*frag-off.*packets \([0-9]*\).*/\1/p'; }
lost() { in_middle nft list table ip path | sed -n 's/.*numgen.*packets \([0-9]*\).*/\1/p'; }

make_middle
links 1500 1500
write_config "$work/static.xml" static "$psk"
sed -i 's/group2</group18</; s/>sha1</>sha2-512</; s/hmac-sha1-96/hmac-sha2-512-256/; s/aes-128-cbc/aes-256-cbc/' \
    "$work/static.xml"
begin "no fragment of IP passes" no_fragments

# ---- strongSwan begins

begin "the gateway plays the document" start_gateway "$work/static.xml" --route 192.168.0.0/16 || say_end
start_charon "$device" ss || { not_ok "strongSwan starts in the office"; say_end; }
write_swanctl ss 203.0.113.7 198.51.100.1 192.168.0.0/16 10.0.0.0/16 "$psk" "$ike" "$esp" "" "fragmentation = yes"
check "strongSwan brings a tunnel up" swanctl_of ss --initiate --child k --timeout 60
check "its IKE_AUTH came in pieces" [ "$(cut_up ss)" -ge 1 ]
check "pings cross, when strongSwan has begun" pings
before=$(joined ss)
kill -USR1 "$gateway"
check "the gateway rekeys the child" until_true 60 rekeyed "$work/gateway.log" 1
check "its request went in pieces" more "$(joined ss)" "$before"
check "one child is left" settled "$work/gateway.log" ss
before=$(cut_up ss)
check "strongSwan is told to rekey the child" vici ss rekey child=k
check "and has rekeyed the child" until_true 60 rekeyed "$work/gateway.log" 2
check "its request came in pieces" more "$(cut_up ss)" "$before"
check "one child is left, of strongSwan's" settled "$work/gateway.log" ss
check "strongSwan is told to rekey the IKE SA" vici ss rekey ike=c
check "and has rekeyed the IKE SA" until_true 60 ups "$work/gateway.log" 2
check "one IKE SA is left" settled "$work/gateway.log" ss
check "pings cross after the rekeys" pings
begin "a tenth of IKE is lost from now on" lossy
kill -USR1 "$gateway"
check "the gateway rekeys the child, over a lossy path" until_true 120 rekeyed "$work/gateway.log" 3
check "one child is left, over a lossy path" settled "$work/gateway.log" ss
check "strongSwan is told to rekey the child, over a lossy path" vici ss rekey child=k
check "and has rekeyed the child, over a lossy path" until_true 120 rekeyed "$work/gateway.log" 4
check "one child is left of strongSwan's, over a lossy path" settled "$work/gateway.log" ss
check "pings cross by a lossy path" pings
lost=$(lost)
check "some was lost, as strongSwan had begun" [ "$lost" != 0 ]
begin "nothing is lost any more" whole
begin "and still no fragment of IP passes" no_fragments
stop "$charon"
stop "$gateway"

# ---- we begin

start_charon "$cloud" cloud || { not_ok "strongSwan starts in the cloud"; say_end; }
ip -n "$cloud" addr add 10.0.1.10/32 dev lo
write_swanctl cloud 198.51.100.1 203.0.113.7 10.0.0.0/16 0.0.0.0/0 "$psk" "$ike" "$esp" "" "fragmentation = yes"
begin "the device starts from the document" start_device "$work/static.xml" --exact \
    --route 10.0.0.0/16 --control "$control" || say_end
check "pings cross, when we have begun" until_true 60 pings
before=$(joined cloud)
check "the device is told to rekey" "$build/examples/s2svpn-device" rekey "$id.1" --control "$control"
check "the child is rekeyed" until_true 60 rekeyed "$work/device.log" 1
check "the request went in pieces" more "$(joined cloud)" "$before"
check "and strongSwan's answer came so" [ "$(cut_up cloud)" -ge 1 ]
check "our old child is gone" settled "$work/device.log" cloud
check "the device is told to rekey the IKE SA" \
    "$build/examples/s2svpn-device" rekey-ike "$id.1" --control "$control"
check "the IKE SA is rekeyed" until_true 60 ups "$work/device.log" 2
check "our old IKE SA is gone" settled "$work/device.log" cloud
check "no fragment of IP was sent" [ "$(ip_fragments)" = 0 ]
begin "a tenth of IKE is lost from now on, where we have begun" lossy
check "the device is told to rekey, over a lossy path" \
    "$build/examples/s2svpn-device" rekey "$id.1" --control "$control"
check "the child is rekeyed, over a lossy path" until_true 120 rekeyed "$work/device.log" 2
check "our old child is gone, over a lossy path" settled "$work/device.log" cloud
check "pings cross by a lossy path, when we have begun" pings
begin "the device ends when it is told to" stop "$device_pid"
say_end
