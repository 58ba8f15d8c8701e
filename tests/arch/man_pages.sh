# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The man pages: mandoc finds nothing to complain of, every exported function has
# a page that names it, and no page names a function that isn't exported.
set -u
cd "${S2_SRC:-$(dirname "$0")/../..}" || exit 1
export say_suite=arch/man_pages
. tests/lib/say.sh

pages=(man/*.[0-9])
if ! [ -e "${pages[0]}" ]; then
    not_ok "there are man pages"
    say_end
fi

exported()
{
    sed -n 's/^ *\(s2svpn_[a-z0-9_]*\);$/\1/p' lib/*.map | sort -u
}

# Functions in the pages' SYNOPSIS and NAME sections.
documented()
{
    cat -- "${pages[@]}" | sed -n 's/^\.\(Fn\|Fo\|Nm\) \(s2svpn_[a-z0-9_]*\).*/\2/p' | sort -u
}

all_documented()
{
    comm -23 <(exported) <(documented) | sed 's/^/in no page: /' | grep . && return 1
    return 0
}

# A name on a .Fn or .Fo line that is neither exported nor a callback's type.
none_invented()
{
    local name bad=0

    while read -r name; do
        grep -qrw "$name" include/s2svpn || { echo "in no header: $name" && bad=1; }
    done < <(cat -- "${pages[@]}" | sed -n 's/^\.\(Fn\|Fo\) \(s2svpn_[a-z0-9_]*\).*/\2/p' | sort -u)
    return "$bad"
}

if command -v mandoc >/dev/null; then
    check "mandoc -Tlint is content" mandoc -Tlint -Wwarning "${pages[@]}"
else
    skip "mandoc -Tlint is content" "no mandoc"
fi
check "every exported function is in a page" all_documented
check "no page has a function that no header has" none_invented
say_end
