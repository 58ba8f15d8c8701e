# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What `make install` puts into a prefix is all that a program outside of the
# tree needs: headers, both libraries shared and static, pkg-config, man pages;
# the libraries need only what they may need; `make uninstall` leaves nothing.
set -u
cd "${S2_SRC:?}" || exit 1
export say_suite=packaging/install
. tests/lib/say.sh

build=${S2_BUILD:?}
prefix=$build/prefix
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
libdir=$prefix/lib
export PKG_CONFIG_PATH=$libdir/pkgconfig

quiet_make()
{
    make -s -C "$build" --no-print-directory "$@"
}

rm -rf "$prefix"
check "make install" quiet_make install || say_end

headers_installed()
{
    diff <(cd include/s2svpn && ls -- *.h) <(cd "$prefix/include/s2svpn" && ls)
}
check "every public header is installed" headers_installed

soname()
{
    [ "$(readelf -d "$libdir/$1.so" | sed -n 's/.*(SONAME).*\[\(.*\)\]/\1/p')" = "$1.so.0" ]
}
# needed LIBRARY NAME...: NEEDED has nothing but the names, version cut off.
needed()
{
    local library=$1 found
    shift
    found=$(readelf -d "$libdir/$library.so" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
        sed 's/\.so.*//; s/-2\.1$//' | sort)
    found=$(comm -23 <(printf '%s\n' "$found") <(printf '%s\n' "$@" | sort))
    [ -z "$found" ] || { printf 'also needs: %s\n' "$found" && return 1; }
}
check "libs2svpn has its soname" soname libs2svpn
check "libs2svpn needs libcrypto and expat, nothing else" \
    needed libs2svpn libcrypto libexpat libc ld-linux-x86-64
check "libs2svpn-host has its soname" soname libs2svpn-host
check "libs2svpn-host needs libs2svpn, libevent's core and SQLite, nothing else" \
    needed libs2svpn-host libs2svpn libevent_core libsqlite3 libc ld-linux-x86-64

cat >"$work/consumer.c" <<'PROGRAM'
#include <stdio.h>
#include <string.h>
#include <s2svpn/version.h>
#include <s2svpn/types.h>

int main(void)
{
    s2svpn_address a;
    char text[S2SVPN_ADDRESS_TEXT];

    if (strcmp(s2svpn_version(), S2SVPN_VERSION) != 0)
        return 1;
    if (!s2svpn_address_read("192.0.2.1", &a))
        return 2;
    return strcmp(s2svpn_address_print(&a, text), "192.0.2.1") != 0;
}
PROGRAM

# builds MODULE [--static] SOURCE: compiles outside of the tree.
builds()
{
    local module=$1 static=$2 source=$3 flags
    # shellcheck disable=SC2086 # empty or one option
    flags=$(cd "$work" && pkg-config $static --cflags --libs "$module") || return 1
    rm -f "$work/program"
    if [ -n "$static" ]; then
        # Ours static; what they need may be shared.
        flags=${flags//-ls2svpn-host/-l:libs2svpn-host.a}
        flags=${flags//-ls2svpn/-l:libs2svpn.a}
    fi
    # shellcheck disable=SC2086 # flags are words
    (cd "$work" && "${CC:-cc}" -std=gnu11 -Wall -Wextra -Werror -o program "$source" $flags) ||
        return 1
    # The example waits for a document and then for ever; it is only built.
    [ "$source" != consumer.c ] || LD_LIBRARY_PATH=$libdir timeout 60 "$work/program"
}
for module in libs2svpn libs2svpn-host; do
    check "a program outside of the tree builds with $module" builds $module "" consumer.c
    check "and with $module --static" builds $module --static consumer.c
done
if [ -e examples/embed.c ]; then
    cp examples/embed.c "$work/"
    check "examples/embed.c builds with the shared library" builds libs2svpn "" embed.c
    check "examples/embed.c builds with the static library" builds libs2svpn --static embed.c
fi

# The README's C example, and every EXAMPLES section's code that is a program.
fenced()
{
    awk '/^```c$/ { on = 1; n++; next } /^```$/ { on = 0 } on { print > (dir "/readme_" n ".c") }' \
        dir="$work" README.md
}
compiles()
{
    # shellcheck disable=SC2046 # flags are words
    (cd "$work" && "${CC:-cc}" -std=gnu11 -Wall -Wextra -Werror -c -o /dev/null "$1" \
        $(pkg-config --cflags libs2svpn-host))
}
if [ -e README.md ]; then
    fenced
    for program in "$work"/readme_*.c; do
        [ -e "$program" ] || continue
        check "README.md: C example ${program##*_} compiles" compiles "${program##*/}"
    done
fi
for page in man/*.[0-9]; do
    [ -e "$page" ] || continue
    name=${page##*/}
    awk '/^\.Sh/ { on = $2 == "EXAMPLES" } on && /^\.Bd.*-literal/ { code = 1; n++; next }
         /^\.Ed/ { code = 0 } on && code { gsub(/\\e/, "\\"); gsub(/\\&/, ""); gsub(/\\-/, "-");
         print > (dir "/" name "_" n ".txt") }' dir="$work" name="$name" "$page"
    for program in "$work/$name"_*.txt; do
        # Programs and sessions of a shell stand side by side in EXAMPLES.
        grep -q '^#include' "$program" 2>/dev/null || continue
        mv "$program" "${program%.txt}.c"
        check "man/$name: example compiles" compiles "$(basename "${program%.txt}").c"
    done
done

left()
{
    quiet_make uninstall >/dev/null || return 1
    ! find "$prefix" ! -type d -print | grep .
}
check "make uninstall leaves nothing" left
quiet_make install >/dev/null 2>&1
say_end
