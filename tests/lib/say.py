# SPDX-License-Identifier: Apache-2.0
"""For test scripts in Python: prints the lines that tests/run counts, and knows
where the source and the build are (S2_SRC, S2_BUILD)."""

import fnmatch
import functools
import os
import pathlib
import subprocess
import sys

SRC = pathlib.Path(os.environ.get("S2_SRC") or pathlib.Path(__file__).resolve().parents[2])
BUILD = pathlib.Path(os.environ.get("S2_BUILD") or SRC / ".build" / "main")


class Say:
    """Counts and prints; end() exits."""

    def __init__(self, suite):
        self.suite = suite
        self.passed = self.failed = self.skipped = 0

    def check(self, name, problems):
        """ok if the list of problems is empty; else it is printed."""
        problems = list(problems)
        if problems:
            self.failed += 1
            print(f"not ok {self.suite}: {name}")
            for problem in problems[:60]:
                print(f"  {problem}")
            if len(problems) > 60:
                print(f"  and {len(problems) - 60} more")
        else:
            self.passed += 1
            print(f"ok {self.suite}: {name}")

    def skip(self, name, why):
        self.skipped += 1
        print(f"skip {self.suite}: {name} ({why})")

    def end(self):
        print(f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped")
        sys.exit(1 if self.failed else 0 if self.passed else 77)


@functools.cache
def listed():
    """Every file that git knows or would add; in a released tree without git,
    what is there."""
    git = ["git", "-c", "safe.directory=*", "-C", str(SRC), "ls-files", "-z"]
    try:
        if not (SRC / ".git").exists():
            raise OSError
        names = subprocess.run(git + ["-c", "-o", "--exclude-standard"],
                               capture_output=True, check=True).stdout.decode().split("\0")
    except (OSError, subprocess.CalledProcessError):
        names = [str(p.relative_to(SRC))
                 for top in ("lib", "include", "bindings", "examples", "tests", "man")
                 for p in (SRC / top).rglob("*") if "__pycache__" not in p.parts]
    return [name for name in sorted(set(names)) if name and (SRC / name).is_file()]


def sources(*patterns):
    """The project's files that match a pattern (of fnmatch: "lib/*.c" is the whole
    tree below lib), as paths relative to the top."""
    return [pathlib.PurePath(name) for name in listed()
            if any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)]


@functools.cache
def read(path):
    return (SRC / path).read_text(encoding="utf-8", errors="replace")


def variable(name):
    """A variable of the build's Makefile, as configure set it."""
    for line in (BUILD / "Makefile").read_text().splitlines():
        if line.startswith(name + " ="):
            return line.partition("=")[2].strip()
    return ""
