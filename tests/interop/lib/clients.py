# SPDX-License-Identifier: Apache-2.0
"""Clients of a control socket that behave badly: clients.py SOCKET CASE. Exits with 0 if
the device behaves well."""

import socket
import sys
import time


def connect(wait=60):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.settimeout(wait)
    s.connect(sys.argv[1])
    return s


def answer(s):
    text = b""
    while True:
        piece = s.recv(65536)
        if not piece:
            return text.decode()
        text += piece


def asks(line):
    s = connect()
    s.sendall(line)
    return answer(s)


def silent():
    """16 that say nothing: the next is told so, and they don't stay for ever."""
    begin = time.monotonic()
    crowd = [connect() for _ in range(16)]
    refused = answer(connect())
    ends = [s.recv(1) for s in crowd]
    return (refused.startswith("error: too many clients") and ends == [b""] * 16 and
            9 < time.monotonic() - begin < 45 and asks(b"status\n").startswith("ok\n"))


def endless():
    """A request without an end is no request."""
    s = connect()
    try:
        s.sendall(b"x" * 100000)
        return s.recv(1) == b""
    except (ConnectionResetError, BrokenPipeError):
        return True


def pieces():
    """A request may come in pieces, and what follows its line doesn't matter."""
    s = connect()
    for piece in (b"sta", b"tus js", b"on\nrubbish"):
        s.sendall(piece)
        time.sleep(0.1)
    return answer(s).startswith('ok\n{"version"')


def unread():
    """One that doesn't read its capture doesn't hold up the others."""
    s = connect()
    s.sendall(b"capture vpn-0123456789abcdef0.1 0\n")
    s2 = connect()
    s2.sendall(b"capture vpn-0123456789abcdef0.2 0\n")
    time.sleep(1)
    return asks(b"status\n").startswith("ok\n")


def nonsense():
    lines = [b"\n", b" \n", b"nonsense\n", b"status yes\n", b"status json json\n", b"a b c d e f\n",
             b"capture\n", b"capture x\n", b"capture x 1\n", b"capture vpn-0123456789abcdef0.3 1\n",
             b"capture vpn-0123456789abcdef0.1 -1\n", b"capture vpn-0123456789abcdef0.1 99999\n",
             b"capture vpn-0123456789abcdef0.1 1 keys keys\n", b"rekey .\n", b"rekey .1\n",
             b"down " + b"x" * 400 + b"\n", b"up \x00\xff\n", b"%s%n\n"]
    wrong = [(line, a) for line in lines for a in [asks(line)] if not a.startswith("error: ")]
    print(wrong)
    return not wrong


sys.exit(0 if globals()[sys.argv[2]]() else 1)
