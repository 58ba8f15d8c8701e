#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# NOTIFICATIONs between examples/bgp-collector and BIRD, FRR, ExaBGP and GoBGP: what each of
# them sends is told in words, and what we send each of them shows. The hold timer is made
# to end by letting no message through in one direction, with TCP's acknowledgements let
# alone, so that it is always the same side whose timer ends. A scene a peer, at the same time.
. "$(dirname "$0")/lib/net.sh"
. "$(dirname "$0")/lib/beside.sh"
. "$(dirname "$0")/lib/collector.sh"
. "$(dirname "$0")/lib/bgp_peers.sh"

# deaf NAMESPACE: no BGP message reaches it from now on; hears: they do.
deaf()
{
    ip netns exec "$1" nft -f - <<'NFT'
table ip deaf {
  chain arrive {
    type filter hook input priority 0;
    tcp sport 179 tcp flags & psh == psh drop
    tcp dport 179 tcp flags & psh == psh drop
  }
}
NFT
}
hears() { ip netns exec "$1" nft delete table ip deaf; }
ready()
{
    until_true 120 peer established && until_true 60 holds 192.168.0.0/16
}
ends_both()
{
    check "the collector ends when it is told to" stop "$collector"
    check "so does the peer" peer stop
}

scene() # KIND
{
    make_net
    peer_set "$1" 203.0.113.7 198.51.100.1 4200000001 192.168.0.0/16
    start_collector --listen 198.51.100.1:179 --hold-time 6 --json
    begin "$1 starts" peer start active || return
    check "the session is established" ready || return
    peer reset >/dev/null
    check "its reset is told in words" until_true 60 \
        says 'notification received: Cease/Administrative Reset'
    check "the session comes back" ready
    deaf "$device"
    check "its hold timer is told in words" until_true 120 says 'notification received: Hold Timer Expired'
    hears "$device"
    check "the session comes back" ready
    deaf "$cloud"
    check "our hold timer ends its session" until_true 120 says 'notification sent: Hold Timer Expired'
    check "which it shows" until_true 60 peer told 4/0
    hears "$cloud"
    check "the session comes back" ready
    check "the collector ends when it is told to" stop "$collector"
    if [ "$1" = exabgp ]; then # a Cease with a text makes version 4.2 fall over its own feet
        check "it has heard of it" until_true 60 peer_logged '<< message of type NOTIFICATION'
    else
        check "it shows that this was a shutdown" until_true 60 peer told 6/2
    fi
    check "the peer ends when it is told to" peer stop

    start_collector --listen 198.51.100.1:179 --peer-asn 65001
    begin "$1 starts, not as the one that we expect" peer start active
    check "we say so" until_true 60 says 'notification sent: OPEN Message Error/Bad Peer AS'
    # GoBGP doesn't look at what comes before a session is established.
    [ "$1" = gobgp ] || check "it shows it" until_true 60 peer told 2/2
    ends_both

    start_collector --listen 198.51.100.1:179 --max-prefixes 1
    peer_more=172.16.0.0/16
    begin "$1 starts, with more prefixes than we take" peer start active
    check "we say so" until_true 60 says 'notification sent: Cease/Maximum Number of Prefixes Reached'
    check "it shows it" until_true 60 peer told 6/1
    ends_both

    start_collector --listen 198.51.100.1:179
    peer_as=64999
    begin "$1 starts, and expects another than us" peer start active
    check "it says so, in words" until_true 60 says 'notification received: OPEN Message Error/Bad Peer AS'
    ends_both

    [ "$1" != exabgp ] || return # it takes any number
    # FRR counts what it had before each.
    start_collector --listen 198.51.100.1:179 --advertise 192.0.2.0/25 --advertise 192.0.2.128/25 \
        --advertise 198.18.1.0/24 --advertise 198.18.2.0/24 --advertise 198.18.3.0/24
    peer_as=64512 peer_limit=1
    begin "$1 starts, and takes one prefix" peer start active
    check "it says so, in words" until_true 60 \
        says 'notification received: Cease/Maximum Number of Prefixes Reached'
    ends_both
}

all_scenes="bird frr exabgp gobgp"
peer_scenes "$@"
