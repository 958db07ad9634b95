# SPDX-License-Identifier: GPL-2.0-only
"""The daemon as a service of a real systemd: started, reloaded, killed and stopped by it."""

import json
from typing import Any, Sequence

from ..lib import account, frames, unit, vm
from ..lib.registry import Context, Findings, test

# Each load is one session of 22 calls; what is to be seen of it is compared with its account.
RUN = r"""
load() { optee-load -o /tmp/load.$1 "name=$1 ta=invoke_tests repeat=20 nop gap=5" || die "load"; }
workers() { cat /proc/"$(shows MainPID)"/task/*/children | tr -d ' '; }
by_viewer() { su -s /bin/sh viewer -c "$*"; }
says() { journalctl -u $unit -o cat --no-pager | grep -q "$1"; }
# The second one: the first may be of the second before we came.
frame() { optee-top --json -n 2 >/tmp/frames && tail -1 /tmp/frames >"/tmp/frame.$1" || die "$1"; }
note() { echo "$1 $2" >>/tmp/notes; }

printf 'viewer:x:4001:4001::/tmp:/bin/sh\nstranger:x:4002:4002::/tmp:/bin/sh\n' >>/etc/passwd
printf 'viewer:x:4001:\nstranger:x:4002:\n' >>/etc/group
sed -i 's/^optee-top:.*/&viewer/' /etc/group
echo 'log-interval 3600' >>/etc/optee-top/daemon.conf

# Type=notify: when start returns it serves already.
start
by_viewer optee-top --json -n 1 >/tmp/frame.viewer || die "a member of the group has no frame"
su -s /bin/sh stranger -c 'optee-top --json -n 1' >/tmp/frame.stranger 2>/tmp/said.stranger
note stranger $?
note text "$(shows StatusText)"
note security "$(systemd-analyze security --no-pager $unit | tail -1)"
main=$(shows MainPID)
for pid in "$main" "$(workers)"; do
	grep -E '^(Uid|CapPrm|CapEff|Seccomp|NoNewPrivs):' /proc/"$pid"/status
	echo
done >/tmp/status
stat -c '%a %U %G %n' /run/optee-top/optee-top.sock /var/log/optee-top \
	/var/log/optee-top/optee-top.jsonl >/tmp/modes
load one
frame one

# Reload: the option that is new, and the log file that was moved away.
echo 'textfile /run/optee-top/optee-top.prom' >>/etc/optee-top/daemon.conf
mv /var/log/optee-top/optee-top.jsonl /var/log/optee-top/away
systemctl reload $unit || die "reload failed"
wait_for 60 test -s /run/optee-top/optee-top.prom
load again
wait_for 20 test -e /var/log/optee-top/optee-top.jsonl
is MainPID "$main" || die "another main process after the reload"

# kill -9 of the worker: the service goes on with another one, from 0.
worker=$(workers)
kill -9 "$worker"
next() { now=$(workers); [ -n "$now" ] && [ "$now" != "$worker" ]; }
wait_for 60 next
follows() { is StatusText "follows the call queue" && optee-top --json -n 1 >/dev/null 2>&1; }
wait_for 60 follows
note restarts.worker "$(shows NRestarts)"
is MainPID "$main" || die "another main process after the worker was killed"
load two
frame two

# kill -9 of the main process: systemd starts all of it again.
kill -9 "$main"
again() { ! is MainPID "$main" && ! is MainPID 0 && is ActiveState active; }
wait_for 60 again
note restarts.main "$(shows NRestarts)"
wait_for 60 follows
load three
frame three

# The driver leaves and comes.
systemctl stop tee-supplicant
echo firmware:optee >/sys/bus/platform/drivers/optee/unbind
waits() { is StatusText "waits for the optee driver"; }
wait_for 60 waits
is ActiveState active || die "the service went with the driver"
echo firmware:optee >/sys/bus/platform/drivers/optee/bind
wait_for 60 follows
systemctl start tee-supplicant

# Stop: what was counted since the last figures is in the log.
load four
systemctl stop $unit || die "stop failed"
note result "$(shows Result)"
cat /var/log/optee-top/away /var/log/optee-top/optee-top.jsonl >/tmp/log
[ -e /run/optee-top ] && note left "/run/optee-top"

# What it cannot use ends it, in one line.
echo 'log-size none' >>/etc/optee-top/daemon.conf
systemctl start $unit && die "it started with a wrong option"
systemctl reset-failed
journalctl -u $unit -o json --no-pager >/tmp/journal
"""
NAMES = ("one", "two", "three")
JOURNAL = (
    "optee-top: the worker was killed by signal 9: the history is lost, and counters start over",
    "optee-top: cannot use 'log-size none': not a number from",
    "optee-top: cannot use '/etc/optee-top/daemon.conf': see line",
)


def calls_of(truth: account.Account) -> int:
    return len(truth.calls)


def check_frames(findings: Findings, guest: vm.Run) -> None:
    """Each epoch has the calls of its own load."""
    epochs = []
    for name in NAMES:
        truth = account.load(guest.files[f"load.{name}"])
        (frame,) = frames.load(guest.files[f"frame.{name}"])
        rows = [s for s in frame["sessions"] if s["client"] == name]
        others = [s["client"] for s in frame["sessions"] if s["client"] in set(NAMES) - {name}]
        # A closed session is shown in the frame of its end only: the pool has its calls.
        counted = frame["pools"][0]["class_sums"]["normal"]["calls"]
        internal = frames.no_session(frame)["calls"]
        findings.equal(f"calls in the epoch of {name}", counted - internal, calls_of(truth))
        findings.equal(f"sessions of other epochs in that of {name}", others, [])
        findings.true(f"{len(rows)} rows of {name}", len(rows) <= 1)
        epochs.append(frame["boot_id"])
    findings.equal("boots", len(set(epochs)), 1)


def check_log(findings: Findings, lines: Sequence[Any]) -> None:
    """Every load is in the log, each in another epoch; the last one by the stop alone."""
    found = {line["client"]: (line["epoch"], line["calls"], line["state"]) for line in lines
             if line["type"] == "session" and line["client"] in (*NAMES, "four")}
    findings.equal("loads in the log", sorted(found), sorted((*NAMES, "four")))
    findings.equal("epochs", len({epoch for epoch, _, _ in found.values()}), 4)
    for name, (_, calls, state) in found.items():
        findings.equal(f"{name} in the log", (calls, state), (22, "closed"))
    last = max(lines, key=lambda line: (line["epoch"], line["seq"]))["epoch"]
    sums = [line["calls"] for line in lines if line["type"] == "ta" and line["epoch"] == last
            and line["ta"] == "invoke-tests.pta"]
    findings.equal("the last figures of four by TA", sums[-1:], [22])


def check_journal(findings: Findings, text: bytes) -> None:
    """Our lines are those that are due, each whole and once, by the right unit."""
    said = [json.loads(line) for line in text.decode().splitlines()]
    ours = [entry["MESSAGE"] for entry in said if entry.get("_COMM") == "optee-top"]
    for want in JOURNAL:
        findings.equal(f"lines of the journal like {want!r}",
                       len([m for m in ours if m.startswith(want)]), 1)
    findings.equal("other lines in the journal",
                   [m for m in ours if not m.startswith(JOURNAL)], [])


def check_processes(findings: Findings, text: bytes) -> None:
    main, worker = ({key: value.strip() for key, _, value in
                     (line.partition(":") for line in part.splitlines())}
                    for part in text.decode().strip().split("\n\n"))
    findings.equal("the worker's user", worker["Uid"], main["Uid"])
    findings.true(f"the user is {main['Uid']}", "0" not in main["Uid"].split())
    for key in ("CapPrm", "CapEff"):
        findings.equal(f"the worker's {key}", int(worker[key], 16), 0)
    for what, status in (("main", main), ("worker", worker)):
        findings.equal(f"{what}: NoNewPrivs, Seccomp",
                       (status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))


@test(long=True)
def unit_daemon(context: Context) -> None:
    gets = ["notes", "frame.viewer", "frame.stranger", "said.stranger", "status", "modes", "log",
            "journal", *(f"{what}.{name}" for name in NAMES for what in ("frame", "load"))]
    guest = unit.run(context, RUN, gets=gets, seconds=400)
    findings = Findings()
    notes = dict(line.split(" ", 1) for line in guest.read("notes").decode().splitlines())
    findings.true("the group's member has a frame", len(guest.read("frame.viewer")) > 0)
    findings.equal("frames of a stranger", guest.read("frame.stranger"), b"")
    findings.true("a stranger is let in", notes["stranger"] != "0")
    for name, want in (("text", "follows the call queue"), ("restarts.worker", "0"),
                       ("restarts.main", "1"), ("result", "success"), ("left", None)):
        findings.equal(name, notes.get(name), want)
    findings.true(f"its exposure: {notes['security']}",
                  unit.figure(notes["security"]) < unit.LIMIT)
    findings.equal("modes and owners", guest.read("modes").decode().splitlines(), [
        "660 optee-top optee-top /run/optee-top/optee-top.sock",
        "750 optee-top optee-top /var/log/optee-top",
        "640 optee-top optee-top /var/log/optee-top/optee-top.jsonl"])
    check_processes(findings, guest.read("status"))
    check_frames(findings, guest)
    check_log(findings, [json.loads(line) for line in guest.read("log").splitlines()])
    check_journal(findings, guest.read("journal"))
    findings.done()
