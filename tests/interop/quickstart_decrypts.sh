#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tshark decrypts what the quickstart writes with --pcap and --keylog: IKE_AUTH, the BGP
# session and the pings, with AES-CBC and with AES-GCM. The folder of keys is used as
# the profile that it is: its two files are Wireshark's tables.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${S2_BUILD:-$here/.build/main}
say_suite=interop/quickstart_decrypts
. "$here/tests/lib/say.sh"

if ! command -v tshark >/dev/null; then
    skip "all" "no tshark"
    say_end
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# with_keys FILTER: the numbers of the packets that match when decrypted, one a line.
with_keys()
{
    WIRESHARK_CONFIG_DIR=$work/keys tshark -n -r "$work/wire.pcap" \
        -d "udp.port==$ike_port,isakmp" -d "udp.port==$natt_port,udpencap" \
        -o esp.enable_encryption_decode:TRUE -o esp.enable_authentication_check:TRUE \
        -Y "$1" -T fields -e frame.number 2>"$work/tshark.log"
}
finds() { [ -n "$(with_keys "$1")" ]; }
finds_none() { ! finds "$1" && ! grep -v '^Running as user' "$work/tshark.log"; }
count() { with_keys "$1" | wc -l; }
# Nothing that is ESP stays closed: the keys are of every packet.
all_are_good() { finds esp && [ "$(count esp)" = "$(count 'esp.icv_good == 1')" ]; }
pings() { count "icmp.type == $1 && ip.src == $2 && ip.dst == $3"; }
answered() { sed -nE 's/.* sent, ([0-9]+) answered.*/\1/p' "$work/scene.log"; }
pings_are_found()
{
    [ "$(answered)" -ge 5 ] && [ "$(pings 8 192.168.1.9 10.0.1.10)" = "$(answered)" ] &&
        [ "$(pings 0 10.0.1.10 192.168.1.9)" = "$(answered)" ]
}
# Without the keys nothing of it is to be seen: the pcap itself holds no plain packets.
hidden_without_keys()
{
    ! tshark -n -r "$work/wire.pcap" -d "udp.port==$ike_port,isakmp" \
        -d "udp.port==$natt_port,udpencap" -Y 'icmp || bgp || isakmp.auth.method' 2>/dev/null |
        grep -q .
}
private() { [ "$(stat -c %a "$work/keys" "$work"/keys/* | tr '\n' ' ')" = "700 600 600 " ]; }

# decrypts WORDS OPTION...
decrypts()
{
    local words=$1
    shift
    rm -rf "${work:?}"/*
    "$build/examples/quickstart-scene" --fast --pcap "$work/wire.pcap" --keylog "$work/keys" "$@" \
        >"$work/scene.log" 2>&1
    local rc=$?
    check "$words: the quickstart comes up and ends with 0" test $rc = 0 || {
        sed 's/^/  /' "$work/scene.log"
        return
    }
    read -r ike_port natt_port < <(sed -nE 's/.* ports ([0-9]+) and ([0-9]+)$/\1 \2/p' \
        "$work/scene.log")
    check "$words: keys are for their owner alone" private
    check "$words: nothing is to be seen without the keys" hidden_without_keys
    check "$words: tshark takes the tables and finds nothing wrong" \
        finds_none 'esp.icv_bad == 1 || isakmp.ikev2.integrity_checksum || _ws.malformed'
    check "$words: every ESP packet's ICV is good" all_are_good
    check "$words: IKE_AUTH of the device is decrypted" \
        finds 'isakmp.exchangetype == 35 && ip.src == 127.0.0.7 && isakmp.auth.method == 2'
    check "$words: IKE_AUTH of the gateway is decrypted" \
        finds 'isakmp.exchangetype == 35 && ip.dst == 127.0.0.7 && isakmp.auth.method == 2'
    check "$words: BGP UPDATE of the LAN is found" \
        finds 'bgp.type == 2 && bgp.nlri_prefix == 192.168.0.0'
    check "$words: BGP UPDATE of the VPC is found" \
        finds 'bgp.type == 2 && bgp.nlri_prefix == 10.0.0.0'
    check "$words: every ping and every answer is found once" pings_are_found
}

decrypts "AES-CBC"
decrypts "AES-GCM" --gcm
say_end
