# SPDX-License-Identifier: GPL-2.0-only
"""What is left by who is gone: sessions that the driver does not close, requests to a
tee-supplicant that it does not know to be dead. Who is only slow, or has left his file to
another, is not gone."""

from typing import Sequence

from ..lib import events, frames, vm
from ..lib.events import MS, Reported
from ..lib.frames import Object
from ..lib.registry import Context, Findings, test

THREADS = 4

# mark NAME: what is now. in_request: a client waits for tee-supplicant.
COMMON = r"""
mark() { echo "$1 $(cut -d ' ' -f 1 /proc/uptime)" >>/tmp/marks; }
no_supplicant() { ! pidof tee-supplicant >/dev/null; }
in_request() { cat /proc/[0-9]*/task/*/stack 2>/dev/null | grep -q optee_supp_thrd_req; }
no_request() { ! in_request; }
asks() { # a client for whose TA tee-supplicant is asked
	optee-load -o /dev/null 'name=asks wait=1' 2>/tmp/asks.err &
	ASKS=$!
	wait_for 30 in_request
}

top_start -d 0.5
events_start
"""

# A supplicant that takes its time has a parent that has opened its file and is dead. Where
# there is none it can still come; and one that is killed is noticed, unless OP-TEE has memory
# of it: the request that nobody has taken is refused, and the next one waits for the next one.
PATIENCE = r"""
mark stopped
killall -STOP tee-supplicant
asks
usleep 1500000
killall -CONT tee-supplicant
wait $ASKS || die "the stopped supplicant's client failed"

mark absent
killall tee-supplicant
wait_for 30 no_supplicant
asks
usleep 1500000
tee-supplicant -d || die "cannot start tee-supplicant"
wait $ASKS || die "the waiting client failed"

mark restarted
killall -STOP tee-supplicant
asks
killall -9 tee-supplicant
wait_for 30 no_supplicant
usleep 1200000
tee-supplicant -d || die "cannot start tee-supplicant again"
wait $ASKS # it has lost a request, and what became of the next ones decides
optee-load -o /dev/null 'name=asks wait=1' || die "the client after it failed"
"""

# Who comes when the page has no argument left, ten calls having one, makes another, which keeps
# its context. That is one of the openers, each of which is dead at once and has a child that
# has its file: the others are nine, or ten with the driver's own call.
LEAK = r"""
mark crowd
optee-load -o /dev/null --ready-file /tmp/ready 'name=A count=4 at=100 wait=1500' \
	'name=W ta=invoke_tests sessions=5 at=300 nop' &
LOAD=$!
wait_for 60 test -e /tmp/ready
usleep 600000
for n in 1 2 3 4 5 6 7 8 9 10 11 12; do
	/heir /tmp/heirs.go &
	HEIRS="${HEIRS:-} $!"
done
wait $LOAD || die "optee-load failed"
for pid in $HEIRS; do
	wait "$pid" || die "an heir has no session"
done
echo $HEIRS >/tmp/openers
mark inherited
usleep 1500000
top_settle
mark left
: >/tmp/heirs.go
wait_for 30 is_said '"session leak","state":"begin"'
mark said
usleep 1100000
top_settle
"""

# Somewhere in these tests of storage OP-TEE has memory of tee-supplicant.
GONE = r"""
(while :; do xtest -t regression 6004 6008; done) >/dev/null 2>&1 &
LOOP=$!
usleep 2370000
mark killed
killall -9 tee-supplicant
wait_for 30 is_said '"supplicant gone","state":"begin"'
tee-supplicant -d 2>/dev/null && die "tee-supplicant can be started: this is no test"
usleep 1100000
top_settle
mark freed
kill -9 $LOOP
killall -9 xtest
wait_for 30 no_request
tee-supplicant -d || die "tee-supplicant cannot be started when no client waits"
optee-load -o /dev/null 'name=asks wait=1' || die "the client after it failed"
"""

END = r"""
top_stop
events_stop
optee-top --json -n 1 -d 1.5 >/tmp/late.jsonl
"""
FILES = ("top.jsonl", "events.jsonl", "late.jsonl", "marks", "openers")


def of(said: Sequence[Reported], condition: str) -> Sequence[Reported]:
    return [one for one in said if one.condition == condition]


def check_leak(findings: Findings, one: Reported, openers: Sequence[int],
               marks: dict[str, int]) -> None:
    """It begins when the last who has the file closes it, and does not end."""
    since = one.first["since_ns"]
    findings.true(f"the leak began {(since - marks['left']) / 1e6:.1f} ms after the file was closed",
                  0 <= since - marks["left"] < 200 * MS)
    findings.true("the leak was said before it had lasted for a second",
                  one.found_late_ns >= 1000 * MS)
    findings.equal("the leak's end", one.ended, False)
    for event in one.events:
        findings.equal("sessions left open", (event["peak"], len(event["who"])), (1, 1))
        party = event["who"][0]
        findings.true(f"process {party['pid']} left a session open, not one of {openers}",
                      party["pid"] in openers)
        findings.equal("who left it, and what", (party["comm"], party["client"], party["ta"],
                                                 party["phase"], party["cmd"]),
                       (None, "heir", "invoke-tests.pta", None, None))
        findings.equal("why", event["why"]["text"], "1 session is open that nobody has any more")


def check_gone(findings: Findings, one: Reported, marks: dict[str, int]) -> None:
    """It begins when tee-supplicant is killed, or with the first request after that."""
    since = one.first["since_ns"]
    findings.true(f"it was gone {(since - marks['killed']) / 1e6:.1f} ms after it was killed",
                  0 <= since - marks["killed"] < 1000 * MS)
    findings.true("it was said before it had lasted for a second", one.found_late_ns >= 1000 * MS)
    findings.true("no end was seen when the client was killed",
                  one.ended and 0 < one.events[-1]["mono_ns"] - marks["freed"] < 500 * MS)
    for event in one.events[:-1]:  # at the end it may be gone
        findings.equal("who waits", [(p["comm"], p["phase"], p["waits"]) for p in event["who"]],
                       [("xtest", "rpc", False)])


def check_frames(findings: Findings, seen: Sequence[Object], late: Object,
                 marks: dict[str, int]) -> None:
    frames.check_sane(findings, seen)
    for frame in seen:
        conditions, at = frame["pools"][0]["conditions"], frame["mono_ns"]
        for key, begin, known in (("session_leak", "left", "said"),
                                  ("supplicant_gone", "killed", "freed")):
            findings.true(f"{key} is not known", conditions[key] is not None)
            if at < marks[begin]:
                findings.equal(f"{key} before it began", conditions[key]["count"], 0)
            elif at > marks[known] + 100 * MS:
                findings.equal(f"{key} after that", conditions[key]["count"], 1)
    last = seen[-1]["pools"][0]["conditions"]
    findings.equal("what lasts in the end",
                   (last["session_leak"]["lasting"], last["supplicant_gone"]["lasting"]), (1, 0))
    # One that has not seen the session opened finds it, and does not know by whom.
    findings.equal("the leak, seen late",
                   late["pools"][0]["conditions"]["session_leak"]["lasting"], 1)
    left = [s for s in late["sessions"] if s["serial"] is not None]
    findings.equal("the sessions, seen late",
                   [(s["pid"], s["client"], s["ta"], s["state"]) for s in left],
                   [(None, None, None, "open")])


@test()
def gone(context: Context) -> None:
    """A session that nobody has any more, and a tee-supplicant that was killed, are reported
    by the stock driver's defects; whoever is stopped, absent, started again or has inherited a
    file is not gone."""
    script = events.SCRIPT + COMMON + PATIENCE + LEAK + GONE + END
    guest = vm.run(context, script, "--icount", "--threads", str(THREADS),
                   "--put", f"{vm.ROOT}/build/arm64/heir:/heir", gets=FILES, seconds=240)
    marks = {name: int(float(at) * 1e9) for name, at in
             map(str.split, guest.read("marks").decode().splitlines())}
    findings = Findings()
    said = events.of_lines(findings, frames.load(guest.files["events.jsonl"]))
    leaks, dead = of(said, "session leak"), of(said, "supplicant gone")
    findings.equal("session leaks, supplicants gone", (len(leaks), len(dead)), (1, 1))
    findings.done()
    openers = [int(pid) for pid in guest.read("openers").split()]
    check_leak(findings, leaks[0], openers, marks)
    check_gone(findings, dead[0], marks)
    check_frames(findings, frames.load(guest.files["top.jsonl"]),
                 frames.load(guest.files["late.jsonl"])[0], marks)
    findings.done()
