# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154 # work, pids, say_… are net.sh's
# A script that mostly waits runs its scenes at the same time, each in a process and in
# namespaces of its own. Sourced, after net.sh.

besides=()

# beside SCENE: this very script with that argument, in the background; without root in the
# user namespace that we are in already.
beside()
{
    env -u S2_UNSHARED bash "$0" "$1" >"$work/beside.$1" 2>&1 &
    besides+=("$1:$!")
    pids+=($!)
}

# Waits for them, says what they say, and counts it.
joined()
{
    local b out passed failed skipped

    for b in "${besides[@]}"; do
        wait "${b#*:}"
        out=$work/beside.${b%:*}
        if read -r passed failed skipped < <(sed -n \
            's/^\([0-9]*\) passed, \([0-9]*\) failed, \([0-9]*\) skipped$/\1 \2 \3/p' "$out"); then
            grep -v '^[0-9]* passed, ' "$out"
            say_passed=$((say_passed + passed))
            say_failed=$((say_failed + failed))
            say_skipped=$((say_skipped + skipped))
        else
            cat "$out"
            not_ok "${b%:*} ends by itself"
        fi
    done
}
