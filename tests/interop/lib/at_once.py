# SPDX-License-Identifier: Apache-2.0
"""Both ends rekey in the same instant: at_once.py VICI KEY=VALUE ours...

strongSwan is told over its socket VICI to rekey child=NAME or ike=NAME; we are by a line
to a control socket, or, where "ours" is a process id, by SIGUSR1. Everything is connected
before, so that the two are told within some 20 microseconds."""

import os
import signal
import socket
import sys

from vici import REQUEST, Refused, Vici

theirs = Vici(sys.argv[1])
key, value = sys.argv[2].split("=")
ours = None
if not sys.argv[3].isdigit():
    ours = socket.socket(socket.AF_UNIX)
    ours.settimeout(60)
    ours.connect(sys.argv[3])

theirs.send(REQUEST, "rekey", {key: value})
if ours:
    ours.sendall((" ".join(sys.argv[4:]) + "\n").encode())
    said = ours.recv(1000)
    # A request of theirs that is here already has not crossed ours; who counts will see.
    if not said.startswith(b"ok") and b"is being rekeyed" not in said:
        sys.exit("we: %s" % said)
else:
    os.kill(int(sys.argv[3]), signal.SIGUSR1)
try:
    print(theirs.receive()[1])
except Refused as why:
    sys.exit("strongSwan: %s" % why)
