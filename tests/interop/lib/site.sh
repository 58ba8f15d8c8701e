# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # device, work, charon, started are net.sh's; others are for scripts
# A customer's site as the device of a document: strongSwan, a charon a tunnel, since
# kernel-libipsec can't hold two children of the same selectors, and BIRD over both. What a
# site has wrong is set by the variables below. Its timers are short. Sourced, after net.sh.

site_psk=interop.test_key.0123456789 # write_config's
site_ike=aes128-sha256-modp2048 site_esp=aes128-sha256-modp2048
site_asn=65000
site_inside=([1]=169.254.10.6 [2]=169.254.10.10)
aws_inside=([1]=169.254.10.5 [2]=169.254.10.9)
site_hold=6
site_export="source = RTS_STATIC"
site_tunnels="1 2"

# site_charon N: the second one has ports of its own, and is seen as if behind NAT.
site_charon()
{
    charon_options="  retransmit_tries = 3
  retransmit_base = 1"
    [ "$1" = 1 ] || charon_options+="
  port = 0
  port_nat_t = 0"
    start_charon "$device" "site$1" || return 1
    ip -n "$device" rule del pref 220 # BIRD's routes say what goes into a tunnel
    ip -n "$device" link set "ipsec$(($1 - 1))" up
    ip -n "$device" addr add "${site_inside[$1]}" peer "${aws_inside[$1]}/32" \
        dev "ipsec$(($1 - 1))"
    write_swanctl "site$1" 203.0.113.7 "198.51.100.$1" 0.0.0.0/0 0.0.0.0/0 "$site_psk" \
        "$site_ike" "$site_esp" \
        "start_action = start
        close_action = start
        dpd_action = restart" \
        "dpd_delay = 1s
    keyingtries = 0"
}

# site_bird_conf: for one protocol a tunnel.
site_bird_conf()
{
    local n

    cat <<CONF
router id 203.0.113.7;
log "$work/bird.log" all;
protocol device { scan time 1; }
protocol static lan {
  ipv4;
  route 192.168.0.0/16 unreachable;
}
protocol kernel {
  ipv4 { import none; export where source = RTS_BGP; };
}
CONF
    for n in $site_tunnels; do
        cat <<CONF
protocol bgp aws$n {
  local ${site_inside[$n]} as $site_asn;
  neighbor ${aws_inside[$n]} as 64512;
  hold time $site_hold;
  connect delay time 1;
  connect retry time 2;
  error wait time 1, 4;
  ipv4 { import all; export where $site_export; next hop self; };
}
CONF
    done
}

site_bird()
{
    site_bird_conf >"$work/bird.conf"
    start "$device" "$work/bird.out" bird -f -c "$work/bird.conf" -s "$work/bird.ctl" \
        -P "$work/bird.pid"
}

# site: all of it.
site()
{
    local n

    in_device sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0 \
        net.ipv4.conf.default.rp_filter=0
    for n in $site_tunnels; do site_charon "$n" || return 1; done
    site_bird
}

# examine DOCUMENT OPTION...: its reports are $work/report.{txt,json,xml}; in the background,
# $started.
examine()
{
    start "$cloud" "$work/examine.log" "$build/examples/s2svpn-gateway" examine "$1" --verbose \
        --report text="$work/report.txt" --report json="$work/report.json" \
        --report junit="$work/report.xml" "${@:2}"
}

# reports CHECK...: of the JSON and JUnit reports; see examined.py.
reports()
{
    python3 -IS "$here/tests/interop/lib/examined.py" "$work/report.json" "$work/report.xml" "$@"
}
