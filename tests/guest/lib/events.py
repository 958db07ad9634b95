# SPDX-License-Identifier: GPL-2.0-only
"""What optee-top says of the queue's conditions: its events, read strictly and put
together to episodes, and its counters, compared with the episodes of the oracle."""

import functools
import math
import re
from collections import defaultdict
from typing import Any, Mapping, NamedTuple, Optional, Sequence

from . import episode, native, replay
from .episode import Episode, Tracker
from .frames import Object
from .registry import Context, Failed, Findings

# A shell fragment, after vm.PRELUDE: optee-top events beside optee-top itself.
SCRIPT = r"""
look_sleeps() { # attached, it only sleeps between its looks
	kill -0 $EVENTS 2>/dev/null || die "optee-top events has ended: $(cat /tmp/events.err)"
	[ "$(cat /proc/$EVENTS/wchan)" = hrtimer_nanosleep ]
}

events_start() { # [OPTION...]
	optee-top events --json "$@" >/tmp/events.jsonl 2>/tmp/events.err &
	EVENTS=$!
	wait_for 60 look_sleeps
}

is_said() { grep -q "$1" /tmp/events.jsonl; } # PATTERN: of an event that has come

events_stop() { # after top_settle, so that it has looked since
	kill -TERM $EVENTS
	wait $EVENTS || die "optee-top events ended with status $?: $(cat /tmp/events.err)"
	[ ! -s /tmp/events.err ] || die "optee-top events says: $(cat /tmp/events.err)"
}
"""

MS = 10**6
# Shorter ones are counted, but are no events: REPORT_EXHAUSTED_NS, REPORT_STRANDED_NS.
REPORTED_FROM = {"exhausted": 10 * MS, "stranded": 1 * MS}
SETTLES = {"drift": 1000 * MS, "lost wake": 100 * MS, "session leak": 1000 * MS,
           "supplicant gone": 1000 * MS}  # has to stay so long before it is believed
LOOK = 50 * MS     # how often optee-top looks at what lasts
STILL = 1000 * MS  # how often it says so
SLACK = 100 * MS   # that it may come late, on a machine that has work to do
# No hook sees them begin or end.
LOOKED_FOR = ("deadlock", "drift", "lost wake", "session leak", "supplicant gone")

INT, STR, BOOL = (int,), (str,), (bool,)
NUMBER_OR_NULL, TEXT_OR_NULL = (int, type(None)), (str, type(None))
Shape = Mapping[str, tuple[type, ...]]
EVENT: Shape = {
    "tee": INT, "condition": STR, "state": STR, "episode": INT, "mono_ns": INT,
    "since_ns": INT, "duration_ns": INT, "end_unseen": BOOL, "peak": INT, "peak_of": STR,
    "why": (dict,), "who": (list,), "unlisted": INT, "chain": (list,), "unreported": INT}
LINE: Shape = {"schema": STR, "ts": STR, "boot_id": STR, "seq": INT, **EVENT}
WHY: Shape = {
    "text": STR, "threads": NUMBER_OR_NULL, "reserved": INT, "in_use_normal": INT,
    "in_use_system": INT, "waiting_normal": INT, "waiting_system": INT,
    "driver_free": NUMBER_OR_NULL, "system_sessions": NUMBER_OR_NULL, "drift": NUMBER_OR_NULL}
PARTY: Shape = {
    "tid": NUMBER_OR_NULL, "pid": NUMBER_OR_NULL, "comm": TEXT_OR_NULL, "serial": NUMBER_OR_NULL,
    "session": NUMBER_OR_NULL, "client": TEXT_OR_NULL, "ta": TEXT_OR_NULL,
    "cmd": TEXT_OR_NULL, "func": NUMBER_OR_NULL, "class": TEXT_OR_NULL,
    "phase": TEXT_OR_NULL, "rpc_kind": TEXT_OR_NULL, "waits": BOOL,
    "since_ns": NUMBER_OR_NULL, "since_at_least": BOOL, "involved": BOOL}
MORE_OF_PARTY: Mapping[str, Shape] = {
    "stranded": {"culprit": BOOL, "swallowed_ns": NUMBER_OR_NULL},
    "deadlock": {"behind_tid": NUMBER_OR_NULL}}
CONDITION: Shape = {"count": INT, "lasting": INT, "since_ns": NUMBER_OR_NULL, "time_ns": INT,
                    "longest_ns": INT, "peak": INT}


@functools.cache
def names() -> tuple[str, ...]:
    """Of all conditions, as the program's table has them."""
    return tuple(re.findall(r"^(\w[\w ]*) \(peak: ", native.run("help", "conditions").out.decode(),
                            re.M))


def key(condition: str) -> str:
    """Its name as a key of a frame's conditions."""
    return condition.replace(" ", "_")


def _check_shape(what: str, have: Any, want: Shape) -> None:
    if not isinstance(have, dict) or list(have) != list(want):
        raise Failed(f"{what} has not the keys {list(want)}: {have!r}")
    for name, types in want.items():
        if type(have[name]) not in types:  # a bool is no number
            raise Failed(f"{what}: {name} is {have[name]!r}")


def _check_event(event: Object, shape: Shape) -> None:
    _check_shape("an event", event, shape)
    condition, what = event["condition"], f"an event ({event['condition']} {event['state']})"
    if condition not in names() or event["state"] not in ("begin", "still", "end"):
        raise Failed(f"{what} is none")
    _check_shape(f"why of {what}", event["why"], WHY)
    for party in event["who"]:
        _check_shape(f"who of {what}", party, {**PARTY, **MORE_OF_PARTY.get(condition, {})})
    calls = sum(event["why"][f"{where}_{c}"] for where in ("in_use", "waiting")
                for c in ("normal", "system"))
    about_all = condition in (*replay.CONDITIONS, "deadlock") and condition != "starved"
    if event["unlisted"] != (max(0, calls - len(event["who"])) if about_all else 0):
        raise Failed(f"{what} has {event['unlisted']} calls that are not listed: {event}")
    if any(type(link) is not str for link in event["chain"]):
        raise Failed(f"the chain of {what} is {event['chain']!r}")
    least = 0 if condition == "exhausted" else 1  # nobody need be waiting
    if event["duration_ns"] != event["mono_ns"] - event["since_ns"] or event["peak"] < least:
        raise Failed(f"{what} has no sound times and peak: {event}")
    if event["unreported"]:
        raise Failed(f"{what}: {event['unreported']} conditions were not reported")
    if (condition == "drift") != (event["why"]["drift"] is not None):
        raise Failed(f"why of {what} has the drift {event['why']['drift']}")


class Reported(NamedTuple):
    """An episode, of all events about it."""

    events: Sequence[Object]

    @property
    def first(self) -> Object:
        return self.events[0]

    @property
    def condition(self) -> str:
        return str(self.first["condition"])

    @property
    def ended(self) -> bool:
        return bool(self.events[-1]["state"] == "end")

    @property
    def found_late_ns(self) -> int:
        """How long after its start it was known; of one that is over at once it is 0."""
        return int(self.first["mono_ns"] - self.first["since_ns"])

    def parties(self, what: str) -> set[int]:
        """The tasks of which that is true: waits, involved, culprit."""
        return {party["tid"] for party in self.first["who"] if party[what]}

    @property
    def episode(self) -> Episode:
        last, tids = self.events[-1], self.parties("involved")
        culprits = self.parties("culprit") if self.condition == "stranded" else set()
        return Episode(self.condition, self.first["since_ns"],
                       last["mono_ns"] if self.ended else None, last["peak"], frozenset(tids),
                       culprits.pop() if culprits else None)


def _check_order(findings: Findings, one: Reported, slack: int) -> None:
    what = f"{one.condition} {one.first['episode']}"
    states = [e["state"] for e in one.events]
    within = ["still"] * (len(states) - 1 - one.ended)
    findings.equal(f"the states of {what}", states,
                   ["begin", *within, *(["end"] if one.ended else [])])
    for before, now in zip(one.events, one.events[1:]):
        findings.equal(f"the start of {what}", now["since_ns"], before["since_ns"])
        findings.true(f"the peak of {what} shrank", now["peak"] >= before["peak"])
        gap = now["mono_ns"] - before["mono_ns"]
        if now["state"] == "still":
            findings.true(f"{what} still lasts, {gap} ns after that was said last",
                          STILL <= gap < STILL + LOOK + slack)
        elif one.found_late_ns or one.condition in LOOKED_FOR:
            findings.true(f"nothing was said of {what} for {gap} ns",
                          0 <= gap < STILL + LOOK + slack)
    findings.equal(f"end_unseen of {what}", one.events[-1]["end_unseen"],
                   one.ended and one.condition in LOOKED_FOR)
    least = REPORTED_FROM.get(one.condition, 0) + SETTLES.get(one.condition, 0)
    if one.found_late_ns > LOOK + slack + least:
        findings.add(f"{what} was found only {one.found_late_ns} ns after its start")


def reported(findings: Findings, events: Sequence[Object], shape: Shape = EVENT,
             slack: int = SLACK) -> list[Reported]:
    """The episodes of the events, in the order of their first reports. A begin comes
    first, an end last, and still about once a second in between. slack: how late, in ns, a
    look may come."""
    found: dict[Any, list[Object]] = defaultdict(list)
    for event in events:
        _check_event(event, shape)
        found[event["condition"], event["tee"], event["episode"]].append(event)
    done = [Reported(of_one) for of_one in found.values()]
    for one in done:
        _check_order(findings, one, slack)
    return done


def of_frames(frames: Sequence[Object]) -> list[Object]:
    return [event for frame in frames for event in frame["events"]]


def of_lines(findings: Findings, lines: Sequence[Object]) -> list[Reported]:
    """The episodes that `optee-top events --json` has told."""
    findings.equal("the events' seq", [line["seq"] for line in lines],
                   list(range(1, len(lines) + 1)))
    return reported(findings, lines, LINE)


class Tolerance(NamedTuple):
    """How far apart optee-top and the oracle may be: each sees an event when its own hook
    runs, and the oracle's clock ticks once a microsecond."""

    one_ns: int = 5 * MS       # of one begin or length: a task may be preempted in between
    limit_ns: int = MS // 10   # so near REPORTED_FROM an episode may be taken either way
    usual_ns: int = MS // 10   # on the average
    order: float = 0           # a share of the episodes: split for the one and not for the
                               # other, as two CPUs do things in no order that both see
    slack_ns: int = SLACK      # of a look


def check_episodes(findings: Findings, expected: Sequence[Episode], said: Sequence[Reported],
                   tolerance: Tolerance = Tolerance()) -> dict[str, tuple[int, int, int]]:
    """All that the oracle saw was said, and nothing else. Of each condition: how many
    there are, and the largest differences of begin and of length."""
    seen: dict[str, tuple[int, int, int]] = {}
    for condition in {e.condition for e in expected} | {r.condition for r in said}:
        pairs = episode.match(
            findings, [e for e in expected if e.condition == condition],
            [r.episode for r in said if r.condition == condition], tolerance.one_ns,
            REPORTED_FROM.get(condition, 0), tolerance.limit_ns)
        seen[condition] = (
            len(pairs), max((abs(a.begin_ns - b.begin_ns) for a, b in pairs), default=0),
            max((abs((a.duration_ns or 0) - (b.duration_ns or 0)) for a, b in pairs), default=0))
    return seen


class Counted(NamedTuple):
    """What the oracle's complete list says of a condition."""

    number: int
    instants: int  # and those that may be none
    time_ns: int
    longest_ns: int
    peak: int
    instant_peak: int
    short: int     # of count: too short to be events
    doubtful: int  # so near that limit that it may be taken either way


def counted(truth: Tracker, condition: str, near_ns: float) -> Counted:
    mine = [e for e in truth.done if e.condition == condition]
    took = [e.duration_ns for e in mine if e.duration_ns is not None]
    if len(took) != len(mine):
        raise Failed(f"{condition} lasts at the end of the run: it cannot be compared")
    limit = REPORTED_FROM.get(condition, 0)
    return Counted(len(mine), truth.instants[condition], sum(took), max(took, default=0),
                   max((e.peak for e in mine), default=0), truth.instant_peaks[condition],
                   sum(ns < limit for ns in took),
                   sum(abs(ns - limit) < near_ns for ns in took) if limit else 0)


def check_counters(findings: Findings, frame: Object, truth: Tracker,
                   said: Sequence[Reported], tolerance: Tolerance = Tolerance()) -> None:
    """A frame's counters are those of the oracle's list, and every one counted was said,
    but for the short ones. Counts are exact, but for the oracle's instants: those that
    begin and end at one microsecond of its clock."""
    conditions = frame["pools"][0]["conditions"]
    findings.equal("the conditions", sorted(conditions), sorted(map(key, names())))
    for condition in replay.CONDITIONS:
        have, where = conditions[key(condition)], f"{condition} in the last frame"
        _check_shape(where, have, CONDITION)
        want = counted(truth, condition, tolerance.limit_ns)
        extra = math.ceil(want.number * tolerance.order)
        most = want.number + want.instants + extra
        findings.true(f"{where}: {have['count']} counted, {want.number} and {want.instants} of "
                      "no length happened", want.number - extra <= have["count"] <= most)
        findings.equal(f"{where}: lasting", have["lasting"], 0)
        usual_ns = tolerance.usual_ns
        findings.true(f"{where}: {have['time_ns']} ns, not {want.time_ns}",
                      abs(have["time_ns"] - want.time_ns) <= usual_ns * (1 + most))
        findings.true(f"{where}: the longest {have['longest_ns']} ns, not {want.longest_ns}",
                      abs(have["longest_ns"] - want.longest_ns) <= tolerance.one_ns + usual_ns)
        findings.true(f"{where}: the peak is {have['peak']}, not {want.peak}",
                      want.peak <= have["peak"] <= max(want.peak, want.instant_peak))
        ends = sum(r.ended for r in said if r.condition == condition)
        short = have["count"] - ends
        findings.true(f"{where}: {have['count']} counted, {ends} said, {want.short} short",
                      want.short - want.doubtful - extra <= short
                      <= want.short + want.doubtful + extra + want.instants)


def note(context: Context, name: str, seen: Mapping[str, tuple[int, int, int]]) -> None:
    """Leave the differences in the test's directory, for who wants to know them."""
    with open(context.dir / "differences", "a") as out:
        for condition, (count, begin, length) in sorted(seen.items()):
            out.write(f"{name}: {count} {condition}, begin {begin / 1e6:.3f} ms, "
                      f"length {length / 1e6:.3f} ms off at the most\n")


def of(said: Sequence[Reported], condition: str, tid: Optional[int] = None) -> list[Reported]:
    """Those of a condition, and of a task that waits."""
    return [r for r in said if r.condition == condition
            and (tid is None or tid in r.parties("waits"))]
