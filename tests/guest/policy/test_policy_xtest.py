# SPDX-License-Identifier: GPL-2.0-only
"""OP-TEE's own tests pass under every policy: three of them at once, of many sessions each.
The whole regression set, which takes an hour, is tests/xtest-policies."""

from ..lib import policy, xtest
from ..lib.registry import Context, Findings, test

COPIES = 3  # on two threads
TESTS = "_1005 _1007 _4001"  # such as do not mind each other

THREE = r"""
three() { # NAME
	xtest_others=
	for xtest_copy in %(others)s; do
		xtest_run $1-$xtest_copy %(tests)s &
		xtest_others="$xtest_others $!"
	done
	xtest_run $1-1 %(tests)s
	wait $xtest_others
}

dmesg_begin
three bare
for name in %(policies)s; do
	policy_start $name
	three $name
	policy_is $name || die "it did not stay: $(cat $STATE)"
	cat $STATE >/tmp/$name.state
	policy_stop
	wait_for 10 counters_are_zero
done
# With one call of a TA at a time: what cancels one must not wait for it.
policy_start tacap
xtest_run cancels _1009
policy_stop
dmesg_since >/tmp/dmesg
""" % {"policies": " ".join(policy.NAMES), "tests": TESTS,
       "others": " ".join(str(n) for n in range(2, COPIES + 1))}


def under_policies(context: Context, *options: str) -> None:
    runs = [f"{name}-{copy + 1}" for name in ("bare", *policy.NAMES) for copy in range(COPIES)]
    # One call of a TA at a time, yes; but 50 of the hundreds a second would take its time.
    fast = policy.compile(context, policy.SOURCES / "tacap.c", "RATE=1000")
    guest = policy.run(context, xtest.SCRIPT + THREE, *policy.options(*options, *fast),
                       gets=["dmesg", *(f"{name}.state" for name in policy.NAMES),
                             *(f"{name}.xtest" for name in (*runs, "cancels"))], seconds=600)
    findings = Findings()
    results = {name: xtest.parse(guest.read(f"{name}.xtest")) for name in runs}
    cancels = xtest.parse(guest.read("cancels.xtest"))
    findings.equal("cancelled under tacap", (cancels.passed, cancels.failed), (1, 0))
    want = results["bare-1"]
    findings.equal("tests that pass without a policy", want.passed, len(TESTS.split()))
    for name, result in results.items():
        wrong = xtest.difference(result, want)
        findings.true(f"{name}: {wrong}", not wrong)
    for name in policy.NAMES:
        state = dict(line.rsplit(" ", 1)
                     for line in guest.read(f"{name}.state").decode().splitlines())
        calls, waited = (int(state[f"queue 0 norm_{what}"]) for what in ("calls", "waited"))
        findings.true(f"{name}: only {waited} of {calls} calls waited", 20 <= waited <= calls)
    findings.equal("the kernel's log", guest.read("dmesg"), b"")
    findings.done()


@test(check_all=True)
def policy_xtest(context: Context) -> None:
    """OP-TEE's own tests under each policy; xtest_same has them without one."""
    under_policies(context, "--icount")


@test(check_all=True)
def policy_xtest_smp(context: Context) -> None:
    """On two CPUs what policy_xtest does on one."""
    under_policies(context)
