# SPDX-License-Identifier: Apache-2.0
"""Makes a table of what the benchmarks printed, and with --check compares it with the
floors of those that ran: a floor whose figures are missing is not kept.

usage: table.py FILE
       table.py --check FILE NAME..."""

import sys

# benchmark, ratio, "at least" or "below", bound
FLOORS = [
    ("tunnel", "tunnel_s2svpn/tunnel_strongswan", "at least", 3.0),
    ("ike", "tunnel_rss_s2svpn/tunnel_rss_strongswan", "below", 1.0),
    ("ike", "ike_cpu_s2svpn_ecp256/ike_cpu_strongswan_ecp256", "below", 1.0),
    ("ike", "ike_cpu_s2svpn_curve25519/ike_cpu_strongswan_curve25519", "below", 1.0),
    ("ike", "ike_cpu_s2svpn_modp2048/ike_cpu_strongswan_modp2048", "below", 1.0),
    ("scale", "scale_rss/16_KiB", "below", 1.0),
    ("scale", "scale_again/120_s", "below", 1.0),
    ("scale", "scale_again_own/120_s", "below", 1.0),
]

# Of one row: what; then for each peer the name and the factor to the unit shown.
PEERS = ["bare", "s2svpn", "strongswan", "wireguard"]
ROWS = [
    ("one TCP stream, up, Gbit/s", "tunnel_{}_up", 1e-3, 2),
    ("one TCP stream, down, Gbit/s", "tunnel_{}_down", 1e-3, 2),
    ("four TCP streams, up, Gbit/s", "tunnel_{}_streams", 1e-3, 2),
    ("CPU of both ends, one stream up, s/GB", "tunnel_cpu_{}_up", 1, 1),
    ("CPU of both ends, one stream down, s/GB", "tunnel_cpu_{}_down", 1, 1),
    ("64-byte UDP payloads without loss, 1000/s", "tunnel_{}_packets", 1e-3, 0),
    ("CPU of both ends a packet, us", "tunnel_cpu_{}_packets", 1, 1),
    ("tunnels up and down a second, ECP-256", "ike_rate_{}_ecp256", 1, 0),
    ("responder's CPU each, ECP-256, ms", "ike_cpu_{}_ecp256", 1e-3, 2),
    ("tunnels up and down a second, Curve25519", "ike_rate_{}_curve25519", 1, 0),
    ("responder's CPU each, Curve25519, ms", "ike_cpu_{}_curve25519", 1e-3, 2),
    ("tunnels up and down a second, MODP-2048", "ike_rate_{}_modp2048", 1, 0),
    ("responder's CPU each, MODP-2048, ms", "ike_cpu_{}_modp2048", 1e-3, 2),
    ("resident memory a tunnel, KiB", "tunnel_rss_{}", 1, 1),
    ("the same with BGP, KiB", "tunnel_rss_{}_bgp", 1, 1),
    ("the same, of thousands, KiB", "scale_{}_rss", 1, 1),
    ("all of them up, s", "scale_{}_up", 1, 1),
    ("CPU of all of them, idle, percent", "scale_{}_idle", 1, 1),
    ("all up again, gateway restarted, s", "scale_{}_again", 1, 1),
    ("the same, started by the gateway, s", "scale_{}_again_own", 1, 1),
    ("the same, devices restarted, s", "scale_{}_devices", 1, 1),
]


def read_figures(lines):
    """Figures and ratios by name; the first of a name counts."""
    figures, ratios = {}, {}
    for line in lines:
        words = line.split()
        into = ratios if words[:1] == ["ratio"] else figures
        words = words[1:] if into is ratios else words
        try:
            into.setdefault(words[0], float(words[1]))
        except (IndexError, ValueError):
            continue
    return figures, ratios


def table(figures):
    rows = []
    for what, name, factor, digits in ROWS:
        cells = [figures.get(name.format(peer)) for peer in PEERS]
        if any(c is not None for c in cells):
            rows.append([what] + ["-" if c is None else f"{c * factor:.{digits}f}" for c in cells])
    return [["", *PEERS]] + rows if rows else []


def broken_floors(ratios, floors):
    for _, name, kind, bound in floors:
        value = ratios.get(name)
        if value is None:
            yield f"{name}: no figure; it must be {kind} {bound:g}"
        elif (value < bound) if kind == "at least" else (value >= bound):
            yield f"{name}: {value:g}; it must be {kind} {bound:g}"


def main(arguments):
    check = arguments[:1] == ["--check"]
    path, names = arguments[check], arguments[check + 1:]
    with open(path, encoding="utf-8") as f:
        figures, ratios = read_figures(f)
    rows = table(figures)
    if rows:
        print("\n# in one table")
    for row in rows:
        print("| " + row[0].ljust(43) + "".join(f" | {c:>10}" for c in row[1:]) + " |")
        if row is rows[0]:
            print("|" + "-" * 45 + "|-----------:" * len(PEERS) + "|")
    if not check:
        return 0
    floors = [f for f in FLOORS if f[0] in names]
    broken = list(broken_floors(ratios, floors))
    print("\n# floors")
    for line in broken:
        print("not kept: " + line)
    print(f"{len(floors) - len(broken)} of {len(floors)} floors are kept")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
