# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# shellcheck disable=SC2154 # work is net.sh's
# Rekeys against strongSwan: when one is over at both ends, so that the next may begin. One
# that begins earlier meets the delete of what it replaces, and may be told to come again
# later (TEMPORARY_FAILURE, RFC 7296 section 2.25). Sourced, after net.sh.

# distinct LOG PATTERN: how many different words stand in its parentheses.
distinct() { sed -n "s/.*$2.*/\1/p" "$1" | sort -u | wc -l; }

# one_child LOG CHARON: one IKE SA and one child at strongSwan, nothing half done, and one
# child at our end, which wrote the log.
one_child()
{
    echo "$(distinct "$1" 'SPIs \([0-9a-f]*\) in') children of ours so far," \
        "$(distinct "$1" 'child SA \([0-9a-f]*\) ended') have ended"
    [ $(($(distinct "$1" 'SPIs \([0-9a-f]*\) in') - $(distinct "$1" 'child SA \([0-9a-f]*\) ended'))) = 1 ] &&
        vici "$2" sas | python3 -IS -c '
import json, sys
sas = json.load(sys.stdin)
print(sas)
children = [c for sa in sas for c in sa["children"] if c["state"] != "DELETED"]
sys.exit(not (len(sas) == len(children) == 1 and sas[0]["state"] == "ESTABLISHED" and
              children[0]["state"] == "INSTALLED"))'
}

# in_use CHARON: for IKEv1, where what a rekey has replaced stays for a while at both ends (at
# strongSwan until it expires, children unless delete_rekeyed is set): one IKE SA and one child
# that aren't replaced. Waits for it, as settled does.
one_in_use()
{
    vici "$1" sas | python3 -IS -c '
import json, sys
sas = json.load(sys.stdin)
print(sas)
ike = [sa["state"] for sa in sas]
children = [c["state"] for sa in sas for c in sa["children"]]
sys.exit(not (ike.count("ESTABLISHED") == children.count("INSTALLED") == 1 and
              set(ike) <= {"ESTABLISHED", "REKEYING", "DELETING"} and
              set(children) <= {"INSTALLED", "REKEYED", "DELETING", "DELETED"}))'
}
in_use() { until_true 60 one_in_use "$@" || { one_in_use "$@"; return 1; }; }

# settled LOG CHARON: waits for it, and says what is there if it doesn't come.
settled() { until_true 60 one_child "$@" || { one_child "$@"; return 1; }; }
