# SPDX-License-Identifier: Apache-2.0
"""Rules that the text of the sources must keep: the licence line, no banned
function, no words of unfinished work, no blanks at the end of a line."""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from say import Say, read, sources  # noqa: E402

BANNED = re.compile(r"\b(strcpy|strcat|strncpy|strncat|sprintf|vsprintf|gets|atoi|atol|atoll|"
                    r"strtok|alloca|system|popen|mktemp|tmpnam|rand|srand)\s*\(")
BANNED_IN_LIBRARY = re.compile(r"\b([fv]?scanf|v?sscanf|strto[a-z]+|v?fprintf|v?printf|puts)\s*\(")
# A hash table's "key" is none of these.
ON_SECRETS = re.compile(r"\b(?:memcmp|strcmp|strncmp)\s*\([^;]*\b(?:\w+_key|key_\w+|keymat|"
                        r"\w*(?:psk|icv|secret|hmac|auth_data|password)\w*|sk_[adeipr]+)\b[^;]*\)")
UNFINISHED = re.compile(r"TODO|FIXME|XXX|not (?:yet )?implemented|\bstub\b|placeholder|\bfor now\b",
                        re.IGNORECASE)
SPDX = "SPDX-License-Identifier: Apache-2.0"


def code(text):
    """C without comments and the insides of strings, line breaks kept."""
    def blank(m):
        return re.sub(r"[^\n]", " ", m.group(0)) if m.group(0)[0] == "/" else '""'
    return re.sub(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])+\'', blank, text,
                  flags=re.DOTALL)


def hits(rule, path, text):
    for m in rule.finditer(text):
        line = text.count("\n", 0, m.start()) + 1
        yield f"{path}:{line}: {' '.join(m.group(0).split())[:80]}"


def licence(path, text):
    head = text.splitlines()[:2]
    where = 1 if head and head[0].startswith("#!") else 0
    if len(head) <= where or SPDX not in head[where]:
        yield f"{path}: its first line is not the SPDX line"


def is_script(path):
    return path.suffix == "" and path.parts[0] in (".ci", "bootstrap", "examples", "tests") \
        and read(path).startswith("#!")


say = Say("arch/text_rules")
c_files = sources("lib/*.[ch]", "include/*.h", "examples/*.[ch]", "bindings/*.[chi]")
test_files = sources("tests/*.[ch]")
licensed = c_files + test_files + sources(
    "*.am", "*.ac", "*.sh", "*.py", "*.map", "man/*.[0-9]", "tests/arch/*.txt")
licensed += [p for p in sources(".ci/*", "bootstrap", "examples/*", "tests/*") if is_script(p)]
say.check("every source begins with the SPDX line",
          [p for f in licensed for p in licence(f, read(f))])
say.check("no banned function is called",
          [h for f in c_files + test_files for h in hits(BANNED, f, code(read(f)))])
say.check("no library source scans or prints with stdio",
          [h for f in sources("lib/*.[ch]") for h in hits(BANNED_IN_LIBRARY, f, code(read(f)))])
say.check("secrets are not compared by memcmp or strcmp",
          [h for f in sources("lib/*.c") for h in hits(ON_SECRETS, f, code(read(f)))])
say.check("no word of unfinished work",
          [h for f in sources("lib/*", "include/*", "examples/*", "bindings/*")
           for h in hits(UNFINISHED, f, read(f))])
say.check("no blank ends a line",
          [h for f in licensed if f.parts[:2] != ("tests", "vectors")
           for h in hits(re.compile(r"[ \t]+$", re.MULTILINE), f, read(f))])

found = {
    "strcpy": hits(BANNED, "a.c", code("x = strcpy(a, b);")),
    "memcmp on a key": hits(ON_SECRETS, "a.c", code("if (memcmp(sa->auth_key, k, 4) == 0)")),
    "a word": hits(UNFINISHED, "a.c", "/* " + "to" + "do: later */"),
    "a missing licence": licence("a.c", "int x;\n"),
}
say.check("each rule can fail", [what for what, h in found.items() if not list(h)])
say.check("comments and strings are no code",
          hits(BANNED, "a.c", code('/* gets( */ f("gets("); // atoi(')))
say.end()
