# SPDX-License-Identifier: GPL-2.0-only
"""A timeline for Perfetto, read back: tracks with their slices, flows and counters.

The decoder is protobuf's own. What Perfetto demands of a trace is checked on the way:
numbers of names that are known, tracks that are described before they are drawn on,
slices of a track that nest."""

import importlib.util
import subprocess
from collections import defaultdict
from pathlib import Path
from types import ModuleType
from typing import Any, Mapping, NamedTuple, Optional, Sequence

from .registry import fail

PROTO = Path(__file__).with_name("timeline.proto")
MONOTONIC, REALTIME = 3, 1
CLEARED, NEEDS_STATE = 1, 2
BEGIN, END, COUNTER = 1, 2, 4
TABLES = ("categories", "names", "note_names", "note_texts")


class Slice(NamedTuple):
    """Of a track; depth 0 is the outermost."""

    start: int
    end: Optional[int]  # None: it lasts
    name: str
    category: str
    notes: Mapping[str, Any]  # of its begin and of its end
    flows_out: Sequence[int]
    flows_in: Sequence[int]
    depth: int


class Track(NamedTuple):
    name: str
    parent: Optional[str]  # its name
    rank: int
    slices: Sequence[Slice]
    counts: Sequence[tuple[int, int]]  # time, value


class Timeline(NamedTuple):
    tracks: Mapping[int, Track]
    clocks: Sequence[tuple[int, int]]  # monotonic, real
    clears: int  # how often the numbers of names began anew

    def named(self, prefix: str) -> Sequence[Track]:
        return [t for t in self.tracks.values() if t.name.startswith(prefix)]

    def below(self, parent: str) -> Sequence[Track]:
        return [t for t in self.tracks.values() if t.parent == parent]


def _decoder(into: Path) -> ModuleType:
    into.mkdir(parents=True, exist_ok=True)
    subprocess.run(["protoc", f"--proto_path={PROTO.parent}", f"--python_out={into}", PROTO.name],
                   check=True)
    name = f"{PROTO.stem}_pb2"
    spec = importlib.util.spec_from_file_location(name, into / f"{name}.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _no_unknown(raw: bytes, into: Path) -> None:
    """protoc shows a field that the .proto does not have by its number."""
    shown = subprocess.run(["protoc", f"--proto_path={PROTO.parent}", "--decode=Trace", PROTO.name],
                           input=raw, stdout=subprocess.PIPE, check=True).stdout
    (into / "timeline.txt").write_bytes(shown)
    for line in shown.split(b"\n"):
        if line.lstrip()[:1].isdigit():
            fail(f"the timeline has a field that is unknown: {line.decode()}")


class _Reader:
    """Packets one after the other, as a reader of the format has to take them."""

    def __init__(self) -> None:
        self.texts: dict[str, dict[int, str]] = {t: {} for t in TABLES}
        self.clears = 0
        self.clock: Optional[int] = None
        self.described: dict[int, Any] = {}
        self.clocks: list[tuple[int, int]] = []
        # By track: time, place in the file, event, its notes
        self.events: dict[int, list[tuple[int, int, Any, Any]]] = defaultdict(list)

    def packet(self, n: int, p: Any) -> None:
        if p.sequence != 1:
            fail(f"packet {n} is of sequence {p.sequence}")
        if p.flags & CLEARED:
            self.texts = {t: {} for t in TABLES}
            self.clears += 1
            self.clock = p.defaults.clock_id
        if p.HasField("clock_snapshot"):
            at = {c.id: c.ns for c in p.clock_snapshot.clocks}
            if p.clock_snapshot.primary != MONOTONIC:
                fail(f"packet {n}: the clock of the trace is {p.clock_snapshot.primary}")
            self.clocks.append((at[MONOTONIC], at[REALTIME]))
        for table in TABLES:
            for entry in getattr(p.interned, table):
                if self.texts[table].setdefault(entry.iid, entry.text) != entry.text:
                    fail(f"packet {n}: {table} has another text under {entry.iid}")
        if p.HasField("track"):
            self.describe(n, p.track)
        if p.HasField("event"):
            self.event(n, p)

    def describe(self, n: int, track: Any) -> None:
        if track.HasField("parent") and track.parent not in self.described:
            fail(f"packet {n}: track '{track.name}' has a parent that is not there yet")
        before = self.described.setdefault(track.uuid, track)
        if before != track:
            fail(f"packet {n}: track '{before.name}' is now another: '{track.name}'")

    def event(self, n: int, p: Any) -> None:
        if not p.flags & NEEDS_STATE or not self.clears:
            fail(f"packet {n} needs what came before, and does not say so")
        if self.clock != MONOTONIC:
            fail(f"packet {n} has times of clock {self.clock}")
        if p.event.track not in self.described:
            fail(f"packet {n} is on a track that is not there yet")
        self.events[p.event.track].append((p.timestamp, n, p.event, self.words(n, p.event)))

    def text(self, n: int, table: str, iid: int) -> str:
        if iid not in self.texts[table]:
            fail(f"packet {n}: {table} has no {iid}")
        return self.texts[table][iid]

    def words(self, n: int, event: Any) -> tuple[str, str, dict[str, Any]]:
        if event.type != BEGIN and (event.name_iid or event.category_iids):
            fail(f"packet {n}: only a begin has a name")
        notes = {}
        for note in event.notes:
            name = self.text(n, "note_names", note.name_iid)
            if name in notes:
                fail(f"packet {n} has '{name}' twice")
            if note.HasField("bool_value"):
                notes[name] = note.bool_value
            elif note.HasField("uint_value"):
                notes[name] = note.uint_value
            elif note.HasField("text"):
                notes[name] = note.text
            else:
                notes[name] = self.text(n, "note_texts", note.text_iid)
        if event.type != BEGIN:
            return "", "", notes
        return (self.text(n, "names", event.name_iid),
                ",".join(self.text(n, "categories", c) for c in event.category_iids), notes)

    def track(self, uuid: int) -> Track:
        track = self.described[uuid]
        slices: list[Slice] = []
        open_slices: list[Slice] = []
        counts = []
        for at, n, event, (name, category, notes) in sorted(self.events[uuid],
                                                            key=lambda e: e[:2]):
            if (event.type == COUNTER) != track.HasField("counter"):
                fail(f"packet {n}: '{track.name}' has an event of type {event.type}")
            if event.type == COUNTER:
                counts.append((at, event.counter_value))
            elif event.type == BEGIN:
                open_slices.append(Slice(at, None, name, category, notes, list(event.flows),
                                         list(event.flows_end), len(open_slices)))
            elif event.type == END and open_slices:
                last = open_slices.pop()
                slices.append(last._replace(end=at, notes={**last.notes, **notes}))
            else:
                fail(f"packet {n}: nothing on '{track.name}' has begun that could end at {at}")
        parent = self.described[track.parent].name if track.HasField("parent") else None
        return Track(track.name, parent, track.rank, slices + open_slices, counts)


def load(path: Path, into: Path) -> Timeline:
    raw = path.read_bytes()
    decoder = _decoder(into)
    _no_unknown(raw, into)
    reader = _Reader()
    for n, packet in enumerate(decoder.Trace.FromString(raw).packet):
        reader.packet(n, packet)
    return Timeline({uuid: reader.track(uuid) for uuid in reader.described}, reader.clocks,
                    reader.clears)
