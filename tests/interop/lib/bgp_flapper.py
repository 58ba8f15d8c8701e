# SPDX-License-Identifier: Apache-2.0
"""bgp_flapper.py WHAT ADDRESS ASN TIMES PREFIXES: a BGP speaker that misbehaves, on purpose.

WHAT is sessions (TIMES connections; those that are let in, for who flaps is kept waiting,
tell PREFIXES networks; all end, by RST, by FIN, by a Cease in turns), routes (one session that withdraws and announces them TIMES times, and
172.16.0.0/24 in the end, and then stays), or codes (a session for each NOTIFICATION code
and subcode, and some that nobody knows, from 203.0.113.100 on, so that each is a peer of its
own; TIMES and PREFIXES count for nothing). One line is printed a thing that is done.
"""
import itertools
import socket
import struct
import sys
import time

what, address, asn, times, prefixes = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:6])
OPEN, UPDATE, NOTIFICATION, KEEPALIVE = 1, 2, 3, 4
LIMIT_S = 10


def message(kind, body=b""):
    return b"\xff" * 16 + struct.pack("!HB", 19 + len(body), kind) + body


def hello():
    capabilities = b"\x01\x04\x00\x01\x00\x01" + b"\x41\x04" + struct.pack("!I", asn)
    return message(OPEN, struct.pack("!BHH4sB", 4, asn if asn < 65536 else 23456, 30,
                                     socket.inet_aton("203.0.113.7"), len(capabilities) + 2)
                   + struct.pack("!BB", 2, len(capabilities)) + capabilities)


def networks():
    return b"".join(struct.pack("!BBBB", 24, 20, i >> 8, i & 255) for i in range(prefixes))


def pieces(size=800):
    """The networks in pieces that fit a message."""
    all_of_them = networks()
    return [all_of_them[i:i + 4 * size] for i in range(0, len(all_of_them), 4 * size)]


def announcements(next_hop, which=None):
    attributes = (b"\x40\x01\x01\x00" + b"\x40\x02\x06\x02\x01" + struct.pack("!I", asn)
                  + b"\x40\x03\x04" + socket.inet_aton(next_hop))
    return b"".join(message(UPDATE, struct.pack("!HH", 0, len(attributes)) + attributes + p)
                    for p in which or pieces())


def withdrawals():
    return b"".join(message(UPDATE, struct.pack("!H", len(p)) + p + b"\0\0") for p in pieces())


END_OF_RIB = message(UPDATE, b"\0\0\0\0")


class Session:
    def __init__(self, source=""):
        self.s = socket.create_connection((address, 179), timeout=LIMIT_S,
                                          source_address=(source, 0) if source else None)
        self.s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.rest = b""
        self.s.sendall(hello())
        self.until(OPEN)
        self.s.sendall(message(KEEPALIVE))
        self.until(KEEPALIVE)
        self.local = self.s.getsockname()[0]

    def until(self, kind):
        while True:
            while len(self.rest) < 19 or len(self.rest) < struct.unpack("!H", self.rest[16:18])[0]:
                data = self.s.recv(65536)
                if not data:
                    raise ConnectionError("closed")
                self.rest += data
            length = struct.unpack("!H", self.rest[16:18])[0]
            got, self.rest = self.rest[18], self.rest[length:]
            if got == NOTIFICATION:
                raise ConnectionError("refused")
            if got == kind:
                return

    def drain(self):
        self.s.setblocking(False)
        try:
            while self.s.recv(65536):
                pass
        except BlockingIOError:
            pass
        self.s.settimeout(LIMIT_S)

    def notify(self, code, subcode):
        self.s.sendall(message(NOTIFICATION, bytes([code, subcode])))
        self.s.shutdown(socket.SHUT_WR)
        try:
            while self.s.recv(65536):
                pass
        except OSError:
            pass
        self.s.close()

    def reset(self):
        self.s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.s.close()


def session(tries=2400):
    """One that is established, after having been kept waiting."""
    for _ in range(tries):
        try:
            return Session()
        except OSError:
            time.sleep(0.05)
    raise SystemExit("no session")


def flap_sessions():
    ways = itertools.cycle((Session.reset, lambda s: s.s.close(), lambda s: s.notify(6, 4)))
    let_in = 0
    for _ in range(times):
        try:
            s = Session()
            s.s.sendall(announcements(s.local) + END_OF_RIB)
            next(ways)(s)
            let_in += 1
        except OSError:
            pass
    print(f"{times} sessions, {let_in} let in", flush=True)


def flap_routes():
    s = session()
    s.s.sendall(END_OF_RIB)
    on, off = announcements(s.local), withdrawals()
    for _ in range(times):
        s.s.sendall(on + off)
        s.drain()
    last = struct.pack("!BBBB", 24, 172, 16, 0)
    s.s.sendall(on + announcements(s.local, [last]))
    print(f"{times} withdrawals of all", flush=True)
    while True:
        time.sleep(5)
        s.s.sendall(message(KEEPALIVE))
        s.drain()


def send_codes():
    known = [(1, n) for n in (1, 2, 3)] + [(2, n) for n in (1, 2, 3, 4, 6, 7)]
    known += [(3, n) for n in (1, 2, 3, 4, 5, 6, 8, 9, 10, 11)] + [(4, 0)]
    known += [(5, n) for n in (1, 2, 3)] + [(6, n) for n in range(1, 11)] + [(7, 1), (8, 0)]
    for i, (code, subcode) in enumerate(known + [(6, 77), (99, 1)]):
        Session(f"203.0.113.{100 + i}").notify(code, subcode)
        print(f"{code}/{subcode}", flush=True)


{"sessions": flap_sessions, "routes": flap_routes, "codes": send_codes}[what]()
