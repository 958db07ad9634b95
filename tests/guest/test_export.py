# SPDX-License-Identifier: GPL-2.0-only
"""Exports of a recording, read back by others' decoders and compared with each other."""

import subprocess
from pathlib import Path

from . import export, timeline, vm
from .registry import Context, Findings, test

MADE = vm.ROOT / "build/export-made"
CALLS = 12000


def make_exports(context: Context) -> dict[str, Path]:
    context.dir.mkdir(parents=True, exist_ok=True)
    subprocess.run(["make", "-s", "-C", vm.ROOT, str(MADE.relative_to(vm.ROOT))], check=True)
    found = {}
    for name, argv in (("jsonl", ["jsonl"]), ("perfetto", ["perfetto"]), ("calls", ["csv"]),
                       *((w, ["csv", w]) for w in ("sessions", "pools", "events"))):
        found[name] = context.dir / f"made.{name}"
        with found[name].open("wb") as out:
            subprocess.run([MADE, str(CALLS), *argv], stdout=out, check=True)
    return found


@test()
def export_made(context: Context) -> None:
    """Calls that never were, with every oddity: needs no guest."""
    exports = make_exports(context)
    findings = Findings()
    said = export.lines(exports["jsonl"])
    drawn = timeline.load(exports["perfetto"], context.dir)
    findings.true(f"{len(said['call'])} calls are no test", len(said["call"]) >= CALLS)
    findings.equal("hosts", len(said["host"]), 1)
    export.check_order(findings, exports["jsonl"])
    export.check_csv(findings, export.rows(exports["calls"]), said["call"])
    export.check_timeline(findings, drawn, said, 0, 3)
    export.check_sums(findings, said["call"])
    for call in said["call"]:
        if call["session"] != (call["serial"] and call["serial"] + 9):
            findings.add(f"a call has lost its session: {call}")
            break
    findings.true("the table of names never was full: this is no test", drawn.clears > 1)
    findings.true("no call was nested", any(c["nested"] for c in said["call"]))
    findings.true("no call began before the first snapshot's second",
                  said["call"][0]["start_ns"] < said["host"][0]["mono_ns"] + 10**8)
    findings.equal("rows of sessions", len(export.rows(exports["sessions"])),
                   sum(len(s["sessions"]) for s in said["snapshot"]))
    findings.equal("rows of pools", len(export.rows(exports["pools"])), len(said["snapshot"]))
    findings.equal("rows of events", [(r["condition"], r["state"], int(r["mono_ns"]))
                                      for r in export.rows(exports["events"])],
                   [(e["condition"], e["state"], e["mono_ns"]) for e in said["event"]])
    findings.done()
