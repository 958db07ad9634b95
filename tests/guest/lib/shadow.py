# SPDX-License-Identifier: GPL-2.0-only
"""What policies in shadow should have said, worked out from a recording's calls and from what
the clients in the kernel say of their reservations, with the rules of the policies again, in a
line or two each.

A call counts as in flight until the driver's bookkeeping has seen its end, which is a bit later
than its return, which the recording tells. Of a call that comes in that time, both are
possible: so there is a least and a most for each figure, and they are to be close."""

from itertools import product
from typing import Callable, Iterator, Mapping, NamedTuple, Sequence

from .kclient import Account
from .policy import Call

TIE = 20_000  # ns from a return until it is booked, on one CPU
FIGURES = ("enter", "enter_reserved", "wait_no_thread", "wait_kept", "stricter_kept", "looser")
WAIT, ENTER, RESERVED = "wait", "enter", "enter_reserved"


class Asked(NamedTuple):
    """A call, and the queue as a policy sees it."""

    system: bool
    beaten: bool  # it had to wait, and the reserved entry was in use when it came
    total: int
    reserved: int  # sessions that hold a reservation
    in_reserved: int  # calls in flight, by account
    in_normal: int

    @property
    def free(self) -> int:
        return self.total - self.in_reserved - self.in_normal

    def leaves(self, kept: int) -> str:
        return ENTER if self.in_normal + kept < self.total else WAIT


def upstream(a: Asked) -> str:
    return ENTER if a.free > (0 if a.system or not a.reserved else 1) else WAIT


def v6(a: Asked) -> str:
    return RESERVED if a.system else a.leaves(min(a.reserved, a.total - 1))


def half(a: Asked) -> str:
    return RESERVED if a.system else a.leaves(min(a.reserved, a.total // 2))


def strict(a: Asked) -> str:
    if a.system:
        return RESERVED if a.in_reserved < min(a.reserved, a.total - 1) else WAIT
    return a.leaves(min(a.reserved, a.total - 1))


def single(a: Asked) -> str:
    if a.system and not a.beaten and not a.in_reserved:
        return RESERVED
    return a.leaves(1 if a.reserved else 0)


RULES: Mapping[str, Callable[[Asked], str]] = {
    "none": lambda a: ENTER, "upstream": upstream, "v6": v6, "half": half, "strict": strict,
    "single": single,
}
# Does it give a reservation to who asks, when so many have one?
RESERVES: Mapping[str, Callable[[int, int], bool]] = {
    "none": lambda n, t: False,
    "v6": lambda n, t: n + 1 < t,
    "half": lambda n, t: 2 * (n + 1) <= t,
    "bounded": lambda n, t: n < 1,
    "single": lambda n, t: t > 1,
    "upstream": lambda n, t: t > 1,
    "strict": lambda n, t: n + 1 < t,
    "per-session": lambda n, t: n + 1 < t,
    "fair": lambda n, t: True,  # these two say nothing to it
    "tacap": lambda n, t: True,
}


class Reservations:
    """How many sessions hold one, at a time: a range while that changes."""

    def __init__(self, account: Account) -> None:
        self.changes = [(p.start, p.end, 1) for p in account.promotions if not p.error]
        promoted = {p.client for p in account.promotions if not p.error}
        self.changes += [(c.start, (c.end or c.start) + TIE, -1) for c in account.calls
                         if c.op == "close" and c.client in promoted]

    def at(self, when: int) -> range:
        sure = sum(n for _, end, n in self.changes if end <= when)
        maybe = [n for start, end, n in self.changes if start <= when < end]
        return range(sure + sum(n for n in maybe if n < 0),
                     sure + sum(n for n in maybe if n > 0) + 1)


class Bounds:
    """The least and the most of each figure, by class ("normal", "system")."""

    def __init__(self) -> None:
        self.least = {(c, f): 0 for c in ("normal", "system") for f in FIGURES}
        self.most = dict(self.least)

    def add(self, system: bool, possible: Sequence[frozenset[str]]) -> None:
        of = "system" if system else "normal"
        for figure in FIGURES:
            self.least[of, figure] += all(figure in p for p in possible)
            self.most[of, figure] += any(figure in p for p in possible)

    @property
    def slack(self) -> int:
        return sum(self.most[key] - self.least[key] for key in self.most)


def counted(a: Asked, verdict: str, slept: bool) -> frozenset[str]:
    """The figures that the call is counted in."""
    if a.free <= 0:
        return frozenset(["wait_no_thread"])
    if verdict == WAIT:
        return frozenset(["wait_kept"] if slept else ["wait_kept", "stricter_kept"])
    return frozenset([verdict, "looser"] if slept else [verdict])


class Shadow:
    """One policy, through all calls in the order of what the driver did with them."""

    def __init__(self, name: str, threads: int, reservations: Reservations) -> None:
        self.rule = RULES[name]
        self.threads = threads
        self.reservations = reservations
        self.reserved: set[Call] = set()  # charged so
        self.beaten: set[Call] = set()
        self.bounds = Bounds()

    def _asked(self, call: Call, when: int, flying: Sequence[Call]) -> Iterator[Asked]:
        sure = [c for c in flying if c.end > when and c.admitted <= when]
        maybe = [c for c in flying if c not in sure and c.tid != call.tid]
        for there in product((False, True), repeat=len(maybe)):
            now = sure + [c for c, is_there in zip(maybe, there) if is_there]
            held = sum(1 for c in now if c in self.reserved)
            for n in self.reservations.at(when):
                yield Asked(call.system, call in self.beaten, self.threads, n, held,
                            len(now) - held)

    def arrives(self, call: Call, when: int, flying: Sequence[Call]) -> None:
        asked = list(self._asked(call, when, flying))
        self.bounds.add(call.system, [counted(a, self.rule(a), call.slept) for a in asked])
        if call.slept and call.system and asked[0].in_reserved:
            self.beaten.add(call)

    def enters(self, call: Call, flying: Sequence[Call]) -> None:
        if self.rule(next(self._asked(call, call.admitted, flying))) == RESERVED:
            self.reserved.add(call)


def bounds(calls: Sequence[Call], account: Account, threads: int) -> Mapping[str, Bounds]:
    """By policy."""
    shadows = {name: Shadow(name, threads, Reservations(account)) for name in RULES}
    events = [(c.admitted, 1, c) for c in calls]
    events += [(c.start, 0, c) for c in calls if c.slept]
    flying: list[Call] = []
    pending = sorted(events, key=lambda e: e[:2])
    for when, enters, call in pending:
        flying = [c for c in flying if c.end > when - TIE]
        near = flying
        if not enters: # seen at some time from its start on
            near = flying + [c for c in calls if when < c.admitted <= when + TIE and c != call]
        for shadow in shadows.values():
            if not call.internal and (not enters or not call.slept):
                shadow.arrives(call, when, near)
            if enters and not call.internal:
                shadow.enters(call, flying)
        if enters:
            flying.append(call)
    return {name: shadow.bounds for name, shadow in shadows.items()}
