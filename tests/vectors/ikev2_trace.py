# SPDX-License-Identifier: Apache-2.0
"""Writes ikev2_trace.h: IKE SAs computed from RFC 7296 with hashlib and hmac, and
their sealed messages with the `cryptography` package; nothing of it comes from the
library under test. Run it in this folder; the output never varies."""

import hashlib
import hmac
import struct
import textwrap

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

HASH = {1: "sha1", 2: "sha1", 5: "sha256", 6: "sha384", 7: "sha512"}  # by PRF
INTEG = {2: ("sha1", 20, 12), 12: ("sha256", 32, 16), 13: ("sha384", 48, 24),
         14: ("sha512", 64, 32)}  # by INTEG: hash, key, ICV
CBC, GCM = 12, 20


def draw(label, n):
    """n bytes that look random, the same each time."""
    return hashlib.shake_256(label.encode()).digest(n)


def prf(number, key, data):
    return hmac.new(key, data, HASH[number]).digest()


def prf_plus(number, key, seed, n):
    out = t = b""
    for i in range(1, 256):
        if len(out) >= n:
            break
        t = prf(number, key, t + seed + bytes([i]))
        out += t
    return out[:n]


def cut(keymat, *sizes):
    out = []
    for n in sizes:
        out.append(keymat[:n])
        keymat = keymat[n:]
    assert not keymat
    return out


def sizes(encr, bits, integ):
    """Bytes of cipher key (with its salt) and of INTEG key."""
    return (bits // 8 + 4, 0) if encr == GCM else (bits // 8, INTEG[integ][1])


def ike_keys(number, seed, ni, nr, spi_i, spi_r, encr, bits, integ):
    p = hashlib.new(HASH[number]).digest_size
    e, a = sizes(encr, bits, integ)
    keymat = prf_plus(number, seed, ni + nr + spi_i + spi_r, 3 * p + 2 * e + 2 * a)
    return dict(zip(("sk_d", "sk_ai", "sk_ar", "sk_ei", "sk_er", "sk_pi", "sk_pr"),
                    cut(keymat, p, a, a, e, e, p, p)))


def seal(t, keys, of_initiator, header, first, inner, iv, pad):
    """A message whose only payload is SK, RFC 7296 section 3.14 and RFC 5282."""
    encr, integ = t["encr"], t["integ"]
    e = keys["sk_ei" if of_initiator else "sk_er"]
    a = keys["sk_ai" if of_initiator else "sk_ar"]
    plain = inner + pad + bytes([len(pad)])
    icv = 16 if encr == GCM else INTEG[integ][2]
    sk = 4 + len(iv) + len(plain) + icv
    head = header + struct.pack(">I", len(header) + 4 + sk) + struct.pack(">BBH", first, 0, sk)
    if encr == GCM:
        return head + iv + AESGCM(e[:-4]).encrypt(e[-4:] + iv, plain, head)
    c = Cipher(algorithms.AES(e), modes.CBC(iv)).encryptor()
    text = head + iv + c.update(plain) + c.finalize()
    return text + hmac.new(a, text, INTEG[integ][0]).digest()[:icv]


def trace(name, encr, bits, integ, number, nonces):
    t = {"name": name, "encr": encr, "key_bits": bits, "integ": integ, "prf": number}
    for field, n in (("ni", nonces[0]), ("nr", nonces[1]), ("spi_i", 8), ("spi_r", 8),
                     ("shared", 64), ("psk", 24), ("message_i", 300), ("message_r", 280),
                     ("child_shared", 32), ("new_ni", 32), ("new_nr", 32), ("new_spi_i", 8),
                     ("new_spi_r", 8), ("new_shared", 256)):
        t[field] = draw(f"{name} {field}", n)
    seed = prf(number, t["ni"] + t["nr"], t["shared"])
    keys = ike_keys(number, seed, t["ni"], t["nr"], t["spi_i"], t["spi_r"], encr, bits, integ)
    t.update(keys)

    # AUTH, section 2.15: an FQDN and an IPv4 address as identities
    t["id_i"] = b"\x02\0\0\0" + b"device.example"
    t["id_r"] = b"\x01\0\0\0" + bytes([192, 0, 2, 1])
    pad = prf(number, t["psk"], b"Key Pad for IKEv2")
    t["auth_i"] = prf(number, pad, t["message_i"] + t["nr"] + prf(number, keys["sk_pi"], t["id_i"]))
    t["auth_r"] = prf(number, pad, t["message_r"] + t["ni"] + prf(number, keys["sk_pr"], t["id_r"]))

    # children of the same suite, section 2.17
    e, a = sizes(encr, bits, integ)
    nonce = t["ni"] + t["nr"]
    t["child"] = prf_plus(number, keys["sk_d"], nonce, 2 * (e + a))
    t["child_pfs"] = prf_plus(number, keys["sk_d"], t["child_shared"] + nonce, 2 * (e + a))

    # a rekey, section 2.18, to PRF_HMAC_SHA2_256 and AES-GCM with 128 bits
    seed = prf(number, keys["sk_d"], t["new_shared"] + t["new_ni"] + t["new_nr"])
    new = ike_keys(5, seed, t["new_ni"], t["new_nr"], t["new_spi_i"], t["new_spi_r"], GCM, 128, 0)
    t["new_keys"] = b"".join(new[k] for k in ("sk_d", "sk_ei", "sk_er", "sk_pi", "sk_pr"))

    # NAT detection, section 2.23: 192.0.2.1 port 500, 2001:db8::1 port 4500
    spis = t["spi_i"] + t["spi_r"]
    t["nat4"] = hashlib.sha1(spis + bytes([192, 0, 2, 1]) + struct.pack(">H", 500)).digest()
    t["nat6"] = hashlib.sha1(spis + bytes.fromhex("20010db8000000000000000000000001") +
                             struct.pack(">H", 4500)).digest()

    # IKE_AUTH request of the initiator: a Nonce and a Vendor ID are inside
    t["inner"] = (struct.pack(">BBH", 43, 0, 20) + draw("inner", 16) +
                  struct.pack(">BBH", 0, 0, 9) + b"vendo")
    block = 1 if encr == GCM else 16
    zeros = bytes(-(len(t["inner"]) + 1) % block)
    t["iv"] = struct.pack(">Q", 7) if encr == GCM else draw(f"{name} iv", 16)
    header = spis + bytes([46, 0x20, 35, 0x08]) + struct.pack(">I", 1)
    t["request"] = seal(t, keys, True, header, 40, t["inner"], t["iv"], zeros)
    # an empty INFORMATIONAL response, padded more than it must be, with other bytes
    header = spis + bytes([46, 0x20, 37, 0x20]) + struct.pack(">I", 2)
    t["response"] = seal(t, keys, False, header, 0, b"", t["iv"], draw("pad", 47))
    return t


def c_value(v):
    if isinstance(v, bytes):
        return "".join(f'\n         "{s}"' for s in textwrap.wrap(v.hex(), 80)) or '""'
    return f'"{v}"' if isinstance(v, str) else str(v)


TRACES = [
    trace("AES-CBC-128, HMAC-SHA1-96", CBC, 128, 2, 2, (16, 256)),
    trace("AES-CBC-256, HMAC-SHA2-256-128", CBC, 256, 12, 5, (32, 32)),
    trace("AES-CBC-256, HMAC-SHA2-384-192", CBC, 256, 13, 6, (48, 32)),
    trace("AES-CBC-256, HMAC-SHA2-512-256", CBC, 256, 14, 7, (256, 256)),
    trace("AES-GCM-128, PRF-HMAC-SHA2-256", GCM, 128, 0, 5, (32, 16)),
    trace("AES-GCM-256, PRF-HMAC-SHA2-384", GCM, 256, 0, 6, (32, 64)),
]
with open("ikev2_trace.h", "w", encoding="ascii") as f:
    numbers = [k for k, v in TRACES[0].items() if isinstance(v, int)]
    texts = [k for k, v in TRACES[0].items() if not isinstance(v, int)]
    f.write("/* SPDX-License-Identifier: Apache-2.0 */\n"
            "/* IKE SAs, computed by ikev2_trace.py from RFC 7296 and not by the library. Made by\n"
            " * that script: change it there. Hexadecimal. */\n"
            "#ifndef S2_TESTS_VECTORS_IKEV2_TRACE_H\n#define S2_TESTS_VECTORS_IKEV2_TRACE_H\n\n"
            "#include <stdint.h>\n\n/* clang-format off */\n"
            "static const struct s2_ike_trace {\n")
    f.write(f"    uint16_t {', '.join(numbers)};\n")
    f.write("".join(f"    const char *{k};\n" for k in texts))
    f.write("} s2_ike_traces[] = {\n")
    for t in TRACES:
        f.write("    {" + ",\n     ".join(f".{k} = {c_value(v)}" for k, v in t.items()) + "},\n")
    f.write("};\n\n#endif\n")
