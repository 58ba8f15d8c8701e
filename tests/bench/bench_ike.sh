#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What a tunnel costs the responder, ours beside strongSwan's, under the same initiator
# (bench_ike_load) between two namespaces; IKE and ESP AES-128-GCM, pre-shared keys.
#
#     ike_rate_PEER_GROUP    tunnels up and down again a second; initiator and responder
#                            share the processors
#     ike_cpu_PEER_GROUP     processor time of the responder's process alone for one tunnel
#                            up (IKE_SA_INIT, IKE_AUTH, first child) and down (delete)
#     tunnel_rss_PEER        resident memory that one configured and established tunnel
#                            takes: 1,000 in a responder less 50 in another, by 950
#     tunnel_rss_s2svpn_bgp  the same with a BGP session in each tunnel
#
# Both have a configured connection and key for each tunnel. strongSwan has ESP in user
# space (kernel-libipsec), as we have, and what helps it: short exponents as ours
# (dh_exponent_ansi_x9_42), no duplicate checks, a table for its SAs. A route a child it
# installs in any case.
# Peers and groups take turns; the figures are medians of rounds.
#
# usage: bench_ike.sh [--quick]
# With S2_BUILD the programs are that build's.

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
rounds=3 count=1000 customers=500
case ${1:-} in
--quick) rounds=1 count=200 customers=100 ;;
'') ;;
*)
    sed -n 's/^# \(usage: .*\)/\1/p' "${BASH_SOURCE[0]}" >&2
    exit 2
    ;;
esac
few=25  # customers of the smaller responder; each has two tunnels
busy=12 # customers whose tunnels come and go

if [ -z "${S2_BUILD:-}" ]; then
    export S2_SRC=$top
    . "$top/tests/lib/packages.sh"
    . "$top/tests/lib/build.sh"
    packages_need build peers || exit 1
    build_make bench "tests/bench/bench_ike_gateway tests/bench/bench_ike_load" \
        --disable-shared || exit 1
    export S2_BUILD=$build_root/bench
fi
. "$top/tests/interop/lib/net.sh"
# shellcheck disable=SC2154 # net.sh sets build
programs=$build/tests/bench
group_number=([19]=ecp256 [31]=curve25519 [14]=modp2048)
results=$work/results
mkdir "$results"

# customer N: its address, as ike_load.h has it.
customer()
{
    echo "10.9.$(($1 / 250)).$((1 + $1 % 250))"
}

make_customers()
{
    make_net
    in_device ip route add local 10.9.0.0/16 dev lo
    in_cloud ip route add 10.9.0.0/16 dev v0 src 198.51.100.1
    in_cloud ip addr add 10.0.1.1/32 dev lo # kernel-libipsec wants one of each child's
    in_cloud ip addr add 10.0.2.1/32 dev lo
}

# ---- responders: up_PEER CUSTOMERS GROUP static|bgp; their process is $responder

up_s2svpn()
{
    start "$cloud" "$work/responder.log" "$programs/bench_ike_gateway" "$1" "$2" "$3"
    responder=$started
    until_true 20 grep -q ready "$work/responder.log"
}

write_charon()
{
    mkdir -p "$work/r/conf"
    cat >"$work/r/strongswan.conf" <<CONF
charon-systemd {
  load = openssl random nonce hmac kdf aesni aes sha1 sha2 pem pkcs1 x509 curve25519 gmp kernel-libipsec kernel-netlink socket-default vici
  threads = 16
  dos_protection = no
  dh_exponent_ansi_x9_42 = no
  ikesa_table_size = 4096
  ikesa_table_segments = 16
  journal {
    default = -1
  }
  plugins {
    vici {
      socket = unix://$work/r/vici
    }
  }
}
swanctl {
  load = pem pkcs1 x509 openssl random
  plugins {
    vici {
      socket = unix://$work/r/vici
    }
  }
}
CONF
}

# write_connections CUSTOMERS GROUP: two connections and a key for each.
write_connections()
{
    local i k address

    echo 'connections {'
    for ((i = 0; i < $1; i++)); do
        address=$(customer "$i")
        for k in 1 2; do
            cat <<CONF
  c$i-$k {
    version = 2
    local_addrs = 198.51.100.$k
    remote_addrs = $address
    encap = yes
    mobike = no
    unique = never
    dpd_delay = 10s
    proposals = aes128gcm16-prfsha256-$2
    local {
      auth = psk
      id = 198.51.100.$k
    }
    remote {
      auth = psk
      id = $address
    }
    children {
      k {
        local_ts = 10.0.$k.1/32
        remote_ts = 10.$((10 + k)).${address#10.9.}/32
        esp_proposals = aes128gcm16-$2
      }
    }
  }
CONF
        done
    done
    echo '}'
    echo 'secrets {'
    for ((i = 0; i < $1; i++)); do
        printf '  ike-%s {\n    id = %s\n    secret = "%s"\n  }\n' "$i" "$(customer "$i")" \
            bench.only.not.secret.0123456789
    done
    echo '}'
}

up_strongswan()
{
    rm -rf "$work/r"
    write_charon
    write_connections "$1" "${group_number[$2]}" >"$work/r/conf/swanctl.conf"
    STRONGSWAN_CONF=$work/r/strongswan.conf SWANCTL_DIR=$work/r/conf \
        start "$cloud" "$work/responder.log" charon-systemd
    responder=$started
    until_true 10 test -S "$work/r/vici" || return 1
    swanctl_of r --load-all >"$work/load.log" 2>&1
}

# ---- measuring

# load MODE CUSTOMERS GROUP LAST PEER KIND: what bench_ike_load prints is in $work/figures.
load()
{
    "up_$5" "$2" "$3" "$6" &&
        in_device "$programs/bench_ike_load" "$1" "$2" "$3" "$responder" "$4" >"$work/figures"
    local rc=$?
    stop "$responder"
    if [ $rc != 0 ]; then
        echo "bench_ike: $5: $1 failed" >&2
        tail -n 20 "$work"/*.log >&2
        exit 1
    fi
}

figure()
{
    sed -n "s/^$1 //p" "$work/figures"
}

median()
{
    sort -n "$results/$1" | sed -n "$(((rounds + 1) / 2))p"
}

# spread NAME: the lowest and the highest of the rounds.
spread()
{
    sort -n "$results/$1" | sed -n '1p;$p' | xargs printf '(%s to %s)'
}

churn()
{
    local peer=$1 group=$2 name=$1_${group_number[$2]}

    load churn $busy "$group" $count "$peer" static
    figure rate >>"$results/rate_$name"
    figure responder_us >>"$results/cpu_$name"
}

# resident CUSTOMERS PEER KIND: sets $resident, KiB.
resident()
{
    load up "$1" 19 "$3" "$2" "$3"
    resident=$(figure resident_kib)
}

# rss NAME PEER KIND
rss()
{
    local less

    resident $few "$2" "$3"
    less=$resident
    resident $customers "$2" "$3"
    awk -v n="$1" -v a="$less" -v b="$resident" -v few=$few -v all=$customers 'BEGIN {
        printf "tunnel_rss_%s %.1f KiB\n", n, (b - a) / (2 * (all - few)) }' |
        tee "$results/rss_$1"
}

# ratio NAME A B
ratio()
{
    awk -v n="$1" -v a="$2" -v b="$3" 'BEGIN { printf "ratio %s %.3f\n", n, a / b }'
}

peers=(s2svpn)
if command -v charon-systemd swanctl >/dev/null; then
    peers+=(strongswan)
else
    echo "# strongswan is not there: no charon-systemd or swanctl"
fi
make_customers
for ((i = 0; i < rounds; i++)); do
    for group in "${!group_number[@]}"; do
        for peer in "${peers[@]}"; do churn "$peer" "$group"; done
    done
done
for group in ecp256 curve25519 modp2048; do
    for peer in "${peers[@]}"; do
        for what in rate cpu; do
            unit='a second'
            [ $what = rate ] || unit=us
            name=${what}_${peer}_$group
            echo "ike_$name $(median "$name") $unit $(spread "$name")"
        done
    done
    [ ${#peers[@]} = 1 ] || ratio "ike_cpu_s2svpn_$group/ike_cpu_strongswan_$group" \
        "$(median "cpu_s2svpn_$group")" "$(median "cpu_strongswan_$group")"
done
echo "tunnel_rss_tunnels $((2 * customers)) up"
for peer in "${peers[@]}"; do rss "$peer" "$peer" static; done
rss s2svpn_bgp s2svpn bgp
[ ${#peers[@]} = 1 ] || ratio tunnel_rss_s2svpn/tunnel_rss_strongswan \
    "$(cut -d ' ' -f 2 "$results/rss_s2svpn")" "$(cut -d ' ' -f 2 "$results/rss_strongswan")"
exit 0
