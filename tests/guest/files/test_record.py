# SPDX-License-Identifier: GPL-2.0-only
"""Recordings of the real driver: what is in the file is what was seen, whatever befell
the recorder."""

import json
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any, Mapping, Sequence

from ..lib import account, export, frames, native, recfile, vm
from . import test_export
from ..queue import test_driver
from ..lib.registry import Context, Failed, Findings, test
from ..lib.cases import FAILURE, RUN, Case, Result, check_case, results

# The first two keep the threads busy; when they are done the other three make a strand.
LOAD = r"""
load() { # FILE
	optee-load -o $1 'name=N count=2 ta=invoke_tests repeat=100 nop gap=3..10' \
		'name=S sessions=0 ta=invoke_tests repeat=4 gap=50 open nop nop close' \
		'name=A at=5000 wait=2500' 'name=B at=5020 wait=800' 'name=C at=5300 wait=100' ||
		die "optee-load failed"
}
"""

# The recorder prints what it writes down; so it is known what the file has to give.
SAME = LOAD + r"""
exec 9<>/dev/tee0
recorded() { # NAME OPTION...: such frames and a recording of one load
	name=$1; shift
	optee-top -d 0.5 "$@" record /tmp/$name.rec >/tmp/$name.live 2>/tmp/$name.err &
	TOP=$!
	wait_for 60 test -s /tmp/$name.live
	load /tmp/$name.load
	sleep 2
	kill -TERM $TOP
	wait $TOP || die "record ended with status $?: $(cat /tmp/$name.err)"
	[ ! -s /tmp/$name.err ] || die "record says: $(cat /tmp/$name.err)"
	for user in root nobody; do
		chmod o+r /tmp/$name.rec
		su $user -s /bin/sh -c "optee-top replay /tmp/$name.rec $1" >/tmp/$name.replay ||
			die "replay $name: status $?"
		cmp /tmp/$name.live /tmp/$name.replay || die "$name: $user is shown something else"
	done
}
recorded json --json
recorded batch -b
recorded compressed --json --compress
optee-top record - --duration 1.5 -d 0.5 | optee-top replay - --json >/tmp/piped.jsonl ||
	die "replay from a pipe: status $?"
optee-top record -b -n 1 - 2>/tmp/frames.err && die "frames and a recording to one output"
[ "$(wc -l </tmp/frames.err)" = 1 ] || die "it says $(cat /tmp/frames.err)"
"""
SAME_FILES = tuple(f"{name}.{kind}" for name in ("json", "batch", "compressed")
                   for kind in ("rec", "live", "load"))


def host_replay(findings: Findings, what: str, rec: Path, live: bytes, *options: str) -> None:
    """The host shows what the guest has shown."""
    done = native.run("replay", rec, *options)
    findings.equal(f"{what}: status and words of the host", (done.status, done.err), (0, ""))
    findings.true(f"{what}: the host shows something else", done.out == live)


def check_events(findings: Findings, what: str, rec: Path, seen: Sequence[frames.Object]) -> None:
    """`replay F events` has the events of the frames, in their order."""
    lines = frames.parse(native.run("replay", rec, "events", "--json").out)
    inside = [e for f in seen for e in f["events"]]
    have = [{key: line.get(key) for key in event} for line, event in zip(lines, inside)]
    findings.equal(f"{what}: number of events", len(lines), len(inside))
    findings.true(f"{what}: replayed events are not those of the frames", have == inside)
    kinds = Counter(e["condition"] for e in inside)
    findings.true(f"{what}: no test without strands and exhaustion: {kinds}",
                  kinds["stranded"] >= 2 and kinds["exhausted"] >= 2)


def exported(context: Context, rec: Path) -> Mapping[str, Sequence[export.Line]]:
    into = context.dir / f"{rec.stem}.jsonl"
    done = native.run("export", "--format", "jsonl", "--output", into, rec)
    if done.status:
        raise Failed(f"export of {rec}: status {done.status}: {done.err}")
    return export.lines(into)


def sums_of(calls: Sequence[export.Line],
            releases: Sequence[export.Line] = ()) -> Mapping[str, int]:
    return {
        "calls": len(calls),
        "failed": sum(c["result"] != 0 for c in calls),
        "waited": sum(c["waited"] for c in calls),
        "waited_late": sum(c["waited"] and c["late"] for c in calls),
        "wait_ns": sum(c["wait_ns"] for c in calls),
        "wait_longest_ns": max((c["wait_ns"] for c in calls), default=0),
        "hold_ns": sum(c["hold_ns"] for c in calls),
        "hold_longest_ns": max((c["hold_ns"] for c in calls), default=0),
        "secure_ns": sum(c["secure_ns"] for c in calls),
        "limits": sum(c["limit_wait_ns"] > 0 for c in calls),
        "limit_wait_ns": sum(c["limit_wait_ns"] for c in calls),
        "argument_waits": sum(c["argument_ns"] > 0 for c in calls),
        "argument_ns": sum(c["argument_ns"] for c in calls),
        "argument_longest_ns": max((c["argument_ns"] for c in calls), default=0),
        "releases": len(releases),
        "release_ns": sum(r["argument_ns"] for r in releases),
    }


def last_rows(seen: Sequence[frames.Object]) -> Mapping[Any, frames.Object]:
    """The last that is said of each session; None: of the calls without one."""
    rows = {s["serial"]: s for s in frames.final_sessions(seen)}
    return {**rows, None: frames.no_session(seen[-1])}


def check_sums(findings: Findings, what: str, said: Mapping[str, Sequence[export.Line]],
               seen: Sequence[frames.Object]) -> None:
    """The calls one by one add up to what the kernel has counted, for each session."""
    rows = last_rows(seen)
    calls, releases = (sorted(said.get(of, []), key=lambda c: int(c["mono_ns"]))
                       for of in ("call", "release"))
    findings.equal(f"{what}: sessions", {c["serial"] for c in calls}, set(rows))
    for serial, row in rows.items():
        for name in "normal", "system":
            mine = [c for c in calls if (c["serial"], c["class"]) == (serial, name)]
            after = [r for r in releases if (r["serial"], r["class"]) == (serial, name)]
            if serial is None:  # the bottom half goes on behind the last frame
                mine = mine[:row["class_sums"][name]["calls"]]
                after = after[:row["class_sums"][name]["releases"]]
            findings.equal(f"{what}: {name} calls of session {serial}", sums_of(mine, after),
                           row["class_sums"][name])


@test()
def record_replays_the_same(context: Context) -> None:
    """In the guest, as nobody, and on the host; the sums, and the clients' own account."""
    guest = vm.run(context, SAME, "--icount", gets=(*SAME_FILES, "piped.jsonl"), seconds=300)
    findings = Findings()
    for name, option in ("json", "--json"), ("batch", "-b"), ("compressed", "--json"):
        rec = guest.files[f"{name}.rec"]
        host_replay(findings, name, rec, guest.read(f"{name}.live"), option)
        seen = frames.parse(native.run("replay", rec, "--json").out)
        frames.check_sane(findings, seen)
        check_events(findings, name, rec, seen)
        said = exported(context, rec)
        check_sums(findings, name, said, seen)
        test_export.check_account(findings, said["call"], account.load(guest.files[f"{name}.load"]))
        parts = recfile.blocks(rec.read_bytes())
        findings.equal(f"{name}: the last block", parts[-1].type, recfile.END)
        stored = sum(len(b.data) for b in parts if b.type == recfile.CALLS)
        size = sum(b.size for b in parts if b.type == recfile.CALLS)
        if name == "compressed":
            findings.true(f"{name}: {size} bytes of calls became {stored}", stored < 0.9 * size)
        else:
            findings.equal(f"{name}: bytes of calls in the file", stored, size)
    findings.equal("frames through a pipe", len(frames.load(guest.files["piped.jsonl"])), 3)
    findings.done()


@test()
def recording_format(context: Context) -> None:
    """A reader made after doc/recording.md finds the calls that an export has."""
    context.dir.mkdir(parents=True, exist_ok=True)
    findings = Findings()
    said = exported(context, native.RECORDING)["call"]
    read = [c for b in recfile.blocks(native.RECORDING.read_bytes()) if b.type == recfile.CALLS
            for c in recfile.calls(b)]
    findings.equal("calls", len(read), len(said))
    findings.true(f"{len(read)} calls are no test", len(read) > 300)
    for mine, theirs in zip(sorted(read, key=lambda c: (c["start_ns"], c["tid"])),
                            sorted(said, key=lambda c: (c["start_ns"], c["tid"]))):
        # What is 0 in the file may not be known.
        findings.equal("a call", {**mine}, {key: theirs[key] or 0 for key in mine})
    findings.done()


LOST = r"""
exec 9<>/dev/tee0
top_start -d 0.5 record /tmp/rec
kill -STOP $TOP
optee-load --records 0 -o /dev/null 'name=A ta=invoke_tests count=2 repeat=4000 nop' ||
	die "optee-load failed"
kill -CONT $TOP
top_settle
kill -TERM $TOP
wait $TOP || die "record ended with status $?: $(cat /tmp/top.err)"
optee-top --strict check /tmp/rec >/dev/null 2>&1
echo "check: $?"
"""


@test()
def record_loses_calls(context: Context) -> None:
    """A recorder that gets no CPU loses calls: how many is exactly known, and shown."""
    guest = vm.run(context, LOST, gets=("rec", "top.jsonl"))
    findings = Findings()
    rec = guest.files["rec"]
    seen = frames.load(guest.files["top.jsonl"])
    last = seen[-1]
    records = last["call_records"]
    accounted = sum(c["calls"] for p in last["pools"] for c in p["class_sums"].values())
    findings.true(f"{records} is no loss", records["lost"] > 0 and records["emitted"] > 1000)
    # The bottom half goes on: a call of its may end while a frame is read, or the file written.
    told = records["emitted"] + records["lost"]
    findings.true(f"{told} calls emitted or lost, of {accounted}", abs(told - accounted) <= 1)
    findings.equal("sum of the CPUs", [sum(n) for n in zip(*records["per_cpu"])],
                   [records["emitted"], records["lost"]])
    host_replay(findings, "lost", rec, guest.read("top.jsonl"), "--json")
    into = context.dir / "export.jsonl"
    native.run("export", rec, "--format", "jsonl", "--output", into)
    filed = len(export.lines(into)["call"])
    findings.true(f"{filed} calls in the file, of {records['emitted']} emitted",
                  abs(filed - records["emitted"]) <= 1)
    findings.equal("the loss in the frame", last["losses"]["calls_unrecorded"], records["lost"])
    findings.true("the loss is not in a batch frame",
                  f" calls_unrecorded={records['lost']} " in native.run("replay", rec).out.decode())
    for words in ("replay", rec, "--json"), ("export", rec, "--format", "csv"), ("check", rec):
        done = native.run(*words, "--strict")
        findings.equal(f"{words[0]} --strict", (done.status, done.err.count("\n")), (5, 1))
    (context.dir / "rules").write_text("no_losses\n")
    done = native.run("check", "--rules", context.dir / "rules", rec)
    findings.equal("check's status", done.status, FAILURE)
    findings.true(f"check does not name the loss: {done.out!r}",
                  str(records["lost"]) in done.out.decode())
    findings.equal("in the guest", guest.out, b"check: 5\n")
    findings.done()


KILLS = 4
KILLED = r"""
exec 9<>/dev/tee0
optee-load --records 0 -o /dev/null 'name=N count=3 ta=invoke_tests repeat=0 nop gap=1..9' &
LOAD=$!
has() { [ "$(stat -c %%s $1)" -ge $2 ]; }
for i in $(seq %d); do
	optee-top -d 0.1 record /tmp/$i.rec 2>/tmp/$i.err &
	TOP=$!
	wait_for 60 test -s /tmp/$i.rec
	wait_for 60 has /tmp/$i.rec $((i * 3000))
	usleep $((i * 37000 %% 100000))
	kill -KILL $TOP
	wait $TOP
done
kill $LOAD
wait $LOAD
tar c -f /tmp/recs.tar -C /tmp $(cd /tmp && ls | grep '\.rec$')
""" % KILLS


def check_cut_off(findings: Findings, rec: Path) -> None:
    """All up to the last whole block, and one line that it is not all."""
    parts = recfile.blocks(rec.read_bytes())
    shown = max(sum(b.type == recfile.SNAPSHOT for b in parts) - 1, 0)
    said = f"optee-top: '{rec}' was cut off: only what precedes the cut is used\n"
    for words, status in ((), 0), (("--strict",), 5):
        done = native.run("replay", rec, "--json", *words)
        findings.equal(f"{rec.name} {words}: status and words", (done.status, done.err),
                       (status, said))
        findings.equal(f"{rec.name} {words}: frames", done.out.count(b"\n"), shown)
        for line in done.out.splitlines():
            json.loads(line)
    findings.true(f"{rec.name}: {shown} frames are no test", shown > 0)
    findings.true(f"{rec.name} has an end", parts[-1].type != recfile.END)


@test()
def record_killed(context: Context) -> None:
    """kill -9 at any moment costs what was not yet written, and nothing else."""
    guest = vm.run(context, KILLED, "--icount", gets=("recs.tar",))
    into = context.dir / "recs"
    subprocess.run(["tar", "x", "-f", guest.files["recs.tar"], "--one-top-level=" + str(into)],
                      check=True)
    findings = Findings()
    for i in range(1, KILLS + 1):
        check_cut_off(findings, into / f"{i}.rec")
    findings.done()


REFUSED = RUN + r"""
exec 9<>/dev/tee0
mkdir /tmp/small
mount -t tmpfs -o size=32k none /tmp/small || die "no small file system"
echo old >/tmp/old
optee-load --records 0 -o /dev/null 'name=N count=3 ta=invoke_tests repeat=0 nop gap=1..9' &
LOAD=$!
"""
REFUSED_CASES = (
    Case("full", "optee-top -d 0.2 record /tmp/small/rec", FAILURE,
         r"cannot record to '/tmp/small/rec': No space left on device; it is complete up to here"),
    Case("old", "optee-top record /tmp/old", FAILURE, r"'/tmp/old': File exists; choose another"),
    Case("directory", "optee-top record /nowhere/rec", FAILURE,
         r"'/nowhere/rec': No such file or directory"),
    Case("device", "sh -c 'optee-top record - >/dev/full'", FAILURE,
         r"cannot record to '-': No space left on device"),
    Case("nobody", "su nobody -s /bin/sh -c 'optee-top record /tmp/small/nobody'", FAILURE,
         r"'/tmp/small/nobody': Permission denied"),
)
REFUSED_END = r"""
kill $LOAD
wait $LOAD
[ "$(cat /tmp/old)" = old ] || die "an existing file became another"
cp /tmp/small/rec /tmp/rec
finish
"""


@test()
def record_refused(context: Context) -> None:
    """A disk that becomes full, and what cannot be written at all."""
    script = REFUSED + "chmod 755 /tmp/small\n" + "".join(
        f"run {c.name} {c.command}\n" for c in REFUSED_CASES) + REFUSED_END
    guest = vm.run(context, script, "--icount", gets=("results.tar", "rec"))
    findings = Findings()
    found: Mapping[str, Result] = results(guest, context.dir / "results")
    for case in REFUSED_CASES:
        check_case(findings, case, found[case.name])
    check_cut_off(findings, guest.files["rec"])
    size = guest.files["rec"].stat().st_size
    findings.true(f"the full disk's message has not its {size} bytes",
                  f"({size} bytes)" in found["full"].err)
    parts = recfile.blocks(guest.read("rec"))
    findings.equal("bytes of its blocks", sum(len(b.pack()) for b in parts), size)
    findings.done()


AGAIN = test_driver.AGAIN % "record /tmp/rec"


@test()
def record_driver_again(context: Context) -> None:
    """The driver goes and comes back: one file has what was before and what was after."""
    guest = vm.run(context, AGAIN, "--no-tee", "--icount",
                   gets=("rec", "top.jsonl", "load.one", "load.two"))
    findings = Findings()
    rec = guest.files["rec"]
    host_replay(findings, "again", rec, guest.read("top.jsonl"), "--json")
    kinds = [b.type for b in recfile.blocks(rec.read_bytes())]
    findings.equal("beginnings and ends", (kinds.count(recfile.HOST), kinds.count(recfile.END)),
                   (2, 1))
    seen = frames.load(guest.files["top.jsonl"])
    split = next(n for n, f in enumerate(seen) if n and f["seq"] <= seen[n - 1]["seq"])
    calls = exported(context, rec)["call"]
    for name, part in ("one", seen[:split]), ("two", seen[split:]):
        truth = account.load(guest.files[f"load.{name}"])
        frames.check_sane(findings, part)
        test_driver.check_session(findings, part, truth, name)
        findings.equal(f"{name}'s calls in the file",
                       sum(c["client"] == name for c in calls), len(truth.calls))
    findings.done()
