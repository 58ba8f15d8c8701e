# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2030,SC2031 # report_together counts in subshells on purpose
# Runs test programs one after the other and counts what they say. A program
# prints lines "ok SUITE: NAME", "not ok SUITE: NAME", "skip SUITE: NAME (why)"
# and at the end "N passed, N failed, N skipped". Sourced, never run.

report_passed=0
report_failed=0
report_skipped=0
report_group=
report_failures=

# With S2_SKIPS_ALLOWED=FILE a skip that no line of the file begins is a failure.
report_skip_allowed()
{
    local line

    [ -n "${S2_SKIPS_ALLOWED:-}" ] || return 0
    while read -r line; do
        case $line in
        '' | '#'*) continue ;;
        esac
        [[ $1 == "$line"* ]] && return 0
    done <"$S2_SKIPS_ALLOWED"
    return 1
}

report_seconds()
{
    local us=$((${EPOCHREALTIME/[.,]/} - $1))

    printf '%d.%d' $((us / 1000000)) $((us / 100000 % 10))
}

# True if the process group has a process that still runs (a zombie doesn't).
report_group_runs()
{
    local stat line

    kill -0 -- "-$1" 2>/dev/null || return 1
    for stat in /proc/[0-9]*/stat; do
        { read -r line <"$stat"; } 2>/dev/null || continue
        # behind the name in parentheses: state, parent, group
        # shellcheck disable=SC2086 # words
        set -- "$1" ${line##*) }
        [ "$4" = "$1" ] && [ "$2" != Z ] && return 0
    done
    return 1
}

# Ends what a test program left in its process group; true if there was any that
# doesn't end by itself soon.
report_end_group()
{
    for _ in $(seq 20); do
        report_group_runs "$1" || return 1
        sleep 0.1
    done
    kill -TERM -- "-$1" 2>/dev/null
    sleep 0.2
    kill -KILL -- "-$1" 2>/dev/null
    return 0
}

report_interrupted()
{
    trap - INT TERM HUP
    [ -n "$report_group" ] && report_end_group "$report_group"
    printf '\ninterrupted\n' >&2
    exit 130
}

# report_run NAME SECONDS COMMAND...: one test program with a limit of seconds.
# Prints one line, and the program's output if something failed. REPORT_SHORT=1
# counts nothing and prints nothing when no test ran (a pattern that doesn't
# match). The output stays in $report_output.
report_run()
{
    local name=$1 limit=$2 begin=${EPOCHREALTIME/[.,]/} rc ok bad skip said line why=""
    shift 2
    report_output=$(mktemp)

    # A session of its own: its process group is all that the program starts,
    # and a limit that passes ends the whole of it. S2_NICE: it takes what others leave.
    # shellcheck disable=SC2016 # that shell's variables
    setsid bash -c '[ -z "${S2_NICE:-}" ] || echo "$S2_NICE" 2>/dev/null >/proc/self/autogroup
        exec timeout --foreground -k 5 "$@"' bash "$limit" "$@" \
        >"$report_output" 2>&1 </dev/null 9>&- &
    report_group=$!
    trap report_interrupted INT TERM HUP
    # The shell's own word on a program that crashed isn't wanted.
    { wait "$report_group"; } 2>/dev/null
    rc=$?
    trap - INT TERM HUP
    if report_end_group "$report_group" && [ $rc != 124 ] && [ $rc != 137 ]; then
        why="left processes running"
    fi
    report_group=

    ok=$(grep -c '^ok ' "$report_output")
    bad=$(grep -c '^not ok ' "$report_output")
    skip=$(grep -c '^skip ' "$report_output")
    said=$(grep -xE '[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped' "$report_output" | tail -n 1)
    if [ "${REPORT_SHORT:-}" = 1 ] && [ $rc = 0 ] && [ $((ok + bad + skip)) = 0 ]; then
        rm -f "$report_output"
        return 0
    fi
    if [ $rc = 124 ] || [ $rc = 137 ]; then
        why="not done after $limit s"
    elif [ $rc != 0 ] && [ "$bad" = 0 ] && ! [ $rc = 77 ]; then
        why="exit status $rc"
        [ $rc -le 128 ] || why="ended by SIG$(kill -l $((rc - 128)))"
    elif [ "$said" != "$ok passed, $bad failed, $skip skipped" ]; then
        why="says \"${said:-nothing}\" at its end"
    elif [ $((ok + bad + skip)) = 0 ]; then
        why="ran no test"
    fi
    while read -r line; do
        if ! report_skip_allowed "${line#skip }"; then
            skip=$((skip - 1))
            bad=$((bad + 1))
            report_failures+="  $name: may not be skipped here: ${line#skip }"$'\n'
        fi
    done < <(grep '^skip ' "$report_output")
    if [ -n "$why" ]; then
        bad=$((bad + 1))
        report_failures+="  $name: $why"$'\n'
    fi
    report_failures+=$(sed -n "s|^not ok |  $name: |p" "$report_output" | cut -c1-200)
    [ -z "$report_failures" ] || [[ $report_failures == *$'\n' ]] || report_failures+=$'\n'

    report_passed=$((report_passed + ok))
    report_failed=$((report_failed + bad))
    report_skipped=$((report_skipped + skip))
    printf '%-44s %6ss %5d passed' "$name" "$(report_seconds "$begin")" "$ok"
    [ "$bad" = 0 ] || printf ', %d FAILED' "$bad"
    [ "$skip" = 0 ] || printf ', %d skipped' "$skip"
    printf '\n'
    if [ "$bad" != 0 ]; then
        grep -vE '^ok ' "$report_output" | tail -n 60 | sed 's/^/    | /'
        [ -z "$why" ] || printf '    | %s\n' "$why"
    elif [ "$skip" != 0 ]; then
        sed -n 's/^skip /    skipped: /p' "$report_output"
    fi
    rm -f "$report_output"
}

# report_together N COMMAND...: runs "COMMAND NAME" for each name of standard input, N at
# once; COMMAND is a function that ends in report_run. Each prints what it prints when it is
# done, and is counted.
report_together()
{
    local at_once=$1 name state work
    shift
    work=$(mktemp -d)
    trap 'report_together_interrupted "$work"' INT TERM HUP

    while read -r name; do
        while [ "$(jobs -rp | wc -l)" -ge "$at_once" ]; do
            wait -n 2>/dev/null
            report_collect "$work"
        done
        state=$work/$(printf '%s' "$name" | tr '/' '_')
        (
            report_passed=0 report_failed=0 report_skipped=0 report_failures=
            "$@" "$name" >"$state.text" 2>&1
            printf '%s %s %s\n%s' "$report_passed" "$report_failed" "$report_skipped" \
                "$report_failures" >"$state.new"
            mv "$state.new" "$state.done"
        ) </dev/null &
    done
    wait
    trap - INT TERM HUP
    report_collect "$work"
    rm -rf "$work"
}

# What is done: shown, counted, forgotten.
report_collect()
{
    local state passed failed skipped

    for state in "$1"/*.done; do
        [ -e "$state" ] || continue
        cat "${state%.done}.text"
        {
            read -r passed failed skipped
            report_failures+=$(cat)
        } <"$state"
        [ -z "$report_failures" ] || [[ $report_failures == *$'\n' ]] || report_failures+=$'\n'
        report_passed=$((report_passed + passed))
        report_failed=$((report_failed + failed))
        report_skipped=$((report_skipped + skipped))
        rm -f "$state" "${state%.done}.text"
    done
}

report_together_interrupted()
{
    trap - INT TERM HUP
    # shellcheck disable=SC2046 # one word a process
    kill -TERM $(jobs -rp) 2>/dev/null
    wait
    rm -rf "$1"
    printf '\ninterrupted\n' >&2
    exit 130
}

# report_step NAME COMMAND...: a step that is one test: it passes if the command
# exits with 0. Its output is shown if it doesn't.
report_step()
{
    local name=$1 begin=${EPOCHREALTIME/[.,]/} log
    shift
    log=$(mktemp)

    if "$@" >"$log" 2>&1 </dev/null 9>&-; then
        report_passed=$((report_passed + 1))
        printf '%-44s %6ss %5d passed\n' "$name" "$(report_seconds "$begin")" 1
    else
        report_failed=$((report_failed + 1))
        report_failures+="  $name"$'\n'
        printf '%-44s %6ss     0 passed, 1 FAILED\n' "$name" "$(report_seconds "$begin")"
        tail -n 60 "$log" | sed 's/^/    | /'
    fi
    rm -f "$log"
}

# A step whose command has already said what it does.
report_count()
{
    if [ "$2" = 0 ]; then
        report_passed=$((report_passed + 1))
    else
        report_failed=$((report_failed + 1))
        report_failures+="  $1"$'\n'
    fi
}

# The failures once more, then the line that ends every run. Its status is the
# run's.
report_end()
{
    [ -z "$report_failures" ] || printf '\nFailed:\n%s' "$report_failures"
    printf '%d passed, %d failed, %d skipped\n' \
        "$report_passed" "$report_failed" "$report_skipped"
    [ "$report_failed" = 0 ] && [ $((report_passed + report_skipped)) != 0 ]
}
