# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The engines alone: without OpenSSL, libevent and SQLite the library still
# builds, exports the same and needs expat alone.
set -u
: "${S2_SRC:?}"
cd "$S2_SRC" || exit 1
export say_suite=packaging/minimal
. tests/lib/say.sh
. tests/lib/build.sh

library=$build_root/minimal/lib/.libs/libs2svpn.so

needs_expat_alone()
{
    ! readelf -d "$library" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' |
        grep -vE '^(libexpat|libc|ld-linux-x86-64)\.so'
}
exports_the_map()
{
    diff <(sed -n 's/^ *\(s2svpn_[a-z0-9_]*\);$/\1/p' lib/libs2svpn.map) \
        <(nm -D --defined-only "$library" | awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' | sort)
}

if check "the engines build without OpenSSL, libevent and SQLite" \
    build_make minimal all --disable-static --without-openssl --without-libevent \
    --without-sqlite; then
    check "the library needs expat alone" needs_expat_alone
    check "it exports what the map names" exports_the_map
fi
say_end
