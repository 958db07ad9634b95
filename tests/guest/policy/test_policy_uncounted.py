# SPDX-License-Identifier: GPL-2.0-only
"""Where Linux does not know how many threads there are, a policy learns it from OP-TEE's
refusals: those who are refused go back to the queue, and nobody is lost when a policy comes
or goes while some of them sleep. So it is over FF-A; and with a driver that does not look."""

from typing import Sequence

from ..lib import account, policy, vm
from ..lib.registry import Context, Findings, test

PATCH = vm.ROOT / "tests/driver/patches/unknown-threads.patch"
CLIENTS = 6
STEADY = ("fair", "none", "single")
REPEAT = 20
LOADS = (*STEADY, "changing")

LOAD = r"""
load() { # NAME REPEAT
	optee-load -o /tmp/$1.load "name=N count=%(clients)d repeat=$2 wait=20" >/tmp/load.out 2>&1 &
	LOAD=$!
}
load_wait() { wait $LOAD || die "optee-load failed: $(cat /tmp/load.out)"; }
refused() { [ "$(state 'queue 0 busy')" -ge "$1" ]; }
[ "$(state 'queue 0 total')" = 0 ] || die "the threads are counted"
[ -e /sys/kernel/btf/optee ] || die "the driver has no BTF"
dmesg_begin
for policy in %(steady)s; do # they learn it all from the beginning
	policy_start $policy
	load $policy %(repeat)d
	load_wait
	cp $STATE /tmp/$policy.state
	policy_stop
done

load changing 0 # it comes when two are in OP-TEE and the others sleep, and goes, and comes
for policy in upstream none fair single; do
	policy_start $policy
	wait_for 30 refused 1
	policy_stop
done
kill $LOAD
load_wait
dmesg_since >/tmp/dmesg
""" % {"clients": CLIENTS, "steady": " ".join(STEADY), "repeat": REPEAT}


def state(guest: vm.Run, name: str) -> dict[str, int]:
    lines = guest.read(f"{name}.state").decode().splitlines()
    return {key: int(value) for key, _, value in
            (line.removeprefix("queue 0 ").rpartition(" ") for line in lines if "queue 0" in line)}


def uncounted(context: Context, options: Sequence[str]) -> None:
    guest = policy.run(context, LOAD, "--icount", *options,
                       gets=["dmesg", *(f"{n}.load" for n in LOADS),
                             *(f"{n}.state" for n in STEADY)], seconds=400)
    findings = Findings()
    for name in LOADS:
        calls = account.load(guest.files[f"{name}.load"]).calls
        made = sum(c.op == "invoke" for c in calls)
        if name in STEADY:
            findings.equal(f"{name}: calls", made, CLIENTS * REPEAT)
        findings.true(f"{name}: {made} calls", made >= CLIENTS)
        findings.true(f"{name}: calls lost or failed",
                      all(c.end is not None and not c.failed for c in calls))
    for name in STEADY:
        seen = state(guest, name)
        everything = CLIENTS * (REPEAT + 2)  # open and close
        findings.equal(f"{name}: calls that the driver counts", seen["norm_calls"], everything)
        # Whoever is handed a thread finds one there: refusals are few, not one a call.
        findings.true(f"{name}: {seen['busy']} refusals of {everything} calls",
                      3 <= seen["busy"] <= everything // 3)
        findings.equal(f"{name}: calls in flight or waiting at the end",
                       sum(n for key, n in seen.items()
                           if key.endswith("_in_flight") or key in ("norm_waiting", "sys_waiting")), 0)
    findings.equal("the kernel's log", guest.read("dmesg"), b"")
    findings.done()


@test()
def policy_ffa(context: Context) -> None:
    uncounted(context, policy.options("--ffa", kernel="7.3"))


@test()
def policy_uncounted(context: Context) -> None:
    uncounted(context, policy.options(patch=PATCH))
