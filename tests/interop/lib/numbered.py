# SPDX-License-Identifier: Apache-2.0
"""Numbered UDP packets at even distances, and what became of them.

numbered.py FROM TO LOG: send fifty a second; log when each was sent, and when which one of
the other side's came.
numbered.py --lost SENDER RECEIVER SINCE UNTIL: of the packets that the sender sent between
these times (seconds since 1970), print how many never came, and how many seconds after
SINCE the first one was sent behind which all came. "open": the last of them didn't come.
numbered.py --passes SENDER RECEIVER SINCE: exit with 0 if one that was sent since then came.
"""
import socket
import sys
import time

EVERY = 0.02
PORT = 7007


def run(source, to, path):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
    s.bind((source, PORT))
    due, number = time.time(), 0
    with open(path, "w", buffering=1) as log:
        while True:
            s.settimeout(max(due - time.time(), 0.0001))
            try:
                log.write(f"r {int(s.recv(64))} {time.time():.6f}\n")
            except TimeoutError:
                pass
            except OSError:  # what ICMP says of a packet is no end
                pass
            if time.time() < due:
                continue
            log.write(f"s {number} {time.time():.6f}\n")
            try:
                s.sendto(str(number).encode(), (to, PORT))
            except OSError:
                pass
            number += 1
            due = max(due + EVERY, time.time() - 1)


def read(path, kind):
    with open(path, encoding="ascii") as log:
        lines = [line.split() for line in log if line.endswith("\n")]
    return {int(w[1]): float(w[2]) for w in lines if w[0] == kind}


def sent_and_came(sender, receiver, since, until):
    sent = sorted((t, n) for n, t in read(sender, "s").items() if since <= t < until)
    return sent, read(receiver, "r")


def lost(sender, receiver, since, until):
    sent, came = sent_and_came(sender, receiver, since, until)
    missing = [i for i, (_, n) in enumerate(sent) if n not in came]
    if not missing:
        print("0 0.00")
    elif missing[-1] + 1 == len(sent):
        print(len(missing), "open")
    else:
        print(len(missing), f"{sent[missing[-1] + 1][0] - since:.2f}")


def passes(sender, receiver, since):
    sent, came = sent_and_came(sender, receiver, since, float("inf"))
    return any(n in came for _, n in sent)


if sys.argv[1] == "--lost":
    lost(sys.argv[2], sys.argv[3], float(sys.argv[4]), float(sys.argv[5]))
elif sys.argv[1] == "--passes":
    sys.exit(not passes(sys.argv[2], sys.argv[3], float(sys.argv[4])))
else:
    run(*sys.argv[1:4])
