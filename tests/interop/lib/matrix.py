# SPDX-License-Identifier: Apache-2.0
"""The cases of strongswan_matrix.sh and ikev1_strongswan_matrix.sh, what each must end in, and
the README's block that tells of it. With --ike1 before all, IKEv1's cases and block.

    matrix.py cases                     number and name of each
    matrix.py swanctl PSK               connections c0, c1 ... of a strongSwan that begins
    matrix.py proposals                 what one that answers allows, IKE's and ESP's
    matrix.py document NUMBER <XML      the document with one tunnel and the case's algorithms
    matrix.py row ROLE NUMBER RESULT OUR_IKE OUR_ESP <SAS
                                        a line of the result file, from what we report and
                                        strongSwan does (vici.py sas); fails if either isn't
                                        what it should be
    matrix.py block RESULTS             the README's block
    matrix.py write|check README RESULTS"""

import json
import re
import sys

ENCRYPTIONS = [  # AWS's name; the document's; swanctl's; IANA's, as both ends print it
    ("AES128", "aes-128-cbc", "aes128", "AES_CBC_128"),
    ("AES256", "aes-256-cbc", "aes256", "AES_CBC_256"),
    ("AES128-GCM-16", "aes-128-gcm-16", "aes128gcm16", "AES_GCM_16_128"),
    ("AES256-GCM-16", "aes-256-gcm-16", "aes256gcm16", "AES_GCM_16_256"),
]
HASHES = [  # AWS's; phase 1's and phase 2's in the document; swanctl's; integrity, PRF
    ("SHA1", "sha1", "hmac-sha1-96", "sha1", "HMAC_SHA1_96", "PRF_HMAC_SHA1"),
    ("SHA2-256", "sha2-256", "hmac-sha2-256-128", "sha256", "HMAC_SHA2_256_128",
     "PRF_HMAC_SHA2_256"),
    ("SHA2-384", "sha2-384", "hmac-sha2-384-192", "sha384", "HMAC_SHA2_384_192",
     "PRF_HMAC_SHA2_384"),
    ("SHA2-512", "sha2-512", "hmac-sha2-512-256", "sha512", "HMAC_SHA2_512_256",
     "PRF_HMAC_SHA2_512"),
]
GROUPS = {  # number: swanctl's name, strongSwan's in reports, ours
    2: ("modp1024", "MODP_1024"), 5: ("modp1536", "MODP_1536"),
    14: ("modp2048", "MODP_2048"), 15: ("modp3072", "MODP_3072"),
    16: ("modp4096", "MODP_4096"), 17: ("modp6144", "MODP_6144"),
    18: ("modp8192", "MODP_8192"), 19: ("ecp256", "ECP_256"), 20: ("ecp384", "ECP_384"),
    21: ("ecp521", "ECP_521"), 22: ("modp1024s160", "MODP_1024_160", "group_22"),
    23: ("modp2048s224", "MODP_2048_224", "group_23"),
    24: ("modp2048s256", "MODP_2048_256", "group_24"),
    31: ("curve25519", "CURVE_25519", "CURVE25519"),
}
NOT_IN_PHASE_1 = {5}  # AWS hasn't it there, nor have we
NOT_IN_IKEV1 = {31}  # which has no number for it, nor for an AEAD in phase 1
ROLES = ("device", "gateway")
IKE1 = sys.argv[1:2] == ["--ike1"]
if IKE1:
    del sys.argv[1]
    GROUPS = {number: names for number, names in GROUPS.items() if number not in NOT_IN_IKEV1}
VERSION = 1 if IKE1 else 2
SCRIPT = "ikev1_strongswan_matrix.sh" if IKE1 else "strongswan_matrix.sh"
BEGIN, END = ("<!-- matrix %s%s -->\n" % ("IKEv1 " if IKE1 else "", at) for at in ("begin", "end"))


def aead(encryption):
    return "GCM" in encryption[0]


ENCRYPTIONS_1 = [e for e in ENCRYPTIONS if not (IKE1 and aead(e))]
PHASE_1 = [(e, h) for e in ENCRYPTIONS_1 for h in HASHES]
PHASE_2 = [(e, h) for e in ENCRYPTIONS for h in (HASHES[:1] if aead(e) else HASHES)]
GROUPS_1 = [g for g in GROUPS if g not in NOT_IN_PHASE_1]
GROUPS_2 = list(GROUPS)


class Case:
    """Every suite and every group of both phases go round beside each other, so often that
    each has been there once."""

    def __init__(self, number):
        self.number = number
        self.encryption1, self.hash1 = PHASE_1[number % len(PHASE_1)]
        self.encryption2, self.hash2 = PHASE_2[number % len(PHASE_2)]
        self.group1 = GROUPS_1[number % len(GROUPS_1)]
        self.group2 = GROUPS_2[(number + 3) % len(GROUPS_2)]

    def suite1(self):
        return self.encryption1[0] + " " + self.hash1[0]

    def suite2(self):
        return self.encryption2[0] + ("" if aead(self.encryption2) else " " + self.hash2[0])

    def name(self):
        return "%s, group %d; %s, group %d" % (self.suite1(), self.group1, self.suite2(),
                                               self.group2)

    def ike_proposal(self):
        hashed = ("prf" if aead(self.encryption1) else "") + self.hash1[3]
        return "-".join((self.encryption1[2], hashed, GROUPS[self.group1][0]))

    def esp_proposal(self):
        hashed = [] if aead(self.encryption2) else [self.hash2[3]]
        return "-".join([self.encryption2[2]] + hashed + [GROUPS[self.group2][0]])

    def ike(self, group_name, integrity=True):
        integrity = [self.hash1[4]] if integrity and not aead(self.encryption1) else []
        return "/".join([self.encryption1[3]] + integrity + [self.hash1[5], group_name])

    def esp(self, group_name):
        integrity = [] if aead(self.encryption2) else [self.hash2[4]]
        return "/".join([self.encryption2[3]] + integrity + [group_name])

    def expected(self):
        """Our IKE SA and theirs, our child and theirs, after its rekey. IKEv1 agrees on a hash,
        which is the PRF's; strongSwan names an integrity algorithm beside it all the same."""
        g1, g2 = GROUPS[self.group1], GROUPS[self.group2]
        return [self.ike(g1[-1], not IKE1), self.ike(g1[1]), self.esp(g2[-1]), self.esp(g2[1])]


CASES = [Case(n) for n in range(max(map(len, (PHASE_1, PHASE_2, GROUPS_1, GROUPS_2))))]


def swanctl(psk):
    connection = """  c%d {
    version = %d
    local_addrs = 203.0.113.7
    remote_addrs = 198.51.100.1
    encap = yes
    mobike = no
    proposals = %s
    local {
      auth = psk
    }
    remote {
      auth = psk
    }
    children {
      k%d {
        local_ts = 192.168.0.0/16
        remote_ts = 10.0.0.0/16
        esp_proposals = %s
      }
    }
  }
"""
    print("connections {")
    for c in CASES:
        print(connection % (c.number, VERSION, c.ike_proposal(), c.number, c.esp_proposal()), end="")
    print('}\nsecrets {\n  ike-1 {\n    secret = "%s"\n  }\n}' % psk)


def document(case, text):
    """text's first tunnel, with the case's algorithms."""
    def put(section, names):
        nonlocal text
        for element, value in names.items():
            text = re.sub("(<%s>(?:(?!</%s>).)*?<%s>)[^<]*" % (section, section, element),
                          lambda m: m.group(1) + value, text, flags=re.S)

    first = text.index("<ipsec_tunnel>", text.index("<ipsec_tunnel>") + 1)
    text = text[:first] + text[text.rindex("</ipsec_tunnel>") + len("</ipsec_tunnel>"):]
    put("ike", {"encryption_protocol": case.encryption1[1],
                "authentication_protocol": case.hash1[1],
                "perfect_forward_secrecy": "group%d" % case.group1})
    put("ipsec", {"encryption_protocol": case.encryption2[1],
                  "authentication_protocol": "none" if aead(case.encryption2) else case.hash2[2],
                  "perfect_forward_secrecy": "group%d" % case.group2})
    return text


def row(role, case, result, our_ike, our_esp):
    sas = json.load(sys.stdin)
    theirs = ["+".join(sa["algorithms"] for sa in sas),
              "+".join(c["algorithms"] for sa in sas for c in sa["children"]
                       if c["state"] == "INSTALLED")]
    reported = [our_ike, theirs[0], our_esp, theirs[1]]
    right = result == "ok" and reported == case.expected()
    print("\t".join([role, case.suite1(), str(case.group1), case.suite2(), str(case.group2),
                     "ok" if right else "failed"] + reported))
    if not right:
        sys.exit("reported %s\nexpected %s" % (reported, case.expected()))


def block(results):
    passed = {}
    with open(results, encoding="utf-8") as lines:
        for line in lines:
            role, suite1, group1, suite2, group2, result = line.rstrip("\n").split("\t")[:6]
            for key in (1, suite1), (2, suite2), (1, int(group1)), (2, int(group2)):
                passed.setdefault(key, {}).setdefault(role, True)
                if result != "ok":
                    passed[key][role] = False

    def cell(phase, what):
        roles = [r for r in ROLES if passed.get((phase, what), {}).get(r)]
        return "both" if len(roles) == len(ROLES) else roles[0] if roles else "no"

    def table(head, rows):
        lines = [head, ["---"] * len(head)] + rows
        return "".join("| " + " | ".join(line) + " |\n" for line in lines) + "\n"

    hashes = [h[0] for h in HASHES]
    suites1 = [["phase 1, " + e[0]] + [cell(1, e[0] + " " + h) for h in hashes]
               for e in ENCRYPTIONS_1]
    suites2 = [["phase 2, " + e[0]] +
               ([cell(2, e[0]) + ", no hash"] + [""] * 3 if aead(e) else [cell(2, e[0] + " " + h) for h in hashes])
               for e in ENCRYPTIONS]
    groups = [["phase %d" % p] + ["not at AWS" if p == 1 and g in NOT_IN_PHASE_1 else cell(p, g)
                                  for g in GROUPS] for p in (1, 2)]
    return (table(["strongSwan, IKEv%d" % VERSION] + hashes, suites1 + suites2) +
            table(["group"] + [str(g) for g in GROUPS], groups))[:-1]


def parts(readme):
    with open(readme, encoding="utf-8") as f:
        text = f.read()
    if text.count(BEGIN) != 1 or text.count(END) != 1:
        sys.exit(readme + " has no place for the matrix")
    head, rest = text.split(BEGIN)
    inside, tail = rest.split(END)
    return head, inside, tail


def write(readme, results):
    head, _, tail = parts(readme)
    with open(readme, "w", encoding="utf-8") as f:
        f.write(head + BEGIN + block(results) + END + tail)


def check(readme, results):
    if parts(readme)[1] != block(results):
        sys.exit("%s says something else: tests/interop/%s --write\n%s"
                 % (readme, SCRIPT, block(results)))


def main():
    command, rest = sys.argv[1], sys.argv[2:]
    if command == "cases":
        for c in CASES:
            print(c.number, c.name())
    elif command == "swanctl":
        swanctl(rest[0])
    elif command == "proposals":
        print(",".join(c.ike_proposal() for c in CASES))
        print(",".join(c.esp_proposal() for c in CASES))
    elif command == "document":
        sys.stdout.write(document(CASES[int(rest[0])], sys.stdin.read()))
    elif command == "row":
        row(rest[0], CASES[int(rest[1])], *rest[2:])
    elif command == "block":
        sys.stdout.write(block(rest[0]))
    else:
        {"write": write, "check": check}[command](*rest)


main()
