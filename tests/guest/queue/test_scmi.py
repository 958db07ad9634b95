# SPDX-License-Identifier: GPL-2.0-only
"""Linux's own SCMI client, and OP-TEE's SCMI server: channels and protocols of the sessions, and
how long the messages take, compared with the kernel's trace events and the clients' account."""

import re
from collections import defaultdict
from pathlib import Path
from typing import Mapping, NamedTuple, Sequence

from ..lib import frames, kclient, target, vm
from ..lib.frames import Object
from ..lib.registry import Context, Findings, test

MS = 1_000_000
LONG_MS = 15000  # longer than the attach takes


class Setting(NamedTuple):
    kernel: str
    options: Sequence[str] = ()  # of the guest
    top: str = ""  # of optee-top
    channels: Sequence[str] = ("1:clock", "2:reset")  # "0:...": all protocols have one

    @property
    def ffa(self) -> bool:
        """There are no system sessions, and of a call in flight at the attach little is known."""
        return "--ffa" in self.options


# The sessions are there before optee-top attaches, and LONG's call is in flight then. The first
# call on the channel of resets since then is that of R, which lasts.
RUN = kclient.SCRIPT + r"""
T=/sys/kernel/tracing
kclient_load
echo mono >$T/trace_clock
echo 1 >$T/events/scmi/scmi_xfer_begin/enable
echo 1 >$T/events/scmi/scmi_xfer_end/enable
kclient_start <<END
name=LONG clock=0 wait=%(long)d
END
usleep 300000
top_start -d 0.2 %(top)s
kclient_wait
cp /tmp/kclient /tmp/long
kclient_run <<END
name=R reset=3
name=C clock=0 at=1200 repeat=10 wait=20 gap=5
name=B clock=1 at=1210 repeat=10 wait=3 gap=2
name=S reset=1 at=1200 repeat=10 gap=10
name=N count=2 at=1250 repeat=10 wait=30
END
top_stop
cat $T/trace >/tmp/trace
optee-top -b -n 1 >/tmp/table
"""

EVENT = re.compile(r"^ *(.+)-(\d+) +\[\d+\] \S+ +(\d+)\.(\d+): scmi_xfer_(begin|end): "
                   r"pt=(\w+) msg_id=(\w+) .*?(?: s=(-?\d+).*)?$", re.M)


class Transfer(NamedTuple):
    """As the kernel's trace events have it; to a microsecond."""

    tid: int
    message: str
    took: int
    failed: bool


MESSAGES = {(0x14, 5): "clock rate_set", (0x14, 6): "clock rate_get", (0x16, 4): "reset reset"}


def transfers(trace: Path) -> Sequence[Transfer]:
    begun, found = {}, []
    for m in EVENT.finditer(trace.read_text(errors="replace")):
        tid, ns = int(m[2]), int(m[3]) * 1_000_000_000 + int(m[4]) * 1000
        if m[5] == "begin":
            begun[tid] = ns
        elif tid in begun:
            kind = int(m[6], 16), int(m[7], 16)
            found.append(Transfer(tid, MESSAGES.get(kind, str(kind)), ns - begun.pop(tid),
                                  int(m[8] or 0) != 0))
    return found


def rows(frame: Object) -> Mapping[str, Object]:
    return {f"{row['protocol']} {row['message']}": row for row in frame["pools"][0]["scmi"]}


def check_messages(findings: Findings, last: Object, truth: Sequence[Transfer]) -> None:
    """Counts are equal; times are the trace events', whose hooks run a moment before ours."""
    by_message = defaultdict(list)
    for transfer in truth:
        by_message[transfer.message].append(transfer)
    findings.equal("messages", set(rows(last)), set(by_message))
    for name, row in rows(last).items():
        known = by_message[name]
        findings.equal(f"{name}: transfers", row["count"], len(known))
        findings.equal(f"{name}: failed", row["failed"], sum(t.failed for t in known))
        for what, ours, theirs in (("time", row["time_ns"], sum(t.took for t in known)),
                                   ("longest", row["longest_ns"], max(t.took for t in known))):
            most = 2 * MS + theirs // 50
            findings.true(f"{name}: {what} is {ours}, and {theirs} by the trace events",
                          abs(ours - theirs) <= most)
        findings.equal(f"{name}: mean", row["mean_ns"], row["time_ns"] // row["count"])
        findings.true(f"{name}: waits of {row['wait_ns']} in {row['time_ns']}",
                      row["wait_ns"] <= row["time_ns"])


def check_account(findings: Findings, account: kclient.Account,
                  truth: Sequence[Transfer]) -> None:
    """Each client has waited for its transfers, and for little else but the clocks' mutex."""
    for call in {(c.client, c.tid, c.op) for c in account.scmi}:
        client, tid, op = call
        own = [c for c in account.scmi if c.client == client]
        theirs = [t for t in truth if t.tid == tid]
        findings.equal(f"{client}: errors", sum(bool(c.error) for c in own), 0)
        findings.equal(f"{client}: transfers", len(theirs),
                       len(own) * (2 if op == "rate" else 1))
        lasted = sum((c.end or 0) - c.start for c in own)
        findings.true(f"{client}: {lasted} ns, less than its transfers",
                      lasted + 100_000 >= sum(t.took for t in theirs))


def check_sessions(findings: Findings, last: Object, setting: Setting) -> None:
    of_scmi = [s for s in last["sessions"] if s["scmi"]]
    findings.equal("channels", {s["scmi"] for s in of_scmi}, set(setting.channels))
    for row in of_scmi:
        findings.equal(f"{row['scmi']}: class, origin, channel",
                       (row["class"], row["origin"], row["scmi_channel"]),
                       ("normal" if setting.ffa else "system", "kernel",
                        int(row["scmi"].split(":")[0])))
    for row in last["sessions"]:
        if row not in of_scmi:
            findings.equal(f"SCMI of {row['client']}", (row["scmi"], row["scmi_channel"]),
                           (None, None))


def check_late(findings: Findings, seen: Sequence[Object], long: kclient.Scmi) -> None:
    """The call in flight at the attach has a row while it lasts, of the class that the pool says."""
    first = seen[0]
    findings.true("LONG's call was over before the first frame: this is no test",
                  first["mono_ns"] < (long.end or 0))
    call, = [c for c in first["calls"] if c["comm"] == long.client] or [None]
    findings.true("LONG's call is not shown", call is not None)
    if call:
        row, = [s for s in first["sessions"] if s["serial"] == call["serial"]] or [None]
        findings.equal("the row of LONG's call: class, origin, in flight",
                       row and (row["class"], row["origin"], row["in_flight"]),
                       ("system", "kernel", 1))
    # The driver's own for notifications may be another one.
    findings.equal("calls_late", seen[-1]["losses"]["calls_late"],
                   sum(c["late"] for c in first["calls"]))


def check_first_call(findings: Findings, seen: Sequence[Object], call: kclient.Scmi) -> None:
    """A session of before the attach is a system session from its first call's begin on."""
    while_it_lasts = [f for f in seen
                      if call.start + 20 * MS < f["mono_ns"] < (call.end or 0) - 20 * MS]
    findings.true("no frame while R's call lasted: this is no test", bool(while_it_lasts))
    for frame in while_it_lasts:
        found = [s for s in frame["sessions"] if s["class"] == "system" and s["in_flight"]]
        findings.equal("system rows with a call in flight, and in_use_system",
                       (len(found), frame["pools"][0]["in_use_system"]), (1, 1))


def check_run(context: Context, setting: Setting) -> tuple[Findings, vm.Run]:
    guest = vm.run(context, RUN % {"long": LONG_MS, "top": setting.top}, "--icount",
                   "--kernel", setting.kernel, "--scmi",
                   "one" if setting.channels[0].startswith("0") else "each", *setting.options,
                   *kclient.options(setting.kernel),
                   gets=("top.jsonl", "trace", "long", "kclient", "table"), seconds=400)
    findings = Findings()
    seen = frames.load(guest.files["top.jsonl"])
    frames.check_sane(findings, seen, {"calls_late": None})
    account = kclient.load(guest.files["kclient"])
    # Of LONG's call nothing was seen but its end, with its first transfer.
    late, = kclient.load(guest.files["long"]).scmi
    truth = [t for t in transfers(guest.files["trace"])
             if (t.tid, t.message) != (late.tid, "clock rate_set")]
    if not setting.ffa:
        check_late(findings, seen, late)
        check_first_call(findings, seen, next(c for c in account.scmi if c.client == "R"))
    check_messages(findings, seen[-1], truth)
    check_account(findings, account, truth)
    check_sessions(findings, seen[-1], setting)
    return findings, guest


@test(check_all=True)
def scmi(context: Context) -> None:
    """Which channel and protocol an SCMI session has, how long its messages take, and what was
    there before the attach."""
    findings, guest = check_run(context, Setting(target.KERNEL))
    table = guest.files["table"].read_text()
    findings.true(f"a table without SCMI has its column:\n{table}", " SCMI " not in table)
    findings.done()


@test(check_all=True)
def scmi_others(context: Context) -> None:
    """The same with 7.3: by FF-A, and with one channel and raw tracepoints."""
    for setting in (Setting("7.3", ("--ffa",)),
                    Setting("7.3", top="--kprobes", channels=("0:clock,reset",))):
        findings, _ = check_run(context, setting)
        findings.done()
