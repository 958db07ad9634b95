# SPDX-License-Identifier: GPL-2.0-only
"""Expositions of made snapshots, read by promtool and by the strict OpenMetrics parser, and
compared with what they were made of. Needs no guest."""

import json
import re
import subprocess
from typing import Any, Callable, Mapping, Sequence

from ..lib import exposition, native
from ..lib.exposition import Exposition
from ..lib.registry import Context, Findings, test

CASES = "all", "much", "nothing"
TIMES = "wait", "hold", "secure"
CREATED = 1790000000.123456789


def made(what: str, case: str) -> str:
    return subprocess.run([native.maker("metrics-made"), what, case], capture_output=True,
                          check=True, text=True, timeout=60).stdout


def label_of(row: Mapping[str, Any]) -> str:
    """As conventions have it; a name that is one of ours is quoted."""
    if row["other"]:
        return "other"
    if not row["known"]:
        return "unknown"
    name = str(row["ta"])
    return f"'{name}'" if name in ("other", "unknown") else name


def le_of(octave: int, octaves: int) -> float:
    return float("inf") if octave == octaves - 1 else (1024 << octave) / 1e9


def check_times(findings: Findings, have: Exposition, row: Mapping[str, Any], time: str,
                labels: Mapping[str, str]) -> None:
    name, octaves, so_far = f"optee_{time}_seconds", row[time], 0
    les = {float(dict(k[1])["le"]): v for k, v in have.samples.items()
           if k[0] == f"{name}_bucket" and {**dict(k[1]), "le": ""} == {**labels, "le": ""}}
    for n, calls in enumerate(octaves):
        so_far += calls
        findings.equal(f"{name} of {labels} up to {le_of(n, len(octaves))}",
                       les.get(le_of(n, len(octaves))), so_far)
    findings.equal(f"buckets of {name}", len(les), len(octaves))
    findings.equal(f"{name}_count", have.get(f"{name}_count", **labels), so_far)
    findings.equal(f"{name}_sum", have.get(f"{name}_sum", **labels), row[f"{time}_ns"] / 1e9)


def check_rows(findings: Findings, have: Exposition, rows: Sequence[Mapping[str, Any]]) -> None:
    for row in rows:
        labels = {"tee": str(row["tee"]), "ta": label_of(row), "class": str(row["class"])}
        findings.equal(f"calls of {labels}", have.get("optee_calls_total", **labels),
                       row["calls"])
        for time in TIMES:
            check_times(findings, have, row, time, labels)
    findings.equal("rows with calls", sum(name == "optee_calls_total"
                                          for name, _ in have.samples), len(rows))


def check_dialects(findings: Findings, plain: Exposition, strict: Exposition) -> None:
    """The same samples, but for the times of creation: these every counter has."""
    created = {k: v for k, v in strict.samples.items() if k[0].endswith("_created")}
    rest = {k: v for k, v in strict.samples.items() if k not in created}
    same = {k: v for k, v in plain.samples.items() if not own_time(k[0])}
    findings.equal("samples of both", {k: v for k, v in rest.items() if not own_time(k[0])}, same)
    for family in strict.families:
        if family.type not in ("counter", "histogram"):
            continue
        series = {exposition.key("", {**s.labels, "le": ""}) for s in family.samples}
        times = [s for s in family.samples if s.name == f"{family.name}_created"]
        findings.equal(f"series of {family.name} that have a time of creation", len(times),
                       len(series))
        if not family.name.startswith("optee_top_"):
            findings.equal(f"creation of {family.name}", {s.value for s in times}, {CREATED})


def own_time(name: str) -> bool:
    """Of two runs of a program these differ."""
    return name in ("optee_top_resident_bytes", "optee_top_cpu_seconds_total")


@test()
def metrics_made(context: Context) -> None:
    """Each case in both dialects: nobody objects, and every figure is what it was made of."""
    findings = Findings()
    for case in CASES:
        text = made("classic", case)
        findings.equal(f"promtool's objections to '{case}'", exposition.promtool(text), [])
        plain = exposition.read_classic(text)
        strict = exposition.read_openmetrics(made("openmetrics", case))
        check_dialects(findings, plain, strict)
        for have in plain, strict:
            check_rows(findings, have, json.loads(made("json", case)))
        findings.equal(f"optee_up of '{case}'", plain.get("optee_up"),
                       0 if case == "nothing" else 1)
        findings.equal(f"what is not known in '{case}'",
                       re.findall(r"^.* (?:nan|1844674407\d*)$", text, re.M | re.I), [])
        findings.true(f"a line of '{case}' has a process", "pid=" not in text)
    findings.done()


def without_eof(text: str) -> str:
    return text.removesuffix("# EOF\n")


def twice(text: str) -> str:
    return text.replace("optee_up 1\n", "optee_up 1\noptee_up 1\n")


def one_less(text: str) -> str:
    """A bucket that is not cumulative."""
    return re.sub(r'(le="\+Inf"\}) \d+', r"\1 0", text, count=1)


def no_total(text: str) -> str:
    return text.replace("optee_calls_total", "optee_calls")


SPOILED: Sequence[Callable[[str], str]] = without_eof, twice, one_less, no_total


@test()
def metrics_spoiled(context: Context) -> None:
    """Those who judge do object: to each of these, one of them at least."""
    findings = Findings()
    for spoil in SPOILED:
        objections = 0
        for what in "classic", "openmetrics":
            text = made(what, "all")
            spoiled = spoil(text)
            if spoiled == text:
                continue
            try:
                if what == "classic":
                    objections += len(exposition.promtool(spoiled))
                    exposition.read_classic(spoiled)
                else:
                    exposition.read_openmetrics(spoiled)
            except ValueError:
                objections += 1
        findings.true(f"nobody objects to {spoil.__name__}", objections > 0)
    findings.done()
