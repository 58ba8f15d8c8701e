# SPDX-License-Identifier: Apache-2.0
"""Reads the JSON and the JUnit report of s2svpn-gateway examine, says whether they agree, and

    examined.py JSON XML good                  whether nothing failed or was skipped
    examined.py JSON XML fails ID PATTERN      whether the first step that failed is ID, with a
                                               reason that the pattern is found in
    examined.py JSON XML runs COUNT            whether there were so many
"""

import json
import re
import sys
import xml.etree.ElementTree as ElementTree

KEYS = {
    "program": str, "version": str, "document": str, "connection": str, "result": str,
    "ended": (str, type(None)), "runs": int, "passed": int, "warned": int, "failed": int,
    "skipped": int, "seconds": float, "steps": list,
}
STEP_KEYS = {
    "run": int, "id": str, "step": str, "tunnel": (int, type(None)), "what": str, "verdict": str,
    "seconds": float, "reason": str,
}


def has_keys(value, keys):
    assert set(value) == set(keys), f"keys {sorted(value)}"
    for key, kind in keys.items():
        assert isinstance(value[key], kind), f"{key} is {value[key]!r}"


def agree(report, root):
    has_keys(report, KEYS)
    for step in report["steps"]:
        has_keys(step, STEP_KEYS)
    cases = list(root.iter("testcase"))
    assert [c.get("name") for c in cases] == [s["id"] for s in report["steps"]]
    for case, step in zip(cases, report["steps"]):
        failure, skipped = case.find("failure"), case.find("skipped")
        assert (failure is not None) == (step["verdict"] == "fail"), step
        assert (skipped is not None) == (step["verdict"] == "skip"), step
        if failure is not None:
            assert failure.get("message") == step["reason"], step
        assert step["reason"] in case.find("system-out").text, step
    assert int(root.get("tests")) == len(cases)
    assert int(root.get("failures")) == report["failed"]
    assert int(root.get("skipped")) == report["skipped"]
    counted = [sum(s["verdict"] == v for s in report["steps"])
               for v in ("pass", "warn", "fail", "skip")]
    assert counted == [report[k] for k in ("passed", "warned", "failed", "skipped")]


def main(json_path, xml_path, check, *args):
    with open(json_path, encoding="utf-8") as file:
        report = json.load(file)
    agree(report, ElementTree.parse(xml_path).getroot())
    bad = [s for s in report["steps"] if s["verdict"] == "fail"]
    if check == "good":
        left = [s for s in report["steps"] if s["verdict"] not in ("pass", "warn")]
        assert not left and report["result"] == "pass", left
    elif check == "fails":
        assert bad and report["result"] == "fail", report["steps"]
        assert bad[0]["id"] == args[0], bad[0]
        assert re.search(args[1], bad[0]["reason"]), bad[0]
    elif check == "runs":
        assert report["runs"] == int(args[0]), report["runs"]
    else:
        raise SystemExit(f"no check {check}")


main(*sys.argv[1:])
