# SPDX-License-Identifier: GPL-2.0-only
"""Logs that are written here, read back by Python and compared with 'optee-top export'."""

import calendar
import contextlib
import csv
import json
import random
import re
import shutil
import time
from pathlib import Path
from typing import Any

from ..lib import logfiles, native
from ..lib.logfiles import Line, Maker
from ..lib.registry import Context, Findings, test
from ..lib.names import NAMES, back, shown

KILLS = 200
MB = 1 << 20


def fresh(context: Context) -> Path:
    """A directory for the log that is not there yet."""
    context.dir.mkdir(parents=True, exist_ok=True)
    log = context.dir / "log"
    shutil.rmtree(log, ignore_errors=True)
    return log


def size_of(log: Path) -> int:
    """Of all its files, while they are rotated."""
    size = 0
    for path in log.iterdir() if log.exists() else ():
        with contextlib.suppress(FileNotFoundError):
            size += path.stat().st_size
    return size


def grown(log: Path, maker: Maker) -> None:
    """It has written something."""
    before = size_of(log)
    for _ in range(60000):
        if maker.process.poll() is not None:
            raise AssertionError("log-made has ended")
        if size_of(log) != before:
            return
        time.sleep(0.001)
    raise AssertionError("log-made writes nothing")


@test()
def log_killed(context: Context) -> None:
    """kill -9 amid whatever it does, 200 times: rotating, deflating, writing."""
    log, findings, draw = fresh(context), Findings(), random.Random(7)
    torn = twins = 0
    for n in range(KILLS):
        maker = Maker(log, 2 * MB, 1, "jsonl,csv")
        maker.send("run")
        grown(log, maker)
        time.sleep(draw.random() * 0.04)
        maker.kill()
        torn += any(not f.data().endswith(b"\n") for f in logfiles.files(log, "optee-top"))
        twins += sum(p.suffix == ".part" for p in log.iterdir())
        if n % 20 == 19 or n == KILLS - 1:
            text = logfiles.text_lines(log)
            done = logfiles.export(log, "--format", "jsonl")
            findings.true(f"after {n + 1}: the reader gives other lines than there are",
                          done.out.splitlines(keepends=True) == text)
            found = [json.loads(line) for line in text]
            logfiles.check_numbers(findings, found)
            for table in ("pools", "tas", "sessions", "events"):
                findings.true(f"after {n + 1}: no {table}", bool(logfiles.rows(log, table)))
            size = size_of(log)
            findings.true(f"after {n + 1}: {size} bytes are more than the cap", size <= 2 * MB)
    attaches = dict(logfiles.attaches(found))
    findings.true(f"{len(attaches)} attaches in the log are no test", len(attaches) >= 3)
    findings.true(f"{twins} files were being deflated: this is no test", twins > 0)
    # A last one tidies up, and everything in the files is whole then.
    maker = Maker(log, 2 * MB, 1, "jsonl,csv")
    maker.do("take 1")
    findings.equal("status of a good end", maker.end(), 0)
    findings.equal("files left by halves", [p.name for p in log.iterdir() if p.suffix == ".part"],
                   [])
    done = logfiles.export(log, "--format", "jsonl", "--strict", status=None)
    findings.true(f"status {done.status}: {done.err}", done.status == 0)
    (context.dir / "figures").write_text(f"{torn} torn tails, {twins} partial files, "
                                         f"{len(attaches)} attaches of {KILLS}\n")
    findings.done()


@test()
def log_hostile(context: Context) -> None:
    """Names as nasty as they can be come back as they were, from JSON and from CSV."""
    names = [*NAMES, b"=1+1", b"+1", b"-1", b"@x", b"'q", b"a,b", b'"', b"\\", b"\r\n", b"\t=1"]
    findings = Findings()
    for n, name in enumerate(names):
        log = fresh(context)
        maker = Maker(log, MB, 1, "jsonl,csv")
        maker.do(f"comm {name[:16].hex()}")
        maker.do("take 3")
        findings.equal("status", maker.end(), 0)
        for stem in ("optee-top", "pools", "tas", "sessions", "events"):
            strange = {c for file in logfiles.files(log, stem)
                       for c in file.data().decode(errors="surrogateescape")
                       if not c.isprintable()} - {"\n", "\r"}
            findings.equal(f"{name!r}: what is not printable in {stem}", sorted(strange), [])
        found = logfiles.lines(log)
        for where, have in (
                ("JSON, session", {x["client"] for x in found
                                   if x["type"] == "session" and x["pid"] == 1000}),
                ("JSON, event", {x["who"][1]["comm"] for x in found if x["type"] == "event"}),
                ("CSV, session", {unguard(r["client"]) for r in logfiles.rows(log, "sessions")
                                  if r["pid"] == "1000"}),
                ("CSV, event", {re.findall(r"holds, (.*)\(11\) waits$", r["who"])[0]
                                for r in logfiles.rows(log, "events")})):
            findings.equal(f"{name!r} in {where}", have, {shown(name)})
            findings.equal(f"{name!r} in {where}, decoded", {back(h) for h in have}, {name})
        formulas = [v for t in ("sessions", "events", "tas", "pools") for r in logfiles.rows(log, t)
                    for v in r.values() if v and v[0] in "=+-@" and not re.fullmatch(r"-\d+", v)]
        findings.equal(f"{name!r}: what a spreadsheet takes for a formula", formulas, [])
    findings.done()


def unguard(text: str) -> str:
    return text[1:] if text.startswith("'") else text


@test()
def log_cursor(context: Context) -> None:
    """Exported piece by piece, over rotations, restarts and a clock that is set: all, once."""
    log, findings, draw = fresh(context), Findings(), random.Random(3)
    cursor = context.dir / "cursor"
    cursor.unlink(missing_ok=True)
    pieces: list[bytes] = []
    whole: list[bytes] = []
    pauses = 0
    maker = Maker(log, 4 * MB, 2)
    for n in range(60):
        maker.do(f"take {draw.randrange(1, 40)}")
        if n % 7 == 3:
            maker.do(f"clock {draw.choice((-86400, -3600, 3600))}")
        if n % 11 == 5:
            maker.kill() if n % 2 else maker.end()
            maker = Maker(log, 4 * MB, 2)
        if draw.random() < 0.6:
            done = logfiles.export(log, "--format", "jsonl", "--cursor", cursor, "--strict")
            pieces += done.out.splitlines(keepends=True)
            pauses += 1
            again = logfiles.export(log, "--format", "jsonl", "--cursor", cursor, "--strict")
            findings.equal("lines that come a second time", again.out, b"")
    maker.end()
    pieces += logfiles.export(log, "--format", "jsonl", "--cursor",
                              cursor).out.splitlines(keepends=True)
    whole = logfiles.text_lines(log)
    findings.true(f"{len(logfiles.files(log, 'optee-top'))} files, {pauses} pieces are no test",
                  len(logfiles.files(log, "optee-top")) > 3 and pauses > 20)
    findings.true(f"{len(pieces)} lines in pieces, {len(whole)} in the log, or others",
                  pieces == whole)
    check_gone(findings, log, cursor)
    findings.done()


@test()
def log_followed(context: Context) -> None:
    """Exported again and again while it is written, rotated and deflated."""
    log, findings = fresh(context), Findings()
    cursor = context.dir / "cursor"
    cursor.unlink(missing_ok=True)
    maker = Maker(log, 2 * MB, 1)
    maker.do("take 1")
    pieces: list[bytes] = []
    rounds = 0
    for _ in range(30):
        maker.send("take 60")
        for _ in range(3):
            done = logfiles.export(log, "--format", "jsonl", "--cursor", cursor, status=None)
            pieces += done.out.splitlines(keepends=True)
            rounds += bool(done.out)
            said = re.search(r"(\d+) unreadable .* (\d+) are missing", done.err)
            findings.true(f"status {done.status}: {done.err}", done.status == 0 and (
                said is None or said.groups() == ("0", "0")))
        maker.answer()
    maker.end()
    pieces += logfiles.export(log, "--format", "jsonl", "--cursor",
                              cursor).out.splitlines(keepends=True)
    findings.true(f"{maker.stats['rotations']} rotations, {rounds} pieces are no test",
                  maker.stats["rotations"] > 5 and rounds > 40)
    found = [json.loads(x) for x in pieces]
    findings.equal("numbers", [x["seq"] for x in found], list(range(1, len(found) + 1)))
    findings.equal("the newest", pieces[-100:], logfiles.text_lines(log)[-100:])
    findings.done()


def check_gone(findings: Findings, log: Path, cursor: Path) -> None:
    """What the cap has taken since is counted; and a position that is gone is said."""
    position = json.loads(cursor.read_text())
    maker = Maker(log, MB, 1)
    maker.do("take 10")
    logfiles.export(log, "--format", "jsonl", "--cursor", cursor)
    maker.do("take 5000")
    done = logfiles.export(log, "--format", "jsonl", "--cursor", cursor, "--strict", status=None)
    first = json.loads(done.out.splitlines()[0])
    said = re.search(r"(\d+) are missing", done.err)
    findings.equal("status when lines are missing", done.status, 5)
    findings.true(f"{done.err!r} does not say how many", said is not None)
    if said:
        before = maker.stats["lines"] - len(done.out.splitlines()) - int(said[1])
        findings.true(f"{said[1]} missing before line {first['seq']}, {before} exported before",
                      0 < before < 200 and int(said[1]) > 1000)
    maker.end()
    cursor.write_text(json.dumps({**position, "epoch": 1}))
    done = logfiles.export(log, "--format", "jsonl", "--cursor", cursor)
    findings.true(f"{done.err!r} does not say that the position is gone",
                  "no longer in" in done.err)
    findings.equal("all is exported then", done.out.splitlines(keepends=True),
                   logfiles.text_lines(log))
    for text in (b"", b"{}", b"{\"seq\":-1}", b"\xff" * 100):
        cursor.write_bytes(text)
        done = native.run("export", log, "--format", "jsonl", "--cursor", cursor)
        findings.equal(f"a cursor of {text!r}", (done.status, done.err.count("\n"), done.out),
                       (1, 1, b""))
        findings.equal("it is left as it was", cursor.read_bytes(), text)


def flat(line: Line) -> dict[str, str]:
    """A JSON line as its row of CSV ought to be, by the names of the columns."""
    def text(v: Any) -> str:
        if v is None:
            return ""
        return str(v).lower() if isinstance(v, bool) else str(v)
    row = {k: text(v) for k, v in line.items() if not isinstance(v, (dict, list))}
    for cond, figures in line.get("conditions", {}).items():
        row.update({f"{cond}_{k}": text(v) for k, v in (figures or {}).items()})
    return row


@test()
def log_formats(context: Context) -> None:
    """JSON and CSV of the log, and the CSV and samples made of the JSON, say the same."""
    log, findings = fresh(context), Findings()
    maker = Maker(log, 8 * MB, 10, "jsonl,csv")
    maker.do("take 100")
    maker.do("clock -50")
    maker.do("take 900")
    findings.equal("status", maker.end(), 0)
    found = logfiles.lines(log)
    logfiles.check_numbers(findings, found)
    types = {"pools": "pool", "tas": "ta", "sessions": "session", "events": "event",
             "losses": "losses"}
    for table, kind in types.items():
        those = [flat(x) for x in found if x["type"] == kind]
        own = logfiles.rows(log, table)
        text = logfiles.export(log, "--format", "csv", "--what", table).out.decode()
        made = list(csv.DictReader(text.splitlines(keepends=True), strict=True))
        findings.equal(f"{table}: rows", (len(own), len(made)), (len(those), len(those)))
        for mine, theirs, line in zip(own, made, those):
            # Each format numbers its lines by itself.
            findings.equal(f"{table}: a row", {**mine, "seq": ""}, {**theirs, "seq": ""})
            for key in set(theirs) & set(line) - {"seq"}:
                findings.equal(f"{table}: {key}", unguard(theirs[key]), line[key])
        findings.true(f"{table}: {len(those)} are no test", len(those) > (0 if kind == "losses"
                                                                          else 20))
    check_samples(findings, log, found)
    check_since(findings, log, found)
    findings.done()


def stamp_ms(line: Line) -> str:
    match = re.fullmatch(r"(.*)\.(\d{3})\d*Z", line["ts"])
    assert match
    seconds = calendar.timegm(time.strptime(match[1], "%Y-%m-%dT%H:%M:%S"))
    return f"{seconds}{match[2]}"


def check_samples(findings: Findings, log: Path, found: list[Line]) -> None:
    text = logfiles.export(log, "--format", "prometheus").out.decode()
    # The clock was set back: of the second time round, which comes last, are these.
    have = {}
    for line in text.splitlines():
        name, value, stamp = line.rsplit(" ", 2)
        have[name, stamp] = float(value)
    checked = 0
    last = {}
    for x in found:
        if x["type"] == "ta":
            last[stamp_ms(x), x["ta"]] = x
        if x["type"] == "pool":
            last[stamp_ms(x), ""] = x
    for (stamp, ta), x in last.items():
        want: dict[str, float]
        if not ta:
            want = {'optee_threads{tee="0"}': x["threads"],
                    'optee_threads_in_use{tee="0",class="normal"}': x["in_use_normal"],
                    'optee_condition_seconds_total{tee="0",condition="stranded"}':
                        x["conditions"]["stranded"]["time_ns"] / 1e9}
        else:
            labels = f'tee="0",ta="{ta}",class="{x["class"]}"'
            want = {f"optee_calls_total{{{labels}}}": x["calls"],
                    f"optee_wait_seconds_sum{{{labels}}}": x["wait_ns"] / 1e9,
                    f"optee_wait_seconds_count{{{labels}}}":
                        sum(n for _, n in x["wait_histogram"]),
                    f'optee_wait_seconds_bucket{{{labels},le="0.001048576"}}':
                        sum(n for edge, n in x["wait_histogram"] if edge < 1048576),
                    f'optee_rpc_seconds_total{{{labels},kind="fs"}}':
                        x["rpc_kinds"].get("fs", {"time_ns": -1})["time_ns"] / 1e9}
        for name, expected in want.items():
            if expected >= 0:
                findings.equal(f"{name} at {stamp}", have.get((name, stamp)), expected)
                checked += 1
    findings.true(f"{checked} samples are no test", checked > 1000)
    findings.true("a comment among samples", "#" not in text)


def check_since(findings: Findings, log: Path, found: list[Line]) -> None:
    """From that time on, itself included; the same of what was written into a single file."""
    text = logfiles.text_lines(log)
    for at in (0, 1, len(found) // 2, len(found) - 1):
        since = found[at]["ts"]
        done = logfiles.export(log, "--format", "jsonl", "--since", since)
        findings.equal(f"since {since}", done.out.splitlines(keepends=True),
                       [t for t, x in zip(text, found) if x["ts"] >= since])
        shifted = since.replace("Z", "+00:00")
        findings.equal("the same with a zone",
                       logfiles.export(log, "--format", "jsonl", "--since", shifted).out, done.out)
    findings.equal("the last hour of 2023", logfiles.export(log, "--format", "jsonl", "--since",
                                                            "1h").out, b"")
    for bad in ("", "yesterday", "5", "5x", "2026-13-01T00:00:00Z", "2026-01-01", "-5m", "1h2"):
        done = native.run("export", log, "--format", "jsonl", "--since", bad)
        findings.equal(f"--since {bad!r}", (done.status, done.err.count("\n"), done.out),
                       (2, 1, b""))
    done = logfiles.export(log, "--format", "jsonl", "--what", "sessions", "-p", "1003")
    findings.equal("sessions of one process", {json.loads(x)["pid"] for x in done.out.splitlines()},
                   {1003})
    one = logfiles.files(log, "optee-top")[0]
    findings.equal("one file", logfiles.export(one.path, "--format", "jsonl").out, one.data())
