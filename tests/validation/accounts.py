# SPDX-License-Identifier: GPL-2.0-only
"""Does optee-top see what the clients of a workload did? A driver that sleeps where no hook
is, or that makes calls by other functions, passes rules that look at what was seen only.

Each client has written down when it made which call and when that returned. Counts have to
be equal. Of the time of a call optee-top knows the sleep in the queue, the hold of a thread, and
what its task waited for the argument cache: the rest is libteec, the way to the driver and back, and the turns of other tasks on
the one CPU. On the stock driver it is less than 1 ms, and 30 ms where clients never pause
(storm)."""

import json
from bisect import bisect_left
from collections import Counter, defaultdict
from pathlib import Path
from typing import Iterator, Mapping, NamedTuple, Optional, Sequence

from guest.lib import account

HIDDEN_SHARE = 0.05  # of a call, that may be hidden however long that is
IN_SESSIONS = ("open", "invoke", "close")


class Seen(NamedTuple):
    """A call as optee-top's recording has it."""

    tid: int
    client: str
    op: str  # or "release": what its task waited afterwards
    start: int
    end: int
    known: int  # ns that it slept in the queue, held a thread, or its task waited outside of both
    unknown: int  # on its way to the thread, without sleeping where a hook is


def seen_calls(exported: Path) -> Sequence[Seen]:
    """Of 'optee-top export --format jsonl'; not those made inside an RPC of another."""
    found = []
    for line in exported.read_text().splitlines():
        o = json.loads(line)
        if o["type"] not in ("call", "release") or o["nested"]:
            continue
        slept = o["wait_ns"] if o["waited"] else o["limit_wait_ns"] or 0
        found.append(Seen(o["tid"], o["client"] or "?",
                          o["cmd"] if o["type"] == "call" else "release", o["start_ns"],
                          o["mono_ns"], slept + o["hold_ns"] + (o["argument_ns"] or 0),
                          o["wait_ns"] - slept))
    return found


def client_calls(accounts: Path) -> Sequence[account.Call]:
    """All accounts that the guest has gathered; those of calls made inside of others, too."""
    return [call for path in sorted(accounts.iterdir()) for call in account.load(path).calls]


def _ms(ns: float) -> str:
    return f"{ns / 1e6:.1f} ms"


def _hidden(what: str, lasted: int, known: int, most: float) -> Optional[str]:
    if -most <= lasted - known <= max(most, HIDDEN_SHARE * lasted):
        return None
    return f"{what} lasted {_ms(lasted)}; optee-top knows of {_ms(known)}"


def _of_client(mine: Sequence[account.Call], theirs: Sequence[Seen],
               most: float) -> Iterator[str]:
    """One task's calls, in the order in which it made them."""
    who = f"{mine[0].client}({mine[0].tid})"
    made, seen = (Counter(c.op for c in calls if c.op in IN_SESSIONS) for calls in (mine, theirs))
    seen["close"] = min(seen["close"], made["close"])  # what is open when a client ends is closed
    if +made != +seen:
        yield f"{who} made {dict(made)}, optee-top saw {dict(seen)}"
        return
    starts = [c.start for c in theirs]
    for call in mine:
        if call.end is None:
            continue
        within = theirs[bisect_left(starts, call.start):bisect_left(starts, call.end)]
        # The driver registers memory for its own arguments on the way: that is part of the wait
        # for the argument.
        found = _hidden(f"{who}: {call.op}", call.end - call.start,
                        sum(c.known for c in within
                            if c.op == call.op or c.op != "shm_register"), most)
        if found:
            yield found


def differences(mine: Sequence[account.Call], theirs: Sequence[Seen],
                hidden_ms: float) -> Sequence[str]:
    """What optee-top did not see, when so much of a call may be hidden; empty: it has seen
    all."""
    most = hidden_ms * 1e6
    by_tid: dict[int, list[Seen]] = defaultdict(list)
    for call in sorted(theirs, key=lambda c: c.start):
        by_tid[call.tid].append(call)
    found = []
    known: Mapping[int, Sequence[account.Call]] = account.Account(mine).by_thread()
    for tid, calls in known.items():
        found += _of_client(calls, by_tid.get(tid, []), most)
    # Of clients that give no account optee-top's own figures have to fit together.
    for call in theirs:
        if call.tid not in known and call.unknown > most:
            found.append(f"{call.client}({call.tid}): {call.op} came to its thread after "
                         f"{_ms(call.unknown)}; optee-top did not see it sleep")
    return found
