#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Certificates with strongSwan: it calls our gateway, and our device calls it. RSA, ECDSA and
# RSA-PSS, with and without RFC 7427, a chain with an intermediate authority, names and
# distinguished names; whom nobody vouches for is refused with our words.
. "$(dirname "$0")/lib/net.sh"
. "$(dirname "$0")/lib/certificates.sh"
. "$(dirname "$0")/lib/capture.sh"

dn='O=Example, CN=device'
gateway_dn='O=Example, CN=gateway.example'
rsa_dn='O=Example, CN=gatewayrsa.example'
make_pki()
{
    ca_make && ca_issue "$pki" gateway "$gateway_dn" && ca_issue "$pki" gatewayrsa "$rsa_dn" --rsa &&
        ca_issue "$pki" p256 "$dn" && ca_sign p384 secp384r1 "$dn" &&
        ca_issue "$pki" rsa "$dn" --rsa && ca_issue "$strangers" foreign "$dn" &&
        ca_expired old "$dn" && ca_expired oldgateway "$gateway_dn" && ca_issue "$pki" revoked "$dn" && ca_revoke revoked
}

# charon_shows NAME CERTIFICATE: what it has to show, with the intermediate authority.
charon_shows()
{
    local conf=$work/$1/conf from=$pki

    [ "$2" != foreign ] || from=$strangers
    mkdir -p "$conf/x509" "$conf/x509ca" "$conf/private"
    rm -f "$conf"/x509/* "$conf"/x509ca/* "$conf"/private/*
    cp "$from/$2.own" "$conf/x509/own.pem"
    cp "$from/$2.key" "$conf/private/own.key"
    cp "$pki/ca.pem" "$pki/intermediate.pem" "$conf/x509ca"
    cp "$strangers/ca.pem" "$conf/x509ca/strangers.pem"
}

# write_connection NAME LOCAL REMOTE LOCAL_TS REMOTE_TS ID PEER_ID [AUTH]
write_connection()
{
    cat >"$work/$1/conf/swanctl.conf" <<CONF
connections {
  c {
    version = 2
    local_addrs = $2
    remote_addrs = $3
    encap = yes
    mobike = no
    fragmentation = yes
    send_cert = always
    proposals = aes128gcm16-prfsha256-ecp256
    local {
      auth = ${8:-pubkey}
      certs = own.pem
      id = "$6"
    }
    remote {
      auth = pubkey
      id = "$7"
    }
    children {
      k {
        local_ts = $4
        remote_ts = $5
        esp_proposals = aes128gcm16-ecp256
      }
    }
  }
}
CONF
    swanctl_of "$1" --load-creds --clear >"$work/$1/creds.log" 2>&1 &&
        swanctl_of "$1" --load-conns >"$work/$1/load.log" 2>&1
}

make_pki >"$work/pki.log" 2>&1 || { cat "$work/pki.log"; not_ok "certificates are made"; say_end; }
make_net
write_config "$work/static.xml" static
sed -i '/<pre_shared_key>/d; /203\.0\.113\.7/d' "$work/static.xml"
shows()
{
    echo "--certificate $pki/$1.pem --private-key $pki/$1.key --authorities $pki/ca.pem --crls $pki/crl.pem"
}
plugins='load = openssl random nonce hmac kdf aes sha1 sha2 pem pkcs1 pkcs8 x509 revocation constraints pubkey curve25519 gmp kernel-libipsec kernel-netlink socket-default updown vici'

# ---- strongSwan calls our gateway

# shellcheck disable=SC2046 # words
begin "the gateway plays the document" start_gateway "$work/static.xml" --route 192.168.0.0/16 \
    $(shows gateway) --device-certificate "$pki/p256.own" || say_end
charon_options=$plugins
start_charon "$device" ss || { not_ok "strongSwan starts"; say_end; }

# calls CERTIFICATE ID [AUTH]
calls()
{
    charon_shows ss "$1" &&
        write_connection ss 203.0.113.7 198.51.100.1 192.168.0.0/16 10.0.0.0/16 "$2" \
            "$gateway_dn" "${3:-pubkey}" || return 1
    swanctl_of ss --initiate --child k --timeout 30
}
crosses() { in_device ping -c 1 -W 1 -I 192.168.7.1 10.0.1.10; }
comes_up()
{
    calls "$@" && until_true 60 crosses || return 1
    swanctl_of ss --terminate --ike c --timeout 20
}
# is_refused CERTIFICATE WORDS...
is_refused()
{
    local lines

    lines=$(wc -l <"$work/gateway.log")
    ! calls "$1" "$dn" || return 1
    tail -n "+$lines" "$work/gateway.log" | grep -q "$2"
}

capture_on "$cloud" v0 wire udp
begin "strongSwan with ECDSA P-256 calls, by its name" comes_up p256 "$dn"
begin "with ECDSA P-384" comes_up p384 "$dn"
begin "with RSA" comes_up rsa "$dn"
begin "with RSA-PSS" comes_up rsa "$dn" 'rsa/pss-sha256'
begin "with RSA PKCS#1 and SHA2-384" comes_up rsa "$dn" 'rsa/pkcs1-sha384'
begin "by a domain name" comes_up p256 p256.example
begin "one of another authority is refused, in words" is_refused foreign 'no authority that is trusted here'
begin "one that has expired" is_refused old 'has expired'
begin "one that is revoked" is_refused revoked 'has been revoked'
begin "one of somebody else" is_refused gatewayrsa 'of nobody here: O=Example, CN=gatewayrsa.example'
begin "the capture is whole" end_capture wire
# SKF, RFC 7383: next payload 53 in the IKE header, behind the non-ESP marker
fragment='udp[8:4] = 0 and udp[28] = 53 and udp[30] = 35'
check "IKE_AUTH came in fragments" capture_has wire 4 "$fragment and src host 203.0.113.7"
check "and was answered in them" capture_has wire 4 "$fragment and src host 198.51.100.1"
kill "$charon"
wait "$charon" 2>/dev/null

charon_options="$plugins
  signature_authentication = no"
start_charon "$device" ss || { not_ok "strongSwan starts"; say_end; }
begin "without RFC 7427, ECDSA P-256" comes_up p256 "$dn"
begin "without it, ECDSA P-384" comes_up p384 "$dn"
begin "without it, RSA" comes_up rsa "$dn"
kill "$charon"
wait "$charon" 2>/dev/null
begin "the gateway ends" stop "$gateway"

# ---- our device calls strongSwan

ip -n "$cloud" addr add 10.0.1.10/32 dev lo
charon_options=$plugins
start_charon "$cloud" cloud || { not_ok "strongSwan starts"; say_end; }

# answers CERTIFICATE ID [AUTH]
answers()
{
    charon_shows cloud "$1" &&
        write_connection cloud 198.51.100.1 0.0.0.0/0 10.0.0.0/16 0.0.0.0/0 "$2" "$dn" "${3:-pubkey}"
}
up() { grep -q 'tunnel 1: up' "$work/device.log"; }
# is_called CERTIFICATE PEER_IDENTITY
is_called()
{
    # shellcheck disable=SC2046
    start_device "$work/static.xml" --route 10.0.0.0/16 $(shows "$1") --peer-identity "$2" \
        --control "$work/control" && until_true 60 up && until_true 60 crosses || return 1
    "$build/examples/s2svpn-device" status --control "$work/control" >"$work/status.log"
    stop "$device_pid"
}
says() { grep -q -- "$1" "$work/device.log"; }
# is_not_taken CERTIFICATE PEER_IDENTITY WORDS
is_not_taken()
{
    local rc=0

    # shellcheck disable=SC2046
    start_device "$work/static.xml" --route 10.0.0.0/16 $(shows "$1") --peer-identity "$2" \
        --control "$work/control" && until_true 60 says "$3" || rc=1
    ! up || rc=1
    stop "$device_pid"
    return "$rc"
}
answers gateway "$gateway_dn"
begin "our device with ECDSA P-256 calls strongSwan" is_called p256 "$gateway_dn"
check "status says by whose certificate, and until when" \
    grep -q "the peer's: O=Example, CN=gateway.example, valid until" "$work/status.log"
check "and until when ours is valid" grep -q 'our certificate: O=Example, CN=device, valid until' \
    "$work/status.log"
begin "with ECDSA P-384" is_called p384 "$gateway_dn"
begin "with RSA" is_called rsa "$gateway_dn"
answers gateway gateway.example
begin "a gateway with a domain name" is_called p256 gateway.example
begin "one that is not the expected one says so" is_not_taken p256 other.example \
    'the peer reports that authentication failed'
answers gatewayrsa "$rsa_dn" 'rsa/pss-sha256'
begin "a gateway with RSA-PSS" is_called rsa "$rsa_dn"
begin "one whose subject is another is refused" is_not_taken rsa "$gateway_dn" "somebody else's"
answers foreign "$dn"
begin "one of another authority is refused" is_not_taken p256 "$dn" \
    'no authority that is trusted here'
answers oldgateway "$gateway_dn"
begin "one that has expired" is_not_taken p256 "$gateway_dn" 'has expired'
answers revoked "$dn"
begin "one that is revoked" is_not_taken p256 "$dn" 'has been revoked'
kill "$charon"
wait "$charon" 2>/dev/null

charon_options="$plugins
  signature_authentication = no"
start_charon "$cloud" cloud || { not_ok "strongSwan starts"; say_end; }
answers gateway "$gateway_dn"
begin "without RFC 7427, ECDSA P-256" is_called p256 "$gateway_dn"
answers gatewayrsa "$rsa_dn"
begin "without it, RSA" is_called rsa "$rsa_dn"
say_end
