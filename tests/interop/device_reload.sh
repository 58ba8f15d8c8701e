#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# s2svpn-device reads its folder again: only what changed is touched, one connection after
# the other, and a document that can't be read closes nothing.
. "$(dirname "$0")/lib/net.sh"
. "$(dirname "$0")/lib/pings.sh"

a=vpn-0123456789abcdef0
b=vpn-0123456789abcdef1
program=$build/examples/s2svpn-device
control=$work/run/control
folder=$work/folder

ask() { "$program" "$@" --control "$control" >"$work/out" 2>&1; }
no() { ! "$@"; }
# up_of ID: how many of its tunnels are up.
up_of()
{
    ask status --json && python3 -c 'import json, sys; d = json.load(open(sys.argv[1]))
print("".join(str(c["up"]) for c in d["connections"] if c["id"] == sys.argv[2]))' "$work/out" "$1"
}
is_up() { [ "$(up_of "$1")" = 2 ]; }
are_up() { is_up "$a" && is_up "$b"; }

# The second connection: other endpoints, other inside addresses, its own cloud.
write_second()
{
    write_config "$1" bgp "${2:-}"
    sed -i "s/$a/$b/; s/198.51.100.1</198.51.100.3</; s/198.51.100.2</198.51.100.4</
        s/169.254.10/169.254.11/" "$1"
}
start_second()
{
    start "$cloud" "$work/gateway2.log" "$build/examples/s2svpn-gateway" --play "$1" --tun inst2 \
        --vpc 10.1.0.0/16 --instance 10.1.1.10 --verbose
    second=$started
    until_true 60 in_cloud ip link show inst2 || return 1
    in_cloud ip addr add 10.1.1.10/32 dev inst2
    in_cloud ip link set inst2 up
    in_cloud ip route replace 192.168.0.0/16 dev inst2 src 10.1.1.10 table 11
}

# Reloads so far; reload COUNTS: by the signal, and the log says what it did.
reloads() { grep -c 'documents read again' "$work/device.log"; }
one_more() { [ "$(reloads)" -gt "$before" ]; }
reload()
{
    before=$(reloads)
    kill -HUP "$device_pid"
    until_true 120 one_more || return 1
    grep 'documents read again' "$work/device.log" | tail -n 1 | tee "$work/last" | grep -q "$1"
}
count() { grep -c "$1" "$work/device.log"; }
# The first connection's tunnels have come up once and never again.
untouched() { [ "$(count "$a: tunnel [12]: up")" = "$touched" ]; }

make_net
ip -n "$cloud" addr add 198.51.100.3/32 dev v0
ip -n "$cloud" addr add 198.51.100.4/32 dev v0
umask 077
mkdir "$folder"
in_cloud ip rule add from 10.1.1.10 lookup 11
write_config "$work/a.xml" bgp
write_second "$work/b.xml"
cp "$work/a.xml" "$folder/a.xml"
begin "the first gateway plays its document" start_gateway "$work/a.xml" || say_end
begin "the second too" start_second "$work/b.xml" || say_end
python3 "$here/tests/interop/lib/notify.py" "$work/notify" >"$work/notified" &
pids+=($!)
until_true 30 test -S "$work/notify"
NOTIFY_SOCKET=$work/notify \
    begin "the device starts from a folder" start_device "$folder" --control "$control" || say_end
check "its connection comes up" until_true 60 is_up "$a"
touched=2
in_device ip route add 10.1.0.0/16 dev lan0 src 192.168.7.1
check "pings cross" until_true 60 in_device ping -c 1 -W 1 -I 192.168.7.1 10.0.1.10

# All that follows, to the line that says so, mustn't cost the first connection a packet.
pings_on "$device" "$work/ping.log" -i 0.05 -I 192.168.7.1 10.0.1.10

cp "$work/b.xml" "$folder/b.xml"
check "a new document" reload '1 as before, 0 changed, 1 opened, 0 closed, 0 wrong'
check "opens its connection" until_true 60 is_up "$b"
check "pings cross there too" until_true 60 in_device ping -c 1 -W 1 -I 192.168.7.1 10.1.1.10
told() { [ "$(grep -cE '^(RELOADING|READY)=1$' "$work/notified")" = 3 ]; }
check "the service manager is told of both ends" until_true 30 told

sed -i 's/<lifetime>/ <!-- the same --> <lifetime> /; s/^ *//' "$folder/a.xml"
mv "$folder/b.xml" "$folder/c.xml"
check "blanks, comments and names of files" reload '2 as before, 0 changed, 0 opened, 0 closed, 0 wrong'
check "mean nothing" are_up

head -c 500 "$work/b.xml" >"$folder/c.xml"
check "half a document" reload '1 as before, 0 changed, 0 opened, 0 closed, 1 wrong'
check "closes nothing" are_up
check "and is named" grep -q 'c.xml:[0-9]*: ' "$work/device.log"

cp "$work/b.xml" "$folder/c.xml"
cp "$work/b.xml" "$folder/d.xml"
check "a connection in two files" reload '2 as before, 0 changed, 0 opened, 0 closed, 1 wrong'
check "is named with both files" grep -q 'd.xml: is the connection of .*c.xml too' "$work/device.log"
rm "$folder/d.xml"

sed "s/$a/vpn-0123456789abcdef2/; s/203.0.113.7/203.0.113.8/; s/169.254.10/169.254.12/" \
    "$work/a.xml" >"$folder/e.xml"
check "a new outside address" reload '2 as before, 0 changed, 0 opened, 0 closed, 1 wrong'
check "needs a restart, and is named" \
    grep -q 'e.xml: no socket was opened at 203.0.113.8' "$work/device.log"
sed -i "s/203.0.113.8/203.0.113.7/" "$folder/e.xml"
check "a pair of addresses that is in use" reload '2 as before, 0 changed, 0 opened, 0 closed, 1 wrong'
check "is named with its file" grep -q 'e.xml: refused: .*outside addresses' "$work/device.log"
rm "$folder/e.xml"

# PSK rotation of the second connection.
write_second "$work/b2.xml" another.key.0123456789
begin "the second gateway gets another key" stop "$second" || say_end
begin "and begins anew" start_second "$work/b2.xml" || say_end
wrong_key() { grep "$b: tunnel" "$work/device.log" | grep -q 'pre-shared key'; }
check "the device's is wrong now" until_true 60 wrong_key
cp "$work/b2.xml" "$folder/c.xml"
check "the new key" reload '1 as before, 1 changed, 0 opened, 0 closed, 0 wrong'
check "brings it up again" until_true 60 is_up "$b"

check "a connection can be told to be down" ask down "$b"
sed -i 's/<interval>10/<interval>11/' "$folder/c.xml"
check "a change of its document" reload '1 as before, 1 changed, 0 opened, 0 closed, 0 wrong'
check "leaves it down" test "$(up_of "$b")" = 0
check "until it is told to be up" ask up "$b"
check "and it comes" until_true 60 is_up "$b"

sed -i 's/<lifetime>3600/<lifetime>28800/' "$folder/c.xml"
sed -i 's/<pre_shared_key>.*</<pre_shared_key></' "$folder/c.xml"
check "a change that is wrong" reload '1 as before, 0 changed, 0 opened, 0 closed, 1 wrong'
check "changes nothing" are_up

rm "$folder/c.xml"
check "a document that is gone" reload '1 as before, 0 changed, 0 opened, 1 closed, 0 wrong'
check "closes its connection" test "$(up_of "$b")" = ""
closed() { [ "$(grep -c 'idle: closed by the peer' "$work/gateway2.log")" -ge 2 ]; }
check "its gateway is told" until_true 30 closed

pings_off "$work/ping.log"
check "the first connection has lost no packet" none_lost "$work/ping.log"
check "nor was it touched" untouched

# Both change at once: the second goes when the first is back.
cp "$work/b2.xml" "$folder/c.xml"
check "the second comes back" reload '1 as before, 0 changed, 1 opened, 0 closed, 0 wrong'
check "up" until_true 60 are_up
sed -i 's/<interval>10/<interval>12/' "$folder"/*.xml
lines=$(wc -l <"$work/device.log")
check "two that change" reload '0 as before, 2 changed, 0 opened, 0 closed, 0 wrong'
one_by_one()
{
    tail -n +"$lines" "$work/device.log" | awk '
        /closed and opened anew/ && /abcdef0/ { first = 1 }
        /abcdef0: tunnel [12]: up/ && first { back = 1 }
        /closed and opened anew/ && /abcdef1/ { exit !back }
        END { exit !back }'
}
check "change one after the other" one_by_one
check "and both come up" until_true 60 are_up

twice() { [ "$(reloads)" -ge $((before + 2)) ]; }
# Signals that nobody has taken yet are one.
has_begun() { [ "$(count 'has changed')" -gt "$changes" ]; }
again()
{
    before=$(reloads)
    sed -i 's/<interval>12/<interval>13/' "$folder"/*.xml
    changes=$(count 'has changed')
    kill -HUP "$device_pid"
    until_true 30 has_begun
    sed -i 's/<interval>13/<interval>14/' "$folder"/*.xml
    kill -HUP "$device_pid"
    until_true 150 twice && until_true 60 are_up
}
begin "a reload during a reload is done after it" again
mv "$folder" "$folder.gone"
check "a folder that is gone" reload '0 as before, 0 changed, 0 opened, 0 closed, 0 wrong'
check "closes no connection" are_up
check "and its folder is named" grep -q "$folder: No such file or directory: nothing is closed" \
    "$work/device.log"
mkdir "$folder"
check "an empty one" reload '0 as before, 0 changed, 0 opened, 2 closed, 0 wrong'
rmdir "$folder"
mv "$folder.gone" "$folder"
check "with its documents again" reload '0 as before, 0 changed, 2 opened, 0 closed, 0 wrong'
check "both are up again" until_true 60 are_up
check "no log line holds a key" no grep -qE 'another.key|interop.test' "$work/device.log"
begin "the device ends when it is told to" stop "$device_pid"
say_end
