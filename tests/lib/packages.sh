# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The packages that building, testing and the foreign peers need, in groups, and
# packages_need, which installs what is missing. Debian's names; the probe beside
# each finds the same thing on any system. Sourced, never run.

# One line each: group, package, probe (cmd:program, pc:module, file:glob).
packages_list()
{
    cat <<'LIST'
build gcc cmd:gcc
build libc6-dev file:/usr/include/stdlib.h
build make cmd:make
build autoconf cmd:autoconf
build automake cmd:automake
build libtool cmd:libtoolize
build autoconf-archive file:/usr/share/aclocal/ax_check_vscript.m4
build pkg-config cmd:pkg-config
build libssl-dev pc:libcrypto
build libexpat1-dev pc:expat
build libevent-dev pc:libevent_core
build libsqlite3-dev pc:sqlite3
test libcunit1-dev pc:cunit
test binutils cmd:readelf
test g++ cmd:g++
test clang cmd:clang
test libclang-rt-14-dev file:/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.fuzzer-*.a
test llvm cmd:llvm-symbolizer
test clang-format cmd:clang-format
test python3 cmd:python3
test openssl cmd:openssl
test zlib1g-dev pc:zlib
test swig cmd:swig
test shellcheck cmd:shellcheck
test mandoc cmd:mandoc
test valgrind cmd:valgrind
test systemd cmd:systemd-analyze
peers iproute2 cmd:ip
peers iputils-ping cmd:ping
peers procps cmd:pkill
peers tcpdump cmd:tcpdump
peers tshark cmd:tshark
peers ike-scan cmd:ike-scan
peers python3-scapy file:/usr/lib/python3/dist-packages/scapy/__init__.py
peers python3-botocore file:/usr/lib/python3/dist-packages/botocore/__init__.py
peers python3-cryptography file:/usr/lib/python3/dist-packages/cryptography/__init__.py
peers charon-systemd cmd:charon-systemd
peers strongswan-swanctl cmd:swanctl
peers libstrongswan-standard-plugins file:/usr/lib/ipsec/plugins/libstrongswan-openssl.so
peers libcharon-extra-plugins file:/usr/lib/ipsec/plugins/libstrongswan-kernel-libipsec.so
peers libnss3-tools cmd:certutil
peers libldns3 file:/usr/lib/*/libldns.so.3
peers libunbound8 file:/usr/lib/*/libunbound.so.8
peers libcurl3-nss file:/usr/lib/*/libcurl-nss.so.4
peers libldap-2.5-0 file:/usr/lib/*/libldap-2.5.so.0
peers libevent-pthreads-2.1-7 file:/usr/lib/*/libevent_pthreads-2.1.so.7
peers bird2 cmd:bird
peers frr file:/usr/lib/frr/bgpd
peers exabgp cmd:exabgp
peers gobgpd cmd:gobgpd
peers iperf3 cmd:iperf3
peers nftables cmd:nft
LIST
}

# The services that packages above bring, and their processes' names.
packages_services="strongswan bird frr exabgp gobgpd"
packages_daemons="charon-systemd charon starter bird bgpd zebra watchfrr exabgp gobgpd"

packages_probe()
{
    case $1 in
    cmd:*) PATH=$PATH:/usr/sbin:/sbin command -v "${1#cmd:}" >/dev/null ;;
    pc:*) command -v pkg-config >/dev/null && pkg-config --exists "${1#pc:}" ;;
    file:*) compgen -G "${1#file:}" >/dev/null ;;
    esac
}

# Prints the packages of the given groups that are missing, one a line.
packages_missing()
{
    local wanted=" $* " group package probe installed=""

    if command -v dpkg-query >/dev/null; then
        installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' 2>/dev/null |
            sed -n 's/^installed //p')
        installed=$'\n'$installed$'\n'
    fi
    while read -r group package probe; do
        [[ $wanted == *" $group "* ]] || continue
        [[ $installed == *$'\n'"$package"$'\n'* ]] && continue
        packages_probe "$probe" || printf '%s\n' "$package"
    done < <(packages_list)
}

# Names of daemons from the list that run now, with their process ids.
packages_running()
{
    local comm name pid

    for comm in /proc/[0-9]*/comm; do
        pid=${comm#/proc/}
        { read -r name <"$comm"; } 2>/dev/null || continue
        [[ " $packages_daemons " == *" $name "* ]] && printf '%s %s\n' "$name" "${pid%/comm}"
    done | sort
}

packages_as_root()
{
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif [ -n "${CI:-}" ]; then
        sudo -n "$@"
    else
        sudo "$@"
    fi
}

# The part that runs as root: installs "$@" without starting a service. A
# policy-rc.d that says no is put in place for the time being; the one that was
# there comes back whatever happens. Services that are new are disabled, so that
# a restart of the machine doesn't start them either.
packages_root_script()
{
    cat <<'SCRIPT'
set -u
services=$1 update=$2
shift 2
policy=/usr/sbin/policy-rc.d
kept=$policy.before-libs2svpn
export DEBIAN_FRONTEND=noninteractive DEBCONF_NONINTERACTIVE_SEEN=true

restore()
{
    rm -f "$policy"
    if [ -e "$kept" ] || [ -L "$kept" ]; then mv "$kept" "$policy"; fi
}
known()
{
    for s in $services; do
        if [ -e "/lib/systemd/system/$s.service" ] || [ -e "/etc/init.d/$s" ]; then
            printf '%s ' "$s"
        fi
    done
}
install()
{
    apt-get install -y -q --no-install-recommends \
        -o Dpkg::Options::=--force-confold -o Dpkg::Use-Pty=0 "$@" </dev/null
}

before=" $(known)"
if [ -e "$kept" ] || [ -L "$kept" ]; then restore; fi
if [ -e "$policy" ] || [ -L "$policy" ]; then mv "$policy" "$kept"; fi
trap restore EXIT
trap 'exit 130' INT TERM HUP
printf '#!/bin/sh\nexit 101\n' >"$policy"
chmod 755 "$policy"

if [ "$update" = yes ]; then apt-get update -q || exit 1; fi
install "$@" || { apt-get update -q && install "$@"; } || exit 1

for s in $(known); do
    case $before in *" $s "*) continue ;; esac
    if command -v systemctl >/dev/null 2>&1; then
        systemctl disable -q "$s.service" >/dev/null 2>&1 || true
    elif command -v update-rc.d >/dev/null 2>&1 && [ -e "/etc/init.d/$s" ]; then
        update-rc.d "$s" disable >/dev/null 2>&1 || true
    fi
done
exit 0
SCRIPT
}

# packages_need GROUP...: makes sure that all packages of the groups are there.
# Says what it installs. Returns 1, having named them, if it can't.
packages_need()
{
    local missing update=no running log

    missing=$(packages_missing "$@" | sort -u)
    [ -z "$missing" ] && return 0
    # shellcheck disable=SC2086 # one word a package
    missing=$(printf '%s ' $missing)
    missing=${missing% }

    if ! command -v apt-get >/dev/null || ! command -v dpkg-query >/dev/null; then
        printf 'Missing here, under the names that Debian 12 gives them:\n  %s\n' "$missing" >&2
        printf 'This is no Debian-like system: install them by its own means, then run this again.\n' >&2
        return 1
    fi
    if [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; then
        printf 'Missing: %s\nInstall them as root: apt-get install --no-install-recommends %s\n' \
            "$missing" "$missing" >&2
        return 1
    fi

    # Lists that are absent or older than a day are fetched first.
    if [ -z "$(find /var/lib/apt/lists -maxdepth 1 -name '*_Packages*' -mtime -1 -print -quit \
        2>/dev/null)" ]; then
        update=yes
    fi
    printf 'Installing (%s): %s\n' "$*" "$missing"
    running=$(packages_running)
    log=$(mktemp)
    # shellcheck disable=SC2086 # one word a package
    if ! packages_as_root sh -c "$(packages_root_script)" sh "$packages_services" "$update" $missing \
        >"$log" 2>&1; then
        tail -n 30 "$log" >&2
        rm -f "$log"
        printf 'Installing failed. Missing: %s\n' "$(packages_missing "$@" | tr '\n' ' ')" >&2
        return 1
    fi
    rm -f "$log"
    running=$(comm -13 <(printf '%s\n' "$running") <(packages_running))
    if [ -n "$running" ]; then
        printf 'Installing has left daemons running: %s\n' "$running" >&2
        return 1
    fi
    missing=$(packages_missing "$@" | tr '\n' ' ')
    if [ -n "$missing" ]; then
        printf 'Still missing after installing: %s\n' "$missing" >&2
        return 1
    fi
}
