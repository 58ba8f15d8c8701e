# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# A wireguard-go with GSO for the tunnel's benchmark: the system's if it is new enough,
# else Debian 13's package, unpacked below .build/peers and never installed. It comes by
# apt from the host's own package source (another suite of it), signatures checked, with
# lists of its own, so that nothing of the system changes. Sourced.

peers_suite=trixie # the first with such a package
peers_least=0.0.20230223

# Is this one there, does it run, and is it new enough?
peers_is_good()
{
    local version

    version=$("$1" --version 2>/dev/null | sed -n 's/^wireguard-go v*//p' | head -n 1)
    [ -n "$version" ] &&
        [ "$(printf '%s\n' "$peers_least" "$version" | sort -V | head -n 1)" = "$peers_least" ]
}

# The host's own package source.
peers_source()
{
    local codename

    codename=$(. /etc/os-release && [ "$ID" = debian ] && echo "$VERSION_CODENAME") || return 1
    # shellcheck disable=SC2016 # apt's variables
    apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' \
        'Created-By: Packages' 2>/dev/null |
        sed -n "s/ $codename main\$//p" | head -n 1
}

# peers_fetch DIR
peers_fetch()
{
    local dir=$1 uri keyring=/usr/share/keyrings/debian-archive-keyring.gpg
    local options

    command -v apt-get dpkg-deb >/dev/null || return 1
    uri=$(peers_source) && [ -n "$uri" ] && [ -e "$keyring" ] || return 1
    mkdir -p "$dir/state/lists/partial" "$dir/cache/archives/partial" || return 1
    : >"$dir/status"
    printf 'deb [signed-by=%s] %s %s main\n' "$keyring" "$uri" "$peers_suite" >"$dir/sources.list"
    options=(-q -o "Dir::State=$dir/state" -o "Dir::State::status=$dir/status"
        -o "Dir::Cache=$dir/cache" -o "Dir::Etc::sourcelist=$dir/sources.list"
        -o Dir::Etc::sourceparts=- -o Acquire::Languages=none)
    (cd "$dir" && timeout 120 apt-get "${options[@]}" update &&
        timeout 60 apt-get "${options[@]}" download wireguard-go &&
        dpkg-deb -x wireguard-go_*.deb root) >"$dir/log" 2>&1 || return 1
    rm -rf "$dir/state" "$dir/cache"
}

# Sets WIREGUARD_GO, or says why there is none.
peers_wireguard()
{
    local dir=$1/.build/peers

    export WIREGUARD_GO
    if [ -n "${WIREGUARD_GO:-}" ]; then
        return
    fi
    for WIREGUARD_GO in wireguard-go "$dir/root/usr/bin/wireguard-go"; do
        if peers_is_good "$WIREGUARD_GO"; then return; fi
    done
    peers_fetch "$dir"
    if peers_is_good "$WIREGUARD_GO"; then return; fi
    WIREGUARD_GO=
    echo "# NO WIREGUARD-GO: the system has none since v$peers_least, and Debian's $peers_suite" \
        "package could not be had from its package source or doesn't run ($dir/log)"
}
