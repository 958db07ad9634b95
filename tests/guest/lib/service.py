# SPDX-License-Identifier: GPL-2.0-only
"""Prometheus, node_exporter, VictoriaMetrics and vmagent as child processes of a test:
on 127.0.0.1, each with a free port and its data in the test's own directory."""

import contextlib
import json
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any, Callable, Iterator, Mapping, Optional, Sequence

from optee_vm import services

from .registry import Failed

HOST = "127.0.0.1"
READY_SECONDS = 120.0
STOP_SECONDS = 60.0
TRIES = 5  # somebody else may take the port that was free
Argv = Callable[["Service"], Sequence[str]]
# Straight there: a proxy that the environment names is none of ours.
_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def free_port() -> int:
    with socket.socket() as one:
        one.bind((HOST, 0))
        return int(one.getsockname()[1])


def http(url: str, body: Optional[bytes] = None, headers: Mapping[str, str] = {},
         seconds: float = 60) -> tuple[int, bytes]:
    """The status and the body of the answer; an OSError when there is none."""
    request = urllib.request.Request(url, body, dict(headers))
    try:
        with _opener.open(request, timeout=seconds) as answer:
            return answer.status, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.read()


class Service:
    """One program; it keeps its port and its data when it is started again."""

    def __init__(self, name: str, work: Path, ready: str, argv: Argv) -> None:
        self.name = name
        self.dir = work / name
        self.dir.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self._ready = ready
        self._argv = argv
        self._process: Optional["subprocess.Popen[bytes]"] = None

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def log(self) -> Path:
        return self.dir.with_suffix(".log")

    def _launch(self) -> None:
        program = str(services.program(self.name))
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", program, *self._argv(self)],
                cwd=self.dir, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def _is_ready(self) -> bool:
        try:
            return http(self.url + self._ready, seconds=10)[0] == 200
        except OSError:
            return False

    def _comes_up(self) -> bool:
        """Is it ready, and not ended?"""
        assert self._process
        end = time.monotonic() + READY_SECONDS
        while self._process.poll() is None:
            if self._is_ready():
                return True
            if time.monotonic() > end:
                self.kill()
                raise Failed(f"{self.name} is not ready after {READY_SECONDS:.0f} s\n"
                             + self.tail())
            time.sleep(0.1)
        return False

    def start(self) -> None:
        """Start it, the first time on any port that is free; return when it answers."""
        first = self._process is None
        for _ in range(TRIES if first else 1):
            self._launch()
            if self._comes_up():
                return
            if first:
                self.port = free_port()
        raise Failed(f"{self.name} ends at once\n" + self.tail())

    def _end(self, number: signal.Signals) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(number)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            raise Failed(f"{self.name} does not end on {number.name}\n" + self.tail()) from None

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def tail(self) -> str:
        return self.log.read_text(errors="replace")[-2000:] if self.log.exists() else ""

    def get(self, path: str, **query: str) -> bytes:
        status, body = http(f"{self.url}{path}?{urllib.parse.urlencode(query)}")
        if status != 200:
            raise Failed(f"{self.name} answers {path} {query} with {status}: "
                         f"{body[:500].decode(errors='replace')}")
        return body

    def api(self, path: str, **query: str) -> Any:
        """The data of an answer of Prometheus's HTTP API, which VictoriaMetrics has, too."""
        answer = json.loads(self.get(path, **query))
        if answer["status"] != "success":
            raise Failed(f"{self.name} answers {path} {query} with {answer}")
        return answer["data"]

    def query(self, expr: str, at: Optional[float] = None) -> list[Any]:
        """What an expression is at a time; without one, now."""
        when = {} if at is None else {"time": f"{at:.3f}"}
        return list(self.api("/api/v1/query", query=expr, **when)["result"])


@contextlib.contextmanager
def running(service: Service) -> Iterator[Service]:
    """It is started, and gone when this is left."""
    try:
        service.start()
        yield service
    finally:
        service.kill()


def prometheus(work: Path, config: Mapping[str, Any], *options: str) -> Service:
    """A Prometheus with this configuration (JSON is YAML)."""
    made = Service("prometheus", work, "/-/ready", lambda s: (
        f"--config.file={s.dir / 'prometheus.yml'}", f"--storage.tsdb.path={s.dir / 'data'}",
        f"--web.listen-address={HOST}:{s.port}", "--web.enable-lifecycle", *options))
    (made.dir / "prometheus.yml").write_text(json.dumps(config, indent=1))
    return made


def node_exporter(work: Path, textfiles: Path) -> Service:
    """A node_exporter of the textfiles alone."""
    return Service("prometheus-node-exporter", work, "/metrics", lambda s: (
        "--collector.disable-defaults", "--collector.textfile",
        f"--collector.textfile.directory={textfiles}",
        f"--web.listen-address={HOST}:{s.port}"))


def victoria(work: Path, *options: str) -> Service:
    """A VictoriaMetrics of one node; small, for the memory that it takes by itself is half
    of the machine's."""
    return Service("victoria-metrics", work, "/health", lambda s: (
        f"-storageDataPath={s.dir / 'data'}", f"-httpListenAddr={HOST}:{s.port}",
        "-retentionPeriod=1y", "-memory.allowedBytes=512MB", *options))


def vmagent(work: Path, storage: str, *options: str) -> Service:
    """A vmagent that passes on to a storage what it is given, and keeps it until then."""
    return Service("vmagent", work, "/health", lambda s: (
        f"-remoteWrite.url={storage}/api/v1/write",
        f"-remoteWrite.tmpDataPath={s.dir / 'data'}", f"-httpListenAddr={HOST}:{s.port}",
        "-memory.allowedBytes=256MB", *options))
