# SPDX-License-Identifier: GPL-2.0-only
"""Says how the drivers did: a table, what was wrong with its evidence, and JSON."""

import json
from typing import Sequence

from .judge import BLIND, Outcome, Rule

SCHEMA = "optee-top-validate/1"
MAX_EVIDENCE = 6  # lines of a rule
SHOWN = {"pass": "pass", "fail": "FAIL", "unknown": "unknown", BLIND: BLIND}


def of(outcomes: Sequence[Outcome], driver: str, workload: str) -> str:
    return next((SHOWN.get(o.verdict, o.verdict) for o in outcomes
                 if (o.driver, o.workload) == (driver, workload)), "not run")


def table(outcomes: Sequence[Outcome], drivers: Sequence[str],
          workloads: Sequence[str]) -> str:
    rows = [["workload", *drivers]]
    rows += [[name, *(of(outcomes, driver, name) for driver in drivers)] for name in workloads]
    widths = [max(map(len, column)) for column in zip(*rows)]
    return "".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
                   + "\n" for row in rows)


def rule_lines(rule: Rule) -> list[str]:
    name = rule.rule + (f" {rule.argument}" if rule.argument else "")
    verdict = f" ({rule.verdict})" if rule.verdict in ("unknown", BLIND) else ""
    lines = [f"  {name}{verdict}: {rule.found}"]
    lines += [f"      {line}" for line in rule.evidence[:MAX_EVIDENCE]]
    if len(rule.evidence) > MAX_EVIDENCE:
        lines.append(f"      and {len(rule.evidence) - MAX_EVIDENCE} lines more")
    return lines


def details(outcomes: Sequence[Outcome]) -> str:
    """What did not pass, and why."""
    lines = []
    for outcome in outcomes:
        if outcome.failed():
            lines += ["", f"{outcome.workload}, {outcome.driver}:"]
            for rule in outcome.failed():
                lines += rule_lines(rule)
    return "".join(f"{line}\n" for line in lines)


def summary(outcomes: Sequence[Outcome], drivers: Sequence[str],
            workloads: Sequence[str]) -> str:
    """A line for each driver, the one in question last."""
    lines = [""]
    for driver in drivers:
        by: dict[str, list[str]] = {}
        for name in workloads:
            by.setdefault(of(outcomes, driver, name), []).append(name)
        passed = len(by.pop(SHOWN["pass"], []))
        lines.append("; ".join([f"{driver}: passes {passed} of {len(workloads)}",
                                *(f"{what}: {', '.join(names)}" for what, names in by.items())]))
    return "".join(f"{line}\n" for line in lines)


def progress(outcome: Outcome) -> str:
    names = ", ".join(rule.rule for rule in outcome.failed())
    return (f"{outcome.workload}, {outcome.driver}: {SHOWN[outcome.verdict]}"
            f"{f' {names}' if names else ''} ({outcome.seconds:.0f} s)")


def as_json(outcomes: Sequence[Outcome]) -> str:
    return json.dumps({"schema": SCHEMA, "outcomes": [
        {**outcome._asdict(), "rules": [rule._asdict() for rule in outcome.rules]}
        for outcome in outcomes]}, indent=1) + "\n"
