# SPDX-License-Identifier: GPL-2.0-only
"""The services that other tests compare with do what those tests rely on: they keep what
they were given over kill -9, and node_exporter's textfiles arrive in Prometheus."""

import time
from pathlib import Path

from ..lib import service
from ..lib.registry import Context, Findings, test

SCRAPE_SECONDS = 1


def wait_for_value(of: service.Service, expr: str, want: float) -> list[float]:
    """The values of the expression's series, once they are as wanted or a minute is over."""
    end = time.monotonic() + 60
    while True:
        have = [float(s["value"][1]) for s in of.query(expr)]
        if have == [want] or time.monotonic() > end:
            return have
        time.sleep(0.2)


def through_prometheus(findings: Findings, work: Path) -> None:
    textfiles = work / "textfiles"
    textfiles.mkdir()
    (textfiles / "made.prom").write_text("made_total 5\n")
    with service.running(service.node_exporter(work, textfiles)) as node:
        config = {"global": {"scrape_interval": f"{SCRAPE_SECONDS}s"},
                  "scrape_configs": [{"job_name": "node", "static_configs": [
                      {"targets": [f"{service.HOST}:{node.port}"]}]}]}
        with service.running(service.prometheus(work, config)) as prometheus:
            findings.equal("made_total", wait_for_value(prometheus, "made_total", 5), [5])
            prometheus.kill()
            prometheus.start()
            (textfiles / "made.prom").write_text("made_total 7\n")
            findings.equal("made_total later", wait_for_value(prometheus, "made_total", 7), [7])
            findings.equal("made_total before the kill",
                           wait_for_value(prometheus, "min_over_time(made_total[1h])", 5), [5])


def through_vmagent(findings: Findings, work: Path) -> None:
    """What the agent took while the storage was down is not lost when both are killed."""
    storage = service.victoria(work)
    with service.running(storage):
        agent = service.vmagent(work, storage.url)
        with service.running(agent):
            storage.kill()
            at = time.time() - 60
            status, _ = service.http(
                f"{agent.url}/api/v1/import/prometheus?extra_label=device=d1",
                f"made_total 3 {int(at * 1000)}\n".encode())
            findings.equal("the status of an import", status, 204)
            agent.stop()
            agent.start()
            storage.start()
            have = wait_for_value(storage, f'last_over_time(made_total{{device="d1"}}[1h])', 3)
            findings.equal("made_total of d1", have, [3])


@test()
def services(context: Context) -> None:
    findings = Findings()
    context.dir.mkdir(parents=True)
    through_prometheus(findings, context.dir)
    through_vmagent(findings, context.dir)
    findings.done()
