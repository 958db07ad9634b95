# SPDX-License-Identifier: GPL-2.0-only
"""What unprivileged clients get from the daemon is as true as what probes of their own
would tell: the clients' account, ftrace and probes attached at the same time agree."""

import json
import re
import shlex
import tarfile
from pathlib import Path
from typing import Sequence

from ..lib import account, compare, daemon, frames, ftrace, native, reports, vm
from ..files import test_export
from ..lib.frames import Object
from ..lib.registry import Context, Findings, test
from ..queue.test_contended import EIGHT
from ..files.test_record import exported, sums_of

# The daemon attaches when trace_start's hooks are there, so it is bracketed by the two traces.
RUN = daemon.SCRIPT + ftrace.SCRIPT + r"""
chmod 666 /dev/tee0
optee-load -r 0 -o /dev/null 'name=hold count=2 wait=500' \
	'name=many ta=invoke_tests threads=14 at=100 nop' || die "the first optee-load failed"
trace_start
daemon_start --group watchers
trace_after
client top.jsonl 'optee-top --json'
client five.jsonl 'optee-top --json -d 5'
client batch 'optee-top -b'
client events.jsonl 'optee-top events --json'
client record 'optee-top record /tmp/out/rec --json'
client paused.jsonl 'optee-top --json'
client check.json 'optee-top check --json --live 12'
optee-top --direct --json >/tmp/out/direct.jsonl 2>/tmp/out/direct.jsonl.err &
echo $! >/tmp/out/direct.jsonl.pid
for name in top.jsonl five.jsonl batch record direct.jsonl paused.jsonl; do
	wait_for 90 has $name 1
done
PAUSED="$(cat /tmp/out/direct.jsonl.pid) $(cat /tmp/out/paused.jsonl.pid)"
kill -STOP $PAUSED
more top.jsonl 3
usleep 800000 # frames are due on whole seconds: they go on late, in the middle of an interval
kill -CONT $PAUSED
optee-load -o /tmp/load @CLIENTS@ || die "optee-load failed"
lines top.jsonl >/tmp/out/loaded
more five.jsonl 2
more top.jsonl 3
trace_stop
as member 'optee-top metrics' >/tmp/out/metrics || die "metrics: status $?"
client since.jsonl 'optee-top --json --since 20s'
client since.events 'optee-top events --json --since 20s'
client since.record 'optee-top record /tmp/out/since.rec --json --since 20s'
client limited.jsonl 'optee-top --json --since 20s -n 3'
client limited.events 'optee-top events --json --since 20s --duration 2'
as member 'optee-top record /tmp/out/limited.rec --since 20s --duration 2' || die "record: status $?"
wait "$(cat /tmp/out/limited.jsonl.pid)" || die "--since -n 3: status $?"
wait "$(cat /tmp/out/limited.events.pid)" || die "events --since --duration: status $?"
rm /tmp/out/limited.*.pid
wait_for 60 has since.jsonl 23
wait_for 60 has since.record 23
wait "$(cat /tmp/out/check.json.pid)"
echo $? >/tmp/out/check.status
rm /tmp/out/check.json.pid
end top.jsonl five.jsonl batch events.jsonl record direct.jsonl paused.jsonl since.jsonl since.record since.events
as member "optee-top check --json -- optee-load -o /tmp/out/command.load \
	'name=inside ta=invoke_tests repeat=50 nop gap=5'" >/tmp/out/command.json 2>/tmp/out/command.err
echo $? >/tmp/out/command.status
daemon_stop
[ ! -s /tmp/out/daemon.err ] || die "the daemon says: $(cat /tmp/out/daemon.err)"
[ ! -e $SOCKET ] || die "the socket is left"
pack
"""
FILES = ("load", "out.tar", *ftrace.FILES)


def unpack(guest: vm.Run, into: Path) -> Path:
    with tarfile.open(guest.files["out.tar"]) as tar:
        tar.extractall(into)
    return into


def load_sums(seen: Sequence[Object], pids: set[int]) -> dict[object, object]:
    """What is said at last of each session of these."""
    return {(r["pid"], r["session"], r["calls"]): (r["ops"], r["failed"], r["state"])
            for r in frames.final_sessions(seen) if r["pid"] in pids}


def check_direct(findings: Findings, served: Sequence[Object], own: Sequence[Object],
                 truth: account.Account) -> None:
    """Probes of one's own, attached at the same time, count the same calls of sessions."""
    pids = {c.pid for c in truth.calls}
    findings.equal("sessions and calls, by the daemon and by own probes",
                   load_sums(served, pids), load_sums(own, pids))
    for frame in own:
        findings.true("own probes have the daemon's numbers", frame["host"] is None
                      if "host" in frame else True)


def check_merged(findings: Findings, five: Sequence[Object], one: Sequence[Object]) -> None:
    """A frame of five seconds is the sum of those of one."""
    at = daemon.by_seq(one)
    summed = 0
    for before, frame in zip(five, five[1:]):
        parts = [at[n] for n in range(before["seq"] + 1, frame["seq"] + 1) if n in at]
        if len(parts) != frame["seq"] - before["seq"]:
            continue
        summed += 1
        what = f"frame {frame['seq']} of -d 5"
        findings.equal(f"{what}: interval", frame["interval_ns"],
                       sum(p["interval_ns"] for p in parts))
        findings.equal(f"{what}: events", frame["events"],
                       [e for p in parts for e in p["events"]])
        findings.equal(f"{what}: pools", frame["pools"][0]["class_sums"],
                       parts[-1]["pools"][0]["class_sums"])
        rows = {r["serial"]: r for p in parts for r in p["sessions"]}
        mine = {r["serial"]: r for r in frame["sessions"]}
        findings.equal(f"{what}: sessions", sorted(map(str, mine)), sorted(map(str, rows)))
        for serial in mine.keys() & rows.keys():
            for key in ("calls", "wait_ns", "hold_ns", "secure_ns", "state", "ops"):
                findings.equal(f"{what}: {key} of {serial}", mine[serial][key],
                               rows[serial][key])
            key = "calls_rate_per_second"
            rate = sum(r[key] * p["interval_ns"] for p in parts
                       for r in p["sessions"] if r["serial"] == serial and r[key])
            have = (mine[serial][key] or 0) * frame["interval_ns"]
            findings.true(f"{what}: {have / 1e9} calls of {serial}, {rate / 1e9} in its parts",
                          abs(have - rate) < 1e6)
    findings.true(f"{summed} merged frames are no test", summed >= 2)


def check_events(findings: Findings, what: str, lines: Sequence[Object],
                 seen: Sequence[Object], least: int = 5) -> None:
    """Events as they come are those of the frames, each once."""
    inside = [e for f in seen for e in f["events"]]
    known = [{k: line[k] for k in inside[0]} for line in lines] if inside else []
    first, last = seen[0]["mono_ns"] - seen[0]["interval_ns"], seen[-1]["mono_ns"]
    known = [e for e in known if first < e["mono_ns"] <= last]
    inside = [e for e in inside if first < e["mono_ns"] <= last]
    findings.true(f"{what}: {len(known)} events, {len(inside)} in the frames",
                  sorted(map(str, known)) == sorted(map(str, inside)))
    findings.true(f"{what}: {len(inside)} events are no test", len(inside) >= least)


def check_recording(findings: Findings, context: Context, rec: Path, seen: Sequence[Object],
                    truth: account.Account) -> None:
    """Each call once, and their sums are the counters of the sessions."""
    said = exported(context, rec)
    calls, releases = said["call"], said.get("release", [])
    if truth.calls:
        test_export.check_account(findings, calls, truth)
    pids = {c.pid for c in truth.calls}
    for row in frames.final_sessions(seen):
        mine = [c for c in calls if c["serial"] == row["serial"]]
        if row["pid"] in pids:
            after = [r for r in releases if r["serial"] == row["serial"]]
            findings.equal(f"{rec.name}: calls of session {row['serial']}", sums_of(mine, after),
                           row["class_sums"]["normal"])
    replayed = frames.parse(native.run("replay", rec, "--json").out)
    daemon.check_same_frames(findings, f"{rec.name}, replayed", replayed, seen, 15)


def check_since(findings: Findings, since: Sequence[Object], live: Sequence[Object]) -> None:
    """From memory and then live, without a seam, and as it was printed at the time."""
    seqs = [f["seq"] for f in since]
    findings.equal("--since: seq", seqs, list(range(seqs[0], seqs[0] + len(seqs))))
    # The interval of the first began before that time: it has the events from then on.
    daemon.check_same_frames(findings, "--since", since[1:], live, 19)


def check_limited(findings: Findings, what: str, limited: Sequence[Object], seconds: int) -> None:
    """All of the history (20 s), and so many seconds after it."""
    seqs = [f["seq"] for f in limited]
    findings.equal(f"{what}: seq", seqs, list(range(seqs[0], seqs[0] + len(seqs))))
    span = (limited[-1]["mono_ns"] - limited[0]["mono_ns"]) / 1e9
    findings.true(f"{what}: it has {span:.3f} s", 18.9 + seconds <= span < 25 + seconds)


def check_pause(findings: Findings, what: str, seen: Sequence[Object]) -> None:
    """It was stopped for some seconds: one long frame, and no short one after it."""
    spans = [f["interval_ns"] / 1e9 for f in seen]
    findings.true(f"{what}: no frame spans the pause: {spans}", max(spans) > 2.5)
    findings.true(f"{what}: a frame is short: {spans}", min(spans) > 0.85)


def check_metrics(findings: Findings, text: str, seen: Sequence[Object]) -> None:
    """The command has the counters of the last frames."""
    found = re.search(r"^optee_attached_timestamp_seconds (\S+)$", text, re.M)
    findings.true("metrics has no time of the attach", found is not None)
    total = sum(int(n) for ta, n in re.findall(
        r'^optee_calls_total\{tee="0",ta="([^"]*)",class="normal"\} (\d+)$', text, re.M)
        if ta != "(no session)")
    rows = frames.final_sessions(seen)
    findings.equal("calls of sessions, by metrics", total, sum(r["calls"] for r in rows))


def check_checks(findings: Findings, out: Path) -> None:
    """check sees, through the daemon, all calls of its command."""
    findings.true("check --live has no verdict", (out / "check.status").read_text() in ("0\n", "1\n"))
    reports.read_json((out / "check.json").read_text())
    text = (out / "command.json").read_text()
    reports.read_json(text)
    have, made = json.loads(text), len(account.load(out / "command.load").calls)
    findings.equal("the command's status", have["command_status"], 0)
    findings.true(f"check saw {have['calls']} calls, the command made {made}",
                  made <= have["calls"] <= made + 40)


# More events than there is room for between two snapshots; nobody takes any.
MANY = daemon.SCRIPT + r"""
exec 9<>/dev/tee0
daemon_start --group watchers
client frames 'optee-top --json'
client events 'optee-top events --json'
optee-top --direct events --json >/tmp/out/direct 2>/tmp/out/direct.err &
DIRECT=$!
echo $DIRECT >/tmp/out/direct.pid
attached() { # its last hook is the one that sees a call begin
	[ "$(cat /proc/$1/fdinfo/* 2>/dev/null | grep -c link_id)" -ge "$2" ]
}
wait_for 60 attached $DIRECT 8
more frames 2
optee-load -o /dev/null 'name=many count=3 repeat=250 wait=12..25 gap=5..25' || die "optee-load failed"
more frames 2
end frames events direct
daemon_stop
pack
"""


@test()
def daemon_events(context: Context) -> None:
    """Events go on for ever: those of the daemon, and those of own probes."""
    guest = vm.run(context, MANY, "--icount", gets=("out.tar",), seconds=300)
    out = unpack(guest, context.dir / "out")
    findings = Findings()
    seen = frames.load(out / "frames")
    frames.check_sane(findings, seen)
    check_events(findings, "events", frames.load(out / "events"), seen, least=600)
    direct = frames.load(out / "direct")
    ended = seen[-1]["pools"][0]["conditions"]["exhausted"]["count"]
    for name, lines in ("the daemon", frames.load(out / "events")), ("own probes", direct):
        ends = [e for e in lines if e["condition"] == "exhausted" and e["state"] == "end"]
        findings.true(f"{len(ends)} ends by {name}, {ended} were counted",
                      0 < ended - len(ends) < ended / 2)  # too short ones are not told
    findings.done()


@test()
def daemon_truth(context: Context) -> None:
    words = " ".join(map(shlex.quote, EIGHT))
    guest = vm.run(context, RUN.replace("@CLIENTS@", words), "--icount", gets=FILES,
                   seconds=600)
    out = unpack(guest, context.dir / "out")
    findings = Findings()
    truth = account.load(guest.files["load"])
    seen = frames.load(out / "top.jsonl")
    trace = ftrace.parse(*map(guest.read, ftrace.FILES))
    compare.check_all(findings, seen[:int((out / "loaded").read_text()) + 3], truth, trace, 2)
    daemon.check_intervals(findings, "frames", seen, 1, 0.3)
    direct = frames.load(out / "direct.jsonl")
    frames.check_sane(findings, direct)
    check_direct(findings, seen, direct, truth)
    check_merged(findings, frames.load(out / "five.jsonl"), seen)
    check_events(findings, "events", frames.load(out / "events.jsonl"), seen)
    since = frames.load(out / "since.jsonl")
    check_since(findings, since, seen)
    check_events(findings, "events --since", frames.load(out / "since.events"), since[1:])
    check_limited(findings, "--since -n 3", frames.load(out / "limited.jsonl"), 3)
    check_limited(findings, "record --since --duration 2", frames.parse(
        native.run("replay", out / "limited.rec", "--json").out), 2)
    check_events(findings, "events --since --duration", frames.load(out / "limited.events"),
                 frames.load(out / "limited.jsonl")[1:])
    check_pause(findings, "direct", direct)
    check_pause(findings, "by the daemon", frames.load(out / "paused.jsonl"))
    check_recording(findings, context, out / "rec", frames.load(out / "record"), truth)
    check_recording(findings, context, out / "since.rec", frames.load(out / "since.record"),
                    account.Account([]))
    batch = (out / "batch").read_text()
    findings.true("batch: frames", batch.count("\noptee-top ") + 1 >= len(seen) - 3)
    check_checks(findings, out)
    check_metrics(findings, (out / "metrics").read_text(), seen)
    findings.done()
