# SPDX-License-Identifier: GPL-2.0-only
"""optee-load's account of what its clients did: the truth of a run."""

import json
from collections import defaultdict
from pathlib import Path
from typing import Mapping, NamedTuple, Optional, Sequence

OPS = {"open": "open", "invoke": "invoke", "close": "close",
       "register": "shm_register", "release": "shm_unregister"}


class Call(NamedTuple):
    """One libteec call, which is one call of the driver."""

    client: str
    pid: int
    tid: int
    op: str  # as optee-top names it
    ordinal: Optional[int]  # the client's number of the session, None: it has none
    session: Optional[int]  # the TEE's id of it, used again after a close
    uuid: str
    start: int
    end: Optional[int]  # None: in flight when the account was written
    failed: bool
    kernel: bool  # made by a client in the kernel


Key = tuple[int, int]  # pid, ordinal


class Account(NamedTuple):
    calls: Sequence[Call]

    def sessions(self) -> Mapping[Key, Sequence[Call]]:
        """The calls of each session, the session opened first first."""
        found: dict[Key, list[Call]] = defaultdict(list)
        for call in sorted(self.calls, key=lambda c: c.start):
            if call.ordinal is not None:
                found[call.pid, call.ordinal].append(call)
        return found

    def by_thread(self) -> Mapping[int, Sequence[Call]]:
        found: dict[int, list[Call]] = defaultdict(list)
        for call in self.calls:
            found[call.tid].append(call)
        return {tid: sorted(calls, key=lambda c: c.start) for tid, calls in found.items()}


def load(path: Path) -> Account:
    calls = []
    for line in path.read_text().splitlines():
        o = json.loads(line)
        if o["type"] != "call":
            continue
        calls.append(Call(o["client"], o["pid"], o["tid"], OPS[o["op"]], o["session"],
                          o["session_id"], o["uuid"], o["start_ns"], o["end_ns"], bool(o["result"]),
                          o.get("kernel", False)))
    return Account(calls)
