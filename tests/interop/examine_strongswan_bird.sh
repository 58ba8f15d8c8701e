#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The gateway examines a site of strongSwan and BIRD that is as it should be: every step
# passes, the three reports agree, and it ends by itself with status 0.
. "$(dirname "$0")/lib/net.sh"
. "$(dirname "$0")/lib/site.sh"

make_net
write_config "$work/aws.xml" bgp
begin "the examination starts" examine "$work/aws.xml" --ping 192.168.7.1 --timeout 600
examining=$started
begin "the site comes up" site || say_end
check "it ends by itself" until_true 620 ended "$examining"
status()
{
    wait "$examining" && return 0
    cat "$work/report.txt"
    return 1
}
begin "with status 0" status || cat "$work/report.txt"
check "the JSON and JUnit reports can be read and agree" reports runs 1
sed 's/^/  /' "$work/report.txt"
# Only one of the two carries the traffic that a withdrawal could move.
skipped() { grep -E '^(FAIL|SKIP)' "$work/report.txt" | grep -Ev 'withdraw-[12] .*nothing changes'; }
passed() { ! skipped && [ "$(grep -c '^SKIP' "$work/report.txt")" -le 1 ]; }
check "every step passes" passed

# The site comes back by itself; without --ping and for two rounds.
begin "a second one starts, of some steps, twice" examine "$work/aws.xml" --timeout 600 \
    --only bgp-1,ipsec-2,inside,withdraw-1 --repeat=2
examining=$started
check "it ends by itself, too" until_true 620 ended "$examining"
check "its reports have two runs" reports runs 2
taken() { grep -o '^[A-Z]*  [a-z]*-[12]' "$work/report.txt" | tr -s '\n ' ' '; }
round='PASS ipsec-2 PASS inside-1 PASS inside-2 PASS bgp-1 SKIP withdraw-1 '
begin "those steps alone are taken" [ "$(taken)" = "$round$round" ] || cat "$work/report.txt"
say_end
