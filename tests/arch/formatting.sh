# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The C sources look as clang-format 14 lays them out with .clang-format.
set -u
cd "${S2_SRC:-$(dirname "$0")/../..}" || exit 1
export say_suite=arch/formatting
. tests/lib/say.sh

if ! clang-format --version 2>/dev/null | grep -q 'version 14\.'; then
    skip "sources are formatted" "no clang-format 14"
    say_end
fi
mapfile -t files < <(find include lib examples bindings tests -name '*.[ch]' | sort)
check "sources are formatted" clang-format --dry-run -Werror "${files[@]}"
say_end
