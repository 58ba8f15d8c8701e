# SPDX-License-Identifier: Apache-2.0
"""tunnel_log.py FILE WORDS...: every line is JSON with the fields of AWS's tunnel logs, times
don't go back, and lines whose details hold the words come in this order. Prints what is wrong."""
import json
import re
import sys

STATES = {"down", "negotiating", "established", "rekeying"}
IKE = ["event_timestamp", "timestamp", "details", "dpd_enabled", "nat_t_detected",
       "ike_phase1_state", "ike_phase2_state"]
BGP = ["resource_id", "event_timestamp", "timestamp", "type", "status", "message"]
ROUTE = {"prefix", "asPath", "localPref", "med", "nextHopIp", "weight", "details"}
STATUS = {"BGPStatus": {"UP", "DOWN"}, "RouteStatus": {"ADVERTISED", "UPDATED", "WITHDRAWN"}}


def check(line):
    """The words of a line; fails if it hasn't the form."""
    record = json.loads(line)
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z", record["timestamp"])
    if "resource_id" not in record:
        assert list(record) == IKE, "other fields"
        assert record["dpd_enabled"] in (True, False) and record["nat_t_detected"] in (True, False)
        assert {record["ike_phase1_state"], record["ike_phase2_state"]} <= STATES
        return record["event_timestamp"], record["details"]
    assert list(record) == BGP, "other fields"
    assert record["status"] in STATUS[record["type"]]
    message = record["message"]
    if record["type"] == "BGPStatus":
        assert list(message) == ["details"]
        return record["event_timestamp"], record["status"] + ": " + message["details"]
    assert {"prefix", "nextHopIp"} <= set(message) <= ROUTE
    return record["event_timestamp"], record["status"] + ": " + message["prefix"]


def main(path, *wanted):
    last, left = 0, list(wanted)
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            try:
                at, words = check(line)
                assert at >= last, "time goes back"
            except (ValueError, KeyError, AssertionError) as why:
                return f"{path}:{number}: {why!r}: {line}"
            last = at
            if left and left[0] in words:
                left.pop(0)
    return f'{path}: no line says "{left[0]}" behind those before' if left else 0


sys.exit(main(*sys.argv[1:]))
