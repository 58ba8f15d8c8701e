#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What ends tunnel 1, one cause after the other, and how long it is felt in each direction:
# strongSwan and BIRD play AWS's two endpoints, our device comes up from the document, and
# numbered packets go both ways. Each time traffic goes on by tunnel 2 within the time that
# belongs to the cause, and comes back to tunnel 1 without the loss of a packet. Beside it
# the same between our own two programs, with BGP and with static routes. Timers are shorter
# than AWS's: BGP's hold time is 6 s, and the device asks after 1 s whether its peer is there
# and gives up after 3 s.
. "$(dirname "$0")/lib/net.sh"
. "$(dirname "$0")/lib/two_ends.sh"
. "$(dirname "$0")/lib/beside.sh"

psk=interop.test_key.0123456789
peer=${1:-strongswan}
say_suite=$say_suite/$peer
[ $# != 0 ] || for scene in ours static; do beside $scene; done
hold_time=6
told_within=5   # seconds: the other side says so; a busy machine may take its time
timer_within=18 # seconds: three times the hold time
control=$work/control
life=([1]=20000 [2]=28800) # IKE's, in the document: seconds
beginnings='udp dport 500 @th,208,8 34' # IKE_SA_INIT: nft's expression
numbered=$here/tests/interop/lib/numbered.py

now() { date +%s.%N; }
ups() { grep -c "tunnel $1: up" "$work/device.log"; }
up_again() { [ "$(ups "$1")" -gt "$2" ]; }
by() { grep 'route 10.0.0.0/16' "$work/device.log" | tail -n 1 | grep -q "goes by tunnel $1"; }
lost() { python3 "$numbered" --lost "$work/$1.packets" "$work/$2.packets" "$3" "$4"; }
passes() { python3 "$numbered" --passes "$work/$1.packets" "$work/$2.packets" "$3"; }
both_pass() { passes office instance "$1" && passes instance office "$1"; }
at_most() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a != "open" && a + 0 <= b) }'; }

# document bgp|static
document()
{
    write_config "$work/aws.xml" "$1" "$psk"
    sed -i "s|<hold_time>30<|<hold_time>$hold_time<|; s|<interval>10<|<interval>1<|
        0,/<lifetime>28800</s//<lifetime>${life[1]}</" "$work/aws.xml"
}

stream()
{
    start "$device" "$work/office.log" python3 -IS "$numbered" 192.168.7.1 10.0.1.10 \
        "$work/office.packets"
    start "$1" "$work/instance.log" python3 -IS "$numbered" 10.0.1.10 192.168.7.1 \
        "$work/instance.packets"
    until_true 10 both_pass "$(now)"
}

# felt CAUSE SINCE UNTIL SECONDS: in each direction.
felt()
{
    local out back n_out n_back

    read -r n_out out <<<"$(lost office instance "$2" "$3")"
    read -r n_back back <<<"$(lost instance office "$2" "$3")"
    echo "  $peer: $1: to the cloud $n_out packets, $out s; to the office $n_back packets, $back s"
    at_most "$out" "$4" && at_most "$back" "$4"
}

none_lost()
{
    local out back

    out=$(lost office instance "$1" "$2") back=$(lost instance office "$1" "$2")
    echo "to the cloud $out, to the office $back"
    [ "${out% *}" = 0 ] && [ "${back% *}" = 0 ]
}

# cause NAME SECONDS COMMAND UNDO
cause()
{
    local name=$1 within=$2 since moved restored back before

    before=$(ups 1)
    since=$(now)
    "$3" >"$work/cause.log" 2>&1 || sed 's/^/  /' "$work/cause.log"
    check "$name: the way out becomes tunnel 2" until_true "$timer_within" by 2 || return
    moved=$(now)
    until_true "$timer_within" both_pass "$moved"
    # What felt prints belongs to the output, passed or not.
    if felt "$name" "$since" "$(now)" "$within"; then
        ok "$name: traffic goes on within $within s"
    else
        not_ok "$name: traffic goes on within $within s"
    fi
    restored=$(now)
    "$4" >"$work/cause.log" 2>&1 || sed 's/^/  /' "$work/cause.log"
    check "$name: tunnel 1 comes back" until_true 60 up_again 1 "$before" || return
    check "$name: and takes over" until_true 15 by 1 || return
    back=$(now)
    sleep 2 # the way back moves as well, whoever decides it
    moved=$(now)
    until_true 15 both_pass "$moved"
    check "$name: which loses nothing" none_lost "$restored" "$moved"
    echo "  $peer: $name: tunnel 1 takes over again $(awk -v a="$restored" -v b="$back" \
        'BEGIN { printf "%.1f", b - a }') s after the cause has gone"
}

# device_resets TUNNEL: our device closes it and starts it anew where its document has
# changed, which is all that happens to it.
device_resets()
{
    local was=${life[$1]}

    life[$1]=$((was - 60))
    sed -i "s/<lifetime>$was</<lifetime>${life[$1]}</" "$work/aws.xml"
    "$build/examples/s2svpn-device" reload --control "$control"
}

# ---- strongSwan and BIRD

end()
{
    start_end "$1" "198.51.100.$1" 203.0.113.7 "169.254.10.$((4 * $1 + 1))" \
        "169.254.10.$((4 * $1 + 2))" 192.168.0.0/16 "$psk"
}
silence()
{
    in_end 1 nft -f - <<NFT
table ip silence {
  chain enter { type filter hook input priority 0; iifname "$1" drop; }
  chain forward { type filter hook forward priority 0; iifname "$1" drop; oifname "$1" drop; }
  chain leave { type filter hook output priority 0; oifname "$1" drop; }
}
NFT
}
cut() { silence wire; }
cut_inside() { silence ipsec0; }
mend() { in_end 1 nft delete table ip silence; }
# So that tunnel 1 stays away for a while: no IKE SA begins at this end, what there is goes
# on.
shut()
{
    in_end 1 nft -f - <<NFT
table ip shut {
  chain enter { type filter hook input priority 0; $beginnings drop; }
}
NFT
}
open() { in_end 1 nft delete table ip shut; }
peer_deletes() { shut && vici end1 terminate ike=c; }
device_resets_and_waits() { shut && device_resets 1; }
peer_ceases() { ask_bird 1 disable tunnel; }
peer_speaks() { ask_bird 1 enable tunnel; }

play_strongswan()
{
    local n

    make_ends "$device"
    ip -n "$device" addr add 192.168.7.1/32 dev lo
    ip -n "$router" addr add 10.0.1.10/32 dev lo
    for n in 1 2; do
        ip -n "$device" addr add 203.0.113.7/32 dev "wire$n"
        ip -n "$device" route add "198.51.100.$n" dev "wire$n" src 203.0.113.7
        ip -n "${ends[$n]}" addr add "198.51.100.$n/32" dev wire
        ip -n "${ends[$n]}" route add 203.0.113.7 dev wire src "198.51.100.$n"
    done
    router_bird 64512
    for n in 1 2; do
        begin "endpoint $n starts" end "$n" || say_end
        end_bird "$n" bgp 64512 "169.254.10.$((4 * n + 1))" 65000 "169.254.10.$((4 * n + 2))" \
            10.0.0.0/16
    done
    bring_up "$router"
    # BIRD isn't told, so the way back waits for its hold time. It does after a reset as well
    # where charon has closed the SA before it opens the Cease that came by it.
    cause "DELETE of the peer" "$timer_within" peer_deletes open
    cause "reset by the device" "$timer_within" device_resets_and_waits open
    cause "Cease of the peer" "$told_within" peer_ceases peer_speaks
    cause "BGP's hold time, IKE alive" "$timer_within" cut_inside mend
    cause "silent cut" "$timer_within" cut mend
}

# ---- our own gateway

at_first()
{
    in_cloud nft -f - <<NFT
table ip silence {
  chain enter { type filter hook input priority 0; ip daddr 198.51.100.1 $1 drop; }
  chain leave { type filter hook output priority 0; ip saddr 198.51.100.1 $1 drop; }
}
NFT
}
lift() { in_cloud nft delete table ip silence; }
cut_first() { at_first ""; }
reset_first() { at_first "$beginnings" && device_resets 1; }
# Of two equal paths the gateway keeps the older one: then its way back is tunnel 1.
second_is_younger()
{
    local before

    before=$(ups 2)
    device_resets 2 && until_true 30 up_again 2 "$before"
}

play_ours()
{
    make_net
    begin "the gateway plays the document" start_gateway "$work/aws.xml" || say_end
    bring_up "$cloud"
    begin "tunnel 2 is the younger one" second_is_younger
    cause "reset by the device" "$told_within" reset_first lift
    begin "tunnel 2 is the younger one again" second_is_younger
    cause "silent cut" "$timer_within" cut_first lift
}

play_static()
{
    make_net
    begin "the gateway plays the document" start_gateway "$work/aws.xml" \
        --route 192.168.0.0/16 || say_end
    bring_up "$cloud" --route 10.0.0.0/16
    cause "reset by the device" "$told_within" reset_first lift
}

# bring_up NAMESPACE [OPTION...]: the namespace of the instance, the device's options.
bring_up()
{
    begin "the device starts from the document" start_device "$work/aws.xml" \
        --control "$control" "${@:2}" || say_end
    check "tunnel 2 comes up" until_true 30 grep -q 'tunnel 2: up' "$work/device.log" || say_end
    check "and tunnel 1" until_true 30 up_again 1 0 || say_end
    check "which is the way out" until_true 15 by 1
    begin "packets cross both ways" stream "$1" || say_end
    sleep 1
}

case $peer in
strongswan | ours) document bgp ;;
static) document static ;;
esac
play_"$peer"
begin "the device ends when it is told to" stop "$device_pid"
joined
say_end
