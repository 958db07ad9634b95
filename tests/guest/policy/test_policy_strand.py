# SPDX-License-Identifier: GPL-2.0-only
"""With any policy attached a waiter has the thread as soon as it is given back: none is
stranded, as it is with the stock driver (test_stranded.py has the same calls)."""

from typing import Sequence

from ..lib import policy
from ..lib.policy import MS, Call
from ..lib.registry import Context, Findings, test

STOCK_RUNS = 4
LATE = 20 * MS  # the bound, for a guest on a busy machine

# All sessions are open by then: the end of an open would be a wake for A to swallow before B's.
STRAND = r"""
%(begin)s
optee-load -o /dev/null 'name=A at=500 wait=1500' %(others)s 'name=B at=520 wait=450' \
	'name=C at=700 wait=50' || die "optee-load failed"
%(end)s
"""


def script(threads: int, names: tuple[str, ...]) -> str:
    others = f"'name=L count={threads - 2} at=510 wait=1500'" if threads > 2 else ""
    parts = [("", "") if name == "stock" else
             (f"policy_start {name}", "policy_stop\ncounters_are_zero || die \"$(cat $STATE)\"")
             for name in names]
    return "record_start all\n" + "".join(
        STRAND % {"others": others, "begin": begin, "end": end}
        for begin, end in parts) + "record_stop\n"


def strands(seen: Sequence[Call]) -> Sequence[Sequence[Call]]:
    """A, B and C of each run, in the order of the runs."""
    found = [[c for c in seen if c.client == client and c.op == "invoke"] for client in "ABC"]
    return list(zip(*found))


def strand(context: Context, threads: int) -> None:
    # With the driver's own rule a call of its own, a bottom half, may come and wake C.
    names = ("stock",) * STOCK_RUNS + policy.NAMES
    # All three are calls of one TA, of which tacap lets in one at a time.
    wide = policy.compile(context, policy.SOURCES / "tacap.c", "CAP=8")
    guest = policy.run(context, script(threads, names),
                       *policy.options("--icount", "--threads", str(threads), *wide),
                       gets=["all.csv"], seconds=600)
    findings = Findings()
    runs = strands(policy.calls(guest.files["all.csv"]))
    findings.equal("runs", len(runs), len(names))
    stock = [c.admitted - b.end for _, b, c in runs[:STOCK_RUNS]]
    findings.true(f"stock: C is not stranded ({stock} ns): nothing is tested",
                  max(stock) > 100 * MS)
    for name, (a, b, c) in list(zip(names, runs))[STOCK_RUNS:]:
        late = c.admitted - b.end
        findings.true(f"{name}: C waited for A, {late} ns after B", c.admitted < a.end)
        findings.true(f"{name}: C came {late} ns after the end of B", 0 <= late <= LATE)
    findings.done()


@test()
def policy_strand_2(context: Context) -> None:
    strand(context, 2)


@test(check_all=True)
def policy_strand_4(context: Context) -> None:
    """More threads than in policy_strand_2, and the same calls."""
    strand(context, 4)


@test(check_all=True)
def policy_strand_8(context: Context) -> None:
    """As policy_strand_4."""
    strand(context, 8)
