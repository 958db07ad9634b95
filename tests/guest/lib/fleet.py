# SPDX-License-Identifier: GPL-2.0-only
"""Devices that never were: their logs, their pushes, and what of them a storage has."""

import json
import os
import random
import re
import signal
import subprocess
import time
from pathlib import Path
from typing import Any, Iterator, Mapping, NamedTuple, Optional

from . import native, service, vm

PUSH = vm.ROOT / "scripts/optee-top-push"
MINUTE_MS = 60_000
TAS = ("os_test", 'ta-"busy"')
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')

Series = tuple[str, frozenset[tuple[str, str]]]  # name and labels
Samples = dict[Series, dict[int, float]]         # by time in ms


class Maker:
    """A fleet-made that does what it is told; a command is done when this returns."""

    def __init__(self, directory: Path, first: int, count: int, start: int) -> None:
        self.process = subprocess.Popen([native.maker("fleet-made"), directory,
                                         *map(str, (first, count, start))],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        bufsize=1)

    def do(self, command: str) -> int:
        """How many calls there were by then."""
        assert self.process.stdin and self.process.stdout
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline())

    def end(self) -> int:
        self.process.communicate()
        return self.process.returncode


class Device(NamedTuple):
    number: int
    work: Path  # of the fleet

    @property
    def name(self) -> str:
        return f"d{self.number:05}"

    @property
    def log(self) -> Path:
        return self.work / "logs" / self.name

    @property
    def state(self) -> Path:
        return self.work / "state" / self.name

    @property
    def firmware(self) -> str:
        return "2.0" if self.number % 2 else "1.0"  # fleet-made has them wait longer

    def push(self, url: str, *options: str, kill: Optional[random.Random] = None,
             log: str = "push.log", top: Optional[Path] = None) -> int:
        """The script's status; -9 when it was killed, with or without its children."""
        argv: list[str | Path] = [PUSH, "--log", self.log, "--state", self.state,
                                  "--label", f"device={self.name}",
                                  "--label", f"firmware={self.firmware}", *options, url]
        with open(self.work / log, "ab") as said:
            process = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=said, stderr=said, start_new_session=True,
                env={**os.environ, "OPTEE_TOP": str(top or native.TOP), "no_proxy": "*"})
            if kill is None:
                return process.wait(300)
            try:
                return process.wait(kill.random() * 0.12)
            except subprocess.TimeoutExpired:
                if kill.random() < 0.5:
                    os.killpg(process.pid, signal.SIGKILL)
                else:
                    process.kill()
                return process.wait(60)


def unescape(text: str) -> str:
    return re.sub(r"\\(.)", lambda m: "\n" if m[1] == "n" else m[1], text)


def parse(text: str, seen: dict[str, Series]) -> Samples:
    """Samples with times, as 'export --format prometheus' writes them; seen is a cache."""
    found: Samples = {}
    for line in text.splitlines():
        head, value, stamp = line.rsplit(" ", 2)
        series = seen.get(head)
        if series is None:
            name, _, labels = head.partition("{")
            series = seen[head] = name, frozenset((k, unescape(v))
                                                  for k, v in LABEL.findall(labels))
        found.setdefault(series, {})[int(stamp)] = float(value)
    return found


def log_lines(device: Device) -> list[dict[str, Any]]:
    """They are small: never rotated."""
    return [json.loads(line) for line in (device.log / "optee-top.jsonl").open()]


def stored(storage: service.Service, match: str) -> tuple[dict[str, Samples], int]:
    """Samples by device, and how many are there twice; labels of the agent are left out."""
    devices: dict[str, Samples] = {}
    twice = 0
    for line in storage.get("/api/v1/export", **{"match[]": match}).splitlines():
        row = json.loads(line)
        labels = row["metric"]
        name, device = labels.pop("__name__"), labels.pop("device")
        firmware = labels.pop("firmware", None)
        if firmware != Device(int(device[1:]), Path()).firmware:
            raise AssertionError(f"firmware of {device} is {firmware}")
        series = name, frozenset(labels.items())
        samples = dict(zip(row["timestamps"], map(float, row["values"])))
        twice += len(row["timestamps"]) - len(samples)
        devices.setdefault(device, {})[series] = samples
    return devices, twice


def metrics_of(of: service.Service) -> Iterator[tuple[str, float]]:
    for line in of.get("/metrics").decode().splitlines():
        if line and not line.startswith("#"):
            head, value = line.rsplit(" ", 1)
            yield head, float(value)


def metric(of: service.Service, pattern: str) -> float:
    return sum(value for head, value in metrics_of(of) if re.search(pattern, head))


def wait_until_passed_on(agent: service.Service) -> None:
    """Nothing waits, for a while: a block on its way is in no figure."""
    since = time.monotonic()
    end = since + 120
    while time.monotonic() < since + 3 and time.monotonic() < end:
        if metric(agent, "^vmagent_remotewrite_pending_"):
            since = time.monotonic()
        time.sleep(0.3)


def quantile(q: float, octaves: Mapping[int, int]) -> float:
    """As histogram_quantile() has it, in seconds, from [lower edge in ns, calls]."""
    total = sum(octaves.values())
    rank, below = q * total, 0
    for edge in sorted(octaves):
        if below + octaves[edge] >= rank and octaves[edge]:
            end = 2 * edge if edge else 1024
            return (edge + (end - edge) * (rank - below) / octaves[edge]) / 1e9
        below += octaves[edge]
    raise ValueError("no calls")
