#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Scapy decrypts what the device and the gateway send one another, with the keys of
# --keylog: AES-GCM and AES-CBC with SHA-256, in UDP and as IP protocol 50.
. "$(dirname "$0")/lib/net.sh"
. "$(dirname "$0")/lib/capture.sh"
. "$(dirname "$0")/lib/pings.sh"

python=
for p in python3 /usr/bin/python3; do
    "$p" -c 'import scapy.layers.ipsec' 2>/dev/null && python=$p && break
done
if [ -z "$python" ]; then
    skip "all" "no Scapy"
    say_end
fi

# One datagram a packet: a capture beside a veth pair would show trains.
plain=(--no-offload udp-segment)

both_up() { [ "$(grep -c 'tunnel [12]: up' "$work/device.log")" -ge 2 ]; }

# use_gcm FILE: the document asks for AES-128-GCM, and nothing of SHA-1 or group 2.
use_gcm()
{
    sed -i -e '/<ipsec>/,/<\/ipsec>/{s/aes-128-cbc/aes-128-gcm-16/;/authentication_protocol/d}' \
        -e '/<ike>/,/<\/ike>/s/>sha1</>sha2-256</' -e 's/>group2</>group14</' "$1"
}

# crosses NAME OPTION...: bring up, ping, and let Scapy look.
crosses()
{
    local name=$1 keys=$work/$1
    shift
    mkdir -m 700 "$keys"
    snap=0 capture_on "$cloud" v0 "$name" || return 1
    start_gateway "$work/config.xml" "${plain[@]}" "$@" || return 1
    start_device "$work/config.xml" --exact --keylog "$keys" "${plain[@]}" "$@" || return 1
    until_true 60 both_up || return 1
    until_true 60 in_device ping -c 1 -W 1 -I 192.168.7.1 -s 20 10.0.1.10 || return 1
    pings_all "$device" 5 -i 0.1 -I 192.168.7.1 10.0.1.10 || return 1
    end_capture "$name" && stop "$device_pid" && stop "$gateway"
}

reads() { "$python" "$here/tests/interop/lib/scapy_reads_esp.py" "$work/$1.pcap" \
    "$work/$1/esp_sa" 192.168.7.1 10.0.1.10 5; }

none_in_udp() { [ "$(captured "$1" 'udp port 4500')" = 0 ]; }
all_in_udp() { [ "$(captured "$1" 'ip proto 50')" = 0 ]; }

# A key that is wrong in one digit opens nothing: the check can fail.
wrong_key_fails()
{
    mkdir -p "$work/wrong"
    sed -E 's/(\]","0x)(.)/\1\2_/; s/0_/1/; s/[1-9a-f]_/0/' "$work/$1/esp_sa" >"$work/wrong/esp_sa"
    ln -sf "$work/$1.pcap" "$work/wrong.pcap"
    ! reads wrong 2>"$work/wrong.log" && grep -E 'IPSecIntegrityError|InvalidTag' "$work/wrong.log"
}

make_net
for cipher in gcm cbc; do
    write_config "$work/config.xml" bgp
    sed -i -e '/<ipsec>/,/<\/ipsec>/s/hmac-sha1-96/hmac-sha2-256-128/' "$work/config.xml"
    [ $cipher = cbc ] || use_gcm "$work/config.xml"
    begin "pings cross in UDP, $cipher" crosses "udp_$cipher" --encapsulation udp || say_end
    check "Scapy opens them, in UDP, $cipher" reads "udp_$cipher"
    check "all ESP went in UDP, $cipher" all_in_udp "udp_$cipher"
    begin "pings cross as protocol 50, $cipher" crosses "raw_$cipher" --encapsulation raw || say_end
    check "Scapy opens them, as protocol 50, $cipher" reads "raw_$cipher"
    check "no ESP went in UDP, $cipher" none_in_udp "raw_$cipher"
done
check "Scapy opens nothing with a wrong key" wrong_key_fails udp_gcm
say_end
