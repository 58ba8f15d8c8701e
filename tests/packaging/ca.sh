# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# s2svpn-ca: what it issues and revokes is what `openssl verify` takes and refuses; keys are
# its owner's alone; nothing is written over unasked; wrong use has exit status 2.
set -u
cd "${S2_SRC:?}" || exit 1
export say_suite=packaging/ca
. tests/lib/say.sh

program=${S2_BUILD:?}/examples/s2svpn-ca
if ! [ -x "$program" ]; then
    skip "all" "the program isn't built"
    say_end
fi
if ! command -v openssl >/dev/null; then
    skip "all" "no openssl"
    say_end
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
two=$work/two one=$work/one

ca()
{
    "$program" "$@"
}

# status_is STATUS WORDS COMMAND...: ends with the status and says the words.
status_is()
{
    local want=$1 words=$2 output status
    shift 2
    output=$("$@" 2>&1)
    status=$?
    printf '%s\nexit status %d\n' "$output" "$status"
    [ "$status" = "$want" ] && [[ $output == *"$words"* ]]
}

# verify DIR NAME: with the chain that NAME.pem brings, and all lists.
verify()
{
    openssl verify -crl_check_all -CAfile "$1/ca.pem" -CRLfile "$1/crl.pem" \
        -untrusted "$1/$2.pem" "$1/$2.pem"
}
refused()
{
    local output
    output=$(verify "$1" "$2" 2>&1) && return 1
    printf '%s\n' "$output"
    [[ $output == *"certificate revoked"* ]]
}

check "an authority with one below it is made" \
    ca "$two" init --name "CN=Example VPN, O=Example" --intermediate
check "an authority with RSA is made" ca "$one" init --rsa --days 400
check "a gateway's certificate is issued" \
    ca "$two" issue gateway --dns vpn.example --ip 198.51.100.1 --ip 2001:db8::1
check "a device's certificate is issued" \
    ca "$two" issue device --subject "CN=device.example, O=Example\\, Inc."
check "an RSA certificate is issued" ca "$one" issue device --rsa --days 30
check "the lists are written" ca "$two" crl
check "the list of a root alone is written" ca "$one" crl --days 2
check "openssl accepts the gateway" verify "$two" gateway
check "openssl accepts the device" verify "$two" device
check "openssl accepts what the root itself issued" verify "$one" device

subject_is()
{
    local subject
    subject=$(openssl x509 -in "$1" -noout -subject -nameopt RFC2253)
    echo "$subject"
    [ "$subject" = "subject=$2" ]
}
check "the subject is the one that was asked for" \
    subject_is "$two/device.pem" 'O=Example\, Inc.,CN=device.example'
has_names()
{
    local text
    text=$(openssl x509 -in "$two/gateway.pem" -noout -ext subjectAltName,keyUsage,basicConstraints)
    echo "$text"
    [[ $text == *"DNS:vpn.example, IP Address:198.51.100.1, IP Address:2001:DB8:0:0:0:0:0:1"* ]] &&
        [[ $text == *"Digital Signature"* ]] && [[ $text == *"CA:FALSE"* ]]
}
check "the alternative names are those that were asked for" has_names

key_is_its_own()
{
    [ "$(openssl pkey -in "$1.key" -pubout)" = "$(openssl x509 -in "$1.pem" -noout -pubkey)" ]
}
check "the key is the certificate's" key_is_its_own "$two/device"
keys_are_ours()
{
    local key
    for key in "$two"/*.key "$one"/*.key; do
        [ "$(stat -c %a "$key")" = 600 ] || { echo "$key" && return 1; }
    done
}
check "no key can be read by others" keys_are_ours
no_traces()
{
    ! compgen -G "$two/.*[!.]" >/dev/null
}
check "no temporary file stays" no_traces

check "nothing is written over" status_is 1 "--force" ca "$two" issue device
check "an authority isn't either" status_is 1 "--force" ca "$two" init
check "unless it is asked for" ca "$two" issue device --force --days 10
check "the new one is good" verify "$two" device
check "two valid ones of a name are told apart" status_is 1 "serial number" ca "$two" revoke device
check "another one is revoked" ca "$two" revoke gateway
check "it is good until the next list" verify "$two" gateway
check "the next lists are written" ca "$two" crl
check "openssl refuses what is revoked" refused "$two" gateway
check "openssl accepts the others" verify "$two" device
check "revoking twice is refused" status_is 1 "revoked already" ca "$two" revoke gateway
check "whom nobody knows can't be revoked" status_is 1 "no certificate" ca "$two" revoke nobody
serial=$(awk -F '\t' '$6 == "device" { serial = $2 } END { print serial }' "$two/index.txt")
check "a serial number says which" ca "$two" revoke "$serial"
check "the lists are written again" ca "$two" crl
check "openssl refuses the one with the number" refused "$two" device
number_is()
{
    openssl crl -in "$two/crl.pem" -noout -crlnumber | grep -qi "=.*0*$1$"
}
check "each list has a number of its own" number_is 3
lists_say()
{
    local text
    text=$(ca "$two" list)
    echo "$text"
    [ "$(grep -c '^revoked' <<<"$text")" = 2 ] && [ "$(grep -c '^valid' <<<"$text")" = 2 ]
}
check "list tells them apart" lists_say
check "the one below is revoked too, if need be" ca "$two" revoke intermediate
check "by the root's list" ca "$two" crl
check "what it issued is refused then" refused "$two" device

openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -keyout "$work/own.key" \
    -subj /CN=own.example -addext subjectAltName=DNS:own.example,IP:192.0.2.7 \
    -out "$work/own.csr.pem" 2>/dev/null
check "a request is signed" ca "$one" sign "$work/own.csr.pem"
check "openssl accepts it" verify "$one" own
check "its key never was here" test ! -e "$one/own.key"
asked()
{
    openssl x509 -in "$one/own.pem" -noout -ext subjectAltName | grep -q "DNS:own.example, IP"
}
check "it has the names that it asked for" asked
sed '3s/^...../AAAAA/' "$work/own.csr.pem" >"$work/bad.pem"
check "a request that was changed is refused" status_is 1 "bad.pem" ca "$one" sign "$work/bad.pem"
openssl req -new -newkey rsa:1024 -nodes -keyout "$work/weak.key" -subj /CN=weak \
    -out "$work/weak.pem" 2>/dev/null
check "a weak key is refused" status_is 1 "its key is neither" ca "$one" sign "$work/weak.pem"

chmod 640 "$one/ca.key"
check "a key that others may read isn't used" status_is 1 "chmod 600" ca "$one" issue late
check "and nothing was issued by it" test ! -e "$one/late.pem"
chmod 600 "$one/ca.key"
chmod 777 "$one"
check "a folder that others may write to isn't used" status_is 1 "nobody else" ca "$one" list
chmod 700 "$one"
echo nonsense >>"$one/index.txt"
check "a line that makes no sense is named" status_is 1 "index.txt:" ca "$one" list

for words in "" "$two" "$two fly" "$two issue" "$two issue a b" "$two issue a --days 0" \
    "$two issue a --days x" "$two list --days 3" "$two revoke" "$two crl --force"; do
    # shellcheck disable=SC2086 # words
    check "wrong use ends with 2: ${words#"$work"/}" status_is 2 "--help" ca $words
done
for name in ca intermediate ../x .x "a b" ""; do
    check "no name of files: '$name'" status_is 1 "" ca "$two" issue "$name"
done
for dn in "example" "CN=" "XY=a" "CN=a,,O=b" "C=Europe"; do
    check "no subject: $dn" status_is 1 "--subject" ca "$two" issue a --subject "$dn"
done
check "no address" status_is 1 "--ip" ca "$two" issue a --ip 192.0.2
check "no host name" status_is 1 "--dns" ca "$two" issue a --dns "*.example"
check "nothing came of all this" test ! -e "$two/a.pem"
say_end
