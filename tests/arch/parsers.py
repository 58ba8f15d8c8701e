# SPDX-License-Identifier: Apache-2.0
"""Each parser has a fuzz target: parsers.txt names them for every source that
reads from the cursor or takes expat; the target is built and has seeds."""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from say import SRC, Say, read, sources  # noqa: E402

READS = re.compile(r"\bs2_read_(?:u8|u16|u24|u32|u64|copy|span|rest|skip|sub)\s*\(|#include <expat\.h>")

say = Say("arch/parsers")
rows = {}
for line in read("tests/arch/parsers.txt").splitlines():
    words = line.split("#")[0].split()
    if words:
        rows[words[0]] = words[1:]

say.check("every source that reads foreign bytes has a row in parsers.txt",
          [str(p) for p in sources("lib/*.c")
           if p.parts[1] != "base" and READS.search(read(p)) and str(p) not in rows])
say.check("every row's source is there",
          [f"{path} is not there" for path in rows if not (SRC / path).exists()])
fragment = read("tests/fuzz/fuzz.am")
wrong = []
targets = sorted({target for row in rows.values() for target in row})
for target in targets:
    corpus = SRC / "tests/fuzz/corpus" / target.removeprefix("fuzz_")
    if not (SRC / f"tests/fuzz/{target}.c").exists():
        wrong.append(f"tests/fuzz/{target}.c is not there")
    if not re.search(rf"\b{target}\b", fragment):
        wrong.append(f"{target} is not in tests/fuzz/fuzz.am")
    if not corpus.is_dir() or not any(corpus.iterdir()):
        wrong.append(f"{target} has no seeds in {corpus.relative_to(SRC)}")
say.check("every target is there, built and has seeds", wrong)
say.check("every target in the folder has a row",
          [f"{p.stem} has no row" for p in sources("tests/fuzz/fuzz_*.c")
           if p.stem not in targets])
say.end()
