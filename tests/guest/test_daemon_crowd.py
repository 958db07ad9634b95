# SPDX-License-Identifier: GPL-2.0-only
"""A thousand clients that do not do as they should, ten thousand requests that are none:
who does as he should is served as if they were not there."""

import re
from collections import Counter

from . import account, daemon, frames, vm
from .exposition import read_classic
from .frames import Object
from .registry import Context, Findings, test
from .test_daemon import unpack

CROWD, MOB = 999, 10000
KINDS = 9
COMMON = daemon.SCRIPT + r"""
memory() { # NAME: what the worker has, and the kernel
	{
		grep -E '^Vm(RSS|HWM):' /proc/$(worker)/status
		grep -E '^(MemAvailable|SUnreclaim):' /proc/meminfo
	} >/tmp/out/memory.$1
}
show() { # NAME
	{ wget -q -O - $URL || die "no metrics"; } >/tmp/out/metrics.$1
}
mkdir -p -m 777 /tmp/out/log
exec 9<>/dev/tee0
daemon_start --group watchers --listen 9470 --log /tmp/out/log --log-interval 1
"""

# The load is there so that there is much to send: what stuck clients do not take has to
# be forgotten, all of 512 KB, and a call is a dozen bytes.
STUCK = COMMON + rf"""
client frames 'optee-top --json'
client record 'optee-top record /tmp/out/rec'
more frames 2
memory before
crowd $SOCKET {CROWD} /tmp/ready >/tmp/out/crowd &
CROWD=$!
wait_for 60 test -e /tmp/ready
memory during
optee-load -o /tmp/load 'name=many ta=invoke_tests sessions=300 repeat=120 nop gap=0..20' ||
	die "optee-load failed"
more frames 2
cut() {{ [ "$(metric optee_top_clients)" -le 30 ]; }}
wait_for 120 cut
memory after
kill -TERM $CROWD
wait $CROWD || die "crowd ended with $?"
more frames 1
show end
end frames record
daemon_stop
pack
"""


def memory(text: str) -> dict[str, int]:
    return {m[1]: int(m[2]) for m in re.finditer(r"^(\w+):\s+(\d+) kB$", text, re.M)}


@test(slots=2)
def daemon_crowd(context: Context) -> None:
    guest = vm.run(context, STUCK, "--icount", gets=("out.tar", "load"), seconds=500)
    out = unpack(guest, context.dir / "out")
    findings = Findings()
    seen = frames.load(out / "frames")
    frames.check_sane(findings, seen)
    daemon.check_intervals(findings, "the good client", seen, 1, 0.3)
    truth = account.load(guest.files["load"])
    calls: Counter[int] = Counter(c.ordinal for c in truth.calls if c.ordinal is not None)
    findings.equal("calls that the good client was shown",
                   sum(r["calls"] for r in frames.final_sessions(seen)), sum(calls.values()))
    crowd = {k: (int(n), int(closed)) for k, n, closed in
             (line.split() for line in (out / "crowd").read_text().splitlines())}
    for kind, (there, closed) in crowd.items():
        want = 0 if kind == "gone" else there
        findings.equal(f"clients that are {kind}, closed", closed, want)
    text = read_classic((out / "metrics.end").read_text())
    findings.equal("clients cut", text.get("optee_top_clients_cut_total"),
                   sum(n for k, (n, _) in crowd.items() if k != "gone"))
    findings.equal("clients served", text.get("optee_top_clients_served_total"), CROWD + 2)
    before, during, after = (memory((out / f"memory.{n}").read_text())
                             for n in ("before", "during", "after"))
    taken = before["MemAvailable"] - during["MemAvailable"]
    print(f"    RSS {before['VmRSS']} kB, {during['VmRSS']} kB with the crowd, at most "
          f"{after['VmHWM']} kB; the crowd takes {taken} kB of the kernel's memory")
    findings.true(f"RSS grew to {after['VmHWM']} kB", after["VmHWM"] < 8192)
    log = [line for path in out.glob("log/*.jsonl") for line in daemon.log_lines(path)]
    times = sorted({line["mono_ns"] for line in log if line["type"] == "pool"})
    gaps = [(b - a) / 1e9 for a, b in zip(times, times[1:])]
    findings.true(f"the log's interval was {max(gaps)} s", max(gaps) < 1.5)
    findings.done()


HOSTILE = COMMON + rf"""
client frames 'optee-top --json'
more frames 2
memory before
mob 9470 {MOB} >/tmp/out/mob || die "mob: status $?"
memory after
none() {{ [ "$(metric optee_top_http_connections)" -le 1 ]; }}
wait_for 60 none
show end
optee-top --json -n 1 >/tmp/out/last || die "no frame"
more frames 2
end frames
daemon_stop
pack
"""


def answers(text: str) -> dict[str, int]:
    return {code: int(n) for code, n in (line.split() for line in text.splitlines())}


@test(slots=2)
def daemon_mob(context: Context) -> None:
    guest = vm.run(context, HOSTILE, "--icount", gets=("out.tar",), seconds=500)
    out = unpack(guest, context.dir / "out")
    findings = Findings()
    seen: list[Object] = frames.load(out / "frames")
    frames.check_sane(findings, seen)
    daemon.check_intervals(findings, "the good client", seen, 1, 0.3)
    got = answers((out / "mob").read_text())
    text = read_classic((out / "metrics.end").read_text())
    findings.equal("requests made", sum(got.values()), MOB)
    counted = {code: int(text.get("optee_top_http_responses_total", code=code) or 0)
               for code in got if code != "none"}
    for code, n in got.items():
        # Whoever leaves, or is deaf, was answered, too.
        findings.true(f"answers {code}: {n} were got, {counted.get(code)} were counted",
                      code == "none" or counted[code] >= n)
    rest = sum(counted.values()) + (text.get("optee_top_http_cut_total") or 0)
    findings.true(f"{rest} answered or cut of {MOB}", rest >= MOB * 0.8)
    for code in "200", "400", "404", "405", "414", "431", "505":
        findings.true(f"no answer is {code}: {got}", got.get(code, 0) > 0)
    before, after = (memory((out / f"memory.{n}").read_text()) for n in ("before", "after"))
    print(f"    {got}, {int(text.get('optee_top_http_cut_total') or 0)} cut; RSS "
          f"{before['VmRSS']} kB, at most {after['VmHWM']} kB")
    findings.true(f"RSS grew to {after['VmHWM']} kB", after["VmHWM"] < 8192)
    findings.done()
