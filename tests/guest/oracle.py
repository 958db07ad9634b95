# SPDX-License-Identifier: GPL-2.0-only
"""What really happened in the driver's call queue: an ftrace text of a run on a driver of
6.8 or later over SMC, replayed into calls and the episodes of the queue's conditions.

The queue changes only under its mutex. So every point where the driver lets go of the
mutex is traced, with the counts as they are there, and every completion that it gives:
the events' order is the order of the changes. The replay does on a list of its own what
the driver's source does, and every traced count, wake and choice has to agree with it:
a replay that is wrong fails at once, and says at which line."""

import re
import subprocess
from collections import Counter, defaultdict
from enum import Enum, auto
from typing import Iterator, Mapping, NamedTuple, NoReturn, Optional, Sequence

from .ftrace import ETHREAD_LIMIT, LINE, RETURNED
from .registry import Failed, Findings
from .vm import ROOT

# A shell fragment, for script() to complete: oracle_start before the load and oracle_stop
# after it. A wake is traced only while somebody completes somebody: the events at both
# ends of that switch sched_waking on and off, so that a busy guest's wakes cost nothing.
SCRIPT = r"""
ORACLE=/sys/kernel/tracing

oracle_start() {
	echo mono >$ORACLE/trace_clock
	echo 32768 >$ORACLE/buffer_size_kb
	while read -r probe; do
		echo "$probe" >>$ORACLE/kprobe_events || die "no kprobe: $probe"
	done <<-END
	@PROBES@
	END
	echo enable_event:sched:sched_waking >$ORACLE/events/oracle/complete_one/trigger ||
		die "no trigger on complete_one"
	echo disable_event:sched:sched_waking >$ORACLE/events/oracle/unlock/trigger ||
		die "no trigger on unlock"
	echo 1 >$ORACLE/events/oracle/enable
	echo 1 >$ORACLE/events/optee/enable
}

oracle_stop() {
	echo 0 >$ORACLE/tracing_on
	cat $ORACLE/trace >/tmp/oracle.trace
	grep -h -e overrun -e dropped $ORACLE/per_cpu/cpu*/stats >/tmp/oracle.stats
	cat $ORACLE/kprobe_profile >>/tmp/oracle.stats
}
"""
FILES = ("oracle.trace", "oracle.stats")

COUNTS = ("total_thread_count", "free_thread_count", "sys_thread_req_count")
COMPLETION = 16  # of struct optee_call_waiter, behind its list_head
LOCKED = ("optee_cq_wait_init", "optee_cq_wait_for_completion", "optee_cq_wait_final")
SESSION = ("optee_system_session", "optee_close_session_helper")  # they count reservations


def _run(*argv: object) -> str:
    done = subprocess.run([str(a) for a in argv], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode:
        raise Failed(f"{argv[0]} ended with {done.returncode}\n{done.stderr}")
    return done.stdout


def _calls_of(disassembly: str, callee: str) -> Iterator[tuple[str, int]]:
    """Where the functions call it: at a call its arguments are in known registers,
    whatever else the compiler did."""
    function, start = "", 0
    for line in disassembly.splitlines():
        if match := re.match(r"([0-9a-f]+) <(\w+)>:$", line):
            start, function = int(match[1], 16), match[2]
        elif match := re.match(r"\s+([0-9a-f]+): R_AARCH64_(?:CALL|JUMP)26\s+(\w+)$", line):
            if match[2] == callee:
                yield function, int(match[1], 16) - start


def script(kernel: str = "6.12") -> str:
    """SCRIPT for one of Debian's kernels: the driver's module says where to probe."""
    found = list((ROOT / f"build/vm/kernel/{kernel}").glob("lib/modules/*/kernel/**/optee.ko"))
    if len(found) != 1:
        raise Failed(f"no optee.ko of {kernel} below build/vm/kernel: {found}")
    base = ROOT / f"build/vm/headers/{kernel}/build/vmlinux"
    if not base.exists():
        _run(ROOT / "tests/vm/prepare", f"headers:{kernel}")
    types = _run("bpftool", "-B", base, "btf", "dump", "file", found[0], "format", "raw")
    queue = types[types.index("STRUCT 'optee_call_queue'"):]
    fetch = "cq=%x0:x64"
    for field, name in zip(COUNTS, ("total", "free", "sys")):
        match = re.search(rf"'{field}' type_id=\d+ bits_offset=(\d+)", queue)
        if not match:
            raise Failed(f"struct optee_call_queue of {kernel} has no {field}")
        fetch += f" {name}=+{int(match[1]) // 8}(%x0):s32"
    probes = ["wait_init optee_cq_wait_init cq=%x0:x64 w=%x1:x64 sys=%x2:u8",
              "wait_for optee_cq_wait_for_completion cq=%x0:x64 w=%x1:x64",
              "wait_final optee_cq_wait_final cq=%x0:x64 w=%x1:x64",
              f"complete_one optee_cq_complete_one {fetch}"]
    code = _run("aarch64-linux-gnu-objdump", "-dr", "-j", ".text", found[0])
    probes += [f"complete {function}+{offset} c=%x0:x64"
               for function, offset in _calls_of(code, "complete")
               if function == "optee_cq_complete_one"]
    unlocks = list(_calls_of(code, "mutex_unlock"))
    for name, functions in ("unlock", LOCKED), ("session_unlock", SESSION):
        probes += [f"{name} {function}+{offset} {fetch}"
                   for function, offset in unlocks if function in functions]
    return SCRIPT.replace("@PROBES@", "\n\t".join(f"p:oracle/{probe}" for probe in probes))


class Episode(NamedTuple):
    """A condition that lasted; at the most it was `peak` (what that counts: CONDITIONS)."""

    condition: str
    begin_ns: int
    end_ns: Optional[int]  # None: it lasts at the end of the trace
    peak: int
    tids: frozenset[int]   # all that ever took part
    culprit: Optional[int] = None  # stranded: the thread that swallowed the wake

    @property
    def duration_ns(self) -> Optional[int]:
        return None if self.end_ns is None else self.end_ns - self.begin_ns

    def __str__(self) -> str:
        lasts = "to the end" if self.end_ns is None else f"{(self.duration_ns or 0) / 1e6:.3f} ms"
        return (f"{self.condition} at {self.begin_ns / 1e9:.6f} s for {lasts}, peak {self.peak}, "
                f"threads {sorted(self.tids)}"
                + (f", by {self.culprit}" if self.culprit is not None else ""))


# Each with what its peak counts, and whose its tids are.
CONDITIONS = {
    "overrun": "system calls in flight",
    "harmful overrun": "normal waiters; tids: and the system calls in flight",
    "reserve breach": "normal calls in flight",
    "reserve idle": "normal waiters; tids: and the system calls in flight",
    "exhausted": "waiters; tids: and the calls in flight",
    "starved": "1: an episode a call",
    "stranded": "stranded waiters",
}


class Tracker:
    """Makes episodes of a condition's states."""

    def __init__(self) -> None:
        self.done: list[Episode] = []
        self._open: dict[str, Episode] = {}

    def update(self, condition: str, at: int, holds: bool, peak: int, tids: set[int],
               culprit: Optional[int] = None) -> None:
        now = self._open.get(condition)
        if holds:
            now = now or Episode(condition, at, None, 0, frozenset(), culprit)
            self._open[condition] = now._replace(peak=max(now.peak, peak), tids=now.tids | tids)
        elif now:
            del self._open[condition]
            if at > now.begin_ns:  # else shorter than a trace can tell
                self.done.append(now._replace(end_ns=at))

    def finish(self) -> None:
        self.done = sorted([*self.done, *self._open.values()], key=lambda e: e.begin_ns)
        self._open.clear()


class Phase(Enum):
    ARRIVING = auto()  # in optee_cq_wait_init(), not yet in the list
    EARLIER = auto()   # it was in the list before the replay began
    WAITING = auto()   # refused by Linux: asleep, or woken but not yet at the mutex again
    RETRYING = auto()  # woken and moved to the list's end, asks again next
    HOLDING = auto()   # admitted by Linux
    REFUSED = auto()   # admitted by Linux and refused by OP-TEE: ETHREAD_LIMIT
    ENDING = auto()    # in optee_cq_wait_final()
    ENDED = auto()


class Call:
    """One call; times in CLOCK_MONOTONIC ns, None while it has not come so far."""

    def __init__(self, tid: int, comm: str, system: bool, start: int) -> None:
        self.tid, self.comm, self.system, self.start = tid, comm, system, start
        self.slept: Optional[int] = None     # first optee_cq_wait_for_completion()
        self.admitted: Optional[int] = None  # first optee_invoke_fn_begin
        self.ended: Optional[int] = None     # optee_cq_complete_one()
        self.limits = 0                      # ETHREAD_LIMIT
        self.phase = Phase.ARRIVING
        self.done = False   # its completion, or used up meanwhile without the mutex ...
        self.again = False  # ... which it is not: it was completed once more

    @property
    def in_flight(self) -> bool:
        return self.admitted is not None and self.ended is None

    @property
    def waits(self) -> bool:
        return self.slept is not None and self.admitted is None

    @property
    def woken(self) -> bool:
        return self.phase is Phase.RETRYING or (self.phase is Phase.WAITING and self.done)

    @property
    def maybe_not_done(self) -> bool:
        return (self.phase in (Phase.WAITING, Phase.REFUSED)) and self.done and not self.again


class Event(NamedTuple):
    line: str
    comm: str
    tid: int
    at: int
    name: str
    rest: str

    def number(self, key: str) -> int:
        match = re.search(rf"\b{key}=(0x[0-9a-f]+|-?\d+)", self.rest)
        if not match:
            raise Failed(f"no {key} in ftrace's line: {self.line}")
        return int(match[1], 0)


class Section:
    """From an optee_cq_complete_one() to the end of what its caller does to the queue."""

    def __init__(self, tid: int, at: int) -> None:
        self.tid, self.at = tid, at
        self.ones = 0
        self.given: Optional[Call] = None      # by the latest complete_one
        self.woke = False
        self.swallowed: Optional[Call] = None  # the first given to a caller in flight


class Replay:
    """The queue, and what it has been through: calls, wakes (whom every
    optee_cq_complete_one() reached) and the episodes of its conditions."""

    def __init__(self, reserved: Optional[int]) -> None:
        self.calls: list[Call] = []
        self.wakes: Counter[str] = Counter()
        self.track = Tracker()
        self.total = self.free = self.sys_req = self.last = 0
        self._what_if = reserved
        self._cq: Optional[int] = None
        self._synced = False
        self._list: list[Call] = []
        self._live: list[Call] = []
        self._by_w: dict[int, Call] = {}
        self._stacks: Mapping[int, list[Call]] = defaultdict(list)
        self._section: Optional[Section] = None  # one at a time: it has the mutex
        self._event = Event("", "", 0, 0, "", "")

    def _wrong(self, what: str) -> NoReturn:
        raise Failed(f"the replay disagrees with the trace: {what}\n{self._event.line}")

    def _check(self, what: str, replayed: object, traced: object) -> None:
        if replayed != traced:
            self._wrong(f"{what} is {replayed!r} in the replay, {traced!r} in the trace")

    def _top(self) -> Optional[Call]:
        stack = self._stacks[self._event.tid]
        return stack[-1] if stack else None

    def _own(self) -> Optional[Section]:
        if self._section and self._section.tid != self._event.tid:
            self._wrong(f"thread {self._section.tid} still has the mutex")
        return self._section

    def _has_mutex(self) -> bool:
        return self._section is not None and self._section.tid == self._event.tid

    def _threshold(self, call: Call) -> int:
        return int(not call.system and self.sys_req > 0)

    def step(self, event: Event) -> None:
        self._event, self.last = event, event.at
        if event.name == "wait_init":
            self._wait_init()
        elif event.name in ("unlock", "session_unlock"):
            self._unlock(re.split(r"[(+]", event.rest, maxsplit=2)[1])
        elif self._synced:
            handler = getattr(self, f"_{event.name}", None)
            if handler:
                handler()
        elif event.name == "wait_final" and (call := self._top()):
            call.phase = Phase.ENDING
        if self._synced:
            self._judge()

    def _wait_init(self) -> None:
        event = self._event
        self._cq = self._cq or event.number("cq")
        self._check("the queue (only one can be followed)", self._cq, event.number("cq"))
        outer = self._top()
        if self._synced and (self._has_mutex() or (outer and outer.phase is not Phase.HOLDING)):
            self._wrong("a call begins while its task is in the queue")
        call = Call(event.tid, event.comm, bool(event.number("sys")), event.at)
        self._by_w[event.number("w")] = call
        self._stacks[event.tid].append(call)
        self._live.append(call)
        self.calls.append(call)

    def _wait_for(self) -> None:
        call = self._by_w.get(self._event.number("w"))
        if call is None or call.phase not in (Phase.WAITING, Phase.HOLDING):
            self._wrong("this call cannot go to sleep")
        if call.phase is Phase.HOLDING:
            call.phase = Phase.REFUSED
        else:
            call.slept = call.slept or self._event.at

    def _optee_invoke_fn_begin(self) -> None:
        call = self._top()
        if call is None:
            return  # not through the queue
        if call.phase is not Phase.HOLDING:
            self._wrong(f"a call that is {call.phase.name} enters the secure world")
        call.admitted = call.admitted or self._event.at

    def _optee_invoke_fn_end(self) -> None:
        match = RETURNED.search(self._event.rest)
        call = self._top()
        if call and match and int(match[1], 16) == ETHREAD_LIMIT:
            call.limits += 1

    def _wait_final(self) -> None:
        call = self._by_w.get(self._event.number("w"))
        if self._has_mutex() or call is None or call is not self._top() \
                or call.phase is not Phase.HOLDING:
            self._wrong("this call cannot end")
        call.phase = Phase.ENDING

    def _complete_one(self) -> None:
        call = self._top()
        self._section = section = self._own() or Section(self._event.tid, self._event.at)
        if section.ones:
            self._given_up(section)
        section.ones += 1
        if call is None or call.phase is not Phase.ENDING:
            self.sys_req -= 1  # the end of a system session
        elif section.ones == 1:
            call.ended = self._event.at
            self._list.remove(call)
            self.free += 1
        else:
            self._check("the wake it did not use", call.done, True)
            self.wakes["passed on"] += 1
        self._check_counts()

    def _order(self) -> Iterator[Call]:
        """Whom optee_cq_complete_one() asks, one after another."""
        yield from (c for c in self._list if c.system)
        yield from self._list

    def _complete(self) -> None:
        section = self._own()
        chosen = self._by_w.get(self._event.number("c") - COMPLETION)
        if section is None or section.given or chosen not in self._list:
            self._wrong("a wake that nobody gave or nobody can take")
        first = next((c for c in self._order() if not c.done or c is chosen), None)
        if first is not chosen or (chosen.done and not chosen.maybe_not_done):
            self._wrong(f"the wake is thread {first.tid if first else None}'s, "
                        f"not {chosen.tid}'s ({chosen.phase.name}, done {chosen.done})")
        section.given, section.woke = chosen, False
        if chosen.phase in (Phase.HOLDING, Phase.ENDING):
            self.wakes["swallowed in flight"] += 1
            section.swallowed = section.swallowed or chosen
        elif chosen.woken:
            self.wakes["swallowed by one woken before"] += 1
            section.swallowed = section.swallowed or chosen
            chosen.again = chosen.done
        else:  # without a sched_waking if it was just about to sleep
            self.wakes["to a waiter"] += 1
        chosen.done = True

    def _sched_waking(self) -> None:
        section = self._section
        stack = self._stacks.get(self._event.number("pid"))
        if not section or section.tid != self._event.tid or not stack:
            return
        if stack[-1].phase not in (Phase.WAITING, Phase.REFUSED):
            return  # by an interrupt, or none of the queue's
        if stack[-1] is not section.given or section.woke:
            self._wrong(f"thread {stack[-1].tid} is woken, but not by its completion")
        section.woke = True

    def _given_up(self, section: Section) -> None:
        """An optee_cq_complete_one() is over."""
        if section.given is None:
            self._check("nobody left to wake", all(c.done for c in self._list), True)
            self.wakes["to nobody"] += 1
        section.given = None

    def _unlock(self, function: str) -> None:
        call = self._top()
        if self._event.number("cq") != self._cq:
            return  # another mutex; or nothing is known yet
        if not self._synced:
            if function == "optee_cq_wait_final" and call and call.phase is Phase.ENDING:
                self._forget(call)
            elif call and call.phase is Phase.ARRIVING:
                self._try_to_begin(call)
            if not self._synced:
                return
            self._live = [c for c in self._live if c.phase is Phase.ARRIVING]
        section, self._section = self._own(), None
        if function in SESSION:
            if not section:
                self.sys_req = self._event.number("sys")  # a new system session
        elif call is None:
            self._wrong("a task without a call works on the queue")
        elif function == "optee_cq_wait_for_completion":
            self._requeue(call)
        elif call.phase is Phase.ENDING:
            self._check("how often the end of the call woke somebody",
                        1 + call.done, section.ones if section else 0)
            self._forget(call)
        else:
            self._ask(call)
        self._check_counts()
        if section:
            self._given_up(section)
            self._judge_stranded(section.at, section.swallowed)
        else:
            self._judge_stranded(self._event.at, None)

    def _try_to_begin(self, call: Call) -> None:
        """With one thread in use, the newcomer's, nobody else can be in the queue."""
        event = self._event
        self.total, self.sys_req = event.number("total"), event.number("sys")
        if self.total <= 0:
            raise Failed("this driver does not count OP-TEE's threads")
        if event.number("free") != self.total - 1:
            call.phase = Phase.EARLIER
            return
        if any(c.phase is not Phase.ARRIVING for c in self._live):
            self._wrong("calls from before are in flight, but no thread is in use")
        self.free, self._synced = self.total, True
        self.calls = [c for c in self._live]

    def _forget(self, call: Call) -> None:
        call.phase = Phase.ENDED
        self._stacks[call.tid].pop()
        self._live.remove(call)

    def _requeue(self, call: Call) -> None:
        self._check("the wake of a call that goes on", call.done, True)
        self._list.remove(call)
        self._list.append(call)
        call.done = call.again = False
        call.phase = Phase.HOLDING if call.phase is Phase.REFUSED else Phase.RETRYING

    def _ask(self, call: Call) -> None:
        if call.phase is Phase.ARRIVING:
            self._list.append(call)
        elif call.phase is not Phase.RETRYING:
            self._wrong(f"a call that is {call.phase.name} asks for a thread")
        admissible = self.free > self._threshold(call)
        self.free -= admissible
        call.phase = Phase.HOLDING if admissible else Phase.WAITING

    def _check_counts(self) -> None:
        for name, have in ("free", self.free), ("total", self.total), ("sys", self.sys_req):
            self._check(f"the count {name!r}", have, self._event.number(name))

    def _judge(self) -> None:
        reserved = int(self.sys_req > 0) if self._what_if is None else self._what_if
        flying = [c for c in self._live if c.in_flight]
        system = {c.tid for c in flying if c.system}
        normal = {c.tid for c in flying if not c.system}
        waiting = {c.tid for c in self._live if c.waits}
        held_back = {c.tid for c in self._live if c.waits and not c.system}
        n_system = sum(c.system for c in flying)
        n_normal = len(flying) - n_system

        def note(condition: str, holds: bool, peak: int, tids: set[int]) -> None:
            self.track.update(condition, self._event.at, holds, peak, tids)
        over = n_system > reserved
        note("overrun", over, n_system, system)
        note("harmful overrun", over and bool(held_back), len(held_back), system | held_back)
        note("reserve breach", n_normal > self.total - reserved, n_normal, normal)
        note("reserve idle", bool(held_back) and n_system > 0 and len(flying) < self.total,
             len(held_back), system | held_back)
        note("exhausted", len(flying) == self.total, len(waiting), system | normal | waiting)

    def _judge_stranded(self, at: int, swallowed: Optional[Call]) -> None:
        """Only between changes: a wake that is being given is not one that is missing."""
        spare = self.free - sum(c.woken for c in self._list)
        stranded = [c for c in self._list if c.phase is Phase.WAITING and not c.done
                    and spare > self._threshold(c)]
        if swallowed is None:  # the state became so later: whose is a wake not used yet?
            swallowed = next((c for c in reversed(self._list)
                              if c.phase in (Phase.HOLDING, Phase.ENDING) and c.done), None)
        self.track.update("stranded", at, bool(stranded), len(stranded),
                          {c.tid for c in stranded}, swallowed.tid if swallowed else None)

    def finish(self, starved_ns: Optional[int]) -> None:
        if not self._synced:
            raise Failed("the trace has no moment with one call in the queue to begin at")
        for call in self.calls:
            if call.slept is None or starved_ns is None:
                continue
            begin = call.slept + starved_ns
            if begin < (call.admitted or self.last):
                self.track.done.append(Episode("starved", begin, call.admitted, 1,
                                               frozenset([call.tid]), None))
        self.track.finish()


def _events(trace: bytes) -> Iterator[Event]:
    for line in trace.decode(errors="replace").splitlines():
        if line.startswith("#") or not line:
            continue
        match = LINE.match(line)
        if not match:
            raise Failed(f"ftrace printed a line that is not an event: {line!r}")
        comm, tid, seconds, micros, name, rest = match.groups()
        yield Event(line, comm.strip(), int(tid), int(seconds) * 10**9 + int(micros) * 1000,
                    name, rest)


def replay(trace: bytes, stats: bytes, reserved: Optional[int] = None,
           starved_ns: Optional[int] = None) -> Replay:
    """Replay a run. reserved: how many entries are to be taken as reserved, instead of
    one while there is a system session."""
    for line in stats.decode().splitlines():
        *name, count = line.split()
        if (name[0] in ("overrun:", "commit", "dropped") or len(name) == 2) and int(count):
            raise Failed(f"ftrace lost events: {line.strip()}")
    done = Replay(reserved)
    for event in _events(trace):
        done.step(event)
    done.finish(starved_ns)
    return done


def episodes(trace: bytes, stats: bytes, reserved: Optional[int] = None,
             starved_ns: Optional[int] = None) -> Sequence[Episode]:
    return replay(trace, stats, reserved, starved_ns).track.done


def table(found: Sequence[Episode]) -> str:
    """How many episodes of each condition, in all how long, and the longest."""
    lines = [f"{'condition':<16}{'count':>8}{'total ms':>12}{'longest ms':>12}{'peak':>6}"]
    for condition in CONDITIONS:
        mine = [e for e in found if e.condition == condition]
        took = [e.duration_ns for e in mine if e.duration_ns is not None] or [0]
        lines.append(f"{condition:<16}{len(mine):>8}{sum(took) / 1e6:>12.3f}"
                     f"{max(took) / 1e6:>12.3f}{max((e.peak for e in mine), default=0):>6}"
                     + (" (and one to the end)" if any(e.end_ns is None for e in mine) else ""))
    return "\n".join(lines)


def _near(one: Optional[int], other: Optional[int], tolerance_ns: float) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= tolerance_ns


def match(findings: Findings, expected: Sequence[Episode], reported: Sequence[Episode],
          tolerance_ns: float = 5e6, shorter_than_ns: float = 0) -> None:
    """Find each expected episode among the reported, and each reported among the expected:
    begins and durations within the tolerance, peaks equal, culprits too where both have
    one. What is shorter than the limit, or so near it that the other side may take it for
    shorter, need not have a counterpart."""
    def counts(episode: Episode) -> bool:
        duration = episode.duration_ns
        return duration is None or duration >= shorter_than_ns + (shorter_than_ns and tolerance_ns)

    def differs(want: Episode, have: Episode) -> list[str]:
        wrong = [] if _near(want.duration_ns, have.duration_ns, tolerance_ns) else ["duration"]
        wrong += [] if want.peak == have.peak else ["peak"]
        known = want.culprit is not None and have.culprit is not None
        return wrong + (["culprit"] if known and want.culprit != have.culprit else [])

    left = list(reported)
    # Those that have to be found choose first, so that no short one takes their place.
    for want in sorted(expected, key=lambda e: (not counts(e), e.begin_ns)):
        near = [have for have in left if have.condition == want.condition
                and _near(want.begin_ns, have.begin_ns, tolerance_ns)]
        best = min(near, key=lambda have: (len(differs(want, have)),
                                           abs(have.begin_ns - want.begin_ns)), default=None)
        if best is None:
            if counts(want):
                findings.add(f"not reported: {want}")
        elif not differs(want, best):
            left.remove(best)
        elif counts(want) or counts(best):
            left.remove(best)
            findings.add(f"another {', '.join(differs(want, best))}: {want}; reported: {best}")
    for have in left:
        if counts(have):
            findings.add(f"reported, but never happened: {have}")
