# SPDX-License-Identifier: GPL-2.0-only
"""Each policy's rule, checked in a recording of a load that pushes against it: clients with
system sessions and many without, all of which call at once. The latter do all the time, while
the policies come and go.

A rule is checked at each admission, from the calls of the recording alone. A call is in flight
for the recorder for a bit less than for the driver (from when its task runs on to when it
begins to leave), so it never counts one too many. The driver's own calls bypass policies, and
are not counted. That the load does push is checked, too: the bound is reached."""

from typing import Callable, Mapping, NamedTuple, Sequence

from ..lib import kclient, policy, vm
from ..lib.policy import MS, Call, Moment
from ..lib.registry import Context, Findings, test

SYSTEM = 4  # clients that ask for a reservation
WAKE = 20 * MS  # from a thread's being handed over until the task runs
CALM = 200 * MS  # from a reservation until it is in force for all who enter

BEGIN = r"""
kclient_load
dmesg_begin
record_start all
optee-load -r 0 -o /dev/null --ready-file /tmp/ready 'name=N count=%(normal)d repeat=0 wait=40' \
	2>/dev/null &
LOAD=$!
wait_for 60 test -e /tmp/ready
"""

LOAD = r"""
policy_start %(name)s
kclient_start <<END
name=S count=%(system)d system-at=1 at=400 wait=40 gap=10 repeat=8
END
kclient_wait
cp /tmp/kclient /tmp/%(name)s.kclient
policy_stop
"""

END = r"""
kill -0 $LOAD || die "the load is over"
kill $LOAD
wait $LOAD
record_stop
counters_are_zero || die "$(cat $STATE)"
dmesg_since >/tmp/dmesg
"""


class Seen(NamedTuple):
    """A run under one policy."""

    threads: int
    reserved: int  # clients that got a reservation
    moments: Sequence[Moment]  # admissions while all sessions are open

    def most(self, count: Callable[[Moment], int]) -> int:
        return max(count(m) for m in self.moments)


def normal(m: Moment) -> int:
    return m.normal


def system(m: Moment) -> int:
    return m.system


def total(m: Moment) -> int:
    return m.normal + m.system


def beyond_first(m: Moment) -> int:
    """What `single` treats as normal calls, when a system call has the entry."""
    return m.normal + max(m.system - 1, 0)


def left_free(m: Moment) -> int:
    """By a normal call that has just been let in: threads in use with it, else 0. A system
    call that came just before may have come between its admission and its task's running."""
    if m.call.system or m.call.internal:
        return 0
    return m.normal + sum(1 for c in m.in_flight
                          if c.system and c.admitted < m.call.admitted - WAKE)


def a_session(m: Moment) -> int:
    of = [c.session for c in m.in_flight if c.system]
    return max((of.count(s) for s in of), default=0)


Rule = Sequence[tuple[str, Callable[[Moment], int], Callable[[Seen], int], bool]]
"""What is counted, and the most that it may be; True: the load reaches it."""


def all_of_them(seen: Seen) -> int:
    return seen.threads


def all_but_reserved(seen: Seen) -> int:
    return seen.threads - seen.reserved


def all_but_one(seen: Seen) -> int:
    return seen.threads - 1


V6: Rule = (("normal calls in flight", normal, all_but_reserved, True),
            ("calls in flight", total, all_of_them, True))
STRICT: Rule = (*V6[:1], ("system calls in flight", system, lambda s: s.reserved, True))
RULES: Mapping[str, Rule] = {
    "none": (("calls in flight", total, all_of_them, True),),
    "v6": V6,
    "half": V6,
    "bounded": V6,
    "single": (("normal calls in flight", normal, all_but_one, True),
               ("calls beside the reserved one", beyond_first, all_but_one, True)),
    "upstream": (("in flight when a normal call enters", left_free, all_but_one, True),
                 ("calls in flight", total, all_of_them, True)),
    "strict": STRICT,
    "per-session": (*STRICT, ("calls of a system session", a_session, lambda s: 1, True)),
}
# How many of the clients get a reservation, by the number of threads.
GRANTED: Mapping[str, Callable[[int], int]] = {
    "none": lambda t: 0,
    "v6": lambda t: min(SYSTEM, t - 1),
    "half": lambda t: min(SYSTEM, t // 2),
    "bounded": lambda t: 1,
    "single": lambda t: SYSTEM,
    "upstream": lambda t: SYSTEM,
    "strict": lambda t: min(SYSTEM, t - 1),
    "per-session": lambda t: min(SYSTEM, t - 1),
}


def check_rule(name: str, seen: Seen) -> Sequence[str]:
    found = []
    for what, count, bound, reached in RULES[name]:
        most, limit = seen.most(count), bound(seen)
        if most > limit or (reached and most < limit):
            found.append(f"{what}: {most} at most, not {limit}")
    return found


def look(findings: Findings, guest: vm.Run, calls: Sequence[Call], name: str,
         threads: int) -> Seen:
    account = kclient.load(guest.files[f"{name}.kclient"])
    granted = sum(1 for p in account.promotions if not p.error)
    findings.equal(f"{name}: reservations that {SYSTEM} clients got", granted,
                   GRANTED[name](threads))
    failed = [c for c in account.calls if c.result]
    findings.true(f"{name}: calls failed: {failed[:3]}", not failed)
    done = [c for c in account.calls if c.op == "invoke"]
    # What entered by other counts than those of all reservations has left.
    last = max(p.end for p in account.promotions)
    begin = max(c.end for c in calls if c.admitted < last + CALM)
    end = max(c.end or 0 for c in done)
    return Seen(threads, granted, policy.moments(calls, begin, end))


def rules(context: Context, threads: int) -> None:
    names = tuple(RULES)
    load = "".join(LOAD % {"name": name, "system": SYSTEM} for name in names)
    guest = policy.run(context, kclient.SCRIPT + BEGIN % {"normal": threads + 1} + load + END,
                       *policy.options("--icount", "--threads", str(threads), *kclient.options()),
                       gets=["dmesg", "all.csv", *(f"{n}.kclient" for n in names)], seconds=1200)
    findings = Findings()
    recorded = policy.calls(guest.files["all.csv"])
    seen = {name: look(findings, guest, recorded, name, threads) for name in names}
    for name in names:
        for wrong in check_rule(name, seen[name]):
            findings.add(f"{name}, {threads} threads: {wrong}")
    # The checker is not blind: what one rule forbids another one has done.
    findings.true("upstream keeps the rule of strict: no overrun was tried",
                  bool(check_rule("strict", seen["upstream"])))
    findings.true("none keeps the rule of upstream",
                  seen["none"].most(left_free) > threads - 1)
    said = [line for line in guest.read("dmesg").decode().splitlines()
            if "cannot have a system session" not in line]
    findings.equal("the kernel's log", said, [])
    findings.done()


@test()
def policy_rules_2(context: Context) -> None:
    rules(context, 2)


@test(check_all=True)
def policy_rules_4(context: Context) -> None:
    """As policy_rules_2."""
    rules(context, 4)


@test(check_all=True)
def policy_rules_8(context: Context) -> None:
    """More threads than in policy_rules_4, and the same rules."""
    rules(context, 8)
