# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Steps of .ci/run and of .ci/beside: builds of other kinds, and their programs run.
# Sourced, never run; the caller has set S2_SRC.

. "$S2_SRC/tests/lib/packages.sh"
. "$S2_SRC/tests/lib/build.sh"
. "$S2_SRC/tests/lib/report.sh"

section()
{
    printf '\n== %s (%d:%02d)\n' "$1" $((SECONDS / 60)) $((SECONDS % 60))
}

# builds VARIANT TARGET OPTION...: a build as a step.
builds()
{
    build_make "$@"
    local rc=$?
    report_count "building $1: $2" $rc
    return $rc
}

# programs VARIANT REGEX: the built test programs there whose path matches.
programs()
{
    build_list "$1" | grep -vE '\.(sh|py)$' | grep -E "$2"
}

# run_one VARIANT SECONDS [WRAPPER...] PROGRAM
run_one()
{
    local variant=$1 limit=$2 program=${!#}
    shift 2
    set -- "${@:1:$#-1}"
    S2_BUILD=$build_root/$variant report_run "$variant: ${program#tests/}" "$limit" "$@" \
        "$build_root/$variant/$program"
}

# run_all AT_ONCE VARIANT REGEX SECONDS [WRAPPER...]
run_all()
{
    local at_once=$1 variant=$2 regex=$3 limit=$4 found
    shift 4
    mapfile -t found < <(programs "$variant" "$regex")
    if [ ${#found[@]} = 0 ]; then
        report_count "$variant: no program matches $regex" 1
        return
    fi
    report_together "$at_once" run_one "$variant" "$limit" "$@" < <(printf '%s\n' "${found[@]}")
}
