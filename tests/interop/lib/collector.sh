# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154 # work, build, cloud, started are net.sh's
# examples/bgp-collector in the cloud, over the host's own TCP. Sourced, after net.sh.

# start_collector OPTION...
start_collector()
{
    start "$cloud" "$work/collector.out" "$build/examples/bgp-collector" --asn 64512 \
        --router-id 198.51.100.1 "$@"
    collector=$started
    until_true 30 handles_usr1
}
# It prints its table on SIGUSR1, which would end it before it is ready for that.
handles_usr1()
{
    local caught

    readlink "/proc/$collector/exe" | grep -q bgp-collector || return 1
    caught=$(awk '$1 == "SigCgt:" { print $2 }' "/proc/$collector/status")
    [ $((0x$caught & 1 << 9)) != 0 ]
}
says() { grep -q "$@" "$work/collector.out"; }
# holds PREFIX [MORE]: with --json
holds()
{
    : >"$work/collector.out"
    kill -USR1 "$collector"
    until_true 30 grep -qF "\"prefix\":\"$1\"${2:-}" "$work/collector.out"
}
no() { ! "$@"; }
# lacks PREFIX OTHER: the table has the other, but not this one. A table is written at once.
lacks() { holds "$2" && no grep -qF "\"prefix\":\"$1\"" "$work/collector.out"; }
