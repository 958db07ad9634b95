# SPDX-License-Identifier: GPL-2.0-only
"""Commands that fail, and what is said of it: one line, with the exit status of its kind."""

import re
import tarfile
from pathlib import Path
from typing import NamedTuple, Sequence

from . import vm
from .registry import Context, Findings

FAILURE, USAGE, KERNEL, PRIVILEGE = 1, 2, 3, 4

# run NAME COMMAND: keeps its status and what it says in /tmp/NAME.{status,out,err}.
RUN = r"""
run() {
	name=$1; shift
	timeout -s KILL 60 "$@" >/tmp/$name.out 2>/tmp/$name.err </dev/null
	echo $? >/tmp/$name.status
}
finish() { tar c -f /tmp/results.tar -C /tmp $(cd /tmp && ls | grep -E '\.(status|out|err)$'); }
"""


class Case(NamedTuple):
    name: str
    command: str  # of the shell
    status: int
    says: str  # a regular expression that the one line on standard error matches


class Result(NamedTuple):
    status: int
    out: bytes
    err: str


def results(guest: vm.Run, into: Path) -> dict[str, Result]:
    found = {}
    with tarfile.open(guest.files["results.tar"]) as tar:
        tar.extractall(into)
    for path in into.glob("*.status"):
        base = path.with_suffix("")
        found[base.name] = Result(int(path.read_text()), Path(f"{base}.out").read_bytes(),
                                  Path(f"{base}.err").read_text())
    return found


def run_cases(context: Context, cases: Sequence[Case], before: str = "",
              *options: str) -> dict[str, Result]:
    script = RUN + before + "".join(f"run {c.name} {c.command}\n" for c in cases) + "finish\n"
    guest = vm.run(context, script, "--icount", *options, gets=("results.tar",))
    return results(guest, context.dir / "results")


def check_case(findings: Findings, case: Case, result: Result) -> None:
    what = f"{case.name} ({case.command})"
    findings.equal(f"{what}: the exit status", result.status, case.status)
    if case.status:
        findings.equal(f"{what}: lines said", result.err.count("\n"), 1)
        findings.equal(f"{what}: output", result.out, b"")
    findings.true(f"{what}: it says {result.err!r}, which is not like {case.says!r}",
                  re.search(case.says, result.err) is not None)
