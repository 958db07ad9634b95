# SPDX-License-Identifier: GPL-2.0-only
"""What README and doc/ show with its command is what the command prints."""

import os
import re
import subprocess
from pathlib import Path
from typing import Iterator, NamedTuple

from ..lib import native, vm
from ..lib.registry import Context, Findings, test
from ..lib.terminal import Terminal

LIVE = "optee-top replay doc/stranded.rec"  # the view, and not what it prints to a pipe


class Sample(NamedTuple):
    command: str
    shown: list[str]


def samples(text: str) -> Iterator[Sample]:
    """Commands stand behind a $ in a block of code; what they print is below."""
    for fenced, indented in re.findall(r"^```\n(.*?)^```$|((?:^    [^\n]*\n)+)", text, re.M | re.S):
        lines = fenced.splitlines() or [line[4:] for line in indented.splitlines()]
        starts = [n for n, line in enumerate(lines) if line.startswith("$ ")]
        for start, end in zip(starts, [*starts[1:], len(lines)]):
            yield Sample(lines[start][2:], lines[start + 1:end])


def like(shown: str) -> str:
    """A pattern: three dots stand for what was left out."""
    return ".*?".join(re.escape(part) for part in shown.split("..."))


def check_printed(findings: Findings, sample: Sample) -> None:
    path = f"{native.top().parent}:{os.environ['PATH']}"
    done = subprocess.run(sample.command, shell=True, cwd=vm.ROOT, stdin=subprocess.DEVNULL,
                          capture_output=True, env={**os.environ, "PATH": path}, text=True)
    findings.equal(f"{sample.command}: words on standard error", done.stderr, "")
    if done.stdout.startswith("{"):  # one line, shown in several
        same = re.fullmatch(like("".join(line.strip() for line in sample.shown)),
                            done.stdout.rstrip("\n")) is not None
    else:
        same = done.stdout.splitlines() == sample.shown
    if not same:
        findings.add(f"{sample.command} prints\n{done.stdout}")


def check_view(findings: Findings, sample: Sample) -> None:
    """At 80x24, at the frame that its title names, paused so that it can be read."""
    wanted = re.search(r"frame (\d+)/", "\n".join(sample.shown))
    assert wanted, f"{sample.shown} has no frame"
    with Terminal([native.top(), "replay", native.RECORDING]) as t:
        t.shows("frame ")
        t.press("p{")
        t.shows("frame 1/")
        for number in range(2, int(wanted[1]) + 1):
            t.press("]")
            t.shows(f"frame {number}/")
        have = [re.sub(r" *\[PAUSED\]", "", line) for line in t.lines() if line]
    findings.equal("the view", have, sample.shown)


OURS = r"(?:src|bpf|include|kernel|policies|tests|scripts|systemd|doc|man)/[\w./-]*\w"


def check_names(findings: Findings, page: Path, text: str) -> None:
    """A page names only files that are there."""
    links = [page.parent / name for name in re.findall(r"\]\(([^):#]+)\)", text)]
    files = [vm.ROOT / name for name in re.findall(f"`({OURS})", text)]
    for path in links + files:
        findings.true(f"{page.name} names {path.relative_to(vm.ROOT)}, which is not there",
                      path.exists())


@test()
def readme_is_true(context: Context) -> None:
    findings = Findings()
    pages = [vm.ROOT / "README.md", *sorted((vm.ROOT / "doc").glob("*.md"))]
    for page in "HACKING.md", "tests/README.md", "kernel/README.md":
        check_names(findings, vm.ROOT / page, (vm.ROOT / page).read_text())
    found = []
    for page in pages:
        text = page.read_text()
        check_names(findings, page, text)
        found += samples(text)
    findings.true(f"only {[s.command for s in found]}",
                  len(found) >= 6 and LIVE in [s.command for s in found])
    for sample in found:
        if sample.command == LIVE:
            check_view(findings, sample)
        else:
            check_printed(findings, sample)
    findings.done()
