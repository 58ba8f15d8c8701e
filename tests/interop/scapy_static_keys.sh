#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Our ESP against Scapy's own with keys that both were told: every suite, with and without
# extended sequence numbers, in UDP and as IP protocol 50, in both directions; what must be
# dropped is dropped for the right reason. tshark reads ours too.
here=$(cd "$(dirname "$0")/../.." && pwd)
build=${S2_BUILD:-$here/.build/main}
say_suite=interop/scapy_static_keys
. "$here/tests/lib/say.sh"

python=
for p in python3 /usr/bin/python3; do
    "$p" -c 'import scapy.layers.ipsec, cryptography' 2>/dev/null && python=$p && break
done
if [ -z "$python" ]; then
    skip "all" "no Scapy with cryptography"
    say_end
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

static_keys()
{
    "$python" "$here/tests/interop/lib/scapy_static_keys.py" \
        "$build/tests/unit/esp/esp_static" "$work" "$1"
}

# with_keys FILTER: how many packets match, decrypted.
with_keys()
{
    WIRESHARK_CONFIG_DIR=$work tshark -n -r "$work/ours.pcap" -d udp.port==4500,udpencap \
        -o esp.enable_encryption_decode:TRUE -o esp.enable_authentication_check:TRUE \
        -Y "$1" -T fields -e frame.number 2>>"$work/tshark.log" | wc -l
}

# 10 suites, two encapsulations, 6 packets.
tshark_opens_all()
{
    [ "$(with_keys esp)" = 120 ] && [ "$(with_keys 'esp && udp')" = 60 ] &&
        [ "$(with_keys 'icmp.type == 8 && ip.src == 192.168.7.1')" = 120 ]
}
tshark_finds_icvs_right() { [ "$(with_keys 'esp.icv_good == 1')" = 120 ]; }

check "what we seal, Scapy opens" static_keys ours
check "what Scapy seals, we open, or drop for the right reason" static_keys theirs
if command -v tshark >/dev/null; then
    check "packets are written for tshark" static_keys write || say_end
    check "tshark opens what we seal" tshark_opens_all
    check "tshark finds every ICV right" tshark_finds_icvs_right
else
    skip "tshark" "no tshark"
fi
say_end
