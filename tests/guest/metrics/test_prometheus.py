# SPDX-License-Identifier: GPL-2.0-only
"""A real Prometheus scrapes the daemon, and a real node_exporter that has its textfile: what
it stored is what the daemon counted and what the clients did, over restarts of all of them."""

import time
from collections import Counter
from pathlib import Path
from typing import Any, Mapping

from ..lib import account, dashboard, exposition, frames, native, service, talk, vm
from optee_vm import services

from ..lib.exposition import Key
from ..lib.registry import Context, Failed, Findings, test

METRICS, NODE = 9469, 9100
SCRAPE = 5.0
TAS = {"5b9e0e40-2636-11e1-ad9e-0002a5d5c51b": "os_test",
       "d96a5b40-c3e5-21e3-8794-1002a5d5c61b": "invoke-tests.pta"}
FIRST, LATER = 60, 12  # seconds of load

SCRIPT = rf"""
mkdir /tmp/textfiles && chmod 777 /tmp/textfiles
answers() {{ wget -qO- http://10.0.2.15:{METRICS}/metrics | grep -q '^optee_up 1'; }}
gone() {{ ! pidof optee-top >/dev/null; }} # its worker ends just after it
start() {{
	optee-top daemon --listen 10.0.2.15:{METRICS} --textfile /tmp/textfiles/optee-top.prom \
		--log /tmp/log 2>>/tmp/daemon.err &
	DAEMON=$!
	wait_for 60 answers
	kill -0 $DAEMON || die "the daemon has ended: $(cat /tmp/daemon.err)"
}}
end() {{ kill "$1" $DAEMON; wait $DAEMON; [ $? -eq "$2" ] && wait_for 20 gone; }}
node() {{
	prometheus-node-exporter --collector.disable-defaults --collector.textfile \
		--collector.textfile.directory=/tmp/textfiles \
		--web.listen-address=10.0.2.15:{NODE} 2>/tmp/node.err &
}}
# Three that want two threads, one whose calls fail, one that opens and closes.
load() {{ # NAME SECONDS
	optee-load -s "$2" -o /tmp/load.$1 'name=wait count=3 repeat=0 wait=5..80 gap=1..20' \
		'name=quick ta=invoke_tests threads=2 repeat=0 nop gap=5' \
		'name=bad ta=invoke_tests repeat=0 cmd=4242 gap=300' \
		'name=opener ta=invoke_tests sessions=0 repeat=0 open nop close gap=400' 2>/dev/null &
	LOAD=$!
}}
load_end() {{ wait $LOAD; :; }}
"""


def config(guest: talk.Talk, alerts: Path) -> Mapping[str, Any]:
    jobs = [{"job_name": name, "static_configs": [
        {"targets": [f"{service.HOST}:{guest.port(port)}"]}]}
        for name, port in (("daemon", METRICS), ("node", NODE))]
    return {"global": {"scrape_interval": f"{SCRAPE:g}s", "scrape_timeout": f"{SCRAPE:g}s",
                       "evaluation_interval": f"{SCRAPE:g}s"},
            "rule_files": [str(alerts)], "scrape_configs": jobs}


def series_key(metric: Mapping[str, str]) -> Key:
    """Without what Prometheus adds; a bucket's edge as a number."""
    labels = {k: v for k, v in metric.items() if k not in ("__name__", "job", "instance")}
    if "le" in labels:
        labels["le"] = repr(float(labels["le"]))
    return exposition.key(metric["__name__"], labels)


def same_keys(found: exposition.Exposition) -> dict[Key, float]:
    return {series_key({"__name__": name, **dict(labels)}): value
            for (name, labels), value in found.samples.items()}


class Watch:
    """The guest, and the Prometheus that scrapes it."""

    def __init__(self, guest: talk.Talk, prometheus: service.Service) -> None:
        self.guest = guest
        self.prometheus = prometheus

    def now(self) -> dict[Key, float]:
        return same_keys(exposition.read_classic(self.guest.do("optee-top metrics")))

    def scraped(self, job: str, after: float) -> float:
        """When it was scraped, once it was after that."""
        end = time.monotonic() + 90
        while time.monotonic() < end:
            for row in self.prometheus.query(f'timestamp(optee_up{{job="{job}"}})'):
                if float(row["value"][1]) > after:
                    return float(row["value"][1])
            time.sleep(0.3)
        raise Failed(f"{job} was not scraped in 90 s\n{self.guest.said()}")

    def written(self) -> float:
        found = self.prometheus.query('optee_top_textfile_writes_total{job="node"}')
        return float(found[0]["value"][1]) if found else -1

    def settle(self, job: str) -> float:
        """A time of which all that happened until now is stored."""
        if job == "node":
            first, end = self.written(), time.monotonic() + 120
            while not first + 2 <= self.written():
                if time.monotonic() > end:
                    raise Failed("the textfile is not written again")
                time.sleep(0.5)
        # A snapshot is at most a second old, one more for those who are slow.
        return self.scraped(job, time.time() + 2)

    def stored(self, job: str, at: float) -> dict[Key, float]:
        found = self.prometheus.query(f'{{job="{job}",__name__=~"optee_.*"}}', at)
        return {series_key(row["metric"]): float(row["value"][1]) for row in found}


def is_own(key: Key) -> bool:
    """Of the daemon itself, which no other command prints; or of OpenMetrics alone."""
    return key[0].startswith("optee_top_") or key[0].endswith("_created")


def check_stored(findings: Findings, watch: Watch, job: str) -> int:
    """Series by series; those that OP-TEE's own notifications move lie in between."""
    before = watch.now()
    stored = watch.stored(job, watch.settle(job))
    after = watch.now()
    findings.equal(f"{job}: series stored, or printed, alone",
                   sorted({k for k in stored if not is_own(k)} ^ set(before)), [])
    still = 0
    for key, low in before.items():
        have, high = stored.get(key, float("nan")), after.get(key, float("nan"))
        if low == high:
            still += 1
            findings.equal(f"{job}: {key}", have, low)
        else:
            findings.true(f"{job}: {key} is {have}, not from {low} to {high}", low <= have <= high)
    findings.true(f"{job}: {len(before) - still} of {len(before)} series moved",
                  still > 0.8 * len(before))
    findings.true(f"{job}: {len(before)} series", len(before) > 100)
    return len(before)


def by_ta(path: Path) -> Counter[str]:
    """The calls that the clients made, by the TA's name."""
    return Counter(TAS[c.uuid] for c in account.load(path).calls)


def check_account(findings: Findings, watch: Watch, truth: Counter[str], path: Path) -> None:
    values = watch.now()
    for ta, calls in truth.items():
        labels = {"tee": "0", "ta": ta, "class": "normal"}
        findings.equal(f"calls of {ta}", values.get(exposition.key("optee_calls_total", labels)),
                       calls)
    failed = sum(c.failed for c in account.load(path).calls)
    findings.equal("calls that failed", sum(
        v for (name, labels), v in values.items() if name == "optee_calls_failed_total"), failed)


def check_json(findings: Findings, watch: Watch) -> None:
    """The frames say the same as the metrics."""
    frame = frames.parse(watch.guest.do("optee-top --json -n 2 | tail -1").encode())[0]
    values = watch.now()
    (pool,) = frame["pools"]
    for name, condition in pool["conditions"].items():
        key = exposition.key("optee_condition_episodes_total", {"tee": "0", "condition": name})
        findings.equal(f"{name} as JSON and as metric", condition["count"], values.get(key))
    for loss, count in frame["losses"].items():
        findings.equal(f"loss {loss}", values.get(
            exposition.key("optee_lost_total", {"kind": loss})), count)
    findings.equal("threads", values.get(exposition.key("optee_threads", {"tee": "0"})),
                   pool["threads"])


def matrix(prometheus: service.Service, selector: str) -> list[Mapping[str, Any]]:
    return list(prometheus.query(f"{selector}[1h]"))


def check_epochs(findings: Findings, watch: Watch, truth: Counter[str], loads: int) -> None:
    """Of each epoch the last that was stored, together what all clients did."""
    (attached,) = matrix(watch.prometheus, 'optee_attached_timestamp_seconds{job="daemon"}')
    epoch = {when: begun for when, begun in attached["values"]}
    findings.equal("epochs", len(set(epoch.values())), loads)
    last: dict[tuple[str, str], float] = {}
    for row in matrix(watch.prometheus, 'optee_calls_total{job="daemon"}'):
        for when, value in row["values"]:
            key = row["metric"]["ta"], epoch[when]
            findings.true(f"{key} shrank", last.get(key, 0) <= float(value))
            last[key] = float(value)
    for ta, calls in truth.items():
        findings.equal(f"calls of {ta} over all epochs",
                       sum(v for (name, _), v in last.items() if name == ta), calls)


def check_texts(findings: Findings, port: int) -> None:
    """Both dialects as they come over HTTP."""
    url = f"http://{service.HOST}:{port}/metrics"
    status, plain = service.http(url)
    findings.equal("the status", status, 200)
    findings.equal("what promtool objects to", exposition.promtool(plain.decode()), [])
    status, strict = service.http(url, headers={
        "Accept": "application/openmetrics-text;version=1.0.0"})
    findings.true("OpenMetrics has no end", strict.endswith(b"# EOF\n"))
    exposition.read_openmetrics(strict.decode())


# Where there has to be something wrong before there is something to see.
MAY_BE_EMPTY = {"Lasting"}


def check_dashboard(findings: Findings, prometheus: service.Service, at: float) -> int:
    queries = dashboard.queries("30s")
    for panel, expr in queries:
        found = prometheus.query(expr, at)
        findings.true(f"panel '{panel}' has no data: {expr}", bool(found) or panel in MAY_BE_EMPTY)
    return len(queries)


def check_alerts(findings: Findings, prometheus: service.Service, alerts: Path) -> None:
    groups = prometheus.api("/api/v1/rules")["groups"]
    rules = [rule for group in groups for rule in group["rules"]]
    findings.equal("rules that do not work",
                   [(r["name"], r.get("lastError")) for r in rules if r["health"] != "ok"], [])
    want = [line.split("alert: ")[1] for line in alerts.read_text().splitlines()
            if "- alert: " in line]
    findings.equal("rules that are loaded", [r["name"] for r in rules], want)


def restart(findings: Findings, watch: Watch, how: str, status: int) -> None:
    ended, _ = watch.guest.ask(f"end {how} {status}")
    findings.equal(f"the daemon ends on {how} with {status}", ended, 0)
    watch.guest.do("start")


def run(findings: Findings, watch: Watch, work: Path) -> None:
    guest, prometheus = watch.guest, watch.prometheus
    truth: Counter[str] = Counter()

    def load(name: str, seconds: int) -> Path:
        guest.do(f"load {name} {seconds}")
        time.sleep(seconds / 2)
        (prometheus.stop if name == "one" else prometheus.kill)()
        prometheus.start()
        guest.do("load_end")
        path = guest.fetch(f"/tmp/load.{name}", work / f"load.{name}")
        truth.update(by_ta(path))
        return path

    path = load("one", FIRST)
    at = watch.scraped("daemon", time.time() - SCRAPE)
    check_account(findings, watch, truth, path)
    counts = [check_stored(findings, watch, job) for job in ("daemon", "node")]
    check_json(findings, watch)
    check_texts(findings, guest.port(METRICS))
    panels = check_dashboard(findings, prometheus, at)
    check_alerts(findings, prometheus, work / "alerts.yml")
    restart(findings, watch, "-TERM", 0)
    load("two", LATER)
    watch.settle("daemon")
    restart(findings, watch, "-KILL", 137)
    load("three", LATER)
    watch.settle("daemon")
    check_epochs(findings, watch, truth, 3)
    print(f"    {counts[0]} series by HTTP, {counts[1]} by node_exporter, {panels} queries, "
          f"{sum(truth.values())} calls in three epochs")


@test(long=True)
def prometheus(context: Context) -> None:
    node = services.guest_program("prometheus-node-exporter")
    findings = Findings()
    with talk.Talk(context, SCRIPT, "--forward", str(METRICS), "--forward", str(NODE),
                   "--put", f"{node}:/usr/bin/prometheus-node-exporter") as guest:
        guest.do("start")
        guest.do("node")
        alerts = context.dir / "alerts.yml"
        alerts.write_bytes(native.run("help", "alerts").out)
        made = service.prometheus(context.dir, config(guest, alerts))
        with service.running(made):
            watch = Watch(guest, made)
            run(findings, watch, context.dir)
    findings.done()
