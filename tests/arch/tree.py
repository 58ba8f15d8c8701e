# SPDX-License-Identifier: Apache-2.0
"""The tree: nothing at the top level but what belongs there, every fragment and
public header is known to the build, every test to its room's program, one version."""

import pathlib
import re
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "lib"))
from say import SRC, Say, read, sources  # noqa: E402

TOP = {"configure.ac", "Makefile.am", "README.md", "LICENSE", "bootstrap",
       "lib", "include", "bindings", "examples", "tests", "man"}

say = Say("arch/tree")
if (SRC / ".git").exists():
    say.check("the top level holds what belongs there and no more",
              sorted({p.parts[0] for p in sources("*")
                      if p.parts[0] not in TOP and not p.parts[0].startswith(".")}))
build = read("Makefile.am") + "".join(read(p) for p in sources("*.am"))
say.check("every fragment is included",
          [str(p) for p in sources("lib/*.am", "tests/*.am", "examples/*.am", "man/*.am",
                                   "bindings/*.am") if f"include $(srcdir)/{p}" not in build])
say.check("every public header is installed",
          [str(p) for p in sources("include/s2svpn/*.h")
           if not re.search(rf"\b{re.escape(str(p))}\b", build)])
def listed_in(p, fragment):
    """A fragment names a source by %D% or from the top; a program of one source
    may be named alone."""
    below = re.escape(str(p.relative_to(fragment.parent).with_suffix("")))
    where = rf"(?:%D%|{re.escape(str(fragment.parent))})"
    return re.search(rf"{where}/{below}(?:\{p.suffix}(?![\w.])|(?=\s))", read(fragment))


fragments = sources("*.am")
unlisted = [p for p in sources("lib/*.[ch]", "tests/unit/*.[ch]", "tests/sim/*.[ch]",
                               "tests/fuzz/*.[ch]", "tests/bench/*.[ch]", "examples/*.[ch]")
            if str(p) not in build and not any(listed_in(p, a) for a in fragments
                                               if a.parent in p.parents)]
say.check("every source is listed in a fragment", unlisted)
suites = sources("tests/unit/*.c")
say.check("every suite of a unit test is run by a program of its room",
          [f"{p}: {name}" for p in suites
           for name in re.findall(r"^(?:static )?const CU_TestInfo (\w+)\[\]", read(p), re.MULTILINE)
           if not any(re.search(rf"\.tests = {name}\b|[{{,]\s*{name}\s*}}", read(q))
                      for q in suites if q.parent == p.parent)])
say.check("every man page is installed",
          [str(p) for p in sources("man/*.[0-9]") if f"%D%/{p.name}" not in read("man/man.am")])
version = re.search(r'define S2SVPN_VERSION "([^"]+)"', read("include/s2svpn/version.h")).group(1)
say.check("version.h and configure.ac name one version",
          [] if f"AC_INIT([libs2svpn], [{version}])" in read("configure.ac") else [version])
say.end()
