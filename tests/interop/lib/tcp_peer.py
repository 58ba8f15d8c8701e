# SPDX-License-Identifier: Apache-2.0
"""tcp_peer.py HOW ADDRESS PORT IN OUT [END] [N]: one stream of the kernel's TCP.

HOW is listen, connect or, from port 5179, both (at once). Sends the file IN and writes
what comes to OUT, both at the same time. END: last (FIN once the other's has come; the
default), first (FIN once all is sent and N bytes have come), reset (RST at once), slow (as
last, but reads nothing for N seconds, behind a small buffer).
"""
import socket
import struct
import sys
import threading
import time

how, address, port, source, target = sys.argv[1:6]
end = sys.argv[6] if len(sys.argv) > 6 else "last"
number = int(sys.argv[7]) if len(sys.argv) > 7 else 0
family = socket.AF_INET6 if ":" in address else socket.AF_INET


def begin():
    if how == "listen":
        with socket.create_server((address, int(port)), family=family) as server:
            server.settimeout(60)
            return server.accept()[0]
    s = socket.socket(family, socket.SOCK_STREAM)
    s.settimeout(60)
    if end == "slow":
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    if how == "both":
        s.bind(("", 5179))
    s.connect((address, int(port)))
    return s


def send():
    with open(source, "rb") as f:
        while data := f.read(65536):
            s.sendall(data)
    sent.set()


def shut():
    sent.wait()
    s.shutdown(socket.SHUT_WR)


s = begin()
s.settimeout(600)
if end == "reset":
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    s.close()
    sys.exit(0)
sent = threading.Event()
threading.Thread(target=send, daemon=True).start()
if end == "slow":
    time.sleep(number)
count = 0
if end == "first" and number == 0:
    shut()
with open(target, "wb") as out:
    try:
        while data := s.recv(65536):
            out.write(data)
            before, count = count, count + len(data)
            if end == "first" and before < number <= count:
                shut()
    except ConnectionResetError:
        print("reset")
        sys.exit(0)
if end != "first":
    shut()
s.close()
print("done", count)
