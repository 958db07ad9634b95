# SPDX-License-Identifier: GPL-2.0-only
"""Deadlocks are reported as they are, by whoever looks: from before, from kprobes, and who
came when all were stuck. States that only look so are not."""

import re
from typing import Mapping, NamedTuple, Optional, Sequence

from ..lib import deadlock, events, frames, kclient, kmod, oracle, vm
from ..lib.episode import Episode
from ..lib.events import MS, Reported
from ..lib.frames import Object
from ..lib.registry import Context, Failed, Findings, test
from ..lib.replay import Call, Replay

FILES = ("top.jsonl", "marks", "load", *deadlock.FILES, *oracle.FILES)

LOCKED = r"""
%(watch)s
%(deadlock)s
mark stuck
watch late --json
usleep 3000000
still_stuck || die "the deadlock resolved itself"
deadlock_rescue
finish_run
"""

QUEUED = "optee_cq_wait_for_completion"
NEAR = 50 * MS          # how well its start is known
FOUND = 1000 * MS       # how soon it has to be known
END_KNOWN = 200 * MS    # an end is seen at one of the next looks
LASTS = 3000 * MS       # at least
MAY_BE = {"exhausted", "starved", "stranded"}  # with a deadlock, and compared with the oracle
OTHER_THREAD = " or another of its threads"


class Stuck(NamedTuple):
    """Who is where, by role, and what the oracle saw of it."""

    tids: Mapping[str, int]
    queued: Sequence[str]
    begin: int
    end: int


def in_queue(calls: Sequence[Call], tid: int, at: int) -> Call:
    """The task's call that waits at that time: there has to be one."""
    for call in calls:
        slept = call.slept if call.tid == tid else None
        if slept is not None and slept <= at and (call.admitted is None or call.admitted > at):
            return call
    raise Failed(f"in the trace no call of task {tid} is in the queue at {at / 1e9:.2f} s")


def find_stuck(guest: vm.Run, truth: Replay, at: int) -> Stuck:
    """All are stuck as the last call of them goes to sleep in the queue, for those in an
    RPC have been there already; until P1's call, whose client is killed, ends."""
    rows = [line.split() for line in guest.read(deadlock.TASKS).decode().splitlines()]
    tids = {role: int(tid) for role, tid, _ in rows}
    queued = [role for role, _, place in rows if place == QUEUED]
    begin = max(in_queue(truth.calls, tids[role], at).slept or 0 for role in queued)
    ends = [call.ended for call in truth.calls
            if call.tid == tids["P1"] and call.start < at and (call.ended or 0) > at]
    if len(ends) != 1 or ends[0] is None:
        raise Failed(f"in the trace P1 has {len(ends)} calls that end after {at / 1e9:.2f} s")
    if ends[0] - begin < LASTS:
        raise Failed("the deadlock did not last: this is no test")
    return Stuck(tids, queued, begin, ends[0])


class Expected(NamedTuple):
    """What a watcher can know: for whom each holder waits (more than one: it is one of
    these, and not known which), and when it came, if too late to see how it began."""

    behind: Mapping[str, Sequence[str]]
    came: Optional[int] = None


def task_name(party: Object) -> str:
    """As the chain has it: by the end a task may be gone."""
    return f"{party['comm'] or party['client'] or '?'}({party['tid']})"


def check_party(findings: Findings, what: str, event: Object, role: str, stuck: Stuck,
                expected: Expected) -> None:
    """The holder of that role, its link to another one, and its line of the chain."""
    tid, behind = stuck.tids[role], [stuck.tids[r] for r in expected.behind[role]]
    found = [(party, line) for party, line in zip(event["who"], event["chain"])
             if party["tid"] == tid and not party["waits"]]
    if len(found) != 1:
        findings.add(f"{what}: {role} holds {len(found)} threads")
        return
    party, line = found[0]
    findings.equal(f"{what}: {role} is behind", party["behind_tid"],
                   behind[0] if len(behind) == 1 else None)
    findings.true(f"{what}: {role} is not involved", party["involved"])
    if expected.came is None or role != "outer":
        findings.equal(f"{what}: {role} is in", (party["phase"], party["rpc_kind"]),
                       ("rpc", "load_ta" if role == "outer" else "plugin"))
    findings.true(f"{what}: the hold of {role} is not known", party["since_ns"] is not None)
    findings.equal(f"{what}: the hold of {role} is a lower bound", party["since_at_least"],
                   expected.came is not None)
    match = re.match(rf"{re.escape(task_name(party))}.*, holds a thread for .*"
                     r"behind (its own nested call: )?([^,]+)\((\d+)\)(.*)$", line)
    findings.true(f"{what}: the chain does not say how {role} waits: {line!r}", match is not None)
    if match:
        findings.true(f"{what}: {role} is behind another one in {line!r}",
                      int(match[3]) in behind)
        findings.equal(f"{what}: {role} is behind itself", match[1] is not None,
                       stuck.tids[role] in behind)
        findings.equal(f"{what}: what the end of {line!r} says", match[4],
                       OTHER_THREAD if len(behind) > 1 else "")


def check_parties(findings: Findings, what: str, event: Object, stuck: Stuck,
                  expected: Expected) -> None:
    for role in expected.behind:
        check_party(findings, what, event, role, stuck, expected)
    findings.equal(f"{what}: lines of the chain", len(event["chain"]), len(event["who"]))
    holders = [p["tid"] for p in event["who"] if not p["waits"]]
    findings.equal(f"{what}: who holds a thread", sorted(holders),
                   sorted(stuck.tids[role] for role in expected.behind))
    queue = [(p, line) for p, line in zip(event["who"], event["chain"]) if p["waits"]]
    waiters = {party["tid"] for party, _ in queue}
    findings.true(f"{what}: {sorted(waiters)} wait, not all of {stuck.queued} ({stuck.tids})",
                  waiters >= {stuck.tids[role] for role in stuck.queued})
    for party, line in queue:
        findings.equal(f"{what}: a waiter is behind", party["behind_tid"], None)
        findings.true(f"{what}: the chain does not say that {party['tid']} waits: {line!r}",
                      re.match(rf"{re.escape(task_name(party))}.*, waits in the queue for ",
                               line) is not None)
        findings.true(f"{what}: task {party['tid']} has no name",
                      bool(party["comm"]) or event["state"] == "end")


def said_by(guest: vm.Run, name: str) -> list[Reported]:
    """What a watcher has told, by episode. Of a deadlock the end is not seen, so that
    here it is not judged by the rules for the others."""
    lines = frames.load(guest.files[f"events.{name}"])
    events.of_lines(findings := Findings(), [x for x in lines if x["condition"] != "deadlock"])
    findings.found = [f for f in findings.found if not f.startswith("the events' seq")]
    findings.equal(f"{name}: seq", [x["seq"] for x in lines], list(range(1, len(lines) + 1)))
    if name != "late":  # who comes late learns of the others late
        findings.done()
    return events.reported(Findings(), lines, events.LINE)


def check_deadlock(findings: Findings, name: str, said: Sequence[Reported], stuck: Stuck,
                   expected: Expected) -> Optional[int]:
    """One episode, as it was. Returns how long after it could be known it was said."""
    found = events.of(said, "deadlock")
    findings.equal(f"{name}: deadlocks", len(found), 1)
    for one in found:
        states = [e["state"] for e in one.events]
        findings.equal(f"{name}: states", states,
                       ["begin", *["still"] * (len(states) - 2), "end"])
        gaps = [b["mono_ns"] - a["mono_ns"] for a, b in zip(one.events, one.events[1:-1])]
        findings.true(f"{name}: said after {gaps} ns",
                      all(events.STILL <= gap < events.STILL + 150 * MS for gap in gaps))
        for event in one.events:
            findings.equal(f"{name}: its start", event["since_ns"], one.first["since_ns"])
            check_parties(findings, f"{name}, {event['state']}", event, stuck, expected)
    if len(found) != 1:
        return None
    first, last = found[0].first, found[0].events[-1]
    known_from = max(stuck.begin, expected.came or 0)
    late = int(first["mono_ns"]) - known_from
    findings.true(f"{name}: said after {late / 1e6:.1f} ms", late < FOUND)
    if expected.came is None:
        findings.true(f"{name}: its start is {(first['since_ns'] - stuck.begin) / 1e6:.3f} ms off",
                      abs(first["since_ns"] - stuck.begin) < NEAR)
    else:  # counts from when it came
        findings.true(f"{name}: its start, at {first['since_ns']}, is not when it came",
                      stuck.begin <= first["since_ns"] <= first["mono_ns"])
    findings.true(f"{name}: 'still' {len(found[0].events) - 2} times",
                  len(found[0].events) - 2 >= (stuck.end - first["mono_ns"]) // events.STILL - 1)
    findings.true(f"{name}: its end came {(last['mono_ns'] - stuck.end) / 1e6:.3f} ms after it",
                  0 <= last["mono_ns"] - stuck.end < END_KNOWN)
    return late


def check_others(findings: Findings, name: str, said: Sequence[Reported],
                 truth: Optional[Sequence[Episode]] = None) -> None:
    """The other conditions: those that the oracle saw, or at least no impossible ones."""
    others = [r for r in said if r.condition != "deadlock"]
    if truth is not None:
        events.check_episodes(findings, truth, others)
    findings.true(f"{name}: conditions {({r.condition for r in others})}",
                  {r.condition for r in others} <= MAY_BE)


def check_text(findings: Findings, text: str, stuck: Stuck, expected: Expected) -> None:
    """The same for a reader: the chain follows where it begins."""
    lines = text.splitlines()
    begins = [i for i, line in enumerate(lines) if " deadlock begin" in line]
    findings.equal("text: deadlocks", len(begins), 1)
    findings.equal("text: their ends", sum(" deadlock end after at most " in x for x in lines), 1)
    for begin in begins:
        chain = []
        for line in lines[begin + 1:]:
            if not line.startswith("    "):
                break
            chain.append(line)
        for role, behind in expected.behind.items():
            pattern = (rf"^    \S+\({stuck.tids[role]}\), .*holds a thread for .* "
                       rf"behind .*\({stuck.tids[behind[0]]}\)$")
            findings.true(f"text: no line of the chain is like {pattern!r}: {chain}",
                          any(re.match(pattern, line) for line in chain))
        for role in stuck.queued:
            pattern = rf"^    .+\({stuck.tids[role]}\), .*waits in the queue for "
            findings.true(f"text: no line of the chain is like {pattern!r}: {chain}",
                          any(re.match(pattern, line) for line in chain))


def check_frames(findings: Findings, seen: Sequence[Object], stuck: Stuck, truth: Replay,
                 expected: Expected) -> None:
    """It is on the screen while it lasts, and everybody is gone in the end."""
    frames.check_sane(findings, seen, {"calls_late": None})
    pools = [(frame["mono_ns"], frame["pools"][0]) for frame in seen]
    during = [pool["conditions"]["deadlock"] for at, pool in pools
              if stuck.begin + FOUND < at < stuck.end]
    findings.true("no frame was made while it lasted", bool(during))
    for condition in during:
        findings.equal("a frame's deadlock (count, lasting)",
                       (condition["count"], condition["lasting"]), (1, 1))
        findings.true("a frame's deadlock since", condition["since_ns"] is not None
                      and abs(condition["since_ns"] - stuck.begin) < NEAR)
    last = pools[-1][1]
    for key, want in (("in_use_normal", 0), ("in_use_system", 0), ("waiting_normal", 0),
                      ("free", 2), ("driver_free", 2), ("drift", 0)):
        findings.equal(f"the pool's {key} in the end", last[key], want)
    condition = last["conditions"]["deadlock"]
    findings.equal("deadlock in the end (count, lasting)",
                   (condition["count"], condition["lasting"]), (1, 0))
    # It is over as P1's wait is, which is killed; its call ends a little later.
    findings.true(f"the longest deadlock took {condition['longest_ns']} ns",
                  -MS < condition["longest_ns"] - (stuck.end - stuck.begin) < END_KNOWN)
    made = [c for c in truth.calls if c.ended is not None
            and pools[0][0] < c.start and c.ended < pools[-1][0]]
    findings.equal("calls that ended between the first and the last frame",
                   last["class_sums"]["normal"]["calls"]
                   - pools[0][1]["class_sums"]["normal"]["calls"], len(made))
    in_frames = events.reported(Findings(), events.of_frames(seen))
    check_deadlock(findings, "frames", in_frames, stuck, expected)


def check_clients(findings: Findings, seen: Sequence[Object],
                  want: Mapping[str, tuple[int, int, int]]) -> None:
    """Of each client's sessions: how many there were, their calls, and those that failed."""
    have = {name: (0, 0, 0) for name in want}
    for row in frames.final_sessions(seen):
        sessions, calls, failed = have.get(row["client"], (0, 0, 0))
        have[row["client"]] = sessions + 1, calls + row["calls"], failed + row["failed"]
        findings.equal(f"{row['client']}: state", row["state"], "closed")
        findings.equal(f"{row['client']}: in flight", row["in_flight"], 0)
    findings.equal("clients' sessions, calls, failures", have, dict(want))


def run_locked(context: Context, make: str, watch: Sequence[str], *options: str) -> vm.Run:
    script = deadlock.SCRIPT + events.SCRIPT.replace("/tmp/events.jsonl", "/dev/null")
    script += oracle.script() + deadlock.WATCH
    script += LOCKED % {"deadlock": make, "watch": "\n".join(f"watch {w}" for w in watch)}
    names = [w.split()[0] for w in watch]
    return vm.run(context, script, "--icount", *deadlock.PUT, *options,
                  gets=(*FILES, *(f"events.{name}" for name in (*names, "late"))))


def replayed(guest: vm.Run) -> Replay:
    trace, stats = map(guest.read, oracle.FILES)
    return oracle.replay(trace, stats, starved_ns=1000 * MS)


def note(context: Context, late: Mapping[str, Optional[int]]) -> None:
    """How long after its start, or after they came, they said it: for whoever wonders."""
    (context.dir / "found").write_text(
        "".join(f"{name} {(ns or 0) / 1e6:.1f} ms\n" for name, ns in late.items()))


@test()
def deadlock_supplicant(context: Context) -> None:
    guest = run_locked(context, "deadlock_supplicant",
                       ("json --json", "kprobes --json --kprobes", "text"))
    truth, marks, findings = replayed(guest), deadlock.mark_times(guest), Findings()
    stuck = find_stuck(guest, truth, marks["stuck"])
    known = Expected({"P1": ["plugin1"], "P2": ["plugin2"]})
    unknown = {"P1": ["plugin1", "plugin2"], "P2": ["plugin1", "plugin2"]}
    said = {name: said_by(guest, name) for name in ("json", "kprobes", "late")}
    note(context, {
        "json": check_deadlock(findings, "json", said["json"], stuck, known),
        "kprobes": check_deadlock(findings, "kprobes", said["kprobes"], stuck, Expected(unknown)),
        "late": check_deadlock(findings, "late", said["late"], stuck,
                               Expected(unknown, marks["late"]))})
    since = [e for e in truth.track.done if e.begin_ns > marks["json"]]
    check_others(findings, "json", said["json"], since)
    check_others(findings, "kprobes", said["kprobes"])
    check_others(findings, "late", said["late"])
    check_text(findings, guest.read("events.text").decode(), stuck, known)
    seen = frames.load(guest.files["top.jsonl"])
    check_frames(findings, seen, stuck, truth, known)
    # What P1 began has ended and was closed for it; the plugin made two sessions.
    check_clients(findings, seen, {"P1": (1, 3, 1), "P2": (1, 3, 0), "tee-supplicant": (2, 6, 0)})
    findings.done()


@test()
def deadlock_both(context: Context) -> None:
    guest = run_locked(context, "deadlock_both /nested.ko", ("json --json",),
                       "--put", f"{kmod.build('nested')}:/nested.ko")
    truth, marks, findings = replayed(guest), deadlock.mark_times(guest), Findings()
    stuck = find_stuck(guest, truth, marks["stuck"])
    # There is one thread of tee-supplicant that it can be, so that it is known at once.
    behind = {"P1": ["plugin1"], "outer": ["outer"]}
    said = {name: said_by(guest, name) for name in ("json", "late")}
    note(context, {
        "json": check_deadlock(findings, "json", said["json"], stuck, Expected(behind)),
        "late": check_deadlock(findings, "late", said["late"], stuck,
                               Expected(behind, marks["late"]))})
    check_others(findings, "json", said["json"],
                 [e for e in truth.track.done if e.begin_ns > marks["json"]])
    check_others(findings, "late", said["late"])
    seen = frames.load(guest.files["top.jsonl"])
    check_frames(findings, seen, stuck, truth, Expected(behind))
    check_clients(findings, seen, {"P1": (1, 3, 1), "outer": (2, 6, 0),
                                   "tee-supplicant": (1, 3, 0)})
    findings.done()


BUSY = r"""
watch json --json
watch kprobes --json --kprobes
busy_plugins
stuck
mark plugins
usleep 2000000
still_stuck || die "the plugins moved"
mark plugins_end
busy_end
busy_waits 4000
mark waits
usleep 2000000
mark waits_end
busy_end
busy_lock 3000
mark lock
usleep 2000000
still_stuck || die "they did not wait for each other"
mark lock_end
busy_end
kclient_load
busy_reserve
mark reserve
usleep 2000000
still_stuck || die "the plugin moved"
busy_end
kclient_wait
busy_revoked
mark revoked
watch late --json
usleep 2000000
still_stuck || die "the plugins moved"
mark revoked_end
busy_end
supplicant_leaves
watch alone --json
busy_alone
mark away
usleep 2000000
still_stuck || die "there is a tee-supplicant"
mark away_end
alone_end
finish_run
"""


def check_no_deadlock(findings: Findings, name: str, said: Sequence[Reported],
                      spans: Sequence[tuple[int, int]]) -> None:
    """Only that no thread was free, and that the whole time."""
    for one in events.of(said, "deadlock"):
        findings.add(f"{name}: no deadlock, but reported: {one.first['chain']}")
    exhausted = [one.episode for one in events.of(said, "exhausted")]
    for begin, end in spans:
        findings.true(f"{name}: not exhausted from {begin} to {end}",
                      any(e.begin_ns <= begin + NEAR and (e.end_ns or end) >= end
                          for e in exhausted))


@test()
def no_deadlock(context: Context) -> None:
    script = deadlock.SCRIPT + events.SCRIPT.replace("/tmp/events.jsonl", "/dev/null")
    names = ("json", "kprobes", "late", "alone")
    guest = vm.run(context, script + kclient.SCRIPT + oracle.script() + deadlock.WATCH + BUSY,
                   "--icount", *deadlock.PUT, *kclient.options(),
                   gets=(*FILES, *(f"events.{name}" for name in names)))
    truth, marks, findings = replayed(guest), deadlock.mark_times(guest), Findings()
    spans = [(marks[what], marks[f"{what}_end"] - 10 * MS)
             for what in ("plugins", "waits", "lock", "revoked", "away")]
    for begin, end in spans:
        findings.true("a thread was free: this is no test", any(
            e.condition == "exhausted" and e.begin_ns < begin and (e.end_ns or end) >= end
            for e in truth.track.done))
    for name in names:
        said = said_by(guest, name)
        came = marks[name]
        check_no_deadlock(findings, name, said, [(max(b, came), e) for b, e in spans if e > came])
        check_others(findings, name, said, None if name != "json" else
                     [e for e in truth.track.done if e.begin_ns > came])
    seen = frames.load(guest.files["top.jsonl"])
    frames.check_sane(findings, seen, {"calls_late": None})
    for frame in seen:
        findings.equal(f"frame {frame['seq']}: deadlocks",
                       frame["pools"][0]["conditions"]["deadlock"]["count"], 0)
    findings.done()
