# SPDX-License-Identifier: Apache-2.0
"""sink.py ADDRESS PORT FILE: accept one TCP connection and write what comes to FILE."""
import socket
import sys

address, port, path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
family = socket.AF_INET6 if ":" in address else socket.AF_INET
with socket.create_server((address, port), family=family) as server:
    server.settimeout(60)
    connection, _ = server.accept()
    connection.settimeout(60)
    with connection, open(path, "wb") as out:
        while data := connection.recv(65536):
            out.write(data)
