# SPDX-License-Identifier: GPL-2.0-only
"""A thousand clients that do not do as they should: who does is served as if they were not there."""

from ..lib import daemon, frames, vm
from ..lib.exposition import read_classic
from ..lib.registry import Context, Findings, test
from .test_daemon import unpack
from .test_daemon_mob import COMMON, memory

CROWD = 999

# The load is there so that there is much to send: what stuck clients do not take has to be
# forgotten, all of 1 MB, and a call is a dozen bytes. The crowd is nice: it is not the scheduler
# that is tested.
STUCK = COMMON + rf"""
client frames 'optee-top --json'
client record 'optee-top record /tmp/out/rec'
more frames 2
memory before
crowd $SOCKET {CROWD} /tmp/ready >/tmp/out/crowd &
CROWD=$!
wait_for 60 test -e /tmp/ready
cut() {{ [ "$(metric optee_top_clients)" -le 30 ]; }}
flood cut
memory loaded
more frames 2
memory after
kill -TERM $CROWD
wait $CROWD || die "crowd ended with $?"
more frames 1
show end
end frames record
daemon_stop
pack
"""


@test(long=True)
def daemon_crowd(context: Context) -> None:
    guest = vm.run(context, STUCK, "--icount", gets=("out.tar",), seconds=500)
    out = unpack(guest, context.dir / "out")
    findings = Findings()
    seen = frames.load(out / "frames")
    frames.check_sane(findings, seen, {"calls_unrecorded": None})
    daemon.check_intervals(findings, "the good client", seen, 1, 0.3)
    findings.equal("calls that the good client was shown",
                   sum(r["calls"] for r in frames.final_sessions(seen)),
                   sum(map(int, (out / "flood").read_text().split())))
    crowd = {k: (int(n), int(closed)) for k, n, closed in
             (line.split() for line in (out / "crowd").read_text().splitlines())}
    for kind, (there, closed) in crowd.items():
        want = 0 if kind == "gone" else there
        findings.equal(f"clients that are {kind}, closed", closed, want)
    text = read_classic((out / "metrics.end").read_text())
    findings.equal("clients cut", text.get("optee_top_clients_cut_total"),
                   sum(n for k, (n, _) in crowd.items() if k != "gone"))
    findings.equal("clients served", text.get("optee_top_clients_served_total"), CROWD + 2)
    before, loaded, after = (memory((out / f"memory.{n}").read_text())
                             for n in ("before", "loaded", "after"))
    taken = before["MemAvailable"] - loaded["MemAvailable"]
    print(f"    RSS {before['VmRSS']} kB, at most {after['VmHWM']} kB; with the crowd and the "
          f"load {taken} kB less are free in all")
    findings.true(f"the crowd takes {taken} kB", taken < 65536)
    findings.true(f"RSS grew to {after['VmHWM']} kB", after["VmHWM"] < 10240)
    log = [line for path in out.glob("log/*.jsonl") for line in daemon.log_lines(path)]
    times = sorted({line["mono_ns"] for line in log if line["type"] == "pool"})
    gaps = [(b - a) / 1e9 for a, b in zip(times, times[1:])]
    findings.true(f"the log's interval was {max(gaps)} s", max(gaps) < 1.5)
    findings.done()
