# SPDX-License-Identifier: Apache-2.0
"""source.py FROM TO PORT FILE: send FILE over one TCP connection."""
import socket
import sys

source, address, port, path = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
with socket.create_connection((address, port), timeout=60, source_address=(source, 0)) as s:
    with open(path, "rb") as data:
        s.sendfile(data)
    s.shutdown(socket.SHUT_WR)
    while s.recv(1024):
        pass
