# SPDX-License-Identifier: GPL-2.0-only
"""Runs a load of the call queue with optee-top and the oracle attached, and compares
what the two say of its conditions."""

from pathlib import Path
from typing import Mapping, NamedTuple, Sequence

from . import events, frames, kclient, oracle, vm
from .episode import Episode
from .events import MS, Reported, Tolerance
from .frames import Object
from .registry import Context, Findings
from .replay import Replay

RUN = r"""
kclient_load
oracle_start
top_start -d 1 %s
%s
top_stop
oracle_stop
"""


class Options(NamedTuple):
    """How the driver and optee-top are set."""

    threads: int = 2
    vm: Sequence[str] = ("--icount",)
    top: str = ""
    starved_ns: int = 1000 * MS
    tolerance: Tolerance = Tolerance()


class Observed(NamedTuple):
    """A run: what optee-top said and what was."""

    findings: Findings
    frames: Sequence[Object]
    said: Sequence[Reported]
    truth: Replay
    files: Mapping[str, Path]
    trace: tuple[bytes, bytes]

    def expected(self, condition: str) -> list[Episode]:
        return [e for e in self.truth.track.done if e.condition == condition]

    def tids(self, name: str) -> set[int]:
        """The tasks of a client, or of its clones."""
        return {call.tid for call in self.truth.calls
                if call.comm == name or call.comm.startswith(f"{name}-")}

    def lines(self) -> list[Reported]:
        """What `optee-top events` has told, if the load started it."""
        return events.of_lines(self.findings, frames.load(self.files["events.jsonl"]))


def clients(lines: Sequence[str], wait: bool = True) -> str:
    """A fragment that lets kernel clients run."""
    return f"kclient_{'run' if wait else 'start'} <<END\n" + "\n".join(lines) + "\nEND\n"


def observe(context: Context, load: str, options: Options = Options(),
            gets: Sequence[str] = ()) -> Observed:
    """Run the load and compare all events and counters with the oracle's."""
    script = kclient.SCRIPT + events.SCRIPT + oracle.script() + RUN % (options.top, load)
    guest = vm.run(context, script, *options.vm, "--threads", str(options.threads),
                   *kclient.options(), gets=("top.jsonl", *oracle.FILES, *gets))
    findings = Findings()
    trace = guest.read(oracle.FILES[0]), guest.read(oracle.FILES[1])
    truth = oracle.replay(*trace, starved_ns=options.starved_ns)
    seen = frames.load(guest.files["top.jsonl"])
    # The notification thread may have a call in flight as optee-top comes.
    frames.check_sane(findings, seen, {"calls_late": None})
    said = events.reported(findings, events.of_frames(seen), slack=options.tolerance.slack_ns)
    events.note(context, "frames",
                events.check_episodes(findings, truth.track.done, said, options.tolerance))
    events.check_counters(findings, seen[-1], truth.track, said, options.tolerance)
    return Observed(findings, seen, said, truth, guest.files, trace)


def overlaps(spans: Sequence[tuple[int, int]], level: int) -> list[tuple[int, int, int]]:
    """When more than so many of them last at once: begin, end and the most there are."""
    edges = sorted([(begin, 1) for begin, _ in spans] + [(end, -1) for _, end in spans])
    found, now, since, most = [], 0, None, 0
    for at, change in edges:
        now += change
        most = max(most, now)
        if now > level and since is None:
            since, most = at, now
        elif now <= level and since is not None:
            found.append((since, at, most))
            since = None
    return found


def spans(calls: Sequence[kclient.Call]) -> list[tuple[int, int]]:
    return [(call.start, call.end) for call in calls if call.end is not None]


def implied(condition: str, found: Sequence[tuple[int, int, int]]) -> list[Episode]:
    """Overlaps as episodes: what a script implies, by the clients' own account."""
    return [Episode(condition, begin, end, peak, frozenset()) for begin, end, peak in found]


def of_client(account: kclient.Account, name: str) -> list[kclient.Call]:
    """The calls of a client, or of its clones, in the order of their starts."""
    return sorted((c for c in account.calls if c.op == "invoke"
                   and (c.client == name or c.client.startswith(f"{name}-"))),
                  key=lambda c: c.start)
