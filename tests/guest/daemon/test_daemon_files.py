# SPDX-License-Identifier: GPL-2.0-only
"""What the daemon writes: SIGHUP has it read its options and open its files anew, SIGTERM
has it write the last there is; a full disk and hostile names harm neither."""

import csv
from collections import Counter
from pathlib import Path
from typing import Any, Mapping

from ..lib import account, daemon, exposition, frames, logfiles, vm
from ..lib.registry import Context, Findings, test
from .test_daemon import unpack
from ..lib.names import NAMES, sayable, shown

# The figures of the second load were made when nobody had looked yet: SIGTERM comes at once.
HUP = daemon.SCRIPT + r"""
mkdir -p -m 777 /tmp/out/log /tmp/out/moved /tmp/out/log2 /tmp/out/text
exec 9<>/dev/tee0
options() { # LINE...: the file of options
	printf '%s\n' 'group watchers' 'listen 9470' 'textfile /tmp/out/text/optee.prom' "$@" >/tmp/conf
}
load() { # NAME
	optee-load -o /tmp/out/load.$1 "name=$1 ta=invoke_tests repeat=20 nop" || die "optee-load failed"
}
snapshots() { [ "$(metric optee_top_snapshots_total)" -gt "$1" ]; }
more_snapshots() { wait_for 60 snapshots $(($(metric optee_top_snapshots_total) + $1)); }
options 'log /tmp/out/log' 'log-interval 1000'
daemon_start --config /tmp/conf
client frames 'optee-top --json'
more frames 1
load one
more_snapshots 2
mv /tmp/out/log/optee-top.jsonl /tmp/out/moved/
kill -HUP $DAEMON
more_snapshots 1
optee-load -o /dev/null 'name=hup ta=invoke_tests nop' || die "optee-load failed"
wait_for 60 test -s /tmp/out/log/optee-top.jsonl
# Who reads what it says may be gone, also for the supervisor.
kill -PIPE $DAEMON
# A broken file: one is told, and what was there stays.
options 'log /tmp/out/log2' 'log-interval never'
kill -HUP $DAEMON
wait_for 60 said 1 "see line 5"
load two
more_snapshots 2
[ ! -e /tmp/out/log2/optee-top.jsonl ] || die "a broken file has changed something"
grep -q '"two"' /tmp/out/log/optee-top.jsonl || die "there is no log any more"
rm /tmp/conf
kill -HUP $DAEMON
wait_for 60 said 1 "cannot read '/tmp/conf'"
# A good one, with a group that cannot change.
options 'log /tmp/out/log2' 'log-csv' 'group nobody'
kill -HUP $DAEMON
wait_for 60 test -s /tmp/out/log2/pools.csv
wait_for 60 said 1 "restarted"
load three
more frames 2
end frames
load four
daemon_stop
stat -c '%a %u %g %n' /tmp/out/log2/* /tmp/out/text/* >/tmp/out/modes
pack
"""


def calls_logged(directory: Path) -> Counter[str]:
    """The last that the log says of each session, by client."""
    rows = {(l["epoch"], l["serial"]): l for l in logfiles.lines(directory)
            if l["type"] == "session" and l["serial"] is not None}
    found: Counter[str] = Counter()
    for row in rows.values():
        found[row["client"]] += row["calls"]
    return found


@test()
def daemon_signals(context: Context) -> None:
    guest = vm.run(context, HUP, "--icount", gets=("out.tar",), seconds=400)
    out = unpack(guest, context.dir / "out")
    findings = Findings()
    calls = {n: len(account.load(out / f"load.{n}").calls) for n in ("one", "two", "three", "four")}
    logged = [calls_logged(out / where) for where in ("moved", "log", "log2")]
    for where, name in zip(logged, ("one", "two", "three")):
        findings.equal(f"calls of {name} in its log", where[name], calls[name])
    findings.equal("calls of the last load in the log", logged[2]["four"], calls["four"])
    findings.true(f"in the file that was moved away: {logged[0]}", not logged[0]["two"])
    with open(out / "log2/sessions.csv", newline="") as f:
        rows = {r["serial"]: r for r in csv.DictReader(f)}
    findings.equal("calls of the last load as CSV",
                   sum(int(r["calls"]) for r in rows.values() if r["client"] == "four"),
                   calls["four"])
    text = exposition.read_classic((out / "text/optee.prom").read_text())
    findings.equal("calls in the textfile", sum(
        v for (name, labels), v in text.samples.items() if name == "optee_calls_total"
        and dict(labels)["ta"] != "(no session)"), sum(calls.values()) + 3)
    modes = {line.split()[3].rsplit("/", 1)[1]: line.split()[:3]
             for line in (out / "modes").read_text().splitlines()}
    for name in ("optee-top.jsonl", "pools.csv", "sessions.csv"):
        findings.equal(f"mode, user and group of {name}", modes[name], ["640", "65534", "900"])
    findings.equal("mode of the textfile", modes["optee.prom"][0], "644")
    said = (out / "daemon.err").read_text().splitlines()
    findings.equal(f"lines said: {said}", len(said), 4)
    findings.true("frames stopped", len(frames.load(out / "frames")) > 5)
    findings.done()


# A client's name is in the log, in CSV, in frames; its TA's in labels.
HOSTILE = daemon.SCRIPT + r"""
mkdir -p -m 777 /tmp/out/log /tmp/small
mount -t tmpfs -o size=512k,mode=777 none /tmp/small || die "no small file system"
optee-load -o /dev/null --ready-file /tmp/ready @CLIENTS@ &
LOAD=$!
wait_for 60 test -e /tmp/ready
daemon_start --group watchers --listen 9470 --log /tmp/out/log --log-csv --log-interval 1
client frames 'optee-top --json'
client events 'optee-top events'
client batch 'optee-top -b'
more frames 3
{ wget -q -O - $URL || die "no metrics"; } >/tmp/out/metrics
kill $LOAD
wait $LOAD
end frames events batch
daemon_stop
# The disk of the log is full, and then there is room.
dd if=/dev/zero of=/tmp/small/filler bs=1k 2>/dev/null
daemon_start --group watchers --listen 9470 --log /tmp/small/log --log-interval 1 \
	--textfile /tmp/small/optee.prom
exec 9<>/dev/tee0
lost() { [ "$(metric optee_top_log_lines_lost_total)" -gt 0 ]; }
wait_for 60 lost
wait_for 60 said 1 "No space left"
optee-load -o /dev/null 'name=during ta=invoke_tests repeat=20 nop' || die "optee-load failed"
as member 'optee-top --json -n 1' >/tmp/out/full || die "no frame with a full disk"
rm /tmp/small/filler
written() { grep -q '"type":"gap"' /tmp/small/log/optee-top.jsonl; }
wait_for 60 written
written_file() { [ -s /tmp/small/optee.prom ]; }
wait_for 60 written_file
daemon_stop
cp -r /tmp/small/log /tmp/out/small
pack
"""


@test()
def daemon_hostile(context: Context) -> None:
    """Names of every byte; and a disk that was full, in the daemon itself."""
    clients = " ".join(f"'name={sayable(n)} repeat=0 wait=50..100'" for n in NAMES)
    guest = vm.run(context, HOSTILE.replace("@CLIENTS@", clients), "--icount",
                   gets=("out.tar",), seconds=400)
    out = unpack(guest, context.dir / "out")
    findings = Findings()
    want = sorted(map(shown, NAMES))
    seen = frames.load(out / "frames")
    findings.equal("names in frames", sorted({s["client"] for s in frames.final_sessions(seen)}),
                   want)
    lines: list[Mapping[str, Any]] = list(logfiles.lines(out / "log"))
    findings.equal("names in the log", sorted({
        l["client"] for l in lines if l["type"] == "session" and l["serial"] is not None}), want)
    with open(out / "log/sessions.csv", newline="") as f:
        rows = [r for r in csv.DictReader(f) if r["serial"]]
    # What a spreadsheet would take for a formula has a ' before it.
    findings.equal("names in CSV", sorted({r["client"].removeprefix("'") for r in rows}),
                   sorted(n.removeprefix("'") for n in want))
    exposition.read_classic((out / "metrics").read_text())
    findings.equal("promtool's objections", exposition.promtool((out / "metrics").read_text()), [])
    for path in [out / "frames", out / "events", out / "batch", out / "metrics",
                 *(out / "log").iterdir()]:
        if path.suffix == ".gz":
            continue
        text = path.read_bytes().decode(errors="surrogateescape")  # what is no UTF-8 is strange
        strange = {c for c in text if not c.isprintable()} - {"\n", "\r"}
        findings.equal(f"what is not printable in {path.name}", sorted(strange), [])
    gaps = [l for l in logfiles.lines(out / "small") if l["type"] == "gap"]
    findings.true(f"gaps in the log of the full disk: {gaps}", len(gaps) >= 1)
    said = [l for l in (out / "daemon.err").read_text().splitlines() if "/tmp/small/log" in l]
    findings.true(f"of the log is said {said}", 1 <= len(said) <= 2)
    findings.done()
