# SPDX-License-Identifier: GPL-2.0-only
"""Where Linux does not know how many threads there are, as over FF-A, a policy learns it
from OP-TEE's refusals: those who are refused go back to the queue, and nobody is lost when
a policy comes or goes while some of them sleep."""

from . import account, policy, vm
from .registry import Context, Findings, test

PATCH = vm.ROOT / "tests/kernel/unknown-threads.patch"
CLIENTS = 6

LOAD = r"""
load() { # NAME REPEAT
	optee-load -o /tmp/$1.load "name=N count=%(clients)d repeat=$2 wait=20" >/tmp/load.out 2>&1 &
	LOAD=$!
}
load_wait() { wait $LOAD || die "optee-load failed: $(cat /tmp/load.out)"; }
refused() { [ "$(state 'queue 0 busy')" -ge "$1" ]; }
[ "$(state 'queue 0 total')" = 0 ] || die "the threads are counted"
dmesg_begin
policy_start fair # they learn it all from the beginning
load steady 60
wait_for 30 refused 3
load_wait
cat $STATE >/tmp/steady.state
policy_stop

load changing 150 # it comes when two are in OP-TEE and the others sleep, and goes, and comes
for policy in upstream none fair single; do
	policy_start $policy
	wait_for 30 refused 1
	policy_stop
done
kill -0 $LOAD || die "the load was over too soon"
load_wait
dmesg_since >/tmp/dmesg
""" % {"clients": CLIENTS}


@test()
def policy_uncounted(context: Context) -> None:
    guest = policy.run(context, LOAD, *policy.options(patch=PATCH),
                       gets=["steady.load", "changing.load", "steady.state", "dmesg"], seconds=400)
    findings = Findings()
    for name, repeat in ("steady", 60), ("changing", 150):
        calls = account.load(guest.files[f"{name}.load"]).calls
        made = [c for c in calls if c.op == "invoke"]
        findings.equal(f"{name}: calls", len(made), CLIENTS * repeat)
        findings.true(f"{name}: calls lost or failed",
                      all(c.end is not None and not c.failed for c in calls))
    state = dict(line.rsplit(" ", 1) for line in
                 guest.read("steady.state").decode().splitlines() if line.startswith("queue"))
    # Whoever is handed a thread finds one there: refusals are few, not one a call.
    refusals = int(state["queue 0 busy"])
    findings.true(f"{refusals} refusals of {CLIENTS * 60} calls",
                  3 <= refusals <= CLIENTS * 60 // 4)
    findings.equal("the kernel's log", guest.read("dmesg"), b"")
    findings.done()
