# SPDX-License-Identifier: GPL-2.0-only
"""What an ordinary client can do as fast as it likes (tests/programs/hostile/hammer.c) takes its
turn under every policy: others make calls next to it as they do next to clients that invoke,
and a system session has its reserved thread. All is counted by the clients' own accounts, on a
clock of instructions."""

from typing import NamedTuple, Sequence

from ..lib import account, kclient, policy, vm
from ..lib.policy import MS
from ..lib.registry import Context, Findings, test

WINDOW_MS = 300
ORDINARY = "invoke"  # what the other kinds of the hammer are compared with
KINDS = {**{name: ("register",) for name in policy.NAMES},
         "strict": ("register", "alloc", "cancel"), "tacap": ("register", "cancel")}
THREADS = 8
STOCK = "stock"  # our driver without a policy
SYSTEM = 0.9  # of S's calls without a policy: 700 of 774 in ten seconds

ONE = "ta=invoke_tests repeat=0 nop"
OTHER = "ta=concurrent repeat=0 nop"  # another TA than the hammer's, which tacap holds back
TWELVE = "ta=invoke_tests sessions=12 repeat=0 nop"  # more than a page has arguments

HAMMER = r"""
chmod 666 /dev/tee0
kclient_load
dmesg_begin
hammered() { # NAME LOAD KIND...: all of which there are while S and V call
	name=$1 load=$2
	shift 2
	system=system
	[ $name != none ] || system= # it gives no reservation, and need not give a thread
	kclient_start <<END
name=S $system at=20 wait=10 gap=5 repeat=150
END
	optee-load -o /tmp/$name.load --ready-file /tmp/$name.ready "name=V $load" 2>/tmp/load.out &
	LOAD=$!
	wait_for 60 test -e /tmp/$name.ready
	usleep 150000
	for kind; do
		su nobody -s /bin/sh -c "hammer $kind %(threads)d %(ms)d" >>/tmp/$name.hammer ||
			die "hammer $kind failed"
	done
	kill $LOAD
	wait $LOAD || die "optee-load failed: $(cat /tmp/load.out)"
	kclient_wait
	cp /tmp/kclient /tmp/$name.kclient
}
""" % {"ms": WINDOW_MS, "threads": THREADS}

UNDER = r"""
policy_start %(name)s
hammered %(name)s "%(load)s" %(kinds)s
policy_is %(name)s || die "$(cat $STATE)"
policy_stop
"""


class Window(NamedTuple):
    """What was done while the hammer did one thing."""

    kind: str
    blows: int
    victim: int  # calls of V
    system: int  # of S


def windows(guest: vm.Run, name: str) -> dict[str, Window]:
    v = account.load(guest.files[f"{name}.load"]).calls
    s = account.load(guest.files[f"{name}.kclient"]).calls
    found = {}
    for line in guest.read(f"{name}.hammer").decode().splitlines():
        kind, *numbers = line.split()
        blows, begin, end = map(int, numbers)
        done = [sum(1 for c in calls if c.op == "invoke" and c.end and begin <= c.end < end)
                for calls in (v, s)]
        found[kind] = Window(kind, blows, *done)
    return found


def check(findings: Findings, name: str, seen: dict[str, Window], system: float) -> None:
    ordinary = seen[ORDINARY].victim
    for w in seen.values():
        what = f"{name}: next to 'hammer {w.kind}', which did that {w.blows} times,"
        findings.true(f"{what} V made {w.victim} calls, next to 'hammer {ORDINARY}' {ordinary}",
                      w.blows >= THREADS and 2 * w.victim >= ordinary > 0)
        findings.true(f"{what} S made {w.system} calls, not {system:.0f}",
                      name == "none" or w.system >= system)


def hammer(context: Context, names: Sequence[str], load: str) -> None:
    script = f'hammered {STOCK} "{load}" {ORDINARY}\n'
    for name in names:
        script += UNDER % {"name": name, "load": OTHER if name == "tacap" else load,
                           "kinds": " ".join((ORDINARY, *KINDS[name]))}
    guest = vm.run(context, policy.SCRIPT + kclient.SCRIPT + HAMMER + script
                   + "dmesg_since >/tmp/dmesg\n", *policy.options("--icount", *kclient.options()),
                   gets=["dmesg", *(f"{n}.{f}" for n in (STOCK, *names)
                                    for f in ("load", "kclient", "hammer"))], seconds=900)
    findings = Findings()
    wanted = SYSTEM * windows(guest, STOCK)[ORDINARY].system
    for name in names:
        check(findings, name, windows(guest, name), wanted)
    findings.equal("the kernel's log", guest.read("dmesg"), b"")
    findings.done()


@test(long=True)
def policy_hammer(context: Context) -> None:
    hammer(context, policy.NAMES, ONE)


@test()
def policy_hammer_twelve(context: Context) -> None:
    """Among more callers than the driver has arguments registered for."""
    hammer(context, ("strict",), TWELVE)


# Of the arguments that there are A has one, and W has all others, so V is
# the one for whom the driver needs one more page. All of them wait for A's thread; S has one in
# reserve. V is killed when all of that is over.
ARGUMENTS = r"""
arguments() { # NAME SESSIONS
	record_start $1
	kclient_start <<END
name=S system at=1000 wait=10
END
	optee-load -o /dev/null --ready-file /tmp/$1.ready 'name=A at=100 wait=2500' \
		"name=W ta=invoke_tests sessions=$2 at=300 nop" 2>/tmp/load.out &
	LOAD=$!
	wait_for 60 test -e /tmp/$1.ready
	usleep 600000
	optee-load -o /dev/null --ready-file /tmp/$1.held 'name=V ta=invoke_tests nop hold' &
	wait $LOAD || die "optee-load failed: $(cat /tmp/load.out)"
	wait_for 60 test -e /tmp/$1.held
	kclient_wait
	cp /tmp/kclient /tmp/$1.kclient
	killall -9 optee-load V
	usleep 300000
	record_stop
}
kclient_load
arguments stock 9
policy_start strict
arguments strict 19
policy_stop
"""


@test()
def policy_arguments(context: Context) -> None:
    """Nobody waits for an argument while another one's page waits for a thread (D1), and the
    page keeps no context open: a killed client's session is closed (D2)."""
    names = (STOCK, "strict")
    guest = vm.run(context, policy.SCRIPT + kclient.SCRIPT + ARGUMENTS,
                   *policy.options("--icount", *kclient.options()),
                   gets=[f"{n}.{f}" for n in names for f in ("csv", "kclient")])
    findings = Findings()
    for name in names:
        (s,) = kclient.load(guest.files[f"{name}.kclient"]).of("S")
        findings.true(f"{name}: S's call took {(s.end or 0) - s.start} ns",
                      s.end is not None and s.end - s.start < 200 * MS)
        calls = policy.calls(guest.files[f"{name}.csv"])
        (a,) = [c for c in calls if c.client == "A" and c.op == "invoke"]
        findings.true(f"{name}: S did not call while A did",
                      a.admitted < s.start < a.end - 500 * MS)
        waiting = [c for c in calls if c.client in "VW" and c.start < s.start < c.admitted]
        findings.true(f"{name}: only {len(waiting)} others waited then", len(waiting) >= 10)
        findings.equal(f"{name}: V's calls", [c.op for c in calls if c.client == "V"],
                       ["open", "invoke", "close"])
    findings.done()


SUPPLICANT = r"""
no_supplicant() { ! pidof tee-supplicant >/dev/null; }
chmod 666 /dev/tee0
kclient_load
policy_start strict
kclient_start <<END
name=S system at=3000 wait=10
END
optee-load -o /tmp/load --ready-file /tmp/ready 'name=A at=50 wait=2000' &
LOAD=$!
wait_for 60 test -e /tmp/ready
usleep 400000
killall tee-supplicant
wait_for 10 no_supplicant
hammer alloc 1 0 /dev/teepriv0 >/tmp/served || die "hammer failed"
tee-supplicant -d || die "cannot start tee-supplicant"
su nobody -s /bin/sh -c 'hammer alloc 1 0' >/tmp/queued || die "hammer failed"
wait $LOAD || die "optee-load failed"
policy_stop
"""


@test()
def policy_hammer_supplicant(context: Context) -> None:
    """What tee-supplicant registers is for a call that has a thread: it does not wait for one
    that a policy keeps. What a client registers does."""
    guest = vm.run(context, policy.SCRIPT + kclient.SCRIPT + SUPPLICANT,
                   *policy.options("--icount", *kclient.options()),
                   gets=["load", "served", "queued"])
    (a,) = [c for c in account.load(guest.files["load"]).calls if c.op == "invoke"]
    (_, served), (began, queued) = (map(int, guest.read(f).split()[2:])
                                    for f in ("served", "queued"))
    findings = Findings()
    findings.true(f"A called from {a.start} to {a.end}; tee-supplicant had its memory at {served}",
                  a.start < served < (a.end or 0) - 500 * MS)
    # A's thread is handed over a bit before A's own call returns.
    findings.true(f"A called from {a.start} to {a.end}; the client had its memory at {queued}",
                  began < (a.end or 0) - 500 * MS and queued > (a.end or 0) - 20 * MS)
    findings.done()
