#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Devices that each have one thing wrong, strongSwan and BIRD: the examination fails at the
# step where it shows, and says what it is. All at the same time, each in a process of its own.
. "$(dirname "$0")/lib/net.sh"
. "$(dirname "$0")/lib/site.sh"
. "$(dirname "$0")/lib/beside.sh"

# wrong ID PATTERN: the site as it is set is examined, and fails so.
wrong()
{
    local examining

    make_net
    write_config "$work/aws.xml" bgp
    [ -z "${narrow:-}" ] || ip netns exec "$device" nft -f - <<NFT
table ip narrow {
  chain arrive {
    type filter hook prerouting priority -300;
    iifname "v0" ip length > $narrow drop
  }
}
NFT
    begin "$scene: the examination starts" examine "$work/aws.xml" --wait 45 --timeout 240 \
        --only ike-1,ipsec-1,inside-1,bgp-1,prefixes-1,mtu-1
    examining=$started
    site_tunnels=1
    begin "$scene: the site starts" site || return
    check "$scene: it ends by itself" until_true 300 ended "$examining"
    wait "$examining"
    check "$scene: with status 1" [ $? = 1 ]
    check "$scene: $1 fails and says it" reports fails "$1" "$2" || cat "$work/report.txt"
    grep '^FAIL' "$work/report.txt" | head -n 1 | sed "s/^/  $scene: /"
}

scene=${1:-all}
say_suite=$say_suite/$scene
case $scene in
psk)
    site_psk=another.key.9876543210
    wrong ike-1 'pre-shared keys differ.*pre_shared_key'
    ;;
proposal)
    site_ike=aes192-sha256-modp2048
    wrong ike-1 'the peer offers AES_CBC_192/.*MODP_2048.*aes-128-cbc, sha1, group 2'
    ;;
esp)
    site_esp=aes192-sha256
    wrong ipsec-1 'the peer offers AES_CBC_192/HMAC_SHA2_256_128.*phase 2'
    ;;
inside)
    site_inside=([1]=169.254.10.14)
    wrong inside-1 'BGP came from 169\.254\.10\.14 to 169\.254\.10\.5, where 169\.254\.10\.6 should'
    ;;
swapped)
    site_inside=([1]=169.254.10.10) aws_inside=([1]=169.254.10.9)
    wrong inside-1 'BGP came from 169\.254\.10\.10 to 169\.254\.10\.9, where 169\.254\.10\.6 should'
    ;;
asn)
    site_asn=65001
    wrong bgp-1 'its OPEN names AS 65001, not 65000: the document says that the device is AS 65000'
    ;;
prefixes)
    site_export=false
    wrong prefixes-1 'announces no prefix'
    ;;
mtu)
    narrow=1300
    wrong mtu-1 'packets of more than 1[12][0-9]* bytes don.t pass.*MTU is 1422'
    ;;
*)
    for scene in psk proposal esp inside swapped asn prefixes mtu; do beside $scene; done
    joined
    ;;
esac
say_end
