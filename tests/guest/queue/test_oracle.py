# SPDX-License-Identifier: GPL-2.0-only
"""The oracle that optee-top is compared with: it believes a true trace of the stock
driver and no other, and its comparison finds what differs."""

import shlex
from collections import Counter
from typing import Sequence

from ..lib import episode, oracle, vm
from ..lib.episode import Episode
from ..lib.registry import Context, Failed, Findings, expect, test

LOAD = (
    "name=nops count=2 ta=invoke_tests repeat=0 nop gap=0..3",
    "name=short count=2 repeat=0 wait=1..20 gap=0..5",
    "name=long repeat=0 wait=50..300 gap=10..50",
    "name=opener sessions=0 ta=invoke_tests repeat=0 open nop nop close gap=1..10",
)
RUN = r"""
oracle_start
optee-load -r 0 -o /dev/null -s 2 %s || die "optee-load failed"
oracle_stop
"""
PASSED_BY = "swallowed by one woken before"  # those leave no mark


def _lies(trace: bytes, stats: bytes, wakes: Counter[str]) -> None:
    lines = trace.splitlines(keepends=True)
    for name in b"wait_init", b"unlock", b"complete", b"complete_one", b"wait_final":
        places = [n for n, line in enumerate(lines) if b": %s: (" % name in line]
        middle = places[len(places) // 4:len(places) * 3 // 4]  # the last ones show nowhere
        for place in middle[::max(1, len(middle) // 4)]:
            try:
                less = oracle.replay(b"".join([*lines[:place], *lines[place + 1:]]), stats)
            except Failed:
                continue
            if less.wakes[PASSED_BY] == wakes[PASSED_BY]:
                raise Failed(f"a trace without this line is believed:\n{lines[place].decode()}")
    place = next(n for n, line in enumerate(lines)
                 if b"complete_one:" in line and b"free=1" in line)
    lines[place] = lines[place].replace(b"free=1", b"free=2")
    try:
        oracle.replay(b"".join(lines), stats)
    except Failed:
        return
    raise Failed("a wrong count is believed")


@test()
def oracle_is_strict(context: Context) -> None:
    """A trace with an event less, or with another count, is not believed."""
    words = " ".join(map(shlex.quote, LOAD))
    guest = vm.run(context, oracle.script() + RUN % words, "--icount", gets=oracle.FILES)
    trace, stats = guest.read(oracle.FILES[0]), guest.read(oracle.FILES[1])
    done = oracle.replay(trace, stats)
    if len(done.calls) < 100 or not done.wakes["swallowed in flight"]:
        raise Failed(f"only {len(done.calls)} calls, wakes {dict(done.wakes)}: this is no test")
    _match()
    _lies(trace, stats, done.wakes)


def _seen(begin: int, end: int, peak: int = 1, name: str = "overrun") -> Episode:
    return Episode(name, begin * 10**6, end * 10**6, peak, frozenset())


def _found(expected: Sequence[Episode], reported: Sequence[Episode]) -> int:
    findings = Findings()
    episode.match(findings, expected, reported, shorter_than_ns=20e6)
    return len(findings.found)


def _match() -> None:
    """The comparison finds what differs, and nothing else."""
    one = _seen(100, 200)
    expect("the same", _found([one], [one]), 0)
    expect("within the tolerance", _found([one], [_seen(104, 206)]), 0)
    expect("too late", _found([one], [_seen(106, 206)]), 2)
    expect("too long", _found([one], [_seen(104, 212)]), 1)
    expect("another peak", _found([one], [_seen(100, 200, 2)]), 1)
    expect("another condition", _found([one], [_seen(100, 200, 1, "exhausted")]), 2)
    expect("a short one", _found([], [_seen(100, 110)]), 0)
    expect("a borderline one", _found([_seen(100, 123)], []), 0)
    expect("a long one", _found([_seen(100, 126)], []), 1)
    expect("a short one in the way", _found([_seen(98, 100), one], [one]), 0)
    expect("two for one", _found([one], [one, one]), 1)
