# SPDX-License-Identifier: GPL-2.0-only
"""Clients choose their names: no byte of them may do any harm in any output."""

import unicodedata

from ..lib import frames, vm
from ..lib.names import NAMES, PRINTABLE, back, sayable, shown
from ..lib.registry import Context, Findings, test

RUN = r"""
trap '' PIPE
optee-load -o /dev/null --ready-file /tmp/ready %s &
LOAD=$!
wait_for 60 test -e /tmp/ready
top_start -d 0.5
optee-top -b -d 0.5 -n 2 >/tmp/batch 2>/tmp/batch.err || die "batch: $(cat /tmp/batch.err)"
optee-top -b -d 0.5 -n 1 -p "$(printf '\033')" >/tmp/filtered || die "the filter failed"
for part in café 'back\slash' 'back\x5csl' 日; do
	optee-top -b -d 0.5 -n 1 -p "$part" | grep -c ' user ' >>/tmp/parts
done
kill $LOAD
wait $LOAD
top_stop
"""


def cells(text: str) -> int:
    """Of a terminal: some characters take two."""
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text)


@test()
def hostile_comm(context: Context) -> None:
    # Some are in flight, some in the queue, at every moment.
    clients = " ".join(f"'name={sayable(n)} repeat=0 wait=150..300'" for n in NAMES)
    guest = vm.run(context, RUN % clients, "--icount",
                   gets=("top.jsonl", "batch", "filtered", "parts"))
    findings = Findings()
    seen = frames.load(guest.files["top.jsonl"])
    clients_shown = {s["client"] for s in frames.final_sessions(seen)}
    findings.equal("the clients' names in JSON", sorted(clients_shown),
                   sorted(map(shown, NAMES)))
    findings.equal("the names, decoded", sorted(map(back, clients_shown)), sorted(NAMES))
    callers = {c["comm"] for f in seen for c in f["calls"] if not c["comm"].startswith("irq/")}
    findings.true("no call in flight was ever seen", bool(callers))
    findings.equal("callers that are no clients", sorted(callers - set(map(shown, NAMES))), [])
    for name in ("top.jsonl", "batch", "filtered"):
        strange = set(guest.read(name).decode()) - set(map(chr, range(0x20, 0x7f))) - {"\n"}
        findings.equal(f"characters in {name} that are not to be printed",
                       sorted(strange - set(PRINTABLE)), [])
    findings.equal("rows that -p leaves", guest.read("parts").decode().split(), list("1112"))
    lines = guest.read("batch").decode().splitlines()
    findings.equal("columns in which ORIGIN begins", len({
        cells(line[:line.index(" user ")]) for line in lines if " user " in line}), 1)
    findings.equal("lines of sessions in the two batch frames",
                   sum(1 for line in lines if " user " in line), 2 * len(NAMES))
    findings.true("no waiter is shown in batch", any(line.startswith("wait ") for line in lines))
    findings.done()


CROWD = 400

# The driver registers its pages for the arguments of calls one by one, and few callers get
# into the queue before it has enough: quick calls take care of that first.
CROWD_RUN = rf"""
chmod 666 /dev/tee0
optee-load -r 0 -o /dev/null 'name=warm ta=invoke_tests threads={CROWD + 50} repeat=20 nop' ||
	die "optee-load failed"
optee-top daemon --log /tmp/log --log-interval 5 2>/tmp/daemon.err &
DAEMON=$!
attached() {{ optee-top metrics 2>/dev/null | grep -q '^optee_up 1$'; }}
wait_for 60 attached
top_start -d 0.5
su nobody -s /bin/sh -c '/opens {CROWD} 12' >/tmp/failed &
OPENS=$!
crowded() {{ tail -n 1 /tmp/top.jsonl | grep -Eq '"waiting_normal":3[5-9][0-9]'; }}
wait_for 60 crowded
optee-top --direct --json -d 0.5 -n 2 >/tmp/late.jsonl || die "it cannot be attached"
wait $OPENS || die "an open did what it should not"
optee-load -o /tmp/load 'ta=invoke_tests nop' || die "optee-load failed"
top_settle
optee-top metrics >/tmp/metrics || die "no metrics"
top_stop
kill -TERM $DAEMON
wait $DAEMON || die "the daemon ended with status $?: $(cat /tmp/daemon.err)"
cat /tmp/log/optee-top.jsonl >/tmp/log.jsonl
"""


@test(check_all=True)
def hostile_opens(context: Context) -> None:
    """400 threads of nobody's open sessions of TAs that do not exist: all of them are seen,
    they make no rows and no sessions, and the log is not theirs."""
    guest = vm.run(context, CROWD_RUN, "--put", f"{vm.ROOT}/build/arm64/opens:/opens",
                   gets=("top.jsonl", "late.jsonl", "failed", "metrics", "log.jsonl"), seconds=240)
    findings = Findings()
    seen = frames.load(guest.files["top.jsonl"])
    failed = int(guest.read("failed"))
    frames.check_sane(findings, seen)
    none = frames.no_session(seen[-1])
    findings.true(f"{failed} opens failed, {none['ops']} are calls without a session",
                  none["ops"].get("open") == failed == none["failed"])
    waiting = [f["pools"][0]["waiting_normal"] for f in seen]
    findings.true(f"at most {max(waiting)} waited: this is no test", max(waiting) > 350)
    for frame in seen:
        pool = frame["pools"][0]
        queued = sum(1 for call in frame["calls"] if call["queued"])
        findings.true(f"frame {frame['seq']}: {pool['waiting_normal']} wait, {queued} are shown",
                      abs(pool["waiting_normal"] - queued) <= 4)
    starved = max(f["pools"][0]["conditions"]["starved"]["lasting"] for f in seen)
    findings.true(f"{starved} starve", starved > 300)
    late = frames.load(guest.files["late.jsonl"])[0]
    queued = sum(1 for call in late["calls"] if call["queued"])
    around = [f for f in seen if abs(f["mono_ns"] - late["mono_ns"]) < 5e9]
    others = [f["pools"][0]["waiting_normal"] for f in around]
    findings.true(f"who came late sees {queued} wait, who was there {others}",
                  bool(others) and queued > 100 and min(others) - 4 <= queued <= max(others) + 4)
    findings.equal("calls that who came late has no room for",
                   late["losses"]["calls_without_slot"], 0)
    lines = guest.read("metrics").decode().splitlines()
    findings.true(f"{len(lines)} lines of metrics", len(lines) < 600)
    opened = [x.split('ta="')[1] for x in lines if x.startswith("optee_sessions_opened_total{")]
    findings.equal("sessions opened, by TA", opened,
                   ['(no session)",class="normal"} 0', 'invoke-tests.pta",class="normal"} 1'])
    log = frames.parse(guest.read("log.jsonl"))
    events = [x for x in log if x["type"] == "event"]
    seconds = (log[-1]["mono_ns"] - log[0]["mono_ns"]) / 1e9
    for condition in {x["condition"] for x in events}:
        told = sum(1 for x in events if x["condition"] == condition and x["state"] != "end")
        findings.true(f"{told} events of {condition} in {seconds:.0f} s", told <= 101 + seconds)
    findings.true("none was left out",
                  any(x["type"] == "omitted" and x["condition"] == "starved" for x in log))
    findings.done()
