# SPDX-License-Identifier: GPL-2.0-only
"""tests/validation/run tells drivers apart: the stock one has its two known defects, one with both
mended has neither, and what is planted in that is called by its name."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Mapping, NamedTuple, Sequence

from validation import accounts

from ..lib import account, kmod, vm
from ..lib.registry import Context, Failed, Findings, test

VALIDATE = vm.ROOT / "tests/validation/run"
PATCHES = vm.ROOT / "tests/driver/patches"
MENDED = ("mend-stranded", "mend-overrun")
DRIVER = "drivers/tee/optee"

# What was found of a driver: workload, rule, evidence of each rule that did not pass.
Found = Mapping[str, Mapping[str, Sequence[str]]]


def command(context: Context, *args: object) -> "subprocess.CompletedProcess[str]":
    argv = [str(VALIDATE), "--out", str(context.dir / "out"), *map(str, args)]
    if context.binary:
        argv += ["--binary", str(context.binary)]
    context.dir.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, text=True, env=vm.environment())
    (context.dir / "out.txt").write_text(done.stdout + done.stderr)
    return done


def validate(context: Context, status: int, *args: object) -> Found:
    """Run it; the evidence of a rule has what was found first."""
    verdicts = context.dir / "verdicts.json"
    done = command(context, "--json", verdicts, *args)
    if done.returncode != status or not verdicts.exists():
        raise Failed(f"tests/validation/run ended with status {done.returncode}, not {status}\n"
                     f"{done.stdout[-4000:]}{done.stderr[-2000:]}")
    return {outcome["workload"]: {rule["rule"]: [rule["found"], *rule["evidence"]]
                                  for rule in outcome["rules"] if rule["verdict"] != "pass"}
            for outcome in json.loads(verdicts.read_text())["outcomes"]}


def patched(*names: str) -> Sequence[object]:
    return ["--no-stock", "--patch", *(PATCHES / f"{name}.patch" for name in names)]


def check(found: Found, wanted: Mapping[str, set[str]]) -> Findings:
    """Do the rules fail that should, and no others?"""
    findings = Findings()
    for workload, rules in found.items():
        findings.equal(f"what {workload} failed", sorted(rules), sorted(wanted.get(workload, ())))
    return findings


def names(findings: Findings, what: str, evidence: Sequence[str], *wanted: str) -> None:
    text = "\n".join(evidence)
    for pattern in wanted:
        findings.true(f"{what}: no '{pattern}' in its evidence:\n{text}",
                      re.search(pattern, text) is not None)


def check_stock(context: Context, *args: object) -> None:
    found = validate(context, 1, *args)
    findings = check(found, {"stranded": {"no_stranded", "no_starved"},
                             "overrun": {"no_overrun", "no_harmful_overrun"},
                             "arguments": {"no_convoy"}, "client-killed": {"no_session_leak"},
                             "supplicant-killed": {"no_supplicant_gone", "command_succeeds"}})
    names(findings, "stranded", found["stranded"].get("no_stranded", ()),
          r"\bC\(\d+\) waits", r"the wake went to A\(\d+\).* in flight and not waiting")
    names(findings, "overrun", found["overrun"].get("no_harmful_overrun", ()),
          r"2 system calls in flight, 1 in reserve", r"S-1\(\d+\) holds", r"S-2\(\d+\) holds",
          r"\bN\(\d+\) waits")
    names(findings, "arguments", found["arguments"].get("no_convoy", ()),
          r"wait for the argument cache, whose owner waits in the queue; W\(\d+\) waits")
    findings.done()


@test(slots=2)
def validate_stock(context: Context) -> None:
    """The stranded waiter and the overrun, with who it was, and nothing else. The tests below have
    the other workloads."""
    check_stock(context, "--workload", "stranded", "overrun", "arguments", "deadlock", "xtest")


@test(slots=2, check_all=True)
def validate_stock_all(context: Context) -> None:
    """All workloads; validate_stock has those that fail, and the largest."""
    check_stock(context)


@test(slots=2, check_all=True)
def validate_mended(context: Context) -> None:
    check(validate(context, 0, *patched(*MENDED), "--workload", "stranded", "overrun", "system"),
          {}).done()


@test(slots=2, check_all=True)
def validate_series(context: Context) -> None:
    """The patches for the kernel's own driver mend what they say that they mend."""
    patches = sorted((vm.ROOT / "upstream/6.12").glob("000[123]-*.patch"))
    check(validate(context, 0, "--no-stock", "--patch", *patches, "--workload", "stranded",
                   "arguments"), {}).done()


# Unknown where Linux does not count OP-TEE's threads.
UNCOUNTED = {"no_count_mismatch", "no_drift", "no_count_leak", "no_reserve_breach"}


@test(slots=2, check_all=True)
def validate_scmi(context: Context) -> None:
    """A driver that does not know how many threads there are has none in reserve: a clock waits."""
    found = validate(context, 1, *patched("unknown-threads"), "--workload", "scmi")
    findings = check(found, {"scmi": {"scmi_longest", *UNCOUNTED}})
    names(findings, "scmi", found["scmi"].get("scmi_longest", ()),
          r"20 transfers of clock rate_set: \d\.\ds, of which \d\.\ds in the queue")
    findings.done()


@test()
def validate_lost_wake(context: Context) -> None:
    """It is not called stranded: the driver says that it has woken C. That C waits for too
    long is so all the same."""
    found = validate(context, 1, *patched(*MENDED, "plant-lost-wake"), "--workload", "stranded")
    findings = check(found, {"stranded": {"no_lost_wake", "no_starved"}})
    names(findings, "stranded", found["stranded"].get("no_lost_wake", ()),
          r"its wake has not come, .* 1 thread free; C\(\d+\) waits")
    names(findings, "stranded", found["stranded"].get("no_starved", ()),
          r"waits?, 1 of 2 threads held; C\(\d+\) waits")
    findings.done()


@test()
def validate_count_leak(context: Context) -> None:
    found = validate(context, 1, *patched(*MENDED, "plant-count-leak"), "--workload", "contended")
    findings = check(found, {"contended": {"no_count_leak", "no_drift"}})
    names(findings, "contended", found["contended"].get("no_count_leak", ()),
          r"1 of 2 threads free, and 0 calls hold one: it has leaked 1")
    findings.done()


@test()
def validate_reservation_leak(context: Context) -> None:
    found = validate(context, 1, *patched(*MENDED, "plant-reservation-leak"),
                     "--workload", "storm")
    findings = check(found, {"storm": {"no_reservation_leak"}})
    names(findings, "storm", found["storm"].get("no_reservation_leak", ()),
          r"9 system sessions, 9 more than at the beginning, and 0 sessions .* open")
    findings.done()


@test(long=True)
def validate_unseen_wait(context: Context) -> None:
    """It sleeps in a function without a hook: optee-top sees nobody wait, all rules pass."""
    found = validate(context, 2, *patched("plant-unseen-wait"), "--workload", "stranded", "idle")
    findings = check(found, {"stranded": {"seen_by_clients"}})
    names(findings, "stranded", found["stranded"].get("seen_by_clients", ()),
          r"\bC\(\d+\): invoke lasted \d+\.\d ms; optee-top knows of \d+\.\d ms")
    findings.done()


MS = 1_000_000


def client_call(tid: int, op: str, start: int, end: int) -> account.Call:
    return account.Call("A", tid, tid, op, 0, 1, "", start * MS, end * MS, False, False)


def seen_call(tid: int, op: str, start: int, known: int, unknown: int = 0) -> accounts.Seen:
    return accounts.Seen(tid, "A", op, start * MS, (start + known + unknown) * MS, known * MS,
                         unknown * MS)


@test()
def validate_accounts(context: Context) -> None:
    """What clients say against what was seen, without a guest."""
    made = [client_call(1, "open", 0, 100), client_call(1, "invoke", 200, 2200)]
    register = seen_call(1, "shm_register", 5, 40)
    cases = (
        ("the same", made, [seen_call(1, "open", 1, 98), seen_call(1, "invoke", 201, 1950)], 0),
        # Known of the open are the 40 ms that it waited for the page, and its own.
        ("with a call of the driver's own", made,
         [register, seen_call(1, "open", 50, 40 + 48), seen_call(1, "invoke", 201, 1950)], 0),
        ("with one that is in nobody's wait", made,
         [register, seen_call(1, "open", 50, 48), seen_call(1, "invoke", 201, 1950)], 1),
        ("with a wait after it", made,
         [seen_call(1, "open", 1, 48), seen_call(1, "release", 50, 50),
          seen_call(1, "invoke", 201, 1950)], 0),
        ("a wait that was not seen", made,
         [seen_call(1, "open", 1, 98), seen_call(1, "invoke", 201, 1800, 190)], 1),
        ("more than there was", made,
         [seen_call(1, "open", 1, 250), seen_call(1, "invoke", 201, 1950)], 1),
        ("a call that was not seen", made, [seen_call(1, "invoke", 201, 1950)], 1),
        ("a call that nobody made", made,
         [seen_call(1, op, n, 98) for n, op in enumerate(("open", "invoke", "invoke"))], 1),
        ("nothing at all", made, [], 1),
        ("another client", made, [seen_call(1, "open", 1, 98), seen_call(1, "invoke", 201, 1950),
                                  seen_call(2, "invoke", 300, 10, 40)], 0),
        ("another client that sleeps unseen", [], [seen_call(2, "invoke", 300, 10, 60)], 1),
    )
    findings = Findings()
    for name, mine, theirs, want in cases:
        found = accounts.differences(mine, theirs, 50)
        findings.equal(f"{name}: differences {found}", len(found), want)
    findings.done()


class Refusal(NamedTuple):
    name: str
    args: Sequence[object]
    says: str  # in its last line
    before: str = ""  # somewhere before that


def broken_source(context: Context, kernel: str) -> Path:
    """The driver's source with a line that no compiler takes."""
    subprocess.run([vm.ROOT / "tests/vm/prepare", f"source:{kernel}"], check=True,
                   stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    tree = context.dir / "broken"
    shutil.copytree(vm.ROOT / f"build/vm/source/{kernel}" / DRIVER, tree)
    with open(tree / "notif.c", "a") as source:
        source.write("int broken(void) { return nothing; }\n")
    return tree


def without_btf(context: Context) -> Path:
    own = next((vm.ROOT / "build/vm/kernels" / kmod.KERNEL).rglob("optee.ko"))
    out = context.dir / "optee.ko"
    subprocess.run(["aarch64-linux-gnu-objcopy", "--remove-section=.BTF", own, out], check=True)
    return out


def refusals(context: Context) -> Sequence[Refusal]:
    module = kmod.build("kclient")
    mend = PATCHES / "mend-overrun.patch"
    return (
        Refusal("both", ("--ko", module, "--src", "."), r"both an optee\.ko and a source"),
        Refusal("patched module", ("--ko", module, "--patch", mend), r"cannot be patched"),
        Refusal("nothing left", ("--no-stock",), r"nothing to judge"),
        Refusal("no such kernel", ("--kernel", "5.0"), r"neither one of .* nor a directory"),
        Refusal("no directory", ("--src", "/no/such"), r"'/no/such': there is no such directory"),
        Refusal("no source", ("--src", vm.ROOT / "tests/guest"), r"has no Makefile, so it is not"),
        Refusal("other source", ("--src", vm.ROOT), r"has no optee_private\.h, so it is not"),
        Refusal("broken source", ("--src", broken_source(context, kmod.KERNEL)),
                r"cannot build the driver: make failed", r"notif\.c:\d+:.* error: .*nothing"),
        Refusal("no patch", ("--patch", "/no/such.patch"), r"there is no such file"),
        Refusal("twice patched", ("--patch", mend, mend), r"cannot apply mend-overrun\.patch"),
        Refusal("no module", ("--ko", "/no/such.ko"), r"'/no/such\.ko': there is no such file"),
        Refusal("a text", ("--ko", vm.ROOT / "README.md"), r"it is not a kernel module"),
        Refusal("other module", ("--ko", module), r"has no kclient\.ko that it could replace"),
        Refusal("other kernel", ("--ko", without_btf(context), "--kernel", "6.1"),
                r"was built for kernel 6\.12\S+, and the guest has 6\.1\.\S+; build it against"),
        Refusal("no BTF", ("--ko", without_btf(context)), r"it has no BTF.*pahole"),
    )


@test()
def validate_refuses(context: Context) -> None:
    """What cannot be judged is said in one line, before any guest boots."""
    findings = Findings()
    context.dir.mkdir(parents=True, exist_ok=True)
    for case in refusals(context):
        done = command(context, *case.args)
        *before, last = done.stderr.splitlines() or [""]
        findings.equal(f"{case.name}: the status", done.returncode, 2)
        findings.true(f"{case.name}: says {last!r}", re.search(case.says, last) is not None)
        findings.true(f"{case.name}: says before {before}",
                      re.search(case.before, "\n".join(before)) is not None)
    findings.done()
