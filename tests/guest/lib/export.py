# SPDX-License-Identifier: GPL-2.0-only
"""The three exports of one recording say the same."""

import csv
import io
import json
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, Mapping, Sequence

from .registry import Findings
from .timeline import Slice, Timeline

Line = Mapping[str, Any]
TEXTS = ("ta", "client", "cmd", "class")
DRAWN = ("mono_ns", "start_ns", "hold_ns", "tee")
HEAD = ("schema", "ts", "boot_id", "type")


def lines(path: Path) -> Mapping[str, Sequence[Line]]:
    """The lines of a JSON export, by type."""
    found: dict[str, list[Line]] = defaultdict(list)
    for text in path.read_text("utf-8").splitlines():
        line = json.loads(text)
        found[line["type"]].append(line)
    return found


def rows(path: Path) -> Sequence[Mapping[str, str]]:
    raw = path.read_bytes()
    assert raw.count(b"\n") == raw.count(b"\r\n"), "a line does not end with CR LF"
    return list(csv.DictReader(io.StringIO(raw.decode(), newline="")))


def unguarded(text: str) -> str:
    return text[1:] if text.startswith("'") else text


def check_csv(findings: Findings, table: Sequence[Mapping[str, str]],
              calls: Sequence[Line]) -> None:
    findings.equal("rows of CSV", len(table), len(calls))
    for n, (row, call) in enumerate(zip(table, calls)):
        have: dict[str, Any] = {}
        for key, field in row.items():
            if not field:
                have[key] = None
            elif key in TEXTS:
                if field[0] in "=+-@":
                    findings.add(f"row {n}: {key} is {field!r}, a formula")
                have[key] = unguarded(field)
            elif key in ("waited", "nested", "late"):
                have[key] = field == "true"
            else:
                have[key] = field if key == "ts" else int(field)
        want = {k: v for k, v in call.items() if k == "ts" or k not in HEAD}
        if have != want:
            findings.equal(f"row {n} of CSV", have, want)
            return


def slice_name(call: Line) -> str:
    func = None if call["func"] is None else str(call["func"])
    return " ".join(filter(None, (call["cmd"], func, call["ta"])))


def notes_of(call: Line) -> Mapping[str, Any]:
    return {k: v for k, v in call.items()
            if v is not None and k not in HEAD and k not in DRAWN}


def told(name: str, category: str, start: Any, end: Any, notes: Mapping[str, Any]) -> Any:
    return name, category, start, end, tuple(sorted(notes.items()))


def has_slot(call: Line) -> bool:
    return bool(call["waited"] or call["limit_wait_ns"] > 0)


def check_holds(findings: Findings, holds: Sequence[Slice], calls: Sequence[Line]) -> None:
    have = Counter(told(s.name, s.category, s.start, s.end, s.notes) for s in holds)
    want = Counter(told(slice_name(c), c["class"], c["mono_ns"] - c["hold_ns"], c["mono_ns"],
                        notes_of(c)) for c in calls)
    for one in list((want - have).elements())[:3]:
        findings.add(f"a call has no slice: {one}")
    for one in list((have - want).elements())[:3]:
        findings.add(f"a slice is no call: {one}")


def check_waits(findings: Findings, timeline: Timeline, tee: int,
                calls: Sequence[Line]) -> Sequence[Slice]:
    waits = []
    have: Counter[Any] = Counter()
    want = Counter((f"({c['tid']})", slice_name(c), c["class"], c["start_ns"],
                    c["start_ns"] + c["wait_ns"]) for c in calls if has_slot(c))
    limits: Counter[Any] = Counter()
    for track in timeline.below(f"tee{tee} queue"):
        for s in track.slices:
            if s.depth == 0:
                have[track.name.split(" ")[-1], s.name, s.category, s.start, s.end] += 1
                waits.append(s)
            else:
                findings.equal("a wait's inner slice", s.name, "ETHREAD_LIMIT")
                limits[track.name.split(" ")[-1], s.start, s.end] += 1
    for one in list((want - have).elements())[:3]:
        findings.add(f"a wait has no slice: {one}")
    for one in list((have - want).elements())[:3]:
        findings.add(f"a slice is no wait: {one}")
    findings.equal("the waits after ETHREAD_LIMIT", limits, Counter(
        (f"({c['tid']})", c["start_ns"] + c["wait_ns"] - c["limit_wait_ns"],
         c["start_ns"] + c["wait_ns"]) for c in calls if c["limit_wait_ns"]))
    return waits


def check_arguments(findings: Findings, timeline: Timeline, tee: int,
                    said: Mapping[str, Sequence[Line]]) -> None:
    """Who waited for the argument cache: before a call, and after one."""
    have = Counter((track.name.split(" ")[-1], s.name, s.category, s.start, s.end)
                   for track in timeline.below(f"tee{tee} argument cache") for s in track.slices)
    want = Counter((f"({c['tid']})", "for an argument", c["class"],
                    c["start_ns"] - c["argument_ns"], c["start_ns"])
                   for c in said["call"] if c["tee"] == tee and c["argument_ns"])
    want += Counter((f"({r['tid']})", "to give an argument back", r["class"], r["start_ns"],
                     r["mono_ns"]) for r in said.get("release", []) if r["tee"] == tee)
    findings.equal("the waits for the argument cache", have, want)


def check_flows(findings: Findings, waits: Sequence[Slice], holds: Sequence[Slice]) -> None:
    """Each leads from a wait to the hold of the same call, which begins as it ends."""
    out = {s.flows_out[0]: s for s in waits if len(s.flows_out) == 1 and not s.flows_in}
    into = {s.flows_in[0]: s for s in holds if len(s.flows_in) == 1}
    findings.equal("waits with a flow of their own", len(out), len(waits))
    findings.equal("the flows that end", set(into), set(out))
    findings.true("a hold has a flow out of it", not any(s.flows_out for s in holds))
    for flow in set(into) & set(out):
        one, other = out[flow], into[flow]
        if (one.end, one.name, one.category) != (other.start, other.name, other.category):
            findings.add(f"flow {flow} leads from {one} to {other}")
            return


def episodes(events: Sequence[Line]) -> Counter[Any]:
    found: dict[Any, Any] = {}
    for e in events:
        key = e["tee"], e["condition"], e["episode"]
        ended = e["state"] == "end"
        found[key] = (e["condition"], e["episode"], e["since_ns"],
                      e["mono_ns"] if ended else None, e["peak"] if ended else None)
    return Counter(found.values())


def check_conditions(findings: Findings, timeline: Timeline, tee: int,
                     events: Sequence[Line]) -> None:
    have = Counter((s.name, s.notes["episode"], s.start, s.end, s.notes.get("peak"))
                   for track in timeline.below(f"tee{tee} conditions") for s in track.slices)
    findings.equal("the conditions drawn", have, episodes(events))
    why: dict[Any, str] = {}  # as it began
    for e in events:
        why.setdefault((e["condition"], e["episode"]), e["why"]["text"])
    for track in timeline.below(f"tee{tee} conditions"):
        findings.true(f"a slice of '{track.name}' is inside another",
                      not any(s.depth for s in track.slices))
        for s in track.slices:
            findings.equal(f"why of {s.name}", s.notes["why"], why.get((s.name, s.notes["episode"])))


def check_slots(findings: Findings, timeline: Timeline, tee: int, threads: int) -> Sequence[Slice]:
    tracks = timeline.named(f"tee{tee} thread slot ")
    findings.equal("thread slots", sorted(t.name for t in tracks),
                   [f"tee{tee} thread slot {n + 1}" for n in range(threads)])
    for track in tracks:
        findings.true(f"a hold of '{track.name}' is inside another",
                      not any(s.depth for s in track.slices))
    return [s for t in tracks for s in t.slices]


def check_counters(findings: Findings, timeline: Timeline, tee: int,
                   snapshots: Sequence[Line]) -> None:
    in_use, waiting = [], []
    for s in snapshots:
        pool = next(p for p in s["pools"] if p["tee"] == tee)
        in_use.append((s["mono_ns"], pool["in_use_normal"] + pool["in_use_system"]))
        waiting.append((s["mono_ns"], pool["waiting_normal"] + pool["waiting_system"]))
    for name, want in (("threads in use", in_use), ("waiting", waiting)):
        for track in timeline.named(f"tee{tee} {name}"):
            findings.equal(f"the counter '{name}'", track.counts, want)


def check_timeline(findings: Findings, timeline: Timeline, said: Mapping[str, Sequence[Line]],
                   tee: int, threads: int) -> None:
    calls = [c for c in said["call"] if c["tee"] == tee]
    holds = check_slots(findings, timeline, tee, threads)
    check_holds(findings, holds, calls)
    check_flows(findings, check_waits(findings, timeline, tee, calls), holds)
    check_arguments(findings, timeline, tee, said)
    check_conditions(findings, timeline, tee, [e for e in said["event"] if e["tee"] == tee])
    check_counters(findings, timeline, tee,
                   [s for s in said["snapshot"] if any(p["tee"] == tee for p in s["pools"])])


def check_sums(findings: Findings, calls: Sequence[Line]) -> None:
    for c in calls:
        if (c["mono_ns"] != c["start_ns"] + c["wait_ns"] + c["hold_ns"]
                or c["rpc_ns"] != c["hold_ns"] - c["secure_ns"]
                or c["limit_wait_ns"] > c["wait_ns"]):
            findings.add(f"the times of a call do not add up: {c}")
            return


def check_order(findings: Findings, path: Path) -> None:
    """Lines come in the order of time, between two snapshots at least."""
    at = 0
    for text in path.read_text("utf-8").splitlines():
        line = json.loads(text)
        if line["type"] == "snapshot":
            at = 0
        elif line["type"] != "host":
            findings.true(f"{line['type']} at {line['mono_ns']} comes after {at}",
                          line["mono_ns"] >= at)
            at = line["mono_ns"]
