# SPDX-License-Identifier: GPL-2.0-only
"""optee-top's JSON lines, read as strictly as JSON can be, and what must hold in all."""

import json
from pathlib import Path
from typing import Any, Iterator, Mapping, NoReturn, Optional, Sequence

from .registry import Failed, Findings

Object = Mapping[str, Any]

# Figures that only grow, of a session and of a pool.
GROWING = ("calls", "failed", "waited", "limits", "limit_wait_ns", "wait_ns", "hold_ns",
           "secure_ns", "in_flight_peak", "wait_longest_ns", "hold_longest_ns",
           "in_use_peak", "waiting_peak")
MAY_BE_NEGATIVE = ("drift",)  # and must be 0


def _unique(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("an object has a key twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def parse(data: bytes) -> list[Object]:
    """One object a line, UTF-8, no NaN, no key twice, a newline at the end of each."""
    if data and not data.endswith(b"\n"):
        raise Failed(f"the last frame is torn: ...{data[-80:]!r}")
    frames = []
    for number, line in enumerate(data.split(b"\n")[:-1], 1):
        try:
            frames.append(json.loads(line.decode("utf-8"), object_pairs_hook=_unique,
                                     parse_constant=_no_constant))
        except ValueError as error:
            raise Failed(f"frame {number} is not strict JSON: {error}\n{line[:300]!r}") from None
    if not frames:
        raise Failed("optee-top printed no frame")
    return frames


def load(path: Path) -> list[Object]:
    return parse(path.read_bytes())


def final_sessions(frames: Sequence[Object]) -> list[Object]:
    """The last that is said of each session that has a number."""
    last = {s["serial"]: s for f in frames for s in f["sessions"] if s["serial"] is not None}
    return list(last.values())


def row(frame: Object, name: str) -> Optional[Object]:
    """The row of calls without a session, or of the sessions that found no row."""
    return next((s for s in frame["sessions"] if s["ta"] == name and s["serial"] is None), None)


def no_session(frame: Object) -> Object:
    found = row(frame, "(no session)")
    if found is None:
        raise Failed("a frame has no row for the calls without a session")
    return found


def numbers(value: Any, path: str = "") -> Iterator[tuple[str, float]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from numbers(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from numbers(inner, f"{path}[{i}]")
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield path, value


def _check_growth(findings: Findings, what: str, before: Object, now: Object) -> None:
    for key in GROWING:
        if key in now and before[key] is not None and (now[key] is None or now[key] < before[key]):
            findings.add(f"{what}: {key} shrank from {before[key]} to {now[key]}")


def _check_whole(findings: Findings, what: str, sums: Object) -> None:
    """No part is more than its whole."""
    for part, whole in (("failed", "calls"), ("waited", "calls"), ("limit_wait_ns", "wait_ns"),
                        ("secure_ns", "hold_ns"), ("wait_longest_ns", "wait_ns"),
                        ("hold_longest_ns", "hold_ns"), ("argument_waits", "calls"),
                        ("argument_longest_ns", "argument_ns")):
        if sums[part] is not None:  # an old recording has not all of them
            findings.true(f"{what}: {part} {sums[part]}, {whole} {sums[whole]}",
                          sums[part] <= sums[whole])


def _check_session(findings: Findings, what: str, row: Object) -> None:
    """It has all figures of every call that it counts."""
    calls = row["calls"]
    findings.equal(f"{what}: calls by class",
                   sum(sums["calls"] for sums in row["class_sums"].values()), calls)
    findings.equal(f"{what}: calls by command", sum(row["ops"].values()), calls)
    for histogram in ("wait", "hold", "secure"):
        findings.equal(f"{what}: calls in the {histogram} histogram",
                       sum(n for _, n in row[f"{histogram}_histogram"]), calls)
    for name, sums in row["class_sums"].items():
        _check_whole(findings, f"{what}, {name}", sums)
    by_kind = sum(kind["time_ns"] for kind in row["rpc_kinds"].values())
    findings.true(f"{what}: RPCs of {by_kind} ns, less than {row['hold_ns']} - {row['secure_ns']}",
                  by_kind >= row["hold_ns"] - row["secure_ns"])
    findings.true(f"{what}: {row['in_flight']} in flight, its peak is {row['in_flight_peak']}",
                  row["in_flight"] is None or row["in_flight"] <= row["in_flight_peak"])


def _check_pool(findings: Findings, what: str, pool: Object) -> None:
    for figure in ("in_use_normal", "in_use_system", "waiting_normal", "waiting_system"):
        findings.true(f"{what}: {figure} {pool[figure]}, its peak is {pool[figure + '_peak']}",
                      pool[figure] <= pool[figure + "_peak"])
    in_use = pool["in_use_normal"] + pool["in_use_system"]
    findings.true(f"{what}: in_rpc {pool['in_rpc']} of {in_use}", pool["in_rpc"] <= in_use)
    findings.true(f"{what}: exhausted {pool['exhausted_share_percent']} % of the time",
                  (pool["exhausted_share_percent"] or 0) <= 100)
    for name, sums in pool["class_sums"].items():
        _check_whole(findings, f"{what}, {name}", sums)
    for name, cond in pool["conditions"].items():
        if cond and cond["count"] is not None:
            findings.true(f"{what}: {name} {cond}", cond["lasting"] <= cond["count"]
                          and cond["longest_ns"] <= cond["time_ns"])


def check_sane(findings: Findings, frames: Sequence[Object],
               losses: Mapping[str, Optional[int]] = {}, merged: bool = False) -> None:
    """What holds in every frame: no drift, nothing below 0 or shrinking, no losses but these
    (None: any number), what include/snapshot.h promises of a snapshot, and no time between two
    frames that neither covers. Only a daemon's client may have merged some: it takes what came
    while it could not run as one frame."""
    known: dict[Any, Object] = {}
    for frame in frames:
        where = f"frame {frame['seq']}"
        for path, number in numbers(frame):
            if number < 0 and path.rsplit(".", 1)[1] not in MAY_BE_NEGATIVE:
                findings.add(f"{where}: {path} is {number}")
        for name, count in frame["losses"].items():
            if losses.get(name, 0) is not None:
                findings.equal(f"{where}: loss {name}", count, losses.get(name, 0))
        for pool in frame["pools"]:
            if pool["design"] == "none":
                continue  # Linux does not count threads
            # Not known while calls come and go too fast; it must be in the end.
            if pool["drift"] is not None or frame is frames[-1]:
                findings.equal(f"{where}: drift", pool["drift"], 0)
            findings.equal(f"{where}: count mismatches",
                           pool["conditions"]["count_mismatch"]["count"], 0)
            in_use = pool["in_use_normal"] + pool["in_use_system"]
            findings.equal(f"{where}: threads free and in use", pool["free"] + in_use,
                           pool["threads"])
        for kind in ("pools", "sessions"):
            for item in frame[kind]:
                key = kind, item["tee"], item.get("serial"), item.get("ta") if kind == "sessions" \
                    and item["serial"] is None else None
                if kind == "pools":
                    _check_pool(findings, f"{where}: {key}", item)
                else:
                    _check_session(findings, f"{where}: {key}", item)
                if key in known:
                    _check_growth(findings, f"{where}: {key}", known[key], item)
                known[key] = item
    for before, frame in zip(frames, frames[1:]):
        findings.true(f"frame {frame['seq']} does not begin where frame {before['seq']} ended",
                      frame["mono_ns"] - frame["interval_ns"] == before["mono_ns"])
    seqs = [frame["seq"] for frame in frames]
    findings.equal("the frames' seq", seqs, sorted(set(seqs)) if merged else
                   list(range(seqs[0], seqs[0] + len(seqs))))
