# SPDX-License-Identifier: GPL-2.0-only
"""Expositions of metrics, read by others: promtool, and Prometheus' own Python parsers."""

import subprocess
from typing import Callable, Iterator, Mapping, NamedTuple, Sequence

from optee_vm import services
from prometheus_client import parser as classic
from prometheus_client.metrics_core import Metric
from prometheus_client.openmetrics import parser as openmetrics

Key = tuple[str, tuple[tuple[str, str], ...]]  # name and labels of a sample


class Exposition(NamedTuple):
    families: Sequence[Metric]
    samples: Mapping[Key, float]

    def get(self, name: str, **labels: str) -> float | None:
        return self.samples.get((name, tuple(sorted(labels.items()))))


def key(name: str, labels: Mapping[str, str]) -> Key:
    return name, tuple(sorted(labels.items()))


_Parser = Callable[[str], Iterator[Metric]]
_classic: _Parser = classic.text_string_to_metric_families
_openmetrics: _Parser = openmetrics.text_string_to_metric_families


def _read(families: Sequence[Metric]) -> Exposition:
    """Each series may be there once only."""
    samples: dict[Key, float] = {}
    for family in families:
        for sample in family.samples:
            found = key(sample.name, sample.labels)
            if found in samples:
                raise ValueError(f"{found} is there twice")
            samples[found] = float(sample.value)
    return Exposition(families, samples)


def read_classic(text: str) -> Exposition:
    return _read(list(_classic(text)))


def read_openmetrics(text: str) -> Exposition:
    """By the strict parser: raises ValueError where it is against the standard."""
    return _read(list(_openmetrics(text)))


def promtool(text: str) -> Sequence[str]:
    """What promtool has to object to in the classic text."""
    done = subprocess.run([services.program("promtool"), "check", "metrics"], input=text,
                          capture_output=True, text=True, timeout=60)
    said = (done.stdout + done.stderr).splitlines()
    return said or [f"status {done.returncode}"] if done.returncode else said
