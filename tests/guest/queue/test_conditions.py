# SPDX-License-Identifier: GPL-2.0-only
"""The conditions of the call queue: optee-top reports and counts each as it was, for
pools of 2, 4 and 8 threads on the stock driver."""

import os
import shlex
import statistics
import time
from pathlib import Path

from ..lib import conditions, events, kclient, kmod, oracle, vm
from ..lib.conditions import Observed, Options, clients, observe
from ..lib.episode import Episode
from ..lib.events import MS, Tolerance
from ..lib.frames import final_sessions, load
from ..lib.registry import ALONE, Context, Findings, test

# system calls at once with one entry in reserve; a normal client in every second run
OVERRUN = r"""
kclient_run <<END
name=S count=%(k)d system wait=150
%(normal)s
END
mv /tmp/kclient /tmp/kclient.%(run)s
"""


def _overruns(context: Context, threads: int) -> None:
    """K calls of system sessions at once, K = 1 .. T, without and with a normal client."""
    runs = [(k, normal) for k in range(1, threads + 1) for normal in (False, True)]
    script = "events_start --reserved 2\n"
    for k, normal in runs:
        script += OVERRUN % {"k": k, "run": f"{k}{'n' * normal}",
                           "normal": "name=N at=50 wait=50" if normal else ""}
    script += "top_settle\nevents_stop\n"
    names = [f"kclient.{k}{'n' * normal}" for k, normal in runs]
    seen = observe(context, script, Options(threads), ("events.jsonl", *names))
    findings = seen.findings
    implied: list[Episode] = []
    what_if: list[Episode] = []
    for (k, _), name in zip(runs, names):
        calls = conditions.spans(conditions.of_client(
            kclient.load(seen.files[name]), "S"))
        findings.equal(f"{name}: system calls", len(calls), k)
        for into, reserved in (implied, 1), (what_if, 2):
            found = conditions.overlaps(calls, reserved)
            findings.equal(f"{name}: overruns of {reserved}", [peak for _, _, peak in found],
                           [k] * (k > reserved))
            into += conditions.implied("overrun", found)
    overruns = events.of(seen.said, "overrun")
    events.note(context, "account", events.check_episodes(findings, implied, overruns))
    # It came after the oracle; all of these are of the load.
    lines = [r for r in seen.lines() if r.condition in ("overrun", "harmful overrun")]
    truth = oracle.replay(*seen.trace, reserved=2).track.done
    events.note(context, "events --reserved 2", events.check_episodes(
        findings, [e for e in truth if e.condition in ("overrun", "harmful overrun")], lines))
    events.check_episodes(findings, what_if, events.of(lines, "overrun"))
    _check_harm(seen, threads)
    findings.done()


def _check_harm(seen: Observed, threads: int) -> None:
    """Only normal clients make an overrun harmful: N, where it had to wait, and the
    notifications of OP-TEE."""
    normal = seen.tids("N")
    others = {c.tid for c in seen.truth.calls if c.comm.startswith("irq/")}
    harmful = events.of(seen.said, "harmful overrun")
    for one in harmful:
        seen.findings.true(f"{one.episode} harmed nobody",
                           bool(one.parties("waits") & (normal | others)))
    # A normal call needs two free threads while there are system sessions.
    had_to = sum(k > 1 and threads - k < 2 for k in range(1, threads + 1))
    seen.findings.equal("overruns that harmed N",
                        len([e for e in seen.expected("harmful overrun") if e.tids & normal]),
                        had_to)


# Waits for A's sake in the queue when it becomes a system session, as A does in flight.
CHANGING = ("name=A wait=700 repeat=3 gap=50 system-at=200", "name=B at=20 wait=500",
            "name=C at=100 wait=100 repeat=3 gap=20 system-at=300")


def _check_changing(seen: Observed) -> None:
    """The class is the call's, as it began, not the session's."""
    findings, account = seen.findings, kclient.load(seen.files["kclient"])
    findings.equal("sessions that changed", [(p.client, p.error) for p in account.promotions],
                   [("A", 0), ("C", 0)])
    for promotion in account.promotions:
        mine = [c for c in account.calls if c.client == promotion.client]
        findings.true(f"no call of {promotion.client} was there as its session changed",
                      any(c.op == "invoke" and not c.system and c.start < promotion.start
                          and (c.end or 0) > promotion.end for c in mine))
        tid = mine[0].tid
        findings.equal(f"classes of {promotion.client}'s calls",
                       [c.system for c in seen.truth.calls if c.tid == tid],
                       [c.system for c in sorted(mine, key=lambda c: c.start)])
        row = next(r for r in final_sessions(seen.frames) if r["pid"] == tid)
        findings.equal(f"class of {promotion.client}", row["class"], "system")
        for name, system in ("normal", False), ("system", True):
            findings.equal(f"{name} calls of {promotion.client}", row["class_sums"][name]["calls"],
                           sum(c.system == system for c in mine))
        findings.true(f"no overrun of {promotion.client}: this is no test",
                      any(tid in e.tids for e in seen.expected("overrun")))


def _reserve(context: Context, threads: int) -> None:
    """A normal call that waits for the reserve's sake; normal calls that hold all threads
    as the first session becomes a system session; and sessions whose class changes while
    their calls are in flight, or queued."""
    script = clients(["name=S system wait=700", f"name=N count={threads - 1} at=100 wait=200"])
    script += clients([f"name=N count={threads} wait=700", "name=P system-at=205"])
    script += "mv /tmp/kclient /tmp/kclient.breach\n"
    script += clients([*([f"name=F count={threads - 2} wait=2000"] if threads > 2 else []),
                       *CHANGING])
    seen = observe(context, script, Options(threads), ("kclient", "kclient.breach"))
    findings = seen.findings
    account = kclient.load(seen.files["kclient.breach"])
    promoted = account.promotions[0]
    held = conditions.overlaps(conditions.spans(conditions.of_client(account, "N")), threads - 1)
    breaches = [Episode("reserve breach", promoted.end, end, threads, frozenset())
                for begin, end, _ in held if begin < promoted.end < end]
    findings.equal("breaches that the script implies", len(breaches), 1)
    events.note(context, "account", events.check_episodes(
        findings, breaches, [r for r in events.of(seen.said, "reserve breach")
                             if r.parties("involved") & seen.tids("N")]))
    idles = [e for e in seen.expected("reserve idle") if e.tids & seen.tids("S")
             and (e.duration_ns or 0) > 50 * MS]
    findings.equal("peaks of the long idle reserves", len(idles), 1)
    for one in events.of(seen.said, "reserve idle"):
        findings.true(f"{one.episode}: nobody waits", bool(one.parties("waits")))
        findings.true(f"{one.episode}: no thread is free", one.first["why"]["driver_free"] > 0)
    _check_changing(seen)
    findings.done()


STARVED = r"""
events_start --starved 0.2
kclient_start <<END
name=H count=%(threads)d wait=1800
name=W at=100 wait=50
name=W2 at=1000 wait=50
END
wait_for 30 is_said '"starved","state":"begin"'
kclient_is_idle && die "it was said only when all was over"
kclient_wait
kclient_run <<END
name=H count=%(threads)d wait=150
name=W3 at=50 wait=50
END
top_settle
events_stop
"""


def _starved(context: Context, threads: int) -> None:
    """W and W2 wait for more than 0.2 s, W3 does not."""
    seen = observe(context, STARVED % {"threads": threads},
                   Options(threads, top="--starved 0.2", starved_ns=200 * MS), ("events.jsonl",))
    findings = seen.findings
    lines = seen.lines()
    for said in seen.said, lines:
        for name, number in ("W", 1), ("W2", 1), ("W3", 0):
            findings.equal(f"how often {name} starved",
                           len([r for r in events.of(said, "starved")
                                if r.parties("involved") & seen.tids(name)]), number)
        for one in events.of(said, "starved"):
            episode = one.episode
            findings.true(f"{episode} was found {one.found_late_ns} ns after its start",
                          one.found_late_ns <= 100 * MS)
    events.note(context, "events", events.check_episodes(
        findings, seen.expected("starved"), events.of(lines, "starved")))
    findings.done()


MISCOUNT = r"""
planted() { [ "$(cat /sys/module/miscount/parameters/planted)" = 1 ]; }
now() { read -r up idle </proc/uptime; echo "$1 $up" >>/tmp/times; }

kclient_load
top_start -d 1
now before
insmod /miscount.ko || die "no miscount.ko"
wait_for 10 planted
now planted
top_settle
kclient_run <<END
name=A wait=2500
name=B at=10 wait=2500
name=C at=20 wait=100
END
top_settle
now removing
rmmod miscount
now removed
top_stop
"""
TICK = 10 * MS  # of /proc/uptime


@test()
def count_mismatch(context: Context) -> None:
    """The driver believes in a third thread. OP-TEE refuses the third call; and the count
    of the threads in use has drifted."""
    guest = vm.run(context, kclient.SCRIPT + MISCOUNT, "--icount", *kclient.options(),
                   "--put", f"{kmod.build('miscount')}:/miscount.ko",
                   gets=("top.jsonl", "times", "kclient"))
    findings = Findings()
    seen = load(guest.files["top.jsonl"])
    times = {name: int(float(at) * 1000) * MS for name, at in
             (line.split() for line in guest.files["times"].read_text().splitlines())}
    said = events.reported(findings, events.of_frames(seen))
    account = kclient.load(guest.files["kclient"])
    (a,), (b,), (c,) = (account.of(name) for name in ("A", "B", "C"))
    mismatches = events.of(said, "count mismatch")
    findings.equal("count mismatches", [r.parties("involved") for r in mismatches], [{c.tid}])
    for one in mismatches:
        episode = one.episode
        findings.true(f"{episode}, but C began at {c.start}",
                      0 <= episode.begin_ns - c.start <= 5 * MS)
        # Its wake comes from the end of A or of B, and may be swallowed by B.
        findings.true(f"{episode} ends with neither A, {a.end}, nor B, {b.end}",
                      any(abs((end or 0) - (episode.end_ns or 0)) <= 5 * MS
                          for end in (a.end, b.end)))
        findings.true(f"{episode} was found {one.found_late_ns} ns after its start",
                      one.found_late_ns <= 100 * MS)
    counters = seen[-1]["pools"][0]["conditions"]
    findings.equal("count mismatches counted", counters["count_mismatch"]["count"], 1)
    drifts = events.of(said, "drift")
    findings.equal("drifts", [[e["why"]["drift"] for e in (r.events[0], r.events[-1])]
                              for r in drifts], [[-1, -1]])
    for one in drifts:
        findings.true(f"{one.episode}, but the count was planted from {times['before']} "
                      f"to {times['planted']}",
                      times["before"] < one.first["since_ns"]
                      <= times["planted"] + 2 * events.LOOK + TICK)
        findings.true(f"{one.episode}, but the module was removed from {times['removing']} "
                      f"to {times['removed']}",
                      times["removing"] < (one.episode.end_ns or 0)
                      <= times["removed"] + 5 * events.LOOK + TICK)
    findings.equal("drifts counted", counters["drift"]["count"], len(drifts))
    findings.equal("the drift in the end", seen[-1]["pools"][0]["drift"], 0)
    findings.equal("the pool's drift at its worst",
                   min(f["pools"][0]["drift"] or 0 for f in seen), -1)
    findings.done()


BUSY = (
    "name=asker ta=invoke_tests repeat=0 nop gap=20..60",
    "name=short count=3 repeat=0 wait=1..20 gap=5..30",
    "name=long count=2 repeat=0 wait=50..300 gap=50..150",
    "name=burner ta=concurrent repeat=0 burn=20..200 gap=50..150",
    "name=opener sessions=0 ta=invoke_tests repeat=0 open nop nop close gap=50..100",
)


def _busy(context: Context, seconds: int, options: Options) -> None:
    """Eight clients and nothing wrong, but for what the driver does."""
    words = " ".join(map(shlex.quote, BUSY))
    seen = observe(context, f"optee-load -r 0 -o /dev/null -s {seconds} {words} || "
                   'die "optee-load failed"\n', options)
    findings = seen.findings
    for condition in "deadlock", "drift", "count mismatch", "overrun", "reserve breach":
        findings.equal(f"{condition} events", len(events.of(seen.said, condition)), 0)
    waited = sum(c.slept is not None for c in seen.truth.calls)
    with open(context.dir / "differences", "a") as out:
        out.write(f"{len(seen.truth.calls)} calls, {waited} waited\n")
    findings.true(f"only {len(seen.truth.calls)} calls, {waited} waited: this is no test",
                  waited > 10 * seconds)
    findings.true("nobody was stranded: this is no test", bool(seen.expected("stranded")))
    findings.done()


@test()
def overruns_2(context: Context) -> None:
    _overruns(context, 2)


@test(check_all=True)
def overruns_4(context: Context) -> None:
    """As overruns_2."""
    _overruns(context, 4)


@test(check_all=True)
def overruns_8(context: Context) -> None:
    """More threads than in overruns_4, and the same rule."""
    _overruns(context, 8)


@test()
def reserve_2(context: Context) -> None:
    _reserve(context, 2)


@test(check_all=True)
def reserve_4(context: Context) -> None:
    """More threads than in reserve_2, and one is in reserve as there."""
    _reserve(context, 4)


@test(check_all=True)
def reserve_8(context: Context) -> None:
    """As reserve_4."""
    _reserve(context, 8)


@test()
def starved_2(context: Context) -> None:
    _starved(context, 2)


@test(check_all=True)
def starved_4(context: Context) -> None:
    """More threads than in starved_2, and the same limit."""
    _starved(context, 4)


@test(check_all=True)
def starved_8(context: Context) -> None:
    """As starved_4."""
    _starved(context, 8)


@test(check_all=True)
def busy_60s(context: Context) -> None:
    """On one CPU, for a minute; busy_smp takes two, for 20 s."""
    _busy(context, 60, Options())


def _others_at_work() -> bool:
    """Whether others want all CPUs of the host now. The load average would still tell of a
    build that ended a minute ago."""
    others = []
    for _ in range(20):
        time.sleep(0.05)
        others.append(int(Path("/proc/loadavg").read_text().split()[3].split("/")[0]) - 1)
    return statistics.median(others) >= (os.cpu_count() or 1)


@test(slots=ALONE)
def busy_smp(context: Context) -> None:
    """On two CPUs, at the mercy of the host's scheduler: either may stand still between the
    oracle's hook and optee-top's. Episodes of a millisecond and more are there one by one; of
    shorter ones either may see some that the other does not. If others want the host's CPUs
    at the same time, a guest's stand still for ten times as long."""
    still = 10 if _others_at_work() else 1
    _busy(context, 20, Options(4, ("--cpus", "2"), tolerance=Tolerance(
        20 * MS * still, 20 * MS * still, 1 * MS * still, 0.1, events.SLACK * still)))
