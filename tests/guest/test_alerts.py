# SPDX-License-Identifier: GPL-2.0-only
"""Alert rules and dashboard: promtool tries each alert, and every metric they name is one
that is exported. Needs no guest."""

import re
import subprocess
from typing import Sequence

from metrics import dashboard
from optee_vm import services

from . import exposition, native, test_metrics, vm
from .registry import Context, Findings, test

RULES = vm.ROOT / "doc/alerts.yml"
CASES = vm.ROOT / "tests/metrics/alerts_test.yml"
RULE = re.compile(r"- alert: (\w+)\n +expr: '(.*)'\n")
CASE = re.compile(r"^  - name: (.*)\n((?:    .*\n)+)", re.M)
METRIC = re.compile(r"\boptee_\w+")


def promtool(*argv: object) -> tuple[int, str]:
    done = subprocess.run([services.program("promtool"), *map(str, argv)], text=True,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=300)
    return done.returncode, done.stdout


def exported() -> set[str]:
    text = test_metrics.made("classic", "all")
    return {name for name, _ in exposition.read_classic(text).samples}


def check_metrics(findings: Findings, what: str, exprs: Sequence[str]) -> None:
    for expr in exprs:
        named = METRIC.findall(expr)
        findings.true(f"{what} '{expr}' names no metric", bool(named))
        findings.equal(f"metrics of {what} '{expr}' that nobody exports",
                       sorted(set(named) - exported()), [])


@test()
def alerts(context: Context) -> None:
    """Each fires and does not, and the file says what the program's tables say."""
    findings = Findings()
    rules = RULE.findall(RULES.read_text("ascii"))
    findings.true(f"{len(rules)} rules are too few", len(rules) > 10)
    findings.equal("status of help alerts, and is doc/alerts.yml that",
                   native.run("help", "alerts"), native.Done(0, RULES.read_bytes(), ""))
    for argv in ("check", "rules", RULES), ("test", "rules", CASES):
        status, said = promtool(*argv)
        findings.true(f"promtool {argv[0]} {argv[1]}: {said}", status == 0)
    cases = dict(CASE.findall(CASES.read_text("ascii")))
    for alert, _ in rules:
        fires = f'alertname="{alert}"'
        findings.true(f"no case in which {alert} fires", fires in cases.get(f"{alert} fires", ""))
        findings.true(f"no case in which {alert} does not",
                      fires not in cases.get(f"{alert} does not", fires))
    check_metrics(findings, "alert", [expr for _, expr in rules])
    of_conditions = "".join(expr for _, expr in rules)
    for key in re.findall(r'condition="(\w+)"', test_metrics.made("classic", "all")):
        findings.true(f"no alert on {key}", f'condition="{key}"' in of_conditions)
    findings.done()


@test()
def dashboard_queries(context: Context) -> None:
    """Prometheus can read each of them, and they ask for what is exported."""
    findings = Findings()
    context.dir.mkdir(parents=True, exist_ok=True)
    queries = dashboard.queries()
    findings.true(f"{len(queries)} queries are too few", len(queries) > 30)
    check_metrics(findings, "query", [q.expr for q in queries])
    check_metrics(findings, "variable", dashboard.variable_metrics())
    file = context.dir / "queries.yml"
    file.write_text("groups:\n  - name: dashboard\n    rules:\n" + "".join(
        f"      - record: query_{n}\n        expr: '{q.expr}'\n" for n, q in enumerate(queries)))
    status, said = promtool("check", "rules", file)
    findings.true(f"promtool says: {said}", status == 0)
    panels = dashboard.load()["panels"]
    ids = [panel["id"] for panel in panels]
    findings.equal("ids of panels", sorted(set(ids)), sorted(ids))
    for panel in panels:
        grid = panel["gridPos"]
        findings.true(f"panel '{panel['title']}' leaves the grid", grid["x"] + grid["w"] <= 24)
    findings.done()
