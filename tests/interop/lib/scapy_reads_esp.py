# SPDX-License-Identifier: Apache-2.0
"""scapy_reads_esp.py PCAP ESP_SA FROM TO COUNT: Scapy's own ESP (scapy.layers.ipsec) opens
every ESP packet of a capture with the keys of a log in Wireshark's form. Among them must be
the first COUNT pings from FROM to TO and their answers, byte for byte as ping(8) fills them."""
import csv
import sys

from scapy.layers.inet import ICMP, IP, UDP
from scapy.layers.ipsec import ESP, SecurityAssociation
from scapy.utils import PcapReader

CIPHERS = {"AES-GCM with 16 octet ICV [RFC4106]": "AES-GCM", "AES-CBC [RFC3602]": "AES-CBC"}
INTEGRITY = {"NULL": "NULL", "HMAC-SHA-256-128 [RFC4868]": "SHA2-256-128"}


def associations(path):
    """One for each line of the log, by SPI."""
    found = {}
    with open(path, encoding="ascii") as lines:
        for _, source, destination, spi, encr, encr_key, integ, integ_key in csv.reader(lines):
            found[int(spi, 16)] = SecurityAssociation(
                ESP, spi=int(spi, 16), crypt_algo=CIPHERS[encr],
                crypt_key=bytes.fromhex(encr_key[2:]), auth_algo=INTEGRITY[integ],
                auth_key=bytes.fromhex(integ_key[2:]) or None,
                tunnel_header=IP(src=source, dst=destination),
                nat_t_header=UDP(sport=4500, dport=4500))
    return found


def esp_packets(path):
    """The ESP packets, whether in UDP or not; SPI 0 is IKE's marker (RFC 3948 2.2)."""
    with PcapReader(path) as packets:
        for packet in packets:
            if IP in packet and ESP in packet and packet[ESP].spi != 0:
                yield packet[IP]


pcap, table, source, destination, count = *sys.argv[1:5], int(sys.argv[5])
keys = associations(table)
opened, in_udp, asked, answered = 0, 0, [], []
for packet in esp_packets(pcap):
    in_udp += UDP in packet
    plain = keys[packet[ESP].spi].decrypt(packet)  # raises where the ICV is wrong
    opened += 1
    if ICMP not in plain:
        continue
    inner = (plain.src, plain.dst, plain[ICMP].type)
    # behind the time stamp ping counts its bytes up
    whole = bytes(plain[ICMP].payload)[16:] == bytes(range(16, 56))
    if inner == (source, destination, 8) and whole:
        asked.append(plain[ICMP].seq)
    elif inner == (destination, source, 0) and whole:
        answered.append(plain[ICMP].seq)
print(f"{opened} ESP packets opened, {in_udp} of them in UDP; pings {asked}, answers {answered}")
wanted = list(range(1, count + 1))
sys.exit(0 if opened > 0 and asked[:count] == wanted and answered[:count] == wanted else 1)
