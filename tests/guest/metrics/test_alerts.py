# SPDX-License-Identifier: GPL-2.0-only
"""Alert rules and dashboard: promtool tries each alert, and every metric they name is one
that is exported. Needs no guest."""

import re
import subprocess
from typing import Iterator, Mapping, NamedTuple, Sequence

from ..lib import dashboard, exposition, native, vm
from optee_vm import services

from . import test_metrics
from ..lib.registry import Context, Findings, test

CASES = vm.ROOT / "tests/guest/metrics/alerts_test.yml"
RULE = re.compile(r"- alert: (\w+)\n +expr: '(.*)'\n +for: (\d+)([ms])\n +labels:\n"
                  r" +severity: (\w+)\n")
CASE = re.compile(r"^  - name: (.*)\n((?:    .*\n)+)", re.M)
METRIC = re.compile(r"\boptee_\w+")


class Alert(NamedTuple):
    """One of the program's rules."""

    name: str
    expr: str
    lasting_s: int  # it fires when it has been so for that long
    severity: str


# What an alert on a condition looks at: the time it lasted, how often it came, does it last now?
TIME, COUNT, NOW = (f"optee_condition_{name}" for name in
                    ("seconds_total", "episodes_total", "lasting"))
KEY = r'\{condition="(?P<key>\w+)"\}'
FIGURES: Mapping[str, str] = {
    "fills": rf"rate\({TIME}{KEY}\[5m\]\) > (?P<limit>[\d.]+)",
    "takes": rf"increase\({TIME}{KEY}\[5m\]\) > (?P<limit>[\d.]+)",
    "comes": rf"increase\({COUNT}{KEY}\[5m\]\) > (?P<limit>0) or "
             rf'{NOW}\{{condition="(?P=key)"\}} > 0',
    "lasts": rf"{NOW}{KEY} > (?P<limit>0)"}

# As decided, for each of them; a condition that is new need not be here.
DECIDED = {
    "overrun": ("fills", 0.5, 15 * 60, "info"),
    "harmful_overrun": ("takes", 1, 0, "warning"),
    "reserve_breach": ("takes", 1, 0, "warning"),
    "reserve_idle": ("fills", 0.1, 15 * 60, "info"),
    "exhausted": ("fills", 0.5, 10 * 60, "warning"),
    "stranded": ("takes", 0.1, 0, "warning"),
    "starved": ("comes", 0, 0, "warning"),
    "count_mismatch": ("comes", 0, 0, "warning"),
    "lost_wake": ("comes", 0, 0, "critical"),
    "deadlock": ("lasts", 0, 10, "critical"),
    "drift": ("lasts", 0, 10, "critical"),
    "session_leak": ("comes", 0, 0, "warning"),
    "supplicant_gone": ("lasts", 0, 10, "critical")}


class Watched(NamedTuple):
    """An alert on a condition."""

    alert: Alert
    key: str
    figure: str
    limit: float

    def case(self, what: str, values: Mapping[str, str], fires_at: Sequence[int] = (),
             silent_at: Sequence[int] = ()) -> str:
        """Samples 15 s apart, and the seconds at which it fires and at which nothing does."""
        labels = f'instance="d",tee="0",condition="{self.key}"'
        series = "".join(f"      - {{series: '{metric}{{{labels}}}', values: '{of_metric}'}}\n"
                         for metric, of_metric in values.items())
        fired = (f'ALERTS{{alertname="{self.alert.name}",alertstate="firing",'
                 f'severity="{self.alert.severity}",{labels}}}')
        tests = "".join(f"      - expr: ALERTS{{alertstate=\"firing\"}}\n        eval_time: {at}s\n"
                        + f"        exp_samples: [{{labels: '{fired}', value: 1}}]\n" * fires
                        for ats, fires in ((silent_at, False), (fires_at, True)) for at in ats)
        return (f"  - name: {self.alert.name} {what}\n    interval: 15s\n    input_series:\n"
                "      - {series: 'optee_up{instance=\"d\"}', values: '1+0x400'}\n"
                f"{series}    promql_expr_test:\n{tests}")

    def cases(self) -> Iterator[str]:
        """It fires just above its limit, when that has been so for long enough and no later
        than it is over, and not just below."""
        lasting = self.alert.lasting_s
        if self.figure == "fills":
            for what, share in ("fires", 1.2), ("does not", 0.93):
                late = [lasting + 7 * 60, lasting + 13 * 60]
                yield self.case(what, {TIME: f"0+{15 * self.limit * share:g}x400"},
                                late if share > 1 else (),
                                [lasting - 60] if share > 1 else late)
        elif self.figure == "takes":
            for what, share in ("fires", 1.1), ("does not", 0.9):
                values = {TIME: f"7+0x10 {7 + self.limit * share:g}+0x400"}
                during, after = lasting + 4 * 60, lasting + 9 * 60
                yield self.case(what, values, [during] if share > 1 else (),
                                [2 * 60, after] if share > 1 else [during, lasting + 6 * 60])
        elif self.figure == "comes":
            during, after = lasting + 4 * 60, lasting + 9 * 60
            yield self.case("fires", {COUNT: "5+0x10 6+0x400", NOW: "0+0x400"},
                            [during], [2 * 60, after])
            yield self.case("does not", {COUNT: "5+0x400", NOW: "0+0x400"}, (), [during, after])
            yield self.case("fires while it lasts", {COUNT: "5+0x400", NOW: "0+0x10 2+0x400"},
                            [lasting + 12 * 60], [2 * 60])
        else:
            most, short = lasting // 15 + 20, (lasting - 1) // 15
            yield self.case("fires", {NOW: f"0+0x10 1+0x{most} 0+0x400"}, [lasting + 4 * 60],
                            [2 * 60, lasting + 9 * 60])
            yield self.case("does not", {NOW: f"0+0x10 1+0x{short} 0+0x400"}, (),
                            [165 + 15 * n for n in range(short + 6)])


def watched(alert: Alert) -> Watched | None:
    """None: it is on no condition."""
    for figure, pattern in FIGURES.items():
        if found := re.fullmatch(pattern, alert.expr):
            return Watched(alert, found["key"], figure, float(found["limit"]))
    return None


def rules_of(text: str) -> list[Alert]:
    return [Alert(name, expr, int(number) * (60 if unit == "m" else 1), severity)
            for name, expr, number, unit, severity in RULE.findall(text)]


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
    """Each fires and does not, and there is one on each condition."""
    findings = Findings()
    context.dir.mkdir(parents=True, exist_ok=True)
    said = native.run("help", "alerts")
    findings.equal("status of help alerts", (said.status, said.err), (0, ""))
    (context.dir / "alerts.yml").write_bytes(said.out)
    rules = rules_of(said.out.decode("ascii"))
    findings.equal("rules that are read", len(rules), said.out.count(b"- alert: "))
    of_conditions = [found for found in map(watched, rules) if found]
    decided = {w.key: (w.figure, w.limit, w.alert.lasting_s, w.alert.severity)
               for w in of_conditions}
    findings.equal("what was decided", {key: decided.get(key) for key in DECIDED}, DECIDED)
    findings.equal("conditions with an alert, and all", [w.key for w in of_conditions], list(
        dict.fromkeys(re.findall(r'condition="(\w+)"', test_metrics.made("classic", "all")))))
    others = CASES.read_text("ascii")
    head = others[:others.index("  - name: ")]
    (context.dir / "others_test.yml").write_text(others)
    (context.dir / "conditions_test.yml").write_text(
        head + "".join(case for w in of_conditions for case in w.cases()))
    for argv in (("check", "rules", context.dir / "alerts.yml"),
                 ("test", "rules", context.dir / "conditions_test.yml"),
                 ("test", "rules", context.dir / "others_test.yml")):
        status, words = promtool(*argv)
        findings.true(f"promtool {argv[0]} {argv[2]}: {words}", status == 0)
    cases = dict(CASE.findall(others))
    for alert in rules:
        if not watched(alert):
            fires = f'alertname="{alert.name}"'
            findings.true(f"no case in which {alert.name} fires",
                          fires in cases.get(f"{alert.name} fires", ""))
            findings.true(f"no case in which {alert.name} does not",
                          fires not in cases.get(f"{alert.name} does not", fires))
    check_metrics(findings, "alert", [alert.expr for alert in rules])
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
