# SPDX-License-Identifier: Apache-2.0
"""strongSwan over its vici socket, without swanctl's start-up in between:

    vici.py SOCKET COMMAND [KEY=VALUE...]    prints what charon says, as JSON
    vici.py SOCKET sas                       its IKE SAs with their children, short

One packet: length (4 bytes), kind, and for requests and events a name. Then elements:
strongSwan's src/libcharon/plugins/vici/README.md."""

import json
import socket
import struct
import sys

REQUEST, ANSWER, REGISTER, CONFIRM, EVENT = 0, 1, 3, 5, 7
BEGIN, END, VALUE, LIST, ITEM, LIST_END = 1, 2, 3, 4, 5, 6


class Refused(Exception):
    pass


def write(message):
    out = b""
    for key, value in message.items():
        name = bytes([len(key)]) + key.encode()
        if isinstance(value, dict):
            out += bytes([BEGIN]) + name + write(value) + bytes([END])
        elif isinstance(value, list):
            items = [bytes([ITEM]) + struct.pack("!H", len(v)) + v.encode() for v in value]
            out += bytes([LIST]) + name + b"".join(items) + bytes([LIST_END])
        else:
            text = str(value).encode()
            out += bytes([VALUE]) + name + struct.pack("!H", len(text)) + text
    return out


def read(data):
    """A message as a dictionary."""
    stack, items, at = [{}], None, 0

    def take(size):
        nonlocal at
        (length,) = struct.unpack_from("!B" if size == 1 else "!H", data, at)
        at += size + length
        return data[at - length:at].decode(errors="replace")

    while at < len(data):
        kind = data[at]
        at += 1
        if kind == BEGIN:
            inner = {}
            stack[-1][take(1)] = inner
            stack.append(inner)
        elif kind == END:
            stack.pop()
        elif kind == VALUE:
            key = take(1)
            stack[-1][key] = take(2)
        elif kind == LIST:
            items = stack[-1][take(1)] = []
        elif kind == ITEM:
            items.append(take(2))
    return stack[0]


class Vici:
    def __init__(self, path, wait=90):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(wait)
        self.socket.connect(path)

    def send(self, kind, name, message=None):
        body = bytes([kind, len(name)]) + name.encode() + write(message or {})
        self.socket.sendall(struct.pack("!I", len(body)) + body)

    def piece(self, length):
        data = b""
        while len(data) < length:
            more = self.socket.recv(length - len(data))
            if not more:
                raise Refused("charon closed the connection")
            data += more
        return data

    def receive(self):
        """Kind and message."""
        (length,) = struct.unpack("!I", self.piece(4))
        body = self.piece(length)
        skip = 2 + body[1] if body[0] == EVENT else 1
        return body[0], read(body[skip:])

    def ask(self, command, message=None, event=None):
        """The answer, or the list of events where there is one for each object."""
        events = []
        if event:
            self.send(REGISTER, event)
            if self.receive()[0] != CONFIRM:
                raise Refused("no event " + event)
        self.send(REQUEST, command, message)
        while True:
            kind, said = self.receive()
            if kind == EVENT:
                events.append(said)
            elif kind == ANSWER:
                break
            else:
                raise Refused("no command " + command)
        if said.get("success", "yes") != "yes":
            raise Refused(said.get("errmsg", "refused"))
        return events if event else said

    def sas(self):
        found = [(name, sa) for event in self.ask("list-sas", {}, "list-sa")
                 for name, sa in event.items()]
        return [{"name": name, "state": sa["state"], "id": int(sa["uniqueid"]),
                 "initiator": sa.get("initiator") == "yes", "algorithms": algorithms(sa),
                 "children": [{"name": c["name"], "state": c["state"], "algorithms": algorithms(c),
                               "encap": c.get("encap") == "yes"}
                              for c in sa.get("child-sas", {}).values()]}
                for name, sa in found]


def algorithms(sa):
    """In one line, in the order in which s2svpn prints its own."""
    encr = sa.get("encr-alg", "?")
    if "encr-keysize" in sa:
        encr += "_" + sa["encr-keysize"]
    rest = [sa[key] for key in ("integ-alg", "prf-alg", "dh-group") if key in sa]
    return "/".join([encr] + rest)


def main():
    try:
        vici = Vici(sys.argv[1])
        if sys.argv[2] == "sas":
            said = vici.sas()
        else:
            said = vici.ask(sys.argv[2], dict(a.split("=", 1) for a in sys.argv[3:]))
    except (Refused, OSError) as why:
        sys.exit("vici: %s" % why)
    json.dump(said, sys.stdout)
    print()


if __name__ == "__main__":
    main()
