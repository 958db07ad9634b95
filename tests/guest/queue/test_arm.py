# SPDX-License-Identifier: GPL-2.0-only
"""32-bit Arm: the same comparisons as on arm64, on a kernel and an OP-TEE built from Debian's
sources. So they are left to 'make check-all'."""

from typing import Sequence

from ..lib import account, frames, kclient, kmod, vm
from ..lib.account import Account
from ..lib.frames import Object
from ..lib.registry import Context, Findings, test
from .test_contended import THREE, contended
from .test_kernels import check_calls, long_strands

ARM = ("--arch", "arm", "--icount")
MS = 1e6

# As in test_stranded.py: C could begin when B ends, and begins when A does, for the wake goes to A.
STRANDED = kclient.SCRIPT + r"""
kclient_load
top_start -d 0.5
optee-load -o /tmp/load 'name=A wait=3000' 'name=B at=20 wait=1000' 'name=C at=600 wait=100' ||
	die "optee-load failed"
kclient_run <<END
name=KB wait=1000
name=KA system at=20 wait=3000
name=KC system at=600 wait=100
END
top_stop
"""


def invokes(calls: Sequence[account.Call | kclient.Call]) -> dict[str, tuple[int, int]]:
    """Of each client: who made its only call, and when that ended."""
    return {c.client: (c.tid, c.end or 0) for c in calls if c.op == "invoke"}


def check_strand(findings: Findings, seen: Sequence[Object], tasks: dict[str, tuple[int, int]],
                 names: str) -> None:
    """C was stranded from B's end to A's, and A was the culprit."""
    (a, a_end), (_, b_end), (c, _) = (tasks[name] for name in names.split())
    found = [e for e in long_strands(seen) if c in [p["tid"] for p in e["who"] if p["waits"]]]
    findings.equal(f"long strands of {names}", len(found), 1)
    for event in found:
        findings.equal(f"the culprits of {names}",
                       [p["tid"] for p in event["who"] if p["culprit"]], [a])
        begin, end = event["mono_ns"] - event["duration_ns"], event["mono_ns"]
        findings.true(f"{names}: from {begin} to {end}, not from {b_end} to {a_end}",
                      abs(begin - b_end) < 5 * MS and abs(end - a_end) < 5 * MS)


@test(check_all=True)
def arm_contended(context: Context) -> None:
    """As contended_3: counts, waits, holds and secure times are those of ftrace and the clients."""
    contended(context, THREE, *ARM)


@test(check_all=True)
def arm_stranded(context: Context) -> None:
    """A normal waiter is stranded, and one with a system session; each call is counted."""
    guest = vm.run(context, STRANDED, *ARM, *kclient.options(kmod.ARM),
                   gets=("top.jsonl", "load", "kclient"))
    findings = Findings()
    seen = frames.load(guest.files["top.jsonl"])
    truth: Account = account.load(guest.files["load"])
    kernel = kclient.load(guest.files["kclient"])
    frames.check_sane(findings, seen)
    check_calls(findings, seen, truth)
    check_strand(findings, seen, invokes(truth.calls), "A B C")
    check_strand(findings, seen, invokes(kernel.calls), "KA KB KC")
    shown = {r["client"]: (r["class"], r["origin"], r["calls"])
             for r in frames.final_sessions(seen) if str(r["client"]).startswith("K")}
    findings.equal("the kernel's sessions", shown,
                   {"KA": ("system", "kernel", 3), "KB": ("normal", "kernel", 3),
                    "KC": ("system", "kernel", 3)})
    findings.done()


@test(check_all=True)
def arm_doctor(context: Context) -> None:
    """doctor says by which mechanisms it looks at such a kernel."""
    guest = vm.run(context, "optee-top doctor\n", *ARM)
    findings = Findings()
    said = guest.out.decode()
    for word in "interpreted", "kprobe", "tp_btf":
        findings.true(f"doctor does not say '{word}': {said}", word in said)
    findings.done()
