# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # work, device, started are net.sh's; peer_pid is for scripts
# BIRD, FRR, ExaBGP and GoBGP as the other end of one BGP session, in the device's namespace:
# started from the same few values, asked and told the same things. Sourced, after net.sh.
#
#   peer_set KIND LOCAL REMOTE ASN PREFIX   what to be, and what to advertise; AS 64512 is us
#   peer start active|passive [again]       again: after a crash, as for a graceful restart
#   peer established                        peer has PREFIX        with our AS in its path
#   peer announce, peer withdraw            the prefix
#   peer refresh, peer updates              ask for ours again (GoBGP never does that); how
#                                           many UPDATEs came
#   peer reset                              it says Cease/4 and comes again
#   peer told CODE/SUBCODE                  it shows that we sent this NOTIFICATION
#   peer stop, peer crash

peer_set()
{
    peer_kind=$1
    peer_local=$2
    peer_remote=$3
    peer_asn=$4
    peer_prefix=$5
    peer_as=64512
    peer_more=     # another prefix to advertise, if set
    peer_limit=    # prefixes that it takes, if set
    peer_graceful= # not empty: it says that it restarts gracefully, RFC 4724
    case $2 in
    *:*) peer_family=6 ;;
    *) peer_family=4 ;;
    esac
    peer_dir=$work/$1
    mkdir -p "$peer_dir"
}
peer()
{
    case $1 in
    stop | crash) "peer_$1" ;;
    *) "${peer_kind}_$1" "${@:2}" ;;
    esac
}
peer_run() # COMMAND...
{
    start "$device" "$peer_dir/out.log" "$@"
    peer_pid=$started
}
peer_stop() { stop "$peer_pid"; }
# Without a word to anybody; what it started goes as well.
peer_crash()
{
    pkill -9 -P "$peer_pid"
    kill -9 "$peer_pid"
    wait "$peer_pid" 2>/dev/null
}
peer_logged() { grep -Eq -- "$1" "$peer_dir/out.log"; }
# The words of RFC 4271 and 4486, as most say them, are not those of all: by number.
peer_words()
{
    case $1 in
    2/2) echo 'Bad Peer AS|Bad peer AS' ;;
    4/0) echo 'Hold Timer Expired|Hold timer expired' ;;
    6/1) echo 'Maximum Number of Prefixes Reached|Maximum number of prefixes reached' ;;
    6/2) echo 'Administrative Shutdown|Administrative shutdown|Administratively Shutdown' ;;
    esac
}

# ---- BIRD

bird_start()
{
    local passive=off again=()

    [ "$1" = active ] || passive=on
    [ "${2:-}" != again ] || again=(-R)
    cat >"$peer_dir/bird.conf" <<CONF
router id 203.0.113.7;
log "$peer_dir/bird.log" all;
protocol device { }
protocol static lan {
  ipv$peer_family;
  route $peer_prefix unreachable;
  ${peer_more:+route $peer_more unreachable;}
}
protocol bgp aws {
  local $peer_local as $peer_asn;
  neighbor $peer_remote as $peer_as;
  multihop 2;
  strict bind on;
  passive $passive;
  hold time 30;
  connect delay time 1;
  connect retry time 2;
  error wait time 1, 2;
  graceful restart $([ -n "$peer_graceful" ] && echo yes || echo aware);
  ipv$peer_family {
    import all;
    ${peer_limit:+receive limit $peer_limit action restart;}
    export where source = RTS_STATIC;
    next hop self;
  };
}
CONF
    peer_run bird -f -c "$peer_dir/bird.conf" -s "$peer_dir/ctl" -P "$peer_dir/pid" "${again[@]}"
    until_true 60 bird_do show status
}
bird_do() { birdc -s "$peer_dir/ctl" "$@"; }
bird_established() { bird_do show protocols aws | grep -q Established; }
bird_has() { bird_do show route "$1" all | grep -q 'as_path: 64512'; }
bird_announce() { bird_do enable lan; }
bird_withdraw() { bird_do disable lan; }
bird_refresh() { bird_do reload in aws; }
bird_updates() { bird_do show protocols all aws | awk '/Import updates:/ { print $3 }'; }
bird_reset() { bird_do restart aws; }
bird_told() { grep -Eq "Received: .*($(peer_words "$1"))" "$peer_dir/bird.log"; }

# ---- FRR: bgpd alone, nothing goes to a kernel

frr_start()
{
    mkdir -p "$peer_dir/vty"
    {
        cat <<CONF
router bgp $peer_asn
 bgp router-id 203.0.113.7
 no bgp ebgp-requires-policy
 no bgp network import-check
 no bgp default ipv4-unicast
 ${peer_graceful:+bgp graceful-restart}
 ${peer_graceful:+bgp graceful-restart preserve-fw-state}
 timers bgp 10 30
 neighbor $peer_remote remote-as $peer_as
 neighbor $peer_remote update-source $peer_local
 neighbor $peer_remote ebgp-multihop 2
 neighbor $peer_remote disable-connected-check
 neighbor $peer_remote timers connect 2
CONF
        [ "$1" = active ] || echo " neighbor $peer_remote passive"
        cat <<CONF
 address-family ipv$peer_family unicast
  network $peer_prefix
  ${peer_more:+network $peer_more}
  neighbor $peer_remote activate
${peer_limit:+  neighbor $peer_remote maximum-prefix $peer_limit}
 exit-address-family
CONF
    } >"$peer_dir/bgpd.conf"
    chmod 711 "$work" "$peer_dir"
    chmod 644 "$peer_dir/bgpd.conf"
    chown frr:frrvty "$peer_dir/vty"
    peer_run /usr/lib/frr/bgpd -Z -n -f "$peer_dir/bgpd.conf" -i "$peer_dir/vty/pid" \
        --vty_socket "$peer_dir/vty" -P 0 -l "$peer_local"
    until_true 60 frr_do -c 'show version'
}
frr_do() { in_device vtysh --vty_socket "$peer_dir/vty" -d bgpd "$@" 2>/dev/null; }
frr_configure() # LINE...: of the router's
{
    local line words=(-c 'configure terminal' -c "router bgp $peer_asn")

    for line; do words+=(-c "$line"); done
    frr_do "${words[@]}"
}
frr_neighbor() { frr_do -c "show bgp neighbors $peer_remote"; }
frr_established() { frr_neighbor | grep -q 'BGP state = Established'; }
frr_has() { frr_do -c "show bgp ipv$peer_family unicast $1" | grep -q '64512'; }
frr_announce() { frr_configure "address-family ipv$peer_family unicast" "network $peer_prefix"; }
frr_withdraw() { frr_configure "address-family ipv$peer_family unicast" "no network $peer_prefix"; }
frr_refresh() { frr_do -c "clear bgp ipv$peer_family $peer_remote soft in"; }
frr_updates() { frr_neighbor | awk '$1 == "Updates:" { print $3 }'; }
frr_reset() { frr_do -c "clear bgp ipv$peer_family $peer_remote"; }
frr_told() { frr_neighbor | grep -Eq "NOTIFICATION received \(.*($(peer_words "$1"))|otification received \(.*($(peer_words "$1"))"; }

# ---- ExaBGP: does what is written into a file

exabgp_start()
{
    local passive=false

    [ "$1" = active ] || passive=true
    : >"$peer_dir/commands"
    cat >"$peer_dir/exabgp.conf" <<CONF
process commands {
  run /usr/bin/tail -n +1 -f $peer_dir/commands;
  encoder text;
}
neighbor $peer_remote {
  router-id 203.0.113.7;
  local-address $peer_local;
  local-as $peer_asn;
  peer-as $peer_as;
  hold-time 30;
  passive $passive;
  outgoing-ttl 2;
  capability {
    route-refresh enable;
    ${peer_graceful:+graceful-restart 120;}
  }
  family { ipv$peer_family unicast; }
  api { processes [ commands ]; }
  static {
    route $peer_prefix next-hop $peer_local;
    ${peer_more:+route $peer_more next-hop $peer_local;}
  }
}
CONF
    peer_run env exabgp.daemon.user=root exabgp.api.cli=false exabgp.api.ack=false \
        exabgp.tcp.bind="$peer_local" exabgp.tcp.port=179 exabgp.log.routes=true \
        exabgp.log.level=DEBUG exabgp --debug "$peer_dir/exabgp.conf"
}
exabgp_do() { echo "$*" >>"$peer_dir/commands"; }
exabgp_established()
{
    in_device ss -Htn state established "( sport = 179 or dport = 179 )" | grep -q . &&
        grep -E 'connected to peer|peer .*(closed|reset|down)|loss|notification' "$peer_dir/out.log" | tail -n 1 | grep -q 'connected to peer'
}
exabgp_has() { grep -q "UPDATE.*$1\|$1.*next-hop" "$peer_dir/out.log"; }
exabgp_announce() { exabgp_do "announce route $peer_prefix next-hop $peer_local"; }
exabgp_withdraw() { exabgp_do "withdraw route $peer_prefix next-hop $peer_local"; }
exabgp_refresh() { exabgp_do "announce route-refresh ipv$peer_family unicast"; }
exabgp_updates() { grep -c 'receive.*UPDATE\|<< UPDATE' "$peer_dir/out.log"; }
exabgp_reset() { exabgp_do "neighbor $peer_remote teardown 4"; }
exabgp_told() { peer_logged "otification.*\(${1%/*}, *${1#*/}\)|otification.*($(peer_words "$1"))"; }

# ---- GoBGP

gobgp_start()
{
    local passive=false again=()

    [ "$1" = active ] || passive=true
    [ "${2:-}" != again ] || again=(-r)
    cat >"$peer_dir/gobgp.toml" <<CONF
[global.config]
  as = $peer_asn
  router-id = "203.0.113.7"
  local-address-list = ["$peer_local"]
[[neighbors]]
  [neighbors.config]
    neighbor-address = "$peer_remote"
    peer-as = $peer_as
  [neighbors.transport.config]
    local-address = "$peer_local"
    passive-mode = $passive
  [neighbors.ebgp-multihop.config]
    enabled = true
    multihop-ttl = 2
  [neighbors.timers.config]
    hold-time = 30
    keepalive-interval = 10
    connect-retry = 2
    idle-hold-time-after-reset = 1
  [neighbors.graceful-restart.config]
    enabled = $([ -n "$peer_graceful" ] && echo true || echo false)
    restart-time = 120
  [[neighbors.afi-safis]]
    [neighbors.afi-safis.config]
      afi-safi-name = "ipv$peer_family-unicast"
    [neighbors.afi-safis.mp-graceful-restart.config]
      enabled = $([ -n "$peer_graceful" ] && echo true || echo false)
CONF
    if [ -n "$peer_limit" ]; then
        cat >>"$peer_dir/gobgp.toml" <<CONF
    [neighbors.afi-safis.prefix-limit.config]
      max-prefixes = $peer_limit
CONF
    fi
    # Its routes come by the API, so nobody may talk to it before they are there: a table that
    # is complete without them would end a graceful restart.
    ip netns exec "$device" nft -f - <<'NFT'
table inet early {
  chain arrive {
    type filter hook input priority 0;
    tcp dport 179 drop
  }
  chain leave {
    type filter hook output priority 0;
    tcp dport 179 drop
  }
}
NFT
    peer_run gobgpd -f "$peer_dir/gobgp.toml" --log-level=debug --api-hosts 127.0.0.1:50051 \
        --pprof-disable "${again[@]}"
    until_true 60 gobgp_do neighbor || return 1
    [ -z "$peer_more" ] || gobgp_do global rib add -a "ipv$peer_family" "$peer_more" nexthop "$peer_local"
    gobgp_announce
    ip netns exec "$device" nft delete table inet early
}
gobgp_do() { in_device gobgp -p 50051 "$@"; }
gobgp_neighbor() { gobgp_do neighbor "$peer_remote" "$@"; }
gobgp_established() { gobgp_neighbor | grep -q 'BGP state = ESTABLISHED'; }
gobgp_has() { gobgp_do global rib -a "ipv$peer_family" "$1" | grep -q '64512'; }
gobgp_announce() { gobgp_do global rib add -a "ipv$peer_family" "$peer_prefix" nexthop "$peer_local"; }
gobgp_withdraw() { gobgp_do global rib del -a "ipv$peer_family" "$peer_prefix"; }
gobgp_updates() { gobgp_neighbor | awk '$1 == "Updates:" { print $3 }'; }
gobgp_reset() { gobgp_neighbor reset; }
gobgp_told() { peer_logged "\"Code\":${1%/*},.*\"Subcode\":${1#*/},.*received notification"; }

# peer_scenes "$@": the scene of the argument, KIND or KIND.FAMILY, with what the script calls
# scene; or all of $all_scenes at the same time. After beside.sh.
peer_scenes()
{
    local s

    if [ $# = 0 ]; then
        for s in $all_scenes; do beside "$s"; done
        joined
    else
        say_suite=$say_suite/$1
        if [ "${1%.*}" = frr ] && [ -n "${S2_UNSHARED:-}" ]; then
            skip "all" "FRR's bgpd needs root and the user frr"
        else
            scene "${1%.*}" "${1#*.}"
        fi
    fi
    say_end
}
