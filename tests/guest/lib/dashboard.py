# SPDX-License-Identifier: GPL-2.0-only
"""The queries of doc/dashboard.json, as Grafana would send them: for tests that run them."""

import json
from pathlib import Path
from typing import Any, Iterator, Mapping, NamedTuple, Sequence

DASHBOARD = Path(__file__).resolve().parents[3] / "doc/dashboard.json"


class Query(NamedTuple):
    panel: str
    expr: str


def load() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(DASHBOARD.read_text("ascii"))
    return found


def _panels(panels: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Those of collapsed rows, too."""
    for panel in panels:
        yield panel
        yield from _panels(panel.get("panels", ()))


def raw_queries() -> Sequence[Query]:
    return [Query(panel["title"], target["expr"]) for panel in _panels(load()["panels"])
            for target in panel.get("targets", ())]


def fill(expr: str, interval: str) -> str:
    """Everything chosen, over so long."""
    for name, value in {"$__rate_interval": interval, "$__range": interval, "$instance": ".*",
                        "$tee": ".*", "$ta": ".*"}.items():
        expr = expr.replace(name, value)
    if "$" in expr:
        raise ValueError(f"nobody fills this in: {expr}")
    return expr


def queries(interval: str = "1m") -> Sequence[Query]:
    return [Query(q.panel, fill(q.expr, interval)) for q in raw_queries()]


def variable_metrics() -> Sequence[str]:
    """What the lists of the variables are made of."""
    return [v["definition"] for v in load()["templating"]["list"] if v["type"] == "query"]
