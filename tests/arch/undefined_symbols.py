# SPDX-License-Identifier: Apache-2.0
"""The engines make no system call, read no clock and print nothing: what their
objects leave undefined is on the short list symbols.txt."""

import fnmatch
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from objects import compiled, plain_objects, tool  # noqa: E402
from say import read  # noqa: E402


def table():
    everywhere, rows = [], {}
    for line in read("tests/arch/symbols.txt").splitlines():
        words = line.split("#")[0].split()
        if words and words[0] == "*":
            everywhere += words[1:]
        elif words:
            rows.setdefault(words[0], []).extend(words[1:])
    return everywhere, rows


def undefined(path):
    """(object, symbol) of each undefined symbol."""
    where = path.name
    for line in tool("nm", "--undefined-only", str(path)).splitlines():
        if line.endswith(":"):
            where = line[:-1]
        elif line.split():
            yield where, line.split()[-1]


def problems(allowed, path):
    for where, symbol in undefined(path):
        if not symbol.startswith(("s2_", "s2svpn_")) and \
                not any(fnmatch.fnmatchcase(symbol, a) for a in allowed):
            yield f"{where}: {symbol}"


say, libraries = plain_objects("arch/undefined_symbols")
everywhere, rows = table()
for room, path in libraries.items():
    if room not in rows:
        say.check(f"{room} has a row in symbols.txt", ["it has none"])
    elif rows[room] != ["system"]:
        say.check(f"{room} calls nothing of the system",
                  problems(everywhere + rows[room], path))
probe = compiled("#include <time.h>\nlong f(void) { return (long)time(NULL); }\n")
say.check("a call of time() is found", [] if list(problems(everywhere, probe)) else ["it isn't"])
say.end()
