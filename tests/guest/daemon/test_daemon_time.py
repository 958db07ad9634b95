# SPDX-License-Identifier: GPL-2.0-only
"""The clock is set while the daemon runs, and a client stops reading for longer than the
daemon remembers: who goes on has every frame once."""

from typing import Sequence

from ..lib import account, daemon, frames, logfiles, vm
from ..lib.exposition import read_classic
from ..lib.frames import Object
from ..lib.registry import Context, Findings, test
from .test_daemon import check_events, unpack
from .test_daemon_driver import split

DAY = 86400

CLOCK = daemon.SCRIPT + rf"""
mkdir -p -m 777 /tmp/out/log /tmp/out/text
exec 9<>/dev/tee0
set_clock() {{ date -s "@$(($(date +%s) + $1))" >/dev/null || die "cannot set the clock"; }}
load() {{ # NAME
	optee-load -o /tmp/out/load.$1 "name=$1 ta=invoke_tests repeat=100 nop" \
		'name=x wait=300' 'name=y wait=300' 'name=z wait=100' || die "optee-load failed"
}}
show() {{ {{ wget -q -O - $URL || die "no metrics"; }} >/tmp/out/metrics.$1; }}
daemon_start --group watchers --listen 9470 --log /tmp/out/log --log-interval 1 \
	--textfile /tmp/out/text/optee.prom
client frames 'optee-top --json'
client events 'optee-top events --json'
more frames 1
load one
more frames 2
set_clock -{DAY}
more frames 2
load two
more frames 2
show before
set_clock {3 * DAY}
more frames 2
load three
more frames 8
show after
client since 'optee-top --json --since 15s'
client since.events 'optee-top events --json --since 15s'
client before 'optee-top --json --since 24h'
wait_for 60 has since 17
wait_for 60 has before 17
grep '^optee_top_snapshots_total' /tmp/out/text/optee.prom >/tmp/out/textfile
end frames events since before since.events
daemon_stop
pack
"""


def check_counting(findings: Findings, what: str, seen: Sequence[Object]) -> None:
    """No frame is there twice, none is missing, no time goes back."""
    seqs = [f["seq"] for f in seen]
    findings.equal(f"{what}: seq", seqs, list(range(seqs[0], seqs[0] + len(seqs))))
    daemon.check_intervals(findings, what, seen, 1, 0.3)


@test()
def daemon_clock(context: Context) -> None:
    guest = vm.run(context, CLOCK, "--icount", gets=("out.tar",), seconds=500)
    out = unpack(guest, context.dir / "out")
    findings = Findings()
    seen = frames.load(out / "frames")
    frames.check_sane(findings, seen)
    check_counting(findings, "frames", seen)
    made = sum(c.ordinal is not None for n in ("one", "two", "three")
               for c in account.load(out / f"load.{n}").calls)
    findings.equal("calls", sum(r["calls"] for r in frames.final_sessions(seen)), made)
    check_events(findings, "events", frames.load(out / "events"), seen)
    for name in ("since", "before"):
        past = frames.load(out / name)
        check_counting(findings, name, past)
        daemon.check_same_frames(findings, name, past[1:], seen, 12)
    check_events(findings, "events --since", frames.load(out / "since.events"),
                 frames.load(out / "since")[1:])
    findings.true("the clock was not set back: this is no test",
                  any(b["ts"] < a["ts"] for a, b in zip(seen, seen[1:])))
    log = logfiles.lines(out / "log")
    logfiles.check_numbers(findings, log)
    times = [l["mono_ns"] for l in log if l["type"] == "pool"]
    gaps = [(b - a) / 1e9 for a, b in zip(times, times[1:-1])]  # the last is SIGTERM's
    findings.true(f"intervals of the log: {gaps}", all(0.7 < g < 1.5 for g in gaps))
    last = {l["serial"]: l["calls"] for l in log if l["type"] == "session" and l["serial"]}
    findings.equal("calls in the log", sum(last.values()), made)
    before, after = (read_classic((out / f"metrics.{n}").read_text()) for n in ("before", "after"))
    for key, value in before.samples.items():
        if key[0].endswith(("_total", "_count", "_sum", "_bucket")):
            findings.true(f"{key} fell from {value} to {after.samples.get(key)}",
                          after.samples.get(key, -1) >= value)
    snapshots = int((out / "textfile").read_text().split()[1])
    findings.true(f"the textfile was written last at snapshot {snapshots}",
                  snapshots > (before.get("optee_top_snapshots_total") or 0))
    findings.done()


# 1 MB is remembered; 300 sessions that call make some twenty seconds of that.
STOPPED = daemon.SCRIPT + r"""
exec 9<>/dev/tee0
daemon_start --group watchers --listen 9470
client frames 'optee-top --json'
client stopped 'optee-top --json'
client since 'optee-top --json --since 5s'
client record 'optee-top record /tmp/out/rec'
for name in frames stopped since; do more $name 2; done
kill -STOP $(cat /tmp/out/stopped.pid) $(cat /tmp/out/since.pid) $(cat /tmp/out/record.pid)
cut() { [ "$(metric optee_top_clients_cut_total)" -ge 3 ]; }
flood cut
lines frames >/tmp/out/cut
kill -CONT $(cat /tmp/out/stopped.pid) $(cat /tmp/out/since.pid) $(cat /tmp/out/record.pid)
for name in stopped since; do more $name 3; done
more frames 2
metric optee_top_clients_cut_total >/tmp/out/cuts
end frames stopped since record
daemon_stop
pack
"""


@test(long=True, check_all=True)
def daemon_stopped(context: Context) -> None:
    """SIGSTOP for longer than the history holds: cut, counted, and it goes on when it can."""
    guest = vm.run(context, STOPPED, "--icount", gets=("out.tar",), seconds=500)
    out = unpack(guest, context.dir / "out")
    findings = Findings()
    seen = frames.load(out / "frames")
    frames.check_sane(findings, seen)
    check_counting(findings, "who reads", seen)
    findings.equal("clients cut", (out / "cuts").read_text(), "3\n")
    made = sum(map(int, (out / "flood").read_text().split()))
    for name in ("frames", "stopped", "since"):
        mine = frames.load(out / name)
        findings.equal(f"calls that {name} was shown at last",
                       mine[-1]["pools"][0]["class_sums"]["normal"]["calls"] >= made, True)
        seqs = [f["seq"] for f in mine]
        findings.equal(f"{name}: frames in order, each once", seqs, sorted(set(seqs)))
        findings.equal(f"{name}: epochs", len(split(mine)), 1)
    findings.true("the stopped client missed nothing: this is no test", any(
        b["seq"] - a["seq"] > 3 for a, b in zip(*[frames.load(out / "stopped")[n:]
                                                  for n in (0, 1)])))
    findings.done()
