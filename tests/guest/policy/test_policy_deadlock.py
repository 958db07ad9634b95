# SPDX-License-Identifier: GPL-2.0-only
"""The deadlock that system sessions are there for: every thread is held by a call whose RPC
waits for a call of SCMI's session. Without a reservation it happens, and optee-top says so;
every policy that has one gets through."""

import json

from ..lib import kmod, policy
from ..lib.registry import Context, Findings, test

RESERVING = tuple(name for name in policy.NAMES if name != "none")
CLIENTS = 2  # as many as there are threads

SCMI = r"""
ACCOUNT=/sys/kernel/debug/optee_top_scmi
outer() { # the calls whose RPCs need SCMI
	# Of two TAs: OP-TEE loads one at a time, and the second would wait for the first in there.
	optee-load -o /tmp/load 'name=outer-1 ta=concurrent sessions=0 open burn=1 close' \
		'name=outer-2 ta=os_test sessions=0 open nop close' >/tmp/load.out 2>&1 </dev/null &
	LOAD=$!
}
"""

THROUGH = r"""
policy_start %(name)s
insmod /scmi.ko count=%(clients)s || die "no scmi.ko"
outer
wait $LOAD || die "optee-load failed"
echo "%(name)s" $(cat $ACCOUNT)
rmmod scmi
policy_stop
"""

# Nothing can undo it: the guest ends with it.
LOCKED = r"""
events_run() { grep -q S /proc/$EVENTS/stat && ls -l /proc/$EVENTS/fd | grep -q bpf-prog; }
policy_start none
insmod /scmi.ko count=%(clients)s || die "no scmi.ko"
optee-top events --json >/tmp/events.jsonl 2>/tmp/events.err </dev/null &
EVENTS=$!
wait_for 60 events_run
optee-load -o /dev/null 'name=idle ta=invoke_tests repeat=10 nop gap=100'
outer
wait_for 60 grep -q '"deadlock","state":"begin"' /tmp/events.jsonl
usleep 3000000
grep -q '"deadlock","state":"end"' /tmp/events.jsonl && die "the deadlock resolved itself"
kill -0 $LOAD || die "the clients got through"
echo "none" $(cat $ACCOUNT)
"""


@test()
def policy_deadlock(context: Context) -> None:
    names = {"clients": str(CLIENTS)}
    scmi = ("--put", f"{kmod.build('scmi')}:/scmi.ko")
    through = SCMI + "".join(THROUGH % {"name": n, **names} for n in RESERVING)
    guest = policy.run(context, through, *policy.options("--icount", *scmi),
                       seconds=600, tag="through")
    findings = Findings()
    said = dict(line.split(maxsplit=1) for line in guest.out.decode().splitlines())
    for name in RESERVING:
        words = (said.get(name) or "").split()
        figures = dict(zip(words[::2], map(int, words[1::2])))
        findings.equal(f"{name}: reserved, failed, and calls not done", (
            figures.get("reserved"), figures.get("failed"),
            figures.get("arrived", 0) - figures.get("done", 0)), (0, 0, 0))
        findings.true(f"{name}: {figures}", figures.get("done", 0) >= CLIENTS)
    guest = policy.run(context, SCMI + LOCKED % names, *policy.options("--icount", *scmi),
                       gets=["events.jsonl"], seconds=300, tag="locked")
    none = guest.out.decode().split()
    findings.true(f"none gave a reservation: {none}",
                  none[:2] == ["none", "reserved"] and none[2] != "0")
    findings.equal("none: clients that arrived, and got through", none[3:],
                   f"arrived {CLIENTS} done 0 failed 0".split())
    events = [json.loads(line) for line in guest.read("events.jsonl").decode().splitlines()]
    begins = [e for e in events if e["condition"] == "deadlock" and e["state"] == "begin"]
    findings.equal("deadlocks that optee-top tells of", len(begins), 1)
    holders = {p["tid"] for e in begins for p in e["who"] if (p["comm"] or "").startswith("outer")}
    findings.equal("clients of ours in it", len(holders), CLIENTS)
    findings.done()
