# SPDX-License-Identifier: GPL-2.0-only
"""Hooks that are attached and do not fire, devices that have none, and a view of some tasks only:
what is not seen is unknown and counted, and nobody is accused of it."""

import re
from typing import Sequence

from ..lib import account, frames, vm
from ..lib.frames import Object
from ..lib.registry import Context, Findings, test

SWITCHES = r"""
FTRACE=/proc/sys/kernel/ftrace_enabled
KPROBES=/sys/kernel/debug/kprobes/enabled
mountpoint -q /sys/kernel/debug || mount -t debugfs none /sys/kernel/debug
"""

# A call over and over, and one that holds a thread for long: what is lost of it looks like a drift.
FTRACE = SWITCHES + r"""
load() { # NAME REPEAT
	optee-load -o /tmp/load.$1 "name=$1 ta=invoke_tests repeat=$2 nop gap=10" || die "optee-load failed"
}

# Off as we attach: by kprobes, and said so.
echo 0 >$FTRACE
top_start -d 0.5
load kprobes 30
top_stop
mv /tmp/top.jsonl /tmp/top.kprobes
optee-top doctor >/tmp/doctor || die "doctor ended with $?"
echo 0 >$KPROBES
optee-top -b -n 1 >/tmp/refused 2>&1
echo "status $?" >>/tmp/refused
echo 1 >$KPROBES
echo 1 >$FTRACE

# Off while we are attached: for longer than a drift needs to be one, and calls begin and end meanwhile.
top_start -d 0.5
optee-top check --strict -- sh -c ': >/tmp/begun; until [ -e /tmp/over ]; do usleep 100000; done' \
	>/tmp/check 2>/tmp/check.err &
CHECK=$!
wait_for 60 test -e /tmp/begun
optee-load --records 0 -o /dev/null 'name=long repeat=0 wait=700 gap=30' &
LONG=$!
busy() { tail -n 1 /tmp/top.jsonl | grep -q '"comm": *"long"'; }
wait_for 20 busy
echo 0 >$FTRACE
silent() { tail -n 1 /tmp/top.jsonl | grep -q '"followed": *0'; }
wait_for 20 silent
load meanwhile 30
usleep 2500000
echo 1 >$FTRACE
back() { tail -n 1 /tmp/top.jsonl | grep -q '"followed": *1'; }
wait_for 20 back
kill $LONG
load after 30
top_settle
: >/tmp/over
kill -TERM $TOP
wait $TOP || die "optee-top ended with $?: $(cat /tmp/top.err)"
wait $CHECK
echo "status $?" >>/tmp/check
"""

# Of a device that is not followed these are known all the same: they are the driver's, or SCMI's,
# which has hooks of its own.
KNOWN = {"tee", "design", "threads", "reserved", "system_sessions", "driver_free", "policy",
         "policies_attached", "policies_ejected", "policy_left", "followed", "sight", "policies",
         "scmi"}


def unknown(findings: Findings, what: str, pool: Object) -> None:
    for key, value in pool.items():
        if key == "conditions":
            findings.equal(f"{what}: conditions that are known",
                           [k for k, v in value.items() if v is not None], [])
        elif key not in KNOWN and key != "class_sums":
            findings.equal(f"{what}: {key}", value, None)


def check_silent(findings: Findings, seen: Sequence[Object]) -> None:
    blind = [f for f in seen if f["pools"][0]["followed"] == 0]
    findings.true(f"{len(blind)} of {len(seen)} frames are not followed, this is no test",
                  5 <= len(blind) < len(seen) - 3)
    for frame in blind:
        where = f"frame {frame['seq']}"
        findings.true(f"{where}: {frame['pools'][0]['sight']}",
                      "hooks do not fire" in frame["pools"][0]["sight"])
        unknown(findings, where, frame["pools"][0])
        for row in frame["sessions"]:
            for key in ("calls_rate_per_second", "in_flight", "wait_p50_ns", "hold_p99_ns"):
                findings.equal(f"{where}: {row['client']}'s {key}", row[key], None)
    findings.equal("how often the hooks ceased to fire", seen[-1]["losses"]["hooks_silent"], 1)
    findings.true(f"calls unseen: {seen[-1]['losses']['calls_unseen']}, 30 were made meanwhile",
                  seen[-1]["losses"]["calls_unseen"] >= 30)
    findings.equal("drifts reported", [e for f in seen for e in f["events"]
                                       if e["condition"] in ("drift", "stranded")], [])
    last = seen[-1]["pools"][0]
    findings.equal("followed, drift, threads in use at the end",
                   (last["followed"], last["drift"], last["in_use_normal"]), (1, 0, 0))
    after = [r["calls"] for r in frames.final_sessions(seen) if r["client"] == "after"]
    findings.equal("calls of the session that came after", after, [32])


@test()
def sight_ftrace(context: Context) -> None:
    """ftrace is switched off before the attach, or while we are attached."""
    guest = vm.run(context, FTRACE, "--icount", gets=("top.kprobes", "load.kprobes", "doctor", "refused",
                                          "top.jsonl", "check", "check.err"))
    findings = Findings()
    seen = frames.load(guest.files["top.kprobes"])
    frames.check_sane(findings, seen)
    truth = account.load(guest.files["load.kprobes"])
    findings.equal("calls of the session, by kprobes",
                   [r["calls"] for r in frames.final_sessions(seen) if r["client"] == "kprobes"],
                   [len(truth.calls)])
    doctor = guest.read("doctor").decode()
    for hook in ("optee_smc_do_call_with_arg", "optee_cq_wait_for_completion"):
        findings.true(f"doctor does not say that {hook} is hooked by a kprobe, and why",
                      re.search(rf"^{hook} +kprobe +yes .*ftrace is switched off: "
                                r"sysctl kernel.ftrace_enabled=1", doctor, re.M) is not None)
    refused = guest.read("refused").decode()
    findings.true(f"with kprobes off, too: {refused!r}", re.fullmatch(
        r"optee-top: cannot trace '\S+': kprobes is switched off, and nothing else works here; run "
        r"'echo 1 >/sys/kernel/debug/kprobes/enabled'\nstatus 3\n", refused) is not None)
    check_silent(findings, frames.load(guest.files["top.jsonl"]))
    check = guest.read("check").decode()
    for rule, verdict in (("no_losses", "FAIL"), ("no_drift", "UNKNOWN"), ("no_stranded", "UNKNOWN")):
        findings.true(f"{rule} is not {verdict}:\n{check}",
                      re.search(rf"^{verdict} +{rule}\b", check, re.M | re.I) is not None)
    findings.true("no_count_leak fails", not re.search(r"^FAIL +no_count_leak", check, re.M))
    findings.true(f"the status of check --strict: {check[-20:]!r}", check.endswith("status 5\n"))
    findings.done()


NAMESPACE = r"""
optee-load -o /tmp/load --ready-file /tmp/ready --wait-file /tmp/go \
	'name=holder count=2 wait=9000' 'name=waiter at=300 wait=200' &
LOAD=$!
wait_for 60 test -e /tmp/ready
: >/tmp/go
in_queue() { cat /proc/[0-9]*/task/*/stack | grep -q optee_cq_wait_init; }
wait_for 20 in_queue
unshare -f -p -m sh -c 'mount -t proc none /proc && exec optee-top --json -d 0.5 -n 4' >/tmp/inside ||
	die "optee-top ended with $?"
wait $LOAD || die "optee-load failed"
"""


@test()
def sight_namespace(context: Context) -> None:
    """From a pid namespace of its own it finds all that was there, and no names of others."""
    guest = vm.run(context, NAMESPACE, "--icount", gets=("inside", "load"))
    findings = Findings()
    seen = frames.load(guest.files["inside"])
    truth = account.load(guest.files["load"])
    start = seen[0]["mono_ns"]
    flying = [c for c in truth.calls if c.start < start and (c.end or start) >= start]
    calls = [c for c in seen[0]["calls"] if c["tid"] in {f.tid for f in flying}]
    findings.equal("calls in flight (tid, pid, name, queued)",
                   sorted((c["tid"], c["pid"], c["comm"], c["queued"]) for c in calls),
                   sorted((c.tid, c.pid, None, c.client == "waiter") for c in flying))
    findings.true("three calls in flight: else this is no test", len(flying) == 3)
    clients = sorted(s["client"] for s in seen[0]["sessions"] if s["serial"] is not None)
    findings.true(f"sessions from before: {clients}",
                  [c for c in clients if c.startswith("holder")] != [] and "waiter" in clients)
    for frame in seen:
        findings.true(f"frame {frame['seq']}: drift {frame['pools'][0]['drift']}",
                      frame["pools"][0]["drift"] in (0, None))
        findings.equal(f"frame {frame['seq']}: drifts",
                       [e for e in frame["events"] if e["condition"] == "drift"], [])
    findings.done()


WITHOUT_PROC = r"""
optee-load --records 0 -o /dev/null --ready-file /tmp/ready \
	'name=idle ta=invoke_tests hold-sessions=1 hold' &
LOAD=$!
wait_for 60 test -e /tmp/ready
unshare -m sh -c 'umount -l /proc && exec optee-top --json -d 0.1 -n 1' >/tmp/without ||
	die "optee-top ended with $?"
kill $LOAD
"""


@test()
def sight_without_proc(context: Context) -> None:
    """Without /proc it still finds the device and the sessions that nobody calls in."""
    guest = vm.run(context, WITHOUT_PROC, "--icount", gets=("without",))
    findings = Findings()
    seen = frames.load(guest.files["without"])
    findings.equal("devices", [p["tee"] for p in seen[0]["pools"]], [0])
    findings.true(f"sessions: {seen[0]['sessions']}",
                  "idle" in [s["client"] for s in seen[0]["sessions"]])
    findings.done()
