# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154 # work, started are net.sh's
# Pings, and whether any of them was lost: by their numbers, so that it doesn't matter when
# the last one is sent or how long an answer takes. Sourced, after net.sh.

# pings_on NAMESPACE LOG OPTION...: in the background; their process is $pinging.
pings_on()
{
    start "$1" "$2" ping "${@:3}"
    pinging=$started
}

# pings_go_on LOG [MORE]: so many more (5) are answered from now on.
answered_in() { grep -c 'bytes from' "$1"; }
has_answers() { [ "$(answered_in "$1")" -ge "$2" ]; }
pings_go_on() { until_true 20 has_answers "$1" $(($(answered_in "$1") + ${2:-5})); }

# pings_off LOG: when some more are answered, or a while was waited for them.
pings_off()
{
    pings_go_on "$1"
    kill -INT "$pinging"
    wait "$pinging"
    tail -n 2 "$1"
}

# none_lost LOG [COUNT]: every ping but those that were on their way as it ended has its
# answer, and there are so many (40) at least.
none_lost()
{
    sed -n 's/.*bytes from.*icmp_seq=\([0-9]*\) .*/\1/p' "$1" | sort -nu >"$1.answered"
    seq "$(tail -n 1 "$1.answered")" | diff - "$1.answered" &&
        [ "$(wc -l <"$1.answered")" -ge "${2:-40}" ]
}

# pings_all NAMESPACE COUNT OPTION...: that many are answered, and none is lost. ping -c alone
# waits for the last answer no longer than twice what the slowest took.
pings_all()
{
    ip netns exec "$1" ping -c "$2" -w 60 "${@:3}" >"$work/pings_all.log"
    none_lost "$work/pings_all.log" "$2" && return 0
    cat "$work/pings_all.log"
    return 1
}

# gap_after LOG TIME: the longest time without an answer since then, in seconds; the log has
# ping -D's times, since 1970.
gap_after()
{
    awk -v last="$2" '/bytes from/ && substr($1, 2) + 0 > last {
        t = substr($1, 2) + 0
        if (t - last > gap) gap = t - last
        last = t
    } END { printf "%.1f\n", gap }' "$1"
}
less_than() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a < b) }'; }
