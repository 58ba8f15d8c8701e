# SPDX-License-Identifier: Apache-2.0
"""Sends the UDP payloads of a capture again, from wherever this runs: what someone who
listens on the wire can do.

    resend.py CAPTURE LOCAL:PORT REMOTE:PORT

Only packets that went to REMOTE:PORT (IPv4, Ethernet). Prints how many.
"""
import socket
import struct
import sys


def payloads(path, remote, port):
    with open(path, "rb") as f:
        data = f.read()
    at = 24
    while at + 16 <= len(data):
        length = struct.unpack("<I", data[at + 8 : at + 12])[0]
        frame = data[at + 16 : at + 16 + length]
        at += 16 + length
        ip = frame[14:]
        if frame[12:14] != b"\x08\x00" or ip[9] != 17:
            continue
        header = (ip[0] & 15) * 4
        udp = ip[header:]
        if ip[16:20] == socket.inet_aton(remote) and udp[2:4] == struct.pack(">H", port):
            yield udp[8 : struct.unpack(">H", udp[4:6])[0]]


def endpoint(text):
    host, port = text.rsplit(":", 1)
    return host, int(port)


def main():
    path, local, remote = sys.argv[1], endpoint(sys.argv[2]), endpoint(sys.argv[3])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(local)
        sent = 0
        for p in payloads(path, *remote):
            s.sendto(p, remote)
            sent += 1
    print(sent)
    return 0 if sent else 1


sys.exit(main())
