# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# For test scripts: prints the lines that tests/run counts. A script sets
# say_suite, calls ok, not_ok, skip or check, and ends with say_end. Sourced.

say_suite=${say_suite:-${0##*/}}
say_passed=0
say_failed=0
say_skipped=0

ok()
{
    printf 'ok %s: %s\n' "$say_suite" "$1"
    say_passed=$((say_passed + 1))
}

not_ok()
{
    printf 'not ok %s: %s\n' "$say_suite" "$1"
    say_failed=$((say_failed + 1))
}

# skip NAME WHY
skip()
{
    printf 'skip %s: %s (%s)\n' "$say_suite" "$1" "$2"
    say_skipped=$((say_skipped + 1))
}

# check NAME COMMAND...: ok if the command exits with 0; else its output is shown.
check()
{
    local name=$1 output
    shift
    if output=$("$@" 2>&1); then
        ok "$name"
    else
        not_ok "$name"
        printf '%s\n' "$output" | tail -n 40 | sed 's/^/  /'
        return 1
    fi
}

# The summary; 77 tells automake that everything was skipped.
say_end()
{
    printf '%d passed, %d failed, %d skipped\n' "$say_passed" "$say_failed" "$say_skipped"
    [ "$say_failed" = 0 ] || exit 1
    [ "$say_passed" != 0 ] || exit 77
    exit 0
}
