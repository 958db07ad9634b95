# SPDX-License-Identifier: GPL-2.0-only
"""Kernels of other kinds: other pages, other locks, without this or that. On each the counts are
the clients', and the times ftrace's."""

import shlex

from optee_vm import built

from ..lib import account, compare, frames, ftrace, vm
from ..lib.registry import Context, Findings, test
from .test_contended import THREE, contended

# Where optee_cq_wait_for_completion() is also a part of optee_cq_wait_init(), only the kernel's own
# function can be probed.
SLEEP = "SLEEP=wait_for_completion\n"

# No pool is known until its first call.
NO_BTF = SLEEP + r"""
optee-top -b -n 1 2>/tmp/said
echo $? >>/tmp/said
trace_start
top_start --btf /tmp/types.btf
trace_first
trace_after
optee-load -o /tmp/load %s || die "optee-load failed"
top_settle
kill -TERM $TOP
wait $TOP || die "optee-top ended with status $?: $(cat /tmp/top.err)"
trace_stop
cat /tmp/top.err >>/tmp/said
optee-top policy shadow none --btf /tmp/types.btf -n 1 2>>/tmp/said
echo $? >>/tmp/said
"""

TOO_OLD = r"""
optee-top -b -n 1 >/dev/null 2>/tmp/said
echo $? >>/tmp/said
optee-top doctor >/dev/null 2>>/tmp/said
echo $? >>/tmp/said
"""


@test(check_all=True)
def kernel_7_2(context: Context) -> None:
    contended(context, THREE, "--icount", "--kernel", "7.2")


@test(check_all=True)
def kernel_16k(context: Context) -> None:
    """Pages of 16K."""
    contended(context, THREE, "--icount", "--kernel", "6.12-16k")


@test(check_all=True)
def kernel_rt(context: Context) -> None:
    """PREEMPT_RT: a mutex is an rt_mutex, and probes may be preempted. Here, too,
    optee_cq_wait_for_completion() is a part of its caller."""
    contended(context, THREE, "--icount", "--kernel", "rt:6.12", setting=SLEEP)


@test(check_all=True)
def kernel_nobtf(context: Context) -> None:
    """No BTF, pages of 64K, the driver built in. With --btf all is seen but what was there before."""
    types = context.dir / "types.btf"
    context.dir.mkdir(parents=True)
    built.types("nobtf", "6.12", types)
    guest = vm.run(context, ftrace.SCRIPT + NO_BTF % " ".join(map(shlex.quote, THREE)), "--icount",
                   "--kernel", "nobtf:6.12", "--put", f"{types}:/tmp/types.btf",
                   gets=("top.jsonl", "load", "said", *ftrace.FILES))
    findings = Findings()
    findings.equal("what it says", guest.read("said").decode().splitlines(), [
        "optee-top: this kernel has no BTF (CONFIG_DEBUG_INFO_BTF); give that of kernel and driver, "
        "which 'make min-btf' makes, with --btf FILE", "3",
        "optee-top: calls and sessions from before the attach were not looked for: this kernel has "
        "no BTF of its own",
        "optee-top: cannot ask policies in the shadow: this kernel has no BTF of its own "
        "(CONFIG_DEBUG_INFO_BTF), which that needs", "3"])
    seen = frames.load(guest.files["top.jsonl"])
    trace = ftrace.parse(*map(guest.read, ftrace.FILES))
    compare.check_all(findings, seen, account.load(guest.files["load"]), trace, 2)
    findings.true("nobody ever waited: this is no test",
                  seen[-1]["pools"][0]["class_sums"]["normal"]["waited"] >= 10)
    findings.true("the types take more than 8 kB", types.stat().st_size <= 8192)
    findings.done()


@test(check_all=True)
def kernel_5_10(context: Context) -> None:
    """Too old: each command that looks says so in one line."""
    guest = vm.run(context, TOO_OLD, "--kernel", "5.10", "--mem", "4096", gets=("said",))
    findings = Findings()
    findings.equal("what it says", guest.read("said").decode(), 2 * (
        "optee-top: cannot follow calls: this kernel's BPF has no bpf_loop(), which came with Linux "
        "5.17; boot a newer kernel\n3\n"))
    findings.done()
