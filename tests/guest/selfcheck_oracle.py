# SPDX-License-Identifier: GPL-2.0-only
"""Tries the oracle itself, not optee-top: from tests, python3 -m guest.selfcheck_oracle
[NAME...]. Runs loads on the stock driver, demands that the replay agrees with the trace to
the end, that it notices a trace that is not true, and prints what there was."""

import shlex
import sys
from collections import Counter
from typing import Callable, NamedTuple, Sequence

from . import kclient, oracle, vm
from .oracle import Episode, Replay
from .registry import Context, Failed, Findings, expect

RUN = r"""
oracle_start
optee-load -o /tmp/load %s || die "optee-load failed"
oracle_stop
"""

STRANDED = ("name=A at=0 wait=6000", "name=B at=20 wait=1000", "name=C at=600 wait=100")
BUSY = (
    "name=nops count=2 ta=invoke_tests repeat=0 nop gap=0..3",
    "name=short count=2 repeat=0 wait=1..20 gap=0..5",
    "name=long repeat=0 wait=50..300 gap=10..50",
    "name=burner ta=concurrent repeat=0 burn=20..2000 gap=0..5",
    "name=opener sessions=0 ta=invoke_tests repeat=0 open nop nop close gap=1..10",
    "name=sha ta=concurrent repeat=0 sha=1..20",
)


# In the kernel, with system sessions. N waits for the reserved thread's sake, and from the
# second system call's begin on for want of any.
SYSTEM_2 = ("name=S1 system at=100 wait=1000", "name=S2 system at=400 wait=1000",
            "name=N at=200 wait=100")
# Here N1's end wakes S, which is in flight, before N3; N2's end wakes N3.
SYSTEM_4 = ("name=S system at=100 wait=2000", "name=N1 at=200 wait=500",
            "name=N2 at=250 wait=1000", "name=N3 at=300 wait=100")
KERNEL_RUN = r"""
kclient_load
oracle_start
kclient_run <<END
%s
END
oracle_stop
"""


class Case(NamedTuple):
    words: Sequence[str]
    options: Sequence[str]
    check: Callable[[Replay], None]
    kernel: bool = False


def stranded(done: Replay) -> None:
    """C waits 5 s for a thread that is free since B has ended."""
    slow = sorted(done.calls, key=lambda call: (call.ended or call.start) - call.start)
    tids = {call.comm: call.tid for call in slow}
    found = max((e for e in done.track.done if e.condition == "stranded"),
                key=lambda e: e.duration_ns or 0)
    print(f"  A is {tids['A']}, C is {tids['C']}: {found}")
    findings = Findings()
    findings.true("C was not stranded", tids["C"] in found.tids)
    findings.equal("whose wake it was", found.culprit, tids["A"])
    findings.true("it did not last for 5 s", 4.5e9 < (found.duration_ns or 0) < 5.5e9)
    findings.done()


def busy(done: Replay) -> None:
    if len(done.calls) < 1000:
        raise Failed(f"only {len(done.calls)} calls: this is no test")


def long_ones(done: Replay, want: dict[str, float]) -> None:
    """Those conditions for about so many seconds, and no others for long."""
    took: Counter[str] = Counter()
    for e in done.track.done:
        if (e.duration_ns or 0) > 5e7 and e.condition != "starved":
            print(f"  {e}")
            took[e.condition] += e.duration_ns or 0
    findings = Findings()
    findings.equal("what lasted for long", sorted(took), sorted(want))
    for condition, seconds in want.items():  # OP-TEE's waits are not exact
        findings.true(f"{condition} for {took[condition]} ns, not for about {seconds} s",
                      abs(took[condition] / 1e9 - seconds) < 0.25)
    findings.done()


def system_2(done: Replay) -> None:
    long_ones(done, {"overrun": 0.7, "harmful overrun": 0.7, "reserve idle": 0.5,
                     "exhausted": 0.7})


def system_4(done: Replay) -> None:
    long_ones(done, {"reserve idle": 1.0, "stranded": 0.5})


LOAD = ("-s", "20", *BUSY)
CASES = {
    "stranded": Case(STRANDED, ("--icount",), stranded),
    "stranded_smp": Case(STRANDED, ("--cpus", "2"), stranded),
    "system_2": Case(SYSTEM_2, ("--icount",), system_2, True),
    "system_4": Case(SYSTEM_4, ("--icount", "--threads", "4"), system_4, True),
    "busy_2_icount": Case(LOAD, ("--icount",), busy),
    "busy_2_smp": Case(LOAD, ("--cpus", "2"), busy),
    "busy_4_icount": Case(LOAD, ("--icount", "--threads", "4"), busy),
    "busy_4_smp": Case(LOAD, ("--cpus", "2", "--threads", "4"), busy),
}


WOKEN = "swallowed by one woken before"


def lies(trace: bytes, stats: bytes, wakes: Counter[str]) -> None:
    """A trace with an event less, or with another count, is not believed."""
    lines = trace.splitlines(keepends=True)
    noticed: Counter[str] = Counter()
    for name in b"wait_init", b"unlock", b"complete", b"complete_one", b"wait_final":
        places = [n for n, line in enumerate(lines) if b": %s: (" % name in line]
        middle = places[len(places) // 4:len(places) * 3 // 4]  # the last ones show nowhere
        for place in middle[::max(1, len(middle) // 4)]:
            tampered = [*lines[:place], *lines[place + 1:]]
            try:
                less = oracle.replay(b"".join(tampered), stats)
            except Failed:
                noticed[name.decode()] += 1
                continue
            if less.wakes[WOKEN] == wakes[WOKEN]:  # those leave no mark
                raise Failed(f"a trace without this line is believed:\n{lines[place].decode()}")
    place = next(n for n, line in enumerate(lines)
                 if b"complete_one:" in line and b"free=1" in line)
    try:
        lines[place] = lines[place].replace(b"free=1", b"free=2")
        oracle.replay(b"".join(lines), stats)
    except Failed as why:
        print(f"  lies noticed: {dict(noticed)}; {str(why).splitlines()[0]}")
    else:
        raise Failed("a wrong count is believed")


def waits(done: Replay) -> str:
    took = sorted((c.admitted - c.slept) / 1e6 for c in done.calls if c.slept and c.admitted)
    return (f"{len(done.calls)} calls, {len(took)} waited, median "
            f"{took[len(took) // 2] if took else 0:.3f} ms")


def spread(found: Sequence[Episode]) -> str:
    """How short the strands are."""
    took = [(e.duration_ns or 0) / 1e6 for e in found if e.condition == "stranded"]
    edges = [0, .1, .3, 1, 3, 10, 30, 100, 300, 1000, 1e9]
    return " ".join(f"<{high:g}:{sum(low <= ms < high for ms in took)}"
                    for low, high in zip(edges, edges[1:]))


def match() -> None:
    """The comparison finds what differs, and nothing else."""
    def seen(begin: int, end: int, peak: int = 1, name: str = "overrun") -> Episode:
        return Episode(name, begin * 10**6, end * 10**6, peak, frozenset())

    def found(expected: Sequence[Episode], reported: Sequence[Episode]) -> int:
        findings = Findings()
        oracle.match(findings, expected, reported, shorter_than_ns=20e6)
        return len(findings.found)
    one = seen(100, 200)
    expect("the same", found([one], [one]), 0)
    expect("within the tolerance", found([one], [seen(104, 206)]), 0)
    expect("too late", found([one], [seen(106, 206)]), 2)
    expect("too long", found([one], [seen(104, 212)]), 1)
    expect("another peak", found([one], [seen(100, 200, 2)]), 1)
    expect("another condition", found([one], [seen(100, 200, 1, "exhausted")]), 2)
    expect("a short one", found([], [seen(100, 110)]), 0)
    expect("a borderline one", found([seen(100, 123)], []), 0)
    expect("a long one", found([seen(100, 126)], []), 1)
    expect("a short one in the way", found([seen(98, 100), one], [one]), 0)
    expect("two for one", found([one], [one, one]), 1)


def load(case: Case) -> str:
    if case.kernel:
        return kclient.SCRIPT + KERNEL_RUN % "\n".join(case.words)
    return RUN % " ".join(map(shlex.quote, case.words))


def main(names: Sequence[str]) -> int:
    match()
    script = oracle.script()
    for name in names or CASES:
        case = CASES[name]
        print(f"{name}: {' '.join(case.options)}", flush=True)
        context = Context(f"oracle_{name}", vm.OUT / f"oracle_{name}", None)
        try:
            options = [*case.options, *(kclient.options() if case.kernel else ())]
            guest = vm.run(context, script + load(case), *options, gets=oracle.FILES)
            trace, stats = map(guest.read, oracle.FILES)
            done = oracle.replay(trace, stats, starved_ns=10**9)
            print(f"  {waits(done)}; wakes {dict(done.wakes)}")
            print(oracle.table(done.track.done))
            print(f"  strands by ms: {spread(done.track.done)}")
            case.check(done)
            if not case.kernel:
                lies(trace, stats, done.wakes)
        except Failed as why:
            print(f"FAIL {name}: {why}")
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
