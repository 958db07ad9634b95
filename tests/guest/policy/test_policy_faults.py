# SPDX-License-Identifier: GPL-2.0-only
"""Policies that are broken, loaders that die, devices that go: the driver's own rule is in
force within the watchdog's time, no call is lost or admitted twice, the counters go back
to zero, and the kernel's log has the one line that says why."""

import re
from typing import Mapping, NamedTuple, Sequence

from ..lib import account, kclient, kmod, policy, vm
from ..lib.registry import Context, Findings, test

FAULTS = vm.ROOT / "tests/programs/policy/faults"
TIMEOUT_MS = 1000
MOST_ASKED = 64  # questions of a pass
LATE_MS = 2500  # of an emulated CPU that others share

# Six clients on two threads for about three seconds, while the fault is there.
COMMON = r"""
load_start() { # NAME
	optee-load -o /tmp/$1.load 'name=N count=6 repeat=25 wait=20 gap=2' >/tmp/load.out 2>&1 &
	LOAD=$!
}
load_wait() { wait $LOAD || die "optee-load failed: $(cat /tmp/load.out)"; }
left() { policy_is - && [ "$(sed -n 's/^last //p' $STATE)" = "$1" ]; }
settled() { # NAME
	wait_for 20 counters_are_zero
	dmesg_since >/tmp/$1.dmesg
	cp $STATE /tmp/$1.state
	cp /tmp/policy.log /tmp/$1.log
}
loader_ended() { # it was ejected
	wait $POLICY
	[ $? = 1 ] || die "policy attach did not end with 1: $(cat /tmp/policy.log)"
}
"""

EJECTED = r"""
dmesg_begin
policy_hold %(name)s %(timeout)d
load_start %(name)s
wait_for 30 left %(name)s
loader_ended
load_wait
settled %(name)s
"""


class Fault(NamedTuple):
    """A policy that is ejected, and why."""

    reason: str
    answer: int = 0


EJECTIONS: Mapping[str, Fault] = {
    "garbage": Fault("an answer out of range", 1000),
    "gives-up": Fault("it gave up", -16),
    "never": Fault("a call waited too long"),
    "starves": Fault("a call waited too long"),
}

LINE = re.compile(r"optee: admission policy '(\S+)' ejected: (.*) \(answer (-?\d+), call \d+, "
                  r"waited (\d+) ms\)$")


# What the verifier cannot see the end of; may-goto and the others are no C for another machine.
UNBOUNDED = ("endless", "may-goto", "nests", "casts")

# They write to a count, behind the call, and to what is no call.
WRITES = ("writes-count", "writes-beyond", "writes-exit")
BPF_ONLY = (*UNBOUNDED, "writes-beyond", "writes-exit")


def build(context: Context, *names: str) -> Sequence[str]:
    return [word for name in names for word in policy.compile(
        context, FAULTS / f"{name}.c", native=name not in BPF_ONLY)]


def check_load(findings: Findings, guest: vm.Run, name: str) -> None:
    """All calls of the load came back, and none failed."""
    calls = account.load(guest.files[f"{name}.load"]).calls
    invokes = [c for c in calls if c.op == "invoke"]
    findings.equal(f"{name}: calls made", len(invokes), 6 * 25)
    findings.true(f"{name}: calls lost or failed",
                  all(c.end is not None and not c.failed for c in calls))


def state(guest: vm.Run, name: str) -> Mapping[str, str]:
    lines = guest.read(f"{name}.state").decode().splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if line.startswith("queue ")) | dict(
        line.split(" ", 1) for line in lines if not line.startswith("queue "))


def check_log(findings: Findings, guest: vm.Run, name: str, fault: Fault) -> int:
    """The one line of the kernel; returns how long the call of a stall had waited, in ms."""
    said = [re.sub(r"^\[[^]]*\] ", "", line)
            for line in guest.read(f"{name}.dmesg").decode().splitlines()]
    found = [LINE.match(line) for line in said]
    findings.true(f"{name}: the kernel says {said}", len(said) == 1 and bool(found[0]))
    if len(said) != 1 or not found[0]:
        return 0
    findings.equal(f"{name}: the kernel's line", found[0].groups()[:3],
                   (name, fault.reason, str(fault.answer)))
    return int(found[0][4])


@test()
def policy_ejected(context: Context) -> None:
    names = tuple(EJECTIONS)
    script = COMMON + "".join(
        EJECTED % {"name": n, "timeout": TIMEOUT_MS} for n in names)
    guest = policy.run(context, script, *policy.options(*build(context, *names)),
                       gets=[f"{n}.{kind}" for n in names
                             for kind in ("load", "dmesg", "state", "log")], seconds=400)
    findings = Findings()
    for name, fault in EJECTIONS.items():
        check_load(findings, guest, name)
        waited = check_log(findings, guest, name, fault)
        seen = state(guest, name)
        findings.equal(f"{name}: the last policy", seen["last"], name)
        findings.true(f"{name}: the reason is {seen['last_reason']}",
                      seen["last_reason"].endswith(fault.reason))
        if "too long" in fault.reason:
            findings.true(f"{name}: ejected when a call had waited {waited} ms",
                          TIMEOUT_MS <= waited <= TIMEOUT_MS + LATE_MS)
        log = guest.read(f"{name}.log").decode()
        findings.true(f"{name}: the loader saw {log!r}",
                      f"policy '{name}' was ejected: {fault.reason}" in log)
    findings.done()


REFUSED = r"""
dmesg_begin
for name in writes-count writes-beyond writes-exit vetoes endless may-goto nests casts; do
	optee-top policy attach /policies/$name.o >/tmp/out 2>&1 && die "$name was attached"
	policy_is - || die "$name is attached: $(cat $STATE)"
	echo "$name $(head -n 1 /tmp/out)"
done
dmesg_since >/tmp/unbounded.dmesg
dmesg_begin
policy_start none
optee-top policy attach v6 >/tmp/out 2>&1 && die "two policies are attached"
echo "second $(head -n 1 /tmp/out)"
rmmod optee 2>/tmp/out && die "rmmod worked while a policy was attached"
policy_stop
optee-top policy attach upstream --timeout-ms 30001 2>/tmp/out && die "a time-out of 30001 ms"
policy_start overcommits
load_start overcommits
load_wait
policy_stop
settled overcommits
"""


@test()
def policy_refused(context: Context) -> None:
    """What may not be attached is not; and what says ENTER to all cannot overcommit."""
    names = (*WRITES, "vetoes", "overcommits", *UNBOUNDED)
    guest = policy.run(context, COMMON + REFUSED,
                       *policy.options(*build(context, *names)),
                       gets=["unbounded.dmesg", "overcommits.load", "overcommits.dmesg",
                             "overcommits.state", "overcommits.log"])
    findings = Findings()
    said = dict(line.split(" ", 1) for line in guest.out.decode().splitlines())
    for name in WRITES:
        findings.true(f"{name}: {said}", "a policy may write to" in said[name])
    findings.true(f"a policy that vetoes: {said}", "its own init refuses" in said["vetoes"])
    logged = guest.read("unbounded.dmesg").decode()
    for name in UNBOUNDED:
        findings.true(f"{name}: {said}", "this driver refuses its admit: " in said[name])
    for why in "it calls a kfunc", "neither static nor inline":
        findings.true(f"the kernel says {logged!r}", why in logged)
    findings.true(f"a second policy: {said}", "'none' is attached" in said["second"])
    check_load(findings, guest, "overcommits")
    seen = state(guest, "overcommits")
    findings.equal("calls that OP-TEE had no thread for", seen["queue 0 busy"], "0")
    findings.equal("the kernel's log", guest.read("overcommits.dmesg"), b"")
    findings.done()


SWAPS = r"""
dmesg_begin
optee-load -o /tmp/swaps.load 'name=N count=8 ta=invoke_tests repeat=0 nop nop gap=1' -s 25 &
LOAD=$!
policy_start upstream
policy-swaps 200 /policies/fair.o /policies/v6.o || die "policy-swaps: status $?"
policy_swap single
policy_is single || die "single is not attached: $(cat $STATE)"
policy_stop
wait $LOAD || die "optee-load failed"
settled swaps
"""


@test()
def policy_swaps(context: Context) -> None:
    """Two hundred swaps while eight clients call."""
    guest = policy.run(context, COMMON + SWAPS, *policy.options(),
                       gets=["swaps.load", "swaps.dmesg", "swaps.state", "swaps.log"], seconds=300)
    findings = Findings()
    calls = account.load(guest.files["swaps.load"]).calls
    findings.true(f"only {len(calls)} calls were made", len(calls) > 500)
    findings.true("calls lost or failed", all(c.end is not None and not c.failed for c in calls))
    findings.equal("policies attached", state(guest, "swaps")["attached"], "202")
    findings.equal("the kernel's log", guest.read("swaps.dmesg"), b"")
    findings.done()


GOES = r"""
no_supplicant() { ! pidof tee-supplicant >/dev/null; }
waiting() { [ "$(state 'queue 0 norm_waiting')" -ge "$1" ]; }

dmesg_begin # the loader is killed, with waiters in the queue
policy_hold never 30000
load_start killed
wait_for 30 waiting 6
kill -9 $POLICY
wait_for 10 left never
load_wait
settled killed

dmesg_begin # it is detached, with waiters in the queue
policy_start never 30000
load_start detached
wait_for 30 waiting 6
policy_stop
load_wait
settled detached

dmesg_begin # the administrator does it, and no other may come meanwhile
policy_hold never 30000
load_start off
wait_for 30 waiting 6
echo 1 >/sys/module/optee/parameters/admission_off
wait_for 10 left never
loader_ended
load_wait
optee-top policy attach none >/dev/null 2>&1 && die "attached though it is off"
echo 0 >/sys/module/optee/parameters/admission_off
settled off

dmesg_begin # system calls are starved
policy_hold starves-system 1000
kclient_start <<END
name=S count=2 system-at=1 at=200 wait=20 repeat=10
END
wait_for 30 left starves-system
loader_ended
kclient_wait
settled starves-system

dmesg_begin # a reservation is answered badly
policy_hold reserves-badly
kclient_run <<END
name=S system-at=1 at=200 wait=20
END
loader_ended
settled reserves-badly

dmesg_begin # the device goes
policy_hold upstream
rmmod kclient
killall tee-supplicant # which uses the device
wait_for 30 no_supplicant
echo firmware:optee >/sys/bus/platform/drivers/optee/unbind || die "cannot unbind the device"
wait_for 10 left upstream
loader_ended
dmesg_since >/tmp/gone.dmesg
echo firmware:optee >/sys/bus/platform/drivers/optee/bind || die "cannot bind the device"
wait_for 30 test -e /dev/teepriv0
tee-supplicant -d || die "cannot start tee-supplicant"
load_start gone
load_wait
killall tee-supplicant
wait_for 30 no_supplicant
cp $STATE /tmp/gone.state
echo firmware:optee >/sys/bus/platform/drivers/optee/unbind
wait_for 10 rmmod optee # the witness may be a bit late
"""
LEAVES: Mapping[str, tuple[str, Fault]] = {
    "off": ("never", Fault("admission_off was written to")),
    "starves-system": ("starves-system", Fault("a call waited too long")),
    "reserves-badly": ("reserves-badly", Fault("an answer out of range", 7)),
    "gone": ("upstream", Fault("the device has left")),
}


@test()
def policy_goes(context: Context) -> None:
    """Every other way for a policy to go, with calls in its queue."""
    ejected = ("never", "starves-system", "reserves-badly")
    loads = ("killed", "detached", "off", "gone")
    guest = policy.run(context, COMMON + kclient.SCRIPT + "kclient_load\n" + GOES,
                       *policy.options(*build(context, *ejected), *kclient.options()),
                       gets=["kclient", *(f"{n}.load" for n in loads),
                             *(f"{n}.dmesg" for n in {*loads, *LEAVES})], seconds=400)
    findings = Findings()
    for name in loads:
        check_load(findings, guest, name)
    for name in "killed", "detached":
        findings.equal(f"{name}: the kernel's log", guest.read(f"{name}.dmesg"), b"")
    for name, (who, fault) in LEAVES.items():
        said = guest.read(f"{name}.dmesg").decode()
        lines = [line for line in said.splitlines() if "admission policy" in line]
        findings.true(f"{name}: the kernel says {said!r}",
                      len(lines) == 1 and f"'{who}' ejected: {fault.reason} (answer {fault.answer},"
                      in lines[0])
    findings.done()


# H's calls wait in front of B's, and are refused whenever somebody asks.
MANY = 200
BOUNDED = rf"""
passes() {{ state 'queue 0 passes'; }}
waiting() {{ [ "$(state 'queue 0 norm_waiting')" -ge "$1" ]; }}

dmesg_begin
for name in at-once at-last; do # how often do they want to be asked?
	policy_start $name 30000
	optee-load -o /dev/null 'name=W count=4 wait=10' 2>/dev/null &
	LOAD=$!
	wait_for 30 waiting 4
	before=$(passes)
	usleep 2000000
	echo "$name $(($(passes) - before))"
	policy_stop
	wait $LOAD || die "optee-load failed"
done

policy_start refuses-77 30000
optee-load -r 0 -o /dev/null --ready-file /tmp/ready 'name=H ta=invoke_tests sessions={MANY} cmd=77' \
	>/dev/null 2>&1 &
LOAD=$!
wait_for 60 waiting {MANY}
optee-load -o /tmp/behind.load 'name=B count=3 ta=invoke_tests repeat=20 nop gap=5' ||
	die "optee-load failed"
cp $STATE /tmp/behind.state
policy_stop
wait $LOAD # with 1, as OP-TEE has no command 77

policy_hold none # the administrator's switch and the file, while somebody holds the mutex
insmod /holds.ko || die "no holds.ko"
holds() {{ [ "$(cat /sys/module/holds/parameters/holds)" = "$1" ]; }}
optee-load -o /tmp/held.load 'name=L ta=invoke_tests repeat=3 nop' 2>/dev/null &
LOAD=$!
wait_for 20 holds 1
cp $STATE /tmp/held.state
holds 1 || die "the state could not be read while the mutex was held"
echo 1 >/sys/module/optee/parameters/admission_off
holds 1 || die "admission_off had to wait for the mutex"
policy_is - || die "it is still attached: $(cat $STATE)"
holds 1 || die "the state could not be read while the mutex was held"
echo 1 >/sys/module/holds/parameters/release
loader_ended
wait $LOAD || die "optee-load failed"
rmmod holds
wait_for 20 counters_are_zero
echo 0 >/sys/module/optee/parameters/admission_off
dmesg_since | grep -v 'holds: ' >/tmp/dmesg
"""


@test()
def policy_bounded(context: Context) -> None:
    """What a policy costs has a bound: passes by the clock, and questions in each pass; those who
    were not asked in one are in the next. And the administrator need not wait for it."""
    names = ("at-once", "at-last", "refuses-77")
    guest = vm.run(context, policy.SCRIPT + COMMON + BOUNDED,
                   *policy.options(*build(context, *names),
                                   "--put", f"{kmod.build('holds')}:/holds.ko"),
                   gets=["behind.load", "behind.state", "held.state", "dmesg"], seconds=300)
    findings = Findings()
    passes = {name: int(n) for name, n in (line.split() for line in guest.out.decode().splitlines())}
    findings.true(f"passes in two seconds or a bit more: {passes}",
                  20 <= passes["at-once"] <= 2500 and passes["at-last"] <= 20)
    seen = state(guest, "behind")
    asked = int(seen["queue 0 norm_wait_kept"]) + int(seen["queue 0 norm_enter"])
    most = MOST_ASKED * int(seen["queue 0 passes"]) + int(seen["queue 0 norm_calls"])
    findings.true(f"{asked} questions in {seen['queue 0 passes']} passes, {most} would be the most",
                  10 * MANY < asked <= most)
    calls = [c for c in account.load(guest.files["behind.load"]).calls if c.op == "invoke"]
    findings.equal("calls behind those that are refused", len(calls), 3 * 20)
    held = guest.read("held.state").decode()
    findings.true(f"the state while the mutex is held: {held}", "\nqueue 0 torn 1\n" in held)
    findings.true(f"the kernel says {guest.read('dmesg')!r}",
                  guest.read("dmesg").decode().count("ejected: admission_off was written to") == 1)
    findings.done()
