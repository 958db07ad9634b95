# SPDX-License-Identifier: GPL-2.0-only
"""The driver comes after optee-top, goes, and comes again."""

import re

from ..lib import account, frames, vm
from ..lib.registry import Context, Findings, test

LOAD = r"""
load() { # NAME
	optee-load -o /tmp/load.$1 "name=$1 ta=invoke_tests repeat=20 nop gap=10" ||
		die "optee-load $1 failed"
}
driver_in() { modprobe optee && wait_for 30 test -e /dev/tee0; }
waits() { [ "$(grep -c 'waiting for it' /tmp/top.err)" -eq "$1" ]; }
"""

LATER = LOAD + r"""
optee-top --json -d 0.5 >/tmp/top.jsonl 2>/tmp/top.err &
TOP=$!
wait_for 20 waits 1
[ ! -s /tmp/top.jsonl ] || die "a frame without a driver"
driver_in
WANTED_FRAMES=1
wait_for 60 top_frame
load one
top_settle
rmmod optee 2>/tmp/rmmod.err
echo "rmmod: $?"
kill -TERM $TOP
wait $TOP
echo "optee-top: $?"
rmmod optee || die "rmmod failed when optee-top had ended"
"""

AGAIN = LOAD + r"""
device() { echo firmware:optee >/sys/bus/platform/drivers/optee/$1 || die "cannot $1 the device"; }

driver_in
top_start -d 0.5 %s
load one
top_settle
rmmod optee 2>/dev/null && die "rmmod worked while optee-top was attached"
device unbind
wait_for 30 waits 1
kill -0 $TOP || die "optee-top went with the device"
wc -l </tmp/top.jsonl >/tmp/first
rmmod optee || die "rmmod failed while optee-top waits"
driver_in
top_settle
load two
top_settle
kill -TERM $TOP
wait $TOP
echo "optee-top: $?"
"""


def check_session(findings: Findings, seen: list[frames.Object], truth: account.Account,
                  name: str) -> None:
    rows = [s for s in frames.final_sessions(seen) if s["client"] == name]
    findings.equal(f"sessions of {name} shown", len(rows), 1)
    for row in rows:
        findings.equal(f"{name}'s calls", (row["calls"], row["ops"]),
                       (len(truth.calls), {"open": 1, "invoke": 20, "close": 1}))
        findings.true(f"{name}'s hold is {row['hold_ns']} ns, its RPC {row['rpc_ns']} ns",
                      0 < row["secure_ns"] <= row["hold_ns"] and row["rpc_ns"] >= 0)


@test()
def driver_later(context: Context) -> None:
    """Waits for the driver and says so; holds the module by fentry."""
    guest = vm.run(context, LATER, "--no-tee", "--icount",
                   gets=("top.jsonl", "top.err", "load.one", "rmmod.err"))
    findings = Findings()
    said = guest.read("top.err").decode()
    findings.equal("what it says while it waits", said,
                   "optee-top: the optee driver is not loaded: waiting for it\n")
    seen = frames.load(guest.files["top.jsonl"])
    frames.check_sane(findings, seen)
    check_session(findings, seen, account.load(guest.files["load.one"]), "one")
    findings.equal("the statuses", guest.out.decode(), "rmmod: 1\noptee-top: 0\n")
    refusal = guest.read("rmmod.err").decode()
    findings.true(f"rmmod did not say that the module is in use, but {refusal!r}",
                  re.search("in use|Resource temporarily", refusal) is not None)
    findings.done()


def goes_and_comes(context: Context, option: str, *options: str) -> None:
    """The device is unbound and lets go of optee-top; the module leaves, and comes back."""
    guest = vm.run(context, AGAIN % option, "--no-tee", *options,
                   gets=("top.jsonl", "top.err", "load.one", "load.two", "first"))
    findings = Findings()
    said = guest.read("top.err").decode().splitlines()
    findings.equal("what it says", said,
                   ["optee-top: the optee driver is not loaded: waiting for it"])
    everything = frames.load(guest.files["top.jsonl"])
    split = int(guest.read("first"))
    for name, seen in (("one", everything[:split]), ("two", everything[split:])):
        frames.check_sane(findings, seen)
        check_session(findings, seen, account.load(guest.files[f"load.{name}"]), name)
    findings.equal("optee-top's status", guest.out.decode(), "optee-top: 0\n")
    findings.done()


@test()
def driver_again(context: Context) -> None:
    goes_and_comes(context, "")


@test()
def driver_again_kprobes(context: Context) -> None:
    goes_and_comes(context, "--kprobes", "--icount")
