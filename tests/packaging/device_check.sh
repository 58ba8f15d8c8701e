# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# s2svpn-device --check: says what a document says; of a wrong one the file, the line, the
# element and what was expected, with exit status 1; and never a key.
set -u
cd "${S2_SRC:?}" || exit 1
export say_suite=packaging/device_check
. tests/lib/say.sh

program=${S2_BUILD:?}/examples/s2svpn-device
if ! [ -x "$program" ]; then
    skip "all" "the programs aren't built"
    say_end
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# end_of ELEMENT OUTSIDE INSIDE ASN
end_of()
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
      <bgp>
        <asn>$4</asn>
        <hold_time>30</hold_time>
      </bgp>
    </$1>
XML
}

# As AWS writes it: 116 lines, two tunnels.
document()
{
    local n

    cat <<'XML'
<?xml version="1.0" encoding="UTF-8"?>
<vpn_connection id="vpn-0123456789abcdef0">
  <customer_gateway_id>cgw-0123456789abcdef0</customer_gateway_id>
  <vpn_gateway_id>vgw-0123456789abcdef0</vpn_gateway_id>
  <vpn_connection_type>ipsec.1</vpn_connection_type>
XML
    for n in 1 2; do
        echo '  <ipsec_tunnel>'
        end_of customer_gateway 203.0.113.7 169.254.10.$((4 * n + 2)) 65000
        end_of vpn_gateway 198.51.100.$n 169.254.10.$((4 * n + 1)) 64512
        cat <<'XML'
    <ike>
      <authentication_protocol>sha1</authentication_protocol>
      <encryption_protocol>aes-128-cbc</encryption_protocol>
      <lifetime>28800</lifetime>
      <perfect_forward_secrecy>group2</perfect_forward_secrecy>
      <mode>main</mode>
      <pre_shared_key>a.secret_key.0123456789</pre_shared_key>
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
}

umask 077
document >"$work/good.xml"
line_of() { grep -n "$1" "$work/good.xml" | sed -n "${2:-1}s/:.*//p"; }

no() { ! "$@"; }
prints() { grep -qE -- "$1" "$work/out"; }
# In single quotes for sed, where these mean lines.
first_to_last="1,\$d"
last="\$"

said() { "$program" --check "$work/good.xml" >"$work/out" 2>&1 && prints "$1"; }
check "a document of AWS's passes" said 'connection vpn-0123456789abcdef0, BGP routes, 2 tunnels'
for words in 'tunnel 2: outside 203.0.113.7 -> 198.51.100.2' 'inside 169.254.10.6/30, peer 169.254.10.5' \
    'our ASN 65000, the gateway.s 64512, hold time 30 s' 'IKE: AES128, SHA1, group 2, 28800 s' \
    'ESP: AES128, SHA1, group 2, 3600 s' 'pre-shared key of 23 characters' 'offered the document.s too, with a warning'; do
    check "and is told: $words" said "$words"
done
said_with() { "$program" --check "$1" "$work/good.xml" >"$work/out" 2>&1 && prints "$2"; }
check "with --exact it is told that these alone are offered" said_with --exact 'offered: these alone'
check "with --minimum that all above are too" said_with --minimum 'offered: these and all above'
cut_after() { sed 's/>true</>false</' "$work/good.xml" >"$work/df.xml"; "$program" --check "$work/df.xml" >"$work/out" 2>&1; }
check "a document that lets packets be refused passes" cut_after
check "and that is told" prints 'clear_df_bit'
check "and that they are cut before encryption all the same" prints 'cut before encryption'
transit() { sed 's/<vpn_gateway_id>.*/<vpn_gateway_id><\/vpn_gateway_id>/' "$work/good.xml" >"$work/tgw.xml"; "$program" --check "$work/tgw.xml" >"$work/out" 2>&1; }
check "an attachment of a transit gateway passes" transit
check "and is told" prints "transit gateway's"

# refused NAME SED WORDS: the document edited so is wrong, and these words say why.
refused()
{
    local name=$1 out status=0

    document | sed "$2" >"$work/wrong.xml"
    out=$("$program" --check "$work/wrong.xml" 2>&1 >/dev/null) || status=$?
    if [ $status = 1 ] && grep -qE -- "$3" <<<"$out" && ! grep -q 'secret_key' <<<"$out"; then
        ok "$name"
    else
        not_ok "$name"
        printf '  exit status %s, wanted "%s", said:\n%s\n' "$status" "$3" "$out" | sed 's/^/  /'
    fi
}
at() { printf 'wrong.xml:%s: ' "$(line_of "$@")"; }

refused "no XML at all" "$first_to_last" 'wrong.xml'
refused "not a document of ours" 's/vpn_connection>/other>/; s/<vpn_connection id/<other id/' \
    'wrong.xml:2: .*expected the element vpn_connection'
refused "an end tag is missing" '/<\/ike>/d' "wrong.xml:[0-9]+: "
refused "a document type" '2i <!DOCTYPE vpn_connection [<!ENTITY a "b">]>' 'wrong.xml:2: '
refused "no identifier" 's/ id="[^"]*"//' 'wrong.xml:2: @id: '
refused "no customer gateway" '/<customer_gateway_id>/d' \
    'wrong.xml:2: customer_gateway_id: the element is missing'
refused "an outside address that is none" 's/198.51.100.1</198.51.100.300</' \
    "$(at '198.51.100.1<').*vpn_gateway/tunnel_outside_address/ip_address: expected an? .*address"
refused "both outside addresses the same" 's/203.0.113.7/198.51.100.1/' \
    'tunnel_outside_address/ip_address: expected another address'
refused "inside addresses of two networks" 's/169.254.10.5</169.254.10.9</' \
    "$(at '169.254.10.5<').*tunnel_inside_address/ip_address: expected the other host"
refused "another network mask" 's/255.255.255.252/255.255.255.0/' \
    "$(at 255.255.255.252).*network_mask: expected 255.255.255.252"
refused "an ASN that is none" 's/<asn>64512/<asn>0/' "$(at '<asn>64512').*asn: expected "
refused "two tunnels with two ASNs" "$(line_of '<asn>65000' 2)s/65000/65001/" \
    "$(at '<asn>65000' 2).*asn: expected the first tunnel"
refused "BGP without BGP" '/<bgp>/,/<\/bgp>/d' 'bgp: the element is missing'
refused "a hash that we haven't" 's/>sha1</>md5</' \
    "$(at '>sha1<').*ike/authentication_protocol: expected "
refused "a cipher that we haven't" 's/aes-128-cbc/3des-cbc/' \
    "$(at aes-128-cbc).*encryption_protocol: expected "
refused "a group that we haven't" 's/>group2</>group1</' \
    "$(at '>group2<').*perfect_forward_secrecy: expected "
refused "aggressive mode" 's/>main</>aggressive</' "$(at '>main<').*ike/mode: expected main"
refused "transport mode" 's/>tunnel</>transport</' "$(at '>tunnel<').*ipsec/mode: expected tunnel"
refused "AH" 's/>esp</>ah</' "$(at '>esp<').*protocol: expected esp"
refused "a lifetime in words" 's/>28800</>eight hours</' "$(at '>28800<').*ike/lifetime: expected "
refused "phase 2 outlives phase 1" 's/>28800</>900</' \
    "$(at '>3600<').*ipsec/lifetime: expected less than phase 1"
refused "a key with a line break in it" 's/a.secret_key/a secret_\nkey/' \
    'wrong.xml:[0-9]+: .*pre_shared_key: expected '
refused "an empty key" 's/>a.secret_key[^<]*</></' "wrong.xml: it has no pre-shared key, and there is no --certificate"
refused "an element twice" 's/^ *<mode>main.*/&&/' "$(at '>main<').*there already, in line"
refused "three tunnels" "${last}i <ipsec_tunnel></ipsec_tunnel>" 'ipsec_tunnel.*: expected one or two tunnels'
refused "a lifetime that AWS never has" 's/>28800</>100000</' '(lifetime|phase1_lifetime_s): '

# Two files that don't go together, and what isn't a file.
run() { "$program" --check "$@" >"$work/out" 2>&1; }
fails() { run "$@"; [ $? = 1 ]; }
sed 's/198.51.100.2/198.51.100.3/' "$work/good.xml" >"$work/twice.xml"
check "one connection in two files is refused" fails "$work/good.xml" "$work/twice.xml"
check "and the second is named" prints 'twice.xml: refused: '
sed 's/vpn-0123456789abcdef0/vpn-0123456789abcdef1/' "$work/good.xml" >"$work/pair.xml"
check "one pair of outside addresses in two files is refused" fails "$work/good.xml" "$work/pair.xml"
check "both outside addresses are named" prints 'pair.xml: refused: .*outside addresses'
check "a file that isn't there is named" fails "$work/none.xml"
check "with its reason" prints 'none.xml: No such file or directory'
head -c 1048577 /dev/zero >"$work/long.xml"
check "a file that is too long is refused" fails "$work/long.xml"
check "as such" prints 'long.xml: '

# A folder: every document is looked at, and one wrong one is enough.
mkdir "$work/folder"
check "an empty folder is nothing" fails "$work/folder"
cp "$work/good.xml" "$work/folder/a.xml"
echo rubbish >"$work/folder/b.xml"
echo rubbish >"$work/folder/c.txt"
check "a folder with a wrong document fails" fails "$work/folder"
check "the good one is told" prints 'a.xml: connection'
check "the wrong one is refused" prints 'b.xml:1: '
check "another file isn't looked at" no prints c.txt
rm "$work/folder/b.xml"
check "a folder with good documents passes" run "$work/folder"

static()
{
    document | sed '/<bgp>/,/<\/bgp>/d' |
        sed '5a <vpn_connection_attributes>NoBGPVPNConnection</vpn_connection_attributes>' \
            >"$work/static.xml"
    run "$@" "$work/static.xml"
}
check "static routes pass" static --route 10.0.0.0/16
check "without any they pass too" static
check "but it is mentioned" prints 'no --route'
chmod 644 "$work/good.xml"
check "a file that everyone can read passes" run "$work/good.xml"
check "but it is mentioned" prints 'everyone may read'
check "and no key is printed" no prints secret_key

# The command line.
usage() { timeout 20 "$program" "$@" >"$work/out" 2>&1; [ $? = 2 ]; }
check "no document is a wrong command line" usage
check "an unknown option too" usage --nonsense "$work/good.xml"
check "an action that there isn't" usage --dpd-action reset "$work/good.xml"
check "sequence numbers that there aren't" usage --esn yes "$work/good.xml"
check "a window that is too small" usage --replay-window 32 "$work/good.xml"
check "and one that is too large" usage --replay-window 8193 "$work/good.xml"
check "a version of IKE that there isn't is refused" usage --ike 3 "$work/good.xml"
check "the version is named" prints '--ike: "3" is not allowed'
check "the local table is nobody's" usage --table 255 "$work/good.xml"
check "a subcommand with a wrong option too" usage status --pcap x
check "capture needs a tunnel" usage capture --pcap x
check "and a file" usage capture vpn-0123456789abcdef0.1
refused_socket() { "$program" status --control "$work/none" >"$work/out" 2>&1; [ $? = 1 ]; }
check "a device that isn't there fails" refused_socket
check "and its socket is named" prints 'none: No such file'

# The unit.
if command -v systemd-analyze >/dev/null; then
    sed "s|^\(Exec[A-Za-z]*\)=s2svpn-device|\1=$program|" examples/device/s2svpn-device.service \
        >"$work/s2svpn-device.service"
    quiet() { [ -z "$("$@" 2>&1 | tee "$work/out")" ]; }
    check "systemd takes the unit without a word" \
        quiet systemd-analyze verify --man=no "$work/s2svpn-device.service"
    exposure=$(systemd-analyze security --offline=true "$work/s2svpn-device.service" 2>/dev/null |
        sed -n 's/.*exposure level.*: \([0-9]*\).*/\1/p')
    check "and finds it hardened" test "$exposure" -le 2
else
    skip "the unit is verified" "no systemd-analyze"
fi
say_end
