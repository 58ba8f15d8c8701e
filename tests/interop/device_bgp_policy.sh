#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# s2svpn-device with policies against strongSwan and BIRD, a session a tunnel: one tunnel is
# preferred both ways; other policies are applied by a reload while both sessions go on.
. "$(dirname "$0")/lib/net.sh"

psk=interop.test_key.0123456789
id=vpn-0123456789abcdef0
program=$build/examples/s2svpn-device
control=$work/run/control

birdc_do() { birdc -s "$work/bird.ctl" "$@"; }
no() { ! "$@"; }
# routes EXPRESSION: of "routes --json", as d; heard(TUNNEL) is what it announced.
routes()
{
    "$program" routes --json --control "$control" >"$work/out" 2>&1 &&
        python3 -IS -c 'import json, sys; d = json.load(open(sys.argv[1]))
def heard(n): return {r["prefix"]: r for r in d["bgp"] if r["tunnel"] == sys.argv[2] + f".{n}"}
def way(p): return [r["tunnel"][-1:] for r in d["routes"] if r["prefix"] == p]
sys.exit(not eval(f"({sys.argv[3]})"))' "$work/out" "$id" "$1"
}

# ---- the other end: strongSwan answers at both addresses, BIRD behind it

write_answerer()
{
    local n

    {
        echo 'connections {'
        for n in 1 2; do
            cat <<CONF
  c$n {
    version = 2
    local_addrs = 198.51.100.$n
    remote_addrs = 203.0.113.7
    encap = yes
    mobike = no
    proposals = aes256gcm16-prfsha256-ecp256
    local {
      auth = psk
      id = 198.51.100.$n
    }
    remote {
      auth = psk
      id = 203.0.113.7
    }
    children {
      k$n {
        local_ts = 169.254.10.$((4 * n + 1))/32
        remote_ts = 169.254.10.$((4 * n + 2))/32
        esp_proposals = aes256gcm16-ecp256
      }
    }
  }
CONF
        done
        printf '}\nsecrets {\n  ike-1 {\n    secret = "%s"\n  }\n}\n' "$psk"
    } >"$work/ss/conf/swanctl.conf"
    swanctl_of ss --load-all
}

# write_bird [LINE]: more of both sessions.
write_bird()
{
    local n

    {
        cat <<CONF
router id 198.51.100.1;
log "$work/bird.log" all;
protocol device { }
protocol static vpc {
  ipv4;
  route 10.0.0.0/16 unreachable;
  route 172.31.0.0/16 unreachable;
}
CONF
        for n in 1 2; do
            cat <<CONF
protocol bgp t$n {
  debug { states, events };
  local 169.254.10.$((4 * n + 1)) as 64512;
  neighbor 169.254.10.$((4 * n + 2)) as 65000;
  strict bind on;
  hold time 30;
  connect delay time 1;
  connect retry time 5;
  ${1:-}
  ipv4 {
    import all;
    export filter {
      if source != RTS_STATIC then reject;
      bgp_med = $n * 100;
      bgp_community.add((64512, $n));
      accept;
    };
    next hop self;
  };
}
CONF
        done
    } >"$work/bird.conf"
}

established() { birdc_do show protocols "$1" | grep -q Established; }
both_established() { established t1 && established t2; }
since() { birdc_do show protocols | awk '/^t[12] /{print $1, $5}'; }
# has SESSION PATTERN: in what BIRD has from it of our LAN.
has() { birdc_do show route protocol "$1" 192.168.0.0/16 all | grep -qE -- "$2"; }
best() { birdc_do show route 192.168.0.0/16 | grep -qE "\[$1 .*\] \*"; }

make_net
write_config "$work/bgp.xml" bgp "$psk"
chmod 600 "$work/bgp.xml"
begin "strongSwan starts" start_charon "$cloud" ss || say_end
ip -n "$cloud" link set ipsec0 up
ip -n "$cloud" addr add 169.254.10.5 peer 169.254.10.6/32 dev ipsec0
ip -n "$cloud" addr add 169.254.10.9 peer 169.254.10.10/32 dev ipsec0
begin "strongSwan takes its configuration" write_answerer || say_end
write_bird
start "$cloud" "$work/bird.out" bird -f -c "$work/bird.conf" -s "$work/bird.ctl" -P "$work/bird.pid"
until_true 10 test -S "$work/bird.ctl"

# ---- the second tunnel is preferred

cat >"$work/import2" <<'RULES'
accept prefix 10.0.0.0/8 ge 16 le 24 first 64512 has 64512:2 local-pref 200 add 65000:7
others deny
RULES
echo 'accept prepend 2 med 300 add 65000:1 add 65000:1:2 # back by the other one' >"$work/export1"
start_with()
{
    start_device "$work/bgp.xml" --control "$control" --import "2:$work/import2" \
        --export "1:$work/export1"
}
begin "the device starts with policies" start_with || say_end
check "both sessions come up" until_true 40 both_established
check "the import policy gives a local preference" until_true 15 \
    routes 'heard(2)["10.0.0.0/16"]["local_pref"] == 200'
check "and adds a community" routes 'heard(2)["10.0.0.0/16"]["communities"] == ["64512:2", "65000:7"]'
check "what it denies isn't there" routes 'list(heard(2)) == ["10.0.0.0/16"]'
check "the other tunnel has none" until_true 10 routes 'len(heard(1)) == 2 and
    heard(1)["10.0.0.0/16"]["local_pref"] == 100 and heard(1)["10.0.0.0/16"]["med"] == 100'
check "the preferred one is taken against its MED" until_true 5 \
    routes 'way("10.0.0.0/16") == ["2"] and way("172.31.0.0/16") == ["1"]'
check "BIRD sees the prepended path" until_true 10 has t1 'BGP.as_path: 65000 65000 65000$'
check "the MED" has t1 'BGP.med: 300'
check "the community" has t1 'BGP.community: \(65000,1\)'
check "the large community" has t1 'BGP.large_community: \(65000, 1, 2\)'
check "and nothing of it from the other tunnel" has t2 'BGP.as_path: 65000$'
check "so BIRD sends by the second" until_true 5 best t2
since >"$work/since"

# ---- other policies, the same sessions

reload() { kill -HUP "$device_pid"; }
echo 'deny' >"$work/export1"
echo 'accept local-pref 50' >"$work/import2"
reload
check "what the export denies now is withdrawn" until_true 15 no has t1 BGP.as_path
check "and the other session keeps it" has t2 'BGP.as_path: 65000$'
check "the other import is applied to the whole table" until_true 15 \
    routes 'len(heard(2)) == 2 and heard(2)["172.31.0.0/16"]["local_pref"] == 50'
check "so the first tunnel is taken" until_true 5 routes 'way("10.0.0.0/16") == ["1"]'
echo 'accept med 7' >"$work/export1"
reload
check "a denied prefix comes back" until_true 15 has t1 'BGP.med: 7'
echo 'accept med many' >"$work/export1"
reload
check "a file that isn't understood is named" until_true 10 \
    grep -q "$work/export1:1: not understood" "$work/device.log"
check "and changes nothing" has t1 'BGP.med: 7'
check "no session has ended" sh -c "[ \"\$(cat '$work/since')\" = \"$(since)\" ]"
wrong() { "$program" --check --export "1:$work/export1" "$work/bgp.xml" >"$work/out" 2>&1; }
check "--check finds it too" no wrong

# ---- a peer that can't announce its table again

echo 'accept med 8' >"$work/export1"
write_bird 'enable route refresh off;'
birdc_do configure >/dev/null
renewed() { both_established && ! since | grep -qFxf "$work/since"; }
check "BIRD comes back without route refresh" until_true 60 renewed
check "with its table" until_true 20 routes 'len(heard(2)) == 2'
echo 'deny' >"$work/import2"
reload
check "the import waits for the next session, in words" until_true 10 \
    grep -q "tunnel 2: BGP: the peer can't announce its routes again" "$work/device.log"
check "the export doesn't" until_true 15 has t1 'BGP.med: 8'
check "and the sessions go on" both_established
birdc_do restart t2 >/dev/null
check "in the next one it counts" until_true 60 routes 'len(heard(2)) == 0 and len(heard(1)) == 2'
begin "the device ends when it is told to" stop "$device_pid"
say_end
