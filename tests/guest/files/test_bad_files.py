# SPDX-License-Identifier: GPL-2.0-only
"""Files from outside: what is no recording is refused in one line, of what is spoiled the
rest is shown. Needs no guest."""

import json
import os
import subprocess
import termios
from pathlib import Path
from typing import NamedTuple, Optional, Sequence

from ..lib import native, recfile
from ..lib.registry import Context, Findings, test
from ..lib.terminal import Terminal

FAILURE, USAGE, INCOMPLETE = 1, 2, 5
WHOLE = native.RECORDING.read_bytes()
COMMANDS = ("replay", "-b"), ("replay", "--json"), ("replay", "events"), \
    ("export", "--format", "csv"), ("check",)


class Bad(NamedTuple):
    name: str
    says: str  # behind "cannot read 'FILE': "
    data: bytes


def blocks() -> list[recfile.Block]:
    return recfile.blocks(WHOLE)


def with_schema(schema: int) -> bytes:
    return recfile.join([b._replace(schema=schema) for b in blocks()])


NEWEST = 8  # schema
READS = f"and this optee-top reads 1 to {NEWEST}; use"
UNREADABLE = (
    Bad("empty", "it is empty", b""),
    Bad("text", "it is not a recording of optee-top", b"{\"schema\":\"optee-top/1\"}\n" * 99),
    Bad("binary", "it is not a recording of optee-top", bytes(range(256)) * 50),
    Bad("head", "it is not a recording of optee-top", WHOLE[:19]),
    Bad("half_a_block", "it is not a recording of optee-top", WHOLE[:200]),
    Bad("newer", f"it has schema {NEWEST + 1}, {READS} a newer optee-top",
        with_schema(NEWEST + 1)),
    Bad("newest", f"it has schema 65535, {READS} a newer optee-top", with_schema(65535)),
    Bad("older", f"it has schema 0, {READS} the optee-top that wrote it", with_schema(0)),
)


def refused(findings: Findings, what: str, file: object, says: str,
            user: Optional[int] = None, commands: Sequence[tuple[str, ...]] = COMMANDS) -> None:
    for words in commands:
        for strict in (), ("--strict",):
            at = 2 if words[1:2] == ("events",) else 1
            done = native.run(words[0], file, *words[1:], *strict, user=user) if at == 2 else \
                native.run(*words, file, *strict, user=user)
            findings.equal(f"{what}: {words} {strict}", done,
                           native.Done(FAILURE, b"", f"optee-top: cannot read '{file}': {says}\n"))


@test()
def options_without_a_word(context: Context) -> None:
    """Options alone are the live view's: none of them is taken for a word."""
    findings = Findings()
    for words in ("--json", "-n", 1), ("-n", 1, "--json"), ("-b", "--json", "-n", 1):
        done = native.run(*words)
        findings.true(f"{words}: {done}", "unexpected" not in done.err)
    findings.done()


@test()
def bad_files_not_onto_itself(context: Context) -> None:
    """An export that would replace what it reads is refused, by whatever name."""
    findings = Findings()
    context.dir.mkdir(parents=True, exist_ok=True)
    rec, link, hard = (context.dir / name for name in ("rec", "link", "hard"))
    rec.write_bytes(WHOLE)
    link.symlink_to(rec)
    hard.hardlink_to(rec)
    for output in rec, link, hard:
        findings.equal(f"{output.name}", native.run("export", rec, "--format", "csv", "--output", output),
                       native.Done(USAGE, b"", f"optee-top: cannot export '{rec}' to itself; "
                                   "give --output another file\n"))
    with open(link, "ab") as out:
        done = subprocess.run([native.top(), "export", rec, "--format", "csv"], stdout=out,
                              stderr=subprocess.PIPE, check=False, timeout=60)
    findings.equal("appended: status", done.returncode, USAGE)
    findings.true("the recording has changed", rec.read_bytes() == WHOLE)
    log = context.dir / "log"
    log.mkdir()
    current, line = log / "optee-top.jsonl", b'{"schema":"optee-top/1","epoch":1}\n'
    current.write_bytes(line)
    whole = f"cannot export '{log}' to one of its own files; give another name"
    both = f"'--cursor' and '--output' are the same file '{context.dir}/new'"
    for words, says in (("--output", current), whole), (("--cursor", current), whole), \
            (("--output", context.dir / "new", "--cursor", context.dir / "new"), both):
        findings.equal(f"{words}", native.run("export", log, "--format", "jsonl", *words),
                       native.Done(USAGE, b"", f"optee-top: {says}\n"))
    findings.equal("the log", current.read_bytes(), line)
    findings.done()


@test()
def bad_files_refused(context: Context) -> None:
    findings = Findings()
    context.dir.mkdir(parents=True, exist_ok=True)
    for bad in UNREADABLE:
        path = context.dir / bad.name
        path.write_bytes(bad.data)
        refused(findings, bad.name, path, bad.says)
    # To export it may be a daemon's log.
    others = [words for words in COMMANDS if words[0] != "export"]
    refused(findings, "a directory", context.dir, "Is a directory", commands=others)
    refused(findings, "no log", context.dir, "there is no log in it",
            commands=[("export", "--format", "csv")])
    refused(findings, "not there", context.dir / "none", "No such file or directory")
    secret = Path("/tmp") / f"optee-top-secret-{context.name}"
    secret.write_bytes(WHOLE)
    try:
        secret.chmod(0)
        refused(findings, "no permission", secret, "Permission denied", native.unprivileged())
    finally:
        secret.unlink()
    done = native.run("replay", "-")
    findings.equal("nothing on standard input", done,
                   native.Done(FAILURE, b"", "optee-top: cannot read '-': it is empty\n"))
    findings.done()


def saved(findings: Findings, file: Path, says: str, frames: int) -> bytes:
    """Status 0 and one line, 5 if --strict; what is left is shown."""
    for strict, status in ((), 0), (("--strict",), INCOMPLETE):
        done = native.run("replay", file, "--json", *strict)
        findings.equal(f"{file.name} {strict}: status and words", (done.status, done.err),
                       (status, f"optee-top: '{file}' {says}\n"))
        findings.equal(f"{file.name} {strict}: frames", done.out.count(b"\n"), frames)
    for line in done.out.splitlines():
        json.loads(line)
    return done.out


CUT = "was cut off: only what precedes the cut is used"


@test()
def bad_files_cut_off(context: Context) -> None:
    """At every block's end, amid it, and one byte before it."""
    findings = Findings()
    context.dir.mkdir(parents=True, exist_ok=True)
    file = context.dir / "cut.rec"
    whole = native.run("replay", native.RECORDING, "--json").out
    snapshots = 0
    for block in blocks()[:-1]:
        size = len(block.pack())
        if block.at:
            for end in block.at, block.at + size // 2, block.at + size - 1:
                file.write_bytes(WHOLE[:end])
                out = saved(findings, file, CUT, max(snapshots - 1, 0))
                findings.true(f"cut off at {end}: other frames", whole.startswith(out))
        snapshots += block.type == recfile.SNAPSHOT
    findings.equal("snapshots of the whole file", snapshots, whole.count(b"\n") + 1)
    findings.done()


@test()
def bad_files_flipped(context: Context) -> None:
    """One bit wrong costs the block that it is in, no other."""
    findings = Findings()
    context.dir.mkdir(parents=True, exist_ok=True)
    file = context.dir / "flipped.rec"
    whole = native.run("replay", native.RECORDING, "--json").out.splitlines()
    snapshots = [b for b in blocks() if b.type == recfile.SNAPSHOT]
    for number in 1, 9, len(snapshots) - 2:
        block = snapshots[number]
        size = len(block.pack())
        for at in range(block.at, block.at + size, 37):
            data = bytearray(WHOLE)
            data[at] ^= 1 << (at & 7)
            file.write_bytes(data)
            out = saved(findings, file, f"is damaged in 1 place: {size} bytes are skipped",
                        len(whole) - 1).splitlines()
            # The next one has the events of the one that is missing, too.
            findings.equal(f"{at}: the frames before", out[:number - 1], whole[:number - 1])
            findings.equal(f"{at}: the frames after", out[number:], whole[number + 1:])
    findings.done()


def other_machine() -> bytes:
    """Recorded on a machine that never was: the third text of the host block is its release."""
    host, *rest = blocks()
    content = host.content()
    at, texts = 0, []
    for _ in range(3):
        texts.append(content[at + 1:at + 1 + content[at]])
        at += 1 + content[at]
    texts[1], texts[2] = b"riscv64", b"99.9-other"
    return recfile.join([host.having(b"".join(bytes([len(t)]) + t for t in texts)
                                     + content[at:]), *rest])


@test()
def bad_files_another_machine(context: Context) -> None:
    """Where it was made does not matter; a text there can be no other than printable."""
    findings = Findings()
    context.dir.mkdir(parents=True, exist_ok=True)
    file = context.dir / "other.rec"
    file.write_bytes(other_machine())
    for words in ("--json",), ("-b",), ("events",):
        findings.equal(f"replay {words}", native.run("replay", file, *words, "--strict"),
                       native.run("replay", native.RECORDING, *words))
    done = native.run("export", file, "--format", "jsonl")
    host = json.loads(done.out.splitlines()[0])
    findings.equal("status and words", (done.status, done.err), (0, ""))
    findings.equal("machine and kernel", (host["machine"], host["release"]),
                   ("riscv64", "99.9-other"))
    first, *rest = blocks()
    evil = first.content().replace(b"aarch64", b"\x1b[2Jabc")
    file.write_bytes(recfile.join([first.having(evil), *rest]))
    done = native.run("export", file, "--format", "jsonl")
    findings.equal("an escape in the host's name", (done.status, done.err), (
        0, f"optee-top: '{file}' has a block that cannot be read: it is skipped\n"))
    findings.true("it comes out", b"\x1b" not in done.out and b"[2Jabc" not in done.out)
    findings.done()


@test()
def bad_files_spoiled_end(context: Context) -> None:
    """The checksum is right, and what is in the last snapshots is not."""
    findings = Findings()
    context.dir.mkdir(parents=True, exist_ok=True)
    file = context.dir / "spoiled.rec"
    parts = blocks()
    last = [n for n, b in enumerate(parts) if b.type == recfile.SNAPSHOT][-2:]
    for n in last:
        parts[n] = parts[n].having(b"\xff" * 40)
    file.write_bytes(recfile.join(parts))
    says = "has a block that cannot be read: it is skipped"
    saved(findings, file, says, 18)
    whole = native.run("replay", native.RECORDING, "events")
    findings.equal("its events", native.run("replay", file, "events", seconds=20),
                   whole._replace(err=f"optee-top: '{file}' {says}\n"))
    with Terminal([native.top(), "replay", file, "--speed", "1000"]) as t:
        t.shows("[END]")
        t.shows("frame 19/21")
        t.press("]")
        t.press("q")
        findings.equal("the view's status", t.end(), 0)
    findings.done()


@test()
def bad_files_behind_the_end(context: Context) -> None:
    """Whatever follows the end is damage like any other."""
    findings = Findings()
    context.dir.mkdir(parents=True, exist_ok=True)
    file = context.dir / "behind.rec"
    whole = native.run("replay", native.RECORDING, "--json").out
    file.write_bytes(WHOLE + b"garbage")
    out = saved(findings, file, "has 7 bytes after its end: they are skipped",
                whole.count(b"\n"))
    findings.equal("the frames", out, whole)
    findings.done()


def change(file: Path, cut: bool) -> None:
    if cut:
        os.truncate(file, 100)
    else:
        with open(file, "r+b") as f:
            f.write(bytes(len(WHOLE)))


@test()
def bad_files_changed(context: Context) -> None:
    """Cut off or overwritten while it is replayed: the view ends, and the terminal is free."""
    findings = Findings()
    context.dir.mkdir(parents=True, exist_ok=True)
    file = context.dir / "changed.rec"
    for cut in True, False:
        file.write_bytes(WHOLE)
        with Terminal([native.top(), "replay", file, "--strict", "--speed", "0.1"]) as t:
            t.wait("a frame", lambda: b"frame " in t.raw)
            change(file, cut)
            t.press("}")
            findings.equal(f"cut off {cut}: status", t.end(), INCOMPLETE)
            findings.equal(f"cut off {cut}: settings", termios.tcgetattr(t.slave), t.before)
            findings.true(f"cut off {cut}: it says {t.raw[-200:]!r}",
                          b"was changed while it was being read" in t.raw)
    findings.done()


@test()
def bad_files_not_to_a_terminal(context: Context) -> None:
    """A recording is not for eyes; no privileges are needed to be told so."""
    findings = Findings()
    with Terminal([native.top(), "record", "-"]) as t:
        findings.equal("the status", t.end(), USAGE)
        findings.equal("what it says", t.text().split("\n")[:2], [
            "optee-top: cannot record to standard output: it is a terminal; give a FILE", ""])
    findings.done()
