# SPDX-License-Identifier: GPL-2.0-only
"""Drivers with other admission rules than the merged one: each is recognised by its queue, and is
judged by its own rule, or not at all."""

from pathlib import Path
from typing import Sequence

from optee_vm import driver

from ..lib import frames, kclient, kmod, vm
from ..lib.frames import Object
from ..lib.registry import Context, Findings, test

PATCHES = vm.ROOT / "tests/driver/patches"
DESIGNS = ("v6", "single", "other")
MS = 1_000_000

# One system call and three normal ones have the four threads. C could have B's when that ends,
# but the wake goes to A, which was there first. Then two system calls at once, and a normal one.
RUN = kclient.SCRIPT + r"""
modprobe tee
kclient_load
supplicant_gone() { ! pidof tee-supplicant >/dev/null; }
for design in %s; do
	insmod /$design.ko || die "no $design.ko"
	wait_for 30 test -e /dev/tee0
	tee-supplicant -d || die "no tee-supplicant"
	top_start -d 0.25
	kclient_run <<-END
	name=A system wait=1500
	name=H1 at=20 wait=1500
	name=H2 at=40 wait=1500
	name=B at=60 wait=500
	name=C at=200 wait=100
	END
	cp /tmp/kclient /tmp/stranded.$design
	kclient_run <<-END
	name=S1 system wait=600
	name=S2 system at=20 wait=600
	name=N at=200 wait=100
	END
	top_stop
	mv /tmp/top.jsonl /tmp/top.$design
	killall tee-supplicant
	wait_for 10 supplicant_gone
	rmmod optee || die "rmmod failed"
done
"""

JUDGED = ("overrun", "harmful_overrun", "reserve_idle", "reserve_breach", "count_mismatch", "drift",
          "lost_wake")
NOT_KNOWN = ("overrun", "harmful_overrun", "reserve_idle", "reserve_breach", "count_mismatch",
             "stranded", "lost_wake", "drift")
# The most that are in reserve: one a system session in v6, one for all in v8.
RESERVED = {"v6": 2, "single": 1, "other": None}


def stranded(account: kclient.Account) -> int:
    """C's wait beside B's thread."""
    a, b = account.of("A")[0], account.of("B")[0]
    return (a.end or 0) - (b.end or 0)


def check(findings: Findings, design: str, seen: Sequence[Object], truth: kclient.Account) -> None:
    pools = [f["pools"][0] for f in seen if f["pools"]]
    last = pools[-1]
    conditions = last["conditions"]
    findings.equal(f"{design}: the design", {p["design"] for p in pools}, {design})
    reserved = [p["reserved"] for p in pools]
    if RESERVED[design] is None:
        findings.equal(f"{design}: in reserve", set(reserved), {None})
        findings.equal(f"{design}: not judged",
                       [c for c in NOT_KNOWN if conditions[c] is not None], [])
        return
    findings.equal(f"{design}: the most in reserve", max(reserved), RESERVED[design])
    findings.equal(f"{design}: what there was, of what there was not",
                   {c: conditions[c]["count"] for c in JUDGED if conditions[c]["count"]}, {})
    want = stranded(truth)
    lasted = conditions["stranded"]["time_ns"]  # twice if the bottom half has the thread meanwhile
    findings.true(f"{design}: C was stranded for {lasted / MS:.1f} ms, by the clients "
                  f"{want / MS:.1f} ms", want > 500 * MS and abs(lasted - want) < 20 * MS)
    findings.equal(f"{design}: free at the end", (last["free"], last["drift"]), (4, 0))


def built(context: Context, design: str) -> Path:
    return driver.build(None, [PATCHES / f"design-{design}.patch"], kmod.KERNEL,
                        context.dir / design)


@test(check_all=True)
def designs(context: Context) -> None:
    context.dir.mkdir(parents=True, exist_ok=True)
    puts = [f"{built(context, design)}:/{design}.ko" for design in DESIGNS]
    guest = vm.run(context, RUN % " ".join(DESIGNS), "--no-tee", "--icount", "--threads", "4",
                   *kclient.options(), *(word for put in puts for word in ("--put", put)),
                   gets=[f"{name}.{design}" for design in DESIGNS for name in ("top", "stranded")])
    findings = Findings()
    for design in DESIGNS:
        check(findings, design, frames.load(guest.files[f"top.{design}"]),
              kclient.load(guest.files[f"stranded.{design}"]))
    findings.done()
