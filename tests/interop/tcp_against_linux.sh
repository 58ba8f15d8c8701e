#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The in-tunnel TCP against the kernel's, through a TUN device: both roles and both at once,
# both families, both directions at the same time, 100 MB each; every way to end; a reader
# that sleeps; a peer that goes silent; and with 5 and 15 % of the packets dropped each way.
#
#   kernel's TCP 203.0.113.7 ── veth ── cloud, which forwards (and drops) ── TUN ── 10.9.0.2
. "$(dirname "$0")/lib/net.sh"

program=$build/tests/unit/inet/tcp_on_tun
if [ ! -x "$program" ]; then
    skip "all" "tests/unit/inet/tcp_on_tun is not built"
    say_end
fi
make_net
in_cloud sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1
in_device ip addr add 2001:db8:7::7/64 dev v0 nodad
in_cloud ip addr add 2001:db8:7::1/64 dev v0 nodad
in_device ip route add 10.9.0.0/24 via 198.51.100.1 dev v0 onlink
in_device ip route add 2001:db8:9::/64 via 2001:db8:7::1

if ! in_cloud ip tuntap add tcp0 mode tun; then
    skip "all" "no TUN device"
    say_end
fi
in_cloud ip link set tcp0 up
in_cloud ip route add 10.9.0.0/24 dev tcp0
in_cloud ip route add 2001:db8:9::/64 dev tcp0

# make_file NAME BYTES
make_file() { head -c "$2" /dev/urandom >"$work/$1"; }

# start_ours OURS PEER PORT HOW IN END: the host on the device.
start_ours()
{
    rm -f "$work/ours.out"
    start "$cloud" "$work/ours.log" "$program" tcp0 "$1" "$2" "$3" "$4" "$work/$5" \
        "$work/ours.out" "$6"
    ours=$started
    until_true 60 grep -q ready "$work/ours.log"
}

# start_peer HOW ADDRESS PORT IN [END] [N]: the kernel's side.
start_peer()
{
    local how=$1 address=$2 port=$3 in=$4
    shift 4
    rm -f "$work/peer.out"
    start "$device" "$work/peer.log" python3 "$here/tests/interop/lib/tcp_peer.py" "$how" \
        "$address" "$port" "$work/$in" "$work/peer.out" "$@"
    peer=$started
}
listens() { in_device ss -Hltn "sport = :5000" | grep -q .; }
gone() { ! kill -0 "$1" 2>/dev/null; }
same() { [ "$(sha256sum <"$work/$1")" = "$(sha256sum <"$work/$2")" ]; }
says() { grep -q "$1" "$work/ours.log"; }
both_logs()
{
    head "$work/ours.log" "$work/peer.log"
    return 1
}

# run_both ROLE FAMILY IN_OURS IN_PEER OUR_END [PEER_END [N]]: ROLE is ours.
run_both()
{
    local role=$1 ours_at=10.9.0.2 peer_at=203.0.113.7 from=$3 back=$4 end=$5 port
    if [ "$2" = 6 ]; then ours_at=2001:db8:9::2 peer_at=2001:db8:7::7; fi
    shift 5
    case $role in
    listen)
        start_ours "$ours_at" "$peer_at" 5000 listen "$from" "$end" || return 1
        start_peer connect "$ours_at" 5000 "$back" "$@"
        ;;
    connect)
        start_peer listen "$peer_at" 5000 "$back" "$@"
        until_true 60 listens || return 1
        start_ours "$ours_at" "$peer_at" 5000 connect "$from" "$end"
        ;;
    both)
        start_ours "$ours_at" "$peer_at" 5179 both "$from" "$end" || return 1
        port=$(sed -n 's/^port //p' "$work/ours.log")
        start_peer both "$ours_at" "$port" "$back" "$@"
        ;;
    esac
}

# transfer SECONDS OUR_RESULT RUN_BOTH'S...: both files arrive whole, in that time.
transfer()
{
    local seconds=$1 result=$2
    shift 2
    run_both "$@" || both_logs || return 1
    until_true "$seconds" gone "$peer" || both_logs || return 1
    until_true 150 gone "$ours" || both_logs || return 1
    says "closed $result," || both_logs || return 1
    { same "$3" peer.out && same "$4" ours.out; } || both_logs || return 1
}
# try NAME COMMAND...: as begin, with our counters below it; what was started ends.
try()
{
    begin "$@" && sed -n 's/^closed [A-Z_]*, /  /p' "$work/ours.log"
    kill "$ours" "$peer" 2>/dev/null
    until_true 30 gone "$ours" && until_true 30 gone "$peer"
}

make_file big.ours $((100 << 20))
make_file big.peer $((100 << 20))
make_file small.ours $((1 << 20))
make_file small.peer $((1 << 20))
: >"$work/empty"

try "we listen, 100 MB each way, our FIN first" \
    transfer 500 CLOSED listen 4 big.ours big.peer first
try "we connect, 100 MB each way, the kernel's FIN first" \
    transfer 500 PEER_FIN connect 4 big.ours big.peer last first $((100 << 20))
try "IPv6, we listen" transfer 60 CLOSED listen 6 small.ours small.peer first
try "IPv6, we connect" transfer 60 CLOSED connect 6 small.ours small.peer first
# Linux scales the window that it offers after both have opened at once even if the other's
# SYN didn't allow it: 63 bytes that mean 63 KiB. Without the option it is right.
in_device sysctl -qw net.ipv4.tcp_window_scaling=0
try "both open at once" transfer 60 CLOSED both 4 small.ours small.peer first
in_device sysctl -qw net.ipv4.tcp_window_scaling=1
try "half closed: we are silent, the kernel goes on" \
    transfer 60 CLOSED connect 4 empty small.peer first
try "half closed: the kernel is silent from the start" \
    transfer 60 CLOSED listen 4 small.ours empty first
try "a reader that sleeps five seconds: its closed window is probed" \
    transfer 60 CLOSED listen 4 small.ours small.peer first slow 5

# ---- the other ways to end

reset_by_the_kernel()
{
    run_both listen 4 empty empty last reset && until_true 60 says "closed RESET,"
}
try "the kernel's RST ends our stream" reset_by_the_kernel
reset_by_us()
{
    run_both listen 4 empty small.peer abort && until_true 60 grep -q reset "$work/peer.log"
}
try "our RST ends the kernel's" reset_by_us
refused() { start_ours 10.9.0.2 203.0.113.7 5001 connect empty first && until_true 60 says "closed REFUSED,"; }
try "nobody listens: refused" refused

if ! in_cloud nft list ruleset >/dev/null 2>&1; then
    skip "loss" "no nftables"
    say_end
fi
# A firewall that forgets everything: keepalives find out, and only then.
silent()
{
    run_both listen 4 empty empty keepalive && until_true 60 says "opened passive" || return 1
    sleep 8
    says "closed" && return 1
    in_cloud nft add table inet wire
    in_cloud nft add chain inet wire f '{ type filter hook forward priority 0; policy drop; }'
    until_true 60 says "closed TIMEOUT,"
}
try "keepalives hold an idle stream, and end a dead one" silent
in_cloud nft delete table inet wire

# ---- loss

# Single segments, or one drop would take a whole train. Of 40 packets, both ways together,
# these are dropped: in a row, so that what is sent again is lost as well, but not so often
# that the back-off, which grows to a minute, decides whether a limit holds.
declare -A losses=([5]='0, 1' [15]='0, 1, 9, 20, 22, 31')
in_device ip link set v0 gso_max_segs 1
lossy()
{
    in_cloud nft -f - <<NFT
table inet wire {
  chain f {
    type filter hook forward priority 0; policy accept;
    meta l4proto tcp numgen inc mod 40 { ${losses[$1]} } counter drop
  }
}
NFT
}
dropped() { in_cloud nft list table inet wire | sed -n 's/.*counter packets \([0-9]*\).*/\1/p'; }

# lose PERCENT SECONDS ROLE IN_OURS IN_PEER
lose()
{
    lossy "$1"
    transfer "$2" CLOSED "$3" 4 "$4" "$5" first
    local rc=$? n
    n=$(dropped)
    in_cloud nft delete table inet wire
    [ "$rc" = 0 ] && [ "${n:-0}" -gt 0 ]
}
# Where so many tries fail the back-off grows: little text.
make_file tiny.ours $((24 << 10))
make_file tiny.peer $((24 << 10))
try "5 % dropped each way, we listen" lose 5 240 listen small.ours small.peer
try "5 % dropped each way, we connect" lose 5 240 connect small.ours small.peer
try "15 % dropped each way, we listen" lose 15 240 listen tiny.ours tiny.peer
try "15 % dropped each way, we connect" lose 15 240 connect tiny.ours tiny.peer
say_end
