# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Builds of the tree out of the tree: one folder each below .build, configured
# once and made anew when something changed. Sourced, never run; the caller has
# set S2_SRC to the top of the tree.

build_root=$S2_SRC/.build
build_jobs=$(nproc 2>/dev/null || echo 2)

build_log()
{
    printf '%s/%s.log' "$build_root" "$1"
}

# build_prepare: the folder is there and ours, and ./configure is up to date.
build_prepare()
{
    local stamp=$build_root/bootstrap.stamp log

    if ! mkdir -p "$build_root" 2>/dev/null || ! [ -w "$build_root" ]; then
        printf '%s cannot be written (made by another user?): remove it, then run this again\n' \
            "$build_root" >&2
        return 1
    fi
    if [ -e "$stamp" ] && [ -x "$S2_SRC/configure" ] && [ -e "$S2_SRC/Makefile.in" ] &&
        [ -z "$(find "$S2_SRC/configure.ac" "$S2_SRC/Makefile.am" "$S2_SRC/bootstrap" \
            "$S2_SRC/lib" "$S2_SRC/tests" "$S2_SRC/examples" "$S2_SRC/bindings" "$S2_SRC/man" \
            \( -name '*.am' -o -name configure.ac -o -name bootstrap \) -newer "$stamp" \
            -print -quit 2>/dev/null)" ]; then
        return 0
    fi
    log=$(build_log bootstrap)
    printf '%-44s' "making configure" >&2
    local begin=$SECONDS
    if ! "$S2_SRC/bootstrap" >"$log" 2>&1; then
        printf 'FAILED\n' >&2
        tail -n 30 "$log" >&2
        return 1
    fi
    printf '%4ds\n' $((SECONDS - begin)) >&2
    touch "$stamp"
}

# build_make NAME TARGET OPTION...: configures .build/NAME with the options if
# it isn't yet, then makes the target (words, so "a b" are two), without a word
# but the time it took. The log is .build/NAME.log.
build_make()
{
    local name=$1 target=$2 dir=$build_root/$1 log begin=$SECONDS
    shift 2
    log=$(build_log "$name")

    build_prepare || return 1
    mkdir -p "$dir"
    printf '%-44s' "building $name" >&2
    if ! [ -e "$dir/config.status" ] || [ "$S2_SRC/configure" -nt "$dir/config.status" ] ||
        [ "$(cat "$dir/options" 2>/dev/null)" != "$*" ]; then
        # A change of options means other objects.
        rm -rf "$dir"
        mkdir -p "$dir"
        if ! (cd "$dir" && "$S2_SRC/configure" -q "$@") >"$log" 2>&1; then
            printf 'FAILED to configure\n' >&2
            tail -n 20 "$log" >&2
            return 1
        fi
        printf '%s' "$*" >"$dir/options"
    fi
    # shellcheck disable=SC2086 # words are targets
    if ! make -C "$dir" -j"$build_jobs" --no-print-directory $target >"$log" 2>&1; then
        printf 'FAILED\n' >&2
        # What the compilers said; the whole is in the log.
        grep -nE 'error|warning:|undefined|\*\*\*' "$log" | head -n 40 >&2 || tail -n 30 "$log" >&2
        printf 'the whole output: %s\n' "$log" >&2
        return 1
    fi
    printf '%4ds\n' $((SECONDS - begin)) >&2
}

# build_list NAME: what `make check` would run there, one a line.
build_list()
{
    make -s -C "$build_root/$1" --no-print-directory list-tests
}
