#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# s2svpn-device from outside: its control socket, its log, what it tells a service manager
# and what privileges it keeps.
. "$(dirname "$0")/lib/net.sh"

id=vpn-0123456789abcdef0
program=$build/examples/s2svpn-device
control=$work/run/control

ask() { "$program" "$@" --control "$control" >"$work/out" 2>&1; }
prints() { grep -qE -- "$1" "$work/out"; }
no() { ! "$@"; }
# json COMMAND EXPRESSION: of what comes back, as d.
json()
{
    ask "$1" --json && python3 -c 'import json, sys; d = json.load(open(sys.argv[1]))
sys.exit(not eval(f"({sys.argv[2]})"))' "$work/out" "$2"
}
both_up() { json status 'd["connections"][0]["up"] == 2'; }

make_net
write_config "$work/bgp.xml" bgp
chmod 600 "$work/bgp.xml"
begin "the gateway plays the document" start_gateway "$work/bgp.xml" || say_end
python3 "$here/tests/interop/lib/notify.py" "$work/notify" >"$work/notified" &
pids+=($!)
until_true 30 test -S "$work/notify"

# As a service of systemd would run: its socket to tell, its journal behind standard error.
: >"$work/device.log"
JOURNAL_STREAM=$(stat -c %d:%i "$work/device.log") NOTIFY_SOCKET=$work/notify \
    begin "the device starts" start_device "$work/bgp.xml" --control "$control" --keep-keys || say_end
check "both tunnels come up" until_true 60 both_up

# ---- what is to be seen

check "the service manager is told that it is ready" until_true 30 grep -qx READY=1 "$work/notified"
check "and which process it is" until_true 30 grep -qx "MAINPID=$device_pid" "$work/notified"
check "and how many tunnels are up" until_true 30 grep -qx 'STATUS=2 of 2 tunnels up' "$work/notified"
check "the journal gets priorities" grep -q "^<6>$id: tunnel 1: up$" "$work/device.log"
check "for warnings too" grep -q '^<4>' "$work/device.log"
unnamed() { grep -E '^<.>tunnel ' "$work/device.log"; }
check "each line on a tunnel names its connection" no unnamed
check "the socket is its owner's alone" test "$(stat -c %a "$control")" = 600
check "status tells of both tunnels" ask status
for words in "^$id: 2 of 2 tunnels up, BGP, " '  tunnel 1: up \(for ' 'BGP Established, 1 routes' \
    '203.0.113.7[^ ]* -> 198.51.100.2[^ ]*, ESP as IP protocol 50' 'IKE AES_.*; ESP AES_'; do
    check "status says: $words" prints "$words"
done
check "status --json tells the same" json status \
    'd["tun"] == "lan0" and [t["name"][-2:] for t in d["connections"][0]["tunnels"]] == [".1", ".2"]
    and all(t["up"] and t["phase"] == "UP" and t["bgp"] == "Established" and t["routes"] == 1
            and t["reason"] == "" for t in d["connections"][0]["tunnels"])'
check "no key is in it" no prints interop.test_key
learned='[r["prefix"] for r in d["routes"]] == ["10.0.0.0/16"] and d["routes"][0]["origin"] == "bgp"'
check "routes tells what was learned" json routes "$learned and d['routes'][0]['tunnel'] == '$id.1'"
check "and that nothing was put into the host's table" \
    json routes 'not d["routes"][0]["installed"] and d["exempt"] == [] and d["addresses"] == []'

# ---- what can be asked for

# rekeyed TUNNEL TIMES: and what was replaced is gone.
rekeyed()
{
    [ "$(grep -c "tunnel $1: child SA rekeyed" "$work/device.log")" -ge "$2" ] &&
        [ "$(grep -c "tunnel $1: child SA [0-9a-f]* ended: replaced" "$work/device.log")" -ge "$2" ]
}
both_rekeyed() { rekeyed 1 "$1" && rekeyed 2 "$2"; }
check "rekey of one tunnel" ask rekey "$id.2"
check "rekeys that one" until_true 30 rekeyed 2 1
check "and not the other" no rekeyed 1 1
check "rekey of the connection" ask rekey "$id"
check "rekeys both" until_true 30 both_rekeyed 1 2
check "rekey of all" ask rekey
check "rekeys both too" until_true 30 both_rekeyed 2 3
check "rekey of another is refused" no ask rekey "$id.3"
check "in words" prints 'there is no connection or tunnel'

check "down closes the tunnels" ask down "$id"
closed() { [ "$(grep -c 'idle: closed by the peer' "$work/gateway.log")" -ge 2 ]; }
check "the gateway is told" until_true 30 closed
check "status says who did it" until_true 30 json status 'd["connections"][0]["down"] and
    d["connections"][0]["tunnels"][0]["phase"] == "STOPPED" and
    "by this side" in d["connections"][0]["tunnels"][0]["reason"]'
check "nothing is learned any more" until_true 30 json routes 'd["routes"] == []'
check "a rekey has nothing to rekey" no ask rekey
check "up brings them back" ask up
check "both" until_true 60 both_up
check "down of another is refused" no ask down vpn-none

# ---- captures

capture()
{
    "$program" capture "$id.1" --pcap "$work/wire.pcap" --keylog "$work/keys" --seconds 8 \
        --control "$control" >"$work/capture.log" 2>&1 &
    local pid=$!

    until_true 30 test -s "$work/wire.pcap"
    in_device ping -c 10 -i 0.1 -W 1 -I 192.168.7.1 10.0.1.10 || return 1
    wait "$pid"
}
mkdir -m 700 "$work/keys"
check "pings cross" until_true 60 in_device ping -c 1 -W 1 -I 192.168.7.1 10.0.1.10
begin "a capture of a tunnel that is up" capture
check "says what it caught" grep -qE '^[0-9]+ packets captured, 0 lost$' "$work/capture.log"
private() { [ "$(stat -c %a "$work/wire.pcap" "$work"/keys/* | sort -u)" = 600 ]; }
check "its files are their owner's alone" private
if command -v tshark >/dev/null; then
    decrypted()
    {
        WIRESHARK_CONFIG_DIR=$work/keys tshark -n -r "$work/wire.pcap" \
            -o esp.enable_encryption_decode:TRUE -o esp.enable_authentication_check:TRUE \
            -Y "$1" 2>/dev/null
    }
    pings() { [ "$(decrypted 'icmp.type == 8 && ip.dst == 10.0.1.10' | wc -l)" -ge 10 ]; }
    check "tshark decrypts the pings with the keys from before" pings
    other() { decrypted 'ip.addr == 198.51.100.2' | grep .; }
    check "the other tunnel's packets aren't in it" no other
else
    skip "tshark decrypts the capture" "no tshark"
fi
check "a key is given with a warning" grep -q "^<4>$id.1: session keys are given" "$work/device.log"
check "a capture without seconds ends with its client" \
    no timeout 1 "$program" capture "$id.2" --pcap "$work/w2" --seconds 0 --control "$control"
check "capture of no tunnel is refused" no ask capture "$id" --pcap "$work/none"

# ---- clients that behave badly

for case in nonsense pieces endless unread silent; do
    check "clients: $case" python3 "$here/tests/interop/lib/clients.py" "$control" "$case"
done
check "the device is well" both_up
second()
{
    in_cloud timeout 30 "$program" --control "$control" --tun lan1 --local 198.51.100.1 \
        --ports 1500,14500 "$work/bgp.xml" >"$work/out" 2>&1
    [ $? = 1 ]
}
check "a second device at the same socket is refused" second
check "in words, that one is at work" prints 'another s2svpn-device is at work'
begin "the device ends when it is told to" stop "$device_pid"
check "the service manager is told" until_true 30 grep -qx STOPPING=1 "$work/notified"
check "the socket and its folder are gone" test ! -e "$work/run"
check "status of no device fails" no ask status

# ---- privileges

privileges() { sed -nE "s/^$1:\s+//p" "/proc/$device_pid/status"; }
with_user()
{
    chown nobody "$work/bgp.xml"
    chmod 711 "$work"
    start_device "$work/bgp.xml" --control "$control" --user nobody "$@"
}
if python3 -c 'import os; os.setresuid(65534, 65534, 65534)' 2>/dev/null; then
    begin "a device that shall become nobody starts" with_user || say_end
    check "both tunnels come up for nobody" until_true 60 both_up
    check "it is nobody" test "$(privileges Uid | tr -s '\t' ' ')" = "65534 65534 65534 65534"
    check "it has no capability" test "$(privileges CapEff)$(privileges CapPrm)" = \
        "00000000000000000000000000000000"
    check "nor can it get any" test "$(privileges CapBnd)$(privileges NoNewPrivs)" = "00000000000000001"
    check "it reads its document again" ask reload
    check "as before" until_true 30 grep -q 'read again: 1 as before' "$work/device.log"
    begin "it ends when it is told to" stop "$device_pid"
    begin "one with routes to install starts" with_user --install-routes || say_end
    check "both tunnels come up with routes" until_true 60 both_up
    check "it has CAP_NET_ADMIN alone" test "$(privileges CapEff)" = 0000000000001000
    check "which is enough for routes" until_true 30 json routes 'd["routes"][0]["installed"]'
    begin "the one with routes ends when it is told to" stop "$device_pid"
    check "and leaves nothing" test ! -e "$control"

    # As the unit starts it: no root from the beginning. From a copy, since the build may lie
    # in a folder that others can't enter.
    never_root()
    {
        control=$work/service/control
        install -d -o nobody "$work/service" && install -d "$work/copy" || return
        if [ -e "$build/examples/.libs/s2svpn-device" ]; then
            cp "$build"/examples/.libs/s2svpn-device "$build"/lib/.libs/*.so.* "$work/copy"
        else
            cp "$program" "$work/copy" # built without shared libraries
        fi
        # shellcheck disable=SC2016 # the inner shell's words
        start "$device" "$work/device.log" unshare -m sh -c '
            mount -t tmpfs tmpfs /dev/net && mknod -m 666 /dev/net/tun c 10 200 || exit 77
            LD_LIBRARY_PATH=$1 && export LD_LIBRARY_PATH && shift
            exec setpriv --reuid=65534 --regid=65534 --clear-groups --no-new-privs \
                --bounding-set=-all,+net_admin,+net_bind_service,+net_raw \
                --inh-caps=-all,+net_admin,+net_bind_service,+net_raw \
                --ambient-caps=+net_admin,+net_bind_service,+net_raw "$@"' sh \
            "$work/copy" "$work/copy/s2svpn-device" --tun lan0 --install-routes --control "$control" "$work/bgp.xml"
        device_pid=$started
        until_true 60 test -S "$control"
    }
    begin "a device that never was root starts" never_root || say_end
    check "both tunnels come up without root" until_true 60 both_up
    check "it has but CAP_NET_ADMIN too" test "$(privileges CapEff)" = 0000000000001000
    check "which is enough there as well" until_true 30 json routes 'd["routes"][0]["installed"]'
    begin "the one that never was root ends when it is told to" stop "$device_pid"
else
    skip "privileges are dropped" "this namespace has no other user"
fi
say_end
