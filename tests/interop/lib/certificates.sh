# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154 # work and build are net.sh's
# Certificates for a script, made by s2svpn-ca: an authority in $pki with an intermediate one
# below it that issues, and another one in $strangers. Sourced, after net.sh.

pki=$work/pki
strangers=$work/strangers

# Its memory is given back by its end: for a sanitizer's build, that is no leak.
ca() { ASAN_OPTIONS=detect_leaks=0 "$build/examples/s2svpn-ca" "$@"; }

ca_make()
{
    ca "$pki" init --name 'CN=Root, O=Example' --intermediate &&
        ca "$strangers" init --name 'CN=Stranger, O=Example' && ca "$pki" crl
}

# own_of FOLDER NAME: the first certificate of NAME.pem alone, in NAME.own.
own_of() { sed '/END CERTIFICATE/q' "$1/$2.pem" >"$1/$2.own"; }

# ca_issue FOLDER NAME SUBJECT [OPTION...]: also for the domain name NAME.example.
ca_issue()
{
    ca "$1" issue "$2" --subject "$3" --dns "$2.example" "${@:4}" && own_of "$1" "$2"
}

# ca_sign NAME CURVE SUBJECT: with a key of a curve that s2svpn-ca makes none on.
ca_sign()
{
    ca_request "$1" "$2" "$3" && ca "$pki" sign "$pki/$1.csr" --as "$1" --subject "$3" \
        --dns "$1.example" && own_of "$pki" "$1"
}
ca_request()
{
    openssl ecparam -name "$2" -genkey -noout -out "$pki/$1.key" && chmod 600 "$pki/$1.key" &&
        openssl req -new -key "$pki/$1.key" -subj "/O=Example/CN=${3#O=Example, CN=}" \
            -out "$pki/$1.csr"
}

# ca_expired NAME SUBJECT: valid until yesterday.
ca_expired()
{
    ca_request "$1" prime256v1 "$2" && openssl x509 -req -in "$pki/$1.csr" -days -1 \
        -CA "$pki/intermediate.pem" -CAkey "$pki/intermediate.key" -CAcreateserial \
        -out "$pki/$1.own" && cat "$pki/$1.own" "$pki/intermediate.pem" >"$pki/$1.pem"
}

# ca_revoke NAME: and on the list.
ca_revoke() { ca "$pki" revoke "$1" && ca "$pki" crl; }
