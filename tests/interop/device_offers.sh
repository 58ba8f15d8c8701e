#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# strongSwan plays an endpoint of VPN-Classic, which has AES-128, SHA-1 and group 2 alone:
# s2svpn-device, started from the document as it is, comes up all the same, and warns.
. "$(dirname "$0")/lib/net.sh"

psk=interop.test_key.0123456789
classic=aes128-sha1-modp1024

says() { grep -q -- "$1" "$work/device.log"; }
count() { grep -c -- "$1" "$work/device.log"; }
up() { says 'tunnel 1: up'; }
no() { ! "$@"; }

make_net
write_config "$work/static.xml" static "$psk"
ip -n "$cloud" addr add 10.0.1.10/32 dev lo
start_charon "$cloud" ss || { not_ok "strongSwan starts"; say_end; }
write_swanctl ss 198.51.100.1 203.0.113.7 10.0.0.0/16 0.0.0.0/0 "$psk" $classic $classic

begin "the device starts from the document" start_device "$work/static.xml" --route 10.0.0.0/16 || say_end
check "it comes up within seconds" until_true 20 up
check "it has warned" says 'warning: .*tunnel 1: the peer refused all strong algorithms'
check "and said what was offered before" says 'no common proposal for IKE; offered: AES128'
check "pings cross" until_true 60 in_device ping -c 1 -W 1 -I 192.168.7.1 10.0.1.10
check "strongSwan's algorithms are those" sh -c \
    "STRONGSWAN_CONF=$work/ss/strongswan.conf swanctl --list-sas | grep -q 'AES_CBC-128/HMAC_SHA1_96/PRF_HMAC_SHA1/MODP_1024'"
kill -USR1 "$device_pid"
rekeyed() { says 'child SA rekeyed'; }
check "the child is rekeyed with group 2" until_true 60 rekeyed
begin "the device ends" stop "$device_pid"

begin "with --minimum it starts" start_device "$work/static.xml" --route 10.0.0.0/16 --minimum
check "comes up" until_true 60 up
check "and nothing is refused on the way" no says 'tunnel 1: .*no common proposal'
begin "it ends" stop "$device_pid"

# What the document names isn't what the peer wants.
write_swanctl ss 198.51.100.1 203.0.113.7 10.0.0.0/16 0.0.0.0/0 "$psk" \
    aes256-sha512-ecp521 aes256-sha512-ecp521
begin "with --exact it starts" start_device "$work/static.xml" --route 10.0.0.0/16 --exact
refused() { says 'tunnel 1: down.*no common proposal for IKE; offered: AES128, SHA1, groups 2'; }
check "it says what was offered in vain" until_true 60 refused
check "nothing else is tried" no says 'tunnel 1: .*refused all strong'
begin "with --minimum it ends" stop "$device_pid"
begin "as it is, it starts" start_device "$work/static.xml" --route 10.0.0.0/16
check "and comes up with what is strong" until_true 60 up
check "at once" no says 'tunnel 1: .*no common proposal'
begin "as it is, it ends" stop "$device_pid"
say_end
