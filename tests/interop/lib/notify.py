# SPDX-License-Identifier: Apache-2.0
"""A service manager's end of sd_notify: prints what comes to the socket in argv[1]."""

import socket
import sys

s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
while True:
    for line in s.recv(4096).decode().splitlines():
        print(line, flush=True)
