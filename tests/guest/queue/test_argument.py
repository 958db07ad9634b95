# SPDX-License-Identifier: GPL-2.0-only
"""What a call's task waits for outside of the queue: the lock of the driver's argument cache,
which one of them may have while it waits in the queue itself. What optee-top says of each call
adds up to what its client experienced."""

import json
from collections import defaultdict
from typing import Any, Mapping, Sequence

from ..lib import account, deadlock, events, frames, kclient, vm
from ..lib.events import MS, Reported
from ..lib.registry import Context, Failed, Findings, test

# A holds the thread for normal calls. Eight of W find an argument on the first page, which has
# ten: nobody has to wait for the cache but for an instant. Then twelve come: the last needs a page
# more, and registers it with an ordinary call, while the cache is locked. S, a system session, has
# a thread in reserve, and no argument.
CONVOY = r"""
kclient_load
events_start
top_start -d 1 record /tmp/recording
kclient_start <<END
name=S system at=5000 wait=10
END
optee-load -o /tmp/before 'name=A wait=1500' 'name=W ta=invoke_tests sessions=8 at=200 nop' ||
	die "optee-load failed"
grep -q convoy /tmp/events.jsonl && die "a convoy of eight"
optee-load -o /tmp/load 'name=A wait=6000' 'name=W ta=invoke_tests sessions=12 at=500 nop' ||
	die "optee-load failed"
kclient_wait
top_stop
events_stop
optee-top export /tmp/recording --format jsonl >/tmp/calls.jsonl || die "export failed"
mv /tmp/top.jsonl /tmp/seen.jsonl
echo 2 >/proc/sys/kernel/kptr_restrict
top_start -d 1
top_stop
"""
FILES = ("seen.jsonl", "top.jsonl", "events.jsonl", "before", "load", "kclient", "calls.jsonl")

Line = Mapping[str, Any]
PARTS = "argument_ns", "wait_ns", "hold_ns"


def _lines(path: Any) -> list[Line]:
    return [o for o in map(json.loads, path.read_text().splitlines())
            if o["type"] in ("call", "release")]


def _at_cache(line: Line) -> tuple[int, int, int]:
    """The task that waited for the argument cache, and from when until when."""
    end = line["mono_ns"] if line["type"] == "release" else line["start_ns"]
    return line["tid"], end - line["argument_ns"], end


def _check_parts(findings: Findings, calls: Sequence[Any], lines: Sequence[Line]) -> None:
    """What a client experienced is what its call's parts and its release add up to."""
    of_task = defaultdict(list)
    for line in lines:
        of_task[line["tid"]].append(line)
    for call in calls:
        took = call.end - call.start
        own = [o for o in of_task[call.tid] if call.start <= o["start_ns"] <= call.end
               and (o["cmd"] == call.op or o["type"] == "release")]
        seen = sum(o[part] for o in own for part in PARTS)
        findings.true(f"{call.client}: {call.op} took {took} ns, its parts {seen}: {own}",
                      0 <= took - seen <= max(2 * MS, took // 20))


def _check_convoy(findings: Findings, said: Reported, load: account.Account,
                  system: kclient.Call) -> None:
    """From when the second of W came until A's end; S is in it."""
    holder, = (c for c in load.calls if c.client == "A" and c.op == "invoke")
    came = min(c.start for c in load.calls if c.client == "W" and c.op == "invoke")
    episode = said.episode
    findings.true(f"{episode}, but W came at {came}", 0 <= episode.begin_ns - came <= 50 * MS)
    findings.true(f"{episode}, but A ended at {holder.end}",
                  abs((episode.end_ns or 0) - (holder.end or 0)) <= 5 * MS)
    findings.equal("behind its head, while A held its thread: three of W and S",
                   max(e["peak"] for e in said.events[:-1]), 4)
    head, *behind = said.first["who"]
    findings.equal("its head", (head["cmd"], head["phase"], head["waits"]),
                   ("shm_register", "queued", True))
    clients = {c.tid for c in load.calls if c.client == "W"}
    findings.true(f"behind it are {behind}", {p["tid"] for p in behind} <= clients)
    for party in behind:
        findings.equal("one behind it", (party["phase"], party["cmd"], party["class"]),
                       ("argument", None, None))
    findings.true(f"S took {system.end} - {system.start}: it was not in it",
                  system.start < (episode.end_ns or 0) < (system.end or 0))


def _check_unknown(findings: Findings, hidden: frames.Object) -> None:
    """The kernel hides where its functions are: a contended lock tells nothing."""
    pool = hidden["pools"][0]
    row = frames.no_session(hidden)
    findings.equal("unknown, not 0", [pool["at_arguments"], pool["conditions"]["convoy"],
                                      row["argument_ns"], row["release_ns"]], [None] * 4)
    findings.true("all is unknown", pool["conditions"]["stranded"] is not None)


@test()
def argument_convoy(context: Context) -> None:
    """Its reserved thread is free, and the system call does not even come to the queue."""
    guest = vm.run(context, kclient.SCRIPT + events.SCRIPT + CONVOY, "--icount",
                   *kclient.options(), gets=FILES)
    findings = Findings()
    seen = frames.load(guest.files["seen.jsonl"])
    frames.check_sane(findings, seen, {"calls_late": None})
    load, before = (account.load(guest.files[name]) for name in ("load", "before"))
    kernel = kclient.load(guest.files["kclient"])
    lines = _lines(guest.files["calls.jsonl"])
    _check_parts(findings, [*before.calls, *load.calls, *kernel.calls], lines)
    system, = kernel.of("S")
    said = events.of_lines(findings, frames.load(guest.files["events.jsonl"]))
    findings.equal("deadlocks", [r for r in said if r.condition == "deadlock"], [])
    convoys = [r for r in said if r.condition == "convoy"]
    if len(convoys) != 1:
        raise Failed(f"{len(convoys)} convoys, not 1: {convoys}")
    _check_convoy(findings, convoys[0], load, system)
    counted = seen[-1]["pools"][0]["conditions"]["convoy"]
    findings.equal("convoys counted", counted["count"], 1)
    # When A had ended so did some of W, and they had an argument to give back.
    end, head = convoys[0].episode.end_ns, convoys[0].first["who"][0]["tid"]
    findings.equal("the largest convoy", counted["peak"],
                   sum(a < end < b for tid, a, b in map(_at_cache, lines) if tid != head))
    findings.equal("tasks at the argument cache", max(f["pools"][0]["at_arguments"] for f in seen), 4)
    waited = max(o["argument_ns"] for o in lines if o["tid"] == system.tid)
    row = next(s for f in reversed(seen) for s in f["sessions"] if s["client"] == "S")
    findings.equal("S waited for its argument", row["argument_longest_ns"], waited)
    _check_unknown(findings, frames.load(guest.files["top.jsonl"])[-1])
    findings.done()


# P1 and P2 hold both threads, and their requests to tee-supplicant end when its threads have made
# a call. By then the ninth of W has the argument cache locked and waits in the queue.
STUCK = deadlock.SCRIPT + r"""
begin
events_start
load W --ready-file /tmp/W.ready --wait-file /tmp/W.go 'name=W ta=invoke_tests sessions=12 nop'
wait_for 30 test -e /tmp/W.ready
invoke_plugin 1 /tmp/plugin.go call /tmp/plugin.late
VICTIM=$PID VICTIM_LOAD=$!
invoke_plugin 2 /tmp/plugin.go call /
touch /tmp/W.go
wait_for 30 is_said convoy
touch /tmp/plugin.go
wait_for 30 is_said '"deadlock","state":"begin"'
stuck
usleep 3000000
still_stuck || die "the deadlock resolved itself"
cat /tmp/plugin.log >/tmp/plugins
deadlock_rescue
wait_for 30 is_said '"deadlock","state":"end"'
events_stop
"""


@test()
def argument_deadlock(context: Context) -> None:
    """Nobody in it waits for a call that is in the queue but through that lock."""
    guest = vm.run(context, events.SCRIPT + STUCK, "--icount", *deadlock.PUT,
                   gets=("events.jsonl", "plugins", deadlock.TASKS))
    findings = Findings()
    tids = {line.split()[0]: int(line.split()[1])
            for line in guest.read(deadlock.TASKS).decode().splitlines()}
    for line in guest.read("plugins").decode().splitlines():
        order, tid, what = line.split()[:3]
        if what == "arrives":
            tids[f"plugin{order}"] = int(tid)
    said, = (r for r in events.of_lines(findings, frames.load(guest.files["events.jsonl"]))
             if r.condition == "deadlock")
    behind = {p["tid"]: p["behind_tid"] for p in said.first["who"]}
    head = next(p for p in said.first["who"] if p["cmd"] == "shm_register")
    findings.equal("who waits for whom", [behind.get(tids[role]) for role in
                                          ("P1", "P2", "plugin1", "plugin2")],
                   [tids["plugin1"], tids["plugin2"], head["tid"], head["tid"]])
    findings.equal("why", said.first["why"]["text"].split(" in the queue")[0].rsplit(" ", 1)[0],
                   "2 calls hold a thread and wait for the")
    findings.true("its head does not wait in the queue", head["waits"])
    findings.equal("lines that name the lock", sum(
        f"which is locked by {head['comm']}({head['tid']})" in line for line in said.first["chain"]
        if "waits for the argument cache" in line) >= 2, True)
    findings.true("it did not last", (said.episode.end_ns or 0) - said.episode.begin_ns > 2900 * MS)
    findings.done()
