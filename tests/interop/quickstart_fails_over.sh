#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The whole quickstart, without root: it ends with 0 when traffic has moved from the cut
# tunnel to the other, and with 1 and a reason when something didn't happen.
here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=${S2_BUILD:-$here/.build/main}
say_suite=interop/quickstart_fails_over
. "$here/tests/lib/say.sh"

scene=$build/examples/quickstart-scene
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# A second one takes the next pair of ports.
"$scene" >"$work/full.log" 2>&1 &
full=$!
begun() { grep -q 'told nothing else but the ports' "$work/full.log"; }
for _ in $(seq 300); do
    if begun; then break; fi
    sleep 0.1
done
check "two run at once" "$scene" --fast
check "--help says what it does" sh -c "'$scene' --help | grep -q -- --keylog"
check "an unknown option is refused with 2" sh -c "'$scene' --nonsense 2>/dev/null; test \$? = 2"
check "a capture that can't be written is named" \
    sh -c "'$scene' --fast --pcap /nonexistent/x 2>&1 >/dev/null | grep -q '/nonexistent/x: '"

# Packets stop crossing before anything was cut: in a network of its own, where the
# loopback interface goes down.
unshared=(unshare -n)
[ "$(id -u)" = 0 ] || unshared=(unshare -Urn)
if "${unshared[@]}" ip link set lo up 2>/dev/null; then
    "${unshared[@]}" sh -c "ip link set lo up
        '$scene' --fast & until grep -q 'pings the instance' '$work/broken.log'; do sleep 0.1; done
        ip link set lo down; wait \$!" >"$work/broken.log" 2>&1
    check "it ends with 1 when packets stop crossing" test $? = 1
    check "and says so" grep -q '^It did not work: .* pings' "$work/broken.log"
else
    skip "it ends with 1 when packets stop crossing" "neither root nor user namespaces"
fi

wait $full
check "the whole of it ends with 0" test $? = 0 || sed 's/^/  /' "$work/full.log"
line() { check "$1" grep -qE "$2" "$work/full.log"; }
line "it says up front that it takes its time" 'takes about 40 seconds'
line "the timeline: the first tunnel comes up at the device" ' device +tunnel 1 is up'
line "the timeline: the second tunnel comes up at the gateway" ' gateway +tunnel 2 is up'
line "the timeline: the tunnel that carries the pings is cut" 'tunnel [12], .* is cut'
line "the timeline: while it waits it says what is lost" 'noticed yet: [0-9]+ pings lost'
line "the timeline: pings are answered again" 'pings are answered again'
line "the table: one tunnel is down and one is up" '^  state +(down +up|up +down)$'
line "the table: outside addresses with ports" '127\.0\.0\.1:[0-9]+ +127\.0\.0\.2:[0-9]+'
line "the table: inside addresses" '169\.254\.[0-9.]+ +169\.254\.[0-9.]+'
line "the table: algorithms of both" '^  IKE +AES_[A-Z0-9_]+ +AES_[A-Z0-9_]+$'
line "the timeline: the device's prefix comes to the gateway" \
    ' gateway +BGP says: 192\.168\.0\.0/16 is reached by tunnel'
line "the timeline: the VPC's prefix comes to the device" \
    ' device +BGP says: 10\.0\.0\.0/16 is reached by tunnel'
line "the timeline: the prefix is propagated into the main route table, with its target" \
    'propagated into the main route table: target vgw-[0-9a-f]+$'
line "the table: one session is down and one is established" \
    '^  BGP session +(Established +[A-Z]|[A-Z][A-Za-z]+ +Established)'
line "the table: prefixes went both ways" '^  prefixes .*1 to device, 1 to gateway'
line "the table: the main route table's own route" \
    '^  10\.0\.0\.0/16 +local +CreateRouteTable +active'
line "the table: the propagated route goes by the other tunnel" \
    '^  192\.168\.0\.0/16 +vgw-[0-9a-f]+ +EnableVgwRoutePropagation +active +tunnel [12]$'
line "the table: the path moved, and when" \
    '^  path to the (VPC|office) +moved from tunnel [12] to tunnel [12], [0-9.]+ s after the cut$'
line "the table: pings" 'pings +[0-9]+ sent, [0-9]+ answered, [1-9][0-9]* lost'
line "the table: latency" 'latency +min [0-9.]+, avg [0-9.]+, max [0-9.]+ ms'
line "the table: seconds to fail over" 'failover +[0-9.]+ s after the cut'
plain() { ! grep -q $'\033' "$work/full.log"; }
check "no colours where there is no terminal" plain
say_end
