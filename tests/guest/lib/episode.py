# SPDX-License-Identifier: GPL-2.0-only
"""Episodes of the queue's conditions: made from a condition's states, and compared."""

from collections import Counter
from typing import NamedTuple, Optional, Sequence

from .registry import Findings


class Episode(NamedTuple):
    """A condition that lasted; at the most it was `peak`."""

    condition: str
    begin_ns: int
    end_ns: Optional[int]  # None: it lasts at the end of the trace
    peak: int
    tids: frozenset[int]   # all that ever took part
    culprit: Optional[int] = None  # stranded: the thread that swallowed the wake

    @property
    def duration_ns(self) -> Optional[int]:
        return None if self.end_ns is None else self.end_ns - self.begin_ns

    def __str__(self) -> str:
        lasts = "to the end" if self.end_ns is None else f"{(self.duration_ns or 0) / 1e6:.3f} ms"
        return (f"{self.condition} at {self.begin_ns / 1e9:.6f} s for {lasts}, peak {self.peak}, "
                f"threads {sorted(self.tids)}"
                + (f", by {self.culprit}" if self.culprit is not None else ""))


class Tracker:
    """Makes episodes of a condition's states."""

    def __init__(self) -> None:
        self.done: list[Episode] = []
        self.instants: Counter[str] = Counter()  # that are none, or too short for a trace
        self.instant_peaks: Counter[str] = Counter()
        self._open: dict[str, Episode] = {}

    def update(self, condition: str, at: int, holds: bool, peak: int, tids: set[int],
               culprit: Optional[int] = None) -> None:
        now = self._open.get(condition)
        if holds:
            now = now or Episode(condition, at, None, 0, frozenset(), culprit)
            self._open[condition] = now._replace(peak=max(now.peak, peak), tids=now.tids | tids)
        elif now:
            del self._open[condition]
            if at > now.begin_ns:
                self.done.append(now._replace(end_ns=at))
            else:
                self.instant(condition, now.peak)

    def instant(self, condition: str, peak: int) -> None:
        self.instants[condition] += 1
        self.instant_peaks[condition] = max(peak, self.instant_peaks[condition])

    def lasts(self, condition: str) -> bool:
        return condition in self._open

    def finish(self) -> None:
        self.done = sorted([*self.done, *self._open.values()], key=lambda e: e.begin_ns)
        self._open.clear()


def _near(one: Optional[int], other: Optional[int], tolerance_ns: float) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) <= tolerance_ns


def match(findings: Findings, expected: Sequence[Episode], reported: Sequence[Episode],
          tolerance_ns: float = 5e6, shorter_than_ns: float = 0,
          unsure_ns: Optional[float] = None) -> list[tuple[Episode, Episode]]:
    """Find each expected episode among the reported, and each reported among the expected:
    begins and durations within the tolerance, peaks equal, culprits too where both have
    one. What is shorter than the limit, or so near it (unsure_ns, or the tolerance) that the
    other side may take it for shorter, need not have a counterpart. The pairs found are
    returned."""
    least = shorter_than_ns
    if least:
        least += tolerance_ns if unsure_ns is None else unsure_ns

    def counts(episode: Episode) -> bool:
        duration = episode.duration_ns
        return duration is None or duration >= least

    def begins(want: Episode, have: Episode) -> bool:
        return abs(have.begin_ns - want.begin_ns) <= tolerance_ns

    def differs(want: Episode, have: Episode) -> list[str]:
        same = _near(want.duration_ns, have.duration_ns, tolerance_ns)
        wrong = [] if same else ["duration"]
        wrong += [] if want.peak == have.peak else ["peak"]
        known = want.culprit is not None and have.culprit is not None
        return wrong + (["culprit"] if known and want.culprit != have.culprit else [])

    pairs = []
    left = list(reported)
    # Those that have to be found choose first, so that no short one takes their place.
    for want in sorted(expected, key=lambda e: (not counts(e), e.begin_ns)):
        near = [have for have in left if have.condition == want.condition
                and begins(want, have)]
        best = min(near, key=lambda have: (len(differs(want, have)),
                                           abs(have.begin_ns - want.begin_ns)), default=None)
        if best is None:
            if counts(want):
                findings.add(f"not reported: {want}")
        elif not differs(want, best):
            left.remove(best)
            pairs.append((want, best))
        elif counts(want) or counts(best):
            left.remove(best)
            findings.add(f"another {', '.join(differs(want, best))}: {want}; reported: {best}")
    for have in left:
        if counts(have):
            findings.add(f"reported, but never happened: {have}")
    return pairs
