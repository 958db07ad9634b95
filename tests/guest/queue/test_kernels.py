# SPDX-License-Identifier: GPL-2.0-only
"""The kernels beside 6.12: what they can tell is told, and what they cannot is not known."""

from collections import Counter
from typing import Sequence

from ..lib import account, frames, vm
from ..lib.frames import Object
from ..lib.registry import Context, Findings, test

# C could begin when B ends, and begins when A does: the wake for it goes to A.
RUN = r"""
optee-top policy attach none 2>/tmp/policy && die "a policy is attached"
echo $? >>/tmp/policy
top_start -d 0.5 --starved 0.3
optee-load -o /tmp/load 'name=A wait=3000' 'name=B at=20 wait=1000' 'name=C at=600 wait=100' ||
	die "optee-load failed"
top_stop
"""
TRIES = 4
UNCOUNTED = ("reserve_breach", "reserve_idle", "exhausted", "stranded", "count_mismatch", "drift",
             "lost_wake")


def run(context: Context, findings: Findings, kernel: str,
        no_policy: str) -> tuple[list[Object], account.Account]:
    guest = vm.run(context, RUN, "--kernel", kernel, gets=("top.jsonl", "load", "policy"),
                   seconds=120)
    findings.equal("attaching a policy", guest.read("policy").decode(),
                   f"optee-top: cannot attach 'none': {no_policy}\n3\n")
    return frames.load(guest.files["top.jsonl"]), account.load(guest.files["load"])


def check_calls(findings: Findings, seen: Sequence[Object], truth: account.Account) -> None:
    """Each client's calls are counted, and nothing was lost."""
    shown = {r["client"]: r["ops"] for r in frames.final_sessions(seen)}
    for client in "ABC":
        made = Counter(c.op for c in truth.calls if c.client == client and c.ordinal is not None)
        findings.equal(f"the calls of {client}", shown.get(client), dict(made))
    losses = {k: v for k, v in seen[-1]["losses"].items() if v}
    findings.equal("losses", losses, {})


def invoke(truth: account.Account, client: str) -> account.Call:
    return next(c for c in truth.calls if (c.client, c.op) == (client, "invoke"))


def long_strands(seen: Sequence[Object]) -> Sequence[Object]:
    return [e for f in seen for e in f["events"]
            if (e["condition"], e["state"]) == ("stranded", "end") and e["duration_ns"] > 1e9]


@test()
def kernel_7_3(context: Context) -> None:
    """It has the same queue: C is stranded until A ends, and A is the culprit. A bottom half
    that comes as B ends may wake C by its own end: then C is not stranded, and all is tried
    again."""
    findings = Findings()
    for _ in range(TRIES):
        seen, truth = run(context, findings, "7.3", "this OP-TEE driver takes no policies; "
                          "'make optee-ko' builds one that does")
        frames.check_sane(findings, seen)
        check_calls(findings, seen, truth)
        a, c = invoke(truth, "A"), invoke(truth, "C")
        long = long_strands(seen)
        if long:
            break
        findings.true("C waited for A, and was not called stranded",
                      (c.end or 0) < (a.end or 0) - 500e6)
    findings.equal("strands that lasted over a second", len(long), 1)
    for event in long:
        findings.equal("the culprits", [p["tid"] for p in event["who"] if p["culprit"]], [a.tid])
        findings.true("C is not among the stranded",
                      c.tid in [p["tid"] for p in event["who"] if p["waits"]])
        findings.true("it did not end with A's call",
                      (a.end or 0) - 200e6 < event["mono_ns"] < (a.end or 0) + 5e6)
    findings.done()


@test()
def kernel_6_1(context: Context) -> None:
    """It does not count threads: what needs a count is unknown; who waits too long is seen."""
    findings = Findings()
    seen, truth = run(context, findings, "6.1", "this kernel's BPF has no struct_ops of modules; "
                      "policies need Linux 6.12 or newer, and the driver of 'make optee-ko'")
    check_calls(findings, seen, truth)
    pool = seen[-1]["pools"][0]
    findings.equal("the design", pool["design"], "none")
    for key in ("threads", "free", "driver_free", "drift", "exhausted_share_percent"):
        findings.equal(key, pool[key], None)
    for key in UNCOUNTED:
        findings.equal(f"the condition {key}", pool["conditions"][key], None)
    findings.equal("overruns", pool["conditions"]["overrun"]["count"], 0)
    c = invoke(truth, "C")
    starved = [e for f in seen for e in f["events"] if e["condition"] == "starved"
               and e["state"] == "end" and e["who"][0]["tid"] == c.tid and e["why"]["threads"] is None]
    waited = [e["duration_ns"] + 0.3e9 for e in starved]
    findings.true(f"C waited {waited} ns, of {(c.end or 0) - c.start} ns in all",
                  bool(waited) and max(waited) < (c.end or 0) - c.start < max(waited) + 0.4e9)
    findings.done()
