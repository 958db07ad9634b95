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


def check_sane(findings: Findings, frames: Sequence[Object],
               losses: Mapping[str, Optional[int]] = {}) -> None:
    """What holds in every frame: no drift, nothing below 0 or shrinking, and no losses
    but these (None: any number)."""
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
                if key in known:
                    _check_growth(findings, f"{where}: {key}", known[key], item)
                known[key] = item
    seqs = [frame["seq"] for frame in frames]
    findings.equal("the frames' seq", seqs, list(range(seqs[0], seqs[0] + len(seqs))))
