#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A firewall on the way lets UDP port 4500 through and nothing else: the device comes up,
# and says how; against our gateway and against strongSwan.
. "$(dirname "$0")/lib/net.sh"

says() { grep -q -- "$1" "$work/device.log"; }
up() { says 'tunnel 1: up' && says 'tunnel 2: up'; }

make_net
if ! in_cloud nft list ruleset >/dev/null 2>&1; then
    skip "all" "no nftables"
    say_end
fi
only_4500()
{
    in_cloud nft -f - <<'NFT'
table inet wire {
  chain in {
    type filter hook input priority 0; policy accept;
    iifname "v0" udp dport 4500 accept
    iifname "v0" drop
  }
  chain out {
    type filter hook output priority 0; policy accept;
    oifname "v0" udp sport 4500 accept
    oifname "v0" ip daddr 203.0.113.7 drop
  }
}
NFT
}

only_4500
write_config "$work/bgp.xml" bgp
begin "the gateway plays the document" start_gateway "$work/bgp.xml" || say_end
begin "the device starts from it" start_device "$work/bgp.xml" || say_end
check "both tunnels come up by port 4500" until_true 120 up
check "it says that 500 was silent" \
    says 'tunnel 1: down.*no answer from the peer at 198.51.100.1:500, UDP; next at port 4500'
check "pings cross" until_true 60 in_device ping -c 1 -W 1 -I 192.168.7.1 10.0.1.10
begin "it ends" stop "$device_pid"

# And both closed.
in_cloud nft add rule inet wire out udp sport 1-65535 drop
in_cloud nft insert rule inet wire in udp dport 4500 drop
begin "with 4500 closed too it starts" start_device "$work/bgp.xml"
silent() { says 'tunnel 1: negotiating: no answer from the peer at 198.51.100.1:500, UDP'; }
check "it says which port doesn't answer" until_true 60 silent
in_cloud nft delete table inet wire
check "open again, it comes up by itself" until_true 150 up
begin "the device ends when it is told to" stop "$device_pid"
begin "the gateway too" stop "$gateway"

only_4500
write_config "$work/static.xml" static
ip -n "$cloud" addr add 10.0.1.10/32 dev lo
begin "strongSwan starts" start_charon "$cloud" ss || say_end
write_swanctl ss 198.51.100.1 203.0.113.7 10.0.0.0/16 0.0.0.0/0 interop.test_key.0123456789 \
    aes128-sha256-modp2048 aes128gcm16-modp2048
begin "the device starts against it" start_device "$work/static.xml" --route 10.0.0.0/16
first() { says 'tunnel 1: up'; }
check "tunnel 1 comes up by port 4500" until_true 120 first
check "pings cross there too" until_true 60 in_device ping -c 1 -W 1 -I 192.168.7.1 10.0.1.10
begin "the device ends again" stop "$device_pid"
say_end
