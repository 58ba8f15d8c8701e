# SPDX-License-Identifier: Apache-2.0
"""Sets a WireGuard device by its own socket protocol, so that the tunnel's benchmark
needs no tool besides the daemon. Each end's new key pair is named by a file.

usage: wireguard.py keys PRIVATE_FILE PUBLIC_FILE
       wireguard.py set SOCKET PRIVATE_FILE PEER_PUBLIC_FILE PORT ENDPOINT ALLOWED"""

import pathlib
import socket
import sys


def make_keys(private_file, public_file):
    from cryptography.hazmat.primitives import serialization as form
    from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

    key = X25519PrivateKey.generate()
    private = pathlib.Path(private_file)
    private.touch(mode=0o600)
    private.write_text(key.private_bytes(form.Encoding.Raw, form.PrivateFormat.Raw,
                                          form.NoEncryption()).hex())
    pathlib.Path(public_file).write_text(key.public_key().public_bytes(
        form.Encoding.Raw, form.PublicFormat.Raw).hex())


def set_device(path, private_file, peer_file, port, endpoint, allowed):
    lines = ["set=1", "private_key=" + pathlib.Path(private_file).read_text(),
             "listen_port=" + port, "public_key=" + pathlib.Path(peer_file).read_text(),
             "endpoint=" + endpoint, "replace_allowed_ips=true", "allowed_ip=" + allowed, "", ""]
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as s:
        s.connect(path)
        s.sendall("\n".join(lines).encode())
        answer = s.recv(4096).decode()
    if "errno=0" not in answer:
        sys.exit("the device says: " + answer.strip())


{"keys": make_keys, "set": set_device}[sys.argv[1]](*sys.argv[2:])
