# SPDX-License-Identifier: GPL-2.0-only
"""OP-TEE is called by FF-A: Linux does not know how many threads it has, and queues whom it has
refused."""

import re
from typing import Sequence

from ..lib import account, compare, frames, ftrace, policy, vm
from ..lib.frames import Object
from ..lib.registry import Context, Findings, test
from .test_sight import unknown

MS = 1_000_000
OPTIONS = ("--ffa", "--kernel", "7.3")
THREADS = 2
HOOKS = {"optee_ffa_do_call_with_arg": ("fentry", "kprobe"),
         "ffa_sync_send_receive": ("fentry", "kprobe"),
         "ffa_sync_send_receive ": ("fexit", "kretprobe")}
# What needs T, or the driver's count.
UNCOUNTED = ("reserve_breach", "reserve_idle", "exhausted", "count_mismatch", "drift")

LOAD = r"""
load() { # NAME
	optee-load -o /tmp/load.$1 'name=holder repeat=3 wait=400 gap=100 nop' \
		'name=bursts repeat=6 wait=100..250 gap=30..90 nop' \
		'name=asker ta=invoke_tests repeat=12 nop gap=60..180' \
		'name=burner ta=concurrent repeat=2 burn=20000..60000 gap=300 sha=20' ||
		die "optee-load failed"
}
"""

# Where sysfs shows no device that is called by FF-A, the hooks for that are not attached.
HIDDEN = r"""
cat >/tmp/hidden.sh <<'END'
mount -t tmpfs none /sys/bus
mkdir -p /sys/bus/platform/drivers/optee/device
: >/sys/bus/platform/drivers/optee/device/driver
exec "$@"
END
hidden() { unshare -m sh /tmp/hidden.sh "$@"; }
hidden optee-top --json -d 0.5 -n 3 record /tmp/hidden.rec >/tmp/hidden 2>/tmp/hidden.err &
HIDDEN=$!
wait_for 60 test -s /tmp/hidden
optee-load --records 0 -o /dev/null 'name=k repeat=5 wait=50' || die "optee-load failed"
wait $HIDDEN || die "record ended with $?: $(cat /tmp/hidden.err)"
hidden optee-top metrics >/tmp/metrics
hidden optee-top doctor >/tmp/hidden.doctor
optee-top replay /tmp/hidden.rec -b -n 1 >/tmp/batch
optee-top check /tmp/hidden.rec >/tmp/check
optee-top check /tmp/hidden.rec --strict >/dev/null 2>&1
echo "status $?" >>/tmp/check
optee-top replay /tmp/hidden.rec --json >/tmp/hidden.replayed
optee-top export /tmp/hidden.rec --format csv --what pools >/tmp/csv
"""

# The first clients make the driver keep as many pages for arguments as the others need.
RUN = r"""
optee-load -r 0 -o /dev/null 'name=hold count=2 wait=300' \
	'name=many ta=invoke_tests threads=14 at=100 nop' || die "the first optee-load failed"
trace_start
top_start $HOW -d 0.5 --starved 0.2 record /tmp/rec
trace_after
load traced
top_settle
kill -TERM $TOP
wait $TOP || die "optee-top ended with $?: $(cat /tmp/top.err)"
trace_stop
optee-top replay /tmp/rec --json >/tmp/replayed || die "replay: status $?"
optee-top export /tmp/rec --format csv >/tmp/calls.csv || die "export: status $?"
"""
PLAIN, KPROBES = (f"HOW={how}\n" + ftrace.SCRIPT + LOAD + RUN for how in ("", "--kprobes"))
# C could begin when B ends: the wake for it goes to A, which has no use for it.
STRANDED = r"""
top_start -d 0.5 --starved 0.3
for try in 1 2 3; do
	optee-load -o /tmp/load.$try 'name=A wait=3000' 'name=B at=20 wait=1000' 'name=C at=600 wait=100' ||
		die "optee-load failed"
done
top_stop
"""
GETS = ("top.jsonl", "replayed", "load.traced", "calls.csv", *ftrace.FILES)
SIGHT = "not followed: called by FF-A"


RECORDED = ("class_sums", "conditions", "threads_at_least")


def check_hooks(findings: Findings, doctor: str, column: int) -> None:
    for function, by in HOOKS.items():
        findings.true(f"doctor does not say that {function} is hooked by {by[column]}:\n{doctor}",
                      re.search(rf"^{function.strip()} +{by[column]} +yes ", doctor, re.M)
                      is not None)
    findings.true("doctor names a function that no device is called by",
                  "optee_smc_do_call_with_arg" not in doctor)


def check_known(findings: Findings, what: str, seen: Sequence[Object]) -> None:
    """The device is followed, and what depends on T is unknown."""
    for frame in seen:
        pool = frame["pools"][0]
        where = f"{what}, frame {frame['seq']}"
        findings.equal(f"{where}: followed, design", (pool["followed"], pool["design"]), (1, "none"))
        for key in ("threads", "free", "driver_free", "drift", "exhausted_share_percent"):
            findings.equal(f"{where}: {key}", pool[key], None)
        for key in UNCOUNTED:
            findings.equal(f"{where}: {key}", pool["conditions"][key], None)
    findings.equal(f"{what}: losses", {k: v for k, v in seen[-1]["losses"].items() if v}, {})


def check_records(findings: Findings, guest: vm.Run, seen: Sequence[Object],
                  truth: account.Account) -> None:
    """The recording has the same frames, and each call of the account with its time."""
    findings.equal("the last frame of the recording",
                   [frames.load(guest.files["replayed"])[-1]["pools"][0][key] for key in RECORDED],
                   [seen[-1]["pools"][0][key] for key in RECORDED])
    recorded = {tid: [c for c in policy.calls(guest.files["calls.csv"]) if c.tid == tid
                      and c.op in ("open", "invoke", "close")] for tid in truth.by_thread()}
    for tid, made in truth.by_thread().items():
        mine = sorted(recorded[tid], key=lambda c: c.start)
        findings.equal(f"recorded calls of thread {tid}", [c.op for c in mine], [c.op for c in made])
        for ours, theirs in zip(mine, made):
            findings.true(f"{ours} is not within {theirs}",
                          theirs.start <= ours.start and ours.end <= (theirs.end or 0))


def holding(trace: Sequence[ftrace.Call], ns: float) -> int:
    """How many calls have a thread then, for all that ftrace knows. One that was refused has none
    until its last try."""
    return sum((c.tried or c.entered).low <= ns < c.returned.low for c in trace)


def check_waits(findings: Findings, seen: Sequence[Object], trace: Sequence[ftrace.Call]) -> None:
    """A caller waits from its first try to the last one, however often OP-TEE refuses it."""
    refused = [c for c in trace if c.tried]
    waited = [(c.tried or c.entered).low - c.entered.low for c in refused]
    starved = seen[-1]["pools"][0]["conditions"]["starved"]["count"]
    findings.true(f"{starved} calls starved, waits over 150 ms were "
                  f"{sorted(w / MS for w in waited if w > 150 * MS)}",
                  sum(w > 210 * MS for w in waited) <= starved <= sum(w > 190 * MS for w in waited))
    shown = 0
    for frame in seen:
        now = frame["mono_ns"]
        for call in (c for c in frame["calls"] if c["queued"] and not c["late"]):
            for c in (c for c in refused if c.tid == call["tid"]
                      and c.entered.low < now < (c.tried or c.entered).low):
                shown += 1
                findings.true(f"{call['comm']} waits for {call['phase_ns'] / MS} ms, by ftrace "
                              f"{(now - c.entered.low) / MS} ms",
                              abs(call["phase_ns"] - (now - c.entered.low)) < 20 * MS)
    findings.true("no frame shows a waiter", shown > 0)


def check_strands(findings: Findings, seen: Sequence[Object], trace: Sequence[ftrace.Call]) -> None:
    """Whoever is called stranded sleeps while OP-TEE has a thread for it."""
    for event in (e for f in seen for e in f["events"] if e["condition"] == "stranded"):
        middle = event["mono_ns"] - event["duration_ns"] / 2
        findings.true(f"{holding(trace, middle)} calls had a thread in {event}",
                      holding(trace, middle) < THREADS)
        findings.equal("the threads that are known", event["why"]["threads"], None)


def check_run(findings: Findings, guest: vm.Run) -> None:
    seen = frames.load(guest.files["top.jsonl"])
    # Memory is registered without a call.
    truth = account.Account([c for c in account.load(guest.files["load.traced"]).calls
                             if c.ordinal is not None])
    trace = ftrace.parse(*map(guest.read, ftrace.FILES))
    compare.check_all(findings, seen, truth, trace, None)
    findings.true("few were refused: this is no test",
                  seen[-1]["pools"][0]["class_sums"]["normal"]["limits"] >= 10)
    check_known(findings, "live", seen)
    check_strands(findings, seen, trace)
    check_waits(findings, seen, trace)
    bounds = [f["pools"][0]["threads_at_least"] for f in seen]
    findings.true(f"lower bounds for T: {bounds}", bounds == sorted(bounds, key=lambda b: b or 0)
                  and bounds[-1] == THREADS)
    check_records(findings, guest, seen, truth)


def check_hidden(findings: Findings, guest: vm.Run) -> None:
    """No hooks: the device is shown, and nothing of it."""
    for name in ("hidden", "hidden.replayed"):
        for frame in frames.load(guest.files[name]):
            where = f"{name}, frame {frame['seq']}"
            pool = frame["pools"][0]
            findings.equal(f"{where}: followed, sight", (pool["followed"], pool["sight"]), (0, SIGHT))
            unknown(findings, where, pool)
            findings.equal(f"{where}: class sums", pool["class_sums"], None)
            findings.equal(f"{where}: sessions, calls", (frame["sessions"], frame["calls"]), ([], []))
    batch = guest.read("batch").decode()
    findings.true(f"-b says {batch}", re.search(
        rf"^pool tee=0 .* in_use_normal=- .* in_use_peak=- .*sight={SIGHT}$", batch,
        re.M) is not None)
    metrics = guest.read("metrics").decode()
    findings.true("no metric says that the calls are not followed",
                  re.search(r'^optee_calls_followed\{tee="0"\} 0$', metrics, re.M) is not None)
    for name in ("optee_threads_in_use", "optee_calls_total", "optee_condition_episodes_total"):
        findings.equal(f"samples of {name}", re.findall(rf"^{name}[{{ ].*", metrics, re.M), [])
    check = guest.read("check").decode()
    findings.equal("rules that are not unknown", [line for line in check.splitlines()
                                                 if re.match(r"(PASS|FAIL) ", line)], [])
    findings.true(f"the status of check --strict: {check[-300:]!r}", check.endswith("status 5\n"))
    findings.true("the CSV of pools does not say it", SIGHT in guest.read("csv").decode())
    findings.true("doctor does not say it", SIGHT in guest.read("hidden.doctor").decode())


@test()
def ffa(context: Context) -> None:
    """Calls, waits, times and RPCs are those of ftrace and of the clients, also in a recording; and
    as many threads are known for sure as there are."""
    guest = vm.run(context, PLAIN, "--icount", *OPTIONS, seconds=300, gets=GETS)
    findings = Findings()
    check_run(findings, guest)
    findings.done()


@test(check_all=True)
def ffa_kprobes(context: Context) -> None:
    """The same by kprobes, and a kretprobe where OP-TEE answers."""
    guest = vm.run(context, KPROBES + "optee-top --kprobes doctor >/tmp/doctor", "--icount",
                   *OPTIONS, seconds=400, gets=(*GETS, "doctor"))
    findings = Findings()
    check_run(findings, guest)
    check_hooks(findings, guest.read("doctor").decode(), 1)
    findings.done()


@test(check_all=True)
def ffa_unseen(context: Context) -> None:
    """A device without hooks is shown, and nothing of it. With them, doctor names them."""
    guest = vm.run(context, HIDDEN + "optee-top doctor >/tmp/doctor", "--icount", *OPTIONS,
                   seconds=400, gets=("doctor", "hidden", "hidden.replayed", "hidden.doctor",
                                      "metrics", "batch", "check", "csv"))
    findings = Findings()
    check_hidden(findings, guest)
    check_hooks(findings, guest.read("doctor").decode(), 0)
    findings.done()


def invoke(truth: account.Account, client: str) -> account.Call:
    return next(c for c in truth.calls if (c.client, c.op) == (client, "invoke"))


@test(check_all=True)
def ffa_stranded(context: Context) -> None:
    """C is stranded until A ends, or a bottom half that comes between wakes it: then OP-TEE's thread
    has been unused for as long as we say. Unknown until one is found."""
    guest = vm.run(context, STRANDED, "--icount", *OPTIONS, seconds=400,
                   gets=("top.jsonl", "load.1", "load.2", "load.3"))
    findings = Findings()
    seen = frames.load(guest.files["top.jsonl"])
    check_known(findings, "live", seen)
    ends = [e for f in seen for e in f["events"]
            if (e["condition"], e["state"]) == ("stranded", "end")]
    findings.equal("strands in the first frame", seen[0]["pools"][0]["conditions"]["stranded"], None)
    told = seen[-1]["pools"][0]["conditions"]["stranded"]
    findings.true(f"strands: {told}", told is not None and told["count"] >= len(ends) > 0)
    long = 0
    for number in (1, 2, 3):
        truth = account.load(guest.files[f"load.{number}"])
        a, b, c = (invoke(truth, client) for client in "ABC")
        mine = [e for e in ends if (b.end or 0) - 5e6 < e["since_ns"] < (c.end or 0)]
        idle = (c.end or 0) - 100e6 - (b.end or 0)  # what C waited in vain
        lasted = sum(e["duration_ns"] for e in mine)
        findings.true(f"try {number}: stranded for {lasted} ns, C waited {idle} ns after B",
                      idle - 30e6 < lasted < idle + 30e6)
        for event in mine:
            findings.true(f"try {number}: C is not among {event['who']}",
                          c.tid in [p["tid"] for p in event["who"] if p["waits"]])
            findings.true(f"try {number}: {event['who']}", {p["tid"] for p in event["who"]
                                                            if p["culprit"]} <= {a.tid})
        long += lasted > 200e6
    findings.true("nobody was stranded for long: this is no test", long > 0)
    findings.done()
