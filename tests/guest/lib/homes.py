# SPDX-License-Identifier: GPL-2.0-only
"""The three homes of a policy do the same: what the enforced one was asked, answered and wrote
in a guest (tests/programs/policy/witness.c) is asked again of its shadow build, in that guest,
and of its native build, here."""

import struct
import subprocess
from collections import Counter
from pathlib import Path
from typing import Mapping, Sequence

from . import target, vm
from .registry import Context, Findings

NATIVE = vm.ROOT / "build/homes"
CALLBACKS = ("reserve", "admit", "rank", "enter", "leave")
RECORD = struct.Struct("<16sII360x")  # struct witnessed, of tests/programs/policy/witness.h
FILES = ("witnessed", "witness.log", "shadow.log")

Counts = Mapping[tuple[str, str], int]
"""By policy and callback."""

# In every script that attaches policies; without BEGIN there is no witness, and no wait for it.
COUNT = r"""
WITNESS=
witness_counts() { # before a policy is loaded
	[ -z "$WITNESS" ] || FOLLOWED=$(grep -c follows /tmp/witness.log)
}
witness_follows_one_more() {
	kill -0 $WITNESS || die "the witness has ended: $(cat /tmp/witness.log)"
	[ "$(grep -c follows /tmp/witness.log)" -gt "$FOLLOWED" ]
}
witness_follows() { # when it is attached
	[ -z "$WITNESS" ] || wait_for 60 witness_follows_one_more
}
"""

BEGIN = r"""
policy-witness /tmp/witnessed >/tmp/witness.log 2>&1 &
WITNESS=$!
wait_for 60 test -e /tmp/witness.log
"""

END = r"""
kill -TERM $WITNESS
wait $WITNESS || die "the witness ended with $?: $(cat /tmp/witness.log)"
policy-shadow /tmp/witnessed $(sed -n 's,^follows \(.*\),/policies/\1.o,p' /tmp/witness.log |
	sort -u) >/tmp/shadow.log 2>&1
"""


def build(context: Context, source: Path, name: str, defines: Sequence[str]) -> None:
    """The native home of a policy of the test's own, or with other constants."""
    subprocess.run(["gcc", "-std=gnu11", "-g", "-O2", "-Wall", "-Wextra", *target.WERROR,
                    "-fsanitize=undefined", "-fno-sanitize-recover=all",
                    f"-I{vm.ROOT / 'include'}", f"-I{vm.ROOT / 'policies'}",
                    "-DPOLICY_SECTION(name)=", *(f"-D{d}" for d in defines),
                    "-o", context.dir / f"{name}.native",
                    vm.ROOT / "tests/programs/policy/native.c", source], check=True)


def count(path: Path) -> Counts:
    """What is in the witness's file."""
    counts: Counter[tuple[str, str]] = Counter()
    for name, callback, _ in RECORD.iter_unpack(path.read_bytes()):
        counts[name.rstrip(b"\0").decode(), CALLBACKS[callback]] += 1
    return counts


def native(context: Context, name: str, witnessed: Path) -> str:
    """What the native home says of the file."""
    own = context.dir / f"{name}.native"
    program = own if own.exists() else NATIVE / name
    return subprocess.run([program, witnessed], stdin=subprocess.DEVNULL, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT).stdout


def replayed(said: str, home: str) -> Counts:
    lines = [line.split() for line in said.splitlines() if line.startswith(f"{home} ")]
    return {(name, callback): int(number) for _, name, callback, number in lines}


def check(context: Context, guest: vm.Run) -> Counts:
    """All homes did the same, on every call of every callback."""
    findings = Findings()
    counts = count(guest.files["witnessed"])
    names = sorted({name for name, _ in counts})
    followed: Sequence[str] = guest.read("witness.log").decode().splitlines()
    findings.equal("the witness's last line", followed[-1],
                   f"seen {sum(counts.values())} lost 0")
    said = {"native": "".join(native(context, n, guest.files["witnessed"]) for n in names),
            "shadow": guest.read("shadow.log").decode()}
    for home, text in said.items():
        if replayed(text, home) != counts:
            findings.add(f"{home} and enforced policies do not do the same; asked was {counts}\n"
                         f"{text}")
    findings.done()
    return counts
