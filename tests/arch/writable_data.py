# SPDX-License-Identifier: Apache-2.0
"""No mutable globals: no object of the libraries puts anything into .data, .bss
or thread-local storage. Constant tables of pointers (.data.rel.ro) are fine."""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from objects import compiled, plain_objects, tool  # noqa: E402

SECTION = re.compile(r"^\s*\[\s*\d+\]\s+(\.\S+)\s+\S+\s+[0-9a-f]+\s+[0-9a-f]+\s+([0-9a-f]+)")
WRITABLE = re.compile(r"^\.(data|bss|tdata|tbss|ldata|lbss)(\.(?!rel\.ro).*)?$")


def problems(path):
    where = path.name
    for line in tool("readelf", "-SW", str(path)).splitlines():
        if line.startswith("File:"):
            where = line.partition(":")[2].strip()
        m = SECTION.match(line)
        if m and WRITABLE.match(m.group(1)) and int(m.group(2), 16) > 0:
            yield f"{where}: {m.group(1)} has {int(m.group(2), 16)} bytes"
    for line in tool("nm", str(path)).splitlines():
        if re.search(r" [C] ", line):
            yield f"{where}: common symbol {line.split()[-1]}"


say, libraries = plain_objects("arch/writable_data")
for room, path in libraries.items():
    say.check(f"{room} has no writable data", problems(path))
for name, source in (("static int", "static int n; int f(void) { return n++; }\n"),
                     ("set static", "static int n = 1; int f(void) { return n++; }\n"),
                     ("thread's own", "static _Thread_local int n; int f(void) { return n++; }\n")):
    say.check(f"a {name} variable is found",
              [] if list(problems(compiled(source, ["-fPIC"]))) else ["it isn't"])
say.check("a constant table of pointers is fine",
          problems(compiled("static const char *const t[] = {\"a\", \"b\"};\n"
                            "const char *f(int i) { return t[i]; }\n", ["-fPIC"])))
say.end()
