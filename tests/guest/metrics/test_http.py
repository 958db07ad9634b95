# SPDX-License-Identifier: GPL-2.0-only
"""The HTTP server, outside of a guest: a real Prometheus scrapes it while others do their
worst. Needs no guest."""

import contextlib
import random
import socket
import struct
import subprocess
import threading
import time
from pathlib import Path
from typing import Callable, Iterator, Mapping, NamedTuple, Sequence

from ..lib import dashboard, exposition, native, service

from . import test_metrics
from ..lib.registry import Context, Findings, test

WORST = 10_000
THREADS = 4
OPENMETRICS = "application/openmetrics-text;version=1.0.0"
MOST_RESIDENT = 8 << 20
HEAD = b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n"


class Served(NamedTuple):
    pid: int
    port: int

    def ask(self, accept: str = "*/*") -> str:
        status, body = service.http(f"http://{service.HOST}:{self.port}/metrics",
                                    headers={"Accept": accept})
        if status != 200:
            raise ValueError(f"status {status}: {body[:300]!r}")
        return body.decode()

    def open(self) -> socket.socket:
        return socket.create_connection((service.HOST, self.port), timeout=30)

    def peak_resident(self) -> int:
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(status.split("VmHWM:")[1].split()[0]) << 10


@contextlib.contextmanager
def served(case: str) -> Iterator[Served]:
    with subprocess.Popen([native.maker("metrics-served"), case], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin and process.stdout
        yield Served(process.pid, int(process.stdout.readline()))
        process.stdin.close()
        if process.wait(30):
            raise ValueError(f"the server ended with status {process.returncode}")


def quietly(one: socket.socket, data: bytes) -> None:
    """The server may have had enough."""
    with contextlib.suppress(OSError):
        one.sendall(data)


def noise(one: socket.socket, dice: random.Random) -> None:
    quietly(one, dice.randbytes(dice.randrange(1, 6000)))


def spoiled(one: socket.socket, dice: random.Random) -> None:
    text = bytearray(HEAD + b"Accept: text/plain;q=0.5,*/*;q=0.1\r\nConnection: close\r\n\r\n")
    for _ in range(dice.randrange(1, 6)):
        text[dice.randrange(len(text))] = dice.randrange(256)
    quietly(one, bytes(text))


def endless(one: socket.socket, dice: random.Random) -> None:
    quietly(one, HEAD + b"X: " + b"x" * dice.randrange(100, 400_000))


def half(one: socket.socket, dice: random.Random) -> None:
    quietly(one, HEAD[:dice.randrange(len(HEAD))])


def unread(one: socket.socket, dice: random.Random) -> None:
    quietly(one, HEAD + b"\r\n")


def many(one: socket.socket, dice: random.Random) -> None:
    quietly(one, (HEAD + b"\r\n") * dice.randrange(2, 50))


def body(one: socket.socket, dice: random.Random) -> None:
    quietly(one, b"POST /metrics HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n"
            + bytes(dice.randrange(1000)))


def reset(one: socket.socket, dice: random.Random) -> None:
    quietly(one, HEAD + b"\r\n"[:dice.randrange(3)])
    one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


WAYS: Sequence[Callable[[socket.socket, random.Random], None]] = \
    noise, spoiled, endless, half, unread, many, body, reset


def do_worst(server: Served, seed: int, errors: list[str]) -> None:
    """Some of the connections stay, as if their client had forgotten them."""
    dice = random.Random(seed)
    kept: list[socket.socket] = []
    try:
        for _ in range(WORST // THREADS):
            one = server.open()
            dice.choice(WAYS)(one, dice)
            kept.append(one)
            if len(kept) > 40 or dice.randrange(3):
                kept.pop(dice.randrange(len(kept))).close()
    except Exception as error:  # of a thread: it has to be told
        errors.append(f"seed {seed}: {error!r}")
    finally:
        for one in kept:
            one.close()


def prometheus_of(context: Context, server: Served, seconds: int) -> service.Service:
    return service.prometheus(context.dir, {
        "global": {"scrape_interval": f"{seconds}s", "scrape_timeout": f"{seconds}s"},
        "scrape_configs": [{"job_name": "optee", "static_configs": [
            {"targets": [f"{service.HOST}:{server.port}"]}]}]})


def wait_for_scrapes(prometheus: service.Service, count: int) -> float:
    """The scrapes there were."""
    end = time.monotonic() + 90
    while True:
        found = prometheus.query("count_over_time(up[1h])")
        scrapes = float(found[0]["value"][1]) if found else 0
        if scrapes >= count or time.monotonic() > end:
            return scrapes
        time.sleep(0.5)


def stored(prometheus: service.Service) -> Mapping[exposition.Key, float]:
    """What Prometheus has of optee, without the labels that are its own."""
    found = {}
    for series in prometheus.query('{__name__=~"optee_.*"}'):
        labels = dict(series["metric"])
        for own in "instance", "job":
            labels.pop(own)
        found[exposition.key(labels.pop("__name__"), labels)] = float(series["value"][1])
    return found


def le_as_float(samples: Mapping[exposition.Key, float]) -> Mapping[exposition.Key, float]:
    return {exposition.key(name, {k: str(float(v)) if k == "le" else v for k, v in labels}): value
            for (name, labels), value in samples.items()}


def check_stored(findings: Findings, prometheus: service.Service, server: Served) -> None:
    """Every sample of the page is there, with its value, and no other."""
    want = le_as_float(exposition.read_openmetrics(server.ask(OPENMETRICS)).samples)
    have = le_as_float(stored(prometheus))
    findings.true(f"{len(want)} samples are too few", len(want) > 500)
    for sample in sorted(want.keys() | have.keys()):
        if not sample[0].startswith("optee_top_http"):
            findings.equal(f"{sample} in Prometheus", have.get(sample), want.get(sample))


def all_do_worst(findings: Findings, server: Served, first_seed: int) -> None:
    errors: list[str] = []
    threads = [threading.Thread(target=do_worst, args=(server, first_seed + n, errors))
               for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    findings.equal("errors of those who do their worst", errors, [])


def check_worst(findings: Findings, prometheus: service.Service, server: Served) -> None:
    before, rounds = wait_for_scrapes(prometheus, 1), 0
    while rounds < 20 and (not rounds or wait_for_scrapes(prometheus, 1) < before + 3):
        all_do_worst(findings, server, rounds * THREADS)
        rounds += 1
    failed = prometheus.query("count_over_time(up[1h]) - sum_over_time(up[1h])")
    findings.equal("scrapes that failed", [float(f["value"][1]) for f in failed], [0])
    read = exposition.read_classic(server.ask())
    cut = read.get("optee_top_http_cut_total") or 0
    bad = sum(v for (name, labels), v in read.samples.items()
              if name == "optee_top_http_responses_total" and ("code", "200") not in labels)
    findings.true(f"{bad} bad requests and {cut} cut off are no test", bad > WORST / 4 and cut > 99)
    findings.true(f"{server.peak_resident()} bytes were resident at once",
                  server.peak_resident() < MOST_RESIDENT)


def check_dashboard(findings: Findings, prometheus: service.Service) -> None:
    """Prometheus runs each query; those that show only what is wrong may have no answer."""
    for panel, expr in dashboard.queries():
        found = prometheus.query(expr)
        findings.true(f"panel '{panel}' shows nothing: {expr}",
                      bool(found) or expr.endswith(" > 0"))


@test()
def http_scraped(context: Context) -> None:
    """Prometheus' values are the page's, with names that are hard to write."""
    findings = Findings()
    context.dir.mkdir(parents=True, exist_ok=True)
    with served("all") as server:
        with service.running(prometheus_of(context, server, 1)) as prometheus:
            wait_for_scrapes(prometheus, 3)
            check_stored(findings, prometheus, server)
            check_dashboard(findings, prometheus)
    findings.done()


@test(long=True)
def http_worst(context: Context) -> None:
    """No scrape of the largest page fails while 10,000 requests are hostile."""
    findings = Findings()
    context.dir.mkdir(parents=True, exist_ok=True)
    with served("much") as server:
        with service.running(prometheus_of(context, server, 3)) as prometheus:
            check_worst(findings, prometheus, server)
            check_stored(findings, prometheus, server)
    findings.done()


@test()
def textfile_collected(context: Context) -> None:
    """node_exporter reads each classic exposition as it is, and has all of it."""
    findings = Findings()
    textfiles = context.dir / "textfiles"
    textfiles.mkdir(parents=True, exist_ok=True)
    with service.running(service.node_exporter(context.dir, textfiles)) as node:
        for case in test_metrics.CASES:
            text = test_metrics.made("classic", case)
            (textfiles / "optee.prom").write_text(text)
            have = exposition.read_classic(node.get("/metrics").decode())
            findings.equal(f"error of '{case}'", have.get("node_textfile_scrape_error"), 0)
            optee = {k: v for k, v in have.samples.items() if k[0].startswith("optee_")}
            findings.equal(f"samples of '{case}'", len(optee),
                           len(exposition.read_classic(text).samples))
            findings.true(f"values of '{case}'", le_as_float(optee) == le_as_float(
                exposition.read_classic(text).samples))
    findings.done()
