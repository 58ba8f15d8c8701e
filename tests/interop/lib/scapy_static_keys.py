# SPDX-License-Identifier: Apache-2.0
"""scapy_static_keys.py ESP_STATIC FOLDER CHECK: our ESP against Scapy's (scapy.layers.ipsec)
with keys that both were told, every suite, with and without extended sequence numbers, in
UDP and as IP protocol 50.

  ours    what we seal, Scapy opens: across the wrap, dummies, traffic flow padding, IPv6
  theirs  what Scapy seals, we open, and drop for the right reason
  write   FOLDER/ours.pcap and FOLDER/esp_sa: plain numbers, for tshark

Scapy 2.5 knows ESN for AEADs alone: with CBC the ICV is made and checked here, with
hashlib, as RFC 4303 section 2.2.1 says."""
import hmac
import subprocess
import sys

from scapy.layers.inet import IP, UDP, ICMP
from scapy.layers.inet6 import IPv6, ICMPv6EchoRequest
from scapy.layers.ipsec import ESP, SecurityAssociation, _ESPPlain
from scapy.packet import Raw
from scapy.utils import PcapWriter

GCM, CBC, WRAP = 20, 12, 1 << 32
# name, our numbers, Scapy's names, tshark's, key and integrity key, hash and bytes of ICV
SUITES = [("AES-GCM-%d" % bits, (GCM, bits, 0), ("AES-GCM", "NULL"),
           ("AES-GCM with 16 octet ICV [RFC4106]", "NULL"), bits // 8 + 4, 0, None, 16)
          for bits in (128, 256)]
SUITES += [("AES-CBC-%d, %s" % (bits, integ[0]), (CBC, bits, integ[1]), ("AES-CBC", integ[0]),
            ("AES-CBC [RFC3602]", integ[2]), bits // 8, integ[3], integ[4], integ[5])
           for bits in (128, 256)
           for integ in (("HMAC-SHA1-96", 2, "HMAC-SHA-1-96 [RFC2404]", 20, "sha1", 12),
                         ("SHA2-256-128", 12, "HMAC-SHA-256-128 [RFC4868]", 32, "sha256", 16),
                         ("SHA2-384-192", 13, "HMAC-SHA-384-192 [RFC4868]", 48, "sha384", 24),
                         ("SHA2-512-256", 14, "HMAC-SHA-512-256 [RFC4868]", 64, "sha512", 32))]
OUTER = IP(src="198.51.100.1", dst="203.0.113.7")
NATT = UDP(sport=4500, dport=4500)


def ping(seq, size=56, version=4):
    data = Raw(bytes(i % 256 for i in range(size)))
    if version == 6:
        return bytes(IPv6(src="fd00::1", dst="fd00::2") / ICMPv6EchoRequest(seq=seq) / data)
    return bytes(IP(src="192.168.7.1", dst="10.0.1.10") / ICMP(seq=seq) / data)


class Pair:
    """One suite with one set of keys, at both ends."""

    def __init__(self, suite, spi, esn, in_udp):
        self.name, self.numbers, scapy, self.tshark, key_len, integ_len, self.hash, self.icv = suite
        self.esn, self.spi = esn, spi
        self.key = bytes((spi + i * 7) % 256 for i in range(key_len))
        self.integ_key = bytes((spi + i * 11) % 256 for i in range(integ_len))
        self.sa = SecurityAssociation(
            ESP, spi=spi, crypt_algo=scapy[0], crypt_key=self.key, auth_algo=scapy[1],
            auth_key=self.integ_key or None, tunnel_header=OUTER.copy(),
            nat_t_header=NATT.copy() if in_udp else None, esn_en=esn)
        self.in_udp = in_udp
        self.own_icv = esn and self.hash  # Scapy's would lack the upper half
        self.words = f"{self.name}{', ESN' if esn else ''}{', UDP' if in_udp else ''}"

    def run(self, tool, verb, number, lines, window=64):
        command = [tool, verb, *map(str, self.numbers), self.key.hex(), self.integ_key.hex() or "-",
                   hex(self.spi), str(int(self.esn)), str(window), str(number)]
        done = subprocess.run(command, input="\n".join(lines) + "\n", text=True, check=True,
                              capture_output=True)
        return done.stdout.split("\n")[:-1]

    def outside(self, esp):
        """The IP packet around the bytes of one of ours."""
        around = OUTER / NATT if self.in_udp else IP(src=OUTER.src, dst=OUTER.dst, proto=50)
        return IP(bytes(around / Raw(esp)))

    def right_icv(self, esp, number):
        mac = hmac.new(self.integ_key, esp[:-self.icv] + (number // WRAP).to_bytes(4, "big"),
                       self.hash)
        return mac.digest()[:self.icv]

    def open(self, esp, number):
        """With Scapy: the bytes of the inner packet; raises where the ICV is wrong."""
        packet = self.outside(esp)
        if ESP not in packet or (UDP in packet) != self.in_udp:
            raise ValueError("Scapy sees no ESP")
        if self.own_icv:
            if not hmac.compare_digest(self.right_icv(esp, number), esp[-self.icv:]):
                raise ValueError("wrong ICV")
            return bytes(self.sa.decrypt(packet, verify=False, esn=number // WRAP))
        return bytes(self.sa.decrypt(packet, esn=number // WRAP))

    def seal(self, number, inner, next_header=4):
        """With Scapy, the way that its encrypt() goes: bytes of an ESP packet."""
        sa = self.sa
        esp = _ESPPlain(spi=self.spi, seq=number % WRAP, iv=sa.crypt_algo.generate_iv(), data=inner,
                        nh=next_header)
        esp = sa.crypt_algo.encrypt(sa, sa.crypt_algo.pad(esp), sa.crypt_key, None, esn_en=self.esn,
                                    esn=number // WRAP)
        sa.auth_algo.sign(esp, self.integ_key)
        made = bytes(esp)
        if self.own_icv:
            made = made[:-self.icv] + self.right_icv(made, number)
        return made

    def seal_whole(self, number, inner):
        """With Scapy's encrypt() itself, outside header and all: the ESP packet in it."""
        packet = self.sa.encrypt(IP(inner), seq_num=number % WRAP, esn=number // WRAP)
        if (UDP in packet) != self.in_udp:
            raise ValueError("another encapsulation")
        made = bytes(packet[ESP])
        return made[:-self.icv] + self.right_icv(made, number) if self.own_icv else made


def pairs(esn_too=True):
    spi = 0x1000
    for suite in SUITES:
        for esn in (False, True) if esn_too else (False,):
            for in_udp in (False, True):
                spi += 1
                yield Pair(suite, spi, esn, in_udp)


failures = []


def expect(what, got, wanted):
    if got != wanted:
        failures.append(f"{what}: {got!r} is not {wanted!r}")


def ours(tool):
    sizes = [0, 1, 2, 3, 15, 16, 17, 56, 1000, 1372]
    for pair in pairs():
        # with ESN over the wrap, without up to the very end
        first = WRAP - 5 if pair.esn else WRAP - len(sizes) - 4
        inner = [(4, ping(i, size)) for i, size in enumerate(sizes)]
        inner += [(41, ping(0, 56, 6)), (59, b"\0" * 40), (4, ping(1) + b"\xa5" * 301), (4, ping(2))]
        lines = pair.run(tool, "seal", first - 1, [f"{nh} {p.hex()}" for nh, p in inner])
        expect(pair.words, len(lines), len(inner))
        for i, (line, (next_header, wanted)) in enumerate(zip(lines, inner)):
            number = first + i
            if not pair.esn and number >= WRAP:
                expect(f"{pair.words}, number {number}", line, "ESP_SEQUENCE")
                continue
            made = bytes.fromhex(line)
            expect(pair.words, made[:8], pair.spi.to_bytes(4, "big") + (number % WRAP).to_bytes(4, "big"))
            opened = pair.open(made, number)
            expect(f"{pair.words}, packet {i}", opened, wanted)
            changed = made[:-1] + bytes([made[-1] ^ 1])
            try:
                pair.open(changed, number)
                failures.append(f"{pair.words}: Scapy opens a changed packet")
            except Exception as error:  # its own kind, or InvalidTag
                del error
        if pair.esn:  # the upper half is authenticated
            try:
                pair.open(bytes.fromhex(lines[0]), first + WRAP)
                failures.append(f"{pair.words}: opened with another upper half")
            except Exception as error:
                del error


def opened(next_header, inner, length=None):
    return f"NONE {next_header} {len(inner) if length is None else length} {inner.hex()}"


def theirs(tool):
    for pair in pairs():
        top = WRAP + 3 if pair.esn else WRAP - 1  # the last that comes
        p, p6 = ping(7), ping(8, 100, 6)
        padded = p + b"\xa5" * 500
        bad = pair.seal(top - 4, p)
        steps = [
            (pair.seal_whole(top - 90, p), opened(4, p)),
            (pair.seal(top - 89, p6, 41), opened(41, p6)),
            (pair.seal(top - 89, p6, 41), "ESP_REPLAY"),
            (pair.seal(top - 88, b"\0" * 60, 59), "ESP_DUMMY"),
            (pair.seal(top - 87, padded), opened(4, padded, len(p))),
            (pair.seal(top - 86, p, 17), "ESP_NEXT_HEADER"),
            (pair.seal(top - 10, p), opened(4, p)),
            (pair.seal(top - 73, p), opened(4, p)),  # the oldest of the window
            # what is older looks, with ESN, like one of the next subspace
            (pair.seal(top - 74, p), "ESP_AUTHENTICATION" if pair.esn else "ESP_REPLAY"),
            (bad[:-1] + bytes([bad[-1] ^ 1]), "ESP_AUTHENTICATION"),
            (bad[:-1], "ESP_PADDING"),  # no longer aligned
            (bad[:12], "ESP_SHORT"),
            (bad, opened(4, p)),
            (bad, "ESP_REPLAY"),
            (pair.seal(top, p), opened(4, p)),
            (pair.seal(top - 3, p), opened(4, p)),  # with ESN: from before the wrap
            (pair.seal(top - 3, p), "ESP_REPLAY"),
        ]
        lines = pair.run(tool, "open", top - 91, [packet.hex() for packet, _ in steps])
        expect(pair.words, len(lines), len(steps))
        for i, (line, (_, wanted)) in enumerate(zip(lines, steps)):
            expect(f"{pair.words}, step {i}", line, wanted)
        wide = [pair.seal(top - k, p) for k in (0, 8191, 8192)]
        lines = pair.run(tool, "open", top - 9000, [packet.hex() for packet in wide], 8192)
        behind = "ESP_AUTHENTICATION" if pair.esn else "ESP_REPLAY"
        expect(f"{pair.words}, window of 8192", lines, [opened(4, p), opened(4, p), behind])


def write(tool, folder):
    """Six packets of each, for tshark, which knows no ESN."""
    with PcapWriter(f"{folder}/ours.pcap") as pcap, open(f"{folder}/esp_sa", "w",
                                                        encoding="ascii") as table:
        for pair in pairs(esn_too=False):
            lines = pair.run(tool, "seal", WRAP - 7, [f"4 {ping(i).hex()}" for i in range(6)])
            for line in lines:
                pcap.write(pair.outside(bytes.fromhex(line)))
            key, integ_key = pair.key.hex(), pair.integ_key.hex()
            table.write(f'"IPv4","{OUTER.src}","{OUTER.dst}","{pair.spi:#010x}","{pair.tshark[0]}",'
                        f'"0x{key}","{pair.tshark[1]}","{"0x" + integ_key if integ_key else ""}"\n')


esp_static, where, check = sys.argv[1:4]
if check == "write":
    write(esp_static, where)
elif check == "ours":
    ours(esp_static)
else:
    theirs(esp_static)
print("\n".join(failures))
sys.exit(1 if failures else 0)
