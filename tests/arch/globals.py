# SPDX-License-Identifier: Apache-2.0
"""In the static libraries internal names meet the host's: every global symbol
begins with s2_ or s2svpn_, and no name is defined twice."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from objects import compiled, plain_objects, tool  # noqa: E402


def defined(path):
    for line in tool("nm", "-g", "--defined-only", str(path)).splitlines():
        words = line.split()
        if len(words) == 3:
            yield words[2]


def problems(path):
    return [name for name in defined(path) if not name.startswith(("s2_", "s2svpn_"))]


say, libraries = plain_objects("arch/globals")
owners = {}
for room, path in libraries.items():
    say.check(f"{room}'s globals begin with s2_ or s2svpn_", problems(path))
    for name in defined(path):
        owners.setdefault(name, []).append(room)
say.check("no global is defined twice",
          [f"{name}: {', '.join(rooms)}" for name, rooms in owners.items() if len(rooms) > 1])
say.check("another name is found",
          [] if problems(compiled("int helper(void) { return 1; }\n")) else ["it isn't"])
say.end()
