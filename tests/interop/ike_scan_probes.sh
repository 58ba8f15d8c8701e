#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# ike-scan, which sends the first message of an exchange and looks at what comes back,
# against s2svpn-gateway: what is answered is right by RFC 7296 or 2409, the rest isn't answered.
# Then 2,000 probes from one address: cookies go back (RFC 7296 section 2.6), for IKEv1 room is
# made, and a device that is honest still gets its tunnel.
. "$(dirname "$0")/lib/net.sh"

psk=interop.test_key.0123456789

# probe MILLISECONDS OPTION...: one packet, and all that ike-scan says of the answer in
# probe.log; it ends with the answer.
probe()
{
    in_device ike-scan --retry=1 --timeout="$1" "${@:2}" 198.51.100.1 >"$work/probe.log" 2>&1
    cat "$work/probe.log"
    grep -q '^Ending ike-scan' "$work/probe.log"
}
says() { grep -E "$1" "$work/probe.log"; }
silent() { ! grep '^198' "$work/probe.log" && grep 'Ending ike-scan.*1 hosts scanned' "$work/probe.log"; }
half_open() { grep -cE '(HALF_KE|NEW) -> HALF_OPEN' "$work/gateway.log"; }
alive() { kill -0 "$gateway"; }

# answers NAME PATTERN OPTION..., ignores NAME OPTION...
answers()
{
    local name=$1 pattern=$2
    shift 2
    check "$name: the probe goes" probe 10000 "$@"
    check "$name" says "$pattern"
}
ignores()
{
    local name=$1 before
    shift
    before=$(half_open)
    check "$name: the probe goes" probe 600 "$@"
    check "$name is not answered" silent
    check "$name leaves nothing behind" [ "$(half_open)" = "$before" ]
}

make_net
write_config "$work/static.xml" static "$psk"
ip -n "$device" addr add 203.0.113.99/32 dev v0
begin "the gateway plays the document" start_gateway "$work/static.xml" --route 192.168.0.0/16 || say_end

# of what ike-scan offers AWS's endpoint allows AES-128, SHA-1, group 2
handshake='IKEv2 SA_INIT Handshake returned.*AES_CBC,KeyLength=128.*HMAC_SHA1_96.*Prf=HMAC_SHA1.*2:modp1024.*KeyExchange\(132 bytes\).*Nonce'
answers "IKEv2 is answered with a choice" "$handshake" --ikev2
answers "from another port too" "$handshake" --ikev2 --sport=0
answers "on port 4500 too" "$handshake" --ikev2 --nat-t
answers "a key of another group than the chosen one: which is wanted" 'Notify message 17 \(INVALID_KE_PAYLOAD\)' \
    --ikev2 --dhgroup=14
ignores "IKEv2 from an address of no tunnel" --ikev2 --sourceip=203.0.113.99
ignores "an answer that nobody asked for" --ikev2 --hdrflags=32
ignores "a header that says more than there is" --ikev2 --headerlen=+16
ignores "a header that says less" --ikev2 --headerlen=-16
ignores "a length of 4 GB" --ikev2 --headerlen=4294967295
ignores "a first payload that isn't there" --ikev2 --nextpayload=200
ignores "a message ID that is not 0" --ikev2 --hdrmsgid=7
# Section 2.5 wants INVALID_MAJOR_VERSION for a higher one. IKEv1 is lower.
answers "version 3 is told which we speak" 'Notify message 5 \(INVALID_MAJOR_VERSION\)' --headerver=0x30
# ---- IKEv1

# what AWS allows is chosen from; ike-scan's own proposals are DES and 3DES
chosen() { echo "Main Mode Handshake returned.*Enc=AES Hash=$1 Auth=PSK Group=$2.*KeyLength=$3"; }
aws=("--trans=7/128,2,1,2")
answers "IKEv1, AES128 SHA1 group 2 is answered with the choice" "$(chosen SHA1 2:modp1024 128)" "${aws[@]}"
answers "IKEv1, AES256 SHA2-384 group 14 too" "$(chosen SHA2-384 14:modp2048 256)" --trans=7/256,5,1,14
answers "IKEv1 from another port too" "$(chosen SHA1 2:modp1024 128)" --sport=0 "${aws[@]}"
answers "IKEv1 on port 4500 too" "$(chosen SHA1 2:modp1024 128)" --nat-t "${aws[@]}"
answers "IKEv1, of two proposals the one that is allowed" "$(chosen SHA1 2:modp1024 128)" \
    --trans=5,2,1,2 "${aws[@]}"
answers "liveness and fragments are offered" 'Dead Peer Detection v1.0.*IKE Fragmentation' "${aws[@]}"

# refuses NAME OPTION...: with a notify; there aren't many of them a second, so it may take more
# than one probe.
is_refused() { probe 600 "$@" && says 'Notify message 14 \(NO-PROPOSAL-CHOSEN\)'; }
refuses()
{
    local name=$1 before
    shift
    before=$(half_open)
    check "$name is refused" until_true 30 is_refused "$@"
    check "$name leaves nothing behind" [ "$(half_open)" = "$before" ]
}
refuses "IKEv1, DES and 3DES"
refuses "IKEv1, MD5" --trans=7/128,1,1,2
refuses "IKEv1, group 5" --trans=7/128,2,1,5
refuses "IKEv1, RSA signatures" --trans=7/128,2,3,2
refuses "IKEv1, XAUTH" --trans=7/128,2,65001,2
ignores "IKEv1, aggressive mode" --aggressive --id=office "${aws[@]}"
ignores "IKEv1, aggressive mode with the device's own address" --aggressive --id=0xcb007107 --idtype=1 "${aws[@]}"
ignores "IKEv1, quick mode without a phase 1" --exchange=32 "${aws[@]}"
ignores "IKEv1 from an address of no tunnel" --sourceip=203.0.113.99 "${aws[@]}"
ignores "IKEv1, a first message that says it is encrypted" --hdrflags=1 "${aws[@]}"
ignores "IKEv1, a message ID that is not 0" --hdrmsgid=7 "${aws[@]}"
ignores "IKEv1, another domain of interpretation" --doi=2 "${aws[@]}"
ignores "IKEv1, a first payload that isn't there" --nextpayload=200 "${aws[@]}"
ignores "IKEv1, a header that says more than there is" --headerlen=+16 "${aws[@]}"
ignores "IKEv1, a header that says less" --headerlen=-16 "${aws[@]}"
ignores "IKEv1, a cookie of nothing" --cookie=0000000000000000 "${aws[@]}"
check "the gateway lives" alive

# ---- a storm

for _ in $(seq 2000); do echo 198.51.100.1; done >"$work/targets"
# storm OPTION...
storm()
{
    in_device ike-scan --retry=1 --timeout=3000 --interval=700u --file="$work/targets" "$@" \
        >"$work/storm.log" 2>&1
    tail -n 1 "$work/storm.log" | grep '^Ending ike-scan'
}
count() { grep -c "$1" "$work/storm.log"; }
begin "2,000 probes from one address" storm --ikev2
cookies=$(count 'Notify message 16390') begun=$(count 'SA_INIT Handshake returned')
check "most are answered with a cookie" [ "$cookies" -ge 1500 ]
echo "$cookies cookies, $begun begun, $(half_open) in all"
check "which keeps nothing of them" [ "$begun" -le 110 ]
check "the gateway lives after the storm" alive
start_charon "$device" ss || { not_ok "strongSwan starts"; say_end; }
write_swanctl ss 203.0.113.7 198.51.100.1 192.168.0.0/16 10.0.0.0/16 "$psk" \
    aes128gcm16-prfsha256-ecp256 aes128gcm16-ecp256
check "strongSwan gets its tunnel" swanctl_of ss --initiate --child k --timeout 60
check "having brought the cookie" grep -E 'N\(COOKIE\) SA' "$work/ss/charon.log"
pings() { in_device ping -c 1 -W 1 -I 192.168.7.1 10.0.1.10; }
check "pings cross" until_true 30 pings
check "strongSwan closes it" swanctl_of ss --terminate --ike c --timeout 30

# IKEv1 can't ask for a cookie back before it keeps anything: what it keeps is bounded, and
# the oldest makes room.
arrived() { grep -c -e '-> HALF_OPEN' "$work/gateway.log"; }
left() { grep -c 'HALF_OPEN ->' "$work/gateway.log"; }
begin "2,000 of IKEv1" storm --sport=0 "${aws[@]}"
begun=$(count 'Main Mode Handshake returned')
kept=$(($(arrived) - $(left)))
echo "$begun begun, $kept of all are kept"
check "most of them are answered" [ "$begun" -ge 1500 ]
check "no more than 1,000 are kept" [ "$kept" -le 1000 ]
check "the gateway lives after that too" alive
ike_version=1
write_swanctl ss 203.0.113.7 198.51.100.1 192.168.0.0/16 10.0.0.0/16 "$psk" \
    aes128-sha1-modp1024 aes128-sha1-modp1024
check "strongSwan gets its tunnel with IKEv1" swanctl_of ss --initiate --child k --timeout 60
check "pings cross there" until_true 30 pings
begin "the gateway ends when it is told to" stop "$gateway"
say_end
