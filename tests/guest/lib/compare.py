# SPDX-License-Identifier: GPL-2.0-only
"""Three accounts of one run, compared: the clients' (optee-load), ftrace's and
optee-top's.

Counts have to be equal. A time may be off by 2 ms or 5 %: the hooks of ftrace and of
optee-top are not run at the same instant, and a task may lose its CPU in between."""

from collections import Counter
from typing import Mapping, NamedTuple, Optional, Sequence

from . import account, frames, ftrace
from .frames import Object
from .ftrace import Span
from .registry import Findings

ABSOLUTE = 2e6  # ns
RELATIVE = 0.05
CLIENT_SIDE = 200e3  # from libteec's entry to the driver's and back, on an emulated CPU
LOST_CPU = 1e6  # what takes longer than this there is not the work to be done
READING = 200e6  # the time a frame may take to be read

UNIT_BITS, SUB_BITS, LAST_BUCKET = 7, 3, 207  # of optee-top's histograms


class Traced(NamedTuple):
    """ftrace's calls, told apart by the clients' account."""

    by_session: Mapping[account.Key, Sequence[ftrace.Call]]
    no_session: Sequence[ftrace.Call]


def bucket(ns: int) -> int:
    units = ns >> UNIT_BITS
    octave = max(units.bit_length() - 1 - SUB_BITS, 0)
    if units < 1 << SUB_BITS:
        return units
    return min((octave + 1 << SUB_BITS) + (units >> octave) - (1 << SUB_BITS), LAST_BUCKET)


def edge(number: int) -> int:
    octave, sub = divmod(number, 1 << SUB_BITS)
    if not octave:
        return sub << UNIT_BITS
    return (1 << SUB_BITS) + sub << octave - 1 + UNIT_BITS


def attribute(findings: Findings, truth: account.Account,
              traced: Sequence[ftrace.Call]) -> Traced:
    """Each thread's n-th call with a session in the account is its n-th in the trace.

    The driver makes calls without a session on its own, too, in the client's thread:
    it registers the memory that it passes arguments in."""
    with_session: dict[int, list[ftrace.Call]] = {}
    for call in sorted(traced, key=lambda c: c.called.low):
        if call.op is None:
            with_session.setdefault(call.tid, []).append(call)
    by_session: dict[account.Key, list[ftrace.Call]] = {}
    for tid, known in truth.by_thread().items():
        known = [c for c in known if c.ordinal is not None]
        calls = with_session.pop(tid, [])
        findings.equal(f"ftrace's count of the calls of thread {tid}", len(calls), len(known))
        for mine, theirs in zip(calls, known):
            assert theirs.end is not None and theirs.ordinal is not None
            findings.true(f"ftrace and thread {tid} do not speak of the same call",
                          theirs.start <= mine.called.high and mine.ended.low <= theirs.end)
            by_session.setdefault((theirs.pid, theirs.ordinal), []).append(mine)
    others = {call.comm for calls in with_session.values() for call in calls}
    findings.true(f"there are calls of sessions that no client made: {others}", not others)
    return Traced(by_session, [c for c in traced if c.op is not None])


def near(findings: Findings, what: str, have: Optional[float], span: Span) -> None:
    """Within 2 ms or 5 % of what ftrace knows, be it exact or between bounds."""
    if have is None:
        findings.add(f"{what} is unknown, not {span.low / 1e6:.3f} ms")
        return
    low = span.low - max(ABSOLUTE, RELATIVE * span.low)
    high = span.high + max(ABSOLUTE, RELATIVE * span.high)
    if not low <= have <= high:
        findings.add(f"{what} is {have / 1e6:.3f} ms, not from {span.low / 1e6:.3f} "
                     f"to {span.high / 1e6:.3f} ms")


def within(findings: Findings, what: str, have: float, span: Span) -> None:
    """Between the bounds, which are about 0.1 ms a call apart unless the CPU was lost."""
    if not span.low <= have <= span.high:
        findings.add(f"{what} is {have / 1e6:.3f} ms, not within {span.low / 1e6:.3f} "
                     f"to {span.high / 1e6:.3f} ms, which are bounds")


def check_histogram(findings: Findings, what: str, shown: Sequence[Sequence[int]],
                    times: Sequence[Span]) -> None:
    """Each of ftrace's calls is in one bucket that its bounds allow, or one beside it."""
    edges = sorted(low for low, count in shown for _ in range(count))
    findings.equal(f"{what}: edges in order", [low for low, _ in shown], sorted(set(edges)))
    findings.equal(f"{what}: calls", len(edges), len(times))
    left = list(times)
    for low in edges:
        number = bucket(low)
        findings.equal(f"{what}: an edge", low, edge(number))
        first, last = edge(max(number - 1, 0)), edge(number + 2)
        fits = [s for s in left if s.low < last and (s.high >= first or number == LAST_BUCKET)]
        if fits:
            left.remove(min(fits, key=lambda s: s.high))
        else:
            findings.add(f"{what}: no call of ftrace is like the one counted in "
                         f"{low / 1e6:.4f} to {edge(number + 1) / 1e6:.4f} ms")


def check_times(findings: Findings, what: str, row: Object, traced: Sequence[ftrace.Call]) -> None:
    """Counts, sums, maxima and histograms of a row against ftrace's calls."""
    times = {"wait": [c.wait for c in traced], "hold": [c.hold for c in traced],
             "secure": [c.secure for c in traced]}
    findings.equal(f"{what}: calls", row["calls"], len(traced))
    findings.equal(f"{what}: calls that slept", row["waited"],
                   sum(1 for c in traced if c.slept is not None))
    if "limit_wait_ns" in row:
        within(findings, f"{what}: wait after refusals", row["limit_wait_ns"],
               ftrace.total([c.limited for c in traced]))
    for name, each in times.items():
        near(findings, f"{what}: {name}", row[f"{name}_ns"], ftrace.total(each))
        within(findings, f"{what}: {name}", row[f"{name}_ns"], ftrace.total(each))
        check_histogram(findings, f"{what}: {name} histogram", row[f"{name}_histogram"], each)
    for name in ("wait", "hold"):
        if f"{name}_longest_ns" not in row:
            continue  # it was in a frame before
        longest = Span(max((s.low for s in times[name]), default=0),
                       max((s.high for s in times[name]), default=0))
        near(findings, f"{what}: longest {name}", row[f"{name}_longest_ns"], longest)
    findings.equal(f"{what}: hold less secure", row["rpc_ns"], row["hold_ns"] - row["secure_ns"])
    check_rpcs(findings, what, row, traced)


def check_rpcs(findings: Findings, what: str, row: Object, traced: Sequence[ftrace.Call]) -> None:
    counts: Counter[str] = Counter()
    for call in traced:
        counts += call.rpcs
    findings.equal(f"{what}: RPCs by kind", {k: v["count"] for k, v in row["rpc_kinds"].items()},
                   dict(counts))
    for kind, seen in row["rpc_kinds"].items():
        within(findings, f"{what}: time in {kind} RPCs", seen["time_ns"],
               ftrace.total([c.rpc_times[kind] for c in traced if kind in c.rpcs]))


def check_client_side(findings: Findings, what: str, row: Object, calls: Sequence[account.Call],
                      traced: Sequence[ftrace.Call]) -> None:
    """A client's own time for its calls holds optee-top's, and little more.

    Little: what lies between libteec and the driver, if the CPU was not lost there."""
    lasted = sum(c.end - c.start for c in calls if c.end is not None)
    inside = row["wait_ns"] + row["hold_ns"]
    spare = ABSOLUTE + RELATIVE * lasted + CLIENT_SIDE * len(calls)
    for mine, theirs in zip(traced, calls):
        for outside in (mine.called.high - theirs.start, (theirs.end or 0) - mine.ended.low):
            spare += outside if outside > LOST_CPU else 0
    if not 0 <= lasted - inside <= spare:
        findings.add(f"{what}: the client measured {lasted / 1e6:.3f} ms, "
                     f"optee-top {inside / 1e6:.3f} ms of wait and hold")


def check_identity(findings: Findings, what: str, row: Object, calls: Sequence[account.Call],
                   traced: Sequence[ftrace.Call]) -> None:
    first = calls[0]
    want = {"uuid": first.uuid, "client": first.client, "pid": first.pid,
            "origin": "kernel" if first.kernel else "user",
            "class": "normal", "state": "closed", "in_flight": 0, "login": 0,
            "session": first.session, "limits": sum(c.limits for c in traced),
            "calls": len(calls),
            "failed": sum(c.failed for c in calls), "ops": dict(Counter(c.op for c in calls))}
    for key, value in want.items():
        findings.equal(f"{what}: {key}", row[key], value)
    # A call leaves while another one comes: who is first is not the same for all hooks.
    peak = ftrace.most_at_once([(c.called.low, c.ended.low) for c in traced])
    findings.true(f"{what}: in_flight_peak is {row['in_flight_peak']}, ftrace saw {peak}",
                  abs(row["in_flight_peak"] - peak) <= (peak > 1))


def rows_by_use(seen: Sequence[Object]) -> dict[tuple[int, int, int], Object]:
    """The rows by pid, session id and the how manieth use of that id it is."""
    uses: Counter[tuple[int, int]] = Counter()
    rows = {}
    for row in sorted(frames.final_sessions(seen), key=lambda r: int(r["serial"])):
        key = row["pid"], row["session"]
        rows[(*key, uses[key])] = row
        uses[key] += 1
    return rows


def check_sessions(findings: Findings, truth: account.Account, traced: Traced,
                   seen: Sequence[Object]) -> None:
    rows = rows_by_use(seen)
    uses: Counter[tuple[int, int]] = Counter()
    for key, calls in truth.sessions().items():
        pid, session = calls[0].pid, calls[0].session or 0
        row = rows.pop((pid, session, uses[pid, session]), None)
        uses[pid, session] += 1
        what = f"session {session} of {calls[0].client}"
        if row is None:
            findings.add(f"{what} is not shown")
            continue
        check_identity(findings, what, row, calls, traced.by_session.get(key, []))
        check_times(findings, what, row, traced.by_session.get(key, []))
        check_client_side(findings, what, row, calls, traced.by_session.get(key, []))
    findings.equal("sessions shown that no client had (pid, id, use)", sorted(rows), [])
    check_no_session(findings, truth, traced, seen)


def check_no_session(findings: Findings, truth: account.Account, traced: Traced,
                     seen: Sequence[Object]) -> None:
    none = gain(frames.no_session(seen[0]), frames.no_session(seen[-1]))
    ops = Counter(c.op for c in traced.no_session if c.op)
    check_times(findings, "calls without a session", none, traced.no_session)
    findings.equal("calls without a session", none["ops"], dict(ops))
    mine = Counter(c.op for c in truth.calls if c.ordinal is None)
    findings.true(f"the clients made {mine} themselves, ftrace saw {ops}", mine <= ops)


def check_threads(findings: Findings, pool: Object, traced: Sequence[ftrace.Call],
                  threads: int) -> None:
    holds = [(c.entered.low, c.ended.low) for c in traced]
    findings.equal("the most threads in use", pool["in_use_peak"], ftrace.most_at_once(holds))
    exhausted = ftrace.time_at_level(holds, threads)
    lost = sum(c.entered.width + c.ended.width for c in traced)
    near(findings, "the time exhausted", pool["conditions"]["exhausted"]["time_ns"],
         Span(exhausted - lost, exhausted + lost))


def check_pool(findings: Findings, seen: Sequence[Object], traced: Sequence[ftrace.Call],
               threads: Optional[int]) -> None:
    """threads: None: Linux does not know it."""
    pool = seen[-1]["pools"][0]
    sleeps = [(c.slept.low, (c.tried or c.entered).low) for c in traced if c.slept is not None]
    findings.equal("the number of pools", len(seen[-1]["pools"]), 1)
    findings.equal("T", pool["threads"], threads)
    if threads:
        check_threads(findings, pool, traced, threads)
    waiting = ftrace.most_at_once(sleeps)
    findings.true(f"the most waiters are {pool['waiting_peak']}, ftrace saw {waiting}",
                  abs(pool["waiting_peak"] - waiting) <= 1)
    for key in ("calls", "failed", "waited", "wait_ns", "hold_ns", "secure_ns"):
        rows = [*frames.final_sessions(seen), frames.no_session(seen[-1])]
        findings.equal(f"the pool's {key}", pool["class_sums"]["normal"][key],
                       sum(r[key] for r in rows))
        findings.equal(f"the pool's {key} of system calls", pool["class_sums"]["system"][key], 0)


def gain(first: Object, last: Object) -> Object:
    """A row's counters since the first frame, as if they were a row's."""
    row = dict(last)
    for key in ("calls", "waited", "wait_ns", "limit_wait_ns", "hold_ns", "secure_ns", "rpc_ns"):
        row[key] = last[key] - first[key]
    for name in ("wait", "hold", "secure"):
        counts = Counter(dict(last[f"{name}_histogram"]))
        counts.subtract(dict(first[f"{name}_histogram"]))
        row[f"{name}_histogram"] = sorted([low, n] for low, n in counts.items() if n)
        if row.get(f"{name}_longest_ns") == first.get(f"{name}_longest_ns"):
            row.pop(f"{name}_longest_ns", None)
    row["ops"] = dict(Counter(last["ops"]) - Counter(first["ops"]))
    row["rpc_kinds"] = {}
    for kind, now in last["rpc_kinds"].items():
        then = first["rpc_kinds"].get(kind, {"count": 0, "time_ns": 0})
        if now["count"] > then["count"]:
            row["rpc_kinds"][kind] = {k: now[k] - then[k] for k in ("count", "time_ns")}
    return row


def in_window(trace: Sequence[ftrace.Call], seen: Sequence[Object]) -> list[ftrace.Call]:
    """The calls that ended between the first frame and the last one: those of the load,
    and some of the many that the driver makes on its own, one a second.

    A frame's time is from before its figures are read: one just after may be in it."""
    start, end = seen[0]["mono_ns"], seen[-1]["mono_ns"]
    calls = gain(frames.no_session(seen[0]), frames.no_session(seen[-1]))["calls"]
    for early, late in ((0, 0), (0, READING), (READING, READING), (READING, 0)):
        found = [c for c in trace if start + early < c.ended.low <= end + late]
        if sum(c.op is not None for c in found) == calls:
            break
    return found


def check_all(findings: Findings, seen: Sequence[Object], truth: account.Account,
              trace: Sequence[ftrace.Call], threads: Optional[int]) -> None:
    trace = in_window(trace, seen)
    frames.check_sane(findings, seen)
    check_sessions(findings, truth, attribute(findings, truth, trace), seen)
    check_pool(findings, seen, trace, threads)
