#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Both ends may open IP protocol 50 and no NAT is between them: ESP goes without UDP.
# Where one end is told to do without, or may not open it, it goes in UDP. No foreign peer plays here: strongSwan
# without the kernel's ESP has kernel-libipsec, which knows ESP in UDP alone.
. "$(dirname "$0")/lib/net.sh"
. "$(dirname "$0")/lib/capture.sh"
. "$(dirname "$0")/lib/pings.sh"

# capture NAME: on the wire; packets FILTER: how many of it pass.
capture()
{
    wire=$1
    capture_on "$cloud" v0 "$wire"
}
packets() { captured "$wire" "$1"; }

both_up() { [ "$(grep -c 'tunnel [12]: up' "$work/device.log")" -ge 2 ]; }

make_net
write_config "$work/bgp.xml" bgp
begin "the wire is captured" capture both
begin "the gateway plays the document" start_gateway "$work/bgp.xml" || say_end
begin "the device starts from it" start_device "$work/bgp.xml" || say_end
check "both tunnels come up" until_true 60 both_up || say_end
check "pings cross" until_true 60 in_device ping -c 1 -W 1 -I 192.168.7.1 10.0.1.10
check "long pings cross" until_true 30 in_device ping -c 3 -i 0.2 -W 1 -s 3000 -I 192.168.7.1 10.0.1.10
begin "20 MB from the office arrive whole" transfer "$device" 192.168.7.1 "$cloud" 10.0.1.10 20000000
begin "20 MB from the instance arrive whole" transfer "$cloud" 10.0.1.10 "$device" 192.168.7.1 20000000

rekeyed() { [ "$(grep -c 'child SA rekeyed' "$work/device.log")" -ge 2 ]; }
kill -USR1 "$device_pid"
check "the tunnels rekey" until_true 60 rekeyed
check "pings cross after it" pings_all "$device" 3 -i 0.2 -I 192.168.7.1 10.0.1.10
begin "the capture is whole" end_capture both
from_device="src 203.0.113.7 and ip proto 50" to_device="dst 203.0.113.7 and ip proto 50"
check "the device sends protocol 50" [ "$(packets "$from_device")" -gt 1000 ]
check "the gateway sends protocol 50" [ "$(packets "$to_device")" -gt 1000 ]
check "nothing goes through port 4500" [ "$(packets 'udp port 4500')" = 0 ]
check "IKE stays on port 500" [ "$(packets 'udp port 500')" -ge 8 ]
# Of full length but for the cipher's blocks: one a tunnel and end.
check "ESP goes without the DF bit" \
    [ "$(packets 'ip proto 50 and ip[6] & 0x40 != 0 and ip[2:2] <= 1484')" = 0 ]
check "but for the four probes of the path" [ "$(packets 'ip proto 50 and ip[6] & 0x40 != 0')" = 4 ]
check "no ESP packet is cut" [ "$(packets 'ip proto 50 and ip[6:2] & 0x3fff != 0')" = 0 ]
begin "the device ends when it is told to" stop "$device_pid"
begin "the gateway ends when it is told to" stop "$gateway"

# One end without it.
for without in gateway device privilege; do
    options=("" "")
    device_by=
    case $without in
    gateway) options[0]="--encapsulation udp" ;;
    device) options[1]="--encapsulation udp" ;;
    privilege) device_by="setpriv --bounding-set -net_raw" ;;
    esac
    begin "the wire is captured, without: $without" capture "no-$without"
    # shellcheck disable=SC2086 # an option or none
    begin "the gateway starts, without: $without" start_gateway "$work/bgp.xml" ${options[0]} || say_end
    # shellcheck disable=SC2086
    begin "the device starts, without: $without" start_device "$work/bgp.xml" ${options[1]} || say_end
    check "both tunnels come up, without: $without" until_true 60 both_up || say_end
    [ $without != privilege ] ||
        check "the device says that it may not" grep -q 'no right to use IP protocol 50' "$work/device.log"
    check "pings cross, without: $without" \
        until_true 60 in_device ping -c 1 -W 1 -I 192.168.7.1 10.0.1.10
    begin "the capture is whole, without: $without" end_capture "no-$without"
    check "ESP goes in UDP, without: $without" [ "$(packets 'udp port 4500 and udp[8:4] != 0')" -ge 8 ]
    check "no protocol 50, without: $without" [ "$(packets 'ip proto 50')" = 0 ]
    begin "the device ends, without: $without" stop "$device_pid"
    begin "the gateway ends, without: $without" stop "$gateway"
done
say_end
