# SPDX-License-Identifier: GPL-2.0-only
"""optee-top starts when sessions are open and calls in flight."""

from typing import Sequence

from ..lib import account, frames, kclient, vm
from ..lib.frames import Object
from ..lib.registry import Context, Findings, test

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


def check_bounds(findings: Findings, what: str, call: Object, now: int) -> None:
    """Its age, and of a waiter its wait, are counted from the attach and said to be more."""
    findings.true(f"{what}: its age is {call['age_ns']}",
                  call["age_ns"] is not None and 0 < call["age_ns"] < now)
    findings.equal(f"{what}: late, and its age a lower bound",
                   (call["late"], call["age_at_least"]), (True, True))
    if call["queued"]:
        findings.equal(f"{what}: its wait", (call["phase_ns"], call["phase_at_least"]),
                       (call["age_ns"], True))


def check_oldest(findings: Findings, frame: Object) -> None:
    pool = frame["pools"][0]
    findings.equal("the oldest wait, a lower bound",
                   (pool["oldest_wait_ns"], pool["oldest_wait_at_least"]),
                   (max(c["phase_ns"] for c in frame["calls"] if c["queued"]), 1))


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
        for key in ("cmd", "func"):
            findings.equal(f"{what}: {key}", call[key], None)
        check_bounds(findings, what, call, start)
        findings.equal(f"{what}: nested", call["nested"], False)
        findings.equal(f"{what}: class", call["class"], "normal")
    pool = frame["pools"][0]
    check_oldest(findings, frame)
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
                          ("state", "open"), ("calls", 0), ("wait_longest_ns", None),
                          ("in_flight", 0 if call.client.startswith("asker") else None)):
            findings.equal(f"session {number} at first: {key}", row[key], want)


def check_later(findings: Findings, seen: Sequence[Object], truth: account.Account) -> None:
    """At the end: each session has exactly the calls that entered after the attach."""
    attached = seen[0]["mono_ns"]
    rows = {s["session"]: s for s in frames.final_sessions(seen)}
    for calls in truth.sessions().values():
        row = rows.get(calls[0].session)
        if row is None:
            findings.add(f"session {calls[0].session} is not shown at the end")
            continue
        late = [c for c in calls if c.start < attached and c.client.startswith("waiter")
                and (c.end or 0) > attached]
        new = late + [c for c in calls if c.start > attached]
        what = f"session {calls[0].session} of {calls[0].client}"
        findings.equal(f"{what}: calls", row["calls"], len(new))
        findings.equal(f"{what}: closes", row["ops"].get("close", 0), 1)
        findings.equal(f"{what}: invokes", row["ops"].get("invoke", 0), len(new) - 1)
        findings.equal(f"{what}: state", row["state"], "closed")
        findings.equal(f"{what}: in flight", row["in_flight"], 0)
        findings.equal(f"{what}: waits from before the attach", row["waited_late"], len(late))
        findings.true(f"{what}: {row['waited']} waits", row["waited"] >= len(late))
        inside = row["wait_ns"] + row["hold_ns"]
        lasted = sum((c.end or 0) - c.start for c in new)
        least = lasted - sum(attached - c.start for c in late)
        findings.true(f"{what}: {inside / 1e6:.3f} ms of wait and hold, the client measured "
                      f"{least / 1e6:.3f} to {lasted / 1e6:.3f} ms",
                      least - 2e6 - 0.05 * least - 2e5 * len(new) <= inside <= lasted)
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


# K and M hold both threads, L and waiter sleep in the queue. K, L, M and idle have system
# sessions of the kernel, which no file leads to.
KERNEL = kclient.SCRIPT + r"""
kclient_load
optee-load -o /tmp/load --ready-file /tmp/ready --wait-file /tmp/go \
	'name=waiter wait=300 nop' &
LOAD=$!
wait_for 60 test -e /tmp/ready
kclient_start <<END
name=K system wait=26000
name=M system at=100 wait=26000
name=L system at=300 wait=200
name=idle system
END
in_flight() { [ "$(cat /proc/[0-9]*/stack | grep -c "optee_$1")" -ge "$2" ]; }
wait_for 20 in_flight cq_wait_init 1
: >/tmp/go
wait_for 20 in_flight cq_wait_init 2
top_start -d 1
optee-top -b -n 1 >/tmp/batch || die "-b: status $?"
optee-top events --duration 2 >/tmp/events || die "events: status $?"
optee-top check --live 2 >/tmp/check
echo $? >>/tmp/check
wait $LOAD || die "optee-load failed"
kclient_wait
top_stop
"""


def row_of(frame: Object, client: str) -> Object:
    rows = [s for s in frame["sessions"] if s["client"] == client and s["state"] == "open"]
    return rows[0] if len(rows) == 1 else {}


def check_kernel_first(findings: Findings, frame: Object) -> None:
    """System calls in flight have rows at once; the session that is idle is counted."""
    calls = {c["comm"]: c for c in of_clients(frame)}
    findings.equal("calls in flight (class, queued)",
                   {n: (c["class"], c["queued"]) for n, c in calls.items()},
                   {"K": ("system", False), "M": ("system", False), "L": ("system", True),
                    "waiter": ("normal", True)})
    for name, call in calls.items():
        check_bounds(findings, f"the call of {name}", call, frame["mono_ns"])
        row = row_of(frame, name)
        kernel = name != "waiter"
        for key, want in (("ta", None), ("origin", "kernel" if kernel else "user"),
                          ("class", "system" if kernel else "normal"), ("calls", 0)):
            findings.equal(f"the session of {name}: {key}", row.get(key, "no row"), want)
        if kernel:
            findings.equal(f"the session of {name}: id and calls in flight",
                           (row.get("session"), row.get("in_flight")), (None, 1))
            findings.equal(f"the session of {name} is that of its call", call["serial"],
                           row.get("serial"))
    pool = frame["pools"][0]
    check_oldest(findings, frame)
    findings.equal("system sessions, and those not seen yet",
                   (pool["system_sessions"], pool["system_sessions_unseen"]), (4, 1))


def check_kernel_last(findings: Findings, seen: Sequence[Object], truth: account.Account) -> None:
    """The waiters' calls are accounted, with what of their waits was seen."""
    rows = [s for s in frames.final_sessions(seen) if s["session"] is not None]
    calls = [c for c in truth.calls if c.client in ("L", "waiter") and c.op == "invoke"]
    for name in ("L", "waiter"):
        row = next((s for s in rows if s["client"] == name), None)
        call = next(c for c in calls if c.client == name)
        if row is None:
            findings.add(f"the session of {name} has no row in the end")
            continue
        findings.equal(f"{name}: origin", row["origin"], "user" if name == "waiter" else "kernel")
        findings.equal(f"{name}: waits from before the attach", row["waited_late"], 1)
        least = (call.end or 0) - seen[0]["mono_ns"] - 300e6 - 100e6
        findings.true(f"{name}: its wait was {row['wait_longest_ns'] / 1e6:.3f} ms",
                      least <= row["wait_longest_ns"] <= (call.end or 0) - call.start)
    findings.equal("system sessions not seen in the end",
                   seen[-1]["pools"][0]["system_sessions_unseen"], 0)
    findings.equal("sessions without an id in the end",
                   [s["client"] for s in seen[-1]["sessions"]
                    if s["serial"] is not None and s["session"] is None], [])


def check_starved(findings: Findings, guest: vm.Run, seen: Sequence[Object]) -> None:
    """A waiter that was there before starves all the same, in every output."""
    who = {p["comm"] for f in seen for e in f["events"] if e["condition"] == "starved"
           for p in e["who"] if p["since_at_least"] and p["waits"]}
    findings.true(f"only {who} starved, for at least so long", who >= {"L", "waiter"})
    batch = guest.read("batch").decode()
    findings.true(f"-b has no lower bounds:\n{batch}",
                  " oldest_wait=>=" in batch and " waits=>=" in batch)
    events = guest.read("events").decode()
    findings.true(f"events has no starved waiter:\n{events}", " starved begin" in events)
    findings.true(f"check has no lower bound:\n{guest.read('check').decode()}",
                  b" starved end after at least " in guest.read("check")
                  or b" starved still after at least " in guest.read("check"))
    check = guest.read("check").decode()
    findings.true(f"check did not fail:\n{check}", check.rstrip().endswith("\n1"))
    findings.true(f"no_starved did not fail:\n{check}", any(
        "FAIL" in line and "no_starved" in line for line in check.splitlines()))


@test()
def late_kernel(context: Context) -> None:
    guest = vm.run(context, KERNEL, "--icount", *kclient.options(),
                   gets=("top.jsonl", "load", "batch", "events", "check", kclient.FILE))
    seen = frames.load(guest.files["top.jsonl"])
    truth = account.load(guest.files["load"])
    kernel = kclient.load(guest.files[kclient.FILE])
    both = account.Account([*truth.calls, *kernel.calls])  # type: ignore[list-item]
    findings = Findings()
    frames.check_sane(findings, seen, {"calls_late": None})
    check_kernel_first(findings, seen[0])
    check_kernel_last(findings, seen, both)
    check_starved(findings, guest, seen)
    findings.done()
