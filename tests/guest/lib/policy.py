# SPDX-License-Identifier: GPL-2.0-only
"""Admission policies in the guest: the driver that takes them, a shell fragment to attach
them, and the calls of a recording, from which alone a policy's rule is checked."""

import csv
import subprocess
from pathlib import Path
from typing import Mapping, NamedTuple, Optional, Sequence

from . import homes, kmod, target, vm
from .registry import Context, Failed
from .vm import ROOT

NAMES = ("none", "v6", "half", "bounded", "single", "upstream", "strict", "per-session",
         "fair", "tacap")
SOURCES = ROOT / "policies"
OBJECTS = ROOT / "build/policies"
DRIVER = ROOT / "build/optee-ko"
CORE = (ROOT / "kernel", ROOT / "include/optee_admission.h", ROOT / "tests/vm/optee_vm/driver.py")
MS = 1_000_000

# Needs vm.PRELUDE. With policy_start it is attached until policy_stop; with policy_hold for
# as long as the process $POLICY lives. What is said of it is in /tmp/policy.log.
SCRIPT = homes.COUNT + r"""
STATE=/sys/kernel/debug/optee_admission
state() { sed -n "s/^$1 //p" $STATE; } # 'policy', or 'queue 0 free'
policy_says() { grep -q "$1" /tmp/policy.log; }
policy_is() { [ "$(state policy)" = "$1" ]; }

policy_order() { # as of optee-top policy
	optee-top policy "$@" >/tmp/policy.log 2>&1 ||
		die "policy $1 ended with $?: $(cat /tmp/policy.log)"
}

policy_start() { # NAME [TIMEOUT_MS]
	witness_counts
	policy_order attach /policies/$1.o ${2:+--timeout-ms $2}
	witness_follows
}

policy_hold() { # NAME [TIMEOUT_MS]
	witness_counts
	: >/tmp/policy.log
	optee-top policy attach --foreground /policies/$1.o ${2:+--timeout-ms $2} \
		>/tmp/policy.log 2>&1 &
	POLICY=$!
	wait_for 60 policy_says "' attached$"
	witness_follows
}

policy_swap() { # NAME
	witness_counts
	policy_order swap /policies/$1.o
	witness_follows
}

policy_stop() {
	policy_order detach
	policy_is - || die "it is still attached: $(cat $STATE)"
}

counters_are_zero() { # and all threads are free
	! grep -q 'queue . \(.*_in_flight\|.*_waiting\) [1-9]' $STATE &&
		[ "$(state 'queue 0 free')" = "$(state 'queue 0 total')" ]
}

record_start() { # NAME
	optee-top --json -d 0.5 record /tmp/$1.rec >/tmp/$1.live 2>/tmp/$1.err &
	RECORD=$!
	RECORDED=$1
	wait_for 60 test -s /tmp/$1.live
}

record_stop() { # its calls are in /tmp/NAME.csv
	kill -TERM $RECORD
	wait $RECORD || die "record ended with status $?: $(cat /tmp/$RECORDED.err)"
	[ ! -s /tmp/$RECORDED.err ] || die "record says: $(cat /tmp/$RECORDED.err)"
	optee-top export /tmp/$RECORDED.rec --format csv --output /tmp/$RECORDED.csv ||
		die "export: status $?"
}

dmesg_begin() { dmesg >/tmp/dmesg.before; }
dmesg_since() { # but for what a slow machine makes an emulated one say
	dmesg | tail -n +$(($(wc -l </tmp/dmesg.before) + 1)) | grep -v 'hrtimer: interrupt took' || :
}
"""


def driver(kernel: str = kmod.KERNEL, patch: Optional[Path] = None) -> Path:
    """The driver that takes policies, built if what it is made of is newer; with one more
    patch, if one is given."""
    version = Path(kernel).name
    ko = DRIVER / (f"{version}-{patch.stem}" if patch else version) / "optee.ko"
    inputs = [p for place in CORE for p in (place.iterdir() if place.is_dir() else [place])]
    inputs += [patch] if patch else []
    inputs += [Path(kernel) / "Image"] if target.OTHER else []
    with kmod.locked(ko.parent.with_suffix(f"{ko.parent.suffix}.lock")):
        if ko.exists() and all(p.stat().st_mtime <= ko.stat().st_mtime for p in inputs):
            return ko
        more: Sequence[str | Path] = ["--patch", patch] if patch else []
        done = subprocess.run([ROOT / "kernel/build", "--kernel", kernel, "--out", ko, *more],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            raise Failed(f"cannot build the driver\n{done.stdout[-3000:]}")
    return ko


def options(*more: str, kernel: str = kmod.KERNEL, patch: Optional[Path] = None) -> Sequence[str]:
    """What SCRIPT wants of tests/vm/run."""
    return ("--kernel", kernel, "--module", str(driver(kernel, patch)),
            "--put", f"{OBJECTS}:/policies", *more)


def run(context: Context, script: str, *more: str, gets: Sequence[str] = (), seconds: float = 180,
        tag: str = "guest") -> vm.Run:
    """Run SCRIPT and the script; whatever policies do in it, their other homes do, too."""
    guest = vm.run(context, SCRIPT + homes.BEGIN + script + homes.END, *more,
                   gets=[*gets, *homes.FILES], seconds=seconds, tag=tag)
    homes.check(context, guest)
    return guest


def compile(context: Context, source: Path, *defines: str, name: str = "",
            native: bool = True) -> Sequence[str]:
    """Make an object of a policy, as /policies/NAME.o of the guest: options for it; and its
    native home, unless it is never attached."""
    out = context.dir / f"{name or source.stem}.o"
    context.dir.mkdir(parents=True, exist_ok=True)
    subprocess.run(["clang", "-g", "-O2", "-target", "bpf", "-mcpu=v3", "-Wall", *target.WERROR,
                    f"-I{ROOT / 'include'}", f"-I{SOURCES}", *(f"-D{d}" for d in defines),
                    "-c", source, "-o", out], check=True)
    if native:
        homes.build(context, source, out.stem, defines)
    return "--put", f"{out}:/policies/{out.name}"


class Call(NamedTuple):
    """A call of a recording; times are CLOCK_MONOTONIC in ns."""

    client: str
    tid: int
    session: Optional[int]
    ta: str
    op: str  # open, invoke, close, or one of the driver's own
    system: bool
    start: int
    admitted: int
    end: int
    slept: bool  # the driver made it wait

    @property
    def waited(self) -> int:
        return self.admitted - self.start

    @property
    def internal(self) -> bool:
        """Does it bypass the policy?"""
        return self.op not in ("open", "invoke", "close", "cancel", "shm_register",
                               "shm_unregister")


def _number(row: Mapping[str, str], key: str) -> int:
    return int(row[key] or 0)


def calls(path: Path) -> Sequence[Call]:
    """All calls of the recording, as they were admitted."""
    found = []
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            start = _number(row, "start_ns")
            admitted = start + _number(row, "wait_ns")
            found.append(Call(row["client"], _number(row, "tid"),
                              int(row["session"]) if row["session"] else None, row["ta"],
                              row["cmd"], row["class"] == "system", start, admitted,
                              admitted + _number(row, "hold_ns"),
                              row["waited"] == "true"))
    return sorted(found, key=lambda c: c.admitted)


class Moment(NamedTuple):
    """A call has just been admitted; with it those in flight are these."""

    call: Call
    in_flight: Sequence[Call]

    @property
    def normal(self) -> int:
        return sum(1 for c in self.in_flight if not c.system and not c.internal)

    @property
    def system(self) -> int:
        return sum(1 for c in self.in_flight if c.system)


def moments(seen: Sequence[Call], begin: int = 0, end: int = 1 << 63) -> Sequence[Moment]:
    """Every admission between the two times."""
    found = []
    in_flight: list[Call] = []
    for call in seen:
        in_flight = [c for c in in_flight if c.end > call.admitted] + [call]
        if begin <= call.admitted < end:
            found.append(Moment(call, tuple(in_flight)))
    return found
