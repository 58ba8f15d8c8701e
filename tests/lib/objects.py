# SPDX-License-Identifier: Apache-2.0
"""The rooms' libraries as they were built, for the tests that read objects."""

import subprocess

from say import BUILD, Say, variable


def libraries():
    """Room ("ike", "io/sim", "store/sqlite") to its archive of objects."""
    found = {}
    for la in sorted((BUILD / "lib").rglob("lib*.la")):
        folder = la.parent.relative_to(BUILD / "lib")
        if str(folder) == "." or ".libs" in folder.parts:
            continue  # the two libraries themselves; libtool's own links
        name = la.stem[len("lib"):]
        room = str(folder) if folder.name == name else f"{folder}/{name}"
        found[room] = la.parent / ".libs" / (la.stem + ".a")
        if not found[room].exists():
            found[room] = la.with_suffix(".a")
    return found


def tool(*args):
    return subprocess.run(args, capture_output=True, text=True, check=True).stdout


def plain_objects(suite):
    """A Say and the libraries; ends at once, skipped, when the objects hold a
    sanitizer's or gcov's own symbols."""
    say = Say(suite)
    if variable("INSTRUMENT_FLAGS"):
        say.skip("objects are as written", "built with a sanitizer or for coverage")
        say.end()
    return say, libraries()


def compiled(source, flags=()):
    """nm's or readelf's food: an object made of a few lines of C."""
    path = BUILD / "arch-probe.o"
    subprocess.run([*variable("CC").split(), "-c", "-x", "c", *flags, "-o", str(path), "-"],
                   input=source, text=True, check=True)
    return path
