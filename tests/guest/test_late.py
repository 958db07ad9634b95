# SPDX-License-Identifier: GPL-2.0-only
"""optee-top starts when sessions are open and calls in flight."""

from typing import Sequence

from . import account, frames, vm
from .frames import Object
from .registry import Context, Findings, test

# Two holders and two waiters are in flight, asker has a session and is idle. The
# holders' calls last until after the first frames; what comes after is all new.
RUN = r"""
optee-load -o /tmp/load --ready-file /tmp/ready --wait-file /tmp/go \
	'name=holder count=2 wait=14000 gap=500 wait=300 wait=200 nop' \
	'name=waiter count=2 at=400 wait=400 gap=800 wait=150 nop' \
	'name=asker ta=invoke_tests threads=2 at=20000 nop gap=50 nop nop' &
LOAD=$!
wait_for 60 test -e /tmp/ready
: >/tmp/go
in_queue() { [ "$(cat /proc/[0-9]*/task/*/stack | grep -c optee_cq_wait_init)" -ge 2 ]; }
wait_for 20 in_queue
top_start -d 1
wait $LOAD || die "optee-load failed"
top_stop
"""
IN_FLIGHT = 4


def of_driver(frame: Object) -> list[Object]:
    """The driver's interrupt thread calls, too: it may be a fifth one in the queue."""
    return [c for c in frame["calls"] if c["comm"].startswith("irq/")]


def of_clients(frame: Object) -> list[Object]:
    return [c for c in frame["calls"] if c not in of_driver(frame)]


def check_first(findings: Findings, frame: Object, truth: account.Account) -> None:
    """The first frame: four calls in flight, found, with what can be known."""
    start = frame["mono_ns"]
    flying = [c for c in truth.calls if c.start < start and (c.end or start) >= start]
    findings.equal("calls in flight by the clients' account", len(flying), IN_FLIGHT)
    findings.equal("calls shown (tid, pid, comm)",
                   sorted((c["tid"], c["pid"], c["comm"]) for c in of_clients(frame)),
                   sorted((c.tid, c.pid, c.client) for c in flying))
    for call in of_clients(frame):
        waits = call["comm"].startswith("waiter")
        what = f"the call of {call['comm']}"
        findings.equal(f"{what}: queued", call["queued"], waits)
        findings.true(f"{what}: phase is {call['phase']}",
                      call["phase"] in (("queued",) if waits else ("holding", "rpc", "secure")))
        for key in ("cmd", "func", "age_ns"):
            findings.equal(f"{what}: {key}", call[key], None)
        findings.equal(f"{what}: nested", call["nested"], False)
        findings.equal(f"{what}: class", call["class"], "normal")
    pool = frame["pools"][0]
    waiting = 2 + len(of_driver(frame))
    for key, want in (("threads", 2), ("free", 0), ("in_use_normal", 2),
                      ("waiting_normal", waiting), ("driver_free", 0), ("drift", 0)):
        findings.equal(f"the pool's {key} at first", pool[key], want)


def check_sessions(findings: Findings, frame: Object, truth: account.Account) -> None:
    """The first frame: every open session, with its client, and nothing made up."""
    sessions = {calls[0].session: calls[0] for calls in truth.sessions().values()}
    shown = {s["session"]: s for s in frame["sessions"] if s["serial"] is not None}
    findings.equal("the sessions shown at first", sorted(shown), sorted(n or 0 for n in sessions))
    for number in set(shown) & set(sessions):
        row, call = shown[number], sessions[number]
        for key, want in (("pid", call.pid), ("client", call.client), ("ta", None),
                          ("uuid", None), ("login", None), ("origin", "user"),
                          ("state", "open"), ("calls", 0), ("wait_longest_ns", None)):
            findings.equal(f"session {number} at first: {key}", row[key], want)


def check_later(findings: Findings, seen: Sequence[Object], truth: account.Account) -> None:
    """At the end: each session has exactly the calls that began after the attach."""
    attached = seen[0]["mono_ns"]
    rows = {s["session"]: s for s in frames.final_sessions(seen)}
    for calls in truth.sessions().values():
        row = rows.get(calls[0].session)
        if row is None:
            findings.add(f"session {calls[0].session} is not shown at the end")
            continue
        new = [c for c in calls if c.start > attached]
        what = f"session {calls[0].session} of {calls[0].client}"
        findings.equal(f"{what}: calls", row["calls"], len(new))
        findings.equal(f"{what}: closes", row["ops"].get("close", 0), 1)
        findings.equal(f"{what}: invokes", row["ops"].get("invoke", 0), len(new) - 1)
        findings.equal(f"{what}: state", row["state"], "closed")
        findings.equal(f"{what}: in flight", row["in_flight"], 0)
        inside = row["wait_ns"] + row["hold_ns"]
        lasted = sum((c.end or 0) - c.start for c in new)
        findings.true(f"{what}: {inside / 1e6:.3f} ms of wait and hold, the client measured "
                      f"{lasted / 1e6:.3f} ms",
                      lasted - 2e6 - 0.05 * lasted - 2e5 * len(new) <= inside <= lasted)
    pool = seen[-1]["pools"][0]
    for key, want in (("free", 2), ("driver_free", 2), ("waiting_normal", 0), ("in_use_peak", 2),
                      ("waiting_peak", 2 + len(of_driver(seen[0])))):
        findings.equal(f"the pool's {key} at the end", pool[key], want)
    findings.equal("calls shown at the end", seen[-1]["calls"], [])


@test()
def late_attach(context: Context) -> None:
    # However busy the host is: with --icount the calls last longer than attaching takes.
    guest = vm.run(context, RUN, "--icount", gets=("top.jsonl", "load"))
    seen, truth = frames.load(guest.files["top.jsonl"]), account.load(guest.files["load"])
    findings = Findings()
    late = IN_FLIGHT + sum(c["cmd"] is None for c in of_driver(seen[0]))
    frames.check_sane(findings, seen, {"calls_late": late})
    check_first(findings, seen[0], truth)
    check_sessions(findings, seen[0], truth)
    check_later(findings, seen, truth)
    findings.done()
