# SPDX-License-Identifier: GPL-2.0-only
"""What single, strict, fair and tacap are for, each measured in a recording."""

from typing import Sequence

from ..lib import kclient, policy
from ..lib.policy import MS, Call
from ..lib.registry import Context, Findings, test

SEC = 1000 * MS


def invokes(seen: Sequence[Call], client: str) -> Sequence[Call]:
    return [c for c in seen if c.op == "invoke"
            and (c.client == client or c.client.startswith(f"{client}-"))]


# With two threads, one of them held by a system call, the merged driver keeps the other.
SINGLE = r"""
record_start all
for policy in stock upstream single; do
	[ $policy = stock ] || policy_start $policy
	kclient_start <<END
name=S system at=0 wait=4000
END
	optee-load -o /dev/null 'name=N at=500 wait=100' || die "optee-load failed"
	kclient_wait
	[ $policy = stock ] || policy_stop
done
record_stop
"""


@test()
def policy_single(context: Context) -> None:
    guest = policy.run(context, kclient.SCRIPT + "kclient_load\n" + SINGLE,
                       *policy.options("--icount", *kclient.options()), gets=["all.csv"])
    seen = policy.calls(guest.files["all.csv"])
    findings = Findings()
    runs = list(zip(("stock", "upstream", "single"), invokes(seen, "S"), invokes(seen, "N")))
    findings.equal("runs", len(runs), 3)
    for name, system, normal in runs:
        findings.true(f"{name}: N came at {normal.start}, S was there from {system.start} to "
                      f"{system.end}", system.admitted < normal.start < system.end - 300 * MS)
        if name == "single":
            findings.true(f"single: N waited {normal.waited} ns", normal.waited <= 20 * MS)
        else:
            findings.true(f"{name}: N came in beside S", normal.admitted >= system.end)
    findings.done()


CLIENTS = 10
# The driver alone gives all of them a reservation; strict has but three entries for them.
STRICT = rf"""
record_start all
kclient_start <<END
name=S count={CLIENTS} system at=12000 wait=0 repeat=@EACH@
END
policy_start strict
state 'queue 0 since_ns' >/tmp/since
optee-load -o /dev/null 'name=N count=2 repeat=300 wait=1' || die "optee-load failed"
kclient_wait 400
record_stop
policy_stop
"""


def no_overrun(context: Context, each: int) -> None:
    threads = 4
    guest = policy.run(context, kclient.SCRIPT + "kclient_load\n"
                       + STRICT.replace("@EACH@", str(each)),
                       *policy.options("--threads", str(threads), *kclient.options()),
                       gets=["all.csv", "kclient", "since"], seconds=900)
    findings = Findings()
    truth = kclient.load(guest.files["kclient"])
    done = [c for c in truth.calls if c.op == "invoke" and c.result == 0]
    reserved = sum(1 for p in truth.promotions if not p.error)
    findings.equal("calls of the kernel's clients", len(done), CLIENTS * each)
    findings.equal("reservations", reserved, CLIENTS)
    attached = int(guest.read("since"))
    findings.true("calls were made before the policy came", attached < min(c.start for c in done))
    seen = policy.calls(guest.files["all.csv"])
    findings.equal("of them recorded", len(invokes(seen, "S")), len(done))
    findings.equal("most system calls in flight at once",
                   max(m.system for m in policy.moments(seen, attached)), threads - 1)
    findings.done()


@test()
def policy_strict(context: Context) -> None:
    """No overrun in two thousand system calls."""
    no_overrun(context, 200)


@test(check_all=True)
def policy_strict_10000(context: Context) -> None:
    """In ten thousand, of which policy_strict makes a fifth."""
    no_overrun(context, 1000)


NICE = {"light": 8, "middle": 4, "heavy": 0}
SHARES = {"light": 1 / 7, "middle": 2 / 7, "heavy": 4 / 7}
FAIR = r"""
policy_start fair
record_start all
""" + "optee-load -r 0 -s 30 -o /dev/null " + " ".join(
    f"'name={name} nice={nice} sessions=4 repeat=0 wait=12'" for name, nice in NICE.items()) + r""" ||
	die "optee-load failed"
record_stop
policy_stop
"""


@test()
def policy_fair(context: Context) -> None:
    """Three clients with four sessions each share two threads by their weights."""
    guest = policy.run(context, FAIR, *policy.options("--icount"), gets=["all.csv"],
                       seconds=600)
    seen = policy.calls(guest.files["all.csv"])
    by = {name: invokes(seen, name) for name in NICE}
    begin = max(calls[0].start for calls in by.values()) + SEC
    end = min(calls[-1].start for calls in by.values()) - SEC
    held = {name: sum(min(c.end, end) - max(c.admitted, begin) for c in calls
                      if c.end > begin and c.admitted < end) for name, calls in by.items()}
    findings = Findings()
    findings.true(f"all three called for only {end - begin} ns", end - begin > 15 * SEC)
    for name, share in SHARES.items():
        have = held[name] / sum(held.values())
        findings.true(f"{name} had {have:.4f} of the threads' time, not {share:.4f}",
                      abs(have / share - 1) <= 0.03)
    findings.done()


RATE, BURST = 20, 3
BURN = 400
TACAP = rf"""
policy_start tacap
record_start all
optee-load -o /dev/null 'name=V ta=concurrent repeat=250 burn={BURN} gap=20' ||
	die "optee-load failed"
optee-load -r 0 -o /dev/null -s 30 --ready-file /tmp/ready 'name=F sessions=6 repeat=0 wait=1' &
FLOOD=$!
wait_for 60 test -e /tmp/ready
optee-load -o /dev/null 'name=W ta=concurrent at=1000 repeat=250 burn={BURN} gap=20' ||
	die "optee-load failed"
wait $FLOOD || die "optee-load failed"
record_stop
policy_stop
"""


def p99(calls: Sequence[Call]) -> int:
    took = sorted(c.end - c.start for c in calls)
    return took[len(took) * 99 // 100]


@test()
def policy_tacap(context: Context) -> None:
    """A client that floods its TA is held to the rate; one of another TA does not notice."""
    limits = policy.compile(context, policy.SOURCES / "tacap.c", f"RATE={RATE}",
                            f"BURST={BURST}", "ONLY=OPTEE_ADM_TA(0x5b9e0e40,0x2636,0x11e1)")
    guest = policy.run(context, TACAP, *policy.options("--icount", *limits),
                       gets=["all.csv"], seconds=600)
    seen = policy.calls(guest.files["all.csv"])
    alone, beside, flood = (invokes(seen, client) for client in "VWF")
    findings = Findings()
    steady = [c.admitted for c in flood if c.ta == "os_test"][BURST:]
    rate = (len(steady) - 1) * SEC / (steady[-1] - steady[0])
    findings.true(f"the flood has {rate:.2f} calls a second, not {RATE}",
                  abs(rate / RATE - 1) <= 0.02)
    findings.true("the flood was not held back", min(c.waited for c in flood[BURST + 6:]) > 0)
    quiet, busy = p99(alone), p99(beside)
    findings.true(f"the other client's 99th percentile is {busy} ns beside it, {quiet} alone",
                  busy <= 1.1 * quiet)
    findings.true("the two did not call at once", flood[0].start < beside[0].start
                  and flood[-1].end > beside[-1].end)
    findings.done()
