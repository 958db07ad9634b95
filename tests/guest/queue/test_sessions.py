# SPDX-License-Identifier: GPL-2.0-only
"""More sessions than optee-top has rows for: what it says stays true, or it says so."""

from collections import Counter

from ..lib import account, frames, vm
from ..lib.registry import Context, Findings, fail, test

MANY = 2000
HELD = 800

MANY_RUN = rf"""
top_start -d %d
optee-load -o /tmp/load 'name=opener ta=invoke_tests sessions=0 repeat={MANY} open nop close' ||
	die "optee-load failed"
top_stop
"""

HELD_RUN = rf"""
top_start -d 1
optee-load -o /tmp/load --ready-file /tmp/ready --wait-file /tmp/go \
	'name=keeper ta=invoke_tests sessions=0 hold-sessions={HELD // 2} hold' \
	'name=other ta=invoke_tests sessions={HELD // 2} gap=100..4000 nop' &
LOAD=$!
wait_for 90 test -e /tmp/ready
top_settle
wc -l </tmp/top.jsonl >/tmp/held.frames
: >/tmp/go
wait $LOAD || die "optee-load failed"
top_stop
"""


def check_many(context: Context, delay: int) -> int:
    """2,000 sessions opened and closed in a row: every one is shown, or counted as unread.

    Returns how many were unread."""
    guest = vm.run(context, MANY_RUN % delay, gets=("top.jsonl", "load"))
    seen, truth = frames.load(guest.files["top.jsonl"]), account.load(guest.files["load"])
    findings = Findings()
    findings.equal("the clients' calls", len(truth.calls), 3 * MANY)
    rows = frames.final_sessions(seen)
    unread = seen[-1]["losses"]["sessions_unread"]
    frames.check_sane(findings, seen, {"sessions_unread": None})
    closed = [r for r in rows if r["state"] == "closed"]
    # Unread are none too few, and too many are those that closed while a frame was read.
    findings.true(f"of {MANY} sessions {len(closed)} are shown closed, and {unread} are unread",
                  MANY <= len(closed) + unread <= MANY + (unread and MANY // 20))
    findings.equal("serials past the last", [r["serial"] for r in rows if r["serial"] > MANY], [])
    for row in closed:
        findings.equal(f"session {row['serial']}", (row["calls"], row["ops"]),
                       (3, {"open": 1, "invoke": 1, "close": 1}))
    rest = frames.row(seen[-1], "(other sessions)")
    shown = sum(r["calls"] for r in rows) + (rest["calls"] if rest else 0)
    pool = seen[-1]["pools"][0]
    findings.equal("the pool's calls", pool["class_sums"]["normal"]["calls"],
                   shown + frames.no_session(seen[-1])["calls"])
    findings.true(f"{3 * MANY - shown} calls are missing, {unread} sessions are unread",
                  0 <= 3 * MANY - shown <= 3 * unread)
    findings.equal("threads free at the end", pool["free"], 2)
    findings.done()
    return int(unread)


@test()
def sessions_2000(context: Context) -> None:
    """An interval in which less rows are used than there are: nothing is unread."""
    unread = check_many(context, 1)
    if unread:
        fail(f"{unread} sessions are unread")


@test()
def sessions_unread(context: Context) -> None:
    """An interval in which rows are used again before they are read: it says so."""
    if not check_many(context, 12):
        fail("nothing is unread: this is no test")


@test()
def sessions_800(context: Context) -> None:
    """Held open at once: each is shown, with its id and its client."""
    guest = vm.run(context, HELD_RUN, gets=("top.jsonl", "load", "held.frames"), seconds=240)
    seen, truth = frames.load(guest.files["top.jsonl"]), account.load(guest.files["load"])
    held = seen[int(guest.read("held.frames")) - 1]
    findings = Findings()
    frames.check_sane(findings, seen)
    want = Counter((c.pid, c.session, c.client) for c in truth.calls if c.op == "open")
    findings.equal("sessions opened", len(want), HELD)
    have = Counter((s["pid"], s["session"], s["client"]) for s in held["sessions"]
                   if s["serial"] is not None and s["state"] == "open")
    if have != want:
        findings.add(f"of {HELD} open sessions (pid, id, client) {sum((have & want).values())} are "
                     f"shown; made up: {list((have - want).elements())[:5]}")
    made = Counter((c.pid, c.session) for c in truth.calls if c.ordinal is not None)
    shown = Counter({(s["pid"], s["session"]): s["calls"] for s in frames.final_sessions(seen)})
    findings.true(f"calls of {len(made - shown)} sessions are missing", not made - shown)
    findings.true(f"calls of {len(shown - made)} sessions are too many", not shown - made)
    findings.done()


FAILED_RUN = r"""
top_start -d 0.5
for i in 1 2 3; do
	optee-load -o /dev/null 'ta=11111111-2222-3333-4444-555555555555 cmd=1' 2>/dev/null
done
optee-load -o /tmp/load 'ta=invoke_tests nop' || die "optee-load failed"
top_stop
"""


@test()
def failed_open(context: Context) -> None:
    """An open_session that fails is a call without a session, and no session was missed."""
    guest = vm.run(context, FAILED_RUN, "--icount", gets=("top.jsonl", "load"))
    seen = frames.load(guest.files["top.jsonl"])
    findings = Findings()
    frames.check_sane(findings, seen)
    rows = [(r["calls"], r["failed"], r["state"]) for r in frames.final_sessions(seen)]
    findings.equal("sessions (calls, failed, state)", rows, [(3, 0, "closed")])
    none = frames.no_session(seen[-1])
    findings.equal("opens without a session, failed, last failure",
                   (none["ops"].get("open"), none["failed"], none["last_failure"]),
                   (3, 3, 0xffff0008))
    findings.done()
