# SPDX-License-Identifier: GPL-2.0-only
"""Metrics of a real OP-TEE under load, from the daemon: by HTTP in both dialects, by the
command, and as a textfile. All say the same, and it is what the clients did and what
--json has."""

import json
import shlex
from collections import Counter
from typing import Any, Mapping

from ..lib import account, exposition, vm
from ..queue import test_contended
from ..lib.exposition import Exposition
from ..lib.registry import Context, Findings, test

RUN = r"""
URL=http://127.0.0.1:9469/metrics
mkdir -m 777 /tmp/text
optee-top daemon --listen 9469 --textfile /tmp/text/optee.prom 2>/tmp/daemon.err &
DAEMON=$!
attached() { wget -q -O - $URL 2>/tmp/wget.err | grep -q '^optee_up 1$'; }
wait_for 60 attached
optee-load -o /tmp/load %s || die "optee-load failed"
snapshots() { wget -q -O - $URL | sed -n 's/^optee_top_snapshots_total //p'; }
AT=$(snapshots)
later() { [ "$(snapshots)" -ge $((AT + 2)) ]; }
wait_for 60 later
wget -q -O /tmp/classic $URL || die "no metrics"
wget -q -O /tmp/openmetrics --header 'Accept: application/openmetrics-text;version=1.0.0' $URL
optee-top --json -n 1 >/tmp/frame || die "no frame"
optee-top metrics >/tmp/command || die "the command failed"
optee-top metrics --openmetrics >/tmp/command.open || die "the command failed"
printf 'GET /metrics HTTP/1.1\r\nHost: evil.example\r\n\r\n' | nc 127.0.0.1 9469 | head -1 >/tmp/refused
kill -TERM $DAEMON
wait $DAEMON || die "the daemon ended with status $?: $(cat /tmp/daemon.err)"
mv /tmp/text/optee.prom /tmp/textfile
"""

CLASSIC = "classic", "command", "textfile"
STRICT = "openmetrics", "command.open"
UUIDS = {"5b9e0e40-2636-11e1-ad9e-0002a5d5c51b": "os_test",
         "e13010e0-2ae1-11e5-896a-0002a5d5c51b": "concurrent",
         "d96a5b40-c3e5-21e3-8794-1002a5d5c61b": "invoke-tests.pta"}
TIMES = "wait", "hold", "secure"
# OP-TEE asks for a bottom half now and then, at rest, too: these go on.
NO_SESSION = "(no session)"


def check_account(findings: Findings, have: Exposition, load: account.Account) -> None:
    """Calls by TA, as the clients counted them."""
    made: Counter[str] = Counter()
    failed: Counter[str] = Counter()
    opened: Counter[str] = Counter()
    for call in load.calls:
        if call.ordinal is None and call.op != "open":
            continue
        made[UUIDS[call.uuid]] += 1
        failed[UUIDS[call.uuid]] += call.failed
        opened[UUIDS[call.uuid]] += call.op == "open"
    for ta, calls in made.items():
        labels = {"tee": "0", "ta": ta, "class": "normal"}
        for name, want in (("calls_total", calls), ("calls_failed_total", failed[ta]),
                           ("sessions_opened_total", opened[ta]), ("sessions_open", 0)):
            findings.equal(f"{name} of {ta}", have.get(f"optee_{name}", **labels), want)
    findings.true(f"{made} is no test", len(made) >= 3 and sum(made.values()) > 100)


def total(have: Exposition, name: str) -> float:
    return sum(v for (n, labels), v in have.samples.items()
               if n == name and ("ta", NO_SESSION) not in labels)


def check_frame(findings: Findings, have: Exposition, frame: Mapping[str, Any]) -> None:
    """The sums over all TAs are the pool's; conditions and peaks are as --json has them."""
    pool, = frame["pools"]
    none, = [row for row in frame["sessions"] if row["ta"] == NO_SESSION]

    def both(key: str) -> int:
        return sum(int(pool["class_sums"][c][key]) - int(none["class_sums"][c][key])
                   for c in ("normal", "system"))

    findings.equal("calls", total(have, "optee_calls_total"), both("calls"))
    findings.equal("waited", total(have, "optee_calls_waited_total"), both("waited"))
    findings.true("nobody ever waited: this is no test", both("waited") >= 5)
    for time in TIMES:
        findings.equal(f"calls of {time}", total(have, f"optee_{time}_seconds_count"),
                       both("calls"))
        findings.equal(f"sum of {time}", round(total(have, f"optee_{time}_seconds_sum") * 1e9),
                       both(f"{time}_ns"))
    for key, condition in pool["conditions"].items():
        labels = {"tee": "0", "condition": key}
        for name, member, unit in (("episodes_total", "count", 1), ("lasting", "lasting", 1),
                                   ("seconds_total", "time_ns", 1e9), ("peak", "peak", 1),
                                   ("longest_seconds", "longest_ns", 1e9)):
            want = None if condition is None else condition[member] / unit
            findings.equal(f"{name} of {key}", have.get(f"optee_condition_{name}", **labels),
                           want)
    for name, member in (("threads", "threads"), ("threads_free", "free"),
                         ("threads_in_use_peak", "in_use_peak"), ("threads_drift", "drift"),
                         ("calls_waiting_peak", "waiting_peak"),
                         ("threads_reserved", "reserved")):
        findings.equal(name, have.get(f"optee_{name}", tee="0"), pool[member])
    for kind, count in frame["losses"].items():
        findings.equal(f"losses of {kind}", have.get("optee_lost_total", kind=kind), count)


def of_optee(have: Exposition) -> Mapping[exposition.Key, float]:
    """What all ways have: the daemon's own figures go on, and OpenMetrics has more."""
    return {k: v for k, v in have.samples.items() if not k[0].startswith("optee_top_")
            and not k[0].endswith("_created") and ("ta", NO_SESSION) not in k[1]}


def check_same(findings: Findings, what: str, have: Exposition, want: Exposition) -> None:
    left, right = of_optee(have), of_optee(want)
    for sample in sorted(left.keys() | right.keys()):
        findings.equal(f"{sample} of '{what}'", left.get(sample), right.get(sample))


@test()
def metrics_contended(context: Context) -> None:
    words = " ".join(map(shlex.quote, test_contended.EIGHT))
    guest = vm.run(context, RUN % words, gets=(*CLASSIC, *STRICT, "frame", "load", "refused",
                                               "daemon.err"), seconds=300)
    findings = Findings()
    text = {name: guest.files[name].read_text("utf-8") for name in (*CLASSIC, *STRICT)}
    read = {name: exposition.read_classic(text[name]) for name in CLASSIC}
    read |= {name: exposition.read_openmetrics(text[name]) for name in STRICT}
    for name in CLASSIC:
        findings.equal(f"promtool's objections to '{name}'", exposition.promtool(text[name]), [])
    for name, have in read.items():
        check_same(findings, name, have, read["classic"])
    check_account(findings, read["classic"], account.load(guest.files["load"]))
    check_frame(findings, read["classic"], json.loads(guest.read("frame")))
    own = [k for k, _ in read["classic"].samples.items() if k[0].startswith("optee_top_")]
    findings.true(f"{len(own)} figures of the daemon itself are too few", len(own) > 15)
    findings.true("the command has figures of a daemon", "optee_top_" not in text["command"])
    findings.equal("answer to a foreign name", guest.read("refused"),
                   b"HTTP/1.1 421 Misdirected Request\r\n")
    findings.done()
