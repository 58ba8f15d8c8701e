# SPDX-License-Identifier: Apache-2.0
"""Every #include line is an arrow that arrows.txt draws."""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from say import SRC, Say, read, sources  # noqa: E402

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"][^>"]+[>"])', re.MULTILINE)
TYPES = {"s2svpn/types.h", "s2svpn/error.h", "s2svpn/drop.h", "s2svpn/version.h"}
C = {f"<{name}.h>" for name in ("inttypes", "limits", "stdalign", "stdarg", "stdatomic",
                                "stdbool", "stddef", "stdint", "string")}
TREES = ("include", "examples", "bindings")


def table():
    rows = {}
    for line in read("tests/arch/arrows.txt").splitlines():
        name, *may = line.split("#")[0].split() or [None]
        if name:
            rows[name] = may
    return rows


def place(path):
    """The name that the table knows a file by: its path below lib/ or its tree."""
    parts = path.parts
    return "/".join(parts[1:] if parts[0] == "lib" else parts)


def row_of(rows, name):
    """The table's longest row that is the name or a folder above it."""
    while name and name not in rows:
        name = name.rpartition("/")[0]
    return name


def allowed(may, room, what):
    if what[0] == "<":
        return what in may or "<*>" in may or ("C" in may and what in C)
    target = what[1:-1]
    if ".." in target.split("/") or target.startswith("/"):
        return False
    if target.startswith("s2svpn/"):
        return "public" in may or ("types" in may and target in TYPES) \
            or target[len("s2svpn/"):] in may
    if room in TREES:
        # beside the file itself, or from the tree's root
        return room != "include" and ("/" not in target or (SRC / room / target).exists())
    return target.split("/")[0] == room or target.split("/")[0] in may


def problems(rows, path, text):
    name = place(path)
    row = row_of(rows, name)
    if not row:
        yield f"{path}: its room has no row in tests/arch/arrows.txt"
        return
    room = name.split("/")[0]
    for m in INCLUDE.finditer(text):
        if not allowed(rows[row], room, m.group(1)):
            line = text.count("\n", 0, m.start(1)) + 1
            yield f"{path}:{line}: {m.group(1)} is not an arrow of \"{row}\""


def first_include(path, text):
    """A .c includes its own header first, if there is one."""
    header = path.with_suffix(".h")
    first = INCLUDE.search(text)
    if (SRC / header).exists() and (first is None or first.group(1) != f'"{place(header)}"'):
        yield f"{path}: its own header comes first"


say = Say("arch/arrows")
rows = table()
files = sources("lib/*.[ch]", "include/*.h", "examples/*.[ch]", "bindings/*.[chi]")
say.check("every include is an arrow of the design",
          [p for f in files for p in problems(rows, f, read(f))])
say.check("a source includes its own header first",
          [p for f in files if f.suffix == ".c" and f.parts[0] == "lib"
           for p in first_include(f, read(f))])

wrong = {
    "lib/ike/a.c": '#include "esp/esp.h"\n',
    "lib/bgp/a.c": '#include "s2svpn/crypto.h"\n',
    "lib/inet/a.c": "#include <sys/socket.h>\n",
    "lib/io/a.c": '#include "base/reader.h"\n',
    "lib/store/sqlite.c": '#include "base/hash.h"\n',
    "lib/config/a.c": "#include <expat.h>\n",
    "lib/esp/b.c": '#include "../ike/ike.h"\n',
    "examples/a.c": '#include "base/text.h"\n',
    "lib/unheard_of/a.c": "",
}
say.check("a forbidden arrow is found",
          [f"{name}: {text.strip()} passed" for name, text in wrong.items()
           if not list(problems(rows, pathlib.PurePath(name), text))])
say.end()
