# SPDX-License-Identifier: GPL-2.0-only
"""Stranded waiters: a call in flight swallows the wake of one that sleeps, and a thread
is free for nothing until the first one ends. Stock driver, pools of 2, 4 and 8 threads."""

from ..lib import account, events, kclient
from ..lib.conditions import Observed, Options, observe
from ..lib.events import MS, Reported
from ..lib.registry import Context, Failed, test

# The other threads are held as long as A's. A was there first, so the wake of B's end is
# given to A; when A ends, it is passed on.
NORMAL = r"""
optee-load -o /tmp/load 'name=A at=0 wait=%(wait)d' %(others)s 'name=B at=20 wait=1000' \
	'name=C at=600 wait=100' &
LOAD=$!
wait_for 30 is_said '"stranded","state":"begin"'
kill -0 $LOAD || die "it was said only when all was over"
wait $LOAD || die "optee-load failed"
"""

# Among system calls, too, the wake goes to the first: to A, which is in flight.
SYSTEM = r"""
said=$(grep -c '"stranded","state":"begin"' /tmp/events.jsonl)
is_said_again() { [ "$(grep -c '"stranded","state":"begin"' /tmp/events.jsonl)" -gt "$said" ]; }
kclient_start <<END
name=B wait=1000
%(others)s
name=A system at=20 wait=3000
name=C system at=600 wait=100
END
wait_for 30 is_said_again
kclient_is_idle && die "it was said only when all was over"
kclient_wait
"""


class Task:
    """What the account says of one client's only call."""

    def __init__(self, tid: int, start: int, end: int) -> None:
        self.tid, self.start, self.end = tid, start, end


def _check(seen: Observed, what: str, said: list[Reported], tasks: dict[str, Task],
           waiter: str) -> None:
    """C starves from the end of B to the end of A."""
    a, b, c = (tasks[name] for name in "ABC")
    findings = seen.findings
    found = [r for r in said if c.tid in r.parties("waits")
             and (r.episode.duration_ns or 0) > 1000 * MS]
    if len(found) != 1:
        raise Failed(f"{what}: {len(found)} long strands of C, not 1: {found}")
    one = found[0]
    episode = one.episode
    findings.true(f"{what}: {episode}, but B ended at {b.end}",
                  abs(episode.begin_ns - b.end) <= 5 * MS)
    findings.true(f"{what}: {episode}, but A ended at {a.end}",
                  abs((episode.end_ns or 0) - a.end) <= 5 * MS)
    findings.true(f"{what}: found {one.found_late_ns} ns after its start",
                  one.found_late_ns <= 100 * MS)
    findings.equal(f"{what}: the culprit", episode.culprit, a.tid)
    waits = {p["tid"]: p for p in one.first["who"] if p["waits"]}
    findings.equal(f"{what}: the class of C", waits[c.tid]["class"], waiter)
    culprit = next((p for p in one.first["who"] if p["culprit"]), None)
    if culprit:
        findings.equal(f"{what}: the culprit's name", culprit["comm"], "A")
        findings.true(f"{what}: the wake was swallowed at {culprit['swallowed_ns']}",
                      abs(culprit["swallowed_ns"] - b.end) <= 5 * MS)
        findings.true(f"{what}: the chain does not name it: {one.first['chain']}",
                      f"A({a.tid})" in " ".join(one.first["chain"]))
    findings.true(f"{what}: no thread is free", one.first["why"]["driver_free"] >= 1)
    findings.true(f"{what}: nobody said that it lasts",
                  "still" in [e["state"] for e in one.events])


def _stranded(context: Context, threads: int) -> None:
    """A normal waiter, and a system waiter."""
    wait = 6000 if threads == 2 else 3000
    others = f"name=L count={threads - 2} at=10 wait=3000" if threads > 2 else ""
    load = "events_start\n" + NORMAL % {"others": others and f"'{others}'", "wait": wait} \
        + SYSTEM % {"others": others} + "top_settle\nevents_stop\n"
    seen = observe(context, load, Options(threads), ("events.jsonl", "load", "kclient"))
    user = {c.client: Task(c.tid, c.start, c.end or 0)
            for c in account.load(seen.files["load"]).calls if c.op == "invoke"}
    kernel = {c.client: Task(c.tid, c.start, c.end or 0)
              for c in kclient.load(seen.files["kclient"]).calls if c.op == "invoke"}
    lines = seen.lines()
    events.note(context, "events", events.check_episodes(
        seen.findings, seen.expected("stranded"), events.of(lines, "stranded")))
    for name, said in ("frames", seen.said), ("events", lines):
        strands = events.of(said, "stranded")
        _check(seen, f"a normal waiter in {name}", strands, user, "normal")
        _check(seen, f"a system waiter in {name}", strands, kernel, "system")
    seen.findings.done()


@test()
def stranded_2(context: Context) -> None:
    _stranded(context, 2)


@test(check_all=True)
def stranded_4(context: Context) -> None:
    """More threads than in stranded_2, and the same calls."""
    _stranded(context, 4)


@test(check_all=True)
def stranded_8(context: Context) -> None:
    """As stranded_4."""
    _stranded(context, 8)
