# SPDX-License-Identifier: GPL-2.0-only
"""OP-TEE is called by FF-A: Linux does not know how many threads it has, and queues whom it has
refused."""

import re
from typing import Sequence

from ..lib import account, compare, frames, ftrace, policy, vm
from ..lib.frames import Object
from ..lib.registry import Context, Findings, test
from .test_sight import unknown

OPTIONS = ("--ffa", "--kernel", "7.3")
THREADS = 2
HOOKS = {"optee_ffa_do_call_with_arg": ("fentry", "kprobe"),
         "ffa_sync_send_receive": ("fentry", "kprobe"),
         "ffa_sync_send_receive ": ("fexit", "kretprobe")}
# What needs T, or the driver's count.
UNCOUNTED = ("reserve_breach", "reserve_idle", "exhausted", "count_mismatch", "drift", "lost_wake")

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
optee-top $HOW doctor >/tmp/doctor || die "doctor ended with $?"
optee-load -r 0 -o /dev/null 'name=hold count=2 wait=300' \
	'name=many ta=invoke_tests threads=14 at=100 nop' || die "the first optee-load failed"
trace_start
top_start $HOW -d 0.5 record /tmp/rec
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
GETS = ("doctor", "top.jsonl", "replayed", "load.traced", "calls.csv", *ftrace.FILES)
SIGHT = "not followed: called by FF-A"


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
                   frames.load(guest.files["replayed"])[-1]["pools"][0]["class_sums"],
                   seen[-1]["pools"][0]["class_sums"])
    recorded = {tid: [c for c in policy.calls(guest.files["calls.csv"]) if c.tid == tid
                      and c.op in ("open", "invoke", "close")] for tid in truth.by_thread()}
    for tid, made in truth.by_thread().items():
        mine = sorted(recorded[tid], key=lambda c: c.start)
        findings.equal(f"recorded calls of thread {tid}", [c.op for c in mine], [c.op for c in made])
        for ours, theirs in zip(mine, made):
            findings.true(f"{ours} is not within {theirs}",
                          theirs.start <= ours.start and ours.end <= (theirs.end or 0))


def check_run(findings: Findings, guest: vm.Run, column: int) -> None:
    check_hooks(findings, guest.read("doctor").decode(), column)
    seen = frames.load(guest.files["top.jsonl"])
    # Memory is registered without a call.
    truth = account.Account([c for c in account.load(guest.files["load.traced"]).calls
                             if c.ordinal is not None])
    trace = ftrace.parse(*map(guest.read, ftrace.FILES))
    compare.check_all(findings, seen, truth, trace, None)
    findings.true("few were refused: this is no test",
                  seen[-1]["pools"][0]["class_sums"]["normal"]["limits"] >= 10)
    check_known(findings, "live", seen)
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
    """Calls, waits, times and RPCs are those of ftrace and of the clients; also in a recording. A
    device without hooks is shown, and nothing of it."""
    guest = vm.run(context, PLAIN.replace(RUN, HIDDEN + RUN), "--icount", *OPTIONS, seconds=400,
                   gets=(*GETS, "hidden", "hidden.replayed", "hidden.doctor", "metrics", "batch",
                         "check", "csv"))
    findings = Findings()
    check_hidden(findings, guest)
    check_run(findings, guest, 0)
    findings.done()


@test(check_all=True)
def ffa_kprobes(context: Context) -> None:
    """The same by kprobes, and a kretprobe where OP-TEE answers."""
    guest = vm.run(context, KPROBES, "--icount", *OPTIONS, seconds=400,
                   gets=GETS)
    findings = Findings()
    check_run(findings, guest, 1)
    findings.done()
