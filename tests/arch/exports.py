# SPDX-License-Identifier: Apache-2.0
"""What a library exports is what its headers declare: S2SVPN_API declarations,
the export map and the dynamic symbols are the same names. The headers that
belong to the host library say so in host_headers below. With --write the maps
are made anew from the headers."""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from objects import tool  # noqa: E402
from say import BUILD, SRC, Say, read, sources  # noqa: E402

NODE = "S2SVPN_0"
host_headers = {"host.h", "sqlite.h"}


def declared(text):
    """Names of the functions that S2SVPN_API exports."""
    text = re.sub(r"/\*.*?\*/|//[^\n]*|^[ \t]*#(?:[^\n]*\\\n)*[^\n]*", " ", text,
                  flags=re.DOTALL | re.MULTILINE)
    names = []
    for declaration in re.findall(r"\bS2SVPN_API\b([^;{]*)", text):
        # The name stands before the first parenthesis that isn't an attribute's.
        declaration = re.sub(r"\bS2SVPN_(?:PRINTF|DEPRECATED)\s*\([^)]*\)", " ", declaration)
        m = re.search(r"\b(s2svpn_[a-z0-9_]+)\s*(?:\(|\[|$)", declaration)
        names.append(m.group(1) if m else f"unreadable: {declaration.strip()[:60]}")
    return names


def from_headers():
    """The two libraries' names, and what is wrong with the headers."""
    names = {"libs2svpn": set(), "libs2svpn-host": set()}
    wrong = []
    for header in sources("include/s2svpn/*.h"):
        library = "libs2svpn-host" if header.name in host_headers else "libs2svpn"
        for name in declared(read(header)):
            if name.startswith("unreadable"):
                wrong.append(f"{header}: {name}")
            elif name in names[library]:
                wrong.append(f"{header}: {name} is declared twice")
            names[library].add(name)
    return names, wrong


def from_map(text):
    return re.findall(r"^\s*(s2svpn_[a-z0-9_]+);$", text, flags=re.MULTILINE)


def map_text(names):
    lines = "".join(f"    {name};\n" for name in sorted(names))
    scope = f"global:\n{lines}" if names else ""
    return f"/* SPDX-License-Identifier: Apache-2.0 */\n{NODE} {{\n{scope}local:\n    *;\n}};\n"


def differences(left, right, left_name, right_name):
    for name in sorted(set(left) - set(right)):
        yield f"{name}: in {left_name}, not in {right_name}"
    for name in sorted(set(right) - set(left)):
        yield f"{name}: in {right_name}, not in {left_name}"


names, wrong = from_headers()
if sys.argv[1:] == ["--write"]:
    for library, wanted in names.items():
        (SRC / "lib" / f"{library}.map").write_text(map_text(wanted))
    sys.exit(0)

say = Say("arch/exports")
say.check("every exported declaration can be read", wrong)
for library, wanted in names.items():
    listed = from_map(read(f"lib/{library}.map"))
    say.check(f"{library}.map names what the headers declare",
              differences(wanted, listed, "the headers", "the map"))
    say.check(f"{library}.map is sorted", [] if listed == sorted(listed) else ["it isn't"])
    shared = BUILD / "lib" / ".libs" / f"{library}.so"
    if not shared.exists():
        say.skip(f"{library}.so exports what its map names", "no shared library in this build")
        continue
    dynamic = [line.split()[2].partition("@")[0]
               for line in tool("nm", "-D", "--defined-only", str(shared)).splitlines()
               if line.split()[1] != "A"]
    say.check(f"{library}.so exports what its map names",
              differences(listed, dynamic, "the map", "the library"))
example = """/* S2SVPN_API int s2svpn_no(void); */
#define S2SVPN_API x
S2SVPN_API S2SVPN_NODISCARD s2svpn_status
s2svpn_yes(const s2svpn_connection *c, int (*on)(int));
S2SVPN_API const char *s2svpn_also (void) S2SVPN_PRINTF(1, 2);
int s2svpn_hidden(void);
"""
say.check("declarations are read as meant",
          differences(declared(example), ["s2svpn_yes", "s2svpn_also"], "read", "meant"))
say.end()
