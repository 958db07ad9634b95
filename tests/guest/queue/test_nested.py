# SPDX-License-Identifier: GPL-2.0-only
"""A call made by a task whose outer call is in an RPC: both are accounted, each as its own."""

from typing import Sequence

from ..lib import account, compare, frames, ftrace, kmod, vm
from ..lib.frames import Object
from ..lib.registry import Context, Findings, fail, test

WAIT_MS = 1500
RUN = rf"""
insmod /nested.ko comm=outer wait_ms={WAIT_MS} || die "no nested.ko"
trace_start
top_start -d 0.3
trace_after
optee-load -o /tmp/load 'name=outer ta=concurrent sessions=0 gap=50 open burn=3000 close' \
	'name=other ta=invoke_tests repeat=10 nop gap=100' || die "optee-load failed"
top_stop
trace_stop
cat /sys/kernel/debug/optee_top_nested >/tmp/nested
rmmod nested
"""


def is_open_of_outer(call: ftrace.Call) -> bool:
    return call.nested_in is None and call.comm == "outer" and "load_ta" in call.rpcs


def check_live(findings: Findings, seen: Sequence[Object], tid: int) -> None:
    """While it lasts: two calls of one task, the outer one in an RPC."""
    live = [[c for c in f["calls"] if c["tid"] == tid] for f in seen]
    both = [calls for calls in live if any(c["nested"] for c in calls)]
    # The nested wait alone lasts for five intervals.
    findings.true(f"{len(both)} frames show the nested call", len(both) >= 2)
    for calls in both:
        outer = [c for c in calls if not c["nested"]]
        inner = [c for c in calls if c["nested"]]
        findings.equal("calls of the task, outer and nested", (len(outer), len(inner)), (1, 1))
        if len(outer) != 1 or len(inner) != 1:
            continue
        findings.equal("the outer call", (outer[0]["cmd"], outer[0]["phase"], outer[0]["rpc_kind"],
                                          outer[0]["queued"]), ("open", "rpc", "load_ta", False))
        findings.true("the nested call is older than the one it is in",
                      inner[0]["age_ns"] < outer[0]["age_ns"])
        findings.true("both have the same session", outer[0]["serial"] != inner[0]["serial"])
    waits = [c for calls in both for c in calls if c["nested"] and c["cmd"] == "invoke"]
    findings.true("the nested invoke was never seen in its wait",
                  any(c["phase"] == "rpc" and c["rpc_kind"] != "load_ta" and c["func"] == 9
                      for c in waits))
    alone = [c for calls in live if len(calls) == 1 for c in calls]
    findings.true("a call alone is shown as nested", not any(c["nested"] for c in alone))


def check_sums(findings: Findings, seen: Sequence[Object], nested: Sequence[account.Call]) -> None:
    rows = {s["origin"]: s for s in frames.final_sessions(seen) if s["client"] == "outer"}
    findings.equal("sessions of outer, by origin", sorted(map(str, rows)), ["kernel", "user"])
    if set(rows) != {"kernel", "user"}:
        return
    outer, inner = rows["user"], rows["kernel"]
    lasted = sum((c.end or 0) - c.start for c in nested)
    findings.true("the nested calls did not wait", inner["hold_ns"] > WAIT_MS * 1e6)
    findings.true("the outer call was not held while the nested ones lasted",
                  outer["hold_ns"] > lasted)
    findings.true("the nested calls are not in the RPC time of the outer one",
                  outer["rpc_kinds"].get("load_ta", {}).get("time_ns", 0) > lasted)
    findings.true("the nested calls are in the outer one's secure time",
                  outer["secure_ns"] < outer["hold_ns"] - lasted)


@test()
def nested(context: Context) -> None:
    guest = vm.run(context, ftrace.SCRIPT + RUN, "--icount",
                   "--put", f"{kmod.build('nested')}:/nested.ko",
                   gets=("top.jsonl", "load", "nested", *ftrace.FILES), seconds=100)
    seen = frames.load(guest.files["top.jsonl"])
    inner = account.load(guest.files["nested"]).calls
    if [(c.op, c.failed) for c in inner] != [("open", False), ("invoke", False), ("close", False)]:
        fail(f"the module did not make its calls: {inner}")
    truth = account.Account([*account.load(guest.files["load"]).calls, *inner])
    trace = ftrace.parse(*map(guest.read, ftrace.FILES))
    outer = [c for c in trace if is_open_of_outer(c)]
    inside = [c for c in trace if c.nested_in in outer]
    findings = Findings()
    findings.equal("nested calls in ftrace (this is a test only if there are three)",
                   (len(outer), len(inside)), (1, 3))
    compare.check_all(findings, seen, truth, trace, 2)
    check_live(findings, seen, inner[0].tid)
    check_sums(findings, seen, inner)
    findings.equal("the most threads in use", seen[-1]["pools"][0]["in_use_peak"], 2)
    findings.done()
