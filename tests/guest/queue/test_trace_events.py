# SPDX-License-Identifier: GPL-2.0-only
"""A driver with trace events of its queue, which upstream/7.3/tracepoints/ adds to our series: they
take the places of hooks on its functions."""

import importlib.util
import re
from collections import Counter
from pathlib import Path
from typing import Sequence

from ..lib import account, frames, kclient, kmod, policy, vm
from ..lib.frames import Object
from ..lib.registry import Context, Findings, test
from . import test_ffa

KERNEL = "7.3"
MS = 1_000_000

# C has B's thread as soon as B ends. Of N most calls wait. W has to leave the last thread in reserve
# until the session of S is closed. M may have both threads each time when R's session has been
# closed, and no look at the driver has said so yet.
RUN = kclient.SCRIPT + r"""
record_start() {
	optee-top --json -d 0.5 --starved 0.3 $2 record /tmp/$1.rec >/tmp/$1.jsonl 2>/tmp/$1.err &
	RECORD=$!
	wait_for 60 test -s /tmp/$1.jsonl
}
record_stop() { # what has happened is in a frame
	lines=$(wc -l </tmp/$1.jsonl)
	more() { [ "$(wc -l </tmp/$1.jsonl)" -ge $((lines + 2)) ]; }
	wait_for 60 more $1
	kill -TERM $RECORD
	wait $RECORD || die "record ended with status $?: $(cat /tmp/$1.err)"
	optee-top export /tmp/$1.rec --format csv --output /tmp/$1.csv || die "export: status $?"
}
kclient_load
optee-top doctor >/tmp/doctor || die "doctor ended with $?"
optee-top --kprobes doctor >/tmp/doctor.raw || die "doctor ended with $?"
record_start stranded ''
optee-load -o /tmp/load 'name=A wait=3000' 'name=B at=20 wait=1000' 'name=C at=600 wait=100' ||
	die "optee-load failed"
record_stop stranded
for how in tp raw; do
	record_start $how "$([ $how = tp ] || echo --kprobes)"
	optee-load -o /tmp/load.$how 'name=N count=5 repeat=20 wait=5..40 gap=5..20' || die "optee-load failed"
	rm -f /tmp/ready /tmp/go
	optee-load -o /tmp/load.reserve.$how --ready-file /tmp/ready --wait-file /tmp/go \
		'name=A wait=3000' 'name=W at=500 wait=50' &
	LOAD=$!
	wait_for 60 test -e /tmp/ready
	kclient_start <<END
name=S system at=500 wait=1500
END
	: >/tmp/go
	wait $LOAD || die "optee-load failed"
	kclient_wait
	cp /tmp/kclient /tmp/kclient.$how
	optee-load --records 0 -o /dev/null 'name=M count=2 repeat=0 wait=4..6 gap=1..5' &
	LOAD=$!
	for n in 1 2 3 4 5 6; do
		kclient_run <<END
name=R system wait=20
END
	done
	kill $LOAD
	wait $LOAD
	record_stop $how
done
"""

EVENTS = {"optee_cq_release": ("tp_btf", "raw_tp"), "optee_cq_wake": ("tp_btf", "raw_tp"),
          "optee_cq_wait_begin": ("tp_btf", "raw_tp")}
ACCUSED = ("stranded", "lost_wake", "reserve_breach", "count_mismatch", "drift")


def driver() -> Path:
    """The driver with the series and the trace events."""
    place = vm.ROOT / "upstream/series.py"
    spec = importlib.util.spec_from_file_location("series", place)
    assert spec and spec.loader
    series = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(series)
    with kmod.locked(vm.ROOT / "build/upstream/trace-events.lock"):
        ko: Path = series.built(KERNEL, series.patches(KERNEL, "tracepoints/1"))
    return ko


def check_hooks(findings: Findings, doctor: str, column: int) -> None:
    for event, by in EVENTS.items():
        findings.true(f"doctor does not say that {event} is hooked by {by[column]}:\n{doctor}",
                      re.search(rf"^{event} +{by[column]} +yes ", doctor, re.M) is not None)
    for function in "optee_cq_complete_one", "optee_cq_wait_for_completion":
        findings.true(f"doctor names {function}", function not in doctor)


def check_frames(findings: Findings, what: str, seen: Sequence[Object]) -> None:
    """Nobody is accused, and nothing was lost."""
    frames.check_sane(findings, seen)
    findings.equal(f"{what}: losses", {k: v for k, v in seen[-1]["losses"].items() if v}, {})
    conditions = seen[-1]["pools"][0]["conditions"]
    for condition in ACCUSED:
        findings.equal(f"{what}: {condition}", (conditions[condition] or {}).get("count"), 0)


def check_account(findings: Findings, what: str, seen: Sequence[policy.Call],
                  truth: account.Account) -> None:
    """Each call of the account was seen, and its wait and hold are what it took."""
    took = [c for c in truth.calls if c.op == "invoke"]
    ours = [c for c in seen if c.op == "invoke" and c.tid in {t.tid for t in took}]
    findings.equal(f"{what}: calls by task", Counter(c.tid for c in ours),
                   Counter(c.tid for c in took))
    for call, true in zip(sorted(ours, key=lambda c: c.start), sorted(took, key=lambda c: c.start)):
        lacking = (true.end or 0) - true.start - (call.end - call.start)
        findings.true(f"{what}: {lacking} ns of {true} are not in {call}", 0 <= lacking < 2 * MS)


@test(check_all=True)
def trace_events(context: Context) -> None:
    """By its trace events, and by raw tracepoints: doctor says so, all calls and waits are seen, and
    a driver that strands nobody is not accused."""
    names = ["doctor", "doctor.raw", "load", "stranded.jsonl", "stranded.csv"]
    for how in "tp", "raw":
        names += [f"load.{how}", f"load.reserve.{how}", f"kclient.{how}", f"{how}.jsonl",
                  f"{how}.csv"]
    guest = vm.run(context, RUN, "--icount", "--kernel", KERNEL, "--module", str(driver()),
                   *kclient.options(KERNEL), gets=names, seconds=600)
    findings = Findings()
    for column, name in enumerate(("doctor", "doctor.raw")):
        check_hooks(findings, guest.read(name).decode(), column)
    truth, seen = account.load(guest.files["load"]), policy.calls(guest.files["stranded.csv"])
    check_frames(findings, "stranded", frames.load(guest.files["stranded.jsonl"]))
    check_account(findings, "stranded", seen, truth)
    b, c = (next(x for x in truth.calls if (x.client, x.op) == (n, "invoke")) for n in "BC")
    waited = [x.waited for x in seen if x.tid == c.tid and x.op == "invoke"]
    findings.true(f"C waited {waited} ns, not until B had ended",
                  len(waited) == 1 and abs(waited[0] - ((b.end or 0) - c.start)) < 5 * MS)
    for how in "tp", "raw":
        lines = frames.load(guest.files[f"{how}.jsonl"])
        check_frames(findings, how, lines)
        calls = policy.calls(guest.files[f"{how}.csv"])
        check_account(findings, how, calls, account.load(guest.files[f"load.{how}"]))
        waits = account.load(guest.files[f"load.reserve.{how}"])
        check_account(findings, how, calls, waits)
        close, = kclient.load(guest.files[f"kclient.{how}"]).of("S", "close")
        tid, = (x.tid for x in waits.calls if (x.client, x.op) == ("W", "invoke"))
        admitted = [x.admitted for x in calls if (x.tid, x.op) == (tid, "invoke")]
        findings.true(f"{how}: W was admitted at {admitted}, not as {close} was over",
                      len(admitted) == 1 and close.start < admitted[0] < (close.end or 0) + MS)
        findings.true(f"{how}: few waited, this is no test", sum(x.slept for x in calls) > 30)
    findings.done()


@test(check_all=True)
def trace_events_ffa(context: Context) -> None:
    """The same driver called by FF-A: doctor says so, and all is as ftrace and the clients have it."""
    guest = vm.run(context, test_ffa.PLAIN + "optee-top doctor >/tmp/doctor", "--icount",
                   *test_ffa.OPTIONS, "--module", str(driver()), seconds=400,
                   gets=(*test_ffa.GETS, "doctor"))
    findings = Findings()
    check_hooks(findings, guest.read("doctor").decode(), 0)
    test_ffa.check_run(findings, guest)
    seen = frames.load(guest.files["top.jsonl"])
    findings.equal("strands", seen[-1]["pools"][0]["conditions"]["stranded"], None)
    findings.done()
