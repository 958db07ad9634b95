# SPDX-License-Identifier: GPL-2.0-only
"""The driver's call queue, replayed from a trace. The replay does on a list of its own
what the driver's source does, and every traced count, wake and choice has to agree with
it: a replay that is wrong fails at once, and says at which line."""

import re
from collections import Counter, defaultdict
from enum import Enum, auto
from typing import Callable, Iterator, Mapping, NamedTuple, NoReturn, Optional

from .episode import Episode, Tracker
from .ftrace import ETHREAD_LIMIT, RETURNED
from .registry import Failed

COMPLETION = 16  # of struct optee_call_waiter, behind its list_head
SESSION = ("optee_system_session", "optee_close_session_helper")  # they count reservations


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


class Queue(NamedTuple):
    """The queue between two changes: the calls, and the tasks of some of them."""

    total: int      # threads
    reserved: int
    flying: int     # calls in flight,
    flying_system: int
    system: set[int]  # and whose they are
    normal: set[int]
    waiting: set[int]
    held_back: set[int]  # normal ones that wait


class Condition(NamedTuple):
    """A condition that is a state of the queue."""

    holds: Callable[[Queue], bool]
    peak: Callable[[Queue], int]
    tids: Callable[[Queue], set[int]]


STATES: Mapping[str, Condition] = {
    "overrun": Condition(
        lambda q: q.flying_system > q.reserved, lambda q: q.flying_system, lambda q: q.system),
    "harmful overrun": Condition(
        lambda q: q.flying_system > q.reserved and bool(q.held_back),
        lambda q: len(q.held_back), lambda q: q.system | q.held_back),
    "reserve breach": Condition(
        lambda q: q.flying - q.flying_system > q.total - q.reserved,
        lambda q: q.flying - q.flying_system, lambda q: q.normal),
    "reserve idle": Condition(
        lambda q: bool(q.held_back) and q.flying_system > 0 and q.flying < q.total,
        lambda q: len(q.held_back), lambda q: q.system | q.held_back),
    "exhausted": Condition(
        lambda q: q.flying == q.total, lambda q: len(q.waiting),
        lambda q: q.system | q.normal | q.waiting),
}
CONDITIONS = (*STATES, "stranded", "starved")  # all that the replay judges


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
        self.swallowed: Optional[Call] = None  # who took the last one that was in vain


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
            section.swallowed = chosen
        elif chosen.woken:
            self.wakes["swallowed by one woken before"] += 1
            section.swallowed = chosen
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
        flying = [c for c in self._live if c.in_flight]
        queue = Queue(
            self.total, int(self.sys_req > 0) if self._what_if is None else self._what_if,
            len(flying), sum(c.system for c in flying),
            {c.tid for c in flying if c.system}, {c.tid for c in flying if not c.system},
            {c.tid for c in self._live if c.waits},
            {c.tid for c in self._live if c.waits and not c.system})
        for name, condition in STATES.items():
            self.track.update(name, self._event.at, condition.holds(queue),
                              condition.peak(queue), condition.tids(queue))

    def _stranded(self) -> list[Call]:
        spare = self.free - sum(c.woken for c in self._list)
        return [c for c in self._list if c.phase is Phase.WAITING and not c.done
                and spare > self._threshold(c)]

    def _judge_stranded(self, at: int, swallowed: Optional[Call]) -> None:
        """Only between changes: a wake that is being given is not one that is missing."""
        stranded = self._stranded()
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
            begin = call.start + starved_ns  # the way to the lock is part of the wait
            if begin < (call.admitted or self.last):
                self.track.done.append(Episode("starved", begin, call.admitted, 1,
                                               frozenset([call.tid]), None))
        self.track.finish()
