# SPDX-License-Identifier: GPL-2.0-only
"""Runs a workload on a driver in a fresh guest, and has optee-top check judge it there."""

import json
import shutil
import tarfile
import time
from pathlib import Path
from typing import NamedTuple, Optional, Sequence

from guest.lib import kmod, vm
from guest.lib.deadlock import PUT
from guest.lib.registry import Context, Failed
from optee_vm.kernel import KERNELS, locate

from . import accounts, workloads
from .workloads import Workload

# The workload's own output is kept apart from the verdict.
WORKLOAD = "exec >/tmp/workload.out 2>&1\n" + vm.PRELUDE
# A recording is made beside the check: the clients' accounts are compared with it. It has to
# have begun before the clients do, and to end after the check has.
GUEST = r"""
: >/tmp/workload.out
mkdir /tmp/accounts
xxd -p /sys/module/optee/notes/.note.gnu.build-id | tr -d '\n' >/tmp/build-id
optee-top record --mainline-rule --strict /tmp/recording >/tmp/record.out 2>&1 &
RECORD=$!
wait_for 60 test -s /tmp/recording
optee-top check --mainline-rule --rules /validate/rules --json -- sh /validate/workload \
	>/tmp/verdict.json 2>/tmp/check.err
echo $? >/tmp/status
kill -INT $RECORD
wait $RECORD
echo $? >/tmp/recorded
optee-top export --format jsonl --output /tmp/calls.jsonl /tmp/recording 2>>/tmp/record.out
tar c -f /tmp/accounts.tar -C /tmp accounts
"""
FILES = ("build-id", "workload.out", "verdict.json", "check.err", "status", "recorded",
         "record.out", "calls.jsonl", "accounts.tar")
CLIENTS = ("kclient", "nested")
GUEST_SECONDS = 400  # however slow the host
MAX_SAID = 8         # lines of what a program said
BLIND = "cannot judge"


class Rule(NamedTuple):
    """What became of one rule."""

    rule: str
    argument: Optional[str]
    verdict: str  # pass, fail, unknown or BLIND
    found: str
    evidence: Sequence[str]


class Outcome(NamedTuple):
    workload: str
    driver: str
    verdict: str  # pass, fail, unknown, BLIND; "not run"
    rules: Sequence[Rule]
    seconds: float

    def failed(self) -> Sequence[Rule]:
        return [rule for rule in self.rules if rule.verdict != "pass"]


class Setting(NamedTuple):
    """What is the same for all workloads of a driver."""

    driver: str
    module: Optional[Path]  # None: the kernel's own
    build_id: str           # "": not known
    kernel: str
    threads: int
    out: Path
    binary: Optional[Path]     # an optee-top to judge with instead of build/arm64's


def _lost(found: str, evidence: Sequence[str]) -> Sequence[Rule]:
    """There is no verdict, and that is not the driver's merit."""
    return [Rule("was_judged", None, "fail", found, evidence[-MAX_SAID:])]


def _lines(path: Path) -> Sequence[str]:
    return path.read_text(errors="replace").splitlines()


def _judged(guest: vm.Run, setting: Setting) -> Sequence[Rule]:
    running = guest.read("build-id").decode()
    if setting.build_id and not running.endswith(setting.build_id):
        return _lost("the guest did not run this driver",
                     [f"its build id is {setting.build_id}", f"the guest has {running[-40:]}"])
    try:
        verdict = json.loads(guest.read("verdict.json"))
        rules = [Rule(r["rule"], r["argument"], r["verdict"], r["found"], r["evidence"])
                 for r in verdict["rules"]]
    except (ValueError, KeyError, TypeError):
        status = guest.read("status").decode().strip()
        return _lost(f"optee-top check ended with status {status} and no verdict",
                     _lines(guest.files["check.err"]))
    said = _lines(guest.files["workload.out"])[-MAX_SAID:]
    return [rule._replace(evidence=[*rule.evidence, *said])
            if (rule.rule, rule.verdict) == ("command_succeeds", "fail") else rule for rule in rules]


def _compared(guest: vm.Run, directory: Path, workload: Workload) -> Sequence[Rule]:
    """Has optee-top seen what the clients did? Nothing: it has."""
    where = directory / "accounts"
    shutil.rmtree(where, ignore_errors=True)
    with tarfile.open(guest.files["accounts.tar"]) as tar:
        tar.extractall(directory)
    recorded = int(guest.read("recorded"))
    if recorded:
        return [Rule("seen_by_clients", None, BLIND,
                     f"the recording ended with status {recorded}: there is nothing to compare",
                     _lines(guest.files["record.out"])[-MAX_SAID:])]
    mine = accounts.client_calls(where)
    found = accounts.differences(mine, accounts.seen_calls(guest.files["calls.jsonl"]),
                                 workload.hidden_ms)
    if not found:
        return []
    return [Rule("seen_by_clients", None, BLIND,
                 f"optee-top has not seen what the clients did: {len(found)} "
                 f"difference{'s' * (len(found) != 1)} in {len(mine)} calls", found)]


def _verdict(rules: Sequence[Rule]) -> str:
    """What was not seen is neither the driver's merit nor its fault: that goes first."""
    found = {rule.verdict for rule in rules}
    return next((v for v in (BLIND, "fail", "unknown") if v in found), "pass")


def _threads(workload: Workload, setting: Setting) -> int:
    return max(workload.least_threads, setting.threads)


def _options(workload: Workload, setting: Setting, scratch: Path) -> Sequence[str]:
    options = ["--icount", "--kernel", setting.kernel, "--threads", str(_threads(workload, setting)),
               "--put", f"{scratch}:/validate"]
    if setting.module:
        options += ["--module", str(setting.module)]
    if workload.plugin:
        options += PUT
    if workload.scmi:
        options += ["--scmi", "each"]
    if workload.account:
        options += ["--put", f"{vm.ROOT / 'build/arm64/tee-account.so'}:/tee-account.so"]
    if workload.clients:
        for name in CLIENTS:
            options += ["--put", f"{kmod.build(name, setting.kernel)}:/{name}.ko"]
    return options


def no_clients(kernel: str) -> Optional[str]:
    """Why the modules of tests/driver/modules cannot be had for the kernel; None: they can."""
    if kernel not in KERNELS:
        return "their clients are kernel modules, and are built for Debian's kernels only"
    try:
        for name in CLIENTS:
            kmod.build(name, kernel)
    except kmod.NoHeaders as failure:
        return str(failure)
    return None


def no_scmi(kernel: str, scratch: Path) -> Optional[str]:
    """Why no SCMI client calls OP-TEE with that kernel; None: one does."""
    root = locate(kernel, scratch).image.parent
    if any(root.glob("lib/modules/*/**/scmi_transport_optee.ko*")):
        return None
    return "the kernel has no module scmi_transport_optee"


def judge(workload: Workload, setting: Setting) -> Outcome:
    """Run it and return its verdict."""
    directory = setting.out / setting.driver / workload.name
    scratch = directory / "validate"
    scratch.mkdir(parents=True, exist_ok=True)
    (scratch / "workload").write_text(WORKLOAD + workloads.script(workload, _threads(workload, setting)))
    (scratch / "rules").write_text(workloads.rules(workload))
    begin = time.monotonic()
    try:
        guest = vm.run(Context(workload.name, directory, setting.binary), GUEST,
                       *_options(workload, setting, scratch), gets=FILES, seconds=GUEST_SECONDS)
        rules = [*_judged(guest, setting), *_compared(guest, directory, workload)]
    except Failed as failure:
        first, *more = str(failure).splitlines()
        rules = _lost(first, more)
    return Outcome(workload.name, setting.driver, _verdict(rules), rules,
                   time.monotonic() - begin)
