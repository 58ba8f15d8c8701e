# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Three readers of the public headers: a C11 compiler (each header alone, without
# extensions), a C++ compiler, and SWIG.
set -u
cd "${S2_SRC:-$(dirname "$0")/../..}" || exit 1
export say_suite=arch/headers
. tests/lib/say.sh

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

each()
{
    local header bad=0

    for header in include/s2svpn/*.h; do
        printf '#include "s2svpn/%s"\n' "${header##*/}" |
            "$@" -Iinclude -pedantic -Wall -Wextra -Wshadow -Werror -fsyntax-only - ||
            bad=1
    done
    return "$bad"
}

every()
{
    local header

    printf '%%module probe\n%%{\n%%}\n%%include <stdint.i>\n'
    for header in types.h error.h; do
        printf '%%include "s2svpn/%s"\n' "$header"
    done
    for header in include/s2svpn/*.h; do
        printf '%%include "s2svpn/%s"\n' "${header##*/}"
    done
}

# Of no interest here: members called "in" (314), texts that a binding could set
# (451).
swig_reads()
{
    every >"$work/probe.i"
    swig -python -Iinclude -w314,451 -Werror -outdir "$work" \
        -o "$work/probe.c" "$work/probe.i"
}

check "a C11 compiler reads each alone" each "${CC:-cc}" -std=c11 -Wstrict-prototypes -xc
if command -v c++ >/dev/null; then
    check "a C++ compiler reads each alone" each c++ -std=c++17 -xc++
else
    skip "a C++ compiler reads each alone" "no c++"
fi
if command -v swig >/dev/null; then
    check "SWIG reads them" swig_reads
else
    skip "SWIG reads them" "no swig"
fi
say_end
