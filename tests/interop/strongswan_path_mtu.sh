#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Links of 1280 to 9000 bytes between us and strongSwan, the narrow one beyond a router or
# our own: a ping of the largest inner size passes uncut, one byte more is told "too big"
# and how much would fit, and 20 MB of TCP pass whole. We send 1,500 bytes outside at most,
# however wide the path.
. "$(dirname "$0")/lib/net.sh"
. "$(dirname "$0")/lib/middle.sh"

psk=interop.test_key.0123456789
control=$work/control

pings() { in_device ping -c 1 -W 1 -I 192.168.7.1 10.0.1.10; }
# expected WIRE: what fits into a tunnel: IP, UDP, SPI and sequence, IV, ICV; then a multiple
# of four with two bytes of trailer.
expected()
{
    local wire=$(($1 < 1500 ? $1 : 1500))
    echo $(((wire - 20 - 8 - 8 - 8 - 16) / 4 * 4 - 2))
}
# fits NAMESPACE FROM TO SIZE, and too_big: of an IP packet.
fits() { ip netns exec "$1" ping -M 'do' -s $(($4 - 28)) -c 2 -i 0.1 -W 1 -I "$2" "$3" | grep ' 0% packet loss'; }
too_big()
{
    ip netns exec "$1" ping -M 'do' -s $(($4 - 27)) -c 2 -i 0.1 -W 1 -I "$2" "$3" 2>&1 |
        tee "$work/told.log" | grep -E "mtu ?= ?$4\b"
}
mtu_is() { "$build/examples/s2svpn-device" status --control "$control" | grep "MTU $1,"; }

# through NAME WIRE NAMESPACE FROM TO: the inner size is exact. strongSwan's kernel learns of
# a narrow link by losing what doesn't fit, so that a ping may have to be repeated.
through()
{
    local name=$1 most
    most=$(expected "$2")
    shift 2

    check "$name: an inner packet of $most bytes passes uncut" until_true 30 fits "$@" "$most"
    check "$name: one of $((most + 1)) is told what would fit" until_true 30 too_big "$@" "$most"
    check "$name: and may pass in pieces" until_true 30 \
        ip netns exec "$1" ping -M dont -s 4000 -c 1 -W 1 -I "$2" "$3"
}

# As wide as the wire, so that it is the tunnel that says how much fits. strongSwan's own
# TUN device stays at the 1,400 bytes that it reads at most.
widen() { ip -n "$1" link set "$2" mtu 1500; }

make_middle
write_config "$work/static.xml" static "$psk"
sed -i 's/clear_df_bit>true/clear_df_bit>false/' "$work/static.xml"

# ---- the device; strongSwan in the cloud

ip -n "$cloud" addr add 10.0.1.10/32 dev lo
start_charon "$cloud" cloud || { not_ok "strongSwan starts"; say_end; }
write_swanctl cloud 198.51.100.1 203.0.113.7 10.0.0.0/16 0.0.0.0/0 "$psk" \
    aes128-sha256-modp2048 aes128gcm16-modp2048

# device_through WEST EAST
device_through()
{
    local name=$(($1 < $2 ? $1 : $2))

    links "$1" "$2"
    [ "$1" -ge "$2" ] || name="$name of our own"
    begin "$name: the device starts from the document" start_device "$work/static.xml" \
        --route 10.0.0.0/16 --control "$control"
    widen "$device" lan0
    check "$name: pings cross" until_true 60 pings
    check "$name: the tunnel knows" until_true 60 mtu_is "$(expected "${name%% *}")"
    through "$name" "${name%% *}" "$device" 192.168.7.1 10.0.1.10
    if [ "$name" = 1280 ] || [ "$name" = 9000 ]; then
        begin "$name: 20 MB from the office arrive whole" transfer "$device" 192.168.7.1 "$cloud" 10.0.1.10 20000000
        begin "$name: 20 MB from the cloud arrive whole" transfer "$cloud" 10.0.1.10 "$device" 192.168.7.1 20000000
    fi
    begin "$name: the device ends when it is told to" stop "$device_pid"
}

device_through 9000 1280
device_through 9000 1400
device_through 9000 1500
device_through 9000 9000
device_through 1280 9000
stop "$charon"
ip -n "$cloud" addr del 10.0.1.10/32 dev lo

# ---- the gateway; strongSwan as the device

start_charon "$device" ss || { not_ok "strongSwan starts"; say_end; }
write_swanctl ss 203.0.113.7 198.51.100.1 192.168.0.0/16 10.0.0.0/16 "$psk" \
    aes128-sha256-modp2048 aes128gcm16-modp2048

# gateway_through WEST EAST
gateway_through()
{
    local name="gateway, $1"

    links "$1" "$2"
    begin "$name: the gateway plays the document" start_gateway "$work/static.xml" --route 192.168.0.0/16
    widen "$cloud" inst
    check "$name: the tunnel comes up" swanctl_of ss --initiate --child k --timeout 60
    check "$name: pings cross" until_true 60 pings
    through "$name" "$1" "$cloud" 10.0.1.10 192.168.7.1
    begin "$name: 20 MB from the office arrive whole" transfer "$device" 192.168.7.1 "$cloud" 10.0.1.10 20000000
    begin "$name: 20 MB from the instance arrive whole" transfer "$cloud" 10.0.1.10 "$device" 192.168.7.1 20000000
    swanctl_of ss --terminate --ike c --timeout 30 >/dev/null 2>&1
    begin "$name: the gateway ends when it is told to" stop "$gateway"
}

gateway_through 1280 9000
gateway_through 9000 9000
say_end
