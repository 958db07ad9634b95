# SPDX-License-Identifier: GPL-2.0-only
"""Exports of a recording, read back by others' decoders and compared with each other."""

import shlex
import subprocess
from collections import Counter, defaultdict
from pathlib import Path
from typing import Sequence

from ..lib import account, export, native, timeline, vm
from ..queue import test_contended
from ..lib.registry import Context, Findings, test

CALLS = 12000


def make_exports(context: Context) -> dict[str, Path]:
    context.dir.mkdir(parents=True, exist_ok=True)
    maker = native.maker("export-made")
    found = {}
    for name, argv in (("jsonl", ["jsonl"]), ("perfetto", ["perfetto"]), ("calls", ["csv"]),
                       *((w, ["csv", w]) for w in ("sessions", "pools", "events"))):
        found[name] = context.dir / f"made.{name}"
        with found[name].open("wb") as out:
            subprocess.run([maker, str(CALLS), *argv], stdout=out, check=True)
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


RECORD = r"""
optee-load -r 0 -o /dev/null 'name=hold count=2 wait=500' \
	'name=many ta=invoke_tests threads=14 at=100 nop' || die "the first optee-load failed"
optee-top record /tmp/rec 2>/tmp/rec.err &
TOP=$!
wait_for 60 test -s /tmp/rec
optee-load -o /tmp/load %s || die "optee-load failed"
kill -TERM $TOP
wait $TOP || die "optee-top record ended with status $?: $(cat /tmp/rec.err)"
export_as() { # NAME OPTION...
	name=$1; shift
	optee-top export --strict --output /tmp/$name /tmp/rec "$@" || die "export $name: status $?"
	optee-top export /tmp/rec "$@" | cmp - /tmp/$name || die "$name is another on standard output"
}
export_as jsonl --format jsonl
export_as calls --format csv
export_as sessions --format csv --what sessions
export_as pools --format csv --what pools
export_as events --format csv --what events
export_as perfetto --format perfetto
says() { # STATUS TEXT COMMAND...: one line with TEXT, and nothing on standard output
	want=$1 text=$2; shift 2
	"$@" >/tmp/said.out 2>/tmp/said.err </dev/null
	status=$?
	[ $status = $want ] || die "$*: status $status"
	[ "$(wc -l </tmp/said.err)" = 1 ] || die "$*: says $(cat /tmp/said.err)"
	grep -q "$text" /tmp/said.err || die "$*: says $(cat /tmp/said.err)"
	[ ! -s /tmp/said.out ] || die "$*: has output"
}
says 2 "needs a format" optee-top export /tmp/rec
says 2 "no format 'xml'" optee-top export /tmp/rec --format xml
says 2 "no FILE" optee-top export --format csv
says 2 "no table 'x'" optee-top export /tmp/rec --format csv --what x
says 1 "cannot read '/tmp/none'" optee-top export /tmp/none --format csv
says 1 "'/nowhere/x': No such file" optee-top export /tmp/rec --format csv --output /nowhere/x
says 1 "'/dev/full': No space left" optee-top export /tmp/rec --format csv --output /dev/full
says 1 "standard output: No space" sh -c 'exec optee-top export /tmp/rec --format jsonl >/dev/full'
mkdir /tmp/small && mount -t tmpfs -o size=16k none /tmp/small || die "no small file system"
echo old >/tmp/small/out
says 1 "'/tmp/small/out': No space left" \
	optee-top export /tmp/rec --format jsonl --output /tmp/small/out
[ "$(ls /tmp/small) $(cat /tmp/small/out)" = "out old" ] || die "left: $(ls /tmp/small)"
{ optee-top export /tmp/rec --format jsonl; echo $? >/tmp/head.status; } 2>/tmp/head.err | head -1 >/dev/null
[ "$(cat /tmp/head.status; cat /tmp/head.err)" = 0 ] || die "a closed pipe: $(cat /tmp/head.*)"
"""
FILES = ("load", "rec", "jsonl", "calls", "sessions", "pools", "events", "perfetto")


def find(calls: Sequence[export.Line], one: account.Call) -> Sequence[export.Line]:
    return [c for c in calls if c["cmd"] == one.op and one.end is not None
            and one.start <= c["start_ns"] and c["mono_ns"] <= one.end]


def check_account(findings: Findings, calls: Sequence[export.Line],
                  load: account.Account, least: int = 100) -> None:
    """Each call that a client says it made is there once, inside of what it measured."""
    by_tid: dict[int, list[export.Line]] = defaultdict(list)
    for call in calls:
        by_tid[call["tid"]].append(call)
    seen = 0
    for one in load.calls:
        found = find(by_tid[one.tid], one)
        if len(found) != 1:
            findings.add(f"{one} was exported {len(found)} times: {found}")
            continue
        seen += 1
        call, = found
        have = call["pid"], call["result"] != 0
        findings.equal(f"pid and failure of {one}", have, (one.pid, one.failed))
        if one.ordinal is not None and not one.failed:
            findings.equal(f"session and client of {one}", (call["session"], call["client"]),
                           (one.session, one.client))
    # Of the driver's own accord it only registers memory and reaps notifications.
    others = Counter(c["cmd"] for c in calls)
    others.subtract(Counter(c.op for c in load.calls))
    findings.true(f"calls that nobody made: {others}", not any(
        n for cmd, n in others.items() if cmd in ("open", "invoke", "close", "cancel")))
    findings.true(f"{seen} calls are no test", seen > least)


@test()
def export_contended(context: Context) -> None:
    """What was recorded under load, against what the clients say they did."""
    words = " ".join(map(shlex.quote, test_contended.EIGHT))
    guest = vm.run(context, RECORD % words, "--icount", gets=FILES, seconds=300)
    findings = Findings()
    said = export.lines(guest.files["jsonl"])
    calls = said["call"]
    check_account(findings, calls, account.load(guest.files["load"]))
    drawn = timeline.load(guest.files["perfetto"], context.dir)
    export.check_order(findings, guest.files["jsonl"])
    export.check_sums(findings, calls)
    export.check_csv(findings, export.rows(guest.files["calls"]), calls)
    export.check_timeline(findings, drawn, said, 0, 2)
    findings.true("nobody ever waited: this is no test", sum(c["waited"] for c in calls) >= 10)
    totals = said["snapshot"][-1]["pools"][0]["class_sums"]
    before = [c for c in calls if c["mono_ns"] <= said["snapshot"][-1]["mono_ns"]]
    findings.true(f"{len(before)} calls before the last snapshot, which has {totals}",
                  abs(len(before) - sum(t["calls"] for t in totals.values())) <= 1)
    findings.done()


@test()
def export_since_is_too_late(context: Context) -> None:
    """Nothing of an old recording is that recent: it says so, and when it ends."""
    findings = Findings()
    for since, said in ("5s", True), ("2026-11-22T23:39:19Z", True), ("2026-11-22T23:39:10Z", False):
        done = native.run("export", native.RECORDING, "--format", "csv", "--since", since)
        findings.equal(f"--since {since}: status", done.status, 0)
        findings.equal(f"--since {since}: only the head line", done.out.count(b"\n") == 1, said)
        findings.equal(f"--since {since}: said", done.err, said * (
            "optee-top: nothing is as recent as '--since' asks for: the recording ends at "
            "2026-11-22T23:39:18.078778Z\n"))
    findings.done()
