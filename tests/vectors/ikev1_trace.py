# SPDX-License-Identifier: Apache-2.0
"""Writes ikev1_trace.h: IKEv1 SAs computed from RFC 2409 with hashlib and hmac, and their
messages encrypted with the `cryptography` package; nothing of it comes from the library
under test. Run it in this folder; the output never varies."""

import hashlib
import hmac
import struct
import textwrap

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

HASH = {2: ("sha1", 1), 5: ("sha256", 2), 6: ("sha384", 3), 7: ("sha512", 4)}  # by PRF
INTEG = {0: 0, 2: 20, 12: 32, 13: 48, 14: 64}  # bytes of key, by INTEG
CBC, GCM = 12, 20


def draw(label, n):
    """n bytes that look random, the same each time."""
    return hashlib.shake_256(label.encode()).digest(n)


def encryption_key(prf, skeyid_e, n):
    """Appendix B."""
    if n <= len(skeyid_e):
        return skeyid_e[:n]
    k = out = prf(skeyid_e, b"\0")
    while len(out) < n:
        k = prf(skeyid_e, k)
        out += k
    return out[:n]


def keymat(prf, skeyid_d, seed, n):
    """Section 5.5."""
    k = out = prf(skeyid_d, seed)
    while len(out) < n:
        k = prf(skeyid_d, k + seed)
        out += k
    return out[:n]


def chain(first, *payloads):
    """Payloads (type, body), and the type of the first."""
    assert first == payloads[0][0]
    types = [t for t, _ in payloads[1:]] + [0]
    return b"".join(struct.pack(">BBH", after, 0, 4 + len(body)) + body
                    for after, (_, body) in zip(types, payloads))


def trace(name, bits, number, child, nonces):
    t = {"name": name, "key_bits": bits, "prf": number, "hash": HASH[number][1],
         "child_encr": child[0], "child_bits": child[1], "child_integ": child[2]}

    def prf(key, data):
        return hmac.new(key, data, HASH[number][0]).digest()

    def plain_hash(data):
        return hashlib.new(HASH[number][0], data).digest()

    for field, n in (("psk", 32), ("shared", 128), ("ni", nonces[0]), ("nr", nonces[1]),
                     ("cookie_i", 8), ("cookie_r", 8), ("gxi", 128), ("gxr", 128), ("sa", 100),
                     ("qm_ni", 32), ("qm_nr", 16), ("qm_shared", 64), ("message_id", 4),
                     ("spi", 4), ("last", 16)):
        t[field] = draw(f"{name} {field}", n)
    cookies = t["cookie_i"] + t["cookie_r"]
    t["id_i"] = bytes([1, 17, 1, 0xf4, 192, 0, 2, 1])
    t["id_r"] = bytes([2, 0, 0, 0]) + b"gateway.example"

    # section 5
    t["skeyid"] = prf(t["psk"], t["ni"] + t["nr"])
    t["skeyid_d"] = prf(t["skeyid"], t["shared"] + cookies + b"\0")
    t["skeyid_a"] = prf(t["skeyid"], t["skeyid_d"] + t["shared"] + cookies + b"\1")
    t["skeyid_e"] = prf(t["skeyid"], t["skeyid_a"] + t["shared"] + cookies + b"\2")
    t["key"] = encryption_key(prf, t["skeyid_e"], bits // 8)
    t["hash_i"] = prf(t["skeyid"], t["gxi"] + t["gxr"] + cookies + t["sa"] + t["id_i"])
    t["hash_r"] = prf(t["skeyid"], t["gxr"] + t["gxi"] + t["cookie_r"] + t["cookie_i"] +
                      t["sa"] + t["id_r"])

    # a quick mode, section 5.5: a nonce and a vendor ID behind HASH(1), or HASH(2)
    t["iv_first"] = plain_hash(t["gxi"] + t["gxr"])[:16]
    t["iv"] = plain_hash(t["last"] + t["message_id"])[:16]
    t["rest"] = chain(10, (10, t["qm_ni"]), (13, b"vendo"))
    t["hash_1"] = prf(t["skeyid_a"], t["message_id"] + t["rest"])
    t["hash_2"] = prf(t["skeyid_a"], t["message_id"] + t["qm_ni"] + t["rest"])
    t["hash_3"] = prf(t["skeyid_a"], b"\0" + t["message_id"] + t["qm_ni"] + t["qm_nr"])
    plain = struct.pack(">BBH", 10, 0, 4 + len(t["hash_1"])) + t["hash_1"] + t["rest"]
    plain += bytes(-len(plain) % 16)
    c = Cipher(algorithms.AES(t["key"]), modes.CBC(t["iv"])).encryptor()
    t["request"] = (cookies + bytes([8, 0x10, 32, 1]) + t["message_id"] +
                    struct.pack(">I", 28 + len(plain)) + c.update(plain) + c.finalize())

    # keys of one direction, without and with PFS
    n = child[1] // 8 + (4 if child[0] == GCM else 0) + INTEG[child[2]]
    seed = b"\3" + t["spi"] + t["qm_ni"] + t["qm_nr"]
    t["child"] = keymat(prf, t["skeyid_d"], seed, n)
    t["child_pfs"] = keymat(prf, t["skeyid_d"], t["qm_shared"] + seed, n)

    # RFC 3947 section 3.2: 192.0.2.1 port 500, 2001:db8::1 port 4500
    t["nat4"] = plain_hash(cookies + bytes([192, 0, 2, 1]) + struct.pack(">H", 500))
    t["nat6"] = plain_hash(cookies + bytes.fromhex("20010db8000000000000000000000001") +
                           struct.pack(">H", 4500))
    return t


def c_value(v):
    if isinstance(v, bytes):
        return "".join(f'\n         "{s}"' for s in textwrap.wrap(v.hex(), 80)) or '""'
    return f'"{v}"' if isinstance(v, str) else str(v)


TRACES = [
    trace("AES-128, SHA-1", 128, 2, (CBC, 128, 2), (20, 16)),
    trace("AES-256, SHA-1", 256, 2, (CBC, 256, 12), (8, 256)),
    trace("AES-256, SHA2-256", 256, 5, (CBC, 256, 14), (32, 32)),
    trace("AES-128, SHA2-384", 128, 6, (GCM, 128, 0), (32, 48)),
    trace("AES-256, SHA2-512", 256, 7, (GCM, 256, 0), (256, 8)),
]
with open("ikev1_trace.h", "w", encoding="ascii") as f:
    numbers = [k for k, v in TRACES[0].items() if isinstance(v, int)]
    texts = [k for k, v in TRACES[0].items() if not isinstance(v, int)]
    f.write("/* SPDX-License-Identifier: Apache-2.0 */\n"
            "/* IKEv1 SAs, computed by ikev1_trace.py from RFC 2409 and not by the library. Made by\n"
            " * that script: change it there. Hexadecimal. */\n"
            "#ifndef S2_TESTS_VECTORS_IKEV1_TRACE_H\n#define S2_TESTS_VECTORS_IKEV1_TRACE_H\n\n"
            "#include <stdint.h>\n\n/* clang-format off */\n"
            "static const struct s2_ike1_trace {\n")
    f.write(f"    uint16_t {', '.join(numbers)};\n")
    f.write("".join(f"    const char *{k};\n" for k in texts))
    f.write("} s2_ike1_traces[] = {\n")
    for t in TRACES:
        f.write("    {" + ",\n     ".join(f".{k} = {c_value(v)}".replace("= \n", "=\n") for k, v in t.items()) + "},\n")
    f.write("};\n\n#endif\n")
