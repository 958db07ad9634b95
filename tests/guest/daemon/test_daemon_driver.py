# SPDX-License-Identifier: GPL-2.0-only
"""The daemon goes on: when the driver comes later, leaves and comes back, when its worker
or itself is killed, and whoever of its clients comes, goes or is killed."""

from typing import Any, Mapping, Sequence

from ..lib import account, daemon, frames, vm
from ..lib.frames import Object
from ..lib.registry import Context, Findings, test
from .test_daemon import unpack

COMMON = daemon.SCRIPT + r"""
load() { # NAME
	optee-load -o /tmp/out/load.$1 "name=$1 ta=invoke_tests repeat=20 nop gap=10" \
		'name=a at=50 wait=300' 'name=b at=50 wait=300' 'name=c at=70 wait=100' ||
		die "optee-load $1 failed"
}
driver_in() { modprobe optee && wait_for 60 test -e /dev/tee0; }
device() { echo firmware:optee >/sys/bus/platform/drivers/optee/$1 || die "cannot $1 the device"; }
up() { [ "$(metric optee_up)" = "$1" ]; }
show() { # NAME: what the metrics say
	{ wget -q -O - $URL || die "no metrics"; } >/tmp/out/metrics.$1
}
"""

DRIVER = COMMON + r"""
mkdir -p -m 777 /tmp/out/log
daemon_start --group watchers --listen 9470 --log /tmp/out/log --log-interval 1
wait_for 60 up 0
show none
client frames 'optee-top --json'
client events 'optee-top events --json'
waits() { grep -q 'waiting for it' /tmp/out/$1.err; }
wait_for 60 waits frames
wait_for 60 waits events
[ ! -s /tmp/out/frames ] || die "a frame without a driver"
driver_in
tee-supplicant -d || die "cannot start tee-supplicant"
wait_for 60 up 1
more frames 1
load one
more frames 2
client since 'optee-top --json --since 1h'
more since 3
show one
rmmod optee 2>/dev/null && die "rmmod worked while the daemon was attached"
killall tee-supplicant
device unbind
wait_for 60 up 0
show gone
rmmod optee || die "rmmod failed while the daemon waits"
driver_in
tee-supplicant -d
wait_for 60 up 1
more frames 1
load two
more frames 2
more since 2
show two
kill -TERM $(cat /tmp/out/frames.pid) $(cat /tmp/out/events.pid) $(cat /tmp/out/since.pid)
wait $(cat /tmp/out/since.pid) || die "since ended with $?"
wait $(cat /tmp/out/frames.pid) || die "frames ended with $?"
wait $(cat /tmp/out/events.pid) || die "events ended with $?"
daemon_stop
pack
"""


def counted(frame: Object) -> tuple[int, int]:
    return frame["seq"], sum(c["calls"] for p in frame["pools"] for c in p["class_sums"].values())


def split(seen: Sequence[Object]) -> list[list[Object]]:
    """The frames by epoch: a new one begins to count anew. A client that merged its first
    frames has not seen the small numbers, so calls tell as well."""
    parts: list[list[Object]] = []
    for frame in seen:
        if not parts or any(n < m for n, m in zip(counted(frame), counted(parts[-1][-1]))):
            parts.append([])
        parts[-1].append(frame)
    return parts


def told(event: Object) -> tuple[int, str, int, str]:
    """What makes it the one that it is: two calls may starve at once."""
    return event["mono_ns"], event["condition"], event["episode"], event["state"]


def metric(text: str, name: str) -> float | None:
    for line in text.splitlines():
        if line.startswith(name + " "):
            return float(line.rsplit(" ", 1)[1])
    return None


def check_epochs(findings: Findings, lines: Sequence[Mapping[str, Any]], epochs: int) -> None:
    """Log lines tell the epochs apart, and figures of one begin small."""
    order = list(dict.fromkeys(line["epoch"] for line in lines))
    findings.equal("epochs in the log", len(order), epochs)
    findings.equal("epochs in order", order, sorted(order))
    for epoch in order:
        mine = [line["mono_ns"] for line in lines if line["epoch"] == epoch]
        findings.true("a line is older than its epoch", min(mine) >= epoch)


def log_of(out: Any) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for path in sorted(out.glob("log/*.jsonl*"), reverse=True):
        found += daemon.log_lines(path)
    return found


@test()
def daemon_driver(context: Context) -> None:
    """Started before the driver; it leaves, and comes back, with clients that stay."""
    guest = vm.run(context, DRIVER, "--no-tee", gets=("out.tar",), seconds=400)
    out = unpack(guest, context.dir / "out")
    findings = Findings()
    parts = split(frames.load(out / "frames"))
    findings.equal("epochs in the frames", len(parts), 2)
    events = frames.load(out / "events")
    # The daemon remembers the first epoch in the second, too; it is not told again.
    since = [f["mono_ns"] for f in frames.load(out / "since")]
    findings.equal("frames of --since, each once", since, sorted(set(since)))
    findings.true("--since has not both epochs",
                  since[0] < parts[0][-1]["mono_ns"] and since[-1] >= parts[1][0]["mono_ns"])
    for name, part in zip(("one", "two"), parts):
        truth = account.load(out / f"load.{name}")
        frames.check_sane(findings, part, merged=True)
        rows = [s for s in frames.final_sessions(part) if s["client"] == name]
        findings.equal(f"{name}'s sessions, calls", [r["calls"] for r in rows], [22])
        findings.equal(f"calls of {name}", sum(r["calls"] for r in frames.final_sessions(part)),
                       sum(c.ordinal is not None for c in truth.calls))
        begin, end = part[0]["mono_ns"], part[-1]["mono_ns"]
        mine = [e for e in events if begin < e["mono_ns"] <= end]
        inside = [e for f in part[1:] for e in f["events"]]
        findings.equal(f"events of {name}, by events and in frames",
                       sorted(map(told, mine)), sorted(map(told, inside)))
        findings.true(f"{len(inside)} events of {name} are no test", len(inside) >= 2)
    for name in ("frames", "events"):
        # A busy machine may keep a client waiting, which it says.
        said = [line for line in (out / f"{name}.err").read_text().splitlines()
                if "the daemon has sent nothing for" not in line]
        findings.true(f"what {name} says: {said}",
                      len(said) in (1, 2) and all("waiting for it" in line for line in said))
    texts = {n: (out / f"metrics.{n}").read_text() for n in ("none", "one", "gone", "two")}
    findings.equal("optee_up", [metric(t, "optee_up") for t in texts.values()], [0, 1, 0, 1])
    times = [metric(t, "optee_attached_timestamp_seconds") for t in texts.values()]
    findings.equal("no time of an attach without a driver", times[::2], [None, None])
    findings.true(f"times of the attaches: {times}", (times[1] or 0) < (times[3] or 0))
    check_epochs(findings, log_of(out), 2)
    findings.equal("what the daemon says", (out / "daemon.err").read_text(), "")
    findings.done()


KILLS = COMMON + r"""
mkdir -p -m 777 /tmp/out/log
exec 9<>/dev/tee0
daemon_start --group watchers --listen 9470 --log /tmp/out/log --log-interval 1
client frames 'optee-top --json'
client events 'optee-top events --json'
client killed 'optee-top --json'
client record 'optee-top record /tmp/out/rec'
more frames 2
load one
more frames 2
show one
kill -KILL $(cat /tmp/out/killed.pid)
FIRST=$(worker)
kill -KILL $FIRST
other() { [ -n "$(worker)" ] && [ "$(worker)" != $FIRST ] && serves; }
wait_for 90 other
again() { [ "$(tail -n +$((AT + 1)) /tmp/out/frames | wc -l)" -ge 1 ]; }
AT=$(lines frames)
wait_for 90 again
load two
more frames 2
show two
# Of the supervisor: the worker is to go with it, and with that the probes.
SECOND=$(worker)
kill -KILL $DAEMON
wait $DAEMON
gone() { [ ! -e /proc/$SECOND ]; }
wait_for 30 gone
[ -S $SOCKET ] || die "no socket is left: this is no test"
daemon_start --group watchers --listen 9470 --log /tmp/out/log --log-interval 1
more frames 2
# Fifty come and go, ten of them by kill -9.
n=0
while [ $n -lt 50 ]; do
	n=$((n + 1))
	client many.$n "optee-top --json$([ $n -le 10 ] || echo ' -n 1')"
done
load three
for n in 1 2 3 4 5 6 7 8 9 10; do kill -KILL $(cat /tmp/out/many.$n.pid); done
while [ $n -lt 50 ]; do
	n=$((n + 1))
	wait $(cat /tmp/out/many.$n.pid) || die "client $n of many ended with $?"
	[ "$(lines many.$n)" = 1 ] || die "client $n of many has $(lines many.$n) frames"
done
gone() { [ "$(metric optee_top_clients)" = 3 ]; }
wait_for 60 gone
more frames 2
end frames events record
daemon_stop
pack
exec 9<&-
killall tee-supplicant
device unbind
rmmod optee || die "rmmod failed: the probes are left"
"""


@test()
def daemon_killed(context: Context) -> None:
    """kill -9 of a client, of the worker, of the supervisor: counters begin anew, and say so."""
    guest = vm.run(context, KILLS, gets=("out.tar",), seconds=400)
    out = unpack(guest, context.dir / "out")
    findings = Findings()
    parts = split(frames.load(out / "frames"))
    findings.equal("epochs in the frames", len(parts), 3)
    for name, part in zip(("one", "two", "three"), parts):
        frames.check_sane(findings, part, merged=True)
        truth = account.load(out / f"load.{name}")
        findings.equal(f"calls of {name}", sum(r["calls"] for r in frames.final_sessions(part)),
                       sum(c.ordinal is not None for c in truth.calls))
        findings.true(f"no event of {name}",
                      any(e["condition"] == "exhausted" for f in part for e in f["events"]))
    events = frames.load(out / "events")
    inside = {told(e) for p in parts for f in p[1:] for e in f["events"]}
    have = [told(e) for e in events]
    findings.true("events of a frame were not told, or one twice",
                  inside <= set(have) and len(have) == len(set(have)))
    times = [metric((out / f"metrics.{n}").read_text(), "optee_attached_timestamp_seconds")
             for n in ("one", "two")]
    findings.true(f"times of the attaches: {times}", (times[0] or 0) < (times[1] or 0))
    check_epochs(findings, log_of(out), 3)
    said = (out / "daemon.err").read_text().splitlines()
    findings.equal("lines that the daemon says", len(said), 1)
    findings.true(f"it says {said}", "killed by signal 9" in said[0])
    findings.done()
