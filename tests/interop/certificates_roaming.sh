#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Our two ends with certificates; the customer gateway has no address. The device moves to
# other networks and comes back; certificates are renewed without an outage; a revoked one is
# closed, in words.
#
#   device 203.0.113.7, later 203.0.113.99 and behind another network ──── cloud
. "$(dirname "$0")/lib/net.sh"
. "$(dirname "$0")/lib/certificates.sh"
. "$(dirname "$0")/lib/pings.sh"

says() { grep -q -- "$1" "$work/$2.log"; }
up() { says 'tunnel 1: up' device && says 'tunnel 2: up' device; }
crosses() { in_device ping -c 1 -W 1 -I 192.168.7.1 10.0.1.10; }
# files NAME: a side's, which may be replaced
files()
{
    echo "--certificate $pki/now-$1.pem --private-key $pki/now-$1.key --authorities $pki/ca.pem --crls $pki/crl.pem"
}
# shows NAME OTHER: from now on that side has OTHER's
shows()
{
    cp "$pki/$2.pem" "$pki/now-$1.pem" && cp -p "$pki/$2.key" "$pki/now-$1.key"
}
device_dn='O=Example, CN=device.example'
make_pki()
{
    ca_make && ca_issue "$pki" gateway 'O=Example, CN=gateway.example' &&
        ca_issue "$pki" device "$device_dn" && ca_issue "$pki" renewed "$device_dn" &&
        ca_issue "$pki" ending "$device_dn" --days 10 && shows gateway gateway && shows device ending
}
# live_at ADDRESS [SOURCE]: the interface's only one.
live_at()
{
    in_device ip addr flush dev v0
    in_device ip addr add "$1/32" dev v0
    in_device ip route replace 198.51.100.0/24 dev v0 src "$1"
}
# how often it has happened
count() { grep -c -- "$1" "$work/$2.log"; }
more() { [ "$(count "$1" "$2")" -gt "$3" ]; }

make_pki >"$work/pki.log" 2>&1 || { cat "$work/pki.log"; not_ok "certificates are made"; say_end; }
make_net
ip -n "$cloud" route add 192.0.2.0/24 dev v0 src 198.51.100.1
write_config "$work/static.xml" static
sed -i '/<pre_shared_key>/d; /203\.0\.113\.7/d' "$work/static.xml"
# shellcheck disable=SC2046 # words
begin "the gateway plays a document without key and address" start_gateway "$work/static.xml" \
    --route 192.168.0.0/16 $(files gateway) --device-certificate "$pki/device.own" || say_end

chmod 640 "$pki/now-device.key"
# shellcheck disable=SC2046
start "$device" "$work/device.log" "$build/examples/s2svpn-device" --tun lan0 --control \
    "$work/control" $(files device) "$work/static.xml"
begin "a key that others may read is refused" until_true 20 ended "$started"
check "in words" says 'others than its owner may use it' device
chmod 600 "$pki/now-device.key"
begin "a document without key needs certificates" until_true 20 sh -c "! \"\$@\" 2>\"$work/device.log\"" - \
    "$build/examples/s2svpn-device" --check "$work/static.xml"
check "which is said" says 'it has no pre-shared key, and there is no --certificate' device

# shellcheck disable=SC2046
begin "the device starts from it" start_device "$work/static.xml" --route 10.0.0.0/16 \
    --control "$work/control" $(files device) --peer-identity 'O=Example, CN=gateway.example' ||
    say_end
check "it warns that its certificate ends soon" until_true 30 says \
    'our certificate expires in [0-9]* days' device
check "both tunnels come up" until_true 60 up
check "pings cross" until_true 60 crosses

# Children and IKE SAs go on: nobody shakes hands anew.
moved()
{
    live_at "$1"
    until_true 60 crosses
}
ups=$(count 'IKE SA up' gateway)
check "with another address pings cross again" moved 203.0.113.99
check "with one of another network, too" moved 192.0.2.5
check "and back at the first one" moved 203.0.113.7
in_device ip addr flush dev v0
sleep 2
check "and after a while without any" moved 203.0.113.7
same_sas() { [ "$(count 'IKE SA up' gateway)" = "$ups" ]; }
check "nobody had to shake hands anew" same_sas

renew()
{
    shows device renewed
    kill -HUP "$device_pid"
    until_true 20 says "serial.*valid until" device && until_true 20 more 'our certificate' device "$1"
}
pings_on "$device" "$work/ping.log" -i 0.05 -I 192.168.7.1 10.0.1.10
pings_go_on "$work/ping.log" 20
begin "a renewed certificate is read on SIGHUP" renew "$(count 'our certificate' device)"
pings_go_on "$work/ping.log" 20
pings_off "$work/ping.log" >/dev/null
check "and loses no ping" none_lost "$work/ping.log" 40
check "nor ends a tunnel" same_sas
echo nothing >"$pki/now-device.pem"
kill -HUP "$device_pid"
check "one that is none is named" until_true 20 says 'now-device.pem: ' device
check "and what was there stays" crosses
shows device renewed

restart()
{
    stop "$device_pid"
    live_at 192.0.2.77
    # shellcheck disable=SC2046
    start_device "$work/static.xml" --route 10.0.0.0/16 --control "$work/control" \
        $(files device) --peer-identity 'O=Example, CN=gateway.example' && until_true 60 crosses
}
begin "the device starts anew elsewhere, with the renewed one" restart

revoke()
{
    ca_revoke "$1" && kill -HUP "$gateway"
}
begin "a list with somebody else's on it comes" revoke ending
until_true 20 more 'certificates read again' gateway 0
check "and nothing happens" crosses
begin "one with the device's comes" revoke renewed
check "its tunnels are closed, in words" until_true 20 says \
    "the peer's certificate has been revoked: O=Example, CN=device.example" gateway
check "and it is refused from then on" until_true 60 says 'authentication failed: .*has been revoked' gateway
begin "the device ends when it is told to" stop "$device_pid"
say_end
