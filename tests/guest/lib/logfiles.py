# SPDX-License-Identifier: GPL-2.0-only
"""The files of a log, read without optee-top; and log-made, which writes them here."""

import csv
import gzip
import json
import re
import subprocess
from pathlib import Path
from typing import Any, Iterator, NamedTuple, Optional

from . import native
from .registry import Findings

NAME = re.compile(r"(optee-top|pools|tas|sessions|events|losses|gaps)"
                  r"(?:\.(\d{8}))?\.(jsonl|csv)(\.gz)?")
Line = dict[str, Any]


def make() -> Path:
    """Both programs, newly made."""
    native.top()
    return native.maker("log-made")


class File(NamedTuple):
    path: Path
    number: int  # of the one that is written: above all others

    def data(self) -> bytes:
        raw = self.path.read_bytes()
        return gzip.decompress(raw) if self.path.suffix == ".gz" else raw


def files(directory: Path, stem: str) -> list[File]:
    """From the oldest to the newest; of one that is there twice the deflated one."""
    found: dict[int, File] = {}
    for path in sorted(directory.iterdir()):
        match = NAME.fullmatch(path.name)
        if match and match[1] == stem:
            number = int(match[2]) if match[2] else 10**9
            found[number] = File(path, number)  # .gz sorts behind
    return [found[n] for n in sorted(found)]


def text_lines(directory: Path, stem: str = "optee-top") -> list[bytes]:
    """All whole lines; a last one without its end is dropped."""
    return [line for file in files(directory, stem)
            for line in file.data().splitlines(keepends=True) if line.endswith(b"\n")]


def lines(directory: Path) -> list[Line]:
    return [json.loads(line) for line in text_lines(directory)]


def rows(directory: Path, stem: str) -> list[dict[str, str]]:
    """Rows of all the files of a table, each of which has to have the head."""
    found = []
    for file in files(directory, stem):
        text = file.data().decode()
        whole = text[:text.rindex("\r\n") + 2] if "\r\n" in text else ""
        reader = csv.DictReader(whole.splitlines(keepends=True), strict=True)
        for row in reader:
            if None in row or None in row.values():
                raise ValueError(f"{file.path}: a row with another number of fields: {row}")
            found.append(row)
    return found


def attaches(found: list[Line]) -> Iterator[tuple[tuple[str, int], list[Line]]]:
    """The lines of each attach, in the order of the log."""
    of: dict[tuple[str, int], list[Line]] = {}
    for line in found:
        of.setdefault((line["boot_id"], line["epoch"]), []).append(line)
    yield from of.items()


def check_numbers(findings: Findings, found: list[Line],
                  begins_with_gap: bool = False) -> None:
    """Every line of an attach has the next number, but where a gap says how many are lost."""
    for attach, those in attaches(found):
        seq, lost = those[0]["seq"] - 1, 0
        if begins_with_gap:  # behind the host, which every file begins with
            findings.equal(f"{attach}: the second line", those[1]["type"], "gap")
            lost -= those[1].get("lines", 0)
        for line in those:
            missing = line["seq"] - seq - 1
            if line["type"] == "gap":
                lost += line["lines"]
            findings.true(f"{attach}: line {line['seq']} comes after {seq}", missing >= 0)
            lost -= missing
            seq = line["seq"]
        findings.equal(f"{attach}: lost by gaps less those missing", lost, 0)


class Maker:
    """A log-made that does what it is told; a command is done when this returns."""

    def __init__(self, directory: Path, *args: object) -> None:
        self.process = subprocess.Popen([make(), directory, *map(str, args)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        bufsize=1)
        self.stats: dict[str, int] = {}

    def send(self, command: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def do(self, command: str) -> dict[str, int]:
        self.send(command)
        return self.answer()

    def answer(self) -> dict[str, int]:
        assert self.process.stdout
        words = self.process.stdout.readline().split()
        self.stats = {k: int(v) for k, v in zip(words[::2], words[1::2])}
        return self.stats

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()

    def end(self) -> int:
        self.process.communicate()
        return self.process.returncode


def export(directory: Path, *args: object, status: Optional[int] = 0) -> native.Done:
    done = native.run("export", directory, *args)
    if status is not None and done.status != status:
        raise AssertionError(f"export {args}: status {done.status}: {done.err}")
    return done
