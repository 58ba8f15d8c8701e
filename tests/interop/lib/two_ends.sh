# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # work, spaces, started are net.sh's; some are for scripts
# strongSwan as the other side of a document's two tunnels: a charon and a BIRD a tunnel,
# each in a namespace of its own, and a router behind both. Sourced, after net.sh.
#
#                  ┌── wire1 ── end1: charon, BIRD ── 192.0.2.5 ──┐
#     our program ─┤                                              ├─ router: BIRD, host
#                  └── wire2 ── end2: charon, BIRD ── 192.0.2.9 ──┘
#
# kernel-libipsec can't hold two children of the same selectors, hence the namespaces.

router=s2r$$
ends=([1]="s2x$$" [2]="s2y$$")
charons=()
birds=()

in_router() { ip netns exec "$router" "$@"; }
in_end() { ip netns exec "${ends[$1]}" "${@:2}"; }

a_space()
{
    ip netns add "$1" || exit 1
    spaces+=("$1")
    ip -n "$1" link set lo up
    ip netns exec "$1" sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 \
        net.ipv4.conf.default.rp_filter=0
}

# make_ends OURS: our namespace, and the others. An end isn't told its outside address yet.
# Nor does it say "port unreachable": when its charon is gone, it is silent.
make_ends()
{
    local n e

    a_space "$1"
    a_space "$router"
    for n in 1 2; do
        e=${ends[$n]}
        a_space "$e"
        ip netns exec "$e" nft -f - <<NFT
table ip quiet {
  chain leave {
    type filter hook output priority 0;
    oifname "wire" icmp type destination-unreachable drop
  }
}
NFT
        ip link add "wire$n" netns "$1" type veth peer name wire netns "$e"
        ip link add "end$n" netns "$router" type veth peer name behind netns "$e"
        ip -n "$router" addr add "192.0.2.$((4 * n + 2))/30" dev "end$n"
        ip -n "$e" addr add "192.0.2.$((4 * n + 1))/30" dev behind
        ip -n "$1" link set "wire$n" up
        ip -n "$e" link set wire up
        ip -n "$router" link set "end$n" up
        ip -n "$e" link set behind up
    done
}

# start_end N OUTSIDE PEER INSIDE PEER_INSIDE REMOTE_TS PSK: the charon of tunnel N, again if
# it was killed. Anything is local: it wants an address of its own in each local selector.
start_end()
{
    local n=$1 e=${ends[$1]}

    start_charon "$e" "end$n" || return 1
    charons[n]=$charon
    ip -n "$e" link set ipsec0 up
    ip -n "$e" addr add "$4" peer "$5/32" dev ipsec0
    write_swanctl "end$n" "$2" "$3" 0.0.0.0/0 "$6,$5/32" "$7" \
        aes256gcm16-prfsha256-ecp256 aes256gcm16-ecp256 "${end_child:-}"
}

# kill_end N: charon, without a word to anybody.
kill_end()
{
    kill -9 "${charons[$1]}"
    wait "${charons[$1]}" 2>/dev/null
}

# end_bird N bgp|static ASN INSIDE PEER_ASN PEER_INSIDE MINE: the end's BIRD tells the router
# what it may send into the tunnel, by BGP inside of it or, static, while the SA's route is
# there; and with bgp the peer of MINE.
end_bird()
{
    local n=$1 e=${ends[$1]}
    {
        cat <<CONF
router id 192.0.2.$((4 * n + 1));
log "$work/bird$n.log" all;
ipv4 table sa;
protocol device { scan time 2; }
protocol direct { disabled; }
protocol static mine { ipv4; route $7 via 192.0.2.$((4 * n + 2)); }
protocol bgp behind {
  local 192.0.2.$((4 * n + 1)) as $3;
  neighbor 192.0.2.$((4 * n + 2)) as $3;
  connect delay time 1;
  connect retry time 2;
  ipv4 {
    import none;
    export filter { if proto = "mine" then reject; bgp_local_pref = $((300 - 100 * n)); accept; };
    next hop self;
  };
}
CONF
        if [ "$2" = bgp ]; then
            cat <<CONF
protocol kernel { ipv4 { import none; export all; }; }
protocol bgp tunnel {
  local $4 as $3;
  neighbor $6 as $5;
  hold time 30;
  connect delay time 1;
  connect retry time 2;
  error wait time 2, 5;
  ipv4 { import all; export filter { if proto != "mine" then reject; bgp_med = $((100 * n)); accept; }; next hop self; };
}
CONF
        else
            cat <<CONF
protocol kernel main { ipv4 { import none; export where proto = "mine"; }; }
protocol kernel charon {
  learn;
  scan time 1;
  kernel table 220;
  ipv4 { table sa; import all; export none; };
}
protocol pipe { table master4; peer table sa; import where net.len > 0 && net.len < 32; export none; }
CONF
        fi
    } >"$work/bird$n.conf"
    start "$e" "$work/bird$n.out" bird -f -c "$work/bird$n.conf" -s "$work/bird$n.ctl" \
        -P "$work/bird$n.pid"
    birds[n]=$started
}

# router_bird ASN: takes the better of what the ends offer.
router_bird()
{
    local n
    {
        cat <<CONF
router id 192.0.2.1;
log "$work/bird.log" all;
protocol device { }
protocol direct { ipv4; interface "end*"; }
protocol kernel { ipv4 { import none; export where source = RTS_BGP; }; }
CONF
        for n in 1 2; do
            cat <<CONF
protocol bgp end$n {
  local 192.0.2.$((4 * n + 2)) as $1;
  neighbor 192.0.2.$((4 * n + 1)) as $1;
  connect delay time 1;
  connect retry time 2;
  ipv4 { import all; export none; };
}
CONF
        done
    } >"$work/bird.conf"
    start "$router" "$work/bird.out" bird -f -c "$work/bird.conf" -s "$work/bird.ctl" \
        -P "$work/bird.pid"
}

# ask_bird N COMMAND...: the BIRD of an end; 0: the router's.
ask_bird() { birdc -s "$work/bird${1#0}.ctl" "${@:2}"; }
