# SPDX-License-Identifier: GPL-2.0-only
"""What --help and 'help TOPIC' print. Needs no guest."""

import re

from ..lib import native
from ..lib.registry import Context, Findings, test

COLUMNS = 80
TOPICS = "fields", "conditions", "rules"


def page(findings: Findings, *words: str) -> str:
    done = native.run(*words)
    findings.equal(f"status of {words}", (done.status, done.err), (0, ""))
    text = done.out.decode("ascii")
    wide = [line for line in text.splitlines() if len(line) > COLUMNS]
    findings.equal(f"lines of {words} that are too long", wide, [])
    return text


@test()
def help_is_of_the_command(context: Context) -> None:
    """It fits a terminal, and says nothing of other commands' options."""
    findings = Findings()
    listed = re.search(r"commands .*:\n((?:  .*\n)+)\n", page(findings, "--help"))
    assert listed, "there are no commands"
    commands = re.findall(r"^  (\w+) ", listed[1], re.M)
    findings.true(f"only {commands}", len(commands) > 8)
    for command in commands:
        text = page(findings, command, "--help")
        findings.equal(f"what {command} --help says of certain commands",
                       re.findall(rf"for (?:{'|'.join(commands)})\b[^\n]*:", text), [])
    for topic in TOPICS:
        page(findings, "help", topic)
    exports = " ".join(page(findings, "export", "--help").split())
    for words, there in ("jsonl, csv, perfetto", True), ("junit", False), ("FILE.o", False), \
            ("in a log or a recording", True), ("history", False):
        findings.equal(f"does export --help say '{words}'?", words in exports, there)
    findings.done()
