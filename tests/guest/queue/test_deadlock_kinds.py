# SPDX-License-Identifier: GPL-2.0-only
"""Each kind of deadlock is reported as what it is: over many threads of tee-supplicant, over a
lock of OP-TEE, beside a thread in reserve."""

import re
from typing import Mapping, NamedTuple, Sequence

from ..lib import account, deadlock, events, frames, kclient, vm
from ..lib.events import MS
from ..lib.frames import Object
from ..lib.registry import Context, Findings, test

NEAR = 50 * MS       # how well its start is known
FOUND = 300 * MS     # how soon it is reported after it may be
END_KNOWN = 300 * MS
KEPT = 1000 * MS     # a deadlock beside a reserve has to last for so long
LASTS = 3000 * MS    # at least
WATCHERS = ("json", "kprobes", "late")

SCRIPT = r"""
oracle_start() { :; }
oracle_stop() { :; }
keep() { # KIND: who is where, and when it was so
	mark "$1"
	cp /tmp/tasks "/tmp/tasks.$1"
	cp /tmp/plugin.log "/tmp/steps.$1"
}
"""

RUN = r"""
killall -q tee-supplicant
wait_for 30 no_supplicant
watch json --json
watch kprobes --json --kprobes
mkfifo /tmp/takers.in /tmp/takers.out
for run in 1 2; do
	/takers 40 </tmp/takers.in >/tmp/takers.out &
	exec 8>/tmp/takers.in 9</tmp/takers.out
	read -r said <&9 && [ "$said" = "all wait" ] || die "takers said: $said"
	exec 8>&- 9<&-
	wait $!
done
tee-supplicant -d || die "cannot start tee-supplicant"
deadlock_supplicant
keep restarts
usleep 500000
still_stuck || die "the deadlock resolved itself"
deadlock_rescue

deadlock_lock
keep lock
watch late --json
usleep 2500000
still_stuck || die "the deadlock resolved itself"
mark lock_killed
deadlock_rescue

kclient_load
deadlock_reserve "at=1000 wait=20 repeat=12 gap=200"
keep reserve
usleep 3200000
mark reserve_killed
deadlock_rescue
kclient_wait
finish_run
"""


class Kind(NamedTuple):
    """A deadlock of the run: who is behind whom, when it began, and when at the earliest, to
    10 ms, a client of it was killed."""

    tids: Mapping[str, int]
    begin: int
    killed: int


def kind_of(guest: vm.Run, name: str, marks: Mapping[str, int]) -> Kind:
    """It begins as plugin1 makes its call."""
    rows = [line.split() for line in guest.read(f"tasks.{name}").decode().splitlines()]
    steps = [line.split() for line in guest.read(f"steps.{name}").decode().splitlines()]
    begin = max(int(at) for _, _, step, at in steps if step == "calls")
    return Kind({role: int(tid) for role, tid, _ in rows}, begin,
                marks.get(f"{name}_killed", 0) - 10 * MS)


def deadlocks(guest: vm.Run, name: str) -> list[list[Object]]:
    """What a watcher has said, an episode after the other."""
    found: dict[int, list[Object]] = {}
    for line in frames.load(guest.files[f"events.{name}"]):
        if line["condition"] == "deadlock":
            found.setdefault(line["episode"], []).append(line)
    return [found[episode] for episode in sorted(found)]


def check_links(findings: Findings, what: str, event: Object, kind: Kind,
                behind: Mapping[str, str], lock: bool) -> None:
    who = {party["tid"]: (party, line) for party, line in zip(event["who"], event["chain"])}
    missing = [role for role, tid in kind.tids.items()
               if tid not in who or not who[tid][0]["involved"]]
    findings.equal(f"{what}: who has no part in it", missing, [])
    for role, other in behind.items():
        if role in missing:
            continue
        party, line = who[kind.tids[role]]
        findings.equal(f"{what}: {role} is behind", party["behind_tid"], kind.tids[other])
        findings.equal(f"{what}: {role}'s line ends with the lock: {line!r}",
                       re.search(r" in RPC notification for a lock of OP-TEE, behind [^,]+$",
                                 line) is not None, lock and role == "lock")
    for party, _ in who.values():
        findings.true(f"{what}: a system call is involved",
                      party["class"] == "normal" or not party["involved"])


def check_times(findings: Findings, what: str, said: Sequence[Object], kind: Kind,
                settles: int) -> None:
    """It began as it did, was said in time, and lasted until a client was killed."""
    first, last = said[0], said[-1]
    findings.equal(f"{what}: states", [e["state"] for e in said],
                   ["begin", *["still"] * (len(said) - 2), "end"])
    findings.true(f"{what}: its start is {(first['since_ns'] - kind.begin) / 1e6:.3f} ms off",
                  abs(first["since_ns"] - kind.begin) < NEAR)
    late = first["mono_ns"] - kind.begin - settles
    findings.true(f"{what}: said after {late / 1e6:.1f} ms", 0 <= late < FOUND)
    over = last["mono_ns"] - kind.killed
    findings.true(f"{what}: its end came {over / 1e6:.1f} ms after the kill",
                  0 <= over < END_KNOWN + 10 * MS)
    if kind.killed - kind.begin < LASTS - 500 * MS:
        findings.add(f"{what}: it did not last: this is no test")


def check_clients(findings: Findings, guest: vm.Run, lock: Kind, reserve: Kind) -> None:
    """No normal call that was there ended meanwhile, and every system call did, at once."""
    calls = account.load(guest.files["load"]).calls
    for tid in (lock.tids["L"], lock.tids["lock"]):
        ends = [c.end for c in calls if c.tid == tid and c.op == "invoke"]
        findings.equal(f"the end of the invoke of task {tid}, which was killed", ends, [None])
    waited = [c for c in calls if c.tid == reserve.tids["W"] and c.start < reserve.killed]
    findings.true(f"W's calls: {waited}", bool(waited) and
                  all((c.end or 0) > reserve.killed for c in waited))
    system = [c for c in kclient.load(guest.files["kclient"]).of("S")
              if reserve.begin < c.start < reserve.killed]
    findings.true(f"{len(system)} system calls in that time", len(system) >= 8)
    for call in system:
        findings.true(f"a system call took {((call.end or 0) - call.start) / 1e6:.1f} ms",
                      call.result == 0 and call.end is not None
                      and call.end - call.start < 100 * MS)


@test()
def deadlock_kinds(context: Context) -> None:
    """tee-supplicant had more threads in all than there is room for: the last ones are known.
    Two calls in one session; a plugin that calls while only system calls may have a thread."""
    script = deadlock.SCRIPT + events.SCRIPT.replace("/tmp/events.jsonl", "/dev/null")
    kept = [f"{file}.{kind}" for kind in ("restarts", "lock", "reserve")
            for file in ("tasks", "steps")]
    guest = vm.run(context, script + kclient.SCRIPT + SCRIPT + deadlock.WATCH + RUN, "--icount",
                   *deadlock.PUT, "--put", f"{vm.ROOT}/build/arm64/takers:/takers",
                   *kclient.options(),
                   gets=("top.jsonl", "marks", "load", kclient.FILE, *kept,
                         *(f"events.{name}" for name in WATCHERS)))
    findings = Findings()
    marks = deadlock.mark_times(guest)
    restarts, lock, reserve = (kind_of(guest, name, marks)
                               for name in ("restarts", "lock", "reserve"))
    frames.check_sane(findings, frames.load(guest.files["top.jsonl"]), {"calls_late": None})
    said = {name: deadlocks(guest, name) for name in WATCHERS}
    findings.equal("deadlocks, by watcher", {name: len(of) for name, of in said.items()},
                   {"json": 3, "kprobes": 3, "late": 2})
    findings.done()
    # By kprobes it is not known which thread works for whom, if there are several.
    check_links(findings, "json, restarts", said["json"][0][0], restarts,
                {"P1": "plugin1", "P2": "plugin2"}, False)
    check_links(findings, "kprobes, restarts", said["kprobes"][0][0], restarts, {}, False)
    for name in WATCHERS:
        of_lock, of_reserve = said[name][-2:]
        check_links(findings, f"{name}, lock", of_lock[0], lock,
                    {"L": "plugin1", "lock": "L"}, True)
        check_links(findings, f"{name}, reserve", of_reserve[0], reserve, {"P1": "plugin1"}, False)
        if name != "late":
            check_times(findings, f"{name}, lock", of_lock, lock, 0)
        check_times(findings, f"{name}, reserve", of_reserve, reserve, KEPT)
        findings.true(f"{name}: why {of_reserve[0]['why']['text']!r}",
                      "1 of 2 threads is for system calls only" in of_reserve[0]["why"]["text"])
    check_clients(findings, guest, lock, reserve)
    findings.done()
