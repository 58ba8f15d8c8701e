#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# libreswan's pluto, as far as it goes without ESP in the kernel: IKE_SA_INIT and IKE_AUTH
# in both roles, with keys that agree and with keys that don't, and the same of IKEv1. Both
# sides authenticate each other and report the suite; then pluto finds that its kernel can't
# hold the child ("Function not implemented") and drops the IKE SA, so no packet crosses here.
#
# Debian's libreswan and strongSwan can't be installed at once. So libreswan's package is
# fetched and unpacked beside the build; pluto runs in a mount namespace where its helper
# is at the path that is compiled in.
# OpenIKED's iked does no IKE without PF_KEY: where the kernel lacks it (CONFIG_NET_KEY) it
# ends with "pfkey_socket: failed to open PF_KEY socket: Address family not supported by
# protocol", having checked its configuration (iked -n).
. "$(dirname "$0")/lib/net.sh"

psk=interop.test_key.0123456789
unpacked=$build/peers/libreswan
pluto=$work/pluto

# Into a folder of its own that appears when it is whole.
fetch()
{
    local fresh=$work/fetched

    [ -x "$unpacked/usr/libexec/ipsec/pluto" ] && return 0
    command -v apt-get >/dev/null && [ -d /usr/libexec ] || return 1
    mkdir -p "$fresh" "$build/peers" &&
        (cd "$fresh" && apt-get download -q libreswan) && dpkg -x "$fresh"/libreswan_*.deb "$fresh/root" &&
        rm -rf "$unpacked" && cp -r "$fresh/root" "$unpacked"
}
whack() { timeout 30 ip netns exec "$space" "$unpacked/usr/libexec/ipsec/whack" --ctlsocket "$pluto/pluto.ctl" "$@"; }

# start_pluto NAMESPACE
start_pluto()
{
    space=$1
    rm -rf "$pluto"
    mkdir -p "$pluto/nss" "$pluto/d"
    certutil -N -d "sql:$pluto/nss" --empty-password || return 1
    printf 'config setup\n\tuniqueids=yes\n\tikev1-policy=accept\n' >"$pluto/ipsec.conf"
    echo "203.0.113.7 198.51.100.1 : PSK \"$psk\"" >"$pluto/ipsec.secrets"
    # shellcheck disable=SC2016 # for the inner shell
    start "$space" "$work/pluto.log" unshare -m --propagation private sh -c \
        'mount --bind "$1/usr/libexec" /usr/libexec && cd "$2" && exec "$1/usr/libexec/ipsec/pluto" \
            --config ipsec.conf --nofork --stderrlog --rundir "$2" --secretsfile ipsec.secrets \
            --nssdir "$2/nss" --ipsecdir "$2/d" --no-dnssec' sh "$unpacked" "$pluto"
    pluto_pid=$started
    until_true 60 grep 'loading secrets' "$work/pluto.log"
}

# connection LOCAL REMOTE LOCAL_NET REMOTE_NET IKE: it is made anew.
connection()
{
    whack --name c --delete
    cat >"$pluto/ipsec.conf" <<CONF
config setup
	uniqueids=yes
	ikev1-policy=accept
conn c
	left=$1
	leftid=$1
	leftsubnet=$3
	right=$2
	rightid=$2
	rightsubnet=$4
	authby=secret
	ikev2=${ikev2:-insist}
	encapsulation=yes
	ike=$5
	esp=aes_gcm128
	auto=ignore
CONF
    timeout 30 ip netns exec "$space" "$unpacked/usr/libexec/ipsec/addconn" \
        --ctlsocket "$pluto/pluto.ctl" --config "$pluto/ipsec.conf" c
    tail -n 20 "$work/pluto.log" | grep 'added IKEv[12] connection'
}
since() { tail -n "+$from" "$1" | grep -E "$2"; }
mark() { from=$(($(wc -l <"$1") + 1)); }

# begins SUITE PLUTO_SAYS WE_SAY
begins()
{
    local from rc

    connection 203.0.113.7 198.51.100.1 192.168.0.0/16 10.0.0.0/16 "$1" || return 1
    mark "$work/gateway.log"
    whack --name c --initiate --asynchronous >"$work/whack.log" 2>&1
    until_true 30 since "$work/gateway.log" "IKE SA up: $3\$" || return 1
    until_true 30 grep -F "sent IKE_AUTH request {$2}" "$work/pluto.log" &&
        until_true 30 grep "initiator established IKE SA; authenticated peer using authby=secret and ID_IPV4_ADDR '198.51.100.1'" "$work/pluto.log" &&
        until_true 30 grep 'netlink response for Add SA.*Function not implemented' "$work/pluto.log"
    rc=$?
    whack --name c --delete
    : >"$work/pluto.log"
    return "$rc"
}

# answers SUITE PLUTO_SAYS ENCRYPTION HASH GROUP: the device begins with these words of the
# document; pluto refuses the child, and with it what it has agreed to.
answers()
{
    local rc

    sed "/<ike>/,/<.ike>/{ s/group2</group$5</; s/>sha1</>$4</; s/aes-128-cbc/$3/; }
        /<ipsec>/,/<.ipsec>/{ s/aes-128-cbc/aes-128-gcm-16/; s/hmac-sha1-96/none/; }" \
        "$work/static.xml" >"$work/answers.xml"
    connection 198.51.100.1 203.0.113.7 0.0.0.0/0 0.0.0.0/0 "$1" &&
        start_device "$work/answers.xml" --exact --route 10.0.0.0/16 || return 1
    until_true 60 grep "responder established IKE SA; authenticated peer using authby=secret and ID_IPV4_ADDR '203.0.113.7'" "$work/pluto.log" &&
        grep -F "sent IKE_SA_INIT reply {$2}" "$work/pluto.log" &&
        until_true 30 grep '1: IKE SA AUTH_SENT -> CLOSING' "$work/device.log" &&
        until_true 30 grep 'tunnel 1: down.*the peer refuses ours' "$work/device.log"
    rc=$?
    tail -n 20 "$work/pluto.log"
    stop "$device_pid"
    : >"$work/pluto.log"
    return "$rc"
}

begin "libreswan is fetched and unpacked" fetch || say_end
make_net
write_config "$work/static.xml" static "$psk"
begin "the gateway plays the document" start_gateway "$work/static.xml" --route 192.168.0.0/16 || say_end
begin "pluto starts" start_pluto "$device" || say_end
gcm='cipher=AES_GCM_16_128 integ=n/a prf=HMAC_SHA2_256 group=DH19'
begin "pluto begins, AES128-GCM-16 SHA2-256, group 19" begins aes_gcm128-sha2_256-dh19 "$gcm" \
    AES_GCM_16_128/PRF_HMAC_SHA2_256/ECP_256
begin "pluto begins, AES256 SHA2-512, group 14" begins aes256-sha2_512-dh14 \
    'cipher=AES_CBC_256 integ=HMAC_SHA2_512_256 prf=HMAC_SHA2_512 group=MODP2048' \
    AES_CBC_256/HMAC_SHA2_512_256/PRF_HMAC_SHA2_512/MODP_2048
begin "pluto begins, AES128 SHA1, group 18" begins aes128-sha1-dh18 \
    'cipher=AES_CBC_128 integ=HMAC_SHA1_96 prf=HMAC_SHA1 group=MODP8192' \
    AES_CBC_128/HMAC_SHA1_96/PRF_HMAC_SHA1/MODP_8192
begin "pluto begins, AES256-GCM-16 SHA2-384, group 21" begins aes_gcm256-sha2_384-dh21 \
    'cipher=AES_GCM_16_256 integ=n/a prf=HMAC_SHA2_384 group=DH21' \
    AES_GCM_16_256/PRF_HMAC_SHA2_384/ECP_521

# begins_1 SUITE PLUTO_SAYS WE_SAY: with IKEv1; pluto has taken quick mode's second message
# when it asks its kernel.
begins_1()
{
    local ikev2=no from rc

    connection 203.0.113.7 198.51.100.1 192.168.0.0/16 10.0.0.0/16 "$1" || return 1
    mark "$work/gateway.log"
    whack --name c --initiate --asynchronous >"$work/whack.log" 2>&1
    until_true 30 since "$work/gateway.log" "IKE SA up: $3\$" &&
        until_true 30 grep -F "SA established {auth=PRESHARED_KEY $2}" "$work/pluto.log" &&
        until_true 30 grep 'Function not implemented' "$work/pluto.log"
    rc=$?
    tail -n 30 "$work/pluto.log"
    whack --name c --delete
    : >"$work/pluto.log"
    return "$rc"
}
begin "pluto begins, IKEv1, AES128 SHA1, group 14" begins_1 aes128-sha1-dh14 \
    'cipher=AES_CBC_128 integ=HMAC_SHA1 group=MODP2048' AES_CBC_128/PRF_HMAC_SHA1/MODP_2048
begin "pluto begins, IKEv1, AES256 SHA2-256, group 19" begins_1 aes256-sha2_256-dh19 \
    'cipher=AES_CBC_256 integ=HMAC_SHA2_256 group=DH19' AES_CBC_256/PRF_HMAC_SHA2_256/ECP_256

wrong_key()
{
    local from rc

    sed -i 's/PSK ".*"/PSK "another.key.0123456789"/' "$pluto/ipsec.secrets"
    whack --rereadsecrets
    connection 203.0.113.7 198.51.100.1 192.168.0.0/16 10.0.0.0/16 aes_gcm128-sha2_256-dh19 || return 1
    mark "$work/gateway.log"
    whack --name c --initiate --asynchronous
    until_true 30 since "$work/gateway.log" 'pre-shared keys differ' &&
        until_true 30 grep AUTHENTICATION_FAILED "$work/pluto.log"
    rc=$?
    whack --name c --delete
    return "$rc"
}
begin "a wrong key is told to pluto, and named here" wrong_key
check "the gateway lives" kill -0 "$gateway"
stop "$pluto_pid"
stop "$gateway"

begin "pluto starts in the cloud" start_pluto "$cloud" || say_end
begin "pluto answers, AES128-GCM-16 SHA2-256, group 19" answers aes_gcm128-sha2_256-dh19 "$gcm" \
    aes-128-gcm-16 sha2-256 19
begin "pluto answers, AES256 SHA2-384, group 15" answers aes256-sha2_384-dh15 \
    'cipher=AES_CBC_256 integ=HMAC_SHA2_384_192 prf=HMAC_SHA2_384 group=MODP3072' aes-256-cbc sha2-384 15

# answers_1: with IKEv1; pluto has taken quick mode's first message when it asks its kernel.
answers_1()
{
    local ikev2=no rc

    sed '/<ike>/,/<.ike>/{ s/group2</group14</; s/>sha1</>sha2-256</; s/aes-128-cbc/aes-256-cbc/; }
        /<ipsec>/,/<.ipsec>/{ s/group2</group14</; s/aes-128-cbc/aes-128-gcm-16/; s/hmac-sha1-96/none/; }' \
        "$work/static.xml" >"$work/answers.xml"
    connection 198.51.100.1 203.0.113.7 0.0.0.0/0 0.0.0.0/0 aes256-sha2_256-dh14 &&
        start_device "$work/answers.xml" --exact --ike 1 --route 10.0.0.0/16 || return 1
    until_true 60 grep -F 'SA established {auth=PRESHARED_KEY cipher=AES_CBC_256 integ=HMAC_SHA2_256 group=MODP2048' \
        "$work/pluto.log" &&
        until_true 30 grep '1: IKE SA up: AES_CBC_256/PRF_HMAC_SHA2_256/MODP_2048' "$work/device.log" &&
        until_true 30 grep 'Function not implemented' "$work/pluto.log"
    rc=$?
    tail -n 20 "$work/pluto.log"
    stop "$device_pid"
    return "$rc"
}
begin "pluto answers, IKEv1, AES256 SHA2-256, group 14" answers_1
say_end
