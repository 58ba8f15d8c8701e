# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034 # gateway, device_pid and charon are for the scripts that source it
# For tests against foreign peers: network namespaces that the test makes and takes
# away, the programs under test, strongSwan and BIRD in them. Without root the test
# runs in a user namespace of its own. Sourced, first thing in a script.
#
#   device   203.0.113.7 ──── wire (198.51.100.1, .2; 203.0.113.7) ──── cloud
#   LAN 192.168.7.1 (lo)                                     instance 10.0.1.10 (TUN)

here=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
build=${S2_BUILD:-$here/.build/main}
say_suite=interop/$(basename "$0" .sh)
. "$here/tests/lib/say.sh"

# Own user, mount and network namespaces where the caller isn't root.
if [ "$(id -u)" != 0 ] && [ -z "${S2_UNSHARED:-}" ]; then
    if ! unshare -Urnm true 2>/dev/null; then
        skip "all" "neither root nor user namespaces"
        say_end
    fi
    export S2_UNSHARED=1
    exec unshare -Urnm --propagation private bash "$0" "$@"
fi
if [ -n "${S2_UNSHARED:-}" ]; then
    mount -t tmpfs tmpfs /run && mkdir -p /run/netns
fi

work=$(mktemp -d)
pids=()
spaces=()
device=s2d$$
cloud=s2c$$

finish()
{
    local p n

    for p in "${pids[@]}"; do kill "$p" 2>/dev/null; done
    for p in "${pids[@]}"; do
        for _ in $(seq 50); do
            kill -0 "$p" 2>/dev/null || break
            sleep 0.1
        done
        kill -9 "$p" 2>/dev/null
        wait "$p" 2>/dev/null
    done
    for n in "${spaces[@]}"; do ip netns del "$n" 2>/dev/null; done
    if [ -n "${S2_KEEP:-}" ]; then echo "kept: $work"; else rm -rf "$work"; fi
}
trap finish EXIT
trap 'exit 130' INT TERM

# start NAMESPACE LOG COMMAND...: in the background; its process id is $started. What stood in
# the log is gone before it returns, so that nobody takes the words of the one before for its.
start()
{
    local ns=$1 log=$2
    shift 2
    : >"$log"
    ip netns exec "$ns" "$@" >"$log" 2>&1 &
    started=$!
    pids+=("$started")
}

# until_true SECONDS COMMAND...: waits, for so long if it must. The limit only ends what has
# come to nothing: a busy machine may take many times what a quiet one does. Where time is
# what a test is about, the script says so.
until_true()
{
    local end=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))
    shift
    until "$@" >/dev/null 2>&1; do
        [ "${EPOCHREALTIME/[.,]/}" -lt "$end" ] || return 1
        sleep 0.1
    done
}

# ended PID: it has. stop PID: politely, and wait.
ended() { ! kill -0 "$1" 2>/dev/null; }
stop()
{
    kill "$1" 2>/dev/null
    until_true 40 ended "$1"
}

in_device() { ip netns exec "$device" "$@"; }
in_cloud() { ip netns exec "$cloud" "$@"; }

make_net()
{
    local n

    for n in "$device" "$cloud"; do
        ip netns add "$n" || exit 1
        spaces+=("$n")
        ip -n "$n" link set lo up
    done
    ip link add v0 netns "$device" type veth peer name v0 netns "$cloud"
    ip -n "$device" addr add 203.0.113.7/32 dev v0
    ip -n "$cloud" addr add 198.51.100.1/32 dev v0
    ip -n "$cloud" addr add 198.51.100.2/32 dev v0
    ip -n "$device" link set v0 up
    ip -n "$cloud" link set v0 up
    ip -n "$device" route add 198.51.100.0/24 dev v0 src 203.0.113.7
    ip -n "$cloud" route add 203.0.113.0/24 dev v0 src 198.51.100.1
    ip -n "$device" addr add 192.168.7.1/32 dev lo
}

# write_config FILE bgp|static [PSK]: a customerGatewayConfiguration document.
write_config()
{
    local file=$1 kind=$2 psk=${3:-interop.test_key.0123456789} n
    {
        echo '<?xml version="1.0" encoding="UTF-8"?>'
        echo '<vpn_connection id="vpn-0123456789abcdef0">'
        echo '  <customer_gateway_id>cgw-0123456789abcdef0</customer_gateway_id>'
        echo '  <vpn_gateway_id>vgw-0123456789abcdef0</vpn_gateway_id>'
        echo '  <vpn_connection_type>ipsec.1</vpn_connection_type>'
        [ "$kind" = bgp ] ||
            echo '  <vpn_connection_attributes>NoBGPVPNConnection</vpn_connection_attributes>'
        for n in 1 2; do
            echo '  <ipsec_tunnel>'
            config_end customer_gateway 203.0.113.7 "169.254.10.$((4 * n + 2))" 65000 "$kind"
            config_end vpn_gateway "198.51.100.$n" "169.254.10.$((4 * n + 1))" 64512 "$kind"
            cat <<XML
    <ike>
      <authentication_protocol>sha1</authentication_protocol>
      <encryption_protocol>aes-128-cbc</encryption_protocol>
      <lifetime>28800</lifetime>
      <perfect_forward_secrecy>group2</perfect_forward_secrecy>
      <mode>main</mode>
      <pre_shared_key>$psk</pre_shared_key>
    </ike>
    <ipsec>
      <protocol>esp</protocol>
      <authentication_protocol>hmac-sha1-96</authentication_protocol>
      <encryption_protocol>aes-128-cbc</encryption_protocol>
      <lifetime>3600</lifetime>
      <perfect_forward_secrecy>group2</perfect_forward_secrecy>
      <mode>tunnel</mode>
      <clear_df_bit>true</clear_df_bit>
      <fragmentation_before_encryption>true</fragmentation_before_encryption>
      <tcp_mss_adjustment>1379</tcp_mss_adjustment>
      <dead_peer_detection>
        <interval>10</interval>
        <retries>3</retries>
      </dead_peer_detection>
    </ipsec>
  </ipsec_tunnel>
XML
        done
        echo '</vpn_connection>'
    } >"$file"
}

# config_end ELEMENT OUTSIDE INSIDE ASN bgp|static
config_end()
{
    cat <<XML
    <$1>
      <tunnel_outside_address>
        <ip_address>$2</ip_address>
      </tunnel_outside_address>
      <tunnel_inside_address>
        <ip_address>$3</ip_address>
        <network_mask>255.255.255.252</network_mask>
        <network_cidr>30</network_cidr>
      </tunnel_inside_address>
XML
    [ "$5" = static ] || cat <<XML
      <bgp>
        <asn>$4</asn>
        <hold_time>30</hold_time>
      </bgp>
XML
    echo "    </$1>"
}

# ipv6_inside FILE: a document of write_config's with IPv6 inside addresses, of
# fd00:10::/126 and fd00:20::/126.
ipv6_inside()
{
    sed -i 's/169\.254\.10\.5</fd00:10::1</; s/169\.254\.10\.6</fd00:10::2</
        s/169\.254\.10\.9</fd00:20::1</; s/169\.254\.10\.10</fd00:20::2</
        s/255\.255\.255\.252/ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffc/
        s/<network_cidr>30</<network_cidr>126</' "$1"
}

# begin NAME COMMAND...: as check, but in this shell, so that what the command starts is
# known here.
begin()
{
    local name=$1
    shift
    if "$@" >"$work/begin.log" 2>&1; then
        ok "$name"
    else
        not_ok "$name"
        tail -n 40 "$work/begin.log" "$work"/*.log | sed 's/^/  /'
        return 1
    fi
}

# ---- the programs under test

# start_gateway CONFIG [OPTION...]: in the cloud, with the instance on a TUN device.
start_gateway()
{
    local config=$1
    shift
    start "$cloud" "$work/gateway.log" "$build/examples/s2svpn-gateway" --play "$config" \
        --tun inst --verbose "$@"
    gateway=$started
    until_true 30 in_cloud ip link show inst || return 1
    in_cloud ip addr add 10.0.1.10/32 dev inst
    in_cloud ip link set inst up
    in_cloud ip route add 192.168.0.0/16 dev inst src 10.0.1.10
    in_cloud ip route add 169.254.10.0/24 dev inst src 10.0.1.10
}

# start_device CONFIG [OPTION...]: with the LAN on a TUN device. $device_by runs it.
start_device()
{
    local config=$1
    shift
    # shellcheck disable=SC2086 # words: a command that runs it, or nothing
    start "$device" "$work/device.log" ${device_by:-} "$build/examples/s2svpn-device" --tun lan0 \
        --lan 192.168.0.0/16 --log debug "$@" "$config"
    device_pid=$started
    until_true 30 in_device ip link show lan0 || return 1
    in_device ip link set lan0 up
    in_device ip route add 10.0.0.0/16 dev lan0 src 192.168.7.1
}

# ---- strongSwan: one instance a namespace

# start_charon NAMESPACE NAME: charon_options are more lines of its section.
start_charon()
{
    local dir=$work/$2

    mkdir -p "$dir/conf"
    rm -f "$dir/vici" # of one that was killed
    cat >"$dir/strongswan.conf" <<CONF
charon-systemd {
  load = openssl random nonce hmac kdf aesni aes sha1 sha2 pem pkcs1 x509 curve25519 gmp kernel-libipsec kernel-netlink socket-default updown vici
  retransmit_timeout = 1
${charon_options:-}
  plugins {
    vici {
      socket = unix://$dir/vici
    }
  }
  filelog {
    log {
      path = $dir/charon.log
      default = 1
      flush_line = yes
    }
  }
}
swanctl {
  load = pem pkcs1 x509 openssl random
  plugins {
    vici {
      socket = unix://$dir/vici
    }
  }
}
CONF
    STRONGSWAN_CONF=$dir/strongswan.conf SWANCTL_DIR=$dir/conf \
        start "$1" "$dir/out.log" charon-systemd
    charon=$started
    until_true 30 test -S "$dir/vici"
}

# swanctl NAME ARGUMENT...
swanctl_of()
{
    local dir=$work/$1
    shift
    STRONGSWAN_CONF=$dir/strongswan.conf SWANCTL_DIR=$dir/conf swanctl "$@"
}

# vici NAME COMMAND [KEY=VALUE...]: the same without swanctl's start-up; see vici.py.
vici()
{
    local name=$1
    shift
    python3 -IS "$here/tests/interop/lib/vici.py" "$work/$name/vici" "$@"
}

# write_swanctl NAME LOCAL REMOTE LOCAL_TS REMOTE_TS PSK IKE_PROPOSAL ESP_PROPOSAL
#     [CHILD_OPTION [CONNECTION_OPTION]]: ike_version=1 for IKEv1
write_swanctl()
{
    cat >"$work/$1/conf/swanctl.conf" <<CONF
connections {
  c {
    version = ${ike_version:-2}
    local_addrs = $2
    remote_addrs = $3
    encap = yes
    mobike = no
    dpd_delay = 10s
    proposals = $7
    ${10:-}
    local {
      auth = psk
      id = $2
    }
    remote {
      auth = psk
      id = $3
    }
    children {
      k {
        local_ts = $4
        remote_ts = $5
        esp_proposals = $8
        ${9:-}
      }
    }
  }
}
secrets {
  ike-1 {
    secret = "$6"
  }
}
CONF
    swanctl_of "$1" --load-all >"$work/$1/load.log" 2>&1
}

# ---- traffic

# transfer FROM_NAMESPACE FROM_ADDRESS TO_NAMESPACE TO_ADDRESS BYTES: over TCP; the
# receiver's hash must be the sender's.
transfer()
{
    local out=$work/received.$RANDOM sum

    head -c "$5" /dev/urandom >"$work/sent"
    ip netns exec "$3" python3 "$here/tests/interop/lib/sink.py" "$4" 5001 "$out" &
    pids+=($!)
    local sink=$!
    until_true 30 sh -c "ip netns exec $3 ss -tln | grep -q ':5001'"
    ip netns exec "$1" python3 "$here/tests/interop/lib/source.py" "$2" "$4" 5001 "$work/sent" ||
        return 1
    wait "$sink" || return 1
    sum=$(sha256sum <"$work/sent")
    [ "$sum" = "$(sha256sum <"$out")" ]
}
