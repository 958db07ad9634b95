# SPDX-License-Identifier: GPL-2.0-only
"""More clients than TEE threads: what optee-top says of each of them is true."""

import shlex
from typing import Sequence

from ..lib import account, compare, frames, ftrace, vm
from ..lib.registry import Context, Findings, test

# The driver keeps pages for the arguments of calls; when they are all in use, it
# registers one more, with a call that waits in the queue, and until that call has
# ended no other call can return. A burst before takes care of that.
RUN = r"""
optee-load -r 0 -o /dev/null 'name=hold count=%d wait=500' \
	'name=many ta=invoke_tests threads=14 at=100 nop' || die "the first optee-load failed"
trace_start
top_start -d %s
trace_after
optee-load -o /tmp/load %s || die "optee-load failed"
top_stop
trace_stop
"""

THREE = (
    "name=holder repeat=5 wait=1200 gap=200 nop",
    "name=bursts repeat=14 wait=250..600 gap=30..90 nop",
    "name=asker ta=invoke_tests repeat=40 nop gap=60..180",
)

EIGHT = (
    "name=holder repeat=3 wait=1000 gap=400",
    "name=two-threads threads=2 repeat=5 wait=150..500 nop gap=100",
    "name=two-sessions sessions=2 repeat=4 wait=200..400 gap=300",
    "name=burner ta=concurrent repeat=3 burn=20000..60000 gap=900 sha=20",
    "name=asker ta=invoke_tests repeat=25 nop gap=150..350",
    "name=opener sessions=0 ta=invoke_tests repeat=3 gap=600 open nop nop close",
    "name=waiter count=2 repeat=6 wait=100..300 gap=200",
)

FOUR_THREADS = (*EIGHT, "name=more count=2 repeat=5 wait=400..700 gap=100")


# With --icount the guest's clock counts instructions: what else the host does is not in
# its times. That is one CPU; cpus_4 and threads_4 have more, and the host's clock.
def contended(context: Context, clients: Sequence[str], *options: str, threads: int = 2,
              setting: str = "") -> None:
    words = " ".join(map(shlex.quote, clients))
    guest = vm.run(context, ftrace.SCRIPT + setting + RUN % (threads, "1", words), *options,
                   gets=("top.jsonl", "load", *ftrace.FILES))
    findings = Findings()
    seen = frames.load(guest.files["top.jsonl"])
    trace = ftrace.parse(*map(guest.read, ftrace.FILES))
    compare.check_all(findings, seen, account.load(guest.files["load"]), trace, threads)
    findings.equal("the most threads in use (this load needs all)",
                   seen[-1]["pools"][0]["in_use_peak"], threads)
    findings.true("nobody ever waited: this is no test",
                  seen[-1]["pools"][0]["class_sums"]["normal"]["waited"] >= 10)
    findings.done()


@test()
def contended_3(context: Context) -> None:
    contended(context, THREE, "--icount")


@test()
def contended_8(context: Context) -> None:
    contended(context, EIGHT, "--icount")


@test(check_all=True)
def threads_4(context: Context) -> None:
    """More clients and threads than in contended_8, and the same comparison."""
    contended(context, FOUR_THREADS, "--icount", "--threads", "4", threads=4)


@test(slots=2)
def cpus_4(context: Context) -> None:
    """On four CPUs counts are exact. Times there are the host's doing: they are compared
    with what the clients themselves measured, which can only be longer. Frames are many:
    each CPU is somewhere in a call when one is made."""
    words = " ".join(map(shlex.quote, EIGHT))
    guest = vm.run(context, ftrace.SCRIPT + RUN % (2, "0.1", words), "--cpus", "4",
                   gets=("top.jsonl", "load", *ftrace.FILES))
    findings = Findings()
    seen = frames.load(guest.files["top.jsonl"])
    frames.check_sane(findings, seen)
    known = [c for c in account.load(guest.files["load"]).calls if c.ordinal is not None]
    rows = frames.final_sessions(seen)
    for pid in {c.pid for c in known}:
        mine = [c for c in known if c.pid == pid]
        shown = [r for r in rows if r["pid"] == pid]
        findings.equal(f"calls of client {pid}", sum(r["calls"] for r in shown), len(mine))
        findings.equal(f"sessions of client {pid}", len(shown), len({c.ordinal for c in mine}))
        inside = sum(r["wait_ns"] + r["hold_ns"] for r in shown)
        spent = sum((c.end or 0) - c.start for c in mine)
        findings.true(f"client {pid} lost {spent} ns, {inside} inside", 0 < inside <= spent)
    findings.equal("the most threads in use", seen[-1]["pools"][0]["in_use_peak"], 2)
    findings.done()
